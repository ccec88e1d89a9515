//! Keys that belong to an answer.

use crate::step::{Answer, Key};

/// The keys that can be part of an answer.
pub fn of_answer(answer: &Answer) -> Vec<Key> {
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
        Answer::IdNumber => "0123456789*",
        Answer::Date | Answer::Phone | Answer::Number { decimal: false, .. } => "0123456789#",
        Answer::Money | Answer::Number { decimal: true, .. } => "0123456789*#",
    };
    keys.chars().filter_map(Key::new).collect()
}
