//! `trunkline plugin key`: the keys that a department signs with.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::{Args, Subcommand};
use trunkline_package::key::PrivateKey;

use crate::exit::{Exit, Failure, Outcome};

/// Make keys that sign packages
#[derive(Args)]
pub(crate) struct Key {
    #[command(subcommand)]
    command: KeyCommand,
}

#[derive(Subcommand)]
enum KeyCommand {
    New(New),
}

/// Make a key pair: PATH.key, which signs and stays where packages are published, and PATH.pub,
/// which operators put into their hotlines
///
/// ECDSA on P-256 in PEM, as cosign and openssl read it. The private key is not encrypted: only
/// its owner may read the file, and it belongs to no version control.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    trunkline plugin key new ~/keys/civil-affairs\n  \
    openssl pkey -pubin -in civil-affairs.pub -outform DER | sha256sum   the fingerprint, by other means")]
struct New {
    /// Where to write the pair, without `.key` and `.pub`
    path: PathBuf,
}

impl Key {
    /// Runs the command.
    pub(crate) fn run(&self) -> Outcome {
        match &self.command {
            KeyCommand::New(new) => new.run(),
        }
    }
}

impl New {
    fn run(&self) -> Outcome {
        let key = PrivateKey::generate_files(&self.path).map_err(|error| Failure::refused(anyhow!(error)))?;
        let path = self.path.display();
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        anstream::println!("{path}.key  signs; keep it where packages are published, and nowhere else");
        anstream::println!("{path}.pub  fingerprint {}", key.public().fingerprint());
        anstream::println!("operators copy {name}.pub into the hotline and write into grants.yaml:");
        anstream::println!("  departments:\n    {name}: {{ signed-by: keys/{name}.pub }}");
        anstream::println!("and into the entry of every plugin there whose it is, like `department: {name}`");
        Ok(Exit::Done)
    }
}
