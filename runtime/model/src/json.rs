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
    read(json, ty, &mut String::new())
}

fn read(json: &Json, ty: &Type, at: &mut String) -> Result<Value, Error> {
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
        (Type::String | Type::Phone, Json::String(text)) => Value::text(text.as_str()),
        (Type::Char, Json::String(text)) if text.chars().count() == 1 => Value::text(text.as_str()),
        (Type::Date, Json::String(text)) => text.parse().map(Value::Date).map_err(|_| mismatch(at))?,
        (Type::Time, Json::String(text)) => text
            .parse::<jiff::Timestamp>()
            .map(|time| Value::Time(Timestamp::from_millis(time.as_millisecond())))
            .map_err(|_| mismatch(at))?,
        (Type::Duration, Json::String(text)) => {
            text.parse().map(Value::Duration).map_err(|_| mismatch(at))?
        }
        (Type::List(inner), Json::Array(items)) => Value::list(
            items
                .iter()
                .enumerate()
                .map(|(index, item)| read_at(item, inner, at, &format!("[{index}]")))
                .collect::<Result<Vec<_>, _>>()?,
        ),
        (Type::Tuple(inner), Json::Array(items)) if inner.len() == items.len() => Value::list(
            items
                .iter()
                .zip(inner.iter())
                .enumerate()
                .map(|(index, (item, ty))| read_at(item, ty, at, &format!("[{index}]")))
                .collect::<Result<Vec<_>, _>>()?,
        ),
        (Type::Record(record), Json::Object(object)) => {
            if let Some(unknown) = object
                .keys()
                .find(|key| !record.fields.iter().any(|field| *field.name == **key))
            {
                return Err(Error {
                    at: format!("{at}.{unknown}").trim_start_matches('.').to_owned(),
                    expected: format!("one of the fields of {ty}"),
                    found: "an unknown field".to_owned(),
                });
            }
            Value::record(
                record
                    .fields
                    .iter()
                    .map(|field| {
                        let json = object.get(&*field.name).unwrap_or(&Json::Null);
                        Ok((
                            field.name.clone(),
                            read_at(json, &field.ty, at, &format!(".{}", field.name))?,
                        ))
                    })
                    .collect::<Result<Vec<_>, Error>>()?,
            )
        }
        (Type::Enum(names), Json::String(case)) if names.cases.iter().any(|name| **name == **case) => {
            Value::text(case.as_str())
        }
        (Type::Flags(names), Json::Array(items)) => Value::list(
            items
                .iter()
                .map(|item| match item {
                    Json::String(name) if names.cases.iter().any(|case| **case == **name) => {
                        Ok(Value::text(name.as_str()))
                    }
                    _ => Err(mismatch(at)),
                })
                .collect::<Result<Vec<_>, _>>()?,
        ),
        (Type::Option(_), Json::Null) => Value::None,
        (Type::Option(inner), json) if inner.is_optional() => match single(json) {
            Some(("some", json)) => Value::Variant {
                case: "some".into(),
                payload: Some(Arc::new(read_at(json, inner, at, ".some")?)),
            },
            _ => return Err(mismatch(at)),
        },
        (Type::Option(inner), json) => read(json, inner, at)?,
        (Type::Variant(variant), json) => {
            let cases = variant
                .cases
                .iter()
                .map(|case| (&*case.name, case.payload.as_ref()));
            read_case(json, cases, at)?.ok_or_else(|| mismatch(at))?
        }
        (Type::Result { ok, error }, json) => {
            let cases = [("ok", ok.as_deref()), ("error", error.as_deref())];
            read_case(json, cases, at)?.ok_or_else(|| mismatch(at))?
        }
        _ => return Err(mismatch(at)),
    };
    Ok(value)
}

fn read_at(json: &Json, ty: &Type, at: &mut String, step: &str) -> Result<Value, Error> {
    let length = at.len();
    at.push_str(if at.is_empty() {
        step.trim_start_matches('.')
    } else {
        step
    });
    let value = read(json, ty, at);
    at.truncate(length);
    value
}

/// Reads a case written as its name alone or as an object of its name and payload; none
/// when no case is written so.
fn read_case<'a>(
    json: &Json,
    cases: impl IntoIterator<Item = (&'a str, Option<&'a Type>)>,
    at: &mut String,
) -> Result<Option<Value>, Error> {
    let (name, payload) = match (json, single(json)) {
        (Json::String(name), _) => (name.as_str(), None),
        (_, Some((name, payload))) => (name, Some(payload)),
        _ => return Ok(None),
    };
    let payload = match (cases.into_iter().find(|(case, _)| *case == name), payload) {
        (Some((_, None)), None) => None,
        (Some((case, Some(ty))), Some(payload)) => {
            Some(Arc::new(read_at(payload, ty, at, &format!(".{case}"))?))
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
}
