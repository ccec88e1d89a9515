//! The meaning of keys and words: what completes an answer, and what it is understood as.
//!
//! - On a channel where keys come one by one an answer is complete at its full length, at
//!   the finish key (`#` unless the flow names another), or when no key came for three
//!   seconds. A message is complete as it is. Keys beyond an answer are kept for the next.
//! - Words match regardless of case and width; a word in Latin letters matches whole words
//!   only, a Chinese one wherever it stands. The longest word wins.

use std::sync::Arc;

use trunkline_flow::step::{Answer, Choice, Digits, Key};
use trunkline_model::{StepId, Value, limits::KEYS_AHEAD_MAX};

use crate::{
    course::Course,
    event::{Fact, Personal},
};

/// Keys in the order of the keypad, as events list them.
const KEYPAD: &str = "1234567890*#";

/// The key that finishes answers of no fixed length, unless the flow names another.
const FINISH: char = '#';

/// Keys of the longest number, amount or phone number that is collected.
const NUMBER_KEYS_MAX: usize = 15;

/// Keys of a date: year, month, day.
const DATE_KEYS: usize = 8;

/// Keys of a resident identity number: 17 digits and the check character.
const ID_NUMBER_KEYS: usize = 18;

const YES: [&str; 22] = [
    "yes", "y", "yeah", "yep", "ok", "okay", "sure", "right", "correct", "是", "是的", "对", "对的", "好",
    "好的", "要", "可以", "行", "嗯", "没错", "同意", "确认",
];
const NO: [&str; 15] = [
    "no",
    "n",
    "nope",
    "wrong",
    "不",
    "不是",
    "不对",
    "不要",
    "不用",
    "不行",
    "否",
    "没有",
    "错",
    "不同意",
    "不可以",
];

/// What keys given so far amount to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Collected {
    /// An answer, and keys that came after it.
    Complete {
        /// The answer's keys, without the finish key.
        keys: String,
        /// The keys after it.
        rest: String,
    },
    /// More keys may come.
    Open,
}

pub(crate) fn is_key(key: char) -> bool {
    Key::new(key).is_some()
}

/// Keeps keys for questions to come, as far as there is room.
pub(crate) fn keep_ahead(course: &mut Course<'_>, keys: &str) {
    if !keys.is_empty() {
        let kept: String = course
            .session
            .keys_ahead
            .chars()
            .chain(keys.chars())
            .take(KEYS_AHEAD_MAX)
            .collect();
        course.emit_with(Fact::KeysAhead, Personal::Text(kept.into()));
    }
}

/// Takes the keys that were kept.
pub(crate) fn take_ahead(course: &mut Course<'_>) -> Option<Arc<str>> {
    let keys = course.session.keys_ahead.clone();
    drop_ahead(course);
    (!keys.is_empty()).then_some(keys)
}

/// Forgets the keys that were kept.
pub(crate) fn drop_ahead(course: &mut Course<'_>) {
    if !course.session.keys_ahead.is_empty() {
        course.emit_with(Fact::KeysAhead, Personal::Text("".into()));
    }
}

/// Keys in the order of the keypad, each once.
pub(crate) fn keypad_order(keys: Vec<Key>) -> Arc<str> {
    KEYPAD
        .chars()
        .filter(|key| keys.iter().any(|given| given.as_char() == *key))
        .collect::<String>()
        .into()
}

/// The keys that can be part of an answer.
pub(crate) fn answer_keys(answer: &Answer) -> Vec<Key> {
    let keys = match answer {
        Answer::Text => return Vec::new(),
        Answer::OneOf(choices) => return choices.iter().filter_map(|choice| choice.key).collect(),
        Answer::Digits(digits) => {
            return "0123456789"
                .chars()
                .filter_map(Key::new)
                .chain(digits.finish)
                .collect();
        }
        Answer::YesNo => "12",
        Answer::Date | Answer::Phone | Answer::Number { decimal: false, .. } => "0123456789#",
        Answer::Money | Answer::IdNumber | Answer::Number { decimal: true, .. } => "0123456789*#",
    };
    keys.chars().filter_map(Key::new).collect()
}

