//! A hotline's folder: its texts, its components, and whether they have changed.
//!
//! Texts are the YAML and iCalendar files under the folder, but for hidden folders, scenarios
//! (`tests`), components (`plugins`) and what build tools leave behind; recordings are the files
//! beside them that end as recordings do. Links are followed.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use trunkline_flow::{
    Sources,
    limits::{FILE_BYTES_MAX, FILES_MAX, RECORDINGS_MAX},
    source::is_recording,
};

use super::{ReadError, wav};

/// Folders that hold no texts of the hotline.
const PASSED_OVER: [&str; 4] = ["tests", "plugins", "target", "node_modules"];

/// What the names of texts end in.
const TEXTS: [&str; 3] = ["yaml", "yml", "ics"];

/// How deep folders may nest: a link to a folder above ends here.
const DEPTH_MAX: usize = 6;

/// How often a folder is read anew because it changed meanwhile.
const READINGS_MAX: usize = 5;

/// What tells one state of some files from another without reading them.
pub(crate) type Fingerprint = BTreeMap<PathBuf, Stamp>;

/// What changes when a file is written or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Stamp {
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
    inode: u64,
}

impl Stamp {
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        Ok(Self::from(&fs::metadata(path)?))
    }

    /// The size of the file.
    pub(crate) const fn bytes(self) -> u64 {
        self.bytes
    }
}

impl From<&fs::Metadata> for Stamp {
    #[cfg(unix)]
    fn from(metadata: &fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self {
            bytes: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            inode: metadata.ino(),
        }
    }

    #[cfg(not(unix))]
    fn from(metadata: &fs::Metadata) -> Self {
        let modified = metadata
            .modified()
            .ok()
            .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok())
            .map_or((0, 0), |since| {
                (since.as_secs() as i64, i64::from(since.subsec_nanos()))
            });
        Self {
            bytes: metadata.len(),
            modified,
            changed: modified,
            inode: 0,
        }
    }
}

/// Reads the texts of a hotline's folder, and how long the recordings in it are.
///
/// # Errors
/// The folder is not there, or one of its files cannot be read as text.
pub fn read(folder: &Path) -> Result<Sources, ReadError> {
    let mut sources = Sources::default();
    for (name, path) in own_files(folder)? {
        if is_recording(&name) {
            let seconds = fs::File::open(&path).ok().and_then(wav::seconds);
            sources.recordings.insert(name.into(), seconds);
            continue;
        }
        let io_error = |source| ReadError::Io {
            path: path.clone(),
            source,
        };
        let bytes = fs::metadata(&path).map_err(io_error)?.len();
        if bytes > FILE_BYTES_MAX as u64 {
            return Err(ReadError::TooLarge {
                path: name,
                bytes,
                max: FILE_BYTES_MAX as u64,
            });
        }
        let bytes = fs::read(&path).map_err(io_error)?;
        let text = String::from_utf8(bytes).map_err(|error| ReadError::NotText {
            path: path.clone(),
            byte: error.utf8_error().valid_up_to(),
        })?;
        sources.files.insert(name.into(), text.into());
    }
    Ok(sources)
}

/// Reads the texts of a folder in one state: again, when they changed meanwhile.
pub(super) async fn read_settled(folder: &Path) -> Result<Sources, ReadError> {
    let folder = folder.to_owned();
    let reading = tokio::task::spawn_blocking(move || {
        for _ in 0..READINGS_MAX {
            let before = fingerprint(&folder, [])?;
            let sources = read(&folder);
            if fingerprint(&folder, [])? == before {
                return sources;
            }
        }
        Err(ReadError::Moving)
    });
    reading.await.unwrap_or(Err(ReadError::Moving))
}

/// The stamps of a folder's texts and recordings, and of other files that belong to it.
pub(crate) fn fingerprint(
    folder: &Path,
    others: impl IntoIterator<Item = PathBuf>,
) -> Result<Fingerprint, ReadError> {
    let own = own_files(folder)?.into_values();
    // A file that is gone has no stamp, which tells as well.
    Ok(own
        .chain(others)
        .filter_map(|path| Stamp::of(&path).ok().map(|stamp| (path, stamp)))
        .collect())
}

/// Where a component or a recording lies that the hotline names.
pub(crate) fn component_path(folder: &Path, component: &str) -> PathBuf {
    folder.join(component)
}

/// The texts and recordings of a folder: their names in the hotline, and their paths.
fn own_files(folder: &Path) -> Result<BTreeMap<String, PathBuf>, ReadError> {
    if !folder.is_dir() {
        return Err(ReadError::NoFolder {
            path: folder.to_owned(),
        });
    }
    let mut found = BTreeMap::new();
    walk(folder, "", 0, &mut found)?;
    let recordings = found.keys().filter(|name| is_recording(name)).count();
    for (files, max) in [
        (found.len() - recordings, FILES_MAX),
        (recordings, RECORDINGS_MAX),
    ] {
        if files > max {
            return Err(ReadError::TooManyFiles { max });
        }
    }
    Ok(found)
}

