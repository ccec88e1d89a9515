//! Pieces as text in house style.

use super::{
    WIDTH_MAX,
    pieces::{Entry, Item, Lead, Piece, Pieces, What},
};

/// The column, from 0, in which comments behind values stand when what they follow is short
/// enough.
const NOTE_COLUMN: usize = 36;

/// A line and the comment behind it.
struct Line {
    text: String,
    note: Option<String>,
    /// Whether it is a part of a text, which is written as it is.
    verbatim: bool,
}

#[derive(Default)]
struct Printer {
    lines: Vec<Line>,
}

pub(super) fn print(pieces: &Pieces) -> String {
    let mut printer = Printer::default();
    if pieces.explicit {
        // What stands above the line stays above it only when it is all there is.
        printer.line("---".to_owned());
    }
    printer.lead(&pieces.lead, 0, true);
    if let Some(root) = &pieces.root {
        printer.value(root, String::new(), 0, None);
    }
    printer.lead(&pieces.tail, 0, printer.lines.is_empty());
    printer.finish()
}

impl Printer {
    fn line(&mut self, text: String) {
        self.lines.push(Line {
            text,
            note: None,
            verbatim: false,
        });
    }

    fn blank(&mut self) {
        if self
            .lines
            .last()
            .is_some_and(|line| !line.text.is_empty() || line.verbatim)
        {
            self.line(String::new());
        }
    }

    /// Comments and the empty lines around them; none before the first thing of a block.
    fn lead(&mut self, lead: &Lead, indent: usize, first: bool) {
        for (index, (blank, comment)) in lead.comments.iter().enumerate() {
            if *blank && !(first && index == 0) {
                self.blank();
            }
            self.line(format!("{}{comment}", " ".repeat(indent)));
        }
        if lead.blank && !(first && lead.is_empty()) {
            self.blank();
        }
    }

    /// A value behind what stands before it on its line: `key:`, or nothing. `note` is the
    /// comment behind the key.
    fn value(&mut self, piece: &Piece, before: String, indent: usize, note: Option<&String>) {
        let joined = |text: &str| {
            let parts = [
                before.trim_start(),
                piece.anchor.as_deref().unwrap_or_default(),
                text,
            ];
            let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            let space = " ".repeat(before.len() - before.trim_start().len());
            format!("{space}{}", parts.join(" "))
        };
        // A key with a comment and a value with another: the first goes above the line.
        let both = note.is_some() && piece.note.is_some();
        let behind = piece.note.as_ref().or(note).cloned();
        if both && let Some(note) = note {
            self.line(format!("{}{note}", " ".repeat(indent)));
        }
        match &piece.what {
            What::Empty => self.noted(joined(""), behind),
            What::Word(word) => self.noted(joined(word), behind),
            What::Folded(lines) => {
                let deeper = if before.trim().is_empty() {
                    indent
                } else {
                    indent + 2
                };
                for (index, line) in lines.iter().enumerate() {
                    let text = if index == 0 {
                        joined(line)
                    } else if line.is_empty() {
                        String::new()
                    } else {
                        format!("{}{line}", " ".repeat(deeper))
                    };
                    self.lines.push(Line {
                        text,
                        note: behind.clone().filter(|_| index + 1 == lines.len()),
                        verbatim: index > 0,
                    });
                }
            }
            What::Block {
                header,
                indent: explicit,
                lines,
            } => {
                self.noted(joined(header), behind);
                // In a list the dash is what it is indented against.
                let deeper = match (before.trim().is_empty(), explicit) {
                    (true, None) => indent,
                    (true, Some(explicit)) => (indent + explicit).saturating_sub(2),
                    (false, explicit) => indent + explicit.unwrap_or(2),
                };
                for line in lines {
                    let text = if line.is_empty() {
                        String::new()
                    } else {
                        format!("{}{line}", " ".repeat(deeper))
                    };
                    self.lines.push(Line {
                        text,
                        note: None,
                        verbatim: true,
                    });
                }
            }
            What::Sequence { .. } | What::Mapping { .. } => {
                let inline = inline(piece, note.is_none() || piece.note.is_none());
                let empty = matches!(&piece.what,
                    What::Sequence { items, tail, .. } if items.is_empty() && tail.is_empty())
                    || matches!(&piece.what,
                    What::Mapping { entries, tail, .. } if entries.is_empty() && tail.is_empty());
                if let Some(text) = inline {
                    let text = joined_without_anchor(&before, &text);
                    if empty || width(&text) <= WIDTH_MAX && note.is_none() {
                        self.noted(text, behind);
                        return;
                    }
                }
                self.block(piece, joined(""), before.trim().is_empty(), indent, behind);
            }
        }
    }

