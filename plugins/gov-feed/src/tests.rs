//! The whole exported functions, on a host in memory that grants what plugin.toml wants.

use serde_json::{Value, json};
use trunkline_sdk::{
    log::Level,
    testing::{Call, Exchange, Failure, Host, Running},
};

use super::*;

const PLUGIN: &str = include_str!("../plugin.toml");
const URL: &str = "http://127.0.0.1:7002/v1/notices";

fn feed() -> Value {
    json!({
        "districts": [{ "id": "xihu", "names": { "zh-CN": "西湖区", "en": "Xihu District" } }],
        "notices": [
            { "id": "n-1", "districts": ["xihu"], "issued": "2026-11-02", "topics": ["疫苗"],
              "title": { "zh-CN": "接种点", "en": "Vaccination" }, "text": { "zh-CN": "接种", "en": "Vaccines" } },
            { "id": "n-2", "districts": [], "issued": "2026-11-18",
              "title": { "zh-CN": "流感" }, "text": { "zh-CN": "流感高发" } }
        ]
    })
}

fn published() -> Exchange {
    Exchange::new("GET", URL)
        .reply(200, feed())
        .header("etag", "\"7\"")
}

fn failing(failure: Failure) -> Exchange {
    Exchange::new("GET", URL).fails(failure)
}

fn host(exchange: Exchange) -> Running {
    Host::of_plugin(PLUGIN)
        .config("url", URL)
        .config("refresh-s", "60")
        .config("stale-max-s", "600")
        .exchange(exchange)
        .start()
}

fn latest(host: &Running) -> Result<Notice, NoticeError> {
    host.run(|| GovFeed::latest("xihu".to_owned(), None))
        .expect("an answer within the call's time")
}

/// The newest notice, and whether it is stale.
fn newest(host: &Running) -> (String, bool) {
    let notice = latest(host).unwrap();
    (notice.id, notice.stale)
}

fn why_unreachable(host: &Running) -> String {
    match latest(host) {
        Err(NoticeError::Unreachable(why)) => why,
        other => panic!("the feed was reached: {other:?}"),
    }
}

fn pass(host: &Running, seconds: u64) {
    host.advance(Duration::from_secs(seconds));
}

#[test]
fn a_district_has_its_notices_in_the_contacts_language() {
    let host = host(published());
    let notices = |district: &str| host.run(|| GovFeed::notices(district.to_owned())).unwrap();
    let found = notices("西湖").unwrap();
    let ids: Vec<_> = found.iter().map(|notice| notice.id.as_str()).collect();
    assert_eq!(ids, ["n-2", "n-1"]);
    assert!(matches!(notices("滨江"), Err(NoticeError::UnknownDistrict)));

    host.call(Call {
        locale: "en-GB".to_owned(),
        ..Call::default()
    });
    let asked = host
        .run(|| GovFeed::latest("xihu".to_owned(), Some("哪里打疫苗".to_owned())))
        .unwrap()
        .unwrap();
    assert_eq!(
        (asked.title.as_str(), asked.district.as_str()),
        ("Vaccination", "Xihu District")
    );
    // One copy serves them all.
    assert_eq!(host.requests().len(), 1);
}

#[test]
fn a_copy_that_is_due_is_renewed_by_its_etag() {
    let host = host(published());
    assert_eq!(newest(&host), ("n-2".to_owned(), false));
    pass(&host, 59);
    latest(&host).unwrap();
    assert_eq!(host.requests().len(), 1);

    pass(&host, 1);
    let unchanged = Exchange::new("GET", URL).with_header("if-none-match", "\"7\"");
    host.services([unchanged.reply(304, "")]);
    assert_eq!(newest(&host), ("n-2".to_owned(), false));
    // Renewed, it is young again.
    pass(&host, 59);
    latest(&host).unwrap();
    assert_eq!(host.requests().len(), 2);

    pass(&host, 1);
    let mut newer = feed();
    newer["notices"][0]["issued"] = json!("2026-11-19");
    host.services([Exchange::new("GET", URL).reply(200, newer)]);
    assert_eq!(newest(&host), ("n-1".to_owned(), false));
}

