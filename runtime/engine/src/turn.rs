//! What the caller notices of a contact, in order: derived from its events.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use trunkline_flow::speech::Speech;
use trunkline_model::{PromptKey, Timestamp};

use crate::{Event, Fact, Personal, event::Question};

/// One thing that the caller hears or sees. Its number is its event's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Turn {
    /// The number of its event in the contact's journal, counted from 1.
    pub seq: u64,
    /// What it is.
    pub kind: Kind,
}

/// What a turn is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Something is said.
    Say {
        /// The prompt's key, unless it is written in the flow.
        prompt: Option<PromptKey>,
        /// The text, as rendered; empty when it has been erased.
        text: Arc<str>,
        /// What a voice says, part by part; nothing where it reads the text.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        speech: Vec<Speech>,
        /// The text's language.
        language: Arc<str>,
        /// Whether it is a legal notice, which is played to its end whatever the caller does.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        notice: bool,
    },
    /// The caller is heard.
    Ask {
        /// What for.
        question: Question,
        /// The keys that count.
        keys: Arc<str>,
        /// Whether words count.
        text: bool,
        /// Until when.
        until: Timestamp,
    },
    /// The contact ended.
    Ended {
        /// How.
        outcome: Arc<str>,
    },
}

impl Turn {
    /// The turn that an event is for the caller, if it is one.
    pub fn of(seq: u64, event: &Event) -> Option<Self> {
        let kind = match &event.fact {
            Fact::Said {
                prompt,
                language,
                notice,
            } => Kind::Say {
                notice: notice.is_some(),
                prompt: prompt.clone(),
                text: event
                    .personal
                    .as_ref()
                    .and_then(Personal::text)
                    .cloned()
                    .unwrap_or_default(),
                speech: match &event.personal {
                    Some(Personal::Spoken { speech, .. }) => speech.clone(),
                    _ => Vec::new(),
                },
                language: language.clone(),
            },
            Fact::Asked {
                question,
                expects,
                until,
                ..
            } => Kind::Ask {
                question: *question,
                keys: expects.keys.clone(),
                text: expects.text,
                until: *until,
            },
            Fact::Ended { outcome, .. } => Kind::Ended {
                outcome: outcome.clone(),
            },
            _ => return None,
        };
        Some(Self { seq, kind })
    }
}
