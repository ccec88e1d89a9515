//! Secret answers: what a contact keeps in memory and nowhere else.
//!
//! `ask … secret: true` asks for something that no journal may hold, such as the number of a
//! card. What events fold to therefore lacks it: folding gives a session that knows *which*
//! variables hold a secret ([`Frame::secrets`](crate::session::Frame)), and this module keeps
//! *what* they hold, beside the fold. Two sessions are the same when what their events made is
//! the same, with or without secrets.
//!
//! Why, and what becomes of a secret when a node stops, stands in
//! `docs/decisions/0004-secret-answers.md`.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use trunkline_model::{CallId, StepId, Value, VariableName};

/// Secret values of a contact. Prints nothing of them, and equals any other.
#[derive(Clone, Default)]
pub struct Secrets {
    /// Variables by the depth of their flow and their name.
    pub(crate) variables: BTreeMap<(usize, VariableName), Value>,
    /// Keys collected one by one of a secret answer.
    pub(crate) keys: Arc<str>,
    /// The arguments of calls under way that hold a secret.
    pub(crate) arguments: BTreeMap<CallId, Vec<Value>>,
}

/// Where a secret came from, and is asked for again when it is lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Which of the flows that the contact is in, counted from 0.
    pub depth: usize,
    /// The step in that flow.
    pub step: StepId,
}

impl Secrets {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.variables.is_empty() && self.keys.is_empty() && self.arguments.is_empty()
    }

    /// Forgets what belongs to flows that the contact has left.
    pub(crate) fn leave_flows(&mut self, depth: usize) {
        self.variables.retain(|(of, _), _| *of < depth);
    }

    /// Forgets an answer in the making: its keys so far.
    pub(crate) fn forget_answer(&mut self) {
        self.keys = "".into();
    }
}

impl PartialEq for Secrets {
    /// A session is what its events made of it; what is beside them does not count.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() { "no secrets" } else { "secrets" })
    }
}
