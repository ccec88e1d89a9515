//! Ways out: every one that a step can take leads somewhere.

use std::{collections::BTreeMap, sync::Arc};

use trunkline_model::{FaultKind, Type, signature::Signature};

use super::{flow::FlowView, mends};
use crate::{
    diagnostics::{Code, Finding, did_you_mean, one_of},
    source::Word,
    syntax::{ExitSyntax, RecordSyntax, StepSyntax, VerbSyntax},
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

/// What a step may come out by besides `next`.
enum Outs {
    Known(Vec<Out>),
    /// The function or flow is not known, which has been reported.
    Unknown,
}

/// One way out.
struct Out {
    name: Arc<str>,
    /// What it carries.
    payload: Option<Type>,
    /// The words of `on` that stand for it, the nearest first: its own name, then the groups
    /// it belongs to.
    words: Vec<Arc<str>>,
    /// The group of its faults, if it is a fault: `fault`, or `branch.fault`.
    faults: Option<Arc<str>>,
}

impl Out {
    fn plain(name: Arc<str>, payload: Option<Type>) -> Self {
        Self {
            words: vec![name.clone(), "else".into()],
            name,
            payload,
            faults: None,
        }
    }
}

/// The ways out of a call, or of a branch of `together`. What a branch says of itself comes
/// before what is said of all.
fn outs_of_call(signature: &Signature, branch: Option<&str>) -> Vec<Out> {
    let inside = |name: &str| -> Arc<str> {
        match branch {
            Some(branch) => format!("{branch}.{name}").into(),
            None => name.into(),
        }
    };
    let groups = |own: &[&str], all: &[&str]| -> Vec<Arc<str>> {
        let own = own.iter().map(|name| inside(name));
        match branch {
            Some(_) => own.chain(all.iter().map(|&name| name.into())).collect(),
            None => own.collect(),
        }
    };
    let cases = signature.error_cases().into_iter().map(|(name, payload)| Out {
        name: inside(&name),
        payload: payload.cloned(),
        words: groups(&[&*name, "else"], &["else"]),
        faults: None,
    });
    let faults = FaultKind::ALL.iter().map(|kind| {
        let name = format!("fault.{kind}");
        Out {
            name: inside(&name),
            payload: None,
            words: groups(&[&*name, "fault", "else"], &["fault", "else"]),
            faults: Some(inside("fault")),
        }
    });
    cases.chain(faults).collect()
}

fn outs(view: &FlowView<'_, '_>, step: usize) -> Outs {
    let names = |names: &[&str]| {
        let outs = names.iter().map(|&name| Out::plain(name.into(), None));
        Outs::Known(outs.collect())
    };
    match &view.steps[step].verb {
        VerbSyntax::Menu(_) => names(&["no-input", "no-match"]),
        VerbSyntax::Ask(_) => names(&["no-input", "invalid"]),
        VerbSyntax::Call(_) => match view.signatures[step] {
            None => Outs::Unknown,
            Some(signature) => Outs::Known(outs_of_call(signature, None)),
        },
        VerbSyntax::Together(together) => {
            let mut outs = Vec::new();
            for ((branch, _), signature) in together.branches.iter().zip(view.branches(step)) {
                match signature {
                    Some(signature) => outs.extend(outs_of_call(signature, Some(branch.as_str()))),
                    None => return Outs::Unknown,
                }
            }
            Outs::Known(outs)
        }
        VerbSyntax::Run { flow, .. } => match view.world.flows.get(&flow.value) {
            Some(head) if !head.opaque => Outs::Known(
                head.outcomes
                    .keys()
                    .filter(|name| &***name != "completed")
                    .map(|name| Out::plain(name.clone(), None))
                    .collect(),
            ),
            _ => Outs::Unknown,
        },
        VerbSyntax::Queue(_) => names(&["timeout", "full", "closed", "no-agents", "failed"]),
        VerbSyntax::Transfer(_) => names(&["busy", "no-answer", "failed"]),
        VerbSyntax::Callback(_) | VerbSyntax::Ticket(_) => names(&["duplicate", "refused"]),
        VerbSyntax::Survey(_) => names(&["declined", "failed"]),
        VerbSyntax::Notify(_) => names(&["failed"]),
        VerbSyntax::Record(RecordSyntax::Start { consent: Some(_) } | RecordSyntax::Message(_)) => {
            names(&["declined"])
        }
        VerbSyntax::Wait { event: Some(_), .. } => names(&["timeout"]),
        VerbSyntax::Say { .. }
        | VerbSyntax::Choose(_)
        | VerbSyntax::Set(_)
        | VerbSyntax::Record(_)
        | VerbSyntax::Wait { event: None, .. }
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
    let mut missing: Vec<&Out> = Vec::new();
    for out in &outs {
        let exit = out.words.iter().find_map(|word| written.get(&**word));
        let to = match exit {
            Some(exit) => exit.next.as_ref().and_then(|word| view.target(word)),
            None if covered(step) && !itself => otherwise,
            None => None,
        };
        match (exit, to) {
            (_, Some(to)) => wired.exits.push(Exit {
                name: out.name.clone(),
                to,
                save: exit.and_then(|exit| exit.save.as_ref()),
                payload: out.payload.clone(),
            }),
            (Some(_), None) => wired.complete = false,
            (None, None) => missing.push(out),
        }
    }
    // A name that cannot be resolved in `otherwise` is said once, there.
    let unresolved = view.head.syntax.otherwise.is_some() && otherwise.is_none();
    if !missing.is_empty() {
        wired.complete = false;
        if !unresolved || !covered(step) {
            unwired(view, step, &outs, &missing, itself);
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

/// The names that stand for ways out, as few as there can be: all faults of a call are
/// `fault`, and those of all branches, too.
fn in_short(outs: &[Out], missing: &[&Out]) -> Vec<Arc<str>> {
    let whole = |group: &Arc<str>| {
        let of = |out: &&Out| out.faults.as_ref() == Some(group);
        outs.iter().filter(of).count() == missing.iter().copied().filter(of).count()
    };
    let mut names: Vec<Arc<str>> = Vec::new();
    let all = missing.iter().filter(|out| out.faults.is_some()).count();
    let all = all > 0 && all == outs.iter().filter(|out| out.faults.is_some()).count();
    for out in missing {
        let name = match &out.faults {
            Some(_) if all => continue,
            Some(group) if whole(group) => group,
            _ => &out.name,
        };
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    if all {
        names.push("fault".into());
    }
    names
}

fn unwired(view: &FlowView<'_, '_>, step: &StepSyntax, outs: &[Out], missing: &[&Out], itself: bool) {
    let names = in_short(outs, missing);
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
            "`{}` does not say where {} {}",
            step.name.as_str(),
            one_of(names.iter().map(|name| &**name)),
            if names.len() == 1 { "leads" } else { "lead" },
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
    let goes_on = step.verb.goes_on();
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
    outs: &[Out],
    written: &BTreeMap<&str, &ExitSyntax>,
) {
    let name = exit.name.as_str();
    let stands_for = |out: &&Out| out.words.iter().any(|word| &**word == name);
    let exists = outs.iter().any(|out| stands_for(&out));
    let taken = outs.iter().filter(stands_for).any(|out| {
        let nearest = out.words.iter().find(|word| written.contains_key(&***word));
        nearest.is_some_and(|word| &**word == name)
    });
    if exists && !taken {
        view.world.report(
            Finding::new(
                Code::NeverTaken,
                exit.name.span,
                format!("`{name}` is never taken: every way out is wired by its name"),
            )
            .help("leave it out"),
        );
    }
    if !exists {
        let help = if outs.is_empty() {
            Some("it has no way out but `next`".to_owned())
        } else {
            // Kinds of faults are named only to one who names them.
            let named = name.contains("fault.");
            let known = outs.iter().filter(|out| named || out.faults.is_none());
            let groups = outs.iter().flat_map(|out| out.words.iter().skip(1));
            let shown = known.map(|out| &*out.name).chain(groups.map(|group| &**group));
            did_you_mean("it has", name, shown)
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

fn check_save(view: &FlowView<'_, '_>, exit: &ExitSyntax, save: &Word, outs: &[Out], exists: bool) {
    let variable = super::verbs::variable(view, save);
    let payload = outs
        .iter()
        .find(|out| out.name == exit.name.value)
        .and_then(|out| out.payload.as_ref());
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

    #[test]
    fn branches_name_their_ways_out() {
        assert_findings(
            r##"
--- flows/main.yaml
flow: main
vars: { citizen: crm.citizen?, count: u32?, mood: sentiment.mood? }
start: both
steps:
  both:
# ^^^^ TL0301: `both` does not say where `a.not-found`, `a.ambiguous`, `b.fault` lead
    together:
      a: { call: crm.find-citizen, with: { phone: "1" }, save: citizen }
      b: { call: sentiment.score, with: { text: "1" }, save: mood }
    on: { a.unreachable: again, a.fault: again, a.fault.trap: done, notfound: done, b.falt: done }
#                                                                   ^^^^^^^^ TL0303: `both` has no way out `notfound`
#                                                                                   ^^^^^^ TL0303: `both` has no way out `b.falt`
    next: again
  again:
    together:
      a: { call: crm.find-citizen, with: { phone: "1" } }
      b: { call: sentiment.score, with: { text: "1" } }
    on: { a.ambiguous: { next: last, save: count }, a.else: done, b.fault: done, fault: done, else: done }
#                                                                                ^^^^^ TL0310: `fault` is never taken
#                                                                                             ^^^^ TL0310: `else` is never taken
    next: last
  last:
# ^^^^ TL0301: `last` does not say where `a.not-found`, `a.ambiguous`, `a.unreachable`, `fault` lead
    together:
      a: { call: crm.find-citizen, with: { phone: "1" } }
      b: { call: sentiment.score, with: { text: "1" } }
    next: done
  done: { end: completed }
"##,
        );
    }

    #[test]
    fn services_have_ways_out_of_their_own() {
        assert_findings(
            r##"
--- hotline.yaml
hotline: test
languages: [zh-CN, en]
time-zone: Asia/Shanghai
numbers: { "12345": { flow: main } }
queues: { general: {} }
--- surveys/csat.yaml
survey: csat
kind: csat
questions: [{ name: score, ask: hello, answer: number, min: 1, max: 5 }]
--- tickets/noise.yaml
ticket: noise
department: environment
deadline: 2h
--- flows/main.yaml
flow: main
otherwise: done
vars: { message: string? }
start: wait
steps:
  wait: { queue: general, next: hand-over }
# ^^^^ TL0301: `wait` does not say where `timeout`, `full`, `closed`, `no-agents`, `failed` lead
  hand-over: { transfer: "110", on: { busy: ring, no-anser: ring }, next: ring }
# ^^^^^^^^^ TL0301: `hand-over` does not say where `no-answer`, `failed` lead
#                                                 ^^^^^^^^ TL0303: `hand-over` has no way out `no-anser`
  ring: { callback: { within: 30m, queue: general }, on: { refused: rate }, next: rate }
# ^^^^ TL0301: `ring` does not say where `duplicate` lead
  rate: { survey: csat, next: note }
# ^^^^ TL0301: `rate` does not say where `declined`, `failed` lead
  note: { ticket: open, class: noise, on: { else: tell }, next: tell }
  tell: { notify: { say: hello }, next: record }
# ^^^^ TL0301: `tell` does not say where `failed` lead
  record: { record: start, on: { declined: take }, next: take }
#                                ^^^^^^^^ TL0303: `record` has no way out `declined`
  take: { record: { message: hello, save: message }, next: sleep }
# ^^^^ TL0301: `take` does not say where `declined` lead
  sleep: { wait: { for: ticket.closed, max: 7d }, next: done }
# ^^^^^ TL0301: `sleep` does not say where `timeout` lead
  done: { end: completed }
"##,
        );
    }
}
