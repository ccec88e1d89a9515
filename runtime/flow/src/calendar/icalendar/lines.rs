//! Content lines of an iCalendar file (RFC 5545, 3.1): unfolded, and split into name,
//! parameters and value.

use std::{borrow::Cow, ops::Range};

/// Parameters of a line: names in capitals, values without quotes.
type Parameters = Vec<(String, String)>;

/// A content line.
#[derive(Debug)]
pub(super) struct Line<'t> {
    /// Its name in capitals: `DTSTART`.
    pub(super) name: String,
    pub(super) parameters: Parameters,
    pub(super) value: Cow<'t, str>,
    /// The bytes of the whole line.
    pub(super) span: Range<usize>,
    /// The bytes of its value; those of the line when it is folded.
    pub(super) value_span: Range<usize>,
}

/// A line that is no content line.
#[derive(Debug)]
pub(super) struct NoLine {
    pub(super) span: Range<usize>,
}

impl Line<'_> {
    /// A parameter's value.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

/// The content lines of a text; empty ones are passed over.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Result<Line<'_>, NoLine>> {
    let mut rest = physical(text).peekable();
    std::iter::from_fn(move || {
        let mut span = rest.next()?;
        let start = span.start;
        let mut unfolded = Cow::Borrowed(&text[span.clone()]);
        while let Some(next) = rest.next_if(|next| text[next.clone()].starts_with([' ', '\t'])) {
            // The one blank after the break belongs to the fold; what else is there is text.
            unfolded.to_mut().push_str(&text[next.start + 1..next.end]);
            span.end = next.end;
        }
        let folded = matches!(unfolded, Cow::Owned(_));
        Some(split(unfolded, start..span.end, folded))
    })
}

/// The lines that are not empty, without their ends, as bytes of the text.
fn physical(text: &str) -> impl Iterator<Item = Range<usize>> {
    // Some programs begin a file with a mark of its byte order.
    let mut at = if text.starts_with('\u{feff}') {
        '\u{feff}'.len_utf8()
    } else {
        0
    };
    std::iter::from_fn(move || {
        loop {
            let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
            let length = rest.find('\n').map_or(rest.len(), |end| end + 1);
            let line = rest[..length].trim_end_matches(['\n', '\r']);
            let span = at..at + line.len();
            at += length;
            if !line.trim().is_empty() {
                return Some(span);
            }
        }
    })
}

fn split(line: Cow<'_, str>, span: Range<usize>, folded: bool) -> Result<Line<'_>, NoLine> {
    let Some((name, parameters, value_at)) = head(&line) else {
        return Err(NoLine { span });
    };
    let value_span = if folded {
        span.clone()
    } else {
        span.start + value_at..span.end
    };
    Ok(Line {
        name,
        parameters,
        value: match line {
            Cow::Borrowed(line) => Cow::Borrowed(&line[value_at..]),
            Cow::Owned(line) => Cow::Owned(line[value_at..].to_owned()),
        },
        span,
        value_span,
    })
}

/// Name and parameters of a line, and where its value begins.
fn head(line: &str) -> Option<(String, Parameters, usize)> {
    let is_name = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let mut at = line.find([';', ':'])?;
    let name = &line[..at];
    if !is_name(name) {
        return None;
    }
    let mut parameters = Vec::new();
    while line[at..].starts_with(';') {
        let equals = at + line[at..].find('=')?;
        let parameter = &line[at + 1..equals];
        if !is_name(parameter) {
            return None;
        }
        let mut quoted = false;
        let end = line[equals + 1..].find(|c| {
            quoted ^= c == '"';
            !quoted && matches!(c, ';' | ':')
        })?;
        let value = line[equals + 1..equals + 1 + end].replace('"', "");
        parameters.push((parameter.to_ascii_uppercase(), value));
        at = equals + 1 + end;
    }
    Some((name.to_ascii_uppercase(), parameters, at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_unfolded_and_split() {
        let text = "\u{feff}BEGIN:VCALENDAR\r\nsummary;LANGUAGE=zh;X-A=\"a;b:c\":国庆\r\n 节 \r\n\t假期\n\nDTSTART:20261001";
        let lines: Vec<_> = lines(text).map(Result::unwrap).collect();
        assert_eq!(lines.len(), 3);
        assert_eq!((lines[0].name.as_str(), &*lines[0].value), ("BEGIN", "VCALENDAR"));
        assert_eq!(&text[lines[0].value_span.clone()], "VCALENDAR");
        assert_eq!(lines[1].name, "SUMMARY");
        assert_eq!(lines[1].value, "国庆节 假期");
        assert_eq!(lines[1].parameter("X-A"), Some("a;b:c"));
        assert!(text[lines[1].span.clone()].ends_with("假期"));
        assert_eq!(&text[lines[2].value_span.clone()], "20261001");
    }

    #[test]
    fn what_is_no_line_says_where() {
        for text in ["no colon", ":value", "A B:c", "A;B:c", "A;B=\"c:d", "假:1"] {
            let found: Vec<_> = lines(text).collect();
            let [Err(NoLine { span })] = &found[..] else {
                panic!("{text}: {found:?}")
            };
            assert_eq!(*span, 0..text.len());
        }
    }
}
