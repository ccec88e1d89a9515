//! How a request of a carrier is answered: by what its contact says next, and again as before.

use axum::response::Response;
use serde::{Deserialize, Serialize};
use trunkline_channel::cpaas::render;
use trunkline_engine::{
    Input, Session,
    service::{QueueAnswer, ServiceAnswer, Stage, TransferAnswer},
    session::State as Stands,
};
use trunkline_journal::{Expect, Put};
use trunkline_model::{ContactId, Digest};

use super::{
    FindError,
    call::deliver,
    carrier::Carrier,
    links::At,
    script::Scribe,
    service::{agent, connects, let_go, wanted_agent},
};
use crate::{
    contacts::{CARRIER_ANSWERS, Deed},
    limits::{CARRIER_AGAIN_WITHIN, CARRIER_ANSWER_WITHIN, CARRIER_SAID_WITHIN, CARRIER_STEPS_MAX},
    release::Pinned,
    server::{State, problem::Refusal},
};

/// The version of what is kept of an answer.
const VERSION: u32 = 1;

/// How far an answer went: the document is made of the events up to there.
#[derive(Serialize, Deserialize)]
struct Answered {
    version: u32,
    until: u64,
}

/// Answers a step by what the contact says next: waits for it, keeps how far it went, and writes it.
pub(super) async fn answer(
    state: &State,
    carrier: &Carrier,
    contact: &ContactId,
    call: &str,
    step: &str,
    at: At,
) -> Result<Response, Refusal> {
    let key = key(carrier, contact, call, step, at);
    let until = match answered(state, &key).await? {
        Some(until) => until,
        None => {
            if state.contacts().summary(contact).await?.stranded.is_some() {
                // Nothing can be said or asked any more, and asking again would never end.
                tracing::warn!(%contact, carrier = carrier.name, "a caller is hung up on, since the contact cannot go on");
                carrier.counts("stranded", "hung-up");
                return Ok(carrier.hang_up());
            }
            let session = rested(state, carrier, contact, call, at).await?;
            keep(state, &key, session.seq).await?
        }
    };
    document(state, carrier, contact, call, at, until).await
}

/// Waits, within what a carrier waits for, until the contact asks something, ends, or has the
/// carrier do something that it can; less long when it has said something since `at`.
async fn rested(
    state: &State,
    carrier: &Carrier,
    contact: &ContactId,
    call: &str,
    at: At,
) -> Result<Session, Refusal> {
    let contacts = state.contacts();
    let until = contacts.clock.now() + CARRIER_ANSWER_WITHIN;
    let soon = contacts.clock.now() + CARRIER_SAID_WITHIN;
    let mut session = contacts.session(contact).await?;
    for _ in 0..CARRIER_STEPS_MAX {
        session = contacts.rested(contact, soon, rests).await?;
        if !rests(&session) {
            // What was said before a step that takes its time is not kept from the caller until then.
            let says = |session: &Session| session.unheard.is_some_and(|seq| seq > at.after);
            let rests_or_says = |session: &Session| rests(session) || says(session);
            session = contacts.rested(contact, until, rests_or_says).await?;
        }
        match &session.state {
            Stands::Serving(serving) if connects(&session) => {
                let pinned = pinned(state, &session).await;
                let scribe = Scribe {
                    carrier,
                    contact,
                    call,
                    release: pinned.as_ref().map(|pinned| &**pinned.release()),
                };
                if scribe.target(&session).is_some() {
                    return Ok(session);
                }
                let queued = agent(&session).map(|(_, agent)| agent.to_owned());
                let answer = match &queued {
                    Some(_) => ServiceAnswer::Queue(QueueAnswer::Failed),
                    None => ServiceAnswer::Transfer(TransferAnswer::Failed),
                };
                tracing::warn!(%contact, carrier = carrier.name, "the carrier does not reach whom the caller is to talk to");
                let input = Input::ServiceAnswered {
                    work: serving.work.clone(),
                    attempt: serving.attempt,
                    answer,
                };
                deliver(state, contact, input).await?;
                if let Some(agent) = queued {
                    let _ = contacts.agent_does(&agent, contact, Deed::End);
                } else if let Some(agent) = wanted_agent(serving) {
                    let_go(state, contact, serving, agent, false);
                }
            }
            _ => return Ok(session),
        }
    }
    // It is asked for again, and goes on from there.
    tracing::warn!(%contact, carrier = carrier.name, steps = CARRIER_STEPS_MAX, "a contact makes many steps that the carrier cannot");
    carrier.counts("steps", "too-many");
    Ok(session)
}

