//! After the caller left, and where nobody has called, only steps run that need no caller.

use std::collections::BTreeSet;

use super::{
    flow::FlowView,
    graph::Graph,
    world::{FlowHead, World},
};
use crate::{
    diagnostics::{Code, Finding},
    syntax::VerbSyntax,
};

/// Why nobody is on the line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Absence {
    /// The caller has left.
    HungUp,
    /// Nobody has called: time may pass.
    NobodyCalled,
}

/// What runs on when the caller has left.
pub(super) fn check(view: &FlowView<'_, '_>, graph: &Graph<'_>, on_hangup: Option<usize>) {
    if let Some(first) = on_hangup {
        walk(view, graph, first, Absence::HungUp, |step, reason| {
            let mut finding = Finding::new(
                Code::NeedsCaller,
                view.steps[step].name.span,
                format!(
                    "`{}` {reason}, but the caller has left when it is reached from `on-hangup`",
                    view.steps[step].name.as_str()
                ),
            );
            if let Some(word) = &view.head.syntax.on_hangup {
                finding = finding.label(word.span, "it begins here");
            }
            finding.help(
                "after `on-hangup` only call, together, choose, set, ticket, callback, notify, run and end stand; wire the ways out of its calls to such steps by name, since `otherwise` covers them too",
            )
        });
    }
}

/// What runs in a flow that a feed or a webhook starts.
pub(super) fn check_unattended(view: &FlowView<'_, '_>, graph: &Graph<'_>, start: Option<usize>) {
    let Some((first, on)) = start.zip(view.head.syntax.starts_on.as_ref()) else {
        return;
    };
    walk(view, graph, first, Absence::NobodyCalled, |step, reason| {
        Finding::new(
            Code::NobodyThere,
            view.steps[step].name.span,
            format!(
                "`{}` {reason}, but nobody is on the line of a flow that starts on `{}`",
                view.steps[step].name.as_str(),
                on.as_str()
            ),
        )
        .label(on.span, "it starts here")
        .help(
            "here only call, together, choose, set, ticket, callback, notify, run, wait and end stand; `notify` writes to whom it concerns, `callback` has them rung",
        )
    });
}

/// Goes the ways from a step, and reports what needs a caller on them.
fn walk(
    view: &FlowView<'_, '_>,
    graph: &Graph<'_>,
    first: usize,
    absence: Absence,
    finding: impl Fn(usize, &str) -> Finding,
) {
    let mut from = vec![None; graph.len()];
    let mut open = vec![first];
    from[first] = Some(first);
    while let Some(step) = open.pop() {
        if let Some(reason) = needs_caller(view.world, &view.steps[step].verb, absence) {
            let mut finding = finding(step, &reason);
            if let Some(before) = from[step].filter(|before| *before != step) {
                finding = finding.label(view.steps[before].name.span, "this step leads to it");
            }
            view.world.report(finding);
            continue;
        }
        // What is heard anywhere is heard no more.
        for way in graph.ways(step) {
            if from[way.to].is_none() {
                from[way.to] = Some(step);
                open.push(way.to);
            }
        }
    }
}

/// Why a step needs a caller, if it does.
fn needs_caller(world: &World<'_>, verb: &VerbSyntax, absence: Absence) -> Option<String> {
    match verb {
        VerbSyntax::Say { .. } => Some("says something".to_owned()),
        VerbSyntax::Menu(_) | VerbSyntax::Ask(_) | VerbSyntax::Survey(_) => {
            Some("asks the caller".to_owned())
        }
        VerbSyntax::Queue(_) => Some("waits for an agent".to_owned()),
        VerbSyntax::Transfer(_) => Some("puts the caller through".to_owned()),
        VerbSyntax::Record(_) => Some("records the caller".to_owned()),
        VerbSyntax::Wait { .. } if absence == Absence::HungUp => Some("waits".to_owned()),
        VerbSyntax::Run { flow, .. } => {
            let head = world.flows.get(&flow.value)?;
            let asking = asks(world, head, absence, &mut BTreeSet::new())?;
            Some(format!(
                "runs `{}`, whose step `{asking}` needs a caller",
                flow.as_str()
            ))
        }
        VerbSyntax::Call(_)
        | VerbSyntax::Together(_)
        | VerbSyntax::Choose(_)
        | VerbSyntax::Set(_)
        | VerbSyntax::Callback(_)
        | VerbSyntax::Ticket(_)
        | VerbSyntax::Notify(_)
        | VerbSyntax::Wait { .. }
        | VerbSyntax::End { .. }
        | VerbSyntax::Broken => None,
    }
}

