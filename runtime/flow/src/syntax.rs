//! A hotline as it is written: every word with its place, nothing resolved yet.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use trunkline_model::Duration;

use crate::{
    calendar::icalendar::Event,
    hotline::{
        CallerId, CarrierKind, Codec, Merge, Percent, PublicUrl, PutThrough, Success, SurveyKind, Transport,
    },
    parse::{Grant, Signers},
    source::{Span, Spanned, Word},
    start::Rate,
};

/// All that the files say.
#[derive(Debug, Default)]
pub(crate) struct Syntax {
    pub(crate) hotline: Option<HotlineSyntax>,
    pub(crate) grants: Vec<Grant>,
    pub(crate) signers: Vec<Signers>,
    pub(crate) flows: Vec<FlowSyntax>,
    /// Flows whose file cannot be read: they exist, but nothing is known of them.
    pub(crate) broken_flows: BTreeSet<Arc<str>>,
    pub(crate) prompts: Vec<PromptTable>,
    pub(crate) calendars: Vec<CalendarSyntax>,
    /// Calendars whose file cannot be read.
    pub(crate) broken_calendars: BTreeSet<Arc<str>>,
    pub(crate) agents: AgentsSyntax,
    pub(crate) surveys: Vec<SurveySyntax>,
    /// Surveys whose file cannot be read.
    pub(crate) broken_surveys: BTreeSet<Arc<str>>,
    pub(crate) tickets: Vec<TicketClassSyntax>,
    /// Classes of tickets whose file cannot be read.
    pub(crate) broken_tickets: BTreeSet<Arc<str>>,
    /// The iCalendar files in calendars/, by the name that `import` gives them.
    pub(crate) icalendars: BTreeMap<Arc<str>, ICalendarSyntax>,
}

#[derive(Debug)]
pub(crate) struct HotlineSyntax {
    pub(crate) name: Option<Word>,
    pub(crate) languages: Vec<Word>,
    /// Dialects and what each falls back to.
    pub(crate) dialects: Vec<(Word, Word)>,
    pub(crate) time_zone: Option<Word>,
    pub(crate) numbers: Vec<NumberSyntax>,
    pub(crate) plugins: Vec<PluginSyntax>,
    pub(crate) queues: Vec<QueueSpecSyntax>,
    pub(crate) calling_window: Option<Word>,
    pub(crate) trunks: Vec<TrunkSyntax>,
    pub(crate) voices: Vec<VoiceSyntax>,
    pub(crate) ears: Option<EarsSyntax>,
    pub(crate) carriers: Vec<CarrierSyntax>,
    pub(crate) feeds: Vec<FeedSyntax>,
    pub(crate) webhooks: Vec<WebhookSyntax>,
    pub(crate) success: Success,
    pub(crate) checks: Vec<PackSyntax>,
}

/// A line to the telephone network.
#[derive(Debug)]
pub(crate) struct TrunkSyntax {
    pub(crate) name: Word,
    /// Addresses and networks; none when nothing is written of them.
    pub(crate) from: Option<Vec<Word>>,
    pub(crate) login: Option<Word>,
    pub(crate) secret: Option<Word>,
    pub(crate) to: Option<Word>,
    pub(crate) transport: Transport,
    /// Where `register: true` stands.
    pub(crate) register: Option<Span>,
    pub(crate) codecs: Vec<Codec>,
    pub(crate) calls_max: u32,
    pub(crate) rate: Rate,
    pub(crate) strip: Option<Word>,
    pub(crate) caller_id: CallerId,
    pub(crate) country: Option<Word>,
    pub(crate) put_through: PutThrough,
}

/// Who says the texts of a language.
#[derive(Debug)]
pub(crate) struct VoiceSyntax {
    pub(crate) language: Word,
    pub(crate) engine: Option<Word>,
    pub(crate) voice: Option<Word>,
    pub(crate) speed: f64,
}

/// Who hears what callers say.
#[derive(Debug)]
pub(crate) struct EarsSyntax {
    pub(crate) engine: Option<Word>,
    pub(crate) languages: Vec<Word>,
}

/// A company that takes calls for the hotline.
#[derive(Debug)]
pub(crate) struct CarrierSyntax {
    pub(crate) name: Word,
    pub(crate) kind: Option<CarrierKind>,
    pub(crate) url: Option<PublicUrl>,
    pub(crate) secret: Option<Word>,
    pub(crate) numbers: Option<Vec<Word>>,
}

