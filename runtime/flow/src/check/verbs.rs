//! Verbs as the engine runs them, each from what was written.

mod ask;
mod menu;
mod queue;
mod services;
mod together;

pub(super) use self::ask::answer;

use trunkline_model::{
    FlowName, Type, VariableName,
    limits::CALL_TIME_DEFAULT,
    signature::Signature,
    types::{Field, Record},
};

use super::{
    expressions::{Scribe, as_expression, fixed},
    flow::FlowView,
    hotline,
};
use crate::{
    diagnostics::{Code, Finding, did_you_mean},
    source::Word,
    step::{Call, Choose, End, Run, Say, Set, Target, Verb},
    syntax::{CallSyntax, ChooseSyntax, ValueKind, ValueSyntax, VerbSyntax},
};

/// A verb; none when something in it is wrong.
pub(super) fn lower(view: &FlowView<'_, '_>, index: usize, scribe: &Scribe<'_, '_, '_, '_>) -> Option<Verb> {
    let step = &view.steps[index];
    Some(match &step.verb {
        VerbSyntax::Say { prompt, notice } => Verb::Say(Say {
            prompt: scribe.prompt(prompt)?,
            notice: notice.as_ref().map(|notice| notice.value.clone()),
        }),
        VerbSyntax::Menu(menu) => Verb::Menu(menu::lower(view, index, menu, scribe)?),
        VerbSyntax::Ask(ask) => Verb::Ask(ask::lower(view, ask, &step.name, scribe)?),
        VerbSyntax::Call(call) => Verb::Call(lower_call(view, view.signatures[index], call, scribe)?),
        VerbSyntax::Together(together) => {
            Verb::Together(together::lower(view, view.branches(index), together, scribe)?)
        }
        VerbSyntax::Choose(choose) => Verb::Choose(lower_choose(view, choose, scribe)?),
        VerbSyntax::Set(assignments) => Verb::Set(lower_set(view, assignments, scribe)?),
        VerbSyntax::Run { flow, with, save } => Verb::Run(lower_run(view, flow, with, save, scribe)?),
        VerbSyntax::Queue(queue) => Verb::Queue(queue::lower(view, queue, scribe)?),
        VerbSyntax::Transfer(transfer) => Verb::Transfer(services::transfer(view, transfer, scribe)?),
        VerbSyntax::Callback(callback) => Verb::Callback(services::callback(view, callback, scribe)?),
        VerbSyntax::Survey(survey) => Verb::Survey(services::survey(view, survey)?),
        VerbSyntax::Ticket(ticket) => Verb::Ticket(services::ticket(view, ticket, scribe)?),
        VerbSyntax::Notify(notify) => Verb::Notify(services::notify(notify, scribe)?),
        VerbSyntax::Record(record) => Verb::Record(services::record(view, record, &step.name, scribe)?),
        VerbSyntax::Wait { time, event } => Verb::Wait(services::wait(view, *time, event.as_ref())?),
        VerbSyntax::End { outcome, outputs } => Verb::End(lower_end(view, outcome, outputs, scribe)?),
        VerbSyntax::Broken => return None,
    })
}

/// The type of a variable that is set; reports one that does not exist.
pub(super) fn variable<'v>(view: &'v FlowView<'_, '_>, word: &Word) -> Option<&'v Type> {
    let Some(ty) = view.head.variables.get(word.as_str()) else {
        let names = view.head.variables.keys().map(VariableName::as_str);
        let near = did_you_mean("there are", word.as_str(), names);
        view.world.report(
            Finding::new(
                Code::UnknownVariable,
                word.span,
                format!("the flow has no variable `{}`", word.as_str()),
            )
            .help_if(near)
            .help(format!("declare it under `vars`: `{}: …`", word.as_str())),
        );
        return None;
    };
    ty.as_ref()
}

/// Whether a variable can take a value as it comes; reports when not.
pub(super) fn saves(view: &FlowView<'_, '_>, word: &Word, wanted: &Type, given: &Type) -> bool {
    if wanted.accepts(given) && !changes(wanted, given) {
        return true;
    }
    view.world.report(
        Finding::new(
            Code::TypeMismatch,
            word.span,
            format!("`{}` is a {wanted}, but this gives a {given}", word.as_str()),
        )
        .help("save it in another variable, one declared with its type under `vars` (`plugin.type` for a plugin's)"),
    );
    false
}

