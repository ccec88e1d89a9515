//! Resident identity numbers of the mainland, by GB 11643-1999: six digits of a place, eight
//! of a day of birth, three in order, and a check character by ISO 7064 MOD 11-2.

use jiff::civil::Date;

use super::{Today, digits, said::Said};

/// Characters of an identity number.
pub(in crate::collect) const KEYS: usize = 18;

/// The weights of the first 17 digits.
const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

/// The check character for each remainder.
const CHECKS: [char; 11] = ['1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'];

/// How X is said.
const X: [&str; 5] = ["x", "ex", "叉", "艾克斯", "爱克斯"];

/// The number, its `X` in upper case; none when its check character or its day of birth is wrong.
pub(super) fn understand(said: &Said, today: Today) -> Option<String> {
    let text = said.words().join(" ");
    let (digits, ends_in_x) = match X.iter().find_map(|x| text.strip_suffix(x)) {
        Some(digits) => (digits, true),
        None => (text.as_str(), false),
    };
    let mut number = digits::row(digits)?;
    if ends_in_x {
        number.push('X');
    }
    is_valid(&number, today).then_some(number)
}

fn is_valid(number: &str, today: Today) -> bool {
    // No place's code begins with 0.
    if number.len() != KEYS || number.starts_with('0') {
        return false;
    }
    let sum: u32 = number
        .chars()
        .zip(WEIGHTS)
        .filter_map(|(c, weight)| Some(c.to_digit(10)? * weight))
        .sum();
    let part = |range: std::ops::Range<usize>| number.get(range).and_then(|part| part.parse::<i16>().ok());
    let born = (|| {
        let month = i8::try_from(part(10..12)?).ok()?;
        let day = i8::try_from(part(12..14)?).ok()?;
        Date::new(part(6..10)?, month, day).ok()
    })();
    number.ends_with(CHECKS[(sum % 11) as usize])
        && born.is_some_and(|born| born.year() >= 1_800 && born <= today.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_numbers_are_checked() {
        let today = Today::of(jiff::civil::date(2026, 11, 21));
        for (text, number) in [
            // The standard's own examples.
            ("11010519491231002X", Some("11010519491231002X")),
            ("440524188001010014", Some("440524188001010014")),
            ("11010519491231002x", Some("11010519491231002X")),
            ("110105 19491231 002X", Some("11010519491231002X")),
            ("幺幺零幺零五幺九四九幺二三幺零零二叉", Some("11010519491231002X")),
            ("110105194912310021", None),
            ("11010519491331002X", None),
            ("11010520991231002X", None),
            ("1101051949123100", None),
            ("X", None),
        ] {
            assert_eq!(understand(&Said::new(text), today).as_deref(), number, "{text}");
        }
    }

    #[test]
    fn one_wrong_digit_is_always_found() {
        let today = Today::of(jiff::civil::date(2026, 11, 21));
        let number = "440524188001010014";
        for at in 0..KEYS {
            for digit in '0'..='9' {
                let wrong: String = number
                    .chars()
                    .enumerate()
                    .map(|(index, c)| if index == at { digit } else { c })
                    .collect();
                assert_eq!(is_valid(&wrong, today), wrong == number, "{wrong}");
            }
        }
    }
}