/// A function that is asked on a schedule.
#[derive(Debug)]
pub(crate) struct FeedSyntax {
    pub(crate) name: Word,
    pub(crate) call: Option<Word>,
    pub(crate) every: Option<Duration>,
    pub(crate) jitter: Duration,
    pub(crate) time: Duration,
    pub(crate) key: Option<Word>,
    pub(crate) to: Option<Word>,
    pub(crate) starts: StartsSyntax,
}

/// A door for events of another system.
#[derive(Debug)]
pub(crate) struct WebhookSyntax {
    pub(crate) name: Word,
    pub(crate) secret: Option<Word>,
    pub(crate) key: Option<Word>,
    pub(crate) to: Option<Word>,
    pub(crate) starts: StartsSyntax,
}

/// What a feed or a webhook says of the contacts that it starts.
#[derive(Debug)]
pub(crate) struct StartsSyntax {
    pub(crate) rate: Rate,
    pub(crate) window: Option<Word>,
    pub(crate) waiting_max: u32,
}

#[derive(Debug)]
pub(crate) struct NumberSyntax {
    pub(crate) number: Word,
    pub(crate) flow: Option<Word>,
    pub(crate) language: Option<Word>,
    pub(crate) department: Option<Word>,
    pub(crate) merge: Option<Merge>,
    /// Presses that each service took before the number was merged.
    pub(crate) before: Vec<(Word, u32)>,
    pub(crate) trunks: Option<Vec<Word>>,
    pub(crate) early: bool,
}

#[derive(Debug)]
pub(crate) struct PluginSyntax {
    pub(crate) name: Word,
    pub(crate) component: Option<Word>,
    pub(crate) department: Option<Word>,
    pub(crate) config: Vec<(Word, Word)>,
    /// Kinds of personal data by the path of a field.
    pub(crate) labels: Vec<(Word, Word)>,
    pub(crate) success: Option<Percent>,
}

#[derive(Debug)]
pub(crate) struct QueueSpecSyntax {
    pub(crate) name: Word,
    pub(crate) skills: Vec<Word>,
    pub(crate) target: Option<Duration>,
    pub(crate) waiting_max: u32,
    pub(crate) calendar: Option<Word>,
}

/// A rule pack under `checks`, and what is set for it.
#[derive(Debug)]
pub(crate) struct PackSyntax {
    pub(crate) pack: Word,
    pub(crate) settings: Vec<(Word, u64)>,
    pub(crate) assume: Vec<Word>,
    pub(crate) words: Vec<(Word, Vec<Word>)>,
}

/// agents.yaml.
#[derive(Debug, Default)]
pub(crate) enum AgentsSyntax {
    /// There is none: agents come as they sign in.
    #[default]
    Missing,
    /// It cannot be read.
    Broken,
    /// Whom it names.
    Given(Vec<AgentSyntax>),
}

#[derive(Debug)]
pub(crate) struct AgentSyntax {
    pub(crate) name: Word,
    pub(crate) title: Option<Word>,
    pub(crate) skills: Vec<Word>,
    /// The name of the secret of the agent's phone.
    pub(crate) phone: Option<Word>,
    /// Where `supervisor: true` stands.
    pub(crate) supervisor: Option<Span>,
    pub(crate) calls_out: bool,
}

#[derive(Debug)]
pub(crate) struct SurveySyntax {
    pub(crate) name: Word,
    pub(crate) kind: Option<Spanned<SurveyKind>>,
    pub(crate) questions: Vec<QuestionSyntax>,
    /// What the questions' prompts may read: those of a flow that has nothing of its own.
    pub(crate) scene: FlowSyntax,
}

#[derive(Debug)]
pub(crate) struct QuestionSyntax {
    pub(crate) name: Option<Word>,
    pub(crate) prompt: Option<PromptSyntax>,
    pub(crate) answer: AnswerFields,
    /// Where the question stands.
    pub(crate) span: Span,
}

#[derive(Debug)]
pub(crate) struct TicketClassSyntax {
    pub(crate) name: Word,
    pub(crate) department: Option<Word>,
    pub(crate) deadline: Option<DeadlineSyntax>,
}

#[derive(Debug)]
pub(crate) enum DeadlineSyntax {
    Within(Duration),
    WorkingDays { days: u32, calendar: Word },
}

