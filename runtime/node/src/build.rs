//! From files to a release: read, load the plugins, check.
//!
//! A plugin that is the same in two releases, by its component, its settings and its grants,
//! is loaded once and shared by both.

mod components;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use trunkline_flow::{
    Code, Diagnostic, Parsed, Report, Rules, Severity, Sources, check_with,
    diagnostics::{Color, render},
    parse,
    parse::{DeclaredPlugin, Grant},
    source::Span,
};
use trunkline_model::{Digest, PluginName, Timestamp, signature::Interface};
use trunkline_package::admission::Shelves;
use trunkline_plugin::{Deployment, Grants, Host, Plugin};

use self::components::Packages;
use crate::{
    bundle::{Bundle, Origin, ReadError, Stamp, component_path, safe_path},
    limits::{LOADS_AT_ONCE, RECORDING_BYTES_MAX},
    release::{LoadedPlugin, Release},
    secrets::SECRET_VARIABLE,
    shelf::Shelf,
};

/// Builds releases.
pub(crate) struct Builder {
    host: Arc<Host>,
    shelf: Arc<Shelf>,
    /// Packages, where plugins come as such.
    packages: Packages,
    /// What becomes of findings of rule packs.
    rules: Rules,
    /// Plugins of the releases there are, by the digest of all that makes them.
    loaded: Mutex<HashMap<Digest, Plugin>>,
    /// Digests of components and recordings on disk, by path, so that a large one is not read for every
    /// change of a flow.
    stamped: Mutex<HashMap<PathBuf, (Stamp, Digest)>>,
}

/// What came of a build.
pub(crate) struct Built {
    /// The release; there exactly when no finding is an error.
    pub(crate) release: Option<Release>,
    /// All findings.
    pub(crate) findings: Vec<Diagnostic>,
    /// The findings for people.
    pub(crate) text: String,
    /// Its components on disk, as they were before they were read; none for one that was not
    /// there. Empty when they do not lie on a disk.
    pub(crate) on_disk: OnDisk,
}

/// A build that came to no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BuildError {
    /// The files cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The components cannot be kept.
    #[error("failed to keep the release: {0}")]
    Store(#[from] trunkline_journal::Error),
}

/// Components on disk and their stamps.
pub(crate) type OnDisk = BTreeMap<PathBuf, Option<Stamp>>;

/// Where the bytes of a component or a recording come from.
enum Content {
    /// Known by its digest, and kept.
    Kept(Digest),
    /// Read just now.
    Read(Digest, Vec<u8>),
}

impl Builder {
    pub(crate) fn new(host: Arc<Host>, shelf: Arc<Shelf>, shelves: Shelves, rules: Rules) -> Self {
        Self {
            host,
            shelf,
            packages: Packages::new(shelves),
            rules,
            loaded: Mutex::default(),
            stamped: Mutex::default(),
        }
    }

    /// Builds and checks what an origin holds. Its components are kept when this returns.
    pub(crate) async fn build(&self, origin: &Origin, at: Timestamp) -> Result<Built, BuildError> {
        let sources = origin.sources().await?;
        let parsed = Arc::new(parse(&sources));
        let found = self.components(origin, &parsed, at).await?;
        let recordings = self.recordings(origin, &parsed, &sources).await?;
        let bundle = Bundle {
            sources,
            components: found.components,
            recordings,
        };
        let mut built = self.check(bundle, &parsed, found.findings, self.rules, at).await;
        built.on_disk = found.on_disk;
        Ok(built)
    }

    /// Builds a release again of what is on the shelf.
    pub(crate) async fn rebuild(&self, id: &Digest, at: Timestamp) -> Result<Built, BuildError> {
        let bundle = self.shelf.bundle(id, at).await?;
        let parsed = Arc::new(parse(&bundle.sources));
        // A rule that came after it is no reason to strand the contacts that are on it.
        Ok(self.check(bundle, &parsed, Vec::new(), Rules::Reported, at).await)
    }

