//! The operators' side: releases that are sent, health, metrics, plugins; and who may do what.

use std::path::Path;

use end_to_end::{Caller, City, answer, http};
use serde_json::json;

use crate::{CLIENT_KEY, citizen, setup};

const API_KEY: &str = "a-key-for-the-tests-operator";

fn archive(folder: &Path) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    archive.append_dir_all(".", folder).unwrap();
    archive.into_inner().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hotline_that_is_sent_goes_live_and_back() {
    let city = City::open().await;
    let server = setup(&city).start().await;
    let send = async |body: Vec<u8>| {
        let post = http()
            .post(format!("{}/api/v1/releases", server.url()))
            .header("content-type", "application/x-tar")
            .body(body);
        answer(post).await
    };
    let first = server.current_release().await;
    let mut under_way = Caller::dial(&server, "057100002345").await;
    under_way.hears("welcome").await;

    let (status, same) = send(archive(&city.folder.path())).await;
    assert_eq!(
        (status.as_u16(), same["verdict"].as_str()),
        (200, Some("unchanged")),
        "{same}"
    );

    city.folder.replace(
        "prompts/en.yaml",
        "Welcome to the city's service hotline",
        "Welcome again to the city's service hotline",
    );
    let (status, sent) = send(archive(&city.folder.path())).await;
    assert_eq!(
        (status.as_u16(), sent["verdict"].as_str()),
        (201, Some("live")),
        "{sent}"
    );
    let second = server.current_release().await;
    assert_ne!(second, first);
    let mut caller = Caller::dial(&server, "057100002345").await;
    assert!(caller.hears("welcome").await.contains("again"));
    assert_eq!(under_way.release, first);

    city.folder
        .replace("flows/city.yaml", "next: which-line", "next: which-lane");
    let (status, problem) = send(archive(&city.folder.path())).await;
    assert_eq!(
        (status.as_u16(), problem["code"].as_str()),
        (422, Some("hotline-refused")),
        "{problem}"
    );
    let finding = &problem["findings"][0];
    assert_eq!(
        (finding["code"].as_str(), finding["file"].as_str()),
        (Some("TL0101"), Some("flows/city.yaml")),
        "{problem}"
    );
    assert_eq!(server.current_release().await, second);

    let (status, problem) = send(b"this is no archive".to_vec()).await;
    assert_eq!(
        (status.as_u16(), problem["code"].as_str()),
        (400, Some("bad-archive")),
        "{problem}"
    );

    let (status, back) =
        answer(http().post(format!("{}/api/v1/releases/{first}/activate", server.url()))).await;
    assert_eq!(status, 201, "{back}");
    assert_eq!(server.current_release().await, first);
    let (_, listed) = server.asked("/api/v1/releases").await;
    assert_eq!(listed["releases"][0]["release"], json!(first), "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn health_metrics_plugins_and_the_chat_page_are_there() {
    let city = City::open().await;
    let server = setup(&city).start().await;
    let mut caller = citizen(&server, "+8613800138000").await;
    caller.hears("welcome").await;
    caller.presses("1").await;
    caller.hears("greet").await;

    for path in ["/health/live", "/health/ready"] {
        assert_eq!(server.asked(path).await.0, 200, "{path}");
    }
    let metrics = http()
        .get(format!("{}/metrics", server.url()))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    for name in [
        "trunkline_contacts",
        "trunkline_contact_arrivals_total",
        "trunkline_step_seconds_bucket",
        "trunkline_http_request_seconds_bucket",
    ] {
        assert!(metrics.contains(name), "{name} is not in\n{metrics}");
    }
    assert!(
        metrics.contains("plugin=\"crm\""),
        "no call of a plugin is in\n{metrics}"
    );
    assert!(
        !metrics.contains("13800138000") && !metrics.contains(&caller.contact),
        "callers are in the metrics"
    );
    assert!(
        !server.log().contains("13800138000"),
        "a caller's number is in the log"
    );

    let (_, plugins) = server.asked("/api/v1/plugins").await;
    let crm = plugins["plugins"]
        .as_array()
        .unwrap()
        .iter()
        .find(|plugin| plugin["plugin"] == "crm")
        .unwrap();
    assert_eq!(crm["department"], "civil-affairs");
    assert_eq!(crm["calls"], 1);
    let signature = crm["functions"][0]["signature"].as_str().unwrap();
    assert!(
        signature.contains("find-citizen(phone: string)") && signature.contains("ambiguous(u32)"),
        "{signature}"
    );

    let page = http().get(format!("{}/", server.url())).send().await.unwrap();
    assert!(
        page.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/html")
    );
    assert!(page.text().await.unwrap().contains("<html"));
    let (status, openapi) = server.asked("/api/v1/openapi.json").await;
    assert_eq!(status, 200);
    assert!(openapi["paths"]["/api/v1/contacts/{id}/inputs"]["post"].is_object());
    let (status, problem) = server.asked("/api/v1/nothing").await;
    assert_eq!(status, 404);
    assert!(problem["code"].is_string(), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_tokens_open_what_is_theirs_and_nothing_else() {
    let city = City::open().await;
    let server = setup(&city).api_key(API_KEY).start().await;
    let get = |path: String, key: Option<&str>| {
        let get = http().get(format!("{}{path}", server.url()));
        match key {
            Some(key) => get.bearer_auth(key),
            None => get,
        }
    };
    let mut first = Caller::dial(&server, "12345").await;
    let second = Caller::dial(&server, "12345").await;
    first.hears("welcome").await;

    // The operator's side.
    for path in [
        "/api/v1/contacts",
        "/api/v1/releases",
        "/api/v1/plugins",
        "/metrics",
    ] {
        let (status, problem) = answer(get(path.to_owned(), None)).await;
        assert_eq!(
            (status.as_u16(), problem["code"].as_str()),
            (401, Some("unauthorized")),
            "{path}"
        );
        assert_eq!(
            answer(get(path.to_owned(), Some("not-the-operators-key")))
                .await
                .0,
            401,
            "{path}"
        );
        assert_eq!(
            answer(get(path.to_owned(), Some(&first.token))).await.0,
            401,
            "{path}"
        );
        assert_eq!(answer(get(path.to_owned(), Some(API_KEY))).await.0, 200, "{path}");
    }
    assert_eq!(answer(get("/health/ready".to_owned(), None)).await.0, 200);

    // The caller's side: another contact's token, the operator's key, none at all.
    let turns = format!("/api/v1/contacts/{}/turns", first.contact);
    for key in [Some(second.token.as_str()), Some(API_KEY), None] {
        let (status, _) = answer(get(turns.clone(), key)).await;
        assert!(matches!(status.as_u16(), 401 | 403), "{status} for {key:?}");
    }
    let post = http()
        .post(format!(
            "{}/api/v1/contacts/{}/inputs",
            server.url(),
            first.contact
        ))
        .bearer_auth(&second.token)
        .json(&json!({ "id": "x", "keys": "1" }));
    assert!(matches!(answer(post).await.0.as_u16(), 401 | 403));
    assert_eq!(answer(get(turns, Some(&first.token))).await.0, 200);

    // Nobody but a trusted client vouches for a number.
    let request = json!({ "number": "12345", "from": "+8613800138000" });
    let post = http()
        .post(format!("{}/api/v1/contacts", server.url()))
        .bearer_auth("not-the-clients-key-at-all")
        .json(&request);
    assert_eq!(answer(post).await.0, 401);
    let mut claimed = Caller::begin(&server, None, request.clone()).await;
    claimed.hears("welcome").await;
    claimed.presses("1").await;
    claimed.hears("topics").await;
    assert_eq!(
        city.crm.requests(),
        0,
        "a number that is only claimed is not looked up"
    );
    let mut vouched = Caller::begin(&server, Some(CLIENT_KEY), request).await;
    vouched.hears("welcome").await;
    vouched.presses("1").await;
    vouched.hears("greet").await;
    assert_eq!(city.crm.requests(), 1);
}
