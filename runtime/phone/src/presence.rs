//! Agents' phones and agents: who has a phone that is registered is there, and who has none is away.
//!
//! Registering again, as phones do every few minutes, changes nothing: an agent who went away over the
//! API stays away until the phone comes anew.

use crate::phone::Inner;

/// An agent's phone came, or the last of them went.
pub(crate) fn phone_of(phone: &Inner, agent: &str, is_there: bool) {
    let changed = phone.node.contacts().agent_is(agent, is_there);
    match changed {
        Ok(()) => tracing::info!(agent, available = is_there, "an agent's phone"),
        // The agent talks, and goes when the call is over.
        Err(error) => tracing::info!(agent, %error, "an agent's phone changed in the middle of a call"),
    }
}
