//! Values with expressions in them: `${…}`. Prompts have their own: [`super::markup`].

use std::sync::Arc;

use super::{
    parser::{SyntaxError, parse},
    syntax::Tree,
};

/// A text and the expressions in it, parsed.
#[derive(Debug)]
pub(crate) struct Formula {
    pub(crate) pieces: Vec<Piece>,
}

#[derive(Debug)]
pub(crate) enum Piece {
    Text(Arc<str>),
    Tree(Tree),
}

/// Why a text cannot be split into texts and expressions.
#[derive(Debug)]
pub(crate) enum FormulaError {
    /// An expression begins or ends nowhere.
    Unbalanced(SyntaxError),
    /// What stands between the braces is no expression.
    Expression(SyntaxError),
}

impl Formula {
    /// Reads a value: `${…}` are expressions, all else is text.
    pub(crate) fn value(text: &str) -> Result<Self, FormulaError> {
        let mut pieces = Vec::new();
        let mut at = 0;
        while let Some(found) = text[at..].find("${") {
            let open = at + found;
            push(&mut pieces, &text[at..open]);
            let close = closing(text, open + 2).ok_or_else(|| unbalanced(open..text.len(), "${", "}"))?;
            pieces.push(Piece::Tree(
                parse(text, open + 2..close).map_err(FormulaError::Expression)?,
            ));
            at = close + 1;
        }
        push(&mut pieces, &text[at..]);
        Ok(Self { pieces })
    }

    /// The expression, if there is nothing else.
    pub(crate) fn sole(&self) -> Option<&Tree> {
        match self.pieces.as_slice() {
            [Piece::Tree(tree)] => Some(tree),
            _ => None,
        }
    }

    /// The text, if there are no expressions.
    pub(crate) fn plain(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }
}

fn push(pieces: &mut Vec<Piece>, text: &str) {
    if !text.is_empty() {
        pieces.push(Piece::Text(text.into()));
    }
}

fn unbalanced(range: std::ops::Range<usize>, found: &str, missing: &str) -> FormulaError {
    FormulaError::Unbalanced(alone(range, found, missing))
}

/// That to a bracket or brace the other is missing.
pub(super) fn alone(range: std::ops::Range<usize>, found: &str, missing: &str) -> SyntaxError {
    SyntaxError {
        range,
        message: format!("to this `{found}` no `{missing}` belongs"),
        help: None,
    }
}

/// The brace that closes an expression which begins at `from`.
pub(super) fn closing(text: &str, from: usize) -> Option<usize> {
    let mut quote = None;
    let mut depth = 0_usize;
    let mut escaped = false;
    for (offset, c) in text[from..].char_indices() {
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '{') => depth += 1,
            (None, '}') if depth == 0 => return Some(from + offset),
            (None, '}') => depth -= 1,
            (None, _) => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shape(formula: &Formula) -> Vec<String> {
        formula
            .pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.to_string(),
                Piece::Tree(tree) => format!("<{}..{}>", tree.range.start, tree.range.end),
            })
            .collect()
    }

    #[test]
    fn texts_and_expressions_are_told_apart() {
        let value = Formula::value("您 ${a} 和 ${b + '}'}").unwrap();
        assert_eq!(shape(&value), ["您 ", "<6..7>", " 和 ", "<15..22>"]);
        assert_eq!(Formula::value("").unwrap().plain(), Some(""));
        assert!(Formula::value("${a}").unwrap().sole().is_some());
        for text in ["${a", "${", "a ${'}"] {
            assert!(
                matches!(Formula::value(text), Err(FormulaError::Unbalanced(_))),
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[ab$'\"{}\\\\ 好]{0,40}") {
            let _ = Formula::value(&text);
        }
    }
}
