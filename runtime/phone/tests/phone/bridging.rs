//! Callers and others: agents' phones, numbers outside, and supervisors.

use std::{net::Ipv4Addr, time::Duration};

use serde_json::{Value as Json, json};
use tokio::time::sleep;
use trunkline_engine::{services::AgentState, session::State};
use trunkline_media::Sound;
use trunkline_model::ContactId;
use trunkline_node::Deed;
use trunkline_sip::{Destination, HangUp, Happened, Referred, sdp::Direction};

use crate::common::{Exchange, Far, Line, city, eventually, tone, within};

const LI_NA: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const ZHANG_WEI: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);
const BOSS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 4);

const QUEUE: &str = "start: human\nsteps:\n  \
    human: { queue: general, music: music, on: { else: nobody }, next: thanks }\n  \
    thanks: { say: { en: thanks }, next: done }\n  \
    done: { end: completed }\n  nobody: { end: unserved }\n";

async fn queue(carrier: &Far) -> Exchange {
    let (music, thanks) = (tone(350.0, 400), tone(800.0, 200));
    city(
        QUEUE,
        &[("music", &music), ("thanks", &thanks)],
        Some(carrier.address),
    )
    .await
}

async fn phone(exchange: &Exchange, host: Ipv4Addr, agent: &str) -> Far {
    let phone = Far::phone(host, agent, &format!("{agent}-word"), exchange.address).await;
    is(exchange, agent, "available").await;
    phone
}

fn state(exchange: &Exchange, agent: &str) -> Option<AgentState> {
    let (_, agents) = exchange.node.contacts().queues_and_agents();
    agents
        .into_iter()
        .find(|known| *known.name == *agent)
        .map(|known| known.state)
}

/// Waits until an agent is in a state.
async fn is(exchange: &Exchange, agent: &str, wanted: &str) {
    eventually(&format!("{agent} is {wanted}"), || {
        state(exchange, agent).is_some_and(|state| state.as_str() == wanted)
    })
    .await;
}

async fn ends(exchange: &Exchange, contact: &ContactId) -> String {
    let session = exchange
        .until("it ends", contact, trunkline_engine::Session::has_ended)
        .await;
    match session.state {
        State::Ended { outcome, .. } => outcome.to_string(),
        _ => String::new(),
    }
}

/// Each hears what the other says, byte for byte.
async fn hear_each_other(one: &Line, other: &Line) {
    one.peer.forget();
    other.peer.forget();
    passes(one, other, &tone(500.0, 400)).await;
    passes(other, one, &tone(1_100.0, 400)).await;
}

/// Everybody hears everybody else, whose voices are mixed.
async fn hear_in_a_room(lines: &[&Line]) {
    for (speaks, pitch) in lines.iter().zip([500.0, 1_100.0, 1_700.0]) {
        for line in lines {
            line.peer.forget();
        }
        for hears in lines.iter().filter(|hears| !std::ptr::eq(**hears, *speaks)) {
            is_heard(&format!("{pitch} hertz"), speaks, hears, pitch).await;
        }
    }
}

/// A pitch of one comes to another. It is repeated until it does: a room is arranged when an answer is seen.
async fn is_heard(what: &str, from: &Line, to: &Line, pitch: f64) {
    eventually(what, || {
        if from.peer.is_done() {
            from.peer.play(&tone(pitch, 600));
        }
        to.has_pitch(pitch)
    })
    .await;
}

