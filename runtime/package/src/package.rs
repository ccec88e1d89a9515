//! A package: a component, and the manifest of the registry that names it, in the layout that
//! the CNCF gives to WebAssembly. What is pushed to a registry and what lies in a .tlpkg file
//! are the same bytes, so that one signature holds for both.

mod surface;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use trunkline_model::Digest;
use trunkline_plugin::{LoadError, Manifest, limits::COMPONENT_BYTES_MAX};

use self::surface::surface;
use crate::{
    key::{KeyError, PrivateKey, PublicKey},
    signature::{SIGNATURES_MAX, Signature},
};

/// The media type of the manifest.
pub const MANIFEST_MEDIA_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

/// The media type of the configuration.
pub const CONFIG_MEDIA_TYPE: &str = "application/vnd.wasm.config.v0+json";

/// The media type of the component.
pub const COMPONENT_MEDIA_TYPE: &str = "application/wasm";

/// Bytes of the largest manifest or configuration.
pub const WORDS_BYTES_MAX: usize = 256 << 10;

/// The time that configurations name: a package is the same whenever it is made.
const CREATED: &str = "1970-01-01T00:00:00Z";

/// A package, whole: what it consists of fits together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    component: Vec<u8>,
    config: Vec<u8>,
    image: Vec<u8>,
    annotations: BTreeMap<String, String>,
    manifest: Option<Manifest>,
    signatures: Vec<Signature>,
}

/// What a package is and who signed it, without its bytes. What is kept of it names the fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The digest of the component.
    pub component: Digest,
    /// The digest of the package's manifest; a bare component has none.
    pub package: Option<Digest>,
    /// Its version, if it says one.
    pub version: Option<semver::Version>,
    /// Whose it says that it is, if it does.
    pub department: Option<String>,
    /// Its signatures, whoever made them.
    pub signatures: Vec<Signature>,
}

impl Identity {
    /// That of a component without a package, with what it says of itself.
    pub fn of_bare(component: &[u8], manifest: Option<&Manifest>) -> Self {
        Self {
            component: Digest::of(component),
            package: None,
            version: manifest.map(|manifest| manifest.version.clone()),
            department: manifest.map(|manifest| manifest.department.clone()),
            signatures: Vec::new(),
        }
    }

    /// The first of some keys that signed it.
    pub fn signed_by<'a>(&self, keys: impl IntoIterator<Item = &'a PublicKey>) -> Option<&'a PublicKey> {
        let digest = self.package?;
        keys.into_iter().find(|key| {
            self.signatures
                .iter()
                .any(|signature| signature.verify(key, &digest).is_ok())
        })
    }
}

/// Why something is no package.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// The bytes are no component.
    #[error("it holds no WebAssembly component: {reason}")]
    NoComponent {
        /// Why.
        reason: String,
    },
    /// The component does not say what it is.
    #[error(
        "the component does not say what it is: it carries no manifest; build it with `trunkline plugin build` in the folder that has its plugin.toml"
    )]
    NoManifest,
    /// What the component says of itself does not read.
    #[error(transparent)]
    Manifest(#[from] LoadError),
    /// The manifest of the registry does not read, or is of something else.
    #[error("its manifest is not that of a WebAssembly package: {reason}")]
    Layout {
        /// Why.
        reason: String,
    },
    /// A part is not what the manifest says.
    #[error(
        "its {part} is not the one that its manifest names: the manifest says {said}, and it is {is}; it was changed on its way, so fetch it again from who published it"
    )]
    Mismatch {
        /// Which part.
        part: &'static str,
        /// What the manifest says.
        said: String,
        /// What it is.
        is: String,
    },
    /// A part is over its bound.
    #[error("its {part} has {bytes} bytes, and the most is {max}")]
    TooLarge {
        /// Which part.
        part: &'static str,
        /// How many it has.
        bytes: u64,
        /// How many it may have.
        max: u64,
    },
    /// More signatures than it may carry, or too long a one.
    #[error("it carries more than {SIGNATURES_MAX} signatures, or one that is too long")]
    Signatures,
    /// The machine gives no random numbers.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// The manifest, as the registry keeps it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Image {
    pub(crate) schema_version: u8,
    pub(crate) media_type: Option<String>,
    pub(crate) config: Descriptor,
    pub(crate) layers: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) annotations: BTreeMap<String, String>,
}

