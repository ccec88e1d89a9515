//! Expressions: CEL's syntax without its macros, typed when the hotline is checked.
//!
//! An [`Expression`] can only be made by the checker (or of a constant value), so its value
//! is of its type. Evaluation is total: it never panics and never loops, and what has no
//! value (a division by zero, a number out of range) is an [`EvaluationError`].

mod evaluate;
pub(crate) mod formula;
mod functions;
pub(crate) mod literal;
pub(crate) mod markup;
pub(crate) mod parser;
mod print;
pub(crate) mod syntax;
mod token;
pub(crate) mod typing;

use std::{fmt, ops::Range, sync::Arc};

use jiff::tz::TimeZone;
use trunkline_model::{Timestamp, Type, Value, types};

pub(crate) use self::functions::{FUNCTIONS, Function};
pub use self::print::print;

/// What an expression may read of the contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ContactField {
    /// The caller's number, if a trunk or a trusted client vouches for it: `phone?`.
    Caller,
    /// What an unvouched client says of its number: `string?`.
    Claimed,
    /// The number that was called: `string`.
    Number,
    /// The channel: `string`.
    Channel,
    /// The language, as a tag: `string`.
    Language,
    /// The contact's id: `string`.
    Id,
}

impl ContactField {
    /// All fields.
    pub const ALL: [Self; 6] = [
        Self::Caller,
        Self::Claimed,
        Self::Number,
        Self::Channel,
        Self::Language,
        Self::Id,
    ];

    /// Its name after `contact.`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Claimed => "claimed",
            Self::Number => "number",
            Self::Channel => "channel",
            Self::Language => "language",
            Self::Id => "id",
        }
    }

    /// Its type.
    pub fn ty(self) -> Type {
        match self {
            Self::Caller => Type::Phone.optional(),
            Self::Claimed => Type::String.optional(),
            Self::Number | Self::Channel | Self::Language | Self::Id => Type::String,
        }
    }
}

/// What an expression may read of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QueueField {
    /// Whether its calendar is open: `bool`.
    Open,
    /// How many callers wait: `int`.
    Waiting,
    /// How long the next caller is likely to wait: `duration`.
    Wait,
    /// How many agents who could serve it are there: `int`.
    Agents,
}

impl QueueField {
    /// All fields.
    pub const ALL: [Self; 4] = [Self::Open, Self::Waiting, Self::Wait, Self::Agents];

    /// Its name after `queue.NAME.`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Waiting => "waiting",
            Self::Wait => "wait",
            Self::Agents => "agents",
        }
    }

    /// Its type.
    pub const fn ty(self) -> Type {
        match self {
            Self::Open => Type::Bool,
            Self::Waiting | Self::Agents => Type::INT,
            Self::Wait => Type::Duration,
        }
    }
}

fn parts_met(node: &Node, truth: bool, scope: &dyn Scope) -> usize {
    use syntax::Operator::{And, Or};
    match &node.op {
        Op::Not(inside) => parts_met(inside, !truth, scope),
        Op::Binary(operator, a, b) if (*operator == And && truth) || (*operator == Or && !truth) => {
            parts_met(a, truth, scope) + parts_met(b, truth, scope)
        }
        _ => usize::from((evaluate::evaluate(node, scope).ok() == Some(Value::Bool(true))) == truth),
    }
}

/// What expressions read, given by whoever evaluates them.
pub trait Scope {
    /// A variable of the flow; none when it is not set.
    fn variable(&self, name: &str) -> Option<Value>;
    /// The answer that a `confirm` prompt is about.
    fn answer(&self) -> Option<Value>;
    /// What the flow gave back, in `save` of `run`: a record of its outputs.
    fn result(&self) -> Option<Value>;
    /// A field of the contact; none when it is absent.
    fn contact(&self, field: ContactField) -> Option<Value>;
    /// Whether a calendar is open now.
    fn calendar_open(&self, name: &str) -> bool;
    /// When a calendar opens next; none when it is open now, or never opens.
    fn calendar_opens(&self, name: &str) -> Option<Timestamp>;
    /// When a calendar closes next; none when it is closed now, or never closes.
    fn calendar_closes(&self, name: &str) -> Option<Timestamp>;
    /// What a queue is like now, of the field's type.
    fn queue(&self, name: &str, field: QueueField) -> Value;
    /// The place in the queue that an announcement is about, counted from 1: `position`.
    fn position(&self) -> Option<Value>;
    /// The estimated wait that an announcement is about: `wait`.
    fn wait(&self) -> Option<Value>;
    /// The time of the input being decided.
    fn now(&self) -> Timestamp;
    /// The hotline's time zone.
    fn time_zone(&self) -> &TimeZone;
}

