//! The components of a build: read, unpacked or fetched, let in or refused, and kept.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use trunkline_flow::{Code, Diagnostic, Parsed, parse::DeclaredPlugin};
use trunkline_model::{Digest, Timestamp};
use trunkline_package::{
    Identity, Package,
    admission::{Refusal, Shelves},
    archive::{self, ARCHIVE_BYTES_MAX},
    reference::Source,
};
use trunkline_plugin::{Manifest, limits::COMPONENT_BYTES_MAX};

use super::{BuildError, Builder, Content, OnDisk, unreadable};
use crate::{
    bundle::{Origin, ReadError, Stamp, component_path, safe_path},
    limits::LOADS_AT_ONCE,
    packages::{Gate, file_in},
};

/// Packages that were looked into, so that a large one is not for every change of a flow.
pub(super) struct Packages {
    pub(super) shelves: Shelves,
    /// Files, by their paths.
    files: Mutex<HashMap<PathBuf, (Stamp, Identity)>>,
    /// Those of registries, by the digests of their manifests.
    pulled: Mutex<HashMap<Digest, Identity>>,
}

/// The components of a hotline, what is wrong with them, and the files that were looked at.
pub(super) struct Found {
    pub(super) components: BTreeMap<Arc<str>, Digest>,
    pub(super) findings: Vec<Diagnostic>,
    pub(super) on_disk: OnDisk,
}

/// Why a plugin has no component.
enum Failed {
    Unreadable(ReadError),
    Refused(Refusal),
    NoPackage(String),
    NoReference(String),
    Store(trunkline_journal::Error),
}

impl From<ReadError> for Failed {
    fn from(error: ReadError) -> Self {
        Self::Unreadable(error)
    }
}

impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<trunkline_journal::Error> for Failed {
    fn from(error: trunkline_journal::Error) -> Self {
        Self::Store(error)
    }
}

impl Packages {
    pub(super) fn new(shelves: Shelves) -> Self {
        Self {
            shelves,
            files: Mutex::default(),
            pulled: Mutex::default(),
        }
    }

    /// What a package of a registry is, if it was looked into.
    fn known(&self, digest: &Digest) -> Option<Identity> {
        let pulled = self.pulled.lock().unwrap_or_else(PoisonError::into_inner);
        pulled.get(digest).cloned()
    }

    fn know(&self, digest: Digest, identity: &Identity) {
        let mut pulled = self.pulled.lock().unwrap_or_else(PoisonError::into_inner);
        pulled.insert(digest, identity.clone());
    }

