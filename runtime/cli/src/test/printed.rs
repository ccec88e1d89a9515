//! Results for people, and for programs.

use std::{env, time::Duration};

use anstyle::{AnsiColor, Style};
use serde_json::json;
use trunkline_flow::Diagnostic;
use trunkline_scenario::{
    coverage::Report,
    sheet::{self, Mark},
};

use super::run::{Result, Results};
use crate::tongue::told;

const PASS: Style = AnsiColor::Green.on_default().bold();
const FAIL: Style = AnsiColor::Red.on_default().bold();
const DIM: Style = Style::new().dimmed();

/// The width of sheets where the environment does not say how wide the terminal is.
const COLUMNS_DEFAULT: usize = 110;

/// Shows one result.
pub(super) fn result(result: &Result<'_>) {
    let (style, word) = if result.played.passed() {
        (PASS, "PASS")
    } else {
        (FAIL, "FAIL")
    };
    anstream::println!(
        "{style}{word:>8}{style:#} {DIM}[{:>7}]{DIM:#} {} {DIM}{}{DIM:#}",
        millis(result.took),
        result.scenario.name,
        result.scenario.file,
    );
}

fn millis(took: Duration) -> String {
    format!("{:.1}ms", took.as_secs_f64() * 1_000.0)
}

/// Shows each failure with what was expected and what happened.
pub(super) fn failures(results: &Results<'_>) {
    for result in results.results.iter().filter(|result| !result.played.passed()) {
        let Some(mismatch) = &result.played.mismatch else {
            continue;
        };
        anstream::println!("\n{FAIL}FAIL{FAIL:#} {}", result.scenario.name);
        anstream::println!("  {}: {}", place(result), mismatch.why.replace('\n', "\n  "));
        anstream::println!();
        for (mark, line) in sheet::lines(&result.played.rows, columns()) {
            match mark {
                Mark::Agrees => anstream::println!("  {line}"),
                Mark::Differs => anstream::println!("  {FAIL}{line}{FAIL:#}"),
                Mark::NotReached => anstream::println!("  {DIM}{line}{DIM:#}"),
            }
        }
    }
}

/// Where a result failed: `tests/anxious.yaml:12`.
pub(super) fn place(result: &Result<'_>) -> String {
    let line = result
        .played
        .mismatch
        .as_ref()
        .and_then(|mismatch| mismatch.place);
    match line {
        Some(position) => format!("{}:{}", result.scenario.file, position.line),
        None => result.scenario.file.to_string(),
    }
}

fn columns() -> usize {
    env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse().ok())
        .unwrap_or(COLUMNS_DEFAULT)
}

/// Shows the sum of it all.
pub(super) fn summary(results: &Results<'_>, unplayable: &[String], took: Duration) {
    let all = results.results.len();
    let failed = results.failed();
    let plural = if all == 1 { "" } else { "s" };
    let style = if failed == 0 && unplayable.is_empty() {
        PASS
    } else {
        FAIL
    };
    let passed = all - failed;
    let mut parts = vec![told(format!("{passed} 个通过"), format!("{passed} passed"))];
    if failed > 0 {
        parts.push(told(format!("{failed} 个未通过"), format!("{failed} failed")));
    }
    let took = took.as_secs_f64();
    let heading = told(format!("{all} 个场景"), format!("{all} scenario{plural}"));
    anstream::println!(
        "\n{style}{heading}{style:#}{}{}",
        told("：", ": "),
        told(
            format!("{}，用时 {took:.2} 秒", parts.join("，")),
            format!("{} in {took:.2}s", parts.join(", ")),
        )
    );
    if !unplayable.is_empty() {
        let files = unplayable.len();
        let plural = if files == 1 { "" } else { "s" };
        anstream::println!(
            "{}",
            told(
                format!("{FAIL}另有 {files} 个文件没有运行{FAIL:#}：请先按上面的提示修改"),
                format!("{FAIL}{files} more file{plural} not played{FAIL:#}: mend the findings above"),
            )
        );
    }
}

/// The results for programs.
pub(super) fn json(
    results: &Results<'_>,
    findings: &[Diagnostic],
    took: Duration,
    coverage: Option<&Report>,
) -> serde_json::Value {
    let scenarios: Vec<_> = results
        .results
        .iter()
        .map(|result| {
            let mismatch = result.played.mismatch.as_ref();
            json!({
                "name": result.scenario.name,
                "file": result.scenario.file,
                "passed": result.played.passed(),
                "took_ms": result.took.as_secs_f64() * 1_000.0,
                "lasted": result.played.lasted.to_string(),
                "why": mismatch.map(|mismatch| &mismatch.why),
                "line": mismatch.and_then(|mismatch| mismatch.place).map(|place| place.line),
                "rows": mismatch.map(|_| &result.played.rows),
            })
        })
        .collect();
    json!({
        "passed": results.results.len() - results.failed(),
        "failed": results.failed(),
        "took_ms": took.as_secs_f64() * 1_000.0,
        "scenarios": scenarios,
        "findings": findings,
        "coverage": coverage,
    })
}
