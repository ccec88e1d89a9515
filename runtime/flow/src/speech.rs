//! How prompts are said: the formats of values, and the speech that a voice channel makes of a
//! prompt, part by part.
//!
//! Text channels show one text. A voice needs more: where to be silent, what to read digit by
//! digit, and which recording to play. That is [`Speech`]; whoever speaks it knows how the
//! language says a date or an amount.

mod currency;
mod format;

use std::sync::Arc;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use trunkline_model::Duration;

pub use self::{currency::Currency, format::Format};

/// A part of what a voice says. Journals keep it, so its cases keep their names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Speech {
    /// Text, as the language reads it.
    Text(Arc<str>),
    /// Silence.
    Pause(Duration),
    /// Characters that are said one by one: digits, and a `+` before a country code.
    Digits(Arc<str>),
    /// A number, with `.` as its point and without any other mark.
    Number(Arc<str>),
    /// A place in a row, such as the third.
    Ordinal(Arc<str>),
    /// A day.
    Date(Date),
    /// A time of day.
    Time {
        /// 0 to 23.
        hour: u8,
        /// 0 to 59.
        minute: u8,
    },
    /// An amount of money.
    Money {
        /// The amount, with `.` as its point and as many decimals as the currency has.
        amount: Arc<str>,
        /// The currency, by its ISO 4217 code.
        currency: Arc<str>,
    },
    /// A recording that is the whole prompt. A voice that cannot play it says the text.
    Recording {
        /// Its path in the hotline's folder.
        path: Arc<str>,
        /// How long it is.
        length: Duration,
    },
}

/// The languages whose words are known here; all others are written as figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tongue {
    Chinese,
    Japanese,
    English,
    Other,
}

impl Tongue {
    /// Of a tag. Dialects of Chinese are written alike.
    pub(crate) fn of(language: &str) -> Self {
        match language.split('-').next().unwrap_or_default() {
            "zh" | "cmn" | "yue" | "wuu" | "nan" | "hak" => Self::Chinese,
            "ja" => Self::Japanese,
            "en" => Self::English,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn journals_keep_speech_in_a_form_that_does_not_change() {
        let parts = vec![
            Speech::Text("您好".into()),
            Speech::Pause(Duration::from_millis(500)),
            Speech::Digits("+86".into()),
            Speech::Number("1.5".into()),
            Speech::Ordinal("3".into()),
            Speech::Date(jiff::civil::date(2026, 11, 21)),
            Speech::Time { hour: 20, minute: 5 },
            Speech::Money {
                amount: "12.50".into(),
                currency: "CNY".into(),
            },
            Speech::Recording {
                path: "audio/a.wav".into(),
                length: Duration::from_millis(6_500),
            },
        ];
        let written = r#"[{"text":"您好"},{"pause":500},{"digits":"+86"},{"number":"1.5"},{"ordinal":"3"},{"date":"2026-11-21"},{"time":{"hour":20,"minute":5}},{"money":{"amount":"12.50","currency":"CNY"}},{"recording":{"path":"audio/a.wav","length":6500}}]"#;
        assert_eq!(serde_json::to_string(&parts).unwrap(), written);
        assert_eq!(serde_json::from_str::<Vec<Speech>>(written).unwrap(), parts);
    }
}
