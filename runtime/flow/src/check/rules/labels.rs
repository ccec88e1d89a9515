//! Which kinds of personal data a value carries: the labels of what it is made from, through `set`, into
//! flows that are run and back.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use trunkline_model::Type;

use crate::{
    expression::{ContactField, Expression, Node, Op},
    hotline::{Flow, Hotline},
    prove::facts::{path, walk},
    step::{Answer, Record, Target, Verb},
};

/// The label of the caller's number.
const PHONE: &str = "phone";

type Set = BTreeSet<Arc<str>>;

/// What a caller said in their own words carries this, where that is asked for. No label of a
/// hotline is written like it.
const OWN_WORDS: &str = "the caller's own words";

/// The labels of every variable of every flow.
pub(super) struct Labels<'h> {
    hotline: &'h Hotline,
    variables: BTreeMap<(&'h str, Arc<str>), Set>,
}

impl<'h> Labels<'h> {
    /// The labels that the hotline gives.
    pub(super) fn of(hotline: &'h Hotline) -> Self {
        Self::found(hotline, false)
    }

    /// Those, and what callers say in their own words: texts, phone and identity numbers, messages.
    pub(super) fn with_own_words(hotline: &'h Hotline) -> Self {
        Self::found(hotline, true)
    }

    fn found(hotline: &'h Hotline, own_words: bool) -> Self {
        let mut labels = Self {
            hotline,
            variables: BTreeMap::new(),
        };
        for (name, flow) in &hotline.flows {
            for (variable, declared) in &flow.variables {
                if let Some(label) = &declared.label {
                    labels.add(name.as_str(), variable.as_str(), [label.clone()].into());
                }
            }
            for step in flow.steps.values() {
                if let Verb::Ask(ask) = &step.verb
                    && let (Some(save), Some(label)) = (&ask.save, &ask.label)
                {
                    labels.add(name.as_str(), save.as_str(), [label.clone()].into());
                }
                let said = match &step.verb {
                    Verb::Ask(ask)
                        if matches!(ask.answer, Answer::Text | Answer::Phone | Answer::IdNumber) =>
                    {
                        ask.save.as_ref()
                    }
                    Verb::Record(Record::Message { save, .. }) => Some(save),
                    _ => None,
                };
                if let Some(save) = said.filter(|_| own_words) {
                    labels.add(name.as_str(), save.as_str(), [OWN_WORDS.into()].into());
                }
            }
        }
        for webhook in hotline.webhooks.values() {
            let flow = webhook
                .starts
                .flow
                .as_ref()
                .and_then(|flow| hotline.flows.get(flow));
            if let (Some(flow), Some(to)) = (flow, &webhook.to) {
                labels.add(flow.name.as_str(), to.as_str(), [PHONE.into()].into());
            }
        }
        // Labels only grow, and there are no more than variables and labels: it comes to an end.
        while labels.carry_on() {}
        labels
    }

    fn add(&mut self, flow: &'h str, variable: &str, more: Set) -> bool {
        let known = self.variables.entry((flow, variable.into())).or_default();
        let before = known.len();
        known.extend(more);
        known.len() > before
    }

    /// One round: whether any variable got a label that it did not have.
    fn carry_on(&mut self) -> bool {
        let mut grew = false;
        let hotline = self.hotline;
        for (name, flow) in &hotline.flows {
            for step in flow.steps.values() {
                match &step.verb {
                    Verb::Set(set) => {
                        for (target, value) in &set.assignments {
                            if let Target::Variable(variable) = target {
                                let found = self.of_expression(flow, value);
                                grew |= self.add(name.as_str(), variable.as_str(), found);
                            }
                        }
                    }
                    Verb::Run(run) => {
                        for (input, value) in &run.inputs {
                            let found = self.of_expression(flow, value);
                            if let Some((inner, _)) = hotline.flows.get_key_value(&run.flow) {
                                grew |= self.add(inner.as_str(), input.as_str(), found);
                            }
                        }
                        let Some(inner) = hotline.flows.get(&run.flow) else {
                            continue;
                        };
                        // What a flow gives back carries what any of its outputs does.
                        let mut found = Set::new();
                        for step in inner.steps.values() {
                            if let Verb::End(end) = &step.verb {
                                for (_, output) in &end.outputs {
                                    found.extend(self.of_expression(inner, output));
                                }
                            }
                        }
                        for (variable, _) in &run.save {
                            grew |= self.add(name.as_str(), variable.as_str(), found.clone());
                        }
                    }
                    _ => {}
                }
            }
        }
        grew
    }

    /// The labels that the value of an expression carries.
    pub(super) fn of_expression(&self, flow: &Flow, expression: &Expression) -> Set {
        let mut found = Set::new();
        walk(expression.root(), &mut |node| match &node.op {
            Op::Contact {
                field: ContactField::Caller | ContactField::Claimed,
                ..
            } => {
                found.insert(PHONE.into());
            }
            Op::Variable { name, .. } => {
                let known = self.variables.get(&(flow.name.as_str(), name.clone()));
                found.extend(known.into_iter().flatten().cloned());
            }
            _ => {}
        });
        self.of_fields(flow, expression.root(), &mut found);
        found
    }

    /// The labels of the fields of a plugin's type, as of a value that is passed as a whole.
    pub(super) fn of_whole(&self, ty: &Type) -> Set {
        let Some(whole) = ty.required().name().map(|name| format!("{name}.")) else {
            return Set::new();
        };
        let labels = self.hotline.plugins.values().flat_map(|plugin| &plugin.labels);
        labels
            .filter(|(field, _)| field.starts_with(whole.as_str()))
            .map(|(_, label)| label.clone())
            .collect()
    }

    /// Adds the labels of plugins' fields: of the one that is read, or of all of a value that is
    /// passed as a whole.
    fn of_fields(&self, flow: &Flow, node: &Node, found: &mut Set) {
        let Some(path) = path(node) else {
            let mut inside = Vec::new();
            children(node, &mut inside);
            for child in inside {
                self.of_fields(flow, child, found);
            }
            return;
        };
        let mut parts = path.split('.');
        let Some(mut ty) = parts.next().and_then(|root| type_of(flow, root)) else {
            return;
        };
        let mut last = None;
        for part in parts {
            let Some(name) = ty.required().name() else { return };
            last = Some(format!("{name}.{part}"));
            let Some(field) = ty.required().field(part) else {
                return;
            };
            ty = field;
        }
        found.extend(self.of_whole(ty));
        for plugin in self.hotline.plugins.values() {
            for (field, label) in &plugin.labels {
                if last.as_deref() == Some(&**field) {
                    found.insert(label.clone());
                }
            }
        }
    }
}

fn type_of<'f>(flow: &'f Flow, variable: &str) -> Option<&'f Type> {
    flow.variables
        .get(variable)
        .map(|variable| &variable.ty)
        .or_else(|| flow.inputs.get(variable))
}

fn children<'n>(node: &'n Node, into: &mut Vec<&'n Node>) {
    let mut first = true;
    walk(node, &mut |inner| {
        // Of a path only the whole counts, not the paths that it begins with.
        if !std::mem::take(&mut first) && path(inner).is_some() {
            into.push(inner);
        }
    });
    let wholes: Vec<String> = into.iter().filter_map(|node| path(node)).collect();
    into.retain(|node| {
        let own = path(node).unwrap_or_default();
        !wholes.iter().any(|other| other.starts_with(&format!("{own}.")))
    });
}
