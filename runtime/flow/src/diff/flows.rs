//! Flows: which steps are the same ones, what they do, and where they lead.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use trunkline_model::{FlowName, StepId};

use super::{
    change::{Change, Field, Noun, Way},
    facts::{self, Fact, facts},
};
use crate::{
    graph::about,
    hotline::{Flow, Hotline},
    step::{Step, Verb},
    width::cut,
};

/// Columns of what is said of a step that came or went.
const ABOUT_COLUMNS_MAX: usize = 40;

/// From which likeness on, of 1, two steps or flows with different names are one that was renamed.
const RENAMED_FROM: f64 = 0.6;

pub(super) fn compare(old: &Hotline, new: &Hotline, changes: &mut Vec<Change>) {
    let renamed = renamed_flows(old, new);
    // What each old flow is called now.
    let called: BTreeMap<&str, &str> = renamed
        .iter()
        .map(|(now, was)| (was.as_str(), now.as_str()))
        .collect();
    for (name, flow) in &new.flows {
        let before = renamed.get(name).unwrap_or(name);
        match old.flows.get(before) {
            Some(was) => {
                if before != name {
                    changes.push(Change::FlowRenamed {
                        from: before.clone(),
                        to: name.clone(),
                    });
                }
                compare_flow(was, flow, new, &called, changes);
            }
            None => changes.push(Change::Added {
                what: Noun::Flow,
                name: name.to_string(),
                flow: None,
                detail: String::new(),
            }),
        }
    }
    let taken: BTreeSet<&FlowName> = renamed.values().collect();
    for name in old.flows.keys() {
        if !new.flows.contains_key(name) && !taken.contains(name) {
            changes.push(Change::Removed {
                what: Noun::Flow,
                name: name.to_string(),
                flow: None,
            });
        }
    }
}

/// Flows with another name, by their new ones: those that have most of their steps in common.
fn renamed_flows(old: &Hotline, new: &Hotline) -> BTreeMap<FlowName, FlowName> {
    let mut renamed = BTreeMap::new();
    let mut gone: Vec<&FlowName> = old
        .flows
        .keys()
        .filter(|name| !new.flows.contains_key(*name))
        .collect();
    for (name, flow) in new
        .flows
        .iter()
        .filter(|(name, _)| !old.flows.contains_key(*name))
    {
        let likeness = |was: &Flow| {
            let same = flow
                .steps
                .iter()
                .filter(|(id, step)| was.steps.get(*id).is_some_and(|other| same_content(other, step)));
            ratio(2 * same.count(), flow.steps.len() + was.steps.len())
        };
        let best = gone
            .iter()
            .enumerate()
            .map(|(index, name)| (likeness(&old.flows[*name]), index))
            .max_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((_, index)) = best.filter(|(likeness, _)| *likeness >= RENAMED_FROM) {
            renamed.insert(name.clone(), gone.remove(index).clone());
        }
    }
    renamed
}

fn ratio(part: usize, whole: usize) -> f64 {
    let size = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    if whole == 0 { 0.0 } else { size(part) / size(whole) }
}

fn same_content(one: &Step, other: &Step) -> bool {
    one.verb.name() == other.verb.name() && facts(one) == facts(other)
}

/// The ways out of each step, and those into the flow under none.
type Ways = IndexMap<Option<StepId>, Vec<(Way, StepId)>>;

