//! Ways around a grant, each tried by a guest that has no SDK to hold it back: redirects, names that
//! lead elsewhere, and requests that mean different things to different readers.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use trunkline_model::Value;
use trunkline_plugin::{Host, Plugin, Settings, TableNames};

use crate::guests::{COURIER, Errand, answer, call, deployment, grants, host, host_with};

/// A server that keeps every byte it is sent, and answers each connection once.
struct Wiretap {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Wiretap {
    async fn listen(at: &str, reply: String) -> Self {
        let listener = TcpListener::bind(at).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, heard) = (Arc::<AtomicUsize>::default(), Arc::<Mutex<Vec<u8>>>::default());
        let (counted, kept) = (connections.clone(), heard.clone());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let (kept, reply) = (kept.clone(), reply.clone());
                tokio::spawn(async move {
                    let mut bytes = [0; 4_096];
                    while let Ok(count @ 1..) = stream.read(&mut bytes).await {
                        let ended = {
                            let mut kept = kept.lock().unwrap();
                            kept.extend_from_slice(&bytes[..count]);
                            kept.ends_with(b"\r\n\r\n") || kept.ends_with(b"end")
                        };
                        if ended && stream.write_all(reply.as_bytes()).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Self {
            address,
            connections,
            heard,
        }
    }

    async fn ok(at: &str) -> Self {
        Self::listen(at, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi".to_owned()).await
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    fn heard(&self) -> String {
        String::from_utf8_lossy(&self.heard.lock().unwrap()).into_owned()
    }
}

const LOOPBACK: &str = "127.0.0.1:0";

async fn courier(host: &Arc<Host>, http: &[String], networks: &[&str]) -> Plugin {
    let grants = grants(json!({
        "http": http,
        "networks": networks,
        "secrets": { "none": "https://nowhere.example" },
    }));
    host.load(COURIER.clone(), deployment("courier", grants))
        .await
        .expect("the courier loads")
}

#[tokio::test]
async fn a_guest_that_follows_redirects_gets_no_further_than_its_grants() {
    let secret = Wiretap::ok(LOOPBACK).await;
    let away =
        |location: String| format!("HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
    let host = host();
    for location in [
        format!("http://{}/secret", secret.address),
        "/../secret".to_owned(),
        "/v2/elsewhere".to_owned(),
    ] {
        let service = Wiretap::listen(LOOPBACK, away(location.clone())).await;
        let courier = courier(&host, &[format!("GET http://{}/v1/*", service.address)], &[]).await;
        let arguments = [service.address.to_string().into(), "/v1/start".into()];
        let stops = answer(call(&courier, "follow", arguments).await);
        assert_eq!(stops, Value::list(["302 ".into(), "denied".into()]), "{location}");
        assert_eq!(service.connections(), 1);
    }
    assert_eq!(secret.connections(), 0);
}

#[tokio::test]
async fn a_granted_name_that_leads_to_this_machine_or_the_clouds_own_is_not_followed() {
    let service = Wiretap::ok(LOOPBACK).await;
    let port = service.address.port();
    let names = Arc::new(TableNames::default());
    let host = host_with(Settings {
        names: Some(names.clone()),
        ..Settings::default()
    });
    let courier = courier(&host, &[format!("GET http://crm.example:{port}/*")], &[]).await;
    let authority = format!("crm.example:{port}");
    for address in [
        "127.0.0.1",
        "::1",
        "169.254.169.254",
        "10.0.0.1",
        "::ffff:127.0.0.1",
        "fd00::1",
    ] {
        let address: IpAddr = address.parse().unwrap();
        names.set("crm.example", [address]);
        let said = Errand::get(&authority, "/").run(&courier).await.unwrap_err();
        assert_eq!(said, "address denied", "{address}");
    }
    // One public address beside it is no leave for the other.
    names.set(
        "crm.example",
        ["127.0.0.1".parse().unwrap(), "169.254.169.254".parse().unwrap()],
    );
    assert_eq!(
        Errand::get(&authority, "/").run(&courier).await.unwrap_err(),
        "address denied"
    );
    assert_eq!(service.connections(), 0);
    let unknown = Errand::get("other.example", "/").run(&courier).await.unwrap_err();
    assert_eq!(unknown, "denied", "before any name is looked up");
}

#[tokio::test]
async fn a_connection_is_kept_for_the_name_and_the_address_that_were_checked() {
    let service = Wiretap::ok(LOOPBACK).await;
    let port = service.address.port();
    let names = Arc::new(TableNames::default());
    let host = host_with(Settings {
        names: Some(names.clone()),
        ..Settings::default()
    });
    let http = [
        format!("GET http://crm.example:{port}/*"),
        format!("GET http://other.example:{port}/*"),
    ];
    let courier = courier(&host, &http, &["127.0.0.1/32"]).await;
    let (crm, other) = (format!("crm.example:{port}"), format!("other.example:{port}"));
    names.set("crm.example", ["127.0.0.1".parse().unwrap()]);
    names.set("other.example", ["127.0.0.2".parse().unwrap()]);
    for _ in 0..3 {
        Errand::get(&crm, "/").run(&courier).await.unwrap();
    }
    assert_eq!(service.connections(), 1, "the connection is kept");
    // The name now leads elsewhere: what was checked is used, and nothing new is opened there.
    names.set("crm.example", ["127.0.0.2".parse().unwrap()]);
    Errand::get(&crm, "/").run(&courier).await.unwrap();
    assert_eq!(service.connections(), 1);
    // Another name gets none of it, and its own address is not granted.
    let said = Errand::get(&other, "/").run(&courier).await.unwrap_err();
    assert_eq!(said, "address denied");
    assert_eq!(service.connections(), 1);
    // Neither does the same name with another plugin, whose networks are its own.
    let another = host
        .load(
            COURIER.clone(),
            deployment(
                "another",
                grants(json!({ "http": http, "secrets": { "none": "https://nowhere.example" } })),
            ),
        )
        .await
        .unwrap();
    assert_eq!(
        Errand::get(&crm, "/").run(&another).await.unwrap_err(),
        "address denied"
    );
}

#[tokio::test]
async fn headers_that_belong_to_the_host_are_forbidden() {
    let service = Wiretap::ok(LOOPBACK).await;
    let host = host();
    let courier = courier(&host, &[format!("* http://{}/*", service.address)], &[]).await;
    let authority = service.address.to_string();
    for name in [
        "host",
        "Host",
        "connection",
        "keep-alive",
        "upgrade",
        "transfer-encoding",
        "proxy-authorization",
        "proxy-connection",
        "http2-settings",
        // By these some services take a request for another one.
        "x-http-method-override",
        "X-HTTP-Method",
        "x-method-override",
        "x-original-url",
        "x-rewrite-url",
    ] {
        let said = Errand {
            headers: &[(name, "chunked")],
            ..Errand::get(&authority, "/")
        }
        .run(&courier)
        .await
        .unwrap_err();
        assert_eq!(said, format!("the header {name} is forbidden"));
    }
    for (name, value) in [
        ("x-a", "b\r\nhost: evil.example"),
        ("x-a", "b\nx-c: d"),
        ("x-a\r\nhost", "evil.example"),
        ("x a", "b"),
        (":authority", "evil.example"),
    ] {
        let said = Errand {
            headers: &[(name, value)],
            ..Errand::get(&authority, "/")
        }
        .run(&courier)
        .await
        .unwrap_err();
        assert!(said.ends_with("is malformed"), "{name:?} {value:?}: {said}");
    }
    assert_eq!(service.connections(), 0);
}

#[tokio::test]
async fn methods_and_addresses_that_mean_two_things_are_refused() {
    let service = Wiretap::ok(LOOPBACK).await;
    let host = host();
    let courier = courier(&host, &[format!("* http://{}/v1/*", service.address)], &[]).await;
    let authority = service.address.to_string();
    let tricked = async |method: &str, scheme: &str, authority: &str, path: &str| {
        let errand = Errand {
            method,
            scheme,
            ..Errand::get(authority, path)
        };
        errand.run(&courier).await.unwrap_err()
    };
    assert_eq!(tricked("CONNECT", "http", &authority, "/v1/x").await, "denied");
    for method in ["GET /v1/x HTTP/1.1\r\nhost: a\r\n\r\nGET", "GE T", ""] {
        assert_eq!(
            tricked(method, "http", &authority, "/v1/x").await,
            "the method is malformed"
        );
    }
    for path in [
        "http://evil.example/v1/x",
        "//evil.example/v1/x",
        "/v1/../secret",
        "/v1/%2e%2e/secret",
        "/v1/..%2fsecret",
        "/v1/..;a=b/secret",
        "/v1/x HTTP/1.1\r\nhost: a\r\n\r\nGET /secret",
        "/v1\\..\\secret",
        "*",
        "v1/x",
    ] {
        let said = tricked("GET", "http", &authority, path).await;
        assert!(
            ["denied", "the path is malformed"].contains(&&*said) || said.contains("URI"),
            "{path}: {said}"
        );
    }
    for elsewhere in [
        format!("{authority}@evil.example"),
        format!("evil.example@{authority}"),
        format!("{authority}:80"),
        "evil.example".to_owned(),
        format!("evil.example/{authority}"),
        String::new(),
    ] {
        let said = tricked("GET", "http", &elsewhere, "/v1/x").await;
        assert!(!said.is_empty(), "{elsewhere}");
    }
    for scheme in ["https", "ftp", "file", "ws"] {
        assert!(!tricked("GET", scheme, &authority, "/v1/x").await.is_empty());
    }
    assert_eq!(service.connections(), 0);
}

#[tokio::test]
async fn no_second_request_is_smuggled_in_a_body() {
    let smuggled = "GET /secret HTTP/1.1\r\nhost: a\r\n\r\nend";
    for (length, body) in [("3", format!("end{smuggled}")), ("500", smuggled.to_owned())] {
        let service = Wiretap::ok(LOOPBACK).await;
        let host = host();
        let courier = courier(&host, &[format!("POST http://{}/v1/*", service.address)], &[]).await;
        let authority = service.address.to_string();
        let _ = Errand {
            method: "POST",
            headers: &[("content-length", length)],
            body: &body,
            ..Errand::get(&authority, "/v1/x")
        }
        .run(&courier)
        .await;
        let heard = service.heard();
        if let Some((head, body)) = heard.split_once("\r\n\r\n") {
            assert_eq!(head.matches("content-length").count(), 1, "{heard}");
            assert!(!head.contains("transfer-encoding"), "{heard}");
            // Never more than was announced, which the next reader would take for a request.
            assert!(body.len() <= length.parse().unwrap(), "{heard}");
        }
    }
    // Two lengths, or one that is no number.
    let service = Wiretap::ok(LOOPBACK).await;
    let host = host();
    let courier = courier(&host, &[format!("POST http://{}/v1/*", service.address)], &[]).await;
    let authority = service.address.to_string();
    let honest = Errand {
        method: "POST",
        headers: &[("content-length", "3")],
        body: "end",
        ..Errand::get(&authority, "/v1/x")
    };
    assert_eq!(honest.run(&courier).await.unwrap().body(), "hi");
    assert!(service.heard().ends_with("\r\n\r\nend"));
    for lengths in [
        &[("content-length", "3"), ("content-length", "30")][..],
        &[("content-length", "+3")],
        &[("content-length", "3, 3")],
    ] {
        let said = Errand {
            method: "POST",
            headers: lengths,
            body: "end",
            ..Errand::get(&authority, "/v1/x")
        }
        .run(&courier)
        .await;
        assert!(said.is_err(), "{said:?}");
    }
    assert_eq!(service.connections(), 1);
}

#[tokio::test]
async fn the_host_header_is_the_address_that_was_granted() {
    let service = Wiretap::ok(LOOPBACK).await;
    let host = host();
    let courier = courier(&host, &[format!("GET http://{}/v1/*", service.address)], &[]).await;
    let authority = service.address.to_string();
    let reply = Errand {
        headers: &[("x-forwarded-host", "evil.example")],
        ..Errand::get(&authority, "/v1/x?y=/../z")
    }
    .run(&courier)
    .await
    .unwrap();
    assert_eq!(reply.body(), "hi");
    let heard = service.heard();
    assert!(heard.starts_with("GET /v1/x?y=/../z HTTP/1.1\r\n"), "{heard}");
    assert_eq!(heard.matches("\r\nhost: ").count(), 1, "{heard}");
    assert!(heard.contains(&format!("\r\nhost: {authority}\r\n")), "{heard}");
}
