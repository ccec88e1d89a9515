//! A contact that went its way, as a scenario that plays the same way.

use std::{collections::BTreeMap, sync::Arc};

use trunkline_engine::{
    Channel, Event, Fact, Personal, Utterance,
    service::{QueueAnswer, ServiceAnswer, TransferAnswer},
};
use trunkline_flow::{
    Checked,
    scenario::{
        AgentDoes, Answer, Begins, Call, Expect, Happening, Line, Mock, Said, Scenario, Started,
        TransferComes,
    },
    start::StartsOn,
};
use trunkline_model::{
    CallId, Duration, FaultKind, FunctionName, Outcome, PluginName, StepId, Timestamp, signature::Interface,
};

use crate::{Mocks, play};

/// A pause of the caller's that a kept scenario leaves out when nothing depends on it.
const PAUSE_MIN: Duration = Duration::from_secs(30);

/// How long the answer of a call takes that never came because the node stopped.
const NEVER: Duration = Duration::from_secs(600);

/// A contact as a scenario.
#[derive(Debug)]
pub struct Kept {
    /// The scenario.
    pub scenario: Scenario,
    /// Why it does not play as the contact went, when it does not.
    pub differs: Option<String>,
}

/// Makes a scenario of a contact's events, in the order they came about, and plays it. Pauses
/// are left out where the contact goes the same way without them.
///
/// `begins` says where the contact began when that was not its number's flow. None when the
/// events do not begin with an arrival.
pub fn keep(
    hotline: &Checked,
    interfaces: &BTreeMap<PluginName, Arc<Interface>>,
    name: &str,
    begins: Option<Begins>,
    events: &[Event],
) -> Option<Kept> {
    let kept = |pauses| {
        let scenario = Keeping::new(interfaces, pauses).scenario(name, begins.clone(), events)?;
        let differs = difference(hotline, interfaces, &scenario, events);
        Some(Kept { scenario, differs })
    };
    let short = kept(Pauses::Long)?;
    if short.differs.is_none() {
        return Some(short);
    }
    kept(Pauses::All)
}

/// Why a scenario does not go the way that a contact went.
fn difference(
    hotline: &Checked,
    interfaces: &BTreeMap<PluginName, Arc<Interface>>,
    scenario: &Scenario,
    events: &[Event],
) -> Option<String> {
    let played = play(hotline, scenario, Mocks::new(scenario, interfaces));
    if let Some(mismatch) = played.mismatch {
        return Some(mismatch.why);
    }
    let way = |events: &[Event]| -> Vec<(StepId, Arc<str>)> {
        let finished = events.iter().filter_map(|event| match &event.fact {
            Fact::StepFinished { step, exit } => Some((step.clone(), exit.clone())),
            _ => None,
        });
        finished.collect()
    };
    (way(&played.events) != way(events)).then(|| "it takes another way through the flow".to_owned())
}

/// Which of the caller's pauses are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pauses {
    /// Those that a reader would call a pause, in whole seconds, and those that end a question.
    Long,
    /// All, to the millisecond.
    All,
}

struct Keeping<'a> {
    interfaces: &'a BTreeMap<PluginName, Arc<Interface>>,
    pauses: Pauses,
    script: Vec<Happening>,
    /// The time that the script has come to.
    clock: Timestamp,
    calls: Vec<Asked>,
    /// The agent who is offered the contact, or talks to the caller.
    agent: Arc<str>,
}

/// A call and what came of it.
struct Asked {
    call: CallId,
    attempt: u32,
    plugin: PluginName,
    function: FunctionName,
    at: Timestamp,
    answer: Option<(Timestamp, Outcome)>,
}

impl<'a> Keeping<'a> {
    fn new(interfaces: &'a BTreeMap<PluginName, Arc<Interface>>, pauses: Pauses) -> Self {
        Self {
            interfaces,
            pauses,
            script: Vec::new(),
            clock: Timestamp::from_millis(0),
            calls: Vec::new(),
            agent: "".into(),
        }
    }

