//! Feeds and webhooks as cities meet them: what is new is told once, to each, at its time, whatever
//! stops the node.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use async_trait::async_trait;
use serde_json::{Value as Json, json};
use trunkline_engine::Fact;
use trunkline_flow::start::StartsOn;
use trunkline_journal::{
    Append, Blobs, Entry, Error, Events, Expect, Frame, Journal, KeyValues, Kind as StoreKind, MasterKey,
    Memory, Put, Store, StreamHead, Streams, Usage, Version,
};
use trunkline_model::{ContactId, Digest, Duration, Timestamp};
use trunkline_plugin::{SecretTable, SecretValue, Secrets};

use super::{hook::HookError, view::FeedView};
use crate::{
    Clock, Node, Settings,
    contacts::{StateFilter, Summary},
    limits::{AFFECTED_TRIES_MAX, SEEN_PER_SOURCE_MAX},
    signature::sign,
    testing::{Hotline, NOON, eventually},
};

pub(crate) const KEY: &[u8] = b"a key of some length";

/// The server's secrets in tests.
pub(crate) fn secrets() -> Option<Arc<dyn Secrets>> {
    let mut table = SecretTable::default();
    table.insert(
        "sensor-key".parse().unwrap(),
        SecretValue::new(KEY.to_vec()).unwrap(),
    );
    Some(Arc::new(table))
}

/// A component with `changes: func() -> list<string>` and `affected: func(change: string) ->
/// list<string>`, which give these.
pub(crate) fn works(changes: &[&str], people: &[&str]) -> Vec<u8> {
    const BASE: usize = 1_024;
    let mut data: Vec<u8> = Vec::new();
    let mut list = |texts: &[&str]| {
        let mut places = Vec::new();
        for text in texts {
            places.push((BASE + data.len(), text.len()));
            data.extend(text.as_bytes());
        }
        data.resize(data.len().next_multiple_of(4), 0);
        let elements = BASE + data.len();
        for (at, length) in &places {
            data.extend(u32::try_from(*at).unwrap().to_le_bytes());
            data.extend(u32::try_from(*length).unwrap().to_le_bytes());
        }
        let result = BASE + data.len();
        data.extend(u32::try_from(elements).unwrap().to_le_bytes());
        data.extend(u32::try_from(texts.len()).unwrap().to_le_bytes());
        result
    };
    let (changes, affected) = (list(changes), list(people));
    let mut bytes = String::new();
    for byte in &data {
        write!(bytes, "\\{byte:02x}").unwrap();
    }
    component(&format!("i32.const {changes}"), affected, &bytes)
}

/// One whose changes cannot be asked for.
fn broken_works() -> Vec<u8> {
    component("unreachable", 0, "")
}

