//! How far a stream or an entry has come.

use std::fmt;

/// The version of a stream after an append, or of an entry after a put.
///
/// Versions of one stream and of one entry only grow. Their values mean nothing beyond that:
/// a store may leave gaps, so nobody counts with them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(u64);

impl Version {
    /// The version of what does not exist.
    pub const NONE: Self = Self(0);

    /// Takes a version as [`as_u64`](Self::as_u64) gave it.
    pub const fn from_u64(version: u64) -> Self {
        Self(version)
    }

    /// The version as a number, for messages and for interfaces that carry it.
    pub const fn as_u64(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
