//! Queues, and which caller goes to which agent.
//!
//! A caller is served by an agent who has all skills of the queue and of the demand, or who is
//! the one asked for by name. Callers come in order of priority, then of since when they wait,
//! over all queues that an agent serves; of the agents who could take a caller the one free
//! longest is offered the call and has [`RING_TIME`] to answer. One who does not is away.

use std::{collections::BTreeMap, sync::Arc};

use trunkline_flow::hotline::{Hotline, QueueSpec};
use trunkline_model::{ContactId, Duration, Timestamp, WorkId};

use super::{
    AGENTS_MAX, Errand, HANDLING_TIME_FIRST, Hours, RING_TIME, Told, WRAP_UP_TIME,
    agents::{Agent, AgentError, AgentView, Call, Doing},
    talks_to,
};
use crate::{
    Place, QueueReading, Readings,
    service::{Demand, QueueAnswer, ServiceAnswer, Serving, Stage, TransferAnswer},
};

/// A queue as others see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueView {
    /// The queue's name.
    pub name: Arc<str>,
    /// How it is now.
    pub reading: QueueReading,
    /// Within what time callers should be answered, if it says.
    pub target: Option<Duration>,
    /// Those who wait, the next first, and since when each.
    pub callers: Vec<(ContactId, Timestamp)>,
}

/// Queues and agents.
#[derive(Clone, Debug, Default)]
pub(super) struct Distribution {
    queues: BTreeMap<Arc<str>, Queue>,
    agents: BTreeMap<Arc<str>, Agent>,
    /// Whether the hotline says who its agents are. If not, whoever comes is one, with all skills.
    has_list: bool,
    /// How many callers have come, to tell apart those who came at once.
    arrivals: u64,
    /// Calls whose agent has left, and handed the caller over to somebody who is no agent here.
    handed_over: BTreeMap<ContactId, Call>,
}

/// One agent whom a transfer asks for.
pub(super) struct AgentRequest<'a> {
    /// The agent's name.
    pub(super) agent: &'a str,
    /// Whether the caller's flow goes on once the agent has answered.
    pub(super) three_way: bool,
    /// Until when it rings.
    pub(super) until: Timestamp,
}

#[derive(Clone, Debug)]
struct Queue {
    spec: QueueSpec,
    /// Those who wait, in the order in which they are served.
    waiting: Vec<Caller>,
    /// How long a call takes, on the average of those handled lately.
    handling: Duration,
}

#[derive(Clone, Debug)]
struct Caller {
    errand: Errand,
    priority: i64,
    since: Timestamp,
    arrival: u64,
    skills: Vec<Arc<str>>,
    /// The one agent who is wanted.
    agent: Option<Arc<str>>,
    /// The agent to whom the call is being offered.
    offered: Option<Arc<str>>,
}

impl Caller {
    fn rank(&self) -> (std::cmp::Reverse<i64>, Timestamp, u64) {
        (std::cmp::Reverse(self.priority), self.since, self.arrival)
    }

    fn told(&self, answer: QueueAnswer) -> Told {
        self.errand.told(ServiceAnswer::Queue(answer))
    }
}

impl Distribution {
    pub(super) fn configure(&mut self, hotline: &Hotline) {
        for (name, spec) in &hotline.queues {
            match self.queues.get_mut(name) {
                Some(queue) => queue.spec = spec.clone(),
                None => {
                    let queue = Queue {
                        spec: spec.clone(),
                        waiting: Vec::new(),
                        handling: HANDLING_TIME_FIRST,
                    };
                    self.queues.insert(name.clone(), queue);
                }
            }
        }
        self.queues
            .retain(|name, queue| hotline.queues.contains_key(name) || !queue.waiting.is_empty());
        self.has_list = !hotline.agents.is_empty();
        for (name, agent) in &hotline.agents {
            let skills = Some(agent.skills.iter().cloned().collect());
            match self.agents.get_mut(name) {
                Some(known) => known.skills = skills,
                None => {
                    let agent = Agent::away(skills, Timestamp::default());
                    self.agents.insert(name.clone(), agent);
                }
            }
        }
        // Who is no longer in the list leaves when the call is over.
        let has_list = self.has_list;
        self.agents
            .retain(|name, agent| !has_list || hotline.agents.contains_key(name) || agent.call().is_some());
    }

