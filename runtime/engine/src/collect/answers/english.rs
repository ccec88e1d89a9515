//! English number words, and ordinals as days are called.

const ONES: [&str; 10] = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
];
const TEENS: [&str; 10] = [
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 8] = [
    "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
];
const ORDINALS: [(&str, u64); 20] = [
    ("first", 1),
    ("second", 2),
    ("third", 3),
    ("fourth", 4),
    ("fifth", 5),
    ("sixth", 6),
    ("seventh", 7),
    ("eighth", 8),
    ("ninth", 9),
    ("tenth", 10),
    ("eleventh", 11),
    ("twelfth", 12),
    ("thirteenth", 13),
    ("fourteenth", 14),
    ("fifteenth", 15),
    ("sixteenth", 16),
    ("seventeenth", 17),
    ("eighteenth", 18),
    ("nineteenth", 19),
    ("twentieth", 20),
];

/// The large units, the largest first.
const UNITS: [(&str, u64); 3] = [
    ("billion", 1_000_000_000),
    ("million", 1_000_000),
    ("thousand", 1_000),
];

/// Words of the longest number.
const WORDS_MAX: usize = 24;

fn place_in(words: &[&str], word: &str) -> Option<u64> {
    words.iter().position(|known| *known == word).map(|at| at as u64)
}

/// The digit that a word is when digits are read one by one.
pub(super) fn digit(word: &str) -> Option<u64> {
    match word {
        "oh" | "o" | "nought" | "naught" => Some(0),
        _ => place_in(&ONES, word),
    }
}

/// A whole number below 10^12: `three hundred and twenty-five`, `a hundred`, `fifteen hundred`.
/// Figures count as words: `12 thousand`.
pub(super) fn cardinal(words: &[&str]) -> Option<u64> {
    if words.len() > WORDS_MAX {
        return None;
    }
    match words {
        ["zero"] => return Some(0),
        ["a", "dozen"] => return Some(12),
        [figures] if figures.starts_with(|c: char| c.is_ascii_digit()) => return whole_figures(figures),
        _ => {}
    }
    // Callers put their commas between the parts; words lose them before they come here.
    let mut rest = words;
    let mut total = 0;
    let mut above = 1_000;
    for (name, unit) in UNITS {
        if let Some(at) = rest.iter().position(|word| *word == name) {
            total += group(&rest[..at], total > 0, 1_000)? * unit;
            rest = &rest[at + 1..];
            above = unit;
        }
    }
    if rest.is_empty() {
        return (total > 0).then_some(total);
    }
    if total == 0 {
        // Hundreds may be counted past ten only where no thousands are: `fifteen hundred`.
        return group(rest, false, 10_000);
    }
    match rest {
        ["and", last @ ..] => group(last, false, 100).map(|last| total + last),
        _ => group(rest, true, above.min(1_000)).map(|last| total + last),
    }
}

/// A number from 1 up to below `limit`, without a large unit.
fn group(words: &[&str], goes_on: bool, limit: u64) -> Option<u64> {
    let words = match words {
        // `one million and two hundred thousand`: said, if not written.
        ["and", rest @ ..] if goes_on => rest,
        _ => words,
    };
    if let [figures] = words
        && figures.starts_with(|c: char| c.is_ascii_digit())
    {
        return whole_figures(figures).filter(|value| (1..limit).contains(value));
    }
    let value = match words.iter().position(|word| *word == "hundred") {
        Some(at) => {
            let hundreds = match &words[..at] {
                ["a" | "an"] => 1,
                [] => return None,
                count => below_hundred(count)?,
            };
            let round = limit > 1_000 && hundreds.is_multiple_of(10);
            let low = match &words[at + 1..] {
                [] => 0,
                ["and"] => return None,
                ["and", low @ ..] | low => below_hundred(low)?,
            };
            // Nobody says `twenty hundred`.
            if round {
                return None;
            }
            hundreds * 100 + low
        }
        None => match words {
            // Before a large unit: `a thousand`.
            ["a" | "an"] if limit <= 1_000 => 1,
            _ => below_hundred(words)?,
        },
    };
    (1..limit).contains(&value).then_some(value)
}

