//! Tells what kind of fault a guest's failure is: from wasmtime's types and our own, never
//! from the text of a message.

use trunkline_model::{Fault, FaultKind};
use wasmtime::{PoolConcurrencyLimitError, Trap};
use wasmtime_wasi::I32Exit;
use wasmtime_wasi_http::FieldMapError;

use crate::{grants::Bytes, limits::HTTP_FIELDS_BYTES_MAX};

/// Why the host stopped a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Stop {
    /// It wanted more memory than it is granted.
    #[error(
        "the guest wanted {wanted} of memory, and its limit is {limit} (`limits: memory` in grants.yaml)"
    )]
    Memory { wanted: Bytes, limit: Bytes },
}

/// The fault that a failed guest gives. `said` is what it last wrote to its standard error.
pub(crate) fn fault(error: &wasmtime::Error, reply_bytes: Bytes, said: Option<String>) -> Fault {
    let (kind, message) = kind(error, reply_bytes);
    let message = match said {
        Some(said) => format!("{message}; the guest wrote: {said}"),
        None => message,
    };
    Fault { kind, message }
}

fn kind(error: &wasmtime::Error, reply_bytes: Bytes) -> (FaultKind, String) {
    if let Some(stop) = error.downcast_ref::<Stop>() {
        return match stop {
            Stop::Memory { .. } => (FaultKind::OutOfMemory, stop.to_string()),
        };
    }
    if let Some(trap) = error.downcast_ref::<Trap>() {
        let kind = match trap {
            Trap::Interrupt => FaultKind::TimedOut,
            Trap::AllocationTooLarge => FaultKind::OutOfMemory,
            _ => FaultKind::Trap,
        };
        return (kind, trap.to_string());
    }
    if let Some(I32Exit(status)) = error.downcast_ref() {
        return (FaultKind::Trap, format!("the guest exited with status {status}"));
    }
    if error.is::<PoolConcurrencyLimitError>() {
        return (FaultKind::Overloaded, error.root_cause().to_string());
    }
    if error.is::<FieldMapError>() {
        let most = Bytes(HTTP_FIELDS_BYTES_MAX as u64);
        return (
            FaultKind::TooLarge,
            format!("the guest made headers of more than {most}, as they lie in memory"),
        );
    }
    // What is left happens while values are copied out of the guest. What wasmtime finds wrong
    // with them is a message or an error of the standard library; that there is too much of
    // them has a type of its own, which it does not name to us.
    let malformed = error.is::<&'static str>()
        || error.is::<String>()
        || error.is::<std::str::Utf8Error>()
        || error.is::<std::string::FromUtf8Error>()
        || error.is::<std::string::FromUtf16Error>()
        || error.is::<std::num::TryFromIntError>()
        || error.is::<std::char::CharTryFromError>()
        || error.is::<wasmtime::error::OutOfMemory>()
        || error.is::<wasmtime::component::ResourceTableError>();
    if malformed {
        (
            FaultKind::Trap,
            format!("the guest broke the rules of components: {}", error.root_cause()),
        )
    } else {
        (
            FaultKind::TooLarge,
            format!(
                "the guest handed over more than {reply_bytes} at once \
                 (`limits: reply-bytes` in grants.yaml): {}",
                error.root_cause()
            ),
        )
    }
}
