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
    use proptest::prelude::*;

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
            ("a: # x\n  \"b\"\n", &*format!("{:<36}# x\n", "a: \"b\"")),
            ("a: {b, c: d,e: }\n", "a: { b, c: d, e }\n"),
            (
                "a: &x   b\nc: *x\nd: [&y e, *y]\n",
                "a: &x b\nc: *x\nd: [&y e, *y]\n",
            ),
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

    /// Values of a file, written in many ways.
    fn written() -> impl Strategy<Value = String> {
        let word = prop::sample::select(vec![
            "a", "b-c", "热线", "\"x: y\"", "'it''s'", "\"${a}\"", "1", "~", "\"\"",
        ]);
        let leaf = word.clone().prop_map(|word| vec![word.to_owned()]);
        // Lines of a block value, without indentation; one line is a scalar or a flow value.
        let value = leaf.prop_recursive(4, 40, 5, move |inside| {
            let spaces = prop::sample::select(vec!["", " ", "   "]);
            let flow = (
                prop::collection::vec((word.clone(), inside.clone()), 0..4),
                spaces,
            )
                .prop_map(|(entries, space)| {
                    let parts: Vec<String> = entries
                        .iter()
                        .enumerate()
                        .filter(|(_, (_, value))| value.len() == 1)
                        .map(|(index, (_, value))| format!("k{index}: {}", value[0]))
                        .collect();
                    vec![format!("{{{space}{}{space}}}", parts.join(&format!(",{space}")))]
                });
            let list = prop::collection::vec(inside.clone(), 1..4).prop_map(|items| {
                let mut lines = Vec::new();
                for item in items {
                    for (index, line) in item.iter().enumerate() {
                        lines.push(format!("{}{line}", if index == 0 { "- " } else { "  " }));
                    }
                }
                lines
            });
            let around = prop::sample::select(vec!["", " # note", "   # 注"]);
            let before =
                prop::sample::select(vec![None, Some(""), Some("# a comment"), Some("    # deeper")]);
            let mapping =
                prop::collection::vec((inside, 1_usize..5, around, before), 1..5).prop_map(|entries| {
                    let mut lines: Vec<String> = Vec::new();
                    for (index, (value, indent, note, before)) in entries.into_iter().enumerate() {
                        // A comment may stand anywhere but above the first line of a list's item.
                        if index > 0 {
                            lines.extend(before.map(str::to_owned));
                        }
                        if let [line] = value.as_slice()
                            && !line.starts_with("- ")
                            && !line.starts_with("key")
                        {
                            lines.push(format!("key-{index}:  {line}{note}"));
                        } else {
                            lines.push(format!("key-{index}:{note}"));
                            let indent = " ".repeat(indent);
                            lines.extend(value.into_iter().map(|line| format!("{indent}{line}")));
                        }
                    }
                    lines
                });
            prop_oneof![2 => flow, 1 => list, 3 => mapping]
        });
        value.prop_map(|lines| lines.join("\n") + "\n")
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        /// Whatever is written: once is enough, and the meaning stays (`format` itself refuses
        /// when it does not).
        #[test]
        fn once_is_enough(text in written()) {
            match format(&text) {
                Ok(once) => prop_assert_eq!(format(&once), Ok(once.clone()), "{}", text),
                Err(error) => prop_assert!(!matches!(error, FormatError::Changed), "{}", text),
            }
        }

        /// The city's files with something put in anywhere: they are formatted and stay so, or
        /// they are left alone since they cannot be read.
        #[test]
        fn disturbed_files(
            file in 0..4_usize,
            places in prop::collection::vec(
                (any::<prop::sample::Index>(), prop::sample::select(vec![" ", "\n", "\n\n\n", "  # 注\n", "  ", "#", ": ", ", "])),
                1..6,
            ),
        ) {
            let mut text = [
                include_str!("../../../flows/city-hotline/hotline.yaml"),
                include_str!("../../../flows/city-hotline/flows/housing-fund.yaml"),
                include_str!("../../../flows/city-hotline/prompts/zh-CN.yaml"),
                include_str!("../../../flows/city-hotline/calendars/office.yaml"),
            ][file]
                .to_owned();
            for (place, put) in places {
                let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
                text.insert_str(*place.get(&places), put);
            }
            match format(&text) {
                Ok(once) => prop_assert_eq!(format(&once), Ok(once.clone()), "{}", text),
                Err(error) => prop_assert!(!matches!(error, FormatError::Changed), "{}", text),
            }
        }
    }
}
