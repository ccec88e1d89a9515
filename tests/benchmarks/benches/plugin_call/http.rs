//! The peer: the same step, native and without a sandbox, as an HTTP service on loopback that
//! is asked over a connection that stays open.

use async_trait::async_trait;
use axum::{Json, Router, http::StatusCode, routing::post};
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, body::Bytes};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde::Serialize;
use tokio::net::TcpListener;

use crate::{Step, card};

pub(crate) struct Http {
    client: Client<HttpConnector, Full<Bytes>>,
    uri: String,
}

#[derive(Serialize)]
struct Card {
    id: String,
    name: String,
    district: String,
    street: String,
    born: u16,
    household: u32,
    registered: bool,
}

impl Http {
    pub(crate) async fn new() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let uri = format!("http://{}/cards", listener.local_addr()?);
        let service = axum::serve(listener, Router::new().route("/cards", post(read)));
        tokio::spawn(async move { service.await.expect("the service runs until the benchmark ends") });
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            uri,
        })
    }
}

async fn read(Json(text): Json<String>) -> Result<Json<Card>, (StatusCode, &'static str)> {
    let card = card::read(&text).map_err(|field| (StatusCode::UNPROCESSABLE_ENTITY, field))?;
    Ok(Json(Card {
        id: card.id,
        name: card.name,
        district: card.district,
        street: card.street,
        born: card.born,
        household: card.household,
        registered: card.registered,
    }))
}

#[async_trait]
impl Step for Http {
    async fn step(&self, input: &str) -> String {
        let request = Request::post(&self.uri)
            .header("content-type", "application/json")
            .body(Full::from(input.to_owned()))
            .expect("the request is well formed");
        let response = self.client.request(request).await.expect("the service answers");
        let body = response
            .into_body()
            .collect()
            .await
            .expect("the service sends a body")
            .to_bytes();
        String::from_utf8(body.to_vec()).expect("the service sends text")
    }
}
