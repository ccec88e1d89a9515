//! What a component imports and exports, by name: what configurations list.

use wasmparser::{Encoding, Parser, Payload};

use super::PackageError;

/// Imports or exports that a configuration lists.
const NAMES_MAX: usize = 1_000;

/// The names that a component imports and exports.
#[derive(Default)]
pub(super) struct Surface<'a> {
    pub(super) imports: Vec<&'a str>,
    pub(super) exports: Vec<&'a str>,
}

/// Reads the names of the outermost level.
pub(super) fn surface(component: &[u8]) -> Result<Surface<'_>, PackageError> {
    let broken = |reason: String| PackageError::NoComponent { reason };
    if !component.starts_with(b"\0asm") {
        return Err(broken("it does not begin as WebAssembly does".to_owned()));
    }
    let mut surface = Surface::default();
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(component) {
        match payload.map_err(|error| broken(error.to_string()))? {
            Payload::Version { encoding, .. } => {
                if depth == 0 && encoding == Encoding::Module {
                    return Err(broken(
                        "it is a core module; build it for wasm32-wasip2, or make it a component with `wasm-tools component new`"
                            .to_owned(),
                    ));
                }
                depth += 1;
            }
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(imports) if depth == 1 => {
                let names = imports.into_iter().flatten().map(|import| import.name.name);
                surface.imports.extend(names);
            }
            Payload::ComponentExportSection(exports) if depth == 1 => {
                let names = exports.into_iter().flatten().map(|export| export.name.name);
                surface.exports.extend(names);
            }
            _ => {}
        }
        if surface.imports.len().max(surface.exports.len()) > NAMES_MAX {
            return Err(broken(format!(
                "it imports or exports more than {NAMES_MAX} names"
            )));
        }
    }
    Ok(surface)
}
