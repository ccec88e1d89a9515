//! A contact that is led: plugins are asked, services asked, answers come when they are due,
//! time passes.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use trunkline_engine::{
    Fact, Input, Readings, Reply, Services, Utterance,
    service::TransferAnswer,
    services::{AgentState, Told},
    session::{Calling, State},
};
use trunkline_model::{CallId, ContactId, Duration, InputId, Outcome, Timestamp, WorkId};

use crate::{Contact, Offices};

/// How often a contact may be moved on without its caller: past it, it goes round in circles.
pub(crate) const MOVES_MAX: usize = 10_000;

/// What plugins answer.
pub trait Plugins {
    /// Answers a call that a contact waits for; none when the answer is brought later, by
    /// [`Player::bring`].
    ///
    /// # Errors
    /// There is no answer: what to write so that there is one.
    fn answer(&mut self, calling: &Calling, contact: &Contact) -> Result<Option<Answered>, String>;
}

/// An answer and when it comes.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// How long it takes.
    pub after: Duration,
    /// What comes of the call.
    pub outcome: Outcome,
}

/// A contact and those who answer it.
#[derive(Debug)]
pub struct Player<P> {
    contact: Contact,
    plugins: P,
    services: Services,
    /// Services that answer in the place of those.
    offices: Offices,
    /// Agents who answer by themselves, and how soon.
    answer_after: BTreeMap<Arc<str>, Duration>,
    /// Calls that were asked, so that none is asked twice for the same attempt.
    asked: BTreeSet<(CallId, u32)>,
    /// Work that services were asked for, likewise.
    asked_services: BTreeSet<(WorkId, u32)>,
    /// Events that services have been told of.
    told: usize,
    /// What services said and was not given yet.
    said: VecDeque<Told>,
    /// What is on its way, the next one last.
    due: Vec<Due>,
    /// Why the contact cannot be led on.
    stuck: Option<String>,
}

#[derive(Clone, Debug)]
struct Due {
    at: Timestamp,
    what: Coming,
}

#[derive(Clone, Debug)]
enum Coming {
    /// An answer of a plugin.
    Answer(Input),
    /// An agent answers the call that rings since then.
    Agent { name: Arc<str>, since: Timestamp },
}

impl<P: Plugins> Player<P> {
    /// Leads a contact that has just begun, with the services that it began with.
    pub fn new(contact: Contact, plugins: P, services: Services) -> Self {
        Self::with_offices(contact, plugins, services, Offices::default())
    }

    /// Leads a contact that has just begun, with services that answer as a scenario says.
    pub fn with_offices(contact: Contact, plugins: P, services: Services, offices: Offices) -> Self {
        let mut player = Self {
            contact,
            plugins,
            services,
            offices,
            answer_after: BTreeMap::new(),
            asked: BTreeSet::new(),
            asked_services: BTreeSet::new(),
            told: 0,
            said: VecDeque::new(),
            due: Vec::new(),
            stuck: None,
        };
        player.dispatch();
        player
    }

    /// Agents who answer a call by themselves, and how soon.
    #[must_use]
    pub fn with_agents(mut self, answer_after: BTreeMap<Arc<str>, Duration>) -> Self {
        self.answer_after = answer_after;
        self.dispatch();
        self
    }

    /// The contact.
    pub const fn contact(&self) -> &Contact {
        &self.contact
    }

    /// The services.
    pub const fn services(&self) -> &Services {
        &self.services
    }

    /// Those who answer.
    pub const fn plugins(&mut self) -> &mut P {
        &mut self.plugins
    }

    /// Why the contact cannot be led on: a call that nobody answers.
    pub fn stuck(&self) -> Option<&str> {
        self.stuck.as_deref()
    }

    /// Gives the contact something of the caller's.
    pub fn hear(&mut self, utterance: Utterance) -> Reply {
        let readings = self.readings();
        let reply = self.contact.hear(utterance, &readings);
        self.dispatch();
        reply
    }

    /// The caller leaves.
    pub fn hang_up(&mut self) -> Reply {
        let readings = self.readings();
        let reply = self.contact.hang_up(&readings);
        self.dispatch();
        reply
    }

    /// Something happens elsewhere that the contact may wait for.
    pub fn happens(&mut self, event: &Arc<str>) {
        let id = InputId::new(format!("{event} {}", self.contact.session().seq));
        self.give(&Input::EventHappened {
            id,
            event: event.clone(),
        });
        self.dispatch();
    }

    /// The node stops: answers on their way are lost, and the contact is rebuilt from its events.
    /// Services go on, as those of another machine would.
    pub fn restart(&mut self, away: Duration) {
        self.due.retain(|due| matches!(due.what, Coming::Agent { .. }));
        self.said.clear();
        let readings = self.readings();
        self.contact.restart(away, &readings);
        self.dispatch();
    }

