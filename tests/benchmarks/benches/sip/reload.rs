//! New calls while releases are swapped.

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::ensure;

use crate::{
    hotline,
    server::Server,
    sipp::{Load, Sipp},
};

/// New calls a second while a flow is saved every second, and for how long.
const RELOAD_RATE: u32 = 20;
const RELOAD_FOR: Duration = Duration::from_secs(30);

/// New calls while a flow's file is written every second: each must end as the flow says.
pub(crate) fn swap_releases(binary: &Path, place: &Path, sustained: u32, quick: bool) -> anyhow::Result<()> {
    let rate = RELOAD_RATE.min((sustained / 2).max(1));
    let lasting = if quick { RELOAD_FOR / 3 } else { RELOAD_FOR };
    let server = Server::start_watching(binary, place)?;
    let sipp = Sipp::new(place, server.sip());
    let calls = (f64::from(rate) * lasting.as_secs_f64()).round() as u32;
    let load = Load::asking(rate, calls);
    let (saves, outcome) = thread::scope(|scope| {
        let running = scope.spawn(|| sipp.run(&load));
        let begin = Instant::now();
        let mut saves: u32 = 0;
        while begin.elapsed() < lasting {
            saves += 1;
            if let Err(error) = hotline::save(place, saves) {
                return (Err(error), running.join());
            }
            thread::sleep((begin + Duration::from_secs(1) * saves).saturating_duration_since(Instant::now()));
        }
        (Ok(saves), running.join())
    });
    let outcome = outcome.map_err(|_| anyhow::anyhow!("a thread that runs sipp panicked"))??;
    let saves = saves?;
    server.wait_until_idle()?;
    let (completed, releases) = (server.completed()?, server.releases()?);
    println!(
        "\n{rate} new calls a second while a flow is saved every second: {releases} releases went live after {saves} saves; \
         {completed} of {calls} calls ended as their flow says, {} failed (promised none)",
        outcome.failed
    );
    ensure!(
        outcome.failed == 0 && completed == u64::from(calls),
        "calls were lost while releases were swapped; the server's log is kept at {}",
        server.keep_log()?.display()
    );
    ensure!(
        releases > u64::from(saves / 2),
        "hardly any release went live, so nothing was shown"
    );
    Ok(())
}
