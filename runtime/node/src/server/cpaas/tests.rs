//! Calls by carriers, from the first request to the last.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use trunkline_channel::cpaas::Dialect;
use trunkline_engine::{
    Fact,
    service::{RecordAnswer, ServiceAnswer, Stage},
    services::AgentState,
    session::State as Stands,
};
use trunkline_journal::Memory;
use trunkline_model::Duration;

use super::testing::{CARRIERS, Doing, Exchange, Line, TOKEN, URL};
use crate::{
    Clock, signature,
    testing::{Hotline, NOON, eventually, journal},
};

/// A hotline that transfers, waits, queues and takes messages, by one key each.
fn hotline() -> Hotline {
    let hotline = Hotline::new();
    hotline.write(
        "hotline.yaml",
        format!(
            "hotline: test-line\nlanguages: [en]\ntime-zone: Asia/Shanghai\n{CARRIERS}\
             numbers:\n  \"12345\": {{ flow: main }}\n"
        ),
    );
    hotline.write(
        "flows/main.yaml",
        "flow: main\n\
         vars: { words: string? }\n\
         start: welcome\n\
         steps:\n\
         \x20 welcome: { say: welcome, next: topics }\n\
         \x20 topics:\n\
         \x20   menu: topics\n\
         \x20   keys:\n\
         \x20     1: { say: k-matter, next: move }\n\
         \x20     2: { say: k-pause, next: moment }\n\
         \x20     3: { say: k-pause, next: leave }\n\
         \x20     4: { say: k-matter, next: first }\n\
         \x20   retries: 1\n\
         \x20   on: { no-input: bye, no-match: bye }\n\
         \x20 move: { transfer: \"+8657112345\", time: 30s, on: { busy: busy, no-answer: nobody, failed: failed }, next: bye }\n\
         \x20 first: { transfer: \"+8657100001\", time: 30s, on: { busy: second, else: bye }, next: second }\n\
         \x20 second: { transfer: \"+8657100002\", time: 30s, on: { busy: busy, else: bye }, next: bye }\n\
         \x20 busy: { say: { en: It is busy. }, next: done }\n\
         \x20 nobody: { say: { en: Nobody answers. }, next: done }\n\
         \x20 failed: { say: { en: No connection. }, next: done }\n\
         \x20 moment: { say: { en: One moment. }, next: pause }\n\
         \x20 pause: { wait: 1h, next: bye }\n\
         \x20 leave: { record: { message: matter, max: 1m, finish: \"#\", save: words }, on: { declined: nothing }, next: kept }\n\
         \x20 nothing: { say: { en: No message. }, next: done }\n\
         \x20 kept: { say: { en: It is kept. }, next: done }\n\
         \x20 bye: { say: goodbye, next: done }\n\
         \x20 done: { end: completed }\n",
    );
    std::fs::remove_file(hotline.path().join("prompts/zh-CN.yaml")).unwrap();
    hotline
}

const BOTH: [Dialect; 2] = [Dialect::Twiml, Dialect::Jambonz];

#[tokio::test]
async fn a_transfer_ends_as_the_carrier_says() {
    for dialect in BOTH {
        let exchange = Exchange::new(hotline()).await;
        for (came, says) in [
            ("busy", "It is busy."),
            ("no-answer", "Nobody answers."),
            ("failed", "No connection."),
            ("completed", "Goodbye."),
        ] {
            let mut line = Line::call(&exchange, dialect, "12345", false).await;
            line.call = format!("{}-{came}", line.call);
            let url = format!("{URL}/carriers/{}/call", dialect.as_str());
            line.fetch(&url, &[("From", "+8613800138000"), ("To", "+12345")])
                .await;
            assert_eq!(line.session().await.caller.as_deref(), Some("+8613800138000"));
            line.press("1").await;
            let Doing::Dial { to, action, answered } = line.doing.clone() else {
                panic!("{:?}", line.doing);
            };
            assert_eq!(to, "+8657112345");
            if came == "completed" {
                let leg = [("CallSid", "CA-leg"), ("ParentCallSid", line.call.as_str())];
                let (status, _) = exchange.post(dialect, &answered, &leg).await;
                assert_eq!(status, StatusCode::OK);
                let session = line.session().await;
                let Stands::Serving(serving) = &session.state else {
                    panic!("{:?}", session.state);
                };
                assert!(matches!(serving.stage, Stage::Talking { .. }), "{serving:?}");
                // Longer than it may ring.
                line.pass(Duration::from_secs(3_600)).await;
            }
            line.fetch(&action, &[("DialCallStatus", came)]).await;
            assert_eq!(
                line.said.last().map(String::as_str),
                Some(says),
                "{dialect:?} {came}"
            );
            assert_eq!(line.doing, Doing::HangUp);
            assert!(line.session().await.has_ended());
        }
    }
}

