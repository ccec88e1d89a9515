//! Authorization headers: nobody comes in without the password, and nobody twice by the same answer.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use trunkline_sip::fuzzing::{Door, simple_challenge};

static DOOR: LazyLock<Door> = LazyLock::new(|| Door::new().expect("the system has random numbers"));
const METHOD: &str = "REGISTER";

fuzz_target!(|header: &str| {
    assert!(!DOOR.lets_in(header, METHOD), "without the password");
    if let Some(completed) = DOOR.completed(header, METHOD)
        && DOOR.lets_in(&completed, METHOD)
    {
        assert!(!DOOR.lets_in(&completed, METHOD), "the same answer twice");
        assert!(!DOOR.lets_in(&completed, "INVITE"), "for another method");
    }
    if let Some(simple) = simple_challenge(header) {
        assert!(simple.starts_with("Digest "));
        let lines = |text: &str| text.contains(['\r', '\n']);
        assert!(lines(header) || !lines(&simple), "a line of its own");
    }
});
