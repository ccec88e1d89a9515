//! Completion: what may stand at the cursor.

mod expressions;

use std::{collections::BTreeSet, ops::Range, sync::Arc};

use trunkline_model::{FaultKind, Signature};

use super::{
    Editor, describe, hover,
    place::{Place, name_around},
    step_in_words, word_of,
};
use crate::{
    language::{Field, Kind, Mapping, Role, Shape, Subject, Verb},
    yaml,
};

/// Something that may stand at the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// What is shown, and what is typed to find it.
    pub label: String,
    /// What it is.
    pub kind: CompletionKind,
    /// More of it, on the same line.
    pub detail: Option<String>,
    /// What it is for, in Markdown.
    pub docs: Option<String>,
    /// What is written.
    pub insert: String,
    /// The bytes of the file that it takes the place of.
    pub replace: Range<usize>,
}

/// What a completion is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompletionKind {
    /// A field of the language.
    Field,
    /// A verb of a step.
    Verb,
    /// The name of something that the hotline has.
    Name(Subject),
    /// A parameter of a function, or an input of a flow.
    Argument,
    /// A way out of a step.
    Exit,
    /// A type.
    Type,
    /// A word that a field takes.
    Word,
    /// A field of a value.
    Member,
    /// A function of expressions.
    Function,
}

/// A candidate before it has a place.
struct Candidate {
    label: String,
    kind: CompletionKind,
    detail: Option<String>,
    docs: Option<String>,
}

impl Candidate {
    fn new(label: impl Into<String>, kind: CompletionKind) -> Self {
        Self {
            label: label.into(),
            kind,
            detail: None,
            docs: None,
        }
    }

    fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    fn docs(mut self, docs: impl Into<Option<String>>) -> Self {
        self.docs = docs.into();
        self
    }
}

impl Editor {
    /// What may stand at a byte of a file.
    pub fn completions(&self, path: &str, byte: usize) -> Vec<Completion> {
        let Some(place) = self.place(path, byte) else {
            return Vec::new();
        };
        let Some(file) = self.file(path) else {
            return Vec::new();
        };
        let (candidates, signs) = if let Some(candidates) = self.expression_at(&place) {
            (candidates, "_")
        } else {
            let candidates = match place.role {
                Role::Field { mapping, verb } => fields(&place, mapping, verb),
                Role::Key(kind) | Role::Word(kind) => self.of_kind(&place, kind),
                Role::Stub(shape) => self.of_shape(&place, shape),
            };
            (candidates, "-_.*#")
        };
        let replace = name_around(&file.text, byte, signs);
        let key_wanted = |kind: CompletionKind| match (place.role, kind) {
            (Role::Field { .. } | Role::Key(_), _) => true,
            (Role::Stub(_), CompletionKind::Field | CompletionKind::Verb) => true,
            (Role::Stub(shape), kind) => takes_keys(shape) && !matches!(kind, CompletionKind::Word),
            (Role::Word(_), _) => false,
        };
        let mut seen = BTreeSet::new();
        let mut completions = Vec::new();
        for candidate in candidates {
            if !seen.insert(candidate.label.clone()) {
                continue;
            }
            let written = if matches!(candidate.label.as_str(), "#" | "*") && !place.before.contains('"') {
                format!("\"{}\"", candidate.label)
            } else {
                candidate.label.clone()
            };
            let insert = if key_wanted(candidate.kind) && !place.colon {
                format!("{written}: ")
            } else {
                written
            };
            completions.push(Completion {
                label: candidate.label,
                kind: candidate.kind,
                detail: candidate.detail,
                docs: candidate.docs,
                insert,
                replace: replace.clone(),
            });
        }
        completions
    }

    /// What may stand where something of a shape is wanted.
    fn of_shape(&self, place: &Place, shape: &'static Shape) -> Vec<Candidate> {
        match shape {
            Shape::Word(kind) => self.of_kind(place, *kind),
            Shape::Mapping(mapping) => {
                let inside = place.inside();
                fields(&inside, mapping, None)
            }
            Shape::Entries { key, .. } => {
                let inside = place.inside();
                self.of_kind(&inside, *key)
            }
            Shape::Besides {
                fields: known, key, ..
            } => {
                let inside = place.inside();
                let mut candidates = self.of_kind(&inside, *key);
                candidates.extend(fields(&inside, known, None));
                candidates
            }
            Shape::List(inside) => self.of_shape(place, inside),
            Shape::Either(several) => several
                .iter()
                .flat_map(|shape| self.of_shape(place, shape))
                .collect(),
            Shape::Value => Vec::new(),
        }
    }

