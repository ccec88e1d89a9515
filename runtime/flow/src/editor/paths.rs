//! Names in expressions, found in texts that need not be right yet.

use std::ops::Range;

/// A name and what follows it with dots: `citizen.district`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Path<'a> {
    /// Each part and its bytes in the text.
    pub(super) parts: Vec<(&'a str, Range<usize>)>,
}

/// The expressions in a text: between `${` and `}`, or in prompts between `{` and `}`. One
/// that is not closed reaches to the end.
pub(super) fn expressions(text: &str, template: bool) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    let open = if template { "{" } else { "${" };
    while let Some(begin) = text[at..].find(open).map(|offset| at + offset) {
        if template && text[begin..].starts_with("{{") {
            at = begin + 2;
            continue;
        }
        let from = begin + open.len();
        let end = closing(text, from).unwrap_or(text.len());
        found.push(from..end);
        at = (end + 1).min(text.len());
    }
    found
}

fn closing(text: &str, from: usize) -> Option<usize> {
    let mut quote = None;
    let mut depth = 0_usize;
    for (offset, c) in text[from..].char_indices() {
        match (quote, c) {
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

/// The names in an expression, functions left out.
pub(super) fn paths(text: &str, range: Range<usize>) -> Vec<Path<'_>> {
    let mut found: Vec<Path<'_>> = Vec::new();
    let mut at = range.start;
    let end = range.end.min(text.len());
    // Whether what comes next continues the last path.
    let mut goes_on = false;
    while at < end {
        let Some(c) = text[at..end].chars().next() else {
            break;
        };
        if c == '\'' || c == '"' {
            let inside = at + 1;
            at = text[inside..end]
                .find(c)
                .map_or(end, |offset| inside + offset + 1);
            goes_on = false;
        } else if c.is_alphabetic() || c == '_' {
            let length = text[at..end]
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(end - at);
            let part = (&text[at..at + length], at..at + length);
            let function = text[at + length..end].trim_start().starts_with('(');
            match (found.last_mut(), goes_on) {
                _ if function => {}
                (Some(path), true) => path.parts.push(part),
                _ if matches!(part.0, "true" | "false" | "in" | "null") => {}
                _ => found.push(Path { parts: vec![part] }),
            }
            at += length;
            goes_on = !function && text[at..end].starts_with('.');
            at += usize::from(goes_on);
        } else if c.is_ascii_digit() {
            at += text[at..end]
                .find(|c: char| !c.is_alphanumeric() && c != '.')
                .unwrap_or(end - at);
            goes_on = false;
        } else {
            // A dot after a bracket belongs to a value without a name.
            let member = c == '.' || (c == ')' || c == ']') && text[at + 1..end].starts_with('.');
            at += c.len_utf8();
            if member {
                at += text[at..end]
                    .find(|c: char| c.is_alphanumeric() || c == '_')
                    .unwrap_or(end - at);
                at += text[at..end]
                    .find(|c: char| !c.is_alphanumeric() && c != '_')
                    .unwrap_or(end - at);
            }
            goes_on = false;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_expressions() {
        for (text, template, expected) in [
            (
                "${has(citizen) && citizen.name == 'x.y'}",
                false,
                "citizen citizen.name",
            ),
            ("您好 ${a} ${b.c}", false, "a b.c"),
            ("{citizen.name}，{{no}} {x}", true, "citizen.name x"),
            (
                "${words.trim().size() > 0.5 ? f(a) : list[0].b}",
                false,
                "words a list",
            ),
            ("${mood.level in ['angry', other]}", false, "mood.level other"),
            ("${calendar.office.op", false, "calendar.office.op"),
            ("${市民.名 && true}", false, "市民.名"),
        ] {
            let found: Vec<String> = expressions(text, template)
                .into_iter()
                .flat_map(|range| paths(text, range))
                .map(|path| {
                    let parts: Vec<&str> = path.parts.iter().map(|(part, _)| *part).collect();
                    parts.join(".")
                })
                .collect();
            assert_eq!(found.join(" "), expected, "{text}");
        }
    }
}
