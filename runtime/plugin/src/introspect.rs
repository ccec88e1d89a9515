//! Reads a component's exported functions into signatures that flows are checked against, and
//! into the shapes by which values are passed.
//!
//! The component's own type, which wasmtime has validated, decides what a function takes and
//! gives. It holds no names of types; those are read from the component a second time as WIT
//! and used only where both readings agree in shape.

mod names;

use std::{collections::BTreeMap, sync::Arc};

use trunkline_model::{
    FunctionName, Parameter, Signature, Type,
    signature::{Errors, Interface},
};
use wasmtime::{
    Engine,
    component::{Component, ComponentExportIndex, types as wasm, types::ComponentItem},
};

use crate::{
    LoadError,
    limits::FUNCTIONS_MAX,
    shape::{Shape, Unsupported, snake_case},
};
use names::Names;

/// What one component exports.
pub(crate) struct Exports {
    pub(crate) interface: Interface,
    /// In the order of the interface's functions.
    pub(crate) functions: Vec<Export>,
}

/// One exported function, ready to be called.
pub(crate) struct Export {
    pub(crate) index: ComponentExportIndex,
    pub(crate) parameters: Vec<Shape>,
    pub(crate) result: Option<Shape>,
}

/// An interface that some tool chains export beside a department's own; it is theirs.
const TOOLING_INTERFACE: &str = "exports";

/// Reads what a component exports.
pub(crate) fn exports(engine: &Engine, component: &Component, bytes: &[u8]) -> Result<Exports, LoadError> {
    let names = Names::read(bytes);
    let mut found = Found {
        names: &names,
        interface: Interface::default(),
        functions: Vec::new(),
    };
    for (name, export) in component.component_type().exports(engine) {
        match export.ty {
            ComponentItem::ComponentFunc(function) => {
                let index = component.get_export_index(None, name);
                found.function(None, name, &function, index)?;
            }
            ComponentItem::ComponentInstance(_) if name == TOOLING_INTERFACE => {}
            ComponentItem::ComponentInstance(instance) => {
                let within = component.get_export_index(None, name);
                for (function_name, export) in instance.exports(engine) {
                    match export.ty {
                        ComponentItem::ComponentFunc(function) => {
                            let index = within
                                .as_ref()
                                .and_then(|within| component.get_export_index(Some(within), function_name));
                            found.function(Some(name), function_name, &function, index)?;
                        }
                        ComponentItem::Resource(_) => {
                            return Err(LoadError::UnsupportedExport {
                                export: full_name(Some(name), function_name),
                                what: "a resource",
                            });
                        }
                        _ => {}
                    }
                }
            }
            ComponentItem::Resource(_) => {
                return Err(LoadError::UnsupportedExport {
                    export: name.to_owned(),
                    what: "a resource",
                });
            }
            _ => {}
        }
    }
    if found.functions.is_empty() {
        return Err(LoadError::NoFunctions);
    }
    found.interface.types = names.types();
    Ok(Exports {
        interface: found.interface,
        functions: found.functions,
    })
}

/// The functions of a component whose types can be read, without compiling it and without
/// refusing what flows could not carry.
pub(crate) fn readable(bytes: &[u8]) -> Vec<Signature> {
    Names::read(bytes).signatures()
}

struct Found<'a> {
    names: &'a Names,
    interface: Interface,
    functions: Vec<Export>,
}

impl Found<'_> {
    fn function(
        &mut self,
        interface: Option<&str>,
        name: &str,
        ty: &wasm::ComponentFunc,
        index: Option<ComponentExportIndex>,
    ) -> Result<(), LoadError> {
        let export = full_name(interface, name);
        let unsupported = |error| match error {
            Unsupported::Kind(what) => LoadError::UnsupportedExport {
                export: export.clone(),
                what,
            },
            Unsupported::TooManyTypes => LoadError::TypeTooLarge {
                export: export.clone(),
            },
        };
        if ty.async_() {
            return Err(LoadError::AsyncExport { export });
        }
        if self.functions.len() == FUNCTIONS_MAX {
            return Err(LoadError::TooManyFunctions);
        }
        let index = index.ok_or_else(|| LoadError::UnsupportedExport {
            export: export.clone(),
            what: "something that cannot be found again",
        })?;
        let mut nodes = 0;
        let mut shapes = Vec::with_capacity(ty.params().len());
        let mut parameters = Vec::with_capacity(ty.params().len());
        for (position, (parameter, ty)) in ty.params().enumerate() {
            let shape = Shape::of(&ty, &mut nodes).map_err(unsupported)?;
            let named = self.names.parameter(interface, name, position);
            parameters.push(Parameter {
                name: snake_case(parameter),
                ty: agreed(named, &shape),
            });
            shapes.push(shape);
        }
        let result = ty
            .results()
            .next()
            .map(|ty| Shape::of(&ty, &mut nodes))
            .transpose()
            .map_err(unsupported)?;
        let named = self.names.result(interface, name);
        let ty = result.as_ref().map(|shape| agreed(named, shape));
        let (ok, errors) = outcome_types(ty);
        self.interface.functions.push(Signature {
            function: FunctionName::new(export),
            interface: interface.map(own_name),
            name: name.into(),
            parameters,
            ok,
            errors,
            docs: self.names.docs(interface, name),
        });
        self.functions.push(Export {
            index,
            parameters: shapes,
            result,
        });
        Ok(())
    }
}

/// The name under which flows' events keep a function.
fn full_name(interface: Option<&str>, name: &str) -> String {
    interface.map_or_else(|| name.to_owned(), |interface| format!("{interface}#{name}"))
}

/// An interface's own name: `citizens` of `civil:crm/citizens@1.4.0`.
fn own_name(interface: &str) -> Arc<str> {
    let unversioned = interface.split_once('@').map_or(interface, |(name, _)| name);
    unversioned
        .rsplit_once('/')
        .map_or(unversioned, |(_, name)| name)
        .into()
}

/// The type with names where they belong to this shape, and without them otherwise.
fn agreed(named: Option<Type>, shape: &Shape) -> Type {
    let bare = shape.ty();
    named
        .filter(|named| named.accepts(&bare) && bare.accepts(named))
        .unwrap_or(bare)
}

/// What success carries, and how the function says no.
fn outcome_types(result: Option<Type>) -> (Option<Type>, Errors) {
    let owned = |ty: Option<Arc<Type>>| ty.map(Arc::unwrap_or_clone);
    match result {
        Some(Type::Result { ok, error }) => {
            let errors = match owned(error) {
                Some(Type::Enum(names)) => Errors::Cases(
                    names
                        .cases
                        .iter()
                        .map(|name| trunkline_model::types::Case {
                            name: name.clone(),
                            payload: None,
                        })
                        .collect(),
                ),
                Some(Type::Variant(variant)) => Errors::Cases(variant.cases.clone()),
                other => Errors::Refused(other),
            };
            (owned(ok), errors)
        }
        other => (other, Errors::None),
    }
}

/// The types that a component names, as flows write them after the plugin's name.
pub(crate) type NamedTypes = BTreeMap<Arc<str>, Type>;
