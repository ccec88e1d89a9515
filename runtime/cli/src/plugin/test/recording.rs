//! Replies of other services, recorded or written by hand, that answer a plugin's requests.
//!
//! A recording is a list of exchanges. The first exchange that fits a request and was not used
//! yet answers it; when all that fit were used, the last of them answers again. Placeholders that
//! stand for masked personal data (`masked:`) fit whatever stands in their place.

mod answer;
mod write;

use std::{collections::BTreeSet, path::Path, time::Duration};

use serde_json::Value as Json;
use trunkline_flow::document::{Kind, Node};
use trunkline_plugin::bench::HttpRequest;

pub(super) use self::{
    answer::{Recorder, Replay},
    write::{one, to_json, to_yaml},
};
use super::{
    table::{Fields, Wrong, read_node},
    values::shown,
};

/// Exchanges in one recording.
const EXCHANGES_MAX: usize = 10_000;

/// Exchanges, and which texts in them are placeholders.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Recording {
    pub(super) exchanges: Vec<Exchange>,
    /// Placeholders of masked data.
    pub(super) masked: BTreeSet<String>,
}

/// A request and its reply.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Exchange {
    /// The line where it begins, in its file.
    pub(super) line: usize,
    pub(super) asked: Asked,
    pub(super) reply: Reply,
}

/// What a request has to be.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Asked {
    pub(super) method: String,
    /// The address; `*` at its end stands for any rest.
    pub(super) url: String,
    /// Headers that it has to have, names in small letters; `*` at a value's end stands for any rest.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<Body>,
}

/// A body.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Body {
    Text(String),
    /// JSON; of objects in a request only the fields that are written count.
    Json(Json),
    Bytes(Vec<u8>),
}

/// What a request is answered with.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reply {
    /// What goes wrong instead of a reply.
    pub(super) fails: Option<Failing>,
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<Body>,
    /// How long it takes.
    pub(super) after: Duration,
}

/// What goes wrong instead of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failing {
    Refused,
    TimedOut,
    Broken,
}

impl Body {
    pub(super) fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.clone().into_bytes(),
            Self::Json(json) => json.to_string().into_bytes(),
            Self::Bytes(bytes) => bytes.clone(),
        }
    }
}

/// Makes sure that a recording lies in the plugin's folder.
pub(super) fn check_inside(file: &str) -> Result<(), String> {
    let outside = Path::new(file)
        .components()
        .any(|part| !matches!(part, std::path::Component::Normal(_)));
    if outside {
        return Err(format!("{file} lies outside the plugin's folder"));
    }
    Ok(())
}

/// Reads a recording of its own file.
pub(super) fn read_file(folder: &Path, file: &str) -> Result<Recording, String> {
    check_inside(file)?;
    if !folder.join(file).exists() {
        return Err(format!(
            "there is no {file}; `trunkline plugin test --record` makes it of real replies"
        ));
    }
    let root = read_node(folder, file).map_err(|wrong| wrong.join("; "))?;
    let Some(root) = root else {
        return Ok(Recording::default());
    };
    read(&root).map_err(|wrong| format!("{file}:{}: {}", wrong.line, wrong.message))
}

/// Reads a recording: a list of exchanges, or a mapping of `exchanges` and `masked`.
pub(super) fn read(node: &Node) -> Result<Recording, Wrong> {
    let (list, masked) = match &node.kind {
        Kind::Mapping(_) => {
            let mut fields = Fields::of(node, "a recording")?;
            let masked = fields.texts("masked")?;
            let list = fields.need("exchanges")?;
            fields.finish()?;
            (list, masked.into_keys().collect())
        }
        Kind::List(_) | Kind::Scalar { .. } => (node, BTreeSet::new()),
    };
    let Kind::List(nodes) = &list.kind else {
        return Err(Wrong::at(
            list,
            "this is a list of exchanges: `- request: .., reply: ..`",
        ));
    };
    if nodes.len() > EXCHANGES_MAX {
        return Err(Wrong::at(
            list,
            format!("a recording has at most {EXCHANGES_MAX} exchanges"),
        ));
    }
    Ok(Recording {
        exchanges: nodes.iter().map(exchange).collect::<Result<_, _>>()?,
        masked,
    })
}

