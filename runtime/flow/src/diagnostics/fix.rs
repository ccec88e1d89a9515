//! Mends that a program can make: edits of the files, found together with what is wrong.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use serde::Serialize;

use super::{Finding, Position, suggest};
use crate::source::{Files, Sources, Span};

/// A mend of a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// What it does, in a few words.
    pub title: String,
    /// What it writes; no two of them overlap.
    pub edits: Vec<Edit>,
    /// Whether it is surely what was meant. Others are offered, never made unasked.
    pub safe: bool,
}

/// A text that takes the place of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edit {
    /// The file, relative to the hotline's folder.
    pub file: Arc<str>,
    /// The bytes that are replaced; nothing where text is only put in.
    #[serde(skip)]
    pub span: Range<usize>,
    /// Where they begin.
    pub start: Position,
    /// Where they end, not included.
    pub end: Position,
    /// What is written there.
    pub text: String,
}

/// A mend that knows its places in bytes only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mend {
    pub(crate) title: String,
    pub(crate) edits: Vec<(Span, String)>,
    pub(crate) safe: bool,
}

impl Mend {
    pub(crate) fn new(title: impl Into<String>, edits: Vec<(Span, String)>) -> Self {
        Self {
            title: title.into(),
            edits,
            safe: false,
        }
    }

    /// As one that is surely meant.
    pub(crate) fn safe(mut self) -> Self {
        self.safe = true;
        self
    }
}

/// The edit that writes a text in place of a span.
pub(crate) fn edit(files: &Files, span: Span, text: impl Into<String>) -> Edit {
    let file = files.of(span);
    let bytes = span.bytes();
    Edit {
        file: file.path.clone(),
        start: file.position(bytes.start),
        end: file.position(bytes.end),
        span: bytes,
        text: text.into(),
    }
}

/// The fixes of a finding: its own, and the names that its help proposes.
pub(super) fn fixes(finding: &Finding, files: &Files) -> Vec<Fix> {
    let mut mends = finding.mends.clone();
    for help in &finding.help {
        let names = suggest::suggested(help);
        let only = names.len() == 1;
        for name in names {
            if let Some(part) = suggest::mistaken(files.text(finding.span), name) {
                let start = finding.span.bytes().start;
                let span = Span::new(finding.span.file as usize, start + part.start..start + part.end);
                let mend = Mend::new(format!("write `{name}`"), vec![(span, name.to_owned())]);
                mends.push(if only { mend.safe() } else { mend });
            }
        }
    }
    mends
        .into_iter()
        .map(|mend| Fix {
            title: mend.title,
            edits: mend
                .edits
                .into_iter()
                .map(|(span, text)| edit(files, span, text))
                .collect(),
            safe: mend.safe,
        })
        .collect()
}

/// Writes fixes into a hotline's files. A fix that overlaps one before it waits for the next
/// round: it is left out, and found again when the rest has been mended. Gives the files that
/// came out, and the places of the fixes that were made.
pub fn apply(sources: &Sources, fixes: &[&Fix]) -> (Sources, Vec<usize>) {
    let mut edits: BTreeMap<Arc<str>, Vec<&Edit>> = BTreeMap::new();
    let mut made = Vec::new();
    for (index, fix) in fixes.iter().enumerate() {
        let clear = fix.edits.iter().all(|edit| {
            let others = edits.get(&edit.file).into_iter().flatten();
            let known = sources.files.get(&edit.file);
            known.is_some_and(|text| text.get(edit.span.clone()).is_some())
                && others
                    .into_iter()
                    .all(|other| edit.span.end < other.span.start || other.span.end < edit.span.start)
        });
        if clear {
            for edit in &fix.edits {
                edits.entry(edit.file.clone()).or_default().push(edit);
            }
            made.push(index);
        }
    }
    let mut sources = sources.clone();
    for (file, mut edits) in edits {
        edits.sort_by_key(|edit| std::cmp::Reverse(edit.span.start));
        if let Some(text) = sources.files.get_mut(&file) {
            let mut written = text.to_string();
            for edit in edits {
                written.replace_range(edit.span.clone(), &edit.text);
            }
            *text = written.into();
        }
    }
    (sources, made)
}

