//! Sound on disk: a folder of files that are named by their keys.
//!
//! A file begins with a line that names its version and the hash of the rest; one that does not
//! hold what it says is dropped and made again. It is written beside its place and moved there, so
//! nobody reads half of it. Reading one sets its time, and what was not read for longest goes when
//! the folder is full. Nothing here is needed: every failure only costs another synthesis.

use std::{
    fs::{self, DirBuilder, File},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

use rustix::fs::{Timespec, Timestamps, UTIME_NOW};
use sha2::{Digest, Sha256};

use super::Key;
use crate::limits::{DISK_EMPTIED_TO, SOUND_BYTES_MAX, UNFINISHED_AGE_MAX};

const HEAD: &[u8; 18] = b"trunkline voice 1\n";
const HASH_BYTES: usize = 32;
const ENDING: &str = "voice";
const UNFINISHED: &str = "unfinished";

#[derive(Debug)]
pub(crate) struct Disk {
    folder: PathBuf,
    bytes_max: u64,
    /// Written by this process since it last looked through the folder.
    written: AtomicU64,
}

/// Creates a file that its owner alone may read.
fn create(path: &Path) -> io::Result<File> {
    File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// Numbers the unfinished files of this process.
static NUMBER: AtomicU64 = AtomicU64::new(0);

impl Disk {
    /// Opens a folder, making it where it is not there, and drops what is too much.
    pub(crate) fn open(folder: PathBuf, bytes_max: u64) -> io::Result<Self> {
        // What is said to callers is nobody else's business.
        DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        let disk = Self {
            folder,
            bytes_max,
            written: AtomicU64::new(0),
        };
        // Whether it may be written to shows at the start rather than at the first call.
        let probe = disk.beside();
        create(&probe)?;
        fs::remove_file(&probe)?;
        disk.sweep()?;
        Ok(disk)
    }

    /// What is kept for a key; none when there is nothing, or nothing good. Blocks.
    pub(crate) fn get(&self, key: Key) -> Option<Vec<u8>> {
        let path = self.path(key);
        match read(&path) {
            Ok(Some(sound)) => {
                touch(&path);
                Some(sound)
            }
            Ok(None) => {
                tracing::warn!("a file of the voices' cache is not what was written: it is made again");
                let _ = fs::remove_file(&path);
                None
            }
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    tracing::warn!(%error, "a file of the voices' cache cannot be read");
                }
                None
            }
        }
    }

    /// Keeps sound for a key. Blocks.
    pub(crate) fn put(&self, key: Key, sound: &[u8]) {
        let bytes = (HEAD.len() + HASH_BYTES + sound.len()) as u64;
        if bytes > self.bytes_max || sound.len() > SOUND_BYTES_MAX {
            return;
        }
        if let Err(error) = self.write(key, sound) {
            tracing::warn!(%error, "the voices' cache cannot be written to");
            return;
        }
        // Other processes write, too: a sixteenth of the bound is looked over together.
        let written = self.written.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if written > self.bytes_max / 16 {
            self.written.store(0, Ordering::Relaxed);
            if let Err(error) = self.sweep() {
                tracing::warn!(%error, "the voices' cache cannot be looked through");
            }
        }
    }

    fn write(&self, key: Key, sound: &[u8]) -> io::Result<()> {
        let unfinished = self.beside();
        let written = (|| {
            let mut file = create(&unfinished)?;
            file.write_all(HEAD)?;
            file.write_all(&Sha256::digest(sound))?;
            file.write_all(sound)?;
            // Not synced: after a power cut the hash tells.
            fs::rename(&unfinished, self.path(key))
        })();
        if written.is_err() {
            let _ = fs::remove_file(&unfinished);
        }
        written
    }

    /// Drops what was not read for longest until the folder is below its bound.
    fn sweep(&self) -> io::Result<()> {
        let mut files = Vec::new();
        let mut bytes = 0;
        let now = self.now()?;
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            // Gone since: another process sweeps, too.
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            let path = entry.path();
            let changed = metadata.modified()?;
            let ending = path.extension().and_then(|ending| ending.to_str());
            if !metadata.is_file() {
                continue;
            }
            if ending == Some(UNFINISHED) {
                if now.duration_since(changed).unwrap_or(Duration::ZERO) > UNFINISHED_AGE_MAX {
                    let _ = fs::remove_file(&path);
                }
            } else if ending == Some(ENDING) {
                bytes += metadata.len();
                files.push((changed, metadata.len(), path));
            }
        }
        if bytes <= self.bytes_max {
            return Ok(());
        }
        files.sort_unstable();
        let goal = self.bytes_max / 100 * DISK_EMPTIED_TO;
        for (_, length, path) in files {
            if bytes <= goal {
                break;
            }
            // Already gone is as good.
            let _ = fs::remove_file(&path);
            bytes -= length;
        }
        Ok(())
    }

    /// The time by the disk's own clock, with which files are compared.
    fn now(&self) -> io::Result<SystemTime> {
        let probe = self.beside();
        let changed = File::create(&probe)?.metadata()?.modified();
        let _ = fs::remove_file(&probe);
        changed
    }

    fn path(&self, key: Key) -> PathBuf {
        self.folder.join(key.name()).with_extension(ENDING)
    }

    /// A name that nobody else writes to.
    fn beside(&self) -> PathBuf {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{number}", std::process::id());
        self.folder.join(name).with_extension(UNFINISHED)
    }
}

