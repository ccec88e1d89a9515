//! Chat on the wire: the JSON of contacts, inputs and turns.
//!
//! These types are the public API's; a field is added, never renamed. What is asked of the
//! server refuses fields it does not know, what the server answers may grow.

use serde::{Deserialize, Serialize};
use trunkline_engine::{Channel, event::Question, turn};
use trunkline_model::json::rfc3339;
use utoipa::ToSchema;

use crate::problem::Problem;

/// A contact to begin.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewContact {
    /// The client's name for this request, 16 to 128 characters drawn at random, such as a
    /// UUID. The same again within a day begins no second contact: it gets the same answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "6c1f6f0e-3f0a-4a51-9b42-0d8c4f5f6a77")]
    pub id: Option<String>,
    /// How the contact comes; `chat` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "chat")]
    pub channel: Option<String>,
    /// The number that is called.
    #[schema(example = "12345")]
    pub number: String,
    /// The caller's number, E.164. It counts as known only when a trusted client's key vouches
    /// for it; else it is what the caller claims.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "+8613800138000")]
    pub from: Option<String>,
    /// The language that is asked for, a BCP 47 tag; the number's or the hotline's when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "zh-CN")]
    pub language: Option<String>,
}

/// A contact that has begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Begun {
    /// Its id.
    #[schema(example = "01k9vt3n1yhm2d5c9jq4k7x8zw")]
    pub contact: String,
    /// Opens the caller's side of this contact, and nothing else: send it as
    /// `Authorization: Bearer`.
    pub token: String,
    /// The release it stays on to its end.
    pub release: String,
}

/// Something that the caller gives: exactly one of `keys`, `text` and `hang_up`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// The client's name for this input, 1 to 128 characters. The same again is the same
    /// input, and gets the same answer.
    #[schema(example = "press-1")]
    pub id: String,
    /// Keys of the keypad: `0` to `9`, `*`, `#`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "1")]
    pub keys: Option<String>,
    /// Words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// True when the caller leaves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hang_up: Option<bool>,
}

/// An input that is durable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Taken {
    /// The number of the contact's last event; turns after it are what the input led to later.
    pub seq: u64,
    /// `accepted`.
    #[schema(example = "accepted")]
    pub reply: String,
}

/// What an input is answered with over a WebSocket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Answer {
    /// It is durable.
    Taken {
        /// The input's id.
        id: String,
        /// The number of the contact's last event.
        seq: u64,
        /// `accepted`.
        reply: String,
    },
    /// It was not taken.
    Problem {
        /// The input's id; none when it could not be read.
        id: Option<String>,
        /// Why.
        problem: Problem,
    },
}

/// What the caller notices, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Turns {
    /// The turns asked for; empty when none came in the time that was given.
    pub turns: Vec<Turn>,
}

/// One thing that the caller hears or sees. Numbers grow; they have gaps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Turn {
    /// Something is said.
    Say {
        /// Its number.
        seq: u64,
        /// The prompt's key, unless it is written in the flow.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        prompt: Option<String>,
        /// The words.
        text: String,
        /// Their language, a BCP 47 tag.
        language: String,
    },
    /// The caller is heard.
    Ask {
        /// Its number.
        seq: u64,
        /// What for: `menu`, `ask`, `confirm`, `message`; or `queue`, in which nothing is asked and
        /// keys lead another way.
        question: String,
        /// The keys that count, as a character class like `[0-9*#]`; empty when none does.
        keys: String,
        /// Whether words count.
        text: bool,
        /// Until when, RFC 3339.
        until: String,
    },
    /// The contact has ended; nothing follows.
    Ended {
        /// Its number.
        seq: u64,
        /// How it ended: what the flow's `end` names, `abandoned`, or `failed`.
        outcome: String,
    },
}

impl Turn {
    /// The turn's number.
    pub const fn seq(&self) -> u64 {
        match self {
            Self::Say { seq, .. } | Self::Ask { seq, .. } | Self::Ended { seq, .. } => *seq,
        }
    }

    /// The name of what it is, as in `type`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Say { .. } => "say",
            Self::Ask { .. } => "ask",
            Self::Ended { .. } => "ended",
        }
    }
}

