//! How much of their callers' threads departments' calls may take: a call begins there because
//! that is fastest, but those threads are the node's own and everybody's. While several departments
//! call, each has a share of them; what is over it goes to the guests' threads, where departments take
//! turns. A department that is alone has them to itself.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use tokio::time::{Duration, Instant};

use crate::limits::{INLINE_AHEAD, INLINE_SHARE_PERCENT, OTHERS_WITHIN};

/// The shares of all departments.
pub(crate) struct Beginnings {
    start: Instant,
    /// Processors' time in a microsecond that one department may take, in hundredths.
    hundredths: u64,
    departments: Mutex<Vec<(String, Arc<Share>)>>,
    /// Who called last, and when somebody else had called before.
    last: AtomicUsize,
    alternated_us: AtomicU64,
}

/// Who else calls while a call begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Among {
    /// No other department.
    Itself,
    /// Other departments.
    Others,
}

/// One department's share.
pub(crate) struct Share {
    number: usize,
    /// Until when what it took is paid for, in microseconds since the start.
    paid_us: AtomicU64,
}

impl Beginnings {
    pub(crate) fn new(threads: usize) -> Self {
        Self {
            start: Instant::now(),
            hundredths: (threads as u64 * INLINE_SHARE_PERCENT).max(1),
            departments: Mutex::default(),
            last: AtomicUsize::new(usize::MAX),
            alternated_us: AtomicU64::new(0),
        }
    }

    /// A department's share, the same for all its plugins.
    pub(crate) fn share(&self, department: &str) -> Arc<Share> {
        let mut departments = self.departments.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, share)) = departments.iter().find(|(name, _)| name == department) {
            return share.clone();
        }
        let share = Arc::new(Share {
            number: departments.len(),
            paid_us: AtomicU64::new(0),
        });
        departments.push((department.to_owned(), share.clone()));
        share
    }

    /// Whether a call may begin on its caller's thread, and whether others call: one that lasts may only
    /// while no other department does.
    pub(crate) fn may(&self, share: &Share, now: Instant, lasting: bool) -> Option<Among> {
        let now = self.micros(now);
        // Written only when it changes: departments that are alone share nothing.
        if self.last.load(Ordering::Relaxed) != share.number {
            let before = self.last.swap(share.number, Ordering::Relaxed);
            if before != usize::MAX {
                self.alternated_us.store(now, Ordering::Relaxed);
            }
        }
        let alternated = self.alternated_us.load(Ordering::Relaxed);
        let alone = alternated == 0 || now.saturating_sub(alternated) > micros(OTHERS_WITHIN);
        if alone {
            return Some(Among::Itself);
        }
        let owing = share.paid_us.load(Ordering::Relaxed) > now + micros(INLINE_AHEAD);
        (!lasting && !owing).then_some(Among::Others)
    }

    /// A call that began there has taken so long. What was taken while a department was alone is
    /// forgotten as soon as it would be alone again.
    pub(crate) fn took(&self, share: &Share, now: Instant, took: Duration) {
        let now = self.micros(now);
        let costs = micros(took).saturating_mul(100) / self.hundredths;
        let most = now.saturating_add(micros(OTHERS_WITHIN));
        let pay = |paid: u64| Some(paid.max(now).saturating_add(costs).min(most));
        // Never refused: the closure always gives a value.
        let _ = share
            .paid_us
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, pay);
    }

    fn micros(&self, at: Instant) -> u64 {
        micros(at.saturating_duration_since(self.start))
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_department_that_is_alone_has_all_and_one_among_others_its_share() {
        let beginnings = Beginnings::new(2);
        let (loud, quiet) = (beginnings.share("loud"), beginnings.share("quiet"));
        assert!(Arc::ptr_eq(&loud, &beginnings.share("loud")));
        let ms = Duration::from_millis;
        let start = beginnings.start + ms(1);
        for _ in 0..100 {
            assert!(beginnings.may(&loud, start, false).is_some());
            beginnings.took(&loud, start, ms(10));
        }
        // Somebody else comes: what was taken is over the share by far.
        assert!(beginnings.may(&quiet, start, false).is_some());
        assert_eq!(beginnings.may(&loud, start, false), None);
        assert!(
            beginnings.may(&quiet, start + ms(50), false).is_some(),
            "the quiet one has its own"
        );
        // It has its share again, however long it was alone.
        let later = start + OTHERS_WITHIN;
        assert!(beginnings.may(&quiet, later, false).is_some());
        assert_eq!(beginnings.may(&loud, later, false), Some(Among::Others));
        assert!(beginnings.may(&quiet, later, false).is_some());
        // What lasts is what others would wait for, while there are some.
        let alone = later + OTHERS_WITHIN + ms(1);
        assert_eq!(beginnings.may(&quiet, alone - ms(2), true), None);
        assert_eq!(beginnings.may(&quiet, alone, true), Some(Among::Itself));
    }
}
