//! When a feed runs next: reckoned from how it last ran, so that a restart changes nothing.
//!
//! Between the beginnings of two runs lies at least `every`, and at most `every` and its jitter,
//! while they succeed. After an outage one run comes at once, however many were missed. A run that
//! failed is tried again sooner, ever less soon, but never puts the next one off.

use trunkline_flow::start::Feed;
use trunkline_model::{Digest, Duration, Timestamp};

use super::record::Run;
use crate::limits::{FEED_RETRY_MAX, FEED_RETRY_MIN};

/// When a feed is due, given how it last ran.
pub(super) fn due(name: &str, feed: &Feed, last: Option<&Run>) -> Timestamp {
    let Some(last) = last else {
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
            let due = due("works", &feed(), Some(&last));
            assert_eq!(due, self::due("works", &feed(), Some(&last)));
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
        assert!(due("works", &feed(), None) <= at(0));
        let begun = Run::after(None, at(1_000));
        assert_eq!(due("works", &feed(), Some(&begun)), at(1_000));
        let again = Run::after(Some(&begun), at(5_000));
        // The same run, so that the plugin can tell; and the schedule goes on from where it was.
        assert_eq!((again.number, again.attempt, again.began), (1, 2, at(1_000)));
    }

    #[test]
    fn failures_are_tried_again_and_leave_the_schedule_as_it_is() {
        let mut last = Run::after(None, at(1_000));
        last.ended = Some(at(1_001));
        last.failures = 1;
        assert_eq!(due("works", &feed(), Some(&last)), at(1_001) + FEED_RETRY_MIN);
        last.failures = 30;
        let due = due("works", &feed(), Some(&last));
        assert!(due >= at(1_060) && due <= at(1_066));
        assert_eq!(pause(2).as_millis(), FEED_RETRY_MIN.as_millis() * 2);
        assert_eq!(pause(60), FEED_RETRY_MAX);
    }
}
