//! Agents' phones and agents: who has a phone that is registered is there, and who has none is away.
//!
//! Registering again, as phones do every few minutes, changes nothing: an agent who went away over the
//! API stays away until the phone comes anew.

use trunkline_engine::services::AgentState;

use crate::phone::Inner;

/// Whether an agent is offered a caller, or talks to one, whose carrier dials by itself: then a call for
/// the agent is that caller's.
pub(crate) async fn is_awaited(phone: &Inner, agent: &str) -> bool {
    let contacts = phone.node.contacts();
    let (_, agents) = contacts.queues_and_agents();
    let contact = agents
        .into_iter()
        .find(|known| *known.name == *agent)
        .and_then(|known| match known.state {
            AgentState::Ringing { contact, .. } | AgentState::Talking { contact } => Some(contact),
            AgentState::Away | AgentState::Available | AgentState::WrapUp { .. } => None,
        });
    match contact {
        Some(contact) => contacts
            .summary(&contact)
            .await
            .is_ok_and(|summary| summary.channel.dials_itself()),
        None => false,
    }
}

/// An agent's phone came, or the last of them went.
pub(crate) fn phone_of(phone: &Inner, agent: &str, is_there: bool) {
    let changed = phone.node.contacts().agent_is(agent, is_there);
    match changed {
        Ok(()) => tracing::info!(agent, available = is_there, "an agent's phone"),
        // The agent talks, and goes when the call is over.
        Err(error) => tracing::info!(agent, %error, "an agent's phone changed in the middle of a call"),
    }
}
