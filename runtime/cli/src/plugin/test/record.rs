//! `--record`: cases run against real services, and what passed kept with personal data masked.
//!
//! A recording is written when all of its cases came out: one that met a service that is down would take the
//! place of one that did not.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use anyhow::anyhow;
use trunkline_model::Outcome;
use trunkline_node::SECRET_VARIABLE;
use trunkline_plugin::Secrets;

use super::{
    mask::Mask,
    recording::{self, Exchange, Recorder},
    stand::{Ran, Stand, told},
    table::{Case, Http, Table},
};
use crate::{exit::Failure, files};

/// From here on a status says that the service failed.
const FAILED_STATUS_MIN: u16 = 500;

/// A recording that is being made.
#[derive(Default)]
struct Made {
    exchanges: Vec<Exchange>,
    mask: Mask,
    /// Why it is not written.
    spoiled: Option<String>,
}

/// Runs the cases that name a recording, and writes the recordings.
///
/// # Errors
/// There is nothing to record, cases of a recording are left out, one did not come out, or a file cannot be
/// written.
pub(super) async fn record(
    folder: &Path,
    stand: &Stand,
    tables: &[Table],
    secrets: Arc<dyn Secrets>,
    meant: impl Fn(&Case, &str) -> bool,
) -> Result<(), Failure> {
    check_whole(tables, &meant)?;
    let valueless = stand.wanted_secrets().find(|name| secrets.value(name).is_none());
    if let Some(name) = valueless {
        let variable = name.to_string().to_ascii_uppercase().replace('-', "_");
        return Err(Failure::usage(anyhow!(
            "real services ask for the secret `{name}`, and it has no value here: name a file that has it with \
             --secrets, or set {SECRET_VARIABLE}{variable}"
        )));
    }
    let mut files: BTreeMap<String, Made> = BTreeMap::new();
    for table in tables {
        let plugin = stand.deploy(&table.config, secrets.clone()).await?;
        for case in table.cases.iter().filter(|case| meant(case, &table.file)) {
            let Http::File(file, _) = &case.http else { continue };
            let recorder = Arc::new(Recorder::default());
            let ran = stand.run(&plugin, case, Some(recorder.clone())).await;
            let made = files.entry(file.clone()).or_default();
            let failed = made.take(case, &recorder);
            if let Some(why) = spoils(&ran, failed) {
                made.spoiled
                    .get_or_insert_with(|| format!("the case `{}` {why}", case.name));
            }
            let gave = match &ran.outcome {
                Outcome::Ok(_) | Outcome::Refusal(_) => ran.outcome.kind().to_owned(),
                Outcome::Fault(_) => told(&ran.outcome),
            };
            anstream::eprintln!("recorded {}: {gave}", case.name);
        }
    }
    if files.is_empty() {
        return Err(Failure::usage(anyhow!(
            "no case names a recording; write `http: recordings/NAME.yaml` into those whose replies are to be kept"
        )));
    }
    let mut spoiled = Vec::new();
    for (file, made) in files {
        match &made.spoiled {
            Some(why) => spoiled.push(format!("{file} is not written: {why}")),
            None => made.write(folder, &file)?,
        }
    }
    if spoiled.is_empty() {
        Ok(())
    } else {
        Err(Failure::from(anyhow!("{}", spoiled.join("\n"))))
    }
}

/// Makes sure that all cases of a recording are run, or none: what only the others ask for would be lost.
fn check_whole(tables: &[Table], meant: impl Fn(&Case, &str) -> bool) -> Result<(), Failure> {
    let cases: Vec<(&str, &Case, bool)> = tables
        .iter()
        .flat_map(|table| {
            table.cases.iter().filter_map(|case| match &case.http {
                Http::File(file, _) => Some((file.as_str(), case, meant(case, &table.file))),
                Http::Inline(_) => None,
            })
        })
        .collect();
    let made: BTreeSet<&str> = cases
        .iter()
        .filter(|(_, _, meant)| *meant)
        .map(|(file, _, _)| *file)
        .collect();
    let left_out = cases
        .iter()
        .find(|(file, _, meant)| !meant && made.contains(file));
    match left_out {
        None => Ok(()),
        Some((file, case, _)) => Err(Failure::usage(anyhow!(
            "{file} answers the case `{}` too, which is left out here: what only that one asks for would be lost. \
             Record all cases of a file, or give this one a file of its own",
            case.name
        ))),
    }
}

/// Why what a case met is no recording to keep. A case that comes out as it should expects what it meets.
fn spoils(ran: &Ran, failed: Option<String>) -> Option<String> {
    match &ran.outcome {
        _ if ran.passed() => None,
        Outcome::Fault(_) => Some(format!("ended in a {}", told(&ran.outcome))),
        Outcome::Ok(_) | Outcome::Refusal(_) => failed,
    }
}

impl Made {
    /// Takes what passed in a case; what went wrong on the way, if something did.
    fn take(&mut self, case: &Case, recorder: &Recorder) -> Option<String> {
        let mut failed = None;
        for passed in recorder.passed() {
            let asked = format!("{} {}", passed.request.method, passed.request.url);
            match &passed.reply {
                Err(_) => {
                    anstream::eprintln!("  {}: {asked}: {}", case.name, passed.why);
                    failed = Some(format!("had no reply: {}", passed.why));
                }
                Ok(reply) if reply.status >= FAILED_STATUS_MIN => {
                    anstream::eprintln!("  {}: {asked}: the service answered {}", case.name, reply.status);
                    failed = Some(format!("met a service that answered {}", reply.status));
                }
                Ok(_) => {}
            }
            let exchange = self.mask.exchange(&passed.request, &passed.reply);
            if !self.exchanges.contains(&exchange) {
                self.exchanges.push(exchange);
            }
        }
        failed
    }

    fn write(&self, folder: &Path, file: &str) -> Result<(), Failure> {
        let path = folder.join(file);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|error| {
                Failure::from(anyhow!(error).context(format!("failed to make {}", parent.display())))
            })?;
        }
        let masked = self.mask.placeholders();
        let text = if path.extension().is_some_and(|extension| extension == "json") {
            recording::to_json(&self.exchanges, &masked)
        } else {
            recording::to_yaml(&self.exchanges, &masked)
        };
        files::replace(&path, &text)
            .map_err(|error| Failure::from(anyhow!(error).context(format!("failed to write {file}"))))?;
        let masked: Vec<_> = self
            .mask
            .counts()
            .into_iter()
            .map(|(what, count)| format!("{count} of {what}"))
            .collect();
        let masked = if masked.is_empty() {
            "nothing in it looked personal".to_owned()
        } else {
            format!("masked {}", masked.join(", "))
        };
        anstream::eprintln!(
            "wrote {file}: {} of the services' replies; {masked}. Look at it before you keep it.",
            self.exchanges.len()
        );
        if self.mask.left_out() > 0 {
            anstream::eprintln!(
                "  {} of the bodies are no text in UTF-8 and were left out: nobody can tell what is personal in them. \
                 Where a case needs one, write it by hand as `body-base64`.",
                self.mask.left_out()
            );
        }
        Ok(())
    }
}
