//! The registry that tests of packages push to and pull from: Debian's `docker-registry`. The
//! tests start and stop it themselves; here it is only made sure that it is there.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The program, and the package of Debian that has it.
const REGISTRY: &str = "docker-registry";

/// Makes sure that the registry is there: installs it where that can be done.
pub(crate) fn ensure() -> Result<()> {
    if is_there() {
        return Ok(());
    }
    let by_hand = format!("install it with `apt-get install -y {REGISTRY}`, or put it into the PATH");
    if !is_root() || !runs("apt-get", &["--version"]) {
        bail!("{REGISTRY}, which the tests of packages need, is missing; {by_hand}");
    }
    anstream::eprintln!("{REGISTRY} is missing: running `apt-get install -y {REGISTRY}`");
    // A list of packages that is too old is renewed, and only then.
    if !install()? {
        apt_get(&["update"])?;
        if !install()? {
            bail!("`apt-get install -y {REGISTRY}` failed; {by_hand}");
        }
    }
    if !is_there() {
        bail!("{REGISTRY} is installed and does not run; {by_hand}");
    }
    Ok(())
}

fn is_there() -> bool {
    runs(REGISTRY, &["--version"])
}

fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn runs(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn install() -> Result<bool> {
    apt_get(&["install", "-y", "--no-install-recommends", REGISTRY])
}

fn apt_get(arguments: &[&str]) -> Result<bool> {
    let status = Command::new("apt-get")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        // What it says is for people; what this program says on standard output is not.
        .stdout(Stdio::null())
        .status()
        .context("failed to run apt-get")?;
    Ok(status.success())
}