/// Whether a value of one type is another value as one of a type that accepts it.
fn changes(wanted: &Type, given: &Type) -> bool {
    match (wanted, given) {
        (Type::Decimal, Type::Int(_)) => true,
        (Type::Option(wanted), given) if wanted.is_optional() => given != &Type::Option(wanted.clone()),
        (Type::Option(wanted), Type::Option(given)) => changes(wanted, given),
        (Type::Option(wanted), given) => changes(wanted, given),
        (Type::List(wanted), Type::List(given)) => changes(wanted, given),
        (Type::Tuple(wanted), Type::Tuple(given)) => wanted
            .iter()
            .zip(given.iter())
            .any(|(wanted, given)| changes(wanted, given)),
        (Type::Record(wanted), Type::Record(given)) => wanted.fields.iter().any(|field| {
            given
                .fields
                .iter()
                .any(|other| other.name == field.name && changes(&field.ty, &other.ty))
        }),
        _ => false,
    }
}

fn lower_call(
    view: &FlowView<'_, '_>,
    signature: Option<&Signature>,
    call: &CallSyntax,
    scribe: &Scribe<'_, '_, '_, '_>,
) -> Option<Call> {
    let save = call.save.as_ref().map(|word| (word, variable(view, word)));
    let meanwhile = call.meanwhile.as_ref().map(|prompt| scribe.prompt(prompt));
    let Some(signature) = signature else {
        // What is wrong in the values is said all the same.
        for (_, value) in &call.with {
            scribe.value(value, None);
        }
        return None;
    };
    let wanted: Vec<(&str, &Type)> = signature
        .parameters
        .iter()
        .map(|parameter| (&*parameter.name, &parameter.ty))
        .collect();
    let what = format!("`{}`", call.function.as_str());
    let named = scribe.named(&call.with, &wanted, call.function.span, &what);
    let mut fine = true;
    if let Some((word, ty)) = save {
        match (ty, &signature.ok) {
            (Some(ty), Some(ok)) => fine &= saves(view, word, ty, ok),
            (Some(_), None) => {
                fine = false;
                view.world.report(
                    Finding::new(
                        Code::NothingToSave,
                        word.span,
                        format!("{what} gives nothing that could be saved"),
                    )
                    .help("leave out `save`"),
                );
            }
            (None, _) => fine = false,
        }
    }
    let arguments = named?
        .into_iter()
        .zip(&signature.parameters)
        .map(|((name, node), parameter)| {
            let given = call.with.iter().any(|(word, _)| word.as_str() == name);
            given.then(|| as_expression(node, &parameter.ty))
        })
        .collect();
    let (plugin, _) = call.function.as_str().split_once('.')?;
    fine.then_some(())?;
    Some(Call {
        plugin: plugin.into(),
        function: signature.function.clone(),
        written: call.function.value.clone(),
        ok: signature.ok.clone(),
        errors: signature
            .error_cases()
            .into_iter()
            .map(|(name, payload)| (name, payload.cloned()))
            .collect(),
        arguments,
        save: call
            .save
            .as_ref()
            .map(|word| VariableName::new(word.value.clone())),
        time: call.time.unwrap_or(CALL_TIME_DEFAULT),
        retries: call.retries,
        meanwhile: match meanwhile {
            Some(prompt) => Some(prompt?),
            None => None,
        },
        at_most_once: call.at_most_once,
    })
}

fn lower_choose(
    view: &FlowView<'_, '_>,
    choose: &ChooseSyntax,
    scribe: &Scribe<'_, '_, '_, '_>,
) -> Option<Choose> {
    let mut branches = Vec::new();
    let mut fine = true;
    let mut known = scribe.knowing_nothing_more();
    for (when, next) in &choose.branches {
        // A branch is looked at only when those before it did not hold.
        match known.condition(when).zip(view.find(next)) {
            Some((condition, next)) => branches.push((condition, view.step_id(next))),
            None => fine = false,
        }
        known = known.knowing(when, false);
    }
    let otherwise = view.step_id(view.find(choose.otherwise.as_ref()?)?);
    fine.then_some(Choose { branches, otherwise })
}

fn lower_set(
    view: &FlowView<'_, '_>,
    assignments: &[(Word, ValueSyntax)],
    scribe: &Scribe<'_, '_, '_, '_>,
) -> Option<Set> {
    let mut lowered = Vec::new();
    let mut fine = true;
    let mut known = scribe.knowing_nothing_more();
    for (name, value) in assignments {
        if name.as_str() == "language" {
            match language(view, value, &known) {
                Some(expression) => lowered.push((Target::Language, expression)),
                None => fine = false,
            }
            continue;
        }
        let ty = variable(view, name);
        let Some(valued) = known.value(value, ty) else {
            fine = false;
            known = known.after_setting(name.as_str(), true);
            continue;
        };
        known = known.after_setting(name.as_str(), !valued.given.is_optional());
        fine &= ty.is_some();
        lowered.push((
            Target::Variable(VariableName::new(name.value.clone())),
            valued.expression,
        ));
    }
    fine.then_some(Set { assignments: lowered })
}

