//! Values both ways: a flow's value to a guest by the shape of the parameter, and a guest's
//! value to a flow by the shape of the result.
//!
//! | flow's value | component's value |
//! |---|---|
//! | whole number | any integer type whose range holds it; an `f32` or `f64` that keeps it exactly |
//! | decimal | `f32`, `f64`; NaN and infinities are refused in both directions |
//! | text | `string`; a `char` if it is one; an enum's or variant's case without payload |
//! | nothing | `option` without value; a field of type `option` may also be missing |
//! | `some` with payload | the present value of an `option` whose inner type is an `option` too |
//! | `ok`, `error` | a `result` within a value |
//! | list | `list`, `tuple`, the `flags` that are set |

use std::sync::Arc;

use trunkline_model::{Value, value::Fields};
use wasmtime::component::Val;

use crate::shape::{Case, Field, Int, Name, Shape};

/// The case of an `option` of an `option` that is present.
const SOME: &str = "some";
/// The cases of a `result` within a value.
const OK: &str = "ok";
const ERROR: &str = "error";

/// Bytes that each value within another counts, besides its text: about what it takes in the
/// host's memory.
const VALUE_BYTES: usize = size_of::<Val>();

/// A value that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mismatch {
    /// Where within the value, like `.history[2]`, from the outside in; empty for the value
    /// itself.
    path: String,
    kind: MismatchKind,
}

/// What does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MismatchKind {
    /// Another type is wanted.
    Type {
        /// What is wanted, as written in signatures.
        wanted: String,
        /// What there is.
        found: String,
    },
    /// Values and texts together are larger than the limit.
    TooLarge {
        /// The limit in bytes.
        bytes_max: usize,
    },
}

impl Mismatch {
    fn new(shape: &Shape, found: impl Into<String>) -> Self {
        Self {
            path: String::new(),
            kind: MismatchKind::Type {
                wanted: shape.ty().to_string(),
                found: found.into(),
            },
        }
    }

    fn kind_of(shape: &Shape, value: &Value) -> Self {
        Self::new(shape, value.kind())
    }

    fn within(mut self, part: &str) -> Self {
        self.path.insert_str(0, part);
        self
    }

    /// Whether it is too large rather than of another type.
    pub(crate) fn is_too_large(&self) -> bool {
        matches!(self.kind, MismatchKind::TooLarge { .. })
    }

    /// A sentence, given what the value is called: it is handed the path within it.
    pub(crate) fn sentence(&self, name: impl FnOnce(&str) -> String) -> String {
        let name = name(&self.path);
        match &self.kind {
            MismatchKind::Type { wanted, found } => format!("{name} should be {wanted}, not {found}"),
            MismatchKind::TooLarge { bytes_max } => {
                format!("{name} is past the {bytes_max} bytes that a call's arguments may have")
            }
        }
    }
}

/// Counts what has been taken of a limit in bytes.
pub(crate) struct Budget {
    left: usize,
    max: usize,
}

impl Budget {
    pub(crate) const fn new(max: usize) -> Self {
        Self { left: max, max }
    }

    fn take(&mut self, bytes: usize) -> Result<(), Mismatch> {
        match self.left.checked_sub(bytes) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(Mismatch {
                path: String::new(),
                kind: MismatchKind::TooLarge { bytes_max: self.max },
            }),
        }
    }
}

