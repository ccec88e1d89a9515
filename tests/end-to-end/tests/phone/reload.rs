//! A flow that is edited while somebody is on the line.

use crate::{
    exchange::{HIGH, Hotline, LOW, MIDDLE},
    g711::Codec,
    line::Line,
};

const FLOW: &str = "
start: choose
steps:
  choose: { menu: middle, keys: { 5: bye }, time: 30s, on: { no-input: silent, no-match: silent } }
  bye: { say: high, next: done }
  silent: { end: silent }
  done: { end: completed }
";

#[tokio::test]
async fn a_call_keeps_its_release_while_its_flow_is_edited() {
    let exchange = Hotline::new(&[("1001", FLOW)]).watched().start().await;
    let (before, after) = (Line::open(Codec::Pcmu).await, Line::open(Codec::Pcma).await);
    let first = exchange.call_on("call", "1001", &before).start();
    before.hears(MIDDLE).await;
    let old = exchange.server.current_release().await;

    exchange
        .folder
        .replace("flows/f1001.yaml", "say: high", "say: low");
    let new = exchange.server.next_release(&old).await;
    let second = exchange
        .call_on("call", "1001", &after)
        .with("formats", "8 101")
        .start();
    after.hears(MIDDLE).await;

    before.press("5");
    before.hears(HIGH).await;
    first.ends().await;
    after.press("5");
    after.hears(LOW).await;
    second.ends().await;

    let contacts = exchange.contacts("1001").await;
    assert_eq!(contacts.len(), 2);
    let (one, other) = (
        exchange.journal(&contacts[0]).await,
        exchange.journal(&contacts[1]).await,
    );
    assert_eq!((one.release(), other.release()), (old, new));
    for journal in [one, other] {
        assert_eq!(journal.outcome().as_deref(), Some("completed"));
        assert_eq!(journal.keys(), "5");
    }
}
