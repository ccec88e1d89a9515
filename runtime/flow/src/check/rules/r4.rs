//! R4: at every question the words of an emergency lead, within one step, to where emergencies go: a
//! transfer, a queue, or an announcement and the end of the contact.

use std::{collections::BTreeMap, sync::Arc};

use trunkline_model::StepId;

use super::{Proof, by_step};
use crate::{
    diagnostics::one_of,
    hotline::Flow,
    prove::{graph::Graph, paths::Path},
    step::{Answer, Verb},
    words,
};

pub(super) fn check(proof: &Proof<'_, '_>) {
    let wanted = proof.words("emergency");
    for graph in proof.graphs {
        let asking = by_step(graph, (0..graph.states.len()).filter(|state| graph.asks(*state)));
        let total = asking.len();
        // Words that no question takes are missing from the flow, not from each of its questions.
        let mut missing: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for state in asking.values() {
            for word in &wanted {
                if !leaves(graph, *state, word) {
                    missing.entry(*state).or_default().push(word);
                    *counts.entry(word).or_default() += 1;
                }
            }
        }
        let everywhere: Vec<&str> = counts
            .iter()
            .filter(|(_, count)| **count == total)
            .map(|(word, _)| *word)
            .collect();
        let first = graph.states[graph.starts[0].1].flow;
        if !everywhere.is_empty() && proof.once(first, usize::MAX, "R4") {
            let finding = proof
                .finding(
                    proof.flow_span(first),
                    format!("{} of a caller in an emergency: no question of `{}` leads anywhere for it", one_of(everywhere.iter().copied()), first.name),
                )
                .help(format!(
                    "let it leave from everywhere: `anywhere: {{ words: {{ {}: emergency }} }}`, to a step that transfers the caller or says whom to call",
                    everywhere[0]
                ));
            let state = asking.values().next().copied().unwrap_or(graph.starts[0].1);
            proof.report(proof.with_witness(finding, graph, state, None, |_, _| Path::default()));
        }
        for (state, words) in missing {
            let words: Vec<&str> = words
                .into_iter()
                .filter(|word| !everywhere.contains(word))
                .collect();
            let of = &graph.states[state];
            if words.is_empty() || !proof.once(of.flow, of.step, "R4") {
                continue;
            }
            let finding = proof
                .finding(
                    proof.step_span(of.flow, of.step),
                    format!("at `{}` {} does not leave within one step", graph.name(state), one_of(words.iter().copied())),
                )
                .help("do not take the word for something else there, and lead it to a transfer, a queue, or an announcement that ends the contact");
            proof.report(proof.with_witness(finding, graph, state, None, |_, _| Path::default()));
        }
    }
}

/// Whether a word said at a question leads out within one step.
fn leaves(graph: &Graph<'_>, state: usize, word: &Arc<str>) -> bool {
    heard(graph, state, word).is_some_and(|(flow, step)| leads_out(flow, step))
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
                && choices.iter().any(|choice| {
                    choice
                        .words
                        .iter()
                        .chain([&choice.value])
                        .any(|word| words::plain(word) == said)
                })
            {
                return None;
            }
            true
        }
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

fn leads_out(flow: &Flow, step: &StepId) -> bool {
    let is_out = |step: &StepId| {
        let verb = flow.steps.get(step).map(|step| &step.verb);
        matches!(verb, Some(Verb::Transfer(_) | Verb::Queue(_) | Verb::End(_)))
    };
    if is_out(step) {
        return true;
    }
    let Some(first) = flow.steps.get(step) else {
        return false;
    };
    matches!(first.verb, Verb::Say(_)) && first.next.as_ref().is_some_and(is_out)
}