    /// A caller asks for a place in a queue, or asks again for the one it has.
    pub(super) fn ask(
        &mut self,
        errand: Errand,
        serving: &Serving,
        hours: &Hours,
        at: Timestamp,
    ) -> Vec<Told> {
        let Demand::Queue {
            queue: name,
            skills,
            priority,
            since,
            ..
        } = &serving.demand
        else {
            return vec![errand.told(ServiceAnswer::Queue(QueueAnswer::Failed))];
        };
        if let Some(told) = self.known(&errand) {
            return told;
        }
        // A contact that knows whom it talks to has been here before a restart.
        if let Some(Some(agent)) = talks_to(&serving.stage) {
            let call = Call {
                errand: errand.clone(),
                queue: Some(name.clone()),
                three_way: false,
            };
            return vec![errand.told(ServiceAnswer::Queue(self.goes_on_talking(agent, call, at)))];
        }
        let keeps_place = matches!(serving.stage, Stage::Waiting(_));
        let wanted = serving.particulars.party.clone();
        let Some(queue) = self.queues.get(name) else {
            return vec![errand.told(ServiceAnswer::Queue(QueueAnswer::Failed))];
        };
        let refusal = if keeps_place {
            None
        } else if !hours.is_open(&queue.spec.calendar, at) {
            Some(QueueAnswer::Closed)
        } else if queue.waiting.len() >= usize::try_from(queue.spec.waiting_max).unwrap_or(usize::MAX) {
            Some(QueueAnswer::Full)
        } else if !self.somebody_could_serve(&queue.spec, skills, wanted.as_ref()) {
            Some(QueueAnswer::NoAgents)
        } else {
            None
        };
        if let Some(answer) = refusal {
            return vec![errand.told(ServiceAnswer::Queue(answer))];
        }
        self.arrivals += 1;
        let caller = Caller {
            errand: errand.clone(),
            priority: *priority,
            since: *since,
            arrival: self.arrivals,
            skills: skills.clone(),
            agent: wanted,
            offered: None,
        };
        if let Some(queue) = self.queues.get_mut(name) {
            let place = queue
                .waiting
                .partition_point(|other| other.rank() <= caller.rank());
            queue.waiting.insert(place, caller);
        }
        let mut told: Vec<Told> = self.place(&errand.contact).map_or_else(Vec::new, |place| {
            vec![errand.told(ServiceAnswer::Queue(QueueAnswer::Joined {
                position: place.position,
                wait: place.wait,
            }))]
        });
        told.extend(self.distribute(at));
        told
    }

    /// A caller asks for one agent, by a transfer.
    pub(super) fn ask_agent(
        &mut self,
        errand: Errand,
        request: &AgentRequest<'_>,
        stage: &Stage,
        at: Timestamp,
    ) -> Vec<Told> {
        if let Some(told) = self.known(&errand) {
            return told;
        }
        let call = Call {
            errand: errand.clone(),
            queue: None,
            // Who talks already, as before a restart, is waited for as the contact has it.
            three_way: request.three_way && talks_to(stage).is_none(),
        };
        let answer = if talks_to(stage).is_some() {
            match self.goes_on_talking(&Arc::from(request.agent), call, at) {
                QueueAnswer::AgentJoined { .. } => TransferAnswer::Answered,
                _ => TransferAnswer::OtherLegEnded,
            }
        } else {
            match self.agents.get_mut(request.agent) {
                None => TransferAnswer::Failed,
                Some(agent) => match agent.doing {
                    Doing::Away => TransferAnswer::NoAnswer,
                    Doing::Ringing { .. } | Doing::Talking { .. } => TransferAnswer::Busy,
                    // Who is asked for by name is asked in wrap-up, too.
                    Doing::Available | Doing::WrapUp { .. } => {
                        let until = request.until;
                        agent.does(Doing::Ringing { call, until }, at);
                        TransferAnswer::Ringing
                    }
                },
            }
        };
        vec![errand.told(ServiceAnswer::Transfer(answer))]
    }

