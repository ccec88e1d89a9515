//! Types of the flow language and of plugin signatures: one set for both.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// A type. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Type {
    /// True or false.
    Bool,
    /// A whole number within a range.
    Int(Range),
    /// An IEEE 754 number (WIT `f32`, `f64`).
    Decimal,
    /// Text.
    String,
    /// One Unicode scalar value.
    Char,
    /// A day of the calendar, written `2026-11-21`.
    Date,
    /// A point in time.
    Time,
    /// A length of time, written `30s`.
    Duration,
    /// A phone number in E.164; passes wherever a string does.
    Phone,
    /// A list of one type.
    List(Arc<Type>),
    /// A fixed list of several types.
    Tuple(Arc<Vec<Type>>),
    /// Named fields.
    Record(Arc<Record>),
    /// One of several cases, each with a payload or without.
    Variant(Arc<Variant>),
    /// One of several names.
    Enum(Arc<Enum>),
    /// A set of names.
    Flags(Arc<Enum>),
    /// The type inside, or nothing.
    Option(Arc<Type>),
    /// A result that is data; a function's own result stands in its signature.
    Result {
        /// What success carries.
        ok: Option<Arc<Type>>,
        /// What failure carries.
        error: Option<Arc<Type>>,
    },
}

/// The least and the greatest number of an integer type, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// The least.
    pub min: i128,
    /// The greatest.
    pub max: i128,
}

/// A record type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its name in WIT, kebab-case, where the component kept it.
    pub name: Option<Arc<str>>,
    /// Its fields in written order, by their snake_case names.
    pub fields: Vec<Field>,
}

/// A field of a record type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Its name in snake_case.
    pub name: Arc<str>,
    /// Its type.
    #[serde(rename = "type")]
    pub ty: Type,
}

/// A variant type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// Its name in WIT, kebab-case, where the component kept it.
    pub name: Option<Arc<str>>,
    /// Its cases in written order.
    pub cases: Vec<Case>,
}

/// A case of a variant, or of a function's errors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// Its name in WIT, kebab-case.
    pub name: Arc<str>,
    /// What it carries, if it carries something.
    pub payload: Option<Type>,
}

/// An enum type, or a flags type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enum {
    /// Its name in WIT, kebab-case, where the component kept it.
    pub name: Option<Arc<str>>,
    /// The names of its cases in WIT, kebab-case, in written order.
    pub cases: Vec<Arc<str>>,
}

impl Range {
    /// The range of the flow language's own integers.
    pub const S64: Self = Self {
        min: i64::MIN as i128,
        max: i64::MAX as i128,
    };
    /// The range of WIT's `u64`.
    pub const U64: Self = Self {
        min: 0,
        max: u64::MAX as i128,
    };

    /// The range of an integer of some bits.
    pub const fn of_bits(bits: u32, signed: bool) -> Self {
        if signed {
            Self {
                min: -(1 << (bits - 1)),
                max: (1 << (bits - 1)) - 1,
            }
        } else {
            Self {
                min: 0,
                max: (1 << bits) - 1,
            }
        }
    }

    /// Whether a number lies in the range.
    pub const fn holds(self, number: i128) -> bool {
        self.min <= number && number <= self.max
    }
}

impl Type {
    /// The flow language's own integer.
    pub const INT: Self = Self::Int(Range::S64);

    /// This type or nothing.
    pub fn optional(self) -> Self {
        Self::Option(Arc::new(self))
    }

    /// A list of this type.
    pub fn list(self) -> Self {
        Self::List(Arc::new(self))
    }

    /// Whether nothing is a value of this type.
    pub const fn is_optional(&self) -> bool {
        matches!(self, Self::Option(_))
    }

    /// The type without one layer of optionality.
    pub fn required(&self) -> &Self {
        match self {
            Self::Option(inner) => inner,
            other => other,
        }
    }

    /// The name the type has in WIT, if it is one that has a name.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Record(record) => record.name.as_deref(),
            Self::Variant(variant) => variant.name.as_deref(),
            Self::Enum(names) | Self::Flags(names) => names.name.as_deref(),
            _ => None,
        }
    }

    /// A field of a record type.
    pub fn field(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Record(record) => record
                .fields
                .iter()
                .find(|field| &*field.name == name)
                .map(|field| &field.ty),
            _ => None,
        }
    }

    /// Whether every value of `other` may stand where this type is wanted. Names of types do
    /// not count, their shape does. Whole numbers may differ in range: a number that does
    /// not fit is found when the value is there.
    pub fn accepts(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Int(_), Self::Int(_))
            | (Self::Decimal, Self::Int(_))
            | (Self::String, Self::Phone | Self::Enum(_) | Self::Char) => true,
            (Self::Option(wanted), Self::Option(given)) => wanted.accepts(given),
            (Self::Option(wanted), given) => wanted.accepts(given),
            (Self::List(wanted), Self::List(given)) => wanted.accepts(given),
            (Self::Tuple(wanted), Self::Tuple(given)) => {
                wanted.len() == given.len()
                    && wanted
                        .iter()
                        .zip(given.iter())
                        .all(|(wanted, given)| wanted.accepts(given))
            }
            (Self::Record(wanted), Self::Record(given)) => {
                wanted.fields.len() == given.fields.len()
                    && wanted.fields.iter().all(|field| {
                        given
                            .fields
                            .iter()
                            .any(|other| other.name == field.name && field.ty.accepts(&other.ty))
                    })
            }
            (Self::Variant(wanted), Self::Variant(given)) => given.cases.iter().all(|given| {
                wanted.cases.iter().any(|wanted| {
                    wanted.name == given.name
                        && payload_accepts(wanted.payload.as_ref(), given.payload.as_ref())
                })
            }),
            (Self::Enum(wanted), Self::Enum(given)) | (Self::Flags(wanted), Self::Flags(given)) => {
                given.cases.iter().all(|case| wanted.cases.contains(case))
            }
            (
                Self::Result { ok, error },
                Self::Result {
                    ok: given_ok,
                    error: given_error,
                },
            ) => {
                payload_accepts(ok.as_deref(), given_ok.as_deref())
                    && payload_accepts(error.as_deref(), given_error.as_deref())
            }
            _ => self == other,
        }
    }
}

