//! Promise: calls by phone. How many new ones a second, how many at once with sound that leaves in
//! time, at what processor time and memory, and none lost while releases are swapped.
//!
//! The server is the one that is shipped: `trunkline serve` of a release build, a process of its own.
//! sipp calls it over loopback; each caller is in SIP and sound a real one. Server and callers share the
//! machine's processors, so what is held to the server is its own processor time, and the rate is
//! that of both together. The floor of sound is one thread that does nothing but send such packets.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "benchmarks print, and measure by the clock"
)]

mod arguments;
mod asterisk;
mod compare;
mod cost;
mod floor;
mod held;
mod hotline;
mod listeners;
mod rates;
mod reload;
mod server;
mod sipp;

use std::time::Duration;

use crate::{arguments::Arguments, asterisk::Installed, server::Server, sipp::Sipp};

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::of(std::env::args().skip(1))?;
    let quick = arguments.quick;
    benchmarks::print_machine("sip");
    sipp::ensure_there()?;
    let peer = Installed::find(arguments.asterisk.as_deref())?;
    let place = tempfile::tempdir()?;
    hotline::write(place.path())?;
    sipp::write_scenarios(place.path())?;
    let binary = match &arguments.server {
        Some(binary) => binary.clone(),
        None => server::build()?,
    };

    let server = Server::start(&binary, place.path())?;
    let sustained = rates::search(&server, &Sipp::new(place.path(), server.sip()), quick)?;
    match peer {
        Some(peer) => compare::with_asterisk(&server, &peer, place.path(), sustained, quick)?,
        None => println!(
            "\n  no Asterisk is installed to be compared with; --asterisk DIR names the root of a system that has one"
        ),
    }
    drop(server);
    let floor = floor::measure_sending(if quick {
        Duration::from_secs(1)
    } else {
        Duration::from_secs(3)
    })?;
    println!(
        "\nA thread that does nothing but send such packets on loopback: {:.0} a second, {:.2} µs of processor time each",
        floor.per_second(),
        floor.processor_micros()
    );
    held::look(&binary, place.path(), &floor, quick)?;
    reload::swap_releases(&binary, place.path(), sustained, quick)
}
