//! Lists of contacts, a page at a time, in order of arrival.

use trunkline_engine::Event;
use trunkline_journal::Streams;
use trunkline_model::ContactId;

use super::{Contacts, FindError, State, Summary, contact::Contact};

/// Which contacts to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateFilter {
    /// All, those that have ended included.
    All,
    /// Those under way.
    Live,
    /// Those in one state.
    Only(State),
}

/// A page of contacts.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The contacts.
    pub contacts: Vec<Summary>,
    /// Where the next page begins; none at the end.
    pub next: Option<ContactId>,
}

impl Contacts {
    /// Lists contacts after one, at most `limit`.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub async fn page(
        &self,
        filter: StateFilter,
        after: Option<&ContactId>,
        limit: usize,
    ) -> Result<Page, FindError> {
        match filter {
            StateFilter::All => self.recorded_page(Streams::All, after, limit).await,
            StateFilter::Only(State::Ended) => self.recorded_page(Streams::Ended, after, limit).await,
            StateFilter::Live => Ok(self.live_page(|state| state != State::Ended, after, limit)),
            StateFilter::Only(only) => Ok(self.live_page(|state| state == only, after, limit)),
        }
    }

    /// Contacts under way are all in memory, at least in short.
    fn live_page(&self, wanted: impl Fn(State) -> bool, after: Option<&ContactId>, limit: usize) -> Page {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = after.map_or(Unbounded, Excluded);
        let mut contacts: Vec<Summary> = self
            .known()
            .range::<ContactId, _>((from, Unbounded))
            .map(|(_, contact)| contact.summary())
            .filter(|summary| wanted(summary.state))
            .take(limit + 1)
            .collect();
        let more = contacts.len() > limit;
        contacts.truncate(limit);
        let next = contacts.last().filter(|_| more).map(|last| last.contact.clone());
        Page { contacts, next }
    }

    /// Contacts that have ended are folded from their journals, and do not stay in memory.
    async fn recorded_page(
        &self,
        which: Streams,
        after: Option<&ContactId>,
        limit: usize,
    ) -> Result<Page, FindError> {
        let ids = self.journal.store().streams(which, after, limit).await?;
        let next = ids.last().filter(|_| ids.len() == limit).cloned();
        let mut contacts = Vec::with_capacity(ids.len());
        for id in ids {
            let known = self.known().get(&id).map(|contact| contact.summary());
            match known {
                Some(summary) => contacts.push(summary),
                None => match Contact::read(self, &id).await {
                    Ok(Some(contact)) => contacts.push(contact.summary()),
                    Ok(None) => {}
                    // One that cannot be read hides no others.
                    Err(error) => tracing::error!(contact = %id, %error, "a contact cannot be read"),
                },
            }
        }
        Ok(Page { contacts, next })
    }

    /// A contact's events after a number, each with its own, at most `limit`, and whether
    /// more follow.
    ///
    /// # Errors
    /// There is no such contact, or its journal cannot be read.
    pub async fn events(
        &self,
        contact: &ContactId,
        after: u64,
        limit: usize,
    ) -> Result<(Vec<(u64, Event)>, bool), FindError> {
        let recorded = self.journal.read(contact).await?;
        let recorded = recorded.ok_or_else(|| FindError::NoSuchContact(contact.clone()))?;
        let mut events = (1..).zip(recorded.events).filter(|(seq, _)| *seq > after);
        let page: Vec<_> = events.by_ref().take(limit).collect();
        Ok((page, events.next().is_some()))
    }
}
