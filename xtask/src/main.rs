//! `cargo xtask`: build the plugins, show the demo, run the tests, the benchmarks, the
//! simulator, the fuzz targets and the checks, in one command each.
//!
//! Each command is a file in [`commands`]. What they share: [`house`] knows where things are,
//! [`cargo`] asks cargo, [`progress`] shows one step, [`stages`] sums several up.

mod cargo;
mod children;
mod commands;
mod guests;
mod house;
mod javascript;
mod ports;
mod probe;
mod programs;
mod progress;
mod python;
mod real_texts;
mod stages;
mod stopwatch;
mod toolchain;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Everything one does with a checkout of Trunkline.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the plugins from source and put them where the example hotlines look for them
    Plugins,
    /// Start the city's services and its hotline, and call it in this terminal
    Demo(commands::demo::Demo),
    /// Run every test there is
    Test(commands::test::Test),
    /// Run the benchmarks; each prints its ratio to a floor or a peer
    Bench(commands::bench::Bench),
    /// Run random contacts over the example hotlines; faults at every boundary
    Sim(commands::sim::Sim),
    /// Throw random bytes at what reads descriptions, passwords' digests, sound and keys of strangers
    Fuzz(commands::fuzz::Fuzz),
    /// Check formatting and lints of the runtime and of the plugins
    Check,
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Plugins => commands::plugins::run(),
        Command::Demo(demo) => demo.run(),
        Command::Test(test) => test.run(),
        Command::Bench(bench) => bench.run(),
        Command::Sim(sim) => sim.run(),
        Command::Fuzz(fuzz) => fuzz.run(),
        Command::Check => commands::check::run(),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            let bold = anstyle::AnsiColor::Red.on_default().bold();
            anstream::eprintln!("{bold}error{bold:#}: {error:#}");
            ExitCode::FAILURE
        }
    }
}
