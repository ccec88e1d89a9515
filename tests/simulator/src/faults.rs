//! A store whose appends fail as stores do: before anything has landed, or after all has.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use async_trait::async_trait;
use trunkline_journal::{
    Append, Blobs, Entry, Error, Events, Expect, Frame, KeyValues, Kind, Put, Store, StreamHead, Streams,
    Usage, Version,
};
use trunkline_model::{ContactId, Digest, Timestamp};

/// How the next append fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing lands, and the store says so.
    Unavailable,
    /// Nothing lands, and nobody can tell.
    UnknownAndLost,
    /// All lands, and nobody can tell.
    UnknownAndLanded,
}

/// A store with faults.
pub struct Faulty {
    inner: Arc<dyn Store>,
    next: AtomicU8,
}

impl Faulty {
    /// A store whose appends fail when they are told to.
    pub fn new(inner: Arc<dyn Store>) -> Self {
        Self {
            inner,
            next: AtomicU8::new(0),
        }
    }

    /// Lets the next append fail.
    pub fn fail_next(&self, fault: Fault) {
        let fault = match fault {
            Fault::Unavailable => 1,
            Fault::UnknownAndLost => 2,
            Fault::UnknownAndLanded => 3,
        };
        self.next.store(fault, Ordering::Relaxed);
    }
}

impl Store for Faulty {
    fn kind(&self) -> Kind {
        self.inner.kind()
    }
}

#[async_trait]
impl Events for Faulty {
    async fn append(&self, append: Append<'_>) -> Result<Version, Error> {
        let cause = "as the simulator has it".into();
        match self.next.swap(0, Ordering::Relaxed) {
            1 => Err(Error::Unavailable { cause }),
            2 => Err(Error::Unknown { cause }),
            3 => {
                self.inner.append(append).await?;
                Err(Error::Unknown { cause })
            }
            _ => self.inner.append(append).await,
        }
    }

    async fn head(&self, stream: &ContactId) -> Result<Option<StreamHead>, Error> {
        self.inner.head(stream).await
    }

    async fn read(&self, stream: &ContactId, after: Version, limit: usize) -> Result<Vec<Frame>, Error> {
        self.inner.read(stream, after, limit).await
    }

    async fn streams(
        &self,
        which: Streams,
        after: Option<&ContactId>,
        limit: usize,
    ) -> Result<Vec<ContactId>, Error> {
        self.inner.streams(which, after, limit).await
    }

    async fn erase_key(&self, stream: &ContactId) -> Result<bool, Error> {
        self.inner.erase_key(stream).await
    }

    async fn delete_stream(&self, stream: &ContactId) -> Result<bool, Error> {
        self.inner.delete_stream(stream).await
    }
}

#[async_trait]
impl KeyValues for Faulty {
    async fn get(&self, space: &str, key: &str, at: Timestamp) -> Result<Option<Entry>, Error> {
        self.inner.get(space, key, at).await
    }

    async fn put(&self, put: Put<'_>) -> Result<Version, Error> {
        self.inner.put(put).await
    }

    async fn remove(&self, space: &str, key: &str, expect: Expect, at: Timestamp) -> Result<bool, Error> {
        self.inner.remove(space, key, expect, at).await
    }

    async fn list(
        &self,
        space: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        at: Timestamp,
    ) -> Result<Vec<(String, Entry)>, Error> {
        self.inner.list(space, prefix, after, limit, at).await
    }

    async fn usage(&self, space: &str) -> Result<Usage, Error> {
        self.inner.usage(space).await
    }

    async fn sweep(&self, space: &str, at: Timestamp, limit: usize) -> Result<usize, Error> {
        self.inner.sweep(space, at, limit).await
    }
}

#[async_trait]
impl Blobs for Faulty {
    async fn put_blob(&self, bytes: Vec<u8>) -> Result<Digest, Error> {
        self.inner.put_blob(bytes).await
    }

    async fn blob(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Error> {
        self.inner.blob(digest).await
    }

    async fn has_blob(&self, digest: &Digest) -> Result<bool, Error> {
        self.inner.has_blob(digest).await
    }

    async fn delete_blob(&self, digest: &Digest) -> Result<bool, Error> {
        self.inner.delete_blob(digest).await
    }

    async fn blobs(&self, after: Option<&Digest>, limit: usize) -> Result<Vec<Digest>, Error> {
        self.inner.blobs(after, limit).await
    }
}
