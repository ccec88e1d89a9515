//! What `check` found, as other programs read it.

mod github;
mod json;
mod junit;
mod sarif;

use std::path::Path;

use clap::ValueEnum;
use trunkline_flow::{Diagnostic, Severity, prove::Reach};
use trunkline_node::{Report, Verdict};

use crate::tongue::{told, tongue};

/// How findings are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs
    Json,
    /// SARIF 2.1.0, for code scanning and editors
    Sarif,
    /// Commands of GitHub Actions, which shows them beside the lines
    Github,
    /// JUnit's XML, for what collects tests' results
    Junit,
}

/// What is told of a checked hotline.
pub(crate) struct Told<'r> {
    /// The hotline's folder, as it was named.
    pub(crate) hotline: &'r Path,
    /// What came of checking it.
    pub(crate) report: &'r Report,
    /// What services cost callers, if that was asked for.
    pub(crate) reaches: Option<&'r [Reach]>,
}

impl Told<'_> {
    /// The report in a format for programs; none for [`Format::Text`], which needs the hotline's files.
    pub(crate) fn print(&self, format: Format) -> Option<String> {
        match format {
            Format::Text => None,
            Format::Json => Some(format!("{:#}\n", json::report(self))),
            Format::Sarif => Some(format!("{:#}\n", sarif::report(self))),
            Format::Github => Some(github::report(self)),
            Format::Junit => Some(junit::report(self)),
        }
    }

    fn findings(&self) -> Vec<Diagnostic> {
        let found = self.report.findings.iter();
        found.map(|finding| finding.in_tongue(tongue())).collect()
    }

    /// Why the hotline could not be built, where that is no finding.
    fn failure(&self) -> Option<&str> {
        (self.report.verdict == Verdict::Failed).then(|| self.report.text.trim_end())
    }

    /// A finding's file as seen from where the command was run, with `/` between its parts.
    fn path(&self, file: &str) -> String {
        let mut path = String::new();
        for part in self.hotline.components() {
            match part {
                std::path::Component::CurDir => {}
                std::path::Component::RootDir => path.push('/'),
                part => {
                    path.push_str(&part.as_os_str().to_string_lossy());
                    path.push('/');
                }
            }
        }
        path + file
    }
}

/// How many findings are of a severity.
pub(crate) fn count(report: &Report, severity: Severity) -> usize {
    let found = report
        .findings
        .iter()
        .filter(|finding| finding.severity == severity);
    found.count()
}

/// A finding's message, with what to write instead and the rule that it breaks.
fn whole(finding: &Diagnostic) -> String {
    let mut text = finding.message.clone();
    if let Some(clause) = &finding.clause {
        text.push_str(&told(format!("\n规则 {clause}"), format!("\nrule {clause}")));
    }
    if let Some(witness) = &finding.witness {
        let shows = witness.in_tongue(tongue());
        text.push_str(&told(
            format!("\n可以这样看到：{shows}"),
            format!("\nit shows when: {shows}"),
        ));
    }
    for help in &finding.help {
        text.push_str(&told(format!("\n帮助：{help}"), format!("\nhelp: {help}")));
    }
    text
}

#[cfg(test)]
mod testing {
    use std::{path::Path, sync::Arc};

    use trunkline_flow::{Sources, check, parse};
    use trunkline_model::{Duration, Timestamp};
    use trunkline_node::{Cause, Report, Verdict};

    /// A small hotline with an error and a warning, checked; its texts hold what each format
    /// has to escape.
    pub(super) fn report() -> Arc<Report> {
        let sources = Sources::new([
            (
                "hotline.yaml",
                "hotline: 热线\nlanguages: [en]\ntime-zone: Asia/Shanghai\nnumbers: { \"12345\": { flow: main } }\n",
            ),
            ("prompts/fr.yaml", "hi: Bonjour\n"),
            (
                "flows/main.yaml",
                "flow: main\nstart: hi\nsteps:\n  hi: { say: { en: \"100% <now>, you & me\" }, next: dnoe }\n  done: { end: completed }\n",
            ),
        ]);
        let checked = check(&parse(&sources), &std::collections::BTreeMap::new());
        Arc::new(Report {
            number: 1,
            at: Timestamp::from_millis(0),
            cause: Cause::Start,
            verdict: Verdict::Refused,
            release: None,
            took: Duration::default(),
            findings: checked.diagnostics,
            text: String::new(),
        })
    }

    pub(super) fn told(report: &Report) -> super::Told<'_> {
        super::Told {
            hotline: Path::new("./flows/热线"),
            report,
            reaches: None,
        }
    }
}
