//! What a typed expression is worth.

use std::{cmp::Ordering, ops::Range, sync::Arc};

use jiff::{Zoned, tz::TimeZone};
use trunkline_model::{Duration, Timestamp, Type, Value};

use super::{
    CalendarField, ContactField, EvaluationErrorKind as Kind, Node, Op, Scope, WEEKDAYS,
    functions::{bounded, int_value},
    print::print,
    syntax::Operator,
};

/// Where and why an expression has no value.
pub(super) struct Failure {
    pub(super) kind: Kind,
    pub(super) range: Range<usize>,
    /// The text of a nested expression, when it is in one.
    pub(super) source: Option<Arc<str>>,
}

pub(super) fn evaluate(node: &Node, scope: &dyn Scope) -> Result<Value, Failure> {
    let at = |kind| Failure {
        kind,
        range: node.range.clone(),
        source: None,
    };
    let inner = |node: &Node| evaluate(node, scope);
    Ok(match &node.op {
        Op::Constant(value) => value.clone(),
        Op::Variable { name, optional } => present(scope.variable(name), *optional).map_err(at)?,
        Op::Answer => present(scope.answer(), false).map_err(at)?,
        Op::Result => present(scope.result(), false).map_err(at)?,
        Op::Contact { field, optional } => present(scope.contact(*field), *optional).map_err(at)?,
        Op::CalendarOpen(name) => Value::Bool(scope.calendar_open(name)),
        Op::Queue(name, field) => scope.queue(name, *field),
        Op::Position => present(scope.position(), false).map_err(at)?,
        Op::Wait => present(scope.wait(), false).map_err(at)?,
        Op::Now => Value::Time(scope.now()),
        Op::Field(of, name) => match inner(of)? {
            Value::Record(fields) => fields.get(name).cloned().ok_or_else(|| at(Kind::WrongType))?,
            Value::None => return Err(at(Kind::NotSet)),
            _ => return Err(at(Kind::WrongType)),
        },
        Op::Case(of) => match inner(of)? {
            Value::Variant { case, .. } => Value::Text(case),
            Value::None => return Err(at(Kind::NotSet)),
            _ => return Err(at(Kind::WrongType)),
        },
        Op::Payload(of, wanted) => match inner(of)? {
            Value::Variant { case, payload } if case == *wanted => {
                payload.map_or(Value::None, |payload| (*payload).clone())
            }
            Value::Variant { .. } => Value::None,
            Value::None => return Err(at(Kind::NotSet)),
            _ => return Err(at(Kind::WrongType)),
        },
        Op::Calendar(of, field) => calendar_field(&inner(of)?, *field, scope.time_zone()).map_err(at)?,
        Op::Index(of, index) => match (inner(of)?, inner(index)?) {
            (Value::List(items), Value::Int(index)) => usize::try_from(index)
                .ok()
                .and_then(|index| items.get(index).cloned())
                .ok_or_else(|| at(Kind::NoSuchPlace))?,
            (Value::None, _) => return Err(at(Kind::NotSet)),
            _ => return Err(at(Kind::WrongType)),
        },
        Op::Has(of) => match inner(of) {
            Ok(value) => Value::Bool(!value.is_none()),
            Err(failure) if matches!(failure.kind, Kind::NotSet | Kind::NoSuchPlace) => Value::Bool(false),
            Err(failure) => return Err(failure),
        },
        Op::Present { of, nested } => match inner(of)? {
            Value::None => return Err(at(Kind::NotSet)),
            Value::Variant {
                case,
                payload: Some(payload),
            } if *nested && &*case == "some" => (*payload).clone(),
            value => value,
        },
        Op::Nested(expression) => evaluate(&expression.0.root, scope).map_err(|failure| Failure {
            source: failure.source.or_else(|| Some(expression.0.source.clone())),
            ..failure
        })?,
        Op::Not(of) => Value::Bool(!truth(inner(of)?).map_err(at)?),
        Op::Negate(of) => match inner(of)? {
            Value::Int(int) => int_value(-int).map_err(at)?,
            Value::Decimal(decimal) => Value::Decimal(-decimal),
            _ => return Err(at(Kind::WrongType)),
        },
        Op::Binary(Operator::And, a, b) => {
            Value::Bool(truth(inner(a)?).map_err(at)? && truth(inner(b)?).map_err(at)?)
        }
        Op::Binary(Operator::Or, a, b) => {
            Value::Bool(truth(inner(a)?).map_err(at)? || truth(inner(b)?).map_err(at)?)
        }
        Op::Binary(operator, a, b) => {
            let (a, b) = (inner(a)?, inner(b)?);
            if operator.compares() {
                Value::Bool(compare(*operator, &a, &b).map_err(at)?)
            } else {
                calculate(*operator, &a, &b).map_err(at)?
            }
        }
        Op::Conditional(condition, yes, no) => {
            if truth(inner(condition)?).map_err(at)? {
                inner(yes)?
            } else {
                inner(no)?
            }
        }
        Op::List(parts) => Value::List(Arc::new(parts.iter().map(inner).collect::<Result<_, _>>()?)),
        Op::Record(fields) => Value::Record(Arc::new(
            fields
                .iter()
                .map(|(name, node)| Ok((name.clone(), inner(node)?)))
                .collect::<Result<_, Failure>>()?,
        )),
        Op::Variant(case, payload) => Value::Variant {
            case: case.clone(),
            payload: payload
                .as_ref()
                .map(|payload| inner(payload).map(Arc::new))
                .transpose()?,
        },
        Op::Function(function, arguments) => {
            let values = arguments.iter().map(inner).collect::<Result<Vec<_>, _>>()?;
            function.apply(&values, scope.time_zone()).map_err(at)?
        }
        Op::Interpolate(parts) => {
            let language = scope.contact(ContactField::Language);
            let language = language.as_ref().and_then(Value::as_text).unwrap_or_default();
            let mut text = String::new();
            for part in parts {
                text.push_str(&print(&inner(part)?, language, scope.time_zone()));
            }
            bounded(&text).map_err(at)?
        }
        Op::Convert(of, ty) => convert(inner(of)?, ty).map_err(at)?,
    })
}

