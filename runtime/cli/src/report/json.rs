//! Findings as JSON, with everything that is known of each.

use serde_json::{Value, json};
use trunkline_flow::Severity;

use super::{Told, count};

/// The report.
pub(super) fn report(told: &Told<'_>) -> Value {
    let report = told.report;
    let mut value = json!({
        "loads": report.verdict.is_good(),
        "release": report.release.filter(|_| report.verdict.is_good()),
        "errors": count(report, Severity::Error),
        "warnings": count(report, Severity::Warning),
        "findings": told.findings(),
        "failure": told.failure(),
    });
    if let Some(reaches) = told.reaches {
        value["budget"] = json!(reaches);
    }
    value
}
