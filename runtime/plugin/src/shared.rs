//! What all versions of a plugin share under its name: how many calls at once, how much of the
//! log, and the counts. The settings are those of the
//! version that took over last; a version that is only loaded changes nothing for the others.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
};

use tokio::{
    sync::Semaphore,
    time::{Duration, Instant},
};
use trunkline_model::{Digest, PluginName};

use crate::{
    HostLimits,
    breaker::Breaker,
    grants::Limits,
    host_functions::LOG_TARGET,
    limits::HTTP_LOOKUPS_MAX,
    measures::Counts,
    slots::{Party, Slots},
    usage::Totals,
};

/// What versions of one plugin share.
pub(crate) struct Shared {
    /// Calls at once.
    pub(crate) concurrent: Arc<Slots>,
    /// The only party of `concurrent`.
    pub(crate) all: Party,
    pub(crate) log: LogRate,
    /// Operations on the key-value store.
    pub(crate) kv: Paced,
    pub(crate) counts: Counts,
    pub(crate) usage: Arc<Totals>,
    /// Requests over HTTP under way, and those that wait to be.
    pub(crate) requests: Arc<Slots>,
    /// The only party of `requests`.
    pub(crate) all_requests: Party,
    /// Lookups of names that have not ended.
    pub(crate) lookups: Arc<Semaphore>,
    /// Whether some version has given its limits.
    settled: AtomicBool,
    /// One for each version: a fault of the old one is no reason to refuse its mend.
    breakers: Mutex<HashMap<Digest, Weak<Breaker>>>,
}

impl Shared {
    pub(crate) fn new() -> Self {
        let concurrent = Slots::new(1, 100, 0);
        let all = concurrent.party("all");
        // Bounded by the calls under way: who waits for a request has one.
        let requests = Slots::new(1, 100, usize::MAX);
        let all_requests = requests.party("all");
        Self {
            concurrent,
            all,
            log: LogRate::default(),
            kv: Paced::default(),
            counts: Counts::default(),
            usage: Arc::default(),
            requests,
            all_requests,
            lookups: Arc::new(Semaphore::new(HTTP_LOOKUPS_MAX)),
            settled: AtomicBool::new(false),
            breakers: Mutex::default(),
        }
    }

    /// The breaker of a version, the same for all who loaded it.
    pub(crate) fn breaker(&self, digest: Digest, limits: &HostLimits) -> Arc<Breaker> {
        let mut breakers = self.breakers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = breakers.get(&digest).and_then(Weak::upgrade) {
            return known;
        }
        breakers.retain(|_, breaker| breaker.strong_count() > 0);
        let new = Arc::new(Breaker::new(limits.breaker_faults, limits.breaker_pause));
        breakers.insert(digest, Arc::downgrade(&new));
        new
    }

    /// Gives the limits of the first version that is loaded, before any has taken over.
    pub(crate) fn begin_with(&self, limits: &Limits) {
        if !self.settled.swap(true, Ordering::AcqRel) {
            self.set_limits(limits);
        }
    }

    /// Takes over the limits of a version.
    pub(crate) fn take_over(&self, limits: &Limits) {
        self.settled.store(true, Ordering::Release);
        self.set_limits(limits);
    }

    fn set_limits(&self, limits: &Limits) {
        self.concurrent
            .resize(limits.concurrent as usize, limits.waiting as usize);
        self.requests.resize(limits.http_connections as usize, usize::MAX);
        self.kv.per_s.store(limits.kv_operations_per_s, Ordering::Relaxed);
        self.log
            .lines_per_s
            .store(limits.log_lines_per_s, Ordering::Relaxed);
    }
}

/// Lines that a plugin may still log. What is over it is counted, and the count is logged when
/// the call that wrote them ends.
#[derive(Default)]
pub(crate) struct LogRate {
    lines_per_s: AtomicU32,
    window: Mutex<Option<Window>>,
    dropped: AtomicU64,
}

/// A second, from the first line in it.
struct Window {
    began: Instant,
    lines: u32,
}

const SECOND: Duration = Duration::from_secs(1);

