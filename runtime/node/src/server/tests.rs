//! The API as clients meet it: each answer by its status, its code and its shape.

use std::{net::SocketAddr, time::Duration};

use axum::{
    body::Body,
    http::{Request, StatusCode, header, request},
};
use serde_json::{Value as Json, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tower::ServiceExt as _;

use super::*;
use crate::{
    Clock, Node, Settings,
    testing::{Hotline, NOON},
};

pub(super) const API_KEY: &str = "operator-key-0123456789";
const CLIENT_KEY: &str = "client-key-0123456789";

pub(super) struct Api {
    hotline: Hotline,
    node: Node,
    router: Router,
}

impl Api {
    async fn new(guarded: bool) -> Self {
        Self::of(Hotline::new(), guarded).await
    }

    pub(super) async fn of(hotline: Hotline, guarded: bool) -> Self {
        let node = hotline.start().await;
        Self::on(hotline, node, guarded)
    }

    /// The API of a node that runs.
    pub(super) fn on(hotline: Hotline, node: Node, guarded: bool) -> Self {
        let readiness = Arc::new(Readiness::default());
        readiness.set(true);
        let listen = Listen {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            api_key: guarded.then(|| Key::new(API_KEY).unwrap()),
            client_key: Some(Key::new(CLIENT_KEY).unwrap()),
        };
        let state = State::new(node.contacts().clone(), node.feeds().clone(), readiness, &listen);
        Self {
            hotline,
            node,
            router: router(state),
        }
    }

    pub(super) async fn send(&self, request: Request<Body>) -> (StatusCode, Json) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let problem = response
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|media| media == "application/problem+json");
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        let json: Json = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Json::String(String::from_utf8_lossy(&bytes).into_owned()));
        assert_eq!(
            problem,
            status.is_client_error() || status.is_server_error(),
            "{status} {json}"
        );
        if problem {
            for field in ["type", "title", "code", "detail", "mend"] {
                assert!(
                    json[field].as_str().is_some_and(|text| !text.is_empty()),
                    "{field} of {json}"
                );
            }
            assert_eq!(json["status"], status.as_u16());
        }
        (status, json)
    }

    pub(super) async fn get(&self, path: &str, bearer: Option<&str>) -> (StatusCode, Json) {
        self.send(request("GET", path, bearer).body(Body::empty()).unwrap())
            .await
    }

    pub(super) async fn delete(&self, path: &str, bearer: Option<&str>) -> (StatusCode, Json) {
        self.send(request("DELETE", path, bearer).body(Body::empty()).unwrap())
            .await
    }

    pub(super) async fn post(&self, path: &str, bearer: Option<&str>, body: &Json) -> (StatusCode, Json) {
        let request = request("POST", path, bearer).header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap())
            .await
    }

    pub(super) async fn begin(&self) -> (String, String) {
        let (status, begun) = self
            .post("/api/v1/contacts", None, &json!({ "number": "12345" }))
            .await;
        assert_eq!(status, StatusCode::CREATED, "{begun}");
        let field = |name: &str| begun[name].as_str().unwrap().to_owned();
        (field("contact"), field("token"))
    }
}

pub(super) fn request(method: &str, path: &str, bearer: Option<&str>) -> request::Builder {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "localhost:8080");
    match bearer {
        Some(shown) => request.header(header::AUTHORIZATION, format!("Bearer {shown}")),
        None => request,
    }
}

