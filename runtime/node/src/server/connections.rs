//! Connections: taken in up to a bound, given up when they are silent, closed in good order.

use std::sync::Arc;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::limits::{ACCEPT_PAUSE, CONNECTIONS_MAX, HEAD_WITHIN, STOP_WITHIN};

/// Serves until `stop`, then lets requests under way finish, within a bound.
pub(crate) async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let at_once = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let connections = TaskTracker::new();
    loop {
        let Ok(permit) = at_once.clone().acquire_owned().await else {
            break;
        };
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of file descriptors, most likely: others will be given back.
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(ACCEPT_PAUSE.to_std()).await;
                continue;
            }
        };
        let (router, stop) = (router.clone(), stop.clone());
        connections.spawn(async move {
            answer(stream, router, stop).await;
            drop(permit);
        });
    }
    connections.close();
    if timeout(STOP_WITHIN.to_std(), connections.wait()).await.is_err() {
        tracing::warn!(connections = connections.len(), "requests did not finish in time");
    }
}

async fn answer(stream: TcpStream, router: Router, stop: CancellationToken) {
    // Turns are small and should leave at once.
    let _ = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN.to_std())
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        // A chat's connection becomes a WebSocket.
        .with_upgrades();
    tokio::pin!(connection);
    let finished = tokio::select! {
        finished = connection.as_mut() => finished,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = finished {
        tracing::debug!(%error, "a connection ended");
    }
}
