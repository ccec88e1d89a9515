//! Why a component does not load: each case says what was found and what mends it.

use trunkline_model::PluginName;

use crate::{Bytes, Capability, Missing, grants::SettingError, limits, supported};

/// A component that does not load.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Larger than [`limits::COMPONENT_BYTES_MAX`].
    #[error(
        "the component has {bytes} bytes, and the most is {}; build it with optimisation, stripped",
        limits::COMPONENT_BYTES_MAX
    )]
    TooBig {
        /// Its size.
        bytes: usize,
    },
    /// Not WebAssembly at all.
    #[error("this is no WebAssembly component: {0}")]
    NotWasm(&'static str),
    /// A core module.
    #[error(
        "this is a WebAssembly core module, not a component: build it for the target wasm32-wasip2, \
         or make it a component with `wasm-tools component new`"
    )]
    CoreModule,
    /// WIT as a binary, without code.
    #[error("this is a WIT package in binary form, not a component: it holds types and no code")]
    WitPackage,
    /// Bytes that break the rules of WebAssembly.
    #[error("the component is damaged or cut off: {reason}")]
    Invalid {
        /// What wasmtime found.
        reason: String,
    },
    /// A manifest that cannot be read.
    #[error("the component's manifest cannot be read: {reason}; build it with `trunkline plugin build`")]
    Manifest {
        /// What is wrong with it.
        reason: String,
    },
    /// A valid component of a later standard.
    #[error(
        "the component uses WebAssembly features that Trunkline does not run, such as async \
         functions, streams and futures: build it for WASI 0.2 (wasm32-wasip2). In detail: {reason}"
    )]
    TooNew {
        /// What wasmtime found.
        reason: String,
    },
    /// More than a sandbox has room for.
    #[error("the component does not fit into a sandbox: {reason}")]
    TooDemanding {
        /// What is too much.
        reason: String,
    },
    /// Code that would keep the compiler for too long.
    #[error(
        "the component's code is too much for the compiler: {reason}; split it, or build it optimised for size"
    )]
    TooComplex {
        /// What is too much.
        reason: String,
    },
    /// A function that is asynchronous.
    #[error("the component exports `{export}` as an async function: export it as a plain `func`")]
    AsyncExport {
        /// The function's full name.
        export: String,
    },
    /// An export that flows cannot use.
    #[error(
        "the component exports `{export}`, which is or uses {what}: flows pass plain values only; \
         leave it out of the world, or pass a record or an id instead"
    )]
    UnsupportedExport {
        /// The export's full name.
        export: String,
        /// What flows cannot carry.
        what: &'static str,
    },
    /// A function whose types are beyond [`limits::TYPE_NODES_MAX`].
    #[error(
        "the types of `{export}` hold more than {} types in all: split them",
        limits::TYPE_NODES_MAX
    )]
    TypeTooLarge {
        /// The function's full name.
        export: String,
    },
    /// More functions than [`limits::FUNCTIONS_MAX`].
    #[error(
        "the component exports more than {} functions: split it",
        limits::FUNCTIONS_MAX
    )]
    TooManyFunctions,
    /// An export that Trunkline calls in another form.
    #[error(
        "the component exports `{export}` with other functions or types than Trunkline calls, which is \
         `{wanted}`; take its WIT from the SDK"
    )]
    ExportMismatch {
        /// The interface that it exports.
        export: String,
        /// The one that is called.
        wanted: String,
    },
    /// A component that does not come to say what it offers.
    #[error("plugin `{plugin}` could not describe its functions: {reason}")]
    Undescribed {
        /// The plugin.
        plugin: PluginName,
        /// What happened.
        reason: String,
    },
    /// A component that says it offers what cannot be.
    #[error("the component describes its functions itself, and they cannot be used: {reason}")]
    Claim {
        /// What is wrong with them.
        reason: String,
    },
    /// No function at all.
    #[error("the component exports no function: name its interface in `export` of its world")]
    NoFunctions,
    /// An import that Trunkline does not have.
    #[error("the component imports `{import}`, which Trunkline does not offer: {hint}")]
    UnknownImport {
        /// The import's full name.
        import: String,
        /// What to do.
        hint: String,
    },
    /// An import that Trunkline has in another form.
    #[error(
        "the component imports an interface that Trunkline has, with other functions or types than \
         it has; take its WIT from the SDK ({}). In detail: {reason}",
        supported()
    )]
    ImportMismatch {
        /// What wasmtime found.
        reason: String,
    },
    /// Something that the operator has not granted.
    #[error("{0}")]
    NotGranted(Box<Missing>),
    /// An import that the component's own manifest does not want.
    #[error(
        "the component imports `{import}` ({capability}), and its manifest does not want it: add it to \
         `[wants]` of plugin.toml and build again, or do not use it"
    )]
    Unwanted {
        /// What it imports.
        capability: Capability,
        /// The import's full name.
        import: String,
    },
    /// A want that its settings do not make one.
    #[error("what plugin `{plugin}` wants cannot be told: {source}")]
    Want {
        /// The plugin.
        plugin: PluginName,
        /// Why.
        source: SettingError,
    },
    /// A grant that names a setting.
    #[error(
        "the grant `{written}` of plugin `{plugin}` names a setting: in grants.yaml the address itself is \
         written, so that who may change settings cannot change grants"
    )]
    UnsettledGrant {
        /// The plugin.
        plugin: PluginName,
        /// The grant.
        written: String,
    },
    /// A memory limit below what the component begins with.
    #[error(
        "plugin `{plugin}` begins with {initial} of memory, and its limit is {limit}: \
         add to grants.yaml\n\n{plugin}:\n  limits: {{ memory: {initial} }}\n"
    )]
    MemoryLimit {
        /// The plugin.
        plugin: PluginName,
        /// What it begins with.
        initial: Bytes,
        /// What it is granted.
        limit: Bytes,
    },
    /// Limits that make no sense.
    #[error("the limits of plugin `{plugin}` in grants.yaml cannot work: {reason}")]
    Limits {
        /// The plugin.
        plugin: PluginName,
        /// Which one, and why.
        reason: String,
    },
    /// The host itself failed.
    #[error("failed to compile the component: {reason}")]
    Compile {
        /// What happened.
        reason: String,
    },
}

