//! Carriers: companies of the cloud that take calls for a hotline and ask it what to do with them.

use std::{fmt, net::IpAddr, str::FromStr, sync::Arc};

use super::trunk::is_host;

/// A company that takes calls for the hotline, speaks and listens by itself, and asks over HTTP what
/// comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carrier {
    /// What it asks and understands.
    pub kind: CarrierKind,
    /// Where it reaches the server, as it was told: what it signs begins with this.
    pub url: PublicUrl,
    /// The name of the server's secret by which its requests are known.
    pub secret: Arc<str>,
    /// The hotline's numbers that come by it; all without.
    pub numbers: Option<Vec<Arc<str>>>,
}

/// What a carrier asks and understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CarrierKind {
    /// Documents of TwiML over HTTP.
    Twiml,
    /// Applications of jambonz over a WebSocket.
    Jambonz,
}

impl CarrierKind {
    /// All, as they are written.
    pub const NAMES: [(&'static str, Self); 2] = [("twiml", Self::Twiml), ("jambonz", Self::Jambonz)];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Twiml => "twiml",
            Self::Jambonz => "jambonz",
        }
    }
}

/// The address at which the world reaches the server, without a `/` at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(Arc<str>);

/// What is no address for the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublicUrlError {
    /// No address of the web.
    #[error("an address is like `https://hotline.example.org`, with a path at most behind it")]
    Unreadable,
    /// Anybody on the way could read and change what is sent.
    #[error("over plain HTTP anybody on the way reads what callers say: write `https://…`")]
    NotEncrypted,
}

/// Bytes of an address.
const URL_BYTES_MAX: usize = 500;

impl PublicUrl {
    /// The address, without a `/` at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PublicUrl {
    type Err = PublicUrlError;

    fn from_str(text: &str) -> Result<Self, PublicUrlError> {
        let (encrypted, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => return Err(PublicUrlError::Unreadable),
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let path_fits = path
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/-._~%".contains(&byte));
        if text.len() > URL_BYTES_MAX || !path_fits {
            return Err(PublicUrlError::Unreadable);
        }
        let host = host(authority).ok_or(PublicUrlError::Unreadable)?;
        if !encrypted && !is_loopback(host) {
            return Err(PublicUrlError::NotEncrypted);
        }
        Ok(Self(text.trim_end_matches('/').into()))
    }
}

/// The host of `host`, `host:port` and `[address]:port`.
fn host(authority: &str) -> Option<&str> {
    let (host, port) = if let Some(rest) = authority.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        host.parse::<IpAddr>().ok().filter(IpAddr::is_ipv6)?;
        (
            host,
            if rest.is_empty() {
                None
            } else {
                Some(rest.strip_prefix(':')?)
            },
        )
    } else {
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        };
        if !is_host(host) {
            return None;
        }
        (host, port)
    };
    match port {
        Some(port) if !port.bytes().all(|byte| byte.is_ascii_digit()) => None,
        Some(port) => port.parse::<u16>().is_ok_and(|port| port != 0).then_some(host),
        None => Some(host),
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_world_reaches_the_server_by_https() {
        for (text, read) in [
            ("https://hotline.example.org", "https://hotline.example.org"),
            ("https://hotline.example.org/", "https://hotline.example.org"),
            (
                "https://hotline.example.org:8443/a/b/",
                "https://hotline.example.org:8443/a/b",
            ),
            ("https://[2001:db8::7]:8443", "https://[2001:db8::7]:8443"),
            ("http://localhost:7777", "http://localhost:7777"),
            ("http://127.0.0.1:7777", "http://127.0.0.1:7777"),
            ("http://[::1]:7777", "http://[::1]:7777"),
        ] {
            assert_eq!(text.parse::<PublicUrl>().expect(text).as_str(), read);
        }
        for text in [
            "http://hotline.example.org",
            "http://192.0.2.7",
            "http://localhost.example.org",
        ] {
            assert_eq!(
                text.parse::<PublicUrl>(),
                Err(PublicUrlError::NotEncrypted),
                "{text}"
            );
        }
        for text in [
            "",
            "hotline.example.org",
            "wss://hotline.example.org",
            "https://",
            "https:///path",
            "https://user@hotline.example.org",
            "https://hotline.example.org?a=b",
            "https://hotline.example.org/#a",
            "https://hotline.example.org:",
            "https://hotline.example.org:0",
            "https://[hotline.example.org]",
            "https://[::1]7",
        ] {
            assert_eq!(
                text.parse::<PublicUrl>(),
                Err(PublicUrlError::Unreadable),
                "{text}"
            );
        }
    }
}
