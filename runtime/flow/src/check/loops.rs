//! Loops: every one can be left, and every one waits for something.

use super::{
    flow::FlowView,
    graph::{Effect, Graph, Way},
};
use crate::{
    diagnostics::{Code, Finding, one_of},
    syntax::VerbSyntax,
};

pub(super) fn check(view: &FlowView<'_, '_>, graph: &Graph<'_>, reached: &[bool]) {
    let ends: Vec<bool> = leads_to_an_end(view, graph);
    let stuck: Vec<bool> = (0..graph.len())
        .map(|step| reached[step] && !ends[step])
        .collect();
    for part in graph.circles(&stuck) {
        let leaves = part
            .iter()
            .any(|step| graph.ways(*step).iter().any(|way| !part.contains(&way.to)));
        // What only leads into such a loop is not named for itself.
        if !leaves {
            report(
                view,
                &part,
                Code::NoWayOut,
                "from here no step leads to an `end`",
                "add a way out that leads to a step like `done: { end: completed }`",
            );
        }
    }
    let restless = |step: usize, call_rests: bool| {
        reached[step]
            && match &view.steps[step].verb {
                verb if verb.asks_a_service() => !call_rests,
                VerbSyntax::Run { flow, .. } => {
                    let flow = view.world.flows.get(&flow.value);
                    flow.is_some_and(|head| !head.waits && !head.opaque)
                }
                verb => !verb.waits(),
            }
    };
    let still: Vec<bool> = (0..graph.len()).map(|step| restless(step, true)).collect();
    let spinning = graph.circles(&still);
    for part in &spinning {
        report(
            view,
            part,
            Code::Spins,
            "this loop never waits for the caller or for time",
            "put a `menu`, an `ask` or a `wait` into it",
        );
    }
    let calling: Vec<bool> = (0..graph.len()).map(|step| restless(step, false)).collect();
    let at_once =
        |step: usize, way: &Way<'_>| calling[step] || reached[step] && matches!(way.effect, Effect::Refused);
    for part in graph.circles_by(at_once) {
        if spinning
            .iter()
            .any(|spun| spun.iter().any(|step| part.contains(step)))
        {
            continue;
        }
        report(
            view,
            &part,
            Code::CallLoop,
            "this loop calls again at once, without asking the caller or waiting",
            "put a `wait: 2s` into it; a `call` has `retries`",
        );
    }
}

/// Which steps have a way to an `end`.
fn leads_to_an_end(view: &FlowView<'_, '_>, graph: &Graph<'_>) -> Vec<bool> {
    let mut before: Vec<Vec<usize>> = vec![Vec::new(); graph.len()];
    for step in 0..graph.len() {
        for way in graph.ways(step) {
            before[way.to].push(step);
        }
    }
    let mut ends = vec![false; graph.len()];
    let mut open: Vec<usize> = view
        .steps
        .iter()
        .enumerate()
        .filter(|(_, step)| matches!(step.verb, VerbSyntax::End { .. } | VerbSyntax::Broken))
        .map(|(index, _)| index)
        .collect();
    while let Some(step) = open.pop() {
        if !std::mem::replace(&mut ends[step], true) {
            open.extend(&before[step]);
        }
    }
    ends
}

fn report(view: &FlowView<'_, '_>, part: &[usize], code: Code, what: &str, help: &str) {
    let names = part.iter().map(|step| view.steps[*step].name.as_str());
    let Some(first) = part.first() else { return };
    view.world.report(
        Finding::new(
            code,
            view.steps[*first].name.span,
            if part.len() == 1 {
                what.to_owned()
            } else {
                format!("{what}: {}", one_of(names))
            },
        )
        .help(help),
    );
}

#[cfg(test)]
mod tests {
    use super::super::harness::assert_findings;

    #[test]
    fn loops_can_be_left_and_wait() {
        assert_findings(
            r##"
--- flows/main.yaml
flow: main
vars: { n: { type: int, is: 0 } }
start: top
steps:
  top: { menu: hello, keys: { 1: stuck, 2: spin, 3: call, 4: fine }, on: { else: done } }
  stuck: { menu: hello, keys: { 1: stuck-too }, on: { else: stuck } }
# ^^^^^ TL0306: from here no step leads to an `end`: `stuck`, `stuck-too`
  stuck-too: { say: hello, next: stuck }
  spin: { set: { n: "${n + 1}" }, next: test }
# ^^^^ TL0307: this loop never waits for the caller or for time: `spin`, `test`
  test: { choose: [ { when: "${n < 10}", next: spin }, { else: done } ] }
  call: { call: crm.find-citizen, with: { phone: "1" }, on: { else: call }, next: done }
# ^^^^ TL0311: this loop calls again at once
  fine: { wait: 10s, next: fine-too }
  fine-too: { choose: [ { when: "${calendar.always.open}", next: done }, { else: fine } ] }
  done: { end: completed }
"##,
        );
    }

    #[test]
    fn services_are_not_asked_without_a_pause() {
        assert_findings(
            r##"
--- hotline.yaml
hotline: test
languages: [zh-CN, en]
time-zone: Asia/Shanghai
numbers: { "12345": { flow: main } }
queues: { general: {} }
--- tickets/noise.yaml
ticket: noise
department: environment
deadline: 2h
--- flows/main.yaml
flow: main
start: top
steps:
  top: { menu: hello, keys: { 1: wait, 2: patient, 3: ring, 4: note }, on: { else: done } }
  wait: { queue: general, on: { closed: sorry, else: done }, next: done }
# ^^^^ TL0311: this loop calls again at once, without asking the caller or waiting: `wait`, `sorry`
  sorry: { say: hello, next: wait }
  patient: { queue: general, on: { timeout: patient, else: done }, next: done }
  ring: { transfer: "110", on: { busy: ring, else: done }, next: done }
# ^^^^ TL0311: this loop calls again at once
  note: { ticket: open, class: noise, on: { else: tell }, next: done }
# ^^^^ TL0311: this loop calls again at once, without asking the caller or waiting: `note`, `tell`
  tell: { notify: { say: hello }, on: { failed: note }, next: done }
  done: { end: completed }
"##,
        );
    }
}
