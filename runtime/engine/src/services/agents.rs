//! Agents: what each can do and does.

use std::{collections::BTreeSet, sync::Arc};

use trunkline_model::{ContactId, Timestamp};

use super::{Errand, Told};
use crate::service::{QueueAnswer, ServiceAnswer, TransferAnswer};

/// Something that an agent cannot do now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AgentError {
    /// agents.yaml does not have the agent.
    #[error("the hotline has no agent {0:?}; its agents stand in agents.yaml")]
    Unknown(String),
    /// The agent is in a call.
    #[error("agent {agent:?} talks to contact {contact}; end that call first")]
    Talking {
        /// The agent.
        agent: String,
        /// The contact.
        contact: ContactId,
    },
    /// The caller is not being offered to the agent.
    #[error("contact {contact} is not being offered to agent {agent:?}; it may have gone another way")]
    NotOffered {
        /// The agent.
        agent: String,
        /// The contact.
        contact: ContactId,
    },
    /// The agent does not talk to the caller.
    #[error("agent {agent:?} does not talk to contact {contact}; the call may be over")]
    NotTalking {
        /// The agent.
        agent: String,
        /// The contact.
        contact: ContactId,
    },
    /// As many agents are known as may be.
    #[error("{0} agents are known, and no more may be")]
    TooMany(usize),
}

/// What an agent does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentState {
    /// Nothing here.
    Away,
    /// Waits for a caller.
    Available,
    /// Is being offered a caller.
    Ringing {
        /// The caller's contact.
        contact: ContactId,
        /// When the offer goes to another.
        until: Timestamp,
    },
    /// Talks to a caller.
    Talking {
        /// The caller's contact.
        contact: ContactId,
    },
    /// Writes up the last call.
    WrapUp {
        /// Until when.
        until: Timestamp,
    },
}

impl AgentState {
    /// The state's name.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Away => "away",
            Self::Available => "available",
            Self::Ringing { .. } => "ringing",
            Self::Talking { .. } => "talking",
            Self::WrapUp { .. } => "wrap-up",
        }
    }
}

/// An agent as others see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentView {
    /// The agent's name.
    pub name: Arc<str>,
    /// What the agent does.
    pub state: AgentState,
    /// Since when.
    pub since: Timestamp,
}

/// An agent.
#[derive(Clone, Debug)]
pub(super) struct Agent {
    /// The agent's skills; none for one who is in no list and is taken to have all.
    pub(super) skills: Option<BTreeSet<Arc<str>>>,
    pub(super) doing: Doing,
    pub(super) since: Timestamp,
}

/// What an agent does, with whose call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Doing {
    Away,
    Available,
    Ringing { call: Call, until: Timestamp },
    Talking { call: Call },
    WrapUp { until: Timestamp },
}

/// A caller's call as an agent has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) errand: Errand,
    /// The queue it comes from; none for a transfer to the agent.
    pub(super) queue: Option<Arc<str>>,
    /// Whether the agent becomes one of three: once the agent has answered, the contact goes on, and the
    /// agent stays in the call until the agent or the caller leaves it.
    pub(super) three_way: bool,
}

impl Call {
    /// What the caller's contact is told when a transfer to the agent is answered.
    pub(super) const fn answered(&self) -> ServiceAnswer {
        ServiceAnswer::Transfer(if self.three_way {
            TransferAnswer::Joined
        } else {
            TransferAnswer::Answered
        })
    }

    /// What the caller's contact is told when the other side leaves; nothing where it no longer waits
    /// for that.
    pub(super) fn over(&self) -> Option<Told> {
        let answer = match self.queue {
            Some(_) => ServiceAnswer::Queue(QueueAnswer::AgentLeft),
            None if self.three_way => return None,
            None => ServiceAnswer::Transfer(TransferAnswer::OtherLegEnded),
        };
        Some(self.errand.told(answer))
    }
}

impl Agent {
    pub(super) const fn away(skills: Option<BTreeSet<Arc<str>>>, at: Timestamp) -> Self {
        Self {
            skills,
            doing: Doing::Away,
            since: at,
        }
    }

    pub(super) fn does(&mut self, doing: Doing, at: Timestamp) {
        self.doing = doing;
        self.since = at;
    }

    pub(super) const fn is_there(&self) -> bool {
        !matches!(self.doing, Doing::Away)
    }

    pub(super) fn has_skills<'s>(&self, mut skills: impl Iterator<Item = &'s Arc<str>>) -> bool {
        match &self.skills {
            None => true,
            Some(own) => skills.all(|skill| own.contains(skill)),
        }
    }

    /// The call that the agent is offered or has.
    pub(super) const fn call(&self) -> Option<&Call> {
        match &self.doing {
            Doing::Ringing { call, .. } | Doing::Talking { call } => Some(call),
            Doing::Away | Doing::Available | Doing::WrapUp { .. } => None,
        }
    }

    pub(super) fn view(&self, name: &Arc<str>) -> AgentView {
        let state = match &self.doing {
            Doing::Away => AgentState::Away,
            Doing::Available => AgentState::Available,
            Doing::Ringing { call, until } => AgentState::Ringing {
                contact: call.errand.contact.clone(),
                until: *until,
            },
            Doing::Talking { call } => AgentState::Talking {
                contact: call.errand.contact.clone(),
            },
            Doing::WrapUp { until } => AgentState::WrapUp { until: *until },
        };
        AgentView {
            name: name.clone(),
            state,
            since: self.since,
        }
    }
}
