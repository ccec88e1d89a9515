//! Reads an address card: a small, typical step (200 bytes in, a record of seven fields out)
//! with no import at all, which the benchmarks run in every way they compare.

mod card;

use bindings::exports::civil::cards::cards::{Card, CardError, Guest};

mod bindings {
    wit_bindgen::generate!({ path: "wit", world: "plugin" });
}
bindings::export!(AddressCard with_types_in bindings);

struct AddressCard;

impl Guest for AddressCard {
    fn read(text: String) -> Result<Card, CardError> {
        let card = card::read(&text).map_err(|field| CardError::Malformed(field.to_owned()))?;
        Ok(Card {
            id: card.id,
            name: card.name,
            district: card.district,
            street: card.street,
            born: card.born,
            household: card.household,
            registered: card.registered,
        })
    }
}
