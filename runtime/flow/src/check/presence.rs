//! What is set where: which variables, and which optional fields of them, are there on every
//! way to a step.
//!
//! A forward analysis over the graph of steps: at a step is known what is known on all ways
//! to it. A fact is a path such as `citizen` or `citizen.district`; setting a variable
//! forgets all facts about it.

use std::{
    cell::RefCell,
    collections::{HashMap, VecDeque},
};

use trunkline_model::Type;

use super::{
    expressions::Scribe,
    flow::FlowView,
    graph::{Effect, Graph},
    verbs,
};
use crate::{
    expression::typing::shown_by,
    source::Word,
    syntax::{RecordSyntax, StepSyntax, ValueSyntax, VerbSyntax},
};

/// Facts known at one place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct State(Vec<u64>);

impl State {
    fn insert(&mut self, fact: usize) {
        let word = fact / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (fact % 64);
    }

    fn remove(&mut self, fact: usize) {
        if let Some(word) = self.0.get_mut(fact / 64) {
            *word &= !(1 << (fact % 64));
        }
    }

    fn contains(&self, fact: usize) -> bool {
        self.0
            .get(fact / 64)
            .is_some_and(|word| word & (1 << (fact % 64)) != 0)
    }

    /// Keeps what the other knows, too; whether anything was lost.
    fn intersect(&mut self, other: &Self) -> bool {
        let mut changed = false;
        for (index, word) in self.0.iter_mut().enumerate() {
            let kept = *word & other.0.get(index).copied().unwrap_or_default();
            changed |= kept != *word;
            *word = kept;
        }
        changed
    }
}

#[derive(Default)]
struct Facts {
    numbers: HashMap<String, usize>,
    /// Facts by the variable they are about.
    by_root: HashMap<String, Vec<usize>>,
}

/// The analysis of one flow.
pub(super) struct Presence<'v, 'w, 'a> {
    view: &'v FlowView<'w, 'a>,
    facts: RefCell<Facts>,
}

impl<'v, 'w, 'a> Presence<'v, 'w, 'a> {
    pub(super) fn new(view: &'v FlowView<'w, 'a>) -> Self {
        Self {
            view,
            facts: RefCell::default(),
        }
    }

    fn fact(&self, path: &str) -> usize {
        let mut facts = self.facts.borrow_mut();
        if let Some(number) = facts.numbers.get(path) {
            return *number;
        }
        let number = facts.numbers.len();
        facts.numbers.insert(path.to_owned(), number);
        let root = path.split('.').next().unwrap_or(path).to_owned();
        facts.by_root.entry(root).or_default().push(number);
        number
    }

    /// Whether a path is known to be there.
    pub(super) fn knows(&self, state: &State, path: &str) -> bool {
        let facts = self.facts.borrow();
        facts.numbers.get(path).is_some_and(|fact| state.contains(*fact))
    }

    fn learn(&self, state: &mut State, paths: impl IntoIterator<Item = String>) {
        for path in paths {
            state.insert(self.fact(&path));
        }
    }

    fn set(&self, state: &mut State, variable: &str, present: bool) {
        let known = self
            .facts
            .borrow()
            .by_root
            .get(variable)
            .cloned()
            .unwrap_or_default();
        for fact in known {
            state.remove(fact);
        }
        if present {
            state.insert(self.fact(variable));
        }
    }

    /// What is known before anything happened: nothing of the flow's variables.
    pub(super) fn nothing(&self) -> State {
        let mut state = State::default();
        for (name, ty) in &self.view.head.inputs {
            if ty.as_ref().is_none_or(|ty| !ty.is_optional()) {
                state.insert(self.fact(name.as_str()));
            }
        }
        state
    }

    /// What is known at the start.
    fn initial(&self) -> State {
        let mut state = self.nothing();
        let before = state.clone();
        for (name, value) in &self.view.head.initial {
            let scribe = Scribe::new(self.view, self, Some(&before)).quiet();
            if self.gives(&scribe, name, value) {
                state.insert(self.fact(name));
            }
        }
        // A type that could not be read has been reported.
        for (name, ty) in &self.view.head.variables {
            if ty.is_none() {
                state.insert(self.fact(name.as_str()));
            }
        }
        state
    }

    /// Whether a value set to a variable is surely there.
    fn gives(&self, scribe: &Scribe<'_, '_, '_, '_>, variable: &str, value: &ValueSyntax) -> bool {
        let ty = self.view.head.variables.get(variable).and_then(Option::as_ref);
        match scribe.value(value, ty) {
            Some(valued) => !valued.given.is_optional(),
            // What is wrong with it is reported where it stands.
            None => true,
        }
    }

