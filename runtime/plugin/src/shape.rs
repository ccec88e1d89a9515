//! The exact type of a parameter or result as wasmtime calls it: what the flow language calls
//! an `int` is one of eight types here, and every name stands in the form that the component
//! knows beside the form that flows know.
//!
//! Types of components are not recursive and wasmtime bounds their depth, so walking a shape
//! or a value that fits one needs no bound of its own.

use std::sync::Arc;

use trunkline_model::{Type, types};
use wasmtime::component::{self, types as wasm};

use crate::limits::TYPE_NODES_MAX;

/// A type of the component model, without resources and what is asynchronous.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    Bool,
    Int(Int),
    F32,
    F64,
    Char,
    String,
    List(Box<Shape>),
    Tuple(Vec<Shape>),
    Record(Vec<Field>),
    Variant(Vec<Case>),
    Enum(Vec<Name>),
    Flags(Vec<Name>),
    Option(Box<Shape>),
    Result {
        ok: Option<Box<Shape>>,
        error: Option<Box<Shape>>,
    },
}

/// The integer types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Int {
    S8,
    U8,
    S16,
    U16,
    S32,
    U32,
    S64,
    U64,
}

/// A field of a record.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    /// As in the component, kebab-case.
    pub(crate) wit: String,
    /// As in flows, snake_case.
    pub(crate) name: Arc<str>,
    pub(crate) shape: Shape,
}

/// A case of a variant, kebab-case.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) name: Name,
    pub(crate) payload: Option<Shape>,
}

/// A case's name, which is the same on both sides.
pub(crate) type Name = Arc<str>;

/// What a type holds that flows cannot carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unsupported {
    /// A type that is no plain value.
    Kind(&'static str),
    /// More types within the type than [`TYPE_NODES_MAX`].
    TooManyTypes,
}

/// The snake_case form of a name in WIT.
pub(crate) fn snake_case(wit: &str) -> Arc<str> {
    wit.replace('-', "_").to_ascii_lowercase().into()
}

impl Shape {
    /// Reads the shape of a component's type. `nodes` counts what has been read of the
    /// function so far, since a type that names others twice at each level doubles in size.
    pub(crate) fn of(ty: &component::Type, nodes: &mut usize) -> Result<Self, Unsupported> {
        *nodes += 1;
        if *nodes > TYPE_NODES_MAX {
            return Err(Unsupported::TooManyTypes);
        }
        let inner = |ty: wasm::Type, nodes: &mut usize| Self::of(&ty, nodes).map(Box::new);
        Ok(match ty {
            component::Type::Bool => Self::Bool,
            component::Type::S8 => Self::Int(Int::S8),
            component::Type::U8 => Self::Int(Int::U8),
            component::Type::S16 => Self::Int(Int::S16),
            component::Type::U16 => Self::Int(Int::U16),
            component::Type::S32 => Self::Int(Int::S32),
            component::Type::U32 => Self::Int(Int::U32),
            component::Type::S64 => Self::Int(Int::S64),
            component::Type::U64 => Self::Int(Int::U64),
            component::Type::Float32 => Self::F32,
            component::Type::Float64 => Self::F64,
            component::Type::Char => Self::Char,
            component::Type::String => Self::String,
            component::Type::List(list) => Self::List(inner(list.ty(), nodes)?),
            component::Type::Tuple(tuple) => Self::Tuple(
                tuple
                    .types()
                    .map(|ty| Self::of(&ty, nodes))
                    .collect::<Result<_, _>>()?,
            ),
            component::Type::Record(record) => Self::Record(
                record
                    .fields()
                    .map(|field| {
                        Ok(Field {
                            wit: field.name.to_owned(),
                            name: snake_case(field.name),
                            shape: Self::of(&field.ty, nodes)?,
                        })
                    })
                    .collect::<Result<_, _>>()?,
            ),
            component::Type::Variant(variant) => Self::Variant(
                variant
                    .cases()
                    .map(|case| {
                        Ok(Case {
                            name: case.name.into(),
                            payload: case.ty.map(|ty| Self::of(&ty, nodes)).transpose()?,
                        })
                    })
                    .collect::<Result<_, _>>()?,
            ),
            component::Type::Enum(names) => Self::Enum(counted(names.names(), nodes)?),
            component::Type::Flags(names) => Self::Flags(counted(names.names(), nodes)?),
            component::Type::Option(option) => Self::Option(inner(option.ty(), nodes)?),
            component::Type::Result(result) => Self::Result {
                ok: result.ok().map(|ty| inner(ty, nodes)).transpose()?,
                error: result.err().map(|ty| inner(ty, nodes)).transpose()?,
            },
            component::Type::Own(_) | component::Type::Borrow(_) => {
                return Err(Unsupported::Kind("a resource"));
            }
            component::Type::Future(_) => return Err(Unsupported::Kind("a future")),
            component::Type::Stream(_) => return Err(Unsupported::Kind("a stream")),
            component::Type::ErrorContext => return Err(Unsupported::Kind("an error-context")),
            component::Type::Map(_) => return Err(Unsupported::Kind("a map")),
            component::Type::FixedLengthList(_) => {
                return Err(Unsupported::Kind("a list of fixed length"));
            }
        })
    }

