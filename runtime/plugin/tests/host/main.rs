//! The host against real components, built from source.

#![expect(
    clippy::unwrap_used,
    reason = "what helps a test fails where something is not as it should be, as the test itself does"
)]

mod any;
mod bench;
mod bombs;
mod dynamic;
mod floods;
mod guests;
mod http;
mod isolation;
mod limits;
mod loading;
mod malformed;
mod misbehaviour;
mod reaching;
mod secrets;
mod tricks;
mod values;
mod versions;
mod wants;
