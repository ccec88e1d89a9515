//! Findings as SARIF 2.1.0 (OASIS, 2020), as code scanning and editors read them.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use trunkline_flow::{Code, Diagnostic, Severity, diagnostics::Label};

use super::{Told, whole};
use crate::tongue::tongue;

/// The format's own description.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The report as one run.
pub(super) fn report(told: &Told<'_>) -> Value {
    let findings = told.findings();
    let codes: BTreeSet<Code> = findings.iter().map(|finding| finding.code).collect();
    let codes: Vec<Code> = codes.into_iter().collect();
    let results: Vec<Value> = findings
        .iter()
        .map(|finding| {
            result(
                told,
                finding,
                codes.binary_search(&finding.code).unwrap_or_default(),
            )
        })
        .collect();
    let notifications: Vec<Value> = told
        .failure()
        .map(|failure| json!({ "level": "error", "message": { "text": failure } }))
        .into_iter()
        .collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "trunkline",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": codes.iter().map(|code| rule(*code)).collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": told.failure().is_none(),
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
        }],
    })
}

fn rule(code: Code) -> Value {
    json!({
        "id": code.as_str(),
        "shortDescription": { "text": code.title_in(tongue()) },
        "help": { "text": code.page_in(tongue()), "markdown": code.page_in(tongue()) },
        "defaultConfiguration": { "level": code.severity().as_str() },
    })
}

fn result(told: &Told<'_>, finding: &Diagnostic, rule: usize) -> Value {
    let mut result = json!({
        "ruleId": finding.code.as_str(),
        "ruleIndex": rule,
        "level": match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        "message": { "text": whole(finding) },
        "locations": [{ "physicalLocation": place(
            told,
            &finding.file,
            (finding.line, finding.column),
            (finding.end.line, finding.end.column),
        ) }],
        // The same finding in the same file, wherever its line has moved to.
        "partialFingerprints": { "finding/v1": format!("{}:{}:{}", finding.code, finding.file, finding.message) },
    });
    if !finding.labels.is_empty() {
        let related = |(index, label): (usize, &Label)| {
            json!({
                "id": index + 1,
                "message": { "text": label.message },
                "physicalLocation": place(
                    told,
                    &label.file,
                    (label.line, label.column),
                    (label.end.line, label.end.column),
                ),
            })
        };
        result["relatedLocations"] = finding.labels.iter().enumerate().map(related).collect();
    }
    result
}

fn place(told: &Told<'_>, file: &str, from: (usize, usize), to: (usize, usize)) -> Value {
    json!({
        "artifactLocation": { "uri": uri(&told.path(file)) },
        "region": { "startLine": from.0, "startColumn": from.1, "endLine": to.0, "endColumn": to.1 },
    })
}

/// A path as a reference of RFC 3986.
fn uri(path: &str) -> String {
    let mut uri = if path.starts_with('/') {
        "file://".to_owned()
    } else {
        String::new()
    };
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            byte => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::{super::testing, *};

    #[test]
    fn a_result_says_where_and_by_which_rule() {
        let checked = testing::report();
        let log = report(&testing::told(&checked));
        let run = &log["runs"][0];
        let first = &run["results"][0];
        assert_eq!(first["ruleId"], "TL0101");
        let rule = first["ruleIndex"]
            .as_u64()
            .and_then(|index| usize::try_from(index).ok());
        assert_eq!(
            run["tool"]["driver"]["rules"][rule.expect("an index")]["id"],
            "TL0101"
        );
        let place = &first["locations"][0]["physicalLocation"];
        assert_eq!(
            place["artifactLocation"]["uri"],
            "flows/%E7%83%AD%E7%BA%BF/flows/main.yaml"
        );
        assert_eq!(
            place["region"],
            json!({ "startLine": 4, "startColumn": 52, "endLine": 4, "endColumn": 56 })
        );
    }
}
