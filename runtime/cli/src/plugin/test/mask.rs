//! Personal data in what is recorded, replaced by placeholders of the same form.
//!
//! What counts: values under keys that name a person, a phone, an identity or a secret; phone
//! numbers, identity numbers and addresses of e-mail wherever they stand; headers and parameters
//! that let somebody in. The same value gets the same placeholder throughout one recording, so
//! that what belonged together still does.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value as Json;
use trunkline_plugin::bench::{HttpReply, HttpRequest};

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

/// Keys by what they name, small letters without signs between.
const KEYS: &[(Kind, &[&str])] = &[
    (
        Kind::Name,
        &[
            "name",
            "fullname",
            "realname",
            "firstname",
            "lastname",
            "surname",
            "givenname",
            "citizenname",
            "contactname",
            "姓名",
            "名字",
            "联系人",
        ],
    ),
    (
        Kind::Phone,
        &[
            "phone",
            "phonenumber",
            "mobile",
            "mobilenumber",
            "tel",
            "telephone",
            "cell",
            "msisdn",
            "电话",
            "手机",
            "手机号",
            "联系电话",
        ],
    ),
    (
        Kind::IdNumber,
        &[
            "idnumber",
            "idcard",
            "idcardnumber",
            "idno",
            "identitynumber",
            "certno",
            "ssn",
            "passport",
            "身份证",
            "身份证号",
            "证件号码",
        ],
    ),
    (Kind::Email, &["email", "mail", "邮箱"]),
    (
        Kind::Address,
        &["address", "homeaddress", "street", "住址", "地址", "家庭住址"],
    ),
    (
        Kind::Secret,
        &[
            "token",
            "accesstoken",
            "refreshtoken",
            "secret",
            "password",
            "apikey",
            "sessionid",
            "signature",
            "sign",
            "口令",
            "密码",
        ],
    ),
];

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

/// Replaces personal data, and remembers by what.
#[derive(Default)]
pub(super) struct Mask {
    placeholders: HashMap<(Kind, String), String>,
    counts: HashMap<Kind, usize>,
}

impl Mask {
    /// An exchange as it may be kept.
    pub(super) fn exchange(&mut self, request: &HttpRequest, reply: &Result<HttpReply, String>) -> Exchange {
        let asked = Asked {
            method: request.method.clone(),
            url: self.url(&request.url),
            // What was sent along is not needed to know the request again.
            headers: Vec::new(),
            body: (!request.body.is_empty()).then(|| self.body(&request.body)),
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
                body: (!reply.body.is_empty()).then(|| self.body(&reply.body)),
                after: std::time::Duration::ZERO,
            },
            Err(_) => Reply {
                fails: Some(Failing::Refused),
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
        self.placeholders
            .iter()
            .map(|((kind, _), placeholder)| (placeholder.clone(), kind.name()))
            .collect()
    }

    /// What was masked, and how many of each.
    pub(super) fn counts(&self) -> BTreeMap<&'static str, usize> {
        self.counts
            .iter()
            .map(|(kind, count)| (kind.name(), *count))
            .collect()
    }

    fn placeholder(&mut self, kind: Kind, value: &str) -> String {
        if value.is_empty() {
            return String::new();
        }
        let key = (kind, value.to_owned());
        if let Some(known) = self.placeholders.get(&key) {
            return known.clone();
        }
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        let made = made(kind, value, *count);
        self.placeholders.insert(key, made.clone());
        made
    }

    fn header(&mut self, name: &str, value: &str) -> String {
        let name = name.to_ascii_lowercase();
        if HEADERS.contains(&name.as_str()) || name.contains("token") || name.contains("secret") {
            self.placeholder(Kind::Secret, value)
        } else {
            self.text(value)
        }
    }

    fn url(&mut self, url: &str) -> String {
        let Some((before, query)) = url.split_once('?') else {
            return self.text(url);
        };
        let before = self.text(before);
        let query: Vec<String> = query
            .split('&')
            .map(|pair| match pair.split_once('=') {
                Some((name, value)) => match kind_of(name) {
                    Some(kind) => format!("{name}={}", self.placeholder(kind, value)),
                    None => format!("{name}={}", self.text(value)),
                },
                None => self.text(pair),
            })
            .collect();
        format!("{before}?{}", query.join("&"))
    }

    fn body(&mut self, body: &[u8]) -> Body {
        match serde_json::from_slice::<Json>(body) {
            Ok(json @ (Json::Object(_) | Json::Array(_))) => Body::Json(self.json(json, None)),
            _ => match std::str::from_utf8(body) {
                Ok(text) => Body::Text(self.text(text)),
                Err(_) => Body::Bytes(body.to_vec()),
            },
        }
    }

