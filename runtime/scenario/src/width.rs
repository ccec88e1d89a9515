//! How many columns of a terminal a text takes: Chinese, Japanese and Korean characters and
//! most emoji take two (Unicode Standard Annex 11, classes W and F, by their blocks).

/// The columns of a character.
pub const fn of_char(c: char) -> usize {
    match c as u32 {
        // Controls, combining marks, joiners and variation selectors.
        0..=0x1f | 0x7f..=0x9f | 0x300..=0x36f | 0x200b..=0x200f | 0xfe00..=0xfe0f | 0xfeff => 0,
        0x1100..=0x115f
        | 0x2e80..=0x303e
        | 0x3041..=0x33ff
        | 0x3400..=0x4dbf
        | 0x4e00..=0x9fff
        | 0xa000..=0xa4cf
        | 0xa960..=0xa97f
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1_f300..=0x1_f64f
        | 0x1_f680..=0x1_f6ff
        | 0x1_f900..=0x1_faff
        | 0x2_0000..=0x3_fffd => 2,
        _ => 1,
    }
}

/// The columns of a text.
pub fn of(text: &str) -> usize {
    text.chars().map(of_char).sum()
}

/// A text that takes exactly some columns: cut off with `…`, or filled up with blanks.
pub fn fitted(text: &str, columns: usize) -> String {
    let mut out = String::new();
    let mut taken = 0;
    if of(text) <= columns {
        out.push_str(text);
        taken = of(text);
    } else {
        for c in text.chars() {
            if taken + of_char(c) + 1 > columns {
                break;
            }
            out.push(c);
            taken += of_char(c);
        }
        if columns > 0 {
            out.push('…');
            taken += 1;
        }
    }
    out.extend(std::iter::repeat_n(' ', columns.saturating_sub(taken)));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_those_of_a_terminal() {
        assert_eq!(of("hears: 欢迎"), 11);
        assert_eq!(of("「好」，"), 8);
        assert_eq!(fitted("欢迎致电", 8), "欢迎致电");
        assert_eq!(fitted("欢迎致电", 7), "欢迎致…");
        assert_eq!(fitted("欢迎致电", 6), "欢迎… ");
        assert_eq!(fitted("ok", 4), "ok  ");
        for columns in 0..10 {
            assert_eq!(of(&fitted("a欢b迎c", columns)), columns);
        }
    }
}
