//! What a request carries: JSON that means exactly what it says, and query parameters.

use std::borrow::Cow;

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};
use trunkline_channel::chat::{Given, NewContact};

use super::problem::Refusal;
use crate::limits::{BODY_BYTES_MAX, BODY_WITHIN};

/// A body whose fields are known.
pub(crate) trait Body: DeserializeOwned {
    /// The names of its fields.
    const FIELDS: &'static [&'static str];
}

impl Body for NewContact {
    const FIELDS: &'static [&'static str] = &["id", "channel", "number", "from", "language"];
}

impl Body for Given {
    const FIELDS: &'static [&'static str] = &["id", "keys", "text", "hang_up"];
}

/// A JSON body; unknown fields are refused with what was probably meant.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<S: Send + Sync, T: Body> FromRequest<S> for JsonBody<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        if !is_json(request.headers()) {
            return Err(Refusal::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "The request's body has the wrong type",
                "The body must be JSON.",
                "Send the header `Content-Type: application/json`.",
            ));
        }
        let bytes = bytes(request, state, BODY_BYTES_MAX).await?;
        read(&bytes).map(Self)
    }
}

/// The bytes of a body, of bounded size, within bounded time.
pub(crate) async fn bytes<S: Send + Sync>(
    request: Request,
    state: &S,
    bytes_max: usize,
) -> Result<Bytes, Refusal> {
    let request = request.map(|body| axum::body::Body::new(http_body_util::Limited::new(body, bytes_max)));
    let declared = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    let too_large = || {
        Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-large",
            "The request's body is too large",
            format!("The body has more than {bytes_max} bytes."),
            "Send less.",
        )
    };
    if declared.is_some_and(|length| length > bytes_max) {
        return Err(too_large());
    }
    match tokio::time::timeout(BODY_WITHIN.to_std(), Bytes::from_request(request, state)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(too_large()),
        Ok(Err(_)) => Err(Refusal::bad_request(
            "body-broken-off",
            "The body broke off.",
            "Send the whole body.",
        )),
        Err(_) => Err(Refusal::new(
            StatusCode::REQUEST_TIMEOUT,
            "too-slow",
            "The request took too long",
            format!("The body did not come within {BODY_WITHIN}."),
            "Send it faster, or less of it.",
        )),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

/// A body's object, whose fields are all known.
pub(super) fn read<T: Body>(bytes: &[u8]) -> Result<T, Refusal> {
    let fields = Cow::from(T::FIELDS.join(", "));
    if let Err(error) = std::str::from_utf8(bytes) {
        return Err(Refusal::bad_request(
            "bad-utf8",
            format!("The body is not UTF-8 from byte {} on.", error.valid_up_to()),
            "Send the body in UTF-8.",
        ));
    }
    let object: Map<String, Json> = serde_json::from_slice(bytes).map_err(|error| {
        Refusal::bad_request(
            "bad-json",
            format!("The body is not a JSON object: {error}."),
            format!("Send a JSON object of these fields: {fields}."),
        )
    })?;
    if let Some(unknown) = object.keys().find(|key| !T::FIELDS.contains(&key.as_str())) {
        let mend = match nearest(unknown, T::FIELDS) {
            Some(meant) => format!("Did you mean `{meant}`? The fields are: {fields}."),
            None => format!("The fields are: {fields}."),
        };
        return Err(Refusal::bad_request(
            "unknown-field",
            format!("There is no field `{}`.", shortened(unknown)),
            mend,
        ));
    }
    // Read from the text once more, so that a field given twice is found.
    serde_json::from_slice(bytes).map_err(|error| {
        Refusal::bad_request(
            "bad-field",
            format!("A field is missing or not as it should be: {error}."),
            format!("The fields are: {fields}; GET /api/v1/openapi.json says what each holds."),
        )
    })
}

fn shortened(text: &str) -> String {
    text.chars().take(64).collect()
}

/// The name that was probably meant.
fn nearest<'a>(written: &str, names: &[&'a str]) -> Option<&'a str> {
    let written = written.to_lowercase().replace('-', "_");
    names
        .iter()
        .map(|name| (distance(&written, name), *name))
        .min()
        .filter(|(distance, name)| *distance <= 1 + name.len() / 4)
        .map(|(_, name)| name)
}

/// The number of characters to be changed, left out or put in to come from one to the other.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    // Names are short; what is much longer than all of them is like none.
    for (index, a) in from.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, b) in to.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}

/// Query parameters; unknown ones are refused.
pub(crate) struct Parameters<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Parameters<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        axum::extract::Query::<T>::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Query(query)| Self(query))
            .map_err(|rejection| {
                Refusal::bad_request(
                    "bad-query",
                    format!("The query cannot be understood: {}.", rejection.body_text()),
                    "GET /api/v1/openapi.json says which parameters there are.",
                )
            })
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;

    use super::*;

    fn refused(bytes: &[u8]) -> (StatusCode, Refusal) {
        let Err(refusal) = read::<Given>(bytes) else {
            panic!("{bytes:?} was accepted");
        };
        (refusal.clone().into_response().status(), refusal)
    }

    #[test]
    fn a_body_that_is_wrong_is_told_what_to_write() {
        for (body, code, hint) in [
            (&b"\xff\xfe"[..], "bad-utf8", "UTF-8"),
            (b"", "bad-json", "JSON object"),
            (b"[1]", "bad-json", "JSON object"),
            (
                b"{\"id\":\"a\",\"key\":\"1\"}",
                "unknown-field",
                "Did you mean `keys`?",
            ),
            (
                b"{\"id\":\"a\",\"hangUp\":true}",
                "unknown-field",
                "Did you mean `hang_up`?",
            ),
            (b"{\"id\":\"a\",\"colour\":1}", "unknown-field", "The fields are"),
            (b"{\"keys\":\"1\"}", "bad-field", "openapi"),
            (b"{\"id\":\"a\",\"id\":\"b\"}", "bad-field", "openapi"),
            (b"{\"id\":7}", "bad-field", "openapi"),
        ] {
            let (status, refusal) = refused(body);
            assert_eq!(status, StatusCode::BAD_REQUEST);
            let text = format!("{refusal:?}");
            assert!(text.contains(code) && text.contains(hint), "{text}");
        }
    }

    #[test]
    fn deep_nesting_is_refused_quickly() {
        let deep = [b'['; 60_000];
        assert_eq!(refused(&deep).0, StatusCode::BAD_REQUEST);
        let mut hidden = b"{\"id\":".to_vec();
        hidden.extend([b'['; 60_000]);
        assert_eq!(refused(&hidden).0, StatusCode::BAD_REQUEST);
    }
}
