//! The clock: the only place that reads one.
//!
//! Everything else is given a [`Timestamp`]. A server's clock is the system's; a rehearsal
//! may move it forward, and a test may hold it still.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use tokio::sync::Notify;
use trunkline_model::{Duration, Timestamp};

/// The longest that a sleeper relies on the system's clock to run on without a jump.
const TRUSTED_FOR: Duration = Duration::from_secs(30);

/// A clock. Clones show the same time.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Hands>);

#[derive(Debug)]
struct Hands {
    base: Base,
    /// How far it was moved forward, in milliseconds.
    moved_ms: AtomicU64,
    /// Wakes sleepers when it is moved.
    moved: Notify,
}

#[derive(Debug)]
enum Base {
    System,
    /// The system's, set to another time: milliseconds that it is ahead.
    Set(i64),
    Still(Timestamp),
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self::of(Base::System)
    }

    /// A clock that shows a time now, and runs on as the system's does.
    pub fn beginning_at(at: Timestamp) -> Self {
        Self::of(Base::Set(at.as_millis() - system_now().as_millis()))
    }

    /// A clock that stands still until it is moved.
    pub fn still(at: Timestamp) -> Self {
        Self::of(Base::Still(at))
    }

    fn of(base: Base) -> Self {
        Self(Arc::new(Hands {
            base,
            moved_ms: AtomicU64::new(0),
            moved: Notify::new(),
        }))
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        let base = match self.0.base {
            Base::System => system_now(),
            Base::Set(ahead) => Timestamp::from_millis(system_now().as_millis() + ahead),
            Base::Still(at) => at,
        };
        base + Duration::from_millis(self.0.moved_ms.load(Ordering::Acquire))
    }

    /// Moves the clock forward. What became due is acted upon at once.
    pub fn advance(&self, by: Duration) {
        self.0.moved_ms.fetch_add(by.as_millis(), Ordering::AcqRel);
        self.0.moved.notify_waiters();
    }

    /// Returns when it is `at` or later. Dropping the future means nothing.
    pub async fn until(&self, at: Timestamp) {
        loop {
            let moved = self.0.moved.notified();
            tokio::pin!(moved);
            // Listening begins before the time is read, so that no move is missed.
            moved.as_mut().enable();
            let left = at.since(self.now());
            if left == Duration::default() {
                return;
            }
            match self.0.base {
                Base::Still(_) => moved.await,
                Base::System | Base::Set(_) => {
                    // A system's clock may be set: long sleeps look again.
                    tokio::select! {
                        () = tokio::time::sleep(left.min(TRUSTED_FOR).to_std()) => {}
                        () = moved => {}
                    }
                }
            }
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the clock"
)]
fn system_now() -> Timestamp {
    let since_epoch = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_still_clock_wakes_its_sleepers_when_it_is_moved() {
        let clock = Clock::still(Timestamp::from_millis(1_000));
        let due = clock.now() + Duration::from_secs(60);
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.until(due).await }
        });
        tokio::task::yield_now().await;
        clock.advance(Duration::from_secs(59));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance(Duration::from_secs(1));
        sleeper.await.unwrap();
        assert_eq!(clock.now(), due);
    }

    #[tokio::test]
    async fn the_systems_clock_runs_and_can_be_moved() {
        let clock = Clock::system();
        let before = clock.now();
        assert!(before > Timestamp::from_millis(1_700_000_000_000));
        clock.until(before + Duration::from_millis(5)).await;
        assert!(clock.now() >= before + Duration::from_millis(5));
        clock.advance(Duration::from_secs(3_600));
        clock.until(before + Duration::from_secs(3_600)).await;
    }
}
