//! How wide a text is: in columns of a terminal, and in pixels of a picture.
//!
//! Chinese characters take two columns and a full em; Latin letters take about half of that.
//! Widths in pixels are estimates for the sans-serif faces that systems come with, on the wide
//! side, so that a box drawn around a text holds it.

/// Ranges of characters that take two columns (East Asian wide and full-width, Unicode 16
/// Annex 11, and emoji), first and last.
const WIDE: [(u32, u32); 14] = [
    (0x1100, 0x115F),
    (0x231A, 0x231B),
    (0x23E9, 0x23F3),
    (0x2E80, 0x303E),
    (0x3041, 0x33FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xA000, 0xA4CF),
    (0xAC00, 0xD7A3),
    (0xF900, 0xFAFF),
    (0xFE30, 0xFE6F),
    (0xFF00, 0xFF60),
    (0x1F300, 0x1FAFF),
    (0x20000, 0x3FFFD),
];

/// Columns that a character takes in a terminal.
pub fn columns_of(character: char) -> usize {
    let code = u32::from(character);
    let wide = WIDE
        .binary_search_by(|(first, last)| {
            if *last < code {
                std::cmp::Ordering::Less
            } else if *first > code {
                std::cmp::Ordering::Greater
            } else {
                std::cmp::Ordering::Equal
            }
        })
        .is_ok();
    match character {
        _ if wide => 2,
        // Marks that stand over the character before, and what joins or shows nothing.
        '\u{300}'..='\u{36F}' | '\u{200B}'..='\u{200F}' | '\u{FE00}'..='\u{FE0F}' => 0,
        _ if character.is_control() => 0,
        _ => 1,
    }
}

/// Columns that a text takes in a terminal.
pub fn columns(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

/// A text on one line and in so many columns at most: cut, with `…` at its end, when it is wider.
pub fn cut(text: &str, columns_max: usize) -> String {
    let mut line = String::with_capacity(text.len());
    let mut space = false;
    for character in text.trim().chars() {
        if character.is_whitespace() || character.is_control() {
            space = true;
            continue;
        }
        if std::mem::take(&mut space) {
            line.push(' ');
        }
        line.push(character);
    }
    if columns(&line) <= columns_max {
        return line;
    }
    let mut taken = 0;
    let kept: String = line
        .chars()
        .take_while(|character| {
            taken += columns_of(*character);
            taken < columns_max
        })
        .collect();
    format!("{}…", kept.trim_end())
}

/// A text filled up with spaces to so many columns; as it is when it is wider.
pub fn pad(text: &str, columns_min: usize) -> String {
    let mut padded = text.to_owned();
    padded.extend(std::iter::repeat_n(
        ' ',
        columns_min.saturating_sub(columns(text)),
    ));
    padded
}

/// Pixels that a text takes at a size of type, in a proportional sans-serif face.
pub fn pixels(text: &str, size: f64) -> f64 {
    let em: f64 = text
        .chars()
        .map(|character| match character {
            _ if columns_of(character) == 2 => 1.0,
            _ if columns_of(character) == 0 => 0.0,
            'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | ' ' | '(' | ')' | '[' | ']' => 0.34,
            'f' | 't' | 'r' | '-' | '/' => 0.42,
            'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' | '→' | '↑' => 0.95,
            _ if character.is_uppercase() => 0.7,
            _ => 0.6,
        })
        .sum();
    em * size
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_takes_two_columns() {
        assert_eq!(columns("按1，转人工"), 11);
        assert_eq!(columns("press 1"), 7);
        assert_eq!(columns("e\u{301}"), 1);
        assert!(WIDE.windows(2).all(|pair| pair[0].1 < pair[1].0));
    }

    #[test]
    fn texts_are_cut_to_columns() {
        assert_eq!(cut("您好，欢迎", 10), "您好，欢迎");
        assert_eq!(cut("您好，欢迎致电", 10), "您好，欢…");
        assert_eq!(cut("  two\n  words ", 20), "two words");
        assert_eq!(cut("hello there", 6), "hello…");
        for width in 1..12 {
            assert!(columns(&cut("您a好b欢c迎", width)) <= width, "{width}");
        }
        assert_eq!(pad("您", 4), "您  ");
    }

    #[test]
    fn pixels_grow_with_the_size() {
        assert!((pixels("您好", 12.0) - 24.0).abs() < f64::EPSILON);
        assert!(pixels("mmm", 12.0) > pixels("iii", 12.0));
    }
}
