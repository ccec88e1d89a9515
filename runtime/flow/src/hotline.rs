//! A checked hotline: every name resolved, every expression typed, every way out wired.
//!
//! This is what the engine runs. Steps refer to each other by name, since names are what
//! journals keep; a lookup is one hash or tree step.

mod carrier;
mod success;
mod trunk;
mod voice;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use indexmap::IndexMap;
use trunkline_model::{
    Duration, FlowName, PluginName, StepId, Type, VariableName,
    types::{Field, Record},
};

use crate::{
    calendar::Calendar,
    expression::Expression,
    start::{Feed, Starts, StartsOn, Webhook},
    step::{Answer, Key, Prompt, Step},
};

pub use carrier::{Carrier, CarrierKind, PublicUrl, PublicUrlError};
pub use success::{NoPercent, Percent, Success};
pub use trunk::{CallerId, Codec, Destination, DestinationError, Login, PutThrough, Transport, Trunk};
pub use voice::{ENGINE_BUILT_IN, Ears, Voice};

/// A language, as a BCP 47 tag such as `zh-CN`.
pub type Language = Arc<str>;

/// A hotline whose every name is resolved.
#[derive(Debug)]
pub struct Hotline {
    /// The hotline's name, kebab-case.
    pub name: Arc<str>,
    /// Its languages; the first is the one contacts begin in unless they or their number say otherwise.
    pub languages: Vec<Language>,
    /// Its dialects, and the language or dialect that each falls back to where it has no text
    /// of its own. They lead to a language without a circle.
    pub dialects: Arc<BTreeMap<Language, Language>>,
    /// The time zone of its calendars and of `now`.
    pub time_zone: jiff::tz::TimeZone,
    /// Its numbers and what answers them.
    pub numbers: BTreeMap<Arc<str>, Number>,
    /// Its plugins.
    pub plugins: BTreeMap<PluginName, Plugin>,
    /// What is expected of its plugins' interfaces.
    pub success: Success,
    /// Its calendars, `always` among them.
    pub calendars: BTreeMap<Arc<str>, Calendar>,
    /// Its queues.
    pub queues: BTreeMap<Arc<str>, QueueSpec>,
    /// Its agents, by name.
    pub agents: BTreeMap<Arc<str>, Agent>,
    /// Its surveys.
    pub surveys: BTreeMap<Arc<str>, SurveySpec>,
    /// The classes of its tickets.
    pub tickets: BTreeMap<Arc<str>, TicketClass>,
    /// The calendar within whose hours callers are rung, when it has one.
    pub calling_window: Option<Arc<str>>,
    /// The lines by which it is called, and calls.
    pub trunks: BTreeMap<Arc<str>, Trunk>,
    /// Who says its texts, by language or dialect; a dialect without one has that of what it falls
    /// back to.
    pub voices: BTreeMap<Language, Voice>,
    /// Who hears what callers say; without, they have keys only.
    pub ears: Option<Ears>,
    /// The companies that take calls for it.
    pub carriers: BTreeMap<Arc<str>, Carrier>,
    /// Its feeds.
    pub feeds: BTreeMap<Arc<str>, Feed>,
    /// Its webhooks.
    pub webhooks: BTreeMap<Arc<str>, Webhook>,
    /// The rule packs that it holds to.
    pub checks: Vec<PackUse>,
    /// Its flows.
    pub flows: BTreeMap<FlowName, Arc<Flow>>,
}

/// A queue of callers.
#[derive(Debug, Clone)]
pub struct QueueSpec {
    /// Skills that its agents have.
    pub skills: Vec<Arc<str>>,
    /// Within what time callers should be answered.
    pub target: Option<Duration>,
    /// How many may wait; more leave by `full`.
    pub waiting_max: u32,
    /// When it takes callers; those who come when it is closed leave by `closed`.
    pub calendar: Arc<str>,
}

/// An agent.
#[derive(Debug, Clone)]
pub struct Agent {
    /// The agent's skills.
    pub skills: Vec<Arc<str>>,
    /// The name that is shown and said.
    pub title: Option<Arc<str>>,
    /// The name of the server's secret that is the password of the agent's SIP phone, whose user is
    /// the agent's name; none when the agent has no such phone.
    pub phone: Option<Arc<str>>,
    /// Whether the agent may listen in on others' calls.
    pub supervisor: bool,
    /// Whether the agent's phone may call numbers outside by itself.
    pub calls_out: bool,
}

