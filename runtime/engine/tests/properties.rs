//! Whatever comes in, in whatever order: nothing panics, no contact ends silently, and
//! folding the events gives the session again.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::LazyLock;

use proptest::prelude::*;
use trunkline_engine::service::{
    CallbackAnswer, NotifyAnswer, QueueAnswer, RecordAnswer, ServiceAnswer, SurveyAnswer, TicketAnswer,
    TicketState, TransferAnswer,
};
use trunkline_engine::{
    Arrival, Channel, Decision, Event, Fact, Input, Readings, Reply, Session, Utterance, arrive, decide,
    session::State,
};
use trunkline_flow::Checked;
use trunkline_model::{
    CallId, ContactId, Digest, Duration, FaultKind, Outcome, Refusal, Timestamp, Value,
    limits::{EVENTS_PER_CONTACT_MAX, STEPS_PER_TURN_MAX},
};

mod support;

/// Every number whose flow comes to an end.
const NUMBERS: [&str; 14] = [
    "100", "200", "300", "501", "502", "503", "504", "505", "506", "507", "508", "509", "510", "511",
];

static HOTLINE: LazyLock<Checked> = LazyLock::new(support::hotline);

/// Something that happens to a contact, and how long after what happened before.
#[derive(Clone, Debug)]
enum Happening {
    Utterance {
        id: u8,
        utterance: Utterance,
    },
    HangUp,
    /// An answer to the call that many calls ago, with an attempt that may be another's.
    Answer {
        calls_ago: u32,
        attempt: u32,
        outcome: Outcome,
    },
    /// An answer to the work that many pieces ago, of a kind that may be another's.
    Served {
        works_ago: u32,
        attempt: u32,
        answer: ServiceAnswer,
    },
    /// An event that some contact waits for.
    Event {
        id: u8,
        event: &'static str,
    },
    TimeUp,
    /// The channel tells that the caller has heard what was said that many events ago.
    Played {
        events_ago: u64,
    },
    Unanswered {
        events_ago: u64,
    },
    /// The node stops and the contact is rebuilt from its events.
    Restart,
}

fn happening() -> impl Strategy<Value = (Happening, u64)> {
    let keys = "[0-9*#]{0,6}|[0-9*#]{30,40}|x".prop_map(|keys: String| Utterance::Keys(keys.into()));
    let text = prop_oneof![
        "\\PC{0,12}".prop_map(|text: String| Utterance::Text(text.into())),
        prop::sample::select(vec!["公积金", "人工", "是", "no", "1234", "9", " "])
            .prop_map(|text| Utterance::Text(text.into())),
        Just(Utterance::Text("长".repeat(5_000).into())),
    ];
    let utterance = (any::<u8>(), prop_oneof![3 => keys, 2 => text])
        .prop_map(|(id, utterance)| Happening::Utterance { id, utterance });
    let citizen = Value::record([("id", Value::from("c-1")), ("name", Value::from("王芳"))]);
    let outcome = prop_oneof![
        Just(Outcome::Ok(citizen)),
        // An answer of another shape than the signature's costs nobody anything either.
        Just(Outcome::Ok(Value::None)),
        prop::sample::select(vec!["not-found", "ambiguous", "refused", "never-heard-of"]).prop_map(|case| {
            Outcome::Refusal(Refusal {
                case: case.into(),
                payload: Value::from(2),
            })
        }),
        prop::sample::select(FaultKind::ALL.to_vec()).prop_map(|kind| Outcome::fault(kind, "")),
    ];
    let answer = (0..3_u32, 1..4_u32, outcome).prop_map(|(calls_ago, attempt, outcome)| Happening::Answer {
        calls_ago,
        attempt,
        outcome,
    });
    let served = (0..2_u32, 1..4_u32, prop::sample::select(service_answers())).prop_map(
        |(works_ago, attempt, answer)| Happening::Served {
            works_ago,
            attempt,
            answer,
        },
    );
    let event = (
        any::<u8>(),
        prop::sample::select(vec!["ticket.closed", "ticket.answered"]),
    )
        .prop_map(|(id, event)| Happening::Event { id, event });
    let happening = prop_oneof![
        6 => utterance,
        4 => answer,
        6 => served,
        1 => event,
        2 => Just(Happening::TimeUp),
        2 => (0..6_u64).prop_map(|events_ago| Happening::Played { events_ago }),
        2 => (0..6_u64).prop_map(|events_ago| Happening::Unanswered { events_ago }),
        1 => Just(Happening::Restart),
        1 => Just(Happening::HangUp),
    ];
    let gap = prop_oneof![Just(0), Just(600), Just(3_000), Just(10_000), Just(700_000)];
    (happening, gap)
}