#[tokio::test]
async fn what_came_of_one_transfer_says_nothing_of_the_next() {
    for dialect in BOTH {
        let exchange = Exchange::new(hotline()).await;
        let mut line = Line::call(&exchange, dialect, "12345", false).await;
        line.press("4").await;
        let Doing::Dial { to, action, answered } = line.doing.clone() else {
            panic!("{:?}", line.doing);
        };
        assert_eq!(to, "+8657100001");
        let busy = [("CallSid", line.call.as_str()), ("DialCallStatus", "busy")];
        // The carrier asks twice at once, and again later.
        let (one, other) = tokio::join!(
            exchange.post(dialect, &action, &busy),
            exchange.post(dialect, &action, &busy)
        );
        assert_eq!(one, other);
        assert_eq!(exchange.post(dialect, &action, &busy).await, one);
        line.read(&one.1);
        assert!(
            matches!(&line.doing, Doing::Dial { to, .. } if to == "+8657100002"),
            "{:?}",
            line.doing
        );
        // Nor that somebody answered, which may come late.
        let leg = [("CallSid", "CA-leg"), ("ParentCallSid", line.call.as_str())];
        assert_eq!(exchange.post(dialect, &answered, &leg).await.0, StatusCode::OK);
        let session = line.session().await;
        let Stands::Serving(serving) = &session.state else {
            panic!("{:?}", session.state);
        };
        assert_eq!(serving.particulars.party.as_deref(), Some("+8657100002"));
        assert!(matches!(serving.stage, Stage::Asked), "{serving:?}");
        let Doing::Dial { action, .. } = line.doing.clone() else {
            panic!("{:?}", line.doing);
        };
        line.fetch(&action, &[("DialCallStatus", "completed")]).await;
        assert_eq!(line.said.last().map(String::as_str), Some("Goodbye."));
    }
}

#[tokio::test]
async fn what_is_no_address_is_not_dialled() {
    for dialect in BOTH {
        let hotline = hotline();
        let flow = hotline.read("flows/main.yaml");
        let flow = flow
            .replace("words: string? }", "words: string?, desk: string? }")
            .replace("next: move }", "next: pick }")
            .replace(
                "  move: {",
                "  pick: { set: { desk: \"client:desk\" }, next: move }\n  move: {",
            )
            .replace("transfer: \"+8657112345\"", "transfer: \"${desk}\"");
        hotline.write("flows/main.yaml", flow);
        let exchange = Exchange::new(hotline).await;
        let mut line = Line::call(&exchange, dialect, "12345", false).await;
        line.press("1").await;
        assert_eq!(line.said.last().map(String::as_str), Some("No connection."));
        assert_eq!(line.doing, Doing::HangUp);
    }
}

