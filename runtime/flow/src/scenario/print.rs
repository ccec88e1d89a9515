//! Scenarios as files.

use std::{fmt::Write as _, sync::Arc};

use jiff::tz::TimeZone;
use serde_json::Value as Json;
use trunkline_model::{Duration, Outcome, PromptKey, Timestamp, Value, json::to_json};

use super::{AgentDoes, Answer, Channel, Expect, Happening, Mock, Said, Scenario, Started};
use crate::start::StartsOn;

impl Scenario {
    /// The scenario as a file's text; `at` is written in the hotline's time zone.
    pub fn to_yaml(&self, time_zone: &TimeZone) -> String {
        let mut out = String::new();
        let mut line = |text: String| {
            out.push_str(&text);
            out.push('\n');
        };
        line(format!("scenario: {}", scalar(&self.name)));
        match &self.starts {
            None => line(format!("call: {}", self.call_line(time_zone))),
            Some(started) => self.write_start(started, time_zone, &mut line),
        }
        if let Some(begins) = &self.begins {
            let mut fields = vec![
                ("flow", scalar(begins.flow.as_str())),
                ("step", scalar(begins.step.as_str())),
            ];
            if !begins.variables.is_empty() {
                let variables = begins
                    .variables
                    .iter()
                    .map(|(name, value)| (name.as_str(), self::value(value)));
                fields.push(("vars", mapping(variables)));
            }
            line(format!("begins: {}", mapping(fields)));
        }
        if !self.plugins.is_empty() {
            line("plugins:".to_owned());
            for mock in &self.plugins {
                mock.write(&mut line);
            }
        }
        if !self.services.is_empty() {
            line("services:".to_owned());
            for mock in &self.services {
                let answers: Vec<String> = mock.answers.iter().map(|answer| scalar(answer)).collect();
                line(match answers.as_slice() {
                    [only] if mock.repeated => format!("  {}: {only}", scalar(&mock.service)),
                    answers => format!("  {}: [{}]", scalar(&mock.service), answers.join(", ")),
                });
            }
        }
        if !self.agents.is_empty() {
            line("agents:".to_owned());
            for (name, agent) in &self.agents {
                let state = if agent.available { "available" } else { "away" };
                let mut fields = vec![("state", state.to_owned())];
                if let Some(after) = agent.answers_after {
                    fields.push(("answers-after", after.to_string()));
                }
                line(format!("  {}: {}", scalar(name), mapping(fields)));
            }
        }
        line("script:".to_owned());
        for entry in &self.script {
            line(format!("  - {}", entry.what));
        }
        out
    }

    fn write_start(&self, started: &Started, time_zone: &TimeZone, line: &mut impl FnMut(String)) {
        line(format!("starts-on: {}", started.on));
        match &started.on {
            StartsOn::Feed(_) => {
                for change in started.inputs.values() {
                    line(format!("change: {}", value(change)));
                }
            }
            StartsOn::Webhook(_) => {
                let fields = started.inputs.iter().filter(|(_, value)| !value.is_none());
                let fields = fields.map(|(name, field)| (name.as_str(), value(field)));
                line(format!("event: {}", mapping(fields)));
            }
        }
        if let Some(to) = &self.call.from {
            line(format!("to: {}", quoted(to)));
        }
        line(format!("at: {}", quoted(&civil(self.call.at, time_zone))));
        if let Some(language) = &self.call.language {
            line(format!("language: {}", scalar(language)));
        }
    }

    fn call_line(&self, time_zone: &TimeZone) -> String {
        let call = &self.call;
        let mut fields = vec![("number", quoted(&call.number))];
        if let Some(from) = &call.from {
            fields.push(("from", quoted(from)));
        }
        fields.push(("at", quoted(&civil(call.at, time_zone))));
        if let Some(language) = &call.language {
            fields.push(("language", scalar(language)));
        }
        fields.push((
            "channel",
            match call.channel {
                Channel::Voice => "voice".to_owned(),
                Channel::Chat => "chat".to_owned(),
            },
        ));
        mapping(fields)
    }
}

/// A time as a scenario writes it, in a time zone; seconds only where there are some.
fn civil(at: Timestamp, time_zone: &TimeZone) -> String {
    let Ok(time) = jiff::Timestamp::from_millisecond(at.as_millis()) else {
        return super::AT_DEFAULT.to_owned();
    };
    let civil = time.to_zoned(time_zone.clone()).datetime();
    if civil.second() == 0 && civil.subsec_nanosecond() == 0 {
        civil.strftime("%Y-%m-%dT%H:%M").to_string()
    } else {
        civil.to_string()
    }
}

impl Mock {
    fn write(&self, line: &mut impl FnMut(String)) {
        match self.answers.as_slice() {
            [only] if self.repeated => line(format!("  {}: {}", scalar(&self.written), only.written())),
            answers => {
                line(format!("  {}:", scalar(&self.written)));
                for answer in answers {
                    line(format!("    - {}", answer.written()));
                }
            }
        }
    }
}

impl Answer {
    fn written(&self) -> String {
        let mut fields = Vec::new();
        if !self.only_for.is_empty() {
            let only_for = self
                .only_for
                .iter()
                .map(|(name, value)| (&**name, self::value(value)));
            fields.push(("for", mapping(only_for)));
        }
        match &self.outcome {
            Outcome::Ok(answer) => fields.push(("ok", value(answer))),
            Outcome::Refusal(refusal) => {
                fields.push(("refusal", scalar(&refusal.case)));
                if !refusal.payload.is_none() {
                    fields.push(("with", value(&refusal.payload)));
                }
            }
            Outcome::Fault(fault) => fields.push(("fault", fault.kind.to_string())),
        }
        if self.after > Duration::default() {
            fields.push(("after", self.after.to_string()));
        }
        mapping(fields)
    }
}

