//! One request that a plugin may make: `"POST https://crm.civil.example/v1/*"`.
//!
//! Everything is named: method (or `*` for all), scheme, host, port (or the scheme's own) and
//! path, which may end in `*` for all that begins so. There are no wildcards in hosts. A query
//! is not part of it: whoever may call a path may ask it anything.
//!
//! A plugin that is told its address by its settings cannot name it in what it wants. There it
//! writes the setting, `"POST ${url}/v1/*"`, and [`HttpGrant::with_settings`] puts the address
//! in its place. A grant must be plain: whoever may change settings must not change grants.

use std::{
    collections::BTreeMap,
    fmt,
    net::{IpAddr, Ipv4Addr},
    str::FromStr,
};

use ::http::{Method, Uri, uri::Scheme};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::settings::{self, SettingError};

/// A request that a plugin may make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpGrant {
    /// The method; none for all but CONNECT.
    method: Option<Method>,
    target: Target,
    /// The path, normalised, without the `*`.
    path: String,
    /// Whether the path is the beginning of all that is granted.
    prefix: bool,
    /// The address as it is written, when it names settings; the rest says nothing then.
    unsettled: Option<String>,
}

/// Where a request goes: scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// Whether the connection is encrypted: `https`.
    pub encrypted: bool,
    /// The host.
    pub host: Host,
    /// The port, the scheme's own if none was written.
    pub port: u16,
}

/// A host, as a name or an address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// An address written as one.
    Address(IpAddr),
    /// A name in lower case, without the final dot.
    Name(String),
}

