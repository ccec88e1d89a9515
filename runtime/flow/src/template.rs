//! Texts with expressions in them, as prompts are.

use trunkline_model::Value;

use crate::{
    expression::{ContactField, EvaluationError, Scope, print},
    step::{Part, Prompt, Template},
};

/// Seconds that a character of a text takes to be said.
const SECONDS_PER_CHARACTER: f64 = 0.22;

impl Prompt {
    /// How many seconds it takes to be said in a language, as estimated from its text.
    pub fn seconds(&self, language: &str) -> f64 {
        let Some((_, template)) = self.text(language) else {
            return 0.0;
        };
        let characters = |part: &Part| match part {
            Part::Text(text) => text.chars().count(),
            Part::Value(_) => 8,
        };
        template
            .parts
            .iter()
            .map(|part| {
                f64::from(u32::try_from(characters(part)).unwrap_or(u32::MAX)) * SECONDS_PER_CHARACTER
            })
            .sum()
    }

    /// Whether a synthetic voice says it in a language, and not a recording.
    pub fn is_synthetic(&self, language: &str) -> bool {
        self.text(language).is_some()
    }
}

impl Template {
    /// The text as it is said, and what could not be said of it: an expression without a
    /// value prints as nothing.
    pub fn render(&self, scope: &dyn Scope) -> (String, Vec<EvaluationError>) {
        let language = scope.contact(ContactField::Language);
        let language = language.as_ref().and_then(Value::as_text).unwrap_or_default();
        let mut text = String::new();
        let mut errors = Vec::new();
        for part in &self.parts {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Value(expression) => match expression.evaluate(scope) {
                    Ok(value) => text.push_str(&print(&value, language, scope.time_zone())),
                    Err(error) => errors.push(error),
                },
            }
        }
        (text, errors)
    }
}
