//! Real guests: the adversary, built from source once, and a host to load it into.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::Command,
    sync::{Arc, LazyLock},
};

use tokio::task::JoinHandle;
use trunkline_model::{CallId, Duration, FaultKind, Outcome, Value};
use trunkline_plugin::{Call, Deployment, Grants, Host, MemoryKeyValues, Plugin, Settings, Statistics};

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// The adversary's component.
pub(crate) static ADVERSARY: LazyLock<Arc<[u8]>> = LazyLock::new(|| built("adversary"));

/// The courier's component, which was built without an SDK.
pub(crate) static COURIER: LazyLock<Arc<[u8]>> = LazyLock::new(|| built("courier"));

/// A component of the departments' workspace, built from source.
pub(crate) fn built(package: &str) -> Arc<[u8]> {
    let plugins = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../plugins");
    let target = plugins.join("target");
    let built = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--release", "--target", "wasm32-wasip2", "-p", package])
        .current_dir(&plugins)
        // The guests' workspace has settings of its own, and ours would spoil them.
        .env("CARGO_TARGET_DIR", &target)
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("RUSTFLAGS")
        .status()
        .expect("cargo is there, since it runs this test");
    assert!(
        built.success(),
        "failed to build {package} in {}",
        plugins.display()
    );
    let file = format!("wasm32-wasip2/release/{}.wasm", package.replace('-', "_"));
    std::fs::read(target.join(file))
        .expect("cargo has just built it")
        .into()
}

/// A host with default settings, and what other tests have compiled.
pub(crate) fn host() -> Arc<Host> {
    host_with(settings())
}

/// Default settings, and what other tests have compiled.
pub(crate) fn settings() -> Settings {
    Settings {
        cache: Some(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("compiled-components")),
        ..Settings::default()
    }
}

pub(crate) fn host_with(settings: Settings) -> Arc<Host> {
    Host::start(settings, Arc::new(MemoryKeyValues::new())).expect("the machine has room for the pools")
}

/// Grants as grants.yaml gives them, here in JSON.
pub(crate) fn grants(json: serde_json::Value) -> Grants {
    serde_json::from_value(json).expect("the grants are well formed")
}

/// What lets the adversary load, and no more.
pub(crate) fn least() -> Grants {
    grants(serde_json::json!({ "http": ["GET http://nowhere.example/"], "kv": true }))
}

pub(crate) fn deployment(name: &str, grants: Grants) -> Deployment {
    Deployment {
        name: name.into(),
        department: format!("{name}'s department"),
        config: BTreeMap::from([("region".to_owned(), "330100".to_owned())]),
        grants,
    }
}

/// The adversary, loaded into a host.
pub(crate) async fn adversary(host: &Arc<Host>, name: &str, grants: Grants) -> Plugin {
    host.load(ADVERSARY.clone(), deployment(name, grants))
        .await
        .expect("the adversary loads")
}

/// Calls a function by the name that flows use.
pub(crate) async fn call(plugin: &Plugin, function: &str, arguments: impl Into<Vec<Value>>) -> Outcome {
    call_within(plugin, function, arguments, Duration::from_secs(10)).await
}

pub(crate) async fn call_within(
    plugin: &Plugin,
    function: &str,
    arguments: impl Into<Vec<Value>>,
    time: Duration,
) -> Outcome {
    let signature = plugin
        .interface()
        .find(function)
        .next()
        .expect("the function exists");
    plugin
        .call(Call {
            function: signature.function.clone(),
            arguments: arguments.into(),
            id: CallId::new("01j-1"),
            attempt: 2,
            locale: "zh-CN".to_owned(),
            time,
        })
        .await
}

/// A call that goes on beside the test.
pub(crate) fn calling(
    plugin: &Plugin,
    function: &'static str,
    arguments: impl Into<Vec<Value>>,
) -> JoinHandle<Outcome> {
    let (plugin, arguments) = (plugin.clone(), arguments.into());
    tokio::spawn(async move { call(&plugin, function, arguments).await })
}

/// Waits until something holds of a plugin's calls.
pub(crate) async fn until(plugin: &Plugin, holds: impl Fn(&Statistics) -> bool) {
    let coming = async {
        while !holds(&plugin.statistics()) {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    let came = tokio::time::timeout(PATIENCE.to_std(), coming).await;
    assert!(came.is_ok(), "it never came to that: {:?}", plugin.statistics());
}

/// The answer, or a panic that shows what came instead.
pub(crate) fn answer(outcome: Outcome) -> Value {
    match outcome {
        Outcome::Ok(value) => value,
        other => panic!("no answer but {other:?}"),
    }
}

/// The fault's kind and message, or a panic that shows what came instead.
pub(crate) fn fault(outcome: Outcome) -> (FaultKind, String) {
    match outcome {
        Outcome::Fault(fault) => (fault.kind, fault.message),
        other => panic!("no fault but {other:?}"),
    }
}

pub(crate) fn int(number: i128) -> Value {
    Value::Int(number)
}

pub(crate) fn case(name: &str, payload: Option<Value>) -> Value {
    Value::Variant {
        case: name.into(),
        payload: payload.map(Arc::new),
    }
}

/// What a request of the courier's is made of.
pub(crate) struct Errand<'a> {
    pub(crate) method: &'a str,
    pub(crate) scheme: &'a str,
    pub(crate) authority: &'a str,
    pub(crate) path: &'a str,
    pub(crate) headers: &'a [(&'a str, &'a str)],
    pub(crate) body: &'a str,
}

impl<'a> Errand<'a> {
    pub(crate) fn get(authority: &'a str, path: &'a str) -> Self {
        Self {
            method: "GET",
            scheme: "http",
            authority,
            path,
            headers: &[],
            body: "",
        }
    }

    /// The reply, or why there is none.
    pub(crate) async fn run(&self, courier: &Plugin) -> Result<Reply, String> {
        let headers = self
            .headers
            .iter()
            .map(|(name, value)| Value::list([Value::text(*name), Value::text(*value)]));
        let arguments = [
            self.method.into(),
            self.scheme.into(),
            self.authority.into(),
            self.path.into(),
            Value::list(headers),
            self.body.into(),
        ];
        match call(courier, "send", arguments).await {
            Outcome::Ok(reply) => Ok(Reply(reply)),
            Outcome::Refusal(refusal) => Err(refusal.payload.as_text().unwrap_or_default().to_owned()),
            Outcome::Fault(fault) => panic!("no reply but {fault:?}"),
        }
    }
}

/// What a service replied to the courier.
#[derive(Debug)]
pub(crate) struct Reply(Value);

impl Reply {
    fn field(&self, name: &str) -> &Value {
        match &self.0 {
            Value::Record(fields) => &fields[name],
            other => panic!("no reply: {other:?}"),
        }
    }

    pub(crate) fn body(&self) -> &str {
        self.field("body").as_text().expect("a body is text")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let Value::List(headers) = self.field("headers") else {
            return None;
        };
        headers.iter().find_map(|header| match header {
            Value::List(pair) if pair[0].as_text() == Some(name) => pair[1].as_text(),
            _ => None,
        })
    }
}