    fn json(&mut self, json: Json, key: Option<Kind>) -> Json {
        match (json, key) {
            (Json::Object(fields), _) => Json::Object(
                fields
                    .into_iter()
                    .map(|(name, value)| {
                        let kind = kind_of(&name);
                        (name, self.json(value, kind))
                    })
                    .collect(),
            ),
            (Json::Array(items), key) => {
                Json::Array(items.into_iter().map(|item| self.json(item, key)).collect())
            }
            (Json::String(text), Some(kind)) => Json::String(self.placeholder(kind, &text)),
            (Json::String(text), None) => Json::String(self.text(&text)),
            (Json::Number(number), key) => {
                let text = number.to_string();
                let kind = key.or_else(|| looks_like(&text));
                match kind {
                    Some(kind) => serde_json::from_str(&self.placeholder(kind, &text))
                        .map_or(Json::from(0), Json::Number),
                    None => Json::Number(number),
                }
            }
            (other, _) => other,
        }
    }

    /// A text in which whatever looks like personal data is masked.
    fn text(&mut self, text: &str) -> String {
        let mut masked = String::with_capacity(text.len());
        let mut rest = text;
        while !rest.is_empty() {
            let end = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            match looks_like(word) {
                Some(kind) => masked.push_str(&self.placeholder(kind, word)),
                None => masked.push_str(word),
            }
            let sign = after.chars().next().map_or(0, char::len_utf8);
            masked.push_str(&after[..sign]);
            rest = &after[sign..];
        }
        masked
    }
}

/// Characters that a phone number or an address of e-mail is made of.
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '@' | '.' | '_' | '-' | '%')
}

/// What a key names.
fn kind_of(key: &str) -> Option<Kind> {
    let plain: String = key
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    KEYS.iter()
        .find(|(_, names)| names.contains(&plain.as_str()))
        .map(|(kind, _)| *kind)
}

/// What a word looks like.
fn looks_like(word: &str) -> Option<Kind> {
    let international = word.strip_prefix('+').or_else(|| word.strip_prefix("%2B"));
    if let Some(digits) = international {
        return ((7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()))
            .then_some(Kind::Phone);
    }
    if let Some((name, host)) = word.split_once('@') {
        return (!name.is_empty() && host.contains('.')).then_some(Kind::Email);
    }
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    let mobile = digits == 11
        && word.len() == 11
        && word.starts_with('1')
        && !matches!(word.as_bytes()[1], b'0'..=b'2');
    if mobile {
        return Some(Kind::Phone);
    }
    let last = word.bytes().last();
    let identity = word.len() == 18
        && digits >= 17
        && last.is_some_and(|last| last.is_ascii_digit() || matches!(last, b'X' | b'x'));
    identity.then_some(Kind::IdNumber)
}

/// A placeholder of the form of what it stands for: digits stay digits, as many as there were.
fn made(kind: Kind, value: &str, count: usize) -> String {
    // A sign that an address writes as a number is none of the phone's digits.
    if let Some(digits) = value.strip_prefix("%2B") {
        return format!("%2B{}", made(kind, digits, count));
    }
    const FAMILY: [char; 10] = ['甲', '乙', '丙', '丁', '戊', '己', '庚', '辛', '壬', '癸'];
    match kind {
        Kind::Phone | Kind::IdNumber => {
            let digits: Vec<usize> = value
                .char_indices()
                .filter(|(_, c)| c.is_ascii_digit())
                .map(|(at, _)| at)
                .collect();
            let kept = if kind == Kind::IdNumber { 6 } else { 3 };
            let mut made: Vec<char> = Vec::with_capacity(value.len());
            let mut left = count;
            // From the end: the count, then zeros, then the beginning that tells the region.
            for (at, c) in value.char_indices().rev() {
                let place = digits.iter().position(|digit| *digit == at);
                made.push(match place {
                    Some(place) if place >= kept.min(digits.len().saturating_sub(4)) => {
                        let digit = left % 10;
                        left /= 10;
                        char::from_digit(u32::try_from(digit).unwrap_or(0), 10).unwrap_or('0')
                    }
                    Some(_) => c,
                    None if c.is_ascii_alphabetic() && kind == Kind::IdNumber => 'X',
                    None => c,
                });
            }
            made.into_iter().rev().collect()
        }
        Kind::Name if !value.is_ascii() => {
            let at = count - 1;
            let round = at / FAMILY.len();
            let more = if round == 0 {
                String::new()
            } else {
                (round + 1).to_string()
            };
            format!("某{}{more}", FAMILY[at % FAMILY.len()])
        }
        Kind::Name => format!("Name {count}"),
        Kind::Email => format!("person{count}@mail.example"),
        Kind::Address if !value.is_ascii() => format!("某地址{count}"),
        Kind::Address => format!("Address {count}"),
        Kind::Secret => format!("secret-{count}"),
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
            Some(Body::Json(json!({ "phone": "+8610000000003", "limit": 20 })))
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
                "relatives": [{ "Name": "Name 2", "mobile": 13_900_000_004_u64 }],
            })
        );
        assert_eq!(mask.counts()["name"], 2);
        assert!(mask.placeholders().contains_key("某甲"));
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
