//! `trunkline test`: a hotline's scenarios, all at once.

mod coverage;
mod junit;
mod printed;
pub(crate) mod real;
pub(crate) mod run;

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::{Args, ValueEnum};
use tokio::time::Instant;
use trunkline_flow::{
    Severity, Sources,
    diagnostics::{Color, render_in},
    limits::{FILE_BYTES_MAX, FILES_MAX},
    scenario::{self, FOLDER, Scenarios},
};
use trunkline_node::StartError;

use self::run::{Cast, Settings};
use crate::{
    check::{self, findings},
    exit::{Exit, Failure, Outcome},
    place,
    tongue::tongue,
};

/// Play a hotline's scenarios: tests/*.yaml, each one call and what is to come of it
///
/// Time is virtual: a scenario that waits ten minutes takes no longer than another. Plugins answer
/// as each scenario says, or really with `--real`, while the contact's time stands still.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    trunkline test flows/city-hotline\n  \
    trunkline test flows/city-hotline anxious --coverage\n  \
    trunkline test flows/city-hotline --output-format junit > results.xml\n  \
    trunkline test flows/city-hotline --coverage=html --coverage-file coverage.html\n\n\
    Exit codes: 0 when all pass; 1 when one does not, cannot be played, or the hotline does not load;\n\
    2 when there is nothing to play.")]
pub(crate) struct Test {
    /// The hotline's folder
    hotline: PathBuf,
    /// Play only scenarios whose name or file holds one of these
    filter: Vec<String>,
    /// Call the plugins' components instead of taking the scenarios' answers
    #[arg(long)]
    real: bool,
    /// How many are played at once [default: as many as there are processors]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
    /// How to print what comes of it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    output_format: Format,
    /// Say which steps, ways, keys and prompts no scenario met; `html` paints the flows
    #[arg(
        long,
        value_name = "FORMAT",
        value_enum,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "text"
    )]
    coverage: Option<CoverageFormat>,
    /// Where `--coverage=html` is written
    #[arg(long, value_name = "FILE", default_value = "coverage.html")]
    coverage_file: PathBuf,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs
    Json,
    /// JUnit's XML, for what collects tests' results
    Junit,
}

/// How coverage is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum CoverageFormat {
    /// In the terminal
    Text,
    /// As a page with the flows painted
    Html,
}

impl Test {
    /// Runs the command.
    pub(crate) async fn run(&self) -> Outcome {
        let folder = place::hotline(&self.hotline)?;
        let node = if self.real {
            check::rehearse_for_real(&folder).await
        } else {
            check::rehearse(&folder).await
        };
        let node = node.map_err(|error| match error {
            StartError::Check { report, .. } => {
                anstream::eprint!("{}", findings(&report, &folder));
                Failure::from(anyhow!(
                    "{} does not load; mend the findings and test again",
                    folder.display()
                ))
            }
            error => anyhow!(error).into(),
        })?;
        let release = node
            .releases()
            .current()
            .ok_or_else(|| Failure::from(anyhow!("the hotline was not built")))?;
        let sources = read_scenarios(&folder)?;
        let cast = Cast::of(&release);
        let read = scenario::read(&sources, &cast.hotline, &cast.interfaces);
        let outcome = self.play(cast, read, &sources);
        node.shutdown().await;
        outcome
    }

    fn play(&self, cast: Cast, mut read: Scenarios, sources: &Sources) -> Outcome {
        let unplayable = unplayable(&read);
        read.scenarios.retain(|scenario| {
            self.filter.is_empty()
                || self
                    .filter
                    .iter()
                    .any(|part| scenario.name.contains(part) || scenario.file.contains(part))
        });
        if self.output_format == Format::Text {
            anstream::eprint!(
                "{}",
                render_in(&read.diagnostics, sources, Color::Always, tongue())
            );
        }
        if read.scenarios.is_empty() && unplayable.is_empty() {
            return Err(Failure::usage(if sources.files.is_empty() {
                anyhow!(
                    "{} has no scenarios; write one as {FOLDER}/NAME.yaml, or keep a rehearsal: \
                     `@save {FOLDER}/NAME.yaml` in `trunkline dial`",
                    self.hotline.display()
                )
            } else {
                anyhow!("no scenario's name or file holds {}", self.filter.join(" or "))
            }));
        }
        let settings = Settings {
            real: self.real,
            jobs: self.jobs.map(usize::from),
            shown: self.output_format == Format::Text,
        };
        let began = Instant::now();
        let results = run::all(&cast, &read.scenarios, settings);
        let took = began.elapsed();
        let coverage = results.coverage.report(&cast.hotline);
        match self.output_format {
            Format::Text => {
                printed::failures(&results);
                printed::summary(&results, &unplayable, took);
                if self.coverage == Some(CoverageFormat::Text) {
                    coverage::print(&coverage);
                }
            }
            Format::Json => {
                let json = printed::json(
                    &results,
                    &read.diagnostics,
                    took,
                    self.coverage.map(|_| &coverage),
                );
                anstream::println!("{json:#}");
            }
            Format::Junit => {
                anstream::print!("{}", junit::report(&results, &unplayable, &cast.hotline, took));
            }
        }
        if self.coverage == Some(CoverageFormat::Html) {
            let page = coverage::html(&cast.hotline, &results.coverage, &coverage);
            std::fs::write(&self.coverage_file, page).map_err(|error| {
                let shown = self.coverage_file.display();
                Failure::from(anyhow!(error).context(format!("failed to write {shown}")))
            })?;
            anstream::eprintln!("coverage: {}", self.coverage_file.display());
        }
        Ok(if results.all_passed() && unplayable.is_empty() {
            Exit::Done
        } else {
            Exit::Findings
        })
    }
}

/// The files of scenarios that cannot be played, each once.
fn unplayable(read: &Scenarios) -> Vec<String> {
    let errors = read
        .diagnostics
        .iter()
        .filter(|finding| finding.severity == Severity::Error);
    let mut files: Vec<String> = errors.map(|finding| finding.file.to_string()).collect();
    files.sort();
    files.dedup();
    files
}

/// Reads the scenarios of a hotline's folder; none where it has no folder of them.
///
/// # Errors
/// One of them cannot be read as text, or there are too many.
pub(crate) fn read_scenarios(folder: &Path) -> Result<Sources, Failure> {
    let mut sources = Sources::default();
    let Ok(entries) = std::fs::read_dir(folder.join(FOLDER)) else {
        return Ok(sources);
    };
    for entry in entries {
        let entry = entry.map_err(|error| Failure::from(anyhow!(error)))?;
        let path = format!("{FOLDER}/{}", entry.file_name().to_string_lossy());
        if !scenario::is_scenario(&path) {
            continue;
        }
        let too_large = entry
            .metadata()
            .is_ok_and(|metadata| metadata.len() > FILE_BYTES_MAX as u64);
        if too_large {
            return Err(Failure::usage(anyhow!(
                "{path} is larger than {FILE_BYTES_MAX} bytes; a scenario is one call"
            )));
        }
        let text = std::fs::read_to_string(entry.path())
            .map_err(|error| Failure::from(anyhow!(error).context(format!("failed to read {path}"))))?;
        sources.files.insert(path.into(), text.into());
        if sources.files.len() > FILES_MAX {
            return Err(Failure::usage(anyhow!(
                "{FOLDER}/ has more than {FILES_MAX} scenarios"
            )));
        }
    }
    Ok(sources)
}
