//! The state of a contact: what folding its events gives, and what it waits for.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use trunkline_model::{
    CallId, ContactId, Digest, Duration, FlowName, InputId, StepId, Timestamp, Value,
    limits::{INPUT_IDS_REMEMBERED, TALK_MAX},
};

pub use crate::state::{Branch, Calling, Frame, Hearing, Pending, Progress, State, Together};
use crate::{
    collect::Prompts,
    event::{AnswerKind, Event, Fact, Personal, Question},
    input::{Channel, Refused, Reply},
    secrets::Secrets,
    service::{Demand, QueueAnswer, ServiceAnswer, Serving, Stage, TransferAnswer, Waiting},
};

/// A contact as far as its events go.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// The contact.
    pub contact: ContactId,
    /// How many events made it.
    pub seq: u64,
    /// The release it is pinned to.
    pub release: Digest,
    /// How it came.
    pub channel: Channel,
    /// The number it called.
    pub number: Arc<str>,
    /// Its language now.
    pub language: Arc<str>,
    /// The caller's number, vouched for.
    pub caller: Option<Arc<str>>,
    /// What the client says of itself.
    pub claimed: Option<Arc<str>>,
    /// When it began.
    pub arrived: Timestamp,
    /// When its last event happened.
    pub last: Timestamp,
    /// The flows it is in, the number's own first. Empty only before the first is entered.
    pub frames: Vec<Frame>,
    /// What it waits for.
    pub state: State,
    /// Keys pressed ahead of the question.
    pub keys_ahead: Arc<str>,
    /// The event that said last what the caller has not heard out, where the channel tells.
    pub unheard: Option<u64>,
    /// The event that said the legal notice which is still being played: keys wait for its end.
    pub notice: Option<u64>,
    /// The event since which nothing that was said before is played on: the caller gave something.
    pub hushed: u64,
    /// The finish key that belongs to the answer before it, until then.
    pub finish_key: Option<(char, Timestamp)>,
    /// How many calls it has asked for.
    pub calls: u32,
    /// How many pieces of work it has asked services for.
    pub works: u32,
    /// The consents that the caller gave (true) or declined, each as answered last.
    pub consents: BTreeMap<Arc<str>, bool>,
    /// When the caller left, if the caller has.
    pub hung_up: Option<Timestamp>,
    /// Whether it is in what the flow does for a caller who left.
    pub closing: bool,
    /// The client's inputs taken last, and what became of each.
    inputs: VecDeque<(InputId, Reply)>,
    /// What is kept beside the events; see [`Secrets`].
    pub(crate) secrets: Secrets,
}

impl Session {
    /// A contact of which nothing has happened yet.
    pub fn new(contact: ContactId) -> Self {
        Self {
            contact,
            seq: 0,
            release: Digest::from_bytes([0; 32]),
            channel: Channel::Chat,
            number: "".into(),
            language: "".into(),
            caller: None,
            claimed: None,
            arrived: Timestamp::default(),
            last: Timestamp::default(),
            frames: Vec::new(),
            state: State::Deciding,
            keys_ahead: "".into(),
            unheard: None,
            notice: None,
            hushed: 0,
            finish_key: None,
            calls: 0,
            works: 0,
            consents: BTreeMap::new(),
            hung_up: None,
            closing: false,
            inputs: VecDeque::new(),
            secrets: Secrets::default(),
        }
    }

