//! Changes, as values.

use std::sync::Arc;

use serde::{Serialize, Serializer};
use trunkline_model::{FlowName, StepId};

use super::text::Piece;
use crate::prove::Reach;

/// What a change is about, most important first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Area {
    /// What it takes callers to reach a service.
    Services,
    /// Numbers, languages, rules.
    Hotline,
    /// Flows and their steps.
    Flows,
    /// What is said.
    Prompts,
    /// When something is open.
    Calendars,
    /// Queues, agents, surveys, classes of tickets.
    Centre,
    /// Plugins, their functions and grants.
    Plugins,
}

/// A kind of thing that has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Noun {
    /// The hotline itself.
    Hotline,
    /// A number that callers call.
    Number,
    /// A language.
    Language,
    /// A rule pack.
    Pack,
    /// A trunk.
    Trunk,
    /// A voice.
    Voice,
    /// A carrier.
    Carrier,
    /// A feed.
    Feed,
    /// A webhook.
    Webhook,
    /// A flow.
    Flow,
    /// A variable, input or output of a flow.
    Variable,
    /// A prompt.
    Prompt,
    /// A calendar.
    Calendar,
    /// A queue.
    Queue,
    /// An agent.
    Agent,
    /// A survey.
    Survey,
    /// A class of tickets.
    TicketClass,
    /// A plugin.
    Plugin,
    /// A department whose packages have to be signed.
    Signer,
}

/// A field of something, by its name in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub(super) en: &'static str,
    pub(super) zh: &'static str,
    /// What it is of, where there are several: a key, an argument.
    pub(super) of: Option<String>,
}

impl Field {
    pub(super) const fn new(en: &'static str, zh: &'static str) -> Self {
        Self { en, zh, of: None }
    }

    pub(super) fn of(en: &'static str, zh: &'static str, of: impl Into<String>) -> Self {
        Self {
            en,
            zh,
            of: Some(of.into()),
        }
    }
}

impl Serialize for Field {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.of {
            Some(of) => serializer.collect_str(&format_args!("{} {of}", self.en)),
            None => serializer.serialize_str(self.en),
        }
    }
}

/// A way out of a step, or into a flow.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// All went well.
    Next,
    /// A key of a menu.
    Key(char),
    /// A word of a menu.
    Word(Arc<str>),
    /// What a plugin tells a caller wants.
    Intent(Arc<str>),
    /// A condition, as it is written.
    Condition(Arc<str>),
    /// No condition holds.
    Else,
    /// What a caller who waits is offered.
    Offer(Arc<str>),
    /// An error, a fault, no input, an outcome.
    Exit(Arc<str>),
    /// A key or word that holds anywhere.
    Anywhere(Arc<str>),
    /// Where the flow starts.
    Start,
    /// Where contacts go whose caller left.
    HangUp,
}