    /// Keeps the recordings that prompts name and that are there; one that is not is a finding
    /// of the check.
    async fn recordings(
        &self,
        origin: &Origin,
        parsed: &Parsed,
        sources: &Sources,
    ) -> Result<BTreeMap<Arc<str>, Digest>, BuildError> {
        let mut recordings = BTreeMap::new();
        let named = parsed.recordings();
        for path in named.filter(|path| sources.recordings.contains_key(*path)) {
            if recordings.contains_key(path) {
                continue;
            }
            let digest = match self.content(origin, path, RECORDING_BYTES_MAX).await? {
                Content::Kept(digest) => digest,
                Content::Read(digest, bytes) => {
                    self.shelf.keep_content(&digest, bytes).await?;
                    digest
                }
            };
            recordings.insert(path.clone(), digest);
        }
        Ok(recordings)
    }

    async fn content(&self, origin: &Origin, path: &str, bytes_max: u64) -> Result<Content, ReadError> {
        match origin {
            Origin::Folder(folder) => self.content_on_disk(folder, path, bytes_max).await,
            Origin::Archive(files) => {
                let bytes = files
                    .get(&safe_path(path)?)
                    .ok_or_else(|| ReadError::NoComponent {
                        path: path.to_owned(),
                    })?;
                Ok(Content::Read(Digest::of(bytes), bytes.clone()))
            }
        }
    }

    async fn content_on_disk(&self, folder: &Path, path: &str, bytes_max: u64) -> Result<Content, ReadError> {
        let full = component_path(folder, path);
        let missing = || ReadError::NoComponent {
            path: path.to_owned(),
        };
        let stamp = Stamp::of(&full).map_err(|_| missing())?;
        let known = self.stamped().get(&full).copied();
        if let Some((_, digest)) = known.filter(|(known, _)| *known == stamp) {
            return Ok(Content::Kept(digest));
        }
        if stamp.bytes() > bytes_max {
            return Err(ReadError::TooLarge {
                path: path.to_owned(),
                bytes: stamp.bytes(),
                max: bytes_max,
            });
        }
        let bytes = tokio::fs::read(&full).await.map_err(|source| ReadError::Io {
            path: full.clone(),
            source,
        })?;
        let digest = Digest::of(&bytes);
        // Only what did not change while it was read is known by its stamp.
        if Stamp::of(&full).is_ok_and(|after| after == stamp) {
            self.stamped().insert(full, (stamp, digest));
        }
        Ok(Content::Read(digest, bytes))
    }

