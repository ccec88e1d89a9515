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
mod floor;
mod hotline;
mod listeners;
mod server;
mod sipp;

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use benchmarks::percentile;

use crate::{
    arguments::Arguments,
    listeners::{Heard, Listeners},
    server::{Cost, Server},
    sipp::{Load, Outcome, Sipp},
};

/// How long each rate is kept up.
const RATE_FOR: Duration = Duration::from_secs(15);
/// Where the search for a rate begins.
const FIRST_RATE: u32 = 20;
/// A rate beyond which nobody searches.
const RATE_MAX: u32 = 2_000;
/// Times that the gap between a rate that was kept up and one that was not is halved.
const HALVINGS: u32 = 3;
/// Of INVITEs and BYEs that were sent again.
const RETRANSMITTED_SHARE_MAX: f64 = 0.01;
/// Of the rate that was asked for, what must have been reached for it to count.
const REACHED_SHARE_MIN: f64 = 0.95;
/// How long a call takes that presses a key and hears the answer.
const CALL_LASTS: Duration = Duration::from_millis(2_800);
/// Calls that are held, and whether their callers talk, too.
const HELD: [(u32, bool); 4] = [(500, false), (500, true), (1_000, false), (2_000, false)];
/// How fast held calls begin.
const HELD_RATE: u32 = 50;
/// How long held calls are looked at.
const HELD_FOR: Duration = Duration::from_secs(15);
/// Held calls whose sound is received.
const LISTENED: u32 = 50;
/// New calls a second while a flow is saved every second, and for how long.
const RELOAD_RATE: u32 = 20;
const RELOAD_FOR: Duration = Duration::from_secs(30);

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::of(std::env::args().skip(1))?;
    benchmarks::print_machine("sip");
    sipp::ensure_there()?;
    let place = tempfile::tempdir()?;
    hotline::write(place.path())?;
    sipp::write_scenarios(place.path())?;
    let binary = match &arguments.server {
        Some(binary) => binary.clone(),
        None => server::build()?,
    };
    let times = |time: Duration| if arguments.quick { time / 3 } else { time };

    let server = Server::start(&binary, place.path())?;
    let sipp = Sipp::new(place.path(), server.sip());
    let sustained = search(&server, &sipp, times(RATE_FOR), arguments.quick)?;
    let floor = floor::measure_sending(times(Duration::from_secs(3)))?;
    println!(
        "\nA thread that does nothing but send such packets on loopback: {:.0} a second, {:.2} µs of processor time each",
        floor.per_second(),
        floor.processor_micros()
    );
    println!("\nCalls at once, a recording played to each (late: more than 20 ms):");
    for (calls, talk) in HELD {
        let calls = if arguments.quick { calls / 5 } else { calls };
        hold(
            &server,
            &sipp,
            calls,
            talk,
            times(HELD_FOR),
            floor.processor_micros(),
        )?;
    }
    drop(server);

    let rate = RELOAD_RATE.min((sustained / 2).max(1));
    swap_releases(&binary, place.path(), rate, times(RELOAD_FOR))
}

/// Finds the most calls a second of which none fails and hardly anything is sent twice.
fn search(server: &Server, sipp: &Sipp<'_>, lasting: Duration, quick: bool) -> anyhow::Result<u32> {
    println!(
        "New calls a second, each a menu, a key, a plugin's call and an answer, {:.1} s with 50 packets a second each way:",
        CALL_LASTS.as_secs_f64()
    );
    // What is compiled, opened and decoded once is not what is measured.
    attempt(server, sipp, 5, Duration::from_secs(2))?;
    let halvings = if quick { 1 } else { HALVINGS };
    let (mut kept_up, mut missed, mut rate) = (None, None, FIRST_RATE);
    let mut narrowed = 0;
    while narrowed <= halvings && rate <= RATE_MAX {
        let attempt = attempt(server, sipp, rate, lasting)?;
        attempt.print();
        if attempt.is_kept_up() {
            kept_up = Some(attempt);
        } else {
            missed = Some(rate);
            // What is left of it must not burden the next.
            server.wait_until_idle()?;
        }
        let low = kept_up.as_ref().map_or(0, |attempt: &Attempt| attempt.rate);
        rate = match missed {
            None => rate * 2,
            Some(high) => {
                narrowed += 1;
                (low + high) / 2
            }
        };
        if rate == low {
            break;
        }
    }
    let best = kept_up.context("not even the lowest rate was kept up; the lines above say what failed")?;
    println!(
        "  kept up: {} calls a second, callers included, with {:.2} s of the server's processor time per 1,000 calls",
        best.rate,
        best.cost.processor.as_secs_f64() * 1e3 / f64::from(best.outcome.calls)
    );
    for (thread, spent) in &best.cost.threads {
        println!(
            "    {thread:<16} {:.2} s per 1,000 calls",
            spent.as_secs_f64() * 1e3 / f64::from(best.outcome.calls)
        );
    }
    Ok(best.rate)
}

/// One rate, tried.
struct Attempt {
    rate: u32,
    outcome: Outcome,
    cost: Cost,
    completed: u64,
    plugin_calls: u64,
}

fn attempt(server: &Server, sipp: &Sipp<'_>, rate: u32, lasting: Duration) -> anyhow::Result<Attempt> {
    let calls = (f64::from(rate) * lasting.as_secs_f64()).round() as u32;
    let (before, ended, asked) = (server.spent()?, server.completed()?, server.plugin_calls()?);
    let outcome = sipp.run(&Load::asking(rate, calls))?;
    server.wait_until_idle()?;
    Ok(Attempt {
        rate,
        outcome,
        cost: server.spent()?.since(&before),
        completed: server.completed()? - ended,
        plugin_calls: server.plugin_calls()? - asked,
    })
}

