//! The ways of a flow as a graph: its steps, the places where contacts come in, and one edge
//! for all ways that lead from one step to another.

use std::{collections::BTreeMap, sync::Arc};

use serde::Serialize;
use trunkline_model::{FaultKind, FlowName, StepId};

use super::show;
use crate::{
    hotline::{Flow, Hotline},
    step::{Key, Step, Verb},
    width::{columns, columns_of, cut},
};

/// The keypad, in the order in which the keys of a menu stand.
pub(super) const KEYPAD: &str = "1234567890*#";

/// Columns that a condition may take on its line.
const CONDITION_COLUMNS_MAX: usize = 34;

/// Columns that all words of an edge may take.
const LABEL_COLUMNS_MAX: usize = 34;

/// Why a contact goes a way. An edge that stands for several ways has the kind of the first of
/// them in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EdgeKind {
    /// A contact begins.
    Start,
    /// A key of a menu was pressed.
    Key,
    /// All went well.
    Next,
    /// A condition of `choose` held, or none did.
    Branch,
    /// A plugin told what the caller wants.
    Intent,
    /// A caller who waits took an offer.
    Offer,
    /// A word of a menu was said.
    Word,
    /// Any other way out: an error, no input, a fault, another outcome.
    Exit,
    /// A key or word that holds anywhere.
    Anywhere,
    /// The caller left.
    HangUp,
}

/// One way of an edge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Way {
    /// Why it is gone.
    pub kind: EdgeKind,
    /// Its name, unique among the ways of a step: `next`, `key:1`, `word:社保`, `on:no-input`,
    /// `branch:1`, `branch:else`, `intent:bill`, `offer:offer-callback`, `anywhere:9`, `hang-up`, `start`.
    pub name: Arc<str>,
}

/// A place of the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// Where contacts come in.
    Start,
    /// What holds at every step that hears.
    Anywhere,
    /// Where contacts go whose caller left.
    HangUp,
    /// A step, by its place among the flow's.
    Step(usize),
}

/// All ways from one place to another.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) kind: EdgeKind,
    /// In written order.
    pub(super) ways: Vec<Way>,
    /// What is written on it; nothing for a plain `next`.
    pub(super) label: String,
    /// Where it stands among the ways out of its place: keys as on a keypad.
    pub(super) position: usize,
}

/// A flow as places and links.
pub(super) struct Graph {
    pub(super) places: Vec<Place>,
    /// Sorted by place, then position.
    pub(super) links: Vec<Link>,
    /// Links out of each place.
    pub(super) out: Vec<Vec<usize>>,
}

/// What a way says on its edge, by group.
struct Raw {
    to: usize,
    way: Way,
    word: String,
    order: (EdgeKind, usize),
}

impl Graph {
    pub(super) fn new(flow: &Flow, language: &str) -> Self {
        let mut places = vec![Place::Start];
        if !flow.anywhere.keys.is_empty() || !flow.anywhere.words.is_empty() {
            places.push(Place::Anywhere);
        }
        if flow.on_hangup.is_some() {
            places.push(Place::HangUp);
        }
        let first = places.len();
        places.extend((0..flow.steps.len()).map(Place::Step));
        let at = |step: &StepId| flow.steps.get_index_of(step).map(|index| first + index);
        let mut graph = Self {
            out: vec![Vec::new(); places.len()],
            places,
            links: Vec::new(),
        };
        for from in 0..graph.places.len() {
            let raw = match &graph.places[from] {
                Place::Start => at(&flow.start)
                    .map(|to| vec![raw(to, EdgeKind::Start, "start".into(), String::new(), 0)])
                    .unwrap_or_default(),
                Place::Anywhere => anywhere(flow, &at),
                Place::HangUp => flow
                    .on_hangup
                    .as_ref()
                    .and_then(&at)
                    .map(|to| vec![raw(to, EdgeKind::HangUp, "hang-up".into(), String::new(), 0)])
                    .unwrap_or_default(),
                Place::Step(index) => step_ways(&flow.steps[*index], &at),
            };
            graph.link(from, raw, language);
        }
        graph
    }