/// A number from 1 to 99 in words.
pub(super) fn below_hundred(words: &[&str]) -> Option<u64> {
    let one = |word: &str| place_in(&ONES, word).filter(|one| *one > 0);
    let ten = |word: &str| place_in(&TENS, word).map(|at| (at + 2) * 10);
    match words {
        [word] => one(word)
            .or_else(|| place_in(&TEENS, word).map(|at| at + 10))
            .or_else(|| ten(word))
            .or_else(|| two_figures(word)),
        [first, second] => Some(ten(first)? + one(second)?),
        _ => None,
    }
}

fn two_figures(word: &str) -> Option<u64> {
    let fits = (1..=2).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| word.parse().ok())
        .flatten()
        .filter(|value| *value > 0)
}

fn whole_figures(word: &str) -> Option<u64> {
    const DIGITS_MAX: usize = 12;
    let digits = word.replace(',', "");
    let fits = digits.len() <= DIGITS_MAX && digits.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| digits.parse().ok()).flatten()
}

/// The number of a day in a month, said as an ordinal or a number: `third`, `3rd`, `twenty first`, `3`.
pub(super) fn day_number(words: &[&str]) -> Option<u64> {
    let ordinal = |word: &str| {
        ORDINALS
            .iter()
            .find(|(name, _)| *name == word)
            .map(|(_, value)| *value)
    };
    let figures = |word: &str| {
        ["st", "nd", "rd", "th"]
            .iter()
            .find_map(|ending| word.strip_suffix(ending))
            .and_then(two_figures)
    };
    match words {
        [word] => ordinal(word)
            .or_else(|| figures(word))
            .or_else(|| (*word == "thirtieth").then_some(30))
            .or_else(|| below_hundred(words)),
        [first @ ("twenty" | "thirty"), second] => ordinal(second)
            .filter(|one| *one < 10)
            .map(|one| if *first == "twenty" { 20 + one } else { 30 + one })
            .or_else(|| below_hundred(words)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        text.split([' ', '-']).filter(|word| !word.is_empty()).collect()
    }

    #[test]
    fn number_words_are_read() {
        for (text, value) in [
            ("zero", 0),
            ("seven", 7),
            ("forty-two", 42),
            ("a hundred", 100),
            ("a hundred and one", 101),
            ("three hundred and twenty-five", 325),
            ("three hundred twenty five", 325),
            ("fifteen hundred", 1_500),
            ("twelve hundred and six", 1_206),
            ("two thousand and five", 2_005),
            ("a thousand", 1_000),
            ("ten thousand two hundred", 10_200),
            ("one hundred and five thousand", 105_000),
            ("one million two hundred thousand", 1_200_000),
            (
                "seventy-two million four hundred and five thousand three hundred and one",
                72_405_301,
            ),
            ("12 thousand", 12_000),
            ("3 hundred", 300),
            ("1,200", 1_200),
            ("a dozen", 12),
        ] {
            assert_eq!(cardinal(&words(text)), Some(value), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_not_made_one() {
        for text in [
            "",
            "hundred",
            "thousand",
            "a",
            "and",
            "one two three",
            "thirty twelve",
            "twenty and five",
            "two hundred and",
            "ten hundred",
            "five thousand fifteen hundred",
            "one thousand one million",
            "zero hundred",
            "twelve fifty",
            "two thousand and two hundred",
            "and five",
        ] {
            assert_eq!(cardinal(&words(text)), None, "{text}");
        }
    }

    #[test]
    fn days_are_called_by_ordinals() {
        for (text, day) in [
            ("third", Some(3)),
            ("3rd", Some(3)),
            ("twenty first", Some(21)),
            ("thirtieth", Some(30)),
            ("thirty first", Some(31)),
            ("21", Some(21)),
            ("twenty tenth", None),
            ("rd", None),
        ] {
            assert_eq!(day_number(&words(text)), day, "{text}");
        }
    }
}
