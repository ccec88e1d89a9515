//! What a component carries about itself in custom sections: its manifest, the WIT that it was
//! written against, and the metadata that the tools of WebAssembly read (version, description,
//! licenses, source, authors, revision), from which bills of materials are made.
//!
//! [`put`] is deterministic: the same component and the same words give the same bytes,
//! whatever sections of these names were there before.

use std::collections::BTreeMap;

use trunkline_plugin::{LoadError, MANIFEST_SECTION, Manifest, WIT_SECTION};
use wasmparser::BinaryReader;

/// Bytes of the longest WIT text that is put into a component.
pub const WIT_BYTES_MAX: usize = 1 << 20;

/// How a component begins.
const COMPONENT_HEADER: [u8; 8] = *b"\0asm\x0d\0\x01\0";

/// The id of custom sections.
const CUSTOM: u8 = 0;

/// The sections of standard metadata, each a text of its own.
const STANDARD: [&str; 6] = [
    "version",
    "description",
    "licenses",
    "source",
    "authors",
    "revision",
];

/// Sections that cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum SectionError {
    /// The bytes are no component.
    #[error("it is no WebAssembly component: {reason}")]
    NoComponent {
        /// Why.
        reason: String,
    },
    /// A section is over its bound.
    #[error("its {what} has {bytes} bytes, and the most is {max}")]
    TooLarge {
        /// What.
        what: &'static str,
        /// How many it has.
        bytes: usize,
        /// How many it may have.
        max: usize,
    },
    /// The manifest in it cannot be read.
    #[error(transparent)]
    Manifest(#[from] LoadError),
}

/// What is put into a component.
#[derive(Clone, Copy, Debug)]
pub struct Words<'a> {
    /// Its manifest.
    pub manifest: &'a Manifest,
    /// The WIT that it was written against, with its comments.
    pub wit: Option<&'a str>,
    /// The revision of the source that it was built from.
    pub revision: Option<&'a str>,
}

/// What was found in a component.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Its manifest.
    pub manifest: Option<Manifest>,
    /// The WIT that it was written against.
    pub wit: Option<String>,
    /// Standard metadata by its section.
    pub standard: BTreeMap<&'static str, String>,
}

/// Puts words into a component. Those that it had go.
///
/// # Errors
/// The bytes are no component, or the WIT or the manifest is over its bound.
pub fn put(component: &[u8], words: &Words<'_>) -> Result<Vec<u8>, SectionError> {
    let Words {
        manifest,
        wit,
        revision,
    } = words;
    let wit_bytes = wit.map_or(0, str::len);
    if wit_bytes > WIT_BYTES_MAX {
        return Err(SectionError::TooLarge {
            what: "WIT",
            bytes: wit_bytes,
            max: WIT_BYTES_MAX,
        });
    }
    let section = manifest.to_section();
    if section.len() > trunkline_plugin::MANIFEST_BYTES_MAX {
        return Err(SectionError::TooLarge {
            what: "manifest",
            bytes: section.len(),
            max: trunkline_plugin::MANIFEST_BYTES_MAX,
        });
    }
    let version = manifest.version.to_string();
    let authors = manifest.authors.join(", ");
    let standard = [
        ("version", Some(version.as_str())),
        ("description", manifest.description.as_deref()),
        ("licenses", manifest.license.as_deref()),
        ("source", manifest.source.as_deref()),
        ("authors", Some(authors.as_str())),
        ("revision", *revision),
    ];
    // At the beginning: whoever looks for a section in components that hold others finds the
    // outermost first.
    let mut written = COMPONENT_HEADER.to_vec();
    custom(&mut written, MANIFEST_SECTION, &section);
    if let Some(wit) = wit {
        custom(&mut written, WIT_SECTION, wit.as_bytes());
    }
    for (name, text) in standard {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            custom(&mut written, name, text.as_bytes());
        }
    }
    for section in sections(component)? {
        let replaced = section.custom.is_some_and(|(name, _)| is_ours(name));
        if !replaced {
            written.extend_from_slice(section.whole);
        }
    }
    Ok(written)
}

/// Reads the words of a component.
///
/// # Errors
/// The bytes are no component, or its manifest does not read.
pub fn read(component: &[u8]) -> Result<Found, SectionError> {
    let mut found = Found::default();
    for section in sections(component)? {
        let Some((name, data)) = section.custom else {
            continue;
        };
        let text = || String::from_utf8_lossy(data).into_owned();
        if name == MANIFEST_SECTION && found.manifest.is_none() {
            found.manifest = Manifest::of_component(component)?;
        } else if name == WIT_SECTION {
            found.wit.get_or_insert_with(text);
        } else if let Some(name) = STANDARD.iter().find(|standard| **standard == name) {
            found.standard.entry(name).or_insert_with(text);
        }
    }
    Ok(found)
}

fn is_ours(name: &str) -> bool {
    name == MANIFEST_SECTION || name == WIT_SECTION || STANDARD.contains(&name)
}

/// One section of a component's outermost level.
struct Section<'a> {
    /// All its bytes, with its id and length.
    whole: &'a [u8],
    /// Its name and content, if it is a custom one.
    custom: Option<(&'a str, &'a [u8])>,
}

