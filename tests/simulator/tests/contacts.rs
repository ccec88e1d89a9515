//! The kept seeds, and new ones for a bounded time.

use std::time::Duration;

use simulator::{hotlines, kept_seeds, run::run};
use tokio::time::Instant;

/// How long new seeds are run; `cargo xtask sim` runs longer.
const TIME: Duration = Duration::from_secs(8);

/// Runs that there are time for on any machine, and that have to pass whatever the time.
const RUNS_MIN: u64 = 50;

#[tokio::test]
async fn whatever_happens_to_contacts_holds_together() {
    let hotlines = hotlines::all().await.expect("the hotlines load");
    for seed in kept_seeds() {
        if let Err(failure) = run(seed, &hotlines).await {
            panic!("{failure}");
        }
    }
    let until = Instant::now() + TIME;
    for (count, seed) in (100_u64..).enumerate() {
        if let Err(failure) = run(seed, &hotlines).await {
            panic!("{failure}\nkeep the seed in tests/simulator/seeds.txt");
        }
        if count as u64 >= RUNS_MIN && Instant::now() >= until {
            break;
        }
    }
}
