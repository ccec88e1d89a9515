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
    Diagnostic, Rules, Severity, Sources,
    diagnostics::{Color, render_in},
    prove, scenario,
};
use trunkline_journal::StoreSpec;
use trunkline_node::{
    Clock, Node, Release, Report, ServerSecrets, Settings, StartError, Verdict, read_folder,
};
use trunkline_plugin::Secrets;

use crate::{
    exit::{Exit, Failure, Outcome},
    mend::{Mended, mend},
    place,
    report::{Format, Told, count},
    test::{read_scenarios, run::interfaces},
    tongue::{told as said, tongue},
};

/// Check a hotline: every file, every flow, every call against its plugin
///
/// Loads the components to learn the signatures of their functions, as a server would, and
/// reports everything that it finds at once, in the scenarios of `tests` as well. Nothing is called
/// and nothing is kept.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    trunkline check flows/city-hotline\n  \
    trunkline check --output-format json flows/city-hotline | jq '.findings[].code'\n  \
    trunkline check --output-format sarif flows/city-hotline > trunkline.sarif\n  \
    trunkline check --fix --dry-run flows/city-hotline    show what could be mended\n  \
    trunkline check --budget flows/city-hotline           how far it is to a human\n  \
    trunkline check --scripts broken flows/city-hotline   a scenario for each broken rule\n\n\
    Exit codes: 0 when nothing is wrong but for warnings; 1 when the hotline does not load, or a scenario of it\n\
    cannot be played.")]
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
        let (report, release) = look(&folder).await?;
        let (report, scenarios) = with_scenarios(&report, release.as_deref(), &folder)?;
        let reaches = release
            .as_deref()
            .filter(|_| self.budget)
            .map(|release| prove::budget(release.hotline()));
        match self.output_format {
            Format::Text => {
                anstream::print!("{}", findings_with(&report, &folder, scenarios));
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
            let shown = scripts.display();
            anstream::eprintln!(
                "{}",
                match written {
                    0 => said(
                        "没有需要写出的脚本".to_owned(),
                        "there is no script to write: no rule is broken, or other errors come first"
                            .to_owned(),
                    ),
                    1 => said(
                        format!("已写出 1 个脚本：{shown}"),
                        format!("1 script written to {shown}")
                    ),
                    _ => said(
                        format!("已写出 {written} 个脚本：{shown}"),
                        format!("{written} scripts written to {shown}"),
                    ),
                }
            );
        }
        Ok(if report.verdict.is_good() && report.errors() == 0 {
            Exit::Done
        } else {
            Exit::Findings
        })
    }
}

/// Builds a hotline: what is to be said of it, and the release; none when it does not load even with
/// the rules of its packs only reported.
async fn look(folder: &Path) -> Result<(Arc<Report>, Option<Arc<Release>>), Failure> {
    match start(folder).await {
        Ok(node) => {
            let report = node.releases().reports().into_iter().next();
            let release = node.releases().current();
            node.shutdown().await;
            let report = report.ok_or_else(|| Failure::from(anyhow!("the hotline was not built")))?;
            Ok((report, release))
        }
        Err(StartError::Check { report, .. }) => {
            let by_rules =
                |finding: &Diagnostic| finding.severity == Severity::Warning || finding.clause.is_some();
            // With other errors it would not load either.
            if !report.findings.iter().all(by_rules) {
                return Ok((report, None));
            }
            let release = match rehearse(folder).await {
                Ok(node) => {
                    let release = node.releases().current();
                    node.shutdown().await;
                    release
                }
                Err(_) => None,
            };
            Ok((report, release))
        }
        Err(error) => Err(anyhow!(error).into()),
    }
}

/// A report with what is wrong with the hotline's scenarios, and their files.
///
/// # Errors
/// A scenario's file cannot be read.
fn with_scenarios(
    report: &Arc<Report>,
    release: Option<&Release>,
    folder: &Path,
) -> Result<(Arc<Report>, Sources), Failure> {
    let sources = read_scenarios(folder)?;
    let Some(release) = release.filter(|_| !sources.files.is_empty()) else {
        return Ok((report.clone(), sources));
    };
    let read = scenario::read(&sources, release.hotline(), &interfaces(release));
    let mut whole = Report::clone(report);
    whole.findings.extend(read.diagnostics);
    Ok((Arc::new(whole), sources))
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
    Node::start(settings(folder, Rules::Enforced, None)).await
}

/// Starts such a node for a rehearsal: findings of rule packs are told and do not hinder it.
pub(crate) async fn rehearse(folder: &Path) -> Result<Node, StartError> {
    // Nothing is called, so what is wrong with a secret hinders nobody.
    let secrets = ServerSecrets::open(None, environment()).ok();
    let secrets = secrets.map(|secrets| Arc::new(secrets) as _);
    Node::start(settings(folder, Rules::Reported, secrets)).await
}

/// The same where plugins are really called: they have the secrets of the environment, and whoever
/// rehearses is told when they have not.
pub(crate) async fn rehearse_for_real(folder: &Path) -> Result<Node, StartError> {
    Node::start(settings(folder, Rules::Reported, secrets_of_environment())).await
}

