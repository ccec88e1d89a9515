//! Services as they are driven, with a small hotline and times of their own.

use std::{collections::BTreeMap, sync::Arc};

use trunkline_flow::{Checked, check, parse, source::Sources};

use super::*;
use crate::service::{
    CallbackAnswer, NotifyAnswer, Particulars, QueueAnswer, RecordAnswer, RecordDemand, SurveyAnswer,
    TicketAnswer,
};

/// Saturday 21 November 2026, 20:05 in Shanghai.
const EVENING: Timestamp = Timestamp::from_millis(1_795_262_700_000);

const HOTLINE: &str = "hotline: centre\n\
    languages: [en]\n\
    time-zone: Asia/Shanghai\n\
    numbers: { \"1\": { flow: main } }\n\
    queues:\n\
    \x20 general: { skills: [mandarin], max-waiting: 3 }\n\
    \x20 experts: { skills: [mandarin, tax] }\n";

const AGENTS: &str = "ann: { skills: [mandarin] }\nbob: { skills: [mandarin, tax, english] }\n";

fn hotline(agents: bool) -> Checked {
    let mut files = BTreeMap::from([
        (Arc::from("hotline.yaml"), Arc::from(HOTLINE)),
        (
            Arc::from("flows/main.yaml"),
            Arc::from("flow: main\nstart: done\nsteps:\n  done: { end: completed }\n"),
        ),
        (
            Arc::from("surveys/csat.yaml"),
            Arc::from(
                "survey: csat\nkind: csat\nquestions:\n  - { name: score, ask: { en: How was it }, answer: number, min: 1, max: 5 }\n",
            ),
        ),
        (
            Arc::from("surveys/nps.yaml"),
            Arc::from(
                "survey: nps\nkind: nps\nquestions:\n  - { name: score, ask: { en: How likely }, answer: number, min: 0, max: 10 }\n",
            ),
        ),
        (
            Arc::from("tickets/noise.yaml"),
            Arc::from("ticket: noise\ndepartment: environment\ndeadline: 2h\n"),
        ),
    ]);
    if agents {
        files.insert("agents.yaml".into(), AGENTS.into());
    }
    let report = check(
        &parse(&Sources {
            files,
            ..Sources::default()
        }),
        &BTreeMap::new(),
    );
    report
        .checked
        .unwrap_or_else(|| panic!("{:#?}", report.diagnostics))
}

fn services() -> Services {
    Services::new(&hotline(true))
}

fn contact(number: u8) -> ContactId {
    ContactId::generate(Timestamp::from_millis(0), [number; 10])
}

fn seconds(seconds: u64) -> Timestamp {
    EVENING + Duration::from_secs(seconds)
}

fn serving(work: &str, demand: Demand) -> Serving {
    Serving {
        seq: 1,
        work: work.into(),
        attempt: 1,
        demand,
        particulars: Particulars::default(),
        until: EVENING,
        stage: Stage::Asked,
    }
}

fn queueing(queue: &str, priority: i64, since: Timestamp) -> Serving {
    serving(
        "w1",
        Demand::Queue {
            queue: queue.into(),
            skills: Vec::new(),
            priority,
            since,
            max: Duration::from_secs(600),
        },
    )
}

/// What was said, each as the contact's number and the answer.
fn said(told: &[Told]) -> Vec<(u8, String)> {
    told.iter()
        .map(|told| {
            let number = (0..=255).find(|number| contact(*number) == told.contact).unwrap();
            let words = match &told.input {
                Input::ServiceAnswered { answer, .. } => match answer {
                    ServiceAnswer::Queue(QueueAnswer::Joined { position, .. }) => format!("at {position}"),
                    ServiceAnswer::Queue(QueueAnswer::Offered { agent }) => format!("offered to {agent}"),
                    ServiceAnswer::Queue(QueueAnswer::NotTaken { agent }) => format!("not taken by {agent}"),
                    ServiceAnswer::Queue(QueueAnswer::AgentJoined { agent }) => format!("with {agent}"),
                    ServiceAnswer::Queue(answer) => format!("{answer:?}"),
                    answer => format!("{answer:?}"),
                },
                Input::EventHappened { event, .. } => event.to_string(),
                input => format!("{input:?}"),
            };
            (number, words)
        })
        .collect()
}