#[tokio::test]
async fn a_request_that_comes_again_is_answered_byte_for_byte_and_moves_nothing() {
    for dialect in BOTH {
        let exchange = Exchange::new(hotline()).await;
        let mut line = Line::call(&exchange, dialect, "12345", false).await;
        let url = format!("{URL}/carriers/{}/call", dialect.as_str());
        let call = [
            ("CallSid", line.call.as_str()),
            ("From", "+8613800138000"),
            ("To", "12345"),
        ];
        let first = exchange.post(dialect, &url, &call).await;
        let Doing::Gather { action, .. } = line.doing.clone() else {
            panic!("{:?}", line.doing);
        };
        let silence = [("CallSid", line.call.as_str())];
        let again = exchange.post(dialect, &action, &silence).await;
        let seq = line.session().await.seq;
        for _ in 0..3 {
            assert_eq!(exchange.post(dialect, &action, &silence).await, again);
            assert_eq!(exchange.post(dialect, &url, &call).await, first);
        }
        assert_eq!(line.session().await.seq, seq);
        line.read(&again.1);
        // Two at once move it once, and are answered the same.
        let Doing::Gather { action, .. } = line.doing.clone() else {
            panic!("{:?}", line.doing);
        };
        let pressed = [("CallSid", line.call.as_str()), ("Digits", "1")];
        let (one, other) = tokio::join!(
            exchange.post(dialect, &action, &pressed),
            exchange.post(dialect, &action, &pressed)
        );
        assert_eq!(one, other);
        line.read(&one.1);
        assert!(matches!(line.doing, Doing::Dial { .. }));
    }
}

#[tokio::test]
async fn what_takes_longer_is_asked_for_again() {
    for dialect in BOTH {
        let exchange = Exchange::new(hotline()).await;
        let mut line = Line::call(&exchange, dialect, "12345", false).await;
        let Doing::Gather { action, .. } = line.doing.clone() else {
            panic!("{:?}", line.doing);
        };
        // What was said is said at once, and the hour is long.
        let began = exchange.clock.now();
        let (clock, call) = (exchange.clock.clone(), line.call.clone());
        let pressed = [("CallSid", call.as_str()), ("Digits", "2")];
        let moves = async {
            for _ in 0..200 {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                clock.advance(Duration::from_secs(1));
            }
        };
        let answer = tokio::select! {
            answer = exchange.post(dialect, &action, &pressed) => answer,
            () = moves => panic!("no answer"),
        };
        line.read(&answer.1);
        let waited = exchange.clock.now().since(began);
        assert!(waited < crate::limits::CARRIER_ANSWER_WITHIN, "{waited}");
        assert_eq!(line.said.last().map(String::as_str), Some("One moment."));
        let Doing::Redirect(poll) = line.doing.clone() else {
            panic!("{:?}", line.doing);
        };
        clock.advance(Duration::from_secs(3_600));
        eventually("the wait is over", async || line.session().await.has_ended()).await;
        line.fetch(&poll, &[]).await;
        assert_eq!(line.said.last().map(String::as_str), Some("Goodbye."));
        assert_eq!(line.doing, Doing::HangUp);
    }
}

/// The names of the messages that a contact left.
async fn recordings(line: &Line<'_>) -> Vec<String> {
    let contact = line.contact().await;
    let contacts = line.exchange.node.contacts();
    let (events, _) = contacts.events(&contact, 0, usize::MAX).await.unwrap();
    let named = events.iter().filter_map(|(_, event)| match &event.fact {
        Fact::ServiceAnswered {
            answer: ServiceAnswer::Record(RecordAnswer::Done { recording }),
            ..
        } => Some(recording.to_string()),
        _ => None,
    });
    named.collect()
}

