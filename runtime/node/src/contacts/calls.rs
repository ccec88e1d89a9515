//! Plugin calls: made because a session says that one is pending, answered by an input.

use std::sync::Arc;

use tracing::Instrument as _;
use trunkline_engine::{Input, Session, session::Calling};
use trunkline_model::{FaultKind, Outcome};

use super::{Contacts, contact::Contact};
use crate::release::Pinned;

impl Contacts {
    /// Makes the call that a contact waits for. Whatever becomes of it comes back as an input
    /// that names the call and the attempt; when the contact waits no longer, that moves nothing.
    pub(super) fn make_call(
        self: &Arc<Self>,
        contact: &Arc<Contact>,
        pinned: Pinned,
        calling: &Calling,
        session: &Session,
    ) {
        if self.is_stopping() {
            // It is pending in the journal, and is made when the node is back.
            return;
        }
        let Some(arguments) = session.arguments(calling) else {
            // They were secret and are lost: that the node was away is about to be decided upon.
            return;
        };
        let now = self.clock.now();
        let call = trunkline_plugin::Call {
            function: calling.function.clone(),
            arguments: arguments.to_vec(),
            id: calling.call.clone(),
            attempt: calling.attempt,
            locale: session.language.to_string(),
            time: calling.until.since(now),
        };
        let (name, id, attempt) = (calling.plugin.clone(), calling.call.clone(), calling.attempt);
        let function = calling.function.clone();
        let span = tracing::debug_span!("call", contact = %contact.id, plugin = %name, call = %id, attempt);
        let (contacts, contact) = (self.clone(), contact.clone());
        self.calling.spawn(
            async move {
                let release = pinned.release();
                let outcome = match release.plugin(&name) {
                    Some(plugin) => plugin.call(call).await,
                    None => Outcome::fault(FaultKind::Host, format!("the release has no plugin {name}")),
                };
                contacts.success.record(release, &name, &function, &outcome);
                if let Outcome::Fault(fault) = &outcome {
                    // What the guest said of it may be personal: it stands in the contact's events.
                    tracing::warn!(
                        contact = %contact.id,
                        plugin = %name,
                        %function,
                        attempt,
                        fault = %fault.kind,
                        "a plugin call failed; its message is in the contact's events"
                    );
                }
                let input = Input::Answer {
                    call: id,
                    attempt,
                    outcome,
                };
                contacts.deliver_surely(&contact, input, Some(release)).await;
            }
            .instrument(span),
        );
    }
}
