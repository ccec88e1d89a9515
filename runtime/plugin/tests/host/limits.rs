//! Limits that hold: each one that is reached says which line of grants.yaml raises it.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration as Std,
};

use axum::{Router, body::Bytes, extract::State, routing::get};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use trunkline_model::{Duration, FaultKind, Outcome, Value};
use trunkline_plugin::{HostLimits, Plugin, Settings, limits::PoolLimits};

use crate::guests::{
    adversary, answer, call, call_within, calling, deployment, fault, grants, host, host_with, int, least,
    settings, until,
};

/// Requests that a service is answering now, and the most there were at once.
#[derive(Clone, Default)]
struct Seen(Arc<(AtomicUsize, AtomicUsize)>);

/// A service that takes a while for each answer.
async fn slow_service(takes: Std) -> (SocketAddr, Seen) {
    let seen = Seen::default();
    let answered = move |State(seen): State<Seen>, body: Bytes| async move {
        let now = seen.0.0.fetch_add(1, Ordering::SeqCst) + 1;
        seen.0.1.fetch_max(now, Ordering::SeqCst);
        tokio::time::sleep(takes).await;
        seen.0.0.fetch_sub(1, Ordering::SeqCst);
        body.len().to_string()
    };
    let router = Router::new()
        .route("/v1/a", get(answered).post(answered))
        .with_state(seen.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, seen)
}

fn limited(address: SocketAddr, limits: &serde_json::Value) -> trunkline_plugin::Grants {
    grants(json!({ "http": [format!("* http://{address}/v1/*")], "kv": true, "limits": limits }))
}

fn url(address: SocketAddr) -> Value {
    Value::text(format!("http://{address}/v1/a"))
}

async fn together(
    plugin: &Plugin,
    calls: usize,
    function: &'static str,
    arguments: Vec<Value>,
) -> Vec<Outcome> {
    let calls: Vec<_> = (0..calls)
        .map(|_| calling(plugin, function, arguments.clone()))
        .collect();
    let mut outcomes = Vec::new();
    for call in calls {
        outcomes.push(call.await.expect("a call never panics"));
    }
    outcomes
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_at_once_are_bounded_and_the_rest_wait() {
    let (address, seen) = slow_service(Std::from_millis(30)).await;
    let host = host();
    let plugin = adversary(
        &host,
        "eager",
        limited(address, &json!({ "http-connections": 2 })),
    )
    .await;
    for outcome in together(&plugin, 8, "get", vec![url(address)]).await {
        answer(outcome);
    }
    assert_eq!(seen.0.1.load(Ordering::SeqCst), 2);
    let usage = plugin.statistics().usage;
    assert_eq!((usage.http_requests, usage.http_received_bytes), (8, 8));
}

#[tokio::test]
async fn a_request_that_waits_in_vain_ends_with_its_call() {
    let (address, _) = slow_service(Std::from_secs(60)).await;
    let host = host();
    let plugin = adversary(
        &host,
        "stuck",
        limited(address, &json!({ "http-connections": 1 })),
    )
    .await;
    let holds = calling(&plugin, "get", [url(address)]);
    until(&plugin, |now| now.usage.http_requests == 1).await;
    let waits = call_within(&plugin, "get", [url(address)], Duration::from_millis(100)).await;
    assert_eq!(fault(waits).0, FaultKind::TimedOut);
    assert_eq!(plugin.statistics().usage.http_requests, 1);
    // The place of the one that was stopped is free again: this one reaches the service.
    holds.abort();
    let next = calling(&plugin, "get", [url(address)]);
    until(&plugin, |now| now.usage.http_requests == 2).await;
    next.abort();
}

#[tokio::test]
async fn requests_of_one_call_are_counted() {
    let (address, _) = slow_service(Std::ZERO).await;
    let host = host();
    let plugin = adversary(&host, "chatty", limited(address, &json!({ "http-requests": 5 }))).await;
    assert_eq!(
        answer(call(&plugin, "requests", [url(address), int(9)]).await),
        int(5)
    );
    // Each call has its own.
    assert_eq!(
        answer(call(&plugin, "requests", [url(address), int(4)]).await),
        int(4)
    );
    assert_eq!(plugin.statistics().usage.http_requests, 9);
}

#[tokio::test]
async fn denied_requests_are_counted_and_their_lines_are_bounded() {
    let (address, _) = slow_service(Std::ZERO).await;
    let host = host();
    let denied = || Value::text("http://denied.example/");
    let plugin = adversary(
        &host,
        "knocking",
        limited(address, &json!({ "http-requests": 3 })),
    )
    .await;
    assert_eq!(
        answer(call(&plugin, "requests", [denied(), int(10)]).await),
        int(0)
    );
    let usage = plugin.statistics().usage;
    assert_eq!((usage.log_lines, usage.log_lines_dropped), (3, 0));
    let loud = limited(address, &json!({ "http-requests": 1000, "log-lines-per-s": 1 }));
    let plugin = adversary(&host, "loud", loud).await;
    answer(call(&plugin, "requests", [denied(), int(200)]).await);
    let usage = plugin.statistics().usage;
    assert_eq!(usage.log_lines + usage.log_lines_dropped, 200);
    assert!(usage.log_lines_dropped > 0, "{usage:?}");
    // What it asked for is cut, wherever it is told.
    let long = Value::text(format!("http://denied.example/{}", "a".repeat(20_000)));
    let (_, message) = fault(call(&plugin, "get-or-trap", [long]).await);
    assert!(
        message.contains("no grant covers") && message.len() < 8_192,
        "{message}"
    );
}

#[tokio::test]
async fn a_guest_that_stops_itself_over_a_limit_is_told_which() {
    let (address, _) = slow_service(Std::ZERO).await;
    let host = host();
    let one = limited(address, &json!({ "http-requests": 1 }));
    let plugin = adversary(&host, "chatty", one).await;
    answer(call(&plugin, "get-or-trap", [url(address)]).await);
    let (kind, message) = fault(call(&plugin, "get-twice-or-trap", [url(address)]).await);
    assert_eq!(kind, FaultKind::Trap);
    assert!(
        message.contains("`chatty: limits: { http-requests: 2 }`"),
        "{message}"
    );
}

/// A server that sends its answer a byte at a time, for ever.
async fn dripping() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4_096]).await;
                let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n";
                for byte in head.iter().chain(std::iter::repeat(&b'x')) {
                    if stream.write_all(&[*byte]).await.is_err() {
                        break;
                    }
                    tokio::time::sleep(Std::from_millis(2)).await;
                }
            });
        }
    });
    address
}

