//! R7: labelled data goes only to plugins that were granted the label.
//!
//! Labels stand on variables, on questions, and on plugins' types and their fields; who calls is `phone`. A
//! value that is made from labelled values carries their labels, through `set`, into flows that are run and
//! back. What a caller says at a menu has none, so its `intent` may be told by any plugin.
//!
//! What a plugin is granted is the operator's word, so the rule holds for every hotline. A pack that has it
//! adds the law that asks for it, and the script of a call that breaks it.

use std::sync::Arc;

use trunkline_model::PluginName;

use super::{Proof, Rules, World, labels::Labels, written};
use crate::{
    diagnostics::{Code, Finding},
    hotline::{Flow, Hotline},
    source::Span,
    step::{Call, Verb},
    syntax::{CallSyntax, ValueKind, VerbSyntax},
};

/// Holds the rule as a pack has it.
pub(super) fn check(proof: &Proof<'_, '_>) {
    breaches(proof.world, proof.hotline, |breach| {
        let finding = proof.finding(breach.span, breach.message()).help(breach.help());
        proof.report(match breach.step {
            Some((flow, step)) => proof.with_way_to_step(finding, flow, step),
            None => finding,
        });
    });
}

/// Holds the rule where no pack has it.
pub(super) fn check_without_pack(world: &World<'_>, hotline: &Hotline, rules: Rules) {
    breaches(world, hotline, |breach| {
        let finding = Finding::new(Code::DataNotGranted, breach.span, breach.message())
            .clause(
                "R7, which holds whatever `checks` says: what is granted is for operators to say".to_owned(),
            )
            .help(breach.help());
        world.report(match rules {
            Rules::Enforced => finding,
            Rules::Reported => finding.warning(),
        });
    });
}

/// A plugin that is given data it was not granted.
struct Breach<'b> {
    /// The step that gives it; none where a feed does.
    step: Option<(&'b Flow, usize)>,
    plugin: &'b PluginName,
    label: &'b Arc<str>,
    span: Span,
    /// Whether the plugin's own manifest leaves it out: then no grant is enough.
    unwanted: bool,
}

impl<'b> Breach<'b> {
    fn new(
        world: &World<'_>,
        step: Option<(&'b Flow, usize)>,
        plugin: &'b PluginName,
        label: &'b Arc<str>,
        span: Span,
    ) -> Self {
        let interface = world.plugins.get(plugin.as_str()).copied().flatten();
        let wanted = interface.and_then(|interface| interface.data.as_ref());
        Self {
            step,
            plugin,
            label,
            span,
            unwanted: wanted.is_some_and(|wanted| !wanted.contains(label)),
        }
    }

    fn message(&self) -> String {
        if self.unwanted {
            return format!(
                "`{}` is given data labelled `{}`, which its manifest does not want",
                self.plugin, self.label
            );
        }
        format!(
            "`{}` is given data labelled `{}`, which it was not granted",
            self.plugin, self.label
        )
    }

    fn help(&self) -> String {
        if self.unwanted {
            return format!(
                "add it to `data` in `[wants]` of plugin.toml and build the plugin again: `data = [\"{}\"]`; or do not pass it",
                self.label
            );
        }
        format!(
            "add it to `data` of the plugin in grants.yaml: `{}: {{ data: [{}] }}`; or do not pass it",
            self.plugin, self.label
        )
    }
}

fn breaches(world: &World<'_>, hotline: &Hotline, mut report: impl FnMut(&Breach<'_>)) {
    let labels = Labels::of(hotline);
    of_feeds(world, hotline, &labels, &mut report);
    for flow in hotline.flows.values() {
        let flow: &Flow = flow;
        for (index, step) in flow.steps.values().enumerate() {
            match &step.verb {
                Verb::Call(call) => of_call(world, hotline, &labels, (flow, index, None), call, &mut report),
                Verb::Together(together) => {
                    for (branch, (_, call)) in together.branches.iter().enumerate() {
                        let place = (flow, index, Some(branch));
                        of_call(world, hotline, &labels, place, call, &mut report);
                    }
                }
                _ => {}
            }
        }
    }
}

