//! What a release is made of, and where it comes from: a folder, an archive, or the shelf.

mod archive;
mod folder;
mod wav;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use trunkline_flow::Sources;
use trunkline_model::Digest;

pub use self::folder::read as read_folder;
pub(crate) use self::{
    archive::safe as safe_path,
    folder::{Fingerprint, Stamp, component_path, fingerprint},
};
use crate::limits::{BUNDLE_BYTES_MAX, BUNDLE_FILES_MAX};

/// The files of a hotline that make a release: texts whole, components and recordings by their
/// digests.
#[derive(Clone, Debug)]
pub(crate) struct Bundle {
    pub(crate) sources: Sources,
    /// The digest of each component by its path in hotline.yaml.
    pub(crate) components: BTreeMap<Arc<str>, Digest>,
    /// The digest of each recording that prompts name, by its path.
    pub(crate) recordings: BTreeMap<Arc<str>, Digest>,
}

impl Bundle {
    /// The digest of all that it holds: the release's id.
    pub(crate) fn release_id(&self) -> Digest {
        let mut parts: Vec<&[u8]> = vec![b"trunkline release 1"];
        for (path, text) in &self.sources.files {
            parts.extend([path.as_bytes(), text.as_bytes()]);
        }
        parts.push(b"components");
        for (path, digest) in &self.components {
            parts.extend([path.as_bytes(), digest.as_bytes().as_slice()]);
        }
        // Releases without recordings keep the ids that they had before there were any.
        if !self.recordings.is_empty() {
            parts.push(b"recordings");
        }
        for (path, digest) in &self.recordings {
            parts.extend([path.as_bytes(), digest.as_bytes().as_slice()]);
        }
        Digest::of_parts(parts)
    }
}

/// A hotline's files that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The folder is not there.
    #[error("{} is no folder; name the folder that holds hotline.yaml", path.display())]
    NoFolder {
        /// What was named.
        path: PathBuf,
    },
    /// The file system refused.
    #[error("failed to read {}: {source}", path.display())]
    Io {
        /// What was read.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// A file that is not text.
    #[error("{} is not UTF-8 from byte {byte} on; save it as UTF-8", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// The first byte that is wrong.
        byte: usize,
    },
    /// A path that leaves the hotline, or is none.
    #[error("{path:?} is no path of a file in a hotline: write it relative, with `/`, without `..`")]
    UnsafePath {
        /// The path.
        path: String,
    },
    /// A file over its bound.
    #[error("{path} has {bytes} bytes, and the most is {max}")]
    TooLarge {
        /// The file.
        path: String,
        /// How many it has.
        bytes: u64,
        /// How many it may have.
        max: u64,
    },
    /// Too many files.
    #[error("the hotline has more than {max} files; keep other things out of its folder")]
    TooManyFiles {
        /// How many it may have.
        max: usize,
    },
    /// A component that is not there.
    #[error("there is no file {path}")]
    NoComponent {
        /// Its path, as hotline.yaml says it.
        path: String,
    },
    /// An archive that cannot be read.
    #[error("the archive cannot be read: {reason}; make it with `tar -C HOTLINE -cf hotline.tar .`")]
    Archive {
        /// Why.
        reason: String,
    },
    /// The files changed while they were read.
    #[error("the files changed again and again while they were read; save once more when they are settled")]
    Moving,
    /// The stored release is not whole.
    #[error("the stored release lacks {what}")]
    Lacking {
        /// What.
        what: String,
    },
}

/// Where a hotline's files come from.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// A folder on this machine. Its components may lie outside of it.
    Folder(PathBuf),
    /// An archive that was sent. Everything lies in it.
    Archive(Arc<BTreeMap<String, Vec<u8>>>),
}

impl Origin {
    /// Reads an archive into memory.
    ///
    /// # Errors
    /// It is none, holds what it may not, or is over its bounds.
    pub(crate) fn archive(bytes: &[u8]) -> Result<Self, ReadError> {
        archive::read(bytes, BUNDLE_FILES_MAX, BUNDLE_BYTES_MAX as u64)
            .map(|files| Self::Archive(Arc::new(files)))
    }

    /// The texts.
    pub(crate) async fn sources(&self) -> Result<Sources, ReadError> {
        match self {
            Self::Folder(path) => folder::read_settled(path).await,
            Self::Archive(files) => archive::sources(files),
        }
    }
}
