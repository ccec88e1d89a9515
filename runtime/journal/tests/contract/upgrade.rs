//! Samples of journals as each version wrote them, in `tests/upgrade`: every one must load for
//! ever, with the events it was written with.
//!
//! `TRUNKLINE_SAMPLE=2 cargo test -p trunkline-journal --test contract upgrade` writes the
//! sample of version 2. A sample that is there is never written again.

use std::{collections::BTreeMap, fs, path::PathBuf, sync::Arc};

use serde::{Deserialize, Serialize};
use trunkline_engine::{
    Channel, Event, Fact, Personal, Utterance,
    event::{AnswerKind, Cause, Expects, Question, Speech},
    input::Refused,
    secrets::Origin,
    service::{
        CallbackAnswer, Demand, Destination, NotifyAnswer, Particulars, QueueAnswer, RecordAnswer,
        RecordDemand, ServiceAnswer, SurveyAnswer, TicketAnswer, TicketState, TransferAnswer,
    },
};
use trunkline_journal::{Append, Events, Journal, MasterKey, Memory, Standing, Version};
use trunkline_model::{ContactId, Digest, Duration, FaultKind, Outcome, Refusal, Timestamp, Value, WorkId};

/// A contact's journal as a store holds it, and what it says.
#[derive(Serialize, Deserialize)]
struct Sample {
    contact: ContactId,
    master: [u8; 32],
    key: Vec<u8>,
    frames: Vec<Vec<u8>>,
    events: Vec<Event>,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/upgrade")
}

#[tokio::test]
async fn journals_of_every_version_load() {
    if let Some(version) = std::env::var_os("TRUNKLINE_SAMPLE") {
        let path = folder().join(format!("journal-{}.json", version.display()));
        assert!(!path.exists(), "{} is there already", path.display());
        fs::write(&path, serde_json::to_string(&write().await).unwrap()).unwrap();
    }
    let mut samples = 0;
    for file in fs::read_dir(folder()).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let sample: Sample = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(read(&sample).await, sample.events, "{}", path.display());
        samples += 1;
    }
    assert!(samples > 0, "no sample in {}", folder().display());
}

async fn read(sample: &Sample) -> Vec<Event> {
    let store = Arc::new(Memory::new());
    let append = Append {
        stream: &sample.contact,
        expected: Version::NONE,
        frames: sample.frames.clone(),
        standing: Standing::Ended,
        key: Some(sample.key.clone()),
    };
    store.append(append).await.unwrap();
    let journal = Journal::new(store, MasterKey::from_bytes(&sample.master));
    journal.read(&sample.contact).await.unwrap().unwrap().events
}

async fn write() -> Sample {
    let store = Arc::new(Memory::new());
    let (contact, master) = (ContactId::generate(Timestamp::from_millis(1), [1; 10]), [7; 32]);
    let journal = Journal::new(store.clone(), MasterKey::from_bytes(&master));
    let events = every_fact();
    journal.begin(&contact, &events).await.unwrap();
    let frames = store.read(&contact, Version::NONE, events.len()).await.unwrap();
    let key = store.head(&contact).await.unwrap().unwrap().key.unwrap();
    Sample {
        contact,
        master,
        key,
        frames: frames.into_iter().map(|frame| frame.bytes).collect(),
        events,
    }
}

