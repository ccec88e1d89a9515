//! YAML as hotlines use it: mappings, lists and scalars that keep their source text.
//!
//! Only the scanner of the YAML library is used; the tree is our own, since it has to know
//! where everything stands, give no scalar another type than text, report duplicate keys,
//! and refuse bombs while they are read.

mod hints;
mod locate;

use std::{collections::HashMap, ops::Range, sync::Arc};

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError};

use self::hints::{hint, in_words, quoted};
pub(crate) use self::locate::locate;
use crate::{
    diagnostics::{Code, Finding, Findings, Mend},
    limits::{FILE_BYTES_MAX, YAML_DEPTH_MAX, YAML_NODES_MAX},
    source::{File, Span, Word},
};

/// A part of a YAML file. A copy shares what is inside, so that an anchor costs nothing.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Scalar {
        text: Arc<str>,
        /// Whether it stands without quotes and not as a block.
        plain: bool,
    },
    Sequence(Arc<Vec<Node>>),
    Mapping(Arc<Vec<Entry>>),
}

/// An entry of a mapping; its key is always text.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: Word,
    pub(crate) value: Node,
}

impl Node {
    /// Whether nothing stands here.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(&self.kind, Kind::Scalar { text, plain: true } if text.is_empty())
    }

    /// What it is, in words for messages.
    pub(crate) fn describe(&self) -> &'static str {
        match &self.kind {
            Kind::Scalar { text, plain: true } if text.is_empty() => "nothing",
            Kind::Scalar { .. } => "a plain value",
            Kind::Sequence(_) => "a list",
            Kind::Mapping(_) => "a mapping",
        }
    }

    pub(crate) fn word(&self) -> Option<Word> {
        match &self.kind {
            Kind::Scalar { text, .. } => Some(Word::new(text.clone(), self.span)),
            Kind::Sequence(_) | Kind::Mapping(_) => None,
        }
    }

    #[cfg(test)]
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        match &self.kind {
            Kind::Mapping(entries) => entries
                .iter()
                .find(|entry| entry.key.as_str() == key)
                .map(|entry| &entry.value),
            Kind::Scalar { .. } | Kind::Sequence(_) => None,
        }
    }
}

/// What could be read of a file.
pub(crate) struct Document {
    /// Its only document; none when it is empty, or when nothing could be read.
    pub(crate) root: Option<Node>,
    /// Whether all of it could be read.
    pub(crate) whole: bool,
}

/// Reads a file, number `index` of the hotline's.
pub(crate) fn read(index: usize, file: &File, findings: &mut Findings) -> Document {
    let unread = Document {
        root: None,
        whole: false,
    };
    if file.text.len() > FILE_BYTES_MAX {
        let message = format!(
            "{} has {} bytes; a file may have {FILE_BYTES_MAX}",
            file.path,
            file.text.len()
        );
        findings.push(
            Finding::new(Code::TooLarge, Span::new(index, 0..0), message).help("split it into several files"),
        );
        return unread;
    }
    comments_for_keys(index, file, findings);
    let mut reader = Reader {
        file: index,
        offsets: offsets(&file.text),
        source: file,
        findings,
        open: Vec::new(),
        anchors: HashMap::new(),
        nodes: 0,
        root: None,
    };
    let whole = reader.read();
    let root = reader.root.take().or_else(|| reader.rest());
    Document {
        root: root.filter(|root| !root.is_empty()),
        whole,
    }
}

/// The byte of each character, when they differ.
fn offsets(text: &str) -> Option<Vec<u32>> {
    (!text.is_ascii()).then(|| {
        text.char_indices()
            .map(|(at, _)| u32::try_from(at).unwrap_or(u32::MAX))
            .collect()
    })
}

