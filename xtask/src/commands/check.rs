//! `cargo xtask check`: formatting and lints, of the runtime and of the plugins.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::{
    cargo::{cargo, run as run_cargo},
    house::House,
    stages::Stages,
    toolchain,
};

/// Runs the command.
pub(crate) fn run() -> Result<ExitCode> {
    let house = House::find()?;
    toolchain::ensure_component(&house, "fmt", "rustfmt")?;
    toolchain::ensure_component(&house, "clippy", "clippy")?;
    toolchain::ensure_guest_target(&house)?;
    let host = toolchain::host_target(&house)?;

    let mut stages = Stages::begin();
    stages.run("formatting of the runtime", || {
        run_cargo(formatting(cargo(&house.root)))
    });
    stages.run("formatting of the plugins", || {
        run_cargo(formatting(cargo(&house.plugins())))
    });
    stages.run("lints of the runtime", || {
        let mut command = cargo(&house.root);
        command.args(["clippy", "--workspace", "--all-targets"]);
        run_cargo(strict(command))
    });
    stages.run("lints of the plugins", || {
        let mut command = cargo(&house.plugins());
        command
            .args(["clippy", "--workspace", "--target-dir"])
            .arg(house.plugins_target());
        run_cargo(strict(command))
    });
    stages.run("lints of the plugins' tests", || {
        let mut command = cargo(&house.plugins());
        command
            .args([
                "clippy",
                "--workspace",
                "--all-targets",
                "--target",
                &host,
                "--target-dir",
            ])
            .arg(house.plugins_target());
        run_cargo(strict(command))
    });
    Ok(stages.sum_up())
}

fn formatting(mut command: Command) -> Command {
    command.args(["fmt", "--all", "--check"]);
    command
}

fn strict(mut command: Command) -> Command {
    command.args(["--", "-D", "warnings"]);
    command
}
