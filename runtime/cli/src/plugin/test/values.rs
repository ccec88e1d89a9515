//! Values in tests: read from YAML by the types of the component, and written back as lines to
//! paste.
//!
//! A text or a list too long to write is `{ repeat: "x", times: 100000 }`.

use std::sync::Arc;

use serde_json::Value as Json;
use trunkline_flow::document::{Kind, Node};
use trunkline_model::{Type, Value, json, types::Range};

use super::table::Wrong;

/// Characters, and elements, from which a repetition is written as one.
const REPEATED_MIN: usize = 24;

/// The most that a repetition may repeat.
const TIMES_MAX: usize = 64 << 20;

/// How much of a value has to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// All of it: an argument.
    Whole,
    /// Of records only the fields that matter: what is expected.
    Part,
}

/// Reads a value of a type.
pub(super) fn read(node: &Node, ty: &Type, extent: Extent) -> Result<Value, Wrong> {
    let mismatch = || Wrong::at(node, format!("this should be {ty}, not {}", shown(node)));
    let scalar = || node.text().ok_or_else(mismatch);
    match (ty, &node.kind) {
        (Type::Option(_), Kind::Scalar { text, plain: true }) if matches!(&**text, "" | "null" | "~") => {
            Ok(Value::None)
        }
        (Type::Option(inner), Kind::Mapping(entries)) if inner.is_optional() => match &entries[..] {
            [(some, value)] if &**some == "some" => Ok(Value::Variant {
                case: "some".into(),
                payload: Some(Arc::new(read(value, inner, extent)?)),
            }),
            _ => Err(mismatch()),
        },
        (Type::Option(inner), _) => read(node, inner, extent),
        (Type::Bool, _) => match scalar()? {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err(mismatch()),
        },
        (Type::Int(range), _) => whole_number(scalar()?, *range).ok_or_else(mismatch),
        (Type::Decimal, _) => scalar()?
            .parse()
            .ok()
            .filter(|decimal: &f64| decimal.is_finite())
            .map(Value::Decimal)
            .ok_or_else(mismatch),
        (Type::String | Type::Phone, Kind::Mapping(entries)) => {
            let (part, times) = repetition(node, entries, &Type::String, extent)?;
            let Value::Text(part) = part else {
                return Err(mismatch());
            };
            Ok(Value::text(part.repeat(times)))
        }
        (Type::List(inner), Kind::Mapping(entries)) => {
            let (part, times) = repetition(node, entries, inner, extent)?;
            Ok(Value::list(std::iter::repeat_n(part, times)))
        }
        (Type::List(inner), Kind::List(items)) => items
            .iter()
            .map(|item| read(item, inner, extent))
            .collect::<Result<Vec<_>, _>>()
            .map(Value::list),
        (Type::Tuple(types), Kind::List(items)) if types.len() == items.len() => items
            .iter()
            .zip(types.iter())
            .map(|(item, ty)| read(item, ty, extent))
            .collect::<Result<Vec<_>, _>>()
            .map(Value::list),
        (Type::Record(record), Kind::Mapping(entries)) => {
            for (name, value) in entries {
                if !record.fields.iter().any(|field| field.name == *name) {
                    let fields: Vec<_> = record.fields.iter().map(|field| &*field.name).collect();
                    return Err(Wrong::at(
                        value,
                        format!("{ty} has no field `{name}`; it has {}", fields.join(", ")),
                    ));
                }
            }
            let mut fields = Vec::new();
            for field in &record.fields {
                match entries.iter().find(|(name, _)| *name == field.name) {
                    Some((_, value)) => fields.push((field.name.clone(), read(value, &field.ty, extent)?)),
                    None if extent == Extent::Part => {}
                    None if field.ty.is_optional() => fields.push((field.name.clone(), Value::None)),
                    None => return Err(Wrong::at(node, format!("this lacks the field `{}`", field.name))),
                }
            }
            Ok(Value::record(fields))
        }
        (Type::Variant(variant), _) => {
            let cases = variant.cases.iter();
            case(
                node,
                ty,
                cases.map(|case| (&*case.name, case.payload.as_ref())),
                extent,
            )
        }
        (Type::Result { ok, error }, _) => case(
            node,
            ty,
            [("ok", ok.as_deref()), ("error", error.as_deref())].into_iter(),
            extent,
        ),
        (Type::Flags(_), Kind::List(items)) => {
            let names: Vec<Json> = items.iter().filter_map(Node::text).map(Json::from).collect();
            json::from_json(&Json::Array(names), ty).map_err(|error| Wrong::at(node, error.to_string()))
        }
        _ => {
            let text = scalar()?;
            json::from_json(&Json::from(text), ty).map_err(|error| Wrong::at(node, error.to_string()))
        }
    }
}

