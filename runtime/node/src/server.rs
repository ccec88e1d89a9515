//! The HTTP API: what callers, operators and tools reach a node by.
//!
//! Handlers translate and nothing more: they read a request, ask the contacts or the releases,
//! and answer in JSON. Every refusal is a problem document with a stable code.

mod auth;
mod body;
mod callers;
mod centre;
mod chat_socket;
mod connections;
mod cpaas;
mod drain;
mod feeds;
mod guard;
mod health;
mod hooks;
mod lines;
mod operators;
mod plugin_values;
mod problem;
mod releases;
#[cfg(test)]
mod tests;
mod wire;

use std::sync::Arc;

use axum::{Router, extract::DefaultBodyLimit, middleware};
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) use self::connections::serve;
use crate::{
    contacts::Contacts,
    feeds::Feeds,
    key::Key,
    node::{Listen, Readiness},
    releases::Releases,
};

/// What all handlers share.
#[derive(Clone)]
pub(crate) struct State(Arc<Shared>);

struct Shared {
    contacts: Arc<Contacts>,
    feeds: Arc<Feeds>,
    readiness: Arc<Readiness>,
    api_key: Option<Key>,
    client_key: Option<Key>,
    openapi: std::sync::OnceLock<String>,
    sockets: Arc<chat_socket::Sockets>,
    carriers_key: cpaas::OwnKey,
}

impl State {
    pub(crate) fn new(
        contacts: Arc<Contacts>,
        feeds: Arc<Feeds>,
        readiness: Arc<Readiness>,
        listen: &Listen,
    ) -> Self {
        Self(Arc::new(Shared {
            contacts,
            feeds,
            readiness,
            api_key: listen.api_key.clone(),
            client_key: listen.client_key.clone(),
            openapi: std::sync::OnceLock::new(),
            sockets: Arc::default(),
            carriers_key: cpaas::OwnKey::default(),
        }))
    }

    fn contacts(&self) -> &Arc<Contacts> {
        &self.0.contacts
    }

    fn releases(&self) -> &Arc<Releases> {
        &self.0.contacts.releases
    }

    fn feeds(&self) -> &Arc<Feeds> {
        &self.0.feeds
    }

    fn carriers_key(&self) -> &cpaas::OwnKey {
        &self.0.carriers_key
    }

    pub(crate) fn sockets(&self) -> &Arc<chat_socket::Sockets> {
        &self.0.sockets
    }

    /// Whether the node has taken up its contacts and takes new ones.
    fn is_ready(&self) -> bool {
        self.0.readiness.is_ready()
    }
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Trunkline",
        description = "Contacts, turns and inputs for callers; contacts, releases and plugins for operators."
    ),
    tags(
        (name = "callers", description = "One contact's own side, opened by its token."),
        (name = "operators", description = "Everything else, opened by the API key."),
        (name = "systems", description = "Events of other systems, opened by their signature."),
    )
)]
struct Description;

/// The API and the chat page.
pub(crate) fn router(state: State) -> Router {
    let (api, description) = OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(callers::begin, operators::list))
        .routes(routes!(operators::one))
        .routes(routes!(operators::events))
        .routes(routes!(callers::give))
        .routes(routes!(callers::turns))
        .routes(routes!(chat_socket::open))
        .routes(routes!(releases::list, releases::send))
        .routes(routes!(releases::current))
        .routes(routes!(releases::activate))
        .routes(routes!(releases::plugins))
        .routes(routes!(plugin_values::list))
        .routes(routes!(feeds::list))
        .routes(routes!(feeds::run))
        .routes(routes!(feeds::drop_waiting))
        .routes(routes!(hooks::take))
        .routes(routes!(releases::success))
        .routes(routes!(drain::left, drain::begin, drain::undo))
        .routes(routes!(centre::queues))
        .routes(routes!(centre::presence))
        .routes(routes!(centre::call))
        .routes(routes!(lines::list))
        .routes(routes!(lines::add))
        .routes(routes!(lines::remove))
        .split_for_parts();
    let described = description.to_json().expect("the description of the API is JSON");
    state.0.openapi.get_or_init(|| described);
    Router::new()
        .merge(api)
        .merge(cpaas::router())
        .layer(middleware::from_fn_with_state(state.clone(), guard::ready))
        .merge(health::router())
        .fallback(guard::no_such_path)
        .method_not_allowed_fallback(guard::no_such_method)
        // Bodies have bounds of their own, by what they carry.
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(
            state.clone(),
            guard::loopback_host,
        ))
        .layer(middleware::from_fn(guard::headers))
        .layer(middleware::from_fn(guard::observed))
        .with_state(state)
}
