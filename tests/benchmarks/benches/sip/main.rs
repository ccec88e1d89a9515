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
    path::Path,
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
    drop(server);
    let floor = floor::measure_sending(times(Duration::from_secs(3)))?;
    println!(
        "\nA thread that does nothing but send such packets on loopback: {:.0} a second, {:.2} µs of processor time each",
        floor.per_second(),
        floor.processor_micros()
    );
    println!("\nCalls at once, a recording played to each (late: more than 20 ms):");
    for (calls, talk) in HELD {
        let calls = if arguments.quick { calls / 5 } else { calls };
        let look = Look {
            calls,
            talk,
            lasting: times(HELD_FOR),
            floor_micros: floor.processor_micros(),
        };
        // A server of its own, whose memory nothing has swollen before.
        look.at(&Server::start(&binary, place.path())?, place.path())?;
    }

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

/// Calls that are held, to be looked at.
struct Look {
    calls: u32,
    /// Whether their callers talk.
    talk: bool,
    lasting: Duration,
    /// Processor time of a packet that is only sent.
    floor_micros: f64,
}

/// What a server has done up to a moment.
struct Moment {
    cost: Cost,
    sent: u64,
    late: u64,
    received: u64,
    streams: u64,
}

impl Moment {
    fn of(server: &Server) -> anyhow::Result<Self> {
        let metrics = server.metrics()?;
        Ok(Self {
            cost: server.spent()?,
            sent: metrics.sum("trunkline_media_packets_sent"),
            late: metrics.sum("trunkline_media_packets_late"),
            received: metrics.sum("trunkline_media_packets_received"),
            streams: metrics.sum("trunkline_media_streams"),
        })
    }
}

impl Look {
    /// Makes the calls, waits until all are there, and looks at them for a while.
    fn at(&self, server: &Server, place: &Path) -> anyhow::Result<()> {
        let sipp = Sipp::new(place, server.sip());
        let begin = Duration::from_secs_f64(f64::from(self.calls) / f64::from(HELD_RATE));
        let settle = Duration::from_secs(3);
        // The first calls are still there when the last ones are looked at.
        let held = begin + settle * 2 + self.lasting;
        ensure!(
            held < hotline::STORY,
            "a recording is too short to hold {} calls",
            self.calls
        );
        // The recording is decoded once, and is not a call's memory.
        sipp.run(&Load::talking(HELD_RATE, 1, Duration::from_secs(1)))?;
        server.wait_until_idle()?;
        let empty = server.memory()?;
        let ears = if self.talk { 0 } else { LISTENED.min(self.calls) };
        let listeners = Listeners::open(ears as usize)?;
        let load = if self.talk {
            Load::talking(HELD_RATE, self.calls, held)
        } else {
            sipp.write_ports(&listeners.ports(self.calls as usize))?;
            Load::holding(HELD_RATE, self.calls, held)
        };
        let (before, heard, after, full, outcome) = thread::scope(|scope| {
            let running = scope.spawn(|| sipp.run(&load));
            thread::sleep(begin + settle);
            let before = Moment::of(server);
            let heard = listeners.listen(self.lasting);
            let after = Moment::of(server);
            (before, heard, after, server.memory(), running.join())
        });
        let outcome = outcome.map_err(|_| anyhow::anyhow!("a thread that runs sipp panicked"))??;
        self.print(&before?, &after?, &outcome);
        println!(
            "         {}memory: {:.1} KiB a call",
            heard?.told(),
            full?.saturating_sub(empty) as f64 / 1024.0 / f64::from(self.calls)
        );
        Ok(())
    }

    fn print(&self, before: &Moment, after: &Moment, outcome: &Outcome) {
        let cost = after.cost.since(&before.cost);
        let (sent, received) = (after.sent - before.sent, after.received - before.received);
        let a_second = |count: u64| count as f64 / cost.wall.as_secs_f64();
        let sound = cost.of("media");
        let micros = sound.as_secs_f64() * 1e6 / sent.max(1) as f64;
        println!(
            "  {:>5}{}: {} streams, {} calls failed; {:.0} packets a second sent, {:.0} received; server {:.0} % of a core, \
             of which sound {:.0} %: {micros:.2} µs a packet sent, {:.2} of the floor; late as the server counts: {:.3} %",
            self.calls,
            if self.talk { " who talk" } else { "" },
            after.streams,
            outcome.failed,
            a_second(sent),
            a_second(received),
            cost.share() * 100.0,
            sound.as_secs_f64() / cost.wall.as_secs_f64() * 100.0,
            micros / self.floor_micros,
            (after.late - before.late) as f64 * 100.0 / sent.max(1) as f64,
        );
    }
}

impl Heard {
    /// What of it is told before the rest of a line.
    fn told(&self) -> String {
        if self.packets == 0 {
            return String::new();
        }
        format!(
            "late as {} of the callers received it: {:.3} % of {}, {} missing, worst {:.0} ms; ",
            self.streams,
            self.late as f64 * 100.0 / self.packets as f64,
            self.packets,
            self.missing,
            self.worst.as_secs_f64() * 1e3
        )
    }
}

/// New calls while a flow's file is written every second: each must end as the flow says.
fn swap_releases(binary: &Path, place: &Path, rate: u32, lasting: Duration) -> anyhow::Result<()> {
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
