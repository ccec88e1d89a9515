//! Releases on disk: whatever a contact runs on is kept from before its first event until
//! after its last, across restarts.
//!
//! A release's texts are one blob, each component is one, and a manifest in the key-value
//! face names them. Content is kept once, however many releases hold it.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use trunkline_flow::Sources;
use trunkline_journal::{Error as StoreError, Expect, Put, Store};
use trunkline_model::{Digest, Timestamp};
use trunkline_package::Identity;

use crate::{
    bundle::{Bundle, ReadError},
    limits::PAGE_MAX,
};

/// The space of the manifests, by the release's id.
const MANIFESTS: &str = "node.releases";

/// The space of what packages of registries are, by the digests of their manifests.
const PACKAGES: &str = "node.packages";

/// The space of what is current.
const STATE: &str = "node.state";

/// The key of the release that is current.
const CURRENT: &str = "current-release";

/// The version of manifests.
const VERSION: u32 = 1;

/// Where releases are kept.
pub(crate) struct Shelf {
    store: Arc<dyn Store>,
}

/// What is kept of a release besides its content.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Manifest {
    version: u32,
    /// When it was first kept.
    pub(crate) built: Timestamp,
    /// The runtime that built it.
    runtime: String,
    /// The blob of its texts.
    sources: Digest,
    /// The blob of each component, by its path in hotline.yaml.
    components: BTreeMap<Arc<str>, Digest>,
    /// Each recording, by its path in the hotline; manifests of before there were any lack it.
    #[serde(default)]
    recordings: BTreeMap<Arc<str>, RecordingKept>,
}

/// A recording as a manifest names it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct RecordingKept {
    /// Its blob.
    digest: Digest,
    /// Its length, where its header tells.
    seconds: Option<f64>,
}

/// What is kept of a package besides its component.
#[derive(Serialize, Deserialize)]
struct PackageKept {
    version: u32,
    identity: Identity,
}

impl Manifest {
    fn blobs(&self) -> impl Iterator<Item = Digest> {
        let recordings = self.recordings.values().map(|recording| recording.digest);
        std::iter::once(self.sources)
            .chain(self.components.values().copied())
            .chain(recordings)
    }
}

impl Shelf {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    /// Keeps a component or a recording. It is known by its digest from then on.
    pub(crate) async fn keep_content(&self, digest: &Digest, bytes: Vec<u8>) -> Result<(), StoreError> {
        if !self.store.has_blob(digest).await? {
            self.store.put_blob(bytes).await?;
        }
        Ok(())
    }

    /// The bytes of a component or a recording; none when they are not here.
    pub(crate) async fn content(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.blob(digest).await
    }

    /// Keeps what a package of a registry is, whose component is kept.
    pub(crate) async fn keep_package(&self, identity: &Identity, at: Timestamp) -> Result<(), StoreError> {
        let Some(digest) = identity.package else {
            return Ok(());
        };
        let kept = PackageKept {
            version: VERSION,
            identity: identity.clone(),
        };
        self.put(PACKAGES, &digest.to_string(), &kept, at).await
    }

    /// What a package is, by the digest of its manifest, if its component is here.
    pub(crate) async fn package(
        &self,
        digest: &Digest,
        at: Timestamp,
    ) -> Result<Option<Identity>, StoreError> {
        let entry = self.store.get(PACKAGES, &digest.to_string(), at).await?;
        // What this version cannot read, another wrote: the package is fetched again.
        let kept = entry.and_then(|entry| serde_json::from_slice::<PackageKept>(&entry.value).ok());
        let Some(kept) = kept.filter(|kept| kept.version == VERSION) else {
            return Ok(None);
        };
        let is_here = self.store.has_blob(&kept.identity.component).await?;
        Ok(is_here.then_some(kept.identity))
    }

    /// Keeps a release whose components and recordings are kept.
    pub(crate) async fn keep(&self, bundle: &Bundle, at: Timestamp) -> Result<(), StoreError> {
        let id = bundle.release_id();
        if self.manifest(&id, at).await?.is_some() {
            return Ok(());
        }
        let texts = serde_json::to_vec(&bundle.sources.files).expect("texts by path are JSON");
        let sources = self.store.put_blob(texts).await?;
        let manifest = Manifest {
            version: VERSION,
            built: at,
            runtime: env!("CARGO_PKG_VERSION").to_owned(),
            sources,
            components: bundle.components.clone(),
            recordings: bundle
                .recordings
                .iter()
                .map(|(path, digest)| {
                    let seconds = bundle.sources.recordings.get(path).copied().flatten();
                    let digest = *digest;
                    (path.clone(), RecordingKept { digest, seconds })
                })
                .collect(),
        };
        self.put(MANIFESTS, &id.to_string(), &manifest, at).await
    }

