//! kill -9 in the middle of a contact: after the restart it goes on where it was.

use city_services::Conduct;
use end_to_end::{CALL_TIME, City, eventually};
use serde_json::json;

use crate::{citizen, in_chinese, setup};

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_that_waits_for_its_caller_goes_on_where_it_was() {
    for store in ["fjall", "sled"] {
        let city = City::open().await;
        let mut server = setup(&city).store(store).start().await;
        let mut caller = citizen(&server, "+8613800138000").await;
        in_chinese(&mut caller).await;
        caller.hears("greet").await;
        caller.hears("topics").await;
        caller.is_asked().await;
        let release = caller.release.clone();

        server = server.kill().start().await;
        caller.reconnect(&server);
        let state = server.contact(&caller.contact).await;
        assert_eq!(
            (state["step"].as_str(), state["state"].as_str()),
            (Some("topics"), Some("hearing")),
            "{state}"
        );
        assert_eq!(state["release"], json!(release));
        caller.gives(json!({ "keys": "1" })).await;
        caller.hears("fund-topics").await;

        // Once more, in a flow that was run, and twice in a row.
        server = server.kill().start().await;
        server = server.kill().start().await;
        caller.reconnect(&server);
        caller.gives(json!({ "keys": "1" })).await;
        caller.hears("fund-balance").await;
        caller.says("是").await;
        caller.presses("2").await;
        assert_eq!(caller.ends().await, "completed");
        // The register was asked once, before the first kill, and its answer is still known:
        // the fund greets by name.
        assert_eq!(city.crm.requests(), 1);
        assert!(caller.turns.iter().any(|turn| {
            turn["text"]
                .as_str()
                .is_some_and(|text| text.starts_with("王芳，您好，下面"))
        }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_was_cut_off_is_asked_again_under_the_same_name() {
    let city = City::open().await;
    let mut server = setup(&city).start().await;
    city.crm.behave(Conduct {
        latency: CALL_TIME,
        ..Conduct::default()
    });
    let mut caller = citizen(&server, "+8613800138000").await;
    in_chinese(&mut caller).await;
    eventually("the register is being asked", async || city.crm.requests() == 1).await;
    assert_eq!(server.contact(&caller.contact).await["state"], "calling");

    let setup = server.kill();
    city.crm.behave(Conduct::default());
    server = setup.start().await;
    caller.reconnect(&server);
    caller.hears("greet").await;
    let by_key = city.crm.requests_by_key();
    assert_eq!(by_key.len(), 1, "one call has one idempotency key: {by_key:?}");
    assert_eq!(by_key.values().sum::<u64>(), 2);
    let events = caller.events(None).await;
    let count = |name: &str| {
        events
            .iter()
            .filter(|event| !event["fact"][name].is_null())
            .count()
    };
    assert_eq!(count("call-answered"), 1, "{events:?}");
    assert_eq!(count("resumed"), 1, "{events:?}");

    // Its answer is recorded now: nothing asks again.
    server = server.kill().start().await;
    caller.reconnect(&server);
    caller.presses("4").await;
    caller.hears("hours").await;
    assert_eq!(city.crm.requests(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_stay_on_a_release_that_is_on_disk_no_more() {
    let city = City::open().await;
    let mut server = setup(&city).start().await;
    let mut caller = end_to_end::Caller::dial(&server, "057100002345").await;
    caller.hears("topics").await;
    caller.is_asked().await;
    let setup = server.kill();
    // Meanwhile the folder got another menu, and lost a plugin's old bytes.
    city.folder.replace(
        "flows/city.yaml",
        "4: { say: k-hours, next: hours }",
        "4: { say: k-hours, next: matter }",
    );
    server = setup.start().await;
    assert_ne!(server.current_release().await, caller.release);
    caller.reconnect(&server);
    caller.gives(json!({ "keys": "4" })).await;
    caller.hears("hours").await;
    let mut next = end_to_end::Caller::dial(&server, "057100002345").await;
    next.presses("4").await;
    next.hears("what-happened").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_told_to_stop_stops_in_order() {
    let city = City::open().await;
    let server = setup(&city).start().await;
    let mut caller = end_to_end::Caller::dial(&server, "12345").await;
    caller.is_asked().await;
    let (setup, status) = server.stop().await;
    assert_eq!(status.code(), Some(0));
    let server = setup.start().await;
    caller.reconnect(&server);
    caller.gives(json!({ "keys": "1" })).await;
    caller.hears("privacy").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_without_its_key_is_not_given_another() {
    let city = City::open().await;
    let server = setup(&city).start().await;
    citizen(&server, "+8613800138000").await;
    let stopped = server.kill();
    let key = stopped.key();
    std::fs::rename(&key, key.with_extension("kept")).expect("the key is beside the store");
    let (status, log) = stopped.start_in_vain().await;
    assert!(!status.success(), "{log}");
    assert!(log.contains("is missing") && log.contains("restore it"), "{log}");
    assert!(!key.exists(), "no key takes its place");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_has_one_server_at_a_time() {
    let city = City::open().await;
    let server = setup(&city).start().await;
    let second = end_to_end::Setup::new(city.folder.path(), city.folder.beside("server"));
    let (status, log) = second.start_in_vain().await;
    assert_eq!(status.code(), Some(4), "{log}");
    assert!(log.contains("in use by another process"), "{log}");
    assert_eq!(server.asked("/health/ready").await.0, 200);
}
