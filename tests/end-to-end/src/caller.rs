//! A caller over HTTP: knows the public API and nothing else of Trunkline.

use std::sync::OnceLock;

use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::{LOOK_EVERY, PATIENCE, Server, server::show};

/// An HTTP client, as all callers use it. It keeps no connections: those belong to the runtime
/// that made them, and every test has its own.
pub fn http() -> &'static Client {
    static CLIENT: OnceLock<Client> = OnceLock::new();
    CLIENT.get_or_init(|| {
        // Chosen once for the process; a second choice of the same one changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Client::builder()
            .pool_max_idle_per_host(0)
            .timeout(PATIENCE)
            .build()
            .expect("a client needs nothing")
    })
}

/// A chat contact, from its caller's side.
pub struct Caller {
    server: String,
    /// The contact.
    pub contact: String,
    /// What opens it.
    pub token: String,
    /// The release it is on.
    pub release: String,
    /// Every turn so far.
    pub turns: Vec<Value>,
    /// How many turns the test has taken notice of.
    noticed: usize,
    given: u32,
}

impl Caller {
    /// Calls a number.
    ///
    /// # Panics
    /// When the contact does not begin, as all methods here when something does not come.
    pub async fn dial(server: &Server, number: &str) -> Self {
        Self::begin(server, None, json!({ "channel": "chat", "number": number })).await
    }

    /// Calls with all that a request can hold, and a client's key.
    pub async fn begin(server: &Server, key: Option<&str>, request: Value) -> Self {
        let mut post = http()
            .post(format!("{}/api/v1/contacts", server.url()))
            .json(&request);
        if let Some(key) = key {
            post = post.bearer_auth(key);
        }
        let (status, begun) = answer(post).await;
        assert_eq!(status, 201, "{begun}");
        Self {
            server: server.url(),
            contact: text(&begun["contact"]),
            token: text(&begun["token"]),
            release: text(&begun["release"]),
            turns: Vec::new(),
            noticed: 0,
            given: 0,
        }
    }

    /// Goes on with a server that was started again.
    pub fn reconnect(&mut self, server: &Server) {
        self.server = server.url();
    }

    fn path(&self, rest: &str) -> String {
        format!("{}/api/v1/contacts/{}{rest}", self.server, self.contact)
    }

    /// The number of the last turn.
    pub fn last(&self) -> u64 {
        self.turns
            .last()
            .map_or(0, |turn| turn["seq"].as_u64().expect("turns have numbers"))
    }

    /// Waits for the next turn of which something holds; those before it count as noticed.
    pub async fn notices(&mut self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let patience = tokio::time::Instant::now() + PATIENCE;
        loop {
            while let Some(turn) = self.turns.get(self.noticed) {
                self.noticed += 1;
                if holds(turn) {
                    return turn.clone();
                }
            }
            assert!(
                tokio::time::Instant::now() < patience,
                "no {what} came within {} s",
                PATIENCE.as_secs()
            );
            self.listen().await;
        }
    }

    /// Asks for more turns, and waits some seconds for the first.
    async fn listen(&mut self) {
        let get = http()
            .get(self.path(&format!("/turns?after={}&wait=5", self.last())))
            .bearer_auth(&self.token);
        let (status, body) = answer(get).await;
        assert_eq!(status, 200, "{body}");
        let turns = body["turns"].as_array().expect("turns are a list");
        for turn in turns {
            assert!(
                turn["seq"].as_u64() > Some(self.last()),
                "turns come in order: {turn} after {}",
                self.last()
            );
            self.turns.push(turn.clone());
        }
        if turns.is_empty() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Waits for a prompt to be said: its text.
    pub async fn hears(&mut self, prompt: &str) -> String {
        let turn = self
            .notices(&format!("prompt {prompt}"), |turn| {
                turn["type"] == "say" && turn["prompt"] == prompt
            })
            .await;
        text(&turn["text"])
    }

    /// Waits to be asked something.
    pub async fn is_asked(&mut self) -> Value {
        self.notices("question", |turn| turn["type"] == "ask").await
    }

    /// Waits for the end: the outcome.
    pub async fn ends(&mut self) -> String {
        let turn = self.notices("end", |turn| turn["type"] == "ended").await;
        text(&turn["outcome"])
    }

    /// Waits to be asked, and presses keys.
    pub async fn presses(&mut self, keys: &str) {
        self.is_asked().await;
        self.gives(json!({ "keys": keys })).await;
    }

    /// Waits to be asked, and says something.
    pub async fn says(&mut self, words: &str) {
        self.is_asked().await;
        self.gives(json!({ "text": words })).await;
    }

    /// Leaves.
    pub async fn hangs_up(&mut self) {
        self.gives(json!({ "hang_up": true })).await;
    }

    /// Gives something now, under an id of its own, which it returns.
    pub async fn gives(&mut self, what: Value) -> String {
        self.given += 1;
        let id = format!("input-{}", self.given);
        let (status, body) = self.sends(&id, what).await;
        assert_eq!(status, 202, "{body}");
        id
    }

    /// Sends something under an id: how it is answered.
    pub async fn sends(&self, id: &str, mut what: Value) -> (StatusCode, Value) {
        what["id"] = json!(id);
        answer(
            http()
                .post(self.path("/inputs"))
                .bearer_auth(&self.token)
                .json(&what),
        )
        .await
    }

    /// The journal of the contact, as an operator sees it, one object an event.
    pub async fn events(&self, key: Option<&str>) -> Vec<Value> {
        let mut events = Vec::new();
        let mut after = 0;
        loop {
            let mut get = http().get(self.path(&format!("/events?after={after}")));
            if let Some(key) = key {
                get = get.bearer_auth(key);
            }
            let (status, body) = answer(get).await;
            assert_eq!(status, 200, "{body}");
            let page = body["events"].as_array().expect("events are a list").clone();
            let Some(last) = page.last() else {
                return events;
            };
            after = last["seq"].as_u64().expect("events have numbers");
            events.extend(page);
        }
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let heard: Vec<String> = self.turns.iter().map(ToString::to_string).collect();
            show(&format!(
                "---- caller {} heard\n{}",
                self.contact,
                heard.join("\n")
            ));
        }
    }
}

/// Sends a request: its status and its JSON, which is null when there is none.
///
/// # Panics
/// When nothing answers.
pub async fn answer(request: RequestBuilder) -> (StatusCode, Value) {
    let response = request
        .send()
        .await
        .unwrap_or_else(|error| panic!("no answer: {error:?}"));
    let status = response.status();
    let bytes = response
        .bytes()
        .await
        .unwrap_or_else(|error| panic!("half an answer: {error:?}"));
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
        .to_owned()
}