/// What keys amount to; `open_ended` when more may come one by one.
pub(crate) fn collect(answer: &Answer, keys: &str, open_ended: bool) -> Collected {
    let (length_max, finish) = match answer {
        Answer::Text => (usize::MAX, None),
        Answer::YesNo | Answer::OneOf(_) => (1, None),
        Answer::Digits(digits) => (*digits.length.end(), digits.finish.map(Key::as_char)),
        Answer::Date => (DATE_KEYS, Some(FINISH)),
        Answer::IdNumber => (ID_NUMBER_KEYS, Some(FINISH)),
        Answer::Number { .. } | Answer::Money | Answer::Phone => (NUMBER_KEYS_MAX, Some(FINISH)),
    };
    let split = |at: usize, after: usize| Collected::Complete {
        keys: keys[..at].to_owned(),
        rest: keys[after..].to_owned(),
    };
    // Keys are ASCII: a count of characters is a count of bytes.
    match keys.find(|key| Some(key) == finish) {
        Some(at) if at <= length_max => split(at, at + 1),
        _ if keys.len() >= length_max => split(length_max, length_max),
        _ if open_ended && *answer != Answer::Text => Collected::Open,
        _ => split(keys.len(), keys.len()),
    }
}

/// The value of an answer given by keys; none when it is not one.
pub(crate) fn understand_keys(answer: &Answer, keys: &str) -> Option<Value> {
    match answer {
        Answer::Text => None,
        Answer::Digits(digits) => understand_digits(digits, keys),
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
        Answer::Number { .. } | Answer::Money => understand_text(answer, &keys.replace('*', ".")),
        Answer::Date | Answer::Phone => understand_text(answer, keys),
        Answer::IdNumber => understand_text(answer, &keys.replace('*', "X")),
    }
}

/// The value of an answer given by words; none when it is not one.
pub(crate) fn understand_text(answer: &Answer, text: &str) -> Option<Value> {
    let compact: String = plain(text).chars().filter(|c| !c.is_whitespace()).collect();
    match answer {
        Answer::Text => Some(Value::text(text.trim())),
        Answer::Digits(digits) => {
            let finish = digits.finish.map(Key::as_char);
            let keys = compact.replace('-', "");
            understand_digits(
                digits,
                keys.strip_suffix(|key| Some(key) == finish).unwrap_or(&keys),
            )
        }
        Answer::Number { min, max, decimal } => {
            let digits = compact.replace([',', '，'], "");
            let number: f64 = digits
                .parse()
                .ok()
                .filter(|_| digits.chars().all(|c| c.is_ascii_digit() || ".-+".contains(c)))?;
            let in_range = min.is_none_or(|min| number >= min) && max.is_none_or(|max| number <= max);
            let value = if *decimal {
                Value::Decimal(number)
            } else {
                Value::from(digits.parse::<i64>().ok()?)
            };
            (in_range && number.is_finite()).then_some(value)
        }
        Answer::Money => understand_money(&compact).map(Value::Decimal),
        Answer::Date => understand_date(&compact).map(Value::Date),
        Answer::Phone => understand_phone(&compact).map(Value::from),
        Answer::IdNumber => understand_id_number(&compact).map(Value::from),
        Answer::YesNo => {
            let said =
                compact.trim_end_matches(|c: char| c.is_ascii_punctuation() || "。！，？～".contains(c));
            match said {
                "1" => Some(Value::Bool(true)),
                "2" => Some(Value::Bool(false)),
                _ if YES.contains(&said) => Some(Value::Bool(true)),
                _ if NO.contains(&said) => Some(Value::Bool(false)),
                _ => None,
            }
        }
        Answer::OneOf(choices) => understand_choice(choices, text),
    }
}

fn understand_digits(digits: &Digits, keys: &str) -> Option<Value> {
    let fits = digits.length.contains(&keys.len())
        && keys.chars().all(|key| key.is_ascii_digit())
        && digits
            .pattern
            .as_deref()
            .is_none_or(|start| keys.starts_with(start));
    fits.then(|| Value::text(keys))
}

