//! What of a flow its proofs have to remember, and for how long.
//!
//! A fact is worth keeping only while a condition ahead asks about it: otherwise every step would
//! double the states after it. A way that a condition went is worth keeping only if the same is
//! asked again: by another step, or by the same one in a loop. A hotline that has too many states
//! all the same is proved with less [`Memory`].

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use trunkline_model::VariableName;

use crate::{
    check::graph::components,
    expression::{Expression, Node, Op},
    hotline::{Flow, Hotline},
    prove::{
        facts::{Facts, is_of_the_world, key, mentions, open_key, path, walk},
        graph::conditions,
    },
    step::{Record, Step, Target, Verb},
};

/// A flow and what its conditions ask about.
pub(crate) struct Plan<'h> {
    pub(crate) flow: &'h Flow,
    /// How often each path or condition is asked about.
    uses: HashMap<Arc<str>, u32>,
    /// Which of the subjects is asked about at a step or after it.
    live: Vec<Bits>,
    subjects: HashMap<Arc<str>, usize>,
}

/// The plans of all flows, and what they ask of the world together.
pub(crate) struct Plans<'h> {
    pub(crate) flows: BTreeMap<&'h str, Plan<'h>>,
    /// What they ask of the world and the contact, and how often.
    world: HashMap<Arc<str>, u32>,
    /// How much is remembered.
    pub(crate) memory: Memory,
}

/// How much of what became known on a way is remembered, from the most to the least: a hotline that has
/// too many states with one has the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Memory {
    /// Values that were given or set, and conditions that are asked about again, also by the same step in a loop.
    Loops,
    /// The same, without conditions that only the same step asks again.
    All,
    /// Only what is asked about again.
    Repeated,
    /// Nothing: conditions go both ways every time.
    Nothing,
}

impl Memory {
    /// How much it counts that something is asked about; what counts two is remembered.
    const fn count(self, in_loop: bool) -> u32 {
        match self {
            Self::Loops if in_loop => 2,
            _ => 1,
        }
    }

    const fn keeps_values(self) -> bool {
        matches!(self, Self::Loops | Self::All)
    }
}

/// Facts that are remembered in one state. More are forgotten: their conditions go both ways.
const FACTS_MAX: usize = 64;

#[derive(Clone, PartialEq)]
struct Bits(Vec<u64>);

impl Bits {
    fn new(length: usize) -> Self {
        Self(vec![0; length.div_ceil(64)])
    }

    fn insert(&mut self, at: usize) {
        self.0[at / 64] |= 1 << (at % 64);
    }

    fn holds(&self, at: usize) -> bool {
        self.0[at / 64] & (1 << (at % 64)) != 0
    }

    /// Those that are not among others.
    fn without(&self, others: &Self) -> Self {
        Self(
            self.0
                .iter()
                .zip(&others.0)
                .map(|(mine, other)| mine & !other)
                .collect(),
        )
    }

    /// Adds the other's; whether that was anything new.
    fn add(&mut self, other: &Self) -> bool {
        let mut grew = false;
        for (mine, other) in self.0.iter_mut().zip(&other.0) {
            grew |= *mine | other != *mine;
            *mine |= other;
        }
        grew
    }
}

impl<'h> Plans<'h> {
    pub(crate) fn new(hotline: &'h Hotline, memory: Memory) -> Self {
        let flows: BTreeMap<&str, Plan<'_>> = hotline
            .flows
            .iter()
            .map(|(name, flow)| (name.as_str(), Plan::new(flow, memory)))
            .collect();
        let mut world: HashMap<Arc<str>, u32> = HashMap::new();
        for flow in hotline.flows.values() {
            let looping = in_loops(flow);
            for (index, step) in flow.steps.values().enumerate() {
                for condition in conditions(step) {
                    walk(condition.root(), &mut |node| {
                        if is_of_the_world(node) && is_subject(node) {
                            *world.entry(key(node).into()).or_default() += memory.count(looping[index]);
                        }
                    });
                }
            }
        }
        // A queue asks for its hours as a condition would.
        let steps = hotline.flows.values().flat_map(|flow| flow.steps.values());
        for step in steps {
            if let Verb::Queue(queue) = &step.verb
                && let Some(settings) = hotline.queues.get(&queue.queue)
            {
                *world.entry(open_key(&settings.calendar).into()).or_default() += 1;
            }
        }
        Self { flows, world, memory }
    }