    async fn check(
        &self,
        bundle: Bundle,
        parsed: &Arc<Parsed>,
        mut found: Vec<Diagnostic>,
        rules: Rules,
        at: Timestamp,
    ) -> Built {
        let mut plugins = BTreeMap::new();
        let mut interfaces: BTreeMap<PluginName, Arc<Interface>> = BTreeMap::new();
        let grants: BTreeMap<PluginName, Grant> = parsed
            .grants()
            .into_iter()
            .map(|grant| (grant.plugin.value.clone(), grant))
            .collect();
        // What could not be read has been reported.
        let readable: Vec<(DeclaredPlugin, Digest)> = (parsed.plugins().into_iter())
            .filter_map(|declared| {
                let digest = *bundle.components.get(&declared.component.value)?;
                Some((declared, digest))
            })
            .collect();
        // Several at a time: most of the way is reading and hashing, each on a thread of its own.
        let mut loaded = Vec::with_capacity(readable.len());
        for some in readable.chunks(LOADS_AT_ONCE) {
            let mut loading = Vec::with_capacity(some.len());
            for (declared, digest) in some {
                loading.push(self.load(parsed, declared, grants.get(&declared.name.value), *digest));
            }
            loaded.extend(futures::future::join_all(loading).await);
        }
        for ((declared, digest), loaded) in readable.iter().zip(loaded) {
            let name = declared.name.value.clone();
            match loaded {
                Ok(plugin) => {
                    found.extend(without_value(parsed, &plugin, grants.get(&name)));
                    interfaces.insert(name.clone(), plugin.interface().clone());
                    plugins.insert(
                        name,
                        LoadedPlugin {
                            plugin,
                            department: declared.department.clone(),
                            path: declared.component.value.clone(),
                            component: *digest,
                        },
                    );
                }
                Err(finding) => found.push(*finding),
            }
        }
        let over = self.budget(parsed, &plugins, &grants);
        found.extend(over.map(|over| match rules {
            Rules::Enforced => over,
            // Contacts that began on it go on, on a machine with less room as well.
            Rules::Reported => Diagnostic {
                severity: Severity::Warning,
                ..over
            },
        }));
        let report = check_aside(parsed, &interfaces, rules).await;
        // Why a plugin is not loaded has been said where its component is named.
        found.extend(
            report
                .diagnostics
                .into_iter()
                .filter(|finding| finding.code != Code::PluginNotLoaded),
        );
        found.sort_by(|a, b| {
            (&a.file, a.line, a.column, a.severity).cmp(&(&b.file, b.line, b.column, b.severity))
        });
        let text = render(&found, &bundle.sources, Color::Never);
        let sound = found.iter().all(|finding| finding.severity != Severity::Error);
        let release = report
            .checked
            .filter(|_| sound)
            .map(|checked| Release::new(bundle, checked, plugins, found.clone(), at));
        Built {
            release,
            findings: found,
            text,
            on_disk: OnDisk::new(),
        }
    }

    async fn load(
        &self,
        parsed: &Parsed,
        declared: &DeclaredPlugin,
        grant: Option<&Grant>,
        component: Digest,
    ) -> Result<Plugin, Box<Diagnostic>> {
        let entry = grant
            .map(|grant| grant.entry.clone())
            .unwrap_or_else(|| serde_json::json!({}));
        let config = serde_json::to_vec(&declared.config).expect("settings are texts by name");
        let made_of = Digest::of_parts([
            component.as_bytes().as_slice(),
            declared.name.value.as_str().as_bytes(),
            declared.department.as_bytes(),
            &config,
            entry.to_string().as_bytes(),
        ]);
        if let Some(plugin) = self.loaded().get(&made_of) {
            return Ok(plugin.clone());
        }
        let grants = match grant {
            Some(grant) => read_grants(grant)
                .map_err(|(span, message)| Box::new(parsed.diagnostic(Code::BadGrant, span, message, [])))?,
            None => Grants::default(),
        };
        let not_loaded = |message: String| {
            Box::new(parsed.diagnostic(Code::PluginNotLoaded, declared.component.span, message, []))
        };
        let bytes = self
            .shelf
            .component(&component)
            .await
            .map_err(|error| not_loaded(error.to_string()))?;
        let deployment = Deployment {
            name: declared.name.value.clone(),
            department: declared.department.to_string(),
            config: declared.config.clone(),
            grants,
        };
        let plugin = self
            .host
            .load(bytes.into(), deployment)
            .await
            .map_err(|error| not_loaded(error.to_string()))?;
        self.loaded().insert(made_of, plugin.clone());
        Ok(plugin)
    }