/// The prompts of one language or dialect.
#[derive(Debug)]
pub(crate) struct PromptTable {
    pub(crate) language: Arc<str>,
    /// The beginning of the file.
    pub(crate) span: Span,
    /// Keys and texts.
    pub(crate) prompts: Vec<(Word, Word)>,
    /// The recordings among them, by key.
    pub(crate) recordings: BTreeMap<Arc<str>, RecordingSyntax>,
    /// Whether the file could be read as a whole.
    pub(crate) whole: bool,
}

/// A recording of a prompt.
#[derive(Debug)]
pub(crate) struct RecordingSyntax {
    pub(crate) path: Word,
    pub(crate) seconds: Option<Spanned<f64>>,
}

#[derive(Debug)]
pub(crate) struct CalendarSyntax {
    pub(crate) name: Word,
    pub(crate) title: Option<Word>,
    pub(crate) source: Option<Word>,
    pub(crate) known_until: Option<Word>,
    pub(crate) include: Vec<IncludeSyntax>,
    pub(crate) import: Vec<ImportSyntax>,
    /// Spans by weekday; none when there is no `open`.
    pub(crate) open: Option<Vec<(Word, Vec<Word>)>>,
    /// Days or ranges of days, and what they are called.
    pub(crate) holidays: Vec<(Word, Option<Word>)>,
    pub(crate) workdays: Vec<(Word, Word)>,
}

/// Another calendar whose days and spans are taken over.
#[derive(Debug)]
pub(crate) struct IncludeSyntax {
    pub(crate) calendar: Word,
    pub(crate) like: Option<Word>,
}

/// An iCalendar file whose days are taken over.
#[derive(Debug)]
pub(crate) struct ImportSyntax {
    pub(crate) file: Word,
    pub(crate) workdays_if: Vec<Word>,
    pub(crate) holidays_if: Vec<Word>,
    pub(crate) like: Option<Word>,
}

/// An iCalendar file.
#[derive(Debug)]
pub(crate) struct ICalendarSyntax {
    /// The beginning of the file.
    pub(crate) span: Span,
    pub(crate) events: Vec<Event>,
}

#[derive(Debug)]
pub(crate) struct FlowSyntax {
    pub(crate) name: Word,
    pub(crate) inputs: Vec<(Word, Word)>,
    pub(crate) outputs: Vec<(Word, Word)>,
    pub(crate) vars: Vec<VarSyntax>,
    pub(crate) otherwise: Option<Word>,
    pub(crate) anywhere: AnywhereSyntax,
    pub(crate) on_hangup: Option<Word>,
    pub(crate) starts_on: Option<Word>,
    pub(crate) start: Option<Word>,
    pub(crate) steps: Vec<StepSyntax>,
}

#[derive(Debug)]
pub(crate) struct VarSyntax {
    pub(crate) name: Word,
    pub(crate) ty: Option<Word>,
    pub(crate) is: Option<ValueSyntax>,
    pub(crate) label: Option<Word>,
}

#[derive(Debug, Default)]
pub(crate) struct AnywhereSyntax {
    pub(crate) keys: Vec<(Word, Word)>,
    pub(crate) words: Vec<(Word, Word)>,
}

#[derive(Debug)]
pub(crate) struct StepSyntax {
    pub(crate) name: Word,
    pub(crate) title: Option<Word>,
    pub(crate) service: Option<Word>,
    pub(crate) when: Option<Word>,
    pub(crate) next: Option<Word>,
    pub(crate) on: Vec<ExitSyntax>,
    pub(crate) verb: VerbSyntax,
}

#[derive(Debug)]
pub(crate) struct ExitSyntax {
    pub(crate) name: Word,
    pub(crate) next: Option<Word>,
    pub(crate) save: Option<Word>,
}

#[derive(Debug)]
pub(crate) enum VerbSyntax {
    Say {
        prompt: PromptSyntax,
        notice: Option<Word>,
    },
    Menu(Box<MenuSyntax>),
    Ask(Box<AskSyntax>),
    Call(Box<CallSyntax>),
    Choose(ChooseSyntax),
    Set(Vec<(Word, ValueSyntax)>),
    Run {
        flow: Word,
        with: Vec<(Word, ValueSyntax)>,
        save: Vec<(Word, ValueSyntax)>,
    },
    Together(TogetherSyntax),
    Queue(Box<QueueSyntax>),
    Transfer(TransferSyntax),
    Callback(Box<CallbackSyntax>),
    Survey(Word),
    Ticket(Box<TicketSyntax>),
    Notify(NotifySyntax),
    Record(RecordSyntax),
    Wait {
        time: Option<Duration>,
        event: Option<Word>,
    },
    End {
        outcome: Word,
        outputs: Vec<(Word, ValueSyntax)>,
    },
    /// What it is has been reported.
    Broken,
}

