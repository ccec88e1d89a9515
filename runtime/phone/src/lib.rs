//! Contacts by phone: what a call is to a node, and what a node's contacts are to a caller.
//!
//! ```text
//! INVITE ──> Sip ──> a call's task ──> Node::arrive        a contact begins, durably, then 200
//! turns   <── Contacts::follow ──> voices, recordings ──> Stream::play
//! keys, words, hang-up ──> Node::deliver                   one after the other, each durable
//! what services wait for (an agent's phone, a transfer, a recording) is read from the session:
//! a leg is there because the session says so, and goes when it no longer does
//! ```
//!
//! A call's task decides nothing: which keys count, what silence means and who is called stand in
//! the flow. What it owes a contact is said by `trunkline_channel::contract`. No line that is
//! logged here holds a number, a name or a word of a caller.

mod arriving;
mod called;
mod caller;
mod config;
mod leg;
mod limits;
mod listening;
mod message;
mod observe;
mod pair;
mod phone;
mod presence;
mod prompts;
mod settings;
mod switchboard;

pub use self::{
    phone::{Phone, Secrets, StartError},
    settings::{ReadError, Settings},
};
pub use trunkline_sip::LOG_DIRECTIVE;
