//! One request of a carrier: what it says is given to the contact, once, and the answer is what the
//! contact says next.

use axum::response::Response;
use serde::{Deserialize, Serialize};
use trunkline_channel::cpaas::{Dialect, Dialled, Phase, Posted, render};
use trunkline_engine::{
    Input, Session, Utterance,
    collect::wanted,
    event::Question,
    service::{Demand, Destination, QueueAnswer, RecordAnswer, RecordDemand, ServiceAnswer, Serving, Stage, TransferAnswer},
    session::State as Stands,
};
use trunkline_journal::{Expect, Put};
use trunkline_model::{ContactId, Digest, InputId};

use super::{
    ArriveError, DeliverError, FindError,
    carrier::Carrier,
    links::{At, Step},
    script::Scribe,
};
use crate::{
    contacts::{CARRIER_ANSWERS, Call, Deed, is_e164},
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

/// A call comes in: a contact begins, and says its first.
pub(super) async fn begin(state: &State, carrier: &Carrier, posted: &Posted) -> Result<Response, Refusal> {
    let Some(number) = called(state, carrier, posted.to.as_deref()) else {
        tracing::warn!(
            carrier = carrier.name,
            "a call came to a number that the hotline does not have, or not by this carrier"
        );
        return Ok(carrier.reject());
    };
    let call = Call {
        id: Some(request_id(carrier.dialect, &carrier.name, &posted.call)),
        channel: carrier.dialect.channel(),
        number,
        language: None,
        // Whoever signed the request vouches for it; what is withheld or no number is unknown.
        caller: posted.from.clone().filter(|from| is_e164(from)),
        claimed: None,
    };
    let arrived = match state.contacts().arrive(call).await {
        Ok(arrived) => arrived,
        Err(error @ (ArriveError::NoSuchNumber { .. } | ArriveError::IdReused)) => {
            tracing::warn!(carrier = carrier.name, code = %kind(&error), "a carrier's call is refused");
            return Ok(carrier.reject());
        }
        Err(error) => return Err(error.into()),
    };
    let at = At { after: 0, again: 0 };
    answer(state, carrier, &arrived.contact, &posted.call, "call", at).await
}

const fn kind(error: &ArriveError) -> &'static str {
    match error {
        ArriveError::NoSuchNumber { .. } => "no-such-number",
        _ => "call-name-reused",
    }
}

/// The call is over.
pub(super) async fn over(state: &State, carrier: &Carrier, posted: &Posted) -> Result<(), Refusal> {
    let id = request_id(carrier.dialect, &carrier.name, &posted.call);
    match state.contacts().begun_by(&id).await? {
        Some(contact) => hang_up(state, &contact).await,
        // One that was never taken.
        None => Ok(()),
    }
}

/// The next step of a call.
pub(super) async fn go_on(
    state: &State,
    carrier: &Carrier,
    contact: &ContactId,
    call: &str,
    step: Step,
    at: At,
    posted: &Posted,
) -> Result<Response, Refusal> {
    let name = step.as_str();
    if step != Step::Answered
        && let Some(until) = answered(state, &key(carrier, contact, call, name, at)).await?
    {
        return document(state, carrier, contact, call, at, until).await;
    }
    let given = Given {
        state,
        carrier,
        contact,
        at,
        step,
    };
    // The status of a dialled leg is not the call's own.
    let over = posted.phase == Some(Phase::Over) && step != Step::Answered;
    if over && step != Step::Record {
        // Who has left while a transfer rang does not go on behind it.
        hang_up(state, contact).await?;
    } else {
        given.take(posted).await?;
        if over {
            // What was recorded until then is a message.
            hang_up(state, contact).await?;
        }
    }
    if step == Step::Answered {
        return Ok(carrier.nothing());
    }
    answer(state, carrier, contact, call, name, at).await
}

async fn hang_up(state: &State, contact: &ContactId) -> Result<(), Refusal> {
    let left = Input::HangUp {
        id: Some("carrier-hang-up".into()),
    };
    deliver(state, contact, left).await
}

