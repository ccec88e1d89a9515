//! `call`: asking a plugin, and what comes of it.

use trunkline_flow::step::{Call, Step, Verb};
use trunkline_model::{
    Fault, FaultKind, Outcome, StepId, Value,
    limits::{CALL_RESTARTS_MAX, CALL_TIME_MAX, MEANWHILE_AFTER},
};

use crate::{
    course::{Course, Given, Then},
    event::{AnswerKind, Fact, Personal},
    session::{Calling, State},
};

pub(super) fn enter(course: &mut Course<'_>, id: &StepId, step: &Step, call: &Call) -> Then {
    let mut arguments = Vec::with_capacity(call.arguments.len());
    for (index, argument) in call.arguments.iter().enumerate() {
        let value = match argument {
            None => Some(Value::None),
            Some(expression) => course.evaluate(id, expression, Given::default()),
        };
        match value {
            Some(value) => arguments.push(value),
            // What cannot be said cannot be asked: the call is not made.
            None => {
                let message = format!("argument {} of the call has no value", index + 1);
                return fault(
                    course,
                    id,
                    step,
                    &Fault {
                        kind: FaultKind::Host,
                        message,
                    },
                );
            }
        }
    }
    let calling = Calling {
        call: course.session.contact.call(course.session.calls + 1),
        attempt: 1,
        restarts: 0,
        plugin: call.plugin.clone(),
        function: call.function.clone(),
        arguments,
        until: course.at + call.time.min(CALL_TIME_MAX),
        filler: call.meanwhile.as_ref().map(|_| course.at + MEANWHILE_AFTER),
        at_most_once: call.at_most_once,
    };
    request(course, calling);
    Then::Rest
}

fn request(course: &mut Course<'_>, calling: Calling) {
    course.emit_with(
        Fact::CallRequested {
            call: calling.call,
            attempt: calling.attempt,
            plugin: calling.plugin,
            function: calling.function,
            until: calling.until,
            filler: calling.filler,
            at_most_once: calling.at_most_once,
        },
        Personal::Arguments(calling.arguments),
    );
}

/// Takes the answer of the attempt that the contact waits for.
pub(crate) fn answered(course: &mut Course<'_>, outcome: &Outcome) -> Then {
    let (Some((_, id, step)), Some(calling)) = (course.place(), present(course)) else {
        return course.broken();
    };
    let Verb::Call(call) = &step.verb else {
        return course.broken();
    };
    course.emit_with(
        Fact::CallAnswered {
            call: calling.call.clone(),
            attempt: calling.attempt,
            answer: AnswerKind::from(outcome),
        },
        Personal::Answer(outcome.clone()),
    );
    match outcome {
        Outcome::Ok(value) => {
            if let Some(name) = &call.save {
                course.assign(name, value.clone());
            }
            course.leave_by_next(id, step)
        }
        Outcome::Refusal(refusal) => course.leave_by_exit(id, step, &refusal.case, refusal.payload.clone()),
        Outcome::Fault(failure) => {
            // Attempts that a restart of the node made necessary are not the flow's retries.
            let retried = calling.attempt.saturating_sub(1 + calling.restarts);
            let final_kind = matches!(failure.kind, FaultKind::TimedOut | FaultKind::Interrupted);
            let may_retry = !calling.at_most_once && retried < call.retries && course.at < calling.until;
            if may_retry && !final_kind {
                request(
                    course,
                    Calling {
                        attempt: calling.attempt + 1,
                        ..calling
                    },
                );
                return Then::Rest;
            }
            fault(course, id, step, failure)
        }
    }
}

fn fault(course: &mut Course<'_>, id: &StepId, step: &Step, fault: &Fault) -> Then {
    course.leave_by_exit(id, step, &format!("fault.{}", fault.kind), Value::None)
}

/// The filler is due, or the step's time is over. The engine's record decides: an answer
/// that comes later is kept and moves nothing.
pub(crate) fn time_up(course: &mut Course<'_>) -> Then {
    let (Some((_, id, step)), Some(calling)) = (course.place(), present(course)) else {
        return course.broken();
    };
    if calling.until <= course.at {
        return answered(
            course,
            &Outcome::fault(FaultKind::TimedOut, "no answer within the step's time"),
        );
    }
    if let Verb::Call(Call {
        meanwhile: Some(prompt),
        ..
    }) = &step.verb
    {
        course.emit(Fact::FillerSaid { call: calling.call });
        if course.session.hung_up.is_none() {
            course.say(id, prompt, None, Given::default());
        }
    }
    Then::Rest
}

/// The node stopped while the call was under way. Whether the plugin was reached is not
/// known: the call is asked again under the same id, unless it may not be.
pub(crate) fn recovered(course: &mut Course<'_>) -> Then {
    let (Some((_, _, step)), Some(calling)) = (course.place(), present(course)) else {
        return course.broken();
    };
    let Verb::Call(call) = &step.verb else {
        return course.broken();
    };
    if calling.at_most_once || calling.restarts > CALL_RESTARTS_MAX {
        let message = "the node stopped while the call was under way";
        return answered(course, &Outcome::fault(FaultKind::Interrupted, message));
    }
    let until = course.at + call.time.min(CALL_TIME_MAX);
    let filler = calling.filler.map(|_| course.at + MEANWHILE_AFTER);
    request(
        course,
        Calling {
            attempt: calling.attempt + 1,
            until,
            filler,
            ..calling
        },
    );
    Then::Rest
}

fn present(course: &Course<'_>) -> Option<Calling> {
    match &course.session.state {
        State::Calling(calling) => Some((**calling).clone()),
        _ => None,
    }
}