#[tokio::test]
async fn a_contact_by_curl() {
    let api = Api::new(false).await;
    let (contact, token) = api.begin().await;
    let path = |end: &str| format!("/api/v1/contacts/{contact}/{end}");
    let (status, turns) = api.get(&path("turns?after=0"), Some(&token)).await;
    assert_eq!(status, StatusCode::OK);
    let turns = turns["turns"].as_array().unwrap();
    assert_eq!(turns[0]["type"], "say");
    assert_eq!(turns[0]["text"], "Welcome.");
    assert_eq!(turns[0]["language"], "en");
    let ask = turns.last().unwrap();
    assert_eq!((&ask["type"], &ask["keys"]), (&json!("ask"), &json!("[12]")));
    assert!(ask["until"].as_str().unwrap().starts_with("2026-11-2"));
    let after = ask["seq"].as_u64().unwrap();

    let input = json!({ "id": "press-1", "keys": "1" });
    let (status, taken) = api.post(&path("inputs"), Some(&token), &input).await;
    assert_eq!(
        (status, &taken["reply"]),
        (StatusCode::ACCEPTED, &json!("accepted"))
    );
    let (status, again) = api.post(&path("inputs"), Some(&token), &input).await;
    assert_eq!((status, &again), (StatusCode::ACCEPTED, &taken));
    let (_, turns) = api
        .get(&path(&format!("turns?after={after}")), Some(&token))
        .await;
    assert_eq!(turns["turns"][0]["text"], "What happened?");

    let (status, _) = api
        .post(
            &path("inputs"),
            Some(&token),
            &json!({ "id": "z", "hang_up": true }),
        )
        .await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let (status, problem) = api
        .post(&path("inputs"), Some(&token), &json!({ "id": "y", "keys": "1" }))
        .await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::CONFLICT, &json!("ended"))
    );
    let (_, state) = api.get(&format!("/api/v1/contacts/{contact}"), None).await;
    assert_eq!(
        (&state["state"], &state["outcome"]),
        (&json!("ended"), &json!("abandoned"))
    );
}

#[tokio::test]
async fn what_is_wrong_with_a_request_has_a_code() {
    let api = Api::new(false).await;
    let (contact, token) = api.begin().await;
    let token = Some(token.as_str());
    let inputs = format!("/api/v1/contacts/{contact}/inputs");
    let contacts = "/api/v1/contacts";
    let long = "1".repeat(200);
    for (path, bearer, body, status, code) in [
        (contacts, None, json!({ "number": "999" }), 422, "no-such-number"),
        (contacts, None, json!({ "nummer": "1" }), 400, "unknown-field"),
        (contacts, None, json!({}), 400, "bad-field"),
        (
            contacts,
            None,
            json!({ "number": "12345", "channel": "fax" }),
            422,
            "no-such-channel",
        ),
        (
            contacts,
            None,
            json!({ "number": "12345", "from": "138" }),
            400,
            "bad-from",
        ),
        (
            contacts,
            None,
            json!({ "number": "12345", "language": "zh_CN" }),
            400,
            "bad-language",
        ),
        (
            contacts,
            None,
            json!({ "number": "12345", "id": "1" }),
            400,
            "bad-request-id",
        ),
        (
            contacts,
            Some("no-key-of-anybody"),
            json!({ "number": "12345" }),
            401,
            "unauthorized",
        ),
        (
            &inputs,
            None,
            json!({ "id": "a", "keys": "1" }),
            401,
            "unauthorized",
        ),
        (
            &inputs,
            Some("wrong"),
            json!({ "id": "a", "keys": "1" }),
            401,
            "unauthorized",
        ),
        (&inputs, token, json!({ "id": "a" }), 400, "not-one-input"),
        (
            &inputs,
            token,
            json!({ "id": "a", "keys": "1", "text": "x" }),
            400,
            "not-one-input",
        ),
        (
            &inputs,
            token,
            json!({ "id": "a", "hang_up": false }),
            400,
            "not-one-input",
        ),
        (
            &inputs,
            token,
            json!({ "id": "", "keys": "1" }),
            400,
            "bad-input-id",
        ),
        (
            &inputs,
            token,
            json!({ "id": long, "keys": "1" }),
            400,
            "bad-input-id",
        ),
        (
            &inputs,
            token,
            json!({ "id": "b", "keys": "1x" }),
            422,
            "bad-keys",
        ),
        (
            &inputs,
            token,
            json!({ "id": "c", "text": "  " }),
            422,
            "bad-text",
        ),
        (
            "/api/v1/contacts/nonsense/inputs",
            token,
            json!({ "id": "a", "keys": "1" }),
            400,
            "bad-contact-id",
        ),
        (
            "/api/v1/contacts/01k9vt3n1yhm2d5c9jq4k7x8zw/inputs",
            token,
            json!({}),
            404,
            "no-such-contact",
        ),
        ("/api/v1/nothing", None, json!({}), 404, "no-such-path"),
    ] {
        let (found, problem) = api.post(path, bearer, &body).await;
        assert_eq!(
            (found.as_u16(), &problem["code"]),
            (status, &json!(code)),
            "{path} {body}"
        );
    }
    for (path, status, code) in [
        ("/api/v1/contacts?state=lost", 400, "bad-state"),
        ("/api/v1/contacts?limit=0", 400, "bad-limit"),
        ("/api/v1/contacts?page=2", 400, "bad-query"),
        ("/api/v1/contacts?after=x", 400, "bad-contact-id"),
        (
            "/api/v1/contacts/01k9vt3n1yhm2d5c9jq4k7x8zw",
            404,
            "no-such-contact",
        ),
        (inputs.as_str(), 405, "no-such-method"),
    ] {
        let (found, problem) = api.get(path, None).await;
        assert_eq!(
            (found.as_u16(), &problem["code"]),
            (status, &json!(code)),
            "{path}"
        );
    }
    let (found, problem) = api
        .get(&format!("/api/v1/contacts/{contact}/turns?wait=61"), token)
        .await;
    assert_eq!((found.as_u16(), &problem["code"]), (400, &json!("bad-query")));
}

