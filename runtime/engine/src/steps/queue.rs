//! `queue`: waiting for an agent, and talking to one.
//!
//! The queue itself is a service. This step says what the caller hears meanwhile: `music` once
//! when the place is known, an announcement every so often with place and estimated wait, and
//! offers of another way when the caller has waited for their time. An offer's key counts from
//! then on; keys and words that hold anywhere count all the time. Other keys are recorded and
//! mean nothing: a caller who waits is asked nothing.

use std::sync::Arc;

use trunkline_flow::{
    step::{Key, Offer, Queue, Step},
    words,
};
use trunkline_model::{
    StepId, Timestamp, Value,
    limits::{ANNOUNCE_EVERY_MIN, PRIORITY_DEFAULT, QUEUE_TIME_MAX, SERVICE_TIME_MAX},
};

use crate::{
    Place, collect,
    course::{Course, Given, Then},
    event::{Expects, Fact, Question},
    input::Utterance,
    service::{Demand, Particulars, QueueAnswer, Serving, Stage, Waiting},
    session::State,
    steps::{FAILED, TIMEOUT, hearing, service},
};

pub(super) fn enter(course: &mut Course<'_>, id: &StepId, queue: &Queue) -> Then {
    let agent = match &queue.agent {
        None => None,
        Some(agent) => match course.evaluate_open(id, agent) {
            Some(Value::Text(name)) => Some(name),
            // Any agent is better than none.
            _ => None,
        },
    };
    let priority = queue
        .priority
        .as_ref()
        .and_then(|priority| course.evaluate_open(id, priority))
        .and_then(|value| match value {
            Value::Int(priority) => i64::try_from(priority).ok(),
            _ => None,
        })
        .unwrap_or(PRIORITY_DEFAULT);
    let max = queue.max.min(QUEUE_TIME_MAX);
    let demand = Demand::Queue {
        queue: queue.queue.clone(),
        skills: queue.skills.clone(),
        priority,
        since: course.at,
        max,
    };
    let particulars = Particulars {
        party: agent,
        ..Particulars::default()
    };
    let until = course.at + max.min(SERVICE_TIME_MAX);
    service::ask(course, demand, particulars, until)
}

pub(super) fn answered(
    course: &mut Course<'_>,
    id: &StepId,
    step: &Step,
    queue: &Queue,
    before: &Serving,
    answer: &QueueAnswer,
) -> Then {
    let exit = match answer {
        QueueAnswer::Joined { .. } => {
            if before.stage == Stage::Asked {
                joined(course, id, queue);
            }
            return Then::Rest;
        }
        QueueAnswer::Offered { .. } | QueueAnswer::NotTaken { .. } | QueueAnswer::AgentJoined { .. } => {
            return Then::Rest;
        }
        QueueAnswer::AgentLeft if matches!(before.stage, Stage::Talking { .. }) => {
            return course.leave_by_next(id, step);
        }
        QueueAnswer::Full => "full",
        QueueAnswer::Closed => "closed",
        QueueAnswer::NoAgents => "no-agents",
        QueueAnswer::AgentLeft | QueueAnswer::Failed => FAILED,
    };
    course.leave_by_exit(id, step, exit, Value::None)
}

/// The caller has a place: the waiting begins.
fn joined(course: &mut Course<'_>, id: &StepId, queue: &Queue) {
    // Keys pressed on the way here were for something else.
    collect::drop_ahead(course);
    if let Some(music) = &queue.music {
        course.say(id, music, None, Given::default());
    }
    let since = course.at;
    course.emit(Fact::QueuePlanned {
        announcement: queue
            .announce
            .as_ref()
            .map(|announce| since + announce.every.max(ANNOUNCE_EVERY_MIN)),
        offer: in_time(queue).first().map(|offer| since + offer.after),
        offered: 0,
    });
    listen(course, queue);
    offer(course, id, queue);
}

/// Offers in the order of their times.
fn in_time(queue: &Queue) -> Vec<&Offer> {
    let mut offers: Vec<&Offer> = queue.offers.iter().collect();
    offers.sort_by_key(|offer| offer.after);
    offers
}