fn exchange(node: &Node) -> Result<Exchange, Wrong> {
    let mut fields = Fields::of(node, "an exchange")?;
    let (request, reply) = (fields.need("request")?, fields.need("reply")?);
    fields.finish()?;

    let mut asked = Fields::of(request, "`request`")?;
    let method = asked.text("method")?.unwrap_or("GET").to_owned();
    let url = asked.need("url")?;
    let url = url
        .text()
        .ok_or_else(|| Wrong::at(url, "`url` is an address"))?
        .to_owned();
    let headers = headers(&mut asked)?;
    let body = body(&mut asked)?;
    asked.finish()?;

    let mut fields = Fields::of(reply, "`reply`")?;
    let fails = fields
        .take("fails")
        .map(|node| match node.text() {
            Some("refused") => Ok(Failing::Refused),
            Some("timed-out") => Ok(Failing::TimedOut),
            Some("broken") => Ok(Failing::Broken),
            _ => Err(Wrong::at(
                node,
                format!("`fails` is refused, timed-out or broken, not {}", shown(node)),
            )),
        })
        .transpose()?;
    let status = fields
        .take("status")
        .map(|node| {
            node.text()
                .and_then(|text| text.parse().ok())
                .filter(|status| (100..1_000).contains(status))
                .ok_or_else(|| Wrong::at(node, format!("`status` is one like 200, not {}", shown(node))))
        })
        .transpose()?
        .unwrap_or(200);
    let after = fields
        .take("after")
        .map(|node| {
            node.text()
                .and_then(|text| text.parse::<trunkline_model::Duration>().ok())
                .map(trunkline_model::Duration::to_std)
                .ok_or_else(|| Wrong::at(node, "`after` is written like 200ms"))
        })
        .transpose()?
        .unwrap_or_default();
    let reply = Reply {
        fails,
        status,
        headers: self::headers(&mut fields)?,
        body: self::body(&mut fields)?,
        after,
    };
    fields.finish()?;
    Ok(Exchange {
        line: node.line,
        asked: Asked {
            method,
            url,
            headers,
            body,
        },
        reply,
    })
}

fn headers(fields: &mut Fields<'_>) -> Result<Vec<(String, String)>, Wrong> {
    let headers = fields.texts("headers")?;
    Ok(headers
        .into_iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .collect())
}

fn body(fields: &mut Fields<'_>) -> Result<Option<Body>, Wrong> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    if let Some(node) = fields.take("body-base64") {
        let bytes = node
            .text()
            .and_then(|text| STANDARD.decode(text.trim()).ok())
            .ok_or_else(|| Wrong::at(node, "`body-base64` is base64"))?;
        return Ok(Some(Body::Bytes(bytes)));
    }
    Ok(fields.take("body").map(|node| match node.text() {
        Some(text) => Body::Text(text.to_owned()),
        None => Body::Json(json(node)),
    }))
}

/// Untyped YAML as JSON: what stands without quotes and reads as JSON's own words and numbers is
/// one, everything else is text.
fn json(node: &Node) -> Json {
    match &node.kind {
        Kind::Scalar { text, plain: true } => match &**text {
            "" | "null" | "~" => Json::Null,
            "true" => Json::Bool(true),
            "false" => Json::Bool(false),
            text => serde_json::from_str::<serde_json::Number>(text)
                .map_or_else(|_| Json::from(text), Json::Number),
        },
        Kind::Scalar { text, plain: false } => Json::from(&**text),
        Kind::List(items) => Json::Array(items.iter().map(json).collect()),
        Kind::Mapping(entries) => Json::Object(
            entries
                .iter()
                .map(|(name, value)| (name.to_string(), json(value)))
                .collect(),
        ),
    }
}

