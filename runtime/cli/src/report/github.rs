//! Findings as commands of GitHub Actions: `::error file=…,line=…::message`, a line each.
//!
//! The form: <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>.

use trunkline_flow::Severity;

use super::{Told, whole};
use crate::tongue::tongue;

/// A command for each finding.
pub(super) fn report(told: &Told<'_>) -> String {
    let mut out = String::new();
    for finding in &told.findings() {
        let command = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        out.push_str(&format!(
            "::{command} file={},line={},col={},endLine={},endColumn={},title={}::{}\n",
            property(&told.path(&finding.file)),
            finding.line,
            finding.column,
            finding.end.line,
            finding.end.column,
            property(&format!("{}: {}", finding.code, finding.code.title_in(tongue()))),
            data(&whole(finding))
        ));
    }
    if let Some(failure) = told.failure() {
        out.push_str(&format!("::error::{}\n", data(failure)));
    }
    out
}

/// A message: one line.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property's value, which ends at a comma or colon.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::{super::testing, *};

    #[test]
    fn each_finding_is_a_line() {
        let checked = testing::report();
        let text = report(&testing::told(&checked));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[0],
            "::error file=flows/热线/flows/main.yaml,line=4,col=52,endLine=4,endColumn=56,title=TL0101%3A no such step::\
             the flow `main` has no step `dnoe`%0Ahelp: did you mean `done`?",
            "{text}"
        );
        assert!(
            lines[1..].iter().all(|line| line.starts_with("::warning file=")),
            "{text}"
        );
    }

    #[test]
    fn what_ends_a_property_is_escaped() {
        assert_eq!(property("50%: a,b\n"), "50%25%3A a%2Cb%0A");
    }
}
