//! Keys that sign packages: ECDSA on the curve P-256, as `cosign generate-key-pair` makes them.
//!
//! A public key is a PEM file that cosign and openssl read. A private key is PEM in PKCS#8,
//! not encrypted, and only its owner may read its file.

use std::{fmt, io::Write as _, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use ring::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey,
    },
};
use rustls_pki_types::{PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer, pem::PemObject as _};
use trunkline_model::Digest;
use zeroize::Zeroizing;

/// Bytes of the largest file that is read as a key.
pub const KEY_FILE_BYTES_MAX: u64 = 64 << 10;

/// What stands before a point of P-256 in a SubjectPublicKeyInfo: the algorithm, the curve, and
/// the length of the point.
const SPKI_BEFORE_POINT: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// Bytes of an uncompressed point of P-256.
const POINT_BYTES: usize = 65;

/// Characters of one line of PEM.
const PEM_LINE: usize = 64;

/// A key that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Its file cannot be read or written.
    #[error("failed to {what} the key {path}: {source}")]
    Io {
        /// `read` or `write`.
        what: &'static str,
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Others can read a private key.
    #[error(
        "the private key {path} can be read by others (mode {mode:04o}); run `chmod 600 {path}`, and make a new key if it was readable where others work"
    )]
    Exposed {
        /// The file.
        path: String,
        /// Its mode.
        mode: u32,
    },
    /// A file of that name is there already.
    #[error("{path} is there already; a key is not written over: name another file")]
    Exists {
        /// The file.
        path: String,
    },
    /// What was read is no key of a kind that is known.
    #[error("{path} is no {wanted}: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// What it should be.
        wanted: &'static str,
        /// Why it is not, and what mends it.
        reason: String,
    },
    /// The machine gives no random numbers.
    #[error("failed to draw random numbers for a key")]
    NoRandomness,
}

/// A publisher's public key.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    point: [u8; POINT_BYTES],
}

impl PublicKey {
    /// Reads PEM as cosign and openssl write it; `path` is how errors name it.
    ///
    /// # Errors
    /// It is no PEM, or no key on P-256.
    pub fn from_pem(path: &str, pem: &[u8]) -> Result<Self, KeyError> {
        let unreadable = |reason: &str| KeyError::Unreadable {
            path: path.to_owned(),
            wanted: "public key",
            reason: reason.to_owned(),
        };
        if contains(pem, "PRIVATE KEY-----") {
            return Err(unreadable(
                "it is a private key, which stays where packages are signed; name the .pub file beside it",
            ));
        }
        let spki = SubjectPublicKeyInfoDer::from_pem_slice(pem).map_err(|_| {
            unreadable("it does not hold `-----BEGIN PUBLIC KEY-----`; take the .pub file of the key pair")
        })?;
        let point = spki
            .strip_prefix(&SPKI_BEFORE_POINT)
            .and_then(|point| <[u8; POINT_BYTES]>::try_from(point).ok())
            .filter(|point| point[0] == 4);
        let point = point.ok_or_else(|| {
            unreadable("packages are signed with ECDSA on P-256, and this is another kind of key; make one with `trunkline plugin key new` or `cosign generate-key-pair`")
        })?;
        Ok(Self { point })
    }

    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, or holds no public key on P-256.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let shown = path.display().to_string();
        let pem = read_bounded(path)?;
        Self::from_pem(&shown, &pem)
    }

    /// The key as a SubjectPublicKeyInfo in DER.
    pub fn to_der(&self) -> Vec<u8> {
        [SPKI_BEFORE_POINT.as_slice(), &self.point].concat()
    }

    /// The key as PEM, as cosign and openssl read it.
    pub fn to_pem(&self) -> String {
        pem("PUBLIC KEY", &self.to_der())
    }

    /// What names the key: the SHA-256 of its DER, which `openssl pkey -pubin -outform DER |
    /// sha256sum` prints too.
    pub fn fingerprint(&self) -> Digest {
        Digest::of(&self.to_der())
    }

    /// Whether this key made a signature (ASN.1) of some bytes.
    pub fn has_signed(&self, bytes: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, self.point)
            .verify(bytes, signature)
            .is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.fingerprint())
    }
}