    /// What is known at each step; none at steps that nothing leads to.
    pub(super) fn flow(&self, graph: &Graph<'_>, roots: &[usize]) -> Vec<Option<State>> {
        let mut states: Vec<Option<State>> = vec![None; graph.len()];
        let mut open = VecDeque::new();
        let mut waiting = vec![false; graph.len()];
        let initial = self.initial();
        for root in roots {
            states[*root] = Some(initial.clone());
            open.push_back(*root);
            waiting[*root] = true;
        }
        while let Some(step) = open.pop_front() {
            waiting[step] = false;
            let Some(entered) = states[step].clone() else {
                continue;
            };
            for (to, known) in self.leave(graph, step, &entered) {
                let changed = match (&mut states[to], known) {
                    (Some(state), Some(known)) => state.intersect(&known),
                    (Some(_), None) => false,
                    (state, known) => {
                        // Of a step that is not understood nothing bad is assumed.
                        *state = Some(known.unwrap_or_else(|| self.everything()));
                        true
                    }
                };
                if changed && !std::mem::replace(&mut waiting[to], true) {
                    open.push_back(to);
                }
            }
        }
        states
    }

    fn everything(&self) -> State {
        let mut state = State::default();
        for name in self.view.head.variables.keys() {
            state.insert(self.fact(name.as_str()));
        }
        state
    }

    /// What is known on each way out of a step.
    fn leave(&self, graph: &Graph<'_>, index: usize, entered: &State) -> Vec<(usize, Option<State>)> {
        let step = &self.view.steps[index];
        let scribe = Scribe::new(self.view, self, Some(entered)).quiet();
        let mut active = entered.clone();
        if let Some(when) = &step.when {
            self.learn(&mut active, self.shown(&scribe, when, true));
        }
        let mut done = None;
        graph
            .ways(index)
            .iter()
            .map(|way| {
                let mut state = active.clone();
                let known = match &way.effect {
                    Effect::Nothing | Effect::Refused | Effect::Key(None) => Some(state),
                    Effect::Passed => {
                        state.clone_from(entered);
                        if let Some(when) = &step.when {
                            self.learn(&mut state, self.shown(&scribe, when, false));
                        }
                        Some(state)
                    }
                    Effect::Key(Some(when)) => {
                        self.learn(&mut state, self.shown(&scribe, when, true));
                        Some(state)
                    }
                    Effect::Branch(branch) => {
                        if let VerbSyntax::Choose(choose) = &step.verb {
                            for (when, _) in choose.branches.iter().take(*branch) {
                                self.learn(&mut state, self.shown(&scribe, when, false));
                            }
                            if let Some((when, _)) = choose.branches.get(*branch) {
                                self.learn(&mut state, self.shown(&scribe, when, true));
                            }
                        }
                        Some(state)
                    }
                    Effect::Payload(variable, payload) => {
                        let present = payload.as_ref().is_none_or(|payload| !payload.is_optional());
                        self.set(&mut state, variable.as_str(), present);
                        Some(state)
                    }
                    Effect::Done => {
                        let done = done.get_or_insert_with(|| self.done(index, step, &active));
                        Some(done.clone())
                    }
                    Effect::Unknown => None,
                };
                (way.to, known)
            })
            .collect()
    }

    fn shown(&self, scribe: &Scribe<'_, '_, '_, '_>, condition: &Word, truth: bool) -> Vec<String> {
        scribe
            .formula(condition)
            .and_then(|formula| formula.sole().map(|tree| shown_by(tree, truth)))
            .unwrap_or_default()
    }

