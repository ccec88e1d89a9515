//! What a contact asks of services, and what they answer.
//!
//! A service is whoever does for a contact what no plugin does: a queue and its agents, a
//! transfer, callbacks, tickets, surveys, messages, recordings. A step that needs one emits
//! [`Fact::ServiceAsked`](crate::Fact::ServiceAsked) with a [`Demand`], which holds names and
//! times only, and [`Particulars`], which are personal; the contact then waits in
//! [`State::Serving`](crate::session::State::Serving), and
//! [`Session::pending`](crate::Session::pending) shows the work to whoever drives services.
//!
//! - The work's id is the same for all attempts: a service that is asked again under an id it
//!   knows answers as before, and does nothing twice.
//! - A queue and a transfer answer several times, the others once. An answer counts only for the
//!   work and attempt that are pending; any other is recorded as late and moves nothing.
//! - A contact that leaves work before it is done (by a key, by hanging up, by time, by its end)
//!   says so by [`Fact::ServiceLeft`](crate::Fact::ServiceLeft), in the same decision. Services
//!   are told by that event and not by a pending cancellation: to be left needs no answer, and a
//!   service that missed the event, since the node stopped, finds out when nobody asks for the
//!   work again.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use trunkline_model::{ContactId, Duration, PromptKey, Timestamp, Value, WorkId};

/// What is asked of a service, without what is personal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Demand {
    /// A place in a queue, and an agent. A named agent is the party of the [`Particulars`].
    Queue {
        /// The queue.
        queue: Arc<str>,
        /// Skills that the agent must have besides the queue's own.
        skills: Vec<Arc<str>>,
        /// Higher is served first.
        priority: i64,
        /// Since when the caller waits: after a restart the place is kept by it.
        since: Timestamp,
        /// The longest wait.
        max: Duration,
    },
    /// A connection to somebody else, who is the party of the [`Particulars`].
    Transfer {
        /// What kind of party it is.
        to: Destination,
        /// Whether the flow's caller and both others stay connected.
        three_way: bool,
        /// How long it rings.
        ring: Duration,
    },
    /// A ring-back to the party of the [`Particulars`].
    Callback {
        /// The queue that rings back.
        queue: Arc<str>,
        /// Within what time.
        within: Duration,
        /// How often it is tried.
        attempts: u32,
        /// The pause between two tries.
        every: Duration,
        /// The calendar within whose hours it rings.
        window: Option<Arc<str>>,
    },
    /// The keeping of a survey's answers, which are the fields of the [`Particulars`].
    Survey {
        /// The survey.
        survey: Arc<str>,
    },
    /// A new ticket of the caller's, who is the party of the [`Particulars`].
    TicketOpen {
        /// Its class.
        class: Arc<str>,
    },
    /// Something added to the ticket that the reference of the [`Particulars`] names.
    TicketUpdate,
    /// The ticket that the reference of the [`Particulars`] names; without one, the latest of
    /// the caller, who is the party.
    TicketLookUp,
    /// A message to the party of the [`Particulars`].
    Notify {
        /// By which channel.
        channel: Arc<str>,
        /// The prompt's key, unless it is written in the flow.
        prompt: Option<PromptKey>,
        /// The text's language.
        language: Arc<str>,
    },
    /// Something done to the contact's recording.
    Record(RecordDemand),
}

/// What kind of party a `transfer` goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Destination {
    /// A number or SIP address.
    Address,
    /// An agent, by name.
    Agent,
    /// Another number of a hotline.
    Hotline,
}

/// What is done to a contact's recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordDemand {
    /// It starts.
    Start,
    /// It stops for good.
    Stop,
    /// It pauses.
    Pause,
    /// It goes on.
    Resume,
    /// What was said between two times is kept as a message.
    Message {
        /// When the caller began.
        from: Timestamp,
        /// When the caller had finished.
        until: Timestamp,
    },
}

/// The name of the recording that a demand is about: what its answer says, and what the file is called
/// where there is one.
pub fn recording_name(contact: &ContactId, work: &WorkId, demand: RecordDemand) -> String {
    match demand {
        RecordDemand::Message { .. } => format!("message-{work}"),
        RecordDemand::Start | RecordDemand::Stop | RecordDemand::Pause | RecordDemand::Resume => {
            format!("contact-{contact}")
        }
    }
}

/// What is personal of a demand.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Particulars {
    /// Whom it is about: a number, an address, an agent's name.
    pub party: Option<Arc<str>>,
    /// What it is about: a ticket's number.
    pub reference: Option<Arc<str>>,
    /// A message's text.
    pub text: Option<Arc<str>>,
    /// What is written: a ticket's fields, the answers of a survey.
    pub fields: BTreeMap<Arc<str>, Value>,
}