fn present(value: Option<Value>, optional: bool) -> Result<Value, Kind> {
    match value {
        Some(value) if optional || !value.is_none() => Ok(value),
        None if optional => Ok(Value::None),
        _ => Err(Kind::NotSet),
    }
}

fn truth(value: Value) -> Result<bool, Kind> {
    match value {
        Value::Bool(bool) => Ok(bool),
        Value::None => Err(Kind::NotSet),
        _ => Err(Kind::WrongType),
    }
}

/// A comparison; with something absent on either side it is false.
fn compare(operator: Operator, a: &Value, b: &Value) -> Result<bool, Kind> {
    if operator == Operator::In {
        return match b {
            Value::List(items) => Ok(!a.is_none() && items.iter().any(|item| equal(a, item))),
            Value::None => Ok(false),
            _ => Err(Kind::WrongType),
        };
    }
    if a.is_none() || b.is_none() {
        return Ok(false);
    }
    let ordering = || order(a, b).ok_or(Kind::WrongType);
    match operator {
        Operator::Equal => Ok(equal(a, b)),
        Operator::NotEqual => Ok(!equal(a, b)),
        Operator::Less => ordering().map(Ordering::is_lt),
        Operator::LessOrEqual => ordering().map(Ordering::is_le),
        Operator::Greater => ordering().map(Ordering::is_gt),
        Operator::GreaterOrEqual => ordering().map(Ordering::is_ge),
        Operator::Or
        | Operator::And
        | Operator::In
        | Operator::Add
        | Operator::Subtract
        | Operator::Multiply
        | Operator::Divide
        | Operator::Remainder => Err(Kind::WrongType),
    }
}

fn equal(a: &Value, b: &Value) -> bool {
    order(a, b).map_or_else(|| a == b, Ordering::is_eq)
}

