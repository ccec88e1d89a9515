//! A plugin that misbehaves in every way the host must survive, and gives back values of every
//! type. The host's tests build it from source and call it.

use bindings::{
    Guest,
    exports::trunkline::adversary::{echoes, floods, mischief, reach},
};

mod flooding;
mod misdeeds;
mod reaching;
mod repeating;

/// Generated; the interfaces are documented in their WIT.
mod bindings {
    wit_bindgen::generate!({ path: "wit", world: "adversary" });
}
trunkline_sdk::embed_wit!("../wit/adversary.wit");
bindings::export!(Adversary with_types_in bindings);

struct Adversary;

impl Guest for Adversary {
    fn add(left: i32, right: i32) -> i32 {
        left.wrapping_add(right)
    }
}
