//! Marks in the recordings of contacts: when each started, paused, went on, stopped, and what
//! in it is a message. The sound itself is a channel's.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use trunkline_model::{ContactId, Timestamp};

use super::{Errand, KEPT_MAX, Told};
use crate::service::{RecordAnswer, RecordDemand, ServiceAnswer, recording_name};

/// A mark in a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The contact.
    pub contact: ContactId,
    /// The recording's name.
    pub recording: Arc<str>,
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: RecordDemand,
}

/// How a contact's recording stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Running,
    Paused,
    Stopped,
}

/// All recordings.
#[derive(Clone, Debug, Default)]
pub(super) struct Recordings {
    marks: VecDeque<Mark>,
    /// Recordings of contacts under way.
    states: BTreeMap<ContactId, State>,
    /// What contacts on a line wait for, and what is said when it is done.
    asked: BTreeMap<ContactId, Asked>,
}

/// What a contact on a line waits for.
#[derive(Clone, Debug)]
struct Asked {
    errand: Errand,
    /// What is said when it is done.
    answer: RecordAnswer,
    /// How the recording stands when it is not.
    before: Option<State>,
}

impl Recordings {
    /// Takes a demand of a contact on a line: what can be refused at once is, what is so already is
    /// done, and for the rest whoever has the line says that it was done.
    pub(super) fn ask(&mut self, errand: Errand, demand: RecordDemand, at: Timestamp) -> Vec<Told> {
        let before = self.states.get(&errand.contact).copied();
        let answer = self.mark(&errand, demand, at);
        let changed = before != self.states.get(&errand.contact).copied();
        let is_message = matches!(demand, RecordDemand::Message { .. });
        if matches!(answer, RecordAnswer::Done { .. }) && (changed || is_message) {
            let contact = errand.contact.clone();
            self.asked.insert(
                contact,
                Asked {
                    errand,
                    answer,
                    before,
                },
            );
            return Vec::new();
        }
        vec![errand.told(ServiceAnswer::Record(answer))]
    }

    /// What was asked for was done, or could not be.
    pub(super) fn recorded(&mut self, contact: &ContactId, done: bool) -> Option<(Errand, RecordAnswer)> {
        let Asked {
            errand,
            answer,
            before,
        } = self.asked.remove(contact)?;
        if done {
            return Some((errand, answer));
        }
        match before {
            Some(before) => self.states.insert(contact.clone(), before),
            None => self.states.remove(contact),
        };
        Some((errand, RecordAnswer::Failed))
    }

    /// Marks what is asked for. What is so already is done; what stopped does not go on.
    pub(super) fn mark(&mut self, errand: &Errand, demand: RecordDemand, at: Timestamp) -> RecordAnswer {
        let before = self.states.get(&errand.contact).copied();
        let after = match (demand, before) {
            (RecordDemand::Message { from, until }, _) => {
                let recording: Arc<str> = recording_name(&errand.contact, &errand.work, demand).into();
                return if until > from {
                    self.push(&errand.contact, &recording, at, demand);
                    RecordAnswer::Done { recording }
                } else {
                    RecordAnswer::Declined
                };
            }
            (RecordDemand::Start | RecordDemand::Resume, Some(State::Stopped)) => {
                return RecordAnswer::Failed;
            }
            (RecordDemand::Pause | RecordDemand::Resume, None) => return RecordAnswer::Failed,
            (RecordDemand::Start, None) | (RecordDemand::Resume, Some(State::Paused)) => State::Running,
            (RecordDemand::Pause, Some(State::Running)) => State::Paused,
            (RecordDemand::Stop, _) => State::Stopped,
            (RecordDemand::Start | RecordDemand::Pause | RecordDemand::Resume, Some(before)) => before,
        };
        let recording: Arc<str> = recording_name(&errand.contact, &errand.work, demand).into();
        if before != Some(after) {
            self.states.insert(errand.contact.clone(), after);
            self.push(&errand.contact, &recording, at, demand);
        }
        RecordAnswer::Done { recording }
    }

    /// The recording of a contact ends with it.
    pub(super) fn ended(&mut self, contact: &ContactId, at: Timestamp) {
        self.asked.remove(contact);
        if matches!(self.states.remove(contact), Some(State::Running | State::Paused)) {
            let recording: Arc<str> = format!("contact-{contact}").into();
            self.push(contact, &recording, at, RecordDemand::Stop);
        }
    }

    fn push(&mut self, contact: &ContactId, recording: &Arc<str>, at: Timestamp, what: RecordDemand) {
        if self.marks.len() >= KEPT_MAX {
            self.marks.pop_front();
        }
        self.marks.push_back(Mark {
            contact: contact.clone(),
            recording: recording.clone(),
            at,
            what,
        });
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Mark> {
        self.marks.iter()
    }
}
