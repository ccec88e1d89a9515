//! `trunkline diff`: what is different between two versions of a hotline, in words.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use anyhow::{Context as _, anyhow};
use clap::Args;
use serde_json::json;
use trunkline_flow::{
    diff::{Area, Change, Component, Side, Tongue, diff},
    parse,
    prove::budget,
};
use trunkline_model::PluginName;
use trunkline_node::{Release, read_folder};
use trunkline_package::key::PublicKey;
use trunkline_plugin::{Grants, Limits};

use crate::{
    check,
    exit::{Exit, Failure, Outcome},
    place,
    plugin::Format,
    tongue::tongue,
};

/// How a version in git is written.
const GIT: &str = "git:";

/// Say what is different between two versions of a hotline
///
/// Compares what they mean, not how they are written: ways that lead elsewhere, keys that moved, what is
/// said, times, hours, queues, plugins and what they may reach. Both versions have to load.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    trunkline diff city-hotline-before city-hotline\n  \
    trunkline diff git:HEAD:flows/city-hotline flows/city-hotline\n  \
    trunkline diff --lang zh-CN git:v1.4 .\n\n\
    Exit codes: 0 when they mean the same; 1 when they differ, or one does not load.")]
pub(crate) struct Diff {
    /// The old version: a hotline's folder, or git:REVISION:FOLDER
    old: String,
    /// The new version, in the same way
    new: String,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    output_format: Format,
}

impl Diff {
    /// Runs the command.
    pub(crate) async fn run(&self) -> Outcome {
        let (old, new) = (Version::open(&self.old)?, Version::open(&self.new)?);
        let (before, after) = (check::load(&old.folder).await?, check::load(&new.folder).await?);
        let (before_components, after_components) = (components(&before), components(&after));
        let (before_costs, after_costs) = (budget(before.hotline()), budget(after.hotline()));
        let changes = diff(
            &Side {
                hotline: before.hotline(),
                components: &before_components,
                costs: &before_costs,
                keys: &keys(&old.folder)?,
            },
            &Side {
                hotline: after.hotline(),
                components: &after_components,
                costs: &after_costs,
                keys: &keys(&new.folder)?,
            },
        );
        match self.output_format {
            Format::Text => anstream::print!("{}", told(&changes, tongue())),
            Format::Json => anstream::println!("{:#}", as_json(&changes)?),
        }
        Ok(if changes.is_empty() {
            Exit::Done
        } else {
            Exit::Findings
        })
    }
}

/// The changes, by what they are about.
fn told(changes: &[Change], tongue: Tongue) -> String {
    use std::fmt::Write as _;

    let bold = anstyle::Style::new().bold();
    if changes.is_empty() {
        let same = match tongue {
            Tongue::Chinese => "两个版本含义相同",
            Tongue::English => "both versions mean the same",
        };
        return format!("{same}\n");
    }
    let mut text = String::new();
    let mut area: Option<Area> = None;
    for change in changes {
        // Writing to a string does not fail.
        if area.replace(change.area()) != Some(change.area()) {
            let above = if text.is_empty() { "" } else { "\n" };
            let _ = writeln!(text, "{above}{bold}{}{bold:#}", change.area().title(tongue));
        }
        let _ = writeln!(text, "  {}", change.say(tongue));
    }
    text
}

fn as_json(changes: &[Change]) -> Result<serde_json::Value, Failure> {
    let one = |change: &Change| -> Result<serde_json::Value, serde_json::Error> {
        Ok(json!({
            "area": change.area(),
            "change": serde_json::to_value(change)?,
            "zh": change.say(Tongue::Chinese),
            "en": change.say(Tongue::English),
        }))
    };
    let changes: Result<Vec<_>, _> = changes.iter().map(one).collect();
    let changes = changes.context("a change is JSON")?;
    Ok(json!({ "same": changes.is_empty(), "changes": changes }))
}

/// The components of a release's plugins.
fn components(release: &Release) -> BTreeMap<PluginName, Component> {
    release
        .plugins()
        .iter()
        .map(|(name, loaded)| {
            let component = Component {
                digest: loaded.component.to_string().into(),
                interface: loaded.plugin.interface().clone(),
                grants: granted(loaded.plugin.grants()),
                limits: limits(&loaded.plugin.grants().limits),
            };
            (name.clone(), component)
        })
        .collect()
}

