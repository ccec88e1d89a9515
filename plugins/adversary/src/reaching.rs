//! Reaches for what the host offers.

use std::time::Duration;

use trunkline_sdk::{call, config, http, kv};

use crate::{Adversary, reach};

/// Time for a request: the host's own deadline is what is tested.
const PATIENCE: Duration = Duration::from_secs(60);

fn said(error: &dyn std::error::Error) -> String {
    error.to_string()
}

fn fetch(url: String) -> Result<http::Reply, http::Error> {
    http::get(url)
        .timeout(PATIENCE)
        .reply_bytes_max(usize::MAX)
        .send()
}

impl reach::Guest for Adversary {
    fn context() -> (String, u32, String, u64) {
        let call = call::current();
        let remaining = u64::try_from(call.remaining.as_millis()).unwrap_or(u64::MAX);
        (call.id, call.attempt, call.locale, remaining)
    }

    fn setting(name: String) -> Option<String> {
        config::get(&name)
    }

    fn settings() -> Vec<String> {
        config::all().into_iter().map(|(name, _)| name).collect()
    }

    fn keep(key: String, value: String, seconds: Option<u32>) -> Result<u64, String> {
        let ttl = seconds.map(|seconds| Duration::from_secs(seconds.into()));
        kv::set(&key, value.as_bytes(), ttl).map_err(|error| said(&error))
    }

    fn keep_if(key: String, value: String, version: Option<u64>) -> Result<u64, String> {
        kv::set_if(&key, value.as_bytes(), version, None).map_err(|error| said(&error))
    }

    fn kept(key: String) -> Result<Option<(String, u64)>, String> {
        let entry = kv::get(&key).map_err(|error| said(&error))?;
        Ok(entry.map(|entry| {
            let text = String::from_utf8_lossy(&entry.value).into_owned();
            (text, entry.version)
        }))
    }

    fn forget(key: String) -> Result<(), String> {
        kv::delete(&key).map_err(|error| said(&error))
    }

    fn keys(prefix: String, limit: u32) -> Result<Vec<String>, String> {
        kv::keys(&prefix, None, limit).map_err(|error| said(&error))
    }

    fn get(url: String) -> Result<(u16, String), String> {
        let reply = fetch(url).map_err(|error| said(&error))?;
        let body = String::from_utf8_lossy(reply.body()).into_owned();
        Ok((reply.status(), body))
    }

    fn post(url: String, bytes: u32) -> Result<u16, String> {
        http::post(url)
            .body(vec![b'x'; bytes as usize])
            .timeout(PATIENCE)
            .send()
            .map(|reply| reply.status())
            .map_err(|error| said(&error))
    }

    fn get_twice_or_trap(url: String) -> u16 {
        Self::get_or_trap(url.clone());
        Self::get_or_trap(url)
    }

    fn get_or_trap(url: String) -> u16 {
        match fetch(url) {
            Ok(reply) => reply.status(),
            Err(error) => panic!("no reply: {error}"),
        }
    }
}
