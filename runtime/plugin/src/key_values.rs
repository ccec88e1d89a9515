//! Where plugins' key-value stores are kept: the trait that a real store implements, and the
//! reference that keeps them in memory.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use tokio::time::Instant;
use trunkline_model::{Duration, PluginName};

/// A stored value and its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What was set.
    pub value: Vec<u8>,
    /// Grows with every change of the key, and never comes again.
    pub version: u64,
}

/// What must hold for a value to be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Nothing.
    Anything,
    /// The key has no value.
    Absent,
    /// The key's value has this version.
    Version(u64),
}

/// How much one plugin may keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Bytes of all its keys and values together.
    pub bytes: u64,
    /// Its keys.
    pub keys: u64,
}

/// Why a key-value store did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyValueError {
    /// The plugin's quota is used up.
    #[error("the plugin's quota of keys or bytes is used up")]
    Full,
    /// The version was not the expected one.
    #[error("the version is {0:?}, which was not expected")]
    Conflict(Option<u64>),
    /// The store did not answer.
    #[error("the key-value store is not available: {0}")]
    Unavailable(String),
}

/// Key-value stores of plugins, one for each name of a plugin: whoever comes under the same
/// name finds what was kept under it. Keys have 1 to 256 bytes; the host has checked it, and
/// the size of values, before it asks.
#[async_trait]
pub trait KeyValues: Send + Sync + 'static {
    /// The entry of a key; none when there is none or its time is over.
    async fn get(&self, plugin: &PluginName, key: &str) -> Result<Option<Entry>, KeyValueError>;

    /// Sets a key if what is expected holds, and gives the new version. After `ttl` it is gone.
    ///
    /// # Errors
    /// `Conflict` with the present version, `Full`, `Unavailable`.
    async fn set(
        &self,
        plugin: &PluginName,
        key: &str,
        value: Vec<u8>,
        expected: Expected,
        ttl: Option<Duration>,
        quota: Quota,
    ) -> Result<u64, KeyValueError>;

    /// Removes a key; removing what is not there is fine.
    async fn delete(&self, plugin: &PluginName, key: &str) -> Result<(), KeyValueError>;

    /// Up to `limit` keys that begin with `prefix`, in order of their bytes, after `after`.
    async fn keys(
        &self,
        plugin: &PluginName,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, KeyValueError>;
}

/// The reference: keeps everything in memory and forgets it with the process.
#[derive(Debug, Default)]
pub struct MemoryKeyValues {
    stores: Mutex<HashMap<PluginName, Store>>,
}

#[derive(Debug, Default)]
struct Store {
    entries: BTreeMap<String, Kept>,
    /// The last version given to any key: a key that comes back is not taken for the old one.
    version: u64,
    bytes: u64,
}

#[derive(Debug)]
struct Kept {
    entry: Entry,
    until: Option<Instant>,
}

fn size(key: &str, value: &[u8]) -> u64 {
    (key.len() + value.len()) as u64
}

impl MemoryKeyValues {
    /// Nothing kept yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn with<T>(&self, plugin: &PluginName, act: impl FnOnce(&mut Store) -> T) -> T {
        let mut stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        // Asked first without a copy of the name, which only the first call of a plugin needs.
        if let Some(store) = stores.get_mut(plugin) {
            return act(store);
        }
        act(stores.entry(plugin.clone()).or_default())
    }
}

impl Store {
    fn live(&mut self, key: &str) -> Option<&Entry> {
        let over = self
            .entries
            .get(key)?
            .until
            .is_some_and(|until| until <= Instant::now());
        if over {
            self.remove(key);
        }
        self.entries.get(key).map(|kept| &kept.entry)
    }

    fn remove(&mut self, key: &str) {
        if let Some(kept) = self.entries.remove(key) {
            self.bytes -= size(key, &kept.entry.value);
        }
    }

    fn remove_all_that_is_over(&mut self) {
        let now = Instant::now();
        let mut bytes = self.bytes;
        self.entries.retain(|key, kept| {
            let stays = kept.until.is_none_or(|until| until > now);
            if !stays {
                bytes -= size(key, &kept.entry.value);
            }
            stays
        });
        self.bytes = bytes;
    }

    fn fits(&self, key: &str, value: &[u8], quota: Quota) -> bool {
        let replaced = self
            .entries
            .get(key)
            .map_or(0, |kept| size(key, &kept.entry.value));
        let keys = self.entries.len() as u64 + u64::from(replaced == 0);
        self.bytes - replaced + size(key, value) <= quota.bytes && keys <= quota.keys
    }

    fn set(
        &mut self,
        key: &str,
        value: Vec<u8>,
        expected: Expected,
        ttl: Option<Duration>,
        quota: Quota,
    ) -> Result<u64, KeyValueError> {
        let present = self.live(key).map(|entry| entry.version);
        let holds = match expected {
            Expected::Anything => true,
            Expected::Absent => present.is_none(),
            Expected::Version(version) => present == Some(version),
        };
        if !holds {
            return Err(KeyValueError::Conflict(present));
        }
        if !self.fits(key, &value, quota) {
            self.remove_all_that_is_over();
            if !self.fits(key, &value, quota) {
                return Err(KeyValueError::Full);
            }
        }
        self.remove(key);
        self.version += 1;
        self.bytes += size(key, &value);
        self.entries.insert(
            key.to_owned(),
            Kept {
                entry: Entry {
                    value,
                    version: self.version,
                },
                until: ttl.map(|ttl| Instant::now() + ttl.to_std()),
            },
        );
        Ok(self.version)
    }
}