    /// An agent answers the call that is offered, or ends the one under way.
    ///
    /// # Errors
    /// The agent cannot: why.
    pub fn agent(&mut self, name: &str, does: AgentDeed) -> Result<(), String> {
        let (contact, at) = (self.name(), self.contact.at());
        let told = match does {
            AgentDeed::Comes => self.services.agent_available(name, at),
            AgentDeed::Goes => self.services.agent_away(name, at),
            AgentDeed::Answers => self.services.agent_answers(name, &contact, at),
            AgentDeed::Ends => self.services.agent_ends(name, &contact, at),
        };
        self.said.extend(told.map_err(|error| error.to_string())?);
        self.dispatch();
        Ok(())
    }

    /// Whether an agent talks to the caller.
    pub fn talks_to(&self, name: &str) -> bool {
        let contact = self.name();
        let agents = self.services.agents();
        agents.iter().any(|agent| {
            *agent.name == *name
                && agent.state
                    == AgentState::Talking {
                        contact: contact.clone(),
                    }
        })
    }

    /// Something comes of a transfer to somebody who is no agent.
    ///
    /// # Errors
    /// Nobody is being called, or it does not follow on what was: why.
    pub fn party(&mut self, came: TransferAnswer) -> Result<(), String> {
        let told = self.services.party(&self.name(), came);
        self.said.extend(told.map_err(|error| error.to_string())?);
        self.dispatch();
        Ok(())
    }

    /// Lets time pass, from one deadline or answer to the next.
    pub fn advance(&mut self, time: Duration) {
        let end = self.contact.at() + time;
        for _ in 0..MOVES_MAX {
            if self.stuck.is_some() || !self.next(Some(end)) {
                break;
            }
        }
        if self.stuck.is_none() {
            self.contact.move_to(end);
        }
    }

    /// Lets the time pass that the hotline itself takes, until `enough` holds or the contact
    /// waits for its caller, or has ended.
    pub fn settle(&mut self, mut enough: impl FnMut(&Contact) -> bool) {
        for _ in 0..MOVES_MAX {
            if self.stuck.is_some() || enough(&self.contact) {
                return;
            }
            if !self.goes_on_by_itself() || !self.next(None) {
                return;
            }
        }
        self.stuck.get_or_insert_with(|| {
            format!("the contact went on by itself {MOVES_MAX} times and did not come to rest")
        });
    }

    /// Whether the contact waits for nobody who has to be told in a script: for a plugin, for a
    /// `wait` step's time, for an agent who answers by themselves, or for a next key.
    fn goes_on_by_itself(&self) -> bool {
        match &self.contact.session().state {
            State::Calling(_) | State::Together(_) => true,
            State::Waiting { event, .. } => event.is_none(),
            State::Serving(_) => self
                .due
                .iter()
                .any(|due| matches!(due.what, Coming::Agent { .. })),
            // Keys came one by one, and the time between two of them runs out.
            State::Hearing(hearing) => !hearing.keys.is_empty(),
            State::Deciding | State::Ended { .. } => false,
        }
    }

    /// When something happens next without anybody's doing.
    pub fn next_at(&self) -> Option<Timestamp> {
        if self.contact.session().has_ended() {
            return None;
        }
        let wake = self.contact.session().pending().wake;
        let due = self.due.last().map(|due| due.at);
        wake.into_iter().chain(due).chain(self.services.next_wake()).min()
    }

    /// Moves the clock to what comes next and gives it; false when nothing comes, or not before
    /// `end`.
    fn next(&mut self, end: Option<Timestamp>) -> bool {
        let Some(next) = self.next_at() else {
            return false;
        };
        if end.is_some_and(|end| next > end) {
            return false;
        }
        self.contact.move_to(next);
        // A call's time is over at its deadline: an answer of the same instant is late.
        if self
            .contact
            .session()
            .pending()
            .wake
            .is_some_and(|wake| wake <= next)
        {
            self.give(&Input::TimeUp);
        } else if let Some(due) = self.due.pop_if(|due| due.at <= next) {
            self.come(due.what);
        } else {
            let told = self.services.advance(next);
            self.said.extend(told);
        }
        self.dispatch();
        true
    }

    fn come(&mut self, what: Coming) {
        match what {
            Coming::Answer(input) => self.give(&input),
            Coming::Agent { name, since } => {
                let rings = self.rings().any(|(other, began)| other == name && began == since);
                // Who was called may have gone, or the caller may have.
                if rings
                    && let Ok(told) = self
                        .services
                        .agent_answers(&name, &self.name(), self.contact.at())
                {
                    self.said.extend(told);
                }
            }
        }
    }