fn pairs(expected: &[(u8, &str)]) -> Vec<(u8, String)> {
    expected
        .iter()
        .map(|(number, words)| (*number, (*words).to_owned()))
        .collect()
}

#[test]
fn the_highest_priority_then_the_longest_wait_is_served_first_by_who_has_been_free_longest() {
    let mut services = services();
    services.agent_available("ann", EVENING).unwrap();
    services.agent_available("bob", seconds(1)).unwrap();
    // A first caller takes ann, who has been free longer.
    let told = services.ask(&contact(1), &queueing("general", 5, seconds(2)), seconds(2));
    assert_eq!(said(&told), pairs(&[(1, "at 1"), (1, "offered to ann")]));
    // Only bob knows taxes.
    let told = services.ask(&contact(2), &queueing("experts", 5, seconds(3)), seconds(3));
    assert_eq!(said(&told), pairs(&[(2, "at 1"), (2, "offered to bob")]));
    let told = services.ask(&contact(3), &queueing("general", 5, seconds(4)), seconds(4));
    assert_eq!(said(&told), pairs(&[(3, "at 2")]));
    let told = services.ask(&contact(4), &queueing("general", 10, seconds(5)), seconds(5));
    assert_eq!(said(&told), pairs(&[(4, "at 1")]));
    services.agent_answers("ann", &contact(1), seconds(6)).unwrap();
    let told = services.agent_ends("ann", &contact(1), seconds(66)).unwrap();
    assert_eq!(said(&told), pairs(&[(1, "AgentLeft")]));
    // Not in wrap-up; then the one whose priority is higher.
    assert!(
        services
            .advance(seconds(75))
            .iter()
            .all(|told| told.contact != contact(4))
    );
    assert_eq!(services.next_wake(), Some(seconds(76)));
    let told = services.advance(seconds(76));
    assert_eq!(said(&told), pairs(&[(4, "offered to ann")]));
}

#[test]
fn who_is_handed_over_stays_until_the_other_leaves_and_the_agent_is_free() {
    let mut services = services();
    services.agent_available("bob", EVENING).unwrap();
    services.ask(&contact(1), &queueing("general", 5, EVENING), EVENING);
    assert!(matches!(
        services.agent_hands_over("bob", &contact(1), EVENING),
        Err(AgentError::NotTalking { .. })
    ));
    services.agent_answers("bob", &contact(1), EVENING).unwrap();
    assert!(
        services
            .agent_hands_over("bob", &contact(1), seconds(60))
            .unwrap()
            .is_empty()
    );
    let bob = |services: &Services| {
        let agents = services.agents();
        let bob = agents.iter().find(|agent| &*agent.name == "bob").unwrap();
        bob.state.as_str()
    };
    assert_eq!(bob(&services), "wrap-up");
    services.advance(seconds(71));
    assert_eq!(bob(&services), "available");
    assert_eq!(
        said(&services.other_leaves(&contact(1))),
        pairs(&[(1, "AgentLeft")])
    );
    assert!(services.other_leaves(&contact(1)).is_empty());
}