/// The sections of the outermost level, in their order.
fn sections(component: &[u8]) -> Result<Vec<Section<'_>>, SectionError> {
    let no_component = |reason: String| SectionError::NoComponent { reason };
    if !component.starts_with(&COMPONENT_HEADER) {
        return Err(no_component("it does not begin as components do".to_owned()));
    }
    let broken = |error: wasmparser::BinaryReaderError| no_component(error.to_string());
    let mut reader = BinaryReader::new(component, 0);
    reader.read_bytes(COMPONENT_HEADER.len()).map_err(broken)?;
    let mut sections = Vec::new();
    while !reader.eof() {
        let begins = reader.original_position();
        let id = reader.read_u8().map_err(broken)?;
        let size = reader.read_var_u32().map_err(broken)?;
        let content_begins = reader.original_position();
        let content = reader.read_bytes(size as usize).map_err(broken)?;
        let custom = if id == CUSTOM {
            let mut inner = BinaryReader::new(content, content_begins);
            let name = inner.read_string().map_err(broken)?;
            let data = inner.read_bytes(inner.bytes_remaining()).map_err(broken)?;
            Some((name, data))
        } else {
            None
        };
        sections.push(Section {
            whole: &component[begins..reader.original_position()],
            custom,
        });
    }
    Ok(sections)
}

/// Appends a custom section.
fn custom(written: &mut Vec<u8>, name: &str, data: &[u8]) {
    let mut content = Vec::with_capacity(name.len() + data.len() + 5);
    leb128(&mut content, name.len());
    content.extend_from_slice(name.as_bytes());
    content.extend_from_slice(data);
    written.push(CUSTOM);
    leb128(written, content.len());
    written.extend_from_slice(&content);
}

fn leb128(written: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        written.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    written.push(number as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component() -> Vec<u8> {
        wat::parse_str("(component (core module $m (memory 1)) (core instance (instantiate $m)))").unwrap()
    }

    fn manifest(version: &str) -> Manifest {
        serde_json::from_value(serde_json::json!({
            "name": "crm-lookup",
            "version": version,
            "department": "civil-affairs",
            "description": "Finds citizens by phone number.",
            "license": "Apache-2.0",
            "authors": ["Li Na", "Wang Fang"],
            "source": "https://git.civil.example/crm",
        }))
        .unwrap()
    }

    #[test]
    fn words_come_back_and_replace_those_of_before() {
        let (old, new) = (manifest("1.3.0"), manifest("1.4.0"));
        let words = |manifest| Words {
            manifest,
            wit: Some("package civil:crm@1.4.0;"),
            revision: Some("8f3c1d2"),
        };
        let once = put(&component(), &words(&new)).unwrap();
        let twice = put(&put(&component(), &words(&old)).unwrap(), &words(&new)).unwrap();
        assert_eq!(once, twice);
        let found = read(&once).unwrap();
        assert_eq!(found.manifest, Some(new.clone()));
        assert_eq!(found.wit.as_deref(), Some("package civil:crm@1.4.0;"));
        assert_eq!(found.standard["version"], "1.4.0");
        assert_eq!(found.standard["revision"], "8f3c1d2");
        assert!(wasmparser::validate(&once).is_ok());
        let without = Words {
            manifest: &new,
            wit: None,
            revision: None,
        };
        let found = read(&put(&once, &without).unwrap()).unwrap();
        assert_eq!((found.wit, found.standard.get("revision")), (None, None));
    }

    #[test]
    fn other_tools_read_the_metadata() {
        let manifest = manifest("1.4.0");
        let words = Words {
            manifest: &manifest,
            wit: None,
            revision: Some("8f3c1d2"),
        };
        let bytes = put(&component(), &words).unwrap();
        let read = wasm_metadata::Payload::from_binary(&bytes).unwrap();
        let metadata = read.metadata();
        assert_eq!(metadata.version.as_ref().unwrap().to_string(), "1.4.0");
        assert_eq!(metadata.licenses.as_ref().unwrap().to_string(), "Apache-2.0");
        assert_eq!(metadata.authors.as_ref().unwrap().to_string(), "Li Na, Wang Fang");
        assert_eq!(metadata.revision.as_ref().unwrap().to_string(), "8f3c1d2");
        assert_eq!(
            metadata.source.as_ref().unwrap().to_string(),
            "https://git.civil.example/crm"
        );
        assert_eq!(
            metadata.description.as_ref().unwrap().to_string(),
            "Finds citizens by phone number."
        );
    }

    #[test]
    fn the_outer_manifest_is_found_before_one_of_a_component_within() {
        let inner = put(
            &component(),
            &Words {
                manifest: &manifest("0.1.0"),
                wit: None,
                revision: None,
            },
        )
        .unwrap();
        let mut outer = COMPONENT_HEADER.to_vec();
        outer.push(4);
        leb128(&mut outer, inner.len());
        outer.extend_from_slice(&inner);
        assert_eq!(read(&outer).unwrap().manifest, None);
        let named = put(
            &outer,
            &Words {
                manifest: &manifest("2.0.0"),
                wit: None,
                revision: None,
            },
        )
        .unwrap();
        assert_eq!(read(&named).unwrap().manifest, Some(manifest("2.0.0")));
        assert_eq!(Manifest::of_component(&named).unwrap(), Some(manifest("2.0.0")));
    }

    #[test]
    fn what_is_no_component_is_refused() {
        let manifest = manifest("1.4.0");
        let words = Words {
            manifest: &manifest,
            wit: None,
            revision: None,
        };
        for bytes in [b"".as_slice(), b"\0asm\x01\0\0\0", &component()[..20]] {
            assert!(matches!(
                put(bytes, &words),
                Err(SectionError::NoComponent { .. })
            ));
        }
        let wit = "a".repeat(WIT_BYTES_MAX + 1);
        let long = Words {
            wit: Some(&wit),
            ..words
        };
        assert!(matches!(
            put(&component(), &long),
            Err(SectionError::TooLarge { .. })
        ));
    }
}
