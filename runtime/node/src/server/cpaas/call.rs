//! One request of a carrier: what it says is given to the contact, once ([`Given`]), and the answer is what
//! the contact says next ([`answer`]).

use axum::response::Response;
use trunkline_channel::cpaas::{Dialect, Phase, Posted};
use trunkline_engine::Input;
use trunkline_model::{ContactId, Digest};

use super::{
    ArriveError, DeliverError,
    answered::{answer, answered, document, key},
    carrier::Carrier,
    given::Given,
    links::{At, Step},
};
use crate::{
    contacts::{Call, is_e164},
    server::{State, problem::Refusal},
};

/// A call comes in: a contact begins, and says its first.
pub(super) async fn begin(state: &State, carrier: &Carrier, posted: &Posted) -> Result<Response, Refusal> {
    let Some(number) = called(state, carrier, posted.to.as_deref()) else {
        tracing::warn!(
            carrier = carrier.name,
            "a call came to a number that the hotline does not have, or not by this carrier"
        );
        return Ok(carrier.reject());
    };
    let call = Call {
        id: Some(request_id(carrier.dialect, &carrier.name, &posted.call)),
        channel: carrier.dialect.channel(),
        number,
        language: None,
        // Whoever signed the request vouches for it; what is withheld or no number is unknown.
        caller: posted.from.clone().filter(|from| is_e164(from)),
        claimed: None,
    };
    let arrived = match state.contacts().arrive(call).await {
        Ok(arrived) => arrived,
        Err(error @ (ArriveError::NoSuchNumber { .. } | ArriveError::IdReused)) => {
            tracing::warn!(carrier = carrier.name, code = %kind(&error), "a carrier's call is refused");
            return Ok(carrier.reject());
        }
        Err(error) => return Err(error.into()),
    };
    let at = At { after: 0, again: 0 };
    answer(state, carrier, &arrived.contact, &posted.call, "call", at).await
}

const fn kind(error: &ArriveError) -> &'static str {
    match error {
        ArriveError::NoSuchNumber { .. } => "no-such-number",
        _ => "call-name-reused",
    }
}

/// The call is over.
pub(super) async fn over(state: &State, carrier: &Carrier, posted: &Posted) -> Result<(), Refusal> {
    let id = request_id(carrier.dialect, &carrier.name, &posted.call);
    match state.contacts().begun_by(&id).await? {
        Some(contact) => hang_up(state, &contact).await,
        // One that was never taken.
        None => Ok(()),
    }
}

/// The next step of a call.
pub(super) async fn go_on(
    state: &State,
    carrier: &Carrier,
    contact: &ContactId,
    call: &str,
    step: Step,
    at: At,
    posted: &Posted,
) -> Result<Response, Refusal> {
    let name = step.as_str();
    if step != Step::Answered
        && let Some(until) = answered(state, &key(carrier, contact, call, name, at)).await?
    {
        return document(state, carrier, contact, call, at, until).await;
    }
    let given = Given {
        state,
        carrier,
        contact,
        at,
        step,
    };
    // The status of a dialled leg is not the call's own.
    let over = posted.phase == Some(Phase::Over) && step != Step::Answered;
    if over && step != Step::Record {
        // Who has left while a transfer rang does not go on behind it.
        hang_up(state, contact).await?;
    } else {
        given.take(posted).await?;
        if over {
            // What was recorded until then is a message.
            hang_up(state, contact).await?;
        }
    }
    if step == Step::Answered {
        return Ok(carrier.nothing());
    }
    answer(state, carrier, contact, call, name, at).await
}

async fn hang_up(state: &State, contact: &ContactId) -> Result<(), Refusal> {
    let left = Input::HangUp {
        id: Some("carrier-hang-up".into()),
    };
    deliver(state, contact, left).await
}

/// Gives an input. That it was refused is recorded; the next document asks again.
pub(super) async fn deliver(state: &State, contact: &ContactId, input: Input) -> Result<(), Refusal> {
    match state.contacts().deliver(contact, input).await {
        Ok(_) => Ok(()),
        Err(DeliverError::Stranded { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The hotline's number that was called.
fn called(state: &State, carrier: &Carrier, to: Option<&str>) -> Option<String> {
    let to = to?.trim();
    let to = to.strip_prefix("sip:").or(to.strip_prefix("tel:")).unwrap_or(to);
    let user = to.split(['@', ';']).next()?;
    let release = state.releases().current()?;
    let numbers = &release.hotline().numbers;
    let allowed = |number: &str| {
        carrier
            .numbers
            .as_ref()
            .is_none_or(|own| own.iter().any(|own| **own == *number))
    };
    [user, user.strip_prefix('+').unwrap_or(user)]
        .into_iter()
        .find(|number| numbers.contains_key(*number) && allowed(number))
        .map(str::to_owned)
}

/// The name of a call's request for a contact.
pub(super) fn request_id(dialect: Dialect, carrier: &str, call: &str) -> String {
    Digest::of_parts([dialect.as_str(), carrier, call].map(str::as_bytes)).to_string()
}
