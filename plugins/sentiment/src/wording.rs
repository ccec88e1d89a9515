//! What the wording of a text as a whole tells, beside the words that the lexicon knows: naive
//! Bayes, counted by the build in the sentences of `development.tsv`.

pub(crate) mod grams;

include!(concat!(env!("OUT_DIR"), "/wording.rs"));

/// Characters that are weighed: what comes after adds little.
const CHARS_MAX: usize = 600;

/// From logarithms to strengths, as the lexicon counts them.
const STRENGTH: f64 = 3.5;

/// What anger gets beforehand: where it is as likely as anything else, it is the threshold's.
const ANGER_BEFOREHAND: f64 = 2.08;

/// Characters and words of the shortest text that is weighed.
const PLACES_MIN: usize = 8;

/// Of few known pieces little is believed: nothing up to the first number, half of it where the
/// second is added.
const KNOWN_MIN: f64 = 2.0;
const HALF_BELIEVED: f64 = 6.0;

/// What share of a text's pieces must be known. Where fewer are, it is unlike the sentences that were
/// counted, and they tell nothing of it: nothing is believed up to the first number, all from the
/// second on.
const SHARE_MIN: f64 = 0.3;
const SHARE_BELIEVED: f64 = 0.4;

/// The most that wording gives or takes.
const MOST: f64 = 3.5;

/// What wording adds to the strengths of a text, or takes away.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Wording {
    /// To worry and anger together.
    pub trouble: f64,
    /// To anger.
    pub anger: f64,
}

/// Weighs a text in lower case and half-width.
pub(crate) fn weigh(text: &[char]) -> Wording {
    let mut seen = [0_u64; PIECES.len().div_ceil(64)];
    let mut known = 0_u32;
    let mut told = [0_i32; 3];
    // As often as they stand there.
    let (mut pieces, mut pieces_known) = (0_u32, 0_u32);
    let places = grams::grams(&text[..text.len().min(CHARS_MAX)], |gram| {
        pieces += 1;
        let Ok(index) = PIECES.binary_search_by_key(&gram, |(piece, _)| *piece) else {
            return;
        };
        pieces_known += 1;
        let bit = 1 << (index % 64);
        if seen[index / 64] & bit == 0 {
            seen[index / 64] |= bit;
            known += 1;
            for (told, tells) in told.iter_mut().zip(PIECES[index].1) {
                *told += i32::from(tells);
            }
        }
    });
    if places < PLACES_MIN || known == 0 {
        return Wording {
            trouble: 0.0,
            anger: 0.0,
        };
    }
    // Pieces overlap, and say the same more than once: their sum grows too fast with a text.
    let known = f64::from(known);
    let [calm, anxious, angry] = told.map(|told| f64::from(told) / 1_000.0 / known.sqrt());
    let share = f64::from(pieces_known) / f64::from(pieces);
    let like = ((share - SHARE_MIN) / (SHARE_BELIEVED - SHARE_MIN)).clamp(0.0, 1.0);
    let believed = like * ((known - KNOWN_MIN) / (known - KNOWN_MIN + HALF_BELIEVED)).max(0.0);
    let bounded = |strength: f64| (believed * strength).clamp(-MOST, MOST);
    Wording {
        trouble: bounded(STRENGTH * (anxious.max(angry) - calm)),
        anger: bounded(STRENGTH * (angry - anxious.max(calm)) + ANGER_BEFOREHAND),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::Reading;

    fn of(text: &str) -> Wording {
        weigh(&Reading::of(text).lower)
    }

    fn pieces(text: &str) -> usize {
        let mut count = 0;
        grams::grams(&Reading::of(text).lower, |_| count += 1);
        count
    }

    #[test]
    fn pieces_of_both_languages() {
        assert_eq!(pieces("没人管"), 3 + 2 + 1);
        assert_eq!(pieces("没人，管"), 2 + 1 + 1);
        assert_eq!(pieces("Do your job"), 3 + 2);
        assert_eq!(pieces("12 345"), 0);
        assert_eq!(pieces(""), 0);
    }

    #[test]
    fn nothing_known_tells_nothing() {
        for text in ["", "12345", "ζζζ"] {
            assert_eq!(of(text).trouble, 0.0, "{text}");
            assert_eq!(of(text).anger, 0.0, "{text}");
        }
    }

    #[test]
    fn what_is_unlike_the_sentences_counted_tells_nothing() {
        let known = "你们就是糊弄老百姓，凭什么！";
        assert!(of(known).anger > 0.0);
        let other = format!("{known}{}", "鹬蚌鼹鼠蜻蜓蟋蟀".repeat(10));
        assert_eq!(of(&other).trouble, 0.0);
        assert_eq!(of(&other).anger, 0.0);
    }

    #[test]
    fn wording_pulls_both_ways_and_within_bounds() {
        assert!(of("请问这个证在哪个窗口办，要带什么材料？").trouble < 0.0);
        assert!(of("孩子到现在还联系不上，我真的不知道怎么办").trouble > 0.0);
        assert!(of("你们就是糊弄老百姓，凭什么！").anger > of("请问去哪里办").anger);
        assert!(of(&"你们凭什么！".repeat(1_000)).anger <= MOST);
    }
}
