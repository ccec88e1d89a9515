//! The tools that a language's build needs: told before a build that would fail in their words.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::anyhow;
use trunkline_package::project::{Language, Project};

use crate::exit::Failure;

/// The target of components.
const TARGET: &str = "wasm32-wasip2";

/// Makes sure that what a build needs is there, as far as that can be told beforehand.
///
/// # Errors
/// What is missing, and how it is installed.
pub(super) fn check(folder: &Path, project: &Project) -> Result<(), Failure> {
    let command = project.build.command.as_str();
    let runs = |tool: &str| command.split_whitespace().any(|word| word == tool);
    let missing = |what: &str| Failure::from(anyhow!("{what}"));
    match project.build.language {
        Language::Rust if runs("cargo") => {
            if found("cargo").is_none() {
                return Err(missing(
                    "there is no `cargo`; install Rust (rustup), then `rustup target add wasm32-wasip2`",
                ));
            }
            if target_is_missing(folder) {
                return Err(missing(
                    "Rust is there without the target for components; run `rustup target add wasm32-wasip2` in the plugin's folder",
                ));
            }
        }
        Language::JavaScript => {
            if found("node").is_none() {
                return Err(missing("there is no `node`; install Node.js 20.6 or later"));
            }
            if runs("npm") && found("npm").is_none() {
                return Err(missing("there is no `npm`; it comes with Node.js"));
            }
            if runs("npm") && folder.join("package.json").is_file() && !folder.join("node_modules").is_dir() {
                return Err(missing(
                    "the packages that it needs are not installed; run `npm install` in the plugin's folder",
                ));
            }
        }
        Language::Python => {
            if found("python3").is_none() {
                return Err(missing("there is no `python3`; install Python 3.11 or later"));
            }
            if runs("componentize-py") && found("componentize-py").is_none() {
                return Err(missing(
                    "there is no `componentize-py`; run `pip install componentize-py`",
                ));
            }
        }
        Language::Rust | Language::Other => {}
    }
    Ok(())
}

/// A program of the search path.
fn found(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// Whether the tool chain of a folder lacks the target, as far as it says where it is.
fn target_is_missing(folder: &Path) -> bool {
    let asked = Command::new("rustc")
        .args(["--print", "sysroot"])
        .current_dir(folder)
        .output();
    let Ok(output) = asked else {
        return false;
    };
    let sysroot = String::from_utf8_lossy(&output.stdout);
    let sysroot = sysroot.trim();
    output.status.success()
        && !sysroot.is_empty()
        && !Path::new(sysroot).join("lib/rustlib").join(TARGET).is_dir()
}

/// What else may help a build that failed.
pub(super) fn hint(language: Language, said: &[u8]) -> String {
    let said = String::from_utf8_lossy(said);
    let hint = match language {
        Language::Rust if said.contains("may not be installed") => "run `rustup target add wasm32-wasip2`",
        Language::JavaScript
            if said.contains("Cannot find module") || said.contains("ERR_MODULE_NOT_FOUND") =>
        {
            "run `npm install`"
        }
        Language::Python if said.contains("ModuleNotFoundError") => {
            "install what it imports, where componentize-py finds it (`--python-path`)"
        }
        _ => return String::new(),
    };
    format!("\n{hint}")
}
