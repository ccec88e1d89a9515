//! A package as one file, .tlpkg, for sites that no registry reaches: a plain tar archive of the
//! component, the registry's manifest and configuration, the signatures, and an index that names
//! each by its digest.
//!
//! There is exactly one way to write a package: [`read`] refuses every other, so what was put
//! behind, between or beside the parts is seen. Nothing is ever unpacked to a disk.

use std::io::Read as _;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde::{Deserialize, Serialize};
use trunkline_model::Digest;
use trunkline_plugin::limits::COMPONENT_BYTES_MAX;

use crate::{
    package::{Package, PackageError, WORDS_BYTES_MAX},
    signature::{SIGNATURES_MAX, Signature},
};

/// What the names of such files end in.
pub const EXTENSION: &str = "tlpkg";

/// Bytes of the largest file.
pub const ARCHIVE_BYTES_MAX: u64 = COMPONENT_BYTES_MAX as u64 + (2 << 20);

/// The version of the format.
const VERSION: u32 = 1;

const INDEX: &str = "index.json";
const IMAGE: &str = "manifest.json";
const CONFIG: &str = "config.json";
const COMPONENT: &str = "component.wasm";

/// Bytes of the largest index.
const INDEX_BYTES_MAX: usize = 64 << 10;

/// Bytes of the largest file of a signature.
const SIGNATURE_FILE_BYTES_MAX: usize = 64 << 10;

/// Files in an archive: the index, the parts, the signatures.
const FILES_MAX: usize = 4 + SIGNATURES_MAX;

/// A file that is no package.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It is over its bound.
    #[error("it has {bytes} bytes, and the most is {ARCHIVE_BYTES_MAX}")]
    TooLarge {
        /// How many it has.
        bytes: u64,
    },
    /// It is no archive, or it ends too early.
    #[error(
        "it is no package, or it is not whole: {reason}; copy it again, or make it with `trunkline plugin publish`"
    )]
    NoArchive {
        /// Why.
        reason: String,
    },
    /// A later version of Trunkline wrote it.
    #[error(
        "it is written in version {found} of the format, and this Trunkline reads version {VERSION}; update Trunkline, or publish the package again with this one"
    )]
    Version {
        /// Its version.
        found: u32,
    },
    /// Something in it that has no place there.
    #[error(
        "it holds {path:?}, which has no place in a package; it was not made by `trunkline plugin publish`, or it was changed since"
    )]
    Stray {
        /// Its path.
        path: String,
    },
    /// A part of it is missing.
    #[error("it lacks {path}; copy it again from who published it")]
    Lacking {
        /// The path.
        path: String,
    },
    /// A part is not what the index says.
    #[error(
        "its {path} is not the one that its index names; it was changed or damaged since it was made: copy it again from who published it"
    )]
    Changed {
        /// The path.
        path: String,
    },
    /// It holds all that it should, but is not written as packages are.
    #[error(
        "it is not written as `trunkline plugin publish` writes packages: something was put into it or rearranged since; copy it again from who published it"
    )]
    NotCanonical,
    /// Its parts do not make a package.
    #[error(transparent)]
    Package(#[from] PackageError),
}

#[derive(Serialize, Deserialize)]
struct Index {
    #[serde(rename = "trunkline-package")]
    version: u32,
    /// The digest of the registry's manifest, by which the package is signed and locked.
    manifest: String,
    files: Vec<IndexFile>,
}

#[derive(Serialize, Deserialize)]
struct IndexFile {
    path: String,
    sha256: Digest,
    bytes: u64,
}

#[derive(Serialize, Deserialize)]
struct SignatureFile {
    payload: String,
    signature: String,
}

/// Writes a package. The same package gives the same bytes.
pub fn write(package: &Package) -> Vec<u8> {
    let signatures: Vec<(String, Vec<u8>)> = package
        .signatures()
        .iter()
        .enumerate()
        .map(|(number, signature)| {
            let file = SignatureFile {
                payload: BASE64.encode(&signature.payload),
                signature: signature.signature.clone(),
            };
            let json = serde_json::to_vec(&file).expect("a signature is two texts");
            (signature_path(number), json)
        })
        .collect();
    let mut files: Vec<(&str, &[u8])> = vec![
        (IMAGE, package.image()),
        (CONFIG, package.config()),
        (COMPONENT, package.component()),
    ];
    files.extend(
        signatures
            .iter()
            .map(|(path, json)| (path.as_str(), json.as_slice())),
    );
    let index = Index {
        version: VERSION,
        manifest: format!("sha256:{}", package.digest()),
        files: files
            .iter()
            .map(|(path, bytes)| IndexFile {
                path: (*path).to_owned(),
                sha256: Digest::of(bytes),
                bytes: bytes.len() as u64,
            })
            .collect(),
    };
    let index = serde_json::to_vec_pretty(&index).expect("an index is texts and numbers");
    files.insert(0, (INDEX, &index));

    let mut builder = tar::Builder::new(Vec::with_capacity(package.component().len() + (1 << 16)));
    for (path, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(tar::EntryType::Regular);
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        builder
            .append_data(&mut header, path, bytes)
            .expect("short paths and bytes in memory are written");
    }
    builder.into_inner().expect("bytes in memory are written")
}

