//! Who may do what: operators by the API key, trusted clients by theirs, callers by the token
//! of their contact.

use axum::{
    extract::{FromRequestParts, Path},
    http::{HeaderMap, header, request::Parts},
};
use trunkline_model::ContactId;

use super::{State, problem::Refusal};
use crate::contacts::FindError;

/// Somebody who showed the operator's key, or who is on this machine when there is none.
pub(crate) struct Operator;

impl FromRequestParts<State> for Operator {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Refusal> {
        let Some(key) = &state.0.api_key else {
            return Ok(Self);
        };
        match bearer(&parts.headers) {
            Some(shown) if key.is(shown) => Ok(Self),
            Some(_) => Err(Refusal::unauthorized(
                "The key is not the operator's.",
                "Send the key that the server was started with (--api-key).",
            )),
            None => Err(Refusal::unauthorized(
                "This is for operators, and no key was sent.",
                "Send the header `Authorization: Bearer KEY` with the key of --api-key.",
            )),
        }
    }
}

/// Whether whoever asks for a contact is a trusted client.
pub(crate) struct Trusted(pub(crate) bool);

impl FromRequestParts<State> for Trusted {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Refusal> {
        match (bearer(&parts.headers), &state.0.client_key) {
            (None, _) => Ok(Self(false)),
            (Some(shown), Some(key)) if key.is(shown) => Ok(Self(true)),
            (Some(_), _) => Err(Refusal::unauthorized(
                "The key is not a trusted client's.",
                "Send the key of --client-key, or leave the header `Authorization` out: \
                 then `from` counts as the caller's own word.",
            )),
        }
    }
}

/// A contact whose token was shown.
pub(crate) struct OwnContact(pub(crate) ContactId);

impl FromRequestParts<State> for OwnContact {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Refusal> {
        let NamedContact(contact) = NamedContact::from_request_parts(parts, state).await?;
        let Some(shown) = bearer(&parts.headers) else {
            return Err(Refusal::unauthorized(
                "This is the caller's side of a contact, and no token was sent.",
                "Send the header `Authorization: Bearer TOKEN` with the token that came when the contact began.",
            ));
        };
        match state.contacts().opens(&contact, shown).await {
            Ok(true) => Ok(Self(contact)),
            Ok(false) => Err(Refusal::unauthorized(
                "The token does not open this contact.",
                "Send the token that came when this contact began.",
            )),
            Err(error) => Err(error.into()),
        }
    }
}

/// A contact as the path names it.
pub(crate) struct NamedContact(pub(crate) ContactId);

impl<S: Send + Sync> FromRequestParts<S> for NamedContact {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let named = Path::<String>::from_request_parts(parts, state).await.ok();
        named
            .and_then(|Path(id)| ContactId::parse(&id))
            .map(Self)
            .ok_or_else(|| {
                Refusal::bad_request(
                    "bad-contact-id",
                    "This is no contact's id.",
                    "An id has 26 digits and small letters, as it came when the contact began.",
                )
            })
    }
}

impl From<FindError> for Refusal {
    fn from(error: FindError) -> Self {
        match error {
            FindError::NoSuchContact(contact) => Self::not_found(
                "no-such-contact",
                format!("There is no contact {contact}."),
                "Begin one with POST /api/v1/contacts.",
            ),
            FindError::Journal(error) => {
                tracing::error!(%error, "the journal cannot be read");
                Self::unavailable(
                    "store-unavailable",
                    "The contact's journal cannot be read now.",
                    2,
                )
            }
        }
    }
}

/// The key or token of a request.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, shown) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| shown.trim())
}
