//! The interfaces of `trunkline:host` and of WASI, linked for guests to call.

mod call;
mod config;
mod kv;
mod log;
mod secrets;

pub(crate) use log::{TARGET as LOG_TARGET, cut as cut_to_line};
use wasmtime::{
    Engine,
    component::{HasSelf, Linker},
};

use crate::guest::Guest;

/// Generated; the interfaces are documented in their WIT.
mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit/host-0.1.0",
        inline: "
            package trunkline:runtime;
            world host {
                import trunkline:host/call@0.1.0;
                import trunkline:host/log@0.1.0;
                import trunkline:host/config@0.1.0;
                import trunkline:host/kv@0.1.0;
                import trunkline:host/secrets@0.1.0;
            }
        ",
        world: "trunkline:runtime/host",
        imports: {
            "trunkline:host/kv@0.1.0.get": async,
            "trunkline:host/kv@0.1.0.set": async,
            "trunkline:host/kv@0.1.0.set-if": async,
            "trunkline:host/kv@0.1.0.delete": async,
            "trunkline:host/kv@0.1.0.keys": async,
        },
    });
}

/// Everything that a guest may import. What a component has no grant for is found when it is
/// loaded, before anything is linked to it.
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    bindings::Host_::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?;
    Ok(linker)
}