    /// The facts that matter at a step of a flow and after it. `before` are those that were
    /// known before a condition was taken to hold: new ones have to be asked about twice.
    pub(crate) fn keep(&self, flow: &str, step: usize, before: &Facts, facts: &Facts) -> Facts {
        if self.memory == Memory::Nothing {
            return Facts::default();
        }
        let Some(plan) = self.flows.get(flow) else {
            return Facts::default();
        };
        Facts(
            facts
                .0
                .iter()
                .filter(|(about, fact)| {
                    let known = self.memory.keeps_values() && before.0.get(*about) == Some(*fact);
                    if let Some(count) = self.world.get(*about) {
                        return *count >= 2;
                    }
                    let again = known || plan.uses.get(*about).is_some_and(|count| *count >= 2);
                    let asked = plan
                        .subjects
                        .get(*about)
                        .is_some_and(|subject| plan.live[step].holds(*subject));
                    again && asked
                })
                .take(FACTS_MAX)
                .map(|(about, fact)| (about.clone(), fact.clone()))
                .collect(),
        )
    }

    /// Of the facts of one flow, those that hold in another as well.
    pub(crate) fn of_the_world(&self, facts: &Facts) -> Facts {
        let shared = facts
            .0
            .iter()
            .filter(|(about, _)| self.world.contains_key(*about));
        Facts(
            shared
                .map(|(about, fact)| (about.clone(), fact.clone()))
                .collect(),
        )
    }

    /// Takes over what became known of the world elsewhere.
    pub(crate) fn bring_home(&self, facts: &mut Facts, from: &Facts) {
        facts.0.extend(self.of_the_world(from).0);
    }
}

impl<'h> Plan<'h> {
    fn new(flow: &'h Flow, memory: Memory) -> Self {
        let mut plan = Self {
            flow,
            uses: HashMap::new(),
            live: Vec::new(),
            subjects: HashMap::new(),
        };
        let asked: Vec<Vec<Arc<str>>> = flow.steps.values().map(subjects).collect();
        let looping = in_loops(flow);
        for (index, abouts) in asked.iter().enumerate() {
            for about in abouts {
                *plan.uses.entry(about.clone()).or_default() += memory.count(looping[index]);
                let next = plan.subjects.len();
                plan.subjects.entry(about.clone()).or_insert(next);
            }
        }
        plan.live = plan.liveness(&asked);
        plan
    }

    /// Backwards from where something is asked to all steps that lead there.
    fn liveness(&self, asked: &[Vec<Arc<str>>]) -> Vec<Bits> {
        let flow = self.flow;
        let count = flow.steps.len();
        let mut live: Vec<Bits> = asked
            .iter()
            .map(|subjects| {
                let mut bits = Bits::new(self.subjects.len());
                for about in subjects {
                    bits.insert(self.subjects[about]);
                }
                bits
            })
            .collect();
        // What a way gives a value is not what was known of it before.
        let mut killed: HashMap<&str, Bits> = HashMap::new();
        let mut before: Vec<Vec<(usize, Option<Bits>)>> = vec![Vec::new(); count];
        let anywhere: Vec<usize> = flow
            .anywhere
            .keys
            .values()
            .chain(flow.anywhere.words.iter().map(|(_, step)| step))
            .filter_map(|step| flow.steps.get_index_of(step))
            .collect();
        for (index, step) in flow.steps.values().enumerate() {
            let hears = step.verb.hears().then_some(&anywhere).into_iter().flatten();
            for to in targets(flow, step).chain(hears.copied()) {
                let gives = given_by(flow, step, to);
                let mut kills: Option<Bits> = None;
                for variable in gives {
                    let bits = killed.entry(variable).or_insert_with(|| {
                        let mut bits = Bits::new(self.subjects.len());
                        for (about, subject) in &self.subjects {
                            if mentions(about, variable) {
                                bits.insert(*subject);
                            }
                        }
                        bits
                    });
                    kills
                        .get_or_insert_with(|| Bits::new(self.subjects.len()))
                        .add(bits);
                }
                before[to].push((index, kills));
            }
        }
        // Backwards: the last steps first.
        let mut open: Vec<usize> = (0..count).collect();
        while let Some(step) = open.pop() {
            let here = live[step].clone();
            for (from, kills) in &before[step] {
                let grew = match kills {
                    None => live[*from].add(&here),
                    Some(kills) => live[*from].add(&here.without(kills)),
                };
                if grew {
                    open.push(*from);
                }
            }
        }
        live
    }
}

