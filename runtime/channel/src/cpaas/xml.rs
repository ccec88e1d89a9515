//! XML that is written: text and attributes, escaped, without what XML cannot hold.

use std::fmt::Write as _;

/// Writes elements.
#[derive(Debug)]
pub(super) struct Writer {
    out: String,
}

impl Writer {
    /// A document that begins.
    pub(super) fn new() -> Self {
        Self {
            out: r#"<?xml version="1.0" encoding="UTF-8"?>"#.to_owned(),
        }
    }

    /// A part of a document.
    pub(super) const fn inside() -> Self {
        Self { out: String::new() }
    }

    /// An element with what is in it.
    pub(super) fn element(
        &mut self,
        name: &str,
        attributes: &[(&str, &str)],
        inside: impl FnOnce(&mut Self),
    ) {
        self.start(name, attributes);
        let empty = self.out.len();
        self.out.push('>');
        inside(self);
        if self.out.len() == empty + 1 {
            self.out.truncate(empty);
            self.out.push_str("/>");
        } else {
            let _ = write!(self.out, "</{name}>");
        }
    }

    /// An element with nothing in it.
    pub(super) fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.element(name, attributes, |_| {});
    }

    /// Text.
    pub(super) fn text(&mut self, text: &str) {
        escape(text, &mut self.out);
    }

    /// The document.
    pub(super) fn done(self) -> String {
        self.out
    }

    fn start(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.out.push('<');
        self.out.push_str(name);
        for (name, value) in attributes {
            let _ = write!(self.out, " {name}=\"");
            escape(value, &mut self.out);
            self.out.push('"');
        }
    }
}

/// Writes text so that it is read as it is, as text and in an attribute. Characters that XML 1.0
/// cannot hold at all are left out.
pub(super) fn escape(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            // Else an attribute's would be read as spaces.
            '\t' => out.push_str("&#9;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            other => out.push(other),
        }
    }
}
