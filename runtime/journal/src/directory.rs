//! A store's directory: marked with the kind of store it holds, and open in one process only.
//!
//! ```text
//! DIR/trunkline-store   which store this is, and its layout
//! DIR/lock              held while the store is open
//! DIR/data/             the engine's own files
//! DIR/blobs/            blobs by their digests
//! ```

use std::{
    fmt,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write as _},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use crate::{Kind, OpenError, committer::panic_text, rows::LAYOUT};

const MARKER: &str = "trunkline-store";
const MARKER_UNFINISHED: &str = "trunkline-store.part";
const LOCK: &str = "lock";
const DATA: &str = "data";

/// An open store's directory. Dropping it frees the directory.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    #[expect(dead_code, reason = "the lock is held as long as the file is open")]
    lock: File,
}

impl Directory {
    /// Opens a directory for a kind of store, made and marked if it is new.
    pub(crate) fn open(path: &Path, kind: Kind) -> Result<Self, OpenError> {
        make(path)?;
        let lock_path = path.join(LOCK);
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(OpenError::io("open", &lock_path))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => OpenError::Locked {
                path: path.to_owned(),
            },
            TryLockError::Error(source) => OpenError::Io {
                action: "lock",
                path: lock_path,
                source,
            },
        })?;
        let marker_path = path.join(MARKER);
        match fs::read_to_string(&marker_path) {
            Ok(marker) => read_marker(path, &marker_path, &marker, kind)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let path = path.to_owned();
                if holds_anything_else(&path).map_err(OpenError::io("list", &path))? {
                    return Err(OpenError::NoStore { path, marker: MARKER });
                }
                // Before the engine writes anything, so that what it leaves is never unmarked.
                write_marker(&path, kind).map_err(OpenError::io("write", &marker_path))?;
            }
            Err(source) => {
                return Err(OpenError::Io {
                    action: "read",
                    path: marker_path,
                    source,
                });
            }
        }
        let directory = Self {
            path: path.to_owned(),
            lock,
        };
        make(&directory.data())?;
        Ok(directory)
    }

    /// The directory.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the engine keeps its files.
    pub(crate) fn data(&self) -> PathBuf {
        self.path.join(DATA)
    }

    /// Runs what opens the engine's files. Engines panic where they should fail: sled on some
    /// kinds of damage, fjall when the process's working directory is gone.
    pub(crate) fn open_engine<T, E: fmt::Display>(
        &self,
        kind: Kind,
        open: impl FnOnce(&Path) -> Result<T, E>,
    ) -> Result<T, OpenError> {
        let path = self.data();
        let cause = match catch_unwind(AssertUnwindSafe(|| open(&path))) {
            Ok(Ok(opened)) => return Ok(opened),
            Ok(Err(error)) => error.to_string(),
            Err(panic) => format!("it panicked: {}", panic_text(&*panic)),
        };
        Err(OpenError::Engine { kind, path, cause })
    }

    /// Makes everything durable that the engine wrote while it opened. No engine syncs all of
    /// it: fjall leaves out the names of new folders, sled its file `conf`.
    pub(crate) fn sync_data(&self) -> Result<(), OpenError> {
        sync_all(&self.data()).map_err(OpenError::io("sync", self.data()))
    }
}

fn write_marker(path: &Path, kind: Kind) -> io::Result<()> {
    let unfinished = path.join(MARKER_UNFINISHED);
    let mut file = File::create(&unfinished)?;
    write!(file, "kind = {kind}\nlayout = {LAYOUT}\n")?;
    file.sync_all()?;
    fs::rename(&unfinished, path.join(MARKER))?;
    sync(path)
}

fn read_marker(path: &Path, marker_path: &Path, marker: &str, wanted: Kind) -> Result<(), OpenError> {
    let bad = |what: String| OpenError::BadMarker {
        path: marker_path.to_owned(),
        what,
    };
    let value = |name: &str| {
        marker
            .lines()
            .filter_map(|line| line.split_once('='))
            .find(|(found, _)| found.trim() == name)
            .map(|(_, value)| value.trim())
            .ok_or_else(|| bad(format!("the line `{name} = …` is missing")))
    };
    let layout = value("layout")?;
    let layout: u32 = layout
        .parse()
        .map_err(|_| bad(format!("layout {layout:?} is no number")))?;
    // A newer layout may name kinds that are not known here.
    if layout > LAYOUT {
        return Err(OpenError::Newer {
            path: path.to_owned(),
            found: layout,
            newest: LAYOUT,
        });
    }
    let kind = value("kind")?;
    let found = [Kind::Fjall, Kind::Sled]
        .into_iter()
        .find(|known| known.as_str() == kind)
        .ok_or_else(|| bad(format!("kind {kind:?} is unknown")))?;
    if found != wanted {
        return Err(OpenError::OtherKind {
            path: path.to_owned(),
            found,
            wanted,
        });
    }
    Ok(())
}

fn holds_anything_else(path: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(path)? {
        let name = entry?.file_name();
        if name != LOCK && name != MARKER_UNFINISHED {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Makes a directory with all above it, so that it survives a loss of power.
pub(crate) fn make(path: &Path) -> Result<(), OpenError> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => path,
    };
    if parent != Path::new(".") {
        make(parent)?;
    }
    match fs::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(OpenError::io("make the directory", path)(error));
        }
        _ => {}
    }
    sync(parent).map_err(OpenError::io("sync", parent))
}

/// Makes a directory durable with all that is in it.
fn sync_all(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_all(&entry.path())?;
            continue;
        }
        match File::open(entry.path()).and_then(|file| file.sync_all()) {
            // The engine's own threads may have merged it into another file already.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            synced => synced?,
        }
    }
    sync(path)
}

/// Makes the names in a directory durable.
pub(crate) fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_open_once_and_for_its_kind_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        let open = Directory::open(&path, Kind::Fjall).unwrap();
        let locked = Directory::open(&path, Kind::Fjall).unwrap_err();
        assert!(matches!(locked, OpenError::Locked { .. }), "{locked}");
        drop(open);
        drop(Directory::open(&path, Kind::Fjall).unwrap());
        let other = Directory::open(&path, Kind::Sled).unwrap_err();
        assert!(
            other
                .to_string()
                .contains("holds a fjall store, not sled; open it with --store fjall:"),
            "{other}"
        );
    }

    #[test]
    fn what_is_no_store_of_this_version_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("thesis.doc"), "").unwrap();
        let error = Directory::open(folder.path(), Kind::Fjall).unwrap_err();
        assert!(matches!(error, OpenError::NoStore { .. }), "{error}");

        let folder = tempfile::tempdir().unwrap();
        let marker = folder.path().join(MARKER);
        for (text, expected) in [
            ("kind = rocks\nlayout = 2\n", "layout 2"),
            ("kind = rocks\nlayout = 1\n", "\"rocks\" is unknown"),
            ("kind = fjall\n", "`layout = …` is missing"),
            ("layout = one\n", "\"one\" is no number"),
        ] {
            fs::write(&marker, text).unwrap();
            let error = Directory::open(folder.path(), Kind::Fjall).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}
