//! Secrets that a plugin may use: `crm-token: https://crm.civil.example`. The name is one of the
//! server's secrets; the address is where alone it may go.

use std::{collections::BTreeMap, fmt, str::FromStr};

use ::http::Uri;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::{
    Target,
    settings::{self, SettingError},
};

/// The name of a secret, kebab-case: `crm-token`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretName(String);

/// Characters of the longest name.
const NAME_CHARS_MAX: usize = 64;

/// A text that is no name of a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no name of a secret: it is written in small letters, digits and hyphens, begins with \
     a letter and has at most {NAME_CHARS_MAX} characters, like crm-token"
)]
pub struct SecretNameError(String);

impl SecretName {
    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SecretName {
    type Err = SecretNameError;

    fn from_str(text: &str) -> Result<Self, SecretNameError> {
        // Without doubled or final hyphens two names never share a variable of the environment.
        let fine = text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.len() <= NAME_CHARS_MAX
            && text.split('-').all(|word| {
                !word.is_empty()
                    && word
                        .bytes()
                        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            });
        if fine {
            Ok(Self(text.to_owned()))
        } else {
            Err(SecretNameError(text.to_owned()))
        }
    }
}

impl std::borrow::Borrow<str> for SecretName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for SecretName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SecretName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

/// Where a secret may go: scheme, host and port. In what a plugin wants it may be the setting
/// that holds the address, `${url}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretTarget(Place);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Target(Target),
    Unsettled(String),
}

/// A text that does not say where a secret may go.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{address:?} is no place for a secret: {reason}; write scheme, host and, if it is not the \
     scheme's own, port, like https://crm.civil.example"
)]
pub struct SecretTargetError {
    address: String,
    reason: &'static str,
}

impl SecretTarget {
    /// The place, unless it names a setting.
    pub const fn target(&self) -> Option<&Target> {
        match &self.0 {
            Place::Target(target) => Some(target),
            Place::Unsettled(_) => None,
        }
    }

    /// The same with settings in the place of their names. Of an address in a setting the path
    /// says nothing of where it is.
    ///
    /// # Errors
    /// A setting is not there, or what comes out is no address.
    pub fn with_settings(&self, settings: &BTreeMap<String, String>) -> Result<Self, SettingError> {
        let Place::Unsettled(written) = &self.0 else {
            return Ok(self.clone());
        };
        let settled = settings::put(written, settings)?;
        let target = settled.parse::<Uri>().ok().and_then(|uri| Target::of(&uri));
        target
            .map(|target| Self(Place::Target(target)))
            .ok_or_else(|| SettingError::Unfit {
                written: written.clone(),
                reason: format!("{settled:?} is no address"),
            })
    }
}

impl From<Target> for SecretTarget {
    fn from(target: Target) -> Self {
        Self(Place::Target(target))
    }
}

impl FromStr for SecretTarget {
    type Err = SecretTargetError;

    fn from_str(text: &str) -> Result<Self, SecretTargetError> {
        if settings::named(text) {
            return Ok(Self(Place::Unsettled(text.to_owned())));
        }
        let error = |reason| SecretTargetError {
            address: text.to_owned(),
            reason,
        };
        let uri: Uri = text.parse().map_err(|_| error("it is no address"))?;
        if !text.contains("://") {
            return Err(error("it has no http:// or https://"));
        }
        if uri.query().is_some() || !matches!(uri.path(), "" | "/") || text.contains('#') {
            return Err(error("a secret is bound to a host, not to a path"));
        }
        let target =
            Target::of(&uri).ok_or_else(|| error("it must be http or https, with a host, without a user"))?;
        Ok(target.into())
    }
}

impl fmt::Display for SecretTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Target(target) => target.fmt(f),
            Place::Unsettled(written) => f.write_str(written),
        }
    }
}

impl Serialize for SecretTarget {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SecretTarget {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kebab_case() {
        for fine in ["crm-token", "k2", "a"] {
            assert_eq!(fine.parse::<SecretName>().unwrap().as_str(), fine);
        }
        let long = "x".repeat(NAME_CHARS_MAX + 1);
        for wrong in [
            "",
            "Crm",
            "crm_token",
            "crm--token",
            "crm-",
            "-crm",
            "2k",
            "\u{5bc6}",
            &long,
        ] {
            assert!(wrong.parse::<SecretName>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_secret_is_bound_to_a_scheme_a_host_and_a_port() {
        for (written, told) in [
            ("https://CRM.civil.example/", "https://crm.civil.example"),
            ("https://crm.civil.example:443", "https://crm.civil.example"),
            ("http://127.0.0.1:7001", "http://127.0.0.1:7001"),
        ] {
            assert_eq!(written.parse::<SecretTarget>().unwrap().to_string(), told);
        }
        for (wrong, said) in [
            ("crm.civil.example", "no http:// or https://"),
            ("https://crm.civil.example/v1", "not to a path"),
            ("https://user@crm.civil.example", "without a user"),
            ("ftp://crm.civil.example", "must be http or https"),
            ("", "no address"),
        ] {
            let error = wrong.parse::<SecretTarget>().unwrap_err().to_string();
            assert!(error.contains(said), "{wrong}: {error}");
        }
        let wanted: SecretTarget = "${url}".parse().unwrap();
        assert_eq!(wanted.target(), None);
        let settings = BTreeMap::from([("url".to_owned(), "http://127.0.0.1:7001/v1/x".to_owned())]);
        assert_eq!(
            wanted.with_settings(&settings).unwrap().to_string(),
            "http://127.0.0.1:7001"
        );
    }
}