/// Reads a file and compares it with its hash; none when it is not what was written.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let head = HEAD.len() + HASH_BYTES;
    let mut bytes = Vec::new();
    File::open(path)?
        .take((head + SOUND_BYTES_MAX + 1) as u64)
        .read_to_end(&mut bytes)?;
    if bytes.len() < head || bytes.len() > head + SOUND_BYTES_MAX || !bytes.starts_with(HEAD) {
        return Ok(None);
    }
    let sound = bytes.split_off(head);
    Ok((Sha256::digest(&sound)[..] == bytes[HEAD.len()..]).then_some(sound))
}

/// Sets a file's time to now.
fn touch(path: &Path) {
    let now = Timespec {
        tv_sec: 0,
        tv_nsec: UTIME_NOW,
    };
    let times = Timestamps {
        last_access: now,
        last_modification: now,
    };
    if let Ok(file) = File::open(path) {
        let _ = rustix::fs::futimens(&file, &times);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key::of(&[name])
    }

    #[test]
    fn sound_outlives_the_process_and_is_compared_with_its_hash() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Disk::open(folder.path().join("voices"), 1 << 20).unwrap();
        let disk = open();
        assert_eq!(disk.get(key("a")), None);
        disk.put(key("a"), b"sound");
        drop(disk);
        let disk = open();
        assert_eq!(disk.get(key("a")).as_deref(), Some(&b"sound"[..]));
        let path = disk.path(key("a"));
        let mode = |path: &Path| {
            std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).unwrap().permissions()) & 0o777
        };
        assert_eq!((mode(&path), mode(&folder.path().join("voices"))), (0o600, 0o700));
        let good = fs::read(&path).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            fs::write(&path, bad).unwrap();
            assert_eq!(disk.get(key("a")), None, "byte {at}");
            assert!(!path.exists());
            fs::write(&path, &good[..at]).unwrap();
            assert_eq!(disk.get(key("a")), None, "cut at {at}");
        }
    }

    #[test]
    fn what_was_not_read_for_longest_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Disk::open(folder.path().to_owned(), 100_000).unwrap();
        let disk = open();
        for number in 0..9 {
            disk.put(key(&number.to_string()), &[0; 10_000]);
            // Files of one moment have no order.
            let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + number);
            let file = File::options()
                .write(true)
                .open(disk.path(key(&number.to_string())))
                .unwrap();
            file.set_modified(old).unwrap();
        }
        assert!(disk.get(key("0")).is_some());
        fs::write(folder.path().join("not-ours.txt"), "kept").unwrap();
        let left = folder.path().join("1-2-3.unfinished");
        fs::write(&left, "half").unwrap();
        File::options()
            .write(true)
            .open(&left)
            .unwrap()
            .set_modified(SystemTime::UNIX_EPOCH)
            .unwrap();
        // Two processes share the folder.
        let other = open();
        other.put(key("new"), &[0; 10_000]);
        for (name, there) in [("0", true), ("1", false), ("8", true), ("new", true)] {
            assert_eq!(disk.get(key(name)).is_some(), there, "{name}");
        }
        assert!(folder.path().join("not-ours.txt").exists() && !left.exists());
        disk.put(key("large"), &[0; 100_001]);
        assert_eq!(disk.get(key("large")), None);
    }

    #[test]
    fn a_folder_that_cannot_be_written_to_is_refused_at_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(Disk::open(file.join("voices"), 1).is_err());
    }

    #[test]
    fn many_write_and_read_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::open(folder.path().to_owned(), 1 << 16).unwrap();
        std::thread::scope(|scope| {
            for thread in 0..4_u8 {
                let disk = &disk;
                scope.spawn(move || {
                    for round in 0..100 {
                        let name = key(&(round % 7).to_string());
                        disk.put(name, &vec![round % 7; 4_000]);
                        if let Some(sound) = disk.get(name) {
                            assert!(sound.iter().all(|byte| *byte == round % 7), "{thread}");
                        }
                    }
                });
            }
        });
    }
}
