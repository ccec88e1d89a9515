//! Services in memory: queues and agents, transfers, callbacks, tickets, surveys, messages,
//! recordings. Pure and deterministic: time is an argument, nothing is sent anywhere.
//!
//! ```text
//! Services::new(&hotline)                      nobody waits, every agent is away
//! services.ask(&contact, serving, at)          for each `Session::pending().service` that is new:
//!                                              another work id, or another attempt
//! services.left(&contact, &work, at)           for each `Fact::ServiceLeft`
//! services.ended(&contact, at)                 when a contact has ended
//! services.readings(Some(&contact), at)        what `decide` may read of queues
//! services.next_wake(), services.advance(at)   rings that nobody answered, wrap-ups, deadlines
//! services.agent_available("zhang-wei", at)    what people do: agents, other parties, departments
//! ```
//!
//! What becomes of any of these comes back as [`Told`]: inputs, each for one contact, to be given
//! to [`decide`](crate::decide) in this order.
//!
//! - Work is known by its id: asked again it is answered as before, and nothing is done twice.
//! - Nobody waits while an agent is free who could serve the caller; who is served first is a
//!   matter of priority, then of time of arrival. Of several agents the one who has been free
//!   longest gets the call.
//! - A place in a queue counts from when the caller first waited, and whom a caller talks to is
//!   kept by the contact; both survive a restart, since the contact asks again with them. All
//!   else is kept here, and only here: tickets, callbacks, surveys, messages and the states of
//!   agents are gone when the process is.

mod agents;
mod callbacks;
mod distribution;
mod messages;
mod recordings;
mod surveys;
mod tickets;
mod transfers;

use std::{collections::BTreeMap, sync::Arc};

use trunkline_flow::{calendar::Calendar, hotline::Hotline};
use trunkline_model::{ContactId, Duration, InputId, Timestamp, WorkId};

pub use self::{
    agents::{AgentError, AgentState, AgentView},
    callbacks::{Callback, CallbackState},
    distribution::QueueView,
    messages::Message,
    recordings::Mark,
    surveys::{Filled, Score},
    tickets::{Ticket, TicketError},
    transfers::TransferError,
};
use self::{
    callbacks::Callbacks,
    distribution::{AgentRequest, Distribution},
    messages::Outbox,
    recordings::Recordings,
    surveys::Surveys,
    tickets::Tickets,
    transfers::Transfers,
};
use crate::{
    Input, Readings,
    service::{Demand, Destination, ServiceAnswer, Serving, Stage, TransferAnswer},
};

/// How long an agent who is offered a caller may take to answer; then the agent counts as away,
/// and the caller is offered to another.
pub const RING_TIME: Duration = Duration::from_secs(20);

/// How long an agent is left alone after a call.
pub const WRAP_UP_TIME: Duration = Duration::from_secs(10);

/// How long a call is taken to last until some have been handled.
pub const HANDLING_TIME_FIRST: Duration = Duration::from_secs(180);

/// Callbacks, tickets, surveys, messages, or marks of recordings that are kept, of each. More
/// callbacks and tickets are refused; of the others the oldest go.
pub const KEPT_MAX: usize = 100_000;

/// Agents that are known at once.
pub const AGENTS_MAX: usize = 10_000;

/// An input for a contact, in consequence of something that a service did.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The contact.
    pub contact: ContactId,
    /// What to give it.
    pub input: Input,
}

/// Work as services know it: whose, which, and which attempt is to be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Errand {
    contact: ContactId,
    work: WorkId,
    attempt: u32,
}

impl Errand {
    fn told(&self, answer: ServiceAnswer) -> Told {
        Told {
            contact: self.contact.clone(),
            input: Input::ServiceAnswered {
                work: self.work.clone(),
                attempt: self.attempt,
                answer,
            },
        }
    }
}

/// When things are open, by the clocks of the hotline's zone.
#[derive(Clone, Debug)]
struct Hours {
    zone: jiff::tz::TimeZone,
    calendars: BTreeMap<Arc<str>, Calendar>,
}

