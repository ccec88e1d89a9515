//! Who one is to a registry: from the environment, or from the file that `docker login` and
//! `podman login` write. Never logged, and sent to the registry that they are for and no other.

use std::{
    collections::BTreeMap,
    env, fmt,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde::Deserialize;
use zeroize::Zeroizing;

/// The registry that the two below are for: a host, with its port if it has one.
pub const REGISTRY_VARIABLE: &str = "TRUNKLINE_REGISTRY";
/// The name of whoever pushes and pulls.
pub const USER_VARIABLE: &str = "TRUNKLINE_REGISTRY_USER";
/// The password, or a token in its place.
pub const PASSWORD_VARIABLE: &str = "TRUNKLINE_REGISTRY_PASSWORD";

/// The host that gives out tokens for the registry, where that is another than its own.
pub const TOKENS_VARIABLE: &str = "TRUNKLINE_REGISTRY_TOKENS";

/// Bytes of the largest docker configuration.
const CONFIG_BYTES_MAX: u64 = 1 << 20;

/// Where credentials are looked for.
#[derive(Clone, Default)]
pub struct Credentials {
    /// A registry, a name and a password.
    given: Option<(String, Login)>,
    /// Docker's config.json.
    docker: Option<PathBuf>,
    /// A host that gives out tokens, beside the registry itself.
    tokens_of: Option<String>,
}

/// A name and a password.
#[derive(Clone)]
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: Zeroizing<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let given = self.given.as_ref().map(|(registry, _)| registry);
        f.debug_struct("Credentials")
            .field("given", &given)
            .field("docker", &self.docker)
            .finish()
    }
}

/// Credentials that are there and cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The environment has a password and does not say for whom.
    #[error(
        "{PASSWORD_VARIABLE} is set, and {missing} is not; set all of {REGISTRY_VARIABLE}, {USER_VARIABLE} and {PASSWORD_VARIABLE}, or none"
    )]
    Incomplete {
        /// The variable that lacks.
        missing: &'static str,
    },
    /// Docker's configuration cannot be read.
    #[error("failed to read {}: {reason}; mend it with `docker login`, or set {REGISTRY_VARIABLE}, {USER_VARIABLE} and {PASSWORD_VARIABLE}", path.display())]
    Docker {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Docker keeps them where only its helper gets at them.
    #[error("{} keeps the credentials of {registry} with the helper `{helper}`, which Trunkline does not run; set {REGISTRY_VARIABLE}, {USER_VARIABLE} and {PASSWORD_VARIABLE}", path.display())]
    Helper {
        /// The file.
        path: PathBuf,
        /// The registry.
        registry: String,
        /// The helper.
        helper: String,
    },
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct DockerConfig {
    auths: BTreeMap<String, DockerAuth>,
    #[serde(rename = "credHelpers")]
    helpers: BTreeMap<String, String>,
    #[serde(rename = "credsStore")]
    store: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct DockerAuth {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
}

impl Credentials {
    /// None: whatever a registry gives to everybody.
    pub fn none() -> Self {
        Self::default()
    }

    /// A name and a password for one registry.
    pub fn given(registry: &str, user: &str, password: &str) -> Self {
        let login = Login {
            user: user.to_owned(),
            password: Zeroizing::new(password.to_owned()),
        };
        Self {
            given: Some((registry.to_owned(), login)),
            ..Self::default()
        }
    }

    /// The same, which may also go to a host that gives out tokens for the registry.
    pub fn with_tokens_of(self, host: &str) -> Self {
        Self {
            tokens_of: Some(host.to_owned()),
            ..self
        }
    }

    /// Those of a docker configuration.
    pub fn of_docker(config: &Path) -> Self {
        Self {
            docker: Some(config.to_owned()),
            ..Self::default()
        }
    }

    /// Those of the environment, and of `$DOCKER_CONFIG/config.json` or `~/.docker/config.json`.
    ///
    /// # Errors
    /// The environment has some of the variables and lacks others.
    pub fn of_environment() -> Result<Self, CredentialsError> {
        let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
        let given = match variable(PASSWORD_VARIABLE).map(Zeroizing::new) {
            None => None,
            Some(password) => {
                let need = |name| variable(name).ok_or(CredentialsError::Incomplete { missing: name });
                let registry = need(REGISTRY_VARIABLE)?;
                let user = need(USER_VARIABLE)?;
                Some((registry, Login { user, password }))
            }
        };
        let folder = env::var_os("DOCKER_CONFIG")
            .map(PathBuf::from)
            .or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".docker")));
        Ok(Self {
            given,
            docker: folder.map(|folder| folder.join("config.json")),
            tokens_of: variable(TOKENS_VARIABLE),
        })
    }

    /// The host that gives out tokens, where one is named.
    pub(crate) fn tokens_of(&self) -> Option<&str> {
        self.tokens_of.as_deref()
    }

    /// The login for a registry, if there is one.
    pub(crate) fn of(&self, registry: &str) -> Result<Option<Login>, CredentialsError> {
        if let Some((_, login)) = self.given.as_ref().filter(|(given, _)| given == registry) {
            return Ok(Some(login.clone()));
        }
        match &self.docker {
            Some(path) => of_docker(path, registry),
            None => Ok(None),
        }
    }
}

