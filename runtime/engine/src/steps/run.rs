//! Flows within flows: `run` enters one, `end` leaves it or ends the contact.

use trunkline_flow::step::{End, Run, Verb};
use trunkline_model::{StepId, Value};

use crate::{
    course::{COMPLETED, Course, Given, Then},
    event::Cause,
    secrets::Origin,
};

pub(super) fn enter(course: &mut Course<'_>, id: &StepId, run: &Run) -> Then {
    let mut inputs = Vec::new();
    for (name, expression) in &run.inputs {
        if let Some(value) = course.evaluate(id, expression, Given::default()) {
            inputs.push((name.clone(), value));
        }
    }
    course.enter_flow(&run.flow, inputs)
}

pub(super) fn end(course: &mut Course<'_>, id: &StepId, end: &End) -> Then {
    if course.session.frames.len() <= 1 {
        let cause = if course.session.closing {
            Cause::Caller
        } else {
            Cause::Flow
        };
        return course.end(cause, &end.outcome);
    }
    let (mut outputs, mut is_secret) = (Vec::new(), false);
    for (name, expression) in &end.outputs {
        let valued = course.evaluate(id, expression, Given::default());
        is_secret |= valued.as_ref().is_some_and(|valued| valued.secret.is_some());
        outputs.push((
            name.as_str(),
            valued.map(|valued| valued.value).unwrap_or_default(),
        ));
    }
    let result = Value::record(outputs);
    course.leave_flow(&end.outcome);
    back(course, &end.outcome, &result, is_secret)
}

/// Goes on in the flow that ran the one just left. What that gave back of a secret is a secret
/// here, for which the flow is run again if it is lost.
fn back(course: &mut Course<'_>, outcome: &str, result: &Value, is_secret: bool) -> Then {
    let Some((_, id, step)) = course.place() else {
        return course.broken();
    };
    let Verb::Run(run) = &step.verb else {
        return course.broken();
    };
    if outcome != COMPLETED {
        return course.leave_by_exit(id, step, outcome, Value::None);
    }
    let origin = is_secret.then(|| Origin {
        depth: course.session.frames.len() - 1,
        step: id.clone(),
    });
    for (name, expression) in &run.save {
        let given = Given {
            result: Some(result),
            secret: origin.as_ref(),
            ..Given::default()
        };
        if let Some(value) = course.evaluate(id, expression, given) {
            course.assign(name, value);
        }
    }
    course.leave_by_next(id, step)
}
