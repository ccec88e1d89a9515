//! Calls on the bench: measured, and answered by somebody in place of the network.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use trunkline_model::{FaultKind, Outcome, Value};
use trunkline_plugin::{
    Bench, Bytes, Call, Measurement, Plugin, Settings,
    bench::{HttpReply, HttpRequest, Network, Replies, ReplyError},
};

use crate::guests::{ADVERSARY, adversary, answer, deployment, grants, host, host_with, int, least};

/// Answers every request the same way, and remembers it.
struct Same {
    reply: Option<HttpReply>,
    asked: Mutex<Vec<HttpRequest>>,
}

impl Same {
    fn new(reply: Option<HttpReply>) -> Arc<Self> {
        Arc::new(Self {
            reply,
            asked: Mutex::default(),
        })
    }
}

#[async_trait]
impl Replies for Same {
    async fn reply(&self, request: HttpRequest, _network: Network) -> Result<HttpReply, ReplyError> {
        self.asked.lock().expect("nobody panicked with it").push(request);
        self.reply.clone().ok_or(ReplyError::Broken)
    }
}

async fn measured(
    plugin: &Plugin,
    function: &str,
    arguments: impl IntoIterator<Item = Value>,
    replies: Option<Arc<dyn Replies>>,
) -> (Outcome, Measurement) {
    let interface = plugin.interface().clone();
    let signature = interface.find(function).next().expect("the function exists");
    let function = signature.function.clone();
    let call = Call {
        function,
        arguments: arguments.into_iter().collect(),
        id: trunkline_model::CallId::new("call-1"),
        attempt: 1,
        locale: "en".to_owned(),
        time: trunkline_model::Duration::from_secs(20),
    };
    plugin.call_measured(call, Bench { replies }).await
}

fn counting() -> Settings {
    Settings {
        counts_instructions: true,
        ..Settings::default()
    }
}

#[tokio::test]
async fn what_a_call_uses_is_measured() {
    let host = host_with(counting());
    let plugin = host
        .load(ADVERSARY.clone(), deployment("measured", least()))
        .await
        .unwrap();
    let (outcome, little) = measured(&plugin, "add", [int(1), int(2)], None).await;
    assert_eq!(answer(outcome), int(3));
    let (_, again) = measured(&plugin, "add", [int(3), int(4)], None).await;
    assert!(little.instructions.unwrap() > 0);
    assert_eq!(little.instructions, again.instructions, "the same on every run");
    assert!(little.memory_peak >= Bytes(64 << 10));

    let (_, text) = measured(&plugin, "mischief.huge-text", [int(300_000)], None).await;
    assert!(text.instructions > little.instructions);
    assert!(text.memory_peak.0 >= 300_000, "{text:?}");

    let (_, kept) = measured(
        &plugin,
        "keep",
        [Value::text("a"), Value::text("b"), Value::None],
        None,
    )
    .await;
    assert_eq!(kept.kv_operations, 1);
    let (_, logged) = measured(&plugin, "flood-log", [int(1_000)], None).await;
    assert_eq!(logged.log_lines, 1_000);
    assert!(logged.logged.len() < 1_000 && logged.logged[0].text.contains('0'));
}

#[tokio::test]
async fn a_guest_that_is_stopped_is_measured_too() {
    let host = host_with(counting());
    let short = grants(serde_json::json!({
        "http": ["GET http://nowhere.example/"], "kv": true, "limits": { "time": "100ms" },
    }));
    let plugin = host
        .load(ADVERSARY.clone(), deployment("stopped", short))
        .await
        .unwrap();
    let (outcome, usage) = measured(&plugin, "spin", [], None).await;
    assert!(
        matches!(&outcome, Outcome::Fault(fault) if fault.kind == FaultKind::TimedOut),
        "{outcome:?}"
    );
    assert_eq!(usage.instructions, None, "it has not told how many");
    assert!(usage.memory_peak.0 > 0, "{usage:?}");
    assert!(usage.time >= Duration::from_millis(50), "{usage:?}");
}

#[tokio::test]
async fn a_host_that_counts_nothing_measures_the_rest() {
    let plugin = adversary(&host(), "uncounted", least()).await;
    let (_, usage) = measured(&plugin, "add", [int(1), int(2)], None).await;
    assert_eq!(usage.instructions, None);
    assert!(usage.memory_peak.0 > 0);
}

#[tokio::test]
async fn a_granted_request_is_answered_by_whoever_stands_there() {
    let granted = grants(serde_json::json!({ "http": ["GET http://nowhere.example/a/*"], "kv": true }));
    let plugin = adversary(&host(), "answered", granted).await;
    let reply = HttpReply {
        status: 418,
        headers: vec![("x-kind".to_owned(), "teapot".to_owned())],
        body: b"short".to_vec(),
    };
    let same = Same::new(Some(reply));
    let url = Value::text("http://nowhere.example/a/b?c=d");
    let (outcome, usage) = measured(&plugin, "reach.get", [url], Some(same.clone())).await;
    assert_eq!(answer(outcome), Value::list([int(418), Value::text("short")]));
    assert_eq!(usage.http_requests, 1);
    {
        let asked = same.asked.lock().unwrap();
        assert_eq!(
            (asked[0].method.as_str(), asked[0].url.as_str()),
            ("GET", "http://nowhere.example/a/b?c=d")
        );
    }
    // What is not granted comes to nobody.
    let other = Value::text("http://elsewhere.example/");
    let (outcome, usage) = measured(&plugin, "reach.get", [other], Some(same.clone())).await;
    assert!(matches!(outcome, Outcome::Refusal(_)), "{outcome:?}");
    assert_eq!((usage.http_requests, same.asked.lock().unwrap().len()), (0, 1));
    assert!(usage.denied.unwrap().contains("elsewhere.example"));
}

#[tokio::test]
async fn a_reply_over_the_limit_or_none_is_the_guests_error() {
    let granted = grants(serde_json::json!({
        "http": ["GET http://nowhere.example/"], "kv": true, "limits": { "http-response-bytes": "1KiB" },
    }));
    let plugin = adversary(&host(), "limited", granted).await;
    let url = || Value::text("http://nowhere.example/");
    let large = HttpReply {
        status: 200,
        headers: Vec::new(),
        body: vec![b'x'; 2_000],
    };
    for reply in [Some(large), None] {
        let (outcome, _) = measured(&plugin, "reach.get", [url()], Some(Same::new(reply))).await;
        assert!(matches!(outcome, Outcome::Refusal(_)), "{outcome:?}");
    }
}
