//! Turns and inputs on the wire: streams that are taken up again, inputs that come twice, too
//! late, or wrong.

use city_services::Conduct;
use end_to_end::{CALL_TIME, Caller, City, Server, answer, http};
use futures::StreamExt;
use serde_json::{Value, json};

use crate::{citizen, in_chinese, setup};

/// Reads server-sent events until one of which something holds: each with its id.
async fn stream(
    server: &Server,
    caller: &Caller,
    last: Option<u64>,
    is_last: impl Fn(&Value) -> bool,
) -> Vec<(u64, Value)> {
    let mut get = http()
        .get(format!(
            "{}/api/v1/contacts/{}/turns",
            server.url(),
            caller.contact
        ))
        .bearer_auth(&caller.token)
        .header("accept", "text/event-stream");
    if let Some(last) = last {
        get = get.header("last-event-id", last.to_string());
    }
    let response = get.send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(
        response.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/event-stream")
    );
    let mut bytes = response.bytes_stream();
    let mut text = String::new();
    let mut events = Vec::new();
    while let Some(chunk) = bytes.next().await {
        text.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
        while let Some(end) = text.find("\n\n") {
            let event: String = text.drain(..end + 2).collect();
            let field = |name: &str| {
                event
                    .lines()
                    .find_map(|line| line.strip_prefix(name))
                    .map(str::trim)
            };
            let (Some(id), Some(data)) = (field("id:"), field("data:")) else {
                continue;
            };
            let turn: Value = serde_json::from_str(data).unwrap();
            assert_eq!(field("event:"), turn["type"].as_str());
            let done = is_last(&turn);
            events.push((id.parse().unwrap(), turn));
            if done {
                return events;
            }
        }
    }
    events
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_goes_on_where_it_broke_off() {
    let city = City::open().await;
    let server = setup(&city).start().await;
    let mut caller = Caller::dial(&server, "12345").await;
    let first = stream(&server, &caller, None, |turn| turn["type"] == "ask").await;
    assert_eq!(first[0].1["prompt"], "welcome");
    let (last, _) = first.last().unwrap();
    // The stream was dropped here; what happens meanwhile is not lost.
    caller.gives(json!({ "keys": "1" })).await;
    let second = stream(&server, &caller, Some(*last), |turn| turn["type"] == "ask").await;
    assert!(
        second.iter().any(|(_, turn)| turn["prompt"] == "privacy"),
        "{second:?}"
    );
    caller.hangs_up().await;
    let third = stream(&server, &caller, second.last().map(|(id, _)| *id), |_| false).await;
    assert_eq!(third.last().unwrap().1["type"], "ended", "{third:?}");
    // Together they are what a client hears that asks for all at once.
    caller.ends().await;
    let streamed: Vec<Value> = [first, second, third]
        .concat()
        .into_iter()
        .map(|(_, turn)| turn)
        .collect();
    assert_eq!(streamed, caller.turns);
    // After the end there is nothing to stream.
    let after = http()
        .get(format!(
            "{}/api/v1/contacts/{}/turns",
            server.url(),
            caller.contact
        ))
        .bearer_auth(&caller.token)
        .header("accept", "text/event-stream")
        .header("last-event-id", caller.last().to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(after.status(), 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_input_that_comes_twice_counts_once() {
    let city = City::open().await;
    let server = setup(&city).start().await;
    let mut caller = Caller::dial(&server, "12345").await;
    caller.is_asked().await;
    let (status, first) = caller.sends("same", json!({ "keys": "1" })).await;
    assert_eq!(status, 202, "{first}");
    caller.hears("topics").await;
    caller.is_asked().await;
    let (status, second) = caller.sends("same", json!({ "keys": "1" })).await;
    assert_eq!(status, 202, "{second}");
    assert_eq!(first["reply"], second["reply"]);
    let heard = caller.events(None).await;
    let heard: Vec<_> = heard
        .iter()
        .filter(|event| event["fact"]["heard"]["input"] == "same")
        .collect();
    assert_eq!(heard.len(), 1);
    // The second press chose nothing in the second menu.
    assert_eq!(server.contact(&caller.contact).await["step"], "topics");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_for_a_contact_that_comes_twice_begins_one() {
    let city = City::open().await;
    let server = setup(&city).start().await;
    let request = json!({ "id": "a-request-drawn-at-random-1", "number": "12345" });
    let first = Caller::begin(&server, None, request.clone()).await;
    let second = Caller::begin(&server, None, request).await;
    assert_eq!(first.contact, second.contact);
    assert_eq!(first.token, second.token);
    let post = http()
        .post(format!("{}/api/v1/contacts", server.url()))
        .json(&json!({ "id": "a-request-drawn-at-random-1", "number": "057100002345" }));
    let (status, problem) = answer(post).await;
    assert_eq!(
        (status.as_u16(), problem["code"].as_str()),
        (409, Some("id-reused")),
        "{problem}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn words_that_nobody_waits_for_are_refused_and_keys_are_kept() {
    let city = City::open().await;
    let server = setup(&city).start().await;
    city.crm.behave(Conduct {
        latency: CALL_TIME / 2,
        ..Conduct::default()
    });
    let mut caller = citizen(&server, "+8613800138000").await;
    in_chinese(&mut caller).await;
    // The register is being asked.
    let (status, problem) = caller.sends("early-words", json!({ "text": "喂？" })).await;
    assert_eq!(
        (status.as_u16(), problem["code"].as_str()),
        (409, Some("not-listening")),
        "{problem}"
    );
    assert!(!problem["mend"].as_str().unwrap().is_empty());
    // Keys are for the question to come.
    let (status, body) = caller.sends("early-key", json!({ "keys": "4" })).await;
    assert_eq!(status, 202, "{body}");
    caller.hears("greet").await;
    caller.hears("hours").await;
    caller.hangs_up().await;
    caller.ends().await;
    let (status, problem) = caller.sends("late", json!({ "keys": "1" })).await;
    assert_eq!(
        (status.as_u16(), problem["code"].as_str()),
        (409, Some("ended")),
        "{problem}"
    );
    // Asked again, it is answered as before.
    let (status, problem) = caller.sends("early-words", json!({ "text": "喂？" })).await;
    assert_eq!(
        (status.as_u16(), problem["code"].as_str()),
        (409, Some("not-listening")),
        "{problem}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_input_is_told_what_one_is() {
    let city = City::open().await;
    let server = setup(&city).start().await;
    let mut caller = Caller::dial(&server, "12345").await;
    caller.is_asked().await;
    for (id, input, status, code) in [
        ("a", json!({ "keys": "1x" }), 422, "bad-keys"),
        ("b", json!({ "text": "" }), 422, "bad-text"),
        ("c", json!({ "keys": "1", "text": "1" }), 400, "not-one-input"),
        ("d", json!({ "key": "1" }), 400, "unknown-field"),
        ("", json!({ "keys": "1" }), 400, "bad-input-id"),
    ] {
        let (answered, problem) = caller.sends(id, input).await;
        assert_eq!(
            (answered.as_u16(), problem["code"].as_str()),
            (status, Some(code)),
            "{problem}"
        );
        assert!(
            !problem["detail"].as_str().unwrap().is_empty() && !problem["mend"].as_str().unwrap().is_empty()
        );
    }
    assert_eq!(server.contact(&caller.contact).await["step"], "language");
}
