//! The operators' side of telephone lines: the calls that are up, and who is brought into one.

use axum::{
    Json,
    extract::{Path, State as Shared},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};
use trunkline_channel::problem::Problem;
use trunkline_model::ContactId;
use utoipa::ToSchema;

use super::{
    State,
    auth::{NamedContact, Operator},
    body::{Body, JsonBody},
    callers::sentence,
    problem::Refusal,
};
use crate::{
    limits::{AGENT_NAME_CHARS_MAX, DIALLED_CHARS_MAX},
    lines::{Guest, LineError, LineView, Lines, Part, Party},
};

/// The calls that are up.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Calls {
    calls: Vec<Call>,
}

/// A call.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Call {
    /// The contact that it is.
    contact: String,
    /// Who brought it: `trunk NAME` or `phone NAME`.
    from: String,
}

impl From<&LineView> for Call {
    fn from(line: &LineView) -> Self {
        Self {
            contact: line.contact.to_string(),
            from: line.from.to_string(),
        }
    }
}

/// The calls that are up; none where the server answers no phone.
#[utoipa::path(
    get,
    path = "/api/v1/calls",
    tag = "operators",
    responses(
        (status = 200, description = "The calls.", body = Calls),
        (status = 401, description = "The API key is missing or wrong.", body = Problem),
    )
)]
pub(crate) async fn list(Shared(state): Shared<State>, _: Operator) -> Json<Calls> {
    let calls = state
        .contacts()
        .lines()
        .map(|lines| lines.calls())
        .unwrap_or_default();
    Json(Calls {
        calls: calls.iter().map(Call::from).collect(),
    })
}

/// Somebody to be brought into a call: one of `agent` and `number`.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct NewLeg {
    /// An agent, whose registered phone rings. Who listens or whispers has `supervisor: true` in
    /// agents.yaml.
    agent: Option<String>,
    /// A number outside, which may only join.
    number: Option<String>,
    /// `listens` is heard by nobody, `whispers` by the agent alone, `joins` by all.
    part: String,
}

impl Body for NewLeg {
    const FIELDS: &'static [&'static str] = &["agent", "number", "part"];
}

/// A leg that rings.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Leg {
    /// The number by which it is known in this call.
    leg: u64,
}

/// Brings somebody into a contact's call: a supervisor who listens or whispers, or a third party.
#[utoipa::path(
    post,
    path = "/api/v1/contacts/{id}/legs",
    tag = "operators",
    params(("id" = String, Path, description = "The contact.")),
    request_body = NewLeg,
    responses(
        (status = 201, description = "It rings there.", body = Leg),
        (status = 400, description = "The request cannot be understood.", body = Problem),
        (status = 401, description = "The API key is missing or wrong.", body = Problem),
        (status = 404, description = "The contact is on no telephone line.", body = Problem),
        (status = 409, description = "That party cannot be brought in.", body = Problem),
        (status = 502, description = "It could not be called.", body = Problem),
    )
)]
pub(crate) async fn add(
    Shared(state): Shared<State>,
    _: Operator,
    NamedContact(contact): NamedContact,
    JsonBody(wish): JsonBody<NewLeg>,
) -> Result<(StatusCode, Json<Leg>), Refusal> {
    let guest = guest(wish)?;
    let part = guest.part;
    let leg = lines(&state, &contact)?.add(&contact, guest).await?;
    tracing::info!(%contact, leg, part = part.as_str(), "an operator brings somebody into a call");
    Ok((StatusCode::CREATED, Json(Leg { leg })))
}

/// Ends a leg that was brought in.
#[utoipa::path(
    delete,
    path = "/api/v1/contacts/{id}/legs/{leg}",
    tag = "operators",
    params(
        ("id" = String, Path, description = "The contact."),
        ("leg" = u64, Path, description = "The leg, as it was answered when it was brought in.")
    ),
    responses(
        (status = 204, description = "It is ended."),
        (status = 401, description = "The API key is missing or wrong.", body = Problem),
        (status = 404, description = "There is no such call or leg.", body = Problem),
    )
)]
pub(crate) async fn remove(
    Shared(state): Shared<State>,
    _: Operator,
    Path((contact, leg)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    let contact = ContactId::parse(&contact).ok_or_else(|| no_call(&contact))?;
    let leg = leg.parse().map_err(|_| {
        Refusal::bad_request(
            "bad-leg",
            "This is no leg's number.",
            "Send the `leg` that was answered.",
        )
    })?;
    lines(&state, &contact)?.remove(&contact, leg).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn lines(state: &State, contact: &ContactId) -> Result<std::sync::Arc<dyn Lines>, Refusal> {
    let lines = state.contacts().lines();
    lines.ok_or_else(|| LineError::NoCall(contact.clone()).into())
}

fn guest(wish: NewLeg) -> Result<Guest, Refusal> {
    let part = Part::ALL.into_iter().find(|part| part.as_str() == wish.part);
    let part = part.ok_or_else(|| {
        Refusal::bad_request(
            "bad-part",
            "This is nothing that somebody does in a call.",
            "Write listens, whispers or joins.",
        )
    })?;
    let party = match (wish.agent, wish.number) {
        (Some(agent), None) if is_name(&agent) => Party::Agent(agent),
        (None, Some(number)) if is_number(&number) => Party::Number(number),
        _ => {
            return Err(Refusal::bad_request(
                "bad-party",
                "Nobody, or two, are named, or what is named is neither an agent nor a number.",
                "Send one of `agent`, as agents.yaml names it, and `number`, digits with at most a `+` before them.",
            ));
        }
    };
    Ok(Guest { party, part })
}

fn is_name(name: &str) -> bool {
    (1..=AGENT_NAME_CHARS_MAX).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

fn is_number(number: &str) -> bool {
    let digits = number.strip_prefix('+').unwrap_or(number);
    (1..=DIALLED_CHARS_MAX).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn no_call(contact: &str) -> Refusal {
    Refusal::not_found(
        "no-such-call",
        format!(
            "No call has the contact {:?}.",
            contact.chars().take(32).collect::<String>()
        ),
        "GET /api/v1/calls lists them.",
    )
}

impl From<LineError> for Refusal {
    fn from(error: LineError) -> Self {
        let said = error.to_string();
        let (detail, mend) = said.split_once("; ").unwrap_or((&said, "try again"));
        let (detail, mend) = (sentence(detail), sentence(mend));
        let conflict = |code| {
            Self::new(
                StatusCode::CONFLICT,
                code,
                "Not possible now",
                detail.clone(),
                mend.clone(),
            )
        };
        match error {
            LineError::NoCall(_) => Self::not_found("no-such-call", detail, mend),
            LineError::NoSuchLeg(_) => Self::not_found("no-such-leg", detail, mend),
            LineError::NoSupervisor(_) => conflict("no-supervisor"),
            LineError::Unsupervised => conflict("only-joins"),
            LineError::NoPhone(_) => conflict("no-phone"),
            LineError::NoTrunk => conflict("no-trunk"),
            LineError::TooMany(_) => conflict("too-many-legs"),
            LineError::Failed(_) => Self::new(
                StatusCode::BAD_GATEWAY,
                "not-called",
                "Nobody was called",
                detail,
                mend,
            ),
        }
    }
}
