//! R14: a merged old number costs its callers no more presses than before, service by service.

use super::{Proof, number_span};
use crate::prove::{
    budget::{by_keys, presses_least},
    graph::{self, Way},
    paths,
};

pub(super) fn check(proof: &Proof<'_, '_>) {
    for (number, called) in &proof.hotline.numbers {
        if called.before.is_empty() {
            continue;
        }
        let Some(graph) = graph::build(proof.hotline, number, &[]) else {
            continue;
        };
        let written = proof
            .world
            .hotline
            .numbers
            .iter()
            .find(|written| written.number.value == *number);
        for (service, before) in &called.before {
            let costs: Vec<(usize, Option<u32>)> = graph
                .starts
                .iter()
                .map(|(_, start)| (*start, presses_least(&graph, *start, service)))
                .collect();
            let most = costs
                .iter()
                .max_by_key(|(_, presses)| presses.unwrap_or(u32::MAX));
            let Some(&(start, presses)) = most else { continue };
            let span = written
                .and_then(|written| written.before.iter().find(|(name, _)| name.value == *service))
                .map_or_else(|| number_span(proof.world, number), |(name, _)| name.span);
            let message = match presses {
                None => {
                    format!(
                        "by keys `{number}` does not lead to `{service}`, which took {before} presses before"
                    )
                }
                Some(presses) if presses > *before => {
                    format!(
                        "`{service}` takes {presses} presses from `{number}`, {before} before it was merged"
                    )
                }
                Some(_) => continue,
            };
            let finding = proof
                .finding(span, message)
                .help("give the number a flow of its own that begins where its callers want to be");
            let game = by_keys(&graph, service);
            let cost = |way: &Way| f64::from(way.presses.0);
            let values = game.least(cost);
            proof.report(proof.with_witness(finding, &graph, start, |at, _| {
                paths::along(&game, &values, cost, at)
            }));
        }
    }
}
