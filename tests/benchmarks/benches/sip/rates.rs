//! How many new calls a second are kept up, and what each costs.

use std::time::Duration;

use anyhow::Context as _;
use benchmarks::percentile;

use crate::{
    cost::Cost,
    server::Server,
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

/// Finds the most calls a second of which none fails and hardly anything is sent twice.
pub(crate) fn search(server: &Server, sipp: &Sipp<'_>, quick: bool) -> anyhow::Result<u32> {
    let lasting = if quick { RATE_FOR / 3 } else { RATE_FOR };
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
pub(crate) struct Attempt {
    rate: u32,
    pub(crate) outcome: Outcome,
    pub(crate) cost: Cost,
    completed: u64,
    plugin_calls: u64,
}

/// Makes calls at a rate for so long, and waits until all are over.
pub(crate) fn attempt(
    server: &Server,
    sipp: &Sipp<'_>,
    rate: u32,
    lasting: Duration,
) -> anyhow::Result<Attempt> {
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
    pub(crate) fn is_kept_up(&self) -> bool {
        let calls = f64::from(self.outcome.calls);
        self.outcome.failed == 0
            && f64::from(self.outcome.retransmissions) <= calls * RETRANSMITTED_SHARE_MAX
            && self.outcome.rate >= f64::from(self.rate) * REACHED_SHARE_MIN
            && self.completed == u64::from(self.outcome.calls)
            && self.plugin_calls == u64::from(self.outcome.calls)
    }

    pub(crate) fn print(&self) {
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
