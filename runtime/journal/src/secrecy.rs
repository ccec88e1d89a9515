//! Keys: one master key for a store, and one key per contact, wrapped by it.
//!
//! A contact's private values are encrypted with AES-256-GCM under the contact's own key.
//! Erasing a contact's personal data is erasing that key.

use std::{
    fmt,
    fs::{self, OpenOptions, Permissions},
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use aes_gcm::{Aes256Gcm, KeyInit as _, Nonce, aead::AeadInOut as _};
use sha2::{Digest as _, Sha256};
use trunkline_model::{ContactId, hex};
use zeroize::Zeroizing;

use crate::{Error, naming::NameKey};

/// Bytes of a key.
const KEY_BYTES: usize = 32;

/// Bytes of a nonce.
pub(crate) const NONCE_BYTES: usize = 12;

/// Bytes of an authentication tag.
pub(crate) const TAG_BYTES: usize = 16;

/// The first byte of a wrapped key.
const WRAPPED_LAYOUT: u8 = 1;

/// Bytes of a master key's fingerprint.
const FINGERPRINT_BYTES: usize = 8;

/// Bytes of a wrapped key.
pub(crate) const WRAPPED_BYTES: usize = 1 + FINGERPRINT_BYTES + NONCE_BYTES + KEY_BYTES + TAG_BYTES;

/// The key that wraps the keys of all contacts of a store. Whoever loses it loses all personal
/// values in the store.
pub struct MasterKey {
    cipher: Box<Aes256Gcm>,
    fingerprint: [u8; FINGERPRINT_BYTES],
    names: NameKey,
}

/// A master key that could not be read or made.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The file system refused.
    #[error("failed to {action} the master key {path}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The key's file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// Others than its owner may read the file.
    #[error("the master key {path} may be read by others (mode {mode:o}); run `chmod 600 {path}`")]
    Exposed {
        /// The key's file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The file holds something else.
    #[error(
        "{path} holds no master key (64 hexadecimal digits are expected); restore it from a backup, \
         or remove it if its store is new"
    )]
    Malformed {
        /// The key's file.
        path: PathBuf,
    },
    /// The system gave no random bytes.
    #[error("failed to draw a random master key: {0}")]
    Random(String),
}

