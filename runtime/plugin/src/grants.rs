//! What an operator lets a plugin reach and use: an entry of grants.yaml.
//!
//! `log`, `config` and `call` are always granted, since they reach nothing of others. The
//! key-value store, HTTP and secrets need a grant. [`Grants`] reads itself with serde from any
//! self-describing format, with the forms that people write: `800ms`, `32MiB`,
//! `"POST https://crm.civil.example/v1/*"`.

mod http;
mod secret;
mod settings;
mod size;

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use trunkline_model::{Duration, Network, limits};

pub(crate) use http::normal_path;
pub use http::{Host, HttpGrant, HttpGrantError, Target};
pub use secret::{SecretName, SecretNameError, SecretTarget, SecretTargetError};
pub use settings::SettingError;
pub use size::{Bytes, BytesError};

/// What one plugin may reach and use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Grants {
    /// The requests it may make: method, scheme, host, port and path.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub http: Vec<HttpGrant>,
    /// Ranges of private addresses to which the names in `http` may resolve, such as
    /// `10.0.0.0/8`. Public addresses need none, and an address or `localhost` written in
    /// `http` itself needs none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<Network>,
    /// Its key-value store, if it may have one: `true`, or `{ bytes: 1MiB, keys: 1000 }`.
    #[serde(deserialize_with = "key_value_grant", skip_serializing_if = "Option::is_none")]
    pub kv: Option<KvGrant>,
    /// The server's secrets that it may use, each with the place where alone it may go.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<SecretName, SecretTarget>,
    /// Labels of personal data that flows may pass to it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub data: Vec<String>,
    /// How much it may use.
    #[serde(skip_serializing_if = "Limits::is_default")]
    pub limits: Limits,
}

/// How much a plugin may keep in its key-value store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct KvGrant {
    /// Bytes of all keys and values together.
    pub bytes: Bytes,
    /// Keys.
    pub keys: u32,
    /// Bytes of one value.
    pub value_bytes: Bytes,
}

impl Default for KvGrant {
    fn default() -> Self {
        Self {
            bytes: Bytes(1 << 20),
            keys: 1_000,
            value_bytes: Bytes(64 << 10),
        }
    }
}

/// How much one plugin may use, in `limits:` of its grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Limits {
    /// The longest a call may take, whatever its step gives it; waiting for a slot included.
    #[serde(deserialize_with = "written_duration", serialize_with = "write_duration")]
    pub time: Duration,
    /// Bytes of a guest's memory.
    pub memory: Bytes,
    /// Calls at once; those over it wait.
    pub concurrent: u32,
    /// Calls that may wait for one of those at once; one more is `overloaded` at once.
    pub waiting: u32,
    /// Sandboxes of its pool that are kept free for its department, whoever else waits.
    pub reserve: u32,
    /// Operations a second on its key-value store; those over it are put off. A second's may
    /// come at once.
    pub kv_operations_per_s: u32,
    /// Bytes of all arguments of a call.
    pub argument_bytes: Bytes,
    /// Bytes of an answer as the host reads it: each text counts its bytes, each element of
    /// a list and each field of a record forty more. Also bounds what one call of a host
    /// function may carry.
    pub reply_bytes: Bytes,
    /// Lines a second that reach the operator's log; a burst may be as long.
    pub log_lines_per_s: u32,
    /// Bytes of the body of a request over HTTP.
    pub http_request_bytes: Bytes,
    /// Bytes of the body of a response over HTTP.
    pub http_response_bytes: Bytes,
    /// Requests over HTTP that one call may make.
    pub http_requests: u32,
    /// Requests over HTTP that may be under way at once, each on a connection; those over it
    /// wait.
    pub http_connections: u32,
}

/// The least that `reply-bytes` may be: host functions need as much to be of any use.
pub const REPLY_BYTES_MIN: u64 = 64 << 10;

/// The most that `reply-bytes` may be: an answer lies in the memory of the host.
pub const REPLY_BYTES_MAX: u64 = 64 << 20;

/// The most that `argument-bytes` may be: arguments are kept in a contact's events, where a character may be
/// six bytes.
pub const ARGUMENT_BYTES_MAX: u64 = 1 << 20;

impl Default for Limits {
    fn default() -> Self {
        Self {
            time: limits::CALL_TIME_MAX,
            memory: Bytes(32 << 20),
            concurrent: 64,
            waiting: 256,
            reserve: 1,
            kv_operations_per_s: 1_000,
            argument_bytes: Bytes(256 << 10),
            reply_bytes: Bytes(1 << 20),
            log_lines_per_s: 100,
            http_request_bytes: Bytes(1 << 20),
            http_response_bytes: Bytes(4 << 20),
            http_requests: 32,
            http_connections: 64,
        }
    }
}

/// `kv: true`, `kv: false` or `kv: { bytes: .., keys: .. }`.
fn key_value_grant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<KvGrant>, D::Error> {
    struct Visitor;
    impl<'de> de::Visitor<'de> for Visitor {
        type Value = Option<KvGrant>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("`true`, `false`, or limits such as `{ bytes: 1MiB, keys: 1000 }`")
        }

        fn visit_bool<E: de::Error>(self, granted: bool) -> Result<Self::Value, E> {
            Ok(granted.then(KvGrant::default))
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
            match text {
                "true" => self.visit_bool(true),
                "false" => self.visit_bool(false),
                other => Err(E::invalid_value(de::Unexpected::Str(other), &self)),
            }
        }

        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            KvGrant::deserialize(de::value::MapAccessDeserializer::new(map)).map(Some)
        }
    }
    deserializer.deserialize_any(Visitor)
}