#[tokio::test]
async fn a_message_is_recorded_where_the_carrier_can() {
    let exchange = Exchange::new(hotline()).await;
    for (recorded, says) in [(true, "It is kept."), (false, "No message.")] {
        let mut line = Line::call(&exchange, Dialect::Twiml, "12345", false).await;
        line.call = format!("CA-{recorded}");
        let url = format!("{URL}/carriers/twiml/call");
        line.fetch(&url, &[("To", "12345")]).await;
        line.press("3").await;
        let Doing::Record { action, silent } = line.doing.clone() else {
            panic!("{:?}", line.doing);
        };
        line.pass(Duration::from_secs(20)).await;
        if recorded {
            line.fetch(&action, &[("RecordingSid", "RE1"), ("RecordingDuration", "20")])
                .await;
        } else {
            line.fetch(&silent, &[]).await;
        }
        assert_eq!(line.said.last().map(String::as_str), Some(says));
        // Where it is kept is found by its name.
        assert_eq!(
            recordings(&line).await,
            if recorded { vec!["twiml-RE1"] } else { vec![] }
        );
    }
    // Who leaves in the middle of it has left one as well.
    let mut line = Line::call(&exchange, Dialect::Twiml, "12345", false).await;
    line.press("3").await;
    let Doing::Record { action, .. } = line.doing.clone() else {
        panic!("{:?}", line.doing);
    };
    let status = format!("{URL}/carriers/twiml/status");
    line.exchange
        .post(
            Dialect::Twiml,
            &status,
            &[("CallSid", &line.call), ("CallStatus", "completed")],
        )
        .await;
    let left = [("RecordingSid", "RE2"), ("CallStatus", "completed")];
    line.fetch(&action, &left).await;
    assert_eq!(recordings(&line).await, ["twiml-RE2"]);
    assert!(line.session().await.has_ended());
    let mut line = Line::call(&exchange, Dialect::Jambonz, "12345", false).await;
    line.press("3").await;
    // Nobody is asked for what would be lost.
    assert_eq!(line.said.last().map(String::as_str), Some("No message."));
    assert_eq!(line.doing, Doing::HangUp);
}

#[tokio::test]
async fn a_call_that_is_over_ends_the_contact() {
    for dialect in BOTH {
        let exchange = Exchange::new(hotline()).await;
        let line = Line::call(&exchange, dialect, "12345", false).await;
        let url = format!("{URL}/carriers/{}/status", dialect.as_str());
        for (call, ends) in [
            ("CA-other", false),
            (line.call.as_str(), true),
            (line.call.as_str(), true),
        ] {
            let over = [("CallSid", call), ("CallStatus", "completed")];
            let (status, _) = exchange.post(dialect, &url, &over).await;
            assert_eq!(status, StatusCode::OK);
            assert_eq!(line.session().await.has_ended(), ends);
        }
    }
}

#[tokio::test]
async fn who_hangs_up_while_it_rings_does_not_go_on() {
    for dialect in BOTH {
        let exchange = Exchange::new(hotline()).await;
        let mut line = Line::call(&exchange, dialect, "12345", false).await;
        line.press("4").await;
        let Doing::Dial { action, .. } = line.doing.clone() else {
            panic!("{:?}", line.doing);
        };
        let over = [("CallStatus", "completed"), ("DialCallStatus", "busy")];
        line.fetch(&action, &over).await;
        assert_eq!(line.doing, Doing::HangUp);
        let session = line.session().await;
        assert!(
            session.has_ended() && session.hung_up.is_some(),
            "{:?}",
            session.state
        );
        let (events, _) = exchange
            .node
            .contacts()
            .events(&session.contact, 0, usize::MAX)
            .await
            .unwrap();
        let asked = events
            .iter()
            .filter(|(_, event)| matches!(event.fact, Fact::ServiceAsked { .. }));
        assert_eq!(asked.count(), 1, "nobody else is dialled");
    }
}

#[tokio::test]
async fn a_number_that_is_none_is_refused() {
    for dialect in BOTH {
        let exchange = Exchange::new(hotline()).await;
        let line = Line::call(&exchange, dialect, "999", false).await;
        assert_eq!(line.doing, Doing::Reject);
    }
}

