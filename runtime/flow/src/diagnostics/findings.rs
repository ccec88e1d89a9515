//! Findings as they are gathered, before they are put in order and given lines and columns.

use std::{collections::BTreeSet, ops::Range};

use super::{Code, Diagnostic, Label, Mend, Severity, fix};
use crate::{
    limits::FINDINGS_MAX,
    prove::Witness,
    source::{Files, Span},
};

/// A finding that knows its place in bytes only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) code: Code,
    pub(crate) severity: Severity,
    pub(crate) span: Span,
    pub(crate) message: String,
    pub(crate) labels: Vec<(Span, String)>,
    pub(crate) help: Vec<String>,
    pub(crate) clause: Option<String>,
    pub(crate) witness: Option<Box<Witness>>,
    /// Mends that a program can make.
    pub(crate) mends: Vec<Mend>,
}

impl Finding {
    pub(crate) fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            span,
            message: message.into(),
            labels: Vec::new(),
            help: Vec::new(),
            clause: None,
            witness: None,
            mends: Vec::new(),
        }
    }

    /// Cites where the rule comes from.
    pub(crate) fn clause(mut self, clause: String) -> Self {
        self.clause = Some(clause);
        self
    }

    /// Adds the script that shows it.
    pub(crate) fn witness(mut self, witness: Witness) -> Self {
        self.witness = Some(Box::new(witness));
        self
    }

    /// As a warning, where the code is an error elsewhere.
    pub(crate) fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// Adds another place.
    pub(crate) fn label(mut self, span: Span, message: impl Into<String>) -> Self {
        self.labels.push((span, message.into()));
        self
    }

    /// Adds what to write instead.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Adds a mend that a program can make.
    pub(crate) fn mend(mut self, mend: Mend) -> Self {
        self.mends.push(mend);
        self
    }

    /// Adds a mend, if there is one.
    pub(crate) fn mend_if(mut self, mend: Option<Mend>) -> Self {
        self.mends.extend(mend);
        self
    }

    /// Adds what to write instead, if that is known.
    pub(crate) fn help_if(mut self, help: Option<String>) -> Self {
        self.help.extend(help);
        self
    }
}

/// Findings of one hotline, each said once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Findings {
    found: Vec<Finding>,
    said: BTreeSet<(Span, Code, String)>,
    /// How many came after the limit was reached.
    left_out: usize,
}

impl Findings {
    pub(crate) fn push(&mut self, finding: Finding) {
        let same = (finding.span, finding.code, finding.message.clone());
        if self.said.contains(&same) {
            return;
        }
        if self.found.len() >= FINDINGS_MAX && finding.severity == Severity::Warning
            || self.found.len() >= 2 * FINDINGS_MAX
        {
            self.left_out += 1;
            return;
        }
        self.said.insert(same);
        self.found.push(finding);
    }

    /// Whether another one would be shown.
    pub(crate) fn has_room(&self) -> bool {
        self.found.len() < FINDINGS_MAX
    }

    /// Takes the findings of another part in.
    pub(crate) fn extend(&mut self, others: Self) {
        for finding in others.found {
            self.push(finding);
        }
        self.left_out += others.left_out;
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.found
            .iter()
            .any(|finding| finding.severity == Severity::Error)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.found.iter()
    }

    /// The findings in the order of the files; errors before warnings where there are too
    /// many to show all.
    pub(crate) fn into_diagnostics(mut self, files: &Files) -> Vec<Diagnostic> {
        if self.found.len() > FINDINGS_MAX {
            self.found.sort_by_key(|finding| finding.severity);
            self.left_out += self.found.len() - FINDINGS_MAX;
            self.found.truncate(FINDINGS_MAX);
        }
        self.found.sort_by_key(|finding| {
            (
                finding.span.file,
                finding.span.start,
                finding.severity,
                finding.code,
                finding.span.end,
            )
        });
        if self.left_out > 0
            && let Some(last) = self.found.last()
        {
            let message = format!("{} more findings are not shown; mend these first", self.left_out);
            let finding = Finding::new(Code::TooManyFindings, last.span, message);
            self.found.push(finding);
        }
        self.found
            .into_iter()
            .map(|finding| diagnostic(finding, files))
            .collect()
    }
}

/// Gives a finding its lines and columns.
pub(crate) fn diagnostic(finding: Finding, files: &Files) -> Diagnostic {
    let fixes = fix::fixes(&finding, files);
    let file = files.of(finding.span);
    let span = on_characters(&file.text, finding.span.bytes());
    let start = file.position(span.start);
    let diagnostic = Diagnostic {
        code: finding.code,
        severity: finding.severity,
        message: finding.message,
        file: file.path.clone(),
        line: start.line,
        column: start.column,
        end: file.position(span.end),
        span,
        labels: finding
            .labels
            .into_iter()
            .map(|(span, message)| {
                let file = files.of(span);
                let span = on_characters(&file.text, span.bytes());
                let start = file.position(span.start);
                Label {
                    message,
                    file: file.path.clone(),
                    line: start.line,
                    column: start.column,
                    end: file.position(span.end),
                    span,
                }
            })
            .collect(),
        help: finding.help,
        clause: finding.clause,
        witness: finding.witness,
        fixes,
    };
    // Whatever a test finds has to be said in Chinese, too.
    #[cfg(test)]
    super::chinese::assert_said(&diagnostic);
    diagnostic
}

/// A range of bytes widened to whole characters within the text.
fn on_characters(text: &str, bytes: Range<usize>) -> Range<usize> {
    let start = text.floor_char_boundary(bytes.start.min(text.len()));
    let end = text.ceil_char_boundary(bytes.end.clamp(start, text.len()));
    start..end
}
