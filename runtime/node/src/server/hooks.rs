//! The door for signed events of other systems.

use axum::{
    Json,
    extract::{Path, Request, State as Shared},
    http::StatusCode,
};
use serde::Serialize;
use trunkline_channel::problem::Problem;
use utoipa::ToSchema;

use super::{State, body, problem::Refusal};
use crate::{
    feeds::hook::{Accepted, HookError},
    limits::{HOOK_BYTES_MAX, HOOK_CLOCK_SKEW_MAX},
};

/// The header that holds an event's signature.
const SIGNATURE: &str = "trunkline-signature";

/// An event that was taken.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TakenEvent {
    /// What it is known by: the same for the same event.
    event: String,
    /// Whether it came before. Then it starts nothing more.
    again: bool,
}

/// Takes a signed event and starts the flow that starts on the webhook.
///
/// The body is a JSON object of the flow's inputs. `Trunkline-Signature: t=TIME,v1=HEX` holds the time
/// of signing in seconds since 1970 and the HMAC-SHA256, in hexadecimal digits, under the webhook's
/// secret of TIME, a dot, and the body as it is sent. The same event again is answered in the same way
/// and starts nothing.
#[utoipa::path(
    post,
    path = "/api/v1/hooks/{name}",
    tag = "systems",
    params(
        ("name" = String, Path, description = "The webhook."),
        ("Trunkline-Signature" = String, Header, description = "`t=TIME,v1=HEX`"),
    ),
    request_body(content = Object, content_type = "application/json"),
    responses(
        (status = 202, description = "The event is durable.", body = TakenEvent),
        (status = 400, description = "The body is no JSON object.", body = Problem),
        (status = 401, description = "It is not signed, not with this secret, or not now.", body = Problem),
        (status = 404, description = "There is no such webhook.", body = Problem),
        (status = 413, description = "The body is too large.", body = Problem),
        (status = 422, description = "The event does not fit the flow's inputs.", body = Problem),
        (status = 503, description = "Not possible now: too many wait or are remembered, or the server has no such secret.", body = Problem),
    )
)]
pub(crate) async fn take(
    Shared(state): Shared<State>,
    Path(name): Path<String>,
    request: Request,
) -> Result<(StatusCode, Json<TakenEvent>), Refusal> {
    let signature = request
        .headers()
        .get(SIGNATURE)
        .map(|value| value.to_str().unwrap_or_default().to_owned());
    let bytes = body::bytes(request, &state, HOOK_BYTES_MAX).await?;
    let Accepted { event, again } = state.feeds().accept(&name, signature.as_deref(), &bytes).await?;
    Ok((
        StatusCode::ACCEPTED,
        Json(TakenEvent {
            event: event.to_string(),
            again,
        }),
    ))
}

impl From<HookError> for Refusal {
    fn from(error: HookError) -> Self {
        match error {
            HookError::NoSuchHook(name) => Self::not_found(
                "no-such-webhook",
                format!("There is no webhook {name:?} on which a flow starts."),
                "Webhooks are declared under `webhooks` of hotline.yaml.",
            ),
            // Which secret that is, operators read in the log.
            HookError::NoKey => Self::unavailable(
                "no-secret",
                "The server has no value of this webhook's secret; its operator has to set it.",
                60,
            ),
            HookError::Unsigned => Self::unauthorized(
                "The event is not signed.",
                "Send the header `Trunkline-Signature: t=TIME,v1=HEX`.",
            ),
            HookError::BadSignature => Self::unauthorized(
                "The signature is not that of this event.",
                "Sign TIME, a dot and the body as it is sent by HMAC-SHA256 with the webhook's secret.",
            ),
            HookError::Stale => Self::unauthorized(
                format!("The event was signed more than {HOOK_CLOCK_SKEW_MAX} ago, or in the future."),
                "Sign it again, by a clock that is right.",
            ),
            HookError::NotJson(why) => Self::bad_request(
                "bad-json",
                format!("The body is not a JSON object: {why}."),
                "Send a JSON object of the flow's inputs, in UTF-8.",
            ),
            HookError::Unfit(why) => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "bad-event",
                "The event cannot be taken",
                format!("The event does not fit the flow: {why}."),
                "Send the fields that `inputs` of the flow declares.",
            ),
            HookError::Over => Self::unavailable(
                "too-many-waiting",
                "So many events wait that no more are taken.",
                60,
            ),
            HookError::Full => Self::unavailable(
                "too-many-remembered",
                "The webhook has taken so many events that no more are taken before it forgets old ones.",
                3_600,
            ),
            HookError::Stopping => Self::unavailable("stopping", "The node is stopping.", 5),
            HookError::Store(error) => {
                tracing::error!(%error, "an event cannot be kept");
                Self::unavailable("store-unavailable", "The event cannot be kept now.", 2)
            }
        }
    }
}

#[cfg(test)]
mod tests;
