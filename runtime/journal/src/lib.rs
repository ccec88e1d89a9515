//! The durable log: events, key-values and blobs, over several stores.
//!
//! Two layers:
//!
//! - A [`Store`] keeps opaque bytes durably. It has three faces: [`Events`], one fenced log per
//!   contact; [`KeyValues`], versioned entries in named spaces; [`Blobs`], content by its digest.
//!   [`Memory`] is the reference; the fjall and sled stores keep the same contract on disk, and
//!   one suite of tests holds all of them to it.
//! - The [`Journal`] writes a contact's events to a store: encoded, their private part encrypted
//!   under a key of the contact's own, each chained to the one before, all of it verified when
//!   it is read.
//!
//! Invariants:
//! - What a store has acknowledged is durable: it survives the death of the process at once, and
//!   that of the machine's power as [`STORES_HELP`] says.
//! - An append lands whole or not at all, and only on the version that its writer expected.
//! - This crate alone names its stores; nothing outside sees an engine's types.

#[cfg(any(feature = "fjall", feature = "sled"))]
mod batch;
mod codec;
#[cfg(any(feature = "fjall", feature = "sled"))]
mod committer;
#[cfg(any(feature = "fjall", feature = "sled"))]
mod digest_files;
#[cfg(any(feature = "fjall", feature = "sled"))]
mod directory;
#[cfg(any(feature = "fjall", feature = "sled"))]
mod durable;
mod error;
#[cfg(feature = "fjall")]
mod fjall;
mod journal;
#[cfg(any(feature = "fjall", feature = "sled"))]
mod ledger;
pub mod limits;
mod memory;
mod naming;
#[cfg(any(feature = "fjall", feature = "sled"))]
mod rows;
mod secrecy;
#[cfg(feature = "sled")]
mod sled;
mod spec;
mod store;
mod version;

pub use error::{Error, OpenError};
pub use journal::{Head, Journal, Recorded};
pub use memory::Memory;
pub use secrecy::{MasterKey, MasterKeyError};
pub use spec::{STORES_HELP, SpecError, StoreSpec, open};
pub use store::{
    Append, Blobs, Entry, Events, Expect, Frame, KeyValues, Kind, Put, Standing, Store, StreamHead, Streams,
    Usage,
};
pub use version::Version;
