//! What an input makes of a contact.

use std::collections::BTreeMap;

use trunkline_flow::Checked;
use trunkline_model::{
    CallId, Duration, InputId, Outcome, Timestamp,
    limits::{EVENTS_PER_CONTACT_MAX, INPUT_CHARS_MAX, KEYS_AHEAD_MAX},
};

use crate::{
    collect,
    course::{Course, Then},
    event::{AnswerKind, Event, Fact, Personal, Question},
    input::{Arrival, Input, Refused, Reply, Utterance},
    session::{Session, State},
    steps::{call, hearing},
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

/// Begins a contact.
///
/// # Errors
/// The hotline does not have the number.
pub fn arrive(hotline: &Checked, arrival: Arrival, at: Timestamp) -> Result<Decision, NoSuchNumber> {
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
    let mut course = Course::new(hotline, Session::new(arrival.contact), at);
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
    let then = course.enter_flow(&number.flow, BTreeMap::new());
    course.follow(then);
    Ok(decided(course, Reply::Accepted))
}

/// Decides what an input makes of a contact at a time.
pub fn decide(hotline: &Checked, session: &Session, input: &Input, at: Timestamp) -> Decision {
    let mut course = Course::new(hotline, session.clone(), at);
    let reply = match input {
        Input::Utterance { id, utterance } => heard(&mut course, id, utterance),
        Input::HangUp { id } => hung_up(&mut course, id.as_ref()),
        Input::Answer {
            call,
            attempt,
            outcome,
        } => answered(&mut course, call, *attempt, outcome),
        Input::Played { seq } => played(&mut course, *seq),
        Input::TimeUp => time_up(&mut course),
        Input::Recovered => recovered(&mut course),
    };
    decided(course, reply)
}

/// Ends a contact whose decision could not be written down, since it was too large: what
/// happens instead of it. Nothing for one that has ended.
pub fn give_up(hotline: &Checked, session: &Session, at: Timestamp) -> Decision {
    let mut course = Course::new(hotline, session.clone(), at);
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
    course.emit_with(
        Fact::Heard { input: id.clone() },
        Personal::Utterance(utterance.clone()),
    );
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
            // Words said into a notice are no answer to what is asked after it.
            if is_heard(session) && session.channel.carries().words {
                Ok(())
            } else {
                Err(Refused::NotListening)
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
    // A call under way is still answered and recorded; its answer comes first.
    if !matches!(course.session.state, State::Calling(_)) {
        let then = course.close();
        course.follow(then);
    }
    Reply::Accepted
}

fn answered(course: &mut Course<'_>, call: &CallId, attempt: u32, outcome: &Outcome) -> Reply {
    match &course.session.state {
        State::Calling(calling) if calling.call == *call && calling.attempt == attempt => {
            let then = call::answered(course, outcome);
            if is_exhausted(course) {
                course.hit_limit(EVENTS_PER_CONTACT);
            } else {
                course.follow(then);
            }
        }
        _ => course.emit_with(
            Fact::AnsweredLate {
                call: call.clone(),
                attempt,
                answer: AnswerKind::from(outcome),
            },
            Personal::Answer(outcome.clone()),
        ),
    }
    Reply::Accepted
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
            State::Waiting { .. } => waited(course),
            State::Deciding | State::Ended { .. } => Then::Rest,
        };
        course.follow(then);
    }
    Reply::Accepted
}

/// A node was started again. What the caller would have felt of the outage is made good:
/// a question whose time ran out meanwhile is asked again instead of counted as no input,
/// a call without an answer is made again. A `wait` that is over goes on at once.
fn recovered(course: &mut Course<'_>) -> Reply {
    if course.session.has_ended() {
        return Reply::Accepted;
    }
    let away: Duration = course.at.since(course.session.last);
    course.emit(Fact::Resumed { away });
    let overdue = course
        .session
        .pending()
        .wake
        .is_some_and(|wake| wake <= course.at);
    let then = match &course.session.state {
        State::Hearing(_) if overdue => hearing::ask_again(course),
        State::Calling(_) => call::recovered(course),
        State::Waiting { .. } if overdue => waited(course),
        State::Hearing(_) | State::Waiting { .. } | State::Ended { .. } => Then::Rest,
        // A journal that ends in mid-decision was never written by this engine.
        State::Deciding => course.broken(),
    };
    course.follow(then);
    Reply::Accepted
}

fn waited(course: &mut Course<'_>) -> Then {
    match course.place() {
        Some((_, id, step)) => course.leave_by_next(id, step),
        None => course.broken(),
    }
}
