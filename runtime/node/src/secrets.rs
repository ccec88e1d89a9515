//! The server's secrets: a file that the server's user alone can read, and its environment.
//!
//! ```toml
//! # secrets.toml, mode 0600
//! crm-token = "the value as it is sent"
//! signing-key = { base64 = "bytes that are no text" }
//! mail-password = { file = "/run/secrets/mail" }
//! ```
//!
//! In the environment the same secret is `TRUNKLINE_SECRET_CRM_TOKEN`, which wins over the file.
//! No message here has a value in it, nor a line of the file.

use std::{
    fmt, fs,
    io::Read as _,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{PoisonError, RwLock},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use trunkline_plugin::{SECRET_BYTES_MAX, SecretName, SecretTable, SecretValue, SecretValueError, Secrets};

use crate::limits::SECRETS_FILE_BYTES_MAX;

/// What a variable of the environment that holds a secret begins with.
pub const SECRET_VARIABLE: &str = "TRUNKLINE_SECRET_";

/// Secrets that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// A file cannot be read.
    #[error("failed to read secrets from {}: {source}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Others than the server's user may read a file.
    #[error(
        "{} holds secrets and others may read or write it (mode {mode:04o}): chmod 600 {}",
        file.display(),
        file.display()
    )]
    Open {
        /// The file.
        file: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The file is too large.
    #[error("{} has {bytes} bytes, and a file of secrets at most {SECRETS_FILE_BYTES_MAX}", file.display())]
    TooLarge {
        /// The file.
        file: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// The file is not TOML.
    #[error("{}:{line}: this is no TOML; a secret is written NAME = \"VALUE\"", file.display())]
    Syntax {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// An entry is none.
    #[error("{origin}: the secret {name:?} cannot be used: {reason}")]
    Entry {
        /// The file or the variable.
        origin: String,
        /// Its name.
        name: String,
        /// Why.
        reason: String,
    },
}

/// The secrets of a server, read again when it is told to.
pub struct ServerSecrets {
    file: Option<PathBuf>,
    environment: Vec<(String, SecretName, SecretValue)>,
    table: RwLock<SecretTable>,
}

impl ServerSecrets {
    /// Reads a file, if there is one, and the variables of an environment that hold secrets.
    ///
    /// # Errors
    /// Something that is given as a secret is none, or the file is not safe.
    pub fn open(
        file: Option<PathBuf>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, SecretsError> {
        let environment: Vec<_> = environment
            .into_iter()
            .filter_map(|(variable, value)| Some((secret_of(&variable)?, variable, value)))
            .map(|(name, variable, value)| {
                let wrong = |reason: String| SecretsError::Entry {
                    origin: variable.clone(),
                    name: name.clone(),
                    reason,
                };
                let known = name.parse().map_err(|error| wrong(format!("{error}")))?;
                let value = SecretValue::new(value).map_err(|error| wrong(error.to_string()))?;
                Ok((variable, known, value))
            })
            .collect::<Result<_, SecretsError>>()?;
        let secrets = Self {
            file,
            environment,
            table: RwLock::default(),
        };
        secrets.reload()?;
        Ok(secrets)
    }

    /// Reads the file again. What is wrong with it leaves the secrets as they were. Gives their
    /// names.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn reload(&self) -> Result<Vec<SecretName>, SecretsError> {
        let mut table = match &self.file {
            Some(file) => read(file)?,
            None => SecretTable::default(),
        };
        for (_, name, value) in &self.environment {
            table.insert(name.clone(), value.clone());
        }
        let names = table.names().cloned().collect();
        *self.table.write().unwrap_or_else(PoisonError::into_inner) = table;
        Ok(names)
    }

    /// The file, if there is one.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }
}

impl ServerSecrets {
    /// The present value of a secret, where it has one that is text: for passwords and tokens that the
    /// server uses itself.
    pub fn text(&self, name: &str) -> Option<String> {
        let value = self.value(&name.parse().ok()?)?;
        String::from_utf8(value.bytes().to_vec()).ok()
    }
}

impl Secrets for ServerSecrets {
    fn value(&self, name: &SecretName) -> Option<SecretValue> {
        self.table
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .value(name)
    }
}

impl fmt::Debug for ServerSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerSecrets")
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

/// The name of the secret that a variable holds, if it holds one.
fn secret_of(variable: &str) -> Option<String> {
    let name = variable.strip_prefix(SECRET_VARIABLE)?;
    Some(name.to_ascii_lowercase().replace('_', "-"))
}

fn read(file: &Path) -> Result<SecretTable, SecretsError> {
    let text = private(file)?;
    let entries: toml::Table = toml::from_str(&text).map_err(|error| SecretsError::Syntax {
        file: file.to_owned(),
        // What the parser says may quote the line.
        line: error.span().map_or(1, |span| {
            text[..span.start.min(text.len())].matches('\n').count() + 1
        }),
    })?;
    let mut table = SecretTable::default();
    for (name, entry) in &entries {
        let wrong = |reason: String| SecretsError::Entry {
            origin: file.display().to_string(),
            name: name.clone(),
            reason,
        };
        let known: SecretName = name.parse().map_err(|error| wrong(format!("{error}")))?;
        let bytes = value(file, entry).map_err(wrong)?;
        let value = SecretValue::new(bytes).map_err(|error: SecretValueError| wrong(error.to_string()))?;
        table.insert(known, value);
    }
    Ok(table)
}

/// The bytes of an entry, or what is wrong with it, without them.
fn value(file: &Path, entry: &toml::Value) -> Result<Vec<u8>, String> {
    const FORMS: &str = "it is written \"VALUE\", { base64 = \"…\" } or { file = \"PATH\" }";
    let form = match entry {
        toml::Value::String(text) => return Ok(text.clone().into_bytes()),
        toml::Value::Table(form) if form.len() == 1 => form,
        _ => return Err(FORMS.to_owned()),
    };
    let text = |name: &str| form.get(name).and_then(toml::Value::as_str);
    if let Some(encoded) = text("base64") {
        return STANDARD
            .decode(encoded.trim())
            .map_err(|_| "what follows `base64` is none".to_owned());
    }
    let Some(path) = text("file") else {
        return Err(FORMS.to_owned());
    };
    let beside = file.parent().unwrap_or(Path::new("."));
    let mut value = private(&beside.join(path)).map_err(|error| error.to_string())?;
    // Who writes a file with an editor ends it with a line break, and means none.
    if value.ends_with('\n') {
        value.truncate(value.trim_end_matches(['\n', '\r']).len());
    }
    Ok(value.into_bytes())
}

/// Reads a file that nobody else may read. The file that is looked at is the one that is read.
fn private(path: &Path) -> Result<String, SecretsError> {
    let io = |source| SecretsError::Io {
        file: path.to_owned(),
        source,
    };
    let mut file = fs::File::open(path).map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    let mode = metadata.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(SecretsError::Open {
            file: path.to_owned(),
            mode,
        });
    }
    if metadata.len() > SECRETS_FILE_BYTES_MAX {
        return Err(SecretsError::TooLarge {
            file: path.to_owned(),
            bytes: metadata.len(),
        });
    }
    let mut text = String::new();
    file.by_ref()
        .take(SECRETS_FILE_BYTES_MAX)
        .read_to_string(&mut text)
        .map_err(io)?;
    Ok(text)
}

const _: () = assert!(SECRETS_FILE_BYTES_MAX > SECRET_BYTES_MAX as u64);

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn write(&self, name: &str, text: &str, mode: u32) -> PathBuf {
            let path = self.0.path().join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            path
        }
    }

    fn value(secrets: &ServerSecrets, name: &str) -> Option<SecretValue> {
        secrets.value(&name.parse().unwrap())
    }

    fn is(secrets: &ServerSecrets, name: &str, bytes: &[u8]) -> bool {
        value(secrets, name) == Some(SecretValue::new(bytes).unwrap())
    }

    #[test]
    fn values_come_from_a_file_and_the_environment() {
        let folder = Folder::new();
        folder.write("mail", "mail-password\n", 0o600);
        let file = folder.write(
            "secrets.toml",
            "crm-token = \"from the file\"\nkey = { base64 = \"AAECAwQFBgc=\" }\nmail = { file = \"mail\" }\n",
            0o600,
        );
        let environment = [
            ("TRUNKLINE_SECRET_CRM_TOKEN", "from the environment"),
            ("TRUNKLINE_SECRET_OTHER", "only there"),
            ("TRUNKLINE_API_KEY", "no secret of plugins"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let secrets = ServerSecrets::open(Some(file), environment).unwrap();
        assert!(is(&secrets, "crm-token", b"from the environment"));
        assert!(is(&secrets, "other", b"only there"));
        assert!(is(&secrets, "key", &[0, 1, 2, 3, 4, 5, 6, 7]));
        assert!(is(&secrets, "mail", b"mail-password"));
        assert_eq!(value(&secrets, "api-key"), None);
        let shown = format!("{secrets:?}");
        assert!(
            !shown.contains("from the") && shown.contains("secrets.toml"),
            "{shown}"
        );
    }

    #[test]
    fn a_file_that_is_read_again_is_taken_whole_or_not_at_all() {
        let folder = Folder::new();
        let file = folder.write("secrets.toml", "a = \"the first value\"\n", 0o600);
        let secrets = ServerSecrets::open(Some(file), []).unwrap();
        folder.write("secrets.toml", "a = \"the second value\"\nb = 5\n", 0o600);
        assert!(secrets.reload().is_err());
        assert!(is(&secrets, "a", b"the first value"));
        folder.write("secrets.toml", "b = \"another value\"\n", 0o600);
        assert_eq!(secrets.reload().unwrap().len(), 1);
        assert_eq!(value(&secrets, "a"), None);
        assert!(is(&secrets, "b", b"another value"));
    }

    #[test]
    fn what_is_wrong_is_said_without_the_value() {
        let folder = Folder::new();
        for (text, said) in [
            (
                "a = \"fine, really\"\nb = hunter2hunter2\n",
                "secrets.toml:2: this is no TOML",
            ),
            ("a = \"short\"", "its value has 5 bytes"),
            ("a = 1234567890", "it is written"),
            ("a = { base64 = \"hunter2!\" }", "what follows `base64` is none"),
            ("a = { file = \"nowhere\" }", "failed to read secrets"),
            ("Hunter2 = \"a fine value\"", "no name of a secret"),
        ] {
            let file = folder.write("secrets.toml", text, 0o600);
            let error = ServerSecrets::open(Some(file), []).unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
            assert!(
                !error.contains("hunter2") && !error.contains("1234567890"),
                "{error}"
            );
        }
        for mode in [0o640, 0o604, 0o620] {
            let file = folder.write("secrets.toml", "a = \"a fine value\"", mode);
            let error = ServerSecrets::open(Some(file), []).unwrap_err().to_string();
            assert!(error.contains("chmod 600"), "{error}");
        }
        let variable = [("TRUNKLINE_SECRET_A".to_owned(), "short".to_owned())];
        let error = ServerSecrets::open(None, variable).unwrap_err().to_string();
        assert!(
            error.contains("TRUNKLINE_SECRET_A") && !error.contains("short"),
            "{error}"
        );
    }
}
