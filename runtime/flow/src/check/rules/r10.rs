//! R10: every question leaves time enough, and is asked again before its time is over for good.
//!
//! Silence may also lead back to the question through the flow: then it is asked as often as that goes
//! on, at least once more. Questions of a survey are not looked at: nothing is lost by not answering one.

use std::collections::HashSet;

use super::{Proof, by_step, counted, in_seconds};
use crate::{
    prove::graph::{By, Chooser, Graph, first_input},
    step::Verb,
};

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
            // Who is led back is asked as often again, for as long as silence leads back.
            if comes_back(graph, state) {
                continue;
            }
            let listens = first_input(time) * f64::from(again + 1);
            let enough = listens >= seconds && u64::from(again) >= retries;
            if enough || !proof.once(of.flow, of.step, "R10") {
                continue;
            }
            let times = f64::from(again + 1);
            let how = format!(
                "is asked {} and listens for {} in all",
                counted(times, "time"),
                in_seconds(listens)
            );
            let repeated = u32::try_from(retries).unwrap_or(u32::MAX).max(again);
            let each = (seconds / (f64::from(repeated) + 1.0)).ceil();
            let each = each.max(first_input(time));
            let finding = proof
                .finding(
                    proof.step_span(of.flow, of.step),
                    format!(
                        "`{}` {how}; {} and {} are wanted",
                        graph.name(state),
                        in_seconds(seconds),
                        counted(retries as f64, "repetition"),
                    ),
                )
                .help(format!("give it `time: {each:.0}s` and `retries: {repeated}`"));
            proof.report(proof.with_way_to(finding, graph, state));
        }
    }
}

/// Whether a caller who keeps silent may be led back to the question.
fn comes_back(graph: &Graph<'_>, state: usize) -> bool {
    let of = &graph.states[state];
    let silence =
        |way: &&crate::prove::graph::Way| matches!(&way.by, By::Exit(name) if &**name == "no-input");
    let mut seen: HashSet<usize> = HashSet::new();
    let mut open: Vec<usize> = of.ways.iter().filter(silence).map(|way| way.to).collect();
    while let Some(at) = open.pop() {
        if !seen.insert(at) {
            continue;
        }
        let here = &graph.states[at];
        if graph.asks(at) {
            if here.flow.name == of.flow.name && here.step == of.step {
                return true;
            }
            continue;
        }
        let ways = here.ways.iter();
        open.extend(
            ways.filter(|way| graph.chooser(at, way) == Chooser::World && graph.trouble(at, way).is_none())
                .map(|way| way.to),
        );
    }
    false
}
