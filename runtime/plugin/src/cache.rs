//! Compiled components on disk, so that the next start need not compile them again.
//!
//! Compiled code is run as it is: whoever could write these files could run anything as us.
//! So the folder is ours alone (mode 0700, same owner as what we write there), and a file is
//! read only if its digest is the one that stands beside it. A file that is missing, stale or
//! damaged is as good as none; nothing here fails a load.
//!
//! The folder is bounded: each save while a plugin is written compiles another component. When one
//! was last used is when its digest was last written, which each load does anew.

use std::{
    collections::HashMap,
    ffi::{OsStr, OsString},
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::SystemTime,
};

use trunkline_model::Digest;
use wasmtime::{Engine, component::Component};

use crate::limits::{COMPILED_KEPT_BYTES_MAX, COMPILED_KEPT_MAX};

/// A folder of compiled components.
pub(crate) struct Cache {
    folder: PathBuf,
    kept_max: usize,
    kept_bytes_max: u64,
}

/// The files of one component, those that somebody is still writing included.
struct Kept {
    used: SystemTime,
    bytes: u64,
    files: Vec<PathBuf>,
}

const CODE: &str = "cwasm";
const DIGEST: &str = "sha256";
/// What the extension of a file begins with that is not whole yet.
const BEGUN: &str = "begun-";

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
            kept_max: COMPILED_KEPT_MAX,
            kept_bytes_max: COMPILED_KEPT_BYTES_MAX,
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
            Ok(component) => {
                // It was used now. A folder that cannot be written to is none that grows.
                let _ = write(&self::beside(&path), beside.as_bytes());
                Some(component)
            }
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
        if let Err(error) = self.sweep(&path) {
            tracing::warn!(folder = %self.folder.display(), %error, "failed to bound the compiled components");
        }
    }

    /// Removes what was used least recently, as far as there is more than may be kept; what was just stored
    /// stays. Whoever reads a file meanwhile finds it damaged or missing, and compiles.
    fn sweep(&self, stored: &Path) -> io::Result<()> {
        let mut kept = self.kept()?;
        kept.sort_by_key(|kept| {
            let is_stored = kept.files.iter().any(|file| file == stored);
            std::cmp::Reverse((is_stored, kept.used))
        });
        let mut bytes = 0;
        for (place, kept) in kept.iter().enumerate() {
            bytes += kept.bytes;
            if place > 0 && (place >= self.kept_max || bytes > self.kept_bytes_max) {
                for file in &kept.files {
                    // Another process may have been faster.
                    let _ = fs::remove_file(file);
                }
            }
        }
        Ok(())
    }

    /// What the folder holds, by component. What is not ours is left alone.
    fn kept(&self) -> io::Result<Vec<Kept>> {
        let mut kept: HashMap<OsString, Kept> = HashMap::new();
        for file in fs::read_dir(&self.folder)? {
            let path = file?.path();
            let (Some(name), Some(extension)) = (path.file_stem(), path.extension().and_then(OsStr::to_str))
            else {
                continue;
            };
            if ![CODE, DIGEST].contains(&extension) && !extension.starts_with(BEGUN) {
                continue;
            }
            // Another process may have removed it.
            let Ok(metadata) = fs::metadata(&path) else {
                continue;
            };
            let kept = kept.entry(name.to_owned()).or_insert_with(|| Kept {
                used: SystemTime::UNIX_EPOCH,
                bytes: 0,
                files: Vec::new(),
            });
            kept.used = kept.used.max(metadata.modified()?);
            kept.bytes += metadata.len();
            kept.files.push(path);
        }
        Ok(kept.into_values().collect())
    }

    /// Compiled code belongs to one component and one setting of one version of the engine.
    fn path(&self, engine: &Engine, digest: Digest) -> PathBuf {
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        self.folder
            .join(format!("{digest}-{:016x}.{CODE}", hasher.finish()))
    }
}

fn beside(path: &Path) -> PathBuf {
    path.with_extension(DIGEST)
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
    let begun = path.with_extension(format!("{BEGUN}{}", writer()));
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
    fn what_was_used_least_recently_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("compiled");
        let mut cache = Cache::open(&folder).unwrap();
        cache.kept_max = 2;
        let engine = Engine::default();
        let component = Component::new(&engine, wat::parse_str("(component)").unwrap()).unwrap();
        let [one, two, three, four] = [b"1", b"2", b"3", b"4"].map(|bytes| Digest::of(bytes));
        let long_ago = |digest, seconds| {
            let path = cache.path(&engine, digest);
            for path in [beside(&path), path] {
                let file = fs::File::options().append(true).open(path).unwrap();
                let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
                file.set_modified(time).unwrap();
            }
        };
        cache.store(&component, one);
        long_ago(one, 1);
        cache.store(&component, two);
        long_ago(two, 2);
        // What is not ours is no part of it.
        fs::write(folder.join("notes.txt"), "mine").unwrap();
        assert!(cache.load(&engine, one).is_some());
        cache.store(&component, three);
        assert!(cache.load(&engine, two).is_none(), "the first was used since");
        assert!(cache.load(&engine, one).is_some() && cache.load(&engine, three).is_some());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 5);

        // However large it is, what was just compiled stays.
        let cache = Cache {
            kept_bytes_max: 1,
            ..cache
        };
        cache.store(&component, four);
        assert!(cache.load(&engine, four).is_some());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 3);
    }

    #[test]
    fn a_folder_that_others_may_write_to_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(Cache::open(folder.path()).is_err());
    }
}
