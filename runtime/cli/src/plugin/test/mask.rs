//! Personal data in what is recorded, replaced by placeholders of the same form.
//!
//! What counts: values under keys that name a person, a phone, an identity or a secret; phone
//! numbers, identity numbers and addresses of e-mail wherever they stand; headers and parameters
//! that let somebody in. The same value gets the same placeholder throughout one recording, so
//! that what belonged together still does. What cannot be read is left out, since nobody can tell what is in it.

mod encoded;
mod found;
mod keys;
mod markup;
mod placeholder;

use std::collections::{BTreeMap, HashMap};

use serde_json::Value as Json;
use trunkline_plugin::bench::{HttpReply, HttpRequest};

use self::{
    encoded::{Encoded, Form},
    keys::kind_of,
};
use super::recording::{Asked, Body, Exchange, Failing, Reply};

/// What is masked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Kind {
    Name,
    Phone,
    IdNumber,
    Email,
    Address,
    Secret,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Phone => "phone",
            Self::IdNumber => "id-number",
            Self::Email => "e-mail",
            Self::Address => "address",
            Self::Secret => "secret",
        }
    }
}

/// Headers that let somebody in, or tell who they are.
const HEADERS: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "x-api-key",
    "x-auth-token",
];

/// Headers of a reply that mean nothing once it is recorded.
const HEADERS_LEFT_OUT: &[&str] = &[
    "date",
    "server",
    "connection",
    "keep-alive",
    "content-length",
    "transfer-encoding",
];

/// Headers that hold an address.
const HEADERS_OF_ADDRESSES: &[&str] = &["location", "content-location"];

/// Objects and lists in one another, in a body that is masked; what lies deeper is left out.
const DEPTH_MAX: usize = 100;

/// A number in the place of one that is too short to be masked digit by digit.
const NUMBERS_BEGIN: u64 = 900_000;

/// Replaces personal data, and remembers by what.
#[derive(Default)]
pub(super) struct Mask {
    placeholders: HashMap<(Kind, String), String>,
    /// Every placeholder, in each form in which it was written, and what it stands for.
    written: BTreeMap<String, Kind>,
    counts: HashMap<Kind, usize>,
    left_out: usize,
}

impl Mask {
    /// An exchange as it may be kept.
    pub(super) fn exchange(&mut self, request: &HttpRequest, reply: &Result<HttpReply, Failing>) -> Exchange {
        let asked = Asked {
            method: request.method.clone(),
            url: self.url(&request.url),
            // What was sent along is not needed to know the request again.
            headers: Vec::new(),
            body: self.body(&request.body, &request.headers),
        };
        let reply = match reply {
            Ok(reply) => Reply {
                fails: None,
                status: reply.status,
                headers: reply
                    .headers
                    .iter()
                    .filter(|(name, _)| !HEADERS_LEFT_OUT.contains(&name.as_str()))
                    .map(|(name, value)| (name.clone(), self.header(name, value)))
                    .collect(),
                body: self.body(&reply.body, &reply.headers),
                after: std::time::Duration::ZERO,
            },
            Err(failing) => Reply {
                fails: Some(*failing),
                status: 200,
                headers: Vec::new(),
                body: None,
                after: std::time::Duration::ZERO,
            },
        };
        Exchange {
            line: 0,
            asked,
            reply,
        }
    }

