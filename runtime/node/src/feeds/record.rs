//! What is kept of feeds and webhooks: how they last ran, which changes are known, and which wait to
//! start their contacts.
//!
//! Each is one entry of the store, and no two are written together; the order of writing is what
//! keeps a change from being lost or taken twice. A change is known when it waits or was seen:
//!
//! ```text
//! taken    put waiting                     it waits, with all that its contacts need
//! started  begin contact, put starts       for each person; the contact's id is made of the change
//! done     put seen, remove waiting        in this order
//! ```
//!
//! A record that cannot be read stops no other: it is logged and passed over.

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value as Json;
use trunkline_flow::start::StartsOn;
use trunkline_journal::{Error, Expect, Journal, Put};
use trunkline_model::{ContactId, Digest, Timestamp};

use crate::limits::{PAGE_MAX, SEEN_FOR, SEEN_RENEWED_AFTER};

/// How feeds last ran, by what they are.
const RUNS: &str = "node.feeds";
/// How far what waits has started its contacts, by the feed or webhook.
const STARTS: &str = "node.starts";
/// What waits: the feed or webhook, a slash, the digest of the change's key.
const WAITING: &str = "node.waiting";
/// What was seen, by the digest of the change's key; each feed and webhook has a space of its own.
const SEEN: &str = "node.seen";

/// The version of what this module keeps.
const VERSION: u32 = 1;

/// How a feed last ran.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub(super) struct Run {
    version: u32,
    /// Which run it is, counted from 1.
    pub(super) number: u64,
    /// Which attempt, counted from 1: a run that the node's end cut off is asked again.
    pub(super) attempt: u32,
    /// When this attempt began.
    pub(super) began: Timestamp,
    /// When it was over; none while it is under way.
    pub(super) ended: Option<Timestamp>,
    /// What came of it: `ok`, `refused`, `fault.timed-out`.
    pub(super) outcome: Option<Arc<str>>,
    /// How many changes it listed.
    pub(super) listed: u64,
    /// How many of them were not known.
    pub(super) new: u64,
    /// How many runs in a row have failed, up to this one.
    pub(super) failures: u32,
}

impl Run {
    /// Whether it is over and the feed was read.
    pub(super) const fn is_good(&self) -> bool {
        self.ended.is_some() && self.failures == 0
    }

    /// The run that follows one, or the same again when that was cut off.
    pub(super) fn after(last: Option<&Self>, now: Timestamp) -> Self {
        match last {
            Some(cut_off) if cut_off.ended.is_none() => Self {
                attempt: cut_off.attempt + 1,
                began: now,
                ..cut_off.clone()
            },
            last => Self {
                version: VERSION,
                number: last.map_or(0, |last| last.number) + 1,
                attempt: 1,
                began: now,
                ended: None,
                outcome: None,
                listed: 0,
                new: 0,
                failures: last.map_or(0, |last| last.failures),
            },
        }
    }
}

/// How far a feed or webhook has started its contacts.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub(super) struct Starts {
    version: u32,
    /// Contacts that were started.
    pub(super) started: u64,
    /// Changes that were given up, and people who could not be told.
    pub(super) failed: u64,
    /// When the last contact was started, or a change was done with that started none.
    pub(super) last: Option<Timestamp>,
    /// The change that is being started, and how many of its people were reached.
    pub(super) current: Option<(Digest, usize)>,
}

impl Default for Starts {
    fn default() -> Self {
        Self {
            version: VERSION,
            started: 0,
            failed: 0,
            last: None,
            current: None,
        }
    }
}

/// A change or an event that waits.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    /// What tells it from others.
    pub(super) id: Digest,
    /// When it was taken.
    pub(super) since: Timestamp,
    /// Its place among those taken at the same time.
    pub(super) place: u32,
    /// What it is.
    pub(super) change: Change,
}

/// A change or an event: it may be personal, and is kept under a key of its own.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Change {
    /// A feed's change, or the fields of a webhook's event.
    pub(super) given: Json,
    /// Whom it concerns: none while nobody has said so.
    pub(super) people: Option<Vec<Person>>,
}

/// Somebody whom a change concerns; nobody, when it is about no person.
pub(super) type Person = Option<Arc<str>>;

