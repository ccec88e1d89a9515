use axum::{body::Body, http::StatusCode};
use serde_json::{Value as Json, json};

use super::super::tests::{API_KEY, Api, request};
use crate::{
    Clock,
    feeds::tests::{KEY, hotline, start, works},
    limits::HOOK_BYTES_MAX,
    signature::sign,
    testing::{NOON, eventually},
};

async fn api(guarded: bool) -> Api {
    let hotline = hotline("rate: 1 per second", &works(&["a"], &[]));
    let node = start(&hotline, &Clock::still(NOON)).await;
    Api::on(hotline, node, guarded)
}

async fn event(api: &Api, name: &str, signature: Option<&str>, body: &str) -> (StatusCode, Json) {
    let mut request = request("POST", &format!("/api/v1/hooks/{name}"), None);
    if let Some(signature) = signature {
        request = request.header("Trunkline-Signature", signature);
    }
    api.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

#[tokio::test]
async fn each_event_is_answered_by_what_it_is() {
    // Events need no operator's key.
    let api = api(true).await;
    let body = json!({ "id": "s-1", "phone": "+8613800138000" }).to_string();
    let nobody = json!({ "id": "s-2" }).to_string();
    let signature = sign(KEY, body.as_bytes(), NOON);
    let (status, taken) = event(&api, "sensor", Some(&signature), &body).await;
    assert_eq!((status, &taken["again"]), (StatusCode::ACCEPTED, &json!(false)));
    let (status, again) = event(&api, "sensor", Some(&signature), &body).await;
    assert_eq!((status, &again["again"]), (StatusCode::ACCEPTED, &json!(true)));
    assert_eq!(taken["event"], again["event"]);
    let signed = |body: &str| sign(KEY, body.as_bytes(), NOON);
    let large = "x".repeat(HOOK_BYTES_MAX + 1);
    for (name, signature, body, expected) in [
        ("sensor", None, body.as_str(), (401, "unauthorized")),
        (
            "sensor",
            Some("t=1,v1=00".to_owned()),
            &body,
            (401, "unauthorized"),
        ),
        ("sensor", Some(signed("{}")), &body, (401, "unauthorized")),
        ("sensor", Some(signed("[1]")), "[1]", (400, "bad-json")),
        ("sensor", Some(signed("{}")), "{}", (422, "bad-event")),
        ("sensor", Some(signed(&nobody)), &nobody, (422, "bad-event")),
        ("unset", Some(signed(&body)), &body, (503, "no-secret")),
        ("other", Some(signed(&body)), &body, (404, "no-such-webhook")),
        ("sensor", Some(signed(&large)), &large, (413, "too-large")),
    ] {
        let (status, problem) = event(&api, name, signature.as_deref(), body).await;
        assert_eq!(
            (status.as_u16(), problem["code"].as_str().unwrap()),
            expected,
            "{problem}"
        );
        // Whoever sends it learns no name of a secret.
        assert!(!problem.to_string().contains("other-key"), "{problem}");
    }
}

#[tokio::test]
async fn operators_see_what_ran_waits_and_was_started() {
    let api = api(true).await;
    let key = Some(API_KEY);
    for path in ["/api/v1/feeds", "/api/v1/plugins/works/kv"] {
        assert_eq!(api.get(path, None).await.0, StatusCode::UNAUTHORIZED);
    }
    eventually("a contact was started", async || {
        let (_, listed) = api.get("/api/v1/feeds", key).await;
        listed["feeds"][0]["starts"]["started"] == 1
    })
    .await;
    let (_, listed) = api.get("/api/v1/feeds", key).await;
    let feed = &listed["feeds"][0];
    assert_eq!(
        (
            &feed["feed"],
            &feed["function"],
            &feed["last"]["outcome"],
            &feed["last"]["new"]
        ),
        (&json!("works"), &json!("works.changes"), &json!("ok"), &json!(1)),
        "{feed}"
    );
    assert_eq!(
        (&feed["declared"], &feed["starts"]["flow"]),
        (&json!(true), &json!("tell"))
    );
    let webhooks = listed["webhooks"].as_array().unwrap();
    let has_secret: Vec<&Json> = webhooks.iter().map(|webhook| &webhook["has_secret"]).collect();
    assert_eq!(has_secret, [&json!(true), &json!(false)]);
    let (status, _) = api.post("/api/v1/feeds/works/run", key, &json!({})).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    eventually("it ran again", async || {
        let (_, listed) = api.get("/api/v1/feeds", key).await;
        listed["feeds"][0]["last"]["run"] == 2
    })
    .await;
    let (status, problem) = api.post("/api/v1/feeds/wroks/run", key, &json!({})).await;
    assert_eq!((status.as_u16(), &problem["code"]), (404, &json!("no-such-feed")));
    let waiting = |name: &str| format!("/api/v1/feeds/{name}/waiting");
    let (status, _) = api.delete(&waiting("works"), None).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    for name in ["works", "feed.works", "webhook.sensor"] {
        let (status, dropped) = api.delete(&waiting(name), key).await;
        assert_eq!(
            (status, dropped),
            (StatusCode::OK, json!({ "dropped": 0 })),
            "{name}"
        );
    }
    for name in ["wroks", "webhook.works"] {
        let (status, problem) = api.delete(&waiting(name), key).await;
        assert_eq!((status.as_u16(), &problem["code"]), (404, &json!("no-such-feed")));
    }
    let (status, kept) = api.get("/api/v1/plugins/works/kv?prefix=a", key).await;
    assert_eq!((status, &kept["values"]), (StatusCode::OK, &json!([])));
    let (status, problem) = api.get("/api/v1/plugins/others/kv", key).await;
    assert_eq!(
        (status.as_u16(), &problem["code"]),
        (404, &json!("no-such-plugin"))
    );
    let (_, description) = api.get("/api/v1/openapi.json", None).await;
    assert!(description["paths"]["/api/v1/hooks/{name}"]["post"].is_object());
}
