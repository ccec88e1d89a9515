//! A rehearsal kept as a scenario of the hotline.

use std::{
    io::Write as _,
    path::{Component, Path},
};

use trunkline_engine::Event;
use trunkline_flow::scenario::{Begins, FOLDER};
use trunkline_scenario::keep;

use crate::test::run::Cast;

/// Writes a contact as a scenario into the hotline's folder, after playing it: what is kept
/// passes. What to tell.
///
/// # Errors
/// What to write instead, or why it was not kept.
pub(super) fn save(
    folder: &Path,
    cast: &Cast,
    (file, name): (&str, &str),
    begins: Option<Begins>,
    events: &[Event],
) -> Result<String, String> {
    let path = place(file)?;
    let name = if name.is_empty() {
        let stem = Path::new(&path).file_stem().unwrap_or_default().to_string_lossy();
        stem.replace('-', " ")
    } else {
        name.to_owned()
    };
    let kept = keep(&cast.hotline, &cast.interfaces, &name, begins, events)
        .ok_or("nothing has happened yet that could be kept")?;
    if let Some(why) = kept.differs {
        return Err(format!(
            "not kept: played again, the contact goes another way: {why}"
        ));
    }
    let full = folder.join(&path);
    let write = || -> std::io::Result<()> {
        std::fs::create_dir_all(folder.join(FOLDER))?;
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&full)?;
        file.write_all(kept.scenario.to_yaml(&cast.hotline.time_zone).as_bytes())
    };
    match write() {
        Ok(()) => Ok(format!("kept as {}; `trunkline test` plays it", full.display())),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(format!(
            "{} is there already; choose another name",
            full.display()
        )),
        Err(error) => Err(format!("failed to write {}: {error}", full.display())),
    }
}

/// The path of a scenario within the hotline's folder: `tests/NAME.yaml`, whose folder and
/// ending may be left out.
fn place(file: &str) -> Result<String, String> {
    let name = file.strip_prefix(&format!("{FOLDER}/")).unwrap_or(file);
    let name = name.strip_suffix(".yaml").unwrap_or(name);
    let mut parts = Path::new(name).components();
    let plain = matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None));
    if !plain || name.starts_with('.') {
        return Err(format!(
            "scenarios are kept in {FOLDER}/: `@save {FOLDER}/anxious-caller.yaml`"
        ));
    }
    Ok(format!("{FOLDER}/{name}.yaml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenarios_are_kept_in_their_folder_alone() {
        for file in ["tests/x.yaml", "x.yaml", "x"] {
            assert_eq!(place(file).as_deref(), Ok("tests/x.yaml"), "{file}");
        }
        for file in ["../x.yaml", "/etc/x", "tests/a/b.yaml", "tests/../../x", "", ".x"] {
            assert!(place(file).is_err(), "{file}");
        }
    }
}
