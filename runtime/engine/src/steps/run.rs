//! Flows within flows: `run` enters one, `end` leaves it or ends the contact.

use std::collections::BTreeMap;

use trunkline_flow::step::{End, Run, Verb};
use trunkline_model::{StepId, Value};

use crate::{
    course::{COMPLETED, Course, Given, Then},
    event::Cause,
};

pub(super) fn enter(course: &mut Course<'_>, id: &StepId, run: &Run) -> Then {
    let mut inputs = BTreeMap::new();
    for (name, expression) in &run.inputs {
        if let Some(value) = course.evaluate(id, expression, Given::default()) {
            inputs.insert(name.clone(), value);
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
    let mut outputs = Vec::new();
    for (name, expression) in &end.outputs {
        let value = course
            .evaluate(id, expression, Given::default())
            .unwrap_or_default();
        outputs.push((name.as_str(), value));
    }
    let result = Value::record(outputs);
    course.leave_flow(&end.outcome);
    back(course, &end.outcome, &result)
}

/// Goes on in the flow that ran the one just left.
fn back(course: &mut Course<'_>, outcome: &str, result: &Value) -> Then {
    let Some((_, id, step)) = course.place() else {
        return course.broken();
    };
    let Verb::Run(run) = &step.verb else {
        return course.broken();
    };
    if outcome != COMPLETED {
        return course.leave_by_exit(id, step, outcome, Value::None);
    }
    for (name, expression) in &run.save {
        let given = Given {
            result: Some(result),
            ..Given::default()
        };
        if let Some(value) = course.evaluate(id, expression, given) {
            course.assign(name, value);
        }
    }
    course.leave_by_next(id, step)
}
