//! `trunkline check --fix`: mends that a program can make, written to the files.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use anyhow::anyhow;
use trunkline_flow::{
    Diagnostic, Sources,
    diagnostics::{Fix, apply},
};
use trunkline_node::read_folder;

use crate::{exit::Failure, files, plugins::Plugins};

/// How often what is left is looked at again after mending: one mend may uncover another.
const ROUNDS_MAX: usize = 10;

/// A mend that was made.
pub(crate) struct Made {
    /// The finding it mends, in the files as they were in its round.
    finding: Diagnostic,
    title: String,
}

/// What mending comes to.
pub(crate) struct Mended {
    before: Sources,
    after: Sources,
    pub(crate) made: Vec<Made>,
    /// How many findings could be mended by a fix that was not asked for.
    pub(crate) unasked: usize,
}

/// Mends a hotline, without writing anything. Only mends that are surely meant are made,
/// unless `all` asks for the likeliest of every finding.
///
/// # Errors
/// The folder cannot be read, or there is no room for plugins.
pub(crate) async fn mend(folder: &Path, all: bool) -> Result<Mended, Failure> {
    let before = read_folder(folder).map_err(|error| Failure::from(anyhow!(error)))?;
    let plugins = Plugins::default();
    let mut after = before.clone();
    let mut made = Vec::new();
    let mut unasked = 0;
    for _ in 0..ROUNDS_MAX {
        let (_, findings) = plugins.look(folder, &after).await?;
        let fixable: Vec<(&Diagnostic, &Fix)> = findings
            .iter()
            .filter_map(|finding| {
                let fix = finding.fixes.iter().find(|fix| fix.safe || all)?;
                Some((finding, fix))
            })
            .collect();
        unasked = findings
            .iter()
            .filter(|finding| !finding.fixes.is_empty() && finding.fixes.iter().all(|fix| !fix.safe))
            .count();
        let fixes: Vec<&Fix> = fixable.iter().map(|(_, fix)| *fix).collect();
        let (next, places) = apply(&after, &fixes);
        if places.is_empty() {
            break;
        }
        made.extend(places.into_iter().map(|place| Made {
            finding: fixable[place].0.clone(),
            title: fixable[place].1.title.clone(),
        }));
        after = next;
    }
    Ok(Mended {
        before,
        after,
        made,
        unasked: if all { 0 } else { unasked },
    })
}

impl Mended {
    /// The files that change: their old and their new texts.
    fn changed(&self) -> BTreeMap<&Arc<str>, (&str, &str)> {
        let files = self.after.files.iter();
        files
            .filter_map(|(path, new)| {
                let old = self.before.files.get(path)?;
                (old != new).then_some((path, (&**old, &**new)))
            })
            .collect()
    }

    /// What would be written, as a difference.
    pub(crate) fn difference(&self) -> String {
        let changed = self.changed().into_iter();
        changed
            .map(|(path, (old, new))| files::difference(path, old, new))
            .collect()
    }

    /// Writes the files that change, each as a whole.
    ///
    /// # Errors
    /// A file cannot be written, or was changed by somebody else meanwhile.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), Failure> {
        for (path, (old, new)) in self.changed() {
            let full = folder.join(&**path);
            if std::fs::read_to_string(&full).ok().as_deref() != Some(old) {
                return Err(Failure::refused(anyhow!(
                    "{path} was changed meanwhile; nothing was written to it. Try again"
                )));
            }
            files::replace(&full, new)
                .map_err(|error| Failure::from(anyhow!(error).context(format!("failed to write {path}"))))?;
        }
        Ok(())
    }

    /// What was done, a line for each mend.
    pub(crate) fn told(&self) -> String {
        let mut lines = String::new();
        for made in &self.made {
            let finding = &made.finding;
            lines.push_str(&format!(
                "{}:{}:{}: {} {}: {}\n",
                finding.file, finding.line, finding.column, finding.code, finding.message, made.title
            ));
        }
        lines
    }
}
