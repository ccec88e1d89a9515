//! How a service behaves on purpose, and what it was asked.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Idempotency keys that are counted one by one; further new ones count as requests only.
const KEYS_COUNTED_MAX: usize = 100_000;

/// How a service treats the requests to come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conduct {
    /// Time that passes before anything else happens.
    pub latency: Duration,
    /// What happens then, instead of an answer.
    pub failure: Option<Failure>,
}

/// A way to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Answers this status, such as 500, with a problem in JSON.
    Status(u16),
    /// Closes the connection without a word.
    HangUp,
    /// Answers 200 with something that is no JSON.
    Garbled,
}

/// The conduct of one service and its count of requests.
#[derive(Debug, Default)]
pub(crate) struct Record {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    conduct: Conduct,
    requests: u64,
    by_key: BTreeMap<String, u64>,
}

impl Record {
    /// Counts a request, and says how to treat it.
    pub(crate) fn arrives(&self, idempotency_key: Option<&str>) -> Conduct {
        let mut state = self.state();
        state.requests += 1;
        if let Some(key) = idempotency_key {
            if let Some(count) = state.by_key.get_mut(key) {
                *count += 1;
            } else if state.by_key.len() < KEYS_COUNTED_MAX {
                state.by_key.insert(key.to_owned(), 1);
            }
        }
        state.conduct
    }

    pub(crate) fn behave(&self, conduct: Conduct) {
        self.state().conduct = conduct;
    }

    pub(crate) fn requests(&self) -> u64 {
        self.state().requests
    }

    pub(crate) fn by_key(&self) -> BTreeMap<String, u64> {
        self.state().by_key.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change is a whole one: a panic elsewhere leaves nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
