//! Compiled components on disk, so that the next start need not compile them again.
//!
//! Compiled code is run as it is: whoever could write these files could run anything as us.
//! So the folder is ours alone (mode 0700, same owner as what we write there), and a file is
//! read only if its digest is the one that stands beside it. A file that is missing, stale or
//! damaged is as good as none; nothing here fails a load.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use trunkline_model::Digest;
use wasmtime::{Engine, component::Component};

/// A folder of compiled components.
pub(crate) struct Cache {
    folder: PathBuf,
}

/// Permissions of the folder and of the files in it.
const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

impl Cache {
    /// Opens the folder, making it if there is none.
    ///
    /// # Errors
    /// The folder cannot be made, or others than us may write to it.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(FOLDER_MODE)
            .create(folder)?;
        let cache = Self {
            folder: folder.to_owned(),
        };
        // The owner of a file that we make is us, which the standard library does not tell.
        let probe = cache.folder.join(format!(".owner-{}", writer()));
        let ours = create(&probe)?.metadata()?.uid();
        fs::remove_file(&probe)?;
        let metadata = fs::metadata(folder)?;
        if metadata.uid() != ours || metadata.mode() & 0o077 != 0 {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!(
                    "{} must belong to the user that runs Trunkline and to nobody else: chmod 700",
                    folder.display()
                ),
            ));
        }
        Ok(cache)
    }

    /// A component compiled before, for this engine.
    pub(crate) fn load(&self, engine: &Engine, digest: Digest) -> Option<Component> {
        let path = self.path(engine, digest);
        let code = fs::read(&path).ok()?;
        let beside = fs::read_to_string(beside(&path)).ok()?;
        if beside.trim() != Digest::of(&code).to_string() {
            tracing::warn!(path = %path.display(), "a compiled component is damaged and is compiled again");
            return None;
        }
        match made_by_us(engine, &code) {
            Ok(component) => Some(component),
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "a compiled component cannot be used and is compiled again");
                None
            }
        }
    }

    /// Keeps a compiled component.
    pub(crate) fn store(&self, component: &Component, digest: Digest) {
        match component.serialize() {
            Ok(code) => self.store_code(component.engine(), digest, &code),
            Err(error) => tracing::warn!(%digest, %error, "failed to keep a compiled component"),
        }
    }

    /// Keeps the code of a compiled component.
    pub(crate) fn store_code(&self, engine: &Engine, digest: Digest, code: &[u8]) {
        let path = self.path(engine, digest);
        let stored =
            write(&beside(&path), Digest::of(code).to_string().as_bytes()).and_then(|()| write(&path, code));
        if let Err(error) = stored {
            tracing::warn!(path = %path.display(), %error, "failed to keep a compiled component");
        }
    }

    /// Compiled code belongs to one component and one setting of one version of the engine.
    fn path(&self, engine: &Engine, digest: Digest) -> PathBuf {
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        self.folder
            .join(format!("{digest}-{:016x}.cwasm", hasher.finish()))
    }
}

fn beside(path: &Path) -> PathBuf {
    path.with_extension("sha256")
}

/// A name of its own for each write: hosts of one process, and processes, may share a folder.
fn writer() -> String {
    static WRITES: AtomicU64 = AtomicU64::new(0);
    format!(
        "{}-{}",
        std::process::id(),
        WRITES.fetch_add(1, Ordering::Relaxed)
    )
}

fn create(path: &Path) -> io::Result<fs::File> {
    fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(FILE_MODE)
        .open(path)
}

/// Writes a file so that it is whole or not there.
fn write(path: &Path, contents: &[u8]) -> io::Result<()> {
    let begun = path.with_extension(format!("begun-{}", writer()));
    create(&begun)?.write_all(contents)?;
    fs::rename(&begun, path)
}

/// Loads code that this program made: kept by this module, or come through a pipe from a process
/// that [`crate::compiler`] started of this very program.
pub(crate) fn made_by_us(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: the bytes were made by `precompile_component` or `serialize` of this program. From
    // the disk: they lie in a folder that only we may write to and have the digest that was put
    // beside them when they were written. From the compiler's process: nobody else holds the
    // pipe. wasmtime refuses code of another version or setting of itself.
    #[expect(unsafe_code, reason = "compiled components are code; above is why it is ours")]
    unsafe {
        Component::deserialize(engine, code)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn several_hosts_may_share_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        Cache::open(&folder.path().join("compiled")).unwrap();
                    }
                });
            }
        });
    }

    #[test]
    fn what_was_kept_is_found_and_what_was_changed_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(&folder.path().join("compiled")).unwrap();
        let engine = Engine::default();
        let bytes = wat::parse_str("(component)").unwrap();
        let digest = Digest::of(&bytes);
        assert!(cache.load(&engine, digest).is_none());
        cache.store(&Component::new(&engine, &bytes).unwrap(), digest);
        assert!(cache.load(&engine, digest).is_some());

        let path = cache.path(&engine, digest);
        let mut code = fs::read(&path).unwrap();
        *code.last_mut().unwrap() ^= 1;
        fs::write(&path, code).unwrap();
        assert!(cache.load(&engine, digest).is_none());
    }

    #[test]
    fn a_folder_that_others_may_write_to_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(Cache::open(folder.path()).is_err());
    }
}