/// A change is given as a whole to the function that says whom it concerns.
fn of_feeds(world: &World<'_>, hotline: &Hotline, labels: &Labels<'_>, report: &mut impl FnMut(&Breach<'_>)) {
    for (name, feed) in &hotline.feeds {
        let Some(to) = &feed.to else { continue };
        let Some(plugin) = hotline.plugins.get(&to.plugin) else {
            continue;
        };
        let written = world.hotline.feeds.iter();
        let span = written
            .filter(|feed| feed.name.value == *name)
            .find_map(|feed| feed.to.as_ref())
            .map_or_else(|| world.files.beginning("hotline.yaml"), |to| to.span);
        for label in labels.of_whole(&feed.change).difference(&plugin.data) {
            report(&Breach::new(world, None, &to.plugin, label, span));
        }
    }
}

fn of_call(
    world: &World<'_>,
    hotline: &Hotline,
    labels: &Labels<'_>,
    (flow, step, branch): (&Flow, usize, Option<usize>),
    call: &Call,
    report: &mut impl FnMut(&Breach<'_>),
) {
    let Some(plugin) = hotline.plugins.get(&call.plugin) else {
        return;
    };
    for argument in call.arguments.iter().flatten() {
        let carried = labels.of_expression(flow, argument);
        for label in carried.difference(&plugin.data) {
            let written = written_call(world, (flow, step, branch)).and_then(|written| {
                let mut values = written.with.iter().map(|(_, value)| value);
                values.find(|value| match &value.kind {
                    ValueKind::Scalar(text) => &**text == argument.source(),
                    ValueKind::List(_) | ValueKind::Map(_) => {
                        world.files.text(value.span) == argument.source()
                    }
                })
            });
            let span = written.map_or_else(|| super::step_span(world, flow, step), |value| value.span);
            report(&Breach::new(world, Some((flow, step)), &call.plugin, label, span));
        }
    }
}

/// A call as it is written, in its branch where a step makes several.
fn written_call<'w>(
    world: &'w World<'_>,
    (flow, step, branch): (&Flow, usize, Option<usize>),
) -> Option<&'w CallSyntax> {
    match (&written(world, flow, step)?.verb, branch) {
        (VerbSyntax::Call(call), None) => Some(&**call),
        (VerbSyntax::Together(together), Some(branch)) => together.branches.get(branch).map(|(_, call)| call),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::super::{
        check,
        harness::{assert_findings, files, interfaces},
    };
    use crate::{diagnostics::Code, parse};

    #[test]
    fn that_something_is_there_carries_no_label_of_its_parts() {
        assert_findings(
            r##"
--- hotline.yaml
hotline: test
languages: [zh-CN, en]
time-zone: Asia/Shanghai
numbers: { "12345": { flow: main } }
plugins:
  crm: { component: plugins/crm.wasm, department: civil, labels: { citizen.id: id-number } }
  registry: { component: plugins/registry.wasm, department: civil, labels: { resident.id: id-number } }
  sentiment: { component: plugins/sentiment.wasm, department: centre }
--- grants.yaml
crm: { data: [phone] }
registry: { data: [phone] }
--- flows/main.yaml
flow: main
vars: { citizen: crm.citizen?, all: list<registry.resident>?, found: registry.found? }
otherwise: done
start: find
steps:
  find: { when: "${has(contact.caller)}", call: crm.find-citizen, with: { phone: "${contact.caller}" }, save: citizen, next: list }
  list: { when: "${has(contact.caller)}", call: registry.residents, with: { phone: "${contact.caller}" }, save: all, next: search }
  search: { when: "${has(contact.caller)}", call: registry.search, with: { phone: "${contact.caller}" }, save: found, next: a }
  a: { call: sentiment.score, with: { text: "${has(citizen) ? citizen.name : ''}" }, next: b }
  b: { when: "${has(all)}", call: sentiment.score, with: { text: "${size(all)} of ${all[0].name}" }, next: c }
  c: { when: "${has(found)}", call: sentiment.score, with: { text: "${found.case}" }, next: d }
  d: { call: sentiment.score, with: { text: "${has(citizen) ? citizen.id : ''}" }, next: e }
#                                           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ TL1007: `sentiment` is given data labelled `id-number`
  e: { when: "${has(citizen)}", call: sentiment.score, with: { text: "${citizen.id == '1' ? 'one' : 'other'}" }, next: done }
#                                                                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ TL1007: `sentiment` is given data labelled `id-number`
  done: { end: completed }
"##,
        );
    }

    #[test]
    fn a_change_keeps_its_labels_in_a_flow_that_takes_another_type() {
        assert_findings(
            r##"
--- hotline.yaml
hotline: test
languages: [zh-CN, en]
time-zone: Asia/Shanghai
numbers: { "12345": { flow: main } }
plugins:
  works: { component: plugins/works.wasm, department: roads, labels: { change.text: address } }
  registry: { component: plugins/registry.wasm, department: civil }
  sentiment: { component: plugins/sentiment.wasm, department: centre }
feeds:
  road-works: { call: works.changes, every: 5m }
--- flows/main.yaml
flow: main
start: done
steps: { done: { end: completed } }
--- flows/works.yaml
flow: works
starts-on: feed.road-works
inputs: { notice: registry.notice }
start: feel
steps:
  feel: { call: sentiment.score, with: { text: "${notice.id}" }, on: { else: tell }, next: tell }
  tell: { call: sentiment.score, with: { text: "${notice.text}" }, on: { else: done }, next: done }
#                                              ^^^^^^^^^^^^^^^^ TL1007: `sentiment` is given data labelled `address`
  done: { end: completed }
"##,
        );
    }

    #[test]
    fn a_change_is_given_with_all_that_is_in_it() {
        assert_findings(
            r##"
--- hotline.yaml
hotline: test
languages: [zh-CN, en]
time-zone: Asia/Shanghai
numbers: { "12345": { flow: main } }
plugins:
  registry: { component: plugins/registry.wasm, department: civil, labels: { resident.id: id-number } }
feeds:
  moves: { call: registry.moves, every: 1h, key: number, to: registry.neighbours }
#                                                            ^^^^^^^^^^^^^^^^^^^ TL1007: `registry` is given data labelled `id-number`
--- flows/main.yaml
flow: main
start: done
steps: { done: { end: completed } }
--- flows/moves.yaml
flow: moves
starts-on: feed.moves
inputs: { household: registry.household }
start: done
steps: { done: { end: completed } }
"##,
        );
    }

    #[test]
    fn a_label_names_what_values_can_be_told_to_be() {
        assert_findings(
            r##"
--- hotline.yaml
hotline: test
languages: [zh-CN, en]
time-zone: Asia/Shanghai
numbers: { "12345": { flow: main } }
plugins:
  registry:
    component: plugins/registry.wasm
    department: civil
    labels:
      resident: person
      residents.id: id-number
      household.head.id: id-number
      household.head.idd: id-number
#     ^^^^^^^^^^^^^^^^^^ TL0204: a resident has no field `idd`
      house-number: address
#     ^^^^^^^^^^^^ TL0110: `house-number` is another name of a string, and no value can be told to be one
      tenant.id: id-number
#     ^^^^^^^^^ TL0110: the plugin `registry` has no type `tenant`
--- flows/main.yaml
flow: main
start: done
steps: { done: { end: completed } }
"##,
        );
    }

    #[test]
    fn a_change_goes_only_to_whom_its_labels_are_granted() {
        assert_findings(
            r##"
--- hotline.yaml
hotline: test
languages: [zh-CN, en]
time-zone: Asia/Shanghai
numbers: { "12345": { flow: main } }
plugins:
  works: { component: plugins/works.wasm, department: roads, labels: { change.text: address } }
  crm: { component: plugins/crm.wasm, department: civil }
queues: { general: {} }
feeds:
  road-works: { call: works.changes, every: 5m, to: works.affected, window: day, key: id }
#                                                   ^^^^^^^^^^^^^^ TL1007: `works` is given data labelled `address`
webhooks:
  sensor: { secret: sensor-key, to: phone, window: day }
checks: [cn-12345]
--- calendars/day.yaml
calendar: day
open: { monday: ["08:00-20:00"], tuesday: ["08:00-20:00"], wednesday: [], thursday: [], friday: [], saturday: [], sunday: [] }
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
--- flows/works.yaml
flow: works
starts-on: feed.road-works
inputs: { change: works.change }
start: tell
steps:
  tell: { notify: { say: { zh-CN: 施工, en: Works } }, on: { failed: done }, next: done }
  done: { end: completed }
--- flows/alarm.yaml
flow: alarm
starts-on: webhook.sensor
inputs: { id: string, phone: string }
start: who
steps:
  who: { call: crm.find-citizen, with: { phone: "${phone}" }, on: { else: done }, next: done }
#                                               ^^^^^^^^^^ TL1007: `crm` is given data labelled `phone`
  done: { end: completed }
"##,
        );
    }

    #[test]
    fn what_a_plugin_does_not_want_it_is_not_given_whatever_is_granted() {
        const HOTLINE: &str = r#"
--- hotline.yaml
hotline: test
languages: [zh-CN, en]
time-zone: Asia/Shanghai
numbers: { "12345": { flow: main } }
plugins:
  crm: { component: plugins/crm.wasm, department: civil }
--- grants.yaml
crm: { data: [phone] }
--- flows/main.yaml
flow: main
vars: { given: { type: string?, label: phone } }
start: which
steps:
  which: { ask: { zh-CN: 号码, en: Number }, answer: digits, length: 4, save: given, on: { else: done }, next: who }
  who: { call: crm.find-citizen, with: { phone: "${given}" }, on: { else: done }, next: done }
  done: { end: completed }
"#;
        let found = |data: Option<&[&str]>| {
            let mut interfaces = interfaces();
            let crm = interfaces.get_mut("crm").unwrap();
            Arc::make_mut(crm).data = data.map(|data| data.iter().map(|label| (*label).into()).collect());
            let found = check(&parse(&files(HOTLINE)), &interfaces).diagnostics;
            let mut found = found
                .into_iter()
                .filter(|finding| finding.code == Code::DataNotGranted);
            found.next().map(|finding| finding.message)
        };
        assert_eq!(found(None), None);
        assert_eq!(found(Some(&["phone", "address"])), None);
        let unwanted = "`crm` is given data labelled `phone`, which its manifest does not want";
        assert_eq!(found(Some(&[])).as_deref(), Some(unwanted));
    }
}
