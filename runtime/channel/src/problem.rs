//! Errors on the wire: problem details (RFC 9457) with a stable code and the mend.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The media type of a [`Problem`].
pub const MEDIA_TYPE: &str = "application/problem+json";

/// What was wrong with a request. `code` is stable; clients decide by it alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// `urn:trunkline:problem:` and the code.
    #[serde(rename = "type")]
    #[schema(example = "urn:trunkline:problem:not-listening")]
    pub kind: String,
    /// What kind of problem it is, in a few words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The stable code.
    #[schema(example = "not-listening")]
    pub code: String,
    /// What is wrong with this request.
    pub detail: String,
    /// What to do about it.
    pub mend: String,
    /// For a hotline that does not check: what was found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
}

/// Something that the check of a hotline found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    /// Its code, `TLnnnn`.
    #[schema(example = "TL0107")]
    pub code: String,
    /// `error` or `warning`.
    pub severity: String,
    /// The file, relative to the hotline's folder.
    pub file: String,
    /// The line, counted from 1.
    pub line: u32,
    /// The column in characters, counted from 1.
    pub column: u32,
    /// What is wrong.
    pub message: String,
    /// What to write instead, where it can be said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
}

impl Problem {
    /// Makes a problem.
    pub fn new(
        status: u16,
        code: &str,
        title: &str,
        detail: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self {
            kind: format!("urn:trunkline:problem:{code}"),
            title: title.to_owned(),
            status,
            code: code.to_owned(),
            detail: detail.into(),
            mend: mend.into(),
            findings: Vec::new(),
        }
    }
}
