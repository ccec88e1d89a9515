//! A store on disk: rows of some engine behind one committer, and blobs as files.

use std::sync::Arc;

use async_trait::async_trait;
use trunkline_model::{ContactId, Digest, Timestamp};

use crate::{
    Append, Blobs, Entry, Error, Events, Expect, Frame, KeyValues, Kind, OpenError, Put, Standing, Store,
    StreamHead, Streams, Usage, Version,
    batch::Work,
    committer::Committer,
    digest_files::DigestFiles,
    directory::Directory,
    limits::PAGE_BYTES_MAX,
    rows::{self, Rows, Scan, StreamRow, Table},
    store::bounds,
};

/// The folder of a store's directory that holds its blobs.
const BLOBS_FOLDER: &str = "blobs";

/// A store on disk.
///
/// Once its committer has stopped it is read no more either: an engine may still show what it
/// failed to bring to the disk, and nobody may take that for landed.
///
/// Point reads run on the task that asks: they are a look into memory or one read of a few
/// kilobytes. Lists, streams and blobs are read on threads that may block.
pub(crate) struct Durable<R> {
    kind: Kind,
    // In this order they are dropped: what waits is written, then the engine closes its files,
    // then the directory is free for others.
    committer: Committer,
    files: Arc<Files<R>>,
}

struct Files<R> {
    rows: Arc<R>,
    blobs: DigestFiles,
    #[expect(dead_code, reason = "held so that no other process opens the directory")]
    directory: Directory,
}

impl<R: Rows> Durable<R> {
    /// Puts a store together of an opened directory and the engine's rows in it.
    pub(crate) fn new(kind: Kind, directory: Directory, rows: R) -> Result<Self, OpenError> {
        let blobs = DigestFiles::open(directory.path().join(BLOBS_FOLDER))?;
        let rows = Arc::new(rows);
        let committer = Committer::start(kind, Arc::clone(&rows))
            .map_err(OpenError::io("start a thread for", directory.path()))?;
        Ok(Self {
            kind,
            committer,
            files: Arc::new(Files {
                rows,
                blobs,
                directory,
            }),
        })
    }

    /// Looks up rows on the task that asks.
    fn look_up<T>(&self, read: impl FnOnce(&R) -> Result<T, Error>) -> Result<T, Error> {
        self.committer.check()?;
        let found = read(&self.files.rows);
        // The store may have stopped meanwhile.
        self.committer.check()?;
        found
    }

    /// Runs something that may wait for the disk.
    async fn blocking<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Files<R>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.committer.check()?;
        let files = Arc::clone(&self.files);
        let found = tokio::task::spawn_blocking(move || read(&files))
            .await
            .unwrap_or_else(|failure| {
                Err(Error::Unavailable {
                    cause: format!("reading failed: {failure}").into(),
                })
            });
        // The store may have stopped meanwhile.
        self.committer.check()?;
        found
    }
}

impl<R: Rows> Store for Durable<R> {
    fn kind(&self) -> Kind {
        self.kind
    }
}

#[async_trait]
impl<R: Rows> Events for Durable<R> {
    async fn append(&self, append: Append<'_>) -> Result<Version, Error> {
        bounds::append(&append)?;
        let work = Work::Append {
            stream: append.stream.clone(),
            expected: append.expected,
            frames: append.frames,
            standing: append.standing,
            key: append.key,
        };
        self.committer.carry_out(work).await.map(Version::from_u64)
    }

    async fn head(&self, stream: &ContactId) -> Result<Option<StreamHead>, Error> {
        bounds::stream(stream)?;
        self.look_up(|rows| {
            let Some(row) = rows.get(Table::Streams, &rows::stream_key(stream))? else {
                return Ok(None);
            };
            let row = StreamRow::from_bytes(stream, &row)?;
            let last = rows
                .last_key(Table::Events, rows::events_after(stream, Version::NONE))?
                .ok_or_else(|| rows::corrupt(&format!("contact {stream}"), "it has no events"))?;
            Ok(Some(StreamHead {
                version: rows::event_version(&last)?,
                standing: row.standing,
                key: row.key,
            }))
        })
    }

    async fn read(&self, stream: &ContactId, after: Version, limit: usize) -> Result<Vec<Frame>, Error> {
        bounds::stream(stream)?;
        let range = rows::events_after(stream, after);
        let limit = bounds::page(limit);
        self.blocking(move |files| {
            let mut frames = Vec::new();
            let mut page = Page::new(limit);
            files.rows.scan(Table::Events, range, &mut |key, frame| {
                if !page.admits(frame.len()) {
                    return Ok(Scan::Enough);
                }
                frames.push(Frame {
                    version: rows::event_version(key)?,
                    bytes: frame.to_vec(),
                });
                Ok(Scan::On)
            })?;
            Ok(frames)
        })
        .await
    }

