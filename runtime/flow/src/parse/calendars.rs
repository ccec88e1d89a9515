//! Calendars, and the iCalendar files that they import.

use std::sync::Arc;

use super::fields::{Reader, Style};
use crate::{
    calendar::icalendar,
    source::{File, Span, Word},
    syntax::{CalendarSyntax, ICalendarSyntax, ImportSyntax, IncludeSyntax},
    yaml::{Kind, Node},
};

pub(super) fn calendar(reader: &Reader<'_>, root: &Node, start: Span) -> Option<CalendarSyntax> {
    let mut fields = reader.fields(root, "a calendar", start);
    let name = fields.need_word(reader, "calendar", "office");
    if let Some(name) = &name {
        reader.name(name, "a calendar", Style::Kebab);
    }
    let open = fields.take("open").map(|node| {
        let entries = reader.entries(node, "`open`").iter();
        entries
            .map(|entry| {
                let what = format!("`{}`", entry.key.as_str());
                (entry.key.clone(), reader.plain_list(&entry.value, &what))
            })
            .collect()
    });
    let holidays = fields
        .take("holidays")
        .map(|node| holidays(reader, node))
        .unwrap_or_default();
    let workdays = fields
        .take("workdays")
        .map(|node| reader.words(node, "`workdays`"))
        .unwrap_or_default();
    let include = fields
        .take("include")
        .map(|node| {
            one_or_more(node)
                .iter()
                .filter_map(|node| include(reader, node))
                .collect()
        })
        .unwrap_or_default();
    let import = fields
        .take("import")
        .map(|node| {
            one_or_more(node)
                .iter()
                .filter_map(|node| import(reader, node))
                .collect()
        })
        .unwrap_or_default();
    let title = fields.word(reader, "title");
    let source = fields.word(reader, "source");
    let known_until = fields.word(reader, "known-until");
    fields.finish(reader);
    Some(CalendarSyntax {
        name: name?,
        title,
        source,
        known_until,
        include,
        import,
        open,
        holidays,
        workdays,
    })
}

/// An iCalendar file, by the name that `import` gives it.
pub(super) fn icalendar(reader: &Reader<'_>, index: usize, file: &File) -> (Arc<str>, ICalendarSyntax) {
    let name = file.path.rsplit('/').next().unwrap_or(&file.path);
    let events = icalendar::read(index, file, &mut reader.findings.borrow_mut());
    let span = Span::new(index, 0..0);
    (name.into(), ICalendarSyntax { span, events })
}

/// The parts of a list, or the one thing that stands in its place.
fn one_or_more(node: &Node) -> &[Node] {
    match &node.kind {
        Kind::Sequence(nodes) => nodes,
        Kind::Scalar { .. } | Kind::Mapping(_) => std::slice::from_ref(node),
    }
}

/// Days as a list, or with their names: `{ "2026-10-01": National Day }`.
fn holidays(reader: &Reader<'_>, node: &Node) -> Vec<(Word, Option<Word>)> {
    match &node.kind {
        Kind::Mapping(_) => reader
            .words(node, "`holidays`")
            .into_iter()
            .map(|(day, name)| (day, Some(name)))
            .collect(),
        Kind::Scalar { .. } | Kind::Sequence(_) => reader
            .plain_list(node, "`holidays`")
            .into_iter()
            .map(|day| (day, None))
            .collect(),
    }
}

/// A calendar's name, or `{ calendar: cn-2026, like: monday }`.
fn include(reader: &Reader<'_>, node: &Node) -> Option<IncludeSyntax> {
    if !matches!(node.kind, Kind::Mapping(_)) {
        let calendar = reader.word(node, "`include`")?;
        return Some(IncludeSyntax { calendar, like: None });
    }
    let mut fields = reader.fields(node, "`include`", node.span);
    let calendar = fields.need_word(reader, "calendar", "cn-2026");
    let like = fields.word(reader, "like");
    fields.finish(reader);
    Some(IncludeSyntax {
        calendar: calendar?,
        like,
    })
}

/// A file's name, or `{ file: holidays.ics, workdays-if: 班, like: monday }`.
fn import(reader: &Reader<'_>, node: &Node) -> Option<ImportSyntax> {
    if !matches!(node.kind, Kind::Mapping(_)) {
        return Some(ImportSyntax {
            file: reader.word(node, "`import`")?,
            workdays_if: Vec::new(),
            holidays_if: Vec::new(),
            like: None,
        });
    }
    let mut fields = reader.fields(node, "`import`", node.span);
    let file = fields.need_word(reader, "file", "holidays.ics");
    let mut marks = |name: &'static str| {
        let what = format!("`{name}`");
        let nodes = fields.take(name).map(one_or_more).unwrap_or_default();
        nodes.iter().filter_map(|node| reader.word(node, &what)).collect()
    };
    let workdays_if = marks("workdays-if");
    let holidays_if = marks("holidays-if");
    let like = fields.word(reader, "like");
    fields.finish(reader);
    Some(ImportSyntax {
        file: file?,
        workdays_if,
        holidays_if,
        like,
    })
}
