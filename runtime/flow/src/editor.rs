//! Help for people who write hotlines in an editor: completion, hover, "go to", references,
//! renaming, outlines and JSON Schema.
//!
//! All of it is pure: texts and interfaces in, plain types out. A language server only
//! translates. Places are bytes of a file. What stands where and what it names comes from
//! the table of the language; whether it is right is the checker's business, so that a
//! hotline with mistakes in it can be navigated and renamed all the same.

mod complete;
mod describe;

mod hover;
mod names;
mod paths;
mod place;
mod rename;
pub mod schema;
#[cfg(test)]
mod testing;

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use trunkline_model::{PluginName, signature::Interface};

use self::names::Names;
pub use self::{
    complete::{Completion, CompletionKind},
    hover::Hover,
    names::{Name, Occurrence},
    rename::{Renamable, RenameError},
};
pub use crate::language::Subject;
use crate::{
    Rules,
    check::{self, FlowTypes, check, check_with},
    diagnostics::{Diagnostic, Findings},
    language::{FileShape, step_verb, walk},
    parse::{Parsed, parse},
    scenario,
    source::{File, Sources, Span},
    yaml::{self, Document, Entry, Kind, Node},
};

/// A hotline as an editor sees it.
pub struct Editor {
    parsed: Parsed,
    interfaces: BTreeMap<PluginName, Arc<Interface>>,
    /// The files of known kinds, by their place among all files.
    documents: Vec<Option<(FileShape, Document)>>,
    types: BTreeMap<Arc<str>, FlowTypes>,
    names: Names,
}

/// A stretch of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The file, relative to the hotline's folder.
    pub file: Arc<str>,
    /// Its bytes.
    pub span: Range<usize>,
}

/// A step of a flow, for an outline of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// The step's name.
    pub name: Arc<str>,
    /// What it does, in a few words: `say welcome`.
    pub detail: String,
    /// The bytes of its name.
    pub name_span: Range<usize>,
    /// The bytes of all of it.
    pub span: Range<usize>,
}

impl Editor {
    /// Reads a hotline's files. Plugins that are not among `interfaces` are known by name
    /// only.
    pub fn new(sources: &Sources, interfaces: BTreeMap<PluginName, Arc<Interface>>) -> Self {
        let parsed = parse(sources);
        let documents: Vec<_> = parsed
            .files
            .0
            .iter()
            .enumerate()
            .map(|(index, file)| {
                let shape = FileShape::of(&file.path)?;
                Some((shape, yaml::read(index, file, &mut Findings::default())))
            })
            .collect();
        let names = Names::new(&parsed.files, &documents);
        let types = check::flow_types(&parsed, &interfaces);
        Self {
            parsed,
            interfaces,
            documents,
            types,
            names,
        }
    }

