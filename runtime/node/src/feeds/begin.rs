//! Contacts are started of what waits: one after another, at the source's rate, within its window.

use std::{collections::BTreeSet, sync::Arc};

use trunkline_flow::{Hotline, start::StartsOn};
use trunkline_journal::Error;
use trunkline_model::{CallId, Digest, FaultKind, Outcome, Timestamp, Value, json::from_json};
use trunkline_plugin::Call;

use super::{
    Feeds, PAUSE, Source, ask,
    outbox::{Entry, person},
    record::{Person, Starts, Waiting, is_lasting},
    schedule,
};
use crate::{
    contacts::{StartCall, StartError, is_e164},
    limits::{AFFECTED_TRIES_MAX, FEED_RETRY_MAX, PEOPLE_PER_CHANGE_MAX, STARTS_PER_TURN_MAX},
    mask::mask,
    release::Release,
};

/// When a source may start its next contact; none while nothing waits, or nothing says when.
pub(super) fn due(hotline: &Hotline, on: &StartsOn, source: &Source, now: Timestamp) -> Option<Timestamp> {
    let starts = hotline.starts(on).filter(|starts| starts.flow.is_some())?;
    let begun = source.starts.current.map(|(id, _)| id);
    let ready = source.outbox.ready(begun, now)?;
    let spacing = starts.rate.spacing();
    let last = source.starts.last;
    let last = last.filter(|last| schedule::is_measure(*last, spacing, now));
    let paced = last.map_or(ready, |last| last + spacing);
    let held = schedule::put_off(source.starts_held_until, now);
    let at = ready.max(paced).max(held).max(now);
    let window = match &starts.window {
        Some(window) => hotline.calendars.get(window)?,
        None => return Some(at),
    };
    if window.is_open(at, &hotline.time_zone) {
        Some(at)
    } else {
        window.next_opening(at, &hotline.time_zone)
    }
}

/// Why no contact is started now.
enum Held {
    /// Something that may pass.
    ForNow(String),
    /// The store.
    Store(Error),
}

impl From<Error> for Held {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

/// A change that is in hand, with the release that it is started on.
struct InHand<'r> {
    on: &'r StartsOn,
    release: &'r Arc<Release>,
    waiting: Waiting,
    tries: u32,
}

impl Feeds {
    /// Starts contacts of a source while that is due, so many at most.
    pub(super) async fn start_some(self: Arc<Self>, on: StartsOn) {
        let mut loaded = self.with(&on, |source| source.loaded.take());
        for _ in 0..STARTS_PER_TURN_MAX {
            let Some(pinned) = self.releases.pin_current() else {
                break;
            };
            let hotline = pinned.release().hotline();
            let now = self.clock.now();
            let next = self.with(&on, |source| {
                due(hotline, &on, source, now).filter(|at| *at <= now)?;
                source.outbox.next(source.starts.current.map(|(id, _)| id), now)
            });
            let Some(entry) = next else { break };
            if self.contacts.is_stopping() {
                break;
            }
            if self.contacts.is_draining() {
                // What waits is durable, and starts its contacts after the restart.
                self.with(&on, |source| source.starts_held_until = now + PAUSE);
                break;
            }
            let mut gone_on = self.start_next(&on, entry, &mut loaded, pinned.release()).await;
            if let Err(Held::Store(error)) = &gone_on
                && is_lasting(error)
            {
                gone_on = self.pass_over(&on, &entry.id, error).await.map_err(Held::Store);
            }
            if let Err(held) = gone_on {
                let why = match held {
                    Held::ForNow(why) => why,
                    Held::Store(error) => {
                        self.contacts.notice(&error);
                        error.to_string()
                    }
                };
                tracing::warn!(%on, why, "no contact can be started now; trying again");
                self.with(&on, |source| source.starts_held_until = self.clock.now() + PAUSE);
                break;
            }
        }
        self.with(&on, |source| {
            source.loaded = loaded;
            source.starting = false;
        });
        self.gauge_waiting(&on);
        self.changed.notify_one();
    }

