//! A contact's journal: its events, written in order by one writer at a time.

use std::{fmt, sync::Arc};

use trunkline_engine::Event;
use trunkline_model::{ContactId, Digest};

use crate::{
    Append, Error, MasterKey, Standing, Store, Streams, Version,
    codec::{self, Chain, EncodeError},
    limits::PAGE_MAX,
    secrecy::{ContactKey, NONCE_BYTES, Seal, WRAPPED_BYTES},
};

/// Contacts whose key [`Journal::check_master`] tries at most.
const MASTER_CHECKS_MAX: usize = 16;

/// The journals of all contacts, over a store.
#[derive(Clone)]
pub struct Journal {
    store: Arc<dyn Store>,
    master: Arc<MasterKey>,
}

/// A writer's position at the end of a contact's journal.
///
/// It moves when an append succeeds. After any error of an append read the contact again: what
/// was written by others, or landed although nobody knew, is then in the events.
pub struct Head {
    contact: ContactId,
    version: Version,
    chain: Chain,
    events: u64,
    ended: bool,
    /// None where the contact's key has been erased.
    seal: Option<Seal>,
    /// The contact's wrapped key, until the first events are written.
    key: Option<Vec<u8>>,
}

/// A contact as it is read from its journal.
pub struct Recorded {
    /// Where to go on writing.
    pub head: Head,
    /// All its events, verified.
    pub events: Vec<Event>,
    /// Whether its key has been erased, so that no event has its private part.
    pub erased: bool,
}

impl Journal {
    /// Journals in a store, their private parts under keys wrapped by `master`.
    pub fn new(store: Arc<dyn Store>, master: MasterKey) -> Self {
        Self {
            store,
            master: Arc::new(master),
        }
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Encrypts a personal value that belongs to no contact yet, under a key of its own. It opens in
    /// its place only; removing it is erasing it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the system gives no random bytes.
    pub fn seal(&self, place: &str, plain: &[u8]) -> Result<Vec<u8>, Error> {
        let key = ContactKey::random()?;
        let mut sealed = self.master.wrap(&ContactId::new(place), &key)?;
        let start = sealed.len();
        sealed.resize(start + NONCE_BYTES, 0);
        sealed.extend_from_slice(plain);
        Seal::new(key)?.seal(place.as_bytes(), &mut sealed, start)?;
        Ok(sealed)
    }

    /// Decrypts what [`seal`](Self::seal) made for the same place.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when it is not what was sealed there, [`Error::WrongMasterKey`].
    pub fn unseal(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>, Error> {
        let corrupt = || Error::Corrupt {
            place: place.into(),
            what: "it does not open here".into(),
        };
        let (wrapped, sealed) = sealed.split_at_checked(WRAPPED_BYTES).ok_or_else(corrupt)?;
        let key = self.master.unwrap(&ContactId::new(place), wrapped)?;
        let plain = Seal::new(key)?
            .open(place.as_bytes(), sealed)
            .ok_or_else(corrupt)?;
        Ok(plain.to_vec())
    }

    /// A digest that tells the same parts again, and that nobody can make without the master key: a name
    /// for what may be guessed, such as a person's number, gives nothing away.
    pub fn name<'a>(&self, parts: impl IntoIterator<Item = &'a [u8]>) -> Digest {
        self.master.names().name(parts)
    }

    /// Tries the master key on some contacts, so that a wrong one is found before any contact
    /// needs it.
    ///
    /// # Errors
    /// [`Error::WrongMasterKey`], or what reading the store gave.
    pub async fn check_master(&self) -> Result<(), Error> {
        for contact in self.store.streams(Streams::All, None, MASTER_CHECKS_MAX).await? {
            if let Some(key) = self.store.head(&contact).await?.and_then(|head| head.key) {
                self.master.unwrap(&contact, &key)?;
            }
        }
        Ok(())
    }

    /// Begins a contact's journal with its first events, durably.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the contact has a journal already; otherwise as for
    /// [`append`](Self::append).
    pub async fn begin(&self, contact: &ContactId, events: &[Event]) -> Result<Head, Error> {
        let key = ContactKey::random()?;
        let wrapped = self.master.wrap(contact, &key)?;
        let mut head = Head {
            contact: contact.clone(),
            version: Version::NONE,
            chain: Chain::begin(contact),
            events: 0,
            ended: false,
            seal: Some(Seal::new(key)?),
            key: Some(wrapped),
        };
        self.append(&mut head, events).await?;
        Ok(head)
    }

    /// Appends events, all or none, and returns when they are durable. The head moves only
    /// then. Where the contact's key has been erased, private parts are left out.
    ///
    /// # Errors
    /// [`Error::Conflict`] when somebody else wrote to the contact, [`Error::Unknown`] when the
    /// events may have landed: in both cases the contact is to be read again. After
    /// [`Error::Fatal`] they may have landed too, and the store has to be opened again. The rest
    /// are those of the store, and [`Error::Unwritable`].
    pub async fn append(&self, head: &mut Head, events: &[Event]) -> Result<(), Error> {
        if events.is_empty() {
            return Ok(());
        }
        let mut chain = head.chain;
        let mut frames = Vec::with_capacity(events.len());
        for (event, number) in events.iter().zip(head.events + 1..) {
            let frame =
                codec::encode(event, &mut chain, head.seal.as_mut()).map_err(|error| match error {
                    EncodeError::Seal(error) => error,
                    error => Error::Unwritable {
                        contact: head.contact.clone(),
                        event: number,
                        cause: error.to_string().into(),
                    },
                })?;
            frames.push(frame);
        }
        let ended = head.ended || events.iter().any(|event| event.fact.ends_contact());
        let append = Append {
            stream: &head.contact,
            expected: head.version,
            frames,
            standing: if ended { Standing::Ended } else { Standing::Open },
            key: head.key.clone(),
        };
        head.version = self.store.append(append).await?;
        head.chain = chain;
        head.events += events.len() as u64;
        head.ended = ended;
        head.key = None;
        Ok(())
    }

    /// Reads and verifies a contact; none when it has no journal.
    ///
    /// # Errors
    /// [`Error::Corrupt`] says which event is not as it was written; [`Error::WrongMasterKey`];
    /// and those of the store.
    pub async fn read(&self, contact: &ContactId) -> Result<Option<Recorded>, Error> {
        let Some(stream) = self.store.head(contact).await? else {
            return Ok(None);
        };
        let mut seal = match &stream.key {
            Some(key) => Some(Seal::new(self.master.unwrap(contact, key)?)?),
            None => None,
        };
        let mut version = Version::NONE;
        let mut chain = Chain::begin(contact);
        let mut events = Vec::new();
        loop {
            let frames = self.store.read(contact, version, PAGE_MAX).await?;
            let Some(last) = frames.last() else {
                break;
            };
            version = last.version;
            for frame in frames {
                let event = codec::decode(&frame.bytes, &mut chain, seal.as_mut())
                    .map_err(|what| corrupt(contact, events.len() + 1, what))?;
                events.push(event);
            }
            // Most contacts fit on one page, and their head says so.
            if version >= stream.version {
                break;
            }
        }
        if version < stream.version {
            return Err(corrupt(
                contact,
                events.len() + 1,
                "it is missing, with all that follow".to_owned(),
            ));
        }
        let erased = seal.is_none();
        let head = Head {
            contact: contact.clone(),
            version,
            chain,
            events: events.len() as u64,
            ended: events.iter().any(|event| event.fact.ends_contact()),
            seal,
            key: None,
        };
        Ok(Some(Recorded { head, events, erased }))
    }

    /// The contacts under way, after one, in order of their arrival; at most `limit`, and an
    /// empty page when there are no more.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn open_contacts(
        &self,
        after: Option<&ContactId>,
        limit: usize,
    ) -> Result<Vec<ContactId>, Error> {
        self.contacts(Streams::Open, after, limit).await
    }