/// A survey.
#[derive(Debug, Clone)]
pub struct SurveySpec {
    /// How it is scored.
    pub kind: SurveyKind,
    /// What is asked, in order.
    pub questions: Vec<SurveyQuestion>,
}

/// How a survey is scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SurveyKind {
    /// Customer satisfaction: the first question's answer, 1 to 5.
    Csat,
    /// Net promoter score: the first question's answer, 0 to 10.
    Nps,
    /// Words only.
    Comment,
}

/// A question of a survey.
#[derive(Debug, Clone)]
pub struct SurveyQuestion {
    /// Its name, snake_case.
    pub name: Arc<str>,
    /// What is asked.
    pub prompt: Arc<Prompt>,
    /// What counts as an answer.
    pub answer: Answer,
}

/// A class of tickets.
#[derive(Debug, Clone)]
pub struct TicketClass {
    /// The department that handles it.
    pub department: Arc<str>,
    /// Within what time.
    pub deadline: Deadline,
}

/// A limit as a city's table gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deadline {
    /// A time by the clock.
    Within(Duration),
    /// Working days of a calendar: the end of the last of them.
    WorkingDays {
        /// How many.
        days: u32,
        /// By which calendar.
        calendar: Arc<str>,
    },
}

/// A rule pack that the hotline holds to, and the bounds it sets.
#[derive(Debug, Clone)]
pub struct PackUse {
    /// The pack, such as `cn-12345`.
    pub pack: Arc<str>,
    /// Bounds that replace the pack's own, by name: `inputs`, `seconds`.
    pub settings: BTreeMap<Arc<str>, u64>,
    /// Conditions that are taken as true, for rules about some callers (R5), as written
    /// between `${` and `}`.
    pub assume: Vec<Arc<str>>,
    /// Words that replace the pack's lists, by the list's name: `emergency`.
    pub words: BTreeMap<Arc<str>, Vec<Arc<str>>>,
}

/// The record that a ticket is to flows: number, class, department, state, due.
pub fn ticket_type() -> Type {
    let field = |name: &str, ty: Type| Field {
        name: name.into(),
        ty,
    };
    Type::Record(Arc::new(Record {
        name: Some("ticket".into()),
        fields: vec![
            field("number", Type::String),
            field("class", Type::String),
            field("department", Type::String),
            field("state", Type::String),
            field("due", Type::Time),
        ],
    }))
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
    /// How an old number was merged into this hotline, if it was.
    pub merge: Option<Merge>,
    /// How many presses each service took its callers before it was merged.
    pub before: BTreeMap<Arc<str>, u32>,
    /// The trunks from which it may be called; all without.
    pub trunks: Option<Vec<Arc<str>>>,
    /// Whether what is said before the caller is asked anything is heard before the call is answered.
    pub early: bool,
}

/// How an old number was merged (General Office of the State Council, 2020 No. 53).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merge {
    /// The number was given up, and calls to it are forwarded.
    Whole,
    /// The well-known number is kept, and calls are handled jointly.
    DualNumber,
    /// A vertically managed department keeps number and seats.
    SubCentre,
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
    /// Kinds of personal data in what its functions give, by the path of a field as it is written:
    /// `citizen.id` of the plugin's type `citizen`.
    pub labels: BTreeMap<Arc<str>, Label>,
    /// The kinds of personal data that flows may pass to it (`data` of grants.yaml).
    pub data: BTreeSet<Arc<str>>,
    /// The share of its calls that should succeed, where it is another than the hotline's.
    pub success: Option<Percent>,
}

