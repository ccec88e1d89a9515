//! The carriers' side: a call comes in, and each answer is a document that says what comes next.
//!
//! A carrier asks at every point where it needs to know more: the call, what was given, that all was
//! said, what came of a transfer. Each request is held against its signature, moves the contact once
//! ([`call`]), and is answered by what the contact said and asks since ([`script`]). A contact that
//! takes longer is asked for again: nothing is held open past what carriers wait for.
//!
//! A request that comes again is answered as before, byte for byte: how far its answer went is kept,
//! and the document is made of the contact's events up to there.

mod call;
mod links;
mod script;
mod signed;
#[cfg(test)]
mod table;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, Request, State as Shared},
    http::{HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use trunkline_channel::cpaas::{Dialect, Phase, Posted, Script, Target, Then, render};
use trunkline_flow::hotline::{Agent, CarrierKind};
use trunkline_model::{ContactId, Digest};
use trunkline_plugin::SecretValue;

use self::{
    links::{At, Links, Step},
    signed::Unsigned,
};
use super::{State, body, problem::Refusal};
use crate::{
    contacts::{ArriveError, DeliverError, FindError},
    limits::{CARRIER_BYTES_MAX, CARRIER_CLOCK_SKEW_MAX},
    observe,
};

/// What the paths of carriers begin with.
pub(super) const PATHS: &str = "/carriers/";

/// A carrier, as a request needs it.
pub(super) struct Carrier {
    name: String,
    dialect: Dialect,
    /// The address that it knows the server by.
    url: String,
    secret: SecretValue,
    /// The hotline's numbers that come by it; all without.
    numbers: Option<Vec<Arc<str>>>,
}

impl Carrier {
    fn links(&self) -> Links<'_> {
        Links {
            url: &self.url,
            carrier: &self.name,
            secret: self.secret.bytes(),
        }
    }

    fn counts(&self, step: &'static str, outcome: &'static str) {
        metrics::counter!(observe::CARRIERS, "carrier" => self.name.clone(), "step" => step, "outcome" => outcome)
            .increment(1);
    }

    /// An answer in the carrier's dialect.
    fn document(&self, text: String) -> Response {
        let media = HeaderValue::from_static(self.dialect.media_type());
        ([(header::CONTENT_TYPE, media)], text).into_response()
    }

    /// An answer to what needs none.
    fn nothing(&self) -> Response {
        self.document(match self.dialect {
            Dialect::Twiml => "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>".to_owned(),
            Dialect::Jambonz => "[]".to_owned(),
        })
    }

    fn reject(&self) -> Response {
        self.only(Then::Reject)
    }

    fn hang_up(&self) -> Response {
        self.only(Then::HangUp)
    }

    /// An answer that says nothing.
    fn only(&self, then: Then) -> Response {
        let script = Script {
            said: Vec::new(),
            then,
        };
        self.document(render(self.dialect, &script))
    }
}

/// Where a carrier reaches an agent: the SIP phone that is registered with this server, at the host
/// by which the carrier knows it.
fn agent_address(agent: &Agent, name: &str, carrier: &Carrier) -> Option<Target> {
    agent.phone.as_ref()?;
    let (_, rest) = carrier.url.split_once("://")?;
    let authority = rest.split('/').next()?;
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    Some(Target::Sip(format!("sip:{name}@{host}")))
}

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
    let carrier = carrier(&state, &name)?;
    let posted = signed(&state, &carrier, "call", request).await?;
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
    let carrier = carrier(&state, &name)?;
    let posted = signed(&state, &carrier, "status", request).await?;
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
    let carrier = carrier(&state, &name)?;
    let place = axum::extract::Query::<Place>::try_from_uri(request.uri()).ok();
    let posted = signed(&state, &carrier, "step", request).await?;
    let foreign = || {
        carrier.counts("step", "foreign");
        forbidden("The address is not one that this server gave for this call.")
    };
    let (Some(step), Some(contact), Some(axum::extract::Query(place))) =
        (Step::parse(&step), ContactId::parse(&contact), place)
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
    let carrier = carrier(&state, &name)?;
    let content: Digest = content.parse().map_err(|_| none())?;
    let played = carrier
        .links()
        .proves_recording(&content, &file)
        .ok_or_else(none)?;
    let found = state.contacts().journal.store().blob(&content).await;
    let bytes = found.map_err(FindError::from)?.ok_or_else(none)?;
    let headers = [
        (header::CONTENT_TYPE, played.media_type()),
        // Its address is that of its content.
        (header::CACHE_CONTROL, "private, max-age=86400, immutable"),
    ];
    Ok((headers, bytes).into_response())
}

/// A carrier of the live release.
fn carrier(state: &State, name: &str) -> Result<Carrier, Refusal> {
    let none = || {
        Refusal::not_found(
            "no-such-carrier",
            "The hotline has no such carrier.",
            "Carriers are declared under `carriers` of hotline.yaml.",
        )
    };
    let release = state.releases().current().ok_or_else(none)?;
    let declared = release.hotline().carriers.get(name).ok_or_else(none)?;
    let secret = state.feeds().secret(&declared.secret).ok_or_else(|| {
        tracing::warn!(carrier = name, secret = %declared.secret, "a carrier's secret has no value on this server: its calls are refused");
        Refusal::unavailable(
            "no-secret",
            "The server has no value of this carrier's secret; its operator has to set it.",
            60,
        )
    })?;
    Ok(Carrier {
        name: name.to_owned(),
        dialect: match declared.kind {
            CarrierKind::Twiml => Dialect::Twiml,
            CarrierKind::Jambonz => Dialect::Jambonz,
        },
        url: declared.url.as_str().to_owned(),
        secret,
        numbers: declared.numbers.clone(),
    })
}

/// A request that the carrier signed, read.
async fn signed(
    state: &State,
    carrier: &Carrier,
    step: &'static str,
    request: Request,
) -> Result<Posted, Refusal> {
    let url = format!("{}{}", carrier.url, path_and_query(request.uri()));
    let headers = request.headers().clone();
    let body = body::bytes(request, state, CARRIER_BYTES_MAX).await?;
    let now = state.contacts().clock.now();
    let verified = signed::verify(
        carrier.dialect,
        carrier.secret.bytes(),
        &url,
        &headers,
        &body,
        now,
    );
    if let Err(why) = verified {
        carrier.counts(step, "unsigned");
        tracing::warn!(
            carrier = carrier.name,
            step,
            why = why.as_str(),
            "a request in a carrier's name is not signed by it"
        );
        return Err(forbidden(match why {
            Unsigned::Missing => "The request has no signature of the carrier's.".to_owned(),
            Unsigned::Wrong => "The signature is not that of this request.".to_owned(),
            Unsigned::Stale => {
                format!("The request was signed more than {CARRIER_CLOCK_SKEW_MAX} ago, or in the future.")
            }
        }));
    }
    Posted::read(carrier.dialect, &body).map_err(|error| {
        carrier.counts(step, "unreadable");
        Refusal::bad_request(
            "bad-carrier-request",
            format!("The request cannot be read: {error}."),
            "See whether the carrier's kind in hotline.yaml is right.",
        )
    })
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
