//! Names of types and what departments wrote about their functions: the WIT in a component.
//!
//! It adds to what wasmtime says and never replaces it, so a component whose WIT cannot be
//! read loads all the same, without names.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use trunkline_model::{
    FunctionName, Parameter, Signature, Type,
    types::{self, Range},
};
use wit_component::DecodedWasm;
use wit_parser::{Function, PackageId, Resolve, TypeDefKind, TypeId, WorldItem, WorldKey};

use super::NamedTypes;
use crate::{
    anatomy,
    limits::{ALL_TYPE_NODES_MAX, FUNCTIONS_MAX, TYPE_DEPTH_MAX, TYPE_NODES_MAX},
    manifest::WIT_SECTION,
    shape::snake_case,
};

/// The WIT of one component, if it could be read.
#[derive(Default)]
pub(super) struct Names {
    resolve: Resolve,
    /// Functions by the interface's full name, empty for the world's own, and their name.
    functions: BTreeMap<(String, String), Function>,
    /// Types of the exported interfaces: the interface's own name, the type's name.
    types: Vec<(Option<String>, String, TypeId)>,
    /// Comments by the interface's own name, empty for the world's own, and the function's.
    docs: BTreeMap<(String, String), String>,
}

/// How many types have been read, of the function or named type at hand and of all together, and how deep
/// the one is that is being read. Types that name others twice at each level double in size, and named
/// ones that each name the one before are as deep as there are.
pub(super) struct Nodes {
    one: usize,
    all: usize,
    all_max: usize,
    depth: usize,
}

impl Nodes {
    /// For what a component describes in words.
    pub(super) const fn of_description() -> Self {
        Self::within(ALL_TYPE_NODES_MAX)
    }

    /// For what a component exports, whose functions are bounded one by one.
    pub(super) const fn of_exports() -> Self {
        Self::within(FUNCTIONS_MAX * TYPE_NODES_MAX)
    }

    const fn within(all_max: usize) -> Self {
        Self {
            one: 0,
            all: 0,
            all_max,
            depth: 0,
        }
    }

    /// Begins with another function or named type.
    pub(super) fn next(&mut self) {
        self.one = 0;
        self.depth = 0;
    }

    /// Counts so many; none where they are too many.
    fn count(&mut self, nodes: usize) -> Option<()> {
        self.one = self.one.saturating_add(nodes);
        self.all = self.all.saturating_add(nodes);
        (self.one <= TYPE_NODES_MAX && !self.are_too_many()).then_some(())
    }

    /// Whether all together are past what is read of them.
    pub(super) const fn are_too_many(&self) -> bool {
        self.all > self.all_max
    }
}

impl Names {
    /// Reads the WIT of a component.
    pub(super) fn read(bytes: &[u8]) -> Self {
        // The reader has been written for components of its own making and may panic on others.
        let decoded = catch_unwind(AssertUnwindSafe(|| wit_component::decode(bytes).ok()));
        let Ok(Some(DecodedWasm::Component(resolve, world))) = decoded else {
            return Self::default();
        };
        let mut names = Self::default();
        for (key, item) in &resolve.worlds[world].exports {
            match item {
                WorldItem::Interface { id, .. } => {
                    let full = match key {
                        WorldKey::Name(name) => Some(name.clone()),
                        WorldKey::Interface(id) => resolve.id_of(*id),
                    };
                    let Some(full) = full else { continue };
                    if full == super::TOOLING_INTERFACE {
                        continue;
                    }
                    let own = super::own_name(&full).to_string();
                    let interface = &resolve.interfaces[*id];
                    for (name, function) in &interface.functions {
                        names
                            .functions
                            .insert((full.clone(), name.clone()), function.clone());
                    }
                    for (name, ty) in &interface.types {
                        names.types.push((Some(own.clone()), name.clone(), *ty));
                    }
                }
                WorldItem::Function(function) => {
                    names
                        .functions
                        .insert((String::new(), function.name.clone()), function.clone());
                }
                WorldItem::Type { id, .. } => {
                    if let Some(name) = &resolve.types[*id].name {
                        names.types.push((None, name.clone(), *id));
                    }
                }
            }
        }
        names.resolve = resolve;
        names.docs = docs(bytes);
        names
    }