#[test]
fn a_contact_on_a_line_is_put_through_and_recorded_by_whoever_has_the_line() {
    let mut services = services().without_lines();
    let transfer = Demand::Transfer {
        to: Destination::Address,
        three_way: false,
        ring: Duration::from_secs(20),
    };
    let start = Demand::Record(RecordDemand::Start);
    // Whoever is on no line is put through to nobody, and only the mark is kept.
    let told = services.ask(&contact(1), &serving("w1", transfer.clone()), EVENING);
    assert_eq!(said(&told), pairs(&[(1, "Transfer(Failed)")]));
    assert_eq!(
        services
            .ask(&contact(1), &serving("w2", start.clone()), EVENING)
            .len(),
        1
    );
    assert!(services.recorded(&contact(1), true).is_empty());

    services.connect(&contact(2));
    let told = services.ask(&contact(2), &serving("w1", transfer), EVENING);
    assert_eq!(said(&told), pairs(&[(2, "Transfer(Ringing)")]));
    services.left(&contact(2), &"w1".into(), EVENING);
    assert!(
        services
            .ask(&contact(2), &serving("w2", start.clone()), EVENING)
            .is_empty()
    );
    let told = services.recorded(&contact(2), true);
    let name = format!("contact-{}", contact(2));
    assert!(said(&told)[0].1.contains(&name), "{told:?}");
    // It runs, so there is nothing to be done.
    assert_eq!(
        services
            .ask(&contact(2), &serving("w3", start.clone()), EVENING)
            .len(),
        1
    );
    let message = RecordDemand::Message {
        from: EVENING,
        until: seconds(5),
    };
    assert!(
        services
            .ask(&contact(2), &serving("w4", Demand::Record(message)), seconds(5))
            .is_empty()
    );
    let told = services.recorded(&contact(2), false);
    assert_eq!(said(&told), pairs(&[(2, "Record(Failed)")]));
    services.ended(&contact(2), seconds(9));
    assert_eq!(services.ask(&contact(2), &serving("w1", start), EVENING).len(), 1);
}

#[test]
fn nobody_waits_while_an_agent_is_free_who_could_serve() {
    let mut services = services();
    services.agent_available("bob", EVENING).unwrap();
    for number in 1..=3 {
        services.ask(&contact(number), &queueing("general", 5, EVENING), EVENING);
    }
    // One who is being offered leaves: the agent goes to the next at once.
    let told = services.left(&contact(1), &"w1".into(), seconds(1));
    assert_eq!(said(&told), pairs(&[(2, "offered to bob")]));
    // One who does not answer in time is away; the next to come is offered the same caller.
    let told = services.advance(seconds(21));
    assert_eq!(said(&told), pairs(&[(2, "not taken by bob")]));
    let told = services.agent_available("ann", seconds(22)).unwrap();
    assert_eq!(said(&told), pairs(&[(2, "offered to ann")]));
    // An agent who goes away while it rings hands the caller on.
    services.agent_available("bob", seconds(23)).unwrap();
    let told = services.agent_away("ann", seconds(24)).unwrap();
    assert!(said(&told).is_empty() || said(&told)[0].0 == 2);
    let offered: Vec<_> = services
        .agents()
        .into_iter()
        .filter_map(|agent| match agent.state {
            AgentState::Ringing { contact, .. } => Some(contact),
            _ => None,
        })
        .collect();
    assert_eq!(offered.len(), 1);
}

#[test]
fn a_queue_says_why_it_takes_nobody() {
    let mut services = services();
    let ask = |services: &mut Services, number: u8, queue: &str| {
        said(&services.ask(&contact(number), &queueing(queue, 5, EVENING), EVENING))
    };
    assert_eq!(ask(&mut services, 1, "general"), pairs(&[(1, "NoAgents")]));
    services.agent_available("ann", EVENING).unwrap();
    assert_eq!(ask(&mut services, 2, "experts"), pairs(&[(2, "NoAgents")]));
    assert_eq!(ask(&mut services, 3, "no-such-queue"), pairs(&[(3, "Failed")]));
    for number in 4..=6 {
        ask(&mut services, number, "general");
    }
    assert_eq!(ask(&mut services, 7, "general"), pairs(&[(7, "Full")]));
    // Where nobody says who the agents are, somebody may come, with whatever skill.
    let mut services = Services::new(&hotline(false));
    assert_eq!(ask(&mut services, 1, "experts"), pairs(&[(1, "at 1")]));
    let told = services.agent_available("whoever", seconds(1)).unwrap();
    assert_eq!(said(&told), pairs(&[(1, "offered to whoever")]));
}

