//! Values as flows, events and plugin calls carry them.
//!
//! A value alone does not tell its type: an enum's case is text, flags are a list of
//! texts, a tuple is a list. [`crate::Type`] says which it is.

use std::{collections::BTreeMap, sync::Arc};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{Duration, Timestamp};

/// The fields of a record, by their snake_case names.
pub type Fields = BTreeMap<Arc<str>, Value>;

/// One value. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Value {
    /// The absent value of an optional type.
    #[default]
    None,
    /// True or false.
    Bool(bool),
    /// A whole number, from `i64::MIN` to `u64::MAX`.
    Int(i128),
    /// A finite IEEE 754 double.
    Decimal(f64),
    /// Text, an enum's case, a phone number, or a single character.
    Text(Arc<str>),
    /// A day of the calendar.
    Date(Date),
    /// A point in time.
    Time(Timestamp),
    /// A length of time.
    Duration(Duration),
    /// A list, a tuple, or the flags that are set.
    List(Arc<Vec<Value>>),
    /// A record.
    Record(Arc<Fields>),
    /// A case of a variant; of a result (`ok`, `error`); or `some` of an optional value that
    /// is present where the type inside is optional too.
    Variant {
        /// The case's name as in WIT, kebab-case.
        case: Arc<str>,
        /// What the case carries, if it carries something.
        payload: Option<Arc<Value>>,
    },
}

impl Value {
    /// Makes text.
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(text.into())
    }

    /// Makes a list.
    pub fn list(values: impl IntoIterator<Item = Self>) -> Self {
        Self::List(Arc::new(values.into_iter().collect()))
    }

    /// Makes a record.
    pub fn record<N: Into<Arc<str>>>(fields: impl IntoIterator<Item = (N, Self)>) -> Self {
        Self::Record(Arc::new(
            fields
                .into_iter()
                .map(|(name, value)| (name.into(), value))
                .collect(),
        ))
    }

    /// The text, if this is text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether this is the absent value.
    pub fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// A field of a record; none when there is no such field or this is no record.
    pub fn field(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Record(fields) => fields.get(name),
            _ => None,
        }
    }

    /// What kind of value this is, in a word for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::None => "nothing",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Decimal(_) => "decimal",
            Self::Text(_) => "string",
            Self::Date(_) => "date",
            Self::Time(_) => "time",
            Self::Duration(_) => "duration",
            Self::List(_) => "list",
            Self::Record(_) => "record",
            Self::Variant { .. } => "variant",
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<bool> for Value {
    fn from(bool: bool) -> Self {
        Self::Bool(bool)
    }
}

impl From<i64> for Value {
    fn from(int: i64) -> Self {
        Self::Int(int.into())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(option: Option<T>) -> Self {
        option.map_or(Self::None, Into::into)
    }
}
