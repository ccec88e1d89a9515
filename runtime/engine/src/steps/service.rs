//! What all steps that ask a service have in common: asking, being answered, time, restarts.

use trunkline_flow::step::{Step, Verb};
use trunkline_model::{Duration, StepId, Timestamp, Value, WorkId};

use crate::{
    course::{Course, Then},
    event::{Fact, Personal},
    input::Utterance,
    service::{Demand, Particulars, ServiceAnswer, Serving, Stage},
    session::State,
    steps::{FAILED, REFUSED, office, queue, record, survey, transfer},
};

/// Asks a service for something new.
pub(super) fn ask(
    course: &mut Course<'_>,
    demand: Demand,
    particulars: Particulars,
    until: Timestamp,
) -> Then {
    let work = course.session.contact.work(course.session.works + 1);
    request(course, work, 1, demand, particulars, until);
    Then::Rest
}

fn request(
    course: &mut Course<'_>,
    work: WorkId,
    attempt: u32,
    demand: Demand,
    particulars: Particulars,
    until: Timestamp,
) {
    let fact = Fact::ServiceAsked {
        work,
        attempt,
        demand,
        until,
    };
    course.emit_with(fact, Personal::Particulars(Box::new(particulars)));
}

/// Takes an answer to the work and attempt that the contact waits for.
pub(crate) fn answered(course: &mut Course<'_>, answer: &ServiceAnswer) -> Then {
    let (Some((_, id, step)), Some(serving)) = (course.place(), present(course)) else {
        return course.broken();
    };
    course.emit(Fact::ServiceAnswered {
        work: serving.work.clone(),
        attempt: serving.attempt,
        answer: answer.clone(),
    });
    match (&step.verb, answer) {
        (Verb::Queue(queue), ServiceAnswer::Queue(answer)) => {
            queue::answered(course, id, step, queue, &serving, answer)
        }
        (Verb::Transfer(_), ServiceAnswer::Transfer(answer)) => transfer::answered(course, id, step, *answer),
        (Verb::Callback(_), ServiceAnswer::Callback(answer)) => office::booked(course, id, step, answer),
        (Verb::Ticket(ticket), ServiceAnswer::Ticket(answer)) => {
            office::ticketed(course, id, step, ticket, answer)
        }
        (Verb::Notify(_), ServiceAnswer::Notify(answer)) => office::sent(course, id, step, *answer),
        (Verb::Survey(_), ServiceAnswer::Survey(answer)) => survey::stored(course, id, step, *answer),
        (Verb::Record(verb), ServiceAnswer::Record(answer)) => {
            record::answered(course, id, step, verb, answer)
        }
        _ => course.broken(),
    }
}

/// What the caller gives while a service works: in a queue it may lead another way, else it is
/// recorded and moves nothing.
pub(crate) fn heard(course: &mut Course<'_>, utterance: &Utterance) -> Then {
    let (Some((_, id, step)), Some(serving)) = (course.place(), present(course)) else {
        return course.broken();
    };
    match (&step.verb, &serving.stage) {
        (Verb::Queue(queue), Stage::Waiting(waiting)) => queue::heard(course, id, queue, waiting, utterance),
        _ => Then::Rest,
    }
}

/// Something is due that is said in a queue, or the wait is over.
pub(crate) fn time_up(course: &mut Course<'_>) -> Then {
    let (Some((_, id, step)), Some(serving)) = (course.place(), present(course)) else {
        return course.broken();
    };
    if serving.until > course.at {
        return match (&step.verb, serving.stage) {
            (Verb::Queue(queue), Stage::Waiting(waiting)) => queue::due(course, id, queue, waiting),
            _ => Then::Rest,
        };
    }
    if let Stage::Talking { .. } = serving.stage {
        course.emit(Fact::LimitHit {
            limit: "talk-time".into(),
        });
        return course.leave_by_next(id, step);
    }
    match &step.verb {
        Verb::Queue(_) => queue::timed_out(course, id, step, &serving.stage),
        Verb::Transfer(_) => transfer::timed_out(course, id, step),
        Verb::Callback(_) | Verb::Ticket(_) => course.leave_by_exit(id, step, REFUSED, Value::None),
        Verb::Record(verb) => record::failed(course, id, step, verb),
        _ => course.leave_by_exit(id, step, FAILED, Value::None),
    }
}

/// The node stopped while a service worked: it is asked again under the same id. What it does
/// for a contact is kept by the contact (since when it waits, whom it talks to), and the time
/// that the node was away does not count.
pub(crate) fn recovered(course: &mut Course<'_>, away: Duration) -> Then {
    let Some(Serving {
        seq: _,
        work,
        attempt,
        demand,
        particulars,
        until,
        stage,
    }) = present(course)
    else {
        return course.broken();
    };
    request(course, work, attempt + 1, demand, particulars, until + away);
    if let Stage::Waiting(waiting) = stage {
        course.emit(Fact::QueuePlanned {
            announcement: waiting.announcement.map(|due| due + away),
            offer: waiting.offer.map(|due| due + away),
            offered: waiting.offered,
        });
    }
    Then::Rest
}

/// Leaves by an exit if the step has it, else by `next`: some verbs have ways out only where the
/// flow asked for what they stand for.
pub(super) fn leave_by_exit_or_next(course: &mut Course<'_>, id: &StepId, step: &Step, exit: &str) -> Then {
    if step.exits.contains_key(exit) {
        course.leave_by_exit(id, step, exit, Value::None)
    } else {
        course.leave_by_next(id, step)
    }
}

fn present(course: &Course<'_>) -> Option<Serving> {
    match &course.session.state {
        State::Serving(serving) => Some((**serving).clone()),
        _ => None,
    }
}