#[test]
fn work_that_is_asked_for_again_is_answered_as_before_under_its_new_attempt() {
    let mut services = services();
    services.agent_available("bob", EVENING).unwrap();
    let mut first = queueing("general", 5, EVENING);
    services.ask(&contact(1), &first, EVENING);
    first.attempt = 2;
    let told = services.ask(&contact(1), &first, seconds(1));
    assert_eq!(said(&told), pairs(&[(1, "at 1")]));
    let told = services.agent_answers("bob", &contact(1), seconds(2)).unwrap();
    let Input::ServiceAnswered { attempt, .. } = &told[0].input else {
        panic!("{told:?}")
    };
    assert_eq!(*attempt, 2);
    first.attempt = 3;
    let told = services.ask(&contact(1), &first, seconds(3));
    assert_eq!(said(&told), pairs(&[(1, "with bob")]));
    // Said twice, it is done once.
    assert!(
        services
            .agent_answers("bob", &contact(1), seconds(4))
            .unwrap()
            .is_empty()
    );

    let mut open = serving(
        "w2",
        Demand::TicketOpen {
            class: "noise".into(),
        },
    );
    let number = |told: &[Told]| match &told[0].input {
        Input::ServiceAnswered {
            answer: ServiceAnswer::Ticket(TicketAnswer::Opened(ticket)),
            ..
        } => ticket.number.clone(),
        input => panic!("{input:?}"),
    };
    let opened = number(&services.ask(&contact(1), &open, seconds(5)));
    open.attempt = 2;
    assert_eq!(number(&services.ask(&contact(1), &open, seconds(6))), opened);
    assert_eq!(services.tickets().count(), 1);
}

#[test]
fn places_and_talks_come_back_after_a_restart_in_whatever_order_contacts_ask() {
    let mut services = services();
    let mut later = queueing("general", 5, seconds(10));
    later.stage = Stage::Waiting(crate::service::Waiting::default());
    let mut earlier = queueing("general", 5, seconds(5));
    earlier.stage = Stage::Waiting(crate::service::Waiting::default());
    let mut talking = queueing("general", 5, EVENING);
    talking.stage = Stage::Talking {
        agent: Some("ann".into()),
    };
    // Nobody is logged in, and the queue takes back those who had a place.
    assert_eq!(
        said(&services.ask(&contact(2), &later, seconds(60))),
        pairs(&[(2, "at 1")])
    );
    assert_eq!(
        said(&services.ask(&contact(1), &earlier, seconds(60))),
        pairs(&[(1, "at 1")])
    );
    assert_eq!(
        said(&services.ask(&contact(3), &talking, seconds(60))),
        pairs(&[(3, "with ann")])
    );
    // Nobody talks to two.
    assert_eq!(
        said(&services.ask(&contact(4), &talking, seconds(61))),
        pairs(&[(4, "AgentLeft")])
    );
    let told = services.agent_available("bob", seconds(62)).unwrap();
    assert_eq!(said(&told), pairs(&[(1, "offered to bob")]));
}

#[test]
fn the_wait_is_estimated_of_those_ahead_the_agents_and_how_long_calls_take() {
    let mut services = services();
    services.agent_available("ann", EVENING).unwrap();
    let free = services.readings(None, EVENING).queues["general"];
    assert_eq!(
        (free.waiting, free.agents, free.wait),
        (0, 1, Duration::default())
    );
    services.ask(&contact(1), &queueing("general", 5, EVENING), EVENING);
    services.agent_answers("ann", &contact(1), EVENING).unwrap();
    services.ask(&contact(2), &queueing("general", 5, seconds(1)), seconds(1));
    let readings = services.readings(Some(&contact(2)), seconds(1));
    let place = readings.place.unwrap();
    assert_eq!((place.position, place.wait), (1, HANDLING_TIME_FIRST));
    assert_eq!(readings.queues["general"].wait, Duration::from_secs(360));
    services.agent_available("bob", seconds(2)).unwrap();
    services.agent_answers("bob", &contact(2), seconds(2)).unwrap();
    assert_eq!(
        services.readings(None, seconds(3)).queues["general"].wait,
        Duration::from_secs(90)
    );
    // A call of twenty seconds counts for an eighth.
    services.agent_ends("bob", &contact(2), seconds(22)).unwrap();
    assert_eq!(
        services.readings(None, seconds(23)).queues["general"].wait,
        Duration::from_secs(80)
    );
}