    /// Answers work that is known as before, under the attempt that asks now.
    fn known(&mut self, errand: &Errand) -> Option<Vec<Told>> {
        for (name, agent) in &mut self.agents {
            let (call, talks) = match &mut agent.doing {
                Doing::Talking { call } => (call, true),
                Doing::Ringing { call, .. } => (call, false),
                Doing::Away | Doing::Available | Doing::WrapUp { .. } => continue,
            };
            if call.errand.contact != errand.contact || call.errand.work != errand.work {
                continue;
            }
            call.errand.attempt = errand.attempt;
            match (&call.queue, talks) {
                (None, true) => return Some(vec![errand.told(call.answered())]),
                (None, false) => {
                    return Some(vec![
                        errand.told(ServiceAnswer::Transfer(TransferAnswer::Ringing)),
                    ]);
                }
                (Some(_), true) => {
                    let agent = name.clone();
                    let answer = QueueAnswer::AgentJoined { agent };
                    return Some(vec![errand.told(ServiceAnswer::Queue(answer))]);
                }
                // Still in the queue while it rings.
                (Some(_), false) => {}
            }
        }
        let caller = self
            .queues
            .values_mut()
            .flat_map(|queue| &mut queue.waiting)
            .find(|caller| caller.errand.contact == errand.contact && caller.errand.work == errand.work)?;
        caller.errand.attempt = errand.attempt;
        let place = self.place(&errand.contact)?;
        Some(vec![errand.told(ServiceAnswer::Queue(QueueAnswer::Joined {
            position: place.position,
            wait: place.wait,
        }))])
    }

    /// An agent has a call that was there before a restart.
    fn goes_on_talking(&mut self, name: &Arc<str>, call: Call, at: Timestamp) -> QueueAnswer {
        if let Err(AgentError::Unknown(_) | AgentError::TooMany(_)) = self.agent_mut(name, at).map(|_| ()) {
            return QueueAnswer::AgentLeft;
        }
        match self.agents.get_mut(name) {
            Some(agent) if agent.call().is_none() => {
                agent.does(Doing::Talking { call }, at);
                QueueAnswer::AgentJoined { agent: name.clone() }
            }
            // Somebody else has the agent by now.
            _ => QueueAnswer::AgentLeft,
        }
    }

    /// Whether anybody is there who could serve such a caller. Where nobody says who the agents
    /// are, somebody may come.
    fn somebody_could_serve(&self, spec: &QueueSpec, skills: &[Arc<str>], wanted: Option<&Arc<str>>) -> bool {
        if !self.has_list {
            return true;
        }
        self.agents
            .iter()
            .any(|(name, agent)| agent.is_there() && suits(name, agent, spec, skills, wanted))
    }

    /// Offers callers to agents who are free, as long as there are both.
    fn distribute(&mut self, at: Timestamp) -> Vec<Told> {
        let mut told = Vec::new();
        let mut callers: Vec<(Arc<str>, Caller)> = self
            .queues
            .iter()
            .flat_map(|(name, queue)| {
                let waiting = queue.waiting.iter().filter(|caller| caller.offered.is_none());
                waiting.map(move |caller| (name.clone(), caller.clone()))
            })
            .collect();
        callers.sort_by_key(|(_, caller)| caller.rank());
        for (queue_name, caller) in callers {
            if !self.agents.values().any(|agent| agent.doing == Doing::Available) {
                break;
            }
            let Some(queue) = self.queues.get_mut(&queue_name) else {
                continue;
            };
            let longest_free = self
                .agents
                .iter_mut()
                .filter(|(name, agent)| {
                    agent.doing == Doing::Available
                        && suits(name, agent, &queue.spec, &caller.skills, caller.agent.as_ref())
                })
                .min_by_key(|(_, agent)| agent.since);
            let Some((name, agent)) = longest_free else {
                continue;
            };
            let call = Call {
                errand: caller.errand.clone(),
                queue: Some(queue_name.clone()),
                three_way: false,
            };
            let until = at + RING_TIME;
            agent.does(Doing::Ringing { call, until }, at);
            if let Some(waits) = queue
                .waiting
                .iter_mut()
                .find(|waits| waits.errand == caller.errand)
            {
                waits.offered = Some(name.clone());
            }
            told.push(caller.told(QueueAnswer::Offered { agent: name.clone() }));
        }
        told
    }

