//! Ways out: every one that a step can take leads somewhere.

use std::{collections::BTreeMap, sync::Arc};

use trunkline_model::{FaultKind, Type};

use super::{flow::FlowView, mends};
use crate::{
    diagnostics::{Code, Finding, did_you_mean, one_of},
    source::Word,
    syntax::{ExitSyntax, StepSyntax, VerbSyntax},
};

/// A way out that leads somewhere.
pub(super) struct Exit<'a> {
    pub(super) name: Arc<str>,
    pub(super) to: usize,
    /// The variable that takes what it carries.
    pub(super) save: Option<&'a Word>,
    pub(super) payload: Option<Type>,
}

/// The ways out of a step.
pub(super) struct Wired<'a> {
    pub(super) exits: Vec<Exit<'a>>,
    /// Whether every way out leads somewhere, `next` included.
    pub(super) complete: bool,
}

/// What a step may come out by besides `next`, and what each way carries.
enum Outs {
    Known(Vec<(Arc<str>, Option<Type>)>),
    /// The function or flow is not known, which has been reported.
    Unknown,
}

fn outs(view: &FlowView<'_, '_>, step: usize) -> Outs {
    let names = |names: &[&str]| Outs::Known(names.iter().map(|&name| (name.into(), None)).collect());
    match &view.steps[step].verb {
        VerbSyntax::Menu(_) => names(&["no-input", "no-match"]),
        VerbSyntax::Ask(_) => names(&["no-input", "invalid"]),
        VerbSyntax::Call(_) => match view.signatures[step] {
            None => Outs::Unknown,
            Some(signature) => {
                let cases = signature.error_cases().into_iter();
                let faults = FaultKind::ALL.iter();
                Outs::Known(
                    cases
                        .map(|(name, payload)| (name, payload.cloned()))
                        .chain(faults.map(|kind| (format!("fault.{kind}").into(), None)))
                        .collect(),
                )
            }
        },
        VerbSyntax::Run { flow, .. } => match view.world.flows.get(&flow.value) {
            Some(head) if !head.opaque => Outs::Known(
                head.outcomes
                    .keys()
                    .filter(|name| &***name != "completed")
                    .map(|name| (name.clone(), None))
                    .collect(),
            ),
            _ => Outs::Unknown,
        },
        VerbSyntax::Say { .. }
        | VerbSyntax::Choose(_)
        | VerbSyntax::Set(_)
        | VerbSyntax::Wait(_)
        | VerbSyntax::End { .. } => Outs::Known(Vec::new()),
        VerbSyntax::Broken => Outs::Unknown,
    }
}

/// Whether the flow's `otherwise` stands in for ways out of a step.
fn covered(step: &StepSyntax) -> bool {
    matches!(
        step.verb,
        VerbSyntax::Menu(_) | VerbSyntax::Ask(_) | VerbSyntax::Call(_) | VerbSyntax::Run { .. }
    )
}

/// Wires a step; reports what leads nowhere, and what is wired that does not exist.
pub(super) fn wire<'a>(view: &FlowView<'_, 'a>, index: usize, otherwise: Option<usize>) -> Wired<'a> {
    let step = &view.steps[index];
    let mut wired = Wired {
        exits: Vec::new(),
        complete: next(view, step),
    };
    let outs = match outs(view, index) {
        Outs::Known(outs) => outs,
        Outs::Unknown => {
            if !matches!(step.verb, VerbSyntax::Broken) {
                for exit in &step.on {
                    wired.add_unknown(view, exit);
                }
                if let Some(to) = otherwise.filter(|_| covered(step)) {
                    wired.exits.push(Exit {
                        name: "else".into(),
                        to,
                        save: None,
                        payload: None,
                    });
                }
            }
            wired.complete = false;
            return wired;
        }
    };
    let written: BTreeMap<&str, &'a ExitSyntax> =
        step.on.iter().map(|exit| (exit.name.as_str(), exit)).collect();
    for exit in &step.on {
        check_written(view, step, exit, &outs, &written);
    }
    let itself = otherwise == Some(index);
    let mut missing: Vec<&str> = Vec::new();
    for (name, payload) in &outs {
        let fault = name.starts_with("fault.").then(|| written.get("fault")).flatten();
        let exit = written.get(&**name).or(fault).or_else(|| written.get("else"));
        let to = match exit {
            Some(exit) => exit.next.as_ref().and_then(|word| view.target(word)),
            None if covered(step) && !itself => otherwise,
            None => None,
        };
        match (exit, to) {
            (_, Some(to)) => wired.exits.push(Exit {
                name: name.clone(),
                to,
                save: exit.and_then(|exit| exit.save.as_ref()),
                payload: payload.clone(),
            }),
            (Some(_), None) => wired.complete = false,
            (None, None) => missing.push(name),
        }
    }
    // A name that cannot be resolved in `otherwise` is said once, there.
    let unresolved = view.head.syntax.otherwise.is_some() && otherwise.is_none();
    if !missing.is_empty() {
        wired.complete = false;
        if !unresolved || !covered(step) {
            unwired(view, step, &missing, itself);
        }
    }
    wired
}

