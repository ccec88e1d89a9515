//! How Chinese and code stand side by side in a line.

/// Puts one space between Chinese characters and code, words or figures, and none between
/// Chinese characters or beside full-width punctuation. What stands in backticks stays.
pub(super) fn tidy(text: &str) -> String {
    let mut tidy = String::with_capacity(text.len());
    let mut before = None;
    let mut blank = false;
    let mut code = false;
    for c in text.chars() {
        if code {
            tidy.push(c);
            code = c != '`';
            continue;
        }
        if c == ' ' {
            blank = true;
            continue;
        }
        if let Some(before) = before {
            let space = match (kind(before), kind(c)) {
                (Kind::Mark, _) | (_, Kind::Mark) | (Kind::Chinese, Kind::Chinese) => false,
                (Kind::Chinese, Kind::Word) | (Kind::Word, Kind::Chinese) => true,
                _ => blank,
            };
            if space {
                tidy.push(' ');
            }
        }
        tidy.push(c);
        blank = false;
        before = Some(c);
        code = c == '`';
    }
    tidy
}

#[derive(Clone, Copy)]
enum Kind {
    /// A Chinese character.
    Chinese,
    /// Punctuation as wide as a character.
    Mark,
    /// A letter or a figure of other scripts, or the edge of code.
    Word,
    /// All else.
    Other,
}

const fn kind(c: char) -> Kind {
    match c {
        '，' | '。' | '：' | '；' | '、' | '？' | '！' | '（' | '）' | '《' | '》' | '“' | '”' | '〔'
        | '〕' => Kind::Mark,
        '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}' => Kind::Chinese,
        '`' | '0'..='9' | 'A'..='Z' | 'a'..='z' => Kind::Word,
        _ => Kind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_and_code_are_parted_by_one_space() {
        for (text, tidied) in [
            ("写`a`或`b`", "写 `a` 或 `b`"),
            ("号码 没有字段`x y`。", "号码没有字段 `x y`。"),
            ("最多 3 个， 不是4个", "最多 3 个，不是 4 个"),
            ("按 `1` 、 `2`", "按 `1`、`2`"),
            ("写成 \"#\"", "写成 \"#\""),
            ("English only, as it is", "English only, as it is"),
        ] {
            assert_eq!(tidy(text), tidied);
            assert_eq!(tidy(tidied), tidied);
        }
    }
}
