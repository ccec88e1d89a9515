//! The callers' side: a contact begins, hears inputs, and says turns.

use std::convert::Infallible;

use axum::{
    Json,
    extract::State as Shared,
    http::{HeaderMap, StatusCode, header},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::{Stream, StreamExt as _, stream};
use serde::Deserialize;
use trunkline_channel::{
    chat::{Begun, Given, NewContact, Taken, Turn, Turns},
    problem::Problem,
};
use trunkline_engine::{Channel, Input, Utterance, input::Refused};
use trunkline_model::{ContactId, Duration, InputId, limits::INPUT_ID_BYTES_MAX};

use super::{
    State,
    auth::{OwnContact, Trusted},
    body::{JsonBody, Parameters},
    problem::Refusal,
};
use crate::{
    contacts::{ArriveError, Call, DeliverError},
    limits::{DRAINING_RETRY_S, POLL_WAIT_MAX, STREAM_KEEP_ALIVE, TURNS_PER_ANSWER_MAX},
};

/// Begins a contact.
///
/// The same `id` again within a day is the same request: it gets the same contact and token.
/// `from` counts as the caller's number only with a trusted client's key.
#[utoipa::path(
    post,
    path = "/api/v1/contacts",
    tag = "callers",
    request_body = NewContact,
    responses(
        (status = 201, description = "The contact has begun, durably.", body = Begun),
        (status = 400, description = "The request cannot be understood.", body = Problem),
        (status = 401, description = "A key was sent that is not a trusted client's.", body = Problem),
        (status = 409, description = "The id came before with another request.", body = Problem),
        (status = 422, description = "There is no such number or channel.", body = Problem),
        (status = 503, description = "Not possible now.", body = Problem),
    )
)]
pub(crate) async fn begin(
    Shared(state): Shared<State>,
    Trusted(trusted): Trusted,
    JsonBody(new): JsonBody<NewContact>,
) -> Result<(StatusCode, Json<Begun>), Refusal> {
    if let Some(channel) = new.channel.as_deref().filter(|channel| *channel != "chat") {
        return Err(Refusal::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "no-such-channel",
            "The contact cannot begin",
            format!(
                "There is no channel {:?} over HTTP.",
                channel.chars().take(32).collect::<String>()
            ),
            "Write `\"channel\": \"chat\"`, or leave it out.",
        ));
    }
    let (caller, claimed) = if trusted {
        (new.from, None)
    } else {
        (None, new.from)
    };
    let call = Call {
        id: new.id,
        channel: Channel::Chat,
        number: new.number,
        language: new.language,
        caller,
        claimed,
    };
    let arrived = state.contacts().arrive(call).await?;
    Ok((
        StatusCode::CREATED,
        Json(Begun {
            contact: arrived.contact.to_string(),
            token: arrived.token.as_str().to_owned(),
            release: arrived.release.to_string(),
        }),
    ))
}

/// Gives a contact what its caller pressed or wrote, or that the caller left.
///
/// The same `id` again is the same input and gets the same answer.
#[utoipa::path(
    post,
    path = "/api/v1/contacts/{id}/inputs",
    tag = "callers",
    params(("id" = String, Path, description = "The contact.")),
    request_body = Given,
    responses(
        (status = 202, description = "The input is durable.", body = Taken),
        (status = 400, description = "The request cannot be understood.", body = Problem),
        (status = 401, description = "The token is missing or not this contact's.", body = Problem),
        (status = 404, description = "There is no such contact.", body = Problem),
        (status = 409, description = "`ended` or `not-listening`: not valid now; recorded, and nothing moved.", body = Problem),
        (status = 422, description = "`bad-keys` or `bad-text`: never valid; recorded, and nothing moved.", body = Problem),
        (status = 503, description = "Not possible now.", body = Problem),
    )
)]
pub(crate) async fn give(
    Shared(state): Shared<State>,
    OwnContact(contact): OwnContact,
    JsonBody(given): JsonBody<Given>,
) -> Result<(StatusCode, Json<Taken>), Refusal> {
    let taken = take(&state, &contact, given).await?;
    Ok((StatusCode::ACCEPTED, Json(taken)))
}

/// Gives a contact an input, whichever way it came.
pub(super) async fn take(state: &State, contact: &ContactId, given: Given) -> Result<Taken, Refusal> {
    let input = input(given)?;
    let delivered = state.contacts().deliver(contact, input).await?;
    match delivered.reply.refused() {
        Some(why) => Err(refused(why)),
        None => Ok(Taken {
            seq: delivered.seq,
            reply: "accepted".to_owned(),
        }),
    }
}

