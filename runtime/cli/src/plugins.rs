//! The interfaces of a hotline's plugins, for commands that look at files while they are
//! being written.
//!
//! Components are loaded as a server loads them, so that what a server would refuse is said
//! here too; one that does not load is a finding and keeps nothing else from being checked.
//! What was loaded is known by the component's stamp, its settings and its grants, and not loaded again.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use anyhow::anyhow;
use tokio::sync::OnceCell;
use trunkline_flow::{Code, Diagnostic, Editor, Parsed, Sources, parse::Grant};
use trunkline_model::{Digest, PluginName, signature::Interface};
use trunkline_node::packages::{Gate, file_in};
use trunkline_package::{
    Identity,
    admission::{Shelves, Wanted},
    archive::{self, ARCHIVE_BYTES_MAX},
    reference::Source,
};
use trunkline_plugin::{
    Deployment, Grants, Host, Manifest, MemoryKeyValues, Settings, limits::COMPONENT_BYTES_MAX,
};

use crate::{exit::Failure, place, plugin::narrow};

/// Loads the components of hotlines.
#[derive(Default)]
pub(crate) struct Plugins {
    host: OnceCell<Arc<Host>>,
    known: Mutex<HashMap<Known, Loaded>>,
}

/// What one loading was of.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Known {
    name: PluginName,
    component: PathBuf,
    state: State,
    grant: String,
    config: BTreeMap<String, String>,
}

/// What changes when a component does.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum State {
    /// A file: its length, and when it was written. None for one that is not there.
    File(Option<(u64, SystemTime)>),
    /// A package of a registry.
    Package(Digest),
}

/// What came of one loading.
#[derive(Clone)]
struct Loaded {
    interface: Option<Arc<Interface>>,
    /// Why it is refused.
    refused: Option<String>,
    /// What it is and who signed it; none for what is not there or is no package.
    identity: Option<Identity>,
    /// Whether it was not let in, so that nothing of it was run.
    kept_out: bool,
}

/// The plugins of one hotline.
#[derive(Default)]
pub(crate) struct Interfaces {
    /// Those whose functions are known.
    pub(crate) known: BTreeMap<PluginName, Arc<Interface>>,
    /// Why others, or some of these, do not load.
    pub(crate) findings: Vec<Diagnostic>,
}

impl Plugins {
    /// Loads what a hotline declares.
    ///
    /// # Errors
    /// The machine has no room for a host of plugins.
    pub(crate) async fn load(&self, folder: &Path, parsed: &Parsed) -> Result<Interfaces, Failure> {
        let grants: BTreeMap<PluginName, Grant> = parsed
            .grants()
            .into_iter()
            .map(|grant| (grant.plugin.value.clone(), grant))
            .collect();
        let mut interfaces = Interfaces::default();
        let (gate, wrong) = Gate::read(parsed, file_in(folder));
        interfaces.findings.extend(wrong);
        // Looking at files asks no network.
        let shelves = place::packages();
        for declared in parsed.plugins() {
            let name = declared.name.value.clone();
            let grant = grants.get(&name);
            let entry = grant.map_or_else(|| serde_json::json!({}), |grant| grant.entry.clone());
            let granted = match serde_json::from_value::<Grants>(entry.clone()) {
                Ok(granted) => granted,
                Err(error) => {
                    let span = grant.map_or(declared.name.span, |grant| grant.span(wrong_part(grant)));
                    let finding = parsed.diagnostic(Code::BadGrant, span, error.to_string(), []);
                    interfaces.findings.push(finding);
                    Grants::default()
                }
            };
            let refuse = |code: Code, why: &dyn std::fmt::Display| {
                let message = format!("plugin `{name}`: {why}");
                parsed.diagnostic(code, declared.component.span, message, [])
            };
            let source = match Source::parse(&declared.component.value) {
                Ok(source) => source,
                Err(error) => {
                    interfaces.findings.push(refuse(Code::BadComponentPath, &error));
                    continue;
                }
            };
            let wanted = gate.wanted(&declared, &source);
            let component = folder.join(&*declared.component.value);
            let state = match &source {
                Source::Component(_) | Source::File(_) => State::File(stamp(&component)),
                Source::Registry(reference) => match wanted.package(reference) {
                    Ok(digest) => State::Package(digest),
                    Err(refusal) => {
                        interfaces.findings.push(refuse(Code::PackageRefused, &refusal));
                        continue;
                    }
                },
            };
            let key = Known {
                name: name.clone(),
                component,
                state,
                grant: entry.to_string(),
                config: declared.config.clone(),
            };
            let refusal = |identity: Option<&Identity>| wanted.admit(identity?).err();
            let known = self.known().get(&key).cloned();
            // What was kept out may be let in since: the lock and the keys are files, too.
            let known = known.filter(|known| !known.kept_out || refusal(known.identity.as_ref()).is_some());
            let loaded = match known {
                Some(loaded) => loaded,
                None => {
                    let deployment = Deployment {
                        name: name.clone(),
                        department: declared.department.to_string(),
                        config: declared.config.clone(),
                        grants: granted,
                    };
                    let loaded = self.load_one(&key, &shelves, &wanted, deployment).await?;
                    let mut known = self.known();
                    // What was loaded before of the same plugin is of no use any more.
                    known.retain(|old, _| old.name != key.name || old.component != key.component);
                    known.insert(key, loaded.clone());
                    loaded
                }
            };
            if let Some(refusal) = refusal(loaded.identity.as_ref()) {
                interfaces.findings.push(refuse(Code::PackageRefused, &refusal));
                continue;
            }
            if let Some(why) = loaded.refused {
                let code = if loaded.identity.is_some() || matches!(source, Source::Component(_)) {
                    Code::PluginNotLoaded
                } else {
                    Code::PackageRefused
                };
                interfaces.findings.push(refuse(
                    code,
                    &why.replace("COMPONENT", declared.component.as_str()),
                ));
            }
            if let Some(interface) = loaded.interface {
                interfaces.known.insert(name, interface);
            }
        }
        Ok(interfaces)
    }

