//! Each way to misbehave gives its own fault, and the host goes on.

use trunkline_model::{Duration, FaultKind, Outcome, Value};
use trunkline_plugin::{BreakerState, HostLimits, Settings};

use crate::guests::{
    adversary, answer, call, call_within, calling, fault, grants, host, host_with, int, least, settings,
    until,
};

/// For what never ends.
const SOON: Duration = Duration::from_millis(300);
/// For what ends by itself, however slow the machine is.
const LATE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn every_misdeed_has_its_fault() {
    let host = host();
    let plugin = adversary(&host, "bad", least()).await;
    let zero = || vec![int(0)];
    for (function, arguments, expected, said) in [
        ("trap", vec![], FaultKind::Trap, "trapped on purpose"),
        ("spin", vec![], FaultKind::TimedOut, "longer than its time"),
        (
            "doze",
            vec![int(60_000)],
            FaultKind::TimedOut,
            "longer than its time",
        ),
        ("allocate", vec![], FaultKind::OutOfMemory, "its limit is 32MiB"),
        ("recurse", zero(), FaultKind::Trap, "wasm trap"),
        ("recurse-wide", zero(), FaultKind::Trap, "wasm trap"),
        (
            "huge-text",
            vec![int(2 << 20)],
            FaultKind::TooLarge,
            "reply-bytes",
        ),
        (
            "huge-list",
            vec![int(200 << 10)],
            FaultKind::TooLarge,
            "reply-bytes",
        ),
        ("leave", vec![int(3)], FaultKind::Trap, "exited with status"),
        (
            "no-number",
            vec![],
            FaultKind::Host,
            "the answer of `mischief.no-number` should be decimal, not NaN",
        ),
    ] {
        let time = if expected == FaultKind::TimedOut {
            SOON
        } else {
            LATE
        };
        let (kind, message) = fault(call_within(&plugin, function, arguments, time).await);
        assert_eq!(kind, expected, "{function}: {message}");
        assert!(message.contains(said), "{function}: {message}");
        // Whatever happened, the next call has a sandbox of its own.
        assert_eq!(answer(call(&plugin, "add", [int(1), int(1)]).await), int(2));
    }
    let statistics = plugin.statistics();
    assert_eq!(
        (statistics.calls, statistics.answers, statistics.running),
        (20, 10, 0)
    );
}

#[tokio::test]
async fn large_answers_within_the_limit_pass() {
    let host = host();
    let plugin = adversary(&host, "large", least()).await;
    let outcome = call(&plugin, "huge-text", [int(900 << 10)]).await;
    assert_eq!(answer(outcome).as_text().map(str::len), Some(900 << 10));
    let tight = grants(serde_json::json!({
        "http": ["GET http://nowhere.example/"], "kv": true,
        "limits": { "reply-bytes": "64KiB", "argument-bytes": "1KiB", "memory": "2MiB" },
    }));
    let plugin = adversary(&host, "tight", tight).await;
    let (kind, _) = fault(call(&plugin, "huge-text", [int(65 << 10)]).await);
    assert_eq!(kind, FaultKind::TooLarge);
    let (kind, message) = fault(call(&plugin, "text", [Value::text("x".repeat(1025))]).await);
    assert_eq!(kind, FaultKind::TooLarge);
    assert!(
        message.contains("argument `value` of `echoes.text` is past the 1024 bytes"),
        "{message}"
    );
    let (kind, message) = fault(call(&plugin, "huge-text", [int(3 << 20)]).await);
    assert_eq!(kind, FaultKind::OutOfMemory);
    assert!(message.contains("its limit is 2MiB"), "{message}");
}

#[tokio::test]
async fn a_flood_of_lines_is_cut_and_counted() {
    let host = host();
    let plugin = adversary(&host, "noisy", least()).await;
    assert_eq!(
        answer(call(&plugin, "flood-log", [int(10_000)]).await),
        int(10_000)
    );
    let dropped = plugin.statistics().usage.log_lines_dropped;
    assert!((9_000..=9_900).contains(&dropped), "{dropped}");
    assert_eq!(
        answer(call(&plugin, "long-line", [int(100_000)]).await),
        Value::None
    );
}

