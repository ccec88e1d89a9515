//! `--record`: cases run against real services, and what passed kept with personal data masked.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use anyhow::anyhow;
use trunkline_model::Outcome;

use super::{
    mask::Mask,
    recording::{self, Exchange, Recorder},
    stand::{Stand, told},
    table::{Case, Http, Table},
};
use crate::{exit::Failure, files};

/// Runs the cases that name a recording, and writes the recordings.
///
/// # Errors
/// There is nothing to record, or a file cannot be written.
pub(super) async fn record(
    folder: &Path,
    stand: &Stand,
    tables: &[Table],
    meant: impl Fn(&Case, &str) -> bool,
) -> Result<(), Failure> {
    let mut files: BTreeMap<String, (Vec<Exchange>, Mask)> = BTreeMap::new();
    for table in tables {
        let plugin = stand.deploy(&table.config).await?;
        for case in table.cases.iter().filter(|case| meant(case, &table.file)) {
            let Http::File(file, _) = &case.http else { continue };
            let recorder = Arc::new(Recorder::default());
            let ran = stand.run(&plugin, case, Some(recorder.clone())).await;
            let (exchanges, mask) = files.entry(file.clone()).or_default();
            for (request, reply) in recorder.passed() {
                if let Err(why) = &reply {
                    anstream::eprintln!("  {}: {} {}: {why}", case.name, request.method, request.url);
                }
                let exchange = mask.exchange(&request, &reply);
                if !exchanges.contains(&exchange) {
                    exchanges.push(exchange);
                }
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
    for (file, (exchanges, mask)) in files {
        let path = folder.join(&file);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|error| {
                Failure::from(anyhow!(error).context(format!("failed to make {}", parent.display())))
            })?;
        }
        let text = recording::to_yaml(&exchanges, &mask.placeholders());
        files::replace(&path, &text)
            .map_err(|error| Failure::from(anyhow!(error).context(format!("failed to write {file}"))))?;
        let masked: Vec<_> = mask
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
            exchanges.len()
        );
    }
    Ok(())
}
