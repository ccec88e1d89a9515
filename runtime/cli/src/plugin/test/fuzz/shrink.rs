//! Smaller values of the same type, the smallest first.

use std::sync::Arc;

use trunkline_model::{Type, Value, types::Range};

/// Elements of a list, and characters of a text, that are left out one by one.
const ONE_BY_ONE_MAX: usize = 16;

/// Values that are smaller than this one. Each is of the type, and none leads back: whoever takes
/// one again and again comes to an end.
pub(super) fn smaller(value: &Value, ty: &Type) -> Vec<Value> {
    match (ty, value) {
        (Type::Option(_), Value::None) => Vec::new(),
        (
            Type::Option(inner),
            Value::Variant {
                case,
                payload: Some(payload),
            },
        ) if inner.is_optional() && &**case == "some" => {
            let mut found = vec![Value::None];
            found.extend(smaller(payload, inner).into_iter().map(|payload| Value::Variant {
                case: case.clone(),
                payload: Some(Arc::new(payload)),
            }));
            found
        }
        (Type::Option(inner), value) => {
            let mut found = vec![Value::None];
            found.extend(smaller(value, inner));
            found
        }
        (Type::Bool, Value::Bool(true)) => vec![Value::Bool(false)],
        (Type::Int(range), Value::Int(int)) => ints(*int, *range).into_iter().map(Value::Int).collect(),
        (Type::Decimal, Value::Decimal(decimal)) => decimals(*decimal),
        (Type::String | Type::Phone, Value::Text(text)) => texts(text).into_iter().map(Value::text).collect(),
        (Type::Char, Value::Text(text)) if &**text != "a" => vec![Value::text("a")],
        (Type::Enum(names), Value::Text(name)) => {
            let at = names.cases.iter().position(|case| case == name).unwrap_or(0);
            names
                .cases
                .iter()
                .take(at)
                .map(|case| Value::Text(case.clone()))
                .collect()
        }
        (Type::Flags(_), Value::List(items)) => without(items),
        (Type::List(inner), Value::List(items)) => {
            let mut found = without(items);
            if let Some(first) = items
                .first()
                .filter(|first| items.iter().any(|item| item != *first))
            {
                found.push(Value::list(std::iter::repeat_n(first.clone(), items.len())));
            }
            for (index, item) in items.iter().enumerate().take(ONE_BY_ONE_MAX) {
                found.extend(
                    smaller(item, inner)
                        .into_iter()
                        .map(|item| replaced(items, index, item)),
                );
            }
            found
        }
        (Type::Tuple(types), Value::List(items)) => {
            let mut found = Vec::new();
            for (index, (item, ty)) in items.iter().zip(types.iter()).enumerate() {
                found.extend(
                    smaller(item, ty)
                        .into_iter()
                        .map(|item| replaced(items, index, item)),
                );
            }
            found
        }
        (Type::Record(record), Value::Record(fields)) => {
            let mut found = Vec::new();
            for field in &record.fields {
                let Some(value) = fields.get(&field.name) else {
                    continue;
                };
                for smaller in smaller(value, &field.ty) {
                    let mut changed = (**fields).clone();
                    changed.insert(field.name.clone(), smaller);
                    found.push(Value::Record(Arc::new(changed)));
                }
            }
            found
        }
        (Type::Variant(variant), Value::Variant { case, payload }) => {
            let at = variant
                .cases
                .iter()
                .position(|known| known.name == *case)
                .unwrap_or(0);
            let before = variant
                .cases
                .iter()
                .take(at)
                .filter(|case| case.payload.is_none());
            let mut found: Vec<Value> = before
                .map(|case| Value::Variant {
                    case: case.name.clone(),
                    payload: None,
                })
                .collect();
            if let (Some(ty), Some(payload)) = (
                variant.cases.get(at).and_then(|case| case.payload.as_ref()),
                payload,
            ) {
                found.extend(smaller(payload, ty).into_iter().map(|payload| Value::Variant {
                    case: case.clone(),
                    payload: Some(Arc::new(payload)),
                }));
            }
            found
        }
        (
            Type::Result { ok, error },
            Value::Variant {
                case,
                payload: Some(payload),
            },
        ) => {
            let ty = if &**case == "ok" { ok } else { error };
            let inside = ty.as_ref().map(|ty| smaller(payload, ty)).unwrap_or_default();
            inside
                .into_iter()
                .map(|payload| Value::Variant {
                    case: case.clone(),
                    payload: Some(Arc::new(payload)),
                })
                .collect()
        }
        _ => Vec::new(),
    }
}

