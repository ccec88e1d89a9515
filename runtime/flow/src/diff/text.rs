//! Texts compared word by word: Latin words as wholes, Chinese character by character.

use serde::Serialize;

use crate::width::columns_of;

/// Words of a text that are compared one by one; a longer one is shown as replaced.
const WORDS_MAX: usize = 600;

/// A stretch of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Piece {
    /// It stayed.
    Same(String),
    /// It went.
    Lost(String),
    /// It came.
    Gained(String),
}

/// What stayed, went and came between two texts.
pub(super) fn compare(old: &str, new: &str) -> Vec<Piece> {
    let (old_words, new_words) = (words(old), words(new));
    if old_words.len() > WORDS_MAX || new_words.len() > WORDS_MAX {
        return vec![Piece::Lost(old.to_owned()), Piece::Gained(new.to_owned())];
    }
    // Longest common subsequence, from the end.
    let width = new_words.len() + 1;
    let mut longest = vec![0_u16; (old_words.len() + 1) * width];
    for (i, one) in old_words.iter().enumerate().rev() {
        for (j, other) in new_words.iter().enumerate().rev() {
            longest[i * width + j] = if one == other {
                longest[(i + 1) * width + j + 1] + 1
            } else {
                longest[(i + 1) * width + j].max(longest[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut pieces = Pieces::default();
    while i < old_words.len() || j < new_words.len() {
        if i < old_words.len() && j < new_words.len() && old_words[i] == new_words[j] {
            pieces.same(old_words[i]);
            (i, j) = (i + 1, j + 1);
        } else if j == new_words.len()
            || i < old_words.len() && longest[(i + 1) * width + j] >= longest[i * width + j + 1]
        {
            pieces.lost.push_str(old_words[i]);
            i += 1;
        } else {
            pieces.gained.push_str(new_words[j]);
            j += 1;
        }
    }
    pieces.finish()
}

#[derive(Default)]
struct Pieces {
    done: Vec<Piece>,
    same: String,
    lost: String,
    gained: String,
}

impl Pieces {
    fn same(&mut self, word: &str) {
        self.close();
        self.same.push_str(word);
    }

    /// What went stands before what came in its place.
    fn close(&mut self) {
        if self.lost.is_empty() && self.gained.is_empty() {
            return;
        }
        for (text, piece) in [
            (&mut self.same, Piece::Same as fn(String) -> Piece),
            (&mut self.lost, Piece::Lost),
            (&mut self.gained, Piece::Gained),
        ] {
            if !text.is_empty() {
                self.done.push(piece(std::mem::take(text)));
            }
        }
    }

    fn finish(mut self) -> Vec<Piece> {
        self.close();
        if !self.same.is_empty() {
            self.done.push(Piece::Same(self.same));
        }
        smoothed(self.done)
    }
}

/// Takes a single character that stayed between two changes as changed: `转接[-人-]工[-坐席-]` reads worse
/// than `转接[-人工坐席-]`.
fn smoothed(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut smooth = Pieces::default();
    let count = pieces.len();
    for (index, piece) in pieces.into_iter().enumerate() {
        match piece {
            Piece::Lost(lost) => smooth.lost.push_str(&lost),
            Piece::Gained(gained) => smooth.gained.push_str(&gained),
            Piece::Same(same) => {
                let inside = index > 0 && index + 1 < count;
                if inside && same.chars().count() == 1 && same.chars().all(char::is_alphanumeric) {
                    smooth.lost.push_str(&same);
                    smooth.gained.push_str(&same);
                } else {
                    smooth.same(&same);
                }
            }
        }
    }
    smooth.close();
    if !smooth.same.is_empty() {
        smooth.done.push(Piece::Same(smooth.same));
    }
    smooth.done
}

/// A text's words, spaces and marks; together they are the text.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let part_of_word = |character: char| character.is_alphanumeric() && columns_of(character) < 2;
        let end = if part_of_word(first) {
            rest.find(|character| !part_of_word(character))
                .unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (word, after) = rest.split_at(end);
        words.push(word);
        rest = after;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_characters_are_told_apart() {
        use Piece::{Gained, Lost, Same};
        let same = |text: &str| Same(text.to_owned());
        let lost = |text: &str| Lost(text.to_owned());
        let gained = |text: &str| Gained(text.to_owned());
        assert_eq!(
            compare("Press 9 for staff.", "Press 0 for our staff."),
            [
                same("Press "),
                lost("9"),
                gained("0"),
                same(" for "),
                gained("our "),
                same("staff.")
            ]
        );
        assert_eq!(
            compare("请按1，转人工。", "请按9，转人工。"),
            [same("请按"), lost("1"), gained("9"), same("，转人工。")]
        );
        assert_eq!(
            compare("转接人工坐席。", "转接工作人员。"),
            [same("转接"), lost("人工坐席"), gained("工作人员"), same("。")]
        );
        assert_eq!(compare("", "新的"), [gained("新的")]);
        assert_eq!(compare("same", "same"), [same("same")]);
        let long = "词".repeat(WORDS_MAX + 1);
        assert_eq!(compare(&long, "x").len(), 2);
    }
}
