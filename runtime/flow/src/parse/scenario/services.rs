//! `services` of a scenario: what queues, transfers, ring-backs and the like answer.

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
    ("transfer", &["served", "busy", "no-answer", "failed"]),
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
        for word in &words {
            if !known.is_empty() && !known.contains(&word.as_str()) {
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
