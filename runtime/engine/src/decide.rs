//! What an input makes of a contact.

use std::sync::Arc;

use trunkline_flow::Checked;
use trunkline_model::{
    CallId, Duration, FlowName, InputId, Outcome, StepId, Timestamp, Value, VariableName, WorkId,
    limits::{EVENTS_PER_CONTACT_MAX, INPUT_CHARS_MAX, KEYS_AHEAD_MAX},
};

use crate::{
    Readings, collect,
    course::{Course, Then},
    event::{AnswerKind, Event, Fact, Personal, Question},
    input::{Arrival, Channel, Input, Refused, Reply, Start, Utterance},
    secrets::Origin,
    service::{ServiceAnswer, Stage},
    session::{Session, State},
    steps::{call, hearing, plain, record, service, survey, together},
};

/// What was decided: events to be made durable, and the session after them. Until they are
/// durable nothing of it may leave the process.
#[derive(Clone, Debug)]
pub struct Decision {
    /// What happened, in order; empty when the input moved nothing.
    pub events: Vec<Event>,
    /// The session with the events applied.
    pub session: Session,
    /// What to tell whoever gave the input.
    pub reply: Reply,
}

/// The hotline has no such number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the hotline has no number {0:?}; its numbers stand under `numbers` in hotline.yaml")]
pub struct NoSuchNumber(pub String);

/// Begins a contact. Of the world the flow may read what `readings` holds.
///
/// # Errors
/// The hotline does not have the number.
pub fn arrive(
    hotline: &Checked,
    arrival: Arrival,
    at: Timestamp,
    readings: &Readings,
) -> Result<Decision, NoSuchNumber> {
    let (mut course, flow) = arrived(hotline, arrival, at, readings)?;
    let then = course.enter_flow(&flow, Vec::new());
    course.follow(then);
    Ok(decided(course, Reply::Accepted))
}

/// Begins a contact in the middle of a flow, with variables that are set already: for
/// rehearsals. A step that the flow does not have ends the contact as broken.
///
/// # Errors
/// The hotline does not have the number.
pub fn arrive_at(
    hotline: &Checked,
    arrival: Arrival,
    (flow, step): (&FlowName, &StepId),
    variables: impl IntoIterator<Item = (VariableName, Value)>,
    at: Timestamp,
    readings: &Readings,
) -> Result<Decision, NoSuchNumber> {
    let (mut course, _) = arrived(hotline, arrival, at, readings)?;
    let then = match course.enter_flow(flow, Vec::new()) {
        Then::Go(_) => {
            for (name, value) in variables {
                course.assign(&name, value.into());
            }
            Then::Go(step.clone())
        }
        Then::Rest => Then::Rest,
    };
    course.follow(then);
    Ok(decided(course, Reply::Accepted))
}

/// Nothing starts on this in the hotline.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no flow of the hotline starts on {0:?}; a flow says so by `starts-on`")]
pub struct NothingStarts(pub String);

/// Begins a contact that nobody called for: the flow that starts on a feed or a webhook runs with
/// what it was given, and nobody is on a line. What it came by stands as its number.
///
/// # Errors
/// No flow starts on it.
pub fn start(
    hotline: &Checked,
    start: Start,
    at: Timestamp,
    readings: &Readings,
) -> Result<Decision, NothingStarts> {
    let starts = hotline.starts(&start.on);
    let Some(flow) = starts.and_then(|starts| starts.flow.clone()) else {
        return Err(NothingStarts(start.on.to_string()));
    };
    let wanted = start.language.as_deref().and_then(|tag| hotline.language(tag));
    let language = wanted.or_else(|| hotline.languages.first());
    let mut course = Course::new(hotline, Session::new(start.contact), at, readings);
    course.emit_with(
        Fact::Arrived {
            release: start.release,
            channel: Channel::Outbound,
            number: start.on.to_string().into(),
            language: language.cloned().unwrap_or_default(),
        },
        Personal::Caller {
            caller: start.person,
            claimed: None,
        },
    );
    let inputs = start.inputs.into_iter();
    let then = course.enter_flow(&flow, inputs.map(|(name, value)| (name, value.into())).collect());
    course.follow(then);
    Ok(decided(course, Reply::Accepted))
}

