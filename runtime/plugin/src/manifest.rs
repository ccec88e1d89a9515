//! What a component says of itself: its manifest, which `trunkline plugin build` makes of
//! plugin.toml and puts into a custom section as JSON.
//!
//! Its wants are written as the operator grants them, so that a want that has no grant is the
//! line to add. A component without a manifest wants what it imports.

use serde::{Deserialize, Serialize};
use trunkline_model::PluginName;

use crate::{Grants, LoadError, anatomy};

/// The custom section that holds the manifest.
pub const MANIFEST_SECTION: &str = "trunkline:manifest";

/// The custom section in which a component carries the WIT that it was written against, with its
/// comments.
pub const WIT_SECTION: &str = "trunkline:wit";

/// Bytes of the largest manifest.
pub const MANIFEST_BYTES_MAX: usize = 64 << 10;

/// What a component says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Manifest {
    /// Its name, kebab-case: `crm-lookup`. A hotline may call it otherwise.
    pub name: PluginName,
    /// Its version.
    pub version: semver::Version,
    /// The department whose it is.
    pub department: String,
    /// What it is for, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it was written in: `rust`, `javascript`, `python`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Its licence, an SPDX expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// Who wrote it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authors: Vec<String>,
    /// Where its source is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What it wants of its host, written as in grants.yaml.
    #[serde(default)]
    pub wants: Grants,
}

impl Manifest {
    /// The manifest that a component carries, if it carries one. Those of components within it are
    /// not its own.
    ///
    /// # Errors
    /// It has more than [`MANIFEST_BYTES_MAX`] bytes, or does not read.
    pub fn of_component(bytes: &[u8]) -> Result<Option<Self>, LoadError> {
        let Some(section) = anatomy::own_custom_sections(bytes, MANIFEST_SECTION).next() else {
            return Ok(None);
        };
        if section.len() > MANIFEST_BYTES_MAX {
            return Err(LoadError::Manifest {
                reason: format!(
                    "it has {} bytes, and the most is {MANIFEST_BYTES_MAX}",
                    section.len()
                ),
            });
        }
        serde_json::from_slice(section)
            .map(Some)
            .map_err(|error| LoadError::Manifest {
                reason: error.to_string(),
            })
    }

    /// The manifest as the section holds it.
    pub fn to_section(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a manifest is texts, numbers and lists of them")
    }
}