    /// Contacts after one, in order of their arrival; at most `limit`, and an empty page when
    /// there are no more.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn contacts(
        &self,
        which: Streams,
        after: Option<&ContactId>,
        limit: usize,
    ) -> Result<Vec<ContactId>, Error> {
        self.store.streams(which, after, limit).await
    }

    /// Erases a contact's personal data by removing its key. Whether there was one. Its events
    /// stay, and their chain still holds.
    ///
    /// From then on no private part can be read through the journal. The wrapped key's bytes
    /// leave the disk when the store next rewrites the file they lie in. A [`Head`] read before
    /// still writes private parts, which nobody can read any more.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn erase(&self, contact: &ContactId) -> Result<bool, Error> {
        self.store.erase_key(contact).await
    }

    /// Deletes a contact's journal. Whether there was one.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn delete(&self, contact: &ContactId) -> Result<bool, Error> {
        self.store.delete_stream(contact).await
    }
}

fn corrupt(contact: &ContactId, event: usize, what: String) -> Error {
    Error::Corrupt {
        place: format!("contact {contact}, event {event}").into(),
        what: what.into(),
    }
}

impl Head {
    /// The contact.
    pub const fn contact(&self) -> &ContactId {
        &self.contact
    }

    /// How many events have been written.
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// Whether an event has ended the contact.
    pub const fn is_ended(&self) -> bool {
        self.ended
    }

    /// Gives up memory that the next append can make again: for a contact that waits.
    pub fn park(&mut self) {
        if let Some(seal) = &mut self.seal {
            seal.park();
        }
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal")
            .field("store", &self.store.kind())
            .field("master", &self.master)
            .finish()
    }
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Head")
            .field("contact", &self.contact)
            .field("events", &self.events)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}
