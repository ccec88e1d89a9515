//! What all rules look names up in.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use indexmap::IndexMap;
use trunkline_model::{PluginName, Type, VariableName, signature::Interface};

use super::{centre::Centre, hotline, prompts::Prompts, types};
use crate::{
    diagnostics::{Code, Finding, Findings, did_you_mean},
    parse::Parsed,
    source::{Files, Span, Word},
    syntax::{FlowSyntax, HotlineSyntax, ValueSyntax, VerbSyntax},
};

/// A hotline as the rules see it.
pub(super) struct World<'a> {
    pub(super) files: &'a Files,
    pub(super) hotline: &'a HotlineSyntax,
    pub(super) findings: RefCell<Findings>,
    pub(super) languages: Vec<Arc<str>>,
    /// Dialects that lead to a language, and what each falls back to.
    pub(super) dialects: Arc<BTreeMap<Arc<str>, Arc<str>>>,
    /// The recordings in the folder, and their lengths in seconds where they are known.
    pub(super) recordings: &'a BTreeMap<Arc<str>, Option<f64>>,
    /// The plugins; none for one that is not loaded.
    pub(super) plugins: BTreeMap<Arc<str>, Option<&'a Arc<Interface>>>,
    /// The names of all calendars, `always` among them.
    pub(super) calendars: Vec<Arc<str>>,
    pub(super) centre: Centre<'a>,
    pub(super) prompts: Prompts<'a>,
    pub(super) flows: BTreeMap<Arc<str>, FlowHead<'a>>,
    pub(super) broken_flows: &'a BTreeSet<Arc<str>>,
}

/// A flow as others see it: what it takes, what it gives, and how it may end.
pub(super) struct FlowHead<'a> {
    pub(super) syntax: &'a FlowSyntax,
    /// A type of none is one that could not be read.
    pub(super) inputs: IndexMap<VariableName, Option<Type>>,
    pub(super) outputs: IndexMap<VariableName, Option<Type>>,
    /// Inputs and variables together.
    pub(super) variables: IndexMap<VariableName, Option<Type>>,
    /// First values of variables.
    pub(super) initial: BTreeMap<&'a str, &'a ValueSyntax>,
    /// The names of its `end` steps and where the first of each is.
    pub(super) outcomes: BTreeMap<Arc<str>, Span>,
    /// Whether a step of it is not understood: then it may end in other ways, too.
    pub(super) opaque: bool,
    /// Whether it ever waits for the caller or for time.
    pub(super) waits: bool,
}

impl<'a> World<'a> {
    pub(super) fn new(
        parsed: &'a Parsed,
        declared: &'a HotlineSyntax,
        interfaces: &'a BTreeMap<PluginName, Arc<Interface>>,
    ) -> Self {
        let syntax = &parsed.syntax;
        let mut calendars: Vec<Arc<str>> = vec![crate::calendar::ALWAYS.into()];
        calendars.extend(
            syntax
                .calendars
                .iter()
                .map(|calendar| calendar.name.value.clone()),
        );
        calendars.extend(syntax.broken_calendars.iter().cloned());
        let languages: Vec<Arc<str>> = declared.languages.iter().map(|word| word.value.clone()).collect();
        let mut world = Self {
            files: &parsed.files,
            hotline: declared,
            findings: RefCell::new(parsed.findings.clone()),
            plugins: declared
                .plugins
                .iter()
                .map(|plugin| (plugin.name.value.clone(), interfaces.get(plugin.name.as_str())))
                .collect(),
            calendars,
            centre: Centre::new(declared, syntax),
            prompts: Prompts::default(),
            flows: BTreeMap::new(),
            broken_flows: &syntax.broken_flows,
            dialects: Arc::new(hotline::dialects(&declared.dialects, &languages)),
            recordings: &parsed.recordings,
            languages,
        };
        world.prompts = Prompts::read(&world, &syntax.prompts);
        let mut flows = BTreeMap::new();
        for flow in &syntax.flows {
            world.add_flow(&mut flows, flow);
        }
        world.flows = flows;
        world
    }

    pub(super) fn report(&self, finding: Finding) {
        self.findings.borrow_mut().push(finding);
    }

    /// Whether there is a calendar of this name; reports one that does not exist.
    pub(super) fn calendar(&self, word: &Word) -> bool {
        let found = self.calendars.contains(&word.value);
        if !found {
            let names = self.calendars.iter().map(|name| &**name);
            self.report(
                Finding::new(
                    Code::UnknownCalendar,
                    word.span,
                    format!("there is no calendar `{}`", word.as_str()),
                )
                .help_if(did_you_mean("there are", word.as_str(), names)),
            );
        }
        found
    }

    /// Whether all flows were read and understood, so that what is in none of them is nowhere.
    pub(super) fn flows_are_whole(&self) -> bool {
        self.broken_flows.is_empty() && self.flows.values().all(|head| !head.opaque)
    }

    /// Whether the hotline has a language or dialect.
    pub(super) fn speaks(&self, tag: &str) -> bool {
        self.languages.iter().any(|language| **language == *tag) || self.dialects.contains_key(tag)
    }

    /// The text that stands for a prompt in findings: the one in the hotline's first language,
    /// or in any that it has.
    pub(super) fn shown_first<'t, T>(
        &self,
        texts: &'t BTreeMap<Arc<str>, T>,
    ) -> Option<(&'t Arc<str>, &'t T)> {
        self.languages
            .iter()
            .find_map(|language| texts.get_key_value(language))
            .or_else(|| texts.iter().next())
    }

    fn add_flow(&self, flows: &mut BTreeMap<Arc<str>, FlowHead<'a>>, flow: &'a FlowSyntax) {
        if let Some(first) = flows.get(&flow.name.value) {
            self.report(
                Finding::new(
                    Code::DuplicateName,
                    flow.name.span,
                    format!("there are two flows `{}`", flow.name.as_str()),
                )
                .label(first.syntax.name.span, "the first")
                .help("give one of them another name"),
            );
            return;
        }
        let declared = |declared: &[(Word, Word)]| -> IndexMap<VariableName, Option<Type>> {
            declared
                .iter()
                .map(|(name, ty)| (VariableName::new(name.value.clone()), types::read(self, ty)))
                .collect()
        };
        let inputs = declared(&flow.inputs);
        let mut variables = inputs.clone();
        let mut initial = BTreeMap::new();
        for var in &flow.vars {
            let ty = var.ty.as_ref().and_then(|ty| types::read(self, ty));
            let name = VariableName::new(var.name.value.clone());
            if inputs.contains_key(&name) {
                self.report(
                    Finding::new(
                        Code::DuplicateName,
                        var.name.span,
                        format!("`{name}` is an input already; inputs are variables"),
                    )
                    .help("leave it out of `vars`"),
                );
                continue;
            }
            variables.insert(name, ty);
            if let Some(value) = &var.is {
                initial.insert(var.name.as_str(), value);
            }
        }
        let mut outcomes = BTreeMap::new();
        for step in &flow.steps {
            if let VerbSyntax::End { outcome, .. } = &step.verb {
                outcomes.entry(outcome.value.clone()).or_insert(outcome.span);
            }
        }
        flows.insert(
            flow.name.value.clone(),
            FlowHead {
                syntax: flow,
                inputs,
                outputs: declared(&flow.outputs),
                variables,
                initial,
                outcomes,
                opaque: flow
                    .steps
                    .iter()
                    .any(|step| matches!(step.verb, VerbSyntax::Broken)),
                waits: flow.steps.iter().any(|step| step.verb.waits()),
            },
        );
    }
}
