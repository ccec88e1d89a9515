//! The operators' JSON: contacts, events, releases, plugins.

use std::collections::BTreeMap;

use serde::Serialize;
use trunkline_channel::{chat::channel_name, problem::Finding};
use trunkline_engine::Event;
use trunkline_flow::Diagnostic;
use trunkline_model::json::rfc3339;
use trunkline_plugin::{Grants, Usage};
use utoipa::ToSchema;

use crate::{
    contacts::Summary,
    release::{LoadedPlugin, Stage},
    releases::Overview,
    report::Report,
    success::{Change, Standing},
};

/// How a contact stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ContactState {
    /// Its id.
    contact: String,
    /// `hearing`, `calling`, `serving`, `waiting`, `stranded` or `ended`.
    state: &'static str,
    /// The release it is on.
    release: String,
    /// How it came.
    channel: &'static str,
    /// The number it called.
    number: String,
    /// Its language.
    language: String,
    /// The flow it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    flow: Option<String>,
    /// The step it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<String>,
    /// Whom or what it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    waits_for: Option<String>,
    /// Since when, RFC 3339.
    since: String,
    /// Until when, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    /// When it arrived, RFC 3339.
    arrived: String,
    /// How many events it has.
    events: u64,
    /// Why it ended, when it has: `flow`, `caller`, `limit` or `broken`.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
    /// How it ended, when it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<String>,
    /// Why it cannot go on, when it cannot.
    #[serde(skip_serializing_if = "Option::is_none")]
    stranded: Option<String>,
}

impl From<&Summary> for ContactState {
    fn from(summary: &Summary) -> Self {
        let place = summary.place.as_ref();
        Self {
            contact: summary.contact.to_string(),
            state: summary.state.as_str(),
            release: summary.release.to_string(),
            channel: channel_name(summary.channel),
            number: summary.number.to_string(),
            language: summary.language.to_string(),
            flow: place.map(|(flow, _)| flow.to_string()),
            step: place.map(|(_, step)| step.to_string()),
            waits_for: summary.waits_for.as_deref().map(ToOwned::to_owned),
            since: rfc3339(summary.since),
            until: summary.until.map(rfc3339),
            arrived: rfc3339(summary.arrived),
            events: summary.events,
            cause: summary.ended.as_ref().map(|(cause, _)| *cause),
            outcome: summary.ended.as_ref().map(|(_, outcome)| outcome.to_string()),
            stranded: summary.stranded.as_deref().map(ToOwned::to_owned),
        }
    }
}

/// A page of contacts, in order of their arrival.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Contacts {
    pub(crate) contacts: Vec<ContactState>,
    /// The `after` of the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

/// One event of a contact.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecordedEvent {
    /// Its number, counted from 1.
    seq: u64,
    /// When it was decided, RFC 3339.
    at: String,
    /// What happened, without personal data.
    #[schema(value_type = Object)]
    fact: serde_json::Value,
    /// What of it is personal; only when it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    personal: Option<serde_json::Value>,
    /// Whether something of it is personal and was left out.
    masked: bool,
}

impl RecordedEvent {
    pub(crate) fn new(seq: u64, event: &Event, personal: bool) -> Self {
        // Values that JSON has no form for do not occur in events.
        let json = |value: Result<serde_json::Value, serde_json::Error>| value.unwrap_or_default();
        Self {
            seq,
            at: rfc3339(event.at),
            fact: json(serde_json::to_value(&event.fact)),
            personal: event
                .personal
                .as_ref()
                .filter(|_| personal)
                .map(|personal| json(serde_json::to_value(personal))),
            masked: event.personal.is_some() && !personal,
        }
    }
}

/// A page of a contact's events.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Events {
    pub(crate) events: Vec<RecordedEvent>,
    /// The `after` of the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<u64>,
}

/// A release.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReleaseState {
    /// Its id.
    release: String,
    /// The hotline's name.
    hotline: String,
    /// `built`, `current`, `draining` or `drained`.
    stage: &'static str,
    /// How many contacts are on it.
    contacts: usize,
    /// When it was built, RFC 3339.
    built: String,
    /// The numbers it answers.
    numbers: Vec<String>,
    /// What the check found and let pass.
    warnings: Vec<Finding>,
}

impl From<&Overview> for ReleaseState {
    fn from(overview: &Overview) -> Self {
        let release = &overview.release;
        Self {
            release: release.id().to_string(),
            hotline: release.hotline().name.to_string(),
            stage: overview.stage.as_str(),
            contacts: release.contacts(),
            built: rfc3339(release.built()),
            numbers: release
                .hotline()
                .numbers
                .keys()
                .map(ToString::to_string)
                .collect(),
            warnings: release.warnings().iter().map(finding).collect(),
        }
    }
}

