//! Results for people, and for programs.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use serde_json::json;
use trunkline_model::Value;
use trunkline_plugin::{Bytes, Limits, Measurement};

use super::{
    Results, Tested,
    fuzz::{Finding, Fuzzed, Most},
    recording,
    stand::{millis, told},
    values::{quoted, written},
};
use crate::table;

const PASS: Style = AnsiColor::Green.on_default().bold();
const FAIL: Style = AnsiColor::Red.on_default().bold();
const DIM: Style = Style::new().dimmed();

/// Lines of a plugin's log shown under a case that failed.
const LOG_LINES_SHOWN: usize = 20;

/// What could not be read.
pub(super) fn wrong(wrong: &[String]) {
    for line in wrong {
        anstream::eprintln!("{FAIL}error{FAIL:#}: {line}");
    }
}

/// Shows one case.
pub(super) fn tested(tested: &Tested, limits: &Limits) {
    let Tested { file, case, ran } = tested;
    let (style, word) = if ran.passed() {
        (PASS, "PASS")
    } else {
        (FAIL, "FAIL")
    };
    let usage = used(&Most::of(&ran.usage), limits);
    anstream::println!(
        "{style}{word:>8}{style:#} {DIM}[{usage}]{DIM:#} {}: {} {DIM}{file}:{}{DIM:#}",
        case.function.path(),
        case.name,
        case.line,
    );
    for problem in &ran.problems {
        for line in problem.lines() {
            anstream::println!("           {line}");
        }
    }
    if !ran.passed() {
        logged(&ran.usage);
    }
}

fn logged(usage: &Measurement) {
    for line in usage.logged.iter().take(LOG_LINES_SHOWN) {
        anstream::println!("           {DIM}{:>5} {}{DIM:#}", line.level, line.text);
    }
    let more = (usage.log_lines as usize).saturating_sub(usage.logged.len().min(LOG_LINES_SHOWN));
    if more > 0 {
        anstream::println!("           {DIM}and {more} more lines{DIM:#}");
    }
}

/// What a call used, and of how much.
fn used(most: &Most, limits: &Limits) -> String {
    format!(
        "{:>7} of {}  {:>7} of {}  {:>6} instr",
        millis(most.time),
        limits.time,
        size(most.memory),
        limits.memory,
        count(most.instructions),
    )
}

fn size(bytes: Bytes) -> String {
    const KIB: f64 = 1_024.0;
    #[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
    let bytes = bytes.0 as f64;
    if bytes >= KIB * KIB {
        format!("{:.1}MiB", bytes / KIB / KIB)
    } else {
        format!("{:.0}KiB", bytes / KIB)
    }
}

fn count(number: Option<u64>) -> String {
    let Some(number) = number else {
        return "?".to_owned();
    };
    #[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
    let float = number as f64;
    match number {
        0..=9_999 => number.to_string(),
        10_000..=999_999 => format!("{:.0}k", float / 1e3),
        1_000_000..=999_999_999 => format!("{:.1}M", float / 1e6),
        _ => format!("{:.1}G", float / 1e9),
    }
}

/// Shows what came of one function's inputs.
pub(super) fn fuzzed(fuzzed: &Fuzzed, limits: &Limits) {
    let path = fuzzed.function.path();
    let cut = if fuzzed.cut_short {
        " (its time was over)"
    } else {
        ""
    };
    let usage = used(&fuzzed.most, limits);
    let Some(finding) = &fuzzed.finding else {
        anstream::println!(
            "{PASS}{:>8}{PASS:#} {DIM}[{usage}]{DIM:#} {path}: {} inputs made up{cut}",
            "PASS",
            fuzzed.inputs
        );
        return;
    };
    anstream::println!(
        "{FAIL}{:>8}{FAIL:#} {DIM}[{usage}]{DIM:#} {path}: input {} made it fault",
        "FAIL",
        finding.input
    );
    anstream::println!(
        "           {}: {}",
        finding.kind,
        finding.message.replace('\n', "\n           ")
    );
    logged(&finding.usage);
    anstream::println!(
        "           the smallest such input found; keep it as a case, and write what it should answer:"
    );
    for line in case_of(fuzzed, finding).lines() {
        anstream::println!("           {line}");
    }
}

/// A finding as a case to paste.
fn case_of(fuzzed: &Fuzzed, finding: &Finding) -> String {
    let mut text = format!("  - name: {} {}\n", finding.kind, finding.input);
    let arguments: Vec<_> = fuzzed
        .function
        .parameters
        .iter()
        .zip(&finding.arguments)
        .filter(|(_, argument)| !matches!(argument, Value::None))
        .map(|(parameter, argument)| format!("{}: {}", parameter.name, written(argument)))
        .collect();
    // Writing to a string does not fail.
    if !arguments.is_empty() {
        let _ = writeln!(text, "    with: {{ {} }}", arguments.join(", "));
    }
    if !finding.exchanges.is_empty() {
        text.push_str("    http:\n");
        for exchange in &finding.exchanges {
            recording::one(&mut text, exchange, "      ");
        }
    }
    let _ = writeln!(text, "    fault: {}", finding.kind);
    text
}

impl Most {
    /// What one call used.
    pub(super) fn of(usage: &Measurement) -> Self {
        let mut most = Self::default();
        most.add(usage);
        most
    }
}

