//! Writes that wait, and the batch of them that one commit will write.
//!
//! A batch changes a row at most once, so that its changes have no order. A request about a
//! row that the batch changes already is set aside for the next, and with it whatever comes
//! after it about the same stream or the same space, so that each keeps its order.

use std::collections::{HashMap, HashSet};

use tokio::sync::oneshot;
use trunkline_model::{ContactId, Timestamp};

use crate::{
    Error, Expect, Standing, Version,
    limits::{COMMIT_BYTES_MAX, COMMIT_REQUESTS_MAX},
    rows::{Change, Table},
};

/// Where an answer goes. What a write gives is a number: a version, how many were removed, or
/// whether something was there.
pub(crate) type Reply = oneshot::Sender<Result<u64, Error>>;

/// A write that somebody waits for.
pub(crate) struct Request {
    pub(crate) work: Work,
    pub(crate) reply: Reply,
}

/// What is to be written.
pub(crate) enum Work {
    /// See [`Events::append`](crate::Events::append).
    Append {
        stream: ContactId,
        expected: Version,
        frames: Vec<Vec<u8>>,
        standing: Standing,
        key: Option<Vec<u8>>,
    },
    /// See [`Events::erase_key`](crate::Events::erase_key).
    EraseKey { stream: ContactId },
    /// See [`Events::delete_stream`](crate::Events::delete_stream).
    DeleteStream { stream: ContactId },
    /// See [`KeyValues::put`](crate::KeyValues::put).
    Put {
        space: String,
        key: String,
        value: Vec<u8>,
        expect: Expect,
        expires: Option<Timestamp>,
        at: Timestamp,
    },
    /// See [`KeyValues::remove`](crate::KeyValues::remove).
    Remove {
        space: String,
        key: String,
        expect: Expect,
        at: Timestamp,
    },
    /// See [`KeyValues::sweep`](crate::KeyValues::sweep).
    Sweep {
        space: String,
        at: Timestamp,
        limit: usize,
    },
}

/// What requests keep their order about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    Stream(ContactId),
    Space(String),
}

impl Work {
    pub(crate) fn subject(&self) -> Subject {
        match self {
            Self::Append { stream, .. } | Self::EraseKey { stream } | Self::DeleteStream { stream } => {
                Subject::Stream(stream.clone())
            }
            Self::Put { space, .. } | Self::Remove { space, .. } | Self::Sweep { space, .. } => {
                Subject::Space(space.clone())
            }
        }
    }
}

impl Request {
    /// Answers that it was not carried out.
    pub(crate) fn refuse(self, error: Error) {
        // Whoever asked may have gone; then nobody needs the answer.
        drop(self.reply.send(Err(error)));
    }
}

/// What one commit will write.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) changes: Vec<Change>,
    answers: Vec<(Reply, u64)>,
    /// Rows of streams and entries that are changed already. Rows of events need no watching:
    /// the fence gives each its own.
    touched: HashSet<(Table, Vec<u8>)>,
    /// What the batch changes anything of; true where no further request about it may enter.
    subjects: HashMap<Subject, bool>,
    bytes: usize,
}

impl Batch {
    /// Takes a request in, with what it is to be answered.
    pub(crate) fn admit(&mut self, request: Request, answer: u64) {
        self.answers.push((request.reply, answer));
    }

    /// Notes that the batch changes something of a stream or a space.
    pub(crate) fn concern(&mut self, subject: Subject) {
        self.subjects.entry(subject).or_insert(false);
    }

    pub(crate) fn concerns(&self, subject: &Subject) -> bool {
        self.subjects.contains_key(subject)
    }

    /// Lets no further request about a stream or a space in.
    pub(crate) fn close_to(&mut self, subject: Subject) {
        self.subjects.insert(subject, true);
    }

    pub(crate) fn is_closed_to(&self, subject: &Subject) -> bool {
        self.subjects.get(subject).copied().unwrap_or(false)
    }

    pub(crate) fn is_full(&self) -> bool {
        self.bytes >= COMMIT_BYTES_MAX || self.answers.len() >= COMMIT_REQUESTS_MAX
    }

    /// Requests in the batch.
    pub(crate) fn len(&self) -> usize {
        self.answers.len()
    }

    /// Answers every request: with what it was staged to, or with an error.
    pub(crate) fn answer(self, outcome: &Result<(), Error>) {
        for (reply, number) in self.answers {
            drop(reply.send(outcome.clone().map(|()| number)));
        }
    }

    pub(crate) fn put(&mut self, table: Table, key: Vec<u8>, value: Vec<u8>) {
        self.bytes += key.len() + value.len();
        self.changes.push(Change {
            table,
            key,
            value: Some(value),
        });
    }

    pub(crate) fn remove(&mut self, table: Table, key: Vec<u8>) {
        self.bytes += key.len();
        self.changes.push(Change {
            table,
            key,
            value: None,
        });
    }

    /// Lets no later request of this batch change a row.
    pub(crate) fn touch(&mut self, table: Table, key: Vec<u8>) {
        self.touched.insert((table, key));
    }

    pub(crate) fn touches(&self, table: Table, key: &[u8]) -> bool {
        // A set of pairs cannot be asked with a borrowed key.
        !self.touched.is_empty() && self.touched.contains(&(table, key.to_vec()))
    }
}
