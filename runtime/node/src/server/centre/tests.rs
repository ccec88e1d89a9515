use axum::http::StatusCode;
use serde_json::{Value as Json, json};

use super::super::tests::Api;
use crate::testing::{Hotline, eventually};

async fn state(api: &Api, contact: &str) -> Json {
    let (status, state) = api.get(&format!("/api/v1/contacts/{contact}"), None).await;
    assert_eq!(status, StatusCode::OK, "{state}");
    state
}

/// Begins a contact and presses 1.
async fn waits(api: &Api) -> String {
    let (contact, token) = api.begin().await;
    let inputs = format!("/api/v1/contacts/{contact}/inputs");
    let pressed = json!({ "id": "press", "keys": "1" });
    let (status, _) = api.post(&inputs, Some(&token), &pressed).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    contact
}

async fn agent(api: &Api, path: &str, body: Json) -> (StatusCode, Json) {
    api.post(&format!("/api/v1/agents/{path}"), None, &body).await
}

#[tokio::test]
async fn an_agent_is_offered_a_caller_answers_and_ends() {
    let api = Api::of(Hotline::with_queue(), false).await;
    let (status, one) = agent(&api, "zhang-wei", json!({ "state": "available" })).await;
    assert_eq!((status, &one["state"]), (StatusCode::OK, &json!("available")));
    let contact = waits(&api).await;
    eventually("the caller is in the queue", async || {
        state(&api, &contact).await["waits_for"] == "queue general at 1"
    })
    .await;
    assert_eq!(state(&api, &contact).await["state"], "serving");
    let (_, centre) = api.get("/api/v1/queues", None).await;
    assert_eq!(centre["queues"][0]["callers"][0]["contact"], json!(contact));
    assert_eq!(centre["queues"][0]["waiting"], 1);
    let ringing = centre["agents"].as_array().unwrap();
    let ringing = ringing
        .iter()
        .find(|agent| agent["agent"] == "zhang-wei")
        .unwrap();
    assert_eq!(
        (&ringing["state"], &ringing["contact"]),
        (&json!("ringing"), &json!(contact))
    );

    let call = format!("zhang-wei/calls/{contact}");
    let (status, one) = agent(&api, &call, json!({ "do": "answer" })).await;
    assert_eq!((status, &one["state"]), (StatusCode::OK, &json!("talking")));
    eventually("they talk", async || {
        state(&api, &contact).await["waits_for"] == "agent zhang-wei"
    })
    .await;
    let (status, refused) = agent(&api, "zhang-wei", json!({ "state": "away" })).await;
    assert_eq!(
        (status, &refused["code"]),
        (StatusCode::CONFLICT, &json!("agent-in-call"))
    );
    let (status, one) = agent(&api, &call, json!({ "do": "end" })).await;
    assert_eq!((status, &one["state"]), (StatusCode::OK, &json!("wrap-up")));
    eventually("the flow goes on", async || {
        state(&api, &contact).await["step"] == "matter"
    })
    .await;
}

#[tokio::test]
async fn what_an_agent_cannot_do_is_said() {
    let api = Api::of(Hotline::with_queue(), false).await;
    let nobody = "00000000000000000000000000";
    for (path, body, status, code) in [
        ("wang-wu", json!({ "state": "available" }), 404, "no-such-agent"),
        ("li-na", json!({ "state": "asleep" }), 400, "bad-agent-state"),
        ("li-na", json!({ "stat": "away" }), 400, "unknown-field"),
        ("li%20na", json!({ "state": "away" }), 400, "bad-agent-name"),
        (
            &format!("li-na/calls/{nobody}"),
            json!({ "do": "answer" }),
            409,
            "not-offered",
        ),
        (
            &format!("li-na/calls/{nobody}"),
            json!({ "do": "end" }),
            409,
            "not-in-call",
        ),
        (
            &format!("li-na/calls/{nobody}"),
            json!({ "do": "sing" }),
            400,
            "bad-deed",
        ),
        ("li-na/calls/x", json!({ "do": "end" }), 400, "bad-contact-id"),
    ] {
        let (answered, problem) = agent(&api, path, body).await;
        assert_eq!(
            (answered.as_u16(), &problem["code"]),
            (status, &json!(code)),
            "{problem}"
        );
    }
}

#[tokio::test]
async fn queues_and_agents_are_the_operators() {
    let api = Api::of(Hotline::with_queue(), true).await;
    let (status, _) = api.get("/api/v1/queues", None).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let (status, _) = agent(&api, "li-na", json!({ "state": "available" })).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}