/// What a service answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceAnswer {
    /// To [`Demand::Queue`].
    Queue(QueueAnswer),
    /// To [`Demand::Transfer`].
    Transfer(TransferAnswer),
    /// To [`Demand::Callback`].
    Callback(CallbackAnswer),
    /// To [`Demand::Survey`].
    Survey(SurveyAnswer),
    /// To the demands of tickets.
    Ticket(TicketAnswer),
    /// To [`Demand::Notify`].
    Notify(NotifyAnswer),
    /// To [`Demand::Record`].
    Record(RecordAnswer),
}

/// What a queue answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QueueAnswer {
    /// The caller has a place, or another place than before.
    Joined {
        /// The place, counted from 1.
        position: u32,
        /// The estimated wait.
        wait: Duration,
    },
    /// The caller was offered to an agent, who has not taken the call yet.
    Offered {
        /// The agent.
        agent: Arc<str>,
    },
    /// The agent to whom the caller was offered did not take the call.
    NotTaken {
        /// The agent.
        agent: Arc<str>,
    },
    /// An agent took the call.
    AgentJoined {
        /// The agent.
        agent: Arc<str>,
    },
    /// The agent left the call.
    AgentLeft,
    /// As many wait as may.
    Full,
    /// The queue's calendar is closed.
    Closed,
    /// Nobody is there who could serve the caller.
    NoAgents,
    /// The queue could not do it.
    Failed,
}

/// What comes of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TransferAnswer {
    /// It rings there.
    Ringing,
    /// Somebody answered.
    Answered,
    /// Somebody answered, and stays in the call while the flow goes on (`three-way`).
    Joined,
    /// The other side left.
    OtherLegEnded,
    /// The line is busy.
    Busy,
    /// Nobody answered.
    NoAnswer,
    /// There is no connection.
    Failed,
}

/// What comes of a callback that is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallbackAnswer {
    /// It is booked.
    Booked {
        /// Its id.
        id: Arc<str>,
        /// By when it is promised.
        due: Timestamp,
    },
    /// The number has one already.
    Duplicate {
        /// The id of that one.
        id: Arc<str>,
    },
    /// It is not booked.
    Refused,
}

/// What comes of a survey's answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SurveyAnswer {
    /// They are kept.
    Stored,
    /// They are not.
    Failed,
}

/// What comes of a ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TicketAnswer {
    /// It was opened.
    Opened(TicketState),
    /// It was found.
    Found(TicketState),
    /// It was added to.
    Updated {
        /// Its number.
        number: Arc<str>,
    },
    /// The caller has one of the class that is open.
    Duplicate {
        /// The number of that one.
        number: Arc<str>,
    },
    /// There is none, or it may not be.
    Refused,
}

/// How a ticket stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketState {
    /// Its number.
    pub number: Arc<str>,
    /// Its class.
    pub class: Arc<str>,
    /// The department that handles it.
    pub department: Arc<str>,
    /// How far it has come: `accepted`, `answered`, `closed` …
    pub state: Arc<str>,
    /// Until when it is to be answered.
    pub due: Timestamp,
}

/// What comes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NotifyAnswer {
    /// It is on its way.
    Sent,
    /// It is not.
    Failed,
}

/// What comes of a demand about a recording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordAnswer {
    /// It was done.
    Done {
        /// The recording's name.
        recording: Arc<str>,
    },
    /// The caller left no message.
    Declined,
    /// It could not be done.
    Failed,
}

/// Work that a service does for a contact.
#[derive(Clone, Debug, PartialEq)]
pub struct Serving {
    /// The event that asked for it first.
    pub seq: u64,
    /// The work, the same for all its attempts.
    pub work: WorkId,
    /// The attempt under way, counted from 1.
    pub attempt: u32,
    /// What was asked.
    pub demand: Demand,
    /// What of it is personal.
    pub particulars: Particulars,
    /// When the wait is over.
    pub until: Timestamp,
    /// How far it has come.
    pub stage: Stage,
}

/// How far a service has come with its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Nothing was answered yet.
    Asked,
    /// The caller has a place in a queue.
    Waiting(Waiting),
    /// It rings where the caller is transferred to.
    Ringing,
    /// The caller talks to an agent, or to whom the call was transferred.
    Talking {
        /// The agent.
        agent: Option<Arc<str>>,
    },
}

