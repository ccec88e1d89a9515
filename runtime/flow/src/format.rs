//! Formatting: one way to write a hotline's YAML.
//!
//! Two spaces of indentation, lists indented under their key, `{ a: b }` and `[a, b]` on one
//! line where they fit [`WIDTH_MAX`] columns and as blocks where they do not, at most one
//! empty line in a row, comments behind values in columns. Comments, order and quotes are
//! kept, and so is the meaning: what is written is read again and compared, and a file whose
//! meaning would change is left as it was.

mod pieces;
mod print;

use std::sync::Arc;

use self::pieces::{Pieces, Unfit};
use crate::{
    diagnostics::{Findings, Severity},
    source::{Files, Sources},
    yaml::{self, Document, Kind, Node},
};

/// Columns of a line that holds a mapping or a list as a whole. A wide character, as Chinese
/// ones are, takes two.
pub const WIDTH_MAX: usize = 110;

/// Why a file is left as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// It is not YAML as hotlines use it.
    #[error("line {line}: {message}")]
    Unread {
        /// The first line that is wrong, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// It uses a part of YAML that is not formatted.
    #[error("line {line}: {what} is not formatted")]
    Unfit {
        /// The line.
        line: usize,
        /// What stands there.
        what: &'static str,
    },
    /// What would be written means something else. That is a fault of the formatter.
    #[error("formatting would change what the file means; please report it with the file")]
    Changed,
}

/// Formats the text of a YAML file.
///
/// # Errors
/// Why the file is left as it is.
pub fn format(text: &str) -> Result<String, FormatError> {
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let plain = text.replace("\r\n", "\n");
    let (mark, plain) = match plain.strip_prefix('\u{feff}') {
        Some(rest) => ("\u{feff}", rest),
        None => ("", &*plain),
    };
    let before = read(plain)?;
    let pieces = Pieces::read(plain).map_err(|Unfit { at, what }| FormatError::Unfit {
        line: plain[..at.min(plain.len())].matches('\n').count() + 1,
        what,
    })?;
    let written = print::print(&pieces);
    let same = read(&written).is_ok_and(|after| same(before.as_ref(), after.as_ref()))
        && Pieces::read(&written).is_ok_and(|after| after.comments() == pieces.comments());
    if !same {
        return Err(FormatError::Changed);
    }
    Ok(format!("{mark}{}", written.replace('\n', newline)))
}

fn read(text: &str) -> Result<Option<Node>, FormatError> {
    let files = Files::new(&Sources::new([("a.yaml", Arc::<str>::from(text))]));
    let mut findings = Findings::default();
    let index = files
        .0
        .iter()
        .position(|file| &*file.path == "a.yaml")
        .unwrap_or_default();
    let Document { root, whole } = yaml::read(index, &files.0[index], &mut findings);
    let error = findings
        .iter()
        .find(|finding| finding.severity == Severity::Error || !whole);
    match error.cloned() {
        Some(finding) => Err(FormatError::Unread {
            line: files.of(finding.span).position(finding.span.bytes().start).line,
            message: finding.message,
        }),
        None => Ok(root),
    }
}