#[test]
fn agents_cannot_do_what_they_do_not_have() {
    let mut services = services();
    let unknown = services.agent_available("eve", EVENING).unwrap_err();
    assert!(unknown.to_string().contains("agents.yaml"), "{unknown}");
    assert!(matches!(
        services.agent_ends("ann", &contact(1), EVENING),
        Err(AgentError::NotTalking { .. })
    ));
    services.agent_available("ann", EVENING).unwrap();
    services.ask(&contact(1), &queueing("general", 5, EVENING), EVENING);
    assert!(matches!(
        services.agent_answers("ann", &contact(2), EVENING),
        Err(AgentError::NotOffered { .. })
    ));
    services.agent_answers("ann", &contact(1), EVENING).unwrap();
    assert!(matches!(
        services.agent_away("ann", EVENING),
        Err(AgentError::Talking { .. })
    ));
    assert!(matches!(
        services.agent_available("ann", EVENING),
        Err(AgentError::Talking { .. })
    ));
    // A contact that ends lets go of everything.
    services.ended(&contact(1), seconds(1));
    assert_eq!(services.agents()[0].state.as_str(), "wrap-up");
}

#[test]
fn a_number_has_one_callback_at_a_time() {
    let mut services = services();
    let book = |services: &mut Services, number: u8| {
        let mut wish = serving(
            &format!("w{number}"),
            Demand::Callback {
                queue: "general".into(),
                within: Duration::from_secs(1_800),
                attempts: 3,
                every: Duration::from_secs(600),
                window: None,
            },
        );
        wish.particulars.party = Some("+8613800138000".into());
        match services.ask(&contact(number), &wish, EVENING).remove(0).input {
            Input::ServiceAnswered {
                answer: ServiceAnswer::Callback(answer),
                ..
            } => answer,
            input => panic!("{input:?}"),
        }
    };
    let CallbackAnswer::Booked { id, due } = book(&mut services, 1) else {
        panic!("it is booked")
    };
    assert_eq!(due, seconds(1_800));
    assert_eq!(
        book(&mut services, 2),
        CallbackAnswer::Duplicate { id: id.clone() }
    );
    let told = services.callback_over(&id, CallbackState::Done);
    assert_eq!(said(&told), pairs(&[(1, "callback.done")]));
    assert!(services.callback_over(&id, CallbackState::Done).is_empty());
    assert!(matches!(book(&mut services, 3), CallbackAnswer::Booked { .. }));
}

#[test]
fn tickets_are_told_of_and_fall_due() {
    let mut services = services();
    let mut open = serving(
        "w1",
        Demand::TicketOpen {
            class: "noise".into(),
        },
    );
    open.particulars.party = Some("+8613800138000".into());
    services.ask(&contact(1), &open, EVENING);
    open.work = "w2".into();
    services.ask(&contact(2), &open, seconds(1));
    assert_eq!(
        services.tickets().count(),
        1,
        "the same matter of the same caller"
    );
    assert_eq!(services.next_wake(), Some(seconds(7_200)));
    assert_eq!(
        said(&services.advance(seconds(7_200))),
        pairs(&[(1, "ticket.overdue")])
    );
    let number = services.tickets().next().unwrap().state.number.clone();
    assert!(services.ticket_goes_on(&number, "in-hand").unwrap().is_empty());
    assert_eq!(
        said(&services.ticket_goes_on(&number, "closed").unwrap()),
        pairs(&[(1, "ticket.closed")])
    );
    assert!(matches!(
        services.ticket_goes_on(&number, "closed"),
        Err(TicketError::Closed(_))
    ));
    assert!(matches!(
        services.ticket_goes_on("t", "closed"),
        Err(TicketError::Unknown(_))
    ));
}

