//! Reading the fields of a mapping, so that every one that is unknown, missing or of
//! another kind is reported once, where it stands.

use std::{cell::RefCell, ops::RangeInclusive, str::FromStr, sync::Arc};

use trunkline_model::{Duration, limits::WAIT_MAX};

use crate::{
    diagnostics::{Code, Finding, Findings, Mend, did_you_mean, one_of},
    source::{Span, Word},
    yaml::{Entry, Kind, Node},
};

/// What a file is read with.
pub(super) struct Reader<'a> {
    pub(super) findings: RefCell<&'a mut Findings>,
}

/// The fields of one mapping.
pub(super) struct Fields<'a> {
    what: &'a str,
    /// Where the mapping is named, for fields that are missing.
    pub(super) span: Span,
    entries: &'a [Entry],
    taken: Vec<&'static str>,
}

impl Reader<'_> {
    pub(super) fn report(&self, finding: Finding) {
        self.findings.borrow_mut().push(finding);
    }

    /// The entries of a mapping; reports anything else. Nothing at all is an empty mapping.
    pub(super) fn entries<'n>(&self, node: &'n Node, what: &str) -> &'n [Entry] {
        match &node.kind {
            Kind::Mapping(entries) => entries,
            _ if node.is_empty() => &[],
            Kind::Scalar { .. } | Kind::Sequence(_) => {
                self.wrong_shape(node, what, "a mapping with `name: value` in it");
                &[]
            }
        }
    }

    pub(super) fn fields<'n>(&self, node: &'n Node, what: &'n str, span: Span) -> Fields<'n> {
        Fields {
            what,
            span,
            entries: self.entries(node, what),
            taken: Vec::new(),
        }
    }

    /// The parts of a list; reports anything else.
    pub(super) fn list<'n>(&self, node: &'n Node, what: &str) -> &'n [Node] {
        match &node.kind {
            Kind::Sequence(nodes) => nodes,
            _ if node.is_empty() => &[],
            Kind::Scalar { .. } | Kind::Mapping(_) => {
                self.wrong_shape(node, what, "a list like `[a, b]`");
                &[]
            }
        }
    }

    /// A plain value; reports anything else, and nothing.
    pub(super) fn word(&self, node: &Node, what: &str) -> Option<Word> {
        match node.word() {
            Some(_) if node.is_empty() => {
                self.report(
                    Finding::new(Code::WrongShape, node.span, format!("{what} is empty")).help(
                        "write its value after the colon; `#` begins a comment, so put it in quotes: \"#\"",
                    ),
                );
                None
            }
            None => {
                self.wrong_shape(node, what, "a plain value");
                None
            }
            word => word,
        }
    }

    fn wrong_shape(&self, node: &Node, what: &str, wanted: &str) {
        let finding = Finding::new(
            Code::WrongShape,
            node.span,
            format!("{what} should be {wanted}, not {}", node.describe()),
        );
        let braces = matches!(&node.kind, Kind::Mapping(_)) && wanted == "a plain value";
        self.report(finding.help_if(
            braces.then(|| "a text with braces or an expression has to be quoted: \"${…}\"".to_owned()),
        ));
    }

    /// Entries whose values are plain: `{ a: b }`.
    pub(super) fn words(&self, node: &Node, what: &str) -> Vec<(Word, Word)> {
        self.entries(node, what)
            .iter()
            .filter_map(|entry| {
                let name = format!("`{}`", entry.key.as_str());
                Some((entry.key.clone(), self.word(&entry.value, &name)?))
            })
            .collect()
    }

    /// Parts of a list that are plain.
    pub(super) fn plain_list(&self, node: &Node, what: &str) -> Vec<Word> {
        self.list(node, what)
            .iter()
            .filter_map(|node| self.word(node, &format!("a part of {what}")))
            .collect()
    }

    /// A value in a written form; reports what is not in it.
    pub(super) fn read<T: FromStr<Err: std::fmt::Display>>(&self, word: &Word, what: &str) -> Option<T> {
        match word.as_str().parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.report(Finding::new(
                    Code::WrongValue,
                    word.span,
                    format!("{what} cannot be `{}`: {error}", word.as_str()),
                ));
                None
            }
        }
    }

    pub(super) fn duration(&self, node: &Node, what: &str, max: Duration) -> Option<Duration> {
        let word = self.word(node, what)?;
        let duration: Duration = word
            .as_str()
            .parse()
            .map_err(|error| {
                let seconds = word.as_str().parse::<u64>().is_ok();
                self.report(
                    Finding::new(Code::WrongValue, word.span, format!("{what}: {error}"))
                        .help_if(seconds.then(|| format!("write the unit: `{}s`", word.as_str())))
                        .mend_if(seconds.then(|| {
                            let written = format!("{}s", word.as_str());
                            Mend::new(format!("write `{written}`"), vec![(word.span, written)])
                        })),
                );
            })
            .ok()?;
        if duration > max || duration == Duration::default() {
            self.report(Finding::new(
                Code::WrongValue,
                word.span,
                format!("{what} should be more than nothing and at most {max}, not {duration}"),
            ));
            return None;
        }
        Some(duration)
    }

    /// A whole number within bounds; reports any other.
    pub(super) fn count(&self, word: &Word, what: &str, bounds: RangeInclusive<u32>) -> Option<u32> {
        let count: u32 = self.read(word, what)?;
        if bounds.contains(&count) {
            return Some(count);
        }
        let message = if count > *bounds.end() {
            format!("{what} may be at most {}", bounds.end())
        } else {
            format!("{what} is at least {}", bounds.start())
        };
        self.report(Finding::new(Code::WrongValue, word.span, message));
        None
    }

    pub(super) fn bool(&self, node: &Node, what: &str) -> Option<bool> {
        let word = self.word(node, what)?;
        match word.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            other => {
                let meant = match other.to_ascii_lowercase().as_str() {
                    "yes" | "on" | "y" | "true" => Some("true"),
                    "no" | "off" | "n" | "false" => Some("false"),
                    _ => None,
                };
                self.report(
                    Finding::new(
                        Code::WrongValue,
                        word.span,
                        format!("{what} should be `true` or `false`, not `{other}`"),
                    )
                    .help_if(meant.map(|meant| format!("write `{meant}`")))
                    .mend_if(meant.map(|meant| {
                        Mend::new(format!("write `{meant}`"), vec![(word.span, meant.to_owned())]).safe()
                    })),
                );
                None
            }
        }
    }
}

