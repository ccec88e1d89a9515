//! A YAML file in pieces that keep all that people wrote: comments, empty lines, quotes,
//! anchors.

use std::collections::VecDeque;

use saphyr_parser::{Event, Parser, ScalarStyle};

use crate::yaml;

/// A file.
pub(super) struct Pieces {
    /// Whether it begins with `---`.
    pub(super) explicit: bool,
    pub(super) root: Option<Piece>,
    /// What stands before its first value.
    pub(super) lead: Lead,
    /// Comments after all else.
    pub(super) tail: Lead,
    comments: Vec<String>,
}

/// A value.
pub(super) struct Piece {
    pub(super) anchor: Option<String>,
    pub(super) what: What,
    /// The comment behind it, on its last line.
    pub(super) note: Option<String>,
}

pub(super) enum What {
    /// Nothing.
    Empty,
    /// A scalar or an alias on one line, as it is written.
    Word(String),
    /// A scalar over several lines that are folded; the lines without their indentation.
    Folded(Vec<String>),
    /// A block scalar: its first line, and the others without their indentation.
    Block {
        header: String,
        /// The indentation that the header names, if it names one.
        indent: Option<usize>,
        lines: Vec<String>,
    },
    Sequence {
        flow: bool,
        items: Vec<Item>,
        tail: Lead,
    },
    Mapping {
        flow: bool,
        entries: Vec<Entry>,
        tail: Lead,
    },
}

pub(super) struct Item {
    pub(super) lead: Lead,
    pub(super) value: Piece,
}

pub(super) struct Entry {
    pub(super) lead: Lead,
    pub(super) key: String,
    /// The comment behind the key.
    pub(super) key_note: Option<String>,
    pub(super) value: Piece,
}

/// What stands before something on lines of its own.
#[derive(Default)]
pub(super) struct Lead {
    /// Comments, and whether an empty line stands before each.
    pub(super) comments: Vec<(bool, String)>,
    /// Whether an empty line stands before the thing itself.
    pub(super) blank: bool,
}

impl Lead {
    pub(super) const fn is_empty(&self) -> bool {
        self.comments.is_empty()
    }
}

/// A part of YAML that is not formatted, and where it is.
#[derive(Debug)]
pub(super) struct Unfit {
    pub(super) at: usize,
    pub(super) what: &'static str,
}

enum Kind {
    Scalar { value: String, style: ScalarStyle },
    Alias,
    Sequence,
    Mapping,
    End,
}

struct Happening {
    kind: Kind,
    anchored: bool,
    start: usize,
    end: usize,
}

struct Comment {
    at: usize,
    text: String,
}

struct Reader<'t> {
    text: &'t str,
    happenings: VecDeque<Happening>,
    comments: VecDeque<Comment>,
    anchors: VecDeque<String>,
    /// Where scalars and aliases begin, in order.
    tokens: VecDeque<usize>,
}

