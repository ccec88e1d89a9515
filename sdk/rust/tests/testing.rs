//! The test host keeps its word: what it answers is what a server would.
#![cfg(not(target_arch = "wasm32"))]

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use trunkline_sdk::{
    call, clock, config, http, kv, log,
    secrets::{self, Algorithm},
    testing::{Call, Exchange, Failure, Host, Quota, Stopped},
};

const CRM: &str = "https://crm.civil.example";
const FIND: &str = "https://crm.civil.example/v1/find";

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn settings_calls_and_lines() {
    let host = Host::new()
        .config("url", CRM)
        .config("after", "5")
        .call(Call {
            id: "c-7".to_owned(),
            attempt: 2,
            locale: "en-GB".to_owned(),
            time: Some(seconds(2)),
        })
        .start();
    assert_eq!(config::require("url").as_deref(), Ok(CRM));
    assert_eq!(config::get_or("after", 1), Ok(5));
    assert_eq!(config::get("region"), None);
    assert_eq!(config::all().len(), 2);
    let call = call::current();
    assert_eq!(
        (call.id.as_str(), call.attempt, call.language()),
        ("c-7", 2, "en")
    );
    host.advance(Duration::from_millis(500));
    assert_eq!(call::current().remaining, Duration::from_millis(1_500));
    log::warn!("the feed answered {}", 503);
    log::info!("well");
    assert_eq!(host.messages(log::Level::Warn), ["the feed answered 503"]);
    assert_eq!(host.lines().len(), 2);
}

#[test]
fn a_call_that_outlives_its_time_is_stopped() {
    let host = Host::of_plugin("[limits]\ntime = \"800ms\"").start();
    let passed = host.run(|| {
        host.advance(Duration::from_millis(799));
        log::info!("in time");
        host.advance(Duration::from_millis(1));
        log::info!("too late");
        unreachable!("the host has stopped the call")
    });
    assert_eq!(passed, Err::<(), _>(Stopped));
    assert_eq!(host.messages(log::Level::Info), ["in time"]);
    // The next call has its own time; and an answer that comes too late is none.
    assert_eq!(host.run(|| call::current().remaining.as_millis()), Ok(800));
    assert_eq!(host.run(|| host.advance(seconds(1))), Err(Stopped));
}

#[test]
#[should_panic(expected = "the guest's own fault")]
fn a_panic_of_the_plugin_stays_one() {
    let host = Host::new().start();
    let _ = host.run(|| panic!("the guest's own fault"));
}

#[test]
#[should_panic(expected = "this thread has no host")]
fn without_a_host_a_call_says_how_to_have_one() {
    drop(Host::new().start());
    clock::since_epoch();
}

#[test]
fn a_host_is_asked_by_what_it_runs() {
    let one = Host::new().config("name", "one").start();
    let two = Host::new().config("name", "two").start();
    let name = || config::get("name").unwrap();
    assert_eq!((name().as_str(), one.run(name).as_deref()), ("two", Ok("one")));
    assert_eq!(
        one.run(|| two.run(name).unwrap() + &name()).as_deref(),
        Ok("twoone")
    );
    drop(two);
    assert_eq!(name(), "one");
}

#[test]
fn keys_have_versions_and_times_to_live() {
    let host = Host::new().kv(Quota::default()).at(seconds(1_000)).start();
    let first = kv::set_if("a", b"1", None, None).unwrap();
    let conflict = kv::set_if("a", b"2", None, None).unwrap_err();
    assert!(matches!(conflict, kv::Error::Conflict { present } if present == Some(first)));
    let second = kv::set_if("a", b"2", Some(first), Some(seconds(60))).unwrap();
    assert!(second > first);
    kv::set("b/1", b"x", None).unwrap();
    kv::set("b/2", b"y", Some(Duration::from_millis(1_500))).unwrap();
    assert_eq!(kv::keys("b/", None, 10).unwrap(), ["b/1", "b/2"]);
    assert_eq!(kv::keys("b/", Some("b/1"), 10).unwrap(), ["b/2"]);
    assert_eq!(kv::keys("", None, 2).unwrap(), ["a", "b/1"]);

    host.set_clock(seconds(1_002));
    assert_eq!(kv::keys("b/", None, 10).unwrap(), ["b/1"]);
    assert_eq!(kv::get("a").unwrap().unwrap().value, b"2");
    host.set_clock(seconds(1_060));
    assert_eq!(kv::get("a").unwrap(), None);
    // A key that comes back does not look like the old one.
    assert!(kv::set("a", b"3", None).unwrap() > second);
    kv::delete("a").unwrap();
    kv::delete("a").unwrap();
    assert_eq!(host.kept("a"), None);

    host.kv_unavailable(Some("the disk is full"));
    let error = kv::get("a").unwrap_err();
    assert_eq!(error.to_string(), "the store did not answer: the disk is full");
}