    async fn streams(
        &self,
        which: Streams,
        after: Option<&ContactId>,
        limit: usize,
    ) -> Result<Vec<ContactId>, Error> {
        let standing = match which {
            Streams::Open => Some(Standing::Open),
            Streams::Ended => Some(Standing::Ended),
            Streams::All => None,
        };
        let range = rows::names_after(standing, after);
        let limit = bounds::page(limit);
        self.blocking(move |files| {
            let mut names = Vec::new();
            let mut page = Page::new(limit);
            files.rows.scan(Table::Streams, range, &mut |key, _| {
                if !page.admits(key.len()) {
                    return Ok(Scan::Enough);
                }
                names.push(rows::stream_name(key)?);
                Ok(Scan::On)
            })?;
            Ok(names)
        })
        .await
    }

    async fn erase_key(&self, stream: &ContactId) -> Result<bool, Error> {
        bounds::stream(stream)?;
        let stream = stream.clone();
        let erased = self.committer.carry_out(Work::EraseKey { stream }).await?;
        Ok(erased != 0)
    }

    async fn delete_stream(&self, stream: &ContactId) -> Result<bool, Error> {
        bounds::stream(stream)?;
        let stream = stream.clone();
        let deleted = self.committer.carry_out(Work::DeleteStream { stream }).await?;
        Ok(deleted != 0)
    }
}

#[async_trait]
impl<R: Rows> KeyValues for Durable<R> {
    async fn get(&self, space: &str, key: &str, at: Timestamp) -> Result<Option<Entry>, Error> {
        bounds::entry(space, key)?;
        let entry = self
            .look_up(|rows| rows.get(Table::Entries, &rows::entry_key(space, key)))?
            .map(|bytes| rows::entry_from_bytes(space, &bytes))
            .transpose()?;
        Ok(entry.filter(|entry| entry.is_live(at)))
    }

    async fn put(&self, put: Put<'_>) -> Result<Version, Error> {
        bounds::put(&put)?;
        let work = Work::Put {
            space: put.space.to_owned(),
            key: put.key.to_owned(),
            value: put.value,
            expect: put.expect,
            expires: put.expires,
            at: put.at,
        };
        self.committer.carry_out(work).await.map(Version::from_u64)
    }

    async fn remove(&self, space: &str, key: &str, expect: Expect, at: Timestamp) -> Result<bool, Error> {
        bounds::entry(space, key)?;
        let work = Work::Remove {
            space: space.to_owned(),
            key: key.to_owned(),
            expect,
            at,
        };
        Ok(self.committer.carry_out(work).await? != 0)
    }

    async fn list(
        &self,
        space: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        at: Timestamp,
    ) -> Result<Vec<(String, Entry)>, Error> {
        bounds::space(space)?;
        let range = rows::entries_after(space, prefix, after);
        let limit = bounds::page(limit);
        let space = space.to_owned();
        self.blocking(move |files| {
            let mut entries = Vec::new();
            let mut page = Page::new(limit);
            files.rows.scan(Table::Entries, range, &mut |key, bytes| {
                let entry = rows::entry_from_bytes(&space, bytes)?;
                if !entry.is_live(at) {
                    return Ok(Scan::On);
                }
                let key = rows::entry_name(&space, key)?;
                if !page.admits(key.len() + entry.value.len()) {
                    return Ok(Scan::Enough);
                }
                entries.push((key, entry));
                Ok(Scan::On)
            })?;
            Ok(entries)
        })
        .await
    }

    async fn usage(&self, space: &str) -> Result<Usage, Error> {
        bounds::space(space)?;
        match self.look_up(|rows| rows.get(Table::Entries, &rows::usage_key(space)))? {
            Some(bytes) => rows::usage_from_bytes(space, &bytes),
            None => Ok(Usage::default()),
        }
    }

    async fn sweep(&self, space: &str, at: Timestamp, limit: usize) -> Result<usize, Error> {
        bounds::space(space)?;
        let work = Work::Sweep {
            space: space.to_owned(),
            at,
            limit: bounds::page(limit),
        };
        let swept = self.committer.carry_out(work).await?;
        Ok(usize::try_from(swept).unwrap_or(usize::MAX))
    }
}