/// `set: { language: en }`
fn language(
    view: &FlowView<'_, '_>,
    value: &ValueSyntax,
    scribe: &Scribe<'_, '_, '_, '_>,
) -> Option<crate::expression::Expression> {
    if let ValueKind::Scalar(text) = &value.kind
        && !text.contains("${")
    {
        let word = Word::new(text.clone(), value.span);
        let language = hotline::language(view.world, &word)?;
        return Some(fixed(&word, &Type::String, language.clone().as_ref().into()));
    }
    scribe
        .value(value, Some(&Type::String))
        .map(|valued| valued.expression)
}

/// The type of `result` after a flow: a record of its outputs; none when it is not known.
pub(super) fn result_type(view: &FlowView<'_, '_>, flow: &Word) -> Option<Type> {
    let mut types = view.types.borrow_mut();
    types
        .entry(flow.value.clone())
        .or_insert_with(|| {
            let head = view.world.flows.get(&flow.value)?;
            let fields = head
                .outputs
                .iter()
                .map(|(name, ty)| {
                    Some(Field {
                        name: name.as_str().into(),
                        ty: ty.clone()?,
                    })
                })
                .collect::<Option<Vec<_>>>()?;
            let name = format!("result of {}", flow.as_str());
            Some(Type::Record(std::sync::Arc::new(Record {
                name: Some(name.into()),
                fields,
            })))
        })
        .clone()
}

fn lower_run(
    view: &FlowView<'_, '_>,
    flow: &Word,
    with: &[(Word, ValueSyntax)],
    save: &[(Word, ValueSyntax)],
    scribe: &Scribe<'_, '_, '_, '_>,
) -> Option<Run> {
    let result = result_type(view, flow);
    let mut fine = true;
    let mut saved = Vec::new();
    let results = scribe.with_result(result);
    for (name, value) in save {
        let ty = variable(view, name);
        match results.value(value, ty).zip(ty) {
            Some((valued, _)) => saved.push((VariableName::new(name.value.clone()), valued.expression)),
            None => fine = false,
        }
    }
    let Some(head) = view.world.flows.get(&flow.value) else {
        if !view.world.broken_flows.contains(&flow.value) {
            hotline::unknown_flow(view.world, flow);
        }
        for (_, value) in with {
            scribe.value(value, None);
        }
        return None;
    };
    let wanted: Vec<(&str, &Type)> = head
        .inputs
        .iter()
        .filter_map(|(name, ty)| Some((name.as_str(), ty.as_ref()?)))
        .collect();
    let readable = wanted.len() == head.inputs.len();
    let what = format!("the flow `{}`", flow.as_str());
    let inputs = if readable {
        scribe.named(with, &wanted, flow.span, &what)?
    } else {
        return None;
    };
    fine.then(|| Run {
        flow: FlowName::new(flow.value.clone()),
        inputs: inputs
            .into_iter()
            .zip(wanted)
            .map(|((name, node), (_, ty))| (VariableName::new(name), as_expression(node, ty)))
            .collect(),
        save: saved,
    })
}

