//! Trunks: the lines by which calls come from the telephone network and go to it.

use std::{fmt, net::Ipv6Addr, str::FromStr, sync::Arc};

use trunkline_model::Network;

use crate::start::Rate;

/// A line to the telephone network, or to another exchange.
#[derive(Debug, Clone)]
pub struct Trunk {
    /// The networks whose calls are this trunk's; none when it proves itself by [`login`](Self::login)
    /// alone. Those of two trunks never overlap.
    pub from: Vec<Network>,
    /// How it proves that it is this trunk, and how calls to it prove that they are ours.
    pub login: Option<Login>,
    /// Where calls to the outside go; none when there are none.
    pub to: Option<Destination>,
    /// How messages travel.
    pub transport: Transport,
    /// Whether we register at [`to`](Self::to), as [`login`](Self::login).
    pub register: bool,
    /// What may be spoken, in order of preference; at least one, none twice.
    pub codecs: Vec<Codec>,
    /// How many calls at once, both ways together.
    pub calls_max: u32,
    /// How many new calls it may bring.
    pub rate: Rate,
    /// What is taken off called numbers, where they begin with it, before they are looked up.
    pub strip: Option<Arc<str>>,
    /// Whether its word for the caller's number counts.
    pub caller_id: CallerId,
    /// The calling code of the country whose callers' numbers it tells without one, such as `86`.
    pub country: Option<Arc<str>>,
    /// How its callers are put through to a number outside.
    pub put_through: PutThrough,
}

/// A user name, and where its password is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The user.
    pub user: Arc<str>,
    /// The name of the server's secret that is the password.
    pub secret: Arc<str>,
}

/// How a trunk's messages travel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// Packets.
    #[default]
    Udp,
    /// A connection.
    Tcp,
    /// An encrypted connection.
    Tls,
}

/// How speech is written in packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Codec {
    /// G.711 A-law, that of Europe and China.
    Pcma,
    /// G.711 µ-law, that of North America and Japan.
    Pcmu,
}

/// What a trunk's word for the caller's number is worth.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CallerId {
    /// It is the caller's number.
    #[default]
    Trusted,
    /// It is what the caller says, and proves nothing.
    Claimed,
}

/// How a caller is put through to a number outside.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PutThrough {
    /// We call the number, and both talk through us.
    #[default]
    Bridge,
    /// The trunk is asked to connect its caller by itself (REFER, RFC 3515), and the call leaves us.
    Refer,
}

impl PutThrough {
    /// All, as they are written.
    pub const NAMES: [(&'static str, Self); 2] = [("bridge", Self::Bridge), ("refer", Self::Refer)];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bridge => "bridge",
            Self::Refer => "refer",
        }
    }
}

impl Transport {
    /// All, as they are written.
    pub const NAMES: [(&'static str, Self); 3] = [("udp", Self::Udp), ("tcp", Self::Tcp), ("tls", Self::Tls)];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }

    /// The port where nobody says another (RFC 3261, 19.1.2).
    pub const fn port(self) -> u16 {
        match self {
            Self::Udp | Self::Tcp => 5060,
            Self::Tls => 5061,
        }
    }
}

impl Codec {
    /// All, as they are written, and in the order in which they are preferred.
    pub const NAMES: [(&'static str, Self); 2] = [("pcma", Self::Pcma), ("pcmu", Self::Pcmu)];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pcma => "pcma",
            Self::Pcmu => "pcmu",
        }
    }
}

impl CallerId {
    /// All, as they are written.
    pub const NAMES: [(&'static str, Self); 2] = [("trusted", Self::Trusted), ("claimed", Self::Claimed)];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trusted => "trusted",
            Self::Claimed => "claimed",
        }
    }
}

/// A host, and a port where it is another than that of the transport.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// A name or an address; an IPv6 address without its brackets.
    pub host: Arc<str>,
    /// The port, when one is written.
    pub port: Option<u16>,
}

/// What is no destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a host and a port are like `sip.telecom.example:5060`, `192.0.2.7` or `[2001:db8::7]:5061`")]
pub struct DestinationError;

/// Characters of a host's name (RFC 1035).
const HOST_CHARS_MAX: usize = 253;

/// Characters of a part of it.
const LABEL_CHARS_MAX: usize = 63;

impl FromStr for Destination {
    type Err = DestinationError;

    fn from_str(text: &str) -> Result<Self, DestinationError> {
        let (host, port) = if let Some(rest) = text.strip_prefix('[') {
            let (host, rest) = rest.split_once(']').ok_or(DestinationError)?;
            host.parse::<Ipv6Addr>().map_err(|_| DestinationError)?;
            let port = match rest {
                "" => None,
                rest => Some(rest.strip_prefix(':').ok_or(DestinationError)?),
            };
            (host, port)
        } else {
            let (host, port) = match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            };
            if !is_host(host) {
                return Err(DestinationError);
            }
            (host, port)
        };
        let port = match port {
            None => None,
            Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => Some(
                port.parse()
                    .ok()
                    .filter(|port| *port != 0)
                    .ok_or(DestinationError)?,
            ),
            Some(_) => return Err(DestinationError),
        };
        Ok(Self {
            host: host.into(),
            port,
        })
    }
}

/// Whether a text is a host's name, or an IPv4 address.
pub(super) fn is_host(text: &str) -> bool {
    let label = |label: &str| {
        (1..=LABEL_CHARS_MAX).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    (1..=HOST_CHARS_MAX).contains(&text.len()) && text.split('.').all(label)
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]", self.host)?;
        } else {
            f.write_str(&self.host)?;
        }
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_are_read_and_written_back() {
        for text in [
            "sip.telecom.example:5060",
            "sip.telecom.example",
            "localhost",
            "192.0.2.7:65535",
            "[2001:db8::7]:5061",
            "[::1]",
        ] {
            let read: Destination = text.parse().expect(text);
            assert_eq!(read.to_string(), text);
        }
        let read: Destination = "[2001:db8::7]:5061".parse().expect("an address");
        assert_eq!((&*read.host, read.port), ("2001:db8::7", Some(5061)));
        for bad in [
            "",
            ":5060",
            "sip:exchange.example",
            "sip.example:",
            "sip.example:0",
            "sip.example:65536",
            "sip.example:+5060",
            "2001:db8::7",
            "[2001:db8::7",
            "[2001:db8::7]5061",
            "[sip.example]",
            "sip..example",
            "-sip.example",
            "sip example",
            "user@sip.example",
            "sip.example;transport=tls",
        ] {
            assert_eq!(bad.parse::<Destination>(), Err(DestinationError), "{bad:?}");
        }
    }
}
