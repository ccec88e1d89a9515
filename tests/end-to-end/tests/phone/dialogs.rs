//! How calls go on and end: hold, another codec, somebody outside, a lost acknowledgement, a phone that
//! vanished.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    exchange::{HIGH, Hotline, LOW, MIDDLE},
    g711::Codec,
    line::Line,
    sipp::Sipp,
};

/// A prompt of eight seconds, then a key.
const LONG: &str = "
start: hello
steps:
  hello: { say: long, notice: terms, next: choose }
  choose: { menu: middle, keys: { 5: bye }, time: 30s, on: { no-input: silent, no-match: silent } }
  bye: { say: high, next: done }
  silent: { end: silent }
  done: { end: completed }
";

/// A key, and another.
const SHORT: &str = "
start: choose
steps:
  choose: { menu: long, keys: { 5: then }, time: 30s, on: { no-input: silent, no-match: silent } }
  then: { menu: middle, keys: { 6: bye }, time: 30s, on: { no-input: silent, no-match: silent } }
  bye: { say: high, next: done }
  silent: { end: silent }
  done: { end: completed }
";

/// Nothing happens for long.
const WAITS: &str = "
start: hello
steps:
  hello: { say: low, next: rest }
  rest: { wait: 10m, next: done }
  done: { end: completed }
";