/// A contact of which nothing is known but that it arrived, and the flow of its number.
fn arrived<'a>(
    hotline: &'a Checked,
    arrival: Arrival,
    at: Timestamp,
    readings: &'a Readings,
) -> Result<(Course<'a>, FlowName), NoSuchNumber> {
    let Some(number) = hotline.numbers.get(&arrival.number) else {
        return Err(NoSuchNumber(arrival.number.to_string()));
    };
    let language = arrival
        .language
        .as_deref()
        .and_then(|tag| hotline.language(tag))
        .or(number.language.as_ref())
        .or_else(|| hotline.languages.first())
        .cloned()
        .unwrap_or_default();
    let mut course = Course::new(hotline, Session::new(arrival.contact), at, readings);
    course.emit_with(
        Fact::Arrived {
            release: arrival.release,
            channel: arrival.channel,
            number: arrival.number,
            language,
        },
        Personal::Caller {
            caller: arrival.caller,
            claimed: arrival.claimed,
        },
    );
    Ok((course, number.flow.clone()))
}

/// Decides what an input makes of a contact at a time. Of the world the flow may read what
/// `readings` holds.
pub fn decide(
    hotline: &Checked,
    session: &Session,
    input: &Input,
    at: Timestamp,
    readings: &Readings,
) -> Decision {
    let mut course = Course::new(hotline, session.clone(), at, readings);
    let reply = match input {
        Input::Utterance { id, utterance } => heard(&mut course, id, utterance),
        Input::HangUp { id } => hung_up(&mut course, id.as_ref()),
        Input::Answer {
            call,
            attempt,
            outcome,
        } => answered(&mut course, call, *attempt, outcome),
        Input::ServiceAnswered {
            work,
            attempt,
            answer,
        } => served(&mut course, work, *attempt, answer),
        Input::EventHappened { id, event } => happened(&mut course, id, event),
        Input::Played { seq } => played(&mut course, *seq),
        Input::Unanswered { question } => unanswered(&mut course, *question),
        Input::TimeUp => time_up(&mut course),
        Input::Recovered => recovered(&mut course),
    };
    decided(course, reply)
}

/// Ends a contact whose decision could not be written down, since it was too large: what
/// happens instead of it. Nothing for one that has ended.
pub fn give_up(hotline: &Checked, session: &Session, at: Timestamp) -> Decision {
    let readings = Readings::default();
    let mut course = Course::new(hotline, session.clone(), at, &readings);
    if !session.has_ended() {
        course.hit_limit("decision-size");
    }
    decided(course, Reply::Refused(Refused::Ended))
}

fn decided(course: Course<'_>, reply: Reply) -> Decision {
    Decision {
        events: course.events,
        session: course.session,
        reply,
    }
}

