//! The caller's end of one contact, wherever the hotline runs.

use std::time::Duration;

use jiff::civil::DateTime;
use trunkline_channel::chat::Turn;

use super::typed::{Given, Rehearsal};
use crate::exit::Failure;

/// How long one question for turns waits for the first.
pub(crate) const LISTEN_FOR: Duration = Duration::from_secs(20);

/// Whom is called, by whom.
#[derive(Clone, Debug)]
pub(crate) struct Called {
    /// The number that is called; the only one of the hotline when none is given.
    pub(crate) number: Option<String>,
    /// The caller's number.
    pub(crate) from: Option<String>,
    /// The language that is asked for.
    pub(crate) language: Option<String>,
    /// When, by the hotline's clocks; now when it is not said.
    pub(crate) at: Option<DateTime>,
}

/// What became of what the caller gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// It was taken, durably.
    Taken,
    /// It is not valid now: why.
    Refused(String),
    /// The contact has ended.
    Ended,
}

/// What came of a rehearsal's command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rehearsed {
    /// What to tell.
    pub(crate) remarks: Vec<String>,
    /// Whether another contact began, whose turns are counted anew.
    pub(crate) anew: bool,
}

/// One contact, as its caller has it. Two things implement this: a hotline in this process, and
/// a server behind its public API.
pub(crate) trait Line {
    /// Gives the contact something. The same `id` again is the same input.
    ///
    /// # Errors
    /// The contact is lost: the server is gone for longer than is waited for.
    async fn give(&self, id: &str, given: &Given) -> Result<Reply, Failure>;

    /// The turns after a number, oldest first; waits up to [`LISTEN_FOR`] for the first.
    ///
    /// # Errors
    /// The contact is lost.
    async fn turns(&self, after: u64) -> Result<Vec<Turn>, Failure>;

    /// Does what only a rehearsal can: what to tell of it, or why it cannot be done.
    async fn rehearse(&self, rehearsal: &Rehearsal) -> Result<Rehearsed, String>;

    /// Whether there is something to be done after the contact has ended.
    fn goes_on(&self) -> bool;

    /// Ends everything that belongs to the line.
    async fn close(self);
}