#[derive(Debug)]
pub(crate) struct MenuSyntax {
    pub(crate) prompt: PromptSyntax,
    pub(crate) keys: Vec<KeySyntax>,
    pub(crate) words: Vec<(Word, Word)>,
    pub(crate) intent: Option<IntentSyntax>,
    pub(crate) retries: u32,
    pub(crate) again: Vec<PromptSyntax>,
    pub(crate) time: Option<Duration>,
}

#[derive(Debug)]
pub(crate) struct IntentSyntax {
    pub(crate) function: Word,
    /// Cases of its enum, and `else`, and where each leads.
    pub(crate) cases: Vec<(Word, Word)>,
    pub(crate) time: Option<Duration>,
}

#[derive(Debug)]
pub(crate) struct KeySyntax {
    pub(crate) key: Word,
    pub(crate) say: Option<PromptSyntax>,
    pub(crate) next: Option<Word>,
    pub(crate) when: Option<Word>,
}

#[derive(Debug)]
pub(crate) struct AskSyntax {
    pub(crate) prompt: PromptSyntax,
    pub(crate) answer: AnswerFields,
    pub(crate) confirm: Option<PromptSyntax>,
    pub(crate) retries: u32,
    pub(crate) again: Vec<PromptSyntax>,
    pub(crate) save: Option<Word>,
    pub(crate) consent: Option<Word>,
    /// Where `secret: true` stands.
    pub(crate) secret: Option<Span>,
    pub(crate) label: Option<Word>,
    pub(crate) time: Option<Duration>,
}

/// What counts as an answer, with the fields that bound it.
#[derive(Debug)]
pub(crate) struct AnswerFields {
    pub(crate) kind: Option<Spanned<AnswerSyntax>>,
    pub(crate) length: Option<Word>,
    pub(crate) pattern: Option<Word>,
    pub(crate) finish: Option<Word>,
    pub(crate) min: Option<Word>,
    pub(crate) max: Option<Word>,
}

#[derive(Debug)]
pub(crate) enum AnswerSyntax {
    Text,
    Digits,
    Number,
    Decimal,
    Date,
    Money,
    YesNo,
    Phone,
    IdNumber,
    OneOf(Vec<ChoiceSyntax>),
}

#[derive(Debug)]
pub(crate) struct ChoiceSyntax {
    pub(crate) value: Word,
    pub(crate) key: Option<Word>,
    pub(crate) words: Vec<Word>,
}

#[derive(Debug)]
pub(crate) struct CallSyntax {
    pub(crate) function: Word,
    pub(crate) with: Vec<(Word, ValueSyntax)>,
    pub(crate) save: Option<Word>,
    pub(crate) time: Option<Duration>,
    pub(crate) retries: u32,
    pub(crate) meanwhile: Option<PromptSyntax>,
    pub(crate) at_most_once: bool,
}

#[derive(Debug)]
pub(crate) struct TogetherSyntax {
    /// The calls by the names of their branches; one whose call is missing is left out.
    pub(crate) branches: Vec<(Word, CallSyntax)>,
    pub(crate) meanwhile: Option<PromptSyntax>,
}

#[derive(Debug)]
pub(crate) struct QueueSyntax {
    pub(crate) queue: Word,
    pub(crate) skills: Vec<Word>,
    pub(crate) agent: Option<ValueSyntax>,
    pub(crate) priority: Option<ValueSyntax>,
    pub(crate) music: Option<PromptSyntax>,
    pub(crate) announce: Option<AnnounceSyntax>,
    pub(crate) offers: Vec<OfferSyntax>,
    pub(crate) max: Option<Duration>,
}

#[derive(Debug)]
pub(crate) struct AnnounceSyntax {
    pub(crate) span: Span,
    pub(crate) every: Option<Duration>,
    pub(crate) prompt: Option<PromptSyntax>,
}

#[derive(Debug)]
pub(crate) struct OfferSyntax {
    /// `offer-callback` or `offer-channel`.
    pub(crate) name: Word,
    pub(crate) after: Option<Duration>,
    pub(crate) prompt: Option<PromptSyntax>,
    pub(crate) key: Option<Word>,
    pub(crate) next: Option<Word>,
}

