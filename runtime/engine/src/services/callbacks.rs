//! Callbacks that were promised: one for a number at a time.

use std::sync::Arc;

use trunkline_model::{ContactId, Duration, Timestamp};

use super::{Errand, KEPT_MAX, Told, happened};
use crate::service::{CallbackAnswer, Demand, Particulars};

/// A callback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callback {
    /// Its id.
    pub id: Arc<str>,
    /// The contact that wanted it.
    pub contact: ContactId,
    /// The number to ring.
    pub number: Arc<str>,
    /// The queue that rings.
    pub queue: Arc<str>,
    /// Since when the caller waits.
    pub since: Timestamp,
    /// By when it is promised.
    pub due: Timestamp,
    /// How often it is tried.
    pub attempts: u32,
    /// The pause between two tries.
    pub every: Duration,
    /// The calendar within whose hours it rings.
    pub window: Option<Arc<str>>,
    /// How it stands.
    pub state: CallbackState,
}

/// How a callback stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallbackState {
    /// It is promised.
    Booked,
    /// The caller was reached.
    Done,
    /// It was taken back, or given up.
    Cancelled,
}

/// All callbacks.
#[derive(Clone, Debug, Default)]
pub(super) struct Callbacks(Vec<Callback>);

impl Callbacks {
    pub(super) fn book(
        &mut self,
        errand: &Errand,
        demand: &Demand,
        particulars: &Particulars,
        at: Timestamp,
    ) -> CallbackAnswer {
        let (
            Demand::Callback {
                queue,
                within,
                attempts,
                every,
                window,
            },
            Some(number),
        ) = (demand, &particulars.party)
        else {
            return CallbackAnswer::Refused;
        };
        let open = |callback: &&Callback| callback.state == CallbackState::Booked;
        if let Some(other) = self.0.iter().filter(open).find(|other| other.number == *number) {
            return CallbackAnswer::Duplicate { id: other.id.clone() };
        }
        if self.0.len() >= KEPT_MAX {
            return CallbackAnswer::Refused;
        }
        let id: Arc<str> = errand.work.as_str().into();
        let due = at + *within;
        self.0.push(Callback {
            id: id.clone(),
            contact: errand.contact.clone(),
            number: number.clone(),
            queue: queue.clone(),
            since: at,
            due,
            attempts: *attempts,
            every: *every,
            window: window.clone(),
            state: CallbackState::Booked,
        });
        CallbackAnswer::Booked { id, due }
    }

    pub(super) fn over(&mut self, id: &str, state: CallbackState) -> Vec<Told> {
        let booked = |callback: &&mut Callback| callback.state == CallbackState::Booked;
        match self
            .0
            .iter_mut()
            .filter(booked)
            .find(|callback| *callback.id == *id)
        {
            Some(callback) => {
                callback.state = state;
                match state {
                    CallbackState::Done => vec![happened(&callback.contact, "callback.done", id)],
                    CallbackState::Booked | CallbackState::Cancelled => Vec::new(),
                }
            }
            None => Vec::new(),
        }
    }

    pub(super) fn all(&self) -> &[Callback] {
        &self.0
    }
}