fn payload_accepts(wanted: Option<&Type>, given: Option<&Type>) -> bool {
    match (wanted, given) {
        (Some(wanted), Some(given)) => wanted.accepts(given),
        (None, None) => true,
        _ => false,
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = self.name() {
            return f.write_str(name);
        }
        match self {
            Self::Bool => f.write_str("bool"),
            Self::Int(range) => range.fmt(f),
            Self::Decimal => f.write_str("decimal"),
            Self::String => f.write_str("string"),
            Self::Char => f.write_str("char"),
            Self::Date => f.write_str("date"),
            Self::Time => f.write_str("time"),
            Self::Duration => f.write_str("duration"),
            Self::Phone => f.write_str("phone"),
            Self::List(inner) => write!(f, "list<{inner}>"),
            Self::Option(inner) => write!(f, "{inner}?"),
            Self::Tuple(types) => {
                f.write_str("tuple<")?;
                separated(f, types.iter())?;
                f.write_str(">")
            }
            Self::Record(record) => {
                f.write_str("record { ")?;
                separated(
                    f,
                    record
                        .fields
                        .iter()
                        .map(|field| format!("{}: {}", field.name, field.ty)),
                )?;
                f.write_str(" }")
            }
            Self::Variant(variant) => {
                f.write_str("variant { ")?;
                separated(f, &variant.cases)?;
                f.write_str(" }")
            }
            Self::Enum(names) => {
                f.write_str("enum { ")?;
                separated(f, &names.cases)?;
                f.write_str(" }")
            }
            Self::Flags(names) => {
                f.write_str("flags { ")?;
                separated(f, &names.cases)?;
                f.write_str(" }")
            }
            Self::Result { ok, error } => {
                let part = |part: &Option<Arc<Self>>| {
                    part.as_ref().map_or_else(|| "_".to_owned(), ToString::to_string)
                };
                write!(f, "result<{}, {}>", part(ok), part(error))
            }
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.payload {
            Some(payload) => write!(f, "{}({payload})", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// `int` for the language's own integers, and WIT's names for the rest.
impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::S64 {
            return f.write_str("int");
        }
        for (sign, signed) in [("s", true), ("u", false)] {
            for bits in [8, 16, 32, 64] {
                if *self == Self::of_bits(bits, signed) {
                    return write!(f, "{sign}{bits}");
                }
            }
        }
        write!(f, "int {}..{}", self.min, self.max)
    }
}

fn separated<T: fmt::Display>(f: &mut fmt::Formatter<'_>, parts: impl IntoIterator<Item = T>) -> fmt::Result {
    for (index, part) in parts.into_iter().enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        part.fmt(f)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enumeration(cases: &[&str]) -> Type {
        Type::Enum(Arc::new(Enum {
            name: None,
            cases: cases.iter().map(|&case| case.into()).collect(),
        }))
    }

    #[test]
    fn what_is_accepted_where() {
        let byte = Type::Int(Range::of_bits(8, false));
        for (wanted, given, accepted) in [
            (Type::String, Type::Phone, true),
            (Type::Phone, Type::String, false),
            (Type::String.optional(), Type::String, true),
            (Type::String, Type::String.optional(), false),
            (Type::Decimal, Type::INT, true),
            (Type::INT, Type::Decimal, false),
            (byte, Type::INT, true),
            (enumeration(&["calm", "angry"]), enumeration(&["calm"]), true),
            (enumeration(&["calm"]), enumeration(&["calm", "angry"]), false),
            (Type::String.list(), Type::Phone.list(), true),
        ] {
            assert_eq!(wanted.accepts(&given), accepted, "{wanted} from {given}");
        }
    }

    #[test]
    fn types_are_written_as_people_write_them() {
        assert_eq!(Type::Int(Range::of_bits(32, false)).to_string(), "u32");
        assert_eq!(Type::INT.to_string(), "int");
        assert_eq!(Type::Phone.optional().list().to_string(), "list<phone?>");
        assert_eq!(
            enumeration(&["calm", "angry"]).to_string(),
            "enum { calm, angry }"
        );
    }
}
