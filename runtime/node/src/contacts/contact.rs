//! One contact: its lock, its session while it is awake, and the way of a decision from the
//! engine through the journal to the caller.

use std::{
    collections::btree_map::Entry,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{Mutex as AsyncMutex, Notify};
use tracing::Instrument as _;
use trunkline_engine::{
    Channel, Decision, Event, Fact, Input, Reply, Session, Utterance, decide, give_up,
    input::Refused,
    service::{Demand, Destination, RecordDemand},
    turn::Turn,
};
use trunkline_journal::{Error as JournalError, Head, Put};
use trunkline_model::{ContactId, Digest, Timestamp};

use super::{
    Contacts, DeliverError, Delivered, FindError, State, Summary,
    awake::{Awake, Dispatched},
};
use crate::{
    limits::CONFLICTS_MAX,
    observe,
    release::{Pinned, Release},
};

/// A contact that is known to the node, awake or parked.
pub(super) struct Contact {
    pub(super) id: ContactId,
    /// Told when there is something new.
    pub(super) changed: Notify,
    standing: Mutex<Standing>,
    awake: AsyncMutex<Option<Box<Awake>>>,
}

/// What is known of a contact without waking it.
struct Standing {
    summary: Summary,
    /// The release it runs on, while it runs.
    pinned: Option<Pinned>,
    /// When it last decided something.
    touched: Timestamp,
    /// The digest of the token that opens it, once it was asked for.
    token: Option<Digest>,
}

impl Contact {
    /// A contact that is about to begin.
    pub(super) fn arriving(
        id: ContactId,
        channel: Channel,
        at: Timestamp,
        pinned: Pinned,
        token: Option<Digest>,
    ) -> Self {
        metrics::gauge!(observe::CONTACTS, "state" => State::Arriving.as_str()).increment(1.0);
        Self {
            changed: Notify::new(),
            standing: Mutex::new(Standing {
                summary: Summary::arriving(&id, channel, at),
                pinned: Some(pinned),
                touched: at,
                token,
            }),
            awake: AsyncMutex::new(None),
            id,
        }
    }

    /// Reads a contact from its journal; none when it has none. It has no release yet.
    pub(super) async fn read(contacts: &Contacts, id: &ContactId) -> Result<Option<Self>, JournalError> {
        let Some(recorded) = contacts.journal.read(id).await? else {
            return Ok(None);
        };
        let awake = Awake::of(recorded.head, id, &recorded.events);
        let summary = Summary::of(&awake.session);
        metrics::gauge!(observe::CONTACTS, "state" => summary.state.as_str()).increment(1.0);
        Ok(Some(Self {
            id: id.clone(),
            changed: Notify::new(),
            standing: Mutex::new(Standing {
                summary,
                pinned: None,
                touched: contacts.clock.now(),
                token: None,
            }),
            awake: AsyncMutex::new(Some(Box::new(awake))),
        }))
    }

    fn standing(&self) -> std::sync::MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn summary(&self) -> Summary {
        self.standing().summary.clone()
    }

    pub(super) fn has_ended(&self) -> bool {
        self.standing().summary.state == State::Ended
    }

    pub(super) fn touched(&self) -> Timestamp {
        self.standing().touched
    }

    pub(super) fn token(&self) -> Option<Digest> {
        self.standing().token
    }

    pub(super) fn set_token(&self, token: Option<Digest>) {
        self.standing().token = token;
    }

    /// Pins the contact to its release.
    pub(super) fn pin(&self, pinned: Pinned) {
        self.standing().pinned = Some(pinned);
    }

    /// The release that the contact is on, as long as it has not ended.
    pub(super) fn release(&self) -> Option<Arc<Release>> {
        self.standing()
            .pinned
            .as_ref()
            .map(|pinned| pinned.release().clone())
    }

    /// Leaves the contact where it is, since its release cannot be rebuilt.
    pub(super) fn strand(&self, why: Arc<str>) {
        let mut standing = self.standing();
        let summary = standing.summary.clone().stranded(why);
        standing.stand(summary);
    }

    /// Lets the session leave memory, unless something is under way.
    pub(super) fn park(&self) -> bool {
        let Ok(mut awake) = self.awake.try_lock() else {
            return false;
        };
        // A secret is nowhere else.
        if awake.as_ref().is_some_and(|awake| awake.session.holds_secrets()) {
            return false;
        }
        // A call under way, and work that a service was asked for, are known by what is in
        // memory alone.
        let parks = matches!(
            self.standing().summary.state,
            State::Hearing | State::Waiting | State::Stranded | State::Ended
        );
        parks && awake.take().is_some()
    }

    /// The session as it is now.
    pub(super) async fn session(&self, contacts: &Contacts) -> Result<Session, FindError> {
        let mut awake = self.awake.lock().await;
        Ok(self.woken(contacts, &mut awake).await?.session.clone())
    }

    /// The turns after a number, and whether the contact has ended.
    pub(super) async fn turns_after(
        &self,
        contacts: &Contacts,
        after: u64,
    ) -> Result<(Vec<Turn>, bool), FindError> {
        let mut awake = self.awake.lock().await;
        let awake = self.woken(contacts, &mut awake).await?;
        let ended = awake.session.has_ended();
        if after >= awake.session.seq {
            return Ok((Vec::new(), ended));
        }
        if after >= awake.turns_after {
            let turns = awake
                .turns
                .iter()
                .filter(|turn| turn.seq > after)
                .cloned()
                .collect();
            return Ok((turns, ended));
        }
        // Older than what is kept in memory.
        let events = contacts
            .journal
            .read(&self.id)
            .await?
            .map_or_else(Vec::new, |recorded| recorded.events);
        let turns = (1..)
            .zip(&events)
            .filter(|(seq, _)| *seq > after)
            .filter_map(|(seq, event)| Turn::of(seq, event))
            .collect();
        Ok((turns, ended))
    }

    /// The contact awake: folded from its journal when it was parked.
    async fn woken<'a>(
        &self,
        contacts: &Contacts,
        awake: &'a mut Option<Box<Awake>>,
    ) -> Result<&'a mut Awake, FindError> {
        let found = match awake.take() {
            Some(found) => found,
            None => {
                let recorded = contacts.journal.read(&self.id).await?;
                let recorded = recorded.ok_or_else(|| FindError::NoSuchContact(self.id.clone()))?;
                Box::new(Awake::of(recorded.head, &self.id, &recorded.events))
            }
        };
        Ok(awake.insert(found))
    }

    /// Begins the contact: makes its first events, and what is kept beside them, durable, and
    /// acts upon them.
    pub(super) async fn begin(
        self: &Arc<Self>,
        contacts: &Arc<Contacts>,
        decision: Decision,
        beside: Put<'_>,
    ) -> Result<Begun, JournalError> {
        // Whoever finds the contact from now on waits until it has begun.
        let mut guard = self.awake.lock().await;
        {
            let mut known = contacts.known();
            // Looked at under the lock: whoever drains and then counts those who are left counts this
            // contact, or it does not begin.
            if contacts.is_draining() {
                return Ok(Begun::Draining);
            }
            match known.entry(self.id.clone()) {
                Entry::Occupied(_) => return Ok(Begun::Before),
                Entry::Vacant(vacant) => vacant.insert(self.clone()),
            };
        }
        let began = self.began(contacts, &decision, beside).await;
        match began {
            Ok(Some(head)) => {
                let awake = guard.insert(Box::new(Awake::of(head, &self.id, &[])));
                self.applied(contacts, awake, &decision.events, Some(&decision.session));
                Ok(Begun::Now)
            }
            failed => {
                contacts.known().remove(&self.id);
                failed.map(|_| Begun::Before)
            }
        }
    }

    /// Writes the first events; none when they are not this contact's first.
    async fn began(
        &self,
        contacts: &Contacts,
        decision: &Decision,
        beside: Put<'_>,
    ) -> Result<Option<Head>, JournalError> {
        // Both are durable before anybody is told; one commit takes them together.
        let put = || Put {
            value: beside.value.clone(),
            ..beside
        };
        let (mut kept, begun) = futures::join!(
            contacts.journal.store().put(put()),
            contacts.journal.begin(&self.id, &decision.events)
        );
        let head = match begun {
            Ok(head) => Some(head),
            Err(JournalError::Conflict { .. }) => None,
            Err(JournalError::Unknown { cause }) => match contacts.journal.read(&self.id).await? {
                Some(recorded) => (recorded.events == decision.events).then_some(recorded.head),
                None => return Err(JournalError::Unavailable { cause }),
            },
            Err(error) => return Err(error),
        };
        if head.is_some() && kept.is_err() {
            kept = contacts.journal.store().put(put()).await;
        }
        match (head, kept) {
            // The contact is there, whatever became of what stands beside it: it is looked
            // after, and its token opens it until the node stops.
            (Some(head), Err(error)) => {
                tracing::error!(contact = %self.id, %error, "the token of a contact could not be kept");
                Ok(Some(head))
            }
            (head, kept) => kept.map(|_| head),
        }
    }

    /// Decides an input, makes the decision durable, and acts upon it.
    ///
    /// `release` stands in for the release of a contact that has ended and let go of its own.
    pub(super) async fn take(
        self: &Arc<Self>,
        contacts: &Arc<Contacts>,
        input: &Input,
        release: Option<&Arc<Release>>,
    ) -> Result<Delivered, DeliverError> {
        let span = tracing::debug_span!("input", contact = %self.id);
        let delivered = self.take_in_span(contacts, input, release).instrument(span).await;
        if let Some(kind) = caller_kind(input) {
            let reply = match &delivered {
                Ok(delivered) => delivered.reply.refused().map_or("accepted", Refused::as_str),
                Err(_) => "failed",
            };
            metrics::counter!(observe::INPUTS, "kind" => kind, "reply" => reply).increment(1);
        }
        if let Err(
            DeliverError::Journal(JournalError::Fatal { cause })
            | DeliverError::Find(FindError::Journal(JournalError::Fatal { cause })),
        ) = &delivered
        {
            contacts.failed.send_replace(Some(cause.clone()));
        }
        delivered
    }

    async fn take_in_span(
        self: &Arc<Self>,
        contacts: &Arc<Contacts>,
        input: &Input,
        release: Option<&Arc<Release>>,
    ) -> Result<Delivered, DeliverError> {
        let mut guard = self.awake.lock().await;
        let mut conflicts = 0;
        loop {
            let awake = self.woken(contacts, &mut guard).await?;
            let decision = match self.decided(contacts, &awake.session, input, release)? {
                Decided::Nothing(reply) => {
                    // A clock that was set back makes a deadline come twice.
                    if matches!(input, Input::TimeUp) {
                        contacts.timers.set(&self.id, awake.session.pending().wake);
                    }
                    return Ok(Delivered {
                        seq: awake.session.seq,
                        reply,
                    });
                }
                Decided::Events(decision) => decision,
            };
            let Decision {
                events,
                session: decided,
                reply,
            } = *decision;
            let error = match contacts.journal.append(&mut awake.head, &events).await {
                Ok(()) => {
                    self.applied(contacts, awake, &events, Some(&decided));
                    return Ok(Delivered {
                        seq: awake.session.seq,
                        reply,
                    });
                }
                Err(error @ (JournalError::TooLarge { .. } | JournalError::Unwritable { .. })) => {
                    tracing::error!(contact = %self.id, %error, "a decision cannot be written down; the contact ends");
                    return self.give_up(contacts, awake, release).await;
                }
                Err(error) => error,
            };
            if !matches!(
                error,
                JournalError::Conflict { .. } | JournalError::Unknown { .. }
            ) {
                return Err(DeliverError::Journal(error));
            }
            conflicts += 1;
            if conflicts > CONFLICTS_MAX {
                return Err(DeliverError::Journal(error));
            }
            tracing::warn!(%error, "reading the contact again");
            // What the journal holds is what happened, whatever was thought of it here.
            let (before, dispatched) = (awake.session.clone(), awake.dispatched.clone());
            let recorded = contacts.journal.read(&self.id).await.map_err(FindError::from)?;
            let recorded = recorded.ok_or_else(|| FindError::NoSuchContact(self.id.clone()))?;
            let since = usize::try_from(before.seq).unwrap_or(usize::MAX);
            let landed = recorded
                .events
                .get(since..)
                .is_some_and(|tail| tail.starts_with(&events));
            let awake = guard.insert(Box::new(Awake::of(recorded.head, &self.id, &recorded.events)));
            awake.dispatched = dispatched;
            awake
                .session
                .keep_secrets_of(if landed { &decided } else { &before });
            if landed {
                self.tell_services(contacts, &events);
                self.settled(contacts, awake);
                return Ok(Delivered {
                    seq: awake.session.seq,
                    reply,
                });
            }
        }
    }

    /// Ends the contact in place of a decision that no journal takes.
    async fn give_up(
        self: &Arc<Self>,
        contacts: &Arc<Contacts>,
        awake: &mut Awake,
        release: Option<&Arc<Release>>,
    ) -> Result<Delivered, DeliverError> {
        let pinned = self.standing().pinned.clone();
        let release = pinned.as_ref().map(Pinned::release).or(release);
        let events = release.map_or_else(Vec::new, |release| {
            let at = contacts.clock.now().max(awake.session.last);
            give_up(release.hotline(), &awake.session, at).events
        });
        contacts
            .journal
            .append(&mut awake.head, &events)
            .await
            .map_err(DeliverError::Journal)?;
        self.applied(contacts, awake, &events, None);
        Ok(Delivered {
            seq: awake.session.seq,
            reply: Reply::Refused(Refused::Ended),
        })
    }

    fn decided(
        &self,
        contacts: &Contacts,
        session: &Session,
        input: &Input,
        release: Option<&Arc<Release>>,
    ) -> Result<Decided, DeliverError> {
        let release = match self.standing().pinned.as_ref() {
            Some(pinned) => Some(pinned.release().clone()),
            None => release.cloned(),
        };
        let Some(release) = release else {
            return match input {
                _ if !session.has_ended() => Err(DeliverError::Stranded {
                    contact: self.id.clone(),
                    release: session.release,
                    why: self
                        .standing()
                        .summary
                        .stranded
                        .clone()
                        .unwrap_or_else(|| "it was not looked for".into()),
                }),
                // An ended contact needs no release to say so.
                Input::Utterance { id, .. } | Input::HangUp { id: Some(id) } => Ok(Decided::Nothing(
                    session.reply_to(id).unwrap_or(Reply::Refused(Refused::Ended)),
                )),
                Input::HangUp { id: None } => Ok(Decided::Nothing(Reply::Refused(Refused::Ended))),
                Input::Answer { .. }
                | Input::ServiceAnswered { .. }
                | Input::EventHappened { .. }
                | Input::Played { .. }
                | Input::Unanswered { .. }
                | Input::TimeUp
                | Input::Recovered => Ok(Decided::Nothing(Reply::Accepted)),
            };
        };
        // A contact's time does not run backwards, even if the system's does.
        let at = contacts.clock.now().max(session.last);
        let readings = contacts.services.readings(Some(&self.id), at);
        let decision = decide(release.hotline(), session, input, at, &readings);
        Ok(if decision.events.is_empty() {
            Decided::Nothing(decision.reply)
        } else {
            Decided::Events(Box::new(decision))
        })
    }

    /// Takes durable events in and acts upon what follows from them. What the decision keeps
    /// beside its events is taken over from the session that it made.
    fn applied(
        self: &Arc<Self>,
        contacts: &Arc<Contacts>,
        awake: &mut Awake,
        events: &[Event],
        decided: Option<&Session>,
    ) {
        for event in events {
            awake.session.apply(event);
            awake.keep_turn(awake.session.seq, event);
            self.count(awake, event);
        }
        if let Some(decided) = decided {
            awake.session.keep_secrets_of(decided);
        }
        self.tell_services(contacts, events);
        self.settled(contacts, awake);
    }

    /// Tells services what of durable events is for them: the contact let go of one, or ended.
    fn tell_services(self: &Arc<Self>, contacts: &Arc<Contacts>, events: &[Event]) {
        for event in events {
            match &event.fact {
                Fact::ServiceLeft { work } => contacts.left_service(&self.id, work),
                Fact::Ended { .. } => contacts.done_with_services(&self.id),
                _ => {}
            }
        }
    }

    /// Acts upon what the session waits for now.
    fn settled(self: &Arc<Self>, contacts: &Arc<Contacts>, awake: &mut Awake) {
        let summary = Summary::of(&awake.session);
        tracing::debug!(
            state = summary.state.as_str(),
            flow = summary.place.as_ref().map(|(flow, _)| flow.as_str()),
            step = summary.place.as_ref().map(|(_, step)| step.as_str()),
            seq = summary.events,
            "decided"
        );
        let ended = awake.session.has_ended();
        let pinned = {
            let mut standing = self.standing();
            standing.stand(summary);
            standing.touched = contacts.clock.now();
            // One that has ended holds its release no longer.
            if ended {
                standing.pinned.take()
            } else {
                standing.pinned.clone()
            }
        };
        let pending = awake.session.pending();
        contacts.timers.set(&self.id, pending.wake);
        let mut dispatched = Dispatched::default();
        if let Some(pinned) = pinned {
            for calling in &pending.calls {
                let work = (calling.call.clone(), calling.attempt);
                if !awake.dispatched.calls.contains(&work) {
                    contacts.make_call(self, pinned.clone(), calling, &awake.session);
                }
                dispatched.calls.push(work);
            }
        }
        if let Some(serving) = pending.service {
            let work = Some((serving.work.clone(), serving.attempt));
            // A carrier that dials and records is asked by the document that it is answered with. An agent is
            // asked for here first: only the node knows whether the agent is there and free.
            let dialled = awake.session.channel.dials_itself()
                && matches!(
                    serving.demand,
                    Demand::Transfer {
                        to: Destination::Address | Destination::Hotline,
                        ..
                    } | Demand::Record(RecordDemand::Message { .. })
                );
            if awake.dispatched.service != work && !dialled {
                contacts.ask_service(&self.id, awake.session.channel, serving);
            }
            dispatched.service = work;
        }
        awake.dispatched = dispatched;
        self.changed.notify_waiters();
    }

    /// Counts an event of the contact.
    fn count(&self, awake: &mut Awake, event: &Event) {
        match &event.fact {
            Fact::StepEntered { .. } => awake.step_since = event.at,
            Fact::StepFinished { step, .. } => {
                let standing = self.standing();
                let flow = awake.session.place().map(|(flow, _)| flow);
                let verb = flow
                    .zip(standing.pinned.as_ref())
                    .and_then(|(flow, pinned)| pinned.release().verb(flow, step))
                    .unwrap_or("other");
                let seconds = event.at.since(awake.step_since).to_std().as_secs_f64();
                metrics::histogram!(observe::STEP_SECONDS, "verb" => verb).record(seconds);
                awake.step_since = event.at;
            }
            Fact::Ended { cause, outcome } => {
                metrics::counter!(observe::ENDS, "cause" => cause.as_str()).increment(1);
                tracing::info!(contact = %self.id, cause = cause.as_str(), %outcome, "contact ended");
            }
            _ => {}
        }
    }
}