impl<'a> Wired<'a> {
    fn add_unknown(&mut self, view: &FlowView<'_, 'a>, exit: &'a ExitSyntax) {
        if let Some(to) = exit.next.as_ref().and_then(|word| view.target(word)) {
            self.exits.push(Exit {
                name: exit.name.value.clone(),
                to,
                save: exit.save.as_ref(),
                payload: None,
            });
        }
    }
}

fn unwired(view: &FlowView<'_, '_>, step: &StepSyntax, missing: &[&str], itself: bool) {
    // All kinds of faults together are `fault`.
    let faults = missing.iter().filter(|name| name.starts_with("fault.")).count();
    let mut names: Vec<&str> = missing
        .iter()
        .copied()
        .filter(|name| faults < FaultKind::ALL.len() || !name.starts_with("fault."))
        .collect();
    if faults == FaultKind::ALL.len() {
        names.push("fault");
    }
    let wiring: Vec<String> = names
        .iter()
        .take(3)
        .map(|name| format!("{name}: some-step"))
        .collect();
    let more = if names.len() > 3 { ", else: some-step" } else { "" };
    let mut finding = Finding::new(
        Code::Unwired,
        step.name.span,
        format!(
            "`{}` does not say where {} lead",
            step.name.as_str(),
            one_of(names.iter().copied())
        ),
    )
    .help(format!("add `on: {{ {}{more} }}`", wiring.join(", ")))
    .mend_if(mends::wire(view, step, &names, itself));
    finding = if itself {
        finding.help("the step that `otherwise` names is not covered by it: it wires all of its own")
    } else if view.head.syntax.otherwise.is_none() && covered(step) {
        finding.help("or give the flow one step for all that is not wired: `otherwise: some-step`")
    } else {
        finding
    };
    view.world.report(finding);
}

/// Checks `next`; whether the step needs no other.
fn next(view: &FlowView<'_, '_>, step: &StepSyntax) -> bool {
    let goes_on = matches!(
        step.verb,
        VerbSyntax::Say { .. }
            | VerbSyntax::Ask(_)
            | VerbSyntax::Call(_)
            | VerbSyntax::Set(_)
            | VerbSyntax::Run { .. }
            | VerbSyntax::Wait(_)
    );
    let broken = matches!(step.verb, VerbSyntax::Broken);
    match &step.next {
        Some(word) => {
            if !goes_on && !broken && step.when.is_none() {
                let help = match step.verb {
                    VerbSyntax::Menu(_) => "each key and word of a menu has its own step",
                    VerbSyntax::Choose(_) => "each branch has its own `next`, and `else` is the rest",
                    _ => "`end` ends the flow",
                };
                view.world.report(
                    Finding::new(
                        Code::NeverTaken,
                        word.span,
                        format!("this `next` of `{}` is never taken", step.name.as_str()),
                    )
                    .help(format!("leave it out: {help}")),
                );
            }
            view.find(word).is_some()
        }
        None if broken || (!goes_on && step.when.is_none()) => !broken,
        None => {
            let message = if goes_on {
                format!("`{}` does not say where it leads", step.name.as_str())
            } else {
                format!(
                    "`{}` has a condition, but does not say where it leads when that does not hold",
                    step.name.as_str()
                )
            };
            view.world.report(
                Finding::new(Code::MissingNext, step.name.span, message)
                    .help("add `next: some-step`, if need be a step like `done: { end: completed }`"),
            );
            false
        }
    }
}