    /// A caller is no longer there: for one piece of work, or for all.
    pub(super) fn left(&mut self, contact: &ContactId, work: Option<&WorkId>, at: Timestamp) -> Vec<Told> {
        let is_it =
            |errand: &Errand| errand.contact == *contact && work.is_none_or(|work| errand.work == *work);
        for queue in self.queues.values_mut() {
            queue.waiting.retain(|caller| !is_it(&caller.errand));
        }
        if self
            .handed_over
            .get(contact)
            .is_some_and(|call| is_it(&call.errand))
        {
            self.handed_over.remove(contact);
        }
        let mut freed = false;
        let mut handled = Vec::new();
        for agent in self.agents.values_mut() {
            let Some(call) = agent.call().filter(|call| is_it(&call.errand)).cloned() else {
                continue;
            };
            let talks = matches!(agent.doing, Doing::Talking { .. });
            if talks && call.three_way && work.is_some() {
                // The contact has gone on, and the agent with it.
                continue;
            }
            freed = true;
            if talks {
                handled.push((call.queue, at.since(agent.since)));
                let until = at + WRAP_UP_TIME;
                agent.does(Doing::WrapUp { until }, at);
            } else {
                agent.does(Doing::Available, at);
            }
        }
        for (queue, time) in handled {
            self.handled(queue.as_ref(), time);
        }
        if freed { self.distribute(at) } else { Vec::new() }
    }

    pub(super) fn advance(&mut self, at: Timestamp) -> Vec<Told> {
        let mut told = Vec::new();
        for (name, agent) in &mut self.agents {
            match &agent.doing {
                Doing::WrapUp { until } if *until <= at => {
                    let since = *until;
                    agent.does(Doing::Available, since);
                }
                Doing::Ringing { call, until } if *until <= at => {
                    let call = call.clone();
                    agent.does(Doing::Away, at);
                    match call.queue {
                        Some(queue) => {
                            let agent = name.clone();
                            let answer = ServiceAnswer::Queue(QueueAnswer::NotTaken { agent });
                            told.push(call.errand.told(answer));
                            let waiting = self.queues.get_mut(&queue).map(|queue| &mut queue.waiting);
                            let mut waiting = waiting.into_iter().flatten();
                            if let Some(caller) = waiting.find(|caller| caller.errand == call.errand) {
                                caller.offered = None;
                            }
                        }
                        None => {
                            let answer = ServiceAnswer::Transfer(TransferAnswer::NoAnswer);
                            told.push(call.errand.told(answer));
                        }
                    }
                }
                _ => {}
            }
        }
        told.extend(self.distribute(at));
        told
    }

    pub(super) fn next_wake(&self) -> Option<Timestamp> {
        self.agents
            .values()
            .filter_map(|agent| match &agent.doing {
                Doing::Ringing { until, .. } | Doing::WrapUp { until } => Some(*until),
                Doing::Away | Doing::Available | Doing::Talking { .. } => None,
            })
            .min()
    }

    /// The agent of a name, if there is one or may be one.
    fn agent_mut(&mut self, name: &str, at: Timestamp) -> Result<(&Arc<str>, &mut Agent), AgentError> {
        if !self.agents.contains_key(name) {
            if self.has_list {
                return Err(AgentError::Unknown(name.to_owned()));
            }
            if self.agents.len() >= AGENTS_MAX {
                return Err(AgentError::TooMany(AGENTS_MAX));
            }
            self.agents.insert(name.into(), Agent::away(None, at));
        }
        self.agents
            .iter_mut()
            .find(|(known, _)| ***known == *name)
            .ok_or_else(|| AgentError::Unknown(name.to_owned()))
    }

    pub(super) fn available(&mut self, name: &str, at: Timestamp) -> Result<Vec<Told>, AgentError> {
        let (_, agent) = self.agent_mut(name, at)?;
        match &agent.doing {
            Doing::Talking { call } => {
                return Err(AgentError::Talking {
                    agent: name.to_owned(),
                    contact: call.errand.contact.clone(),
                });
            }
            Doing::Available | Doing::Ringing { .. } => return Ok(Vec::new()),
            Doing::Away | Doing::WrapUp { .. } => agent.does(Doing::Available, at),
        }
        Ok(self.distribute(at))
    }