    /// The placeholders, and what each stands for.
    pub(super) fn placeholders(&self) -> BTreeMap<String, &'static str> {
        self.written
            .iter()
            .map(|(placeholder, kind)| (placeholder.clone(), kind.name()))
            .collect()
    }

    /// What was masked, and how many of each.
    pub(super) fn counts(&self) -> BTreeMap<&'static str, usize> {
        self.counts
            .iter()
            .map(|(kind, count)| (kind.name(), *count))
            .collect()
    }

    /// Bodies that were left out, since they are no text.
    pub(super) const fn left_out(&self) -> usize {
        self.left_out
    }

    fn placeholder(&mut self, kind: Kind, value: &str) -> String {
        if value.trim().is_empty() {
            return value.to_owned();
        }
        self.made(kind, value.to_owned(), |count| {
            placeholder::made(kind, value, count)
        })
    }

    /// The placeholder of a key, made by its number when there is none yet.
    fn made(&mut self, kind: Kind, key: String, make: impl Fn(usize) -> String) -> String {
        if let Some(known) = self.placeholders.get(&(kind, key.clone())) {
            return known.clone();
        }
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        let mut number = *count;
        let mut made = make(number);
        // Not what it stands for, and not what stands for another.
        for _ in 0..self.written.len() + 1 {
            if made != key && !self.written.contains_key(&made) {
                break;
            }
            number += 1;
            made = make(number);
        }
        self.written.insert(made.clone(), kind);
        self.placeholders.insert((kind, key), made.clone());
        made
    }

    fn header(&mut self, name: &str, value: &str) -> String {
        let name = name.to_ascii_lowercase();
        if HEADERS.contains(&name.as_str()) {
            self.placeholder(Kind::Secret, value)
        } else if let Some(kind) = kind_of(&name) {
            self.placeholder(kind, value)
        } else if HEADERS_OF_ADDRESSES.contains(&name.as_str()) {
            self.url(value)
        } else {
            self.text(value)
        }
    }

    fn url(&mut self, url: &str) -> String {
        match url.split_once('?') {
            None => self.encoded(url, Form::Path),
            Some((before, query)) => {
                format!("{}?{}", self.encoded(before, Form::Path), self.pairs(query))
            }
        }
    }

    /// `name=value&…`, of an address or a form.
    fn pairs(&mut self, query: &str) -> String {
        let pairs: Vec<String> = query
            .split('&')
            .map(|pair| match pair.split_once('=') {
                Some((name, value)) => {
                    let plain = Encoded::read(name, Form::Pairs).text;
                    let value = match kind_of(&plain) {
                        Some(kind) => {
                            let placeholder = self.placeholder(kind, &Encoded::read(value, Form::Pairs).text);
                            self.written_as(kind, &placeholder)
                        }
                        None => self.encoded(value, Form::Pairs),
                    };
                    format!("{}={value}", self.encoded(name, Form::Pairs))
                }
                None => self.encoded(pair, Form::Pairs),
            })
            .collect();
        pairs.join("&")
    }

    /// A placeholder as an address or a form has it.
    fn written_as(&mut self, kind: Kind, placeholder: &str) -> String {
        let encoded = encoded::write(placeholder);
        if !encoded.is_empty() {
            self.written.insert(encoded.clone(), kind);
        }
        encoded
    }

    /// A part of an address or a form in which whatever looks like personal data is masked. All else stays as
    /// it was written.
    fn encoded(&mut self, raw: &str, form: Form) -> String {
        let read = Encoded::read(raw, form);
        let mut masked = String::with_capacity(raw.len());
        let mut done = 0;
        for (kind, place) in found::all(&read.text) {
            masked.push_str(&raw[done..read.raw(place.start)]);
            let placeholder = self.placeholder(kind, &read.text[place.clone()]);
            masked.push_str(&self.written_as(kind, &placeholder));
            done = read.raw(place.end);
        }
        masked.push_str(&raw[done..]);
        masked
    }

    fn body(&mut self, body: &[u8], headers: &[(String, String)]) -> Option<Body> {
        if body.is_empty() {
            return None;
        }
        let Ok(text) = std::str::from_utf8(body) else {
            self.left_out += 1;
            return None;
        };
        if let Ok(json @ (Json::Object(_) | Json::Array(_))) = serde_json::from_str::<Json>(text) {
            return Some(Body::Json(self.json(json, None, DEPTH_MAX)));
        }
        let media = headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("content-type"))
            .map(|(_, media)| media.to_ascii_lowercase())
            .unwrap_or_default();
        Some(Body::Text(if media.contains("x-www-form-urlencoded") {
            self.pairs(text)
        } else if media.contains("xml") || media.contains("html") || text.trim_start().starts_with('<') {
            self.markup(text)
        } else {
            self.text(text)
        }))
    }

    fn json(&mut self, json: Json, kind: Option<Kind>, depth: usize) -> Json {
        let Some(deeper) = depth.checked_sub(1) else {
            return Json::Null;
        };
        match json {
            Json::Object(fields) => Json::Object(
                fields
                    .into_iter()
                    .map(|(name, value)| {
                        // What belongs to a name is part of it: `name: { first, last }`.
                        let kind = kind_of(&name).or(kind);
                        (self.text(&name), self.json(value, kind, deeper))
                    })
                    .collect(),
            ),
            Json::Array(items) => Json::Array(
                items
                    .into_iter()
                    .map(|item| self.json(item, kind, deeper))
                    .collect(),
            ),
            Json::String(text) => Json::String(match kind {
                Some(kind) => self.placeholder(kind, &text),
                None => self.text(&text),
            }),
            Json::Number(number) => {
                let text = number.to_string();
                let looks = || found::whole(&text).filter(|_| !number.is_f64());
                match kind.or_else(looks) {
                    Some(kind) => Json::Number(self.number(kind, &text)),
                    None => Json::Number(number),
                }
            }
            Json::Null | Json::Bool(_) => json,
        }
    }

    /// A number in the place of a number.
    fn number(&mut self, kind: Kind, text: &str) -> serde_json::Number {
        if placeholder::has_digits_to_spare(kind, text) && !text.starts_with('0') {
            let made = self.placeholder(kind, text);
            if let Ok(number) = serde_json::from_str::<serde_json::Number>(&made)
                && number.to_string() == made
            {
                return number;
            }
        }
        let numbered = |count: usize| (NUMBERS_BEGIN + count as u64).to_string();
        let made = self.made(kind, format!("the number {text}"), numbered);
        serde_json::from_str(&made).unwrap_or_else(|_| NUMBERS_BEGIN.into())
    }

    /// A text in which whatever looks like personal data is masked.
    fn text(&mut self, text: &str) -> String {
        let mut masked = String::with_capacity(text.len());
        let mut done = 0;
        for (kind, place) in found::all(text) {
            masked.push_str(&text[done..place.start]);
            masked.push_str(&self.placeholder(kind, &text[place.clone()]));
            done = place.end;
        }
        masked.push_str(&text[done..]);
        masked
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn personal_data_is_masked_wherever_it_stands() {
        let mut mask = Mask::default();
        let request = HttpRequest {
            method: "POST".to_owned(),
            url: "https://crm.example/v1/13800138000?token=abc&page=2&phone=%2B8613800138000".to_owned(),
            headers: vec![("authorization".to_owned(), "Bearer abc".to_owned())],
            body: json!({ "phone": "+8613800138000", "limit": 20 })
                .to_string()
                .into_bytes(),
        };
        let reply = HttpReply {
            status: 200,
            headers: vec![
                ("content-type".to_owned(), "application/json".to_owned()),
                ("set-cookie".to_owned(), "sid=9f".to_owned()),
                ("date".to_owned(), "today".to_owned()),
            ],
            body: json!({
                "id": "c-1",
                "name": "王芳",
                "姓名": "王芳",
                "id_number": "33010619880101123X",
                "birth_year": 1958,
                "note": "rang 13800138000, mail wang.fang@city.example",
                "relatives": [{ "Name": "Li Wei", "mobile": 13_900_139_000_u64 }],
            })
            .to_string()
            .into_bytes(),
        };
        let exchange = mask.exchange(&request, &Ok(reply));
        assert_eq!(
            exchange.asked.url,
            "https://crm.example/v1/13800000001?token=secret-1&page=2&phone=%2B8610000000002"
        );
        assert!(exchange.asked.headers.is_empty());
        assert_eq!(
            exchange.asked.body,
            Some(Body::Json(json!({ "phone": "+8610000000002", "limit": 20 })))
        );
        assert_eq!(
            exchange.reply.headers,
            [("content-type", "application/json"), ("set-cookie", "secret-2")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        let Some(Body::Json(body)) = exchange.reply.body else {
            panic!("{:?}", exchange.reply.body)
        };
        assert_eq!(
            body,
            json!({
                "id": "c-1",
                "name": "某甲",
                "姓名": "某甲",
                "id_number": "33010600000000001X",
                "birth_year": 1958,
                "note": "rang 13800000001, mail person1@mail.example",
                "relatives": [{ "Name": "Name 2", "mobile": 13_900_000_003_u64 }],
            })
        );
        assert_eq!(mask.counts()["name"], 2);
        assert!(mask.placeholders().contains_key("某甲"));
    }

    fn body(mask: &mut Mask, media: &str, body: impl AsRef<[u8]>) -> String {
        let headers = [("content-type".to_owned(), media.to_owned())];
        match mask.body(body.as_ref(), &headers) {
            Some(Body::Json(json)) => json.to_string(),
            Some(Body::Text(text)) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn keys_are_masked_and_what_is_inside_a_name() {
        let mut mask = Mask::default();
        let json = json!({
            "13800138000": { "name": { "first": "Fang", "last": "Wang" } },
            "mobile_phones": ["0571 1234567"],
            "client_secret": "s3cret",
            "phone_verified": true,
        });
        assert_eq!(
            body(&mut mask, "application/json", json.to_string()),
            json!({
                "13800000001": { "name": { "first": "Name 1", "last": "Name 2" } },
                "mobile_phones": ["0570 0000002"],
                "client_secret": "secret-1",
                "phone_verified": true,
            })
            .to_string()
        );
    }

    #[test]
    fn forms_and_markup_are_masked_by_their_keys() {
        let mut mask = Mask::default();
        assert_eq!(
            body(
                &mut mask,
                "application/x-www-form-urlencoded",
                "name=%E7%8E%8B%E8%8A%B3&note=138+0013+8000&page=2"
            ),
            "name=%E6%9F%90%E7%94%B2&note=138%200000%200001&page=2"
        );
        let masked = mask.placeholders();
        assert!(masked.contains_key("%E6%9F%90%E7%94%B2") && masked.contains_key("138%200000%200001"));
        assert_eq!(
            body(
                &mut mask,
                "text/xml",
                "<?xml version=\"1.0\"?><c:citizen idCard=\"no\" page='2'><c:name>\n 王芳 </c:name><name><first>芳</first></name>\
                 <!-- 13800138000 --><note><![CDATA[call 13800138000.]]></note><br/><district>xihu</district></c:citizen>"
            ),
            "<?xml version=\"1.0\"?><c:citizen idCard=\"masked-1\" page='2'><c:name>\n 某甲 </c:name><name><first>某乙</first></name>\
             <!-- 13800000002 --><note><![CDATA[call 13800000002.]]></note><br/><district>xihu</district></c:citizen>"
        );
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        let mut mask = Mask::default();
        // 王芳 in GBK.
        assert_eq!(mask.body(&[0xcd, 0xf5, 0xb7, 0xbc], &[]), None);
        assert_eq!((mask.left_out(), mask.body(b"", &[])), (1, None));
    }

    #[test]
    fn what_has_no_digits_to_spare_is_no_wildcard() {
        let mut mask = Mask::default();
        let json = json!({ "phone": "-", "tel": 0, "mobile": 12, "idNo": "12", "pin": 1234 });
        assert_eq!(
            body(&mut mask, "application/json", json.to_string()),
            json!({ "idNo": "masked-1", "mobile": 900_001, "phone": "masked-2", "pin": 900_002, "tel": 900_003 })
                .to_string()
        );
        assert!(!mask.placeholders().contains_key("-") && !mask.placeholders().contains_key("0"));
        // What would be its own placeholder gets another.
        assert_ne!(mask.placeholder(Kind::Phone, "13800000004"), "13800000004");
    }

    #[test]
    fn what_is_nobodys_stays() {
        let mut mask = Mask::default();
        for text in [
            "2026-11-21",
            "330100",
            "c-1",
            "1.4.0",
            "10086",
            "a@b",
            "12345678901234",
        ] {
            assert_eq!(mask.text(text), text);
        }
        assert!(mask.placeholders().is_empty());
    }
}
