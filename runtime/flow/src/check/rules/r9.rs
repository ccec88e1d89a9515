//! R9: who is rung back is rung within calling hours: the step's `window`, or the hotline's `calling-window`.
//! That they are rung is what they asked for. `always` is no window.
//!
//! So it is with people who are written to or rung because of a feed or a webhook, who asked for
//! nothing: those whom it names, and those whom its flow turns to. When contacts start decides; and for
//! whom a queue rings, whenever an agent is free, the step's window, as for callers.

use std::collections::BTreeSet;

use super::{Proof, Script, by_step};
use crate::{
    calendar::ALWAYS,
    hotline::Flow,
    prove::{paths::Path, witness::Last},
    start::StartsOn,
    step::{Callback, Verb},
};

const HELP: &str = "name the calendar within whose hours callers are rung: `calling-window: office` in hotline.yaml, or `window:` of the callback";

pub(super) fn check(proof: &Proof<'_, '_>) {
    unasked(proof);
    for graph in proof.graphs {
        let booked = (0..graph.states.len()).filter(|state| graph.is_callback(*state));
        for state in by_step(graph, booked).into_values() {
            let of = &graph.states[state];
            let Verb::Callback(callback) = &graph.step(state).verb else {
                continue;
            };
            if has_window(proof, callback) || !proof.once(of.flow, of.step, "R9") {
                continue;
            }
            let script = Script {
                last: Last::IsRung,
                ..Script::default()
            };
            let finding = proof
                .finding(
                    proof.step_span(of.flow, of.step),
                    format!("`{}` may ring callers at any hour", graph.name(state)),
                )
                .help(HELP);
            proof.report(proof.with_script(finding, graph, state, &script, |_, _| Path::default()));
        }
    }
    rung(proof);
}

fn has_window(proof: &Proof<'_, '_>, callback: &Callback) -> bool {
    let window = callback.window.as_ref().or(proof.hotline.calling_window.as_ref());
    window.is_some_and(|window| **window != *ALWAYS)
}

/// The ring-backs of flows that nobody called for: no number leads to them, so that no graph has them.
fn rung(proof: &Proof<'_, '_>) {
    let flows = || proof.hotline.flows.values();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut open: Vec<&Flow> = flows()
        .filter(|flow| flow.starts_on.is_some())
        .map(|flow| &**flow)
        .collect();
    while let Some(flow) = open.pop() {
        if !seen.insert(flow.name.as_str()) {
            continue;
        }
        for (index, (name, step)) in flow.steps.iter().enumerate() {
            match &step.verb {
                Verb::Run(run) => open.extend(proof.hotline.flows.get(&run.flow).map(|flow| &**flow)),
                Verb::Callback(callback) if !has_window(proof, callback) && proof.once(flow, index, "R9") => {
                    let finding = proof.finding(
                        proof.step_span(flow, index),
                        format!("`{name}` may ring callers at any hour"),
                    );
                    proof.report(finding.help(HELP));
                }
                _ => {}
            }
        }
    }
}

