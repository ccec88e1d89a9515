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
    under_way: BTreeMap<ContactId, Transfer>,
}

#[derive(Clone, Debug)]
struct Transfer {
    errand: Errand,
    /// Whether whoever answers joins the call, and the contact goes on.
    three_way: bool,
    /// Whether the other side has answered.
    answered: bool,
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

    pub(super) fn ask(&mut self, errand: Errand, three_way: bool, stage: &Stage) -> Vec<Told> {
        if !self.has_lines && !self.on_a_line.contains(&errand.contact) {
            return vec![errand.told(ServiceAnswer::Transfer(TransferAnswer::Failed))];
        }
        let answered = match self.under_way.get(&errand.contact) {
            Some(known) if known.errand.work == errand.work => known.answered,
            _ => talks_to(stage).is_some(),
        };
        let answer = if answered {
            TransferAnswer::Answered
        } else {
            TransferAnswer::Ringing
        };
        let told = errand.told(ServiceAnswer::Transfer(answer));
        let transfer = Transfer {
            errand,
            three_way,
            answered,
        };
        self.under_way.insert(transfer.errand.contact.clone(), transfer);
        vec![told]
    }

    pub(super) fn party(
        &mut self,
        contact: &ContactId,
        came: TransferAnswer,
    ) -> Result<Vec<Told>, TransferError> {
        let Some(transfer) = self.under_way.get_mut(contact) else {
            return Err(TransferError::NotTransferred(contact.clone()));
        };
        let came = match came {
            TransferAnswer::Answered if transfer.three_way && !transfer.answered => TransferAnswer::Joined,
            came => came,
        };
        let follows = match came {
            TransferAnswer::OtherLegEnded => transfer.answered,
            TransferAnswer::Joined => transfer.three_way && !transfer.answered,
            TransferAnswer::Ringing
            | TransferAnswer::Answered
            | TransferAnswer::Busy
            | TransferAnswer::NoAnswer
            | TransferAnswer::Failed => !transfer.answered,
        };
        if !follows {
            return Err(TransferError::OutOfOrder {
                contact: contact.clone(),
                came,
            });
        }
        transfer.answered = came == TransferAnswer::Answered;
        let answer = ServiceAnswer::Transfer(came);
        let told = transfer.errand.told(answer.clone());
        if answer.is_final() {
            self.under_way.remove(contact);
        }
        Ok(vec![told])
    }

    pub(super) fn left(&mut self, contact: &ContactId, work: &WorkId) {
        if self
            .under_way
            .get(contact)
            .is_some_and(|transfer| transfer.errand.work == *work)
        {
            self.under_way.remove(contact);
        }
    }

    pub(super) fn forget(&mut self, contact: &ContactId) {
        self.on_a_line.remove(contact);
        self.under_way.remove(contact);
    }
}