impl Hours {
    /// A calendar that is not there is always open: a queue is not closed by a lost name.
    fn is_open(&self, calendar: &str, at: Timestamp) -> bool {
        self.calendars
            .get(calendar)
            .is_none_or(|calendar| calendar.is_open(at, &self.zone))
    }
}

/// All services of a hotline.
#[derive(Clone, Debug)]
pub struct Services {
    hours: Hours,
    distribution: Distribution,
    transfers: Transfers,
    callbacks: Callbacks,
    tickets: Tickets,
    surveys: Surveys,
    outbox: Outbox,
    recordings: Recordings,
    /// What was answered to work that is answered once, of contacts that have not ended.
    answered: BTreeMap<ContactId, BTreeMap<WorkId, ServiceAnswer>>,
}

impl Services {
    /// The services of a hotline: nobody waits, every agent is away.
    pub fn new(hotline: &Hotline) -> Self {
        let mut services = Self {
            hours: Hours {
                zone: hotline.time_zone.clone(),
                calendars: BTreeMap::new(),
            },
            distribution: Distribution::default(),
            transfers: Transfers::default(),
            callbacks: Callbacks::default(),
            tickets: Tickets::default(),
            surveys: Surveys::default(),
            outbox: Outbox::default(),
            recordings: Recordings::default(),
            answered: BTreeMap::new(),
        };
        services.configure(hotline);
        services
    }

    /// Takes the settings of another release of the hotline. What is under way goes on; a queue
    /// that the release lacks serves those who wait in it as before.
    pub fn configure(&mut self, hotline: &Hotline) {
        self.hours = Hours {
            zone: hotline.time_zone.clone(),
            calendars: hotline.calendars.clone(),
        };
        self.distribution.configure(hotline);
        self.tickets.configure(hotline);
        self.surveys.configure(hotline);
    }

    /// There is no line to the outside: a transfer to anybody but an agent fails at once. Else it
    /// rings until somebody says what came of it.
    #[must_use]
    pub fn without_lines(mut self) -> Self {
        self.transfers.has_lines = false;
        self
    }

    /// Takes work that a contact asks for. The same work again is answered as before.
    pub fn ask(&mut self, contact: &ContactId, serving: &Serving, at: Timestamp) -> Vec<Told> {
        let errand = Errand {
            contact: contact.clone(),
            work: serving.work.clone(),
            attempt: serving.attempt,
        };
        let particulars = &serving.particulars;
        let known = self
            .answered
            .get(contact)
            .and_then(|answered| answered.get(&errand.work));
        if let Some(answer) = known {
            return vec![errand.told(answer.clone())];
        }
        let answer = match &serving.demand {
            Demand::Queue { .. } => return self.distribution.ask(errand, serving, &self.hours, at),
            Demand::Transfer {
                to: Destination::Agent,
                ring,
                three_way,
            } => {
                let request = AgentRequest {
                    agent: particulars.party.as_deref().unwrap_or_default(),
                    three_way: *three_way,
                    // A carrier plays what was said before it rings there: the step has more time, and so has
                    // the agent.
                    until: at + (*ring).min(RING_TIME) + serving.until.since(at + *ring),
                };
                return self.distribution.ask_agent(errand, &request, &serving.stage, at);
            }
            Demand::Transfer { three_way, .. } => {
                return self.transfers.ask(errand, *three_way, &serving.stage);
            }
            Demand::Callback { .. } => {
                ServiceAnswer::Callback(self.callbacks.book(&errand, &serving.demand, particulars, at))
            }
            Demand::Survey { survey } => {
                ServiceAnswer::Survey(self.surveys.store(contact, survey, particulars, at))
            }
            Demand::TicketOpen { class } => {
                ServiceAnswer::Ticket(self.tickets.open(contact, class, particulars, &self.hours, at))
            }
            Demand::TicketUpdate => ServiceAnswer::Ticket(self.tickets.update(particulars)),
            Demand::TicketLookUp => ServiceAnswer::Ticket(self.tickets.look_up(particulars)),
            Demand::Notify { .. } => {
                ServiceAnswer::Notify(self.outbox.send(contact, &serving.demand, particulars, at))
            }
            Demand::Record(demand) if self.transfers.is_on_a_line(contact) => {
                return self.recordings.ask(errand, *demand, at);
            }
            Demand::Record(demand) => ServiceAnswer::Record(self.recordings.mark(&errand, *demand, at)),
        };
        self.answered
            .entry(contact.clone())
            .or_default()
            .insert(errand.work.clone(), answer.clone());
        vec![errand.told(answer)]
    }

