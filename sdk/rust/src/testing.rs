//! A host for a plugin's own tests, in memory and on this thread alone.
//!
//! ```
//! # use std::time::Duration;
//! # use serde_json::json;
//! # use trunkline_sdk::{http, testing::Host};
//! # const PLUGIN: &str = "[wants]\nhttp = [\"POST https://crm.civil.example/v1/*\"]";
//! # fn find(phone: &str) -> Result<u16, http::Error> {
//! #     Ok(http::post("https://crm.civil.example/v1/find").json(&phone)?.send()?.status()) }
//! let host = Host::of_plugin(PLUGIN)          // include_str!("../plugin.toml"): what it wants is granted
//!     .config("url", "https://crm.civil.example")
//!     .reply("POST", "https://crm.civil.example/v1/find", 200, json!({ "id": "c-1" }))
//!     .start();
//! assert_eq!(host.run(|| find("+8613800138000")).unwrap().unwrap(), 200);
//! assert_eq!(host.requests().len(), 1);
//! ```
//!
//! What the plugin asks of its host is answered here as a server would: by what is granted,
//! within quotas, under the call's deadline. Two things differ on purpose. Time is the host's
//! own: it stands still until [`Running::advance`] or a slow [`Exchange`] moves it. And a
//! request that is granted but that nobody scripted is a slip of the test: it panics and names
//! what was scripted.
//!
//! Memory and processor time are not limited here, and names are not resolved:
//! `trunkline plugin test` runs the component itself on the real host.

mod exchange;
mod fits;
pub(crate) mod functions;
mod grants;
mod recording;
mod running;
mod setup;
mod state;
mod store;
mod vault;

pub use exchange::{Body, Exchange, Failure};
pub use running::{Line, Running, SentRequest, Stopped};
pub use setup::{Call, Host};
pub use store::Quota;