#[tokio::test]
async fn there_is_nothing_to_find_in_a_sandbox() {
    let host = host();
    let plugin = adversary(&host, "curious", least()).await;
    assert_eq!(answer(call(&plugin, "look-around", []).await), int(0));
}

#[tokio::test]
async fn waiting_for_a_slot_counts_against_the_time() {
    let host = host();
    let one = grants(serde_json::json!({
        "http": ["GET http://nowhere.example/"], "kv": true, "limits": { "concurrent": 1 },
    }));
    let plugin = adversary(&host, "single", one).await;
    // A draft of it changes nothing for those who call it.
    let draft = adversary(&host, "single", least()).await;
    let busy = calling(&plugin, "doze", [int(60_000)]);
    until(&plugin, |now| now.running == 1).await;
    let patient = calling(&plugin, "add", [int(1), int(1)]);
    until(&plugin, |now| now.waiting == 1).await;
    let (kind, message) =
        fault(call_within(&plugin, "add", [int(1), int(1)], Duration::from_millis(50)).await);
    assert_eq!(kind, FaultKind::Overloaded, "{message}");
    // One that has the time waits its turn and is answered.
    assert!(!patient.is_finished());
    busy.abort();
    assert_eq!(answer(patient.await.unwrap()), int(2));
    // When the draft takes over, its limits hold for all.
    draft.take_over();
    let busy = calling(&plugin, "doze", [int(60_000)]);
    until(&plugin, |now| now.running == 1).await;
    // With less time than the busy one has, it could not wait for its slot.
    let soon = call_within(&plugin, "add", [int(1), int(1)], Duration::from_secs(4)).await;
    assert_eq!(answer(soon), int(2));
    busy.abort();
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_is_stopped() {
    let host = host();
    let plugin = adversary(&host, "left", least()).await;
    let calling = call(&plugin, "spin", []);
    assert!(
        tokio::time::timeout(std::time::Duration::from_millis(50), calling)
            .await
            .is_err()
    );
    until(&plugin, |now| now.running == 0).await;
}

#[tokio::test]
async fn repeated_faults_open_the_breaker_and_a_good_call_closes_it() {
    // Long enough that the call after the last fault never comes as late as the probe.
    let pause = Duration::from_secs(3);
    let host = host_with(Settings {
        limits: HostLimits {
            breaker_faults: 3,
            breaker_pause: pause,
            ..HostLimits::default()
        },
        ..settings()
    });
    let plugin = adversary(&host, "failing", least()).await;
    for _ in 0..3 {
        assert_eq!(fault(call(&plugin, "trap", []).await).0, FaultKind::Trap);
    }
    assert_eq!(plugin.statistics().breaker, BreakerState::Open);
    assert_eq!(
        fault(call(&plugin, "add", [int(1), int(1)]).await).0,
        FaultKind::Open
    );
    tokio::time::sleep(pause.to_std()).await;
    assert_eq!(call(&plugin, "add", [int(1), int(1)]).await, Outcome::Ok(int(2)));
    assert_eq!(plugin.statistics().breaker, BreakerState::Closed);
}

#[tokio::test]
async fn an_unknown_function_is_a_fault_that_names_those_there_are() {
    let host = host();
    let plugin = adversary(&host, "asked", least()).await;
    let outcome = plugin
        .call(trunkline_plugin::Call {
            function: "fly".into(),
            arguments: vec![],
            id: "c-1".into(),
            attempt: 1,
            locale: "en".to_owned(),
            time: SOON,
        })
        .await;
    let (kind, message) = fault(outcome);
    assert_eq!(kind, FaultKind::Host);
    assert!(message.contains("exports no function `fly`"), "{message}");
}
