//! What a file of WebAssembly holds, told from its bytes alone: also of components that would be
//! refused, and of files that are no components.
//!
//! Nothing is compiled and nothing refused here. What a flow could call is
//! [`Host::inspect`](crate::Host::inspect)'s to say; of a component that is refused, the
//! functions whose types can be read are told all the same.

use trunkline_model::{Digest, Signature};
use wasmparser::{ComponentExternalKind, KnownCustom, Parser, Payload};

use crate::{
    Capability, HostLimits, LoadError, Manifest, WIT_SECTION,
    anatomy::{self, Anatomy},
    compiled::{self, Size},
    imports::{self, Known, Offer},
    introspect,
};

/// What a file of WebAssembly holds.
#[derive(Clone, Debug)]
pub struct Contents {
    /// What kind of file it is.
    pub kind: Kind,
    /// The digest of its bytes.
    pub digest: Digest,
    /// Its size in bytes.
    pub bytes: usize,
    /// Bytes of the memories it begins with, all together.
    pub initial_memory: u64,
    /// The pool its guests would come from.
    pub pool: &'static str,
    /// Its imports in order.
    pub imports: Vec<Import>,
    /// Its exports in order.
    pub exports: Vec<Export>,
    /// Its functions, as far as their types can be read.
    pub functions: Vec<Signature>,
    /// Its custom sections, those of the modules inside it included.
    pub sections: Vec<Section>,
    /// What it was made with.
    pub producers: Vec<Producer>,
    /// What it says of itself; why that does not read, if it does not.
    pub manifest: Result<Option<Manifest>, String>,
    /// The WIT that it carries, with its comments.
    pub wit: Option<String>,
    /// Where reading ended early, and why.
    pub damage: Option<String>,
}

/// What kind of file something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A component.
    Component,
    /// A core module.
    CoreModule,
    /// WIT in binary form, without code.
    WitPackage,
    /// No WebAssembly.
    Other,
}

/// Something a component imports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// Its full name: `wasi:http/types@0.2.6`.
    pub name: String,
    /// What it is here.
    pub offered: Offered,
}

/// What an import is to Trunkline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offered {
    /// A capability.
    Capability(Capability),
    /// Part of the baseline of WASI: there, and empty.
    Inert,
    /// Nothing that it has; what to do.
    Unknown(String),
}

/// Something a component exports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// Its full name.
    pub name: String,
    /// What it is: `an interface`, `a function`, `a type`.
    pub what: &'static str,
}

/// A custom section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its name.
    pub name: String,
    /// Bytes of its contents.
    pub bytes: usize,
}

/// Something that had a part in making a component.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Producer {
    /// Its part: `language`, `sdk`, `processed-by`.
    pub field: String,
    /// Its name.
    pub name: String,
    /// Its version, if it gave one.
    pub version: String,
}

impl Contents {
    /// Reads a file.
    pub fn of(bytes: &[u8]) -> Self {
        let limits = HostLimits::default();
        let (kind, anatomy) = match anatomy::anatomy(bytes) {
            Ok(anatomy) => (Kind::Component, anatomy),
            Err(LoadError::CoreModule) => (Kind::CoreModule, Anatomy::default()),
            Err(LoadError::WitPackage) => (Kind::WitPackage, Anatomy::default()),
            // A component that is damaged or too big begins as one all the same.
            Err(_) if Parser::is_component(bytes) => (Kind::Component, Anatomy::default()),
            Err(_) => (Kind::Other, Anatomy::default()),
        };
        let mut contents = Self {
            kind,
            digest: Digest::of(bytes),
            bytes: bytes.len(),
            initial_memory: anatomy.initial_memory,
            pool: match compiled::size(&anatomy, &limits) {
                Size::Small => "small",
                Size::Large => "large",
            },
            imports: Vec::new(),
            exports: Vec::new(),
            functions: Vec::new(),
            sections: Vec::new(),
            producers: Vec::new(),
            manifest: Ok(None),
            wit: None,
            damage: None,
        };
        if kind == Kind::Other {
            return contents;
        }
        contents.damage = contents.walk(bytes).err().map(|error| error.to_string());
        contents.producers.sort();
        contents.producers.dedup();
        contents.manifest = Manifest::of_component(bytes).map_err(|error| error.to_string());
        // The outermost comes first: what a build put in, before what a language's tools did.
        contents.wit = anatomy::custom_sections(bytes, WIT_SECTION)
            .next()
            .map(|text| String::from_utf8_lossy(text).into_owned());
        if kind == Kind::Component {
            contents.functions = introspect::readable(bytes);
        }
        contents
    }

