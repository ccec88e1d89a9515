//! Carriers: the numbers that come by them are the hotline's.

use std::{collections::BTreeMap, sync::Arc};

use super::world::World;
use crate::{
    diagnostics::{Code, Finding, did_you_mean},
    hotline::{Carrier, CarrierKind},
    source::{Span, Word},
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

/// Reports a message that a caller is to leave where a carrier keeps none.
pub(super) fn keep_messages(world: &World<'_>, at: Span) {
    for carrier in &world.hotline.carriers {
        if carrier.kind == Some(CarrierKind::Jambonz) {
            world.report(
                Finding::new(
                    Code::CarrierCannot,
                    at,
                    format!(
                        "the carrier `{}` keeps no message, so its callers leave by `declined`",
                        carrier.name.as_str()
                    ),
                )
                .label(carrier.name.span, "the carrier")
                .help("ask for words instead: `ask: …`, `answer: text`"),
            );
        }
    }
}

/// Reports a connection of three where a carrier connects two.
pub(super) fn connect_three(world: &World<'_>, at: Span) {
    for carrier in &world.hotline.carriers {
        if carrier.kind.is_some() {
            world.report(
                Finding::new(
                    Code::CarrierCannot,
                    at,
                    format!(
                        "the carrier `{}` connects two: nobody of the hotline stays in the call",
                        carrier.name.as_str()
                    ),
                )
                .label(carrier.name.span, "the carrier")
                .help("leave `three-way` out, or have the number called by a trunk"),
            );
        }
    }
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
}