fn of_docker(path: &Path, registry: &str) -> Result<Option<Login>, CredentialsError> {
    let unreadable = |reason: String| CredentialsError::Docker {
        path: path.to_owned(),
        reason,
    };
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Ok(metadata) if metadata.len() > CONFIG_BYTES_MAX => {
            return Err(unreadable(format!("it has more than {CONFIG_BYTES_MAX} bytes")));
        }
        _ => {}
    }
    let text = std::fs::read(path)
        .map(Zeroizing::new)
        .map_err(|error| unreadable(error.to_string()))?;
    let config: DockerConfig =
        serde_json::from_slice(&text).map_err(|error| unreadable(error.to_string()))?;
    let helper = |helper: &String| CredentialsError::Helper {
        path: path.to_owned(),
        registry: registry.to_owned(),
        helper: helper.clone(),
    };
    if let Some(named) = config.helpers.get(registry) {
        return Err(helper(named));
    }
    let entry = config.auths.iter().find(|(name, _)| host(name) == registry);
    let Some((_, entry)) = entry else {
        return Ok(None);
    };
    let login = |user: &str, password: &str| Login {
        user: user.to_owned(),
        password: Zeroizing::new(password.to_owned()),
    };
    if let Some(auth) = entry.auth.as_ref().filter(|auth| !auth.is_empty()) {
        let decoded = BASE64
            .decode(auth.as_bytes())
            .ok()
            .map(Zeroizing::new)
            .and_then(|bytes| String::from_utf8(bytes.to_vec()).ok().map(Zeroizing::new));
        let pair = decoded.as_ref().and_then(|decoded| decoded.split_once(':'));
        let (user, password) = pair
            .ok_or_else(|| unreadable(format!("`auth` of {registry} is no name and password in base64")))?;
        return Ok(Some(login(user, password)));
    }
    if let (Some(user), Some(password)) = (&entry.username, &entry.password) {
        return Ok(Some(login(user, password)));
    }
    if entry.identitytoken.is_some() {
        return Err(unreadable(format!(
            "it has an identity token for {registry}, which is of no use without its helper"
        )));
    }
    // An entry without a word of its own says that a helper has it.
    config.store.as_ref().map_or(Ok(None), |store| Err(helper(store)))
}

/// The registry that an entry is for: docker writes some with a scheme and a path.
fn host(name: &str) -> &str {
    let bare = name
        .strip_prefix("https://")
        .or_else(|| name.strip_prefix("http://"))
        .unwrap_or(name);
    bare.split('/').next().unwrap_or(bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn docker(json: &str) -> (tempfile::TempDir, Credentials) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        std::fs::write(&path, json).unwrap();
        let credentials = Credentials::of_docker(&path);
        (folder, credentials)
    }

    #[test]
    fn a_login_goes_to_its_own_registry_only() {
        let credentials = Credentials::given("registry.example", "li", "words");
        let login = credentials.of("registry.example").unwrap().unwrap();
        assert_eq!((login.user.as_str(), login.password.as_str()), ("li", "words"));
        assert!(credentials.of("registry.example:5000").unwrap().is_none());
        assert!(!format!("{credentials:?}").contains("words"));
    }

    #[test]
    fn logins_of_docker_are_read() {
        let auth = BASE64.encode("li:wo:rds");
        let (_folder, credentials) = docker(&format!(
            r#"{{"auths":{{"https://registry.example/v1/":{{"auth":"{auth}"}},
                "other.example":{{"username":"fang","password":"more"}}}}}}"#
        ));
        let login = credentials.of("registry.example").unwrap().unwrap();
        assert_eq!((login.user.as_str(), login.password.as_str()), ("li", "wo:rds"));
        let login = credentials.of("other.example").unwrap().unwrap();
        assert_eq!(login.user, "fang");
        assert!(credentials.of("third.example").unwrap().is_none());
    }

    #[test]
    fn what_cannot_be_used_says_what_to_do() {
        let refused = |json: &str| {
            let (_folder, credentials) = docker(json);
            credentials
                .of("registry.example")
                .err()
                .map(|error| error.to_string())
        };
        assert_eq!(refused("{}"), None);
        assert!(refused("{").unwrap().contains("docker login"));
        let helper = r#"{"auths":{"registry.example":{}},"credsStore":"desktop"}"#;
        assert!(refused(helper).unwrap().contains("helper `desktop`"));
        let helper = r#"{"credHelpers":{"registry.example":"ecr-login"}}"#;
        assert!(refused(helper).unwrap().contains("TRUNKLINE_REGISTRY_PASSWORD"));
        let broken = r#"{"auths":{"registry.example":{"auth":"%%"}}}"#;
        assert!(refused(broken).unwrap().contains("base64"));
        assert!(
            Credentials::of_docker(Path::new("/nowhere/config.json"))
                .of("a")
                .unwrap()
                .is_none()
        );
    }
}
