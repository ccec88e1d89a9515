//! Sizes in bytes, as people write them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A number of bytes, written `512`, `64KiB`, `32MiB` or `1GiB`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(pub u64);

/// What was read is no size.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a size is written like 512, 64KiB, 32MiB or 1GiB, not {0:?}")]
pub struct BytesError(String);

/// Units from the largest to the smallest, with the bits they shift by.
const UNITS: [(&str, u32); 4] = [("GiB", 30), ("MiB", 20), ("KiB", 10), ("B", 0)];

impl Bytes {
    /// The number, cut to what this machine can address.
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl FromStr for Bytes {
    type Err = BytesError;

    fn from_str(text: &str) -> Result<Self, BytesError> {
        let error = || BytesError(text.to_owned());
        let text = text.trim();
        let digits_end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (digits, unit) = text.split_at(digits_end);
        let bits = match unit.trim() {
            "" => 0,
            unit => UNITS
                .iter()
                .find(|(name, _)| *name == unit)
                .map(|(_, bits)| *bits)
                .ok_or_else(error)?,
        };
        let count: u64 = digits.parse().map_err(|_| error())?;
        count.checked_mul(1 << bits).map(Self).ok_or_else(error)
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, bits) = UNITS
            .into_iter()
            .find(|(_, bits)| self.0 >= 1 << bits && self.0.trailing_zeros() >= *bits)
            .unwrap_or(("B", 0));
        write!(f, "{}{unit}", self.0 >> bits)
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Bytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a size such as 64KiB or 32MiB")
            }

            fn visit_u64<E: de::Error>(self, bytes: u64) -> Result<Bytes, E> {
                Ok(Bytes(bytes))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Bytes, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_they_are_written() {
        for (text, bytes) in [
            ("512B", 512),
            ("64KiB", 64 << 10),
            ("32MiB", 32 << 20),
            ("1GiB", 1 << 30),
            ("1025KiB", 1025 << 10),
            ("0B", 0),
        ] {
            assert_eq!(text.parse(), Ok(Bytes(bytes)));
            assert_eq!(Bytes(bytes).to_string(), text);
        }
        assert_eq!("1 MiB".parse(), Ok(Bytes(1 << 20)));
        for text in ["", "MiB", "32MB", "-1", "1.5MiB", "99999999999999GiB"] {
            assert!(text.parse::<Bytes>().is_err(), "{text}");
        }
    }
}