/// Gives an input. That it was refused is recorded; the next document asks again.
async fn deliver(state: &State, contact: &ContactId, input: Input) -> Result<(), Refusal> {
    match state.contacts().deliver(contact, input).await {
        Ok(_) => Ok(()),
        Err(DeliverError::Stranded { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// What a request gives to its contact.
struct Given<'a> {
    state: &'a State,
    carrier: &'a Carrier,
    contact: &'a ContactId,
    at: At,
    step: Step,
}

impl Given<'_> {
    async fn take(&self, posted: &Posted) -> Result<(), Refusal> {
        let session = self.session().await?;
        match self.step {
            Step::Gather => self.gathered(&session, posted).await,
            Step::Poll => self.played(&session).await,
            Step::Record => self.recorded(&session, posted).await,
            Step::Silent => match message(&session) {
                Some(serving) => {
                    self.serve(serving, ServiceAnswer::Record(RecordAnswer::Declined))
                        .await
                }
                None => self.silence(&session).await,
            },
            Step::Dial => self.dialled(&session, posted).await,
            Step::Answered => match transfer(&session).filter(|serving| self.is_of(serving)) {
                Some(serving) if !matches!(serving.stage, Stage::Talking { .. }) => {
                    if let Some(agent) = wanted_agent(serving) {
                        // The desk tells the contact. The agent may have taken the call by hand.
                        let _ = self.state.contacts().agent_does(agent, self.contact, Deed::Answer);
                        return Ok(());
                    }
                    self.serve(serving, ServiceAnswer::Transfer(TransferAnswer::Answered))
                        .await
                }
                _ => Ok(()),
            },
        }
    }

    /// Whether the document that this request comes from was written for this work, and not for what
    /// was asked before: what came of one transfer says nothing of the next.
    const fn is_of(&self, serving: &Serving) -> bool {
        serving.seq <= self.at.after
    }

    async fn session(&self) -> Result<Session, Refusal> {
        Ok(self.state.contacts().session(self.contact).await?)
    }

    async fn deliver(&self, input: Input) -> Result<(), Refusal> {
        deliver(self.state, self.contact, input).await
    }

    /// Keys or words, or neither.
    async fn gathered(&self, session: &Session, posted: &Posted) -> Result<(), Refusal> {
        let (asked, queued) = match &session.state {
            // What answers a question that is over answers no other.
            Stands::Hearing(hearing) => (hearing.seq <= self.at.after, false),
            Stands::Serving(serving) => (
                false,
                self.is_of(serving) && matches!(serving.stage, Stage::Waiting(_)),
            ),
            _ => (false, false),
        };
        // A notice stands before what may be talked over: it was played to its end.
        if let Some(seq) = session.notice.filter(|seq| *seq <= self.at.after) {
            self.deliver(Input::Played { seq }).await?;
        }
        match (&posted.digits, &posted.words) {
            (Some(digits), _) if asked || queued => self.utter(Utterance::Keys(digits.as_str().into())).await,
            (None, Some(words)) if asked => self.utter(Utterance::Text(words.as_str().into())).await,
            (None, None) if asked => self.silence(session).await,
            _ => self.played(session).await,
        }
    }

    /// A message was recorded. The carrier keeps it, and what it is called there is its name in the flow.
    async fn recorded(&self, session: &Session, posted: &Posted) -> Result<(), Refusal> {
        let Some(recording) = &posted.recording else {
            return self.silence(session).await;
        };
        match &session.state {
            Stands::Hearing(hearing)
                if hearing.question == Question::Message && hearing.seq <= self.at.after =>
            {
                let pinned = pinned(self.state, session).await;
                let finish = pinned.and_then(|pinned| wanted(pinned.release().hotline(), session)?.finish);
                let Some(finish) = finish else {
                    return self.silence(session).await;
                };
                self.played(session).await?;
                self.utter(Utterance::Keys(finish.to_string().into())).await?;
            }
            // The caller has left meanwhile, which ends most messages.
            Stands::Serving(_) => {}
            _ => return Ok(()),
        }
        let session = self.session().await?;
        let Some(serving) = message(&session) else {
            return Ok(());
        };
        tracing::info!(contact = %self.contact, carrier = self.carrier.name, "a message is recorded at the carrier");
        let recording = format!("{}-{}", self.carrier.name, named(recording)).into();
        self.serve(serving, ServiceAnswer::Record(RecordAnswer::Done { recording }))
            .await
    }

    /// Nothing was given in the question's whole time.
    async fn silence(&self, session: &Session) -> Result<(), Refusal> {
        match &session.state {
            Stands::Hearing(hearing) if hearing.seq <= self.at.after => {
                let question = hearing.seq;
                self.deliver(Input::Unanswered { question }).await
            }
            _ => Ok(()),
        }
    }

    /// What stood in the document was said to its end.
    async fn played(&self, session: &Session) -> Result<(), Refusal> {
        match session.unheard {
            Some(seq) if seq <= self.at.after => self.deliver(Input::Played { seq }).await,
            _ => Ok(()),
        }
    }

    async fn utter(&self, utterance: Utterance) -> Result<(), Refusal> {
        let At { after, again } = self.at;
        // The same request gives the same input.
        let id = InputId::new(format!("carrier-{}-{after}-{again}", self.step.as_str()));
        self.deliver(Input::Utterance { id, utterance }).await
    }

    async fn serve(&self, serving: &Serving, answer: ServiceAnswer) -> Result<(), Refusal> {
        self.deliver(Input::ServiceAnswered {
            work: serving.work.clone(),
            attempt: serving.attempt,
            answer,
        })
        .await
    }

    /// What came of a dialled leg, to a transfer or to an agent of a queue.
    async fn dialled(&self, session: &Session, posted: &Posted) -> Result<(), Refusal> {
        self.played(session).await?;
        let came = posted.dialled.unwrap_or(Dialled::Failed);
        if let Some(serving) = transfer(session).filter(|serving| self.is_of(serving)) {
            let talks = matches!(serving.stage, Stage::Talking { .. });
            let spoke = talks || matches!(came, Dialled::Completed | Dialled::Answered);
            if came == Dialled::Completed && !talks {
                self.serve(serving, ServiceAnswer::Transfer(TransferAnswer::Answered))
                    .await?;
            }
            let answer = match came {
                Dialled::Completed | Dialled::Answered => TransferAnswer::OtherLegEnded,
                // The other side had answered, whatever ended it.
                _ if talks => TransferAnswer::OtherLegEnded,
                Dialled::Busy => TransferAnswer::Busy,
                Dialled::NoAnswer => TransferAnswer::NoAnswer,
                Dialled::Failed => TransferAnswer::Failed,
            };
            self.serve(serving, ServiceAnswer::Transfer(answer)).await?;
            if let Some(agent) = wanted_agent(serving) {
                let_go(self.state, self.contact, serving, agent, spoke);
            }
            return Ok(());
        }
        if let Some((serving, agent)) = agent(session).filter(|(serving, _)| self.is_of(serving)) {
            // The contact is told here, and not by way of the queue, so that the answer to this request
            // does not dial the agent again.
            let answer = match came {
                Dialled::Completed | Dialled::Answered => QueueAnswer::AgentLeft,
                Dialled::Busy | Dialled::NoAnswer | Dialled::Failed => QueueAnswer::Failed,
            };
            self.serve(serving, ServiceAnswer::Queue(answer)).await?;
            // The agent may have left by then.
            let _ = self.state.contacts().agent_does(agent, self.contact, Deed::End);
        }
        Ok(())
    }
}

fn transfer(session: &Session) -> Option<&Serving> {
    match &session.state {
        Stands::Serving(serving) if matches!(serving.demand, Demand::Transfer { .. }) => Some(serving),
        _ => None,
    }
}

/// The message that is to be kept.
fn message(session: &Session) -> Option<&Serving> {
    match &session.state {
        Stands::Serving(serving)
            if matches!(serving.demand, Demand::Record(RecordDemand::Message { .. })) =>
        {
            Some(serving)
        }
        _ => None,
    }
}

/// The agent whom a transfer asks for.
fn wanted_agent(serving: &Serving) -> Option<&str> {
    match &serving.demand {
        Demand::Transfer {
            to: Destination::Agent,
            ..
        } => serving.particulars.party.as_deref(),
        _ => None,
    }
}

/// Has the desk let an agent go of a transfer whose end the contact was told here, and not by way of the
/// desk. One who spoke has something to write up.
fn let_go(state: &State, contact: &ContactId, serving: &Serving, agent: &str, spoke: bool) {
    let contacts = state.contacts();
    if spoke {
        // Either may have been done before.
        let _ = contacts.agent_does(agent, contact, Deed::Answer);
        let _ = contacts.agent_does(agent, contact, Deed::End);
    } else {
        contacts.left_service(contact, &serving.work);
    }
}

/// The agent of a queue to whom the caller is to talk.
fn agent(session: &Session) -> Option<(&Serving, &str)> {
    let Stands::Serving(serving) = &session.state else {
        return None;
    };
    match (&serving.demand, &serving.stage) {
        (Demand::Queue { .. }, Stage::Talking { agent: Some(agent) }) => Some((serving, agent)),
        _ => None,
    }
}

/// Answers a step by what the contact says next: waits for it, keeps how far it went, and writes it.
async fn answer(
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

/// Whether the carrier is to connect the caller to somebody.
fn connects(session: &Session) -> bool {
    match transfer(session) {
        // Whether the agent is there and free is still to be said.
        Some(serving) if wanted_agent(serving).is_some() => {
            matches!(serving.stage, Stage::Ringing | Stage::Talking { .. })
        }
        Some(_) => true,
        None => agent(session).is_some(),
    }
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
async fn document(
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

async fn pinned(state: &State, session: &Session) -> Option<Pinned> {
    match state.releases().pin(&session.release).await {
        Ok(pinned) => Some(pinned),
        Err(error) => {
            tracing::warn!(contact = %session.contact, %error, "a contact's release cannot be rebuilt");
            None
        }
    }
}

/// What the answer to a step is kept under. No name of the carrier's stands in it.
fn key(carrier: &Carrier, contact: &ContactId, call: &str, step: &str, at: At) -> String {
    let (after, again) = (at.after.to_string(), at.again.to_string());
    let parts = [&carrier.name, contact.as_str(), call, step, &after, &again];
    Digest::of_parts(parts.map(str::as_bytes)).to_string()
}

async fn answered(state: &State, key: &str) -> Result<Option<u64>, Refusal> {
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

/// The hotline's number that was called.
fn called(state: &State, carrier: &Carrier, to: Option<&str>) -> Option<String> {
    let to = to?.trim();
    let to = to.strip_prefix("sip:").or(to.strip_prefix("tel:")).unwrap_or(to);
    let user = to.split(['@', ';']).next()?;
    let release = state.releases().current()?;
    let numbers = &release.hotline().numbers;
    let allowed = |number: &str| {
        carrier
            .numbers
            .as_ref()
            .is_none_or(|own| own.iter().any(|own| **own == *number))
    };
    [user, user.strip_prefix('+').unwrap_or(user)]
        .into_iter()
        .find(|number| numbers.contains_key(*number) && allowed(number))
        .map(str::to_owned)
}

/// The name of a call's request for a contact.
pub(super) fn request_id(dialect: Dialect, carrier: &str, call: &str) -> String {
    Digest::of_parts([dialect.as_str(), carrier, call].map(str::as_bytes)).to_string()
}

/// A recording's name at the carrier, without the address around it.
fn named(recording: &str) -> String {
    let name = recording.rsplit('/').next().unwrap_or_default();
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .take(64)
        .collect()
}
