//! Every place where a name stands: what it names, and whether it is declared there.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Arc,
};

use super::{
    entry_of,
    paths::{Path, expressions, paths},
    word_of,
};
use crate::{
    language::{FileShape, Kind, Role, Subject, Visit, walk},
    source::{Files, Span, Word},
    yaml::{Document, locate},
};

/// What is named.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// What kind of thing it is.
    pub subject: Subject,
    /// The flow that it belongs to, for steps, variables and outputs; the plugin for
    /// functions; empty for all else.
    pub within: Arc<str>,
    /// Its name as it is declared.
    pub name: Arc<str>,
}

/// A place where a name stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// What is named.
    pub name: Name,
    /// Where, quotes left out.
    pub span: Span,
    /// Whether this is where it is declared.
    pub declares: bool,
}

/// All names of a hotline.
#[derive(Default)]
pub(super) struct Names {
    /// In the order of the files.
    all: Vec<Occurrence>,
    by_name: BTreeMap<Name, Vec<usize>>,
    /// The flows that say each prompt.
    pub(super) said_by: BTreeMap<Arc<str>, BTreeSet<Arc<str>>>,
    /// The inputs of each flow.
    inputs: BTreeMap<Arc<str>, BTreeSet<Arc<str>>>,
}

impl Names {
    pub(super) fn new(files: &Files, documents: &[Option<(FileShape, Document)>]) -> Self {
        let mut names = Self::default();
        let mut gatherer = Gatherer {
            files,
            names: &mut names,
            flow: "".into(),
            expressions: Vec::new(),
        };
        for (file, document) in files.0.iter().zip(documents) {
            let Some((shape, Document { root: Some(root), .. })) = document else {
                continue;
            };
            gatherer.flow = match shape {
                FileShape::Flow => entry_of(root, "flow")
                    .and_then(|entry| entry.value.word())
                    .map_or_else(|| file.path.clone(), |word| word.value),
                _ => "".into(),
            };
            walk(*shape, root, &mut |visit| gatherer.see(&visit));
        }
        gatherer.finish();
        names
            .all
            .sort_by_key(|occurrence| (occurrence.span, occurrence.name.clone()));
        names.all.dedup();
        for (index, occurrence) in names.all.iter().enumerate() {
            names
                .by_name
                .entry(occurrence.name.clone())
                .or_default()
                .push(index);
        }
        names
    }

    /// The name at a byte of a file; the end of a name belongs to it.
    pub(super) fn at(&self, file: usize, byte: usize) -> Option<&Occurrence> {
        self.all.iter().find(|occurrence| {
            let bytes = occurrence.span.bytes();
            occurrence.span.file as usize == file && bytes.start <= byte && byte <= bytes.end
        })
    }

    /// Every place where a name stands.
    pub(super) fn of(&self, name: &Name) -> impl Iterator<Item = &Occurrence> {
        let places = self.by_name.get(name).into_iter().flatten();
        places.map(|index| &self.all[*index])
    }

    /// All names of a kind, within a flow where they belong to one, in alphabetical order.
    pub(super) fn list(&self, subject: Subject, within: &str) -> BTreeSet<Arc<str>> {
        let names = self.by_name.keys();
        names
            .filter(|name| name.subject == subject && &*name.within == within)
            .map(|name| name.name.clone())
            .collect()
    }

    /// All names of a kind that are declared.
    pub(super) fn declared(&self, subject: Subject, within: &str) -> Vec<Arc<str>> {
        let mut found: Vec<Arc<str>> = Vec::new();
        for occurrence in &self.all {
            let name = &occurrence.name;
            if occurrence.declares && name.subject == subject && &*name.within == within {
                found.push(name.name.clone());
            }
        }
        let mut seen = BTreeSet::new();
        found.retain(|name| seen.insert(name.clone()));
        found
    }

