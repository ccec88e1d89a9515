//! Key-values in memory, with versions, times to live on the host's clock, and a quota.

use std::{collections::BTreeMap, ops::Bound, time::Duration};

use crate::kv::{Entry, Error};

/// Bytes of a key.
const KEY_BYTES_MAX: usize = 256;

/// How much a plugin may keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Bytes of all keys and values together.
    pub bytes: usize,
    /// Keys.
    pub keys: usize,
    /// Bytes of one value.
    pub value_bytes: usize,
}

impl Default for Quota {
    /// What `kv: true` grants.
    fn default() -> Self {
        Self {
            bytes: 1 << 20,
            keys: 1_000,
            value_bytes: 64 << 10,
        }
    }
}

/// What must hold for a key to be set.
#[derive(Clone, Copy, Debug)]
pub(super) enum Expected {
    Anything,
    /// This version, or that there is none.
    Version(Option<u64>),
}

#[derive(Debug, Default)]
pub(super) struct Store {
    entries: BTreeMap<String, Kept>,
    /// The last version given to any key: one that comes back is not taken for the old one.
    version: u64,
}

#[derive(Debug)]
struct Kept {
    entry: Entry,
    /// Of the host's clock.
    until: Option<Duration>,
}

impl Store {
    pub(super) fn get(&mut self, key: &str, now: Duration) -> Result<Option<Entry>, Error> {
        check_key(key)?;
        self.forget_what_is_over(now);
        Ok(self.entries.get(key).map(|kept| kept.entry.clone()))
    }

    pub(super) fn set(
        &mut self,
        key: &str,
        value: &[u8],
        expected: Expected,
        ttl_s: Option<u32>,
        quota: Quota,
        now: Duration,
    ) -> Result<u64, Error> {
        check_key(key)?;
        if value.len() > quota.value_bytes {
            return Err(Error::TooLarge);
        }
        self.forget_what_is_over(now);
        let present = self.entries.get(key).map(|kept| kept.entry.version);
        if let Expected::Version(expected) = expected
            && expected != present
        {
            return Err(Error::Conflict { present });
        }
        let others = self.entries.iter().filter(|(other, _)| *other != key);
        let (keys, bytes) = others.fold((0, 0), |(keys, bytes), (other, kept)| {
            (keys + 1, bytes + other.len() + kept.entry.value.len())
        });
        if keys + 1 > quota.keys || bytes + key.len() + value.len() > quota.bytes {
            return Err(Error::Full);
        }
        self.version += 1;
        let entry = Entry {
            value: value.to_vec(),
            version: self.version,
        };
        let until = ttl_s.map(|seconds| now + Duration::from_secs(seconds.into()));
        self.entries.insert(key.to_owned(), Kept { entry, until });
        Ok(self.version)
    }

    pub(super) fn delete(&mut self, key: &str) -> Result<(), Error> {
        check_key(key)?;
        self.entries.remove(key);
        Ok(())
    }

    pub(super) fn keys(
        &mut self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        now: Duration,
    ) -> Vec<String> {
        self.forget_what_is_over(now);
        let from = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        self.entries
            .range::<str, _>((from, Bound::Unbounded))
            .map(|(key, _)| key)
            .take_while(|key| key.starts_with(prefix))
            .take(limit)
            .cloned()
            .collect()
    }

    fn forget_what_is_over(&mut self, now: Duration) {
        self.entries
            .retain(|_, kept| kept.until.is_none_or(|until| until > now));
    }
}

fn check_key(key: &str) -> Result<(), Error> {
    if (1..=KEY_BYTES_MAX).contains(&key.len()) {
        Ok(())
    } else {
        Err(Error::TooLarge)
    }
}
