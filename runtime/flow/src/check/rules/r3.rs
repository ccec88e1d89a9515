//! R3: at worst, prompts and plugin deadlines together, a human is reached within so many seconds of
//! the answer. A caller who is asked something keeps silent.

use super::{Proof, in_seconds, reached};
use crate::prove::{game::Game, graph::Chooser, paths};

pub(super) fn check(proof: &Proof<'_, '_>) {
    let allowed = proof.setting("seconds") as f64;
    for graph in proof.graphs {
        let goal = |state| graph.is_human(state) || graph.is_callback(state);
        // What is asked before, and what ends before, is for R2 to say.
        let stop = |state| goal(state) || graph.waits_for_caller(state);
        let seen = reached(graph, stop, |_, _| true);
        let ends =
            |state: usize| seen[state] && (graph.waits_for_caller(state) || graph.outcome(state).is_some());
        let game = Game::new(graph, |state| goal(state) || ends(state))
            .closing(|state, way| graph.chooser(state, way) == Chooser::Caller);
        let values = game.most(|way| way.seconds.1);
        for (language, start) in &graph.starts {
            let seconds = values.at(*start);
            let of = &graph.states[*start];
            if seconds <= allowed || !proof.once(of.flow, of.step, "R3") {
                continue;
            }
            let how = if seconds.is_finite() {
                format!(
                    "it may take {} from the answer to a human ({language})",
                    in_seconds(seconds)
                )
            } else {
                "how long it takes from the answer to a human is not bounded".to_owned()
            };
            let finding = proof
                .finding(
                    proof.step_span(of.flow, of.step),
                    format!("{how}, {} are allowed", in_seconds(allowed)),
                )
                .help("shorten the prompts, or give the calls before the queue less `time`");
            proof.report(proof.with_witness(finding, graph, *start, |at, avoided| {
                paths::onward(&game, &values, |way| way.seconds.1, at, avoided)
            }));
        }
    }
}