    /// What was looked into is looked into again: what it names was removed.
    pub(super) fn distrust(&self) {
        self.files.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.pulled.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Builder {
    /// The components that a hotline declares, each let in and kept.
    pub(super) async fn components(
        &self,
        origin: &Origin,
        parsed: &Parsed,
        at: Timestamp,
    ) -> Result<Found, BuildError> {
        let mut found = Found {
            components: BTreeMap::new(),
            findings: Vec::new(),
            on_disk: OnDisk::new(),
        };
        let (gate, wrong) = gate(origin, parsed);
        found.findings.extend(wrong);
        let plugins = parsed.plugins();
        // Several at a time: a registry that does not answer is waited for once and not in turn.
        for some in plugins.chunks(LOADS_AT_ONCE) {
            for plugin in some {
                if let Origin::Folder(folder) = origin
                    && !plugin.component.value.contains("://")
                {
                    // Before it is read, so that what is written meanwhile is noticed.
                    let full = component_path(folder, &plugin.component.value);
                    found
                        .on_disk
                        .entry(full.clone())
                        .or_insert_with(|| Stamp::of(&full).ok());
                }
            }
            let reading = some
                .iter()
                .map(|plugin| self.component(origin, &gate, plugin, at));
            let read = futures::future::join_all(reading).await;
            for (plugin, read) in some.iter().zip(read) {
                match read {
                    Ok(digest) => {
                        found.components.insert(plugin.component.value.clone(), digest);
                    }
                    Err(Failed::Store(error)) => return Err(error.into()),
                    Err(failed) => found.findings.push(finding(parsed, plugin, &failed)),
                }
            }
        }
        if let Origin::Folder(folder) = origin {
            for file in gate.files() {
                let full = component_path(folder, file);
                let stamp = Stamp::of(&full).ok();
                found.on_disk.insert(full, stamp);
            }
        }
        Ok(found)
    }

    /// The digest of a plugin's component, which is let in and kept.
    async fn component(
        &self,
        origin: &Origin,
        gate: &Gate,
        plugin: &DeclaredPlugin,
        at: Timestamp,
    ) -> Result<Digest, Failed> {
        let source =
            Source::parse(&plugin.component.value).map_err(|error| Failed::NoReference(error.to_string()))?;
        let wanted = gate.wanted(plugin, &source);
        let identity = match &source {
            Source::Component(path) => {
                let digest = match self.content(origin, path, COMPONENT_BYTES_MAX as u64).await? {
                    Content::Kept(digest) => digest,
                    Content::Read(digest, bytes) => {
                        self.shelf.keep_content(&digest, bytes).await?;
                        digest
                    }
                };
                self.bare(digest, gate.asks(plugin)).await?
            }
            Source::File(path) => self.package_file(origin, path).await?,
            Source::Registry(reference) => {
                let digest = wanted.package(reference)?;
                let known = match self.packages.known(&digest) {
                    Some(identity) => Some(identity),
                    None => self.shelf.package(&digest, at).await?,
                };
                let lacks = match known.as_ref().map(|identity| wanted.admit(identity)) {
                    Some(Err(refusal)) if self.packages.shelves.may_mend(&refusal) => Some(refusal),
                    _ => None,
                };
                match (known, lacks) {
                    (Some(identity), None) => {
                        self.packages.know(digest, &identity);
                        identity
                    }
                    (_, lacks) => {
                        let taken = self.packages.shelves.take(&wanted, reference).await;
                        // Without the registry what is known of it is what there is.
                        let package = taken.map_err(|error| lacks.unwrap_or(error))?;
                        let identity = package.identity();
                        // Nothing of it is kept before it is let in.
                        wanted.admit(&identity)?;
                        self.keep(package).await?;
                        self.shelf.keep_package(&identity, at).await?;
                        self.packages.know(digest, &identity);
                        identity
                    }
                }
            }
        };
        wanted.admit(&identity)?;
        Ok(identity.component)
    }

    /// What a component without a package is. What it says of itself tells why it is refused, if it
    /// is: it is read only where something is asked.
    async fn bare(&self, component: Digest, asked: bool) -> Result<Identity, Failed> {
        let mut identity = Identity {
            component,
            package: None,
            version: None,
            department: None,
            signatures: Vec::new(),
        };
        if asked {
            let bytes = self.shelf.component(&component).await?;
            if let Some(manifest) = Manifest::of_component(&bytes).ok().flatten() {
                identity.version = Some(manifest.version);
                identity.department = Some(manifest.department);
            }
        }
        Ok(identity)
    }

    async fn package_file(&self, origin: &Origin, path: &str) -> Result<Identity, Failed> {
        let bytes = match origin {
            Origin::Archive(files) => files
                .get(&safe_path(path)?)
                .ok_or_else(|| no_component(path))?
                .clone(),
            Origin::Folder(folder) => {
                let full = component_path(folder, path);
                let stamp = Stamp::of(&full).map_err(|_| no_component(path))?;
                let known = self
                    .packages
                    .files
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .get(&full)
                    .cloned();
                if let Some((_, identity)) = known.filter(|(known, _)| *known == stamp) {
                    return Ok(identity);
                }
                if stamp.bytes() > ARCHIVE_BYTES_MAX {
                    return Err(ReadError::TooLarge {
                        path: path.to_owned(),
                        bytes: stamp.bytes(),
                        max: ARCHIVE_BYTES_MAX,
                    }
                    .into());
                }
                let bytes = tokio::fs::read(&full).await.map_err(|source| ReadError::Io {
                    path: full.clone(),
                    source,
                })?;
                let identity = self.unpacked(path, bytes).await?;
                // Only what did not change while it was read is known by its stamp.
                if Stamp::of(&full).is_ok_and(|after| after == stamp) {
                    self.packages
                        .files
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .insert(full, (stamp, identity.clone()));
                }
                return Ok(identity);
            }
        };
        self.unpacked(path, bytes).await
    }

    async fn unpacked(&self, path: &str, bytes: Vec<u8>) -> Result<Identity, Failed> {
        let read = tokio::task::spawn_blocking(move || archive::read(&bytes)).await;
        let package = read
            .map_err(|error| Failed::NoPackage(error.to_string()))?
            .map_err(|error| Failed::NoPackage(format!("{path} is refused: {error}")))?;
        let identity = package.identity();
        self.keep(package).await?;
        Ok(identity)
    }

    async fn keep(&self, package: Package) -> Result<(), Failed> {
        let component = package.into_component();
        self.shelf
            .keep_content(&Digest::of(&component), component)
            .await?;
        Ok(())
    }
}

fn gate(origin: &Origin, parsed: &Parsed) -> (Gate, Vec<Diagnostic>) {
    match origin {
        Origin::Folder(folder) => Gate::read(parsed, file_in(folder)),
        Origin::Archive(files) => Gate::read(parsed, |path| {
            let path = safe_path(path).map_err(io::Error::other);
            match path {
                Ok(path) => files.get(&path).cloned().map(Ok),
                Err(error) => Some(Err(error)),
            }
        }),
    }
}

fn no_component(path: &str) -> ReadError {
    ReadError::NoComponent {
        path: path.to_owned(),
    }
}

fn finding(parsed: &Parsed, plugin: &DeclaredPlugin, failed: &Failed) -> Diagnostic {
    let (code, message) = match failed {
        Failed::Unreadable(error) => return unreadable(parsed, plugin, error),
        Failed::Refused(refusal) => (Code::PackageRefused, refusal.to_string()),
        Failed::NoPackage(message) => (Code::PackageRefused, message.clone()),
        Failed::NoReference(message) => (Code::BadComponentPath, message.clone()),
        Failed::Store(error) => (Code::PluginNotLoaded, error.to_string()),
    };
    let message = format!("plugin `{}`: {message}", plugin.name.value);
    parsed.diagnostic(code, plugin.component.span, message, [])
}