    /// Remembers which release is current.
    pub(crate) async fn set_current(&self, id: &Digest, at: Timestamp) -> Result<(), StoreError> {
        self.put(STATE, CURRENT, id, at).await
    }

    /// The release that was current last.
    pub(crate) async fn current(&self, at: Timestamp) -> Result<Option<Digest>, StoreError> {
        self.get(STATE, CURRENT, at).await
    }

    /// What is kept of a release.
    pub(crate) async fn manifest(&self, id: &Digest, at: Timestamp) -> Result<Option<Manifest>, StoreError> {
        self.get(MANIFESTS, &id.to_string(), at).await
    }

    /// Takes a release's texts from the shelf.
    pub(crate) async fn bundle(&self, id: &Digest, at: Timestamp) -> Result<Bundle, ReadError> {
        let lacking = |what: String| ReadError::Lacking { what };
        let manifest = self
            .manifest(id, at)
            .await
            .map_err(|error| lacking(format!("its manifest: {error}")))?
            .ok_or_else(|| lacking("its manifest".to_owned()))?;
        let texts = self
            .store
            .blob(&manifest.sources)
            .await
            .map_err(|error| lacking(format!("its texts: {error}")))?
            .ok_or_else(|| lacking("its texts".to_owned()))?;
        let files = serde_json::from_slice(&texts).map_err(|error| lacking(format!("its texts: {error}")))?;
        Ok(Bundle {
            sources: Sources {
                files,
                recordings: manifest
                    .recordings
                    .iter()
                    .map(|(path, recording)| (path.clone(), recording.seconds))
                    .collect(),
            },
            components: manifest.components,
            recordings: manifest
                .recordings
                .into_iter()
                .map(|(path, recording)| (path, recording.digest))
                .collect(),
        })
    }

    /// Takes a component from the shelf.
    pub(crate) async fn component(&self, digest: &Digest) -> Result<Vec<u8>, ReadError> {
        let found = self
            .store
            .blob(digest)
            .await
            .map_err(|error| ReadError::Lacking {
                what: format!("component {}: {error}", digest.short()),
            })?;
        found.ok_or_else(|| ReadError::Lacking {
            what: format!("component {}", digest.short()),
        })
    }

