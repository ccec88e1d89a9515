//! The plugins that are written in Python: built by componentize-py, in a virtual environment of
//! their own, and only when something that goes into them has changed.

use std::{
    ffi::OsString,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::{cargo::run, house::House};

/// A plugin in Python.
struct Plugin {
    /// Its folder in the checkout.
    folder: &'static str,
    /// The file of its component.
    component: &'static str,
}

/// All of them. The probe is no department's: it tests the SDK in a component.
const PLUGINS: [Plugin; 2] = [
    Plugin {
        folder: "plugins/matter",
        component: "matter.wasm",
    },
    Plugin {
        folder: "sdk/python/tests/probe",
        component: "python_probe.wasm",
    },
];

/// Folders with tests that run on this machine.
const TESTED: [&str; 2] = ["sdk/python", "plugins/matter"];

/// The SDK's modules, which every component carries.
const SDK: &str = "sdk/python/src";

/// What building takes, pinned; a plugin's own requirements come on top.
const REQUIREMENTS: &str = "sdk/python/requirements.txt";

/// Names a Python for those who have several.
const CHOSEN: &str = "TRUNKLINE_PYTHON";

/// Pythons that are looked for, in this order.
const PYTHONS: [&str; 6] = [
    "python3",
    "python3.14",
    "python3.13",
    "python3.12",
    "python3.11",
    "python",
];

/// Prints nothing where Python is new enough and can make a virtual environment with pip.
const FITS: &str = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))";

/// Unpacks its first argument into its second. The filter refuses what points out of the folder; the
/// first Pythons of 3.11 lack it.
const UNPACK: &str = "
import sys, tarfile
safely = {'filter': 'data'} if hasattr(tarfile, 'data_filter') else {}
tarfile.open(sys.argv[1]).extractall(sys.argv[2], **safely)
";

/// What is left behind by builds and tests, and is no input of one.
const LEFT_BEHIND: [&str; 5] = ["dist", ".bindings", "__pycache__", "tests", "target"];

/// Builds the plugins whose inputs have changed. Gives the components that are new.
pub(crate) fn build(house: &House) -> Result<Vec<PathBuf>> {
    let mut built = Vec::new();
    for plugin in &PLUGINS {
        let folder = house.root.join(plugin.folder);
        let component = house.components().join(plugin.component);
        let stamp = place(house).join(format!("{}.inputs", plugin.component));
        let inputs = inputs(house, &folder)?;
        if component.is_file() && fs::read_to_string(&stamp).is_ok_and(|was| was == inputs) {
            continue;
        }
        let mut command = python(house)?;
        command
            .args(["-m", "trunkline_sdk.build"])
            .arg(&folder)
            .arg("--output")
            .arg(&component);
        run(command).with_context(|| format!("failed to build {}", plugin.folder))?;
        fs::write(&stamp, inputs).with_context(|| format!("failed to write {}", stamp.display()))?;
        built.push(component);
    }
    Ok(built)
}

/// Runs the tests of the SDK and of the plugins.
pub(crate) fn test(house: &House) -> Result<()> {
    for folder in TESTED {
        anstream::eprintln!("{folder}");
        let mut command = python(house)?;
        command
            .current_dir(house.root.join(folder))
            .args(["-m", "unittest", "discover"])
            .args(["--top-level-directory", ".", "--start-directory", "tests"]);
        run(command).with_context(|| format!("the tests of {folder} failed"))?;
    }
    Ok(())
}

/// Fetches the sources of packages as a file pins them, each with its digest. None is installed; to read what a
/// package is, pip runs its `setup.py`.
pub(crate) fn download(house: &House, requirements: &Path, folder: &Path) -> Result<()> {
    let mut command = python(house)?;
    command
        .args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check"])
        .args(["--no-deps", "--no-binary", ":all:", "--require-hashes"])
        .arg("--requirement")
        .arg(requirements)
        .arg("--dest")
        .arg(folder);
    run(command).with_context(|| {
        format!(
            "failed to fetch what {} pins; pip needs a package index that it reaches (PIP_INDEX_URL names another)",
            house.show(requirements)
        )
    })
}

/// Unpacks an archive of tar into a folder.
pub(crate) fn unpack(house: &House, archive: &Path, folder: &Path) -> Result<()> {
    let mut command = python(house)?;
    command.args(["-c", UNPACK]).arg(archive).arg(folder);
    run(command).with_context(|| format!("failed to unpack {}", house.show(archive)))
}