fn component(changes: &str, affected: usize, data: &str) -> Vec<u8> {
    wat::parse_str(format!(
        "(component
           (core module $m
             (memory (export \"memory\") 1)
             (global $next (mut i32) (i32.const 32768))
             (func (export \"realloc\") (param i32 i32 i32 i32) (result i32) (local $at i32)
               (local.set $at (global.get $next))
               (global.set $next
                 (i32.and (i32.add (i32.add (global.get $next) (local.get 3)) (i32.const 7)) (i32.const -8)))
               (local.get $at))
             (func (export \"changes\") (result i32) {changes})
             (func (export \"affected\") (param i32 i32) (result i32) i32.const {affected})
             (data (i32.const 1024) \"{data}\"))
           (core instance $i (instantiate $m))
           (func (export \"changes\") (result (list string))
             (canon lift (core func $i \"changes\") (memory $i \"memory\")))
           (func (export \"affected\") (param \"change\" string) (result (list string))
             (canon lift (core func $i \"affected\") (memory $i \"memory\")
               (realloc (func $i \"realloc\")))))"
    ))
    .unwrap()
}

/// A hotline with a feed that says so of itself, and a webhook.
pub(crate) fn hotline(feed: &str, component: &[u8]) -> Hotline {
    let hotline = Hotline::new();
    hotline.write("plugins/works.wasm", component);
    let settings = hotline.read("hotline.yaml");
    hotline.write(
        "hotline.yaml",
        format!(
            "{settings}plugins:\n  works: {{ component: plugins/works.wasm, department: roads }}\n\
             feeds:\n  works: {{ call: works.changes, every: 1m, jitter: 1ms, {feed} }}\n\
             webhooks:\n  sensor: {{ secret: sensor-key, key: id, to: phone, rate: 1000 per second }}\n  \
             unset: {{ secret: other-key }}\n"
        ),
    );
    for (flow, on, inputs, text) in [
        ("tell", "feed.works", "{ change: string }", "{change}"),
        (
            "alarm",
            "webhook.sensor",
            "{ id: string, level: int?, phone: phone? }",
            "{id}",
        ),
        ("never", "webhook.unset", "{ id: string }", "{id}"),
    ] {
        hotline.write(
            &format!("flows/{flow}.yaml"),
            format!(
                "flow: {flow}\nstarts-on: {on}\ninputs: {inputs}\nstart: tell\nsteps:\n  \
                 tell: {{ notify: {{ say: {{ en: '{text}', zh-CN: '{text}' }} }}, on: {{ failed: untold }}, next: done }}\n  \
                 untold: {{ end: untold }}\n  done: {{ end: completed }}\n"
            ),
        );
    }
    hotline.write(
        "calendars/day.yaml",
        "calendar: day\nopen: { monday: [\"08:00-20:00\"], tuesday: [\"08:00-20:00\"], wednesday: [\"08:00-20:00\"], \
         thursday: [\"08:00-20:00\"], friday: [\"08:00-20:00\"], saturday: [\"08:00-20:00\"], sunday: [\"08:00-20:00\"] }\n",
    );
    hotline
}

fn journal(store: Arc<dyn Store>) -> Journal {
    Journal::new(store, MasterKey::from_bytes(&[3; 32]))
}

pub(crate) async fn start(hotline: &Hotline, clock: &Clock) -> Node {
    start_on(hotline, Arc::new(Memory::new()), clock).await.unwrap()
}

async fn start_on(
    hotline: &Hotline,
    store: Arc<dyn Store>,
    clock: &Clock,
) -> Result<Node, crate::StartError> {
    let settings = Settings {
        secrets: secrets(),
        ..hotline.settings(clock)
    };
    Node::start_on(settings, journal(store)).await
}

async fn contacts(node: &Node) -> Vec<Summary> {
    let page = node.contacts().page(StateFilter::All, None, 1_000).await.unwrap();
    page.contacts
}

/// Whom each contact was about, and what it told them.
async fn told(node: &Node) -> Vec<(Option<String>, String, String)> {
    let mut told = Vec::new();
    for summary in contacts(node).await {
        let (events, _) = node.contacts().events(&summary.contact, 0, 1_000).await.unwrap();
        let arrived = events
            .iter()
            .filter(|(_, event)| matches!(event.fact, Fact::Arrived { .. }))
            .count();
        let sent = events
            .iter()
            .filter(|(_, event)| matches!(&event.fact, Fact::StepFinished { step, exit } if step.as_str() == "tell" && &**exit == "next"))
            .count();
        assert!(arrived == 1 && sent <= 1, "{events:#?}");
        let session = node.session(&summary.contact).await.unwrap();
        let frame = session.frames.first().unwrap();
        let given = frame
            .variables
            .get("change")
            .or(frame.variables.get("id"))
            .unwrap();
        let outcome = match &session.state {
            trunkline_engine::session::State::Ended { outcome, .. } => outcome.to_string(),
            _ => String::new(),
        };
        let person = session.caller.as_deref().map(str::to_owned);
        told.push((person, given.as_text().unwrap().to_owned(), outcome));
    }
    told.sort();
    told
}

fn feed(node: &Node) -> FeedView {
    node.feeds().overview().0.into_iter().next().unwrap()
}

/// Lets time pass in small steps until something holds.
async fn pass_until(clock: &Clock, step: Duration, what: &str, mut holds: impl AsyncFnMut() -> bool) {
    eventually(what, async || {
        clock.advance(step);
        holds().await
    })
    .await;
}

const MOMENT: Duration = Duration::from_millis(2);

#[tokio::test]
async fn what_is_new_is_told_once_to_each_whom_it_concerns() {
    let people = ["+8613800138000", "+8613800138001", "nobody", "+8613800138000"];
    let hotline = hotline(
        "to: works.affected, rate: 1000 per second",
        &works(&["a", "b"], &people),
    );
    let clock = Clock::still(NOON);
    let node = start(&hotline, &clock).await;
    pass_until(&clock, MOMENT, "four contacts", async || {
        feed(&node).starts.started == 4
    })
    .await;
    pass_until(&clock, MOMENT, "all told", async || {
        told(&node)
            .await
            .iter()
            .all(|(_, _, outcome)| outcome == "completed")
    })
    .await;
    let expected =
        |person: &str, change: &str| (Some(person.to_owned()), change.to_owned(), "completed".to_owned());
    let all = [
        expected(people[0], "a"),
        expected(people[0], "b"),
        expected(people[1], "a"),
        expected(people[1], "b"),
    ];
    assert_eq!(told(&node).await, all);
    let summaries = contacts(&node).await;
    assert!(summaries.iter().all(|summary| &*summary.number == "feed.works"));
    let seen = feed(&node);
    // Once for each change: it lists somebody who is nobody.
    assert_eq!((seen.starts.waiting, seen.starts.failed), (0, 2));
    let last = seen.last.unwrap();
    assert_eq!((last.number, last.listed, last.new), (1, 2, 2));
    assert_eq!(last.outcome.as_deref(), Some("ok"));
    clock.advance(Duration::from_secs(61));
    eventually("another run", async || {
        feed(&node)
            .last
            .is_some_and(|last| last.number == 2 && last.ended.is_some())
    })
    .await;
    assert_eq!(feed(&node).last.unwrap().new, 0);
    // What is new is found among what is known.
    node.shutdown().await;
}

#[tokio::test]
async fn a_change_without_people_is_one_contact_with_nobody() {
    let hotline = hotline("rate: 1000 per second", &works(&["a"], &[]));
    let clock = Clock::still(NOON);
    let node = start(&hotline, &clock).await;
    pass_until(&clock, MOMENT, "a contact", async || {
        told(&node)
            .await
            .iter()
            .any(|(_, _, outcome)| outcome == "untold")
    })
    .await;
    assert_eq!(told(&node).await, [(None, "a".to_owned(), "untold".to_owned())]);
}

#[tokio::test]
async fn contacts_start_at_their_rate() {
    let hotline = hotline("rate: 1 per minute", &works(&["a", "b"], &[]));
    let clock = Clock::still(NOON);
    let node = start(&hotline, &clock).await;
    eventually("the first", async || feed(&node).starts.started == 1).await;
    clock.advance(Duration::from_secs(59));
    for _ in 0..20 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        assert_eq!(feed(&node).starts.started, 1);
    }
    assert_eq!(feed(&node).starts.waiting, 1);
    clock.advance(Duration::from_secs(1));
    eventually("the second", async || feed(&node).starts.started == 2).await;
}

/// A node that drains starts nothing, and what waits is started when new contacts are taken again.
#[tokio::test]
async fn a_node_that_drains_starts_nothing_and_loses_nothing() {
    let hotline = hotline("rate: 1 per minute", &works(&["a", "b"], &[]));
    let clock = Clock::still(NOON);
    let node = start(&hotline, &clock).await;
    eventually("the first", async || feed(&node).starts.started == 1).await;
    node.contacts().drain(true);
    clock.advance(Duration::from_secs(61));
    for _ in 0..20 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        assert_eq!(feed(&node).starts.started, 1);
    }
    assert_eq!((feed(&node).starts.waiting, feed(&node).starts.failed), (1, 0));
    node.contacts().drain(false);
    pass_until(&clock, Duration::from_millis(500), "the second", async || {
        feed(&node).starts.started == 2
    })
    .await;
}

#[tokio::test]
async fn outside_the_window_starts_wait_and_so_many_only() {
    // It is five past eight in the evening.
    let hotline = hotline(
        "rate: 1000 per second, window: day, max-waiting: 2",
        &works(&["a", "b", "c"], &[]),
    );
    let clock = Clock::still(NOON);
    let store = Arc::new(Memory::new());
    let node = start_on(&hotline, store.clone(), &clock).await.unwrap();
    eventually("a run", async || {
        feed(&node).last.is_some_and(|last| last.ended.is_some())
    })
    .await;
    assert_eq!((feed(&node).starts.waiting, feed(&node).starts.started), (2, 0));
    assert_eq!(feed(&node).last.unwrap().new, 2);
    node.shutdown().await;
    drop(node);
    // What waits outlives the node.
    let node = start_on(&hotline, store, &clock).await.unwrap();
    assert_eq!((feed(&node).starts.waiting, feed(&node).starts.started), (2, 0));
    // At eight in the morning those two, and by the next run the one that was over.
    clock.advance(Duration::from_secs(12 * 3_600));
    pass_until(&clock, Duration::from_secs(10), "all three", async || {
        feed(&node).starts.started == 3
    })
    .await;
    let changes: Vec<String> = told(&node)
        .await
        .into_iter()
        .map(|(_, change, _)| change)
        .collect();
    assert_eq!(changes, ["a", "b", "c"]);
}

#[tokio::test]
async fn a_feed_that_fails_is_tried_again_and_may_be_asked_at_once() {
    let hotline = hotline("rate: 1 per second", &broken_works());
    let clock = Clock::still(NOON);
    let node = start(&hotline, &clock).await;
    let ran = |number: u64| {
        let node = node.clone();
        async move {
            eventually("a run", async || {
                feed(&node)
                    .last
                    .is_some_and(|last| last.number == number && last.ended.is_some())
            })
            .await;
            feed(&node).last.unwrap()
        }
    };
    let first = ran(1).await;
    assert_eq!(
        (first.outcome.as_deref(), first.failures),
        (Some("fault.trap"), 1)
    );
    assert!(first.message.is_some());
    assert_eq!(feed(&node).next, Some(NOON + Duration::from_secs(10)));
    clock.advance(Duration::from_secs(10));
    assert_eq!(ran(2).await.failures, 2);
    assert!(node.feeds().ask_now("works") && !node.feeds().ask_now("others"));
    assert_eq!(ran(3).await.failures, 3);
}

#[tokio::test]
async fn runs_are_no_closer_than_every_whatever_restarts() {
    let hotline = hotline("rate: 1 per second", &works(&["a"], &[]));
    let clock = Clock::still(NOON);
    let store = Arc::new(Memory::new());
    let mut began = BTreeSet::new();
    for _ in 0..12 {
        let node = start_on(&hotline, store.clone(), &clock).await.unwrap();
        eventually("a run is over", async || {
            feed(&node).last.is_some_and(|last| last.ended.is_some())
        })
        .await;
        // Time for a run that ought not to come.
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        began.insert(feed(&node).last.unwrap().began);
        node.shutdown().await;
        drop(node);
        clock.advance(Duration::from_secs(25));
    }
    let began: Vec<Timestamp> = began.into_iter().collect();
    assert!(began.len() >= 4, "{began:?}");
    for pair in began.windows(2) {
        assert!(pair[1].since(pair[0]) >= Duration::from_secs(60), "{began:?}");
    }
}

async fn send(node: &Node, name: &str, body: &Json) -> Result<bool, HookError> {
    let body = body.to_string();
    let signature = sign(KEY, body.as_bytes(), node.clock().now());
    let accepted = node.feeds().accept(name, Some(&signature), body.as_bytes()).await;
    accepted.map(|accepted| accepted.again)
}

#[tokio::test]
async fn an_event_starts_its_flow_once() {
    let hotline = hotline("rate: 1 per second", &works(&[], &[]));
    let clock = Clock::still(NOON);
    let node = start(&hotline, &clock).await;
    let event = json!({ "id": "s-1", "level": 3, "phone": "+8613800138000" });
    assert!(!send(&node, "sensor", &event).await.unwrap());
    // By its key it is the same, whatever else it says, and however long ago it was done with.
    let other = json!({ "id": "s-1", "phone": "+8613800138001" });
    assert!(send(&node, "sensor", &other).await.unwrap());
    pass_until(&clock, MOMENT, "it is told", async || {
        told(&node)
            .await
            .iter()
            .any(|(_, _, outcome)| outcome == "completed")
    })
    .await;
    clock.advance(Duration::from_secs(3_600));
    assert!(send(&node, "sensor", &event).await.unwrap());
    assert_eq!(told(&node).await.len(), 1);
    for (name, event, why) in [
        ("sensor", json!({ "level": 3 }), "`id` is missing"),
        ("sensor", json!({ "id": 7 }), "`id`"),
        ("sensor", json!({ "id": "x", "levle": 3 }), "\"levle\""),
        ("sensor", json!({ "id": "x", "phone": "13800138000" }), "`phone`"),
        // An event that tells nobody is no event.
        ("sensor", json!({ "id": "x" }), "`phone` holds nobody"),
        ("sensor", json!([1]), "JSON object"),
        ("unset", json!({ "id": "x" }), "no value of the webhook's secret"),
        ("senso", json!({ "id": "x" }), "no webhook \"senso\""),
    ] {
        let error = send(&node, name, &event).await.unwrap_err().to_string();
        assert!(error.contains(why), "{event}: {error}");
    }
    let unsigned = node.feeds().accept("sensor", None, b"{}").await;
    assert!(matches!(unsigned, Err(HookError::Unsigned)));
    // Twenty at once are one.
    let event = json!({ "id": "s-2", "phone": "+8613800138000" });
    let sending = (0..20).map(|_| send(&node, "sensor", &event));
    let sent = futures::future::join_all(sending).await;
    let new = sent.into_iter().filter(|sent| matches!(sent, Ok(false))).count();
    assert_eq!(new, 1);
}

/// A feed has been read again, or asked so often.
async fn runs(node: &Node, number: u64) {
    eventually("a run is over", async || {
        feed(node)
            .last
            .is_some_and(|last| last.number >= number && last.ended.is_some())
    })
    .await;
}

#[tokio::test]
async fn a_memory_that_is_full_stops_its_own_source_only() {
    let hotline = hotline("rate: 1000 per second", &works(&["a"], &[]));
    let clock = Clock::still(NOON);
    let node = start(&hotline, &clock).await;
    let sensor = StartsOn::Webhook("sensor".into());
    let works = StartsOn::Feed("works".into());
    let remembers = |on: &StartsOn, count: u64| node.feeds().with(on, |source| source.remembered = count);
    let event = |id: &str| json!({ "id": id, "phone": "+8613800138000" });
    assert!(!send(&node, "sensor", &event("s-1")).await.unwrap());
    let mut tries = 0;
    eventually("it is full", async || {
        // A sweep may count again what is remembered.
        remembers(&sensor, SEEN_PER_SOURCE_MAX);
        tries += 1;
        let sent = send(&node, "sensor", &event(&format!("t-{tries}"))).await;
        matches!(sent, Err(HookError::Full))
    })
    .await;
    // What is known is answered as before.
    assert!(send(&node, "sensor", &event("s-1")).await.unwrap());
    pass_until(&clock, MOMENT, "the feed goes on", async || {
        feed(&node).starts.started == 1
    })
    .await;
    remembers(&works, SEEN_PER_SOURCE_MAX);
    remembers(&sensor, 0);
    assert!(!send(&node, "sensor", &event("s-2")).await.unwrap());
}

#[tokio::test]
async fn a_clock_that_jumps_makes_nothing_new_that_is_still_listed() {
    let hotline = hotline("rate: 1000 per second", &works(&["a"], &[]));
    let clock = Clock::still(NOON);
    let node = start(&hotline, &clock).await;
    pass_until(&clock, MOMENT, "it is told", async || {
        feed(&node).starts.started == 1
    })
    .await;
    for run in 2..=4 {
        clock.advance(Duration::from_secs(100 * 86_400));
        // Before it is read again, and after.
        node.feeds().sweep().await;
        runs(&node, run).await;
        assert_eq!(feed(&node).last.unwrap().new, 0);
        node.feeds().sweep().await;
        assert_eq!(feed(&node).starts.remembered, 1);
    }
    assert_eq!(contacts(&node).await.len(), 1);
}

#[tokio::test]
async fn what_is_listed_no_longer_is_forgotten() {
    let hotline = hotline("rate: 1000 per second", &works(&["a"], &[]));
    let clock = Clock::still(NOON);
    let store = Arc::new(Memory::new());
    for (day, listed, remembered) in [(0, "a", 1), (1, "b", 2), (91, "b", 1), (92, "a", 2)] {
        hotline.write("plugins/works.wasm", works(&[listed], &[]));
        clock.advance((NOON + Duration::from_secs(day * 86_400)).since(clock.now()));
        let node = start_on(&hotline, store.clone(), &clock).await.unwrap();
        // The first run of a day may have been cut short by its end.
        let run = feed(&node).last.map_or(1, |last| last.number + 1);
        pass_until(&clock, MOMENT, "nothing waits", async || {
            let feed = feed(&node);
            feed.last
                .is_some_and(|last| last.number >= run && last.ended.is_some())
                && feed.starts.waiting == 0
        })
        .await;
        node.feeds().sweep().await;
        assert_eq!(feed(&node).starts.remembered, remembered, "on day {day}");
        node.shutdown().await;
    }
}

#[tokio::test]
async fn changes_that_concern_nobody_take_their_turns() {
    let hotline = hotline("to: works.affected, rate: 1 per minute", &works(&["a", "b"], &[]));
    let clock = Clock::still(NOON);
    let node = start(&hotline, &clock).await;
    eventually("the first is done with", async || {
        feed(&node).last.is_some_and(|last| last.new == 2) && feed(&node).starts.waiting == 1
    })
    .await;
    clock.advance(Duration::from_secs(59));
    for _ in 0..20 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        assert_eq!(feed(&node).starts.waiting, 1);
    }
    clock.advance(Duration::from_secs(1));
    eventually("the second is done with", async || {
        feed(&node).starts.waiting == 0
    })
    .await;
    assert_eq!(feed(&node).starts.started, 0);
}

#[tokio::test]
async fn a_change_that_is_too_large_keeps_no_other_from_being_told() {
    // Each of its characters takes six bytes as JSON.
    let large = "\u{1}".repeat(12_000);
    let hotline = hotline("rate: 1000 per second", &works(&[&large, "b"], &[]));
    let clock = Clock::still(NOON);
    let node = start(&hotline, &clock).await;
    for run in 1..=2 {
        pass_until(&clock, MOMENT, "the other is told", async || {
            feed(&node).starts.started == 1 && feed(&node).starts.waiting == 0
        })
        .await;
        runs(&node, run).await;
        // It is counted once, however often it is listed.
        assert_eq!(feed(&node).starts.failed, 1);
        clock.advance(Duration::from_secs(61));
    }
    runs(&node, 3).await;
    assert_eq!((feed(&node).starts.started, feed(&node).starts.failed), (1, 1));
}

#[tokio::test]
async fn a_clock_that_is_set_back_stops_nothing() {
    let hotline = hotline("rate: 1 per minute", &works(&["a", "b"], &[]));
    let store = Arc::new(Memory::new());
    let ahead = Clock::still(NOON + Duration::from_secs(30 * 86_400));
    let node = start_on(&hotline, store.clone(), &ahead).await.unwrap();
    eventually("the first is told", async || feed(&node).starts.started == 1).await;
    runs(&node, 1).await;
    node.shutdown().await;
    drop(node);
    let node = start_on(&hotline, store, &Clock::still(NOON)).await.unwrap();
    eventually("the second is told", async || feed(&node).starts.started == 2).await;
    runs(&node, 2).await;
}

#[tokio::test]
async fn what_operators_have_to_mend_is_waited_for() {
    let people: Vec<String> = (0..1_400).map(|number| format!("+8613800{number:06}")).collect();
    let people: Vec<&str> = people.iter().map(String::as_str).collect();
    let hotline = hotline(
        "to: works.affected, rate: 1000 per second",
        &works(&["a"], &people),
    );
    hotline.write("grants.yaml", "works: { limits: { reply-bytes: 64KiB } }\n");
    let clock = Clock::still(NOON);
    let store = Arc::new(Memory::new());
    let node = start_on(&hotline, store.clone(), &clock).await.unwrap();
    let on = StartsOn::Feed("works".into());
    for tries in 1..AFFECTED_TRIES_MAX + 5 {
        eventually("it was asked in vain", async || {
            let far = clock.now() + Duration::from_secs(3_600);
            let entry = node.feeds().with(&on, |source| source.outbox.next(None, far));
            entry.is_some_and(|entry| entry.tries == tries)
        })
        .await;
        clock.advance(Duration::from_secs(601));
    }
    let starts = feed(&node).starts;
    assert_eq!((starts.waiting, starts.failed), (1, 0));
    let message = starts.message.unwrap();
    assert!(message.contains("whom a change concerns"), "{message}");
    node.shutdown().await;
    drop(node);
    hotline.write("grants.yaml", "works: { limits: { reply-bytes: 1MiB } }\n");
    let node = start_on(&hotline, store, &clock).await.unwrap();
    pass_until(&clock, MOMENT, "they are told", async || {
        feed(&node).starts.started > 10
    })
    .await;
    assert_eq!(feed(&node).starts.message, None);
}

#[tokio::test]
async fn what_waits_for_a_feed_that_is_gone_can_be_let_go_of() {
    // It is five past eight in the evening.
    let hotline = hotline("rate: 1000 per second, window: day", &works(&["a", "b"], &[]));
    let clock = Clock::still(NOON);
    let store = Arc::new(Memory::new());
    let node = start_on(&hotline, store.clone(), &clock).await.unwrap();
    runs(&node, 1).await;
    node.shutdown().await;
    drop(node);
    let (settings, flow) = (hotline.read("hotline.yaml"), hotline.read("flows/tell.yaml"));
    hotline.write(
        "hotline.yaml",
        settings.replace("  works: { call", "  other: { call"),
    );
    hotline.write("flows/tell.yaml", flow.replace("feed.works", "feed.other"));
    let gone = |node: &Node| {
        let mut feeds = node.feeds().overview().0.into_iter();
        feeds.find(|feed| &*feed.name == "works").unwrap()
    };
    let on = StartsOn::Feed("works".into());
    let node = start_on(&hotline, store.clone(), &clock).await.unwrap();
    assert_eq!((gone(&node).declared, gone(&node).starts.waiting), (false, 2));
    assert_eq!(node.feeds().drop_waiting(&on).await.unwrap(), Some(2));
    assert_eq!((gone(&node).starts.waiting, gone(&node).starts.failed), (0, 2));
    let unknown = StartsOn::Feed("wroks".into());
    assert_eq!(node.feeds().drop_waiting(&unknown).await.unwrap(), None);
    node.shutdown().await;
    drop(node);
    // When it comes back nothing waits, and what was let go of is not new.
    hotline.write("hotline.yaml", settings);
    hotline.write("flows/tell.yaml", flow);
    clock.advance(Duration::from_secs(3_600));
    let node = start_on(&hotline, store, &clock).await.unwrap();
    runs(&node, 2).await;
    assert_eq!(
        (gone(&node).starts.waiting, gone(&node).last.unwrap().new),
        (0, 0)
    );
}

#[tokio::test]
async fn what_waits_for_a_feed_that_is_gone_is_given_up_in_the_end() {
    let hotline = hotline("rate: 1000 per second, window: day", &works(&["a"], &[]));
    let clock = Clock::still(NOON);
    let store = Arc::new(Memory::new());
    let node = start_on(&hotline, store.clone(), &clock).await.unwrap();
    runs(&node, 1).await;
    node.shutdown().await;
    drop(node);
    let settings = hotline.read("hotline.yaml");
    hotline.write(
        "hotline.yaml",
        settings.replace("  works: { call", "  other: { call"),
    );
    let flow = hotline.read("flows/tell.yaml");
    hotline.write("flows/tell.yaml", flow.replace("feed.works", "feed.other"));
    let node = start_on(&hotline, store, &clock).await.unwrap();
    let waiting = || {
        let feeds = node.feeds().overview().0;
        let gone = feeds.iter().find(|feed| &*feed.name == "works").unwrap();
        (gone.starts.waiting, gone.starts.failed)
    };
    clock.advance(Duration::from_secs(89 * 86_400));
    node.feeds().sweep().await;
    assert_eq!(waiting(), (1, 0));
    clock.advance(Duration::from_secs(2 * 86_400));
    node.feeds().sweep().await;
    assert_eq!(waiting(), (0, 1));
}

/// Writes over an entry of a store.
async fn overwrite(store: &Memory, space: &str, key: &str, value: &str) {
    let put = Put {
        space,
        key,
        value: value.into(),
        expect: Expect::Any,
        expires: None,
        at: NOON,
    };
    store.put(put).await.unwrap();
}

#[tokio::test]
async fn records_that_cannot_be_read_stop_nothing_else() {
    let hotline = hotline("rate: 1000 per second", &works(&["a"], &[]));
    let clock = Clock::still(NOON);
    let store = Arc::new(Memory::new());
    let waiting = format!("feed.works/{}", Digest::of(b"x"));
    for (space, key) in [
        ("node.feeds", "feed.works"),
        ("node.starts", "feed.works"),
        ("node.waiting", &waiting),
    ] {
        overwrite(&store, space, key, "damaged").await;
    }
    let newer = "{\"version\":2,\"number\":7}";
    overwrite(&store, "node.feeds", "feed.others", newer).await;
    let node = start_on(&hotline, store, &clock).await.unwrap();
    pass_until(&clock, MOMENT, "it is told", async || {
        feed(&node).starts.started == 1
    })
    .await;
    assert_eq!(node.feeds().overview().0.len(), 1);
}

#[tokio::test]
async fn a_change_that_is_damaged_is_given_up_alone() {
    // It is five past eight in the evening.
    let hotline = hotline("rate: 1000 per second, window: day", &works(&["a", "b"], &[]));
    let clock = Clock::still(NOON);
    let store = Arc::new(Memory::new());
    let node = start_on(&hotline, store.clone(), &clock).await.unwrap();
    runs(&node, 1).await;
    assert_eq!(feed(&node).starts.waiting, 2);
    node.shutdown().await;
    drop(node);
    let listed = store.list("node.waiting", "", None, 10, NOON).await.unwrap();
    let (key, entry) = &listed[0];
    let mut record: Json = serde_json::from_slice(&entry.value).unwrap();
    record["sealed"] = json!("AAAA");
    overwrite(&store, "node.waiting", key, &record.to_string()).await;
    let node = start_on(&hotline, store, &clock).await.unwrap();
    assert_eq!(feed(&node).starts.waiting, 2);
    clock.advance(Duration::from_secs(12 * 3_600));
    pass_until(&clock, MOMENT, "nothing waits", async || {
        feed(&node).starts.waiting == 0
    })
    .await;
    assert_eq!((feed(&node).starts.started, feed(&node).starts.failed), (1, 1));
}

/// A store in memory that outlives its nodes, and takes so many writes of this one. The last may land
/// although nobody learns of it.
struct Mortal {
    memory: Arc<Memory>,
    left: AtomicI64,
    last_lands: bool,
}

impl Mortal {
    /// Whether a write lands, and whether it is answered.
    fn write(&self) -> (bool, bool) {
        let left = self.left.fetch_sub(1, Ordering::AcqRel);
        (left > 0 || (left == 0 && self.last_lands), left > 0)
    }

    fn is_dead(&self) -> bool {
        self.left.load(Ordering::Acquire) < 0
    }

    fn gone<T>() -> Result<T, Error> {
        Err(Error::Unavailable {
            cause: "the node is dead".into(),
        })
    }
}

impl Store for Mortal {
    fn kind(&self) -> StoreKind {
        StoreKind::Memory
    }
}

#[async_trait]
impl Events for Mortal {
    async fn append(&self, append: Append<'_>) -> Result<Version, Error> {
        let (lands, answered) = self.write();
        let landed = if lands {
            self.memory.append(append).await
        } else {
            Self::gone()
        };
        if answered { landed } else { Self::gone() }
    }

    async fn head(&self, stream: &ContactId) -> Result<Option<StreamHead>, Error> {
        self.memory.head(stream).await
    }

    async fn read(&self, stream: &ContactId, after: Version, limit: usize) -> Result<Vec<Frame>, Error> {
        self.memory.read(stream, after, limit).await
    }

    async fn streams(
        &self,
        which: Streams,
        after: Option<&ContactId>,
        limit: usize,
    ) -> Result<Vec<ContactId>, Error> {
        self.memory.streams(which, after, limit).await
    }

    async fn erase_key(&self, stream: &ContactId) -> Result<bool, Error> {
        self.memory.erase_key(stream).await
    }

    async fn delete_stream(&self, stream: &ContactId) -> Result<bool, Error> {
        self.memory.delete_stream(stream).await
    }
}

#[async_trait]
impl KeyValues for Mortal {
    async fn get(&self, space: &str, key: &str, at: Timestamp) -> Result<Option<Entry>, Error> {
        self.memory.get(space, key, at).await
    }

    async fn put(&self, put: Put<'_>) -> Result<Version, Error> {
        let (lands, answered) = self.write();
        let landed = if lands {
            self.memory.put(put).await
        } else {
            Self::gone()
        };
        if answered { landed } else { Self::gone() }
    }

    async fn remove(&self, space: &str, key: &str, expect: Expect, at: Timestamp) -> Result<bool, Error> {
        let (lands, answered) = self.write();
        let landed = if lands {
            self.memory.remove(space, key, expect, at).await
        } else {
            Self::gone()
        };
        if answered { landed } else { Self::gone() }
    }

    async fn list(
        &self,
        space: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        at: Timestamp,
    ) -> Result<Vec<(String, Entry)>, Error> {
        self.memory.list(space, prefix, after, limit, at).await
    }

    async fn usage(&self, space: &str) -> Result<Usage, Error> {
        self.memory.usage(space).await
    }

    async fn sweep(&self, space: &str, at: Timestamp, limit: usize) -> Result<usize, Error> {
        self.memory.sweep(space, at, limit).await
    }
}

#[async_trait]
impl Blobs for Mortal {
    async fn put_blob(&self, bytes: Vec<u8>) -> Result<Digest, Error> {
        self.memory.put_blob(bytes).await
    }

    async fn blob(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Error> {
        self.memory.blob(digest).await
    }

    async fn has_blob(&self, digest: &Digest) -> Result<bool, Error> {
        self.memory.has_blob(digest).await
    }

    async fn delete_blob(&self, digest: &Digest) -> Result<bool, Error> {
        self.memory.delete_blob(digest).await
    }

    async fn blobs(&self, after: Option<&Digest>, limit: usize) -> Result<Vec<Digest>, Error> {
        self.memory.blobs(after, limit).await
    }
}

/// The node dies at every write in turn, landed or not, and the next one goes on: each person is told
/// each change exactly once, and so is the sender's event.
#[tokio::test(flavor = "multi_thread")]
async fn a_death_at_any_write_neither_loses_nor_doubles() {
    let people = ["+8613800138000", "+8613800138001"];
    let hotline = hotline(
        "to: works.affected, rate: 1000 per second",
        &works(&["a", "b"], &people),
    );
    let mut finished = false;
    for writes in 0.. {
        for last_lands in [false, true] {
            let store = Arc::new(Memory::new());
            let clock = Clock::still(NOON);
            let mortal = Arc::new(Mortal {
                memory: store.clone(),
                left: AtomicI64::new(writes),
                last_lands,
            });
            let event = json!({ "id": "s-1", "phone": people[0] });
            let mut acknowledged = false;
            if let Ok(node) = start_on(&hotline, mortal.clone(), &clock).await {
                acknowledged = send(&node, "sensor", &event).await.is_ok();
                eventually("the node dies, or is done", async || {
                    clock.advance(MOMENT);
                    let (feeds, webhooks) = node.feeds().overview();
                    let done =
                        feeds[0].starts.started == 4 && webhooks.iter().any(|hook| hook.starts.started == 1);
                    finished = done && feeds[0].starts.waiting == 0;
                    mortal.is_dead() || finished
                })
                .await;
            }
            let node = start_on(&hotline, store, &clock).await.unwrap();
            let again = send(&node, "sensor", &event).await.unwrap();
            assert!(
                again || !acknowledged,
                "an event that was acknowledged is forgotten"
            );
            // Past every pause of a node that cannot write.
            pass_until(&clock, MOMENT, "all are told", async || {
                let told = told(&node).await;
                told.len() >= 5 && told.iter().all(|(_, _, outcome)| outcome == "completed")
            })
            .await;
            let told: Vec<(Option<String>, String)> = told(&node)
                .await
                .into_iter()
                .map(|(person, given, _)| (person, given))
                .collect();
            let mut expected: Vec<(Option<String>, String)> = ["a", "b"]
                .iter()
                .flat_map(|change| people.map(|person| (Some(person.to_owned()), (*change).to_owned())))
                .collect();
            expected.push((Some(people[0].to_owned()), "s-1".to_owned()));
            expected.sort();
            assert_eq!(told, expected, "after {writes} writes, {last_lands}");
            node.shutdown().await;
        }
        if finished {
            assert!(writes > 20, "{writes}");
            return;
        }
    }
}
