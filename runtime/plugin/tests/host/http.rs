//! Requests of guests to a real server over loopback: what is granted passes, bounded in size
//! and time, over connections that are kept; nothing else does.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration as Std,
};

use axum::serve::ListenerExt as _;
use axum::{Router, body::Bytes, extract::State, http::StatusCode, response::Redirect, routing::get};
use serde_json::json;
use trunkline_model::{Duration, FaultKind, Outcome, Value};
use trunkline_plugin::{Plugin, Resolve, Settings, TableNames, limits::HTTP_LOOKUPS_MAX};

use crate::guests::{adversary, answer, call, call_within, fault, grants, host, host_with, int};

/// A small service, and how many connections it has taken.
async fn service() -> (SocketAddr, Arc<AtomicUsize>) {
    let connections = Arc::new(AtomicUsize::new(0));
    let asked = Arc::new(AtomicUsize::new(0));
    let router = Router::new()
        .route(
            "/v1/hello",
            get(|| async { "hello" }).post(|body: Bytes| async move { body.len().to_string() }),
        )
        .route("/v1/large", get(|| async { "x".repeat(6 << 20) }))
        .route(
            "/v1/slow",
            get(|| async {
                tokio::time::sleep(Std::from_secs(60)).await;
                "late"
            }),
        )
        .route(
            "/v1/missing",
            get(|| async { (StatusCode::NOT_FOUND, "no such thing") }),
        )
        .route("/v1/away", get(|| async { Redirect::temporary("/secret") }))
        .route(
            "/secret",
            get(|State(asked): State<Arc<AtomicUsize>>| async move {
                asked.fetch_add(1, Ordering::SeqCst);
                "secret"
            }),
        )
        .with_state(asked);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let address = listener.local_addr().expect("bound");
    let counted = connections.clone();
    let listener = listener.tap_io(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, connections)
}

fn refused(outcome: Outcome) -> String {
    match outcome {
        Outcome::Refusal(refusal) => refusal.payload.as_text().unwrap_or_default().to_owned(),
        other => panic!("no refusal but {other:?}"),
    }
}

async fn granted(http: &[String], networks: &[&str]) -> (Arc<trunkline_plugin::Host>, Plugin) {
    let host = host();
    let grants = grants(json!({ "http": http, "networks": networks, "kv": true }));
    let plugin = adversary(&host, "caller", grants).await;
    (host, plugin)
}

#[tokio::test]
async fn what_is_granted_passes_over_kept_connections() {
    let (address, connections) = service().await;
    let (_host, plugin) = granted(&[format!("* http://{address}/v1/*")], &[]).await;
    let url = |path: &str| Value::text(format!("http://{address}{path}"));
    for _ in 0..20 {
        let reply = answer(call(&plugin, "get", [url("/v1/hello?x=1")]).await);
        assert_eq!(reply, Value::list([int(200), "hello".into()]));
    }
    assert!(connections.load(Ordering::SeqCst) <= 3, "{connections:?}");
    let reply = answer(call(&plugin, "get", [url("/v1/missing")]).await);
    assert_eq!(reply, Value::list([int(404), "no such thing".into()]));
    assert_eq!(
        answer(call(&plugin, "post", [url("/v1/hello"), int(200_000)]).await),
        int(200)
    );
    // A redirect is an answer like any other.
    let Value::List(reply) = answer(call(&plugin, "get", [url("/v1/away")]).await) else {
        panic!()
    };
    assert_eq!(reply[0], int(307));
}

#[tokio::test]
async fn nothing_else_passes() {
    let (address, connections) = service().await;
    let port = address.port();
    let (_host, plugin) = granted(&[format!("GET http://127.0.0.1:{port}/v1/hello")], &[]).await;
    let denied = async |function: &str, url: String| {
        let mut arguments = vec![Value::text(url.clone())];
        if function == "post" {
            arguments.push(int(1));
        }
        let said = refused(call(&plugin, function, arguments).await);
        assert!(
            said.contains("refused the request") || said.contains("no address"),
            "{url}: {said}"
        );
    };
    denied("post", format!("http://127.0.0.1:{port}/v1/hello")).await;
    for url in [
        format!("http://127.0.0.1:{port}/secret"),
        format!("http://127.0.0.1:{port}/v1/hello/../../secret"),
        format!("http://127.0.0.1:{port}/v1/%2e%2e/secret"),
        format!("http://localhost:{port}/v1/hello"),
        format!("http://127.0.0.2:{port}/v1/hello"),
        format!("http://127.1:{port}/v1/hello"),
        format!("http://2130706433:{port}/v1/hello"),
        format!("http://[::ffff:127.0.0.1]:{port}/v1/hello"),
        format!("http://127.0.0.1:{port}@evil.example/v1/hello"),
        format!("http://evil.example@127.0.0.1:{port}/v1/hello"),
        format!("https://127.0.0.1:{port}/v1/hello"),
        "http://127.0.0.1:1/v1/hello".to_owned(),
    ] {
        denied("get", url).await;
    }
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_denied_guest_that_stops_itself_has_trapped_and_the_operator_knows_why() {
    let (address, _) = service().await;
    let (_host, plugin) = granted(&[format!("GET http://{address}/v1/hello")], &[]).await;
    let (kind, message) = fault(
        call(
            &plugin,
            "get-or-trap",
            [format!("http://{address}/secret").into()],
        )
        .await,
    );
    assert_eq!(kind, FaultKind::Trap);
    assert!(
        message.contains(&format!("http: [\"GET http://{address}/secret\"]")),
        "{message}"
    );
    // Where no line would help, none is told.
    let around = format!("http://{address}/v1/%2e%2e/secret");
    let (_, message) = fault(call(&plugin, "get-or-trap", [around.into()]).await);
    assert!(
        message.contains("cannot be granted") && !message.contains("http: ["),
        "{message}"
    );
}

/// Names that nobody tells until somebody lets them.
#[derive(Debug)]
struct Silent {
    asked: AtomicUsize,
    told: tokio::sync::Semaphore,
}

#[async_trait::async_trait]
impl Resolve for Silent {
    async fn resolve(&self, _: &str) -> std::io::Result<Vec<std::net::IpAddr>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let _told = self.told.acquire().await;
        Err(std::io::ErrorKind::NotFound.into())
    }
}