    /// Makes one link of all ways to the same place.
    fn link(&mut self, from: usize, mut raw: Vec<Raw>, language: &str) {
        raw.sort_by_key(|way| way.order);
        let mut by_target: Vec<(usize, Vec<Raw>)> = Vec::new();
        let mut found: BTreeMap<usize, usize> = BTreeMap::new();
        for way in raw {
            match found.get(&way.to) {
                Some(group) => by_target[*group].1.push(way),
                None => {
                    found.insert(way.to, by_target.len());
                    by_target.push((way.to, vec![way]));
                }
            }
        }
        for (position, (to, group)) in by_target.into_iter().enumerate() {
            self.out[from].push(self.links.len());
            self.links.push(Link {
                from,
                to,
                kind: group[0].way.kind,
                label: label(&group, language),
                ways: group.into_iter().map(|raw| raw.way).collect(),
                position,
            });
        }
    }
}

fn raw(to: usize, kind: EdgeKind, name: Arc<str>, word: String, place: usize) -> Raw {
    Raw {
        to,
        way: Way { kind, name },
        word,
        order: (kind, place),
    }
}

/// Where a key stands on the keypad.
pub(super) fn keypad_place(key: Key) -> usize {
    KEYPAD.find(key.as_char()).unwrap_or(KEYPAD.len())
}

fn anywhere(flow: &Flow, at: &impl Fn(&StepId) -> Option<usize>) -> Vec<Raw> {
    let keys = flow.anywhere.keys.iter().filter_map(|(key, next)| {
        let name = format!("anywhere:{key}").into();
        Some(raw(
            at(next)?,
            EdgeKind::Anywhere,
            name,
            key.to_string(),
            keypad_place(*key),
        ))
    });
    let words = flow
        .anywhere
        .words
        .iter()
        .enumerate()
        .filter_map(|(index, (word, next))| {
            let name = format!("anywhere:{word}").into();
            Some(raw(
                at(next)?,
                EdgeKind::Anywhere,
                name,
                word.to_string(),
                KEYPAD.len() + index,
            ))
        });
    keys.chain(words).collect()
}

fn step_ways(step: &Step, at: &impl Fn(&StepId) -> Option<usize>) -> Vec<Raw> {
    let mut ways: Vec<Option<Raw>> = Vec::new();
    let mut add = |next: &StepId, kind: EdgeKind, name: String, word: String, place: usize| {
        ways.push(at(next).map(|to| raw(to, kind, name.into(), word, place)));
    };
    match &step.verb {
        Verb::Menu(menu) => {
            for entry in &menu.entries {
                add(
                    &entry.next,
                    EdgeKind::Key,
                    format!("key:{}", entry.key),
                    entry.key.to_string(),
                    keypad_place(entry.key),
                );
            }
            for (index, (word, next)) in menu.words.iter().enumerate() {
                add(
                    next,
                    EdgeKind::Word,
                    format!("word:{word}"),
                    word.to_string(),
                    index,
                );
            }
            for (index, (case, next)) in menu.intent.iter().flat_map(|intent| &intent.edges).enumerate() {
                add(
                    next,
                    EdgeKind::Intent,
                    format!("intent:{case}"),
                    case.to_string(),
                    index,
                );
            }
        }
        Verb::Choose(choose) => {
            for (index, (condition, next)) in choose.branches.iter().enumerate() {
                let shown = cut(&show::condition(condition), CONDITION_COLUMNS_MAX);
                add(
                    next,
                    EdgeKind::Branch,
                    format!("branch:{}", index + 1),
                    shown,
                    index,
                );
            }
            add(
                &choose.otherwise,
                EdgeKind::Branch,
                "branch:else".to_owned(),
                "else".to_owned(),
                choose.branches.len(),
            );
        }
        Verb::Queue(queue) => {
            for (index, offer) in queue.offers.iter().enumerate() {
                let shown = format!("{} after {}", offer.key, offer.after);
                add(
                    &offer.next,
                    EdgeKind::Offer,
                    format!("offer:{}", offer.name),
                    shown,
                    index,
                );
            }
        }
        Verb::Say(_)
        | Verb::Ask(_)
        | Verb::Call(_)
        | Verb::Set(_)
        | Verb::Together(_)
        | Verb::Run(_)
        | Verb::Transfer(_)
        | Verb::Callback(_)
        | Verb::Survey(_)
        | Verb::Ticket(_)
        | Verb::Notify(_)
        | Verb::Record(_)
        | Verb::Wait(_)
        | Verb::End(_) => {}
    }
    if let Some(next) = &step.next {
        // A menu, a choose or an end has a `next` only for when it is passed over.
        let passed = matches!(step.verb, Verb::Menu(_) | Verb::Choose(_) | Verb::End(_));
        let word = if passed { "passed over" } else { "" };
        add(next, EdgeKind::Next, "next".to_owned(), word.to_owned(), 0);
    }
    for (index, (name, edge)) in step.exits.iter().enumerate() {
        add(
            &edge.next,
            EdgeKind::Exit,
            format!("on:{name}"),
            name.to_string(),
            index,
        );
    }
    ways.into_iter().flatten().collect()
}

