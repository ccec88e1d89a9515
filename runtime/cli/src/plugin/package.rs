//! What the commands about packages share: how registries are spoken to, where a package comes
//! from, and what is told of one.

use std::{io::IsTerminal as _, path::Path, sync::Arc};

use anyhow::anyhow;
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use trunkline_model::Duration;
use trunkline_package::{
    Identity, Package,
    archive::{self, ARCHIVE_BYTES_MAX},
    credentials::Credentials,
    key::PublicKey,
    reference::{Reference, Source},
    registry::{Progress, Registries, RegistryError, Settings, silent},
};
use trunkline_plugin::{Manifest, limits::COMPONENT_BYTES_MAX};

use crate::exit::{Exit, Failure};

/// How registries are spoken to.
#[derive(Args)]
pub(crate) struct Registry {
    /// Speak to registries on other machines without TLS; credentials are not sent then
    #[arg(long)]
    plain_http: bool,
    /// How long a registry may take
    #[arg(long, value_name = "DURATION", default_value = "5m")]
    time: Duration,
}

/// What `--help` says of credentials.
pub(crate) const CREDENTIALS_HELP: &str = "\
Credentials come from TRUNKLINE_REGISTRY, TRUNKLINE_REGISTRY_USER and TRUNKLINE_REGISTRY_PASSWORD together, or from
what `docker login` wrote. They go to their own registry only, and never without TLS; where that gives out tokens on
another host, TRUNKLINE_REGISTRY_TOKENS names it.";

impl Registry {
    pub(crate) fn registries(&self) -> Result<Registries, Failure> {
        Ok(Registries::new(Settings {
            credentials: Credentials::of_environment().map_err(Failure::usage)?,
            plain_http: self.plain_http,
            time: self.time.to_std(),
        }))
    }

    /// Fetches a package and shows how far it is.
    pub(crate) async fn pull(&self, reference: &Reference) -> Result<Package, Failure> {
        let (progress, bar) = shown(&format!("fetching {reference}"));
        let pulled = self.registries()?.pull(reference, &progress).await;
        bar.finish_and_clear();
        pulled.map_err(failed)
    }

    /// Publishes a package and shows how far it is.
    pub(crate) async fn push(&self, reference: &Reference, package: &Package) -> Result<(), Failure> {
        let (progress, bar) = shown(&format!("publishing {reference}"));
        let pushed = self.registries()?.push(reference, package, &progress).await;
        bar.finish_and_clear();
        pushed.map_err(failed)
    }
}

/// A component or a package, read from where it is.
pub(crate) enum Read {
    /// A component without a package.
    Bare(Vec<u8>, Identity, Option<Manifest>),
    /// A package.
    Package(Package),
}

impl Read {
    /// Reads a file or fetches from a registry.
    pub(crate) async fn from(source: &Source, registry: &Registry) -> Result<Self, Failure> {
        match source {
            Source::Registry(reference) => registry.pull(reference).await.map(Self::Package),
            Source::File(path) => package_file(Path::new(path)).map(Self::Package),
            Source::Component(path) => {
                let bytes = read_bounded(Path::new(path), COMPONENT_BYTES_MAX as u64)?;
                let manifest = Manifest::of_component(&bytes)
                    .map_err(|error| Failure::from(anyhow!("{path} is refused: {error}")))?;
                let identity = Identity::of_bare(&bytes, manifest.as_ref());
                Ok(Self::Bare(bytes, identity, manifest))
            }
        }
    }

    pub(crate) fn identity(&self) -> Identity {
        match self {
            Self::Bare(_, identity, _) => identity.clone(),
            Self::Package(package) => package.identity(),
        }
    }

    pub(crate) fn manifest(&self) -> Option<&Manifest> {
        match self {
            Self::Bare(_, _, manifest) => manifest.as_ref(),
            Self::Package(package) => package.manifest(),
        }
    }

    pub(crate) fn component(&self) -> &[u8] {
        match self {
            Self::Bare(bytes, ..) => bytes,
            Self::Package(package) => package.component(),
        }
    }
}

/// Reads a .tlpkg file.
pub(crate) fn package_file(path: &Path) -> Result<Package, Failure> {
    let bytes = read_bounded(path, ARCHIVE_BYTES_MAX)?;
    archive::read(&bytes).map_err(|error| Failure::from(anyhow!("{} is refused: {error}", path.display())))
}

/// Reads a file that somebody named.
pub(crate) fn read_bounded(path: &Path, bytes_max: u64) -> Result<Vec<u8>, Failure> {
    let shown = path.display();
    let usage =
        |error: std::io::Error| Failure::usage(anyhow!(error).context(format!("failed to read {shown}")));
    let bytes = std::fs::metadata(path).map_err(usage)?.len();
    if bytes > bytes_max {
        return Err(Failure::usage(anyhow!(
            "{shown} has {bytes} bytes, and the most is {bytes_max}"
        )));
    }
    std::fs::read(path).map_err(usage)
}

/// Reads public keys that somebody named.
pub(crate) fn keys(paths: &[std::path::PathBuf]) -> Result<Vec<PublicKey>, Failure> {
    paths
        .iter()
        .map(|path| PublicKey::read(path).map_err(Failure::usage))
        .collect()
}

/// Why a registry did not do it, with the code that scripts look at.
pub(crate) fn failed(error: RegistryError) -> Failure {
    let exit = match &error {
        RegistryError::Unreachable { .. } | RegistryError::TimedOut { .. } => Exit::Unreachable,
        RegistryError::Unauthorized { .. }
        | RegistryError::InClear { .. }
        | RegistryError::Realm { .. }
        | RegistryError::Published { .. }
        | RegistryError::Refused { .. } => Exit::Refused,
        RegistryError::Credentials(_) => Exit::Usage,
        RegistryError::NotFound { .. } | RegistryError::Tampered { .. } | RegistryError::Package { .. } => {
            Exit::Findings
        }
    };
    Failure {
        exit,
        error: error.into(),
    }
}

/// Prints what a package is.
pub(crate) fn tell(identity: &Identity, manifest: Option<&Manifest>) {
    let bold = anstyle::Style::new().bold();
    match manifest {
        Some(manifest) => anstream::println!(
            "{bold}{} {}{bold:#}  {}",
            manifest.name,
            manifest.version,
            manifest.department
        ),
        None => anstream::println!("{bold}a component that does not say what it is{bold:#}"),
    }
    if let Some(description) = manifest.and_then(|manifest| manifest.description.as_ref()) {
        anstream::println!("  {description}");
    }
    anstream::println!("  component  {}", identity.component);
    if let Some(package) = identity.package {
        anstream::println!("  package    {package}");
    }
}

/// The version of a tag and the version that a package says are the same, where both say one.
pub(crate) fn same_version(source: &Source, identity: &Identity) -> anyhow::Result<()> {
    let Source::Registry(reference) = source else {
        return Ok(());
    };
    match (reference.semver(), &identity.version) {
        (Some(named), Some(said)) if named != *said => Err(anyhow!(
            "{reference} holds version {said}: the tag was moved, or it was published under the wrong one; ask who publishes it"
        )),
        _ => Ok(()),
    }
}

/// A bar on a terminal; nothing where nobody looks.
fn shown(what: &str) -> (Progress, ProgressBar) {
    if !std::io::stderr().is_terminal() {
        return (silent(), ProgressBar::hidden());
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{msg}  {bytes}/{total_bytes}  {wide_bar}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_message(what.to_owned());
    let told = bar.clone();
    let progress: Progress = Arc::new(move |done, of| {
        told.set_length(of);
        told.set_position(done);
    });
    (progress, bar)
}
