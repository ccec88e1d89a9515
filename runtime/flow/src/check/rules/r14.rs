//! R14: a merged old number costs its callers no more presses than before, service by service.

use super::{Proof, number_span};
use crate::prove::{budget::presses_least, graph};

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
            let presses = graph
                .starts
                .iter()
                .filter_map(|(_, start)| presses_least(&graph, *start, service))
                .max();
            let span = written
                .and_then(|written| written.before.iter().find(|(name, _)| name.value == *service))
                .map_or_else(|| number_span(proof.world, number), |(name, _)| name.span);
            let message = match presses {
                None => {
                    format!("`{number}` does not lead to `{service}`, which took {before} presses before")
                }
                Some(presses) if presses > *before => {
                    format!(
                        "`{service}` takes {presses} presses from `{number}`, {before} before it was merged"
                    )
                }
                Some(_) => continue,
            };
            proof.report(
                proof
                    .finding(span, message)
                    .help("give the number a flow of its own that begins where its callers want to be"),
            );
        }
    }
}
