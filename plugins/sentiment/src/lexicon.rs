//! The words that tell of a mood, from `lexicon.txt`, which says where they come from.

/// What an entry does to the mood.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Class {
    /// Anger, of a strength.
    Anger(f64),
    /// Worry, distress, impatience, of a strength.
    Anxiety(f64),
    /// Ease or thanks, of a strength.
    Calm(f64),
    /// Strengthens or weakens the word after it.
    Degree(f64),
    /// Strengthens the word before it.
    DegreeAfter(f64),
    /// Turns the word after it.
    Negate,
    /// What stands before it counts half.
    Contrast,
    /// Nothing, but is passed over whole.
    Neutral,
}

/// An entry found in a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Match {
    pub class: Class,
    /// Characters of the text that it covers.
    pub chars: usize,
}

include!(concat!(env!("OUT_DIR"), "/lexicon.rs"));

/// The longest entry that begins at `start`, if one does. The text is in lower case and
/// half-width. An entry in Latin letters matches whole words only.
pub(crate) fn longest(text: &[char], start: usize) -> Option<Match> {
    if is_word(text[start]) && start > 0 && is_word(text[start - 1]) {
        return None;
    }
    let chars_max = ENTRY_CHARS_MAX.min(text.len() - start);
    let mut words: String = text[start..start + chars_max].iter().collect();
    for chars in (1..=chars_max).rev() {
        let cuts_a_word =
            is_word(text[start + chars - 1]) && text.get(start + chars).copied().is_some_and(is_word);
        if !cuts_a_word && let Ok(found) = ENTRIES.binary_search_by_key(&words.as_str(), |(entry, _)| entry) {
            return Some(Match {
                class: ENTRIES[found].1,
                chars,
            });
        }
        words.pop();
    }
    None
}

/// Whether a character belongs to a word that is written with letters and parted by spaces.
pub(crate) fn is_word(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '\''
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, start: usize) -> Option<Match> {
        longest(&text.chars().collect::<Vec<_>>(), start)
    }

    #[test]
    fn the_longest_entry_wins() {
        assert_eq!(
            at("不满意", 0).map(|found| (found.class, found.chars)),
            Some((Class::Anger(1.6), 3))
        );
        assert_eq!(at("急诊科", 0).map(|found| found.class), Some(Class::Neutral));
        assert_eq!(at("急得", 0).map(|found| found.chars), Some(2));
        assert_eq!(at("桌子", 0), None);
    }

    #[test]
    fn latin_entries_match_whole_words() {
        assert_eq!(at("mad at you", 0).map(|found| found.chars), Some(6));
        assert_eq!(at("made at", 0), None);
        assert_eq!(at("nomad at", 2), None);
        assert_eq!(at("我angry了", 1).map(|found| found.chars), Some(5));
    }
}
