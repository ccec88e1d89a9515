//! Which store to open, as it is written after `--store`.

use std::{fmt, path::PathBuf, str::FromStr, sync::Arc};

use crate::{Kind, Memory, OpenError, Store};

/// What there is to choose from, for `--help` and for messages.
pub const STORES_HELP: &str = "\
fjall:DIR  on disk in DIR, the default: what was acknowledged survives a crash and a loss of power
sled:DIR   on disk in DIR: survives a crash; a loss of power without promise, since the engine
           does not sync by itself and was last released in 2021
memory:    in memory: gone when the process ends";

/// Which store to open: `fjall:DIR`, `sled:DIR` or `memory:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreSpec {
    /// A store in memory.
    Memory,
    /// A fjall store in a directory, made if it is missing.
    Fjall(PathBuf),
    /// A sled store in a directory, made if it is missing.
    Sled(PathBuf),
}

/// Text that names no store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} {problem}; choose one of:\n{STORES_HELP}")]
pub struct SpecError {
    /// What was written.
    pub text: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl StoreSpec {
    /// The kind of store.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Memory => Kind::Memory,
            Self::Fjall(_) => Kind::Fjall,
            Self::Sled(_) => Kind::Sled,
        }
    }

    /// The store's directory, if it has one.
    pub const fn directory(&self) -> Option<&PathBuf> {
        match self {
            Self::Memory => None,
            Self::Fjall(directory) | Self::Sled(directory) => Some(directory),
        }
    }
}

impl FromStr for StoreSpec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let error = |problem| SpecError {
            text: text.to_owned(),
            problem,
        };
        let (kind, place) = text
            .split_once(':')
            .ok_or_else(|| error("names no store and place"))?;
        match (kind, place) {
            ("memory", "") => Ok(Self::Memory),
            ("memory", _) => Err(error("gives a store in memory a place")),
            ("fjall" | "sled", "") => Err(error("names no directory")),
            ("fjall", place) => Ok(Self::Fjall(place.into())),
            ("sled", place) => Ok(Self::Sled(place.into())),
            _ => Err(error("is no kind of store")),
        }
    }
}

impl fmt::Display for StoreSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.directory() {
            None => write!(f, "{}:", self.kind()),
            Some(directory) => write!(f, "{}:{}", self.kind(), directory.display()),
        }
    }
}

/// Opens a store. Its directory is made if it is missing, and belongs to this process until the
/// store is dropped. Blocks while the store reads what it has to, up to some seconds; dropping
/// the store blocks until what waits is written.
///
/// # Errors
/// See [`OpenError`].
pub fn open(spec: &StoreSpec) -> Result<Arc<dyn Store>, OpenError> {
    match spec {
        StoreSpec::Memory => Ok(Arc::new(Memory::new())),
        #[cfg(feature = "fjall")]
        StoreSpec::Fjall(path) => {
            let directory = crate::directory::Directory::open(path, Kind::Fjall)?;
            let rows = crate::fjall::FjallRows::open(&directory)?;
            Ok(Arc::new(crate::durable::Durable::new(
                Kind::Fjall,
                directory,
                rows,
            )?))
        }
        #[cfg(not(feature = "fjall"))]
        StoreSpec::Fjall(_) => Err(OpenError::NotBuilt { kind: Kind::Fjall }),
        #[cfg(feature = "sled")]
        StoreSpec::Sled(path) => {
            let directory = crate::directory::Directory::open(path, Kind::Sled)?;
            let rows = crate::sled::SledRows::open(&directory)?;
            tracing::warn!(
                path = %path.display(),
                "a sled store survives a crash, but a loss of power only without promise; use fjall:DIR where that matters"
            );
            Ok(Arc::new(crate::durable::Durable::new(
                Kind::Sled,
                directory,
                rows,
            )?))
        }
        #[cfg(not(feature = "sled"))]
        StoreSpec::Sled(_) => Err(OpenError::NotBuilt { kind: Kind::Sled }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specifications_read_back() {
        for text in ["memory:", "fjall:/var/lib/trunkline", "sled:data:1"] {
            let spec: StoreSpec = text.parse().unwrap();
            assert_eq!(spec.to_string(), text);
        }
    }

    #[test]
    fn a_wrong_specification_is_told_what_there_is() {
        for (text, problem) in [
            ("fjall", "names no store and place"),
            ("fjall:", "names no directory"),
            ("memory:x", "gives a store in memory a place"),
            ("redis:x", "is no kind of store"),
        ] {
            let error = text.parse::<StoreSpec>().unwrap_err().to_string();
            assert!(error.contains(problem) && error.contains("fjall:DIR"), "{error}");
        }
    }
}
