//! One service on one listener.
//!
//! The loop is our own rather than `axum::serve`: that one always answers, and a service
//! that hangs up in the middle of a request is what callers meet in the field.

use std::{collections::BTreeMap, convert::Infallible, io, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::Body,
    http::{Request, Response, StatusCode},
    response::IntoResponse,
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};
use tower::ServiceExt;

use crate::{
    conduct::{Conduct, Failure, Record},
    problem::Problem,
};

/// Connections that are served at a time; further ones wait to be accepted.
const CONNECTIONS_MAX: usize = 4_096;

/// A service that runs until it is stopped or dropped.
#[derive(Debug)]
pub struct Service {
    address: SocketAddr,
    record: Arc<Record>,
    task: JoinHandle<()>,
}

/// A listener on the loopback interface, on a port that was free.
///
/// # Errors
/// When the system has none to give.
pub async fn loopback() -> io::Result<TcpListener> {
    TcpListener::bind(("127.0.0.1", 0)).await
}

impl Service {
    /// Serves a router. Must be called within a tokio runtime.
    pub(crate) fn start(listener: TcpListener, router: Router) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let record = Arc::new(Record::default());
        let task = tokio::spawn(accept(listener, router, record.clone()));
        Ok(Self {
            address,
            record,
            task,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its base address, `http://127.0.0.1:7001`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Treats the requests that arrive from now on so. `Conduct::default()` is well-behaved.
    pub fn behave(&self, conduct: Conduct) {
        self.record.behave(conduct);
    }

    /// How many requests arrived.
    pub fn requests(&self) -> u64 {
        self.record.requests()
    }

    /// How many requests arrived with each `idempotency-key`.
    pub fn requests_by_key(&self) -> BTreeMap<String, u64> {
        self.record.by_key()
    }

    /// Stops at once: connections are cut, and the port is free when this returns.
    pub async fn stop(mut self) {
        self.task.abort();
        // Cancelled is what it is meant to be.
        let _ = (&mut self.task).await;
    }

    /// Runs until the service's task ends, which it does only when it is stopped.
    pub async fn run(mut self) {
        let _ = (&mut self.task).await;
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, router: Router, record: Arc<Record>) {
    // Dropped with this task, and the connections with it.
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        if connections.len() >= CONNECTIONS_MAX {
            connections.join_next().await;
        }
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(serve(stream, router.clone(), record.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "failed to accept a connection");
                // Out of file descriptors, most likely: they come back with time.
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, router: Router, record: Arc<Record>) {
    // Small replies should not wait for more to send.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "failed to set TCP_NODELAY");
    }
    let service = service_fn(move |request| answer(request, router.clone(), record.clone()));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// The connection is to be closed without a word.
#[derive(Debug, thiserror::Error)]
#[error("hung up on purpose")]
struct HungUp;

async fn answer(
    request: Request<Incoming>,
    router: Router,
    record: Arc<Record>,
) -> Result<Response<Body>, HungUp> {
    let key = request
        .headers()
        .get("idempotency-key")
        .and_then(|value| value.to_str().ok());
    let Conduct { latency, failure } = record.arrives(key);
    tracing::info!(method = %request.method(), path = request.uri().path(), "asked");
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    match failure {
        None => {
            let reply: Result<_, Infallible> = router.oneshot(request.map(Body::new)).await;
            let Ok(response) = reply;
            Ok(response)
        }
        Some(Failure::HangUp) => Err(HungUp),
        Some(Failure::Garbled) => Ok("<html>it works</html>".into_response()),
        Some(Failure::Status(status)) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            Ok(Problem::new(status, "broken", "this service fails on purpose").into_response())
        }
    }
}