/// Each fact once, with each kind of personal data.
fn every_fact() -> Vec<Event> {
    let at = Timestamp::from_millis(1_795_140_000_000);
    let until = at + Duration::from_secs(8);
    let call = || "01jd0000000000000000000000-1".into();
    let citizen = Value::record([
        ("name", Value::from("王芳")),
        ("born", Value::Date("1990-01-31".parse().unwrap())),
        ("since", Value::Time(at)),
        ("waits", Value::Duration(Duration::from_secs(90))),
        ("score", Value::Decimal(0.1)),
        ("house", Value::from(417_203)),
        (
            "flags",
            Value::list([Value::from("registered"), Value::from(true), Value::None]),
        ),
        (
            "kind",
            Value::Variant {
                case: "some".into(),
                payload: Some(Arc::new(Value::None)),
            },
        ),
    ]);
    let facts = vec![
        (
            Fact::Arrived {
                release: Digest::of(b"release"),
                channel: Channel::Chat,
                number: "12345".into(),
                language: "zh-CN".into(),
            },
            Some(Personal::Caller {
                caller: Some("+8613800138000".into()),
                claimed: None,
            }),
        ),
        (
            Fact::FlowEntered { flow: "city".into() },
            Some(Personal::Variables(BTreeMap::from([(
                "citizen".into(),
                citizen.clone(),
            )]))),
        ),
        (
            Fact::StepEntered {
                step: "welcome".into(),
            },
            None,
        ),
        (Fact::StepPassed { step: "greet".into() }, None),
        (
            Fact::Read {
                name: "calendar.office.open".into(),
                value: Value::Bool(true),
            },
            None,
        ),
        (
            Fact::ExpressionFailed {
                step: "greet".into(),
                reason: "division by zero".into(),
            },
            None,
        ),
        (
            Fact::Said {
                prompt: Some("welcome".into()),
                language: "zh-CN".into(),
                notice: Some("privacy".into()),
            },
            Some(Personal::Text("您好".into())),
        ),
        (
            Fact::Said {
                prompt: Some("desk".into()),
                language: "zh-CN".into(),
                notice: None,
            },
            Some(Personal::Spoken {
                text: "请拨打12345".into(),
                speech: vec![
                    Speech::Text("请拨打".into()),
                    Speech::Pause(Duration::from_millis(500)),
                    Speech::Digits("12345".into()),
                ],
            }),
        ),
        (
            Fact::Asked {
                question: Question::Menu,
                expects: Expects {
                    keys: "129".into(),
                    text: true,
                },
                hearing: 1,
                until,
            },
            None,
        ),
        (
            Fact::Heard { input: "i1".into() },
            Some(Personal::Utterance(Utterance::Keys("1".into()))),
        ),
        (Fact::KeysAhead, Some(Personal::Text("12".into()))),
        (Fact::KeysCollected { until }, Some(Personal::Text("3".into()))),
        (Fact::Understood, Some(Personal::Value(Value::from("1234")))),
        (
            Fact::Misheard {
                why: "no-input".into(),
                hearing: 1,
            },
            None,
        ),
        (
            Fact::Consent {
                name: "balance".into(),
                given: true,
            },
            None,
        ),
        (
            Fact::CallRequested {
                call: call(),
                attempt: 1,
                plugin: "crm".into(),
                function: "civil:crm/citizens@1.0.0#find-citizen".into(),
                until,
                filler: Some(at),
                at_most_once: false,
                redacted: false,
            },
            Some(Personal::Arguments(vec![Value::from("+8613800138000")])),
        ),
        (Fact::FillerSaid { call: call() }, None),
        (
            Fact::CallAnswered {
                call: call(),
                attempt: 1,
                answer: AnswerKind::Ok,
            },
            Some(Personal::Answer(Outcome::Ok(citizen))),
        ),
        (
            Fact::AnsweredLate {
                call: call(),
                attempt: 2,
                answer: AnswerKind::Refusal("ambiguous".into()),
            },
            Some(Personal::Answer(Outcome::Refusal(Refusal {
                case: "ambiguous".into(),
                payload: Value::Int(u64::MAX.into()),
            }))),
        ),
        (
            Fact::AnsweredLate {
                call: call(),
                attempt: 3,
                answer: AnswerKind::Fault(FaultKind::TimedOut),
            },
            Some(Personal::Answer(Outcome::fault(FaultKind::TimedOut, "no answer"))),
        ),
        (
            Fact::VariableSet { name: "mood".into() },
            Some(Personal::Value(Value::from("angry"))),
        ),
        (
            Fact::LanguageSet {
                language: "en".into(),
            },
            None,
        ),
        (Fact::Waiting { until, event: None }, None),
        (
            Fact::Waiting {
                until,
                event: Some("ticket.closed".into()),
            },
            None,
        ),
        (
            Fact::EventHappened {
                input: "ticket.closed t-1".into(),
                event: "ticket.closed".into(),
            },
            None,
        ),
        (
            Fact::CallRequested {
                call: call(),
                attempt: 1,
                plugin: "pay".into(),
                function: "charge".into(),
                until,
                filler: None,
                at_most_once: true,
                redacted: true,
            },
            None,
        ),
        (
            Fact::TogetherBegan {
                branches: vec![("a".into(), call()), ("b".into(), "01jd-2".into())],
                filler: Some(at),
            },
            None,
        ),
        (
            Fact::QueuePlanned {
                announcement: Some(until),
                offer: None,
                offered: 2,
            },
            None,
        ),
        (
            Fact::SurveyAnswered {
                question: "score".into(),
            },
            Some(Personal::Value(Value::from(5))),
        ),
        (
            Fact::SurveyPassed {
                question: "comment".into(),
            },
            None,
        ),
        (
            Fact::SecretKept {
                name: "card".into(),
                origin: origin(),
            },
            None,
        ),
        (Fact::SecretsLost { back: Some(origin()) }, None),
        (Fact::ServiceLeft { work: work() }, None),
        (
            Fact::Resumed {
                away: Duration::from_millis(1_500),
            },
            None,
        ),
        (
            Fact::FlowLeft {
                flow: "fund".into(),
                outcome: "completed".into(),
            },
            None,
        ),
        (
            Fact::StepFinished {
                step: "fund".into(),
                exit: "next".into(),
            },
            None,
        ),
        (
            Fact::HungUp {
                input: Some("i2".into()),
            },
            None,
        ),
        (Fact::ClosingBegan, None),
        (
            Fact::InputRefused {
                input: "i3".into(),
                why: Refused::NotListening,
            },
            None,
        ),
        (
            Fact::LimitHit {
                limit: "steps-per-turn".into(),
            },
            None,
        ),
        (
            Fact::Ended {
                cause: Cause::Caller,
                outcome: "abandoned".into(),
            },
            None,
        ),
    ];
    let asked = demands(at).into_iter().map(|demand| {
        let particulars = Particulars {
            party: Some("+8613800138000".into()),
            reference: Some("t-1".into()),
            text: Some("您好".into()),
            fields: BTreeMap::from([("summary".into(), Value::from("噪声"))]),
        };
        let fact = Fact::ServiceAsked {
            work: work(),
            attempt: 2,
            demand,
            until,
        };
        (fact, Some(Personal::Particulars(Box::new(particulars))))
    });
    let answered = answers(at).into_iter().flat_map(|answer| {
        let fact = Fact::ServiceAnswered {
            work: work(),
            attempt: 2,
            answer: answer.clone(),
        };
        let late = Fact::ServiceAnsweredLate {
            work: work(),
            attempt: 1,
            answer,
        };
        [(fact, None), (late, None)]
    });
    facts
        .into_iter()
        .chain(asked)
        .chain(answered)
        .map(|(fact, personal)| Event { at, fact, personal })
        .collect()
}

