//! What the register's replies mean. Pure, and tested natively.
//!
//! | status | body | means |
//! |---|---|---|
//! | 200 | `{ "id", "name", "district"?, "language"?, "birth_year"? }` | found |
//! | 404 | with the code `not-found` | nobody has this number |
//! | 409 | with the code `ambiguous` and `"count"` | several share it |
//! | anything else | | the register cannot be used now |
//!
//! A failure's body is `{ "error": { "code", "message", "count"? } }`. A 404 without that
//! body is a wrong address rather than an unknown citizen.

use serde::{Deserialize, Serialize};

/// Bytes of a reply; a citizen takes a few hundred.
pub(crate) const REPLY_BYTES_MAX: usize = 16 * 1024;

/// Fewest and most digits of a number in E.164, without its `+`.
const E164_DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// What is asked.
#[derive(Serialize)]
pub(crate) struct Question<'a> {
    pub phone: &'a str,
}

/// What a reply means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Found(Found),
    NotFound,
    Ambiguous(u32),
    Unusable(String),
}

/// A citizen as the register writes one; fields that it may add later are passed over.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Found {
    pub id: String,
    pub name: String,
    pub district: Option<String>,
    pub language: Option<String>,
    pub birth_year: Option<u16>,
}

#[derive(Deserialize)]
struct Failure {
    error: FailureDetail,
}

#[derive(Deserialize)]
struct FailureDetail {
    code: String,
    #[serde(default)]
    message: String,
    count: Option<u32>,
}

/// Whether a text is a phone number in E.164: `+`, no leading zero, 7 to 15 digits.
pub(crate) fn is_e164(phone: &str) -> bool {
    phone.strip_prefix('+').is_some_and(|digits| {
        E164_DIGITS.contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// The address of the question, from the setting `url`.
pub(crate) fn address(url: &str) -> String {
    format!("{}/v1/citizens/find", url.trim().trim_end_matches('/'))
}

/// Reads a reply.
pub(crate) fn read(status: u16, body: &[u8]) -> Answer {
    if status == 200 {
        return match serde_json::from_slice::<Found>(body) {
            Ok(found) if found.id.is_empty() || found.name.is_empty() => {
                Answer::Unusable("the register gave a citizen without id or name".to_owned())
            }
            Ok(found) => Answer::Found(found),
            Err(error) => Answer::Unusable(format!("the register's reply is no citizen: {error}")),
        };
    }
    let failure = serde_json::from_slice::<Failure>(body)
        .ok()
        .map(|body| body.error);
    match (status, failure) {
        (404, Some(failure)) if failure.code == "not-found" => Answer::NotFound,
        (
            409,
            Some(FailureDetail {
                code,
                count: Some(count),
                ..
            }),
        ) if code == "ambiguous" => Answer::Ambiguous(count),
        (_, Some(failure)) => Answer::Unusable(format!(
            "the register answered {status}, {}: {}",
            failure.code, failure.message
        )),
        (_, None) => Answer::Unusable(format!("the register answered {status}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_citizen_with_and_without_the_optional_fields() {
        let full =
            r#"{"id":"c-1","name":"王芳","district":"xihu","language":"zh-CN","birth_year":1958,"more":[1]}"#;
        assert_eq!(
            read(200, full.as_bytes()),
            Answer::Found(Found {
                id: "c-1".to_owned(),
                name: "王芳".to_owned(),
                district: Some("xihu".to_owned()),
                language: Some("zh-CN".to_owned()),
                birth_year: Some(1958),
            })
        );
        let bare = read(200, br#"{"id":"c-2","name":"Li Wei","district":null}"#);
        assert!(
            matches!(bare, Answer::Found(found) if found.district.is_none() && found.birth_year.is_none())
        );
    }

    #[test]
    fn the_registers_refusals() {
        assert_eq!(
            read(404, br#"{"error":{"code":"not-found","message":"nobody"}}"#),
            Answer::NotFound
        );
        assert_eq!(
            read(
                409,
                br#"{"error":{"code":"ambiguous","message":"two","count":2}}"#
            ),
            Answer::Ambiguous(2)
        );
    }

    #[test]
    fn whatever_else_comes_back_is_unusable_and_says_why() {
        for (status, body, why) in [
            (200, "", "the register's reply is no citizen: EOF while parsing"),
            (
                200,
                "<html>",
                "the register's reply is no citizen: expected value",
            ),
            (200, "{\"id\":\"\",\"name\":\"x\"}", "without id or name"),
            (200, "{\"id\":\"c\"}", "missing field `name`"),
            (404, "not here", "the register answered 404"),
            (
                409,
                r#"{"error":{"code":"ambiguous"}}"#,
                "the register answered 409, ambiguous",
            ),
            (
                500,
                r#"{"error":{"code":"broken","message":"disk"}}"#,
                "answered 500, broken: disk",
            ),
            (503, "", "the register answered 503"),
            (302, "", "the register answered 302"),
        ] {
            let Answer::Unusable(found) = read(status, body.as_bytes()) else {
                panic!("{status} {body} was usable");
            };
            assert!(found.contains(why), "{found:?} should contain {why:?}");
        }
    }

    #[test]
    fn numbers_that_are_e164() {
        for phone in ["+8613800138000", "+12025550123", "+4930901820"] {
            assert!(is_e164(phone), "{phone}");
        }
        for phone in [
            "",
            "+",
            "13800138000",
            "+0138001380",
            "+86138001380001234",
            "+86 138 0013 8000",
            "+８６１３８００１３８０００",
            "+123456",
        ] {
            assert!(!is_e164(phone), "{phone}");
        }
    }

    #[test]
    fn the_setting_may_end_in_a_slash() {
        assert_eq!(
            address("http://127.0.0.1:7001/ "),
            "http://127.0.0.1:7001/v1/citizens/find"
        );
    }
}
