//! The words that tell of a mood, from `lexicon.txt`, which says where they come from and how
//! an entry is written.

mod number;

/// What an entry does to the mood. The numbers are strengths.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Class {
    /// Anger, felt.
    Anger(f32),
    /// Anger about what somebody does.
    Accuse(f32),
    /// Worry, distress, impatience.
    Anxiety(f32),
    /// A thing gone wrong: worry, and anger too when somebody is blamed.
    Wrong(f32),
    /// Ease or thanks.
    Calm(f32),
    /// Praise, or scorn where something went wrong.
    Praise(f32),
    /// Ease that no negator turns.
    Ease(f32),
    /// Strengthens or weakens the word after it.
    Degree(f32),
    /// Strengthens the word before it.
    DegreeAfter(f32),
    /// Those to whom anger is spoken.
    Blame,
    /// Turns the word after it.
    Negate,
    /// Turns it too, but tells somebody not to: what they do, they do.
    Prohibit,
    /// What stands before it counts half.
    Contrast,
    /// Nothing, but is passed over whole.
    Neutral,
}

/// An entry found in a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Match {
    pub class: Class,
    /// Characters of the text that it covers: up to its gap, if it has one.
    pub chars: usize,
}

include!(concat!(env!("OUT_DIR"), "/lexicon.rs"));

/// In an entry: how often, and how long.
const OFTEN: char = '#';
const LONG: char = '@';

/// In an entry, twice: the gap between two parts of it.
const GAP: char = '.';

/// In a pair: there is no second character.
const ONLY: char = '\0';

/// Characters that a gap may have.
const GAP_CHARS_MAX: usize = 16;

/// The longest entry that begins at `start`, if one does. The text is in lower case and
/// half-width. An entry in Latin letters matches whole words only.
pub(crate) fn longest(text: &[char], start: usize) -> Option<Match> {
    let first = text[start];
    if is_word(first) && start > 0 && is_word(text[start - 1]) {
        return None;
    }
    let mut longest = None;
    longest_of(first, text, start, start + 1, &mut longest);
    if number::may_begin_with(first) {
        for (sign, end) in [
            (OFTEN, number::often(&text[start..])),
            (LONG, number::long(&text[start..])),
        ] {
            if let Some(chars) = end {
                longest_of(sign, text, start, start + chars, &mut longest);
            }
        }
    }
    longest
}

/// The longest of the entries that begin with a character, or the sign of a number, which stands
/// before `at`.
fn longest_of(first: char, text: &[char], start: usize, at: usize, longest: &mut Option<Match>) {
    let second = text.get(at).copied();
    // As it stands there, none, or one that stands for something.
    for second in [second, Some(ONLY), Some(OFTEN), Some(LONG), Some(GAP)] {
        let Some(second) = second else { continue };
        let Ok(pair) = PAIRS.binary_search_by_key(&(first, second), |pair| (pair.0, pair.1)) else {
            continue;
        };
        let after_pair = match second {
            ONLY | GAP => Some(at),
            OFTEN => number::often(&text[at..]).map(|chars| at + chars),
            LONG => number::long(&text[at..]).map(|chars| at + chars),
            _ => Some(at + 1),
        };
        let Some(after_pair) = after_pair else { continue };
        let begin = PAIRS[pair].2 as usize;
        let end = PAIRS.get(pair + 1).map_or(ENTRIES.len(), |next| next.2 as usize);
        let mut entries = &ENTRIES[begin..end];
        while let [class, length, ..] = *entries.as_bytes() {
            let (rest, after) = entries[2..].split_at(usize::from(length - b' '));
            entries = after;
            let found = if second == GAP {
                gap(&rest[1..], text, after_pair)
            } else {
                covered(rest, text, after_pair)
            };
            if let Some(end) = found
                && longest.is_none_or(|before| end - start > before.chars)
            {
                *longest = Some(Match {
                    class: CLASSES[usize::from(class - b'A')],
                    chars: end - start,
                });
            }
        }
    }
}

/// Where an entry ends, if the rest of it stands at `at`.
fn covered(rest: &str, text: &[char], mut at: usize) -> Option<usize> {
    let mut chars = rest.chars();
    while let Some(char) = chars.next() {
        match char {
            OFTEN => at += number::often(&text[at..])?,
            LONG => at += number::long(&text[at..])?,
            GAP => return gap(&chars.as_str()[1..], text, at),
            _ if text.get(at) == Some(&char) => at += 1,
            _ => return None,
        }
    }
    (!cuts_a_word(text, at)).then_some(at)
}

/// The same place, if the words after a gap stand soon after it.
fn gap(words: &str, text: &[char], at: usize) -> Option<usize> {
    (!cuts_a_word(text, at) && follows(words, &text[at..])).then_some(at)
}

/// Whether words stand soon, in the same sentence.
fn follows(words: &str, text: &[char]) -> bool {
    let sentence = text
        .iter()
        .position(|char| matches!(char, '。' | '.' | '!' | '?' | ';'))
        .unwrap_or(text.len());
    let text = &text[..sentence];
    (0..text.len().min(GAP_CHARS_MAX)).any(|at| {
        let begins_a_word = at == 0 || !is_word(text[at]) || !is_word(text[at - 1]);
        let length = words.chars().count();
        begins_a_word
            && text.len() >= at + length
            && words.chars().eq(text[at..at + length].iter().copied())
            && !cuts_a_word(text, at + length)
    })
}

fn cuts_a_word(text: &[char], at: usize) -> bool {
    at > 0 && is_word(text[at - 1]) && text.get(at).copied().is_some_and(is_word)
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

    fn chars(text: &str) -> Option<usize> {
        at(text, 0).map(|found| found.chars)
    }

    #[test]
    fn the_longest_entry_wins() {
        assert_eq!(
            at("不满意", 0).map(|found| (found.class, found.chars)),
            Some((Class::Anger(1.6), 3))
        );
        assert_eq!(at("急诊科", 0).map(|found| found.class), Some(Class::Neutral));
        assert_eq!(chars("急得"), Some(2));
        assert_eq!(at("桌子", 0), None);
    }

    #[test]
    fn latin_entries_match_whole_words() {
        assert_eq!(chars("mad at you"), Some(6));
        assert_eq!(at("made at", 0), None);
        assert_eq!(at("nomad at", 2), None);
        assert_eq!(at("我angry了", 1).map(|found| found.chars), Some(5));
    }

    #[test]
    fn how_often_and_how_long() {
        assert_eq!(chars("打了二十次"), Some(5));
        assert_eq!(chars("打了十几个电话"), Some(7));
        assert_eq!(at("第一次来", 0), None);
        assert_eq!(chars("第三次来"), Some(3));
        assert_eq!(chars("等了3个月"), Some(5));
        assert_eq!(chars("phoned you"), None);
        assert_eq!(chars("phoned 12 times"), Some(15));
        assert_eq!(chars("waited for three weeks."), Some(22));
        assert_eq!(chars("waited for you"), chars("waited for"));
    }

    #[test]
    fn a_gap_stays_in_its_sentence() {
        assert_eq!(chars("再不来人，我就报警"), Some(2));
        assert_ne!(chars("再不。我就报警"), Some(2));
    }
}
