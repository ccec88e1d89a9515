//! The stand that a component is tested on: a real host that measures, a key-value store that is
//! new for each call, and recorded replies in place of the network.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{Arc, PoisonError, RwLock},
    time::Duration as StdDuration,
};

use anyhow::anyhow;
use async_trait::async_trait;
use trunkline_flow::scenario::fits;
use trunkline_model::{
    CallId, Duration, Outcome, PluginName, Value,
    signature::{Interface, Signature},
};
use trunkline_plugin::{
    Bench, Call, Deployment, Host, HostLimits, KeyValues, Limits, Manifest, Measurement, MemoryKeyValues,
    Plugin, SecretName, SecretTable, SecretValue, Secrets, Settings,
    bench::Replies,
    key_values::{Entry, Expected as Version, KeyValueError, Quota},
};

use super::{
    recording::{Recorder, Replay},
    table::{Case, Expected, Http},
    values::written,
};
use crate::{exit::Failure, place, plugin::narrow};

/// A component on the stand.
pub(super) struct Stand {
    host: Arc<Host>,
    stores: Arc<Stores>,
    secrets: Arc<Held>,
    component: Arc<[u8]>,
    manifest: Manifest,
}

/// What came of a case.
pub(super) struct Ran {
    pub(super) outcome: Outcome,
    pub(super) usage: Measurement,
    /// Why it fails; nothing when it passes.
    pub(super) problems: Vec<String>,
}

impl Ran {
    pub(super) fn passed(&self) -> bool {
        self.problems.is_empty()
    }
}

/// One call.
pub(super) struct Calling<'a> {
    pub(super) function: &'a Signature,
    pub(super) arguments: Vec<Value>,
    pub(super) locale: &'a str,
    pub(super) attempt: u32,
    pub(super) kv: &'a BTreeMap<String, String>,
    pub(super) replies: Option<Arc<dyn Replies>>,
}

/// Bytes of a secret that a table does not give: those of a private key of Ed25519.
const SECRET_BYTES: usize = 32;

/// Room for what a case puts into the store, whatever the plugin is granted.
const ROOM: Quota = Quota {
    bytes: u64::MAX,
    keys: u64::MAX,
};

impl Stand {
    /// Puts a component on the stand, with the grants that it wants.
    pub(super) fn new(component: Arc<[u8]>, manifest: Manifest) -> Result<Self, Failure> {
        let stores = Arc::new(Stores::default());
        let secrets = Arc::new(Held::default());
        let settings = Settings {
            limits: HostLimits {
                // Whatever comes of one case is no reason not to run the next.
                breaker_faults: u32::MAX,
                ..narrow()
            },
            cache: place::cache(),
            counts_instructions: true,
            secrets: Some(secrets.clone()),
            ..Settings::default()
        };
        let host = Host::start(settings, stores.clone()).map_err(|error| Failure::from(anyhow!(error)))?;
        Ok(Self {
            host,
            stores,
            secrets,
            component,
            manifest,
        })
    }

    pub(super) const fn limits(&self) -> &Limits {
        &self.manifest.wants.limits
    }

    /// The secrets that the component wants: those that are given, and a value of our own for each other.
    ///
    /// # Errors
    /// One is given that it does not want.
    pub(super) fn test_secrets(
        &self,
        given: &BTreeMap<SecretName, SecretValue>,
    ) -> Result<Arc<dyn Secrets>, Failure> {
        let wanted = &self.manifest.wants.secrets;
        if let Some(name) = given.keys().find(|name| !wanted.contains_key(*name)) {
            return Err(Failure::usage(anyhow!(
                "a table gives the secret `{name}`, which plugin.toml does not want: add it to `secrets` under [wants]"
            )));
        }
        let mut table = SecretTable::default();
        for name in wanted.keys() {
            let value = match given.get(name) {
                Some(value) => value.clone(),
                None => made_up(name)?,
            };
            table.insert(name.clone(), value);
        }
        Ok(Arc::new(table))
    }

    /// The secrets that the component wants.
    pub(super) fn wanted_secrets(&self) -> impl Iterator<Item = &SecretName> {
        self.manifest.wants.secrets.keys()
    }

