//! Where the cursor stands, in a text that is being typed.
//!
//! A mark is put where the cursor is, and the file is read with it: as it is, with a colon
//! after the mark, or, when it cannot be read to its end, as far as the mark with all that
//! is open closed.

use std::{ops::Range, sync::Arc};

use super::Editor;
use crate::{
    diagnostics::Findings,
    language::{FileShape, Role, walk},
    source::{File, Files, Sources, Span, Word},
    yaml::{self, Document, Entry},
};

/// A character for private use, which no hotline has.
const MARK: char = '\u{e0fe}';

/// What stands at the cursor.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) role: Role,
    /// The entries of the mapping that it is in, the one at the cursor left out.
    pub(super) siblings: Vec<Entry>,
    /// The entries of the innermost mapping with known fields.
    pub(super) owner: Vec<Entry>,
    /// The field of the owner that it stands under.
    pub(super) under: Option<Arc<str>>,
    /// The prompt whose text it is in, in a table of prompts.
    pub(super) prompt: Option<Arc<str>>,
    pub(super) step: Option<Entry>,
    /// The text before the cursor, within the value.
    pub(super) before: String,
    /// Whether a colon follows the name.
    pub(super) colon: bool,
    /// Whether it stands as a key.
    pub(super) key: bool,
    /// The name of the flow, where the file is one.
    pub(super) flow: Arc<str>,
}

impl Place {
    /// The same place, inside a mapping that has nothing in it yet.
    pub(super) fn inside(&self) -> Self {
        Self {
            siblings: Vec::new(),
            ..self.clone()
        }
    }
}

impl Editor {
    /// What stands at a byte of a file; nothing in comments and in files of no kind.
    pub(super) fn place(&self, path: &str, byte: usize) -> Option<Place> {
        let file = self.file(path)?;
        let shape = FileShape::of(path)?;
        let (before, after) = (file.text.get(..byte)?, file.text.get(byte..)?);
        let closers = closers(before);
        let candidates = [
            (format!("{before}{MARK}{after}"), false),
            (format!("{before}{MARK}: x{after}"), true),
            (format!("{before}{MARK}{closers}"), false),
            (format!("{before}{MARK}: x{closers}"), true),
        ];
        candidates
            .iter()
            .find_map(|(text, colon)| read(path, shape, text, *colon))
            .map(|mut place| {
                place.colon = after
                    .trim_start_matches(|c: char| c.is_alphanumeric() || "-_\"'".contains(c))
                    .starts_with(':');
                if place.flow.is_empty() {
                    place.flow = self.flow_of(path).unwrap_or_default();
                }
                place
            })
    }
}

fn read(path: &str, shape: FileShape, text: &str, colon: bool) -> Option<Place> {
    let files = Files::new(&Sources::new([(path, text)]));
    let index = files.0.iter().position(|file| &*file.path == path)?;
    let file: &File = &files.0[index];
    let Document { root, whole } = yaml::read(index, file, &mut Findings::default());
    let root = root.filter(|_| whole)?;
    let mut place = None;
    walk(shape, &root, &mut |visit| {
        let Some(mark) = visit.word.value.find(MARK) else {
            return;
        };
        // A text over several lines has swallowed what was to be a line of its own.
        let source = files.text(visit.word.span);
        let swallowed = !colon
            && !source.starts_with(['|', '>', '"', '\''])
            && source[..source.find(MARK).unwrap_or_default()].contains('\n');
        if place.is_some() || swallowed {
            return;
        }
        let key = matches!(visit.role, Role::Field { .. } | Role::Key(_));
        let unmarked = |entries: &[Entry]| -> Vec<Entry> {
            let others = entries.iter().filter(|entry| !entry.key.value.contains(MARK));
            others.cloned().collect()
        };
        place = Some(Place {
            role: visit.role,
            siblings: unmarked(visit.siblings),
            owner: unmarked(visit.owner),
            under: visit.under.map(|word| word.value.clone()),
            prompt: visit
                .siblings
                .iter()
                .find(|entry| entry.value.span == visit.word.span)
                .map(|entry| entry.key.value.clone()),
            step: visit.step.cloned(),
            before: visit.word.value[..mark].to_owned(),
            colon: false,
            key,
            flow: match shape {
                FileShape::Flow => super::entry_of(&root, "flow")
                    .and_then(|entry| entry.value.word())
                    .map(|word| word.value)
                    .unwrap_or_default(),
                _ => "".into(),
            },
        });
    });
    place
}

/// What closes all quotes and brackets that are open at the end of a text.
fn closers(text: &str) -> String {
    let mut open: Vec<char> = Vec::new();
    let mut quote: Option<char> = None;
    let mut previous = '\n';
    let mut comment = false;
    let mut escaped = false;
    for c in text.chars() {
        match quote {
            Some('"') if escaped => escaped = false,
            Some('"') if c == '\\' => escaped = true,
            Some(closing) if c == closing => quote = None,
            Some(_) => {}
            None if comment => comment = c != '\n',
            None => match c {
                '"' | '\'' if previous.is_whitespace() || "[{,:-".contains(previous) => quote = Some(c),
                '#' if previous.is_whitespace() => comment = true,
                '{' => open.push('}'),
                '[' => open.push(']'),
                '}' | ']' if open.last() == Some(&c) => {
                    open.pop();
                }
                _ => {}
            },
        }
        previous = c;
    }
    let closing = quote.into_iter().chain(open.into_iter().rev());
    closing.collect()
}

/// The bytes of the name at a byte: letters, digits, and the signs that names of its kind
/// may have.
pub(super) fn name_around(text: &str, byte: usize, signs: &str) -> Range<usize> {
    let fits = |c: &char| c.is_alphanumeric() || signs.contains(*c);
    let before: usize = text[..byte]
        .chars()
        .rev()
        .take_while(fits)
        .map(char::len_utf8)
        .sum();
    let after: usize = text[byte..].chars().take_while(fits).map(char::len_utf8).sum();
    byte - before..byte + after
}

/// A word's place without its quotes.
pub(super) fn unquoted(file: &File, word: &Word) -> Span {
    yaml::locate(&file.text, word.span, &word.value, 0..word.value.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_is_closed() {
        for (text, closing) in [
            ("a: { b: [c", "]}"),
            ("a: \"x", "\""),
            ("words: { lin'an: x", "}"),
            ("a: x # {", ""),
            ("- { when: \"${a}", "\"}"),
            ("a: 'x'", ""),
        ] {
            assert_eq!(closers(text), closing, "{text}");
        }
    }
}
