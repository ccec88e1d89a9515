//! Agents' phones and agents: who has a phone that is registered is there, and who has none is away.
//!
//! Registering again, as phones do every few minutes, changes nothing: an agent who went away over the
//! API stays away until the phone comes anew.

use std::sync::Arc;

use trunkline_engine::services::AgentState;
use trunkline_model::ContactId;

use crate::phone::Inner;

/// An agent who is free and whose phone is used for something that is no caller of a queue: nobody is
/// offered to the agent meanwhile.
pub(crate) struct Occupied {
    phone: Arc<Inner>,
    agent: String,
}

impl Occupied {
    /// Takes a free agent out of the distribution; none for one who is not free.
    pub(crate) fn new(phone: &Arc<Inner>, agent: &str) -> Option<Self> {
        let is_free = matches!(
            state(phone, agent),
            Some(AgentState::Available | AgentState::WrapUp { .. })
        );
        (is_free && phone.node.contacts().agent_is(agent, false).is_ok()).then(|| Self {
            phone: phone.clone(),
            agent: agent.to_owned(),
        })
    }
}

impl Drop for Occupied {
    fn drop(&mut self) {
        if self.phone.sip().registered(&self.agent) {
            // Who went away meanwhile by another way has no phone registered.
            let _ = self.phone.node.contacts().agent_is(&self.agent, true);
        }
    }
}

fn state(phone: &Inner, agent: &str) -> Option<AgentState> {
    let (_, agents) = phone.node.contacts().queues_and_agents();
    let found = agents.into_iter().find(|known| *known.name == *agent);
    found.map(|known| known.state)
}

/// Whether an agent talks to a caller, as the desk knows.
pub(crate) fn talks_to(phone: &Inner, agent: &str, caller: &ContactId) -> bool {
    matches!(state(phone, agent), Some(AgentState::Talking { contact }) if contact == *caller)
}

/// Whether an agent is offered a caller, or talks to one, whose carrier dials by itself: then a call for
/// the agent is that caller's.
pub(crate) async fn is_awaited(phone: &Inner, agent: &str) -> bool {
    let contacts = phone.node.contacts();
    let contact = match state(phone, agent) {
        Some(AgentState::Ringing { contact, .. } | AgentState::Talking { contact }) => Some(contact),
        Some(AgentState::Away | AgentState::Available | AgentState::WrapUp { .. }) | None => None,
    };
    match contact {
        Some(contact) => contacts
            .summary(&contact)
            .await
            .is_ok_and(|summary| summary.channel.dials_itself()),
        None => false,
    }
}

/// An agent's phone came, or the last of them went: what is true now counts, in whatever order that is
/// told.
pub(crate) fn phone_of(phone: &Inner, agent: &str) {
    let is_there = phone.sip().registered(agent);
    match phone.node.contacts().agent_is(agent, is_there) {
        Ok(()) => tracing::info!(agent, available = is_there, "an agent's phone"),
        // The agent talks, and goes when the call is over.
        Err(error) => tracing::info!(agent, %error, "an agent's phone changed in the middle of a call"),
    }
}