fn whole_number(text: &str, range: Range) -> Option<Value> {
    let number = text.parse().ok()?;
    range.holds(number).then_some(Value::Int(number))
}

/// `{ repeat: .., times: .. }`.
fn repetition(
    node: &Node,
    entries: &[(Arc<str>, Node)],
    ty: &Type,
    extent: Extent,
) -> Result<(Value, usize), Wrong> {
    let get = |key: &str| {
        entries
            .iter()
            .find(|(name, _)| &**name == key)
            .map(|(_, node)| node)
    };
    let (Some(part), Some(times), 2) = (get("repeat"), get("times"), entries.len()) else {
        return Err(Wrong::at(
            node,
            "a mapping here is a repetition: write `{ repeat: \"x\", times: 1000 }`".to_owned(),
        ));
    };
    let count = times
        .text()
        .and_then(|text| text.parse().ok())
        .filter(|times| *times <= TIMES_MAX);
    let count = count.ok_or_else(|| {
        Wrong::at(
            times,
            format!("`times` is a number up to {TIMES_MAX}, not {}", shown(times)),
        )
    })?;
    Ok((read(part, ty, extent)?, count))
}

fn case<'a>(
    node: &Node,
    ty: &Type,
    mut cases: impl Iterator<Item = (&'a str, Option<&'a Type>)>,
    extent: Extent,
) -> Result<Value, Wrong> {
    let (name, inside) = match &node.kind {
        Kind::Scalar { text, .. } => (&**text, None),
        Kind::Mapping(entries) if entries.len() == 1 => (&*entries[0].0, Some(&entries[0].1)),
        Kind::Mapping(_) | Kind::List(_) => {
            return Err(Wrong::at(
                node,
                format!("this should be a case of {ty}, such as `{{ case: value }}`"),
            ));
        }
    };
    let Some((_, payload)) = cases.find(|(case, _)| *case == name) else {
        return Err(Wrong::at(node, format!("{ty} has no case `{name}`")));
    };
    let payload = match (payload, inside) {
        (None, None) => None,
        (Some(ty), Some(node)) => Some(Arc::new(read(node, ty, extent)?)),
        (Some(ty), None) => {
            return Err(Wrong::at(
                node,
                format!("`{name}` carries {ty}: write `{{ {name}: .. }}`"),
            ));
        }
        (None, Some(_)) => {
            return Err(Wrong::at(
                node,
                format!("`{name}` carries nothing: write `{name}`"),
            ));
        }
    };
    Ok(Value::Variant {
        case: name.into(),
        payload,
    })
}

/// What stands somewhere, for messages.
pub(super) fn shown(node: &Node) -> String {
    const CHARS_MAX: usize = 40;
    match node.text() {
        Some(text) if !text.is_empty() && text.chars().count() <= CHARS_MAX => format!("`{text}`"),
        _ => node.describe().to_owned(),
    }
}

/// A value on one line of YAML, as [`read`] reads it.
pub(super) fn written(value: &Value) -> String {
    match value {
        Value::Text(text) => repeated_text(text).unwrap_or_else(|| quoted(text)),
        Value::List(items) => match items.first() {
            Some(first) if items.len() >= REPEATED_MIN && items.iter().all(|item| item == first) => {
                format!("{{ repeat: {}, times: {} }}", written(first), items.len())
            }
            _ => {
                let items: Vec<_> = items.iter().map(written).collect();
                format!("[{}]", items.join(", "))
            }
        },
        Value::Record(fields) => {
            let fields: Vec<_> = fields
                .iter()
                .map(|(name, value)| format!("{name}: {}", written(value)))
                .collect();
            format!("{{ {} }}", fields.join(", "))
        }
        Value::Variant {
            case,
            payload: Some(payload),
        } => format!("{{ {case}: {} }}", written(payload)),
        Value::Variant { case, payload: None } => quoted(case),
        other => json::to_json(other).to_string(),
    }
}

fn repeated_text(text: &str) -> Option<String> {
    let first = text.chars().next()?;
    let count = text.chars().count();
    (count >= REPEATED_MIN && text.chars().all(|c| c == first))
        .then(|| format!("{{ repeat: {}, times: {count} }}", quoted(&first.to_string())))
}

