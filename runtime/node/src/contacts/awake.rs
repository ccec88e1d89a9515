//! What a contact has in memory while it is awake; parked, its journal gives it again.

use std::collections::VecDeque;

use trunkline_engine::{Event, Fact, Session, turn::Turn};
use trunkline_journal::Head;
use trunkline_model::{CallId, ContactId, Timestamp, WorkId};

use crate::limits::TURNS_KEPT;

/// What a contact has in memory while it is awake.
pub(super) struct Awake {
    pub(super) head: Head,
    pub(super) session: Session,
    /// Its last turns.
    pub(super) turns: VecDeque<Turn>,
    /// All turns with a greater number are in `turns`.
    pub(super) turns_after: u64,
    /// The work that was dispatched, of what is pending.
    pub(super) dispatched: Dispatched,
    /// When the step it is in began.
    pub(super) step_since: Timestamp,
}

/// Work that was dispatched, each piece by its id and attempt.
#[derive(Clone, Debug, Default)]
pub(super) struct Dispatched {
    pub(super) calls: Vec<(CallId, u32)>,
    pub(super) service: Option<(WorkId, u32)>,
}

impl Awake {
    pub(super) fn of(head: Head, contact: &ContactId, events: &[Event]) -> Self {
        let mut awake = Self {
            head,
            session: Session::fold(contact.clone(), events),
            turns: VecDeque::new(),
            turns_after: 0,
            dispatched: Dispatched::default(),
            step_since: Timestamp::default(),
        };
        for (seq, event) in (1..).zip(events) {
            awake.keep_turn(seq, event);
            if matches!(event.fact, Fact::StepEntered { .. }) {
                awake.step_since = event.at;
            }
        }
        awake
    }

    pub(super) fn keep_turn(&mut self, seq: u64, event: &Event) {
        let Some(turn) = Turn::of(seq, event) else {
            return;
        };
        if self.turns.len() == TURNS_KEPT
            && let Some(oldest) = self.turns.pop_front()
        {
            self.turns_after = oldest.seq;
        }
        self.turns.push_back(turn);
    }
}
