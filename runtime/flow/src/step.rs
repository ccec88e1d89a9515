//! Steps of a checked flow: one struct for each verb.

use std::{collections::BTreeMap, fmt, ops::RangeInclusive, sync::Arc};

use trunkline_model::{Duration, FlowName, FunctionName, PluginName, PromptKey, StepId, Type, VariableName};

use crate::{expression::Expression, hotline::Language, speech::Format};

/// A step.
#[derive(Debug)]
pub struct Step {
    /// A step whose condition is false is passed over to `next`.
    pub when: Option<Expression>,
    /// What it does.
    pub verb: Verb,
    /// Where it leads when all went well; none only for verbs that never get there
    /// (`choose`, `end`, a `menu`).
    pub next: Option<StepId>,
    /// Every other way out, by name. All that the verb can take are there: `else`, `fault`
    /// and the flow's `otherwise` have been spread over the names they stand for. Names are
    /// WIT error cases, `fault.KIND` for each kind, `no-input`, `no-match`, `invalid`, and
    /// the other `end` names of a flow that is run.
    pub exits: BTreeMap<Arc<str>, Edge>,
    /// A title for people.
    pub title: Option<Arc<str>>,
    /// The service that callers reach here: `check --budget` counts the presses and seconds to
    /// it, and `before` of a merged number names it.
    pub service: Option<Arc<str>>,
}

/// A way out of a step.
#[derive(Debug, Clone)]
pub struct Edge {
    /// The step it leads to.
    pub next: StepId,
    /// The variable that takes the payload of an error.
    pub save: Option<VariableName>,
}

/// What a step does.
#[derive(Debug)]
pub enum Verb {
    /// Plays or shows a prompt.
    Say(Say),
    /// Offers keys and words.
    Menu(Menu),
    /// Collects a value.
    Ask(Ask),
    /// Calls a plugin's function.
    Call(Call),
    /// Takes the first branch whose condition holds.
    Choose(Choose),
    /// Assigns variables.
    Set(Set),
    /// Calls several functions at once and waits for all.
    Together(Together),
    /// Runs another flow and comes back.
    Run(Run),
    /// Waits for an agent of a queue.
    Queue(Queue),
    /// Hands the caller over to somewhere else, or brings a third party in.
    Transfer(Transfer),
    /// Books a ring-back.
    Callback(Callback),
    /// Asks how it was.
    Survey(Survey),
    /// Opens, updates or looks up a work order.
    Ticket(Ticket),
    /// Sends a message.
    Notify(Notify),
    /// Steers the recording, or takes a voice message.
    Record(Record),
    /// Waits for a time or an event.
    Wait(Wait),
    /// Ends the flow.
    End(End),
}

impl Verb {
    /// The verb's name in the language.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Say(_) => "say",
            Self::Menu(_) => "menu",
            Self::Ask(_) => "ask",
            Self::Call(_) => "call",
            Self::Choose(_) => "choose",
            Self::Set(_) => "set",
            Self::Together(_) => "together",
            Self::Run(_) => "run",
            Self::Queue(_) => "queue",
            Self::Transfer(_) => "transfer",
            Self::Callback(_) => "callback",
            Self::Survey(_) => "survey",
            Self::Ticket(_) => "ticket",
            Self::Notify(_) => "notify",
            Self::Record(_) => "record",
            Self::Wait(_) => "wait",
            Self::End(_) => "end",
        }
    }
}

impl Verb {
    /// Whether the caller is heard while it is done: keys and words that hold anywhere hold
    /// here.
    pub const fn hears(&self) -> bool {
        match self {
            Self::Menu(_) | Self::Ask(_) | Self::Queue(_) | Self::Survey(_) => true,
            Self::Record(record) => matches!(record, Record::Message { .. }),
            Self::Say(_)
            | Self::Call(_)
            | Self::Choose(_)
            | Self::Set(_)
            | Self::Together(_)
            | Self::Run(_)
            | Self::Transfer(_)
            | Self::Callback(_)
            | Self::Ticket(_)
            | Self::Notify(_)
            | Self::Wait(_)
            | Self::End(_) => false,
        }
    }
}

/// What is said, in each language.
#[derive(Debug, Clone)]
pub struct Prompt {
    /// Its key, unless it is written in the flow itself.
    pub key: Option<PromptKey>,
    /// Its text in each language and dialect that has one; at least one has.
    pub texts: BTreeMap<Language, Template>,
    /// What each dialect of the hotline falls back to; the same for all its prompts.
    pub dialects: Arc<BTreeMap<Language, Language>>,
}

/// A text with expressions in it, or a recording and the text that it says.
#[derive(Debug, Clone)]
pub struct Template {
    /// Its parts in order. Those of a recording are texts and pauses only.
    pub parts: Vec<Part>,
    /// The recording that is played on a voice channel.
    pub recording: Option<Recording>,
}

