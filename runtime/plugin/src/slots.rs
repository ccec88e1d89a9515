//! A bounded number of slots, shared fairly by parties: a department's calls wait for those of
//! the same department, not for another's.
//!
//! A free slot is taken at once. When none is free, the next one goes to a waiting party that
//! holds fewer than are reserved for it; then to the one that holds the fewest, and among equals
//! to the one that waited longest for its turn; within a party, first come, first served.
//!
//! What is reserved for a party is kept free for it, whoever else waits. How many may wait in a
//! party is bounded: one more is told so at once.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{sync::oneshot, time::Instant};

/// Slots and who waits for them.
#[derive(Debug)]
pub(crate) struct Slots {
    state: Mutex<State>,
    /// Hundredths of all slots that one party may hold while there are others.
    share_percent: usize,
}

/// One of those who share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Party(usize);

/// Why somebody got no slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoSlot {
    /// As many wait as may.
    Full {
        /// How many those are.
        waiting: usize,
    },
    /// None came before the deadline.
    Late,
}

#[derive(Debug)]
struct State {
    total: usize,
    held: usize,
    /// Slots that are reserved and that those they are reserved for do not hold.
    kept: usize,
    /// Who may wait at once, in each party.
    waiting_max: usize,
    /// Counts what has been given, to tell whose turn is longest ago.
    given: u64,
    parties: Vec<PartyState>,
}

#[derive(Debug)]
struct PartyState {
    name: String,
    held: usize,
    reserved: usize,
    given_last: u64,
    waiting: VecDeque<oneshot::Sender<Slot>>,
}

/// One slot, given back when dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    /// None once the slot has been given back.
    slots: Option<Arc<Slots>>,
    party: Party,
}

