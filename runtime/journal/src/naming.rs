//! Names made of what nobody may learn from them.
//!
//! A plain digest of something that can be guessed, such as a telephone number, gives it away to
//! whoever tries them all. Names are digests under a key of the store's own.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use trunkline_model::Digest;

/// What names are made under. It is derived from the master key and tells nothing about it.
#[derive(Clone)]
pub(crate) struct NameKey(Hmac<Sha256>);

impl NameKey {
    /// Derives the key.
    pub(crate) fn of_master(master: &[u8]) -> Self {
        let mut derived = keyed(master);
        derived.update(b"trunkline names");
        Self(keyed(&derived.finalize().into_bytes()))
    }

    /// The name of several parts, the same for the same parts; each is prefixed by its length.
    pub(crate) fn name<'a>(&self, parts: impl IntoIterator<Item = &'a [u8]>) -> Digest {
        let mut name = self.0.clone();
        for part in parts {
            name.update(&(part.len() as u64).to_be_bytes());
            name.update(part);
        }
        Digest::from_bytes(name.finalize().into_bytes().into())
    }
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_one_store_and_do_not_run_together() {
        let one = NameKey::of_master(&[1; 32]);
        let other = NameKey::of_master(&[2; 32]);
        let parts = [b"ab".as_slice(), b"c"];
        assert_eq!(one.name(parts), NameKey::of_master(&[1; 32]).name(parts));
        assert_ne!(one.name(parts), other.name(parts));
        assert_ne!(one.name(parts), one.name([b"a".as_slice(), b"bc"]));
        assert_ne!(one.name(parts), Digest::of_parts(parts));
    }
}
