//! Takes what `trunkline plugin new` writes into the program: the templates of plugins, the SDKs
//! and the host's interfaces. A department that has the program needs no checkout.

use std::{
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

/// What is taken, from the root of the checkout.
const TAKEN: [&str; 7] = [
    "sdk/rust",
    "sdk/js",
    "sdk/python",
    "wit/host-0.1.0",
    "wit/dynamic-0.1.0",
    "plugins/Cargo.toml",
    "plugins/Cargo.lock",
];

/// Names of what builds and tools leave in those folders.
const LEFT_OUT: [&str; 9] = [
    "target",
    "node_modules",
    "dist",
    "__pycache__",
    ".venv",
    ".bindings",
    ".pytest_cache",
    ".mypy_cache",
    ".git",
];

fn main() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()?;
    let mut files = Vec::new();
    for taken in TAKEN {
        let path = root.join(taken);
        if path.is_file() {
            files.push(path);
        } else if path.is_dir() {
            walk(&path, &mut files)?;
        }
    }
    files.sort();
    let mut code = String::from("pub(super) const FILES: &[(&str, &[u8])] = &[\n");
    for file in &files {
        println!("cargo::rerun-if-changed={}", file.display());
        let Some(path) = file.strip_prefix(&root).ok().and_then(Path::to_str) else {
            continue;
        };
        // Writing to a string does not fail.
        let _ = writeln!(
            code,
            "    ({path:?}, include_bytes!({:?})),",
            file.display().to_string()
        );
    }
    code.push_str("];\n");
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("plugin_files.rs"), code)
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if LEFT_OUT.contains(&&*name) || name.ends_with(".pyc") || name.ends_with(".egg-info") {
            continue;
        }
        if path.is_dir() {
            // A new file in it is noticed by the folder's own time.
            println!("cargo::rerun-if-changed={}", path.display());
            walk(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
