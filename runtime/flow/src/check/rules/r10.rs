//! R10: every question leaves time enough, and is asked again before its time is over for good.

use super::{Proof, by_step, in_seconds};
use crate::{prove::graph::first_input, step::Verb};

pub(super) fn check(proof: &Proof<'_, '_>) {
    let (seconds, retries) = (proof.setting("seconds") as f64, proof.setting("retries"));
    for graph in proof.graphs {
        let asking = (0..graph.states.len()).filter(|state| graph.asks(*state));
        for state in by_step(graph, asking).into_values() {
            let of = &graph.states[state];
            let (time, again) = match &graph.step(state).verb {
                Verb::Menu(menu) => (menu.time, menu.retries),
                Verb::Ask(ask) => (ask.time, ask.retries),
                _ => continue,
            };
            let listens = first_input(time) * f64::from(again + 1);
            let enough = listens >= seconds && u64::from(again) >= retries;
            if enough || !proof.once(of.flow, of.step, "R10") {
                continue;
            }
            let hearings = if u64::from(again) < retries {
                "is asked only once".to_owned()
            } else {
                format!("listens for {} in all", in_seconds(listens))
            };
            proof.report(
                proof
                    .finding(
                        proof.step_span(of.flow, of.step),
                        format!(
                            "`{}` {hearings}; {} and {} are wanted",
                            graph.name(state),
                            in_seconds(seconds),
                            super::counted(retries as f64, "repetition"),
                        ),
                    )
                    .help(format!(
                        "give it `time: {:.0}s` and `retries: {}`",
                        (seconds / f64::from(again.max(1) + 1)).ceil().max(8.0),
                        again.max(1)
                    )),
            );
        }
    }
}
