//! What can go wrong with a store and with a journal.

use std::{path::PathBuf, sync::Arc};

use trunkline_model::ContactId;

use crate::{Kind, Version};

/// A request to a store or a journal that was not carried out, or not known to be.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// Somebody else wrote first. Nothing of this request landed.
    #[error(
        "failed to write {subject}: it is at version {found}, not {expected}; read it again and decide anew"
    )]
    Conflict {
        /// What was to be written.
        subject: Arc<str>,
        /// The version that the request expected.
        expected: Version,
        /// The version that it has.
        found: Version,
    },
    /// The request may have landed or not. Read again and compare before trying once more.
    ///
    /// Only of a store that can still be read; one that cannot answers [`Fatal`](Self::Fatal).
    #[error("failed to learn whether a write landed: {cause}; read again before writing")]
    Unknown {
        /// What happened.
        cause: Arc<str>,
    },
    /// Nothing landed; the same request may succeed later.
    #[error("the store is unavailable: {cause}; try again")]
    Unavailable {
        /// Why.
        cause: Arc<str>,
    },
    /// The store has stopped: in this process it is neither written nor read any more.
    ///
    /// A write that was under way when it stopped may have landed or not. That is learned by
    /// opening the store again, and by nothing before.
    #[error("the store has stopped: {cause}; mend the cause and start again")]
    Fatal {
        /// Why.
        cause: Arc<str>,
    },
    /// What was read is not what was written.
    #[error("{place} is corrupt: {what}; restore it from a backup or delete it")]
    Corrupt {
        /// Where, like `contact 01k…, event 17`.
        place: Arc<str>,
        /// What is wrong with it.
        what: Arc<str>,
    },
    /// The contact's key was wrapped by another master key.
    #[error(
        "the key of contact {contact} was wrapped by the master key {wrapped_by}, but {given} was given; \
         start with the master key that the store was made with"
    )]
    WrongMasterKey {
        /// The contact.
        contact: ContactId,
        /// The fingerprint of the master key that is needed.
        wrapped_by: Arc<str>,
        /// The fingerprint of the master key that was given.
        given: Arc<str>,
    },
    /// Larger than its bound.
    #[error("{what} has {size} bytes or parts, more than the {max} that are allowed")]
    TooLarge {
        /// What.
        what: &'static str,
        /// How large it is.
        size: usize,
        /// How large it may be.
        max: usize,
    },
    /// A name that no store can hold.
    #[error("{what} may not be empty or hold a zero byte")]
    BadName {
        /// Whose name.
        what: &'static str,
    },
    /// An event that cannot be written as JSON.
    #[error("failed to encode event {event} of contact {contact}: {cause}")]
    Unwritable {
        /// The contact.
        contact: ContactId,
        /// Which event of the contact, counted from 1.
        event: u64,
        /// Why.
        cause: Arc<str>,
    },
}

/// A store that could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has the directory open.
    #[error("{path} is in use by another process; stop it, or choose another directory")]
    Locked {
        /// The store's directory.
        path: PathBuf,
    },
    /// The directory holds something that is no store.
    #[error("{path} holds files but no store ({marker} is missing); choose an empty or a new directory")]
    NoStore {
        /// The directory.
        path: PathBuf,
        /// The file that marks a store.
        marker: &'static str,
    },
    /// The directory holds a store of another kind.
    #[error("{path} holds a {found} store, not {wanted}; open it with --store {found}:{path}")]
    OtherKind {
        /// The store's directory.
        path: PathBuf,
        /// The kind that it holds.
        found: Kind,
        /// The kind that was asked for.
        wanted: Kind,
    },
    /// The store was written by a newer Trunkline.
    #[error(
        "{path} holds a store of layout {found}, and this version reads up to {newest}; \
         run the version that wrote it, or a newer one"
    )]
    Newer {
        /// The store's directory.
        path: PathBuf,
        /// The layout that it has.
        found: u32,
        /// The newest layout that this version reads.
        newest: u32,
    },
    /// The file that marks a store cannot be understood.
    #[error("{path} does not say which store it marks ({what}); restore it from a backup")]
    BadMarker {
        /// The marker.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// This binary was built without the store.
    #[error("this binary was built without the {kind} store; build it with `--features {kind}`")]
    NotBuilt {
        /// The store.
        kind: Kind,
    },
    /// The file system refused.
    #[error("failed to {action} {path}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The engine under the store refused to open its files.
    #[error("failed to open the {kind} store in {path}: {cause}")]
    Engine {
        /// The store.
        kind: Kind,
        /// Its directory.
        path: PathBuf,
        /// Why.
        cause: String,
    },
}

impl OpenError {
    #[cfg(any(feature = "fjall", feature = "sled"))]
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
