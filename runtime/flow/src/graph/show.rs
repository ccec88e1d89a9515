//! What is written of a step: the heart of what it does, in one line.

use std::collections::BTreeMap;

use super::ways::FAULTS;
use crate::{
    Expression,
    step::{Part, Prompt, Record, Step, Target, Template, TicketAction, TransferTo, Verb},
};

/// The text of a template as an author wrote it, but for what it prints, which is `…` here.
fn said(template: &Template) -> String {
    let mut text = String::new();
    for part in &template.parts {
        if let Part::Text(part) = part {
            text.push_str(part);
        } else {
            text.push('…');
        }
    }
    text
}

fn prompt(prompt: &Prompt, language: &str) -> String {
    prompt
        .text(language)
        .map(|(_, template)| said(template))
        .unwrap_or_default()
}

/// What a step is about: its prompt, the function it calls, the queue, the condition.
pub(crate) fn about(step: &Step, language: &str) -> String {
    let function = |full: &str| full.rsplit(['#', '/']).next().unwrap_or(full).to_owned();
    let call = |call: &crate::step::Call| format!("{}.{}", call.plugin, function(call.function.as_str()));
    match &step.verb {
        Verb::Say(say) => prompt(&say.prompt, language),
        Verb::Menu(menu) => prompt(&menu.prompt, language),
        Verb::Ask(ask) => prompt(&ask.prompt, language),
        Verb::Call(one) => call(one),
        Verb::Together(together) => {
            let calls: Vec<String> = together.branches.iter().map(|(_, one)| call(one)).collect();
            calls.join(" + ")
        }
        Verb::Choose(_) => String::new(),
        Verb::Set(set) => {
            let one = |(target, value): &(Target, Expression)| {
                let name = match target {
                    Target::Variable(name) => name.as_str(),
                    Target::Language => "language",
                };
                format!("{name} = {}", value.source())
            };
            set.assignments.iter().map(one).collect::<Vec<_>>().join(", ")
        }
        Verb::Run(run) => run.flow.to_string(),
        Verb::Queue(queue) => format!("{}, at most {}", queue.queue, queue.max),
        Verb::Transfer(transfer) => match &transfer.to {
            TransferTo::Address(to) => to.source().to_owned(),
            TransferTo::Agent(to) => format!("agent {}", to.source()),
            TransferTo::Hotline(to) => format!("hotline {}", to.source()),
        },
        Verb::Callback(callback) => format!("{}, within {}", callback.queue, callback.within),
        Verb::Survey(survey) => survey.survey.to_string(),
        Verb::Ticket(ticket) => match &ticket.action {
            TicketAction::Open { class } => format!("open {class}"),
            TicketAction::Update { number } => format!("update {}", number.source()),
            TicketAction::LookUp { number: Some(number) } => format!("look up {}", number.source()),
            TicketAction::LookUp { number: None } => "look up the caller's latest".to_owned(),
        },
        Verb::Notify(notify) => format!("{}: {}", notify.channel, prompt(&notify.prompt, language)),
        Verb::Record(record) => match record {
            Record::Start { .. } => "start".to_owned(),
            Record::Stop => "stop".to_owned(),
            Record::Pause => "pause".to_owned(),
            Record::Resume => "resume".to_owned(),
            Record::Message { prompt: said, .. } => prompt(said, language),
        },
        Verb::Wait(wait) => match &wait.event {
            Some(event) => format!("for {event}, at most {}", wait.time),
            None => wait.time.to_string(),
        },
        Verb::End(end) => end.outcome.to_string(),
    }
}

/// A condition as a line says it: without its `${ }`, and without the `has(…)` that only make the
/// rest of it possible.
pub(super) fn condition(condition: &Expression) -> String {
    let source = condition.source().trim();
    let inner = source
        .strip_prefix("${")
        .and_then(|source| source.strip_suffix('}'))
        .unwrap_or(source)
        .trim();
    let telling: Vec<&str> = inner
        .split("&&")
        .map(str::trim)
        .filter(|part| !(part.starts_with("has(") && part.find(')') == Some(part.len() - 1)))
        .collect();
    // A `||` at the top would no longer be what was written.
    if telling.is_empty() || inner.contains("||") {
        inner.to_owned()
    } else {
        telling.join(" && ")
    }
}

/// Takes names of exits apart: all faults of a call together become `fault`, and what is not a
/// fault stays as it is.
pub(crate) fn faults(names: &[&str]) -> (Vec<String>, Vec<String>) {
    let mut by_branch: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut others = Vec::new();
    for name in names {
        match name.split_once("fault.") {
            Some((branch, _)) if branch.is_empty() || branch.ends_with('.') => {
                by_branch.entry(branch).or_default().push(name);
            }
            _ => others.push((*name).to_owned()),
        }
    }
    let mut faults = Vec::new();
    for (branch, names) in by_branch {
        if names.len() == FAULTS {
            faults.push(format!("{branch}fault"));
        } else {
            faults.extend(names.iter().map(|name| (*name).to_owned()));
        }
    }
    (faults, others)
}
