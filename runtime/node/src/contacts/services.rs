//! Services beside plugin calls: one instance for the node, in memory, moved by the node's clock.
//!
//! A contact's work is asked for because its session says that it is pending, and what services
//! say comes back as inputs, to each contact in the order in which it was said. Queues, tickets,
//! callbacks, surveys and messages of this version are kept in memory only: after a restart the
//! contacts that wait ask again and keep their places; the rest is gone.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;
use trunkline_engine::{
    Channel, Input, Readings, Services,
    service::{Serving, TransferAnswer},
    services::{AgentError, AgentView, QueueView, Told, TransferError},
};
use trunkline_model::{ContactId, Digest, Duration, Timestamp, WorkId};

use super::Contacts;
use crate::releases::Releases;

/// The node's services, and what they said that contacts have not taken yet.
pub(crate) struct Desk {
    releases: Arc<Releases>,
    inner: Mutex<Inner>,
    /// Something may be due sooner.
    changed: Notify,
}

#[derive(Default)]
struct Inner {
    /// None until there is a release.
    services: Option<Services>,
    /// The release whose settings they have.
    release: Option<Digest>,
    /// What was said to each contact, oldest first; a contact that stands here has a task that
    /// gives it.
    said: BTreeMap<ContactId, VecDeque<Input>>,
}

/// What an agent does with a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Takes the call.
    Answer,
    /// Leaves it, and the call is over.
    End,
    /// Leaves it, and the caller goes on with somebody else.
    HandOver,
    /// Does not take it: the caller is offered to another, and the agent is left alone for so long.
    Decline(Duration),
}

impl Desk {
    pub(crate) fn new(releases: Arc<Releases>) -> Self {
        Self {
            releases,
            inner: Mutex::default(),
            changed: Notify::new(),
        }
    }

    /// The services, with the settings of the release that is current.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let current = self.releases.current();
        if let Some(release) = current.filter(|release| inner.release != Some(release.id())) {
            inner.release = Some(release.id());
            match &mut inner.services {
                Some(services) => services.configure(release.hotline()),
                // Only who came by a line can be put through to the outside.
                None => inner.services = Some(Services::new(release.hotline()).without_lines()),
            }
        }
        inner
    }

    fn next_wake(&self) -> Option<Timestamp> {
        self.inner().services.as_ref()?.next_wake()
    }

    /// What a decision may read of queues.
    pub(super) fn readings(&self, contact: Option<&ContactId>, at: Timestamp) -> Readings {
        let inner = self.inner();
        inner
            .services
            .as_ref()
            .map(|services| services.readings(contact, at))
            .unwrap_or_default()
    }
}

impl Contacts {
    /// Does something with the services, and gives contacts what comes of it.
    fn with_services<T>(self: &Arc<Self>, does: impl FnOnce(&mut Services) -> (Vec<Told>, T)) -> Option<T> {
        let mut inner = self.services.inner();
        let (told, result) = does(inner.services.as_mut()?);
        for told in told {
            let first = !inner.said.contains_key(&told.contact);
            inner
                .said
                .entry(told.contact.clone())
                .or_default()
                .push_back(told.input);
            if first {
                let contacts = self.clone();
                self.deciding
                    .spawn(async move { contacts.give_what_was_said(told.contact).await });
            }
        }
        drop(inner);
        self.services.changed.notify_one();
        Some(result)
    }

    /// Gives a contact what services said to it, one after the other, until there is no more.
    async fn give_what_was_said(self: Arc<Self>, id: ContactId) {
        loop {
            let next = {
                let mut inner = self.services.inner();
                let next = inner.said.get_mut(&id).and_then(VecDeque::pop_front);
                if next.is_none() {
                    inner.said.remove(&id);
                }
                next
            };
            let Some(input) = next else { return };
            match self.find(&id).await {
                Ok(contact) => self.deliver_surely(&contact, input, None).await,
                Err(error) => {
                    tracing::error!(contact = %id, %error, "what a service said cannot be given");
                }
            }
        }
    }