/// Makes the component's value of a flow's.
pub(crate) fn lower(value: &Value, shape: &Shape, budget: &mut Budget) -> Result<Val, Mismatch> {
    budget.take(VALUE_BYTES)?;
    let mismatch = || Mismatch::kind_of(shape, value);
    Ok(match (shape, value) {
        (Shape::Bool, Value::Bool(bool)) => Val::Bool(*bool),
        (Shape::Int(int), Value::Int(number)) => {
            integer(*int, *number).ok_or_else(|| Mismatch::new(shape, number.to_string()))?
        }
        (Shape::F64 | Shape::F32, Value::Decimal(_) | Value::Int(_)) => decimal(shape, value)?,
        (Shape::Char, Value::Text(text)) => {
            let mut chars = text.chars();
            match (chars.next(), chars.next()) {
                (Some(char), None) => Val::Char(char),
                _ => return Err(Mismatch::new(shape, "a text of another length than one")),
            }
        }
        (Shape::String, Value::Text(text)) => {
            budget.take(text.len())?;
            Val::String(text.to_string())
        }
        (Shape::List(inner), Value::List(values)) => Val::List(lower_all(
            values.iter().map(|value| (value, &**inner)),
            values.len(),
            budget,
        )?),
        (Shape::Tuple(shapes), Value::List(values)) if shapes.len() == values.len() => {
            Val::Tuple(lower_all(values.iter().zip(shapes), shapes.len(), budget)?)
        }
        (Shape::Tuple(_), Value::List(values)) => {
            return Err(Mismatch::new(shape, format!("a list of {} values", values.len())));
        }
        (Shape::Record(fields), Value::Record(values)) => lower_record(shape, fields, values, budget)?,
        (Shape::Variant(cases), Value::Variant { case, payload }) => {
            lower_case(shape, cases, case, payload.as_deref(), budget)?
        }
        (Shape::Variant(cases), Value::Text(case)) => lower_case(shape, cases, case, None, budget)?,
        (Shape::Enum(names), Value::Text(case) | Value::Variant { case, payload: None }) => {
            Val::Enum(known(names, case).ok_or_else(|| Mismatch::new(shape, format!("{case:?}")))?)
        }
        (Shape::Flags(names), Value::List(values)) => lower_flags(shape, names, values)?,
        (Shape::Option(_), Value::None) => Val::Option(None),
        (
            Shape::Option(inner),
            Value::Variant {
                case,
                payload: Some(payload),
            },
        ) if matches!(**inner, Shape::Option(_)) && &**case == SOME => {
            Val::Option(Some(Box::new(lower(payload, inner, budget)?)))
        }
        (Shape::Option(inner), present) => Val::Option(Some(Box::new(lower(present, inner, budget)?))),
        (Shape::Result { ok, error }, Value::Variant { case, payload }) => {
            let mut side = |shape: &Option<Box<Shape>>| match (shape, payload) {
                (Some(shape), Some(payload)) => lower(payload, shape, budget).map(|val| Some(Box::new(val))),
                (None, None) => Ok(None),
                _ => Err(mismatch()),
            };
            match &**case {
                OK => Val::Result(Ok(side(ok)?)),
                ERROR => Val::Result(Err(side(error)?)),
                _ => return Err(mismatch()),
            }
        }
        _ => return Err(mismatch()),
    })
}

fn integer(int: Int, number: i128) -> Option<Val> {
    Some(match int {
        Int::S8 => Val::S8(number.try_into().ok()?),
        Int::U8 => Val::U8(number.try_into().ok()?),
        Int::S16 => Val::S16(number.try_into().ok()?),
        Int::U16 => Val::U16(number.try_into().ok()?),
        Int::S32 => Val::S32(number.try_into().ok()?),
        Int::U32 => Val::U32(number.try_into().ok()?),
        Int::S64 => Val::S64(number.try_into().ok()?),
        Int::U64 => Val::U64(number.try_into().ok()?),
    })
}

/// A decimal, or a whole number that it keeps exactly.
fn decimal(shape: &Shape, value: &Value) -> Result<Val, Mismatch> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "compared with what it was made of, or checked to be finite"
    )]
    let number = match value {
        Value::Int(int) if (*int as f64) as i128 == *int => *int as f64,
        Value::Int(int) => return Err(Mismatch::new(shape, int.to_string())),
        Value::Decimal(decimal) => *decimal,
        _ => return Err(Mismatch::kind_of(shape, value)),
    };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a decimal loses digits in an f32; one beyond its range becomes infinite and is refused"
    )]
    let narrow = number as f32;
    match shape {
        Shape::F32 if narrow.is_finite() => Ok(Val::Float32(narrow)),
        Shape::F64 if number.is_finite() => Ok(Val::Float64(number)),
        _ => Err(Mismatch::new(shape, number.to_string())),
    }
}

