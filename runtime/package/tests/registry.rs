//! Packages pushed to and pulled from a real registry.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod docker_registry;

use std::{
    fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use serde_json::{Value as Json, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use trunkline_model::Digest;
use trunkline_package::{
    Package,
    admission::{Refusal, Shelves, Vouching, Wanted},
    credentials::Credentials,
    key::PrivateKey,
    lock::{Lock, Locked},
    reference::{Reference, Source},
    registry::{Registries, RegistryError, Settings, silent},
    sections::{Words, put},
    store::Store,
};

use self::docker_registry::Registry;

fn package_at(registry: &Registry, rest: &str) -> Reference {
    format!("oci://{}/{rest}", registry.address).parse().unwrap()
}

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// The bytes of a manifest as the registry has them.
async fn manifest_of(registry: &Registry, repository: &str, tag: &str) -> Vec<u8> {
    let url = format!("http://{}/v2/{repository}/manifests/{tag}", registry.address);
    let answer = reqwest::Client::new()
        .get(url)
        .header("Accept", MANIFEST)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    answer.bytes().await.unwrap().to_vec()
}

fn package(version: &str, memory: u32) -> Package {
    let text = format!(
        "(component (core module $m (memory {memory})) (core instance (instantiate $m))
           (instance $i) (export \"civil:crm/citizens@1.4.0\" (instance $i)))"
    );
    let manifest = serde_json::from_value(json!({
        "name": "crm-lookup", "version": version, "department": "civil-affairs", "license": "Apache-2.0",
    }))
    .unwrap();
    let words = Words {
        manifest: &manifest,
        wit: None,
        revision: None,
    };
    Package::of_component(put(&wat::parse_str(text).unwrap(), &words).unwrap()).unwrap()
}

fn anonymous() -> Registries {
    Registries::new(Settings::default())
}

#[tokio::test]
async fn a_package_comes_back_as_it_was_pushed() {
    let registry = Registry::start("");
    let reference = package_at(&registry, "civil/crm@1.4.2");
    let (key, _) = PrivateKey::generate().unwrap();
    let mut package = package("1.4.2", 1);
    package.sign(&key, &reference.place()).unwrap();
    let moved = Arc::new(AtomicU64::new(0));
    let seen = moved.clone();
    let progress: trunkline_package::registry::Progress =
        Arc::new(move |done, _| seen.store(done, Ordering::Relaxed));
    anonymous().push(&reference, &package, &progress).await.unwrap();
    assert_eq!(moved.load(Ordering::Relaxed), package.component().len() as u64);
    let pulled = anonymous().pull(&reference, &silent()).await.unwrap();
    assert_eq!(pulled, package);
    assert_eq!(pulled.signed_by([key.public()]), Some(key.public()));
    let by_digest = package_at(&registry, &format!("civil/crm@sha256:{}", package.digest()));
    assert_eq!(anonymous().pull(&by_digest, &silent()).await.unwrap(), package);
}

#[tokio::test]
async fn the_registry_holds_the_layouts_of_the_cncf_and_of_cosign() {
    let registry = Registry::start("");
    let reference = package_at(&registry, "civil/crm@1.4.2");
    let (key, _) = PrivateKey::generate().unwrap();
    let mut package = package("1.4.2", 1);
    package.sign(&key, &reference.place()).unwrap();
    anonymous().push(&reference, &package, &silent()).await.unwrap();

    let sha = |bytes: &[u8]| format!("sha256:{}", Digest::of(bytes));
    let manifest = manifest_of(&registry, "civil/crm", "1.4.2").await;
    assert_eq!(sha(&manifest), format!("sha256:{}", package.digest()));
    assert_eq!(
        serde_json::from_slice::<Json>(&manifest).unwrap(),
        json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {
                "mediaType": "application/vnd.wasm.config.v0+json",
                "digest": sha(package.config()),
                "size": package.config().len(),
            },
            "layers": [{
                "mediaType": "application/wasm",
                "digest": sha(package.component()),
                "size": package.component().len(),
            }],
            "annotations": {
                "org.opencontainers.image.licenses": "Apache-2.0",
                "org.opencontainers.image.title": "crm-lookup",
                "org.opencontainers.image.vendor": "civil-affairs",
                "org.opencontainers.image.version": "1.4.2",
            },
        })
    );

    let tag = format!("sha256-{}.sig", package.digest());
    let signed: Json = serde_json::from_slice(&manifest_of(&registry, "civil/crm", &tag).await).unwrap();
    let signature = &package.signatures()[0];
    assert_eq!(
        signed["layers"],
        json!([{
            "mediaType": "application/vnd.dev.cosign.simplesigning.v1+json",
            "digest": sha(&signature.payload),
            "size": signature.payload.len(),
            "annotations": { "dev.cosignproject.cosign/signature": signature.signature },
        }])
    );
    let payload: Json = serde_json::from_slice(&signature.payload).unwrap();
    assert_eq!(
        payload["critical"]["identity"]["docker-reference"],
        format!("{}/civil/crm", registry.address)
    );
    assert_eq!(
        fs::read(registry.blob(&Digest::of(&signature.payload))).unwrap(),
        signature.payload
    );
}

#[tokio::test]
async fn a_second_signature_joins_the_first() {
    let registry = Registry::start("");
    let reference = package_at(&registry, "civil/crm@1.4.2");
    let (civil, _) = PrivateKey::generate().unwrap();
    let (centre, _) = PrivateKey::generate().unwrap();
    let (mut first, mut second) = (package("1.4.2", 1), package("1.4.2", 1));
    first.sign(&civil, &reference.place()).unwrap();
    second.sign(&centre, &reference.place()).unwrap();
    for package in [&first, &first, &second] {
        anonymous().push(&reference, package, &silent()).await.unwrap();
    }
    let pulled = anonymous().pull(&reference, &silent()).await.unwrap();
    assert_eq!(pulled.signatures().len(), 2);
    assert!(pulled.signed_by([civil.public()]).is_some() && pulled.signed_by([centre.public()]).is_some());
}

#[tokio::test]
async fn a_version_that_is_published_stays() {
    let registry = Registry::start("");
    let reference = package_at(&registry, "civil/crm@1.4.2");
    anonymous()
        .push(&reference, &package("1.4.2", 1), &silent())
        .await
        .unwrap();
    let refused = anonymous()
        .push(&reference, &package("1.4.2", 2), &silent())
        .await
        .unwrap_err();
    assert!(matches!(refused, RegistryError::Published { .. }), "{refused}");
    assert!(refused.to_string().contains("raise `version`"), "{refused}");
}

#[tokio::test]
async fn other_bytes_than_those_asked_for_are_refused() {
    let registry = Registry::start("");
    let reference = package_at(&registry, "civil/crm@1.4.2");
    let package = package("1.4.2", 1);
    anonymous().push(&reference, &package, &silent()).await.unwrap();
    let blob = registry.blob(&Digest::of(package.component()));
    let mut changed = package.component().to_vec();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    fs::write(&blob, &changed).unwrap();
    let refused = anonymous().pull(&reference, &silent()).await.unwrap_err();
    assert!(matches!(refused, RegistryError::Tampered { .. }), "{refused}");
    fs::write(&blob, [package.component(), b"more"].concat()).unwrap();
    let refused = anonymous().pull(&reference, &silent()).await.unwrap_err();
    assert!(matches!(refused, RegistryError::Tampered { .. }), "{refused}");
}

#[tokio::test]
async fn what_is_not_there_or_no_package_is_told_so() {
    let registry = Registry::start("");
    let reference = package_at(&registry, "civil/crm@9.9.9");
    let refused = anonymous().pull(&reference, &silent()).await.unwrap_err();
    assert!(matches!(refused, RegistryError::NotFound { .. }), "{refused}");

    // An image of a container under the same registry.
    let package = package("1.4.2", 1);
    anonymous()
        .push(&package_at(&registry, "civil/crm@1.4.2"), &package, &silent())
        .await
        .unwrap();
    let image = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": format!("sha256:{}", Digest::of(package.config())),
            "size": package.config().len(),
        },
        "layers": [],
    });
    let put = reqwest::Client::new()
        .put(format!(
            "http://{}/v2/civil/crm/manifests/image",
            registry.address
        ))
        .header("Content-Type", MANIFEST)
        .body(image.to_string())
        .send()
        .await
        .unwrap();
    assert!(put.status().is_success(), "{put:?}");
    let refused = anonymous()
        .pull(&package_at(&registry, "civil/crm:image"), &silent())
        .await
        .unwrap_err();
    assert!(matches!(refused, RegistryError::Package { .. }), "{refused}");

    // The same in the place of a package.
    fs::write(registry.blob(&package.digest()), image.to_string()).unwrap();
    let refused = anonymous()
        .pull(&package_at(&registry, "civil/crm@1.4.2"), &silent())
        .await
        .unwrap_err();
    assert!(matches!(refused, RegistryError::Tampered { .. }), "{refused}");
}