/// What one says is heard by another. It is said again when it was not heard whole: a machine that does
/// much else is late with packets, and what is late is silence.
async fn passes(from: &Line, to: &Line, sound: &Sound) {
    for _ in 0..10 {
        from.peer.play(sound);
        for _ in 0..40 {
            if to.place_of(sound).is_some() {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
    }
    panic!("what was said was not heard");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_makes_an_agent_available_and_takes_a_caller() {
    let carrier = Far::carrier().await;
    let exchange = queue(&carrier).await;
    let mut li_na = phone(&exchange, LI_NA, "li-na").await;
    let mut line = carrier.call(exchange.address, "12345").await;
    let contact = exchange.contact(1).await;
    let incoming = li_na.incoming().await;
    incoming.call.ring();
    is(&exchange, "li-na", "ringing").await;
    let music = tone(350.0, 400);
    eventually("music is repeated", || line.times_of(&music) >= 3).await;
    let mut agent = li_na.answer(incoming).await;
    is(&exchange, "li-na", "talking").await;
    hear_each_other(&line, &agent).await;
    line.peer.forget();
    sleep(Duration::from_millis(300)).await;
    assert!(!line.has_pitch(350.0), "music has stopped");
    line.press("7");
    agent.press("5");
    let keys = |line: &Line| line.peer.keys(line.agreed.keys.unwrap_or_default());
    eventually("keys pass", || keys(&line) == "5" && keys(&agent) == "7").await;
    agent.call.hang_up(HangUp::Normal);
    line.hears("the flow goes on", &tone(800.0, 200)).await;
    line.is_let_go().await;
    agent.is_let_go().await;
    assert_eq!(ends(&exchange, &contact).await, "completed");
    li_na.sip.stop().await;
    is(&exchange, "li-na", "away").await;
    exchange.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_leaves_takes_the_ringing_along() {
    let carrier = Far::carrier().await;
    let exchange = queue(&carrier).await;
    let mut li_na = phone(&exchange, LI_NA, "li-na").await;
    let line = carrier.call(exchange.address, "12345").await;
    let contact = exchange.contact(1).await;
    let mut incoming = li_na.incoming().await;
    incoming.call.ring();
    sleep(Duration::from_millis(100)).await;
    line.call.hang_up(HangUp::Normal);
    let happened = within("the end of ringing", incoming.call.events()).await;
    assert_eq!(happened, Some(Happened::Cancelled));
    assert_eq!(ends(&exchange, &contact).await, "abandoned");
    is(&exchange, "li-na", "available").await;
    exchange.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_declines_is_left_alone_and_the_next_is_offered() {
    let carrier = Far::carrier().await;
    let exchange = queue(&carrier).await;
    let mut li_na = phone(&exchange, LI_NA, "li-na").await;
    sleep(Duration::from_millis(20)).await;
    let mut zhang_wei = phone(&exchange, ZHANG_WEI, "zhang-wei").await;
    let mut line = carrier.call(exchange.address, "12345").await;
    let declined = li_na.incoming().await;
    declined.call.refuse(486, "Busy Here", None);
    is(&exchange, "li-na", "wrap-up").await;
    let agent = zhang_wei.take().await;
    hear_each_other(&line, &agent).await;
    agent.call.hang_up(HangUp::Normal);
    line.is_let_go().await;
    exchange.stop().await;
}

const TRANSFER: &str = "start: police\nsteps:\n  \
    police: { transfer: \"110\", on: { busy: busy, no-answer: unanswered, failed: broken }, next: done }\n  \
    done: { end: completed }\n  busy: { end: busy }\n  unanswered: { end: unanswered }\n  broken: { end: broken }\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_is_put_through_to_a_number_or_told_why_not() {
    let mut carrier = Far::carrier().await;
    let exchange = city(TRANSFER, &[], Some(carrier.address)).await;
    let refusals = [(486, "busy"), (480, "unanswered"), (404, "broken")];
    for (number, (status, outcome)) in (1..).zip(refusals) {
        let line = carrier.call(exchange.address, "12345").await;
        let incoming = carrier.incoming().await;
        assert_eq!(incoming.called, "110");
        // Sound before the answer is heard.
        let early = carrier.early(&incoming);
        passes(&early, &line, &tone(950.0, 400)).await;
        incoming.call.refuse(status, "No", None);
        let contact = exchange.contact(number).await;
        assert_eq!(ends(&exchange, &contact).await, outcome);
    }
    let mut line = carrier.call(exchange.address, "12345").await;
    let police = carrier.take().await;
    hear_each_other(&line, &police).await;
    police.call.hang_up(HangUp::Normal);
    line.is_let_go().await;
    assert_eq!(ends(&exchange, &exchange.contact(4).await).await, "completed");
    exchange.stop().await;
}

/// An agent is asked in, and the flow goes on.
const WITH_LI_NA: &str = "start: li-na\nsteps:\n  \
    li-na: { transfer: { agent: li-na }, three-way: true, on: { else: nobody }, next: which }\n  \
    which: { menu: { en: which }, keys: { 1: done }, time: 60s, on: { else: nobody } }\n  \
    done: { end: completed }\n  nobody: { end: unserved }\n";

const THREE: &str = "start: police\nsteps:\n  \
    police: { transfer: \"110\", three-way: true, on: { else: nobody }, next: which }\n  \
    which: { menu: { en: which }, keys: { 1: human }, on: { else: nobody } }\n  \
    human: { queue: general, on: { else: nobody }, next: thanks }\n  \
    thanks: { say: { en: thanks }, next: done }\n  \
    done: { end: completed }\n  nobody: { end: unserved }\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_police_stay_in_the_call_while_the_flow_goes_on_to_an_agent() {
    let mut carrier = Far::carrier().await;
    let (which, thanks) = (tone(650.0, 400), tone(800.0, 200));
    let sounds = [("which", &which), ("thanks", &thanks)];
    let exchange = city(THREE, &sounds, Some(carrier.address)).await;
    let mut li_na = phone(&exchange, LI_NA, "li-na").await;
    let mut line = carrier.call(exchange.address, "12345").await;
    let police = carrier.take().await;
    // The flow speaks to the caller, who is with the police all the while.
    line.hears("the menu", &which).await;
    hear_in_a_room(&[&line, &police]).await;
    line.press("1");
    let agent = li_na.take().await;
    hear_in_a_room(&[&line, &police, &agent]).await;
    // Who goes leaves the others together.
    police.call.hang_up(HangUp::Normal);
    sleep(Duration::from_millis(300)).await;
    hear_each_other(&line, &agent).await;
    agent.call.hang_up(HangUp::Normal);
    line.hears("thanks", &thanks).await;
    line.is_let_go().await;
    assert_eq!(ends(&exchange, &exchange.contact(1).await).await, "completed");
    exchange.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_who_leaves_three_leaves_two_who_talk_on() {
    let mut carrier = Far::carrier().await;
    let which = tone(650.0, 400);
    let exchange = city(
        THREE,
        &[("which", &which), ("thanks", &which)],
        Some(carrier.address),
    )
    .await;
    let mut li_na = phone(&exchange, LI_NA, "li-na").await;
    let mut line = carrier.call(exchange.address, "12345").await;
    let police = carrier.take().await;
    line.hears("the menu", &which).await;
    line.press("1");
    let agent = li_na.take().await;
    hear_in_a_room(&[&line, &police, &agent]).await;
    agent.call.hang_up(HangUp::Normal);
    is(&exchange, "li-na", "wrap-up").await;
    hear_in_a_room(&[&line, &police]).await;
    // The talk is over with the last of those who were brought in.
    police.call.hang_up(HangUp::Normal);
    line.is_let_go().await;
    assert_eq!(ends(&exchange, &exchange.contact(1).await).await, "completed");
    exchange.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_that_leaves_three_leaves_two_who_talk_on() {
    const TWO_NUMBERS: &str = "start: police\nsteps:\n  \
        police: { transfer: \"110\", three-way: true, on: { else: nobody }, next: fire }\n  \
        fire: { transfer: \"119\", on: { else: nobody }, next: thanks }\n  \
        thanks: { say: { en: thanks }, next: done }\n  \
        done: { end: completed }\n  nobody: { end: unserved }\n";
    let mut carrier = Far::carrier().await;
    let thanks = tone(800.0, 200);
    let exchange = city(TWO_NUMBERS, &[("thanks", &thanks)], Some(carrier.address)).await;
    let mut line = carrier.call(exchange.address, "12345").await;
    let police = carrier.take().await;
    let fire = carrier.take().await;
    hear_in_a_room(&[&line, &police, &fire]).await;
    fire.call.hang_up(HangUp::Normal);
    hear_in_a_room(&[&line, &police]).await;
    police.call.hang_up(HangUp::Normal);
    line.hears("thanks", &thanks).await;
    line.is_let_go().await;
    assert_eq!(ends(&exchange, &exchange.contact(1).await).await, "completed");
    exchange.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_who_says_elsewhere_that_three_talk_has_the_phone_ring_on() {
    let carrier = Far::carrier().await;
    let which = tone(650.0, 400);
    let exchange = city(WITH_LI_NA, &[("which", &which)], Some(carrier.address)).await;
    let mut li_na = phone(&exchange, LI_NA, "li-na").await;
    let mut line = carrier.call(exchange.address, "12345").await;
    let ringing = li_na.incoming().await;
    let contact = exchange.contact(1).await;
    let contacts = exchange.node.contacts();
    contacts
        .agent_does("li-na", &contact, Deed::Answer)
        .expect("she is offered the caller");
    line.hears("the menu", &which).await;
    let agent = li_na.answer(ringing).await;
    hear_in_a_room(&[&line, &agent]).await;
    line.press("1");
    line.is_let_go().await;
    is(&exchange, "li-na", "wrap-up").await;
    exchange.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_who_says_elsewhere_that_it_is_over_leaves_three_with_the_phone() {
    let carrier = Far::carrier().await;
    let which = tone(650.0, 400);
    let exchange = city(WITH_LI_NA, &[("which", &which)], Some(carrier.address)).await;
    let mut li_na = phone(&exchange, LI_NA, "li-na").await;
    let mut line = carrier.call(exchange.address, "12345").await;
    let mut agent = li_na.take().await;
    line.hears("the menu", &which).await;
    hear_in_a_room(&[&line, &agent]).await;
    // Who holds leaves no silence.
    line.peer.forget();
    agent.turn(Direction::SendOnly).await.expect("it is up");
    eventually("a tone while she holds", || line.has_pitch(450.0)).await;
    agent.turn(Direction::SendReceive).await.expect("it is up");
    hear_in_a_room(&[&line, &agent]).await;
    let contacts = exchange.node.contacts();
    contacts
        .agent_does("li-na", &exchange.contact(1).await, Deed::End)
        .expect("she talks to the caller");
    agent.is_let_go().await;
    is(&exchange, "li-na", "wrap-up").await;
    line.press("1");
    line.is_let_go().await;
    assert_eq!(ends(&exchange, &exchange.contact(1).await).await, "completed");
    exchange.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_hands_a_caller_over_to_a_number() {
    let mut carrier = Far::carrier().await;
    let exchange = queue(&carrier).await;
    let mut li_na = phone(&exchange, LI_NA, "li-na").await;
    let mut line = carrier.call(exchange.address, "12345").await;
    let mut agent = li_na.take().await;
    hear_each_other(&line, &agent).await;
    let call = agent.call.clone();
    let to = format!("sip:110@{}", exchange.address);
    let referring = tokio::spawn(async move { call.refer(&to, None).await });
    let police = carrier.take().await;
    let referred = within("the transfer", referring)
        .await
        .expect("it does not break");
    assert_eq!(referred, Ok(Referred::Connected));
    agent.call.hang_up(HangUp::Normal);
    agent.is_let_go().await;
    hear_each_other(&line, &police).await;
    police.call.hang_up(HangUp::Normal);
    line.is_let_go().await;
    assert_eq!(ends(&exchange, &exchange.contact(1).await).await, "completed");
    exchange.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_asks_first_and_then_hands_a_caller_over() {
    let mut carrier = Far::carrier().await;
    let exchange = queue(&carrier).await;
    let mut li_na = phone(&exchange, LI_NA, "li-na").await;
    let mut line = carrier.call(exchange.address, "12345").await;
    let mut agent = li_na.take().await;
    hear_each_other(&line, &agent).await;
    let to = Destination::Trunk {
        name: "hotline".to_owned(),
        number: "110".to_owned(),
    };
    let mut asking = li_na.dial(to, Direction::SendReceive, Vec::new()).await;
    let police = carrier.take().await;
    let mut asking = within("an answer", asking.answered())
        .await
        .expect("it is answered");
    hear_each_other(&asking, &police).await;
    let to = format!("sip:110@{}", exchange.address);
    let referred = within("the transfer", agent.call.refer(&to, Some(&asking.call))).await;
    assert_eq!(referred, Ok(Referred::Connected));
    agent.call.hang_up(HangUp::Normal);
    agent.is_let_go().await;
    asking.is_let_go().await;
    hear_each_other(&line, &police).await;
    police.call.hang_up(HangUp::Normal);
    line.is_let_go().await;
    assert_eq!(ends(&exchange, &exchange.contact(1).await).await, "completed");
    exchange.stop().await;
}

/// An operator's request.
async fn asks(exchange: &Exchange, method: &str, path: &str, body: Option<Json>) -> (u16, Json) {
    let address = exchange.node.address().expect("it listens");
    let method = method.parse().expect("a method");
    let mut request = reqwest::Client::new().request(method, format!("http://{address}{path}"));
    if let Some(body) = body {
        request = request.json(&body);
    }
    let response = request.send().await.expect("it is answered");
    let status = response.status().as_u16();
    let text = response.text().await.expect("it has a body");
    (status, serde_json::from_str(&text).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_supervisor_listens_whispers_and_steps_in() {
    let carrier = Far::carrier().await;
    let exchange = queue(&carrier).await;
    let mut li_na = phone(&exchange, LI_NA, "li-na").await;
    let mut boss = phone(&exchange, BOSS, "boss").await;
    let mut line = carrier.call(exchange.address, "12345").await;
    let contact = exchange.contact(1).await;
    let agent = li_na.take().await;
    hear_each_other(&line, &agent).await;
    let (status, calls) = asks(&exchange, "GET", "/api/v1/calls", None).await;
    let up = json!({ "calls": [{ "contact": contact.to_string(), "from": "trunk carrier" }] });
    assert_eq!((status, calls), (200, up));
    let legs = format!("/api/v1/contacts/{contact}/legs");
    // Who hears the supervisor: the caller, the agent.
    for (part, hear) in [
        ("listens", [false, false]),
        ("whispers", [false, true]),
        ("joins", [true, true]),
    ] {
        let wish = json!({ "agent": "boss", "part": part });
        let (status, leg) = asks(&exchange, "POST", &legs, Some(wish)).await;
        assert_eq!(status, 201, "{leg}");
        let mut guest = boss.take().await;
        for peer in [&line.peer, &agent.peer, &guest.peer] {
            peer.forget();
        }
        is_heard(&format!("who {part} hears the caller"), &line, &guest, 500.0).await;
        is_heard(&format!("who {part} hears the agent"), &agent, &guest, 1_100.0).await;
        guest.peer.play(&tone(1_700.0, 600));
        if hear[1] {
            is_heard(&format!("the agent hears who {part}"), &guest, &agent, 1_700.0).await;
        }
        if hear[0] {
            is_heard(&format!("the caller hears who {part}"), &guest, &line, 1_700.0).await;
        }
        sleep(Duration::from_millis(900)).await;
        assert_eq!(
            [line.has_pitch(1_700.0), agent.has_pitch(1_700.0)],
            hear,
            "{part}"
        );
        let number = leg["leg"].as_u64().expect("a number");
        let (status, _) = asks(&exchange, "DELETE", &format!("{legs}/{number}"), None).await;
        assert_eq!(status, 204);
        guest.is_let_go().await;
        hear_each_other(&line, &agent).await;
    }
    let wish = json!({ "agent": "li-na", "part": "listens" });
    assert_eq!(
        asks(&exchange, "POST", &legs, Some(wish)).await.0,
        409,
        "no supervisor"
    );
    assert_eq!(
        asks(&exchange, "DELETE", &format!("{legs}/99"), None).await.0,
        404
    );
    agent.call.hang_up(HangUp::Normal);
    line.is_let_go().await;
    exchange.stop().await;
}
