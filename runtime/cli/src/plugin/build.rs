//! `trunkline plugin build`: a component of what a department wrote, with its manifest and its
//! comments in it, and what the change means for flows.

mod against;
mod tools;
mod wit;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
};

use anyhow::{Context as _, anyhow};
use clap::Args;
use trunkline_package::{
    project::{Language, Project},
    reference::Source,
    sections::{self, Words},
};
use trunkline_plugin::{Capability, Contents, Grants, Inspection, contents::Offered};

use self::against::Verdict;
use super::{inspect, package::Registry, wants};
use crate::{
    exit::{Exit, Failure, Outcome},
    files,
};

/// Where components are put, in a plugin's folder.
pub(crate) const DIST: &str = "dist";

/// How long a build may take.
const BUILD_TIME_MAX: std::time::Duration = std::time::Duration::from_secs(1_800);

/// Build a plugin's component, and say what the change means for flows
///
/// Runs the build of plugin.toml and puts what it says of itself into the component: the manifest, the
/// WIT with its comments, and the metadata that other tools read. The same source in Rust gives the same bytes.
/// The interface is compared with a former version's: what flows have to be changed for is a major change.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    trunkline plugin build\n  \
    trunkline plugin build plugins/crm-lookup --against flows/city-hotline/plugins/crm_lookup.wasm\n  \
    trunkline plugin build --against oci://registry.example/civil/crm@1.4.2\n  \
    trunkline plugin build --keep    keeps the component as this version, for later ones to be compared with\n\n\
    Exit codes: 0 when it is built; 1 when it is not, or its version is lower than the change asks for.")]
pub(crate) struct Build {
    /// The plugin's folder
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// The former version to compare with: a .wasm or .tlpkg file, or a package in a registry
    /// (oci://…@VERSION) [default: the newest kept in dist/]
    #[arg(long, value_name = "FILE|REFERENCE", value_parser = Source::parse)]
    against: Option<Source>,
    /// Let a version pass that is lower than the change asks for
    #[arg(long)]
    allow: bool,
    /// Keep the component as dist/NAME-VERSION.wasm, once it has been given to others
    #[arg(long)]
    keep: bool,
    #[command(flatten)]
    registry: Registry,
}

impl Build {
    /// Runs the command.
    pub(crate) async fn run(&self) -> Outcome {
        let project = Project::read(&self.folder).map_err(|error| Failure::usage(anyhow!(error)))?;
        let bytes: Arc<[u8]> = component(&self.folder, &project).await?.into();
        let place = place_of(&self.folder, &project);
        let told = inspect::tell(bytes.clone()).await?;
        check_wants(&project, &told.contents)?;
        let inspection = match &told.loaded {
            Ok(inspection) => inspection,
            Err(error) => {
                return Err(Failure::from(anyhow!(
                    "{} is built, and no server would take it: {error}",
                    place.display()
                )));
            }
        };
        introduce(&place, inspection, &told.contents, &project);
        let former = against::former(&self.folder, &project, self.against.as_ref(), &self.registry).await?;
        let verdict = match former {
            Some(former) => Some(former.compare(&bytes, inspection).await?),
            None => None,
        };
        let exit = self.judge(&project, verdict.as_ref());
        if self.keep && exit == Exit::Done {
            let kept = against::kept(&self.folder, &project);
            files::put(&kept, &bytes)?;
            anstream::println!("kept     {}", kept.display());
        }
        Ok(exit)
    }

    /// Says what the change means, and whether the version tells so.
    fn judge(&self, project: &Project, verdict: Option<&Verdict>) -> Exit {
        let bold = anstyle::Style::new().bold();
        let Some(verdict) = verdict else {
            anstream::println!(
                "change   no former version to compare with; `--keep` keeps this one for those to come"
            );
            return Exit::Done;
        };
        anstream::print!("{}", verdict.told());
        let version = &project.manifest.version;
        let Some(due) = verdict.too_low(version) else {
            return Exit::Done;
        };
        let red = anstyle::AnsiColor::Red.on_default().bold();
        let style = if self.allow { bold } else { red };
        anstream::println!(
            "{style}version{style:#}  {version} is lower than the change asks for: write `version = \"{due}\"` into plugin.toml"
        );
        if self.allow { Exit::Done } else { Exit::Findings }
    }
}

/// Where a plugin's component is put.
pub(crate) fn place_of(folder: &Path, project: &Project) -> PathBuf {
    folder.join(DIST).join(format!("{}.wasm", project.manifest.name))
}

/// Builds a plugin's component, puts it into dist/, and gives it.
///
/// # Errors
/// A tool is missing, the build fails, or what it leaves is no component.
pub(crate) async fn component(folder: &Path, project: &Project) -> Result<Vec<u8>, Failure> {
    tools::check(folder, project)?;
    run(folder, project).await?;
    let raw = folder.join(&project.build.component);
    let bytes = fs::read(&raw).with_context(|| {
        format!(
            "the build ended well and left no {}; name what it leaves with `component` in plugin.toml, under [build]",
            raw.display()
        )
    })?;
    let wit = wit::text(&folder.join(&project.build.wit))?;
    let words = Words {
        manifest: &project.manifest,
        wit: wit.as_deref(),
        // The same source is to give the same bytes, wherever it was checked out from.
        revision: None,
    };
    let whole =
        sections::put(&bytes, &words).with_context(|| format!("{} cannot be a plugin", raw.display()))?;
    files::put(&place_of(folder, project), &whole)?;
    Ok(whole)
}

