//! Values, prompts and ways out, as steps write them.

use super::fields::Reader;
use crate::{
    diagnostics::{Code, Finding},
    source::Word,
    syntax::{ExitSyntax, PromptSyntax, ValueKind, ValueSyntax},
    yaml::{Kind, Node},
};

/// A value: a plain one, a list or a mapping. Nothing at all is reported.
pub(super) fn value(reader: &Reader<'_>, node: &Node) -> Option<ValueSyntax> {
    let kind = match &node.kind {
        Kind::Scalar { .. } if node.is_empty() => {
            reader.report(
                Finding::new(Code::WrongShape, node.span, "a value is missing here")
                    .help("write it after the colon; an empty text is \"\""),
            );
            return None;
        }
        Kind::Scalar { text, .. } => ValueKind::Scalar(text.clone()),
        Kind::Sequence(nodes) => {
            ValueKind::List(nodes.iter().filter_map(|node| value(reader, node)).collect())
        }
        Kind::Mapping(entries) => ValueKind::Map(
            entries
                .iter()
                .filter_map(|entry| Some((entry.key.clone(), value(reader, &entry.value)?)))
                .collect(),
        ),
    };
    Some(ValueSyntax {
        span: node.span,
        kind,
    })
}

/// Named values: `with`, `set`, `outputs`.
pub(super) fn values(reader: &Reader<'_>, node: &Node, what: &str) -> Vec<(Word, ValueSyntax)> {
    reader
        .entries(node, what)
        .iter()
        .filter_map(|entry| Some((entry.key.clone(), value(reader, &entry.value)?)))
        .collect()
}

/// What is said: a prompt's key, or texts by language.
pub(super) fn prompt(reader: &Reader<'_>, node: &Node, what: &str) -> Option<PromptSyntax> {
    match &node.kind {
        Kind::Mapping(_) => Some(PromptSyntax::Inline {
            span: node.span,
            texts: reader.words(node, what),
        }),
        Kind::Scalar { .. } | Kind::Sequence(_) => reader.word(node, what).map(PromptSyntax::Key),
    }
}

/// Ways out: `on: { not-found: step, ambiguous: { next: step, save: count } }`.
pub(super) fn exits(reader: &Reader<'_>, node: &Node) -> Vec<ExitSyntax> {
    let mut exits = Vec::new();
    for entry in reader.entries(node, "`on`") {
        let name = entry.key.clone();
        let exit = if let Kind::Mapping(_) = entry.value.kind {
            let mut fields = reader.fields(&entry.value, "a way out", name.span);
            let next = fields.need_word(reader, "next", "sorry");
            let save = fields.word(reader, "save");
            if let Some(say) = fields.entry("say") {
                reader.report(
                    Finding::new(Code::UnknownField, say.key.span, "a way out says nothing itself")
                        .help("let it lead to a `say` step"),
                );
                fields.take("say");
            }
            fields.finish(reader);
            ExitSyntax { name, next, save }
        } else {
            let next = reader.word(&entry.value, &format!("the step of `{}`", name.as_str()));
            ExitSyntax {
                name,
                next,
                save: None,
            }
        };
        exits.push(exit);
    }
    exits
}