    fn walk(&mut self, bytes: &[u8]) -> wasmparser::Result<()> {
        let mut depth = 0_u32;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::Version { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(imports) if depth == 1 => {
                    for import in imports {
                        self.import(import?.name.name);
                    }
                }
                Payload::ImportSection(imports) if depth == 1 => {
                    for import in imports.into_imports() {
                        let import = import?;
                        self.import(&format!("{}#{}", import.module, import.name));
                    }
                }
                Payload::ComponentExportSection(exports) if depth == 1 => {
                    for export in exports {
                        let export = export?;
                        self.exports.push(Export {
                            name: export.name.name.to_owned(),
                            what: kind_of(export.kind),
                        });
                    }
                }
                Payload::CustomSection(section) => {
                    self.sections.push(Section {
                        name: section.name().to_owned(),
                        bytes: section.data().len(),
                    });
                    if let KnownCustom::Producers(fields) = section.as_known() {
                        self.producers(fields);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn import(&mut self, name: &str) {
        let offered = match imports::known(name) {
            Known::Offered(Offer::Capability(capability)) => Offered::Capability(capability),
            Known::Offered(Offer::Inert) => Offered::Inert,
            Known::Unknown(hint) => Offered::Unknown(hint),
        };
        self.imports.push(Import {
            name: name.to_owned(),
            offered,
        });
    }

    /// What of the producers can be read: the section is a courtesy, and may hold anything.
    fn producers(&mut self, fields: wasmparser::ProducersSectionReader<'_>) {
        for field in fields.into_iter().flatten() {
            for value in field.values.into_iter().flatten() {
                self.producers.push(Producer {
                    field: field.name.to_owned(),
                    name: value.name.to_owned(),
                    version: value.version.to_owned(),
                });
            }
        }
    }
}

fn kind_of(kind: ComponentExternalKind) -> &'static str {
    match kind {
        ComponentExternalKind::Module => "a module",
        ComponentExternalKind::Func => "a function",
        ComponentExternalKind::Value => "a value",
        ComponentExternalKind::Type => "a type",
        ComponentExternalKind::Instance => "an interface",
        ComponentExternalKind::Component => "a component",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(text: &str) -> Contents {
        Contents::of(&wat::parse_str(text).unwrap())
    }

    #[test]
    fn a_component_that_would_be_refused_is_told_all_the_same() {
        let contents = contents(
            r#"(component
                (import "civil:crm/store@1.0.0" (instance (export "get" (func))))
                (import "wasi:io/poll@0.2.6" (instance))
                (import "trunkline:host/kv@0.1.0" (instance))
                (core module $m (memory 3) (func (export "f") (param i32)) (@custom "producers" "\01\08language\01\04Rust\041.95"))
                (core instance $i (instantiate $m))
                (func (export "double") (param "of" u32) (canon lift (core func $i "f"))))"#,
        );
        assert_eq!(contents.kind, Kind::Component);
        assert_eq!(contents.initial_memory, 3 << 16);
        assert_eq!(contents.pool, "small");
        let offered: Vec<_> = contents
            .imports
            .iter()
            .map(|import| import.offered.clone())
            .collect();
        assert!(matches!(
            offered[..],
            [
                Offered::Unknown(_),
                Offered::Inert,
                Offered::Capability(Capability::KeyValues)
            ]
        ));
        let exports: Vec<_> = contents.exports.iter().map(|export| export.what).collect();
        assert_eq!(exports, ["a function"]);
        let functions: Vec<_> = contents.functions.iter().map(ToString::to_string).collect();
        assert_eq!(functions, ["double(of: u32)"]);
        assert_eq!(contents.producers[0].name, "Rust");
        assert_eq!(contents.producers[0].version, "1.95");
        assert_eq!(contents.damage, None);
    }

    #[test]
    fn what_is_no_component_is_told_for_what_it_is() {
        assert_eq!(Contents::of(b"plugin").kind, Kind::Other);
        let module = contents(r#"(module (import "env" "log" (func)))"#);
        assert_eq!(module.kind, Kind::CoreModule);
        assert_eq!(module.imports[0].name, "env#log");
        let whole = wat::parse_str("(component (core module (memory 1)))").unwrap();
        let cut = Contents::of(&whole[..whole.len() - 2]);
        assert_eq!(cut.kind, Kind::Component);
        assert!(cut.damage.is_some());
    }
}
