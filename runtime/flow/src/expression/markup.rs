//! The texts of prompts: expressions in `{…}`, how they are said after a `|`, and pauses in
//! `[…]`.
//!
//! ```text
//! 您好[pause 500ms]您的余额是{balance | money}，{{ 和 [[ 各写一个。
//! ```
//!
//! An expression knows `||` but no single `|`, so what stands after one outside of quotes and
//! brackets can only be a format. A brace or bracket that is to be read out is written twice.

use std::{ops::Range, sync::Arc};

use trunkline_model::Duration;

use super::{
    formula::{alone, closing},
    parser::{SyntaxError, parse},
    syntax::Tree,
};
use crate::{
    diagnostics::did_you_mean,
    limits::PAUSE_MAX,
    speech::{Currency, Format},
};

/// A prompt's text, parsed.
#[derive(Debug)]
pub(crate) struct Markup {
    pub(crate) pieces: Vec<Piece>,
}

/// A piece of a prompt's text.
#[derive(Debug)]
pub(crate) enum Piece {
    /// Text as it is.
    Text(Arc<str>),
    /// The value of an expression, printed or in a format.
    Value(Tree, Option<FormatAt>),
    /// Silence.
    Pause(Duration),
}

/// A format and the bytes of its name.
#[derive(Debug)]
pub(crate) struct FormatAt {
    pub(crate) format: Format,
    pub(crate) range: Range<usize>,
}

/// Why a prompt's text cannot be read.
#[derive(Debug)]
pub(crate) enum MarkupError {
    /// A brace or a bracket without the other.
    Unbalanced(SyntaxError),
    /// What stands between the braces is no expression.
    Expression(SyntaxError),
    /// What stands between the brackets, or after the `|`, is not known.
    Unknown(SyntaxError),
}

impl Markup {
    /// Reads a prompt's text.
    pub(crate) fn read(text: &str) -> Result<Self, MarkupError> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut at = 0;
        while let Some(found) = text[at..].find(['{', '}', '[', ']']) {
            let mark = at + found;
            plain.push_str(&text[at..mark]);
            let rest = &text[mark..];
            if ["{{", "}}", "[[", "]]"]
                .iter()
                .any(|twice| rest.starts_with(twice))
            {
                plain.push_str(&rest[..1]);
                at = mark + 2;
                continue;
            }
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain).into()));
            }
            let unbalanced =
                |range, found, missing| Err(MarkupError::Unbalanced(alone(range, found, missing)));
            let end = match &rest[..1] {
                "{" => {
                    let Some(close) = closing(text, mark + 1) else {
                        return unbalanced(mark..text.len(), "{", "}");
                    };
                    pieces.push(value(text, mark + 1..close)?);
                    close
                }
                "[" => {
                    let Some(close) = rest.find(']').map(|offset| mark + offset) else {
                        return unbalanced(mark..text.len(), "[", "]");
                    };
                    pieces.push(Piece::Pause(pause(text, mark + 1..close)?));
                    close
                }
                "}" => return unbalanced(mark..mark + 1, "}", "{"),
                _ => return unbalanced(mark..mark + 1, "]", "["),
            };
            at = end + 1;
        }
        plain.push_str(&text[at..]);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain.into()));
        }
        close_gaps(&mut pieces);
        Ok(Self { pieces })
    }

    /// Whether a value stands in it.
    pub(crate) fn first_value(&self) -> Option<&Tree> {
        self.pieces.iter().find_map(|piece| match piece {
            Piece::Value(tree, _) => Some(tree),
            Piece::Text(_) | Piece::Pause(_) => None,
        })
    }
}

/// Takes away the blank that a pause leaves in a text that is shown: of two around it the
/// second, and one at the very beginning or end.
fn close_gaps(pieces: &mut [Piece]) {
    let mut blank_before = true;
    let mut paused = false;
    for piece in pieces.iter_mut() {
        match piece {
            Piece::Text(text) => {
                if paused && blank_before {
                    *text = text.trim_start().into();
                }
                if !text.is_empty() {
                    blank_before = text.ends_with(char::is_whitespace);
                    paused = false;
                }
            }
            Piece::Pause(_) => paused = true,
            Piece::Value(..) => (blank_before, paused) = (false, false),
        }
    }
    let last = pieces
        .iter_mut()
        .rev()
        .find(|piece| !matches!(piece, Piece::Pause(_)));
    if let (true, Some(Piece::Text(text))) = (paused, last) {
        *text = text.trim_end().into();
    }
}

/// `expression` or `expression | format`.
fn value(text: &str, inside: Range<usize>) -> Result<Piece, MarkupError> {
    let bar = single_bar(&text[inside.clone()]).map(|offset| inside.start + offset);
    let end = bar.unwrap_or(inside.end);
    let tree = parse(text, inside.start..end).map_err(MarkupError::Expression)?;
    let format = bar.map(|bar| format(text, bar, inside.end)).transpose()?;
    Ok(Piece::Value(tree, format))
}

/// The first `|` that is not one of `||` and stands in no quotes.
fn single_bar(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '|') => match chars.peek() {
                Some((_, '|')) => {
                    chars.next();
                }
                _ => return Some(at),
            },
            (None, _) => {}
        }
    }
    None
}

/// The range of a part without the blanks around it.
fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let part = &text[range.clone()];
    let start = range.start + (part.len() - part.trim_start().len());
    start..start + part.trim().len()
}