fn heard(course: &mut Course<'_>, id: &InputId, utterance: &Utterance) -> Reply {
    if let Some(reply) = course.session.reply_to(id) {
        return reply;
    }
    if course.session.has_ended() {
        return Reply::Refused(Refused::Ended);
    }
    if is_exhausted(course) {
        course.hit_limit(EVENTS_PER_CONTACT);
        return Reply::Refused(Refused::Ended);
    }
    if let Err(why) = admissible(course, utterance) {
        course.emit(Fact::InputRefused {
            input: id.clone(),
            why,
        });
        return Reply::Refused(why);
    }
    let late_finish = late_finish(course, utterance);
    let secret = hearing::hears_secret(course);
    let fact = Fact::Heard { input: id.clone() };
    if secret {
        course.emit(fact);
    } else {
        course.emit_with(fact, Personal::Utterance(utterance.clone()));
    }
    let keys_left;
    let utterance = match (utterance, late_finish) {
        (Utterance::Keys(keys), true) => {
            keys_left = Utterance::Keys(keys[1..].into());
            &keys_left
        }
        (utterance, _) => utterance,
    };
    let then = match (&course.session.state, utterance) {
        (_, Utterance::Keys(keys)) if keys.is_empty() => Then::Rest,
        (State::Hearing(_), utterance) if course.session.notice.is_none() => {
            hearing::heard(course, utterance)
        }
        (State::Serving(serving), utterance) if hears_beside(&serving.stage) => {
            service::heard(course, utterance)
        }
        // A secret takes no keys pressed ahead of it: they would stand in the events.
        (State::Hearing(_), Utterance::Keys(_)) if secret => Then::Rest,
        // Keys pressed while nothing is asked, or while a notice is played, wait.
        (_, Utterance::Keys(keys)) => {
            collect::keep_ahead(course, keys);
            Then::Rest
        }
        (_, Utterance::Text(_)) => Then::Rest,
    };
    course.follow(then);
    Reply::Accepted
}

/// Whether a caller for whom a service works is heard meanwhile: in a queue for what leads
/// another way, and by the agent.
const fn hears_beside(stage: &Stage) -> bool {
    match stage {
        Stage::Waiting(_) | Stage::Talking { .. } => true,
        Stage::Asked | Stage::Ringing => false,
    }
}

/// Whether the first key is the finish key of an answer that was complete without it. A menu
/// that has the key takes it for its own.
fn late_finish(course: &Course<'_>, utterance: &Utterance) -> bool {
    let (Some((finish, until)), Utterance::Keys(keys)) = (course.session.finish_key, utterance) else {
        return false;
    };
    let wanted = match &course.session.state {
        State::Hearing(hearing) => {
            hearing.question == Question::Menu && hearing.expects.keys.contains(finish)
        }
        _ => false,
    };
    keys.starts_with(finish) && course.at <= until && !wanted
}

/// The channel has played what was said up to an event: the time to the first key begins, and
/// keys that waited for the end of a notice are heard.
fn played(course: &mut Course<'_>, seq: u64) -> Reply {
    let session = &course.session;
    let heard_out = |said: Option<u64>| said.is_some_and(|said| said <= seq);
    if session.has_ended() || !(heard_out(session.unheard) || heard_out(session.notice)) {
        return Reply::Accepted;
    }
    if is_exhausted(course) {
        course.hit_limit(EVENTS_PER_CONTACT);
        return Reply::Accepted;
    }
    let until = match &session.state {
        State::Hearing(hearing) if heard_out(session.unheard) => Some(course.at + hearing.first_input),
        _ => None,
    };
    course.emit(Fact::Played {
        seq: seq.min(session.seq),
        until,
    });
    let then = hearing::heard_ahead(course);
    course.follow(then);
    Reply::Accepted
}

/// The name of the bound on a contact's events.
const EVENTS_PER_CONTACT: &str = "events-per-contact";

/// Whether a contact has had all the events it may have.
fn is_exhausted(course: &Course<'_>) -> bool {
    !course.session.has_ended() && course.session.seq >= EVENTS_PER_CONTACT_MAX
}

/// Whether an utterance is one that the contact can take now.
fn admissible(course: &Course<'_>, utterance: &Utterance) -> Result<(), Refused> {
    let session = &course.session;
    match utterance {
        Utterance::Keys(keys) => {
            let carries = session.channel.carries();
            let answers = is_heard(session);
            let ahead = if answers { 0 } else { session.keys_ahead.len() };
            let well_formed = !keys.is_empty() && keys.chars().all(collect::is_key);
            if !well_formed || ahead + keys.len() > KEYS_AHEAD_MAX {
                return Err(Refused::BadKeys);
            }
            if session.hung_up.is_some() || (!answers && carries.keys_ahead_max == 0) {
                Err(Refused::NotListening)
            } else {
                Ok(())
            }
        }
        Utterance::Text(text) => {
            if text.trim().is_empty() || text.chars().count() > INPUT_CHARS_MAX {
                return Err(Refused::BadText);
            }
            match &session.state {
                // Words said into a notice are no answer to what is asked after it.
                State::Hearing(_) if is_heard(session) && session.channel.carries().words => Ok(()),
                State::Serving(serving) if hears_beside(&serving.stage) => Ok(()),
                _ => Err(Refused::NotListening),
            }
        }
    }
}

