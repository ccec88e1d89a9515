//! R4: at every question the words of an emergency lead, within one step, to where emergencies go: a
//! transfer, a queue, or an announcement and the end of the contact.
//!
//! What the caller does not notice is no step: a decision, variables that are set, a flow that is entered or
//! left. Each of a decision's ways has to lead out. An end without a word is no way out.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque},
    sync::Arc,
};

use trunkline_model::StepId;

use super::{Proof, Script, by_step};
use crate::{
    diagnostics::one_of,
    hotline::Flow,
    prove::{
        graph::{By, Graph, Kind},
        paths::Path,
        witness::Last,
    },
    step::{Answer, Ask, Verb},
    words,
};

pub(super) fn check(proof: &Proof<'_, '_>) {
    let wanted = proof.words("emergency");
    for graph in proof.graphs {
        let mut outs: HashMap<usize, bool> = HashMap::new();
        // The same question may be asked in flows that take words for different things.
        let asking: Vec<usize> = (0..graph.states.len())
            .filter(|state| graph.hears(*state))
            .collect();
        let mut missing: BTreeMap<usize, Vec<&Arc<str>>> = BTreeMap::new();
        for state in &asking {
            for word in &wanted {
                if !leaves(graph, *state, word, &mut outs) {
                    missing.entry(*state).or_default().push(word);
                }
            }
        }
        let wanting = by_step(graph, missing.keys().copied())
            .into_values()
            .collect::<BTreeSet<usize>>();
        let first = graph.states[graph.starts[0].1].flow;
        // Words that no question takes are missing from the flow, not from each of its questions.
        let everywhere: BTreeSet<&Arc<str>> = wanted
            .iter()
            .filter(|word| {
                let nowhere = |state: &usize| missing.get(state).is_some_and(|words| words.contains(word));
                !asking.is_empty()
                    && asking.iter().all(nowhere)
                    && asking.iter().all(|state| heard(graph, *state, word).is_none())
                    && !first.anywhere.words.iter().any(|(known, _)| **known == ***word)
            })
            .collect();
        let nearest = asking.iter().copied().min_by_key(|state| graph.near[*state]);
        if let (Some(word), Some(state)) = (everywhere.first(), nearest)
            && proof.once(first, usize::MAX, "R4")
        {
            let finding = proof
                .finding(
                    proof.flow_span(first),
                    format!(
                        "no question of `{}` leads out for who says {}",
                        first.name,
                        one_of(everywhere.iter().map(|word| &***word))
                    ),
                )
                .help(format!(
                    "let it leave from everywhere: `anywhere: {{ words: {{ {word}: emergency }} }}`, to a step that transfers the caller or says whom to call"
                ));
            proof.report(said(proof, finding, graph, state, word));
        }
        // Where words lead that are heard, but not out: that is said of the step, not of each question.
        let mut ends_up: BTreeMap<(&str, &str), Astray<'_>> = BTreeMap::new();
        for (state, words) in missing.into_iter().filter(|(state, _)| wanting.contains(state)) {
            let mut unheard = Vec::new();
            for word in words.into_iter().filter(|word| !everywhere.contains(word)) {
                match heard(graph, state, word) {
                    None => unheard.push(word),
                    Some((flow, to)) => {
                        let known = ends_up
                            .entry((flow.name.as_str(), to.as_str()))
                            .or_insert(Astray {
                                from: state,
                                words: Vec::new(),
                            });
                        if graph.near[state] < graph.near[known.from] {
                            known.from = state;
                        }
                        if !known.words.contains(&word) {
                            known.words.push(word);
                        }
                    }
                }
            }
            let of = &graph.states[state];
            let Some(word) = unheard.first().filter(|_| proof.once(of.flow, of.step, "R4")) else {
                continue;
            };
            let finding = proof
                .finding(
                    proof.step_span(of.flow, of.step),
                    format!(
                        "at `{}` the caller does not get out by {}",
                        graph.name(state),
                        one_of(unheard.iter().map(|word| &***word))
                    ),
                )
                .help("do not take the word for something else there, and let `anywhere` hear it");
            proof.report(said(proof, finding, graph, state, word));
        }
        for ((flow, to), Astray { from: state, words }) in ends_up {
            let flow = graph.hotline.flows.iter().find(|(name, _)| name.as_str() == flow);
            let Some((flow, step)) = flow.and_then(|(_, flow)| {
                let step = flow.steps.keys().position(|name| name.as_str() == to)?;
                Some((flow, step))
            }) else {
                continue;
            };
            let Some(word) = words.first().filter(|_| proof.once(flow, step, "R4")) else {
                continue;
            };
            let finding = proof
                .finding(
                    proof.step_span(flow, step),
                    format!(
                        "`{to}`, where {} leads, is not out within one step",
                        one_of(words.iter().map(|word| &***word))
                    ),
                )
                .help("lead it to a transfer, a queue, or an announcement that ends the contact; where a decision is made on the way, each of its branches");
            proof.report(said(proof, finding, graph, state, word));
        }
    }
}

/// Words that are heard, but lead to no way out.
struct Astray<'w> {
    /// The nearest question where they are said.
    from: usize,
    words: Vec<&'w Arc<str>>,
}

