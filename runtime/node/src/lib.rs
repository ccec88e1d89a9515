//! Where things wait: contacts, timers, plugin calls, releases, the watched folder, and the
//! HTTP server.
//!
//! The engine decides, this crate acts on it. A [`Node`] runs one hotline: it builds the
//! folder into a release, takes contacts up again that were under way, hears callers, asks
//! plugins, keeps time, and takes new releases without dropping anybody.
//!
//! ```text
//! Node::start(Settings { hotline, store, watch, listen, clock, cache }) -> Result<Node, StartError>
//! node.address() -> Option<SocketAddr>             where the HTTP API listens, if it does
//! node.arrive(Call { channel, number, .. }).await  -> Result<Arrived { contact, release, .. }, ArriveError>
//! node.deliver(&contact, Input).await              -> Result<Delivered { seq, reply }, DeliverError>
//! node.turns(&contact, after).await                -> Result<impl Stream<Item = Turn>, FindError>
//! node.turns_after(&contact, after, wait).await    -> Result<Vec<Turn>, FindError>
//! node.contact(&contact).await                     -> Result<contacts::Summary, FindError>
//! node.reports() -> watch::Receiver<..>            what became of each build, as text for people
//! node.releases() / node.current()                 the releases, and the one new contacts get
//! node.clock().advance(duration)                   moves time (a rehearsal's, never a server's)
//! node.shutdown().await                            stops taking anything in, finishes what is begun
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
mod key;
mod key_values;
pub mod limits;
mod mask;
mod node;
mod observe;
pub mod release;
pub mod releases;
pub mod report;
mod server;
mod shelf;
#[cfg(test)]
mod testing;
mod timers;
mod watch;

pub use bundle::{ReadError, read_folder};
pub use clock::Clock;
pub use contacts::{
    ArriveError, Arrived, Call, Contacts, DeliverError, Delivered, FindError, Recovery, Summary,
};
pub use key::{Key, Token, WeakKey};
pub use mask::mask;
pub use node::{Listen, Node, Settings, StartError};
pub use release::{Release, Stage};
pub use releases::{Overview, Releases};
pub use report::{Cause, Report, Verdict};
