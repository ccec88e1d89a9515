//! What can go wrong with a contact.

use std::sync::Arc;

use trunkline_journal::Error as JournalError;
use trunkline_model::{ContactId, Digest};

/// A contact that cannot be looked at.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FindError {
    /// There is no such contact.
    #[error("there is no contact {0}")]
    NoSuchContact(ContactId),
    /// Its journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// An input that was not delivered.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DeliverError {
    /// The contact cannot be looked at.
    #[error(transparent)]
    Find(#[from] FindError),
    /// The contact's release is not there to go on with.
    #[error("contact {contact} cannot go on: its release {} cannot be rebuilt: {why}", release.short())]
    Stranded {
        /// The contact.
        contact: ContactId,
        /// The release it is on.
        release: Digest,
        /// Why it cannot be rebuilt.
        why: Arc<str>,
    },
    /// The node is stopping.
    #[error("the node is stopping; send it again, with the same id, when it is back")]
    Stopping,
    /// The contact's journal cannot be written.
    #[error(transparent)]
    Journal(JournalError),
}

/// A contact that did not begin.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ArriveError {
    /// The hotline has no such number.
    #[error("the hotline has no number {number:?}; it has {}", numbers.join(", "))]
    NoSuchNumber {
        /// The number that was called.
        number: String,
        /// The numbers there are, at most ten of them.
        numbers: Vec<String>,
    },
    /// A caller's number that is none.
    #[error("{0:?} is no phone number; write it in E.164, such as +8613800138000")]
    BadCaller(String),
    /// A language tag that is none.
    #[error("{0:?} is no language tag; write it like zh-CN or en")]
    BadLanguage(String),
    /// The id of the request is too easily guessed, or too long.
    #[error(
        "the id of a request for a contact has {min} to {max} characters drawn at random, such as a UUID; \
         this one has {length}"
    )]
    BadId {
        /// How many it has.
        length: usize,
        /// How many it must have.
        min: usize,
        /// How many it may have.
        max: usize,
    },
    /// The same id came before with another request.
    #[error("the id was used before for another request; draw a new one for a new contact")]
    IdReused,
    /// More contacts are under way than a node takes.
    #[error("{0} contacts are under way, and the node takes no more; try again later")]
    TooMany(usize),
    /// The node is stopping.
    #[error("the node is stopping; try again when it is back")]
    Stopping,
    /// The node is about to be restarted, and takes no new contacts.
    #[error("the node takes no new contacts, since it is about to be restarted; try again when it is back")]
    Draining,
    /// No release is there to begin on.
    #[error("no release is live")]
    NoRelease,
    /// The contact's journal cannot be written.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl From<FindError> for ArriveError {
    fn from(error: FindError) -> Self {
        match error {
            FindError::Journal(error) => Self::Journal(error),
            // A contact that was to be there and is not: its record was not kept whole.
            FindError::NoSuchContact(contact) => Self::Journal(JournalError::Corrupt {
                place: format!("contact {contact}").into(),
                what: "its record is there and its journal is not".into(),
            }),
        }
    }
}

impl From<DeliverError> for ArriveError {
    fn from(error: DeliverError) -> Self {
        match error {
            DeliverError::Find(error) => error.into(),
            DeliverError::Journal(error) => Self::Journal(error),
            DeliverError::Stranded { .. } => Self::NoRelease,
            DeliverError::Stopping => Self::Stopping,
        }
    }
}

/// Whether an error of the journal may be gone at the next attempt.
pub(crate) const fn may_pass(error: &JournalError) -> bool {
    matches!(
        error,
        JournalError::Conflict { .. } | JournalError::Unknown { .. } | JournalError::Unavailable { .. }
    )
}
