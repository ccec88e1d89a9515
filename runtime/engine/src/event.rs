//! What happened to a contact: facts in the past tense, in the order they came about.
//!
//! An event has a public part, the [`Fact`], which names steps, plugins and times, and a
//! private part, [`Personal`], which holds what was said, heard, asked and answered. The
//! journal keeps the private part under a key of the contact's own; whoever may not read
//! it still sees what happened.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
pub use trunkline_flow::speech::Speech;
use trunkline_model::{
    CallId, Digest, Duration, FaultKind, FlowName, FunctionName, InputId, Outcome, PluginName, PromptKey,
    Refusal, StepId, Timestamp, Value, VariableName, WorkId,
};

use crate::{
    input::{Channel, Refused, Utterance},
    secrets::Origin,
    service::{Demand, Particulars, ServiceAnswer},
};

/// One event of a contact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When it was decided.
    pub at: Timestamp,
    /// What happened.
    pub fact: Fact,
    /// What of it is personal; none where nothing is, and where it has been erased.
    pub personal: Option<Personal>,
}

/// What happened, without personal data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fact {
    /// The contact began. Carries [`Personal::Caller`].
    Arrived {
        /// The release it is pinned to.
        release: Digest,
        /// How it came.
        channel: Channel,
        /// The number it called.
        number: Arc<str>,
        /// The language it begins in.
        language: Arc<str>,
    },
    /// A flow was entered: the number's own, or one by `run`. Carries [`Personal::Variables`].
    FlowEntered {
        /// The flow.
        flow: FlowName,
    },
    /// A flow that was run came to its end and the flow that ran it goes on.
    FlowLeft {
        /// The flow that ended.
        flow: FlowName,
        /// How it ended.
        outcome: Arc<str>,
    },
    /// A step began.
    StepEntered {
        /// The step, in the flow entered last and not left.
        step: StepId,
    },
    /// A step's condition was false; the contact goes on to its `next`.
    StepPassed {
        /// The step.
        step: StepId,
    },
    /// A step came to its end.
    StepFinished {
        /// The step.
        step: StepId,
        /// The way out: `next`, a key as `key 1`, a word as `word`, or an exit's name.
        exit: Arc<str>,
    },
    /// The flow read something of the world, which decided what follows.
    Read {
        /// What, like `calendar.office.open` or `now`.
        name: Arc<str>,
        /// What it was.
        value: Value,
    },
    /// An expression had no value; what it stood for is absent.
    ExpressionFailed {
        /// Where it stands.
        step: StepId,
        /// Why, without values.
        reason: Arc<str>,
    },
    /// A prompt was said. Carries [`Personal::Text`], or [`Personal::Spoken`] where a voice says
    /// it otherwise than by reading the text.
    Said {
        /// Its key, unless it is written in the flow.
        prompt: Option<PromptKey>,
        /// The language of the text: for a dialect without one, what it falls back to.
        language: Arc<str>,
        /// The legal notice that it is, if it is one.
        notice: Option<Arc<str>>,
    },
    /// The caller was asked and is heard until the deadline.
    Asked {
        /// What for.
        question: Question,
        /// What the caller may give.
        expects: Expects,
        /// Which hearing of this step it is, counted from 1.
        hearing: u32,
        /// When it is over without an input.
        until: Timestamp,
    },
    /// The caller gave something. Carries [`Personal::Utterance`], but for what was given to a
    /// question whose answer is secret.
    Heard {
        /// The client's name for it.
        input: InputId,
    },
    /// Keys were kept for a question to come, or taken of those kept. Carries [`Personal::Text`]: the keys now kept.
    KeysAhead,
    /// Keys that may become an answer were collected; more may come until the deadline.
    /// Carries [`Personal::Text`], the keys so far, unless the answer is secret.
    KeysCollected {
        /// When the answer counts as complete or wrong.
        until: Timestamp,
    },
    /// An answer reached its full length. Its finish key, if it comes yet, belongs to it.
    AnswerFull {
        /// The finish key.
        finish: char,
        /// When it counts as a key of its own again.
        until: Timestamp,
    },
    /// The channel played what was said.
    Played {
        /// The event that said the last of it.
        seq: u64,
        /// When the question that was played is over without an input, if one was.
        until: Option<Timestamp>,
    },
    /// The caller's answer was understood, and is asked to be confirmed. Carries [`Personal::Value`].
    Understood,
    /// The caller gave nothing, or nothing that counts.
    Misheard {
        /// `no-input`, `no-match` or `invalid`.
        why: Arc<str>,
        /// Which hearing it was.
        hearing: u32,
    },
    /// The caller consented, or declined to.
    Consent {
        /// To what.
        name: Arc<str>,
        /// Whether it was given.
        given: bool,
    },
    /// A plugin is to be called. Carries [`Personal::Arguments`].
    CallRequested {
        /// The call, the same for all its attempts.
        call: CallId,
        /// Which attempt, counted from 1.
        attempt: u32,
        /// The plugin.
        plugin: PluginName,
        /// The function's full name.
        function: FunctionName,
        /// When the step's time is over.
        until: Timestamp,
        /// When the filler prompt is due, if there is one and it was not said.
        filler: Option<Timestamp>,
        /// Whether it may never be asked twice.
        at_most_once: bool,
        /// Whether an argument is secret: the arguments then stand nowhere but in memory.
        #[serde(default, skip_serializing_if = "is_false")]
        redacted: bool,
    },
    /// Several calls are to be made at once: a request for each follows.
    TogetherBegan {
        /// The branches in written order, each with its call.
        branches: Vec<(Arc<str>, CallId)>,
        /// When the filler prompt is due, if there is one.
        filler: Option<Timestamp>,
    },
    /// The filler of a call was due; what it said follows. Of several calls at once it is the first.
    FillerSaid {
        /// The call.
        call: CallId,
    },
    /// A call was answered, refused, or failed. Carries [`Personal::Answer`].
    CallAnswered {
        /// The call.
        call: CallId,
        /// The attempt that was answered.
        attempt: u32,
        /// What came of it.
        answer: AnswerKind,
    },
    /// An answer came when the contact no longer waited for it. It moves nothing. Carries [`Personal::Answer`].
    AnsweredLate {
        /// The call.
        call: CallId,
        /// The attempt.
        attempt: u32,
        /// What came of it.
        answer: AnswerKind,
    },
    /// A service is asked for something. Carries [`Personal::Particulars`].
    ServiceAsked {
        /// The work, the same for all its attempts.
        work: WorkId,
        /// Which attempt, counted from 1.
        attempt: u32,
        /// What is asked.
        demand: Demand,
        /// When the wait is over.
        until: Timestamp,
    },
    /// A service answered: for good, or on its way.
    ServiceAnswered {
        /// The work.
        work: WorkId,
        /// The attempt that was answered.
        attempt: u32,
        /// What it said.
        answer: ServiceAnswer,
    },
    /// A service answered when the contact no longer waited for it. It moves nothing.
    ServiceAnsweredLate {
        /// The work.
        work: WorkId,
        /// The attempt.
        attempt: u32,
        /// What it said.
        answer: ServiceAnswer,
    },
    /// The contact goes on before the service was done: the service is to let go of it.
    ServiceLeft {
        /// The work.
        work: WorkId,
    },
    /// What is said to a caller in a queue comes at these times.
    QueuePlanned {
        /// The next announcement.
        announcement: Option<Timestamp>,
        /// The next offer.
        offer: Option<Timestamp>,
        /// How many of the step's offers were made.
        offered: usize,
    },
    /// A question of a survey was answered. Carries [`Personal::Value`].
    SurveyAnswered {
        /// The question's name.
        question: Arc<str>,
    },
    /// A question of a survey was not answered; the survey goes on.
    SurveyPassed {
        /// The question's name.
        question: Arc<str>,
    },
    /// A variable was assigned. Carries [`Personal::Value`].
    VariableSet {
        /// The variable, of the flow entered last and not left.
        name: VariableName,
    },
    /// A variable took a secret, or a value made of one. What it holds stands nowhere but in memory.
    SecretKept {
        /// The variable, of the flow entered last and not left.
        name: VariableName,
        /// Where it is asked for again when it is lost.
        origin: Origin,
    },
    /// Secrets were lost, since the node stopped: variables that held one hold nothing. With
    /// `back` the contact goes back there to ask again.
    SecretsLost {
        /// The step that asks again.
        back: Option<Origin>,
    },
    /// The contact's language was changed.
    LanguageSet {
        /// The language.
        language: Arc<str>,
    },
    /// A `wait` began.
    Waiting {
        /// When it is over.
        until: Timestamp,
        /// The event that ends it sooner, if it waits for one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        event: Option<Arc<str>>,
    },
    /// The event happened that the contact waited for.
    EventHappened {
        /// The name of the input, as its sender gave it.
        input: InputId,
        /// The event.
        event: Arc<str>,
    },
    /// The node was restarted while the contact was under way.
    Resumed {
        /// How long the contact had not been looked after.
        away: Duration,
    },
    /// The caller left.
    HungUp {
        /// The client's name for the input, when one said so.
        input: Option<InputId>,
    },
    /// What remains to be done for a caller who left begins: the flow's `on-hangup`, if it has one.
    ClosingBegan,
    /// An input was not valid now and moved nothing.
    InputRefused {
        /// The client's name for it.
        input: InputId,
        /// Why.
        why: Refused,
    },
    /// A bound was hit.
    LimitHit {
        /// The bound's name.
        limit: Arc<str>,
    },
    /// The contact ended; nothing follows but late answers.
    Ended {
        /// Why.
        cause: Cause,
        /// The outcome: what `end` names, `abandoned`, or `failed`.
        outcome: Arc<str>,
    },
}

