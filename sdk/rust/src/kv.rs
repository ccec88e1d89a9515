//! A small key-value store of the plugin's own, kept across calls and restarts.
//!
//! Other calls of the same plugin run at the same time: to change a value by what it was,
//! read its version and write with [`set_if`].

use std::time::Duration;

use crate::host;

/// A stored value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its bytes.
    pub value: Vec<u8>,
    /// Grows with every change of the key.
    pub version: u64,
}

/// Why the store did not do it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The key is empty or too long, or the value is too large.
    #[error("the key is empty or too long, or the value is too large")]
    TooLarge,
    /// The plugin's quota is used up.
    #[error("the plugin's quota of keys or bytes is used up: delete some, or raise it in grants.yaml")]
    Full,
    /// Somebody else changed the key first.
    #[error("the key changed meanwhile")]
    Conflict {
        /// The version it has now; none when it is gone.
        present: Option<u64>,
    },
    /// The store did not answer.
    #[error("the store did not answer: {why}")]
    Unavailable {
        /// What the host says of it.
        why: String,
    },
    /// The value is not the JSON that was asked for.
    #[cfg(feature = "json")]
    #[error("the value is not the JSON that was asked for: {0}")]
    Json(#[from] serde_json::Error),
}

/// The entry of a key; none when there is none or its time is over.
///
/// # Errors
/// [`Error::TooLarge`] for a key that cannot be, [`Error::Unavailable`].
pub fn get(key: &str) -> Result<Option<Entry>, Error> {
    host::kv_get(key)
}

/// Sets a key whatever it held, and returns the new version. With `ttl`, rounded up to
/// seconds, it is gone after that time.
///
/// # Errors
/// [`Error::TooLarge`], [`Error::Full`], [`Error::Unavailable`].
pub fn set(key: &str, value: &[u8], ttl: Option<Duration>) -> Result<u64, Error> {
    host::kv_set(key, value, ttl.map(seconds))
}

/// Sets a key if its version is the expected one, and returns the new version; `None`
/// expects that the key does not exist.
///
/// # Errors
/// [`Error::Conflict`] when it is not, and those of [`set`].
pub fn set_if(key: &str, value: &[u8], expected: Option<u64>, ttl: Option<Duration>) -> Result<u64, Error> {
    host::kv_set_if(key, value, expected, ttl.map(seconds))
}

/// Removes a key; removing what is not there is fine.
///
/// # Errors
/// [`Error::TooLarge`] for a key that cannot be, [`Error::Unavailable`].
pub fn delete(key: &str) -> Result<(), Error> {
    host::kv_delete(key)
}

/// Up to `limit` keys that begin with the prefix, sorted, after `after` if given.
///
/// # Errors
/// [`Error::Unavailable`].
pub fn keys(prefix: &str, after: Option<&str>, limit: u32) -> Result<Vec<String>, Error> {
    host::kv_keys(prefix, after, limit)
}

/// A value that was kept as JSON.
///
/// # Errors
/// [`Error::Json`] when it is not what was asked for, and those of [`get`].
#[cfg(feature = "json")]
pub fn get_json<T: serde::de::DeserializeOwned>(key: &str) -> Result<Option<T>, Error> {
    let entry = get(key)?;
    entry
        .map(|entry| Ok(serde_json::from_slice(&entry.value)?))
        .transpose()
}

/// Keeps a value as JSON.
///
/// # Errors
/// [`Error::Json`] when it cannot be written so, and those of [`set`].
#[cfg(feature = "json")]
pub fn set_json<T: serde::Serialize>(key: &str, value: &T, ttl: Option<Duration>) -> Result<u64, Error> {
    set(key, &serde_json::to_vec(value)?, ttl)
}

fn seconds(ttl: Duration) -> u32 {
    let up = u64::from(ttl.subsec_nanos() > 0);
    u32::try_from(ttl.as_secs().saturating_add(up)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_to_live_is_rounded_up() {
        assert_eq!(seconds(Duration::from_millis(1)), 1);
        assert_eq!(seconds(Duration::from_secs(60)), 60);
        assert_eq!(seconds(Duration::MAX), u32::MAX);
    }
}
