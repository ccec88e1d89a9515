//! The host against real components, built from source.

mod guests;
mod http;
mod isolation;
mod loading;
mod misbehaviour;
mod reaching;
mod values;