/// A duration as people write it, `800ms`.
fn written_duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    String::deserialize(deserializer)?
        .parse()
        .map_err(de::Error::custom)
}

fn write_duration<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(duration)
}

impl Limits {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// What is wrong with these limits, if something is: a sentence that names the line.
    ///
    /// # Errors
    /// A limit of zero, below the least that works, or above the most.
    pub fn check(&self) -> Result<(), String> {
        let least = |name: &str, value: u64, least: u64| {
            if value < least {
                Err(format!("`{name}` is {value}, and the least is {least}"))
            } else {
                Ok(())
            }
        };
        let most = |name: &str, value: Bytes, most: u64| {
            if value.0 > most {
                Err(format!("`{name}` is {value}, and the most is {}", Bytes(most)))
            } else {
                Ok(())
            }
        };
        least("time", self.time.as_millis(), 1)?;
        least("memory", self.memory.0, 64 << 10)?;
        least("concurrent", self.concurrent.into(), 1)?;
        least("argument-bytes", self.argument_bytes.0, 1)?;
        most("argument-bytes", self.argument_bytes, ARGUMENT_BYTES_MAX)?;
        least("reply-bytes", self.reply_bytes.0, REPLY_BYTES_MIN)?;
        most("reply-bytes", self.reply_bytes, REPLY_BYTES_MAX)?;
        least("log-lines-per-s", self.log_lines_per_s.into(), 1)?;
        least("kv-operations-per-s", self.kv_operations_per_s.into(), 1)?;
        least("http-requests", self.http_requests.into(), 1)?;
        least("http-connections", self.http_connections.into(), 1)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_entry_of_grants_yaml_is_read() {
        let grants: Grants = serde_json::from_value(json!({
            "http": ["POST https://crm.civil.example/v1/*"],
            "networks": ["10.1.0.0/16"],
            "kv": { "bytes": "2MiB" },
            "secrets": { "crm-token": "https://crm.civil.example" },
            "data": ["phone"],
            "limits": { "time": "800ms", "memory": "48MiB", "concurrent": 8 },
        }))
        .unwrap();
        assert_eq!(grants.http.len(), 1);
        assert_eq!(
            grants.kv,
            Some(KvGrant {
                bytes: Bytes(2 << 20),
                ..KvGrant::default()
            })
        );
        assert_eq!(grants.limits.time, Duration::from_millis(800));
        assert_eq!(grants.limits.memory, Bytes(48 << 20));
        assert_eq!(grants.limits.concurrent, 8);
        assert_eq!(grants.limits.check(), Ok(()));
    }

    #[test]
    fn what_is_written_is_read_back() {
        let grants: Grants = serde_json::from_value(json!({
            "http": ["POST https://crm.civil.example/v1/*"],
            "kv": { "bytes": "2MiB" },
            "secrets": { "crm-token": "https://crm.civil.example" },
            "limits": { "time": "800ms", "memory": "48MiB" },
        }))
        .unwrap();
        let written = serde_json::to_value(&grants).unwrap();
        assert_eq!(serde_json::from_value::<Grants>(written).unwrap(), grants);
        assert_eq!(serde_json::to_value(Grants::default()).unwrap(), json!({}));
    }

    #[test]
    fn kv_is_granted_by_a_word_or_with_limits() {
        let kv = |json| serde_json::from_value::<Grants>(json!({ "kv": json })).map(|grants| grants.kv);
        assert_eq!(kv(json!(true)).unwrap(), Some(KvGrant::default()));
        assert_eq!(kv(json!("true")).unwrap(), Some(KvGrant::default()));
        assert_eq!(kv(json!(false)).unwrap(), None);
        assert_eq!(kv(json!({ "keys": 5 })).unwrap().unwrap().keys, 5);
        assert!(kv(json!("maybe")).is_err());
    }

    #[test]
    fn what_is_not_known_or_not_possible_is_refused() {
        for json in [
            json!({ "htp": [] }),
            json!({ "http": ["https://crm.civil.example/"] }),
            json!({ "secrets": { "Token": "https://crm.civil.example" } }),
            json!({ "secrets": { "token": "https://crm.civil.example/v1" } }),
            json!({ "secrets": ["token"] }),
            json!({ "limits": { "memory": "lots" } }),
            json!({ "limits": { "time": 5 } }),
        ] {
            assert!(serde_json::from_value::<Grants>(json.clone()).is_err(), "{json}");
        }
        let limits = Limits {
            concurrent: 0,
            ..Limits::default()
        };
        assert_eq!(
            limits.check().unwrap_err(),
            "`concurrent` is 0, and the least is 1"
        );
        let limits = Limits {
            reply_bytes: Bytes(128 << 20),
            ..Limits::default()
        };
        assert_eq!(
            limits.check().unwrap_err(),
            "`reply-bytes` is 128MiB, and the most is 64MiB"
        );
        let limits = Limits {
            argument_bytes: Bytes(2 << 20),
            ..Limits::default()
        };
        assert_eq!(
            limits.check().unwrap_err(),
            "`argument-bytes` is 2MiB, and the most is 1MiB"
        );
    }
}
