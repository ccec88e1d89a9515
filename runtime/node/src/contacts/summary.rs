//! How a contact stands, in short: what stays in memory of one that is parked.

use std::sync::Arc;

use trunkline_engine::{
    Channel, Session,
    service::{Demand, Serving, Stage},
    session,
};
use trunkline_model::{ContactId, Digest, FlowName, StepId, Timestamp};

/// What a contact waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Nothing yet: it is being decided.
    Arriving,
    /// The caller.
    Hearing,
    /// A plugin.
    Calling,
    /// A service: a queue, a ticket's number, an agent's last word.
    Serving,
    /// A time, or an event.
    Waiting,
    /// Its release, which cannot be rebuilt.
    Stranded,
    /// Nothing any more.
    Ended,
}

impl State {
    /// All states.
    pub const ALL: [Self; 7] = [
        Self::Arriving,
        Self::Hearing,
        Self::Calling,
        Self::Serving,
        Self::Waiting,
        Self::Stranded,
        Self::Ended,
    ];

    /// The state's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Arriving => "arriving",
            Self::Hearing => "hearing",
            Self::Calling => "calling",
            Self::Serving => "serving",
            Self::Waiting => "waiting",
            Self::Stranded => "stranded",
            Self::Ended => "ended",
        }
    }
}

/// A contact in short.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The contact.
    pub contact: ContactId,
    /// What it waits for.
    pub state: State,
    /// The release it is on.
    pub release: Digest,
    /// How it came.
    pub channel: Channel,
    /// The number it called.
    pub number: Arc<str>,
    /// Its language.
    pub language: Arc<str>,
    /// The flow and the step it is in.
    pub place: Option<(FlowName, StepId)>,
    /// Whom or what it waits for, in words: `caller`, `plugin crm`, `queue general at 3`,
    /// `agent zhang-wei`, `ticket`, `event ticket.closed`, `time`.
    pub waits_for: Option<Arc<str>>,
    /// Since when.
    pub since: Timestamp,
    /// Until when; none when it waits for nothing.
    pub until: Option<Timestamp>,
    /// When it arrived.
    pub arrived: Timestamp,
    /// How many events it has.
    pub events: u64,
    /// Whether the caller has left, though the contact may go on.
    pub has_hung_up: bool,
    /// The cause and the outcome, when it has ended.
    pub ended: Option<(&'static str, Arc<str>)>,
    /// Why it cannot go on, when it cannot.
    pub stranded: Option<Arc<str>>,
}

impl Summary {
    /// The summary of a contact of which nothing has happened.
    pub(crate) fn arriving(contact: &ContactId, channel: Channel, at: Timestamp) -> Self {
        Self {
            state: State::Arriving,
            channel,
            arrived: at,
            since: at,
            ..Self::of(&Session::new(contact.clone()))
        }
    }

    /// The summary of a session.
    pub(crate) fn of(session: &Session) -> Self {
        let (state, waits_for, ended) = match &session.state {
            session::State::Deciding => (State::Arriving, None, None),
            session::State::Hearing(_) => (State::Hearing, Some("caller".into()), None),
            session::State::Calling(calling) => (
                State::Calling,
                Some(format!("plugin {}", calling.plugin).into()),
                None,
            ),
            session::State::Together(together) => (State::Calling, Some(calls(together)), None),
            session::State::Serving(serving) => (State::Serving, Some(service(serving)), None),
            session::State::Waiting { event: None, .. } => (State::Waiting, Some("time".into()), None),
            session::State::Waiting {
                event: Some(event), ..
            } => (State::Waiting, Some(format!("event {event}").into()), None),
            session::State::Ended { cause, outcome } => {
                (State::Ended, None, Some((cause.as_str(), outcome.clone())))
            }
        };
        Self {
            contact: session.contact.clone(),
            state,
            release: session.release,
            channel: session.channel,
            number: session.number.clone(),
            language: session.language.clone(),
            place: session.place().map(|(flow, step)| (flow.clone(), step.clone())),
            waits_for,
            since: session.last,
            until: session.pending().wake,
            arrived: session.arrived,
            events: session.seq,
            has_hung_up: session.hung_up.is_some(),
            ended,
            stranded: None,
        }
    }

    /// The same contact, which cannot go on.
    pub(crate) fn stranded(mut self, why: Arc<str>) -> Self {
        self.state = State::Stranded;
        self.waits_for = Some("its release".into());
        self.until = None;
        self.stranded = Some(why);
        self
    }
}

/// The plugins whose answers are still to come, in words.
fn calls(together: &session::Together) -> Arc<str> {
    let plugins: Vec<String> = together.calls().map(|call| call.plugin.to_string()).collect();
    format!("plugins {}", plugins.join(", ")).into()
}

/// A service and how far it has come, in words.
fn service(serving: &Serving) -> Arc<str> {
    let words = match (&serving.stage, &serving.demand) {
        (Stage::Waiting(waiting), Demand::Queue { queue, .. }) => {
            format!("queue {queue} at {}", waiting.position)
        }
        (Stage::Talking { agent: Some(agent) }, _) => format!("agent {agent}"),
        (Stage::Talking { agent: None }, _) => "the other party".to_owned(),
        (Stage::Ringing, _) => "the other party to answer".to_owned(),
        (_, Demand::Queue { queue, .. }) => format!("queue {queue}"),
        (_, demand) => demand.service().to_owned(),
    };
    words.into()
}