impl Pieces {
    pub(super) fn read(text: &str) -> Result<Self, Unfit> {
        let offsets: Vec<usize> = text
            .char_indices()
            .map(|(at, _)| at)
            .chain([text.len()])
            .collect();
        let byte = |character: usize| offsets.get(character).copied().unwrap_or(text.len());
        let mut explicit = false;
        let mut happenings = VecDeque::new();
        let mut parser = Parser::new_from_str(text);
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|_| Unfit {
                at: 0,
                what: "what cannot be read",
            })?;
            let (start, end) = (byte(span.start.index()), byte(span.end.index()));
            let (kind, anchor) = match event {
                Event::DocumentStart(written) => {
                    explicit = written;
                    if written && !text[..start].trim_start().is_empty() && text[..start].contains("\n%") {
                        return Err(Unfit {
                            at: 0,
                            what: "a directive",
                        });
                    }
                    continue;
                }
                Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => continue,
                Event::Alias(_) => (Kind::Alias, 0),
                Event::Scalar(value, style, anchor, _) => {
                    let value = value.into_owned();
                    (Kind::Scalar { value, style }, anchor)
                }
                Event::SequenceStart(anchor, _) => (Kind::Sequence, anchor),
                Event::MappingStart(anchor, _) => (Kind::Mapping, anchor),
                Event::SequenceEnd | Event::MappingEnd => (Kind::End, 0),
            };
            let mut happening = Happening {
                kind,
                anchored: anchor > 0,
                start,
                end,
            };
            if happening.anchored {
                // What has an anchor begins behind it.
                happening.start = behind_anchor(text, happening.start);
                happening.end = happening.end.max(happening.start);
            }
            if let Kind::Scalar { style, .. } = &happening.kind
                && matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted)
                && let Some(end) = yaml::quoted_end(text, happening.start)
            {
                happening.end = end;
            }
            let (start, end) = (happening.start, happening.end);
            if let Kind::Scalar {
                value,
                style: ScalarStyle::Plain,
            } = &happening.kind
                && (value.is_empty() || value == "~" && !text[start..end].starts_with('~'))
            {
                // What is left out is nowhere, though the parser may see it in what follows.
                happening.end = happening.start;
                happenings.push_back(happening);
                continue;
            }
            if let Kind::Scalar { style, .. } = &happening.kind {
                let written = &text[start..end];
                happening.end = start + written.trim_end().len();
                if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
                    // From the sign on, whatever the scanner calls its beginning.
                    let line = text[..start].rfind(['|', '>']);
                    if !written.starts_with(['|', '>'])
                        && let Some(sign) = line
                    {
                        happening.start = sign;
                    }
                    happening.end = happening.end.max(happening.start);
                }
            }
            happenings.push_back(happening);
        }
        if text.starts_with('%') {
            return Err(Unfit {
                at: 0,
                what: "a directive",
            });
        }
        let mut reader = Reader {
            text,
            tokens: happenings
                .iter()
                .filter(|happening| {
                    happening.start < happening.end
                        && matches!(happening.kind, Kind::Scalar { .. } | Kind::Alias)
                })
                .map(|happening| happening.start)
                .collect(),
            happenings,
            comments: VecDeque::new(),
            anchors: VecDeque::new(),
        };
        reader.gaps()?;
        let all = reader
            .comments
            .iter()
            .map(|comment| comment.text.clone())
            .collect();
        let (lead, root) = match reader.happenings.pop_front() {
            None => (Lead::default(), None),
            Some(first) => {
                let lead = reader.lead(first.start);
                (lead, Some(reader.piece(first, false, None)?))
            }
        };
        let tail = reader.rest(usize::MAX, 0);
        Ok(Self {
            explicit,
            root,
            lead,
            tail,
            comments: all,
        })
    }

    /// All comments between values, in order.
    pub(super) fn comments(&self) -> &[String] {
        &self.comments
    }
}

/// Where the value begins whose anchor is at a place, if there is one.
fn behind_anchor(text: &str, start: usize) -> usize {
    let rest = &text[start..];
    if !rest.starts_with('&') {
        return start;
    }
    let mut at = start
        + rest
            .find(|c: char| c.is_whitespace() || ",[]{}".contains(c))
            .unwrap_or(rest.len());
    loop {
        let rest = &text[at..];
        let skipped = rest.len() - rest.trim_start().len();
        at += skipped;
        if skipped > 0 && text[at..].starts_with('#') {
            at += text[at..].find('\n').unwrap_or(text.len() - at);
        } else {
            return at;
        }
    }
}

