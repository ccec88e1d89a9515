//! A copy of the feed, and what its age means. Pure: the time is an argument.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::feed::Feed;

/// After a failure the feed is left alone for this long, while a copy serves.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// The feed as it was, as it is kept. Times are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Copy {
    pub feed: Feed,
    pub etag: Option<String>,
    fetched_s: u64,
    failed_s: Option<u64>,
}

/// How old a copy may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ages {
    /// Older, and the feed is asked again.
    pub refresh: Duration,
    /// Older, and it is not given out any more.
    pub stale_max: Duration,
}

/// What to do with a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Answer from it.
    Fresh,
    /// Ask the feed, and answer from it if that fails.
    Due,
    /// Answer from it as stale: the feed failed a moment ago.
    Waiting,
    /// Too old to answer from.
    Unusable,
}

impl Default for Ages {
    fn default() -> Self {
        Self {
            refresh: Duration::from_secs(60),
            stale_max: Duration::from_secs(24 * 3_600),
        }
    }
}

impl Ages {
    /// Ages as settings give them; a copy is never given up before it is due.
    pub(crate) fn from_settings(refresh: Duration, stale_max: Duration) -> Self {
        Self {
            refresh,
            stale_max: stale_max.max(refresh),
        }
    }
}

impl Copy {
    /// A feed that was fetched now.
    pub(crate) fn new(feed: Feed, etag: Option<String>, now: Duration) -> Self {
        Self {
            feed,
            etag,
            fetched_s: now.as_secs(),
            failed_s: None,
        }
    }

    /// The same copy, which the feed just called unchanged.
    pub(crate) fn renewed(self, now: Duration) -> Self {
        Self::new(self.feed, self.etag, now)
    }

    /// The same copy, after the feed failed to renew it.
    pub(crate) fn failed(self, now: Duration) -> Self {
        Self {
            failed_s: Some(now.as_secs()),
            ..self
        }
    }

    /// What to do with it. A time in the future means that the clock was set back, and
    /// counts as long past.
    pub(crate) fn standing(&self, now: Duration, ages: Ages) -> Standing {
        let since = |then: u64| now.checked_sub(Duration::from_secs(then));
        match (since(self.fetched_s), self.failed_s.and_then(since)) {
            (Some(age), _) if age < ages.refresh => Standing::Fresh,
            (Some(age), _) if age > ages.stale_max => Standing::Unusable,
            (_, Some(since_failure)) if since_failure < RETRY_AFTER => Standing::Waiting,
            _ => Standing::Due,
        }
    }

    /// Its age in words, for the log.
    pub(crate) fn age(&self, now: Duration) -> String {
        format!("{} s ago", now.as_secs().saturating_sub(self.fetched_s))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGES: Ages = Ages {
        refresh: Duration::from_secs(60),
        stale_max: Duration::from_secs(600),
    };

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn copy() -> Copy {
        Copy::new(Feed::default(), Some("\"1\"".to_owned()), at(1_000))
    }

    #[test]
    fn a_copy_ages() {
        for (now, standing) in [
            (1_000, Standing::Fresh),
            (1_059, Standing::Fresh),
            (1_060, Standing::Due),
            (1_600, Standing::Due),
            (1_601, Standing::Unusable),
        ] {
            assert_eq!(copy().standing(at(now), AGES), standing, "{now}");
        }
    }

    #[test]
    fn a_feed_that_failed_is_left_alone_for_a_moment() {
        let failed = copy().failed(at(1_100));
        assert_eq!(failed.standing(at(1_104), AGES), Standing::Waiting);
        assert_eq!(failed.standing(at(1_105), AGES), Standing::Due);
        assert_eq!(failed.standing(at(1_700), AGES), Standing::Unusable);
        assert_eq!(
            failed.renewed(at(1_200)).standing(at(1_201), AGES),
            Standing::Fresh
        );
    }

    #[test]
    fn a_clock_set_back_makes_a_copy_due() {
        assert_eq!(copy().standing(at(10), AGES), Standing::Due);
    }

    #[test]
    fn a_copy_is_not_given_up_before_it_is_due() {
        let ages = Ages::from_settings(at(3_600), at(60));
        assert_eq!(ages.stale_max, at(3_600));
    }

    #[test]
    fn a_copy_reads_back_as_it_was_kept() {
        let kept = serde_json::to_vec(&copy().failed(at(1_001))).unwrap();
        assert_eq!(
            serde_json::from_slice::<Copy>(&kept).unwrap(),
            copy().failed(at(1_001))
        );
    }
}
