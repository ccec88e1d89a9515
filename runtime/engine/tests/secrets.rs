//! A secret answer stands in no event, in whatever way it was given or passed on, and reaches
//! the plugin all the same.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use trunkline_engine::{
    Arrival, Channel, Event, Input, Readings, Session, Utterance, arrive, decide, session::State,
};
use trunkline_flow::Checked;
use trunkline_model::{ContactId, Digest, Duration, FaultKind, Outcome, Timestamp, Value};

mod support;

/// Digits that stand nowhere else in a journal.
const CARD: &str = "9173";

struct Call {
    hotline: Checked,
    session: Session,
    events: Vec<Event>,
    at: Timestamp,
    inputs: u32,
}

impl Call {
    fn begin(channel: Channel) -> Self {
        let hotline = support::hotline();
        let at = Timestamp::from_millis(1_795_140_000_000);
        let arrival = Arrival {
            contact: ContactId::generate(Timestamp::from_millis(0), [0; 10]),
            release: Digest::from_bytes([0; 32]),
            channel,
            number: "511".into(),
            language: None,
            caller: None,
            claimed: None,
        };
        let begun = arrive(&hotline, arrival, at, &Readings::default()).unwrap();
        Self {
            hotline,
            session: begun.session,
            events: begun.events,
            at,
            inputs: 0,
        }
    }

    fn give(&mut self, input: &Input) {
        let decision = decide(&self.hotline, &self.session, input, self.at, &Readings::default());
        self.events.extend(decision.events);
        self.session = decision.session;
    }

    fn utter(&mut self, utterance: Utterance) {
        self.inputs += 1;
        let id = format!("i-{}", "x".repeat(self.inputs as usize)).into();
        self.give(&Input::Utterance { id, utterance });
    }

    fn keys(&mut self, keys: &str) {
        self.utter(Utterance::Keys(keys.into()));
    }

    fn text(&mut self, text: &str) {
        self.utter(Utterance::Text(text.into()));
    }

    /// What a store would be given does not hold the secret, nor its halves side by side.
    fn journal_keeps_silent(&self) {
        let journal = serde_json::to_string(&self.events).unwrap();
        assert!(!journal.contains(CARD), "{journal}");
        let folded = Session::fold(self.session.contact.clone(), &self.events);
        assert_eq!(folded, self.session);
        assert!(!format!("{:?}", self.session).contains(CARD));
    }
}

#[test]
fn the_plugin_is_told_and_the_journal_is_not() {
    let mut call = Call::begin(Channel::Voice);
    call.keys("9");
    call.keys("173");
    assert!(call.session.holds_secrets());
    call.text("tax");
    call.journal_keeps_silent();
    let pending = call.session.pending();
    let calling = pending.calls[0];
    assert!(calling.redacted && calling.arguments.is_empty());
    let told = [Value::from(format!("{CARD}-x"))];
    assert_eq!(call.session.arguments(calling), Some(&told[..]));
    // An attempt that failed is made again with the same.
    let answer = Input::Answer {
        call: calling.call.clone(),
        attempt: 1,
        outcome: Outcome::fault(FaultKind::Trap, ""),
    };
    call.give(&answer);
    let pending = call.session.pending();
    assert_eq!(call.session.arguments(pending.calls[0]), Some(&told[..]));
    let answer = Input::Answer {
        call: pending.calls[0].call.clone(),
        attempt: 2,
        outcome: Outcome::Ok(Value::None),
    };
    call.give(&answer);
    assert!(call.session.has_ended());
    assert!(!call.session.holds_secrets(), "an ended contact keeps none");
    call.journal_keeps_silent();
}

#[test]
fn what_is_wrong_or_incomplete_is_secret_too() {
    let mut call = Call::begin(Channel::Chat);
    call.text(&format!("my card is {CARD}"));
    call.keys(&format!("{CARD}0"));
    call.journal_keeps_silent();
    let mut call = Call::begin(Channel::Voice);
    call.keys(&CARD[..3]);
    call.at = call.at + Duration::from_secs(4);
    call.give(&Input::TimeUp);
    assert!(matches!(call.session.state, State::Hearing(_)));
    assert!(!call.session.holds_secrets(), "what was misheard is forgotten");
}

#[test]
fn a_folded_contact_does_not_have_it_and_says_so() {
    let mut call = Call::begin(Channel::Chat);
    call.text(CARD);
    call.text("tax");
    let folded = Session::fold(call.session.contact.clone(), &call.events);
    let pending = folded.pending();
    assert_eq!(folded.arguments(pending.calls[0]), None);
    assert!(!folded.holds_secrets());
    // A live state hands it on to one that folded the same events.
    let mut folded = folded.clone();
    folded.keep_secrets_of(&call.session);
    assert!(folded.arguments(call.session.pending().calls[0]).is_some());
}
