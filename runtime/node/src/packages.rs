//! What a hotline asks of its plugins' packages: trunkline.lock, and the keys that grants.yaml
//! names for departments. Commands that check a hotline and the server that runs it ask the
//! same.

use std::{collections::BTreeMap, io, sync::Arc};

use trunkline_flow::{Code, Diagnostic, Parsed, parse::DeclaredPlugin};
use trunkline_model::PluginName;
use trunkline_package::{
    admission::{Vouching, Wanted},
    key::PublicKey,
    lock::{self, Lock},
    reference::Source,
};

/// The lock of a hotline, and who may sign for whom.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    lock: Lock,
    /// The keys of each department that signs.
    keys: BTreeMap<Arc<str>, Vec<PublicKey>>,
    /// Whose each plugin is, as grants.yaml says.
    departments: BTreeMap<PluginName, Arc<str>>,
    /// The files that it was made of, by their paths in the hotline.
    files: Vec<String>,
}

impl Gate {
    /// Reads what a hotline asks, and what is wrong with that. `file` gives a file of the
    /// hotline by its path; none when it is not there.
    pub fn read(
        parsed: &Parsed,
        file: impl Fn(&str) -> Option<io::Result<Vec<u8>>>,
    ) -> (Self, Vec<Diagnostic>) {
        let mut gate = Self {
            files: vec![lock::FILE.to_owned()],
            ..Self::default()
        };
        let mut found = Vec::new();
        match read_lock(&file) {
            Ok(lock) => gate.lock = lock,
            Err(message) => {
                let plugins = parsed.plugins();
                // Without plugins nothing is locked, whatever it says.
                let first = plugins.first();
                found.extend(
                    first.map(|plugin| parsed.diagnostic(Code::BadLock, plugin.component.span, message, [])),
                );
            }
        }
        for grant in parsed.grants() {
            if let Some(department) = grant.department {
                gate.departments.insert(grant.plugin.value, department.value);
            }
        }
        for signers in parsed.signers() {
            let keys = gate.keys.entry(signers.department.value.clone()).or_default();
            for path in &signers.keys {
                gate.files.push(path.value.to_string());
                let key = match file(&path.value) {
                    Some(Ok(pem)) => {
                        PublicKey::from_pem(&path.value, &pem).map_err(|error| error.to_string())
                    }
                    Some(Err(error)) => Err(format!("failed to read {}: {error}", path.value)),
                    None => Err(format!(
                        "there is no file {}; copy the department's public key there",
                        path.value
                    )),
                };
                match key {
                    Ok(key) => keys.push(key),
                    Err(message) => found.push(parsed.diagnostic(Code::BadGrant, path.span, message, [])),
                }
            }
        }
        (gate, found)
    }

    /// What is asked of a plugin's package.
    pub fn wanted<'a>(&'a self, plugin: &'a DeclaredPlugin, source: &'a Source) -> Wanted<'a> {
        Wanted {
            plugin: &plugin.name.value,
            source,
            department: &plugin.department,
            vouching: self.vouching(&plugin.name.value),
            lock: &self.lock,
        }
    }

    /// What is locked.
    pub const fn lock(&self) -> &Lock {
        &self.lock
    }

    /// What grants.yaml asks of a plugin's package; none where no department signs.
    pub fn vouching(&self, plugin: &PluginName) -> Option<Vouching<'_>> {
        let department = self.departments.get(plugin).map(|department| &**department);
        (!self.keys.is_empty()).then(|| Vouching {
            department,
            keys: department.and_then(|department| self.keys.get(department).map(Vec::as_slice)),
        })
    }

    /// Whether it matters what a plugin says of itself.
    pub fn asks(&self, plugin: &DeclaredPlugin) -> bool {
        self.lock.plugins.contains_key(&plugin.name.value) || !self.keys.is_empty()
    }

    /// The files that it was made of, there or not, by their paths in the hotline.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(String::as_str)
    }
}

fn read_lock(file: &impl Fn(&str) -> Option<io::Result<Vec<u8>>>) -> Result<Lock, String> {
    let bytes = match file(lock::FILE) {
        None => return Ok(Lock::default()),
        Some(bytes) => bytes.map_err(|error| format!("failed to read {}: {error}", lock::FILE))?,
    };
    if bytes.len() as u64 > lock::FILE_BYTES_MAX {
        return Err(lock::LockError::TooLarge {
            bytes: bytes.len() as u64,
        }
        .to_string());
    }
    let text = String::from_utf8(bytes).map_err(|error| format!("{} is not UTF-8: {error}", lock::FILE))?;
    Lock::parse(&text).map_err(|error| error.to_string())
}

/// A file of a hotline's folder, by its path in the hotline; for [`Gate::read`].
pub fn file_in(folder: &std::path::Path) -> impl Fn(&str) -> Option<io::Result<Vec<u8>>> {
    let folder = folder.to_owned();
    move |path| match std::fs::metadata(folder.join(path)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => Some(Err(error)),
        Ok(metadata) if metadata.len() > lock::FILE_BYTES_MAX => Some(Err(io::Error::other(format!(
            "it has {} bytes, and the most is {}",
            metadata.len(),
            lock::FILE_BYTES_MAX
        )))),
        Ok(_) => Some(std::fs::read(folder.join(path))),
    }
}