/// Runs the build's command. What it says is shown when it fails.
async fn run(folder: &Path, project: &Project) -> Result<(), Failure> {
    let command = &project.build.command;
    let dim = anstyle::Style::new().dimmed();
    anstream::eprintln!("{dim}building {}: {command}{dim:#}", project.manifest.name);
    let mut shell = tokio::process::Command::new("sh");
    shell
        .args(["-c", &format!("exec 2>&1; {command}")])
        .current_dir(folder)
        // The SDKs leave the WIT's text to us: it stands in the component once.
        .env("TRUNKLINE_PLUGIN_BUILD", "1")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    if project.build.language == Language::Rust {
        // They would put the component elsewhere, and make other bytes of the same source.
        for variable in [
            "CARGO_TARGET_DIR",
            "CARGO_BUILD_TARGET_DIR",
            "CARGO_ENCODED_RUSTFLAGS",
            "RUSTFLAGS",
        ] {
            shell.env_remove(variable);
        }
    }
    let output = tokio::time::timeout(BUILD_TIME_MAX, shell.output())
        .await
        .map_err(|_| {
            anyhow!(
                "the build took longer than {} minutes",
                BUILD_TIME_MAX.as_secs() / 60
            )
        })?
        .context("failed to run `sh` for the build")?;
    if output.status.success() {
        return Ok(());
    }
    anstream::eprint!("{}", String::from_utf8_lossy(&output.stdout));
    let hint = tools::hint(project.build.language, &output.stdout);
    Err(Failure::from(anyhow!(
        "the build failed ({}): {command}{hint}",
        output.status
    )))
}

/// Shows what was built.
fn introduce(place: &Path, inspection: &Inspection, contents: &Contents, project: &Project) {
    let bold = anstyle::Style::new().bold();
    let manifest = &project.manifest;
    anstream::println!(
        "{bold}{} {}{bold:#} of {}",
        manifest.name,
        manifest.version,
        manifest.department
    );
    anstream::println!("built    {}, {} bytes", place.display(), inspection.bytes);
    anstream::println!("sha256   {}", inspection.digest);
    let (mut capabilities, mut inert) = (Vec::new(), 0);
    for import in &contents.imports {
        match import.offered {
            Offered::Capability(capability) => capabilities.push(capability.to_string()),
            Offered::Inert => inert += 1,
            Offered::Unknown(_) => {}
        }
    }
    capabilities.sort();
    capabilities.dedup();
    let imports = if capabilities.is_empty() {
        "nothing".to_owned()
    } else {
        capabilities.join(", ")
    };
    anstream::println!("imports  {imports}; {inert} inert interfaces of WASI");
    for signature in &inspection.interface.functions {
        anstream::println!("offers   {signature}");
    }
    for line in wants::lines(&manifest.wants) {
        anstream::println!("wants    {line}");
    }
}

/// Makes sure that plugin.toml wants what the component imports: a component that has less than it imports
/// does not load. Asked before the host is, which tells one at a time.
///
/// # Errors
/// The lines that are missing.
pub(crate) fn check_wants(project: &Project, contents: &Contents) -> Result<(), Failure> {
    let missing = unwanted(&project.manifest.wants, contents);
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure::from(anyhow!(
        "the component imports more than plugin.toml wants; add under [wants]\n\n  {}\n",
        missing.join("\n  ")
    )))
}

/// Lines that plugin.toml lacks for what the component imports.
fn unwanted(wants: &Grants, contents: &Contents) -> Vec<&'static str> {
    let imports = |wanted| {
        contents
            .imports
            .iter()
            .any(|import| import.offered == Offered::Capability(wanted))
    };
    let lacks = [
        (
            Capability::Http,
            wants.http.is_empty(),
            "http = [\"GET https://host.example/path/*\"]   # the requests it makes",
        ),
        (Capability::KeyValues, wants.kv.is_none(), "kv = true"),
        (
            Capability::Secrets,
            wants.secrets.is_empty(),
            "secrets = { name = \"https://host.example\" }   # the secrets it uses, each where alone it may go",
        ),
    ];
    lacks
        .into_iter()
        .filter(|(capability, lacks, _)| *lacks && imports(*capability))
        .map(|(_, _, line)| line)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_imported_and_not_wanted_is_told_all_at_once() {
        let component = wat::parse_str(
            "(component (import \"trunkline:host/kv@0.1.0\" (instance)) (import \"wasi:http/types@0.2.6\" (instance))
             (import \"trunkline:host/secrets@0.1.0\" (instance)) (import \"trunkline:host/log@0.1.0\" (instance)))",
        )
        .unwrap();
        let contents = Contents::of(&component);
        let missing = unwanted(&Grants::default(), &contents);
        assert_eq!(missing.len(), 3, "{missing:?}");
        let text = format!(
            "[plugin]\nname = \"a\"\nversion = \"1.0.0\"\ndepartment = \"d\"\n[build]\nlanguage = \"rust\"\n[wants]\n{}\n",
            missing.join("\n")
        );
        let project = Project::parse("plugin.toml", &text).unwrap();
        assert!(check_wants(&project, &contents).is_ok());
    }
}