/// A recording of a prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// Its path in the hotline's folder.
    pub path: Arc<str>,
    /// How long it is, in seconds.
    pub seconds: f64,
}

/// A part of a template.
#[derive(Debug, Clone)]
pub enum Part {
    /// Text as it is.
    Text(Arc<str>),
    /// The value of an expression, printed or in a format that fits its type.
    Value(Expression, Option<Format>),
    /// Silence on voice channels, nothing on text channels.
    Pause(Duration),
}

/// `say`
#[derive(Debug)]
pub struct Say {
    /// What is said.
    pub prompt: Arc<Prompt>,
    /// The legal notice that it is, if it is one.
    pub notice: Option<Arc<str>>,
}

/// `menu`
#[derive(Debug)]
pub struct Menu {
    /// What is said first.
    pub prompt: Arc<Prompt>,
    /// Its keys in written order.
    pub entries: Vec<Entry>,
    /// Words and where each leads, longest first.
    pub words: Vec<(Arc<str>, StepId)>,
    /// Who tells what words mean that are not among `words`.
    pub intent: Option<Intent>,
    /// How often it asks again: 2 are three hearings.
    pub retries: u32,
    /// What is said instead of `prompt` at the second hearing, the third, and so on; the last
    /// is repeated. Without any the prompt itself is said again.
    pub again: Vec<Arc<Prompt>>,
    /// Time to the first key or word, when the step gives one.
    pub time: Option<Duration>,
}

/// A plugin's function that tells what a caller wants: it takes a text and gives an enum. Its
/// refusals and faults count as words that were not understood (`no-match`).
#[derive(Debug)]
pub struct Intent {
    /// The plugin.
    pub plugin: PluginName,
    /// The function, by its full name.
    pub function: FunctionName,
    /// The plugin and the function, as the flow writes them: `nlu.classify`.
    pub written: Arc<str>,
    /// How many more parameters it has; all are optional, and are left out.
    pub left_out: usize,
    /// Where each case of the enum leads; all of them are there.
    pub edges: BTreeMap<Arc<str>, StepId>,
    /// Time for the call.
    pub time: Duration,
}

/// A key of a menu.
#[derive(Debug)]
pub struct Entry {
    /// The key.
    pub key: Key,
    /// The key's own line, said after the head.
    pub say: Option<Arc<Prompt>>,
    /// Where it leads.
    pub next: StepId,
    /// The entry is offered only when this holds.
    pub when: Option<Expression>,
}

/// `ask`
#[derive(Debug, Clone)]
pub struct Ask {
    /// The question.
    pub prompt: Arc<Prompt>,
    /// What counts as an answer.
    pub answer: Answer,
    /// The variable that takes the answer.
    pub save: Option<VariableName>,
    /// How often it asks again: 2 are three hearings.
    pub retries: u32,
    /// What is said instead of `prompt` at the second hearing, the third, and so on; the last
    /// is repeated. Without any the prompt itself is said again.
    pub again: Vec<Arc<Prompt>>,
    /// What is said to confirm; it may print the answer as `{answer}`. Key 1 or yes confirms.
    pub confirm: Option<Arc<Prompt>>,
    /// The consent that a yes gives, if the question asks for one.
    pub consent: Option<Arc<str>>,
    /// The journal says only that it was answered, never what.
    pub secret: bool,
    /// The kind of personal data that the answer is, if it is some.
    pub label: Option<Arc<str>>,
    /// Time to the first key or word, when the step gives one.
    pub time: Option<Duration>,
}

/// What counts as an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Any text. Saved as string.
    Text,
    /// Keys of the keypad. Saved as string.
    Digits(Digits),
    /// A number. Saved as int, or as decimal when `decimal`.
    Number {
        /// The least and the greatest, where given.
        min: Option<f64>,
        /// The greatest.
        max: Option<f64>,
        /// Whether it may have a fraction.
        decimal: bool,
    },
    /// A day: `2026-11-21`, `十二月三号`, `tomorrow`. Saved as date.
    Date,
    /// An amount of money with up to two decimals; `*` is the point on a keypad. Saved as decimal.
    Money,
    /// Yes or no: keys 1 and 2, or words. Saved as bool.
    YesNo,
    /// A phone number. Saved as phone, in E.164 where it has a country code.
    Phone,
    /// A Chinese resident identity number: 17 digits and a check character, `*` for X on a
    /// keypad (GB 11643-1999). Saved as string, with a capital X.
    IdNumber,
    /// One of several values. Saved as string.
    OneOf(Vec<Choice>),
}

