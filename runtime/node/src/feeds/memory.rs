//! What a source remembers, so that nothing is told twice, and what it forgets.
//!
//! Invariants:
//! - Each source has a memory of its own: one that has much to remember takes nothing from the others.
//! - The clock alone makes nothing forgotten. What was seen goes when it is old and the source was heard
//!   since: a feed has been read again and did not list it, a webhook was sent an event that was signed
//!   by another clock.

use trunkline_flow::{Hotline, start::StartsOn};
use trunkline_journal::Error;
use trunkline_model::{Digest, Duration, Timestamp};

use super::{Feeds, Source};
use crate::limits::{
    GIVEN_UP_PER_SWEEP_MAX, REQUESTS_SWEPT_MAX, SEEN_FOR, SEEN_FOR_MIN, SEEN_PER_SOURCE_MAX,
    WAITING_UNDECLARED_MAX,
};

/// How long a source remembers what it saw, by how much it has to remember: all the time while that is
/// little, and ever less from half of its bound on, so that one that is busy forgets its oldest instead
/// of taking nothing more.
fn remembers_for(remembered: u64) -> Duration {
    let half = SEEN_PER_SOURCE_MAX / 2;
    let over = remembered.saturating_sub(half).min(half);
    let less = SEEN_FOR.as_millis() - SEEN_FOR_MIN.as_millis();
    Duration::from_millis(SEEN_FOR.as_millis() - less * over / half)
}

/// What has expired by this time may be forgotten; none while nothing tells that it may.
fn forgets_until(hotline: &Hotline, on: &StartsOn, source: &Source, now: Timestamp) -> Option<Timestamp> {
    let heard = match on {
        _ if hotline.starts(on).is_none() => now,
        StartsOn::Feed(_) => source.run.as_ref().filter(|run| run.is_good())?.began,
        StartsOn::Webhook(_) => source.heard?,
    };
    let sooner = SEEN_FOR.as_millis() - remembers_for(source.remembered).as_millis();
    Some(heard.min(now) + Duration::from_millis(sooner))
}

impl Feeds {
    /// Forgets what was seen long ago, and what waits for nothing.
    pub(crate) async fn sweep(&self) {
        let Some(release) = self.releases.current() else {
            return;
        };
        let known: Vec<StartsOn> = self.sources().keys().cloned().collect();
        for on in known {
            if let Err(error) = self.sweep_one(release.hotline(), &on).await {
                tracing::warn!(%on, %error, "what was seen long ago could not be swept; trying again");
            }
        }
    }

    async fn sweep_one(&self, hotline: &Hotline, on: &StartsOn) -> Result<(), Error> {
        let now = self.clock.now();
        if let Some(until) = self.with(on, |source| forgets_until(hotline, on, source, now)) {
            let swept = self.records.forget(on, until, REQUESTS_SWEPT_MAX).await?;
            if swept > 0 {
                tracing::debug!(%on, swept, "changes forgotten");
            }
        }
        if hotline.starts(on).is_none() {
            let old = self.with(on, |source| source.outbox.since(WAITING_UNDECLARED_MAX, now));
            for id in old.into_iter().take(GIVEN_UP_PER_SWEEP_MAX) {
                self.give_up(on, &id, "nothing starts on its source any more")
                    .await?;
            }
            self.gauge_waiting(on);
        }
        let remembered = self.records.remembered(on).await?;
        self.with(on, |source| source.remembered = remembered);
        self.gauge_remembered(on);
        Ok(())
    }

    /// Remembers a change as seen.
    pub(super) async fn remember(&self, on: &StartsOn, id: &Digest) -> Result<(), Error> {
        self.records.keep_seen(on, id, self.clock.now()).await?;
        // Until it is counted again: one that was remembered already may count twice.
        self.with(on, |source| source.remembered += 1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_much_to_remember_remembers_it_less_long() {
        assert_eq!(remembers_for(0), SEEN_FOR);
        assert_eq!(remembers_for(SEEN_PER_SOURCE_MAX / 2), SEEN_FOR);
        let more = remembers_for(SEEN_PER_SOURCE_MAX / 4 * 3);
        assert!(SEEN_FOR_MIN < more && more < SEEN_FOR, "{more}");
        assert_eq!(remembers_for(SEEN_PER_SOURCE_MAX), SEEN_FOR_MIN);
        assert_eq!(remembers_for(u64::MAX), SEEN_FOR_MIN);
    }

    #[test]
    fn at_the_rate_without_a_word_of_it_a_memory_is_never_full() {
        // One a second, each another: what it remembers settles below its bound.
        let settled = |count: u64| count > remembers_for(count).as_millis() / 1_000;
        assert!(settled(SEEN_PER_SOURCE_MAX - 1));
    }
}
