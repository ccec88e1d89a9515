//! Results as JUnit's XML, as Jenkins, GitLab and GitHub's reporters read it.

use std::fmt::Write as _;

use super::{Results, printed};
use crate::xml::escaped;

/// All results as one suite; what cannot be read is an error in it.
pub(super) fn report(results: &Results) -> String {
    let tests = results.tested.len() + results.fuzzed.len() + results.wrong.len();
    let failures = results
        .tested
        .iter()
        .filter(|tested| !tested.ran.passed())
        .count()
        + results
            .fuzzed
            .iter()
            .filter(|fuzzed| fuzzed.finding.is_some())
            .count();
    let counts = format!(
        "tests=\"{tests}\" failures=\"{failures}\" errors=\"{}\" time=\"{:.3}\"",
        results.wrong.len(),
        results.took.as_secs_f64()
    );
    let name = escaped(&results.plugin);
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a string does not fail.
    let _ = writeln!(out, "<testsuites name=\"{name}\" {counts}>");
    let _ = writeln!(out, "  <testsuite name=\"{name}\" {counts} skipped=\"0\">");
    for tested in &results.tested {
        let name = format!("{}: {}", tested.case.function.path(), tested.case.name);
        let time = tested.ran.usage.time.as_secs_f64();
        let why = (!tested.ran.passed()).then(|| {
            format!(
                "{}:{}: {}",
                tested.file,
                tested.case.line,
                tested.ran.problems.join("\n")
            )
        });
        case(&mut out, &tested.file, &name, time, why.as_deref());
    }
    for fuzzed in &results.fuzzed {
        let name = format!("{}: inputs made up", fuzzed.function.path());
        let why = fuzzed
            .finding
            .as_ref()
            .map(|finding| printed::finding(fuzzed, finding, results.seed));
        case(
            &mut out,
            "fuzz",
            &name,
            fuzzed.most.time.as_secs_f64(),
            why.as_deref(),
        );
    }
    for wrong in &results.wrong {
        let wrong = escaped(wrong);
        let _ = writeln!(
            out,
            "    <testcase classname=\"tests\" name=\"{wrong}\" time=\"0\">\n      <error message=\"{wrong}\"/>\n    </testcase>"
        );
    }
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}

fn case(out: &mut String, file: &str, name: &str, time: f64, why: Option<&str>) {
    let (file, name) = (escaped(file), escaped(name));
    let head = format!("    <testcase classname=\"{file}\" name=\"{name}\" time=\"{time:.4}\"");
    let _ = match why {
        None => writeln!(out, "{head}/>"),
        Some(why) => {
            let message = escaped(why.lines().next().unwrap_or_default());
            let text = escaped(why);
            writeln!(
                out,
                "{head}>\n      <failure message=\"{message}\" type=\"mismatch\">{text}</failure>\n    </testcase>"
            )
        }
    };
}
