//! Carriers as they are played in tests: their documents are read and done as the carriers' documentation
//! says, over the node's own router, with real signatures.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode, header},
};
use serde_json::{Value as Json, json};
use tower::ServiceExt as _;
use trunkline_channel::cpaas::Dialect;
use trunkline_engine::Session;
use trunkline_journal::{Journal, Memory};
use trunkline_model::{ContactId, Duration, Timestamp};
use trunkline_plugin::{SecretTable, SecretValue};

use super::signed::sign_form;
use crate::{
    Clock, Node, Settings,
    node::{Listen, Readiness},
    server::{State, router},
    signature,
    testing::{Hotline, NOON, journal},
};

pub(super) const URL: &str = "https://hotline.example.org";
pub(super) const TOKEN: &[u8] = b"a token of some length";

/// The settings of both carriers, for hotline.yaml.
pub(super) const CARRIERS: &str = "carriers:\n  \
    twiml: { kind: twiml, url: \"https://hotline.example.org\", secret: carrier-token }\n  \
    jambonz: { kind: jambonz, url: \"https://hotline.example.org\", secret: carrier-token }\n";

/// A node that carriers reach.
pub(super) struct Exchange {
    pub(super) hotline: Hotline,
    pub(super) node: Node,
    pub(super) clock: Clock,
    pub(super) router: Router,
    /// What carriers sign with.
    pub(super) token: &'static [u8],
}

impl Exchange {
    pub(super) async fn new(hotline: Hotline) -> Self {
        Self::on(hotline, Clock::still(NOON), journal(Arc::new(Memory::new()))).await
    }

    /// A node on journals that may have been another's before.
    pub(super) async fn on(hotline: Hotline, clock: Clock, journal: Journal) -> Self {
        Self::signed_with(TOKEN, hotline, clock, journal).await
    }

    pub(super) async fn signed_with(
        token: &'static [u8],
        hotline: Hotline,
        clock: Clock,
        journal: Journal,
    ) -> Self {
        let mut table = SecretTable::default();
        table.insert(
            "carrier-token".parse().unwrap(),
            SecretValue::new(token.to_vec()).unwrap(),
        );
        let settings = Settings {
            secrets: Some(Arc::new(table)),
            ..hotline.settings(&clock)
        };
        let node = match Node::start_on(settings, journal).await {
            Ok(node) => node,
            Err(error) => panic!("{error}"),
        };
        let readiness = Arc::new(Readiness::default());
        readiness.set(true);
        let listen = Listen {
            address: ([127, 0, 0, 1], 0).into(),
            api_key: None,
            client_key: None,
        };
        let state = State::new(node.contacts().clone(), node.feeds().clone(), readiness, &listen);
        Self {
            hotline,
            node,
            clock,
            router: router(state),
            token,
        }
    }

    /// Posts what a carrier posts, signed.
    pub(super) async fn post(
        &self,
        dialect: Dialect,
        url: &str,
        fields: &[(&str, &str)],
    ) -> (StatusCode, String) {
        self.send(url, self.signed(dialect, url, fields)).await
    }

    pub(super) fn signed(
        &self,
        dialect: Dialect,
        url: &str,
        fields: &[(&str, &str)],
    ) -> (String, String, &'static str) {
        match dialect {
            Dialect::Twiml => {
                let body = fields
                    .iter()
                    .map(|(name, value)| format!("{name}={}", encoded(value)))
                    .collect::<Vec<_>>()
                    .join("&");
                (body, sign_form(self.token, url, fields), "x-twilio-signature")
            }
            Dialect::Jambonz => {
                let mut hook = json!({ "direction": "inbound", "call_status": "in-progress" });
                for (name, value) in fields {
                    let (name, value) = match *name {
                        "CallSid" => ("call_sid", json!(value)),
                        "ParentCallSid" => ("parent_call_sid", json!(value)),
                        "From" => ("from", json!(value)),
                        "To" => ("to", json!(value)),
                        "Digits" => ("digits", json!(value)),
                        "CallStatus" => ("call_status", json!(value)),
                        "DialCallStatus" => ("dial_call_status", json!(value)),
                        "SpeechResult" => (
                            "speech",
                            json!({ "is_final": true, "alternatives": [{ "transcript": value, "confidence": 0.9 }] }),
                        ),
                        other => panic!("{other}"),
                    };
                    hook[name] = value;
                }
                let body = hook.to_string();
                let signature = signature::sign(self.token, body.as_bytes(), self.clock.now());
                (body, signature, "jambonz-signature")
            }
        }
    }