/// The same, and builds again what is saved in the folder meanwhile.
pub(crate) async fn rehearse_and_watch(folder: &Path) -> Result<Node, StartError> {
    Node::start(Settings {
        watch: true,
        ..settings(folder, Rules::Reported, secrets_of_environment())
    })
    .await
}

fn secrets_of_environment() -> Option<Arc<dyn Secrets>> {
    let secrets = ServerSecrets::open(None, environment());
    let secrets = secrets.inspect_err(|error| {
        let yellow = anstyle::AnsiColor::Yellow.on_default().bold();
        anstream::eprintln!("{yellow}plugins are called without secrets{yellow:#}: {error}");
    });
    secrets.ok().map(|secrets| Arc::new(secrets) as _)
}

/// The variables of the environment that are text.
pub(crate) fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

fn settings(folder: &Path, rules: Rules, secrets: Option<Arc<dyn Secrets>>) -> Settings {
    Settings {
        hotline: folder.to_owned(),
        store: StoreSpec::Memory,
        master_key: None,
        watch: false,
        listen: None,
        clock: Clock::system(),
        cache: place::cache(),
        packages: place::packages(),
        rules,
        secrets,
        webhook: None,
        // Whoever looks or rehearses asks no department what is new, and has nobody told.
        feeds: false,
    }
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
    findings_with(report, folder, Sources::default())
}

/// The same, where some are about other files of the folder as well.
fn findings_with(report: &Arc<Report>, folder: &Path, more: Sources) -> String {
    if report.verdict == Verdict::Failed {
        return format!("{}\n\n", report.text.trim_end());
    }
    match read_folder(folder) {
        Ok(mut sources) => {
            sources.files.extend(more.files);
            render_in(&report.findings, &sources, Color::Always, tongue())
        }
        // Gone or changed since: as it was when it was built.
        Err(_) => report.text.clone(),
    }
}

fn summary(report: &Report, hotline: &Path) -> String {
    let (errors, warnings) = (count(report, Severity::Error), count(report, Severity::Warning));
    let red = anstyle::AnsiColor::Red.on_default().bold();
    let green = anstyle::AnsiColor::Green.on_default().bold();
    let plural = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let found = said(
        format!("{errors} 个错误，{warnings} 个警告"),
        format!("{}, {}", plural(errors, "error"), plural(warnings, "warning")),
    );
    let shown = hotline.display();
    match (report.verdict.is_good(), &report.release) {
        (true, Some(_)) if errors > 0 => said(
            format!("{green}{shown} 可以加载{green:#}，{red}但它的场景有误{red:#}：{found}"),
            format!("{green}{shown} loads{green:#}, {red}but its scenarios are not right{red:#}: {found}"),
        ),
        (true, Some(release)) => {
            let (release, took) = (release.short(), report.took);
            said(
                format!("{green}{shown} 可以加载{green:#}：{found}，版本 {release}，{took}"),
                format!("{green}{shown} loads{green:#}: {found}, release {release}, {took}"),
            )
        }
        _ => said(
            format!("{red}{shown} 不能加载{red:#}：{found}；`trunkline explain 代码` 有更多说明"),
            format!("{red}{shown} does not load{red:#}: {found}; `trunkline explain CODE` says more of each"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use trunkline_node::contacts::StateFilter;

    use super::*;

    /// `changes: func() -> list<string>`, which gives one.
    const WORKS: &str = r#"(component
        (core module $m
          (memory (export "memory") 1)
          (func (export "changes") (result i32) i32.const 1036)
          (data (i32.const 1024) "a\00\00\00\00\04\00\00\01\00\00\00\04\04\00\00\01\00\00\00"))
        (core instance $i (instantiate $m))
        (func (export "changes") (result (list string))
          (canon lift (core func $i "changes") (memory $i "memory"))))"#;

    async fn begun(node: &Node) -> usize {
        let page = node.contacts().page(StateFilter::All, None, 10).await;
        page.unwrap().contacts.len()
    }

    #[tokio::test]
    async fn who_rehearses_a_hotline_asks_no_feed() {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in [
            (
                "hotline.yaml",
                "hotline: test\nlanguages: [en]\ntime-zone: Asia/Shanghai\nnumbers: { \"12345\": { flow: main } }\n\
                 plugins:\n  works: { component: works.wasm, department: roads }\n\
                 feeds:\n  works: { call: works.changes, every: 1m, jitter: 1ms }\n",
            ),
            (
                "flows/main.yaml",
                "flow: main\nstart: done\nsteps: { done: { end: completed } }\n",
            ),
            (
                "flows/tell.yaml",
                "flow: tell\nstarts-on: feed.works\ninputs: { change: string }\nstart: done\n\
                 steps: { done: { end: completed } }\n",
            ),
        ] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        fs::write(folder.path().join("works.wasm"), wat::parse_str(WORKS).unwrap()).unwrap();
        let rehearsal = rehearse(folder.path()).await.unwrap();
        let server = Node::start(Settings {
            feeds: true,
            ..settings(folder.path(), Rules::Enforced, None)
        });
        let server = server.await.unwrap();
        // By when a server has asked, the rehearsal that began before it would have, too.
        for _ in 0..1_000 {
            if begun(&server).await > 0 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert_eq!((begun(&server).await, begun(&rehearsal).await), (1, 0));
    }
}
