//! Files named by the digest of what they hold.
//!
//! A file has its name only when all its content is durable, so whatever is found under a
//! digest is either right or was damaged later, which reading finds out.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use trunkline_model::Digest;

use crate::{Error, OpenError, directory};

/// How the name of a file ends that is still being written.
const UNFINISHED: &str = "part";

/// A folder of files named by their digests.
pub(crate) struct DigestFiles {
    folder: PathBuf,
    /// Numbers files that are being written; the folder belongs to this process.
    next: AtomicU64,
}

impl DigestFiles {
    /// Opens a folder, made if it is missing, and removes what an earlier process left unfinished.
    pub(crate) fn open(folder: PathBuf) -> Result<Self, OpenError> {
        directory::make(&folder)?;
        let entries = fs::read_dir(&folder).map_err(OpenError::io("list", &folder))?;
        for entry in entries {
            let path = entry.map_err(OpenError::io("list", &folder))?.path();
            if path.extension().is_some_and(|extension| extension == UNFINISHED) {
                fs::remove_file(&path).map_err(OpenError::io("remove", &path))?;
            }
        }
        Ok(Self {
            folder,
            next: AtomicU64::new(0),
        })
    }

    /// Writes content under its digest, and returns when all of it is durable.
    pub(crate) fn write(&self, contents: &[(Digest, &[u8])]) -> io::Result<()> {
        for (digest, content) in contents {
            let path = self.path(digest);
            if path.try_exists()? {
                continue;
            }
            let unfinished = self.folder.join(format!(
                "{}.{UNFINISHED}",
                self.next.fetch_add(1, Ordering::Relaxed)
            ));
            let mut file = File::create_new(&unfinished)?;
            file.write_all(content)?;
            file.sync_all()?;
            fs::rename(&unfinished, &path)?;
        }
        // Also when all was there: an earlier process may have died before it came to this.
        directory::sync(&self.folder)
    }

    /// Reads and verifies content; none when it is not there.
    pub(crate) fn read(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Error> {
        let path = self.path(digest);
        let content = match fs::read(&path) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(Error::Unavailable {
                    cause: format!("failed to read {}: {error}", path.display()).into(),
                });
            }
        };
        let found = Digest::of(&content);
        if found != *digest {
            return Err(Error::Corrupt {
                place: Arc::from(path.display().to_string()),
                what: Arc::from(format!("its content has the digest {found}")),
            });
        }
        Ok(Some(content))
    }

    pub(crate) fn has(&self, digest: &Digest) -> io::Result<bool> {
        self.path(digest).try_exists()
    }

    /// Removes content. How much of it was there.
    pub(crate) fn delete(&self, digests: &[Digest]) -> io::Result<usize> {
        let mut deleted = 0;
        for digest in digests {
            match fs::remove_file(self.path(digest)) {
                Ok(()) => deleted += 1,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        if deleted > 0 {
            directory::sync(&self.folder)?;
        }
        Ok(deleted)
    }

    /// All digests, in no order.
    pub(crate) fn list(&self) -> io::Result<Vec<Digest>> {
        let mut digests = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            // Unfinished files and what others put there have other names.
            if let Some(digest) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) {
                digests.push(digest);
            }
        }
        Ok(digests)
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.folder.join(Path::new(&digest.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_content_is_found_out_and_unfinished_content_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let files = DigestFiles::open(folder.path().join("files")).unwrap();
        let digest = Digest::of(b"content");
        files.write(&[(digest, b"content")]).unwrap();
        assert_eq!(files.read(&digest).unwrap(), Some(b"content".to_vec()));
        assert_eq!(files.list().unwrap(), [digest]);

        fs::write(files.path(&digest), b"contend").unwrap();
        let error = files.read(&digest).unwrap_err();
        assert!(matches!(error, Error::Corrupt { .. }), "{error}");

        let unfinished = files.folder.join(format!("7.{UNFINISHED}"));
        fs::write(&unfinished, b"cont").unwrap();
        let files = DigestFiles::open(folder.path().join("files")).unwrap();
        assert!(!unfinished.exists());
        assert_eq!(files.delete(&[digest, digest]).unwrap(), 1);
        assert_eq!(files.read(&digest).unwrap(), None);
    }
}
