//! What a plugin may reach, as grants.yaml and plugin.toml write it.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;

use super::store::Quota;

/// A request that is granted: `POST https://crm.civil.example/v1/*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HttpGrant {
    /// None for all.
    method: Option<String>,
    target: Target,
    path: String,
    /// Whether the path is the beginning of all that is granted.
    prefix: bool,
}

/// Scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    secure: bool,
    host: String,
    port: u16,
}

impl HttpGrant {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let fault = || format!("{text:?} is no grant like \"POST https://crm.civil.example/v1/*\"");
        let (method, url) = text.trim().split_once(' ').ok_or_else(fault)?;
        let (target, path) = Target::of_url(url.trim()).ok_or_else(fault)?;
        let prefix = path.ends_with('*');
        let path = path.trim_end_matches('*');
        Ok(Self {
            method: (method != "*").then(|| method.to_owned()),
            target,
            path: normal_path(path).ok_or_else(fault)?,
            prefix,
        })
    }

    pub(super) fn allows(&self, method: &str, target: &Target, path_with_query: &str) -> bool {
        let path = path_with_query.split('?').next().unwrap_or_default();
        let Some(path) = normal_path(path) else {
            return false;
        };
        self.method.as_deref().is_none_or(|granted| granted == method)
            && self.target == *target
            && if self.prefix {
                path.starts_with(&self.path)
            } else {
                path == self.path
            }
    }
}

impl Target {
    /// Reads host and port, or the scheme's own port.
    pub(super) fn of(secure: bool, authority: &str) -> Option<Self> {
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok().filter(|port| *port > 0)?),
            _ => (authority, if secure { 443 } else { 80 }),
        };
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        (!host.is_empty()).then_some(Self { secure, host, port })
    }

    /// Reads an address, and gives the path that follows.
    pub(super) fn of_url(url: &str) -> Option<(Self, &str)> {
        let (secure, rest) = match url.split_once("://")? {
            ("https", rest) => (true, rest),
            ("http", rest) => (false, rest),
            _ => return None,
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        Some((
            Self::of(secure, authority)?,
            if path.is_empty() { "/" } else { path },
        ))
    }
}

/// A path with the escapes of unreserved characters undone; none when a server could read it
/// in another way than we do. The server's own host refuses more, by the same rule.
fn normal_path(path: &str) -> Option<String> {
    let bytes = path.as_bytes();
    let mut normal = String::with_capacity(path.len());
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'%' => {
                let digits = path.get(at + 1..at + 3)?;
                let byte = u8::from_str_radix(digits, 16).ok()?;
                match byte {
                    b'-' | b'.' | b'_' | b'~' => normal.push(char::from(byte)),
                    _ if byte.is_ascii_alphanumeric() => normal.push(char::from(byte)),
                    b'/' | b'\\' | b'%' | 0 => return None,
                    _ => normal.push_str(&format!("%{byte:02X}")),
                }
                at += 3;
            }
            b'\\' => return None,
            byte => {
                normal.push(char::from(byte));
                at += 1;
            }
        }
    }
    let dots = |segment: &str| matches!(segment.split(';').next(), Some("." | ".."));
    (!normal.split('/').any(dots)).then_some(normal)
}

/// What plugin.toml says that matters here: its wants, and how long a call may take.
#[derive(Debug, Default)]
pub(super) struct Wants {
    pub http: Vec<HttpGrant>,
    pub kv: Option<Quota>,
    /// Secrets by their names, each with the host that it is for.
    pub secrets: BTreeMap<String, Target>,
    pub time: Option<Duration>,
}

#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    wants: WrittenWants,
    #[serde(default)]
    limits: WrittenLimits,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenWants {
    http: Vec<String>,
    kv: Option<toml::Value>,
    secrets: BTreeMap<String, String>,
    /// Ranges of addresses and labels of data: nothing is resolved or passed here.
    #[serde(rename = "networks")]
    _networks: Vec<String>,
    #[serde(rename = "data")]
    _data: Vec<String>,
}

