//! What loads and what does not, and how it is said.

use std::sync::Arc;

use trunkline_model::{FaultKind, Value};
use trunkline_plugin::{Capability, Grants, Host, LoadError, Plugin, Settings};

use crate::guests::{
    ADVERSARY, adversary, answer, call, deployment, fault, grants, host, host_with, int, least,
};

async fn load(host: &Arc<Host>, bytes: impl Into<Arc<[u8]>>) -> Result<Plugin, LoadError> {
    host.load(bytes.into(), deployment("made", Grants::default()))
        .await
}

async fn load_text(host: &Arc<Host>, text: &str) -> Result<Plugin, LoadError> {
    load(host, wat::parse_str(text).expect("well-formed text")).await
}

/// A component without imports that exports functions over plain values.
const PLAIN: &str = r#"
(component
  (core module $code
    (func (export "double") (param i64) (result i64) (i64.mul (local.get 0) (i64.const 2)))
    (func (export "lie") (result i32) (i32.const 7))
    (func (export "beyond") (result i32) (i32.store (i32.const 8) (i32.const 65000))
      (i32.store (i32.const 12) (i32.const 9999999)) (i32.const 8))
    (func (export "broken-text") (result i32) (i32.store (i32.const 8) (i32.const 100))
      (i32.store (i32.const 12) (i32.const 1)) (i32.store8 (i32.const 100) (i32.const 0xff)) (i32.const 8))
    (memory (export "memory") 1))
  (core instance $code (instantiate $code))
  (func (export "double") (param "value" u64) (result u64) (canon lift (core func $code "double")))
  (func (export "lie") (result bool) (canon lift (core func $code "lie")))
  (type $mood (enum "calm" "angry"))
  (export $named "mood" (type $mood))
  (func (export "mood-of-seven") (result $named) (canon lift (core func $code "lie")))
  (func (export "beyond") (result string)
    (canon lift (core func $code "beyond") (memory $code "memory")))
  (func (export "broken-text") (result string)
    (canon lift (core func $code "broken-text") (memory $code "memory"))))
"#;

#[tokio::test]
async fn a_component_from_elsewhere_without_imports_is_called() {
    let host = host();
    let plugin = load_text(&host, PLAIN).await.unwrap();
    assert_eq!(plugin.wants().capabilities(), []);
    let signatures: Vec<_> = plugin
        .interface()
        .functions
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(signatures[0], "double(value: u64) -> u64");
    assert_eq!(
        answer(call(&plugin, "double", [int(1 << 62)]).await),
        int(1 << 63)
    );
    assert_eq!(answer(call(&plugin, "lie", []).await), Value::Bool(true));
}

#[tokio::test]
async fn answers_that_break_the_rules_are_faults() {
    let host = host();
    let plugin = load_text(&host, PLAIN).await.unwrap();
    for function in ["mood-of-seven", "beyond", "broken-text"] {
        let (kind, message) = fault(call(&plugin, function, []).await);
        assert_eq!(kind, FaultKind::Trap, "{function}: {message}");
    }
}

/// What tool chains export of their own, as that of Python does, beside one function of a department.
const TOOLED: &str = r#"
(component
  (core module $code (func (export "seven") (result i32) (i32.const 7)))
  (core instance $code (instantiate $code))
  (func $seven (result u32) (canon lift (core func $code "seven")))
  (component $tooling
    (import "seven" (func $seven (result u32)))
    (type $kind (enum "plain" "nested"))
    (export $named "option-kind" (type $kind))
    (export "init" (func $seven)))
  (instance $exports (instantiate $tooling (with "seven" (func $seven))))
  (export "exports" (instance $exports))
  (export "seven" (func $seven)))
"#;

#[tokio::test]
async fn what_a_tool_chain_exports_of_its_own_is_not_shown() {
    let plugin = load_text(&host(), TOOLED).await.unwrap();
    let interface = plugin.interface();
    let functions: Vec<_> = interface.functions.iter().map(ToString::to_string).collect();
    assert_eq!(functions, ["seven() -> u32"]);
    assert!(interface.types.is_empty(), "{:?}", interface.types);
}

