//! Feeds and webhooks: what starts contacts that nobody called for.
//!
//! A feed is asked on its schedule ([`schedule`], [`ask`]), a webhook is told ([`hook`]); what is new
//! waits durably ([`outbox`]) and starts its contacts one after another, at its rate and within its
//! window ([`begin`]). What is kept, and in what order, stands in [`record`].
//!
//! Invariants:
//! - One run of a feed at a time, and at least `every` between the beginnings of two that succeed,
//!   whatever restarts. A run that the node's end cut off is asked again under the same call id.
//! - A change that was taken starts one contact for each person whom it concerns: the contact's id is
//!   made of the source, the change and the person, and the journal takes an id once. It is made under
//!   the master key, so that nobody learns of whom by trying.
//! - What waits, waits durably, and leaves only when all its contacts have begun or it was given up,
//!   which is counted and logged.
//! - What is remembered so that nothing is told twice is bounded for each source ([`memory`]), and so is
//!   what waits: one source never stops another.

mod ask;
mod begin;
pub(crate) mod hook;
mod memory;
mod outbox;
mod record;
mod schedule;
#[cfg(test)]
pub(crate) mod tests;
mod view;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;
use tokio_util::task::TaskTracker;
use trunkline_flow::{Hotline, start::StartsOn};
use trunkline_journal::Error;
use trunkline_model::{Duration, Timestamp};
use trunkline_plugin::{SecretValue, Secrets};

pub(crate) use self::view::{FeedView, RunView, StartsView, WebhookView};
use self::{
    outbox::Outbox,
    record::{Records, Run, Starts, Waiting},
};
use crate::{clock::Clock, contacts::Contacts, limits::RETRY_PAUSE_MAX, observe, releases::Releases};

/// All feeds and webhooks of a node.
pub(crate) struct Feeds {
    clock: Clock,
    contacts: Arc<Contacts>,
    releases: Arc<Releases>,
    records: Records,
    secrets: Option<Arc<dyn Secrets>>,
    sources: Mutex<BTreeMap<StartsOn, Source>>,
    /// Something may be due sooner.
    changed: Notify,
    /// Runs, starts and events that are being taken.
    working: TaskTracker,
}

/// A feed or a webhook, declared or with something that waits.
#[derive(Default)]
struct Source {
    /// How it last ran.
    run: Option<Run>,
    /// What it said when that failed.
    message: Option<String>,
    /// Whether a run is under way.
    running: bool,
    /// Whether an operator asked for a run.
    asked: bool,
    /// When its next run may begin, after a store that could not be written.
    held_until: Timestamp,
    /// How far it has started its contacts.
    starts: Starts,
    /// What waits.
    outbox: Outbox,
    /// How many changes are remembered, as they were counted last.
    remembered: u64,
    /// When a webhook was last sent an event that was signed.
    heard: Option<Timestamp>,
    /// When it was last logged that the server has no value of its secret.
    no_secret_told: Option<Timestamp>,
    /// Whether contacts are being started.
    starting: bool,
    /// The change that is being started, as it was read.
    loaded: Option<Waiting>,
    /// What was wrong when it last could not be asked whom a change concerns, or a change was given up.
    trouble: Option<String>,
    /// When its next contact may be started, after something that may pass.
    starts_held_until: Timestamp,
    /// Held by whoever takes a change: it is looked for and kept as one.
    taking: Arc<tokio::sync::Mutex<()>>,
    /// Held by whoever changes how far it has come, until that is durable.
    counting: Arc<tokio::sync::Mutex<()>>,
}

/// What is to be done for a source now.
enum Due {
    Run(Arc<str>),
    Start(StartsOn),
}

impl Feeds {
    pub(crate) fn new(contacts: Arc<Contacts>, secrets: Option<Arc<dyn Secrets>>) -> Self {
        Self {
            secrets,
            clock: contacts.clock.clone(),
            releases: contacts.releases.clone(),
            records: Records::new(contacts.journal.clone()),
            contacts,
            sources: Mutex::default(),
            changed: Notify::new(),
            working: TaskTracker::new(),
        }
    }

    /// The server's value of a secret that what others send is signed with, as it is now.
    pub(crate) fn secret(&self, name: &str) -> Option<SecretValue> {
        self.secrets.as_ref()?.value(&name.parse().ok()?)
    }