#[derive(Default, Deserialize)]
struct WrittenLimits {
    time: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct WrittenQuota {
    bytes: Option<String>,
    keys: Option<usize>,
    value_bytes: Option<String>,
}

impl Wants {
    /// Reads plugin.toml.
    pub(super) fn of_plugin(plugin_toml: &str) -> Result<Self, String> {
        let written: Written = toml::from_str(plugin_toml).map_err(|error| error.to_string())?;
        let http: Result<_, _> = written
            .wants
            .http
            .iter()
            .map(|text| HttpGrant::parse(text))
            .collect();
        let secrets: Result<_, String> = written
            .wants
            .secrets
            .into_iter()
            .map(|(name, host)| Ok((name, secret_host(&host)?)))
            .collect();
        Ok(Self {
            http: http?,
            kv: written.wants.kv.map_or(Ok(None), quota)?,
            secrets: secrets?,
            time: written.limits.time.as_deref().map(duration).transpose()?,
        })
    }
}

/// Reads the host that a secret is for.
pub(super) fn secret_host(url: &str) -> Result<Target, String> {
    match Target::of_url(url) {
        Some((target, "/")) => Ok(target),
        _ => Err(format!(
            "{url:?} is no host like https://crm.civil.example, which a secret is for"
        )),
    }
}

fn quota(written: toml::Value) -> Result<Option<Quota>, String> {
    if let Some(granted) = written.as_bool() {
        return Ok(granted.then(Quota::default));
    }
    let written: WrittenQuota = written
        .try_into()
        .map_err(|error| format!("`kv` is true, or like {{ bytes = \"1MiB\", keys = 1000 }}: {error}"))?;
    let default = Quota::default();
    let size = |written: Option<String>, default| written.map_or(Ok(default), |text| bytes(&text));
    Ok(Some(Quota {
        bytes: size(written.bytes, default.bytes)?,
        keys: written.keys.unwrap_or(default.keys),
        value_bytes: size(written.value_bytes, default.value_bytes)?,
    }))
}

fn bytes(text: &str) -> Result<usize, String> {
    let end = text
        .find(|char: char| !char.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let shift = match unit {
        "" | "B" => Some(0),
        "KiB" => Some(10),
        "MiB" => Some(20),
        "GiB" => Some(30),
        _ => None,
    };
    digits
        .parse::<usize>()
        .ok()
        .zip(shift)
        .and_then(|(count, shift)| count.checked_mul(1 << shift))
        .ok_or_else(|| format!("{text:?} is no size like 64KiB or 1MiB"))
}

/// Reads one number and one unit, or several from the largest to the smallest: `1m30s`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let fault = || format!("{text:?} is no time like 800ms or 2s");
    let mut total = Duration::ZERO;
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(fault());
    }
    while !rest.is_empty() {
        let digits = rest.find(|char: char| !char.is_ascii_digit()).ok_or_else(fault)?;
        let count: u64 = rest[..digits].parse().map_err(|_| fault())?;
        let unit = rest[digits..]
            .find(|char: char| char.is_ascii_digit())
            .map_or(rest.len(), |length| digits + length);
        total += match &rest[digits..unit] {
            "ms" => Duration::from_millis(count),
            "s" => Duration::from_secs(count),
            "m" => Duration::from_secs(count.saturating_mul(60)),
            "h" => Duration::from_secs(count.saturating_mul(3_600)),
            _ => return Err(fault()),
        };
        rest = &rest[unit..];
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(grant: &str, method: &str, url: &str) -> bool {
        let (target, path) = Target::of_url(url).unwrap();
        HttpGrant::parse(grant).unwrap().allows(method, &target, path)
    }

    #[test]
    fn what_a_grant_covers() {
        let grant = "POST https://crm.civil.example/v1/*";
        for url in [
            "https://crm.civil.example/v1/find",
            "https://CRM.civil.example:443/v1/find?a=../b",
            "https://crm.civil.example/%76%31/find",
        ] {
            assert!(allows(grant, "POST", url), "{url}");
        }
        for (method, url) in [
            ("GET", "https://crm.civil.example/v1/find"),
            ("POST", "http://crm.civil.example/v1/find"),
            ("POST", "https://crm.civil.example:8443/v1/find"),
            ("POST", "https://crm.civil.example.evil.example/v1/find"),
            ("POST", "https://crm.civil.example/v2/find"),
            ("POST", "https://crm.civil.example/v1/../admin"),
            ("POST", "https://crm.civil.example/v1/%2e%2e/admin"),
            ("POST", "https://crm.civil.example/v1/..;a/admin"),
        ] {
            assert!(!allows(grant, method, url), "{method} {url}");
        }
        assert!(!allows(
            "GET http://127.0.0.1:7002/v1/notices",
            "GET",
            "http://127.0.0.1:7002/v1/notices/1"
        ));
        assert!(allows("* http://[::1]:80/*", "PUT", "http://[::1]/a"));
    }

    #[test]
    fn plugin_toml_is_read() {
        let wants = Wants::of_plugin(
            "[plugin]\nname = \"crm\"\n[wants]\nhttp = [\"GET https://crm.example/\"]\nkv = { keys = 5, bytes = \"2KiB\" }\n\
             data = [\"phone\"]\nsecrets = { token = \"https://crm.example\" }\n[limits]\ntime = \"1m500ms\"\nmemory = \"16MiB\"",
        )
        .unwrap();
        assert_eq!(wants.http.len(), 1);
        let quota = Quota {
            keys: 5,
            bytes: 2048,
            ..Quota::default()
        };
        assert_eq!(wants.kv, Some(quota));
        assert!(wants.secrets.contains_key("token"));
        assert_eq!(wants.time, Some(Duration::from_millis(60_500)));
    }

    #[test]
    fn what_plugin_toml_gets_wrong_is_said() {
        for (toml, said) in [
            ("[wants]\nhttp = [\"https://crm.example/\"]", "is no grant like"),
            ("[wants]\nhtp = []", "unknown field `htp`"),
            ("[wants]\nkv = \"maybe\"", "`kv` is true"),
            (
                "[wants]\nsecrets = { token = \"https://crm.example/v1\" }",
                "is no host like",
            ),
            ("[limits]\ntime = \"soon\"", "is no time like"),
        ] {
            let error = Wants::of_plugin(toml).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }
}
