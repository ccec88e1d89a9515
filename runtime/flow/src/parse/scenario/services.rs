//! `services` of a scenario: what queues, transfers, ring-backs and the like answer.

use trunkline_model::Duration;

use super::{World, no_such_value};
use crate::{
    diagnostics::{Code, Finding, did_you_mean},
    expression::QueueField,
    parse::fields::Reader,
    scenario::ServiceMock,
    source::Word,
    yaml::{Kind, Node},
};

/// The services that are named as they are, and what each may be told to answer.
const SERVICES: [(&str, &[&str]); 6] = [
    ("transfer", &["rings", "served", "busy", "no-answer", "failed"]),
    ("callback", &["booked", "duplicate", "refused"]),
    ("ticket", &["done", "duplicate", "refused"]),
    ("notify", &["sent", "failed"]),
    ("survey", &["stored", "failed"]),
    ("record", &["done", "declined", "failed"]),
];

/// What a queue may be told to answer.
const QUEUE: &[&str] = &["waits", "served", "full", "closed", "no-agents", "failed"];

pub(super) fn services(reader: &Reader<'_>, world: &World<'_>, node: &Node) -> Vec<ServiceMock> {
    let mut mocks = Vec::new();
    for entry in reader.entries(node, "`services`") {
        let Some(known) = known(reader, world, &entry.key) else {
            continue;
        };
        let what = format!("`{}`", entry.key.as_str());
        let (words, repeated) = match &entry.value.kind {
            Kind::Sequence(_) => (reader.plain_list(&entry.value, &what), false),
            Kind::Scalar { .. } | Kind::Mapping(_) => {
                (reader.word(&entry.value, &what).into_iter().collect(), true)
            }
        };
        if words.is_empty() && matches!(entry.value.kind, Kind::Sequence(_)) {
            reader.report(
                Finding::new(
                    Code::WrongShape,
                    entry.value.span,
                    format!("{what} has no answer"),
                )
                .help("name what it answers, one after the other"),
            );
        }
        for word in &words {
            if known.is_empty() {
                reading(reader, &entry.key, word);
            } else if !known.contains(&word.as_str()) {
                let message = format!("{what} cannot be told `{}`", word.as_str());
                no_such_value(reader, word, &message, known);
            }
        }
        mocks.push(ServiceMock {
            service: entry.key.value.clone(),
            answers: words.into_iter().map(|word| word.value).collect(),
            repeated,
        });
    }
    mocks
}

/// How a queue is to be read: a count, or how long the wait is.
fn reading(reader: &Reader<'_>, name: &Word, value: &Word) {
    let (fits, wanted) = if name.as_str().ends_with(".wait") {
        (
            value.as_str().parse::<Duration>().is_ok(),
            "a length of time like `3m`",
        )
    } else {
        (value.as_str().parse::<u32>().is_ok(), "a number like `12`")
    };
    if !fits {
        let message = format!("`{}` is {wanted}, not `{}`", name.as_str(), value.as_str());
        reader.report(Finding::new(Code::BadLiteral, value.span, message));
    }
}

/// The answers that a service may be told; empty for what takes a number or a time.
fn known(reader: &Reader<'_>, world: &World<'_>, name: &Word) -> Option<&'static [&'static str]> {
    if let Some((_, answers)) = SERVICES.iter().find(|(service, _)| *service == name.as_str()) {
        return Some(answers);
    }
    let queues: Vec<String> = world
        .hotline
        .queues
        .keys()
        .map(|queue| format!("queue.{queue}"))
        .collect();
    if queues.iter().any(|queue| queue == name.as_str()) {
        return Some(QUEUE);
    }
    let readable = [QueueField::Waiting, QueueField::Wait, QueueField::Agents];
    let is_reading = queues.iter().any(|queue| {
        readable
            .iter()
            .any(|field| format!("{queue}.{}", field.as_str()) == name.as_str())
    });
    if is_reading {
        return Some(&[]);
    }
    let names = SERVICES.iter().map(|(service, _)| *service);
    reader.report(
        Finding::new(
            Code::UnknownName,
            name.span,
            format!("there is no service `{}`", name.as_str()),
        )
        .help_if(did_you_mean(
            "there are",
            name.as_str(),
            names.chain(queues.iter().map(String::as_str)),
        )),
    );
    None
}
