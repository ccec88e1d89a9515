//! Mends that write into the files: a way out that is wired, a prompt that is added or taken
//! away. None of them is surely what was meant.

use std::sync::Arc;

use super::{flow::FlowView, prompts::Prompts, world::World};
use crate::{
    diagnostics::Mend,
    source::{Files, Span, Word},
    syntax::{StepSyntax, VerbSyntax},
};

/// Leads ways out that lead nowhere to the likeliest step: the flow's `otherwise`, where
/// another way out of the step leads, or where the flow ends.
pub(super) fn wire(
    view: &FlowView<'_, '_>,
    step: &StepSyntax,
    names: &[Arc<str>],
    itself: bool,
) -> Option<Mend> {
    let files = view.world.files;
    let otherwise = view.head.syntax.otherwise.as_ref().filter(|_| !itself);
    let wired = step.on.iter().find_map(|exit| exit.next.as_ref());
    let end = view
        .steps
        .iter()
        .find(|step| matches!(step.verb, VerbSyntax::End { .. }))
        .map(|step| &step.name);
    let target = otherwise.or(wired).or(end)?;
    let wiring: Vec<String> = names
        .iter()
        .map(|name| format!("{name}: {}", target.as_str()))
        .collect();
    let (span, text) = match step.on.first() {
        Some(first) => {
            let at = before(first.name.span);
            match line_start(files, first.name.span) {
                Some(indent) => (at, format!("{}\n{indent}", wiring.join(&format!("\n{indent}")))),
                None => (at, format!("{}, ", wiring.join(", "))),
            }
        }
        None => {
            let next = step.next.as_ref()?;
            let key = before_key(files, next)?;
            let on = format!("on: {{ {} }}", wiring.join(", "));
            match line_start(files, key) {
                Some(indent) => (after(next.span), format!("\n{indent}{on}")),
                None => (after(next.span), format!(", {on}")),
            }
        }
    };
    let title = match names {
        [name] => format!("lead `{name}` to `{}`", target.as_str()),
        _ => format!("lead them to `{}`", target.as_str()),
    };
    Some(Mend::new(title, vec![(span, text)]))
}

/// Adds an empty text for a prompt to a table, behind the text of the prompt that stands
/// before it in another language.
pub(super) fn translate(
    world: &World<'_>,
    prompts: &Prompts<'_>,
    key: &str,
    language: &str,
    there: Span,
) -> Option<Mend> {
    let at = prompts
        .neighbour(language, there)
        .map(|text| end_of_line(world.files, text.span))?;
    Some(Mend::new(
        format!("add `{key}` to prompts/{language}.yaml, with an empty text"),
        vec![(at, format!("\n{key}: \"\""))],
    ))
}

/// Adds a prompt to all tables, with empty texts.
pub(super) fn add_prompt(world: &World<'_>, prompts: &Prompts<'_>, key: &str) -> Option<Mend> {
    let mut edits = Vec::new();
    for language in &world.languages {
        let last = prompts.last(language)?;
        edits.push((end_of_line(world.files, last.span), format!("\n{key}: \"\"")));
    }
    Some(Mend::new(
        format!("add the prompt `{key}`, with empty texts"),
        edits,
    ))
}

/// Takes the lines of a prompt away, in all languages.
pub(super) fn remove_prompt<'w>(
    files: &Files,
    key: &str,
    texts: impl IntoIterator<Item = &'w Word>,
) -> Option<Mend> {
    let mut edits = Vec::new();
    for word in texts {
        let file = files.of(word.span);
        let bytes = word.span.bytes();
        let first = file.line_of(bytes.start);
        let written = file.text[first.clone()].trim_start_matches(['"', '\'']);
        if !written.starts_with(key) {
            return None;
        }
        let last = file.line_of(bytes.end);
        let end = (last.end + 1).min(file.text.len());
        edits.push((
            Span::new(word.span.file as usize, first.start..end),
            String::new(),
        ));
    }
    Some(Mend::new(format!("take the prompt `{key}` away"), edits))
}

const fn before(span: Span) -> Span {
    Span {
        end: span.start,
        ..span
    }
}

const fn after(span: Span) -> Span {
    Span {
        start: span.end,
        ..span
    }
}

fn end_of_line(files: &Files, span: Span) -> Span {
    let end = files.of(span).line_of(span.bytes().end).end;
    Span::new(span.file as usize, end..end)
}

/// The indentation of a place, when it is the first on its line.
fn line_start(files: &Files, span: Span) -> Option<String> {
    let file = files.of(span);
    let start = span.bytes().start;
    let indent = &file.text[file.line_of(start).start..start];
    indent.chars().all(|c| c == ' ').then(|| indent.to_owned())
}

/// The place of the key that stands before a value on its line.
fn before_key(files: &Files, value: &Word) -> Option<Span> {
    let file = files.of(value.span);
    let start = value.span.bytes().start;
    let line = file.line_of(start).start;
    let key = file.text[line..start].rfind("next")?;
    Some(Span::new(value.span.file as usize, line + key..line + key))
}