    /// Keeps free what the plugins of the current release reserve.
    pub(crate) fn reserve<'a>(&self, plugins: impl IntoIterator<Item = &'a Plugin> + Clone) {
        self.host.reserve(plugins);
    }

    /// Whether what the plugins may use together is there: what they reserve must be.
    fn budget(
        &self,
        parsed: &Parsed,
        plugins: &BTreeMap<PluginName, LoadedPlugin>,
        grants: &BTreeMap<PluginName, Grant>,
    ) -> Option<Diagnostic> {
        let budget = self.host.budget(plugins.values().map(|loaded| &loaded.plugin));
        let (code, largest, message) = match budget.check() {
            Err(over) => (Code::OverReserved, over.largest().to_owned(), over.to_string()),
            Ok(()) => {
                let over = budget.overcommitted()?;
                (Code::Overcommitted, over.largest.clone(), over.to_string())
            }
        };
        let granted = grants.get(&PluginName::from(largest.as_str()));
        let span = match granted {
            Some(grant) => grant.span("limits"),
            None => {
                let declared = parsed.plugins();
                let named = declared
                    .iter()
                    .find(|plugin| plugin.name.value.as_str() == largest)?;
                named.name.span
            }
        };
        Some(parsed.diagnostic(code, span, message, []))
    }

    /// Lets go of plugins that no release has any more.
    pub(crate) fn release_unused<'a>(&self, releases: impl Iterator<Item = &'a Arc<Release>>) {
        let used: BTreeSet<(PluginName, Digest)> = releases
            .flat_map(|release| release.plugins())
            .map(|(name, loaded)| (name.clone(), loaded.component))
            .collect();
        self.loaded()
            .retain(|_, plugin| used.contains(&(plugin.name().clone(), plugin.digest())));
    }

    fn loaded(&self) -> std::sync::MutexGuard<'_, HashMap<Digest, Plugin>> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stamped(&self) -> std::sync::MutexGuard<'_, HashMap<PathBuf, (Stamp, Digest)>> {
        self.stamped.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The digests of components on disk are no longer believed: what they name was removed.
    pub(crate) fn distrust_stamps(&self) {
        self.stamped().clear();
        self.packages.distrust();
    }
}

/// Checks a hotline where it keeps no contact waiting: proofs of a large one take their time.
async fn check_aside(
    parsed: &Arc<Parsed>,
    interfaces: &BTreeMap<PluginName, Arc<Interface>>,
    rules: Rules,
) -> Report {
    let (asked, known) = (parsed.clone(), interfaces.clone());
    let checked = tokio::task::spawn_blocking(move || check_with(&asked, &known, rules)).await;
    checked.unwrap_or_else(|error| match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        // The runtime is being taken down.
        Err(_) => check_with(parsed, interfaces, rules),
    })
}

fn unreadable(parsed: &Parsed, plugin: &DeclaredPlugin, error: &ReadError) -> Diagnostic {
    let help = match error {
        ReadError::NoComponent { .. } => Some(
            "build the plugin, or write the component's path relative to the hotline's folder".to_owned(),
        ),
        _ => None,
    };
    parsed.diagnostic(
        Code::PluginNotLoaded,
        plugin.component.span,
        format!("plugin `{}`: {error}", plugin.name.value),
        help,
    )
}

/// The secrets that a plugin is granted and that have no value here. Asked at each build, since
/// values come and go beside releases.
fn without_value(parsed: &Parsed, plugin: &Plugin, grant: Option<&Grant>) -> Vec<Diagnostic> {
    let Some(grant) = grant else { return Vec::new() };
    let missing = plugin.secrets_without_value().into_iter();
    missing
        .map(|secret| {
            let variable = secret.as_str().to_ascii_uppercase().replace('-', "_");
            parsed.diagnostic(
                Code::SecretWithoutValue,
                grant.span(&format!("secrets.{secret}")),
                format!("the secret `{secret}` has no value on this server"),
                Some(format!(
                    "give it one in the file of `trunkline serve --secrets`, or as {SECRET_VARIABLE}{variable}"
                )),
            )
        })
        .collect()
}

/// Reads what grants.yaml gives to a plugin; what is wrong with it, and where.
fn read_grants(grant: &Grant) -> Result<Grants, (Span, String)> {
    serde_json::from_value(grant.entry.clone()).map_err(|error| {
        // The part that is wrong is the one that is wrong by itself.
        let part = grant.entry.as_object().and_then(|entry| {
            entry.iter().find(|(name, value)| {
                let alone = serde_json::json!({ name.as_str(): value });
                serde_json::from_value::<Grants>(alone).is_err()
            })
        });
        let span = grant.span(part.map_or("", |(name, _)| name.as_str()));
        (span, error.to_string())
    })
}
