//! Steps that wait for nobody but the clock: `say`, `choose`, `set`, `wait`.

use trunkline_flow::step::{Choose, Say, Set, Step, Target, Wait};
use trunkline_model::{StepId, limits::WAIT_MAX};

use crate::{
    course::{Course, Given, Then},
    event::Fact,
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
            Target::Language => match value.as_text().and_then(|tag| course.hotline.language(tag)) {
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
    course.emit(Fact::Waiting { until });
    Then::Rest
}
