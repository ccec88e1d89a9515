//! `trunkline check`: all that is wrong with a hotline, before anybody calls it.

mod budget;
mod scripts;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::anyhow;
use clap::Args;
use trunkline_flow::{
    Rules, Severity,
    diagnostics::{Color, render},
    prove::{self, Reach},
};
use trunkline_journal::StoreSpec;
use trunkline_node::{Clock, Node, Release, Report, Settings, StartError, Verdict, read_folder};

use crate::{
    exit::{Exit, Failure, Outcome},
    mend::{Mended, mend},
    place,
    report::{Format, Told, count},
};

/// Check a hotline: every file, every flow, every call against its plugin
///
/// Loads the components to learn the signatures of their functions, as a server would, and
/// reports everything that it finds at once. Nothing is called and nothing is kept.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    trunkline check flows/city-hotline\n  \
    trunkline check --output-format json flows/city-hotline | jq '.findings[].code'\n  \
    trunkline check --output-format sarif flows/city-hotline > trunkline.sarif\n  \
    trunkline check --fix --dry-run flows/city-hotline    show what could be mended\n  \
    trunkline check --budget flows/city-hotline           how far it is to a human\n  \
    trunkline check --scripts broken flows/city-hotline   a scenario for each broken rule\n\n\
    Exit codes: 0 when the hotline loads, with warnings or without; 1 when it does not.")]
pub(crate) struct Check {
    /// The hotline's folder
    hotline: PathBuf,
    /// How to print what is found
    #[arg(long, value_enum, default_value_t = Format::Text)]
    output_format: Format,
    /// Mend what can be mended for sure, then check again
    #[arg(long)]
    fix: bool,
    /// Mend also where the mend is only the likeliest: look at what it wrote
    #[arg(long, requires = "fix")]
    unsafe_fixes: bool,
    /// Write nothing; show what would be mended
    #[arg(long, requires = "fix")]
    dry_run: bool,
    /// Also show the fewest and the most presses and seconds from the answer to a human and to
    /// each service that the flows name, for each number and language
    #[arg(long)]
    budget: bool,
    /// Write into this folder, for each broken rule, the scenario that breaks it: `dial --script`
    /// plays one, and in the hotline's `tests` folder `test` keeps it
    #[arg(long, value_name = "FOLDER")]
    scripts: Option<PathBuf>,
}

impl Check {
    /// Runs the command.
    pub(crate) async fn run(&self) -> Outcome {
        let folder = place::hotline(&self.hotline)?;
        if self.fix {
            let mended = mend(&folder, self.unsafe_fixes).await?;
            if self.dry_run {
                anstream::print!("{}", mended.difference());
                anstream::eprintln!("{}", told(&mended, "would be mended"));
                return Ok(Exit::Done);
            }
            mended.write(&folder)?;
            // Findings for programs stay alone on standard output.
            anstream::eprint!("{}", mended.told());
            anstream::eprintln!("{}", told(&mended, "mended"));
        }
        let report = match start(&folder).await {
            Ok(node) => {
                let report = node.releases().reports().into_iter().next();
                node.shutdown().await;
                report.ok_or_else(|| Failure::from(anyhow!("the hotline was not built")))?
            }
            Err(StartError::Check { report, .. }) => report,
            Err(error) => return Err(anyhow!(error).into()),
        };
        let reaches = if self.budget { reaches(&folder).await } else { None };
        match self.output_format {
            Format::Text => {
                anstream::print!("{}", findings(&report, &folder));
                if let Some(reaches) = &reaches {
                    anstream::println!("{}", budget::table(reaches));
                }
                anstream::println!("{}", summary(&report, &self.hotline));
            }
            format => {
                let told = Told {
                    hotline: &self.hotline,
                    report: &report,
                    reaches: reaches.as_deref(),
                };
                anstream::print!("{}", told.print(format).unwrap_or_default());
            }
        }
        if let Some(scripts) = &self.scripts {
            let written = scripts::write(&report.findings, scripts)?;
            let plural = if written == 1 { "script" } else { "scripts" };
            anstream::eprintln!("{written} {plural} written to {}", scripts.display());
        }
        Ok(if report.verdict.is_good() {
            Exit::Done
        } else {
            Exit::Findings
        })
    }
}

/// What services cost callers, rules held or not; none when the hotline does not load.
async fn reaches(folder: &Path) -> Option<Vec<Reach>> {
    let node = rehearse(folder).await.ok()?;
    let release = node.releases().current();
    node.shutdown().await;
    Some(prove::budget(release?.hotline()))
}

/// How much was mended, in a line.
fn told(mended: &Mended, what: &str) -> String {
    let made = mended.made.len();
    let findings = if made == 1 { "finding" } else { "findings" };
    let more = match mended.unasked {
        0 => String::new(),
        more => format!("; {more} more could be by `--unsafe-fixes`"),
    };
    format!("{made} {findings} {what}{more}")
}

/// Starts a node that keeps nothing and listens nowhere: enough to check a hotline, or to call
/// it in process.
pub(crate) async fn start(folder: &Path) -> Result<Node, StartError> {
    start_with(folder, Rules::Enforced).await
}

/// Starts such a node for a rehearsal: findings of rule packs are told and do not hinder it.
pub(crate) async fn rehearse(folder: &Path) -> Result<Node, StartError> {
    start_with(folder, Rules::Reported).await
}

async fn start_with(folder: &Path, rules: Rules) -> Result<Node, StartError> {
    Node::start(Settings {
        hotline: folder.to_owned(),
        store: StoreSpec::Memory,
        master_key: None,
        watch: false,
        listen: None,
        clock: Clock::system(),
        cache: place::cache(),
        rules,
    })
    .await
}

/// Builds a hotline to look at it: nothing is called and nothing is kept.
///
/// # Errors
/// It does not load; its findings have been printed.
pub(crate) async fn load(folder: &Path) -> Result<Arc<Release>, Failure> {
    let node = rehearse(folder).await.map_err(|error| match error {
        StartError::Check { report, .. } => {
            anstream::eprint!("{}", findings(&report, folder));
            Failure::from(anyhow!(
                "{} does not load; mend the findings first",
                folder.display()
            ))
        }
        error => anyhow!(error).into(),
    })?;
    let release = node.releases().current();
    node.shutdown().await;
    release.ok_or_else(|| Failure::from(anyhow!("the hotline was not built")))
}

/// A report's findings, each with the lines it is about, coloured: the output takes colours away
/// where they are not wanted.
pub(crate) fn findings(report: &Arc<Report>, folder: &Path) -> String {
    if report.verdict == Verdict::Failed {
        return format!("{}\n\n", report.text.trim_end());
    }
    match read_folder(folder) {
        Ok(sources) => render(&report.findings, &sources, Color::Always),
        // Gone or changed since: as it was when it was built.
        Err(_) => report.text.clone(),
    }
}

fn summary(report: &Report, hotline: &Path) -> String {
    let (errors, warnings) = (count(report, Severity::Error), count(report, Severity::Warning));
    let red = anstyle::AnsiColor::Red.on_default().bold();
    let green = anstyle::AnsiColor::Green.on_default().bold();
    let plural = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let found = format!("{}, {}", plural(errors, "error"), plural(warnings, "warning"));
    let shown = hotline.display();
    match (report.verdict.is_good(), &report.release) {
        (true, Some(release)) => {
            format!(
                "{green}{shown} loads{green:#}: {found}, release {}, {}",
                release.short(),
                report.took
            )
        }
        _ => {
            format!("{red}{shown} does not load{red:#}: {found}; `trunkline explain CODE` says more of each")
        }
    }
}
