//! The functions that expressions may use; none loops over more than its own text.

use std::sync::Arc;

use jiff::tz::TimeZone;
use trunkline_model::{Duration, Type, Value};

use super::{
    EvaluationErrorKind as Kind, evaluate,
    print::{print, printable},
};
use crate::limits::TEXT_CHARS_MAX;

/// A function, written `name(value)` or `value.name(arguments)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Size,
    Int,
    Decimal,
    String,
    Date,
    Duration,
    StartsWith,
    EndsWith,
    Contains,
    LowerAscii,
    UpperAscii,
    Trim,
    Substring,
}

/// How a function is used.
pub(crate) struct Usage {
    pub(crate) function: Function,
    pub(crate) name: &'static str,
    /// Whether it is written after its value, with a dot.
    pub(crate) method: bool,
    /// Types of further arguments, and how many of them must be there.
    pub(crate) arguments: &'static [Type],
    pub(crate) required: usize,
    pub(crate) example: &'static str,
}

const fn usage(
    function: Function,
    name: &'static str,
    method: bool,
    arguments: &'static [Type],
    example: &'static str,
) -> Usage {
    Usage {
        function,
        name,
        method,
        arguments,
        required: if matches!(function, Function::Substring) {
            1
        } else {
            arguments.len()
        },
        example,
    }
}

/// All functions but `has`, which is part of the language.
pub(crate) const FUNCTIONS: [Usage; 14] = [
    usage(Function::Size, "size", false, &[], "size(words)"),
    usage(Function::Size, "size", true, &[], "words.size()"),
    usage(Function::Int, "int", false, &[], "int(digits)"),
    usage(Function::Decimal, "decimal", false, &[], "decimal(attempts)"),
    usage(Function::String, "string", false, &[], "string(attempts)"),
    usage(Function::Date, "date", false, &[], "date('2026-10-01')"),
    usage(Function::Duration, "duration", false, &[], "duration('30s')"),
    usage(
        Function::StartsWith,
        "startsWith",
        true,
        &[Type::String],
        "gauge.startsWith('12')",
    ),
    usage(
        Function::EndsWith,
        "endsWith",
        true,
        &[Type::String],
        "gauge.endsWith('0')",
    ),
    usage(
        Function::Contains,
        "contains",
        true,
        &[Type::String],
        "words.contains('水')",
    ),
    usage(
        Function::LowerAscii,
        "lowerAscii",
        true,
        &[],
        "words.lowerAscii()",
    ),
    usage(
        Function::UpperAscii,
        "upperAscii",
        true,
        &[],
        "words.upperAscii()",
    ),
    usage(Function::Trim, "trim", true, &[], "words.trim()"),
    usage(
        Function::Substring,
        "substring",
        true,
        &[Type::INT, Type::INT],
        "id.substring(0, 6)",
    ),
];

impl Function {
    /// The type it gives for a value of a type; none when it takes no such value.
    pub(crate) fn result(self, of: &Type) -> Option<Type> {
        let text = is_text(of);
        match self {
            Self::Size => (text || matches!(of, Type::List(_) | Type::Flags(_))).then_some(Type::INT),
            Self::Int => (text || matches!(of, Type::Int(_) | Type::Decimal)).then_some(Type::INT),
            Self::Decimal => (text || matches!(of, Type::Int(_) | Type::Decimal)).then_some(Type::Decimal),
            Self::String => printable(of).then_some(Type::String),
            Self::Date => (text || matches!(of, Type::Time | Type::Date)).then_some(Type::Date),
            Self::Duration => (text || matches!(of, Type::Duration)).then_some(Type::Duration),
            Self::StartsWith | Self::EndsWith | Self::Contains => text.then_some(Type::Bool),
            Self::LowerAscii | Self::UpperAscii | Self::Trim | Self::Substring => {
                text.then_some(Type::String)
            }
        }
    }

