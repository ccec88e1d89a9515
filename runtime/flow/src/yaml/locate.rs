//! From a part of a scalar's text back to where it is written, through quotes, escapes and
//! folded lines.

use std::ops::Range;

use crate::source::Span;

/// The place in a file of a part of a scalar's text.
pub(crate) fn locate(source: &str, span: Span, text: &str, part: Range<usize>) -> Span {
    let whole = span.bytes();
    let written = source.get(whole.clone()).unwrap_or_default();
    let (quote, inner) = match written.as_bytes().first() {
        Some(b'"' | b'\'') => (
            1,
            written
                .get(1..written.len().saturating_sub(1))
                .unwrap_or_default(),
        ),
        _ => (0, written),
    };
    let file = span.file as usize;
    if inner == text {
        let start = whole.start + quote;
        return Span::new(file, start + part.start..start + part.end.max(part.start));
    }
    // Escapes, folded lines and indentation: walk both texts side by side.
    let mut at = quote;
    let (mut start, mut end) = (None, None);
    for (offset, c) in text.char_indices() {
        if offset >= part.end && offset > part.start {
            break;
        }
        let Some(found) = align(written, at, c) else {
            return span;
        };
        if offset == part.start {
            start = Some(found.start);
        }
        if offset < part.end {
            end = Some(found.end);
        }
        at = found.end;
    }
    match (start, end) {
        (Some(start), Some(end)) if start <= end => Span::new(file, whole.start + start..whole.start + end),
        (None, Some(end)) => Span::new(file, whole.start + end..whole.start + end),
        _ => span,
    }
}

/// Where a character of a scalar's text is written, at `at` or after white space.
fn align(written: &str, mut at: usize, c: char) -> Option<Range<usize>> {
    loop {
        let rest = written.get(at..)?;
        let found = rest.chars().next()?;
        let end = at + found.len_utf8();
        if found == '\\' && written.starts_with('"') {
            let length = match rest.as_bytes().get(1)? {
                b'x' => 4,
                b'u' => 6,
                b'U' => 10,
                b'\n' | b'\r' => {
                    at += 2;
                    continue;
                }
                _ => 1 + rest[1..].chars().next()?.len_utf8(),
            };
            return Some(at..(at + length).min(written.len()));
        }
        if found == c {
            let doubled = c == '\'' && written.starts_with('\'') && rest[1..].starts_with('\'');
            return Some(at..end + usize::from(doubled));
        }
        if c.is_whitespace() && found.is_whitespace() {
            return Some(at..end);
        }
        if !found.is_whitespace() {
            return None;
        }
        at = end;
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::read_text, *};

    #[test]
    fn parts_of_scalars_are_found_in_the_file() {
        for text in [
            "a: 您 ${x} 好",
            "a: \"您 ${x} 好\"",
            "a: \"\\u60a8 ${x} \\n好\"",
            "a: '您''s ${x} 好'",
            "a: |\n  您\n  ${x}\n  好\n",
            "a: >-\n  您\n  ${x} 好\n",
        ] {
            let (document, _, files) = read_text(text);
            let word = document.root.unwrap().get("a").unwrap().word().unwrap();
            let at = word.value.find("${x}").unwrap();
            let span = locate(&files.0[0].text, word.span, &word.value, at + 2..at + 3);
            assert_eq!(files.text(span), "x", "{text}");
        }
    }
}
