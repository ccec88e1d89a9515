//! What a change means for flows: this version of a plugin beside a former one.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::anyhow;
use semver::Version;
use trunkline_model::compatibility::{self, Change, Level};
use trunkline_package::{project::Project, reference::Source};
use trunkline_plugin::Inspection;

use super::{DIST, inspect};
use crate::{
    exit::Failure,
    plugin::package::{Read, Registry, same_version},
};

/// A former version of a plugin.
pub(super) struct Former {
    place: Source,
    version: Option<Version>,
    bytes: Arc<[u8]>,
}

/// What a change means.
pub(super) struct Verdict {
    former: Source,
    version: Option<Version>,
    changes: Vec<Change>,
    /// Whether both are the same component.
    same: bool,
}

/// Where a version is kept that was given to others.
pub(super) fn kept(folder: &Path, project: &Project) -> PathBuf {
    let manifest = &project.manifest;
    folder
        .join(DIST)
        .join(format!("{}-{}.wasm", manifest.name, manifest.version))
}

/// The version to compare with: the one that is named, or the newest kept that is not newer than this
/// one.
///
/// # Errors
/// What is named is not there, is no component or package, or its registry does not give it.
pub(super) async fn former(
    folder: &Path,
    project: &Project,
    named: Option<&Source>,
    registry: &Registry,
) -> Result<Option<Former>, Failure> {
    let name = project.manifest.name.as_str();
    let place = match named {
        Some(place) => place.clone(),
        None => match newest(&folder.join(DIST), name, &project.manifest.version) {
            Some((place, _)) => Source::Component(place.to_string_lossy().into_owned()),
            None => return Ok(None),
        },
    };
    let read = Read::from(&place, registry).await?;
    let identity = read.identity();
    same_version(&place, &identity).map_err(Failure::from)?;
    let version = identity.version.or_else(|| match &place {
        Source::Component(path) => version_of(name, Path::new(path)),
        Source::File(_) => None,
        Source::Registry(reference) => reference.semver(),
    });
    Ok(Some(Former {
        version,
        bytes: read.component().into(),
        place,
    }))
}

fn newest(dist: &Path, name: &str, most: &Version) -> Option<(PathBuf, Version)> {
    let entries = fs::read_dir(dist).ok()?;
    entries
        .flatten()
        .filter_map(|entry| {
            let place = entry.path();
            let version = version_of(name, &place)?;
            (version <= *most).then_some((place, version))
        })
        .max_by(|(_, a), (_, b)| a.cmp(b))
}

/// The version in a file's name: `NAME-1.4.0.wasm`.
fn version_of(name: &str, place: &Path) -> Option<Version> {
    let file = place.file_name()?.to_str()?;
    let version = file
        .strip_suffix(".wasm")?
        .strip_prefix(name)?
        .strip_prefix('-')?;
    version.parse().ok()
}

impl Former {
    /// Compares a newer version with this one.
    ///
    /// # Errors
    /// This one does not load.
    pub(super) async fn compare(&self, bytes: &Arc<[u8]>, newer: &Inspection) -> Result<Verdict, Failure> {
        let same = self.bytes == *bytes;
        let told = inspect::tell(self.bytes.clone()).await?;
        let former = told
            .loaded
            .map_err(|error| Failure::from(anyhow!("{} cannot be compared with: {error}", self.place)))?;
        Ok(Verdict {
            former: self.place.clone(),
            version: self.version.clone(),
            changes: compatibility::changes(&former.interface, &newer.interface),
            same,
        })
    }
}

impl Verdict {
    /// None where flows see no difference: the builds of JavaScript and Python give other bytes each time.
    fn level(&self) -> Option<Level> {
        compatibility::level(&self.changes)
    }

    /// The least release that may follow, where flows see a difference.
    fn due(&self) -> Option<Version> {
        let former = self.version.as_ref()?;
        let level = self.level()?;
        let numbers = numbers(former);
        // A pre-release stands before a release of its own numbers, which may bring what they say.
        let (major, minor, patch) = if !former.pre.is_empty() && compatibility::brings(numbers) >= level {
            numbers
        } else {
            compatibility::due(numbers, level)
        };
        Some(Version::new(major, minor, patch))
    }

    /// The version to write where this one is lower than the change asks for.
    pub(super) fn too_low(&self, version: &Version) -> Option<Version> {
        let due = self.due()?;
        // A pre-release of what is due will do, if it comes after the former version.
        let enough =
            numbers(version) >= numbers(&due) && self.version.as_ref().is_none_or(|former| version > former);
        (!enough).then_some(due)
    }

