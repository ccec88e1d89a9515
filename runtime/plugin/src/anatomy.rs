//! What can be told of a component from its bytes, before anything is compiled: what kind of
//! file it is, how much memory it begins with, and its custom sections.

use wasmparser::{Encoding, Parser, Payload, WasmFeatures};

use crate::{
    LoadError,
    limits::{COMPONENT_BYTES_MAX, COMPONENT_DEPTH_MAX},
};

mod instances;

use instances::{Frames, Made};

/// What a component asks of its sandbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Anatomy {
    /// Bytes of the memories it begins with.
    pub(crate) initial_memory: u64,
    /// Core modules that it instantiates, as often as they are.
    pub(crate) core_instances: u64,
    /// Component instances that it becomes, itself included.
    pub(crate) component_instances: u64,
    /// Memories that it defines.
    pub(crate) memories: u32,
    /// Tables that it defines.
    pub(crate) tables: u32,
    /// Elements of its largest table at the beginning.
    pub(crate) table_elements: u64,
}

/// The size of a page, unless a memory says otherwise.
const PAGE_BITS: u32 = 16;

/// Reads what a component asks for. Bytes that break a rule are found here only as far as
/// this reads; wasmtime finds the rest.
pub(crate) fn anatomy(bytes: &[u8]) -> Result<Anatomy, LoadError> {
    if bytes.is_empty() {
        return Err(LoadError::NotWasm("the file is empty"));
    }
    if bytes.len() > COMPONENT_BYTES_MAX {
        return Err(LoadError::TooBig { bytes: bytes.len() });
    }
    if !bytes.starts_with(b"\0asm") {
        return Err(LoadError::NotWasm(if bytes.starts_with(b"(") {
            "it is WebAssembly text; make it binary with `wasm-tools parse`"
        } else {
            "it does not begin as WebAssembly does"
        }));
    }
    let mut anatomy = Anatomy::default();
    let mut frames = Frames::default();
    let mut has_code = false;
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(|error| LoadError::Invalid {
            reason: error.to_string(),
        })?;
        if let Payload::Version { encoding, .. } = &payload
            && frames.depth() == 0
            && *encoding == Encoding::Module
        {
            return Err(LoadError::CoreModule);
        }
        if frames.depth() > COMPONENT_DEPTH_MAX {
            return Err(LoadError::TooDemanding {
                reason: format!("components lie in components deeper than {COMPONENT_DEPTH_MAX}"),
            });
        }
        if let Some(Made {
            components,
            core_instances,
        }) = frames.read(&payload)?
        {
            anatomy.component_instances = components;
            anatomy.core_instances = core_instances;
        }
        match payload {
            Payload::ModuleSection { .. } => has_code = true,
            Payload::MemorySection(memories) => {
                for memory in memories.into_iter().flatten() {
                    let page_bits = memory.page_size_log2.unwrap_or(PAGE_BITS).min(PAGE_BITS);
                    anatomy.memories = anatomy.memories.saturating_add(1);
                    anatomy.initial_memory = anatomy
                        .initial_memory
                        .saturating_add(memory.initial.saturating_mul(1 << page_bits));
                }
            }
            Payload::TableSection(tables) => {
                for table in tables.into_iter().flatten() {
                    anatomy.tables = anatomy.tables.saturating_add(1);
                    anatomy.table_elements = anatomy.table_elements.max(table.ty.initial);
                }
            }
            _ => {}
        }
    }
    if !has_code && wit_package(bytes) {
        return Err(LoadError::WitPackage);
    }
    Ok(anatomy)
}

fn wit_package(bytes: &[u8]) -> bool {
    custom_sections(bytes, "package-docs").next().is_some()
        || custom_sections(bytes, "wit-component-encoding").next().is_some()
}

/// Whether the bytes are a valid component by the standard that we run, WASI 0.2's.
pub(crate) fn valid_by_our_standard(bytes: &[u8]) -> bool {
    wasmparser::Validator::new_with_features(WasmFeatures::default() - WasmFeatures::CM_ASYNC)
        .validate_all(bytes)
        .is_ok()
}

/// Whether the bytes are a valid component by any standard, finished or not.
pub(crate) fn valid_by_any_standard(bytes: &[u8]) -> bool {
    wasmparser::Validator::new_with_features(WasmFeatures::all())
        .validate_all(bytes)
        .is_ok()
}

/// The contents of custom sections with a name, wherever in the component they stand.
pub(crate) fn custom_sections<'a>(bytes: &'a [u8], name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    Parser::new(0)
        .parse_all(bytes)
        .map_while(Result::ok)
        .filter_map(move |payload| match payload {
            Payload::CustomSection(section) if section.name() == name => Some(section.data()),
            _ => None,
        })
}

/// The contents of a component's own custom sections with a name, and not of those of the modules
/// and components within it.
pub(crate) fn own_custom_sections<'a>(bytes: &'a [u8], name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    let mut depth = 0_u32;
    Parser::new(0)
        .parse_all(bytes)
        .map_while(Result::ok)
        .filter_map(move |payload| match payload {
            Payload::Version { .. } => {
                depth += 1;
                None
            }
            Payload::End(_) => {
                depth = depth.saturating_sub(1);
                None
            }
            Payload::CustomSection(section) if depth == 1 && section.name() == name => Some(section.data()),
            _ => None,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_component_is_told_apart() {
        let wasm = |text: &str| wat::parse_str(text).unwrap();
        assert!(matches!(anatomy(b""), Err(LoadError::NotWasm(_))));
        assert!(matches!(anatomy(b"(component)"), Err(LoadError::NotWasm(said)) if said.contains("text")));
        assert!(matches!(anatomy(b"MZ\x90"), Err(LoadError::NotWasm(_))));
        assert!(matches!(anatomy(&wasm("(module)")), Err(LoadError::CoreModule)));
        let component = wasm("(component (core module $m (memory 3)) (core instance (instantiate $m)))");
        assert!(matches!(
            anatomy(&component[..component.len() - 3]),
            Err(LoadError::Invalid { .. })
        ));
        let anatomy = anatomy(&component).unwrap();
        assert_eq!(anatomy.initial_memory, 3 << 16);
        assert_eq!((anatomy.core_instances, anatomy.memories), (1, 1));
    }

    #[test]
    fn sections_of_what_is_within_are_not_its_own() {
        let component = wat::parse_str(
            r#"(component
                (core module (@custom "told" "module"))
                (component (@custom "told" "inner") (core module))
                (@custom "told" "own"))"#,
        )
        .unwrap();
        let own: Vec<_> = own_custom_sections(&component, "told").collect();
        assert_eq!(own, [b"own".as_slice()]);
        assert_eq!(custom_sections(&component, "told").count(), 3);
    }
}
