//! Contacts under way: found, decided, parked, woken, forgotten.
//!
//! Each contact is decided by one task at a time under its own lock, and each input runs in a
//! task of its own, so that a request that is dropped stops nothing half-way. After every
//! decision, and only when its events are durable, what the contact now waits for is read from
//! its session: a deadline goes to the [`Timers`], a plugin call is made, a service is asked.
//!
//! A contact that nobody has talked to for a while is parked: its session leaves memory, its
//! deadline and a short [`Summary`] stay. Whatever comes next folds its journal again.

mod arrive;
mod awake;
mod calls;
mod contact;
mod drain;
mod error;
mod page;
mod recover;
mod services;
mod start;
mod summary;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, OnceLock, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::{Semaphore, watch};
use tokio_util::task::TaskTracker;
use trunkline_engine::{Input, Session, input::Reply, turn::Turn};
use trunkline_journal::Journal;
use trunkline_model::{ContactId, Duration, Timestamp};

use self::contact::Contact;
pub(crate) use self::{
    arrive::CARRIER_ANSWERS,
    error::may_pass,
    start::{StartCall, StartError, inputs},
};
pub use self::{
    arrive::{Arrived, Call, is_e164},
    drain::Drain,
    error::{ArriveError, DeliverError, FindError},
    page::{Page, StateFilter},
    recover::Recovery,
    services::Deed,
    summary::{State, Summary},
};
use crate::{
    clock::Clock,
    key,
    limits::{DUE_CONCURRENT, FORGET_AFTER, PARK_AFTER, RETRY_PAUSE_MAX, RETRY_PAUSE_MIN},
    lines::Lines,
    release::Release,
    releases::Releases,
    success::Success,
    timers::Timers,
};

/// The space in which what the node knows of a contact besides its journal is kept.
const SPACE: &str = "node.contacts";

/// All contacts of a node.
pub struct Contacts {
    pub(crate) clock: Clock,
    pub(crate) journal: Arc<Journal>,
    pub(crate) releases: Arc<Releases>,
    pub(crate) success: Success,
    services: services::Desk,
    /// Whoever holds the lines of contacts that came by telephone.
    lines: OnceLock<Weak<dyn Lines>>,
    timers: Timers,
    known: Mutex<BTreeMap<ContactId, Arc<Contact>>>,
    /// Tasks that decide; waited for when the node stops.
    deciding: TaskTracker,
    /// Tasks that wait for a plugin; waited for less long.
    calling: TaskTracker,
    stopping: AtomicBool,
    /// Since when no new contacts are taken, when none are.
    draining: watch::Sender<Option<Timestamp>>,
    /// Why the journal takes no more writes, when it does not.
    failed: watch::Sender<Option<Arc<str>>>,
}

/// What became of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// The number of the contact's last event.
    pub seq: u64,
    /// What to tell whoever gave it.
    pub reply: Reply,
}

/// A contact as whoever holds its line sees it.
#[derive(Clone, Debug)]
pub struct Followed {
    /// The turns that are new, oldest first.
    pub turns: Vec<Turn>,
    /// The contact as it is after the last of them.
    pub session: Session,
}

impl Contacts {
    pub(crate) fn new(
        clock: Clock,
        journal: Arc<Journal>,
        releases: Arc<Releases>,
        success: Success,
    ) -> Self {
        Self {
            clock,
            journal,
            services: services::Desk::new(releases.clone()),
            lines: OnceLock::new(),
            releases,
            success,
            timers: Timers::default(),
            known: Mutex::default(),
            deciding: TaskTracker::new(),
            calling: TaskTracker::new(),
            stopping: AtomicBool::new(false),
            draining: watch::Sender::new(None),
            failed: watch::Sender::new(None),
        }
    }