/// Shows the sum of it all: what each function needs, and how it went.
pub(super) fn summary(results: &Results) {
    let mut rows = vec![
        ["function", "calls", "time", "memory", "instructions"]
            .map(str::to_owned)
            .to_vec(),
    ];
    let mut functions: Vec<(String, u32, Most)> = Vec::new();
    let calls = results
        .tested
        .iter()
        .map(|tested| (tested.case.function.path(), 1, Most::of(&tested.ran.usage)))
        .chain(
            results
                .fuzzed
                .iter()
                .map(|fuzzed| (fuzzed.function.path(), fuzzed.inputs, fuzzed.most.clone())),
        );
    for (path, calls, most) in calls {
        match functions.iter_mut().find(|(known, _, _)| *known == path) {
            Some((_, count, known)) => {
                *count += calls;
                known.time = known.time.max(most.time);
                known.memory = known.memory.max(most.memory);
                known.instructions = known.instructions.max(most.instructions);
            }
            None => functions.push((path, calls, most)),
        }
    }
    for (path, calls, most) in functions {
        rows.push(vec![
            path,
            calls.to_string(),
            format!("{} of {}", millis(most.time), results.limits.time),
            format!("{} of {}", size(most.memory), results.limits.memory),
            count(most.instructions),
        ]);
    }
    if rows.len() > 1 {
        anstream::println!("\nat most, of the limits in plugin.toml:");
        for line in table::lay_out(&rows).lines() {
            anstream::println!("  {line}");
        }
    }
    let failed = results
        .tested
        .iter()
        .filter(|tested| !tested.ran.passed())
        .count();
    let findings = results
        .fuzzed
        .iter()
        .filter(|fuzzed| fuzzed.finding.is_some())
        .count();
    let inputs: u32 = results.fuzzed.iter().map(|fuzzed| fuzzed.inputs).sum();
    let mut parts = vec![format!("{} passed", results.tested.len() - failed)];
    if failed > 0 {
        parts.push(format!("{failed} failed"));
    }
    if !results.wrong.is_empty() {
        parts.push(format!("{} could not be read", results.wrong.len()));
    }
    let style = if results.all_passed() { PASS } else { FAIL };
    let cases = results.tested.len();
    let plural = if cases == 1 { "" } else { "s" };
    anstream::print!("\n{style}{cases} case{plural}{style:#}: {}", parts.join(", "));
    if !results.fuzzed.is_empty() {
        let found = match findings {
            0 => "no fault".to_owned(),
            1 => "1 function faulted".to_owned(),
            more => format!("{more} functions faulted"),
        };
        anstream::print!("; {inputs} inputs made up, {found} (--seed {})", results.seed);
    }
    anstream::println!("; {:.2}s", results.took.as_secs_f64());
    if results.tested.is_empty() && results.wrong.is_empty() {
        anstream::println!("no cases yet: write tests/NAME.yaml (docs/reference/plugin-tests.md)");
    }
}

/// The results for programs.
pub(super) fn json(results: &Results) -> serde_json::Value {
    let usage = |usage: &Measurement| {
        json!({
            "time_ms": usage.time.as_secs_f64() * 1_000.0,
            "memory_peak": usage.memory_peak.0,
            "instructions": usage.instructions,
            "http_requests": usage.http_requests,
            "kv_operations": usage.kv_operations,
            "log_lines": usage.log_lines,
        })
    };
    let lines = |usage: &Measurement| -> Vec<_> {
        usage
            .logged
            .iter()
            .map(|line| json!({ "level": line.level, "text": line.text }))
            .collect()
    };
    let cases: Vec<_> = results
        .tested
        .iter()
        .map(|tested| {
            json!({
                "name": tested.case.name,
                "function": tested.case.function.path(),
                "file": tested.file,
                "line": tested.case.line,
                "passed": tested.ran.passed(),
                "problems": tested.ran.problems,
                "gave": told(&tested.ran.outcome),
                "usage": usage(&tested.ran.usage),
                "log": lines(&tested.ran.usage),
            })
        })
        .collect();
    let fuzzed: Vec<_> = results
        .fuzzed
        .iter()
        .map(|fuzzed| {
            json!({
                "function": fuzzed.function.path(),
                "inputs": fuzzed.inputs,
                "cut_short": fuzzed.cut_short,
                "finding": fuzzed.finding.as_ref().map(|finding| json!({
                    "fault": finding.kind,
                    "message": finding.message,
                    "input": finding.input,
                    "case": case_of(fuzzed, finding),
                    "usage": usage(&finding.usage),
                })),
            })
        })
        .collect();
    json!({
        "plugin": results.plugin,
        "passed": results.all_passed(),
        "took_ms": results.took.as_secs_f64() * 1_000.0,
        "seed": results.seed,
        "limits": results.limits,
        "cases": cases,
        "fuzzed": fuzzed,
        "wrong": results.wrong,
    })
}

/// A finding in a few lines, for what shows failures only.
pub(super) fn finding(fuzzed: &Fuzzed, finding: &Finding, seed: u64) -> String {
    format!(
        "{} with --seed {seed}, input {}: {}\n\n{}",
        quoted(finding.kind.as_str()),
        finding.input,
        finding.message,
        case_of(fuzzed, finding)
    )
}
