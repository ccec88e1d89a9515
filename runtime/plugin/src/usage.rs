//! What calls use: processor time, memory, bytes over HTTP and of the key-value store, lines of
//! log. Totals stand under a plugin's name, in all its versions; metrics carry the plugin and
//! the department whose it is.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU64, Ordering},
};

use metrics::{Counter, Gauge};
use tokio::time::Duration;

use crate::BreakerState;
use trunkline_model::{FaultKind, Outcome, PluginName};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Used {
    /// Microseconds of processor.
    BusyMicros,
    /// Bytes of bodies of requests over HTTP.
    HttpSent,
    /// Bytes of bodies of responses over HTTP.
    HttpReceived,
    /// Requests over HTTP that left.
    HttpRequests,
    /// Bytes of values read from the key-value store.
    KvRead,
    /// Bytes of keys and values written to it.
    KvWritten,
    /// Lines that reached the log.
    LogLines,
    /// Lines that did not, because there were too many.
    LogLinesDropped,
}

impl Used {
    const ALL: [Self; 8] = [
        Self::BusyMicros,
        Self::HttpSent,
        Self::HttpReceived,
        Self::HttpRequests,
        Self::KvRead,
        Self::KvWritten,
        Self::LogLines,
        Self::LogLinesDropped,
    ];

    const fn metric(self) -> &'static str {
        match self {
            Self::BusyMicros => "trunkline_plugin_busy_microseconds_total",
            Self::HttpSent => "trunkline_plugin_http_sent_bytes_total",
            Self::HttpReceived => "trunkline_plugin_http_received_bytes_total",
            Self::HttpRequests => "trunkline_plugin_http_requests_total",
            Self::KvRead => "trunkline_plugin_kv_read_bytes_total",
            Self::KvWritten => "trunkline_plugin_kv_written_bytes_total",
            Self::LogLines => "trunkline_plugin_log_lines_total",
            Self::LogLinesDropped => "trunkline_plugin_log_lines_dropped_total",
        }
    }
}

/// What the calls under a plugin's name have used since the host began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Time for which its guests kept a processor busy.
    pub busy: Duration,
    /// The most memory that one of its guests had.
    pub memory_high_bytes: u64,
    /// Bytes of bodies that it sent over HTTP.
    pub http_sent_bytes: u64,
    /// Bytes of bodies that it received over HTTP.
    pub http_received_bytes: u64,
    /// Requests over HTTP that left.
    pub http_requests: u64,
    /// Bytes of values that it read from its key-value store.
    pub kv_read_bytes: u64,
    /// Bytes of keys and values that it wrote there.
    pub kv_written_bytes: u64,
    /// Lines that it logged.
    pub log_lines: u64,
    /// Lines that did not reach the log because there were too many.
    pub log_lines_dropped: u64,
}

/// Totals under a plugin's name.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    used: [AtomicU64; Used::ALL.len()],
    memory_high: AtomicU64,
}

impl Totals {
    pub(crate) fn read(&self) -> Usage {
        let read = |used: Used| self.used[used as usize].load(Ordering::Relaxed);
        Usage {
            busy: Duration::from_micros(read(Used::BusyMicros)),
            memory_high_bytes: self.memory_high.load(Ordering::Relaxed),
            http_sent_bytes: read(Used::HttpSent),
            http_received_bytes: read(Used::HttpReceived),
            http_requests: read(Used::HttpRequests),
            kv_read_bytes: read(Used::KvRead),
            kv_written_bytes: read(Used::KvWritten),
            log_lines: read(Used::LogLines),
            log_lines_dropped: read(Used::LogLinesDropped),
        }
    }
}

/// Counts what one version of a plugin uses: into the totals, and into metrics, each looked up
/// once.
pub(crate) struct Meter {
    plugin: String,
    department: String,
    totals: Arc<Totals>,
    counters: [OnceLock<Counter>; Used::ALL.len()],
    memory: OnceLock<Gauge>,
    calls: [OnceLock<Counter>; 2 + FaultKind::ALL.len()],
}

