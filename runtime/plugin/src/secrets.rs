//! The operator's secrets: values that guests use and never see.
//!
//! Names belong to the hotline; what may use one, and where it may go, is a grant's to say. A value
//! is in no release, log, journal or error, and nothing here prints one.

use std::{collections::BTreeMap, fmt, sync::Arc};

use zeroize::Zeroizing;

use crate::grants::SecretName;

/// Bytes of the shortest value: a shorter one is guessed, and masking it would spoil replies.
pub const SECRET_BYTES_MIN: usize = 8;

/// Bytes of the longest value.
pub const SECRET_BYTES_MAX: usize = 4 << 10;

/// A secret's value. It is wiped when its last holder lets go of it.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretValue(Arc<Zeroizing<Vec<u8>>>);

/// A value that cannot be a secret's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its value has {bytes} bytes, and a secret has {SECRET_BYTES_MIN} to {SECRET_BYTES_MAX}")]
pub struct SecretValueError {
    /// How long it is.
    pub bytes: usize,
}

impl SecretValue {
    /// Takes a value.
    ///
    /// # Errors
    /// It is too short or too long.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, SecretValueError> {
        let bytes = Zeroizing::new(bytes.into());
        if (SECRET_BYTES_MIN..=SECRET_BYTES_MAX).contains(&bytes.len()) {
            Ok(Self(Arc::new(bytes)))
        } else {
            Err(SecretValueError { bytes: bytes.len() })
        }
    }

    /// The value, for whoever signs or checks with it; never to be shown or kept.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretValue(..)")
    }
}

/// Where values come from. Asked at every use, so that a value that was changed is used from then
/// on.
pub trait Secrets: fmt::Debug + Send + Sync {
    /// The present value of a secret, if there is one.
    fn value(&self, name: &SecretName) -> Option<SecretValue>;
}

/// Secrets that stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretTable(BTreeMap<SecretName, SecretValue>);

impl SecretTable {
    /// Adds a secret, or gives it another value.
    pub fn insert(&mut self, name: SecretName, value: SecretValue) {
        self.0.insert(name, value);
    }

    /// The names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &SecretName> {
        self.0.keys()
    }
}

impl Secrets for SecretTable {
    fn value(&self, name: &SecretName) -> Option<SecretValue> {
        self.0.get(name).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_never_shown() {
        let mut table = SecretTable::default();
        table.insert(
            "crm-token".parse().unwrap(),
            SecretValue::new("s3cr3t-value").unwrap(),
        );
        let shown = format!("{table:?}");
        assert!(
            shown.contains("crm-token") && !shown.contains("s3cr3t"),
            "{shown}"
        );
        let error = SecretValue::new("short").unwrap_err();
        assert!(!error.to_string().contains("short"), "{error}");
        assert!(SecretValue::new(vec![0; SECRET_BYTES_MAX + 1]).is_err());
    }
}
