//! The least it can cost: the same step as a function of this program.

use async_trait::async_trait;

use crate::{Step, card};

pub(crate) struct Native;

/// The card as JSON, as every native way of this benchmark writes it.
pub(crate) fn read(input: &str) -> String {
    let text: String = serde_json::from_str(input).expect("the benchmark's input is JSON");
    let card = card::read(&text).expect("the card is well formed");
    serde_json::json!({
        "id": card.id, "name": card.name, "district": card.district, "street": card.street,
        "born": card.born, "household": card.household, "registered": card.registered,
    })
    .to_string()
}

#[async_trait]
impl Step for Native {
    async fn step(&self, input: &str) -> String {
        read(input)
    }
}