    fn of_kind(&self, place: &Place, kind: Kind) -> Vec<Candidate> {
        let given: BTreeSet<&str> = place.siblings.iter().map(|entry| entry.key.as_str()).collect();
        let mut candidates = match kind {
            Kind::Names(subject) => self.named(place, subject),
            Kind::Declares(Subject::Prompt) => self.prompts(),
            Kind::Argument => self.arguments(place),
            Kind::Exit => self.exits(place),
            Kind::Outcome => {
                let types = self.types.get(&*place.flow);
                let known = types.into_iter().flat_map(|types| types.outcomes.iter());
                known
                    .map(ToString::to_string)
                    .chain(["completed".to_owned()])
                    .map(|name| Candidate::new(name, CompletionKind::Word))
                    .collect()
            }
            Kind::Type => self.type_names(),
            Kind::Bool => words(&["true", "false"]),
            Kind::Duration => words(&["800ms", "3s", "8s", "30s", "10m", "2h", "7d"]),
            Kind::Choice(choices) => choices
                .iter()
                .map(|choice| Candidate::new(choice.word, CompletionKind::Word).docs(choice.doc.to_owned()))
                .collect(),
            Kind::Key => words(&["1", "2", "3", "4", "5", "6", "7", "8", "9", "0", "*", "#"]),
            Kind::Declares(_)
            | Kind::Condition
            | Kind::Value
            | Kind::Template
            | Kind::Whole
            | Kind::Decimal
            | Kind::Text(_) => Vec::new(),
        };
        if place.key {
            candidates.retain(|candidate| !given.contains(candidate.label.as_str()));
        }
        candidates
    }

    fn named(&self, place: &Place, subject: Subject) -> Vec<Candidate> {
        let kind = CompletionKind::Name(subject);
        let plain = |name: &Arc<str>| {
            let docs = self.describe(&describe::global(subject, name.clone()));
            Candidate::new(&**name, kind).docs(docs)
        };
        match subject {
            Subject::Step => {
                let names = self.names.declared(Subject::Step, &place.flow);
                names
                    .iter()
                    .map(|name| {
                        let name = super::Name {
                            subject,
                            within: place.flow.clone(),
                            name: name.clone(),
                        };
                        let step = self.step(&name.within, &name.name);
                        let detail = step.map(step_in_words).unwrap_or_default();
                        let docs = self.describe(&name);
                        Candidate::new(&*name.name, kind).detail(detail).docs(docs)
                    })
                    .collect()
            }
            Subject::Prompt => {
                let mut prompts = self.prompts();
                if place.under.as_deref() == Some("confirm") {
                    let docs = "Reads the answer back and asks whether it is right. Built in.".to_owned();
                    prompts.push(Candidate::new("read-back", kind).docs(docs));
                }
                prompts
            }
            Subject::Variable | Subject::Output => {
                let Some(types) = self.types.get(&*place.flow) else {
                    let names = self.names.declared(subject, &place.flow);
                    return names.iter().map(|name| Candidate::new(&**name, kind)).collect();
                };
                let declared = match subject {
                    Subject::Output => &types.outputs,
                    _ => &types.variables,
                };
                let mut candidates: Vec<Candidate> = declared
                    .iter()
                    .map(|(name, ty)| {
                        let candidate = Candidate::new(name.as_str(), kind);
                        match ty {
                            Some(ty) => {
                                let docs = describe::parts(ty);
                                candidate
                                    .detail(ty.to_string())
                                    .docs((!docs.is_empty()).then_some(docs))
                            }
                            None => candidate,
                        }
                    })
                    .collect();
                if place.under.as_deref() == Some("set") {
                    let docs = "The contact's language.".to_owned();
                    candidates.push(Candidate::new("language", CompletionKind::Word).docs(docs));
                }
                candidates
            }
            Subject::Function => {
                let mut candidates = Vec::new();
                for (plugin, interface) in &self.interfaces {
                    for signature in &interface.functions {
                        let alone = interface.find(&signature.name).count() == 1;
                        let name = if alone {
                            signature.name.to_string()
                        } else {
                            signature.path()
                        };
                        candidates.push(
                            Candidate::new(format!("{plugin}.{name}"), kind)
                                .detail(signature.to_string())
                                .docs(describe::function(signature)),
                        );
                    }
                }
                candidates
            }
            Subject::Calendar => {
                let mut names = self.names.declared(subject, "");
                names.push(crate::calendar::ALWAYS.into());
                names.iter().map(plain).collect()
            }
            // Not declared anywhere: what is used elsewhere is offered.
            Subject::Skill => self.names.list(subject, "").iter().map(plain).collect(),
            Subject::Flow
            | Subject::Language
            | Subject::Plugin
            | Subject::Queue
            | Subject::Survey
            | Subject::Ticket
            | Subject::Agent
            | Subject::Service => self.names.declared(subject, "").iter().map(plain).collect(),
        }
    }

