//! R9: who is rung back is rung within calling hours: the step's `window`, or the hotline's `calling-window`.
//! That they are rung is what they asked for. `always` is no window.

use super::{Proof, Script, by_step};
use crate::{
    calendar::ALWAYS,
    prove::{paths::Path, witness::Last},
};

pub(super) fn check(proof: &Proof<'_, '_>) {
    for graph in proof.graphs {
        let booked = (0..graph.states.len()).filter(|state| graph.is_callback(*state));
        for state in by_step(graph, booked).into_values() {
            let of = &graph.states[state];
            let crate::step::Verb::Callback(callback) = &graph.step(state).verb else {
                continue;
            };
            let window = callback.window.as_ref().or(proof.hotline.calling_window.as_ref());
            if window.is_some_and(|window| **window != *ALWAYS) || !proof.once(of.flow, of.step, "R9") {
                continue;
            }
            let script = Script {
                last: Last::IsRung,
                ..Script::default()
            };
            let finding = proof
                .finding(
                    proof.step_span(of.flow, of.step),
                    format!("`{}` may ring callers at any hour", graph.name(state)),
                )
                .help("name the calendar within whose hours callers are rung: `calling-window: office` in hotline.yaml, or `window:` of the callback");
            proof.report(proof.with_script(finding, graph, state, &script, |_, _| Path::default()));
        }
    }
}
