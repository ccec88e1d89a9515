//! Draining: a node that is about to be restarted takes no new contacts, and says who would be cut off.
//!
//! What is durable survives a restart: a chat, a wait of days, a ticket. A telephone call does not: its line
//! ends with the process, and a carrier whose request finds nobody hangs up, or does what its account says.
//! So those who are left are the callers on a line, ours or a carrier's, and all others go on after the
//! restart. Draining itself is not kept: a restart ends it.

use std::collections::BTreeMap;

use trunkline_channel::chat::channel_name;
use trunkline_engine::Channel;
use trunkline_model::{ContactId, Timestamp};

use super::{Contacts, State, Summary};
use crate::observe;

/// How far a node is with draining.
#[derive(Clone, Debug, PartialEq)]
pub struct Drain {
    /// Since when it takes no new contacts; none when it takes them.
    pub since: Option<Timestamp>,
    /// How many callers are on a line, and would be cut off.
    pub left: usize,
    /// Those of a page, in order of their arrival.
    pub calls: Vec<Summary>,
    /// Where the next page begins; none at the end.
    pub next: Option<ContactId>,
    /// How many contacts go on after a restart, by the channel they came by.
    pub others: BTreeMap<&'static str, usize>,
}

impl Contacts {
    /// Takes no new contacts from now on, or takes them again. Contacts under way go on either way.
    /// Returns whether that changed anything.
    pub fn drain(&self, draining: bool) -> bool {
        let now = self.clock.now();
        let changed = self.draining.send_if_modified(|since| {
            let changes = since.is_some() != draining;
            if changes {
                *since = draining.then_some(now);
            }
            changes
        });
        if changed {
            metrics::gauge!(observe::DRAINING).set(if draining { 1.0 } else { 0.0 });
            if draining {
                tracing::info!("draining: no new contacts are taken");
            } else {
                tracing::info!("new contacts are taken again");
            }
        }
        changed
    }

    /// Whether no new contacts are taken because the node is to be restarted.
    pub fn is_draining(&self) -> bool {
        self.draining.borrow().is_some()
    }

    /// How far draining is: who is left, after one of them, at most `limit`.
    pub fn left(&self, after: Option<&ContactId>, limit: usize) -> Drain {
        let mut drain = Drain {
            since: *self.draining.borrow(),
            left: 0,
            calls: Vec::new(),
            next: None,
            others: BTreeMap::new(),
        };
        // The lock of each contact is its own: the map is not held while they are asked.
        let known: Vec<_> = self.known().values().cloned().collect();
        for contact in known {
            let summary = contact.summary();
            if summary.state == State::Ended {
                continue;
            }
            if !is_cut_off(&summary) {
                *drain.others.entry(channel_name(summary.channel)).or_default() += 1;
                continue;
            }
            drain.left += 1;
            if after.is_some_and(|after| summary.contact <= *after) {
                continue;
            }
            if drain.calls.len() < limit {
                drain.calls.push(summary);
            } else if drain.next.is_none() {
                drain.next = drain.calls.last().map(|last| last.contact.clone());
            }
        }
        drain
    }
}

/// Whether a contact is with a caller on a line, which a restart would end.
fn is_cut_off(summary: &Summary) -> bool {
    (summary.channel == Channel::Phone || summary.channel.dials_itself()) && !summary.has_hung_up
}

#[cfg(test)]
mod tests {
    use trunkline_engine::Session;

    use super::*;

    #[test]
    fn callers_on_a_line_are_cut_off_and_others_are_not() {
        let contact = ContactId::generate(Timestamp::from_millis(1), [7; 10]);
        let on = |channel, has_hung_up| Summary {
            channel,
            has_hung_up,
            ..Summary::of(&Session::new(contact.clone()))
        };
        for channel in [Channel::Phone, Channel::Twiml, Channel::Jambonz] {
            assert!(is_cut_off(&on(channel, false)), "{channel:?}");
            assert!(!is_cut_off(&on(channel, true)), "{channel:?}");
        }
        // One that is still at its beginning is counted by how it comes.
        let arriving = Summary::arriving(&contact, Channel::Phone, Timestamp::from_millis(1));
        assert!(is_cut_off(&arriving));
        for channel in [Channel::Chat, Channel::Voice, Channel::Outbound] {
            assert!(!is_cut_off(&on(channel, false)), "{channel:?}");
        }
    }
}