#[tokio::test]
async fn a_body_of_the_wrong_kind_is_refused() {
    let api = Api::new(false).await;
    for (media, body, code) in [
        (None, "{}".to_owned(), "unsupported-media-type"),
        (Some("text/plain"), "{}".to_owned(), "unsupported-media-type"),
        (
            Some("application/json; charset=utf-8"),
            "{".to_owned(),
            "bad-json",
        ),
        (Some("application/json"), "x".repeat(70_000), "too-large"),
    ] {
        let mut request = request("POST", "/api/v1/contacts", None);
        if let Some(media) = media {
            request = request.header(header::CONTENT_TYPE, media);
        }
        let (_, problem) = api.send(request.body(Body::from(body)).unwrap()).await;
        assert_eq!(problem["code"], code);
    }
}

#[tokio::test]
async fn keys_open_what_they_are_for() {
    let api = Api::new(true).await;
    let (contact, token) = api.begin().await;
    for path in [
        "/api/v1/contacts".to_owned(),
        format!("/api/v1/contacts/{contact}"),
        format!("/api/v1/contacts/{contact}/events"),
        "/api/v1/releases".to_owned(),
        "/api/v1/releases/current".to_owned(),
        "/api/v1/plugins".to_owned(),
        "/api/v1/plugins/success".to_owned(),
        "/metrics".to_owned(),
    ] {
        assert_eq!(api.get(&path, None).await.0, StatusCode::UNAUTHORIZED, "{path}");
        for wrong in [CLIENT_KEY, &token, "x"] {
            assert_eq!(
                api.get(&path, Some(wrong)).await.0,
                StatusCode::UNAUTHORIZED,
                "{path}"
            );
        }
        assert_eq!(api.get(&path, Some(API_KEY)).await.0, StatusCode::OK, "{path}");
    }
    // The caller's side is the caller's alone.
    let (_, other) = api.begin().await;
    let turns = format!("/api/v1/contacts/{contact}/turns");
    for wrong in [API_KEY, CLIENT_KEY, &other] {
        assert_eq!(api.get(&turns, Some(wrong)).await.0, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(api.get(&turns, Some(&token)).await.0, StatusCode::OK);
    // Health needs none.
    assert_eq!(api.get("/health/ready", None).await.0, StatusCode::OK);
    assert_eq!(api.get("/health/live", None).await.0, StatusCode::OK);
}

#[tokio::test]
async fn only_a_trusted_client_vouches_for_the_caller() {
    let api = Api::new(true).await;
    let body = json!({ "number": "12345", "from": "+8613800138000" });
    for (bearer, caller, claimed) in [
        (None, Json::Null, json!("+8613800138000")),
        (Some(CLIENT_KEY), json!("+8613800138000"), Json::Null),
    ] {
        let (status, begun) = api.post("/api/v1/contacts", bearer, &body).await;
        assert_eq!(status, StatusCode::CREATED);
        let events = format!("/api/v1/contacts/{}/events", begun["contact"].as_str().unwrap());
        let (_, open) = api.get(&format!("{events}?personal=true"), Some(API_KEY)).await;
        let first = &open["events"][0];
        assert_eq!(first["personal"]["caller"]["caller"], caller);
        assert_eq!(first["personal"]["caller"]["claimed"], claimed);
        let (_, masked) = api.get(&events, Some(API_KEY)).await;
        assert_eq!(masked["events"][0]["masked"], true);
        assert!(!masked.to_string().contains("138"), "{masked}");
        assert!(!masked.to_string().contains("Welcome"), "{masked}");
    }
}

#[tokio::test]
async fn without_a_key_only_this_machine_is_answered() {
    let api = Api::new(false).await;
    for (host, origin, allowed) in [
        ("localhost:8080", None, true),
        ("127.0.0.1:8080", Some("http://127.0.0.1:8080"), true),
        ("evil.example", None, false),
        ("localhost:8080", Some("https://evil.example"), false),
        ("localhost:8080", Some("null"), false),
    ] {
        let mut request = Request::builder()
            .uri("/api/v1/contacts")
            .header(header::HOST, host);
        if let Some(origin) = origin {
            request = request.header(header::ORIGIN, origin);
        }
        let (status, _) = api.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(status == StatusCode::OK, allowed, "{host} {origin:?}");
    }
}

fn archive(hotline: &Hotline) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    builder.append_dir_all(".", hotline.path()).unwrap();
    builder.into_inner().unwrap()
}

#[tokio::test]
async fn a_hotline_can_be_sent_as_an_archive() {
    let api = Api::new(false).await;
    let send = async |path: &str| {
        let request = request("POST", path, None).header(header::CONTENT_TYPE, "application/x-tar");
        api.send(request.body(Body::from(archive(&api.hotline))).unwrap())
            .await
    };
    let (status, report) = send("/api/v1/releases").await;
    assert_eq!(
        (status, &report["verdict"]),
        (StatusCode::OK, &json!("unchanged"))
    );
    let first = api.node.releases().current().unwrap().id();

    api.hotline.write(
        "prompts/en.yaml",
        api.hotline.read("prompts/en.yaml").replace("Welcome.", "Hello."),
    );
    let (status, report) = send("/api/v1/releases?activate=false").await;
    assert_eq!(
        (status, &report["verdict"]),
        (StatusCode::CREATED, &json!("built"))
    );
    assert_eq!(api.node.releases().current().unwrap().id(), first);
    let activate = format!(
        "/api/v1/releases/{}/activate",
        report["release"].as_str().unwrap()
    );
    let (status, report) = api.post(&activate, None, &json!({})).await;
    assert_eq!(
        (status, &report["verdict"]),
        (StatusCode::CREATED, &json!("live"))
    );
    let (_, releases) = api.get("/api/v1/releases", None).await;
    assert_eq!(releases["releases"][0]["stage"], "current");
    assert_eq!(releases["releases"][1]["stage"], "drained");

    api.hotline.write(
        "flows/main.yaml",
        api.hotline
            .read("flows/main.yaml")
            .replace("next: done", "next: doen"),
    );
    let (status, problem) = send("/api/v1/releases").await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("hotline-refused"))
    );
    let finding = &problem["findings"][0];
    assert_eq!(finding["file"], "flows/main.yaml");
    assert!(finding["line"].as_u64().unwrap() > 1 && finding["code"].as_str().unwrap().starts_with("TL"));
    assert_ne!(api.node.releases().current().unwrap().id(), first);
}