fn work() -> WorkId {
    "01jd0000000000000000000000-w1".into()
}

fn origin() -> Origin {
    Origin {
        depth: 1,
        step: "which-card".into(),
    }
}

/// Each demand once.
fn demands(at: Timestamp) -> Vec<Demand> {
    let (within, every) = (Duration::from_secs(1_800), Duration::from_secs(600));
    let record = [
        RecordDemand::Start,
        RecordDemand::Stop,
        RecordDemand::Pause,
        RecordDemand::Resume,
        RecordDemand::Message { from: at, until: at },
    ];
    let transfer =
        [Destination::Address, Destination::Agent, Destination::Hotline].map(|to| Demand::Transfer {
            to,
            three_way: true,
            ring: every,
        });
    let mut demands = vec![
        Demand::Queue {
            queue: "general".into(),
            skills: vec!["mandarin".into()],
            priority: 10,
            since: at,
            max: every,
        },
        Demand::Callback {
            queue: "general".into(),
            within,
            attempts: 3,
            every,
            window: Some("office".into()),
        },
        Demand::Survey {
            survey: "csat".into(),
        },
        Demand::TicketOpen {
            class: "noise".into(),
        },
        Demand::TicketUpdate,
        Demand::TicketLookUp,
        Demand::Notify {
            channel: "sms".into(),
            prompt: Some("your-ticket".into()),
            language: "zh-CN".into(),
        },
    ];
    demands.extend(transfer);
    demands.extend(record.map(Demand::Record));
    demands
}

/// Each answer once.
fn answers(at: Timestamp) -> Vec<ServiceAnswer> {
    let ticket = TicketState {
        number: "t-1".into(),
        class: "noise".into(),
        department: "environment".into(),
        state: "accepted".into(),
        due: at,
    };
    let queue = [
        QueueAnswer::Joined {
            position: 3,
            wait: Duration::from_secs(90),
        },
        QueueAnswer::Offered {
            agent: "li-na".into(),
        },
        QueueAnswer::NotTaken {
            agent: "li-na".into(),
        },
        QueueAnswer::AgentJoined {
            agent: "li-na".into(),
        },
        QueueAnswer::AgentLeft,
        QueueAnswer::Full,
        QueueAnswer::Closed,
        QueueAnswer::NoAgents,
        QueueAnswer::Failed,
    ];
    let transfer = [
        TransferAnswer::Ringing,
        TransferAnswer::Answered,
        TransferAnswer::Joined,
        TransferAnswer::OtherLegEnded,
        TransferAnswer::Busy,
        TransferAnswer::NoAnswer,
        TransferAnswer::Failed,
    ];
    let callback = [
        CallbackAnswer::Booked {
            id: "c-1".into(),
            due: at,
        },
        CallbackAnswer::Duplicate { id: "c-1".into() },
        CallbackAnswer::Refused,
    ];
    let tickets = [
        TicketAnswer::Opened(ticket.clone()),
        TicketAnswer::Found(ticket),
        TicketAnswer::Updated { number: "t-1".into() },
        TicketAnswer::Duplicate { number: "t-1".into() },
        TicketAnswer::Refused,
    ];
    let record = [
        RecordAnswer::Done {
            recording: "contact-1".into(),
        },
        RecordAnswer::Declined,
        RecordAnswer::Failed,
    ];
    let mut answers = vec![
        ServiceAnswer::Survey(SurveyAnswer::Stored),
        ServiceAnswer::Survey(SurveyAnswer::Failed),
        ServiceAnswer::Notify(NotifyAnswer::Sent),
        ServiceAnswer::Notify(NotifyAnswer::Failed),
    ];
    answers.extend(queue.map(ServiceAnswer::Queue));
    answers.extend(transfer.map(ServiceAnswer::Transfer));
    answers.extend(callback.map(ServiceAnswer::Callback));
    answers.extend(tickets.map(ServiceAnswer::Ticket));
    answers.extend(record.map(ServiceAnswer::Record));
    answers
}
