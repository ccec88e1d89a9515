//! The same calls answered by Asterisk.

use std::{path::Path, thread, time::Duration};

use crate::{
    asterisk::{Asterisk, Installed},
    cost::Cost,
    rates,
    server::Server,
    sipp::{Load, Outcome, Sipp},
};

/// New calls a second, when both can keep that up.
const RATE: u32 = 100;
const LASTING: Duration = Duration::from_secs(15);
/// After the last call, what a server does of its own accord.
const SETTLE: Duration = Duration::from_secs(2);

/// Has both answer the same calls at the same rate, and prints what they spent.
pub(crate) fn with_asterisk(
    server: &Server,
    installed: &Installed,
    place: &Path,
    sustained: u32,
    quick: bool,
) -> anyhow::Result<()> {
    let rate = RATE.min(sustained);
    let lasting = if quick { LASTING / 3 } else { LASTING };
    println!(
        "\nThe same calls at {rate} a second, answered by {}, which calls no plugin and keeps no record of them:",
        installed.version()
    );
    let ours = rates::attempt(server, &Sipp::new(place, server.sip()), rate, lasting)?;
    ours.print();
    let asterisk = Asterisk::start(installed)?;
    let sipp = Sipp::new(place, asterisk.sip());
    // What is opened once is not what is measured.
    sipp.run(&Load::asking(5, 10))?;
    thread::sleep(SETTLE);
    let before = asterisk.spent()?;
    let calls = (f64::from(rate) * lasting.as_secs_f64()).round() as u32;
    let outcome = sipp.run(&Load::asking(rate, calls))?;
    thread::sleep(SETTLE);
    let theirs = asterisk.spent()?.since(&before);
    println!(
        "  Asterisk: {} of {calls} ended as the dialplan says, {} sent again, {:.1} a second reached; server {:.0} % of a core",
        calls - outcome.failed,
        outcome.retransmissions,
        outcome.rate,
        theirs.share() * 100.0
    );
    if !ours.is_kept_up() || outcome.failed > 0 {
        println!("  calls failed, so what they cost is not compared");
        return Ok(());
    }
    let (ours, theirs) = (
        a_thousand(&ours.cost, &ours.outcome),
        a_thousand(&theirs, &outcome),
    );
    println!(
        "  processor time per 1,000 calls: {ours:.2} s, Asterisk {theirs:.2} s: {:.2} of Asterisk's (promised <= 0.33)",
        ours / theirs
    );
    Ok(())
}

/// Seconds of processor time that 1,000 such calls take.
fn a_thousand(cost: &Cost, outcome: &Outcome) -> f64 {
    cost.processor.as_secs_f64() * 1e3 / f64::from(outcome.calls)
}