    pub(super) fn away(&mut self, name: &str, at: Timestamp) -> Result<Vec<Told>, AgentError> {
        let (_, agent) = self.agent_mut(name, at)?;
        match &mut agent.doing {
            Doing::Talking { call } => Err(AgentError::Talking {
                agent: name.to_owned(),
                contact: call.errand.contact.clone(),
            }),
            Doing::Ringing { until, .. } => {
                // As if nobody had answered.
                *until = at;
                Ok(self.advance(at))
            }
            Doing::Away => Ok(Vec::new()),
            Doing::Available | Doing::WrapUp { .. } => {
                agent.does(Doing::Away, at);
                Ok(Vec::new())
            }
        }
    }

    pub(super) fn answers(
        &mut self,
        name: &str,
        contact: &ContactId,
        at: Timestamp,
    ) -> Result<Vec<Told>, AgentError> {
        let (name, agent) = self.agent_mut(name, at)?;
        let call = match &agent.doing {
            Doing::Ringing { call, .. } if call.errand.contact == *contact => call.clone(),
            // Said twice, it is done once.
            Doing::Talking { call } if call.errand.contact == *contact => return Ok(Vec::new()),
            _ => {
                return Err(AgentError::NotOffered {
                    agent: name.to_string(),
                    contact: contact.clone(),
                });
            }
        };
        let name = name.clone();
        agent.does(Doing::Talking { call: call.clone() }, at);
        let answer = match &call.queue {
            None => call.answered(),
            Some(queue) => {
                if let Some(queue) = self.queues.get_mut(queue) {
                    queue.waiting.retain(|caller| caller.errand != call.errand);
                }
                ServiceAnswer::Queue(QueueAnswer::AgentJoined { agent: name })
            }
        };
        Ok(vec![call.errand.told(answer)])
    }

    /// An agent's phone does not take the caller who is offered: the caller goes to another, and the agent is
    /// left alone for a while.
    pub(super) fn declines(
        &mut self,
        name: &str,
        contact: &ContactId,
        pause: Duration,
        at: Timestamp,
    ) -> Result<Vec<Told>, AgentError> {
        let (name, agent) = self.agent_mut(name, at)?;
        let call = match &agent.doing {
            Doing::Ringing { call, .. } if call.errand.contact == *contact => call.clone(),
            _ => {
                return Err(AgentError::NotOffered {
                    agent: name.to_string(),
                    contact: contact.clone(),
                });
            }
        };
        let answer = match &call.queue {
            Some(_) => ServiceAnswer::Queue(QueueAnswer::NotTaken { agent: name.clone() }),
            None => ServiceAnswer::Transfer(TransferAnswer::Busy),
        };
        let until = at + pause;
        agent.does(Doing::WrapUp { until }, at);
        self.offered_no_more(&call);
        let mut told = vec![call.errand.told(answer)];
        told.extend(self.distribute(at));
        Ok(told)
    }

    /// A caller who was offered waits as before.
    fn offered_no_more(&mut self, call: &Call) {
        let Some(queue) = call.queue.as_ref().and_then(|name| self.queues.get_mut(name)) else {
            return;
        };
        if let Some(caller) = queue
            .waiting
            .iter_mut()
            .find(|caller| caller.errand == call.errand)
        {
            caller.offered = None;
        }
    }

    pub(super) fn ends(
        &mut self,
        name: &str,
        contact: &ContactId,
        at: Timestamp,
    ) -> Result<Vec<Told>, AgentError> {
        let call = self.leaves(name, contact, at)?;
        Ok(call.over().into_iter().collect())
    }

    /// An agent leaves the call with a caller, and wrap-up begins; gives the call.
    fn leaves(&mut self, name: &str, contact: &ContactId, at: Timestamp) -> Result<Call, AgentError> {
        let (name, agent) = self.agent_mut(name, at)?;
        let call = match &agent.doing {
            Doing::Talking { call } if call.errand.contact == *contact => call.clone(),
            _ => {
                return Err(AgentError::NotTalking {
                    agent: name.to_string(),
                    contact: contact.clone(),
                });
            }
        };
        let time = at.since(agent.since);
        let until = at + WRAP_UP_TIME;
        agent.does(Doing::WrapUp { until }, at);
        self.handled(call.queue.as_ref(), time);
        Ok(call)
    }

