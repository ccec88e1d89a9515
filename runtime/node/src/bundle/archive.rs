//! A hotline sent as a tar archive. Nothing of it is written to a disk.

use std::{
    collections::BTreeMap,
    io::{Cursor, Read as _},
};

use trunkline_flow::{
    Sources,
    limits::{FILE_BYTES_MAX, FILES_MAX},
    source::is_recording,
};

use super::{ReadError, folder::is_text_path, wav};

/// Reads the files of an archive.
pub(super) fn read(
    bytes: &[u8],
    files_max: usize,
    bytes_max: u64,
) -> Result<BTreeMap<String, Vec<u8>>, ReadError> {
    let broken = |error: std::io::Error| ReadError::Archive {
        reason: error.to_string(),
    };
    let mut archive = tar::Archive::new(bytes);
    let mut files = BTreeMap::new();
    let mut total = 0_u64;
    let mut seen = 0_usize;
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        seen += 1;
        if seen > files_max {
            return Err(ReadError::TooManyFiles { max: files_max });
        }
        let kind = entry.header().entry_type();
        if kind.is_dir() || kind.is_pax_global_extensions() {
            continue;
        }
        let path =
            String::from_utf8(entry.path_bytes().into_owned()).map_err(|error| ReadError::UnsafePath {
                path: error.to_string(),
            })?;
        let path = safe(&path)?;
        if !kind.is_file() {
            return Err(ReadError::Archive {
                reason: format!("{path} is a link or a device, and only files and folders may be in it"),
            });
        }
        total = total.saturating_add(entry.size());
        if total > bytes_max {
            return Err(ReadError::TooLarge {
                path: "the archive unpacked".to_owned(),
                bytes: total,
                max: bytes_max,
            });
        }
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(broken)?;
        files.insert(path, content);
    }
    if files.is_empty() {
        return Err(ReadError::Archive {
            reason: "it holds no file".to_owned(),
        });
    }
    Ok(files)
}

/// The texts among the files, and how long the recordings are.
pub(super) fn sources(files: &BTreeMap<String, Vec<u8>>) -> Result<Sources, ReadError> {
    let texts: Vec<_> = files.iter().filter(|(path, _)| is_text_path(path)).collect();
    if texts.len() > FILES_MAX {
        return Err(ReadError::TooManyFiles { max: FILES_MAX });
    }
    let mut sources = Sources::default();
    let recordings = files.iter().filter(|(path, _)| is_recording(path));
    sources.recordings = recordings
        .map(|(path, bytes)| (path.as_str().into(), wav::seconds(Cursor::new(bytes))))
        .collect();
    for (path, bytes) in texts {
        if bytes.len() > FILE_BYTES_MAX {
            return Err(ReadError::TooLarge {
                path: path.clone(),
                bytes: bytes.len() as u64,
                max: FILE_BYTES_MAX as u64,
            });
        }
        let text = std::str::from_utf8(bytes).map_err(|error| ReadError::NotText {
            path: path.into(),
            byte: error.valid_up_to(),
        })?;
        sources.files.insert(path.as_str().into(), text.into());
    }
    Ok(sources)
}

/// A path that stays in the hotline, without `./` before it.
pub(crate) fn safe(path: &str) -> Result<String, ReadError> {
    let parts: Vec<&str> = path
        .split('/')
        .filter(|part| !matches!(*part, "." | ""))
        .collect();
    let sound = !path.starts_with('/')
        && !parts.is_empty()
        && parts
            .iter()
            .all(|part| *part != ".." && !part.contains(['\\', '\0', ':']));
    if sound {
        Ok(parts.join("/"))
    } else {
        Err(ReadError::UnsafePath {
            path: path.chars().take(200).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, content) in files {
            let mut header = tar::Header::new_gnu();
            // Written into the header itself, since the builder refuses unsafe paths.
            header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            builder.append(&header, *content).unwrap();
        }
        builder.into_inner().unwrap()
    }

    #[test]
    fn an_archive_gives_its_files() {
        let bytes = archive(&[
            ("./hotline.yaml", b"hotline: test\n"),
            ("flows/main.yaml", b"flow: main\n"),
            ("calendars/holidays.ics", b"BEGIN:VCALENDAR\n"),
            ("tests/one.yaml", b"scenario: one\n"),
            ("plugins/crm.wasm", b"\0asm"),
            ("audio/welcome.wav", &wav::tests::silence(400, 400)),
        ]);
        let files = read(&bytes, 10, 1_000).unwrap();
        assert_eq!(files["plugins/crm.wasm"], b"\0asm");
        let sources = sources(&files).unwrap();
        let names: Vec<_> = sources.files.keys().map(ToString::to_string).collect();
        assert_eq!(sources.recordings["audio/welcome.wav"], Some(0.05));
        assert_eq!(
            names,
            ["calendars/holidays.ics", "flows/main.yaml", "hotline.yaml"]
        );
    }

    #[test]
    fn what_leaves_the_hotline_or_is_too_much_is_refused() {
        for path in [
            "../escape.yaml",
            "/etc/passwd",
            "flows/../../x.yaml",
            "C:\\x.yaml",
        ] {
            let refused = read(&archive(&[(path, b"x")]), 10, 1_000);
            assert!(matches!(refused, Err(ReadError::UnsafePath { .. })), "{path}");
        }
        let two = archive(&[("a.yaml", b"x"), ("b.yaml", b"x")]);
        assert!(matches!(
            read(&two, 1, 1_000),
            Err(ReadError::TooManyFiles { .. })
        ));
        assert!(matches!(read(&two, 10, 1), Err(ReadError::TooLarge { .. })));
        assert!(matches!(
            read(b"no archive at all", 10, 1_000),
            Err(ReadError::Archive { .. })
        ));
        assert!(matches!(read(b"", 10, 1_000), Err(ReadError::Archive { .. })));
    }
}
