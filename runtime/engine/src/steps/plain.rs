//! Steps that wait for nobody but the clock: `say`, `choose`, `set`, `wait`.

use std::sync::Arc;

use trunkline_flow::step::{Choose, Say, Set, Step, Target, Wait};
use trunkline_model::{InputId, StepId, Value, limits::WAIT_MAX};

use crate::{
    course::{Course, Given, Then},
    event::Fact,
    session::State,
    steps::TIMEOUT,
};

pub(super) fn say(course: &mut Course<'_>, id: &StepId, step: &Step, say: &Say) -> Then {
    course.say(id, &say.prompt, say.notice.as_ref(), Given::default());
    course.leave_by_next(id, step)
}

pub(super) fn choose(course: &mut Course<'_>, id: &StepId, choose: &Choose) -> Then {
    for (index, (condition, next)) in choose.branches.iter().enumerate() {
        if course.holds(id, condition) {
            return course.leave(id, &format!("branch {}", index + 1), next);
        }
    }
    course.leave(id, "else", &choose.otherwise)
}

/// Assigns one variable after the other. One whose expression has no value keeps what it held.
pub(super) fn set(course: &mut Course<'_>, id: &StepId, step: &Step, set: &Set) -> Then {
    for (target, expression) in &set.assignments {
        let Some(value) = course.evaluate(id, expression, Given::default()) else {
            continue;
        };
        match target {
            Target::Variable(name) => course.assign(name, value),
            Target::Language => match value.value.as_text().and_then(|tag| course.hotline.language(tag)) {
                Some(language) => course.emit(Fact::LanguageSet {
                    language: language.clone(),
                }),
                None => course.emit(Fact::ExpressionFailed {
                    step: id.clone(),
                    reason: "the hotline does not have this language".into(),
                }),
            },
        }
    }
    course.leave_by_next(id, step)
}

pub(super) fn wait(course: &mut Course<'_>, wait: &Wait) -> Then {
    let until = course.at + wait.time.min(WAIT_MAX);
    course.emit(Fact::Waiting {
        until,
        event: wait.event.clone(),
    });
    Then::Rest
}

/// A `wait` is over: by `next` when it was for a time, by `timeout` when it was for an event.
pub(crate) fn waited(course: &mut Course<'_>) -> Then {
    let waits_for_event = matches!(&course.session.state, State::Waiting { event: Some(_), .. });
    match course.place() {
        Some((_, id, step)) if waits_for_event => course.leave_by_exit(id, step, TIMEOUT, Value::None),
        Some((_, id, step)) => course.leave_by_next(id, step),
        None => course.broken(),
    }
}

/// The event happened that a `wait` is for.
pub(crate) fn happened(course: &mut Course<'_>, input: &InputId, event: &Arc<str>) -> Then {
    course.emit(Fact::EventHappened {
        input: input.clone(),
        event: event.clone(),
    });
    match course.place() {
        Some((_, id, step)) => course.leave_by_next(id, step),
        None => course.broken(),
    }
}