    /// The variables of a flow that are inputs.
    pub(super) fn inputs(&self, flow: &str) -> BTreeSet<&str> {
        let inputs = self.inputs.get(flow).into_iter().flatten();
        inputs.map(|name| &**name).collect()
    }

    /// The prompt whose text in a table of prompts holds a place.
    pub(super) fn prompt_at(&self, span: Span) -> Option<&Arc<str>> {
        // The key is the last prompt declared before the place.
        self.all
            .iter()
            .rev()
            .find(|occurrence| {
                occurrence.declares
                    && occurrence.name.subject == Subject::Prompt
                    && occurrence.span.file == span.file
                    && occurrence.span.start < span.start
            })
            .map(|occurrence| &occurrence.name.name)
    }

    pub(super) fn declares(&self, name: &Name) -> bool {
        self.of(name).any(|occurrence| occurrence.declares)
    }
}

struct Gatherer<'n> {
    files: &'n Files,
    names: &'n mut Names,
    /// The flow that the file holds; empty in other files.
    flow: Arc<str>,
    /// Texts with expressions, looked at when all declarations are known.
    expressions: Vec<(Word, Text)>,
}

/// Whose names a text with expressions uses.
struct Text {
    template: bool,
    flow: Arc<str>,
    /// The prompt that it is, in a table of prompts.
    prompt: Option<Arc<str>>,
    /// The flow whose outputs `result` has.
    result: Option<Arc<str>>,
}