#[tokio::test]
async fn only_the_carrier_moves_a_call_and_only_its_own() {
    for dialect in BOTH {
        let exchange = Exchange::new(hotline()).await;
        let line = Line::call(&exchange, dialect, "12345", false).await;
        let Doing::Gather { action, .. } = line.doing.clone() else {
            panic!("{:?}", line.doing);
        };
        let seq = line.session().await.seq;
        let fields = [("CallSid", line.call.as_str()), ("Digits", "1")];
        let signed = exchange.signed(dialect, &action, &fields);
        // Another's signature, and a body that was changed.
        let wrong = (signed.0.clone(), "AAAA".to_owned(), signed.2);
        assert_eq!(exchange.send(&action, wrong).await.0, StatusCode::FORBIDDEN);
        let changed = (signed.0.replace('1', "2"), signed.1.clone(), signed.2);
        assert_eq!(exchange.send(&action, changed).await.0, StatusCode::FORBIDDEN);
        // Signed by the carrier, but for another call, another step, and no address of ours.
        let other = [("CallSid", "CA-other"), ("Digits", "1")];
        assert_eq!(
            exchange.post(dialect, &action, &other).await.0,
            StatusCode::FORBIDDEN
        );
        for (from, to) in [
            ("/gather", "/dial"),
            ("again=0", "again=1"),
            ("after=", "after=1"),
            ("proof=", "proof=0"),
        ] {
            let address = action.replacen(from, to, 1);
            assert_ne!(address, action);
            let (status, text) = exchange.post(dialect, &address, &fields).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{text}");
        }
        let nobody = format!("{URL}/carriers/nobody/call");
        assert_eq!(
            exchange.post(dialect, &nobody, &fields).await.0,
            StatusCode::NOT_FOUND
        );
        assert_eq!(line.session().await.seq, seq);
    }
}

#[tokio::test]
async fn bodies_that_are_none_are_refused() {
    let exchange = Exchange::new(hotline()).await;
    let url = format!("{URL}/carriers/twiml/call");
    let large = "a".repeat(crate::limits::CARRIER_BYTES_MAX + 1);
    let (status, _) = exchange
        .send(&url, (large, String::new(), "x-twilio-signature"))
        .await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let (status, _) = exchange.post(Dialect::Twiml, &url, &[("To", "12345")]).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let url = format!("{URL}/carriers/jambonz/call");
    let body = "[[[[".to_owned();
    let signature = signature::sign(TOKEN, body.as_bytes(), exchange.clock.now());
    let (status, _) = exchange.send(&url, (body, signature, "jambonz-signature")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

/// A queue of two agents, one of whom has a telephone.
fn centre() -> Hotline {
    let hotline = Hotline::with_queue();
    let settings = hotline.read("hotline.yaml");
    hotline.write("hotline.yaml", format!("{settings}{CARRIERS}"));
    hotline.write(
        "agents.yaml",
        "zhang-wei: { skills: [mandarin], phone: zhang-wei-phone }\nli-na: { skills: [mandarin] }\n",
    );
    hotline
}

async fn waiting(line: &mut Line<'_>, agent: &str) {
    line.exchange.node.contacts().agent_is(agent, true).unwrap();
    line.press("1").await;
    for _ in 0..20 {
        if matches!(
            line.doing,
            Doing::Gather {
                words: false,
                keys_max: 1,
                ..
            }
        ) && matches!(line.session().await.state, Stands::Serving(_))
        {
            return;
        }
        if let Doing::Redirect(poll) = line.doing.clone() {
            line.fetch(&poll, &[]).await;
        }
    }
    panic!("{:?} {:?}", line.doing, line.session().await.state);
}

#[tokio::test]
async fn who_waits_is_asked_again_until_an_agent_is_dialled() {
    for dialect in BOTH {
        let exchange = Exchange::new(centre()).await;
        let mut line = Line::call(&exchange, dialect, "12345", false).await;
        waiting(&mut line, "zhang-wei").await;
        // Nothing is misheard in a queue, however long it takes.
        line.pass(Duration::from_secs(10)).await;
        let contact = line.contact().await;
        let contacts = exchange.node.contacts();
        eventually("the agent answers", async || {
            contacts
                .agent_does("zhang-wei", &contact, crate::Deed::Answer)
                .is_ok()
        })
        .await;
        eventually("they talk", async || {
            matches!(&line.session().await.state, Stands::Serving(serving) if matches!(serving.stage, Stage::Talking { .. }))
        })
        .await;
        line.pass(Duration::from_secs(6)).await;
        let Doing::Dial { to, action, .. } = line.doing.clone() else {
            panic!("{:?}", line.doing);
        };
        assert_eq!(to, "sip:zhang-wei@hotline.example.org");
        let over = [("CallSid", line.call.as_str()), ("DialCallStatus", "completed")];
        let (_, document) = exchange.post(dialect, &action, &over).await;
        line.read(&document);
        for _ in 0..20 {
            if let Doing::Redirect(poll) = line.doing.clone() {
                line.fetch(&poll, &[]).await;
            }
        }
        assert!(
            line.said.iter().any(|said| said.contains("What happened?")),
            "{:?}",
            line.said
        );
    }
}

/// A line whose caller asks for the agent zhang-wei by name, with the agent there.
async fn asks_for_an_agent<'a>(exchange: &'a Exchange, dialect: Dialect, there: bool) -> Line<'a> {
    let contacts = exchange.node.contacts();
    if there {
        contacts.agent_is("zhang-wei", true).unwrap();
    }
    let mut line = Line::call(exchange, dialect, "12345", false).await;
    line.press("5").await;
    for _ in 0..20 {
        let Doing::Redirect(poll) = line.doing.clone() else {
            break;
        };
        line.fetch(&poll, &[]).await;
    }
    line
}