    /// All prompts: those that have a text, and those that are said and have none yet.
    fn prompts(&self) -> Vec<Candidate> {
        let names = self.names.list(Subject::Prompt, "");
        names
            .iter()
            .map(|name| {
                let texts = self.prompt_texts(name);
                let first = texts.first().map(|(_, text)| text.to_string());
                let candidate = Candidate::new(&**name, CompletionKind::Name(Subject::Prompt));
                match first {
                    Some(text) => candidate
                        .detail(text)
                        .docs(self.prompt_lines(name).trim_start().to_owned()),
                    None => candidate.detail("has no text yet"),
                }
            })
            .collect()
    }

    /// The parameters of the function that is called, or the inputs of the flow that is run.
    fn arguments(&self, place: &Place) -> Vec<Candidate> {
        if let Some(flow) = word_of(&place.owner, "run") {
            let Some(types) = self.types.get(&flow.value) else {
                return Vec::new();
            };
            let inputs = self.names.inputs(&flow.value);
            return types
                .variables
                .iter()
                .filter(|(name, _)| inputs.contains(name.as_str()))
                .map(|(name, ty)| {
                    let detail = ty.as_ref().map(ToString::to_string).unwrap_or_default();
                    Candidate::new(name.as_str(), CompletionKind::Argument).detail(detail)
                })
                .collect();
        }
        let Some(signature) = self.called(&place.owner) else {
            return Vec::new();
        };
        signature
            .parameters
            .iter()
            .map(|parameter| {
                let docs = describe::parts(&parameter.ty);
                Candidate::new(&*parameter.name, CompletionKind::Argument)
                    .detail(parameter.ty.to_string())
                    .docs((!docs.is_empty()).then_some(docs))
            })
            .collect()
    }

    /// The ways out of the step at the cursor.
    fn exits(&self, place: &Place) -> Vec<Candidate> {
        let Some(step) = &place.step else {
            return Vec::new();
        };
        let yaml::Kind::Mapping(entries) = &step.value.kind else {
            return Vec::new();
        };
        let Some(verb) = crate::language::step_verb(entries) else {
            return Vec::new();
        };
        let mut exits: Vec<(String, Option<String>)> = Vec::new();
        let mut calls: Vec<(String, &[yaml::Entry])> = Vec::new();
        match verb.field.name {
            "call" => calls.push((String::new(), entries)),
            "together" => {
                let branches = entries.iter().find(|entry| entry.key.as_str() == "together");
                if let Some(yaml::Kind::Mapping(branches)) = branches.map(|entry| &entry.value.kind) {
                    for branch in branches.iter() {
                        if let yaml::Kind::Mapping(inside) = &branch.value.kind {
                            calls.push((format!("{}.", branch.key.value), inside));
                        }
                    }
                }
            }
            "run" => {
                let flow = word_of(entries, "run").and_then(|word| self.types.get(&word.value));
                let outcomes = flow.into_iter().flat_map(|types| types.outcomes.iter());
                exits.extend(
                    outcomes
                        .filter(|outcome| &***outcome != "completed")
                        .map(|outcome| (outcome.to_string(), None)),
                );
            }
            _ => {}
        }
        for (before, owner) in calls {
            for (case, payload) in self.called(owner).into_iter().flat_map(Signature::error_cases) {
                exits.push((
                    format!("{before}{case}"),
                    payload.map(|ty| format!("carries {ty}")),
                ));
            }
            exits.push((format!("{before}fault"), None));
            for kind in FaultKind::ALL {
                exits.push((format!("{before}fault.{kind}"), None));
            }
        }
        let own = verb.exits.iter().map(|exit| ((*exit).to_owned(), None));
        exits.extend(own.chain([("else".to_owned(), None)]));
        exits
            .into_iter()
            .map(|(name, detail)| {
                let docs = hover::exit(&name);
                let mut candidate = Candidate::new(name, CompletionKind::Exit).docs(docs);
                candidate.detail = detail;
                candidate
            })
            .collect()
    }