#[derive(Debug)]
pub(crate) struct TransferSyntax {
    pub(crate) to: TransferToSyntax,
    pub(crate) three_way: bool,
    pub(crate) staffed: bool,
    pub(crate) time: Option<Duration>,
}

#[derive(Debug)]
pub(crate) enum TransferToSyntax {
    Address(ValueSyntax),
    Agent(ValueSyntax),
    Hotline(ValueSyntax),
}

#[derive(Debug)]
pub(crate) struct CallbackSyntax {
    pub(crate) queue: Word,
    pub(crate) within: Duration,
    pub(crate) number: Option<ValueSyntax>,
    pub(crate) attempts: u32,
    pub(crate) every: Option<Duration>,
    pub(crate) window: Option<Word>,
}

#[derive(Debug)]
pub(crate) struct TicketSyntax {
    pub(crate) action: TicketActionSyntax,
    pub(crate) fields: Vec<(Word, ValueSyntax)>,
    pub(crate) save: Option<Word>,
}

#[derive(Debug)]
pub(crate) enum TicketActionSyntax {
    Open(Word),
    Update(ValueSyntax),
    LookUp(Option<ValueSyntax>),
}

#[derive(Debug)]
pub(crate) struct NotifySyntax {
    pub(crate) prompt: PromptSyntax,
    pub(crate) to: Option<ValueSyntax>,
    pub(crate) channel: Option<Word>,
}

#[derive(Debug)]
pub(crate) enum RecordSyntax {
    Start { consent: Option<Word> },
    Stop,
    Pause,
    Resume,
    Message(MessageSyntax),
}

#[derive(Debug)]
pub(crate) struct MessageSyntax {
    pub(crate) prompt: PromptSyntax,
    pub(crate) max: Option<Duration>,
    pub(crate) finish: Option<Word>,
    pub(crate) save: Word,
}

#[derive(Debug)]
pub(crate) struct ChooseSyntax {
    pub(crate) branches: Vec<(Word, Word)>,
    /// The `else`, unless it is missing, which has been reported.
    pub(crate) otherwise: Option<Word>,
}

/// What is said: a key, or texts by language.
#[derive(Debug)]
pub(crate) enum PromptSyntax {
    Key(Word),
    Inline { span: Span, texts: Vec<(Word, Word)> },
}

/// A value as it is written in YAML.
#[derive(Debug)]
pub(crate) struct ValueSyntax {
    pub(crate) span: Span,
    pub(crate) kind: ValueKind,
}

#[derive(Debug)]
pub(crate) enum ValueKind {
    Scalar(Arc<str>),
    List(Vec<ValueSyntax>),
    Map(Vec<(Word, ValueSyntax)>),
}

impl VerbSyntax {
    /// Whether keys and words that hold anywhere are heard while it is done. In a message the
    /// words are the message, but its keys are heard.
    pub(crate) const fn hears(&self) -> bool {
        matches!(
            self,
            Self::Menu(_)
                | Self::Ask(_)
                | Self::Run { .. }
                | Self::Queue(_)
                | Self::Survey(_)
                | Self::Record(RecordSyntax::Message(_))
        )
    }

    /// Whether it leads on to `next` when all went well; the others name their steps
    /// themselves, or lead nowhere.
    pub(crate) const fn goes_on(&self) -> bool {
        !matches!(
            self,
            Self::Menu(_) | Self::Choose(_) | Self::End { .. } | Self::Broken
        )
    }

    /// Whether it asks a plugin or a service, which answers at once as a rule.
    pub(crate) const fn asks_a_service(&self) -> bool {
        match self {
            Self::Call(_) | Self::Together(_) | Self::Callback(_) | Self::Ticket(_) | Self::Notify(_) => true,
            Self::Record(record) => !matches!(record, RecordSyntax::Message(_)),
            _ => false,
        }
    }

    /// Whether it waits for the caller, for time, for an agent, or for a service. A flow that
    /// is run is looked into for itself.
    pub(crate) const fn waits(&self) -> bool {
        self.asks_a_service()
            || matches!(
                self,
                Self::Menu(_)
                    | Self::Ask(_)
                    | Self::Queue(_)
                    | Self::Transfer(_)
                    | Self::Survey(_)
                    | Self::Record(_)
                    | Self::Wait { .. }
                    | Self::Broken
            )
    }
}
