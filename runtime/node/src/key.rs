//! Keys and tokens: what proves that somebody may.
//!
//! Neither is kept as it was given: a key's digest is compared, so the comparison tells
//! nothing by the time it takes.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use trunkline_model::Digest;

use crate::limits::KEY_CHARS_MIN;

/// A key that an operator or a trusted client shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Digest);

/// A key that is too easily guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a key has at least {KEY_CHARS_MIN} characters, without spaces; draw one with `openssl rand -hex 24`"
)]
pub struct WeakKey;

impl Key {
    /// Takes a key.
    ///
    /// # Errors
    /// It is too short, or holds what cannot stand in a header.
    pub fn new(text: &str) -> Result<Self, WeakKey> {
        let sound = text.len() >= KEY_CHARS_MIN && text.bytes().all(|byte| byte.is_ascii_graphic());
        if sound {
            Ok(Self(digest(text)))
        } else {
            Err(WeakKey)
        }
    }

    /// Whether this is the key.
    pub fn is(&self, shown: &str) -> bool {
        self.0 == digest(shown)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// What opens the caller's side of one contact. Kept by the client alone; the node keeps its
/// [`digest`](Token::digest).
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Draws a token.
    pub(crate) fn draw() -> Self {
        Self(URL_SAFE_NO_PAD.encode(random::<32>()))
    }

    /// The token of a request that may be repeated: made of the client's id for it, which
    /// the node does not keep, and of salt, which it does. Neither alone gives it.
    pub(crate) fn derived(salt: &[u8; 32], id: &str) -> Self {
        let digest = Digest::of_parts([b"trunkline contact token".as_slice(), salt, id.as_bytes()]);
        Self(URL_SAFE_NO_PAD.encode(digest.as_bytes()))
    }

    /// The token as it travels.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the node keeps of it.
    pub(crate) fn digest(&self) -> Digest {
        digest(&self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// The digest under which a key or token is kept and compared.
pub(crate) fn digest(text: &str) -> Digest {
    Digest::of_parts([b"trunkline key".as_slice(), text.as_bytes()])
}

/// Draws random bytes from the operating system.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has random bytes to give");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_compared_and_never_shown() {
        let key = Key::new("correct-horse-battery").unwrap();
        assert!(key.is("correct-horse-battery"));
        assert!(!key.is("correct-horse-batterz"));
        assert_eq!(format!("{key:?}"), "Key(..)");
        assert_eq!(Key::new("short"), Err(WeakKey));
        assert_eq!(Key::new("with spaces in between"), Err(WeakKey));
    }

    #[test]
    fn a_repeated_request_gets_its_token_again_and_another_does_not() {
        let salt = random();
        assert_eq!(
            Token::derived(&salt, "request-1"),
            Token::derived(&salt, "request-1")
        );
        assert_ne!(
            Token::derived(&salt, "request-1"),
            Token::derived(&salt, "request-2")
        );
        assert_ne!(
            Token::derived(&salt, "request-1"),
            Token::derived(&random(), "request-1")
        );
        assert_ne!(Token::draw(), Token::draw());
    }
}
