//! `trunkline releases`: the releases of a server, and what became of the last builds.

use std::time::Duration;

use clap::Args;
use serde::Deserialize;

use crate::{
    api::Api,
    contacts::{Of, to_the_second},
    exit::{Exit, Outcome},
    plugin::Format,
    table,
};

/// List a server's releases: which is current, how many contacts are on each
///
/// Below the list stands what became of the last build, when it did not go live.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    trunkline releases\n  \
    trunkline releases --server http://10.0.0.5:8080 --output-format json")]
pub(crate) struct Releases {
    #[command(flatten)]
    of: Of,
    /// How to print them
    #[arg(long, value_enum, default_value_t = Format::Text)]
    output_format: Format,
}

#[derive(Deserialize)]
struct Listed {
    releases: Vec<Release>,
    #[serde(default)]
    reports: Vec<Report>,
}

#[derive(Deserialize)]
struct Release {
    release: String,
    hotline: String,
    stage: String,
    contacts: u64,
    built: String,
    numbers: Vec<String>,
}

#[derive(Deserialize)]
struct Report {
    at: String,
    verdict: String,
    text: String,
}

impl Releases {
    /// Runs the command.
    pub(crate) async fn run(&self) -> Outcome {
        let api = Api::at(&self.of.server)?;
        let path = "/api/v1/releases";
        let key = self.of.api_key.as_deref();
        match self.output_format {
            Format::Json => {
                let listed: serde_json::Value = api.get(path, key, Duration::ZERO).await?;
                anstream::println!("{listed:#}");
            }
            Format::Text => {
                let listed: Listed = api.get(path, key, Duration::ZERO).await?;
                anstream::print!("{}", told(&listed));
            }
        }
        Ok(Exit::Done)
    }
}

fn told(listed: &Listed) -> String {
    let mut rows = vec![
        ["RELEASE", "STAGE", "CONTACTS", "BUILT", "HOTLINE", "NUMBERS"]
            .map(ToOwned::to_owned)
            .to_vec(),
    ];
    rows.extend(listed.releases.iter().map(|release| {
        vec![
            release.release.chars().take(12).collect(),
            release.stage.clone(),
            release.contacts.to_string(),
            to_the_second(&release.built),
            release.hotline.clone(),
            release.numbers.join(" "),
        ]
    }));
    let mut text = table::lay_out(&rows);
    if let Some(report) = listed.reports.last()
        && matches!(report.verdict.as_str(), "refused" | "failed")
    {
        let yellow = anstyle::AnsiColor::Yellow.on_default();
        text.push_str(&format!(
            "\n{yellow}the build of {} was {}; nothing changed{yellow:#}\n{}\n",
            to_the_second(&report.at),
            report.verdict,
            report.text.trim_end()
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_build_is_told_under_the_list() {
        let listed: Listed = serde_json::from_value(serde_json::json!({
            "releases": [{ "release": "0123456789abcdef", "hotline": "city-hotline", "stage": "current",
                "contacts": 3, "built": "2026-11-22T08:00:00Z", "numbers": ["12345"], "warnings": [] }],
            "reports": [{ "number": 2, "at": "2026-11-22T08:01:00Z", "verdict": "refused",
                "took_ms": 3, "findings": [], "text": "error[TL0301]: a way out leads nowhere" }],
        }))
        .unwrap();
        let text = told(&listed);
        assert!(
            text.contains("0123456789ab  current") && text.contains("TL0301"),
            "{text}"
        );
    }
}