#[tokio::test]
async fn a_server_that_drips_holds_nobody_longer_than_the_call() {
    let address = dripping().await;
    let host = host();
    let plugin = adversary(&host, "patient", limited(address, &json!({ "concurrent": 1 }))).await;
    for _ in 0..2 {
        let outcome = call_within(&plugin, "get", [url(address)], Duration::from_millis(300)).await;
        let (kind, message) = fault(outcome);
        assert_eq!(kind, FaultKind::TimedOut, "{message}");
        assert!(message.contains("300ms, which its step gives it"), "{message}");
        assert_eq!(answer(call(&plugin, "add", [int(1), int(1)]).await), int(2));
    }
    assert_eq!(plugin.statistics().running, 0);
}

#[tokio::test]
async fn a_guest_that_drips_holds_a_server_no_longer_than_its_call() {
    let (address, _) = slow_service(Std::ZERO).await;
    let host = host();
    // In time it passes.
    let brisk = adversary(&host, "brisk", limited(address, &json!({}))).await;
    let outcome = call(&brisk, "trickle", [url(address), int(5), int(1)]).await;
    assert_eq!(answer(outcome), int(200));
    assert_eq!(brisk.statistics().usage.http_sent_bytes, 5);
    let plugin = adversary(&host, "dripping", limited(address, &json!({ "time": "300ms" }))).await;
    let (kind, message) = fault(call(&plugin, "trickle", [url(address), int(10_000), int(5)]).await);
    assert_eq!(kind, FaultKind::TimedOut);
    assert!(
        message.contains("grants.yaml: `dripping: limits: { time: 300ms }`"),
        "{message}"
    );
    assert_eq!(plugin.statistics().running, 0);
}

#[tokio::test]
async fn one_call_more_than_may_wait_is_refused_at_once() {
    let host = host();
    let few = grants(json!({
        "http": ["GET http://nowhere.example/"], "kv": true, "limits": { "concurrent": 1, "waiting": 2 },
    }));
    let plugin = adversary(&host, "popular", few).await;
    let busy = calling(&plugin, "doze", [int(60_000)]);
    until(&plugin, |now| now.running == 1).await;
    let waiting: Vec<_> = (0..2)
        .map(|_| calling(&plugin, "add", [int(1), int(1)]))
        .collect();
    until(&plugin, |now| now.waiting == 2).await;
    let (kind, message) = fault(call(&plugin, "add", [int(1), int(1)]).await);
    assert_eq!(kind, FaultKind::Overloaded);
    assert_eq!(
        message,
        "plugin `popular` has 1 calls under way and 2 that wait, and no more may wait \
         (grants.yaml: `popular: limits: { concurrent: 1, waiting: 2 }`)"
    );
    assert!(!busy.is_finished(), "it did not wait");
    busy.abort();
    for call in waiting {
        assert_eq!(answer(call.await.unwrap()), int(2));
    }
    assert_eq!(answer(call(&plugin, "add", [int(1), int(1)]).await), int(2));
}

