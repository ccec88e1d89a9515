//! Values written in YAML without an expression, read as the type that is wanted.

use std::sync::Arc;

use jiff::civil::Date;
use trunkline_model::{Duration, Timestamp, Type, Value};

use crate::diagnostics::{Code, did_you_mean};

/// Why a text is no value of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

/// Reads a text as a value of a type.
pub(crate) fn read(text: &str, ty: &Type) -> Result<Value, Problem> {
    let problem = |help: &str| Problem {
        code: Code::BadLiteral,
        message: format!("`{text}` is no {ty}"),
        help: Some(help.to_owned()),
    };
    match ty {
        Type::String => Ok(Value::text(text)),
        Type::Char if text.chars().count() == 1 => Ok(Value::text(text)),
        Type::Char => Err(problem("write a single character")),
        Type::Bool => match text {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err(problem("write `true` or `false`")),
        },
        Type::Int(range) => match text.parse::<i128>() {
            Ok(int) if range.holds(int) => Ok(Value::Int(int)),
            Ok(_) => Err(problem(&format!("it goes from {} to {}", range.min, range.max))),
            Err(_) => Err(problem("write a whole number, or an expression: \"${…}\"")),
        },
        Type::Decimal => text
            .parse()
            .ok()
            .filter(|decimal: &f64| decimal.is_finite())
            .map(Value::Decimal)
            .ok_or_else(|| problem("write a number such as 0.5, or an expression: \"${…}\"")),
        Type::Date => text
            .parse::<Date>()
            .ok()
            .filter(|_| text.len() == "2026-11-21".len())
            .map(Value::Date)
            .ok_or_else(|| problem("write a date as 2026-11-21")),
        Type::Time => text
            .parse::<jiff::Timestamp>()
            .map(|time| Value::Time(Timestamp::from_millis(time.as_millisecond())))
            .map_err(|_| problem("write a time as 2026-11-21T20:05:00+08:00")),
        Type::Duration => text
            .parse::<Duration>()
            .map(Value::Duration)
            .map_err(|_| problem("write a length of time as 30s, 10m or 1h30m")),
        Type::Phone => {
            let digits = text.strip_prefix('+').unwrap_or(text);
            let fits = (3..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
            if fits {
                Ok(Value::text(text))
            } else {
                Err(problem("write a number as +8657112345678"))
            }
        }
        Type::Enum(names) => case(text, &names.cases, ty).map(|()| Value::text(text)),
        Type::Variant(variant) => {
            let names: Vec<_> = variant.cases.iter().map(|case| case.name.clone()).collect();
            case(text, &names, ty)?;
            let payload = variant.cases.iter().find(|case| &*case.name == text);
            match payload.and_then(|case| case.payload.as_ref()) {
                None => Ok(Value::Variant {
                    case: text.into(),
                    payload: None,
                }),
                Some(payload) => Err(problem(&format!(
                    "this case carries a value: `{{ {text}: … }}` with {payload}"
                ))),
            }
        }
        Type::Option(inner) => read(text, inner),
        Type::List(_) | Type::Tuple(_) | Type::Flags(_) => {
            Err(problem("write a list `[a, b]`, or an expression: \"${…}\""))
        }
        Type::Record(record) => {
            let fields: Vec<_> = record
                .fields
                .iter()
                .map(|field| format!("{}: …", field.name))
                .collect();
            Err(problem(&format!(
                "write its fields `{{ {} }}`, or an expression: \"${{…}}\"",
                fields.join(", ")
            )))
        }
        Type::Result { .. } => Err(problem("write `{ ok: … }` or `{ error: … }`")),
    }
}

/// Whether a case exists.
pub(crate) fn case(written: &str, cases: &[Arc<str>], ty: &Type) -> Result<(), Problem> {
    if cases.iter().any(|case| &**case == written) {
        return Ok(());
    }
    Err(Problem {
        code: Code::UnknownCase,
        message: format!("{ty} has no case '{written}'"),
        help: did_you_mean("its cases are", written, cases.iter().map(|case| &**case)),
    })
}