    /// Rebuilds a contact from its events.
    pub fn fold<'a>(contact: ContactId, events: impl IntoIterator<Item = &'a Event>) -> Self {
        let mut session = Self::new(contact);
        for event in events {
            session.apply(event);
        }
        session
    }

    /// What the contact waits for now.
    pub fn pending(&self) -> Pending<'_> {
        let mut pending = Pending {
            calls: Vec::new(),
            service: None,
            wake: None,
        };
        match &self.state {
            State::Deciding | State::Ended { .. } => {}
            State::Hearing(hearing) => pending.wake = Some(hearing.until),
            State::Calling(calling) => {
                pending.calls.push(calling);
                pending.wake = Some(calling.wake());
            }
            State::Together(together) => {
                pending.calls.extend(together.calls());
                pending.wake = together.wake();
            }
            State::Serving(serving) => {
                pending.service = Some(serving);
                pending.wake = Some(serving.wake());
            }
            State::Waiting { until, .. } => pending.wake = Some(*until),
        }
        pending
    }

    /// The arguments that a call under way is made with; none when they were secret and are lost.
    pub fn arguments<'s>(&'s self, calling: &'s Calling) -> Option<&'s [Value]> {
        if calling.redacted {
            self.secrets.arguments.get(&calling.call).map(Vec::as_slice)
        } else {
            Some(&calling.arguments)
        }
    }

    /// Whether it keeps something that its events do not give again: then it should stay in memory.
    pub fn holds_secrets(&self) -> bool {
        !self.secrets.is_empty()
    }

    /// Takes over what another state of the same contact keeps beside its events, after the
    /// events between both were applied.
    pub fn keep_secrets_of(&mut self, other: &Self) {
        self.secrets = other.secrets.clone();
    }

    /// Whether the contact has ended.
    pub const fn has_ended(&self) -> bool {
        matches!(self.state, State::Ended { .. })
    }

    /// The flow and step the contact is in.
    pub fn place(&self) -> Option<(&FlowName, &StepId)> {
        let frame = self.frames.last()?;
        Some((&frame.flow, frame.step.as_ref()?))
    }

    /// What became of an input that came before under the same id, if it is remembered.
    pub fn reply_to(&self, input: &InputId) -> Option<Reply> {
        self.inputs
            .iter()
            .rev()
            .find(|(id, _)| id == input)
            .map(|(_, reply)| *reply)
    }

    /// Takes one more event in. Nothing else changes a session.
    pub fn apply(&mut self, event: &Event) {
        self.seq += 1;
        self.last = event.at;
        match &event.fact {
            Fact::Arrived {
                release,
                channel,
                number,
                language,
            } => {
                self.release = *release;
                self.channel = *channel;
                self.number = number.clone();
                self.language = language.clone();
                self.arrived = event.at;
                if let Some(Personal::Caller { caller, claimed }) = &event.personal {
                    self.caller = caller.clone();
                    self.claimed = claimed.clone();
                }
            }
            Fact::FlowEntered { flow } => {
                let variables = match &event.personal {
                    Some(Personal::Variables(variables)) => variables.clone(),
                    _ => BTreeMap::new(),
                };
                self.frames.push(Frame {
                    flow: flow.clone(),
                    step: None,
                    variables,
                    secrets: BTreeMap::new(),
                    misheard: 0,
                    survey: Vec::new(),
                });
            }
            Fact::FlowLeft { .. } => {
                self.frames.pop();
                self.secrets.leave_flows(self.frames.len());
            }
            Fact::StepEntered { step } => {
                self.state = State::Deciding;
                self.secrets.forget_answer();
                if let Some(frame) = self.frames.last_mut() {
                    frame.step = Some(step.clone());
                    frame.misheard = 0;
                    frame.survey.clear();
                }
            }
            Fact::StepFinished { .. } => {
                self.state = State::Deciding;
                self.secrets.forget_answer();
            }
            Fact::Asked {
                question,
                expects,
                until,
                ..
            } => {
                let waits = matches!(&self.state, State::Serving(serving) if serving.is_waiting());
                if *question == Question::Queue && waits {
                    // The caller is heard beside the wait, not instead of it.
                    return;
                }
                let understood = match (&self.state, question) {
                    (State::Hearing(hearing), Question::Confirm) => hearing.understood.clone(),
                    _ => None,
                };
                self.state = State::Hearing(Hearing {
                    seq: self.seq,
                    since: event.at,
                    question: *question,
                    expects: expects.clone(),
                    keys: "".into(),
                    understood,
                    first_input: until.since(event.at + self.playing_time()),
                    until: *until,
                });
            }
            Fact::Heard { input, .. } => {
                // Who speaks stops what is played, but for a notice.
                if self.notice.is_none() {
                    self.hush();
                }
                self.finish_key = None;
                self.remember(input, Reply::Accepted);
            }
            Fact::AnswerFull { finish, until } => self.finish_key = Some((*finish, *until)),
            Fact::Said { notice, .. } => {
                if let Prompts::Played { .. } = self.channel.carries().prompts {
                    self.unheard = Some(self.seq);
                    if notice.is_some() {
                        self.notice = self.unheard;
                    }
                }
            }
            Fact::Played { seq, until } => {
                self.unheard = self.unheard.filter(|said| said > seq);
                self.notice = self.notice.filter(|said| said > seq);
                if let (State::Hearing(hearing), Some(until)) = (&mut self.state, until) {
                    hearing.until = *until;
                }
            }
            Fact::InputRefused { input, why } => self.remember(input, Reply::Refused(*why)),
            Fact::KeysAhead => {
                if let Some(Personal::Text(keys)) = &event.personal {
                    self.keys_ahead = keys.clone();
                }
                // Keys that waited for the end of a notice answer the question that follows it.
                if matches!(self.state, State::Hearing(_)) && self.notice.is_none() {
                    self.hush();
                }
            }
            Fact::KeysCollected { until } => {
                if let State::Hearing(hearing) = &mut self.state {
                    hearing.until = *until;
                    if let Some(Personal::Text(keys)) = &event.personal {
                        hearing.keys = keys.clone();
                    }
                }
            }
            Fact::Understood => {
                if let (State::Hearing(hearing), Some(Personal::Value(value))) =
                    (&mut self.state, &event.personal)
                {
                    hearing.understood = Some(value.clone());
                }
            }
            Fact::Misheard { hearing, .. } => {
                self.secrets.forget_answer();
                if let Some(frame) = self.frames.last_mut() {
                    frame.misheard = *hearing;
                }
            }
            Fact::CallRequested { .. } => self.requested(event),
            Fact::TogetherBegan { branches, filler } => {
                self.calls += u32::try_from(branches.len()).unwrap_or(u32::MAX);
                let branches = branches.iter().map(|(name, call)| Branch {
                    name: name.clone(),
                    call: call.clone(),
                    progress: Progress::Begun,
                });
                self.state = State::Together(Box::new(Together {
                    branches: branches.collect(),
                    filler: *filler,
                }));
            }
            Fact::CallAnswered { call, answer, .. } => self.call_answered(call, answer, event),
            Fact::FillerSaid { .. } => match &mut self.state {
                State::Calling(calling) => calling.filler = None,
                State::Together(together) => together.filler = None,
                _ => {}
            },
            Fact::Resumed { .. } => match &mut self.state {
                State::Calling(calling) => calling.restarts += 1,
                State::Together(together) => {
                    for branch in &mut together.branches {
                        if let Progress::Calling(calling) = &mut branch.progress {
                            calling.restarts += 1;
                        }
                    }
                }
                _ => {}
            },
            Fact::ServiceAsked {
                work,
                attempt,
                demand,
                until,
            } => {
                if *attempt == 1 {
                    self.works += 1;
                }
                // Asked again, the work is as far as it was.
                let (seq, stage) = match &self.state {
                    State::Serving(serving) if serving.work == *work => (serving.seq, serving.stage.clone()),
                    _ => (self.seq, Stage::Asked),
                };
                let particulars = match &event.personal {
                    Some(Personal::Particulars(particulars)) => (**particulars).clone(),
                    _ => Default::default(),
                };
                self.state = State::Serving(Box::new(Serving {
                    seq,
                    work: work.clone(),
                    attempt: *attempt,
                    demand: demand.clone(),
                    particulars,
                    until: *until,
                    stage,
                }));
            }
            Fact::ServiceAnswered { answer, .. } => self.service_answered(answer, event.at),
            Fact::ServiceLeft { .. } => self.state = State::Deciding,
            Fact::QueuePlanned {
                announcement,
                offer,
                offered,
            } => {
                if let State::Serving(serving) = &mut self.state
                    && let Stage::Waiting(waiting) = &mut serving.stage
                {
                    waiting.announcement = *announcement;
                    waiting.offer = *offer;
                    waiting.offered = *offered;
                }
            }
            Fact::SurveyAnswered { question } => {
                let answer = match &event.personal {
                    Some(Personal::Value(value)) => Some(value.clone()),
                    _ => None,
                };
                self.surveyed(question, answer);
            }
            Fact::SurveyPassed { question } => self.surveyed(question, None),
            Fact::VariableSet { name } => {
                let depth = self.frames.len().saturating_sub(1);
                if let Some(frame) = self.frames.last_mut() {
                    frame.secrets.remove(name);
                    self.secrets.variables.remove(&(depth, name.clone()));
                    if let Some(Personal::Value(value)) = &event.personal {
                        frame.variables.insert(name.clone(), value.clone());
                    }
                }
            }
            Fact::SecretKept { name, origin } => {
                if let Some(frame) = self.frames.last_mut() {
                    frame.variables.remove(name);
                    frame.secrets.insert(name.clone(), origin.clone());
                }
            }
            Fact::SecretsLost { .. } => {
                for frame in &mut self.frames {
                    frame.secrets.clear();
                }
                self.secrets = Secrets::default();
            }
            Fact::Consent { name, given } => {
                self.consents.insert(name.clone(), *given);
            }
            Fact::LanguageSet { language } => self.language = language.clone(),
            Fact::Waiting { until, event } => {
                self.state = State::Waiting {
                    until: *until,
                    event: event.clone(),
                };
            }
            Fact::EventHappened { input, .. } => self.remember(input, Reply::Accepted),
            Fact::HungUp { input } => {
                self.hung_up = Some(event.at);
                if let Some(input) = input {
                    self.remember(input, Reply::Accepted);
                }
            }
            Fact::ClosingBegan => self.closing = true,
            Fact::Ended { cause, outcome } => {
                self.secrets = Secrets::default();
                self.state = State::Ended {
                    cause: *cause,
                    outcome: outcome.clone(),
                };
            }
            Fact::StepPassed { .. }
            | Fact::Read { .. }
            | Fact::ExpressionFailed { .. }
            | Fact::AnsweredLate { .. }
            | Fact::ServiceAnsweredLate { .. }
            | Fact::LimitHit { .. } => {}
        }
    }

    /// Who speaks stops what is played.
    const fn hush(&mut self) {
        self.unheard = None;
        self.hushed = self.seq;
    }

    /// How long the channel has for playing what the caller has not heard.
    pub(crate) fn playing_time(&self) -> Duration {
        match self.channel.carries().prompts {
            Prompts::Played { within } if self.unheard.is_some() => within,
            Prompts::Played { .. } | Prompts::AtOnce => Duration::default(),
        }
    }

    fn requested(&mut self, event: &Event) {
        let Fact::CallRequested {
            call,
            attempt,
            plugin,
            function,
            until,
            filler,
            at_most_once,
            redacted,
        } = &event.fact
        else {
            return;
        };
        let arguments = match &event.personal {
            Some(Personal::Arguments(arguments)) => arguments.clone(),
            _ => Vec::new(),
        };
        let mut calling = Calling {
            call: call.clone(),
            attempt: *attempt,
            restarts: 0,
            plugin: plugin.clone(),
            function: function.clone(),
            arguments,
            until: *until,
            filler: *filler,
            at_most_once: *at_most_once,
            redacted: *redacted,
        };
        if let State::Together(together) = &mut self.state
            && let Some(branch) = together.branch_mut(call)
        {
            if let Progress::Calling(before) = &branch.progress {
                calling.restarts = before.restarts;
            }
            branch.progress = Progress::Calling(Box::new(calling));
            return;
        }
        if *attempt == 1 {
            self.calls += 1;
        }
        if let State::Calling(before) = &self.state
            && before.call == *call
        {
            calling.restarts = before.restarts;
        }
        self.state = State::Calling(Box::new(calling));
    }

    fn call_answered(&mut self, call: &CallId, answer: &AnswerKind, event: &Event) {
        if let State::Together(together) = &mut self.state
            && let Some(branch) = together.branch_mut(call)
        {
            branch.progress = Progress::Answered(match &event.personal {
                Some(Personal::Answer(outcome)) => outcome.clone(),
                // What it carried has been erased.
                _ => answer.without_value(),
            });
        }
    }

    fn service_answered(&mut self, answer: &ServiceAnswer, at: Timestamp) {
        let State::Serving(serving) = &mut self.state else {
            return;
        };
        match answer {
            _ if answer.is_final() => self.state = State::Deciding,
            ServiceAnswer::Queue(QueueAnswer::Joined { position, wait }) => {
                let before = match &serving.stage {
                    Stage::Waiting(waiting) => waiting.clone(),
                    Stage::Asked | Stage::Ringing | Stage::Talking { .. } => Waiting::default(),
                };
                if let (Stage::Asked, Demand::Queue { since, max, .. }) = (&serving.stage, &serving.demand) {
                    serving.until = *since + *max;
                }
                serving.stage = Stage::Waiting(Waiting {
                    position: *position,
                    wait: *wait,
                    ..before
                });
            }
            ServiceAnswer::Queue(QueueAnswer::Offered { agent }) => {
                if let Stage::Waiting(waiting) = &mut serving.stage {
                    waiting.ringing = Some(agent.clone());
                }
            }
            ServiceAnswer::Queue(QueueAnswer::NotTaken { .. }) => {
                if let Stage::Waiting(waiting) = &mut serving.stage {
                    waiting.ringing = None;
                }
            }
            ServiceAnswer::Queue(QueueAnswer::AgentJoined { agent }) => {
                serving.stage = Stage::Talking {
                    agent: Some(agent.clone()),
                };
                serving.until = at + TALK_MAX;
            }
            ServiceAnswer::Transfer(TransferAnswer::Answered) => {
                serving.stage = Stage::Talking { agent: None };
                serving.until = at + TALK_MAX;
            }
            ServiceAnswer::Transfer(TransferAnswer::Ringing) => serving.stage = Stage::Ringing,
            _ => {}
        }
    }

    fn surveyed(&mut self, question: &Arc<str>, answer: Option<Value>) {
        self.state = State::Deciding;
        if let Some(frame) = self.frames.last_mut() {
            frame.misheard = 0;
            frame.survey.push((question.clone(), answer));
        }
    }

    fn remember(&mut self, input: &InputId, reply: Reply) {
        if self.inputs.len() == INPUT_IDS_REMEMBERED {
            self.inputs.pop_front();
        }
        self.inputs.push_back((input.clone(), reply));
    }
}

impl Reply {
    /// The refusal, if it is one.
    pub const fn refused(self) -> Option<Refused> {
        match self {
            Self::Accepted => None,
            Self::Refused(why) => Some(why),
        }
    }
}
