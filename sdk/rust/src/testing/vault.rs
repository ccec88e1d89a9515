//! Secrets: placeholders, what takes their place on the way out, and signatures.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::Signer;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha512};

use super::grants::Target;
use crate::secrets::{Algorithm, Error};

/// The scheme whose value is base64.
const BASIC: &str = "Basic ";

/// Bytes of a private key of Ed25519.
const ED25519_KEY_BYTES: usize = 32;

#[derive(Debug, Default)]
pub(super) struct Vault {
    secrets: BTreeMap<String, Secret>,
}

#[derive(Debug)]
struct Secret {
    host: Target,
    /// None when the server has none for it.
    value: Option<Vec<u8>>,
}

impl Vault {
    /// Grants a secret for a host; a value that it has already stays.
    pub(super) fn grant(&mut self, name: &str, host: Target) {
        let value = self.secrets.remove(name).and_then(|secret| secret.value);
        self.secrets.insert(name.to_owned(), Secret { host, value });
    }

    /// Grants a secret for a host, with its value.
    pub(super) fn keep(&mut self, name: &str, host: Target, value: Vec<u8>) {
        let value = Some(value);
        self.secrets.insert(name.to_owned(), Secret { host, value });
    }

    pub(super) fn placeholder(&self, name: &str) -> Result<String, Error> {
        self.value(name)?;
        Ok(placeholder(name))
    }

    pub(super) fn sign(&self, name: &str, algorithm: Algorithm, bytes: &[u8]) -> Result<Vec<u8>, Error> {
        let key = self.value(name)?;
        let unusable = |why: String| Error::Unusable {
            name: name.to_owned(),
            why,
        };
        match algorithm {
            Algorithm::HmacSha256 => {
                let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key)
                    .map_err(|why| unusable(why.to_string()))?;
                mac.update(bytes);
                Ok(mac.finalize().into_bytes().to_vec())
            }
            Algorithm::HmacSha512 => {
                let mut mac = <Hmac<Sha512> as KeyInit>::new_from_slice(key)
                    .map_err(|why| unusable(why.to_string()))?;
                mac.update(bytes);
                Ok(mac.finalize().into_bytes().to_vec())
            }
            Algorithm::Ed25519 => {
                let key: [u8; ED25519_KEY_BYTES] = key.try_into().map_err(|_| {
                    unusable(format!(
                        "a key of Ed25519 has {ED25519_KEY_BYTES} bytes, this has {}",
                        key.len()
                    ))
                })?;
                let key = ed25519_dalek::SigningKey::from_bytes(&key);
                Ok(key.sign(bytes).to_bytes().to_vec())
            }
        }
    }

    /// A header's value as it goes out to a host: with the secrets that are for it, also behind
    /// the base64 of `Basic`.
    pub(super) fn filled_in(&self, value: &str, target: &Target) -> Vec<u8> {
        let filled = |text: &[u8]| {
            self.of_host(target)
                .fold(text.to_vec(), |text, (placeholder, secret)| {
                    replaced(&text, placeholder.as_bytes(), secret)
                })
        };
        let credentials = value
            .split_at_checked(BASIC.len())
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case(BASIC))
            .and_then(|(_, encoded)| STANDARD.decode(encoded.trim()).ok());
        match credentials {
            Some(credentials) => format!("Basic {}", STANDARD.encode(filled(&credentials))).into_bytes(),
            None => filled(value.as_bytes()),
        }
    }

    /// What comes back from a host, with its secrets made asterisks.
    pub(super) fn masked(&self, bytes: &[u8], target: &Target) -> Vec<u8> {
        self.of_host(target).fold(bytes.to_vec(), |bytes, (_, secret)| {
            replaced(&bytes, secret, &vec![b'*'; secret.len()])
        })
    }

    fn of_host<'a>(&'a self, target: &'a Target) -> impl Iterator<Item = (String, &'a [u8])> {
        self.secrets
            .iter()
            .filter(move |(_, secret)| secret.host == *target)
            .filter_map(|(name, secret)| Some((placeholder(name), secret.value.as_deref()?)))
    }

    fn value(&self, name: &str) -> Result<&[u8], Error> {
        let name_owned = || name.to_owned();
        let secret = self
            .secrets
            .get(name)
            .ok_or_else(|| Error::NotGranted { name: name_owned() })?;
        secret
            .value
            .as_deref()
            .ok_or_else(|| Error::Missing { name: name_owned() })
    }
}

fn placeholder(name: &str) -> String {
    format!("trunkline-secret-{name}-of-the-test-host")
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while !rest.is_empty() {
        if !from.is_empty() && rest.starts_with(from) {
            out.extend_from_slice(to);
            rest = &rest[from.len()..];
        } else {
            out.push(rest[0]);
            rest = &rest[1..];
        }
    }
    out
}
