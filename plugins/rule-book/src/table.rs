//! What a rule book is made of.

/// A function: what it is given, what it gives, and the rules that say how.
#[derive(Debug, PartialEq)]
pub(crate) struct Table {
    pub(crate) name: String,
    /// Its comments, for those who write flows.
    pub(crate) about: Vec<String>,
    pub(crate) given: Vec<Field>,
    pub(crate) gives: Vec<Field>,
    /// In the order in which they are tried.
    pub(crate) rules: Vec<Rule>,
    /// What it gives when no rule holds; without it that is a refusal.
    pub(crate) otherwise: Option<Vec<Value>>,
}

/// A named value and what it may be.
#[derive(Debug, PartialEq)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// Whether it may be absent.
    pub(crate) optional: bool,
}

/// What a value may be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Text,
    Number,
    YesOrNo,
    OneOf(Vec<String>),
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// A text, or one of some words.
    Text(String),
    Number(i64),
    YesOrNo(bool),
}

/// One line: when it holds, and what it gives, in the order of the table's fields.
#[derive(Debug, PartialEq)]
pub(crate) struct Rule {
    pub(crate) when: Condition,
    pub(crate) then: Vec<Value>,
}

/// When a rule holds. Fields are meant by their place among what is given.
#[derive(Debug, PartialEq)]
pub(crate) enum Condition {
    /// All of them.
    All(Vec<Condition>),
    /// At least one of them.
    Any(Vec<Condition>),
    Not(Box<Condition>),
    /// A yes-or-no that is yes.
    Is(usize),
    /// A value compared with another one.
    Compare(usize, Comparison, Value),
    /// A value that is among others.
    In(usize, Vec<Value>),
}

/// How values are compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Comparison {
    Same,
    Less,
    LessOrSame,
    More,
    MoreOrSame,
}

impl Kind {
    /// What it is called in messages.
    pub(crate) fn told(&self) -> String {
        match self {
            Self::Text => "a text".to_owned(),
            Self::Number => "a number".to_owned(),
            Self::YesOrNo => "yes or no".to_owned(),
            Self::OneOf(words) => format!("one of {}", words.join(", ")),
        }
    }
}