/// Whether a contact waits for something that a document can ask for.
fn rests(session: &Session) -> bool {
    match &session.state {
        Stands::Ended { .. } | Stands::Hearing(_) => true,
        Stands::Serving(serving) => connects(session) || matches!(serving.stage, Stage::Waiting(_)),
        Stands::Deciding | Stands::Calling(_) | Stands::Together(_) | Stands::Waiting { .. } => false,
    }
}

/// The document of a step, of the contact's events up to one.
pub(super) async fn document(
    state: &State,
    carrier: &Carrier,
    contact: &ContactId,
    call: &str,
    at: At,
    until: u64,
) -> Result<Response, Refusal> {
    let limit = usize::try_from(until).unwrap_or(usize::MAX);
    let (events, _) = state.contacts().events(contact, 0, limit).await?;
    let session = Session::fold(contact.clone(), events.iter().map(|(_, event)| event));
    let pinned = pinned(state, &session).await;
    let scribe = Scribe {
        carrier,
        contact,
        call,
        release: pinned.as_ref().map(|pinned| &**pinned.release()),
    };
    let script = scribe.script(&session, &events, at);
    Ok(carrier.document(render(carrier.dialect, &script)))
}

pub(super) async fn pinned(state: &State, session: &Session) -> Option<Pinned> {
    match state.releases().pin(&session.release).await {
        Ok(pinned) => Some(pinned),
        Err(error) => {
            tracing::warn!(contact = %session.contact, %error, "a contact's release cannot be rebuilt");
            None
        }
    }
}

/// What the answer to a step is kept under. No name of the carrier's stands in it.
pub(super) fn key(carrier: &Carrier, contact: &ContactId, call: &str, step: &str, at: At) -> String {
    let (after, again) = (at.after.to_string(), at.again.to_string());
    let parts = [&carrier.name, contact.as_str(), call, step, &after, &again];
    Digest::of_parts(parts.map(str::as_bytes)).to_string()
}

pub(super) async fn answered(state: &State, key: &str) -> Result<Option<u64>, Refusal> {
    let contacts = state.contacts();
    let now = contacts.clock.now();
    let entry = contacts.journal.store().get(CARRIER_ANSWERS, key, now).await?;
    Ok(entry
        .and_then(|entry| serde_json::from_slice::<Answered>(&entry.value).ok())
        .map(|answered| answered.until))
}

/// Keeps how far an answer goes; of two at once the first counts.
async fn keep(state: &State, key: &str, until: u64) -> Result<u64, Refusal> {
    let contacts = state.contacts();
    let now = contacts.clock.now();
    let answered_now = Answered {
        version: VERSION,
        until,
    };
    let put = Put {
        space: CARRIER_ANSWERS,
        key,
        value: serde_json::to_vec(&answered_now).expect("two numbers are JSON"),
        expect: Expect::Absent,
        expires: Some(now + CARRIER_AGAIN_WITHIN),
        at: now,
    };
    match contacts.journal.store().put(put).await {
        Ok(_) => Ok(until),
        Err(trunkline_journal::Error::Conflict { .. }) => Ok(answered(state, key).await?.unwrap_or(until)),
        Err(error) => Err(FindError::Journal(error).into()),
    }
}
