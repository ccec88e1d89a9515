//! Carriers: the numbers that come by them are the hotline's.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{flow::FlowView, world::World};
use crate::{
    diagnostics::{Code, Finding, did_you_mean},
    hotline::{Carrier, CarrierKind},
    source::{Span, Word},
    syntax::{CarrierSyntax, VerbSyntax},
};

pub(super) fn check(world: &World<'_>) -> BTreeMap<Arc<str>, Carrier> {
    let mut carriers = BTreeMap::new();
    for written in &world.hotline.carriers {
        for number in written.numbers.iter().flatten() {
            is_ours(world, number);
        }
        let numbers = written.numbers.as_ref();
        let numbers = numbers.map(|words| words.iter().map(|word| word.value.clone()).collect());
        if let (Some(kind), Some(url), Some(secret)) = (written.kind, &written.url, &written.secret) {
            carriers.insert(
                written.name.value.clone(),
                Carrier {
                    kind,
                    url: url.clone(),
                    secret: secret.value.clone(),
                    numbers,
                },
            );
        }
    }
    carriers
}

/// Reports what a carrier cannot do of what a step says, for each of those of which `cannot` says so in a
/// sentence, if callers who come by it reach the flow.
fn cannot(
    view: &FlowView<'_, '_>,
    at: Span,
    help: &str,
    cannot: impl Fn(&str, CarrierKind) -> Option<String>,
) {
    let world = view.world;
    for carrier in &world.hotline.carriers {
        let said = carrier.kind.and_then(|kind| cannot(carrier.name.as_str(), kind));
        let Some(said) = said.filter(|_| reaches(world, carrier, view.head.syntax.name.as_str())) else {
            continue;
        };
        world.report(
            Finding::new(Code::CarrierCannot, at, said)
                .label(carrier.name.span, "the carrier")
                .help(help.to_owned()),
        );
    }
}

/// Whether callers of a carrier's numbers may come into a flow, straight or by way of others that run it.
fn reaches(world: &World<'_>, carrier: &CarrierSyntax, flow: &str) -> bool {
    let own = |number: &Word| {
        let numbers = carrier.numbers.as_ref();
        numbers.is_none_or(|numbers| numbers.iter().any(|own| own.value == number.value))
    };
    let numbers = world.hotline.numbers.iter().filter(|number| own(&number.number));
    let mut ahead: Vec<&str> = numbers
        .filter_map(|number| Some(number.flow.as_ref()?.as_str()))
        .collect();
    let mut seen = BTreeSet::new();
    while let Some(next) = ahead.pop() {
        if next == flow {
            return true;
        }
        if !seen.insert(next) {
            continue;
        }
        let steps = world.flows.get(next).map(|head| &head.syntax.steps);
        ahead.extend(steps.into_iter().flatten().filter_map(|step| match &step.verb {
            VerbSyntax::Run { flow, .. } => Some(flow.as_str()),
            _ => None,
        }));
    }
    false
}

/// Reports a message that a caller is to leave where a carrier keeps none.
pub(super) fn keep_messages(view: &FlowView<'_, '_>, at: Span) {
    cannot(
        view,
        at,
        "ask for words instead: `ask: …`, `answer: text`",
        |name, kind| match kind {
            CarrierKind::Jambonz => Some(format!(
                "the carrier `{name}` keeps no message, so its callers leave by `declined`"
            )),
            CarrierKind::Twiml => None,
        },
    );
}

/// Reports a connection of three where a carrier connects two.
pub(super) fn connect_three(view: &FlowView<'_, '_>, at: Span) {
    let help = "leave `three-way` out, or have the number called by a trunk";
    cannot(view, at, help, |name, _| {
        Some(format!(
            "the carrier `{name}` connects two: the flow goes on when the other side has left"
        ))
    });
}

/// Reports a recording of the call, of which a carrier keeps the marks alone.
pub(super) fn record(view: &FlowView<'_, '_>, at: Span) {
    cannot(
        view,
        at,
        "have the carrier record its calls, for all of them",
        |name, _| {
            Some(format!(
                "the carrier `{name}` is not told to record: the step marks the time and keeps no sound"
            ))
        },
    );
}

/// Reports a secret that has to be spoken: what carriers recognise is known to them.
pub(super) fn hear_secrets(view: &FlowView<'_, '_>, at: Span) {
    cannot(view, at, "ask for keys instead: `answer: digits`", |name, _| {
        Some(format!(
            "the carrier `{name}` is not asked for words that are secret, so its callers cannot answer"
        ))
    });
}

