//! What a component imports, and what of it Trunkline offers: the capabilities of
//! `trunkline:host`, HTTP, and the inert baseline of WASI 0.2 that every guest of a standard
//! library imports. The table [`OFFERED`] is all of it, version by version.

use std::fmt;

use semver::Version;

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
    /// Secrets that it uses and never sees.
    Secrets,
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
            Self::Secrets => {
                "secrets: { name: https://host.example }   # the secrets it may use, each where alone it may go"
            }
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
            Self::Secrets => "secrets",
        })
    }
}

/// Interfaces of one version of a package. A version that breaks the one before it gets an entry
/// of its own beside it, and both are served.
struct Offered {
    package: &'static str,
    /// The first version; what was built for it runs.
    first: &'static str,
    /// The last version whose additions are there.
    last: &'static str,
    interfaces: &'static [(&'static str, Offer)],
}

/// What stands behind an interface.
#[derive(Clone, Copy)]
pub(crate) enum Offer {
    /// Linked, and empty: no files, no environment, no sockets, no names; clocks and random
    /// numbers are real.
    Inert,
    /// A capability.
    Capability(Capability),
}

const WASI_FIRST: &str = "0.2.0";
const WASI_LAST: &str = "0.2.12";

const fn wasi(package: &'static str, interfaces: &'static [(&'static str, Offer)]) -> Offered {
    Offered {
        package,
        first: WASI_FIRST,
        last: WASI_LAST,
        interfaces,
    }
}

/// All that a component may import.
static OFFERED: &[Offered] = &[
    Offered {
        package: "trunkline:host",
        first: "0.1.0",
        last: "0.1.0",
        interfaces: &[
            ("call", Offer::Capability(Capability::Call)),
            ("log", Offer::Capability(Capability::Log)),
            ("config", Offer::Capability(Capability::Config)),
            ("kv", Offer::Capability(Capability::KeyValues)),
            ("secrets", Offer::Capability(Capability::Secrets)),
        ],
    },
    wasi(
        "wasi:http",
        &[
            ("types", Offer::Capability(Capability::Http)),
            ("outgoing-handler", Offer::Capability(Capability::Http)),
        ],
    ),
    wasi(
        "wasi:cli",
        &[
            ("environment", Offer::Inert),
            ("exit", Offer::Inert),
            ("stderr", Offer::Inert),
            ("stdin", Offer::Inert),
            ("stdout", Offer::Inert),
            ("terminal-input", Offer::Inert),
            ("terminal-output", Offer::Inert),
            ("terminal-stderr", Offer::Inert),
            ("terminal-stdin", Offer::Inert),
            ("terminal-stdout", Offer::Inert),
        ],
    ),
    wasi(
        "wasi:clocks",
        &[("monotonic-clock", Offer::Inert), ("wall-clock", Offer::Inert)],
    ),
    wasi(
        "wasi:filesystem",
        &[("preopens", Offer::Inert), ("types", Offer::Inert)],
    ),
    wasi(
        "wasi:io",
        &[
            ("error", Offer::Inert),
            ("poll", Offer::Inert),
            ("streams", Offer::Inert),
        ],
    ),
    wasi(
        "wasi:random",
        &[
            ("insecure", Offer::Inert),
            ("insecure-seed", Offer::Inert),
            ("random", Offer::Inert),
        ],
    ),
    wasi(
        "wasi:sockets",
        &[
            ("instance-network", Offer::Inert),
            ("ip-name-lookup", Offer::Inert),
            ("network", Offer::Inert),
            ("tcp", Offer::Inert),
            ("tcp-create-socket", Offer::Inert),
            ("udp", Offer::Inert),
            ("udp-create-socket", Offer::Inert),
        ],
    ),
];

impl Offered {
    /// Whether something built for a version runs on this one, as far as versions tell: those
    /// that agree in the first number that is not zero do, and a draft agrees with nothing.
    fn serves(&self, version: &str) -> bool {
        let version = if version.matches('.').count() == 1 {
            format!("{version}.0")
        } else {
            version.to_owned()
        };
        let Ok(version) = Version::parse(&version) else {
            return false;
        };
        let first = Version::parse(self.first).expect("the table holds versions");
        let track = |version: &Version| match version.major {
            0 => (0, version.minor),
            major => (major, 0),
        };
        version.pre.is_empty() && track(&version) == track(&first)
    }

    fn range(&self) -> String {
        if self.first == self.last {
            self.first.to_owned()
        } else {
            format!("{} to {}", self.first, self.last)
        }
    }
}

/// What a component may import, in a line: packages and the versions of each.
pub fn supported() -> String {
    let mut hosts: Vec<String> = OFFERED
        .iter()
        .filter(|offered| !offered.package.starts_with(WASI))
        .map(|offered| format!("{}@{}", offered.package, offered.range()))
        .collect();
    hosts.push(format!("WASI {WASI_FIRST} to {WASI_LAST}"));
    hosts.join(" and ")
}

const WASI: &str = "wasi:";

/// What we know of an import.
pub(crate) enum Known {
    Offered(Offer),
    /// Nothing; what to do.
    Unknown(String),
}

/// What an import is, by its name and version.
pub(crate) fn known(import: &str) -> Known {
    let (name, version) = import.split_once('@').unwrap_or((import, ""));
    let (package, interface) = name.split_once('/').unwrap_or((name, ""));
    let versions: Vec<&Offered> = OFFERED
        .iter()
        .filter(|offered| offered.package == package)
        .collect();
    let is_wasi = package.starts_with(WASI);
    if versions.is_empty() && !is_wasi {
        return Known::Unknown(format!(
            "a plugin may import {}; compose the component with one that exports it, or leave it out",
            supported()
        ));
    }
    let Some(serving) = versions.iter().find(|offered| offered.serves(version)) else {
        if is_wasi && versions.is_empty() {
            return Known::Unknown(of_wasi());
        }
        return Known::Unknown(if is_wasi {
            format!("it runs WASI {WASI_FIRST} to {WASI_LAST}; build the component for wasm32-wasip2")
        } else {
            let ranges: Vec<String> = versions.iter().map(|offered| offered.range()).collect();
            format!(
                "this Trunkline has {package}@{}; build the component with the WIT of a version that it \
                 has, or run a Trunkline that has this one",
                ranges.join(" and ")
            )
        });
    };
    match serving.interfaces.iter().find(|(known, _)| *known == interface) {
        Some((_, offer)) => Known::Offered(*offer),
        None if is_wasi => Known::Unknown(of_wasi()),
        None => {
            let names: Vec<&str> = serving.interfaces.iter().map(|(name, _)| *name).collect();
            Known::Unknown(format!("{package}@{} has {}", serving.range(), names.join(", ")))
        }
    }
}

fn of_wasi() -> String {
    format!(
        "of WASI it has what the standard libraries need, and wasi:http/outgoing-handler, in the \
         versions {WASI_FIRST} to {WASI_LAST}"
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
            Known::Offered(Offer::Capability(capability)) => {
                wants.imports.push((capability, name.to_owned()));
            }
            Known::Offered(Offer::Inert) => {}
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
            Known::Offered(Offer::Capability(Capability::KeyValues))
        ));
        assert!(matches!(
            known("wasi:http/types@0.2.6"),
            Known::Offered(Offer::Capability(Capability::Http))
        ));
        assert!(matches!(
            known("wasi:io/poll@0.2.3"),
            Known::Offered(Offer::Inert)
        ));
        assert!(matches!(known("wasi:io/poll@0.2"), Known::Offered(Offer::Inert)));
        for import in [
            "wasi:io/poll@0.3.0",
            "wasi:io/poll@0.2.0-rc-2023-11-10",
            "wasi:io/poll",
            "wasi:http/incoming-handler@0.2.6",
            "wasi:keyvalue/store@0.2.0-draft",
            "trunkline:host/fax@0.1.0",
            "trunkline:host/kv@0.2.0",
            "trunkline:host/kv@0.10.0",
            "civil:crm/store@1.0.0",
            "log",
        ] {
            assert!(matches!(known(import), Known::Unknown(_)), "{import}");
        }
    }

    #[test]
    fn the_range_is_told() {
        assert_eq!(supported(), "trunkline:host@0.1.0 and WASI 0.2.0 to 0.2.12");
        let Known::Unknown(hint) = known("trunkline:host/kv@0.2.0") else {
            panic!()
        };
        assert!(hint.contains("trunkline:host@0.1.0"), "{hint}");
    }
}
