//! Which kinds of personal data a value carries: the labels of what it is made from, through `set`, into
//! flows that are run and back.
//!
//! A variable carries what is put into it, and what the type says that it was declared with: a value of
//! another plugin's type may be kept as one of the same shape, and takes its labels with it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use trunkline_model::{FunctionName, PluginName, Type};

use crate::{
    expression::{ContactField, Expression, Function, Node, Op},
    hotline::{Flow, Hotline, Label},
    step::{Answer, Call, Record, Run, Step, Target, Verb},
};

/// The label of the caller's number.
const PHONE: &str = "phone";

type Set = BTreeSet<Arc<str>>;

/// What a caller said in their own words carries this, where that is asked for. No label of a
/// hotline is written like it.
const OWN_WORDS: &str = "the caller's own words";

/// The labels of one value.
#[derive(Clone, Default)]
struct Carried {
    /// Those of the whole, and so of each of its parts.
    whole: Set,
    /// Those of a record's fields and of what a variant's cases carry. The places of a list or a tuple
    /// are not told apart: each has what one of them has.
    parts: BTreeMap<Arc<str>, Self>,
}

impl Carried {
    fn whole(labels: Set) -> Self {
        Self {
            whole: labels,
            parts: BTreeMap::new(),
        }
    }

    fn one(label: impl Into<Arc<str>>) -> Self {
        Self::whole([label.into()].into())
    }

    /// The labels of the whole and of all its parts.
    fn all(mut self) -> Set {
        for part in self.parts.into_values() {
            self.whole.extend(part.all());
        }
        self.whole
    }

    /// What a part carries, by its name.
    fn part(mut self, name: &str) -> Self {
        let mut part = self.parts.remove(name).unwrap_or_default();
        part.whole.extend(self.whole);
        part
    }

    /// Takes more labels; whether any of them is new.
    fn add(&mut self, more: Self) -> bool {
        let before = self.whole.len();
        self.whole.extend(more.whole);
        let mut grew = self.whole.len() > before;
        for (name, part) in more.parts {
            grew |= self.parts.entry(name).or_default().add(part);
        }
        grew
    }

    fn with(mut self, more: Self) -> Self {
        self.add(more);
        self
    }

    fn add_part(&mut self, name: &Arc<str>, part: Self) {
        if !part.whole.is_empty() || !part.parts.is_empty() {
            self.parts.entry(name.clone()).or_default().add(part);
        }
    }
}

