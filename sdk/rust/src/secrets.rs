//! Secrets that the operator keeps for the plugin: it uses them and never sees them.
//!
//! ```no_run
//! # use trunkline_sdk::{http, secrets};
//! # #[derive(Debug, thiserror::Error)] enum Failure {
//! #   #[error(transparent)] Secret(#[from] secrets::Error), #[error(transparent)] Http(#[from] http::Error) }
//! # fn ask() -> Result<(), Failure> {
//! let token = secrets::placeholder("crm-token")?;
//! let reply = http::get("https://crm.civil.example/v1/me").bearer(&token).send()?;
//! # let _ = reply; Ok(()) }
//! ```
//!
//! Each secret is bound to the host that it is for: on the way there, and nowhere else, the
//! host puts the secret for its placeholder in the values of headers.

use std::fmt;

use crate::host;

/// Why a secret cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The operator does not grant it.
    #[error(
        "the secret {name:?} is not granted: write `secrets: {{ {name}: https://HOST }}`, with the host that it \
         is for, under this plugin in grants.yaml, and `secrets = {{ {name} = \"https://HOST\" }}` under [wants] in plugin.toml"
    )]
    NotGranted {
        /// Its name.
        name: String,
    },
    /// It is granted, and the server has no value for it.
    #[error(
        "the server has no value for the secret {name:?}: the operator puts it among the server's secrets"
    )]
    Missing {
        /// Its name.
        name: String,
    },
    /// The value is no key of the algorithm.
    #[error("the secret {name:?} cannot sign: {why}")]
    Unusable {
        /// Its name.
        name: String,
        /// What the host says of it.
        why: String,
    },
}

/// How bytes are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC with SHA-256 (RFC 2104), 32 bytes.
    HmacSha256,
    /// HMAC with SHA-512, 64 bytes.
    HmacSha512,
    /// Ed25519 (RFC 8032), 64 bytes; the secret is the private key's 32 bytes.
    Ed25519,
}

/// A text that stands for a secret in the value of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placeholder(String);

impl Placeholder {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Placeholder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Placeholder> for String {
    fn from(placeholder: Placeholder) -> Self {
        placeholder.0
    }
}

impl From<&Placeholder> for String {
    fn from(placeholder: &Placeholder) -> Self {
        placeholder.0.clone()
    }
}

/// The text that stands for a secret: put it into the value of a header, by [`bearer`] or
/// [`header`].
///
/// # Errors
/// [`Error::NotGranted`], [`Error::Missing`].
///
/// [`bearer`]: crate::http::Request::bearer
/// [`header`]: crate::http::Request::header
pub fn placeholder(name: &str) -> Result<Placeholder, Error> {
    host::placeholder(name).map(Placeholder)
}

/// Signs bytes with a secret as the key.
///
/// # Errors
/// [`Error::NotGranted`], [`Error::Missing`], [`Error::Unusable`].
pub fn sign(name: &str, algorithm: Algorithm, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    host::sign(name, algorithm, bytes)
}
