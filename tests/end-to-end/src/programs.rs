//! The programs under test, built when they are not.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// Names the `trunkline` binary to test; `cargo xtask test` sets it to the one it has built,
/// next to components that it has built as well.
pub const BINARY: &str = "TRUNKLINE_BINARY";

/// The root of the checkout.
pub fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .nth(2)
            .expect("the crate lies two folders under the root")
            .to_owned()
    })
}

/// The `trunkline` binary.
///
/// # Panics
/// When it does not build.
pub fn trunkline() -> &'static Path {
    static BINARY_PATH: OnceLock<PathBuf> = OnceLock::new();
    BINARY_PATH.get_or_init(|| {
        if let Some(binary) = std::env::var_os(BINARY) {
            return PathBuf::from(binary);
        }
        run(cargo(root()).args(["build", "--quiet", "-p", "trunkline-cli"]));
        // Next to this test: target/debug/deps/hotline-0123 and target/debug/trunkline.
        let here = std::env::current_exe().expect("the system tells which program this is");
        let profile = here
            .ancestors()
            .nth(2)
            .expect("tests are built into target/PROFILE/deps");
        let binary = profile.join(format!("trunkline{}", std::env::consts::EXE_SUFFIX));
        assert!(binary.is_file(), "cargo built no {}", binary.display());
        binary
    })
}

/// The folder of the city's hotline, with its components built.
///
/// # Panics
/// When they do not build.
pub fn city_hotline() -> &'static Path {
    static HOTLINE: OnceLock<PathBuf> = OnceLock::new();
    HOTLINE.get_or_init(|| {
        components();
        root().join("flows/city-hotline")
    })
}

/// A component of ours, built, by its file's name.
///
/// # Panics
/// When it does not build.
pub fn component(file: &str) -> PathBuf {
    let component = components().join(file);
    assert!(
        component.is_file(),
        "{} is not there: `cargo xtask plugins` builds it",
        component.display()
    );
    component
}

/// The folder of all components, built.
///
/// # Panics
/// When they do not build.
pub fn components() -> &'static Path {
    static COMPONENTS: OnceLock<PathBuf> = OnceLock::new();
    COMPONENTS.get_or_init(|| {
        // `cargo xtask test` has built what is there.
        if std::env::var_os(BINARY).is_none() {
            run(cargo(root()).args(["run", "--quiet", "-p", "xtask", "--", "plugins"]));
        }
        root().join("plugins/target/wasm32-wasip2/release")
    })
}

/// Builds the component of a plugin's crate that lies in a folder of its own, such as a changed
/// copy of one of ours. What it depends on is built once for all tests, under `cache`.
///
/// # Panics
/// When it does not build.
pub fn build_guest(workspace: &Path, package: &str, cache: &Path) -> PathBuf {
    let target = cache.join("guest-target");
    run(cargo(workspace)
        .args([
            "build",
            "--quiet",
            "--release",
            "--target",
            "wasm32-wasip2",
            "-p",
            package,
            "--target-dir",
        ])
        .arg(&target));
    target
        .join("wasm32-wasip2/release")
        .join(format!("{}.wasm", package.replace('-', "_")))
}

/// Cargo, without what it tells its tests of the package they belong to: build scripts that
/// look at that would run again.
pub fn cargo(folder: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    for (name, _) in std::env::vars_os() {
        let of_this_package = name
            .to_str()
            .is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"));
        if of_this_package {
            command.env_remove(name);
        }
    }
    command.current_dir(folder);
    command
}

fn run(command: &mut Command) {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("failed to start {command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?} failed:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
