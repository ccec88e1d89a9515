//! Agents and their phones: a queue is answered, both hear each other, and callers are handed over.

use std::{fs, net::Ipv4Addr};

use end_to_end::eventually;

use crate::{
    baresip::Baresip,
    exchange::{Exchange, HIGH, Hotline, LOW},
    g711::Codec,
    line::Line,
    login::Login,
    ports,
    sipp::Sipp,
    sound,
};

/// Waits for an agent, and is recorded.
const QUEUE: &str = "
start: hello
steps:
  hello: { say: low, next: recorded }
  recorded: { record: start, next: person }
  person: { queue: general, on: { else: nobody }, next: bye }
  bye: { say: high, next: done }
  nobody: { end: nobody }
  done: { end: completed }
";

const PASSWORD: &str = "a-password-of-li-na";

async fn exchange() -> Exchange {
    Hotline::new(&[("1001", QUEUE)]).start().await
}

/// Waits until an agent does something, as the server names it.
async fn is(exchange: &Exchange, agent: &str, state: &str) {
    let mut last = serde_json::Value::Null;
    eventually(&format!("{agent} is {state}"), async || {
        last = exchange.agent(agent).await;
        last["state"] == state
    })
    .await;
}

#[tokio::test]
async fn an_agent_answers_on_a_phone_and_both_hear_each_other() {
    let exchange = exchange().await;
    let phone = Baresip::start("li-na", PASSWORD, exchange.udp, true, 1_000).await;
    is(&exchange, "li-na", "available").await;
    let line = Line::open(Codec::Pcma).await;
    line.hum(440);
    let call = exchange
        .call_on("call", "1001", &line)
        .with("formats", "8 101")
        .start();
    // The phone answers at once, and what was being said is over then.
    line.hears(1_000).await;
    phone.hears(440).await;
    phone.does("hangup", "").await;
    line.hears(HIGH).await;
    call.ends().await;

    let journal = exchange.ended("1001").await;
    assert_eq!(journal.exit("person").as_deref(), Some("next"));
    assert_eq!(journal.outcome().as_deref(), Some("completed"));

    // The recording has the caller on one side and whom the caller talked to on the other.
    let mut files = Vec::new();
    eventually("the recording", async || {
        files = recordings(&exchange);
        files.len() == 1
    })
    .await;
    let channels = sound::read_wav(&files[0]);
    assert_eq!(channels.len(), 2, "a recording has two channels");
    let holds: Vec<[bool; 2]> = channels
        .iter()
        .map(|channel| [440, 1_000].map(|hertz| sound::holds(channel, hertz)))
        .collect();
    assert_eq!(
        holds,
        [[true, false], [false, true]],
        "440 Hz is the caller, 1,000 Hz the agent"
    );
    exchange.told_nothing(&[PASSWORD]);
}

fn recordings(exchange: &Exchange) -> Vec<std::path::PathBuf> {
    let folder = exchange.folder.beside("recordings");
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|file| file.extension().is_some_and(|extension| extension == "wav"))
        .collect()
}

#[tokio::test]
async fn an_agent_hands_a_caller_over_to_a_number_and_is_free() {
    let exchange = exchange().await;
    let phone = Baresip::start("li-na", PASSWORD, exchange.udp, true, 1_000).await;
    is(&exchange, "li-na", "available").await;
    let (line, outside) = (Line::open(Codec::Pcmu).await, Line::open(Codec::Pcmu).await);
    line.hum(440);
    outside.hum(2_000);
    let answers = Sipp::waits("answers-and-leaves", exchange.outside)
        .on(&outside)
        .with("pause", 3_000)
        .start()
        .listening()
        .await;
    let call = exchange.call_on("call", "1001", &line).start();
    line.hears(1_000).await;
    phone.does("transfer", &format!("sip:110@{}", exchange.udp)).await;
    line.hears(2_000).await;
    outside.hears(440).await;
    // The agent's own leg is done with; after the wrap-up the next caller may come.
    answers.ends().await;
    line.hears(HIGH).await;
    call.ends().await;
    assert_eq!(
        exchange.ended("1001").await.outcome().as_deref(),
        Some("completed")
    );
    is(&exchange, "li-na", "available").await;
    exchange.told_nothing(&[PASSWORD]);
}

#[tokio::test]
async fn an_agent_asks_somebody_and_hands_the_caller_over_to_them() {
    let exchange = Hotline::new(&[("1001", QUEUE)]).sha_256().start().await;
    let at = Ipv4Addr::new(127, 0, 0, 2);
    let port = ports::free(4);
    let mut login = Login::register(exchange.udp, (at, port), "li-na", PASSWORD).await;
    is(&exchange, "li-na", "available").await;

    let [line, agent, asks, outside] = [
        Line::open(Codec::Pcmu).await,
        Line::open(Codec::Pcmu).await,
        Line::open(Codec::Pcmu).await,
        Line::open(Codec::Pcmu).await,
    ];
    line.hum(440);
    agent.hum(1_000);
    asks.hum(600);
    outside.hum(2_000);
    let consult = format!("sip:110@{}", exchange.udp);
    let hands_over = Sipp::waits("hands-over", port)
        .from(at)
        .on(&agent)
        .with("user", "li-na")
        .with("proof", login.proof("INVITE", &consult))
        .with("consult", &consult)
        .with("consult-media", asks.port())
        .start()
        .listening()
        .await;
    let answers = Sipp::waits("answers-and-leaves", exchange.outside)
        .on(&outside)
        .with("pause", 7_000)
        .start()
        .listening()
        .await;
    let call = exchange.call_on("call", "1001", &line).start();
    line.hears(1_000).await;
    agent.hears(440).await;
    // The two speak first, and the caller hears nothing of it.
    asks.hears(2_000).await;
    outside.hears(600).await;
    // Then the caller takes the agent's place.
    line.hears(2_000).await;
    outside.hears(440).await;
    hands_over.ends().await;
    answers.ends().await;
    line.hears(HIGH).await;
    call.ends().await;
    assert_eq!(
        exchange.ended("1001").await.outcome().as_deref(),
        Some("completed")
    );
    exchange.told_nothing(&[PASSWORD]);
}

#[tokio::test]
async fn a_phone_with_a_wrong_password_is_nobodys() {
    let exchange = exchange().await;
    let _phone = Baresip::start("li-na", "not-her-password", exchange.udp, true, 1_000).await;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert_ne!(exchange.agent("li-na").await["state"], "available");
    exchange.told_nothing(&["not-her-password"]);
}

/// baresip calls, too: its packets and its keys are those of a phone that others wrote.
#[tokio::test]
async fn a_phone_of_others_calls_and_presses_keys() {
    const MENU: &str = "
start: more
steps:
  more: { menu: low, keys: { 1: more, 5: more, \"*\": more, \"#\": bye }, time: 30s, on: { no-input: silent, no-match: silent } }
  bye: { say: high, next: done }
  silent: { end: silent }
  done: { end: completed }
";
    let exchange = Hotline::new(&[("1001", MENU)]).start().await;
    let phone = Baresip::start("caller", "none", exchange.udp, false, 1_000).await;
    phone.does("dial", &format!("sip:1001@{}", exchange.udp)).await;
    exchange.is_at("1001", "more").await;
    phone.hears(LOW).await;
    for key in ["1", "5", "*", "#"] {
        phone.does("sndcode", key).await;
        tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    }
    let journal = exchange.ended("1001").await;
    assert_eq!(journal.keys(), "15*#");
    assert_eq!(journal.outcome().as_deref(), Some("completed"));
    phone.hears(HIGH).await;
}
