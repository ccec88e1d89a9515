//! What is said of a prompt: words that an ordinary engine reads right.
//!
//! Engines differ in what they make of `12.50` or `20:05`, and none knows that `110` is a number
//! to be dialled. So values are written out as words where the language is known here, and all
//! text between two pauses goes to the engine at once: it sets the tone of a sentence as a whole.

mod chinese;
mod english;
mod other;

use std::{sync::Arc, time::Duration};

use trunkline_flow::speech::Speech;

use crate::limits::{PAUSE_MAX, UTTERANCE_CHARS_MAX, UTTERANCES_MAX};

/// A part of what is played, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Utterance {
    /// Words for an engine: at most [`UTTERANCE_CHARS_MAX`] characters, in one line.
    Words(Arc<str>),
    /// Silence.
    Silence(Duration),
    /// A recording; who cannot play it says the prompt's text.
    Recording {
        /// Its path in the hotline's folder.
        path: Arc<str>,
    },
}

/// What is said of a prompt in a language: its parts, or its text when it has none.
pub fn utterances(language: &str, parts: &[Speech], text: &str) -> Vec<Utterance> {
    let tongue = Tongue::of(language);
    let mut said = Said::default();
    if parts.is_empty() {
        said.words.push_str(text);
    }
    for (index, part) in parts.iter().enumerate() {
        let next = match parts.get(index + 1) {
            Some(Speech::Text(text)) => text,
            _ => "",
        };
        match part {
            Speech::Pause(length) => {
                said.flush();
                said.pause(length.to_std());
            }
            Speech::Recording { path, .. } => {
                said.flush();
                said.add(Utterance::Recording { path: path.clone() });
            }
            Speech::Text(text) => said.words.push_str(text),
            value => said.words.push_str(&tongue.spoken(value, next)),
        }
    }
    said.flush();
    said.parts
}

/// Text as it is given to an engine in pieces: for a recording that cannot be played.
pub(crate) fn text(text: &str) -> Vec<Utterance> {
    utterances("", &[], text)
}

#[derive(Debug, Default)]
struct Said {
    parts: Vec<Utterance>,
    words: String,
}

impl Said {
    fn add(&mut self, part: Utterance) {
        if self.parts.len() < UTTERANCES_MAX {
            self.parts.push(part);
        }
    }

    fn pause(&mut self, length: Duration) {
        if let Some(Utterance::Silence(before)) = self.parts.last_mut() {
            *before = before.saturating_add(length).min(PAUSE_MAX);
        } else if !length.is_zero() {
            self.add(Utterance::Silence(length.min(PAUSE_MAX)));
        }
    }

    /// What was collected, in one line and without characters that only control a terminal.
    fn flush(&mut self) {
        let words: String = std::mem::take(&mut self.words)
            .split(|c: char| c.is_whitespace() || c.is_control())
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(" ");
        let mut rest = &*words;
        while !rest.is_empty() {
            let piece;
            (piece, rest) = cut(rest);
            // A full stop that is left between two pauses is nothing to be said.
            if piece.chars().any(char::is_alphanumeric) {
                self.add(Utterance::Words(piece.trim().into()));
            }
        }
    }
}

/// Cuts off as much as one utterance takes: to the end of a sentence, or of a phrase or a word,
/// or anywhere.
fn cut(words: &str) -> (&str, &str) {
    let Some((end, _)) = words.char_indices().nth(UTTERANCE_CHARS_MAX) else {
        return (words, "");
    };
    let piece = &words[..end];
    let after = |marks: &[char]| {
        let at = piece.rfind(marks)?;
        Some(at + piece[at..].chars().next().map_or(0, char::len_utf8))
    };
    let at = after(&['。', '！', '？', '!', '?', ';', '；'])
        .or_else(|| piece.rfind(". ").map(|at| at + 1))
        .or_else(|| after(&['，', ',', '、', '：', ':']))
        .or_else(|| after(&[' ']))
        .unwrap_or(end);
    words.split_at(at)
}

/// The languages whose words are known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tongue {
    Chinese(chinese::Kind),
    English { american: bool },
    Other,
}

impl Tongue {
    fn of(language: &str) -> Self {
        let tag = language.to_ascii_lowercase();
        let mut parts = tag.split(['-', '_']);
        match parts.next().unwrap_or_default() {
            "zh" | "cmn" | "yue" | "wuu" | "nan" | "hak" => Self::Chinese(chinese::Kind::of(&tag)),
            "en" => Self::English {
                american: parts.any(|part| part == "us"),
            },
            _ => Self::Other,
        }
    }

    fn spoken(self, value: &Speech, next: &str) -> String {
        match self {
            Self::Chinese(kind) => kind.spoken(value, next),
            Self::English { american } => english::spoken(value, american),
            Self::Other => other::spoken(value),
        }
    }
}

/// A number that is written as digits: its sign, its digits before the point and those after it.
#[derive(Debug, Clone, Copy)]
struct Figure<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
}

impl<'a> Figure<'a> {
    /// None for anything else, such as `1e30`.
    fn of(text: &'a str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let whole = whole.trim_start_matches('0');
        let figure = Self {
            negative,
            whole: if whole.is_empty() { "0" } else { whole },
            fraction: fraction.trim_end_matches('0'),
        };
        let is_zero = figure.whole == "0" && figure.fraction.is_empty();
        Some(Self {
            negative: negative && !is_zero,
            ..figure
        })
    }

    /// The smaller coins of an amount: those of one place, and those of two.
    fn coins(self) -> [u8; 2] {
        let mut digits = self.fraction.bytes().map(|byte| byte - b'0');
        [digits.next().unwrap_or(0), digits.next().unwrap_or(0)]
    }
}

/// Characters that are said one by one, in groups that are heard as such: the writer's own, or
/// ours when there are only digits. Marks between them only set groups apart.
fn groups(text: &str) -> Vec<Vec<char>> {
    let mut groups = vec![Vec::new()];
    for character in text.chars() {
        if character.is_alphanumeric() || matches!(character, '+' | '#' | '*' | '.') {
            if let Some(group) = groups.last_mut() {
                group.push(character);
            }
        } else if groups.last().is_some_and(|group| !group.is_empty()) {
            groups.push(Vec::new());
        }
    }
    groups.retain(|group| !group.is_empty());
    match &*groups {
        [digits] if digits.iter().all(char::is_ascii_digit) => heard_apart(digits),
        _ => groups,
    }
}

/// Long rows of digits are heard in groups: those of mobile numbers as people say them, 3-4-4,
/// others by four, with no digit alone at the end.
fn heard_apart(digits: &[char]) -> Vec<Vec<char>> {
    let mut groups = Vec::new();
    let mut rest = digits;
    if digits.len() == 11 && digits.first() == Some(&'1') {
        let first;
        (first, rest) = rest.split_at(3);
        groups.push(first.to_vec());
    }
    while rest.len() > 6 || (rest.len() == 6 && !groups.is_empty()) {
        let group;
        (group, rest) = rest.split_at(4);
        groups.push(group.to_vec());
    }
    groups.push(rest.to_vec());
    groups
}

#[cfg(test)]
mod tests;