    fn scenario(mut self, name: &str, begins: Option<Begins>, events: &[Event]) -> Option<Scenario> {
        let first = events.first()?;
        let Fact::Arrived {
            channel,
            number,
            language,
            ..
        } = &first.fact
        else {
            return None;
        };
        let from = match &first.personal {
            Some(Personal::Caller { caller, .. }) => caller.clone(),
            _ => None,
        };
        let at = match self.pauses {
            Pauses::All => first.at,
            // To the minute, as a person would write it.
            Pauses::Long => Timestamp::from_millis(first.at.as_millis().div_euclid(60_000) * 60_000),
        };
        self.clock = first.at;
        let mut instant = first.at;
        let mut by_itself = true;
        for event in events {
            if event.at != instant {
                instant = event.at;
                by_itself = is_by_itself(&event.fact);
            }
            self.event(event, by_itself);
        }
        let end = match events.iter().find_map(|event| match &event.fact {
            Fact::Ended { outcome, .. } => Some(outcome.clone()),
            _ => None,
        }) {
            Some(outcome) => Expect {
                ended: Some(outcome),
                ..Expect::default()
            },
            None => Expect {
                step: last_step(events),
                ..Expect::default()
            },
        };
        if !end.is_empty() {
            self.script.push(Happening::Expect(Box::new(end)));
        }
        Some(Scenario {
            name: name.into(),
            file: "".into(),
            call: Call {
                number: number.clone(),
                from,
                at,
                language: Some(language.clone()),
                channel: match channel {
                    Channel::Chat | Channel::Outbound => trunkline_flow::scenario::Channel::Chat,
                    Channel::Voice | Channel::Phone | Channel::Twiml | Channel::Jambonz => {
                        trunkline_flow::scenario::Channel::Voice
                    }
                },
            },
            services: Vec::new(),
            begins,
            starts: started(*channel, number, events),
            plugins: mocks(self.interfaces, &self.calls),
            agents: BTreeMap::new(),
            script: self
                .script
                .into_iter()
                .map(|what| Line { place: None, what })
                .collect(),
        })
    }

    fn event(&mut self, event: &Event, by_itself: bool) {
        let at = event.at;
        match &event.fact {
            Fact::Said { prompt, .. } => {
                let said = match (prompt, event.personal.as_ref().and_then(Personal::text)) {
                    (Some(key), _) => Said::prompt(key.clone()),
                    (None, Some(text)) => Said::text(text.clone()),
                    (None, _) => return,
                };
                // What calls and `wait` steps take passes by itself; silence is the caller's.
                if by_itself && self.pauses == Pauses::Long {
                    self.clock = self.clock.max(at);
                } else {
                    self.pause(at, Duration::default());
                }
                self.script.push(Happening::Hears(said));
            }
            Fact::Heard { .. } => {
                self.pause(at, PAUSE_MIN);
                match &event.personal {
                    Some(Personal::Utterance(Utterance::Keys(keys))) => {
                        self.script.push(Happening::Presses(keys.clone()));
                    }
                    Some(Personal::Utterance(Utterance::Text(words))) => {
                        self.script.push(Happening::Says(words.clone()));
                    }
                    _ => {}
                }
            }
            Fact::Misheard { .. } => self.pause(at, Duration::default()),
            Fact::HungUp { .. } => {
                self.pause(at, Duration::default());
                self.script.push(Happening::HangsUp);
            }
            Fact::Resumed { away } => {
                self.pause(at - *away, Duration::default());
                self.clock = at;
                self.script.push(Happening::Restarts(*away));
            }
            Fact::CallRequested {
                call,
                attempt,
                plugin,
                function,
                ..
            } => self.calls.push(Asked {
                call: call.clone(),
                attempt: *attempt,
                plugin: plugin.clone(),
                function: function.clone(),
                at,
                answer: None,
            }),
            Fact::CallAnswered { call, attempt, .. } | Fact::AnsweredLate { call, attempt, .. } => {
                let asked = self
                    .calls
                    .iter_mut()
                    .find(|asked| asked.call == *call && asked.attempt == *attempt);
                if let (Some(asked), Some(Personal::Answer(outcome))) = (asked, &event.personal) {
                    asked.answer.get_or_insert_with(|| (at, outcome.clone()));
                }
            }
            Fact::ServiceAnswered { answer, .. } => self.service(at, answer),
            Fact::EventHappened { event, .. } => {
                self.pause(at, Duration::default());
                self.script.push(Happening::Happens(event.clone()));
            }
            _ => {}
        }
    }

    /// What agents and other parties did; what services did by themselves they do again.
    fn service(&mut self, at: Timestamp, answer: &ServiceAnswer) {
        let line = match answer {
            ServiceAnswer::Queue(QueueAnswer::Offered { agent }) => {
                self.agent = agent.clone();
                Happening::Agent(AgentDoes::Comes(agent.clone()))
            }
            ServiceAnswer::Queue(QueueAnswer::AgentJoined { agent }) => {
                self.agent = agent.clone();
                Happening::Agent(AgentDoes::Answers(agent.clone()))
            }
            ServiceAnswer::Queue(QueueAnswer::AgentLeft) => {
                Happening::Agent(AgentDoes::Ends(self.agent.clone()))
            }
            ServiceAnswer::Transfer(TransferAnswer::Answered | TransferAnswer::Joined) => {
                Happening::Transfer(TransferComes::Answered)
            }
            ServiceAnswer::Transfer(TransferAnswer::OtherLegEnded) => {
                Happening::Transfer(TransferComes::Ended)
            }
            ServiceAnswer::Transfer(TransferAnswer::Busy) => Happening::Transfer(TransferComes::Busy),
            ServiceAnswer::Transfer(TransferAnswer::NoAnswer) => Happening::Transfer(TransferComes::NoAnswer),
            ServiceAnswer::Transfer(TransferAnswer::Failed) => Happening::Transfer(TransferComes::Failed),
            _ => return,
        };
        self.pause(at, Duration::default());
        self.script.push(line);
    }

