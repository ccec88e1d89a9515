//! Contacts that were under way when the node stopped, taken up again.

use std::sync::Arc;

use tokio::{sync::Semaphore, task::JoinSet};
use trunkline_engine::{Channel, Input};
use trunkline_journal::{Error as JournalError, Streams};
use trunkline_model::{ContactId, Timestamp};

use super::{Contacts, contact::Contact, may_pass};
use crate::{
    limits::{PAGE_MAX, READ_AGAIN_MAX, RECOVERY_CONCURRENT, RETRY_PAUSE_MIN},
    observe,
};

/// What became of the contacts that were under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Taken up again.
    pub resumed: usize,
    /// Left where they are, because their release cannot be rebuilt.
    pub stranded: usize,
    /// Left where they are, because their journal cannot be read.
    pub unreadable: usize,
}

/// What became of one contact.
enum Taken {
    Resumed,
    Stranded,
    Unreadable,
}

impl Contacts {
    /// Takes up every contact that is under way in the journal.
    ///
    /// # Errors
    /// The list of contacts cannot be read. A contact that cannot is counted and reported.
    pub(crate) async fn recover(self: &Arc<Self>) -> Result<Recovery, JournalError> {
        let began: Timestamp = self.clock.now();
        let at_once = Arc::new(Semaphore::new(RECOVERY_CONCURRENT));
        let mut recovery = Recovery::default();
        let mut taking = JoinSet::new();
        let mut after: Option<ContactId> = None;
        loop {
            let page = self
                .journal
                .store()
                .streams(Streams::Open, after.as_ref(), PAGE_MAX)
                .await?;
            let Some(last) = page.last().cloned() else {
                break;
            };
            after = Some(last);
            for id in page {
                let Ok(permit) = at_once.clone().acquire_owned().await else {
                    break;
                };
                let contacts = self.clone();
                taking.spawn(async move {
                    let taken = contacts.take_up(&id).await;
                    drop(permit);
                    taken
                });
                while let Some(taken) = taking.try_join_next() {
                    recovery.count(taken.ok());
                }
            }
        }
        while let Some(taken) = taking.join_next().await {
            recovery.count(taken.ok());
        }
        let seconds = self.clock.now().since(began).to_std().as_secs_f64();
        metrics::gauge!(observe::RECOVERY_SECONDS).set(seconds);
        metrics::gauge!(observe::STRANDED).set(u32::try_from(recovery.stranded).unwrap_or(u32::MAX));
        if recovery != Recovery::default() {
            tracing::info!(
                resumed = recovery.resumed,
                stranded = recovery.stranded,
                unreadable = recovery.unreadable,
                seconds,
                "contacts taken up again"
            );
        }
        Ok(recovery)
    }

    async fn take_up(self: &Arc<Self>, id: &ContactId) -> Taken {
        let mut again = 0;
        let contact = loop {
            match Contact::read(self, id).await {
                Ok(Some(contact)) => break Arc::new(contact),
                Ok(None) => return Taken::Unreadable,
                Err(error) if may_pass(&error) && again < READ_AGAIN_MAX => {
                    tracing::warn!(contact = %id, %error, "a contact cannot be read; trying again");
                    again += 1;
                    tokio::time::sleep(RETRY_PAUSE_MIN.to_std()).await;
                }
                Err(error) => {
                    tracing::error!(contact = %id, %error, "a contact cannot be read and is left as it is");
                    return Taken::Unreadable;
                }
            }
        };
        let release = contact.summary().release;
        let taken = match self.releases.pin(&release).await {
            Ok(pinned) => {
                contact.pin(pinned);
                Taken::Resumed
            }
            Err(why) => {
                tracing::error!(
                    contact = %id,
                    release = release.short(),
                    %why,
                    "a contact cannot go on, since its release cannot be rebuilt; it can still be read"
                );
                contact.strand(why);
                Taken::Stranded
            }
        };
        self.known().insert(id.clone(), contact.clone());
        if matches!(taken, Taken::Resumed) {
            self.deliver_surely(&contact, Input::Recovered, None).await;
            // A line does not outlive the process that held it: its caller is gone.
            if contact.summary().channel == Channel::Phone {
                self.deliver_surely(&contact, Input::HangUp { id: None }, None)
                    .await;
            }
        }
        // Whoever is not called upon soon need not be in memory.
        contact.park();
        taken
    }
}

impl Recovery {
    fn count(&mut self, taken: Option<Taken>) {
        match taken {
            Some(Taken::Resumed) => self.resumed += 1,
            Some(Taken::Stranded) => self.stranded += 1,
            Some(Taken::Unreadable) | None => self.unreadable += 1,
        }
    }
}
