//! Rows in fjall, the default store on disk: a log-structured tree whose every commit is one
//! batch in its write-ahead log, synced before it counts.
//!
//! fjall takes a batch damaged in the middle of its log for the log's end, and drops what
//! follows. So nothing that is read is taken on trust: the journal chains and verifies each
//! contact by itself.

use std::ops::Range;

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode, Readable as _};

use crate::{
    Error, Kind, OpenError,
    directory::Directory,
    rows::{Change, CommitError, Rows, Scan, Table, Take},
};

/// Bytes of blocks kept in memory for reading.
const CACHE_BYTES: u64 = 64 << 20;

/// Bytes of events gathered in memory before they are written as a sorted table. A commit may
/// wait while that is done, the longer the larger it is.
const EVENTS_MEMTABLE_BYTES: u64 = 32 << 20;

/// The same for streams and for entries, which are small.
const SMALL_MEMTABLE_BYTES: u64 = 8 << 20;

/// Threads that write and merge sorted tables.
const WORKERS: usize = 2;

/// The tables of one database.
pub(crate) struct FjallRows {
    database: Database,
    events: Keyspace,
    streams: Keyspace,
    entries: Keyspace,
}

impl FjallRows {
    /// Opens the tables in a store's directory.
    pub(crate) fn open(directory: &Directory) -> Result<Self, OpenError> {
        let rows = directory.open_engine(Kind::Fjall, |path| {
            let database = Database::builder(path)
                .cache_size(CACHE_BYTES)
                .worker_threads(WORKERS)
                .open()?;
            let keyspace = |name, memtable_bytes| {
                database.keyspace(name, || {
                    KeyspaceCreateOptions::default().max_memtable_size(memtable_bytes)
                })
            };
            Ok::<_, fjall::Error>(Self {
                events: keyspace("events", EVENTS_MEMTABLE_BYTES)?,
                streams: keyspace("streams", SMALL_MEMTABLE_BYTES)?,
                entries: keyspace("entries", SMALL_MEMTABLE_BYTES)?,
                database,
            })
        })?;
        directory.sync_data()?;
        Ok(rows)
    }

    const fn keyspace(&self, table: Table) -> &Keyspace {
        match table {
            Table::Events => &self.events,
            Table::Streams => &self.streams,
            Table::Entries => &self.entries,
        }
    }
}

impl Rows for FjallRows {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let value = self.keyspace(table).get(key).map_err(read_failed)?;
        Ok(value.map(|value| value.to_vec()))
    }

    fn last_key(&self, table: Table, range: Range<Vec<u8>>) -> Result<Option<Vec<u8>>, Error> {
        if range.is_empty() {
            return Ok(None);
        }
        let last = self.keyspace(table).range(range).next_back();
        let key = last.map(fjall::Guard::key).transpose().map_err(read_failed)?;
        Ok(key.map(|key| key.to_vec()))
    }

    fn scan(&self, table: Table, range: Range<Vec<u8>>, take: &mut Take<'_>) -> Result<(), Error> {
        if range.is_empty() {
            return Ok(());
        }
        // A snapshot shows a commit whole or not at all.
        for row in self.database.snapshot().range(self.keyspace(table), range) {
            let (key, value) = row.into_inner().map_err(read_failed)?;
            if take(&key, &value)? == Scan::Enough {
                break;
            }
        }
        Ok(())
    }

    fn commit(&self, changes: Vec<Change>) -> Result<(), CommitError> {
        let mut batch = self.database.batch().durability(Some(PersistMode::SyncData));
        for change in changes {
            let keyspace = self.keyspace(change.table);
            match change.value {
                Some(value) => batch.insert(keyspace, change.key, value),
                None => batch.remove(keyspace, change.key),
            }
        }
        // After an error fjall takes no more writes: what the kernel did with the pages of a
        // failed sync is not to be known.
        batch
            .commit()
            .map_err(|error| CommitError::Broken(format!("fjall failed to commit: {error}")))
    }
}

fn read_failed(error: fjall::Error) -> Error {
    match error {
        fjall::Error::Io(error) => Error::Unavailable {
            cause: format!("fjall failed to read: {error}").into(),
        },
        error => Error::Corrupt {
            place: "the fjall store".into(),
            what: error.to_string().into(),
        },
    }
}
