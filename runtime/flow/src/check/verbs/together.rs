//! `together` as the engine runs it.

use std::collections::HashMap;

use trunkline_model::signature::Signature;

use super::{
    super::{expressions::Scribe, flow::FlowView},
    lower_call,
};
use crate::{
    diagnostics::{Code, Finding},
    source::Word,
    step::Together,
    syntax::TogetherSyntax,
};

pub(super) fn lower(
    view: &FlowView<'_, '_>,
    signatures: &[Option<&Signature>],
    together: &TogetherSyntax,
    scribe: &Scribe<'_, '_, '_, '_>,
) -> Option<Together> {
    let meanwhile = together.meanwhile.as_ref().map(|prompt| scribe.prompt(prompt));
    let mut saved: HashMap<&str, &Word> = HashMap::new();
    let mut branches = Vec::new();
    let mut fine = true;
    for ((name, call), signature) in together.branches.iter().zip(signatures) {
        if let Some(save) = &call.save
            && let Some(other) = saved.insert(save.as_str(), name)
        {
            fine = false;
            view.world.report(
                Finding::new(
                    Code::DuplicateName,
                    save.span,
                    format!(
                        "the branches `{}` and `{}` both save in `{}`",
                        other.as_str(),
                        name.as_str(),
                        save.as_str()
                    ),
                )
                .label(other.span, "the other branch")
                .help("give each a variable of its own"),
            );
        }
        match lower_call(view, *signature, call, scribe) {
            Some(call) => branches.push((name.value.clone(), call)),
            None => fine = false,
        }
    }
    let meanwhile = match meanwhile {
        Some(prompt) => Some(prompt?),
        None => None,
    };
    fine.then_some(Together { branches, meanwhile })
}

#[cfg(test)]
mod tests {
    use super::super::super::harness::{assert_findings, files, interfaces};
    use crate::{check, parse, step::Verb};

    #[test]
    fn branches_are_calls_with_variables_of_their_own() {
        assert_findings(
            r##"
--- flows/main.yaml
flow: main
vars: { citizen: crm.citizen?, mood: sentiment.mood?, words: string }
start: a
steps:
  a:
    together:
      find: { call: crm.find-citizen, with: { phone: "1" }, save: citizen, meanwhile: hello }
#                                                                          ^^^^^^^^^ TL0006: `meanwhile` belongs to the step
      score: { call: sentiment.score, with: { txt: "1" }, save: citizen }
#                                             ^^^ TL0211: `sentiment.score` has no `txt`
#                    ^^^^^^^^^^^^^^^ TL0210: `sentiment.score` needs `text`
#                                                               ^^^^^^^ TL0109: the branches `find` and `score` both save in `citizen`
#                                                               ^^^^^^^ TL0202: `citizen` is a citizen?, but this gives a mood
    on: { else: b }
    next: b
  b: { together: { one: { call: crm.find-citizen, with: { phone: "1" } } }, on: { else: d }, next: d }
#      ^^^^^^^^ TL0010: `together` makes two to 8 calls at once, not 1
  d: { together: { a: { call: crm.find-citizen, with: { phone: "${words}" } }, b: { call: crm.gone } }, on: { a.gone: e, else: e }, next: e }
#                                                                 ^^^^^ TL0206: `words` is not set on every way here
#                                                                                             ^^^^ TL0104: the plugin `crm` has no function `gone`
  e:
    together:
      a: { call: crm.find-citizen, with: { phone: "1" }, save: citizen, retries: 1, time: 90s }
#                                                                                         ^^^ TL0010: `time` should be more than nothing and at most 1m
      b: { call: sentiment.score, with: { text: "1" }, save: mood }
    on: { else: g }
    next: f
  f: { call: sentiment.score, with: { text: "${citizen.name}${mood.level}" }, on: { else: g }, next: h }
  g: { call: sentiment.score, with: { text: "${citizen.name}" }, on: { else: h }, next: h }
#                                              ^^^^^^^ TL0205: `citizen` may be absent here
  h: { end: completed }
--- flows/broken.yaml
flow: broken
#     ^^^^^^ TL0305: no number and no flow leads to `broken`
start: c
steps:
  c: { together: { a: { with: { x: y } }, fault: { call: sentiment.score, with: { text: x } } }, on: { else: d }, next: d }
#                  ^ TL0007: the branch `a` needs `call`
#                                         ^^^^^ TL0107: `fault` stands for ways out
  d: { end: completed }
"##,
        );
    }

    #[test]
    fn all_that_is_saved_is_set_after_it() {
        let text = r##"
--- flows/main.yaml
flow: main
vars: { citizen: crm.citizen?, mood: sentiment.mood? }
start: a
steps:
  a:
    together:
      find: { call: crm.find-citizen, with: { phone: "1" }, save: citizen, at-most-once: true }
      score: { call: sentiment.score, with: { text: "1" }, save: mood, retries: 2 }
    meanwhile: hello
    on: { find.not-found: done, else: done }
    next: b
  b: { say: { zh-CN: "{citizen.name}{mood.score}", en: "{citizen.name}{mood.score}" }, next: done }
  done: { end: completed }
"##;
        let report = check(&parse(&files(text)), &interfaces());
        assert!(report.diagnostics.is_empty(), "{:#?}", report.diagnostics);
        let checked = report.checked.expect("no findings");
        let step = &checked.flows["main"].steps["a"];
        let Verb::Together(together) = &step.verb else {
            panic!("together")
        };
        let names: Vec<&str> = together.branches.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["find", "score"]);
        assert!(together.branches[0].1.at_most_once && together.branches[1].1.retries == 2);
        assert!(together.meanwhile.is_some());
        for exit in ["find.ambiguous", "find.fault.timed-out", "score.fault.open"] {
            assert!(step.exits.contains_key(exit), "{exit}");
        }
        assert!(!step.exits.contains_key("score.not-found"));
    }
}