#[tokio::test]
async fn names_that_nobody_tells_are_not_asked_for_without_end() {
    let names = Arc::new(Silent {
        asked: AtomicUsize::new(0),
        told: tokio::sync::Semaphore::new(0),
    });
    let host = host_with(Settings {
        names: Some(names.clone()),
        ..Settings::default()
    });
    let grants = grants(json!({ "http": ["GET http://crm.example/*"], "kv": true }));
    let plugin = adversary(&host, "caller", grants).await;
    let url = || [Value::text("http://crm.example/")];
    // Whoever asked has stopped waiting; the lookups go on, and no others begin.
    for _ in 0..2 {
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..HTTP_LOOKUPS_MAX {
            let plugin = plugin.clone();
            calls.spawn(async move { call_within(&plugin, "get", url(), Duration::from_millis(300)).await });
        }
        for outcome in calls.join_all().await {
            assert_eq!(fault(outcome).0, FaultKind::TimedOut);
        }
    }
    assert_eq!(names.asked.load(Ordering::SeqCst), HTTP_LOOKUPS_MAX);
    // When they have ended, names are looked up again.
    names.told.add_permits(HTTP_LOOKUPS_MAX);
    let said = refused(call(&plugin, "get", url()).await);
    assert!(!said.is_empty());
    assert_eq!(names.asked.load(Ordering::SeqCst), HTTP_LOOKUPS_MAX + 1);
}

#[tokio::test]
async fn a_name_must_not_lead_to_this_machine_unless_it_says_so() {
    let (address, connections) = service().await;
    let port = address.port();
    let names = Arc::new(TableNames::default());
    for name in ["myself.example", "localhost"] {
        names.set(name, [address.ip()]);
    }
    let host = host_with(Settings {
        names: Some(names),
        ..Settings::default()
    });
    let grants = grants(json!({
        "http": [format!("GET http://myself.example:{port}/*"), format!("GET http://localhost.:{port}/*")],
        "kv": true,
    }));
    let plugin = adversary(&host, "caller", grants).await;
    let said = refused(
        call(
            &plugin,
            "get",
            [format!("http://myself.example:{port}/v1/hello").into()],
        )
        .await,
    );
    assert!(said.contains("refused the request"), "{said}");
    assert_eq!(connections.load(Ordering::SeqCst), 0);
    let reply = answer(
        call(
            &plugin,
            "get",
            [format!("http://localhost:{port}/v1/hello").into()],
        )
        .await,
    );
    assert_eq!(reply, Value::list([int(200), "hello".into()]));
}

#[tokio::test]
async fn bodies_and_waiting_are_bounded() {
    let (address, _) = service().await;
    let (_host, plugin) = granted(&[format!("* http://{address}/v1/*")], &[]).await;
    let url = |path: &str| Value::text(format!("http://{address}{path}"));
    let said = refused(call(&plugin, "get", [url("/v1/large")]).await);
    assert!(!said.is_empty(), "a reply over the limit");
    let said = refused(call(&plugin, "post", [url("/v1/hello"), int(2 << 20)]).await);
    assert!(!said.is_empty(), "a request over the limit");
    let began = tokio::time::Instant::now();
    let (kind, _) = fault(call_within(&plugin, "get", [url("/v1/slow")], Duration::from_millis(200)).await);
    assert_eq!(kind, FaultKind::TimedOut);
    assert!(began.elapsed() < Std::from_secs(2));
}

#[tokio::test]
async fn a_service_that_is_down_is_the_guests_to_handle() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let (_host, plugin) = granted(&[format!("GET http://{address}/*")], &[]).await;
    let said = refused(call(&plugin, "get", [format!("http://{address}/").into()]).await);
    assert!(said.contains("not reachable"), "{said}");
}

#[tokio::test]
async fn encrypted_requests_trust_the_web_and_whom_the_operator_names() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio_rustls::{
        TlsAcceptor,
        rustls::{
            ServerConfig,
            crypto::ring,
            pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
        },
    };

    let files = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/host/tls");
    let certificate = CertificateDer::from_pem_file(files.join("server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(files.join("server.key.pem")).unwrap();
    let config = ServerConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let _ = stream.read(&mut [0; 4_096]).await;
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsealed")
                .await;
        }
    });

    let granted = || grants(json!({ "http": [format!("GET https://localhost:{port}/*")], "kv": true }));
    let url = || [Value::text(format!("https://localhost:{port}/"))];
    let trusting = host_with(Settings {
        authorities: vec![files.join("authority.pem")],
        ..Settings::default()
    });
    let plugin = adversary(&trusting, "sealed", granted()).await;
    assert_eq!(
        answer(call(&plugin, "get", url()).await),
        Value::list([int(200), "sealed".into()])
    );
    let distrusting = host();
    let plugin = adversary(&distrusting, "sealed", granted()).await;
    let said = refused(call(&plugin, "get", url()).await);
    assert!(said.contains("not reachable") || said.contains("broke"), "{said}");
}