fn lower_all<'a>(
    parts: impl Iterator<Item = (&'a Value, &'a Shape)>,
    count: usize,
    budget: &mut Budget,
) -> Result<Vec<Val>, Mismatch> {
    let mut vals = Vec::with_capacity(count);
    for (index, (value, shape)) in parts.enumerate() {
        vals.push(lower(value, shape, budget).map_err(|error| error.within(&format!("[{index}]")))?);
    }
    Ok(vals)
}

fn lower_record(
    shape: &Shape,
    fields: &[Field],
    values: &Fields,
    budget: &mut Budget,
) -> Result<Val, Mismatch> {
    let mut given = 0;
    let mut vals = Vec::with_capacity(fields.len());
    for field in fields {
        let val = match values.get(&field.name) {
            Some(value) => {
                given += 1;
                lower(value, &field.shape, budget)
                    .map_err(|error| error.within(&format!(".{}", field.name)))?
            }
            None if matches!(field.shape, Shape::Option(_)) => Val::Option(None),
            None => {
                return Err(Mismatch::new(shape, format!("a record without `{}`", field.name)));
            }
        };
        vals.push((field.wit.clone(), val));
    }
    if given < values.len() {
        let unknown = values
            .keys()
            .find(|name| fields.iter().all(|field| field.name != **name));
        let unknown = unknown.map_or("", |name| name);
        return Err(Mismatch::new(shape, format!("a record with a field `{unknown}`")));
    }
    Ok(Val::Record(vals))
}

fn lower_case(
    shape: &Shape,
    cases: &[Case],
    name: &str,
    payload: Option<&Value>,
    budget: &mut Budget,
) -> Result<Val, Mismatch> {
    let case = cases
        .iter()
        .find(|case| &*case.name == name)
        .ok_or_else(|| Mismatch::new(shape, format!("{name:?}")))?;
    let payload = match (&case.payload, payload) {
        (Some(shape), Some(payload)) => Some(Box::new(
            lower(payload, shape, budget).map_err(|error| error.within(&format!(".{name}")))?,
        )),
        (None, None) => None,
        (Some(_), None) => return Err(Mismatch::new(shape, format!("{name:?} without its payload"))),
        (None, Some(_)) => return Err(Mismatch::new(shape, format!("{name:?} with a payload"))),
    };
    Ok(Val::Variant(name.to_owned(), payload))
}

fn lower_flags(shape: &Shape, names: &[Name], values: &[Value]) -> Result<Val, Mismatch> {
    let mut flags = Vec::with_capacity(values.len().min(names.len()));
    for value in values {
        let Value::Text(name) = value else {
            return Err(Mismatch::kind_of(shape, value));
        };
        let name = known(names, name).ok_or_else(|| Mismatch::new(shape, format!("{name:?}")))?;
        if !flags.contains(&name) {
            flags.push(name);
        }
    }
    Ok(Val::Flags(flags))
}

fn known(names: &[Name], name: &str) -> Option<String> {
    names
        .iter()
        .any(|known| &**known == name)
        .then(|| name.to_owned())
}