    /// What is known after a step has done what it does.
    fn done(&self, index: usize, step: &StepSyntax, active: &State) -> State {
        let mut state = active.clone();
        match &step.verb {
            VerbSyntax::Set(assignments) => {
                for (name, value) in assignments {
                    let before = state.clone();
                    let scribe = Scribe::new(self.view, self, Some(&before)).quiet();
                    let present = self.gives(&scribe, name.as_str(), value);
                    self.set(&mut state, name.as_str(), present);
                }
            }
            VerbSyntax::Ask(ask) => {
                if let Some(save) = &ask.save {
                    self.set(&mut state, save.as_str(), true);
                }
            }
            VerbSyntax::Call(call) => {
                if let Some(save) = &call.save {
                    let ok = self.view.signatures[index].and_then(|signature| signature.ok.as_ref());
                    self.set(&mut state, save.as_str(), ok.is_none_or(|ok| !ok.is_optional()));
                }
            }
            VerbSyntax::Run { flow, save, .. } => {
                let result: Option<Type> = verbs::result_type(self.view, flow);
                for (name, value) in save {
                    let before = state.clone();
                    let scribe = Scribe::new(self.view, self, Some(&before))
                        .with_result(result.clone())
                        .quiet();
                    let present = self.gives(&scribe, name.as_str(), value);
                    self.set(&mut state, name.as_str(), present);
                }
            }
            VerbSyntax::Together(together) => {
                for ((_, call), signature) in together.branches.iter().zip(self.view.branches(index)) {
                    if let Some(save) = &call.save {
                        let ok = signature.and_then(|signature| signature.ok.as_ref());
                        self.set(&mut state, save.as_str(), ok.is_none_or(|ok| !ok.is_optional()));
                    }
                }
            }
            VerbSyntax::Ticket(ticket) => {
                if let Some(save) = &ticket.save {
                    self.set(&mut state, save.as_str(), true);
                }
            }
            VerbSyntax::Record(RecordSyntax::Message(message)) => {
                self.set(&mut state, message.save.as_str(), true);
            }
            VerbSyntax::Say { .. }
            | VerbSyntax::Menu(_)
            | VerbSyntax::Choose(_)
            | VerbSyntax::Queue(_)
            | VerbSyntax::Transfer(_)
            | VerbSyntax::Callback(_)
            | VerbSyntax::Survey(_)
            | VerbSyntax::Notify(_)
            | VerbSyntax::Record(_)
            | VerbSyntax::Wait { .. }
            | VerbSyntax::End { .. }
            | VerbSyntax::Broken => {}
        }
        state
    }
}

#[cfg(test)]
mod tests {
    use super::super::harness::assert_findings;

    #[test]
    fn values_are_set_on_every_way_before_they_are_read() {
        assert_findings(
            r##"
--- flows/main.yaml
flow: main
vars: { citizen: crm.citizen?, words: string, mood: sentiment.mood?, tries: { type: int, is: 0 } }
start: find
steps:
  find: { call: crm.find-citizen, with: { phone: "1" }, save: citizen, on: { not-found: menu, else: menu }, next: known }
  known: { set: { words: "${citizen.name}" }, next: menu }
  menu: { menu: hello, keys: { 1: ask, 2: score }, on: { else: test } }
  ask: { ask: hello, answer: text, save: words, on: { else: test }, next: score }
  score: { call: sentiment.score, with: { text: "${words}" }, save: mood, on: { fault: test }, next: test }
#                                                  ^^^^^ TL0206: `words` is not set on every way here
  test:
    choose:
      - { when: "${has(citizen) && citizen.name == words}", next: is-there }
#                                                  ^^^^^ TL0206: `words` is not set on every way here
      - { when: "${!has(mood)}", next: maybe }
      - { else: moody }
  is-there: { set: { tries: "${citizen.name.size()}" }, next: maybe }
  moody: { set: { tries: "${mood.level == 'angri' ? 1 : 2}" }, next: maybe }
#                                         ^^^^^^^ TL0207: level has no case 'angri'
  maybe: { set: { tries: "${citizen.name.size()}" }, next: passed }
#                           ^^^^^^^ TL0205: `citizen` may be absent here
  passed: { when: "${has(citizen.district)}", set: { tries: "${citizen.district.size() + citizen.name.size()}" }, next: after }
  after: { when: "${tries > 0 || citizen.name == 'a'}", set: { tries: 1 }, next: done }
#                                ^^^^^^^ TL0205: `citizen` may be absent here
  done: { end: completed }
"##,
        );
    }

    #[test]
    fn payloads_results_and_narrowed_values() {
        assert_findings(
            r##"
--- flows/main.yaml
flow: main
vars: { count: u32?, n: { type: int, is: 0 }, name: string?, sure: string? }
start: find
steps:
  find: { call: crm.find-citizen, with: { phone: "1" }, on: { ambiguous: { next: many, save: count }, else: none }, next: none }
  many: { set: { n: "${count + 1}" }, next: none }
  none: { run: helper, save: { name: "${result.name}", sure: "${result.sure}" }, next: use }
  use: { set: { n: "${sure.size()}" }, next: use-too }
  use-too: { set: { n: "${name.size()}" }, next: caller }
#                         ^^^^ TL0205: `name` may be absent here
  caller: { call: crm.find-citizen, with: { phone: "${contact.caller}" }, on: { else: caller-too }, next: caller-too }
#                                                     ^^^^^^^^^^^^^^ TL0205: `contact.caller` may be absent here
  caller-too: { choose: [ { when: "${contact.caller == '+8613800138000'}", next: known }, { else: done } ] }
  known: { call: crm.find-citizen, with: { phone: "${contact.caller}" }, on: { else: done }, next: done }
  done: { end: completed }
--- flows/helper.yaml
flow: helper
outputs: { name: string?, sure: string }
start: done
steps: { done: { end: completed, outputs: { sure: yes } } }
"##,
        );
    }
}