#[tokio::test]
async fn a_package_that_was_signed_since_is_fetched_again() {
    let registry = Registry::start("");
    let reference = package_at(&registry, "civil/crm@1.4.2");
    let (civil, _) = PrivateKey::generate().unwrap();
    let keys = [civil.public().clone()];
    let mut package = package("1.4.2", 1);
    anonymous().push(&reference, &package, &silent()).await.unwrap();

    let folder = tempfile::tempdir().unwrap();
    let here = Shelves {
        store: Some(Store::new(folder.path())),
        registries: None,
    };
    let asking = Shelves {
        registries: Some(anonymous()),
        ..here.clone()
    };
    let locked = Locked::of(reference.to_string(), &package.identity(), None);
    let lock = Lock {
        plugins: [("crm".into(), locked)].into(),
    };
    let wanted = Wanted {
        plugin: &"crm".into(),
        source: &Source::Registry(reference.clone()),
        department: "civil-affairs",
        vouching: Some(Vouching {
            department: Some("civil-affairs"),
            keys: Some(&keys),
        }),
        lock: &lock,
    };
    let admitted = async |shelves: &Shelves| {
        let taken = shelves.take(&wanted, &reference).await.unwrap();
        wanted.admit(&taken.identity())
    };
    let refused = admitted(&asking).await.unwrap_err();
    assert!(matches!(refused, Refusal::Unsigned { .. }), "{refused}");
    package.sign(&civil, &reference.place()).unwrap();
    anonymous().push(&reference, &package, &silent()).await.unwrap();
    // Whoever asks no network does not learn of it, until somebody did.
    assert!(admitted(&here).await.is_err());
    assert!(admitted(&asking).await.is_ok());
    assert!(admitted(&here).await.is_ok());
    // And what is signed needs no registry; what is not stays what it was.
    drop(registry);
    assert!(admitted(&asking).await.is_ok());
    here.store
        .as_ref()
        .unwrap()
        .put(&self::package("1.4.2", 1))
        .unwrap();
    let refused = admitted(&asking).await.unwrap_err();
    assert!(matches!(refused, Refusal::Unsigned { .. }), "{refused}");
}

