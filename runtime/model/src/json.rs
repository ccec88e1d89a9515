//! Values as JSON, in both directions.
//!
//! | value | JSON |
//! |---|---|
//! | whole number up to 2^53 | number |
//! | whole number past 2^53 | string of digits, since most readers of JSON would round it |
//! | date, time, duration | `"2026-11-21"`, `"2026-11-21T12:05:00Z"`, `"30s"` |
//! | record | object with snake_case fields; an absent optional field is `null` |
//! | enum, or a case without payload | `"not-found"` |
//! | a case with payload | `{ "ambiguous": 3 }` |
//! | flags | array of names |
//! | nothing | `null`; where the type inside is optional too, a present value is `{ "some": .. }` |

use std::sync::Arc;

use serde_json::{Map, Number, Value as Json};

use crate::{Timestamp, Type, Value, types};

/// Whole numbers up to this are numbers in JSON, in either direction from zero.
pub const JSON_INT_MAX: i128 = 1 << 53;

/// Bytes that each value within another counts where what is read is bounded, besides its text: about
/// what it takes in memory.
pub const VALUE_BYTES: usize = 40;

/// JSON that does not fit a type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at} should be {expected}, not {found}")]
pub struct Error {
    /// Where in the JSON, like `citizen.history[2]`.
    pub at: String,
    /// What the type wants.
    pub expected: String,
    /// What stands there, shortened.
    pub found: String,
}

/// JSON that is not read within a bound.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BoundedError {
    /// It does not fit its type.
    #[error(transparent)]
    Unfit(#[from] Error),
    /// What it becomes is past the bound.
    #[error("it becomes more than it may")]
    TooLarge,
}

/// Writes a value as JSON.
pub fn to_json(value: &Value) -> Json {
    match value {
        Value::None => Json::Null,
        Value::Bool(bool) => Json::Bool(*bool),
        Value::Int(int) => match i64::try_from(*int) {
            Ok(small) if int.abs() <= JSON_INT_MAX => Json::from(small),
            _ => Json::String(int.to_string()),
        },
        Value::Decimal(decimal) => Number::from_f64(*decimal).map_or(Json::Null, Json::Number),
        Value::Text(text) => Json::String(text.to_string()),
        Value::Date(date) => Json::String(date.to_string()),
        Value::Time(time) => Json::String(rfc3339(*time)),
        Value::Duration(duration) => Json::String(duration.to_string()),
        Value::List(values) => Json::Array(values.iter().map(to_json).collect()),
        Value::Record(fields) => Json::Object(
            fields
                .iter()
                .map(|(name, value)| (name.to_string(), to_json(value)))
                .collect(),
        ),
        Value::Variant { case, payload: None } => Json::String(case.to_string()),
        Value::Variant {
            case,
            payload: Some(payload),
        } => Json::Object(Map::from_iter([(case.to_string(), to_json(payload))])),
    }
}

/// A point in time as RFC 3339 in UTC.
pub fn rfc3339(time: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(time.as_millis())
        .map_or_else(|_| time.as_millis().to_string(), |time| time.to_string())
}

/// Reads a value of a type from JSON.
///
/// # Errors
/// The first place where the JSON does not fit the type.
pub fn from_json(json: &Json, ty: &Type) -> Result<Value, Error> {
    from_json_within(json, ty, &mut { usize::MAX }).map_err(|error| match error {
        BoundedError::Unfit(error) => error,
        BoundedError::TooLarge => unreachable!("no value takes all the memory that can be addressed"),
    })
}

/// Reads a value of a type from JSON, if what it becomes is within what is left of a bound in bytes.
/// Each value within another counts [`VALUE_BYTES`], each text its own, and a field that is absent
/// as much as one that is there: a record of a thousand optional fields may be written `{}`.
///
/// # Errors
/// The first place where the JSON does not fit the type, or that it becomes too large.
pub fn from_json_within(json: &Json, ty: &Type, left: &mut usize) -> Result<Value, BoundedError> {
    read(json, ty, &mut String::new(), left)
}