/// Reports a number that the hotline has not.
fn is_ours(world: &World<'_>, number: &Word) {
    let ours = &world.hotline.numbers;
    if ours.iter().all(|ours| ours.number.value != number.value) {
        let names = ours.iter().map(|ours| ours.number.as_str());
        world.report(
            Finding::new(
                Code::UnknownNumber,
                number.span,
                format!("the hotline has no number `{}`", number.as_str()),
            )
            .help(
                did_you_mean("it has", number.as_str(), names)
                    .unwrap_or_else(|| "declare it under `numbers`".to_owned()),
            ),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::harness::{assert_findings, files, interfaces};
    use crate::{check, hotline::CarrierKind, parse};

    #[test]
    fn carriers_reach_the_server_and_bring_numbers_of_the_hotline() {
        assert_findings(
            r##"
--- hotline.yaml
hotline: test
languages: [zh-CN, en]
time-zone: Asia/Shanghai
numbers: { "12345": { flow: main } }
carriers:
  cloud: { kind: twilm, url: "http://hotline.example.org", secret: Token, numbers: ["12345", "12354"] }
#                ^^^^^ TL0010: there is no kind of carrier `twilm`
#                            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ TL0010: `url` cannot be `http://hotline.example.org`: over plain HTTP
#                                                                  ^^^^^ TL0107: `Token` cannot be the name of a secret
#                                                                                            ^^^^^^^ TL0820: the hotline has no number `12354`
  other: { kind: jambonz, url: hotline.example.org }
# ^^^^^ TL0007: a carrier needs `secret`
#                              ^^^^^^^^^^^^^^^^^^^ TL0010: `url` cannot be `hotline.example.org`: an address is like
--- flows/main.yaml
flow: main
start: done
steps: { done: { end: completed } }
"##,
        );
    }

    #[test]
    fn carriers_speak_by_themselves() {
        let text = r##"
--- hotline.yaml
hotline: test
languages: [zh-CN, en]
time-zone: Asia/Shanghai
numbers: { "12345": { flow: main } }
carriers:
  cloud: { kind: twiml, url: "https://hotline.example.org/", secret: twiml-token, numbers: ["12345"] }
  house: { kind: jambonz, url: "http://127.0.0.1:7777", secret: jambonz-token }
--- flows/main.yaml
flow: main
start: a
steps:
  a: { say: hello, next: done }
  done: { end: completed }
"##;
        let report = check(&parse(&files(text)), &interfaces());
        assert!(report.diagnostics.is_empty(), "{:#?}", report.diagnostics);
        let checked = report.checked.expect("no findings");
        let cloud = &checked.carriers["cloud"];
        assert_eq!(
            (cloud.kind, cloud.url.as_str()),
            (CarrierKind::Twiml, "https://hotline.example.org")
        );
        assert_eq!(
            (&*cloud.secret, &cloud.numbers),
            ("twiml-token", &Some(vec!["12345".into()]))
        );
        assert_eq!(checked.carriers["house"].numbers, None);
    }

    #[test]
    fn what_a_carrier_cannot_do_is_said_where_a_step_says_it() {
        assert_findings(
            r##"
--- hotline.yaml
hotline: test
languages: [zh-CN, en]
time-zone: Asia/Shanghai
numbers: { "12345": { flow: main } }
carriers:
  cloud: { kind: twiml, url: "https://hotline.example.org/", secret: twiml-token }
  house: { kind: jambonz, url: "http://127.0.0.1:7777", secret: jambonz-token }
--- flows/main.yaml
flow: main
vars: { left: string? }
start: a
steps:
  a: { record: { message: hello, save: left }, on: { declined: b }, next: b }
#                                      ^^^^ TL0830: the carrier `house` keeps no message
  b: { transfer: "+8657112345", three-way: true, on: { else: done }, next: done }
#                ^^^^^^^^^^^^^ TL0830: the carrier `cloud` connects two
#                ^^^^^^^^^^^^^ TL0830: the carrier `house` connects two
  done: { end: completed }
"##,
        );
    }

    #[test]
    fn what_a_carrier_cannot_do_is_said_of_flows_that_its_callers_reach() {
        assert_findings(
            r##"
--- hotline.yaml
hotline: test
languages: [zh-CN, en]
time-zone: Asia/Shanghai
numbers: { "12345": { flow: main }, "12346": { flow: other }, "12347": { flow: third } }
carriers:
  house: { kind: jambonz, url: "http://127.0.0.1:7777", secret: jambonz-token, numbers: ["12345"] }
  cloud: { kind: twiml, url: "https://hotline.example.org/", secret: twiml-token, numbers: ["12347"] }
--- flows/main.yaml
flow: main
start: a
steps:
  a: { run: deep, next: done }
  done: { end: completed }
--- flows/deep.yaml
flow: deep
vars: { left: string? }
start: a
steps:
  a: { record: { message: hello, save: left }, on: { declined: b }, next: b }
#                                      ^^^^ TL0830: the carrier `house` keeps no message
  b: { record: start, next: c }
# ^ TL0830: the carrier `house` is not told to record
  c: { ask: hello, answer: text, secret: true, save: left, on: { else: done }, next: done }
#                                ^^^^^^ TL0830: the carrier `house` is not asked for words that are secret
  done: { end: completed }
--- flows/other.yaml
flow: other
vars: { left: string? }
start: a
steps:
  a: { record: { message: hello, save: left }, on: { declined: done }, next: done }
  done: { end: completed }
--- flows/third.yaml
flow: third
vars: { left: string? }
start: a
steps:
  a: { record: { message: hello, save: left }, on: { declined: b }, next: b }
  b: { transfer: "+8657112345", three-way: true, on: { else: done }, next: done }
#                ^^^^^^^^^^^^^ TL0830: the carrier `cloud` connects two
  done: { end: completed }
"##,
        );
    }
}
