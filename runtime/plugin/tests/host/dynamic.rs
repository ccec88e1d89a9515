//! Components that describe their functions themselves: a real one, and ones that lie.

use std::{collections::BTreeMap, sync::Arc};

use trunkline_model::{Duration, FaultKind, Outcome, Value};
use trunkline_plugin::{Deployment, Grants, Host, LoadError, Plugin};
use wit_parser::{Resolve, UnresolvedPackageGroup};

use crate::guests::{answer, built, call, call_within, deployment, fault, grants, host, int};

async fn rule_book(host: &Arc<Host>, rules: Option<&str>) -> Result<Plugin, LoadError> {
    let config = rules.map(|rules| ("rules".to_owned(), rules.to_owned()));
    let deployment = Deployment {
        config: BTreeMap::from_iter(config),
        ..deployment("rules", Grants::default())
    };
    host.load(built("rule-book"), deployment).await
}

#[tokio::test]
async fn an_interpreter_of_rules_is_called_like_any_plugin() {
    let host = host();
    let plugin = rule_book(&host, None).await.unwrap();
    let signature = plugin.interface().find("which-office").next().unwrap();
    assert_eq!(
        signature.to_string(),
        "rules.which-office(district: which-office-district, matter: which-office-matter, daytime: bool) -> \
         which-office-answer or no-rule"
    );
    assert!(
        signature
            .docs
            .as_deref()
            .unwrap()
            .starts_with("Which office takes")
    );
    let office = |district: &str, matter: &str| {
        let arguments = [district.into(), matter.into(), true.into()];
        let plugin = plugin.clone();
        async move { call(&plugin, "which-office", arguments).await }
    };
    let answered = answer(office("xihu", "water").await);
    assert_eq!(answered.field("office"), Some(&"West Lake water works".into()));
    assert_eq!(answered.field("hours"), Some(&int(4)));
    let Outcome::Refusal(refusal) = office("xihu", "other").await else {
        panic!()
    };
    assert_eq!(&*refusal.case, "no-rule");
    // A trailing optional argument may be left out, as with any function.
    let answered = answer(call(&plugin, "rules.follow-up", [int(2)]).await);
    assert_eq!(answered.field("call_back"), Some(&Value::Bool(true)));
    let (kind, message) = fault(office("hangzhou", "water").await);
    assert_eq!(kind, FaultKind::Host);
    assert!(message.contains("argument `district`"), "{message}");
    assert_eq!(plugin.statistics().calls, 4);
}

#[tokio::test]
async fn what_it_offers_depends_on_its_settings() {
    let host = host();
    let text = "table greet\n  given name: text\n  gives text: text\n  if name = 王芳 then text = 您好\n  else text = hello\n";
    let plugin = rule_book(&host, Some(text)).await.unwrap();
    let functions = &plugin.interface().functions;
    let names: Vec<_> = functions.iter().map(trunkline_model::Signature::path).collect();
    assert_eq!(names, ["rules.greet"]);
    let greeted = answer(call(&plugin, "greet", ["王芳".into()]).await);
    assert_eq!(greeted.field("text"), Some(&"您好".into()));
    // Both versions of the book answer at once, each with its own functions.
    let other = rule_book(&host, None).await.unwrap();
    assert_eq!(other.digest(), plugin.digest());
    assert!(other.interface().find("greet").next().is_none());

    let error = rule_book(&host, Some("table t\n  gives a: number\n  else a = many\n"))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "export-undescribed");
    assert!(
        error.to_string().contains("line 3: `a` is a number, not `many`"),
        "{error}"
    );
}

#[tokio::test]
async fn inspection_tells_what_it_describes() {
    let host = host();
    let config = BTreeMap::from([(
        "rules".to_owned(),
        "table t\n gives a: text\n else a = b\n".to_owned(),
    )]);
    let inspection = host.inspect_with(built("rule-book"), config).await.unwrap();
    assert!(inspection.interface.find("t").next().is_some());
    let inspection = host.inspect(built("rule-book")).await.unwrap();
    assert!(inspection.interface.find("follow-up").next().is_some());
    assert!(inspection.interface.types.contains_key("which-office-answer"));
}

