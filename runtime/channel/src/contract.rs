//! What a channel can carry, and what every channel owes a contact.
//!
//! A flow means the same on every channel that can carry it. A channel brings three things
//! across and nothing else: inputs to the contact, turns to the caller, in order, and the news
//! that the caller left. What a channel owes:
//!
//! - Every input has an id that stays the same when it is sent again.
//! - Turns are shown in the order of their numbers, each once, whatever connection drops.
//! - A channel decides nothing: which keys count, how long the caller is heard and what
//!   silence means stand in the turns and in the flow.
//! - A channel that plays prompts tells when the caller has heard them (`Input::Played`), and
//!   stops playing when the caller gives something, but for a legal notice.
//!
//! What a kind of channel can carry is declared in one struct, [`Carries`], which collection
//! follows: `docs/reference/collection.md`.

pub use trunkline_engine::{
    Carries,
    collect::{Keys, Prompts},
};
