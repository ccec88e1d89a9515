//! Signatures where cosign keeps them: under the tag `sha256-DIGEST.sig` of the same repository
//! a manifest with a layer for each signature, whose content is the payload and whose annotation
//! is the signature.

use trunkline_model::Digest;

use super::{Line, RegistryError, silent};
use crate::{
    package::{Descriptor, Image, MANIFEST_MEDIA_TYPE, WORDS_BYTES_MAX},
    reference::Version,
    signature::{ANNOTATION, PAYLOAD_BYTES_MAX, PAYLOAD_MEDIA_TYPE, SIGNATURES_MAX, Signature},
};

/// The media type of the configuration, which says nothing.
const CONFIG_MEDIA_TYPE: &str = "application/vnd.oci.image.config.v1+json";

/// The tag under which the signatures of a package are.
fn tag(package: &Digest) -> Version {
    Version::Tag(format!("sha256-{package}.sig"))
}

impl Line<'_> {
    /// The signatures of a package; none when nobody signed it. What is no signature, or over
    /// its bound, is passed over: it vouches for nothing.
    pub(super) async fn signatures(&self, package: &Digest) -> Result<Vec<Signature>, RegistryError> {
        let Some(image) = self.signature_image(package).await? else {
            return Ok(Vec::new());
        };
        let mut signatures = Vec::new();
        for layer in image
            .layers
            .iter()
            .filter(|layer| is_signature(layer))
            .take(SIGNATURES_MAX)
        {
            let Some(signature) = layer.annotations.get(ANNOTATION) else {
                continue;
            };
            let signature = Signature {
                payload: self.blob(layer, &silent()).await?,
                signature: signature.clone(),
            };
            if signature.fits() {
                signatures.push(signature);
            }
        }
        Ok(signatures)
    }

    /// Adds signatures to those that are there.
    pub(super) async fn push_signatures(
        &self,
        package: &Digest,
        signatures: &[Signature],
    ) -> Result<(), RegistryError> {
        let there = self.signature_image(package).await?;
        let mut layers = there.map(|image| image.layers).unwrap_or_default();
        let before = layers.len();
        for signature in signatures {
            let mut layer = Descriptor::of(PAYLOAD_MEDIA_TYPE, &signature.payload);
            layer
                .annotations
                .insert(ANNOTATION.to_owned(), signature.signature.clone());
            let same = |other: &Descriptor| {
                other.digest == layer.digest
                    && other.annotations.get(ANNOTATION) == Some(&signature.signature)
            };
            if !layers.iter().any(same) {
                self.push_blob(&signature.payload, &silent()).await?;
                layers.push(layer);
            }
        }
        if layers.len() == before {
            return Ok(());
        }
        let diff_ids: Vec<&str> = layers.iter().map(|layer| layer.digest.as_str()).collect();
        let config = serde_json::json!({
            "architecture": "",
            "config": {},
            "created": "0001-01-01T00:00:00Z",
            "history": layers.iter().map(|_| serde_json::json!({ "created": "0001-01-01T00:00:00Z" })).collect::<Vec<_>>(),
            "os": "",
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
        });
        let config = config.to_string().into_bytes();
        self.push_blob(&config, &silent()).await?;
        let image = Image {
            schema_version: 2,
            media_type: Some(MANIFEST_MEDIA_TYPE.to_owned()),
            config: Descriptor::of(CONFIG_MEDIA_TYPE, &config),
            layers,
            annotations: Default::default(),
        };
        let image = serde_json::to_vec(&image).expect("a manifest is texts and numbers by name");
        self.push_manifest(&tag(package), &image).await
    }

    async fn signature_image(&self, package: &Digest) -> Result<Option<Image>, RegistryError> {
        let bytes = match self.manifest(&tag(package)).await {
            Ok(bytes) if bytes.len() <= WORDS_BYTES_MAX => bytes,
            Ok(_) | Err(RegistryError::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(serde_json::from_slice(&bytes).ok())
    }
}

fn is_signature(layer: &Descriptor) -> bool {
    layer.media_type == PAYLOAD_MEDIA_TYPE && layer.size <= PAYLOAD_BYTES_MAX as u64
}
