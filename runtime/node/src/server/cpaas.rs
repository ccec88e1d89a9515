//! The carriers' side: a call comes in, and each answer is a document that says what comes next.
//!
//! A carrier asks at every point where it needs to know more: the call, what was given, that all was
//! said, what came of a transfer. Each request is held against its signature, moves the contact once
//! ([`call`]), and is answered by what the contact said and asks since ([`script`]). A contact that
//! takes longer is asked for again: nothing is held open past what carriers wait for.
//!
//! A request that comes again is answered as before, byte for byte: how far its answer went is kept,
//! and the document is made of the contact's events up to there.

mod answered;
mod call;
mod carrier;
mod given;
mod key;
mod links;
mod script;
mod service;
mod signed;
#[cfg(test)]
mod table;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use axum::{
    Router,
    body::Bytes,
    extract::{Path, Request, State as Shared},
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use serde::Deserialize;
use trunkline_channel::cpaas::{Phase, Posted};
use trunkline_model::{ContactId, Digest};

pub(super) use self::key::OwnKey;
use self::{
    carrier::Carrier,
    links::{At, Links, Step},
    signed::Unsigned,
};
use super::{State, body, problem::Refusal};
use crate::{
    contacts::{ArriveError, DeliverError, FindError},
    limits::{CARRIER_BYTES_MAX, CARRIER_CLOCK_SKEW_MAX},
};

/// What the paths of carriers begin with.
pub(super) const PATHS: &str = "/carriers/";

/// The routes of carriers. They are no part of the described API: what they take and answer is the
/// carriers' own.
pub(super) fn router() -> Router<State> {
    Router::new()
        .route("/carriers/{name}/call", post(call))
        .route("/carriers/{name}/status", post(status))
        .route("/carriers/{name}/calls/{contact}/{step}", post(step))
        .route("/carriers/{name}/recordings/{content}/{file}", get(recording))
}

/// A call comes in.
async fn call(
    Shared(state): Shared<State>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let live = carrier::live(&state, &name).await?;
    let raw = Raw::read(&state, request).await?;
    let (carrier, posted) = raw.signed(&state, vec![live], "call")?;
    let answered = call::begin(&state, &carrier, &posted).await;
    count(&carrier, "call", &answered);
    answered
}

/// How far a call has come: that it is over is news.
async fn status(
    Shared(state): Shared<State>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let raw = Raw::read(&state, request).await?;
    let contact = carrier::contact_of(&state, &name, &raw.body).await?;
    let carriers = carrier::of_contact(&state, &name, contact.as_ref()).await?;
    let (carrier, posted) = raw.signed(&state, carriers, "status")?;
    let answered = if posted.phase == Some(Phase::Over) && posted.inbound {
        call::over(&state, &carrier, &posted).await
    } else {
        Ok(())
    };
    let answered = answered.map(|()| carrier.nothing());
    count(&carrier, "status", &answered);
    answered
}

/// Where in a call a request is.
#[derive(Debug, Deserialize)]
struct Place {
    after: u64,
    again: u32,
    proof: String,
}

/// The next step of a call.
async fn step(
    Shared(state): Shared<State>,
    Path((name, contact, step)): Path<(String, String, String)>,
    request: Request,
) -> Result<Response, Refusal> {
    let contact = ContactId::parse(&contact);
    let carriers = carrier::of_contact(&state, &name, contact.as_ref()).await?;
    let place = axum::extract::Query::<Place>::try_from_uri(request.uri()).ok();
    let raw = Raw::read(&state, request).await?;
    let (carrier, posted) = raw.signed(&state, carriers, "step")?;
    let foreign = || {
        carrier.counts("step", "foreign");
        forbidden("The address is not one that this server gave for this call.")
    };
    let (Some(step), Some(contact), Some(axum::extract::Query(place))) = (Step::parse(&step), contact, place)
    else {
        return Err(foreign());
    };
    let at = At {
        after: place.after,
        again: place.again,
    };
    // A leg that is dialled has a name of its own, and names the call that it was dialled for.
    let call = [Some(&posted.call), posted.parent.as_ref()]
        .into_iter()
        .flatten()
        .find(|call| carrier.links().proves(&contact, call, step, at, &place.proof))
        .ok_or_else(foreign)?;
    let answered = call::go_on(&state, &carrier, &contact, call, step, at, &posted).await;
    count(&carrier, step.as_str(), &answered);
    answered
}

/// A recording of a release, for those who were told where it is.
async fn recording(
    Shared(state): Shared<State>,
    Path((name, content, file)): Path<(String, String, String)>,
) -> Result<Response, Refusal> {
    let none = || {
        Refusal::not_found(
            "no-such-recording",
            "There is no such recording.",
            "Take the address as it stands in the document.",
        )
    };
    let content: Digest = content.parse().map_err(|_| none())?;
    // The proof is all that it takes: whoever was told the address may fetch it, whatever is live now.
    let links = Links {
        url: "",
        carrier: &name,
        key: &state.carriers_key().get(state.contacts()).await?,
    };
    let played = links.proves_recording(&content, &file).ok_or_else(none)?;
    let found = state.contacts().journal.store().blob(&content).await;
    let bytes = found.map_err(FindError::from)?.ok_or_else(none)?;
    let headers = [
        (header::CONTENT_TYPE, played.media_type()),
        // Its address is that of its content.
        (header::CACHE_CONTROL, "private, max-age=86400, immutable"),
    ];
    Ok((headers, bytes).into_response())
}

/// A request as it came.
struct Raw {
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
}

impl Raw {
    async fn read(state: &State, request: Request) -> Result<Self, Refusal> {
        let (uri, headers) = (request.uri().clone(), request.headers().clone());
        let body = body::bytes(request, state, CARRIER_BYTES_MAX).await?;
        Ok(Self { uri, headers, body })
    }