/// What of an event is personal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Personal {
    /// Who called.
    Caller {
        /// The caller's number, vouched for by a trunk or a trusted client; E.164.
        caller: Option<Arc<str>>,
        /// What an unvouched client says of itself.
        claimed: Option<Arc<str>>,
    },
    /// Variables and what they hold.
    Variables(BTreeMap<VariableName, Value>),
    /// A text.
    Text(Arc<str>),
    /// What the caller gave.
    Utterance(Utterance),
    /// The arguments of a call, in the order of the parameters.
    Arguments(Vec<Value>),
    /// What came of a call.
    Answer(Outcome),
    /// A value.
    Value(Value),
    /// A text, and what a voice says of it.
    Spoken {
        /// As text channels show it.
        text: Arc<str>,
        /// Part by part.
        speech: Vec<Speech>,
    },
    /// What a service is asked for.
    Particulars(Box<Particulars>),
}

impl Personal {
    /// The text, if it is one, however it is said.
    pub const fn text(&self) -> Option<&Arc<str>> {
        match self {
            Self::Text(text) | Self::Spoken { text, .. } => Some(text),
            Self::Caller { .. }
            | Self::Variables(_)
            | Self::Utterance(_)
            | Self::Arguments(_)
            | Self::Answer(_)
            | Self::Value(_)
            | Self::Particulars(_) => None,
        }
    }
}