/// A caller who waits in a queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// The place as the queue said it last, counted from 1.
    pub position: u32,
    /// The estimated wait as the queue said it last.
    pub wait: Duration,
    /// When the next announcement is due.
    pub announcement: Option<Timestamp>,
    /// When the next offer is due.
    pub offer: Option<Timestamp>,
    /// How many of the step's offers were made, in the order of their times.
    pub offered: usize,
    /// The agent to whom the caller is being offered.
    pub ringing: Option<Arc<str>>,
}

impl Demand {
    /// The name of the service, as flows write its verb.
    pub const fn service(&self) -> &'static str {
        match self {
            Self::Queue { .. } => "queue",
            Self::Transfer { .. } => "transfer",
            Self::Callback { .. } => "callback",
            Self::Survey { .. } => "survey",
            Self::TicketOpen { .. } | Self::TicketUpdate | Self::TicketLookUp => "ticket",
            Self::Notify { .. } => "notify",
            Self::Record(_) => "record",
        }
    }

    /// Whether the caller has to stay for it. Work that needs no caller is finished and
    /// recorded although the caller left.
    pub const fn needs_caller(&self) -> bool {
        matches!(self, Self::Queue { .. } | Self::Transfer { .. })
    }
}

impl ServiceAnswer {
    /// Whether it answers a demand of this kind.
    pub const fn fits(&self, demand: &Demand) -> bool {
        match self {
            Self::Queue(_) => matches!(demand, Demand::Queue { .. }),
            Self::Transfer(_) => matches!(demand, Demand::Transfer { .. }),
            Self::Callback(_) => matches!(demand, Demand::Callback { .. }),
            Self::Survey(_) => matches!(demand, Demand::Survey { .. }),
            Self::Ticket(_) => matches!(
                demand,
                Demand::TicketOpen { .. } | Demand::TicketUpdate | Demand::TicketLookUp
            ),
            Self::Notify(_) => matches!(demand, Demand::Notify { .. }),
            Self::Record(_) => matches!(demand, Demand::Record(_)),
        }
    }

    /// Whether the work is done with it; else the contact goes on waiting.
    pub const fn is_final(&self) -> bool {
        !matches!(
            self,
            Self::Queue(
                QueueAnswer::Joined { .. }
                    | QueueAnswer::Offered { .. }
                    | QueueAnswer::NotTaken { .. }
                    | QueueAnswer::AgentJoined { .. }
            ) | Self::Transfer(TransferAnswer::Ringing | TransferAnswer::Answered)
        )
    }
}

impl Serving {
    /// When the contact has to be woken: the next announcement or offer, or the end of the wait.
    pub fn wake(&self) -> Timestamp {
        let sooner = match &self.stage {
            Stage::Waiting(waiting) => [waiting.announcement, waiting.offer],
            Stage::Asked | Stage::Ringing | Stage::Talking { .. } => [None, None],
        };
        sooner.into_iter().flatten().fold(self.until, Timestamp::min)
    }

    /// Whether the caller waits in a queue.
    pub const fn is_waiting(&self) -> bool {
        matches!(self.stage, Stage::Waiting(_))
    }
}

impl TicketState {
    /// The record that flows see: [`trunkline_flow::hotline::ticket_type`].
    pub fn to_value(&self) -> Value {
        Value::record([
            ("number", Value::Text(self.number.clone())),
            ("class", Value::Text(self.class.clone())),
            ("department", Value::Text(self.department.clone())),
            ("state", Value::Text(self.state.clone())),
            ("due", Value::Time(self.due)),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sooner_of_announcement_offer_and_end_wakes() {
        let at = Timestamp::from_millis;
        let mut serving = Serving {
            seq: 1,
            work: "w".into(),
            attempt: 1,
            demand: Demand::TicketUpdate,
            particulars: Particulars::default(),
            until: at(100),
            stage: Stage::Asked,
        };
        assert_eq!(serving.wake(), at(100));
        serving.stage = Stage::Waiting(Waiting {
            announcement: Some(at(40)),
            offer: Some(at(60)),
            ..Waiting::default()
        });
        assert_eq!(serving.wake(), at(40));
        serving.stage = Stage::Waiting(Waiting {
            offer: Some(at(160)),
            ..Waiting::default()
        });
        assert_eq!(serving.wake(), at(100));
    }

    #[test]
    fn a_ticket_is_the_record_that_the_checker_typed() {
        let ticket = TicketState {
            number: "t-1".into(),
            class: "noise".into(),
            department: "environment".into(),
            state: "accepted".into(),
            due: Timestamp::from_millis(1),
        };
        let value = ticket.to_value();
        let trunkline_model::Type::Record(record) = trunkline_flow::hotline::ticket_type() else {
            panic!("a ticket is a record");
        };
        for field in &record.fields {
            assert!(value.field(&field.name).is_some(), "{}", field.name);
        }
    }
}