/// Adds the script of a caller who says the word at a question.
fn said(
    proof: &Proof<'_, '_>,
    finding: crate::diagnostics::Finding,
    graph: &Graph<'_>,
    state: usize,
    word: &Arc<str>,
) -> crate::diagnostics::Finding {
    let step = graph.step(state);
    let target = heard(graph, state, word).map(|(_, to)| to);
    let exit = |name: &'static str| move |by: &By| matches!(by, By::Exit(exit) if &**exit == name);
    let find = |is: &dyn Fn(&By) -> bool| graph.states[state].ways.iter().position(|way| is(&way.by));
    let way = if target.is_some() {
        by_word(graph, state, word)
    } else {
        match &step.verb {
            Verb::Menu(menu) if menu.retries == 0 => find(&exit("no-match")),
            Verb::Ask(ask) if ask.confirm.is_none() && is_answered(ask, word) => {
                // Choices that lead to the same are one way.
                find(&|by| is_answer(ask, by, word)).or_else(|| find(&|by| matches!(by, By::Answer(_))))
            }
            Verb::Ask(ask) if ask.retries == 0 => find(&exit("invalid")),
            _ => None,
        }
    };
    let script = Script {
        last: Last::Says(word.clone(), 0),
        ..Script::default()
    };
    proof.with_script(finding, graph, state, &script, |at, _| match way {
        Some(way) => astray(graph, graph.states[at].ways[way].to)
            .unwrap_or_default()
            .after((at, way)),
        None => Path::default(),
    })
}

/// The way on from where a word leads to the first place that is not out; none where all ways lead out.
fn astray(graph: &Graph<'_>, from: usize) -> Option<Path> {
    let mut seen = HashSet::from([(from, false)]);
    let mut open = VecDeque::from([(from, false, Path::default())]);
    while let Some((state, announced, path)) = open.pop_front() {
        let announces = match (&graph.step(state).verb, graph.states[state].kind) {
            (_, Kind::End) if announced => continue,
            (_, Kind::End) => return Some(path),
            (_, Kind::Gate) => announced,
            (Verb::Transfer(_) | Verb::Queue(_), _) => continue,
            (Verb::Say(_), _) if !announced => true,
            (Verb::Set(_) | Verb::Choose(_) | Verb::Run(_) | Verb::End(_), _) => announced,
            _ => return Some(path),
        };
        for (index, way) in graph.states[state].ways.iter().enumerate() {
            if seen.insert((way.to, announces)) {
                open.push_back((way.to, announces, path.clone().then(Path(vec![(state, index)]))));
            }
        }
    }
    None
}

/// Whether a word is taken for an answer.
fn is_answered(ask: &Ask, word: &str) -> bool {
    match &ask.answer {
        Answer::Text => true,
        Answer::OneOf(choices) => {
            let said = words::plain(word);
            choices.iter().any(|choice| choice.is_named(&said))
        }
        _ => false,
    }
}

/// Whether a way is the answer that a word is taken for.
fn is_answer(ask: &Ask, by: &By, word: &str) -> bool {
    let By::Answer(choice) = by else { return false };
    match &ask.answer {
        Answer::OneOf(choices) => {
            let said = words::plain(word);
            let named = choices.iter().find(|choice| choice.is_named(&said));
            named.map(|named| &named.value) == choice.as_ref()
        }
        _ => true,
    }
}

/// Whether a word said at a question leads out within one step. `outs` are the places that were looked at.
fn leaves(graph: &Graph<'_>, state: usize, word: &Arc<str>, outs: &mut HashMap<usize, bool>) -> bool {
    if heard(graph, state, word).is_none() {
        return false;
    }
    let Some(way) = by_word(graph, state, word) else {
        return false;
    };
    let to = graph.states[state].ways[way].to;
    *outs.entry(to).or_insert_with(|| astray(graph, to).is_none())
}

/// The way of a question that a word takes.
fn by_word(graph: &Graph<'_>, state: usize, word: &Arc<str>) -> Option<usize> {
    let said = words::plain(word);
    graph.states[state].ways.iter().position(
        |way| matches!(&way.by, By::Word(known) if words::find_word(&[(known.clone(), ())], &said).is_some()),
    )
}

/// Where a word leads that is all the caller says, as the engine hears it.
fn heard<'g>(graph: &'g Graph<'_>, state: usize, word: &str) -> Option<(&'g Flow, &'g StepId)> {
    let said = words::plain(word);
    let of = &graph.states[state];
    let alone = match &graph.step(state).verb {
        Verb::Menu(menu) => {
            if let Some((_, step)) = words::find_word(&menu.words, &said) {
                return Some((of.flow, step));
            }
            false
        }
        Verb::Ask(ask) => {
            // A word that answers the question is an answer.
            if let Answer::OneOf(choices) = &ask.answer
                && choices.iter().any(|choice| choice.is_named(&said))
            {
                return None;
            }
            true
        }
        Verb::Survey(_) => true,
        _ => return None,
    };
    graph.frames(state).into_iter().rev().find_map(|(flow, _)| {
        let of_flow = &flow.anywhere.words;
        let step = if alone {
            of_flow
                .iter()
                .find(|(known, _)| words::plain(known) == said)
                .map(|(_, step)| step)
        } else {
            words::find_word(of_flow, &said).map(|(_, step)| step)
        };
        Some((flow, step?))
    })
}