    /// Gives a contact an input and says what became of it, once that is durable. Dropping the
    /// future drops the answer, not the input.
    ///
    /// # Errors
    /// There is no such contact, it cannot go on, or its journal cannot be written.
    pub async fn deliver(
        self: &Arc<Self>,
        contact: &ContactId,
        input: Input,
    ) -> Result<Delivered, DeliverError> {
        if self.stopping.load(Ordering::Acquire) {
            return Err(DeliverError::Stopping);
        }
        let contact = self.find(contact).await?;
        let contacts = self.clone();
        let delivery = self
            .deciding
            .spawn(async move { contact.take(&contacts, &input, None).await });
        delivery.await.unwrap_or(Err(DeliverError::Stopping))
    }

    /// Gives a contact an input that may not be lost: while the journal is unavailable it is
    /// tried again.
    async fn deliver_surely(
        self: &Arc<Self>,
        contact: &Arc<Contact>,
        input: Input,
        release: Option<&Arc<Release>>,
    ) {
        let mut pause = RETRY_PAUSE_MIN;
        loop {
            match contact.take(self, &input, release).await {
                Ok(_) => return,
                Err(DeliverError::Journal(error) | DeliverError::Find(FindError::Journal(error)))
                    if may_pass(&error) =>
                {
                    tracing::warn!(contact = %contact.id, %error, "trying again in {pause}");
                }
                Err(error) => {
                    tracing::error!(contact = %contact.id, %error, "a contact cannot go on");
                    contact.strand(error.to_string().into());
                    return;
                }
            }
            tokio::time::sleep(pause.to_std()).await;
            pause = Duration::from_millis((pause.as_millis() * 2).min(RETRY_PAUSE_MAX.as_millis()));
        }
    }

    /// The turns after a number, oldest first. While there are none, waits until `until` for
    /// the first.
    ///
    /// # Errors
    /// There is no such contact, or its journal cannot be read.
    pub async fn turns(
        self: &Arc<Self>,
        contact: &ContactId,
        after: u64,
        until: Option<Timestamp>,
    ) -> Result<Vec<Turn>, FindError> {
        let contact = self.find(contact).await?;
        loop {
            let changed = contact.changed.notified();
            tokio::pin!(changed);
            // Listening begins before the turns are read, so that none is missed.
            changed.as_mut().enable();
            let (turns, ended) = contact.turns_after(self, after).await?;
            let Some(until) = until.filter(|_| turns.is_empty() && !ended && !self.is_stopping()) else {
                return Ok(turns);
            };
            tokio::select! {
                () = changed => {}
                () = self.clock.until(until) => return Ok(Vec::new()),
            }
        }
    }

    /// The caller of a contact left, and nobody waits to be told that it was taken: while the journal is
    /// unavailable it is tried again.
    pub fn caller_left(self: &Arc<Self>, contact: &ContactId) {
        let (contacts, id) = (self.clone(), contact.clone());
        self.deciding.spawn(async move {
            match contacts.find(&id).await {
                Ok(contact) => {
                    let left = Input::HangUp { id: None };
                    contacts.deliver_surely(&contact, left, None).await;
                }
                Err(error) => {
                    tracing::error!(contact = %id, %error, "a caller left, and the contact cannot be told");
                }
            }
        });
    }

    /// Somebody holds the lines of contacts that come by telephone, as long as it is there. The first who
    /// says so does.
    pub(crate) fn hold_lines(&self, lines: &Arc<dyn Lines>) {
        let _ = self.lines.set(Arc::downgrade(lines));
    }

    /// Whoever holds the lines.
    pub(crate) fn lines(&self) -> Option<Arc<dyn Lines>> {
        self.lines.get()?.upgrade()
    }