#[tokio::test]
async fn a_registry_that_is_not_there_is_told_so() {
    let gone = {
        let registry = Registry::start("");
        package_at(&registry, "civil/crm@1.4.2")
    };
    let refused = anonymous().pull(&gone, &silent()).await.unwrap_err();
    assert!(matches!(refused, RegistryError::Unreachable { .. }), "{refused}");
    assert!(refused.to_string().contains("refused"), "{refused}");
}

#[tokio::test]
async fn credentials_open_a_registry_that_asks_for_them() {
    let registry = Registry::start("auth:\n  htpasswd: { realm: civil, path: \"FOLDER/users\" }\n");
    let reference = package_at(&registry, "civil/crm@1.4.2");
    let package = package("1.4.2", 1);
    let refused = anonymous()
        .push(&reference, &package, &silent())
        .await
        .unwrap_err();
    assert!(matches!(refused, RegistryError::Unauthorized { .. }), "{refused}");
    let speaking = |password: &str| {
        Registries::new(Settings {
            credentials: Credentials::given(&registry.address, "civil", password),
            ..Settings::default()
        })
    };
    let wrong = speaking("other-words");
    let refused = wrong.push(&reference, &package, &silent()).await.unwrap_err();
    assert!(
        refused.to_string().contains("`civil`") && !refused.to_string().contains("other-words"),
        "{refused}"
    );
    let right = speaking("secret-words");
    right.push(&reference, &package, &silent()).await.unwrap();
    assert_eq!(right.pull(&reference, &silent()).await.unwrap(), package);
}

