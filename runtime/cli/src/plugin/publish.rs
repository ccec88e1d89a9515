//! `trunkline plugin publish`: a component as a package, in a registry or in a file.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::Args;
use trunkline_package::{
    Package, archive,
    key::PrivateKey,
    project::{self, Project},
    reference::{Reference, SCHEME, Source},
};
use trunkline_plugin::{Manifest, limits::COMPONENT_BYTES_MAX};

use super::package::{CREDENTIALS_HELP, Registry, package_file, read_bounded, same_version, tell};
use crate::{
    exit::{Exit, Failure, Outcome},
    files,
};

/// Publish a component as a package: to a registry, or as one file for sites that none reaches
///
/// The package is the same bytes wherever it goes, and so is its signature. What is published under
/// a version stays: other content needs another version.
#[derive(Args)]
#[command(after_help = format!("Examples:\n  \
    trunkline plugin publish plugins/crm --to oci://registry.example/civil/crm --key ~/keys/civil-affairs.key\n  \
    trunkline plugin publish crm_lookup.wasm --to crm.tlpkg --key ~/keys/civil-affairs.key\n  \
    trunkline plugin publish crm.tlpkg --to oci://registry.site/civil/crm        carries it on, signatures and all\n\n\
    {CREDENTIALS_HELP}"))]
pub(crate) struct Publish {
    /// A plugin's folder (with plugin.toml, built), a component, or a .tlpkg file
    what: PathBuf,
    /// Where to: `oci://REGISTRY/REPOSITORY`, whose tag is the plugin's version, or a .tlpkg file
    #[arg(long, value_name = "PLACE")]
    to: String,
    /// Sign it with this private key (PEM, readable by its owner only)
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    #[command(flatten)]
    registry: Registry,
}

impl Publish {
    /// Runs the command.
    pub(crate) async fn run(&self) -> Outcome {
        let key = self
            .key
            .as_ref()
            .map(|path| PrivateKey::read(path).map_err(Failure::usage))
            .transpose()?;
        let mut package = self.package()?;
        let manifest = package.manifest().cloned().ok_or_else(|| {
            Failure::from(anyhow!(
                "{} does not say what it is; build it with `trunkline plugin build`",
                self.what.display()
            ))
        })?;
        let to = self.destination(&manifest)?;
        let place = match &to {
            Source::Registry(reference) => reference.place(),
            Source::File(_) | Source::Component(_) => manifest.name.to_string(),
        };
        if let Some(key) = &key {
            package
                .sign(key, &place)
                .map_err(|error| Failure::from(anyhow!(error)))?;
        }
        match &to {
            Source::Registry(reference) => {
                same_version(&to, &package.identity()).map_err(Failure::usage)?;
                self.registry.push(reference, &package).await?;
            }
            Source::File(path) | Source::Component(path) => {
                files::put(Path::new(path), &archive::write(&package))?;
            }
        }
        tell(&package.identity(), Some(&manifest));
        match &key {
            Some(key) => anstream::println!("  signed by  {}", key.public().fingerprint()),
            None => anstream::println!(
                "  signatures {}",
                match package.signatures().len() {
                    0 => "none; with --key operators can tell whose it is".to_owned(),
                    some => some.to_string(),
                }
            ),
        }
        anstream::println!("  published  {to}");
        Ok(Exit::Done)
    }

    fn package(&self) -> Result<Package, Failure> {
        let extension = self.what.extension().unwrap_or_default();
        if extension == archive::EXTENSION {
            return package_file(&self.what);
        }
        let path = if self.what.is_dir() {
            let project = Project::read(&self.what).map_err(|error| Failure::usage(anyhow!(error)))?;
            let component = self.what.join(&project.build.component);
            if !component.is_file() {
                return Err(Failure::usage(anyhow!(
                    "there is no {} yet, which {} names; run `trunkline plugin build {}`",
                    component.display(),
                    project::FILE,
                    self.what.display()
                )));
            }
            component
        } else {
            self.what.clone()
        };
        let bytes = read_bounded(&path, COMPONENT_BYTES_MAX as u64)?;
        Package::of_component(bytes).map_err(|error| Failure::from(anyhow!("{}: {error}", path.display())))
    }

    fn destination(&self, manifest: &Manifest) -> Result<Source, Failure> {
        let to = &self.to;
        if let Some(rest) = to.strip_prefix(SCHEME) {
            let repository = rest.split_once('/').map_or("", |(_, repository)| repository);
            let versioned = if repository.contains(['@', ':']) {
                to.clone()
            } else {
                format!("{to}@{}", manifest.version)
            };
            let reference: Reference = versioned.parse().map_err(Failure::usage)?;
            return Ok(Source::Registry(reference));
        }
        match Source::parse(to).map_err(Failure::usage)? {
            Source::Component(_) => Err(Failure::usage(anyhow!(
                "{to} is neither oci://REGISTRY/REPOSITORY nor a file that ends in .{}",
                archive::EXTENSION
            ))),
            source => Ok(source),
        }
    }
}
