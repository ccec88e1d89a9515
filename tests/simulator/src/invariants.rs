//! What must hold of a contact after every step, whatever happened.

use std::collections::{BTreeMap, BTreeSet};

use trunkline_engine::{Event, Fact, Session, event::AnswerKind, session::State};
use trunkline_model::CallId;

/// What does not hold, of a contact's events and its session.
///
/// # Errors
/// The first thing that does not hold, in a sentence.
pub fn hold(events: &[Event], session: &Session) -> Result<(), String> {
    let folded = Session::fold(session.contact.clone(), events);
    if folded != *session {
        return Err(format!(
            "folding the events gives another session:\n{folded:?}\n{session:?}"
        ));
    }
    if events.windows(2).any(|pair| pair[0].at > pair[1].at) {
        return Err("time goes back between two events".to_owned());
    }
    if session.state == State::Deciding {
        return Err("a decision ended in the middle".to_owned());
    }
    if session.pending().wake.is_none() != session.has_ended() {
        return Err("a contact that has not ended waits without a deadline".to_owned());
    }
    let ends = events.iter().filter(|event| event.fact.ends_contact()).count();
    if ends != usize::from(session.has_ended()) {
        return Err(format!("the contact ended {ends} times"));
    }
    calls(events)
}

/// A call whose answer is recorded is not made again, and attempts are counted.
fn calls(events: &[Event]) -> Result<(), String> {
    let mut attempts: BTreeMap<&CallId, u32> = BTreeMap::new();
    let mut answered: BTreeSet<&CallId> = BTreeSet::new();
    for event in events {
        match &event.fact {
            Fact::CallRequested { call, attempt, .. } => {
                if answered.contains(call) {
                    return Err(format!(
                        "the call {call} is made again although its answer is recorded"
                    ));
                }
                let before = attempts.insert(call, *attempt).unwrap_or_default();
                if *attempt != before + 1 {
                    return Err(format!("attempt {attempt} of {call} follows attempt {before}"));
                }
            }
            Fact::CallAnswered {
                call,
                answer: AnswerKind::Ok | AnswerKind::Refusal(_),
                ..
            } if !answered.insert(call) => {
                return Err(format!("the call {call} is answered twice"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// What was acknowledged is there: the events known before are the beginning of those read now.
///
/// # Errors
/// What is lost.
pub fn nothing_lost(known: &[Event], read: &[Event]) -> Result<(), String> {
    if read.len() < known.len() {
        return Err(format!(
            "{} of {} acknowledged events are lost",
            known.len() - read.len(),
            known.len()
        ));
    }
    match known.iter().zip(read).position(|(known, read)| known != read) {
        Some(place) => Err(format!(
            "event {} is not what it was: {:?}, and {:?} before",
            place + 1,
            read[place],
            known[place]
        )),
        None => Ok(()),
    }
}