    /// All that is wrong with the hotline, as `trunkline check` finds it.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        check(&self.parsed, &self.interfaces).diagnostics
    }

    /// What is wrong with the scenarios among some files, by the hotline as it stands; nothing while
    /// it has errors that are not of its rule packs.
    pub fn scenario_diagnostics(&self, sources: &Sources) -> Vec<Diagnostic> {
        if !sources.files.keys().any(|path| scenario::is_scenario(path)) {
            return Vec::new();
        }
        let report = check_with(&self.parsed, &self.interfaces, Rules::Reported);
        let read = |checked| scenario::read(sources, checked, &self.interfaces).diagnostics;
        report.checked.as_ref().map(read).unwrap_or_default()
    }

    /// The hotline's files as they were parsed.
    pub const fn parsed(&self) -> &Parsed {
        &self.parsed
    }

    /// What stands at a place of a file: the name, if it is one that something is called by.
    pub fn name_at(&self, file: &str, byte: usize) -> Option<&Occurrence> {
        let index = self.index(file)?;
        self.names.at(index, byte)
    }

    /// Where the name at a place is declared: a prompt once in each language.
    pub fn definition(&self, file: &str, byte: usize) -> Vec<Location> {
        let Some(occurrence) = self.name_at(file, byte) else {
            return Vec::new();
        };
        let all = self.names.of(&occurrence.name);
        all.filter(|occurrence| occurrence.declares)
            .map(|occurrence| self.location(occurrence.span))
            .collect()
    }

    /// Every place where the name at a place stands.
    pub fn references(&self, file: &str, byte: usize, declarations: bool) -> Vec<Location> {
        let Some(occurrence) = self.name_at(file, byte) else {
            return Vec::new();
        };
        let all = self.names.of(&occurrence.name);
        all.filter(|occurrence| declarations || !occurrence.declares)
            .map(|occurrence| self.location(occurrence.span))
            .collect()
    }

    /// The steps of a flow's file in written order.
    pub fn outline(&self, file: &str) -> Vec<Outline> {
        let Some((FileShape::Flow, document)) = self.document(file) else {
            return Vec::new();
        };
        let Some(steps) = document.root.as_ref().and_then(|root| entry_of(root, "steps")) else {
            return Vec::new();
        };
        let Kind::Mapping(steps) = &steps.value.kind else {
            return Vec::new();
        };
        steps
            .iter()
            .map(|step| {
                let name_span = step.key.span.bytes();
                let end = step.value.span.bytes().end.max(name_span.end);
                Outline {
                    name: step.key.value.clone(),
                    detail: step_in_words(step),
                    span: name_span.start..end,
                    name_span,
                }
            })
            .collect()
    }

    fn index(&self, file: &str) -> Option<usize> {
        self.parsed.files.0.iter().position(|known| &*known.path == file)
    }

    fn file(&self, file: &str) -> Option<&File> {
        self.parsed.files.0.get(self.index(file)?)
    }

    fn document(&self, file: &str) -> Option<(FileShape, &Document)> {
        let (shape, document) = self.documents.get(self.index(file)?)?.as_ref()?;
        Some((*shape, document))
    }

    fn location(&self, span: Span) -> Location {
        Location {
            file: self.parsed.files.of(span).path.clone(),
            span: span.bytes(),
        }
    }

    /// The name of the flow that a file holds.
    fn flow_of(&self, file: &str) -> Option<Arc<str>> {
        let (FileShape::Flow, document) = self.document(file)? else {
            return None;
        };
        let root = document.root.as_ref()?;
        entry_of(root, "flow")?.value.word().map(|word| word.value)
    }

    /// A step of a flow, wherever that is.
    fn step(&self, flow: &str, name: &str) -> Option<&Entry> {
        let documents = self.documents.iter().flatten();
        let roots = documents.filter_map(|(shape, document)| match shape {
            FileShape::Flow => document.root.as_ref(),
            _ => None,
        });
        let root = roots.into_iter().find(|root| {
            entry_of(root, "flow")
                .and_then(|entry| entry.value.word())
                .is_some_and(|word| word.as_str() == flow)
        })?;
        entry_of(&entry_of(root, "steps")?.value, name)
    }

    /// The texts of a prompt by language, in the order of the files.
    fn prompt_texts(&self, key: &str) -> Vec<(Arc<str>, Arc<str>)> {
        let mut texts = Vec::new();
        for (file, document) in self.parsed.files.0.iter().zip(&self.documents) {
            let Some((FileShape::Prompts, document)) = document else {
                continue;
            };
            let Some(entry) = document.root.as_ref().and_then(|root| entry_of(root, key)) else {
                continue;
            };
            let text = entry
                .value
                .word()
                .or_else(|| entry_of(&entry.value, "text").and_then(|text| text.value.word()));
            texts.extend(text.map(|text| (stem(&file.path), text.value)));
        }
        texts
    }

    /// Every key and plain value of a file.
    fn visit<'a>(&'a self, file: &str, see: &mut dyn FnMut(crate::language::Visit<'a>)) {
        if let Some((shape, document)) = self.document(file)
            && let Some(root) = &document.root
        {
            walk(shape, root, see);
        }
    }
}

/// An entry of a mapping.
fn entry_of<'a>(node: &'a Node, name: &str) -> Option<&'a Entry> {
    match &node.kind {
        Kind::Mapping(entries) => entries.iter().find(|entry| entry.key.as_str() == name),
        Kind::Scalar { .. } | Kind::Sequence(_) => None,
    }
}

fn word_of(entries: &[Entry], name: &str) -> Option<crate::source::Word> {
    entries
        .iter()
        .find(|entry| entry.key.as_str() == name)
        .and_then(|entry| entry.value.word())
}

/// A file's name without its folder and `.yaml`.
fn stem(path: &str) -> Arc<str> {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.trim_end_matches(".yaml").into()
}

/// What a step does, in a few words.
fn step_in_words(step: &Entry) -> String {
    let Kind::Mapping(entries) = &step.value.kind else {
        return String::new();
    };
    let Some(verb) = step_verb(entries) else {
        return String::new();
    };
    let word = word_of(entries, verb.field.name).map_or_else(String::new, |word| format!(" {}", word.value));
    format!("{}{word}", verb.field.name)
}