    /// A hotline as an editor sees it, and all that is wrong with it, in the order of the
    /// files.
    ///
    /// # Errors
    /// The machine has no room for a host of plugins.
    pub(crate) async fn look(
        &self,
        folder: &Path,
        sources: &Sources,
    ) -> Result<(Editor, Vec<Diagnostic>), Failure> {
        let parsed = trunkline_flow::parse(sources);
        let interfaces = self.load(folder, &parsed).await?;
        let editor = Editor::new(sources, interfaces.known);
        let mut findings = interfaces.findings;
        findings.extend(
            editor
                .diagnostics()
                .into_iter()
                // Why a plugin is not loaded has been said where its component is named.
                .filter(|finding| finding.code != Code::PluginNotLoaded),
        );
        findings.extend(editor.scenario_diagnostics(sources));
        findings.sort_by(|a, b| {
            (&a.file, a.line, a.column, a.severity).cmp(&(&b.file, b.line, b.column, b.severity))
        });
        Ok((editor, findings))
    }

    async fn load_one(
        &self,
        known: &Known,
        shelves: &Shelves,
        wanted: &Wanted<'_>,
        deployment: Deployment,
    ) -> Result<Loaded, Failure> {
        let (bytes, identity) = match component(known, shelves, wanted).await {
            Ok(found) => found,
            Err(why) => {
                return Ok(Loaded {
                    interface: None,
                    refused: Some(why),
                    identity: None,
                    kept_out: false,
                });
            }
        };
        let kept_out = wanted.admit(&identity).is_err();
        let identity = Some(identity);
        if kept_out {
            // Some components are run to say what they export: this one is not.
            return Ok(Loaded {
                interface: None,
                refused: None,
                identity,
                kept_out,
            });
        }
        let host = self.host().await?;
        let config = deployment.config.clone();
        Ok(match host.load(bytes.clone(), deployment).await {
            Ok(plugin) => Loaded {
                interface: Some(plugin.interface().clone()),
                refused: None,
                identity,
                kept_out,
            },
            // Without its grants it does not load, but what it exports can be told.
            Err(error) => Loaded {
                interface: host
                    .inspect_with(bytes, config)
                    .await
                    .ok()
                    .map(|inspection| inspection.interface),
                refused: Some(error.to_string()),
                identity,
                kept_out,
            },
        })
    }

