//! `trunkline plugin pull`: what a hotline's lock names, fetched to this machine.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;
use trunkline_node::{
    packages::{Gate, file_in},
    read_folder,
};
use trunkline_package::{admission::Shelves, reference::Source};

use super::package::{CREDENTIALS_HELP, Registry};
use crate::{
    exit::{Exit, Failure, Outcome},
    place,
};

/// Fetch the packages that a hotline's trunkline.lock names, so that `check`, `test` and `dial` find
/// them on this machine
///
/// Each is exactly the one that is locked, or it is refused. `serve` fetches what is missing by
/// itself.
#[derive(Args)]
#[command(after_help = format!("Examples:\n  \
    trunkline plugin pull flows/city-hotline\n\n{CREDENTIALS_HELP}"))]
pub(crate) struct Pull {
    /// The hotline's folder
    hotline: PathBuf,
    #[command(flatten)]
    registry: Registry,
}

impl Pull {
    /// Runs the command.
    pub(crate) async fn run(&self) -> Outcome {
        let folder = place::hotline(&self.hotline)?;
        let store = place::package_store().ok_or_else(|| {
            Failure::usage(anyhow!(
                "neither XDG_CACHE_HOME nor HOME says where to keep packages; set one"
            ))
        })?;
        let shelves = Shelves {
            store: Some(store),
            registries: Some(self.registry.registries()?),
        };
        let parsed =
            trunkline_flow::parse(&read_folder(&folder).map_err(|error| Failure::usage(anyhow!(error)))?);
        let (gate, wrong) = Gate::read(&parsed, file_in(&folder));
        if let Some(first) = wrong.first() {
            return Err(Failure::from(anyhow!("{}", first.message)));
        }
        let (mut fetched, mut refused) = (0, 0);
        for plugin in parsed.plugins() {
            let Ok(source) = Source::parse(&plugin.component.value) else {
                // `check` says what is wrong with it.
                continue;
            };
            let Source::Registry(reference) = &source else {
                continue;
            };
            let wanted = gate.wanted(&plugin, &source);
            let taken = shelves.take(&wanted, reference).await;
            let admitted = taken.and_then(|package| {
                let identity = package.identity();
                wanted.admit(&identity).map(|_| identity)
            });
            match admitted {
                Ok(identity) => {
                    fetched += 1;
                    anstream::println!(
                        "{}  {reference}  {}",
                        plugin.name.value,
                        identity.component.short()
                    );
                }
                Err(refusal) => {
                    refused += 1;
                    let red = anstyle::AnsiColor::Red.on_default().bold();
                    anstream::eprintln!("{red}{}{red:#}: {refusal}", plugin.name.value);
                }
            }
        }
        if refused > 0 {
            return Ok(Exit::Findings);
        }
        if fetched == 0 {
            anstream::println!("no plugin of this hotline comes from a registry");
        }
        Ok(Exit::Done)
    }
}
