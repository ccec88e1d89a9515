//! Surveys that were filled in, and what they amount to.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use trunkline_flow::hotline::{Hotline, SurveyKind, SurveySpec};
use trunkline_model::{ContactId, Timestamp, Value};

use super::KEPT_MAX;
use crate::service::{Particulars, SurveyAnswer};

/// A survey that was filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Filled {
    /// The survey.
    pub survey: Arc<str>,
    /// The contact that did.
    pub contact: ContactId,
    /// When.
    pub at: Timestamp,
    /// The answers by their questions' names.
    pub answers: BTreeMap<Arc<str>, Value>,
    /// The answer that is scored, of a survey that is.
    pub score: Option<i64>,
}

/// What the answers to a survey amount to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Score {
    /// Customer satisfaction: the share of answers that are 4 or 5, 0 to 100.
    Csat(f64),
    /// Net promoter score: the share of 9 and 10 less that of 0 to 6, -100 to 100.
    Nps(f64),
}

/// All surveys.
#[derive(Clone, Debug, Default)]
pub(super) struct Surveys {
    specs: BTreeMap<Arc<str>, SurveySpec>,
    filled: VecDeque<Filled>,
}

impl Surveys {
    pub(super) fn configure(&mut self, hotline: &Hotline) {
        self.specs.clone_from(&hotline.surveys);
    }

    pub(super) fn store(
        &mut self,
        contact: &ContactId,
        survey: &Arc<str>,
        particulars: &Particulars,
        at: Timestamp,
    ) -> SurveyAnswer {
        let Some(spec) = self.specs.get(survey) else {
            return SurveyAnswer::Failed;
        };
        let scored = match spec.kind {
            SurveyKind::Csat | SurveyKind::Nps => spec.questions.first(),
            SurveyKind::Comment => None,
        };
        let score = scored
            .and_then(|question| particulars.fields.get(&question.name))
            .and_then(whole);
        if self.filled.len() >= KEPT_MAX {
            self.filled.pop_front();
        }
        self.filled.push_back(Filled {
            survey: survey.clone(),
            contact: contact.clone(),
            at,
            answers: particulars.fields.clone(),
            score,
        });
        SurveyAnswer::Stored
    }

    pub(super) fn score(&self, survey: &str) -> Option<Score> {
        let spec = self.specs.get(survey)?;
        let scores: Vec<i64> = self
            .filled
            .iter()
            .filter(|filled| *filled.survey == *survey)
            .filter_map(|filled| filled.score)
            .collect();
        let count = |fits: fn(&&i64) -> bool| scores.iter().filter(fits).count();
        let share = |count: usize| {
            let of = u32::try_from(scores.len()).ok().filter(|of| *of > 0)?;
            Some(100.0 * f64::from(u32::try_from(count).ok()?) / f64::from(of))
        };
        match spec.kind {
            SurveyKind::Csat => share(count(|score| **score >= 4)).map(Score::Csat),
            SurveyKind::Nps => {
                let promoters = share(count(|score| **score >= 9))?;
                let detractors = share(count(|score| **score <= 6))?;
                Some(Score::Nps(promoters - detractors))
            }
            SurveyKind::Comment => None,
        }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Filled> {
        self.filled.iter()
    }
}

/// The whole number that an answer is, by number or by digits.
fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => i64::try_from(*number).ok(),
        Value::Text(digits) => digits.parse().ok(),
        _ => None,
    }
}