/// Whether two trees say the same, wherever it stands.
fn same(a: Option<&Node>, b: Option<&Node>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => match (&a.kind, &b.kind) {
            (Kind::Scalar { text: x, plain: p }, Kind::Scalar { text: y, plain: q }) => x == y && p == q,
            (Kind::Sequence(x), Kind::Sequence(y)) => {
                x.len() == y.len() && x.iter().zip(y.iter()).all(|(x, y)| same(Some(x), Some(y)))
            }
            (Kind::Mapping(x), Kind::Mapping(y)) => {
                x.len() == y.len()
                    && x.iter()
                        .zip(y.iter())
                        .all(|(x, y)| x.key.value == y.key.value && same(Some(&x.value), Some(&y.value)))
            }
            _ => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formatted(text: &str) -> String {
        let once = format(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let twice = format(&once).unwrap_or_else(|error| panic!("{error}: {once}"));
        assert_eq!(once, twice, "twice is not once");
        once
    }

    #[test]
    fn the_house_style() {
        for (written, expected) in [
            ("a:   b\n", "a: b\n"),
            ("a: {b: c,d: [ e,f ]}\n", "a: { b: c, d: [e, f] }\n"),
            (
                "a:\n    b: c\n    d:\n    - e\n    -   f\n",
                "a:\n  b: c\n  d:\n    - e\n    - f\n",
            ),
            (
                "\n\n# top\n\n\n\na: b\n\n\n# next\nc: d\n\n\n",
                "# top\n\na: b\n\n# next\nc: d\n",
            ),
            ("a: {\n  b: c,\n  d: e }\n", "a: { b: c, d: e }\n"),
            (
                "a: { # why\n  b: c, d: e }\n",
                &*format!("{:<36}# why\n  b: c\n  d: e\n", "a:"),
            ),
            (
                "a: b # one\nlong-key: value  # two\n",
                &*format!("{:<36}# one\n{:<36}# two\n", "a: b", "long-key: value"),
            ),
            (
                "- { when: x,\n    next: y }\n-  a: b\n   c: d\n",
                "- { when: x, next: y }\n- a: b\n  c: d\n",
            ),
            (
                "a: |\n     x\n       y\n\n     z\nb: c\n",
                "a: |\n  x\n    y\n\n  z\nb: c\n",
            ),
            (
                "a: >-\n   x\n   y\nb:\n      - |\n         x\n",
                "a: >-\n  x\n  y\nb:\n  - |\n    x\n",
            ),
            ("a: \"x\n      y\"\n", "a: \"x\n  y\"\n"),
            ("a: x\n    y\nb: c", "a: x\n  y\nb: c\n"),
            (
                "a: &x { b: c }\nd: *x\ne: &y\n  f: g\n",
                "a: &x { b: c }\nd: *x\ne: &y\n  f: g\n",
            ),
            ("? a\n: b\n", "a: b\n"),
            ("a:\nb: {}\nc: []\nd: \"\"\n", "a:\nb: {}\nc: []\nd: \"\"\n"),
            (
                "keys: { \"#\": a, '*': b, 1: c }\n",
                "keys: { \"#\": a, '*': b, 1: c }\n",
            ),
            ("a: b\r\nc:   d\r\n", "a: b\r\nc: d\r\n"),
            ("# only a comment\n", "# only a comment\n"),
            ("", ""),
            ("---\na:  b\n", "---\na: b\n"),
            (
                "a:\n  # first\n  b: c\n  # last\nd: e\n  # end\n",
                "a:\n  # first\n  b: c\n  # last\nd: e\n# end\n",
            ),
        ] {
            let written_now = formatted(written);
            assert_eq!(written_now, expected, "{written}");
        }
    }

    #[test]
    fn what_does_not_fit_a_line_becomes_a_block() {
        let long = "words: { 有: topics, 还有: topics, yes: topics, 没有: goodbye, 没有了: goodbye, 不用了: goodbye, 谢谢: goodbye, no: goodbye }";
        let written = formatted(&format!("steps:\n  a:\n    {long}\n"));
        assert!(
            written.contains("    words:\n      有: topics\n      还有: topics\n"),
            "{written}"
        );
        let written = formatted(&format!("- {{ when: x, {long} }}\n"));
        assert!(written.starts_with("- when: x\n  words:"), "{written}");
        let items = "[".to_owned() + &"some-name, ".repeat(14) + "end]";
        let written = formatted(&format!("a: {items}\n"));
        assert!(
            written.starts_with("a:\n  - some-name\n  - some-name\n"),
            "{written}"
        );
    }

    #[test]
    fn what_cannot_be_read_is_left_alone() {
        for text in ["a: [b\n", "a: !!str b\n", "a: 1\na: 2\n", "a:\n\tb: c\n"] {
            assert!(matches!(format(text), Err(FormatError::Unread { .. })), "{text}");
        }
    }

    #[test]
    fn the_citys_hotline_is_in_house_style() {
        for text in [
            include_str!("../../../flows/city-hotline/hotline.yaml"),
            include_str!("../../../flows/city-hotline/grants.yaml"),
            include_str!("../../../flows/city-hotline/flows/city.yaml"),
            include_str!("../../../flows/city-hotline/flows/housing-fund.yaml"),
            include_str!("../../../flows/city-hotline/prompts/zh-CN.yaml"),
            include_str!("../../../flows/city-hotline/prompts/en.yaml"),
            include_str!("../../../flows/city-hotline/calendars/office.yaml"),
        ] {
            assert_eq!(formatted(text), text);
        }
    }
}