fn signature_path(number: usize) -> String {
    format!("signatures/{number}.json")
}

/// Reads a package.
///
/// # Errors
/// Whatever is not exactly what [`write`] gives of a package.
pub fn read(bytes: &[u8]) -> Result<Package, ArchiveError> {
    if bytes.len() as u64 > ARCHIVE_BYTES_MAX {
        return Err(ArchiveError::TooLarge {
            bytes: bytes.len() as u64,
        });
    }
    let mut files = entries(bytes)?.into_iter();
    let index = match files.next() {
        Some((path, content)) if path == INDEX => index(&content)?,
        Some(_) => return Err(lacking(INDEX)),
        None => {
            return Err(ArchiveError::NoArchive {
                reason: "it is empty".to_owned(),
            });
        }
    };
    let mut found: Vec<(String, Vec<u8>)> = files.collect();
    for (path, content) in &found {
        let named = index.files.iter().find(|file| file.path == *path);
        let named = named.ok_or_else(|| ArchiveError::Stray { path: path.clone() })?;
        if named.bytes != content.len() as u64 || named.sha256 != Digest::of(content) {
            return Err(ArchiveError::Changed { path: path.clone() });
        }
    }
    for file in &index.files {
        if !found.iter().any(|(path, _)| *path == file.path) {
            return Err(lacking(&file.path));
        }
    }
    let mut take = |wanted: &str| {
        let at = found.iter().position(|(path, _)| path == wanted);
        at.map(|at| found.remove(at).1).ok_or_else(|| lacking(wanted))
    };
    let (image, config, component) = (take(IMAGE)?, take(CONFIG)?, take(COMPONENT)?);
    let mut signatures = Vec::new();
    for (path, content) in &found {
        if *path != signature_path(signatures.len()) {
            return Err(ArchiveError::Stray { path: path.clone() });
        }
        signatures.push(signature(content).ok_or_else(|| ArchiveError::Changed { path: path.clone() })?);
    }
    let package = Package::of_parts(component, config, image, signatures)?;
    if write(&package) != bytes {
        return Err(ArchiveError::NotCanonical);
    }
    Ok(package)
}

fn lacking(path: &str) -> ArchiveError {
    ArchiveError::Lacking {
        path: path.to_owned(),
    }
}

/// The files of an archive in their order, each within the bound of its path.
fn entries(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, ArchiveError> {
    let broken = |error: std::io::Error| ArchiveError::NoArchive {
        reason: error.to_string(),
    };
    let mut archive = tar::Archive::new(bytes);
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let bytes_max = bytes_max(&path).filter(|_| entry.header().entry_type().is_file());
        let Some(bytes_max) = bytes_max else {
            return Err(ArchiveError::Stray {
                path: path.chars().take(200).collect(),
            });
        };
        if files.len() >= FILES_MAX || files.iter().any(|(other, _)| *other == path) {
            return Err(ArchiveError::Stray { path });
        }
        let size = entry.size();
        if size > bytes_max as u64 {
            return Err(PackageError::TooLarge {
                part: "file",
                bytes: size,
                max: bytes_max as u64,
            }
            .into());
        }
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(broken)?;
        if content.len() as u64 != size {
            return Err(ArchiveError::NoArchive {
                reason: format!("it ends within {path}"),
            });
        }
        files.push((path, content));
    }
    Ok(files)
}

/// How many bytes a file may have; none for a path that is not of a package.
fn bytes_max(path: &str) -> Option<usize> {
    match path {
        INDEX => Some(INDEX_BYTES_MAX),
        IMAGE | CONFIG => Some(WORDS_BYTES_MAX),
        COMPONENT => Some(COMPONENT_BYTES_MAX),
        path => (0..SIGNATURES_MAX)
            .any(|number| path == signature_path(number))
            .then_some(SIGNATURE_FILE_BYTES_MAX),
    }
}

fn index(json: &[u8]) -> Result<Index, ArchiveError> {
    let broken = |error: serde_json::Error| ArchiveError::NoArchive {
        reason: format!("its index does not read: {error}"),
    };
    // The version first: the rest of a later one may be another.
    #[derive(Deserialize)]
    struct Versioned {
        #[serde(rename = "trunkline-package")]
        version: u32,
    }
    let Versioned { version } = serde_json::from_slice(json).map_err(broken)?;
    if version != VERSION {
        return Err(ArchiveError::Version { found: version });
    }
    serde_json::from_slice(json).map_err(broken)
}

