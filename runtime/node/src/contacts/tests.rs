//! Contacts as callers and operators meet them, on a store in memory and a clock that stands.

use std::sync::Arc;

use trunkline_engine::{
    Event, Fact, Input,
    event::AnswerKind,
    input::{Refused, Reply},
    services::AgentState,
};
use trunkline_journal::Memory;
use trunkline_model::{ContactId, Duration, FaultKind, limits::TEXT_FIRST_INPUT};

use super::{ArriveError, Deed, DeliverError, FindError, State, StateFilter};
use crate::{
    Call, Clock, Node,
    limits::{FORGET_AFTER, PARK_AFTER},
    testing::{
        Failing, Failure, Hotline, NOON, PAST_THE_WAIT, call, component, eventually, journal, keys, text,
    },
};

async fn events(node: &Node, contact: &ContactId) -> Vec<Event> {
    let (events, _) = node.contacts().events(contact, 0, 1_000).await.unwrap();
    events.into_iter().map(|(_, event)| event).collect()
}

fn count(events: &[Event], is: impl Fn(&Fact) -> bool) -> usize {
    events.iter().filter(|event| is(&event.fact)).count()
}

async fn state(node: &Node, contact: &ContactId) -> State {
    node.contacts().summary(contact).await.unwrap().state
}

#[tokio::test]
async fn a_contact_walks_its_flow() {
    let node = Hotline::new().start().await;
    let contact = node.begin().await;
    assert_eq!(state(&node, &contact).await, State::Hearing);
    node.deliver(&contact, keys("a", "1")).await.unwrap();
    node.deliver(&contact, text("b", "the street lamp is broken"))
        .await
        .unwrap();
    let said = node.said(&contact).await.join(" ");
    assert!(
        said.starts_with("Welcome.") && said.ends_with("Goodbye. [completed]"),
        "{said}"
    );
    assert_eq!(state(&node, &contact).await, State::Ended);
    assert_eq!(node.releases().current().unwrap().contacts(), 0);
}

#[tokio::test]
async fn the_same_input_again_is_the_same_input() {
    let node = Hotline::new().start().await;
    let contact = node.begin().await;
    let first = node.deliver(&contact, keys("a", "1")).await.unwrap();
    let again = node.deliver(&contact, keys("a", "1")).await.unwrap();
    assert_eq!(first, again);
    node.deliver(&contact, text("b", "lamp")).await.unwrap();
    let late = node.deliver(&contact, text("c", "hello?")).await.unwrap();
    assert_eq!(late.reply, Reply::Refused(Refused::Ended));
    assert_eq!(
        node.deliver(&contact, keys("a", "1")).await.unwrap().reply,
        Reply::Accepted
    );
}

#[tokio::test]
async fn many_inputs_at_once_are_decided_one_after_another() {
    let node = Hotline::new().start().await;
    let contact = node.begin().await;
    let giving = (0..50).map(|number| {
        let (node, contact) = (node.clone(), contact.clone());
        tokio::spawn(async move { node.deliver(&contact, keys(&format!("k{number}"), "1")).await })
    });
    for given in futures::future::join_all(giving).await {
        // Too many keys ahead, or the contact has ended: never an error of the journal.
        given.unwrap().unwrap();
    }
    let events = events(&node, &contact).await;
    assert_eq!(count(&events, |fact| matches!(fact, Fact::Arrived { .. })), 1);
}

#[tokio::test]
async fn deadlines_come_by_the_clock() {
    let hotline = Hotline::new();
    let clock = Clock::still(NOON);
    let node = hotline
        .start_on(&journal(Arc::new(Memory::new())), &clock)
        .await
        .unwrap();
    let silent = node.begin().await;
    let waiting = node.begin().await;
    node.deliver(&waiting, keys("a", "2")).await.unwrap();
    assert_eq!(state(&node, &waiting).await, State::Waiting);
    // Silence is heard twice, since the menu is offered twice.
    for _ in 0..2 {
        clock.advance(TEXT_FIRST_INPUT);
        eventually("a hearing over", async || {
            node.contacts()
                .summary(&silent)
                .await
                .unwrap()
                .until
                .is_none_or(|until| until > clock.now())
        })
        .await;
    }
    node.hears(&silent, "[completed]").await;
    assert_eq!(state(&node, &waiting).await, State::Waiting);
    clock.advance(PAST_THE_WAIT);
    node.hears(&waiting, "[completed]").await;
}