/// The keys of each department whose packages have to be signed: their files and fingerprints.
fn keys(folder: &Path) -> Result<BTreeMap<Arc<str>, String>, Failure> {
    let sources = read_folder(folder).map_err(|error| anyhow!(error))?;
    let one = |path: &str| match PublicKey::read(&folder.join(path)) {
        Ok(key) => format!("{path} {}", key.fingerprint().short()),
        // Why not, whoever builds the hotline has said.
        Err(_) => path.to_owned(),
    };
    let signers = parse(&sources).signers().into_iter();
    Ok(signers
        .map(|signer| {
            let keys: Vec<String> = signer.keys.iter().map(|key| one(key.as_str())).collect();
            (signer.department.value, keys.join(", "))
        })
        .collect())
}

/// Grants, one a line, as grants.yaml has them.
fn granted(grants: &Grants) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    lines.extend(grants.http.iter().map(|http| format!("http: {http}")));
    lines.extend(
        grants
            .networks
            .iter()
            .map(|network| format!("networks: {network}")),
    );
    if let Some(kv) = &grants.kv {
        lines.push(format!(
            "kv: {{ bytes: {}, keys: {}, value-bytes: {} }}",
            kv.bytes, kv.keys, kv.value_bytes
        ));
    }
    lines.extend(
        grants
            .secrets
            .iter()
            .map(|(name, place)| format!("secrets: {{ {name}: {place} }}")),
    );
    lines.extend(grants.data.iter().map(|label| format!("data: {label}")));
    lines
}

/// Limits by their names in grants.yaml.
fn limits(limits: &Limits) -> BTreeMap<String, String> {
    let Limits {
        time,
        memory,
        concurrent,
        waiting,
        reserve,
        argument_bytes,
        reply_bytes,
        log_lines_per_s,
        kv_operations_per_s,
        http_request_bytes,
        http_response_bytes,
        http_requests,
        http_connections,
    } = limits;
    BTreeMap::from([
        ("time".to_owned(), time.to_string()),
        ("memory".to_owned(), memory.to_string()),
        ("concurrent".to_owned(), concurrent.to_string()),
        ("waiting".to_owned(), waiting.to_string()),
        ("reserve".to_owned(), reserve.to_string()),
        ("argument-bytes".to_owned(), argument_bytes.to_string()),
        ("reply-bytes".to_owned(), reply_bytes.to_string()),
        ("log-lines-per-s".to_owned(), log_lines_per_s.to_string()),
        ("kv-operations-per-s".to_owned(), kv_operations_per_s.to_string()),
        ("http-request-bytes".to_owned(), http_request_bytes.to_string()),
        ("http-response-bytes".to_owned(), http_response_bytes.to_string()),
        ("http-requests".to_owned(), http_requests.to_string()),
        ("http-connections".to_owned(), http_connections.to_string()),
    ])
}

/// One of the two versions, on disk.
struct Version {
    folder: PathBuf,
    /// Holds a version taken out of git for as long as it is read.
    _taken_out: Option<TakenOut>,
}

impl Version {
    fn open(written: &str) -> Result<Self, Failure> {
        let Some(revision) = written.strip_prefix(GIT) else {
            return Ok(Self {
                folder: place::hotline(Path::new(written))?,
                _taken_out: None,
            });
        };
        let (revision, folder) = revision.split_once(':').unwrap_or((revision, "."));
        let taken_out = TakenOut::of(revision, folder).map_err(Failure::usage)?;
        let hotline = place::hotline(&taken_out.0)?;
        copy_components(Path::new(folder), &hotline).map_err(Failure::from)?;
        Ok(Self {
            folder: hotline,
            _taken_out: Some(taken_out),
        })
    }
}

/// A folder of a revision, in a place of its own that goes with it.
struct TakenOut(PathBuf);

