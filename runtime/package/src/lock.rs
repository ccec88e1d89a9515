//! trunkline.lock: which package each plugin of a hotline is, by digest, so that whoever builds
//! the hotline builds the same. It lies beside hotline.yaml, `trunkline plugin add` writes it,
//! and it belongs into version control.

use std::{collections::BTreeMap, path::Path};

use serde::Deserialize;
use trunkline_model::{Digest, PluginName};

use crate::package::Identity;

/// The file's name, beside hotline.yaml.
pub const FILE: &str = "trunkline.lock";

/// Bytes of the largest lock.
pub const FILE_BYTES_MAX: u64 = 1 << 20;

/// The version of the format.
const VERSION: u32 = 1;

/// What stands above the entries.
const HEAD: &str = "\
# Which package each plugin of this hotline is. Written by `trunkline plugin add`; keep it in
# version control. Whatever is not exactly this is not loaded.
#   source     where it came from          version   its version
#   component  SHA-256 of the component    package   SHA-256 of the package's manifest
#   signed-by  the publisher's key, by the SHA-256 of its DER
";

/// The plugins that are locked, by their names in hotline.yaml.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// Each plugin's entry.
    pub plugins: BTreeMap<PluginName, Locked>,
}

/// What one plugin is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locked {
    /// Where it came from, as `component:` in hotline.yaml says it.
    pub source: String,
    /// Its version, if it says one.
    pub version: Option<semver::Version>,
    /// The digest of the component.
    pub component: Digest,
    /// The digest of the package's manifest; a bare component has none.
    pub package: Option<Digest>,
    /// The fingerprint of the key whose signature was verified when it was added.
    pub signed_by: Option<Digest>,
}

/// A lock that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// It cannot be read or written.
    #[error("failed to {what} {FILE}: {source}")]
    Io {
        /// `read` or `write`.
        what: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// It is over its bound.
    #[error("{FILE} has {bytes} bytes, and the most is {FILE_BYTES_MAX}")]
    TooLarge {
        /// How many it has.
        bytes: u64,
    },
    /// It does not read.
    #[error(
        "{FILE}:{line}:{column}: {message}; undo the edit, or remove the entry and run `trunkline plugin add` for it again"
    )]
    Wrong {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// A later version of Trunkline wrote it.
    #[error(
        "{FILE} is written in version {found}, and this Trunkline reads version {VERSION}; update Trunkline"
    )]
    Version {
        /// Its version.
        found: u32,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "version")]
    _version: u32,
    #[serde(default)]
    plugins: BTreeMap<PluginName, Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Entry {
    source: String,
    version: Option<semver::Version>,
    component: Digest,
    package: Option<Digest>,
    signed_by: Option<Digest>,
}

impl Lock {
    /// Reads the lock of a hotline's folder; without a file nothing is locked.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(hotline: &Path) -> Result<Self, LockError> {
        let path = hotline.join(FILE);
        let io = |source| LockError::Io { what: "read", source };
        match std::fs::metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(io(error)),
            Ok(metadata) if metadata.len() > FILE_BYTES_MAX => {
                return Err(LockError::TooLarge {
                    bytes: metadata.len(),
                });
            }
            Ok(_) => {}
        }
        Self::parse(&std::fs::read_to_string(&path).map_err(io)?)
    }

    /// Reads the text of a lock.
    ///
    /// # Errors
    /// It does not read, or a later version wrote it.
    pub fn parse(text: &str) -> Result<Self, LockError> {
        let wrong = |error: toml::de::Error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or("");
            let line = before.rsplit('\n').next().unwrap_or(before);
            LockError::Wrong {
                line: before.matches('\n').count() + 1,
                column: line.chars().count() + 1,
                message: error.message().to_owned(),
            }
        };
        // The version first: the rest of a later one may be another.
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let Versioned { version } = toml::from_str(text).map_err(wrong)?;
        if version != VERSION {
            return Err(LockError::Version { found: version });
        }
        let file: File = toml::from_str(text).map_err(wrong)?;
        let plugins = file.plugins.into_iter().map(|(name, entry)| {
            let Entry {
                source,
                version,
                component,
                package,
                signed_by,
            } = entry;
            let locked = Locked {
                source,
                version,
                component,
                package,
                signed_by,
            };
            (name, locked)
        });
        Ok(Self {
            plugins: plugins.collect(),
        })
    }

    /// The lock as it stands in the file: the same lock, the same text.
    pub fn to_text(&self) -> String {
        let mut text = format!("{HEAD}version = {VERSION}\n");
        for (name, locked) in &self.plugins {
            let quoted = |text: &str| toml::Value::from(text).to_string();
            let name = if name
                .as_str()
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            {
                name.to_string()
            } else {
                quoted(name.as_str())
            };
            text.push_str(&format!("\n[plugins.{name}]\n"));
            let fields = [
                ("source", Some(locked.source.clone())),
                ("version", locked.version.as_ref().map(ToString::to_string)),
                ("component", Some(locked.component.to_string())),
                ("package", locked.package.map(|digest| digest.to_string())),
                ("signed-by", locked.signed_by.map(|digest| digest.to_string())),
            ];
            for (field, value) in fields {
                if let Some(value) = value {
                    text.push_str(&format!("{field} = {}\n", quoted(&value)));
                }
            }
        }
        text
    }

    /// Writes the lock of a hotline's folder, whole or not at all.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn write(&self, hotline: &Path) -> Result<(), LockError> {
        let path = hotline.join(FILE);
        let beside = hotline.join(format!(".{FILE}.new"));
        std::fs::write(&beside, self.to_text())
            .and_then(|()| std::fs::rename(&beside, &path))
            .map_err(|source| LockError::Io {
                what: "write",
                source,
            })
    }
}