    /// An agent leaves a call that goes on without: the caller was handed over to somebody else.
    pub(super) fn hands_over(
        &mut self,
        name: &str,
        contact: &ContactId,
        at: Timestamp,
    ) -> Result<Vec<Told>, AgentError> {
        let call = self.leaves(name, contact, at)?;
        self.handed_over.insert(contact.clone(), call);
        Ok(Vec::new())
    }

    /// Whoever a caller was handed over to has left.
    pub(super) fn other_leaves(&mut self, contact: &ContactId) -> Vec<Told> {
        let call = self.handed_over.remove(contact);
        call.iter().filter_map(Call::over).collect()
    }

    /// Takes how long a call took into the average: an eighth of it is the call's.
    fn handled(&mut self, queue: Option<&Arc<str>>, time: Duration) {
        if let Some(queue) = queue.and_then(|name| self.queues.get_mut(name)) {
            let average = queue.handling.as_millis().saturating_mul(7) / 8;
            queue.handling = Duration::from_millis(average.saturating_add(time.as_millis() / 8));
        }
    }

    /// A caller's place in the queue it waits in.
    fn place(&self, contact: &ContactId) -> Option<Place> {
        self.queues.values().find_map(|queue| {
            let ahead = queue
                .waiting
                .iter()
                .position(|caller| caller.errand.contact == *contact)?;
            Some(Place {
                position: u32::try_from(ahead + 1).unwrap_or(u32::MAX),
                wait: self.estimate(queue, ahead),
            })
        })
    }

    /// How long a caller is likely to wait with so many ahead: each agent of the queue finishes
    /// a call in the average time, and takes the next. Nobody waits for an agent who is free.
    fn estimate(&self, queue: &Queue, ahead: usize) -> Duration {
        let serving = self.serving(queue);
        let free = serving
            .iter()
            .filter(|agent| agent.doing == Doing::Available)
            .count();
        if ahead < free {
            return Duration::default();
        }
        let rounds = u64::try_from(ahead + 1 - free).unwrap_or(u64::MAX);
        let agents = u64::try_from(serving.len().max(1)).unwrap_or(u64::MAX);
        Duration::from_millis(queue.handling.as_millis().saturating_mul(rounds) / agents)
    }

    /// The agents who are there and have the queue's skills.
    fn serving(&self, queue: &Queue) -> Vec<&Agent> {
        self.agents
            .values()
            .filter(|agent| agent.is_there() && agent.has_skills(queue.spec.skills.iter()))
            .collect()
    }

    fn reading(&self, queue: &Queue, hours: &Hours, at: Timestamp) -> QueueReading {
        QueueReading {
            open: hours.is_open(&queue.spec.calendar, at),
            waiting: u32::try_from(queue.waiting.len()).unwrap_or(u32::MAX),
            wait: self.estimate(queue, queue.waiting.len()),
            agents: u32::try_from(self.serving(queue).len()).unwrap_or(u32::MAX),
        }
    }

    pub(super) fn readings(&self, contact: Option<&ContactId>, hours: &Hours, at: Timestamp) -> Readings {
        Readings {
            queues: self
                .queues
                .iter()
                .map(|(name, queue)| (name.clone(), self.reading(queue, hours, at)))
                .collect(),
            place: contact.and_then(|contact| self.place(contact)),
        }
    }

    pub(super) fn queues(&self, hours: &Hours, at: Timestamp) -> Vec<QueueView> {
        let view = |(name, queue): (&Arc<str>, &Queue)| QueueView {
            name: name.clone(),
            reading: self.reading(queue, hours, at),
            target: queue.spec.target,
            callers: queue
                .waiting
                .iter()
                .map(|caller| (caller.errand.contact.clone(), caller.since))
                .collect(),
        };
        self.queues.iter().map(view).collect()
    }

    pub(super) fn agents(&self) -> Vec<AgentView> {
        self.agents.iter().map(|(name, agent)| agent.view(name)).collect()
    }
}

/// Whether an agent may serve a caller of a queue.
fn suits(
    name: &Arc<str>,
    agent: &Agent,
    spec: &QueueSpec,
    skills: &[Arc<str>],
    wanted: Option<&Arc<str>>,
) -> bool {
    match wanted {
        Some(wanted) => wanted == name,
        None => agent.has_skills(spec.skills.iter().chain(skills)),
    }
}
