//! The WIT that a plugin is written against, with its comments, as one text.

use std::{fs, path::Path};

use anyhow::{Context as _, anyhow};

use crate::exit::Failure;

/// The texts of a folder's own .wit files, in the order of their names, or of one file. None where there
/// is nothing. Folders inside, such as `deps`, are others' packages.
pub(super) fn text(place: &Path) -> Result<Option<String>, Failure> {
    if place.is_file() {
        return read(place).map(Some).map_err(Failure::from);
    }
    let Ok(entries) = fs::read_dir(place) else {
        return Ok(None);
    };
    let mut files: Vec<_> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_file() && path.extension().is_some_and(|extension| extension == "wit"))
        .collect();
    files.sort();
    let texts = files
        .iter()
        .map(|file| read(file))
        .collect::<anyhow::Result<Vec<_>>>()?;
    // A file that names its package stands first, since what follows without a name belongs to it.
    let (named, nameless): (Vec<_>, Vec<_>) = texts.into_iter().partition(|text| names_package(text));
    if named.is_empty() && !nameless.is_empty() {
        return Err(Failure::from(anyhow!(
            "no file in {} names its package; begin one with `package department:plugin@1.0.0;`",
            place.display()
        )));
    }
    let whole = named.into_iter().chain(nameless).collect::<Vec<_>>().join("\n");
    Ok((!whole.is_empty()).then_some(whole))
}

fn read(file: &Path) -> anyhow::Result<String> {
    let text = fs::read_to_string(file).with_context(|| format!("failed to read {}", file.display()))?;
    // Whoever checks it out elsewhere may have other line ends, and is to get the same bytes.
    Ok(text.replace("\r\n", "\n"))
}

fn names_package(text: &str) -> bool {
    text.lines().any(|line| line.starts_with("package "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_one_package_become_one_text() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(text(&folder.path().join("wit")).unwrap(), None);
        fs::create_dir(folder.path().join("deps")).unwrap();
        fs::write(folder.path().join("deps/x.wit"), "package other:x;\n").unwrap();
        fs::write(folder.path().join("a.wit"), "interface i {}\r\n").unwrap();
        assert!(text(folder.path()).is_err());
        fs::write(folder.path().join("b.wit"), "/// The package.\npackage a:b;\n").unwrap();
        assert_eq!(
            text(folder.path()).unwrap().unwrap(),
            "/// The package.\npackage a:b;\n\ninterface i {}\n"
        );
    }
}
