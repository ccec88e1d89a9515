//! A plugin as it is on a server: what it offers and may reach there, how its calls went, and what it
//! keeps of its own.

use std::{fmt::Write as _, time::Duration};

use anyhow::anyhow;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    api::Api,
    exit::{Exit, Failure, Outcome},
    plugin::{Format, kv},
    table,
};

const BOLD: anstyle::Style = anstyle::Style::new().bold();
const DIM: anstyle::Style = anstyle::Style::new().dimmed();

#[derive(Deserialize)]
struct Listed {
    plugins: Vec<Value>,
}

/// A plugin as the API tells of it. What a later server tells besides is passed over.
#[derive(Deserialize)]
struct Plugin {
    department: String,
    component: String,
    digest: String,
    functions: Vec<Function>,
    wants: Vec<String>,
    calls: u64,
    answers: u64,
    refusals: u64,
    faults: serde_json::Map<String, Value>,
    breaker: String,
}

#[derive(Deserialize)]
struct Function {
    signature: String,
    #[serde(default)]
    docs: Option<String>,
}

/// Asks the server, and prints what it says.
pub(super) async fn run(server: &str, key: Option<&str>, name: &str, format: Format) -> Outcome {
    let api = Api::at(server)?;
    let listed: Listed = api.get("/api/v1/plugins", key, Duration::ZERO).await?;
    let told = listed.plugins.iter().find(|plugin| plugin["plugin"] == name);
    let Some(told) = told else {
        let names: Vec<&str> = listed
            .plugins
            .iter()
            .filter_map(|plugin| plugin["plugin"].as_str())
            .collect();
        return Err(Failure::refused(anyhow!(
            "the release that is live at {} has no plugin {name:?}; it has {}",
            api.base(),
            if names.is_empty() {
                "none".to_owned()
            } else {
                names.join(", ")
            }
        )));
    };
    let kept = kv::kept(&api, key, name, "").await?;
    match format {
        Format::Json => anstream::println!("{:#}", json!({ "plugin": told, "keeps": kept })),
        Format::Text => {
            let plugin = Plugin::deserialize(told)
                .map_err(|error| anyhow!("the server's answer cannot be read: {error}"))?;
            anstream::print!("{}", text(name, &plugin));
            if kept.is_empty() {
                anstream::println!("{BOLD}keeps{BOLD:#} nothing");
            } else {
                anstream::println!("{BOLD}keeps{BOLD:#}");
                for line in kv::told(kept)?.lines() {
                    anstream::println!("  {line}");
                }
            }
        }
    }
    Ok(Exit::Done)
}

fn text(name: &str, plugin: &Plugin) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(
        text,
        "{BOLD}{name}{BOLD:#} of {}",
        table::plain(&plugin.department)
    );
    let _ = writeln!(text, "  {}", table::plain(&plugin.component));
    let _ = writeln!(text, "  sha256 {}", plugin.digest);
    let wants = if plugin.wants.is_empty() {
        "nothing".to_owned()
    } else {
        plugin.wants.join(", ")
    };
    let _ = writeln!(text, "  wants  {}", table::plain(&wants));
    let _ = writeln!(text, "{BOLD}functions{BOLD:#}");
    for function in &plugin.functions {
        let _ = writeln!(text, "  {}", table::plain(&function.signature));
        let docs = function.docs.iter().flat_map(|docs| docs.lines());
        for line in docs {
            let _ = writeln!(text, "    {DIM}{}{DIM:#}", table::plain(line));
        }
    }
    let faults: Vec<String> = plugin
        .faults
        .iter()
        .filter(|(_, count)| count.as_u64() != Some(0))
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    let faults = if faults.is_empty() {
        "no faults".to_owned()
    } else {
        format!("faults: {}", faults.join(", "))
    };
    let _ = writeln!(
        text,
        "{BOLD}calls{BOLD:#} {}: {} answered, {} refused, {faults}; breaker {}",
        plugin.calls, plugin.answers, plugin.refusals, plugin.breaker
    );
    text
}
