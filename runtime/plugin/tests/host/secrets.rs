//! Secrets: a guest uses them and never sees them, whatever it does with their placeholders.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::any,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use trunkline_model::{FaultKind, Outcome, Value};
use trunkline_plugin::{Grants, Host, Plugin, SecretName, SecretTable, SecretValue, Secrets, Settings};

use crate::guests::{COURIER, Errand, answer, call, deployment, fault, grants, host_with};

const TOKEN: &str = "s3cr3t-t0ken/of+the=crm";

/// What one service was sent: the address, the headers in lines, the body.
type Seen = Arc<Mutex<Vec<(String, String, String)>>>;

/// A service that sends back the headers it was sent, as a debugging page would, in pieces of
/// three bytes, and says them in a header, too.
async fn echo() -> (SocketAddr, Seen) {
    async fn reply(State(seen): State<Seen>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
        let lines: String = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes())))
            .collect();
        let body = String::from_utf8_lossy(&body).into_owned();
        seen.lock().unwrap().push((uri.to_string(), lines.clone(), body));
        if uri.path() == "/v1/squeezed" {
            return ([("content-encoding", "gzip")], "whatever").into_response();
        }
        if uri.path() == "/v1/parts" && headers.contains_key("range") {
            return (StatusCode::PARTIAL_CONTENT, lines[..8].to_owned()).into_response();
        }
        if uri.path() == "/v1/unasked" {
            return (StatusCode::PARTIAL_CONTENT, "s3cr").into_response();
        }
        let pieces: Vec<Result<Bytes, std::io::Error>> = lines
            .as_bytes()
            .chunks(3)
            .map(|piece| Ok(Bytes::copy_from_slice(piece)))
            .collect();
        let authorization = headers.get("authorization").cloned();
        let mut response = Body::from_stream(Pieces(pieces.into_iter())).into_response();
        if let Some(authorization) = authorization {
            response.headers_mut().insert("x-you-said", authorization);
        }
        response
    }

    struct Pieces(std::vec::IntoIter<Result<Bytes, std::io::Error>>);
    impl futures_core::Stream for Pieces {
        type Item = Result<Bytes, std::io::Error>;
        fn poll_next(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Self::Item>> {
            std::task::Poll::Ready(self.0.next())
        }
    }

    let seen = Seen::default();
    let router = Router::new()
        .route("/{*path}", any(reply))
        .with_state(seen.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, seen)
}

fn table(values: &[(&str, &str)]) -> SecretTable {
    let mut table = SecretTable::default();
    for (name, value) in values {
        table.insert(name.parse().unwrap(), SecretValue::new(*value).unwrap());
    }
    table
}

fn keeping(secrets: impl Secrets + 'static) -> Arc<Host> {
    host_with(Settings {
        secrets: Some(Arc::new(secrets)),
        ..Settings::default()
    })
}

async fn courier(host: &Arc<Host>, grants: Grants) -> Plugin {
    host.load(COURIER.clone(), deployment("courier", grants))
        .await
        .expect("the courier loads")
}

/// A courier with a token for one service, which may also ask another one.
async fn with_token(at: SocketAddr, other: SocketAddr) -> (Arc<Host>, Plugin) {
    let host = keeping(table(&[("crm-token", TOKEN), ("unused", "not-for-the-courier")]));
    let grants = grants(json!({
        "http": [format!("* http://{at}/v1/*"), format!("* http://{other}/v1/*")],
        "secrets": { "crm-token": format!("http://{at}"), "lost": format!("http://{at}") },
    }));
    let courier = courier(&host, grants).await;
    (host, courier)
}

fn refused(outcome: Outcome) -> String {
    match outcome {
        Outcome::Refusal(refusal) => refusal.payload.as_text().unwrap_or_default().to_owned(),
        other => panic!("no refusal but {other:?}"),
    }
}

#[tokio::test]
async fn a_secret_reaches_its_own_service_and_comes_back_as_asterisks() {
    let (at, seen) = echo().await;
    let (other, _) = echo().await;
    let (_host, courier) = with_token(at, other).await;
    let authority = at.to_string();
    let reply = Errand {
        headers: &[
            ("authorization", "Bearer {secret:crm-token}"),
            ("x-basic", "Basic {basic:city:crm-token}"),
            ("accept-encoding", "gzip, br"),
        ],
        ..Errand::get(&authority, "/v1/find")
    }
    .run(&courier)
    .await
    .unwrap();

    let (_, sent, _) = seen.lock().unwrap()[0].clone();
    assert!(
        sent.contains(&format!("authorization: Bearer {TOKEN}\n")),
        "{sent}"
    );
    let basic = STANDARD.encode(format!("city:{TOKEN}"));
    assert!(sent.contains(&format!("x-basic: Basic {basic}\n")), "{sent}");
    assert!(sent.contains("accept-encoding: identity\n"), "{sent}");

    let stars = "*".repeat(TOKEN.len());
    let body = reply.body();
    assert_eq!(body.len(), sent.len());
    assert!(
        body.contains(&format!("authorization: Bearer {stars}\n")) && !body.contains(TOKEN),
        "{body}"
    );
    assert!(
        !body.contains(&basic) && body.contains("x-basic: Basic "),
        "{body}"
    );
    assert_eq!(
        reply.header("x-you-said"),
        Some(format!("Bearer {stars}").as_str())
    );
}

