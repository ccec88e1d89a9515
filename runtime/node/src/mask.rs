//! Callers' numbers as logs and lists show them.

/// How many characters at the end of a number are shown.
const SHOWN_AT_END: usize = 4;

/// A number with its middle hidden: `+861380***8000`. Too short to hide a middle, it is
/// hidden whole.
pub fn mask(number: &str) -> String {
    let characters: Vec<char> = number.chars().collect();
    let Some(shown) = characters
        .len()
        .checked_sub(SHOWN_AT_END + 3)
        .filter(|shown| *shown > 0)
    else {
        return "***".to_owned();
    };
    let shown = shown.min(7);
    let start: String = characters[..shown].iter().collect();
    let end: String = characters[characters.len() - SHOWN_AT_END..].iter().collect();
    format!("{start}***{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_a_number_is_hidden() {
        for (number, masked) in [
            ("+8613800138000", "+861380***8000"),
            ("12345678", "1***5678"),
            ("1234567", "***"),
            ("", "***"),
        ] {
            assert_eq!(mask(number), masked, "{number}");
        }
    }
}
