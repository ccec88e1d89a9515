//! How near two texts are: the cosine of what they have in common, rare things counting more.

use std::collections::BTreeMap;

/// Characters of a text that are looked at.
const TEXT_CHARS_MAX: usize = 500;

/// How much a single Chinese character counts beside a pair.
const SINGLE: f64 = 0.4;

/// How much a piece counts that no known question has; the rarest of known ones count about 4.
const UNKNOWN: f64 = 1.2;

/// Words that nearly every question has.
const STOP: [&str; 24] = [
    "a", "an", "the", "is", "it", "i", "my", "me", "to", "do", "does", "can", "of", "for", "how", "what",
    "please", "and", "you", "on", "in", "be", "will", "am",
];

/// Characters that nearly every question has.
const STOP_CHARACTERS: &str = "的了吗呢吧啊我你您请问是想要怎么如何一下";

/// What a text is made of, and how much each piece counts by itself.
pub(crate) fn pieces(text: &str) -> BTreeMap<String, f64> {
    let lower: Vec<char> = text.to_lowercase().chars().take(TEXT_CHARS_MAX).collect();
    let mut pieces: BTreeMap<String, f64> = BTreeMap::new();
    let mut at = 0;
    while at < lower.len() {
        let character = lower[at];
        if is_chinese(character) {
            if !STOP_CHARACTERS.contains(character) {
                *pieces.entry(character.to_string()).or_default() += SINGLE;
            }
            if let Some(next) = lower.get(at + 1).filter(|next| is_chinese(**next)) {
                let stops = [character, *next]
                    .iter()
                    .filter(|one| STOP_CHARACTERS.contains(**one))
                    .count();
                if stops < 2 {
                    *pieces.entry([character, *next].iter().collect()).or_default() += 1.0;
                }
            }
            at += 1;
        } else if character.is_alphanumeric() {
            let length = lower[at..]
                .iter()
                .take_while(|c| (c.is_alphanumeric() || **c == '\'') && !is_chinese(**c))
                .count();
            let word: String = lower[at..at + length].iter().collect();
            let word = stem(&word);
            if !STOP.contains(&word) {
                *pieces.entry(word.to_owned()).or_default() += 1.0;
            }
            at += length;
        } else {
            at += 1;
        }
    }
    pieces
}

/// A word without the endings that change nothing about what is asked.
fn stem(word: &str) -> &str {
    for ending in ["'s", "ing", "ed", "s"] {
        if let Some(stem) = word.strip_suffix(ending)
            && stem.len() >= 4
        {
            return stem;
        }
    }
    word
}

/// Whether a character is a Chinese one.
pub(crate) fn is_chinese(character: char) -> bool {
    matches!(character, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}')
}

/// What pieces are worth: those that few texts have tell more.
pub(crate) struct Worth {
    texts: f64,
    with: BTreeMap<String, f64>,
}

impl Worth {
    /// Learns from all texts that are known.
    pub(crate) fn of<'a>(texts: impl IntoIterator<Item = &'a BTreeMap<String, f64>>) -> Self {
        let mut worth = Self {
            texts: 0.0,
            with: BTreeMap::new(),
        };
        for text in texts {
            worth.texts += 1.0;
            for piece in text.keys() {
                *worth.with.entry(piece.clone()).or_default() += 1.0;
            }
        }
        worth
    }

    fn piece(&self, piece: &str) -> f64 {
        // What no known question has says little: people wrap their questions in many words.
        self.with
            .get(piece)
            .map_or(UNKNOWN, |with| (1.0 + self.texts / with).ln())
    }

    /// How near two texts are, from 0 to 1.
    pub(crate) fn nearness(&self, a: &BTreeMap<String, f64>, b: &BTreeMap<String, f64>) -> f64 {
        let length = |text: &BTreeMap<String, f64>| {
            let squares = text
                .iter()
                .map(|(piece, count)| (count * self.piece(piece)).powi(2));
            squares.sum::<f64>().sqrt()
        };
        let common: f64 = a
            .iter()
            .filter_map(|(piece, count)| {
                let worth = self.piece(piece);
                Some(count * worth * b.get(piece)? * worth)
            })
            .sum();
        let lengths = length(a) * length(b);
        if lengths > 0.0 { common / lengths } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_same_is_near_and_what_has_nothing_in_common_is_not() {
        let texts = ["怎么退货", "几天到货", "return policy"].map(pieces);
        let worth = Worth::of(&texts);
        assert!((worth.nearness(&texts[0], &pieces("怎么退货")) - 1.0).abs() < 1e-9);
        assert!(
            worth.nearness(&texts[0], &pieces("退货怎么退"))
                > worth.nearness(&texts[1], &pieces("退货怎么退"))
        );
        assert!(worth.nearness(&texts[2], &pieces("几天到货")).abs() < f64::EPSILON);
        assert!(worth.nearness(&texts[2], &pieces("")).abs() < f64::EPSILON);
        assert_eq!(
            pieces("Where are my parcels?").keys().collect::<Vec<_>>(),
            ["are", "parcel", "where"]
        );
    }
}
