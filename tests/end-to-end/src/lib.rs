//! What the end-to-end tests stand on: a real server process, real components, the city's
//! services, and callers over HTTP.
//!
//! - [`programs`] finds or builds the `trunkline` binary and the components.
//! - [`City`] is a city for one test: its services, and a copy of its hotline that asks them.
//! - [`Server`] is a server process; it can be killed and started again.
//! - [`Caller`] is a chat client that knows nothing of Trunkline but its HTTP API.
//!
//! Every test has its own of all of these, on ports that were free, so that tests run at the
//! same time. A test that fails says what its callers heard and what its server logged.

mod caller;
mod city;
mod folder;
pub mod programs;
mod server;

pub use caller::{Caller, answer, http};
pub use city::{CALL_TIME, City};
pub use folder::Folder;
pub use server::{Server, Setup, cache};

use std::time::Duration;

/// How long a test waits for what should come at once, on a machine that is busy.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How often something is looked at that nobody reports.
pub const LOOK_EVERY: Duration = Duration::from_millis(25);

/// Waits until something holds.
///
/// # Panics
/// When it does not within [`PATIENCE`].
pub async fn eventually<F: AsyncFnMut() -> bool>(what: &str, mut holds: F) {
    let patience = tokio::time::Instant::now() + PATIENCE;
    while !holds().await {
        assert!(
            tokio::time::Instant::now() < patience,
            "{what}: not within {} s",
            PATIENCE.as_secs()
        );
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
