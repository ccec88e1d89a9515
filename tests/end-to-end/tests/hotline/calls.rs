//! Contacts from the welcome to the end.

use end_to_end::{Caller, City};
use serde_json::json;

use crate::{citizen, in_chinese, setup};

#[tokio::test(flavor = "multi_thread")]
async fn an_angry_citizen_is_greeted_by_name_and_rung_back() {
    let city = City::open().await;
    let server = setup(&city).start().await;
    let mut caller = citizen(&server, "+8613800138000").await;
    assert!(caller.hears("welcome").await.contains("您好"));
    caller.presses("1").await;
    caller.hears("privacy").await;
    assert_eq!(caller.hears("greet").await, "王芳，您好。");
    caller.presses("3").await;
    caller.hears("what-happened").await;
    caller.says("你们太过分了，踢皮球踢了三个月，我非常愤怒！").await;
    caller.hears("sorry-for-that").await;
    // No agent is signed in.
    assert!(caller.hears("booked").await.contains("三十分钟"));
    assert_eq!(caller.ends().await, "completed");
    assert_eq!(city.crm.requests(), 1);
    let state = server.contact(&caller.contact).await;
    assert_eq!(state["state"], "ended");
    assert_eq!(state["outcome"], "completed");
}

#[tokio::test(flavor = "multi_thread")]
async fn words_choose_in_the_menu_and_a_district_hears_its_notice() {
    let city = City::open().await;
    let server = setup(&city).start().await;
    let mut caller = Caller::dial(&server, "12345").await;
    caller.hears("welcome").await;
    caller.says("普通话").await;
    caller.hears("topics").await;
    caller.says("我想问问疫苗的事").await;
    caller.hears("which-district").await;
    caller.says("西湖区").await;
    caller.hears("what-to-know").await;
    caller.says("流感疫苗").await;
    let notice = caller.hears("tell").await;
    assert!(notice.contains("西湖") && notice.contains("流感"), "{notice}");
    caller.hears("anything-else").await;
    caller.presses("2").await;
    caller.hears("goodbye").await;
    assert_eq!(caller.ends().await, "completed");
    assert_eq!(city.crm.requests(), 0, "nobody vouched for the number");
    assert!(city.feed.requests() > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_calm_caller_is_rung_back_or_hears_that_the_office_is_closed() {
    let city = City::open().await;
    let server = setup(&city).start().await;
    let mut caller = citizen(&server, "+8613800138000").await;
    in_chinese(&mut caller).await;
    caller.presses("3").await;
    caller.says("请问路灯坏了找谁修？").await;
    // Which of the two depends on the time of day, and on nothing else.
    let turn = caller
        .notices("booked or after-hours", |turn| {
            turn["prompt"] == "booked" || turn["prompt"] == "after-hours"
        })
        .await;
    if turn["prompt"] == "after-hours" {
        caller.presses("1").await;
        caller.hears("booked").await;
    }
    assert_eq!(caller.ends().await, "completed");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_english_line_speaks_english_and_runs_the_housing_fund() {
    let city = City::open().await;
    let server = setup(&city).start().await;
    let mut caller = Caller::dial(&server, "057100002345").await;
    assert!(caller.hears("welcome").await.contains("Welcome"));
    caller.hears("topics").await;
    caller.says("I have a question on the housing fund").await;
    caller.hears("fund-topics").await;
    caller.presses("3").await;
    caller.hears("fund-loan").await;
    caller.hears("did-it-help").await;
    caller.says("yes").await;
    caller.hears("anything-else").await;
    caller.says("no thanks").await;
    assert_eq!(caller.ends().await, "completed");
    assert!(
        caller
            .turns
            .iter()
            .all(|turn| turn["type"] != "say" || turn["language"] == "en")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_for_a_language_and_the_human_key_hold_at_once() {
    let city = City::open().await;
    let server = setup(&city).start().await;
    let request = json!({ "channel": "chat", "number": "12345", "language": "en-GB" });
    let mut caller = Caller::begin(&server, None, request).await;
    assert!(caller.hears("privacy").await.contains("look up"));
    caller.presses("9").await;
    caller
        .notices("desk or duty-line", |turn| {
            turn["prompt"] == "desk" || turn["prompt"] == "duty-line"
        })
        .await;
    assert_eq!(caller.ends().await, "unserved");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_may_leave_at_any_time() {
    let city = City::open().await;
    let server = setup(&city).start().await;
    let mut caller = Caller::dial(&server, "12345").await;
    caller.hears("welcome").await;
    caller.hangs_up().await;
    assert_eq!(caller.ends().await, "abandoned");
    assert_eq!(server.contact(&caller.contact).await["outcome"], "abandoned");
}
