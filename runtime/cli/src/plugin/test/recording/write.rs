//! Recordings as [`super::read`] reads them: YAML for people, or JSON for what reads nothing else.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::{Value as Json, json};

use super::{Body, Exchange, Failing};
use crate::plugin::test::values::quoted;

/// Writes a recording; `masked` says of each placeholder what it stands for.
pub(in super::super) fn to_yaml(exchanges: &[Exchange], masked: &BTreeMap<String, &'static str>) -> String {
    let mut text = String::from(
        "# Replies of real services, recorded by `trunkline plugin test --record`. Personal data is masked:\n\
         # the placeholders below stand for it, and fit whatever stands in their place.\n",
    );
    // Writing to a string does not fail.
    if !masked.is_empty() {
        text.push_str("masked:\n");
    }
    for (placeholder, what) in masked {
        let _ = writeln!(text, "  {}: {what}", quoted(placeholder));
    }
    if exchanges.is_empty() {
        text.push_str("exchanges: []\n");
        return text;
    }
    text.push_str("exchanges:\n");
    for exchange in exchanges {
        one(&mut text, exchange, "  ");
    }
    text
}

/// Writes a recording as JSON, as the SDKs' test hosts read it.
pub(in super::super) fn to_json(exchanges: &[Exchange], masked: &BTreeMap<String, &'static str>) -> String {
    let exchanges: Vec<Json> = exchanges
        .iter()
        .map(|Exchange { asked, reply, .. }| {
            let request = json!({ "method": asked.method, "url": asked.url });
            let reply_to = match reply.fails {
                Some(fails) => json!({ "fails": name(fails) }),
                None => json!({ "status": reply.status }),
            };
            json!({
                "request": with(request, &asked.headers, asked.body.as_ref()),
                "reply": with(reply_to, &reply.headers, reply.body.as_ref()),
            })
        })
        .collect();
    format!("{:#}\n", json!({ "masked": masked, "exchanges": exchanges }))
}

/// A request or a reply with its headers and its body.
fn with(mut message: Json, headers: &[(String, String)], body: Option<&Body>) -> Json {
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    if !headers.is_empty() {
        message["headers"] = headers
            .iter()
            .map(|(name, value)| (name.clone(), Json::from(value.as_str())))
            .collect::<serde_json::Map<_, _>>()
            .into();
    }
    match body {
        None => {}
        Some(Body::Bytes(bytes)) => message["body-base64"] = STANDARD.encode(bytes).into(),
        Some(Body::Json(json)) if matches!(json, Json::Object(_) | Json::Array(_)) => {
            message["body"] = json.clone();
        }
        Some(Body::Json(json)) => message["body"] = json.to_string().into(),
        Some(Body::Text(text)) => message["body"] = text.as_str().into(),
    }
    message
}

const fn name(fails: Failing) -> &'static str {
    match fails {
        Failing::Refused => "refused",
        Failing::TimedOut => "timed-out",
        Failing::Broken => "broken",
    }
}

/// Writes one exchange as an element of a list.
pub(in super::super) fn one(text: &mut String, exchange: &Exchange, indent: &str) {
    let Exchange { asked, reply, .. } = exchange;
    let _ = writeln!(text, "{indent}- request:");
    let _ = writeln!(text, "{indent}    method: {}", asked.method);
    let _ = writeln!(text, "{indent}    url: {}", quoted(&asked.url));
    headers(text, &asked.headers, indent);
    body(text, asked.body.as_ref(), indent);
    let _ = writeln!(text, "{indent}  reply:");
    if let Some(fails) = reply.fails {
        let _ = writeln!(text, "{indent}    fails: {}", name(fails));
        return;
    }
    let _ = writeln!(text, "{indent}    status: {}", reply.status);
    headers(text, &reply.headers, indent);
    body(text, reply.body.as_ref(), indent);
}

fn headers(text: &mut String, headers: &[(String, String)], indent: &str) {
    if headers.is_empty() {
        return;
    }
    let _ = writeln!(text, "{indent}    headers:");
    for (name, value) in headers {
        let _ = writeln!(text, "{indent}      {}: {}", quoted(name), quoted(value));
    }
}

fn body(text: &mut String, body: Option<&Body>, indent: &str) {
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    match body {
        None => {}
        Some(Body::Bytes(bytes)) => {
            let _ = writeln!(
                text,
                "{indent}    body-base64: {}",
                quoted(&STANDARD.encode(bytes))
            );
        }
        // JSON is YAML; a scalar would be read back as text.
        Some(Body::Json(json)) if matches!(json, Json::Object(_) | Json::Array(_)) => {
            let _ = writeln!(text, "{indent}    body: {json}");
        }
        Some(Body::Json(json)) => {
            let _ = writeln!(text, "{indent}    body: {}", quoted(&json.to_string()));
        }
        Some(Body::Text(body)) => {
            let _ = writeln!(text, "{indent}    body: {}", quoted(body));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::{super::tests::recording, *};
    use crate::plugin::test::recording::{Asked, Recording, Reply};

    #[test]
    fn what_is_written_is_read_back() {
        let exchange = |line, body: Option<Body>| Exchange {
            line,
            asked: Asked {
                method: "POST".to_owned(),
                url: "https://crm.example/?q=\"x\"".to_owned(),
                headers: Vec::new(),
                body: body.clone(),
            },
            reply: Reply {
                fails: None,
                status: 404,
                headers: vec![("content-type".to_owned(), "a/b; c=\"d\"".to_owned())],
                body,
                after: Duration::ZERO,
            },
        };
        let mut exchanges = vec![
            exchange(0, None),
            exchange(0, Some(Body::Text("<html>\n  电话 {x: [".to_owned()))),
            exchange(0, Some(Body::Bytes(vec![0, 255, 3]))),
            exchange(
                0,
                Some(Body::Json(
                    json!({ "a": [1, "2", null, true, { "名": "x: y" }], "b": "+86" }),
                )),
            ),
        ];
        exchanges.push(Exchange {
            reply: Reply {
                fails: Some(Failing::Broken),
                status: 200,
                headers: Vec::new(),
                body: None,
                after: Duration::ZERO,
            },
            ..exchange(0, None)
        });
        let masked = BTreeMap::from([("+8610000000001".to_owned(), "phone")]);
        for written in [to_yaml(&exchanges, &masked), to_json(&exchanges, &masked)] {
            let mut read: Recording = recording(&written);
            for exchange in &mut read.exchanges {
                exchange.line = 0;
            }
            assert_eq!(read.exchanges, exchanges, "{written}");
            assert!(read.masked.contains("+8610000000001"));
        }
    }
}
