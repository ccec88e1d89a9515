//! The reference store: all in memory, one lock, nothing clever. What the other stores do is
//! right when it is what this one does.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard},
};

use async_trait::async_trait;
use trunkline_model::{ContactId, Digest, Timestamp};

use crate::{
    Append, Blobs, Entry, Error, Events, Expect, Frame, KeyValues, Kind, Put, Standing, Store, StreamHead,
    Streams, Usage, Version, limits::PAGE_BYTES_MAX, store::bounds,
};

/// A store in memory. What it holds is gone when it is dropped.
#[derive(Debug, Default)]
pub struct Memory {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    streams: BTreeMap<ContactId, Stream>,
    entries: BTreeMap<(String, String), Entry>,
    /// The version given last to any entry.
    revision: u64,
    blobs: BTreeMap<Digest, Vec<u8>>,
}

#[derive(Debug)]
struct Stream {
    frames: Vec<Vec<u8>>,
    standing: Standing,
    key: Option<Vec<u8>>,
}

impl Memory {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("nothing panics while it holds the lock, so it is never poisoned")
    }
}

impl Store for Memory {
    fn kind(&self) -> Kind {
        Kind::Memory
    }
}

#[async_trait]
impl Events for Memory {
    async fn append(&self, append: Append<'_>) -> Result<Version, Error> {
        bounds::append(&append)?;
        let mut state = self.state();
        let found = state
            .streams
            .get(append.stream)
            .map_or(0, |stream| stream.frames.len());
        let found = Version::from_u64(found as u64);
        if append.expected != found {
            return Err(Error::Conflict {
                subject: format!("contact {}", append.stream).into(),
                expected: append.expected,
                found,
            });
        }
        if append.frames.is_empty() {
            return Ok(found);
        }
        let stream = state
            .streams
            .entry(append.stream.clone())
            .or_insert_with(|| Stream {
                frames: Vec::new(),
                standing: append.standing,
                key: append.key,
            });
        stream.frames.extend(append.frames);
        stream.standing = append.standing;
        Ok(Version::from_u64(stream.frames.len() as u64))
    }

    async fn head(&self, stream: &ContactId) -> Result<Option<StreamHead>, Error> {
        bounds::stream(stream)?;
        Ok(self.state().streams.get(stream).map(|stream| StreamHead {
            version: Version::from_u64(stream.frames.len() as u64),
            standing: stream.standing,
            key: stream.key.clone(),
        }))
    }

    async fn read(&self, stream: &ContactId, after: Version, limit: usize) -> Result<Vec<Frame>, Error> {
        bounds::stream(stream)?;
        let state = self.state();
        let mut bytes = 0;
        let frames = state.streams.get(stream).map_or(&[][..], |stream| &stream.frames);
        Ok(frames
            .iter()
            .zip(1..)
            .map(|(frame, version)| (Version::from_u64(version), frame))
            .skip_while(|(version, _)| *version <= after)
            .take(bounds::page(limit))
            .take_while(|(_, frame)| within_page(&mut bytes, frame.len()))
            .map(|(version, frame)| Frame {
                version,
                bytes: frame.clone(),
            })
            .collect())
    }

    async fn streams(
        &self,
        which: Streams,
        after: Option<&ContactId>,
        limit: usize,
    ) -> Result<Vec<ContactId>, Error> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        Ok(self
            .state()
            .streams
            .range::<ContactId, _>((from, Bound::Unbounded))
            .filter(|(_, stream)| match which {
                Streams::All => true,
                Streams::Open => stream.standing == Standing::Open,
                Streams::Ended => stream.standing == Standing::Ended,
            })
            .take(bounds::page(limit))
            .map(|(name, _)| name.clone())
            .collect())
    }

    async fn erase_key(&self, stream: &ContactId) -> Result<bool, Error> {
        bounds::stream(stream)?;
        let mut state = self.state();
        let key = state.streams.get_mut(stream).and_then(|stream| stream.key.take());
        Ok(key.is_some())
    }

    async fn delete_stream(&self, stream: &ContactId) -> Result<bool, Error> {
        bounds::stream(stream)?;
        Ok(self.state().streams.remove(stream).is_some())
    }
}

#[async_trait]
impl KeyValues for Memory {
    async fn get(&self, space: &str, key: &str, at: Timestamp) -> Result<Option<Entry>, Error> {
        bounds::entry(space, key)?;
        let state = self.state();
        let entry = state.entries.get(&(space.to_owned(), key.to_owned()));
        Ok(entry.filter(|entry| entry.is_live(at)).cloned())
    }

