//! The plugin host: the only crate that names wasmtime.