fn order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Decimal(a), Value::Decimal(b)) => a.partial_cmp(b),
        (Value::Int(a), Value::Decimal(b)) => (*a as f64).partial_cmp(b),
        (Value::Decimal(a), Value::Int(b)) => a.partial_cmp(&(*b as f64)),
        (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
        (Value::Date(a), Value::Date(b)) => Some(a.cmp(b)),
        (Value::Time(a), Value::Time(b)) => Some(a.cmp(b)),
        (Value::Duration(a), Value::Duration(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

fn calculate(operator: Operator, a: &Value, b: &Value) -> Result<Value, Kind> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => {
            let result = match operator {
                Operator::Add => a.checked_add(*b),
                Operator::Subtract => a.checked_sub(*b),
                Operator::Multiply => a.checked_mul(*b),
                Operator::Divide | Operator::Remainder if *b == 0 => return Err(Kind::DivisionByZero),
                Operator::Divide => a.checked_div(*b),
                Operator::Remainder => a.checked_rem(*b),
                _ => return Err(Kind::WrongType),
            };
            int_value(result.ok_or(Kind::OutOfRange)?)
        }
        (Value::Int(_) | Value::Decimal(_), Value::Int(_) | Value::Decimal(_)) => {
            let number = |value: &Value| match value {
                Value::Int(int) => *int as f64,
                Value::Decimal(decimal) => *decimal,
                _ => f64::NAN,
            };
            let (a, b) = (number(a), number(b));
            let result = match operator {
                Operator::Add => a + b,
                Operator::Subtract => a - b,
                Operator::Multiply => a * b,
                Operator::Divide if b == 0.0 => return Err(Kind::DivisionByZero),
                Operator::Divide => a / b,
                _ => return Err(Kind::WrongType),
            };
            finite(result)
        }
        (Value::Text(a), Value::Text(b)) if operator == Operator::Add => bounded(&format!("{a}{b}")),
        (Value::Time(time), Value::Duration(duration)) => match operator {
            Operator::Add => Ok(Value::Time(*time + *duration)),
            Operator::Subtract => Ok(Value::Time(*time - *duration)),
            _ => Err(Kind::WrongType),
        },
        (Value::Time(a), Value::Time(b)) if operator == Operator::Subtract => {
            if a < b {
                return Err(Kind::OutOfRange);
            }
            Ok(Value::Duration(a.since(*b)))
        }
        (Value::Duration(a), Value::Duration(b)) => {
            let (a, b) = (a.as_millis(), b.as_millis());
            let millis = match operator {
                Operator::Add => a.checked_add(b),
                Operator::Subtract => a.checked_sub(b),
                _ => return Err(Kind::WrongType),
            };
            Ok(Value::Duration(Duration::from_millis(
                millis.ok_or(Kind::OutOfRange)?,
            )))
        }
        (Value::None, _) | (_, Value::None) => Err(Kind::NotSet),
        _ => Err(Kind::WrongType),
    }
}

fn finite(decimal: f64) -> Result<Value, Kind> {
    if decimal.is_finite() {
        Ok(Value::Decimal(decimal))
    } else {
        Err(Kind::OutOfRange)
    }
}

/// A time as clocks of the hotline's zone show it.
pub(super) fn civil(time: Timestamp, zone: &TimeZone) -> Result<Zoned, Kind> {
    jiff::Timestamp::from_millisecond(time.as_millis())
        .map(|time| time.to_zoned(zone.clone()))
        .map_err(|_| Kind::OutOfRange)
}

fn calendar_field(value: &Value, field: CalendarField, zone: &TimeZone) -> Result<Value, Kind> {
    let (date, clock) = match value {
        Value::Date(date) => (*date, None),
        Value::Time(time) => {
            let zoned = civil(*time, zone)?;
            (zoned.date(), Some((zoned.hour(), zoned.minute())))
        }
        Value::None => return Err(Kind::NotSet),
        _ => return Err(Kind::WrongType),
    };
    let int = |int: i16| Value::Int(int.into());
    Ok(match field {
        CalendarField::Year => int(date.year()),
        CalendarField::Month => int(date.month().into()),
        CalendarField::Day => int(date.day().into()),
        CalendarField::Hour => int(clock.ok_or(Kind::WrongType)?.0.into()),
        CalendarField::Minute => int(clock.ok_or(Kind::WrongType)?.1.into()),
        CalendarField::Weekday => {
            let day = date.weekday().to_monday_zero_offset();
            Value::text(WEEKDAYS[usize::from(day.unsigned_abs()) % WEEKDAYS.len()])
        }
        CalendarField::Date => Value::Date(date),
    })
}

/// A value of one type as a value of a type that accepts it.
pub(super) fn convert(value: Value, ty: &Type) -> Result<Value, Kind> {
    Ok(match (ty, value) {
        (Type::Int(range), Value::Int(int)) => {
            if !range.holds(int) {
                return Err(Kind::OutOfRange);
            }
            Value::Int(int)
        }
        (Type::Decimal, Value::Int(int)) => Value::Decimal(int as f64),
        (Type::Option(_), Value::None) => Value::None,
        (Type::Option(inner), value) if inner.is_optional() => match value {
            Value::Variant {
                case,
                payload: Some(payload),
            } if &*case == "some" => Value::Variant {
                case,
                payload: Some(Arc::new(convert((*payload).clone(), inner)?)),
            },
            value => Value::Variant {
                case: "some".into(),
                payload: Some(Arc::new(convert(value, inner)?)),
            },
        },
        (Type::Option(inner), value) => convert(value, inner)?,
        (Type::List(inner), Value::List(items)) => Value::List(Arc::new(
            items
                .iter()
                .map(|item| convert(item.clone(), inner))
                .collect::<Result<_, _>>()?,
        )),
        (Type::Tuple(types), Value::List(items)) => Value::List(Arc::new(
            items
                .iter()
                .zip(types.iter())
                .map(|(item, ty)| convert(item.clone(), ty))
                .collect::<Result<_, _>>()?,
        )),
        (Type::Record(record), Value::Record(fields)) => Value::Record(Arc::new(
            record
                .fields
                .iter()
                .map(|field| {
                    let value = fields.get(&field.name).cloned().unwrap_or_default();
                    Ok((field.name.clone(), convert(value, &field.ty)?))
                })
                .collect::<Result<_, Kind>>()?,
        )),
        (_, value) => value,
    })
}