fn lower_end(
    view: &FlowView<'_, '_>,
    outcome: &Word,
    outputs: &[(Word, ValueSyntax)],
    scribe: &Scribe<'_, '_, '_, '_>,
) -> Option<End> {
    if outcome.as_str() != "completed" {
        if let Some((name, _)) = outputs.first() {
            view.world.report(
                Finding::new(
                    Code::UnknownArgument,
                    name.span,
                    format!(
                        "only `end: completed` gives outputs, not `end: {}`",
                        outcome.as_str()
                    ),
                )
                .help("leave out `outputs`"),
            );
            return None;
        }
        return Some(End {
            outcome: outcome.value.clone(),
            outputs: Vec::new(),
        });
    }
    let wanted: Vec<(&str, &Type)> = view
        .head
        .outputs
        .iter()
        .filter_map(|(name, ty)| Some((name.as_str(), ty.as_ref()?)))
        .collect();
    let what = format!("the end of the flow `{}`", view.head.syntax.name.as_str());
    let lowered = scribe.named(outputs, &wanted, outcome.span, &what)?;
    Some(End {
        outcome: outcome.value.clone(),
        outputs: lowered
            .into_iter()
            .zip(wanted)
            .map(|((name, node), (_, ty))| (VariableName::new(name), as_expression(node, ty)))
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::harness::assert_findings;

    #[test]
    fn assignments_runs_and_ends_are_typed() {
        assert_findings(
            r##"
--- flows/main.yaml
flow: main
vars:
  n: { type: int, is: 1.5 }
#                     ^^^ TL0209: `1.5` is no int
  tags: { type: list<string>, is: [a, "${n}"] }
#                                        ^ TL0206: `n` is not set on every way here
#                                        ^ TL0202: this should be a string, not an int
  who: crm.citizzen?
#      ^^^^^^^^^^^^^ TL0110: the plugin `crm` has no type `citizzen`
  text: strin?
#       ^^^^^^ TL0110: `strin` is no type
  paid: bool?
start: set
steps:
  set: { set: { n: "${'a' + 'b'}", m: 1, language: fr, paid: maybe }, next: run }
#                     ^^^^^^^^^ TL0202: this should be an int, not a string
#                                  ^ TL0106: the flow has no variable `m`
#                                                  ^^ TL0111: the hotline has no language `fr`
#                                                            ^^^^^ TL0209: `maybe` is no bool
  run: { run: pay, with: { amount: "12.50", when: "${now.date}" }, save: { paid: "${result.payd}" }, next: again }
#                                                                                          ^^^^ TL0204: a result of pay has no field `payd`
  again: { run: pay, with: { who: "x" }, next: done }
#               ^^^ TL0210: the flow `pay` needs `amount`
#                            ^^^ TL0211: the flow `pay` has no `who`
  done: { end: completed, outputs: { a: b } }
#                                    ^ TL0211: the end of the flow `main` has no `a`
--- flows/pay.yaml
flow: pay
inputs: { amount: decimal, when: date? }
outputs: { paid: bool }
start: done
steps:
  done: { choose: [ { when: "${amount > 0}", next: yes }, { else: no } ] }
  yes: { end: completed, outputs: { paid: "${amount > 10}" } }
  no: { end: completed }
#            ^^^^^^^^^ TL0210: the end of the flow `pay` needs `paid`
"##,
        );
    }

    #[test]
    fn expressions_are_typed() {
        assert_findings(
            r##"
--- flows/main.yaml
flow: main
vars: { n: { type: int, is: 1 }, words: { type: string, is: 水 }, mood: sentiment.mood?, at: date? }
start: a
steps:
  a:
    choose:
      - { when: "${n == '1'}", next: b }
#                  ^^^^^^^^ TL0202: an int and a string cannot be compared like this
      - { when: "${has(mood) && mood.level in ['angry', 'anxius']}", next: b }
#                                                       ^^^^^^^^ TL0207: level has no case 'anxius'
      - { when: "${has(mood) && mood.levle == 'angry'}", next: b }
#                                    ^^^^^ TL0204: a mood has no field `levle`
      - { when: "${words.startWith('水')}", next: b }
#                        ^^^^^^^^^ TL0208: there is no function `startWith`
      - { when: "${now.hour}", next: b }
#                  ^^^^^^^^ TL0202: this should be a bool, not an int
      - { when: "${contact.calller == '1'}", next: b }
#                          ^^^^^^^ TL0203: a contact has no `calller`
      - { when: "${now.date >= '2026-13-01'}", next: b }
#                              ^^^^^^^^^^^^ TL0209: `2026-13-01` is no date
      - { when: "${now.weekday == 'sunday' && at < '2026-10-01'}", next: b }
      - { when: n > 1, next: b }
#               ^^^^^ TL0201: a condition is an expression
      - { when: "${n > }", next: b }
#                      ^ TL0201: a value should stand here, not the end
      - { when: "${n > 1", next: b }
#                ^^^^^^^ TL0213: to this `${` no `}` belongs
      - { when: "${words + n == 'a'}", next: b }
#                  ^^^^^^^^^ TL0202: `+` cannot stand between a string and an int
      - { when: "${mood.level == 'calm'}", next: b }
#                  ^^^^ TL0205: `mood` may be absent here
      - { when: "${queue.general.open}", next: b }
#                        ^^^^^^^ TL0801: there is no queue `general`
      - { when: "${feed.health.changed}", next: b }
#                  ^^^^ TL0902: `feed` is not in this version
      - { else: b }
  b: { end: completed }
"##,
        );
    }
}
