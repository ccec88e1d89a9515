//! What a node knows of telephone lines: nothing but that whoever holds them can be asked. Calls are
//! answered elsewhere, as contacts of the channel [`Phone`](trunkline_engine::Channel::Phone); operators
//! and supervisors see and change them through this.

use std::sync::Arc;

use async_trait::async_trait;
use trunkline_model::ContactId;

/// Whoever holds the lines of a node's contacts.
#[async_trait]
pub trait Lines: Send + Sync {
    /// The calls that are up, in the order of their contacts.
    fn calls(&self) -> Vec<LineView>;

    /// Brings somebody into a contact's call, and gives the number by which the leg is known there.
    /// Returns when it rings there, not when somebody has answered.
    ///
    /// # Errors
    /// See [`LineError`].
    async fn add(&self, contact: &ContactId, guest: Guest) -> Result<u64, LineError>;

    /// Ends a leg that was brought in.
    ///
    /// # Errors
    /// There is no such call, or no such leg in it.
    async fn remove(&self, contact: &ContactId, leg: u64) -> Result<(), LineError>;

    /// An agent has left a contact's call, as the desk has it: a leg to the agent's phone that the contact does not
    /// speak of any more, as of one of three, goes too. Returns at once.
    fn agent_left(&self, contact: &ContactId, agent: &str);
}

/// A call that is up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineView {
    /// The contact that it is.
    pub contact: ContactId,
    /// Who brought it: `trunk NAME` or `phone NAME`.
    pub from: Arc<str>,
}

/// Somebody who is brought into a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guest {
    /// Who.
    pub party: Party,
    /// As what.
    pub part: Part,
}

/// Who is brought in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Party {
    /// An agent, on the registered phone.
    Agent(String),
    /// A number outside.
    Number(String),
}

/// What somebody who is brought in does there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Hears all and is heard by nobody.
    Listens,
    /// Hears all and is heard by the agent alone.
    Whispers,
    /// Hears all and is heard by all.
    Joins,
}

impl Part {
    /// All parts.
    pub const ALL: [Self; 3] = [Self::Listens, Self::Whispers, Self::Joins];

    /// The part's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Listens => "listens",
            Self::Whispers => "whispers",
            Self::Joins => "joins",
        }
    }
}

/// Something that cannot be done with a call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// The contact is on no line.
    #[error("contact {0} is on no telephone line; it may have ended, or have come by another channel")]
    NoCall(ContactId),
    /// The agent may not listen in.
    #[error("agent {0:?} may not listen in; write `supervisor: true` in agents.yaml")]
    NoSupervisor(String),
    /// A number may only join.
    #[error("somebody outside may only join a call; write joins")]
    Unsupervised,
    /// The agent has no phone.
    #[error("no phone of agent {0:?} is registered; have it register, or bring in another")]
    NoPhone(String),
    /// No trunk leads out.
    #[error("no trunk of the hotline leads to the outside; give one a `to` in hotline.yaml")]
    NoTrunk,
    /// As many are in the call as may be.
    #[error("{0} are in the call already; end the leg of one")]
    TooMany(usize),
    /// There is no such leg.
    #[error("the call has no leg {0}; it may be over")]
    NoSuchLeg(u64),
    /// It could not be called.
    #[error("{0}; try again")]
    Failed(String),
}
