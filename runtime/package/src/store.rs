//! Packages that were pulled, kept on this machine by their digests: what is here needs no
//! network. Each is a .tlpkg file, verified again whenever it is taken.

use std::{
    io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use trunkline_model::Digest;

use crate::{
    archive::{self, ARCHIVE_BYTES_MAX},
    package::Package,
};

/// Tells apart what this process writes at once.
static WRITTEN: AtomicU64 = AtomicU64::new(0);

/// A folder of packages.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

/// A package that cannot be kept.
#[derive(Debug, thiserror::Error)]
#[error("failed to keep a package in {}: {source}", path.display())]
pub struct StoreError {
    /// Where.
    path: PathBuf,
    /// Why.
    source: io::Error,
}

impl Store {
    /// Keeps packages in a folder, which is made when the first is kept.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// Where it keeps them.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The package with a digest. One that was damaged is as good as none.
    pub fn get(&self, digest: &Digest) -> Option<Package> {
        let path = self.path(digest);
        let bytes = std::fs::metadata(&path).ok()?.len();
        if bytes > ARCHIVE_BYTES_MAX {
            return None;
        }
        let package = archive::read(&std::fs::read(&path).ok()?)
            .inspect_err(|error| tracing::warn!(path = %path.display(), %error, "a kept package is damaged"))
            .ok()?;
        (package.digest() == *digest).then_some(package)
    }

    /// Keeps a package, whole or not at all.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn put(&self, package: &Package) -> Result<(), StoreError> {
        let path = self.path(&package.digest());
        // Whoever keeps the same package at the same time writes the same bytes, each beside.
        let count = WRITTEN.fetch_add(1, Ordering::Relaxed);
        let beside = path.with_extension(format!("{}-{count}.new", std::process::id()));
        std::fs::create_dir_all(&self.folder)
            .and_then(|()| std::fs::write(&beside, archive::write(package)))
            .and_then(|()| std::fs::rename(&beside, &path))
            .map_err(|source| StoreError { path, source })
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.folder.join(format!("{digest}.{}", archive::EXTENSION))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::tests::component;

    #[test]
    fn what_is_kept_comes_back_and_what_is_damaged_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().join("packages"));
        let package = Package::of_component(component("1.4.2")).unwrap();
        let other = Package::of_component(component("1.4.3")).unwrap();
        assert_eq!(store.get(&package.digest()), None);
        store.put(&package).unwrap();
        store.put(&package).unwrap();
        assert!(store.get(&package.digest()) == Some(package.clone()));
        // Another whole package in its place is not it.
        std::fs::write(store.path(&package.digest()), archive::write(&other)).unwrap();
        assert!(store.get(&package.digest()).is_none());
        std::fs::write(store.path(&package.digest()), b"words").unwrap();
        assert!(store.get(&package.digest()).is_none());
    }
}