const WIT: &str = "package test:speaking;
world speaking {
  import wasi:random/random@0.2.0;
  export trunkline:dynamic/functions@0.1.0;
}
package wasi:random@0.2.0 { interface random { get-random-u64: func() -> u64; } }";

/// A component that describes itself in a text and answers every call with another one; `describe`
/// is what it does before it describes itself.
fn speaking(description: &str, answer: &str, describe: &str) -> Vec<u8> {
    doing(description, answer, describe, "")
}

/// The same, with what it does before it answers.
fn doing(description: &str, answer: &str, describe: &str, run: &str) -> Vec<u8> {
    let data = |text: &str| {
        let bytes: String = text.bytes().map(|byte| format!("\\{byte:02x}")).collect();
        bytes
    };
    let mut module = wat::parse_str(format!(
        r#"(module
          (import "wasi:random/random@0.2.0" "get-random-u64" (func $random (result i64)))
          (memory (export "memory") 1)
          (global $free (mut i32) (i32.const 16384))
          (data (i32.const 4096) "{}")
          (data (i32.const 8192) "{}")
          (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
            (local.set $at (global.get $free))
            (global.set $free (i32.add (global.get $free) (i32.and (i32.add (local.get 3) (i32.const 15)) (i32.const -8))))
            (local.get $at))
          (func (export "trunkline:dynamic/functions@0.1.0#describe") (result i32)
            {describe}
            (i32.store (i32.const 0) (i32.const 4096))
            (i32.store (i32.const 4) (i32.const {}))
            (i32.const 0))
          (func (export "trunkline:dynamic/functions@0.1.0#run") (param i32 i32 i32 i32) (result i32)
            {run}
            (i32.store (i32.const 32) (i32.const 0))
            (i32.store (i32.const 36) (i32.const 8192))
            (i32.store (i32.const 40) (i32.const {}))
            (i32.const 32)))"#,
        data(description),
        data(answer),
        description.len(),
        answer.len(),
    ))
    .unwrap();
    let mut resolve = Resolve::default();
    let mut push = |text: &str| {
        let group = UnresolvedPackageGroup::parse("test.wit", text).unwrap();
        resolve.push_group(group).unwrap()
    };
    push(include_str!("../../../../wit/dynamic-0.1.0/dynamic.wit"));
    let package = push(WIT);
    let world = resolve.packages[package].worlds["speaking"];
    wit_component::embed_component_metadata(
        &mut module,
        &resolve,
        world,
        wit_component::StringEncoding::UTF8,
    )
    .unwrap();
    wit_component::ComponentEncoder::default()
        .module(&module)
        .unwrap()
        .encode()
        .unwrap()
}

const RULES: &str = "package a:b; interface i { record r { n: u8 } f: func() -> r; }";

async fn load(host: &Arc<Host>, component: Vec<u8>) -> Result<Plugin, LoadError> {
    let grants = grants(serde_json::json!({ "limits": { "time": "300ms" } }));
    host.load(component.into(), deployment("speaking", grants)).await
}