/// An expression with a type.
#[derive(Clone)]
pub struct Expression(Arc<Compiled>);

struct Compiled {
    source: Arc<str>,
    ty: Type,
    root: Node,
}

/// A part of a typed expression, and the bytes of the source it comes from.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) op: Op,
    pub(crate) range: Range<usize>,
}

/// What a part of a typed expression does.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    Constant(Value),
    /// A variable; `optional` ones may be absent.
    Variable {
        name: Arc<str>,
        optional: bool,
    },
    Answer,
    Result,
    Contact {
        field: ContactField,
        optional: bool,
    },
    CalendarOpen(Arc<str>),
    Queue(Arc<str>, QueueField),
    /// The place in the queue that an announcement is about.
    Position,
    /// The estimated wait that an announcement is about.
    Wait,
    /// When a calendar opens or closes next, which may be absent.
    CalendarTurn(Arc<str>, Turn),
    Now,
    /// A field of a record.
    Field(Box<Node>, Arc<str>),
    /// The name of a variant's case.
    Case(Box<Node>),
    /// What a variant's case carries; absent in other cases.
    Payload(Box<Node>, Arc<str>),
    /// A part of a date or of a time.
    Calendar(Box<Node>, CalendarField),
    Index(Box<Node>, Box<Node>),
    /// Whether a value is there.
    Has(Box<Node>),
    /// The value inside an optional one; `nested` ones are optional inside, too.
    Present {
        of: Box<Node>,
        nested: bool,
    },
    Not(Box<Node>),
    Negate(Box<Node>),
    Binary(syntax::Operator, Box<Node>, Box<Node>),
    Conditional(Box<Node>, Box<Node>, Box<Node>),
    List(Vec<Node>),
    Record(Vec<(Arc<str>, Node)>),
    Variant(Arc<str>, Option<Box<Node>>),
    Function(Function, Vec<Node>),
    /// An expression of its own, with a text of its own.
    Nested(Expression),
    /// Texts and printed values in a row.
    Interpolate(Vec<Node>),
    /// The value as one of another type that accepts it.
    Convert(Box<Node>, Type),
}

/// A calendar's next change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    Opens,
    Closes,
}

/// A part of a date or a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CalendarField {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Weekday,
    Date,
}

/// The days of the week, as `now.weekday` names them.
pub(crate) const WEEKDAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

impl CalendarField {
    pub(crate) const ALL: [(&'static str, Self); 7] = [
        ("year", Self::Year),
        ("month", Self::Month),
        ("day", Self::Day),
        ("hour", Self::Hour),
        ("minute", Self::Minute),
        ("weekday", Self::Weekday),
        ("date", Self::Date),
    ];

    pub(crate) fn ty(self) -> Type {
        match self {
            Self::Year | Self::Month | Self::Day | Self::Hour | Self::Minute => Type::INT,
            Self::Weekday => Type::Enum(Arc::new(types::Enum {
                name: Some("weekday".into()),
                cases: WEEKDAYS.iter().map(|&day| day.into()).collect(),
            })),
            Self::Date => Type::Date,
        }
    }

    /// Whether dates have it, and not only times.
    pub(crate) const fn of_dates(self) -> bool {
        matches!(self, Self::Year | Self::Month | Self::Day | Self::Weekday)
    }
}

/// Why an expression has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: `{part}` in `{source_text}`")]
pub struct EvaluationError {
    /// What happened.
    pub kind: EvaluationErrorKind,
    /// The part of the expression that has no value.
    pub part: String,
    /// The whole expression.
    pub source_text: Arc<str>,
}

/// What happens when an expression has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum EvaluationErrorKind {
    /// A number left its range, or a date the calendar.
    #[error("the result is out of range")]
    OutOfRange,
    /// A number was divided by zero.
    #[error("division by zero")]
    DivisionByZero,
    /// A list or text has no such place.
    #[error("there is no such place in the list or text")]
    NoSuchPlace,
    /// A text is not written like a value of the type it should become.
    #[error("the text cannot be read as that type")]
    NotReadable,
    /// A variable was read that is not set.
    #[error("the value is not set")]
    NotSet,
    /// A text became too long.
    #[error("the text is too long")]
    TooLong,
    /// A value was of another type than the checker was told: a fault of the caller of this
    /// crate.
    #[error("the value is of another type than declared")]
    WrongType,
}