/// What was read does not say what may be requested.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpGrantError {
    /// Not two words.
    #[error(
        "an http grant is a method, a space and an address, like \
         \"POST https://crm.civil.example/v1/*\", not {0:?}"
    )]
    Form(String),
    /// The first word is no method.
    #[error("{0:?} is no method: write GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS, or * for all of them")]
    Method(String),
    /// The second word is no address.
    #[error(
        "{address:?} cannot be granted: {reason}; write it like https://crm.civil.example/v1/* \
         or http://127.0.0.1:7001/v1/find"
    )]
    Address {
        /// What stands there.
        address: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl HttpGrant {
    /// Where granted requests go.
    pub const fn target(&self) -> &Target {
        &self.target
    }

    /// Whether it names settings, so that it allows nothing yet.
    pub const fn is_unsettled(&self) -> bool {
        self.unsettled.is_some()
    }

    /// The same with settings in the place of their names.
    ///
    /// # Errors
    /// A setting is not there, or what comes out is no address.
    pub fn with_settings(&self, settings: &BTreeMap<String, String>) -> Result<Self, SettingError> {
        let Some(address) = &self.unsettled else {
            return Ok(self.clone());
        };
        let method = self.method.as_ref().map_or("*", Method::as_str);
        let settled = settings::put(address, settings)?;
        format!("{method} {settled}")
            .parse()
            .map_err(|error: HttpGrantError| SettingError::Unfit {
                written: self.to_string(),
                reason: error.to_string(),
            })
    }

    /// Whether all that another one allows is allowed by this one.
    pub fn covers(&self, other: &Self) -> bool {
        !self.is_unsettled()
            && !other.is_unsettled()
            && (self.method.is_none() || self.method == other.method)
            && self.target == other.target
            && if self.prefix {
                other.path.starts_with(&self.path)
            } else {
                !other.prefix && self.path == other.path
            }
    }

    /// Whether a request is granted. `path` has been normalised by [`normal_path`].
    pub(crate) fn allows(&self, method: &Method, target: &Target, path: &str) -> bool {
        // A tunnel leads anywhere, whatever it is asked for.
        *method != Method::CONNECT
            && !self.is_unsettled()
            && self.method.as_ref().is_none_or(|granted| granted == method)
            && self.target == *target
            && if self.prefix {
                path.starts_with(&self.path)
            } else {
                path == self.path
            }
    }
}

impl Target {
    /// A place to which nothing goes.
    const fn nowhere() -> Self {
        Self {
            encrypted: false,
            host: Host::Address(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            port: 0,
        }
    }

    /// Reads where a request goes. None for what is never granted: another scheme than
    /// `http` and `https`, no host, or a user name before the host.
    pub(crate) fn of(uri: &Uri) -> Option<Self> {
        let scheme = uri.scheme()?;
        let encrypted = *scheme == Scheme::HTTPS;
        if !encrypted && *scheme != Scheme::HTTP {
            return None;
        }
        let authority = uri.authority()?;
        if authority.as_str().contains('@') {
            return None;
        }
        // Read here, since a port that is no number counts as none with the parser of URIs.
        let port = match authority.as_str().strip_prefix(authority.host())? {
            "" if encrypted => 443,
            "" => 80,
            written => written.strip_prefix(':')?.parse().ok().filter(|port| *port > 0)?,
        };
        Some(Self {
            encrypted,
            host: Host::parse(authority.host())?,
            port,
        })
    }
}

impl Host {
    fn parse(text: &str) -> Option<Self> {
        if let Some(inner) = text.strip_prefix('[') {
            return inner
                .strip_suffix(']')?
                .parse()
                .ok()
                .map(|address| Self::Address(IpAddr::V6(address)));
        }
        if let Ok(address) = text.parse() {
            return Some(Self::Address(IpAddr::V4(address)));
        }
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let fine = !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
        fine.then_some(Self::Name(name))
    }

    /// Whether this is `localhost`, whose addresses are the loopback's.
    pub fn is_localhost(&self) -> bool {
        matches!(self, Self::Name(name) if name == "localhost")
    }
}

/// A path in one form, or none when it could mean different things to us and to a server:
/// `.` and `..` segments however escaped, backslashes, escapes that are none.
///
/// Escapes of letters, digits, `-`, `.`, `_` and `~` are undone (RFC 3986, section 6.2.2.2),
/// and the digits of the rest are in upper case.
pub(crate) fn normal_path(path: &str) -> Option<String> {
    let bytes = path.as_bytes();
    let mut normal = String::with_capacity(path.len());
    let mut index = 0;
    while index < bytes.len() {
        match bytes[index] {
            b'%' => {
                let byte = escaped(bytes, index)?;
                if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
                    normal.push(char::from(byte));
                } else {
                    normal.push_str(&format!("%{byte:02X}"));
                }
                index += 3;
            }
            byte if byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'?' | b'#') => {
                normal.push(char::from(byte));
                index += 1;
            }
            _ => return None,
        }
    }
    if !normal.starts_with('/') {
        return None;
    }
    // A server may undo escapes once more than it should, and some take `\` for `/`.
    let mut read = normal.clone().into_bytes();
    for _ in 0..UNESCAPED_TIMES {
        if read
            .split(|byte| matches!(byte, b'/' | b'\\'))
            // `..;x` is `..` to servers that know path parameters.
            .map(|segment| segment.split(|byte| *byte == b';').next().unwrap_or_default())
            .any(|segment| segment == b"." || segment == b"..")
            || read.contains(&0)
        {
            return None;
        }
        let again = unescaped(&read);
        if again == read {
            break;
        }
        read = again;
    }
    Some(normal)
}

/// How often escapes are undone in the search for `..`.
const UNESCAPED_TIMES: usize = 4;

fn escaped(bytes: &[u8], at: usize) -> Option<u8> {
    let digit = |at: usize| char::from(*bytes.get(at)?).to_digit(16);
    u8::try_from(digit(at + 1)? * 16 + digit(at + 2)?).ok()
}

fn unescaped(bytes: &[u8]) -> Vec<u8> {
    let mut read = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while index < bytes.len() {
        match escaped(bytes, index).filter(|_| bytes[index] == b'%') {
            Some(byte) => {
                read.push(byte);
                index += 3;
            }
            None => {
                read.push(bytes[index]);
                index += 1;
            }
        }
    }
    read
}

impl FromStr for HttpGrant {
    type Err = HttpGrantError;