#[test]
fn a_store_has_an_end() {
    let plugin = "[wants]\nkv = { keys = 2, bytes = \"20\", value-bytes = \"12\" }";
    let _host = Host::of_plugin(plugin).kept("a", "12345").start();
    assert!(matches!(kv::set("b", &[0; 13], None), Err(kv::Error::TooLarge)));
    assert!(matches!(
        kv::set(&"k".repeat(257), b"", None),
        Err(kv::Error::TooLarge)
    ));
    assert!(matches!(kv::get(""), Err(kv::Error::TooLarge)));
    kv::set("b", &[0; 12], None).unwrap();
    assert!(matches!(kv::set("a", &[0; 7], None), Err(kv::Error::Full)));
    kv::set("a", &[0; 6], None).unwrap();
    assert!(matches!(kv::set("c", b"", None), Err(kv::Error::Full)));
}

#[test]
#[should_panic(expected = "write `kv = true` under [wants]")]
fn key_values_that_nobody_wanted() {
    let _host = Host::of_plugin("[wants]").start();
    let _ = kv::get("a");
}

#[test]
fn what_no_grant_covers_is_denied() {
    let host = Host::of_plugin("[wants]\nhttp = [\"POST https://crm.civil.example/v1/*\"]")
        .reply("POST", FIND, 200, "")
        .reply("GET", FIND, 200, "")
        .start();
    assert!(http::post(FIND).send().unwrap().is_success());
    assert!(matches!(http::get(FIND).send(), Err(http::Error::Denied)));
    let elsewhere = http::post("https://other.example/v1/find").send();
    assert!(matches!(elsewhere, Err(http::Error::Denied)));
    assert_eq!(host.requests().len(), 1);
    assert_eq!(host.unasked(), ["GET https://crm.civil.example/v1/find"]);
}

#[test]
#[should_panic(expected = "nobody expected POST https://crm.civil.example/v1/forget")]
fn what_nobody_scripted_is_a_slip_of_the_test() {
    let _host = Host::new()
        .http("* https://crm.civil.example/*")
        .reply("POST", FIND, 200, "")
        .start();
    let _ = http::post("https://crm.civil.example/v1/forget").send();
}

#[test]
fn replies_come_in_their_order_and_the_last_stays() {
    let host = Host::new()
        .http("* https://crm.civil.example/*")
        .exchange(
            Exchange::new("POST", FIND)
                .with_body(json!({ "phone": "+1", "more": 1 }))
                .reply(200, "one"),
        )
        .reply("POST", FIND, 503, "")
        .reply("POST", FIND, 200, json!({ "name": "王芳" }))
        .start();
    let ask = |body: &serde_json::Value| http::post(FIND).json(body).unwrap().send().unwrap();
    assert_eq!(ask(&json!({ "more": 1, "phone": "+1" })).body(), b"one");
    assert_eq!(ask(&json!({})).status(), 503);
    for _ in 0..2 {
        let reply = ask(&json!({}));
        assert_eq!(
            reply.json::<serde_json::Value>().unwrap(),
            json!({ "name": "王芳" })
        );
        assert_eq!(reply.header("content-type"), Some("application/json"));
    }
    assert_eq!(
        host.requests()[0].json().unwrap(),
        json!({ "phone": "+1", "more": 1 })
    );
    assert_eq!(
        host.requests()[0].header("Content-Type"),
        Some("application/json")
    );
    // From here on the service is another.
    host.exchange(Exchange::new("POST", FIND).reply(500, ""));
    assert_eq!(ask(&json!({})).status(), 500);
}

