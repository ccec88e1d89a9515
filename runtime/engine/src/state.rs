//! What a contact can be in: the parts of a [`Session`](crate::Session).

use std::{collections::BTreeMap, sync::Arc};

use trunkline_model::{
    CallId, Duration, FlowName, FunctionName, Outcome, PluginName, StepId, Timestamp, Value, VariableName,
};

use crate::{
    event::{Cause, Expects, Question},
    secrets::Origin,
    service::Serving,
};

/// A flow that a contact is in.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// The flow.
    pub flow: FlowName,
    /// The step it is in; none before the first.
    pub step: Option<StepId>,
    /// The variables that are set, but for secret ones.
    pub variables: BTreeMap<VariableName, Value>,
    /// The variables that hold a secret, and where each came from.
    pub secrets: BTreeMap<VariableName, Origin>,
    /// How often the step has heard the caller without understanding.
    pub misheard: u32,
    /// The survey that the step asks: its questions that are over, and what was answered.
    pub survey: Vec<(Arc<str>, Option<Value>)>,
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
    /// Several calls at once.
    Together(Box<Together>),
    /// A service, and with it perhaps an agent.
    Serving(Box<Serving>),
    /// A time, or an event.
    Waiting {
        /// Until when.
        until: Timestamp,
        /// The event that ends the wait sooner.
        event: Option<Arc<str>>,
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
    /// When it asked.
    pub since: Timestamp,
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
    /// Its arguments, in the order of the parameters. Secret ones stand elsewhere: whoever
    /// makes the call asks [`Session::arguments`](crate::Session::arguments).
    pub arguments: Vec<Value>,
    /// When the step's time is over.
    pub until: Timestamp,
    /// When the filler prompt is due.
    pub filler: Option<Timestamp>,
    /// Whether it may never be asked twice.
    pub at_most_once: bool,
    /// Whether its arguments are secret.
    pub redacted: bool,
}

/// Several calls under way at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Together {
    /// The branches in written order.
    pub branches: Vec<Branch>,
    /// When the filler prompt is due.
    pub filler: Option<Timestamp>,
}

/// One of several calls.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// Its name.
    pub name: Arc<str>,
    /// Its call.
    pub call: CallId,
    /// How far it has come.
    pub progress: Progress,
}

/// How far one of several calls has come.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// It was not asked yet: it is being decided.
    Begun,
    /// It is under way.
    Calling(Box<Calling>),
    /// It came to its end.
    Answered(Outcome),
}

/// The work that a contact waits for: to be dispatched by its owner, each piece once for its id
/// and attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct Pending<'a> {
    /// The plugin calls to be made; id and attempt of each are the work's identity.
    pub calls: Vec<&'a Calling>,
    /// The service to be asked; its id and attempt are the work's identity. It goes on being
    /// pending while the service answers on its way.
    pub service: Option<&'a Serving>,
    /// When [`Input::TimeUp`](crate::Input::TimeUp) is due; none only for a contact that has ended.
    pub wake: Option<Timestamp>,
}

impl Calling {
    /// When the contact has to be woken for it.
    pub fn wake(&self) -> Timestamp {
        self.filler.map_or(self.until, |filler| filler.min(self.until))
    }
}

impl Together {
    /// The calls that are not answered.
    pub fn calls(&self) -> impl Iterator<Item = &Calling> {
        self.branches.iter().filter_map(|branch| match &branch.progress {
            Progress::Calling(calling) => Some(&**calling),
            Progress::Begun | Progress::Answered(_) => None,
        })
    }

    /// When the contact has to be woken for one of them.
    pub fn wake(&self) -> Option<Timestamp> {
        self.calls().map(|calling| calling.until).chain(self.filler).min()
    }

    /// The branch of a call.
    pub(crate) fn branch_mut(&mut self, call: &CallId) -> Option<&mut Branch> {
        self.branches.iter_mut().find(|branch| branch.call == *call)
    }
}
