//! `menu` as the engine runs it.

use std::{collections::BTreeMap, sync::Arc};

use trunkline_model::{Type, limits::CALL_TIME_DEFAULT, signature::Signature};

use super::super::{
    expressions::Scribe,
    flow::{FlowView, key},
    keys::longest_first,
};
use super::ask::later_prompts;
use crate::{
    diagnostics::{Code, Finding, did_you_mean, one_of},
    source::Word,
    step::{Entry, Intent, Menu},
    syntax::{IntentSyntax, MenuSyntax},
};

pub(super) fn lower(
    view: &FlowView<'_, '_>,
    index: usize,
    menu: &MenuSyntax,
    scribe: &Scribe<'_, '_, '_, '_>,
) -> Option<Menu> {
    let prompt = scribe.prompt(&menu.prompt);
    let again = later_prompts(scribe, &menu.again);
    let mut entries = Vec::new();
    let mut fine = true;
    for written in &menu.keys {
        let when = written.when.as_ref().map(|word| scribe.condition(word));
        // The key's line is said only when its condition holds.
        let line = match &written.when {
            Some(word) => scribe.knowing(word, true),
            None => scribe.knowing_nothing_more(),
        };
        let say = written.say.as_ref().map(|prompt| line.prompt(prompt));
        let next = written.next.as_ref().and_then(|word| view.find(word));
        let whole = !matches!(when, Some(None)) && !matches!(say, Some(None));
        match key(view.world, &written.key).zip(next).filter(|_| whole) {
            Some((key, next)) => entries.push(Entry {
                key,
                say: say.flatten(),
                next: view.step_id(next),
                when: when.flatten(),
            }),
            None => fine = false,
        }
    }
    let mut words = Vec::new();
    for (word, step) in &menu.words {
        match view.find(step) {
            Some(step) => words.push((word.value.clone(), view.step_id(step))),
            None => fine = false,
        }
    }
    let intent = match &menu.intent {
        Some(written) => {
            let intent = intent(view, written, view.signatures[index]);
            fine &= intent.is_some();
            intent
        }
        None => None,
    };
    let (prompt, again) = (prompt?, again?);
    fine.then(|| Menu {
        prompt,
        entries,
        words: longest_first(words.into_iter()),
        intent,
        retries: menu.retries,
        again,
        time: menu.time,
    })
}

/// Who tells what words mean, and where each meaning leads.
fn intent(view: &FlowView<'_, '_>, written: &IntentSyntax, signature: Option<&Signature>) -> Option<Intent> {
    let signature = signature?;
    let cases = cases(view, &written.function, signature)?;
    let mut fine = true;
    let mut edges = BTreeMap::new();
    let rest = written.cases.iter().find(|(name, _)| name.as_str() == "else");
    let mut missing = Vec::new();
    for case in &cases {
        let own = written.cases.iter().find(|(name, _)| name.value == *case);
        match own.or(rest) {
            Some((_, step)) => match view.find(step) {
                Some(step) => {
                    edges.insert(case.clone(), view.step_id(step));
                }
                None => fine = false,
            },
            None => missing.push(&**case),
        }
    }
    if !missing.is_empty() {
        fine = false;
        view.world.report(
            Finding::new(
                Code::Unwired,
                written.function.span,
                format!(
                    "`intents` does not say where {} {}",
                    one_of(missing.iter().copied()),
                    if missing.len() == 1 { "leads" } else { "lead" },
                ),
            )
            .help("give each its step, or the rest together: `intents: { …, else: some-step }`"),
        );
    }
    for (name, _) in &written.cases {
        if name.as_str() == "else" {
            let wired = |case: &Arc<str>| written.cases.iter().any(|(name, _)| name.value == *case);
            if cases.iter().all(wired) {
                view.world.report(
                    Finding::new(
                        Code::NeverTaken,
                        name.span,
                        "`else` is never taken: every intent has its own step",
                    )
                    .help("leave it out"),
                );
            }
        } else if !cases.contains(&name.value) {
            fine = false;
            let known = cases.iter().map(|case| &**case);
            view.world.report(
                Finding::new(
                    Code::UnknownCase,
                    name.span,
                    format!("`{}` has no case `{}`", written.function.as_str(), name.as_str()),
                )
                .help_if(did_you_mean("its cases are", name.as_str(), known)),
            );
        }
    }
    let (plugin, _) = written.function.as_str().split_once('.')?;
    fine.then(|| Intent {
        plugin: plugin.into(),
        function: signature.function.clone(),
        written: written.function.value.clone(),
        left_out: signature.parameters.len().saturating_sub(1),
        edges,
        time: written.time.unwrap_or(CALL_TIME_DEFAULT),
    })
}