/// What an edge says: its keys, then its words, those of the language first, then its other ways.
fn label(group: &[Raw], language: &str) -> String {
    let mut words: Vec<String> = group
        .iter()
        .filter(|raw| !raw.word.is_empty() && raw.way.kind != EdgeKind::Exit)
        .map(|raw| raw.word.clone())
        .collect();
    let chinese = |word: &str| word.chars().any(|character| columns_of(character) == 2);
    let foreign = |word: &String| word.chars().count() > 1 && chinese(word) != language.starts_with("zh");
    words.sort_by_key(foreign);
    words.extend(exits(group));
    let mut label = String::new();
    for (index, word) in words.iter().enumerate() {
        let next = if index == 0 {
            word.clone()
        } else {
            format!(", {word}")
        };
        if index > 0 && columns(&label) + columns(&next) > LABEL_COLUMNS_MAX {
            label.push_str(&format!(" +{}", words.len() - index));
            break;
        }
        label.push_str(&next);
    }
    label
}

/// The names of exits; all faults of a call together are `fault`.
fn exits(group: &[Raw]) -> Vec<String> {
    let names: Vec<&str> = group
        .iter()
        .filter(|raw| raw.way.kind == EdgeKind::Exit)
        .map(|raw| raw.word.as_str())
        .collect();
    let (faults, mut others) = show::faults(&names);
    others.extend(faults);
    others
}

/// Where a contact comes in: by the numbers, by what the flow starts on, or by the flows that run this one.
pub(super) fn entrance(hotline: &Hotline, name: &FlowName) -> String {
    let numbers: Vec<&str> = hotline
        .numbers
        .iter()
        .filter(|(_, number)| number.flow == *name)
        .map(|(number, _)| &**number)
        .collect();
    if !numbers.is_empty() {
        return numbers.join(" · ");
    }
    if let Some(on) = hotline.flows.get(name).and_then(|flow| flow.starts_on.as_ref()) {
        return on.to_string();
    }
    let runs = |flow: &Flow| {
        flow.steps
            .values()
            .any(|step| matches!(&step.verb, Verb::Run(run) if run.flow == *name))
    };
    let by: Vec<&str> = hotline
        .flows
        .iter()
        .filter(|(_, flow)| runs(flow))
        .map(|(name, _)| name.as_str())
        .collect();
    if by.is_empty() {
        "start".to_owned()
    } else {
        format!("run by {}", by.join(", "))
    }
}

/// How many kinds of faults a call has.
pub(super) const FAULTS: usize = FaultKind::ALL.len();
