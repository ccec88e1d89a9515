//! Random values of any type, and what may come of a call.

use std::sync::Arc;

use trunkline_model::{
    Duration, FaultKind, Outcome, Refusal, Signature, Timestamp, Type, Value, json::from_json,
};

use crate::chance::Chance;

/// What comes of a call: an answer, a refusal or a fault, each as its signature has it.
pub(crate) fn outcome(chance: &mut Chance, signature: &Signature) -> Outcome {
    let cases = signature.error_cases();
    match chance.below(10) {
        0..=5 => Outcome::Ok(signature.ok.as_ref().map_or(Value::None, |ty| value(chance, ty))),
        6 | 7 if !cases.is_empty() => {
            let (case, payload) = &cases[chance.below(cases.len())];
            Outcome::Refusal(Refusal {
                case: case.clone(),
                payload: payload.map_or(Value::None, |ty| value(chance, ty)),
            })
        }
        _ => {
            let kind = FaultKind::ALL[chance.below(FaultKind::ALL.len())];
            Outcome::fault(kind, "as chance has it")
        }
    }
}

fn value(chance: &mut Chance, ty: &Type) -> Value {
    const TEXTS: [&str; 6] = [
        "",
        "a",
        "王芳",
        "西湖区",
        "2026-11-20",
        "very long text with { braces }",
    ];
    match ty {
        Type::Bool => Value::Bool(chance.one_in(2)),
        Type::Int(range) => match chance.below(4) {
            0 => Value::Int(range.min),
            1 => Value::Int(range.max),
            _ => Value::Int(range.min.max(0) + (chance.below(100) as i128).min(range.max)),
        },
        Type::Decimal => Value::Decimal(chance.below(1_000) as f64 / 1_000.0),
        Type::String => Value::from(TEXTS[chance.below(TEXTS.len())]),
        Type::Char => Value::from("字"),
        Type::Date => from_json(&"2026-11-20".into(), ty).expect("a date"),
        Type::Time => Value::Time(Timestamp::from_millis(1_795_140_000_000)),
        Type::Duration => Value::Duration(Duration::from_secs(chance.next() % 1_000)),
        Type::Phone => Value::from("+8613800138000"),
        Type::List(inner) => {
            let length = chance.below(3);
            Value::list((0..length).map(|_| value(chance, inner)).collect::<Vec<_>>())
        }
        Type::Tuple(types) => Value::list(types.iter().map(|ty| value(chance, ty)).collect::<Vec<_>>()),
        Type::Record(record) => Value::record(
            record
                .fields
                .iter()
                .map(|field| (field.name.clone(), value(chance, &field.ty)))
                .collect::<Vec<_>>(),
        ),
        Type::Variant(variant) => {
            let case = &variant.cases[chance.below(variant.cases.len())];
            Value::Variant {
                case: case.name.clone(),
                payload: case.payload.as_ref().map(|ty| Arc::new(value(chance, ty))),
            }
        }
        Type::Enum(names) => Value::text(names.cases[chance.below(names.cases.len())].clone()),
        Type::Flags(names) => Value::list(
            names
                .cases
                .iter()
                .filter(|_| chance.one_in(2))
                .map(|name| Value::text(name.clone()))
                .collect::<Vec<_>>(),
        ),
        Type::Option(_) if chance.one_in(3) => Value::None,
        Type::Option(inner) if inner.is_optional() => Value::Variant {
            case: "some".into(),
            payload: Some(Arc::new(value(chance, inner))),
        },
        Type::Option(inner) => value(chance, inner),
        Type::Result { ok, error } => {
            let (case, ty) = if chance.one_in(2) {
                ("ok", ok)
            } else {
                ("error", error)
            };
            Value::Variant {
                case: case.into(),
                payload: ty.as_ref().map(|ty| Arc::new(value(chance, ty))),
            }
        }
    }
}