/// Keys of the keypad that make an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digits {
    /// How many.
    pub length: RangeInclusive<usize>,
    /// The key that finishes the answer, where lengths differ.
    pub finish: Option<Key>,
    /// Keys it must begin with, if any are given.
    pub pattern: Option<Arc<str>>,
}

/// One of several values that answer a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What is saved.
    pub value: Arc<str>,
    /// Its key, if it has one.
    pub key: Option<Key>,
    /// Words that mean it; the value itself always does.
    pub words: Vec<Arc<str>>,
}

impl Choice {
    /// Whether words, as [`plain`](crate::words::plain) leaves them, are this choice's and nothing else.
    pub fn is_named(&self, plain: &str) -> bool {
        let words = self.words.iter().chain([&self.value]);
        words.into_iter().any(|word| crate::words::plain(word) == plain)
    }
}

/// `call`
#[derive(Debug)]
pub struct Call {
    /// The plugin.
    pub plugin: PluginName,
    /// The function, by its full name.
    pub function: FunctionName,
    /// The plugin and the function, as the flow writes them: `crm.find-citizen`.
    pub written: Arc<str>,
    /// What it gives when all went well, if it gives something.
    pub ok: Option<Type>,
    /// Its own errors, and what each carries.
    pub errors: Vec<(Arc<str>, Option<Type>)>,
    /// One expression for each parameter, in order; none for an optional one left out.
    pub arguments: Vec<Option<Expression>>,
    /// The variable that takes the answer.
    pub save: Option<VariableName>,
    /// Time for all attempts together.
    pub time: Duration,
    /// How often it is asked again after a fault.
    pub retries: u32,
    /// Said once when the answer takes longer than half a second.
    pub meanwhile: Option<Arc<Prompt>>,
    /// Never asked twice, not even after a crash.
    pub at_most_once: bool,
}

/// `choose`
#[derive(Debug)]
pub struct Choose {
    /// Conditions and where each leads.
    pub branches: Vec<(Expression, StepId)>,
    /// Where it leads when none holds.
    pub otherwise: StepId,
}

/// `set`
#[derive(Debug)]
pub struct Set {
    /// What is assigned, in written order; later ones see earlier ones.
    pub assignments: Vec<(Target, Expression)>,
}

/// What `set` assigns to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A variable of the flow.
    Variable(VariableName),
    /// The contact's language.
    Language,
}

/// `run`
#[derive(Debug)]
pub struct Run {
    /// The flow that is run.
    pub flow: FlowName,
    /// What it is given.
    pub inputs: Vec<(VariableName, Expression)>,
    /// What is kept of what it gives back: expressions over `result`.
    pub save: Vec<(VariableName, Expression)>,
}

/// `together`
#[derive(Debug)]
pub struct Together {
    /// The calls by the names of their branches, in written order. The first of them that does
    /// not come out well decides; its exits are `branch.case` and `branch.fault.KIND`. A
    /// branch has no `meanwhile` of its own.
    pub branches: Vec<(Arc<str>, Call)>,
    /// Said once when the answers take longer than half a second.
    pub meanwhile: Option<Arc<Prompt>>,
}

/// `queue`: leaves by `next` when the agent's leg ends and the caller stays; else by
/// `timeout`, `full`, `closed`, `no-agents` or `failed`.
#[derive(Debug)]
pub struct Queue {
    /// The queue.
    pub queue: Arc<str>,
    /// Skills that the agent must have besides the queue's own.
    pub skills: Vec<Arc<str>>,
    /// The one agent that is wanted, by name.
    pub agent: Option<Expression>,
    /// An int; higher is served first. 5 when there is none.
    pub priority: Option<Expression>,
    /// Said once when the waiting begins, and repeated as music would be.
    pub music: Option<Arc<Prompt>>,
    /// What is said while waiting.
    pub announce: Option<Announce>,
    /// What the caller is offered instead of waiting on.
    pub offers: Vec<Offer>,
    /// The longest wait.
    pub max: Duration,
}

/// What is said to a caller who waits: its prompt may print `{position}` (an int from 1) and
/// `{wait}` (a duration, the estimate).
#[derive(Debug)]
pub struct Announce {
    /// How often.
    pub every: Duration,
    /// What.
    pub prompt: Arc<Prompt>,
}

/// Another way, offered to a caller who has waited for some time: `offer-callback`,
/// `offer-channel`.
#[derive(Debug)]
pub struct Offer {
    /// Its field's name, as in exits of events: `offer-callback` or `offer-channel`.
    pub name: Arc<str>,
    /// How long the caller has waited when it is offered.
    pub after: Duration,
    /// What is said.
    pub prompt: Arc<Prompt>,
    /// The key that takes it, from then on.
    pub key: Key,
    /// Where it leads.
    pub next: StepId,
}

