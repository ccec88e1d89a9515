//! What of a flow its proofs have to remember, and for how long.
//!
//! A fact is worth keeping only while a condition ahead asks about it: otherwise every step would
//! double the states after it. A way that a condition went is worth keeping only if the same is
//! asked a second time.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use crate::{
    expression::{Expression, Node, Op},
    hotline::{Flow, Hotline},
    prove::facts::{Fact, Facts, key, open_key, path, walk},
    step::{Step, Target, Verb},
};

/// Beginnings of facts that are about the world or the contact and not about one flow.
const WORLD: [&str; 4] = ["calendar.", "queue.", "contact.", "has(contact."];

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
    world: HashMap<Arc<str>, u32>,
    /// How much is remembered.
    pub(crate) memory: Memory,
}

/// How much of what became known on a way is remembered, from the most to the least: a hotline that has
/// too many states with one has the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Memory {
    /// Values that were given or set, and conditions that are asked about again.
    All,
    /// Only what is asked about again.
    Repeated,
    /// Nothing: conditions go both ways every time.
    Nothing,
}

/// Facts that are remembered in one state. More are forgotten: their conditions go both ways.
const FACTS_MAX: usize = 32;

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
            .map(|(name, flow)| (name.as_str(), Plan::new(flow)))
            .collect();
        let mut world: HashMap<Arc<str>, u32> = HashMap::new();
        for plan in flows.values() {
            for (about, count) in &plan.uses {
                if is_of_the_world(about) {
                    *world.entry(about.clone()).or_default() += count;
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
    pub(crate) fn keep(&self, flow: &str, step: usize, before: &Facts, facts: Facts) -> Facts {
        if self.memory == Memory::Nothing {
            return Facts::default();
        }
        let Some(plan) = self.flows.get(flow) else {
            return Facts::default();
        };
        Facts(
            facts
                .0
                .into_iter()
                .filter(|(about, fact)| {
                    let known = self.memory == Memory::All && before.0.get(about) == Some(fact);
                    if is_of_the_world(about) {
                        return self.world.get(about).is_some_and(|count| *count >= 2);
                    }
                    let again = known || plan.uses.get(about).is_some_and(|count| *count >= 2);
                    let asked = plan
                        .subjects
                        .get(about)
                        .is_some_and(|subject| plan.live[step].holds(*subject));
                    again && asked
                })
                .take(FACTS_MAX)
                .collect(),
        )
    }

    /// Of the facts of one flow, those that hold in another as well.
    pub(crate) fn of_the_world(facts: &Facts) -> Facts {
        let shared = facts.0.iter().filter(|(about, _)| is_of_the_world(about));
        Facts(
            shared
                .map(|(about, fact)| (about.clone(), fact.clone()))
                .collect(),
        )
    }

    /// Takes over what became known of the world elsewhere.
    pub(crate) fn bring_home(facts: &mut Facts, from: &Facts) {
        let shared = from.0.iter().filter(|(about, _)| is_of_the_world(about));
        let shared: Vec<(Arc<str>, Fact)> = shared
            .map(|(about, fact)| (about.clone(), fact.clone()))
            .collect();
        facts.0.extend(shared);
    }
}

fn is_of_the_world(about: &str) -> bool {
    WORLD.iter().any(|start| about.starts_with(start))
}

impl<'h> Plan<'h> {
    fn new(flow: &'h Flow) -> Self {
        let mut plan = Self {
            flow,
            uses: HashMap::new(),
            live: Vec::new(),
            subjects: HashMap::new(),
        };
        let asked: Vec<Vec<Arc<str>>> = flow.steps.values().map(subjects).collect();
        for about in asked.iter().flatten() {
            *plan.uses.entry(about.clone()).or_default() += 1;
            let next = plan.subjects.len();
            plan.subjects.entry(about.clone()).or_insert(next);
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
        let mut before: Vec<Vec<usize>> = vec![Vec::new(); count];
        let anywhere: Vec<usize> = flow
            .anywhere
            .keys
            .values()
            .chain(flow.anywhere.words.iter().map(|(_, step)| step))
            .filter_map(|step| flow.steps.get_index_of(step))
            .collect();
        for (index, step) in flow.steps.values().enumerate() {
            let hears = step
                .verb
                .hears()
                .then_some(&anywhere)
                .into_iter()
                .flatten()
                .copied();
            for to in targets(flow, step).chain(hears) {
                before[to].push(index);
            }
        }
        let mut open: Vec<usize> = (0..count).rev().collect();
        while let Some(step) = open.pop() {
            let here = live[step].clone();
            for from in &before[step] {
                if live[*from].add(&here) {
                    open.push(*from);
                }
            }
        }
        live
    }
}

/// What a step asks about: conditions and paths in them, and what it hands on to others.
fn subjects(step: &Step) -> Vec<Arc<str>> {
    let mut found: Vec<Arc<str>> = Vec::new();
    let mut conditions: Vec<&Expression> = step.when.iter().collect();
    let mut handed: Vec<&Expression> = Vec::new();
    match &step.verb {
        Verb::Choose(choose) => conditions.extend(choose.branches.iter().map(|(when, _)| when)),
        Verb::Menu(menu) => conditions.extend(menu.entries.iter().filter_map(|entry| entry.when.as_ref())),
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
    for condition in conditions {
        walk(condition.root(), &mut |node| note(node, &mut found));
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

fn note(node: &Node, found: &mut Vec<Arc<str>>) {
    // A node that only wraps another is the same subject, to be counted once.
    if matches!(
        node.op,
        Op::Nested(_) | Op::Present { .. } | Op::Convert(..) | Op::Constant(_)
    ) {
        return;
    }
    found.push(key(node).into());
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
