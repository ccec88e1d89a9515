//! Texts with expressions in them, as prompts are.

use trunkline_model::Value;

use crate::{
    expression::{ContactField, EvaluationError, Scope, print},
    step::{Part, Template},
};

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