/// Says what counts now, for channels that show it.
fn listen(course: &mut Course<'_>, queue: &Queue) {
    let Some((waiting, until)) = present(course) else {
        return;
    };
    let mut keys: Vec<Key> = in_time(queue)
        .into_iter()
        .take(waiting.offered)
        .map(|offer| offer.key)
        .collect();
    keys.extend(hearing::anywhere_keys(course));
    let expects = Expects {
        keys: collect::keypad_order(keys),
        text: hearing::has_anywhere_words(course),
    };
    course.emit(Fact::Asked {
        question: Question::Queue,
        expects,
        hearing: 1,
        until,
    });
}

/// Something is due: an announcement, an offer, or both.
pub(super) fn due(course: &mut Course<'_>, id: &StepId, queue: &Queue, waiting: Waiting) -> Then {
    if let Some(announce) = &queue.announce
        && waiting.announcement.is_some_and(|due| due <= course.at)
    {
        let place = course.readings.place.unwrap_or(Place {
            position: waiting.position,
            wait: waiting.wait,
        });
        course.emit(Fact::QueuePlanned {
            announcement: Some(course.at + announce.every.max(ANNOUNCE_EVERY_MIN)),
            offer: waiting.offer,
            offered: waiting.offered,
        });
        let given = Given {
            place: Some(place),
            ..Given::default()
        };
        course.say(id, &announce.prompt, None, given);
    }
    offer(course, id, queue);
    Then::Rest
}

/// Makes the offers that are due, and says once what counts from now on.
fn offer(course: &mut Course<'_>, id: &StepId, queue: &Queue) {
    let offers = in_time(queue);
    let mut any = false;
    while let Some((waiting, _)) = present(course)
        && waiting.offer.is_some_and(|due| due <= course.at)
        && let Some(offer) = offers.get(waiting.offered)
    {
        let offered = waiting.offered + 1;
        // Times are counted from when the waiting began.
        let began = waiting.offer.unwrap_or(course.at) - offer.after;
        course.emit(Fact::QueuePlanned {
            announcement: waiting.announcement,
            offer: offers.get(offered).map(|next| began + next.after),
            offered,
        });
        course.say(id, &offer.prompt, None, Given::default());
        any = true;
    }
    if any {
        listen(course, queue);
    }
}

/// Takes what a caller gives who waits.
pub(super) fn heard(
    course: &mut Course<'_>,
    id: &StepId,
    queue: &Queue,
    waiting: &Waiting,
    utterance: &Utterance,
) -> Then {
    match utterance {
        Utterance::Keys(keys) => {
            let mut rest = keys.chars();
            let key = rest.next().and_then(Key::new);
            match key.and_then(|key| pressed(course, id, queue, waiting, key)) {
                Some(then) => {
                    collect::keep_ahead(course, rest.as_str());
                    then
                }
                None => Then::Rest,
            }
        }
        Utterance::Text(text) => {
            let text = words::plain(text);
            let by_key = words::single_key(&text).and_then(|key| pressed(course, id, queue, waiting, key));
            by_key
                .or_else(|| hearing::anywhere_word(course, id, &text))
                .unwrap_or(Then::Rest)
        }
    }
}

fn pressed(course: &mut Course<'_>, id: &StepId, queue: &Queue, waiting: &Waiting, key: Key) -> Option<Then> {
    let live = in_time(queue)
        .into_iter()
        .take(waiting.offered)
        .find(|offer| offer.key == key);
    if let Some(Offer { name, next, .. }) = live {
        let name: Arc<str> = name.clone();
        return Some(course.leave(id, &name, next));
    }
    hearing::anywhere_key(course, id, key)
}

/// The wait is over without an agent, or without any answer.
pub(super) fn timed_out(course: &mut Course<'_>, id: &StepId, step: &Step, stage: &Stage) -> Then {
    let exit = if *stage == Stage::Asked { FAILED } else { TIMEOUT };
    course.leave_by_exit(id, step, exit, Value::None)
}

/// How the caller waits, and until when.
fn present(course: &Course<'_>) -> Option<(Waiting, Timestamp)> {
    match &course.session.state {
        State::Serving(serving) => match &serving.stage {
            Stage::Waiting(waiting) => Some((waiting.clone(), serving.until)),
            Stage::Asked | Stage::Ringing | Stage::Talking { .. } => None,
        },
        _ => None,
    }
}
