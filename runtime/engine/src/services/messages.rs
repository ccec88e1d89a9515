//! Messages that were sent. They are kept and go nowhere: whoever has a gateway takes them from here.

use std::{collections::VecDeque, sync::Arc};

use trunkline_model::{ContactId, Timestamp};

use super::KEPT_MAX;
use crate::service::{Demand, NotifyAnswer, Particulars};

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The contact that sent it.
    pub contact: ContactId,
    /// When.
    pub at: Timestamp,
    /// Whom to.
    pub to: Arc<str>,
    /// By which channel.
    pub channel: Arc<str>,
    /// The text's language.
    pub language: Arc<str>,
    /// The text.
    pub text: Arc<str>,
}

/// All messages.
#[derive(Clone, Debug, Default)]
pub(super) struct Outbox(VecDeque<Message>);

impl Outbox {
    pub(super) fn send(
        &mut self,
        contact: &ContactId,
        demand: &Demand,
        particulars: &Particulars,
        at: Timestamp,
    ) -> NotifyAnswer {
        let (
            Demand::Notify {
                channel, language, ..
            },
            Some(to),
            Some(text),
        ) = (demand, &particulars.party, &particulars.text)
        else {
            return NotifyAnswer::Failed;
        };
        if self.0.len() >= KEPT_MAX {
            self.0.pop_front();
        }
        self.0.push_back(Message {
            contact: contact.clone(),
            at,
            to: to.clone(),
            channel: channel.clone(),
            language: language.clone(),
            text: text.clone(),
        });
        NotifyAnswer::Sent
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Message> {
        self.0.iter()
    }
}
