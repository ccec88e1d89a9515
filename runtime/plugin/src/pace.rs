//! How long a function's calls take, as far as it decides where the next one begins.

use std::{
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    time::Duration,
};

use crate::limits::{INLINE_AMONG_OTHERS_MICROS_MAX, INLINE_PENALTY_CALLS, INLINE_RUN_MICROS_MAX};

/// Whether a function's calls begin on their caller's thread.
///
/// A call that took long there may have, or its thread was interrupted: the clock does not tell.
/// So once is forgiven, and after a second time in a row one call goes to the guests' threads,
/// where processor time is measured, and that decides. Were it left to the clock, one neighbour
/// who keeps the processor busy would send many short calls to where they wait for turns.
pub(crate) struct Pace {
    /// Calls that go to the guests' threads yet. The first one does: nothing is known of it.
    elsewhere: AtomicU32,
    /// Whether calls take longer than others should wait for them.
    lasting: AtomicBool,
    /// Whether the last call that began here took long by the clock.
    long: Suspicion,
    /// Whether it lasted, by the clock.
    lasted: Suspicion,
}

/// What is so once it was seen twice in a row.
#[derive(Default)]
struct Suspicion(AtomicBool);

impl Suspicion {
    /// Whether it was seen now and the time before. Most calls are like the one before, and write nothing.
    fn confirmed(&self, seen: bool) -> bool {
        if seen == self.0.load(Ordering::Relaxed) {
            return seen;
        }
        self.0.store(seen, Ordering::Relaxed);
        false
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            elsewhere: AtomicU32::new(1),
            lasting: AtomicBool::new(false),
            long: Suspicion::default(),
            lasted: Suspicion::default(),
        }
    }
}

impl Pace {
    pub(crate) fn begins_here(&self) -> bool {
        self.elsewhere
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |calls| calls.checked_sub(1))
            .is_err()
    }

    /// Whether calls take longer than those of other departments should wait for them.
    pub(crate) fn is_lasting(&self) -> bool {
        self.lasting.load(Ordering::Relaxed)
    }

    /// A call began here and took so long by the clock, or had to move.
    pub(crate) fn took_here(&self, clock: Duration, moved: bool) {
        let micros = clock.as_micros();
        if self
            .long
            .confirmed(moved || micros > INLINE_RUN_MICROS_MAX.into())
        {
            self.elsewhere.store(1, Ordering::Relaxed);
        }
        if self
            .lasted
            .confirmed(micros > INLINE_AMONG_OTHERS_MICROS_MAX.into())
        {
            self.lasting.store(true, Ordering::Relaxed);
        }
    }

    /// A call that ran on the guests' threads alone took so much of the processor.
    pub(crate) fn took_elsewhere(&self, processor: Duration) {
        let micros = processor.as_micros();
        self.lasting
            .store(micros > INLINE_AMONG_OTHERS_MICROS_MAX.into(), Ordering::Relaxed);
        if micros > INLINE_RUN_MICROS_MAX.into() {
            self.elsewhere.store(INLINE_PENALTY_CALLS, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_micros(30);
    const LASTING: Duration = Duration::from_micros(INLINE_AMONG_OTHERS_MICROS_MAX + 1);
    const LONG: Duration = Duration::from_micros(INLINE_RUN_MICROS_MAX + 1);

    /// The pace of a function whose first call was short.
    fn short() -> Pace {
        let pace = Pace::default();
        assert!(!pace.begins_here(), "nothing is known of the first");
        pace.took_elsewhere(SHORT);
        pace
    }

    #[test]
    fn once_is_forgiven_and_then_the_processor_decides() {
        let pace = short();
        pace.took_here(LONG, false);
        assert!(pace.begins_here());
        pace.took_here(LONG, false);
        assert!(!pace.begins_here());
        // It was interrupted, and short by the processor.
        pace.took_elsewhere(SHORT);
        assert!(pace.begins_here());
        pace.took_elsewhere(LONG);
        assert_eq!(
            (0..INLINE_PENALTY_CALLS).filter(|_| pace.begins_here()).count(),
            0
        );
        assert!(pace.begins_here());
    }

    #[test]
    fn what_lasts_is_known_as_such_until_the_processor_says_otherwise() {
        let pace = short();
        pace.took_here(LASTING, false);
        pace.took_here(SHORT, false);
        pace.took_here(LASTING, false);
        assert!(!pace.is_lasting(), "never twice in a row");
        pace.took_here(LASTING, false);
        assert!(pace.is_lasting() && pace.begins_here());
        pace.took_elsewhere(SHORT);
        assert!(!pace.is_lasting());
    }
}
