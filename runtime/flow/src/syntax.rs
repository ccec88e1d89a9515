//! A hotline as it is written: every word with its place, nothing resolved yet.

use std::{collections::BTreeSet, sync::Arc};

use trunkline_model::Duration;

use crate::{
    parse::Grant,
    source::{Span, Spanned, Word},
};

/// All that the files say.
#[derive(Debug, Default)]
pub(crate) struct Syntax {
    pub(crate) hotline: Option<HotlineSyntax>,
    pub(crate) grants: Vec<Grant>,
    pub(crate) flows: Vec<FlowSyntax>,
    /// Flows whose file cannot be read: they exist, but nothing is known of them.
    pub(crate) broken_flows: BTreeSet<Arc<str>>,
    pub(crate) prompts: Vec<PromptTable>,
    pub(crate) calendars: Vec<CalendarSyntax>,
    /// Calendars whose file cannot be read.
    pub(crate) broken_calendars: BTreeSet<Arc<str>>,
}

#[derive(Debug)]
pub(crate) struct HotlineSyntax {
    pub(crate) name: Option<Word>,
    pub(crate) languages: Vec<Word>,
    pub(crate) time_zone: Option<Word>,
    pub(crate) numbers: Vec<NumberSyntax>,
    pub(crate) plugins: Vec<PluginSyntax>,
}

#[derive(Debug)]
pub(crate) struct NumberSyntax {
    pub(crate) number: Word,
    pub(crate) flow: Option<Word>,
    pub(crate) language: Option<Word>,
    pub(crate) department: Option<Word>,
}

#[derive(Debug)]
pub(crate) struct PluginSyntax {
    pub(crate) name: Word,
    pub(crate) component: Option<Word>,
    pub(crate) department: Option<Word>,
    pub(crate) config: Vec<(Word, Word)>,
}

/// The prompts of one language.
#[derive(Debug)]
pub(crate) struct PromptTable {
    pub(crate) language: Arc<str>,
    /// The beginning of the file.
    pub(crate) span: Span,
    pub(crate) prompts: Vec<(Word, Word)>,
    /// Whether the file could be read as a whole.
    pub(crate) whole: bool,
}

#[derive(Debug)]
pub(crate) struct CalendarSyntax {
    pub(crate) name: Word,
    pub(crate) open: Vec<(Word, Vec<Word>)>,
    pub(crate) holidays: Vec<Word>,
    pub(crate) workdays: Vec<(Word, Word)>,
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
    Wait(Option<Duration>),
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
    pub(crate) retries: u32,
    pub(crate) again: Vec<PromptSyntax>,
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
    pub(crate) answer: Option<Spanned<AnswerSyntax>>,
    pub(crate) length: Option<Word>,
    pub(crate) pattern: Option<Word>,
    pub(crate) finish: Option<Word>,
    pub(crate) min: Option<Word>,
    pub(crate) max: Option<Word>,
    pub(crate) confirm: Option<PromptSyntax>,
    pub(crate) retries: u32,
    pub(crate) again: Vec<PromptSyntax>,
    pub(crate) save: Option<Word>,
    pub(crate) consent: Option<Word>,
    pub(crate) time: Option<Duration>,
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
    /// Whether the caller's keys and words are heard while it is done.
    pub(crate) const fn hears(&self) -> bool {
        matches!(self, Self::Menu(_) | Self::Ask(_) | Self::Run { .. })
    }
}