/// The first step of a flow, or of one that it runs, which needs a caller.
fn asks<'w>(
    world: &'w World<'_>,
    head: &'w FlowHead<'_>,
    absence: Absence,
    seen: &mut BTreeSet<&'w str>,
) -> Option<&'w str> {
    if !seen.insert(head.syntax.name.as_str()) {
        return None;
    }
    head.syntax.steps.iter().find_map(|step| match &step.verb {
        VerbSyntax::Run { flow, .. } => asks(world, world.flows.get(&flow.value)?, absence, seen),
        verb => needs_caller(world, verb, absence).map(|_| step.name.as_str()),
    })
}

#[cfg(test)]
mod tests {
    use super::super::harness::assert_findings;

    #[test]
    fn who_left_is_not_asked() {
        assert_findings(
            r##"
--- flows/main.yaml
flow: main
start: a
on-hangup: note
otherwise: human
steps:
  a: { menu: hello, keys: { 1: done }, on: { else: done } }
  note: { call: crm.find-citizen, with: { phone: "1" }, next: more }
  human: { say: hello, next: done }
# ^^^^^ TL0309: `human` says something, but the caller has left
  more: { run: helper, next: gone }
# ^^^^ TL0309: `more` runs `helper`, whose step `b` needs a caller
  gone: { end: abandoned }
  done: { end: completed }
--- flows/helper.yaml
flow: helper
start: b
steps:
  b: { ask: hello, answer: text, consent: x, on: { else: c }, next: c }
#                                         ^ TL0507: consent is given by a yes or no
  c: { end: completed }
"##,
        );
    }

    #[test]
    fn services_are_asked_when_the_caller_has_left() {
        assert_findings(
            r##"
--- hotline.yaml
hotline: test
languages: [zh-CN, en]
time-zone: Asia/Shanghai
numbers: { "12345": { flow: main } }
queues: { general: {} }
plugins:
  crm: { component: plugins/crm.wasm, department: civil }
  sentiment: { component: plugins/sentiment.wasm, department: centre }
--- tickets/noise.yaml
ticket: noise
department: environment
deadline: 2h
--- surveys/csat.yaml
survey: csat
kind: comment
questions: [{ name: words, ask: hello, answer: text }]
--- flows/main.yaml
flow: main
start: top
on-hangup: note
vars: { words: string? }
steps:
  top: { menu: hello, keys: { 1: done }, on: { else: done } }
  note: { ticket: open, class: noise, on: { else: ring }, next: ring }
  ring: { callback: { within: 30m, queue: general }, on: { else: tell }, next: tell }
  tell: { notify: { say: hello }, on: { else: both }, next: both }
  both:
    together:
      a: { call: crm.find-citizen, with: { phone: "1" } }
      b: { call: sentiment.score, with: { text: "1" } }
    on: { a.else: rate, b.else: message, else: done }
#                                        ^^^^ TL0310: `else` is never taken
    next: wait
  rate: { survey: csat, on: { else: done }, next: done }
# ^^^^ TL0309: `rate` asks the caller
  message: { record: { message: hello, save: words }, on: { else: done }, next: done }
# ^^^^^^^ TL0309: `message` records the caller
  wait: { queue: general, on: { else: hand-over }, next: done }
# ^^^^ TL0309: `wait` waits for an agent
  hand-over: { transfer: "110", on: { else: done }, next: done }
  done: { end: completed }
"##,
        );
    }
}
