//! Calls as transcripts: each file in `tests/transcripts` is one call, and the test is that
//! playing its inputs (the lines that begin with `>`) gives the file again.
//!
//! A new case is a new file. After a change that is meant, `TRUNKLINE_BLESS=1 cargo test -p
//! trunkline-engine --test transcripts` writes what happens now; read the difference.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{fmt::Write as _, fs, path::Path, sync::Arc};

use trunkline_engine::{
    Arrival, Channel, Decision, Event, Fact, Input, Personal, Reply, Session, Utterance, arrive, decide,
};
use trunkline_flow::Checked;
use trunkline_model::{
    ContactId, Digest, Duration, FaultKind, Outcome, Refusal, Timestamp, Value, json::to_json,
};

mod support;

/// Saturday 21 November 2026, 20:05 in Shanghai.
const EVENING: i64 = 1_795_262_700_000;
/// Friday 20 November 2026, 10:00 in Shanghai.
const OFFICE_HOURS: i64 = 1_795_140_000_000;

#[test]
fn transcripts_play_as_they_are_written() {
    let hotline = support::hotline();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(!files.is_empty());
    let mut different = Vec::new();
    for path in files {
        let written = fs::read_to_string(&path).unwrap();
        let played = Player::new(&hotline).play(&written);
        if played != written {
            if std::env::var_os("TRUNKLINE_BLESS").is_some() {
                fs::write(&path, &played).unwrap();
            }
            different.push(format!(
                "{}\n--- written\n{written}\n--- played\n{played}",
                path.display()
            ));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n\n"));
}

struct Player<'a> {
    hotline: &'a Checked,
    at: Timestamp,
    session: Option<Session>,
    events: Vec<Event>,
    inputs: u32,
    out: String,
}

impl<'a> Player<'a> {
    fn new(hotline: &'a Checked) -> Self {
        Self {
            hotline,
            at: Timestamp::from_millis(EVENING),
            session: None,
            events: Vec::new(),
            inputs: 0,
            out: String::new(),
        }
    }

    fn play(mut self, written: &str) -> String {
        for line in written.lines() {
            if line.starts_with('#') {
                writeln!(self.out, "{line}").unwrap();
            } else if let Some(command) = line.strip_prefix("> ") {
                writeln!(self.out, "> {command}").unwrap();
                self.command(command);
            }
        }
        let session = self.session.expect("a transcript begins with a call");
        assert_eq!(
            Session::fold(session.contact.clone(), &self.events),
            session,
            "folding gives the session"
        );
        self.out
    }

    fn command(&mut self, command: &str) {
        let (verb, rest) = command.split_once(' ').unwrap_or((command, ""));
        match verb {
            "call" | "chat" => self.arrive(verb, rest),
            "office-hours" => self.at = Timestamp::from_millis(OFFICE_HOURS),
            "keys" => self.utter(Utterance::Keys(rest.into())),
            "text" => self.utter(Utterance::Text(rest.into())),
            "again" => self.give_again(Utterance::Keys(rest.into())),
            "hangs-up" => self.give(Input::HangUp { id: None }),
            "after" => self.pass(rest.parse().unwrap()),
            "restart" => {
                let session = self.session.take().unwrap();
                self.session = Some(Session::fold(session.contact, &self.events));
                self.at = self.at + rest.parse().unwrap_or_default();
                self.give(Input::Recovered);
            }
            "answers" | "refuses" | "fails" => self.answer(verb, rest),
            _ => panic!("unknown command {command:?}"),
        }
    }

    fn arrive(&mut self, verb: &str, rest: &str) {
        let mut words = rest.split(' ');
        let arrival = Arrival {
            contact: ContactId::generate(Timestamp::from_millis(0), [0; 10]),
            release: Digest::of(b"release"),
            channel: if verb == "call" {
                Channel::Voice
            } else {
                Channel::Chat
            },
            number: words.next().unwrap().into(),
            language: None,
            caller: words.next().map(Arc::from),
            claimed: None,
        };
        match arrive(self.hotline, arrival, self.at) {
            Ok(decision) => self.take(decision),
            Err(error) => writeln!(self.out, "error {error}").unwrap(),
        }
    }

    fn utter(&mut self, utterance: Utterance) {
        self.inputs += 1;
        self.give_again(utterance);
    }

    fn give_again(&mut self, utterance: Utterance) {
        let id = format!("i{}", self.inputs).into();
        self.give(Input::Utterance { id, utterance });
    }

    fn answer(&mut self, verb: &str, rest: &str) {
        let (attempt, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let outcome = match verb {
            "answers" => Outcome::Ok(if rest.is_empty() {
                Value::None
            } else {
                Value::record([("id", Value::from("c-1")), ("name", Value::from(rest))])
            }),
            "refuses" => {
                let (case, payload) = rest.split_once(' ').unwrap_or((rest, ""));
                let payload = payload.parse::<i64>().map_or(Value::None, Value::from);
                Outcome::Refusal(Refusal {
                    case: case.into(),
                    payload,
                })
            }
            _ => {
                let kind = FaultKind::ALL
                    .into_iter()
                    .find(|kind| kind.as_str() == rest)
                    .unwrap();
                Outcome::fault(kind, "as the transcript says")
            }
        };
        let session = self.session.as_ref().unwrap();
        let call = session.contact.call(session.calls);
        self.give(Input::Answer {
            call,
            attempt: attempt.parse().unwrap(),
            outcome,
        });
    }

    /// Lets time pass, waking the contact whenever it wants to be woken.
    fn pass(&mut self, time: Duration) {
        let end = self.at + time;
        while let Some(wake) = self
            .session
            .as_ref()
            .unwrap()
            .pending()
            .wake
            .filter(|wake| *wake <= end)
        {
            self.at = wake;
            self.give(Input::TimeUp);
        }
        self.at = end;
    }

    fn give(&mut self, input: Input) {
        let decision = decide(self.hotline, self.session.as_ref().unwrap(), &input, self.at);
        self.take(decision);
    }

    fn take(&mut self, decision: Decision) {
        for event in &decision.events {
            if let Some(line) = told(event) {
                writeln!(self.out, "{line}").unwrap();
            }
        }
        if let Reply::Refused(why) = decision.reply {
            writeln!(self.out, "refused: {why}").unwrap();
        }
        self.events.extend(decision.events);
        self.session = Some(decision.session);
    }
}

/// An event in a line; none for those that say nothing new to a reader.
fn told(event: &Event) -> Option<String> {
    let personal = match &event.personal {
        Some(Personal::Text(text)) => text.to_string(),
        Some(Personal::Value(value)) => to_json(value).to_string(),
        Some(Personal::Arguments(arguments)) => arguments
            .iter()
            .map(|value| to_json(value).to_string())
            .collect::<Vec<_>>()
            .join(", "),
        _ => String::new(),
    };
    Some(match &event.fact {
        Fact::Said {
            prompt, notice: None, ..
        } => {
            format!(
                "says {}: {personal}",
                prompt.as_ref().map_or("inline", |prompt| prompt.as_str())
            )
        }
        Fact::Asked {
            question,
            expects,
            hearing,
            until,
        } => format!(
            "hears {question:?} {hearing} keys [{}]{} for {}",
            expects.keys,
            if expects.text { " words" } else { "" },
            until.since(event.at)
        ),
        Fact::StepFinished { step, exit } => format!("{step} -> {exit}"),
        Fact::StepPassed { step } => format!("{step} passed over"),
        Fact::Misheard { why, hearing } => format!("misheard {hearing}: {why}"),
        Fact::KeysAhead => format!("keys ahead [{personal}]"),
        Fact::KeysCollected { until } => format!("collected [{personal}] for {}", until.since(event.at)),
        Fact::Consent { name, given } => format!("consent {name}: {given}"),
        Fact::CallRequested {
            function,
            attempt,
            until,
            ..
        } => {
            format!(
                "calls {function} attempt {attempt} ({personal}) for {}",
                until.since(event.at)
            )
        }
        Fact::CallAnswered { attempt, answer, .. } => format!("attempt {attempt} answered: {answer:?}"),
        Fact::AnsweredLate { attempt, answer, .. } => format!("attempt {attempt} answered late: {answer:?}"),
        Fact::VariableSet { name } => format!("{name} = {personal}"),
        Fact::LanguageSet { language } => format!("language = {language}"),
        Fact::Read { name, value } => format!("read {name} = {}", to_json(value)),
        Fact::ExpressionFailed { step, reason } => format!("expression failed in {step}: {reason}"),
        Fact::Waiting { until } => format!("waits {}", until.since(event.at)),
        Fact::Resumed { away } => format!("resumed after {away}"),
        Fact::HungUp { .. } => "caller left".to_owned(),
        Fact::LimitHit { limit } => format!("limit {limit}"),
        Fact::Ended { cause, outcome } => format!("ended {cause:?} {outcome}"),
        Fact::FlowEntered { flow } => format!("flow {flow} entered"),
        Fact::FlowLeft { flow, outcome } => format!("flow {flow} left: {outcome}"),
        Fact::InputRefused { .. }
        | Fact::Said { .. }
        | Fact::Arrived { .. }
        | Fact::StepEntered { .. }
        | Fact::Heard { .. }
        | Fact::Understood
        | Fact::AnswerFull { .. }
        | Fact::Played { .. }
        | Fact::FillerSaid { .. }
        | Fact::ClosingBegan => return None,
    })
}