/// Whether what the caller gives now goes to a question.
const fn is_heard(session: &Session) -> bool {
    matches!(session.state, State::Hearing(_)) && session.notice.is_none()
}

fn hung_up(course: &mut Course<'_>, id: Option<&InputId>) -> Reply {
    if let Some(reply) = id.and_then(|id| course.session.reply_to(id)) {
        return reply;
    }
    if course.session.has_ended() {
        return Reply::Refused(Refused::Ended);
    }
    // A caller leaves once, whatever says so again.
    if course.session.hung_up.is_some() {
        return Reply::Accepted;
    }
    course.emit(Fact::HungUp { input: id.cloned() });
    let then = match &course.session.state {
        // A call under way is still answered and recorded; its answer comes first. So does what
        // a service does that needs no caller.
        State::Calling(_) | State::Together(_) => Then::Rest,
        State::Serving(serving) if !serving.demand.needs_caller() => Then::Rest,
        // What the caller gave before leaving is kept.
        State::Hearing(_) => record::hung_up(course)
            .or_else(|| survey::hung_up(course))
            .unwrap_or_else(|| course.close()),
        _ => course.close(),
    };
    course.follow(then);
    Reply::Accepted
}

fn answered(course: &mut Course<'_>, call: &CallId, attempt: u32, outcome: &Outcome) -> Reply {
    let waits = course
        .session
        .pending()
        .calls
        .iter()
        .any(|calling| calling.call == *call && calling.attempt == attempt);
    if waits {
        let then = call::answered(course, call, outcome);
        go_on(course, then);
    } else {
        course.emit_with(
            Fact::AnsweredLate {
                call: call.clone(),
                attempt,
                answer: AnswerKind::from(outcome),
            },
            Personal::Answer(outcome.clone()),
        );
    }
    Reply::Accepted
}

fn served(course: &mut Course<'_>, work: &WorkId, attempt: u32, answer: &ServiceAnswer) -> Reply {
    let waits = course.session.pending().service.is_some_and(|serving| {
        serving.work == *work && serving.attempt == attempt && answer.fits(&serving.demand)
    });
    if waits {
        let then = service::answered(course, answer);
        go_on(course, then);
    } else {
        course.emit(Fact::ServiceAnsweredLate {
            work: work.clone(),
            attempt,
            answer: answer.clone(),
        });
    }
    Reply::Accepted
}

/// Something happened that the contact may wait for. For one that does not wait for it, it is
/// nothing.
fn happened(course: &mut Course<'_>, id: &InputId, event: &Arc<str>) -> Reply {
    if let Some(reply) = course.session.reply_to(id) {
        return reply;
    }
    match &course.session.state {
        State::Ended { .. } => Reply::Refused(Refused::Ended),
        State::Waiting {
            event: Some(awaited), ..
        } if awaited == event => {
            let then = plain::happened(course, id, event);
            go_on(course, then);
            Reply::Accepted
        }
        _ => Reply::Refused(Refused::NotListening),
    }
}

/// Goes on after an answer, unless the contact has had all the events it may have.
fn go_on(course: &mut Course<'_>, then: Then) {
    if is_exhausted(course) {
        course.hit_limit(EVENTS_PER_CONTACT);
    } else {
        course.follow(then);
    }
}

