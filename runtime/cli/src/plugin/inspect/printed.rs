//! What is told of a component, for people and for programs.

use std::{fmt::Write as _, sync::Arc};

use serde_json::json;
use trunkline_model::{Signature, Type};
use trunkline_plugin::{
    Bytes, Capability, Contents, Grants, Manifest,
    contents::{Kind, Offered},
};

use super::Told;
use crate::{plugin::wants, table};

const BOLD: anstyle::Style = anstyle::Style::new().bold();
const DIM: anstyle::Style = anstyle::Style::new().dimmed();
const RED: anstyle::Style = anstyle::AnsiColor::Red.on_default().bold();
const YELLOW: anstyle::Style = anstyle::AnsiColor::Yellow.on_default();

/// For people.
pub(super) fn text(told: &Told, name: &str) -> String {
    let Told { contents, loaded } = told;
    let mut text = String::new();
    // Writing to a string does not fail.
    if let Err(refused) = loaded {
        let _ = writeln!(text, "{RED}refused{RED:#} ({}): {refused}\n", refused.code());
    }
    if contents.kind != Kind::Other {
        manifest(&mut text, contents);
    }
    let _ = writeln!(text, "sha256   {}", contents.digest);
    let _ = write!(text, "size     {} bytes", contents.bytes);
    if contents.kind == Kind::Component {
        let memory = Bytes(contents.initial_memory);
        let _ = write!(
            text,
            "; begins with {memory} of memory, in the pool for {} guests",
            contents.pool
        );
    }
    text.push('\n');
    if let Some(damage) = &contents.damage {
        let _ = writeln!(text, "damaged  {damage}; what stands before is shown");
    }
    if contents.kind == Kind::Other {
        return text;
    }
    grants(&mut text, contents, name);
    imports(&mut text, contents);
    functions(&mut text, told);
    parts(&mut text, contents);
    text
}

fn manifest(text: &mut String, contents: &Contents) {
    let manifest = match &contents.manifest {
        Ok(Some(manifest)) => manifest,
        Ok(None) => {
            let _ = writeln!(
                text,
                "{DIM}no manifest: `trunkline plugin build` puts one in{DIM:#}"
            );
            return;
        }
        Err(why) => {
            let _ = writeln!(text, "{RED}manifest{RED:#} {why}");
            return;
        }
    };
    let Manifest {
        name,
        version,
        department,
        description,
        language,
        license,
        authors,
        source,
        ..
    } = manifest;
    let _ = writeln!(text, "{BOLD}{name} {version}{BOLD:#} of {department}");
    let authors = (!authors.is_empty()).then(|| authors.join(", "));
    for line in [
        description,
        &language.as_ref().map(|language| format!("written in {language}")),
        &authors.map(|authors| format!("by {authors}")),
        &license.as_ref().map(|license| format!("under {license}")),
        source,
    ]
    .into_iter()
    .flatten()
    {
        let _ = writeln!(text, "  {line}");
    }
}

/// The wants of its manifest, or what its imports say.
fn wanted(contents: &Contents) -> Option<&Grants> {
    match &contents.manifest {
        Ok(Some(manifest)) => Some(&manifest.wants),
        _ => None,
    }
}

fn capabilities(contents: &Contents) -> Vec<Capability> {
    let mut capabilities: Vec<_> = contents
        .imports
        .iter()
        .filter_map(|import| match import.offered {
            Offered::Capability(capability) => Some(capability),
            Offered::Inert | Offered::Unknown(_) => None,
        })
        .collect();
    capabilities.sort_unstable();
    capabilities.dedup();
    capabilities
}

fn grants(text: &mut String, contents: &Contents, name: &str) {
    let _ = writeln!(text, "{BOLD}wants{BOLD:#} {DIM}(for grants.yaml){DIM:#}");
    match wanted(contents) {
        Some(wants) => {
            for line in wants::entry(name, wants).lines() {
                let _ = writeln!(text, "  {line}");
            }
        }
        None => {
            let lines: Vec<_> = capabilities(contents)
                .into_iter()
                .map(Capability::grant_line)
                .filter(|line| !line.starts_with('#'))
                .collect();
            if lines.is_empty() {
                let _ = writeln!(text, "  nothing");
            } else {
                let _ = writeln!(text, "  {name}:");
            }
            for line in lines {
                let _ = writeln!(text, "    {line}");
            }
        }
    }
}

fn imports(text: &mut String, contents: &Contents) {
    if contents.imports.is_empty() {
        return;
    }
    let _ = writeln!(text, "{BOLD}imports{BOLD:#}");
    let rows: Vec<Vec<String>> = contents
        .imports
        .iter()
        .map(|import| {
            let what = match &import.offered {
                Offered::Capability(capability) => capability.to_string(),
                Offered::Inert => "there, and empty".to_owned(),
                Offered::Unknown(hint) => format!("not offered: {hint}"),
            };
            vec![import.name.clone(), what]
        })
        .collect();
    let laid_out = table::lay_out(&rows);
    for (line, import) in laid_out.lines().zip(&contents.imports) {
        let style = match import.offered {
            Offered::Capability(_) => anstyle::Style::new(),
            Offered::Inert => DIM,
            Offered::Unknown(_) => YELLOW,
        };
        let _ = writeln!(text, "  {style}{line}{style:#}");
    }
}