impl Attempt {
    fn is_kept_up(&self) -> bool {
        let calls = f64::from(self.outcome.calls);
        self.outcome.failed == 0
            && f64::from(self.outcome.retransmissions) <= calls * RETRANSMITTED_SHARE_MAX
            && self.outcome.rate >= f64::from(self.rate) * REACHED_SHARE_MIN
            && self.completed == u64::from(self.outcome.calls)
            && self.plugin_calls == u64::from(self.outcome.calls)
    }

    fn print(&self) {
        let mut answered = self.outcome.answered.clone();
        println!(
            "  {:>5}: {} of {} ended as the flow says, {} failed, {} sent again, {:.1} a second reached; INVITE to 200: \
             p50 {:.1} ms, p99 {:.1} ms; server {:.0} % of a core, callers {:.0} %{}",
            self.rate,
            self.completed,
            self.outcome.calls,
            self.outcome.failed,
            self.outcome.retransmissions,
            self.outcome.rate,
            percentile(&mut answered, 0.5).as_secs_f64() * 1e3,
            percentile(&mut answered, 0.99).as_secs_f64() * 1e3,
            self.cost.share() * 100.0,
            self.outcome.processor.as_secs_f64() / self.outcome.wall.as_secs_f64() * 100.0,
            if self.is_kept_up() { "" } else { " (not kept up)" },
        );
    }
}

/// Holds calls to which a recording is played, and looks at them.
fn hold(
    server: &Server,
    sipp: &Sipp<'_>,
    calls: u32,
    talk: bool,
    lasting: Duration,
    floor_micros: f64,
) -> anyhow::Result<()> {
    let begin = Duration::from_secs_f64(f64::from(calls) / f64::from(HELD_RATE));
    let settle = Duration::from_secs(3);
    let memory = server.memory()?;
    // The first calls are still there when the last ones are looked at.
    let held = begin + settle * 2 + lasting;
    ensure!(
        held < hotline::STORY,
        "a recording is too short to hold {calls} calls"
    );
    let listeners = Listeners::open(if talk { 0 } else { LISTENED.min(calls) as usize })?;
    let load = if talk {
        Load::talking(HELD_RATE, calls, held)
    } else {
        sipp.write_ports(&listeners.ports(calls as usize))?;
        Load::holding(HELD_RATE, calls, held)
    };
    let seen = thread::scope(|scope| {
        let running = scope.spawn(|| sipp.run(&load));
        thread::sleep(begin + settle);
        let look = || -> anyhow::Result<(Cost, u64, u64, u64, u64)> {
            let metrics = server.metrics()?;
            Ok((
                server.spent()?,
                metrics.sum("trunkline_media_packets_sent"),
                metrics.sum("trunkline_media_packets_late"),
                metrics.sum("trunkline_media_packets_received"),
                metrics.sum("trunkline_media_streams"),
            ))
        };
        let before = look();
        let heard = listeners.listen(lasting);
        let after = look();
        let held = server.memory();
        (before, heard, after, held, running.join())
    });
    let (before, heard, after, held, outcome) = seen;
    let outcome = outcome.map_err(|_| anyhow::anyhow!("a thread that runs sipp panicked"))??;
    let (before, after) = (before?, after?);
    let cost = after.0.since(&before.0);
    let (sent, late, received) = (after.1 - before.1, after.2 - before.2, after.3 - before.3);
    let media = cost.of("media");
    println!(
        "  {calls:>5}{}: {} streams, {} calls failed; {:.0} packets a second sent{}, server {:.0} % of a core ({:.0} % of it sound), \
         {:.2} µs of processor time a packet sent: {:.2} of the floor",
        if talk { " who talk" } else { "" },
        after.4,
        outcome.failed,
        sent as f64 / cost.wall.as_secs_f64(),
        if talk {
            format!(" and {:.0} received", received as f64 / cost.wall.as_secs_f64())
        } else {
            String::new()
        },
        cost.share() * 100.0,
        media.as_secs_f64() / cost.processor.as_secs_f64().max(f64::MIN_POSITIVE) * 100.0,
        media.as_secs_f64() * 1e6 / sent.max(1) as f64,
        media.as_secs_f64() * 1e6 / sent.max(1) as f64 / floor_micros,
    );
    println!(
        "         late as the server counts: {:.3} %; {}; memory: {:.0} KiB a call",
        late as f64 * 100.0 / sent.max(1) as f64,
        match heard {
            Ok(Heard { packets: 0, .. }) => "not received by anybody".to_owned(),
            Ok(heard) => format!(
                "as {} of the callers received it: {:.3} % of {}, {} missing, worst {:.0} ms",
                heard.streams,
                heard.late as f64 * 100.0 / heard.packets as f64,
                heard.packets,
                heard.missing,
                heard.worst.as_secs_f64() * 1e3
            ),
            Err(error) => format!("not received: {error}"),
        },
        (held?.saturating_sub(memory)) as f64 / 1024.0 / f64::from(calls),
    );
    server.wait_until_idle()
}

/// New calls while a flow's file is written every second: each must end as the flow says.
fn swap_releases(
    binary: &std::path::Path,
    place: &std::path::Path,
    rate: u32,
    lasting: Duration,
) -> anyhow::Result<()> {
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
