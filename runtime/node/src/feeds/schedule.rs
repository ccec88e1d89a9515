//! When a feed runs next: reckoned from how it last ran, so that a restart changes nothing.
//!
//! Between the beginnings of two runs lies at least `every`, and at most `every` and its jitter,
//! while they succeed. After an outage one run comes at once, however many were missed. A run that
//! failed is tried again sooner, ever less soon, but never puts the next one off. A clock that was
//! ahead and was set back puts nothing off for long: a run that began later than now is no measure.

use trunkline_flow::start::Feed;
use trunkline_model::{Digest, Duration, Timestamp};

use super::record::Run;
use crate::limits::{FEED_RETRY_MAX, FEED_RETRY_MIN};

/// When a feed is due, given how it last ran.
pub(super) fn due(name: &str, feed: &Feed, last: Option<&Run>, now: Timestamp) -> Timestamp {
    let Some(last) = last.filter(|last| is_measure(last.began, feed.every, now)) else {
        return Timestamp::default();
    };
    // A run that the node's end cut off is asked again at once, by the same name.
    let Some(ended) = last.ended else {
        return last.began;
    };
    let next = last.began + feed.every + jitter(name, feed.jitter, last.number + 1);
    if last.failures == 0 {
        return next;
    }
    next.min(ended + pause(last.failures))
}

/// Whether a time from which a pause is reckoned can be one: not when it lies ahead of now by more than
/// the pause. Then the clock was wrong at that time, or is now.
pub(super) fn is_measure(from: Timestamp, pause: Duration, now: Timestamp) -> bool {
    from.since(now) <= pause
}

/// Until when something is put off that is tried again; now, when that is longer than any such pause.
pub(super) fn put_off(until: Timestamp, now: Timestamp) -> Timestamp {
    if is_measure(until, FEED_RETRY_MAX, now) {
        until
    } else {
        now
    }
}

/// The pause before a run that has failed so often is tried again.
pub(super) fn pause(failures: u32) -> Duration {
    let doubled = FEED_RETRY_MIN.as_millis() << failures.saturating_sub(1).min(16);
    Duration::from_millis(doubled.min(FEED_RETRY_MAX.as_millis()))
}

/// How much later than it could a run begins: the same however often it is asked.
fn jitter(name: &str, most: Duration, run: u64) -> Duration {
    let digest = Digest::of_parts([name.as_bytes(), &run.to_be_bytes()]);
    let mut drawn = [0; 8];
    drawn.copy_from_slice(&digest.as_bytes()[..8]);
    Duration::from_millis(u64::from_be_bytes(drawn) % (most.as_millis() + 1))
}

#[cfg(test)]
mod tests {
    use trunkline_flow::start::{Rate, Starts};
    use trunkline_model::Type;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn feed() -> Feed {
        Feed {
            plugin: "works".into(),
            function: "changes".into(),
            change: Type::String,
            every: MINUTE,
            jitter: Duration::from_secs(6),
            time: MINUTE,
            key: None,
            to: None,
            starts: Starts {
                flow: None,
                input: None,
                rate: Rate {
                    count: 1,
                    per: MINUTE,
                },
                window: None,
                waiting_max: 1,
                reaches_people: false,
            },
        }
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::default() + Duration::from_secs(seconds)
    }

    #[test]
    fn runs_are_apart_by_every_and_its_jitter() {
        let mut last = Run::after(None, at(1_000));
        let mut jitters = std::collections::BTreeSet::new();
        for _ in 0..50 {
            last.ended = Some(last.began + Duration::from_secs(2));
            let due = due("works", &feed(), Some(&last), last.began);
            assert_eq!(due, self::due("works", &feed(), Some(&last), due));
            let late = due.since(last.began + MINUTE);
            assert!(
                due >= last.began + MINUTE && late <= Duration::from_secs(6),
                "{late}"
            );
            jitters.insert(late);
            last = Run::after(Some(&last), due);
        }
        assert!(jitters.len() > 25, "{jitters:?}");
        assert_eq!(last.number, 51);
    }

    #[test]
    fn one_that_never_ran_or_was_cut_off_is_due_at_once() {
        assert!(due("works", &feed(), None, at(0)) <= at(0));
        let begun = Run::after(None, at(1_000));
        assert_eq!(due("works", &feed(), Some(&begun), at(5_000)), at(1_000));
        let mut again = Run::after(Some(&begun), at(5_000));
        // The same run, so that the plugin can tell.
        assert_eq!((again.number, again.attempt), (1, 2));
        // The next is apart from when it was asked, not from when it was first to be.
        again.ended = Some(at(5_001));
        assert!(due("works", &feed(), Some(&again), at(5_001)) >= at(5_060));
    }

    #[test]
    fn a_clock_that_was_set_back_puts_no_run_off_for_long() {
        let mut last = Run::after(None, at(1_000_000));
        last.ended = Some(at(1_000_001));
        assert!(due("works", &feed(), Some(&last), at(1_000)) <= at(1_000));
        // A little back is no jump: the runs stay apart.
        let due = due("works", &feed(), Some(&last), at(999_990));
        assert!(due >= at(1_000_060), "{due:?}");
    }

    #[test]
    fn failures_are_tried_again_and_leave_the_schedule_as_it_is() {
        let mut last = Run::after(None, at(1_000));
        last.ended = Some(at(1_001));
        last.failures = 1;
        let now = at(1_001);
        assert_eq!(due("works", &feed(), Some(&last), now), now + FEED_RETRY_MIN);
        last.failures = 30;
        let due = due("works", &feed(), Some(&last), now);
        assert!(due >= at(1_060) && due <= at(1_066));
        assert_eq!(pause(2).as_millis(), FEED_RETRY_MIN.as_millis() * 2);
        assert_eq!(pause(60), FEED_RETRY_MAX);
    }
}
