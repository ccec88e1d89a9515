//! The host against real components, built from source.

mod bombs;
mod floods;
mod guests;
mod http;
mod isolation;
mod limits;
mod loading;
mod malformed;
mod misbehaviour;
mod reaching;
mod values;