/// Makes a flow's value of the component's. wasmtime has checked that it fits its type; what
/// is refused is a number that is none, which flows could neither compare nor write down.
pub(crate) fn lift(val: Val, shape: &Shape) -> Result<Value, Mismatch> {
    Ok(match (shape, val) {
        (_, Val::Bool(bool)) => Value::Bool(bool),
        (_, Val::S8(int)) => Value::Int(int.into()),
        (_, Val::U8(int)) => Value::Int(int.into()),
        (_, Val::S16(int)) => Value::Int(int.into()),
        (_, Val::U16(int)) => Value::Int(int.into()),
        (_, Val::S32(int)) => Value::Int(int.into()),
        (_, Val::U32(int)) => Value::Int(int.into()),
        (_, Val::S64(int)) => Value::Int(int.into()),
        (_, Val::U64(int)) => Value::Int(int.into()),
        (_, Val::Float32(float)) => finite(shape, float.into())?,
        (_, Val::Float64(float)) => finite(shape, float)?,
        (_, Val::Char(char)) => Value::text(char.encode_utf8(&mut [0; 4]) as &str),
        (_, Val::String(text)) => Value::Text(text.into()),
        (Shape::List(inner), Val::List(vals)) => lift_all(vals.into_iter().map(|val| (val, &**inner)))?,
        (Shape::Tuple(shapes), Val::Tuple(vals)) => lift_all(vals.into_iter().zip(shapes))?,
        (Shape::Record(fields), Val::Record(vals)) => Value::Record(Arc::new(
            fields
                .iter()
                .zip(vals)
                .map(|(field, (_, val))| {
                    lift(val, &field.shape)
                        .map(|value| (field.name.clone(), value))
                        .map_err(|error| error.within(&format!(".{}", field.name)))
                })
                .collect::<Result<Fields, _>>()?,
        )),
        (Shape::Variant(cases), Val::Variant(name, payload)) => {
            let (case, payload) = lift_case(cases, &name, payload)?;
            Value::Variant { case, payload }
        }
        (Shape::Enum(names), Val::Enum(name)) => Value::Text(shared(names, &name)),
        (Shape::Flags(names), Val::Flags(set)) => {
            Value::list(set.iter().map(|name| Value::Text(shared(names, name))))
        }
        (Shape::Option(_), Val::Option(None)) => Value::None,
        (Shape::Option(inner), Val::Option(Some(val))) => {
            let value = lift(*val, inner)?;
            if matches!(**inner, Shape::Option(_)) {
                Value::Variant {
                    case: SOME.into(),
                    payload: Some(Arc::new(value)),
                }
            } else {
                value
            }
        }
        (Shape::Result { ok, error }, Val::Result(result)) => {
            let (case, shape, payload) = match result {
                Ok(payload) => (OK, ok, payload),
                Err(payload) => (ERROR, error, payload),
            };
            Value::Variant {
                case: case.into(),
                payload: lift_payload(shape.as_deref(), payload)?.map(Arc::new),
            }
        }
        (shape, other) => {
            debug_assert!(false, "wasmtime gave {other:?} for {shape:?}");
            return Err(Mismatch::new(shape, "a value of another type"));
        }
    })
}

/// What a payload holds, if the case has one.
pub(crate) fn lift_payload(
    shape: Option<&Shape>,
    payload: Option<Box<Val>>,
) -> Result<Option<Value>, Mismatch> {
    match (shape, payload) {
        (Some(shape), Some(val)) => lift(*val, shape).map(Some),
        _ => Ok(None),
    }
}

/// A variant's case and what it carries.
pub(crate) fn lift_case(
    cases: &[Case],
    name: &str,
    payload: Option<Box<Val>>,
) -> Result<(Name, Option<Arc<Value>>), Mismatch> {
    let known = cases.iter().find(|case| &*case.name == name);
    let shape = known.and_then(|case| case.payload.as_ref());
    let payload = lift_payload(shape, payload).map_err(|error| error.within(&format!(".{name}")))?;
    let case = known.map_or_else(|| name.into(), |case| case.name.clone());
    Ok((case, payload.map(Arc::new)))
}

/// The name as the shape holds it, so that no value holds a copy of its own.
pub(crate) fn shared(names: &[Name], name: &str) -> Name {
    names
        .iter()
        .find(|known| &***known == name)
        .cloned()
        .unwrap_or_else(|| name.into())
}

fn finite(shape: &Shape, float: f64) -> Result<Value, Mismatch> {
    if float.is_finite() {
        Ok(Value::Decimal(float))
    } else {
        Err(Mismatch::new(shape, float.to_string()))
    }
}

fn lift_all<'a>(parts: impl Iterator<Item = (Val, &'a Shape)>) -> Result<Value, Mismatch> {
    let values = parts
        .enumerate()
        .map(|(index, (val, shape))| lift(val, shape).map_err(|error| error.within(&format!("[{index}]"))))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Value::List(Arc::new(values)))
}