/// The kind of personal data that a type's values hold, or a field of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The kind.
    pub kind: Arc<str>,
    /// The type, by the name that values of it have.
    pub of: Arc<str>,
    /// The fields that lead from it to what has the label, through lists as well; none when the
    /// whole has it.
    pub fields: Vec<Arc<str>>,
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
    /// What starts it, when nobody calls.
    pub starts_on: Option<StartsOn>,
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
    /// What a feed or a webhook says of the contacts that it starts; none when there is no such.
    pub fn starts(&self, on: &StartsOn) -> Option<&Starts> {
        match on {
            StartsOn::Feed(name) => self.feeds.get(name).map(|feed| &feed.starts),
            StartsOn::Webhook(name) => self.webhooks.get(name).map(|webhook| &webhook.starts),
        }
    }

    /// Who says texts in a language or dialect: its own voice, or that of what it falls back to, or that of
    /// the shorter tag (`zh-yue-HK`, `zh-yue`, `zh`). Where there is none a phone says them by espeak-ng, if the
    /// server has it.
    pub fn voice(&self, language: &str) -> Option<&Voice> {
        let falls_back = |tag: &&str| self.dialects.get(*tag).map(|tag| &**tag);
        // A way longer than there are dialects goes in a circle.
        let declared = std::iter::successors(Some(language), falls_back).take(self.dialects.len() + 1);
        let shorter = std::iter::successors(Some(language), |tag| Some(tag.rsplit_once('-')?.0));
        declared.chain(shorter).find_map(|tag| self.voices.get(tag))
    }

    /// The language or dialect of a tag: the same tag, or else without its last parts, one by
    /// one, as RFC 4647 looks tags up (`zh-yue-HK` finds `zh-yue`); or else a language of the
    /// same primary language (`en-GB` finds `en-US`). A dialect's tag may begin with its macro
    /// language or not: `yue-HK` is `zh-yue-HK` (RFC 5646, extended language subtags).
    pub fn language(&self, tag: &str) -> Option<&Language> {
        let wanted = canonical(tag);
        let known = || self.languages.iter().chain(self.dialects.keys());
        let mut rest = wanted.as_str();
        loop {
            if let Some(found) = known().find(|language| canonical(language) == rest) {
                return Some(found);
            }
            match rest.rsplit_once('-') {
                Some((shorter, _)) => rest = shorter,
                None => break,
            }
        }
        let primary = |tag: &str| tag.split('-').next().map(str::to_ascii_lowercase);
        self.languages
            .iter()
            .find(|language| primary(language) == primary(tag))
    }
}

/// A tag in small letters, and without the macro language before an extended one.
fn canonical(tag: &str) -> String {
    let tag = tag.to_ascii_lowercase();
    match tag.split_once('-') {
        Some((_, rest))
            if rest.split('-').next().is_some_and(|part| {
                part.len() == 3 && part.bytes().all(|byte| byte.is_ascii_lowercase())
            }) =>
        {
            rest.to_owned()
        }
        _ => tag,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_find_dialects_and_languages_from_their_end() {
        let tags = |tags: &[&str]| tags.iter().map(|&tag| tag.into()).collect::<Vec<Language>>();
        let hotline = Hotline {
            name: "test".into(),
            languages: tags(&["zh-CN", "en"]),
            dialects: Arc::new(
                [("zh-yue", "zh-CN"), ("zh-sichuan", "zh-CN")]
                    .map(|(dialect, to)| (dialect.into(), to.into()))
                    .into(),
            ),
            time_zone: jiff::tz::TimeZone::UTC,
            numbers: BTreeMap::new(),
            plugins: BTreeMap::new(),
            success: Success::default(),
            calendars: BTreeMap::new(),
            queues: BTreeMap::new(),
            agents: BTreeMap::new(),
            surveys: BTreeMap::new(),
            tickets: BTreeMap::new(),
            calling_window: None,
            trunks: BTreeMap::new(),
            voices: BTreeMap::new(),
            ears: None,
            carriers: BTreeMap::new(),
            feeds: BTreeMap::new(),
            webhooks: BTreeMap::new(),
            checks: Vec::new(),
            flows: BTreeMap::new(),
        };
        for (tag, found) in [
            ("zh-CN", Some("zh-CN")),
            ("ZH-cn", Some("zh-CN")),
            ("zh", Some("zh-CN")),
            ("zh-TW", Some("zh-CN")),
            ("zh-yue", Some("zh-yue")),
            ("zh-yue-HK", Some("zh-yue")),
            ("yue", Some("zh-yue")),
            ("yue-Hant-HK", Some("zh-yue")),
            ("zh-sichuan", Some("zh-sichuan")),
            ("zh-wuu", Some("zh-CN")),
            ("en-GB", Some("en")),
            ("fr", None),
            ("", None),
        ] {
            assert_eq!(hotline.language(tag).map(|tag| &**tag), found, "{tag:?}");
        }
    }
}