#[test]
fn the_copy_serves_while_the_feed_is_down_and_says_so() {
    let host = host(published());
    latest(&host).unwrap();
    pass(&host, 60);
    host.services([failing(Failure::Refused)]);
    assert_eq!(newest(&host), ("n-2".to_owned(), true));
    let warned = host.messages(Level::Warn);
    assert!(
        warned[0].starts_with("the feed is down, its copy of 60 s ago serves"),
        "{warned:?}"
    );
    // The next callers do not wait for it to fail again, for a moment.
    pass(&host, 4);
    assert_eq!(newest(&host), ("n-2".to_owned(), true));
    assert_eq!(host.requests().len(), 2);
    pass(&host, 1);
    assert_eq!(newest(&host), ("n-2".to_owned(), true));
    assert_eq!(host.requests().len(), 3);
    // Back again.
    pass(&host, 5);
    host.services([published()]);
    assert_eq!(newest(&host), ("n-2".to_owned(), false));
}

#[test]
fn a_copy_that_is_too_old_is_not_given_out() {
    let host = host(published());
    latest(&host).unwrap();
    pass(&host, 601);
    host.services([failing(Failure::Refused)]);
    assert!(why_unreachable(&host).starts_with("the service is not reachable"));
}

#[test]
fn a_slow_feed_leaves_time_to_answer() {
    let host = host(failing(Failure::TimedOut));
    assert_eq!(why_unreachable(&host), "no complete reply within 3900 ms");
    host.services([published().takes(Duration::from_secs(2))]);
    assert_eq!(newest(&host), ("n-2".to_owned(), false));
    pass(&host, 60);
    host.services([failing(Failure::TimedOut)]);
    assert_eq!(newest(&host), ("n-2".to_owned(), true));
}

#[test]
fn half_a_feed_is_none() {
    let mut faulty = feed();
    faulty["notices"][0]["issued"] = json!("yesterday");
    for (reply, why) in [
        (
            Exchange::new("GET", URL).reply(200, "<html>"),
            "not of the documented form",
        ),
        (
            Exchange::new("GET", URL).reply(200, faulty),
            "is issued \"yesterday\"",
        ),
        (Exchange::new("GET", URL).reply(500, ""), "the feed answered 500"),
        (Exchange::new("GET", URL).reply(304, ""), "the feed answered 304"),
        (
            Exchange::new("GET", URL).reply(200, "x".repeat(FEED_BYTES_MAX + 1)),
            "more than 61440 bytes",
        ),
    ] {
        let host = host(published());
        host.services([reply.clone()]);
        let said = why_unreachable(&host);
        assert!(said.contains(why), "{said}");
        // Nor does it spoil a good copy.
        host.services([published()]);
        latest(&host).unwrap();
        pass(&host, 60);
        // Once there is a copy, 304 is the answer that it is still good.
        if !why.ends_with("304") {
            host.services([reply]);
            assert_eq!(newest(&host), ("n-2".to_owned(), true), "{why}");
        }
    }
}

#[test]
fn without_its_store_every_call_asks_and_is_answered() {
    let host = host(published());
    host.kv_unavailable(Some("the disk is full"));
    for _ in 0..2 {
        assert_eq!(newest(&host), ("n-2".to_owned(), false));
    }
    assert_eq!(host.requests().len(), 2);
    let warned = host.messages(Level::Warn).join("\n");
    assert!(warned.contains("the disk is full"), "{warned}");
}

#[test]
fn a_copy_of_another_form_is_fetched_anew() {
    let host = Host::of_plugin(PLUGIN)
        .config("url", URL)
        .kept(COPY_KEY, "{ \"feed\": 1 }")
        .exchange(published())
        .start();
    assert_eq!(newest(&host), ("n-2".to_owned(), false));
    assert!(host.messages(Level::Warn)[0].starts_with("the kept copy of the feed cannot be read"));
}

#[test]
fn a_setting_that_is_no_number_leaves_the_default() {
    let host = Host::of_plugin(PLUGIN)
        .config("url", URL)
        .config("refresh-s", "soon")
        .exchange(published())
        .start();
    latest(&host).unwrap();
    pass(&host, 59);
    latest(&host).unwrap();
    assert_eq!(host.requests().len(), 1);
    assert!(host.messages(Level::Warn)[0].contains("60 s hold"));
}