fn understand_money(compact: &str) -> Option<f64> {
    let amount = compact
        .trim_start_matches(['¥', '￥', '$', '€'])
        .trim_end_matches(|c| "元块圆".contains(c))
        .replace([',', '，'], "");
    let (whole, cents) = amount.split_once('.').unwrap_or((&amount, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let fits = digits(whole) && digits(cents) && cents.len() <= 2 && whole.len() <= NUMBER_KEYS_MAX;
    if fits { amount.parse().ok() } else { None }
}

fn understand_date(compact: &str) -> Option<jiff::civil::Date> {
    let parts: Vec<&str> = if compact.len() == DATE_KEYS && compact.bytes().all(|byte| byte.is_ascii_digit())
    {
        vec![&compact[..4], &compact[4..6], &compact[6..]]
    } else {
        compact
            .trim_end_matches(['日', '号'])
            .split(['-', '/', '.', '年', '月'])
            .collect()
    };
    let [year, month, day] = parts[..] else {
        return None;
    };
    if year.len() != 4 {
        return None;
    }
    jiff::civil::Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

/// A resident identity number whose check character is right (GB 11643-1999: ISO 7064,
/// MOD 11-2).
fn understand_id_number(compact: &str) -> Option<String> {
    let number = compact.to_ascii_uppercase();
    let (digits, check) = number.split_at_checked(ID_NUMBER_KEYS - 1)?;
    let sum = digits.chars().try_fold(0, |sum, digit| {
        digit.to_digit(10).map(|digit| (sum + digit) * 2 % 11)
    })?;
    let right = "10X98765432".chars().nth(usize::try_from(sum).ok()?)?;
    check.chars().eq([right]).then_some(number)
}

/// A number in E.164 where it was given with a country code (`+` or `00`), else its digits.
fn understand_phone(compact: &str) -> Option<String> {
    let bare = compact.replace(['-', '(', ')', '（', '）'], "");
    let (international, digits) = match bare.strip_prefix('+').or_else(|| bare.strip_prefix("00")) {
        Some(digits) => (true, digits),
        None => (false, bare.as_str()),
    };
    let fits =
        (3..=NUMBER_KEYS_MAX).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| {
        if international {
            format!("+{digits}")
        } else {
            digits.to_owned()
        }
    })
}

fn understand_choice(choices: &[Choice], text: &str) -> Option<Value> {
    let said = plain(text);
    let by_key = single_key(&said).and_then(|key| choices.iter().find(|choice| choice.key == Some(key)));
    let names = |choice: &Choice| -> Vec<Arc<str>> {
        choice
            .words
            .iter()
            .cloned()
            .chain([choice.value.clone()])
            .collect()
    };
    let by_word = || {
        choices
            .iter()
            .flat_map(|choice| names(choice).into_iter().map(move |word| (word, choice)))
            .filter(|(word, _)| holds_word(&said, &plain(word)))
            .max_by_key(|(word, _)| word.chars().count())
            .map(|(_, choice)| choice)
    };
    by_key
        .or_else(by_word)
        .map(|choice| Value::Text(choice.value.clone()))
}

/// The key that a text is, if it is one key and nothing else.
pub(crate) fn single_key(text: &str) -> Option<Key> {
    let mut characters = text.chars();
    let key = characters.next().and_then(Key::new)?;
    characters.next().is_none().then_some(key)
}

/// A text as words are compared: without space at its ends, in lower case, and with
/// full-width letters, digits and signs as their ordinary ones.
pub(crate) fn plain(text: &str) -> String {
    const FULL_WIDTH: std::ops::RangeInclusive<char> = '\u{ff01}'..='\u{ff5e}';
    let narrow = |c: char| match c {
        // 0xFEE0 lies between a full-width character and the ordinary one.
        _ if FULL_WIDTH.contains(&c) => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        '\u{3000}' => ' ',
        _ => c,
    };
    text.trim()
        .chars()
        .map(narrow)
        .flat_map(char::to_lowercase)
        .collect()
}

/// The first word of a list, longest first, that a plain text holds.
pub(crate) fn find_word<'w>(words: &'w [(Arc<str>, StepId)], text: &str) -> Option<&'w (Arc<str>, StepId)> {
    words.iter().find(|(word, _)| holds_word(text, &plain(word)))
}

/// Whether a plain text holds a plain word: wherever it stands, but not inside a longer
/// word of Latin letters or a longer number.
fn holds_word(text: &str, word: &str) -> bool {
    if word.is_empty() {
        return false;
    }
    let joins = |a: Option<char>, b: Option<char>| {
        a.is_some_and(|a| a.is_ascii_alphanumeric()) && b.is_some_and(|b| b.is_ascii_alphanumeric())
    };
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !joins(before, word.chars().next()) && !joins(word.chars().next_back(), after)
    })
}

