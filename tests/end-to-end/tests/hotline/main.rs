//! Trunkline as its users meet it: a real server process, real components, HTTP clients.
//!
//! One module for each thing that has to hold. Every test starts a server of its own.

#![expect(
    clippy::unwrap_used,
    reason = "what helps a test fails where something is not as it should be, as the test itself does"
)]

mod api;
mod calls;
mod commands;
mod crashes;
mod departments;
mod dial;
mod feeds;
mod plugin_tests;
mod plugins;
mod python;
mod recovery;
mod reload;
mod road_works;
mod secrets;
mod stranger;
mod streams;
mod versions;

use end_to_end::{Caller, City, Server, Setup};
use serde_json::json;

/// The key of the client that vouches for its callers' numbers.
const CLIENT_KEY: &str = "a-key-for-the-tests-client";

/// A server for a city's hotline, not started yet.
fn setup(city: &City) -> Setup {
    Setup::new(city.folder.path(), city.folder.beside("server")).client_key(CLIENT_KEY)
}

/// A caller whose number is vouched for, on the Chinese and English line.
async fn citizen(server: &Server, phone: &str) -> Caller {
    Caller::begin(
        server,
        Some(CLIENT_KEY),
        json!({ "channel": "chat", "number": "12345", "from": phone }),
    )
    .await
}

/// Goes through the welcome, in Chinese, to the privacy notice.
async fn in_chinese(caller: &mut Caller) {
    caller.hears("welcome").await;
    caller.presses("1").await;
    caller.hears("privacy").await;
}