    /// Goes one step on with a change: asks whom it concerns, starts a contact, or is done with it.
    async fn start_next(
        &self,
        on: &StartsOn,
        entry: Entry,
        loaded: &mut Option<Waiting>,
        release: &Arc<Release>,
    ) -> Result<(), Held> {
        let now = self.clock.now();
        let waiting = match loaded.take().filter(|loaded| loaded.id == entry.id) {
            Some(waiting) => waiting,
            None => match self.records.change(on, &entry.id, now).await? {
                // What was seen is done; the node's end came before it left.
                Some(_) if self.records.has_seen(on, &entry.id, now).await? => {
                    return Ok(self.leave(on, &entry.id, |_| {}).await?);
                }
                Some(waiting) => waiting,
                None => {
                    self.with(on, |source| source.outbox.remove(&entry.id));
                    return Ok(());
                }
            },
        };
        let mut in_hand = InHand {
            on,
            release,
            waiting,
            tries: entry.tries,
        };
        if in_hand.waiting.change.people.is_none() {
            if self.find_people(&mut in_hand).await? {
                // Asking takes its time. Whether a contact may start now is to be looked at again.
                *loaded = Some(in_hand.waiting);
            }
            return Ok(());
        }
        let people = in_hand.waiting.change.people.as_deref().unwrap_or_default();
        let reached = self.with(on, |source| match source.starts.current {
            Some((id, reached)) if id == entry.id => reached,
            _ => 0,
        });
        let Some(person) = people.get(reached) else {
            // It concerns nobody, which takes its turn as a contact does: a source is not asked faster.
            self.remember(on, &entry.id).await?;
            return Ok(self
                .leave(on, &entry.id, |starts| starts.last = Some(now))
                .await?);
        };
        let call = StartCall {
            on: on.clone(),
            contact: self.records.contact(on, &in_hand.waiting, person),
            person: person.clone(),
            given: in_hand.waiting.change.given.clone(),
        };
        let contact = call.contact.clone();
        let started = match self.contacts.start(call).await {
            Ok(_) => true,
            Err(StartError::Unfit(why)) => return Ok(self.give_up(on, &entry.id, &why).await?),
            // One who cannot be told keeps no others from being.
            Err(StartError::Journal(error)) if is_lasting(&error) => {
                tracing::error!(%on, %contact, %error, "a contact cannot be started; it is passed over");
                false
            }
            Err(StartError::Journal(error)) => return Err(error.into()),
            Err(error) => return Err(Held::ForNow(error.to_string())),
        };
        self.counted(on, if started { "started" } else { "failed" }, 1);
        let now = self.clock.now();
        let count = |starts: &mut Starts| {
            starts.started += u64::from(started);
            starts.failed += u64::from(!started);
            starts.last = Some(now);
        };
        if reached + 1 == people.len() {
            // It counts as seen before it leaves, and before anything forgets how far it came.
            self.remember(on, &entry.id).await?;
            return Ok(self.leave(on, &entry.id, count).await?);
        }
        self.keep_starts(on, |starts| {
            count(starts);
            starts.current = Some((entry.id, reached + 1));
        })
        .await?;
        *loaded = Some(in_hand.waiting);
        Ok(())
    }