#[tokio::test]
async fn one_call_more_than_may_wait_in_a_department_is_refused_at_once() {
    let host = host_with(Settings {
        limits: HostLimits {
            small: PoolLimits {
                instances: 1,
                ..HostLimits::default().small
            },
            department_waiting_max: 1,
            ..HostLimits::default()
        },
        ..settings()
    });
    let mut plugins = Vec::new();
    for name in ["one", "two", "three"] {
        let mut deployment = deployment(name, least());
        deployment.department = "busy".to_owned();
        let plugin = host.load(crate::guests::ADVERSARY.clone(), deployment).await;
        plugins.push(plugin.expect("the adversary loads"));
    }
    let busy = calling(&plugins[0], "doze", [int(60_000)]);
    until(&plugins[0], |now| now.running == 1).await;
    let waiting = calling(&plugins[1], "add", [int(1), int(1)]);
    // It holds a slot of its plugin's while it waits for a sandbox.
    until(&plugins[1], |now| now.running == 1).await;
    let (kind, message) = fault(call(&plugins[2], "add", [int(1), int(1)]).await);
    assert_eq!(kind, FaultKind::Overloaded);
    assert!(message.contains("1 calls of the department"), "{message}");
    assert!(!busy.is_finished(), "it did not wait");
    busy.abort();
    assert_eq!(answer(waiting.await.unwrap()), int(2));
}

#[tokio::test]
async fn what_is_reserved_for_a_department_is_there_in_a_flood() {
    let host = host_with(Settings {
        limits: HostLimits {
            small: PoolLimits {
                instances: 4,
                ..HostLimits::default().small
            },
            department_share_percent: 100,
            ..HostLimits::default()
        },
        ..settings()
    });
    let flood = adversary(&host, "flood", least()).await;
    let kept = adversary(&host, "kept", least()).await;
    host.reserve([&flood, &kept]);
    let flooding: Vec<_> = (0..16).map(|_| calling(&flood, "doze", [int(60_000)])).collect();
    until(&flood, |now| now.running == 16).await;
    // All others are taken, four times over, for longer than these calls could wait.
    for _ in 0..5 {
        let outcome = call_within(&kept, "add", [int(1), int(1)], Duration::from_secs(4)).await;
        assert_eq!(answer(outcome), int(2));
    }
    assert_eq!(flood.statistics().running, 16, "it floods all the while");
    for call in flooding {
        call.abort();
    }
    assert_eq!(answer(call(&flood, "add", [int(1), int(1)]).await), int(2));
}

#[tokio::test]
async fn operations_on_key_values_are_put_off_not_refused() {
    let host = host();
    let slow = grants(json!({
        "http": ["GET http://nowhere.example/"], "kv": true, "limits": { "kv-operations-per-s": 50 },
    }));
    let plugin = adversary(&host, "writer", slow).await;
    let began = tokio::time::Instant::now();
    // A second's worth at once, and twenty more at fifty a second.
    assert_eq!(answer(call(&plugin, "kv", [int(70)]).await), int(70));
    assert!(began.elapsed() >= Std::from_millis(380), "{:?}", began.elapsed());
    assert_eq!(plugin.statistics().usage.kv_written_bytes, 70 * 9);
}

#[tokio::test]
async fn an_operation_on_key_values_that_would_come_too_late_is_told_at_once() {
    let host = host();
    let slow = grants(json!({
        "http": ["GET http://nowhere.example/"], "kv": true, "limits": { "kv-operations-per-s": 1 },
    }));
    let plugin = adversary(&host, "hasty", slow).await;
    // The second would be due a second after the first.
    let outcome = call_within(&plugin, "kv", [int(5)], Duration::from_millis(900)).await;
    assert_eq!(answer(outcome), int(1));
}

#[tokio::test]
async fn what_a_plugin_uses_is_counted() {
    let host = host();
    let plugin = adversary(&host, "counted", least()).await;
    // It works by the clock, and beside others it has the processor for a part of that.
    answer(call(&plugin, "work", [int(200)]).await);
    fault(call(&plugin, "allocate", []).await);
    let usage = plugin.statistics().usage;
    assert!(usage.busy >= Std::from_millis(20), "{usage:?}");
    assert!(
        (30 << 20..=32 << 20).contains(&usage.memory_high_bytes),
        "{usage:?}"
    );
    // A guest that is stopped in mid-run has used what it had until then.
    let spinning = calling(&plugin, "spin", []);
    until(&plugin, |now| now.usage.busy >= usage.busy + Std::from_millis(20)).await;
    spinning.abort();
}
