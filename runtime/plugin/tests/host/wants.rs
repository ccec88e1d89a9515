//! What a component's manifest wants, what it imports and what is granted, held against each other.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value as Json, json};
use trunkline_plugin::{Deployment, Host, LoadError, MANIFEST_SECTION, Plugin, Settings, TableNames};

use crate::guests::{ADVERSARY, COURIER, Errand, deployment, grants, host, host_with};

/// A component with a custom section at its end.
pub(crate) fn with_section(component: &[u8], name: &str, content: &[u8]) -> Arc<[u8]> {
    fn number(mut number: usize, to: &mut Vec<u8>) {
        loop {
            let low = (number & 0x7f) as u8;
            number >>= 7;
            to.push(if number == 0 { low } else { low | 0x80 });
            if number == 0 {
                return;
            }
        }
    }
    let mut section = Vec::new();
    number(name.len(), &mut section);
    section.extend_from_slice(name.as_bytes());
    section.extend_from_slice(content);
    let mut bytes = component.to_vec();
    bytes.push(0);
    number(section.len(), &mut bytes);
    bytes.extend(section);
    bytes.into()
}

fn wanting(component: &[u8], wants: Json) -> Arc<[u8]> {
    let manifest = json!({
        "name": "courier", "version": "1.4.0", "department": "civil-affairs", "wants": wants,
    });
    with_section(component, MANIFEST_SECTION, manifest.to_string().as_bytes())
}

async fn courier(
    host: &Arc<Host>,
    wants: Json,
    granted: Json,
    config: &[(&str, &str)],
) -> Result<Plugin, LoadError> {
    let config = config
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let deployment = Deployment {
        config: config.collect::<BTreeMap<_, _>>(),
        ..deployment("crm", grants(granted))
    };
    host.load(wanting(&COURIER, wants), deployment).await
}

#[tokio::test]
async fn all_that_is_missing_is_one_entry_to_paste() {
    let wants = json!({
        "http": ["POST https://crm.civil.example/v1/*"],
        "secrets": { "crm-token": "https://crm.civil.example" },
        "data": ["phone"],
        "limits": { "memory": "64MiB" },
    });
    let host = host();
    let error = courier(&host, wants.clone(), json!({}), &[]).await.unwrap_err();
    assert_eq!(error.code(), "import-not-granted");
    let message = error.to_string();
    let (_, entry) = message.split_once("add to grants.yaml\n\n").unwrap();
    assert_eq!(
        entry,
        "crm:\n  http: [\"POST https://crm.civil.example/v1/*\"]\n  \
         secrets: { crm-token: \"https://crm.civil.example\" }\n  data: [phone]\n  limits: { memory: 64MiB }\n"
    );
    // A grant that covers more is fine, and what was printed is what is needed.
    for granted in [
        json!({
            "http": ["* https://crm.civil.example/*"],
            "secrets": { "crm-token": "https://crm.civil.example", "other": "https://a.example" },
            "data": ["phone", "name"],
            "kv": true,
            "limits": { "memory": "128MiB" },
        }),
        wants.clone(),
    ] {
        let plugin = courier(&host, wants.clone(), granted, &[]).await.unwrap();
        let secrets: Vec<_> = plugin.grants().secrets.keys().map(ToString::to_string).collect();
        assert_eq!(secrets, ["crm-token"], "what it does not want it does not get");
        assert_eq!(plugin.manifest().unwrap().version.to_string(), "1.4.0");
    }
}

#[tokio::test]
async fn an_import_that_the_manifest_does_not_want_is_refused() {
    let host = host();
    let error = host
        .load(
            wanting(&ADVERSARY, json!({ "http": ["GET http://a.example/"] })),
            deployment(
                "adversary",
                grants(json!({ "http": ["GET http://a.example/"], "kv": true })),
            ),
        )
        .await
        .unwrap_err();
    assert_eq!(error.code(), "import-unwanted");
    let message = error.to_string();
    assert!(
        message.contains("`trunkline:host/kv@0.1.0` (a key-value store)") && message.contains("plugin.toml"),
        "{message}"
    );
    // Whoever only looks at it is told so, too.
    let inspected = host.inspect(wanting(&COURIER, json!({}))).await.unwrap_err();
    assert_eq!(inspected.code(), "import-unwanted");
}

