//! The files that a plugin is built from, and when they change.
//!
//! Notices of the file system only say when to look; what counts is whether a file's bytes are others
//! than before the last build. A build that writes files again as they were starts no other.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use notify::{RecursiveMode, Watcher as _};
use tokio::{sync::mpsc, time::timeout};
use trunkline_model::Digest;

/// Folders that builds write, and those of tools.
const PASSED_OVER: [&str; 4] = ["target", "dist", "node_modules", "__pycache__"];

/// A hidden folder that a build reads.
const CARGO: &str = ".cargo";

/// How long nothing is written before what was written counts as saved.
const SETTLE: Duration = Duration::from_millis(100);

/// How often files are looked at where no notices come.
const RESCAN_EVERY: Duration = Duration::from_secs(2);

/// Bytes of a file whose contents are compared; of larger ones the size and the time are.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// Files that are looked at.
const FILES_MAX: usize = 20_000;

/// A plugin's files as they were once.
pub(super) struct Sources {
    folder: PathBuf,
    /// What the build makes of them, wherever it puts it.
    component: Option<PathBuf>,
    files: BTreeMap<PathBuf, Option<Digest>>,
    folders: Vec<PathBuf>,
}

impl Sources {
    /// Takes note of the files of a folder, without the component that is built of them.
    pub(super) fn of(folder: &Path, component: Option<&Path>) -> Self {
        let mut sources = Self {
            folder: folder.to_owned(),
            component: component.map(Path::to_owned),
            files: BTreeMap::new(),
            folders: Vec::new(),
        };
        let mut open = vec![folder.to_owned()];
        while let Some(next) = open.pop() {
            let Ok(entries) = fs::read_dir(&next) else {
                continue;
            };
            for entry in entries.flatten() {
                let (path, name) = (entry.path(), entry.file_name());
                let Ok(kind) = entry.file_type() else { continue };
                if kind.is_dir() {
                    if !is_passed_over(&name.to_string_lossy()) {
                        open.push(path);
                    }
                } else if kind.is_file()
                    && !name.to_string_lossy().starts_with('.')
                    && Some(path.as_path()) != component
                    && sources.files.len() < FILES_MAX
                {
                    let digest = digest(&path);
                    sources.files.insert(path, digest);
                }
            }
            sources.folders.push(next);
        }
        sources
    }

    fn again(&self) -> Self {
        Self::of(&self.folder, self.component.as_deref())
    }

    /// Takes note of files that were not there: a build makes some, such as the types of its interface.
    pub(super) fn add_made(&mut self) {
        for (path, digest) in self.again().files {
            self.files.entry(path).or_insert(digest);
        }
    }

    /// Whether the files are others than they were.
    pub(super) fn differ(&self) -> bool {
        self.again().files != self.files
    }

    /// Waits until the files are others than they were.
    pub(super) async fn changed(&self) {
        let (notices, mut noticed) = mpsc::channel(1);
        // Where notices do not come, the folder is looked at every now and then.
        let watcher = notify::recommended_watcher(move |_| {
            let _ = notices.try_send(());
        });
        let mut watcher = watcher.ok();
        if let Some(watcher) = &mut watcher {
            for folder in &self.folders {
                // A folder that is gone by now is noticed by the one above it.
                let _ = watcher.watch(folder, RecursiveMode::NonRecursive);
            }
        }
        loop {
            if self.differ() {
                return;
            }
            if timeout(RESCAN_EVERY, noticed.recv()).await == Ok(None) {
                tokio::time::sleep(RESCAN_EVERY).await;
            }
            while let Ok(Some(())) = timeout(SETTLE, noticed.recv()).await {}
        }
    }
}

fn is_passed_over(name: &str) -> bool {
    PASSED_OVER.contains(&name) || (name.starts_with('.') && name != CARGO)
}

fn digest(path: &Path) -> Option<Digest> {
    let metadata = fs::metadata(path).ok()?;
    if metadata.len() > FILE_BYTES_MAX {
        let stamp = format!("{} {:?}", metadata.len(), metadata.modified().ok());
        return Some(Digest::of(stamp.as_bytes()));
    }
    fs::read(path).ok().map(|bytes| Digest::of(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn only_what_differs_counts() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        for made in ["src", "target/debug", "node_modules", ".git", ".cargo", "out"] {
            fs::create_dir_all(at(made)).unwrap();
        }
        fs::write(at("src/lib.rs"), "one").unwrap();
        let component = at("out/mine.wasm");
        let noted = || Sources::of(folder.path(), Some(&component));
        let mut sources = noted();
        for (path, text) in [
            ("out/mine.wasm", "x"),
            ("target/debug/a.wasm", "x"),
            ("node_modules/b.js", "x"),
            (".git/HEAD", "x"),
            ("src/.lib.rs.swp", "x"),
            ("src/lib.rs", "one"),
        ] {
            fs::write(at(path), text).unwrap();
        }
        assert!(!sources.differ());
        // What the build makes anew is no source that changed, until it does.
        fs::write(at("src/made.d.ts"), "types").unwrap();
        sources.add_made();
        assert!(!sources.differ());
        fs::write(at("src/made.d.ts"), "other types").unwrap();
        assert!(sources.differ());
        for path in [".cargo/config.toml", "src/new.rs", "src/lib.rs"] {
            let sources = noted();
            let changed = tokio::spawn(async move { sources.changed().await });
            fs::write(at(path), "two").unwrap();
            timeout(Duration::from_secs(60), changed)
                .await
                .expect(path)
                .unwrap();
        }
    }
}
