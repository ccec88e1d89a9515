//! What most likely happened where YAML could not be read.

use std::ops::Range;

/// What the scanner says, in the words of people who write hotlines.
pub(super) fn in_words(info: &str) -> &str {
    for (theirs, ours) in [
        (
            "mapping values are not allowed",
            "a `: ` stands where a value cannot have one",
        ),
        ("expected ',' or '}'", "a `,` or `}` is missing"),
        ("expected ',' or ']'", "a `,` or `]` is missing"),
        (
            "did not find expected key",
            "this line is indented unlike those it belongs to",
        ),
        (
            "expected '-' indicator",
            "an entry of a list should begin here with `- `",
        ),
        ("simple key expect", "a key should stand here, followed by `: `"),
        ("unexpected end of stream", "a quote is not closed"),
        ("unexpected eof", "the file ends in the middle of a value"),
        ("tab", "a tab stands where only spaces may"),
        ("unknown anchor", "there is no such anchor"),
        (
            "unknown escape character",
            "a backslash before this character means nothing",
        ),
        ("recursion limit", "brackets nest too deep"),
        ("misplaced bracket", "a bracket closes that was not opened"),
        ("invalid indentation", "the indentation does not fit"),
        ("wrongly indented line", "the indentation does not fit"),
        (
            "invalid trailing content",
            "something stands after the closing quote",
        ),
    ] {
        if info.contains(theirs) {
            return ours;
        }
    }
    info.rsplit("found ").next().unwrap_or(info)
}

/// What most likely happened where the scanner gave up.
pub(super) fn hint(line: &str, near: &str, info: &str) -> Option<String> {
    let unquoted = |text: &str| {
        text.find("${").is_some_and(|at| {
            let before = &text[..at];
            before.matches('"').count().is_multiple_of(2) && before.matches('\'').count().is_multiple_of(2)
        })
    };
    let help = if line.contains('\t') && line.trim_start_matches(' ').starts_with('\t') {
        "indent with spaces, not with a tab"
    } else if near.lines().any(|line| {
        line.contains(" #:") || line.contains("{#:") || line.contains(",#:") || line.contains(" #,")
    }) {
        "a `#` after a space begins a comment: put the key in quotes, \"#\""
    } else if near.lines().any(unquoted) {
        "put the whole expression in quotes: \"${…}\""
    } else if near.lines().any(|line| line.contains('：')) {
        "after a key stands an ASCII colon and a space: `key: value`"
    } else if line.contains(": ") && info.contains("mapping values") {
        "put a text that has a colon in it in quotes"
    } else if line.trim_start().starts_with(['*', '@', '%', '`', '&']) || line.contains(": *") {
        "a text that begins with * & @ % or ` has to be quoted"
    } else if info.contains("flow ") || line.contains(['{', '[']) {
        "look for a bracket, a brace or a comma that is missing or too many"
    } else {
        "look at the indentation of this line and the one above, and for a quote that is not closed"
    };
    Some(help.to_owned())
}

/// The first expression without quotes that is a whole value, and how it is written with
/// them.
pub(super) fn quoted(near: &str) -> Option<(Range<usize>, String)> {
    let mut at = 0;
    while let Some(start) = near[at..].find("${").map(|offset| at + offset) {
        let mut depth = 0_usize;
        let mut quote = None;
        let mut end = None;
        for (offset, c) in near[start + 2..].char_indices() {
            match (quote, c) {
                (Some(open), c) if c == open => quote = None,
                (Some(_), _) => {}
                (None, '\'' | '"') => quote = Some(c),
                (None, '\n') => break,
                (None, '{') => depth += 1,
                (None, '}') if depth == 0 => {
                    end = Some(start + 2 + offset + 1);
                    break;
                }
                (None, '}') => depth -= 1,
                (None, _) => {}
            }
        }
        let end = end?;
        let before = near[..start].trim_end_matches(' ');
        let after = near[end..].trim_start_matches(' ');
        let whole = before.len() < start
            && before.ends_with([':', '-', ',', '[', '{'])
            && (after.is_empty() || after.starts_with([',', '}', ']', '\n', '#', '\r']));
        let inside = &near[start..end];
        if whole {
            let written = if !inside.contains(['"', '\\']) {
                format!("\"{inside}\"")
            } else {
                format!("'{}'", inside.replace('\'', "''"))
            };
            return Some((start..end, written));
        }
        at = end;
    }
    None
}