/// Whether a contact began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begun {
    /// It did.
    Now,
    /// Somebody else begins or began it.
    Before,
    /// No new contacts are taken.
    Draining,
}

/// What was decided.
enum Decided {
    /// Nothing to be made durable.
    Nothing(Reply),
    /// Events.
    Events(Box<Decision>),
}

impl Standing {
    fn stand(&mut self, summary: Summary) {
        if summary.state != self.summary.state {
            metrics::gauge!(observe::CONTACTS, "state" => self.summary.state.as_str()).decrement(1.0);
            metrics::gauge!(observe::CONTACTS, "state" => summary.state.as_str()).increment(1.0);
        }
        self.summary = summary;
    }
}

impl Drop for Contact {
    fn drop(&mut self) {
        let state = self.standing().summary.state;
        metrics::gauge!(observe::CONTACTS, "state" => state.as_str()).decrement(1.0);
    }
}

/// What kind of input it is, when it is a caller's.
const fn caller_kind(input: &Input) -> Option<&'static str> {
    match input {
        Input::Utterance {
            utterance: Utterance::Keys(_),
            ..
        } => Some("keys"),
        Input::Utterance {
            utterance: Utterance::Text(_),
            ..
        } => Some("text"),
        Input::HangUp { .. } => Some("hang-up"),
        Input::Answer { .. }
        | Input::ServiceAnswered { .. }
        | Input::EventHappened { .. }
        | Input::Played { .. }
        | Input::Unanswered { .. }
        | Input::TimeUp
        | Input::Recovered => None,
    }
}
