//! Findings as a terminal shows them.

use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet, renderer::DecorStyle};

use super::{Diagnostic, Severity};
use crate::{source::Sources, tongue::Tongue};

/// Whether to colour what is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Color {
    /// Plain text.
    Never,
    /// ANSI colours.
    Always,
}

/// Renders findings as text, each with the lines it is about and carets under them.
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, color: Color) -> String {
    render_in(diagnostics, sources, color, Tongue::English)
}

/// Renders findings like [`render`], all that is said of them in a language.
pub fn render_in(diagnostics: &[Diagnostic], sources: &Sources, color: Color, tongue: Tongue) -> String {
    let renderer = match color {
        Color::Never => Renderer::plain(),
        Color::Always => Renderer::styled(),
    }
    .decor_style(DecorStyle::Ascii);
    let mut text = String::new();
    for diagnostic in diagnostics {
        let told = diagnostic.in_tongue(tongue);
        text.push_str(&renderer.render(&[group(&told, sources, tongue)]));
        text.push_str("\n\n");
    }
    text
}

/// Bytes around what a finding is about that are shown of it; of longer lines only the part
/// around it is.
const SHOWN_BYTES_MAX: usize = 4_096;

/// A place to show, and what stands beside it.
struct Mark<'a> {
    span: Range<usize>,
    kind: AnnotationKind,
    label: Option<&'a str>,
}

fn group<'a>(diagnostic: &'a Diagnostic, sources: &'a Sources, tongue: Tongue) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    }
    .with_name(diagnostic.severity.name_in(tongue));
    let note = Level::NOTE.with_name(tongue.pick("说明", "note"));
    let advice = Level::HELP.with_name(tongue.pick("建议", "help"));
    // A label near the finding is shown in the same snippet, any other in its own.
    let mut snippets: Vec<(&str, Vec<Mark<'a>>)> = vec![(
        &diagnostic.file,
        vec![Mark {
            span: diagnostic.span.clone(),
            kind: AnnotationKind::Primary,
            label: None,
        }],
    )];
    for label in &diagnostic.labels {
        let mark = Mark {
            span: label.span.clone(),
            kind: AnnotationKind::Context,
            label: Some(&label.message),
        };
        let near = label.file == diagnostic.file
            && label.span.start.abs_diff(diagnostic.span.start) < SHOWN_BYTES_MAX;
        match snippets.first_mut() {
            Some((_, marks)) if near => marks.push(mark),
            _ => snippets.push((&label.file, vec![mark])),
        }
    }
    let mut group = level
        .primary_title(diagnostic.message.as_str())
        .id(diagnostic.code.as_str())
        .elements(Vec::<annotate_snippets::Element<'a>>::new());
    for (path, marks) in snippets {
        let text = sources.files.get(path).map_or("", |text| &**text);
        group = group.element(snippet(path, text, marks));
    }
    if let Some(clause) = &diagnostic.clause {
        let rule = tongue.pick("规则 ", "rule ");
        group = group.element(note.clone().message(format!("{rule}{clause}")));
    }
    if let Some(witness) = &diagnostic.witness {
        let shows = tongue.pick("复现方法：", "it shows when: ");
        group = group.element(note.message(format!("{shows}{}", witness.in_tongue(tongue))));
    }
    for help in &diagnostic.help {
        group = group.element(advice.clone().message(help.as_str()));
    }
    group
}

/// The lines that some marks are about.
fn snippet<'a>(path: &'a str, text: &'a str, marks: Vec<Mark<'a>>) -> Snippet<'a, Annotation<'a>> {
    let first = marks.iter().map(|mark| mark.span.start).min().unwrap_or_default();
    let last = marks.iter().map(|mark| mark.span.end).max().unwrap_or_default();
    let (first, last) = (first.min(text.len()), last.min(text.len()));
    let line = text[..text.floor_char_boundary(first)]
        .rfind('\n')
        .map_or(0, |at| at + 1);
    let start = text.floor_char_boundary(line.max(first.saturating_sub(SHOWN_BYTES_MAX)));
    let last = text.ceil_char_boundary(last);
    let end = text[last..].find('\n').map_or(text.len(), |at| last + at);
    let end = text
        .ceil_char_boundary(end.min(first + 2 * SHOWN_BYTES_MAX))
        .max(start);
    let within = |at: usize| at.clamp(start, end) - start;
    Snippet::source(&text[start..end])
        .path(path)
        .line_start(1 + text[..start].bytes().filter(|byte| *byte == b'\n').count())
        .annotations(marks.into_iter().map(|mark| {
            mark.kind
                .span(within(mark.span.start)..within(mark.span.end))
                .label(mark.label)
        }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{check, parse};

    #[test]
    fn carets_stand_under_chinese_text() {
        let sources = Sources::new([(
            "hotline.yaml",
            "hotline: 热线\nlanguages: [zh-CN]\ntime-zone: Asia/Shanghai\nnumbers:\n  \"12345\": { title: 市民热线, flwo: 主流程 }\n",
        )]);
        let report = check(&parse(&sources), &std::collections::BTreeMap::new());
        let shown = render(&report.diagnostics, &sources, Color::Never);
        let expected = "\
error[TL0007]: a number needs `flow`
 --> hotline.yaml:5:3
  |
5 |   \"12345\": { title: 市民热线, flwo: 主流程 }
  |   ^^^^^^^
  |
  = help: add a line like `flow: main`

error[TL0006]: a number has no field `flwo`
 --> hotline.yaml:5:27
  |
5 |   \"12345\": { title: 市民热线, flwo: 主流程 }
  |                               ^^^^
  |
  = help: did you mean `flow`?
";
        assert_eq!(shown.trim_end(), expected.trim_end(), "{shown}");
    }

    #[test]
    fn a_line_of_a_megabyte_is_shown_in_part() {
        let long = "x".repeat(1 << 20);
        let sources = Sources::new([("hotline.yaml", format!("hotline: [{long}"))]);
        let report = check(&parse(&sources), &std::collections::BTreeMap::new());
        let shown = render(&report.diagnostics, &sources, Color::Never);
        assert!(shown.len() < 4 * SHOWN_BYTES_MAX, "{}", shown.len());
    }
}
