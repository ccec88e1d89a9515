//! The operators' side of contacts: which there are, how they stand, what happened to them.

use axum::{Json, extract::State as Shared};
use serde::Deserialize;
use trunkline_channel::problem::Problem;
use trunkline_model::ContactId;

use super::{
    State,
    auth::{NamedContact, Operator},
    body::Parameters,
    problem::Refusal,
    wire,
};
use crate::{
    contacts::{State as ContactState, StateFilter},
    limits::{PAGE_DEFAULT, PAGE_MAX},
};

/// Which contacts are asked for.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// `live` (the default), `all`, or one state: `hearing`, `calling`, `serving`, `waiting`,
    /// `stranded`, `ended`.
    state: Option<String>,
    /// Only contacts after this one: the `next` of the page before.
    after: Option<String>,
    /// At most so many; 100 when left out, at most 1,000.
    limit: Option<usize>,
}

/// Lists contacts in order of their arrival.
#[utoipa::path(
    get,
    path = "/api/v1/contacts",
    tag = "operators",
    params(ListQuery),
    responses(
        (status = 200, description = "A page of contacts.", body = wire::Contacts),
        (status = 400, description = "The request cannot be understood.", body = Problem),
        (status = 401, description = "The API key is missing or wrong.", body = Problem),
    )
)]
pub(crate) async fn list(
    Shared(state): Shared<State>,
    _: Operator,
    Parameters(query): Parameters<ListQuery>,
) -> Result<Json<wire::Contacts>, Refusal> {
    let filter = filter(query.state.as_deref())?;
    let after = after(query.after.as_deref())?;
    let page = state
        .contacts()
        .page(filter, after.as_ref(), limit(query.limit)?)
        .await?;
    Ok(Json(wire::Contacts {
        contacts: page.contacts.iter().map(wire::ContactState::from).collect(),
        next: page.next.map(|next| next.to_string()),
    }))
}

fn filter(state: Option<&str>) -> Result<StateFilter, Refusal> {
    match state {
        None | Some("live") => Ok(StateFilter::Live),
        Some("all") => Ok(StateFilter::All),
        Some(name) => {
            let found = ContactState::ALL.into_iter().find(|state| state.as_str() == name);
            found.map(StateFilter::Only).ok_or_else(|| {
                Refusal::bad_request(
                    "bad-state",
                    format!(
                        "{:?} is no state of a contact.",
                        name.chars().take(32).collect::<String>()
                    ),
                    "Write live, all, hearing, calling, serving, waiting, stranded or ended.",
                )
            })
        }
    }
}

/// The contact after which a page begins.
pub(super) fn after(after: Option<&str>) -> Result<Option<ContactId>, Refusal> {
    after
        .map(|after| {
            ContactId::parse(after).ok_or_else(|| {
                Refusal::bad_request(
                    "bad-contact-id",
                    "`after` is no contact's id.",
                    "Send the `next` of the page before.",
                )
            })
        })
        .transpose()
}

pub(super) fn limit(limit: Option<usize>) -> Result<usize, Refusal> {
    let limit = limit.unwrap_or(PAGE_DEFAULT);
    if (1..=PAGE_MAX).contains(&limit) {
        return Ok(limit);
    }
    Err(Refusal::bad_request(
        "bad-limit",
        format!("`limit` is {limit}, and it may be 1 to {PAGE_MAX}."),
        "Ask for the next page with `after`.",
    ))
}

/// How a contact stands: its release, flow and step, what it waits for, since when, until when.
#[utoipa::path(
    get,
    path = "/api/v1/contacts/{id}",
    tag = "operators",
    params(("id" = String, Path, description = "The contact.")),
    responses(
        (status = 200, description = "How it stands.", body = wire::ContactState),
        (status = 401, description = "The API key is missing or wrong.", body = Problem),
        (status = 404, description = "There is no such contact.", body = Problem),
    )
)]
pub(crate) async fn one(
    Shared(state): Shared<State>,
    _: Operator,
    NamedContact(contact): NamedContact,
) -> Result<Json<wire::ContactState>, Refusal> {
    let summary = state.contacts().summary(&contact).await?;
    Ok(Json(wire::ContactState::from(&summary)))
}

/// Which events are asked for.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventsQuery {
    /// Only events after this number.
    #[serde(default)]
    after: u64,
    /// At most so many; 100 when left out, at most 1,000.
    limit: Option<usize>,
    /// Whether with what is personal: who called, what was said, asked and answered. Reading
    /// it is logged.
    #[serde(default)]
    personal: bool,
}

/// A contact's journal. What is personal in it is left out unless it is asked for.
#[utoipa::path(
    get,
    path = "/api/v1/contacts/{id}/events",
    tag = "operators",
    params(("id" = String, Path, description = "The contact."), EventsQuery),
    responses(
        (status = 200, description = "A page of events.", body = wire::Events),
        (status = 401, description = "The API key is missing or wrong.", body = Problem),
        (status = 404, description = "There is no such contact.", body = Problem),
    )
)]
pub(crate) async fn events(
    Shared(state): Shared<State>,
    _: Operator,
    NamedContact(contact): NamedContact,
    Parameters(query): Parameters<EventsQuery>,
) -> Result<Json<wire::Events>, Refusal> {
    let limit = limit(query.limit)?;
    let (events, more) = state.contacts().events(&contact, query.after, limit).await?;
    if query.personal {
        tracing::info!(%contact, "an operator read the personal part of a contact");
    }
    let next = events.last().filter(|_| more).map(|(seq, _)| *seq);
    let events = events
        .iter()
        .map(|(seq, event)| wire::RecordedEvent::new(*seq, event, query.personal))
        .collect();
    Ok(Json(wire::Events { events, next }))
}
