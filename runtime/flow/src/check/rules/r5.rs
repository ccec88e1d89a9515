//! R5: a caller of 65 or older reaches a human without pressing a key. Who that is, the hotline says by
//! a condition under `assume`; the caller is known, so the calls that tell do not fail.

use super::{Proof, pack_span};
use crate::{
    diagnostics::{Code, Finding},
    prove::{
        facts,
        game::Game,
        graph::{self, Chooser, Trouble},
        paths,
    },
};

pub(super) fn check(proof: &Proof<'_, '_>) {
    let written: Vec<String> = proof.used.assume.iter().map(|text| spelt(text)).collect();
    let conditions = proof
        .hotline
        .flows
        .values()
        .flat_map(|flow| flow.steps.values())
        .flat_map(graph::conditions);
    // The assumed conditions in the spelling by which the flows' own are known.
    let mut assumed: Vec<String> = Vec::new();
    for condition in conditions {
        let whole = spelt(condition.source());
        facts::walk(condition.root(), &mut |node| {
            let part = condition.source().get(node.range.clone()).map(spelt);
            if written.contains(&whole) || part.is_some_and(|part| written.contains(&part)) {
                assumed.push(facts::key(node));
            }
        });
        if written.contains(&whole) {
            assumed.push(facts::key(condition.root()));
        }
    }
    if assumed.is_empty() {
        proof.report(
            Finding::new(
                Code::ElderlyMustPress,
                pack_span(proof.world, proof.used),
                if written.is_empty() {
                    "nothing says by which condition a flow knows callers over 65"
                } else {
                    "no flow has the condition under `assume`, so callers over 65 are not told from others"
                },
            )
            .help("name it as the flow writes it: `{ pack: elderly, assume: [\"${has(citizen) && citizen.age >= 65}\"] }`"),
        );
        return;
    }
    for number in proof.hotline.numbers.keys() {
        let Some(graph) = graph::build(proof.hotline, number, &assumed) else {
            continue;
        };
        let goal = |state| graph.is_human(state) || graph.is_callback(state);
        let game = Game::new(&graph, goal).closing(|state, way| {
            let known = matches!(
                graph.trouble(state, way),
                Some(Trouble::Failure | Trouble::Refusal)
            );
            known || (graph.chooser(state, way) == Chooser::Caller && way.inputs > 0)
        });
        let values = game.costs(|_| 0.0);
        for (_, start) in &graph.starts {
            let of = &graph.states[*start];
            if values.at(*start).is_finite() || !proof.once(of.flow, of.step, "R5") {
                continue;
            }
            let finding = proof
                .finding(
                    proof.flow_span(of.flow),
                    format!("a caller over 65 who presses nothing may not reach a human through `{}`", of.flow.name),
                )
                .help("look the caller up before the first question, and lead who is 65 or older to a human; let silence lead there, too");
            proof.report(proof.with_witness(finding, &graph, *start, |at, avoided| {
                paths::onward(&game, &values, |_| 0.0, at, avoided)
            }));
        }
    }
}

/// A condition without the spaces that do not matter and the braces around it.
fn spelt(text: &str) -> String {
    let inside = text
        .trim()
        .strip_prefix("${")
        .and_then(|text| text.strip_suffix('}'))
        .unwrap_or(text);
    inside.chars().filter(|c| !c.is_whitespace()).collect()
}
