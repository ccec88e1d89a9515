//! `together`: several calls at once.
//!
//! All are asked in one decision, each under an id and a time of its own; the step waits for
//! all of them. Then every answer that is well is saved, and the first branch in written order
//! that is not well decides the way out: `branch.case` or `branch.fault.KIND`.

use trunkline_flow::step::{Call, Step, Together, Verb};
use trunkline_model::{CallId, Outcome, StepId, Value};

use crate::{
    course::{Course, Given, Then},
    event::{AnswerKind, Fact, Personal},
    session::{self, Progress, State},
    steps::call,
};

pub(super) fn enter(course: &mut Course<'_>, id: &StepId, step: &Step, together: &Together) -> Then {
    let calls_before = course.session.calls;
    let branches: Vec<_> = (calls_before + 1..)
        .zip(&together.branches)
        .map(|(count, (name, _))| (name.clone(), course.session.contact.call(count)))
        .collect();
    course.emit(Fact::TogetherBegan {
        branches: branches.clone(),
        filler: call::filler(course, together.meanwhile.is_some()),
    });
    for ((_, name), (_, branch)) in branches.into_iter().zip(&together.branches) {
        match call::arguments(course, id, branch) {
            Ok(arguments) => {
                let calling = call::first(course, branch, name);
                call::request(course, calling, arguments);
            }
            // Not made, and answered all the same: the other branches go on.
            Err(missing) => {
                let outcome = Outcome::Fault(missing);
                course.emit_with(
                    Fact::CallAnswered {
                        call: name,
                        attempt: 1,
                        answer: AnswerKind::from(&outcome),
                    },
                    Personal::Answer(outcome),
                );
            }
        }
    }
    decide(course, id, step, together)
}

/// Takes the answer of an attempt of one of the calls.
pub(super) fn answered(
    course: &mut Course<'_>,
    id: &StepId,
    step: &Step,
    together: &Together,
    answered: &CallId,
    outcome: &Outcome,
) -> Then {
    let Some((calling, branch)) = under_way(course, together)
        .into_iter()
        .find(|(calling, _)| calling.call == *answered)
    else {
        return course.broken();
    };
    settle(course, &calling, branch, outcome);
    decide(course, id, step, together)
}

/// Takes an answer of one branch, or asks again.
fn settle(course: &mut Course<'_>, calling: &session::Calling, branch: &Call, outcome: &Outcome) {
    call::record(course, calling, outcome);
    if let Outcome::Fault(failure) = outcome
        && let Some(next) = call::next_attempt(course, calling, branch.retries, failure)
    {
        call::ask(course, next);
    } else {
        course.session.secrets.arguments.remove(&calling.call);
    }
}

/// Leaves the step once every branch has been answered.
fn decide(course: &mut Course<'_>, id: &StepId, step: &Step, together: &Together) -> Then {
    let State::Together(state) = &course.session.state else {
        return course.broken();
    };
    let outcomes: Option<Vec<Outcome>> = state
        .branches
        .iter()
        .map(|branch| match &branch.progress {
            Progress::Answered(outcome) => Some(outcome.clone()),
            Progress::Begun | Progress::Calling(_) => None,
        })
        .collect();
    let Some(outcomes) = outcomes else {
        return Then::Rest;
    };
    let mut exit: Option<(String, Value)> = None;
    for ((name, branch), outcome) in together.branches.iter().zip(outcomes) {
        let (case, payload) = match outcome {
            Outcome::Ok(value) => {
                if let Some(variable) = &branch.save {
                    course.assign(variable, value.into());
                }
                continue;
            }
            Outcome::Refusal(refusal) => (format!("{name}.{}", refusal.case), refusal.payload),
            Outcome::Fault(fault) => (format!("{name}.fault.{}", fault.kind), Value::None),
        };
        exit.get_or_insert((case, payload));
    }
    match exit {
        Some((exit, payload)) => course.leave_by_exit(id, step, &exit, payload),
        None => course.leave_by_next(id, step),
    }
}

/// The filler is due, or the time of some of the calls is over.
pub(crate) fn time_up(course: &mut Course<'_>) -> Then {
    let Some((_, id, step)) = course.place() else {
        return course.broken();
    };
    let Verb::Together(together) = &step.verb else {
        return course.broken();
    };
    for (calling, branch) in under_way(course, together) {
        if calling.until <= course.at {
            settle(course, &calling, branch, &call::timed_out());
        }
    }
    let due = match &course.session.state {
        State::Together(state) if state.filler.is_some_and(|filler| filler <= course.at) => {
            state.branches.first().map(|branch| branch.call.clone())
        }
        _ => None,
    };
    let waits = !course.session.pending().calls.is_empty();
    if let (Some(call), Some(prompt), true) = (due, &together.meanwhile, waits) {
        course.emit(Fact::FillerSaid { call });
        if course.session.hung_up.is_none() {
            course.say(id, prompt, None, Given::default());
        }
    }
    decide(course, id, step, together)
}

/// The node stopped while calls were under way: each is asked again, unless it may not be.
pub(crate) fn recovered(course: &mut Course<'_>) -> Then {
    let Some((_, id, step)) = course.place() else {
        return course.broken();
    };
    let Verb::Together(together) = &step.verb else {
        return course.broken();
    };
    for (calling, branch) in under_way(course, together) {
        match call::attempt_after_restart(course, &calling, branch) {
            Ok(next) => call::ask(course, next),
            Err(outcome) => settle(course, &calling, branch, &outcome),
        }
    }
    decide(course, id, step, together)
}

/// The calls that are not answered, each with its branch in the flow.
fn under_way<'t>(course: &Course<'_>, together: &'t Together) -> Vec<(session::Calling, &'t Call)> {
    let State::Together(state) = &course.session.state else {
        return Vec::new();
    };
    state
        .branches
        .iter()
        .filter_map(|branch| match &branch.progress {
            Progress::Calling(calling) => {
                let (_, call) = together.branches.iter().find(|(name, _)| *name == branch.name)?;
                Some(((**calling).clone(), call))
            }
            Progress::Begun | Progress::Answered(_) => None,
        })
        .collect()
}