fn time_up(course: &mut Course<'_>) -> Reply {
    if course
        .session
        .pending()
        .wake
        .is_some_and(|wake| wake <= course.at)
    {
        if is_exhausted(course) {
            course.hit_limit(EVENTS_PER_CONTACT);
            return Reply::Accepted;
        }
        let then = match &course.session.state {
            State::Hearing(_) => hearing::time_up(course),
            State::Calling(_) => call::time_up(course),
            State::Together(_) => together::time_up(course),
            State::Serving(_) => service::time_up(course),
            State::Waiting { .. } => plain::waited(course),
            State::Deciding | State::Ended { .. } => Then::Rest,
        };
        course.follow(then);
    }
    Reply::Accepted
}

/// The channel heard the caller in vain. What it says of a question that is over moves nothing.
fn unanswered(course: &mut Course<'_>, question: u64) -> Reply {
    let asked = matches!(&course.session.state, State::Hearing(hearing) if hearing.seq == question);
    if asked {
        if is_exhausted(course) {
            course.hit_limit(EVENTS_PER_CONTACT);
            return Reply::Accepted;
        }
        if course.session.unheard.is_some() {
            // The time began when all had been played.
            course.emit(Fact::Played {
                seq: course.session.seq,
                until: None,
            });
        }
        let then = hearing::unanswered(course);
        course.follow(then);
    }
    Reply::Accepted
}

/// A node was started again. What the caller would have felt of the outage is made good:
/// a question whose time ran out meanwhile is asked again instead of counted as no input,
/// a call without an answer is made again, a service is asked again. A `wait` that is over goes
/// on at once. Secrets are lost, and are asked for again.
fn recovered(course: &mut Course<'_>) -> Reply {
    if course.session.has_ended() {
        return Reply::Accepted;
    }
    let away: Duration = course.at.since(course.session.last);
    course.emit(Fact::Resumed { away });
    let then = ask_for_lost_secrets(course).unwrap_or_else(|| take_up(course, away));
    course.follow(then);
    Reply::Accepted
}

fn take_up(course: &mut Course<'_>, away: Duration) -> Then {
    let overdue = course
        .session
        .pending()
        .wake
        .is_some_and(|wake| wake <= course.at);
    match &course.session.state {
        // What was given of a secret answer is lost: it begins again.
        State::Hearing(_) if overdue || hearing::hears_secret(course) => hearing::ask_again(course),
        State::Calling(_) => call::recovered(course),
        State::Together(_) => together::recovered(course),
        State::Serving(_) => service::recovered(course, away),
        State::Waiting { .. } if overdue => plain::waited(course),
        State::Hearing(_) | State::Waiting { .. } | State::Ended { .. } => Then::Rest,
        // A journal that ends in mid-decision was never written by this engine.
        State::Deciding => course.broken(),
    }
}

/// Goes back to the step that asked for a secret which the flows that the contact is in still
/// hold, and which is lost. None when none is, or when nobody can be asked: then what held a
/// secret holds nothing.
///
/// A call under way that may not be asked again goes first, since whether it was made is not
/// known: it becomes the fault `interrupted`, and its way out is the flow's to choose.
fn ask_for_lost_secrets(course: &mut Course<'_>) -> Option<Then> {
    let session = &course.session;
    let lost = |depth: usize, name| !session.secrets.variables.contains_key(&(depth, name));
    let origins = session.frames.iter().enumerate().flat_map(|(depth, frame)| {
        frame
            .secrets
            .iter()
            .filter(move |(name, _)| lost(depth, (*name).clone()))
            .map(|(_, origin)| origin)
    });
    let origin: Origin = origins.min_by_key(|origin| origin.depth)?.clone();
    let may_not_repeat = session
        .pending()
        .calls
        .iter()
        .any(|calling| calling.at_most_once || calling.redacted);
    let goes_back = session.hung_up.is_none() && !may_not_repeat && session.frames.len() > origin.depth;
    course.emit(Fact::SecretsLost {
        back: goes_back.then(|| origin.clone()),
    });
    if !goes_back {
        return None;
    }
    course.leave_service();
    course.leave_flows_above(origin.depth, "left");
    Some(Then::Go(origin.step))
}
