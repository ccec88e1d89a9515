//! R6: the notice comes before anything personal is looked up, scored or recorded; where a recording
//! names a consent, the caller has been asked for it.
//!
//! Personal is what carries a label, who calls, and a caller's own words. Any `notice` counts that does not
//! only announce a synthetic voice.

use std::sync::Arc;

use super::{Proof, Script, by_step, labels::Labels, reached};
use crate::{
    prove::{
        graph::{self, By, Graph, Kind, Way},
        paths::Path,
    },
    step::{Call, Record, Verb},
};

pub(super) fn check(proof: &Proof<'_, '_>) {
    let labels = Labels::with_own_words(proof.hotline);
    let synthetic = proof.voice_notices();
    for graph in proof.graphs {
        let tells = |state: usize| {
            graph.states[state].kind == Kind::Step
                && matches!(&graph.step(state).verb,
                    Verb::Say(say) if say.notice.as_ref().is_some_and(|notice| !synthetic.contains(notice)))
        };
        let untold = reached(graph, tells, |_, _| true);
        let early = (0..graph.states.len())
            .filter(|state| untold[*state] && !tells(*state))
            .filter(|state| handles_personal_data(&labels, graph, *state));
        for state in by_step(graph, early).into_values() {
            report(
                proof,
                graph,
                state,
                "say a notice on every way to it: `{ say: privacy, notice: privacy, next: … }`",
                &|at, _| !tells(at),
            );
        }
        consents(proof, graph);
        // Who hangs up at once was told nothing.
        if let Some(left) = graph::build_hung_up(proof.hotline, &graph.number) {
            let early = (0..left.states.len()).filter(|state| handles_personal_data(&labels, &left, *state));
            for state in by_step(&left, early).into_values() {
                report(
                    proof,
                    &left,
                    state,
                    "do it only when the caller was told: set a variable after the notice, and ask for it in `when`",
                    &|_, _| true,
                );
            }
        }
    }
}

fn report(
    proof: &Proof<'_, '_>,
    graph: &Graph<'_>,
    state: usize,
    help: &str,
    untold: &dyn Fn(usize, &Way) -> bool,
) {
    let of = &graph.states[state];
    if !proof.once(of.flow, of.step, "R6") {
        return;
    }
    let what = match &graph.step(state).verb {
        Verb::Record(_) => "records the caller",
        Verb::Menu(_) => "passes the caller's words on",
        _ => "passes personal data on",
    };
    let finding = proof
        .finding(
            proof.step_span(of.flow, of.step),
            format!("`{}` {what} before the caller was told", graph.name(state)),
        )
        .help(help);
    // What the plugin of a menu is given is what the caller says there.
    let intent = graph.states[state]
        .ways
        .iter()
        .position(|way| matches!(way.by, By::Intent(_)));
    let script = Script {
        open: Some(untold),
        ..Script::default()
    };
    proof.report(proof.with_script(finding, graph, state, &script, |at, _| {
        Path(intent.map(|way| (at, way)).into_iter().collect())
    }));
}

fn handles_personal_data(labels: &Labels<'_>, graph: &Graph<'_>, state: usize) -> bool {
    let of = &graph.states[state];
    if of.kind != Kind::Step {
        return false;
    }
    let is_given = |call: &Call| {
        let mut arguments = call.arguments.iter().flatten();
        arguments.any(|argument| !labels.of_expression(of.flow, argument).is_empty())
    };
    match &graph.step(state).verb {
        Verb::Call(call) => is_given(call),
        Verb::Together(together) => together.branches.iter().any(|(_, call)| is_given(call)),
        // The plugin is given what the caller says.
        Verb::Menu(menu) => menu.intent.is_some(),
        Verb::Record(record) => matches!(record, Record::Start { .. } | Record::Message { .. }),
        _ => false,
    }
}

/// A recording that names a consent comes after the question that asks for it.
fn consents(proof: &Proof<'_, '_>, graph: &Graph<'_>) {
    let named = |state: usize| match &graph.step(state).verb {
        Verb::Record(Record::Start { consent: Some(name) }) if graph.states[state].kind == Kind::Step => {
            Some(name.clone())
        }
        _ => None,
    };
    let mut names: Vec<Arc<str>> = (0..graph.states.len()).filter_map(named).collect();
    names.sort();
    names.dedup();
    for name in names {
        let asks = |state: usize| matches!(&graph.step(state).verb, Verb::Ask(ask) if ask.consent.as_ref() == Some(&name));
        // Who was asked and has not agreed is not recorded: that is seen to when it runs.
        let without = |state: usize, _: &Way| !asks(state);
        let unasked = reached(graph, |_| false, without);
        let early =
            (0..graph.states.len()).filter(|state| unasked[*state] && named(*state).as_ref() == Some(&name));
        for state in by_step(graph, early).into_values() {
            let of = &graph.states[state];
            if !proof.once(of.flow, of.step, "R6") {
                continue;
            }
            let finding = proof
                .finding(
                    proof.step_span(of.flow, of.step),
                    format!(
                        "`{}` wants the consent `{name}`, but the caller may not have been asked for it",
                        graph.name(state)
                    ),
                )
                .help(format!(
                    "ask on every way to it: `{{ ask: …, answer: yes-no, consent: {name}, … }}`"
                ));
            proof.report(proof.with_way_by(finding, graph, state, &without));
        }
    }
}