#[derive(Serialize, Deserialize)]
struct WaitingRecord {
    version: u32,
    since: Timestamp,
    place: u32,
    sealed: String,
}

/// What of it the order of starting needs.
#[derive(Deserialize)]
struct WaitingPlace {
    since: Timestamp,
    place: u32,
}

/// What every record has.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

/// Whether an error stays, however often the same is tried again. What may pass is waited for.
pub(super) const fn is_lasting(error: &Error) -> bool {
    match error {
        Error::Conflict { .. } | Error::Unknown { .. } | Error::Unavailable { .. } | Error::Fatal { .. } => {
            false
        }
        Error::Corrupt { .. }
        | Error::WrongMasterKey { .. }
        | Error::TooLarge { .. }
        | Error::BadName { .. }
        | Error::Unwritable { .. } => true,
    }
}

/// All that is kept, in the node's store.
#[derive(Clone)]
pub(super) struct Records {
    journal: Arc<Journal>,
}

impl Records {
    pub(super) const fn new(journal: Arc<Journal>) -> Self {
        Self { journal }
    }

    /// What a change is known by: its key, or all of it. It gives neither away.
    pub(super) fn id_of(&self, key: Option<&Json>, whole: &Json) -> Digest {
        let told = key.unwrap_or(whole);
        let kind: &[u8] = if key.is_some() { b"key" } else { b"whole" };
        self.journal
            .name([b"trunkline change".as_slice(), kind, told.to_string().as_bytes()])
    }

    /// The name of the contact that a change starts for a person: always the same, and nothing about
    /// the person.
    pub(super) fn contact(&self, on: &StartsOn, waiting: &Waiting, person: &Person) -> ContactId {
        let on = on.to_string();
        let name = self.journal.name([
            b"trunkline start".as_slice(),
            on.as_bytes(),
            waiting.id.as_bytes(),
            person.as_deref().unwrap_or_default().as_bytes(),
        ]);
        let mut drawn = [0; 10];
        drawn.copy_from_slice(&name.as_bytes()[..10]);
        // Contacts are listed in the order of their ids, so that it holds the time.
        ContactId::generate(waiting.since, drawn)
    }

    pub(super) async fn runs(&self, now: Timestamp) -> Result<BTreeMap<String, Run>, Error> {
        let mut runs = BTreeMap::new();
        let take = |on: String, run| {
            runs.insert(on, run);
        };
        self.each(RUNS, now, take).await?;
        Ok(runs)
    }

    pub(super) async fn starts(&self, now: Timestamp) -> Result<BTreeMap<String, Starts>, Error> {
        let mut starts = BTreeMap::new();
        let take = |on: String, of| {
            starts.insert(on, of);
        };
        self.each(STARTS, now, take).await?;
        Ok(starts)
    }

    /// What waits: by what, since when, in which place, and its digest.
    pub(super) async fn waiting(
        &self,
        now: Timestamp,
    ) -> Result<Vec<(StartsOn, Timestamp, u32, Digest)>, Error> {
        let mut waiting = Vec::new();
        let take = |key: String, WaitingPlace { since, place }| {
            let on = key.rsplit_once('/').and_then(|(on, _)| StartsOn::parse(on));
            if let Some((on, id)) = on.zip(id_in(&key)) {
                waiting.push((on, since, place, id));
            }
        };
        self.each(WAITING, now, take).await?;
        waiting.sort_by_key(|(_, since, place, _)| (*since, *place));
        Ok(waiting)
    }

    /// Takes the records of a space, a page at a time: what waits may be more than fits into memory.
    async fn each<T: DeserializeOwned>(
        &self,
        space: &str,
        now: Timestamp,
        mut take: impl FnMut(String, T) + Send,
    ) -> Result<(), Error> {
        let mut after: Option<String> = None;
        loop {
            let store = self.journal.store();
            let page = store.list(space, "", after.as_deref(), PAGE_MAX, now).await?;
            let Some((last, _)) = page.last() else {
                return Ok(());
            };
            after = Some(last.clone());
            for (key, entry) in page {
                match read(space, &entry.value) {
                    Ok(record) => take(key, record),
                    Err(error) => tracing::error!(key, %error, "a record cannot be read and is passed over"),
                }
            }
        }
    }

