//! The public HTTP API, asked as anybody else would ask it.

use std::{fmt::Write as _, time::Duration};

use anyhow::anyhow;
use reqwest::{Method, StatusCode};
use serde::{Serialize, de::DeserializeOwned};
use trunkline_channel::problem::Problem;

use crate::exit::{Exit, Failure};

/// How long a connection may take to be made.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// How long an answer may take, beside the time that the request itself asks to wait.
pub(crate) const ANSWER_MAX: Duration = Duration::from_secs(20);
/// Characters of an answer that is not understood which are shown.
const ANSWER_CHARS_SHOWN: usize = 200;

/// A server.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    client: reqwest::Client,
    base: String,
}

/// A request that was not answered as it should be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// No answer.
    #[error(
        "nothing answers at {base} ({cause}); start a server with `trunkline serve HOTLINE`, or name another address"
    )]
    Unreachable {
        /// The server's address.
        base: String,
        /// What happened.
        cause: String,
    },
    /// The answer says no.
    #[error("refused ({}): {} {}", .0.code, .0.detail, .0.mend)]
    Refused(Box<Problem>),
    /// The answer is none that this version understands.
    #[error(
        "{base} gave an answer ({status}) that this version does not understand: {shown}; is it a Trunkline server?"
    )]
    NotUnderstood {
        /// The server's address.
        base: String,
        /// The answer's status.
        status: StatusCode,
        /// The beginning of the answer.
        shown: String,
    },
}

impl ApiError {
    /// Whether the same request may be answered later.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused(problem) => matches!(problem.status, 429 | 502..=504),
            Self::NotUnderstood { status, .. } => matches!(status.as_u16(), 429 | 502..=504),
        }
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        let exit = match &error {
            ApiError::Unreachable { .. } => Exit::Unreachable,
            ApiError::Refused(_) | ApiError::NotUnderstood { .. } => Exit::Refused,
        };
        Self {
            exit,
            error: error.into(),
        }
    }
}

impl Api {
    /// The server at an address like `http://127.0.0.1:8080`.
    ///
    /// # Errors
    /// The address is none.
    pub(crate) fn at(address: &str) -> Result<Self, Failure> {
        let base = address.trim_end_matches('/');
        let url = reqwest::Url::parse(base).ok().filter(|url| {
            matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none()
        });
        if url.is_none() {
            return Err(Failure::usage(anyhow!(
                "{address:?} is no server's address; write it like http://127.0.0.1:8080"
            )));
        }
        // Where several cryptographic providers may be linked, one has to be chosen; a second
        // choice of the same one changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_MAX)
            .user_agent(concat!("trunkline/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Failure::from(anyhow!(error).context("failed to set up HTTP")))?;
        Ok(Self {
            client,
            base: base.to_owned(),
        })
    }

    /// The server's address.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Asks for something.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        bearer: Option<&str>,
        wait: Duration,
    ) -> Result<T, ApiError> {
        let request = self.request(Method::GET, path, bearer).timeout(ANSWER_MAX + wait);
        self.answer(request).await
    }

    /// Sends something.
    pub(crate) async fn post<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        path: &str,
        bearer: Option<&str>,
        body: &B,
    ) -> Result<T, ApiError> {
        let request = self
            .request(Method::POST, path, bearer)
            .timeout(ANSWER_MAX)
            .json(body);
        self.answer(request).await
    }

    /// Asks for something to be removed.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub(crate) async fn delete<T: DeserializeOwned>(
        &self,
        path: &str,
        bearer: Option<&str>,
    ) -> Result<T, ApiError> {
        let request = self.request(Method::DELETE, path, bearer).timeout(ANSWER_MAX);
        self.answer(request).await
    }

    fn request(&self, method: Method, path: &str, bearer: Option<&str>) -> reqwest::RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base));
        match bearer {
            Some(bearer) => request.bearer_auth(bearer),
            None => request,
        }
    }

    async fn answer<T: DeserializeOwned>(&self, request: reqwest::RequestBuilder) -> Result<T, ApiError> {
        let unreachable = |error: &reqwest::Error| ApiError::Unreachable {
            base: self.base.clone(),
            cause: causes(error),
        };
        let response = request.send().await.map_err(|error| unreachable(&error))?;
        let status = response.status();
        let bytes = response.bytes().await.map_err(|error| unreachable(&error))?;
        let understood = if status.is_success() {
            serde_json::from_slice(&bytes).ok().map(Ok)
        } else {
            serde_json::from_slice(&bytes)
                .ok()
                .map(|problem| Err(ApiError::Refused(Box::new(problem))))
        };
        understood.unwrap_or_else(|| {
            Err(ApiError::NotUnderstood {
                base: self.base.clone(),
                status,
                shown: String::from_utf8_lossy(&bytes)
                    .chars()
                    .take(ANSWER_CHARS_SHOWN)
                    .collect(),
            })
        })
    }
}

/// An error with what caused it, down to the first cause.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Writing to a string does not fail.
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_text() {
        for good in [
            "http://127.0.0.1:8080",
            "https://hotline.example/",
            "http://[::1]:80",
        ] {
            assert!(Api::at(good).is_ok(), "{good}");
        }
        for bad in ["", "127.0.0.1:8080", "ftp://host", "http://host/?a=b"] {
            assert_eq!(Api::at(bad).unwrap_err().exit, Exit::Usage, "{bad}");
        }
    }

    #[test]
    fn what_may_pass_is_tried_again_and_nothing_else() {
        let refused = |status| ApiError::Refused(Box::new(Problem::new(status, "x", "x", "x", "x")));
        assert!(refused(503).may_pass());
        assert!(!refused(409).may_pass());
        assert!(!refused(500).may_pass());
    }
}
