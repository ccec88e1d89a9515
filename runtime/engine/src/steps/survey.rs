//! `survey`: asks its questions one after the other, and has the answers kept.
//!
//! Each question is heard as an `ask` is, twice at most; one that is not answered is passed
//! over. A survey of which nothing was answered is `declined`; a caller who leaves in the
//! middle has the answers kept that were given.

use std::collections::BTreeMap;

use trunkline_flow::{
    hotline::SurveySpec,
    step::{Ask, Step, Survey, Verb},
};
use trunkline_model::{
    StepId, Value,
    limits::{SERVICE_TIME_MAX, SURVEY_RETRIES},
};

use crate::{
    course::{Course, Then},
    event::{Fact, Personal},
    service::{Demand, Particulars, SurveyAnswer},
    steps::{DECLINED, FAILED, ask, service},
};

pub(super) fn enter(course: &mut Course<'_>, id: &StepId, step: &Step) -> Then {
    let Verb::Survey(survey) = &step.verb else {
        return course.broken();
    };
    if spec(course, survey).is_none() {
        // The release that is folded has no such survey.
        return course.leave_by_exit(id, step, FAILED, Value::None);
    }
    go_on(course, id, step, survey)
}

fn spec<'a>(course: &Course<'a>, survey: &Survey) -> Option<&'a SurveySpec> {
    course.hotline.surveys.get(&survey.survey)
}

/// The question that is next, as an `ask`.
pub(super) fn question(course: &Course<'_>, survey: &Survey) -> Option<Ask> {
    let over = course.session.frames.last()?.survey.len();
    let question = spec(course, survey)?.questions.get(over)?;
    Some(Ask {
        prompt: question.prompt.clone(),
        answer: question.answer.clone(),
        save: None,
        retries: SURVEY_RETRIES,
        again: Vec::new(),
        confirm: None,
        consent: None,
        secret: false,
        label: None,
        time: None,
    })
}

/// Asks the next question; after the last one the answers are kept.
fn go_on(course: &mut Course<'_>, id: &StepId, step: &Step, survey: &Survey) -> Then {
    match question(course, survey) {
        Some(next) => ask::ask(course, id, &next),
        None => store(course, id, step, survey),
    }
}

/// A question was answered.
pub(super) fn answered(course: &mut Course<'_>, id: &StepId, step: &Step, value: Value) -> Then {
    over(course, id, step, Some(value))
}

/// A question was not answered.
pub(super) fn passed(course: &mut Course<'_>, id: &StepId, step: &Step) -> Then {
    over(course, id, step, None)
}

fn over(course: &mut Course<'_>, id: &StepId, step: &Step, value: Option<Value>) -> Then {
    let Verb::Survey(survey) = &step.verb else {
        return course.broken();
    };
    let done = course.session.frames.last().map_or(0, |frame| frame.survey.len());
    let Some(name) = spec(course, survey)
        .and_then(|spec| spec.questions.get(done))
        .map(|question| question.name.clone())
    else {
        return course.broken();
    };
    match value {
        Some(value) => course.emit_with(Fact::SurveyAnswered { question: name }, Personal::Value(value)),
        None => course.emit(Fact::SurveyPassed { question: name }),
    }
    go_on(course, id, step, survey)
}

fn store(course: &mut Course<'_>, id: &StepId, step: &Step, survey: &Survey) -> Then {
    let fields: BTreeMap<_, _> = course
        .session
        .frames
        .last()
        .into_iter()
        .flat_map(|frame| &frame.survey)
        .filter_map(|(name, value)| Some((name.clone(), value.clone()?)))
        .collect();
    if fields.is_empty() {
        return course.leave_by_exit(id, step, DECLINED, Value::None);
    }
    let demand = Demand::Survey {
        survey: survey.survey.clone(),
    };
    let particulars = Particulars {
        party: course.session.caller.clone(),
        fields,
        ..Particulars::default()
    };
    let until = course.at + SERVICE_TIME_MAX;
    service::ask(course, demand, particulars, until)
}

pub(super) fn stored(course: &mut Course<'_>, id: &StepId, step: &Step, answer: SurveyAnswer) -> Then {
    match answer {
        SurveyAnswer::Stored => course.leave_by_next(id, step),
        SurveyAnswer::Failed => course.leave_by_exit(id, step, FAILED, Value::None),
    }
}

/// The caller left in the middle of the questions: what was answered is kept. None when this is
/// not what the caller left in.
pub(crate) fn hung_up(course: &mut Course<'_>) -> Option<Then> {
    let (_, id, step) = course.place()?;
    let Verb::Survey(survey) = &step.verb else {
        return None;
    };
    let answered = course
        .session
        .frames
        .last()?
        .survey
        .iter()
        .any(|(_, value)| value.is_some());
    answered.then(|| store(course, id, step, survey))
}
