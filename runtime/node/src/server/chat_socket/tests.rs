//! Chats over a WebSocket, by a client over a real connection.

use std::{net::SocketAddr, time::Duration};

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value as Json, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest as _, protocol::CloseFrame},
};

use super::Allowance;
use crate::{
    Clock, Node, Settings,
    limits::{SOCKET_INPUTS_AT_ONCE, SOCKET_MESSAGE_BYTES_MAX, SOCKETS_PER_CONTACT_MAX},
    node::Listen,
    testing::{Hotline, NOON, call, journal},
};

type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

struct Line {
    _hotline: Hotline,
    node: Node,
}

impl Line {
    async fn new() -> Self {
        let hotline = Hotline::new();
        let settings = Settings {
            listen: Some(Listen {
                address: SocketAddr::from(([127, 0, 0, 1], 0)),
                api_key: None,
                client_key: None,
            }),
            ..hotline.settings(&Clock::still(NOON))
        };
        let node = Node::start_on(
            settings,
            journal(std::sync::Arc::new(trunkline_journal::Memory::new())),
        )
        .await
        .unwrap();
        Self {
            _hotline: hotline,
            node,
        }
    }

    async fn begin(&self) -> (String, String) {
        let arrived = self.node.arrive(call()).await.unwrap();
        (arrived.contact.to_string(), arrived.token.as_str().to_owned())
    }