fn walk(
    folder: &Path,
    prefix: &str,
    depth: usize,
    found: &mut BTreeMap<String, PathBuf>,
) -> Result<(), ReadError> {
    let io_error = |source| ReadError::Io {
        path: folder.to_owned(),
        source,
    };
    for entry in fs::read_dir(folder).map_err(io_error)? {
        let entry = entry.map_err(io_error)?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if name.starts_with('.') {
            continue;
        }
        let path = entry.path();
        // A link that leads nowhere is an editor's lock, or about to be replaced.
        let Ok(metadata) = fs::metadata(&path) else {
            continue;
        };
        let inner = format!("{prefix}{name}");
        if metadata.is_dir() {
            let passed_over = depth == 0 && PASSED_OVER.contains(&name.as_str());
            if depth < DEPTH_MAX && !passed_over {
                walk(&path, &format!("{inner}/"), depth + 1, found)?;
            }
        } else if metadata.is_file() && (is_text(&name) || is_recording(&name)) {
            found.insert(inner, path);
            if found.len() > FILES_MAX + RECORDINGS_MAX {
                return Err(ReadError::TooManyFiles {
                    max: FILES_MAX + RECORDINGS_MAX,
                });
            }
        }
    }
    Ok(())
}

/// Whether a file of this name in a hotline's folder is one of its texts.
pub(super) fn is_text(name: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|extension| TEXTS.iter().any(|text| extension == *text))
}

/// Whether a path in a hotline is one of its texts.
pub(super) fn is_text_path(path: &str) -> bool {
    let first = path.split('/').next().unwrap_or_default();
    is_text(path)
        && !path.split('/').any(|part| part.starts_with('.'))
        && (first == path || !PASSED_OVER.contains(&first))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hotline() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in [
            ("hotline.yaml", "hotline: test\n"),
            ("flows/main.yaml", "flow: main\n"),
            ("calendars/holidays.ics", "BEGIN:VCALENDAR\n"),
            ("flows/.main.yaml.swp", "x"),
            ("flows/main.yaml~", "x"),
            ("tests/one.yaml", "scenario: one\n"),
            ("plugins/crm.wasm", "x"),
            (".git/config.yaml", "x"),
        ] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn texts_are_read_and_the_rest_is_passed_over() {
        let folder = hotline();
        let sources = read(folder.path()).unwrap();
        let names: Vec<_> = sources.files.keys().map(ToString::to_string).collect();
        assert_eq!(
            names,
            ["calendars/holidays.ics", "flows/main.yaml", "hotline.yaml"]
        );
        assert!(
            is_text_path("flows/main.yaml")
                && is_text_path("calendars/holidays.ics")
                && is_text_path("tests.yaml")
        );
        assert!(!is_text_path("tests/one.yaml") && !is_text_path(".git/config.yaml"));
    }

    #[test]
    fn recordings_are_found_with_their_length() {
        let folder = hotline();
        let audio = folder.path().join("audio");
        fs::create_dir(&audio).unwrap();
        fs::write(audio.join("welcome.wav"), wav::tests::silence(12_000, 12_000)).unwrap();
        fs::write(audio.join("notice.MP3"), b"x").unwrap();
        let before = fingerprint(folder.path(), []).unwrap();
        let sources = read(folder.path()).unwrap();
        let found: Vec<_> = sources
            .recordings
            .iter()
            .map(|(path, seconds)| (path.to_string(), *seconds))
            .collect();
        assert_eq!(
            found,
            [
                ("audio/notice.MP3".to_owned(), None),
                ("audio/welcome.wav".to_owned(), Some(1.5))
            ]
        );
        assert_eq!(sources.files.len(), 3);
        fs::write(audio.join("welcome.wav"), wav::tests::silence(8_000, 8_000)).unwrap();
        assert_ne!(fingerprint(folder.path(), []).unwrap(), before);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let folder = hotline();
        fs::write(folder.path().join("flows/bad.yaml"), b"ok\xff").unwrap();
        let error = read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("bad.yaml") && error.contains("byte 2"), "{error}");
        let error = read(Path::new("/nowhere/at/all")).unwrap_err().to_string();
        assert!(error.contains("hotline.yaml"), "{error}");
    }

    #[test]
    fn a_fingerprint_tells_a_replaced_file_from_the_old_one() {
        let folder = hotline();
        let file = folder.path().join("flows/main.yaml");
        let before = fingerprint(folder.path(), []).unwrap();
        assert_eq!(fingerprint(folder.path(), []).unwrap(), before);
        fs::write(folder.path().join("flows/new"), "flow: niam\n").unwrap();
        fs::rename(folder.path().join("flows/new"), &file).unwrap();
        assert_ne!(fingerprint(folder.path(), []).unwrap(), before);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_folder_above_ends() {
        let folder = hotline();
        std::os::unix::fs::symlink(folder.path(), folder.path().join("flows/again")).unwrap();
        assert!(read(folder.path()).unwrap().files.len() <= FILES_MAX);
    }
}
