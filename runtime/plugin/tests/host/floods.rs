//! Guests that flood the host with calls: each is bounded, and the next call works.

use serde_json::json;
use trunkline_model::{Duration, FaultKind, Value};

use crate::guests::{adversary, answer, call, call_within, fault, grants, host, int, least};

#[tokio::test]
async fn floods_of_host_calls_are_bounded_in_time() {
    let host = host();
    let plugin = adversary(&host, "flood", least()).await;
    let many = || int(i128::from(u32::MAX));
    for (function, arguments) in [
        ("kv", vec![many()]),
        ("kv-reads", vec![many()]),
        ("clocks", vec![many()]),
        ("random", vec![int(1_024), many()]),
        ("flood-log", vec![many()]),
        ("fill", vec![int(16 << 20), many()]),
        ("requests", vec![Value::text("http://denied.example/"), many()]),
    ] {
        let began = tokio::time::Instant::now();
        let outcome = call_within(&plugin, function, arguments, Duration::from_millis(300)).await;
        let (kind, message) = fault(outcome);
        assert_eq!(kind, FaultKind::TimedOut, "{function}: {message}");
        assert!(began.elapsed() < std::time::Duration::from_secs(5), "{function}");
        assert_eq!(
            answer(call(&plugin, "add", [int(1), int(1)]).await),
            int(2),
            "{function}"
        );
    }
    assert_eq!(plugin.statistics().running, 0);
}

#[tokio::test]
async fn more_random_bytes_than_are_made_at_once_are_a_fault() {
    let host = host();
    let plugin = adversary(&host, "gambler", least()).await;
    assert_eq!(
        answer(call(&plugin, "random", [int(65_536), int(1)]).await),
        int(65_536)
    );
    for bytes in [65_537, 1 << 30, i128::from(u64::MAX)] {
        let (kind, message) = fault(call(&plugin, "random", [int(bytes), int(1)]).await);
        assert_eq!(kind, FaultKind::Trap);
        assert!(message.contains("exceeds limit 65536"), "{message}");
    }
}

#[tokio::test]
async fn handles_are_bounded() {
    let host = host();
    let plugin = adversary(&host, "collector", least()).await;
    assert_eq!(answer(call(&plugin, "subscriptions", [int(900)]).await), int(900));
    let (kind, message) = fault(call(&plugin, "subscriptions", [int(100_000)]).await);
    assert_eq!(kind, FaultKind::Trap, "{message}");
    assert_eq!(answer(call(&plugin, "add", [int(1), int(1)]).await), int(2));
}

#[tokio::test]
async fn key_values_past_the_quota_are_refused_to_the_guest() {
    let host = host();
    let little = grants(json!({
        "http": ["GET http://nowhere.example/"], "kv": { "bytes": "1KiB", "keys": 3 },
    }));
    let plugin = adversary(&host, "hoarder", little).await;
    let mut kept = 0;
    for key in 0..10 {
        let key = Value::text(format!("key-{key}"));
        let outcome = call(&plugin, "keep", [key, Value::text("x"), Value::None]).await;
        kept += usize::from(matches!(outcome, trunkline_model::Outcome::Ok(_)));
    }
    assert_eq!(kept, 3);
}
