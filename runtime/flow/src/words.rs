//! How words are compared: what a caller said with what a flow listens for.
//!
//! The engine hears by these functions and the checker compares by them, so that two words
//! which a caller could not tell apart are found before anybody calls.

use std::sync::Arc;

use crate::step::Key;

/// A text as words are compared: without space at its ends, in lower case, and with
/// full-width letters, digits and signs as their ordinary ones.
pub fn plain(text: &str) -> String {
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

/// Whether a plain text holds a plain word: wherever it stands, but not inside a longer
/// word of Latin letters or a longer number. An empty word is held by nothing.
pub fn holds_word(text: &str, word: &str) -> bool {
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

/// The first entry of a list (longest word first, as checked flows have them) whose word a
/// plain text holds.
pub fn find_word<'w, T>(words: &'w [(Arc<str>, T)], text: &str) -> Option<&'w (Arc<str>, T)> {
    words.iter().find(|(word, _)| holds_word(text, &plain(word)))
}

/// The key that a plain text is, if it is one key and nothing else.
pub fn single_key(text: &str) -> Option<Key> {
    let mut characters = text.chars();
    let key = characters.next().and_then(Key::new)?;
    characters.next().is_none().then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_word_wins_and_latin_words_are_whole() {
        let words = [
            (Arc::from("公积金贷款"), "loan"),
            (Arc::from("公积金"), "fund"),
            (Arc::from("tax"), "tax"),
        ];
        let find = |text: &str| find_word(&words, &plain(text)).map(|(_, to)| *to);
        assert_eq!(find("我想问公积金贷款的事"), Some("loan"));
        assert_eq!(find("公积金"), Some("fund"));
        assert_eq!(find("My ＴＡＸ bill"), Some("tax"));
        assert_eq!(find("a taxi please"), None);
        assert!(!holds_word("anything", ""));
    }

    #[test]
    fn a_key_is_one_character_of_the_keypad() {
        assert_eq!(single_key(&plain(" １ ")), Key::new('1'));
        assert_eq!(single_key(&plain("＃")), Key::new('#'));
        assert_eq!(single_key("12"), None);
        assert_eq!(single_key("一"), None);
    }
}