fn functions(text: &mut String, told: &Told) {
    let (functions, types) = match &told.loaded {
        Ok(inspection) => (&inspection.interface.functions, Some(&inspection.interface.types)),
        Err(_) => (&told.contents.functions, None),
    };
    let _ = writeln!(text, "{BOLD}functions{BOLD:#}");
    if functions.is_empty() {
        let _ = writeln!(text, "  none that can be read");
    }
    for signature in functions {
        let _ = writeln!(text, "  {signature}");
        let _ = writeln!(text, "      {DIM}{}{DIM:#}", signature.function);
        for docs in signature.docs.iter().flat_map(|docs| docs.lines()) {
            let _ = writeln!(text, "      {docs}");
        }
    }
    // Of a component that is refused, what else it exports may be the reason.
    if told.loaded.is_err() && !told.contents.exports.is_empty() {
        let _ = writeln!(text, "{BOLD}exports{BOLD:#}");
        for export in &told.contents.exports {
            let _ = writeln!(text, "  {}  {DIM}{}{DIM:#}", export.name, export.what);
        }
    }
    let Some(types) = types.filter(|types| !types.is_empty()) else {
        return;
    };
    let _ = writeln!(text, "{BOLD}types{BOLD:#}");
    for (name, ty) in types {
        let _ = writeln!(text, "  {name}: {}", shape(ty));
    }
}

fn parts(text: &mut String, contents: &Contents) {
    if !contents.producers.is_empty() {
        let _ = writeln!(text, "{BOLD}made with{BOLD:#}");
    }
    for producer in &contents.producers {
        let _ = writeln!(
            text,
            "  {}",
            format!("{} {}", producer.name, producer.version).trim_end()
        );
    }
    if !contents.sections.is_empty() {
        let _ = writeln!(text, "{BOLD}custom sections{BOLD:#}");
    }
    for (name, bytes) in sections(contents) {
        let _ = writeln!(text, "  {name}  {bytes} bytes");
    }
}

/// The custom sections by name, in the order they first stand; modules inside have their own of the
/// same names.
fn sections(contents: &Contents) -> Vec<(&str, usize)> {
    let mut sections: Vec<(&str, usize)> = Vec::new();
    for section in &contents.sections {
        match sections.iter_mut().find(|(name, _)| *name == section.name) {
            Some((_, bytes)) => *bytes += section.bytes,
            None => sections.push((&section.name, section.bytes)),
        }
    }
    sections
}

/// What a type that has a name is made of.
pub(crate) fn shape(ty: &Type) -> String {
    let mut nameless = ty.clone();
    match &mut nameless {
        Type::Record(record) => Arc::make_mut(record).name = None,
        Type::Variant(variant) => Arc::make_mut(variant).name = None,
        Type::Enum(names) | Type::Flags(names) => Arc::make_mut(names).name = None,
        _ => {}
    }
    nameless.to_string()
}

/// For programs.
pub(super) fn json(told: &Told) -> serde_json::Value {
    let Told { contents, loaded } = told;
    let inspection = loaded.as_ref().ok();
    let functions = inspection.map_or(&contents.functions, |inspection| &inspection.interface.functions);
    let import = |import: &trunkline_plugin::contents::Import| match &import.offered {
        Offered::Capability(capability) => json!({
            "import": import.name, "is": "capability", "capability": capability.to_string(),
        }),
        Offered::Inert => json!({ "import": import.name, "is": "inert" }),
        Offered::Unknown(hint) => json!({ "import": import.name, "is": "unknown", "hint": hint }),
    };
    json!({
        "sha256": contents.digest,
        "bytes": contents.bytes,
        "refused": loaded.as_ref().err().map(|error| json!({ "code": error.code(), "why": error.to_string() })),
        "initial_memory": contents.initial_memory,
        "pool": contents.pool,
        "manifest": contents.manifest.as_ref().ok().and_then(Option::as_ref),
        "wants": capabilities(contents)
            .into_iter()
            .map(|capability| json!({ "capability": capability.to_string(), "grant": capability.grant_line() }))
            .collect::<Vec<_>>(),
        "imports": contents.imports.iter().map(import).collect::<Vec<_>>(),
        "exports": contents
            .exports
            .iter()
            .map(|export| json!({ "export": export.name, "is": export.what }))
            .collect::<Vec<_>>(),
        "functions": functions.iter().map(function).collect::<Vec<_>>(),
        "types": inspection.map(|inspection| &inspection.interface.types),
        "sections": contents
            .sections
            .iter()
            .map(|section| json!({ "section": section.name, "bytes": section.bytes }))
            .collect::<Vec<_>>(),
        "producers": contents
            .producers
            .iter()
            .map(|producer| json!({ "field": producer.field, "name": producer.name, "version": producer.version }))
            .collect::<Vec<_>>(),
        "wit": contents.wit,
        "damage": contents.damage,
    })
}

fn function(signature: &Signature) -> serde_json::Value {
    json!({
        "call": signature.path(),
        "export": signature.function,
        "signature": signature.to_string(),
        "parameters": signature.parameters,
        "ok": signature.ok,
        "errors": signature.errors,
        "docs": signature.docs,
    })
}