impl<'a> Fields<'a> {
    /// The value of a field, if it is there.
    pub(super) fn take(&mut self, name: &'static str) -> Option<&'a Node> {
        self.taken.push(name);
        self.entries
            .iter()
            .find(|entry| entry.key.as_str() == name)
            .map(|entry| &entry.value)
    }

    /// The value of a field that has to be there.
    pub(super) fn need(
        &mut self,
        reader: &Reader<'_>,
        name: &'static str,
        example: &str,
    ) -> Option<&'a Node> {
        let node = self.take(name);
        if node.is_none() {
            reader.report(
                Finding::new(
                    Code::MissingField,
                    self.span,
                    format!("{} needs `{name}`", self.what),
                )
                .help(format!("add a line like `{name}: {example}`")),
            );
        }
        node
    }

    /// A plain field.
    pub(super) fn word(&mut self, reader: &Reader<'_>, name: &'static str) -> Option<Word> {
        reader.word(self.take(name)?, &format!("`{name}`"))
    }

    /// A plain field that has to be there.
    pub(super) fn need_word(
        &mut self,
        reader: &Reader<'_>,
        name: &'static str,
        example: &str,
    ) -> Option<Word> {
        reader.word(self.need(reader, name, example)?, &format!("`{name}`"))
    }

    pub(super) fn duration(&mut self, reader: &Reader<'_>, name: &'static str) -> Option<Duration> {
        reader.duration(self.take(name)?, &format!("`{name}`"), WAIT_MAX)
    }

    pub(super) fn bool(&mut self, reader: &Reader<'_>, name: &'static str) -> bool {
        self.take(name)
            .and_then(|node| reader.bool(node, &format!("`{name}`")))
            .unwrap_or_default()
    }

    pub(super) fn count(&mut self, reader: &Reader<'_>, name: &'static str, default: u32, max: u32) -> u32 {
        self.count_within(reader, name, default, 0..=max)
    }

    /// A whole number within bounds.
    pub(super) fn count_within(
        &mut self,
        reader: &Reader<'_>,
        name: &'static str,
        default: u32,
        bounds: RangeInclusive<u32>,
    ) -> u32 {
        self.word(reader, name)
            .and_then(|word| reader.count(&word, &format!("`{name}`"), bounds))
            .unwrap_or(default)
    }

    /// A field that belongs to another form of the same verb.
    pub(super) fn belongs(&mut self, reader: &Reader<'_>, name: &'static str, owner: &str) {
        self.taken.push(name);
        if let Some(entry) = self.entry(name) {
            reader.report(
                Finding::new(
                    Code::UnknownField,
                    entry.key.span,
                    format!("`{name}` belongs to {owner}"),
                )
                .help("leave it out here"),
            );
        }
    }

