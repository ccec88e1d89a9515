//! The host's functions as a component imports them, with the SDK's types.

use std::time::Duration;

use wasip2::clocks::wall_clock;

use crate::{
    bindings::trunkline::host,
    call::Context,
    kv,
    log::Level,
    secrets::{self, Algorithm},
};

pub(crate) fn current_call() -> Context {
    let host::call::Context {
        id,
        attempt,
        locale,
        remaining_ms,
    } = host::call::current();
    Context {
        id,
        attempt,
        locale,
        remaining: Duration::from_millis(remaining_ms),
    }
}

pub(crate) fn since_epoch() -> Duration {
    let now = wall_clock::now();
    Duration::new(now.seconds, now.nanoseconds)
}

pub(crate) fn log(level: Level, message: &str) {
    use host::log::Level as Import;
    let level = match level {
        Level::Debug => Import::Debug,
        Level::Info => Import::Info,
        Level::Warn => Import::Warn,
        Level::Error => Import::Error,
    };
    host::log::write(level, message);
}

pub(crate) fn setting(name: &str) -> Option<String> {
    host::config::get(name)
}

pub(crate) fn settings() -> Vec<(String, String)> {
    host::config::all()
}

pub(crate) fn kv_get(key: &str) -> Result<Option<kv::Entry>, kv::Error> {
    let entry = host::kv::get(key).map_err(kv_error)?;
    Ok(entry.map(|host::kv::Entry { value, version }| kv::Entry { value, version }))
}

pub(crate) fn kv_set(key: &str, value: &[u8], ttl_s: Option<u32>) -> Result<u64, kv::Error> {
    host::kv::set(key, value, ttl_s).map_err(kv_error)
}

pub(crate) fn kv_set_if(
    key: &str,
    value: &[u8],
    expected: Option<u64>,
    ttl_s: Option<u32>,
) -> Result<u64, kv::Error> {
    host::kv::set_if(key, value, expected, ttl_s).map_err(kv_error)
}

pub(crate) fn kv_delete(key: &str) -> Result<(), kv::Error> {
    host::kv::delete(key).map_err(kv_error)
}

pub(crate) fn kv_keys(prefix: &str, after: Option<&str>, limit: u32) -> Result<Vec<String>, kv::Error> {
    host::kv::keys(prefix, after, limit).map_err(kv_error)
}

fn kv_error(error: host::kv::Error) -> kv::Error {
    use host::kv::Error as Import;
    match error {
        Import::TooLarge => kv::Error::TooLarge,
        Import::Full => kv::Error::Full,
        Import::Conflict(present) => kv::Error::Conflict { present },
        Import::Unavailable(why) => kv::Error::Unavailable { why },
    }
}

pub(crate) fn placeholder(name: &str) -> Result<String, secrets::Error> {
    host::secrets::placeholder(name).map_err(|error| secret_error(name, error))
}

pub(crate) fn sign(name: &str, algorithm: Algorithm, bytes: &[u8]) -> Result<Vec<u8>, secrets::Error> {
    use host::secrets::Algorithm as Import;
    let algorithm = match algorithm {
        Algorithm::HmacSha256 => Import::HmacSha256,
        Algorithm::HmacSha512 => Import::HmacSha512,
        Algorithm::Ed25519 => Import::Ed25519,
    };
    host::secrets::sign(name, algorithm, bytes).map_err(|error| secret_error(name, error))
}

fn secret_error(name: &str, error: host::secrets::Error) -> secrets::Error {
    use host::secrets::Error as Import;
    let name = name.to_owned();
    match error {
        Import::NotGranted => secrets::Error::NotGranted { name },
        Import::Missing => secrets::Error::Missing { name },
        Import::Unusable(why) => secrets::Error::Unusable { name, why },
    }
}