/// The labels of every variable of every flow.
pub(super) struct Labels<'h> {
    hotline: &'h Hotline,
    /// Those that plugins' types have, by the types' names.
    of_types: BTreeMap<&'h str, Vec<&'h Label>>,
    variables: BTreeMap<(&'h str, &'h str), Carried>,
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
            of_types: BTreeMap::new(),
            variables: BTreeMap::new(),
        };
        for label in hotline.plugins.values().flat_map(|plugin| plugin.labels.values()) {
            labels.of_types.entry(&label.of).or_default().push(label);
        }
        for flow in hotline.flows.values() {
            labels.declared(flow);
            labels.answered(flow, own_words);
            labels.given(flow);
        }
        labels.started();
        // Labels only grow, and there are no more than parts of variables and labels: it comes to an end.
        while labels.carry_on() {}
        labels
    }

    fn add(&mut self, flow: &'h Flow, variable: &'h str, more: Carried) -> bool {
        self.variables
            .entry((flow.name.as_str(), variable))
            .or_default()
            .add(more)
    }

    /// What variables carry by their declarations.
    fn declared(&mut self, flow: &'h Flow) {
        for (input, ty) in &flow.inputs {
            let carried = self.of_type(ty);
            self.add(flow, input.as_str(), carried);
        }
        for (variable, declared) in &flow.variables {
            let mut carried = self.of_type(&declared.ty);
            carried.whole.extend(declared.label.clone());
            self.add(flow, variable.as_str(), carried);
        }
    }

    /// What callers answer, and say.
    fn answered(&mut self, flow: &'h Flow, own_words: bool) {
        for step in flow.steps.values() {
            if let Verb::Ask(ask) = &step.verb
                && let (Some(save), Some(label)) = (&ask.save, &ask.label)
            {
                self.add(flow, save.as_str(), Carried::one(label.clone()));
            }
            let said = match &step.verb {
                Verb::Ask(ask) if matches!(ask.answer, Answer::Text | Answer::Phone | Answer::IdNumber) => {
                    ask.save.as_ref()
                }
                Verb::Record(Record::Message { save, .. }) => Some(save),
                _ => None,
            };
            if let Some(save) = said.filter(|_| own_words) {
                self.add(flow, save.as_str(), Carried::one(OWN_WORDS));
            }
        }
    }

    /// What plugins' functions give, and refuse with.
    fn given(&mut self, flow: &'h Flow) {
        if self.of_types.is_empty() {
            return;
        }
        // A flow may call one function in many steps.
        let mut known: BTreeMap<(&PluginName, &FunctionName), Carried> = BTreeMap::new();
        for step in flow.steps.values() {
            for (branch, call) in calls(step) {
                if let (Some(save), Some(ok)) = (&call.save, &call.ok) {
                    let carried = known
                        .entry((&call.plugin, &call.function))
                        .or_insert_with(|| self.of_type(ok))
                        .clone();
                    self.add(flow, save.as_str(), carried);
                }
                for (case, payload) in &call.errors {
                    let exit = match branch {
                        Some(branch) => step.exits.get(format!("{branch}.{case}").as_str()),
                        None => step.exits.get(case),
                    };
                    if let (Some(save), Some(payload)) = (exit.and_then(|exit| exit.save.as_ref()), payload) {
                        let carried = self.of_type(payload);
                        self.add(flow, save.as_str(), carried);
                    }
                }
            }
        }
    }

    /// What contacts that nobody called for begin with.
    fn started(&mut self) {
        let hotline = self.hotline;
        for feed in hotline.feeds.values() {
            let flow = feed.starts.flow.as_ref().and_then(|flow| hotline.flows.get(flow));
            if let (Some(flow), Some(input)) = (flow, &feed.starts.input) {
                let carried = self.of_type(&feed.change);
                self.add(flow, input.as_str(), carried);
            }
        }
        for webhook in hotline.webhooks.values() {
            let flow = webhook.starts.flow.as_ref();
            let flow = flow.and_then(|flow| hotline.flows.get(flow));
            if let (Some(flow), Some(to)) = (flow, &webhook.to) {
                self.add(flow, to.as_str(), Carried::one(PHONE));
            }
        }
    }

    /// One round: whether any variable got a label that it did not have.
    fn carry_on(&mut self) -> bool {
        let mut grew = false;
        for flow in self.hotline.flows.values() {
            for (variable, declared) in &flow.variables {
                if let Some(initial) = &declared.initial {
                    let found = self.of_node(flow, initial.root(), None);
                    grew |= self.add(flow, variable.as_str(), found);
                }
            }
            for step in flow.steps.values() {
                match &step.verb {
                    Verb::Set(set) => {
                        for (target, value) in &set.assignments {
                            if let Target::Variable(variable) = target {
                                let found = self.of_node(flow, value.root(), None);
                                grew |= self.add(flow, variable.as_str(), found);
                            }
                        }
                    }
                    Verb::Run(run) => grew |= self.carry_into(flow, run),
                    _ => {}
                }
            }
        }
        grew
    }

    /// Into a flow that is run, and back.
    fn carry_into(&mut self, flow: &'h Flow, run: &'h Run) -> bool {
        let Some(inner) = self.hotline.flows.get(&run.flow) else {
            return false;
        };
        let mut grew = false;
        for (input, value) in &run.inputs {
            let found = self.of_node(flow, value.root(), None);
            grew |= self.add(inner, input.as_str(), found);
        }
        if run.save.is_empty() {
            return grew;
        }
        let mut result = Carried::default();
        for step in inner.steps.values() {
            if let Verb::End(end) = &step.verb {
                for (name, output) in &end.outputs {
                    result.add_part(&name.as_str().into(), self.of_node(inner, output.root(), None));
                }
            }
        }
        for (variable, value) in &run.save {
            let found = self.of_node(flow, value.root(), Some(&result));
            grew |= self.add(flow, variable.as_str(), found);
        }
        grew
    }

    /// The labels that the value of an expression carries.
    pub(super) fn of_expression(&self, flow: &Flow, expression: &Expression) -> Set {
        self.of_node(flow, expression.root(), None).all()
    }

    /// The labels of a plugin's type, as of a value that is passed as a whole.
    pub(super) fn of_whole(&self, ty: &Type) -> Set {
        self.of_type(ty).all()
    }

    fn of_type(&self, ty: &Type) -> Carried {
        let mut carried = Carried::default();
        if self.of_types.is_empty() {
            return carried;
        }
        match ty {
            Type::Option(inner) | Type::List(inner) => return self.of_type(inner),
            Type::Tuple(types) => {
                for ty in &**types {
                    carried.add(self.of_type(ty));
                }
            }
            Type::Record(record) => {
                for field in &record.fields {
                    carried.add_part(&field.name, self.of_type(&field.ty));
                }
            }
            Type::Variant(variant) => {
                for case in &variant.cases {
                    if let Some(payload) = &case.payload {
                        carried.add_part(&case.name, self.of_type(payload));
                    }
                }
            }
            Type::Result { ok, error } => {
                for (case, payload) in [("ok", ok), ("error", error)] {
                    if let Some(payload) = payload {
                        carried.add_part(&case.into(), self.of_type(payload));
                    }
                }
            }
            Type::Bool
            | Type::Int(_)
            | Type::Decimal
            | Type::String
            | Type::Char
            | Type::Date
            | Type::Time
            | Type::Duration
            | Type::Phone
            | Type::Enum(_)
            | Type::Flags(_) => {}
        }
        let own = ty.name().and_then(|name| self.of_types.get(name));
        for label in own.into_iter().flatten() {
            let mut part = &mut carried;
            for field in &label.fields {
                part = part.parts.entry(field.clone()).or_default();
            }
            part.whole.insert(label.kind.clone());
        }
        carried
    }

    /// What a part of an expression carries; `result` is what the flow that was run gave back.
    fn of_node(&self, flow: &Flow, node: &Node, result: Option<&Carried>) -> Carried {
        let of = |node: &Node| self.of_node(flow, node, result);
        let all = |node: &Node| Carried::whole(of(node).all());
        match &node.op {
            Op::Variable { name, .. } => {
                let known = self.variables.get(&(flow.name.as_str(), &**name));
                known.cloned().unwrap_or_default()
            }
            Op::Result => result.cloned().unwrap_or_default(),
            Op::Contact {
                field: ContactField::Caller | ContactField::Claimed,
                ..
            } => Carried::one(PHONE),
            Op::Field(inside, name) | Op::Payload(inside, name) => of(inside).part(name),
            // That it is there, which case it is, or how many there are tells nothing of its parts.
            Op::Has(inside) | Op::Case(inside) => Carried::whole(of(inside).whole),
            Op::Function(Function::Size, arguments) => {
                Carried::whole(arguments.iter().flat_map(|argument| of(argument).whole).collect())
            }
            Op::Present { of: inside, .. } | Op::Convert(inside, _) => of(inside),
            Op::Nested(expression) => of(expression.root()),
            Op::Index(inside, place) => of(inside).with(all(place)),
            // What it was chosen by can be told from it.
            Op::Conditional(condition, yes, no) => of(yes).with(of(no)).with(all(condition)),
            Op::List(places) => {
                let mut carried = Carried::default();
                for place in places {
                    carried.add(of(place));
                }
                carried
            }
            Op::Record(fields) => {
                let mut carried = Carried::default();
                for (name, field) in fields {
                    carried.add_part(name, of(field));
                }
                carried
            }
            Op::Variant(case, payload) => {
                let mut carried = Carried::default();
                if let Some(payload) = payload {
                    carried.add_part(case, of(payload));
                }
                carried
            }
            Op::Calendar(inside, _) | Op::Not(inside) | Op::Negate(inside) => all(inside),
            Op::Binary(_, a, b) => all(a).with(all(b)),
            Op::Function(_, parts) | Op::Interpolate(parts) => {
                Carried::whole(parts.iter().flat_map(|part| of(part).all()).collect())
            }
            Op::Constant(_)
            | Op::Answer
            | Op::Contact {
                field:
                    ContactField::Number | ContactField::Channel | ContactField::Language | ContactField::Id,
                ..
            }
            | Op::CalendarOpen(_)
            | Op::CalendarTurn(..)
            | Op::Queue(..)
            | Op::Position
            | Op::Wait
            | Op::Now => Carried::default(),
        }
    }
}

/// The calls of a step, each with the name of its branch where there are several.
fn calls(step: &Step) -> impl Iterator<Item = (Option<&Arc<str>>, &Call)> {
    let (one, several) = match &step.verb {
        Verb::Call(call) => (Some(call), [].as_slice()),
        Verb::Together(together) => (None, together.branches.as_slice()),
        _ => (None, [].as_slice()),
    };
    let one = one.into_iter().map(|call| (None, call));
    one.chain(several.iter().map(|(branch, call)| (Some(branch), call)))
}
