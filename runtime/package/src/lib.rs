//! Packages of plugins, from the folder that one is written in to the release that runs it.
//!
//! [`project`] reads plugin.toml.
//!
//! What is absent: wasmtime, flows, contacts. A package is bytes with names, digests and
//! signatures; whether its component runs is for the plugin host to say.

pub mod project;
