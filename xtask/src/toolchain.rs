//! What the pinned toolchain must hold beside the compiler. What is missing is installed
//! through rustup, and said.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::house::House;

/// What plugins are compiled for.
pub(crate) const GUEST_TARGET: &str = "wasm32-wasip2";

/// Makes sure that plugins can be compiled.
pub(crate) fn ensure_guest_target(house: &House) -> Result<()> {
    if guest_library(house)?.is_dir() {
        return Ok(());
    }
    rustup(
        house,
        &["target", "add", GUEST_TARGET],
        &format!("the compilation target {GUEST_TARGET} is missing"),
    )
}

/// Makes sure that a subcommand of cargo is there which comes as a component of the toolchain.
pub(crate) fn ensure_component(house: &House, subcommand: &str, component: &str) -> Result<()> {
    let there = crate::cargo::cargo(&house.root)
        .args([subcommand, "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if there {
        return Ok(());
    }
    rustup(
        house,
        &["component", "add", component],
        &format!("{component} is missing"),
    )
}

/// The machine's own target, such as `x86_64-unknown-linux-gnu`.
pub(crate) fn host_target(house: &House) -> Result<String> {
    rustc(house, &["--print", "host-tuple"])
}

fn guest_library(house: &House) -> Result<PathBuf> {
    rustc(house, &["--print", "target-libdir", "--target", GUEST_TARGET]).map(PathBuf::from)
}

fn rustc(house: &House, arguments: &[&str]) -> Result<String> {
    let output = Command::new("rustc")
        .args(arguments)
        .current_dir(&house.root)
        .output()
        .context("failed to run rustc; install Rust with rustup (https://rustup.rs)")?;
    if !output.status.success() {
        bail!(
            "`rustc {}` failed: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn rustup(house: &House, arguments: &[&str], why: &str) -> Result<()> {
    let line = format!("rustup {}", arguments.join(" "));
    anstream::eprintln!("{why}: running `{line}`");
    let status = Command::new("rustup")
        .args(arguments)
        .current_dir(&house.root)
        .status()
        .with_context(|| format!("{why}, and rustup is not here to install it; run `{line}` where it is"))?;
    if !status.success() {
        bail!("`{line}` failed ({status}); run it by hand and try again");
    }
    Ok(())
}