/// A queue of two agents, and a way to one of them by name.
fn by_name() -> Hotline {
    let hotline = centre();
    let flow = hotline.read("flows/main.yaml");
    let flow = flow
        .replace(
            "2: { say: k-pause, next: noise }",
            "2: { say: k-pause, next: noise }\n      5: { say: k-pause, next: named }",
        )
        .replace(
            "  bye: {",
            "  named: { transfer: { agent: zhang-wei }, time: 20s, on: { busy: bye, no-answer: nobody, failed: bye }, next: welcome }\n  bye: {",
        );
    hotline.write("flows/main.yaml", flow);
    hotline
}

#[tokio::test]
async fn an_agent_who_is_asked_for_by_name_is_dialled_when_free() {
    for dialect in BOTH {
        let exchange = Exchange::new(by_name()).await;
        let contacts = exchange.node.contacts();
        let state = || {
            let (_, agents) = contacts.queues_and_agents();
            let found = agents.into_iter().find(|agent| &*agent.name == "zhang-wei");
            found.expect("the agent is there").state
        };
        let mut line = asks_for_an_agent(&exchange, dialect, true).await;
        let Doing::Dial { to, action, answered } = line.doing.clone() else {
            panic!("{:?}", line.doing);
        };
        assert_eq!(to, "sip:zhang-wei@hotline.example.org");
        assert!(matches!(state(), AgentState::Ringing { .. }), "{:?}", state());
        let leg = [("CallSid", "CA-leg"), ("ParentCallSid", line.call.as_str())];
        for _ in 0..2 {
            assert_eq!(exchange.post(dialect, &answered, &leg).await.0, StatusCode::OK);
        }
        assert!(matches!(state(), AgentState::Talking { .. }), "{:?}", state());
        eventually("they talk", async || {
            matches!(&line.session().await.state, Stands::Serving(serving) if matches!(serving.stage, Stage::Talking { .. }))
        })
        .await;
        line.fetch(&action, &[("DialCallStatus", "completed")]).await;
        assert!(
            line.said.iter().any(|said| said.contains("What happened?")),
            "{:?}",
            line.said
        );
        assert!(matches!(state(), AgentState::WrapUp { .. }), "{:?}", state());
    }
}

#[tokio::test]
async fn an_agent_who_does_not_answer_is_free_again_and_who_is_away_is_not_dialled() {
    for dialect in BOTH {
        let exchange = Exchange::new(by_name()).await;
        let mut line = asks_for_an_agent(&exchange, dialect, true).await;
        let Doing::Dial { action, .. } = line.doing.clone() else {
            panic!("{:?}", line.doing);
        };
        line.fetch(&action, &[("DialCallStatus", "no-answer")]).await;
        assert!(
            line.said.iter().any(|said| said.contains("Nobody is there.")),
            "{:?}",
            line.said
        );
        let (_, agents) = exchange.node.contacts().queues_and_agents();
        let agent = agents.iter().find(|agent| &*agent.name == "zhang-wei").unwrap();
        assert_eq!(agent.state, AgentState::Available);

        let exchange = Exchange::new(by_name()).await;
        let line = asks_for_an_agent(&exchange, dialect, false).await;
        assert!(
            line.said.iter().any(|said| said.contains("Nobody is there.")),
            "{:?}",
            line.said
        );
        assert_eq!(line.doing, Doing::HangUp);
    }
}