    /// Asks whom a change concerns. Whether it is known now.
    async fn find_people(&self, in_hand: &mut InHand<'_>) -> Result<bool, Held> {
        let InHand { on, release, .. } = *in_hand;
        let hotline = release.hotline();
        let StartsOn::Feed(name) = on else {
            return Ok(false);
        };
        let Some(feed) = hotline.feeds.get(name) else {
            return Err(Held::ForNow("the feed is not declared".to_owned()));
        };
        let Some(to) = &feed.to else {
            // It concerned people when it was taken, and is about nobody in the release that is live.
            in_hand.waiting.change.people = Some(vec![None]);
            return Ok(true);
        };
        let change = match from_json(&in_hand.waiting.change.given, &feed.change) {
            Ok(change) => change,
            Err(error) => {
                self.give_up(on, &in_hand.waiting.id, &error.to_string()).await?;
                return Ok(false);
            }
        };
        let call = Call {
            function: to.function.clone(),
            arguments: vec![change],
            id: CallId::new(format!("{on}-affected-{}", in_hand.waiting.id)),
            attempt: in_hand.tries + 1,
            locale: hotline
                .languages
                .first()
                .map(ToString::to_string)
                .unwrap_or_default(),
            time: feed.time,
        };
        let outcome = match release.plugin(&to.plugin) {
            Some(plugin) => plugin.call(call).await,
            None => Outcome::fault(
                FaultKind::Host,
                format!("the release has no plugin {}", to.plugin),
            ),
        };
        let success = &self.contacts.success;
        success.record(release, &to.plugin, &to.function, &outcome);
        let Outcome::Ok(Value::List(listed)) = &outcome else {
            self.put_off(on, &in_hand.waiting.id, &outcome).await?;
            return Ok(false);
        };
        self.with(on, |source| source.trouble = None);
        let (people, failed) = people(listed);
        in_hand.waiting.change.people = Some(people);
        // From now on it concerns these, whatever would be answered later.
        self.records.keep_people(on, &in_hand.waiting).await?;
        if failed > 0 {
            tracing::warn!(%on, failed, "a change concerns people whose numbers are none; they are not told");
            self.counted(on, "failed", failed);
            self.keep_starts(on, |starts| starts.failed += failed).await?;
        }
        Ok(true)
    }

    /// Asks later whom a change concerns, or never again.
    async fn put_off(&self, on: &StartsOn, id: &Digest, outcome: &Outcome) -> Result<(), Error> {
        let said = ask::said(outcome).unwrap_or_default();
        let now = self.clock.now();
        // What operators have to mend may take them days, and is no reason to give anything up.
        let counts = !matches!(outcome, Outcome::Fault(fault) if is_for_operators(fault.kind));
        let tries = self.with(on, |source| {
            source.trouble = Some(format!("it cannot be asked whom a change concerns: {said}"));
            source
                .outbox
                .put_off(id, counts, |tries| now + schedule::pause(tries))
        });
        let outcome = ask::told(outcome);
        tracing::warn!(%on, %outcome, said, tries, "it cannot be asked whom a change concerns");
        if tries >= AFFECTED_TRIES_MAX {
            let why = format!("nobody says whom it concerns: {said}");
            self.give_up(on, id, &why).await?;
        }
        Ok(())
    }

    /// Goes on without a change that stays as it is however often it is tried.
    async fn pass_over(&self, on: &StartsOn, id: &Digest, error: &Error) -> Result<(), Error> {
        if !matches!(error, Error::WrongMasterKey { .. }) {
            return self.give_up(on, id, &error.to_string()).await;
        }
        // Only operators mend that, and nothing is lost meanwhile.
        let at = self.clock.now() + FEED_RETRY_MAX;
        self.with(on, |source| {
            source.trouble = Some(error.to_string());
            source.outbox.put_off(id, false, |_| at)
        });
        tracing::error!(%on, change = id.short(), %error, "a change cannot be read; the others go on");
        Ok(())
    }

    /// Counts a change as failed that does not even wait.
    pub(super) async fn lose(&self, on: &StartsOn, id: &Digest, why: &str) -> Result<(), Error> {
        tracing::error!(%on, change = id.short(), why, "a change is not taken");
        self.with(on, |source| {
            source.trouble = Some(format!("a change was not taken: {why}"));
        });
        self.counted(on, "failed", 1);
        self.remember(on, id).await?;
        self.keep_starts(on, |starts| starts.failed += 1).await
    }