/// What names a part by its digest.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    pub(crate) media_type: String,
    pub(crate) digest: String,
    pub(crate) size: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) annotations: BTreeMap<String, String>,
}

impl Descriptor {
    pub(crate) fn of(media_type: &str, bytes: &[u8]) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest: format!("sha256:{}", Digest::of(bytes)),
            size: bytes.len() as u64,
            annotations: BTreeMap::new(),
        }
    }

    /// The digest, which must be of SHA-256.
    pub(crate) fn sha256(&self) -> Result<Digest, PackageError> {
        let hex = self.digest.strip_prefix("sha256:");
        hex.and_then(|hex| hex.parse().ok())
            .ok_or_else(|| PackageError::Layout {
                reason: format!("`{}` is no digest of SHA-256", self.digest),
            })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Config<'a> {
    created: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<String>,
    architecture: &'static str,
    os: &'static str,
    layer_digests: [String; 1],
    component: ConfigComponent<'a>,
}

#[derive(Serialize)]
struct ConfigComponent<'a> {
    exports: Vec<&'a str>,
    imports: Vec<&'a str>,
    target: Option<&'a str>,
}

/// What a manifest of a registry names.
pub(crate) struct Parts {
    pub(crate) config: Descriptor,
    pub(crate) component: Descriptor,
    annotations: BTreeMap<String, String>,
}

/// Reads a manifest and makes sure that it is of the layout.
pub(crate) fn parts(image: &[u8]) -> Result<Parts, PackageError> {
    bounded("manifest", image.len() as u64, WORDS_BYTES_MAX)?;
    let layout = |reason: String| PackageError::Layout { reason };
    let read: Image = serde_json::from_slice(image).map_err(|error| layout(error.to_string()))?;
    if read.schema_version != 2 {
        return Err(layout(format!(
            "its schema version is {}, not 2",
            read.schema_version
        )));
    }
    if read.config.media_type != CONFIG_MEDIA_TYPE {
        return Err(layout(format!(
            "its configuration is `{}`, not `{CONFIG_MEDIA_TYPE}`; it may be an image of a container",
            read.config.media_type
        )));
    }
    let [layer] = read.layers.as_slice() else {
        return Err(layout(format!("it has {} layers, not one", read.layers.len())));
    };
    if layer.media_type != COMPONENT_MEDIA_TYPE {
        return Err(layout(format!(
            "its layer is `{}`, not `{COMPONENT_MEDIA_TYPE}`",
            layer.media_type
        )));
    }
    bounded("configuration", read.config.size, WORDS_BYTES_MAX)?;
    bounded("component", layer.size, COMPONENT_BYTES_MAX)?;
    Ok(Parts {
        config: read.config,
        component: layer.clone(),
        annotations: read.annotations,
    })
}

pub(crate) fn bounded(part: &'static str, bytes: u64, max: usize) -> Result<(), PackageError> {
    if bytes > max as u64 {
        return Err(PackageError::TooLarge {
            part,
            bytes,
            max: max as u64,
        });
    }
    Ok(())
}

impl Package {
    /// Makes a package of a component that says what it is. The same component gives the same
    /// package.
    ///
    /// # Errors
    /// The bytes are no component, it carries no manifest, or it is over its bound.
    pub fn of_component(component: Vec<u8>) -> Result<Self, PackageError> {
        bounded("component", component.len() as u64, COMPONENT_BYTES_MAX)?;
        let surface = surface(&component)?;
        let manifest = Manifest::of_component(&component)?.ok_or(PackageError::NoManifest)?;
        let config = Config {
            created: CREATED,
            author: (!manifest.authors.is_empty()).then(|| manifest.authors.join(", ")),
            architecture: "wasm",
            os: "wasip2",
            layer_digests: [format!("sha256:{}", Digest::of(&component))],
            component: ConfigComponent {
                exports: surface.exports,
                imports: surface.imports,
                target: None,
            },
        };
        let config = serde_json::to_vec(&config).expect("a configuration is texts by name");
        let image = Image {
            schema_version: 2,
            media_type: Some(MANIFEST_MEDIA_TYPE.to_owned()),
            config: Descriptor::of(CONFIG_MEDIA_TYPE, &config),
            layers: vec![Descriptor::of(COMPONENT_MEDIA_TYPE, &component)],
            annotations: annotations(&manifest),
        };
        let image = serde_json::to_vec(&image).expect("a manifest is texts and numbers by name");
        Self::of_parts(component, config, image, Vec::new())
    }

