//! The simulator as a program: `cargo xtask sim`.

#![expect(clippy::print_stdout, reason = "a program that prints what it found")]

use std::{process::ExitCode, time::Duration};

use clap::Parser;
use simulator::{
    hotlines, kept_seeds,
    run::{Tally, run},
};
use tokio::time::Instant;

/// Run random contacts over the example hotlines, with faults everywhere
#[derive(Parser)]
#[command(name = "simulator")]
struct Arguments {
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

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let hotlines = hotlines::all().await?;
    let until = Instant::now() + Duration::from_secs(arguments.seconds);
    let (mut runs, mut sum) = (0_u64, Tally::default());
    let seeds: Box<dyn Iterator<Item = u64>> = match arguments.seed {
        Some(seed) => Box::new(std::iter::once(seed)),
        None => Box::new(kept_seeds().into_iter().chain(arguments.from..)),
    };
    for seed in seeds {
        match run(seed, &hotlines).await {
            Ok(tally) => {
                runs += 1;
                sum.contacts += tally.contacts;
                sum.events += tally.events;
                sum.kills += tally.kills;
                sum.faults += tally.faults;
            }
            Err(failure) => {
                println!("{failure}\nkeep the seed in tests/simulator/seeds.txt");
                return Ok(ExitCode::FAILURE);
            }
        }
        if Instant::now() >= until {
            break;
        }
    }
    println!(
        "{runs} runs over {} hotlines: {} contacts, {} events, {} kills, {} faults of the journal; all holds",
        hotlines.len(),
        sum.contacts,
        sum.events,
        sum.kills,
        sum.faults
    );
    Ok(ExitCode::SUCCESS)
}