    /// A contact no longer waits for work: it left a queue, or an agent, or who was called.
    pub fn left(&mut self, contact: &ContactId, work: &WorkId, at: Timestamp) -> Vec<Told> {
        self.transfers.left(contact, work);
        self.distribution.left(contact, Some(work), at)
    }

    /// A contact has ended. Nothing more is answered to it.
    pub fn ended(&mut self, contact: &ContactId, at: Timestamp) -> Vec<Told> {
        self.answered.remove(contact);
        self.transfers.forget(contact);
        self.recordings.ended(contact, at);
        self.distribution.left(contact, None, at)
    }

    /// Does what is due: rings that nobody answered, wrap-ups that are over, deadlines of tickets.
    pub fn advance(&mut self, at: Timestamp) -> Vec<Told> {
        let mut told = self.distribution.advance(at);
        told.extend(self.tickets.advance(at));
        told
    }

    /// When [`advance`](Self::advance) has something to do next.
    pub fn next_wake(&self) -> Option<Timestamp> {
        [self.distribution.next_wake(), self.tickets.next_wake()]
            .into_iter()
            .flatten()
            .min()
    }

    /// What a decision about a contact may read of queues.
    pub fn readings(&self, contact: Option<&ContactId>, at: Timestamp) -> Readings {
        self.distribution.readings(contact, &self.hours, at)
    }

    /// An agent is there and free, whatever the agent did before but talk.
    ///
    /// # Errors
    /// The hotline has agents and none of that name, or the agent is in a call.
    pub fn agent_available(&mut self, agent: &str, at: Timestamp) -> Result<Vec<Told>, AgentError> {
        self.distribution.available(agent, at)
    }

    /// An agent goes away. A caller who was being offered is offered to another.
    ///
    /// # Errors
    /// The hotline has agents and none of that name, or the agent is in a call.
    pub fn agent_away(&mut self, agent: &str, at: Timestamp) -> Result<Vec<Told>, AgentError> {
        self.distribution.away(agent, at)
    }

    /// An agent answers the caller who is being offered.
    ///
    /// # Errors
    /// There is no such agent, or that caller is not being offered to the agent.
    pub fn agent_answers(
        &mut self,
        agent: &str,
        contact: &ContactId,
        at: Timestamp,
    ) -> Result<Vec<Told>, AgentError> {
        self.distribution.answers(agent, contact, at)
    }

    /// An agent's phone does not take the caller who is being offered: the caller goes to another, and the
    /// agent is offered nobody for a while. Who declines is there; who does not answer in time is away.
    ///
    /// # Errors
    /// There is no such agent, or that caller is not being offered to the agent.
    pub fn agent_declines(
        &mut self,
        agent: &str,
        contact: &ContactId,
        pause: Duration,
        at: Timestamp,
    ) -> Result<Vec<Told>, AgentError> {
        self.distribution.declines(agent, contact, pause, at)
    }

    /// An agent leaves the call with a caller; wrap-up begins.
    ///
    /// # Errors
    /// There is no such agent, or the agent does not talk to that caller.
    pub fn agent_ends(
        &mut self,
        agent: &str,
        contact: &ContactId,
        at: Timestamp,
    ) -> Result<Vec<Told>, AgentError> {
        self.distribution.ends(agent, contact, at)
    }

    /// Something came of a transfer to somebody who is no agent: it rings there, was answered,
    /// ended, or failed.
    ///
    /// # Errors
    /// The contact is not being transferred, or what came of it does not follow on what was.
    pub fn party(&mut self, contact: &ContactId, came: TransferAnswer) -> Result<Vec<Told>, TransferError> {
        self.transfers.party(contact, came)
    }