impl Meter {
    pub(crate) fn new(plugin: &PluginName, department: &str, totals: Arc<Totals>) -> Self {
        Self {
            plugin: plugin.to_string(),
            department: department.to_owned(),
            totals,
            counters: Default::default(),
            memory: OnceLock::new(),
            calls: Default::default(),
        }
    }

    pub(crate) fn add(&self, used: Used, amount: u64) {
        if amount == 0 {
            return;
        }
        self.totals.used[used as usize].fetch_add(amount, Ordering::Relaxed);
        self.counters[used as usize]
            .get_or_init(|| {
                metrics::counter!(
                    used.metric(),
                    "plugin" => self.plugin.clone(),
                    "department" => self.department.clone(),
                )
            })
            .increment(amount);
    }

    pub(crate) fn busy(&self, time: Duration) {
        self.add(
            Used::BusyMicros,
            u64::try_from(time.as_micros()).unwrap_or(u64::MAX),
        );
    }

    /// A guest had so much memory at most.
    pub(crate) fn memory(&self, bytes: u64) {
        let before = self.totals.memory_high.fetch_max(bytes, Ordering::Relaxed);
        if bytes > before {
            self.memory
                .get_or_init(|| {
                    metrics::gauge!(
                        "trunkline_plugin_memory_high_bytes",
                        "plugin" => self.plugin.clone(),
                        "department" => self.department.clone(),
                    )
                })
                .set(bytes as f64);
        }
    }

    /// Its breaker's state: 0 closed, 1 probing, 2 open.
    pub(crate) fn breaker(&self, state: BreakerState) {
        let value = match state {
            BreakerState::Closed => 0.0,
            BreakerState::Probing => 1.0,
            BreakerState::Open => 2.0,
        };
        metrics::gauge!("trunkline_plugin_breaker", self.labels().iter()).set(value);
    }

    /// Its breaker has opened.
    pub(crate) fn opened(&self) {
        metrics::counter!("trunkline_plugin_breaker_opened_total", self.labels().iter()).increment(1);
    }

    fn labels(&self) -> [metrics::Label; 2] {
        [
            metrics::Label::new("plugin", self.plugin.clone()),
            metrics::Label::new("department", self.department.clone()),
        ]
    }

    /// A call ended.
    pub(crate) fn outcome(&self, outcome: &Outcome) {
        let (row, name) = match outcome {
            Outcome::Ok(_) => (0, "ok"),
            Outcome::Refusal(_) => (1, "refusal"),
            Outcome::Fault(fault) => {
                let position = FaultKind::ALL.iter().position(|kind| *kind == fault.kind);
                (2 + position.unwrap_or_default(), fault.kind.as_str())
            }
        };
        self.calls[row]
            .get_or_init(|| {
                metrics::counter!(
                    "trunkline_plugin_calls_total",
                    "plugin" => self.plugin.clone(),
                    "department" => self.department.clone(),
                    "outcome" => name,
                )
            })
            .increment(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_a_plugin_count_together() {
        let totals = Arc::new(Totals::default());
        let old = Meter::new(&"crm".into(), "civil", totals.clone());
        let new = Meter::new(&"crm".into(), "housing", totals.clone());
        old.busy(Duration::from_micros(30));
        new.busy(Duration::from_micros(12));
        old.memory(3 << 20);
        new.memory(2 << 20);
        new.add(Used::HttpSent, 7);
        let usage = totals.read();
        assert_eq!(usage.busy, Duration::from_micros(42));
        assert_eq!(usage.memory_high_bytes, 3 << 20);
        assert_eq!((usage.http_sent_bytes, usage.http_received_bytes), (7, 0));
    }

    #[test]
    fn each_thing_has_its_own_place() {
        for (position, used) in Used::ALL.into_iter().enumerate() {
            assert_eq!(used as usize, position);
        }
    }
}
