//! Digits read one by one: `1234`, `幺二三四`, `one two double three`, `三个八`.

use trunkline_flow::step::{Digits, Key};

use super::{chinese, english, said::Said};

/// Digits of the longest row that is read out.
const DIGITS_MAX: usize = 64;

/// Digits as the flow wants them.
pub(super) fn understand(wanted: &Digits, said: &Said) -> Option<String> {
    let digits = match wanted.finish.map(Key::as_char) {
        // Who types the finish key means it.
        Some(finish) => {
            let words = said.words().join(" ");
            row(words.strip_suffix(finish).unwrap_or(&words))
        }
        None => row(&said.words().join(" ")),
    }?;
    let fits = wanted.length.contains(&digits.len())
        && wanted
            .pattern
            .as_deref()
            .is_none_or(|start| digits.starts_with(start));
    fits.then_some(digits)
}

/// The digits of a text in which there is nothing else but spaces, hyphens and points
/// between them.
pub(super) fn row(text: &str) -> Option<String> {
    let mut digits = String::new();
    let mut times = 1;
    let words = text.split(|c: char| c.is_whitespace() || "-.,、，·".contains(c));
    for word in words.filter(|word| !word.is_empty()) {
        match word {
            "double" if times == 1 => times = 2,
            "triple" | "treble" if times == 1 => times = 3,
            _ if word.starts_with(|c: char| c.is_ascii_alphabetic()) => {
                push(&mut digits, english::digit(word)?, times)?;
                times = 1;
            }
            // After `double` comes one digit.
            _ if times > 1 => {
                push(&mut digits, single(word)?, times)?;
                times = 1;
            }
            _ => characters(&mut digits, word)?,
        }
    }
    (times == 1 && !digits.is_empty()).then_some(digits)
}

fn single(word: &str) -> Option<u64> {
    let mut characters = word.chars();
    let digit = characters.next().and_then(figure)?;
    characters.next().is_none().then_some(digit)
}

fn figure(c: char) -> Option<u64> {
    c.to_digit(10).map(u64::from).or_else(|| chinese::digit(c))
}

/// Figures and Chinese digits without spaces between them.
fn characters(digits: &mut String, word: &str) -> Option<()> {
    let mut characters = word.chars().peekable();
    while let Some(c) = characters.next() {
        let digit = figure(c)?;
        // `三个八` are three eights.
        if characters.next_if_eq(&'个').is_some() {
            let repeated = characters.next().and_then(figure)?;
            if digit < 2 {
                return None;
            }
            push(digits, repeated, digit)?;
        } else {
            push(digits, digit, 1)?;
        }
    }
    Some(())
}

fn push(digits: &mut String, digit: u64, times: u64) -> Option<()> {
    for _ in 0..times {
        digits.push(char::from_digit(u32::try_from(digit).ok()?, 10)?);
    }
    (digits.len() <= DIGITS_MAX).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_read_one_by_one() {
        for (text, digits) in [
            ("12 34", Some("1234")),
            ("12-34", Some("1234")),
            ("幺二三零", Some("1230")),
            ("一 二 三", Some("123")),
            ("一二3四", Some("1234")),
            ("三个八", Some("888")),
            ("one two three", Some("123")),
            ("double five oh one", Some("5501")),
            ("triple 7 1", Some("7771")),
            ("zero", Some("0")),
            ("double", None),
            ("double double five", None),
            ("double 55", None),
            ("十二", None),
            ("twelve", None),
            ("12a4", None),
            ("三个", None),
            ("", None),
        ] {
            assert_eq!(row(text).as_deref(), digits, "{text}");
        }
        assert_eq!(row(&"9".repeat(65)), None);
    }
}
