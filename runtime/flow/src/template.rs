//! Texts with expressions in them, as prompts are.

use std::sync::Arc;

use trunkline_model::{Duration, Value, limits::PRINTED_CHARS_MAX};

use crate::{
    expression::{ContactField, EvaluationError, Scope, print},
    hotline::Language,
    speech::{Format, Speech, Tongue},
    step::{Part, Prompt, Template},
};

/// A prompt as it was said.
#[derive(Debug, Default)]
pub struct Spoken {
    /// The text, as text channels show it.
    pub text: String,
    /// What a voice says, part by part.
    pub speech: Vec<Speech>,
    /// What could not be said of it: an expression without a value is said as nothing.
    pub failures: Vec<EvaluationError>,
}

impl Prompt {
    /// The text in a language or dialect, and whose text it is: the dialect's own, else that of
    /// what it falls back to, and so on; of a language that has none, the first one there is.
    pub fn text(&self, language: &str) -> Option<(&Language, &Template)> {
        let mut tag = language;
        // No more steps than there are dialects, so that no circle could hold it.
        for _ in 0..=self.dialects.len() {
            if let Some(found) = self.texts.get_key_value(tag) {
                return Some(found);
            }
            match self.dialects.get(tag) {
                Some(next) => tag = next,
                None => break,
            }
        }
        self.texts.iter().next()
    }
}

impl Template {
    /// A text without anything in it.
    pub fn plain(text: impl Into<Arc<str>>) -> Self {
        Self {
            parts: vec![Part::Text(text.into())],
            recording: None,
        }
    }

    /// Whether a voice says it otherwise than by reading the text that is shown.
    pub fn is_marked(&self) -> bool {
        self.recording.is_some()
            || self.parts.iter().any(|part| match part {
                Part::Text(_) | Part::Value(_, None) => false,
                Part::Value(_, Some(_)) | Part::Pause(_) => true,
            })
    }

    /// The text as it is shown in the contact's language, and what could not be said of it: an
    /// expression without a value prints as nothing.
    pub fn render(&self, scope: &dyn Scope) -> (String, Vec<EvaluationError>) {
        let language = scope.contact(ContactField::Language);
        let language = language.as_ref().and_then(Value::as_text).unwrap_or_default();
        let spoken = self.speak(language, scope);
        (spoken.text, spoken.failures)
    }

    /// The text as it is shown, and what a voice says; values as the language of the text
    /// writes them, which [`Prompt::text`] tells.
    pub fn speak(&self, language: &str, scope: &dyn Scope) -> Spoken {
        let mut spoken = Spoken::default();
        for part in &self.parts {
            match part {
                Part::Text(text) => spoken.say(text),
                Part::Pause(length) => spoken.speech.push(Speech::Pause(*length)),
                Part::Value(expression, format) => match expression.evaluate(scope) {
                    Ok(value) => spoken.value(&value, *format, language, scope),
                    Err(error) => spoken.failures.push(error),
                },
            }
        }
        if let Some(recording) = &self.recording {
            // The checker bounds its length.
            let length = Duration::from_millis((recording.seconds * 1_000.0).round() as u64);
            let path = recording.path.clone();
            spoken.speech = vec![Speech::Recording { path, length }];
        }
        spoken
    }
}

impl Spoken {
    /// Adds text that is said as it is shown.
    fn say(&mut self, text: &str) {
        self.text.push_str(text);
        if text.is_empty() {
            return;
        }
        if let Some(Speech::Text(before)) = self.speech.last_mut() {
            *before = format!("{before}{text}").into();
        } else {
            self.speech.push(Speech::Text(text.into()));
        }
    }

    fn value(&mut self, value: &Value, format: Option<Format>, language: &str, scope: &dyn Scope) {
        let speech = format.and_then(|format| format.speech(value, scope.time_zone()));
        match speech {
            Some(speech) => {
                let shown = Format::shown(&speech, Tongue::of(language));
                self.text.extend(shown.chars().take(PRINTED_CHARS_MAX));
                self.speech.push(speech);
            }
            None => self.say(&print(value, language, scope.time_zone())),
        }
    }
}
