//! R9: who is rung back is rung within calling hours. The ring-back itself is what the caller asked for;
//! its hours are the step's `window`, or the hotline's `calling-window`. `always` is no window.

use super::{Proof, by_step};

pub(super) fn check(proof: &Proof<'_, '_>) {
    for graph in proof.graphs {
        let booked = (0..graph.states.len()).filter(|state| graph.is_callback(*state));
        for state in by_step(graph, booked).into_values() {
            let of = &graph.states[state];
            let crate::step::Verb::Callback(callback) = &graph.step(state).verb else {
                continue;
            };
            let window = callback.window.as_ref().or(proof.hotline.calling_window.as_ref());
            if window.is_some() || !proof.once(of.flow, of.step, "R9") {
                continue;
            }
            proof.report(
                proof
                    .finding(
                        proof.step_span(of.flow, of.step),
                        format!("`{}` may ring callers at any hour", graph.name(state)),
                    )
                    .help("name the calendar within whose hours callers are rung: `calling-window: office` in hotline.yaml, or `window:` of the callback"),
            );
        }
    }
}
