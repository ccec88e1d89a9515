//! A loaded plugin, and one call of it.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::Arc,
};

use trunkline_model::{
    CallId, Digest, Duration, FunctionName, Outcome, PluginName, Signature, Value, signature::Interface,
};

use crate::{
    Bench, Grants, Manifest, Measurement, SecretName, Statistics, Wants,
    beginning::Share,
    bench::Probe,
    breaker::Breaker,
    call,
    compiled::Compiled,
    egress::Egress,
    host::{Department, Inner},
    introspect::Export,
    measures::FunctionMetrics,
    pace::Pace,
    shared::Shared,
    usage::{Meter, Used},
};

/// A plugin ready to be called. Cheap to clone; the last clone dropped unloads it.
#[derive(Clone)]
pub struct Plugin(pub(crate) Arc<Loaded>);

/// One call of a function.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The function, by its full name as in [`Interface`].
    pub function: FunctionName,
    /// An argument for each parameter, in order; trailing optional ones may be left out.
    pub arguments: Vec<Value>,
    /// The same for all attempts: the plugin's idempotency key.
    pub id: CallId,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// The contact's language, a BCP 47 tag.
    pub locale: String,
    /// The time that the call may take, waiting for a slot included.
    pub time: Duration,
}

/// A component with its name, its grants and what goes with them.
pub(crate) struct Loaded {
    pub(crate) name: PluginName,
    pub(crate) config: BTreeMap<String, String>,
    pub(crate) grants: Grants,
    pub(crate) compiled: Arc<Compiled>,
    /// What the component exports, and after it what it says that it offers.
    pub(crate) interface: Arc<Interface>,
    pub(crate) department: Department,
    pub(crate) department_name: Arc<str>,
    /// Of the threads that call it.
    pub(crate) share: Arc<Share>,
    pub(crate) egress: Egress,
    pub(crate) breaker: Arc<Breaker>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) meter: Arc<Meter>,
    pub(crate) host: Arc<Inner>,
    pub(crate) functions: HashMap<FunctionName, usize>,
    /// By position, like the interface's functions.
    pub(crate) called: Vec<Called>,
}

impl Loaded {
    /// The export by which a function is called.
    pub(crate) fn export(&self, position: usize) -> &Export {
        match (self.compiled.functions.get(position), &self.compiled.dynamic) {
            (Some(export), _) => export,
            (None, Some(dynamic)) => &dynamic.run,
            (None, None) => unreachable!("a function is exported or claimed"),
        }
    }

    /// A function that is claimed rather than exported.
    pub(crate) fn claimed(&self, position: usize) -> Option<&Signature> {
        (position >= self.compiled.functions.len()).then(|| &self.interface.functions[position])
    }

    /// Whether one more line about this plugin may be written that its guest can bring about as often as it
    /// likes: it counts as one of the guest's own.
    pub(crate) fn may_log(&self) -> bool {
        let passes = self.shared.log.admit();
        let used = if passes {
            Used::LogLines
        } else {
            Used::LogLinesDropped
        };
        self.meter.add(used, 1);
        passes
    }

    /// Adds what the component says that it offers.
    pub(crate) fn claim(&mut self, claims: Interface) {
        let interface = Arc::make_mut(&mut self.interface);
        interface.functions.extend(claims.functions);
        interface.types.extend(claims.types);
        self.index();
    }

    /// Finds functions by name, and makes room for what is kept about each.
    pub(crate) fn index(&mut self) {
        let functions = &self.interface.functions;
        self.functions = functions
            .iter()
            .enumerate()
            .map(|(position, signature)| (signature.function.clone(), position))
            .collect();
        self.called = functions.iter().map(|_| Called::default()).collect();
    }
}

/// What is kept about one function's calls.
#[derive(Default)]
pub(crate) struct Called {
    pub(crate) metrics: FunctionMetrics,
    pub(crate) pace: Pace,
}

impl Plugin {
    /// Its functions and types.
    pub fn interface(&self) -> &Arc<Interface> {
        &self.0.interface
    }

    /// The digest of its component.
    pub fn digest(&self) -> Digest {
        self.0.compiled.digest
    }

    /// Its name in the hotline.
    pub fn name(&self) -> &PluginName {
        &self.0.name
    }

    /// What it imports.
    pub fn wants(&self) -> &Wants {
        &self.0.compiled.wants
    }

    /// What it is granted.
    pub fn grants(&self) -> &Grants {
        &self.0.grants
    }

    /// The granted secrets that have no value on this server; none where nobody keeps secrets.
    pub fn secrets_without_value(&self) -> Vec<SecretName> {
        let Some(secrets) = &self.0.host.secrets else {
            return Vec::new();
        };
        let granted = self.0.grants.secrets.keys();
        granted
            .filter(|name| secrets.value(name).is_none())
            .cloned()
            .collect()
    }

    /// What it says of itself, if it does.
    pub fn manifest(&self) -> Option<&Manifest> {
        self.0.compiled.manifest.as_ref()
    }

    /// Makes this version's limits those of all calls under its name. Versions of a plugin
    /// share how many calls may run at once and how much may be logged; until one takes over,
    /// the limits of the first that was loaded hold. The breaker that operators see is this version's.
    pub fn take_over(&self) {
        self.0.shared.take_over(&self.0.grants.limits);
        self.0.meter.breaker(self.0.breaker.state());
    }

    /// What has come of the calls under its name.
    pub fn statistics(&self) -> Statistics {
        let shared = &self.0.shared;
        shared.counts.read(
            (shared.concurrent.held(), shared.concurrent.waiting()),
            shared.usage.read(),
            self.0.breaker.state(),
        )
    }

    /// Calls a function in a sandbox of its own. Never fails and never panics: whatever goes
    /// wrong is a fault. When the future is dropped the guest is stopped.
    pub async fn call(&self, call: Call) -> Outcome {
        call::call(&self.0, call, None).await
    }

    /// Calls a function as [`Plugin::call`] does, and measures what it takes; who answers its
    /// requests is for the bench to say.
    pub async fn call_measured(&self, call: Call, bench: Bench) -> (Outcome, Measurement) {
        let probe = Arc::new(Probe::new(bench));
        let outcome = call::call(&self.0, call, Some(probe.clone())).await;
        (outcome, probe.measurement())
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin")
            .field("name", &self.0.name)
            .field("digest", &self.digest())
            .finish_non_exhaustive()
    }
}
