//! YAML as hotlines use it: mappings, lists and scalars that keep their source text.
//!
//! Only the scanner of the YAML library is used; the tree is our own, since it has to know
//! where everything stands, give no scalar another type than text, report duplicate keys,
//! and refuse bombs while they are read.

use std::{collections::HashMap, ops::Range, sync::Arc};

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError};

use crate::{
    diagnostics::{Code, Finding, Findings},
    limits::{FILE_BYTES_MAX, YAML_DEPTH_MAX, YAML_NODES_MAX},
    source::{File, Span, Word},
};

/// A part of a YAML file.
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
    Sequence(Vec<Node>),
    Mapping(Vec<Entry>),
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
                    let span = self.trimmed(span);
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
                (Kind::Sequence(nodes), end)
            }
            Container::Mapping { entries, .. } => {
                let end = entries
                    .last()
                    .map(|entry| entry.value.span.bytes().end.max(entry.key.span.bytes().end));
                (Kind::Mapping(entries), end)
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
        finding.help_if(hint(text, near, error.info()))
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

/// What the scanner says, in the words of people who write hotlines.
fn in_words(info: &str) -> &str {
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
fn hint(line: &str, near: &str, info: &str) -> Option<String> {
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
                .help("put the key in quotes: \"#\": …"),
            );
        }
        at += line.len();
    }
}

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
    use super::*;
    use crate::source::{Files, Sources};

    fn read_text(text: &str) -> (Document, Vec<Finding>, Files) {
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
                        for entry in entries {
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