    /// Asks for the work that a contact waits for. A contact that came by a line is put through and
    /// recorded by whoever has the line.
    pub(super) fn ask_service(self: &Arc<Self>, contact: &ContactId, channel: Channel, serving: &Serving) {
        if self.is_stopping() {
            // It is pending in the journal, and is asked for when the node is back.
            return;
        }
        let now = self.clock.now();
        self.with_services(|services| {
            if channel == Channel::Phone {
                services.connect(contact);
            }
            (services.ask(contact, serving, now), ())
        });
    }

    /// Something came of a contact's transfer to somebody who is no agent.
    ///
    /// # Errors
    /// The contact is not being transferred, or what came of it does not follow on what was.
    pub fn party(self: &Arc<Self>, contact: &ContactId, came: TransferAnswer) -> Result<(), TransferError> {
        self.with_services(|services| match services.party(contact, came) {
            Ok(told) => (told, Ok(())),
            Err(error) => (Vec::new(), Err(error)),
        })
        .unwrap_or(Ok(()))
    }

    /// What a contact on a line wanted of its recording was done, or could not be.
    pub fn recorded(self: &Arc<Self>, contact: &ContactId, done: bool) {
        self.with_services(|services| (services.recorded(contact, done), ()));
    }

    /// Whoever a caller was handed over to by an agent has left.
    pub fn other_leaves(self: &Arc<Self>, contact: &ContactId) {
        self.with_services(|services| (services.other_leaves(contact), ()));
    }

    /// A contact let go of work.
    pub(crate) fn left_service(self: &Arc<Self>, contact: &ContactId, work: &WorkId) {
        let now = self.clock.now();
        self.with_services(|services| (services.left(contact, work, now), ()));
    }

    /// A contact has ended.
    pub(super) fn done_with_services(self: &Arc<Self>, contact: &ContactId) {
        let now = self.clock.now();
        self.with_services(|services| (services.ended(contact, now), ()));
    }

    /// Does what is due of the services, until the node stops.
    pub(crate) async fn keep_services(self: Arc<Self>) {
        loop {
            // One permit is kept for a change that comes while nobody listens.
            let changed = self.services.changed.notified();
            match self.services.next_wake() {
                Some(at) if at <= self.clock.now() => {
                    let now = self.clock.now();
                    self.with_services(|services| (services.advance(now), ()));
                }
                Some(at) => tokio::select! {
                    () = changed => {}
                    () = self.clock.until(at) => {}
                },
                None => changed.await,
            }
        }
    }

    /// An agent is there and free, or goes away.
    ///
    /// # Errors
    /// The hotline has no such agent, or the agent is in a call.
    pub fn agent_is(self: &Arc<Self>, agent: &str, available: bool) -> Result<(), AgentError> {
        let now = self.clock.now();
        self.with_services(|services| {
            let told = if available {
                services.agent_available(agent, now)
            } else {
                services.agent_away(agent, now)
            };
            split(told)
        })
        .unwrap_or(Ok(()))
    }

    /// An agent answers a caller who is offered, or leaves the call.
    ///
    /// # Errors
    /// The hotline has no such agent, or the agent does not have that caller.
    pub fn agent_does(
        self: &Arc<Self>,
        agent: &str,
        contact: &ContactId,
        deed: Deed,
    ) -> Result<(), AgentError> {
        let now = self.clock.now();
        let done = self.with_services(|services| {
            let told = match deed {
                Deed::Answer => services.agent_answers(agent, contact, now),
                Deed::End => services.agent_ends(agent, contact, now),
                Deed::HandOver => services.agent_hands_over(agent, contact, now),
                Deed::Decline(pause) => services.agent_declines(agent, contact, pause, now),
            };
            split(told)
        });
        done.unwrap_or(Ok(()))?;
        if deed == Deed::End
            && let Some(lines) = self.lines()
        {
            lines.agent_left(contact, agent);
        }
        Ok(())
    }

    /// The queues and the agents as they are now.
    pub fn queues_and_agents(self: &Arc<Self>) -> (Vec<QueueView>, Vec<AgentView>) {
        let now = self.clock.now();
        let inner = self.services.inner();
        inner
            .services
            .as_ref()
            .map(|services| (services.queues(now), services.agents()))
            .unwrap_or_default()
    }
}

fn split(told: Result<Vec<Told>, AgentError>) -> (Vec<Told>, Result<(), AgentError>) {
    match told {
        Ok(told) => (told, Ok(())),
        Err(error) => (Vec::new(), Err(error)),
    }
}
