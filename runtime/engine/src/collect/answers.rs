//! Answers: what a caller's words mean, one file for each kind.
//!
//! Words are understood as Mandarin or English whatever language the contact has: callers
//! switch, and no wording means two things. What is understood is all that was said, save
//! fillers ([`said`]); an answer is never picked out of a longer story. When in doubt there is
//! no answer, and the caller is asked again.
//!
//! Why these grammars are our own: `docs/decisions/0005-spoken-answers.md`.

mod chinese;
mod choice;
mod date;
mod digits;
mod english;
mod identity;
mod money;
mod number;
mod phone;
mod said;
#[cfg(test)]
mod spoken;
mod yes_no;

use jiff::{civil::Date, tz::TimeZone};
use trunkline_flow::step::Answer;
use trunkline_model::{Timestamp, Value};

pub(super) use identity::KEYS as IDENTITY_KEYS;
use said::Said;

/// The contact's day: what `tomorrow` counts from, and which year `3 December` is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Today(Date);

impl Today {
    /// The day that it is at a time in the hotline's time zone.
    pub(crate) fn at(at: Timestamp, time_zone: &TimeZone) -> Self {
        let at = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default();
        Self(at.to_zoned(time_zone.clone()).date())
    }

    #[cfg(test)]
    pub(crate) const fn of(date: Date) -> Self {
        Self(date)
    }
}

/// The value of an answer given by words; none when it is not one.
pub(crate) fn understand_text(answer: &Answer, text: &str, today: Today) -> Option<Value> {
    let said = Said::new(text);
    match answer {
        Answer::Text => Some(Value::text(text.trim())),
        Answer::Digits(digits) => digits::understand(digits, &said).map(Value::from),
        Answer::Number { min, max, decimal } => number::understand(&said, *min, *max, *decimal),
        Answer::Money => money::understand(&said).map(Value::Decimal),
        Answer::Date => date::understand(&said, today).map(Value::Date),
        Answer::Phone => phone::understand(&said).map(Value::from),
        Answer::IdNumber => identity::understand(&said, today).map(Value::from),
        Answer::YesNo => yes_no::understand(&said).map(Value::Bool),
        Answer::OneOf(choices) => choice::understand(choices, text).map(Value::Text),
    }
}