#[async_trait]
impl<R: Rows> Blobs for Durable<R> {
    async fn put_blob(&self, bytes: Vec<u8>) -> Result<Digest, Error> {
        bounds::blob(&bytes)?;
        self.blocking(move |files| {
            let digest = Digest::of(&bytes);
            files.blobs.write(&[(digest, &bytes)]).map_err(unavailable)?;
            Ok(digest)
        })
        .await
    }

    async fn blob(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Error> {
        let digest = *digest;
        self.blocking(move |files| files.blobs.read(&digest)).await
    }

    async fn has_blob(&self, digest: &Digest) -> Result<bool, Error> {
        self.committer.check()?;
        self.files.blobs.has(digest).map_err(unavailable)
    }

    async fn delete_blob(&self, digest: &Digest) -> Result<bool, Error> {
        let digest = *digest;
        self.blocking(move |files| files.blobs.delete(&[digest]).map_err(unavailable))
            .await
            .map(|deleted| deleted > 0)
    }

    async fn blobs(&self, after: Option<&Digest>, limit: usize) -> Result<Vec<Digest>, Error> {
        let after = after.copied();
        let limit = bounds::page(limit);
        self.blocking(move |files| {
            let mut digests = files.blobs.list().map_err(unavailable)?;
            digests.retain(|digest| after.is_none_or(|after| after < *digest));
            digests.sort_unstable();
            digests.truncate(limit);
            Ok(digests)
        })
        .await
    }
}

pub(crate) fn unavailable(error: std::io::Error) -> Error {
    Error::Unavailable {
        cause: error.to_string().into(),
    }
}

/// Counts what a page holds.
struct Page {
    room: usize,
    bytes: usize,
}

impl Page {
    const fn new(limit: usize) -> Self {
        Self {
            room: limit,
            bytes: 0,
        }
    }

    /// Whether one more thing belongs on the page. The first always does.
    fn admits(&mut self, bytes: usize) -> bool {
        if self.room == 0 || self.bytes >= PAGE_BYTES_MAX {
            return false;
        }
        self.room -= 1;
        self.bytes += bytes;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::{
        ops::Range,
        sync::atomic::{AtomicBool, Ordering},
    };

    use super::*;
    use crate::rows::{Change, CommitError, Take};

    /// Rows that show a commit although it never came to the disk.
    #[derive(Default)]
    struct Shown(AtomicBool);

    impl Rows for Shown {
        fn get(&self, table: Table, _: &[u8]) -> Result<Option<Vec<u8>>, Error> {
            let row = StreamRow {
                standing: Standing::Open,
                key: None,
            };
            let shown = table == Table::Streams && self.0.load(Ordering::SeqCst);
            Ok(shown.then(|| row.to_bytes()))
        }

        fn last_key(&self, _: Table, range: Range<Vec<u8>>) -> Result<Option<Vec<u8>>, Error> {
            Ok(self.0.load(Ordering::SeqCst).then_some(range.start))
        }

        fn scan(&self, _: Table, range: Range<Vec<u8>>, take: &mut Take<'_>) -> Result<(), Error> {
            if self.0.load(Ordering::SeqCst) {
                take(&range.start, b"frame")?;
            }
            Ok(())
        }

        fn commit(&self, _: Vec<Change>) -> Result<(), CommitError> {
            self.0.store(true, Ordering::SeqCst);
            Err(CommitError::Broken("no sync".to_owned()))
        }
    }

    #[tokio::test]
    async fn after_a_commit_that_failed_nobody_reads_what_it_left() {
        let place = tempfile::tempdir().unwrap();
        let directory = Directory::open(place.path(), Kind::Sled).unwrap();
        let store = Durable::new(Kind::Sled, directory, Shown::default()).unwrap();
        let stream = ContactId::from("a");
        let at = Timestamp::from_millis(0);
        assert_eq!(store.head(&stream).await.unwrap(), None);
        let append = Append {
            stream: &stream,
            expected: Version::NONE,
            frames: vec![b"frame".to_vec()],
            standing: Standing::Open,
            key: None,
        };
        let outcomes = [
            store.append(append).await.map(drop),
            store.head(&stream).await.map(drop),
            store.read(&stream, Version::NONE, 10).await.map(drop),
            store.streams(Streams::All, None, 10).await.map(drop),
            store.get("crm", "k", at).await.map(drop),
            store.list("crm", "", None, 10, at).await.map(drop),
            store.usage("crm").await.map(drop),
            store.blobs(None, 10).await.map(drop),
            store.has_blob(&Digest::of(b"")).await.map(drop),
        ];
        for outcome in outcomes {
            assert!(matches!(outcome, Err(Error::Fatal { .. })), "{outcome:?}");
        }
    }
}
