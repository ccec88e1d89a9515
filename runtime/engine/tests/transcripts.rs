//! Calls as transcripts: each file in `tests/transcripts` is one call, and the test is that
//! playing its inputs (the lines that begin with `>`) gives the file again.
//!
//! A new case is a new file. After a change that is meant, `TRUNKLINE_BLESS=1 cargo test -p
//! trunkline-engine --test transcripts` writes what happens now; read the difference.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{fmt::Write as _, fs, path::Path, sync::Arc};

use trunkline_engine::{
    Arrival, Channel, Decision, Event, Fact, Input, Personal, Reply, Services, Session, Utterance, arrive,
    decide,
};
use trunkline_engine::{
    service::{
        Demand, Particulars, QueueAnswer, RecordDemand, ServiceAnswer, Serving, Stage, TransferAnswer,
    },
    services::Told,
};
use trunkline_flow::Checked;
use trunkline_model::{
    CallId, ContactId, Digest, Duration, FaultKind, Outcome, Refusal, Timestamp, Value, WorkId, json::to_json,
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
    services: Services,
    /// The work that was asked for last, and its attempt.
    asked: Option<(WorkId, u32)>,
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
            services: Services::new(hotline),
            asked: None,
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
                // What services keep in memory is gone; what hotline.yaml says of them is not.
                self.services = Services::new(self.hotline);
                self.asked = None;
                self.at = self.at + rest.parse().unwrap_or_default();
                self.give(Input::Recovered);
            }
            "answers" | "refuses" | "fails" | "tells" => {
                let session = self.session.as_ref().unwrap();
                let call = session.contact.call(session.calls);
                self.answer(call, verb, rest);
            }
            "branch" => {
                let (name, rest) = rest.split_once(' ').unwrap();
                let (verb, rest) = rest.split_once(' ').unwrap_or((rest, ""));
                self.answer(self.branch(name), verb, rest);
            }
            "agent" => self.agent(rest),
            "party" => self.party(rest),
            "crowd" => self.crowd(rest),
            "no-lines" => self.services = self.services.clone().without_lines(),
            "happens" => self.give(Input::EventHappened {
                id: format!("event {rest}").into(),
                event: rest.into(),
            }),
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
            caller: words.next().filter(|word| *word != "-").map(Arc::from),
            claimed: None,
            language: words.next().map(Arc::from),
        };
        let readings = self.services.readings(None, self.at);
        match arrive(self.hotline, arrival, self.at, &readings) {
            Ok(decision) => self.take(decision),
            Err(error) => writeln!(self.out, "error {error}").unwrap(),
        }
    }

    fn contact(&self) -> ContactId {
        self.session.as_ref().unwrap().contact.clone()
    }

    /// `agent NAME available|away|answers|ends`
    fn agent(&mut self, rest: &str) {
        let (name, does) = rest.split_once(' ').unwrap();
        let (services, at) = (&mut self.services, self.at);
        let contact = self.session.as_ref().map(|session| session.contact.clone());
        let told = match does {
            "available" => services.agent_available(name, at),
            "away" => services.agent_away(name, at),
            "answers" => services.agent_answers(name, &contact.unwrap(), at),
            "ends" => services.agent_ends(name, &contact.unwrap(), at),
            _ => panic!("unknown deed of an agent {does:?}"),
        };
        match told {
            Ok(told) => self.tell(told),
            Err(error) => writeln!(self.out, "error {error}").unwrap(),
        }
    }

    /// `party answers|ends|busy|no-answer|fails`
    fn party(&mut self, rest: &str) {
        let came = match rest {
            "answers" => TransferAnswer::Answered,
            "ends" => TransferAnswer::OtherLegEnded,
            "busy" => TransferAnswer::Busy,
            "no-answer" => TransferAnswer::NoAnswer,
            "fails" => TransferAnswer::Failed,
            _ => panic!("unknown deed of a party {rest:?}"),
        };
        let told = self.services.party(&self.contact(), came).unwrap();
        self.tell(told);
    }

    /// `crowd QUEUE COUNT`: so many others wait in a queue.
    fn crowd(&mut self, rest: &str) {
        let (queue, count) = rest.split_once(' ').unwrap();
        for other in 0..count.parse::<u8>().unwrap() {
            let serving = Serving {
                seq: 1,
                work: format!("other-{other}").into(),
                attempt: 1,
                demand: Demand::Queue {
                    queue: queue.into(),
                    skills: Vec::new(),
                    priority: 5,
                    since: self.at,
                    max: Duration::from_secs(3_600),
                },
                particulars: Particulars::default(),
                until: self.at,
                stage: Stage::Asked,
            };
            let contact = ContactId::generate(Timestamp::from_millis(1), [other; 10]);
            self.services.ask(&contact, &serving, self.at);
        }
    }

    /// Gives what services say to the contact; others are not played.
    fn tell(&mut self, told: Vec<Told>) {
        for told in told {
            if self
                .session
                .as_ref()
                .is_some_and(|session| session.contact == told.contact)
            {
                self.give(told.input);
            }
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

    /// The call of a branch of `together`, which takes its number in written order.
    fn branch(&self, name: &str) -> CallId {
        let session = self.session.as_ref().unwrap();
        let place = ["c", "b", "a"].iter().position(|branch| *branch == name).unwrap();
        session
            .contact
            .call(session.calls - u32::try_from(place).unwrap())
    }

    fn answer(&mut self, call: CallId, verb: &str, rest: &str) {
        let (attempt, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let outcome = match verb {
            "answers" => Outcome::Ok(if rest.is_empty() {
                Value::None
            } else {
                Value::record([("id", Value::from("c-1")), ("name", Value::from(rest))])
            }),
            "tells" => Outcome::Ok(Value::from(rest)),
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
        self.give(Input::Answer {
            call,
            attempt: attempt.parse().unwrap(),
            outcome,
        });
    }

    /// Lets time pass, waking the contact and the services whenever they want to be woken.
    fn pass(&mut self, time: Duration) {
        let end = self.at + time;
        loop {
            let contact = self.session.as_ref().unwrap().pending().wake;
            let services = self.services.next_wake();
            let Some(wake) = contact
                .into_iter()
                .chain(services)
                .min()
                .filter(|wake| *wake <= end)
            else {
                break;
            };
            self.at = wake;
            if services == Some(wake) {
                let told = self.services.advance(wake);
                self.tell(told);
            } else {
                self.give(Input::TimeUp);
            }
        }
        self.at = end;
    }

    fn give(&mut self, input: Input) {
        let session = self.session.as_ref().unwrap();
        let readings = self.services.readings(Some(&session.contact), self.at);
        let decision = decide(self.hotline, session, &input, self.at, &readings);
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
        let contact = decision.session.contact.clone();
        let mut told = Vec::new();
        for event in &decision.events {
            match &event.fact {
                Fact::ServiceLeft { work } => told.extend(self.services.left(&contact, work, self.at)),
                Fact::Ended { .. } => told.extend(self.services.ended(&contact, self.at)),
                _ => {}
            }
        }
        if let Some(serving) = decision.session.pending().service {
            let asked = Some((serving.work.clone(), serving.attempt));
            if self.asked != asked {
                self.asked = asked;
                told.extend(self.services.ask(&contact, serving, self.at));
            }
        }
        self.events.extend(decision.events);
        self.session = Some(decision.session);
        self.tell(told);
    }
}

/// An event in a line; none for those that say nothing new to a reader.
fn told(event: &Event) -> Option<String> {
    let personal = match &event.personal {
        Some(Personal::Text(text)) => text.to_string(),
        Some(Personal::Spoken { text, speech }) => {
            let parts: Vec<_> = speech.iter().map(|part| format!("{part:?}")).collect();
            format!("{text} <{}>", parts.join(" "))
        }
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
        Fact::Waiting { until, event: None } => format!("waits {}", until.since(event.at)),
        Fact::Waiting {
            until,
            event: Some(awaited),
        } => format!("waits for {awaited} {}", until.since(event.at)),
        Fact::EventHappened { event, .. } => format!("{event} happened"),
        Fact::TogetherBegan { branches, .. } => {
            let names: Vec<&str> = branches.iter().map(|(name, _)| &**name).collect();
            format!("together {}", names.join(", "))
        }
        Fact::ServiceAsked {
            attempt,
            demand,
            until,
            ..
        } => {
            let particulars = match &event.personal {
                Some(Personal::Particulars(particulars)) => told_particulars(particulars),
                _ => String::new(),
            };
            let asked = told_demand(demand);
            format!(
                "asks attempt {attempt} {asked}{particulars} for {}",
                until.since(event.at)
            )
        }
        Fact::ServiceAnswered { answer, .. } => format!("service: {}", told_answer(answer)),
        Fact::ServiceAnsweredLate { answer, .. } => format!("service late: {}", told_answer(answer)),
        Fact::ServiceLeft { .. } => "service left".to_owned(),
        Fact::SurveyAnswered { question } => format!("survey {question} = {personal}"),
        Fact::SurveyPassed { question } => format!("survey {question} passed over"),
        Fact::SecretKept { name, origin } => format!("{name} = a secret of {}", origin.step),
        Fact::SecretsLost { back } => match back {
            Some(origin) => format!("secrets lost, back to {}", origin.step),
            None => "secrets lost".to_owned(),
        },
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
        | Fact::QueuePlanned { .. }
        | Fact::AnswerFull { .. }
        | Fact::Played { .. }
        | Fact::FillerSaid { .. }
        | Fact::ClosingBegan => return None,
    })
}

fn told_demand(demand: &Demand) -> String {
    match demand {
        Demand::Queue {
            queue,
            skills,
            priority,
            ..
        } => format!("queue {queue} priority {priority} skills [{}]", skills.join(", ")),
        Demand::Transfer { to, three_way, .. } => {
            format!("transfer {to:?}{}", if *three_way { " three-way" } else { "" })
        }
        Demand::Callback {
            queue,
            within,
            attempts,
            every,
            window,
        } => format!("callback {queue} within {within}, {attempts} times every {every}, window {window:?}"),
        Demand::Survey { survey } => format!("survey {survey}"),
        Demand::TicketOpen { class } => format!("ticket open {class}"),
        Demand::TicketUpdate => "ticket update".to_owned(),
        Demand::TicketLookUp => "ticket look-up".to_owned(),
        Demand::Notify {
            channel, language, ..
        } => format!("notify {channel} {language}"),
        Demand::Record(demand) => match demand {
            RecordDemand::Message { from, until } => format!("record message of {}", until.since(*from)),
            demand => format!("record {demand:?}"),
        },
    }
}

fn told_particulars(particulars: &Particulars) -> String {
    let mut out = String::new();
    let texts = [&particulars.party, &particulars.reference, &particulars.text];
    for text in texts.into_iter().flatten() {
        write!(out, " {text:?}").unwrap();
    }
    for (name, value) in &particulars.fields {
        write!(out, " {name}={}", to_json(value)).unwrap();
    }
    out
}

fn told_answer(answer: &ServiceAnswer) -> String {
    match answer {
        ServiceAnswer::Queue(QueueAnswer::Joined { position, wait }) => {
            format!("joined at {position}, wait {wait}")
        }
        ServiceAnswer::Queue(QueueAnswer::Offered { agent }) => format!("offered to {agent}"),
        ServiceAnswer::Queue(QueueAnswer::NotTaken { agent }) => format!("not taken by {agent}"),
        ServiceAnswer::Queue(QueueAnswer::AgentJoined { agent }) => format!("agent {agent} joined"),
        ServiceAnswer::Queue(answer) => format!("{answer:?}"),
        ServiceAnswer::Transfer(answer) => format!("{answer:?}"),
        ServiceAnswer::Callback(answer) => format!("{answer:?}"),
        ServiceAnswer::Survey(answer) => format!("{answer:?}"),
        ServiceAnswer::Ticket(answer) => format!("{answer:?}"),
        ServiceAnswer::Notify(answer) => format!("{answer:?}"),
        ServiceAnswer::Record(answer) => format!("{answer:?}"),
    }
}