    pub(super) fn entry(&self, name: &str) -> Option<&'a Entry> {
        self.entries.iter().find(|entry| entry.key.as_str() == name)
    }

    /// The names of all fields that are there.
    pub(super) fn keys(&self) -> impl Iterator<Item = &'a str> {
        self.entries.iter().map(|entry| entry.key.as_str())
    }

    /// Reports the fields that nobody asked for.
    pub(super) fn finish(self, reader: &Reader<'_>) {
        #[cfg(test)]
        asked_for::note(self.what, &self.taken);
        for entry in self.entries {
            if self.taken.contains(&entry.key.as_str()) {
                continue;
            }
            reader.report(
                Finding::new(
                    Code::UnknownField,
                    entry.key.span,
                    format!("{} has no field `{}`", self.what, entry.key.as_str()),
                )
                .help_if(did_you_mean(
                    "its fields are",
                    entry.key.as_str(),
                    self.taken.iter().copied(),
                )),
            );
        }
    }
}

/// The fields that mappings were asked for, so that the table of the language can be
/// compared with what is read.
#[cfg(test)]
pub(crate) mod asked_for {
    use std::{
        cell::RefCell,
        collections::{BTreeMap, BTreeSet},
    };

    type Asked = BTreeMap<String, BTreeSet<&'static str>>;

    thread_local! {
        static ASKED: RefCell<Option<Asked>> = const { RefCell::new(None) };
    }

    pub(crate) fn begin() {
        ASKED.with_borrow_mut(|asked| *asked = Some(Asked::new()));
    }

    pub(super) fn note(what: &str, taken: &[&'static str]) {
        ASKED.with_borrow_mut(|asked| {
            if let Some(asked) = asked {
                asked.entry(what.to_owned()).or_default().extend(taken);
            }
        });
    }

    pub(crate) fn end() -> Asked {
        ASKED.with_borrow_mut(Option::take).unwrap_or_default()
    }
}

/// What a name has to be like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// `housing-fund`
    Kebab,
    /// `date_of_birth`
    Snake,
    /// As [`Snake`](Self::Snake), where no expression reads the name: then it may be any.
    Field,
}

/// Names that mean something in expressions and may not be variables.
const RESERVED: [&str; 16] = [
    "contact", "calendar", "queue", "feed", "now", "number", "result", "answer", "position", "wait",
    "language", "true", "false", "in", "null", "has",
];

impl Reader<'_> {
    /// Reports a name that is not written as such names are.
    pub(super) fn name(&self, word: &Word, what: &str, style: Style) {
        const CHARS_MAX: usize = 100;
        let name = word.as_str();
        let other = match style {
            Style::Kebab => '-',
            Style::Snake | Style::Field => '_',
        };
        let begins = name.starts_with(|c: char| c.is_alphabetic());
        let fits = begins
            && name.chars().count() <= CHARS_MAX
            && name
                .chars()
                .all(|c| (c.is_alphanumeric() && !c.is_uppercase()) || c == other);
        if !fits {
            let (kind, example) = match style {
                Style::Kebab => ("small letters, digits and hyphens", "housing-fund"),
                Style::Snake | Style::Field => ("small letters, digits and underscores", "date_of_birth"),
            };
            let mended: String = name
                .chars()
                .map(|c| {
                    if matches!(c, '-' | '_' | ' ' | '.') {
                        other
                    } else {
                        c
                    }
                })
                .flat_map(char::to_lowercase)
                .collect();
            let help = if begins && mended != name {
                format!("write `{mended}`")
            } else {
                format!("begin with a letter, as in `{example}`")
            };
            self.report(
                Finding::new(
                    Code::BadName,
                    word.span,
                    format!("`{name}` cannot be the name of {what}: such names have {kind}"),
                )
                .help(help),
            );
        } else if style == Style::Snake && RESERVED.contains(&name) {
            self.report(
                Finding::new(
                    Code::BadName,
                    word.span,
                    format!(
                        "`{name}` has a meaning of its own in expressions and cannot be the name of {what}"
                    ),
                )
                .help(format!(
                    "choose another, such as `my_{name}`; taken are {}",
                    one_of(RESERVED)
                )),
            );
        }
    }
}

/// The part of a path after its last `/`, without `.yaml`.
pub(super) fn stem(path: &str) -> Arc<str> {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.trim_end_matches(".yaml").trim_end_matches(".yml").into()
}