impl TakenOut {
    fn of(revision: &str, folder: &str) -> anyhow::Result<Self> {
        if revision.is_empty() || revision.starts_with('-') {
            return Err(anyhow!(
                "{revision:?} is no revision; write git:HEAD:flows/city-hotline"
            ));
        }
        // `./` makes git read the path from here, as it was written, and not from the repository's root.
        let folder = folder.trim_end_matches('/');
        let below = folder
            .strip_prefix("./")
            .unwrap_or(if folder == "." { "" } else { folder });
        let tree = git(&[
            "rev-parse",
            "--verify",
            "--end-of-options",
            &format!("{revision}:./{below}"),
        ])
        .with_context(|| format!("git has no {folder} in {revision}"))?;
        // Where the repository begins: in a folder of it git would give that folder's part only.
        let root = git(&["rev-parse", "--show-toplevel"])?;
        let archive = git(&["-C", text(&root)?, "archive", "--format=tar", text(&tree)?])?;
        let mut random = [0_u8; 8];
        getrandom::fill(&mut random).map_err(|error| anyhow!("failed to draw random bytes: {error}"))?;
        let name = format!("trunkline-diff-{:016x}", u64::from_le_bytes(random));
        let taken_out = Self(std::env::temp_dir().join(name));
        std::fs::create_dir(&taken_out.0)
            .with_context(|| format!("failed to make {}", taken_out.0.display()))?;
        tar::Archive::new(archive.as_slice())
            .unpack(&taken_out.0)
            .context("failed to read what git gave")?;
        Ok(taken_out)
    }
}

/// What git prints.
fn git(arguments: &[&str]) -> anyhow::Result<Vec<u8>> {
    let output = Command::new("git")
        .args(arguments)
        .output()
        .context("failed to run git, which a git: version needs")?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(anyhow!("git said: {}", said.trim()))
}

/// A line that git printed.
fn text(line: &[u8]) -> anyhow::Result<&str> {
    Ok(std::str::from_utf8(line)
        .context("git printed no text")?
        .trim_end())
}

impl Drop for TakenOut {
    fn drop(&mut self) {
        // A folder that stays in the place for temporary ones does no harm.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Components are seldom kept in git: those that a revision lacks are taken from the folder as it is now,
/// so that flows and prompts can be compared all the same.
fn copy_components(from: &Path, to: &Path) -> anyhow::Result<()> {
    let Ok(entries) = std::fs::read_dir(from.join("plugins")) else {
        return Ok(());
    };
    for entry in entries {
        let path = entry.context("failed to list plugins")?.path();
        let Some(name) = path
            .file_name()
            .filter(|_| path.extension().is_some_and(|extension| extension == "wasm"))
        else {
            continue;
        };
        let place = to.join("plugins").join(name);
        if !place.exists() {
            std::fs::create_dir_all(to.join("plugins")).context("failed to make a folder for plugins")?;
            std::fs::copy(&path, &place).with_context(|| format!("failed to copy {}", path.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Vec<String> {
        granted(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn grants_are_told_as_they_are_written() {
        assert_eq!(
            line(r#"{ "http": ["POST https://crm.civil.example/v1/*"], "kv": true, "data": ["phone"] }"#),
            [
                "http: POST https://crm.civil.example/v1/*",
                "kv: { bytes: 1MiB, keys: 1000, value-bytes: 64KiB }",
                "data: phone",
            ]
        );
        assert!(line("{}").is_empty());
        let written: Grants =
            serde_json::from_str(r#"{ "limits": { "time": "800ms", "memory": "16MiB" } }"#).unwrap();
        let told = limits(&written.limits);
        assert_eq!(
            (&*told["time"], &*told["memory"], &*told["reply-bytes"]),
            ("800ms", "16MiB", "1MiB")
        );
    }

    #[test]
    fn what_is_no_revision_is_refused() {
        for written in ["git:", "git:--output=x:flows", "git:no-such-revision:."] {
            let failure = Version::open(written).err().unwrap();
            assert_eq!(failure.exit, Exit::Usage, "{written}");
        }
    }

    #[test]
    fn no_difference_is_said_too() {
        assert_eq!(told(&[], Tongue::English), "both versions mean the same\n");
        assert_eq!(as_json(&[]).unwrap()["same"], true);
    }
}
