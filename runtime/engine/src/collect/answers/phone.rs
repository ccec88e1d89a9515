//! Phone numbers: digits in any way they are read out, with a country code if one was said.

use super::{digits, said::Said};

/// Digits of a phone number: the shortest service number, and E.164's longest.
const DIGITS: std::ops::RangeInclusive<usize> = 3..=15;

/// A number in E.164 where it was given with a country code (`+`, `00`, `plus`, `加`), else its digits.
pub(super) fn understand(said: &Said) -> Option<String> {
    let text = said.words().join(" ").replace(['(', ')'], " ");
    let text = text.trim();
    let (international, rest) = match ["+", "plus ", "加"]
        .iter()
        .find_map(|sign| text.strip_prefix(sign))
    {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let digits = digits::row(rest)?;
    let (international, digits) = match digits.strip_prefix("00") {
        Some(rest) if !international => (true, rest),
        _ => (international, digits.as_str()),
    };
    // A country code never begins with 0.
    let fits = DIGITS.contains(&digits.len()) && !(international && digits.starts_with('0'));
    fits.then(|| {
        if international {
            format!("+{digits}")
        } else {
            digits.to_owned()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phone_numbers_are_understood_however_they_are_grouped() {
        for (text, number) in [
            ("+86 138-0013-8000", Some("+8613800138000")),
            ("0086 13800138000", Some("+8613800138000")),
            ("（0571）8888 6666", Some("057188886666")),
            ("幺三八，零零幺三，八零零零", Some("13800138000")),
            ("加八六幺三八零零幺三八零零零", Some("+8613800138000")),
            (
                "plus four four two oh seven one two three four five six seven",
                Some("+4420712 34567"),
            ),
            ("幺幺零", Some("110")),
            ("call me", None),
            ("12", None),
            ("1234567890123456", None),
            ("+0123456", None),
        ] {
            let number = number.map(|number| number.replace(' ', ""));
            assert_eq!(understand(&Said::new(text)), number, "{text}");
        }
    }
}
