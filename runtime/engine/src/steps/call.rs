//! `call`: asking a plugin, and what comes of it. `together` and `menu` ask by it, too.

use trunkline_flow::step::{Call, Step, Verb};
use trunkline_model::{
    CallId, Fault, FaultKind, Outcome, StepId, Timestamp, Value,
    limits::{CALL_RESTARTS_MAX, CALL_TIME_MAX, MEANWHILE_AFTER},
};

use crate::{
    course::{Course, Given, Then},
    event::{AnswerKind, Fact, Personal},
    input::Channel,
    session::{Calling, State},
    steps::{menu, together},
};

/// Why a call under way when the node stopped has no answer.
const NODE_STOPPED: &str = "the node stopped while the call was under way";

pub(super) fn enter(course: &mut Course<'_>, id: &StepId, step: &Step, call: &Call) -> Then {
    let arguments = match arguments(course, id, call) {
        Ok(arguments) => arguments,
        Err(missing) => return fault(course, id, step, &missing),
    };
    let name = course.session.contact.call(course.session.calls + 1);
    let calling = Calling {
        filler: filler(course, call.meanwhile.is_some()),
        ..first(course, call, name)
    };
    request(course, calling, arguments);
    Then::Rest
}

/// When the filler of a call is due: it is for somebody who waits.
pub(super) fn filler(course: &Course<'_>, has_one: bool) -> Option<Timestamp> {
    let listens = course.session.channel != Channel::Outbound;
    (has_one && listens).then(|| course.at + MEANWHILE_AFTER)
}

/// What a call is asked with, and whether a secret is among it.
pub(super) struct Arguments {
    pub(super) values: Vec<Value>,
    pub(super) secret: bool,
}

/// The values of a call's arguments. What cannot be said cannot be asked: without one of them
/// the call is not made.
pub(super) fn arguments(course: &mut Course<'_>, id: &StepId, call: &Call) -> Result<Arguments, Fault> {
    let mut arguments = Arguments {
        values: Vec::with_capacity(call.arguments.len()),
        secret: false,
    };
    for (index, argument) in call.arguments.iter().enumerate() {
        let Some(expression) = argument else {
            arguments.values.push(Value::None);
            continue;
        };
        let Some(valued) = course.evaluate(id, expression, Given::default()) else {
            return Err(Fault {
                kind: FaultKind::Host,
                message: format!("argument {} of the call has no value", index + 1),
            });
        };
        arguments.secret |= valued.secret.is_some();
        arguments.values.push(valued.value);
    }
    Ok(arguments)
}

/// The first attempt of a call. Its arguments come with the request.
pub(super) fn first(course: &Course<'_>, call: &Call, name: CallId) -> Calling {
    Calling {
        call: name,
        attempt: 1,
        restarts: 0,
        plugin: call.plugin.clone(),
        function: call.function.clone(),
        arguments: Vec::new(),
        until: course.at + call.time.min(CALL_TIME_MAX),
        filler: None,
        at_most_once: call.at_most_once,
        redacted: false,
    }
}

/// Asks for a call for the first time. Secret arguments stay out of the events, all of them:
/// what is left of a call's arguments could tell the secret.
pub(super) fn request(course: &mut Course<'_>, calling: Calling, arguments: Arguments) {
    if arguments.secret {
        let call = calling.call.clone();
        course.session.secrets.arguments.insert(call, arguments.values);
        ask(
            course,
            Calling {
                redacted: true,
                ..calling
            },
        );
    } else {
        ask(
            course,
            Calling {
                arguments: arguments.values,
                ..calling
            },
        );
    }
}

/// Asks for an attempt of a call.
pub(super) fn ask(course: &mut Course<'_>, calling: Calling) {
    let redacted = calling.redacted;
    let fact = Fact::CallRequested {
        call: calling.call,
        attempt: calling.attempt,
        plugin: calling.plugin,
        function: calling.function,
        until: calling.until,
        filler: calling.filler,
        at_most_once: calling.at_most_once,
        redacted,
    };
    if redacted {
        course.emit(fact);
    } else {
        course.emit_with(fact, Personal::Arguments(calling.arguments));
    }
}

