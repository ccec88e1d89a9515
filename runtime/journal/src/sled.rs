//! Rows in sled, as durable as they can be made from outside.
//!
//! sled 0.34 calls `sync_file_range` where it should call `fsync`, never syncs its `conf` file,
//! and moves a page of more than 128 KiB to a file of its own that it never syncs. Therefore:
//!
//! - one tree for all tables, written by one thread, one batch per commit;
//! - after its `flush` the file `db` is synced by ourselves, and only then a commit counts;
//! - whatever opening wrote is synced before the store is used;
//! - values of more than [`INLINE_BYTES_MAX`] go to files named by their digests, synced before
//!   the rows that name them, so that no page grows too large.
//!
//! So far nothing was lost that way, in tests that keep only what was synced. It remains that
//! an engine is held to what it does not promise: see [`STORES_HELP`](crate::STORES_HELP).
//!
//! A file of a large value is removed after the row that named it. When the process dies between
//! the two the file stays, and takes room.

use std::{fs::File, ops::Range};

use sled::{Batch, Db, IVec};
use trunkline_model::Digest;

use crate::{
    Error, Kind, OpenError,
    digest_files::DigestFiles,
    directory::Directory,
    rows::{Change, CommitError, Rows, Scan, Table, Take},
};

/// How often sled is opened again when its files do not open.
const OPEN_AGAIN_MAX: u32 = 40;

/// The pause before it is opened again.
const OPEN_AGAIN_AFTER: std::time::Duration = std::time::Duration::from_millis(50);

/// Bytes of pages kept in memory.
const CACHE_BYTES: u64 = 64 << 20;

/// Bytes of a value that stays in its row.
const INLINE_BYTES_MAX: usize = 2_048;

/// The folder of large values.
const LARGE_FOLDER: &str = "large";

/// The first byte of a row's value: the value follows.
const INLINE: u8 = 0;

/// The first byte of a row's value: the digest of its file follows.
const LARGE: u8 = 1;

/// The tables of one sled tree.
pub(crate) struct SledRows {
    tree: Db,
    /// sled's own file of pages, to be synced by us.
    pages: File,
    large: DigestFiles,
}

impl SledRows {
    /// Opens the tables in a store's directory.
    pub(crate) fn open(directory: &Directory) -> Result<Self, OpenError> {
        let tree = directory.open_engine(Kind::Sled, |path| {
            let open = || {
                sled::Config::new()
                    .path(path)
                    .cache_capacity(CACHE_BYTES)
                    .flush_every_ms(None)
                    .open()
            };
            // The directory is ours, so whoever still holds sled's own lock is an instance that
            // was dropped in this process and whose threads are about to end.
            for _ in 0..OPEN_AGAIN_MAX {
                match open() {
                    Err(sled::Error::Io(_)) => std::thread::sleep(OPEN_AGAIN_AFTER),
                    opened => return opened,
                }
            }
            open()
        })?;
        directory.sync_data()?;
        let pages_path = directory.data().join("db");
        Ok(Self {
            tree,
            pages: File::open(&pages_path).map_err(OpenError::io("open", &pages_path))?,
            large: DigestFiles::open(directory.path().join(LARGE_FOLDER))?,
        })
    }

    /// What a row's value stands for.
    fn load(&self, key: &[u8], value: &[u8]) -> Result<Vec<u8>, Error> {
        let corrupt = |what: String| Error::Corrupt {
            place: "a row of the sled store".into(),
            what: what.into(),
        };
        match value {
            [INLINE, value @ ..] => Ok(value.to_vec()),
            [LARGE, digest @ ..] => {
                let digest = to_digest(digest)
                    .ok_or_else(|| corrupt("the name of its file is cut short".to_owned()))?;
                let mut content = self
                    .large
                    .read(&digest)?
                    .ok_or_else(|| corrupt(format!("its file {digest} is missing")))?;
                if !content.starts_with(key) {
                    return Err(corrupt(format!("its file {digest} belongs to another row")));
                }
                content.drain(..key.len());
                Ok(content)
            }
            _ => Err(corrupt("it has an unknown form".to_owned())),
        }
    }

