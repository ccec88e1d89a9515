//! What waits to start its contacts, in the order in which it came. The store holds all of it; here
//! stand only the names.

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
};

use serde_json::Value as Json;
use trunkline_flow::start::StartsOn;
use trunkline_journal::Error;
use trunkline_model::{Digest, Duration, Timestamp, json::to_json};

use super::{
    Feeds,
    record::{Change, Person, Waiting, id_in},
    schedule, waiting_max,
};
use crate::limits::{CHANGE_BYTES_MAX, SEEN_PER_SOURCE_MAX};

/// The changes of a source that wait.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    order: VecDeque<Entry>,
    known: HashSet<Digest>,
}

/// A change that waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) id: Digest,
    /// When it came.
    pub(super) since: Timestamp,
    /// When it may be tried.
    pub(super) not_before: Timestamp,
    /// How often it was asked in vain whom it concerns.
    pub(super) tries: u32,
    /// How often that was for what passes by itself.
    failures: u32,
}

impl Outbox {
    pub(super) fn add(&mut self, id: Digest, since: Timestamp) {
        if self.known.insert(id) {
            self.order.push_back(Entry {
                id,
                since,
                not_before: Timestamp::default(),
                tries: 0,
                failures: 0,
            });
        }
    }

    pub(super) fn holds(&self, id: &Digest) -> bool {
        self.known.contains(id)
    }

    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// Since when the oldest waits.
    pub(super) fn oldest(&self) -> Option<Timestamp> {
        self.order.iter().map(|entry| entry.since).min()
    }

    /// Those that have waited for longer than so.
    pub(super) fn since(&self, longer_than: Duration, now: Timestamp) -> Vec<Digest> {
        let old = self
            .order
            .iter()
            .filter(|entry| now.since(entry.since) > longer_than);
        old.map(|entry| entry.id).collect()
    }

    /// The one that is next: the one that has been begun, or the first that may be tried.
    pub(super) fn next(&self, begun: Option<Digest>, now: Timestamp) -> Option<Entry> {
        let may_be_tried = |entry: &&Entry| schedule::put_off(entry.not_before, now) <= now;
        let mut ready = self.order.iter().filter(may_be_tried);
        let begun = ready.clone().find(|entry| Some(entry.id) == begun);
        begun.or_else(|| ready.next()).copied()
    }

    /// When one may be tried.
    pub(super) fn ready(&self, begun: Option<Digest>, now: Timestamp) -> Option<Timestamp> {
        if self.next(begun, now).is_some() {
            return Some(now);
        }
        self.order.iter().map(|entry| entry.not_before).min()
    }

    /// Puts one behind the others until some time, which follows from how often it was tried in vain.
    /// How often that counts by now.
    pub(super) fn put_off(&mut self, id: &Digest, counts: bool, until: impl FnOnce(u32) -> Timestamp) -> u32 {
        let Some(index) = self.order.iter().position(|entry| entry.id == *id) else {
            return 0;
        };
        let Some(mut entry) = self.order.remove(index) else {
            return 0;
        };
        entry.tries += 1;
        entry.failures += u32::from(counts);
        entry.not_before = until(entry.tries);
        self.order.push_back(entry);
        entry.failures
    }

    pub(super) fn remove(&mut self, id: &Digest) {
        if self.known.remove(id) {
            self.order.retain(|entry| entry.id != *id);
        }
    }
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It waits now.
    New,
    /// It waits or was seen already.
    Known,
    /// So many wait that it was not taken.
    Over,
    /// So many are remembered that it was not taken.
    Full,
    /// It is larger than what may wait, so it was not taken.
    TooLarge,
}

