//! R11: nobody is let go in silence. When something went wrong, something is said before the contact ends.
//! (That every way out leads somewhere is a rule of the language, TL0301.)
//!
//! Each way is judged as if nothing else went wrong after it, since that is a way of its own; so one
//! fault in a flow is one finding.

use std::collections::{HashSet, VecDeque};

use super::{Proof, r8::spoken, told};
use crate::{
    prove::{
        graph::{By, Graph, Way},
        paths::Path,
    },
    step::Verb,
};

pub(super) fn check(proof: &Proof<'_, '_>) {
    for graph in proof.graphs {
        let mut nearest: Vec<usize> = (0..graph.states.len()).collect();
        nearest.sort_by_key(|state| (graph.near[*state], *state));
        for state in nearest {
            let of = &graph.states[state];
            for (index, way) in of.ways.iter().enumerate() {
                if graph.trouble(state, way).is_none() {
                    continue;
                }
                let Some(silence) = silently(graph, way.to) else {
                    continue;
                };
                let known = proof.was_said(of.flow, of.step, &format!("R1 {}", told(way)))
                    || proof.was_said(of.flow, of.step, "R1");
                // What is written once, like an `else`, is said once.
                let span = proof.way_span(of.flow, of.step, way);
                let place = format!("R11 at {} to {}", span.start, graph.name(way.to));
                if known || !proof.once(of.flow, of.step, &place) {
                    continue;
                }
                let finding = proof
                    .finding(
                        span,
                        format!(
                            "after {} of `{}` the contact ends without a word",
                            told(way),
                            graph.name(state)
                        ),
                    )
                    .help("say something before it ends, like a goodbye or how to go on");
                proof.report(
                    proof.with_witness(finding, graph, state, |at, _| silence.clone().after((at, index))),
                );
            }
        }
    }
}

/// The shortest way from a state to an end on which nothing is said, and nothing more goes wrong.
fn silently(graph: &Graph<'_>, from: usize) -> Option<Path> {
    let mut seen = HashSet::from([from]);
    let mut open = VecDeque::from([(from, Path::default())]);
    while let Some((state, path)) = open.pop_front() {
        if graph.outcome(state).is_some() {
            return Some(path);
        }
        if spoken(graph, state).is_some() || graph.is_human(state) || graph.is_callback(state) {
            continue;
        }
        for (index, way) in graph.states[state].ways.iter().enumerate() {
            let speaks = somebody_answers(graph, state, way);
            if !speaks && graph.trouble(state, way).is_none() && seen.insert(way.to) {
                open.push_back((way.to, path.clone().then(Path(vec![(state, index)]))));
            }
        }
    }
    None
}

/// Whether a way is one on which the caller was put through to somebody.
fn somebody_answers(graph: &Graph<'_>, state: usize, way: &Way) -> bool {
    way.by == By::Next && matches!(graph.step(state).verb, Verb::Transfer(_))
}
