//! R11: nobody is let go in silence. When something went wrong, something is said before the contact ends.
//! (That every way out leads somewhere is a rule of the language, TL0301.)

use std::collections::HashSet;

use super::{Proof, r8::spoken, told};
use crate::prove::{graph::Graph, paths::Path};

pub(super) fn check(proof: &Proof<'_, '_>) {
    for graph in proof.graphs {
        for state in 0..graph.states.len() {
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
                if known || !proof.once(of.flow, of.step, &format!("R11 {}", told(way))) {
                    continue;
                }
                let finding = proof
                    .finding(
                        proof.way_span(of.flow, of.step, way),
                        format!(
                            "after {} of `{}` the contact ends without a word",
                            told(way),
                            graph.name(state)
                        ),
                    )
                    .help("say something before it ends, like a goodbye or how to go on");
                proof.report(proof.with_witness(finding, graph, state, Some(index), |_, _| silence.clone()));
            }
        }
    }
}

/// The shortest way from a state to an end on which nothing is said.
fn silently(graph: &Graph<'_>, from: usize) -> Option<Path> {
    let mut seen = HashSet::from([from]);
    let mut open = std::collections::VecDeque::from([(from, Path::default())]);
    while let Some((state, path)) = open.pop_front() {
        if graph.outcome(state).is_some() {
            return Some(path);
        }
        if spoken(graph, state).is_some() || graph.is_human(state) || graph.is_callback(state) {
            continue;
        }
        for (index, way) in graph.states[state].ways.iter().enumerate() {
            if seen.insert(way.to) {
                open.push_back((way.to, path.clone().then(Path(vec![(state, index)]))));
            }
        }
    }
    None
}
