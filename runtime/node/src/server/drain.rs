//! Draining: before a restart the operator has the node take no new contacts, and sees who is left.

use std::collections::BTreeMap;

use axum::{Json, extract::State as Shared};
use serde::{Deserialize, Serialize};
use trunkline_channel::problem::Problem;
use trunkline_model::{ContactId, json::rfc3339};
use utoipa::ToSchema;

use super::{
    State,
    auth::Operator,
    body::Parameters,
    operators::{after, limit},
    problem::Refusal,
    wire,
};
use crate::{contacts::Drain, limits::PAGE_DEFAULT};

/// Which of those who are left are asked for.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct LeftQuery {
    /// Only contacts after this one: the `next` of the page before.
    after: Option<String>,
    /// At most so many; 100 when left out, at most 1,000.
    limit: Option<usize>,
}

/// How far draining is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Draining {
    /// Whether new contacts are refused.
    draining: bool,
    /// Since when, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    /// How many callers are on a telephone line, and would be cut off by a restart.
    left: usize,
    /// These callers' contacts, a page of them, in order of their arrival.
    calls: Vec<wire::ContactState>,
    /// The `after` of the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// How many contacts go on after a restart, by the channel they came by.
    others: BTreeMap<&'static str, usize>,
}

impl From<Drain> for Draining {
    fn from(drain: Drain) -> Self {
        Self {
            draining: drain.since.is_some(),
            since: drain.since.map(rfc3339),
            left: drain.left,
            calls: drain.calls.iter().map(wire::ContactState::from).collect(),
            next: drain.next.map(|next| next.to_string()),
            others: drain.others,
        }
    }
}

fn status(state: &State, after: Option<&ContactId>, limit: usize) -> Json<Draining> {
    Json(Draining::from(state.contacts().left(after, limit)))
}

/// Takes no new contacts from now on: they are refused with `draining`. Contacts under way go on. A restart
/// ends it.
#[utoipa::path(
    post,
    path = "/api/v1/drain",
    tag = "operators",
    responses(
        (status = 200, description = "New contacts are refused; who is left.", body = Draining),
        (status = 401, description = "The API key is missing or wrong.", body = Problem),
    )
)]
pub(crate) async fn begin(Shared(state): Shared<State>, _: Operator) -> Json<Draining> {
    state.contacts().drain(true);
    status(&state, None, PAGE_DEFAULT)
}

/// Takes new contacts again.
#[utoipa::path(
    delete,
    path = "/api/v1/drain",
    tag = "operators",
    responses(
        (status = 200, description = "New contacts are taken.", body = Draining),
        (status = 401, description = "The API key is missing or wrong.", body = Problem),
    )
)]
pub(crate) async fn undo(Shared(state): Shared<State>, _: Operator) -> Json<Draining> {
    state.contacts().drain(false);
    status(&state, None, PAGE_DEFAULT)
}

/// Whether new contacts are refused, and who a restart would cut off.
#[utoipa::path(
    get,
    path = "/api/v1/drain",
    tag = "operators",
    params(LeftQuery),
    responses(
        (status = 200, description = "How far draining is.", body = Draining),
        (status = 400, description = "The request cannot be understood.", body = Problem),
        (status = 401, description = "The API key is missing or wrong.", body = Problem),
    )
)]
pub(crate) async fn left(
    Shared(state): Shared<State>,
    _: Operator,
    Parameters(query): Parameters<LeftQuery>,
) -> Result<Json<Draining>, Refusal> {
    let after = after(query.after.as_deref())?;
    Ok(status(&state, after.as_ref(), limit(query.limit)?))
}
