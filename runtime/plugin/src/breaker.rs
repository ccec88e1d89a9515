//! A breaker: after many faults in a row a plugin is not called for a while, so that contacts
//! take their way around it at once instead of waiting for it each.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU32, Ordering},
};

use tokio::time::Instant;
use trunkline_model::{Duration, FaultKind, Outcome};

/// Whether calls go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// Calls go through.
    Closed,
    /// The pause is over, and one call is let through to see.
    Probing,
    /// Calls fault at once.
    Open,
}

impl BreakerState {
    /// Its name in JSON and in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Probing => "probing",
            Self::Open => "open",
        }
    }
}

/// The breaker of one version of one plugin.
#[derive(Debug)]
pub(crate) struct Breaker {
    faults_max: u32,
    pause: Duration,
    faults: AtomicU32,
    opened: Mutex<Option<Opened>>,
}

#[derive(Debug)]
struct Opened {
    until: Instant,
    probing: bool,
}

/// A call that the breaker let through. It reports what came of it.
pub(crate) struct Admitted<'a> {
    breaker: &'a Breaker,
    probe: bool,
}

impl Breaker {
    pub(crate) const fn new(faults_max: u32, pause: Duration) -> Self {
        Self {
            faults_max,
            pause,
            faults: AtomicU32::new(0),
            opened: Mutex::new(None),
        }
    }

    /// Lets a call through, or not.
    pub(crate) fn admit(&self) -> Option<Admitted<'_>> {
        let admitted = |probe| Some(Admitted { breaker: self, probe });
        if self.faults.load(Ordering::Relaxed) < self.faults_max {
            return admitted(false);
        }
        let mut opened = self.lock();
        match &mut *opened {
            None => admitted(false),
            Some(opened) if opened.probing || Instant::now() < opened.until => None,
            Some(opened) => {
                opened.probing = true;
                admitted(true)
            }
        }
    }

    /// Whether calls go through.
    pub(crate) fn state(&self) -> BreakerState {
        match &*self.lock() {
            None => BreakerState::Closed,
            Some(Opened { probing: true, .. }) => BreakerState::Probing,
            Some(_) => BreakerState::Open,
        }
    }

    /// Gives the state that this brought about, if it did.
    fn answered(&self) -> Option<BreakerState> {
        // Most answers come after an answer, and share nothing.
        if self.faults.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let mut opened = self.lock();
        self.faults.store(0, Ordering::Relaxed);
        opened.take().map(|_| BreakerState::Closed)
    }

    /// Gives the state that this brought about, if it did.
    fn faulted(&self) -> Option<BreakerState> {
        let mut opened = self.lock();
        let faults = self.faults.load(Ordering::Relaxed).saturating_add(1);
        self.faults.store(faults, Ordering::Relaxed);
        // Calls that were under way when it opened fault after it and change nothing.
        if faults < self.faults_max || opened.as_ref().is_some_and(|opened| !opened.probing) {
            return None;
        }
        *opened = Some(Opened {
            until: Instant::now() + self.pause.to_std(),
            probing: false,
        });
        Some(BreakerState::Open)
    }

    /// Faults and the state they lead to are changed together.
    fn lock(&self) -> MutexGuard<'_, Option<Opened>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Admitted<'_> {
    /// Whether the call is let through to see.
    pub(crate) const fn is_probe(&self) -> bool {
        self.probe
    }

    /// Counts what came of the call. Answers and refusals close the breaker; a fault counts
    /// when it tells of the plugin, not of the host's being busy. Gives the breaker's new state
    /// if it has one.
    pub(crate) fn finish(mut self, outcome: &Outcome) -> Option<BreakerState> {
        match outcome {
            Outcome::Ok(_) | Outcome::Refusal(_) => {
                self.probe = false;
                self.breaker.answered()
            }
            Outcome::Fault(fault) => match fault.kind {
                FaultKind::Trap
                | FaultKind::TimedOut
                | FaultKind::OutOfMemory
                | FaultKind::TooLarge
                | FaultKind::Denied
                | FaultKind::Host => {
                    self.probe = false;
                    self.breaker.faulted()
                }
                FaultKind::Interrupted | FaultKind::Overloaded | FaultKind::Open => None,
            },
        }
    }
}

impl Drop for Admitted<'_> {
    /// A probe that told nothing lets the next one through.
    fn drop(&mut self) {
        if self.probe
            && let Some(opened) = &mut *self.breaker.lock()
        {
            opened.probing = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use trunkline_model::Value;

    use super::*;

    const PAUSE: Duration = Duration::from_millis(50);

    #[tokio::test]
    async fn opens_after_faults_in_a_row_and_closes_after_a_good_probe() {
        let breaker = Breaker::new(3, PAUSE);
        let good = Outcome::Ok(Value::None);
        let bad = Outcome::fault(FaultKind::Trap, "trapped");
        let busy = Outcome::fault(FaultKind::Overloaded, "busy");
        for outcome in [&bad, &bad, &good, &bad, &bad, &busy] {
            assert_eq!(breaker.admit().unwrap().finish(outcome), None);
        }
        assert_eq!(breaker.state(), BreakerState::Closed);
        let late = breaker.admit().unwrap();
        let opens = breaker.admit().unwrap().finish(&bad);
        assert_eq!(opens, Some(BreakerState::Open));
        assert_eq!(breaker.state(), BreakerState::Open);
        assert!(breaker.admit().is_none());

        tokio::time::sleep(PAUSE.to_std()).await;
        assert_eq!(
            late.finish(&bad),
            None,
            "it is open already, and no longer for it"
        );
        let probe = breaker.admit().unwrap();
        assert!(breaker.admit().is_none(), "one probe at a time");
        assert!(probe.is_probe());
        assert_eq!(probe.finish(&bad), Some(BreakerState::Open));
        assert!(breaker.admit().is_none(), "open again");

        tokio::time::sleep(PAUSE.to_std()).await;
        drop(breaker.admit().unwrap());
        let probe = breaker.admit().unwrap();
        assert_eq!(probe.finish(&good), Some(BreakerState::Closed));
        assert_eq!(breaker.state(), BreakerState::Closed);
        assert!(breaker.admit().is_some());
    }
}
