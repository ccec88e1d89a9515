//! R10: every question leaves time enough, and is asked again before its time is over for good.
//!
//! Silence may also lead back to the question through the flow: then it is asked as often as that goes
//! on, until a counter says that it is enough. Questions of a survey are not looked at: nothing is lost by not answering one.

use std::collections::HashSet;

use trunkline_model::Duration;

use super::{Proof, by_step, counted, in_seconds};
use crate::{
    prove::graph::{By, Chooser, Graph, Way, first_input},
    step::Verb,
};

pub(super) fn check(proof: &Proof<'_, '_>) {
    let (seconds, retries) = (proof.setting("seconds") as f64, proof.setting("retries"));
    for graph in proof.graphs {
        let asking = (0..graph.states.len()).filter(|state| graph.asks(*state));
        for state in by_step(graph, asking).into_values() {
            let of = &graph.states[state];
            let Some((time, again)) = hearings(graph, state) else {
                continue;
            };
            // Silence may lead back to the question: then it is asked as often again.
            let Some(times) = asked_at_least(graph, state, &mut HashSet::new()) else {
                continue;
            };
            let listens = first_input(time) * f64::from(times);
            let enough = listens >= seconds && u64::from(times) > retries;
            if enough || !proof.once(of.flow, of.step, "R10") {
                continue;
            }
            let how = format!(
                "is asked {} and listens for {} in all",
                counted(f64::from(times), "time"),
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

/// The time of a question, and how often it is asked again by itself.
fn hearings(graph: &Graph<'_>, state: usize) -> Option<(Option<Duration>, u32)> {
    match &graph.step(state).verb {
        Verb::Menu(menu) => Some((menu.time, menu.retries)),
        Verb::Ask(ask) => Some((ask.time, ask.retries)),
        _ => None,
    }
}

/// How often a caller who keeps silent is asked at least, the times that the flow leads back included;
/// none when it always leads back.
fn asked_at_least(graph: &Graph<'_>, state: usize, above: &mut HashSet<usize>) -> Option<u32> {
    let (_, again) = hearings(graph, state)?;
    if !above.insert(state) {
        return None;
    }
    let of = &graph.states[state];
    let mut open: Vec<usize> = of
        .ways
        .iter()
        .filter(|way| matches!(&way.by, By::Exit(name) if &**name == "no-input"))
        .map(|way| way.to)
        .collect();
    let mut seen: HashSet<usize> = HashSet::new();
    // The fewest of all that may come: none more where it leads elsewhere.
    let mut more: Option<u32> = None;
    let mut leaves = open.is_empty();
    while let Some(at) = open.pop() {
        if !seen.insert(at) {
            continue;
        }
        let here = &graph.states[at];
        if graph.asks(at) && here.flow.name == of.flow.name && here.step == of.step {
            if let Some(times) = asked_at_least(graph, at, above) {
                more = Some(more.map_or(times, |least| least.min(times)));
            }
        } else if graph.waits_for_caller(at) || graph.is_human(at) || graph.outcome(at).is_some() {
            leaves = true;
        } else {
            let goes_on =
                |way: &&Way| graph.chooser(at, way) == Chooser::World && graph.trouble(at, way).is_none();
            let before = open.len();
            open.extend(here.ways.iter().filter(goes_on).map(|way| way.to));
            leaves |= open.len() == before;
        }
    }
    above.remove(&state);
    let own = again + 1;
    match (leaves, more) {
        (true, _) => Some(own),
        (false, Some(more)) => Some(own.saturating_add(more)),
        (false, None) => None,
    }
}
