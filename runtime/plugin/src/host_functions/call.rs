//! `trunkline:host/call`: about the call under way.

use tokio::time::Instant;

use super::bindings::trunkline::host::call::{Context, Host};
use crate::guest::Guest;

impl Host for Guest {
    fn current(&mut self) -> Context {
        let remaining = self.call.deadline.saturating_duration_since(Instant::now());
        Context {
            id: self.call.id.to_string(),
            attempt: self.call.attempt,
            locale: self.call.locale.clone(),
            remaining_ms: u64::try_from(remaining.as_millis()).unwrap_or(u64::MAX),
        }
    }
}
