//! Requests of a call on the bench: read whole, answered by [`Replies`], and given back whole.

use std::sync::Arc;

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use tokio::time::Instant;
use wasmtime_wasi_http::{Error, WasiBody};

use super::{
    Exchange,
    body::{Received, Sent},
    connect::Connector,
    failure, masked,
    secrets::Placeholders,
    swap_secrets,
};
use crate::{
    bench::{HttpReply, HttpRequest, Lost, Replies, ReplyError},
    plugin::Loaded,
};

/// The way to the real network, for whoever answers a request by asking it.
#[derive(Clone)]
pub struct Network {
    plugin: Arc<Loaded>,
    client: Client<Connector, WasiBody>,
    placeholders: Placeholders,
    deadline: Instant,
}

/// What happened on the network instead of a reply.
#[derive(Debug, thiserror::Error)]
#[error("the network gave no reply: {0:?}")]
pub struct NetworkError(Error);

impl NetworkError {
    pub(crate) fn lost(&self) -> Lost {
        match &self.0 {
            Error::ConnectionRefused
            | Error::DnsError { .. }
            | Error::DestinationNotFound
            | Error::DestinationUnavailable
            | Error::DestinationIpProhibited
            | Error::DestinationIpUnroutable => Lost::Refused,
            Error::DnsTimeout
            | Error::ConnectionTimeout
            | Error::ConnectionReadTimeout
            | Error::ConnectionWriteTimeout
            | Error::HttpResponseTimeout => Lost::TimedOut,
            _ => Lost::Broken,
        }
    }
}

impl Network {
    pub(super) fn new(
        plugin: Arc<Loaded>,
        client: Client<Connector, WasiBody>,
        placeholders: Placeholders,
        deadline: Instant,
    ) -> Self {
        Self {
            plugin,
            client,
            placeholders,
            deadline,
        }
    }

    /// Makes a request, with the secrets that it names, and reads the reply without them.
    ///
    /// # Errors
    /// No reply came, or none within the plugin's limits.
    pub async fn send(&self, request: &HttpRequest) -> Result<HttpReply, ReplyError> {
        let mut made = hyper::Request::builder()
            .method(request.method.as_str())
            .uri(&request.url);
        for (name, value) in &request.headers {
            made = made.header(name, value);
        }
        let mut made = made
            .body(whole(request.body.clone()))
            .map_err(|error| ReplyError::Unsendable(error.to_string()))?;
        let mask = swap_secrets(&self.plugin, &self.placeholders, &mut made)
            .map_err(|_| ReplyError::Unsendable("a secret's value cannot stand in a header".to_owned()))?;
        let shared = &self.plugin.shared;
        let under_way = shared
            .requests
            .take(shared.all_requests, self.deadline)
            .await
            .map_err(|_| NetworkError(Error::ConnectionLimitReached))?;
        let response = self
            .client
            .request(made)
            .await
            .map_err(|error| NetworkError(failure::told(&error)))?;
        let most = self.plugin.grants.limits.http_response_bytes.0;
        let response =
            response.map(|body| Received::within(body, most, None, self.plugin.meter.clone(), under_way));
        let (head, body) = masked(response, mask).map_err(NetworkError)?.into_parts();
        let body = body.collect().await.map_err(NetworkError)?;
        Ok(HttpReply {
            status: head.status.as_u16(),
            headers: texts(&head.headers),
            body: body.to_bytes().to_vec(),
        })
    }
}

/// Answers one request of a guest.
pub(super) async fn exchange(
    replies: Arc<dyn Replies>,
    network: Network,
    request: hyper::Request<WasiBody>,
) -> Result<Exchange, Error> {
    let (head, body) = request.into_parts();
    let plugin = network.plugin.clone();
    let limits = &plugin.grants.limits;
    let body = Sent::within(body, limits.http_request_bytes.0, plugin.meter.clone())
        .collect()
        .await?
        .to_bytes();
    let request = HttpRequest {
        method: head.method.to_string(),
        url: head.uri.to_string(),
        headers: texts(&head.headers),
        body: body.to_vec(),
    };
    let most = limits.http_response_bytes.0;
    let until = network.deadline;
    let reply = tokio::time::timeout_at(until, replies.reply(request, network))
        .await
        .map_err(|_| Error::HttpResponseTimeout)?
        .map_err(told)?;
    if reply.body.len() as u64 > most {
        return Err(Error::HttpResponseBodySize(Some(most)));
    }
    let mut response = hyper::Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(name, value);
    }
    let response = response
        .body(whole(reply.body))
        .map_err(|_| Error::HttpProtocolError)?;
    let rest: Box<dyn Future<Output = _> + Send> = Box::new(async { Ok(()) });
    Ok((response, rest))
}

fn whole(bytes: Vec<u8>) -> WasiBody {
    Full::new(Bytes::from(bytes))
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// Headers as text; what is no text is written as well as it can be.
fn texts(headers: &hyper::HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            (
                name.to_string(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect()
}

/// What the guest is told.
fn told(error: ReplyError) -> Error {
    match error {
        ReplyError::Refused => Error::ConnectionRefused,
        ReplyError::TimedOut => Error::HttpResponseTimeout,
        ReplyError::Broken => Error::ConnectionTerminated,
        ReplyError::Unsendable(_) => Error::HttpProtocolError,
        ReplyError::Network(NetworkError(error)) => error,
    }
}