    fn from_str(text: &str) -> Result<Self, HttpGrantError> {
        let mut words = text.split_whitespace();
        let (Some(method), Some(address), None) = (words.next(), words.next(), words.next()) else {
            return Err(HttpGrantError::Form(text.to_owned()));
        };
        let method = match method {
            "*" => None,
            "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD" | "OPTIONS" => Some(
                Method::from_bytes(method.as_bytes())
                    .map_err(|_| HttpGrantError::Method(method.to_owned()))?,
            ),
            other => return Err(HttpGrantError::Method(other.to_owned())),
        };
        if settings::named(address) {
            return Ok(Self {
                method,
                target: Target::nowhere(),
                path: String::new(),
                prefix: false,
                unsettled: Some(address.to_owned()),
            });
        }
        let error = |reason| HttpGrantError::Address {
            address: address.to_owned(),
            reason,
        };
        let scheme_end = address
            .find("://")
            .ok_or_else(|| error("it has no http:// or https://"))?;
        if !address[scheme_end + 3..].contains('/') {
            return Err(error("it has no path; /* means all of them"));
        }
        if address.contains(['?', '#']) {
            return Err(error("a query is not part of a grant"));
        }
        let (address, prefix) = address
            .strip_suffix('*')
            .map_or((address, false), |address| (address, true));
        if address.contains('*') {
            return Err(error("* may stand only at the end of the path"));
        }
        let uri: Uri = address.parse().map_err(|_| error("it is no address"))?;
        let target = Target::of(&uri).ok_or_else(|| {
            error("it must be http or https, with a host, without a user, and with a port that exists")
        })?;
        let path = normal_path(uri.path()).ok_or_else(|| error("its path is not in plain form"))?;
        Ok(Self {
            method,
            target,
            path,
            prefix,
            unsettled: None,
        })
    }
}