impl LoadError {
    /// A short name for the kind of error, stable across versions.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooBig { .. } => "component-too-big",
            Self::NotWasm(_) => "component-not-wasm",
            Self::CoreModule => "component-is-core-module",
            Self::WitPackage => "component-is-wit-package",
            Self::Invalid { .. } => "component-invalid",
            Self::Manifest { .. } => "component-manifest",
            Self::TooNew { .. } => "component-too-new",
            Self::TooDemanding { .. } => "component-too-demanding",
            Self::TooComplex { .. } => "component-too-complex",
            Self::AsyncExport { .. } => "export-async",
            Self::UnsupportedExport { .. } => "export-unsupported",
            Self::TypeTooLarge { .. } => "export-type-too-large",
            Self::TooManyFunctions => "exports-too-many",
            Self::ExportMismatch { .. } => "export-mismatch",
            Self::Undescribed { .. } => "export-undescribed",
            Self::Claim { .. } => "export-claim",
            Self::NoFunctions => "exports-none",
            Self::UnknownImport { .. } => "import-unknown",
            Self::ImportMismatch { .. } => "import-mismatch",
            Self::NotGranted(_) => "import-not-granted",
            Self::Unwanted { .. } => "import-unwanted",
            Self::Want { .. } => "want-unsettled",
            Self::UnsettledGrant { .. } => "grant-unsettled",
            Self::MemoryLimit { .. } => "limit-memory",
            Self::Limits { .. } => "limits-unworkable",
            Self::Compile { .. } => "component-compile-failed",
        }
    }
}