impl ReleaseState {
    pub(crate) const fn is_current(overview: &Overview) -> bool {
        matches!(overview.stage, Stage::Current)
    }
}

/// What became of a build.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BuildReport {
    /// Counted from 1 since the server started.
    number: u64,
    /// When, RFC 3339.
    at: String,
    /// `live`, `unchanged`, `built`, `refused` or `failed`.
    verdict: &'static str,
    /// The release, when there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    release: Option<String>,
    /// How long it took.
    took_ms: u64,
    /// What was found.
    findings: Vec<Finding>,
    /// The findings as text for people.
    text: String,
}

impl From<&Report> for BuildReport {
    fn from(report: &Report) -> Self {
        Self {
            number: report.number,
            at: rfc3339(report.at),
            verdict: report.verdict.as_str(),
            release: report.release.map(|release| release.to_string()),
            took_ms: report.took.as_millis(),
            findings: report.findings.iter().map(finding).collect(),
            text: report.text.clone(),
        }
    }
}

/// The releases there are, and the last builds.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Releases {
    /// The current one first.
    pub(crate) releases: Vec<ReleaseState>,
    /// The last builds, the newest last.
    pub(crate) reports: Vec<BuildReport>,
}

/// A plugin of the current release.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PluginState {
    /// Its name in the hotline.
    plugin: String,
    /// Whose it is.
    department: String,
    /// Where its component is, as hotline.yaml says it.
    component: String,
    /// The digest of the component.
    digest: String,
    /// Its functions, as flows call them.
    functions: Vec<FunctionState>,
    /// What it wants of its host, in words.
    wants: Vec<String>,
    /// What grants.yaml lets it reach and use.
    grants: GrantState,
    /// Calls that ended, under this name, in all releases.
    calls: u64,
    /// Of those, answered.
    answers: u64,
    /// Of those, refused with the function's own error.
    refusals: u64,
    /// Of those, failed, by kind of fault.
    faults: BTreeMap<&'static str, u64>,
    /// Calls under way.
    running: usize,
    /// Calls that wait until others have ended.
    waiting: usize,
    /// Whether calls are let through: `closed` when they are, `open` when they fault at once
    /// after repeated faults, `probing` when one is let through to see.
    breaker: &'static str,
    /// What its calls have used since the server began.
    used: UsedState,
    /// How often calls of its interfaces succeed, of those that were called since the start.
    interfaces: Vec<InterfaceState>,
}

/// How an interface of a plugin does, in the window that hotline.yaml sets.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InterfaceState {
    /// Its name.
    interface: String,
    /// Calls in the window.
    calls: u64,
    /// Those that faulted. A refusal is an answer.
    failures: u64,
    /// The share of calls that succeeded, from 0 to 1.
    rate: f64,
    /// The share that is expected.
    expected: f64,
    /// The window's length in seconds.
    window_s: u64,
    /// Out of how many calls at least the rate is judged.
    least: u32,
    /// Since when less succeed than is expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    breached_since: Option<String>,
}

impl From<&Standing> for InterfaceState {
    fn from(standing: &Standing) -> Self {
        Self {
            interface: standing.interface.to_string(),
            calls: standing.calls,
            failures: standing.failures,
            rate: standing.rate(),
            expected: standing.expected.rate.share(),
            window_s: standing.expected.window.as_millis() / 1_000,
            least: standing.expected.least,
            breached_since: standing.breached.map(rfc3339),
        }
    }
}

/// An interface that fell below what is expected of it, or came back.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SuccessChange {
    /// When.
    at: String,
    /// `breached` or `recovered`.
    change: &'static str,
    /// The plugin.
    plugin: String,
    /// Whose it is.
    department: String,
    /// How the interface stood then.
    standing: InterfaceState,
}

impl From<&Change> for SuccessChange {
    fn from(change: &Change) -> Self {
        Self {
            at: rfc3339(change.at),
            change: if change.standing.breached.is_some() {
                "breached"
            } else {
                "recovered"
            },
            plugin: change.standing.plugin.to_string(),
            department: change.department.to_string(),
            standing: InterfaceState::from(&change.standing),
        }
    }
}

/// The last changes of interfaces' success.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SuccessChanges {
    pub(crate) changes: Vec<SuccessChange>,
}