#[test]
fn surveys_are_scored() {
    let mut services = services();
    let fill = |services: &mut Services, survey: &str, work: &str, score: i64| {
        let mut filled = serving(
            work,
            Demand::Survey {
                survey: survey.into(),
            },
        );
        filled
            .particulars
            .fields
            .insert("score".into(), trunkline_model::Value::from(score));
        let told = services.ask(&contact(1), &filled, EVENING);
        matches!(
            told[0].input,
            Input::ServiceAnswered {
                answer: ServiceAnswer::Survey(SurveyAnswer::Stored),
                ..
            }
        )
    };
    assert_eq!(services.score("csat"), None);
    for (work, score) in [("a", 5), ("b", 4), ("c", 3), ("d", 1)] {
        assert!(fill(&mut services, "csat", work, score));
    }
    assert_eq!(services.score("csat"), Some(Score::Csat(50.0)));
    for (work, score) in [("e", 10), ("f", 9), ("g", 7), ("h", 6)] {
        assert!(fill(&mut services, "nps", work, score));
    }
    assert_eq!(services.score("nps"), Some(Score::Nps(25.0)));
    assert!(!fill(&mut services, "no-such", "i", 1));
    assert_eq!(services.surveys().count(), 8);
}

#[test]
fn messages_are_kept_and_recordings_marked() {
    let mut services = services();
    let mut message = serving(
        "w1",
        Demand::Notify {
            channel: "sms".into(),
            prompt: None,
            language: "en".into(),
        },
    );
    let answer = |told: &[Told]| match &told[0].input {
        Input::ServiceAnswered { answer, .. } => answer.clone(),
        input => panic!("{input:?}"),
    };
    // To nobody nothing is sent.
    let told = services.ask(&contact(1), &message, EVENING);
    assert_eq!(answer(&told), ServiceAnswer::Notify(NotifyAnswer::Failed));
    message.work = "w2".into();
    message.particulars.party = Some("+8613800138000".into());
    message.particulars.text = Some("It is done.".into());
    let told = services.ask(&contact(1), &message, EVENING);
    assert_eq!(answer(&told), ServiceAnswer::Notify(NotifyAnswer::Sent));
    assert_eq!(&*services.messages().next().unwrap().text, "It is done.");

    let record = |services: &mut Services, work: &str, demand: RecordDemand, at: Timestamp| {
        let told = services.ask(&contact(1), &serving(work, Demand::Record(demand)), at);
        matches!(answer(&told), ServiceAnswer::Record(RecordAnswer::Done { .. }))
    };
    assert!(
        !record(&mut services, "r0", RecordDemand::Pause, EVENING),
        "nothing runs"
    );
    assert!(record(&mut services, "r1", RecordDemand::Start, EVENING));
    assert!(
        record(&mut services, "r2", RecordDemand::Start, EVENING),
        "it runs already"
    );
    assert!(record(&mut services, "r3", RecordDemand::Pause, seconds(1)));
    assert!(record(&mut services, "r4", RecordDemand::Resume, seconds(2)));
    assert!(record(&mut services, "r5", RecordDemand::Stop, seconds(3)));
    assert!(
        !record(&mut services, "r6", RecordDemand::Start, seconds(4)),
        "it was for good"
    );
    let marks: Vec<_> = services.recordings().map(|mark| mark.what).collect();
    assert_eq!(
        marks,
        [
            RecordDemand::Start,
            RecordDemand::Pause,
            RecordDemand::Resume,
            RecordDemand::Stop
        ]
    );
    services.ended(&contact(1), seconds(5));
    assert_eq!(services.recordings().count(), 4, "it had stopped");
}

#[test]
fn another_release_keeps_who_waits_and_what_is_known() {
    let mut services = services();
    services.agent_available("ann", EVENING).unwrap();
    services.ask(&contact(1), &queueing("general", 5, EVENING), EVENING);
    services.agent_answers("ann", &contact(1), EVENING).unwrap();
    services.ask(&contact(2), &queueing("general", 5, EVENING), EVENING);
    services.configure(&hotline(true));
    assert_eq!(services.queues(EVENING)[1].callers.len(), 1);
    // Without a list whoever comes is an agent; who talks goes on talking.
    services.configure(&hotline(false));
    let told = services.agent_available("eve", seconds(1)).unwrap();
    assert_eq!(said(&told), pairs(&[(2, "offered to eve")]));
    assert!(services.agent_ends("ann", &contact(1), seconds(2)).is_ok());
}
