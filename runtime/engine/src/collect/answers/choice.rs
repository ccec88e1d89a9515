//! One of several values: by its key, by a word for it, or by its own name. The longest word
//! that was said wins.

use std::sync::Arc;

use trunkline_flow::{
    step::Choice,
    words::{holds_word, plain, single_key},
};

/// The value of the choice that was meant.
pub(super) fn understand(choices: &[Choice], text: &str) -> Option<Arc<str>> {
    let said = plain(text);
    let by_key = single_key(&said).and_then(|key| choices.iter().find(|choice| choice.key == Some(key)));
    let by_word = || {
        choices
            .iter()
            .flat_map(|choice| {
                let names = choice.words.iter().chain([&choice.value]);
                names.map(move |word| (word, choice))
            })
            .filter(|(word, _)| holds_word(&said, &plain(word)))
            .max_by_key(|(word, _)| word.chars().count())
            .map(|(_, choice)| choice)
    };
    by_key.or_else(by_word).map(|choice| choice.value.clone())
}

#[cfg(test)]
mod tests {
    use trunkline_flow::step::Key;

    use super::*;

    #[test]
    fn the_longest_name_that_was_said_wins() {
        let choice = |value: &str, key: char, words: &[&str]| Choice {
            value: value.into(),
            key: Key::new(key),
            words: words.iter().map(|word| Arc::from(*word)).collect(),
        };
        let choices = [
            choice("xihu", '1', &["西湖", "西湖区"]),
            choice("xihu-town", '2', &["西湖区镇"]),
        ];
        for (text, value) in [
            ("我住西湖区", Some("xihu")),
            ("西湖区镇上", Some("xihu-town")),
            ("XIHU", Some("xihu")),
            ("２", Some("xihu-town")),
            ("3", None),
            ("余杭", None),
        ] {
            assert_eq!(understand(&choices, text).as_deref(), value, "{text}");
        }
    }
}