    pub(super) async fn send(
        &self,
        url: &str,
        signed: (String, String, &'static str),
    ) -> (StatusCode, String) {
        let (body, signature, name) = signed;
        let request = Request::builder()
            .method("POST")
            .uri(url.strip_prefix(URL).unwrap())
            .header(header::HOST, "hotline.example.org")
            .header(name, signature)
            .body(Body::from(body))
            .unwrap();
        self.answer(request).await
    }

    pub(super) async fn answer(&self, request: Request<Body>) -> (StatusCode, String) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8_lossy(&bytes).into_owned())
    }
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
            b' ' => "+".to_owned(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

/// What the carrier does when all has been said.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Doing {
    Gather {
        action: String,
        keys_max: usize,
        finish: Option<char>,
        first: Duration,
        next: Duration,
        words: bool,
    },
    Record {
        action: String,
        silent: String,
    },
    Dial {
        to: String,
        action: String,
        answered: String,
    },
    Redirect(String),
    HangUp,
    Reject,
}

/// A call at a carrier.
pub(super) struct Line<'a> {
    pub(super) exchange: &'a Exchange,
    pub(super) dialect: Dialect,
    pub(super) call: String,
    pub(super) said: Vec<String>,
    pub(super) doing: Doing,
    /// Keys of the gather under way.
    pub(super) keys: String,
    /// When the gather is over; none while its prompt is played.
    pub(super) until: Option<Timestamp>,
    /// Whether prompts take until `played`.
    pub(super) plays: bool,
}

impl<'a> Line<'a> {
    pub(super) async fn call(exchange: &'a Exchange, dialect: Dialect, number: &str, plays: bool) -> Self {
        let call = format!("CA-{}-{number}", dialect.as_str());
        let mut line = Self {
            exchange,
            dialect,
            call: call.clone(),
            said: Vec::new(),
            doing: Doing::HangUp,
            keys: String::new(),
            until: None,
            plays,
        };
        let url = format!("{URL}/carriers/{}/call", dialect.as_str());
        let to = [("From", "+8613800138000"), ("To", number)];
        line.fetch(&url, &to).await;
        line
    }

    /// Posts to an address of a document, and does what the answer says.
    pub(super) async fn fetch(&mut self, url: &str, fields: &[(&str, &str)]) {
        let mut all = vec![("CallSid", self.call.as_str())];
        all.extend_from_slice(fields);
        let (status, document) = self.exchange.post(self.dialect, url, &all).await;
        assert_eq!(status, StatusCode::OK, "{document}");
        self.read(&document);
    }

    pub(super) fn read(&mut self, document: &str) {
        let (said, doing) = match self.dialect {
            Dialect::Twiml => xml::read(document),
            Dialect::Jambonz => verbs(document),
        };
        self.said.extend(said);
        self.doing = doing;
        self.keys.clear();
        self.until = None;
        if !self.plays {
            self.played();
        }
    }

    /// All has been said.
    pub(super) fn played(&mut self) {
        if let Doing::Gather { first, .. } = &self.doing
            && self.until.is_none()
        {
            self.until = Some(self.exchange.clock.now() + *first);
        }
    }

    /// The caller presses keys, one after the other.
    pub(super) async fn press(&mut self, keys: &str) {
        for key in keys.chars() {
            let Doing::Gather {
                keys_max,
                finish,
                next,
                ..
            } = &self.doing
            else {
                return;
            };
            if *keys_max == 0 {
                continue;
            }
            if Some(key) != *finish {
                self.keys.push(key);
                // What is pressed stops what is played.
                self.until = Some(self.exchange.clock.now() + *next);
                if self.keys.len() < *keys_max {
                    continue;
                }
            }
            // Keys after the last are lost while the carrier asks what comes next.
            return self.submit().await;
        }
    }

    /// The caller says words.
    pub(super) async fn speak(&mut self, words: &str) {
        if let Doing::Gather {
            action, words: true, ..
        } = self.doing.clone()
        {
            self.fetch(&action, &[("SpeechResult", words)]).await;
        }
    }