    /// The names in a package of WIT.
    pub(super) fn of_package(resolve: Resolve, package: PackageId) -> Self {
        let mut names = Self::default();
        for id in resolve.packages[package].interfaces.values() {
            let interface = &resolve.interfaces[*id];
            for (name, ty) in &interface.types {
                names.types.push((interface.name.clone(), name.clone(), *ty));
            }
        }
        names.resolve = resolve;
        names
    }

    /// A type with names, if flows can carry it and it is not too large.
    pub(super) fn carried(&self, ty: &wit_parser::Type, nodes: &mut Nodes) -> Option<Type> {
        self.ty(ty, nodes)
    }

    /// A parameter's type with names.
    pub(super) fn parameter(&self, interface: Option<&str>, function: &str, position: usize) -> Option<Type> {
        let parameter = &self.function(interface, function)?.params.get(position)?.ty;
        self.ty(parameter, &mut Nodes::of_exports())
    }

    /// A result's type with names.
    pub(super) fn result(&self, interface: Option<&str>, function: &str) -> Option<Type> {
        let result = self.function(interface, function)?.result.as_ref()?;
        self.ty(result, &mut Nodes::of_exports())
    }

    /// What the department wrote about a function.
    pub(super) fn docs(&self, interface: Option<&str>, function: &str) -> Option<String> {
        let interface = interface.map(super::own_name).unwrap_or_default();
        self.docs
            .get(&(interface.to_string(), function.to_owned()))
            .cloned()
    }

    /// All named types, as far as they are not too many. Where two interfaces give one name to different
    /// types, each stands under `interface.name`.
    pub(super) fn types(&self, nodes: &mut Nodes) -> NamedTypes {
        let mut by_name: BTreeMap<&str, Vec<(Option<&str>, Type)>> = BTreeMap::new();
        for (interface, name, id) in &self.types {
            nodes.next();
            if let Some(ty) = self.ty(&wit_parser::Type::Id(*id), nodes) {
                by_name.entry(name).or_default().push((interface.as_deref(), ty));
            }
        }
        let mut types = NamedTypes::new();
        for (name, found) in by_name {
            let same = found
                .iter()
                .all(|(_, ty)| ty.accepts(&found[0].1) && found[0].1.accepts(ty));
            for (interface, ty) in found {
                let name = match interface {
                    Some(interface) if !same => format!("{interface}.{name}").into(),
                    _ => name.into(),
                };
                types.insert(name, ty);
            }
        }
        types
    }

    /// All functions whose types can be carried, in the order of their names.
    pub(super) fn signatures(&self) -> Vec<Signature> {
        let mut nodes = Nodes::of_exports();
        let mut signature = |interface: &str, name: &str, function: &Function| {
            let interface = Some(interface).filter(|interface| !interface.is_empty());
            nodes.next();
            let parameters = function
                .params
                .iter()
                .map(|parameter| {
                    Some(Parameter {
                        name: snake_case(&parameter.name),
                        ty: self.ty(&parameter.ty, &mut nodes)?,
                    })
                })
                .collect::<Option<_>>()?;
            let result = match &function.result {
                Some(ty) => Some(self.ty(ty, &mut nodes)?),
                None => None,
            };
            let (ok, errors) = super::outcome_types(result);
            Some(Signature {
                function: FunctionName::new(super::full_name(interface, name)),
                interface: interface.map(super::own_name),
                name: name.into(),
                parameters,
                ok,
                errors,
                docs: self.docs(interface, name),
            })
        };
        self.functions
            .iter()
            .filter_map(|((interface, name), function)| signature(interface, name, function))
            .collect()
    }