    async fn host(&self) -> Result<&Arc<Host>, Failure> {
        let start = || async {
            let settings = Settings {
                limits: narrow(),
                cache: place::cache(),
                ..Settings::default()
            };
            Host::start(settings, Arc::new(MemoryKeyValues::new()))
        };
        self.host
            .get_or_try_init(start)
            .await
            .map_err(|error| Failure::from(anyhow!(error)))
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<Known, Loaded>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A component's bytes and what it is, or why there are none.
async fn component(
    known: &Known,
    shelves: &Shelves,
    wanted: &Wanted<'_>,
) -> Result<(Arc<[u8]>, Identity), String> {
    let package = match wanted.source {
        Source::Component(_) => {
            let bytes = read(known, COMPONENT_BYTES_MAX as u64).await?;
            let manifest = Manifest::of_component(&bytes).ok().flatten();
            let identity = Identity::of_bare(&bytes, manifest.as_ref());
            return Ok((bytes.into(), identity));
        }
        Source::File(_) => {
            let bytes = read(known, ARCHIVE_BYTES_MAX).await?;
            archive::read(&bytes).map_err(|error| format!("COMPONENT is refused: {error}"))?
        }
        Source::Registry(reference) => shelves
            .take(wanted, reference)
            .await
            .map_err(|refusal| refusal.to_string())?,
    };
    let identity = package.identity();
    Ok((package.into_component().into(), identity))
}

async fn read(known: &Known, bytes_max: u64) -> Result<Vec<u8>, String> {
    let State::File(Some((bytes, _))) = known.state else {
        return Err(
            "there is no file COMPONENT; build the plugin, or write the path relative to the hotline's folder"
                .to_owned(),
        );
    };
    if bytes > bytes_max {
        return Err(format!(
            "COMPONENT has {bytes} bytes, and the most is {bytes_max}"
        ));
    }
    tokio::fs::read(&known.component)
        .await
        .map_err(|error| format!("failed to read COMPONENT: {error}"))
}

fn stamp(path: &Path) -> Option<(u64, SystemTime)> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.modified().ok()?))
}

/// The part of a grant that is wrong by itself.
fn wrong_part(grant: &Grant) -> &str {
    let parts = grant.entry.as_object().into_iter().flatten();
    parts
        .into_iter()
        .find(|(name, value)| {
            let alone = serde_json::json!({ name.as_str(): value });
            serde_json::from_value::<Grants>(alone).is_err()
        })
        .map_or("", |(name, _)| name.as_str())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use trunkline_package::key::PrivateKey;

    use super::*;

    /// A component that says itself what it exports, and traps when it is asked.
    const SPEAKING: &str = r#"(component
      (core module $m
        (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 1024)
        (func (export "describe") (result i32) unreachable)
        (func (export "run") (param i32 i32 i32 i32) (result i32) unreachable))
      (core instance $m (instantiate $m))
      (type $refusal (record (field "case" string) (field "payload" (option string))))
      (func $describe (result string) (canon lift (core func $m "describe") (memory $m "memory")))
      (func $run (param "function" string) (param "arguments" string) (result (result string (error $refusal)))
        (canon lift (core func $m "run") (memory $m "memory") (realloc (func $m "realloc"))))
      (component $functions
        (type $refusal (record (field "case" string) (field "payload" (option string))))
        (import "refusal" (type $given (eq $refusal)))
        (import "describe" (func $describe (result string)))
        (import "run" (func $run
          (param "function" string) (param "arguments" string) (result (result string (error $given)))))
        (export $named "refusal" (type $refusal))
        (export "describe" (func $describe))
        (export "run" (func $run) (func
          (param "function" string) (param "arguments" string) (result (result string (error $named))))))
      (instance $functions (instantiate $functions
        (with "refusal" (type $refusal))
        (with "describe" (func $describe))
        (with "run" (func $run))))
      (export "trunkline:dynamic/functions@0.1.0" (instance $functions)))"#;

    #[tokio::test]
    async fn of_what_is_not_let_in_nothing_is_run() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, content: &[u8]| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        };
        write(
            "hotline.yaml",
            b"hotline: test\nlanguages: [en]\ntime-zone: Asia/Shanghai\nnumbers: { \"12345\": { flow: main } }\n\
              plugins: { sage: { component: sage.wasm, department: civil } }\n",
        );
        write(
            "flows/main.yaml",
            b"flow: main\nstart: done\nsteps: { done: { end: completed } }\n",
        );
        write("sage.wasm", &wat::parse_str(SPEAKING).unwrap());
        let (key, _) = PrivateKey::generate().unwrap();
        write("keys/civil.pub", key.public().to_pem().as_bytes());
        let plugins = Plugins::default();
        let found = async |grants: &str| {
            write("grants.yaml", grants.as_bytes());
            let sources = trunkline_node::read_folder(folder.path()).unwrap();
            let parsed = trunkline_flow::parse(&sources);
            let findings = plugins.load(folder.path(), &parsed).await.unwrap().findings;
            let told = findings
                .into_iter()
                .map(|finding| (finding.code, finding.message));
            told.collect::<Vec<_>>()
        };
        let refused = found("departments: { civil: { signed-by: keys/civil.pub } }\n").await;
        assert!(
            matches!(refused.as_slice(), [(Code::PackageRefused, _)]),
            "{refused:?}"
        );
        assert!(
            plugins.host.get().is_none(),
            "no host was started that could run it"
        );
        // Nobody has to vouch for it any more: it is asked.
        let trapped = found("{}\n").await;
        assert!(
            matches!(trapped.as_slice(), [(Code::PluginNotLoaded, why)] if why.contains("unreachable")),
            "{trapped:?}"
        );
    }
}
