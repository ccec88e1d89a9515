//! The departments' plugins against the departments' services: real components in the real
//! plugin host, over real connections, with services that are well, slow, broken and gone.
//!
//! The components are built from source beforehand, by `cargo xtask plugins`.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use city_services::{
    Conduct, Failure, Service, crm,
    feed::{self, Feed, Publication},
    loopback,
};
use serde_json::{Value as Json, json};
use trunkline_model::{CallId, Outcome, Value, json::to_json};
use trunkline_plugin::{Call, Capability, Deployment, Host, MemoryKeyValues, Plugin, Settings};

/// Time of a call that does not say otherwise.
const CALL_TIME: trunkline_model::Duration = trunkline_model::Duration::from_millis(2_000);

fn host() -> Arc<Host> {
    Host::start(Settings::default(), Arc::new(MemoryKeyValues::default())).expect("a plugin host starts")
}

async fn load(host: &Arc<Host>, file: &str, config: &[(&str, &str)], grants: Json) -> Plugin {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../plugins/target/wasm32-wasip2/release")
        .join(file);
    let component = fs::read(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; build it with `cargo xtask plugins`", path.display()));
    let deployment = Deployment {
        name: file.trim_end_matches(".wasm").into(),
        department: "tests".to_owned(),
        config: config
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect::<BTreeMap<_, _>>(),
        grants: serde_json::from_value(grants).expect("these are grants"),
    };
    let loaded = host.load(component.into(), deployment).await;
    loaded.unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn call(plugin: &Plugin, function: &str, arguments: Vec<Value>) -> Call {
    static CALLS: AtomicU32 = AtomicU32::new(1);
    let signature = plugin
        .interface()
        .find(function)
        .next()
        .unwrap_or_else(|| panic!("the plugin exports no {function}"));
    Call {
        function: signature.function.clone(),
        arguments,
        id: CallId::new(format!("call-{}", CALLS.fetch_add(1, Ordering::Relaxed))),
        attempt: 1,
        locale: "zh-CN".to_owned(),
        time: CALL_TIME,
    }
}

/// What came of a call, as one JSON value: `{ "ok": .. }`, `{ "ambiguous": 2 }` and so on.
fn told(outcome: Outcome) -> Json {
    match outcome {
        Outcome::Ok(value) => json!({ "ok": to_json(&value) }),
        Outcome::Refusal(refusal) => json!({ refusal.case.as_ref(): to_json(&refusal.payload) }),
        Outcome::Fault(fault) => json!({ "fault": fault.kind.as_str(), "message": fault.message }),
    }
}

/// Why a department was unreachable, as its plugin says.
fn why_unreachable(outcome: Outcome) -> String {
    let told = told(outcome);
    match &told["unreachable"] {
        Json::String(why) => why.clone(),
        _ => panic!("should be unreachable: {told}"),
    }
}

struct Registry {
    service: Service,
    plugin: Plugin,
}

impl Registry {
    async fn new() -> Self {
        let service =
            crm::serve(loopback().await.expect("a free port"), crm::Register::seed()).expect("an address");
        let url = service.url();
        let grants = json!({ "http": [format!("POST {url}/v1/*")] });
        let plugin = load(&host(), "crm_lookup.wasm", &[("url", &url)], grants).await;
        Self { service, plugin }
    }

    async fn find(&self, phone: &str) -> Outcome {
        self.plugin
            .call(call(&self.plugin, "find-citizen", vec![phone.into()]))
            .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_register_finds_one_none_and_several() {
    let registry = Registry::new().await;
    assert_eq!(
        told(registry.find("+8613800138000").await),
        json!({ "ok": { "id": "c-1001", "name": "王芳", "district": "xihu", "language": "zh-CN", "birth_year": 1987 } })
    );
    assert_eq!(
        told(registry.find("+8613800138010").await),
        json!({ "ok": { "id": "c-1012", "name": "郑海", "district": null, "language": null, "birth_year": null } })
    );
    assert_eq!(
        told(registry.find("+8613999999999").await),
        json!({ "not-found": null })
    );
    assert_eq!(
        told(registry.find("+8613800138008").await),
        json!({ "ambiguous": 2 })
    );
    // What is no number in E.164 is nobody's, and the register is not troubled with it.
    let before = registry.service.requests();
    assert_eq!(told(registry.find("12345").await), json!({ "not-found": null }));
    assert_eq!(registry.service.requests(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_register_in_trouble_is_unreachable_and_says_why() {
    let registry = Registry::new().await;
    for (failure, why) in [
        (
            Failure::Status(500),
            "the register answered 500, broken: this service fails on purpose",
        ),
        (Failure::Garbled, "the register's reply is no citizen"),
        (Failure::HangUp, ""),
    ] {
        registry.service.behave(Conduct {
            failure: Some(failure),
            ..Conduct::default()
        });
        let said = why_unreachable(registry.find("+8613800138000").await);
        assert!(said.contains(why), "{failure:?}: {said}");
    }
    registry.service.behave(Conduct::default());
    assert!(told(registry.find("+8613800138000").await)["ok"].is_object());
    registry.service.stop().await;
    why_unreachable(
        registry
            .plugin
            .call(call(
                &registry.plugin,
                "find-citizen",
                vec!["+8613800138000".into()],
            ))
            .await,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_register_is_unreachable_before_the_call_is_stopped() {
    let registry = Registry::new().await;
    registry.service.behave(Conduct {
        latency: Duration::from_secs(30),
        ..Conduct::default()
    });
    let slow = Call {
        time: trunkline_model::Duration::from_millis(400),
        ..call(&registry.plugin, "find-citizen", vec!["+8613800138000".into()])
    };
    let said = why_unreachable(registry.plugin.call(slow).await);
    assert!(said.contains("no complete reply within"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_of_one_call_carry_one_key() {
    let registry = Registry::new().await;
    let first = call(&registry.plugin, "find-citizen", vec!["+8613800138000".into()]);
    let second = Call {
        attempt: 2,
        ..first.clone()
    };
    let id = first.id.to_string();
    registry.plugin.call(first).await;
    registry.plugin.call(second).await;
    registry.find("+8613800138000").await;
    assert_eq!(registry.service.requests_by_key().get(&id), Some(&2));
    assert_eq!(registry.service.requests(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn moods_of_callers() {
    let plugin = load(&host(), "sentiment.wasm", &[("anxious-from", "0.3")], json!({})).await;
    // It asks for nothing beyond what every plugin has.
    let wants = plugin.wants();
    assert!(
        !wants.has(Capability::KeyValues) && !wants.has(Capability::Http) && !wants.has(Capability::Call)
    );
    for (text, level, words) in [
        ("请问西湖区的发热门诊在哪里？", "calm", json!([])),
        ("我很着急，房子漏水", "anxious", json!(["着急", "漏水"])),
        (
            "This is absolutely unacceptable!",
            "angry",
            json!(["unacceptable"]),
        ),
    ] {
        let told = told(plugin.call(call(&plugin, "score", vec![text.into()])).await);
        assert_eq!(
            (&told["ok"]["level"], &told["ok"]["words"]),
            (&json!(level), &words),
            "{told}"
        );
        let score = told["ok"]["score"].as_f64().expect("a score is a number");
        assert!((0.0..=1.0).contains(&score), "{score}");
    }
}

struct Commission {
    service: Service,
    publication: Publication,
    plugin: Plugin,
}

impl Commission {
    async fn new(refresh_s: &str) -> Self {
        let publication = Publication::new(&Feed::seed());
        let service =
            feed::serve(loopback().await.expect("a free port"), publication.clone()).expect("an address");
        let url = format!("{}/v1/notices", service.url());
        let grants = json!({ "http": [format!("GET {url}")], "kv": true });
        let config = [("url", url.as_str()), ("refresh-s", refresh_s)];
        let plugin = load(&host(), "gov_feed.wasm", &config, grants).await;
        Self {
            service,
            publication,
            plugin,
        }
    }

    async fn latest(&self, district: &str, question: Option<&str>) -> Json {
        let arguments = vec![district.into(), question.into()];
        told(self.plugin.call(call(&self.plugin, "latest", arguments)).await)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn notices_for_a_district_in_the_contacts_language() {
    let commission = Commission::new("60").await;
    let newest = commission.latest("西湖区", None).await;
    assert_eq!(newest["ok"]["id"], "n-2026-121");
    assert_eq!(newest["ok"]["district"], "西湖区");
    assert_eq!(newest["ok"]["stale"], false);
    assert_eq!(
        commission.latest("xihu", Some("孩子发烧去哪个门诊")).await["ok"]["id"],
        "n-2026-120"
    );
    assert_eq!(
        commission.latest("linan", None).await,
        json!({ "no-notice": null })
    );
    assert_eq!(
        commission.latest("pudong", None).await,
        json!({ "unknown-district": null })
    );

    let english = Call {
        locale: "en".to_owned(),
        ..call(&commission.plugin, "notices", vec!["xihu".into()])
    };
    let all = told(commission.plugin.call(english).await);
    assert_eq!(all["ok"].as_array().map(Vec::len), Some(2));
    assert_eq!(all["ok"][1]["title"], "Fever clinic at night");
    // One copy served all of them.
    assert_eq!(commission.service.requests(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_changes_and_one_that_fails() {
    let commission = Commission::new("0").await;
    assert_eq!(commission.latest("xihu", None).await["ok"]["stale"], false);
    // Asked again with its etag, and told that nothing changed.
    assert_eq!(commission.latest("xihu", None).await["ok"]["stale"], false);
    assert_eq!(commission.service.requests(), 2);

    let mut feed = Feed::seed();
    feed.notices[0].issued = "2026-11-21".to_owned();
    commission.publication.publish(&feed);
    assert_eq!(
        commission.latest("xihu", None).await["ok"]["issued"],
        "2026-11-21"
    );

    for failure in [Failure::HangUp, Failure::Garbled, Failure::Status(503)] {
        commission.service.behave(Conduct {
            failure: Some(failure),
            ..Conduct::default()
        });
        let kept = commission.latest("xihu", None).await;
        assert_eq!(
            (&kept["ok"]["stale"], &kept["ok"]["issued"]),
            (&json!(true), &json!("2026-11-21"))
        );
    }
    // After the first failure it is left alone for a moment.
    assert_eq!(commission.service.requests(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_never_answered_is_unreachable() {
    let commission = Commission::new("60").await;
    commission.service.behave(Conduct {
        failure: Some(Failure::Status(503)),
        ..Conduct::default()
    });
    assert_eq!(
        commission.latest("xihu", None).await,
        json!({ "unreachable": "the feed answered 503" })
    );
}
