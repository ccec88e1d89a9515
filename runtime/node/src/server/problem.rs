//! Answers that say no: a stable code, what is wrong, and the mend.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use trunkline_channel::problem::{Finding, MEDIA_TYPE, Problem};

/// A refused request. Becomes a problem document; every kind has one code.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    problem: Box<Problem>,
    retry_after_s: Option<u32>,
}

impl Refusal {
    pub(crate) fn new(
        status: StatusCode,
        code: &str,
        title: &str,
        detail: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self {
            problem: Box::new(Problem::new(status.as_u16(), code, title, detail, mend)),
            retry_after_s: None,
        }
    }

    /// A request that is not well-formed.
    pub(crate) fn bad_request(code: &str, detail: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            code,
            "The request cannot be understood",
            detail,
            mend,
        )
    }

    /// Something that is not there.
    pub(crate) fn not_found(code: &str, detail: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            code,
            "There is no such thing",
            detail,
            mend,
        )
    }

    /// No or the wrong key or token.
    pub(crate) fn unauthorized(detail: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "Not authorized",
            detail,
            mend,
        )
    }

    /// Not possible now; the same request may succeed after some seconds.
    pub(crate) fn unavailable(code: &str, detail: impl Into<String>, retry_after_s: u32) -> Self {
        Self {
            retry_after_s: Some(retry_after_s),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                code,
                "Not possible now",
                detail,
                format!("Send the same request again in {retry_after_s} s; with the same id it counts once."),
            )
        }
    }

    /// The document alone.
    pub(crate) fn into_problem(self) -> Problem {
        *self.problem
    }

    /// Carries the findings of a check.
    pub(crate) fn with_findings(mut self, findings: Vec<Finding>) -> Self {
        self.problem.findings = findings;
        self
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(*self.problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