/// The police.
const THROUGH: &str = "
start: hello
steps:
  hello: { say: low, next: police }
  police: { transfer: \"110\", time: 20s, on: { busy: engaged, no-answer: nobody, failed: broken }, next: bye }
  bye: { say: high, next: done }
  engaged: { say: middle, next: was-busy }
  was-busy: { end: busy }
  nobody: { end: nobody }
  broken: { end: broken }
  done: { end: completed }
";

/// The police, who have two seconds.
const THROUGH_SOON: &str = "
start: police
steps:
  police: { transfer: \"110\", time: 2s, on: { busy: engaged, no-answer: nobody, failed: broken }, next: done }
  engaged: { end: busy }
  nobody: { say: middle, next: unanswered }
  unanswered: { end: nobody }
  broken: { end: broken }
  done: { end: completed }
";

#[tokio::test]
async fn a_call_is_held_taken_back_and_goes_on_elsewhere() {
    let exchange = Hotline::new(&[("1001", LONG), ("1002", SHORT), ("1003", WAITS)])
        .start()
        .await;
    tokio::join!(
        async {
            let line = Line::open(Codec::Pcmu).await;
            let call = exchange.call_on("hold", "1001", &line).start();
            line.hears(LOW).await;
            // Who is on hold hears nothing, and then the rest.
            line.hears_nothing().await;
            line.hears(LOW).await;
            line.hears(MIDDLE).await;
            let heard = line.sound();
            assert!(
                heard > Duration::from_millis(7_500),
                "what is said waits for a caller who is on hold, who heard {heard:?} of it"
            );
            line.press("5");
            line.hears(HIGH).await;
            call.ends().await;
            let journal = exchange.ended("1001").await;
            assert_eq!(journal.keys(), "5");
            assert_eq!(journal.outcome().as_deref(), Some("completed"));
        },
        async {
            let (line, other) = (Line::open(Codec::Pcmu).await, Line::open(Codec::Pcma).await);
            let call = exchange
                .call_on("moves", "1002", &line)
                .with("other-media", other.port())
                .start();
            line.hears(LOW).await;
            other.hears(LOW).await;
            assert_eq!(other.last_payload_type(), Some(8));
            other.press("5");
            other.hears(MIDDLE).await;
            let before = line.count();
            other.press("6");
            other.hears(HIGH).await;
            assert!(
                line.count() <= before + 5,
                "nothing is sent to where the caller was"
            );
            call.ends().await;
            let journal = exchange.ended("1002").await;
            assert_eq!(journal.keys(), "56");
            assert_eq!(journal.outcome().as_deref(), Some("completed"));
        },
        async {
            let line = Line::open(Codec::Pcma).await;
            let call = exchange
                .call_on("call-and-leave", "1003", &line)
                .with("formats", "8 101")
                .with("pause", 1_500)
                .tcp_to(exchange.tcp)
                .start();
            line.hears(LOW).await;
            call.ends().await;
            let journal = exchange.ended("1003").await;
            assert_eq!(journal.outcome().as_deref(), Some("abandoned"));
            assert_eq!(journal.facts("hung-up").len(), 1);
        },
    );
    exchange.told_nothing(&[]);
}

#[tokio::test]
async fn a_caller_is_put_through_to_a_number_and_comes_back() {
    let exchange = Hotline::new(&[("1001", THROUGH)]).start().await;
    let (line, outside) = (Line::open(Codec::Pcmu).await, Line::open(Codec::Pcmu).await);
    line.hum(440);
    outside.hum(1_000);
    let answers = Sipp::waits("answers-and-leaves", exchange.outside)
        .on(&outside)
        .with("pause", 3_000)
        .start()
        .listening()
        .await;
    let call = exchange.call_on("call", "1001", &line).start();
    line.hears(LOW).await;
    line.hears(1_000).await;
    outside.hears(440).await;
    answers.ends().await;
    line.hears(HIGH).await;
    call.ends().await;
    let journal = exchange.ended("1001").await;
    assert_eq!(journal.exit("police").as_deref(), Some("next"));
    assert_eq!(journal.outcome().as_deref(), Some("completed"));
    exchange.told_nothing(&[]);
}

#[tokio::test]
async fn whom_a_caller_wants_is_called_off_when_the_caller_leaves() {
    let exchange = Hotline::new(&[("1001", THROUGH)]).start().await;
    let rings = Sipp::waits("only-rings", exchange.outside)
        .start()
        .listening()
        .await;
    let line = Line::open(Codec::Pcmu).await;
    let call = exchange
        .call_on("call-and-leave", "1001", &line)
        .with("pause", 8_000)
        .start();
    line.hears(LOW).await;
    // It rings at the other end: the tone of China's exchanges.
    line.hears(450).await;
    call.ends().await;
    rings.ends().await;
    assert_eq!(
        exchange.ended("1001").await.outcome().as_deref(),
        Some("abandoned")
    );
}

#[tokio::test]
async fn whoever_is_busy_or_does_not_answer_is_a_way_out() {
    let exchange = Hotline::new(&[("1001", THROUGH), ("1002", THROUGH_SOON)])
        .start()
        .await;
    let line = Line::open(Codec::Pcmu).await;
    let busy = Sipp::waits("busy", exchange.outside).start().listening().await;
    let call = exchange.call_on("call", "1001", &line).start();
    line.hears(MIDDLE).await;
    call.ends().await;
    busy.ends().await;
    assert_eq!(exchange.ended("1001").await.outcome().as_deref(), Some("busy"));

    let rings = Sipp::waits("only-rings", exchange.outside)
        .start()
        .listening()
        .await;
    let line = Line::open(Codec::Pcmu).await;
    let call = exchange.call_on("call", "1002", &line).start();
    line.hears(MIDDLE).await;
    call.ends().await;
    rings.ends().await;
    assert_eq!(exchange.ended("1002").await.outcome().as_deref(), Some("nobody"));
}

/// The slowest of all, so that all that is waited for is waited for at once.
#[tokio::test]
async fn a_caller_who_is_gone_without_a_word_ends_the_contact() {
    let exchange = Hotline::new(&[("1001", WAITS), ("1002", WAITS), ("1003", WAITS)])
        .start()
        .await;
    tokio::join!(
        async {
            // The answer is never acknowledged: after 64 times T1 the call is no more (RFC 3261, 13.3.1.4).
            let line = Line::open(Codec::Pcmu).await;
            let call = exchange.call_on("no-acknowledgement", "1001", &line).start();
            call.ends().await;
            assert_eq!(
                exchange.ended("1001").await.outcome().as_deref(),
                Some("abandoned")
            );
        },
        async {
            // The sound goes on, and the session is not refreshed (RFC 4028).
            let line = Line::open(Codec::Pcmu).await;
            let call = exchange
                .call_on("call-and-vanish", "1002", &line)
                .with(
                    "headers",
                    "Supported: timer\n      Session-Expires: 90;refresher=uas",
                )
                .within(Duration::from_secs(200))
                .start();
            line.hears(LOW).await;
            call.kill();
            abandoned_within(&exchange, "1002", Duration::from_secs(100)).await;
        },
        async {
            // Nothing comes any more.
            let line = Line::open(Codec::Pcmu).await;
            let call = exchange
                .call_on("call-and-vanish", "1003", &line)
                .within(Duration::from_secs(200))
                .start();
            line.hears(LOW).await;
            call.kill();
            drop(line);
            abandoned_within(&exchange, "1003", Duration::from_secs(140)).await;
        },
    );
}

async fn abandoned_within(exchange: &crate::exchange::Exchange, number: &str, within: Duration) {
    let contact = exchange.contact(number).await;
    let until = Instant::now() + within;
    loop {
        let journal = exchange.journal(&contact).await;
        if let Some(outcome) = journal.outcome() {
            assert_eq!(outcome, "abandoned");
            return;
        }
        assert!(Instant::now() < until, "{number} is still there after {within:?}");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
