//! A bounded number of slots, shared fairly by parties: a department's calls wait for those of
//! the same department, not for another's.
//!
//! A free slot is taken at once. When none is free, the next one goes to the waiting party that
//! holds the fewest, and among equals to the one that waited longest for its turn; within a
//! party, first come, first served.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{sync::oneshot, time::Instant};

/// Slots and who waits for them.
pub(crate) struct Slots {
    state: Mutex<State>,
    /// Hundredths of all slots that one party may hold while there are others.
    share_percent: usize,
}

/// One of those who share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Party(usize);

struct State {
    total: usize,
    held: usize,
    /// Counts what has been given, to tell whose turn is longest ago.
    given: u64,
    parties: Vec<PartyState>,
}

struct PartyState {
    name: String,
    held: usize,
    given_last: u64,
    waiting: VecDeque<oneshot::Sender<Slot>>,
}

/// One slot, given back when dropped.
pub(crate) struct Slot {
    /// None once the slot has been given back.
    slots: Option<Arc<Slots>>,
    party: Party,
}

impl Slots {
    /// Makes slots. `share_percent` bounds what one party may hold while there are others.
    pub(crate) fn new(total: usize, share_percent: usize) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                total: total.max(1),
                held: 0,
                given: 0,
                parties: Vec::new(),
            }),
            share_percent,
        })
    }

    /// The party with a name, a new one if there is none yet.
    pub(crate) fn party(&self, name: &str) -> Party {
        let mut state = self.lock();
        let known = state.parties.iter().position(|party| party.name == name);
        Party(known.unwrap_or_else(|| {
            state.parties.push(PartyState {
                name: name.to_owned(),
                held: 0,
                given_last: 0,
                waiting: VecDeque::new(),
            });
            state.parties.len() - 1
        }))
    }

    /// Changes how many slots there are. Fewer takes effect as slots are given back.
    pub(crate) fn resize(self: &Arc<Self>, total: usize) {
        let mut state = self.lock();
        state.total = total.max(1);
        self.give(&mut state);
    }

    /// How many are held.
    pub(crate) fn held(&self) -> usize {
        self.lock().held
    }

    /// Takes a free slot, if there is one for this party.
    pub(crate) fn try_take(self: &Arc<Self>, party: Party) -> Option<Slot> {
        let mut state = self.lock();
        let free = state.held < state.total && self.may_hold_more(&state, party);
        free.then(|| {
            state.hold(party);
            self.slot(party)
        })
    }

    /// Takes a free slot, or gives what one will come by.
    pub(crate) fn take_or_wait(self: &Arc<Self>, party: Party) -> Result<Slot, oneshot::Receiver<Slot>> {
        let mut state = self.lock();
        if state.held < state.total && self.may_hold_more(&state, party) {
            state.hold(party);
            return Ok(self.slot(party));
        }
        let (sender, receiver) = oneshot::channel();
        let waiting = &mut state.parties[party.0].waiting;
        // Those who gave up in the meantime make room for those who come.
        while waiting.front().is_some_and(oneshot::Sender::is_closed) {
            waiting.pop_front();
        }
        waiting.push_back(sender);
        Err(receiver)
    }

    /// Takes a slot, waiting for it until a deadline.
    pub(crate) async fn take(self: &Arc<Self>, party: Party, deadline: Instant) -> Option<Slot> {
        match self.take_or_wait(party) {
            Ok(slot) => Some(slot),
            Err(waiting) => tokio::time::timeout_at(deadline, waiting).await.ok()?.ok(),
        }
    }

    fn may_hold_more(&self, state: &State, party: Party) -> bool {
        let most = if state.parties.len() > 1 {
            (state.total * self.share_percent / 100).max(1)
        } else {
            state.total
        };
        state.parties[party.0].held < most
    }

    /// Gives free slots to those who wait.
    fn give(self: &Arc<Self>, state: &mut State) {
        while state.held < state.total {
            let next = state
                .parties
                .iter()
                .enumerate()
                .filter(|(index, party)| {
                    !party.waiting.is_empty() && self.may_hold_more(state, Party(*index))
                })
                .min_by_key(|(_, party)| (party.held, party.given_last))
                .map(|(index, _)| Party(index));
            let Some(party) = next else { return };
            if let Some(waiting) = state.parties[party.0].waiting.pop_front() {
                state.hold(party);
                if let Err(mut unwanted) = waiting.send(self.slot(party)) {
                    // Whoever waited has gone. Given back here, since we hold the lock.
                    state.release(party);
                    unwanted.slots = None;
                }
            }
        }
    }

    fn slot(self: &Arc<Self>, party: Party) -> Slot {
        Slot {
            slots: Some(self.clone()),
            party,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock, and the counts would be right if it did.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn hold(&mut self, party: Party) {
        self.given += 1;
        self.held += 1;
        let party = &mut self.parties[party.0];
        party.held += 1;
        party.given_last = self.given;
    }

    fn release(&mut self, party: Party) {
        self.held -= 1;
        self.parties[party.0].held -= 1;
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let Some(slots) = self.slots.take() else { return };
        let mut state = slots.lock();
        state.release(self.party);
        slots.give(&mut state);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    #[tokio::test]
    async fn the_party_that_holds_least_is_next() {
        let slots = Slots::new(2, 100);
        let (busy, quiet) = (slots.party("busy"), slots.party("quiet"));
        let first = slots.try_take(busy).unwrap();
        let second = slots.try_take(busy).unwrap();
        assert!(slots.try_take(busy).is_none());
        let queued: Vec<_> = (0..3).map(|_| slots.take_or_wait(busy).err().unwrap()).collect();
        let late = slots.take_or_wait(quiet).err().unwrap();
        drop(first);
        let late = late.await.unwrap();
        drop(second);
        let mut queued = queued.into_iter();
        let third = queued.next().unwrap().await.unwrap();
        assert_eq!(slots.held(), 2);
        // Both hold one now, and busy was served last... but only busy waits.
        drop(late);
        assert!(queued.next().unwrap().await.is_ok());
        drop(third);
        assert!(queued.next().unwrap().await.is_ok());
        assert_eq!(slots.held(), 0);
    }

    #[tokio::test]
    async fn those_who_gave_up_cost_nothing() {
        let slots = Slots::new(1, 100);
        let party = slots.party("one");
        let held = slots.try_take(party).unwrap();
        let gone = slots.take_or_wait(party).err().unwrap();
        let stays = slots.take_or_wait(party).err().unwrap();
        drop(gone);
        drop(held);
        let slot = stays.await.unwrap();
        assert_eq!(slots.held(), 1);
        drop(slot);
        assert_eq!(slots.held(), 0);
        // Given, and dropped before it was received.
        let held = slots.try_take(party).unwrap();
        let receiver = slots.take_or_wait(party).err().unwrap();
        drop(held);
        drop(receiver);
        assert_eq!(slots.held(), 0);
    }

    #[tokio::test]
    async fn one_party_leaves_room_for_others() {
        let slots = Slots::new(4, 75);
        let greedy = slots.party("greedy");
        let other = slots.party("other");
        let held: Vec<_> = (0..4).filter_map(|_| slots.try_take(greedy)).collect();
        assert_eq!(held.len(), 3);
        assert!(slots.try_take(other).is_some());
    }

    #[tokio::test]
    async fn waiting_ends_at_the_deadline() {
        let slots = Slots::new(1, 100);
        let party = slots.party("one");
        let held = slots.take(party, soon()).await.unwrap();
        assert!(
            slots
                .take(party, Instant::now() + Duration::from_millis(5))
                .await
                .is_none()
        );
        slots.resize(2);
        assert!(slots.take(party, soon()).await.is_some());
        drop(held);
    }
}
