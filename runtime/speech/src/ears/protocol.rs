//! What is said between us and a provider, version 1. Messages of JSON are text, sound is binary.

use serde::{Deserialize, Serialize};
use trunkline_model::limits::INPUT_CHARS_MAX;

/// The version that `start` names.
const VERSION: u32 = 1;

/// Characters of a provider's code for its failure.
const CODE_CHARS_MAX: usize = 40;

/// What we send.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(super) enum Sent<'a> {
    Start {
        version: u32,
        language: &'a str,
        rate: u32,
        encoding: &'static str,
        hints: &'a [String],
    },
    Stop {},
}

impl<'a> Sent<'a> {
    pub(super) const fn start(language: &'a str, hints: &'a [String]) -> Self {
        Self::Start {
            version: VERSION,
            language,
            rate: 8_000,
            encoding: "s16le",
            hints,
        }
    }

    pub(super) fn json(&self) -> String {
        serde_json::to_string(self).expect("it is texts and numbers")
    }
}

/// What a provider sends. Fields and kinds that are not known are passed over: a later version
/// may have them.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(super) enum Received {
    SpeechStarted {},
    Partial {
        text: String,
    },
    Final {
        text: String,
        #[serde(default)]
        confidence: Option<f64>,
    },
    Error {
        #[serde(default)]
        code: Option<String>,
    },
    #[serde(other)]
    Unknown,
}

impl Received {
    pub(super) fn read(text: &str) -> Result<Self, &'static str> {
        serde_json::from_str(text).map_err(|_| "a message is no JSON, or lacks a field")
    }
}

/// A text as it counts: in one line, and of bounded length.
pub(super) fn words(text: &str) -> Result<String, &'static str> {
    if text.chars().count() > INPUT_CHARS_MAX {
        return Err("a text is too long");
    }
    let words: Vec<_> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    Ok(words.join(" "))
}

/// A confidence as it counts: one that is none is not believed.
#[expect(
    clippy::cast_possible_truncation,
    reason = "it is from 0 to 1, and nobody compares its last bits"
)]
pub(super) fn confidence(stated: Option<f64>) -> Option<f32> {
    stated
        .filter(|stated| (0.0..=1.0).contains(stated))
        .map(|stated| stated as f32)
}

/// A provider's code for its failure, if it is one rather than a sentence.
pub(super) fn code(code: Option<&str>) -> &str {
    code.filter(|code| {
        !code.is_empty()
            && code.len() <= CODE_CHARS_MAX
            && code
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    })
    .unwrap_or("unknown")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_as_the_page_shows_them() {
        const PAGE: &str = include_str!("../../../../docs/reference/speech-input.md");
        let hints = ["缴费".to_owned(), "人工".to_owned()];
        let sent = [Sent::start("zh-CN", &hints).json(), Sent::Stop {}.json()];
        for message in &sent {
            assert!(PAGE.contains(&**message), "the page lacks {message}");
        }
        let mut read = 0;
        for line in PAGE.lines().filter(|line| line.starts_with("{\"type\"")) {
            if !sent.iter().any(|sent| sent == line) {
                assert_ne!(Received::read(line), Ok(Received::Unknown), "{line}");
                assert!(Received::read(line).is_ok(), "{line}");
                read += 1;
            }
        }
        assert_eq!(read, 4, "the page shows each message of a provider once");
    }

    #[test]
    fn what_is_not_believed() {
        for (stated, believed) in [
            (Some(0.0), Some(0.0)),
            (Some(1.0), Some(1.0)),
            (Some(7.0), None),
            (Some(-0.1), None),
            (Some(f64::NAN), None),
            (None, None),
        ] {
            assert_eq!(confidence(stated), believed);
        }
        assert_eq!(words(" 我要\u{0}缴费\r\n "), Ok("我要 缴费".to_owned()));
        assert!(words(&"啊".repeat(INPUT_CHARS_MAX)).is_ok());
        assert!(words(&"啊".repeat(INPUT_CHARS_MAX + 1)).is_err());
        for (stated, taken) in [
            (Some("no-model"), "no-model"),
            (Some("the caller said 138"), "unknown"),
            (Some(""), "unknown"),
            (None, "unknown"),
        ] {
            assert_eq!(code(stated), taken);
        }
        for bad in [
            "",
            "{}",
            "[]",
            "null",
            r#"{"type":"final"}"#,
            r#"{"type":"partial","text":1}"#,
        ] {
            assert!(Received::read(bad).is_err(), "{bad}");
        }
        assert_eq!(Received::read(r#"{"type":"later","x":1}"#), Ok(Received::Unknown));
    }
}
