//! The step as a plugin of Extism: a card's text as JSON in, the card as JSON out.

use extism_pdk::{FnResult, plugin_fn};

#[path = "../../../../../plugins/address-card/src/card.rs"]
mod card;

/// Reads one card.
#[plugin_fn]
pub fn read(input: String) -> FnResult<String> {
    let text: String = serde_json::from_str(&input)?;
    let card = card::read(&text).map_err(|field| extism_pdk::Error::msg(field))?;
    let card = serde_json::json!({
        "id": card.id, "name": card.name, "district": card.district, "street": card.street,
        "born": card.born, "household": card.household, "registered": card.registered,
    });
    Ok(card.to_string())
}
