use std::sync::Mutex;

use axum::{Router, extract::State, http::HeaderMap, http::StatusCode, routing::post};
use trunkline_flow::hotline::Success as Expected;
use trunkline_model::Timestamp;

use super::*;
use crate::{success::Standing, testing::eventually};

const SECRET: &str = "a-secret-for-tests-only";

/// What a receiver has been sent, and how it answers: those first answers, then 204.
#[derive(Clone, Default)]
struct Receiver {
    seen: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
    refusals: Arc<Mutex<Vec<StatusCode>>>,
}

async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    receiver.seen.lock().unwrap().push((headers, body));
    receiver
        .refusals
        .lock()
        .unwrap()
        .pop()
        .unwrap_or(StatusCode::NO_CONTENT)
}

/// A receiver over loopback, and its address.
async fn receiver(refusals: &[StatusCode]) -> (Receiver, String) {
    let receiver = Receiver::default();
    receiver.refusals.lock().unwrap().extend(refusals);
    let router = Router::new()
        .route("/alerts", post(receive))
        .with_state(receiver.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/alerts", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (receiver, url)
}

fn change(breached: bool) -> Change {
    let at = Timestamp::from_millis(1_800_000_000_000);
    Change {
        at,
        hotline: "city".into(),
        department: "civil".into(),
        standing: Standing {
            plugin: "crm".into(),
            interface: "citizens".into(),
            calls: 1_000,
            failures: 15,
            expected: Expected::default(),
            breached: breached.then_some(at),
        },
    }
}

async fn until(receiver: &Receiver, count: usize) {
    for _ in 0..6_000 {
        if receiver.seen.lock().unwrap().len() >= count {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("{} of {count} messages came", receiver.seen.lock().unwrap().len());
}

/// Lets pauses pass until so many messages came. A pause begins when the refusal is read, which may be after
/// the clock was moved: then it is moved again.
async fn pauses_pass(clock: &Clock, receiver: &Receiver, count: usize) {
    eventually("a message that is sent again", async || {
        let came = receiver.seen.lock().unwrap().len() >= count;
        if !came {
            clock.advance(WEBHOOK_PAUSE_MAX);
        }
        came
    })
    .await;
}

#[tokio::test]
async fn a_message_comes_signed() {
    let (receiver, url) = receiver(&[]).await;
    let clock = Clock::still(Timestamp::from_millis(1_800_000_123_456));
    let (webhook, sender) = webhook(WebhookTarget::new(&url, SECRET).unwrap(), clock);
    let sending = tokio::spawn(sender.run());
    webhook.send(&change(true));
    webhook.send(&change(false));
    until(&receiver, 2).await;
    let seen = receiver.seen.lock().unwrap().clone();
    let (headers, body) = &seen[0];
    let message: serde_json::Value = serde_json::from_slice(body).unwrap();
    assert_eq!(headers["trunkline-event"], "plugin.success.breached");
    assert_eq!(message["event"], "plugin.success.breached");
    assert_eq!(headers["trunkline-delivery"], message["id"].as_str().unwrap());
    assert_eq!(
        (&message["rate"], &message["expected"]),
        (&0.985.into(), &0.999.into())
    );
    assert_eq!(
        (&message["plugin"], &message["interface"], &message["window_s"]),
        (&"crm".into(), &"citizens".into(), &900.into())
    );
    // As a receiver checks it.
    let signature = headers["trunkline-signature"].to_str().unwrap();
    let signed = crate::signature::verify(SECRET.as_bytes(), Some(signature), body);
    assert_eq!(signed, Ok(Timestamp::from_millis(1_800_000_123_000)));
    assert_eq!(seen[1].0["trunkline-event"], "plugin.success.recovered");
    drop(webhook);
    sending.await.unwrap();
}

#[tokio::test]
async fn what_is_not_taken_is_sent_again_later_with_the_same_id() {
    let (receiver, url) = receiver(&[StatusCode::BAD_GATEWAY, StatusCode::INTERNAL_SERVER_ERROR]).await;
    let clock = Clock::still(Timestamp::from_millis(1_800_000_000_000));
    let (webhook, sender) = webhook(WebhookTarget::new(&url, SECRET).unwrap(), clock.clone());
    tokio::spawn(sender.run());
    webhook.send(&change(true));
    until(&receiver, 1).await;
    for attempt in 1..=2 {
        tokio::time::sleep(std::time::Duration::from_millis(30)).await;
        assert_eq!(
            receiver.seen.lock().unwrap().len(),
            attempt,
            "not before its time"
        );
        pauses_pass(&clock, &receiver, attempt + 1).await;
    }
    let seen = receiver.seen.lock().unwrap().clone();
    let id = |at: usize| seen[at].0["trunkline-delivery"].clone();
    assert_eq!((id(0), id(1)), (id(1), id(2)));
    // Each attempt is signed anew, so that a receiver may refuse what is old.
    assert_ne!(seen[0].0["trunkline-signature"], seen[2].0["trunkline-signature"]);
}

#[tokio::test]
async fn what_is_never_taken_is_given_up_and_the_next_is_sent() {
    let refusals = vec![StatusCode::BAD_GATEWAY; WEBHOOK_ATTEMPTS_MAX as usize];
    let (receiver, url) = receiver(&refusals).await;
    let clock = Clock::still(Timestamp::from_millis(1_800_000_000_000));
    let (webhook, sender) = webhook(WebhookTarget::new(&url, SECRET).unwrap(), clock.clone());
    tokio::spawn(sender.run());
    webhook.send(&change(true));
    webhook.send(&change(false));
    pauses_pass(&clock, &receiver, WEBHOOK_ATTEMPTS_MAX as usize + 1).await;
    let seen = receiver.seen.lock().unwrap();
    assert_eq!(
        seen.last().unwrap().0["trunkline-event"],
        "plugin.success.recovered"
    );
}

#[tokio::test]
async fn more_than_may_wait_is_lost_and_nobody_waits_for_it() {
    let clock = Clock::still(Timestamp::from_millis(0));
    let target = WebhookTarget::new("http://127.0.0.1:1/", SECRET).unwrap();
    let (webhook, sender) = webhook(target, clock);
    for _ in 0..WEBHOOK_WAITING_MAX + 50 {
        webhook.send(&change(true));
    }
    assert_eq!(sender.waiting.len(), WEBHOOK_WAITING_MAX);
}

#[test]
fn addresses_and_secrets_are_checked() {
    for url in [
        "",
        "alerts.example",
        "ftp://alerts.example/",
        "https://",
        "/alerts",
    ] {
        let found = WebhookTarget::new(url, SECRET).err();
        assert_eq!(found, Some(BadWebhook::Url(url.to_owned())));
    }
    for secret in ["short", "with a space in its middle"] {
        let found = WebhookTarget::new("https://alerts.example/", secret).err();
        assert_eq!(found, Some(BadWebhook::Secret));
    }
    let target = WebhookTarget::new("https://alerts.example/secret-path", SECRET).unwrap();
    assert_eq!(format!("{target:?}"), "WebhookTarget(alerts.example..)");
}