    fn function(&self, interface: Option<&str>, function: &str) -> Option<&Function> {
        self.functions
            .get(&(interface.unwrap_or_default().to_owned(), function.to_owned()))
    }

    fn ty(&self, ty: &wit_parser::Type, nodes: &mut Nodes) -> Option<Type> {
        nodes.count(1)?;
        let int = |bits, signed| Type::Int(Range::of_bits(bits, signed));
        Some(match ty {
            wit_parser::Type::Bool => Type::Bool,
            wit_parser::Type::U8 => int(8, false),
            wit_parser::Type::U16 => int(16, false),
            wit_parser::Type::U32 => int(32, false),
            wit_parser::Type::U64 => int(64, false),
            wit_parser::Type::S8 => int(8, true),
            wit_parser::Type::S16 => int(16, true),
            wit_parser::Type::S32 => int(32, true),
            wit_parser::Type::S64 => int(64, true),
            wit_parser::Type::F32 | wit_parser::Type::F64 => Type::Decimal,
            wit_parser::Type::Char => Type::Char,
            wit_parser::Type::String => Type::String,
            wit_parser::Type::ErrorContext => return None,
            wit_parser::Type::Id(id) => {
                if nodes.depth == TYPE_DEPTH_MAX {
                    return None;
                }
                nodes.depth += 1;
                let defined = self.defined(*id, nodes)?;
                nodes.depth -= 1;
                defined
            }
        })
    }

    fn defined(&self, id: TypeId, nodes: &mut Nodes) -> Option<Type> {
        let definition = &self.resolve.types[id];
        let name = definition.name.as_deref().map(Arc::from);
        let inner = |ty: &Option<wit_parser::Type>, nodes: &mut Nodes| match ty {
            Some(ty) => self.ty(ty, nodes).map(Some),
            None => Some(None),
        };
        Some(match &definition.kind {
            TypeDefKind::Record(record) => Type::Record(Arc::new(types::Record {
                name,
                fields: record
                    .fields
                    .iter()
                    .map(|field| {
                        Some(types::Field {
                            name: snake_case(&field.name),
                            ty: self.ty(&field.ty, nodes)?,
                        })
                    })
                    .collect::<Option<_>>()?,
            })),
            TypeDefKind::Variant(variant) => Type::Variant(Arc::new(types::Variant {
                name,
                cases: variant
                    .cases
                    .iter()
                    .map(|case| {
                        nodes.count(1)?;
                        Some(types::Case {
                            name: case.name.as_str().into(),
                            payload: inner(&case.ty, nodes)?,
                        })
                    })
                    .collect::<Option<_>>()?,
            })),
            TypeDefKind::Enum(names) => {
                nodes.count(names.cases.len())?;
                Type::Enum(Arc::new(types::Enum {
                    name,
                    cases: names.cases.iter().map(|case| case.name.as_str().into()).collect(),
                }))
            }
            TypeDefKind::Flags(names) => {
                nodes.count(names.flags.len())?;
                Type::Flags(Arc::new(types::Enum {
                    name,
                    cases: names.flags.iter().map(|flag| flag.name.as_str().into()).collect(),
                }))
            }
            TypeDefKind::Tuple(tuple) => Type::Tuple(Arc::new(
                tuple
                    .types
                    .iter()
                    .map(|ty| self.ty(ty, nodes))
                    .collect::<Option<_>>()?,
            )),
            TypeDefKind::Option(ty) => self.ty(ty, nodes)?.optional(),
            TypeDefKind::List(ty) => self.ty(ty, nodes)?.list(),
            TypeDefKind::Result(result) => Type::Result {
                ok: inner(&result.ok, nodes)?.map(Arc::new),
                error: inner(&result.err, nodes)?.map(Arc::new),
            },
            // A type taken over from another interface keeps the name it has there, unless it
            // was given another one here.
            TypeDefKind::Type(ty) => renamed(self.ty(ty, nodes)?, name),
            TypeDefKind::Resource
            | TypeDefKind::Handle(_)
            | TypeDefKind::Map(..)
            | TypeDefKind::FixedLengthList(..)
            | TypeDefKind::Future(_)
            | TypeDefKind::Stream(_)
            | TypeDefKind::Unknown => return None,
        })
    }
}

