//! The host's functions on a native target, answered by the test host of this thread.

use std::{panic::resume_unwind, time::Duration};

use super::{
    exchange::{Exchange, Failure, Scripted},
    grants::Target,
    running::{Line, SentRequest, Stopped},
    state::{self, State},
    store::{Expected, Quota, Store},
};
use crate::{
    call::Context,
    http::{Address, Error as HttpError, Reply, Request},
    kv,
    log::Level,
    secrets::{self, Algorithm},
};

/// Headers that the host sets itself.
const OWN_HEADERS: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "transfer-encoding",
    "upgrade",
    "host",
    "http2-settings",
];

/// Asks the host of this thread for a call that is still under way; one whose time is over
/// ends here.
fn ask<T>(ask: impl FnOnce(&mut State) -> T) -> T {
    let (answer, over, supervised) = state::with(|state| {
        let over = state.now >= state.deadline;
        let answer = (!over).then(|| ask(state));
        (answer, state.now >= state.deadline, state.supervised)
    });
    match answer {
        Some(answer) if !over => answer,
        _ if supervised => resume_unwind(Box::new(Stopped)),
        _ => panic!("{Stopped}: make the call in `Running::run`, which gives each its own time"),
    }
}

pub(crate) fn current_call() -> Context {
    ask(|state| Context {
        id: state.call.id.clone(),
        attempt: state.call.attempt,
        locale: state.call.locale.clone(),
        remaining: state.deadline.saturating_sub(state.now),
    })
}

pub(crate) fn since_epoch() -> Duration {
    ask(|state| state.now)
}

pub(crate) fn log(level: Level, message: &str) {
    ask(|state| {
        state.lines.push(Line {
            level,
            message: message.to_owned(),
        });
    });
}

pub(crate) fn setting(name: &str) -> Option<String> {
    ask(|state| state.config.get(name).cloned())
}

pub(crate) fn settings() -> Vec<(String, String)> {
    ask(|state| state.config.clone().into_iter().collect())
}

pub(crate) fn kv_get(key: &str) -> Result<Option<kv::Entry>, kv::Error> {
    on_store(|store, _, now| store.get(key, now))
}

pub(crate) fn kv_set(key: &str, value: &[u8], ttl_s: Option<u32>) -> Result<u64, kv::Error> {
    on_store(|store, quota, now| store.set(key, value, Expected::Anything, ttl_s, quota, now))
}

pub(crate) fn kv_set_if(
    key: &str,
    value: &[u8],
    expected: Option<u64>,
    ttl_s: Option<u32>,
) -> Result<u64, kv::Error> {
    on_store(|store, quota, now| store.set(key, value, Expected::Version(expected), ttl_s, quota, now))
}

pub(crate) fn kv_delete(key: &str) -> Result<(), kv::Error> {
    on_store(|store, _, _| store.delete(key))
}

pub(crate) fn kv_keys(prefix: &str, after: Option<&str>, limit: u32) -> Result<Vec<String>, kv::Error> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    on_store(|store, _, now| Ok(store.keys(prefix, after, limit, now)))
}

fn on_store<T>(
    act: impl FnOnce(&mut Store, Quota, Duration) -> Result<T, kv::Error>,
) -> Result<T, kv::Error> {
    let answer = ask(|state| {
        let quota = state.kv?;
        Some(match state.kv_unavailable.clone() {
            Some(why) => Err(kv::Error::Unavailable { why }),
            None => act(&mut state.store, quota, state.now),
        })
    });
    answer.unwrap_or_else(|| {
        panic!("the plugin has no grant for key-values, and would not load: write `kv = true` under [wants] in plugin.toml")
    })
}

pub(crate) fn placeholder(name: &str) -> Result<String, secrets::Error> {
    ask(|state| state.vault.placeholder(name))
}

pub(crate) fn sign(name: &str, algorithm: Algorithm, bytes: &[u8]) -> Result<Vec<u8>, secrets::Error> {
    ask(|state| state.vault.sign(name, algorithm, bytes))
}