/// A publisher's private key.
pub struct PrivateKey {
    pair: EcdsaKeyPair,
    public: PublicKey,
}

impl PrivateKey {
    /// Makes a key, and gives it with its PEM.
    ///
    /// # Errors
    /// The machine gives no random numbers.
    pub fn generate() -> Result<(Self, Zeroizing<String>), KeyError> {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new())
            .map_err(|_| KeyError::NoRandomness)?;
        let written = Zeroizing::new(pem("PRIVATE KEY", pkcs8.as_ref()));
        let key = Self::from_pkcs8("the new key", pkcs8.as_ref())?;
        Ok((key, written))
    }

    /// Makes a key pair as two files: `PATH.key`, which only its owner can read, and `PATH.pub`.
    ///
    /// # Errors
    /// One of the files is there already or cannot be written.
    pub fn generate_files(path: &Path) -> Result<Self, KeyError> {
        let (key, private) = Self::generate()?;
        write_new(&path.with_added_extension("key"), private.as_bytes(), 0o600)?;
        write_new(
            &path.with_added_extension("pub"),
            key.public.to_pem().as_bytes(),
            0o644,
        )?;
        Ok(key)
    }

    /// Reads a file that only its owner can read.
    ///
    /// # Errors
    /// Others can read it, or it holds no private key on P-256 in PKCS#8.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let shown = path.display().to_string();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let metadata = std::fs::metadata(path).map_err(|source| KeyError::Io {
                what: "read",
                path: shown.clone(),
                source,
            })?;
            let mode = metadata.permissions().mode() & 0o7777;
            if mode & 0o077 != 0 {
                return Err(KeyError::Exposed { path: shown, mode });
            }
        }
        let pem = Zeroizing::new(read_bounded(path)?);
        Self::from_pem(&shown, &pem)
    }

    /// Reads PEM in PKCS#8; `path` is how errors name it.
    ///
    /// # Errors
    /// It is encrypted, in another form, or of another kind.
    pub fn from_pem(path: &str, pem: &[u8]) -> Result<Self, KeyError> {
        let unreadable = |reason: String| KeyError::Unreadable {
            path: path.to_owned(),
            wanted: "private key",
            reason,
        };
        for (label, reason) in [
            (
                "ENCRYPTED SIGSTORE PRIVATE KEY",
                "it is encrypted in cosign's own form, which is not read here; make the pair with `trunkline plugin key new`, and give it to cosign with `cosign import-key-pair --key`".to_owned(),
            ),
            (
                "ENCRYPTED COSIGN PRIVATE KEY",
                "it is encrypted in cosign's own form, which is not read here; make the pair with `trunkline plugin key new`, and give it to cosign with `cosign import-key-pair --key`".to_owned(),
            ),
            (
                "ENCRYPTED PRIVATE KEY",
                format!("it is encrypted; write it out with `openssl pkcs8 -in {path} -out plain.key` into a file that only you can read"),
            ),
            (
                "EC PRIVATE KEY",
                format!("it is in the older form SEC 1; convert it with `openssl pkcs8 -topk8 -nocrypt -in {path} -out pkcs8.key`"),
            ),
            (
                "BEGIN PUBLIC KEY",
                "it is a public key; name the .key file beside it".to_owned(),
            ),
        ] {
            if contains(pem, label) {
                return Err(unreadable(reason));
            }
        }
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(|_| {
            unreadable(
                "it does not hold `-----BEGIN PRIVATE KEY-----`; make one with `trunkline plugin key new`"
                    .to_owned(),
            )
        })?;
        Self::from_pkcs8(path, der.secret_pkcs8_der())
    }

    fn from_pkcs8(path: &str, der: &[u8]) -> Result<Self, KeyError> {
        let unreadable = |reason: String| KeyError::Unreadable {
            path: path.to_owned(),
            wanted: "private key",
            reason,
        };
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, der, &SystemRandom::new())
            .map_err(|error| {
                unreadable(format!(
                    "packages are signed with ECDSA on P-256 ({error}); make one with `trunkline plugin key new`"
                ))
            })?;
        let point = <[u8; POINT_BYTES]>::try_from(pair.public_key().as_ref())
            .map_err(|_| unreadable("its public half is of another size".to_owned()))?;
        Ok(Self {
            pair,
            public: PublicKey { point },
        })
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// A signature (ASN.1) of some bytes.
    ///
    /// # Errors
    /// The machine gives no random numbers.
    pub fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.pair
            .sign(&SystemRandom::new(), bytes)
            .map(|signature| signature.as_ref().to_vec())
            .map_err(|_| KeyError::NoRandomness)
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey of {:?}", self.public)
    }
}

