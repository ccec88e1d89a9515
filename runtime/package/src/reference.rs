//! Where a package is: a repository of a registry and a version, or a file.

use std::{fmt, net::IpAddr, str::FromStr};

use trunkline_model::Digest;

/// How references to registries begin.
pub const SCHEME: &str = "oci://";

/// Characters of the longest reference.
const CHARS_MAX: usize = 512;

/// Characters of the longest tag.
const TAG_CHARS_MAX: usize = 128;

/// Where a plugin's component comes from, as hotline.yaml says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A bare component, by its path in the hotline.
    Component(String),
    /// A package in a file, by its path in the hotline.
    File(String),
    /// A package in a registry.
    Registry(Reference),
}

impl Source {
    /// Reads what stands at `component:`.
    ///
    /// # Errors
    /// It begins as a reference to a registry does, and is none.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        if text.contains("://") {
            text.parse().map(Self::Registry)
        } else if text.ends_with(".tlpkg") {
            Ok(Self::File(text.to_owned()))
        } else {
            Ok(Self::Component(text.to_owned()))
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Component(path) | Self::File(path) => f.write_str(path),
            Self::Registry(reference) => write!(f, "{reference}"),
        }
    }
}

/// A package in a registry: `oci://registry.example/civil/crm@1.4.2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    registry: String,
    repository: String,
    version: Version,
}

/// Which of the packages of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Version {
    /// The one with a tag; a version is one.
    Tag(String),
    /// The one whose manifest has this digest.
    Digest(Digest),
}

/// What was read is no reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` names no package in a registry: {reason}; write it like oci://registry.example/civil/crm@1.4.2"
)]
pub struct ReferenceError {
    /// What was read.
    pub text: String,
    /// What is wrong.
    pub reason: &'static str,
}

impl Reference {
    /// The registry: a host, with its port if it has one.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The repository within the registry.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// Which of its packages.
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// The version that it names, if its tag is one.
    pub fn semver(&self) -> Option<semver::Version> {
        match &self.version {
            // A tag has no `+`; registries of packages write `_` for it.
            Version::Tag(tag) => tag.replacen('_', "+", 1).parse().ok(),
            Version::Digest(_) => None,
        }
    }

    /// The registry and the repository, as signatures name them.
    pub fn place(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    /// The same repository's package with another tag or digest.
    #[must_use]
    pub fn with(&self, version: Version) -> Self {
        Self {
            version,
            ..self.clone()
        }
    }

    /// Whether the registry is on this machine.
    pub fn is_loopback(&self) -> bool {
        let host = match self.registry.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => &self.registry,
        };
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let wrong = |reason| ReferenceError {
            text: text.chars().take(CHARS_MAX).collect(),
            reason,
        };
        let rest = text
            .strip_prefix(SCHEME)
            .ok_or_else(|| wrong("it does not begin with oci://"))?;
        if text.chars().count() > CHARS_MAX {
            return Err(wrong("it is too long"));
        }
        let (registry, rest) = rest
            .split_once('/')
            .ok_or_else(|| wrong("it has no repository"))?;
        let host_sign = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
        if registry.is_empty() || !registry.bytes().all(host_sign) {
            return Err(wrong("its registry is no name of a host"));
        }
        let (repository, version) = rest
            .split_once('@')
            .or_else(|| rest.rsplit_once(':'))
            .ok_or_else(|| wrong("it does not say which version"))?;
        let part_fits = |part: &str| {
            let sign =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
            part.starts_with(|c: char| c.is_ascii_alphanumeric())
                && part.ends_with(|c: char| c.is_ascii_alphanumeric())
                && part.bytes().all(sign)
                && !part.contains("..")
        };
        if !repository.split('/').all(part_fits) {
            return Err(wrong(
                "its repository has other signs than small letters, digits, `.`, `_`, `-` and `/`",
            ));
        }
        let version = match version.strip_prefix("sha256:") {
            Some(hex) => Version::Digest(
                hex.parse()
                    .map_err(|_| wrong("its digest is not 64 hexadecimal digits"))?,
            ),
            None => {
                let tag = version.replacen('+', "_", 1);
                let begins = tag.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
                let sign = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
                if !begins || tag.len() > TAG_CHARS_MAX || !tag.bytes().all(sign) {
                    return Err(wrong("what stands behind `@` is no version"));
                }
                Version::Tag(tag)
            }
        };
        Ok(Self {
            registry: registry.to_owned(),
            repository: repository.to_owned(),
            version,
        })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}/{}@", self.registry, self.repository)?;
        match &self.version {
            Version::Tag(tag) => f.write_str(tag),
            Version::Digest(digest) => write!(f, "sha256:{digest}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_and_written() {
        let reference: Reference = "oci://registry.example:5000/civil/crm@1.4.2".parse().unwrap();
        assert_eq!(reference.registry(), "registry.example:5000");
        assert_eq!(reference.repository(), "civil/crm");
        assert_eq!(reference.semver(), Some(semver::Version::new(1, 4, 2)));
        assert_eq!(
            reference.to_string(),
            "oci://registry.example:5000/civil/crm@1.4.2"
        );
        assert!(!reference.is_loopback());
        let tagged: Reference = "oci://127.0.0.1:5000/crm:1.4.2-rc.1+x86".parse().unwrap();
        assert_eq!(tagged.version(), &Version::Tag("1.4.2-rc.1_x86".to_owned()));
        assert_eq!(tagged.semver().unwrap().to_string(), "1.4.2-rc.1+x86");
        assert!(tagged.is_loopback());
        assert!(
            "oci://[::1]:5000/crm@1"
                .parse::<Reference>()
                .unwrap()
                .is_loopback()
        );
        let digest = Digest::of(b"x");
        let pinned: Reference = format!("oci://localhost/crm@sha256:{digest}").parse().unwrap();
        assert_eq!(pinned.version(), &Version::Digest(digest));
        assert!(pinned.is_loopback() && pinned.semver().is_none());
    }

    #[test]
    fn what_is_none_is_told_why() {
        for (text, why) in [
            ("https://registry.example/crm@1", "does not begin"),
            ("oci://registry.example", "no repository"),
            ("oci://registry.example/crm", "which version"),
            ("oci://user:pw@registry.example/crm@1", "no name of a host"),
            ("oci://registry.example/../crm@1", "other signs"),
            ("oci://registry.example/CRM@1", "other signs"),
            ("oci://registry.example/crm@", "no version"),
            ("oci://registry.example/crm@sha256:12", "64 hexadecimal"),
        ] {
            let error = text.parse::<Reference>().unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn sources_are_told_apart() {
        let source = |text: &str| Source::parse(text).unwrap();
        assert_eq!(
            source("plugins/crm.wasm"),
            Source::Component("plugins/crm.wasm".to_owned())
        );
        assert_eq!(
            source("packages/crm.tlpkg"),
            Source::File("packages/crm.tlpkg".to_owned())
        );
        assert!(matches!(
            source("oci://registry.example/crm@1"),
            Source::Registry(_)
        ));
        assert!(Source::parse("https://registry.example/crm").is_err());
    }
}
