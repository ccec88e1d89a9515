//! Keys and prompts: what a caller presses, when, and how; what is heard meanwhile.

use std::time::Duration;

use crate::{
    exchange::{CALLER, Exchange, HIGH, Hotline, LOW, MIDDLE},
    g711::Codec,
    line::Line,
};

/// All keys of a phone, one menu after the other, until `#`.
const EVERY_KEY: &str = "
start: hello
steps:
  hello: { say: low, next: more }
  more:
    menu: middle
    keys: { 0: more, 1: more, 2: more, 3: more, 4: more, 5: more, 6: more, 7: more, 8: more, 9: more, \"*\": more, \"#\": bye }
    time: 60s
    on: { no-input: bye, no-match: bye }
  bye: { say: high, next: done }
  done: { end: completed }
";

/// Two prompts, then a question that hears three digits.
const CODE: &str = "
vars: { code: string? }
start: first
steps:
  first: { say: long, next: second }
  second: { say: long, next: code }
  code: { ask: middle, answer: digits, length: 3, time: 20s, save: code, on: { no-input: silent, invalid: silent }, next: bye }
  bye: { say: high, next: done }
  silent: { end: silent }
  done: { end: completed }
";

/// What is said whatever the caller does, and a question that is asked three times.
const PATIENT: &str = "
start: notice
steps:
  notice: { say: low, notice: terms, next: choose }
  choose:
    menu: middle
    keys: { 1: bye }
    time: 1s
    retries: 1
    on: { no-input: nobody, no-match: nobody }
  bye: { say: high, next: done }
  nobody: { say: words, next: unheard }
  done: { end: completed }
  unheard: { end: nobody }
";

async fn exchange() -> Exchange {
    Hotline::new(&[
        ("1001", EVERY_KEY),
        ("1002", EVERY_KEY),
        ("1003", EVERY_KEY),
        ("1004", EVERY_KEY),
        ("2001", CODE),
        ("2002", CODE),
        ("3001", PATIENT),
        ("3002", PATIENT),
        ("3003", PATIENT),
    ])
    .start()
    .await
}

#[tokio::test]
async fn a_call_is_a_contact_and_what_is_said_and_pressed_is_in_its_journal() {
    let exchange = exchange().await;
    tokio::join!(
        every_key(&exchange, "1001", Codec::Pcmu, false),
        every_key(&exchange, "1002", Codec::Pcma, true),
        keys_by_info(&exchange, "1003"),
        keys_to_an_offer_of_ours(&exchange, "1004"),
        keys_ahead(&exchange, "2001"),
        barge_in(&exchange, "2002"),
        no_keys_but_sound(&exchange, "3001"),
        no_sound_at_all(&exchange, "3002"),
        a_notice_is_heard_out(&exchange, "3003"),
    );
    exchange.told_nothing(&["1234567890"]);
}

/// Every key, by RFC 4733, with each codec, by UDP and by TCP.
async fn every_key(exchange: &Exchange, number: &str, codec: Codec, tcp: bool) {
    let line = Line::open(codec).await;
    let mut call = exchange
        .call_on("call", number, &line)
        .with("formats", format!("{} 101", codec.payload_type()));
    if tcp {
        call = call.tcp_to(exchange.tcp);
    }
    let call = call.start();
    line.hears(LOW).await;
    assert_eq!(line.last_payload_type(), Some(codec.payload_type()));
    line.hears(MIDDLE).await;
    line.press("1234567890*#");
    line.hears(HIGH).await;
    call.ends().await;
    let journal = exchange.ended(number).await;
    assert_eq!(journal.keys(), "1234567890*#", "{number}");
    assert_eq!(journal.outcome().as_deref(), Some("completed"));
    assert_eq!(journal.caller().as_deref(), Some(CALLER));
}

async fn keys_by_info(exchange: &Exchange, number: &str) {
    let line = Line::open(Codec::Pcmu).await;
    exchange.call_on("info", number, &line).start().ends().await;
    let journal = exchange.ended(number).await;
    assert_eq!(journal.keys(), "47#");
    assert_eq!(journal.outcome().as_deref(), Some("completed"));
}

/// A caller who lets us offer first.
async fn keys_to_an_offer_of_ours(exchange: &Exchange, number: &str) {
    let line = Line::open(Codec::Pcmu).await;
    let call = exchange.call_on("offer-later", number, &line).start();
    line.hears(MIDDLE).await;
    line.press("5#");
    call.ends().await;
    assert_eq!(exchange.ended(number).await.keys(), "5#");
}

/// Keys that are pressed while something else is said count for the question to come.
async fn keys_ahead(exchange: &Exchange, number: &str) {
    let line = Line::open(Codec::Pcmu).await;
    let call = exchange.call_on("call", number, &line).start();
    line.hears(LOW).await;
    line.press("907");
    line.hears(HIGH).await;
    call.ends().await;
    let journal = exchange.ended(number).await;
    assert_eq!(
        journal.exit("code").as_deref(),
        Some("next"),
        "{:?}",
        journal.exits()
    );
    assert_eq!(journal.outcome().as_deref(), Some("completed"));
    // Neither of the two long prompts was heard out.
    assert!(journal.keys().contains("907"), "{:?}", journal.keys());
}

/// A key stops what is said at once.
async fn barge_in(exchange: &Exchange, number: &str) {
    let line = Line::open(Codec::Pcmu).await;
    let call = exchange.call_on("call", number, &line).start();
    line.hears(LOW).await;
    line.press("9");
    line.hears_nothing().await;
    // The first of the prompts alone has eight seconds.
    let heard = line.sound();
    assert!(
        heard < Duration::from_secs(6),
        "a key stops a prompt: {heard:?} of it were heard"
    );
    line.press("07");
    call.ends().await;
    let journal = exchange.ended(number).await;
    assert_eq!(
        journal.outcome().as_deref(),
        Some("completed"),
        "{:?}",
        journal.exits()
    );
}

/// Who is silent is asked again, and told goodbye by a voice.
async fn no_keys_but_sound(exchange: &Exchange, number: &str) {
    let line = Line::open(Codec::Pcmu).await;
    let call = exchange.call_on("call", number, &line).start();
    line.hears(LOW).await;
    line.hears(MIDDLE).await;
    // The farewell is no recording: whatever it is, it is heard when the contact has ended.
    let journal = exchange.ended(number).await;
    line.hears_other_than(MIDDLE).await;
    call.ends().await;
    assert_eq!(journal.exit("choose").as_deref(), Some("no-input"));
    assert_eq!(journal.facts("misheard").len(), 2);
    assert_eq!(journal.outcome().as_deref(), Some("nobody"));
    let said = journal.facts("said").len();
    assert_eq!(
        journal.played(),
        said - 1,
        "each but the farewell is told as played: {journal:?}"
    );
}

/// A caller from whom no packet comes still goes through the flow by its times.
async fn no_sound_at_all(exchange: &Exchange, number: &str) {
    let call = exchange.call("call", number).start();
    call.ends().await;
    let journal = exchange.ended(number).await;
    assert_eq!(journal.outcome().as_deref(), Some("nobody"));
    assert_eq!(journal.facts("misheard").len(), 2);
}

/// Keys do not stop a legal notice, and are kept for what follows.
async fn a_notice_is_heard_out(exchange: &Exchange, number: &str) {
    let line = Line::open(Codec::Pcmu).await;
    let call = exchange.call_on("call", number, &line).start();
    line.hears(LOW).await;
    line.press("1");
    line.hears(HIGH).await;
    call.ends().await;
    let journal = exchange.ended(number).await;
    assert_eq!(
        journal.outcome().as_deref(),
        Some("completed"),
        "{:?}",
        journal.exits()
    );
}
