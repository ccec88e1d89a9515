//! Results as JUnit's XML, as Jenkins, GitLab and GitHub's reporters read it.

use std::{fmt::Write as _, time::Duration};

use trunkline_flow::Hotline;
use trunkline_scenario::sheet;

use super::{
    printed,
    run::{Result, Results},
};
use crate::xml::escaped;

/// Columns of the sheet in a failure's text.
const COLUMNS: usize = 120;

/// All results as one suite; a file that cannot be played is an error in it.
pub(super) fn report(
    results: &Results<'_>,
    unplayable: &[String],
    hotline: &Hotline,
    took: Duration,
) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let tests = results.results.len() + unplayable.len();
    let (failures, errors, time) = (results.failed(), unplayable.len(), took.as_secs_f64());
    let name = escaped(&hotline.name);
    let counts = format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" time=\"{time:.3}\"");
    let _ = writeln!(out, "<testsuites name=\"{name}\" {counts}>");
    let _ = writeln!(out, "  <testsuite name=\"{name}\" {counts} skipped=\"0\">");
    for result in &results.results {
        case(&mut out, result);
    }
    for file in unplayable {
        let file = escaped(file);
        let _ = writeln!(
            out,
            "    <testcase classname=\"{file}\" name=\"{file}\" time=\"0\">\n      \
             <error message=\"the scenario cannot be played; `trunkline test` says why\"/>\n    </testcase>"
        );
    }
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}

fn case(out: &mut String, result: &Result<'_>) {
    let (file, name) = (escaped(&result.scenario.file), escaped(&result.scenario.name));
    let time = result.took.as_secs_f64();
    let head = format!("    <testcase classname=\"{file}\" name=\"{name}\" time=\"{time:.4}\"");
    let Some(mismatch) = &result.played.mismatch else {
        let _ = writeln!(out, "{head}/>");
        return;
    };
    let sheet: Vec<String> = sheet::lines(&result.played.rows, COLUMNS)
        .into_iter()
        .map(|(_, line)| line)
        .collect();
    let text = format!(
        "{}: {}\n\n{}",
        printed::place(result),
        mismatch.why,
        sheet.join("\n")
    );
    let _ = writeln!(
        out,
        "{head}>\n      <failure message=\"{}\" type=\"mismatch\">{}</failure>\n    </testcase>",
        escaped(&mismatch.why),
        escaped(&text)
    );
}
