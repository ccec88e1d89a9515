//! Transfers to those who are no agents. Nobody is called from here: somebody says what came of it.

use std::collections::{BTreeMap, BTreeSet};

use trunkline_model::{ContactId, WorkId};

use super::{Errand, Told, talks_to};
use crate::service::{ServiceAnswer, Stage, TransferAnswer};

/// Something that cannot come of a transfer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransferError {
    /// The contact is not being transferred.
    #[error("contact {0} is not being transferred to anybody outside; it may have gone another way")]
    NotTransferred(ContactId),
    /// It does not follow on what was.
    #[error("the transfer of contact {contact} cannot come to {came:?} now")]
    OutOfOrder {
        /// The contact.
        contact: ContactId,
        /// What came.
        came: TransferAnswer,
    },
}

/// Transfers under way.
#[derive(Clone, Debug)]
pub(super) struct Transfers {
    /// Whether there is a line to the outside.
    pub(super) has_lines: bool,
    /// Contacts that are on a line themselves, and can be put through by it.
    on_a_line: BTreeSet<ContactId>,
    /// Each with whether the other side has answered.
    under_way: BTreeMap<ContactId, (Errand, bool)>,
}

impl Default for Transfers {
    fn default() -> Self {
        Self {
            has_lines: true,
            on_a_line: BTreeSet::new(),
            under_way: BTreeMap::new(),
        }
    }
}

impl Transfers {
    /// The contact is on a line.
    pub(super) fn connect(&mut self, contact: &ContactId) {
        if !self.on_a_line.contains(contact) {
            self.on_a_line.insert(contact.clone());
        }
    }

    pub(super) fn is_on_a_line(&self, contact: &ContactId) -> bool {
        self.on_a_line.contains(contact)
    }

    pub(super) fn ask(&mut self, errand: Errand, stage: &Stage) -> Vec<Told> {
        if !self.has_lines && !self.on_a_line.contains(&errand.contact) {
            return vec![errand.told(ServiceAnswer::Transfer(TransferAnswer::Failed))];
        }
        let known = self.under_way.get(&errand.contact);
        let answered = match known {
            Some((known, answered)) if known.work == errand.work => *answered,
            _ => talks_to(stage).is_some(),
        };
        self.under_way
            .insert(errand.contact.clone(), (errand.clone(), answered));
        let answer = if answered {
            TransferAnswer::Answered
        } else {
            TransferAnswer::Ringing
        };
        vec![errand.told(ServiceAnswer::Transfer(answer))]
    }

    pub(super) fn party(
        &mut self,
        contact: &ContactId,
        came: TransferAnswer,
    ) -> Result<Vec<Told>, TransferError> {
        let Some((errand, answered)) = self.under_way.get_mut(contact) else {
            return Err(TransferError::NotTransferred(contact.clone()));
        };
        let follows = match came {
            TransferAnswer::OtherLegEnded => *answered,
            TransferAnswer::Ringing
            | TransferAnswer::Answered
            | TransferAnswer::Busy
            | TransferAnswer::NoAnswer
            | TransferAnswer::Failed => !*answered,
        };
        if !follows {
            return Err(TransferError::OutOfOrder {
                contact: contact.clone(),
                came,
            });
        }
        *answered = came == TransferAnswer::Answered;
        let answer = ServiceAnswer::Transfer(came);
        let told = errand.told(answer.clone());
        if answer.is_final() {
            self.under_way.remove(contact);
        }
        Ok(vec![told])
    }

    pub(super) fn left(&mut self, contact: &ContactId, work: &WorkId) {
        if self
            .under_way
            .get(contact)
            .is_some_and(|(errand, _)| errand.work == *work)
        {
            self.under_way.remove(contact);
        }
    }

    pub(super) fn forget(&mut self, contact: &ContactId) {
        self.on_a_line.remove(contact);
        self.under_way.remove(contact);
    }
}