    /// The file of a row's value, if it has one.
    fn file_of(&self, key: &[u8]) -> Result<Option<Digest>, CommitError> {
        let value = self
            .tree
            .get(key)
            .map_err(|error| CommitError::Refused(format!("sled failed to read: {error}")))?;
        Ok(match value.as_deref() {
            Some([LARGE, digest @ ..]) => to_digest(digest),
            _ => None,
        })
    }
}

impl Rows for SledRows {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let key = row_key(table, key);
        let value = self.tree.get(&key).map_err(read_failed)?;
        value.map(|value| self.load(&key, &value)).transpose()
    }

    fn last_key(&self, table: Table, range: Range<Vec<u8>>) -> Result<Option<Vec<u8>>, Error> {
        let last = self.tree.range(row_range(table, &range)).next_back();
        let row = last.transpose().map_err(read_failed)?;
        Ok(row.map(|(key, _)| table_key(&key).to_vec()))
    }

    fn scan(&self, table: Table, range: Range<Vec<u8>>, take: &mut Take<'_>) -> Result<(), Error> {
        for row in self.tree.range(row_range(table, &range)) {
            let (key, value) = row.map_err(read_failed)?;
            if take(table_key(&key), &self.load(&key, &value)?)? == Scan::Enough {
                break;
            }
        }
        Ok(())
    }

    fn commit(&self, changes: Vec<Change>) -> Result<(), CommitError> {
        let mut batch = Batch::default();
        let mut large = Vec::new();
        let mut replaced = Vec::new();
        for change in changes {
            let key = row_key(change.table, &change.key);
            // Frames are only ever added, or removed with their stream.
            if change.table != Table::Events || change.value.is_none() {
                replaced.extend(self.file_of(&key)?);
            }
            match change.value {
                None => batch.remove(key),
                Some(value) if value.len() <= INLINE_BYTES_MAX => {
                    batch.insert(key, [&[INLINE], value.as_slice()].concat());
                }
                Some(value) => {
                    // With the row's key in it no two rows share a file, so that removing one
                    // row never takes another's.
                    let content = [key.as_slice(), &value].concat();
                    let digest = Digest::of(&content);
                    batch.insert(key, [&[LARGE], digest.as_bytes().as_slice()].concat());
                    large.push((digest, content));
                }
            }
        }
        if !large.is_empty() {
            let contents: Vec<_> = large
                .iter()
                .map(|(digest, content)| (*digest, content.as_slice()))
                .collect();
            self.large
                .write(&contents)
                .map_err(|error| CommitError::Refused(format!("failed to write large values: {error}")))?;
        }
        self.tree
            .apply_batch(batch)
            .and_then(|()| self.tree.flush())
            .map_err(|error| CommitError::Broken(format!("sled failed to commit: {error}")))?;
        self.pages
            .sync_data()
            .map_err(|error| CommitError::Broken(format!("failed to sync sled's pages: {error}")))?;
        // An entry that is written again with the same content keeps its file.
        replaced.retain(|digest| large.iter().all(|(written, _)| written != digest));
        if let Err(error) = self.large.delete(&replaced) {
            // The commit stands; a file that nothing names only takes room.
            tracing::warn!(%error, "failed to remove values that were replaced");
        }
        Ok(())
    }
}

const fn table_prefix(table: Table) -> u8 {
    match table {
        Table::Events => b'v',
        Table::Streams => b's',
        Table::Entries => b'k',
    }
}

fn row_key(table: Table, key: &[u8]) -> Vec<u8> {
    [&[table_prefix(table)], key].concat()
}

fn row_range(table: Table, range: &Range<Vec<u8>>) -> Range<Vec<u8>> {
    let start = row_key(table, &range.start);
    let end = row_key(table, &range.end);
    // sled does not take a range that ends before it begins.
    let end = end.max(start.clone());
    start..end
}

fn table_key(key: &IVec) -> &[u8] {
    key.get(1..).unwrap_or_default()
}

fn to_digest(bytes: &[u8]) -> Option<Digest> {
    bytes.try_into().ok().map(Digest::from_bytes)
}

fn read_failed(error: sled::Error) -> Error {
    match error {
        sled::Error::Io(error) => Error::Unavailable {
            cause: format!("sled failed to read: {error}").into(),
        },
        error => Error::Corrupt {
            place: "the sled store".into(),
            what: error.to_string().into(),
        },
    }
}