#[tokio::test]
async fn anywhere_else_the_placeholder_stays_what_it_is() {
    let (at, seen) = echo().await;
    let (other, seen_there) = echo().await;
    let (_host, courier) = with_token(at, other).await;
    let (here, there) = (at.to_string(), other.to_string());
    // Another service that is granted, too; and the same one by another name.
    let elsewhere = Errand {
        headers: &[("authorization", "Bearer {secret:crm-token}")],
        ..Errand::get(&there, "/v1/find")
    };
    let reply = elsewhere.run(&courier).await.unwrap();
    assert!(reply.body().contains("Bearer trunkline-secret-"), "{reply:?}");
    // In an address, in a body, in a header's value that is not its own service's.
    Errand {
        method: "POST",
        path: "/v1/find?token={secret:crm-token}",
        body: "token={secret:crm-token}",
        ..Errand::get(&here, "")
    }
    .run(&courier)
    .await
    .unwrap();
    let all: Vec<_> = [seen.lock().unwrap().clone(), seen_there.lock().unwrap().clone()].concat();
    assert_eq!(all.len(), 2);
    for (address, headers, body) in all {
        for part in [address, headers, body] {
            assert!(!part.contains(TOKEN) && !part.contains("s3cr3t"), "{part}");
        }
    }
    // Where it is not granted to go, the placeholder does not go either.
    let denied = Errand {
        headers: &[("authorization", "Bearer {secret:crm-token}")],
        ..Errand::get(&here, "/v2/find")
    };
    assert_eq!(denied.run(&courier).await.unwrap_err(), "denied");
}

#[tokio::test]
async fn a_placeholder_is_of_its_call_and_means_nothing_in_another() {
    let (at, seen) = echo().await;
    let (_host, courier) = with_token(at, at).await;
    let old = answer(call(&courier, "placeholder", ["crm-token".into()]).await);
    let old = old.as_text().unwrap().to_owned();
    let new = answer(call(&courier, "placeholder", ["crm-token".into()]).await);
    assert_ne!(new.as_text(), Some(old.as_str()));
    let authority = at.to_string();
    Errand {
        headers: &[("authorization", &old)],
        ..Errand::get(&authority, "/v1/find")
    }
    .run(&courier)
    .await
    .unwrap();
    assert!(seen.lock().unwrap()[0].1.contains(&old));
}

#[tokio::test]
async fn a_reply_that_hides_what_it_says_is_not_read() {
    let (at, _) = echo().await;
    let (_host, courier) = with_token(at, at).await;
    let authority = at.to_string();
    let said = Errand {
        headers: &[("authorization", "{secret:crm-token}")],
        ..Errand::get(&authority, "/v1/squeezed")
    }
    .run(&courier)
    .await
    .unwrap_err();
    assert!(said.contains("ontentCoding") || said.contains("coding"), "{said}");
}

#[tokio::test]
async fn a_secret_is_not_read_in_parts() {
    let (at, seen) = echo().await;
    let (_host, courier) = with_token(at, at).await;
    let authority = at.to_string();
    let in_parts = |path| Errand {
        headers: &[
            ("authorization", "{secret:crm-token}"),
            ("range", "bytes=0-7"),
            ("if-range", "\"x\""),
            ("te", "gzip"),
        ],
        ..Errand::get(&authority, path)
    };
    // It is not asked for, and comes whole.
    let reply = in_parts("/v1/parts").run(&courier).await.unwrap();
    let (_, sent, _) = seen.lock().unwrap()[0].clone();
    for header in ["range: ", "te: "] {
        assert!(!sent.contains(header), "{sent}");
    }
    assert_eq!(reply.body().len(), sent.len());
    // What comes in parts nevertheless is not read.
    let said = in_parts("/v1/unasked").run(&courier).await.unwrap_err();
    assert!(said.contains("oding"), "{said}");
    // Elsewhere it is the guest's to ask.
    let (other, seen) = echo().await;
    let (_host, courier) = with_token(at, other).await;
    let authority = other.to_string();
    let elsewhere = Errand {
        headers: &[("range", "bytes=0-7")],
        ..Errand::get(&authority, "/v1/parts")
    };
    assert_eq!(elsewhere.run(&courier).await.unwrap().body().len(), 8);
    assert!(seen.lock().unwrap()[0].1.contains("range: bytes=0-7"));
}

#[tokio::test]
async fn a_reply_that_is_encoded_on_its_way_is_not_read() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4_096]).await;
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n")
                .await;
        }
    });
    let (_host, courier) = with_token(at, at).await;
    let authority = at.to_string();
    let said = Errand::get(&authority, "/v1/find")
        .run(&courier)
        .await
        .unwrap_err();
    assert!(said.contains("oding"), "{said}");
}