fn check_written(
    view: &FlowView<'_, '_>,
    step: &StepSyntax,
    exit: &ExitSyntax,
    outs: &[(Arc<str>, Option<Type>)],
    written: &BTreeMap<&str, &ExitSyntax>,
) {
    let name = exit.name.as_str();
    let faults = || outs.iter().filter(|(name, _)| name.starts_with("fault."));
    let exists = match name {
        "else" | "fault" => {
            let fault_too = name == "else" && written.contains_key("fault");
            let left = outs
                .iter()
                .filter(|(out, _)| match out.starts_with("fault.") {
                    true => !fault_too && !written.contains_key(&**out),
                    false => name == "else" && !written.contains_key(&**out),
                })
                .count();
            if left == 0 && (name == "else" && !outs.is_empty() || faults().next().is_some()) {
                view.world.report(
                    Finding::new(
                        Code::NeverTaken,
                        exit.name.span,
                        format!("`{name}` is never taken: every way out is wired by its name"),
                    )
                    .help("leave it out"),
                );
            }
            if name == "else" {
                !outs.is_empty()
            } else {
                faults().next().is_some()
            }
        }
        _ => outs.iter().any(|(out, _)| &**out == name),
    };
    if !exists {
        let known = outs.iter().map(|(name, _)| &**name);
        let fault = faults().next().map(|_| "fault");
        let help = if outs.is_empty() {
            Some("it has no way out but `next`".to_owned())
        } else {
            let shown = known.filter(|name| {
                fault.is_none() || !name.starts_with("fault.") || exit.name.as_str().starts_with("fault.")
            });
            did_you_mean("it has", name, shown.chain(fault).chain(["else"]))
        };
        view.world.report(
            Finding::new(
                Code::UnknownExit,
                exit.name.span,
                format!("`{}` has no way out `{name}`", step.name.as_str()),
            )
            .help_if(help),
        );
        // Its step is looked at all the same.
        if let Some(word) = &exit.next {
            view.target(word);
        }
    }
    if let Some(save) = &exit.save {
        check_save(view, exit, save, outs, exists);
    }
}

fn check_save(
    view: &FlowView<'_, '_>,
    exit: &ExitSyntax,
    save: &Word,
    outs: &[(Arc<str>, Option<Type>)],
    exists: bool,
) {
    let variable = super::verbs::variable(view, save);
    let payload = outs
        .iter()
        .find(|(name, _)| *name == exit.name.value)
        .and_then(|(_, payload)| payload.as_ref());
    match payload {
        Some(payload) => {
            if let Some(wanted) = variable {
                super::verbs::saves(view, save, wanted, payload);
            }
        }
        None if exists => view.world.report(
            Finding::new(
                Code::NothingToSave,
                save.span,
                format!("`{}` carries nothing that could be saved", exit.name.as_str()),
            )
            .help("leave out `save`"),
        ),
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::harness::assert_findings;

    #[test]
    fn every_way_out_leads_somewhere() {
        assert_findings(
            r##"
--- flows/main.yaml
flow: main
vars: { count: u32?, words: string? }
start: find
steps:
  find:
# ^^^^ TL0301: `find` does not say where `ambiguous`, `unreachable`, `fault` lead
    call: crm.find-citizen
    with: { phone: "1" }
    on: { not-found: ask, notfound: ask }
#                         ^^^^^^^^ TL0303: `find` has no way out `notfound`
    next: ask
  ask: { ask: hello, answer: text, save: words, on: { no-input: done, invalid: done, else: done }, next: again }
#                                                                                    ^^^^ TL0310: `else` is never taken
  again:
    call: crm.find-citizen
    with: { phone: "1" }
    on: { ambiguous: { next: done, save: count }, not-found: { next: done, save: count }, fault: done, else: done }
#                                                                                ^^^^^ TL0315: `not-found` carries nothing
    next: other
  other:
    call: crm.find-citizen
    with: { phone: "1" }
    on: { ambiguous: { next: done, save: words }, fault.timed-out: done, else: don }
#                                        ^^^^^ TL0202: `words` is a string?, but this gives a u32
#                                                                              ^^^ TL0101: the flow `main` has no step `don`
    next: last
  last: { say: hello }
# ^^^^ TL0302: `last` does not say where it leads
  done: { end: completed, next: last }
#                               ^^^^ TL0310: this `next` of `done` is never taken
"##,
        );
    }

    #[test]
    fn otherwise_covers_all_but_its_own_step() {
        assert_findings(
            r##"
--- flows/main.yaml
flow: main
otherwise: human
start: find
steps:
  find: { call: crm.find-citizen, with: { phone: "1" }, next: human }
  human: { menu: hello, keys: { 1: done } }
# ^^^^^ TL0301: `human` does not say where `no-input`, `no-match` lead
  done: { end: completed }
"##,
        );
    }

    #[test]
    fn outcomes_of_flows_are_ways_out() {
        assert_findings(
            r##"
--- flows/main.yaml
flow: main
start: pay
steps:
  pay: { run: payment, on: { refused: done }, next: done }
# ^^^ TL0301: `pay` does not say where `too-late` lead
  done: { end: completed }
--- flows/payment.yaml
flow: payment
start: a
steps:
  a: { menu: hello, keys: { 1: b, 2: c, 3: d }, on: { else: d } }
  b: { end: refused }
  c: { end: too-late }
  d: { end: completed }
"##,
        );
    }
}