impl Gatherer<'_> {
    fn see(&mut self, visit: &Visit<'_>) {
        if visit.empty {
            return;
        }
        match visit.role {
            Role::Key(kind) | Role::Word(kind) => self.kind(kind, visit),
            Role::Field { .. } | Role::Stub(_) => {}
        }
    }

    fn kind(&mut self, kind: Kind, visit: &Visit<'_>) {
        let word = &visit.word;
        match kind {
            Kind::Names(Subject::Function) => {
                let Some((plugin, function)) = word.value.split_once('.') else {
                    self.add(Subject::Plugin, "".into(), word.value.clone(), word.span, false);
                    return;
                };
                let (plugin, function): (Arc<str>, Arc<str>) = (plugin.into(), function.into());
                let dot = plugin.len();
                let before = self.part(word, 0..dot);
                let after = self.part(word, dot + 1..word.value.len());
                self.add(Subject::Plugin, "".into(), plugin.clone(), before, false);
                self.add(Subject::Function, plugin, function, after, false);
            }
            Kind::Names(Subject::Variable) if word.as_str() == "language" => {}
            Kind::Names(subject) => {
                if subject == Subject::Prompt && !self.flow.is_empty() {
                    let flows = self.names.said_by.entry(word.value.clone()).or_default();
                    flows.insert(self.flow.clone());
                }
                self.add_word(subject, word, false);
            }
            Kind::Declares(subject) => {
                if visit.under.is_some_and(|under| under.as_str() == "inputs") {
                    let inputs = self.names.inputs.entry(self.flow.clone()).or_default();
                    inputs.insert(word.value.clone());
                }
                self.add_word(subject, word, true);
            }
            Kind::Argument => {
                if let Some(flow) = word_of(visit.owner, "run") {
                    self.add(
                        Subject::Variable,
                        flow.value,
                        word.value.clone(),
                        word.span,
                        false,
                    );
                }
            }
            Kind::Type => {
                let mut at = 0;
                for part in word
                    .value
                    .split(|c: char| !c.is_alphanumeric() && !"-_.".contains(c))
                {
                    if let Some((plugin, _)) = part.split_once('.') {
                        let span = self.part(word, at..at + plugin.len());
                        self.add(Subject::Plugin, "".into(), plugin.into(), span, false);
                    }
                    // One byte for the sign between two parts: `<`, `>`, `?`, `,` or a space.
                    at += part.len() + 1;
                }
            }
            Kind::Condition | Kind::Value => {
                let saved = visit.under.is_some_and(|under| under.as_str() == "save");
                let result = word_of(visit.owner, "run")
                    .filter(|_| saved)
                    .map(|word| word.value);
                self.expressions.push((
                    word.clone(),
                    Text {
                        template: false,
                        flow: self.flow.clone(),
                        prompt: None,
                        result,
                    },
                ));
            }
            Kind::Template => {
                let key = visit
                    .siblings
                    .iter()
                    .find(|entry| entry.value.span == word.span)
                    .map(|entry| entry.key.value.clone());
                self.expressions.push((
                    word.clone(),
                    Text {
                        template: true,
                        flow: self.flow.clone(),
                        prompt: key.filter(|_| self.flow.is_empty()),
                        result: None,
                    },
                ));
            }
            Kind::Exit
            | Kind::Outcome
            | Kind::Duration
            | Kind::Whole
            | Kind::Decimal
            | Kind::Bool
            | Kind::Choice(_)
            | Kind::Key
            | Kind::Text(_) => {}
        }
    }

    fn finish(mut self) {
        let declared: BTreeSet<Name> = self
            .names
            .all
            .iter()
            .filter(|occurrence| occurrence.declares)
            .map(|occurrence| occurrence.name.clone())
            .collect();
        for (word, text) in std::mem::take(&mut self.expressions) {
            let flows: Vec<Arc<str>> = match &text.prompt {
                Some(prompt) => self
                    .names
                    .said_by
                    .get(prompt)
                    .into_iter()
                    .flatten()
                    .cloned()
                    .collect(),
                None => vec![text.flow.clone()],
            };
            for range in expressions(&word.value, text.template) {
                for path in paths(&word.value, range) {
                    self.path(&word, &path, &text, &flows, &declared);
                }
            }
        }
    }

    fn path(
        &mut self,
        word: &Word,
        path: &Path<'_>,
        text: &Text,
        flows: &[Arc<str>],
        declared: &BTreeSet<Name>,
    ) {
        let (root, range) = &path.parts[0];
        let second = path.parts.get(1);
        match (*root, second) {
            ("calendar" | "queue", Some((name, range))) => {
                let subject = if *root == "calendar" {
                    Subject::Calendar
                } else {
                    Subject::Queue
                };
                // Names are written with underscores there.
                let name = declared
                    .iter()
                    .find(|known| known.subject == subject && known.name.replace('-', "_") == *name)
                    .map_or_else(|| (*name).into(), |known| known.name.clone());
                let span = self.part(word, range.clone());
                self.add(subject, "".into(), name, span, false);
            }
            ("result", Some((name, range))) => {
                if let Some(flow) = &text.result {
                    let span = self.part(word, range.clone());
                    self.add(Subject::Output, flow.clone(), (*name).into(), span, false);
                }
            }
            (root, _) => {
                for flow in flows {
                    let name = Name {
                        subject: Subject::Variable,
                        within: flow.clone(),
                        name: root.into(),
                    };
                    if declared.contains(&name) {
                        let span = self.part(word, range.clone());
                        self.add(name.subject, name.within, name.name, span, false);
                    }
                }
            }
        }
    }

    fn add_word(&mut self, subject: Subject, word: &Word, declares: bool) {
        let within = match subject {
            Subject::Step | Subject::Variable | Subject::Output => self.flow.clone(),
            _ => "".into(),
        };
        let span = self.part(word, 0..word.value.len());
        self.add(subject, within, word.value.clone(), span, declares);
    }

    fn add(&mut self, subject: Subject, within: Arc<str>, name: Arc<str>, span: Span, declares: bool) {
        self.names.all.push(Occurrence {
            name: Name {
                subject,
                within,
                name,
            },
            span,
            declares,
        });
    }

    /// The place of a part of a word, inside its quotes.
    fn part(&self, word: &Word, part: Range<usize>) -> Span {
        locate(&self.files.of(word.span).text, word.span, &word.value, part)
    }
}
