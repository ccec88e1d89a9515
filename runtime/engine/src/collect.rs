//! The one meaning of collection: what completes an answer, what keys and words are
//! understood as, what is kept for later. `docs/reference/collection.md` is its text, and the
//! table beside it its test.
//!
//! - [`carries`]: what differs by kind of channel, in one struct.
//! - [`keys`]: which keys belong to an answer, and when it is complete.
//! - [`ahead`]: keys pressed before the question.
//! - [`answers`]: what words mean, a file for each kind of answer.

mod ahead;
mod answers;
mod carries;
mod keys;
mod wanted;

pub(crate) use ahead::{drop_ahead, keep_ahead, take_ahead};
pub(crate) use answers::{Today, understand_text};
pub use carries::{Carries, Keys, Prompts};
pub(crate) use keys::{Collected, collect, is_key, keypad_order, understand_keys};
pub(crate) use trunkline_flow::keypad::of_answer as answer_keys;
pub use wanted::{Wanted, wanted};
