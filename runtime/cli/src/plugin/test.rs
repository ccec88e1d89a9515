//! `trunkline plugin test`: a component's tables of tests, and inputs that nobody thought of.

mod fuzz;
mod junit;
mod mask;
mod printed;
mod record;
mod recording;
mod stand;
mod table;
mod values;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::anyhow;
use clap::{Args, ValueEnum};
use tokio::time::Instant;
use trunkline_node::ServerSecrets;
use trunkline_package::project::Project;

use self::{
    fuzz::{Fuzz, Fuzzed},
    recording::Reply,
    stand::{Ran, Stand},
    table::{Case, Http, Read, Recordings},
};
use super::{build, inspect::read_component};
use crate::{
    check,
    exit::{Exit, Failure, Outcome},
};

/// Inputs for each function when nobody says how many.
pub(crate) const FUZZ_DEFAULT: u32 = 200;

/// Test a plugin: its tables in tests/*.yaml, and inputs that nobody thought of
///
/// The component runs in the host that a server has, within the limits of plugin.toml, one sandbox for
/// each call. Requests over HTTP are answered by recorded replies. Then each function is called with inputs made
/// from its types: it may refuse them, and may not fault.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    trunkline plugin test\n  \
    trunkline plugin test plugins/crm-lookup not-found --fuzz 0\n  \
    trunkline plugin test --fuzz 5000 --seed 7\n  \
    trunkline plugin test --record            real replies, kept with personal data masked\n  \
    trunkline plugin test --output-format junit > results.xml\n\n\
    Exit codes: 0 when all pass; 1 when a case fails, an input makes a function fault, or it does not build.")]
pub(crate) struct Test {
    /// The plugin's folder
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// Run only cases whose name or file holds one of these, and fuzz nothing
    filter: Vec<String>,
    /// Take the component from this file instead of building it
    #[arg(long, value_name = "FILE")]
    component: Option<PathBuf>,
    /// Take what the last build left instead of building it
    #[arg(long, conflicts_with = "component")]
    no_build: bool,
    /// Make real requests, within the plugin's wants, and keep the replies in the recordings that cases name
    #[arg(long)]
    record: bool,
    /// With --record: a file of the secrets that the real services ask for, as `serve` reads it; they may stand in
    /// the environment too
    #[arg(long, value_name = "FILE", env = "TRUNKLINE_SECRETS_FILE")]
    secrets: Option<PathBuf>,
    /// How many inputs to make for each function; 0 makes none
    #[arg(long, value_name = "N", default_value_t = FUZZ_DEFAULT)]
    fuzz: u32,
    /// Which inputs to make: the same seed makes the same ones [default: another one each time]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How to print what comes of it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    output_format: Format,
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

/// A case and what came of it.
struct Tested {
    file: String,
    case: Case,
    ran: Ran,
}

/// All that came of it.
struct Results {
    plugin: String,
    tested: Vec<Tested>,
    fuzzed: Vec<Fuzzed>,
    seed: u64,
    limits: trunkline_plugin::Limits,
    took: std::time::Duration,
    /// What could not be read, each as a line.
    wrong: Vec<String>,
}

impl Results {
    fn all_passed(&self) -> bool {
        self.wrong.is_empty()
            && self.tested.iter().all(|tested| tested.ran.passed())
            && self.fuzzed.iter().all(|fuzzed| fuzzed.finding.is_none())
    }
}

impl Test {
    /// The tests of a component that was just built.
    pub(super) fn after_build(folder: &Path, component: PathBuf, fuzz: u32) -> Self {
        Self {
            folder: folder.to_owned(),
            filter: Vec::new(),
            component: Some(component),
            no_build: false,
            record: false,
            secrets: None,
            fuzz,
            seed: None,
            output_format: Format::Text,
        }
    }

