//! flows/*.yaml without their steps.

use super::{
    fields::{Reader, Style},
    step, value,
};
use crate::{
    diagnostics::{Code, Finding},
    source::{Span, Word},
    syntax::{AnywhereSyntax, FlowSyntax, VarSyntax},
    yaml::{Kind, Node},
};

/// Reads a flow; none when it has no name.
pub(super) fn flow(reader: &Reader<'_>, root: &Node, start: Span) -> Option<FlowSyntax> {
    let mut fields = reader.fields(root, "a flow", start);
    let name = fields.need_word(reader, "flow", "main");
    if let Some(name) = &name {
        reader.name(name, "a flow", Style::Kebab);
    }
    let span = name.as_ref().map_or(start, |name| name.span);
    fields.span = span;
    let _title = fields.word(reader, "title");
    let inputs = declarations(reader, fields.take("inputs"), "`inputs`", "an input");
    let outputs = declarations(reader, fields.take("outputs"), "`outputs`", "an output");
    let vars = fields
        .take("vars")
        .map(|node| vars(reader, node))
        .unwrap_or_default();
    let otherwise = fields.word(reader, "otherwise");
    let anywhere = fields
        .take("anywhere")
        .map(|node| anywhere(reader, node))
        .unwrap_or_default();
    let on_hangup = fields.word(reader, "on-hangup");
    let starts_on = fields.word(reader, "starts-on");
    let steps = fields.need(
        reader,
        "steps",
        "{ welcome: { say: welcome, next: done }, done: { end: completed } }",
    );
    let steps: Vec<_> = steps
        .map(|node| reader.entries(node, "`steps`"))
        .unwrap_or_default()
        .iter()
        .map(|entry| step::step(reader, entry))
        .collect();
    let first = steps.first().map_or("welcome", |step| step.name.as_str());
    let start = fields.need_word(reader, "start", first);
    fields.finish(reader);
    Some(FlowSyntax {
        name: name?,
        inputs,
        outputs,
        vars,
        otherwise,
        anywhere,
        on_hangup,
        starts_on,
        start,
        steps,
    })
}

/// `name: type` lines.
fn declarations(reader: &Reader<'_>, node: Option<&Node>, field: &str, what: &str) -> Vec<(Word, Word)> {
    let mut declared = Vec::new();
    for entry in node.map(|node| reader.entries(node, field)).unwrap_or_default() {
        if let Kind::Mapping(_) = entry.value.kind {
            reader.report(
                Finding::new(
                    Code::WrongShape,
                    entry.value.span,
                    format!("{what} is its name and its type, and no more"),
                )
                .help(format!(
                    "write `{}: string`; only variables have more",
                    entry.key.as_str()
                )),
            );
            // Its name is known all the same, so that what uses it is not blamed.
            let mut fields = reader.fields(&entry.value, what, entry.key.span);
            if let Some(ty) = fields.word(reader, "type") {
                declared.push((entry.key.clone(), ty));
            }
        } else if let Some(ty) = reader.word(&entry.value, &format!("the type of `{}`", entry.key.as_str())) {
            declared.push((entry.key.clone(), ty));
        }
    }
    for (name, _) in &declared {
        reader.name(name, what, Style::Snake);
    }
    declared
}

fn vars(reader: &Reader<'_>, node: &Node) -> Vec<VarSyntax> {
    let mut vars = Vec::new();
    for entry in reader.entries(node, "`vars`") {
        reader.name(&entry.key, "a variable", Style::Snake);
        let name = entry.key.clone();
        if let Kind::Mapping(_) = entry.value.kind {
            let mut fields = reader.fields(&entry.value, "a variable", name.span);
            let ty = fields.need_word(reader, "type", "string");
            let is = fields.take("is").and_then(|node| value::value(reader, node));
            let label = fields.word(reader, "label");
            fields.finish(reader);
            vars.push(VarSyntax { name, ty, is, label });
        } else {
            let what = format!("the type of `{}`", name.as_str());
            let ty = reader.word(&entry.value, &what);
            vars.push(VarSyntax {
                name,
                ty,
                is: None,
                label: None,
            });
        }
    }
    vars
}

fn anywhere(reader: &Reader<'_>, node: &Node) -> AnywhereSyntax {
    let mut fields = reader.fields(node, "`anywhere`", node.span);
    let keys = fields
        .take("keys")
        .map(|node| reader.words(node, "`keys`"))
        .unwrap_or_default();
    let words = fields
        .take("words")
        .map(|node| reader.words(node, "`words`"))
        .unwrap_or_default();
    fields.finish(reader);
    if keys.is_empty() && words.is_empty() {
        reader.report(
            Finding::new(
                Code::MissingField,
                node.span,
                "`anywhere` has neither keys nor words",
            )
            .help("give it some, like `anywhere: { keys: { \"0\": human } }`, or leave it out"),
        );
    }
    AnywhereSyntax { keys, words }
}
