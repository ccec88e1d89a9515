//! R11: nobody is let go in silence. When something went wrong, something is said before the contact ends.
//! (That every way out leads somewhere is a rule of the language, TL0301.)
//!
//! Each way is judged as if nothing else went wrong after it, since that is a way of its own; so one
//! fault in a flow is one finding.

use std::collections::VecDeque;

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
        let silence = Silence::of(graph);
        let mut nearest: Vec<usize> = (0..graph.states.len()).collect();
        nearest.sort_by_key(|state| (graph.near[*state], *state));
        for state in nearest {
            let of = &graph.states[state];
            for (index, way) in of.ways.iter().enumerate() {
                if graph.trouble(state, way).is_none() {
                    continue;
                }
                let Some(silence) = silence.from(graph, way.to) else {
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

/// From which states a way leads to an end on which nothing is said and nothing more goes wrong: the next
/// part of the shortest such way, or none yet where the end is.
struct Silence(Vec<Option<Option<usize>>>);

impl Silence {
    fn of(graph: &Graph<'_>) -> Self {
        let mut before: Vec<Vec<(usize, usize)>> = vec![Vec::new(); graph.states.len()];
        for (state, of) in graph.states.iter().enumerate() {
            if spoken(graph, state).is_some() || graph.is_human(state) || graph.is_callback(state) {
                continue;
            }
            for (index, way) in of.ways.iter().enumerate() {
                if graph.trouble(state, way).is_none() && !somebody_answers(graph, state, way) {
                    before[way.to].push((state, index));
                }
            }
        }
        let mut next: Vec<Option<Option<usize>>> = vec![None; graph.states.len()];
        let ends = (0..graph.states.len()).filter(|state| graph.outcome(*state).is_some());
        let mut open: VecDeque<usize> = ends.collect();
        for end in &open {
            next[*end] = Some(None);
        }
        while let Some(state) = open.pop_front() {
            for (from, index) in &before[state] {
                if next[*from].is_none() {
                    next[*from] = Some(Some(*index));
                    open.push_back(*from);
                }
            }
        }
        Self(next)
    }

    /// The shortest such way from a state.
    fn from(&self, graph: &Graph<'_>, state: usize) -> Option<Path> {
        let mut path = Path::default();
        let mut at = state;
        while let Some(index) = self.0[at]? {
            path.0.push((at, index));
            at = graph.states[at].ways[index].to;
        }
        Some(path)
    }
}

/// Whether a way is one on which the caller was put through to somebody.
fn somebody_answers(graph: &Graph<'_>, state: usize, way: &Way) -> bool {
    way.by == By::Next && matches!(graph.step(state).verb, Verb::Transfer(_))
}
