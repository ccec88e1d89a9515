//! A script that plays a way through a hotline: who calls and when, what plugins and services answer,
//! what the caller does.
//!
//! A way through the graph says which conditions hold on it; values are looked for that make them so
//! ([`search`]). The way is walked with values as the engine would ([`walk`]), every condition is computed,
//! and where one comes out differently, the values that it is about are changed ([`samples`]). A way for
//! which none are found may be one that cannot be taken.

mod samples;
mod search;
mod walk;

use std::{fmt::Write as _, sync::Arc};

use serde::Serialize;
use trunkline_model::Duration;

pub(crate) use self::search::find;

/// A script of one contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Witness {
    /// The number that is called.
    pub number: Arc<str>,
    /// The language the contact begins in.
    pub language: Arc<str>,
    /// When it begins, by the clocks of the hotline: `2026-11-20T10:00`.
    pub at: String,
    /// Who calls, when that is known.
    pub from: Option<String>,
    /// By which channel, when that matters.
    pub channel: Option<String>,
    /// What plugins answer, call by call: the function as the flow writes it, and the answer.
    pub plugins: Vec<(Arc<str>, Mock)>,
    /// What services answer that do not do what is asked: `queue.general`, `callback`, …, and the exit.
    pub services: Vec<(String, Arc<str>)>,
    /// What the caller does.
    pub script: Vec<Move>,
    /// The step it leads to.
    pub step: Arc<str>,
    /// The outcome of the contact, where it has ended.
    pub ended: Option<Arc<str>>,
}

/// What a plugin answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mock {
    /// Its result, as JSON.
    Ok(String),
    /// Its own error, by its case, and what that carries as JSON.
    Refusal(Arc<str>, Option<String>),
    /// A fault.
    Fault(Arc<str>),
}

/// What the caller does, or has to wait for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Move {
    /// Presses keys.
    Presses(String),
    /// Says or types words.
    Says(String),
    /// Keeps silent.
    Waits(Duration),
    /// Leaves.
    HangsUp,
    /// Something happens elsewhere that is waited for.
    Happens(Arc<str>),
}

/// What comes at the end of a way.
pub(crate) enum Last {
    /// What goes on by itself, until the caller is asked, people are there or the contact ends.
    GoesOn,
    /// The same, for a caller who is known and so can be rung.
    IsRung,
    /// The same, after the caller says some words at this place of the way: by them what follows is taken.
    Says(Arc<str>, usize),
}

impl Witness {
    /// The script as a scenario that `trunkline test` can keep and `dial --script` plays.
    pub fn to_scenario(&self, title: &str) -> String {
        let mut text = String::new();
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let _ = writeln!(text, "scenario: {}", quoted(title));
        let from = self.from.as_ref().map(|from| format!(", from: {}", quoted(from)));
        let channel = self
            .channel
            .as_ref()
            .map(|channel| format!(", channel: {channel}"));
        let _ = writeln!(
            text,
            "call: {{ number: {}, at: {}, language: {}{}{} }}",
            quoted(&self.number),
            quoted(&self.at),
            self.language,
            from.unwrap_or_default(),
            channel.unwrap_or_default()
        );
        let mut functions: Vec<(&Arc<str>, Vec<String>)> = Vec::new();
        for (function, mock) in &self.plugins {
            let mock = mock.to_yaml();
            match functions.iter_mut().find(|(known, _)| *known == function) {
                Some((_, mocks)) => mocks.push(mock),
                None => functions.push((function, vec![mock])),
            }
        }
        if !functions.is_empty() {
            text.push_str("plugins:\n");
            for (function, mocks) in functions {
                let _ = match mocks.as_slice() {
                    [mock] => writeln!(text, "  {function}: {mock}"),
                    mocks => writeln!(text, "  {function}: [{}]", mocks.join(", ")),
                };
            }
        }
        let mut services: Vec<(&String, Vec<&str>)> = Vec::new();
        for (service, answer) in &self.services {
            match services.iter_mut().find(|(known, _)| *known == service) {
                Some((_, answers)) => answers.push(answer),
                None => services.push((service, vec![answer])),
            }
        }
        if !services.is_empty() {
            text.push_str("services:\n");
            for (service, answers) in services {
                let _ = match answers.as_slice() {
                    [answer] => writeln!(text, "  {service}: {answer}"),
                    answers => writeln!(text, "  {service}: [{}]", answers.join(", ")),
                };
            }
        }
        text.push_str("script:\n");
        for step in &self.script {
            let _ = match step {
                Move::Presses(keys) => writeln!(text, "  - presses: {}", quoted(keys)),
                Move::Says(words) => writeln!(text, "  - says: {}", quoted(words)),
                Move::Waits(time) => writeln!(text, "  - wait: {time}"),
                Move::HangsUp => writeln!(text, "  - hangs-up: true"),
                Move::Happens(event) => writeln!(text, "  - happens: {event}"),
            };
        }
        let _ = match &self.ended {
            Some(outcome) => writeln!(text, "  - expect: {{ ended: {outcome}, step: {} }}", self.step),
            None => writeln!(text, "  - expect: {{ step: {} }}", self.step),
        };
        text
    }
}

impl Mock {
    fn to_yaml(&self) -> String {
        match self {
            Self::Ok(value) => format!("{{ ok: {value} }}"),
            Self::Refusal(case, None) => format!("{{ refusal: {case} }}"),
            Self::Refusal(case, Some(payload)) => format!("{{ refusal: {case}, with: {payload} }}"),
            Self::Fault(kind) => format!("{{ fault: {kind} }}"),
        }
    }
}