/// A text in double quotes, as JSON and YAML both read it.
pub(super) fn quoted(text: &str) -> String {
    Json::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use trunkline_flow::document;
    use trunkline_model::types::{Case, Enum, Variant};

    use super::*;

    fn parsed(text: &str, ty: &Type, extent: Extent) -> Result<Value, Wrong> {
        let node = document::read("a.yaml", text).unwrap().unwrap();
        let Kind::Mapping(entries) = node.kind else {
            panic!("{text}")
        };
        read(&entries[0].1, ty, extent)
    }

    fn citizen() -> Type {
        json::record_type(
            Some("citizen"),
            [
                ("phone", Type::String),
                ("age", Type::Int(Range::of_bits(8, false)).optional()),
            ],
        )
    }

    #[test]
    fn what_is_written_is_read_back() {
        let shape = Type::Variant(Arc::new(Variant {
            name: None,
            cases: vec![
                Case {
                    name: "dot".into(),
                    payload: None,
                },
                Case {
                    name: "box".into(),
                    payload: Some(Type::Tuple(Arc::new(vec![Type::INT, Type::Decimal]))),
                },
            ],
        }));
        let mood = Type::Enum(Arc::new(Enum {
            name: None,
            cases: vec!["calm".into(), "null".into()],
        }));
        for (ty, value) in [
            (Type::String, Value::text("a: \"b\"\n# 电话\t\u{1f}")),
            (Type::String, Value::text("好".repeat(5_000))),
            (Type::String, Value::text("null")),
            (Type::String.optional(), Value::text("null")),
            (Type::String.optional(), Value::None),
            (
                Type::INT.optional().optional(),
                Value::Variant {
                    case: "some".into(),
                    payload: Some(Arc::new(Value::None)),
                },
            ),
            (Type::Int(Range::U64), Value::Int(u64::MAX.into())),
            (Type::Decimal, Value::Decimal(-1.5e300)),
            (Type::Char, Value::text("字")),
            (
                Type::Bool.list(),
                Value::list([Value::Bool(true), Value::Bool(false)]),
            ),
            (
                Type::Int(Range::of_bits(8, false)).list(),
                Value::list(std::iter::repeat_n(Value::Int(255), 1_000)),
            ),
            (mood.clone(), Value::text("null")),
            (
                shape.clone(),
                Value::Variant {
                    case: "dot".into(),
                    payload: None,
                },
            ),
            (
                shape,
                Value::Variant {
                    case: "box".into(),
                    payload: Some(Arc::new(Value::list([Value::Int(-3), Value::Decimal(0.5)]))),
                },
            ),
            (
                citizen(),
                Value::record([("phone", Value::text("+86")), ("age", Value::Int(3))]),
            ),
            (
                Type::Result {
                    ok: None,
                    error: Some(Arc::new(Type::String)),
                },
                Value::Variant {
                    case: "ok".into(),
                    payload: None,
                },
            ),
        ] {
            let text = format!("v: {}\n", written(&value));
            assert_eq!(parsed(&text, &ty, Extent::Whole).unwrap(), value, "{text}");
        }
    }

    #[test]
    fn of_what_is_expected_a_part_is_enough() {
        let part = parsed("v: { age: 3 }", &citizen(), Extent::Part).unwrap();
        assert_eq!(part, Value::record([("age", Value::Int(3))]));
        let error = parsed("v: { age: 3 }", &citizen(), Extent::Whole).unwrap_err();
        assert!(error.message.contains("`phone`"), "{error:?}");
        // A number that people write without quotes is the text that it is.
        let whole = parsed("v: { phone: +8613800138000 }", &citizen(), Extent::Whole).unwrap();
        assert_eq!(
            whole.field("phone").and_then(Value::as_text),
            Some("+8613800138000")
        );
    }

    #[test]
    fn what_does_not_fit_says_what_would() {
        for (text, ty, says) in [
            (
                "v: 300",
                Type::Int(Range::of_bits(8, false)),
                "should be u8, not `300`",
            ),
            ("v: yes", Type::Bool, "should be bool"),
            (
                "v: { phon: x }",
                citizen(),
                "has no field `phon`; it has phone, age",
            ),
            ("v: { repeat: x }", Type::String, "times"),
            ("v: [1]", Type::String, "a list"),
        ] {
            let error = parsed(text, &ty, Extent::Whole).unwrap_err();
            assert!(error.message.contains(says), "{text}: {}", error.message);
            assert_eq!(error.line, 1);
        }
    }
}