fn contains(text: &[u8], part: &str) -> bool {
    text.windows(part.len()).any(|window| window == part.as_bytes())
}

fn read_bounded(path: &Path) -> Result<Vec<u8>, KeyError> {
    let shown = path.display().to_string();
    let io = |source| KeyError::Io {
        what: "read",
        path: shown.clone(),
        source,
    };
    let bytes = std::fs::metadata(path).map_err(io)?.len();
    if bytes > KEY_FILE_BYTES_MAX {
        return Err(KeyError::Unreadable {
            path: shown,
            wanted: "key",
            reason: format!("it has {bytes} bytes, and the most is {KEY_FILE_BYTES_MAX}"),
        });
    }
    std::fs::read(path).map_err(io)
}

/// Writes a file that must not be there yet.
fn write_new(path: &Path, content: &[u8], mode: u32) -> Result<(), KeyError> {
    let shown = path.display().to_string();
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    let mut file = options.open(path).map_err(|source| {
        if source.kind() == std::io::ErrorKind::AlreadyExists {
            KeyError::Exists { path: shown.clone() }
        } else {
            KeyError::Io {
                what: "write",
                path: shown.clone(),
                source,
            }
        }
    })?;
    file.write_all(content)
        .and_then(|()| file.sync_all())
        .map_err(|source| KeyError::Io {
            what: "write",
            path: shown,
            source,
        })
}

fn pem(label: &str, der: &[u8]) -> String {
    let encoded = Zeroizing::new(BASE64.encode(der));
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(PEM_LINE));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_back_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("civil");
        let made = PrivateKey::generate_files(&path).unwrap();
        let private = PrivateKey::read(&folder.path().join("civil.key")).unwrap();
        let public = PublicKey::read(&folder.path().join("civil.pub")).unwrap();
        assert_eq!(&public, made.public());
        let signature = private.sign(b"words").unwrap();
        assert!(public.has_signed(b"words", &signature));
        assert!(!public.has_signed(b"other words", &signature));
        assert!(!public.has_signed(b"words", &signature[1..]));
        let (other, _) = PrivateKey::generate().unwrap();
        assert!(!other.public().has_signed(b"words", &signature));
        let again = PrivateKey::generate_files(&path).unwrap_err();
        assert!(again.to_string().contains("not written over"), "{again}");
    }

    #[cfg(unix)]
    #[test]
    fn a_private_key_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        PrivateKey::generate_files(&folder.path().join("civil")).unwrap();
        let path = folder.path().join("civil.key");
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let refused = PrivateKey::read(&path).unwrap_err().to_string();
        assert!(
            refused.contains("mode 0640") && refused.contains("chmod 600"),
            "{refused}"
        );
    }

    #[test]
    fn other_keys_are_told_what_they_are() {
        let refused = |pem: &str| {
            PrivateKey::from_pem("a.key", pem.as_bytes())
                .unwrap_err()
                .to_string()
        };
        assert!(refused("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n").contains("import-key-pair"));
        assert!(refused("-----BEGIN ENCRYPTED PRIVATE KEY-----\n").contains("openssl pkcs8 -in a.key"));
        assert!(refused("-----BEGIN EC PRIVATE KEY-----\n").contains("-topk8"));
        assert!(refused("-----BEGIN PUBLIC KEY-----\n").contains("public key"));
        assert!(refused("words").contains("BEGIN PRIVATE KEY"));
        let (_, private) = PrivateKey::generate().unwrap();
        let refused = PublicKey::from_pem("a.pub", private.as_bytes())
            .unwrap_err()
            .to_string();
        assert!(refused.contains("it is a private key"), "{refused}");
        let ed25519 = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
        let refused = PublicKey::from_pem("a.pub", ed25519.as_bytes())
            .unwrap_err()
            .to_string();
        assert!(refused.contains("P-256"), "{refused}");
    }
}
