//! The citizens' register of civil affairs.
//!
//! `POST /v1/citizens/find` with `{ "phone": "+8613800138000" }`: 200 with the citizen, 404
//! `not-found`, 409 `ambiguous` with a `count` when several share the number, 400
//! `malformed-phone` for what is no number in E.164.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::Arc,
};

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State, rejection::JsonRejection},
    http::StatusCode,
    routing::post,
};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use crate::{Service, problem::Problem};

/// Bytes of a request's body.
const REQUEST_BYTES_MAX: usize = 4 * 1024;

/// A citizen as the register gives one out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Citizen {
    /// The register's own number.
    pub id: String,
    /// The name as it is spoken.
    pub name: String,
    /// In E.164; several citizens may share a number.
    pub phone: String,
    /// The district of residence, such as `xihu`.
    pub district: Option<String>,
    /// The language asked for, a BCP 47 tag.
    pub language: Option<String>,
    /// The year of birth.
    pub birth_year: Option<u16>,
}

/// All citizens, by phone number.
#[derive(Clone, Debug, Default)]
pub struct Register {
    by_phone: BTreeMap<String, Vec<Citizen>>,
}

/// Citizens that cannot be in a register.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The data are not of the documented form.
    #[error("failed to read the citizens: {0}")]
    Form(#[from] serde_json::Error),
    /// A phone number is none.
    #[error("citizen {id:?} has the phone number {phone:?}: write E.164, like +8613800138000")]
    Phone {
        /// Whose.
        id: String,
        /// What is given.
        phone: String,
    },
    /// Two citizens have one id.
    #[error("two citizens have the id {id:?}")]
    Twice {
        /// Which.
        id: String,
    },
}

impl Register {
    /// A register of these citizens.
    ///
    /// # Errors
    /// The first citizen who cannot be in it.
    pub fn new(citizens: impl IntoIterator<Item = Citizen>) -> Result<Self, Error> {
        let mut ids = BTreeSet::new();
        let mut register = Self::default();
        for citizen in citizens {
            if !is_e164(&citizen.phone) {
                return Err(Error::Phone {
                    id: citizen.id,
                    phone: citizen.phone,
                });
            }
            if !ids.insert(citizen.id.clone()) {
                return Err(Error::Twice { id: citizen.id });
            }
            register
                .by_phone
                .entry(citizen.phone.clone())
                .or_default()
                .push(citizen);
        }
        Ok(register)
    }

    /// Reads a register from a JSON array of citizens.
    ///
    /// # Errors
    /// The first fault in it.
    pub fn read(json: &str) -> Result<Self, Error> {
        Self::new(serde_json::from_str::<Vec<Citizen>>(json)?)
    }

    /// The citizens of the demo: a dozen in Hangzhou, two of whom share a number.
    pub fn seed() -> Self {
        Self::read(include_str!("../seed/citizens.json")).expect("the seed is tested to be a register")
    }
}

/// Serves a register. Must be called within a tokio runtime.
///
/// # Errors
/// When the listener has no address.
pub fn serve(listener: TcpListener, register: Register) -> io::Result<Service> {
    let router = Router::new()
        .route("/v1/citizens/find", post(find))
        .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
        .fallback(nowhere)
        .method_not_allowed_fallback(not_so)
        .with_state(Arc::new(register));
    Service::start(listener, router)
}

#[derive(Deserialize)]
struct Question {
    phone: String,
}

/// What is given out: all but the number, which the asker has.
#[derive(Serialize)]
struct Answer {
    id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    district: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    birth_year: Option<u16>,
}

async fn find(
    State(register): State<Arc<Register>>,
    question: Result<Json<Question>, JsonRejection>,
) -> Result<Json<Answer>, Problem> {
    let Json(Question { phone }) = question?;
    if !is_e164(&phone) {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "malformed-phone",
            "write the phone number in E.164, like +8613800138000",
        ));
    }
    match register.by_phone.get(&phone).map(Vec::as_slice) {
        Some([citizen]) => {
            let citizen = citizen.clone();
            Ok(Json(Answer {
                id: citizen.id,
                name: citizen.name,
                district: citizen.district,
                language: citizen.language,
                birth_year: citizen.birth_year,
            }))
        }
        Some([_, _, ..]) => {
            let count = register.by_phone[&phone].len();
            Err(Problem::new(
                StatusCode::CONFLICT,
                "ambiguous",
                "several citizens share this number",
            )
            .count(count))
        }
        Some([]) | None => Err(Problem::new(
            StatusCode::NOT_FOUND,
            "not-found",
            "nobody is registered under this number",
        )),
    }
}

async fn nowhere() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "no-such-path",
        "ask POST /v1/citizens/find",
    )
}

async fn not_so() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "no-such-method",
        "ask POST /v1/citizens/find",
    )
}

fn is_e164(phone: &str) -> bool {
    phone.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_holds_a_dozen_two_of_whom_share_a_number() {
        let register = Register::seed();
        assert_eq!(register.by_phone.values().map(Vec::len).sum::<usize>(), 12);
        assert_eq!(
            register
                .by_phone
                .values()
                .filter(|citizens| citizens.len() == 2)
                .count(),
            1
        );
    }

    #[test]
    fn citizens_who_cannot_be_in_a_register() {
        for (citizens, message) in [
            (
                "[{\"id\":\"a\"}]",
                "failed to read the citizens: missing field `name` at line 1 column 11",
            ),
            (
                "[{\"id\":\"a\",\"name\":\"b\",\"phone\":\"110\"}]",
                "citizen \"a\" has the phone number \"110\": write E.164, like +8613800138000",
            ),
            (
                "[{\"id\":\"a\",\"name\":\"b\",\"phone\":\"+8613800138000\"},{\"id\":\"a\",\"name\":\"c\",\"phone\":\"+8613800138001\"}]",
                "two citizens have the id \"a\"",
            ),
        ] {
            assert_eq!(Register::read(citizens).unwrap_err().to_string(), message);
        }
    }
}