pub(crate) fn send(request: &Request, address: &Address<'_>) -> Result<Reply, HttpError> {
    let malformed = request
        .headers
        .iter()
        .find(|(name, value)| !may_be_sent(name, value));
    if let Some((name, _)) = malformed {
        return Err(HttpError::Header { name: name.clone() });
    }
    let target = Target::of(address.secure, address.authority).ok_or_else(|| HttpError::Address {
        url: request.url.clone(),
    })?;
    let outcome = ask(|state| exchange(state, request, address, &target));
    outcome.unwrap_or_else(|unexpected| panic!("{unexpected}"))
}

/// What comes of a request; or, in words, that nobody expected it.
fn exchange(
    state: &mut State,
    request: &Request,
    address: &Address<'_>,
    target: &Target,
) -> Result<Result<Reply, HttpError>, String> {
    let method = request.method.as_str();
    let path = address.path_with_query.as_str();
    if !state.http.iter().any(|grant| grant.allows(method, target, path)) {
        return Ok(Err(HttpError::Denied));
    }
    let headers: Vec<(String, Vec<u8>)> = request
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), state.vault.filled_in(value, target)))
        .collect();
    let url = request.url.split('#').next().unwrap_or_default();
    let Some(found) = find(&state.exchanges, |exchange| {
        exchange.matches(method, url, &headers, &request.body)
    }) else {
        return Err(unexpected(state, method, url, &request.body));
    };
    state.requests.push(SentRequest {
        method: method.to_owned(),
        url: url.to_owned(),
        headers,
        body: request.body.clone(),
    });
    let (exchange, times) = &mut state.exchanges[found];
    *times += 1;
    let takes = match exchange.outcome {
        Err(Failure::TimedOut) => Duration::MAX,
        _ => exchange.takes,
    };
    if takes >= request.timeout {
        state.now += request.timeout;
        return Ok(Err(HttpError::TimedOut {
            after: request.timeout,
        }));
    }
    state.now += takes;
    let outcome = exchange.outcome.clone();
    Ok(match outcome {
        Ok(scripted) => reply(state, scripted, request.reply_bytes_max, target),
        Err(Failure::Refused) => Err(HttpError::Unreachable {
            why: "the test host makes it so".to_owned(),
        }),
        Err(Failure::Broken | Failure::TimedOut) => Err(HttpError::Broken {
            why: "the test host makes it so".to_owned(),
        }),
    })
}

fn reply(state: &State, scripted: Scripted, bytes_max: usize, target: &Target) -> Result<Reply, HttpError> {
    let body = state.vault.masked(&scripted.body, target);
    if body.len() > bytes_max {
        return Err(HttpError::TooLarge { bytes_max });
    }
    let headers = scripted
        .headers
        .into_iter()
        .map(|(name, value)| (name, state.vault.masked(value.as_bytes(), target)))
        .collect();
    Ok(Reply {
        status: scripted.status,
        headers,
        body,
    })
}

/// The first that fits and was not asked for; or the last that fits, again.
fn find(exchanges: &[(Exchange, usize)], fits: impl Fn(&Exchange) -> bool) -> Option<usize> {
    let mut last = None;
    for (index, (exchange, times)) in exchanges.iter().enumerate() {
        if fits(exchange) {
            if *times == 0 {
                return Some(index);
            }
            last = Some(index);
        }
    }
    last
}

fn unexpected(state: &State, method: &str, url: &str, body: &[u8]) -> String {
    let expected: Vec<_> = state
        .exchanges
        .iter()
        .map(|(exchange, _)| format!("\n  {} {}", exchange.method, exchange.url))
        .collect();
    let expected = if expected.is_empty() {
        " nothing".to_owned()
    } else {
        expected.concat()
    };
    format!(
        "nobody expected {method} {url} with the body {:?}: give the test host a reply to it; it expects{expected}",
        String::from_utf8_lossy(body)
    )
}

fn may_be_sent(name: &str, value: &str) -> bool {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let fine = |byte: u8| byte == b'\t' || (byte >= b' ' && byte != 0x7f);
    !name.is_empty()
        && name.bytes().all(token)
        && !OWN_HEADERS.iter().any(|own| own.eq_ignore_ascii_case(name))
        && value.bytes().all(fine)
}