    /// Removes all releases but those that `stays` wants, with the content that no other
    /// release holds. The newest come first in what `stays` is asked. How many were removed.
    pub(crate) async fn collect(
        &self,
        at: Timestamp,
        mut stays: impl FnMut(usize, &Digest) -> bool,
    ) -> Result<usize, StoreError> {
        let mut manifests: Vec<(Digest, Manifest)> = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let page = self
                .store
                .list(MANIFESTS, "", after.as_deref(), PAGE_MAX, at)
                .await?;
            let Some((last, _)) = page.last() else {
                break;
            };
            after = Some(last.clone());
            manifests.extend(page.into_iter().filter_map(|(key, entry)| {
                // What this version cannot read, another wrote, and it stays.
                Some((key.parse().ok()?, serde_json::from_slice(&entry.value).ok()?))
            }));
        }
        manifests.sort_by_key(|(_, manifest)| std::cmp::Reverse(manifest.built));
        let (mut kept, mut gone) = (Vec::new(), Vec::new());
        for (rank, (id, manifest)) in manifests.into_iter().enumerate() {
            if stays(rank, &id) {
                kept.push(manifest);
            } else {
                gone.push((id, manifest));
            }
        }
        for (id, manifest) in &gone {
            // The manifest goes first: a release without one is not looked for.
            self.store
                .remove(MANIFESTS, &id.to_string(), Expect::Any, at)
                .await?;
            for blob in manifest.blobs() {
                if !kept.iter().any(|kept| kept.blobs().any(|other| other == blob)) {
                    self.store.delete_blob(&blob).await?;
                }
            }
        }
        if !gone.is_empty() {
            self.forget_packages(at).await?;
        }
        Ok(gone.len())
    }

    /// Forgets packages whose components are gone.
    async fn forget_packages(&self, at: Timestamp) -> Result<(), StoreError> {
        let mut after: Option<String> = None;
        loop {
            let page = self
                .store
                .list(PACKAGES, "", after.as_deref(), PAGE_MAX, at)
                .await?;
            let Some((last, _)) = page.last() else {
                return Ok(());
            };
            after = Some(last.clone());
            for (key, entry) in &page {
                let Ok(kept) = serde_json::from_slice::<PackageKept>(&entry.value) else {
                    continue;
                };
                if !self.store.has_blob(&kept.identity.component).await? {
                    self.store.remove(PACKAGES, key, Expect::Any, at).await?;
                }
            }
        }
    }

    async fn get<T: for<'de> Deserialize<'de>>(
        &self,
        space: &str,
        key: &str,
        at: Timestamp,
    ) -> Result<Option<T>, StoreError> {
        let entry = self.store.get(space, key, at).await?;
        let read = |bytes: &[u8]| {
            serde_json::from_slice(bytes).map_err(|error| StoreError::Corrupt {
                place: format!("entry {key} of {space}").into(),
                what: error.to_string().into(),
            })
        };
        entry.map(|entry| read(&entry.value)).transpose()
    }

    async fn put<T: Serialize>(
        &self,
        space: &str,
        key: &str,
        value: &T,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let put = Put {
            space,
            key,
            value: serde_json::to_vec(value).expect("manifests of digests and paths are JSON"),
            expect: Expect::Any,
            expires: None,
            at,
        };
        self.store.put(put).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use trunkline_journal::Memory;

    use super::*;

    fn bundle(text: &str, component: Digest) -> Bundle {
        Bundle {
            sources: Sources::new([("hotline.yaml", text)]),
            components: [("plugins/a.wasm".into(), component)].into(),
            recordings: BTreeMap::new(),
        }
    }

    #[tokio::test]
    async fn a_release_comes_back_as_it_was_kept() {
        let shelf = Shelf::new(Arc::new(Memory::new()));
        let at = Timestamp::from_millis(1);
        let component = Digest::of(b"component");
        shelf
            .keep_content(&component, b"component".to_vec())
            .await
            .unwrap();
        let mut kept = bundle("hotline: a", component);
        let without = kept.release_id();
        let recording = Digest::of(b"recording");
        shelf
            .keep_content(&recording, b"recording".to_vec())
            .await
            .unwrap();
        let path: Arc<str> = "audio/welcome.wav".into();
        kept.recordings.insert(path.clone(), recording);
        kept.sources.recordings.insert(path.clone(), Some(1.5));
        assert_ne!(kept.release_id(), without);
        shelf.keep(&kept, at).await.unwrap();
        shelf.set_current(&kept.release_id(), at).await.unwrap();
        let id = shelf.current(at).await.unwrap().unwrap();
        let back = shelf.bundle(&id, at).await.unwrap();
        assert_eq!(back.release_id(), kept.release_id());
        assert_eq!(back.sources.recordings[&path], Some(1.5));
        assert_eq!(shelf.component(&component).await.unwrap(), b"component");
        assert_eq!(shelf.collect(at, |_, _| false).await.unwrap(), 1);
        assert!(!shelf.store.has_blob(&recording).await.unwrap());
    }

    #[tokio::test]
    async fn a_package_is_known_as_long_as_its_component_is_here() {
        let shelf = Shelf::new(Arc::new(Memory::new()));
        let at = Timestamp::from_millis(1);
        let component = Digest::of(b"component");
        let digest = Digest::of(b"package");
        let identity = Identity {
            package: Some(digest),
            department: Some("civil-affairs".to_owned()),
            ..Identity::of_bare(b"component", None)
        };
        shelf.keep_package(&identity, at).await.unwrap();
        assert_eq!(shelf.package(&digest, at).await.unwrap(), None);
        shelf
            .keep_content(&component, b"component".to_vec())
            .await
            .unwrap();
        assert_eq!(shelf.package(&digest, at).await.unwrap(), Some(identity));
        assert_eq!(shelf.package(&component, at).await.unwrap(), None);
        shelf.keep(&bundle("hotline: a", component), at).await.unwrap();
        assert_eq!(shelf.collect(at, |_, _| false).await.unwrap(), 1);
        let left = shelf.store.list(PACKAGES, "", None, PAGE_MAX, at).await.unwrap();
        assert!(left.is_empty());
    }

    #[tokio::test]
    async fn what_another_release_holds_is_not_collected() {
        let shelf = Shelf::new(Arc::new(Memory::new()));
        let shared = Digest::of(b"shared");
        shelf.keep_content(&shared, b"shared".to_vec()).await.unwrap();
        let (old, new) = (bundle("hotline: old", shared), bundle("hotline: new", shared));
        shelf.keep(&old, Timestamp::from_millis(1)).await.unwrap();
        shelf.keep(&new, Timestamp::from_millis(2)).await.unwrap();
        let at = Timestamp::from_millis(3);
        assert_eq!(shelf.collect(at, |rank, _| rank < 1).await.unwrap(), 1);
        assert!(shelf.bundle(&old.release_id(), at).await.is_err());
        assert!(shelf.bundle(&new.release_id(), at).await.is_ok());
        assert!(shelf.component(&shared).await.is_ok());
        assert_eq!(shelf.collect(at, |_, _| false).await.unwrap(), 1);
        assert!(shelf.component(&shared).await.is_err());
    }
}
