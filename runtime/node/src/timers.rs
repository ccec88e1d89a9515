//! Deadlines of all contacts, in one structure: a contact that waits costs an entry, no task.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, PoisonError},
};

use tokio::sync::Notify;
use trunkline_model::{ContactId, Timestamp};

use crate::clock::Clock;

/// The next deadline of every contact that has one.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    due: Mutex<Due>,
    /// The earliest deadline may have become earlier.
    changed: Notify,
}

#[derive(Debug, Default)]
struct Due {
    by_time: BTreeSet<(Timestamp, ContactId)>,
    by_contact: HashMap<ContactId, Timestamp>,
}

impl Timers {
    /// Sets a contact's deadline, in place of the one it had.
    pub(crate) fn set(&self, contact: &ContactId, at: Option<Timestamp>) {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let before = match at {
            Some(at) => due.by_contact.insert(contact.clone(), at),
            None => due.by_contact.remove(contact),
        };
        if before == at {
            return;
        }
        if let Some(before) = before {
            due.by_time.remove(&(before, contact.clone()));
        }
        if let Some(at) = at {
            due.by_time.insert((at, contact.clone()));
            if due.by_time.first().is_some_and(|(_, first)| first == contact) {
                self.changed.notify_one();
            }
        }
    }

    /// Takes the contacts whose deadline has come, earliest first.
    fn take_due(&self, now: Timestamp) -> Vec<ContactId> {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = Vec::new();
        while due.by_time.first().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, contact)) = due.by_time.pop_first() {
                due.by_contact.remove(&contact);
                taken.push(contact);
            }
        }
        taken
    }

    fn next(&self) -> Option<Timestamp> {
        let due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        due.by_time.first().map(|(at, _)| *at)
    }

    /// Waits for the next deadlines and takes the contacts they belong to. Dropping the
    /// future loses none: they are taken when it is ready.
    pub(crate) async fn due(&self, clock: &Clock) -> Vec<ContactId> {
        loop {
            let taken = self.take_due(clock.now());
            if !taken.is_empty() {
                return taken;
            }
            match self.next() {
                Some(at) => {
                    tokio::select! {
                        () = clock.until(at) => {}
                        () = self.changed.notified() => {}
                    }
                }
                None => self.changed.notified().await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use trunkline_model::Duration;

    use super::*;

    fn contact(name: &str) -> ContactId {
        ContactId::new(name)
    }

    #[tokio::test]
    async fn deadlines_come_in_order_and_may_be_moved_or_taken_back() {
        let clock = Clock::still(Timestamp::from_millis(0));
        let timers = Timers::default();
        timers.set(&contact("late"), Some(Timestamp::from_millis(30)));
        timers.set(&contact("early"), Some(Timestamp::from_millis(10)));
        timers.set(&contact("never"), Some(Timestamp::from_millis(5)));
        timers.set(&contact("never"), None);
        timers.set(&contact("moved"), Some(Timestamp::from_millis(5)));
        timers.set(&contact("moved"), Some(Timestamp::from_millis(20)));
        clock.advance(Duration::from_millis(20));
        assert_eq!(timers.due(&clock).await, [contact("early"), contact("moved")]);
        clock.advance(Duration::from_millis(20));
        assert_eq!(timers.due(&clock).await, [contact("late")]);
        assert_eq!(timers.next(), None);
    }

    #[tokio::test]
    async fn an_earlier_deadline_wakes_who_waits_for_a_later_one() {
        let clock = Clock::system();
        let timers = std::sync::Arc::new(Timers::default());
        timers.set(&contact("far"), Some(clock.now() + Duration::from_secs(60)));
        let waiting = tokio::spawn({
            let (clock, timers) = (clock.clone(), timers.clone());
            async move { timers.due(&clock).await }
        });
        tokio::task::yield_now().await;
        timers.set(&contact("near"), Some(clock.now()));
        assert_eq!(waiting.await.unwrap(), [contact("near")]);
    }
}
