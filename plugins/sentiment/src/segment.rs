//! Cuts a text into what the lexicon knows and what it does not.

use crate::lexicon::{self, Class};

/// Characters of a text that are looked at; what comes after adds nothing to a mood.
const TEXT_CHARS_MAX: usize = 4_000;

/// A piece of a text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Piece {
    /// An entry of the lexicon.
    Entry {
        class: Class,
        /// As the lexicon has it.
        words: String,
        /// Written in capitals throughout, and long enough for that to mean something.
        shouted: bool,
    },
    /// A Chinese character, or a word in letters, that the lexicon does not know.
    Unknown,
    /// The end of a clause; how many exclamation marks stand there.
    Stop { exclamations: usize },
}

/// Letters that a word in capitals needs to count as shouted.
const SHOUTED_LETTERS_MIN: usize = 3;

/// A text as it was written, and in lower case, both half-width and character by character.
pub(crate) struct Reading {
    written: Vec<char>,
    pub lower: Vec<char>,
}

impl Reading {
    /// Reads a text, up to the bound.
    pub(crate) fn of(text: &str) -> Self {
        let written = normalise(text);
        let lower = written.iter().map(|&char| lower(char)).collect();
        Self { written, lower }
    }
}

/// Cuts a text into pieces, in its order.
pub(crate) fn segment(Reading { written, lower }: &Reading) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < lower.len() {
        if let Some(found) = lexicon::longest(lower, at) {
            let span = at..at + found.chars;
            pieces.push(Piece::Entry {
                class: found.class,
                words: lower[span.clone()].iter().collect(),
                shouted: is_shouted(&written[span]),
            });
            at += found.chars;
        } else if is_stop(lower[at]) {
            let end = end_of(lower, at, is_stop);
            let exclamations = lower[at..end].iter().filter(|&&char| char == '!').count();
            pieces.push(Piece::Stop { exclamations });
            at = end;
        } else if lexicon::is_word(lower[at]) {
            pieces.push(Piece::Unknown);
            at = end_of(lower, at, lexicon::is_word);
        } else {
            if lower[at].is_alphabetic() {
                pieces.push(Piece::Unknown);
            }
            at += 1;
        }
    }
    pieces
}

/// Full-width forms made half-width, typographic apostrophes plain, runs of spaces one.
fn normalise(text: &str) -> Vec<char> {
    let mut chars: Vec<char> = Vec::new();
    for char in text.chars().take(TEXT_CHARS_MAX) {
        let char = match char {
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(char) - 0xfee0).unwrap_or(char),
            '’' | '‘' | '`' => '\'',
            // Selects how an emoji is drawn; the lexicon does without.
            '\u{fe0f}' => continue,
            '\n' | '\r' => '。',
            char if char.is_whitespace() => ' ',
            char => char,
        };
        if char != ' ' || chars.last() != Some(&' ') {
            chars.push(char);
        }
    }
    chars
}

/// Lower case where it is one character, so that positions stay.
fn lower(char: char) -> char {
    let mut lower = char.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(one), None) => one,
        _ => char,
    }
}

fn is_stop(char: char) -> bool {
    matches!(
        char,
        '。' | '、' | ',' | '.' | '!' | '?' | ';' | ':' | '…' | '~' | '—'
    )
}

fn is_shouted(written: &[char]) -> bool {
    let mut letters = written.iter().filter(|char| char.is_ascii_alphabetic());
    written.iter().filter(|char| char.is_ascii_alphabetic()).count() >= SHOUTED_LETTERS_MIN
        && letters.all(char::is_ascii_uppercase)
}

fn end_of(chars: &[char], start: usize, belongs: fn(char) -> bool) -> usize {
    chars[start..]
        .iter()
        .position(|&char| !belongs(char))
        .map_or(chars.len(), |length| start + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(text: &str) -> String {
        let words: Vec<_> = segment(&Reading::of(text))
            .into_iter()
            .map(|piece| match piece {
                Piece::Entry {
                    words, shouted: true, ..
                } => format!("[{words}^]"),
                Piece::Entry { words, .. } => format!("[{words}]"),
                Piece::Unknown => "_".to_owned(),
                Piece::Stop { exclamations } => format!("/{exclamations}"),
            })
            .collect();
        words.join(" ")
    }

    #[test]
    fn chinese_is_cut_by_the_longest_match() {
        assert_eq!(shape("我很着急，房子漏水！！"), "_ [很] [着急] /0 _ _ [漏水] /2");
        assert_eq!(shape("急诊科在哪"), "[急诊科] _ _");
        assert_eq!(shape("他们不作为"), "_ _ [不作为]");
    }

    #[test]
    fn english_is_cut_into_words_and_phrases() {
        assert_eq!(shape("I’m  FED UP with this!"), "_ [fed up^] _ _ /1");
        assert_eq!(shape("Thank you, no problem."), "[thank you] /0 [no problem] /0");
    }

    #[test]
    fn full_width_forms_are_read_as_half_width() {
        assert_eq!(shape("ＡＮＧＲＹ！"), "[angry^] /1");
    }

    #[test]
    fn a_long_text_is_read_up_to_the_bound() {
        let long = Reading::of(&"我".repeat(10 * TEXT_CHARS_MAX));
        assert_eq!(segment(&long).len(), TEXT_CHARS_MAX);
        assert!(segment(&Reading::of("")).is_empty());
    }
}
