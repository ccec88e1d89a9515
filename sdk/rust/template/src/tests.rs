//! The exported functions on the SDK's test host, which grants what plugin.toml wants and nothing
//! else: `cargo test --target "$(rustc --print host-tuple)"`.

{{#http}}
use serde_json::json;
{{/http}}
use trunkline_sdk::testing::{Call, Host, Running};
{{#http}}
use trunkline_sdk::testing::{Exchange, Failure};
{{/http}}

use super::*;

const PLUGIN: &str = include_str!("../plugin.toml");

fn host() -> Running {
    let host = Host::of_plugin(PLUGIN);
{{#http}}
    let host = host.config("url", "https://service.example");
{{#secrets}}
    let host = host.secret("service-token", "https://service.example", "a-token-of-tests");
{{/secrets}}
    let host = host.exchange(service().reply(200, json!({ "text": "在处理" })));
{{/http}}
    host.start()
}
{{#http}}

fn service() -> Exchange {
    Exchange::new("POST", "https://service.example/v1/answers")
}
{{/http}}

fn answer(host: &Running, words: &str) -> Result<String, AnswerError> {
    host.run(|| Plugin::answer(words.to_owned()))
        .expect("an answer within the call's time")
}

#[test]
fn nothing_said_is_an_edge_of_its_own() {
    let host = host();
    assert!(matches!(answer(&host, "  "), Err(AnswerError::NothingSaid)));
}

#[test]
fn a_caller_is_answered_in_the_contacts_language() {
    let host = host();
    host.call(Call {
        locale: "en-GB".to_owned(),
        ..Call::default()
    });
    let answered = answer(&host, "hello").unwrap();
    assert!(!answered.is_empty());
    assert_eq!(in_language("en", "hello"), "You said: hello");
{{#http}}
    assert_eq!(
        host.requests()[0].json().unwrap(),
        json!({ "text": "You said: hello" })
    );
{{#secrets}}
    assert_eq!(
        host.requests()[0].header("authorization"),
        Some("Bearer a-token-of-tests")
    );
{{/secrets}}
{{/http}}
}
{{#http}}

#[test]
fn a_service_that_is_down_slow_or_wrong_is_unreachable() {
    let host = host();
    for exchange in [
        service().fails(Failure::Refused),
        service().fails(Failure::TimedOut),
        service().reply(503, ""),
        service().reply(200, "<html>"),
    ] {
        host.services([exchange]);
        assert!(matches!(
            answer(&host, "你好"),
            Err(AnswerError::Unreachable(_))
        ));
    }
}
{{/http}}
{{#kv}}

#[test]
fn questions_are_counted_across_calls() {
    let host = host();
    for _ in 0..3 {
        answer(&host, "你好").unwrap();
    }
    assert_eq!(host.kept(COUNT_KEY).unwrap().value, b"3");
    host.kv_unavailable(Some("the disk is full"));
    assert!(answer(&host, "你好").is_ok());
}
{{/kv}}
