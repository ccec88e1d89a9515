//! R2: the first thing that waits for the caller is a human.

use super::{Proof, by_step, reached};
use crate::step::Verb;

pub(super) fn check(proof: &Proof<'_, '_>) {
    for graph in proof.graphs {
        let stop = |state| graph.is_human(state) || graph.is_callback(state) || graph.waits_for_caller(state);
        let reached = reached(graph, stop, |_, _| true);
        let before = |state: &usize| reached[*state];
        let asking = (0..graph.states.len())
            .filter(before)
            .filter(|state| graph.waits_for_caller(*state));
        for state in by_step(graph, asking).into_values() {
            let of = &graph.states[state];
            if !proof.once(of.flow, of.step, "R2") {
                continue;
            }
            let what = match graph.step(state).verb {
                Verb::Record(_) => "waits for a message of",
                _ => "asks",
            };
            let finding = proof
                .finding(
                    proof.step_span(of.flow, of.step),
                    format!("`{}` {what} the caller before a human is there", graph.name(state)),
                )
                .help("lead the start straight to a `queue`; questions can come while the caller waits, or after");
            proof.report(proof.with_way_by(finding, graph, state, &|at, _| !stop(at)));
        }
        let ended = (0..graph.states.len())
            .filter(before)
            .filter(|state| graph.outcome(*state).is_some());
        for state in by_step(graph, ended).into_values() {
            let of = &graph.states[state];
            if !proof.once(of.flow, of.step, "R2") {
                continue;
            }
            let finding = proof
                .finding(
                    proof.step_span(of.flow, of.step),
                    format!(
                        "the contact may end at `{}` before a human was there",
                        graph.name(state)
                    ),
                )
                .help("lead every way to a `queue`, and what the queue refuses to a `callback`");
            proof.report(proof.with_way_by(finding, graph, state, &|at, _| !stop(at)));
        }
    }
}
