//! Where things wait: contacts, timers, plugin calls, releases, the watched folder, and the
//! HTTP server.
//!
//! The engine decides, this crate acts on it. A [`Node`] runs one hotline: it builds the
//! folder into a release, takes contacts up again that were under way, hears callers, asks
//! plugins, keeps time, and takes new releases without dropping anybody.
//!
//! ```text
//! Node::start(Settings { hotline, store, watch, listen, clock, .. }) -> a node that is ready
//! node.arrive(Call { number, .. })       -> Arrived { contact, token, release }, durable
//! node.deliver(&contact, Input)          -> Delivered { seq, reply }, durable
//! node.turns(&contact, after, until)     -> what the caller hears, when there is something
//! node.releases().subscribe()            -> a Report of each build to come
//! node.clock().advance(duration)         moves time: a rehearsal's, never a server's
//! node.failure()                         resolves when the journal takes no more writes
//! node.shutdown()                        takes nothing more in, finishes what is begun
//! ```
//!
//! Invariants:
//! - Nothing leaves the process before the events that decided it are durable.
//! - A contact is decided by one task at a time, under its own lock, and a caller who goes
//!   away in the middle of a request stops nothing half-way.
//! - Work is computed from state: a call or a timer is dispatched because the session says
//!   that it is pending, never because somebody remembered to.
//! - [`clock`] alone reads the clock.

mod build;
mod bundle;
pub mod clock;
pub mod contacts;
mod feeds;
mod key;
mod key_values;
pub mod limits;
mod lines;
mod mask;
mod node;
mod observe;
pub mod packages;
pub mod release;
pub mod releases;
pub mod report;
mod secrets;
mod server;
mod shelf;
mod signature;
pub mod success;
#[cfg(test)]
mod testing;
mod timers;
mod watch;
mod webhook;

pub use bundle::{ReadError, read_folder};
pub use clock::Clock;
pub use contacts::{
    ArriveError, Arrived, Call, Contacts, Deed, DeliverError, Delivered, Drain, FindError, Followed,
    Recovery, Summary, is_e164,
};
pub use key::{Key, Token, WeakKey};
pub use lines::{Guest, LineError, LineView, Lines, Part, Party};
pub use mask::mask;
pub use node::{Listen, Node, Settings, StartError};
pub use release::{LoadedPlugin, Release, Stage};
pub use releases::{Overview, Releases};
pub use report::{Cause, Report, Verdict};
pub use secrets::{SECRET_VARIABLE, SecretsError, ServerSecrets};
pub use success::Success;
pub use trunkline_package::admission::Shelves;
pub use webhook::{BadWebhook, WebhookTarget};