    /// Reads how feeds last ran and what waits. A record that cannot be read is passed over.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(crate) async fn load(&self) -> Result<(), Error> {
        let now = self.clock.now();
        let runs = self.records.runs(now).await?;
        let starts = self.records.starts(now).await?;
        let waiting = self.records.waiting(now).await?;
        let count = waiting.len();
        for (on, run) in runs {
            if let Some(on) = StartsOn::parse(&on) {
                self.with(&on, |source| source.run = Some(run));
            }
        }
        for (on, starts) in starts {
            if let Some(on) = StartsOn::parse(&on) {
                self.with(&on, |source| source.starts = starts);
            }
        }
        for (on, since, _, id) in waiting {
            self.with(&on, |source| source.outbox.add(id, since));
        }
        let known: Vec<StartsOn> = self.sources().keys().cloned().collect();
        for on in known {
            let remembered = self.records.remembered(&on).await?;
            self.with(&on, |source| source.remembered = remembered);
        }
        if count > 0 {
            tracing::info!(count, "changes and events wait to start their contacts");
        }
        Ok(())
    }

    fn sources(&self) -> MutexGuard<'_, BTreeMap<StartsOn, Source>> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with what is known of a source.
    fn with<T>(&self, on: &StartsOn, does: impl FnOnce(&mut Source) -> T) -> T {
        does(self.sources().entry(on.clone()).or_default())
    }

    /// Runs feeds and starts contacts when they are due, until the node stops.
    pub(crate) async fn keep(self: Arc<Self>) {
        let mut reports = self.releases.subscribe();
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Listening begins before it is looked what is due, so that no change is missed.
            changed.as_mut().enable();
            let next = self.dispatch();
            let wait = async {
                match next {
                    Some(at) => self.clock.until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = wait => {}
                () = changed => {}
                // Another release may have other feeds; a report that was missed is a report.
                _ = reports.recv() => {}
            }
        }
    }

    /// Begins what is due; when something is due next.
    fn dispatch(self: &Arc<Self>) -> Option<Timestamp> {
        if self.contacts.is_stopping() {
            return None;
        }
        let release = self.releases.current()?;
        let hotline = release.hotline();
        let now = self.clock.now();
        let mut next: Option<Timestamp> = None;
        let mut due = Vec::new();
        let mut not_before = |at: Timestamp| next = Some(next.map_or(at, |next| next.min(at)));
        {
            let mut sources = self.sources();
            for (name, feed) in &hotline.feeds {
                let source = sources.entry(StartsOn::Feed(name.clone())).or_default();
                if source.running || feed.starts.flow.is_none() {
                    continue;
                }
                let at = if source.asked {
                    now
                } else {
                    schedule::due(name, feed, source.run.as_ref(), now)
                        .max(schedule::put_off(source.held_until, now))
                };
                if at <= now {
                    source.running = true;
                    source.asked = false;
                    due.push(Due::Run(name.clone()));
                } else {
                    not_before(at);
                }
            }
            for (on, source) in sources.iter_mut().filter(|(_, source)| !source.starting) {
                let Some(at) = begin::due(hotline, on, source, now) else {
                    continue;
                };
                if at <= now {
                    source.starting = true;
                    due.push(Due::Start(on.clone()));
                } else {
                    not_before(at);
                }
            }
        }
        for due in due {
            let feeds = self.clone();
            match due {
                Due::Run(name) => self.working.spawn(async move { feeds.run(name).await }),
                Due::Start(on) => self.working.spawn(async move { feeds.start_some(on).await }),
            };
        }
        next
    }

    /// Asks a feed now, whenever it is due. Whether there is such a feed.
    pub(crate) fn ask_now(&self, name: &str) -> bool {
        let declared = self.releases.current().is_some_and(|release| {
            let feed = release.hotline().feeds.get(name);
            feed.is_some_and(|feed| feed.starts.flow.is_some())
        });
        if declared {
            self.with(&StartsOn::Feed(name.into()), |source| source.asked = true);
            self.changed.notify_one();
        }
        declared
    }

    /// Waits for what is being taken, asked and started. What is not finished then is kept, and goes
    /// on at the next start.
    pub(crate) async fn stop(&self, within: Duration) {
        self.working.close();
        if tokio::time::timeout(within.to_std(), self.working.wait())
            .await
            .is_err()
        {
            tracing::warn!(works = self.working.len(), "feeds are left for the next start");
        }
    }

    fn counted(&self, on: &StartsOn, outcome: &'static str, count: u64) {
        metrics::counter!(observe::STARTS, "on" => on.to_string(), "outcome" => outcome).increment(count);
    }

    fn gauge_waiting(&self, on: &StartsOn) {
        let waiting = self.with(on, |source| source.outbox.len());
        let waiting = u32::try_from(waiting).unwrap_or(u32::MAX);
        metrics::gauge!(observe::STARTS_WAITING, "on" => on.to_string()).set(waiting);
    }

    fn gauge_remembered(&self, on: &StartsOn) {
        let remembered = self.with(on, |source| source.remembered);
        let remembered = u32::try_from(remembered).unwrap_or(u32::MAX);
        metrics::gauge!(observe::STARTS_REMEMBERED, "on" => on.to_string()).set(remembered);
    }
}

/// How many changes or events of a source may wait.
fn waiting_max(hotline: &Hotline, on: &StartsOn) -> usize {
    let starts = hotline.starts(on);
    starts.map_or(0, |starts| {
        usize::try_from(starts.waiting_max).unwrap_or(usize::MAX)
    })
}

/// The pause after something of the store that may pass.
const PAUSE: Duration = RETRY_PAUSE_MAX;
