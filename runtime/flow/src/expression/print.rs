//! Values as they are said.

use jiff::tz::TimeZone;
use trunkline_model::{Type, Value, limits::PRINTED_CHARS_MAX};

use crate::speech::Tongue;

/// Whether values of a type can be said: anything but records and what has them inside.
pub(crate) fn printable(ty: &Type) -> bool {
    match ty {
        Type::Bool
        | Type::Int(_)
        | Type::Decimal
        | Type::String
        | Type::Char
        | Type::Date
        | Type::Time
        | Type::Duration
        | Type::Phone
        | Type::Enum(_)
        | Type::Flags(_) => true,
        Type::List(inner) => printable(inner),
        Type::Tuple(_) | Type::Record(_) | Type::Variant(_) | Type::Option(_) | Type::Result { .. } => false,
    }
}

/// A value as it is said in a language: decimals as short as they are exact, dates as
/// `2026-11-21`, times as `2026-11-21 20:05` in the hotline's zone, yes and no in words,
/// lists joined by the language's comma. At most [`PRINTED_CHARS_MAX`] characters.
pub fn print(value: &Value, language: &str, zone: &TimeZone) -> String {
    let mut text = String::new();
    let mut left = PRINTED_CHARS_MAX;
    write(
        &mut text,
        &mut left,
        value,
        &Words::of(Tongue::of(language)),
        zone,
    );
    text
}

/// A value for messages, without a language.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("'{text}'"),
        Value::Bool(bool) => bool.to_string(),
        other => print(other, "en", &TimeZone::UTC),
    }
}

struct Words {
    comma: &'static str,
    yes: &'static str,
    no: &'static str,
}

impl Words {
    const fn of(tongue: Tongue) -> Self {
        match tongue {
            Tongue::Chinese => Self {
                comma: "、",
                yes: "是",
                no: "否",
            },
            Tongue::Japanese => Self {
                comma: "、",
                yes: "はい",
                no: "いいえ",
            },
            Tongue::English | Tongue::Other => Self {
                comma: ", ",
                yes: "yes",
                no: "no",
            },
        }
    }
}

fn write(text: &mut String, left: &mut usize, value: &Value, words: &Words, zone: &TimeZone) {
    if *left == 0 {
        return;
    }
    match value {
        Value::None => {}
        Value::Bool(bool) => push(text, left, if *bool { words.yes } else { words.no }),
        Value::Int(int) => push(text, left, &int.to_string()),
        // Whole decimals read `3`, not `3.0` or `3e0`.
        Value::Decimal(decimal) => push(text, left, &decimal.to_string()),
        Value::Text(value) => push(text, left, value),
        Value::Date(date) => push(text, left, &date.to_string()),
        Value::Time(time) => {
            let written = jiff::Timestamp::from_millisecond(time.as_millis()).map_or_else(
                |_| String::new(),
                |time| time.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string(),
            );
            push(text, left, &written);
        }
        Value::Duration(duration) => push(text, left, &duration.to_string()),
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    push(text, left, words.comma);
                }
                if *left == 0 {
                    return;
                }
                write(text, left, item, words, zone);
            }
        }
        Value::Record(fields) => {
            for (index, (name, value)) in fields.iter().enumerate() {
                if *left == 0 {
                    return;
                }
                push(text, left, if index > 0 { ", " } else { "" });
                push(text, left, &format!("{name}: "));
                write(text, left, value, words, zone);
            }
        }
        Value::Variant { case, payload } => {
            push(text, left, case);
            if let Some(payload) = payload {
                push(text, left, " ");
                write(text, left, payload, words, zone);
            }
        }
    }
}

fn push(text: &mut String, left: &mut usize, part: &str) {
    for c in part.chars() {
        if *left == 0 {
            return;
        }
        text.push(c);
        *left -= 1;
    }
}

#[cfg(test)]
mod tests {
    use trunkline_model::Timestamp;

    use super::*;

    #[test]
    fn values_are_said_as_people_say_them() {
        let shanghai = TimeZone::get("Asia/Shanghai").unwrap();
        for (value, language, said) in [
            (Value::Decimal(3.0), "en", "3"),
            (Value::Decimal(0.1), "en", "0.1"),
            (Value::Bool(true), "zh-CN", "是"),
            (Value::list(["水".into(), "电".into()]), "zh-CN", "水、电"),
            (Value::list(["a".into(), "b".into()]), "en", "a, b"),
            (
                Value::Time(Timestamp::from_millis(1_795_262_700_000)),
                "en",
                "2026-11-21 20:05",
            ),
            (Value::None, "en", ""),
        ] {
            assert_eq!(print(&value, language, &shanghai), said);
        }
        let long = Value::text("长".repeat(PRINTED_CHARS_MAX + 5));
        assert_eq!(print(&long, "en", &shanghai).chars().count(), PRINTED_CHARS_MAX);
    }
}
