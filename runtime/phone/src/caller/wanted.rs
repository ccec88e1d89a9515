//! Whom a contact wants to be connected with, as its session says.

use std::{sync::Arc, time::Duration};

use trunkline_engine::{
    Session,
    service::{Demand, Destination, Stage},
    session::State,
};
use trunkline_model::WorkId;

use crate::limits::{AGENT_RING, RING_MAX};

/// Somebody a contact wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// The work of which it is a part.
    pub(super) work: WorkId,
    /// Who.
    pub(super) whom: Whom,
    /// How long it rings.
    pub(super) ring: Duration,
    /// Whether they are talking already, as far as the contact knows.
    pub(super) talking: bool,
    /// Whether whoever answers stays in the call while the contact goes on.
    pub(super) joins: bool,
}

/// Who is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Whom {
    /// An agent, by the phone that is registered under the name. With the queue or the transfer that
    /// offers the caller.
    Agent(Arc<str>),
    /// A number or an address outside.
    Outside(Arc<str>),
}

/// Whom the contact wants now, if anybody.
pub(super) fn wanted(session: &Session) -> Option<Wanted> {
    let State::Serving(serving) = &session.state else {
        return None;
    };
    let joins = matches!(serving.demand, Demand::Transfer { three_way: true, .. });
    let (whom, ring, talking) = match (&serving.demand, &serving.stage) {
        (Demand::Queue { .. }, Stage::Waiting(waiting)) => {
            (Whom::Agent(waiting.ringing.clone()?), AGENT_RING, false)
        }
        (Demand::Queue { .. }, Stage::Talking { agent }) => (Whom::Agent(agent.clone()?), AGENT_RING, true),
        (Demand::Transfer { to, ring, .. }, stage) => {
            let party = serving.particulars.party.clone()?;
            let talking = match stage {
                Stage::Ringing => false,
                Stage::Talking { .. } => true,
                // Whoever puts through has not said yet that it may ring.
                Stage::Asked | Stage::Waiting(_) => return None,
            };
            let whom = match to {
                Destination::Agent => Whom::Agent(party),
                Destination::Address | Destination::Hotline => Whom::Outside(party),
            };
            (whom, ring.to_std().min(RING_MAX), talking)
        }
        _ => return None,
    };
    Some(Wanted {
        work: serving.work.clone(),
        whom,
        ring,
        talking,
        joins,
    })
}
