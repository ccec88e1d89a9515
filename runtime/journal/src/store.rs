//! The contract of a store, in three faces.
//!
//! What holds for every store:
//! - A method that returns `Ok` from a write returns after the write is durable.
//! - A write whose future is dropped may still land.
//! - A read may show a write that is still on its way to the disk.
//! - When a commit fails so that nobody can tell what is on the disk, the store stops: the writes
//!   of that commit, and whatever is asked of the store from then on, reads included, are
//!   answered with [`Error::Fatal`]. What landed is learned by opening the store again.
//! - Lists are ordered by name and paged: the last name of a page is the `after` of the next.
//! - A store reads no clock; whoever asks for entries says what time it is.

use std::fmt;

use async_trait::async_trait;
use trunkline_model::{ContactId, Digest, Timestamp};

use crate::{Error, Version};

/// Everything that Trunkline keeps.
pub trait Store: Events + KeyValues + Blobs {
    /// Which store this is.
    fn kind(&self) -> Kind;
}

/// The kinds of stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// In memory: gone when the process ends.
    Memory,
    /// On disk, in fjall.
    Fjall,
    /// On disk, in sled.
    Sled,
}

impl Kind {
    /// The kind's name, as in `--store`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Fjall => "fjall",
            Self::Sled => "sled",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One log per contact, of frames that the store does not look into.
#[async_trait]
pub trait Events: Send + Sync + 'static {
    /// Appends frames to a stream, all or none, and gives the stream's new version.
    ///
    /// Without frames only the fence is tested.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the stream is at another version than the append expects;
    /// [`Error::Unknown`] when the frames may have landed and reading tells; [`Error::Fatal`]
    /// when they may have landed and only the store, opened again, will tell.
    async fn append(&self, append: Append<'_>) -> Result<Version, Error>;

    /// Where a stream stands; none when there is no such stream.
    async fn head(&self, stream: &ContactId) -> Result<Option<StreamHead>, Error>;

    /// The frames of a stream after a version, oldest first, at most `limit` and at most one
    /// page of them; empty when none follow.
    async fn read(&self, stream: &ContactId, after: Version, limit: usize) -> Result<Vec<Frame>, Error>;

    /// The names of streams after one, in order.
    async fn streams(
        &self,
        which: Streams,
        after: Option<&ContactId>,
        limit: usize,
    ) -> Result<Vec<ContactId>, Error>;

    /// Removes a stream's wrapped key and keeps its frames. Whether there was one.
    async fn erase_key(&self, stream: &ContactId) -> Result<bool, Error>;

    /// Removes a stream with all that belongs to it. Whether there was one.
    async fn delete_stream(&self, stream: &ContactId) -> Result<bool, Error>;
}

/// Frames to be appended to a stream.
#[derive(Debug)]
pub struct Append<'a> {
    /// The stream.
    pub stream: &'a ContactId,
    /// The version it must be at: [`Version::NONE`] for a new stream.
    pub expected: Version,
    /// The frames, in order.
    pub frames: Vec<Vec<u8>>,
    /// How the stream stands afterwards.
    pub standing: Standing,
    /// The wrapped key to be kept with a new stream.
    pub key: Option<Vec<u8>>,
}

/// One frame of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The stream's version with this frame as its last.
    pub version: Version,
    /// What was appended.
    pub bytes: Vec<u8>,
}

/// Whether more is to be expected of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// The contact is under way.
    Open,
    /// The contact has ended.
    Ended,
}

/// Where a stream stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamHead {
    /// The version of its last frame.
    pub version: Version,
    /// Whether more is to be expected.
    pub standing: Standing,
    /// Its wrapped key, unless it has none or it was erased.
    pub key: Option<Vec<u8>>,
}

/// Which streams to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Streams {
    /// Those of contacts under way.
    Open,
    /// Those of contacts that have ended.
    Ended,
    /// All.
    All,
}

/// Versioned entries in named spaces.
///
/// An entry that has expired at the time a request names counts as absent for it.
#[async_trait]
pub trait KeyValues: Send + Sync + 'static {
    /// An entry; none when it is absent at that time.
    async fn get(&self, space: &str, key: &str, at: Timestamp) -> Result<Option<Entry>, Error>;

    /// Writes an entry and gives its new version, which is greater than every version that the
    /// key ever had, even before it was removed.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the entry is not as the put expects.
    async fn put(&self, put: Put<'_>) -> Result<Version, Error>;

    /// Removes an entry. Whether it was there.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the entry is not as expected.
    async fn remove(&self, space: &str, key: &str, expect: Expect, at: Timestamp) -> Result<bool, Error>;

    /// The entries of a space whose keys begin with `prefix`, after a key, in order of their
    /// keys; at most `limit` and at most one page of them. A page may hold fewer than `limit`
    /// although more follow; the list is at its end when a page is empty.
    async fn list(
        &self,
        space: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        at: Timestamp,
    ) -> Result<Vec<(String, Entry)>, Error>;

    /// How much a space holds, expired entries that were not swept yet included.
    async fn usage(&self, space: &str) -> Result<Usage, Error>;

    /// Removes entries of a space that have expired, at most `limit`. How many were removed.
    ///
    /// A sweep looks at so many entries only that other writes do not wait long for it, and may
    /// leave expired ones; the next goes on where it ended.
    async fn sweep(&self, space: &str, at: Timestamp, limit: usize) -> Result<usize, Error>;
}