/// Takes values and their text out of what is left, before they are made.
fn take(left: &mut usize, values: usize, text: usize) -> Result<(), BoundedError> {
    let bytes = values.saturating_mul(VALUE_BYTES).saturating_add(text);
    *left = left.checked_sub(bytes).ok_or(BoundedError::TooLarge)?;
    Ok(())
}

fn read(json: &Json, ty: &Type, at: &mut String, left: &mut usize) -> Result<Value, BoundedError> {
    let mismatch = |at: &str| Error {
        at: if at.is_empty() {
            "the value".to_owned()
        } else {
            at.to_owned()
        },
        expected: ty.to_string(),
        found: shortened(json),
    };
    let value = match (ty, json) {
        (Type::Bool, Json::Bool(bool)) => Value::Bool(*bool),
        (Type::Int(range), Json::Number(number)) => number
            .as_i128()
            .filter(|int| range.holds(*int))
            .map(Value::Int)
            .ok_or_else(|| mismatch(at))?,
        (Type::Int(range), Json::String(digits)) => digits
            .parse()
            .ok()
            .filter(|int| range.holds(*int))
            .map(Value::Int)
            .ok_or_else(|| mismatch(at))?,
        (Type::Decimal, Json::Number(number)) => number
            .as_f64()
            .filter(|decimal| decimal.is_finite())
            .map(Value::Decimal)
            .ok_or_else(|| mismatch(at))?,
        (Type::String | Type::Phone, Json::String(text)) => {
            take(left, 0, text.len())?;
            Value::text(text.as_str())
        }
        (Type::Char, Json::String(text)) if text.chars().count() == 1 => Value::text(text.as_str()),
        (Type::Date, Json::String(text)) => text.parse().map(Value::Date).map_err(|_| mismatch(at))?,
        (Type::Time, Json::String(text)) => text
            .parse::<jiff::Timestamp>()
            .map(|time| Value::Time(Timestamp::from_millis(time.as_millisecond())))
            .map_err(|_| mismatch(at))?,
        (Type::Duration, Json::String(text)) => {
            text.parse().map(Value::Duration).map_err(|_| mismatch(at))?
        }
        (Type::List(inner), Json::Array(items)) => {
            take(left, items.len(), 0)?;
            Value::list(
                items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| read_at(item, inner, at, &format!("[{index}]"), left))
                    .collect::<Result<Vec<_>, _>>()?,
            )
        }
        (Type::Tuple(inner), Json::Array(items)) if inner.len() == items.len() => {
            take(left, items.len(), 0)?;
            Value::list(
                items
                    .iter()
                    .zip(inner.iter())
                    .enumerate()
                    .map(|(index, (item, ty))| read_at(item, ty, at, &format!("[{index}]"), left))
                    .collect::<Result<Vec<_>, _>>()?,
            )
        }
        (Type::Record(record), Json::Object(object)) => {
            take(left, record.fields.len(), 0)?;
            let known = record
                .fields
                .iter()
                .filter(|field| object.contains_key(&*field.name));
            // Who is unknown is only looked for if somebody is: that takes fields times fields.
            if known.count() < object.len()
                && let Some(unknown) = object
                    .keys()
                    .find(|key| !record.fields.iter().any(|field| *field.name == **key))
            {
                return Err(BoundedError::Unfit(Error {
                    at: format!("{at}.{unknown}").trim_start_matches('.').to_owned(),
                    expected: format!("one of the fields of {ty}"),
                    found: "an unknown field".to_owned(),
                }));
            }
            Value::record(
                record
                    .fields
                    .iter()
                    .map(|field| {
                        let json = object.get(&*field.name).unwrap_or(&Json::Null);
                        Ok((
                            field.name.clone(),
                            read_at(json, &field.ty, at, &format!(".{}", field.name), left)?,
                        ))
                    })
                    .collect::<Result<Vec<_>, BoundedError>>()?,
            )
        }
        (Type::Enum(names), Json::String(case)) if names.cases.iter().any(|name| **name == **case) => {
            take(left, 0, case.len())?;
            Value::text(case.as_str())
        }
        (Type::Flags(names), Json::Array(items)) => {
            take(left, items.len(), 0)?;
            Value::list(
                items
                    .iter()
                    .map(|item| match item {
                        Json::String(name) if names.cases.iter().any(|case| **case == **name) => {
                            take(left, 0, name.len())?;
                            Ok(Value::text(name.as_str()))
                        }
                        _ => Err(BoundedError::Unfit(mismatch(at))),
                    })
                    .collect::<Result<Vec<_>, _>>()?,
            )
        }
        (Type::Option(_), Json::Null) => Value::None,
        (Type::Option(inner), json) if inner.is_optional() => match single(json) {
            Some(("some", json)) => {
                take(left, 1, "some".len())?;
                Value::Variant {
                    case: "some".into(),
                    payload: Some(Arc::new(read_at(json, inner, at, ".some", left)?)),
                }
            }
            _ => return Err(mismatch(at).into()),
        },
        (Type::Option(inner), json) => read(json, inner, at, left)?,
        (Type::Variant(variant), json) => {
            let cases = variant
                .cases
                .iter()
                .map(|case| (&*case.name, case.payload.as_ref()));
            read_case(json, cases, at, left)?.ok_or_else(|| mismatch(at))?
        }
        (Type::Result { ok, error }, json) => {
            let cases = [("ok", ok.as_deref()), ("error", error.as_deref())];
            read_case(json, cases, at, left)?.ok_or_else(|| mismatch(at))?
        }
        _ => return Err(mismatch(at).into()),
    };
    Ok(value)
}

