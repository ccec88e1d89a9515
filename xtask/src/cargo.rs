//! Asking cargo.

use std::{
    ffi::OsString,
    io::Read,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::progress::Step;

/// Bytes of cargo's output that are kept to be shown when a build fails.
const OUTPUT_KEPT_BYTES_MAX: usize = 256 * 1024;

/// Cargo, to be run in a folder.
///
/// Cargo tells the programs it runs which package they belong to, in the environment. Handed
/// on, that would make build scripts that look at it run again, and half of the runtime be
/// built again after every `cargo build` by hand.
pub(crate) fn cargo(folder: &Path) -> Command {
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

/// Where cargo builds the workspace in a folder.
pub(crate) fn target_directory(folder: &Path) -> Result<PathBuf> {
    let output = cargo(folder)
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .stderr(Stdio::inherit())
        .output()
        .context("failed to run `cargo metadata`")?;
    if !output.status.success() {
        bail!("`cargo metadata` failed in {}", folder.display());
    }
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).context("`cargo metadata` printed no JSON")?;
    let target = metadata["target_directory"]
        .as_str()
        .context("`cargo metadata` names no target_directory")?;
    Ok(PathBuf::from(target))
}

/// Runs a command with its output shown as it comes.
pub(crate) fn run(mut command: Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("failed to start `{}`", words(&command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", words(&command));
    }
    Ok(())
}

/// Runs a build of cargo's under a step: its progress becomes the step's, and its output is
/// shown only when the build fails. Without a terminal the output is shown as it comes.
pub(crate) fn build(mut command: Command, step: &Step) -> Result<()> {
    if !step.is_live() {
        return run(command);
    }
    command
        .env("CARGO_TERM_PROGRESS_WHEN", "always")
        .env("CARGO_TERM_PROGRESS_WIDTH", "120")
        .env("CARGO_TERM_COLOR", "always")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .with_context(|| format!("failed to start `{}`", words(&command)))?;
    let mut output = Output::default();
    if let Some(mut stderr) = child.stderr.take() {
        let mut chunk = [0; 4096];
        loop {
            match stderr.read(&mut chunk) {
                Ok(0) => break,
                Ok(count) => output.take(&chunk[..count], step),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context("failed to read what cargo prints"),
            }
        }
    }
    let status = child.wait().context("failed to wait for cargo")?;
    if !status.success() {
        step.print(&output.kept);
        bail!("`{}` failed ({status})", words(&command));
    }
    Ok(())
}

/// What cargo prints, taken apart: its progress bar and everything else.
#[derive(Default)]
struct Output {
    line: Vec<u8>,
    kept: String,
}

impl Output {
    fn take(&mut self, bytes: &[u8], step: &Step) {
        for &byte in bytes {
            if !matches!(byte, b'\r' | b'\n') {
                self.line.push(byte);
                continue;
            }
            let line = String::from_utf8_lossy(&std::mem::take(&mut self.line)).into_owned();
            let plain = anstream::adapter::strip_str(&line).to_string();
            if let Some((done, of)) = built(&plain) {
                step.count(done, of);
            } else if byte == b'\n' && self.kept.len() < OUTPUT_KEPT_BYTES_MAX {
                if let Some(package) = plain.trim_start().strip_prefix("Compiling ") {
                    step.detail(package);
                }
                self.kept.push_str(&line);
                self.kept.push('\n');
            }
        }
    }
}

/// How much is built, of how much: cargo's `Building [====>   ] 123/340: wasmtime`.
fn built(line: &str) -> Option<(u64, u64)> {
    let rest = line.trim_start().strip_prefix("Building [")?;
    let counts = rest.split_once("] ")?.1;
    let (done, rest) = counts.split_once('/')?;
    let of: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some((done.trim().parse().ok()?, of.parse().ok()?))
}

fn words(command: &Command) -> String {
    let program = Path::new(command.get_program())
        .file_name()
        .unwrap_or(command.get_program())
        .to_string_lossy();
    command.get_args().fold(program.into_owned(), |words, argument| {
        format!("{words} {}", argument.to_string_lossy())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_progress_of_cargo_is_understood() {
        assert_eq!(
            built("    Building [====>      ] 12/340: wasmtime, tokio"),
            Some((12, 340))
        );
        assert_eq!(built("   Compiling wasmtime v48.0.8"), None);
        assert_eq!(built("    Building [="), None);
    }

    #[test]
    fn commands_are_told_as_one_would_type_them() {
        let mut command = Command::new("/opt/bin/cargo");
        command.args(["build", "--release"]);
        assert_eq!(words(&command), "cargo build --release");
    }
}