#[cfg(test)]
mod tests {
    use crate::{
        Sources, check,
        check::harness::{files, interfaces},
        parse,
    };

    /// Makes all fixes of some kind, in rounds, and gives what one file becomes.
    fn mended(text: &str, path: &str, unsafe_too: bool) -> String {
        let mut sources: Sources = files(text);
        for _ in 0..8 {
            let report = check(&parse(&sources), &interfaces());
            let fixes: Vec<_> = report
                .diagnostics
                .iter()
                .filter_map(|finding| finding.fixes.iter().find(|fix| fix.safe || unsafe_too))
                .collect();
            let (next, made) = super::apply(&sources, &fixes);
            if made.is_empty() {
                break;
            }
            sources = next;
        }
        sources.files[path].to_string()
    }

    #[test]
    fn what_is_surely_meant_is_written() {
        let wrong = "--- flows/main.yaml
flow: main
vars: { citizen: crm.citzen?, words: strng? }
otherwise: sorry
start: welcom
steps:
  welcome: { say: helo, nxt: find }
  find:
    when: ${has(contact.caller) && contact.language == \"en\"}
    call: crm.find-citzen
    with: { phne: \"${contact.caler}\" }
    at-most-once: yes
    save: citizn
    on: { not-fond: sorry }
    next: sorry
  sorry: { end: completed }
";
        let right = "flow: main
vars: { citizen: crm.citizen?, words: string? }
otherwise: sorry
start: welcome
steps:
  welcome: { say: hello, next: find }
  find:
    when: ${has(contact.caller) && contact.language == \"en\"}
    call: crm.find-citizen
    with: { phone: \"${contact.caller}\" }
    at-most-once: true
    save: citizen
    on: { not-found: sorry }
    next: sorry
  sorry: { end: completed }
";
        let wrong =
            format!("{wrong}--- prompts/en.yaml\nhello: Hello\n--- prompts/zh-CN.yaml\nhello: 您好\n");
        assert_eq!(mended(&wrong, "flows/main.yaml", false), right);
    }

    #[test]
    fn an_expression_without_quotes_gets_them() {
        let wrong = "--- flows/main.yaml
flow: main
start: a
steps:
  a: { choose: [{ when: ${contact.language == 'en'}, next: done }, { else: done }] }
  done: { end: completed }
";
        let mended = mended(wrong, "flows/main.yaml", false);
        assert!(
            mended.contains("when: \"${contact.language == 'en'}\", next"),
            "{mended}"
        );
    }

    #[test]
    fn what_is_only_likely_is_offered_and_not_made_unasked() {
        let wrong = "--- flows/main.yaml
flow: main
vars: { citizen: crm.citizen? }
start: a
steps:
  a: { say: hello, next: ask }
  ask:
    ask: more
    answer: digits
    length: 4
    time: 30
    next: find
  find: { call: crm.find-citizen, with: { phone: \"1\" }, save: citizen, next: done }
  done: { end: completed }
--- prompts/en.yaml
hello: Hello
unused: Nobody says this
--- prompts/zh-CN.yaml
hello: 您好
more: 还有吗
unused: 没人说
";
        assert_eq!(
            mended(wrong, "prompts/en.yaml", false),
            "hello: Hello\nunused: Nobody says this\n"
        );
        assert_eq!(
            mended(wrong, "prompts/en.yaml", true),
            "hello: Hello\nmore: \"\"\n"
        );
        assert_eq!(
            mended(wrong, "prompts/zh-CN.yaml", true),
            "hello: 您好\nmore: 还有吗\n"
        );
        let flow = mended(wrong, "flows/main.yaml", true);
        assert!(flow.contains("time: 30s\n"), "{flow}");
        assert!(
            flow.contains("next: find\n    on: { no-input: done, invalid: done }\n"),
            "{flow}"
        );
        assert!(flow.contains("next: done, on: { "), "{flow}");
    }
}