    fn give(&mut self, input: &Input) {
        let readings = self.readings();
        self.contact.take(input, &readings);
    }

    fn readings(&self) -> Readings {
        let mut readings = self.services.readings(Some(&self.name()), self.contact.at());
        self.offices.read(&mut readings.queues);
        readings
    }

    fn name(&self) -> ContactId {
        self.contact.session().contact.clone()
    }

    /// Asks for what the contact waits for, and gives what is answered at once.
    fn dispatch(&mut self) {
        for _ in 0..MOVES_MAX {
            self.ask();
            self.serve();
            if self.stuck.is_some() {
                return;
            }
            let now = self.contact.at();
            if let Some(told) = self.said.pop_front() {
                self.give(&told.input);
            } else if let Some(due) = self.due.pop_if(|due| due.at <= now) {
                self.come(due.what);
            } else {
                return;
            }
        }
        self.stuck
            .get_or_insert_with(|| format!("the contact was answered {MOVES_MAX} times within one instant"));
    }

    /// Tells services what happened, and asks them for what the contact waits for.
    fn serve(&mut self) {
        let (contact, at) = (self.name(), self.contact.at());
        for event in &self.contact.events()[self.told..] {
            match &event.fact {
                Fact::ServiceLeft { work } => self.said.extend(self.services.left(&contact, work, at)),
                fact if fact.ends_contact() => self.said.extend(self.services.ended(&contact, at)),
                _ => {}
            }
        }
        self.told = self.contact.events().len();
        if let Some(serving) = self.contact.session().pending().service
            && self
                .asked_services
                .insert((serving.work.clone(), serving.attempt))
        {
            match self.offices.answer(serving) {
                Some(answers) => self.said.extend(answers.into_iter().map(|answer| Told {
                    contact: contact.clone(),
                    input: Input::ServiceAnswered {
                        work: serving.work.clone(),
                        attempt: serving.attempt,
                        answer,
                    },
                })),
                None => self.said.extend(self.services.ask(&contact, serving, at)),
            }
        }
        self.said.retain(|told| told.contact == contact);
        if self.answer_after.is_empty() {
            return;
        }
        let ringing: Vec<(Arc<str>, Timestamp)> = self.rings().collect();
        for (name, since) in ringing {
            let known = self.due.iter().any(|due| {
                matches!(&due.what, Coming::Agent { name: other, since: began } if *other == name && *began == since)
            });
            if let Some(after) = self.answer_after.get(&name).filter(|_| !known) {
                self.expect(since + *after, Coming::Agent { name, since });
            }
        }
    }

    /// The agents who are offered the contact, each with since when.
    fn rings(&self) -> impl Iterator<Item = (Arc<str>, Timestamp)> {
        let contact = self.name();
        let agents = self.services.agents().into_iter();
        agents.filter_map(move |agent| match &agent.state {
            AgentState::Ringing { contact: of, .. } if *of == contact => Some((agent.name, agent.since)),
            _ => None,
        })
    }

    fn ask(&mut self) {
        let calls: Vec<Calling> = self
            .contact
            .session()
            .pending()
            .calls
            .into_iter()
            .filter(|calling| !self.asked.contains(&(calling.call.clone(), calling.attempt)))
            .cloned()
            .collect();
        for calling in calls {
            if self.stuck.is_some() {
                return;
            }
            self.asked.insert((calling.call.clone(), calling.attempt));
            match self.plugins.answer(&calling, &self.contact) {
                Ok(Some(Answered { after, outcome })) => {
                    let input = Input::Answer {
                        call: calling.call,
                        attempt: calling.attempt,
                        outcome,
                    };
                    self.expect(self.contact.at() + after, Coming::Answer(input));
                }
                Ok(None) => {}
                Err(mend) => self.stuck = Some(mend),
            }
        }
    }

    /// Brings the answer of a call, to be given at a time, or now if that has passed.
    pub fn bring(&mut self, call: CallId, attempt: u32, outcome: Outcome, at: Timestamp) {
        let input = Input::Answer {
            call,
            attempt,
            outcome,
        };
        self.expect(at, Coming::Answer(input));
        self.dispatch();
    }

    fn expect(&mut self, at: Timestamp, what: Coming) {
        // The next one stands last; of one time, the one that was asked first.
        let place = self.due.partition_point(|other| other.at > at);
        self.due.insert(place, Due { at, what });
    }
}

/// What an agent does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentDeed {
    /// Is there and free.
    Comes,
    /// Goes away.
    Goes,
    /// Answers the call that is offered.
    Answers,
    /// Ends the call under way.
    Ends,
}