impl Locked {
    /// What a package is, as it was found at a source and verified with a key.
    pub fn of(source: String, identity: &Identity, signed_by: Option<Digest>) -> Self {
        Self {
            source,
            version: identity.version.clone(),
            component: identity.component,
            package: identity.package,
            signed_by,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock() -> Lock {
        let crm = Locked {
            source: "oci://registry.example/civil/crm@1.4.2".to_owned(),
            version: Some(semver::Version::new(1, 4, 2)),
            component: Digest::of(b"component"),
            package: Some(Digest::of(b"package")),
            signed_by: Some(Digest::of(b"key")),
        };
        let bare = Locked {
            source: "plugins/mood.wasm".to_owned(),
            version: None,
            component: Digest::of(b"mood"),
            package: None,
            signed_by: None,
        };
        Lock {
            plugins: [("crm".into(), crm), ("心情".into(), bare)].into(),
        }
    }

    #[test]
    fn a_lock_comes_back_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Lock::read(folder.path()).unwrap(), Lock::default());
        lock().write(folder.path()).unwrap();
        assert_eq!(Lock::read(folder.path()).unwrap(), lock());
        let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(names.len(), 1);
    }

    #[test]
    fn the_text_is_the_same_every_time() {
        let text = lock().to_text();
        assert!(text.starts_with("# Which package each plugin"));
        let (_, entries) = text.split_once("version = 1\n").unwrap();
        assert_eq!(
            entries,
            format!(
                "\n[plugins.crm]\nsource = \"oci://registry.example/civil/crm@1.4.2\"\nversion = \"1.4.2\"\n\
                 component = \"{}\"\npackage = \"{}\"\nsigned-by = \"{}\"\n\
                 \n[plugins.\"心情\"]\nsource = \"plugins/mood.wasm\"\ncomponent = \"{}\"\n",
                Digest::of(b"component"),
                Digest::of(b"package"),
                Digest::of(b"key"),
                Digest::of(b"mood"),
            )
        );
    }

    #[test]
    fn what_does_not_read_is_told_where() {
        let wrong = |text: &str| Lock::parse(text).unwrap_err().to_string();
        assert!(wrong("version = 2\nother = 1\n").contains("update Trunkline"));
        let short = wrong("version = 1\n[plugins.crm]\nsource = \"a\"\ncomponent = \"12\"\n");
        assert!(
            short.starts_with("trunkline.lock:4:13: ") && short.contains("64 hexadecimal digits"),
            "{short}"
        );
        let unknown = wrong("version = 1\n[plugins.crm]\nsauce = \"a\"\n");
        assert!(unknown.starts_with("trunkline.lock:3:1: "), "{unknown}");
        assert!(wrong("version 1").starts_with("trunkline.lock:1:"));
    }
}
