//! A breaker: an engine that failed several times in a row is not asked for a while, so that
//! callers hear at once what they hear instead, rather than silence before it.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use crate::limits::{FAILURES_MAX, REST};

#[derive(Debug, Default)]
pub(crate) struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    rests_until: Option<Instant>,
}

impl Breaker {
    /// Whether the engine may be asked. After its rest one asks, and the others wait for what
    /// comes of it: the rest is prolonged until then.
    pub(crate) fn admits(&self) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match state.rests_until {
            None => true,
            Some(until) if Instant::now() < until => false,
            Some(_) => {
                state.rests_until = Some(Instant::now() + REST);
                true
            }
        }
    }

    pub(crate) fn answered(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = State::default();
    }

    /// Whether this failure sent it to rest.
    pub(crate) fn failed(&self) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.failures = state.failures.saturating_add(1);
        if state.failures < FAILURES_MAX {
            return false;
        }
        state.rests_until = Some(Instant::now() + REST);
        state.failures == FAILURES_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_engine_rests_and_one_tries_it_again() {
        let breaker = Breaker::default();
        for failure in 1..=FAILURES_MAX {
            assert!(breaker.admits());
            assert_eq!(breaker.failed(), failure == FAILURES_MAX);
        }
        assert!(!breaker.admits());
        tokio::time::advance(REST).await;
        assert!(breaker.admits());
        assert!(!breaker.admits(), "only one tries");
        assert!(!breaker.failed());
        assert!(!breaker.admits());
        tokio::time::advance(REST).await;
        assert!(breaker.admits());
        breaker.answered();
        assert!(breaker.admits() && breaker.admits());
    }
}