impl MasterKey {
    /// Takes a key.
    pub fn from_bytes(bytes: &[u8; KEY_BYTES]) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"trunkline master key");
        hash.update(bytes);
        let mut fingerprint = [0; FINGERPRINT_BYTES];
        fingerprint.copy_from_slice(&hash.finalize()[..FINGERPRINT_BYTES]);
        Self {
            cipher: Box::new(Aes256Gcm::new(bytes.into())),
            fingerprint,
            names: NameKey::of_master(bytes),
        }
    }

    /// Draws a key at random, for a store that does not outlive the process.
    ///
    /// # Errors
    /// [`MasterKeyError::Random`] when the system gives no random bytes.
    pub fn random() -> Result<Self, MasterKeyError> {
        Ok(Self::from_bytes(&*random_key().map_err(MasterKeyError::Random)?))
    }

    /// Reads a key from a file that only its owner may read; makes the file when it is missing.
    ///
    /// # Errors
    /// See [`MasterKeyError`]. A file that is there is never written.
    pub fn read_or_create(path: &Path) -> Result<Self, MasterKeyError> {
        match Self::read(path) {
            Err(MasterKeyError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            read => return read,
        }
        let key = random_key().map_err(MasterKeyError::Random)?;
        create(path, &key).map_err(|source| MasterKeyError::Io {
            action: "create",
            path: path.to_owned(),
            source,
        })?;
        // Not the key drawn: another process may have been first.
        Self::read(path)
    }

    fn read(path: &Path) -> Result<Self, MasterKeyError> {
        let failed = |source| MasterKeyError::Io {
            action: "read",
            path: path.to_owned(),
            source,
        };
        let mode = fs::metadata(path).map_err(failed)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(MasterKeyError::Exposed {
                path: path.to_owned(),
                mode,
            });
        }
        let text = Zeroizing::new(fs::read(path).map_err(failed)?);
        let key = from_hex(text.trim_ascii()).ok_or_else(|| MasterKeyError::Malformed {
            path: path.to_owned(),
        })?;
        Ok(Self::from_bytes(&key))
    }

    /// A few digits that tell one master key from another and nothing about it.
    pub fn fingerprint(&self) -> String {
        hex::write(&self.fingerprint)
    }

    /// What names are made under.
    pub(crate) const fn names(&self) -> &NameKey {
        &self.names
    }

    /// Wraps a contact's key.
    pub(crate) fn wrap(&self, contact: &ContactId, key: &ContactKey) -> Result<Vec<u8>, Error> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(no_random)?;
        let mut wrapped = vec![WRAPPED_LAYOUT];
        wrapped.extend_from_slice(&self.fingerprint);
        wrapped.extend_from_slice(&nonce);
        let start = wrapped.len();
        wrapped.extend_from_slice(&*key.0);
        let tag = self
            .cipher
            .encrypt_inout_detached(
                &Nonce::from(nonce),
                contact.as_str().as_bytes(),
                (&mut wrapped[start..]).into(),
            )
            .expect("a key is far shorter than what AES-GCM takes");
        wrapped.extend_from_slice(&tag);
        Ok(wrapped)
    }

    /// Unwraps a contact's key.
    pub(crate) fn unwrap(&self, contact: &ContactId, wrapped: &[u8]) -> Result<ContactKey, Error> {
        let corrupt = |what: &str| Error::Corrupt {
            place: format!("the key of contact {contact}").into(),
            what: what.into(),
        };
        let unknown = || corrupt("it has an unknown form");
        let (layout, rest) = wrapped.split_first().ok_or_else(unknown)?;
        let (fingerprint, rest) = rest
            .split_first_chunk::<FINGERPRINT_BYTES>()
            .ok_or_else(unknown)?;
        let (nonce, rest) = rest.split_first_chunk::<NONCE_BYTES>().ok_or_else(unknown)?;
        let (key, tag) = rest.split_first_chunk::<KEY_BYTES>().ok_or_else(unknown)?;
        let tag: &[u8; TAG_BYTES] = tag.try_into().map_err(|_| unknown())?;
        if *layout != WRAPPED_LAYOUT {
            return Err(unknown());
        }
        if *fingerprint != self.fingerprint {
            return Err(Error::WrongMasterKey {
                contact: contact.clone(),
                wrapped_by: hex::write(fingerprint).into(),
                given: self.fingerprint().into(),
            });
        }
        let mut key = Zeroizing::new(*key);
        self.cipher
            .decrypt_inout_detached(
                &Nonce::from(*nonce),
                contact.as_str().as_bytes(),
                key.as_mut_slice().into(),
                &(*tag).into(),
            )
            .map_err(|_| corrupt("the master key does not open it"))?;
        Ok(ContactKey(key))
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({})", self.fingerprint())
    }
}

/// A contact's own key.
pub(crate) struct ContactKey(Zeroizing<[u8; KEY_BYTES]>);

impl ContactKey {
    pub(crate) fn random() -> Result<Self, Error> {
        random_key().map(Self).map_err(|cause| Error::Unavailable {
            cause: format!("failed to draw a random key: {cause}").into(),
        })
    }
}

/// Encrypts and decrypts a contact's private values.
pub(crate) struct Seal {
    key: ContactKey,
    /// The key made ready for use; made when it is needed, and large.
    cipher: Option<Box<Aes256Gcm>>,
    /// Random for each writer, so that two writers of one contact never share a nonce.
    nonce_prefix: [u8; 8],
    /// Counts what this writer encrypted, written or not.
    nonce_count: u32,
}

impl Seal {
    pub(crate) fn new(key: ContactKey) -> Result<Self, Error> {
        let mut nonce_prefix = [0; 8];
        getrandom::fill(&mut nonce_prefix).map_err(no_random)?;
        Ok(Self {
            key,
            cipher: None,
            nonce_prefix,
            nonce_count: 0,
        })
    }

    /// Encrypts the end of a buffer, from `start`, where room for a nonce has been left.
    pub(crate) fn seal(
        &mut self,
        associated: &[u8],
        buffer: &mut Vec<u8>,
        start: usize,
    ) -> Result<(), Error> {
        if self.nonce_count == u32::MAX {
            getrandom::fill(&mut self.nonce_prefix).map_err(no_random)?;
            self.nonce_count = 0;
        }
        self.nonce_count += 1;
        let mut nonce = [0; NONCE_BYTES];
        nonce[..8].copy_from_slice(&self.nonce_prefix);
        nonce[8..].copy_from_slice(&self.nonce_count.to_be_bytes());
        let (room, plain) = buffer[start..].split_at_mut(NONCE_BYTES);
        room.copy_from_slice(&nonce);
        let tag = self
            .cipher()
            .encrypt_inout_detached(&Nonce::from(nonce), associated, plain.into())
            .expect("a frame is far shorter than what AES-GCM takes");
        buffer.extend_from_slice(&tag);
        Ok(())
    }

