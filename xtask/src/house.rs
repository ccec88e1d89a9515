//! Where things are in a checkout.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::cargo;

/// A checkout of Trunkline and where cargo builds it.
#[derive(Debug)]
pub(crate) struct House {
    /// The checkout's root.
    pub(crate) root: PathBuf,
    /// Where cargo builds the runtime: `target`, unless the machine is set up otherwise.
    target: PathBuf,
}

impl House {
    /// Finds the checkout that this program was built from.
    pub(crate) fn find() -> Result<Self> {
        // Cargo says where the package is now; where it was when this was compiled is second best.
        let package = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = package
            .parent()
            .context("xtask lies outside of a checkout; run it as `cargo xtask`")?
            .to_owned();
        let target = cargo::target_directory(&root)?;
        Ok(Self { root, target })
    }

    /// The workspace of the plugins.
    pub(crate) fn plugins(&self) -> PathBuf {
        self.root.join("plugins")
    }

    /// Where the plugins are built, always here: the tests of the plugin host look for the
    /// components under it, wherever the runtime is built.
    pub(crate) fn plugins_target(&self) -> PathBuf {
        self.plugins().join("target")
    }

    /// Where the components are once they are built.
    pub(crate) fn components(&self) -> PathBuf {
        self.plugins_target()
            .join(crate::toolchain::GUEST_TARGET)
            .join("release")
    }

    /// The example hotlines.
    pub(crate) fn hotlines(&self) -> PathBuf {
        self.root.join("flows")
    }

    /// The workspace of the fuzz targets.
    pub(crate) fn fuzz(&self) -> PathBuf {
        self.root.join("tests").join("fuzz")
    }

    /// A binary of the runtime.
    pub(crate) fn binary(&self, profile: &str, name: &str) -> PathBuf {
        self.target
            .join(profile)
            .join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }

    /// Where the demo keeps its key, its store and its logs.
    pub(crate) fn demo(&self) -> PathBuf {
        self.root.join(".trunkline").join("demo")
    }

    /// A path as it reads best: from here when it lies under here.
    pub(crate) fn show(&self, path: &Path) -> String {
        let here = std::env::current_dir().unwrap_or_else(|_| self.root.clone());
        path.strip_prefix(here).unwrap_or(path).display().to_string()
    }
}