/// Each kind of answer, those on the way twice as often as those that end the work.
fn service_answers() -> Vec<ServiceAnswer> {
    let queue = [
        QueueAnswer::Joined {
            position: 2,
            wait: Duration::from_secs(90),
        },
        QueueAnswer::Joined {
            position: 1,
            wait: Duration::default(),
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
    let ticket = TicketState {
        number: "t-1".into(),
        class: "noise".into(),
        department: "environment".into(),
        state: "accepted".into(),
        due: Timestamp::from_millis(1),
    };
    let recording = "contact-1".into();
    let rest = [
        ServiceAnswer::Callback(CallbackAnswer::Booked {
            id: "c-1".into(),
            due: Timestamp::from_millis(1),
        }),
        ServiceAnswer::Callback(CallbackAnswer::Duplicate { id: "c-1".into() }),
        ServiceAnswer::Callback(CallbackAnswer::Refused),
        ServiceAnswer::Survey(SurveyAnswer::Stored),
        ServiceAnswer::Survey(SurveyAnswer::Failed),
        ServiceAnswer::Ticket(TicketAnswer::Opened(ticket.clone())),
        ServiceAnswer::Ticket(TicketAnswer::Found(ticket)),
        ServiceAnswer::Ticket(TicketAnswer::Updated { number: "t-1".into() }),
        ServiceAnswer::Ticket(TicketAnswer::Duplicate { number: "t-1".into() }),
        ServiceAnswer::Ticket(TicketAnswer::Refused),
        ServiceAnswer::Notify(NotifyAnswer::Sent),
        ServiceAnswer::Notify(NotifyAnswer::Failed),
        ServiceAnswer::Record(RecordAnswer::Done { recording }),
        ServiceAnswer::Record(RecordAnswer::Declined),
        ServiceAnswer::Record(RecordAnswer::Failed),
    ];
    let queue = queue.into_iter().map(ServiceAnswer::Queue);
    let transfer = transfer.into_iter().map(ServiceAnswer::Transfer);
    queue.chain(transfer).chain(rest).collect()
}

/// Plays a history and checks what must hold after each part of it.
fn play(channel: Channel, number: &str, caller: bool, history: Vec<(Happening, u64)>) {
    let mut at = Timestamp::from_millis(1_795_140_000_000);
    let arrival = Arrival {
        contact: ContactId::generate(at, [7; 10]),
        release: Digest::of(b"release"),
        channel,
        number: number.into(),
        language: None,
        caller: caller.then(|| "+8613800138000".into()),
        claimed: None,
    };
    let first = arrive(&HOTLINE, arrival, at, &Readings::default()).unwrap();
    let mut session = first.session.clone();
    let mut events: Vec<Event> = Vec::new();
    holds_together(&session, &first, &mut events);
    for (happening, gap) in history {
        at = at + Duration::from_millis(gap);
        let input = match happening {
            Happening::Utterance { id, utterance } => Input::Utterance {
                id: format!("{id}").into(),
                utterance,
            },
            Happening::HangUp => Input::HangUp { id: None },
            Happening::Answer {
                calls_ago,
                attempt,
                outcome,
            } => {
                let call: CallId = session.contact.call(session.calls.saturating_sub(calls_ago));
                Input::Answer {
                    call,
                    attempt,
                    outcome,
                }
            }
            Happening::Served {
                works_ago,
                attempt,
                answer,
            } => Input::ServiceAnswered {
                work: session.contact.work(session.works.saturating_sub(works_ago)),
                attempt,
                answer,
            },
            Happening::Event { id, event } => Input::EventHappened {
                id: format!("event {id}").into(),
                event: event.into(),
            },
            Happening::TimeUp => Input::TimeUp,
            Happening::Played { events_ago } => Input::Played {
                seq: session.seq.saturating_sub(events_ago),
            },
            Happening::Unanswered { events_ago } => Input::Unanswered {
                question: session.seq.saturating_sub(events_ago),
            },
            Happening::Restart => {
                session = Session::fold(session.contact.clone(), &events);
                Input::Recovered
            }
        };
        let decision = decide(&HOTLINE, &session, &input, at, &Readings::default());
        if let Input::Utterance { id, .. } = &input {
            // The same input again, at once, is answered as before and moves nothing.
            let again = decide(&HOTLINE, &decision.session, &input, at, &Readings::default());
            assert_eq!(again.reply, decision.reply);
            assert!(
                again.events.is_empty() || session.has_ended(),
                "{id} again moved {:?}",
                again.events
            );
        }
        if session.has_ended() {
            let late = |event: &Event| {
                matches!(
                    event.fact,
                    Fact::AnsweredLate { .. } | Fact::ServiceAnsweredLate { .. }
                )
            };
            assert!(
                decision.events.iter().all(late),
                "after the end: {:?}",
                decision.events
            );
        }
        session = decision.session.clone();
        holds_together(&session, &decision, &mut events);
    }
    // Whoever waits long enough sees every contact end, or be heard, or be answered.
    let end = events
        .iter()
        .filter(|event| matches!(event.fact, Fact::Ended { .. }))
        .count();
    assert_eq!(
        end,
        usize::from(session.has_ended()),
        "a contact ends once, and says so"
    );
}

fn holds_together(session: &Session, decision: &Decision, events: &mut Vec<Event>) {
    if let Reply::Refused(_) = decision.reply {
        assert!(decision.events.iter().all(|event| {
            matches!(
                event.fact,
                Fact::InputRefused { .. } | Fact::LimitHit { .. } | Fact::Ended { .. }
            )
        }));
    }
    assert!(decision.events.windows(2).all(|pair| pair[0].at <= pair[1].at));
    assert!(decision.events.len() < STEPS_PER_TURN_MAX * 8);
    events.extend(decision.events.iter().cloned());
    assert_eq!(Session::fold(session.contact.clone(), events.iter()), *session);
    // What is stored is what was decided.
    let stored: Vec<Event> = serde_json::from_str(&serde_json::to_string(&decision.events).unwrap()).unwrap();
    assert_eq!(stored, decision.events);
    // Work that was asked of a service is under way, answered for good, or left: each once.
    let mut open = 0;
    for event in events.iter() {
        open += match &event.fact {
            Fact::ServiceAsked { attempt: 1, .. } => 1,
            Fact::ServiceAnswered { answer, .. } if answer.is_final() => -1,
            Fact::ServiceLeft { .. } => -1,
            _ => 0,
        };
    }
    assert_eq!(open, i32::from(session.pending().service.is_some()));
    // A contact that has not ended waits for something with a deadline.
    assert_ne!(session.state, State::Deciding);
    assert_eq!(session.pending().wake.is_none(), session.has_ended());
    assert!(session.frames.iter().all(|frame| frame.step.is_some()));
}

/// The channels by which somebody comes.
const CHANNELS: [Channel; 5] = [
    Channel::Chat,
    Channel::Voice,
    Channel::Phone,
    Channel::Twiml,
    Channel::Jambonz,
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_history_of_a_contact_holds_together(
        channel in prop::sample::select(CHANNELS.to_vec()),
        number in prop::sample::select(NUMBERS.to_vec()),
        caller: bool,
        history in prop::collection::vec(happening(), 0..60),
    ) {
        play(channel, number, caller, history);
    }
}

/// Left alone after any beginning, a contact comes to an end by its deadlines.
#[test]
fn a_contact_left_alone_ends() {
    for number in NUMBERS {
        for channel in CHANNELS {
            let mut at = Timestamp::from_millis(1_795_140_000_000);
            let arrival = Arrival {
                contact: ContactId::generate(at, [1; 10]),
                release: Digest::of(b"release"),
                channel,
                number: number.into(),
                language: None,
                caller: Some("+8613800138000".into()),
                claimed: None,
            };
            let mut session = arrive(&HOTLINE, arrival, at, &Readings::default())
                .unwrap()
                .session;
            for _ in 0..200 {
                let Some(wake) = session.pending().wake else { break };
                at = wake;
                session = decide(&HOTLINE, &session, &Input::TimeUp, at, &Readings::default()).session;
            }
            assert!(session.has_ended(), "{number} {channel:?}: {:?}", session.state);
        }
    }
}

/// A flow that asks for ever is legal, and a caller who is gone without a word never hangs up:
/// the bound on a contact's events ends it.
#[test]
fn a_contact_that_is_asked_for_ever_hits_its_bound() {
    let mut at = Timestamp::from_millis(1_795_140_000_000);
    let arrival = Arrival {
        contact: ContactId::generate(at, [2; 10]),
        release: Digest::of(b"release"),
        channel: Channel::Chat,
        number: "400".into(),
        language: None,
        caller: None,
        claimed: None,
    };
    let mut session = arrive(&HOTLINE, arrival, at, &Readings::default())
        .unwrap()
        .session;
    let mut last = Vec::new();
    while let Some(wake) = session.pending().wake {
        at = wake;
        let decision = decide(&HOTLINE, &session, &Input::TimeUp, at, &Readings::default());
        session = decision.session;
        last = decision.events;
        assert!(session.seq < EVENTS_PER_CONTACT_MAX + 100);
    }
    assert!(
        last.iter()
            .any(|event| matches!(event.fact, Fact::LimitHit { .. })),
        "{last:?}"
    );
}