/// An answer of a few bytes that stands for gigabytes: each element is the same long list.
const BOMB: &str = r#"
(component
  (core module $code
    (func (export "bomb") (result i32) (local $at i32)
      (local.set $at (i32.const 1024))
      (loop $more
        (i32.store (local.get $at) (i32.const 1024))
        (i32.store offset=4 (local.get $at) (i32.const 60000))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br_if $more (i32.lt_u (local.get $at) (i32.const 60000))))
      (i32.store (i32.const 8) (i32.const 1024))
      (i32.store (i32.const 12) (i32.const 7000))
      (i32.const 8))
    (memory (export "memory") 2))
  (core instance $code (instantiate $code))
  (func (export "bomb") (result (list (list u8)))
    (canon lift (core func $code "bomb") (memory $code "memory"))))
"#;

#[tokio::test]
async fn an_answer_is_counted_as_it_is_read() {
    let host = host();
    let plugin = load_text(&host, BOMB).await.unwrap();
    let (kind, message) = fault(call(&plugin, "bomb", []).await);
    assert_eq!(kind, FaultKind::TooLarge, "{message}");
}

#[tokio::test]
async fn what_is_no_component_is_refused_in_words() {
    let host = host();
    let random: Vec<u8> = (0_u32..4_096)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let mut cut = ADVERSARY.to_vec();
    cut.truncate(cut.len() / 2);
    let mut flipped = ADVERSARY.to_vec();
    flipped[2_000..2_200].fill(0xee);
    let module = wat::parse_str("(module (func (export \"f\")))").unwrap();
    for (bytes, code) in [
        (vec![], "component-not-wasm"),
        (b"plugin".to_vec(), "component-not-wasm"),
        (random.clone(), "component-not-wasm"),
        ([b"\0asm".as_slice(), &random].concat(), "component-invalid"),
        (b"\0asm\x0d\0\x01\0".to_vec(), "exports-none"),
        (cut, "component-invalid"),
        (flipped, "component-invalid"),
        (module, "component-is-core-module"),
    ] {
        let length = bytes.len();
        let error = load(&host, bytes).await.unwrap_err();
        assert_eq!(error.code(), code, "{length} bytes: {error}");
    }
}

#[tokio::test]
async fn a_damaged_component_never_harms_the_host() {
    let host = host();
    let component = wat::parse_str(PLAIN).unwrap();
    for position in (8..component.len()).step_by(7) {
        let mut bytes = component.clone();
        bytes[position] ^= 0x15;
        if let Ok(plugin) = load(&host, bytes).await {
            for signature in plugin.interface().functions.clone() {
                let _ = call(&plugin, signature.function.as_str(), [int(1)]).await;
            }
        }
    }
    assert!(load(&host, component).await.is_ok());
}

#[tokio::test]
async fn exports_that_flows_cannot_carry_are_refused() {
    let host = host();
    let resource = r#"
        (component
          (type $handle (resource (rep i32)))
          (export $exported "handle" (type $handle))
          (core module $code (func (export "f") (param i32)))
          (core instance $code (instantiate $code))
          (func (export "close") (param "it" (own $exported)) (canon lift (core func $code "f"))))
    "#;
    let error = load_text(&host, resource).await.unwrap_err();
    assert_eq!(error.code(), "export-unsupported");
    assert!(
        error
            .to_string()
            .contains("`handle`, which is or uses a resource"),
        "{error}"
    );

    let asynchronous = r#"
        (component
          (core module $code (func (export "f")) (func (export "cb") (param i32 i32 i32) (result i32) unreachable))
          (core instance $code (instantiate $code))
          (type $async (func async))
          (func (export "later") (type $async) (canon lift (core func $code "f") async)))
    "#;
    let error = load_text(&host, asynchronous).await.unwrap_err();
    assert_eq!(error.code(), "component-too-new", "{error}");
    let stream = r#"(component (type $s (stream u8)) (import "f" (func (param "s" $s))))"#;
    let error = load_text(&host, stream).await.unwrap_err();
    assert_eq!(error.code(), "component-too-new", "{error}");
    assert_eq!(
        load_text(&host, "(component)").await.unwrap_err().code(),
        "exports-none"
    );
}