    /// The type as flows know it, without the names of types: the component's own type does
    /// not hold them.
    pub(crate) fn ty(&self) -> Type {
        let inner = |shape: &Option<Box<Self>>| shape.as_ref().map(|shape| Arc::new(shape.ty()));
        let names = |cases: &Vec<Name>| {
            Arc::new(types::Enum {
                name: None,
                cases: cases.clone(),
            })
        };
        match self {
            Self::Bool => Type::Bool,
            Self::Int(int) => Type::Int(int.range()),
            Self::F32 | Self::F64 => Type::Decimal,
            Self::Char => Type::Char,
            Self::String => Type::String,
            Self::List(inner) => inner.ty().list(),
            Self::Tuple(shapes) => Type::Tuple(Arc::new(shapes.iter().map(Self::ty).collect())),
            Self::Record(fields) => Type::Record(Arc::new(types::Record {
                name: None,
                fields: fields
                    .iter()
                    .map(|field| types::Field {
                        name: field.name.clone(),
                        ty: field.shape.ty(),
                    })
                    .collect(),
            })),
            Self::Variant(cases) => Type::Variant(Arc::new(types::Variant {
                name: None,
                cases: cases
                    .iter()
                    .map(|case| types::Case {
                        name: case.name.clone(),
                        payload: case.payload.as_ref().map(Self::ty),
                    })
                    .collect(),
            })),
            Self::Enum(cases) => Type::Enum(names(cases)),
            Self::Flags(cases) => Type::Flags(names(cases)),
            Self::Option(inner) => inner.ty().optional(),
            Self::Result { ok, error } => Type::Result {
                ok: inner(ok),
                error: inner(error),
            },
        }
    }
}

fn counted<'a>(names: impl Iterator<Item = &'a str>, nodes: &mut usize) -> Result<Vec<Name>, Unsupported> {
    let names: Vec<Name> = names.map(Into::into).collect();
    *nodes += names.len();
    if *nodes > TYPE_NODES_MAX {
        return Err(Unsupported::TooManyTypes);
    }
    Ok(names)
}

impl Int {
    /// The numbers that the type holds.
    pub(crate) const fn range(self) -> types::Range {
        let (bits, signed) = match self {
            Self::S8 => (8, true),
            Self::U8 => (8, false),
            Self::S16 => (16, true),
            Self::U16 => (16, false),
            Self::S32 => (32, true),
            Self::U32 => (32, false),
            Self::S64 => (64, true),
            Self::U64 => (64, false),
        };
        types::Range::of_bits(bits, signed)
    }
}