/// Where a quoted scalar ends that begins at a byte: behind its closing quote. The scanner
/// counts a comment that follows on the same line to it.
pub(crate) fn quoted_end(text: &str, start: usize) -> Option<usize> {
    let rest = text.get(start..)?;
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' if quote == '"' => {
                chars.next();
            }
            '\'' if quote == c && chars.peek().is_some_and(|(_, next)| *next == quote) => {
                chars.next();
            }
            c if c == quote => return Some(start + at + c.len_utf8()),
            _ => {}
        }
    }
    None
}

struct Open {
    span: Span,
    anchor: usize,
    nodes_before: usize,
    what: Container,
}

enum Container {
    Sequence(Vec<Node>),
    Mapping {
        entries: Vec<Entry>,
        keys: HashMap<Arc<str>, Span>,
        /// A key whose value has not come yet; none for one that is left out.
        key: Option<Option<Word>>,
    },
}

struct Reader<'a> {
    file: usize,
    offsets: Option<Vec<u32>>,
    source: &'a File,
    findings: &'a mut Findings,
    open: Vec<Open>,
    /// Nodes with an anchor and how many nodes each holds.
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
    root: Option<Node>,
}

impl Reader<'_> {
    fn byte(&self, character: usize) -> usize {
        match &self.offsets {
            None => character.min(self.source.text.len()),
            Some(offsets) => offsets
                .get(character)
                .map_or(self.source.text.len(), |offset| *offset as usize),
        }
    }

    fn span(&self, span: saphyr_parser::Span) -> Span {
        let bytes = self.byte(span.start.index())..self.byte(span.end.index());
        Span::new(self.file, bytes.start..bytes.end.max(bytes.start))
    }

    /// Reads all events; false when the file is broken or over a limit.
    fn read(&mut self) -> bool {
        let text = self.source.text.clone();
        let mut parser = Parser::new_from_str(&text);
        let mut documents = 0;
        while let Some(event) = parser.next_event() {
            let (event, span) = match event {
                Ok(event) => event,
                Err(error) => {
                    let finding = self.syntax_error(&error);
                    self.findings.push(finding);
                    return false;
                }
            };
            let span = self.span(span);
            let over = match event {
                Event::DocumentStart(_) => {
                    documents += 1;
                    if documents > 1 {
                        self.findings.push(
                            Finding::new(
                                Code::YamlFeature,
                                span,
                                "a second document begins here; a file of a hotline holds one",
                            )
                            .help("put what follows into a file of its own"),
                        );
                        return true;
                    }
                    None
                }
                Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => None,
                Event::Alias(anchor) => self.alias(anchor, span),
                Event::Scalar(value, style, anchor, tag) => {
                    self.tag(tag.as_deref(), span);
                    let plain = style == ScalarStyle::Plain;
                    let mut span = self.trimmed(span);
                    if let Some(end) = quoted_end(&text, span.bytes().start) {
                        span = Span::new(self.file, span.bytes().start..end);
                    }
                    let node = Node {
                        span,
                        kind: Kind::Scalar {
                            text: value.as_ref().into(),
                            plain,
                        },
                    };
                    self.count(span).or_else(|| {
                        self.remember(anchor, &node, 1);
                        self.add(node);
                        None
                    })
                }
                Event::SequenceStart(anchor, tag) => {
                    self.tag(tag.as_deref(), span);
                    self.begin(span, anchor, Container::Sequence(Vec::new()))
                }
                Event::MappingStart(anchor, tag) => {
                    self.tag(tag.as_deref(), span);
                    self.begin(
                        span,
                        anchor,
                        Container::Mapping {
                            entries: Vec::new(),
                            keys: HashMap::new(),
                            key: None,
                        },
                    )
                }
                Event::SequenceEnd | Event::MappingEnd => {
                    self.end(span);
                    None
                }
            };
            if let Some(finding) = over {
                self.findings.push(finding);
                return false;
            }
        }
        true
    }

    /// What was read of a broken file.
    fn rest(&mut self) -> Option<Node> {
        let here = Span::new(self.file, self.source.text.len()..self.source.text.len());
        while !self.open.is_empty() {
            self.end(here);
        }
        self.root.take()
    }

    /// A span without the white space at its end, which blocks and plain scalars have.
    fn trimmed(&self, span: Span) -> Span {
        let text = self.source.text.get(span.bytes()).unwrap_or_default();
        let bytes = span.bytes();
        Span::new(self.file, bytes.start..bytes.start + text.trim_end().len())
    }

    fn count(&mut self, span: Span) -> Option<Finding> {
        self.nodes += 1;
        (self.nodes > YAML_NODES_MAX).then(|| {
            Finding::new(
                Code::TooLarge,
                span,
                format!(
                    "the file holds more than {YAML_NODES_MAX} values, each use of an anchor counted in full"
                ),
            )
            .help("split it into several files, or use fewer anchors within anchors")
        })
    }

    fn begin(&mut self, span: Span, anchor: usize, what: Container) -> Option<Finding> {
        if self.open.len() >= YAML_DEPTH_MAX {
            return Some(
                Finding::new(
                    Code::TooLarge,
                    span,
                    format!("this nests deeper than {YAML_DEPTH_MAX} levels"),
                )
                .help("no part of a hotline needs so many; look for a bracket too many"),
            );
        }
        let nodes_before = self.nodes;
        self.open.push(Open {
            span,
            anchor,
            nodes_before,
            what,
        });
        self.count(span)
    }

    fn end(&mut self, span: Span) {
        let Some(open) = self.open.pop() else { return };
        let start = open.span.bytes().start;
        let (kind, inner_end) = match open.what {
            Container::Sequence(nodes) => {
                let end = nodes.last().map(|node| node.span.bytes().end);
                (Kind::Sequence(Arc::new(nodes)), end)
            }
            Container::Mapping { entries, .. } => {
                let end = entries
                    .last()
                    .map(|entry| entry.value.span.bytes().end.max(entry.key.span.bytes().end));
                (Kind::Mapping(Arc::new(entries)), end)
            }
        };
        // A block ends where its last part does, not where the next line begins.
        let closes = self
            .source
            .text
            .get(span.bytes())
            .is_some_and(|text| matches!(text, "]" | "}"));
        let end = if closes {
            span.bytes().end
        } else {
            inner_end.unwrap_or(start)
        };
        let node = Node {
            span: Span::new(self.file, start..end.max(start)),
            kind,
        };
        self.remember(open.anchor, &node, self.nodes - open.nodes_before);
        self.add(node);
    }

    fn remember(&mut self, anchor: usize, node: &Node, nodes: usize) {
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), nodes));
        }
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Option<Finding> {
        let Some((_, nodes)) = self.anchors.get(&anchor) else {
            self.findings.push(Finding::new(
                Code::YamlFeature,
                span,
                "this refers to an anchor that holds it",
            ));
            return self.count(span);
        };
        // Counted before it is copied: a bomb is never unfolded.
        self.nodes = self.nodes.saturating_add(nodes - 1);
        let over = self.count(span);
        if over.is_none() {
            let (node, _) = self.anchors[&anchor].clone();
            self.add(node);
        }
        over
    }

    fn tag(&mut self, tag: Option<&saphyr_parser::Tag>, span: Span) {
        if let Some(tag) = tag {
            self.findings.push(
                Finding::new(
                    Code::YamlFeature,
                    span,
                    format!("the tag `{tag}` has no meaning here"),
                )
                .help("leave it out: hotlines know the type of every field, and keep the text of values as written"),
            );
        }
    }

    fn add(&mut self, node: Node) {
        let Some(open) = self.open.last_mut() else {
            self.root.get_or_insert(node);
            return;
        };
        match &mut open.what {
            Container::Sequence(nodes) => nodes.push(node),
            Container::Mapping { entries, keys, key } => match key.take() {
                None => *key = Some(self::key(node, keys, self.findings)),
                Some(Some(key)) => {
                    // What is left out stands where its key stands.
                    let mut value = node;
                    if value.is_empty() {
                        value.span = key.span;
                    }
                    entries.push(Entry { key, value });
                }
                Some(None) => {}
            },
        }
    }

    fn syntax_error(&self, error: &ScanError) -> Finding {
        let at = self.byte(error.marker().index());
        let line = self.source.line_of(at);
        let text = &self.source.text[line.clone()];
        let rest = self.source.text.get(at..).unwrap_or_default();
        let length = rest
            .chars()
            .next()
            .filter(|c| *c != '\n')
            .map_or(0, char::len_utf8);
        let finding = Finding::new(
            Code::YamlSyntax,
            Span::new(self.file, at..at + length),
            format!("the file cannot be read from here on: {}", in_words(error.info())),
        );
        // The mistake is often on an earlier line of the same flow mapping.
        let above = self.source.line_of(line.start.saturating_sub(1));
        let near = &self.source.text[above.start.min(line.start)..line.end];
        let mend = quoted(near).map(|(part, written)| {
            let start = above.start.min(line.start);
            let span = Span::new(self.file, start + part.start..start + part.end);
            Mend::new("put the expression in quotes", vec![(span, written)]).safe()
        });
        finding.help_if(hint(text, near, error.info())).mend_if(mend)
    }
}