#[tokio::test]
async fn the_api_describes_and_counts_itself() {
    let api = Api::new(false).await;
    let (_, description) = api.get("/api/v1/openapi.json", None).await;
    assert!(description["openapi"].as_str().unwrap().starts_with("3.1"));
    for path in [
        "/api/v1/contacts",
        "/api/v1/contacts/{id}/inputs",
        "/api/v1/releases",
        "/api/v1/plugins",
        "/api/v1/plugins/success",
    ] {
        assert!(description["paths"][path].is_object(), "{path}");
    }
    api.begin().await;
    let (_, metrics) = api.get("/metrics", None).await;
    let metrics = metrics.as_str().unwrap();
    for name in [
        "trunkline_contacts{",
        "trunkline_http_request_seconds_bucket",
        "trunkline_contact_arrivals_total",
    ] {
        assert!(metrics.contains(name), "{name} is missing in\n{metrics}");
    }
    let response = api
        .router
        .clone()
        .oneshot(request("GET", "/", None).body(Body::empty()).unwrap())
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert!(
        response.headers()[header::CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap()
            .contains("script-src 'self'")
    );
}

#[tokio::test]
async fn what_plugins_use_and_how_often_they_succeed_is_told() {
    let hotline = Hotline::with_plugin(42);
    let written = hotline.read("hotline.yaml");
    let expects = written.replace("department: test }", "department: test, success: 60% }")
        + "success: { rate: 99.9%, window: 10m, least: 4 }\n";
    hotline.write("hotline.yaml", expects);
    let (heard, url) = alerted().await;
    let settings = Settings {
        webhook: Some(crate::webhook::WebhookTarget::new(&url, "a-secret-for-tests-only").unwrap()),
        ..hotline.settings(&Clock::still(NOON))
    };
    let journal = crate::testing::journal(Arc::new(trunkline_journal::Memory::new()));
    let node = Node::start_on(settings, journal).await.unwrap();
    let api = Api::on(hotline, node, false);
    let plugin = || async { api.get("/api/v1/plugins", None).await.1["plugins"][0].clone() };
    assert_eq!(plugin().await["interfaces"], serde_json::json!([]));
    for _ in 0..2 {
        let (contact, _) = api.begin().await;
        api.node
            .hears(&trunkline_model::ContactId::parse(&contact).unwrap(), "It is 42.")
            .await;
    }
    let good = plugin().await;
    assert_eq!(
        (&good["calls"], &good["answers"], &good["waiting"]),
        (&2.into(), &2.into(), &0.into())
    );
    assert!(
        good["used"]["busy_ms"].is_u64() && good["used"]["http_sent_bytes"] == 0,
        "{good}"
    );
    assert_eq!(good["interfaces"][0]["interface"], "sage");
    assert_eq!(good["interfaces"][0]["rate"], 1.0);
    assert_eq!(
        (
            &good["interfaces"][0]["expected"],
            &good["interfaces"][0]["window_s"]
        ),
        (&0.6.into(), &600.into())
    );

    // The next release of it traps, and falls below.
    api.hotline
        .write("plugins/sage.wasm", crate::testing::component("unreachable"));
    let folder = api.hotline.path().to_owned();
    api.node
        .releases()
        .take_folder(&folder, crate::report::Cause::Asked)
        .await;
    for _ in 0..2 {
        let (contact, _) = api.begin().await;
        api.node
            .hears(
                &trunkline_model::ContactId::parse(&contact).unwrap(),
                "[unserved]",
            )
            .await;
    }
    let bad = plugin().await;
    assert_eq!(
        (&bad["interfaces"][0]["calls"], &bad["interfaces"][0]["failures"]),
        (&4.into(), &2.into())
    );
    assert!(bad["interfaces"][0]["breached_since"].is_string(), "{bad}");
    let (_, changes) = api.get("/api/v1/plugins/success", None).await;
    let change = &changes["changes"][0];
    assert_eq!(
        (&change["change"], &change["plugin"]),
        (&"breached".into(), &"sage".into())
    );
    assert_eq!(change["standing"]["rate"], 0.5);

    // Ten minutes later nothing bad is in the window.
    api.node
        .clock()
        .advance(trunkline_model::Duration::from_secs(660));
    api.node.success().sweep();
    let (_, changes) = api.get("/api/v1/plugins/success", None).await;
    assert_eq!(changes["changes"][1]["change"], "recovered");
    let told = ["plugin.success.breached", "plugin.success.recovered"];
    while heard.lock().unwrap().len() < told.len() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(*heard.lock().unwrap(), told);
    let (_, metrics) = api.get("/metrics", None).await;
    let metrics = metrics.as_str().unwrap();
    for name in [
        "trunkline_plugin_calls_total{plugin=\"sage\",department=\"test\",outcome=\"ok\"}",
        "trunkline_plugin_busy_microseconds_total{plugin=\"sage\",department=\"test\"}",
        "trunkline_plugin_success_rate{plugin=\"sage\",interface=\"sage\",department=\"test\"}",
        "trunkline_plugin_success_breached{plugin=\"sage\",interface=\"sage\",department=\"test\"} 0",
    ] {
        assert!(metrics.contains(name), "{name} is missing in\n{metrics}");
    }
}

/// An operator's webhook over loopback: the events it is told of, and its address.
async fn alerted() -> (Arc<std::sync::Mutex<Vec<String>>>, String) {
    let heard = Arc::<std::sync::Mutex<Vec<String>>>::default();
    let hearing = heard.clone();
    let hears = move |headers: axum::http::HeaderMap| async move {
        let event = headers["trunkline-event"].to_str().unwrap().to_owned();
        hearing.lock().unwrap().push(event);
        StatusCode::NO_CONTENT
    };
    let router = Router::new().route("/alerts", axum::routing::post(hears));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/alerts", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (heard, url)
}

/// A node that listens, and its address.
async fn listening(hotline: &Hotline) -> (Node, SocketAddr) {
    let settings = Settings {
        listen: Some(Listen {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            api_key: None,
            client_key: None,
        }),
        ..hotline.settings(&Clock::still(NOON))
    };
    let node = Node::start(settings).await.unwrap();
    let address = node.address().unwrap();
    (node, address)
}

/// Opens the stream of a contact's turns and gives what comes until `enough` of it is there.
async fn stream(
    address: SocketAddr,
    contact: &str,
    token: &str,
    last: Option<u64>,
    enough: impl Fn(&str) -> bool,
) -> String {
    let last = last
        .map(|last| format!("last-event-id: {last}\r\n"))
        .unwrap_or_default();
    let mut connection = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "GET /api/v1/contacts/{contact}/turns HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
         accept: text/event-stream\r\n{last}\r\n"
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut got = String::new();
    let mut buffer = [0; 4_096];
    while !enough(&got) {
        let read = tokio::time::timeout(Duration::from_secs(10), connection.read(&mut buffer)).await;
        let read = read
            .unwrap_or_else(|_| panic!("nothing more after {got}"))
            .unwrap();
        if read == 0 {
            break;
        }
        got.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
    }
    got
}

#[tokio::test]
async fn a_stream_is_taken_up_again_where_it_broke_off() {
    let hotline = Hotline::new();
    let (node, address) = listening(&hotline).await;
    let arrived = node.arrive(crate::testing::call()).await.unwrap();
    let (contact, token) = (arrived.contact.as_str(), arrived.token.as_str());
    let first = stream(address, contact, token, None, |got| got.contains("event: ask")).await;
    assert!(
        first.contains("text/event-stream") && first.contains("Welcome."),
        "{first}"
    );
    let last: u64 = first
        .lines()
        .filter_map(|line| line.strip_prefix("id: "))
        .filter_map(|id| id.parse().ok())
        .max()
        .unwrap();
    let rest = {
        let (contact, token) = (contact.to_owned(), token.to_owned());
        tokio::spawn(async move {
            stream(address, &contact, &token, Some(last), |got| {
                got.contains("event: ended")
            })
            .await
        })
    };
    node.deliver(&arrived.contact, crate::testing::keys("a", "1"))
        .await
        .unwrap();
    node.deliver(&arrived.contact, crate::testing::text("b", "lamp"))
        .await
        .unwrap();
    let rest = rest.await.unwrap();
    assert!(
        !rest.contains("Welcome.") && rest.contains("What happened?") && rest.contains("completed"),
        "{rest}"
    );
    // It has ended: there is nothing to wait for.
    let over = stream(address, contact, token, Some(10_000), |got| {
        got.contains("\r\n\r\n")
    })
    .await;
    assert!(over.starts_with("HTTP/1.1 204"), "{over}");
}

#[tokio::test]
async fn a_long_poll_is_answered_when_something_is_said_and_when_the_node_stops() {
    let hotline = Hotline::new();
    let (node, _) = listening(&hotline).await;
    let contact = node.begin().await;
    let after = node.turns(&contact, 0, None).await.unwrap().last().unwrap().seq;
    let until = Some(node.clock().now() + trunkline_model::Duration::from_secs(60));
    let waiting = |after| {
        let (node, contact) = (node.clone(), contact.clone());
        tokio::spawn(async move { node.turns(&contact, after, until).await.unwrap() })
    };
    let poll = waiting(after);
    tokio::task::yield_now().await;
    node.deliver(&contact, crate::testing::keys("a", "1"))
        .await
        .unwrap();
    let after = poll.await.unwrap().last().unwrap().seq;
    let poll = waiting(after);
    tokio::task::yield_now().await;
    node.shutdown().await;
    assert!(poll.await.unwrap().is_empty());
}

#[tokio::test]
async fn a_server_without_a_key_does_not_listen_to_others() {
    let hotline = Hotline::new();
    let settings = Settings {
        listen: Some(Listen {
            address: SocketAddr::from(([0, 0, 0, 0], 0)),
            api_key: None,
            client_key: None,
        }),
        ..hotline.settings(&Clock::still(NOON))
    };
    let error = Node::start(settings).await.err().unwrap().to_string();
    assert!(
        error.contains("--api-key") && error.contains("127.0.0.1"),
        "{error}"
    );
}

#[tokio::test]
async fn draining_refuses_new_contacts_and_tells_who_is_left() {
    let api = Api::new(true).await;
    let (contact, token) = api.begin().await;
    for method in ["GET", "POST", "DELETE"] {
        let sent = request(method, "/api/v1/drain", None)
            .body(Body::empty())
            .unwrap();
        assert_eq!(api.send(sent).await.0, StatusCode::UNAUTHORIZED, "{method}");
    }
    let (status, drain) = api.get("/api/v1/drain", Some(API_KEY)).await;
    assert_eq!(
        (status, &drain["draining"], &drain["left"]),
        (StatusCode::OK, &json!(false), &json!(0))
    );
    assert_eq!(api.get("/health/ready", None).await.0, StatusCode::OK);

    let (status, drain) = api.post("/api/v1/drain", Some(API_KEY), &json!({})).await;
    assert_eq!(
        (status, &drain["draining"]),
        (StatusCode::OK, &json!(true)),
        "{drain}"
    );
    assert!(drain["since"].is_string());
    assert_eq!(drain["others"], json!({ "chat": 1 }));
    let (status, problem) = api
        .post("/api/v1/contacts", None, &json!({ "number": "12345" }))
        .await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::SERVICE_UNAVAILABLE, &json!("draining"))
    );
    let (status, problem) = api.get("/health/ready", None).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::SERVICE_UNAVAILABLE, &json!("draining"))
    );
    // Its value is of all nodes of this process, and other tests have some.
    let (_, metrics) = api.get("/metrics", Some(API_KEY)).await;
    assert!(
        metrics
            .as_str()
            .is_some_and(|text| text.contains("\ntrunkline_draining ")),
        "{metrics}"
    );
    // Who is there goes on.
    let path = format!("/api/v1/contacts/{contact}/inputs");
    let input = json!({ "id": "a", "keys": "1" });
    assert_eq!(
        api.post(&path, Some(&token), &input).await.0,
        StatusCode::ACCEPTED
    );

    let call = crate::Call {
        channel: trunkline_engine::Channel::Phone,
        ..crate::testing::call()
    };
    let (status, drain) = api.delete("/api/v1/drain", Some(API_KEY)).await;
    assert_eq!((status, &drain["draining"]), (StatusCode::OK, &json!(false)));
    let first = api.node.arrive(call.clone()).await.unwrap().contact;
    // Contacts of one millisecond come in any order.
    api.node
        .contacts()
        .clock
        .advance(trunkline_model::Duration::from_millis(1));
    api.node.arrive(call).await.unwrap();
    let (_, drain) = api.get("/api/v1/drain?limit=1", Some(API_KEY)).await;
    assert_eq!(drain["left"], 2);
    assert_eq!(drain["calls"][0]["contact"], json!(first.to_string()));
    assert_eq!(drain["calls"][0]["channel"], json!("phone"));
    let next = drain["next"].as_str().unwrap();
    let (_, drain) = api
        .get(&format!("/api/v1/drain?after={next}"), Some(API_KEY))
        .await;
    assert_eq!(
        (drain["calls"].as_array().map(Vec::len), drain.get("next")),
        (Some(1), None)
    );
    for path in [
        "/api/v1/drain?limit=0",
        "/api/v1/drain?after=x",
        "/api/v1/drain?state=live",
    ] {
        assert_eq!(
            api.get(path, Some(API_KEY)).await.0,
            StatusCode::BAD_REQUEST,
            "{path}"
        );
    }
}