/// Answers every request alike, and keeps what it was sent.
async fn answering(reply: String) -> (String, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let heard = Arc::<Mutex<String>>::default();
    let kept = heard.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut bytes = [0; 4_096];
            let count = stream.read(&mut bytes).await.unwrap_or(0);
            let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
            kept.lock().unwrap().push_str(&text);
            let _ = stream.write_all(reply.as_bytes()).await;
        }
    });
    (address, heard)
}

#[tokio::test]
async fn credentials_go_to_the_registrys_own_tokens_or_to_those_that_were_named() {
    let gone = "HTTP/1.1 401 Unauthorized\r\nconnection: close\r\ncontent-length: 0\r\n";
    let (tokens, heard) = answering(format!("{gone}\r\n")).await;
    let (_, port) = tokens.rsplit_once(':').unwrap();
    let pulling = async |realm: &str, named: Option<&str>| {
        let challenge = format!("www-authenticate: Bearer realm=\"{realm}\",service=\"r\"\r\n");
        let (registry, _) = answering(format!("{gone}{challenge}\r\n")).await;
        let mut credentials = Credentials::given(&registry, "civil", "secret-words");
        if let Some(named) = named {
            credentials = credentials.with_tokens_of(named);
        }
        let registries = Registries::new(Settings {
            credentials,
            ..Settings::default()
        });
        let reference: Reference = format!("oci://{registry}/civil/crm@1.4.2").parse().unwrap();
        registries.pull(&reference, &silent()).await.unwrap_err()
    };
    for realm in [
        // Another host, one that is only called like it, no address, and no TLS.
        format!("http://localhost:{port}/token"),
        "https://127.0.0.1.example/token".to_owned(),
        format!("https://127.0.0.1@localhost:{port}/token"),
        "token".to_owned(),
        String::new(),
    ] {
        let refused = pulling(&realm, None).await;
        assert!(
            matches!(refused, RegistryError::Realm { .. }),
            "{realm}: {refused}"
        );
        assert!(!refused.to_string().contains("secret-words"));
    }
    let refused = pulling("http://tokens.example/token", Some("tokens.example")).await;
    assert!(matches!(refused, RegistryError::Realm { .. }), "{refused}");
    assert_eq!(*heard.lock().unwrap(), "", "nobody was asked for a token");
    // Its own host, and the one that was named.
    for (host, named) in [("127.0.0.1", None), ("localhost", Some("localhost"))] {
        let refused = pulling(&format!("http://{host}:{port}/token"), named).await;
        assert!(matches!(refused, RegistryError::Unauthorized { .. }), "{refused}");
        let heard = std::mem::take(&mut *heard.lock().unwrap());
        assert!(
            heard.to_ascii_lowercase().contains("authorization: basic "),
            "{heard}"
        );
    }
}

#[tokio::test]
async fn credentials_are_not_sent_in_clear() {
    let registries = Registries::new(Settings {
        credentials: Credentials::given("registry.example", "civil", "secret-words"),
        plain_http: true,
        ..Settings::default()
    });
    let reference: Reference = "oci://registry.example/civil/crm@1.4.2".parse().unwrap();
    let refused = registries.pull(&reference, &silent()).await.unwrap_err();
    assert!(matches!(refused, RegistryError::InClear { .. }), "{refused}");
}
