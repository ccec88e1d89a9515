//! The whole exported function, on a host in memory that grants what plugin.toml wants.

use std::time::Duration;

use serde_json::json;
use trunkline_sdk::{
    log::Level,
    testing::{Call, Exchange, Failure, Host, Running, Stopped},
};

use super::*;

const PLUGIN: &str = include_str!("../plugin.toml");
const FIND: &str = "http://127.0.0.1:7001/v1/citizens/find";
const PHONE: &str = "+8613800138000";

/// A register that answers so.
fn register(exchange: Exchange) -> Running {
    Host::of_plugin(PLUGIN)
        .config("url", "http://127.0.0.1:7001")
        .exchange(exchange)
        .start()
}

fn answering(status: u16, body: impl Into<trunkline_sdk::testing::Body>) -> Running {
    register(Exchange::new("POST", FIND).reply(status, body))
}

fn find(host: &Running, phone: &str) -> Result<Citizen, LookupError> {
    host.run(|| CrmLookup::find_citizen(phone.to_owned()))
        .expect("an answer within the call's time")
}

/// Why the register is unreachable, in the answer and in the log alike.
fn why_unreachable(host: &Running) -> String {
    let Err(LookupError::Unreachable(why)) = find(host, PHONE) else {
        panic!("the register was reached");
    };
    let line = format!("the register gave no answer: {why}");
    assert_eq!(host.messages(Level::Warn).last(), Some(&line));
    why
}

#[test]
fn a_citizen_is_found_by_one_question() {
    let host = answering(
        200,
        json!({ "id": "c-1001", "name": "王芳", "district": "xihu", "birth_year": 1958 }),
    );
    host.call(Call {
        id: "call-77".to_owned(),
        attempt: 2,
        ..Call::default()
    });
    let citizen = find(&host, PHONE).unwrap();
    assert_eq!((citizen.id.as_str(), citizen.name.as_str()), ("c-1001", "王芳"));
    assert_eq!(citizen.district.as_deref(), Some("xihu"));
    assert_eq!((citizen.language, citizen.birth_year), (None, Some(1958)));

    let [request] = &host.requests()[..] else {
        panic!("one request");
    };
    assert_eq!(request.json().unwrap(), json!({ "phone": PHONE }));
    // All attempts of a call ask under its id.
    assert_eq!(request.header("idempotency-key"), Some("call-77"));
    assert!(host.lines().is_empty(), "{:?}", host.lines());
}

#[test]
fn the_registers_refusals_are_answers() {
    let nobody = json!({ "error": { "code": "not-found", "message": "nobody" } });
    assert!(matches!(
        find(&answering(404, nobody), PHONE),
        Err(LookupError::NotFound)
    ));
    let two = json!({ "error": { "code": "ambiguous", "message": "two", "count": 2 } });
    assert!(matches!(
        find(&answering(409, two), PHONE),
        Err(LookupError::Ambiguous(2))
    ));
}

#[test]
fn what_is_no_number_is_not_asked_for() {
    let host = Host::of_plugin(PLUGIN).start();
    assert!(matches!(find(&host, "13800138000"), Err(LookupError::NotFound)));
    assert!(host.requests().is_empty());
}

#[test]
fn a_register_that_is_down_or_breaks_off_is_unreachable() {
    let down = register(Exchange::new("POST", FIND).fails(Failure::Refused));
    assert!(why_unreachable(&down).starts_with("the service is not reachable"));
    let broken = register(Exchange::new("POST", FIND).fails(Failure::Broken));
    assert!(why_unreachable(&broken).starts_with("the reply broke off"));
    assert_eq!(why_unreachable(&answering(503, "")), "the register answered 503");
}

#[test]
fn a_malformed_reply_is_no_citizen() {
    let html = answering(200, "<html>");
    assert!(why_unreachable(&html).starts_with("the register's reply is no citizen"));
    let nameless = answering(200, json!({ "id": "c-1", "name": "" }));
    assert!(why_unreachable(&nameless).ends_with("without id or name"));
    let endless = answering(200, "x".repeat(register::REPLY_BYTES_MAX + 1));
    assert_eq!(why_unreachable(&endless), "the reply has more than 16384 bytes");
}

#[test]
fn a_slow_register_is_an_answer_and_not_a_fault() {
    let host = register(Exchange::new("POST", FIND).fails(Failure::TimedOut));
    assert_eq!(why_unreachable(&host), "no complete reply within 2950 ms");
    // Whatever time the step gives, the margin is kept back.
    host.call(Call {
        time: Some(Duration::from_millis(800)),
        ..Call::default()
    });
    assert_eq!(why_unreachable(&host), "no complete reply within 750 ms");
    // One that answers just in time is heard.
    let citizen = Exchange::new("POST", FIND).reply(200, json!({ "id": "c-1", "name": "李" }));
    host.exchange(citizen.takes(Duration::from_millis(749)));
    assert!(find(&host, PHONE).is_ok());
}

#[test]
fn a_call_with_less_time_than_the_margin_still_answers() {
    let host = answering(200, json!({ "id": "c-1", "name": "李" }));
    host.call(Call {
        time: Some(ANSWER_MARGIN),
        ..Call::default()
    });
    assert_eq!(why_unreachable(&host), "no complete reply within 0 ms");
    host.call(Call {
        time: Some(Duration::ZERO),
        ..Call::default()
    });
    let stopped = host.run(|| CrmLookup::find_citizen(PHONE.to_owned()));
    assert!(matches!(stopped, Err(Stopped)));
}

#[test]
fn a_setting_that_is_missing_or_leads_elsewhere_is_said() {
    let host = Host::of_plugin(PLUGIN).start();
    assert!(why_unreachable(&host).starts_with("the setting \"url\" is missing"));
    drop(host);
    let host = Host::of_plugin(PLUGIN)
        .config("url", "https://elsewhere.example")
        .start();
    assert_eq!(
        why_unreachable(&host),
        "the host refused the request: grant it under `http:` of this plugin in grants.yaml"
    );
    assert!(host.requests().is_empty());
}
