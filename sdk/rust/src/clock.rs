//! The time of day, to tell how old something is.

use std::time::Duration;

use crate::host;

/// The time since 1970-01-01T00:00:00Z. The host's clock may be set back: a time read
/// earlier can lie in the future of one read later.
pub fn since_epoch() -> Duration {
    host::since_epoch()
}