impl Reader<'_> {
    /// Finds comments and anchors in the text between scalars and aliases.
    fn gaps(&mut self) -> Result<(), Unfit> {
        let text = self.text;
        let mut at = 0;
        let mut ends: Vec<(usize, usize)> = self
            .happenings
            .iter()
            .filter(|happening| {
                happening.start < happening.end && matches!(happening.kind, Kind::Scalar { .. } | Kind::Alias)
            })
            .map(|happening| (happening.start, happening.end))
            .collect();
        ends.push((text.len(), text.len()));
        for (start, end) in ends {
            if start < at {
                return Err(Unfit {
                    at: start,
                    what: "what stands here",
                });
            }
            let mut here = at;
            while here < start {
                let rest = &text[here..start];
                let Some(c) = rest.chars().next() else { break };
                let begins = text[..here].chars().next_back().is_none_or(char::is_whitespace);
                match c {
                    '#' if begins => {
                        let line = text[here..].find('\n').map_or(text.len(), |length| here + length);
                        self.comments.push_back(Comment {
                            at: here,
                            text: text[here..line].trim_end().to_owned(),
                        });
                        here = line;
                    }
                    '&' => {
                        let length = rest
                            .find(|c: char| c.is_whitespace() || ",[]{}".contains(c))
                            .unwrap_or(rest.len());
                        self.anchors.push_back(rest[..length].to_owned());
                        here += length;
                    }
                    c => here += c.len_utf8(),
                }
            }
            at = end;
        }
        Ok(())
    }

    fn line_start(&self, at: usize) -> usize {
        self.text[..at.min(self.text.len())]
            .rfind('\n')
            .map_or(0, |line| line + 1)
    }

    /// Whether an empty line stands above the line of a place.
    fn blank_above(&self, at: usize) -> bool {
        let line = self.line_start(at);
        // Something that shares its line with what stands before it has nothing above it.
        let first = self.text[line..at].chars().all(|c| c == ' ' || c == '-');
        let Some(above) = line.checked_sub(1) else {
            return false;
        };
        first && self.text[self.line_start(above)..above].trim().is_empty()
    }

    /// The comments before a place, and the empty lines between them.
    fn lead(&mut self, before: usize) -> Lead {
        let mut comments = Vec::new();
        while self.comments.front().is_some_and(|comment| comment.at < before) {
            if let Some(comment) = self.comments.pop_front() {
                comments.push((self.blank_above(comment.at), comment.text));
            }
        }
        Lead {
            comments,
            blank: before < self.text.len() && self.blank_above(before),
        }
    }

    /// The comments before a place that stand at least so far to the right.
    fn rest(&mut self, before: usize, column: usize) -> Lead {
        let mut comments = Vec::new();
        while let Some(comment) = self.comments.front() {
            let own = self.text[self.line_start(comment.at)..comment.at]
                .trim()
                .is_empty();
            let at = comment.at - self.line_start(comment.at);
            if comment.at >= before || own && at < column {
                break;
            }
            if let Some(comment) = self.comments.pop_front() {
                comments.push((self.blank_above(comment.at), comment.text));
            }
        }
        Lead {
            comments,
            blank: false,
        }
    }

    /// The comment that stands behind a place on the same line, with nothing between but
    /// what separates values.
    fn note(&mut self, end: usize) -> Option<String> {
        let comment = self.comments.front()?;
        let between = self.text.get(end..comment.at)?;
        let next = self.tokens.front().copied().unwrap_or(usize::MAX);
        if between.contains(['\n', '}', ']']) || next < comment.at {
            return None;
        }
        self.comments.pop_front().map(|comment| comment.text)
    }

    fn next(&mut self) -> Option<Happening> {
        self.happenings.pop_front()
    }

    /// Where the next scalar or alias begins.
    fn next_token(&self) -> usize {
        self.tokens.front().copied().unwrap_or(self.text.len())
    }

    fn took(&mut self, happening: &Happening) {
        if happening.start < happening.end {
            self.tokens.pop_front();
        }
    }

    /// A value that begins with a happening. `parent` is the column of the mapping that it is
    /// in.
    fn piece(&mut self, first: Happening, in_flow: bool, parent: Option<usize>) -> Result<Piece, Unfit> {
        let anchor = first.anchored.then(|| self.anchors.pop_front()).flatten();
        let what = match &first.kind {
            Kind::Alias => What::Word(self.text[first.start..first.end].to_owned()),
            Kind::Scalar { value, style } => self.scalar(&first, value, *style)?,
            Kind::Sequence => self.sequence(&first, in_flow, parent)?,
            Kind::Mapping => self.mapping(&first, in_flow)?,
            Kind::End => {
                return Err(Unfit {
                    at: first.start,
                    what: "what stands here",
                });
            }
        };
        let note = match &first.kind {
            Kind::Alias | Kind::Scalar { .. } => {
                self.took(&first);
                if first.start < first.end {
                    self.note(first.end)
                } else {
                    None
                }
            }
            // Taken where it ends.
            _ => None,
        };
        let (what, note) = match what {
            What::Sequence {
                flow,
                items,
                mut tail,
            } if flow => {
                let note = tail.comments.pop_if(|(_, text)| text.starts_with('\0'));
                (
                    What::Sequence { flow, items, tail },
                    note.map(|(_, text)| text[1..].to_owned()),
                )
            }
            What::Mapping {
                flow,
                entries,
                mut tail,
            } if flow => {
                let note = tail.comments.pop_if(|(_, text)| text.starts_with('\0'));
                (
                    What::Mapping { flow, entries, tail },
                    note.map(|(_, text)| text[1..].to_owned()),
                )
            }
            what => (what, note),
        };
        Ok(Piece { anchor, what, note })
    }

    fn scalar(&self, first: &Happening, value: &str, style: ScalarStyle) -> Result<What, Unfit> {
        let written = &self.text[first.start..first.end];
        if written.is_empty() {
            return Ok(What::Empty);
        }
        if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
            let mut lines = written.split('\n');
            let header = lines.next().unwrap_or_default().trim_end().to_owned();
            let sign = header.split('#').next().unwrap_or_default();
            let indent = sign
                .chars()
                .find_map(|c| c.to_digit(10))
                .map(|digit| digit as usize);
            let leading = |line: &str| line.len() - line.trim_start_matches(' ').len();
            let rest: Vec<&str> = lines.collect();
            let base = rest
                .iter()
                .find(|line| !line.trim().is_empty())
                .map_or(0, |line| {
                    let inside = value
                        .lines()
                        .find(|line| !line.trim().is_empty())
                        .map_or(0, leading);
                    leading(line).saturating_sub(inside)
                });
            let mut lines: Vec<String> = rest
                .into_iter()
                .map(|line| line.get(base.min(leading(line))..).unwrap_or_default().to_owned())
                .collect();
            if sign.contains('+') {
                // Empty lines at the end count.
                let kept = value.len() - value.trim_end_matches('\n').len();
                lines.extend(std::iter::repeat_n(String::new(), kept.saturating_sub(1)));
            }
            return Ok(What::Block {
                header,
                indent,
                lines,
            });
        }
        if written.contains('\n') {
            let mut lines: Vec<String> = Vec::new();
            let count = written.split('\n').count();
            for (index, line) in written.split('\n').enumerate() {
                let line = if index == 0 {
                    line
                } else {
                    line.trim_start_matches([' ', '\t'])
                };
                let cut = line.trim_end_matches([' ', '\t']);
                let escaped = cut.len() - cut.trim_end_matches('\\').len();
                // A space behind a backslash is one that is meant.
                let keep = index + 1 == count || escaped % 2 == 1 && cut.len() < line.len();
                lines.push(if keep { line } else { cut }.to_owned());
            }
            return Ok(What::Folded(lines));
        }
        Ok(What::Word(written.to_owned()))
    }

    fn column(&self, at: usize) -> usize {
        at - self.line_start(at)
    }

    fn sequence(&mut self, first: &Happening, in_flow: bool, parent: Option<usize>) -> Result<What, Unfit> {
        let flow = in_flow || self.text[first.start..].starts_with('[');
        let mut items = Vec::new();
        while let Some(next) = self.next() {
            if let Kind::End = next.kind {
                let tail = self.ending(&next, flow, self.column(first.start), parent);
                return Ok(What::Sequence { flow, items, tail });
            }
            let begins = self.begins(&next);
            let lead = self.lead(begins);
            let value = self.piece(next, flow, None)?;
            items.push(Item { lead, value });
        }
        Err(Unfit {
            at: first.start,
            what: "a list without an end",
        })
    }

    fn mapping(&mut self, first: &Happening, in_flow: bool) -> Result<What, Unfit> {
        let flow = in_flow || self.text[first.start..].starts_with('{');
        let mut entries = Vec::new();
        let mut column = None;
        while let Some(next) = self.next() {
            match &next.kind {
                Kind::End => {
                    let tail = self.ending(&next, flow, column.unwrap_or_default(), None);
                    return Ok(What::Mapping { flow, entries, tail });
                }
                Kind::Scalar { .. } if next.start < next.end => {}
                _ => {
                    return Err(Unfit {
                        at: next.start,
                        what: "a key that is no plain text",
                    });
                }
            }
            let written = &self.text[next.start..next.end];
            if written.contains('\n') || next.anchored {
                return Err(Unfit {
                    at: next.start,
                    what: "a key over several lines, or with an anchor,",
                });
            }
            let column = *column.get_or_insert_with(|| self.column(next.start));
            let lead = self.lead(next.start);
            let key = written.to_owned();
            self.took(&next);
            let key_note = self.note(next.end);
            let Some(value) = self.next() else { break };
            let value = self.piece(value, flow, Some(column))?;
            entries.push(Entry {
                lead,
                key,
                key_note,
                value,
            });
        }
        Err(Unfit {
            at: first.start,
            what: "a mapping without an end",
        })
    }

    /// Where an item of a list begins, comments before it left out: at its first token, or,
    /// when it has none, where the parser saw it.
    fn begins(&self, next: &Happening) -> usize {
        match next.kind {
            Kind::Scalar { .. } | Kind::Alias => next.start,
            _ => {
                let open = self.text[next.start..].starts_with(['{', '[']);
                if open {
                    next.start
                } else {
                    self.next_token().max(next.start)
                }
            }
        }
    }

    /// The comments that belong to the end of a list or mapping. The comment behind its
    /// closing bracket comes last, marked.
    fn ending(&mut self, end: &Happening, flow: bool, column: usize, parent: Option<usize>) -> Lead {
        if flow {
            let closing = |c: char| c == '}' || c == ']';
            // Where the bracket stands, on whichever side of the place the parser saw it.
            let close = if self.text[end.start..].starts_with(closing) {
                Some(end.start)
            } else {
                let before = self.text[..end.end].trim_end();
                before.ends_with(closing).then(|| before.len() - 1)
            };
            let Some(close) = close else {
                return Lead::default();
            };
            let mut tail = self.rest(close, 0);
            if let Some(note) = self.note(close + 1) {
                tail.comments.push((false, format!("\0{note}")));
            }
            return tail;
        }
        // A list that is not indented leaves what stands at its column to what follows.
        let column = if parent == Some(column) {
            column + 1
        } else {
            column
        };
        if column == 0 {
            return Lead::default();
        }
        let before = self.next_token();
        self.rest(before, column)
    }
}
