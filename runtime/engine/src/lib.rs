//! A contact as a fold over its events.
//!
//! ```text
//!            decide(hotline, session, input, at, readings) -> events + the session after them
//! journal -> apply(session, event)               -> session
//!            pending(session)                    -> what the contact waits for
//! ```
//!
//! The engine is pure: time, and what a flow may read of queues, come in with each input; plugins
//! are called and [`services`] asked by whoever reads [`pending`](session::Session::pending); and all
//! that it decides stands in events. Folding the events of a contact gives its session again, without
//! running a plugin, asking a service or evaluating a flow.
//!
//! Invariants:
//! - State changes only by [`Session::apply`](session::Session::apply), and deciding applies what it emits.
//! - Every input gets a [`Reply`](input::Reply); a duplicate gets the reply it got before.
//! - A contact ends only by `Ended`, and a contact that has not ended waits for something with a deadline.

pub mod collect;
mod course;
mod decide;
pub mod event;
pub mod input;
mod readings;
mod scope;
pub mod secrets;
pub mod service;
pub mod services;
pub mod session;
mod state;
mod steps;
pub mod turn;

pub use collect::Carries;
pub use decide::{Decision, NoSuchNumber, NothingStarts, arrive, arrive_at, decide, give_up, start};
pub use event::{Event, Fact, Personal};
pub use input::{Arrival, Channel, Input, Reply, Start, Utterance};
pub use readings::{Place, QueueReading, Readings};
pub use services::Services;
pub use session::Session;
