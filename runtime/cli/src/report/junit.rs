//! Findings as JUnit's XML: a test for each file that was found wanting, and one for the hotline.

use std::{collections::BTreeMap, fmt::Write as _};

use trunkline_flow::{Diagnostic, Severity};

use super::{Told, whole};
use crate::xml::escaped;

/// The report as one suite. An error makes its file's test fail; warnings stand in its output.
pub(super) fn report(told: &Told<'_>) -> String {
    let mut files: BTreeMap<&str, Vec<&Diagnostic>> = BTreeMap::from([("hotline.yaml", Vec::new())]);
    let findings = told.findings();
    for finding in &findings {
        files.entry(&finding.file).or_default().push(finding);
    }
    let is_wrong = |found: &[&Diagnostic]| found.iter().any(|finding| finding.severity == Severity::Error);
    let failures = files.values().filter(|found| is_wrong(found)).count();
    let errors = usize::from(told.failure().is_some());
    let folder = told.path("");
    let name = match folder.trim_end_matches('/') {
        "" => "hotline".to_owned(),
        folder => escaped(folder),
    };
    let counts = format!(
        "tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\"",
        files.len() + errors
    );
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"trunkline check\" {counts}>\n  \
         <testsuite name=\"{name}\" {counts} skipped=\"0\">\n"
    );
    for (file, found) in &files {
        let path = escaped(&told.path(file));
        let head = format!(
            "    <testcase classname=\"{name}\" name=\"{}\" file=\"{path}\"",
            escaped(file)
        );
        if found.is_empty() {
            let _ = writeln!(out, "{head}/>");
            continue;
        }
        let _ = writeln!(out, "{head}>");
        let said = |severity| {
            let of = found.iter().filter(move |finding| finding.severity == severity);
            of.map(|finding| {
                format!(
                    "{}:{}:{}: {}: {}\n",
                    told.path(&finding.file),
                    finding.line,
                    finding.column,
                    finding.code,
                    whole(finding)
                )
            })
            .collect::<String>()
        };
        if let Some(first) = found.iter().find(|finding| finding.severity == Severity::Error) {
            let _ = writeln!(
                out,
                "      <failure message=\"{}\" type=\"{}\">{}</failure>",
                escaped(&first.message),
                first.code,
                escaped(&said(Severity::Error))
            );
        }
        let warnings = said(Severity::Warning);
        if !warnings.is_empty() {
            let _ = writeln!(out, "      <system-out>{}</system-out>", escaped(&warnings));
        }
        out.push_str("    </testcase>\n");
    }
    if let Some(failure) = told.failure() {
        let _ = writeln!(
            out,
            "    <testcase classname=\"{name}\" name=\"the hotline is built\">\n      <error message=\"it could not be built\">{}</error>\n    </testcase>",
            escaped(failure)
        );
    }
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::{super::testing, *};

    #[test]
    fn errors_fail_and_warnings_are_told() {
        let checked = testing::report();
        let text = report(&testing::told(&checked));
        assert!(text.contains("tests=\"3\" failures=\"1\" errors=\"0\""), "{text}");
        assert!(
            text.contains("<failure message=\"the flow `main` has no step `dnoe`\" type=\"TL0101\">flows/热线/flows/main.yaml:4:52: TL0101"),
            "{text}"
        );
        assert!(
            text.contains("<system-out>flows/热线/prompts/fr.yaml:1:1: TL0405"),
            "{text}"
        );
    }
}