    pub(super) async fn keep_run(&self, on: &StartsOn, run: &Run, now: Timestamp) -> Result<(), Error> {
        self.put(RUNS, &on.to_string(), write(run), Expect::Any, now)
            .await
    }

    pub(super) async fn keep_starts(
        &self,
        on: &StartsOn,
        starts: &Starts,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.put(STARTS, &on.to_string(), write(starts), Expect::Any, now)
            .await
    }

    /// Keeps what waits. Nothing is written over what waits already: whether it was kept.
    pub(super) async fn keep_new(&self, on: &StartsOn, waiting: &Waiting) -> Result<bool, Error> {
        match self.put_waiting(on, waiting, Expect::Absent).await {
            Ok(()) => Ok(true),
            // What stands there and cannot be read is written anew.
            Err(Error::Conflict { .. }) => match self.change(on, &waiting.id, waiting.since).await {
                Err(error) if is_lasting(&error) => {
                    self.put_waiting(on, waiting, Expect::Any).await?;
                    Ok(true)
                }
                standing => standing.map(|_| false),
            },
            // It may have landed, and only reading tells.
            Err(Error::Unknown { cause }) => match self.change(on, &waiting.id, waiting.since).await? {
                Some(_) => Ok(true),
                None => Err(Error::Unavailable { cause }),
            },
            Err(error) => Err(error),
        }
    }

    /// Keeps whom a change concerns.
    pub(super) async fn keep_people(&self, on: &StartsOn, waiting: &Waiting) -> Result<(), Error> {
        self.put_waiting(on, waiting, Expect::Any).await
    }

    async fn put_waiting(&self, on: &StartsOn, waiting: &Waiting, expect: Expect) -> Result<(), Error> {
        let key = key(on, &waiting.id);
        let sealed = self.journal.seal(&key, &write(&waiting.change))?;
        let record = WaitingRecord {
            version: VERSION,
            since: waiting.since,
            place: waiting.place,
            sealed: STANDARD.encode(sealed),
        };
        self.put(WAITING, &key, write(&record), expect, waiting.since)
            .await
    }

    /// What waits under a digest; none when it waits no longer.
    pub(super) async fn change(
        &self,
        on: &StartsOn,
        id: &Digest,
        now: Timestamp,
    ) -> Result<Option<Waiting>, Error> {
        let key = key(on, id);
        let Some(entry) = self.journal.store().get(WAITING, &key, now).await? else {
            return Ok(None);
        };
        let record: WaitingRecord = read(WAITING, &entry.value)?;
        let sealed = STANDARD.decode(&record.sealed).map_err(|error| Error::Corrupt {
            place: WAITING.into(),
            what: error.to_string().into(),
        })?;
        Ok(Some(Waiting {
            id: *id,
            since: record.since,
            place: record.place,
            change: parse(WAITING, &self.journal.unseal(&key, &sealed)?)?,
        }))
    }

    /// Remembers a change: one that is listed again later is no new one.
    pub(super) async fn keep_seen(&self, on: &StartsOn, id: &Digest, now: Timestamp) -> Result<(), Error> {
        let put = Put {
            space: &seen_by(on),
            key: &id.to_string(),
            value: Vec::new(),
            expect: Expect::Any,
            expires: Some(now + SEEN_FOR),
            at: now,
        };
        self.journal.store().put(put).await.map(drop)
    }

    /// Whether a change was seen. What is still being listed is remembered on.
    pub(super) async fn has_seen(&self, on: &StartsOn, id: &Digest, now: Timestamp) -> Result<bool, Error> {
        // What was not swept is known, however late a clock says that it is.
        let whenever = Timestamp::default();
        let seen = self.journal.store();
        let entry = seen.get(&seen_by(on), &id.to_string(), whenever).await?;
        let Some(entry) = entry else { return Ok(false) };
        let left = entry.expires.map_or(SEEN_FOR, |expires| expires.since(now));
        if left.as_millis() + SEEN_RENEWED_AFTER.as_millis() < SEEN_FOR.as_millis() {
            self.keep_seen(on, id, now).await?;
        }
        Ok(true)
    }

    /// How many changes a source remembers.
    pub(super) async fn remembered(&self, on: &StartsOn) -> Result<u64, Error> {
        Ok(self.journal.store().usage(&seen_by(on)).await?.keys)
    }

