//! `trunkline plugin inspect`: what a component offers to flows and what it wants.

use std::{path::PathBuf, sync::Arc};

use anyhow::anyhow;
use clap::Args;
use serde_json::json;
use trunkline_model::{Signature, Type};
use trunkline_plugin::{Bytes, Host, Inspection, MemoryKeyValues, Settings};

use super::{Format, narrow};
use crate::exit::{Exit, Failure, Outcome};

/// Show a component's functions as flows call them, what it wants of its host, and its digest
///
/// Any component will do, whatever it was written in and whoever built it.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    trunkline plugin inspect flows/city-hotline/plugins/crm_lookup.wasm\n  \
    trunkline plugin inspect --output-format json mood.wasm")]
pub(crate) struct Inspect {
    /// The component: a .wasm file
    component: PathBuf,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    output_format: Format,
}

impl Inspect {
    /// Runs the command.
    pub(crate) async fn run(&self) -> Outcome {
        let path = self.component.display();
        let bytes = tokio::fs::read(&self.component).await.map_err(|error| {
            Failure::usage(
                anyhow!(error).context(format!("failed to read {path}; name a component's .wasm file")),
            )
        })?;
        let settings = Settings {
            limits: narrow(),
            ..Settings::default()
        };
        let host = Host::start(settings, Arc::new(MemoryKeyValues::new()))
            .map_err(|error| Failure::from(anyhow!(error)))?;
        let inspection = host
            .inspect(bytes.into())
            .await
            .map_err(|error| Failure::from(anyhow!("{path} does not load as a plugin: {error}")))?;
        match self.output_format {
            Format::Text => anstream::print!("{}", told(&inspection)),
            Format::Json => anstream::println!("{:#}", as_json(&inspection)),
        }
        Ok(Exit::Done)
    }
}

fn told(inspection: &Inspection) -> String {
    use std::fmt::Write as _;

    let bold = anstyle::Style::new().bold();
    let dim = anstyle::Style::new().dimmed();
    let mut text = String::new();
    // Writing to a string does not fail.
    let mut line = |written: std::fmt::Arguments<'_>| {
        let _ = writeln!(text, "{written}");
    };
    line(format_args!("sha256   {}", inspection.digest));
    line(format_args!(
        "size     {} bytes; begins with {} of memory",
        inspection.bytes,
        Bytes(inspection.initial_memory)
    ));
    let wants = inspection.wants.capabilities();
    line(format_args!("{bold}wants{bold:#}"));
    if wants.is_empty() {
        line(format_args!("  nothing"));
    }
    for capability in wants {
        line(format_args!(
            "  {capability}  {dim}{}{dim:#}",
            capability.grant_line()
        ));
    }
    line(format_args!("{bold}functions{bold:#}"));
    for signature in &inspection.interface.functions {
        line(format_args!("  {signature}"));
        line(format_args!("      {dim}{}{dim:#}", signature.function));
        for docs in signature.docs.iter().flat_map(|docs| docs.lines()) {
            line(format_args!("      {docs}"));
        }
    }
    if !inspection.interface.types.is_empty() {
        line(format_args!("{bold}types{bold:#}"));
    }
    for (name, ty) in &inspection.interface.types {
        line(format_args!("  {name}: {}", shape(ty)));
    }
    text
}

/// What a type that has a name is made of.
fn shape(ty: &Type) -> String {
    let mut nameless = ty.clone();
    match &mut nameless {
        Type::Record(record) => Arc::make_mut(record).name = None,
        Type::Variant(variant) => Arc::make_mut(variant).name = None,
        Type::Enum(names) | Type::Flags(names) => Arc::make_mut(names).name = None,
        _ => {}
    }
    nameless.to_string()
}

fn as_json(inspection: &Inspection) -> serde_json::Value {
    let function = |signature: &Signature| {
        json!({
            "call": signature.path(),
            "export": signature.function,
            "signature": signature.to_string(),
            "parameters": signature.parameters,
            "ok": signature.ok,
            "errors": signature.errors,
            "docs": signature.docs,
        })
    };
    json!({
        "sha256": inspection.digest,
        "bytes": inspection.bytes,
        "initial_memory": inspection.initial_memory,
        "wants": inspection
            .wants
            .capabilities()
            .iter()
            .map(|capability| json!({ "capability": capability.to_string(), "grant": capability.grant_line() }))
            .collect::<Vec<_>>(),
        "functions": inspection.interface.functions.iter().map(function).collect::<Vec<_>>(),
        "types": inspection.interface.types,
    })
}
