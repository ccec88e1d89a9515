//! Requests that a test expects, and what comes back: scripted in Rust, or recorded as JSON.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;
use serde_json::Value;

/// A request, and what comes of it.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub(super) method: String,
    pub(super) url: String,
    /// Headers that the request must have.
    pub(super) request_headers: Vec<(String, String)>,
    /// The body that it must have.
    pub(super) request_body: Option<Body>,
    pub(super) outcome: Result<Scripted, Failure>,
    /// How long it takes, on the host's clock.
    pub(super) takes: Duration,
}

/// A reply.
#[derive(Clone, Debug)]
pub(super) struct Scripted {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// Why no reply comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No connection can be made.
    Unreachable,
    /// The connection breaks in the midst of the reply.
    Broken,
    /// Nothing comes, until the request's time is over.
    Silent,
}

/// The bytes of a body, made of a text, of bytes, or of JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    pub(super) bytes: Vec<u8>,
    pub(super) is_json: bool,
}

impl From<&str> for Body {
    fn from(text: &str) -> Self {
        text.as_bytes().to_vec().into()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        text.into_bytes().into()
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            is_json: false,
        }
    }
}

impl From<&[u8]> for Body {
    fn from(bytes: &[u8]) -> Self {
        bytes.to_vec().into()
    }
}

impl From<Value> for Body {
    fn from(value: Value) -> Self {
        Self {
            bytes: value.to_string().into_bytes(),
            is_json: true,
        }
    }
}

impl Exchange {
    /// A request that is answered 200 with nothing in it, until more is said.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            url: url.into(),
            request_headers: Vec::new(),
            request_body: None,
            outcome: Ok(Scripted::of(200)),
            takes: Duration::ZERO,
        }
    }

    /// Expects a header of the request; one without it is another request.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.request_headers.push((name.into(), value.into()));
        self
    }

    /// Expects the request's body, JSON by its meaning; one with another is another request.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Body>) -> Self {
        self.request_body = Some(body.into());
        self
    }

    /// Replies with a status and a body.
    #[must_use]
    pub fn reply(mut self, status: u16, body: impl Into<Body>) -> Self {
        let Body { bytes, is_json } = body.into();
        let mut reply = Scripted::of(status);
        reply.body = bytes;
        if is_json {
            let header = ("content-type".to_owned(), "application/json".to_owned());
            reply.headers.push(header);
        }
        self.outcome = Ok(reply);
        self
    }

    /// Adds a header to the reply.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        if let Ok(reply) = &mut self.outcome {
            reply.headers.push((name.into(), value.into()));
        }
        self
    }

    /// Fails instead of a reply.
    #[must_use]
    pub fn fails(mut self, failure: Failure) -> Self {
        self.outcome = Err(failure);
        self
    }

    /// Takes this long on the host's clock; a request with less time is given up.
    #[must_use]
    pub fn takes(mut self, time: Duration) -> Self {
        self.takes = time;
        self
    }

    /// Whether a request is the one that is expected here.
    pub(super) fn matches(
        &self,
        method: &str,
        url: &str,
        headers: &[(String, Vec<u8>)],
        body: &[u8],
    ) -> bool {
        let has = |(name, value): &(String, String)| {
            headers
                .iter()
                .any(|(other, is)| other.eq_ignore_ascii_case(name) && is == value.as_bytes())
        };
        self.method.eq_ignore_ascii_case(method)
            && self.url == url
            && self.request_headers.iter().all(has)
            && self
                .request_body
                .as_ref()
                .is_none_or(|expected| same(&expected.bytes, body))
    }
}

impl Scripted {
    fn of(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }
}

/// Whether two bodies say the same: as JSON, if both are.
fn same(one: &[u8], other: &[u8]) -> bool {
    let json = |bytes| serde_json::from_slice::<Value>(bytes).ok();
    match (json(one), json(other)) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recorded {
    request: RecordedRequest,
    reply: RecordedReply,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordedRequest {
    method: String,
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordedReply {
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<Value>,
}

/// Reads a recording: a list of `{ request: { method, url, headers?, body? }, reply: { status,
/// headers?, body? } }` in JSON. A body is its text, or JSON that stands for itself.
pub(super) fn recorded(json: &str) -> Result<Vec<Exchange>, serde_json::Error> {
    let list: Vec<Recorded> = serde_json::from_str(json)?;
    Ok(list.into_iter().map(exchange).collect())
}

fn exchange(recorded: Recorded) -> Exchange {
    let Recorded { request, reply } = recorded;
    let mut exchange = Exchange::new(request.method, request.url);
    exchange.request_headers = request.headers.into_iter().collect();
    exchange.request_body = request.body.map(body);
    let reply_body = reply.body.map_or_else(|| Body::from(""), body);
    let mut scripted = Scripted::of(reply.status);
    scripted.headers = reply.headers.into_iter().collect();
    scripted.body = reply_body.bytes;
    exchange.outcome = Ok(scripted);
    exchange
}

fn body(written: Value) -> Body {
    match written {
        Value::String(text) => text.into(),
        value => value.into(),
    }
}
