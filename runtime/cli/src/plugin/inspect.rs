//! `trunkline plugin inspect`: what a component offers to flows and what it wants, for any
//! component: also for one that would be refused.

mod live;
mod printed;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::anyhow;
use clap::Args;
use trunkline_plugin::{
    Contents, Host, Inspection, LoadError, MemoryKeyValues, Settings, limits::COMPONENT_BYTES_MAX,
};

use super::{Format, narrow};
use crate::{
    exit::{Exit, Failure, Outcome},
    place,
};

/// Show what a component offers, what it wants of its host, and what it is made of
///
/// Any component will do, whatever it was written in and whoever built it. One that no server
/// would take is shown too, with the reason, and what can be told of it all the same.
/// With --server it is a plugin of a server that is shown: what it offers there, what it may reach, how
/// its calls went, and what it keeps, such as a feed's copy. Values may be personal data; that an operator
/// read them stands in the server's log.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    trunkline plugin inspect flows/city-hotline/plugins/crm_lookup.wasm\n  \
    trunkline plugin inspect --hotline flows/city-hotline crm\n  \
    trunkline plugin inspect --server http://127.0.0.1:8080 health\n  \
    trunkline plugin inspect --wit dist/mood.wasm\n  \
    trunkline plugin inspect --output-format json mood.wasm\n\n\
    Exit codes: 0 when a server would take it; 1 when it would not.")]
pub(crate) struct Inspect {
    /// The component: a .wasm file; with --hotline or --server the name of a plugin
    component: PathBuf,
    /// Take the plugin of this name from a hotline's folder
    #[arg(long, value_name = "FOLDER")]
    hotline: Option<PathBuf>,
    /// Take the plugin of this name from a server, and show what it keeps there
    #[arg(long, value_name = "URL", conflicts_with_all = ["hotline", "wit"])]
    server: Option<String>,
    /// The server's operator key
    #[arg(long, value_name = "KEY", env = "TRUNKLINE_API_KEY", hide_env_values = true)]
    api_key: Option<String>,
    /// Show the interface that it was written against, with its comments, and nothing else
    #[arg(long)]
    wit: bool,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    output_format: Format,
}

/// All that can be told of a component.
pub(crate) struct Told {
    /// What its bytes say.
    pub(crate) contents: Contents,
    /// What the host says of it, or why it would not take it.
    pub(crate) loaded: Result<Inspection, LoadError>,
}

impl Inspect {
    /// Runs the command.
    pub(crate) async fn run(&self) -> Outcome {
        if let Some(server) = &self.server {
            let name = self.component.to_string_lossy();
            return live::run(server, self.api_key.as_deref(), &name, self.output_format).await;
        }
        let path = match &self.hotline {
            Some(hotline) => component_of(hotline, &self.component.to_string_lossy())?,
            None => self.component.clone(),
        };
        let bytes = read_component(&path)?;
        let told = tell(bytes).await?;
        if self.wit {
            let wit = told.contents.wit.as_deref().ok_or_else(|| {
                Failure::from(anyhow!(
                    "{} carries no WIT text; build it with `trunkline plugin build`",
                    path.display()
                ))
            })?;
            anstream::println!("{}", wit.trim_end());
            return Ok(Exit::Done);
        }
        match self.output_format {
            Format::Text => anstream::print!("{}", printed::text(&told, &name_of(&told, &path))),
            Format::Json => anstream::println!("{:#}", printed::json(&told)),
        }
        match told.loaded {
            Ok(_) => Ok(Exit::Done),
            Err(_) => Ok(Exit::Findings),
        }
    }
}

/// Reads a file that should be a component.
///
/// # Errors
/// It cannot be read, or is larger than any component may be.
pub(crate) fn read_component(path: &Path) -> Result<Arc<[u8]>, Failure> {
    let shown = path.display();
    let failed = |error: std::io::Error| {
        Failure::usage(
            anyhow!(error).context(format!("failed to read {shown}; name a component's .wasm file")),
        )
    };
    let length = std::fs::metadata(path).map_err(failed)?.len();
    if length > COMPONENT_BYTES_MAX as u64 {
        return Err(Failure::from(anyhow!(
            "{shown} has {length} bytes, and a component has at most {COMPONENT_BYTES_MAX}; build it with \
             optimisation, stripped"
        )));
    }
    std::fs::read(path).map(Into::into).map_err(failed)
}

/// Tells all that can be told of a component.
///
/// # Errors
/// The machine has no room for a host of plugins.
pub(crate) async fn tell(bytes: Arc<[u8]>) -> Result<Told, Failure> {
    let settings = Settings {
        limits: narrow(),
        cache: place::cache(),
        ..Settings::default()
    };
    let host = Host::start(settings, Arc::new(MemoryKeyValues::new()))
        .map_err(|error| Failure::from(anyhow!(error)))?;
    Ok(Told {
        contents: Contents::of(&bytes),
        loaded: host.inspect(bytes).await,
    })
}

/// The component's file of a hotline's plugin.
fn component_of(hotline: &Path, name: &str) -> Result<PathBuf, Failure> {
    let folder = place::hotline(hotline)?;
    let plugins = declared(&folder)?;
    let Some((_, component)) = plugins.iter().find(|(known, _)| known == name) else {
        let names: Vec<_> = plugins.iter().map(|(name, _)| name.as_str()).collect();
        let has = if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        };
        return Err(Failure::usage(anyhow!(
            "{} has no plugin {name:?}; it has {has}",
            hotline.display()
        )));
    };
    Ok(folder.join(file_of(name, component)?))
}

/// The component's file of a hotline's plugin, relative to the hotline; none when it has no such plugin.
///
/// # Errors
/// The hotline does not read, or the component is no file of its own.
pub(crate) fn find_component(folder: &Path, name: &str) -> Result<Option<String>, Failure> {
    let plugins = declared(folder)?;
    let found = plugins.into_iter().find(|(known, _)| known == name);
    found.map(|(_, component)| file_of(name, &component)).transpose()
}

/// The plugins that a hotline names, and their components.
fn declared(folder: &Path) -> Result<Vec<(String, String)>, Failure> {
    let sources = trunkline_node::read_folder(folder).map_err(|error| Failure::from(anyhow!(error)))?;
    let parsed = trunkline_flow::parse(&sources);
    Ok(parsed
        .plugins()
        .iter()
        .map(|plugin| (plugin.name.value.to_string(), plugin.component.value.to_string()))
        .collect())
}

fn file_of(name: &str, component: &str) -> Result<String, Failure> {
    if component.contains("://") {
        return Err(Failure::usage(anyhow!(
            "plugin `{name}` comes from {component}, not from a file; name a file in hotline.yaml while it is worked on: \
             component: plugins/{name}.wasm"
        )));
    }
    Ok(component.to_owned())
}

/// What the entry in grants.yaml would be called.
fn name_of(told: &Told, path: &Path) -> String {
    match &told.contents.manifest {
        Ok(Some(manifest)) => manifest.name.to_string(),
        _ => path.file_stem().map_or_else(
            || "plugin".to_owned(),
            |stem| stem.to_string_lossy().replace('_', "-"),
        ),
    }
}
