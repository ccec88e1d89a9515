//! Health, metrics, the API's description, and the chat page.

use axum::{
    Router,
    extract::State as Shared,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use trunkline_channel::page::{ASSETS, Asset, CONTENT_SECURITY_POLICY};

use super::{State, auth::Operator, problem::Refusal};
use crate::{limits::DRAINING_RETRY_S, observe};

/// The routes that are there before the node is ready.
pub(crate) fn router() -> Router<State> {
    let mut router = Router::new()
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .route("/metrics", get(metrics))
        .route("/api/v1/openapi.json", get(openapi));
    for asset in ASSETS {
        router = router.route(asset.path, get(async move || page(asset)));
    }
    router
}

/// Alive while requests are answered at all.
async fn live() -> &'static str {
    "live\n"
}

/// Ready while new contacts are taken in and the journal takes writes.
async fn ready(Shared(state): Shared<State>) -> Response {
    if let Some(why) = state.contacts().has_failed() {
        tracing::error!(%why, "not ready");
        return Refusal::unavailable("store-stopped", "The store takes no more writes.", 5).into_response();
    }
    if state.contacts().is_stopping() {
        return Refusal::unavailable("stopping", "The server is stopping.", 5).into_response();
    }
    if state.contacts().is_draining() {
        let detail = "The server takes no new contacts, since it is about to be restarted.";
        return Refusal::unavailable("draining", detail, DRAINING_RETRY_S).into_response();
    }
    if !state.is_ready() {
        return Refusal::unavailable("starting", "The server takes up its contacts.", 1).into_response();
    }
    "ready\n".into_response()
}

async fn metrics(_: Operator) -> Response {
    let text = observe::recorder().render();
    (
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        text,
    )
        .into_response()
}

async fn openapi(Shared(state): Shared<State>) -> Response {
    let Some(text) = state.0.openapi.get() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    ([(header::CONTENT_TYPE, "application/json")], text.clone()).into_response()
}

fn page(asset: Asset) -> Response {
    let headers = [
        (header::CONTENT_TYPE, asset.media_type),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, asset.text).into_response()
}
