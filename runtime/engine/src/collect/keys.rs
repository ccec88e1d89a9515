//! Keys: which can be part of an answer, what completes it, and what it is.

use std::sync::Arc;

use trunkline_flow::{
    step::{Answer, Key},
    words::single_key,
};
use trunkline_model::{Duration, Value};

use super::{
    answers::{self, IDENTITY_KEYS, Today},
    carries::Keys,
};

/// Keys in the order of the keypad, as events list them.
const KEYPAD: &str = "1234567890*#";

/// The key that finishes answers of no fixed length, unless the flow names another.
const FINISH: char = '#';

/// Keys of the longest number, amount or phone number that is collected.
const NUMBER_KEYS_MAX: usize = 15;

/// Keys of a date: year, month, day.
const DATE_KEYS: usize = 8;

/// What keys given so far amount to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Collected {
    /// An answer, and keys that came after it.
    Complete {
        /// The answer's keys, without the finish key.
        keys: String,
        /// The keys after it.
        rest: String,
        /// The finish key, when the answer was full without it and it may come yet.
        finish: Option<char>,
    },
    /// More keys may come.
    Open {
        /// Within what time.
        next: Duration,
    },
}

pub(crate) fn is_key(key: char) -> bool {
    Key::new(key).is_some()
}

/// Keys in the order of the keypad, each once.
pub(crate) fn keypad_order(keys: Vec<Key>) -> Arc<str> {
    KEYPAD
        .chars()
        .filter(|key| keys.iter().any(|given| given.as_char() == *key))
        .collect::<String>()
        .into()
}

/// The most keys of an answer, and the key that finishes it sooner.
pub(super) fn bounds(answer: &Answer) -> (usize, Option<char>) {
    match answer {
        Answer::Text => (usize::MAX, None),
        Answer::YesNo | Answer::OneOf(_) => (1, None),
        Answer::Digits(digits) => (*digits.length.end(), digits.finish.map(Key::as_char)),
        Answer::IdNumber => (IDENTITY_KEYS, None),
        Answer::Date => (DATE_KEYS, Some(FINISH)),
        Answer::Number { .. } | Answer::Money | Answer::Phone => (NUMBER_KEYS_MAX, Some(FINISH)),
    }
}

/// What keys amount to on a channel where they come so.
pub(crate) fn collect(answer: &Answer, keys: &str, how: Keys) -> Collected {
    let (length_max, finish) = bounds(answer);
    let split = |at: usize, after: usize, finish: Option<char>| Collected::Complete {
        keys: keys[..at].to_owned(),
        rest: keys[after..].to_owned(),
        finish,
    };
    // Keys are ASCII: a count of characters is a count of bytes.
    match (keys.find(|key| Some(key) == finish), how) {
        // A finish key right after the last key of the longest answer is still its own.
        (Some(at), _) if at <= length_max => split(at, at + 1, None),
        _ if keys.len() >= length_max => {
            let last = keys.len() == length_max;
            split(length_max, length_max, finish.filter(|_| last))
        }
        (_, Keys::OneByOne { next }) if *answer != Answer::Text => Collected::Open { next },
        _ => split(keys.len(), keys.len(), None),
    }
}

/// The value of an answer given by keys; none when it is not one.
pub(crate) fn understand_keys(answer: &Answer, keys: &str, today: Today) -> Option<Value> {
    match answer {
        Answer::Text => None,
        Answer::YesNo => match keys {
            "1" => Some(Value::Bool(true)),
            "2" => Some(Value::Bool(false)),
            _ => None,
        },
        Answer::OneOf(choices) => {
            let key = single_key(keys)?;
            let choice = choices.iter().find(|choice| choice.key == Some(key))?;
            Some(Value::Text(choice.value.clone()))
        }
        // A keypad has neither a point nor an X.
        Answer::Number { .. } | Answer::Money => {
            answers::understand_text(answer, &keys.replace('*', "."), today)
        }
        Answer::IdNumber => answers::understand_text(answer, &keys.replace('*', "X"), today),
        Answer::Digits(_) | Answer::Date | Answer::Phone => answers::understand_text(answer, keys, today),
    }
}

#[cfg(test)]
mod tests {
    use trunkline_flow::step::Digits;

    use super::*;

    fn digits(length: std::ops::RangeInclusive<usize>, finish: Option<char>) -> Answer {
        Answer::Digits(Digits {
            length,
            finish: finish.and_then(Key::new),
            pattern: None,
        })
    }

    fn complete(keys: &str, rest: &str) -> Collected {
        Collected::Complete {
            keys: keys.into(),
            rest: rest.into(),
            finish: None,
        }
    }

    const NEXT: Duration = Duration::from_secs(3);
    const ONE_BY_ONE: Keys = Keys::OneByOne { next: NEXT };

    #[test]
    fn keys_complete_an_answer_at_its_length_its_finish_key_or_with_the_message() {
        let four = digits(4..=4, None);
        assert_eq!(collect(&four, "123", ONE_BY_ONE), Collected::Open { next: NEXT });
        assert_eq!(collect(&four, "1234", ONE_BY_ONE), complete("1234", ""));
        assert_eq!(collect(&four, "123456", ONE_BY_ONE), complete("1234", "56"));
        assert_eq!(collect(&four, "123", Keys::Together), complete("123", ""));
        let some = digits(1..=8, Some('#'));
        assert_eq!(collect(&some, "12#9", ONE_BY_ONE), complete("12", "9"));
        assert_eq!(
            collect(&some, "12345678#9", ONE_BY_ONE),
            complete("12345678", "9")
        );
        assert_eq!(
            collect(&some, "123456789#", ONE_BY_ONE),
            complete("12345678", "9#")
        );
        let full = Collected::Complete {
            keys: "12345678".into(),
            rest: String::new(),
            finish: Some('#'),
        };
        assert_eq!(collect(&some, "12345678", ONE_BY_ONE), full);
        assert_eq!(collect(&some, "12", ONE_BY_ONE), Collected::Open { next: NEXT });
        assert_eq!(collect(&Answer::YesNo, "12", ONE_BY_ONE), complete("1", "2"));
        assert_eq!(
            collect(&Answer::Date, "2026", ONE_BY_ONE),
            Collected::Open { next: NEXT }
        );
    }

    #[test]
    fn the_star_is_a_point_or_an_x() {
        let today = Today::of(jiff::civil::date(2026, 11, 21));
        assert_eq!(
            understand_keys(&Answer::Money, "12*5", today),
            Some(Value::Decimal(12.5))
        );
        assert_eq!(
            understand_keys(&Answer::IdNumber, "11010519491231002*", today),
            Some(Value::from("11010519491231002X"))
        );
    }
}