    /// Runs the command.
    pub(crate) async fn run(&self) -> Outcome {
        let project = Project::read(&self.folder).map_err(|error| Failure::usage(anyhow!(error)))?;
        let component = match &self.component {
            Some(file) => read_component(file)?,
            None if self.no_build => read_component(&build::place_of(&self.folder, &project))?,
            None => build::component(&self.folder, &project).await?.into(),
        };
        let results = self.all(project, component).await?;
        match self.output_format {
            Format::Text => printed::summary(&results),
            Format::Json => anstream::println!("{:#}", printed::json(&results)),
            Format::Junit => anstream::print!("{}", junit::report(&results)),
        }
        if results.tested.is_empty() && results.wrong.is_empty() && !self.filter.is_empty() {
            return Err(Failure::usage(anyhow!(
                "no case's name or file holds {}",
                self.filter.join(" or ")
            )));
        }
        Ok(if results.all_passed() {
            Exit::Done
        } else {
            Exit::Findings
        })
    }

    async fn all(&self, project: Project, component: Arc<[u8]>) -> Result<Results, Failure> {
        let began = Instant::now();
        let name = project.manifest.name.to_string();
        let stand = Stand::new(component, project.manifest)?;
        let interface = stand.interface().await?;
        if self.record {
            let read = table::read_all(&self.folder, &interface, Recordings::Made);
            let meant = |case: &Case, file: &str| self.is_meant(case, file);
            let secrets =
                ServerSecrets::open(self.secrets.clone(), check::environment()).map_err(Failure::usage)?;
            record::record(&self.folder, &stand, &read.tables, Arc::new(secrets), meant).await?;
        }
        // What was just recorded is what is tested.
        let Read { tables, wrong } = table::read_all(&self.folder, &interface, Recordings::Read);
        let mut results = Results {
            plugin: name,
            tested: Vec::new(),
            fuzzed: Vec::new(),
            seed: self.seed.unwrap_or_else(any_seed),
            limits: *stand.limits(),
            took: std::time::Duration::ZERO,
            wrong,
        };
        let text = self.output_format == Format::Text;
        if text {
            printed::wrong(&results.wrong);
        }
        let (mut settings, mut secrets) = (BTreeMap::new(), BTreeMap::new());
        for table in tables {
            let plugin = stand
                .deploy(&table.config, stand.test_secrets(&table.secrets)?)
                .await?;
            // What a function needs to be set it needs when it is fuzzed too.
            settings.extend(table.config);
            secrets.extend(table.secrets);
            for case in table.cases {
                if !self.is_meant(&case, &table.file) {
                    continue;
                }
                let ran = stand.run(&plugin, &case, None).await;
                let tested = Tested {
                    file: table.file.clone(),
                    case,
                    ran,
                };
                if text {
                    printed::tested(&tested, &results.limits);
                }
                results.tested.push(tested);
            }
        }
        if self.fuzz > 0 && self.filter.is_empty() {
            let replies = recorded_replies(&results.tested);
            let plugin = stand.deploy(&settings, stand.test_secrets(&secrets)?).await?;
            let fuzz = Fuzz {
                stand: &stand,
                plugin: &plugin,
                seed: results.seed,
                inputs: self.fuzz,
                replies: &replies,
            };
            for function in &interface.functions {
                let fuzzed = fuzz.function(function).await;
                if text {
                    printed::fuzzed(&fuzzed, &results.limits);
                }
                results.fuzzed.push(fuzzed);
            }
        }
        results.took = began.elapsed();
        Ok(results)
    }

    fn is_meant(&self, case: &Case, file: &str) -> bool {
        self.filter.is_empty()
            || self
                .filter
                .iter()
                .any(|part| case.name.contains(part) || file.contains(part))
    }
}

/// All replies that the cases' recordings hold.
fn recorded_replies(tested: &[Tested]) -> Vec<Reply> {
    let recordings = tested.iter().map(|tested| match &tested.case.http {
        Http::Inline(recording) | Http::File(_, recording) => recording,
    });
    recordings
        .flat_map(|recording| &recording.exchanges)
        .map(|exchange| exchange.reply.clone())
        .collect()
}

/// A seed that nobody chose.
fn any_seed() -> u64 {
    // Small enough to be typed again.
    const SEEDS: u64 = 1_000_000;
    getrandom::u64().map_or(1, |random| random % SEEDS)
}