    async fn open(&self, query: &str, headers: &[(&'static str, &str)]) -> Result<Client, Error> {
        let address = self.node.address().unwrap();
        let mut request = format!("ws://{address}/api/v1/chat?{query}")
            .into_client_request()
            .unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        connect_async(request).await.map(|(client, _)| client)
    }

    async fn chat(&self, contact: &str, token: &str, after: u64) -> Client {
        let query = format!("contact={contact}&after={after}");
        let bearer = format!("Bearer {token}");
        self.open(&query, &[("authorization", &bearer)]).await.unwrap()
    }
}

async fn next(client: &mut Client) -> Message {
    loop {
        let message = tokio::time::timeout(Duration::from_secs(10), client.next());
        match message.await.unwrap().unwrap().unwrap() {
            Message::Ping(_) | Message::Pong(_) => {}
            message => return message,
        }
    }
}

async fn json(client: &mut Client) -> Json {
    match next(client).await {
        Message::Text(text) => serde_json::from_str(&text).unwrap(),
        other => panic!("{other:?}"),
    }
}

async fn closed(client: &mut Client) -> (u16, String) {
    loop {
        match next(client).await {
            Message::Close(Some(CloseFrame { code, reason })) => return (code.into(), reason.to_string()),
            Message::Text(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

async fn until_asked(client: &mut Client) -> (Vec<String>, u64) {
    let mut said = Vec::new();
    loop {
        let turn = json(client).await;
        match turn["type"].as_str().unwrap() {
            "say" => said.push(turn["text"].as_str().unwrap().to_owned()),
            "ask" => return (said, turn["seq"].as_u64().unwrap()),
            _ => {}
        }
    }
}

async fn give(client: &mut Client, input: Json) {
    client.send(Message::text(input.to_string())).await.unwrap();
}

fn status(refused: Result<Client, Error>) -> u16 {
    match refused {
        Err(Error::Http(response)) => response.status().as_u16(),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was opened"),
    }
}

#[tokio::test]
async fn a_chat_from_the_first_turn_to_the_last() {
    let line = Line::new().await;
    let (contact, token) = line.begin().await;
    let mut client = line.chat(&contact, &token, 0).await;
    let (said, seq) = until_asked(&mut client).await;
    assert_eq!(said[0], "Welcome.");
    give(&mut client, json!({ "id": "a", "keys": "1" })).await;
    let mut taken = None;
    let mut said = Vec::new();
    // The answer and the turns that the input led to come in either order.
    while taken.is_none() || said.is_empty() {
        let message = json(&mut client).await;
        match message["type"].as_str().unwrap() {
            "taken" => taken = Some(message),
            "say" => said.push(message["text"].as_str().unwrap().to_owned()),
            _ => {}
        }
    }
    let taken = taken.unwrap();
    assert_eq!((&taken["id"], &taken["reply"]), (&json!("a"), &json!("accepted")));
    assert!(taken["seq"].as_u64().unwrap() > seq);
    assert_eq!(said, ["What happened?"]);

    // Another takes it up where this one was.
    let mut second = line.chat(&contact, &token, seq).await;
    assert_eq!(json(&mut second).await["text"], "What happened?");
    give(&mut second, json!({ "id": "b", "text": "A lamp is out." })).await;
    let (code, reason) = closed(&mut second).await;
    assert_eq!((code, reason.as_str()), (1000, "The contact has ended."));
    assert_eq!(closed(&mut client).await.0, 1000);
    // Who comes when all is over hears the end, or nothing after it.
    let mut late = line.chat(&contact, &token, 10_000).await;
    assert_eq!(closed(&mut late).await.0, 1000);
}

#[tokio::test]
async fn what_cannot_be_taken_is_a_problem_and_moves_nothing() {
    let line = Line::new().await;
    let (contact, token) = line.begin().await;
    let mut client = line.chat(&contact, &token, 0).await;
    until_asked(&mut client).await;
    for (input, id, code) in [
        (json!({ "id": "x", "keys": "A" }), json!("x"), "bad-keys"),
        (json!({ "id": "y", "key": "1" }), Json::Null, "unknown-field"),
        (json!({ "id": "", "keys": "1" }), json!(""), "bad-input-id"),
        (json!({ "id": "z" }), json!("z"), "not-one-input"),
        (json!([1]), Json::Null, "bad-json"),
    ] {
        give(&mut client, input).await;
        let answer = json(&mut client).await;
        assert_eq!(answer["type"], "problem", "{answer}");
        assert_eq!(answer["id"], id);
        assert_eq!(answer["problem"]["code"], code);
        assert!(!answer["problem"]["mend"].as_str().unwrap().is_empty());
    }
    // The same id again is the same input, over whichever way.
    for _ in 0..2 {
        give(&mut client, json!({ "id": "x", "keys": "A" })).await;
        assert_eq!(json(&mut client).await["problem"]["code"], "bad-keys");
    }
}

#[tokio::test]
async fn only_the_caller_gets_in() {
    let line = Line::new().await;
    let (contact, token) = line.begin().await;
    let query = format!("contact={contact}");
    let bearer = format!("Bearer {token}");
    assert_eq!(status(line.open(&query, &[]).await), 401);
    assert_eq!(
        status(line.open(&query, &[("authorization", "Bearer x")]).await),
        401
    );
    assert_eq!(
        status(line.open("contact=x", &[("authorization", &bearer)]).await),
        400
    );
    assert_eq!(status(line.open("", &[("authorization", &bearer)]).await), 400);
    let foreign = [
        ("authorization", bearer.as_str()),
        ("origin", "https://elsewhere.example"),
    ];
    assert_eq!(status(line.open(&query, &foreign).await), 403);
    // Another port of this machine is another page.
    let near = [
        ("authorization", bearer.as_str()),
        ("origin", "http://127.0.0.1:1"),
    ];
    assert_eq!(status(line.open(&query, &near).await), 403);
    let own = format!("http://{}", line.node.address().unwrap());
    let browser = format!("trunkline.v1, bearer.{token}");
    let mut client = line
        .open(&query, &[("sec-websocket-protocol", &browser), ("origin", &own)])
        .await
        .unwrap();
    until_asked(&mut client).await;
}

#[tokio::test]
async fn bounds_close_with_a_code_and_a_sentence() {
    let line = Line::new().await;
    let (contact, token) = line.begin().await;
    let mut clients = Vec::new();
    for _ in 0..SOCKETS_PER_CONTACT_MAX {
        clients.push(line.chat(&contact, &token, 0).await);
    }
    let query = format!("contact={contact}");
    let bearer = format!("Bearer {token}");
    // One more takes the place of the oldest.
    clients.push(line.chat(&contact, &token, 0).await);
    let (code, reason) = closed(&mut clients.remove(0)).await;
    assert_eq!(code, 1008, "{reason}");
    assert!(reason.contains("newer"), "{reason}");

    let large = Message::text("x".repeat(SOCKET_MESSAGE_BYTES_MAX + 1));
    clients[0].send(large).await.unwrap();
    let (code, reason) = closed(&mut clients[0]).await;
    assert_eq!(code, 1009, "{reason}");
    clients[1].send(Message::binary(vec![1])).await.unwrap();
    assert_eq!(closed(&mut clients[1]).await.0, 1003);
    for index in 0..SOCKET_INPUTS_AT_ONCE + 20 {
        if clients[2]
            .send(Message::text(
                json!({ "id": format!("n{index}"), "keys": "A" }).to_string(),
            ))
            .await
            .is_err()
        {
            break;
        }
    }
    let (code, reason) = closed(&mut clients[2]).await;
    assert_eq!(code, 1008, "{reason}");
    assert!(reason.contains("too fast"), "{reason}");
    // Those that are gone make room.
    clients.truncate(0);
    let mut again = None;
    for _ in 0..200 {
        if let Ok(client) = line.open(&query, &[("authorization", &bearer)]).await {
            again = Some(client);
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    until_asked(&mut again.unwrap()).await;
}

#[tokio::test]
async fn a_node_that_stops_says_so() {
    let line = Line::new().await;
    let (contact, token) = line.begin().await;
    let mut client = line.chat(&contact, &token, 0).await;
    until_asked(&mut client).await;
    let stops = line.node.clone();
    let stopped = tokio::spawn(async move { stops.shutdown().await });
    let (code, reason) = closed(&mut client).await;
    assert_eq!(code, 1012, "{reason}");
    stopped.await.unwrap();
}

#[test]
fn a_page_is_the_servers_own_by_host_and_port() {
    let own = |host: &str, origin: &str| {
        let mut headers = axum::http::HeaderMap::new();
        headers.insert("host", host.parse().unwrap());
        headers.insert("origin", origin.parse().unwrap());
        super::is_own_page(&headers)
    };
    for (host, origin) in [
        ("h.example", "https://h.example"),
        ("h.example", "https://H.Example:443"),
        ("h.example:443", "https://h.example"),
        ("h.example", "http://h.example:80"),
        ("[::1]:8080", "http://[::1]:8080"),
    ] {
        assert!(own(host, origin), "{host} {origin}");
    }
    for (host, origin) in [
        ("h.example", "https://h.example:8443"),
        ("h.example:8443", "https://h.example"),
        ("h.example", "https://h.example.evil"),
        ("h.example", "null"),
        ("h.example", "file://h.example"),
        ("h.example", "https://"),
    ] {
        assert!(!own(host, origin), "{host} {origin}");
    }
}

#[test]
fn inputs_come_back_to_their_allowance() {
    let mut now = tokio::time::Instant::now();
    let mut allowance = Allowance::new(now);
    for _ in 0..SOCKET_INPUTS_AT_ONCE {
        assert!(allowance.take(now));
    }
    assert!(!allowance.take(now));
    now += Duration::from_millis(200);
    assert!(allowance.take(now));
    assert!(!allowance.take(now));
    now += Duration::from_secs(3_600);
    for _ in 0..SOCKET_INPUTS_AT_ONCE {
        assert!(allowance.take(now));
    }
    assert!(!allowance.take(now));
}