impl Recording {
    /// Whether an exchange is for a request.
    fn fits(&self, asked: &Asked, request: &HttpRequest) -> bool {
        asked.method.eq_ignore_ascii_case(&request.method)
            && self.text_fits(&asked.url, &request.url)
            && asked.headers.iter().all(|(name, wanted)| {
                request
                    .headers
                    .iter()
                    .any(|(given, value)| given == name && self.text_fits(wanted, value))
            })
            && match &asked.body {
                None => true,
                Some(Body::Bytes(bytes)) => *bytes == request.body,
                Some(Body::Text(text)) => {
                    std::str::from_utf8(&request.body).is_ok_and(|body| self.text_fits(text, body))
                }
                Some(Body::Json(wanted)) => {
                    serde_json::from_slice(&request.body).is_ok_and(|body| self.json_fits(wanted, &body))
                }
            }
    }

    /// Whether a text is the one that is wanted: placeholders stand for anything, and a `*` at the end for
    /// any rest.
    fn text_fits(&self, wanted: &str, text: &str) -> bool {
        let (wanted, open) = match wanted.strip_suffix('*') {
            Some(wanted) => (wanted, true),
            None => (wanted, false),
        };
        let parts = self.around_placeholders(wanted);
        let Some((first, rest)) = parts.split_first() else {
            return open || text.is_empty();
        };
        let Some(mut left) = text.strip_prefix(*first) else {
            return false;
        };
        for (index, part) in rest.iter().enumerate() {
            let last = index + 1 == rest.len() && !open;
            let found = if last {
                left.ends_with(part).then(|| left.len() - part.len())
            } else {
                left.find(part)
            };
            match found {
                Some(at) => left = &left[at + part.len()..],
                None => return false,
            }
        }
        open || left.is_empty()
    }

    /// The parts of a text between its placeholders.
    fn around_placeholders<'t>(&self, text: &'t str) -> Vec<&'t str> {
        let mut parts = Vec::new();
        let mut rest = text;
        let next = |rest: &str| {
            self.masked
                .iter()
                .filter_map(|placeholder| Some((rest.find(placeholder.as_str())?, placeholder.len())))
                // The longest, where one begins as another does.
                .min_by_key(|(at, length)| (*at, usize::MAX - *length))
        };
        while let Some((at, length)) = next(rest) {
            parts.push(&rest[..at]);
            rest = &rest[at + length..];
        }
        parts.push(rest);
        parts
    }

    fn json_fits(&self, wanted: &Json, json: &Json) -> bool {
        match (wanted, json) {
            (Json::Object(wanted), Json::Object(given)) => wanted
                .iter()
                .all(|(name, wanted)| given.get(name).is_some_and(|value| self.json_fits(wanted, value))),
            (Json::Array(wanted), Json::Array(given)) => {
                wanted.len() == given.len()
                    && wanted
                        .iter()
                        .zip(given)
                        .all(|(wanted, value)| self.json_fits(wanted, value))
            }
            (Json::String(wanted), Json::String(given)) => self.text_fits_whole(wanted, given),
            // A placeholder of a number, which JSON may have held as one.
            (Json::Number(wanted), Json::Number(_)) if self.masked.contains(&wanted.to_string()) => true,
            _ => wanted == json,
        }
    }

    /// Like [`Recording::text_fits`] without the `*`: a body's text may end in one.
    fn text_fits_whole(&self, wanted: &str, text: &str) -> bool {
        wanted == text || (!self.masked.is_empty() && !wanted.ends_with('*') && self.text_fits(wanted, text))
    }
}

#[cfg(test)]
mod tests {
    use trunkline_flow::document;

    use super::*;

    pub(super) fn recording(text: &str) -> Recording {
        read(&document::read("a.yaml", text).unwrap().unwrap()).unwrap()
    }