#[tokio::test]
async fn a_request_that_is_granted_and_not_wanted_is_denied() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = axum::Router::new().fallback(|| async { "hello" });
    tokio::spawn(async move { axum::serve(listener, service).await });
    let authority = address.to_string();
    let host = host();
    let wants = json!({ "http": ["GET ${url}/v1/*"], "secrets": { "t": "${url}" } });
    let url = format!("http://{address}");
    let granted = json!({ "http": [format!("* {url}/*")], "secrets": { "t": url } });
    let courier = courier(&host, wants.clone(), granted.clone(), &[("url", &url)])
        .await
        .unwrap();
    let reply = Errand::get(&authority, "/v1/x").run(&courier).await.unwrap();
    assert_eq!(reply.body(), "hello");
    for (method, path) in [("GET", "/v2/x"), ("POST", "/v1/x")] {
        let said = Errand {
            method,
            ..Errand::get(&authority, path)
        };
        assert_eq!(said.run(&courier).await.unwrap_err(), "denied");
    }
    // The setting belongs to what is wanted; it is needed, and it is no grant.
    let error = self::courier(&host, wants.clone(), granted.clone(), &[])
        .await
        .unwrap_err();
    assert_eq!(error.code(), "want-unsettled");
    assert!(error.to_string().contains("config: { url:"), "{error}");
    let error = self::courier(&host, wants.clone(), granted, &[("url", "http://10.0.0.1")])
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("\"GET http://10.0.0.1/v1/*\""),
        "{error}"
    );
    let error = self::courier(&host, wants.clone(), wants, &[("url", &url)])
        .await
        .unwrap_err();
    assert_eq!(error.code(), "grant-unsettled");
}

#[tokio::test]
async fn a_network_that_is_granted_and_not_wanted_is_not_reached() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = axum::Router::new().fallback(|| async { "hello" });
    tokio::spawn(async move { axum::serve(listener, service).await });
    let names = Arc::new(TableNames::default());
    names.set("crm.example", [address.ip()]);
    let host = host_with(Settings {
        names: Some(names),
        ..Settings::default()
    });
    let authority = format!("crm.example:{}", address.port());
    let http = [format!("GET http://{authority}/*")];
    let secrets = json!({ "t": "https://a.example" });
    let granted = json!({ "http": http, "secrets": secrets, "networks": ["127.0.0.0/8", "10.0.0.0/8"] });
    for (networks, reached) in [
        (json!([]), Err("address denied".to_owned())),
        (json!(["10.0.0.0/8"]), Err("address denied".to_owned())),
        (json!(["127.0.0.1"]), Ok("hello".to_owned())),
    ] {
        let wants = json!({ "http": http, "secrets": secrets, "networks": networks });
        let courier = courier(&host, wants, granted.clone(), &[]).await.unwrap();
        let reply = Errand::get(&authority, "/").run(&courier).await;
        assert_eq!(reply.map(|reply| reply.body().to_owned()), reached, "{networks}");
    }
}

#[tokio::test]
async fn a_manifest_that_cannot_be_read_is_said_to_be_one() {
    let host = host();
    for (section, said) in [
        (b"{".to_vec(), "EOF"),
        (br#"{"name":"x"}"#.to_vec(), "version"),
        (vec![b' '; 65 << 10], "the most is"),
    ] {
        let component = with_section(&COURIER, MANIFEST_SECTION, &section);
        let error = host.inspect(component).await.unwrap_err();
        assert_eq!(error.code(), "component-manifest");
        assert!(error.to_string().contains(said), "{error}");
    }
}
