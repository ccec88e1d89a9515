//! Metrics of the node, in Prometheus' format. Labels are bounded: verbs, causes, routes,
//! never contacts, callers or numbers.
//!
//! The plugin host and the journal count for themselves; this module installs the recorder
//! for all of them.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use trunkline_model::Duration;

/// Histograms of seconds: from a plugin call to a caller's longest thought.
const SECONDS: [f64; 18] = [
    0.000_025, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0,
    2.5, 10.0, 60.0, 600.0,
];

/// How often the recorder's histograms are drained although nobody asks for them.
pub(crate) const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// Contacts under way, by `state`.
pub(crate) const CONTACTS: &str = "trunkline_contacts";
/// Contacts that arrived, by `channel`.
pub(crate) const ARRIVALS: &str = "trunkline_contact_arrivals_total";
/// Contacts that ended, by `cause`.
pub(crate) const ENDS: &str = "trunkline_contact_ends_total";
/// Seconds that a step took, by `verb`, the caller's own time included.
pub(crate) const STEP_SECONDS: &str = "trunkline_step_seconds";
/// Inputs, by `kind` and `reply`.
pub(crate) const INPUTS: &str = "trunkline_inputs_total";
/// Seconds from the last write of a hotline's folder settled to the release live, by `result`.
pub(crate) const RELOAD_SECONDS: &str = "trunkline_reload_seconds";
/// Releases, by `stage`.
pub(crate) const RELEASES: &str = "trunkline_releases";
/// Seconds from start to ready.
pub(crate) const RECOVERY_SECONDS: &str = "trunkline_recovery_seconds";
/// Contacts that cannot go on because their release cannot be rebuilt.
pub(crate) const STRANDED: &str = "trunkline_contacts_stranded";
/// Whether no new contacts are taken because the node is to be restarted: 1 or 0.
pub(crate) const DRAINING: &str = "trunkline_draining";
/// Seconds that an HTTP request took, by `route`, `method` and `status`.
pub(crate) const HTTP_SECONDS: &str = "trunkline_http_request_seconds";

/// Runs of feeds, by `feed` and `outcome`.
pub(crate) const FEED_RUNS: &str = "trunkline_feed_runs_total";
/// Seconds that a run of a feed took, by `feed`.
pub(crate) const FEED_SECONDS: &str = "trunkline_feed_run_seconds";
/// Contacts that feeds and webhooks started, or did not, by what they start `on` and `outcome`.
pub(crate) const STARTS: &str = "trunkline_starts_total";
/// Changes and events that wait to start their contacts, by what they start `on`.
pub(crate) const STARTS_WAITING: &str = "trunkline_starts_waiting";
/// Changes and events that are remembered, by what they start `on`.
pub(crate) const STARTS_REMEMBERED: &str = "trunkline_starts_remembered";
/// Requests of carriers, by `carrier`, `step` and `outcome`.
pub(crate) const CARRIERS: &str = "trunkline_carrier_requests_total";
/// Events that came to webhooks, by `webhook` and `outcome`.
pub(crate) const HOOKS: &str = "trunkline_webhook_events_total";
/// The share of calls that succeed, by `plugin`, `interface` and `department`.
pub(crate) const SUCCESS_RATE: &str = "trunkline_plugin_success_rate";
/// Whether less than is expected do, by the same.
pub(crate) const SUCCESS_BREACHED: &str = "trunkline_plugin_success_breached";
/// Messages to the operator's webhook, by `result`.
pub(crate) const WEBHOOK_DELIVERIES: &str = "trunkline_webhook_deliveries_total";

/// The process has one recorder, whoever starts how many nodes in it.
static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// The process's metrics; installs their recorder when nobody has.
pub(crate) fn recorder() -> &'static PrometheusHandle {
    RECORDER.get_or_init(|| {
        let recorder = PrometheusBuilder::new()
            .set_buckets(&SECONDS)
            .expect("the list of buckets is not empty")
            .build_recorder();
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("another metrics recorder is installed; /metrics stays empty");
        }
        describe();
        handle
    })
}

