//! Networks of addresses: by which trunks are known, and that plugins may reach.

use std::{fmt, net::IpAddr, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Addresses that begin with the same bits: `192.0.2.0/28`, or one address alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// What is no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// No address, or no number of bits behind it.
    #[error("an address or a network is like `192.0.2.7`, `192.0.2.0/28` or `2001:db8::/32`")]
    Unreadable,
    /// More bits than an address has.
    #[error("a network of such addresses has at most {bits} bits behind its `/`")]
    TooManyBits {
        /// How many an address has.
        bits: u8,
    },
    /// The address has bits set that the network leaves open.
    #[error("that network begins at another address: write `{network}`")]
    WithinNetwork {
        /// The network that was likely meant.
        network: Network,
    },
}

impl Network {
    /// The first of its addresses.
    pub const fn address(self) -> IpAddr {
        self.address
    }

    /// How many leading bits its addresses share.
    pub const fn prefix(self) -> u8 {
        self.prefix
    }

    /// Whether an address is of the network. An IPv4 address that came wrapped in an IPv6 one is the
    /// IPv4 address.
    pub fn contains(self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4() && begin(address, self.prefix) == self.address
    }

    /// Whether all addresses of another network are of this one.
    pub fn covers(self, other: Self) -> bool {
        self.prefix <= other.prefix && self.contains(other.address)
    }

    /// Whether two networks have an address in common.
    pub fn overlaps(self, other: Self) -> bool {
        let (wide, narrow) = if self.prefix <= other.prefix {
            (self, other)
        } else {
            (other, self)
        };
        wide.contains(narrow.address)
    }
}

const fn bits(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// The first address of the network of so many bits that an address is in.
fn begin(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0);
            IpAddr::V4((address.to_bits() & mask).into())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX
                .checked_shl(128 - u32::from(prefix.min(128)))
                .unwrap_or(0);
            IpAddr::V6((address.to_bits() & mask).into())
        }
    }
}

impl FromStr for Network {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| ParseError::Unreadable)?;
        let bits = bits(address);
        let prefix = match prefix {
            None => bits,
            Some(prefix) if prefix.is_empty() || prefix.bytes().any(|byte| !byte.is_ascii_digit()) => {
                return Err(ParseError::Unreadable);
            }
            Some(prefix) => prefix
                .parse()
                .ok()
                .filter(|prefix| *prefix <= bits)
                .ok_or(ParseError::TooManyBits { bits })?,
        };
        let network = Self {
            address: begin(address, prefix),
            prefix,
        };
        if network.address != address {
            return Err(ParseError::WithinNetwork { network });
        }
        // An address that is compared is never of this form.
        if address.to_canonical() != address {
            return Err(ParseError::Unreadable);
        }
        Ok(network)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.prefix == bits(self.address) {
            write!(f, "{}", self.address)
        } else {
            write!(f, "{}/{}", self.address, self.prefix)
        }
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .map_err(|error| D::Error::custom(format_args!("{text:?}: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        text.parse().expect("a network of the test")
    }

    #[test]
    fn addresses_are_of_their_networks() {
        for (text, address, is_of_it) in [
            ("192.0.2.0/28", "192.0.2.15", true),
            ("192.0.2.0/28", "192.0.2.16", false),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "::ffff:192.0.2.7", true),
            ("192.0.2.7", "192.0.2.8", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "2001:db8::1", true),
            ("::/0", "192.0.2.1", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
        ] {
            let address = address.parse().expect("an address");
            assert_eq!(network(text).contains(address), is_of_it, "{text} {address}");
            assert_eq!(network(text).to_string(), text);
        }
    }

    #[test]
    fn networks_that_share_an_address_overlap() {
        for (one, other, overlap) in [
            ("192.0.2.0/28", "192.0.2.0/24", true),
            ("192.0.2.0/28", "192.0.2.16/28", false),
            ("192.0.2.3", "192.0.2.0/30", true),
            ("192.0.2.3", "192.0.2.3", true),
            ("0.0.0.0/0", "::/0", false),
            ("2001:db8::/32", "2001:db8:1::/48", true),
        ] {
            assert_eq!(network(one).overlaps(network(other)), overlap, "{one} {other}");
            assert_eq!(network(other).overlaps(network(one)), overlap, "{other} {one}");
        }
    }

    #[test]
    fn a_network_covers_what_lies_in_it_whole() {
        for (wide, narrow, covers) in [
            ("10.0.0.0/8", "10.1.0.0/16", true),
            ("10.1.0.0/16", "10.0.0.0/8", false),
            ("10.0.0.0/8", "10.0.0.0/8", true),
            ("0.0.0.0/0", "::/0", false),
        ] {
            assert_eq!(network(wide).covers(network(narrow)), covers, "{wide} {narrow}");
        }
    }

    #[test]
    fn what_is_no_network_says_why() {
        let error = |text: &str| text.parse::<Network>().expect_err(text);
        for text in [
            "",
            "sip.example",
            "192.0.2",
            "192.0.2.0/",
            "192.0.2.0/+8",
            "192.0.2.0/24/1",
            "[2001:db8::1]",
            "::ffff:192.0.2.7",
        ] {
            assert_eq!(error(text), ParseError::Unreadable, "{text}");
        }
        assert_eq!(error("192.0.2.0/33"), ParseError::TooManyBits { bits: 32 });
        assert_eq!(error("192.0.2.0/999"), ParseError::TooManyBits { bits: 32 });
        assert_eq!(error("2001:db8::/129"), ParseError::TooManyBits { bits: 128 });
        assert_eq!(
            error("192.0.2.7/28"),
            ParseError::WithinNetwork {
                network: network("192.0.2.0/28")
            }
        );
    }
}