fn compare_flow(
    old: &Flow,
    new: &Flow,
    hotline: &Hotline,
    called: &BTreeMap<&str, &str>,
    changes: &mut Vec<Change>,
) {
    let flow = &new.name;
    let language = hotline.languages.first().map_or("", |language| &**language);
    variables(old, new, changes);
    let (before, after) = (ways(old), ways(new));
    // Facts of the old steps, flows by the names that they have now.
    let facts_before = |step: &Step| -> Vec<Fact> {
        let mut facts = facts(step);
        if let (Verb::Run(run), Some((_, value))) = (
            &step.verb,
            facts.iter_mut().find(|(field, _)| *field == facts::RUN_FLOW),
        ) && let Some(now) = called.get(run.flow.as_str())
        {
            (*now).clone_into(value);
        }
        facts
    };
    let renamed = renamed_steps(old, new, &before, &after, &facts_before);
    let now = |step: &StepId| renamed.get(step).unwrap_or(step).clone();
    let shown = |step: &Step| cut(&about(step, language), ABOUT_COLUMNS_MAX);
    for (from, to) in &renamed {
        changes.push(Change::StepRenamed {
            flow: flow.clone(),
            from: from.clone(),
            to: to.clone(),
        });
    }
    for (name, step) in &old.steps {
        if !new.steps.contains_key(&now(name)) {
            changes.push(Change::StepRemoved {
                flow: flow.clone(),
                step: name.clone(),
                verb: step.verb.name(),
                about: shown(step),
            });
        }
    }
    let was: BTreeMap<StepId, &StepId> = old.steps.keys().map(|step| (now(step), step)).collect();
    compare_ways(flow, None, &before[&None], &after[&None], &now, changes);
    for (name, step) in &new.steps {
        let Some((before_name, before_step)) = was.get(name).and_then(|was| old.steps.get_key_value(*was))
        else {
            changes.push(Change::StepAdded {
                flow: flow.clone(),
                step: name.clone(),
                verb: step.verb.name(),
                about: shown(step),
            });
            continue;
        };
        if before_step.verb.name() == step.verb.name() {
            facts::compare(&facts_before(before_step), &facts(step), |field, from, to| {
                changes.push(Change::StepChanged {
                    flow: flow.clone(),
                    step: name.clone(),
                    field,
                    from,
                    to,
                });
            });
        } else {
            changes.push(Change::VerbChanged {
                flow: flow.clone(),
                step: name.clone(),
                from: before_step.verb.name(),
                to: step.verb.name(),
            });
        }
        let (before, after) = (&before[&Some(before_name.clone())], &after[&Some(name.clone())]);
        compare_ways(flow, Some(name), before, after, &now, changes);
    }
}

fn variables(old: &Flow, new: &Flow, changes: &mut Vec<Change>) {
    let all = |flow: &Flow| -> BTreeMap<String, Vec<Fact>> {
        let mut all = BTreeMap::new();
        for (name, ty) in &flow.inputs {
            all.insert(
                name.to_string(),
                vec![(Field::new("input type", "输入类型"), ty.to_string())],
            );
        }
        for (name, ty) in &flow.outputs {
            let facts: &mut Vec<Fact> = all.entry(name.to_string()).or_default();
            facts.push((Field::new("output type", "输出类型"), ty.to_string()));
        }
        for (name, variable) in &flow.variables {
            let facts = all.entry(name.to_string()).or_default();
            facts.push((Field::new("type", "类型"), variable.ty.to_string()));
            if let Some(initial) = &variable.initial {
                facts.push((Field::new("first value", "初始值"), initial.source().to_owned()));
            }
            if let Some(label) = &variable.label {
                facts.push((Field::new("label", "数据标签"), label.to_string()));
            }
        }
        all
    };
    let (before, after) = (all(old), all(new));
    for (name, facts) in &after {
        match before.get(name) {
            None => changes.push(Change::Added {
                what: Noun::Variable,
                name: name.clone(),
                flow: Some(new.name.clone()),
                detail: facts.first().map(|(_, fact)| fact.clone()).unwrap_or_default(),
            }),
            Some(was) => facts::compare(was, facts, |field, from, to| {
                changes.push(Change::Changed {
                    what: Noun::Variable,
                    name: name.clone(),
                    flow: Some(new.name.clone()),
                    field,
                    from,
                    to,
                });
            }),
        }
    }
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        changes.push(Change::Removed {
            what: Noun::Variable,
            name: name.clone(),
            flow: Some(new.name.clone()),
        });
    }
}

