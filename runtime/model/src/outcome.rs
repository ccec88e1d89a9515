//! What comes of a plugin call.
//!
//! Three things that never share a type: the function's answer, the function's own refusal
//! (typed, an edge in the flow), and a fault (a failure that is no answer).

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::Value;

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The function's answer; [`Value::None`] when it gives nothing.
    Ok(Value),
    /// The function's own error.
    Refusal(Refusal),
    /// A failure that is not the function's answer.
    Fault(Fault),
}

/// A function's own error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refusal {
    /// The case as in WIT, kebab-case, or `refused` for an error without cases.
    pub case: Arc<str>,
    /// What it carries; [`Value::None`] when it carries nothing.
    pub payload: Value,
}

/// A failure of a call that is not the function's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Which kind, by which flows may tell.
    pub kind: FaultKind,
    /// What happened, for the department and the operator; may hold personal data.
    pub message: String,
}

/// The kinds of faults, as flows write them after `fault.`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// The guest stopped itself or broke a rule of WebAssembly.
    Trap,
    /// The step's time was over.
    TimedOut,
    /// The node stopped in mid-call, and the call may not be asked again.
    Interrupted,
    /// The guest wanted more memory than its limit.
    OutOfMemory,
    /// An argument, the answer, or a reply the guest fetched was over its size limit.
    TooLarge,
    /// The guest reached for something that it has no grant for.
    Denied,
    /// No slot became free in time.
    Overloaded,
    /// The breaker is open after repeated faults: the call was not made.
    Open,
    /// The host could not make the call or read its answer.
    Host,
}

impl FaultKind {
    /// All kinds.
    pub const ALL: [Self; 9] = [
        Self::Trap,
        Self::TimedOut,
        Self::Interrupted,
        Self::OutOfMemory,
        Self::TooLarge,
        Self::Denied,
        Self::Overloaded,
        Self::Open,
        Self::Host,
    ];

    /// The kind's name, as flows write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trap => "trap",
            Self::TimedOut => "timed-out",
            Self::Interrupted => "interrupted",
            Self::OutOfMemory => "out-of-memory",
            Self::TooLarge => "too-large",
            Self::Denied => "denied",
            Self::Overloaded => "overloaded",
            Self::Open => "open",
            Self::Host => "host",
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Outcome {
    /// Makes a fault.
    pub fn fault(kind: FaultKind, message: impl Into<String>) -> Self {
        Self::Fault(Fault {
            kind,
            message: message.into(),
        })
    }

    /// Which of the three it is, in a word for metrics and logs.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Ok(_) => "ok",
            Self::Refusal(_) => "refusal",
            Self::Fault(_) => "fault",
        }
    }
}
