//! Plugin calls: made because a session says that one is pending, answered by an input.

use std::{
    io::{self, Write},
    sync::Arc,
};

use tracing::Instrument as _;
use trunkline_engine::{Input, Session, session::Calling};
use trunkline_model::{FaultKind, Outcome};

use super::{Contacts, contact::Contact};
use crate::{limits::KEPT_ANSWER_BYTES_MAX, release::Pinned};

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
                let outcome = kept(outcome);
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

/// What comes of a call as the contact's events can keep it. How large that is is another question than how
/// large the host finds the answer: a control character is six bytes there. One that is too large is a
/// fault, which a flow has a way out for; a journal that refused it would end the contact.
fn kept(outcome: Outcome) -> Outcome {
    let mut room = Room(KEPT_ANSWER_BYTES_MAX);
    if serde_json::to_writer(&mut room, &outcome).is_ok() {
        return outcome;
    }
    Outcome::fault(
        FaultKind::TooLarge,
        format!(
            "the answer is more than the {KEPT_ANSWER_BYTES_MAX} bytes that a contact's events keep of one; \
             answer a part of it, or where it is found"
        ),
    )
}

/// Takes what is written, as long as there is room, and keeps none of it.
struct Room(usize);

impl Write for Room {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::WriteZero)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use trunkline_model::Value;

    use super::*;

    #[test]
    fn an_answer_is_measured_as_it_is_kept() {
        let text = |char: &str, count: usize| Outcome::Ok(Value::text(char.repeat(count)));
        assert_eq!(kept(text("a", 1 << 20)), text("a", 1 << 20));
        for large in [
            text("a", KEPT_ANSWER_BYTES_MAX),
            text("\u{1}", KEPT_ANSWER_BYTES_MAX / 6),
        ] {
            assert!(matches!(kept(large), Outcome::Fault(fault) if fault.kind == FaultKind::TooLarge));
        }
    }
}
