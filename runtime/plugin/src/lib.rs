//! The plugin host: the only crate that names wasmtime.
//!
//! A department's component comes in as bytes. [`Host::load`] reads its typed functions out of
//! it, refuses what Trunkline does not run, and checks what it wants against what the operator
//! grants; [`Plugin::call`] runs one function in a sandbox made for that call alone and gives an
//! [`Outcome`](trunkline_model::Outcome): the answer, the function's own refusal, or a fault.
//!
//! What is guaranteed: a plugin never blocks, crashes or slows another one, and the host
//! survives any component. What is absent: flows, contacts, files of configuration. Whoever
//! loads a plugin says what it is called, whose it is and what it may reach.

mod anatomy;
mod beginning;
pub mod bench;
mod breaker;
mod budget;
mod cache;
mod call;
mod compiled;
pub mod compiler;
mod complexity;
pub mod contents;
mod dynamic;
mod egress;
mod engine;
mod faults;
pub mod grants;
mod guest;
mod host;
mod host_functions;
mod imports;
mod introspect;
pub mod key_values;
pub mod limits;
mod load_error;
mod manifest;
mod measures;
mod missing;
mod pace;
mod plugin;
mod priority;
mod secrets;
mod shape;
mod shared;
mod slots;
mod stderr;
mod turns;
mod usage;
mod values;

pub use bench::{Bench, Measurement};
pub use breaker::BreakerState;
pub use budget::{Budget, OverBudget, Overcommitted};
pub use contents::Contents;
pub use egress::{Resolve, SystemNames, TableNames};
pub use grants::{Bytes, Grants, HttpGrant, Limits, SecretName};
pub use host::{Deployment, Host, Inspection, Settings, StartError};
pub use imports::{Capability, Wants, supported};
pub use key_values::{KeyValues, MemoryKeyValues};
pub use limits::HostLimits;
pub use load_error::LoadError;
pub use manifest::{MANIFEST_BYTES_MAX, MANIFEST_SECTION, Manifest, WIT_SECTION};
pub use measures::Statistics;
pub use missing::Missing;
pub use plugin::{Call, Plugin};
pub use secrets::{SECRET_BYTES_MAX, SECRET_BYTES_MIN, SecretTable, SecretValue, SecretValueError, Secrets};
pub use usage::Usage;