/// What the caller is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Question {
    /// A menu's keys or words.
    Menu,
    /// A value.
    Ask,
    /// Whether the answer was understood rightly.
    Confirm,
    /// Nothing: the caller waits in a queue, and may go another way.
    Queue,
    /// A message that is recorded, or typed.
    Message,
}

/// What the caller may give.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expects {
    /// The keys that count, as they stand on the keypad.
    pub keys: Arc<str>,
    /// Whether words count.
    pub text: bool,
}

/// What came of a call, without what it carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnswerKind {
    /// An answer.
    Ok,
    /// The function's own error, by its case.
    Refusal(Arc<str>),
    /// A failure.
    Fault(FaultKind),
}

/// Why a contact ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The flow came to an `end`.
    Flow,
    /// The caller left; what the flow does then has been done.
    Caller,
    /// A bound was hit.
    Limit,
    /// The contact could not go on: its release lacks what it stood in.
    Broken,
}

/// For fields that old journals do not have.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

impl Fact {
    /// Whether nothing but late answers can follow.
    pub const fn ends_contact(&self) -> bool {
        matches!(self, Self::Ended { .. })
    }
}

impl AnswerKind {
    /// An outcome of this kind that carries nothing.
    pub(crate) fn without_value(&self) -> Outcome {
        match self {
            Self::Ok => Outcome::Ok(Value::None),
            Self::Refusal(case) => Outcome::Refusal(Refusal {
                case: case.clone(),
                payload: Value::None,
            }),
            Self::Fault(kind) => Outcome::fault(*kind, ""),
        }
    }
}

impl From<&Outcome> for AnswerKind {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Ok(_) => Self::Ok,
            Outcome::Refusal(refusal) => Self::Refusal(refusal.case.clone()),
            Outcome::Fault(fault) => Self::Fault(fault.kind),
        }
    }
}

impl Cause {
    /// The cause's name, for metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Flow => "flow",
            Self::Caller => "caller",
            Self::Limit => "limit",
            Self::Broken => "broken",
        }
    }
}
