//! How a service stands that a contact waits for, as far as a carrier has a part in it.

use trunkline_engine::{
    Session,
    service::{Demand, Destination, RecordDemand, Serving, Stage},
    session::State as Stands,
};
use trunkline_model::ContactId;

use crate::{contacts::Deed, server::State};

pub(super) fn transfer(session: &Session) -> Option<&Serving> {
    match &session.state {
        Stands::Serving(serving) if matches!(serving.demand, Demand::Transfer { .. }) => Some(serving),
        _ => None,
    }
}

/// The message that is to be kept.
pub(super) fn message(session: &Session) -> Option<&Serving> {
    match &session.state {
        Stands::Serving(serving)
            if matches!(serving.demand, Demand::Record(RecordDemand::Message { .. })) =>
        {
            Some(serving)
        }
        _ => None,
    }
}

/// The agent whom a transfer asks for.
pub(super) fn wanted_agent(serving: &Serving) -> Option<&str> {
    match &serving.demand {
        Demand::Transfer {
            to: Destination::Agent,
            ..
        } => serving.particulars.party.as_deref(),
        _ => None,
    }
}

/// Has the desk let an agent go of a transfer whose end the contact was told here, and not by way of the
/// desk. One who spoke has something to write up.
pub(super) fn let_go(state: &State, contact: &ContactId, serving: &Serving, agent: &str, spoke: bool) {
    let contacts = state.contacts();
    if spoke {
        // Either may have been done before.
        let _ = contacts.agent_does(agent, contact, Deed::Answer);
        let _ = contacts.agent_does(agent, contact, Deed::End);
    } else {
        contacts.left_service(contact, &serving.work);
    }
}

/// The agent of a queue to whom the caller is to talk.
pub(super) fn agent(session: &Session) -> Option<(&Serving, &str)> {
    let Stands::Serving(serving) = &session.state else {
        return None;
    };
    match (&serving.demand, &serving.stage) {
        (Demand::Queue { .. }, Stage::Talking { agent: Some(agent) }) => Some((serving, agent)),
        _ => None,
    }
}

/// Whether the carrier is to connect the caller to somebody.
pub(super) fn connects(session: &Session) -> bool {
    match transfer(session) {
        // Whether the agent is there and free is still to be said.
        Some(serving) if wanted_agent(serving).is_some() => {
            matches!(serving.stage, Stage::Ringing | Stage::Talking { .. })
        }
        Some(_) => true,
        None => agent(session).is_some(),
    }
}
