//! The hotlines whose files are open: on disk, and as they are typed.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use trunkline_flow::{Diagnostic, Editor, Sources};
use trunkline_node::read_folder;

use crate::{exit::Failure, place::MANIFEST, plugins::Plugins};

/// A hotline as it stands now.
pub(super) struct Hotline {
    pub(super) folder: PathBuf,
    pub(super) sources: Sources,
    pub(super) editor: Editor,
    pub(super) findings: Vec<Diagnostic>,
}

/// All hotlines with open files.
#[derive(Default)]
pub(super) struct Hotlines {
    plugins: Plugins,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What is typed, by the file's path.
    open: HashMap<PathBuf, Arc<str>>,
    /// Hotlines that were read and have not changed since, by their folder.
    read: HashMap<PathBuf, Arc<Hotline>>,
    /// How often something has changed.
    changes: u64,
}

impl Hotlines {
    /// The folder of the hotline that a file belongs to: the nearest above it that has a
    /// hotline.yaml, on disk or in an editor.
    pub(super) fn folder(&self, file: &Path) -> Option<PathBuf> {
        let state = self.state();
        let folders = file.ancestors().skip(1);
        folders
            .into_iter()
            .find(|folder| {
                let manifest = folder.join(MANIFEST);
                state.open.contains_key(&manifest) || manifest.is_file()
            })
            .map(Path::to_owned)
    }

    /// Takes what is typed in a file.
    pub(super) fn typed(&self, file: &Path, text: String) {
        let mut state = self.state();
        state.open.insert(file.to_owned(), text.into());
        state.changed();
    }

    /// A file is closed: what is on disk counts again.
    pub(super) fn closed(&self, file: &Path) {
        let mut state = self.state();
        state.open.remove(file);
        state.changed();
    }

    /// Files have changed on disk.
    pub(super) fn stale(&self) {
        self.state().changed();
    }

    /// How often something has changed.
    pub(super) fn changes(&self) -> u64 {
        self.state().changes
    }

    /// The folders of all hotlines with open files.
    pub(super) fn folders(&self) -> HashSet<PathBuf> {
        let files: Vec<PathBuf> = self.state().open.keys().cloned().collect();
        files.iter().filter_map(|file| self.folder(file)).collect()
    }

    /// The text of a file, as it is typed or on disk.
    pub(super) fn text(&self, file: &Path) -> Option<Arc<str>> {
        let open = self.state().open.get(file).cloned();
        open.or_else(|| std::fs::read_to_string(file).ok().map(Into::into))
    }

    /// A hotline as it stands now, read again when something has changed.
    ///
    /// # Errors
    /// Its folder cannot be read, or there is no room for plugins.
    pub(super) async fn hotline(&self, folder: &Path) -> Result<Arc<Hotline>, Failure> {
        let (known, changes) = {
            let state = self.state();
            (state.read.get(folder).cloned(), state.changes)
        };
        if let Some(hotline) = known {
            return Ok(hotline);
        }
        let sources = self.sources(folder)?;
        let (editor, findings) = self.plugins.look(folder, &sources).await?;
        let hotline = Arc::new(Hotline {
            folder: folder.to_owned(),
            sources,
            editor,
            findings,
        });
        let mut state = self.state();
        // Only what nothing was typed into meanwhile is kept.
        if state.changes == changes {
            state.read.insert(folder.to_owned(), hotline.clone());
        }
        Ok(hotline)
    }

    /// The texts of a hotline: those on disk, scenarios among them, with what is typed laid
    /// over them.
    fn sources(&self, folder: &Path) -> Result<Sources, Failure> {
        let mut sources = read_folder(folder).map_err(|error| Failure::from(anyhow::anyhow!(error)))?;
        let scenarios = std::fs::read_dir(folder.join("tests"))
            .into_iter()
            .flatten()
            .flatten();
        for entry in scenarios {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.ends_with(".yaml")
                && let Ok(text) = std::fs::read_to_string(entry.path())
            {
                sources.files.insert(format!("tests/{name}").into(), text.into());
            }
        }
        let state = self.state();
        for (path, text) in &state.open {
            if let Some(name) = name_in(folder, path) {
                sources.files.insert(name.into(), text.clone());
            }
        }
        Ok(sources)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn changed(&mut self) {
        self.changes += 1;
        self.read.clear();
    }
}

impl Hotline {
    /// The full path of one of its files.
    pub(super) fn path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    /// The text of one of its files.
    pub(super) fn text(&self, file: &str) -> &str {
        self.sources.files.get(file).map_or("", |text| text)
    }

    /// Its findings by file; every file that it has is there.
    pub(super) fn by_file(&self) -> BTreeMap<&str, Vec<&Diagnostic>> {
        let mut files: BTreeMap<&str, Vec<&Diagnostic>> = self
            .sources
            .files
            .keys()
            .map(|file| (&**file, Vec::new()))
            .collect();
        for finding in &self.findings {
            files.entry(&finding.file).or_default().push(finding);
        }
        files
    }
}

/// A file's path relative to a hotline's folder, with `/` between its parts.
pub(super) fn name_in(folder: &Path, file: &Path) -> Option<String> {
    let name = file.strip_prefix(folder).ok()?;
    let parts: Option<Vec<&str>> = name.iter().map(|part| part.to_str()).collect();
    parts.map(|parts| parts.join("/"))
}