/// `transfer`: leaves by `next` when the other leg ends and the caller stays, or with three in the
/// call when it answers; else by `busy`, `no-answer` or `failed`.
#[derive(Debug)]
pub struct Transfer {
    /// Where to.
    pub to: TransferTo,
    /// Whether the flow goes on once the other party answers, who stays in the call (three-way), or waits
    /// until that party has left.
    pub three_way: bool,
    /// Whether people answer there: then it counts as a human. Always so for an agent.
    pub staffed: bool,
    /// How long it rings.
    pub time: Duration,
}

/// Where a `transfer` goes.
#[derive(Debug)]
pub enum TransferTo {
    /// A number or SIP address: a string or phone.
    Address(Expression),
    /// An agent, by name: a string.
    Agent(Expression),
    /// Another number of a hotline.
    Hotline(Expression),
}

/// `callback`: leaves by `next` when it is booked; else by `duplicate` or `refused`.
#[derive(Debug)]
pub struct Callback {
    /// The queue that rings back, where the caller keeps the place.
    pub queue: Arc<str>,
    /// Within what time.
    pub within: Duration,
    /// The number to ring; the caller's own when there is none. A phone or string.
    pub number: Option<Expression>,
    /// How often it is tried.
    pub attempts: u32,
    /// The pause between two tries.
    pub every: Duration,
    /// The calendar within whose hours it rings; the hotline's `calling-window` when none.
    pub window: Option<Arc<str>>,
}

/// `survey`: leaves by `next` when it was answered; else by `declined` or `failed`.
#[derive(Debug)]
pub struct Survey {
    /// The survey.
    pub survey: Arc<str>,
}

/// `ticket`: leaves by `next` when it was done; else by `duplicate` or `refused`.
#[derive(Debug)]
pub struct Ticket {
    /// What is done.
    pub action: TicketAction,
    /// The fields that are written: of `open` and `update`.
    pub fields: Vec<(Arc<str>, Expression)>,
    /// The variable that takes the ticket: its number (a string) for `open` and `update`, the
    /// record [`crate::hotline::ticket_type`] for `look-up`.
    pub save: Option<VariableName>,
}

/// What a `ticket` step does.
#[derive(Debug)]
pub enum TicketAction {
    /// Opens one of a class.
    Open {
        /// The class.
        class: Arc<str>,
    },
    /// Adds to one.
    Update {
        /// Its number: a string.
        number: Expression,
    },
    /// Finds one by its number, or the caller's latest.
    LookUp {
        /// Its number, if it is asked for.
        number: Option<Expression>,
    },
}

/// `notify`: leaves by `next` when the message is on its way; else by `failed`.
#[derive(Debug)]
pub struct Notify {
    /// Whom: a phone or string; the caller when there is none.
    pub to: Option<Expression>,
    /// What.
    pub prompt: Arc<Prompt>,
    /// By which channel: `sms`, or a name that the operator gives meaning to.
    pub channel: Arc<str>,
}

/// `record`: leaves by `next`; by `declined` when the consent that it names was not given, or
/// the caller left no message.
#[derive(Debug)]
pub enum Record {
    /// Starts the recording of the contact.
    Start {
        /// The consent without which nothing is recorded.
        consent: Option<Arc<str>>,
    },
    /// Stops it for good.
    Stop,
    /// Pauses it.
    Pause,
    /// Goes on with it.
    Resume,
    /// Takes a message of the caller's. On text channels it is a text.
    Message {
        /// What is said first.
        prompt: Arc<Prompt>,
        /// The longest message.
        max: Duration,
        /// The key that ends it.
        finish: Key,
        /// The variable that takes it: a string, the text or the recording's name.
        save: VariableName,
    },
}

/// What a `wait` may wait for.
pub const EVENTS: [&str; 6] = [
    "ticket.closed",
    "ticket.answered",
    "ticket.overdue",
    "callback.done",
    "survey.low",
    "contact.ended",
];

/// `wait`
#[derive(Debug)]
pub struct Wait {
    /// How long; for an event the longest time, after which the exit `timeout` is taken.
    pub time: Duration,
    /// The event that is waited for, such as `ticket.closed`.
    pub event: Option<Arc<str>>,
}

/// `end`
#[derive(Debug)]
pub struct End {
    /// The outcome: kebab-case, `completed` when all went well.
    pub outcome: Arc<str>,
    /// What the flow gives back.
    pub outputs: Vec<(VariableName, Expression)>,
}

/// A key of the keypad: `0` to `9`, `*` or `#`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(char);

impl Key {
    /// Takes a key of the keypad; none for any other character.
    pub const fn new(key: char) -> Option<Self> {
        match key {
            '0'..='9' | '*' | '#' => Some(Self(key)),
            _ => None,
        }
    }

    /// The key as a character.
    pub const fn as_char(self) -> char {
        self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}
