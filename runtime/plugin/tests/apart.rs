//! Compiling in a process of its own. This test is a program without a test harness, since it is
//! itself the program that is started to compile.

use std::{process::ExitCode, sync::Arc};

use trunkline_model::Duration;
use trunkline_plugin::{
    Call, Deployment, Grants, Host, HostLimits, LoadError, MemoryKeyValues, Plugin, Settings, compiler,
};

const COMPONENT: &str = r#"(component
  (core module $m (func (export "f") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2))))
  (core instance $i (instantiate $m))
  (func (export "twice") (param "value" u32) (result u32) (canon lift (core func $i "f"))))"#;

fn main() -> ExitCode {
    if let Some(code) = compiler::serve_if_asked() {
        return code;
    }
    let runtime = tokio::runtime::Runtime::new().expect("threads start");
    runtime.block_on(async {
        is_called().await;
        ended("a_component_compiled_apart_is_called");
        is_kept().await;
        ended("what_was_compiled_apart_is_kept");
        is_bounded().await;
        ended("what_takes_too_long_or_too_much_is_refused");
        is_told().await;
        ended("what_is_broken_is_told_as_ever");
    });
    ended("result: ok. 4 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out");
    ExitCode::SUCCESS
}

#[expect(
    clippy::print_stdout,
    reason = "a harness of its own says what its tests came to"
)]
fn ended(test: &str) {
    if test.starts_with("result") {
        println!("\ntest {test}");
    } else {
        println!("test {test} ... ok");
    }
}

fn host(settings: Settings) -> Arc<Host> {
    Host::start(settings, Arc::new(MemoryKeyValues::new())).expect("the machine has room")
}

async fn load(host: &Arc<Host>, bytes: Vec<u8>) -> Result<Plugin, LoadError> {
    let deployment = Deployment {
        name: "made".into(),
        department: "test".to_owned(),
        config: [].into(),
        grants: Grants::default(),
    };
    host.load(bytes.into(), deployment).await
}

async fn twice(plugin: &Plugin) {
    let outcome = plugin
        .call(Call {
            function: "twice".into(),
            arguments: vec![trunkline_model::Value::Int(21)],
            id: "c-1".into(),
            attempt: 1,
            locale: "en".to_owned(),
            time: Duration::from_secs(10),
        })
        .await;
    assert_eq!(
        outcome,
        trunkline_model::Outcome::Ok(trunkline_model::Value::Int(42))
    );
}

fn component() -> Vec<u8> {
    wat::parse_str(COMPONENT).expect("well-formed text")
}

async fn is_called() {
    let host = host(Settings::default());
    twice(&load(&host, component()).await.expect("it loads")).await;
}

async fn is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = || Settings {
        cache: Some(folder.path().join("compiled")),
        ..Settings::default()
    };
    twice(&load(&host(settings()), component()).await.expect("it loads")).await;
    // Nothing can be compiled any more, and nothing need be.
    let idle = host(Settings {
        limits: HostLimits {
            compile_time: Duration::from_millis(0),
            ..HostLimits::default()
        },
        ..settings()
    });
    twice(&load(&idle, component()).await.expect("it is in the cache")).await;
}

async fn is_bounded() {
    let hasty = host(Settings {
        limits: HostLimits {
            compile_time: Duration::from_millis(1),
            ..HostLimits::default()
        },
        ..Settings::default()
    });
    let error = load(&hasty, component())
        .await
        .expect_err("a process takes longer to start");
    assert_eq!(error.code(), "component-too-complex", "{error}");
    assert!(error.to_string().contains("not compiled within 1ms"), "{error}");

    let poor = host(Settings {
        limits: HostLimits {
            compile_memory_bytes: 24 << 20,
            ..HostLimits::default()
        },
        ..Settings::default()
    });
    let functions = "(func (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))".repeat(40_000);
    let large = wat::parse_str(format!(
        "(component (core module $m (func (export \"f\")) {functions}) (core instance $i (instantiate $m))
           (func (export \"f\") (canon lift (core func $i \"f\"))))"
    ))
    .expect("well-formed text");
    let error = load(&poor, large).await.expect_err("it needs more");
    assert_eq!(error.code(), "component-too-complex", "{error}");
    assert!(error.to_string().contains("24MiB of memory"), "{error}");
}

async fn is_told() {
    let host = host(Settings::default());
    let mut broken = component();
    // The core function's body, so that only the validator can tell.
    let multiply = broken.iter().rposition(|byte| *byte == 0x6c).expect("i32.mul");
    broken[multiply] = 0x1a;
    let error = load(&host, broken).await.expect_err("it is broken");
    assert_eq!(error.code(), "component-invalid", "{error}");
}
