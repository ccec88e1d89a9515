//! The scripts of findings, kept as scenarios: `dial --script` plays one, `trunkline test` keeps it.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::Context as _;
use trunkline_flow::Diagnostic;

use crate::{exit::Failure, files};

/// Writes a scenario for each finding that has a script. How many were written.
///
/// # Errors
/// A file cannot be written.
pub(super) fn write(findings: &[Diagnostic], folder: &Path) -> Result<usize, Failure> {
    if findings.iter().all(|finding| finding.witness.is_none()) {
        return Ok(0);
    }
    fs::create_dir_all(folder).with_context(|| format!("failed to make {}", folder.display()))?;
    let mut written = 0;
    let mut names: BTreeSet<String> = BTreeSet::new();
    for finding in findings {
        let Some(witness) = &finding.witness else { continue };
        let place = format!("{}:{}", finding.file, finding.line);
        let stem = format!(
            "{}-{}-{}",
            finding.code.as_str().to_lowercase(),
            finding
                .file
                .trim_end_matches(".yaml")
                .rsplit('/')
                .next()
                .unwrap_or_default(),
            finding.line
        );
        // Two findings may be about one line, and two flows of one name in two folders.
        let mut name = format!("{stem}.yaml");
        for same in 2.. {
            if names.insert(name.clone()) {
                break;
            }
            name = format!("{stem}-{same}.yaml");
        }
        let text = format!(
            "# {} at {place}: {}\n# What it expects is what goes wrong: once that is mended, say what is to come instead.\n{}",
            finding.code,
            finding.message,
            witness.to_scenario(&finding.message)
        );
        files::replace(&folder.join(&name), &text)
            .with_context(|| format!("failed to write {}", folder.join(&name).display()))?;
        written += 1;
    }
    Ok(written)
}
