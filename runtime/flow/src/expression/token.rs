//! The words of expressions.

use std::{ops::Range, sync::Arc};

use super::parser::SyntaxError;

/// A word of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    Text(Arc<str>),
    Int(i128),
    Decimal(f64),
    Name(Arc<str>),
    /// An operator or a bracket, as written.
    Sign(&'static str),
}

/// Signs, longer ones before those that they begin with.
const SIGNS: [&str; 24] = [
    "||", "&&", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", ".", ",", "(", ")",
    "[", "]", "{", "}",
];

/// Signs that people write by habit, and what stands for them here.
const HABITS: [(&str, &str); 12] = [
    ("=", "compare with `==`"),
    ("&", "and is written `&&`"),
    ("|", "or is written `||`"),
    ("“", "put text between straight quotes: '…'"),
    ("”", "put text between straight quotes: '…'"),
    ("‘", "put text between straight quotes: '…'"),
    ("’", "put text between straight quotes: '…'"),
    ("（", "use ASCII brackets ( )"),
    ("）", "use ASCII brackets ( )"),
    ("，", "use an ASCII comma"),
    ("？", "use an ASCII question mark"),
    ("：", "use an ASCII colon"),
];

/// Splits `text[range]` into words, each with its bytes in `text`.
pub(crate) fn tokens(text: &str, range: Range<usize>) -> Result<Vec<(Token, Range<usize>)>, SyntaxError> {
    let mut tokens = Vec::new();
    let mut at = range.start;
    let end = range.end;
    while let Some(c) = text[at..end].chars().next() {
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        let (token, length) = match c {
            '\'' | '"' => quoted(text, at..end, c)?,
            '0'..='9' => number(text, at..end)?,
            _ if c.is_alphabetic() || c == '_' => {
                let length = text[at..end]
                    .find(|c: char| !c.is_alphanumeric() && c != '_')
                    .unwrap_or(end - at);
                (Token::Name(text[at..at + length].into()), length)
            }
            _ => match SIGNS.iter().find(|sign| text[at..end].starts_with(**sign)) {
                Some(sign) => (Token::Sign(sign), sign.len()),
                None => {
                    let help = HABITS
                        .iter()
                        .find(|(sign, _)| text[at..end].starts_with(sign))
                        .map(|(_, help)| (*help).to_owned());
                    return Err(SyntaxError {
                        range: at..at + c.len_utf8(),
                        message: format!("`{c}` has no meaning in an expression"),
                        help,
                    });
                }
            },
        };
        tokens.push((token, at..at + length));
        at += length;
    }
    Ok(tokens)
}

/// Reads quoted text from its opening quote on.
fn quoted(text: &str, range: Range<usize>, quote: char) -> Result<(Token, usize), SyntaxError> {
    let mut value = String::new();
    let mut chars = text[range.clone()].char_indices().skip(1);
    while let Some((offset, c)) = chars.next() {
        match c {
            _ if c == quote => return Ok((Token::Text(value.into()), offset + 1)),
            '\\' => match chars.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, 't')) => value.push('\t'),
                Some((_, c @ ('\\' | '\'' | '"' | '{' | '}' | '$'))) => value.push(c),
                Some((end, c)) => {
                    let at = range.start + offset;
                    return Err(SyntaxError {
                        range: at..range.start + end + c.len_utf8(),
                        message: format!("`\\{c}` stands for no character"),
                        help: Some("after a backslash: `n`, `t`, a quote, a brace or a backslash".to_owned()),
                    });
                }
                None => break,
            },
            c => value.push(c),
        }
    }
    Err(SyntaxError {
        range,
        message: "this text has no closing quote".to_owned(),
        help: Some(format!("close it with {quote}")),
    })
}

fn number(text: &str, range: Range<usize>) -> Result<(Token, usize), SyntaxError> {
    let rest = &text[range.clone()];
    let digits = |from: usize| {
        rest[from..]
            .find(|c: char| !c.is_ascii_digit())
            .map_or(rest.len(), |length| from + length)
    };
    let whole = digits(0);
    let fraction =
        rest[whole..].starts_with('.') && rest[whole + 1..].starts_with(|c: char| c.is_ascii_digit());
    let end = if fraction { digits(whole + 1) } else { whole };
    let written = &rest[..end];
    let at = range.start..range.start + end;
    if rest[end..].starts_with(|c: char| c.is_alphabetic() || c == '_') {
        let word = rest[end..]
            .find(|c: char| !c.is_alphanumeric())
            .map_or(rest.len(), |length| end + length);
        return Err(SyntaxError {
            range: range.start..range.start + word,
            message: format!("`{}` is neither a number nor a name", &rest[..word]),
            help: Some("a length of time is written duration('30s')".to_owned()),
        });
    }
    let token = if fraction {
        written
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite())
            .map(Token::Decimal)
    } else {
        written
            .parse()
            .ok()
            .filter(|number: &i128| *number <= i128::from(u64::MAX))
            .map(Token::Int)
    };
    match token {
        Some(token) => Ok((token, end)),
        None => Err(SyntaxError {
            range: at,
            message: "the number is too large".to_owned(),
            help: Some(format!("whole numbers go up to {}", i64::MAX)),
        }),
    }
}