fn ints(int: i128, range: Range) -> Vec<i128> {
    // The nearest to zero that the range has.
    let least = 0_i128.clamp(range.min, range.max);
    let mut found = vec![least, least + (int - least) / 2, int - (int - least).signum()];
    found.retain(|smaller| *smaller != int && (smaller - least).abs() < (int - least).abs());
    found.dedup();
    found
}

fn decimals(decimal: f64) -> Vec<Value> {
    let mut found = vec![0.0, decimal.trunc(), (decimal / 2.0).trunc()];
    found.retain(|smaller| smaller.abs() < decimal.abs());
    found.into_iter().map(Value::Decimal).collect()
}

fn texts(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let length = chars.len();
    let of = |chars: &[char]| chars.iter().collect::<String>();
    let mut found = Vec::new();
    if length > 0 {
        found.push(String::new());
    }
    if length > 1 {
        found.push(of(&chars[..length / 2]));
        found.push(of(&chars[length / 2..]));
        found.push(of(&chars[1..]));
        found.push(of(&chars[..length - 1]));
    }
    if (3..=ONE_BY_ONE_MAX).contains(&length) {
        for left_out in 1..length - 1 {
            found.push(of(&[&chars[..left_out], &chars[left_out + 1..]].concat()));
        }
    }
    if chars.iter().any(|c| *c != 'a') {
        found.push("a".repeat(length));
    }
    found
}

fn without(items: &[Value]) -> Vec<Value> {
    let mut found = Vec::new();
    if !items.is_empty() {
        found.push(Value::list([]));
    }
    if items.len() > 1 {
        let half = items.len() / 2;
        found.push(Value::list(items[..half].to_vec()));
        found.push(Value::list(items[half..].to_vec()));
        for left_out in (0..items.len()).rev().take(ONE_BY_ONE_MAX) {
            let rest = items.iter().enumerate().filter(|(index, _)| *index != left_out);
            found.push(Value::list(
                rest.map(|(_, item)| item.clone()).collect::<Vec<_>>(),
            ));
        }
    }
    found
}

fn replaced(items: &[Value], index: usize, item: Value) -> Value {
    let mut items = items.to_vec();
    items[index] = item;
    Value::list(items)
}

#[cfg(test)]
mod tests {
    use trunkline_model::json;

    use super::{
        super::{random::Random, values::Generator},
        *,
    };
    use crate::plugin::test::fuzz::values::tests::everything;

    /// Takes the first smaller value that still holds, until none does.
    fn smallest(mut value: Value, ty: &Type, holds: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..10_000 {
            match smaller(&value, ty).into_iter().find(|smaller| holds(smaller)) {
                Some(next) => value = next,
                None => return value,
            }
        }
        panic!("it never ends: {value:?}");
    }

    #[test]
    fn what_matters_is_all_that_stays() {
        let long = Value::text(format!("{}!{}", "x".repeat(500), "好".repeat(300)));
        let bang = |value: &Value| value.as_text().is_some_and(|text| text.contains('!'));
        assert_eq!(smallest(long, &Type::String, bang), Value::text("!"));
        let over = |value: &Value| matches!(value, Value::Int(int) if *int > 1_000);
        assert_eq!(
            smallest(Value::Int(i64::MAX.into()), &Type::INT, over),
            Value::Int(1_001)
        );
        let ty = Type::String.list();
        let list = Value::list((0..100).map(|n| Value::text(n.to_string())));
        let three = |value: &Value| matches!(value, Value::List(items) if items.len() >= 3);
        assert_eq!(
            smallest(list, &ty, three),
            Value::list(["", "", ""].map(Value::text))
        );
    }

    #[test]
    fn everything_comes_to_an_end_and_stays_of_its_type() {
        let ty = everything();
        for input in 0..30 {
            let value = Generator::new(&mut Random::of(3, "f", input), 4 << 10).value(&ty);
            for smaller in smaller(&value, &ty) {
                assert!(
                    json::from_json(&json::to_json(&smaller), &ty).is_ok(),
                    "{smaller:?}"
                );
            }
            smallest(value, &ty, |_| true);
        }
    }
}