    /// What changed, in words.
    pub(super) fn told(&self) -> String {
        let former = self.version.as_ref().map_or_else(
            || self.former.to_string(),
            |version| format!("{version} ({})", self.former),
        );
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = match (self.level(), self.due()) {
            (None, _) if self.same => writeln!(text, "change   none: the same component as {former}"),
            (None, _) => writeln!(text, "change   patch against {former}: flows see no difference"),
            (Some(level), Some(due)) => {
                writeln!(text, "change   {level} against {former}: {due} or later is due")
            }
            (Some(level), None) => writeln!(
                text,
                "change   {level} against {former}, which does not say its version"
            ),
        };
        for change in &self.changes {
            let _ = writeln!(text, "  {:<5}  {}", change.level.to_string(), change.what);
        }
        text
    }
}

fn numbers(version: &Version) -> (u64, u64, u64) {
    (version.major, version.minor, version.patch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_that_is_not_newer_is_compared_with() {
        let dist = tempfile::tempdir().unwrap();
        for file in [
            "crm-1.4.0.wasm",
            "crm-1.10.0.wasm",
            "crm-2.0.0.wasm",
            "crm.wasm",
            "crm-new.wasm",
            "crm-lookup-1.9.0.wasm",
        ] {
            fs::write(dist.path().join(file), "").unwrap();
        }
        let found = |most: &str| {
            newest(dist.path(), "crm", &most.parse().unwrap()).map(|(_, version)| version.to_string())
        };
        assert_eq!(found("1.9.0").as_deref(), Some("1.4.0"));
        assert_eq!(found("1.10.0").as_deref(), Some("1.10.0"));
        assert_eq!(found("1.0.0"), None);
    }

    #[test]
    fn a_verdict_says_which_version_is_due() {
        let verdict = |version: Option<&str>, changes: &[Level], same| Verdict {
            former: Source::Component("old.wasm".to_owned()),
            version: version.map(|version| version.parse().unwrap()),
            changes: changes
                .iter()
                .map(|level| Change {
                    level: *level,
                    what: "x".to_owned(),
                })
                .collect(),
            same,
        };
        let due = |verdict: Verdict| verdict.due().map(|due| due.to_string());
        assert_eq!(
            due(verdict(Some("1.4.0"), &[Level::Major, Level::Minor], false)).as_deref(),
            Some("2.0.0")
        );
        assert_eq!(
            due(verdict(Some("1.4.0"), &[Level::Patch], false)).as_deref(),
            Some("1.4.1")
        );
        assert_eq!(due(verdict(Some("1.4.0"), &[], true)), None);
        assert_eq!(due(verdict(None, &[Level::Major], false)), None);
        // The same source, built again to other bytes.
        let again = verdict(Some("1.4.0"), &[], false);
        assert!(
            again
                .told()
                .contains("patch against 1.4.0 (old.wasm): flows see no difference"),
            "{}",
            again.told()
        );
        assert_eq!(due(again), None);
    }

    #[test]
    fn pre_releases_stand_before_the_release_of_their_numbers() {
        use Level::{Major, Minor, Patch};
        for (former, level, version, too_low) in [
            ("1.0.0-rc.1", Major, "1.0.0", None),
            ("1.0.0-rc.1", Major, "1.0.0-rc.2", None),
            ("1.0.0-rc.1", Patch, "1.0.0-rc.1", Some("1.0.0")),
            ("1.1.0-rc.1", Major, "1.1.0", Some("2.0.0")),
            ("1.1.0-rc.1", Minor, "1.1.0", None),
            ("0.2.0-rc.1", Major, "0.2.0", None),
            ("1.0.0", Minor, "1.1.0-rc.1", None),
            ("1.0.0", Major, "1.1.0-rc.1", Some("2.0.0")),
            ("1.0.0", Patch, "1.0.0", Some("1.0.1")),
            ("1.0.0", Patch, "1.0.1-rc.1", None),
        ] {
            let verdict = Verdict {
                former: Source::Component("old.wasm".to_owned()),
                version: Some(former.parse().unwrap()),
                changes: vec![Change {
                    level,
                    what: "x".to_owned(),
                }],
                same: false,
            };
            let due = verdict.too_low(&version.parse().unwrap());
            assert_eq!(
                due.map(|due| due.to_string()).as_deref(),
                too_low,
                "{former} {level} {version}"
            );
        }
    }
}
