//! A component, compiled and read: everything about it that does not depend on who deploys it.

use std::sync::Arc;

use trunkline_model::{Digest, signature::Interface};
use wasmtime::component::{Component, InstancePre};

use crate::{
    LoadError, Manifest, Wants,
    anatomy::{self, Anatomy},
    cache::{self, Cache},
    complexity,
    dynamic::Dynamic,
    guest::Guest,
    host::Pool,
    imports,
    introspect::{self, Export},
    limits::{COMPONENT_INSTANCES_MAX, HostLimits, PoolLimits},
    missing,
};

/// Which pool a component's guests come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    Small,
    Large,
}

/// A compiled component.
pub(crate) struct Compiled {
    pub(crate) digest: Digest,
    pub(crate) bytes: usize,
    pub(crate) anatomy: Anatomy,
    pub(crate) size: Size,
    pub(crate) pool_limits: PoolLimits,
    pub(crate) interface: Arc<Interface>,
    pub(crate) functions: Vec<Export>,
    /// How functions are called that it describes itself, if it does.
    pub(crate) dynamic: Option<Dynamic>,
    pub(crate) wants: Wants,
    pub(crate) manifest: Option<Manifest>,
    pub(crate) pre: InstancePre<Guest>,
}

/// Chooses a pool by what a component begins with.
pub(crate) fn size(anatomy: &Anatomy, limits: &HostLimits) -> Size {
    let small = &limits.small;
    let fits = anatomy.initial_memory <= limits.small_guest_initial_bytes_max as u64
        && anatomy.core_instances <= u64::from(small.core_instances_max)
        && anatomy.memories <= small.memories_max
        && anatomy.tables <= small.tables_max
        && anatomy.table_elements <= small.table_elements_max as u64;
    if fits { Size::Small } else { Size::Large }
}

/// A component's machine code, in the cache or made by the compiler.
pub(crate) enum Code {
    /// Loaded.
    Ready(Component),
    /// There is none yet.
    Missing,
}

/// Checks what a component asks for, and takes its code from the cache if it is there. Reads
/// all of the component: not for a thread that has other things to do.
pub(crate) fn cached(
    bytes: &[u8],
    digest: Digest,
    anatomy: &Anatomy,
    pool: &Pool,
    cache: Option<&Cache>,
) -> Result<Code, LoadError> {
    check_demands(anatomy, &pool.limits)?;
    if let Some(component) = cache.and_then(|cache| cache.load(&pool.engine, digest)) {
        return Ok(Code::Ready(component));
    }
    complexity::check(bytes)?;
    Ok(Code::Missing)
}

/// Compiles a component in this process. Takes milliseconds to minutes and cannot be stopped.
pub(crate) fn compile_here(
    bytes: &[u8],
    digest: Digest,
    pool: &Pool,
    cache: Option<&Cache>,
) -> Result<Component, LoadError> {
    let component = Component::from_binary(&pool.engine, bytes)
        .map_err(|error| not_accepted(bytes, format!("{error:#}")))?;
    if let Some(cache) = cache {
        cache.store(&component, digest);
    }
    Ok(component)
}

/// Takes the code that a compiler of ours made of a component.
pub(crate) fn take_code(
    bytes: &[u8],
    code: &[u8],
    digest: Digest,
    pool: &Pool,
    cache: Option<&Cache>,
) -> Result<Component, LoadError> {
    let component =
        cache::made_by_us(&pool.engine, code).map_err(|error| not_accepted(bytes, format!("{error:#}")))?;
    if let Some(cache) = cache {
        cache.store_code(&pool.engine, digest, code);
    }
    Ok(component)
}

/// Reads a compiled component. Takes milliseconds: not for a thread that has other things to do.
pub(crate) fn read(
    bytes: &[u8],
    digest: Digest,
    anatomy: Anatomy,
    size: Size,
    pool: &Pool,
    component: &Component,
) -> Result<Compiled, LoadError> {
    let manifest = Manifest::of_component(bytes)?;
    // What it imports is told before what it exports: a component for another host often
    // fails both, and that it is for another host is the better news.
    let wants = imports::wants(&pool.engine, component)?;
    if let Some(manifest) = &manifest
        && let Some((capability, import)) = missing::unwanted(&wants, &manifest.wants)
    {
        return Err(LoadError::Unwanted {
            capability,
            import: import.to_owned(),
        });
    }
    let exports = introspect::exports(&pool.engine, component, bytes)?;
    let pre = pool
        .linker
        .instantiate_pre(component)
        .map_err(|error| LoadError::ImportMismatch {
            reason: format!("{error:#}"),
        })?;
    Ok(Compiled {
        digest,
        bytes: bytes.len(),
        anatomy,
        size,
        pool_limits: pool.limits.clone(),
        interface: Arc::new(Interface {
            data: manifest.as_ref().map(|manifest| {
                manifest
                    .wants
                    .data
                    .iter()
                    .map(|label| label.as_str().into())
                    .collect()
            }),
            ..exports.interface
        }),
        functions: exports.functions,
        dynamic: exports.dynamic,
        wants,
        manifest,
        pre,
    })
}

/// Refuses what no sandbox has room for, in words of ours.
fn check_demands(anatomy: &Anatomy, limits: &PoolLimits) -> Result<(), LoadError> {
    let most = |what: &str, wanted: u64, most: u64| {
        if wanted > most {
            Err(LoadError::TooDemanding {
                reason: format!("it has {wanted} {what}, and the most is {most}"),
            })
        } else {
            Ok(())
        }
    };
    most(
        "bytes of memory to begin with",
        anatomy.initial_memory,
        limits.memory_bytes_max as u64,
    )?;
    most(
        "core instances",
        anatomy.core_instances,
        limits.core_instances_max.into(),
    )?;
    most(
        "component instances",
        anatomy.component_instances,
        COMPONENT_INSTANCES_MAX,
    )?;
    most("memories", anatomy.memories.into(), limits.memories_max.into())?;
    most("tables", anatomy.tables.into(), limits.tables_max.into())?;
    most(
        "elements in a table",
        anatomy.table_elements,
        limits.table_elements_max as u64,
    )
}

/// Why wasmtime does not take a component: because it is broken, because it is of a later
/// standard than what we run, or because there is too much of it.
pub(crate) fn not_accepted(bytes: &[u8], reason: String) -> LoadError {
    if anatomy::valid_by_our_standard(bytes) {
        LoadError::TooDemanding { reason }
    } else if anatomy::valid_by_any_standard(bytes) {
        LoadError::TooNew { reason }
    } else {
        LoadError::Invalid { reason }
    }
}
