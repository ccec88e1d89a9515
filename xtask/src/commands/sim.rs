//! `cargo xtask sim`: the simulator, for as long as one likes.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::{
    cargo::{self, cargo},
    guests,
    house::House,
    progress::Step,
    toolchain,
};

/// Run random contacts over the example hotlines: faults at every boundary, the node killed
/// between any two events
///
/// Prints the seed of a run in which something does not hold, and what happened in it. The same
/// seed gives the same run; keep it in tests/simulator/seeds.txt, which is always run.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    cargo xtask sim                        for a minute\n  \
    cargo xtask sim --seconds 3600         for an hour\n  \
    cargo xtask sim --seed 4711            one run again")]
pub(crate) struct Sim {
    /// For how long
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Only this seed
    #[arg(long)]
    seed: Option<u64>,
    /// The first seed after those that are kept
    #[arg(long, default_value_t = 1_000)]
    from: u64,
}

impl Sim {
    /// Runs the command.
    pub(crate) fn run(&self) -> Result<ExitCode> {
        let house = House::find()?;
        toolchain::ensure_guest_target(&house)?;
        Step::run(
            "Build the plugins from source",
            |step| {
                cargo::build(guests::build(&house), step)?;
                guests::install(&house)
            },
            |_| String::new(),
        )?;
        let mut command = cargo(&house.root);
        command.args(["run", "--quiet", "--release", "--package", "simulator", "--"]);
        command.args(["--seconds", &self.seconds.to_string()]);
        command.args(["--from", &self.from.to_string()]);
        if let Some(seed) = self.seed {
            command.args(["--seed", &seed.to_string()]);
        }
        cargo::run(command)?;
        Ok(ExitCode::SUCCESS)
    }
}