    fn type_names(&self) -> Vec<Candidate> {
        const TYPES: [(&str, &str); 10] = [
            ("string", "any text"),
            ("int", "a whole number"),
            ("decimal", "a number"),
            ("bool", "`true` or `false`"),
            ("date", "a day: `2026-11-21`"),
            ("time", "a point in time"),
            ("duration", "a length of time: `30s`"),
            ("phone", "a phone number in E.164"),
            ("list<string>", "a list of one type"),
            ("ticket", "a work order, as `ticket: look-up` gives it"),
        ];
        let mut candidates: Vec<Candidate> = TYPES
            .iter()
            .map(|(name, docs)| Candidate::new(*name, CompletionKind::Type).docs((*docs).to_owned()))
            .collect();
        for (plugin, interface) in &self.interfaces {
            for (name, ty) in &interface.types {
                let docs = describe::parts(ty).trim_start().to_owned();
                candidates.push(Candidate::new(format!("{plugin}.{name}"), CompletionKind::Type).docs(docs));
            }
        }
        candidates
    }
}

fn words(words: &[&str]) -> Vec<Candidate> {
    words
        .iter()
        .map(|word| Candidate::new(*word, CompletionKind::Word))
        .collect()
}

/// The fields that a mapping does not have yet: its verb first, where it needs one.
fn fields(place: &Place, mapping: &'static Mapping, verb: Option<&'static Verb>) -> Vec<Candidate> {
    let given = |field: &&'static Field| {
        let mut entries = place.siblings.iter();
        !entries.any(|entry| entry.key.as_str() == field.name)
    };
    // The verb may be the word that is being typed.
    let verb = verb.filter(|verb| {
        let mut entries = place.siblings.iter();
        entries.any(|entry| entry.key.as_str() == verb.field.name)
    });
    let candidate = |field: &'static Field, kind| {
        Candidate::new(field.name, kind)
            .detail(format!("{}: {}", field.name, field.example))
            .docs(describe::field(field))
    };
    let verbs = mapping
        .verbs
        .iter()
        .filter(|_| verb.is_none())
        .map(|verb| &verb.field);
    verbs
        .filter(given)
        .map(|field| candidate(field, CompletionKind::Verb))
        .chain(
            mapping
                .fields_with(verb)
                .filter(given)
                .map(|field| candidate(field, CompletionKind::Field)),
        )
        .collect()
}