    /// Writes a pause up to a time, unless it is shorter than one that would be noticed.
    fn pause(&mut self, until: Timestamp, at_least: Duration) {
        let pause = until.since(self.clock);
        let pause = match self.pauses {
            Pauses::All => pause,
            Pauses::Long if pause < at_least => Duration::default(),
            // Silence to the end of a question's time is exact; a rest is not.
            Pauses::Long if at_least == Duration::default() => pause,
            Pauses::Long => Duration::from_secs(pause.as_millis() / 1_000),
        };
        // What is left out did not happen: what follows is told from here.
        self.clock = self.clock.max(until);
        if pause > Duration::default() {
            self.script.push(Happening::Waits(pause));
        }
    }
}

/// Whether what begins with this happened without its caller: an answer came, or a `wait` was
/// over.
fn is_by_itself(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::CallAnswered { .. }
            | Fact::AnsweredLate { .. }
            | Fact::FillerSaid { .. }
            | Fact::StepFinished { .. }
    )
}

fn last_step(events: &[Event]) -> Option<StepId> {
    let mut steps: Vec<Option<StepId>> = Vec::new();
    for event in events {
        match &event.fact {
            Fact::FlowEntered { .. } => steps.push(None),
            Fact::FlowLeft { .. } => {
                steps.pop();
            }
            Fact::StepEntered { step } => {
                if let Some(last) = steps.last_mut() {
                    *last = Some(step.clone());
                }
            }
            _ => {}
        }
    }
    steps.pop().flatten()
}

fn mocks(interfaces: &BTreeMap<PluginName, Arc<Interface>>, calls: &[Asked]) -> Vec<Mock> {
    let mut mocks: Vec<Mock> = Vec::new();
    for asked in calls {
        let answer = match &asked.answer {
            Some((at, outcome)) => Answer {
                only_for: BTreeMap::new(),
                after: at.since(asked.at),
                outcome: without_details(outcome),
            },
            None => Answer {
                only_for: BTreeMap::new(),
                after: NEVER,
                outcome: Outcome::fault(FaultKind::Interrupted, ""),
            },
        };
        let known = mocks
            .iter_mut()
            .find(|mock| mock.plugin == asked.plugin && mock.function == asked.function);
        match known {
            Some(mock) => {
                mock.repeated = false;
                mock.answers.push(answer);
            }
            None => mocks.push(Mock {
                written: written(interfaces, asked),
                plugin: asked.plugin.clone(),
                function: asked.function.clone(),
                answers: vec![answer],
                repeated: true,
            }),
        }
    }
    mocks
}

/// An outcome without what a fault said, which no scenario holds.
fn without_details(outcome: &Outcome) -> Outcome {
    match outcome {
        Outcome::Fault(fault) => Outcome::fault(fault.kind, ""),
        other => other.clone(),
    }
}

/// A function as scenarios write it: as short as is not ambiguous.
fn written(interfaces: &BTreeMap<PluginName, Arc<Interface>>, asked: &Asked) -> Arc<str> {
    let interface = interfaces.get(&asked.plugin);
    let signature = interface.and_then(|interface| {
        let mut functions = interface.functions.iter();
        functions.find(|signature| signature.function == asked.function)
    });
    let name = match (interface, signature) {
        (Some(interface), Some(signature)) if interface.find(&signature.name).count() == 1 => {
            signature.name.to_string()
        }
        (_, Some(signature)) => signature.path(),
        (_, None) => asked.function.to_string(),
    };
    format!("{}.{name}", asked.plugin).into()
}
/// What a contact that nobody called for started on, and what its flow was given.
fn started(channel: Channel, number: &str, events: &[Event]) -> Option<Started> {
    let on = StartsOn::parse(number).filter(|_| channel == Channel::Outbound)?;
    let inputs = events.iter().find_map(|event| match &event.fact {
        Fact::FlowEntered { .. } => Some(match &event.personal {
            Some(Personal::Variables(inputs)) => inputs.clone(),
            _ => BTreeMap::new(),
        }),
        _ => None,
    });
    Some(Started {
        on,
        inputs: inputs.unwrap_or_default(),
    })
}
