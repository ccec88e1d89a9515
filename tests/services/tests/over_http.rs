//! The services as their callers meet them: over HTTP, well-behaved and not.

use std::{sync::Once, time::Duration};

use city_services::{
    Conduct, Failure, Service, crm,
    feed::{self, Feed, Publication},
    loopback,
};
use reqwest::Client;
use serde_json::{Value, json};

fn client() -> Client {
    static PROVIDER: Once = Once::new();
    // The client wants a provider of TLS at hand, whether it meets TLS or not.
    PROVIDER.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    Client::new()
}

async fn register() -> Service {
    crm::serve(loopback().await.expect("a free port"), crm::Register::seed()).expect("an address")
}

async fn ask(service: &Service, body: Value) -> (u16, Value) {
    let reply = client()
        .post(format!("{}/v1/citizens/find", service.url()))
        .header("idempotency-key", "call-1")
        .json(&body)
        .send()
        .await
        .expect("a reply");
    (reply.status().as_u16(), reply.json().await.expect("JSON"))
}

#[tokio::test]
async fn the_register_finds_one_none_and_several() {
    let service = register().await;
    let (status, found) = ask(&service, json!({ "phone": "+8613800138000" })).await;
    assert_eq!(status, 200);
    assert_eq!(
        found,
        json!({ "id": "c-1001", "name": "王芳", "district": "xihu", "language": "zh-CN", "birth_year": 1987 })
    );
    let (status, body) = ask(&service, json!({ "phone": "+8613999999999" })).await;
    assert_eq!((status, &body["error"]["code"]), (404, &json!("not-found")));
    let (status, body) = ask(&service, json!({ "phone": "+8613800138008" })).await;
    assert_eq!((status, &body["error"]["code"]), (409, &json!("ambiguous")));
    assert_eq!(body["error"]["count"], 2);
}

#[tokio::test]
async fn what_is_no_question_is_refused_in_json() {
    let service = register().await;
    for (body, status, code) in [
        (json!({ "phone": "13800138000" }), 400, "malformed-phone"),
        (json!({ "number": 1 }), 422, "malformed-body"),
        (json!({ "phone": "9".repeat(8_000) }), 413, "malformed-body"),
    ] {
        let (found, body) = ask(&service, body).await;
        assert_eq!((found, &body["error"]["code"]), (status, &json!(code)));
    }
    for (path, status, code) in [
        ("/", 404, "no-such-path"),
        ("/v1/citizens/find", 405, "no-such-method"),
    ] {
        let reply = client()
            .get(format!("{}{path}", service.url()))
            .send()
            .await
            .unwrap();
        assert_eq!(reply.status(), status);
        assert_eq!(reply.json::<Value>().await.unwrap()["error"]["code"], code);
    }
}

#[tokio::test]
async fn a_reader_with_the_present_feed_is_told_so() {
    let publication = Publication::new(&Feed::seed());
    let service = feed::serve(loopback().await.unwrap(), publication.clone()).unwrap();
    let address = format!("{}/v1/notices", service.url());
    let first = client().get(&address).send().await.unwrap();
    assert_eq!(first.status(), 200);
    let etag = first.headers()["etag"].to_str().unwrap().to_owned();
    assert_eq!(first.json::<Feed>().await.unwrap(), Feed::seed());

    let again = || client().get(&address).header("if-none-match", &etag).send();
    assert_eq!(again().await.unwrap().status(), 304);
    publication.publish(&Feed::default());
    assert_eq!(again().await.unwrap().status(), 200);
}

#[tokio::test]
async fn requests_are_counted_also_by_key() {
    let service = register().await;
    for _ in 0..3 {
        ask(&service, json!({ "phone": "+8613800138000" })).await;
    }
    assert!(client().get(service.url()).send().await.is_ok());
    assert_eq!(service.requests(), 4);
    assert_eq!(
        service.requests_by_key().into_iter().collect::<Vec<_>>(),
        [("call-1".to_owned(), 3)]
    );
}

#[tokio::test]
async fn a_service_misbehaves_as_it_is_told() {
    let service = register().await;
    let failing = |failure| {
        service.behave(Conduct {
            failure: Some(failure),
            ..Conduct::default()
        });
        client().get(service.url()).send()
    };
    let reply = failing(Failure::Status(500)).await.unwrap();
    assert_eq!(reply.status(), 500);
    assert_eq!(reply.json::<Value>().await.unwrap()["error"]["code"], "broken");
    assert!(
        failing(Failure::Garbled)
            .await
            .unwrap()
            .json::<Value>()
            .await
            .is_err()
    );
    assert!(failing(Failure::HangUp).await.is_err());

    service.behave(Conduct {
        latency: Duration::from_millis(200),
        ..Conduct::default()
    });
    let hasty = client()
        .get(service.url())
        .timeout(Duration::from_millis(50))
        .send()
        .await;
    assert!(hasty.unwrap_err().is_timeout());
    service.behave(Conduct::default());
    assert_eq!(ask(&service, json!({ "phone": "+8613800138000" })).await.0, 200);
}

#[tokio::test]
async fn a_stopped_service_frees_its_port() {
    let service = register().await;
    let (address, url) = (service.address(), service.url());
    // A kept connection does not keep the service.
    let client = client();
    client.get(&url).send().await.unwrap();
    service.stop().await;
    assert!(client.get(&url).send().await.unwrap_err().is_connect());
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    let again = crm::serve(listener, crm::Register::seed()).unwrap();
    assert_eq!(again.address(), address);
}