    /// Lets go of a change that cannot start anything.
    pub(super) async fn give_up(&self, on: &StartsOn, id: &Digest, why: &str) -> Result<(), Error> {
        let reached = self.with(on, |source| {
            source.trouble = Some(format!("a change was given up: {why}"));
            source.starts.current
        });
        tracing::error!(%on, change = id.short(), ?reached, why, "a change is given up");
        self.counted(on, "failed", 1);
        self.remember(on, id).await?;
        let now = self.clock.now();
        let count = |starts: &mut Starts| {
            starts.failed += 1;
            starts.last = Some(now);
        };
        self.leave(on, id, count).await
    }

    /// Takes a change that was seen out of the outbox.
    async fn leave(&self, on: &StartsOn, id: &Digest, counts: impl FnOnce(&mut Starts)) -> Result<(), Error> {
        self.keep_starts(on, |starts| {
            counts(starts);
            if starts.current.is_some_and(|(current, _)| current == *id) {
                starts.current = None;
            }
        })
        .await?;
        self.records.remove(on, id, self.clock.now()).await?;
        self.with(on, |source| source.outbox.remove(id));
        Ok(())
    }

    /// Changes how far a source has come, durably; one after the other.
    pub(super) async fn keep_starts(
        &self,
        on: &StartsOn,
        change: impl FnOnce(&mut Starts),
    ) -> Result<(), Error> {
        let counting = self.with(on, |source| source.counting.clone());
        let _counting = counting.lock().await;
        let mut starts = self.with(on, |source| source.starts.clone());
        change(&mut starts);
        self.records.keep_starts(on, &starts, self.clock.now()).await?;
        self.with(on, |source| source.starts = starts);
        Ok(())
    }
}

/// Whether only operators can mend what went wrong: by a grant, or by a limit.
const fn is_for_operators(kind: FaultKind) -> bool {
    matches!(kind, FaultKind::TooLarge | FaultKind::Denied)
}

/// The people of a list, each once, and how many of it are none.
fn people(listed: &[Value]) -> (Vec<Person>, u64) {
    let mut seen = BTreeSet::new();
    let mut people = Vec::new();
    let mut failed = 0;
    for value in listed {
        match value {
            Value::Text(number) if is_e164(number) && people.len() < PEOPLE_PER_CHANGE_MAX => {
                if seen.insert(number.clone()) {
                    people.push(person(number));
                }
            }
            Value::Text(number) => {
                tracing::debug!(number = mask(number), "this is nobody's number");
                failed += 1;
            }
            _ => failed += 1,
        }
    }
    (people, failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Clock,
        feeds::tests::{hotline, start, works},
        testing::{NOON, eventually},
    };

    #[tokio::test]
    async fn whoever_asks_whom_it_concerns_looks_at_the_window_again() {
        // It is five past eight in the evening.
        let day = "to: works.affected, rate: 1000 per second, window: day";
        let hotline = hotline(day, &works(&["a"], &["+8613800138000"]));
        let node = start(&hotline, &Clock::still(NOON)).await;
        let (feeds, on) = (node.feeds(), StartsOn::Feed("works".into()));
        let next = || feeds.with(&on, |source| source.outbox.next(None, NOON));
        eventually("a change waits", async || next().is_some()).await;
        let pinned = feeds.releases.pin_current().unwrap();
        let mut loaded = None;
        // As when the window closed while the function was asked.
        let asked = feeds.start_next(&on, next().unwrap(), &mut loaded, pinned.release());
        assert!(asked.await.is_ok());
        assert!(loaded.is_some_and(|loaded| loaded.change.people.is_some()));
        assert_eq!(feeds.with(&on, |source| source.starts.started), 0);
    }

    #[test]
    fn people_are_told_once_and_only_by_numbers_that_are_some() {
        let listed = [
            "+8613800138000",
            "13800138000",
            "+8613800138000",
            "+8613800138001",
        ]
        .map(Value::from);
        let (people, failed) = people(&listed);
        assert_eq!(people, ["+8613800138000", "+8613800138001"].map(person));
        assert_eq!(failed, 1);
    }
}