fn ways(flow: &Flow) -> Ways {
    let mut all = Ways::new();
    let mut entrances = vec![(Way::Start, flow.start.clone())];
    for (key, to) in &flow.anywhere.keys {
        entrances.push((Way::Anywhere(key.to_string().into()), to.clone()));
    }
    for (word, to) in &flow.anywhere.words {
        entrances.push((Way::Anywhere(word.clone()), to.clone()));
    }
    entrances.extend(flow.on_hangup.iter().map(|to| (Way::HangUp, to.clone())));
    all.insert(None, entrances);
    for (name, step) in &flow.steps {
        let mut ways = Vec::new();
        match &step.verb {
            Verb::Menu(menu) => {
                ways.extend(
                    menu.entries
                        .iter()
                        .map(|entry| (Way::Key(entry.key.as_char()), entry.next.clone())),
                );
                ways.extend(
                    menu.words
                        .iter()
                        .map(|(word, to)| (Way::Word(word.clone()), to.clone())),
                );
                let intents = menu.intent.iter().flat_map(|intent| &intent.edges);
                ways.extend(intents.map(|(case, to)| (Way::Intent(case.clone()), to.clone())));
            }
            Verb::Choose(choose) => {
                let branches = choose.branches.iter();
                ways.extend(branches.map(|(when, to)| (Way::Condition(when.source().into()), to.clone())));
                ways.push((Way::Else, choose.otherwise.clone()));
            }
            Verb::Queue(queue) => {
                ways.extend(
                    queue
                        .offers
                        .iter()
                        .map(|offer| (Way::Offer(offer.name.clone()), offer.next.clone())),
                );
            }
            _ => {}
        }
        ways.extend(step.next.iter().map(|to| (Way::Next, to.clone())));
        ways.extend(
            step.exits
                .iter()
                .map(|(name, edge)| (Way::Exit(name.clone()), edge.next.clone())),
        );
        all.insert(Some(name.clone()), ways);
    }
    all
}

/// Says which ways of a step lead elsewhere, ways that went and came together as one change.
fn compare_ways(
    flow: &FlowName,
    step: Option<&StepId>,
    old: &[(Way, StepId)],
    new: &[(Way, StepId)],
    now: &impl Fn(&StepId) -> StepId,
    changes: &mut Vec<Change>,
) {
    let to_of = |ways: &[(Way, StepId)], way: &Way| {
        ways.iter()
            .find(|(other, _)| other == way)
            .map(|(_, to)| to.clone())
    };
    // From where to where, in the order of the new ways; both none cannot be.
    let mut moved: IndexMap<(Option<StepId>, Option<StepId>), Vec<Way>> = IndexMap::new();
    for (way, to) in new {
        let from = to_of(old, way).map(|from| now(&from));
        if from.as_ref() != Some(to) {
            moved
                .entry((from, Some(to.clone())))
                .or_default()
                .push(way.clone());
        }
    }
    for (way, from) in old {
        if to_of(new, way).is_none() {
            moved
                .entry((Some(now(from)), None))
                .or_default()
                .push(way.clone());
        }
    }
    for ((from, to), ways) in moved {
        let (flow, step, ways) = (flow.clone(), step.cloned(), gathered(ways));
        changes.push(match (from, to) {
            (Some(from), Some(to)) => Change::WaysMoved {
                flow,
                step,
                ways,
                from,
                to,
            },
            (None, Some(to)) => Change::WaysGained { flow, step, ways, to },
            (Some(from), None) => Change::WaysLost {
                flow,
                step,
                ways,
                from,
            },
            (None, None) => continue,
        });
    }
}