    /// A contact as it is once it has come further than an event, with the turns since then: for
    /// whoever holds its line. An ended contact is given at once.
    ///
    /// # Errors
    /// There is no such contact, its journal cannot be read, or the node stops.
    pub async fn follow(self: &Arc<Self>, contact: &ContactId, after: u64) -> Result<Followed, DeliverError> {
        let contact = self.find(contact).await?;
        loop {
            let changed = contact.changed.notified();
            tokio::pin!(changed);
            // Listening begins before it is looked at, so that nothing is missed.
            changed.as_mut().enable();
            let session = contact.session(self).await?;
            if session.seq > after || session.has_ended() {
                let (turns, _) = contact.turns_after(self, after).await?;
                // What came in between belongs to the next look.
                let turns = turns.into_iter().filter(|turn| turn.seq <= session.seq);
                return Ok(Followed {
                    turns: turns.collect(),
                    session,
                });
            }
            if self.is_stopping() {
                return Err(DeliverError::Stopping);
            }
            changed.await;
        }
    }

    /// The release that a contact is on, as long as it has not ended.
    ///
    /// # Errors
    /// There is no such contact, or its journal cannot be read.
    pub async fn release_of(
        self: &Arc<Self>,
        contact: &ContactId,
    ) -> Result<Option<Arc<Release>>, FindError> {
        Ok(self.find(contact).await?.release())
    }

    /// Waits until a contact's session is as `rests` says, until `until` at most; the session as it is
    /// then.
    ///
    /// # Errors
    /// There is no such contact, or its journal cannot be read.
    pub(crate) async fn rested(
        self: &Arc<Self>,
        contact: &ContactId,
        until: Timestamp,
        rests: impl Fn(&Session) -> bool + Send,
    ) -> Result<Session, FindError> {
        let contact = self.find(contact).await?;
        loop {
            let changed = contact.changed.notified();
            tokio::pin!(changed);
            // Listening begins before the session is read, so that no change is missed.
            changed.as_mut().enable();
            let session = contact.session(self).await?;
            if rests(&session) || self.is_stopping() {
                return Ok(session);
            }
            tokio::select! {
                () = changed => {}
                () = self.clock.until(until) => return Ok(session),
            }
        }
    }

    /// How a contact stands.
    ///
    /// # Errors
    /// There is no such contact, or its journal cannot be read.
    pub async fn summary(self: &Arc<Self>, contact: &ContactId) -> Result<Summary, FindError> {
        Ok(self.find(contact).await?.summary())
    }

    /// A contact's session as it is now.
    ///
    /// # Errors
    /// There is no such contact, or its journal cannot be read.
    pub async fn session(self: &Arc<Self>, contact: &ContactId) -> Result<Session, FindError> {
        self.find(contact).await?.session(self).await
    }

    /// Whether a token opens the caller's side of a contact.
    ///
    /// # Errors
    /// There is no such contact, or the store cannot be read.
    pub(crate) async fn opens(self: &Arc<Self>, contact: &ContactId, token: &str) -> Result<bool, FindError> {
        let contact = self.find(contact).await?;
        let kept = match contact.token() {
            Some(kept) => Some(kept),
            None => {
                let kept = arrive::kept_token(self, &contact.id).await?;
                contact.set_token(kept);
                kept
            }
        };
        Ok(kept.is_some_and(|kept| kept == key::digest(token)))
    }

