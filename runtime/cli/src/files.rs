//! Writing files, so that nobody ever reads half of one, and showing what would be written.

use std::{
    fmt::Write as _,
    fs,
    io::{self, Write as _},
    path::Path,
};

use anyhow::Context as _;

/// Lines that a difference shows around what differs.
const CONTEXT_LINES: usize = 3;

/// Cells of the table by which two texts are compared; larger changes are shown as a whole.
const CELLS_MAX: usize = 4_000_000;

/// Writes a file as a whole: beside it first, then in its place. Its permissions are kept.
///
/// # Errors
/// The file system refuses.
pub(crate) fn replace(path: &Path, content: impl AsRef<[u8]>) -> io::Result<()> {
    // A link stays one: what it leads to is replaced.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // Hidden, so that a server that watches the folder passes it over.
    let beside = folder.join(format!(".{name}.{}.tmp", std::process::id()));
    let written = (|| {
        let mut file = fs::File::create(&beside)?;
        file.write_all(content.as_ref())?;
        if let Ok(metadata) = fs::metadata(&path) {
            file.set_permissions(metadata.permissions())?;
        }
        file.sync_all()?;
        fs::rename(&beside, &path)
    })();
    if written.is_err() {
        // What could not be put in place is not left lying about.
        let _ = fs::remove_file(&beside);
    }
    written
}

/// Writes a file as a whole, in a folder that is made where there is none; one that is as it should be
/// is not touched: somebody may be watching.
///
/// # Errors
/// The file system refuses.
pub(crate) fn put(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    if fs::read(path).is_ok_and(|there| there == content) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("failed to make {}", folder.display()))?;
    }
    replace(path, content).with_context(|| format!("failed to write {}", path.display()))
}

/// What differs between two texts of a file, as `diff -u` shows it, coloured.
pub(crate) fn difference(name: &str, old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let lines = compare(&old, &new);
    let red = anstyle::AnsiColor::Red.on_default();
    let green = anstyle::AnsiColor::Green.on_default();
    let bold = anstyle::Style::new().bold();
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(text, "{bold}--- {name}\n+++ {name}{bold:#}");
    let near = |index: usize| {
        let from = index.saturating_sub(CONTEXT_LINES);
        let to = (index + CONTEXT_LINES + 1).min(lines.len());
        lines[from..to].iter().any(|line| !matches!(line, Line::Same(_)))
    };
    let (mut before, mut after) = (1, 1);
    let mut shown = false;
    for (index, line) in lines.iter().enumerate() {
        if near(index) {
            if !shown {
                let _ = writeln!(text, "@@ -{before} +{after} @@");
            }
            let _ = match line {
                Line::Same(line) => writeln!(text, " {line}"),
                Line::Gone(line) => writeln!(text, "{red}-{line}{red:#}"),
                Line::Come(line) => writeln!(text, "{green}+{line}{green:#}"),
            };
            shown = true;
        } else {
            shown = false;
        }
        before += usize::from(!matches!(line, Line::Come(_)));
        after += usize::from(!matches!(line, Line::Gone(_)));
    }
    text
}

enum Line<'a> {
    Same(&'a str),
    Gone(&'a str),
    Come(&'a str),
}

/// The longest common lines of two texts, and what stands between them.
fn compare<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Line<'a>> {
    let begin = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    let rest = old.len().min(new.len()) - begin;
    let end = old
        .iter()
        .rev()
        .zip(new.iter().rev())
        .take(rest)
        .take_while(|(old, new)| old == new)
        .count();
    let mut lines: Vec<Line<'a>> = old[..begin].iter().map(|line| Line::Same(line)).collect();
    let (a, b) = (&old[begin..old.len() - end], &new[begin..new.len() - end]);
    if a.len().saturating_mul(b.len()) > CELLS_MAX {
        lines.extend(a.iter().map(|line| Line::Gone(line)));
        lines.extend(b.iter().map(|line| Line::Come(line)));
    } else {
        // How long the longest common part of the rest of both is, from each place on.
        let width = b.len() + 1;
        let mut common = vec![0_u32; (a.len() + 1) * width];
        for i in (0..a.len()).rev() {
            for j in (0..b.len()).rev() {
                common[i * width + j] = if a[i] == b[j] {
                    common[(i + 1) * width + j + 1] + 1
                } else {
                    common[(i + 1) * width + j].max(common[i * width + j + 1])
                };
            }
        }
        let (mut i, mut j) = (0, 0);
        while i < a.len() || j < b.len() {
            if i < a.len() && j < b.len() && a[i] == b[j] {
                lines.push(Line::Same(a[i]));
                i += 1;
                j += 1;
            } else if j == b.len() || i < a.len() && common[(i + 1) * width + j] >= common[i * width + j + 1]
            {
                lines.push(Line::Gone(a[i]));
                i += 1;
            } else {
                lines.push(Line::Come(b[j]));
                j += 1;
            }
        }
    }
    lines.extend(old[old.len() - end..].iter().map(|line| Line::Same(line)));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.yaml");
        fs::write(&path, "old").unwrap();
        replace(&path, "new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(replace(&folder.path().join("not/there.yaml"), "x").is_err());
    }

    #[test]
    fn a_file_that_is_as_it_should_be_is_not_touched() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plugins/a.wasm");
        put(&path, b"one").unwrap();
        let written = fs::metadata(&path).unwrap().modified().unwrap();
        put(&path, b"one").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), written);
        put(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
    }

    #[test]
    fn what_differs_is_shown_with_what_is_around_it() {
        let old: String = (1..=20).map(|line| format!("line {line}\n")).collect();
        let new = old.replace("line 10\n", "line ten\nand more\n");
        let shown = difference("a.yaml", &old, &new);
        let plain = anstream::adapter::strip_str(&shown).to_string();
        assert_eq!(
            plain,
            "--- a.yaml\n+++ a.yaml\n@@ -7 +7 @@\n line 7\n line 8\n line 9\n-line 10\n+line ten\n+and more\n line 11\n line 12\n line 13\n"
        );
    }
}
