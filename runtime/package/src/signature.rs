//! Signatures of packages as cosign makes them with a key: a small JSON payload names the
//! digest of the package's manifest, and what is signed are the payload's bytes.
//!
//! As cosign's specification has it, who verifies looks at the digest and the type and not at
//! the reference: a package is the same wherever it was copied to.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde::{Deserialize, Serialize};
use trunkline_model::Digest;

use crate::key::{KeyError, PrivateKey, PublicKey};

/// The media type of a payload.
pub const PAYLOAD_MEDIA_TYPE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

/// The annotation that holds a signature in base64.
pub const ANNOTATION: &str = "dev.cosignproject.cosign/signature";

/// Bytes of the largest payload.
pub const PAYLOAD_BYTES_MAX: usize = 16 << 10;

/// Characters of the longest signature in base64; one on P-256 has 96.
pub const SIGNATURE_CHARS_MAX: usize = 256;

/// Signatures that one package may carry.
pub const SIGNATURES_MAX: usize = 16;

/// What `critical.type` says.
const TYPE: &str = "cosign container image signature";

/// A signature, and the payload that it signs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// The payload's bytes as they were signed.
    #[serde(with = "in_base64")]
    pub payload: Vec<u8>,
    /// The signature, ASN.1 in base64.
    pub signature: String,
}

/// Bytes as a text, where signatures are kept.
mod in_base64 {
    use base64::Engine as _;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use super::BASE64;

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        BASE64.decode(text).map_err(D::Error::custom)
    }
}

/// A signature that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// It was made by another key, or the payload was changed.
    #[error("it was not made by the key {fingerprint}")]
    OtherKey {
        /// The key that was tried.
        fingerprint: Digest,
    },
    /// It is of another package.
    #[error("it is of another package: of the manifest {signed}")]
    OtherPackage {
        /// What it names.
        signed: String,
    },
    /// The payload is none.
    #[error("its payload does not read as cosign writes it: {reason}")]
    Payload {
        /// Why.
        reason: String,
    },
}

#[derive(Serialize, Deserialize)]
struct Payload {
    critical: Critical,
    /// What the signer adds; nothing is read from it.
    optional: Option<serde_json::Value>,
}

#[derive(Serialize, Deserialize)]
struct Critical {
    identity: Identity,
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Serialize, Deserialize)]
struct Identity {
    #[serde(rename = "docker-reference")]
    docker_reference: String,
}

#[derive(Serialize, Deserialize)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    docker_manifest_digest: String,
}

impl Signature {
    /// Signs a package, named by the digest of its manifest. The reference says where the signer
    /// meant to put it.
    ///
    /// # Errors
    /// The machine gives no random numbers.
    pub fn make(key: &PrivateKey, reference: &str, manifest: &Digest) -> Result<Self, KeyError> {
        let payload = Payload {
            critical: Critical {
                identity: Identity {
                    docker_reference: reference.to_owned(),
                },
                image: Image {
                    docker_manifest_digest: format!("sha256:{manifest}"),
                },
                kind: TYPE.to_owned(),
            },
            optional: None,
        };
        let payload = serde_json::to_vec(&payload).expect("a payload is texts by name");
        let signature = BASE64.encode(key.sign(&payload)?);
        Ok(Self { payload, signature })
    }

    /// Makes sure that a key signed a package.
    ///
    /// # Errors
    /// Another key made the signature, or it is of something else.
    pub fn verify(&self, key: &PublicKey, manifest: &Digest) -> Result<(), SignatureError> {
        let other_key = || SignatureError::OtherKey {
            fingerprint: key.fingerprint(),
        };
        let signature = BASE64.decode(&self.signature).map_err(|_| other_key())?;
        // Nothing is read of a payload that nobody vouches for.
        if !key.has_signed(&self.payload, &signature) {
            return Err(other_key());
        }
        let payload: Payload =
            serde_json::from_slice(&self.payload).map_err(|error| SignatureError::Payload {
                reason: error.to_string(),
            })?;
        let critical = payload.critical;
        if critical.kind != TYPE {
            return Err(SignatureError::Payload {
                reason: format!("its type is {:?}, not {TYPE:?}", critical.kind),
            });
        }
        let signed = critical.image.docker_manifest_digest;
        if signed != format!("sha256:{manifest}") {
            return Err(SignatureError::OtherPackage { signed });
        }
        Ok(())
    }

    /// Whether it is within its bounds.
    pub(crate) fn fits(&self) -> bool {
        self.payload.len() <= PAYLOAD_BYTES_MAX && self.signature.len() <= SIGNATURE_CHARS_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payload_is_that_of_cosign() {
        let (key, _) = PrivateKey::generate().unwrap();
        let digest = Digest::of(b"manifest");
        let signature = Signature::make(&key, "registry.example/civil/crm", &digest).unwrap();
        assert_eq!(
            String::from_utf8(signature.payload.clone()).unwrap(),
            format!(
                "{{\"critical\":{{\"identity\":{{\"docker-reference\":\"registry.example/civil/crm\"}},\
                 \"image\":{{\"docker-manifest-digest\":\"sha256:{digest}\"}},\
                 \"type\":\"cosign container image signature\"}},\"optional\":null}}"
            )
        );
        assert_eq!(signature.verify(key.public(), &digest), Ok(()));
    }

    #[test]
    fn what_was_not_signed_is_told_apart() {
        let (key, _) = PrivateKey::generate().unwrap();
        let (other, _) = PrivateKey::generate().unwrap();
        let digest = Digest::of(b"manifest");
        let signature = Signature::make(&key, "registry.example/civil/crm", &digest).unwrap();
        assert!(matches!(
            signature.verify(other.public(), &digest),
            Err(SignatureError::OtherKey { .. })
        ));
        assert!(matches!(
            signature.verify(key.public(), &Digest::of(b"another")),
            Err(SignatureError::OtherPackage { .. })
        ));
        let mut changed = signature.clone();
        let at = changed.payload.len() / 2;
        changed.payload[at] ^= 1;
        assert!(matches!(
            changed.verify(key.public(), &digest),
            Err(SignatureError::OtherKey { .. })
        ));
        let payload = String::from_utf8(signature.payload)
            .unwrap()
            .replace("container", "contained");
        let signed = BASE64.encode(key.sign(payload.as_bytes()).unwrap());
        let another_type = Signature {
            payload: payload.into_bytes(),
            signature: signed,
        };
        assert!(matches!(
            another_type.verify(key.public(), &digest),
            Err(SignatureError::Payload { .. })
        ));
    }
}
