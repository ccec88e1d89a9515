//! Prompt tables and calendars.

use std::sync::Arc;

use super::fields::{Reader, Style};
use crate::{
    source::{Span, Word},
    syntax::{CalendarSyntax, PromptTable},
    yaml::{Document, Node},
};

pub(super) fn prompts(
    reader: &Reader<'_>,
    language: Arc<str>,
    document: &Document,
    start: Span,
) -> PromptTable {
    let prompts = document
        .root
        .as_ref()
        .map(|root| reader.words(root, "a table of prompts"))
        .unwrap_or_default();
    if document.whole {
        for (key, _) in &prompts {
            reader.name(key, "a prompt", Style::Kebab);
        }
    }
    PromptTable {
        language,
        span: start,
        prompts,
        whole: document.whole,
    }
}

pub(super) fn calendar(reader: &Reader<'_>, root: &Node, start: Span) -> Option<CalendarSyntax> {
    let mut fields = reader.fields(root, "a calendar", start);
    let name = fields.need_word(reader, "calendar", "office");
    if let Some(name) = &name {
        reader.name(name, "a calendar", Style::Kebab);
    }
    let open = fields.need(reader, "open", "{ monday: [\"08:30-17:30\"] }");
    let open: Vec<(Word, Vec<Word>)> = open
        .map(|node| reader.entries(node, "`open`"))
        .unwrap_or_default()
        .iter()
        .map(|entry| {
            let what = format!("`{}`", entry.key.as_str());
            (entry.key.clone(), reader.plain_list(&entry.value, &what))
        })
        .collect();
    let holidays = fields
        .take("holidays")
        .map(|node| reader.plain_list(node, "`holidays`"))
        .unwrap_or_default();
    let workdays = fields
        .take("workdays")
        .map(|node| reader.words(node, "`workdays`"))
        .unwrap_or_default();
    let _title = fields.word(reader, "title");
    fields.finish(reader);
    Some(CalendarSyntax {
        name: name?,
        open,
        holidays,
        workdays,
    })
}
