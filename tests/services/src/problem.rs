//! Errors as the services write them: `{ "error": { "code", "message", "count"? } }`.

use axum::{
    Json,
    extract::rejection::JsonRejection,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// An error with a status and a code.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    detail: Detail,
}

#[derive(Debug, Serialize)]
struct Detail {
    code: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<usize>,
}

#[derive(Serialize)]
struct Body {
    error: Detail,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            detail: Detail {
                code,
                message: message.into(),
                count: None,
            },
        }
    }

    pub(crate) fn count(mut self, count: usize) -> Self {
        self.detail.count = Some(count);
        self
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        Self::new(rejection.status(), "malformed-body", rejection.body_text())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.status, Json(Body { error: self.detail })).into_response()
    }
}