impl fmt::Display for HttpGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = self.method.as_ref().map_or("*", Method::as_str);
        if let Some(address) = &self.unsettled {
            return write!(f, "{method} {address}");
        }
        let star = if self.prefix { "*" } else { "" };
        write!(f, "{method} {}{}{star}", self.target, self.path)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, default) = if self.encrypted {
            ("https", 443)
        } else {
            ("http", 80)
        };
        write!(f, "{scheme}://{}", self.host)?;
        if self.port != default {
            write!(f, ":{}", self.port)?;
        }
        Ok(())
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Address(address) => address.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl Serialize for HttpGrant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HttpGrant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(grant: &str, method: &str, uri: &str) -> bool {
        let grant: HttpGrant = grant.parse().unwrap();
        let Ok(uri) = uri.parse::<Uri>() else { return false };
        let Some(target) = Target::of(&uri) else {
            return false;
        };
        let Some(path) = normal_path(uri.path()) else {
            return false;
        };
        grant.allows(&method.parse().unwrap(), &target, &path)
    }

    #[test]
    fn a_grant_allows_what_it_names() {
        let grant = "POST https://crm.civil.example/v1/*";
        for uri in [
            "https://crm.civil.example/v1/find",
            "https://crm.civil.example:443/v1/find?phone=1",
            "https://CRM.civil.EXAMPLE./v1/",
            "https://crm.civil.example/%761/find",
            "https://crm.civil.example/v1/a%2Fb",
            "https://crm.civil.example/v1/%E7%8E%8B",
        ] {
            assert!(allows(grant, "POST", uri), "{uri}");
        }
        assert!(allows(
            "* http://127.0.0.1:7001/*",
            "DELETE",
            "http://127.0.0.1:7001/"
        ));
        assert!(allows("GET http://[::1]:80/a", "GET", "http://[0:0::1]/a"));
    }

    #[test]
    fn nothing_else_is_allowed() {
        let grant = "POST https://crm.civil.example/v1/*";
        for uri in [
            "http://crm.civil.example/v1/find",
            "https://crm.civil.example:8443/v1/find",
            "https://crm.civil.example.evil.example/v1/find",
            "https://evil.example/v1/find",
            "https://crm.civil.example@evil.example/v1/find",
            "https://user:pass@crm.civil.example/v1/find",
            "https://crm.civil.example/v2/find",
            "https://crm.civil.example/v1",
            "https://crm.civil.example/v1/../admin",
            "https://crm.civil.example/v1/%2e%2e/admin",
            "https://crm.civil.example/v1/.%2E/admin",
            "https://crm.civil.example/v1/%252e%252e/admin",
            "https://crm.civil.example/v1/..%2Fadmin",
            "https://crm.civil.example/v1/..%5Cadmin",
            "https://crm.civil.example/v1/..;/admin",
            "https://crm.civil.example/v1/./x",
            "https://crm.civil.example/v1/x%00",
            "https://crm.civil.example/v1/%zz",
            "https://crm.civil.example:/v1/find",
            "https://crm.civil.example:0/v1/find",
            "https://crm.civil.example:99999/v1/find",
            "ftp://crm.civil.example/v1/find",
        ] {
            assert!(!allows(grant, "POST", uri), "{uri}");
        }
        assert!(!allows(grant, "GET", "https://crm.civil.example/v1/find"));
        assert!(!allows("* http://a.example/*", "CONNECT", "http://a.example/"));
        assert!(!allows("GET http://a.example/x", "GET", "http://a.example/xy"));
        assert!(!allows("GET http://127.0.0.1/x", "GET", "http://2130706433/x"));
        assert!(!allows("GET http://127.0.0.1/x", "GET", "http://127.1/x"));
    }

    #[test]
    fn a_grant_covers_what_it_is_no_narrower_than() {
        let covers = |grant: &str, want: &str| {
            let (grant, want): (HttpGrant, HttpGrant) = (grant.parse().unwrap(), want.parse().unwrap());
            grant.covers(&want)
        };
        for (grant, want) in [
            ("POST https://a.example/v1/*", "POST https://a.example/v1/*"),
            ("POST https://a.example/*", "POST https://a.example/v1/*"),
            ("* https://a.example/v1/*", "POST https://a.example/v1/find"),
            ("GET https://a.example/x", "GET https://A.example:443/x"),
        ] {
            assert!(covers(grant, want), "{grant} / {want}");
        }
        for (grant, want) in [
            ("POST https://a.example/v1/*", "POST https://a.example/*"),
            (
                "POST https://a.example/v1/find",
                "POST https://a.example/v1/find*",
            ),
            ("POST https://a.example/v1/*", "* https://a.example/v1/*"),
            ("POST https://a.example/v1/*", "POST http://a.example/v1/*"),
            ("POST https://a.example/v1/*", "POST https://b.example/v1/*"),
        ] {
            assert!(!covers(grant, want), "{grant} / {want}");
        }
    }

    #[test]
    fn a_want_may_name_the_setting_that_holds_its_address() {
        let want: HttpGrant = "POST ${url}/v1/*".parse().unwrap();
        assert_eq!(want.to_string(), "POST ${url}/v1/*");
        assert!(want.is_unsettled() && !want.covers(&want));
        assert!(!want.allows(&Method::POST, &Target::nowhere(), ""));
        let with = |url: &str| want.with_settings(&BTreeMap::from([("url".to_owned(), url.to_owned())]));
        assert_eq!(
            with("http://127.0.0.1:7001").unwrap(),
            "POST http://127.0.0.1:7001/v1/*".parse().unwrap()
        );
        assert!(
            with("ftp://a.example")
                .unwrap_err()
                .to_string()
                .contains("POST ${url}/v1/*")
        );
        let missing = want.with_settings(&BTreeMap::new()).unwrap_err().to_string();
        assert!(missing.contains("config: { url:"), "{missing}");
    }

    #[test]
    fn grants_are_written_as_they_were_read() {
        for text in [
            "POST https://crm.civil.example/v1/*",
            "GET http://127.0.0.1:7001/feed",
            "* http://[::1]:8080/*",
        ] {
            assert_eq!(text.parse::<HttpGrant>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_grant_says_how_to_write_it() {
        for (text, said) in [
            (
                "https://crm.civil.example/v1/*",
                "a method, a space and an address",
            ),
            ("post https://crm.civil.example/", "\"post\" is no method"),
            ("GET crm.civil.example/v1", "no http:// or https://"),
            ("GET https://crm.civil.example", "no path"),
            ("GET https://*.civil.example/v1", "only at the end"),
            ("GET https://crm.civil.example/a?b=c", "query"),
            ("GET https://a:b@crm.civil.example/", "without a user"),
            ("GET ftp://crm.civil.example/", "must be http or https"),
            ("GET https://crm.civil.example/a/../b", "plain form"),
        ] {
            let error = text.parse::<HttpGrant>().unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