    fn request(method: &str, url: &str, body: &str) -> HttpRequest {
        HttpRequest {
            method: method.to_owned(),
            url: url.to_owned(),
            headers: vec![("accept".to_owned(), "application/json".to_owned())],
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn what_fits_a_request() {
        let recording = recording(
            "exchanges:\n  - request: { method: POST, url: \"https://crm.example/v1/*\", headers: { Accept: \"application/*\" }, body: { phone: \"+8610000000001\", n: 3 } }\n    reply: { body: { id: c-1, ok: true, code: \"007\", age: 12 } }\nmasked: { \"+8610000000001\": phone }\n",
        );
        let asked = &recording.exchanges[0].asked;
        let fits = |request: HttpRequest| recording.fits(asked, &request);
        let body = r#"{"phone":"+8613800138000","n":3,"more":[1]}"#;
        assert!(fits(request("POST", "https://crm.example/v1/find", body)));
        assert!(!fits(request("GET", "https://crm.example/v1/find", body)));
        assert!(!fits(request("POST", "https://other.example/v1/find", body)));
        assert!(!fits(request(
            "POST",
            "https://crm.example/v1/find",
            r#"{"phone":"+86138","n":4}"#
        )));
        assert!(!fits(request("POST", "https://crm.example/v1/find", "no json")));
        assert_eq!(
            recording.exchanges[0].reply.body.as_ref().unwrap().bytes(),
            br#"{"age":12,"code":"007","id":"c-1","ok":true}"#
        );
    }

    #[test]
    fn a_recording_fits_what_it_fits_for_the_sdk() {
        let recording = recording(include_str!("../../../../../sdk/rust/tests/recording.json"));
        for (body, fits) in [
            (
                r#"{"phone":"+8613800138000","mobile":13900139000,"note":"of 王芳.","pattern":"a*","limit":20}"#,
                true,
            ),
            (
                r#"{"phone":"+86","mobile":1,"note":"of.","pattern":"a*","limit":21}"#,
                false,
            ),
            (
                r#"{"phone":"+8613800138000","mobile":13900139000,"note":"of 王芳.","pattern":"abc","limit":20}"#,
                false,
            ),
            (
                r#"{"phone":"+8613800138000","mobile":"no number","note":"of 王芳.","pattern":"a*","limit":20}"#,
                false,
            ),
        ] {
            let request = request("POST", "https://crm.civil.example/v1/find", body);
            assert_eq!(
                recording.fits(&recording.exchanges[0].asked, &request),
                fits,
                "{body}"
            );
        }
    }

    #[test]
    fn placeholders_stand_for_anything_within_a_text() {
        let recording = Recording {
            exchanges: Vec::new(),
            masked: ["token-1", "token-11"].map(str::to_owned).into(),
        };
        for (wanted, text, fits) in [
            ("https://a/?t=token-1&x=1", "https://a/?t=abc&x=1", true),
            ("https://a/?t=token-1&x=1", "https://a/?t=abc&x=2", false),
            ("https://a/?t=token-11", "https://a/?t=abc", true),
            ("token-1", "", true),
            ("a", "ab", false),
            ("a*", "ab", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(recording.text_fits(wanted, text), fits, "{wanted} {text}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, line, says) in [
            ("- request: { url: x }\n", 1, "lacks `reply:`"),
            (
                "- request: { url: x }\n  reply: { status: ok }\n",
                2,
                "`status` is one like 200",
            ),
            (
                "- request: { url: x, methud: GET }\n  reply: {}\n",
                1,
                "`methud` is not known here",
            ),
            (
                "- request: { url: x }\n  reply: { fails: maybe }\n",
                2,
                "refused, timed-out or broken",
            ),
            ("just text", 1, "a list of exchanges"),
        ] {
            let node = document::read("a.yaml", text).unwrap().unwrap();
            let wrong = read(&node).unwrap_err();
            assert!(wrong.message.contains(says), "{text}: {}", wrong.message);
            assert_eq!(wrong.line, line, "{text}");
        }
    }
}
