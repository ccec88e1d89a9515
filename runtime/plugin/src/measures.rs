//! What is counted of plugin calls: totals for the HTTP API, and metrics for Prometheus.

use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering},
};

use metrics::{Counter, Histogram};
use trunkline_model::{FaultKind, FunctionName, Outcome, PluginName};

use crate::{BreakerState, Usage};

/// What has come of a plugin's calls since the host began, in all its versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statistics {
    /// Calls that ended.
    pub calls: u64,
    /// Those that were answered.
    pub answers: u64,
    /// Those that the function refused with its own error.
    pub refusals: u64,
    /// Those that faulted, by kind, in the order of [`FaultKind::ALL`].
    pub faults: Vec<(FaultKind, u64)>,
    /// Calls under way.
    pub running: usize,
    /// Calls that wait until others have ended.
    pub waiting: usize,
    /// What the calls have used.
    pub usage: Usage,
    /// Whether the breaker of this version lets calls through.
    pub breaker: BreakerState,
}

/// Totals under a plugin's name.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    answers: AtomicU64,
    refusals: AtomicU64,
    faults: [AtomicU64; FaultKind::ALL.len()],
}

impl Counts {
    pub(crate) fn read(&self, calls: (usize, usize), usage: Usage, breaker: BreakerState) -> Statistics {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let (answers, refusals) = (read(&self.answers), read(&self.refusals));
        let faults: Vec<_> = FaultKind::ALL
            .into_iter()
            .zip(self.faults.iter().map(read))
            .collect();
        Statistics {
            calls: answers + refusals + faults.iter().map(|(_, count)| count).sum::<u64>(),
            answers,
            refusals,
            faults,
            running: calls.0,
            waiting: calls.1,
            usage,
            breaker,
        }
    }

    pub(crate) fn outcome(&self, outcome: &Outcome) {
        let count = match outcome {
            Outcome::Ok(_) => &self.answers,
            Outcome::Refusal(_) => &self.refusals,
            Outcome::Fault(fault) => &self.faults[position(fault.kind)],
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

fn position(kind: FaultKind) -> usize {
    FaultKind::ALL
        .iter()
        .position(|known| *known == kind)
        .unwrap_or_default()
}

/// The metrics of one function, looked up by name once: a look-up costs as much as a short call.
#[derive(Default)]
pub(crate) struct FunctionMetrics {
    seconds: [OnceLock<Histogram>; 3],
    faults: [OnceLock<Counter>; FaultKind::ALL.len()],
}

impl FunctionMetrics {
    pub(crate) fn record(
        &self,
        plugin: &PluginName,
        function: &FunctionName,
        outcome: &Outcome,
        seconds: f64,
    ) {
        let row = match outcome {
            Outcome::Ok(_) => 0,
            Outcome::Refusal(_) => 1,
            Outcome::Fault(_) => 2,
        };
        self.seconds[row]
            .get_or_init(|| {
                metrics::histogram!(
                    "trunkline_plugin_call_seconds",
                    "plugin" => plugin.to_string(),
                    "function" => function.to_string(),
                    "outcome" => outcome.kind(),
                )
            })
            .record(seconds);
        if let Outcome::Fault(fault) = outcome {
            self.faults[position(fault.kind)]
                .get_or_init(|| {
                    metrics::counter!(
                        "trunkline_plugin_faults_total",
                        "plugin" => plugin.to_string(),
                        "function" => function.to_string(),
                        "kind" => fault.kind.as_str(),
                    )
                })
                .increment(1);
        }
    }
}
