//! One caller and a contact: what is heard, what stops it, what is written, and how it ends.

use std::time::Duration;

use tokio::time::sleep;
use trunkline_engine::{Fact, session::State};
use trunkline_media::{Codec, Sound, wav};
use trunkline_sip::{Destination, sdp::Direction};

use crate::common::{CALLER, Far, Line, city, eventually, tone};

const DONE: &str = "  done: { end: completed }\n  other: { end: unserved }\n";

fn outcome(state: &State) -> Option<&str> {
    match state {
        State::Ended { outcome, .. } => Some(outcome),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prompts_are_heard_in_their_order_and_byte_for_byte() {
    let (one, two) = (tone(500.0, 300), tone(740.0, 400));
    let steps = format!(
        "start: first\nsteps:\n  first: {{ say: {{ en: one }}, next: second }}\n  second: {{ say: {{ en: two }}, next: done }}\n{DONE}"
    );
    let exchange = city(&steps, &[("one", &one), ("two", &two)], None).await;
    let carrier = Far::carrier().await;
    let mut line = carrier.call(exchange.address, "12345").await;
    line.is_let_go().await;
    line.hears("the last prompt", &two).await;
    let (first, second) = (line.place_of(&one), line.place_of(&two));
    assert!(first.is_some() && first < second, "{first:?} {second:?}");
    let contact = exchange.contact(1).await;
    let session = exchange
        .until("it ends", &contact, trunkline_engine::Session::has_ended)
        .await;
    assert_eq!(outcome(&session.state), Some("completed"));
    assert_eq!(
        session.caller.as_deref(),
        Some(CALLER),
        "a trusted trunk's word counts"
    );
    exchange.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_stops_a_prompt_at_once_and_a_notice_never() {
    let (notice, long) = (tone(600.0, 3_000), tone(500.0, 20_000));
    let steps = format!(
        "start: notice\nsteps:\n  notice: {{ say: {{ en: notice }}, notice: privacy, next: menu }}\n  \
         menu: {{ ask: {{ en: long }}, answer: digits, length: 2, on: {{ else: other }}, next: done }}\n{DONE}"
    );
    let exchange = city(&steps, &[("notice", &notice), ("long", &long)], None).await;
    let carrier = Far::carrier().await;
    // Pressed during the notice: it is heard whole, and the question is answered before it is put.
    let mut hasty = carrier.call(exchange.address, "12345").await;
    hasty.press("12");
    hasty.is_let_go().await;
    hasty.hears("the whole notice", &notice).await;
    assert!(!hasty.has_pitch(500.0), "who has answered is not asked");
    // Pressed during the question: it stops.
    let mut line = carrier.call(exchange.address, "12345").await;
    eventually("the question begins", || line.has_pitch(500.0)).await;
    line.press("1");
    let silent = |sound: &[u8]| sound.iter().all(|byte| Codec::Pcma.sample(*byte).abs() < 16);
    eventually("the question stops", || {
        line.heard()
            .last_chunk::<1_600>()
            .is_some_and(|last| silent(last))
    })
    .await;
    let heard = line.heard().len();
    sleep(Duration::from_millis(300)).await;
    assert!(
        silent(&line.heard()[heard..]),
        "nothing of the question is heard any more"
    );
    line.press("2");
    line.is_let_go().await;
    for number in [1, 2] {
        let contact = exchange.contact(number).await;
        let session = exchange
            .until("it ends", &contact, trunkline_engine::Session::has_ended)
            .await;
        assert_eq!(outcome(&session.state), Some("completed"));
    }
    exchange.stop().await;
}

/// The two channels of a recording.
fn channels(bytes: &[u8]) -> [Vec<i16>; 2] {
    let samples: Vec<i16> = bytes[wav::HEADER_BYTES..]
        .chunks_exact(2)
        .map(|sample| i16::from_le_bytes([sample[0], sample[1]]))
        .collect();
    let of = |channel: usize| samples.iter().skip(channel).step_by(2).copied().collect();
    [of(0), of(1)]
}

fn loudest(samples: &[i16]) -> i16 {
    samples
        .iter()
        .map(|sample| sample.saturating_abs())
        .max()
        .unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recording_holds_both_sides_and_no_secret() {
    let (pin, word) = (tone(500.0, 200), tone(700.0, 200));
    let steps = format!(
        "vars: {{ pin: \"string?\" }}\nstart: begin\nsteps:\n  begin: {{ record: start, next: pin }}\n  \
         pin: {{ ask: {{ en: pin }}, answer: digits, length: 2, secret: true, save: pin, on: {{ else: other }}, next: word }}\n  \
         word: {{ ask: {{ en: word }}, answer: digits, length: 1, on: {{ else: other }}, next: end }}\n  \
         end: {{ record: stop, next: done }}\n{DONE}"
    );
    let exchange = city(&steps, &[("pin", &pin), ("word", &word)], None).await;
    let carrier = Far::carrier().await;
    let mut line = carrier.call(exchange.address, "12345").await;
    line.hears("the first question", &pin).await;
    // Some phones play a key's tone beside its event.
    line.peer.play(&tone(1_000.0, 300));
    line.press("12");
    line.hears("the second question", &word).await;
    sleep(Duration::from_millis(700)).await;
    line.peer.play(&tone(1_300.0, 300));
    sleep(Duration::from_millis(700)).await;
    line.press("3");
    line.is_let_go().await;
    let contact = exchange.contact(1).await;
    let session = exchange
        .until("it ends", &contact, trunkline_engine::Session::has_ended)
        .await;
    assert_eq!(outcome(&session.state), Some("completed"));
    let file = exchange.recordings().join(format!("contact-{contact}.wav"));
    let [said, heard] = channels(&std::fs::read(&file).expect("the recording has its name"));
    let at = |hertz: f64, samples: &[i16]| {
        let line = Sound::from_pcm(samples.to_vec());
        pitch(&line, hertz)
    };
    assert!(
        at(500.0, &heard) && at(700.0, &heard),
        "what was said to the caller is there"
    );
    assert!(at(1_300.0, &said), "what the caller said is there");
    assert!(!at(1_000.0, &said), "what sounded beside the secret is not");
    let loud = loudest(&said);
    assert!(loud > 5_000, "{loud}");
    exchange.stop().await;
}

/// Whether a tenth of a second of a sound is mostly of a pitch.
fn pitch(sound: &Sound, hertz: f64) -> bool {
    sound.samples().chunks_exact(400).any(|window| {
        let (mut real, mut imaginary, mut energy) = (0.0, 0.0, 0.0);
        for (at, sample) in window.iter().enumerate() {
            let angle = std::f64::consts::TAU * hertz * at as f64 / 8_000.0;
            real += f64::from(*sample) * angle.cos();
            imaginary += f64::from(*sample) * angle.sin();
            energy += f64::from(*sample) * f64::from(*sample);
        }
        energy / 400.0 > 10_000.0 && 2.0 * (real * real + imaginary * imaginary) / (400.0 * energy) > 0.5
    })
}

const MESSAGE: &str = "vars: { message: \"string?\" }\nstart: leave\nsteps:\n  \
    leave: { record: { message: { en: speak }, max: 1m, finish: \"#\", save: message }, on: { else: other }, next: done }\n";

/// Leaves a message of a second, after the tone.
async fn leave(line: &Line, speak: &Sound) {
    line.hears("the words before the tone", speak).await;
    eventually("the tone is heard", || line.has_pitch(1_000.0)).await;
    sleep(Duration::from_millis(500)).await;
    line.peer.play(&tone(1_500.0, 1_000));
    sleep(Duration::from_millis(1_300)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_on_the_disk_under_the_name_that_the_journal_has() {
    let speak = tone(500.0, 200);
    let exchange = city(&format!("{MESSAGE}{DONE}"), &[("speak", &speak)], None).await;
    let carrier = Far::carrier().await;
    let mut finishes = carrier.call(exchange.address, "12345").await;
    leave(&finishes, &speak).await;
    finishes.press("#");
    finishes.is_let_go().await;
    // The other hangs up in the middle of it.
    let leaves = carrier.call(exchange.address, "12345").await;
    leave(&leaves, &speak).await;
    leaves.call.hang_up(trunkline_sip::HangUp::Normal);
    for number in [1, 2] {
        let contact = exchange.contact(number).await;
        let session = exchange
            .until("it ends", &contact, trunkline_engine::Session::has_ended)
            .await;
        let value = session
            .frames
            .first()
            .and_then(|frame| frame.variables.values().next().cloned());
        let files: Vec<_> = std::fs::read_dir(exchange.recordings())
            .expect("the folder is there")
            .map(|file| file.expect("it can be listed").path())
            .filter(|path| path.display().to_string().contains(&contact.to_string()))
            .collect();
        assert_eq!(files.len(), 1, "{files:?} {:?}", session.state);
        if number == 1 {
            let name = files[0]
                .file_stem()
                .map(|name| name.to_string_lossy().into_owned());
            let text = trunkline_model::json::to_json(&value.expect("it is saved"));
            assert_eq!(text.as_str(), name.as_deref(), "the flow knows the file's name");
        }
        let sound = Sound::from_wav(&std::fs::read(&files[0]).expect("it can be read")).expect("a WAV");
        assert!(pitch(&sound, 1_500.0), "the message is what was said");
        assert!(
            sound.length() > Duration::from_millis(900),
            "{:?}",
            sound.length()
        );
        assert!(outcome(&session.state).is_some());
    }
    exchange.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prompt_that_cannot_be_said_is_a_tone_and_the_flow_goes_on() {
    let two = tone(740.0, 200);
    let steps = format!(
        "start: first\nsteps:\n  first: {{ say: {{ en: missing }}, next: second }}\n  second: {{ say: {{ en: two }}, next: done }}\n{DONE}"
    );
    let exchange = city(&steps, &[("two", &two)], None).await;
    let carrier = Far::carrier().await;
    let mut line = carrier.call(exchange.address, "12345").await;
    line.is_let_go().await;
    line.hears("the rest", &two).await;
    assert!(line.has_pitch(450.0), "a tone says that something is missing");
    exchange.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_number_that_was_diverted_from_picks_the_flow_and_a_claim_is_only_a_claim() {
    let one = tone(500.0, 100);
    let steps = format!("start: first\nsteps:\n  first: {{ say: {{ en: one }}, next: done }}\n{DONE}");
    let exchange = city(&steps, &[("one", &one)], None).await;
    let carrier = Far::carrier().await;
    let headers = vec![(
        "Diversion".to_owned(),
        "<sip:12329@carrier.example>;reason=unconditional".to_owned(),
    )];
    let mut line = carrier
        .call_as(exchange.address, "12345", Direction::SendReceive, headers)
        .await;
    line.is_let_go().await;
    let contact = exchange.contact(1).await;
    let session = exchange
        .until("it ends", &contact, trunkline_engine::Session::has_ended)
        .await;
    assert_eq!(outcome(&session.state), Some("moved"));
    let claims = Far::carrier_at([127, 0, 0, 9].into()).await;
    let mut line = claims.call(exchange.address, "12345").await;
    line.is_let_go().await;
    let contact = exchange.contact(2).await;
    let session = exchange.session(&contact).await;
    assert_eq!(
        (session.caller.as_deref(), session.claimed.as_deref()),
        (None, Some(CALLER))
    );
    // A number of nobody's, and an address of nobody's.
    let mut nobody = carrier
        .dial(
            Destination::Uri(format!("sip:999@{}", exchange.address)),
            Direction::SendReceive,
            Vec::new(),
        )
        .await;
    assert_eq!(nobody.answered().await.err(), Some(404));
    exchange.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_drains_takes_nobody_and_who_stops_lets_everybody_go() {
    let long = tone(500.0, 20_000);
    let steps = format!(
        "start: first\nsteps:\n  first: {{ say: {{ en: long }}, next: second }}\n  second: {{ ask: {{ en: long }}, answer: digits, length: 2, on: {{ else: other }}, next: done }}\n{DONE}"
    );
    let exchange = city(&steps, &[("long", &long)], None).await;
    let carrier = Far::carrier().await;
    let mut line = carrier.call(exchange.address, "12345").await;
    let contact = exchange.contact(1).await;
    exchange.node.contacts().drain(true);
    sleep(Duration::from_secs(1)).await;
    let mut refused = carrier
        .dial(
            Destination::Uri(format!("sip:12345@{}", exchange.address)),
            Direction::SendReceive,
            Vec::new(),
        )
        .await;
    assert_eq!(refused.answered().await.err(), Some(503));
    eventually("who was there goes on", || line.has_pitch(500.0)).await;
    exchange.phone.stop().await;
    line.is_let_go().await;
    let session = exchange
        .until("it ends", &contact, trunkline_engine::Session::has_ended)
        .await;
    assert_eq!(outcome(&session.state), Some("abandoned"));
    let events = exchange.events(&contact).await;
    assert!(
        events
            .iter()
            .any(|event| matches!(event.fact, Fact::HungUp { .. }))
    );
    exchange.node.shutdown().await;
}