#[tokio::test]
async fn both_sides_are_held_to_what_was_claimed() {
    let host = host();
    let plugin = load(&host, speaking(RULES, r#"{"n":7}"#, "")).await.unwrap();
    assert_eq!(answer(call(&plugin, "f", []).await).field("n"), Some(&int(7)));
    for lie in [r#"{"n":256}"#, r#"{"m":7}"#, "[7]", "seven", ""] {
        let plugin = load(&host, speaking(RULES, lie, "")).await.unwrap();
        let (kind, message) = fault(call(&plugin, "f", []).await);
        assert_eq!(kind, FaultKind::Host);
        assert!(message.contains("`i.f` is not what it claimed"), "{message}");
    }
}

#[tokio::test]
async fn claims_that_cannot_be_are_refused_in_words() {
    let host = host();
    for (description, code, said) in [
        ("", "export-claim", "no WIT package"),
        ("hello", "export-claim", "no WIT package"),
        ("package a:b;", "export-claim", "no function"),
        (
            "package a:b; interface i { use other:pkg/types.{t}; f: func(x: t); }",
            "export-claim",
            "no WIT package",
        ),
        (
            "package a:b; interface i { resource r; f: func(x: borrow<r>); }",
            "export-claim",
            "none that flows carry",
        ),
    ] {
        let error = load(&host, speaking(description, "", "")).await.unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().contains(said), "{description}: {error}");
    }
    // Another description each time: eight random letters in a comment.
    let letters = (0..8)
        .map(|letter| {
            format!(
                "(i32.store8 (i32.const {}) (i32.add (i32.const 97) (i32.and (i32.wrap_i64 (i64.shr_u (local.get $r) (i64.const {}))) (i32.const 15))))",
                4096 + 3 + letter,
                letter * 4
            )
        })
        .collect::<String>();
    let changing = format!("(local $r i64) (local.set $r (call $random)) {letters}");
    let description = format!("// xxxxxxxx\n{RULES}");
    let error = load(&host, speaking(&description, "", &changing))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("differently each time"), "{error}");
}

#[tokio::test]
async fn a_component_that_does_not_come_to_say_it_harms_nobody() {
    let host = host();
    for (describe, said) in [
        ("(loop $for-ever (br $for-ever))", "it took longer than 300ms"),
        ("unreachable", "unreachable"),
        ("(drop (memory.grow (i32.const 10000)))", "its limit is"),
    ] {
        let error = load(&host, speaking(RULES, "", describe)).await.unwrap_err();
        assert_eq!(error.code(), "export-undescribed", "{error}");
        assert!(error.to_string().contains(said), "{error}");
    }
    assert!(load(&host, speaking(RULES, r#"{"n":7}"#, "")).await.is_ok());
}

#[tokio::test]
async fn a_version_that_hangs_does_not_keep_its_mend_from_being_loaded() {
    let host = host();
    let grants = grants(serde_json::json!({ "limits": { "time": "60s", "concurrent": 1 } }));
    let load = |component: Vec<u8>| host.load(component.into(), deployment("speaking", grants.clone()));
    let hangs = doing(RULES, r#"{"n":7}"#, "", "(loop $for-ever (br $for-ever))");
    let hanging = load(hangs).await.unwrap();
    let held = tokio::spawn({
        let hanging = hanging.clone();
        async move { call_within(&hanging, "f", [], Duration::from_secs(60)).await }
    });
    while hanging.statistics().running == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    load(speaking(RULES, r#"{"n":7}"#, "")).await.unwrap();
    held.abort();
}

#[tokio::test]
async fn an_answer_that_becomes_too_much_is_a_fault() {
    let host = host();
    let description =
        "package a:b; interface i { record r { x: option<u8>, y: option<u8> } f: func() -> list<r>; }";
    // Eight kilobytes of text become three hundred of values.
    let component = speaking(description, &format!("[{}]", vec!["{}"; 2_700].join(",")), "");
    let grants = grants(serde_json::json!({ "limits": { "reply-bytes": "64KiB" } }));
    let plugin = host
        .load(component.into(), deployment("speaking", grants))
        .await
        .unwrap();
    let (kind, message) = fault(call(&plugin, "f", []).await);
    assert_eq!(kind, FaultKind::TooLarge, "{message}");
}

#[tokio::test]
async fn the_interface_in_another_form_is_refused() {
    let host = host();
    for version in ["0.1.0", "0.2.0"] {
        let text = format!(
            r#"(component
              (core module $m (func (export "f") (result i32) (i32.const 7)))
              (core instance $m (instantiate $m))
              (func $describe (result u32) (canon lift (core func $m "f")))
              (instance $functions (export "describe" (func $describe)))
              (export "trunkline:dynamic/functions@{version}" (instance $functions)))"#
        );
        let error = load(&host, wat::parse_str(text).unwrap()).await.unwrap_err();
        assert_eq!(error.code(), "export-mismatch", "{error}");
        assert!(
            error.to_string().contains("trunkline:dynamic/functions@0.1.0"),
            "{error}"
        );
    }
}