    /// Deploys the component with some settings and secrets. The secrets are those of all calls from now on.
    pub(super) async fn deploy(
        &self,
        config: &BTreeMap<String, String>,
        secrets: Arc<dyn Secrets>,
    ) -> Result<Plugin, Failure> {
        self.secrets.hold(secrets);
        let deployment = Deployment {
            name: self.manifest.name.clone(),
            department: self.manifest.department.clone(),
            config: config.clone(),
            grants: self.manifest.wants.clone(),
        };
        self.host
            .load(self.component.clone(), deployment)
            .await
            .map_err(|error| {
                Failure::from(anyhow!(
                    "{}",
                    error.to_string().replace(
                        "add to grants.yaml",
                        "add it to plugin.toml, under [wants] or [limits]"
                    )
                ))
            })
    }

    /// What the component offers.
    pub(super) async fn interface(&self) -> Result<Arc<Interface>, Failure> {
        let inspection = self
            .host
            .inspect(self.component.clone())
            .await
            .map_err(|error| Failure::from(anyhow!(error)))?;
        Ok(inspection.interface)
    }

    /// Makes one call, with a store of its own.
    pub(super) async fn call(&self, plugin: &Plugin, calling: Calling<'_>) -> (Outcome, Measurement) {
        self.stores.renew();
        for (key, value) in calling.kv {
            let value = value.clone().into_bytes();
            // The store in memory takes whatever there is room for.
            let _ = self
                .stores
                .set(plugin.name(), key, value, Version::Anything, None, ROOM)
                .await;
        }
        let call = Call {
            function: calling.function.function.clone(),
            arguments: calling.arguments,
            id: CallId::new("test-1"),
            attempt: calling.attempt,
            locale: calling.locale.to_owned(),
            time: Duration::from_millis(u64::from(u32::MAX)).min(self.limits().time),
        };
        let bench = Bench {
            replies: calling.replies,
        };
        plugin.call_measured(call, bench).await
    }

    /// Runs a case. With a recorder its requests go to the network.
    pub(super) async fn run(&self, plugin: &Plugin, case: &Case, recorder: Option<Arc<Recorder>>) -> Ran {
        let recording = match &case.http {
            Http::Inline(recording) | Http::File(_, recording) => recording.clone(),
        };
        let replay = Arc::new(Replay::new(recording));
        let recorded = recorder.is_some();
        let replies: Arc<dyn Replies> = match recorder {
            Some(recorder) => recorder,
            None => replay.clone(),
        };
        let calling = Calling {
            function: &case.function,
            arguments: case.arguments.clone(),
            locale: &case.locale,
            attempt: case.attempt,
            kv: &case.kv,
            replies: Some(replies),
        };
        let (outcome, usage) = self.call(plugin, calling).await;
        let mut problems: Vec<String> = unexpected(&case.expected, &outcome).into_iter().collect();
        if !recorded {
            problems.extend(
                replay
                    .unanswered()
                    .into_iter()
                    .map(|request| format!("it asked for {request}, which no recorded reply is for")),
            );
            if let Http::Inline(_) = case.http {
                problems.extend(
                    replay
                        .unused()
                        .into_iter()
                        .map(|(line, request)| format!("it never asked for {request} (line {line})")),
                );
            }
        }
        problems.extend(usage.denied.clone().filter(|_| !problems.is_empty()));
        problems.extend(self.kept_wrongly(plugin.name(), case).await);
        problems.extend(over(case, &usage));
        Ran {
            outcome,
            usage,
            problems,
        }
    }

    /// What is not in the store as it should be.
    async fn kept_wrongly(&self, plugin: &PluginName, case: &Case) -> Vec<String> {
        let mut problems = Vec::new();
        for (key, wanted) in &case.kv_after {
            let kept = self.stores.get(plugin, key).await.ok().flatten();
            let kept = kept.map(|entry| String::from_utf8_lossy(&entry.value).into_owned());
            if kept != *wanted {
                let told = |value: &Option<String>| {
                    value
                        .as_deref()
                        .map_or_else(|| "nothing".to_owned(), super::values::quoted)
                };
                problems.push(format!(
                    "under the key `{key}` it kept {}, not {}",
                    told(&kept),
                    told(wanted)
                ));
            }
        }
        problems
    }
}