#[async_trait]
impl KeyValues for MemoryKeyValues {
    async fn get(&self, plugin: &PluginName, key: &str) -> Result<Option<Entry>, KeyValueError> {
        Ok(self.with(plugin, |store| store.live(key).cloned()))
    }

    async fn set(
        &self,
        plugin: &PluginName,
        key: &str,
        value: Vec<u8>,
        expected: Expected,
        ttl: Option<Duration>,
        quota: Quota,
    ) -> Result<u64, KeyValueError> {
        self.with(plugin, |store| store.set(key, value, expected, ttl, quota))
    }

    async fn delete(&self, plugin: &PluginName, key: &str) -> Result<(), KeyValueError> {
        self.with(plugin, |store| store.remove(key));
        Ok(())
    }

    async fn keys(
        &self,
        plugin: &PluginName,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, KeyValueError> {
        Ok(self.with(plugin, |store| {
            let now = Instant::now();
            let from = match after {
                Some(after) if after >= prefix => Bound::Excluded(after),
                _ => Bound::Included(prefix),
            };
            store
                .entries
                .range::<str, _>((from, Bound::Unbounded))
                .take_while(|(key, _)| key.starts_with(prefix))
                .filter(|(_, kept)| kept.until.is_none_or(|until| until > now))
                .take(limit)
                .map(|(key, _)| key.clone())
                .collect()
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUOTA: Quota = Quota { bytes: 100, keys: 4 };

    async fn set(
        store: &MemoryKeyValues,
        key: &str,
        value: &str,
        expected: Expected,
    ) -> Result<u64, KeyValueError> {
        store
            .set(&"feed".into(), key, value.into(), expected, None, QUOTA)
            .await
    }

    #[tokio::test]
    async fn versions_tell_who_changed_what() {
        let store = MemoryKeyValues::new();
        let first = set(&store, "a", "1", Expected::Absent).await.unwrap();
        assert_eq!(
            set(&store, "a", "2", Expected::Absent).await,
            Err(KeyValueError::Conflict(Some(first)))
        );
        let second = set(&store, "a", "2", Expected::Version(first)).await.unwrap();
        assert!(second > first);
        store.delete(&"feed".into(), "a").await.unwrap();
        assert_eq!(
            set(&store, "a", "3", Expected::Version(second)).await,
            Err(KeyValueError::Conflict(None))
        );
        assert!(set(&store, "a", "3", Expected::Anything).await.unwrap() > second);
    }

    #[tokio::test]
    async fn a_plugin_has_its_own_store_and_its_own_quota() {
        let store = MemoryKeyValues::new();
        for key in ["a", "b", "c", "d"] {
            set(&store, key, "x", Expected::Anything).await.unwrap();
        }
        assert_eq!(
            set(&store, "e", "x", Expected::Anything).await,
            Err(KeyValueError::Full)
        );
        assert_eq!(
            set(&store, "a", &"x".repeat(100), Expected::Anything).await,
            Err(KeyValueError::Full)
        );
        set(&store, "a", &"x".repeat(90), Expected::Anything)
            .await
            .unwrap();
        assert_eq!(store.get(&"other".into(), "a").await, Ok(None));
    }

    #[tokio::test]
    async fn what_is_over_is_gone_and_makes_room() {
        let store = MemoryKeyValues::new();
        let ttl = Duration::from_millis(50);
        for key in ["a", "b", "c", "d"] {
            store
                .set(
                    &"feed".into(),
                    key,
                    b"x".to_vec(),
                    Expected::Anything,
                    Some(ttl),
                    QUOTA,
                )
                .await
                .unwrap();
        }
        tokio::time::sleep(ttl.to_std()).await;
        assert_eq!(store.get(&"feed".into(), "a").await, Ok(None));
        assert_eq!(store.keys(&"feed".into(), "", None, 10).await, Ok(Vec::new()));
        set(&store, "e", "x", Expected::Absent).await.unwrap();
    }

    #[tokio::test]
    async fn keys_come_in_pages() {
        let store = MemoryKeyValues::new();
        for key in ["d/1", "d/2", "d/3", "e"] {
            set(&store, key, "x", Expected::Anything).await.unwrap();
        }
        let keys = |after: Option<&'static str>| store.keys(&PLUGIN, "d/", after, 2);
        static PLUGIN: std::sync::LazyLock<PluginName> = std::sync::LazyLock::new(|| "feed".into());
        assert_eq!(keys(None).await.unwrap(), ["d/1", "d/2"]);
        assert_eq!(keys(Some("d/2")).await.unwrap(), ["d/3"]);
        assert_eq!(keys(Some("a")).await.unwrap(), ["d/1", "d/2"]);
        assert!(keys(Some("d/3")).await.unwrap().is_empty());
    }
}
