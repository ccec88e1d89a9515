//! What a Trunkline plugin written in Rust needs besides its own interface.
//!
//! A plugin generates bindings for what it exports with `wit_bindgen::generate!` and calls
//! the host through this crate:
//!
//! | module | capability |
//! |---|---|
//! | [`call`] | the call under way: its id, attempt, language and the time that is left |
//! | [`log`] | lines for the operator |
//! | [`config`] | settings from `config:` in hotline.yaml |
//! | [`clock`] | the time of day |
//! | [`kv`] | key-values of the plugin's own |
//! | [`http`] | requests to the services that the operator granted |
//!
//! A component imports only what its code reaches, so a plugin that never names [`kv`] or
//! [`http`] asks for neither. The calls block: an instance serves one call and is gone.
//!
//! On a native target everything here compiles and panics when it is called, so that a
//! plugin's own logic can be tested with `cargo test --target "$(rustc --print host-tuple)"`.

mod bindings;
pub mod call;
pub mod clock;
pub mod config;
pub mod http;
pub mod kv;
pub mod log;
mod wit;