#[tokio::test]
async fn an_agent_without_a_telephone_is_not_reached() {
    for dialect in BOTH {
        let exchange = Exchange::new(centre()).await;
        let mut line = Line::call(&exchange, dialect, "12345", false).await;
        waiting(&mut line, "li-na").await;
        let contact = line.contact().await;
        let contacts = exchange.node.contacts();
        eventually("the agent answers", async || {
            contacts
                .agent_does("li-na", &contact, crate::Deed::Answer)
                .is_ok()
        })
        .await;
        eventually("they talk", async || {
            matches!(&line.session().await.state, Stands::Serving(serving) if matches!(serving.stage, Stage::Talking { .. }))
        })
        .await;
        line.pass(Duration::from_secs(6)).await;
        assert_eq!(line.said.last().map(String::as_str), Some("Goodbye."));
        assert_eq!(line.doing, Doing::HangUp);
        // The agent is free again.
        let (_, agents) = contacts.queues_and_agents();
        let agent = agents.iter().find(|agent| &*agent.name == "li-na").unwrap();
        assert!(!matches!(agent.state, AgentState::Talking { .. }), "{agent:?}");
    }
}

#[tokio::test]
async fn a_call_goes_on_after_a_restart_and_is_answered_as_before() {
    for dialect in BOTH {
        let (clock, journal) = (Clock::still(NOON), journal(Arc::new(Memory::new())));
        let before = Exchange::on(hotline(), clock.clone(), journal.clone()).await;
        let line = Line::call(&before, dialect, "12345", false).await;
        let Doing::Gather { action, .. } = line.doing.clone() else {
            panic!("{:?}", line.doing);
        };
        let call = line.call.clone();
        let silence = [("CallSid", call.as_str())];
        let answered = before.post(dialect, &action, &silence).await;
        drop(line);
        before.node.shutdown().await;
        let after = Exchange::on(hotline(), clock, journal).await;
        assert_eq!(after.post(dialect, &action, &silence).await, answered);
        let mut line = Line {
            exchange: &after,
            dialect,
            call: call.clone(),
            said: Vec::new(),
            doing: Doing::HangUp,
            keys: String::new(),
            until: None,
            plays: false,
        };
        line.read(&answered.1);
        line.press("1").await;
        assert!(matches!(line.doing, Doing::Dial { .. }), "{:?}", line.doing);
    }
}

#[tokio::test]
async fn a_call_goes_on_though_the_hotline_has_its_carrier_no_longer() {
    for dialect in BOTH {
        let exchange = Exchange::new(hotline()).await;
        let mut line = Line::call(&exchange, dialect, "12345", false).await;
        let folder = exchange.hotline.path().to_owned();
        let settings = exchange.hotline.read("hotline.yaml").replace(CARRIERS, "");
        exchange.hotline.write("hotline.yaml", settings);
        let releases = exchange.node.releases();
        let (report, _) = releases.take_folder(&folder, crate::report::Cause::Asked).await;
        let live = report.release.expect("the hotline loads without carriers");
        assert_ne!(live, line.session().await.release);
        // Nobody new comes by it, and who is there goes on and leaves.
        let url = format!("{URL}/carriers/{}/call", dialect.as_str());
        let new = [("CallSid", "CA-new"), ("To", "12345")];
        assert_eq!(exchange.post(dialect, &url, &new).await.0, StatusCode::NOT_FOUND);
        line.press("1").await;
        assert!(matches!(line.doing, Doing::Dial { .. }), "{:?}", line.doing);
        let url = format!("{URL}/carriers/{}/status", dialect.as_str());
        let over = [("CallSid", line.call.as_str()), ("CallStatus", "completed")];
        assert_eq!(exchange.post(dialect, &url, &over).await.0, StatusCode::OK);
        assert!(line.session().await.has_ended());
    }
}