/// The line as a script has it: `hears: welcome`.
impl std::fmt::Display for Happening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Hears(said) => write!(f, "hears: {said}"),
            Self::Presses(keys) => write!(f, "presses: {}", quoted(keys)),
            Self::Says(words) => write!(f, "says: {}", scalar(words)),
            Self::Waits(time) => write!(f, "wait: {time}"),
            Self::HangsUp => f.write_str("hangs-up: true"),
            Self::Agent(AgentDoes::Comes(name)) => write!(f, "agent: {{ comes: {} }}", scalar(name)),
            Self::Agent(AgentDoes::Goes(name)) => write!(f, "agent: {{ goes: {} }}", scalar(name)),
            Self::Transfer(comes) => write!(f, "transfer: {}", comes.as_str()),
            Self::Agent(AgentDoes::Answers(name)) => write!(f, "agent: {{ answers: {} }}", scalar(name)),
            Self::Agent(AgentDoes::Ends(name)) => write!(f, "agent: {{ ends: {} }}", scalar(name)),
            Self::Happens(event) => write!(f, "happens: {}", scalar(event)),
            Self::Restarts(away) if *away == Duration::default() => f.write_str("restarts: true"),
            Self::Restarts(away) => write!(f, "restarts: {away}"),
            Self::Expect(expect) => write!(f, "expect: {}", expect.written()),
        }
    }
}

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.prompt, &self.text) {
            (Some(key), None) => f.write_str(&scalar(key.as_str())),
            (Some(key), Some(text)) => write!(
                f,
                "{{ prompt: {}, text: {} }}",
                scalar(key.as_str()),
                quoted(text)
            ),
            (None, text) => write!(f, "{{ text: {} }}", quoted(text.as_deref().unwrap_or_default())),
        }
    }
}

impl Expect {
    fn written(&self) -> String {
        let mut fields = Vec::new();
        if let Some(callback) = &self.callback {
            let mut inner = Vec::new();
            if let Some(within) = callback.within {
                inner.push(("within", within.to_string()));
            }
            if let Some(queue) = &callback.queue {
                inner.push(("queue", scalar(queue)));
            }
            fields.push(("callback", mapping(inner)));
        }
        if let Some(ticket) = &self.ticket {
            let class = ticket.class.iter().map(|class| ("class", scalar(class)));
            fields.push(("ticket", mapping(class)));
        }
        if let Some(notified) = self.notified {
            fields.push(("notified", notified.to_string()));
        }
        if let Some(outcome) = &self.ended {
            fields.push(("ended", scalar(outcome)));
        }
        if let Some(step) = &self.step {
            fields.push(("step", scalar(step.as_str())));
        }
        if let Some(said) = &self.said {
            fields.push(("said", said.to_string()));
        }
        if let Some(said) = &self.not_heard {
            fields.push(("not-heard", said.to_string()));
        }
        if let Some(language) = &self.language {
            fields.push(("language", scalar(language)));
        }
        if !self.variables.is_empty() {
            let variables = self.variables.iter().filter_map(|(name, by_flow)| {
                let value = by_flow.values().next()?;
                Some((name.as_str(), self::value(value)))
            });
            fields.push(("vars", mapping(variables)));
        }
        mapping(fields)
    }
}

fn mapping<N: AsRef<str>>(fields: impl IntoIterator<Item = (N, String)>) -> String {
    let mut out = String::new();
    for (name, value) in fields {
        out.push_str(if out.is_empty() { "{ " } else { ", " });
        let _ = write!(out, "{}: {value}", scalar(name.as_ref()));
    }
    if out.is_empty() {
        return "{}".to_owned();
    }
    out.push_str(" }");
    out
}

/// A value, in YAML's flow style.
fn value(value: &Value) -> String {
    json(&to_json(value))
}

fn json(value: &Json) -> String {
    match value {
        Json::Null => "null".to_owned(),
        Json::Bool(bool) => bool.to_string(),
        Json::Number(number) => number.to_string(),
        Json::String(text) => scalar(text),
        Json::Array(items) => {
            let items: Vec<_> = items.iter().map(json).collect();
            format!("[{}]", items.join(", "))
        }
        Json::Object(fields) => mapping(fields.iter().map(|(name, value)| (name, json(value)))),
    }
}

/// A text, in quotes unless it is plainly a word.
fn scalar(text: &str) -> String {
    // Names of the language and words of any script need no quotes; all else gets them, so that
    // no sign of YAML's has to be known here.
    let plain = text.starts_with(char::is_alphabetic)
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' '))
        && !text.ends_with(' ')
        && !matches!(text, "null" | "true" | "false" | "yes" | "no" | "on" | "off");
    if plain { text.to_owned() } else { quoted(text) }
}

/// A text in double quotes.
fn quoted(text: &str) -> String {
    // YAML's double quotes know JSON's escapes.
    Json::String(text.to_owned()).to_string()
}

impl Said {
    /// A prompt by its key.
    pub fn prompt(key: impl Into<PromptKey>) -> Self {
        Self {
            prompt: Some(key.into()),
            text: None,
        }
    }

    /// A text that is part of what is said.
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Self {
            prompt: None,
            text: Some(text.into()),
        }
    }
}