    async fn put(&self, put: Put<'_>) -> Result<Version, Error> {
        bounds::put(&put)?;
        let mut state = self.state();
        let name = (put.space.to_owned(), put.key.to_owned());
        fence(state.entries.get(&name), put.space, put.expect, put.at)?;
        state.revision += 1;
        let version = Version::from_u64(state.revision);
        let entry = Entry {
            value: put.value,
            version,
            expires: put.expires,
        };
        state.entries.insert(name, entry);
        Ok(version)
    }

    async fn remove(&self, space: &str, key: &str, expect: Expect, at: Timestamp) -> Result<bool, Error> {
        bounds::entry(space, key)?;
        let mut state = self.state();
        let name = (space.to_owned(), key.to_owned());
        fence(state.entries.get(&name), space, expect, at)?;
        Ok(state.entries.remove(&name).is_some_and(|entry| entry.is_live(at)))
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
        let state = self.state();
        let mut bytes = 0;
        Ok(entries(&state, space)
            .filter(|(key, _)| key.starts_with(prefix) && after.is_none_or(|after| after < key.as_str()))
            .filter(|(_, entry)| entry.is_live(at))
            .take(bounds::page(limit))
            .take_while(|(key, entry)| within_page(&mut bytes, key.len() + entry.value.len()))
            .map(|(key, entry)| (key.clone(), entry.clone()))
            .collect())
    }

    async fn usage(&self, space: &str) -> Result<Usage, Error> {
        bounds::space(space)?;
        let state = self.state();
        Ok(
            entries(&state, space).fold(Usage::default(), |usage, (key, entry)| Usage {
                keys: usage.keys + 1,
                bytes: usage.bytes + (key.len() + entry.value.len()) as u64,
            }),
        )
    }

    async fn sweep(&self, space: &str, at: Timestamp, limit: usize) -> Result<usize, Error> {
        bounds::space(space)?;
        let mut state = self.state();
        let expired: Vec<String> = entries(&state, space)
            .filter(|(_, entry)| !entry.is_live(at))
            .take(bounds::page(limit))
            .map(|(key, _)| key.clone())
            .collect();
        for key in &expired {
            state.entries.remove(&(space.to_owned(), key.clone()));
        }
        Ok(expired.len())
    }
}

#[async_trait]
impl Blobs for Memory {
    async fn put_blob(&self, bytes: Vec<u8>) -> Result<Digest, Error> {
        bounds::blob(&bytes)?;
        let digest = Digest::of(&bytes);
        self.state().blobs.insert(digest, bytes);
        Ok(digest)
    }

    async fn blob(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.state().blobs.get(digest).cloned())
    }

    async fn has_blob(&self, digest: &Digest) -> Result<bool, Error> {
        Ok(self.state().blobs.contains_key(digest))
    }

    async fn delete_blob(&self, digest: &Digest) -> Result<bool, Error> {
        Ok(self.state().blobs.remove(digest).is_some())
    }

    async fn blobs(&self, after: Option<&Digest>, limit: usize) -> Result<Vec<Digest>, Error> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        Ok(self
            .state()
            .blobs
            .range::<Digest, _>((from, Bound::Unbounded))
            .take(bounds::page(limit))
            .map(|(digest, _)| *digest)
            .collect())
    }
}

/// Counts what a page holds. The first thing of a page is always let in.
fn within_page(bytes: &mut usize, more: usize) -> bool {
    let fits = *bytes < PAGE_BYTES_MAX;
    *bytes += more;
    fits
}

fn entries<'a>(state: &'a State, space: &'a str) -> impl Iterator<Item = (&'a String, &'a Entry)> {
    state
        .entries
        .range((space.to_owned(), String::new())..)
        .take_while(move |((name, _), _)| name == space)
        .map(|((_, key), entry)| (key, entry))
}

fn fence(entry: Option<&Entry>, space: &str, expect: Expect, at: Timestamp) -> Result<(), Error> {
    let found = entry.filter(|entry| entry.is_live(at)).map(|entry| entry.version);
    match expect.conflict(found) {
        None => Ok(()),
        Some((expected, found)) => Err(Error::Conflict {
            subject: Arc::from(format!("an entry of space {space}")),
            expected,
            found,
        }),
    }
}
