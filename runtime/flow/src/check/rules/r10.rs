//! R10: every question leaves time enough, and is asked again before its time is over for good.
//!
//! Silence may also lead back to the question through the flow: then it is asked as often as that goes
//! on, until a counter says that it is enough. Questions of a survey are not looked at: nothing is
//! lost by not answering one.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
};

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
            let Some(times) = asked_at_least(graph, state) else {
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
///
/// The shortest way, by what is asked on it, from the question to where it is not asked any more.
fn asked_at_least(graph: &Graph<'_>, question: usize) -> Option<u32> {
    let of = &graph.states[question];
    let is_same = |state: usize| {
        let here = &graph.states[state];
        graph.asks(state) && here.flow.name == of.flow.name && here.step == of.step
    };
    let asks = |state: usize| hearings(graph, state).map_or(0, |(_, again)| u64::from(again) + 1);
    let mut least: HashMap<usize, u64> = HashMap::from([(question, asks(question))]);
    let mut open = BinaryHeap::from([Reverse((asks(question), question))]);
    while let Some(Reverse((times, at))) = open.pop() {
        if least.get(&at).is_some_and(|known| times > *known) {
            continue;
        }
        let same = is_same(at);
        if !same && (graph.waits_for_caller(at) || graph.is_human(at) || graph.outcome(at).is_some()) {
            return u32::try_from(times).ok().or(Some(u32::MAX));
        }
        let goes_on = |way: &&Way| match (&way.by, same) {
            (By::Exit(name), true) => &**name == "no-input",
            (_, true) => false,
            (_, false) => graph.chooser(at, way) == Chooser::World && graph.trouble(at, way).is_none(),
        };
        let mut leads_on = false;
        for way in graph.states[at].ways.iter().filter(goes_on) {
            leads_on = true;
            let through = times + if is_same(way.to) { asks(way.to) } else { 0 };
            if least.get(&way.to).is_none_or(|known| through < *known) {
                least.insert(way.to, through);
                open.push(Reverse((through, way.to)));
            }
        }
        if !leads_on {
            return u32::try_from(times).ok().or(Some(u32::MAX));
        }
    }
    None
}
