//! What a component imports, and what of it Trunkline offers: the capabilities of
//! `trunkline:host`, HTTP, and the inert baseline of WASI 0.2 that every guest of a standard
//! library imports.

use std::fmt;

use wasmtime::{
    Engine,
    component::{Component, types::ComponentItem},
};

use crate::LoadError;

/// Something outside itself that a plugin may want.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
    /// The context of the call under way. Always granted.
    Call,
    /// Lines for the operator's log. Always granted.
    Log,
    /// The plugin's own settings. Always granted.
    Config,
    /// A key-value store of its own.
    KeyValues,
    /// Requests over HTTP.
    Http,
}

/// What a component wants, by what it imports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    imports: Vec<(Capability, String)>,
}

impl Wants {
    /// Whether a capability is wanted.
    pub fn has(&self, capability: Capability) -> bool {
        self.imports.iter().any(|(wanted, _)| *wanted == capability)
    }

    /// The capabilities that are wanted, each once, in order.
    pub fn capabilities(&self) -> Vec<Capability> {
        let mut capabilities: Vec<_> = self.imports.iter().map(|(wanted, _)| *wanted).collect();
        capabilities.sort_unstable();
        capabilities.dedup();
        capabilities
    }

    /// The import by which a capability shows, if it is wanted.
    pub(crate) fn import(&self, capability: Capability) -> Option<&str> {
        self.imports
            .iter()
            .find(|(wanted, _)| *wanted == capability)
            .map(|(_, import)| import.as_str())
    }
}

impl Capability {
    /// The line of grants.yaml that grants it.
    pub const fn grant_line(self) -> &'static str {
        match self {
            Self::KeyValues => "kv: true",
            Self::Http => "http: [\"GET https://host.example/path/*\"]   # the requests it may make",
            Self::Call | Self::Log | Self::Config => "# always granted",
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Call => "the call's context",
            Self::Log => "the log",
            Self::Config => "its settings",
            Self::KeyValues => "a key-value store",
            Self::Http => "HTTP",
        })
    }
}

/// The interfaces of WASI 0.2 that are linked empty: no files, no environment, no sockets, no
/// names; clocks and random numbers are real.
const BASELINE: &[&str] = &[
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
    "wasi:sockets/instance-network",
    "wasi:sockets/ip-name-lookup",
    "wasi:sockets/network",
    "wasi:sockets/tcp",
    "wasi:sockets/tcp-create-socket",
    "wasi:sockets/udp",
    "wasi:sockets/udp-create-socket",
];

/// What we know of an import.
pub(crate) enum Known {
    Inert,
    Wanted(Capability),
    Unknown(&'static str),
}

/// What an import is, by its name and version.
pub(crate) fn known(import: &str) -> Known {
    let (name, version) = import.split_once('@').unwrap_or((import, ""));
    let package = name.split_once('/').map_or(name, |(package, _)| package);
    if package == "trunkline:host" {
        if version != "0.1" && !version.starts_with("0.1.") {
            return Known::Unknown("this Trunkline has trunkline:host@0.1.0");
        }
        return match name {
            "trunkline:host/call" => Known::Wanted(Capability::Call),
            "trunkline:host/log" => Known::Wanted(Capability::Log),
            "trunkline:host/config" => Known::Wanted(Capability::Config),
            "trunkline:host/kv" => Known::Wanted(Capability::KeyValues),
            _ => Known::Unknown("trunkline:host@0.1.0 has call, log, config and kv"),
        };
    }
    if package.starts_with("wasi:") {
        if version != "0.2" && !version.starts_with("0.2.") {
            return Known::Unknown("it runs WASI 0.2; build the component for wasm32-wasip2");
        }
        return match name {
            "wasi:http/types" | "wasi:http/outgoing-handler" => Known::Wanted(Capability::Http),
            name if BASELINE.contains(&name) => Known::Inert,
            _ => Known::Unknown(
                "of WASI it has what the standard libraries need, and wasi:http/outgoing-handler",
            ),
        };
    }
    Known::Unknown(
        "a plugin may import trunkline:host, WASI 0.2 and wasi:http; compose the component with \
         one that exports it, or leave it out",
    )
}

/// Reads what a component wants.
pub(crate) fn wants(engine: &Engine, component: &Component) -> Result<Wants, LoadError> {
    let mut wants = Wants::default();
    for (name, import) in component.component_type().imports(engine) {
        // An interface imported for its types alone needs nobody behind it.
        let types_alone = match &import.ty {
            ComponentItem::ComponentInstance(instance) => instance
                .exports(engine)
                .all(|(_, export)| matches!(export.ty, ComponentItem::Type(_))),
            ComponentItem::Type(_) => true,
            _ => false,
        };
        match known(name) {
            Known::Wanted(capability) => wants.imports.push((capability, name.to_owned())),
            Known::Inert => {}
            Known::Unknown(_) if types_alone => {}
            Known::Unknown(hint) => {
                return Err(LoadError::UnknownImport {
                    import: name.to_owned(),
                    hint,
                });
            }
        }
    }
    Ok(wants)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_offered_is_told_by_name_and_version() {
        assert!(matches!(
            known("trunkline:host/kv@0.1.0"),
            Known::Wanted(Capability::KeyValues)
        ));
        assert!(matches!(
            known("wasi:http/types@0.2.6"),
            Known::Wanted(Capability::Http)
        ));
        assert!(matches!(known("wasi:io/poll@0.2.3"), Known::Inert));
        for import in [
            "wasi:io/poll@0.3.0",
            "wasi:io/poll",
            "wasi:http/incoming-handler@0.2.6",
            "wasi:keyvalue/store@0.2.0-draft",
            "trunkline:host/secrets@0.1.0",
            "trunkline:host/kv@0.2.0",
            "trunkline:host/kv@0.10.0",
            "civil:crm/store@1.0.0",
            "log",
        ] {
            assert!(matches!(known(import), Known::Unknown(_)), "{import}");
        }
    }
}