    pub(super) async fn submit(&mut self) {
        let Doing::Gather { action, .. } = self.doing.clone() else {
            return;
        };
        let keys = std::mem::take(&mut self.keys);
        if keys.is_empty() {
            self.fetch(&action, &[]).await;
        } else {
            self.fetch(&action, &[("Digits", &keys)]).await;
        }
    }

    /// Whether keys were pressed that are not posted yet.
    pub(super) fn holds_keys(&self) -> bool {
        !self.keys.is_empty()
    }

    /// Time passes.
    pub(super) async fn pass(&mut self, time: Duration) {
        let clock = &self.exchange.clock;
        let end = clock.now() + time;
        while let Some(until) = self.until.filter(|until| *until <= end) {
            clock.advance(until.since(clock.now()));
            self.submit().await;
        }
        clock.advance(end.since(clock.now()));
    }

    pub(super) async fn contact(&self) -> ContactId {
        let key = trunkline_model::Digest::of_parts(
            [self.dialect.as_str(), self.dialect.as_str(), &self.call].map(str::as_bytes),
        );
        let key = key.to_string();
        let begun = self.exchange.node.contacts().begun_by(&key);
        begun.await.unwrap().expect("the call has a contact")
    }

    pub(super) async fn session(&self) -> Session {
        self.exchange.node.session(&self.contact().await).await.unwrap()
    }
}

/// Verbs of jambonz, as its documentation has them done.
fn verbs(document: &str) -> (Vec<String>, Doing) {
    let verbs: Vec<Json> = serde_json::from_str(document).unwrap();
    let mut said = Vec::new();
    let text = |verb: &Json| verb["text"].as_str().or(verb["url"].as_str()).unwrap().to_owned();
    let url = |hook: &Json| hook["url"].as_str().unwrap().to_owned();
    let seconds = |time: &Json| Duration::from_secs(time.as_u64().unwrap());
    for verb in &verbs {
        let doing = match verb["verb"].as_str().unwrap() {
            "say" | "play" => {
                said.push(text(verb));
                continue;
            }
            "pause" => continue,
            "gather" => {
                for prompt in ["say", "play"] {
                    if verb[prompt].is_object() {
                        said.push(text(&verb[prompt]));
                    }
                }
                Doing::Gather {
                    action: url(&verb["actionHook"]),
                    keys_max: verb["maxDigits"]
                        .as_u64()
                        .map_or(0, |max| usize::try_from(max).unwrap()),
                    finish: verb["finishOnKey"].as_str().and_then(|key| key.chars().next()),
                    first: seconds(&verb["timeout"]),
                    next: verb["interDigitTimeout"]
                        .as_u64()
                        .map_or_else(Duration::default, Duration::from_secs),
                    words: verb["input"].as_array().unwrap().contains(&json!("speech")),
                }
            }
            "dial" => {
                let target = &verb["target"][0];
                Doing::Dial {
                    to: target["number"]
                        .as_str()
                        .or(target["sipUri"].as_str())
                        .unwrap()
                        .to_owned(),
                    action: url(&verb["actionHook"]),
                    answered: url(&verb["confirmHook"]),
                }
            }
            "redirect" => Doing::Redirect(url(&verb["actionHook"])),
            "hangup" => Doing::HangUp,
            "sip:decline" => Doing::Reject,
            other => panic!("{other}"),
        };
        return (said, doing);
    }
    // A call whose verbs are done is over.
    (said, Doing::HangUp)
}

/// TwiML, as its documentation has it done.
mod xml {
    use super::{Doing, Duration};

    struct Element {
        name: String,
        attributes: Vec<(String, String)>,
        inside: Vec<Node>,
    }

    enum Node {
        Element(Element),
        Text(String),
    }

    impl Element {
        fn attribute(&self, name: &str) -> Option<&str> {
            let found = self.attributes.iter().find(|(attribute, _)| attribute == name);
            found.map(|(_, value)| value.as_str())
        }

        fn text(&self) -> String {
            self.inside
                .iter()
                .map(|node| match node {
                    Node::Element(element) => element.text(),
                    Node::Text(text) => text.clone(),
                })
                .collect()
        }

