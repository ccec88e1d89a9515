//! Components from elsewhere: built without our SDK, or written by hand, called as they are.

use trunkline_model::{Outcome, Value};
use trunkline_plugin::{Grants, supported};

use crate::guests::{answer, built, call, deployment, host, int};

#[tokio::test]
async fn a_component_of_wit_bindgen_alone_is_called() {
    let host = host();
    let plugin = host
        .load(built("address-card"), deployment("cards", Grants::default()))
        .await
        .unwrap();
    assert!(plugin.manifest().is_none());
    assert_eq!(plugin.wants().capabilities(), []);
    let text =
        "id=330-1; name=王芳; district=西湖区; street=文三路 1; born=1990; household=7; registered=true";
    let card = answer(call(&plugin, "cards.read", [text.into()]).await);
    assert_eq!(card.field("name"), Some(&"王芳".into()));
    assert_eq!(card.field("household"), Some(&int(7)));
    let Outcome::Refusal(refusal) = call(&plugin, "read", ["id=1".into()]).await else {
        panic!()
    };
    assert_eq!(
        (&*refusal.case, refusal.payload.as_text()),
        ("malformed", Some("name"))
    );
}

/// A component that draws a number, built for some version of WASI.
fn drawing(version: &str) -> Vec<u8> {
    wat::parse_str(format!(
        r#"(component
          (import "wasi:random/random@{version}" (instance $random
            (export "get-random-u64" (func (result u64)))))
          (core func $draw (canon lower (func $random "get-random-u64")))
          (core module $code
            (import "random" "draw" (func $draw (result i64)))
            (func (export "odd") (result i64) (i64.or (call $draw) (i64.const 1))))
          (core instance $code (instantiate $code (with "random" (instance (export "draw" (func $draw))))))
          (func (export "odd") (result u64) (canon lift (core func $code "odd"))))"#
    ))
    .unwrap()
}

#[tokio::test]
async fn all_of_wasi_0_2_runs_and_other_versions_say_what_does() {
    let host = host();
    // A version of 0.2 to come, too, as long as it asks for nothing that is new in it.
    for version in ["0.2.0", "0.2.6", "0.2.12", "0.2.99"] {
        let deployed = deployment("drawing", Grants::default());
        let plugin = host.load(drawing(version).into(), deployed).await.unwrap();
        let Value::Int(odd) = answer(call(&plugin, "odd", []).await) else {
            panic!()
        };
        assert_eq!(odd % 2, 1);
    }
    for version in ["0.3.0", "0.1.0", "1.0.0", "0.2.0-rc-2023-11-10"] {
        let deployed = deployment("drawing", Grants::default());
        let error = host.load(drawing(version).into(), deployed).await.unwrap_err();
        assert_eq!(error.code(), "import-unknown");
        assert!(error.to_string().contains("WASI 0.2.0 to 0.2.12"), "{error}");
    }
    let text = r#"(component (import "vendor:cloud/queue@1.2.0" (instance (export "take" (func)))))"#;
    let bytes = wat::parse_str(text).unwrap();
    let error = host
        .load(bytes.into(), deployment("foreign", Grants::default()))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("`vendor:cloud/queue@1.2.0`") && error.contains(&supported()),
        "{error}"
    );
}

/// What is newer than the last version that is served is told apart from what is only built for it.
#[tokio::test]
async fn what_a_later_version_added_is_a_mismatch() {
    let host = host();
    let text = r#"(component
      (import "trunkline:host/log@0.1.7" (instance $log (export "flush" (func))))
      (core module $m (func (export "f")))
      (core instance $m (instantiate $m))
      (func (export "f") (canon lift (core func $m "f"))))"#;
    let error = host
        .load(
            wat::parse_str(text).unwrap().into(),
            deployment("later", Grants::default()),
        )
        .await
        .unwrap_err();
    assert_eq!(error.code(), "import-mismatch");
    assert!(error.to_string().contains("trunkline:host@0.1.0"), "{error}");
}
