//! Exchanges that were recorded, or written down: the form that `trunkline plugin test` reads as
//! YAML, in JSON, which both read.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::Value;

use super::{
    exchange::{Body, Exchange, Failure, Scripted},
    grants::duration,
};

/// A recording with data that was masked; one without is the list alone.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recording {
    exchanges: Vec<Recorded>,
    #[serde(default)]
    masked: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recorded {
    request: Request,
    reply: Reply,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Request {
    #[serde(default = "get")]
    method: String,
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<Value>,
    body_base64: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Reply {
    fails: Option<Fails>,
    #[serde(default = "ok")]
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<Value>,
    body_base64: Option<String>,
    after: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Fails {
    Refused,
    TimedOut,
    Broken,
}

fn get() -> String {
    "GET".to_owned()
}

const fn ok() -> u16 {
    200
}

/// Reads a recording, or says in words what is wrong with it.
pub(super) fn read(json: &str) -> Result<Vec<Exchange>, String> {
    let fault = |error: serde_json::Error| error.to_string();
    let recording = if json.trim_start().starts_with('[') {
        Recording {
            exchanges: serde_json::from_str(json).map_err(fault)?,
            masked: BTreeMap::new(),
        }
    } else {
        serde_json::from_str(json).map_err(fault)?
    };
    let masked: Vec<String> = recording.masked.into_keys().collect();
    recording
        .exchanges
        .into_iter()
        .map(|recorded| {
            let mut exchange = exchange(recorded)?;
            exchange.masked.clone_from(&masked);
            Ok(exchange)
        })
        .collect()
}

fn exchange(Recorded { request, reply }: Recorded) -> Result<Exchange, String> {
    let mut exchange = Exchange::new(request.method, request.url);
    exchange.request_headers = request.headers.into_iter().collect();
    exchange.request_body = body(request.body, request.body_base64)?;
    exchange.takes = reply
        .after
        .as_deref()
        .map(duration)
        .transpose()?
        .unwrap_or_default();
    exchange.outcome = match reply.fails {
        Some(Fails::Refused) => Err(Failure::Refused),
        Some(Fails::TimedOut) => Err(Failure::TimedOut),
        Some(Fails::Broken) => Err(Failure::Broken),
        None => {
            let mut scripted = Scripted::of(reply.status);
            scripted.headers = reply.headers.into_iter().collect();
            if let Some(body) = body(reply.body, reply.body_base64)? {
                scripted.body = body.bytes;
            }
            Ok(scripted)
        }
    };
    Ok(exchange)
}

/// A body is its text, JSON that stands for itself, or bytes in base64.
fn body(written: Option<Value>, base64: Option<String>) -> Result<Option<Body>, String> {
    if let Some(text) = base64 {
        let bytes = STANDARD
            .decode(text.trim())
            .map_err(|error| format!("`body-base64` is no base64: {error}"))?;
        return Ok(Some(bytes.into()));
    }
    Ok(written.map(|written| match written {
        Value::String(text) => text.into(),
        value => value.into(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_fits_what_it_fits_for_the_command_line() {
        let exchanges = read(include_str!("../../tests/recording.json")).unwrap();
        for (body, fits) in [
            (
                r#"{"phone":"+8613800138000","mobile":13900139000,"note":"of 王芳.","pattern":"a*","limit":20}"#,
                true,
            ),
            (
                r#"{"phone":"+86","mobile":1,"note":"of.","pattern":"a*","limit":21}"#,
                false,
            ),
            (
                r#"{"phone":"+8613800138000","mobile":13900139000,"note":"of 王芳.","pattern":"abc","limit":20}"#,
                false,
            ),
            (
                r#"{"phone":"+8613800138000","mobile":"no number","note":"of 王芳.","pattern":"a*","limit":20}"#,
                false,
            ),
        ] {
            let matches =
                exchanges[0].matches("POST", "https://crm.civil.example/v1/find", &[], body.as_bytes());
            assert_eq!(matches, fits, "{body}");
        }
    }
}