#[tokio::test]
async fn a_parked_contact_wakes_for_inputs_and_for_deadlines() {
    let hotline = Hotline::new();
    let clock = Clock::still(NOON);
    let node = hotline
        .start_on(&journal(Arc::new(Memory::new())), &clock)
        .await
        .unwrap();
    let asked = node.begin().await;
    let waiting = node.begin().await;
    node.deliver(&waiting, keys("a", "2")).await.unwrap();
    clock.advance(PARK_AFTER);
    node.contacts().sweep();
    node.deliver(&asked, keys("a", "1")).await.unwrap();
    node.hears(&asked, "What happened?").await;
    clock.advance(PAST_THE_WAIT);
    node.hears(&waiting, "[completed]").await;
    // The node forgets those that ended, and still answers for them.
    node.deliver(&asked, Input::HangUp { id: Some("z".into()) })
        .await
        .ok();
    node.hears(&asked, "[").await;
    clock.advance(FORGET_AFTER);
    node.contacts().sweep();
    assert_eq!(node.contacts().count(), 0);
    assert_eq!(
        node.deliver(&waiting, keys("a", "2")).await.unwrap().reply,
        Reply::Accepted
    );
    let late = node.deliver(&waiting, keys("new", "2")).await.unwrap();
    assert_eq!(late.reply, Reply::Refused(Refused::Ended));
}