/// What a case used over its own limits.
fn over(case: &Case, usage: &Measurement) -> Vec<String> {
    let mut problems = Vec::new();
    if let Some(most) = case.within.time.filter(|most| usage.time > *most) {
        problems.push(format!(
            "it took {}, more than {}",
            millis(usage.time),
            millis(most)
        ));
    }
    if let Some(most) = case.within.memory.filter(|most| usage.memory_peak > *most) {
        problems.push(format!(
            "it had {} of memory, more than {most}",
            usage.memory_peak
        ));
    }
    match (case.within.instructions, usage.instructions) {
        (Some(most), Some(instructions)) if instructions > most => {
            problems.push(format!("it ran {instructions} instructions, more than {most}"));
        }
        (Some(most), None) => {
            problems.push(format!(
                "it was stopped, and nobody knows whether it ran more than {most} instructions"
            ));
        }
        _ => {}
    }
    problems
}

pub(super) fn millis(time: StdDuration) -> String {
    format!("{:.1}ms", time.as_secs_f64() * 1_000.0)
}

/// How an outcome differs from what is expected.
fn unexpected(expected: &Expected, outcome: &Outcome) -> Option<String> {
    let as_expected = match (expected, outcome) {
        (Expected::Ok(None), Outcome::Ok(_)) => true,
        (Expected::Ok(Some(wanted)), Outcome::Ok(value)) => fits(wanted, value),
        (Expected::Refusal(case, payload), Outcome::Refusal(refusal)) => {
            *case == refusal.case
                && payload
                    .as_ref()
                    .is_none_or(|wanted| fits(wanted, &refusal.payload))
        }
        (Expected::Fault(kind), Outcome::Fault(fault)) => *kind == fault.kind,
        _ => false,
    };
    (!as_expected).then(|| {
        let mut text = format!("expected {}", expectation(expected));
        // Writing to a string does not fail.
        let _ = write!(text, "\nit gave  {}", told(outcome));
        text
    })
}

fn expectation(expected: &Expected) -> String {
    match expected {
        Expected::Ok(None) => "ok".to_owned(),
        Expected::Ok(Some(value)) => format!("ok: {}", written(value)),
        Expected::Refusal(case, None) => format!("refusal: {case}"),
        Expected::Refusal(case, Some(payload)) => format!("refusal: {{ {case}: {} }}", written(payload)),
        Expected::Fault(kind) => format!("fault: {kind}"),
    }
}

/// An outcome as a case expects it.
pub(super) fn told(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Ok(Value::None) => "ok".to_owned(),
        Outcome::Ok(value) => format!("ok: {}", written(value)),
        Outcome::Refusal(refusal) if refusal.payload.is_none() => format!("refusal: {}", refusal.case),
        Outcome::Refusal(refusal) => {
            format!("refusal: {{ {}: {} }}", refusal.case, written(&refusal.payload))
        }
        Outcome::Fault(fault) => format!("fault: {} ({})", fault.kind, fault.message),
    }
}

/// The value of a secret that a table does not give: the same each time, and a key of every algorithm.
fn made_up(name: &SecretName) -> Result<SecretValue, Failure> {
    let mut value = name.to_string().into_bytes();
    value.resize(SECRET_BYTES, b'.');
    SecretValue::new(value).map_err(|error| Failure::from(anyhow!(error)))
}

/// Secrets that are others whenever it is wished.
#[derive(Debug, Default)]
struct Held(RwLock<Option<Arc<dyn Secrets>>>);

impl Held {
    fn hold(&self, secrets: Arc<dyn Secrets>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(secrets);
    }
}

impl Secrets for Held {
    fn value(&self, name: &SecretName) -> Option<SecretValue> {
        let held = self.0.read().unwrap_or_else(PoisonError::into_inner);
        held.as_ref()?.value(name)
    }
}

/// Key-value stores that are new whenever it is wished.
#[derive(Default)]
struct Stores(RwLock<Arc<MemoryKeyValues>>);

impl Stores {
    fn renew(&self) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::default();
    }

    fn now(&self) -> Arc<MemoryKeyValues> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl KeyValues for Stores {
    async fn get(&self, plugin: &PluginName, key: &str) -> Result<Option<Entry>, KeyValueError> {
        self.now().get(plugin, key).await
    }

    async fn set(
        &self,
        plugin: &PluginName,
        key: &str,
        value: Vec<u8>,
        expected: Version,
        ttl: Option<Duration>,
        quota: Quota,
    ) -> Result<u64, KeyValueError> {
        self.now().set(plugin, key, value, expected, ttl, quota).await
    }

    async fn delete(&self, plugin: &PluginName, key: &str) -> Result<(), KeyValueError> {
        self.now().delete(plugin, key).await
    }

    async fn keys(
        &self,
        plugin: &PluginName,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, KeyValueError> {
        self.now().keys(plugin, prefix, after, limit).await
    }
}
