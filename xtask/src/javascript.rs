//! Plugins written in JavaScript or TypeScript: built by npm with `sdk/js`, and put next to the
//! others.
//!
//! A plugin is built when anything it is made of has changed: its own folder and the SDK's, by
//! their contents.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::{cargo::run, house::House};

/// The plugins, by the names of their folders.
const PLUGINS: [&str; 1] = ["road-works"];

/// The first version of Node that the SDK runs on: its tests load modules by `register` of
/// `node:module`, which came with it.
const NODE_MIN: (u32, u32) = (20, 6);

/// What npm and the build leave in a folder: none of it is what a plugin is made of.
const MADE: [&str; 4] = ["node_modules", "dist", "wit.d.ts", "wit.check.ts"];

/// Builds the plugins that are not up to date. Gives the components that were put in place.
pub(crate) fn build(house: &House) -> Result<Vec<PathBuf>> {
    let mut changed = Vec::new();
    for plugin in PLUGINS {
        let folder = house.plugins().join(plugin);
        let component = house
            .components()
            .join(format!("{}.wasm", plugin.replace('-', "_")));
        let stamp = house.plugins_target().join(format!("{plugin}.inputs"));
        let inputs = digest(&[&folder, &sdk(house)])?;
        if component.is_file() && fs::read_to_string(&stamp).is_ok_and(|built| built == inputs) {
            continue;
        }
        ensure_node()?;
        install(&sdk(house))?;
        install(&folder)?;
        run(npm(&folder, &["run", "--silent", "build"]))?;
        put(&folder.join("dist").join(format!("{plugin}.wasm")), &component)?;
        fs::write(&stamp, &inputs).with_context(|| format!("failed to write {}", stamp.display()))?;
        changed.push(component);
    }
    Ok(changed)
}

/// The tests of the SDK and of the plugins, on the SDK's host: no runtime is needed.
pub(crate) fn test(house: &House) -> Result<()> {
    ensure_node()?;
    let plugins = PLUGINS.map(|plugin| house.plugins().join(plugin));
    for folder in std::iter::once(sdk(house)).chain(plugins) {
        install(&folder)?;
        run(npm(&folder, &["test", "--silent"]))?;
    }
    Ok(())
}

fn sdk(house: &House) -> PathBuf {
    house.root.join("sdk").join("js")
}

/// Installs what a folder's package-lock.json names, unless it is there already.
fn install(folder: &Path) -> Result<()> {
    let lock = folder.join("package-lock.json");
    let stamp = folder.join("node_modules").join(".installed-lock");
    let wanted = fs::read(&lock).with_context(|| format!("failed to read {}", lock.display()))?;
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    run(npm(
        folder,
        &["ci", "--no-audit", "--no-fund", "--loglevel=error"],
    ))?;
    fs::write(&stamp, wanted).with_context(|| format!("failed to write {}", stamp.display()))
}

fn npm(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
    command.args(arguments).current_dir(folder);
    command
}

/// Makes sure that Node and npm are there, which cannot be installed from here.
fn ensure_node() -> Result<()> {
    const MEND: &str = "install Node 20.6 or newer with npm (on Debian 13 `apt-get install nodejs npm`), \
                        and run this again; the other plugins need neither";
    let Some(node) = version("node") else {
        bail!("plugins in JavaScript are built with Node, which is missing: {MEND}");
    };
    if numbers(&node).is_none_or(|numbers| numbers < NODE_MIN) {
        bail!("plugins in JavaScript are built with Node, and {node} is too old: {MEND}");
    }
    if version(if cfg!(windows) { "npm.cmd" } else { "npm" }).is_none() {
        bail!("plugins in JavaScript are built with npm, which is missing: {MEND}");
    }
    Ok(())
}

fn version(program: &str) -> Option<String> {
    let output = Command::new(program)
        .arg("--version")
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The 20 and the 19 of `v20.19.2`.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.trim_start_matches('v').split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// One word for the contents of folders, of what is not made from the rest.
fn digest(folders: &[&Path]) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    for folder in folders {
        hash(folder, folder, &mut hasher)?;
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn hash(root: &Path, folder: &Path, hasher: &mut DefaultHasher) -> Result<()> {
    let failed = || format!("failed to read {}", folder.display());
    let mut entries = fs::read_dir(folder)
        .and_then(Iterator::collect::<std::io::Result<Vec<_>>>)
        .with_context(failed)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        if MADE.iter().any(|made| entry.file_name() == *made) {
            continue;
        }
        let path = entry.path();
        if path.is_dir() {
            hash(root, &path, hasher)?;
        } else {
            path.strip_prefix(root).unwrap_or(&path).hash(hasher);
            fs::read(&path).with_context(failed)?.hash(hasher);
        }
    }
    Ok(())
}

/// Puts a component in place whole.
fn put(built: &Path, place: &Path) -> Result<()> {
    let folder = place.parent().context("a component lies in a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("failed to make {}", folder.display()))?;
    let beside = place.with_extension("wasm.new");
    fs::copy(built, &beside).with_context(|| format!("failed to copy {}", built.display()))?;
    fs::rename(&beside, place).with_context(|| format!("failed to put {} in place", place.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_of_node_is_read() {
        assert_eq!(numbers("v20.19.2"), Some((20, 19)));
        assert_eq!(numbers("22.1.0"), Some((22, 1)));
        assert_eq!(numbers("nightly"), None);
        assert!(numbers("v20.5.1").unwrap() < NODE_MIN && numbers("v20.6.0").unwrap() >= NODE_MIN);
    }

    #[test]
    fn a_digest_changes_with_what_is_written_and_not_with_what_is_made() {
        let folder = std::env::temp_dir().join(format!("xtask-digest-{}", std::process::id()));
        fs::create_dir_all(folder.join("src")).unwrap();
        fs::write(folder.join("src/index.ts"), "one").unwrap();
        let one = digest(&[&folder]).unwrap();
        for made in ["node_modules", "dist"] {
            fs::create_dir_all(folder.join(made)).unwrap();
            fs::write(folder.join(made).join("a.js"), "made").unwrap();
        }
        fs::write(folder.join("src/wit.d.ts"), "made").unwrap();
        assert_eq!(digest(&[&folder]).unwrap(), one);
        fs::write(folder.join("src/index.ts"), "two").unwrap();
        let two = digest(&[&folder]).unwrap();
        assert_ne!(two, one);
        fs::rename(folder.join("src/index.ts"), folder.join("src/other.ts")).unwrap();
        assert_ne!(digest(&[&folder]).unwrap(), two);
        fs::remove_dir_all(&folder).unwrap();
    }
}