/// Ways with all faults of a call as one, as a flow would write them.
fn gathered(ways: Vec<Way>) -> Vec<Way> {
    let exits: Vec<&str> = ways
        .iter()
        .filter_map(|way| match way {
            Way::Exit(name) => Some(&**name),
            _ => None,
        })
        .collect();
    let (faults, others) = crate::graph::faults(&exits);
    let exits = others
        .into_iter()
        .chain(faults)
        .map(|name| Way::Exit(name.into()));
    let exits: Vec<Way> = exits.collect();
    let mut gathered: Vec<Way> = ways
        .into_iter()
        .filter(|way| !matches!(way, Way::Exit(_)))
        .collect();
    gathered.extend(exits);
    gathered
}

/// How often steps are matched: a step whose neighbours were renamed is known once they are.
const ROUNDS: usize = 4;

/// Steps with another name, by their old ones: the same verb, and enough of the same content and
/// neighbours.
fn renamed_steps(
    old: &Flow,
    new: &Flow,
    before: &Ways,
    after: &Ways,
    facts_before: &impl Fn(&Step) -> Vec<Fact>,
) -> BTreeMap<StepId, StepId> {
    let mut renamed: BTreeMap<StepId, StepId> = BTreeMap::new();
    let around_new = neighbours(after, &|step| step.clone());
    for _ in 0..ROUNDS {
        let now = |step: &StepId| renamed.get(step).unwrap_or(step).clone();
        let around_old = neighbours(before, &now);
        let gone: Vec<&StepId> = old
            .steps
            .keys()
            .filter(|step| !new.steps.contains_key(*step) && !renamed.contains_key(*step))
            .collect();
        let taken: BTreeSet<&StepId> = renamed.values().collect();
        let come: Vec<&StepId> = new
            .steps
            .keys()
            .filter(|step| !old.steps.contains_key(*step) && !taken.contains(step))
            .collect();
        let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
        for (i, was) in gone.iter().enumerate() {
            for (j, is) in come.iter().enumerate() {
                let (one, other) = (&old.steps[*was], &new.steps[*is]);
                if one.verb.name() != other.verb.name() {
                    continue;
                }
                let content = likeness(&facts_before(one), &facts(other));
                let around = shared(&around_old[*was], &around_new[*is]);
                let like = f64::midpoint(content, around);
                // What is word for word the same needs fewer neighbours, which may be new.
                if like >= RENAMED_FROM || content >= 1.0 && around >= 0.1 {
                    pairs.push((like, i, j));
                }
            }
        }
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        let mut found: Vec<(StepId, StepId)> = Vec::new();
        for (_, i, j) in pairs {
            if found.iter().all(|(was, is)| was != gone[i] && is != come[j]) {
                found.push((gone[i].clone(), come[j].clone()));
            }
        }
        if found.is_empty() {
            break;
        }
        renamed.extend(found);
    }
    renamed
}

/// How much of two lists of facts is the same, from 0 to 1.
fn likeness(one: &[Fact], other: &[Fact]) -> f64 {
    if one.is_empty() && other.is_empty() {
        return 1.0;
    }
    let same = one.iter().filter(|fact| other.contains(fact)).count();
    ratio(2 * same, one.len() + other.len())
}

/// A neighbour: whether it stands before, the way, and its name.
type Neighbour = (bool, Way, Option<StepId>);

/// What stands around each step, its neighbours by the names that they have now.
fn neighbours<'a>(
    ways: &'a Ways,
    now: &impl Fn(&StepId) -> StepId,
) -> BTreeMap<&'a StepId, BTreeSet<Neighbour>> {
    let mut around: BTreeMap<&StepId, BTreeSet<Neighbour>> = BTreeMap::new();
    for (from, out) in ways {
        if let Some(from) = from {
            around.entry(from).or_default();
        }
        for (way, to) in out {
            let before = (true, way.clone(), from.as_ref().map(now));
            around.entry(to).or_default().insert(before);
            if let Some(from) = from {
                let after = (false, way.clone(), Some(now(to)));
                around.entry(from).or_default().insert(after);
            }
        }
    }
    around
}

fn shared(one: &BTreeSet<Neighbour>, other: &BTreeSet<Neighbour>) -> f64 {
    ratio(2 * one.intersection(other).count(), one.len() + other.len())
}