/// Where the environment and the stamps are kept.
fn place(house: &House) -> PathBuf {
    house.plugins_target().join("python")
}

/// The Python of the environment, with the SDK; the environment is made when it is not there or
/// does not have what is pinned.
fn python(house: &House) -> Result<Command> {
    let environment = place(house).join("environment");
    let program = if cfg!(windows) {
        environment.join("Scripts/python.exe")
    } else {
        environment.join("bin/python")
    };
    let requirements = requirements(house);
    let mut pinned = String::new();
    for file in &requirements {
        let text = fs::read_to_string(file).with_context(|| format!("failed to read {}", file.display()))?;
        pinned.push_str(&text);
    }
    let stamp = place(house).join("environment.pinned");
    let there = fs::read_to_string(&stamp).is_ok_and(|was| was == pinned) && works(program.as_os_str());
    if !there {
        let mut command = Command::new(found()?);
        command.args(["-m", "venv", "--clear"]).arg(&environment);
        fs::create_dir_all(place(house)).context("failed to make a folder for Python")?;
        run(command).context("failed to make a virtual environment for the plugins in Python")?;
        let mut command = Command::new(&program);
        command.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        for file in &requirements {
            command.arg("--requirement").arg(file);
        }
        run(command).context(
            "failed to install what the plugins in Python need; pip needs a package index that it reaches",
        )?;
        fs::write(&stamp, pinned).with_context(|| format!("failed to write {}", stamp.display()))?;
    }
    let mut command = Command::new(program);
    command
        .env("PYTHONPATH", house.root.join(SDK))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(&house.root);
    Ok(command)
}

/// The files that pin what is installed.
fn requirements(house: &House) -> Vec<PathBuf> {
    std::iter::once(house.root.join(REQUIREMENTS))
        .chain(
            PLUGINS
                .iter()
                .map(|plugin| house.root.join(plugin.folder).join("requirements.txt")),
        )
        .filter(|file| file.is_file())
        .collect()
}

/// A Python that will do.
fn found() -> Result<OsString> {
    if let Some(chosen) = std::env::var_os(CHOSEN) {
        if works(&chosen) {
            return Ok(chosen);
        }
        bail!(
            "{CHOSEN} names {}, which is no Python of 3.11 or newer with venv and pip; name another, or \
             unset it",
            chosen.display()
        );
    }
    PYTHONS
        .iter()
        .map(OsString::from)
        .find(|python| works(python))
        .with_context(|| {
            format!(
                "the plugins in Python need Python 3.11 or newer with venv and pip, and none is here: install \
                 it (`apt-get install python3 python3-venv` on Debian), or name one in {CHOSEN}"
            )
        })
}

fn works(python: &std::ffi::OsStr) -> bool {
    Command::new(python)
        .args(["-c", FITS])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// A word for everything that goes into a component.
fn inputs(house: &House, folder: &Path) -> Result<String> {
    let mut files = Vec::new();
    for root in [folder.to_owned(), house.root.join(SDK)] {
        list(&root, &mut files)?;
    }
    files.push(house.root.join(REQUIREMENTS));
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in &files {
        file.strip_prefix(&house.root).unwrap_or(file).hash(&mut hasher);
        fs::read(file)
            .with_context(|| format!("failed to read {}", file.display()))?
            .hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("failed to list {}", folder.display()))? {
        let entry = entry?;
        if LEFT_BEHIND.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        let path = entry.path();
        if path.is_dir() {
            list(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_builds_leave_behind_is_no_input() {
        let folder = std::env::temp_dir().join(format!("xtask-python-{}", std::process::id()));
        fs::create_dir_all(folder.join("src/__pycache__")).unwrap();
        fs::create_dir_all(folder.join("dist")).unwrap();
        for file in ["src/a.py", "src/__pycache__/a.pyc", "dist/a.wasm", "plugin.toml"] {
            fs::write(folder.join(file), file).unwrap();
        }
        let mut files = Vec::new();
        list(&folder, &mut files).unwrap();
        files.sort();
        let names: Vec<_> = files
            .iter()
            .map(|file| file.strip_prefix(&folder).unwrap().display().to_string())
            .collect();
        assert_eq!(names, ["plugin.toml", "src/a.py"]);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_is_no_python_does_not_do() {
        assert!(!works("a-python-that-nobody-has".as_ref()));
    }
}
