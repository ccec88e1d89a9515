//! The clock of this crate: the only place that reads one.
//!
//! Media is paced by a clock that never goes back and that no one sets; what time of day it is
//! plays no part.

pub(crate) use std::time::Instant;

/// Now.
#[expect(
    clippy::disallowed_methods,
    reason = "packets are paced by a monotonic clock; decisions take the time as an argument"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}