    /// Decrypts what [`seal`](Self::seal) made; none when it does not open.
    pub(crate) fn open(&mut self, associated: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let (sealed, tag) = rest.split_last_chunk::<TAG_BYTES>()?;
        let mut plain = Zeroizing::new(sealed.to_vec());
        self.cipher()
            .decrypt_inout_detached(
                &Nonce::from(*nonce),
                associated,
                plain.as_mut_slice().into(),
                &(*tag).into(),
            )
            .ok()?;
        Some(plain)
    }

    /// Gives up what can be made again of the key.
    pub(crate) fn park(&mut self) {
        self.cipher = None;
    }

    fn cipher(&mut self) -> &Aes256Gcm {
        self.cipher
            .get_or_insert_with(|| Box::new(Aes256Gcm::new((&*self.key.0).into())))
    }
}

fn create(path: &Path, key: &[u8; KEY_BYTES]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder)?;
    let mut suffix = [0; 8];
    getrandom::fill(&mut suffix).map_err(|error| io::Error::other(error.to_string()))?;
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(format!(".{}.part", hex::write(&suffix)));
    let mut file = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(&unfinished)?;
    // Whatever the process's umask is.
    file.set_permissions(Permissions::from_mode(0o600))?;
    let text = Zeroizing::new(hex::write(key) + "\n");
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    // A link, unlike a rename, never takes the place of a key that is there.
    let linked = match fs::hard_link(&unfinished, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    };
    fs::remove_file(&unfinished)?;
    linked?;
    fs::File::open(folder)?.sync_all()
}

fn random_key() -> Result<Zeroizing<[u8; KEY_BYTES]>, String> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    getrandom::fill(key.as_mut_slice()).map_err(|error| error.to_string())?;
    Ok(key)
}

fn no_random(error: getrandom::Error) -> Error {
    Error::Unavailable {
        cause: Arc::from(format!("the system gave no random bytes: {error}")),
    }
}

fn from_hex(text: &[u8]) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    hex::read_into(text, key.as_mut_slice()).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_is_made_once_and_kept_to_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys/master.key");
        let made = MasterKey::read_or_create(&path).unwrap();
        let read = MasterKey::read_or_create(&path).unwrap();
        assert_eq!(made.fingerprint(), read.fingerprint());
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);

        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let error = MasterKey::read_or_create(&path).unwrap_err().to_string();
        assert!(error.contains("chmod 600"), "{error}");

        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        for damaged in ["", "not a key", &"g".repeat(64)] {
            fs::write(&path, damaged).unwrap();
            let error = MasterKey::read_or_create(&path).unwrap_err();
            assert!(matches!(error, MasterKeyError::Malformed { .. }), "{error}");
        }
    }

    #[test]
    fn a_wrapped_key_opens_for_its_contact_and_master_only() {
        let contact = ContactId::from("01");
        let master = MasterKey::from_bytes(&[1; 32]);
        let key = ContactKey::random().unwrap();
        let wrapped = master.wrap(&contact, &key).unwrap();
        assert_eq!(*master.unwrap(&contact, &wrapped).unwrap().0, *key.0);
        assert!(!wrapped.windows(8).any(|window| window == &key.0[..8]));

        let error = MasterKey::from_bytes(&[2; 32]).unwrap(&contact, &wrapped).err();
        assert!(matches!(error, Some(Error::WrongMasterKey { .. })), "{error:?}");
        let error = master.unwrap(&ContactId::from("02"), &wrapped).err();
        assert!(matches!(error, Some(Error::Corrupt { .. })), "{error:?}");
        for length in 0..wrapped.len() {
            assert!(master.unwrap(&contact, &wrapped[..length]).is_err());
        }
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_only() {
        let mut seal = Seal::new(ContactKey::random().unwrap()).unwrap();
        let mut sealed = Vec::new();
        for _ in 0..2 {
            let mut buffer = vec![0; NONCE_BYTES];
            buffer.extend_from_slice("12345".as_bytes());
            seal.seal(b"here", &mut buffer, 0).unwrap();
            sealed.push(buffer);
        }
        assert_ne!(sealed[0], sealed[1]);
        seal.park();
        assert_eq!(**seal.open(b"here", &sealed[0]).unwrap(), *b"12345");
        assert!(seal.open(b"there", &sealed[0]).is_none());
        sealed[1][14] ^= 1;
        assert!(seal.open(b"here", &sealed[1]).is_none());
        assert!(seal.open(b"here", b"short").is_none());
    }
}
