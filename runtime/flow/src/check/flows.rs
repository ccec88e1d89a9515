//! Flows among each other: no circles, not too deep, none that nobody reaches.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use trunkline_model::limits::FRAMES_MAX;

use super::{graph::components, world::World};
use crate::{
    diagnostics::{Code, Finding, one_of},
    source::Word,
    syntax::VerbSyntax,
};

pub(super) fn check(world: &World<'_>) {
    let names: Vec<&str> = world.flows.keys().map(|name| &**name).collect();
    let index: BTreeMap<&str, usize> = names
        .iter()
        .enumerate()
        .map(|(index, name)| (*name, index))
        .collect();
    let runs: Vec<Vec<(usize, &Word)>> = world
        .flows
        .values()
        .map(|head| {
            head.syntax
                .steps
                .iter()
                .filter_map(|step| match &step.verb {
                    VerbSyntax::Run { flow, .. } => Some((*index.get(flow.as_str())?, flow)),
                    _ => None,
                })
                .collect()
        })
        .collect();
    let parts = components(names.len(), |flow| runs[flow].iter().map(|(to, _)| *to));
    let far = far_from_numbers(world, &names, &runs);
    let mut circles = false;
    // Parts come out with what they lead to before them.
    let mut depth = vec![1_usize; names.len()];
    for part in &parts {
        let inside: BTreeSet<usize> = part.iter().copied().collect();
        // The run that leads back, as seen from the numbers: of a circle it is the one to mend.
        let back = part
            .iter()
            .flat_map(|flow| runs[*flow].iter().map(move |(to, word)| (*flow, *to, *word)))
            .filter(|(_, to, _)| inside.contains(to))
            .max_by_key(|(flow, to, _)| (far[*to] <= far[*flow], far[*flow]));
        if let Some((flow, _, word)) = back {
            circles = true;
            let circle = one_of(part.iter().map(|flow| names[*flow]));
            world.report(
                Finding::new(
                    Code::FlowCircle,
                    word.span,
                    if part.len() == 1 {
                        format!("the flow `{}` runs itself", names[flow])
                    } else {
                        format!("the flows {circle} run each other in a circle")
                    },
                )
                .help("let it end instead, and the flow that runs it go on"),
            );
        }
        for flow in part {
            depth[*flow] = 1 + runs[*flow]
                .iter()
                .map(|(to, _)| depth[*to])
                .max()
                .unwrap_or_default();
        }
    }
    if !circles {
        for (flow, runs) in runs.iter().enumerate() {
            if depth[flow] > FRAMES_MAX
                && let Some((_, word)) = runs.iter().max_by_key(|(to, _)| depth[*to])
            {
                world.report(
                    Finding::new(
                        Code::FlowsTooDeep,
                        word.span,
                        format!(
                            "flows run each other {} deep from here; {FRAMES_MAX} is the most",
                            depth[flow]
                        ),
                    )
                    .help("join some of them"),
                );
            }
        }
    }
    unreached(world, &far);
}

/// How many flows lie between each flow and the numbers, feeds and webhooks; one more than all for one
/// that none of them leads to.
fn far_from_numbers(world: &World<'_>, names: &[&str], runs: &[Vec<(usize, &Word)>]) -> Vec<usize> {
    let mut far = vec![names.len() + 1; names.len()];
    let numbers = world.hotline.numbers.iter();
    let called = numbers.filter_map(|number| Some(number.flow.as_ref()?.as_str()));
    let started = world
        .flows
        .values()
        .filter(|head| head.syntax.starts_on.is_some());
    let mut open: VecDeque<(usize, usize)> = called
        .chain(started.map(|head| head.syntax.name.as_str()))
        .filter_map(|flow| names.iter().position(|name| *name == flow))
        .map(|flow| (flow, 0))
        .collect();
    while let Some((flow, steps)) = open.pop_front() {
        if steps < far[flow] {
            far[flow] = steps;
            open.extend(runs[flow].iter().map(|(to, _)| (*to, steps + 1)));
        }
    }
    far
}

fn unreached(world: &World<'_>, far: &[usize]) {
    // A file that cannot be read may run any of them.
    if !world.broken_flows.is_empty() {
        return;
    }
    for (head, far) in world.flows.values().zip(far) {
        if *far > world.flows.len() {
            world.report(
                Finding::new(
                    Code::UnreachedFlow,
                    head.syntax.name.span,
                    format!("no number and no flow leads to `{}`", head.syntax.name.as_str()),
                )
                .help("name it at a number in hotline.yaml, run it from a flow, say what it `starts-on`, or leave it out"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::harness::assert_findings;

    #[test]
    fn circles_and_flows_nobody_reaches() {
        assert_findings(
            r##"
--- flows/main.yaml
flow: main
start: a
steps:
  a: { run: other, next: b }
  b: { run: mani, next: done }
#           ^^^^ TL0102: there is no flow `mani`
  done: { end: completed }
--- flows/other.yaml
flow: other
start: a
steps:
  a: { run: main, next: done }
#           ^^^^ TL0308: the flows `main`, `other` run each other in a circle
  done: { end: completed }
--- flows/alone.yaml
flow: alone
#     ^^^^^ TL0305: no number and no flow leads to `alone`
start: done
steps: { done: { end: completed } }
"##,
        );
    }
}