        fn elements(&self) -> impl Iterator<Item = &Self> {
            self.inside.iter().filter_map(|node| match node {
                Node::Element(element) => Some(element),
                Node::Text(_) => None,
            })
        }
    }

    fn plain(text: &str) -> String {
        let mut text = text.to_owned();
        for (name, character) in [
            ("&lt;", "<"),
            ("&gt;", ">"),
            ("&quot;", "\""),
            ("&apos;", "'"),
            ("&#9;", "\t"),
            ("&#10;", "\n"),
            ("&#13;", "\r"),
            ("&amp;", "&"),
        ] {
            text = text.replace(name, character);
        }
        text
    }

    /// Reads elements until the end of the one that they stand in.
    fn nodes(rest: &mut &str) -> Vec<Node> {
        let mut read = Vec::new();
        while !rest.is_empty() && !rest.starts_with("</") {
            let Some(inside) = rest.strip_prefix('<') else {
                let (text, after) = rest.split_at(rest.find('<').unwrap_or(rest.len()));
                read.push(Node::Text(plain(text)));
                *rest = after;
                continue;
            };
            let (mut head, after) = inside.split_once('>').expect("a tag ends");
            *rest = after;
            if head.starts_with('?') {
                continue;
            }
            let empty = head.ends_with('/');
            head = head.trim_end_matches('/');
            let (name, attributes) = head.split_once(' ').unwrap_or((head, ""));
            let mut pairs = Vec::new();
            let mut attributes = attributes.trim();
            while let Some((name, value)) = attributes.split_once("=\"") {
                let (value, after) = value.split_once('"').expect("an attribute ends");
                pairs.push((name.trim().to_owned(), plain(value)));
                attributes = after.trim();
            }
            let within = if empty { Vec::new() } else { nodes(rest) };
            if !empty {
                let end = format!("</{name}>");
                *rest = rest.strip_prefix(end.as_str()).expect("an element ends");
            }
            read.push(Node::Element(Element {
                name: name.to_owned(),
                attributes: pairs,
                inside: within,
            }));
        }
        read
    }

    pub(super) fn read(document: &str) -> (Vec<String>, Doing) {
        let mut rest = document;
        let read = nodes(&mut rest);
        let [Node::Element(response)] = &read[..] else {
            panic!("{document}");
        };
        assert_eq!((response.name.as_str(), rest), ("Response", ""));
        let mut said = Vec::new();
        let mut elements = response.elements().peekable();
        while let Some(element) = elements.next() {
            let url = |name: &str| {
                element
                    .attribute(name)
                    .unwrap_or_else(|| panic!("{name}: {document}"))
                    .to_owned()
            };
            let doing = match element.name.as_str() {
                "Say" | "Play" => {
                    said.push(element.text());
                    continue;
                }
                "Pause" => continue,
                "Gather" => {
                    said.extend(element.elements().map(Element::text));
                    let input = element.attribute("input").unwrap();
                    let timeout = Duration::from_secs(element.attribute("timeout").unwrap().parse().unwrap());
                    assert_eq!(element.attribute("actionOnEmptyResult"), Some("true"));
                    let keys = input.split(' ').any(|kind| kind == "dtmf");
                    Doing::Gather {
                        action: url("action"),
                        keys_max: if keys {
                            element.attribute("numDigits").unwrap().parse().unwrap()
                        } else {
                            0
                        },
                        finish: element
                            .attribute("finishOnKey")
                            .map_or(Some('#'), |key| key.chars().next()),
                        first: timeout,
                        // One time holds for all.
                        next: timeout,
                        words: input.split(' ').any(|kind| kind == "speech"),
                    }
                }
                "Record" => Doing::Record {
                    action: url("action"),
                    silent: elements.peek().expect("a Redirect follows").text(),
                },
                "Dial" => {
                    let whom = element.elements().next().unwrap();
                    assert_eq!(whom.attribute("statusCallbackEvent"), Some("answered"));
                    Doing::Dial {
                        to: whom.text(),
                        action: url("action"),
                        answered: whom.attribute("statusCallback").unwrap().to_owned(),
                    }
                }
                "Redirect" => Doing::Redirect(element.text()),
                "Hangup" => Doing::HangUp,
                "Reject" => Doing::Reject,
                other => panic!("{other}"),
            };
            return (said, doing);
        }
        (said, Doing::HangUp)
    }
}
