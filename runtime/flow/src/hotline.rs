//! A checked hotline: every name resolved, every expression typed, every way out wired.
//!
//! This is what the engine runs. Steps refer to each other by name, since names are what
//! journals keep; a lookup is one hash or tree step.

use std::{collections::BTreeMap, sync::Arc};

use indexmap::IndexMap;
use trunkline_model::{FlowName, PluginName, StepId, Type, VariableName};

use crate::{
    calendar::Calendar,
    expression::Expression,
    step::{Key, Step},
};

/// A language, as a BCP 47 tag such as `zh-CN`.
pub type Language = Arc<str>;

/// A hotline whose every name is resolved.
#[derive(Debug)]
pub struct Hotline {
    /// The hotline's name, kebab-case.
    pub name: Arc<str>,
    /// Its languages; the first is the one contacts begin in unless they or their number say otherwise.
    pub languages: Vec<Language>,
    /// The time zone of its calendars and of `now`.
    pub time_zone: jiff::tz::TimeZone,
    /// Its numbers and what answers them.
    pub numbers: BTreeMap<Arc<str>, Number>,
    /// Its plugins.
    pub plugins: BTreeMap<PluginName, Plugin>,
    /// Its calendars, `always` among them.
    pub calendars: BTreeMap<Arc<str>, Calendar>,
    /// Its flows.
    pub flows: BTreeMap<FlowName, Arc<Flow>>,
}

/// A number that callers call.
#[derive(Debug, Clone)]
pub struct Number {
    /// The flow that answers.
    pub flow: FlowName,
    /// The language its contacts begin in, when the number has one of its own.
    pub language: Option<Language>,
    /// The department the number belongs to.
    pub department: Option<Arc<str>>,
}

/// A plugin as hotline.yaml declares it.
#[derive(Debug, Clone)]
pub struct Plugin {
    /// Where its component is, relative to the hotline's folder.
    pub component: Arc<str>,
    /// Whose it is.
    pub department: Arc<str>,
    /// Its settings.
    pub config: BTreeMap<String, String>,
}

/// A flow.
#[derive(Debug)]
pub struct Flow {
    /// Its name, kebab-case.
    pub name: FlowName,
    /// What a `run` must give it.
    pub inputs: IndexMap<VariableName, Type>,
    /// What it gives back when it ends `completed`.
    pub outputs: IndexMap<VariableName, Type>,
    /// Its own variables; inputs are variables too but stand only in `inputs`.
    pub variables: IndexMap<VariableName, Variable>,
    /// Where it starts.
    pub start: StepId,
    /// What holds at every step that hears.
    pub anywhere: Anywhere,
    /// Where a contact goes whose caller left.
    pub on_hangup: Option<StepId>,
    /// Its steps in written order.
    pub steps: IndexMap<StepId, Step>,
}

/// A variable of a flow.
#[derive(Debug, Clone)]
pub struct Variable {
    /// Its type.
    pub ty: Type,
    /// What it holds at first; without, it is not set.
    pub initial: Option<Expression>,
    /// The kind of personal data that it holds, if it holds some.
    pub label: Option<Arc<str>>,
}

/// Keys and words that hold at every step that hears.
#[derive(Debug, Clone, Default)]
pub struct Anywhere {
    /// Where each key leads.
    pub keys: BTreeMap<Key, StepId>,
    /// Where each word leads, longest first.
    pub words: Vec<(Arc<str>, StepId)>,
}

impl Hotline {
    /// The language of a tag the hotline has: the same tag, or one of the same primary
    /// language (`en-GB` finds `en`).
    pub fn language(&self, tag: &str) -> Option<&Language> {
        let primary = |tag: &str| tag.split('-').next().map(str::to_ascii_lowercase);
        self.languages
            .iter()
            .find(|language| language.eq_ignore_ascii_case(tag))
            .or_else(|| {
                self.languages
                    .iter()
                    .find(|language| primary(language) == primary(tag))
            })
    }
}