fn signature(json: &[u8]) -> Option<Signature> {
    let file: SignatureFile = serde_json::from_slice(json).ok()?;
    Some(Signature {
        payload: BASE64.decode(file.payload).ok()?,
        signature: file.signature,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{key::PrivateKey, package::tests::component};

    fn package() -> Package {
        let mut package = Package::of_component(component("1.4.2")).unwrap();
        let (key, _) = PrivateKey::generate().unwrap();
        package.sign(&key, "crm-lookup").unwrap();
        package
    }

    /// The files of an archive, changed, and written again.
    fn changed(bytes: &[u8], change: impl FnOnce(&mut Vec<(String, Vec<u8>)>)) -> Vec<u8> {
        let mut files: Vec<(String, Vec<u8>)> = tar::Archive::new(bytes)
            .entries()
            .unwrap()
            .map(|entry| {
                let mut entry = entry.unwrap();
                let path = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
                let mut content = Vec::new();
                entry.read_to_end(&mut content).unwrap();
                (path, content)
            })
            .collect();
        change(&mut files);
        let mut builder = tar::Builder::new(Vec::new());
        for (path, content) in &files {
            let mut header = tar::Header::new_ustar();
            // Written into the header itself, since the builder refuses unsafe paths.
            header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
            header.set_entry_type(tar::EntryType::Regular);
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            header.set_mtime(0);
            header.set_uid(0);
            header.set_gid(0);
            header.set_cksum();
            builder.append(&header, content.as_slice()).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn refused(bytes: &[u8]) -> String {
        read(bytes).unwrap_err().to_string()
    }

    #[test]
    fn a_package_comes_back_as_it_was_written() {
        let package = package();
        let bytes = write(&package);
        assert!(bytes == write(&package));
        assert!(read(&bytes).unwrap() == package);
        // What the tests below change is all that changes.
        assert!(changed(&bytes, |_| {}) == bytes);
    }

    #[test]
    fn what_is_cut_short_is_refused_wherever_it_ends() {
        let bytes = write(&package());
        for end in (0..bytes.len())
            .step_by(97)
            .chain([bytes.len() - 1, bytes.len() - 512])
        {
            assert!(read(&bytes[..end]).is_err(), "{end}");
        }
        assert!(refused(b"").contains("it is empty"));
        assert!(refused(b"no archive").contains("it is no package"));
    }

    #[test]
    fn any_byte_that_changes_is_seen() {
        let bytes = write(&package());
        for at in (0..bytes.len()).step_by(61) {
            let mut other = bytes.clone();
            other[at] ^= 0x20;
            assert!(read(&other).is_err(), "{at}");
        }
    }

    #[test]
    fn what_has_no_place_in_it_is_refused() {
        let bytes = write(&package());
        let with = |path: &str| changed(&bytes, |files| files.push((path.to_owned(), b"x".to_vec())));
        for path in [
            "../escape.wasm",
            "/etc/passwd",
            "readme.md",
            "signatures/../x",
            "signatures/99.json",
            "component.wasm",
        ] {
            assert!(
                refused(&with(path)).contains("has no place in a package"),
                "{path}"
            );
        }
        assert!(refused(&with("signatures/1.json")).contains("has no place"));
        let mut behind = bytes.clone();
        behind.extend([0; 512]);
        assert!(refused(&behind).contains("not written as"));
        let link = {
            let mut builder = tar::Builder::new(Vec::new());
            let mut header = tar::Header::new_ustar();
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_size(0);
            builder
                .append_link(&mut header, "index.json", "/etc/passwd")
                .unwrap();
            builder.into_inner().unwrap()
        };
        assert!(refused(&link).contains("has no place"));
    }

    #[test]
    fn parts_that_lack_or_changed_are_named() {
        let bytes = write(&package());
        let without = |path: &'static str| changed(&bytes, |files| files.retain(|(other, _)| other != path));
        assert!(refused(&without("index.json")).contains("it lacks index.json"));
        assert!(refused(&without("component.wasm")).contains("it lacks component.wasm"));
        assert!(refused(&without("signatures/0.json")).contains("it lacks signatures/0.json"));
        let other = changed(&bytes, |files| files[3].1 = component("1.4.3"));
        assert!(refused(&other).contains("its component.wasm is not the one"));
        let later = changed(&bytes, |files| {
            files[0].1 = br#"{"trunkline-package":2,"parts":[]}"#.to_vec();
        });
        assert!(refused(&later).contains("version 2 of the format"));
        let rearranged = changed(&bytes, |files| files.swap(1, 2));
        assert!(refused(&rearranged).contains("rearranged"));
    }

    #[test]
    fn what_is_too_large_is_refused_before_it_is_read() {
        let bytes = write(&package());
        let large = changed(&bytes, |files| files[0].1 = vec![b' '; INDEX_BYTES_MAX + 1]);
        assert!(refused(&large).contains("the most is"));
    }
}
