//! `cargo xtask bench`: one benchmark for each promise.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::{
    cargo::{self, cargo},
    guests,
    house::House,
    progress::Step,
    real_texts, toolchain,
};

/// Run the benchmarks; each prints its ratio to a floor or a peer
///
/// Build once with nothing else running: what counts is the ratios, and they are only as steady
/// as the machine.
#[derive(Args)]
#[command(
    after_help = "Benchmarks: plugin-call, plugin-costs, isolation, durable-events, key-to-prompt, reload-under-load,\n  \
    check-hotline, scenarios, sip, sentiment\n\n\
    Examples:\n  \
    cargo xtask bench                      all but sentiment\n  \
    cargo xtask bench plugin-call          one\n  \
    cargo xtask bench sip -- --quick       one, with what it takes itself; sip needs sipp and root\n  \
    cargo xtask bench sentiment            how often people are heard right; fetches 40 MB once"
)]
pub(crate) struct Bench {
    /// The benchmark to run; when left out, all that need nothing from elsewhere
    name: Option<String>,
    /// What to hand on to the benchmark, after `--`
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// The benchmark that needs what plugins in other languages are built with.
const COMPARES_LANGUAGES: &str = "plugin-costs";

/// The benchmark that is a test of a plugin's own, on texts that are fetched.
const ACCURACY: &str = "sentiment";

impl Bench {
    /// Runs the command.
    pub(crate) fn run(self) -> Result<ExitCode> {
        let house = House::find()?;
        if self.name.as_deref() == Some(ACCURACY) {
            real_texts::judge(&house, &self.arguments)?;
            return Ok(ExitCode::SUCCESS);
        }
        toolchain::ensure_guest_target(&house)?;
        Step::run(
            "Build the plugins from source",
            |step| {
                cargo::build(guests::build(&house), step)?;
                if self.name.as_deref().is_none_or(|name| name == COMPARES_LANGUAGES) {
                    guests::build_foreign(&house)?;
                }
                guests::install(&house)
            },
            |_| String::new(),
        )?;
        let mut command = cargo(&house.root);
        command.args(["bench", "--package", "benchmarks"]);
        match &self.name {
            Some(name) => command.args(["--bench", name]),
            None => command.arg("--benches"),
        };
        if !self.arguments.is_empty() {
            command.arg("--").args(&self.arguments);
        }
        cargo::run(command)?;
        Ok(ExitCode::SUCCESS)
    }
}
