//! The words that every part of Trunkline shares: identifiers, time, values, types,
//! signatures of plugin functions, outcomes of calls, and named limits.
//!
//! This crate performs no I/O, reads no clock and draws no random numbers: whoever
//! needs a time or an identifier is given one.

pub mod compatibility;
pub mod digest;
pub mod hex;
pub mod ids;
pub mod json;
pub mod limits;
pub mod network;
pub mod outcome;
pub mod signature;
pub mod time;
pub mod types;
pub mod value;

pub use digest::Digest;
pub use ids::{
    CallId, ContactId, FlowName, FunctionName, InputId, PluginName, PromptKey, StepId, VariableName, WorkId,
};
pub use network::Network;
pub use outcome::{Fault, FaultKind, Outcome, Refusal};
pub use signature::{Errors, Parameter, Signature};
pub use time::{Duration, Timestamp};
pub use types::Type;
pub use value::Value;
