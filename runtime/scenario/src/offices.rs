//! Services that answer as a scenario says, in the place of those in memory: for what they do not
//! do by themselves at a scenario's wish, such as being full or out of order.

use std::{collections::BTreeMap, sync::Arc};

use trunkline_engine::{
    QueueReading,
    service::{
        CallbackAnswer, Demand, NotifyAnswer, QueueAnswer, RecordAnswer, ServiceAnswer, Serving,
        SurveyAnswer, TicketAnswer, TransferAnswer,
    },
};
use trunkline_flow::scenario::ServiceMock;
use trunkline_model::Duration;

/// The name of what a mocked service books or finds.
const NAME: &str = "as-the-scenario-says";

/// What a scenario's `services` answer.
#[derive(Debug, Default)]
pub struct Offices {
    mocks: Vec<ServiceMock>,
    /// How many answers of each mock have been given.
    given: Vec<usize>,
}

impl Offices {
    /// The services of a scenario.
    pub fn new(mocks: &[ServiceMock]) -> Self {
        Self {
            mocks: mocks.to_vec(),
            given: vec![0; mocks.len()],
        }
    }

    /// What is answered to a demand, in order; none when the scenario says nothing of it.
    pub(crate) fn answer(&mut self, serving: &Serving) -> Option<Vec<ServiceAnswer>> {
        let name = name(&serving.demand);
        let index = self.mocks.iter().position(|mock| *mock.service == name)?;
        let mock = &self.mocks[index];
        let answer = if mock.repeated {
            mock.answers.first()?
        } else {
            let next = mock.answers.get(self.given[index])?;
            self.given[index] += 1;
            next
        };
        answers(&serving.demand, answer)
    }

    /// Takes what a scenario says of how queues are.
    pub(crate) fn read(&self, queues: &mut BTreeMap<Arc<str>, QueueReading>) {
        for mock in &self.mocks {
            let Some((queue, field)) = mock
                .service
                .strip_prefix("queue.")
                .and_then(|name| name.rsplit_once('.'))
            else {
                continue;
            };
            let (Some(reading), Some(value)) = (queues.get_mut(queue), mock.answers.first()) else {
                continue;
            };
            let count = value.parse().unwrap_or_default();
            match field {
                "waiting" => reading.waiting = count,
                "agents" => reading.agents = count,
                "wait" => reading.wait = value.parse().unwrap_or_default(),
                _ => {}
            }
        }
    }
}

/// A service as a scenario names it.
fn name(demand: &Demand) -> String {
    match demand {
        Demand::Queue { queue, .. } => format!("queue.{queue}"),
        Demand::Transfer { .. } => "transfer".to_owned(),
        Demand::Callback { .. } => "callback".to_owned(),
        Demand::Survey { .. } => "survey".to_owned(),
        Demand::TicketOpen { .. } | Demand::TicketUpdate | Demand::TicketLookUp => "ticket".to_owned(),
        Demand::Notify { .. } => "notify".to_owned(),
        Demand::Record(_) => "record".to_owned(),
    }
}

fn answers(demand: &Demand, word: &str) -> Option<Vec<ServiceAnswer>> {
    use ServiceAnswer::{Callback, Notify, Queue, Record, Survey, Ticket, Transfer};
    let joined = Queue(QueueAnswer::Joined {
        position: 1,
        wait: Duration::default(),
    });
    Some(match (demand, word) {
        (Demand::Queue { .. }, "waits") => vec![joined],
        (Demand::Queue { .. }, "served") => vec![
            joined,
            Queue(QueueAnswer::AgentJoined { agent: NAME.into() }),
            Queue(QueueAnswer::AgentLeft),
        ],
        (Demand::Queue { .. }, "full") => vec![Queue(QueueAnswer::Full)],
        (Demand::Queue { .. }, "closed") => vec![Queue(QueueAnswer::Closed)],
        (Demand::Queue { .. }, "no-agents") => vec![Queue(QueueAnswer::NoAgents)],
        (Demand::Queue { .. }, "failed") => vec![Queue(QueueAnswer::Failed)],
        (Demand::Transfer { .. }, "rings") => vec![Transfer(TransferAnswer::Ringing)],
        (Demand::Transfer { three_way: true, .. }, "served") => vec![
            Transfer(TransferAnswer::Ringing),
            Transfer(TransferAnswer::Joined),
        ],
        (Demand::Transfer { .. }, "served") => vec![
            Transfer(TransferAnswer::Ringing),
            Transfer(TransferAnswer::Answered),
            Transfer(TransferAnswer::OtherLegEnded),
        ],
        (Demand::Transfer { .. }, "busy") => vec![Transfer(TransferAnswer::Busy)],
        (Demand::Transfer { .. }, "no-answer") => vec![Transfer(TransferAnswer::NoAnswer)],
        (Demand::Transfer { .. }, "failed") => vec![Transfer(TransferAnswer::Failed)],
        (Demand::Callback { .. }, "duplicate") => {
            vec![Callback(CallbackAnswer::Duplicate { id: NAME.into() })]
        }
        (Demand::Callback { .. }, "refused") => vec![Callback(CallbackAnswer::Refused)],
        (Demand::Survey { .. }, "failed") => vec![Survey(SurveyAnswer::Failed)],
        (Demand::TicketOpen { .. } | Demand::TicketUpdate | Demand::TicketLookUp, "duplicate") => {
            vec![Ticket(TicketAnswer::Duplicate { number: NAME.into() })]
        }
        (Demand::TicketOpen { .. } | Demand::TicketUpdate | Demand::TicketLookUp, "refused") => {
            vec![Ticket(TicketAnswer::Refused)]
        }
        (Demand::Notify { .. }, "failed") => vec![Notify(NotifyAnswer::Failed)],
        // In memory a message that nothing was said in is none.
        (Demand::Record(_), "done") => vec![Record(RecordAnswer::Done {
            recording: NAME.into(),
        })],
        (Demand::Record(_), "declined") => vec![Record(RecordAnswer::Declined)],
        (Demand::Record(_), "failed") => vec![Record(RecordAnswer::Failed)],
        // What is asked for works as it does in memory.
        _ => return None,
    })
}
