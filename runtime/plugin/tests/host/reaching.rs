//! What the host offers to guests: context, settings, key-values.

use trunkline_model::{Duration, Outcome, Value};

use crate::guests::{adversary, answer, call, call_within, grants, host, int, least};

fn refused(outcome: Outcome) -> String {
    match outcome {
        Outcome::Refusal(refusal) => refusal.payload.as_text().unwrap_or_default().to_owned(),
        other => panic!("no refusal but {other:?}"),
    }
}

#[tokio::test]
async fn a_guest_knows_its_call_and_its_settings() {
    let host = host();
    let plugin = adversary(&host, "asking", least()).await;
    let context = answer(call_within(&plugin, "context", [], Duration::from_secs(5)).await);
    let Value::List(parts) = context else {
        panic!("{context:?}")
    };
    assert_eq!(parts[..3], ["01j-1".into(), int(2), "zh-CN".into()]);
    let Value::Int(remaining) = parts[3] else {
        panic!("{parts:?}")
    };
    assert!((3_000..=5_000).contains(&remaining), "{remaining}");

    assert_eq!(
        answer(call(&plugin, "setting", ["region".into()]).await),
        "330100".into()
    );
    assert_eq!(
        answer(call(&plugin, "setting", ["other".into()]).await),
        Value::None
    );
    assert_eq!(
        answer(call(&plugin, "settings", []).await),
        Value::list(["region".into()])
    );
}

#[tokio::test]
async fn key_values_outlive_a_call_and_belong_to_one_plugin() {
    let host = host();
    let plugin = adversary(&host, "keeping", least()).await;
    let other = adversary(&host, "other", least()).await;
    let keep = |key: &str, value: &str| [key.into(), value.into(), Value::None];
    let version = answer(call(&plugin, "keep", keep("d/1", "one")).await);
    assert_eq!(
        answer(call(&plugin, "kept", ["d/1".into()]).await),
        Value::list(["one".into(), version.clone()])
    );
    assert_eq!(answer(call(&other, "kept", ["d/1".into()]).await), Value::None);
    assert!(
        refused(call(&plugin, "keep-if", ["d/1".into(), "x".into(), Value::None]).await).contains("changed")
    );
    assert!(matches!(
        call(&plugin, "keep-if", ["d/1".into(), "two".into(), version]).await,
        Outcome::Ok(_)
    ));
    answer(call(&plugin, "keep", keep("d/2", "two")).await);
    answer(call(&plugin, "keep", keep("e", "three")).await);
    assert_eq!(
        answer(call(&plugin, "keys", ["d/".into(), int(10)]).await),
        Value::list(["d/1".into(), "d/2".into()])
    );
    answer(call(&plugin, "forget", ["d/1".into()]).await);
    assert_eq!(answer(call(&plugin, "kept", ["d/1".into()]).await), Value::None);

    // Under the same name, another load finds what was kept.
    let again = adversary(&host, "keeping", least()).await;
    assert!(!answer(call(&again, "kept", ["e".into()]).await).is_none());
}

#[tokio::test]
async fn key_values_have_a_quota() {
    let host = host();
    let small = grants(serde_json::json!({
        "http": ["GET http://nowhere.example/"],
        "kv": { "bytes": "1KiB", "keys": 2, "value-bytes": 600 },
    }));
    let plugin = adversary(&host, "small", small).await;
    let keep = async |key: &str, bytes: usize| {
        call(
            &plugin,
            "keep",
            [key.into(), "x".repeat(bytes).into(), Value::None],
        )
        .await
    };
    assert!(refused(keep("a", 601).await).contains("too large"));
    assert!(refused(keep("", 1).await).contains("empty"));
    assert!(refused(keep(&"k".repeat(257), 1).await).contains("too long"));
    answer(keep("a", 600).await);
    assert!(refused(keep("b", 600).await).contains("quota"));
    answer(keep("b", 100).await);
    assert!(refused(keep("c", 1).await).contains("quota"));
}