impl LogRate {
    /// Whether one more line may pass.
    pub(crate) fn admit(&self) -> bool {
        let now = Instant::now();
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let window = match &mut *window {
            Some(window) if now.duration_since(window.began) < SECOND => window,
            over => over.insert(Window { began: now, lines: 0 }),
        };
        let passes = window.lines < self.lines_per_s.load(Ordering::Relaxed);
        if passes {
            window.lines += 1;
        } else {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        passes
    }

    /// Reports what was dropped since the last report, once, and gives the count. Called when
    /// a call ends.
    pub(crate) fn settle(&self, plugin: &PluginName) -> u64 {
        if self.dropped.load(Ordering::Relaxed) == 0 {
            return 0;
        }
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            tracing::warn!(
                target: LOG_TARGET,
                %plugin,
                dropped,
                "{dropped} lines of this plugin were dropped: it logs more than its limit of \
                 `log-lines-per-s` in grants.yaml"
            );
        }
        dropped
    }
}

/// What may happen so often a second, and is put off when it would come sooner. A second's may
/// come at once after a pause.
#[derive(Default)]
pub(crate) struct Paced {
    per_s: AtomicU32,
    /// When the next would be due if all came evenly.
    next: Mutex<Option<Instant>>,
}

/// What comes too often for another to happen within its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLate;

impl Paced {
    /// Waits until one more may happen. Whoever stops waiting has used its turn; whose turn would come at
    /// its deadline or later uses none, since of many that wait in vain none would ever come in time.
    ///
    /// # Errors
    /// The turn would come too late: that is told at once.
    pub(crate) async fn turn(&self, deadline: Instant) -> Result<(), TooLate> {
        if let Some(at) = self.due(Instant::now(), deadline)? {
            tokio::time::sleep_until(at).await;
        }
        Ok(())
    }

    /// When one more may happen; none for now.
    fn due(&self, now: Instant, deadline: Instant) -> Result<Option<Instant>, TooLate> {
        let step = SECOND / self.per_s.load(Ordering::Relaxed).max(1);
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        // However long nothing happened, no more than a second's is owed.
        let due = match *next {
            Some(next) if next + SECOND > now => next,
            _ => now.checked_sub(SECOND - step).unwrap_or(now),
        };
        if due > now && due >= deadline {
            return Err(TooLate);
        }
        *next = Some(due + step);
        Ok((due > now).then_some(due))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_flood_is_cut_counted_and_over_after_a_second() {
        let rate = LogRate::default();
        rate.lines_per_s.store(3, Ordering::Relaxed);
        let plugin = "noisy".into();
        let passed = (0..10).filter(|_| rate.admit()).count();
        assert_eq!(passed, 3);
        assert_eq!(rate.settle(&plugin), 7);
        assert_eq!(rate.settle(&plugin), 0, "reported once");
        tokio::time::sleep(SECOND).await;
        assert!(rate.admit());
    }

    #[tokio::test]
    async fn what_comes_too_often_is_put_off_evenly() {
        let paced = Paced::default();
        paced.per_s.store(10, Ordering::Relaxed);
        let now = Instant::now();
        let due = |now: Instant| paced.due(now, now + 60 * SECOND);
        let at_once = |most: usize, now| (0..most).filter(|_| due(now) == Ok(None)).count();
        assert_eq!(at_once(10, now), 10, "a second's at once");
        let tenth = SECOND / 10;
        assert_eq!(due(now), Ok(Some(now + tenth)));
        assert_eq!(due(now), Ok(Some(now + 2 * tenth)));
        // After a long pause a second's may come at once again, and no more.
        assert_eq!(at_once(20, now + 60 * SECOND), 10);
    }

    #[tokio::test]
    async fn who_would_wait_in_vain_takes_nobodys_turn() {
        let paced = Paced::default();
        paced.per_s.store(10, Ordering::Relaxed);
        let (mut now, tenth) = (Instant::now(), SECOND / 10);
        while paced.due(now, now + tenth) == Ok(None) {}
        // Ten times as many as may, each with half a second: those that are let in come in time.
        for _ in 0..600 {
            let asked = (0..10).map(|_| paced.due(now, now + SECOND / 2));
            let late = asked.filter(|due| *due == Err(TooLate)).count();
            assert!(late < 10, "one of them has its turn");
            now += tenth;
        }
        assert_eq!(
            paced.turn(Instant::now()).await,
            Err(TooLate),
            "without any waiting"
        );
    }
}