impl Feeds {
    /// Takes a change when it is not known, and returns when that is durable.
    pub(super) async fn take(
        &self,
        on: &StartsOn,
        id: Digest,
        place: u32,
        given: Json,
        people: Option<Vec<Person>>,
    ) -> Result<Taken, Error> {
        let taking = self.with(on, |source| source.taking.clone());
        let _taking = taking.lock().await;
        let now = self.clock.now();
        let most = match self.releases.current() {
            Some(release) => waiting_max(release.hotline(), on),
            None => 0,
        };
        let no_room = self.with(on, |source| {
            if source.remembered >= SEEN_PER_SOURCE_MAX {
                Some(Taken::Full)
            } else {
                (source.outbox.len() >= most).then_some(Taken::Over)
            }
        });
        if self.is_known(on, &id).await? {
            return Ok(Taken::Known);
        }
        if given.to_string().len() > CHANGE_BYTES_MAX {
            return Ok(Taken::TooLarge);
        }
        if let Some(no_room) = no_room {
            return Ok(no_room);
        }
        let waiting = Waiting {
            id,
            since: now,
            place,
            change: Change { given, people },
        };
        // One that stands there already, left by a write that nobody knew of, is as good.
        self.records.keep_new(on, &waiting).await?;
        self.with(on, |source| source.outbox.add(id, now));
        self.gauge_waiting(on);
        Ok(Taken::New)
    }

    /// Whether a change waits or was seen.
    pub(super) async fn is_known(&self, on: &StartsOn, id: &Digest) -> Result<bool, Error> {
        // In this order: what is done leaves the outbox after it counts as seen.
        let waits = self.with(on, |source| source.outbox.holds(id));
        Ok(waits || self.records.has_seen(on, id, self.clock.now()).await?)
    }

    /// Lets go of all that waits for a source, as seen. How many changes or events that were; none when
    /// there is no such source.
    ///
    /// # Errors
    /// The store cannot be read or written. What was let go of until then stays so.
    pub(crate) async fn drop_waiting(&self, on: &StartsOn) -> Result<Option<u64>, Error> {
        let declared = self
            .releases
            .current()
            .is_some_and(|release| release.hotline().starts(on).is_some());
        if !declared && !self.sources().contains_key(on) {
            return Ok(None);
        }
        let mut dropped = 0;
        // In pages, and what cannot be read as well: its name says what it is.
        loop {
            let waiting = self.records.waiting_for(on, self.clock.now()).await?;
            if waiting.is_empty() {
                break;
            }
            for key in waiting {
                if let Some(id) = id_in(&key) {
                    self.remember(on, &id).await?;
                    self.with(on, |source| source.outbox.remove(&id));
                }
                self.records.remove_named(&key, self.clock.now()).await?;
                dropped += 1;
            }
        }
        tracing::warn!(%on, dropped, "what waited was let go of, as an operator asked for");
        self.counted(on, "dropped", dropped);
        self.keep_starts(on, |starts| {
            starts.failed += dropped;
            starts.current = None;
        })
        .await?;
        self.with(on, |source| {
            source.loaded = None;
            source.trouble = None;
        });
        self.gauge_waiting(on);
        Ok(Some(dropped))
    }
}

/// A value as it waits.
pub(super) fn given(value: &trunkline_model::Value) -> Json {
    to_json(value)
}

/// Somebody, by their number.
pub(super) fn person(number: &str) -> Person {
    Some(Arc::from(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::FEED_RETRY_MAX;

    #[test]
    fn the_begun_one_comes_first_and_one_put_off_last() {
        let now = Timestamp::from_millis(10);
        let later = Timestamp::from_millis(20);
        let ids = [b"a", b"b", b"c"].map(|name| Digest::of(name));
        let mut outbox = Outbox::default();
        for id in ids {
            outbox.add(id, now);
            outbox.add(id, now);
        }
        assert_eq!(outbox.len(), 3);
        assert_eq!(outbox.next(None, now).unwrap().id, ids[0]);
        assert_eq!(outbox.next(Some(ids[2]), now).unwrap().id, ids[2]);
        assert_eq!(outbox.put_off(&ids[0], true, |_| later), 1);
        assert_eq!(outbox.next(None, now).unwrap().id, ids[1]);
        outbox.remove(&ids[1]);
        outbox.remove(&ids[2]);
        assert!(outbox.next(None, now).is_none() && !outbox.holds(&ids[1]));
        assert_eq!(outbox.ready(None, now), Some(later));
        let after = |tries: u32| Timestamp::from_millis(tries.into());
        assert_eq!(outbox.put_off(&ids[0], false, after), 1);
        assert_eq!(outbox.next(None, now).unwrap().tries, 2);
        assert_eq!(outbox.put_off(&ids[0], true, after), 2);
        // Put off until long after any pause, by a clock that was set back since.
        outbox.put_off(&ids[0], true, |_| now + FEED_RETRY_MAX + FEED_RETRY_MAX);
        assert!(outbox.next(None, now).is_some());
    }
}