#[tokio::test]
async fn a_request_with_an_id_is_one_contact() {
    let node = Hotline::new().start().await;
    let with_id = Call {
        id: Some("request-0123456789".to_owned()),
        ..call()
    };
    let arriving = (0..8).map(|_| {
        let (node, call) = (node.clone(), with_id.clone());
        tokio::spawn(async move { node.arrive(call).await })
    });
    let arrived: Vec<_> = futures::future::join_all(arriving)
        .await
        .into_iter()
        .map(|it| it.unwrap().unwrap())
        .collect();
    for one in &arrived {
        assert_eq!(
            (&one.contact, &one.token),
            (&arrived[0].contact, &arrived[0].token)
        );
    }
    assert_eq!(arrived.iter().filter(|one| !one.again).count(), 1);
    let other = Call {
        language: Some("zh-CN".to_owned()),
        ..with_id
    };
    assert!(matches!(node.arrive(other).await, Err(ArriveError::IdReused)));
    assert!(
        node.contacts()
            .opens(&arrived[0].contact, arrived[0].token.as_str())
            .await
            .unwrap()
    );
    assert!(
        !node
            .contacts()
            .opens(&arrived[0].contact, "another")
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn what_cannot_begin_says_why() {
    let node = Hotline::new().start().await;
    let refused = async |call: Call| node.arrive(call).await.unwrap_err().to_string();
    let error = refused(Call {
        number: "999".to_owned(),
        ..call()
    })
    .await;
    assert!(error.contains("999") && error.contains("12345"), "{error}");
    let error = refused(Call {
        caller: Some("138".to_owned()),
        ..call()
    })
    .await;
    assert!(error.contains("E.164"), "{error}");
    let error = refused(Call {
        id: Some("1".to_owned()),
        ..call()
    })
    .await;
    assert!(error.contains("UUID"), "{error}");
    let unknown = ContactId::generate(NOON, [7; 10]);
    assert!(matches!(
        node.deliver(&unknown, keys("a", "1")).await,
        Err(DeliverError::Find(FindError::NoSuchContact(_)))
    ));
    assert!(
        node.contacts()
            .page(StateFilter::All, None, 10)
            .await
            .unwrap()
            .contacts
            .is_empty()
    );
}

#[tokio::test]
async fn a_plugin_is_called_and_its_answer_told() {
    let node = Hotline::with_plugin(42).start().await;
    let contact = node.begin().await;
    node.hears(&contact, "It is 42.").await;
    let events = events(&node, &contact).await;
    assert_eq!(
        count(&events, |fact| matches!(fact, Fact::CallRequested { .. })),
        1
    );
    assert_eq!(
        count(&events, |fact| matches!(
            fact,
            Fact::CallAnswered {
                answer: AnswerKind::Ok,
                ..
            }
        )),
        1
    );
}

#[tokio::test]
async fn a_call_that_never_ends_is_a_fault_of_its_own_contact() {
    let hotline = Hotline::with_plugin(0);
    hotline.write(
        "plugins/sage.wasm",
        component("(loop $for-ever (br $for-ever)) i32.const 0"),
    );
    // In real time: the host stops the guest, the engine's deadline decides.
    let node = hotline
        .start_on(&journal(Arc::new(Memory::new())), &Clock::system())
        .await
        .unwrap();
    let contact = node.begin().await;
    node.hears(&contact, "[unserved]").await;
}

#[tokio::test]
async fn a_restarted_node_goes_on_where_it_was_and_asks_no_answered_call_again() {
    let hotline = Hotline::with_plugin(42);
    let clock = Clock::still(NOON);
    let store = journal(Arc::new(Memory::new()));
    let node = hotline.start_on(&store, &clock).await.unwrap();
    let contact = node.begin().await;
    node.hears(&contact, "It is 42.").await;
    let arrived = node
        .arrive(Call {
            id: Some("request-0123456789".to_owned()),
            ..call()
        })
        .await
        .unwrap();
    node.hears(&arrived.contact, "It is 42.").await;
    drop(node);

    // The folder has another release by now; the contacts stay on theirs.
    hotline.write("plugins/sage.wasm", component("i32.const 43"));
    clock.advance(Duration::from_secs(5));
    let node = hotline.start_on(&store, &clock).await.unwrap();
    assert_eq!(node.recovery().resumed, 2);
    node.deliver(&contact, text("b", "thanks")).await.unwrap();
    let events = events(&node, &contact).await;
    assert_eq!(
        count(&events, |fact| matches!(fact, Fact::CallRequested { .. })),
        1
    );
    assert_eq!(count(&events, |fact| matches!(fact, Fact::Resumed { .. })), 1);
    assert_eq!(state(&node, &contact).await, State::Ended);
    let again = node
        .arrive(Call {
            id: Some("request-0123456789".to_owned()),
            ..call()
        })
        .await
        .unwrap();
    assert!(again.again && again.contact == arrived.contact && again.token == arrived.token);
    assert!(
        node.contacts()
            .opens(&arrived.contact, arrived.token.as_str())
            .await
            .unwrap()
    );
    let new = node.begin().await;
    node.hears(&new, "It is 43.").await;
}

#[tokio::test]
async fn what_the_journal_holds_is_what_happened() {
    let hotline = Hotline::new();
    let store = Arc::new(Failing::default());
    let node = hotline
        .start_on(&journal(store.clone()), &Clock::still(NOON))
        .await
        .unwrap();
    for failure in [Failure::LandedUnknown, Failure::LostUnknown] {
        let contact = node.begin().await;
        store.fail(&[failure]);
        let delivered = node.deliver(&contact, keys("a", "1")).await.unwrap();
        assert_eq!(delivered.reply, Reply::Accepted);
        let events = events(&node, &contact).await;
        assert_eq!(
            count(&events, |fact| matches!(fact, Fact::Heard { .. })),
            1,
            "{failure:?}"
        );
        assert_eq!(events.len() as u64, delivered.seq, "{failure:?}");
        node.deliver(&contact, text("b", "lamp")).await.unwrap();
        node.hears(&contact, "[completed]").await;
    }
}

#[tokio::test]
async fn nothing_is_said_that_is_not_durable() {
    let hotline = Hotline::new();
    let store = Arc::new(Failing::default());
    let node = hotline
        .start_on(&journal(store.clone()), &Clock::still(NOON))
        .await
        .unwrap();
    let contact = node.begin().await;
    let before = node.said(&contact).await;
    store.fail(&[Failure::Unavailable]);
    assert!(matches!(
        node.deliver(&contact, keys("a", "1")).await,
        Err(DeliverError::Journal(_))
    ));
    assert_eq!(node.said(&contact).await, before);
    node.deliver(&contact, keys("a", "1")).await.unwrap();
    node.hears(&contact, "What happened?").await;
    store.fail(&[Failure::Fatal]);
    assert!(node.deliver(&contact, text("b", "lamp")).await.is_err());
    assert_eq!(&*node.failure().await, "told to");
}

#[tokio::test]
async fn a_deadline_outlives_a_store_that_is_away() {
    let hotline = Hotline::new();
    let store = Arc::new(Failing::default());
    let clock = Clock::still(NOON);
    let node = hotline.start_on(&journal(store.clone()), &clock).await.unwrap();
    let contact = node.begin().await;
    node.deliver(&contact, keys("a", "2")).await.unwrap();
    store.fail(&[Failure::Unavailable, Failure::LostUnknown, Failure::Unavailable]);
    clock.advance(PAST_THE_WAIT);
    node.hears(&contact, "[completed]").await;
}

#[tokio::test]
async fn a_deadline_of_a_parked_contact_outlives_a_journal_that_cannot_be_read() {
    let hotline = Hotline::new();
    let store = Arc::new(Failing::default());
    let clock = Clock::still(NOON);
    let node = hotline.start_on(&journal(store.clone()), &clock).await.unwrap();
    let contact = node.begin().await;
    node.deliver(&contact, keys("a", "2")).await.unwrap();
    clock.advance(PARK_AFTER);
    node.contacts().sweep();
    store.fail_reads(2);
    clock.advance(PAST_THE_WAIT);
    eventually("the contact to end", async || {
        state(&node, &contact).await == State::Ended
    })
    .await;
}

#[tokio::test]
async fn a_decision_that_no_journal_takes_ends_its_contact() {
    let hotline = Hotline::new();
    let store = Arc::new(Failing::default());
    let clock = Clock::still(NOON);
    let node = hotline.start_on(&journal(store.clone()), &clock).await.unwrap();
    let contact = node.begin().await;
    store.fail(&[Failure::TooLarge]);
    let delivered = node.deliver(&contact, keys("a", "1")).await.unwrap();
    assert_eq!(delivered.reply, Reply::Refused(Refused::Ended));
    node.hears(&contact, "[failed]").await;
}

/// A component with `answer: func() -> string`, which answers so many zero bytes.
fn answering_zeros(bytes: u32) -> Vec<u8> {
    wat::parse_str(format!(
        r#"(component
          (core module $m
            (memory (export "memory") 24)
            (func (export "answer") (result i32)
              (i32.store (i32.const 0) (i32.const 8))
              (i32.store (i32.const 4) (i32.const {bytes}))
              (i32.const 0)))
          (core instance $i (instantiate $m))
          (func (export "answer") (result string)
            (canon lift (core func $i "answer") (memory $i "memory"))))"#
    ))
    .unwrap()
}

#[tokio::test]
async fn an_answer_that_no_journal_takes_is_a_fault_of_its_call() {
    let hotline = Hotline::with_plugin(7);
    let flow = hotline.read("flows/main.yaml");
    hotline.write("flows/main.yaml", flow.replace("told: int?", "told: string?"));
    hotline.write("grants.yaml", "sage: { limits: { reply-bytes: 4MiB } }\n");
    // Each is six bytes where it is kept.
    hotline.write("plugins/sage.wasm", answering_zeros(1_400_000));
    let node = hotline.start().await;
    let contact = node.begin().await;
    node.hears(&contact, "[unserved]").await;
    let faulted = |fact: &Fact| {
        matches!(
            fact,
            Fact::CallAnswered {
                answer: AnswerKind::Fault(FaultKind::TooLarge),
                ..
            }
        )
    };
    assert_eq!(count(&events(&node, &contact).await, faulted), 1);
}

#[tokio::test]
async fn lists_go_by_state_and_by_page() {
    let node = Hotline::new().start().await;
    let mut all = Vec::new();
    for _ in 0..5 {
        all.push(node.begin().await);
    }
    node.deliver(&all[0], Input::HangUp { id: None }).await.unwrap();
    let ids = async |filter, after: Option<&ContactId>, limit| {
        let page = node.contacts().page(filter, after, limit).await.unwrap();
        (
            page.contacts
                .into_iter()
                .map(|summary| summary.contact)
                .collect::<Vec<_>>(),
            page.next,
        )
    };
    all.sort();
    let ended = ids(StateFilter::Only(State::Ended), None, 10).await.0;
    assert_eq!(ended.len(), 1);
    let (live, next) = ids(StateFilter::Live, None, 3).await;
    assert_eq!((live.len(), next.as_ref()), (3, live.last()));
    let (rest, next) = ids(StateFilter::Live, next.as_ref(), 3).await;
    assert_eq!((rest.len(), next), (1, None));
    let (every, _) = ids(StateFilter::All, None, 10).await;
    assert_eq!(every, all);
}

#[tokio::test]
async fn a_node_that_stops_takes_nothing_more() {
    let node = Hotline::new().start().await;
    let contact = node.begin().await;
    node.shutdown().await;
    assert!(matches!(
        node.deliver(&contact, keys("a", "1")).await,
        Err(DeliverError::Stopping)
    ));
    assert!(matches!(node.arrive(call()).await, Err(ArriveError::Stopping)));
}

/// The clock of a rehearsal may move while deadlines are acted upon; none is lost by it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_deadline_is_lost_when_the_clock_moves_in_between() {
    let hotline = Hotline::new();
    let clock = Clock::system();
    let node = hotline
        .start_on(&journal(Arc::new(Memory::new())), &clock)
        .await
        .unwrap();
    for _ in 0..50 {
        let contact = node.begin().await;
        for _ in 0..5 {
            clock.advance(Duration::from_secs(660));
        }
        eventually("the question to be put again, or the end", async || {
            let events = events(&node, &contact).await;
            count(&events, |fact| matches!(fact, Fact::Misheard { .. })) > 0
        })
        .await;
    }
}

