//! `trunkline plugin verify`: whether a package is whole, and whose it is.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;
use trunkline_package::reference::Source;

use super::package::{CREDENTIALS_HELP, Read, Registry, keys, same_version, tell};
use crate::exit::{Exit, Failure, Outcome};

/// Show what a package is, that it is whole, and whether a key signed it
///
/// Nothing of it is run. With --key it fails unless one of the keys signed the package.
#[derive(Args)]
#[command(after_help = format!("Examples:\n  \
    trunkline plugin verify crm.tlpkg --key keys/civil-affairs.pub\n  \
    trunkline plugin verify oci://registry.example/civil/crm@1.4.2 --key keys/civil-affairs.pub\n\n\
    {CREDENTIALS_HELP}"))]
pub(crate) struct Verify {
    /// A .tlpkg file, a component, or `oci://REGISTRY/REPOSITORY@VERSION`
    package: String,
    /// A public key of which the package must carry a signature; of several, one is enough
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
    #[command(flatten)]
    registry: Registry,
}

impl Verify {
    /// Runs the command.
    pub(crate) async fn run(&self) -> Outcome {
        let keys = keys(&self.key)?;
        let source = Source::parse(&self.package).map_err(Failure::usage)?;
        let read = Read::from(&source, &self.registry).await?;
        let identity = read.identity();
        same_version(&source, &identity)?;
        tell(&identity, read.manifest());
        let count = identity.signatures.len();
        match identity.signed_by(&keys) {
            Some(key) => {
                anstream::println!("  signed by  {}", key.fingerprint());
                Ok(Exit::Done)
            }
            None if keys.is_empty() => {
                let hint = if count == 0 {
                    ""
                } else {
                    "; whose they are is told with --key"
                };
                anstream::println!("  signatures {count}{hint}");
                Ok(Exit::Done)
            }
            None if count == 0 => Err(Failure::from(anyhow!(
                "{} is not signed; ask who publishes it to sign it with `trunkline plugin publish --key`",
                self.package
            ))),
            None => Err(Failure::from(anyhow!(
                "{} is signed, but not by {}; ask who publishes it for their key",
                self.package,
                if keys.len() == 1 {
                    "that key"
                } else {
                    "any of those keys"
                }
            ))),
        }
    }
}