fn input(given: Given) -> Result<Input, Refusal> {
    let id = &given.id;
    if id.is_empty() || id.len() > INPUT_ID_BYTES_MAX || id.chars().any(char::is_control) {
        return Err(Refusal::bad_request(
            "bad-input-id",
            format!("An input's id has 1 to {INPUT_ID_BYTES_MAX} bytes and no control characters."),
            "Give each input an id of its own, and the same one when it is sent again.",
        ));
    }
    let id = InputId::new(given.id);
    match (given.keys, given.text, given.hang_up) {
        (Some(keys), None, None) => Ok(Input::Utterance {
            id,
            utterance: Utterance::Keys(keys.into()),
        }),
        (None, Some(text), None) => Ok(Input::Utterance {
            id,
            utterance: Utterance::Text(text.into()),
        }),
        (None, None, Some(true)) => Ok(Input::HangUp { id: Some(id) }),
        _ => Err(Refusal::bad_request(
            "not-one-input",
            "An input is exactly one of `keys`, `text` and `\"hang_up\": true`.",
            "Send one of them; send others as inputs with ids of their own.",
        )),
    }
}

fn refused(why: Refused) -> Refusal {
    let (status, mend) = match why {
        Refused::Ended => (StatusCode::CONFLICT, "Begin a new contact."),
        Refused::NotListening => (StatusCode::CONFLICT, "Wait for the next turn of type `ask`."),
        Refused::BadKeys => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "Send keys of the keypad, under a new id.",
        ),
        Refused::BadText => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "Send another text, under a new id.",
        ),
    };
    Refusal::new(
        status,
        why.as_str(),
        "The input was not taken",
        sentence(&why.to_string()),
        mend,
    )
}

/// Which turns are asked for.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TurnsQuery {
    /// Only turns after this number; 0 when left out. A stream takes `Last-Event-ID` instead,
    /// when that is sent.
    #[serde(default)]
    after: u64,
    /// Seconds to wait for the first turn, at most 60; 0 when left out.
    #[serde(default)]
    wait: u64,
}

/// What the caller hears, in order.
///
/// With `Accept: text/event-stream` a stream of server-sent events: one for each turn, its
/// `id` the turn's number, its `data` the turn. A stream that is taken up again sends
/// `Last-Event-ID`. After the turn of type `ended` it ends, and 204 says that it has.
#[utoipa::path(
    get,
    path = "/api/v1/contacts/{id}/turns",
    tag = "callers",
    params(("id" = String, Path, description = "The contact."), TurnsQuery),
    responses(
        (status = 200, description = "The turns after `after`; none when none came in time.", body = Turns),
        (status = 204, description = "The contact has ended and the stream has nothing more."),
        (status = 400, description = "The request cannot be understood.", body = Problem),
        (status = 401, description = "The token is missing or not this contact's.", body = Problem),
        (status = 404, description = "There is no such contact.", body = Problem),
    )
)]
pub(crate) async fn turns(
    Shared(state): Shared<State>,
    OwnContact(contact): OwnContact,
    Parameters(query): Parameters<TurnsQuery>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    if wants_stream(&headers) {
        return stream_turns(state, contact, query.after, &headers).await;
    }
    let wait = Duration::from_secs(query.wait);
    if wait > POLL_WAIT_MAX {
        return Err(Refusal::bad_request(
            "bad-query",
            format!("`wait` is {} s, and the most is {POLL_WAIT_MAX}.", query.wait),
            "Ask again when the time is over, or ask for a stream.",
        ));
    }
    let until = state.contacts().clock.now() + wait;
    let mut turns = state.contacts().turns(&contact, query.after, Some(until)).await?;
    turns.truncate(TURNS_PER_ANSWER_MAX);
    Ok(Json(Turns {
        turns: turns.iter().map(Turn::from).collect(),
    })
    .into_response())
}

fn wants_stream(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|accept| accept.to_str().ok())
        .flat_map(|accept| accept.split(','))
        .filter_map(|media| media.split(';').next())
        .any(|media| media.trim().eq_ignore_ascii_case("text/event-stream"))
}

