//! Requests that a test expects, and what comes back: scripted in Rust, or recorded as JSON.

use std::time::Duration;

use serde_json::Value;

use super::fits;

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
    /// Texts in what is expected that stand for anything.
    pub(super) masked: Vec<String>,
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
    Refused,
    /// Nothing comes, until the request's time is over.
    TimedOut,
    /// The connection breaks in the midst of the reply.
    Broken,
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
    /// A request that is answered 200 with nothing in it, until more is said. `*` at the end of
    /// the address stands for any rest.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            url: url.into(),
            request_headers: Vec::new(),
            request_body: None,
            outcome: Ok(Scripted::of(200)),
            takes: Duration::ZERO,
            masked: Vec::new(),
        }
    }

    /// Expects a header of the request; one without it is another request. `*` at the value's
    /// end stands for any rest.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.request_headers.push((name.into(), value.into()));
        self
    }

    /// Expects the request's body; one with another is another request. Of JSON objects only
    /// the fields that are given count.
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
        let text_fits = |wanted: &str, text: &[u8]| {
            std::str::from_utf8(text).is_ok_and(|text| fits::text(wanted, text, &self.masked))
        };
        let has = |(name, wanted): &(String, String)| {
            headers
                .iter()
                .any(|(other, value)| other.eq_ignore_ascii_case(name) && text_fits(wanted, value))
        };
        self.method.eq_ignore_ascii_case(method)
            && text_fits(&self.url, url.as_bytes())
            && self.request_headers.iter().all(has)
            && self.request_body.as_ref().is_none_or(|wanted| {
                if wanted.is_json {
                    let read = |bytes| serde_json::from_slice::<Value>(bytes).ok();
                    read(&wanted.bytes)
                        .zip(read(body))
                        .is_some_and(|(wanted, body)| fits::json(&wanted, &body, &self.masked))
                } else {
                    wanted.bytes == body
                        || std::str::from_utf8(&wanted.bytes).is_ok_and(|wanted| text_fits(wanted, body))
                }
            })
    }
}

impl Scripted {
    pub(super) fn of(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }
}