#[cfg(test)]
mod tests {
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
        }
    }

    #[test]
    fn keys_complete_an_answer_at_its_length_its_finish_key_or_with_the_message() {
        let four = digits(4..=4, None);
        assert_eq!(collect(&four, "123", true), Collected::Open);
        assert_eq!(collect(&four, "1234", true), complete("1234", ""));
        assert_eq!(collect(&four, "123456", true), complete("1234", "56"));
        assert_eq!(collect(&four, "123", false), complete("123", ""));
        let some = digits(1..=8, Some('#'));
        assert_eq!(collect(&some, "12#9", true), complete("12", "9"));
        assert_eq!(collect(&some, "12", true), Collected::Open);
        assert_eq!(collect(&Answer::YesNo, "12", true), complete("1", "2"));
        assert_eq!(collect(&Answer::Date, "20261121", true), complete("20261121", ""));
    }

    #[test]
    fn answers_are_understood_as_they_are_typed() {
        let number = |decimal| Answer::Number {
            min: Some(0.0),
            max: Some(100.0),
            decimal,
        };
        let date = |y, m, d| Some(Value::Date(jiff::civil::Date::new(y, m, d).unwrap()));
        for (answer, text, value) in [
            (number(false), " 4２ ", Some(Value::from(42))),
            (number(false), "101", None),
            (number(false), "4.5", None),
            (number(true), "4.5", Some(Value::Decimal(4.5))),
            (number(true), "inf", None),
            (number(true), "1e1", None),
            (Answer::Money, "￥1,200.50元", Some(Value::Decimal(1200.5))),
            (Answer::Money, "1.234", None),
            (Answer::Date, "2026年11月21日", date(2026, 11, 21)),
            (Answer::Date, "2026-2-3", date(2026, 2, 3)),
            (Answer::Date, "20260230", None),
            (
                Answer::Phone,
                "+86 138-0013-8000",
                Some(Value::from("+8613800138000")),
            ),
            (
                Answer::Phone,
                "0086 13800138000",
                Some(Value::from("+8613800138000")),
            ),
            (Answer::Phone, "call me", None),
            (
                Answer::IdNumber,
                "110105 19491231 002x",
                Some(Value::from("11010519491231002X")),
            ),
            (Answer::IdNumber, "110105194912310021", None),
            (Answer::IdNumber, "11010519491231002", None),
            (Answer::YesNo, "是的。", Some(Value::Bool(true))),
            (Answer::YesNo, "No!", Some(Value::Bool(false))),
            (Answer::YesNo, "maybe", None),
            (digits(4..=4, Some('#')), "12 34#", Some(Value::from("1234"))),
            (digits(4..=4, None), "12a4", None),
            (Answer::Text, "  漏水了 ", Some(Value::from("漏水了"))),
        ] {
            assert_eq!(understand_text(&answer, text), value, "{answer:?} from {text:?}");
        }
        assert_eq!(
            understand_keys(&Answer::Money, "12*5"),
            Some(Value::Decimal(12.5))
        );
    }

    #[test]
    fn the_longest_word_wins_and_latin_words_are_whole() {
        let step = |name: &str| StepId::from(name);
        let words = [
            (Arc::from("公积金贷款"), step("loan")),
            (Arc::from("公积金"), step("fund")),
            (Arc::from("tax"), step("tax")),
        ];
        let find = |text: &str| find_word(&words, &plain(text)).map(|(_, step)| step.to_string());
        assert_eq!(find("我想问公积金贷款的事").as_deref(), Some("loan"));
        assert_eq!(find("公积金").as_deref(), Some("fund"));
        assert_eq!(find("My TAX bill").as_deref(), Some("tax"));
        assert_eq!(find("a taxi please"), None);
        let choices = [Choice {
            value: "xihu".into(),
            key: None,
            words: vec!["西湖".into(), "西湖区".into()],
        }];
        assert_eq!(
            understand_choice(&choices, "我住西湖区"),
            Some(Value::from("xihu"))
        );
    }
}
