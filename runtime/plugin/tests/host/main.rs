//! The host against real components, built from source.

mod floods;
mod guests;
mod http;
mod isolation;
mod limits;
mod loading;
mod misbehaviour;
mod reaching;
mod values;
