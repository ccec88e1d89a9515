//! R7: labelled data goes only to plugins that were granted the label.
//!
//! Labels stand on variables, on questions, and on fields of plugins' types; who calls is `phone`. A value
//! that is made from labelled values carries their labels, through `set`, into flows that are run and back.

use super::{Proof, labels::Labels};
use crate::{
    hotline::Flow,
    step::{Call, Verb},
    syntax::{CallSyntax, ValueKind, VerbSyntax},
};

pub(super) fn check(proof: &Proof<'_, '_>) {
    let labels = Labels::of(proof.hotline);
    check_feeds(proof, &labels);
    for flow in proof.hotline.flows.values() {
        for (index, step) in flow.steps.values().enumerate() {
            let written = proof.written(flow, index).map(|step| &step.verb);
            match (&step.verb, written) {
                (Verb::Call(call), written) => {
                    let written = match written {
                        Some(VerbSyntax::Call(written)) => Some(&**written),
                        _ => None,
                    };
                    check_call(proof, &labels, flow, index, call, written);
                }
                (Verb::Together(together), written) => {
                    for (place, (_, call)) in together.branches.iter().enumerate() {
                        let written = match written {
                            Some(VerbSyntax::Together(written)) => {
                                written.branches.get(place).map(|(_, call)| call)
                            }
                            _ => None,
                        };
                        check_call(proof, &labels, flow, index, call, written);
                    }
                }
                _ => {}
            }
        }
    }
}

/// A change is given as a whole to the function that says whom it concerns.
fn check_feeds(proof: &Proof<'_, '_>, labels: &Labels<'_>) {
    for (name, feed) in &proof.hotline.feeds {
        let Some(to) = &feed.to else { continue };
        let Some(plugin) = proof.hotline.plugins.get(&to.plugin) else {
            continue;
        };
        let written = proof.world.hotline.feeds.iter();
        let span = written
            .filter(|feed| feed.name.value == *name)
            .find_map(|feed| feed.to.as_ref())
            .map_or_else(|| proof.world.files.beginning("hotline.yaml"), |to| to.span);
        for label in labels.of_whole(&feed.change).difference(&plugin.data) {
            proof.report(
                proof
                    .finding(
                        span,
                        format!("`{}` is given data labelled `{label}`, which it was not granted", to.plugin),
                    )
                    .help(format!(
                        "add it to `data` of the plugin in grants.yaml: `{}: {{ data: [{label}] }}`; or do not pass it",
                        to.plugin
                    )),
            );
        }
    }
}

fn check_call(
    proof: &Proof<'_, '_>,
    labels: &Labels<'_>,
    flow: &Flow,
    step: usize,
    call: &Call,
    written: Option<&CallSyntax>,
) {
    let Some(plugin) = proof.hotline.plugins.get(&call.plugin) else {
        return;
    };
    for argument in call.arguments.iter().flatten() {
        let carried = labels.of_expression(flow, argument);
        for label in carried.difference(&plugin.data) {
            let value = written.and_then(|written| {
                written.with.iter().map(|(_, value)| value).find(
                    |value| matches!(&value.kind, ValueKind::Scalar(text) if &**text == argument.source()),
                )
            });
            let span = value.map_or_else(|| proof.step_span(flow, step), |value| value.span);
            let finding = proof
                    .finding(
                        span,
                        format!("`{}` is given data labelled `{label}`, which it was not granted", call.plugin),
                    )
                    .help(format!(
                        "add it to `data` of the plugin in grants.yaml: `{}: {{ data: [{label}] }}`; or do not pass it",
                        call.plugin
                    ));
            proof.report(proof.with_way_to_step(finding, flow, step));
        }
    }
}
