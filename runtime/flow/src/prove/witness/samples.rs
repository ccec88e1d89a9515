//! Values of types, to answer with and to try.

use std::sync::Arc;

use jiff::{civil::DateTime, tz::TimeZone};
use trunkline_model::{Duration, Timestamp, Type, Value};

use super::search::CALLER;
use crate::{expression::QueueField, hotline::Flow, step::Answer};

pub(super) fn type_of<'f>(flow: &'f Flow, variable: &str) -> Option<&'f Type> {
    flow.variables
        .get(variable)
        .map(|variable| &variable.ty)
        .or_else(|| flow.inputs.get(variable))
}

/// The type of an answer's value.
pub(super) fn answer_type(answer: &Answer) -> Type {
    match answer {
        Answer::Number { decimal: false, .. } => Type::INT,
        Answer::Number { .. } | Answer::Money => Type::Decimal,
        Answer::Date => Type::Date,
        Answer::YesNo => Type::Bool,
        Answer::Phone => Type::Phone,
        Answer::OneOf(choices) => Type::Enum(Arc::new(trunkline_model::types::Enum {
            name: None,
            cases: choices.iter().map(|choice| choice.value.clone()).collect(),
        })),
        Answer::Text | Answer::Digits(_) | Answer::IdNumber => Type::String,
    }
}

/// Any answer of a kind.
pub(super) fn answer(kind: &Answer, at: Timestamp) -> Value {
    match kind {
        Answer::Digits(digits) => {
            let start = digits.pattern.as_deref().unwrap_or_default();
            let mut keys = start.to_owned();
            while keys.len() < (*digits.length.start()).max(1) {
                keys.push('1');
            }
            Value::from(keys)
        }
        Answer::Number { min, max, decimal } => {
            let number = min.or(*max).unwrap_or(1.0).max(min.unwrap_or(f64::MIN));
            if *decimal {
                Value::Decimal(number)
            } else {
                #[expect(clippy::cast_possible_truncation, reason = "bounds of answers are small")]
                let whole = number.ceil() as i64;
                Value::from(whole)
            }
        }
        Answer::OneOf(choices) => choices
            .first()
            .map_or(Value::None, |choice| Value::Text(choice.value.clone())),
        Answer::IdNumber => Value::from("11010519491231002X"),
        Answer::Text | Answer::Date | Answer::Money | Answer::YesNo | Answer::Phone => {
            sample(&answer_type(kind), at)
        }
    }
}

/// Any value of a type.
pub(super) fn sample(ty: &Type, at: Timestamp) -> Value {
    match ty {
        Type::Bool => Value::Bool(true),
        Type::Int(range) => Value::Int(if range.holds(1) { 1 } else { range.min }),
        Type::Decimal => Value::Decimal(0.5),
        Type::String => Value::from("a"),
        Type::Char => Value::from("a"),
        Type::Phone => Value::from(CALLER),
        Type::Date => Value::Date(jiff::civil::Date::constant(2026, 11, 20)),
        Type::Time => Value::Time(at),
        Type::Duration => Value::Duration(Duration::from_secs(60)),
        Type::Option(_) => Value::None,
        Type::List(_) | Type::Flags(_) => Value::list([]),
        Type::Tuple(parts) => Value::list(parts.iter().map(|part| sample(part, at))),
        Type::Record(record) => Value::record(
            record
                .fields
                .iter()
                .map(|field| (field.name.clone(), sample(&field.ty, at))),
        ),
        Type::Enum(names) => names
            .cases
            .first()
            .map_or(Value::None, |case| Value::Text(case.clone())),
        Type::Variant(variant) => variant.cases.first().map_or(Value::None, |case| Value::Variant {
            case: case.name.clone(),
            payload: case.payload.as_ref().map(|ty| Arc::new(sample(ty, at))),
        }),
        Type::Result { ok, .. } => Value::Variant {
            case: "ok".into(),
            payload: ok.as_ref().map(|ty| Arc::new(sample(ty, at))),
        },
    }
}

/// A phone number that begins as a text does, where one can.
pub(super) fn number_like(constant: &Value) -> Option<Value> {
    const DIGITS: &str = "12345678901";
    let text = constant.as_text()?;
    let digits = text.strip_prefix('+').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) || digits.len() > 15 {
        return None;
    }
    let more = DIGITS.get(digits.len().min(DIGITS.len())..).unwrap_or_default();
    Some(Value::from(format!("+{digits}{more}")))
}

pub(super) fn same_kind(value: &Value, ty: &Type) -> bool {
    matches!(
        (value, ty),
        (Value::Text(_), Type::String | Type::Char)
            | (Value::Date(_), Type::Date)
            | (Value::Time(_), Type::Time)
            | (Value::Duration(_), Type::Duration)
    )
}

pub(super) fn queue_values(field: QueueField, constants: &[Value]) -> Vec<Value> {
    match field {
        QueueField::Open => Vec::new(),
        QueueField::Waiting | QueueField::Agents => constants
            .iter()
            .filter_map(|value| match value {
                Value::Int(number) => Some(*number),
                _ => None,
            })
            .flat_map(|number| [number, number + 1, (number - 1).max(0)])
            .chain([0])
            .map(Value::Int)
            .collect(),
        QueueField::Wait => constants
            .iter()
            .filter(|value| matches!(value, Value::Duration(_)))
            .cloned()
            .chain([Duration::from_secs(3600), Duration::default()].map(Value::Duration))
            .collect(),
    }
}

/// A value with another one in the place of a field within it.
pub(super) fn with(whole: &Value, fields: &[&str], ty: &Type, value: Value) -> Value {
    let Some((field, rest)) = fields.split_first() else {
        return value;
    };
    let at = Timestamp::from_millis(0);
    let there = match whole {
        Value::Record(_) => whole.clone(),
        _ => sample(ty.required(), at),
    };
    let Value::Record(record) = &there else {
        return value;
    };
    let mut record = (**record).clone();
    if let Some(inner) = ty.required().field(field) {
        let before = record.get(*field).cloned().unwrap_or_default();
        record.insert((*field).into(), with(&before, rest, inner, value));
    }
    Value::Record(Arc::new(record))
}

/// A time by the clocks of a zone.
pub(super) fn local(text: &str, zone: &TimeZone) -> Timestamp {
    let at = text
        .parse::<DateTime>()
        .ok()
        .and_then(|time| zone.to_ambiguous_timestamp(time).compatible().ok())
        .map_or(0, jiff::Timestamp::as_millisecond);
    Timestamp::from_millis(at)
}