    /// What kinds of values it takes, for messages.
    pub(crate) const fn takes(self) -> &'static str {
        match self {
            Self::Size => "a string or a list",
            Self::Int | Self::Decimal => "a number or a string",
            Self::String => "a value that can be printed",
            Self::Date => "a time or a string",
            Self::Duration
            | Self::StartsWith
            | Self::EndsWith
            | Self::Contains
            | Self::LowerAscii
            | Self::UpperAscii
            | Self::Trim
            | Self::Substring => "a string",
        }
    }

    /// Its value.
    pub(crate) fn apply(self, values: &[Value], zone: &TimeZone) -> Result<Value, Kind> {
        let of = values.first().ok_or(Kind::WrongType)?;
        let text = || of.as_text().ok_or(Kind::WrongType);
        let other = || values.get(1).and_then(Value::as_text).ok_or(Kind::WrongType);
        Ok(match self {
            Self::Size => match of {
                Value::List(items) => Value::Int(items.len() as i128),
                _ => Value::Int(text()?.chars().count() as i128),
            },
            Self::Int => match of {
                Value::Int(int) => int_value(*int)?,
                Value::Decimal(decimal) => truncated(*decimal)?,
                _ => int_value(text()?.trim().parse().map_err(|_| Kind::NotReadable)?)?,
            },
            Self::Decimal => match of {
                Value::Int(int) => Value::Decimal(*int as f64),
                Value::Decimal(decimal) => Value::Decimal(*decimal),
                _ => text()?
                    .trim()
                    .parse()
                    .ok()
                    .filter(|decimal: &f64| decimal.is_finite())
                    .map(Value::Decimal)
                    .ok_or(Kind::NotReadable)?,
            },
            Self::String => bounded(&print(of, "en", zone))?,
            Self::Date => match of {
                Value::Date(date) => Value::Date(*date),
                Value::Time(time) => Value::Date(evaluate::civil(*time, zone)?.date()),
                _ => Value::Date(text()?.trim().parse().map_err(|_| Kind::NotReadable)?),
            },
            Self::Duration => match of {
                Value::Duration(duration) => Value::Duration(*duration),
                _ => text()?
                    .parse::<Duration>()
                    .map(Value::Duration)
                    .map_err(|_| Kind::NotReadable)?,
            },
            Self::StartsWith => Value::Bool(text()?.starts_with(other()?)),
            Self::EndsWith => Value::Bool(text()?.ends_with(other()?)),
            Self::Contains => Value::Bool(text()?.contains(other()?)),
            Self::LowerAscii => Value::text(text()?.to_ascii_lowercase()),
            Self::UpperAscii => Value::text(text()?.to_ascii_uppercase()),
            Self::Trim => Value::text(text()?.trim()),
            Self::Substring => {
                let place = |index: usize| match values.get(index) {
                    None => Ok(None),
                    Some(Value::Int(place)) => {
                        usize::try_from(*place).map(Some).map_err(|_| Kind::NoSuchPlace)
                    }
                    Some(_) => Err(Kind::WrongType),
                };
                let text = text()?;
                let length = text.chars().count();
                let start = place(1)?.ok_or(Kind::WrongType)?;
                let end = place(2)?.unwrap_or(length);
                if start > end || end > length {
                    return Err(Kind::NoSuchPlace);
                }
                Value::text(text.chars().skip(start).take(end - start).collect::<String>())
            }
        })
    }
}

/// Whether values of a type are text.
pub(crate) const fn is_text(ty: &Type) -> bool {
    matches!(ty, Type::String | Type::Phone | Type::Enum(_) | Type::Char)
}

/// An int of the language, if the number is within its range.
pub(crate) fn int_value(int: i128) -> Result<Value, Kind> {
    i64::try_from(int).map(Value::from).map_err(|_| Kind::OutOfRange)
}

fn truncated(decimal: f64) -> Result<Value, Kind> {
    // 2^63 is a double, i64::MAX is not.
    const END: f64 = 9_223_372_036_854_775_808.0;
    let whole = decimal.trunc();
    if (-END..END).contains(&whole) {
        Ok(Value::Int(whole as i128))
    } else {
        Err(Kind::OutOfRange)
    }
}

/// Text, if it is not too long.
pub(crate) fn bounded(text: &str) -> Result<Value, Kind> {
    if text.len() > TEXT_CHARS_MAX && text.chars().count() > TEXT_CHARS_MAX {
        return Err(Kind::TooLong);
    }
    Ok(Value::Text(Arc::from(text)))
}
