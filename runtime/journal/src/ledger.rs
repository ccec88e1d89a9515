//! What the committer knows of the rows. Requests are held against it, and those that may land
//! become changes of rows.

use std::{collections::HashMap, sync::Arc};

use trunkline_model::{ContactId, Timestamp};

use crate::{
    Entry, Error, Expect, Standing, Usage, Version,
    batch::{Batch, Request, Work},
    limits::{HEADS_REMEMBERED_MAX, SPACES_REMEMBERED_MAX},
    rows::{self, Rows, Scan, StreamRow, Table},
};

/// Why a request does not enter a batch.
enum Refusal {
    /// It is about something that the batch changes already.
    Later,
    Error(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// What the committer knows of the rows: as of the last commit, and of the batch in hand.
pub(crate) struct Ledger<R> {
    rows: Arc<R>,
    heads: HashMap<ContactId, Head>,
    /// How much each space holds; true where the batch in hand changes it.
    usage: HashMap<String, (Usage, bool)>,
    /// The version given last to any entry; none until it is needed.
    revision: Option<u64>,
    revision_changed: bool,
}

#[derive(Clone, Copy)]
struct Head {
    count: u64,
    /// None where there is no such stream.
    standing: Option<Standing>,
}

impl<R: Rows> Ledger<R> {
    pub(crate) fn new(rows: Arc<R>) -> Self {
        Self {
            rows,
            heads: HashMap::new(),
            usage: HashMap::new(),
            revision: None,
            revision_changed: false,
        }
    }

    /// Takes a request into a batch, or answers that it cannot be carried out; gives it back
    /// when it has to wait for the next batch.
    pub(crate) fn stage(&mut self, mut request: Request, batch: &mut Batch) -> Option<Request> {
        match self.take(&mut request.work, batch) {
            Ok(answer) => batch.admit(request, answer),
            Err(Refusal::Later) => return Some(request),
            Err(Refusal::Error(error)) => request.refuse(error),
        }
        None
    }

    /// Stages work; empties it only when it succeeds.
    fn take(&mut self, work: &mut Work, batch: &mut Batch) -> Result<u64, Refusal> {
        match work {
            Work::Append {
                stream,
                expected,
                frames,
                standing,
                key,
            } => {
                let head = self.fence(stream, *expected)?;
                if frames.is_empty() {
                    return Ok(head.count);
                }
                if head.standing != Some(*standing) {
                    self.stand(stream, head.standing, *standing, key, batch)?;
                }
                let mut count = head.count;
                for frame in frames.drain(..) {
                    count += 1;
                    batch.put(Table::Events, rows::event_key(stream, count), frame);
                }
                let standing = Some(*standing);
                self.heads.insert(stream.clone(), Head { count, standing });
                Ok(count)
            }
            Work::EraseKey { stream } => self.erase_key(stream, batch).map(u64::from),
            Work::DeleteStream { stream } => self.delete_stream(stream, batch).map(u64::from),
            Work::Put {
                space,
                key,
                value,
                expect,
                expires,
                at,
            } => {
                let (row, old) = self.entry(space, key, *expect, *at, batch)?;
                let revision = self.revision()? + 1;
                let usage = self.usage(space)?;
                match old {
                    Some(old) => usage.bytes = usage.bytes.saturating_sub(old.value.len() as u64),
                    None => {
                        usage.keys += 1;
                        usage.bytes += key.len() as u64;
                    }
                }
                usage.bytes += value.len() as u64;
                self.revision = Some(revision);
                self.revision_changed = true;
                let bytes = rows::entry_to_bytes(Version::from_u64(revision), *expires, value);
                batch.put(Table::Entries, row.clone(), bytes);
                batch.touch(Table::Entries, row);
                Ok(revision)
            }
            Work::Remove {
                space,
                key,
                expect,
                at,
            } => self.remove(space, key, *expect, *at, batch).map(u64::from),
            Work::Sweep { space, at, limit } => self.sweep(space, *at, *limit, batch),
        }
    }

    /// Adds what the batch's requests have in common. To be called once, before it is written.
    pub(crate) fn close(&mut self, batch: &mut Batch) {
        for (space, (usage, changed)) in &mut self.usage {
            if std::mem::take(changed) {
                batch.put(
                    Table::Entries,
                    rows::usage_key(space),
                    rows::usage_to_bytes(*usage),
                );
            }
        }
        if std::mem::take(&mut self.revision_changed)
            && let Some(revision) = self.revision
        {
            batch.put(
                Table::Entries,
                rows::revision_key(),
                revision.to_be_bytes().to_vec(),
            );
        }
        // Nothing is staged any more until the batch has landed, so all may be forgotten.
        if self.heads.len() > HEADS_REMEMBERED_MAX {
            self.heads.clear();
        }
        if self.usage.len() > SPACES_REMEMBERED_MAX {
            self.usage.clear();
        }
    }

    /// Forgets everything that was not read from the rows: the batch in hand did not land.
    pub(crate) fn forget(&mut self) {
        self.heads.clear();
        self.usage.clear();
        self.revision = None;
        self.revision_changed = false;
    }

    fn head(&mut self, stream: &ContactId) -> Result<Head, Error> {
        if let Some(head) = self.heads.get(stream) {
            return Ok(*head);
        }
        let head = match self.rows.get(Table::Streams, &rows::stream_key(stream))? {
            None => Head {
                count: 0,
                standing: None,
            },
            Some(row) => {
                let last = self
                    .rows
                    .last_key(Table::Events, rows::events_after(stream, Version::NONE))?
                    .ok_or_else(|| rows::corrupt(&format!("contact {stream}"), "it has no events"))?;
                Head {
                    count: rows::event_version(&last)?.as_u64(),
                    standing: Some(StreamRow::from_bytes(stream, &row)?.standing),
                }
            }
        };
        self.heads.insert(stream.clone(), head);
        Ok(head)
    }

    /// A stream's head, when it is at the version expected.
    fn fence(&mut self, stream: &ContactId, expected: Version) -> Result<Head, Error> {
        let head = self.head(stream)?;
        let found = Version::from_u64(head.count);
        if found != expected {
            return Err(Error::Conflict {
                subject: format!("contact {stream}").into(),
                expected,
                found,
            });
        }
        Ok(head)
    }

    /// Stages the rows of a stream that is new or changes its standing.
    fn stand(
        &self,
        stream: &ContactId,
        before: Option<Standing>,
        standing: Standing,
        key: &mut Option<Vec<u8>>,
        batch: &mut Batch,
    ) -> Result<(), Refusal> {
        let row_key = rows::stream_key(stream);
        if batch.touches(Table::Streams, &row_key) {
            return Err(Refusal::Later);
        }
        let key = match before {
            None => key.take(),
            Some(before) => {
                let row = self.stream_row(stream)?;
                batch.remove(Table::Streams, rows::index_key(before, stream));
                row.and_then(|row| row.key)
            }
        };
        let row = StreamRow { standing, key };
        batch.put(Table::Streams, rows::index_key(standing, stream), Vec::new());
        batch.put(Table::Streams, row_key.clone(), row.to_bytes());
        batch.touch(Table::Streams, row_key);
        Ok(())
    }

    fn stream_row(&self, stream: &ContactId) -> Result<Option<StreamRow>, Error> {
        self.rows
            .get(Table::Streams, &rows::stream_key(stream))?
            .map(|row| StreamRow::from_bytes(stream, &row))
            .transpose()
    }

    fn erase_key(&self, stream: &ContactId, batch: &mut Batch) -> Result<bool, Refusal> {
        let row_key = rows::stream_key(stream);
        if batch.touches(Table::Streams, &row_key) {
            return Err(Refusal::Later);
        }
        let Some(mut row) = self.stream_row(stream)? else {
            return Ok(false);
        };
        let had_key = row.key.take().is_some();
        if had_key {
            batch.put(Table::Streams, row_key.clone(), row.to_bytes());
            batch.touch(Table::Streams, row_key);
        }
        Ok(had_key)
    }

    fn delete_stream(&mut self, stream: &ContactId, batch: &mut Batch) -> Result<bool, Refusal> {
        // The batch may hold events of the stream that no scan finds yet.
        if !batch.changes.is_empty() {
            return Err(Refusal::Later);
        }
        let Some(row) = self.stream_row(stream)? else {
            return Ok(false);
        };
        let mut events = Vec::new();
        let range = rows::events_after(stream, Version::NONE);
        self.rows.scan(Table::Events, range, &mut |key, _| {
            events.push(key.to_vec());
            Ok(Scan::On)
        })?;
        for event in events {
            batch.remove(Table::Events, event);
        }
        batch.remove(Table::Streams, rows::index_key(row.standing, stream));
        batch.remove(Table::Streams, rows::stream_key(stream));
        batch.close();
        self.heads.remove(stream);
        Ok(true)
    }

    fn remove(
        &mut self,
        space: &str,
        key: &str,
        expect: Expect,
        at: Timestamp,
        batch: &mut Batch,
    ) -> Result<bool, Refusal> {
        let (row_key, old) = self.entry(space, key, expect, at, batch)?;
        let Some(old) = old else {
            return Ok(false);
        };
        let usage = self.usage(space)?;
        usage.keys = usage.keys.saturating_sub(1);
        usage.bytes = usage.bytes.saturating_sub((key.len() + old.value.len()) as u64);
        batch.remove(Table::Entries, row_key.clone());
        batch.touch(Table::Entries, row_key);
        Ok(old.is_live(at))
    }

    /// An entry's row and what it holds, expired or not, when it is as expected.
    fn entry(
        &self,
        space: &str,
        key: &str,
        expect: Expect,
        at: Timestamp,
        batch: &Batch,
    ) -> Result<(Vec<u8>, Option<Entry>), Refusal> {
        let row_key = rows::entry_key(space, key);
        if batch.touches(Table::Entries, &row_key) {
            return Err(Refusal::Later);
        }
        let old = self
            .rows
            .get(Table::Entries, &row_key)?
            .map(|bytes| rows::entry_from_bytes(space, &bytes))
            .transpose()?;
        let found = old.as_ref().filter(|old| old.is_live(at)).map(|old| old.version);
        match expect.conflict(found) {
            None => Ok((row_key, old)),
            Some((expected, found)) => Err(Refusal::Error(Error::Conflict {
                subject: format!("an entry of space {space}").into(),
                expected,
                found,
            })),
        }
    }

    fn sweep(&mut self, space: &str, at: Timestamp, limit: usize, batch: &mut Batch) -> Result<u64, Refusal> {
        // The batch may change entries that the scan still finds as they were.
        if !batch.changes.is_empty() {
            return Err(Refusal::Later);
        }
        let mut expired = Vec::new();
        let mut bytes = 0;
        if limit > 0 {
            let range = rows::entries_after(space, "", None);
            self.rows.scan(Table::Entries, range, &mut |key, value| {
                let entry = rows::entry_from_bytes(space, value)?;
                if !entry.is_live(at) {
                    bytes += (rows::entry_name(space, key)?.len() + entry.value.len()) as u64;
                    expired.push(key.to_vec());
                }
                Ok(if expired.len() < limit {
                    Scan::On
                } else {
                    Scan::Enough
                })
            })?;
        }
        let count = expired.len() as u64;
        if count > 0 {
            let usage = self.usage(space)?;
            usage.keys = usage.keys.saturating_sub(count);
            usage.bytes = usage.bytes.saturating_sub(bytes);
            batch.close();
        }
        for key in expired {
            batch.remove(Table::Entries, key);
        }
        Ok(count)
    }

    /// The version given last to any entry.
    fn revision(&self) -> Result<u64, Error> {
        match self.revision {
            Some(revision) => Ok(revision),
            None => match self.rows.get(Table::Entries, &rows::revision_key())? {
                Some(bytes) => rows::revision_from_bytes(&bytes),
                None => Ok(0),
            },
        }
    }

    /// A space's usage, to be changed.
    fn usage(&mut self, space: &str) -> Result<&mut Usage, Error> {
        if !self.usage.contains_key(space) {
            let usage = match self.rows.get(Table::Entries, &rows::usage_key(space))? {
                Some(bytes) => rows::usage_from_bytes(space, &bytes)?,
                None => Usage::default(),
            };
            self.usage.insert(space.to_owned(), (usage, false));
        }
        let (usage, changed) = self
            .usage
            .get_mut(space)
            .expect("the space's usage was put there just now");
        *changed = true;
        Ok(usage)
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, ops::Range, sync::Mutex};

    use tokio::sync::oneshot;

    use super::*;
    use crate::rows::{Change, CommitError, Take};

    /// Rows in memory.
    #[derive(Default)]
    struct MapRows(Mutex<BTreeMap<Row, Vec<u8>>>);

    type Row = (u8, Vec<u8>);

    impl Rows for MapRows {
        fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
            Ok(self.0.lock().unwrap().get(&(table as u8, key.to_vec())).cloned())
        }

        fn last_key(&self, table: Table, range: Range<Vec<u8>>) -> Result<Option<Vec<u8>>, Error> {
            let mut last = None;
            self.scan(table, range, &mut |key, _| {
                last = Some(key.to_vec());
                Ok(Scan::On)
            })?;
            Ok(last)
        }

        fn scan(&self, table: Table, range: Range<Vec<u8>>, take: &mut Take<'_>) -> Result<(), Error> {
            let rows = self.0.lock().unwrap();
            for ((_, key), value) in rows.range((table as u8, range.start)..(table as u8, range.end)) {
                if take(key, value)? == Scan::Enough {
                    break;
                }
            }
            Ok(())
        }

        fn commit(&self, changes: Vec<Change>) -> Result<(), CommitError> {
            let mut rows = self.0.lock().unwrap();
            for change in changes {
                let key = (change.table as u8, change.key);
                match change.value {
                    Some(value) => drop(rows.insert(key, value)),
                    None => drop(rows.remove(&key)),
                }
            }
            Ok(())
        }
    }

    type Answer = oneshot::Receiver<Result<u64, Error>>;

    fn request(work: Work) -> (Request, Answer) {
        let (reply, answer) = oneshot::channel();
        (Request { work, reply }, answer)
    }

    fn append(expected: u64, standing: Standing) -> (Request, Answer) {
        request(Work::Append {
            stream: ContactId::from("a"),
            expected: Version::from_u64(expected),
            frames: vec![b"frame".to_vec()],
            standing,
            key: None,
        })
    }

    fn put(key: &str) -> (Request, Answer) {
        request(Work::Put {
            space: "crm".to_owned(),
            key: key.to_owned(),
            value: b"value".to_vec(),
            expect: Expect::Any,
            expires: None,
            at: Timestamp::from_millis(0),
        })
    }

    fn delete() -> (Request, Answer) {
        request(Work::DeleteStream {
            stream: ContactId::from("a"),
        })
    }

    fn ledger() -> Ledger<MapRows> {
        Ledger::new(Arc::new(MapRows::default()))
    }

    fn commit(ledger: &mut Ledger<MapRows>, mut batch: Batch) {
        ledger.close(&mut batch);
        let mut rows: Vec<_> = batch
            .changes
            .iter()
            .map(|change| (change.table as u8, change.key.clone()))
            .collect();
        let changes = rows.len();
        rows.sort_unstable();
        rows.dedup();
        assert_eq!(rows.len(), changes, "a row is changed twice");
        ledger.rows.commit(std::mem::take(&mut batch.changes)).unwrap();
        batch.answer(&Ok(()));
    }

    #[test]
    fn appends_of_one_stream_share_a_batch_until_its_standing_changes_again() {
        let mut ledger = ledger();
        let mut batch = Batch::default();
        let (first, first_answer) = append(0, Standing::Open);
        let (second, second_answer) = append(1, Standing::Open);
        let (stale, mut stale_answer) = append(1, Standing::Open);
        let (end, mut end_answer) = append(2, Standing::Ended);
        assert!(ledger.stage(first, &mut batch).is_none());
        assert!(ledger.stage(second, &mut batch).is_none());
        assert!(ledger.stage(stale, &mut batch).is_none());
        assert!(matches!(stale_answer.try_recv(), Ok(Err(Error::Conflict { .. }))));
        let later = ledger.stage(end, &mut batch).expect("it waits");
        assert!(
            end_answer.try_recv().is_err(),
            "nothing is said before it is durable"
        );
        commit(&mut ledger, batch);
        assert_eq!(first_answer.blocking_recv().unwrap().unwrap(), 1);
        assert_eq!(second_answer.blocking_recv().unwrap().unwrap(), 2);

        let mut batch = Batch::default();
        let (late, late_answer) = append(3, Standing::Ended);
        assert!(ledger.stage(later, &mut batch).is_none());
        assert!(ledger.stage(late, &mut batch).is_none());
        commit(&mut ledger, batch);
        assert_eq!(end_answer.blocking_recv().unwrap().unwrap(), 3);
        assert_eq!(late_answer.blocking_recv().unwrap().unwrap(), 4);
    }

    #[test]
    fn puts_of_one_key_and_deletions_wait_for_the_next_batch() {
        let mut ledger = ledger();
        let mut batch = Batch::default();
        assert!(ledger.stage(put("k").0, &mut batch).is_none());
        assert!(ledger.stage(put("other").0, &mut batch).is_none());
        assert!(ledger.stage(put("k").0, &mut batch).is_some());
        assert!(ledger.stage(delete().0, &mut batch).is_some());
        assert!(ledger.stage(append(0, Standing::Open).0, &mut batch).is_none());
        commit(&mut ledger, batch);

        let mut batch = Batch::default();
        let (delete, deleted) = delete();
        assert!(ledger.stage(delete, &mut batch).is_none());
        assert!(batch.is_full(), "nothing shares a batch with a deletion");
        commit(&mut ledger, batch);
        assert_eq!(deleted.blocking_recv().unwrap().unwrap(), 1);
        assert!(
            ledger
                .rows
                .0
                .lock()
                .unwrap()
                .keys()
                .all(|(table, _)| *table == Table::Entries as u8)
        );
    }

    #[test]
    fn what_did_not_land_is_forgotten() {
        let mut ledger = ledger();
        let mut batch = Batch::default();
        assert!(ledger.stage(append(0, Standing::Open).0, &mut batch).is_none());
        assert!(ledger.stage(put("k").0, &mut batch).is_none());
        drop(batch);
        ledger.forget();
        let mut batch = Batch::default();
        let (again, answer) = append(0, Standing::Open);
        let (put, version) = put("k");
        assert!(ledger.stage(again, &mut batch).is_none());
        assert!(ledger.stage(put, &mut batch).is_none());
        commit(&mut ledger, batch);
        assert_eq!(answer.blocking_recv().unwrap().unwrap(), 1);
        assert_eq!(version.blocking_recv().unwrap().unwrap(), 1);
        let usage = ledger
            .rows
            .get(Table::Entries, &rows::usage_key("crm"))
            .unwrap()
            .unwrap();
        assert_eq!(
            rows::usage_from_bytes("crm", &usage).unwrap(),
            Usage { keys: 1, bytes: 6 }
        );
    }
}