/// People who are reached though they did not call.
fn unasked(proof: &Proof<'_, '_>) {
    let written = proof.world.hotline;
    let feeds = written.feeds.iter().map(|feed| &feed.name);
    let webhooks = written.webhooks.iter().map(|webhook| &webhook.name);
    let feeds = feeds.map(|name| (name, "feed", StartsOn::Feed(name.value.clone())));
    let webhooks = webhooks.map(|name| (name, "webhook", StartsOn::Webhook(name.value.clone())));
    for (name, kind, on) in feeds.chain(webhooks) {
        let Some(starts) = proof.hotline.starts(&on) else {
            continue;
        };
        let has_window = starts.window.as_ref().is_some_and(|window| **window != *ALWAYS);
        if starts.flow.is_none() || !starts.reaches_people || has_window {
            continue;
        }
        proof.report(
            proof
                .finding(
                    name.span,
                    format!("the {kind} `{}` may reach people at any hour", name.as_str()),
                )
                .help(format!(
                    "name the calendar within whose hours they are reached: `calling-window: office` in hotline.yaml, or `window:` of the {kind}"
                )),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::harness::assert_findings;

    #[test]
    fn people_are_reached_within_hours_whoever_began() {
        assert_findings(
            r##"
--- hotline.yaml
hotline: test
languages: [zh-CN, en]
time-zone: Asia/Shanghai
numbers: { "12345": { flow: main } }
plugins:
  works: { component: plugins/works.wasm, department: roads }
queues: { general: {} }
feeds:
  named: { call: works.changes, every: 5m, to: works.affected, key: id }
# ^^^^^ TL1009: the feed `named` may reach people at any hour
  always: { call: works.changes, every: 5m, window: always }
# ^^^^^^ TL1009: the feed `always` may reach people at any hour
  by-day: { call: works.changes, every: 5m, to: works.affected, window: day, key: id }
webhooks:
  quiet: { secret: key }
  rings: { secret: key, window: day }
  loud: { secret: key }
# ^^^^ TL1009: the webhook `loud` may reach people at any hour
checks: [cn-12345]
--- calendars/day.yaml
calendar: day
open: { monday: ["08:00-20:00"], tuesday: ["08:00-20:00"], wednesday: [], thursday: [], friday: [], saturday: [], sunday: [] }
--- tickets/noise.yaml
ticket: noise
department: environment
deadline: 2h
--- flows/main.yaml
flow: main
anywhere: { words: { 救命: urgent, 报警: urgent, 着火了: urgent, emergency: urgent } }
start: welcome
steps:
  welcome: { say: { zh-CN: 您好, en: Hello }, notice: synthetic-voice, next: human }
  human: { queue: general, on: { else: ring-back }, next: done }
  ring-back: { callback: { within: 30m, queue: general, window: day }, on: { duplicate: done, refused: sorry }, next: done }
  sorry: { say: { zh-CN: 请稍后再拨, en: Please call again }, next: done }
  urgent: { transfer: "110", on: { else: human }, next: done }
  done: { end: completed }
--- flows/a.yaml
flow: a
starts-on: feed.named
inputs: { change: works.change }
start: note
steps:
  note: { ticket: open, class: noise, with: { text: "${change.text}" }, on: { else: done }, next: done }
  done: { end: completed }
--- flows/b.yaml
flow: b
starts-on: feed.always
inputs: { change: works.change }
start: tell
steps:
  tell: { notify: { say: { zh-CN: 您好, en: Hello }, to: "+8657112345" }, on: { else: done }, next: done }
  done: { end: completed }
--- flows/c.yaml
flow: c
starts-on: feed.by-day
inputs: { change: works.change }
start: tell
steps:
  tell: { notify: { say: { zh-CN: 您好, en: Hello } }, on: { else: done }, next: done }
  done: { end: completed }
--- flows/d.yaml
flow: d
starts-on: webhook.quiet
inputs: { id: string }
start: done
steps: { done: { end: completed } }
--- flows/f.yaml
flow: f
starts-on: webhook.rings
inputs: { id: string, phone: string }
start: first
steps:
  first: { callback: { within: 30m, queue: general, number: "${phone}", window: day }, on: { else: done }, next: second }
  second: { callback: { within: 30m, queue: general, number: "${phone}" }, on: { else: done }, next: inner }
# ^^^^^^ TL1009: `second` may ring callers at any hour
  inner: { run: g, with: { phone: "${phone}" }, next: done }
  done: { end: completed }
--- flows/g.yaml
flow: g
inputs: { phone: string }
start: third
steps:
  third: { callback: { within: 30m, queue: general, number: "${phone}", window: always }, on: { else: done }, next: done }
# ^^^^^ TL1009: `third` may ring callers at any hour
  done: { end: completed }
--- flows/e.yaml
flow: e
starts-on: webhook.loud
inputs: { id: string }
start: inner
steps:
  inner: { run: c, with: { change: { id: "${id}", text: x } }, next: done }
  done: { end: completed }
"##,
        );
    }
}
