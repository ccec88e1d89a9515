//! The hotlines that are simulated: the examples, and the desk that uses every service.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, bail};
use trunkline_flow::{Checked, check, diagnostics, parse};
use trunkline_model::{PluginName, signature::Interface};
use trunkline_plugin::{Host, HostLimits, MemoryKeyValues, Settings};

/// A hotline and what its plugins offer.
#[derive(Clone, Debug)]
pub struct Simulated {
    /// Where it is.
    pub folder: PathBuf,
    /// The hotline.
    pub hotline: Checked,
    /// Its plugins' interfaces, read out of their components.
    pub interfaces: BTreeMap<PluginName, Arc<Interface>>,
}

/// Reads and checks the example hotlines and the desk.
///
/// # Errors
/// One does not load, or a component was not built.
pub async fn all() -> anyhow::Result<Vec<Simulated>> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut folders = vec![project.join("runtime/scenario/tests/desk")];
    for entry in std::fs::read_dir(project.join("flows")).context("failed to list the example hotlines")? {
        folders.push(entry.context("failed to list the example hotlines")?.path());
    }
    folders.sort();
    let mut limits = HostLimits {
        guest_threads: 1,
        ..HostLimits::default()
    };
    limits.small.instances = 1;
    limits.large.instances = 1;
    let settings = Settings {
        limits,
        cache: Some(project.join("target/simulator-components")),
        ..Settings::default()
    };
    let host =
        Host::start(settings, Arc::new(MemoryKeyValues::new())).context("failed to start the plugin host")?;
    let mut all = Vec::new();
    for folder in folders
        .into_iter()
        .filter(|folder| folder.join("hotline.yaml").is_file())
    {
        all.push(one(&host, folder).await?);
    }
    Ok(all)
}

async fn one(host: &Arc<Host>, folder: PathBuf) -> anyhow::Result<Simulated> {
    let sources = trunkline_node::read_folder(&folder)?;
    let parsed = parse(&sources);
    let mut interfaces = BTreeMap::new();
    for plugin in parsed.plugins() {
        let path = folder.join(plugin.component.as_str());
        let bytes = tokio::fs::read(&path).await.with_context(|| {
            format!(
                "failed to read {}; `cargo xtask plugins` builds it",
                path.display()
            )
        })?;
        let inspection = host
            .inspect(bytes.into())
            .await
            .with_context(|| format!("failed to load {}", path.display()))?;
        interfaces.insert(plugin.name.value.clone(), inspection.interface.clone());
    }
    let report = check(&parsed, &interfaces);
    let Some(hotline) = report.checked else {
        let shown = diagnostics::render(&report.diagnostics, &sources, diagnostics::Color::Never);
        bail!("{} does not load:\n{shown}", folder.display());
    };
    Ok(Simulated {
        folder,
        hotline,
        interfaces,
    })
}