fn describe() {
    use metrics::{describe_counter, describe_gauge, describe_histogram};
    describe_gauge!(CONTACTS, "Contacts under way, by what they wait for.");
    describe_counter!(ARRIVALS, "Contacts that arrived.");
    describe_counter!(ENDS, "Contacts that ended, by cause.");
    describe_histogram!(
        STEP_SECONDS,
        "Seconds that a step took, the caller's own time included."
    );
    describe_counter!(INPUTS, "Inputs of callers, by kind and by what became of them.");
    describe_histogram!(
        RELOAD_SECONDS,
        "Seconds from the last write settled to the release live."
    );
    describe_gauge!(RELEASES, "Releases by stage.");
    describe_gauge!(
        RECOVERY_SECONDS,
        "Seconds that the last start took to take contacts up again."
    );
    describe_gauge!(STRANDED, "Contacts whose release cannot be rebuilt.");
    describe_gauge!(DRAINING, "Whether no new contacts are taken before a restart.");
    describe_counter!(FEED_RUNS, "Runs of feeds, by what came of them.");
    describe_histogram!(FEED_SECONDS, "Seconds that a run of a feed took.");
    describe_counter!(
        STARTS,
        "Contacts that feeds and webhooks started; what they gave up, and what was over."
    );
    describe_gauge!(
        STARTS_WAITING,
        "Changes and events that wait to start their contacts."
    );
    describe_gauge!(
        STARTS_REMEMBERED,
        "Changes and events that are remembered, so that they are not told again."
    );
    describe_counter!(HOOKS, "Events that came to webhooks, by what became of them.");
    describe_counter!(CARRIERS, "Requests of carriers, by what became of them.");
    describe_histogram!(HTTP_SECONDS, "Seconds that an HTTP request took.");
    describe_gauge!(
        SUCCESS_RATE,
        "The share of an interface's calls that succeed, in its window."
    );
    describe_gauge!(
        SUCCESS_BREACHED,
        "1 while less of an interface's calls succeed than is expected."
    );
    describe_counter!(
        WEBHOOK_DELIVERIES,
        "Messages to the webhook: delivered, retried, lost."
    );
    describe_plugins();
}

/// What the plugin host counts.
fn describe_plugins() {
    use metrics::{describe_counter, describe_gauge};
    for (name, says) in [
        (
            "trunkline_plugin_calls_total",
            "Calls that ended, by outcome or kind of fault.",
        ),
        (
            "trunkline_plugin_busy_microseconds_total",
            "Microseconds for which guests kept a processor busy.",
        ),
        (
            "trunkline_plugin_http_requests_total",
            "Requests of guests that left.",
        ),
        (
            "trunkline_plugin_http_sent_bytes_total",
            "Bytes of bodies that guests sent.",
        ),
        (
            "trunkline_plugin_http_received_bytes_total",
            "Bytes of bodies that guests received.",
        ),
        (
            "trunkline_plugin_kv_read_bytes_total",
            "Bytes of values that guests read from their stores.",
        ),
        (
            "trunkline_plugin_kv_written_bytes_total",
            "Bytes of keys and values that guests wrote there.",
        ),
        ("trunkline_plugin_log_lines_total", "Lines that guests logged."),
        (
            "trunkline_plugin_log_lines_dropped_total",
            "Lines of guests that were over their limit.",
        ),
        (
            "trunkline_plugin_breaker_opened_total",
            "How often a breaker opened.",
        ),
    ] {
        describe_counter!(name, says);
    }
    describe_gauge!(
        "trunkline_plugin_memory_high_bytes",
        "The most memory that a guest has had."
    );
    describe_gauge!("trunkline_plugin_breaker", "0 closed, 1 probing, 2 open.");
}