/// A caller who waits in a queue keeps the place over a restart, is told it, and an agent who
/// comes then is offered the caller.
#[tokio::test]
async fn a_caller_keeps_the_place_over_a_restart() {
    let (hotline, clock) = (Hotline::with_queue(), Clock::still(NOON));
    let journal = journal(Arc::new(Memory::new()));
    let node = hotline.start_on(&journal, &clock).await.unwrap();
    node.contacts().agent_is("zhang-wei", true).unwrap();
    let mut callers = Vec::new();
    for _ in 0..3 {
        let contact = node.begin().await;
        node.deliver(&contact, keys("press", "1")).await.unwrap();
        let place = callers.len() + 1;
        eventually("the caller has a place", async || {
            let waits = node.contacts().summary(&contact).await.unwrap().waits_for;
            waits.as_deref() == Some(format!("queue general at {place}").as_str())
        })
        .await;
        clock.advance(Duration::from_secs(1));
        callers.push(contact);
    }
    node.shutdown().await;

    let node = hotline.start_on(&journal, &clock).await.unwrap();
    eventually("all ask again", async || {
        let (queues, _) = node.contacts().queues_and_agents();
        queues[0].callers.len() == 3
    })
    .await;
    let (queues, _) = node.contacts().queues_and_agents();
    let order: Vec<ContactId> = queues[0]
        .callers
        .iter()
        .map(|(contact, _)| contact.clone())
        .collect();
    assert_eq!(order, callers, "those who came first are served first");
    // Who came last does not overtake, and hears the place.
    clock.advance(Duration::from_secs(31));
    node.hears(&callers[2], "You are number 3.").await;
    node.contacts().agent_is("li-na", true).unwrap();
    node.contacts()
        .agent_does("li-na", &callers[0], Deed::Answer)
        .unwrap();
    eventually("the first talks", async || {
        let waits = node.contacts().summary(&callers[0]).await.unwrap().waits_for;
        waits.as_deref() == Some("agent li-na")
    })
    .await;
    // An agent who leaves, a caller who leaves: both are let go of.
    node.contacts()
        .agent_does("li-na", &callers[0], Deed::End)
        .unwrap();
    node.hears(&callers[0], "Welcome.").await;
    node.deliver(&callers[1], Input::HangUp { id: None })
        .await
        .unwrap();
    clock.advance(Duration::from_secs(10));
    eventually("the last is offered", async || {
        let (_, agents) = node.contacts().queues_and_agents();
        agents.iter().any(
            |agent| matches!(&agent.state, AgentState::Ringing { contact, .. } if *contact == callers[2]),
        )
    })
    .await;
}