/// The meanings that a function tells apart; reports one that does not take a text and give
/// an enum.
fn cases(view: &FlowView<'_, '_>, function: &Word, signature: &Signature) -> Option<Vec<Arc<str>>> {
    let mut parameters = signature.parameters.iter();
    let takes_text = parameters
        .next()
        .is_some_and(|first| first.ty.required() == &Type::String)
        && parameters.all(|parameter| parameter.ty.is_optional());
    let given = signature.ok.as_ref().map(Type::required);
    if let (true, Some(Type::Enum(names))) = (takes_text, given)
        && signature.ok.as_ref().is_some_and(|ok| !ok.is_optional())
    {
        return Some(names.cases.clone());
    }
    view.world.report(
        Finding::new(
            Code::TypeMismatch,
            function.span,
            "an intent's function takes a string, nothing else that it needs, and gives an enum",
        )
        .help(format!("this one is {signature}")),
    );
    None
}

#[cfg(test)]
mod tests {
    use super::super::super::harness::{assert_findings, files, interfaces};
    use crate::{check, parse, step::Verb};

    #[test]
    fn words_lead_where_the_plugin_says() {
        assert_findings(
            r##"
--- flows/main.yaml
flow: main
otherwise: done
start: a
steps:
  a: { menu: hello, intent: nlu.classify, intents: { housing: b, social: b }, next: b }
#                           ^^^^^^^^^^^^ TL0301: `intents` does not say where `other` lead
#                                                                                   ^ TL0310: this `next` of `a` is never taken
  b: { menu: hello, intent: nlu.classify, intents: { housing: c, soscial: c, else: c }, intent-time: 90s }
#                                                                ^^^^^^^ TL0207: `nlu.classify` has no case `soscial`
#                                                                                                    ^^^ TL0010: `intent-time` should be more than nothing and at most 1m
  c: { menu: hello, keys: { 1: d }, intent: sentiment.score, intents: { else: d } }
#                                           ^^^^^^^^^^^^^^^ TL0202: an intent's function takes a string
  d: { menu: hello, intent: nlu.clasify, intents: { housing: e } }
#                               ^^^^^^^ TL0104: the plugin `nlu` has no function `clasify`
  e: { menu: hello, keys: { 1: f }, intents: { housing: f }, intent-time: 2s }
#                                   ^^^^^^^ TL0006: `intents` belongs to `intent: plugin.function`
#                                                            ^^^^^^^^^^^ TL0006: `intent-time` belongs to `intent: plugin.function`
  f: { menu: hello, intent: nlu.guess, intents: { housing: g, social: g, other: done, else: g } }
#                                                                                     ^^^^ TL0310: `else` is never taken
  g: { menu: hello, intent: nlu.classify, intents: { housing: done, else: nowhere } }
#                                                                         ^^^^^^^ TL0101: the flow `main` has no step `nowhere`
  done: { end: completed }
"##,
        );
    }

    #[test]
    fn every_case_has_an_edge() {
        let text = r##"
--- flows/main.yaml
flow: main
otherwise: done
start: a
steps:
  a: { menu: hello, intent: nlu.guess, intents: { housing: a, else: done }, intent-time: 2s }
  done: { end: completed }
"##;
        let report = check(&parse(&files(text)), &interfaces());
        let checked = report.checked.expect("no errors");
        let Verb::Menu(menu) = &checked.flows["main"].steps["a"].verb else {
            panic!("a menu")
        };
        let intent = menu.intent.as_ref().expect("the intent");
        let edges: Vec<(&str, &str)> = intent
            .edges
            .iter()
            .map(|(case, step)| (&**case, step.as_str()))
            .collect();
        assert_eq!(edges, [("housing", "a"), ("other", "done"), ("social", "done")]);
        assert_eq!(intent.time.to_string(), "2s");
    }
}