/// The steps from which a way leads back to them.
fn in_loops(flow: &Flow) -> Vec<bool> {
    let steps: Vec<&Step> = flow.steps.values().collect();
    let mut looping = vec![false; steps.len()];
    for part in components(steps.len(), |step| targets(flow, steps[step])) {
        let alone = part.len() == 1 && targets(flow, steps[part[0]]).all(|to| to != part[0]);
        for step in part {
            looping[step] = !alone;
        }
    }
    looping
}

/// The variables that are given a value on every way from a step to another.
fn given_by<'h>(flow: &'h Flow, step: &'h Step, to: usize) -> Vec<&'h str> {
    let leads = |id: &trunkline_model::StepId| flow.steps.get_index_of(id) == Some(to);
    let by_next = step.next.as_ref().is_some_and(&leads);
    // What else leads there may give it none.
    let otherwise = targets(flow, step).filter(|target| *target == to).count() > 1;
    if !by_next || otherwise || step.when.is_some() {
        return Vec::new();
    }
    match &step.verb {
        Verb::Call(call) => call.save.iter().map(VariableName::as_str).collect(),
        Verb::Ask(ask) => ask.save.iter().map(VariableName::as_str).collect(),
        Verb::Together(together) => {
            let saves = together
                .branches
                .iter()
                .filter_map(|(_, call)| call.save.as_ref());
            saves.map(VariableName::as_str).collect()
        }
        Verb::Ticket(ticket) => ticket.save.iter().map(VariableName::as_str).collect(),
        Verb::Record(Record::Message { save, .. }) => vec![save.as_str()],
        _ => Vec::new(),
    }
}

/// What a step asks about: conditions and paths in them, and what it hands on to others.
fn subjects(step: &Step) -> Vec<Arc<str>> {
    let mut found: Vec<Arc<str>> = Vec::new();
    let mut handed: Vec<&Expression> = Vec::new();
    match &step.verb {
        Verb::Set(set) => handed.extend(
            set.assignments
                .iter()
                .filter(|(target, _)| matches!(target, Target::Variable(_)))
                .map(|(_, value)| value),
        ),
        Verb::Run(run) => handed.extend(run.inputs.iter().map(|(_, value)| value)),
        Verb::End(end) => handed.extend(end.outputs.iter().map(|(_, value)| value)),
        _ => {}
    }
    for condition in conditions(step) {
        walk(condition.root(), &mut |node| {
            if is_subject(node) {
                found.push(key(node).into());
            }
        });
    }
    for value in handed {
        walk(value.root(), &mut |node| {
            if let Some(path) = path(node) {
                found.push(path.into());
            }
        });
    }
    found
}

/// Whether a node is asked about by itself. One that only wraps another is the same subject, to be counted once.
fn is_subject(node: &Node) -> bool {
    !matches!(
        node.op,
        Op::Nested(_) | Op::Present { .. } | Op::Convert(..) | Op::Constant(_)
    )
}

/// The steps of the same flow that a step leads to by itself.
pub(crate) fn targets<'h>(flow: &'h Flow, step: &'h Step) -> impl Iterator<Item = usize> + 'h {
    let mut to: Vec<_> = step.next.iter().collect();
    to.extend(step.exits.values().map(|edge| &edge.next));
    match &step.verb {
        Verb::Menu(menu) => {
            to.extend(menu.entries.iter().map(|entry| &entry.next));
            to.extend(menu.words.iter().map(|(_, step)| step));
            to.extend(menu.intent.iter().flat_map(|intent| intent.edges.values()));
        }
        Verb::Choose(choose) => {
            to.extend(choose.branches.iter().map(|(_, step)| step));
            to.push(&choose.otherwise);
        }
        Verb::Queue(queue) => to.extend(queue.offers.iter().map(|offer| &offer.next)),
        _ => {}
    }
    to.into_iter().filter_map(|step| flow.steps.get_index_of(step))
}