#[tokio::test]
async fn what_is_not_granted_or_has_no_value_is_told_apart() {
    let (at, _) = echo().await;
    let (_host, courier) = with_token(at, at).await;
    for (name, said) in [
        ("unused", "not granted"),
        ("no name", "not granted"),
        ("lost", "missing"),
    ] {
        assert_eq!(refused(call(&courier, "placeholder", [name.into()]).await), said);
        let arguments = [name.into(), "hmac-sha256".into(), "text".into()];
        assert_eq!(refused(call(&courier, "sign", arguments).await), said);
    }
    assert_eq!(
        courier.secrets_without_value(),
        ["lost".parse::<SecretName>().unwrap()]
    );
    // A host where nobody keeps secrets warns of none.
    let host = crate::guests::host();
    let grants = grants(json!({
        "http": ["GET http://a.example/"],
        "secrets": { "lost": "https://a.example" },
    }));
    let courier = self::courier(&host, grants).await;
    assert!(courier.secrets_without_value().is_empty());
    assert_eq!(
        refused(call(&courier, "placeholder", ["lost".into()]).await),
        "missing"
    );
}

#[tokio::test]
async fn what_is_told_of_a_secret_without_value_counts_as_the_guests_lines() {
    let (at, _) = echo().await;
    let (_host, courier) = with_token(at, at).await;
    for _ in 0..3 {
        refused(call(&courier, "placeholder", ["lost".into()]).await);
    }
    assert_eq!(courier.statistics().usage.log_lines, 3);
}

#[tokio::test]
async fn headers_that_a_guest_makes_are_bounded() {
    let (at, _) = echo().await;
    let (_host, courier) = with_token(at, at).await;
    let authority = at.to_string();
    let with_header = async |bytes: usize| {
        let headers = Value::list([Value::list(["x-long".into(), Value::text("a".repeat(bytes))])]);
        let [method, scheme, path, body] = ["GET", "http", "/v1/find", ""].map(Value::from);
        call(
            &courier,
            "send",
            [method, scheme, authority.as_str().into(), path, headers, body],
        )
        .await
    };
    answer(with_header(12 << 10).await);
    let (kind, message) = fault(with_header(17 << 10).await);
    assert_eq!(kind, FaultKind::TooLarge);
    assert!(message.contains("headers of more than 16KiB"), "{message}");
}

#[tokio::test]
async fn signatures_are_made_without_showing_the_key() {
    let host = keeping(table(&[
        ("key", "what do ya want for nothing?"),
        ("seed", &"k".repeat(32)),
    ]));
    let place = "https://a.example";
    let grants = grants(json!({
        "http": ["GET https://a.example/"],
        "secrets": { "key": place, "seed": place },
    }));
    let courier = courier(&host, grants).await;
    let sign = async |name: &str, algorithm: &str| {
        let arguments = [name.into(), algorithm.into(), "text".into()];
        call(&courier, "sign", arguments).await
    };
    let signature = answer(sign("key", "hmac-sha256").await);
    assert_eq!(signature.as_text().unwrap().len(), 64);
    let signature = answer(sign("seed", "ed25519").await);
    assert_eq!(signature.as_text().unwrap().len(), 128);
    let said = refused(sign("key", "ed25519").await);
    assert!(said.contains("32 bytes") && !said.contains("nothing"), "{said}");
}

/// Secrets that somebody changes while guests use them.
#[derive(Clone, Debug, Default)]
struct Changing(Arc<Mutex<BTreeMap<SecretName, SecretValue>>>);

impl Secrets for Changing {
    fn value(&self, name: &SecretName) -> Option<SecretValue> {
        self.0.lock().unwrap().get(name).cloned()
    }
}

#[tokio::test]
async fn a_changed_value_is_used_from_the_next_request_on() {
    let (at, seen) = echo().await;
    let changing = Changing::default();
    let host = keeping(changing.clone());
    let grants = grants(json!({
        "http": [format!("GET http://{at}/v1/*")],
        "secrets": { "crm-token": format!("http://{at}") },
    }));
    let courier = courier(&host, grants).await;
    let authority = at.to_string();
    for value in ["the-first-value", "the-second-value"] {
        changing
            .0
            .lock()
            .unwrap()
            .insert("crm-token".parse().unwrap(), SecretValue::new(value).unwrap());
        Errand {
            headers: &[("authorization", "{secret:crm-token}")],
            ..Errand::get(&authority, "/v1/find")
        }
        .run(&courier)
        .await
        .unwrap();
        assert!(seen.lock().unwrap().last().unwrap().1.contains(value));
    }
}

#[tokio::test]
async fn nothing_that_can_be_printed_has_the_value() {
    let (at, _) = echo().await;
    let (host, courier) = with_token(at, at).await;
    let _ = host;
    let printed = format!(
        "{courier:?} {:?} {:?} {}",
        courier.grants(),
        courier.statistics(),
        serde_json::to_string(courier.grants()).unwrap()
    );
    assert!(
        printed.contains("crm-token") && !printed.contains(TOKEN),
        "{printed}"
    );
}