impl Slots {
    /// Makes slots. `share_percent` bounds what one party may hold while there are others, and
    /// `waiting_max` how many wait in each.
    pub(crate) fn new(total: usize, share_percent: usize, waiting_max: usize) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                total: total.max(1),
                held: 0,
                kept: 0,
                waiting_max,
                given: 0,
                parties: Vec::new(),
            }),
            share_percent,
        })
    }

    /// The party with a name, a new one if there is none yet.
    pub(crate) fn party(&self, name: &str) -> Party {
        self.lock().party(name)
    }

    /// Changes how many slots there are, and how many may wait. Fewer takes effect as slots are
    /// given back.
    pub(crate) fn resize(self: &Arc<Self>, total: usize, waiting_max: usize) {
        let mut state = self.lock();
        state.total = total.max(1);
        state.waiting_max = waiting_max;
        self.give(&mut state);
    }

    /// Reserves slots for parties by their names; for those not named none are reserved any
    /// more. Slots that others hold are kept back as they are given back.
    pub(crate) fn reserve<'a>(self: &Arc<Self>, reserved: impl IntoIterator<Item = (&'a str, usize)>) {
        let mut state = self.lock();
        for party in &mut state.parties {
            party.reserved = 0;
        }
        for (name, slots) in reserved {
            let Party(index) = state.party(name);
            state.parties[index].reserved += slots;
        }
        state.kept = state.parties.iter().map(PartyState::unclaimed).sum();
        self.give(&mut state);
    }

    /// How many are held.
    pub(crate) fn held(&self) -> usize {
        self.lock().held
    }

    /// How many wait, in all parties; those who have gone and were not yet noticed included.
    pub(crate) fn waiting(&self) -> usize {
        self.lock().parties.iter().map(|party| party.waiting.len()).sum()
    }

    /// Takes a free slot, if there is one for this party.
    pub(crate) fn try_take(self: &Arc<Self>, party: Party) -> Option<Slot> {
        let mut state = self.lock();
        self.may_take(&state, party).then(|| {
            state.hold(party);
            self.slot(party)
        })
    }

    /// Takes a free slot, or gives what one will come by, or says that too many wait.
    pub(crate) fn take_or_wait(
        self: &Arc<Self>,
        party: Party,
    ) -> Result<Slot, Result<oneshot::Receiver<Slot>, NoSlot>> {
        let mut state = self.lock();
        if self.may_take(&state, party) {
            state.hold(party);
            return Ok(self.slot(party));
        }
        let waiting_max = state.waiting_max;
        let waiting = &mut state.parties[party.0].waiting;
        // Those who gave up in the meantime make room for those who come.
        while waiting.front().is_some_and(oneshot::Sender::is_closed) {
            waiting.pop_front();
        }
        if waiting.len() >= waiting_max {
            waiting.retain(|one| !one.is_closed());
        }
        if waiting.len() >= waiting_max {
            return Err(Err(NoSlot::Full {
                waiting: waiting.len(),
            }));
        }
        let (sender, receiver) = oneshot::channel();
        waiting.push_back(sender);
        Err(Ok(receiver))
    }

    /// Takes a slot, waiting for it until a deadline.
    pub(crate) async fn take(self: &Arc<Self>, party: Party, deadline: Instant) -> Result<Slot, NoSlot> {
        match self.take_or_wait(party) {
            Ok(slot) => Ok(slot),
            Err(waiting) => match tokio::time::timeout_at(deadline, waiting?).await {
                Ok(Ok(slot)) => Ok(slot),
                // The sender is only dropped with the slots themselves.
                Ok(Err(_)) | Err(_) => Err(NoSlot::Late),
            },
        }
    }

    /// Whether a party may take one more now.
    fn may_take(&self, state: &State, party: Party) -> bool {
        let free = state.total.saturating_sub(state.held);
        if free == 0 {
            return false;
        }
        let asks = &state.parties[party.0];
        if asks.held < asks.reserved {
            return true;
        }
        let most = if state.parties.len() > 1 {
            (state.total * self.share_percent / 100).max(1)
        } else {
            state.total
        };
        // What is kept is kept for others, since this party holds all that is reserved for it.
        asks.held < most && free > state.kept
    }

    /// Gives free slots to those who wait.
    fn give(self: &Arc<Self>, state: &mut State) {
        while state.held < state.total {
            let next = state
                .parties
                .iter()
                .enumerate()
                .filter(|(index, party)| !party.waiting.is_empty() && self.may_take(state, Party(*index)))
                .min_by_key(|(_, party)| (party.unclaimed() == 0, party.held, party.given_last))
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
    fn party(&mut self, name: &str) -> Party {
        let known = self.parties.iter().position(|party| party.name == name);
        Party(known.unwrap_or_else(|| {
            self.parties.push(PartyState {
                name: name.to_owned(),
                held: 0,
                reserved: 0,
                given_last: 0,
                waiting: VecDeque::new(),
            });
            self.parties.len() - 1
        }))
    }

    fn hold(&mut self, party: Party) {
        self.given += 1;
        self.held += 1;
        let party = &mut self.parties[party.0];
        self.kept -= usize::from(party.unclaimed() > 0);
        party.held += 1;
        party.given_last = self.given;
    }

    fn release(&mut self, party: Party) {
        self.held -= 1;
        let party = &mut self.parties[party.0];
        party.held -= 1;
        self.kept += usize::from(party.unclaimed() > 0);
    }
}

impl PartyState {
    /// What is reserved for it and it does not hold.
    const fn unclaimed(&self) -> usize {
        self.reserved.saturating_sub(self.held)
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

    const MANY: usize = 1_000;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    #[tokio::test]
    async fn the_party_that_holds_least_is_next() {
        let slots = Slots::new(2, 100, MANY);
        let (busy, quiet) = (slots.party("busy"), slots.party("quiet"));
        let first = slots.try_take(busy).unwrap();
        let second = slots.try_take(busy).unwrap();
        assert!(slots.try_take(busy).is_none());
        let queued: Vec<_> = (0..3)
            .map(|_| slots.take_or_wait(busy).err().unwrap().unwrap())
            .collect();
        let late = slots.take_or_wait(quiet).err().unwrap().unwrap();
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
        let slots = Slots::new(1, 100, MANY);
        let party = slots.party("one");
        let held = slots.try_take(party).unwrap();
        let gone = slots.take_or_wait(party).err().unwrap().unwrap();
        let stays = slots.take_or_wait(party).err().unwrap().unwrap();
        drop(gone);
        drop(held);
        let slot = stays.await.unwrap();
        assert_eq!(slots.held(), 1);
        drop(slot);
        assert_eq!(slots.held(), 0);
        // Given, and dropped before it was received.
        let held = slots.try_take(party).unwrap();
        let receiver = slots.take_or_wait(party).err().unwrap().unwrap();
        drop(held);
        drop(receiver);
        assert_eq!(slots.held(), 0);
    }

    #[tokio::test]
    async fn one_party_leaves_room_for_others() {
        let slots = Slots::new(4, 75, MANY);
        let greedy = slots.party("greedy");
        let other = slots.party("other");
        let held: Vec<_> = (0..4).filter_map(|_| slots.try_take(greedy)).collect();
        assert_eq!(held.len(), 3);
        assert!(slots.try_take(other).is_some());
    }

    #[tokio::test]
    async fn waiting_ends_at_the_deadline() {
        let slots = Slots::new(1, 100, MANY);
        let party = slots.party("one");
        let held = slots.take(party, soon()).await.unwrap();
        assert!(
            slots
                .take(party, Instant::now() + Duration::from_millis(5))
                .await
                .is_err()
        );
        slots.resize(2, MANY);
        assert!(slots.take(party, soon()).await.is_ok());
        drop(held);
    }

    #[tokio::test]
    async fn one_more_than_may_wait_is_told_so_at_once() {
        let slots = Slots::new(1, 100, 2);
        let (one, other) = (slots.party("one"), slots.party("other"));
        let held = slots.try_take(one).unwrap();
        let wait = |party| slots.take_or_wait(party).err().unwrap();
        let first = wait(one).unwrap();
        let second = wait(one).unwrap();
        assert_eq!(wait(one).unwrap_err(), NoSlot::Full { waiting: 2 });
        // Each party has a queue of its own.
        let theirs = wait(other).unwrap();
        assert_eq!(slots.waiting(), 3);
        // One that gave up, wherever it stood, makes room.
        drop(second);
        assert!(wait(one).is_ok());
        drop((held, first, theirs));
    }

    #[tokio::test]
    async fn what_is_reserved_is_there_whoever_floods() {
        let slots = Slots::new(8, 100, MANY);
        slots.reserve([("quiet", 2), ("other", 1)]);
        let (flood, quiet, other) = (slots.party("flood"), slots.party("quiet"), slots.party("other"));
        let mut flooding: Vec<_> = (0..8).filter_map(|_| slots.try_take(flood)).collect();
        assert_eq!(flooding.len(), 5, "three of eight are kept for others");
        let waiting: Vec<_> = (0..50).map(|_| slots.take_or_wait(flood)).collect();
        let own = (slots.try_take(quiet).unwrap(), slots.try_take(quiet).unwrap());
        assert!(
            slots.try_take(quiet).is_none(),
            "the third would be the other's reserved one"
        );
        let theirs = slots.try_take(other).unwrap();
        assert_eq!(slots.held(), 8);
        // Given back, a reserved slot goes to none of the fifty that wait.
        drop(own.0);
        assert_eq!(slots.held(), 7);
        let again = slots.try_take(quiet).unwrap();
        // What is not reserved does.
        drop(flooding.pop());
        assert_eq!(slots.held(), 8);
        drop((own.1, theirs, again, flooding, waiting));
        assert_eq!(slots.held(), 0);
    }

    #[tokio::test]
    async fn a_reservation_that_comes_later_is_kept_as_slots_come_back() {
        let slots = Slots::new(2, 100, MANY);
        let (flood, quiet) = (slots.party("flood"), slots.party("quiet"));
        let first = slots.try_take(flood).unwrap();
        let second = slots.try_take(flood).unwrap();
        let more = slots.take_or_wait(flood).err().unwrap().unwrap();
        slots.reserve([("quiet", 1)]);
        drop(first);
        assert_eq!(slots.held(), 1, "kept for the quiet one");
        let own = slots.try_take(quiet).unwrap();
        // With the reservation gone, whoever waits has it.
        drop(own);
        slots.reserve([]);
        assert!(more.await.is_ok());
        drop(second);
        assert_eq!(slots.held(), 0);
    }
}
