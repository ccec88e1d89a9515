//! Many calls at once, a recording played to each: what leaves too late, and what a call takes.

use std::{path::Path, thread, time::Duration};

use anyhow::ensure;
use benchmarks::Throughput;

use crate::{
    cost::Cost,
    hotline,
    listeners::{Heard, Listeners},
    server::Server,
    sipp::{Load, Outcome, Sipp},
};

/// Calls that are held, and whether their callers talk, too.
const HELD: [(u32, bool); 4] = [(500, false), (500, true), (1_000, false), (2_000, false)];
/// How fast held calls begin.
const HELD_RATE: u32 = 50;
/// How long held calls are looked at.
const HELD_FOR: Duration = Duration::from_secs(15);
/// Held calls whose sound is received.
const LISTENED: u32 = 50;

/// Looks at all sizes, each on a server of its own, whose memory nothing has swollen before.
pub(crate) fn look(binary: &Path, place: &Path, floor: &Throughput, quick: bool) -> anyhow::Result<()> {
    println!("\nCalls at once, a recording played to each (late: more than 20 ms):");
    for (calls, talk) in HELD {
        let look = Look {
            calls: if quick { calls / 5 } else { calls },
            talk,
            lasting: if quick { HELD_FOR / 3 } else { HELD_FOR },
            floor_micros: floor.processor_micros(),
        };
        look.at(&Server::start(binary, place)?, place)?;
    }
    Ok(())
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
