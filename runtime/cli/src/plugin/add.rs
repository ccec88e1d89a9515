//! `trunkline plugin add`: a package looked at, verified, and locked for a hotline.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::Args;
use trunkline_flow::Parsed;
use trunkline_model::PluginName;
use trunkline_node::{
    packages::{Gate, file_in},
    read_folder,
};
use trunkline_package::{
    Identity,
    admission::{Refusal, Wanted},
    archive,
    lock::Locked,
    reference::Source,
};
use trunkline_plugin::Manifest;

use super::{
    package::{CREDENTIALS_HELP, Read, Registry, keys, same_version, tell},
    wants,
};
use crate::{
    exit::{Exit, Failure, Outcome},
    files, place,
};

/// Lock a plugin's package for a hotline: it is verified, written into trunkline.lock, and the lines
/// are printed that hotline.yaml and grants.yaml want
///
/// A file from outside of the hotline's folder is copied into it. What goes back in versions, or
/// has other content under the same version, is refused.
#[derive(Args)]
#[command(after_help = format!("Examples:\n  \
    trunkline plugin add flows/city-hotline crm oci://registry.example/civil/crm@1.4.2\n  \
    trunkline plugin add flows/city-hotline crm /media/usb/crm.tlpkg --key civil-affairs.pub\n\n{CREDENTIALS_HELP}"))]
pub(crate) struct Add {
    /// The hotline's folder
    hotline: PathBuf,
    /// What the hotline calls the plugin
    plugin: String,
    /// `oci://REGISTRY/REPOSITORY@VERSION`, a .tlpkg file, or a component
    source: String,
    /// A public key that must have signed it, besides what grants.yaml asks
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
    /// Go back to an older version than the one that is locked
    #[arg(long)]
    allow_downgrade: bool,
    /// Take other content under the version that is locked: for what you built yourself
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    registry: Registry,
}

impl Add {
    /// Runs the command.
    pub(crate) async fn run(&self) -> Outcome {
        let folder = place::hotline(&self.hotline)?;
        let given = Source::parse(&self.source).map_err(Failure::usage)?;
        let own_keys = keys(&self.key)?;
        let parsed =
            trunkline_flow::parse(&read_folder(&folder).map_err(|error| Failure::usage(anyhow!(error)))?);
        let (gate, wrong) = Gate::read(&parsed, file_in(&folder));
        if let Some(first) = wrong.first() {
            return Err(Failure::from(anyhow!("{}", first.message)));
        }
        let read = Read::from(&self.readable(&folder, &given), &self.registry).await?;
        let identity = read.identity();
        same_version(&given, &identity)?;
        let name = PluginName::new(self.plugin.as_str());
        let vouching = gate.vouching(&name);
        let granted = vouching.and_then(|vouching| vouching.department);
        let department = department(&parsed, &name, granted, read.manifest());
        let source = self.in_hotline(&folder, &given)?;
        let wanted = Wanted {
            plugin: &name,
            source: &source,
            department: &department,
            vouching,
            lock: gate.lock(),
        };
        let vouched = self.admit(&wanted, &identity)?;
        let signed_by = match identity.signed_by(&own_keys) {
            Some(key) => Some(key.fingerprint()),
            None if own_keys.is_empty() => vouched,
            None => {
                return Err(Failure::refused(anyhow!(
                    "{} is not signed by the key that --key names; ask who publishes it",
                    self.source
                )));
            }
        };

        self.keep(&folder, &source, &read)?;
        let mut lock = gate.lock().clone();
        lock.plugins
            .insert(name.clone(), Locked::of(source.to_string(), &identity, signed_by));
        lock.write(&folder)
            .map_err(|error| Failure::from(anyhow!(error)))?;

        tell(&identity, read.manifest());
        match signed_by {
            Some(fingerprint) => anstream::println!("  signed by  {fingerprint}"),
            None => {
                anstream::println!(
                    "  signed by  nobody was asked for; --key or grants.yaml names who has to"
                );
            }
        }
        anstream::println!("  locked     {} as {name}", trunkline_package::lock::FILE);
        lines(&parsed, &name, &source, &department, read.manifest());
        Ok(Exit::Done)
    }

    /// Where the source is read from: a path is the caller's, or one in the hotline.
    fn readable(&self, folder: &Path, source: &Source) -> Source {
        let of_hotline = |path: &String| {
            let inside = folder.join(path);
            if !Path::new(path).exists() && inside.exists() {
                inside.display().to_string()
            } else {
                path.clone()
            }
        };
        match source {
            Source::Component(path) => Source::Component(of_hotline(path)),
            Source::File(path) => Source::File(of_hotline(path)),
            Source::Registry(reference) => Source::Registry(reference.clone()),
        }
    }

