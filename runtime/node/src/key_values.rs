//! Plugins' key-value stores over the journal's store: one space for each plugin's name.
//!
//! A quota is looked at before each write. Writes of one plugin that run at the same moment
//! may together pass it by what each of them writes, never by more.

use std::sync::Arc;

use async_trait::async_trait;
use trunkline_journal::{Error as StoreError, Expect, Put, Store, Version};
use trunkline_model::{Duration, PluginName};
use trunkline_plugin::key_values::{Entry, Expected, KeyValueError, KeyValues, Quota};

use crate::clock::Clock;

/// Expired entries that are removed at once when a quota is used up.
const SWEPT_MAX: usize = 10_000;

/// The stores of all plugins of a node.
pub(crate) struct PluginValues {
    store: Arc<dyn Store>,
    clock: Clock,
}

impl PluginValues {
    pub(crate) fn new(store: Arc<dyn Store>, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// Whether a value fits in the quota, in place of what the key holds.
    async fn fits(&self, space: &str, key: &str, bytes: usize, quota: Quota) -> Result<bool, KeyValueError> {
        let usage = self.store.usage(space).await.map_err(unavailable)?;
        // Expired or not, what is there takes its room until it is replaced.
        let replaced = self
            .store
            .get(space, key, self.clock.now())
            .await
            .map_err(unavailable)?;
        let replaced_bytes = replaced.as_ref().map_or(0, |entry| key.len() + entry.value.len()) as u64;
        let keys = usage.keys + u64::from(replaced.is_none());
        let bytes = usage.bytes.saturating_sub(replaced_bytes) + (key.len() + bytes) as u64;
        Ok(keys <= quota.keys && bytes <= quota.bytes)
    }
}

#[async_trait]
impl KeyValues for PluginValues {
    async fn get(&self, plugin: &PluginName, key: &str) -> Result<Option<Entry>, KeyValueError> {
        let found = self
            .store
            .get(&space(plugin), key, self.clock.now())
            .await
            .map_err(unavailable)?;
        Ok(found.map(|entry| Entry {
            value: entry.value,
            version: entry.version.as_u64(),
        }))
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
        let space = space(plugin);
        let at = self.clock.now();
        if !self.fits(&space, key, value.len(), quota).await? {
            self.store
                .sweep(&space, at, SWEPT_MAX)
                .await
                .map_err(unavailable)?;
            if !self.fits(&space, key, value.len(), quota).await? {
                return Err(KeyValueError::Full);
            }
        }
        let put = Put {
            space: &space,
            key,
            value,
            expect: match expected {
                Expected::Anything => Expect::Any,
                Expected::Absent => Expect::Absent,
                Expected::Version(version) => Expect::Version(Version::from_u64(version)),
            },
            expires: ttl.map(|ttl| at + ttl),
            at,
        };
        match self.store.put(put).await {
            Ok(version) => Ok(version.as_u64()),
            Err(StoreError::Conflict { found, .. }) => Err(KeyValueError::Conflict(
                (found != Version::NONE).then(|| found.as_u64()),
            )),
            Err(error) => Err(unavailable(error)),
        }
    }

    async fn delete(&self, plugin: &PluginName, key: &str) -> Result<(), KeyValueError> {
        let removed = self
            .store
            .remove(&space(plugin), key, Expect::Any, self.clock.now())
            .await;
        removed.map(drop).map_err(unavailable)
    }

    async fn keys(
        &self,
        plugin: &PluginName,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, KeyValueError> {
        let space = space(plugin);
        let mut keys: Vec<String> = Vec::new();
        // A page of the store may be cut short by its bytes.
        while keys.len() < limit {
            let after = keys.last().map(String::as_str).or(after);
            let page = self
                .store
                .list(&space, prefix, after, limit - keys.len(), self.clock.now())
                .await
                .map_err(unavailable)?;
            if page.is_empty() {
                break;
            }
            keys.extend(page.into_iter().map(|(key, _)| key));
        }
        Ok(keys)
    }
}

/// The space in which a plugin keeps its values.
pub(crate) fn space(plugin: &PluginName) -> String {
    format!("plugin.{plugin}")
}

fn unavailable(error: StoreError) -> KeyValueError {
    KeyValueError::Unavailable(error.to_string())
}

#[cfg(test)]
mod tests {
    use trunkline_journal::Memory;
    use trunkline_model::Timestamp;

    use super::*;

    const QUOTA: Quota = Quota { bytes: 40, keys: 2 };

    fn values() -> (PluginValues, Clock) {
        let clock = Clock::still(Timestamp::from_millis(1_000));
        (PluginValues::new(Arc::new(Memory::new()), clock.clone()), clock)
    }

    async fn set(values: &PluginValues, plugin: &str, key: &str, value: &str) -> Result<u64, KeyValueError> {
        let plugin = PluginName::new(plugin);
        values
            .set(&plugin, key, value.into(), Expected::Anything, None, QUOTA)
            .await
    }

    #[tokio::test]
    async fn plugins_do_not_see_each_others_values() {
        let (values, _) = values();
        set(&values, "crm", "a", "1").await.unwrap();
        assert_eq!(values.get(&PluginName::new("feed"), "a").await.unwrap(), None);
        assert_eq!(
            values
                .get(&PluginName::new("crm"), "a")
                .await
                .unwrap()
                .unwrap()
                .value,
            b"1"
        );
        assert_eq!(
            values.keys(&PluginName::new("crm"), "", None, 10).await.unwrap(),
            ["a"]
        );
        assert_eq!(
            values.keys(&PluginName::new("cr"), "", None, 10).await.unwrap(),
            [""; 0]
        );
    }

    #[tokio::test]
    async fn a_quota_holds_and_expired_values_give_their_room_back() {
        let (values, clock) = values();
        let crm = PluginName::new("crm");
        let minute = Some(Duration::from_secs(60));
        values
            .set(&crm, "a", b"1".to_vec(), Expected::Anything, minute, QUOTA)
            .await
            .unwrap();
        set(&values, "crm", "b", "1").await.unwrap();
        assert_eq!(set(&values, "crm", "c", "1").await, Err(KeyValueError::Full));
        assert_eq!(
            set(&values, "crm", "b", &"x".repeat(40)).await,
            Err(KeyValueError::Full)
        );
        set(&values, "crm", "b", "2").await.unwrap();
        clock.advance(Duration::from_secs(61));
        set(&values, "crm", "c", "1").await.unwrap();
    }

    #[tokio::test]
    async fn a_conflict_says_what_is_there() {
        let (values, _) = values();
        let crm = PluginName::new("crm");
        let version = set(&values, "crm", "a", "1").await.unwrap();
        let again = values
            .set(&crm, "a", b"2".to_vec(), Expected::Absent, None, QUOTA)
            .await;
        assert_eq!(again, Err(KeyValueError::Conflict(Some(version))));
        let next = values
            .set(&crm, "a", b"2".to_vec(), Expected::Version(version), None, QUOTA)
            .await;
        assert!(next.unwrap() > version);
        values.delete(&crm, "a").await.unwrap();
        let gone = values
            .set(&crm, "a", b"2".to_vec(), Expected::Version(version), None, QUOTA)
            .await;
        assert_eq!(gone, Err(KeyValueError::Conflict(None)));
    }
}