/// What stands after the bar.
fn format(text: &str, bar: usize, end: usize) -> Result<FormatAt, MarkupError> {
    let range = trimmed(text, bar + 1..end);
    let written = &text[range.clone()];
    let place = if range.is_empty() {
        bar..bar + 1
    } else {
        range.clone()
    };
    let unknown = |message: String, help: Option<String>| {
        MarkupError::Unknown(SyntaxError {
            range: place.clone(),
            message,
            help,
        })
    };
    let (name, argument) = match written.split_once(char::is_whitespace) {
        Some((name, argument)) => (name, Some(argument.trim())),
        None => (written, None),
    };
    let Some(format) = Format::of_name(name) else {
        let known = Format::NAMES;
        let message = if name.is_empty() {
            "a format is missing after `|`".to_owned()
        } else {
            format!("there is no format `{name}`")
        };
        return Err(unknown(message, did_you_mean("formats are", name, known)));
    };
    let format = match (format, argument) {
        (format, None) => format,
        (Format::Money(_), Some(code)) => match Currency::of_code(code) {
            Some(currency) => Format::Money(currency),
            None => {
                let codes = Currency::ALL.iter().map(|currency| currency.code());
                return Err(unknown(
                    format!("`{code}` is no currency that is known here"),
                    did_you_mean("there are", code, codes),
                ));
            }
        },
        (_, Some(argument)) => {
            return Err(unknown(
                format!("`{name}` takes nothing, and `{argument}` stands after it"),
                Some(format!("write `{{… | {name}}}`")),
            ));
        }
    };
    Ok(FormatAt { format, range })
}

/// `pause 500ms`
fn pause(text: &str, range: Range<usize>) -> Result<Duration, MarkupError> {
    let range = trimmed(text, range);
    let written = &text[range.clone()];
    let unknown = |message: String, help: &str| {
        Err(MarkupError::Unknown(SyntaxError {
            range: range.clone(),
            message,
            help: Some(help.to_owned()),
        }))
    };
    let (name, length) = written.split_once(char::is_whitespace).unwrap_or((written, ""));
    if name != "pause" {
        return unknown(
            format!("`[{written}]` says nothing that is known"),
            "a pause is written `[pause 500ms]`; a bracket itself is written twice: `[[` or `]]`",
        );
    }
    match length.trim().parse::<Duration>() {
        Ok(length) if length > Duration::default() && length <= PAUSE_MAX => Ok(length),
        Ok(length) => unknown(
            format!("a pause is more than nothing and at most {PAUSE_MAX}, not {length}"),
            "write for example `[pause 500ms]`; for longer waits there is the verb `wait`",
        ),
        Err(_) => unknown(
            format!("the pause has no length that can be read: `{written}`"),
            "write for example `[pause 500ms]` or `[pause 2s]`",
        ),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shape(text: &str) -> Vec<String> {
        Markup::read(text)
            .unwrap()
            .pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.to_string(),
                Piece::Pause(length) => format!("[{length}]"),
                Piece::Value(tree, format) => format!(
                    "<{}{}>",
                    &text[tree.range.clone()],
                    format
                        .as_ref()
                        .map_or(String::new(), |at| format!(" as {:?}", at.format))
                ),
            })
            .collect()
    }

    #[test]
    fn texts_values_formats_and_pauses_are_told_apart() {
        assert_eq!(shape("{{原样}} [[1]] {name}!"), ["{原样} [1] ", "<name>", "!"]);
        assert_eq!(
            shape("{a || b} {phone|digits}{n['|']}{fee | money USD}"),
            [
                "<a || b>",
                " ",
                "<phone as Digits>",
                "<n['|']>",
                "<fee as Money(Usd)>"
            ]
        );
        assert_eq!(shape("好[pause 500ms]。"), ["好", "[500ms]", "。"]);
    }

    #[test]
    fn a_pause_leaves_no_blank_in_what_is_shown() {
        assert_eq!(
            shape("[pause 1s] Hello. [pause 1s] Please. [pause 1s]"),
            ["[1s]", "Hello. ", "[1s]", "Please.", "[1s]"]
        );
        assert_eq!(shape("Hello.[pause 1s] Please"), ["Hello.", "[1s]", " Please"]);
        assert_eq!(shape("{a} [pause 1s] b"), ["<a>", " ", "[1s]", "b"]);
    }

    #[test]
    fn what_is_wrong_is_told_where_it_stands() {
        for (text, at) in [
            ("{a", 0..2),
            ("a}", 1..2),
            ("{", 0..1),
            ("[pause 1s", 0..9),
            ("1]", 1..2),
        ] {
            match Markup::read(text) {
                Err(MarkupError::Unbalanced(error)) => assert_eq!(error.range, at, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
        for (text, at) in [
            ("{a | dgits}", 5..10),
            ("{a | }", 3..4),
            ("{a | digits 3}", 5..13),
            ("{a | money XYZ}", 5..14),
            ("[beep]", 1..5),
            ("[pause]", 1..6),
            ("[pause 1h]", 1..9),
        ] {
            match Markup::read(text) {
                Err(MarkupError::Unknown(error)) => assert_eq!(error.range, at, "{text}: {}", error.message),
                other => panic!("{text}: {other:?}"),
            }
        }
        assert!(matches!(Markup::read("{a b}"), Err(MarkupError::Expression(_))));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[ab |$'\"{}\\[\\]\\\\ 好]{0,40}") {
            let _ = Markup::read(&text);
        }
    }
}