    /// Takes what came from a registry or a file, and makes sure that it fits together.
    ///
    /// # Errors
    /// A part is not what the manifest says, is over its bound, or is none.
    pub fn of_parts(
        component: Vec<u8>,
        config: Vec<u8>,
        image: Vec<u8>,
        signatures: Vec<Signature>,
    ) -> Result<Self, PackageError> {
        let parts = parts(&image)?;
        for (part, descriptor, bytes) in [
            ("configuration", &parts.config, &config),
            ("component", &parts.component, &component),
        ] {
            let (said, is) = (descriptor.sha256()?, Digest::of(bytes));
            if said != is || descriptor.size != bytes.len() as u64 {
                return Err(PackageError::Mismatch {
                    part,
                    said: format!("{} of {} bytes", said.short(), descriptor.size),
                    is: format!("{} of {} bytes", is.short(), bytes.len()),
                });
            }
        }
        surface(&component)?;
        let manifest = Manifest::of_component(&component)?;
        if signatures.len() > SIGNATURES_MAX || !signatures.iter().all(Signature::fits) {
            return Err(PackageError::Signatures);
        }
        Ok(Self {
            component,
            config,
            image,
            annotations: parts.annotations,
            manifest,
            signatures,
        })
    }

    /// The component's bytes.
    pub fn component(&self) -> &[u8] {
        &self.component
    }

    /// The component's bytes, when nothing else is wanted of it.
    pub fn into_component(self) -> Vec<u8> {
        self.component
    }

    /// The configuration's bytes.
    pub fn config(&self) -> &[u8] {
        &self.config
    }

    /// The bytes of the registry's manifest.
    pub fn image(&self) -> &[u8] {
        &self.image
    }

    /// What names the package: the digest of the registry's manifest.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.image)
    }

    /// What the component says of itself. A package that others made may lack it.
    pub fn manifest(&self) -> Option<&Manifest> {
        self.manifest.as_ref()
    }

    /// Its version: what the component says, else what the registry's manifest says.
    pub fn version(&self) -> Option<semver::Version> {
        self.manifest
            .as_ref()
            .map(|manifest| manifest.version.clone())
            .or_else(|| {
                self.annotations
                    .get("org.opencontainers.image.version")?
                    .parse()
                    .ok()
            })
    }

    /// Its signatures, whoever made them.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// Signs it.
    ///
    /// # Errors
    /// It has as many signatures as it may have, or the machine gives no random numbers.
    pub fn sign(&mut self, key: &PrivateKey, reference: &str) -> Result<(), PackageError> {
        let digest = self.digest();
        let signed = |signature: &Signature| signature.verify(key.public(), &digest).is_ok();
        if self.signatures.iter().any(signed) {
            return Ok(());
        }
        if self.signatures.len() >= SIGNATURES_MAX {
            return Err(PackageError::Signatures);
        }
        let signature = Signature::make(key, reference, &digest)?;
        self.signatures.push(signature);
        Ok(())
    }

    /// The first of some keys that signed it.
    pub fn signed_by<'a>(&self, keys: impl IntoIterator<Item = &'a PublicKey>) -> Option<&'a PublicKey> {
        self.identity().signed_by(keys)
    }

    /// What it is and who signed it, without its bytes.
    pub fn identity(&self) -> Identity {
        Identity {
            component: Digest::of(&self.component),
            package: Some(self.digest()),
            version: self.version(),
            department: self.manifest.as_ref().map(|manifest| manifest.department.clone()),
            signatures: self.signatures.clone(),
        }
    }
}

/// What registries show of a package.
fn annotations(manifest: &Manifest) -> BTreeMap<String, String> {
    let authors = (!manifest.authors.is_empty()).then(|| manifest.authors.join(", "));
    [
        ("title", Some(manifest.name.to_string())),
        ("version", Some(manifest.version.to_string())),
        ("vendor", Some(manifest.department.clone())),
        ("description", manifest.description.clone()),
        ("licenses", manifest.license.clone()),
        ("authors", authors),
        ("source", manifest.source.clone()),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((format!("org.opencontainers.image.{name}"), value?)))
    .collect()
}

#[cfg(test)]
pub(crate) mod tests;
