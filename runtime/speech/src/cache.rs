//! Sound that was made once. Memory holds what is played often; the folder holds what says the
//! same to everybody, and several processes share it.

pub(crate) mod disk;
pub(crate) mod memory;

use sha2::{Digest, Sha256};
use trunkline_model::hex;

/// What sound is known by: a hash of all that decides how it sounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key([u8; 32]);

impl Key {
    /// Of the parts that decide it. Each is preceded by its length: no two lists are alike.
    pub(crate) fn of(parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"trunkline voice 1\0");
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        Self(hash.finalize().into())
    }

    fn name(self) -> String {
        hex::write(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_wherever_a_part_does() {
        assert_eq!(Key::of(&["a", "b"]), Key::of(&["a", "b"]));
        for other in [
            &["ab"][..],
            &["ab", ""],
            &["", "ab"],
            &["a", "b", ""],
            &["b", "a"],
        ] {
            assert_ne!(Key::of(&["a", "b"]), Key::of(other));
        }
        assert_eq!(Key::of(&[]).name().len(), 64);
    }
}