impl From<&turn::Turn> for Turn {
    fn from(turn: &turn::Turn) -> Self {
        let seq = turn.seq;
        match &turn.kind {
            turn::Kind::Say {
                prompt,
                text,
                language,
                // A chat shows the text, and what is shown stays.
                speech: _,
                notice: _,
            } => Self::Say {
                seq,
                prompt: prompt.as_ref().map(ToString::to_string),
                text: text.to_string(),
                language: language.to_string(),
            },
            turn::Kind::Ask {
                question,
                keys,
                text,
                until,
            } => Self::Ask {
                seq,
                question: question_name(*question).to_owned(),
                keys: key_class(keys),
                text: *text,
                until: rfc3339(*until),
            },
            turn::Kind::Ended { outcome } => Self::Ended {
                seq,
                outcome: outcome.to_string(),
            },
        }
    }
}

/// The name of a channel on the wire.
pub const fn channel_name(channel: Channel) -> &'static str {
    match channel {
        Channel::Chat => "chat",
        Channel::Voice => "voice",
        Channel::Phone => "phone",
        Channel::Twiml => "twiml",
        Channel::Jambonz => "jambonz",
        Channel::Outbound => "outbound",
    }
}

const fn question_name(question: Question) -> &'static str {
    match question {
        Question::Menu => "menu",
        Question::Ask => "ask",
        Question::Confirm => "confirm",
        Question::Queue => "queue",
        Question::Message => "message",
    }
}

/// Keys as a character class: digits in order, three or more in a row as a range.
fn key_class(keys: &str) -> String {
    let mut digits: Vec<u8> = keys.bytes().filter(u8::is_ascii_digit).collect();
    digits.sort_unstable();
    digits.dedup();
    let mut class = String::new();
    let mut rest = digits.as_slice();
    while let Some(&first) = rest.first() {
        let run = rest
            .iter()
            .zip(first..)
            .take_while(|(digit, next)| **digit == *next)
            .count();
        let last = rest[run - 1];
        class.push(char::from(first));
        if run > 2 {
            class.push('-');
        }
        if run > 1 {
            class.push(char::from(last));
        }
        rest = &rest[run..];
    }
    class.extend(['*', '#'].into_iter().filter(|key| keys.contains(*key)));
    if class.is_empty() {
        class
    } else {
        format!("[{class}]")
    }
}

#[cfg(test)]
mod tests {
    use trunkline_model::{PromptKey, Timestamp};

    use super::*;

    #[test]
    fn keys_are_written_as_a_class() {
        for (keys, class) in [
            ("", ""),
            ("1", "[1]"),
            ("12", "[12]"),
            ("1290", "[0-29]"),
            ("0123456789*#", "[0-9*#]"),
            ("#3", "[3#]"),
        ] {
            assert_eq!(key_class(keys), class, "{keys:?}");
        }
    }

    #[test]
    fn turns_have_the_shape_that_clients_rely_on() {
        let say = Turn::from(&turn::Turn {
            seq: 7,
            kind: turn::Kind::Say {
                prompt: Some(PromptKey::new("welcome")),
                text: "您好".into(),
                speech: Vec::new(),
                language: "zh-CN".into(),
                notice: false,
            },
        });
        assert_eq!(
            serde_json::to_string(&say).unwrap(),
            r#"{"type":"say","seq":7,"prompt":"welcome","text":"您好","language":"zh-CN"}"#
        );
        let ask = Turn::from(&turn::Turn {
            seq: 8,
            kind: turn::Kind::Ask {
                question: Question::Menu,
                keys: "12".into(),
                text: true,
                until: Timestamp::from_millis(0),
            },
        });
        let json = serde_json::to_value(&ask).unwrap();
        assert_eq!(json["type"], "ask");
        assert_eq!(json["keys"], "[12]");
        assert_eq!(serde_json::from_value::<Turn>(json).unwrap(), ask);
    }

    #[test]
    fn what_the_server_is_asked_has_no_unknown_fields() {
        assert!(serde_json::from_str::<Given>(r#"{"id":"a","key":"1"}"#).is_err());
        assert!(serde_json::from_str::<NewContact>(r#"{"number":"1","token":"x"}"#).is_err());
    }
}