fn read_at(
    json: &Json,
    ty: &Type,
    at: &mut String,
    step: &str,
    left: &mut usize,
) -> Result<Value, BoundedError> {
    let length = at.len();
    at.push_str(if at.is_empty() {
        step.trim_start_matches('.')
    } else {
        step
    });
    let value = read(json, ty, at, left);
    at.truncate(length);
    value
}

/// Reads a case written as its name alone or as an object of its name and payload; none
/// when no case is written so.
fn read_case<'a>(
    json: &Json,
    cases: impl IntoIterator<Item = (&'a str, Option<&'a Type>)>,
    at: &mut String,
    left: &mut usize,
) -> Result<Option<Value>, BoundedError> {
    let (name, payload) = match (json, single(json)) {
        (Json::String(name), _) => (name.as_str(), None),
        (_, Some((name, payload))) => (name, Some(payload)),
        _ => return Ok(None),
    };
    take(left, usize::from(payload.is_some()), name.len())?;
    let payload = match (cases.into_iter().find(|(case, _)| *case == name), payload) {
        (Some((_, None)), None) => None,
        (Some((case, Some(ty))), Some(payload)) => {
            Some(Arc::new(read_at(payload, ty, at, &format!(".{case}"), left)?))
        }
        _ => return Ok(None),
    };
    Ok(Some(Value::Variant {
        case: name.into(),
        payload,
    }))
}

/// The only entry of an object that has just one.
fn single(json: &Json) -> Option<(&str, &Json)> {
    let object = json.as_object()?;
    let mut entries = object.iter();
    match (entries.next(), entries.next()) {
        (Some((name, json)), None) => Some((name.as_str(), json)),
        _ => None,
    }
}

