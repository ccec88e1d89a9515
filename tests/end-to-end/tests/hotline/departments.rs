//! What callers notice of a department's service that is down, slow, or of another mind: the
//! way that the flow has for it, and nothing else.

use std::time::Duration;

use city_services::{Conduct, Failure};
use end_to_end::{CALL_TIME, City};

use crate::{citizen, in_chinese, setup};

#[tokio::test(flavor = "multi_thread")]
async fn each_answer_of_the_register_takes_its_own_way() {
    let city = City::open().await;
    let server = setup(&city).start().await;

    let mut shared = citizen(&server, "+8613800138008").await;
    in_chinese(&mut shared).await;
    assert!(shared.hears("shared-number").await.contains('2'));
    shared.is_asked().await;

    let mut unknown = citizen(&server, "+8613999999999").await;
    in_chinese(&mut unknown).await;
    unknown.hears("topics").await;
    assert!(
        unknown.turns.iter().all(|turn| turn["prompt"] != "greet"),
        "{:?}",
        unknown.turns
    );

    let mut elderly = citizen(&server, "+8613800138001").await;
    in_chinese(&mut elderly).await;
    elderly.hears("straight-to-human").await;
    elderly.hears("booked").await;
    assert_eq!(elderly.ends().await, "completed");
    assert_eq!(city.crm.requests(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_register_is_passed_over() {
    let city = City::open().await;
    let server = setup(&city).start().await;
    for failure in [Failure::Status(500), Failure::HangUp, Failure::Garbled] {
        city.crm.behave(Conduct {
            failure: Some(failure),
            ..Conduct::default()
        });
        let mut caller = citizen(&server, "+8613800138000").await;
        in_chinese(&mut caller).await;
        caller.hears("register-away").await;
        caller.hears("topics").await;
        caller.hangs_up().await;
        assert_eq!(caller.ends().await, "abandoned", "{failure:?}");
    }
    city.crm.behave(Conduct::default());
    let mut caller = citizen(&server, "+8613800138000").await;
    in_chinese(&mut caller).await;
    caller.hears("greet").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_register_is_bridged_and_then_given_up() {
    let city = City::open().await;
    let server = setup(&city).start().await;

    // Slower than the filler and faster than the step's time.
    city.crm.behave(Conduct {
        latency: Duration::from_millis(1_000),
        ..Conduct::default()
    });
    let mut patient = citizen(&server, "+8613800138000").await;
    in_chinese(&mut patient).await;
    patient.hears("one-moment").await;
    patient.hears("greet").await;

    // Slower than the step's time: the way of a fault, and not that of the answer that comes later.
    city.crm.behave(Conduct {
        latency: CALL_TIME + Duration::from_secs(12),
        ..Conduct::default()
    });
    let mut caller = citizen(&server, "+8613800138000").await;
    in_chinese(&mut caller).await;
    caller.hears("one-moment").await;
    caller.hears("register-away").await;
    caller.hears("topics").await;
    caller.is_asked().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_is_away_is_asked_again_and_then_leads_to_a_human() {
    let City {
        crm: _crm,
        feed,
        folder,
    } = City::open().await;
    feed.stop().await;
    let setup = end_to_end::Setup::new(folder.path(), folder.beside("server"));
    let server = setup.start().await;
    let mut caller = end_to_end::Caller::dial(&server, "057100002345").await;
    caller.hears("topics").await;
    caller.presses("2").await;
    caller.presses("3").await;
    caller.says("newest").await;
    caller.hears("feed-away").await;
    let state = server.contact(&caller.contact).await;
    assert_eq!(state["flow"], "city", "{state}");
    caller.hears("feed-down").await;
    assert_eq!(caller.ends().await, "unserved");
}
