//! The plugins: built from source, and put where the example hotlines look for them.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{cargo::cargo, house::House, javascript, python};

/// The build of all plugins.
pub(crate) fn build(house: &House) -> Command {
    let mut command = cargo(&house.plugins());
    command
        .args(["build", "--release", "--workspace", "--target-dir"])
        .arg(house.plugins_target());
    command
}

/// The plugins' own tests, which run on this machine rather than in a sandbox.
pub(crate) fn test(house: &House, target: &str) -> Command {
    let mut command = cargo(&house.plugins());
    command
        .args([
            "test",
            "--workspace",
            "--no-fail-fast",
            "--target",
            target,
            "--target-dir",
        ])
        .arg(house.plugins_target());
    command
}

/// Builds the plugins that cargo does not build. Gives the components that were put in place.
pub(crate) fn build_foreign(house: &House) -> Result<Vec<PathBuf>> {
    let mut built = javascript::build(house)?;
    built.extend(python::build(house)?);
    Ok(built)
}

/// The tests of the plugins that cargo does not build, and of what they are written with.
pub(crate) fn test_foreign(house: &House) -> Result<()> {
    javascript::test(house)?;
    python::test(house)
}

/// Copies each component that a hotline under `flows/` names as `plugins/NAME.wasm` next to
/// that hotline. Gives the copies that were out of date.
///
/// A hotline may be served and watched right now: a component is put in place whole or not at
/// all, and only when it differs.
pub(crate) fn install(house: &House) -> Result<Vec<PathBuf>> {
    let components = house.components();
    let hotlines = house.hotlines();
    let mut changed = Vec::new();
    for entry in fs::read_dir(&hotlines).with_context(|| format!("failed to list {}", hotlines.display()))? {
        let hotline = entry?.path();
        let manifest = hotline.join("hotline.yaml");
        if !manifest.is_file() {
            continue;
        }
        let text = fs::read_to_string(&manifest)
            .with_context(|| format!("failed to read {}", manifest.display()))?;
        for name in components_named(&text) {
            let built = components.join(&name);
            let bytes = match fs::read(&built) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => bail!(
                    "{} names plugins/{name}, but no plugin in plugins/ builds {name}; \
                     name one that does, or put the file there yourself",
                    house.show(&manifest)
                ),
                Err(error) => {
                    return Err(error).with_context(|| format!("failed to read {}", built.display()));
                }
            };
            let place = hotline.join("plugins").join(&name);
            if put(&place, &bytes)? {
                changed.push(place);
            }
        }
    }
    Ok(changed)
}

/// Puts a file in place whole. Whether it was not there already.
fn put(place: &Path, bytes: &[u8]) -> Result<bool> {
    if fs::read(place).is_ok_and(|there| there == bytes) {
        return Ok(false);
    }
    let folder = place.parent().context("a component lies in a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("failed to make {}", folder.display()))?;
    let mut beside = place.as_os_str().to_owned();
    beside.push(format!(".{}.new", std::process::id()));
    fs::write(&beside, bytes).with_context(|| format!("failed to write {}", beside.display()))?;
    fs::rename(&beside, place).with_context(|| format!("failed to put {} in place", place.display()))?;
    Ok(true)
}

/// The file names in `plugins/NAME.wasm`, wherever the text has them outside of comments.
fn components_named(hotline: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for line in hotline.lines() {
        let line = line.split(" #").next().unwrap_or(line);
        for (start, _) in line.match_indices("plugins/") {
            let rest = &line[start + "plugins/".len()..];
            let end = rest
                .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')))
                .unwrap_or(rest.len());
            if rest[..end].ends_with(".wasm") {
                names.insert(rest[..end].to_owned());
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_found_in_a_hotline() {
        let hotline = "plugins:\n  crm: { component: plugins/crm_lookup.wasm, department: civil }\n  \
                       mood:\n    component: \"plugins/sentiment.wasm\" # not plugins/other.wasm\n";
        assert_eq!(
            components_named(hotline).into_iter().collect::<Vec<_>>(),
            ["crm_lookup.wasm", "sentiment.wasm"]
        );
    }

    #[test]
    fn a_component_is_put_once() {
        let place = std::env::temp_dir()
            .join(format!("xtask-put-{}", std::process::id()))
            .join("plugins/a.wasm");
        assert!(put(&place, b"one").unwrap());
        assert!(!put(&place, b"one").unwrap());
        assert!(put(&place, b"two").unwrap());
        assert_eq!(fs::read(&place).unwrap(), b"two");
        fs::remove_dir_all(place.ancestors().nth(2).unwrap()).unwrap();
    }
}
