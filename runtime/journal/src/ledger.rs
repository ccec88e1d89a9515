//! What the committer knows of the rows. Requests are held against it, and those that may land
//! become changes of rows.

use std::{collections::HashMap, sync::Arc};

use trunkline_model::{ContactId, Timestamp};

use crate::{
    Entry, Error, Expect, Standing, Usage, Version,
    batch::{Batch, Request, Subject, Work},
    limits::{HEADS_REMEMBERED_MAX, SPACES_REMEMBERED_MAX, SWEEP_BYTES_MAX, SWEEP_ENTRIES_MAX},
    rows::{self, Rows, Scan, StreamRow, Table},
};

/// Why a request does not enter a batch.
enum Refusal {
    /// It is about something that the batch changes already, or that an earlier request waits for.
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
    /// The key that the last sweep of a space ended at, where it did not come to the end.
    swept: HashMap<String, String>,
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
            swept: HashMap::new(),
            revision: None,
            revision_changed: false,
        }
    }

    /// Takes a request into a batch, or answers that it cannot be carried out; gives it back
    /// when it has to wait for the next batch. Whatever is to be ordered behind a request that
    /// waits will wait too, so others may be staged meanwhile.
    pub(crate) fn stage(&mut self, mut request: Request, batch: &mut Batch) -> Option<Request> {
        let subject = request.work.subject();
        if batch.is_closed_to(&subject) {
            return Some(request);
        }
        match self.take(&mut request.work, batch) {
            Ok(answer) => batch.admit(request, answer),
            Err(Refusal::Later) => {
                // A put or a removal waits because its row is touched, which holds back all that
                // come after it about that row; other rows of the space need not wait.
                if !matches!(request.work, Work::Put { .. } | Work::Remove { .. }) {
                    batch.close_to(subject);
                }
                return Some(request);
            }
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
                batch.concern(Subject::Stream(stream.clone()));
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
                batch.concern(Subject::Space(space.clone()));
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
        if self.swept.len() > SPACES_REMEMBERED_MAX {
            self.swept.clear();
        }
    }

    /// Forgets everything that was not read from the rows: the batch in hand did not land.
    pub(crate) fn forget(&mut self) {
        self.heads.clear();
        self.usage.clear();
        self.swept.clear();
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
            batch.concern(Subject::Stream(stream.clone()));
        }
        Ok(had_key)
    }

    fn delete_stream(&mut self, stream: &ContactId, batch: &mut Batch) -> Result<bool, Refusal> {
        // The batch may hold events of the stream that no scan finds yet.
        let subject = Subject::Stream(stream.clone());
        if batch.concerns(&subject) {
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
        // Rows that are still there would be taken for what the stream is.
        batch.close_to(subject);
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
        batch.concern(Subject::Space(space.to_owned()));
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

    /// Removes expired entries. Looks at so many only that others' writes do not wait long, and
    /// goes on there the next time.
    fn sweep(&mut self, space: &str, at: Timestamp, limit: usize, batch: &mut Batch) -> Result<u64, Refusal> {
        // The batch may change entries that the scan still finds as they were.
        let subject = Subject::Space(space.to_owned());
        if batch.concerns(&subject) {
            return Err(Refusal::Later);
        }
        if limit == 0 {
            return Ok(0);
        }
        let mut expired = Vec::new();
        let mut bytes = 0;
        let mut looked_at = 0;
        let mut looked_at_bytes = 0;
        let mut ended_at = None;
        let range = rows::entries_after(space, "", self.swept.get(space).map(String::as_str));
        self.rows.scan(Table::Entries, range, &mut |key, value| {
            let entry = rows::entry_from_bytes(space, value)?;
            if !entry.is_live(at) {
                bytes += (rows::entry_name(space, key)?.len() + entry.value.len()) as u64;
                expired.push(key.to_vec());
            }
            looked_at += 1;
            looked_at_bytes += key.len() + value.len();
            if looked_at >= SWEEP_ENTRIES_MAX || looked_at_bytes >= SWEEP_BYTES_MAX {
                ended_at = Some(rows::entry_name(space, key)?);
                return Ok(Scan::Enough);
            }
            Ok(if expired.len() < limit {
                Scan::On
            } else {
                Scan::Enough
            })
        })?;
        let count = expired.len() as u64;
        if count > 0 {
            let usage = self.usage(space)?;
            usage.keys = usage.keys.saturating_sub(count);
            usage.bytes = usage.bytes.saturating_sub(bytes);
            batch.concern(subject);
        }
        match ended_at {
            Some(key) => drop(self.swept.insert(space.to_owned(), key)),
            // What the caller's limit left is found again from where this sweep began.
            None if expired.len() == limit => {}
            None => drop(self.swept.remove(space)),
        }
        for key in expired {
            batch.remove(Table::Entries, key.clone());
            batch.touch(Table::Entries, key);
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
mod tests;
