//! The SDKs, as they come along with a new plugin.

use anyhow::{Context as _, anyhow};
use toml::{Table, Value};

include!(concat!(env!("OUT_DIR"), "/plugin_files.rs"));

/// The manifest of the workspace in which the SDK for Rust lies in the repository.
const WORKSPACE: &str = "plugins/Cargo.toml";

/// Parts of an SDK that its users do not need.
const OWN: [&str; 4] = ["template/", "test/", "tests/", "package-lock.json"];

/// The files of an SDK and of the host's interfaces, below a folder.
pub(super) fn files(sdk: &str, below: &str) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    for (path, bytes) in FILES {
        let own = path.strip_prefix(sdk).and_then(|rest| rest.strip_prefix('/'));
        let wanted =
            own.is_some_and(|rest| !OWN.iter().any(|own| rest.starts_with(own))) || path.starts_with("wit/");
        if !wanted {
            continue;
        }
        let bytes = if *path == "sdk/rust/Cargo.toml" {
            alone(text(path)?, text(WORKSPACE)?)?.into_bytes()
        } else {
            bytes.to_vec()
        };
        files.push((format!("{below}/{path}"), bytes));
    }
    Ok(files)
}

/// The versions that the SDK for Rust was built with last.
pub(super) fn lock() -> Option<&'static [u8]> {
    FILES
        .iter()
        .find(|(path, _)| *path == "plugins/Cargo.lock")
        .map(|(_, bytes)| *bytes)
}

fn text(path: &str) -> anyhow::Result<&'static str> {
    let file = FILES.iter().find(|(known, _)| *known == path);
    let (_, bytes) = file.with_context(|| format!("this build of trunkline has no {path}"))?;
    std::str::from_utf8(bytes).with_context(|| format!("{path} is no text"))
}

/// A package's manifest without the workspace that it is part of.
fn alone(manifest: &str, workspace: &str) -> anyhow::Result<String> {
    let mut manifest: Table = manifest.parse().context("the SDK's manifest does not read")?;
    let workspace: Table = workspace
        .parse()
        .context("the workspace's manifest does not read")?;
    let shared = workspace
        .get("workspace")
        .and_then(Value::as_table)
        .ok_or_else(|| anyhow!("{WORKSPACE} is no workspace"))?;
    let of = |part: &str, key: &str| -> anyhow::Result<Value> {
        let found = shared.get(part).and_then(|table| table.get(key)).cloned();
        found.with_context(|| format!("{WORKSPACE} has no `{key}` for all"))
    };
    if let Some(package) = manifest.get_mut("package").and_then(Value::as_table_mut) {
        package.remove("workspace");
        for (key, value) in package.iter_mut() {
            if is_shared(value) {
                *value = of("package", key)?;
            }
        }
    }
    // Its lints are for those who write it.
    manifest.remove("lints");
    inherit(&mut manifest, &of)?;
    if let Some(targets) = manifest.get_mut("target").and_then(Value::as_table_mut) {
        for (_, target) in targets.iter_mut() {
            if let Some(target) = target.as_table_mut() {
                inherit(target, &of)?;
            }
        }
    }
    Ok(format!(
        "# Trunkline's SDK, as it came with this plugin. `trunkline plugin new` writes it.\n{}",
        toml::to_string(&manifest).context("the SDK's manifest cannot be written")?
    ))
}

fn is_shared(value: &Value) -> bool {
    value.get("workspace").and_then(Value::as_bool) == Some(true)
}

/// Gives each dependency that a workspace settles its own settings.
fn inherit(table: &mut Table, of: &dyn Fn(&str, &str) -> anyhow::Result<Value>) -> anyhow::Result<()> {
    for part in ["dependencies", "dev-dependencies", "build-dependencies"] {
        let Some(dependencies) = table.get_mut(part).and_then(Value::as_table_mut) else {
            continue;
        };
        for (name, dependency) in dependencies.iter_mut() {
            if !is_shared(dependency) {
                continue;
            }
            let mut settled = match of("dependencies", name)? {
                Value::Table(settled) => settled,
                version => Table::from_iter([("version".to_owned(), version)]),
            };
            for (key, value) in dependency.as_table().into_iter().flatten() {
                match key.as_str() {
                    "workspace" => {}
                    // What a member adds is added.
                    "features" => {
                        let mut features = settled
                            .get("features")
                            .and_then(Value::as_array)
                            .cloned()
                            .unwrap_or_default();
                        features.extend(value.as_array().into_iter().flatten().cloned());
                        settled.insert(key.clone(), Value::Array(features));
                    }
                    _ => {
                        settled.insert(key.clone(), value.clone());
                    }
                }
            }
            *dependency = Value::Table(settled);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_stands_alone() {
        let workspace = "[workspace.package]\nversion = \"1.2.0\"\n[workspace.dependencies]\nserde = { version = \"1\", features = [\"derive\"] }\nplain = \"2\"\n";
        let manifest = "[package]\nname = \"sdk\"\nversion.workspace = true\nworkspace = \"../../plugins\"\n\
            [dependencies]\nserde = { workspace = true, optional = true, features = [\"rc\"] }\nother = \"3\"\n\
            [target.'cfg(unix)'.dependencies]\nplain.workspace = true\n[lints]\nworkspace = true\n";
        let alone: Table = alone(manifest, workspace).unwrap().parse().unwrap();
        let wanted: Table = "[package]\nname = \"sdk\"\nversion = \"1.2.0\"\n\
            [dependencies]\nserde = { version = \"1\", optional = true, features = [\"derive\", \"rc\"] }\nother = \"3\"\n\
            [target.'cfg(unix)'.dependencies]\nplain = { version = \"2\" }\n"
            .parse()
            .unwrap();
        assert_eq!(alone, wanted);
        assert!(super::alone("[package]\nedition.workspace = true\n", workspace).is_err());
    }

    #[test]
    fn the_sdk_for_rust_needs_no_workspace() {
        let files = files("sdk/rust", "trunkline").unwrap();
        let manifest = files
            .iter()
            .find(|(path, _)| path == "trunkline/sdk/rust/Cargo.toml")
            .unwrap();
        let manifest: Table = std::str::from_utf8(&manifest.1).unwrap().parse().unwrap();
        let text = toml::to_string(&manifest).unwrap();
        assert!(!text.contains("workspace"), "{text}");
        assert!(
            files
                .iter()
                .any(|(path, _)| path == "trunkline/wit/host-0.1.0/host.wit")
        );
        assert!(!files.iter().any(|(path, _)| path.contains("/template/")));
    }
}