    /// A mapping or a list on lines of its own, below what stands before it.
    fn block(&mut self, piece: &Piece, head: String, bare: bool, indent: usize, note: Option<String>) {
        let inner = if bare && piece.anchor.is_none() {
            indent
        } else {
            indent + 2
        };
        if !bare || piece.anchor.is_some() {
            self.noted(head, note);
        } else if let Some(note) = note {
            self.line(format!("{}{note}", " ".repeat(indent)));
        }
        match &piece.what {
            What::Mapping { entries, tail, .. } => {
                for (index, entry) in entries.iter().enumerate() {
                    self.entry(entry, inner, index == 0);
                }
                self.lead(tail, inner, false);
            }
            What::Sequence { items, tail, .. } => {
                for (index, item) in items.iter().enumerate() {
                    self.item(item, inner, index == 0);
                }
                self.lead(tail, inner, false);
            }
            _ => {}
        }
    }

    fn entry(&mut self, entry: &Entry, indent: usize, first: bool) {
        self.lead(&entry.lead, indent, first);
        let before = format!("{}{}:", " ".repeat(indent), entry.key);
        self.value(&entry.value, before, indent, entry.key_note.as_ref());
    }

    fn item(&mut self, item: &Item, indent: usize, first: bool) {
        self.lead(&item.lead, indent, first);
        let from = self.lines.len();
        let mut inside = Self::default();
        inside.value(&item.value, String::new(), indent + 2, None);
        self.lines.append(&mut inside.lines);
        if self.lines.len() == from {
            self.line(String::new());
        }
        // The first line that is no comment gets the dash; comments stand above it.
        let lines = &mut self.lines[from..];
        let place = lines
            .iter()
            .position(|line| !line.text.trim_start().starts_with('#'))
            .unwrap_or_default();
        for line in &mut lines[..place] {
            line.text = format!("{}{}", " ".repeat(indent), line.text.trim_start());
        }
        let content = lines[place].text.trim_start().to_owned();
        let dash = format!("{}- {content}", " ".repeat(indent));
        lines[place].text = dash.trim_end().to_owned();
    }

    fn noted(&mut self, text: String, note: Option<String>) {
        self.lines.push(Line {
            text,
            note,
            verbatim: false,
        });
    }

    /// All lines, with the comments of lines that follow each other in one column.
    fn finish(mut self) -> String {
        while self
            .lines
            .last()
            .is_some_and(|line| line.text.is_empty() && line.note.is_none() && !line.verbatim)
        {
            self.lines.pop();
        }
        let mut text = String::new();
        let mut at = 0;
        while at < self.lines.len() {
            let group = self.lines[at..]
                .iter()
                .take_while(|line| line.note.is_some())
                .count();
            let column = self.lines[at..at + group]
                .iter()
                .map(|line| width(&line.text) + 2)
                .fold(NOTE_COLUMN, usize::max);
            for line in &self.lines[at..at + group.max(1)] {
                text.push_str(&line.text);
                if let Some(note) = &line.note {
                    text.push_str(&" ".repeat(column - width(&line.text)));
                    text.push_str(note);
                }
                text.push('\n');
            }
            at += group.max(1);
        }
        text
    }
}

fn joined_without_anchor(before: &str, text: &str) -> String {
    if before.trim().is_empty() {
        format!("{before}{text}")
    } else {
        format!("{before} {text}")
    }
}

/// A value on one line, if it is one that may stand on one: a flow mapping or list without
/// comments and without texts over several lines.
fn inline(piece: &Piece, top: bool) -> Option<String> {
    let text = match &piece.what {
        What::Empty => String::new(),
        What::Word(word) => word.clone(),
        What::Folded(_) | What::Block { .. } => return None,
        What::Sequence { flow, items, tail } => {
            if !flow || !tail.is_empty() {
                return None;
            }
            let mut parts = Vec::new();
            for item in items {
                if !item.lead.is_empty() {
                    return None;
                }
                parts.push(inline(&item.value, false)?);
            }
            format!("[{}]", parts.join(", "))
        }
        What::Mapping { flow, entries, tail } => {
            if !flow || !tail.is_empty() {
                return None;
            }
            let mut parts = Vec::new();
            for entry in entries {
                if !entry.lead.is_empty() || entry.key_note.is_some() {
                    return None;
                }
                let value = inline(&entry.value, false)?;
                parts.push(if value.is_empty() {
                    entry.key.clone()
                } else {
                    format!("{}: {value}", entry.key)
                });
            }
            if parts.is_empty() {
                "{}".to_owned()
            } else {
                format!("{{ {} }}", parts.join(", "))
            }
        }
    };
    if piece.note.is_some() && !top {
        return None;
    }
    Some(match &piece.anchor {
        Some(anchor) if text.is_empty() => anchor.clone(),
        Some(anchor) => format!("{anchor} {text}"),
        None => text,
    })
}

/// Columns that a text takes in a terminal: wide characters, as Chinese ones are, take two.
fn width(text: &str) -> usize {
    text.chars()
        .map(|c| match c as u32 {
            0x1100..=0x115f
            | 0x2e80..=0x303e
            | 0x3041..=0xa4cf
            | 0xac00..=0xd7a3
            | 0xf900..=0xfaff
            | 0xfe30..=0xfe6f
            | 0xff00..=0xff60
            | 0xffe0..=0xffe6
            | 0x1f300..=0x1f64f
            | 0x1f900..=0x1f9ff
            | 0x20000..=0x3fffd => 2,
            _ => 1,
        })
        .sum()
}
