//! Calls by carriers, which are played here: their documents are read and done as the carriers'
//! documentation says, over the node's own router, with real signatures.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode, header},
};
use serde_json::{Value as Json, json};
use tower::ServiceExt as _;
use trunkline_channel::cpaas::Dialect;
use trunkline_engine::{
    Fact, Session,
    service::{RecordAnswer, ServiceAnswer, Stage},
    services::AgentState,
    session::State as Stands,
};
use trunkline_journal::{Journal, Memory};
use trunkline_model::{ContactId, Duration, Timestamp};
use trunkline_plugin::{SecretTable, SecretValue};

use super::signed::sign_form;
use crate::{
    Clock, Node, Settings,
    node::{Listen, Readiness},
    server::{State, router},
    signature,
    testing::{Hotline, NOON, eventually, journal},
};

pub(super) const URL: &str = "https://hotline.example.org";
const TOKEN: &[u8] = b"a token of some length";

/// The settings of both carriers, for hotline.yaml.
pub(super) const CARRIERS: &str = "carriers:\n  \
    twiml: { kind: twiml, url: \"https://hotline.example.org\", secret: carrier-token }\n  \
    jambonz: { kind: jambonz, url: \"https://hotline.example.org\", secret: carrier-token }\n";

/// A node that carriers reach.
pub(super) struct Exchange {
    hotline: Hotline,
    pub(super) node: Node,
    pub(super) clock: Clock,
    router: Router,
    /// What carriers sign with.
    token: &'static [u8],
}

impl Exchange {
    pub(super) async fn new(hotline: Hotline) -> Self {
        Self::on(hotline, Clock::still(NOON), journal(Arc::new(Memory::new()))).await
    }

    /// A node on journals that may have been another's before.
    async fn on(hotline: Hotline, clock: Clock, journal: Journal) -> Self {
        Self::signed_with(TOKEN, hotline, clock, journal).await
    }