async fn stream_turns(
    state: State,
    contact: ContactId,
    after: u64,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    let after = match headers.get("last-event-id") {
        None => after,
        Some(last) => last
            .to_str()
            .ok()
            .and_then(|last| last.trim().parse().ok())
            .ok_or_else(|| {
                Refusal::bad_request(
                    "bad-last-event-id",
                    "`Last-Event-ID` is no turn's number.",
                    "Send the `id` of the last event that came, or leave the header out.",
                )
            })?,
    };
    let begun = state.contacts().turns(&contact, after, None).await?;
    if begun.is_empty() && state.contacts().session(&contact).await?.has_ended() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let keep_alive = KeepAlive::new().interval(STREAM_KEEP_ALIVE.to_std());
    Ok(Sse::new(events(state, contact, after))
        .keep_alive(keep_alive)
        .into_response())
}

/// Turns as events, until the contact has ended or the node stops.
fn events(
    state: State,
    contact: ContactId,
    after: u64,
) -> impl Stream<Item = Result<Event, Infallible>> + Send + 'static {
    let batches = stream::unfold(Some(after), move |after| {
        let (state, contact) = (state.clone(), contact.clone());
        async move {
            let after = after?;
            let contacts = state.contacts();
            let turns = loop {
                let until = contacts.clock.now() + POLL_WAIT_MAX;
                // Whoever is told nothing takes the stream up again where it was.
                let turns = contacts.turns(&contact, after, Some(until)).await.ok()?;
                if !turns.is_empty() {
                    break turns;
                }
                if contacts.is_stopping() || contacts.session(&contact).await.ok()?.has_ended() {
                    return None;
                }
            };
            let turns: Vec<Turn> = turns.iter().map(Turn::from).collect();
            let ended = turns.iter().any(|turn| matches!(turn, Turn::Ended { .. }));
            let last = turns.last().map(Turn::seq).filter(|_| !ended);
            Some((turns, last))
        }
    });
    batches.flat_map(stream::iter).map(|turn| {
        let data = serde_json::to_string(&turn).expect("turns are texts and numbers");
        Ok(Event::default()
            .id(turn.seq().to_string())
            .event(turn.kind())
            .data(data))
    })
}

impl From<ArriveError> for Refusal {
    fn from(error: ArriveError) -> Self {
        let cannot = "The contact cannot begin";
        let detail = sentence(&error.to_string());
        match error {
            ArriveError::NoSuchNumber { .. } => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "no-such-number",
                cannot,
                detail,
                "Call one of the hotline's numbers; they stand under `numbers` in hotline.yaml.",
            ),
            ArriveError::BadCaller(_) => {
                Self::bad_request("bad-from", detail, "Write `from` in E.164, or leave it out.")
            }
            ArriveError::BadLanguage(_) => Self::bad_request(
                "bad-language",
                detail,
                "Write `language` as a BCP 47 tag, or leave it out.",
            ),
            ArriveError::BadId { .. } => Self::bad_request(
                "bad-request-id",
                detail,
                "Draw the id at random, or leave it out.",
            ),
            ArriveError::IdReused => Self::new(
                StatusCode::CONFLICT,
                "id-reused",
                cannot,
                detail,
                "Draw a new id for a new contact.",
            ),
            ArriveError::TooMany(_) => Self::unavailable("too-many-contacts", detail, 10),
            ArriveError::Stopping => Self::unavailable("stopping", detail, 5),
            ArriveError::Draining => Self::unavailable("draining", detail, DRAINING_RETRY_S),
            ArriveError::NoRelease => Self::unavailable("no-release", detail, 5),
            ArriveError::Journal(error) => {
                tracing::error!(%error, "a contact could not begin");
                Self::unavailable("store-unavailable", "The store cannot be written now.", 2)
            }
        }
    }
}

impl From<DeliverError> for Refusal {
    fn from(error: DeliverError) -> Self {
        let detail = sentence(&error.to_string());
        match error {
            DeliverError::Find(error) => error.into(),
            DeliverError::Stranded { .. } => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "release-lost",
                "The contact cannot go on",
                "The release that the contact is on cannot be rebuilt.",
                "Begin a new contact; GET /api/v1/contacts/{id} tells the operator why.",
            ),
            DeliverError::Stopping => Self::unavailable("stopping", detail, 5),
            DeliverError::Journal(error) => {
                tracing::error!(%error, "an input could not be taken");
                Self::unavailable("store-unavailable", "The store cannot be written now.", 2)
            }
        }
    }
}

/// An error's text as a sentence.
pub(super) fn sentence(text: &str) -> String {
    let mut characters = text.trim_end_matches('.').chars();
    match characters.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), characters.as_str()),
        None => String::new(),
    }
}
