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
//! | [`secrets`] | placeholders for the operator's secrets, and signatures with them |
//! | [`http`] | requests to the services that the operator granted |
//!
//! A component imports only what its code reaches, so a plugin that never names [`kv`] or
//! [`http`] asks for neither. The calls block: an instance serves one call and is gone.
//!
//! On a native target the same functions ask the test host of the thread: module `testing`,
//! which is there on native targets alone. So a plugin's tests run all of it, its exported
//! functions included, with `cargo test --target "$(rustc --print host-tuple)"`.

#[cfg(target_arch = "wasm32")]
mod bindings;
pub mod call;
pub mod clock;
pub mod config;
mod host;
pub mod http;
pub mod kv;
pub mod log;
pub mod secrets;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
mod wit;
