//! `cargo xtask test`: every test there is, with what the tests need built first.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::{
    cargo::{cargo, run},
    guests,
    house::House,
    programs,
    stages::Stages,
    toolchain,
};

/// What `--long` asks for: more rounds of what is left to chance.
const LONG: [(&str, &str); 3] = [
    ("TRUNKLINE_CRASH_ROUNDS", "50"),
    ("TRUNKLINE_POWER_ROUNDS", "24"),
    ("PROPTEST_CASES", "4096"),
];

/// Run every test there is: unit, property, contract, crash and end-to-end
///
/// Builds the plugins and the `trunkline` binary first, since the end-to-end tests start a real
/// server with real components. Of others only package registries are asked, for what is not there
/// yet: by cargo, npm and pip, and as root by apt-get for the registry that tests publish to and for the
/// phones that call (sipp, baresip) and the voice (espeak-ng).
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    cargo xtask test                       everything, in bounded time\n  \
    cargo xtask test --long                the same with many more crashes and random cases\n  \
    cargo xtask test -- reload             only the host's tests whose names hold `reload`")]
pub(crate) struct Test {
    /// Kill the server 50 times a store rather than 10, cut the power 24 times, and try many more
    /// random cases
    #[arg(long)]
    long: bool,
    /// What to hand on to `cargo test` for the runtime, after `--`
    #[arg(last = true)]
    filter: Vec<String>,
}

impl Test {
    /// Runs the command.
    pub(crate) fn run(self) -> Result<ExitCode> {
        let house = House::find()?;
        let mut stages = Stages::begin();
        let ready = stages.run("toolchain", || toolchain::ensure_guest_target(&house))
            && stages.run("plugins: build from source", || {
                run(guests::build(&house))?;
                guests::build_foreign(&house)?;
                for place in guests::install(&house)? {
                    anstream::eprintln!("put {} in place", house.show(&place));
                }
                Ok(())
            });
        if ready {
            stages.run("registry: what tests of packages need", programs::ensure_registry);
            stages.run("peers: what tests of the phone need", programs::ensure_peers);
            if self.filter.is_empty() {
                stages.run("plugins: their own tests", || {
                    run(guests::test(&house, &toolchain::host_target(&house)?))
                });
                stages.run("plugins in other languages: their own tests", || {
                    guests::test_foreign(&house)
                });
            }
            let built = stages.run("runtime: build the tests and the binary", || {
                let mut command = cargo(&house.root);
                command.args(["test", "--workspace", "--no-run"]);
                run(command)
            });
            if built {
                stages.run("runtime: tests", || self.runtime(&house));
            }
        }
        Ok(stages.sum_up())
    }

    fn runtime(&self, house: &House) -> Result<()> {
        let mut command = cargo(&house.root);
        command.args(["test", "--workspace", "--no-fail-fast"]);
        // The stage before has built it, since tests of the command line's own package run it:
        // the end-to-end tests need not ask cargo for it again.
        command.env("TRUNKLINE_BINARY", house.binary("debug", "trunkline"));
        if self.long {
            command.envs(LONG);
        }
        if !self.filter.is_empty() {
            command.arg("--").args(&self.filter);
        }
        run(command)
    }
}