#[test]
fn services_fail_in_every_way() {
    let at = |failure| Exchange::new("POST", FIND).fails(failure);
    let host = Host::new()
        .http("POST https://crm.civil.example/*")
        .exchange(at(Failure::Refused))
        .exchange(at(Failure::Broken))
        .exchange(at(Failure::TimedOut))
        .exchange(Exchange::new("POST", FIND).takes(seconds(2)).reply(200, "late"))
        .exchange(Exchange::new("POST", FIND).takes(seconds(2)).reply(200, "late"))
        .exchange(Exchange::new("POST", FIND).reply(200, "too much"))
        .start();
    let send = |timeout| http::post(FIND).timeout(timeout).reply_bytes_max(7).send();
    let start = clock::since_epoch();
    assert!(matches!(send(seconds(1)), Err(http::Error::Unreachable { .. })));
    assert!(matches!(send(seconds(1)), Err(http::Error::Broken { .. })));
    assert_eq!(clock::since_epoch(), start);
    assert!(matches!(send(seconds(1)), Err(http::Error::TimedOut { .. })));
    assert!(matches!(send(seconds(2)), Err(http::Error::TimedOut { .. })));
    assert_eq!(clock::since_epoch() - start, seconds(3));
    assert_eq!(send(seconds(3)).unwrap().body(), b"late");
    assert_eq!(clock::since_epoch() - start, seconds(5));
    assert!(matches!(
        send(seconds(1)),
        Err(http::Error::TooLarge { bytes_max: 7 })
    ));
    // A request with more time than the call has takes the call with it.
    host.exchange(at(Failure::TimedOut));
    assert_eq!(host.run(|| send(seconds(60)).is_err()), Err(Stopped));
}

#[test]
fn headers_that_no_host_sends() {
    let _host = Host::new().http("GET https://crm.civil.example/*").start();
    for (name, value) in [
        ("host", "a"),
        ("Connection", "close"),
        ("a b", "c"),
        ("", "c"),
        ("x", "a\r\nb: c"),
    ] {
        let error = http::get(FIND).header(name, value).send().unwrap_err();
        assert!(matches!(error, http::Error::Header { .. }), "{name:?}: {error}");
    }
}

#[test]
fn a_recording_is_played() {
    let recording = r#"{ "masked": { "phone-1": "phone" }, "exchanges": [
        { "request": { "method": "POST", "url": "https://crm.civil.example/v1/find",
                       "headers": { "accept": "application/*" }, "body": { "phone": "phone-1" } },
          "reply": { "headers": { "etag": "\"7\"" }, "body": { "id": "c-1" }, "after": "200ms" } },
        { "request": { "url": "https://crm.civil.example/v1/notes*" }, "reply": { "status": 404, "body": "none" } },
        { "request": { "url": "https://crm.civil.example/v1/notes/2" }, "reply": { "fails": "refused" } }
    ] }"#;
    let host = Host::new()
        .http("* https://crm.civil.example/v1/*")
        .recording(recording)
        .start();
    let find = |body: &str| {
        http::post(FIND)
            .header("accept", "application/json")
            .body(body)
            .send()
            .unwrap()
    };
    let start = clock::since_epoch();
    let found = find("{ \"phone\": \"+8613800138000\", \"more\": true }");
    assert_eq!(
        (found.header("ETag"), found.body()),
        (Some("\"7\""), &br#"{"id":"c-1"}"#[..])
    );
    assert_eq!((clock::since_epoch() - start).as_millis(), 200);
    assert_eq!(host.unasked().len(), 2);
    let note = || http::get("https://crm.civil.example/v1/notes/2").send();
    assert_eq!(note().unwrap().body(), b"none");
    assert!(matches!(note(), Err(http::Error::Unreachable { .. })));
    assert_eq!(host.unasked().len(), 0);
}