impl Expression {
    /// An expression that always has one value.
    pub fn constant(value: Value) -> Self {
        let ty = type_of(&value);
        let source: Arc<str> = print::plain(&value).into();
        Self::compiled(
            source.clone(),
            ty,
            Node {
                range: 0..source.len(),
                op: Op::Constant(value),
            },
        )
    }

    pub(crate) fn compiled(source: Arc<str>, ty: Type, root: Node) -> Self {
        Self(Arc::new(Compiled { source, ty, root }))
    }

    /// The type of its value.
    pub fn ty(&self) -> &Type {
        &self.0.ty
    }

    /// What it is made of.
    pub(crate) fn root(&self) -> &Node {
        &self.0.root
    }

    /// The text that it always is, if it is a text that stands in it.
    pub fn constant_text(&self) -> Option<&str> {
        match &self.0.root.op {
            Op::Constant(Value::Text(text)) => Some(text),
            Op::Nested(inner) => inner.constant_text(),
            _ => None,
        }
    }

    /// The text it was written as.
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// Its value, of type [`ty`](Self::ty) as long as `scope` gives what the checker was told.
    ///
    /// # Errors
    /// What happened where the expression has no value, such as a division by zero.
    pub fn evaluate(&self, scope: &dyn Scope) -> Result<Value, EvaluationError> {
        evaluate::evaluate(&self.0.root, scope).map_err(|failure| EvaluationError {
            kind: failure.kind,
            part: failure
                .source
                .as_ref()
                .unwrap_or(&self.0.source)
                .get(failure.range)
                .unwrap_or_default()
                .to_owned(),
            source_text: failure.source.unwrap_or_else(|| self.0.source.clone()),
        })
    }

    /// Of the parts that have to hold for this to be true, or not to be: how many do.
    pub(crate) fn parts_met(&self, truth: bool, scope: &dyn Scope) -> usize {
        parts_met(&self.0.root, truth, scope)
    }
}

/// The value of a part of an expression; none when it has none.
pub(crate) fn evaluate_node(node: &Node, scope: &dyn Scope) -> Option<Value> {
    evaluate::evaluate(node, scope).ok()
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.0.source, self.0.ty)
    }
}

/// The type of a value as far as the value alone tells.
fn type_of(value: &Value) -> Type {
    match value {
        Value::None => Type::String.optional(),
        Value::Bool(_) => Type::Bool,
        Value::Int(_) => Type::INT,
        Value::Decimal(_) => Type::Decimal,
        Value::Text(_) => Type::String,
        Value::Date(_) => Type::Date,
        Value::Time(_) => Type::Time,
        Value::Duration(_) => Type::Duration,
        Value::List(items) => items.first().map_or(Type::String, type_of).list(),
        Value::Record(fields) => Type::Record(Arc::new(types::Record {
            name: None,
            fields: fields
                .iter()
                .map(|(name, value)| types::Field {
                    name: name.clone(),
                    ty: type_of(value),
                })
                .collect(),
        })),
        Value::Variant { case, payload } => Type::Variant(Arc::new(types::Variant {
            name: None,
            cases: vec![types::Case {
                name: case.clone(),
                payload: payload.as_deref().map(type_of),
            }],
        })),
    }
}