/// Work that is answered at once is recorded, and the flow goes on with it.
#[tokio::test]
async fn a_ticket_is_opened_and_told() {
    let (hotline, clock) = (Hotline::with_queue(), Clock::still(NOON));
    let node = hotline
        .start_on(&journal(Arc::new(Memory::new())), &clock)
        .await
        .unwrap();
    let contact = node.begin().await;
    node.deliver(&contact, keys("press", "2")).await.unwrap();
    node.hears(&contact, "It is 20261121-200500.").await;
    let other = node.begin().await;
    node.deliver(&other, keys("press", "1")).await.unwrap();
    // Every agent is away.
    node.hears(&other, "Nobody is there.").await;
}

/// A node that drains takes nobody new, keeps those it has, and says whom a restart would cut off.
#[tokio::test]
async fn a_node_that_drains_says_who_is_left() {
    let hotline = Hotline::new();
    let node = hotline.start().await;
    let chat = node.begin().await;
    let by_phone = || Call {
        channel: trunkline_engine::Channel::Phone,
        ..call()
    };
    let first = node.arrive(by_phone()).await.unwrap().contact;
    let second = node.arrive(by_phone()).await.unwrap().contact;
    let repeated = Call {
        id: Some("8e4c6a2d-1f3b-4c5d-9e7f-0a1b2c3d4e5f".to_owned()),
        ..call()
    };
    let taken = node.arrive(repeated.clone()).await.unwrap().contact;
    let contacts = node.contacts();
    assert!(!node.is_draining() && contacts.left(None, 10).since.is_none());
    assert!(contacts.drain(true) && !contacts.drain(true));
    assert!(node.is_draining());
    assert!(matches!(node.arrive(call()).await, Err(ArriveError::Draining)));
    let new = Call {
        id: Some("00000000-1f3b-4c5d-9e7f-0a1b2c3d4e5f".to_owned()),
        ..call()
    };
    assert!(matches!(
        node.arrive(new.clone()).await,
        Err(ArriveError::Draining)
    ));
    // Whoever asks again for a contact that has begun is told of it.
    let again = node.arrive(repeated).await.unwrap();
    assert!(again.again && again.contact == taken);

    let left = contacts.left(None, 1);
    assert_eq!((left.left, left.calls.len()), (2, 1));
    assert_eq!(left.others, [("chat", 2)].into());
    let next = contacts.left(left.next.as_ref(), 1);
    assert_eq!((next.left, next.calls.len(), next.next), (2, 1, None));
    let mut ids = [left.calls[0].contact.clone(), next.calls[0].contact.clone()];
    ids.sort();
    let mut both = [first.clone(), second.clone()];
    both.sort();
    assert_eq!(ids, both);

    // Those who are there go on; who hangs up is not left.
    node.deliver(&chat, keys("a", "1")).await.unwrap();
    node.deliver(&first, Input::HangUp { id: None }).await.unwrap();
    node.deliver(&second, Input::HangUp { id: None }).await.unwrap();
    assert_eq!(contacts.left(None, 10).left, 0);
    assert!(contacts.drain(false) && !node.is_draining());
    node.arrive(new).await.unwrap();
}
