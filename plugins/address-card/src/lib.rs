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

#[cfg(test)]
mod tests {
    use crate::card::read;

    #[test]
    fn cards_are_read_and_what_is_wrong_is_named() {
        let text =
            "id=330-1; name=王芳; district=西湖区; street=文三路 1; born=1990; household=7; registered=true";
        assert_eq!(read(text).unwrap().name, "王芳");
        assert_eq!(read("id=1"), Err("name"));
        assert_eq!(read(&text.replace("1990", "long ago")), Err("born"));
    }
}