/// What a plugin's calls have used.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UsedState {
    /// Milliseconds for which they kept a processor busy.
    busy_ms: u64,
    /// The most memory that one of them had, in bytes.
    memory_high_bytes: u64,
    /// Requests over HTTP that left.
    http_requests: u64,
    /// Bytes of bodies sent.
    http_sent_bytes: u64,
    /// Bytes of bodies received.
    http_received_bytes: u64,
    /// Bytes of values read from its key-value store.
    kv_read_bytes: u64,
    /// Bytes of keys and values written there.
    kv_written_bytes: u64,
    /// Lines logged.
    log_lines: u64,
    /// Lines that did not reach the log because there were too many.
    log_lines_dropped: u64,
}

impl From<&Usage> for UsedState {
    fn from(usage: &Usage) -> Self {
        Self {
            busy_ms: u64::try_from(usage.busy.as_millis()).unwrap_or(u64::MAX),
            memory_high_bytes: usage.memory_high_bytes,
            http_requests: usage.http_requests,
            http_sent_bytes: usage.http_sent_bytes,
            http_received_bytes: usage.http_received_bytes,
            kv_read_bytes: usage.kv_read_bytes,
            kv_written_bytes: usage.kv_written_bytes,
            log_lines: usage.log_lines,
            log_lines_dropped: usage.log_lines_dropped,
        }
    }
}

/// What a plugin is granted.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GrantState {
    /// The requests it may make.
    http: Vec<String>,
    /// The private networks that names may resolve into.
    networks: Vec<String>,
    /// Bytes that it may keep in its key-value store; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    kv_bytes: Option<String>,
    /// Names of the secrets that it may use, each with the place where alone it may go.
    secrets: BTreeMap<String, String>,
    /// Labels of personal data that flows may pass to it.
    data: Vec<String>,
    /// The longest that a call may take.
    time: String,
    /// The most memory that a call may use.
    memory: String,
    /// Calls at once.
    concurrent: u32,
    /// Calls that may wait for one of those.
    waiting: u32,
    /// Sandboxes kept free for its department.
    reserve: u32,
}

impl From<&Grants> for GrantState {
    fn from(grants: &Grants) -> Self {
        Self {
            http: grants.http.iter().map(ToString::to_string).collect(),
            networks: grants.networks.iter().map(ToString::to_string).collect(),
            kv_bytes: grants.kv.map(|kv| kv.bytes.to_string()),
            secrets: grants
                .secrets
                .iter()
                .map(|(name, place)| (name.to_string(), place.to_string()))
                .collect(),
            data: grants.data.clone(),
            time: grants.limits.time.to_string(),
            memory: grants.limits.memory.to_string(),
            concurrent: grants.limits.concurrent,
            waiting: grants.limits.waiting,
            reserve: grants.limits.reserve,
        }
    }
}

/// A function of a plugin.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FunctionState {
    /// The name that flows write after the plugin's.
    name: String,
    /// What it takes and gives, and how it says no.
    signature: String,
    /// What its department wrote about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    docs: Option<String>,
}

impl PluginState {
    pub(crate) fn new(name: &str, loaded: &LoadedPlugin, interfaces: &[Standing]) -> Self {
        let plugin = &loaded.plugin;
        let statistics = plugin.statistics();
        Self {
            plugin: name.to_owned(),
            department: loaded.department.to_string(),
            component: loaded.path.to_string(),
            digest: loaded.component.to_string(),
            functions: plugin
                .interface()
                .functions
                .iter()
                .map(|signature| FunctionState {
                    name: signature.path(),
                    signature: signature.to_string(),
                    docs: signature.docs.clone(),
                })
                .collect(),
            wants: plugin
                .wants()
                .capabilities()
                .iter()
                .map(ToString::to_string)
                .collect(),
            grants: GrantState::from(plugin.grants()),
            calls: statistics.calls,
            answers: statistics.answers,
            refusals: statistics.refusals,
            faults: statistics
                .faults
                .iter()
                .map(|(kind, count)| (kind.as_str(), *count))
                .collect(),
            running: statistics.running,
            waiting: statistics.waiting,
            breaker: statistics.breaker.as_str(),
            used: UsedState::from(&statistics.usage),
            interfaces: interfaces.iter().map(InterfaceState::from).collect(),
        }
    }
}

/// The plugins of the current release.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Plugins {
    pub(crate) plugins: Vec<PluginState>,
}

/// A finding on the wire.
pub(crate) fn finding(diagnostic: &Diagnostic) -> Finding {
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Finding {
        code: diagnostic.code.to_string(),
        severity: diagnostic.severity.as_str().to_owned(),
        file: diagnostic.file.to_string(),
        line: number(diagnostic.line),
        column: number(diagnostic.column),
        message: diagnostic.message.clone(),
        mend: (!diagnostic.help.is_empty()).then(|| diagnostic.help.join(" ")),
    }
}
