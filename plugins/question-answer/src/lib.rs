//! Answers a company's frequent questions, in Chinese and English.
//!
//! [`book`] reads questions and answers, [`near`] compares texts; both are pure. This file is
//! the component around them.

mod book;
mod near;

use bindings::exports::company::answers::answers::{AnswerError, Guest, Reply, Topic};
use trunkline_sdk::{config, log};

use crate::book::Book;

mod bindings {
    wit_bindgen::generate!({ path: "wit", world: "plugin" });
}
trunkline_sdk::embed_wit!("../wit/answers.wit");
bindings::export!(QuestionAnswer with_types_in bindings);

/// From which nearness on a known question is taken for the one that was asked.
const CONFIDENT_FROM: f64 = 0.45;

struct QuestionAnswer;

impl Guest for QuestionAnswer {
    fn classify(text: String) -> Topic {
        match book().topic(&text) {
            Some(book::Topic::Orders) => Topic::Orders,
            Some(book::Topic::Delivery) => Topic::Delivery,
            Some(book::Topic::Returns) => Topic::Returns,
            Some(book::Topic::Invoices) => Topic::Invoices,
            Some(book::Topic::Account) => Topic::Account,
            Some(book::Topic::Complaint) => Topic::Complaint,
            Some(book::Topic::Human) => Topic::Human,
            None => Topic::Other,
        }
    }

    fn answer(text: String) -> Result<Reply, AnswerError> {
        let book = book();
        let found = book
            .answer(&text)
            .filter(|found| found.confidence >= confident_from());
        let found = found.ok_or(AnswerError::NoAnswer)?;
        Ok(Reply {
            text: found.text.to_owned(),
            confidence: found.confidence,
        })
    }
}

/// The questions of hotline.yaml, or those that came with the component. A slip in a setting is
/// no reason to answer nobody.
fn book() -> Book {
    let Some(written) = config::get("questions") else {
        return Book::built_in();
    };
    Book::read(&written).unwrap_or_else(|error| {
        log::warn!("the setting \"questions\" cannot be read, {error}: the built-in questions hold");
        Book::built_in()
    })
}

fn confident_from() -> f64 {
    match config::get_or("confident-from", CONFIDENT_FROM) {
        Ok(value) if (0.0..=1.0).contains(&value) => value,
        Ok(value) => {
            log::warn!(
                "the setting \"confident-from\" is {value}, not between 0 and 1: {CONFIDENT_FROM} holds"
            );
            CONFIDENT_FROM
        }
        Err(error) => {
            log::warn!("{error}: {CONFIDENT_FROM} holds");
            CONFIDENT_FROM
        }
    }
}
