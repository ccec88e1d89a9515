//! Contacts played on a virtual clock.
//!
//! ```text
//! Scenario --play(hotline, plugins)--> Played { passed or the first mismatch, transcript, events }
//! events   --Coverage::add----------> steps, ways, keys and prompts that were met
//! events   --kept-------------------> a Scenario that plays as the contact went
//! ```
//!
//! A [`Contact`] is one contact in hand: inputs go in, its clock is moved, its events are kept. A
//! [`Player`] leads one: it asks [`Plugins`] whenever the contact waits for a call, gives each
//! answer when it is due, and lets time pass from one deadline to the next. [`play`] leads one
//! by a scenario's script.
//!
//! Time has two owners. What the hotline itself takes (calls, `wait` steps) passes by itself
//! whenever the script goes on; what the caller lets pass (silence, waiting in a queue) is
//! written in the script.
//!
//! This crate performs no I/O and reads no clock: the time is the scenario's.

mod contact;
pub mod coverage;
mod keep;
mod mocks;
mod offices;
mod play;
mod player;
pub mod sheet;
mod telephone;
mod told;

pub use contact::{CannotBegin, Contact};
pub use coverage::Coverage;
pub use keep::{Kept, keep};
pub use mocks::Mocks;
pub use offices::Offices;
pub use play::{Mismatch, Played, arrival, play};
pub use player::{AgentDeed, Answered, Player, Plugins};
pub use telephone::seconds_at;
pub use told::told;
pub use trunkline_flow::scenario::{self, Scenario};