/// An entry of a space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it holds.
    pub value: Vec<u8>,
    /// Its version.
    pub version: Version,
    /// When it expires, if it does.
    pub expires: Option<Timestamp>,
}

impl Entry {
    /// Whether the entry has not expired.
    pub fn is_live(&self, at: Timestamp) -> bool {
        self.expires.is_none_or(|expires| at < expires)
    }
}

/// An entry to be written.
#[derive(Debug)]
pub struct Put<'a> {
    /// The space.
    pub space: &'a str,
    /// The key in it.
    pub key: &'a str,
    /// What it is to hold.
    pub value: Vec<u8>,
    /// What must be there now.
    pub expect: Expect,
    /// When it expires, if it does.
    pub expires: Option<Timestamp>,
    /// What time it is.
    pub at: Timestamp,
}

/// What must be there for a write to land.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Anything or nothing.
    Any,
    /// Nothing.
    Absent,
    /// An entry of this version.
    Version(Version),
}

impl Expect {
    /// The version that is found where another was expected; none when the expectation holds.
    pub(crate) fn conflict(self, found: Option<Version>) -> Option<(Version, Version)> {
        let found = found.unwrap_or(Version::NONE);
        let expected = match self {
            Self::Any => return None,
            Self::Absent => Version::NONE,
            Self::Version(version) => version,
        };
        (expected != found).then_some((expected, found))
    }
}

/// How much a space holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Entries.
    pub keys: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
}

/// Content, by its digest.
#[async_trait]
pub trait Blobs: Send + Sync + 'static {
    /// Keeps content and gives its digest; content that is already there is kept once.
    async fn put_blob(&self, bytes: Vec<u8>) -> Result<Digest, Error>;

    /// Content; none when it is not there.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when what is there has another digest.
    async fn blob(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Error>;

    /// Whether content is there. It is not verified.
    async fn has_blob(&self, digest: &Digest) -> Result<bool, Error>;

    /// Removes content. Whether it was there.
    async fn delete_blob(&self, digest: &Digest) -> Result<bool, Error>;

    /// The digests of all content after one, in order.
    async fn blobs(&self, after: Option<&Digest>, limit: usize) -> Result<Vec<Digest>, Error>;
}

pub(crate) mod bounds {
    //! The bounds that requests are held to, the same for every store.

    use trunkline_model::ContactId;

    use super::{Append, Put};
    use crate::{Error, limits};

    fn within(what: &'static str, size: usize, max: usize) -> Result<(), Error> {
        if size > max {
            return Err(Error::TooLarge { what, size, max });
        }
        Ok(())
    }

    fn name(what: &'static str, name: &str, bytes_max: usize) -> Result<(), Error> {
        // Names are parts of keys on disk, and end at a zero byte.
        if name.is_empty() || name.as_bytes().contains(&0) {
            return Err(Error::BadName { what });
        }
        within(what, name.len(), bytes_max)
    }

    pub(crate) fn stream(stream: &ContactId) -> Result<(), Error> {
        name(
            "the name of a stream",
            stream.as_str(),
            limits::STREAM_NAME_BYTES_MAX,
        )
    }

    pub(crate) fn append(append: &Append<'_>) -> Result<(), Error> {
        stream(append.stream)?;
        within("an append", append.frames.len(), limits::FRAMES_PER_APPEND_MAX)?;
        for frame in &append.frames {
            within("a frame", frame.len(), limits::FRAME_BYTES_MAX)?;
        }
        within(
            "a wrapped key",
            append.key.as_ref().map_or(0, Vec::len),
            limits::WRAPPED_KEY_BYTES_MAX,
        )
    }

    pub(crate) fn space(space: &str) -> Result<(), Error> {
        name("the name of a space", space, limits::SPACE_NAME_BYTES_MAX)
    }

    pub(crate) fn entry(space: &str, key: &str) -> Result<(), Error> {
        self::space(space)?;
        name("the key of an entry", key, limits::ENTRY_KEY_BYTES_MAX)
    }

    pub(crate) fn put(put: &Put<'_>) -> Result<(), Error> {
        entry(put.space, put.key)?;
        within("an entry", put.value.len(), limits::ENTRY_BYTES_MAX)
    }

    pub(crate) fn blob(bytes: &[u8]) -> Result<(), Error> {
        within("a blob", bytes.len(), limits::BLOB_BYTES_MAX)
    }

    pub(crate) fn page(limit: usize) -> usize {
        limit.min(limits::PAGE_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_live_until_it_expires() {
        let entry = Entry {
            value: Vec::new(),
            version: Version::from_u64(1),
            expires: Some(Timestamp::from_millis(10)),
        };
        assert!(entry.is_live(Timestamp::from_millis(9)));
        assert!(!entry.is_live(Timestamp::from_millis(10)));
    }

    #[test]
    fn expectations_hold_or_name_both_versions() {
        let one = Version::from_u64(1);
        let two = Version::from_u64(2);
        assert_eq!(Expect::Any.conflict(Some(one)), None);
        assert_eq!(Expect::Absent.conflict(None), None);
        assert_eq!(Expect::Absent.conflict(Some(one)), Some((Version::NONE, one)));
        assert_eq!(Expect::Version(one).conflict(Some(one)), None);
        assert_eq!(Expect::Version(one).conflict(Some(two)), Some((one, two)));
        assert_eq!(Expect::Version(one).conflict(None), Some((one, Version::NONE)));
    }
}
