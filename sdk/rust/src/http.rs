//! Requests to the services that the operator granted, by `wasi:http`.
//!
//! ```no_run
//! # use std::time::Duration;
//! # use trunkline_sdk::{call, http};
//! # #[derive(serde::Serialize)] struct Question<'a> { phone: &'a str }
//! # #[derive(serde::Deserialize)] struct Citizen { name: String }
//! # const MARGIN: Duration = Duration::from_millis(50);
//! # fn find(phone: &str) -> Result<Option<Citizen>, http::Error> {
//! let reply = http::post("http://127.0.0.1:7001/v1/citizens/find")
//!     .json(&Question { phone })?
//!     .timeout(call::current().remaining_less(MARGIN))
//!     .send()?;
//! if reply.is_success() {
//!     return Ok(Some(reply.json()?));
//! }
//! # Ok(None)
//! # }
//! ```
//!
//! Every request has a deadline over all of it and a bound on the reply's bytes. Redirects
//! are not followed: an address that was not granted is not reached by a detour.

mod address;

use std::{fmt, time::Duration};

pub(crate) use address::Address;

use crate::host;

/// Time for a whole request when none is given.
pub const TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);

/// Bytes of a reply's body when no other bound is given.
pub const REPLY_BYTES_MAX_DEFAULT: usize = 256 * 1024;

/// Why there is no reply.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is none that can be requested.
    #[error("{url:?} is no address of the form http://host:port/path or https://host/path")]
    Address {
        /// What was given.
        url: String,
    },
    /// A header that may not be sent.
    #[error("the header {name:?} cannot be sent: its name or value is malformed, or the host sets it itself")]
    Header {
        /// Its name.
        name: String,
    },
    /// The operator's grants do not cover the request, or the address it resolves to.
    #[error("the host refused the request: grant it under `http:` of this plugin in grants.yaml")]
    Denied,
    /// No complete reply came in time.
    #[error("no complete reply within {} ms", after.as_millis())]
    TimedOut {
        /// The time that the request had.
        after: Duration,
    },
    /// No connection could be made.
    #[error("the service is not reachable: {why}")]
    Unreachable {
        /// What the host says of it.
        why: String,
    },
    /// The body has more bytes than were asked for.
    #[error("the reply has more than {bytes_max} bytes")]
    TooLarge {
        /// The bound of the request.
        bytes_max: usize,
    },
    /// The connection broke or spoke no proper HTTP.
    #[error("the reply broke off: {why}")]
    Broken {
        /// What the host says of it.
        why: String,
    },
    /// A body could not be written or read as JSON.
    #[cfg(feature = "json")]
    #[error("the body is not the JSON that was asked for: {0}")]
    Json(#[from] serde_json::Error),
}

/// How to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Submits.
    Post,
    /// Replaces.
    Put,
    /// Changes in part.
    Patch,
    /// Removes.
    Delete,
}

impl Method {
    /// As it stands in a request, `POST`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// A request that is not sent yet.
#[derive(Clone, Debug)]
pub struct Request {
    pub(crate) method: Method,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) timeout: Duration,
    pub(crate) reply_bytes_max: usize,
}

/// A whole reply, whatever its status.
#[derive(Clone, Debug)]
pub struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

/// Begins a GET request.
pub fn get(url: impl Into<String>) -> Request {
    Request::new(Method::Get, url)
}

/// Begins a POST request.
pub fn post(url: impl Into<String>) -> Request {
    Request::new(Method::Post, url)
}

impl Request {
    /// Begins a request.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self {
            method,
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
            timeout: TIMEOUT_DEFAULT,
            reply_bytes_max: REPLY_BYTES_MAX_DEFAULT,
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Adds the header `authorization: Bearer …`. The token is a [`secrets::Placeholder`], for
    /// which the host puts the secret, or a text.
    ///
    /// [`secrets::Placeholder`]: crate::secrets::Placeholder
    #[must_use]
    pub fn bearer(self, token: impl fmt::Display) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// Sets the body's bytes.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sets the body to a value as JSON, and says so in `content-type`.
    ///
    /// # Errors
    /// [`Error::Json`] when the value cannot be written so.
    #[cfg(feature = "json")]
    pub fn json<T: serde::Serialize>(self, value: &T) -> Result<Self, Error> {
        let body = serde_json::to_vec(value)?;
        Ok(self.header("content-type", "application/json").body(body))
    }

    /// Sets the time for all of it: connecting, sending, and the reply to its last byte.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets how many bytes the reply's body may have.
    #[must_use]
    pub fn reply_bytes_max(mut self, bytes_max: usize) -> Self {
        self.reply_bytes_max = bytes_max;
        self
    }

    /// Sends the request and waits for the whole reply. A status that speaks of failure is
    /// a reply like any other.
    ///
    /// # Errors
    /// Why there is no reply.
    pub fn send(self) -> Result<Reply, Error> {
        let address = Address::parse(&self.url).ok_or_else(|| Error::Address {
            url: self.url.clone(),
        })?;
        host::send(&self, &address)
    }
}

impl Reply {
    /// The status, such as 200.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Whether the status is one of 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The first header of a name, in any case, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self
            .headers
            .iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok()
    }

    /// The body's bytes.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Reads the body as JSON.
    ///
    /// # Errors
    /// [`Error::Json`] when it is not what was asked for.
    #[cfg(feature = "json")]
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, Error> {
        Ok(serde_json::from_slice(&self.body)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_found_in_any_case() {
        let reply = Reply {
            status: 304,
            headers: vec![("etag".to_owned(), b"\"7\"".to_vec())],
            body: Vec::new(),
        };
        assert_eq!(reply.header("ETag"), Some("\"7\""));
        assert_eq!(reply.header("date"), None);
        assert!(!reply.is_success());
    }

    #[test]
    fn what_is_no_address_is_said_before_anything_is_sent() {
        let error = get("ftp://127.0.0.1/notices").send().unwrap_err();
        assert!(matches!(error, Error::Address { url } if url == "ftp://127.0.0.1/notices"));
    }
}
