//! Finds citizens by phone number in the register (CRM) of civil affairs.
//!
//! The register is a service of its own, asked by `POST {url}/v1/citizens/find`; this
//! component turns its replies into the answers of `civil:crm/citizens`. It keeps nothing.
//! [`register`] holds what is pure about it.

mod register;

use std::time::Duration;

use bindings::exports::civil::crm::citizens::{Citizen, Guest, LookupError};
use trunkline_sdk::{call, config, http, log};

mod bindings {
    wit_bindgen::generate!({ path: "wit", world: "plugin" });
}
trunkline_sdk::embed_wit!("../wit/crm.wit");
bindings::export!(CrmLookup with_types_in bindings);

/// Time kept back from the call's own, to answer `unreachable` rather than be stopped.
const ANSWER_MARGIN: Duration = Duration::from_millis(50);

struct CrmLookup;

impl Guest for CrmLookup {
    fn find_citizen(phone: String) -> Result<Citizen, LookupError> {
        // The register holds E.164 only: what is no such number is nobody's.
        if !register::is_e164(&phone) {
            return Err(LookupError::NotFound);
        }
        ask(&phone).map_or_else(|why| unreachable(&why), |reply| answer(&reply))
    }
}

fn ask(phone: &str) -> Result<http::Reply, String> {
    let url = config::require("url").map_err(|error| error.to_string())?;
    let call = call::current();
    http::post(register::address(&url))
        .header("accept", "application/json")
        // The same for every attempt of this call, so that the register may count it once.
        .header("idempotency-key", call.id.as_str())
        .timeout(call.remaining_less(ANSWER_MARGIN))
        .reply_bytes_max(register::REPLY_BYTES_MAX)
        .json(&register::Question { phone })
        .and_then(http::Request::send)
        .map_err(|error| error.to_string())
}

fn answer(reply: &http::Reply) -> Result<Citizen, LookupError> {
    match register::read(reply.status(), reply.body()) {
        register::Answer::Found(found) => Ok(Citizen {
            id: found.id,
            name: found.name,
            district: found.district,
            language: found.language,
            birth_year: found.birth_year,
        }),
        register::Answer::NotFound => Err(LookupError::NotFound),
        register::Answer::Ambiguous(count) => Err(LookupError::Ambiguous(count)),
        register::Answer::Unusable(why) => unreachable(&why),
    }
}

fn unreachable(why: &str) -> Result<Citizen, LookupError> {
    log::warn!("the register gave no answer: {why}");
    Err(LookupError::Unreachable(why.to_owned()))
}

#[cfg(test)]
mod tests;