#[tokio::test]
async fn a_call_goes_on_though_its_carrier_signs_with_another_secret() {
    for dialect in BOTH {
        let (clock, journal) = (Clock::still(NOON), journal(Arc::new(Memory::new())));
        let before = Exchange::on(hotline(), clock.clone(), journal.clone()).await;
        let line = Line::call(&before, dialect, "12345", false).await;
        let Doing::Gather { action, .. } = line.doing.clone() else {
            panic!("{:?}", line.doing);
        };
        let call = line.call.clone();
        drop(line);
        before.node.shutdown().await;
        let after = Exchange::signed_with(b"another token, as long", hotline(), clock, journal).await;
        let pressed = [("CallSid", call.as_str()), ("Digits", "1")];
        let stale = before.signed(dialect, &action, &pressed);
        assert_eq!(after.send(&action, stale).await.0, StatusCode::FORBIDDEN);
        let (status, document) = after.post(dialect, &action, &pressed).await;
        assert_eq!(status, StatusCode::OK, "{document}");
        assert!(document.contains("+8657112345"), "{document}");
    }
}

/// A second of silence, as a WAV file.
fn silence() -> Vec<u8> {
    let samples = vec![0_u8; 16_000];
    let mut wav = Vec::new();
    wav.extend_from_slice(b"RIFF");
    wav.extend_from_slice(&(36 + 16_000_u32).to_le_bytes());
    wav.extend_from_slice(b"WAVEfmt ");
    wav.extend_from_slice(&16_u32.to_le_bytes());
    wav.extend_from_slice(&1_u16.to_le_bytes());
    wav.extend_from_slice(&1_u16.to_le_bytes());
    wav.extend_from_slice(&8_000_u32.to_le_bytes());
    wav.extend_from_slice(&16_000_u32.to_le_bytes());
    wav.extend_from_slice(&2_u16.to_le_bytes());
    wav.extend_from_slice(&16_u16.to_le_bytes());
    wav.extend_from_slice(b"data");
    wav.extend_from_slice(&16_000_u32.to_le_bytes());
    wav.extend_from_slice(&samples);
    wav
}

#[tokio::test]
async fn what_a_carrier_cannot_play_is_said_by_its_text() {
    let hotline = hotline();
    hotline.write("audio/welcome.opus", silence());
    let prompts = hotline.read("prompts/en.yaml");
    let recorded = "welcome: { text: Welcome., recording: audio/welcome.opus, seconds: 1 }";
    hotline.write("prompts/en.yaml", prompts.replace("welcome: Welcome.", recorded));
    let exchange = Exchange::new(hotline).await;
    let line = Line::call(&exchange, Dialect::Twiml, "12345", false).await;
    assert_eq!(line.said.first().map(String::as_str), Some("Welcome."));
}

#[tokio::test]
async fn a_recording_is_fetched_by_its_address_and_no_other() {
    let hotline = hotline();
    hotline.write("audio/welcome.wav", silence());
    let prompts = hotline.read("prompts/en.yaml");
    let recorded = "welcome: { text: Welcome., recording: audio/welcome.wav }";
    hotline.write("prompts/en.yaml", prompts.replace("welcome: Welcome.", recorded));
    let exchange = Exchange::new(hotline).await;
    let line = Line::call(&exchange, Dialect::Twiml, "12345", false).await;
    let address = line.said[0].clone();
    assert!(
        address.starts_with(&format!("{URL}/carriers/twiml/recordings/")),
        "{address}"
    );
    let fetch = async |address: &str| {
        let request = Request::get(address.strip_prefix(URL).unwrap())
            .body(Body::empty())
            .unwrap();
        exchange.answer(request).await.0
    };
    assert_eq!(fetch(&address).await, StatusCode::OK);
    for (from, to) in [
        ("twiml", "jambonz"),
        (".wav", ""),
        (".wav", "0.wav"),
        ("/recordings/", "/recordings/0"),
    ] {
        assert_eq!(
            fetch(&address.replace(from, to)).await,
            StatusCode::NOT_FOUND,
            "{from}"
        );
    }
}
