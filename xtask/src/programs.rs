//! Programs that tests run and that are no part of Trunkline: the registry that tests of packages push to
//! and pull from, and the peers that the phone is tested with. The tests start and stop them
//! themselves; here it is only made sure that they are there.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// A program, the package of Debian that has it, and how it is asked whether it is there.
struct Program {
    name: &'static str,
    package: &'static str,
    asked: &'static [&'static str],
}

/// The registry of packages.
const REGISTRY: [Program; 1] = [Program {
    name: "docker-registry",
    package: "docker-registry",
    asked: &["--version"],
}];

/// Who calls and is called, and who speaks.
const PEERS: [Program; 3] = [
    Program {
        name: "sipp",
        package: "sip-tester",
        asked: &["-v"],
    },
    Program {
        name: "baresip",
        package: "baresip-core",
        asked: &["-h"],
    },
    Program {
        name: "espeak-ng",
        package: "espeak-ng",
        asked: &["--version"],
    },
];

/// Makes sure that the registry is there: installs it where that can be done.
pub(crate) fn ensure_registry() -> Result<()> {
    ensure_all(&REGISTRY, "which the tests of packages need")
}

/// Makes sure that the peers of the phone are there: installs them where that can be done.
pub(crate) fn ensure_peers() -> Result<()> {
    ensure_all(&PEERS, "which the tests of the phone need")
}

fn ensure_all(programs: &[Program], why: &str) -> Result<()> {
    let missing: Vec<&Program> = programs.iter().filter(|program| !program.is_there()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = missing.iter().map(|program| program.name).collect();
    let packages: Vec<&str> = missing.iter().map(|program| program.package).collect();
    let (names, install) = (
        names.join(", "),
        format!("apt-get install -y {}", packages.join(" ")),
    );
    let by_hand = format!("install with `{install}`, or put into the PATH");
    if !is_root() || !runs("apt-get", &["--version"]) {
        bail!("missing, {why}: {names}; {by_hand}");
    }
    anstream::eprintln!("missing: {names}; running `{install}`");
    // A list of packages that is too old is renewed, and only then.
    if !apt_install(&packages)? {
        apt_get(&["update"])?;
        if !apt_install(&packages)? {
            bail!("`{install}` failed; {by_hand}");
        }
    }
    if let Some(program) = missing.iter().find(|program| !program.is_there()) {
        bail!("{} is installed and does not run; {by_hand}", program.name);
    }
    Ok(())
}

impl Program {
    fn is_there(&self) -> bool {
        // What it answers counts for nothing: some end with an error when they are only asked.
        Command::new(self.name)
            .args(self.asked)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok()
    }
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

fn apt_install(packages: &[&str]) -> Result<bool> {
    let mut arguments = vec!["install", "-y", "--no-install-recommends"];
    arguments.extend(packages);
    apt_get(&arguments)
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
