//! Where a store under test lives.

use std::{path::PathBuf, sync::Arc};

use tempfile::TempDir;
use trunkline_journal::{Kind, Store, StoreSpec, open};
use trunkline_model::Timestamp;

/// A place for one store of some kind.
pub(crate) struct Place {
    kind: Kind,
    folder: TempDir,
}

impl Place {
    pub(crate) fn new(kind: Kind) -> Self {
        Self {
            kind,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    pub(crate) fn spec(&self) -> StoreSpec {
        match self.kind {
            Kind::Memory => StoreSpec::Memory,
            Kind::Fjall => StoreSpec::Fjall(self.path()),
            Kind::Sled => StoreSpec::Sled(self.path()),
        }
    }

    pub(crate) fn open(&self) -> Arc<dyn Store> {
        let store = open(&self.spec()).unwrap();
        assert_eq!(store.kind(), self.kind);
        store
    }
}

/// A time to ask at.
pub(crate) const fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// The kinds of stores that this binary was built with.
pub(crate) fn kinds() -> Vec<Kind> {
    vec![
        Kind::Memory,
        #[cfg(feature = "fjall")]
        Kind::Fjall,
        #[cfg(feature = "sled")]
        Kind::Sled,
    ]
}

/// Runs the tests of a module, functions of a [`Place`], for every store.
macro_rules! for_every_store {
    ($($test:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test($crate::place::Place::new(trunkline_journal::Kind::Memory)).await;
            })*
        }
        for_every_store_on_disk!($($test),*);
    };
}

/// Runs the tests of a module, functions of a [`Place`], for every store on disk.
macro_rules! for_every_store_on_disk {
    ($($test:ident),* $(,)?) => {
        #[cfg(feature = "fjall")]
        mod fjall {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test($crate::place::Place::new(trunkline_journal::Kind::Fjall)).await;
            })*
        }
        #[cfg(feature = "sled")]
        mod sled {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test($crate::place::Place::new(trunkline_journal::Kind::Sled)).await;
            })*
        }
    };
}

pub(crate) use for_every_store;
pub(crate) use for_every_store_on_disk;
