//! What a decision may read of queues: given with the input, as time is, and recorded when a
//! flow used it.

use std::{collections::BTreeMap, sync::Arc};

use trunkline_model::Duration;

/// What the flow may read of queues at a time. Empty, every queue is as its calendar says, with
/// nobody in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readings {
    /// Queues by name.
    pub queues: BTreeMap<Arc<str>, QueueReading>,
    /// The contact's own place in the queue it waits in, if it does.
    pub place: Option<Place>,
}

/// A queue at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueReading {
    /// Whether it takes callers.
    pub open: bool,
    /// How many wait.
    pub waiting: u32,
    /// How long the next caller is likely to wait.
    pub wait: Duration,
    /// How many agents are there who could serve it, whatever they do now.
    pub agents: u32,
}

/// A caller's place in a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The place, counted from 1.
    pub position: u32,
    /// The estimated wait.
    pub wait: Duration,
}