    /// The names of what waits for a source, a page of them.
    pub(super) async fn waiting_for(&self, on: &StartsOn, now: Timestamp) -> Result<Vec<String>, Error> {
        let store = self.journal.store();
        let page = store
            .list(WAITING, &format!("{on}/"), None, PAGE_MAX, now)
            .await?;
        Ok(page.into_iter().map(|(key, _)| key).collect())
    }

    /// Removes what waits no longer.
    pub(super) async fn remove(&self, on: &StartsOn, id: &Digest, now: Timestamp) -> Result<(), Error> {
        self.remove_named(&key(on, id), now).await
    }

    /// Removes what waits no longer, by its name.
    pub(super) async fn remove_named(&self, key: &str, now: Timestamp) -> Result<(), Error> {
        let removed = self.journal.store().remove(WAITING, key, Expect::Any, now);
        removed.await.map(drop)
    }

    /// Forgets what a source saw so long ago that it has expired by a time.
    pub(super) async fn forget(&self, on: &StartsOn, until: Timestamp, limit: usize) -> Result<usize, Error> {
        self.journal.store().sweep(&seen_by(on), until, limit).await
    }

    async fn put(
        &self,
        space: &str,
        key: &str,
        value: Vec<u8>,
        expect: Expect,
        now: Timestamp,
    ) -> Result<(), Error> {
        let put = Put {
            space,
            key,
            value,
            expect,
            expires: None,
            at: now,
        };
        self.journal.store().put(put).await.map(drop)
    }
}

fn key(on: &StartsOn, id: &Digest) -> String {
    format!("{on}/{id}")
}

/// The change that a key is about.
pub(super) fn id_in(key: &str) -> Option<Digest> {
    key.rsplit_once('/')?.1.parse().ok()
}

/// The space of what a source saw. Its name may be longer than a space's.
fn seen_by(on: &StartsOn) -> String {
    format!("{SEEN}.{}", Digest::of(on.to_string().as_bytes()))
}

fn write<T: Serialize>(record: &T) -> Vec<u8> {
    serde_json::to_vec(record).expect("records of names, times and JSON are JSON")
}

/// Reads a record of this version.
fn read<T: DeserializeOwned>(space: &str, bytes: &[u8]) -> Result<T, Error> {
    let Versioned { version } = parse(space, bytes)?;
    if version != VERSION {
        return Err(Error::Corrupt {
            place: space.into(),
            what: format!("it is of version {version}, and this Trunkline reads {VERSION}").into(),
        });
    }
    parse(space, bytes)
}

fn parse<T: DeserializeOwned>(space: &str, bytes: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|error| Error::Corrupt {
        place: space.into(),
        what: error.to_string().into(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use trunkline_journal::{MasterKey, Memory};

    use super::*;

    fn records(master: u8) -> Records {
        let master = MasterKey::from_bytes(&[master; 32]);
        Records::new(Arc::new(Journal::new(Arc::new(Memory::new()), master)))
    }

    #[test]
    fn a_change_is_known_by_its_key_or_else_as_a_whole() {
        let records = records(1);
        let one = json!({ "id": "a", "text": "x" });
        let other = json!({ "id": "a", "text": "y" });
        let id_of = |key: Option<&Json>, whole: &Json| records.id_of(key, whole);
        assert_eq!(id_of(one.get("id"), &one), id_of(other.get("id"), &other));
        assert_ne!(id_of(None, &one), id_of(None, &other));
        assert_ne!(id_of(Some(&one), &one), id_of(None, &one));
    }

    #[test]
    fn what_anybody_may_read_gives_no_number_away() {
        // Who knows the source, the change and the time could try all numbers.
        let on = StartsOn::Feed("works".into());
        let given = json!({ "id": "a" });
        let named = |master: u8| {
            let records = records(master);
            let waiting = Waiting {
                id: records.id_of(given.get("id"), &given),
                since: Timestamp::from_millis(1),
                place: 0,
                change: Change {
                    given: given.clone(),
                    people: None,
                },
            };
            let person = Some(Arc::from("+8613800138000"));
            (waiting.id, records.contact(&on, &waiting, &person))
        };
        assert_eq!(named(1), named(1));
        let (one, other) = (named(1), named(2));
        assert!(one.0 != other.0 && one.1 != other.1, "{one:?} {other:?}");
    }
}