#[tokio::test]
async fn unknown_imports_are_named() {
    let host = host();
    for (import, said) in [
        ("civil:crm/store@1.0.0", "compose the component"),
        ("wasi:keyvalue/store@0.2.0", "of WASI it has"),
        ("wasi:cli/environment@0.3.0", "it runs WASI 0.2"),
        ("trunkline:host/fax@0.1.0", "has call, log, config, kv, secrets"),
        (
            "trunkline:host/kv@0.2.0",
            "this Trunkline has trunkline:host@0.1.0",
        ),
    ] {
        let text = format!(r#"(component (import "{import}" (instance (export "get" (func)))))"#);
        let error = load_text(&host, &text).await.unwrap_err();
        assert_eq!(error.code(), "import-unknown");
        let message = error.to_string();
        assert!(
            message.contains(&format!("`{import}`")) && message.contains(said),
            "{message}"
        );
    }
    // Known by name, with another shape.
    let text = r#"(component (import "trunkline:host/log@0.1.0" (instance (export "shout" (func)))) (core module $m (func (export "f"))) (core instance $m (instantiate $m)) (func (export "f") (canon lift (core func $m "f"))))"#;
    let error = load_text(&host, text).await.unwrap_err();
    assert_eq!(error.code(), "import-mismatch", "{error}");
}

#[tokio::test]
async fn a_want_without_a_grant_prints_the_line_to_add() {
    let host = host();
    let without = |grants| host.load(ADVERSARY.clone(), deployment("crm", grants));
    let error = without(grants(serde_json::json!({ "kv": true })))
        .await
        .unwrap_err();
    let message = error.to_string();
    assert!(matches!(
        error,
        LoadError::NotGranted(missing) if missing.capabilities() == [Capability::Http]
    ));
    assert!(message.contains("\ncrm:\n  http: [\""), "{message}");
    let error = without(grants(serde_json::json!({ "http": ["GET http://a.example/"] })))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("\ncrm:\n  kv: true\n"), "{error}");
    // Everything at once.
    let message = without(Grants::default()).await.unwrap_err().to_string();
    assert!(message.contains("\ncrm:\n  kv: true\n  http: [\""), "{message}");

    let mut small = least();
    small.limits.memory = "128KiB".parse().unwrap();
    let error = without(small).await.unwrap_err();
    assert_eq!(error.code(), "limit-memory");
    let mut huge = least();
    huge.limits.memory = "8GiB".parse().unwrap();
    assert_eq!(without(huge).await.unwrap_err().code(), "limits-unworkable");
    let mut none = least();
    none.limits.concurrent = 0;
    assert_eq!(without(none).await.unwrap_err().code(), "limits-unworkable");
}

#[tokio::test]
async fn inspection_needs_no_grants() {
    let host = host();
    let inspection = host.inspect(ADVERSARY.clone()).await.unwrap();
    assert_eq!(inspection.bytes, ADVERSARY.len());
    assert_eq!(inspection.digest, trunkline_model::Digest::of(&ADVERSARY));
    assert_eq!(
        inspection.wants.capabilities(),
        [
            Capability::Call,
            Capability::Log,
            Capability::Config,
            Capability::KeyValues,
            Capability::Http
        ]
    );
    assert!(inspection.interface.find("find").next().is_some());
    assert!(inspection.initial_memory > 0);
}

#[tokio::test]
async fn a_large_guest_has_a_pool_of_its_own() {
    let host = host();
    let text = PLAIN.replace(
        "(memory (export \"memory\") 1)",
        "(memory (export \"memory\") 200)",
    );
    let plugin = load_text(&host, &text).await.unwrap();
    assert_eq!(answer(call(&plugin, "double", [int(4)]).await), int(8));
    let text = PLAIN.replace(
        "(memory (export \"memory\") 1)",
        "(memory (export \"memory\") 60000)",
    );
    assert_eq!(
        load_text(&host, &text).await.unwrap_err().code(),
        "component-too-demanding"
    );
}

#[tokio::test]
async fn a_compiled_component_is_found_again_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        cache: Some(folder.path().join("compiled")),
        ..Settings::default()
    };
    for _ in 0..2 {
        let host = host_with(settings.clone());
        let plugin = adversary(&host, "kept", least()).await;
        assert_eq!(answer(call(&plugin, "add", [int(1), int(2)]).await), int(3));
    }
    let kept: Vec<_> = std::fs::read_dir(folder.path().join("compiled"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(kept.len(), 2, "{kept:?}");
}
