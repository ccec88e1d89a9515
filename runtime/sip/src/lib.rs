//! Calls by SIP: listeners, trunks, phones and their registrations, dialogs and what they agree on. Knows no
//! contact and no media.
//!
//! This is the only crate that names rsipstack. That stack logs whole messages at level info: run with the
//! filter [`LOG_DIRECTIVE`] so that no number reaches a log.

mod address;
mod call;
mod caller;
mod carrier;
mod desk;
mod digest;
mod error;
mod front;
#[doc(hidden)]
pub mod fuzzing;
mod gate;
mod guess;
mod leg;
pub mod limits;
mod listen;
mod load;
mod nat;
mod registrar;
pub mod sdp;
mod session;
mod settings;
mod sip;
mod stack;

pub use call::{
    Arriving, Call, Caller, Destination, DialogId, HangUp, Happened, Incoming, Outgoing, Referred, Source,
    Why,
};
pub use error::{CallError, StartError};
pub use sdp::SessionDescription;
pub use settings::{
    Account, Caps, Config, Credentials, Listen, Register, Settings, Target, TlsFiles, Transport, Trunk,
};
pub use sip::{Counts, Sip};

/// The filter that keeps what the stack logs out of ours: its messages name callers.
pub const LOG_DIRECTIVE: &str = "rsipstack=off";