    /// Finds a contact in memory, or in the journal.
    async fn find(self: &Arc<Self>, id: &ContactId) -> Result<Arc<Contact>, FindError> {
        if let Some(contact) = self.known().get(id) {
            return Ok(contact.clone());
        }
        let Some(found) = Contact::read(self, id).await? else {
            return Err(FindError::NoSuchContact(id.clone()));
        };
        let found = Arc::new(found);
        // Most that are not in memory have ended, and are asked about or sent repeats. One that
        // has not was left behind by a failed write, and goes on.
        let goes_on = !found.has_ended();
        if goes_on {
            match self.releases.pin(&found.summary().release).await {
                Ok(pinned) => found.pin(pinned),
                Err(why) => found.strand(why),
            }
        }
        let contact = self
            .known()
            .entry(id.clone())
            .or_insert_with(|| found.clone())
            .clone();
        if goes_on && Arc::ptr_eq(&contact, &found) {
            let (contacts, contact) = (self.clone(), contact.clone());
            self.deciding.spawn(async move {
                contacts.deliver_surely(&contact, Input::Recovered, None).await;
            });
        }
        Ok(contact)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, BTreeMap<ContactId, Arc<Contact>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many contacts are in memory, in short at least.
    pub(crate) fn count(&self) -> usize {
        self.known().len()
    }

    /// Acts upon deadlines, until the node stops.
    pub(crate) async fn keep_time(self: Arc<Self>) {
        let at_once = Arc::new(Semaphore::new(DUE_CONCURRENT));
        loop {
            for id in self.timers.due(&self.clock).await {
                let Some(contact) = self.known().get(&id).cloned() else {
                    continue;
                };
                let Ok(permit) = at_once.clone().acquire_owned().await else {
                    return;
                };
                let contacts = self.clone();
                self.deciding.spawn(async move {
                    contacts.deliver_surely(&contact, Input::TimeUp, None).await;
                    drop(permit);
                });
            }
        }
    }

    /// Removes what is kept of requests for contacts that may no longer be repeated.
    pub(crate) async fn sweep_requests(&self) {
        match arrive::sweep_requests(self).await {
            Ok(0) => {}
            Ok(swept) => tracing::debug!(swept, "requests for contacts forgotten"),
            Err(error) => tracing::warn!(%error, "requests for contacts could not be swept; trying again"),
        }
    }

    /// Parks contacts that nobody talked to for a while, and forgets those that ended.
    pub(crate) fn sweep(&self) {
        let now = self.clock.now();
        let (mut parked, mut forgotten) = (0_usize, 0_usize);
        let known: Vec<Arc<Contact>> = self.known().values().cloned().collect();
        for contact in known {
            let idle = now.since(contact.touched());
            if contact.has_ended() {
                if idle >= FORGET_AFTER {
                    self.known().remove(&contact.id);
                    forgotten += 1;
                }
            } else if idle >= PARK_AFTER && contact.park() {
                parked += 1;
            }
        }
        if parked + forgotten > 0 {
            tracing::debug!(parked, forgotten, "contacts left memory");
        }
    }

    /// Resolves with the reason when the journal takes no more writes: the process should end
    /// and be started again.
    pub async fn failure(&self) -> Arc<str> {
        let mut failed = self.failed.subscribe();
        loop {
            if let Some(why) = failed.borrow_and_update().clone() {
                return why;
            }
            if failed.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Takes note of an error of the store: one that ends all writing ends the process.
    pub(crate) fn notice(&self, error: &trunkline_journal::Error) {
        if let trunkline_journal::Error::Fatal { cause } = error {
            self.failed.send_replace(Some(cause.clone()));
        }
    }

    pub(crate) fn has_failed(&self) -> Option<Arc<str>> {
        self.failed.borrow().clone()
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Takes nothing more from callers, and lets go of those who wait for turns.
    pub(crate) fn begin_to_stop(&self) {
        self.stopping.store(true, Ordering::Release);
        for contact in self.known().values() {
            contact.changed.notify_waiters();
        }
    }

    /// Waits for plugin calls and decisions under way, each within its bound. What is not
    /// finished then is pending in the journal and goes on at the next start.
    pub(crate) async fn stop(&self) {
        use crate::limits::{STOP_CALLS_WITHIN, STOP_WITHIN};
        self.begin_to_stop();
        self.calling.close();
        if tokio::time::timeout(STOP_CALLS_WITHIN.to_std(), self.calling.wait())
            .await
            .is_err()
        {
            tracing::warn!(
                calls = self.calling.len(),
                "plugin calls are left for the next start"
            );
        }
        self.deciding.close();
        if tokio::time::timeout(STOP_WITHIN.to_std(), self.deciding.wait())
            .await
            .is_err()
        {
            tracing::warn!(
                decisions = self.deciding.len(),
                "decisions did not finish in time"
            );
        }
    }
}

/// Whether a store's answer means that something else was there already.
fn is_conflict(error: &trunkline_journal::Error) -> bool {
    matches!(error, trunkline_journal::Error::Conflict { .. })
}