/// One difference between two versions.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Change {
    /// A service can be reached that could not.
    ServiceGained {
        /// What it takes.
        is: Reach,
    },
    /// A service cannot be reached any more.
    ServiceLost {
        /// What it took.
        was: Reach,
    },
    /// It takes more or less to reach a service.
    ServiceCost {
        /// What it took.
        was: Reach,
        /// What it takes.
        is: Reach,
    },
    /// Something is there that was not.
    Added {
        /// What kind of thing.
        what: Noun,
        /// Its name.
        name: String,
        /// The flow that it belongs to, where it belongs to one.
        flow: Option<FlowName>,
        /// More about it; may be empty.
        detail: String,
    },
    /// Something is gone.
    Removed {
        /// What kind of thing.
        what: Noun,
        /// Its name.
        name: String,
        /// The flow that it belonged to, where it belonged to one.
        flow: Option<FlowName>,
    },
    /// A flow has another name.
    FlowRenamed {
        /// The name it had.
        from: FlowName,
        /// The name it has.
        to: FlowName,
    },
    /// A field of something is different.
    Changed {
        /// What kind of thing.
        what: Noun,
        /// Its name.
        name: String,
        /// The flow that it belongs to, where it belongs to one.
        flow: Option<FlowName>,
        /// The field.
        field: Field,
        /// What it was; none when it was not there.
        from: Option<String>,
        /// What it is; none when it is not there.
        to: Option<String>,
    },
    /// A step is new.
    StepAdded {
        /// The flow.
        flow: FlowName,
        /// The step.
        step: StepId,
        /// Its verb.
        verb: &'static str,
        /// What it is about; may be empty.
        about: String,
    },
    /// A step is gone.
    StepRemoved {
        /// The flow.
        flow: FlowName,
        /// The step.
        step: StepId,
        /// Its verb.
        verb: &'static str,
        /// What it was about; may be empty.
        about: String,
    },
    /// A step has another name and does the same.
    StepRenamed {
        /// The flow.
        flow: FlowName,
        /// The name it had.
        from: StepId,
        /// The name it has.
        to: StepId,
    },
    /// A step does something else altogether.
    VerbChanged {
        /// The flow.
        flow: FlowName,
        /// The step.
        step: StepId,
        /// What it did.
        from: &'static str,
        /// What it does.
        to: &'static str,
    },
    /// A field of a step is different.
    StepChanged {
        /// The flow.
        flow: FlowName,
        /// The step.
        step: StepId,
        /// The field.
        field: Field,
        /// What it was; none when it was not there.
        from: Option<String>,
        /// What it is; none when it is not there.
        to: Option<String>,
    },
    /// Ways that lead somewhere now.
    WaysGained {
        /// The flow.
        flow: FlowName,
        /// The step that they leave; none for ways into the flow.
        step: Option<StepId>,
        /// The ways.
        ways: Vec<Way>,
        /// Where they lead.
        to: StepId,
    },
    /// Ways that led somewhere.
    WaysLost {
        /// The flow.
        flow: FlowName,
        /// The step that they left; none for ways into the flow.
        step: Option<StepId>,
        /// The ways.
        ways: Vec<Way>,
        /// Where they led.
        from: StepId,
    },
    /// Ways that lead somewhere else.
    WaysMoved {
        /// The flow.
        flow: FlowName,
        /// The step that they leave; none for ways into the flow.
        step: Option<StepId>,
        /// The ways.
        ways: Vec<Way>,
        /// Where they led.
        from: StepId,
        /// Where they lead.
        to: StepId,
    },
    /// A prompt says something else.
    PromptChanged {
        /// Its key, or `FLOW/STEP FIELD` for one that is written in a flow.
        prompt: String,
        /// The language.
        language: Arc<str>,
        /// What stayed, went and came, in order; empty when the words are the same and only pauses, formats
        /// or the recording are not.
        pieces: Vec<Piece>,
    },
    /// The hours of a calendar's weekday are different.
    HoursChanged {
        /// The calendar.
        calendar: Arc<str>,
        /// The weekday, from 0 for Monday.
        weekday: usize,
        /// What they were: `08:30-12:00, 13:30-17:30`; empty when it was closed.
        from: String,
        /// What they are.
        to: String,
    },
    /// Days that no longer follow, or now follow, their weekday's hours.
    DaysChanged {
        /// The calendar.
        calendar: Arc<str>,
        /// The days, as `2026-10-01` or `2026-10-01..2026-10-07`.
        days: Vec<String>,
        /// Whether they are exceptions now; else they were.
        exceptions: bool,
    },
    /// A plugin's component is another one.
    ComponentChanged {
        /// The plugin.
        plugin: String,
        /// Its version and digest.
        from: String,
        /// Its version and digest now.
        to: String,
    },
    /// A plugin offers a function that it did not.
    FunctionGained {
        /// The plugin.
        plugin: String,
        /// The function's signature.
        signature: String,
    },
    /// A plugin no longer offers a function.
    FunctionLost {
        /// The plugin.
        plugin: String,
        /// The function's signature.
        signature: String,
    },
    /// A function takes or gives something else.
    FunctionChanged {
        /// The plugin.
        plugin: String,
        /// The signature it had.
        from: String,
        /// The signature it has.
        to: String,
    },
    /// A plugin may reach or use something that it might not.
    GrantGained {
        /// The plugin.
        plugin: String,
        /// What, as grants.yaml has it.
        grant: String,
    },
    /// A plugin may no longer reach or use something.
    GrantLost {
        /// The plugin.
        plugin: String,
        /// What, as grants.yaml had it.
        grant: String,
    },
}

impl Change {
    /// What it is about.
    pub const fn area(&self) -> Area {
        match self {
            Self::ServiceGained { .. } | Self::ServiceLost { .. } | Self::ServiceCost { .. } => {
                Area::Services
            }
            Self::Added { what, .. } | Self::Removed { what, .. } | Self::Changed { what, .. } => {
                match what {
                    Noun::Hotline
                    | Noun::Number
                    | Noun::Language
                    | Noun::Pack
                    | Noun::Feed
                    | Noun::Trunk
                    | Noun::Voice
                    | Noun::Carrier
                    | Noun::Webhook => Area::Hotline,
                    Noun::Flow | Noun::Variable => Area::Flows,
                    Noun::Prompt => Area::Prompts,
                    Noun::Calendar => Area::Calendars,
                    Noun::Queue | Noun::Agent | Noun::Survey | Noun::TicketClass => Area::Centre,
                    Noun::Plugin | Noun::Signer => Area::Plugins,
                }
            }
            Self::FlowRenamed { .. }
            | Self::StepAdded { .. }
            | Self::StepRemoved { .. }
            | Self::StepRenamed { .. }
            | Self::VerbChanged { .. }
            | Self::StepChanged { .. }
            | Self::WaysGained { .. }
            | Self::WaysLost { .. }
            | Self::WaysMoved { .. } => Area::Flows,
            Self::PromptChanged { .. } => Area::Prompts,
            Self::HoursChanged { .. } | Self::DaysChanged { .. } => Area::Calendars,
            Self::ComponentChanged { .. }
            | Self::FunctionGained { .. }
            | Self::FunctionLost { .. }
            | Self::FunctionChanged { .. }
            | Self::GrantGained { .. }
            | Self::GrantLost { .. } => Area::Plugins,
        }
    }
}
