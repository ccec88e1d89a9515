//! Reads a component's exported functions into signatures that flows are checked against, and
//! into the shapes by which values are passed.
//!
//! The component's own type, which wasmtime has validated, decides what a function takes and
//! gives. It holds no names of types; those are read from the component a second time as WIT
//! and used only where both readings agree in shape.

mod claims;
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
    dynamic::Dynamic,
    limits::FUNCTIONS_MAX,
    shape::{Shape, Unsupported, snake_case},
};
pub(crate) use claims::claimed;
use names::{Names, Nodes};

/// What one component exports.
pub(crate) struct Exports {
    pub(crate) interface: Interface,
    /// In the order of the interface's functions.
    pub(crate) functions: Vec<Export>,
    /// How functions that are not exported are called, if there may be some.
    pub(crate) dynamic: Option<Dynamic>,
}

/// One exported function, ready to be called.
pub(crate) struct Export {
    pub(crate) index: ComponentExportIndex,
    pub(crate) parameters: Vec<Shape>,
    pub(crate) result: Option<Shape>,
}

/// The interface by which a component describes its functions itself, and the version of it.
const DYNAMIC_INTERFACE: &str = "trunkline:dynamic/functions";
const DYNAMIC_VERSION: &str = "0.1.0";

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
    let mut dynamic = None;
    for (name, export) in component.component_type().exports(engine) {
        match export.ty {
            ComponentItem::ComponentFunc(function) => {
                let index = component.get_export_index(None, name);
                found.function(None, name, &function, index)?;
            }
            ComponentItem::ComponentInstance(_) if name == TOOLING_INTERFACE => {}
            ComponentItem::ComponentInstance(instance) if is_dynamic(name) => {
                let within = component.get_export_index(None, name);
                dynamic = Some(dynamic_exports(engine, component, name, &instance, within)?);
            }
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
    if found.functions.is_empty() && dynamic.is_none() {
        return Err(LoadError::NoFunctions);
    }
    found.interface.types = names.types(&mut Nodes::of_exports());
    Ok(Exports {
        interface: found.interface,
        functions: found.functions,
        dynamic,
    })
}

/// The functions of a component whose types can be read, without compiling it and without
/// refusing what flows could not carry.
pub(crate) fn readable(bytes: &[u8]) -> Vec<Signature> {
    Names::read(bytes).signatures()
}

fn is_dynamic(export: &str) -> bool {
    export.split_once('@').map_or(export, |(name, _)| name) == DYNAMIC_INTERFACE
}

/// The two functions of `trunkline:dynamic/functions`, if they are what they should be.
fn dynamic_exports(
    engine: &Engine,
    component: &Component,
    name: &str,
    instance: &wasm::ComponentInstance,
    within: Option<ComponentExportIndex>,
) -> Result<Dynamic, LoadError> {
    let mismatch = || LoadError::ExportMismatch {
        export: name.to_owned(),
        wanted: format!("{DYNAMIC_INTERFACE}@{DYNAMIC_VERSION}"),
    };
    let version = name.split_once('@').map_or("", |(_, version)| version);
    if version != "0.1" && !version.starts_with("0.1.") {
        return Err(mismatch());
    }
    let mut describe = None;
    let mut run = None;
    for (function, export) in instance.exports(engine) {
        let ComponentItem::ComponentFunc(ty) = export.ty else {
            continue;
        };
        let index = within
            .as_ref()
            .and_then(|within| component.get_export_index(Some(within), function))
            .ok_or_else(mismatch)?;
        let mut nodes = 0;
        let parameters = ty
            .params()
            .map(|(_, ty)| Shape::of(&ty, &mut nodes))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| mismatch())?;
        let result = ty
            .results()
            .next()
            .map(|ty| Shape::of(&ty, &mut nodes))
            .transpose()
            .map_err(|_| mismatch())?;
        let export = Export {
            index,
            parameters,
            result,
        };
        match function {
            "describe" => describe = Some(export),
            "run" => run = Some(export),
            _ => {}
        }
    }
    let is_described =
        |export: &Export| export.parameters.is_empty() && matches!(export.result, Some(Shape::String));
    let is_run = |export: &Export| {
        let text = |shape: &Option<Box<Shape>>| matches!(shape.as_deref(), Some(Shape::String));
        let refusal = |shape: &Option<Box<Shape>>| {
            let Some(Shape::Record(fields)) = shape.as_deref() else {
                return false;
            };
            match fields.as_slice() {
                [case, payload] => {
                    case.wit == "case"
                        && matches!(case.shape, Shape::String)
                        && payload.wit == "payload"
                        && matches!(&payload.shape, Shape::Option(inner) if matches!(**inner, Shape::String))
                }
                _ => false,
            }
        };
        matches!(export.parameters.as_slice(), [Shape::String, Shape::String])
            && matches!(&export.result, Some(Shape::Result { ok, error }) if text(ok) && refusal(error))
    };
    match (describe.filter(is_described), run.filter(is_run)) {
        (Some(describe), Some(run)) => Ok(Dynamic { describe, run }),
        _ => Err(mismatch()),
    }
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