fn renamed(ty: Type, name: Option<Arc<str>>) -> Type {
    if name.is_none() {
        return ty;
    }
    match ty {
        Type::Record(record) => Type::Record(Arc::new(types::Record {
            name,
            ..Arc::unwrap_or_clone(record)
        })),
        Type::Variant(variant) => Type::Variant(Arc::new(types::Variant {
            name,
            ..Arc::unwrap_or_clone(variant)
        })),
        Type::Enum(names) => Type::Enum(Arc::new(types::Enum {
            name,
            ..Arc::unwrap_or_clone(names)
        })),
        Type::Flags(names) => Type::Flags(Arc::new(types::Enum {
            name,
            ..Arc::unwrap_or_clone(names)
        })),
        other => other,
    }
}

/// The comments on functions in the WIT that a component carries as text.
fn docs(bytes: &[u8]) -> BTreeMap<(String, String), String> {
    let mut docs = BTreeMap::new();
    let mut add = |interface: &str, function: &Function| {
        if let Some(contents) = &function.docs.contents {
            docs.insert(
                (interface.to_owned(), function.name.clone()),
                contents.trim().to_owned(),
            );
        }
    };
    let texts =
        anatomy::custom_sections(bytes, WIT_SECTION).filter_map(|text| std::str::from_utf8(text).ok());
    for text in texts.flat_map(files) {
        let parsed = catch_unwind(AssertUnwindSafe(|| {
            wit_parser::UnresolvedPackageGroup::parse("component.wit", text).ok()
        }));
        let Ok(Some(group)) = parsed else { continue };
        for (_, interface) in &group.main.interfaces {
            for function in interface.functions.values() {
                add(interface.name.as_deref().unwrap_or_default(), function);
            }
        }
        for (_, world) in &group.main.worlds {
            for item in world.exports.values() {
                if let WorldItem::Function(function) = item {
                    add("", function);
                }
            }
        }
    }
    docs
}

/// The files that follow each other in one section: each begins with its package, and with the
/// comment before it, which belongs to no function and may as well stay with the file before.
fn files(text: &str) -> impl Iterator<Item = &str> {
    let mut starts: Vec<usize> = text
        .match_indices("package ")
        .map(|(at, _)| at)
        .filter(|&at| at == 0 || text[..at].ends_with('\n'))
        .skip(1)
        .collect();
    starts.push(text.len());
    let mut from = 0;
    starts
        .into_iter()
        .map(move |to| &text[std::mem::replace(&mut from, to)..to])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_in_one_section_are_told_apart() {
        let texts = [
            "/// One.\npackage a:one;\ninterface i { /// says package x\nf: func(); }\n",
            "package a:two;\n",
            "package a:three;",
        ];
        assert_eq!(files(&texts.concat()).collect::<Vec<_>>(), texts);
        assert_eq!(files("interface i {}").count(), 1);
    }

    #[test]
    fn exported_types_have_more_room_than_described_ones() {
        let fields: String = (0..2_000).map(|at| format!("x{at}: u8, ")).collect();
        let named: String = (0..100).map(|at| format!("type n{at} = wide; ")).collect();
        let mut resolve = Resolve::default();
        let package = resolve
            .push_str(
                "test.wit",
                &format!("package a:b; interface i {{ record wide {{ {fields} }} {named} }}"),
            )
            .unwrap();
        let names = Names::of_package(resolve, package);
        assert_eq!(names.types(&mut Nodes::of_exports()).len(), 101);
        assert!(names.types(&mut Nodes::of_description()).len() < 101);
    }
}
