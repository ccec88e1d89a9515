//! Packages of plugins, from the folder that one is written in to the release that runs it.
//!
//! [`project`] reads plugin.toml; [`sections`] puts what it says into the component;
//! [`package`] wraps the component as registries keep it; [`key`] and [`signature`] say who
//! vouches for it; [`registry`] and [`archive`] carry it, over the network or as a file;
//! [`lock`] pins it for a hotline, [`store`] keeps it, and [`admission`] says whether it is let in.
//!
//! What is absent: wasmtime, flows, contacts. A package is bytes with names, digests and
//! signatures; whether its component runs is for the plugin host to say.

pub mod admission;
pub mod archive;
pub mod credentials;
pub mod key;
pub mod lock;
pub mod package;
pub mod project;
pub mod reference;
pub mod registry;
pub mod sections;
pub mod signature;
pub mod store;

pub use package::{Identity, Package, PackageError};