#[test]
fn credentials_are_found_behind_base64() {
    let host = Host::new()
        .http("GET https://crm.civil.example/*")
        .secret("crm-password", CRM, "s3cret")
        .reply("GET", FIND, 200, "")
        .start();
    let word = secrets::placeholder("crm-password").unwrap();
    let credentials = STANDARD.encode(format!("desk:{word}"));
    http::get(FIND)
        .header("authorization", format!("Basic {credentials}"))
        .send()
        .unwrap();
    let sent = STANDARD.encode("desk:s3cret");
    assert_eq!(
        host.requests()[0].header("authorization"),
        Some(format!("Basic {sent}").as_str())
    );
}

#[test]
#[should_panic(expected = "unknown field `replies`")]
fn a_recording_that_is_none() {
    let _ = Host::new().recording(r#"[{ "request": { "url": "" }, "replies": [] }]"#);
}

#[test]
fn a_secret_goes_to_its_own_host_alone() {
    let host = Host::new()
        .http("GET https://crm.civil.example/*")
        .http("GET https://other.example/*")
        .secret("crm-token", CRM, "s3cret")
        .reply("GET", FIND, 200, "you said Bearer s3cret")
        .reply("GET", "https://other.example/", 200, "")
        .start();
    let token = secrets::placeholder("crm-token").unwrap();
    assert!(!token.as_str().contains("s3cret"));
    let reply = http::get(FIND)
        .bearer(&token)
        .header("x-token", &token)
        .send()
        .unwrap();
    http::get("https://other.example/")
        .bearer(&token)
        .body(token.to_string())
        .send()
        .unwrap();
    let sent = host.requests();
    assert_eq!(sent[0].header("authorization"), Some("Bearer s3cret"));
    assert_eq!(sent[0].header("x-token"), Some("s3cret"));
    let elsewhere = format!("Bearer {token}");
    assert_eq!(sent[1].header("authorization"), Some(elsewhere.as_str()));
    assert_eq!(sent[1].body, token.as_str().as_bytes());
    // What comes back never shows it.
    assert_eq!(reply.body(), b"you said Bearer ******");
}

/// Test case 2 of RFC 4231, and test 2 of section 7.1 of RFC 8032.
#[test]
fn signatures_are_the_standards_own() {
    let key = [
        0x4c, 0xcd, 0x08, 0x9b, 0x28, 0xff, 0x96, 0xda, 0x9d, 0xb6, 0xc3, 0x46, 0xec, 0x11, 0x4e, 0x0f, 0x5b,
        0x8a, 0x31, 0x9f, 0x35, 0xab, 0xa6, 0x24, 0xda, 0x8c, 0xf6, 0xed, 0x4f, 0xb8, 0xa6, 0xfb,
    ];
    let _host = Host::new()
        .secret("jefe", CRM, "Jefe")
        .secret("key", CRM, &key[..])
        .start();
    let bytes = b"what do ya want for nothing?";
    assert_eq!(
        hex(&secrets::sign("jefe", Algorithm::HmacSha256, bytes).unwrap()),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
    assert_eq!(
        hex(&secrets::sign("jefe", Algorithm::HmacSha512, bytes).unwrap()),
        "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554\
         9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"
    );
    assert_eq!(
        hex(&secrets::sign("key", Algorithm::Ed25519, &[0x72]).unwrap()),
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
         085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    );
    let error = secrets::sign("jefe", Algorithm::Ed25519, b"").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the secret \"jefe\" cannot sign: a key of Ed25519 has 32 bytes, this has 4"
    );
}

#[test]
fn a_secret_that_is_not_there_names_the_line_to_add() {
    let plugin = "[wants]\nsecrets = { crm-token = \"https://crm.civil.example\" }";
    let _host = Host::of_plugin(plugin).start();
    let missing = secrets::placeholder("crm-token").unwrap_err();
    assert_eq!(
        missing,
        secrets::Error::Missing {
            name: "crm-token".to_owned()
        }
    );
    let error = secrets::sign("sms-key", Algorithm::HmacSha256, b"").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the secret \"sms-key\" is not granted: write `secrets: { sms-key: https://HOST }`, with the host that it \
         is for, under this plugin in grants.yaml, and `secrets = { sms-key = \"https://HOST\" }` under [wants] \
         in plugin.toml"
    );
}