/// Records what came of an attempt.
pub(super) fn record(course: &mut Course<'_>, calling: &Calling, outcome: &Outcome) {
    course.emit_with(
        Fact::CallAnswered {
            call: calling.call.clone(),
            attempt: calling.attempt,
            answer: AnswerKind::from(outcome),
        },
        Personal::Answer(outcome.clone()),
    );
}

/// The attempt that follows a fault, if the flow wants one and there is time for it. Attempts
/// that a restart of the node made necessary are not the flow's retries.
pub(super) fn next_attempt(
    course: &Course<'_>,
    calling: &Calling,
    retries: u32,
    fault: &Fault,
) -> Option<Calling> {
    let retried = calling.attempt.saturating_sub(1 + calling.restarts);
    let final_kind = matches!(fault.kind, FaultKind::TimedOut | FaultKind::Interrupted);
    let may_retry = !calling.at_most_once && retried < retries && course.at < calling.until;
    (may_retry && !final_kind).then(|| Calling {
        attempt: calling.attempt + 1,
        ..calling.clone()
    })
}

/// The attempt that follows a restart of the node. Whether the plugin was reached is not known:
/// the call is asked again under the same id, unless it may not be, or what it was asked with
/// was secret and is lost.
pub(super) fn attempt_after_restart(
    course: &Course<'_>,
    calling: &Calling,
    call: &Call,
) -> Result<Calling, Outcome> {
    let lost = course.session.arguments(calling).is_none();
    if calling.at_most_once || calling.restarts > CALL_RESTARTS_MAX || lost {
        return Err(Outcome::fault(FaultKind::Interrupted, NODE_STOPPED));
    }
    Ok(Calling {
        attempt: calling.attempt + 1,
        until: course.at + call.time.min(CALL_TIME_MAX),
        filler: calling.filler.map(|_| course.at + MEANWHILE_AFTER),
        ..calling.clone()
    })
}

/// What comes of an attempt whose time is over.
pub(super) fn timed_out() -> Outcome {
    Outcome::fault(FaultKind::TimedOut, "no answer within the step's time")
}

/// Takes the answer of an attempt that the contact waits for.
pub(crate) fn answered(course: &mut Course<'_>, answered: &CallId, outcome: &Outcome) -> Then {
    let Some((_, id, step)) = course.place() else {
        return course.broken();
    };
    match &step.verb {
        Verb::Call(call) => answered_alone(course, id, step, call, outcome),
        Verb::Together(together) => together::answered(course, id, step, together, answered, outcome),
        Verb::Menu(menu) => menu::told(course, id, menu, outcome),
        _ => course.broken(),
    }
}

fn answered_alone(course: &mut Course<'_>, id: &StepId, step: &Step, call: &Call, outcome: &Outcome) -> Then {
    let Some(calling) = present(course) else {
        return course.broken();
    };
    record(course, &calling, outcome);
    if let Outcome::Fault(failure) = outcome
        && let Some(next) = next_attempt(course, &calling, call.retries, failure)
    {
        ask(course, next);
        return Then::Rest;
    }
    course.session.secrets.arguments.remove(&calling.call);
    match outcome {
        Outcome::Ok(value) => {
            if let Some(name) = &call.save {
                course.assign(name, value.clone().into());
            }
            course.leave_by_next(id, step)
        }
        Outcome::Refusal(refusal) => course.leave_by_exit(id, step, &refusal.case, refusal.payload.clone()),
        Outcome::Fault(failure) => fault(course, id, step, failure),
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
        return answered(course, &calling.call, &timed_out());
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

/// The node stopped while the call was under way.
pub(crate) fn recovered(course: &mut Course<'_>) -> Then {
    let (Some((_, id, step)), Some(calling)) = (course.place(), present(course)) else {
        return course.broken();
    };
    let call = match &step.verb {
        Verb::Call(call) => call,
        Verb::Menu(menu) => return menu::recovered(course, id, menu, calling),
        _ => return course.broken(),
    };
    match attempt_after_restart(course, &calling, call) {
        Ok(next) => {
            ask(course, next);
            Then::Rest
        }
        Err(outcome) => answered(course, &calling.call, &outcome),
    }
}

/// The call under way, when it is the only one.
pub(super) fn present(course: &Course<'_>) -> Option<Calling> {
    match &course.session.state {
        State::Calling(calling) => Some((**calling).clone()),
        _ => None,
    }
}