fn shortened(json: &Json) -> String {
    const CHARS_MAX: usize = 60;
    let text = json.to_string();
    match text.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// A record type of some fields, for tests and generated interfaces.
pub fn record_type<'a>(name: Option<&str>, fields: impl IntoIterator<Item = (&'a str, Type)>) -> Type {
    Type::Record(Arc::new(types::Record {
        name: name.map(Into::into),
        fields: fields
            .into_iter()
            .map(|(name, ty)| types::Field {
                name: name.into(),
                ty,
            })
            .collect(),
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::types::{Case, Range, Variant};

    fn round_trip(ty: &Type, json: Json) {
        let value = from_json(&json, ty).unwrap();
        assert_eq!(to_json(&value), json, "{ty}");
        let stored: Value = serde_json::from_str(&serde_json::to_string(&value).unwrap()).unwrap();
        assert_eq!(stored, value, "{ty}, as stored");
    }

    #[test]
    fn values_of_every_type_come_back_as_they_were() {
        let u64_type = Type::Int(Range::U64);
        round_trip(&u64_type, json!(9_007_199_254_740_992_u64));
        round_trip(&u64_type, json!("18446744073709551615"));
        round_trip(&Type::Decimal, json!(0.1));
        round_trip(&Type::Date, json!("2026-11-21"));
        round_trip(&Type::Time, json!("2026-11-21T12:05:00.5Z"));
        round_trip(&Type::Duration, json!("1m30s"));
        round_trip(
            &Type::Tuple(Arc::new(vec![Type::INT, Type::String])),
            json!([1, "a"]),
        );
        let citizen = record_type(
            Some("citizen"),
            [("id", Type::String), ("district", Type::String.optional())],
        );
        round_trip(&citizen, json!({ "id": "c-1", "district": null }));
        let error = Type::Variant(Arc::new(Variant {
            name: None,
            cases: vec![
                Case {
                    name: "not-found".into(),
                    payload: None,
                },
                Case {
                    name: "ambiguous".into(),
                    payload: Some(Type::Int(Range::of_bits(32, false))),
                },
            ],
        }));
        round_trip(&error, json!("not-found"));
        round_trip(&error, json!({ "ambiguous": 3 }));
        let nested = Type::INT.optional().optional();
        round_trip(&nested, json!(null));
        round_trip(&nested, json!({ "some": null }));
        round_trip(&nested, json!({ "some": 4 }));
        let result = Type::Result {
            ok: None,
            error: Some(Arc::new(Type::String)),
        };
        round_trip(&result, json!("ok"));
        round_trip(&result, json!({ "error": "why" }));
    }

    #[test]
    fn what_does_not_fit_is_named_with_its_place() {
        let history = record_type(None, [("history", Type::Int(Range::of_bits(8, false)).list())]);
        let error = from_json(&json!({ "history": [1, 300] }), &history).unwrap_err();
        assert_eq!(error.to_string(), "history[1] should be u8, not 300");
        let error = from_json(&json!({ "histroy": [] }), &history).unwrap_err();
        assert_eq!(error.at, "histroy");
        assert!(from_json(&json!({}), &history).is_err());
        assert!(from_json(&json!("ab"), &Type::Char).is_err());
    }

    #[test]
    fn what_json_becomes_is_counted_before_it_is_made() {
        let names: Vec<_> = (0..100).map(|at| format!("f{at}")).collect();
        let optional = Type::Int(Range::of_bits(8, false)).optional();
        let wide = record_type(None, names.iter().map(|name| (name.as_str(), optional.clone()))).list();
        // Three bytes each, that are a hundred absent fields.
        let records = |count| Json::Array(vec![json!({}); count]);
        let (mut left, one) = (10 * 101 * VALUE_BYTES, 101 * VALUE_BYTES);
        from_json_within(&records(9), &wide, &mut left).unwrap();
        assert_eq!(left, one);
        from_json_within(&records(1), &wide, &mut left).unwrap();
        assert_eq!(left, 0);
        assert_eq!(
            from_json_within(&records(1), &wide, &mut left),
            Err(BoundedError::TooLarge)
        );
        assert!(matches!(
            from_json_within(&json!(7), &wide, &mut left),
            Err(BoundedError::Unfit(_))
        ));

        let texts = Type::String.list();
        let mut left = 2 * VALUE_BYTES + 3;
        from_json_within(&json!(["ab", "c"]), &texts, &mut left).unwrap();
        assert_eq!(left, 0);
    }
}
