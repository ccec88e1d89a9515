//! What every request passes: counted, answered with safe headers, and let in only where a
//! browser was not tricked into sending it.

use axum::{
    extract::{MatchedPath, Request, State as Shared},
    http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio::time::Instant;

use super::{State, problem::Refusal};
use crate::observe;

/// Counts and times requests, by route.
pub(crate) async fn observed(request: Request, next: Next) -> Response {
    let began = Instant::now();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "other".to_owned(), |path| path.as_str().to_owned());
    let method = method_name(request.method());
    let response = next.run(request).await;
    let status = response.status().as_u16();
    let seconds = began.elapsed().as_secs_f64();
    tracing::debug!(route, method, status, seconds, "request");
    metrics::histogram!(
        observe::HTTP_SECONDS,
        "route" => route,
        "method" => method,
        "status" => status.to_string(),
    )
    .record(seconds);
    response
}

/// Methods as labels: what a client makes up is none.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::HEAD => "HEAD",
        _ => "other",
    }
}

/// Headers that keep browsers from guessing, framing and telling.
pub(crate) async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(
            "default-src 'none'; frame-ancestors 'none'",
        ));
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Without an API key whoever reaches the server may do everything, so a page from elsewhere
/// must not reach it under a name of its own (DNS rebinding), nor send to it.
pub(crate) async fn loopback_host(Shared(state): Shared<State>, request: Request, next: Next) -> Response {
    // What carriers ask is signed, whatever name they know the server by.
    if state.0.api_key.is_some() || request.uri().path().starts_with(super::cpaas::PATHS) {
        return next.run(request).await;
    }
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .or_else(|| request.uri().authority().map(Authority::as_str));
    if !host.is_some_and(names_loopback) {
        return Refusal::new(
            StatusCode::FORBIDDEN,
            "foreign-host",
            "Not for this name",
            "Without an API key the server answers under the names of this machine only.",
            "Use http://localhost or http://127.0.0.1, or start the server with --api-key.",
        )
        .into_response();
    }
    let origin = request
        .headers()
        .get(header::ORIGIN)
        .map(|origin| origin.to_str().unwrap_or_default());
    let foreign = origin.is_some_and(|origin| {
        let authority = origin
            .parse::<Uri>()
            .ok()
            .and_then(|uri| uri.authority().cloned());
        !authority.is_some_and(|authority| names_loopback(authority.as_str()))
    });
    if foreign {
        return Refusal::new(
            StatusCode::FORBIDDEN,
            "foreign-origin",
            "Not for this page",
            "Without an API key the server answers pages of this machine only.",
            "Use the page that the server serves, or start the server with --api-key.",
        )
        .into_response();
    }
    next.run(request).await
}

/// Whether a host, with a port or without, is a name or address of this machine itself.
fn names_loopback(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else {
        return false;
    };
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Refuses everything until the contacts that were under way are taken up.
pub(crate) async fn ready(Shared(state): Shared<State>, request: Request, next: Next) -> Response {
    if state.is_ready() {
        return next.run(request).await;
    }
    Refusal::unavailable("starting", "The server is starting and takes up its contacts.", 1).into_response()
}

/// A path that is none of the API's.
pub(crate) async fn no_such_path(uri: Uri) -> Refusal {
    let path: String = uri.path().chars().take(100).collect();
    Refusal::not_found(
        "no-such-path",
        format!("There is nothing at {path}."),
        "GET /api/v1/openapi.json lists all that there is.",
    )
}

/// A method that a path does not take.
pub(crate) async fn no_such_method(method: Method, uri: Uri) -> Refusal {
    let path: String = uri.path().chars().take(100).collect();
    Refusal::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "no-such-method",
        "The path does not take this method",
        format!("{path} does not take {method}."),
        "GET /api/v1/openapi.json lists the methods of each path.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_its_own() {
        for own in [
            "localhost",
            "LOCALHOST:8080",
            "127.0.0.1:80",
            "127.9.9.9",
            "[::1]:8080",
            "[::1]",
        ] {
            assert!(names_loopback(own), "{own}");
        }
        for foreign in [
            "example.com",
            "localhost.example.com",
            "10.0.0.1:8080",
            "",
            "127.0.0.1.example.com",
            "a b",
        ] {
            assert!(!names_loopback(foreign), "{foreign}");
        }
    }
}