    /// The source as hotline.yaml is to name it: a file outside of the folder gets a place in
    /// it.
    fn in_hotline(&self, folder: &Path, given: &Source) -> Result<Source, Failure> {
        let (Source::Component(path) | Source::File(path)) = given else {
            return Ok(given.clone());
        };
        let full = [PathBuf::from(path), folder.join(path)]
            .into_iter()
            .find_map(|path| path.canonicalize().ok())
            .ok_or_else(|| Failure::usage(anyhow!("there is no file {path}")))?;
        let inside = full
            .strip_prefix(folder)
            .ok()
            .and_then(Path::to_str)
            .map(str::to_owned);
        Ok(match given {
            Source::File(_) => Source::File(
                inside.unwrap_or_else(|| format!("packages/{}.{}", self.plugin, archive::EXTENSION)),
            ),
            _ => Source::Component(inside.unwrap_or_else(|| format!("plugins/{}.wasm", self.plugin))),
        })
    }

    fn admit(
        &self,
        wanted: &Wanted<'_>,
        identity: &Identity,
    ) -> Result<Option<trunkline_model::Digest>, Failure> {
        let refused = |refusal: Refusal| Failure::refused(anyhow!("{}: {refusal}", self.source));
        match wanted.admit(identity) {
            Ok(vouched) => Ok(vouched),
            Err(Refusal::Newer { .. }) => wanted.is_vouched(identity).map_err(refused),
            Err(Refusal::Downgraded { .. }) if self.allow_downgrade => {
                wanted.is_vouched(identity).map_err(refused)
            }
            Err(Refusal::Changed { .. }) if self.replace => wanted.is_vouched(identity).map_err(refused),
            Err(refusal) => Err(refused(refusal)),
        }
    }

    /// Puts what was read where builds look for it.
    fn keep(&self, folder: &Path, source: &Source, read: &Read) -> Result<(), Failure> {
        match (source, read) {
            (Source::Registry(_), Read::Package(package)) => {
                if let Some(store) = place::package_store() {
                    store
                        .put(package)
                        .map_err(|error| Failure::from(anyhow!(error)))?;
                }
            }
            (Source::File(path), Read::Package(package)) => {
                let bytes = archive::write(package);
                files::put(&folder.join(path), &bytes)?;
            }
            (Source::Component(path), read) => files::put(&folder.join(path), read.component())?,
            // What comes of a registry or of a .tlpkg file is a package.
            (Source::Registry(_) | Source::File(_), Read::Bare(..)) => {}
        }
        Ok(())
    }
}

/// Whose the plugin is: as hotline.yaml says, else as grants.yaml or the package says.
fn department(
    parsed: &Parsed,
    name: &PluginName,
    granted: Option<&str>,
    manifest: Option<&Manifest>,
) -> String {
    let declared = parsed
        .plugins()
        .into_iter()
        .find(|plugin| plugin.name.value == *name);
    declared
        .map(|plugin| plugin.department.to_string())
        .or_else(|| granted.map(str::to_owned))
        .or_else(|| manifest.map(|manifest| manifest.department.clone()))
        .unwrap_or_else(|| "department".to_owned())
}

/// Prints what is still to be written into the hotline's files.
fn lines(parsed: &Parsed, name: &PluginName, source: &Source, department: &str, manifest: Option<&Manifest>) {
    let plugins = parsed.plugins();
    let declared = plugins.iter().find(|plugin| plugin.name.value == *name);
    match declared {
        Some(plugin) if *plugin.component.value == *source.to_string() => {}
        Some(_) => anstream::println!(
            "hotline.yaml: name it at `plugins`, in place of what is there:\n  {name}: {{ component: {source}, department: {department} }}"
        ),
        None => anstream::println!(
            "hotline.yaml: declare it:\nplugins:\n  {name}: {{ component: {source}, department: {department} }}"
        ),
    }
    let Some(manifest) = manifest else {
        anstream::println!("grants.yaml: what it wants is shown by `trunkline plugin inspect`");
        return;
    };
    let granted = parsed.grants().iter().any(|grant| grant.plugin.value == *name);
    let wants = wants::lines(&manifest.wants);
    if wants.is_empty() {
        anstream::println!("grants.yaml: it wants nothing");
        return;
    }
    let does = if granted {
        "compare what it has with what it wants"
    } else {
        "it wants"
    };
    anstream::println!("grants.yaml: {does}; grant what it may have:\n{name}:");
    for line in wants {
        anstream::println!("  {line}");
    }
}
