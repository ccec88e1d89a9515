//! The one place where the SDK meets its host, which is one of two: in a component the
//! functions that it imports, on a native target the test host of this thread. Both offer the
//! same functions, so nothing else in the SDK knows which it is, and a component carries
//! nothing of the other.

#[cfg(target_arch = "wasm32")]
mod imports;
#[cfg(target_arch = "wasm32")]
mod wire;

#[cfg(target_arch = "wasm32")]
pub(crate) use imports::{
    current_call, kv_delete, kv_get, kv_keys, kv_set, kv_set_if, log, placeholder, setting, settings, sign,
    since_epoch,
};
#[cfg(target_arch = "wasm32")]
pub(crate) use wire::send;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use crate::testing::functions::{
    current_call, kv_delete, kv_get, kv_keys, kv_set, kv_set_if, log, placeholder, send, setting, settings,
    sign, since_epoch,
};