/// Takes the key of an entry; none for one that is left out, after a finding.
fn key(node: Node, keys: &mut HashMap<Arc<str>, Span>, findings: &mut Findings) -> Option<Word> {
    let Some(word) = node.word() else {
        findings.push(
            Finding::new(
                Code::WrongShape,
                node.span,
                format!("a key should be plain text, not {}", node.describe()),
            )
            .help("an expression in braces has to be quoted: \"${…}\""),
        );
        return None;
    };
    if word.as_str() == "<<" && matches!(node.kind, Kind::Scalar { plain: true, .. }) {
        findings.push(
            Finding::new(Code::YamlFeature, word.span, "merge keys are not used here")
                .help("write the fields out, or refer to a whole value by an anchor: `with: *same`"),
        );
        return None;
    }
    if let Some(first) = keys.get(word.as_str()) {
        findings.push(
            Finding::new(
                Code::DuplicateKey,
                word.span,
                format!("`{}` stands here a second time", word.as_str()),
            )
            .label(*first, "the first time")
            .help("leave one of the two, or give one another name"),
        );
        return None;
    }
    keys.insert(word.value.clone(), word.span);
    Some(word)
}

/// Lines like `#: step`, where the `#` key became a comment.
fn comments_for_keys(index: usize, file: &File, findings: &mut Findings) {
    let mut at = 0;
    for line in file.text.split_inclusive('\n') {
        let trimmed = line.trim_start();
        let rest = trimmed.strip_prefix('#').map(str::trim_start);
        if rest.is_some_and(|rest| rest.starts_with(": ")) && line.len() > trimmed.len() {
            let start = at + line.len() - trimmed.len();
            let span: Range<usize> = start..at + line.trim_end().len();
            findings.push(
                Finding::new(
                    Code::BecameComment,
                    Span::new(index, span),
                    "this whole line is a comment, since it begins with `#`",
                )
                .help("put the key in quotes: \"#\": …")
                .mend(Mend::new(
                    "make it the key \"#\"",
                    vec![(Span::new(index, start..start + 1), "\"#\"".to_owned())],
                )),
            );
        }
        at += line.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Files, Sources};

    pub(super) fn read_text(text: &str) -> (Document, Vec<Finding>, Files) {
        let files = Files::new(&Sources::new([("a.yaml", text)]));
        let mut findings = Findings::default();
        let document = read(0, &files.0[0], &mut findings);
        (document, findings.iter().cloned().collect(), files)
    }

    #[test]
    fn every_node_knows_its_text() {
        for text in [
            "热线: \"您好\" # 注释\nlist: [一, 二 ]\nmap: {键: 值}\nblock: |\n  行一\n  行二\n\nlast: x  \n",
            "热线: '您好'\r\nlist:\r\n  - 一\r\n  - 二\r\nlast: x\r\n",
            "\u{feff}热线: 您好\nlast: x\n",
        ] {
            let (document, findings, files) = read_text(text);
            assert!(findings.is_empty() && document.whole, "{findings:?}");
            fn visit(node: &Node, files: &Files, seen: &mut Vec<String>) {
                match &node.kind {
                    Kind::Scalar { .. } => seen.push(files.text(node.span).to_owned()),
                    Kind::Sequence(nodes) => nodes.iter().for_each(|node| visit(node, files, seen)),
                    Kind::Mapping(entries) => {
                        for entry in entries.iter() {
                            assert_eq!(files.text(entry.key.span), &*entry.key.value);
                            visit(&entry.value, files, seen);
                        }
                    }
                }
            }
            let mut seen = Vec::new();
            visit(&document.root.unwrap(), &files, &mut seen);
            assert_eq!(seen.last().unwrap(), "x");
            assert!(seen[0].contains("您好"), "{seen:?}");
        }
    }

    #[test]
    fn a_comment_behind_a_quote_is_no_part_of_it() {
        let text = "a: # why\n  \"x \\\" # 'y\"  # more\nb: 'it''s # '   # last\nc: x \"y\" # no\n";
        let (document, _, files) = read_text(text);
        let root = document.root.unwrap();
        let written = |key| files.text(root.get(key).unwrap().span);
        assert_eq!(written("a"), "\"x \\\" # 'y\"");
        assert_eq!(written("b"), "'it''s # '");
        assert_eq!(written("c"), "x \"y\"");
    }

    #[test]
    fn traps_are_named() {
        for (text, code, help) in [
            ("a: 1\na: 2\n", Code::DuplicateKey, "leave one"),
            ("a: !!str 1\n", Code::YamlFeature, "leave it out"),
            (
                "a: &x {b: c}\nd: {<<: *x}\n",
                Code::YamlFeature,
                "write the fields out",
            ),
            ("keys:\n  1: a\n  #: b\n", Code::BecameComment, "\"#\""),
            ("{ 1: a, #: b }\n", Code::YamlSyntax, "\"#\""),
            ("next: ${a ? b : c}\n", Code::YamlSyntax, "\"${…}\""),
            ("{ when: ${a}, next: b }\n", Code::YamlSyntax, "\"${…}\""),
            ("a:\n\tb: c\n", Code::YamlSyntax, "tab"),
            ("a: 1\n---\nb: 2\n", Code::YamlFeature, "file of its own"),
            ("a: [b\n", Code::YamlSyntax, "bracket"),
            ("? [a]\n: b\n", Code::WrongShape, "quoted"),
            ("a: &x [*x]\n", Code::YamlFeature, ""),
        ] {
            let (_, findings, _) = read_text(text);
            let found = findings
                .iter()
                .any(|finding| finding.code == code && finding.help.concat().contains(help));
            assert!(found, "{text}: {findings:?}");
        }
    }

    #[test]
    fn bombs_do_not_go_off() {
        let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for level in 1..12 {
            let before = format!("*a{},", level - 1).repeat(10);
            bomb.push_str(&format!("a{level}: &a{level} [{before}]\n"));
        }
        let fill = "# ".to_owned() + &"x".repeat(1 << 20) + "\n";
        for text in [
            bomb.clone() + &fill,
            "[".repeat(1 << 20),
            "- ".repeat(1 << 19),
            "{a: ".repeat(1 << 18),
            "x\n".repeat(2 << 20),
            "a: b\n".repeat(200_000),
        ] {
            let (document, findings, _) = read_text(&text);
            assert!(!findings.is_empty());
            drop(document);
        }
    }
}
