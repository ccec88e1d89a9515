//! `trunkline:host/kv`: a plugin's own key-value store, within its grant.

use tokio::time::Instant;
use trunkline_model::Duration;

use super::bindings::trunkline::host::kv::{Entry, Error, Host};
use crate::{
    grants::KvGrant,
    guest::Guest,
    key_values::{Expected, KeyValueError, Quota},
    limits::{KV_KEY_BYTES_MAX, KV_KEYS_LISTED_MAX},
    plugin::Loaded,
    shared::TooLate,
    usage::Used,
};

impl From<KeyValueError> for Error {
    fn from(error: KeyValueError) -> Self {
        match error {
            KeyValueError::Full => Self::Full,
            KeyValueError::Conflict(version) => Self::Conflict(version),
            KeyValueError::Unavailable(reason) => Self::Unavailable(reason),
        }
    }
}

fn checked(key: &str) -> Result<&str, Error> {
    if key.is_empty() || key.len() > KV_KEY_BYTES_MAX {
        return Err(Error::TooLarge);
    }
    Ok(key)
}

/// Waits for the plugin's next operation, if it comes within the call's time.
async fn turn(plugin: &Loaded, deadline: Instant) -> Result<(), Error> {
    plugin.shared.kv.turn(deadline).await.map_err(|TooLate| {
        Error::Unavailable(format!(
            "more operations wait than are done within the call's time (grants.yaml: \
             `{}: limits: {{ kv-operations-per-s: {} }}`)",
            plugin.name, plugin.grants.limits.kv_operations_per_s
        ))
    })
}

impl Guest {
    /// The grant. A component that wants a store has one, or it would not have loaded.
    fn kv_grant(&self) -> KvGrant {
        self.plugin.grants.kv.unwrap_or(KvGrant {
            bytes: crate::Bytes(0),
            keys: 0,
            value_bytes: crate::Bytes(0),
        })
    }

    /// Counts an operation, on the bench.
    fn kv_operation(&self) {
        if let Some(probe) = &self.call.probe {
            probe.kv_operation();
        }
    }

    async fn kv_set(
        &mut self,
        key: &str,
        value: Vec<u8>,
        expected: Expected,
        ttl_s: Option<u32>,
    ) -> Result<u64, Error> {
        self.kv_operation();
        let grant = self.kv_grant();
        if value.len() as u64 > grant.value_bytes.0 {
            return Err(Error::TooLarge);
        }
        let quota = Quota {
            bytes: grant.bytes.0,
            keys: grant.keys.into(),
        };
        let ttl = ttl_s.map(|seconds| Duration::from_secs(seconds.into()));
        let plugin = &self.plugin;
        turn(plugin, self.call.deadline).await?;
        plugin
            .meter
            .add(Used::KvWritten, (key.len() + value.len()) as u64);
        let version = plugin
            .host
            .key_values
            .set(&plugin.name, checked(key)?, value, expected, ttl, quota)
            .await?;
        Ok(version)
    }
}

impl Host for Guest {
    async fn get(&mut self, key: String) -> Result<Option<Entry>, Error> {
        self.kv_operation();
        let plugin = &self.plugin;
        turn(plugin, self.call.deadline).await?;
        let entry = plugin.host.key_values.get(&plugin.name, checked(&key)?).await?;
        let bytes = entry.as_ref().map_or(0, |entry| entry.value.len());
        plugin.meter.add(Used::KvRead, bytes as u64);
        Ok(entry.map(|entry| Entry {
            value: entry.value,
            version: entry.version,
        }))
    }

    async fn set(&mut self, key: String, value: Vec<u8>, ttl_s: Option<u32>) -> Result<u64, Error> {
        self.kv_set(&key, value, Expected::Anything, ttl_s).await
    }

    async fn set_if(
        &mut self,
        key: String,
        value: Vec<u8>,
        expected: Option<u64>,
        ttl_s: Option<u32>,
    ) -> Result<u64, Error> {
        let expected = expected.map_or(Expected::Absent, Expected::Version);
        self.kv_set(&key, value, expected, ttl_s).await
    }

    async fn delete(&mut self, key: String) -> Result<(), Error> {
        self.kv_operation();
        let plugin = &self.plugin;
        turn(plugin, self.call.deadline).await?;
        plugin
            .host
            .key_values
            .delete(&plugin.name, checked(&key)?)
            .await?;
        Ok(())
    }

    async fn keys(
        &mut self,
        prefix: String,
        after: Option<String>,
        limit: u32,
    ) -> Result<Vec<String>, Error> {
        self.kv_operation();
        if prefix.len() > KV_KEY_BYTES_MAX {
            return Err(Error::TooLarge);
        }
        let plugin = &self.plugin;
        turn(plugin, self.call.deadline).await?;
        let keys = plugin
            .host
            .key_values
            .keys(
                &plugin.name,
                &prefix,
                after.as_deref(),
                limit.min(KV_KEYS_LISTED_MAX) as usize,
            )
            .await?;
        Ok(keys)
    }
}
