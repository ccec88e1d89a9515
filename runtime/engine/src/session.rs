//! The state of a contact: what folding its events gives, and what it waits for.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use trunkline_model::{
    CallId, ContactId, Digest, Duration, FlowName, FunctionName, InputId, PluginName, StepId, Timestamp,
    Value, VariableName, limits::INPUT_IDS_REMEMBERED,
};

use crate::{
    collect::Prompts,
    event::{Cause, Event, Expects, Fact, Personal, Question},
    input::{Channel, Refused, Reply},
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
    /// The finish key that belongs to the answer before it, until then.
    pub finish_key: Option<(char, Timestamp)>,
    /// How many calls it has asked for.
    pub calls: u32,
    /// When the caller left, if the caller has.
    pub hung_up: Option<Timestamp>,
    /// Whether it is in what the flow does for a caller who left.
    pub closing: bool,
    /// The client's inputs taken last, and what became of each.
    inputs: VecDeque<(InputId, Reply)>,
}

/// A flow that a contact is in.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// The flow.
    pub flow: FlowName,
    /// The step it is in; none before the first.
    pub step: Option<StepId>,
    /// The variables that are set.
    pub variables: BTreeMap<VariableName, Value>,
    /// How often the step has heard the caller without understanding.
    pub misheard: u32,
}

/// What a contact waits for.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// Nothing: the engine is deciding. No journal's end leaves a contact here.
    Deciding,
    /// The caller.
    Hearing(Hearing),
    /// A plugin.
    Calling(Box<Calling>),
    /// A time.
    Waiting {
        /// Until when.
        until: Timestamp,
    },
    /// Nothing any more.
    Ended {
        /// Why.
        cause: Cause,
        /// How.
        outcome: Arc<str>,
    },
}

/// A question put to the caller.
#[derive(Clone, Debug, PartialEq)]
pub struct Hearing {
    /// The event that asked.
    pub seq: u64,
    /// What for.
    pub question: Question,
    /// What counts.
    pub expects: Expects,
    /// Keys collected so far, on channels where they come one by one.
    pub keys: Arc<str>,
    /// What is to be confirmed.
    pub understood: Option<Value>,
    /// The time to the first key or word, from when the question has been heard.
    pub first_input: Duration,
    /// When it is over without an input.
    pub until: Timestamp,
}

/// A plugin call under way.
#[derive(Clone, Debug, PartialEq)]
pub struct Calling {
    /// The call, the same for all its attempts.
    pub call: CallId,
    /// The attempt under way, counted from 1.
    pub attempt: u32,
    /// How many of the attempts were made because the node stopped.
    pub restarts: u32,
    /// The plugin.
    pub plugin: PluginName,
    /// The function's full name.
    pub function: FunctionName,
    /// Its arguments, in the order of the parameters.
    pub arguments: Vec<Value>,
    /// When the step's time is over.
    pub until: Timestamp,
    /// When the filler prompt is due.
    pub filler: Option<Timestamp>,
    /// Whether it may never be asked twice.
    pub at_most_once: bool,
}

/// The work that a contact waits for: to be dispatched by its owner, each piece once for its id.
#[derive(Clone, Debug, PartialEq)]
pub struct Pending<'a> {
    /// The plugin call to be made; its id and attempt are the work's identity.
    pub call: Option<&'a Calling>,
    /// When [`Input::TimeUp`](crate::Input::TimeUp) is due; none only for a contact that has ended.
    pub wake: Option<Timestamp>,
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
            finish_key: None,
            calls: 0,
            hung_up: None,
            closing: false,
            inputs: VecDeque::new(),
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
        match &self.state {
            State::Deciding | State::Ended { .. } => Pending {
                call: None,
                wake: None,
            },
            State::Hearing(hearing) => Pending {
                call: None,
                wake: Some(hearing.until),
            },
            State::Calling(calling) => Pending {
                call: Some(calling),
                wake: Some(
                    calling
                        .filler
                        .map_or(calling.until, |filler| filler.min(calling.until)),
                ),
            },
            State::Waiting { until } => Pending {
                call: None,
                wake: Some(*until),
            },
        }
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
                    misheard: 0,
                });
            }
            Fact::FlowLeft { .. } => {
                self.frames.pop();
            }
            Fact::StepEntered { step } => {
                self.state = State::Deciding;
                if let Some(frame) = self.frames.last_mut() {
                    frame.step = Some(step.clone());
                    frame.misheard = 0;
                }
            }
            Fact::StepFinished { .. } => self.state = State::Deciding,
            Fact::Asked {
                question,
                expects,
                until,
                ..
            } => {
                let understood = match (&self.state, question) {
                    (State::Hearing(hearing), Question::Confirm) => hearing.understood.clone(),
                    _ => None,
                };
                self.state = State::Hearing(Hearing {
                    seq: self.seq,
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
                    self.unheard = None;
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
            }
            Fact::KeysCollected { until } => {
                if let (State::Hearing(hearing), Some(Personal::Text(keys))) =
                    (&mut self.state, &event.personal)
                {
                    hearing.keys = keys.clone();
                    hearing.until = *until;
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
                if let Some(frame) = self.frames.last_mut() {
                    frame.misheard = *hearing;
                }
            }
            Fact::CallRequested {
                call,
                attempt,
                plugin,
                function,
                until,
                filler,
                at_most_once,
            } => {
                if *attempt == 1 {
                    self.calls += 1;
                }
                let arguments = match &event.personal {
                    Some(Personal::Arguments(arguments)) => arguments.clone(),
                    _ => Vec::new(),
                };
                let restarts = match &self.state {
                    State::Calling(calling) if calling.call == *call => calling.restarts,
                    _ => 0,
                };
                self.state = State::Calling(Box::new(Calling {
                    call: call.clone(),
                    attempt: *attempt,
                    restarts,
                    plugin: plugin.clone(),
                    function: function.clone(),
                    arguments,
                    until: *until,
                    filler: *filler,
                    at_most_once: *at_most_once,
                }));
            }
            Fact::FillerSaid { .. } => {
                if let State::Calling(calling) = &mut self.state {
                    calling.filler = None;
                }
            }
            Fact::Resumed { .. } => {
                if let State::Calling(calling) = &mut self.state {
                    calling.restarts += 1;
                }
            }
            Fact::VariableSet { name } => {
                if let (Some(frame), Some(Personal::Value(value))) = (self.frames.last_mut(), &event.personal)
                {
                    frame.variables.insert(name.clone(), value.clone());
                }
            }
            Fact::LanguageSet { language } => self.language = language.clone(),
            Fact::Waiting { until } => self.state = State::Waiting { until: *until },
            Fact::HungUp { input } => {
                self.hung_up = Some(event.at);
                if let Some(input) = input {
                    self.remember(input, Reply::Accepted);
                }
            }
            Fact::ClosingBegan => self.closing = true,
            Fact::Ended { cause, outcome } => {
                self.state = State::Ended {
                    cause: *cause,
                    outcome: outcome.clone(),
                };
            }
            Fact::StepPassed { .. }
            | Fact::Read { .. }
            | Fact::ExpressionFailed { .. }
            | Fact::Consent { .. }
            | Fact::CallAnswered { .. }
            | Fact::AnsweredLate { .. }
            | Fact::LimitHit { .. } => {}
        }
    }

    /// How long the channel has for playing what the caller has not heard.
    pub(crate) fn playing_time(&self) -> Duration {
        match self.channel.carries().prompts {
            Prompts::Played { within } if self.unheard.is_some() => within,
            Prompts::Played { .. } | Prompts::AtOnce => Duration::default(),
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