/// Whether names with colons stand where something of a shape is wanted.
fn takes_keys(shape: &Shape) -> bool {
    match shape {
        Shape::Mapping(_) | Shape::Entries { .. } | Shape::Besides { .. } => true,
        Shape::Word(_) | Shape::List(_) | Shape::Value | Shape::Either(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{at_cursor, text_of};

    /// The labels at the cursor, in order.
    fn labels(text: &str) -> Vec<String> {
        let (editor, path, byte) = at_cursor(text);
        let completions = editor.completions(&path, byte);
        completions
            .into_iter()
            .map(|completion| completion.label)
            .collect()
    }

    /// Whether all of some labels are offered, and none of others.
    #[track_caller]
    fn offers(text: &str, wanted: &[&str], unwanted: &[&str]) {
        let labels = labels(text);
        for label in wanted {
            assert!(
                labels.iter().any(|known| known == label),
                "no {label} in {labels:?}:\n{text}"
            );
        }
        for label in unwanted {
            assert!(
                labels.iter().all(|known| known != label),
                "{label} in {labels:?}:\n{text}"
            );
        }
    }

    /// The hotline's file after the completion with a label is taken.
    fn taken(text: &str, label: &str) -> String {
        let (editor, path, byte) = at_cursor(text);
        let completions = editor.completions(&path, byte);
        let completion = completions
            .iter()
            .find(|completion| completion.label == label)
            .unwrap_or_else(|| panic!("no {label}"));
        let mut written = text_of(&editor, &path);
        written.replace_range(completion.replace.clone(), &completion.insert);
        written
    }

    const FLOW: &str = "--- flows/main.yaml
flow: main
vars: { citizen: crm.citizen?, mood: sentiment.mood?, attempts: int }
otherwise: sorry
start: welcome
steps:
  welcome: { say: hello, next: find }
  find:
    call: crm.find-citizen
    with: { phone: \"1\" }
    save: citizen
    next: sorry
  sorry: { end: completed }
";

    fn with(step: &str) -> String {
        format!("{FLOW}{step}")
    }

    #[test]
    fn steps_where_a_way_leads() {
        let steps = ["welcome", "find", "sorry"];
        offers(
            &with("  a: { say: hello, next: ⟦⟧ }\n"),
            &steps,
            &["hello", "crm"],
        );
        offers(&with("  a: { say: hello, next: wel⟦⟧ }\n"), &steps, &[]);
        offers(
            &with("  a:\n    say: hello\n    next: ⟦⟧\n  b: { end: completed }\n"),
            &steps,
            &[],
        );
        offers(&with("  a: { menu: hello, keys: { 1: ⟦⟧ } }\n"), &steps, &[]);
        offers(
            &with("  a: { call: crm.find-citizen, on: { not-found: ⟦⟧"),
            &steps,
            &[],
        );
        offers(&FLOW.replace("start: welcome", "start: ⟦⟧"), &steps, &[]);
        assert_eq!(
            taken(&with("  a: { say: hello, next: wel⟦⟧ }\n"), "welcome"),
            with("  a: { say: hello, next: welcome }\n")
                .split_once('\n')
                .unwrap()
                .1
        );
    }

    #[test]
    fn verbs_and_fields_where_a_step_is_written() {
        offers(
            &with("  a:\n    ⟦⟧\n"),
            &["say", "menu", "queue", "end", "next", "on"],
            &["retries", "flow"],
        );
        offers(&with("  a: { me⟦⟧ }\n"), &["menu"], &["retries"]);
        offers(
            &with("  a:\n    say: hello\n    ⟦⟧\n"),
            &["next", "notice", "when"],
            &["say", "menu", "retries"],
        );
        offers(
            &with("  a:\n    ask: hello\n    re⟦⟧\n    next: sorry\n"),
            &["answer", "retries"],
            &["keys", "next"],
        );
        offers(
            &with("  a: { ask: hello, answer: ⟦⟧ }\n"),
            &["digits", "yes-no"],
            &["hello"],
        );
        offers(
            "--- flows/main.yaml\nflow: main\n⟦⟧\n",
            &["vars", "steps", "start"],
            &["flow", "say"],
        );
        assert_eq!(
            taken(&with("  a:\n    say: hello\n    ne⟦⟧\n"), "next"),
            with("  a:\n    say: hello\n    next: \n")
                .split_once('\n')
                .unwrap()
                .1
        );
    }

    #[test]
    fn prompts_with_their_texts() {
        let (editor, path, byte) = at_cursor(&with("  a: { say: ⟦⟧, next: sorry }\n"));
        let completions = editor.completions(&path, byte);
        let hello = completions
            .iter()
            .find(|completion| completion.label == "hello")
            .unwrap();
        assert_eq!(hello.docs.as_deref(), Some("en: Hello\n\nzh-CN: 您好"));
        offers(
            &with("  a: { ask: hello, answer: text, confirm: ⟦⟧ }\n"),
            &["read-back", "hello"],
            &[],
        );
        let table = with("  a: { say: farewell, next: sorry }\n")
            + "--- prompts/en.yaml\nhello: Hello\nfa⟦⟧\n--- prompts/zh-CN.yaml\nhello: 您好\n";
        offers(&table, &["farewell"], &["hello"]);
    }

    #[test]
    fn plugins_and_what_they_take() {
        let (editor, path, byte) = at_cursor(&with("  a: { call: crm.⟦⟧ }\n"));
        let completions = editor.completions(&path, byte);
        let find = completions
            .iter()
            .find(|completion| completion.label == "crm.find-citizen")
            .unwrap();
        assert!(
            find.detail.as_ref().unwrap().contains("phone: string"),
            "{find:?}"
        );
        assert!(find.docs.as_ref().unwrap().contains("not-found"), "{find:?}");
        offers(
            &with("  a: { call: sentiment.score, with: { ⟦⟧ } }\n"),
            &["text", "weight"],
            &["phone"],
        );
        offers(
            &with("  a: { call: sentiment.score, with: { text: \"1\", ⟦⟧ } }\n"),
            &["weight"],
            &["text"],
        );
        offers(
            &with("  a:\n    call: crm.find-citizen\n    on: { ⟦⟧ }\n"),
            &["not-found", "ambiguous", "fault", "fault.timed-out", "else"],
            &["no-input"],
        );
        offers(
            &with("  a: { menu: hello, on: { no⟦⟧ } }\n"),
            &["no-input", "no-match"],
            &["invalid"],
        );
        offers(
            &with("  a: { call: crm.find-citizen, save: ⟦⟧ }\n"),
            &["citizen", "attempts"],
            &["language"],
        );
        offers(&with("  a: { set: { ⟦⟧ } }\n"), &["citizen", "language"], &[]);
        offers(
            &FLOW.replace("attempts: int", "attempts: ⟦⟧"),
            &["string", "crm.citizen", "sentiment.level"],
            &[],
        );
    }

    #[test]
    fn names_in_expressions() {
        offers(
            &with("  a: { set: { attempts: \"${⟦⟧}\" } }\n"),
            &["attempts", "contact", "has", "size"],
            &["trim"],
        );
        offers(
            &with("  a: { when: \"${citizen.⟦⟧}\", say: hello }\n"),
            &["name", "district"],
            &["attempts"],
        );
        offers(
            &with("  a: { when: \"${contact.la⟦⟧}\", say: hello }\n"),
            &["language", "caller"],
            &["name"],
        );
        offers(
            &with("  a: { when: \"${citizen.name.⟦⟧"),
            &["trim", "startsWith"],
            &["name"],
        );
        offers(&with("  a: { when: \"${now.⟦⟧}\" }\n"), &["hour", "weekday"], &[]);
        offers(&with("  a: { when: \"${calendar.⟦⟧}\" }\n"), &["always"], &[]);
        offers(
            &with("  a: { when: \"${mood.level == '⟦⟧'}\" }\n"),
            &["calm", "angry"],
            &["mood"],
        );
        offers(
            &with("  a: { when: \"${mood.level in ['calm', '⟦⟧']}\" }\n"),
            &["anxious"],
            &[],
        );
        offers(&with("  a: { when: \"${true} ⟦⟧\" }\n"), &[], &["attempts"]);
        let table = with("")
            + "--- prompts/en.yaml\nhello: \"Hello {citizen.⟦⟧}\"\n--- prompts/zh-CN.yaml\nhello: 您好\n";
        offers(&table, &["name", "district"], &[]);
    }

    #[test]
    fn files_that_are_broken_elsewhere() {
        offers(
            &with("  a: { say: hello, next: ⟦⟧ }\n  b: { say: [ }\n  c: { end: completed }\n"),
            &["welcome"],
            &[],
        );
        offers(
            &with("  a: { say: hello, next: ⟦⟧\n  b: { end: completed }\n"),
            &["welcome"],
            &[],
        );
        offers(&with("  # a comment ⟦⟧\n"), &[], &["welcome", "say"]);
    }

    #[test]
    fn other_files() {
        let hotline = "--- hotline.yaml\nhotline: test\nlanguages: [zh-CN, en]\ntime-zone: Asia/Shanghai\nnumbers: { \"12345\": { flow: ⟦⟧ } }\n";
        offers(&format!("{hotline}{FLOW}"), &["main"], &["welcome"]);
        let grants = with("") + "--- grants.yaml\n⟦⟧\n";
        offers(&grants, &["crm", "departments"], &["signed-by"]);
        let grants = with("") + "--- grants.yaml\ndepartments: { civil: { ⟦⟧ } }\n";
        offers(&grants, &["signed-by"], &["http"]);
        let grants = with("") + "--- grants.yaml\ncrm: { ⟦⟧ }\n";
        offers(&grants, &["http", "kv", "limits"], &["say"]);
        let calendar = with("") + "--- calendars/office.yaml\ncalendar: office\nopen:\n  mon⟦⟧\n";
        offers(&calendar, &["monday", "friday"], &[]);
    }
}
