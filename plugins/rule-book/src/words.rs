//! A line in words: names, numbers, quoted texts and signs.

/// A word of a line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Word {
    /// A name, a keyword or a number.
    Plain(String),
    /// A text in quotes.
    Quoted(String),
    /// One of `= < <= > >= ( ) , :`.
    Sign(&'static str),
}

/// Longest first, so that `<=` is one.
const SIGNS: [&str; 9] = ["<=", ">=", "=", "<", ">", "(", ")", ",", ":"];

impl Word {
    /// Whether it is a keyword.
    pub(crate) fn is(&self, keyword: &str) -> bool {
        matches!(self, Self::Plain(word) if word == keyword)
    }

    /// As it was written.
    pub(crate) fn told(&self) -> String {
        match self {
            Self::Plain(word) => word.clone(),
            Self::Quoted(text) => format!("\"{text}\""),
            Self::Sign(sign) => (*sign).to_owned(),
        }
    }
}

/// The words of a line, without its comment.
pub(crate) fn words(line: &str) -> Result<Vec<Word>, String> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next() {
        if first == '#' {
            break;
        }
        if let Some(inside) = rest.strip_prefix('"') {
            let (text, after) = inside
                .split_once('"')
                .ok_or_else(|| "a text in quotes does not end".to_owned())?;
            words.push(Word::Quoted(text.to_owned()));
            rest = after;
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            words.push(Word::Sign(sign));
            rest = &rest[sign.len()..];
        } else {
            let end = rest
                .find(|c: char| c.is_whitespace() || "<>=(),:\"#".contains(c))
                .unwrap_or(rest.len());
            words.push(Word::Plain(rest[..end].to_owned()));
            rest = &rest[end..];
        }
        rest = rest.trim_start();
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_apart() {
        let plain = |word: &str| Word::Plain(word.to_owned());
        assert_eq!(
            words("  if a<=3 and b in (\"x y\",湖) # why").unwrap(),
            [
                plain("if"),
                plain("a"),
                Word::Sign("<="),
                plain("3"),
                plain("and"),
                plain("b"),
                plain("in"),
                Word::Sign("("),
                Word::Quoted("x y".to_owned()),
                Word::Sign(","),
                plain("湖"),
                Word::Sign(")"),
            ]
        );
        assert!(words("say \"hello").is_err());
        assert!(words("# nothing").unwrap().is_empty());
    }
}