    /// What the request says, with the first of `carriers` that signed it.
    fn signed(
        &self,
        state: &State,
        carriers: Vec<Carrier>,
        step: &'static str,
    ) -> Result<(Carrier, Posted), Refusal> {
        let now = state.contacts().clock.now();
        let mut unsigned = None;
        for carrier in carriers {
            let url = format!("{}{}", carrier.url, path_and_query(&self.uri));
            let secret = carrier.secret.bytes();
            match signed::verify(carrier.dialect, secret, &url, &self.headers, &self.body, now) {
                Ok(()) => {
                    let posted = self.posted(&carrier, step)?;
                    return Ok((carrier, posted));
                }
                Err(why) => unsigned = Some((carrier, why)),
            }
        }
        let Some((carrier, why)) = unsigned else {
            return Err(forbidden(
                "There is no carrier that could have signed the request.",
            ));
        };
        carrier.counts(step, "unsigned");
        tracing::warn!(
            carrier = carrier.name,
            step,
            why = why.as_str(),
            "a request in a carrier's name is not signed by it"
        );
        Err(forbidden(match why {
            Unsigned::Missing => "The request has no signature of the carrier's.".to_owned(),
            Unsigned::Wrong => "The signature is not that of this request.".to_owned(),
            Unsigned::Stale => {
                format!("The request was signed more than {CARRIER_CLOCK_SKEW_MAX} ago, or in the future.")
            }
        }))
    }

    fn posted(&self, carrier: &Carrier, step: &'static str) -> Result<Posted, Refusal> {
        Posted::read(carrier.dialect, &self.body).map_err(|error| {
            carrier.counts(step, "unreadable");
            Refusal::bad_request(
                "bad-carrier-request",
                format!("The request cannot be read: {error}."),
                "See whether the carrier's kind in hotline.yaml is right.",
            )
        })
    }
}

fn path_and_query(uri: &Uri) -> &str {
    uri.path_and_query().map_or("/", |path| path.as_str())
}

fn forbidden(detail: impl Into<String>) -> Refusal {
    Refusal::new(
        StatusCode::FORBIDDEN,
        "not-the-carrier",
        "Not signed by the carrier",
        detail,
        "See that the carrier's secret on the server is the one that the carrier signs with, and that `url` \
         in hotline.yaml is the address that the carrier was given.",
    )
}

fn count<T>(carrier: &Carrier, step: &'static str, answered: &Result<T, Refusal>) {
    carrier.counts(step, if answered.is_ok() { "answered" } else { "failed" });
}

impl From<trunkline_journal::Error> for Refusal {
    fn from(error: trunkline_journal::Error) -> Self {
        FindError::Journal(error).into()
    }
}