    /// The contact is on a line: it can be put through to others, and what is said on it recorded, by
    /// whoever has the line. They say what came of it, by [`party`](Self::party) and
    /// [`recorded`](Self::recorded).
    pub fn connect(&mut self, contact: &ContactId) {
        self.transfers.connect(contact);
    }

    /// What a contact on a line wanted of its recording was done, or could not be.
    pub fn recorded(&mut self, contact: &ContactId, done: bool) -> Vec<Told> {
        let Some((errand, answer)) = self.recordings.recorded(contact, done) else {
            return Vec::new();
        };
        let answer = ServiceAnswer::Record(answer);
        self.answered
            .entry(contact.clone())
            .or_default()
            .insert(errand.work.clone(), answer.clone());
        vec![errand.told(answer)]
    }

    /// An agent leaves a call that goes on without: the caller was handed over to somebody else, and
    /// wrap-up begins. The contact goes on when that somebody leaves.
    ///
    /// # Errors
    /// There is no such agent, or the agent does not talk to that caller.
    pub fn agent_hands_over(
        &mut self,
        agent: &str,
        contact: &ContactId,
        at: Timestamp,
    ) -> Result<Vec<Told>, AgentError> {
        self.distribution.hands_over(agent, contact, at)
    }

    /// Whoever a caller was handed over to has left.
    pub fn other_leaves(&mut self, contact: &ContactId) -> Vec<Told> {
        self.distribution.other_leaves(contact)
    }

    /// A ticket goes on: `dispatched`, `in-hand`, `answered`, `closed`. The contact that opened it
    /// is told of the last two, by the events that a `wait` names.
    ///
    /// # Errors
    /// There is no such ticket, or it is closed.
    pub fn ticket_goes_on(&mut self, number: &str, state: &str) -> Result<Vec<Told>, TicketError> {
        self.tickets.goes_on(number, state)
    }

    /// A callback was made, or was given up. The contact that wanted it is told.
    pub fn callback_over(&mut self, id: &str, state: CallbackState) -> Vec<Told> {
        self.callbacks.over(id, state)
    }

    /// The agents that are known, by name.
    pub fn agents(&self) -> Vec<AgentView> {
        self.distribution.agents()
    }

    /// The queues, by name.
    pub fn queues(&self, at: Timestamp) -> Vec<QueueView> {
        self.distribution.queues(&self.hours, at)
    }

    /// The callbacks, oldest first.
    pub fn callbacks(&self) -> &[Callback] {
        self.callbacks.all()
    }

    /// The tickets, by number.
    pub fn tickets(&self) -> impl Iterator<Item = &Ticket> {
        self.tickets.all()
    }

    /// The surveys that were filled in, oldest first.
    pub fn surveys(&self) -> impl Iterator<Item = &Filled> {
        self.surveys.all()
    }

    /// What the answers to a survey amount to; none without any.
    pub fn score(&self, survey: &str) -> Option<Score> {
        self.surveys.score(survey)
    }

    /// The messages that were sent, oldest first.
    pub fn messages(&self) -> impl Iterator<Item = &Message> {
        self.outbox.all()
    }

    /// What was marked in recordings, oldest first.
    pub fn recordings(&self) -> impl Iterator<Item = &Mark> {
        self.recordings.all()
    }
}

/// An event for the contact that began something. The same of the same thing is the same input.
fn happened(contact: &ContactId, event: &str, of: &str) -> Told {
    Told {
        contact: contact.clone(),
        input: Input::EventHappened {
            id: InputId::new(format!("{event} {of}")),
            event: event.into(),
        },
    }
}

/// Whom a stage says that a caller talks to.
fn talks_to(stage: &Stage) -> Option<&Option<Arc<str>>> {
    match stage {
        Stage::Talking { agent } => Some(agent),
        Stage::Asked | Stage::Waiting(_) | Stage::Ringing => None,
    }
}

#[cfg(test)]
mod tests;