    async fn signed_with(token: &'static [u8], hotline: Hotline, clock: Clock, journal: Journal) -> Self {
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
    async fn post(&self, dialect: Dialect, url: &str, fields: &[(&str, &str)]) -> (StatusCode, String) {
        self.send(url, self.signed(dialect, url, fields)).await
    }

    fn signed(&self, dialect: Dialect, url: &str, fields: &[(&str, &str)]) -> (String, String, &'static str) {
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

    async fn send(&self, url: &str, signed: (String, String, &'static str)) -> (StatusCode, String) {
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

    async fn answer(&self, request: Request<Body>) -> (StatusCode, String) {
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
    keys: String,
    /// When the gather is over; none while its prompt is played.
    pub(super) until: Option<Timestamp>,
    /// Whether prompts take until `played`.
    plays: bool,
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

    async fn submit(&mut self) {
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

/// A hotline that transfers, waits, queues and takes messages, by one key each.
fn hotline() -> Hotline {
    let hotline = Hotline::new();
    hotline.write(
        "hotline.yaml",
        format!(
            "hotline: test-line\nlanguages: [en]\ntime-zone: Asia/Shanghai\n{CARRIERS}\
             numbers:\n  \"12345\": {{ flow: main }}\n"
        ),
    );
    hotline.write(
        "flows/main.yaml",
        "flow: main\n\
         vars: { words: string? }\n\
         start: welcome\n\
         steps:\n\
         \x20 welcome: { say: welcome, next: topics }\n\
         \x20 topics:\n\
         \x20   menu: topics\n\
         \x20   keys:\n\
         \x20     1: { say: k-matter, next: move }\n\
         \x20     2: { say: k-pause, next: moment }\n\
         \x20     3: { say: k-pause, next: leave }\n\
         \x20     4: { say: k-matter, next: first }\n\
         \x20   retries: 1\n\
         \x20   on: { no-input: bye, no-match: bye }\n\
         \x20 move: { transfer: \"+8657112345\", time: 30s, on: { busy: busy, no-answer: nobody, failed: failed }, next: bye }\n\
         \x20 first: { transfer: \"+8657100001\", time: 30s, on: { busy: second, else: bye }, next: second }\n\
         \x20 second: { transfer: \"+8657100002\", time: 30s, on: { busy: busy, else: bye }, next: bye }\n\
         \x20 busy: { say: { en: It is busy. }, next: done }\n\
         \x20 nobody: { say: { en: Nobody answers. }, next: done }\n\
         \x20 failed: { say: { en: No connection. }, next: done }\n\
         \x20 moment: { say: { en: One moment. }, next: pause }\n\
         \x20 pause: { wait: 1h, next: bye }\n\
         \x20 leave: { record: { message: matter, max: 1m, finish: \"#\", save: words }, on: { declined: nothing }, next: kept }\n\
         \x20 nothing: { say: { en: No message. }, next: done }\n\
         \x20 kept: { say: { en: It is kept. }, next: done }\n\
         \x20 bye: { say: goodbye, next: done }\n\
         \x20 done: { end: completed }\n",
    );
    std::fs::remove_file(hotline.path().join("prompts/zh-CN.yaml")).unwrap();
    hotline
}

const BOTH: [Dialect; 2] = [Dialect::Twiml, Dialect::Jambonz];

#[tokio::test]
async fn a_transfer_ends_as_the_carrier_says() {
    for dialect in BOTH {
        let exchange = Exchange::new(hotline()).await;
        for (came, says) in [
            ("busy", "It is busy."),
            ("no-answer", "Nobody answers."),
            ("failed", "No connection."),
            ("completed", "Goodbye."),
        ] {
            let mut line = Line::call(&exchange, dialect, "12345", false).await;
            line.call = format!("{}-{came}", line.call);
            let url = format!("{URL}/carriers/{}/call", dialect.as_str());
            line.fetch(&url, &[("From", "+8613800138000"), ("To", "+12345")])
                .await;
            assert_eq!(line.session().await.caller.as_deref(), Some("+8613800138000"));
            line.press("1").await;
            let Doing::Dial { to, action, answered } = line.doing.clone() else {
                panic!("{:?}", line.doing);
            };
            assert_eq!(to, "+8657112345");
            if came == "completed" {
                let leg = [("CallSid", "CA-leg"), ("ParentCallSid", line.call.as_str())];
                let (status, _) = exchange.post(dialect, &answered, &leg).await;
                assert_eq!(status, StatusCode::OK);
                let session = line.session().await;
                let Stands::Serving(serving) = &session.state else {
                    panic!("{:?}", session.state);
                };
                assert!(matches!(serving.stage, Stage::Talking { .. }), "{serving:?}");
                // Longer than it may ring.
                line.pass(Duration::from_secs(3_600)).await;
            }
            line.fetch(&action, &[("DialCallStatus", came)]).await;
            assert_eq!(
                line.said.last().map(String::as_str),
                Some(says),
                "{dialect:?} {came}"
            );
            assert_eq!(line.doing, Doing::HangUp);
            assert!(line.session().await.has_ended());
        }
    }
}

#[tokio::test]
async fn what_came_of_one_transfer_says_nothing_of_the_next() {
    for dialect in BOTH {
        let exchange = Exchange::new(hotline()).await;
        let mut line = Line::call(&exchange, dialect, "12345", false).await;
        line.press("4").await;
        let Doing::Dial { to, action, answered } = line.doing.clone() else {
            panic!("{:?}", line.doing);
        };
        assert_eq!(to, "+8657100001");
        let busy = [("CallSid", line.call.as_str()), ("DialCallStatus", "busy")];
        // The carrier asks twice at once, and again later.
        let (one, other) = tokio::join!(
            exchange.post(dialect, &action, &busy),
            exchange.post(dialect, &action, &busy)
        );
        assert_eq!(one, other);
        assert_eq!(exchange.post(dialect, &action, &busy).await, one);
        line.read(&one.1);
        assert!(
            matches!(&line.doing, Doing::Dial { to, .. } if to == "+8657100002"),
            "{:?}",
            line.doing
        );
        // Nor that somebody answered, which may come late.
        let leg = [("CallSid", "CA-leg"), ("ParentCallSid", line.call.as_str())];
        assert_eq!(exchange.post(dialect, &answered, &leg).await.0, StatusCode::OK);
        let session = line.session().await;
        let Stands::Serving(serving) = &session.state else {
            panic!("{:?}", session.state);
        };
        assert_eq!(serving.particulars.party.as_deref(), Some("+8657100002"));
        assert!(matches!(serving.stage, Stage::Asked), "{serving:?}");
        let Doing::Dial { action, .. } = line.doing.clone() else {
            panic!("{:?}", line.doing);
        };
        line.fetch(&action, &[("DialCallStatus", "completed")]).await;
        assert_eq!(line.said.last().map(String::as_str), Some("Goodbye."));
    }
}

#[tokio::test]
async fn what_is_no_address_is_not_dialled() {
    for dialect in BOTH {
        let hotline = hotline();
        let flow = hotline.read("flows/main.yaml");
        let flow = flow
            .replace("words: string? }", "words: string?, desk: string? }")
            .replace("next: move }", "next: pick }")
            .replace("  move: {", "  pick: { set: { desk: \"client:desk\" }, next: move }\n  move: {")
            .replace("transfer: \"+8657112345\"", "transfer: \"${desk}\"");
        hotline.write("flows/main.yaml", flow);
        let exchange = Exchange::new(hotline).await;
        let mut line = Line::call(&exchange, dialect, "12345", false).await;
        line.press("1").await;
        assert_eq!(line.said.last().map(String::as_str), Some("No connection."));
        assert_eq!(line.doing, Doing::HangUp);
    }
}

#[tokio::test]
async fn a_request_that_comes_again_is_answered_byte_for_byte_and_moves_nothing() {
    for dialect in BOTH {
        let exchange = Exchange::new(hotline()).await;
        let mut line = Line::call(&exchange, dialect, "12345", false).await;
        let url = format!("{URL}/carriers/{}/call", dialect.as_str());
        let call = [
            ("CallSid", line.call.as_str()),
            ("From", "+8613800138000"),
            ("To", "12345"),
        ];
        let first = exchange.post(dialect, &url, &call).await;
        let Doing::Gather { action, .. } = line.doing.clone() else {
            panic!("{:?}", line.doing);
        };
        let silence = [("CallSid", line.call.as_str())];
        let again = exchange.post(dialect, &action, &silence).await;
        let seq = line.session().await.seq;
        for _ in 0..3 {
            assert_eq!(exchange.post(dialect, &action, &silence).await, again);
            assert_eq!(exchange.post(dialect, &url, &call).await, first);
        }
        assert_eq!(line.session().await.seq, seq);
        line.read(&again.1);
        // Two at once move it once, and are answered the same.
        let Doing::Gather { action, .. } = line.doing.clone() else {
            panic!("{:?}", line.doing);
        };
        let pressed = [("CallSid", line.call.as_str()), ("Digits", "1")];
        let (one, other) = tokio::join!(
            exchange.post(dialect, &action, &pressed),
            exchange.post(dialect, &action, &pressed)
        );
        assert_eq!(one, other);
        line.read(&one.1);
        assert!(matches!(line.doing, Doing::Dial { .. }));
    }
}

#[tokio::test]
async fn what_takes_longer_is_asked_for_again() {
    for dialect in BOTH {
        let exchange = Exchange::new(hotline()).await;
        let mut line = Line::call(&exchange, dialect, "12345", false).await;
        let Doing::Gather { action, .. } = line.doing.clone() else {
            panic!("{:?}", line.doing);
        };
        // What was said is said at once, and the hour is long.
        let began = exchange.clock.now();
        let (clock, call) = (exchange.clock.clone(), line.call.clone());
        let pressed = [("CallSid", call.as_str()), ("Digits", "2")];
        let moves = async {
            for _ in 0..200 {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                clock.advance(Duration::from_secs(1));
            }
        };
        let answer = tokio::select! {
            answer = exchange.post(dialect, &action, &pressed) => answer,
            () = moves => panic!("no answer"),
        };
        line.read(&answer.1);
        let waited = exchange.clock.now().since(began);
        assert!(waited < crate::limits::CARRIER_ANSWER_WITHIN, "{waited}");
        assert_eq!(line.said.last().map(String::as_str), Some("One moment."));
        let Doing::Redirect(poll) = line.doing.clone() else {
            panic!("{:?}", line.doing);
        };
        clock.advance(Duration::from_secs(3_600));
        eventually("the wait is over", async || line.session().await.has_ended()).await;
        line.fetch(&poll, &[]).await;
        assert_eq!(line.said.last().map(String::as_str), Some("Goodbye."));
        assert_eq!(line.doing, Doing::HangUp);
    }
}

/// The names of the messages that a contact left.
async fn recordings(line: &Line<'_>) -> Vec<String> {
    let contact = line.contact().await;
    let contacts = line.exchange.node.contacts();
    let (events, _) = contacts.events(&contact, 0, usize::MAX).await.unwrap();
    let named = events.iter().filter_map(|(_, event)| match &event.fact {
        Fact::ServiceAnswered {
            answer: ServiceAnswer::Record(RecordAnswer::Done { recording }),
            ..
        } => Some(recording.to_string()),
        _ => None,
    });
    named.collect()
}

#[tokio::test]
async fn a_message_is_recorded_where_the_carrier_can() {
    let exchange = Exchange::new(hotline()).await;
    for (recorded, says) in [(true, "It is kept."), (false, "No message.")] {
        let mut line = Line::call(&exchange, Dialect::Twiml, "12345", false).await;
        line.call = format!("CA-{recorded}");
        let url = format!("{URL}/carriers/twiml/call");
        line.fetch(&url, &[("To", "12345")]).await;
        line.press("3").await;
        let Doing::Record { action, silent } = line.doing.clone() else {
            panic!("{:?}", line.doing);
        };
        line.pass(Duration::from_secs(20)).await;
        if recorded {
            line.fetch(&action, &[("RecordingSid", "RE1"), ("RecordingDuration", "20")])
                .await;
        } else {
            line.fetch(&silent, &[]).await;
        }
        assert_eq!(line.said.last().map(String::as_str), Some(says));
        // Where it is kept is found by its name.
        assert_eq!(recordings(&line).await, if recorded { vec!["twiml-RE1"] } else { vec![] });
    }
    // Who leaves in the middle of it has left one as well.
    let mut line = Line::call(&exchange, Dialect::Twiml, "12345", false).await;
    line.press("3").await;
    let Doing::Record { action, .. } = line.doing.clone() else {
        panic!("{:?}", line.doing);
    };
    let status = format!("{URL}/carriers/twiml/status");
    line.exchange
        .post(
            Dialect::Twiml,
            &status,
            &[("CallSid", &line.call), ("CallStatus", "completed")],
        )
        .await;
    let left = [("RecordingSid", "RE2"), ("CallStatus", "completed")];
    line.fetch(&action, &left).await;
    assert_eq!(recordings(&line).await, ["twiml-RE2"]);
    assert!(line.session().await.has_ended());
    let mut line = Line::call(&exchange, Dialect::Jambonz, "12345", false).await;
    line.press("3").await;
    // Nobody is asked for what would be lost.
    assert_eq!(line.said.last().map(String::as_str), Some("No message."));
    assert_eq!(line.doing, Doing::HangUp);
}

#[tokio::test]
async fn a_call_that_is_over_ends_the_contact() {
    for dialect in BOTH {
        let exchange = Exchange::new(hotline()).await;
        let line = Line::call(&exchange, dialect, "12345", false).await;
        let url = format!("{URL}/carriers/{}/status", dialect.as_str());
        for (call, ends) in [
            ("CA-other", false),
            (line.call.as_str(), true),
            (line.call.as_str(), true),
        ] {
            let over = [("CallSid", call), ("CallStatus", "completed")];
            let (status, _) = exchange.post(dialect, &url, &over).await;
            assert_eq!(status, StatusCode::OK);
            assert_eq!(line.session().await.has_ended(), ends);
        }
    }
}

#[tokio::test]
async fn who_hangs_up_while_it_rings_does_not_go_on() {
    for dialect in BOTH {
        let exchange = Exchange::new(hotline()).await;
        let mut line = Line::call(&exchange, dialect, "12345", false).await;
        line.press("4").await;
        let Doing::Dial { action, .. } = line.doing.clone() else {
            panic!("{:?}", line.doing);
        };
        let over = [("CallStatus", "completed"), ("DialCallStatus", "busy")];
        line.fetch(&action, &over).await;
        assert_eq!(line.doing, Doing::HangUp);
        let session = line.session().await;
        assert!(session.has_ended() && session.hung_up.is_some(), "{:?}", session.state);
        let (events, _) = exchange.node.contacts().events(&session.contact, 0, usize::MAX).await.unwrap();
        let asked = events
            .iter()
            .filter(|(_, event)| matches!(event.fact, Fact::ServiceAsked { .. }));
        assert_eq!(asked.count(), 1, "nobody else is dialled");
    }
}

#[tokio::test]
async fn a_number_that_is_none_is_refused() {
    for dialect in BOTH {
        let exchange = Exchange::new(hotline()).await;
        let line = Line::call(&exchange, dialect, "999", false).await;
        assert_eq!(line.doing, Doing::Reject);
    }
}

#[tokio::test]
async fn only_the_carrier_moves_a_call_and_only_its_own() {
    for dialect in BOTH {
        let exchange = Exchange::new(hotline()).await;
        let line = Line::call(&exchange, dialect, "12345", false).await;
        let Doing::Gather { action, .. } = line.doing.clone() else {
            panic!("{:?}", line.doing);
        };
        let seq = line.session().await.seq;
        let fields = [("CallSid", line.call.as_str()), ("Digits", "1")];
        let signed = exchange.signed(dialect, &action, &fields);
        // Another's signature, and a body that was changed.
        let wrong = (signed.0.clone(), "AAAA".to_owned(), signed.2);
        assert_eq!(exchange.send(&action, wrong).await.0, StatusCode::FORBIDDEN);
        let changed = (signed.0.replace('1', "2"), signed.1.clone(), signed.2);
        assert_eq!(exchange.send(&action, changed).await.0, StatusCode::FORBIDDEN);
        // Signed by the carrier, but for another call, another step, and no address of ours.
        let other = [("CallSid", "CA-other"), ("Digits", "1")];
        assert_eq!(
            exchange.post(dialect, &action, &other).await.0,
            StatusCode::FORBIDDEN
        );
        for (from, to) in [
            ("/gather", "/dial"),
            ("again=0", "again=1"),
            ("after=", "after=1"),
            ("proof=", "proof=0"),
        ] {
            let address = action.replacen(from, to, 1);
            assert_ne!(address, action);
            let (status, text) = exchange.post(dialect, &address, &fields).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{text}");
        }
        let nobody = format!("{URL}/carriers/nobody/call");
        assert_eq!(
            exchange.post(dialect, &nobody, &fields).await.0,
            StatusCode::NOT_FOUND
        );
        assert_eq!(line.session().await.seq, seq);
    }
}

#[tokio::test]
async fn bodies_that_are_none_are_refused() {
    let exchange = Exchange::new(hotline()).await;
    let url = format!("{URL}/carriers/twiml/call");
    let large = "a".repeat(crate::limits::CARRIER_BYTES_MAX + 1);
    let (status, _) = exchange
        .send(&url, (large, String::new(), "x-twilio-signature"))
        .await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let (status, _) = exchange.post(Dialect::Twiml, &url, &[("To", "12345")]).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let url = format!("{URL}/carriers/jambonz/call");
    let body = "[[[[".to_owned();
    let signature = signature::sign(TOKEN, body.as_bytes(), exchange.clock.now());
    let (status, _) = exchange.send(&url, (body, signature, "jambonz-signature")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

/// A queue of two agents, one of whom has a telephone.
fn centre() -> Hotline {
    let hotline = Hotline::with_queue();
    let settings = hotline.read("hotline.yaml");
    hotline.write("hotline.yaml", format!("{settings}{CARRIERS}"));
    hotline.write(
        "agents.yaml",
        "zhang-wei: { skills: [mandarin], phone: zhang-wei-phone }\nli-na: { skills: [mandarin] }\n",
    );
    hotline
}

async fn waiting(line: &mut Line<'_>, agent: &str) {
    line.exchange.node.contacts().agent_is(agent, true).unwrap();
    line.press("1").await;
    for _ in 0..20 {
        if matches!(
            line.doing,
            Doing::Gather {
                words: false,
                keys_max: 1,
                ..
            }
        ) && matches!(line.session().await.state, Stands::Serving(_))
        {
            return;
        }
        if let Doing::Redirect(poll) = line.doing.clone() {
            line.fetch(&poll, &[]).await;
        }
    }
    panic!("{:?} {:?}", line.doing, line.session().await.state);
}

#[tokio::test]
async fn who_waits_is_asked_again_until_an_agent_is_dialled() {
    for dialect in BOTH {
        let exchange = Exchange::new(centre()).await;
        let mut line = Line::call(&exchange, dialect, "12345", false).await;
        waiting(&mut line, "zhang-wei").await;
        // Nothing is misheard in a queue, however long it takes.
        line.pass(Duration::from_secs(10)).await;
        let contact = line.contact().await;
        let contacts = exchange.node.contacts();
        eventually("the agent answers", async || {
            contacts
                .agent_does("zhang-wei", &contact, crate::Deed::Answer)
                .is_ok()
        })
        .await;
        eventually("they talk", async || {
            matches!(&line.session().await.state, Stands::Serving(serving) if matches!(serving.stage, Stage::Talking { .. }))
        })
        .await;
        line.pass(Duration::from_secs(6)).await;
        let Doing::Dial { to, action, .. } = line.doing.clone() else {
            panic!("{:?}", line.doing);
        };
        assert_eq!(to, "sip:zhang-wei@hotline.example.org");
        let over = [("CallSid", line.call.as_str()), ("DialCallStatus", "completed")];
        let (_, document) = exchange.post(dialect, &action, &over).await;
        line.read(&document);
        for _ in 0..20 {
            if let Doing::Redirect(poll) = line.doing.clone() {
                line.fetch(&poll, &[]).await;
            }
        }
        assert!(
            line.said.iter().any(|said| said.contains("What happened?")),
            "{:?}",
            line.said
        );
    }
}

/// A line whose caller asks for the agent zhang-wei by name, with the agent there.
async fn asks_for_an_agent<'a>(exchange: &'a Exchange, dialect: Dialect, there: bool) -> Line<'a> {
    let contacts = exchange.node.contacts();
    if there {
        contacts.agent_is("zhang-wei", true).unwrap();
    }
    let mut line = Line::call(exchange, dialect, "12345", false).await;
    line.press("5").await;
    for _ in 0..20 {
        let Doing::Redirect(poll) = line.doing.clone() else {
            break;
        };
        line.fetch(&poll, &[]).await;
    }
    line
}

/// A queue of two agents, and a way to one of them by name.
fn by_name() -> Hotline {
    let hotline = centre();
    let flow = hotline.read("flows/main.yaml");
    let flow = flow
        .replace(
            "2: { say: k-pause, next: noise }",
            "2: { say: k-pause, next: noise }\n      5: { say: k-pause, next: named }",
        )
        .replace(
            "  bye: {",
            "  named: { transfer: { agent: zhang-wei }, time: 20s, on: { busy: bye, no-answer: nobody, failed: bye }, next: welcome }\n  bye: {",
        );
    hotline.write("flows/main.yaml", flow);
    hotline
}

#[tokio::test]
async fn an_agent_who_is_asked_for_by_name_is_dialled_when_free() {
    for dialect in BOTH {
        let exchange = Exchange::new(by_name()).await;
        let contacts = exchange.node.contacts();
        let state = || {
            let (_, agents) = contacts.queues_and_agents();
            let found = agents.into_iter().find(|agent| &*agent.name == "zhang-wei");
            found.expect("the agent is there").state
        };
        let mut line = asks_for_an_agent(&exchange, dialect, true).await;
        let Doing::Dial { to, action, answered } = line.doing.clone() else {
            panic!("{:?}", line.doing);
        };
        assert_eq!(to, "sip:zhang-wei@hotline.example.org");
        assert!(matches!(state(), AgentState::Ringing { .. }), "{:?}", state());
        let leg = [("CallSid", "CA-leg"), ("ParentCallSid", line.call.as_str())];
        for _ in 0..2 {
            assert_eq!(exchange.post(dialect, &answered, &leg).await.0, StatusCode::OK);
        }
        assert!(matches!(state(), AgentState::Talking { .. }), "{:?}", state());
        eventually("they talk", async || {
            matches!(&line.session().await.state, Stands::Serving(serving) if matches!(serving.stage, Stage::Talking { .. }))
        })
        .await;
        line.fetch(&action, &[("DialCallStatus", "completed")]).await;
        assert!(line.said.iter().any(|said| said.contains("What happened?")), "{:?}", line.said);
        assert!(matches!(state(), AgentState::WrapUp { .. }), "{:?}", state());
    }
}

#[tokio::test]
async fn an_agent_who_does_not_answer_is_free_again_and_who_is_away_is_not_dialled() {
    for dialect in BOTH {
        let exchange = Exchange::new(by_name()).await;
        let mut line = asks_for_an_agent(&exchange, dialect, true).await;
        let Doing::Dial { action, .. } = line.doing.clone() else {
            panic!("{:?}", line.doing);
        };
        line.fetch(&action, &[("DialCallStatus", "no-answer")]).await;
        assert!(line.said.iter().any(|said| said.contains("Nobody is there.")), "{:?}", line.said);
        let (_, agents) = exchange.node.contacts().queues_and_agents();
        let agent = agents.iter().find(|agent| &*agent.name == "zhang-wei").unwrap();
        assert_eq!(agent.state, AgentState::Available);

        let exchange = Exchange::new(by_name()).await;
        let line = asks_for_an_agent(&exchange, dialect, false).await;
        assert!(line.said.iter().any(|said| said.contains("Nobody is there.")), "{:?}", line.said);
        assert_eq!(line.doing, Doing::HangUp);
    }
}

#[tokio::test]
async fn an_agent_without_a_telephone_is_not_reached() {
    for dialect in BOTH {
        let exchange = Exchange::new(centre()).await;
        let mut line = Line::call(&exchange, dialect, "12345", false).await;
        waiting(&mut line, "li-na").await;
        let contact = line.contact().await;
        let contacts = exchange.node.contacts();
        eventually("the agent answers", async || {
            contacts
                .agent_does("li-na", &contact, crate::Deed::Answer)
                .is_ok()
        })
        .await;
        eventually("they talk", async || {
            matches!(&line.session().await.state, Stands::Serving(serving) if matches!(serving.stage, Stage::Talking { .. }))
        })
        .await;
        line.pass(Duration::from_secs(6)).await;
        assert_eq!(line.said.last().map(String::as_str), Some("Goodbye."));
        assert_eq!(line.doing, Doing::HangUp);
        // The agent is free again.
        let (_, agents) = contacts.queues_and_agents();
        let agent = agents.iter().find(|agent| &*agent.name == "li-na").unwrap();
        assert!(!matches!(agent.state, AgentState::Talking { .. }), "{agent:?}");
    }
}

#[tokio::test]
async fn a_call_goes_on_after_a_restart_and_is_answered_as_before() {
    for dialect in BOTH {
        let (clock, journal) = (Clock::still(NOON), journal(Arc::new(Memory::new())));
        let before = Exchange::on(hotline(), clock.clone(), journal.clone()).await;
        let line = Line::call(&before, dialect, "12345", false).await;
        let Doing::Gather { action, .. } = line.doing.clone() else {
            panic!("{:?}", line.doing);
        };
        let call = line.call.clone();
        let silence = [("CallSid", call.as_str())];
        let answered = before.post(dialect, &action, &silence).await;
        drop(line);
        before.node.shutdown().await;
        let after = Exchange::on(hotline(), clock, journal).await;
        assert_eq!(after.post(dialect, &action, &silence).await, answered);
        let mut line = Line {
            exchange: &after,
            dialect,
            call: call.clone(),
            said: Vec::new(),
            doing: Doing::HangUp,
            keys: String::new(),
            until: None,
            plays: false,
        };
        line.read(&answered.1);
        line.press("1").await;
        assert!(matches!(line.doing, Doing::Dial { .. }), "{:?}", line.doing);
    }
}

#[tokio::test]
async fn a_call_goes_on_though_the_hotline_has_its_carrier_no_longer() {
    for dialect in BOTH {
        let exchange = Exchange::new(hotline()).await;
        let mut line = Line::call(&exchange, dialect, "12345", false).await;
        let folder = exchange.hotline.path().to_owned();
        let settings = exchange.hotline.read("hotline.yaml").replace(CARRIERS, "");
        exchange.hotline.write("hotline.yaml", settings);
        let releases = exchange.node.releases();
        let (report, _) = releases.take_folder(&folder, crate::report::Cause::Asked).await;
        let live = report.release.expect("the hotline loads without carriers");
        assert_ne!(live, line.session().await.release);
        // Nobody new comes by it, and who is there goes on and leaves.
        let url = format!("{URL}/carriers/{}/call", dialect.as_str());
        let new = [("CallSid", "CA-new"), ("To", "12345")];
        assert_eq!(exchange.post(dialect, &url, &new).await.0, StatusCode::NOT_FOUND);
        line.press("1").await;
        assert!(matches!(line.doing, Doing::Dial { .. }), "{:?}", line.doing);
        let url = format!("{URL}/carriers/{}/status", dialect.as_str());
        let over = [("CallSid", line.call.as_str()), ("CallStatus", "completed")];
        assert_eq!(exchange.post(dialect, &url, &over).await.0, StatusCode::OK);
        assert!(line.session().await.has_ended());
    }
}

#[tokio::test]
async fn a_call_goes_on_though_its_carrier_signs_with_another_secret() {
    for dialect in BOTH {
        let (clock, journal) = (Clock::still(NOON), journal(Arc::new(Memory::new())));
        let before = Exchange::on(hotline(), clock.clone(), journal.clone()).await;
        let line = Line::call(&before, dialect, "12345", false).await;
        let Doing::Gather { action, .. } = line.doing.clone() else {
            panic!("{:?}", line.doing);
        };
        let call = line.call.clone();
        drop(line);
        before.node.shutdown().await;
        let after = Exchange::signed_with(b"another token, as long", hotline(), clock, journal).await;
        let pressed = [("CallSid", call.as_str()), ("Digits", "1")];
        let stale = before.signed(dialect, &action, &pressed);
        assert_eq!(after.send(&action, stale).await.0, StatusCode::FORBIDDEN);
        let (status, document) = after.post(dialect, &action, &pressed).await;
        assert_eq!(status, StatusCode::OK, "{document}");
        assert!(document.contains("+8657112345"), "{document}");
    }
}

/// A second of silence, as a WAV file.
fn silence() -> Vec<u8> {
    let samples = vec![0_u8; 16_000];
    let mut wav = Vec::new();
    wav.extend_from_slice(b"RIFF");
    wav.extend_from_slice(&(36 + 16_000_u32).to_le_bytes());
    wav.extend_from_slice(b"WAVEfmt ");
    wav.extend_from_slice(&16_u32.to_le_bytes());
    wav.extend_from_slice(&1_u16.to_le_bytes());
    wav.extend_from_slice(&1_u16.to_le_bytes());
    wav.extend_from_slice(&8_000_u32.to_le_bytes());
    wav.extend_from_slice(&16_000_u32.to_le_bytes());
    wav.extend_from_slice(&2_u16.to_le_bytes());
    wav.extend_from_slice(&16_u16.to_le_bytes());
    wav.extend_from_slice(b"data");
    wav.extend_from_slice(&16_000_u32.to_le_bytes());
    wav.extend_from_slice(&samples);
    wav
}

#[tokio::test]
async fn what_a_carrier_cannot_play_is_said_by_its_text() {
    let hotline = hotline();
    hotline.write("audio/welcome.opus", silence());
    let prompts = hotline.read("prompts/en.yaml");
    let recorded = "welcome: { text: Welcome., recording: audio/welcome.opus, seconds: 1 }";
    hotline.write("prompts/en.yaml", prompts.replace("welcome: Welcome.", recorded));
    let exchange = Exchange::new(hotline).await;
    let line = Line::call(&exchange, Dialect::Twiml, "12345", false).await;
    assert_eq!(line.said.first().map(String::as_str), Some("Welcome."));
}

#[tokio::test]
async fn a_recording_is_fetched_by_its_address_and_no_other() {
    let hotline = hotline();
    hotline.write("audio/welcome.wav", silence());
    let prompts = hotline.read("prompts/en.yaml");
    let recorded = "welcome: { text: Welcome., recording: audio/welcome.wav }";
    hotline.write("prompts/en.yaml", prompts.replace("welcome: Welcome.", recorded));
    let exchange = Exchange::new(hotline).await;
    let line = Line::call(&exchange, Dialect::Twiml, "12345", false).await;
    let address = line.said[0].clone();
    assert!(
        address.starts_with(&format!("{URL}/carriers/twiml/recordings/")),
        "{address}"
    );
    let fetch = async |address: &str| {
        let request = Request::get(address.strip_prefix(URL).unwrap())
            .body(Body::empty())
            .unwrap();
        exchange.answer(request).await.0
    };
    assert_eq!(fetch(&address).await, StatusCode::OK);
    for (from, to) in [
        ("twiml", "jambonz"),
        (".wav", ""),
        (".wav", "0.wav"),
        ("/recordings/", "/recordings/0"),
    ] {
        assert_eq!(
            fetch(&address.replace(from, to)).await,
            StatusCode::NOT_FOUND,
            "{from}"
        );
    }
}
