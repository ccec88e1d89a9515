//! Requests over HTTP that guests make: checked against the plugin's grants, sent over pooled
//! connections of the plugin's own to addresses that were checked, bounded in size and time.
//! Redirects are not followed: where they lead is for the guest to ask, and for the grants to
//! allow.

mod address;
pub(crate) mod bench;
mod body;
mod connect;
mod failure;
mod mask;
mod resolve;
mod secrets;

use std::{pin::Pin, sync::Arc, time::Duration};

use http::HeaderName;
use hyper::{Method, body::Incoming};
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioTimer},
};
use tokio::{runtime::Handle, time::Instant};
use trunkline_model::PluginName;
use wasmtime_wasi_http::{
    DEFAULT_FORBIDDEN_HEADERS, Error, ForbiddenHeaderFilter, RequestOptions, WasiBody, WasiHttpHooks,
};

pub(crate) use connect::{Encryption, Lookups};
use mask::Mask;
pub use resolve::{Resolve, SystemNames, TableNames};
use secrets::{Placeholders, Unsendable};

use crate::{
    Grants, HttpGrant,
    bench::{Network, Probe},
    egress::{
        body::{Received, Sent},
        connect::Connector,
    },
    grants::{SecretName, Target, normal_path},
    host_functions::cut_to_line,
    limits::{
        HTTP_BODY_CHUNK_BYTES, HTTP_IDLE_CONNECTION, HTTP_IDLE_CONNECTIONS_MAX, HTTP_RESPONSE_HEAD_BYTES_MAX,
    },
    plugin::Loaded,
    usage::Used,
};

/// A plugin's way to the network.
pub(crate) struct Egress {
    grants: Vec<HttpGrant>,
    /// The requests that its manifest wants; none without a manifest, which leaves it to the
    /// grants.
    wanted: Option<Vec<HttpGrant>>,
    /// None for a plugin without grants.
    client: Option<Client<Connector, WasiBody>>,
}

impl Egress {
    pub(crate) fn new(
        name: &PluginName,
        grants: &Grants,
        wanted: Option<Grants>,
        encryption: &Encryption,
        lookups: Lookups,
    ) -> Self {
        let client = (!grants.http.is_empty()).then(|| {
            let guests = OnGuests(lookups.guests.clone());
            let connector = encryption.connector(name, grants, wanted.as_ref(), lookups);
            Client::builder(guests)
                .pool_idle_timeout(HTTP_IDLE_CONNECTION)
                .pool_max_idle_per_host(HTTP_IDLE_CONNECTIONS_MAX)
                .pool_timer(TokioTimer::new())
                .http1_max_buf_size(HTTP_RESPONSE_HEAD_BYTES_MAX)
                .build(connector)
        });
        Self {
            grants: grants.http.clone(),
            wanted: wanted.map(|wanted| wanted.http),
            client,
        }
    }

    /// Whether a request is granted.
    fn allows(&self, method: &Method, uri: &hyper::Uri) -> bool {
        let (Some(target), Some(path)) = (Target::of(uri), normal_path(uri.path())) else {
            return false;
        };
        let among = |grants: &[HttpGrant]| grants.iter().any(|grant| grant.allows(method, &target, &path));
        among(&self.grants) && self.wanted.as_deref().is_none_or(among)
    }

    /// Whether a request that is not allowed is granted, and not wanted by the manifest.
    fn is_unwanted(&self, method: &Method, uri: &hyper::Uri) -> bool {
        let (Some(target), Some(path)) = (Target::of(uri), normal_path(uri.path())) else {
            return false;
        };
        self.grants
            .iter()
            .any(|grant| grant.allows(method, &target, &path))
    }
}

/// Connections outlive the call that opened them, so they live on the guests' threads.
#[derive(Clone)]
struct OnGuests(Handle);

impl<F> hyper::rt::Executor<F> for OnGuests
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, task: F) {
        let _guests = self.0.enter();
        TokioExecutor::new().execute(task);
    }
}

/// The requests of one call.
pub(crate) struct Requests {
    plugin: Arc<Loaded>,
    deadline: Instant,
    probe: Option<Arc<Probe>>,
    made: u32,
    denied: Option<String>,
    placeholders: Placeholders,
}

impl Requests {
    pub(crate) fn new(plugin: Arc<Loaded>, deadline: Instant, probe: Option<Arc<Probe>>) -> Self {
        Self {
            plugin,
            deadline,
            probe,
            made: 0,
            denied: None,
            placeholders: Placeholders::default(),
        }
    }

    /// What stands for a secret in this call's requests.
    pub(crate) fn placeholder(&mut self, secret: &SecretName) -> String {
        self.placeholders.of(secret)
    }

    /// What was denied first, if something was: a sentence with the line that grants it.
    pub(crate) fn denied(&self) -> Option<&str> {
        self.denied.as_deref()
    }

    fn deny(&mut self, method: &Method, uri: &hyper::Uri) {
        let plugin = &self.plugin.name;
        // A guest can be denied as often as it asks, and what it asks for can be long.
        let logs = self.plugin.may_log();
        // What a caller said may stand in the query and in the path: neither is told.
        let grant = format!(
            "{method} {}://{}{}",
            uri.scheme_str().unwrap_or_default(),
            uri.authority().map_or("", |authority| authority.as_str()),
            impersonal(uri.path())
        );
        let why = ungrantable(&grant, uri);
        let grant = cut_to_line(&grant);
        if self.plugin.egress.is_unwanted(method, uri) {
            if logs {
                tracing::warn!(%plugin, %grant, "denied a request that is granted and that the plugin's manifest does not want");
            }
            self.denied.get_or_insert_with(|| {
                format!("a request was denied that its own manifest does not want (plugin.toml: `http = [\"{grant}\"]` in [wants])")
            });
            return;
        }
        if let Some(why) = why {
            let why = cut_to_line(&why);
            if logs {
                tracing::warn!(%plugin, %grant, %why, "denied a request that cannot be granted");
            }
            self.denied
                .get_or_insert_with(|| format!("a request was denied that cannot be granted: {why}"));
            return;
        }
        if logs {
            tracing::warn!(%plugin, %grant, "denied a request that no http grant in grants.yaml covers");
        }
        self.denied.get_or_insert_with(|| {
            format!(
                "a request was denied that no grant covers (grants.yaml: `{plugin}: http: [\"{grant}\"]`)"
            )
        });
    }
}

/// Why no line of grants.yaml grants a request, if none does.
fn ungrantable(grant: &str, uri: &hyper::Uri) -> Option<String> {
    if let Err(error) = grant.parse::<HttpGrant>() {
        return Some(error.to_string());
    }
    // What is told of the path may be its beginning, which says nothing of the rest.
    (Target::of(uri).is_none() || normal_path(uri.path()).is_none())
        .then(|| format!("the path of \"{grant}\" is not in plain form"))
}

/// Headers by which some services take a request for another one than it is: by the method and the
/// path in them a grant would say nothing.
const OVERRIDES: [HeaderName; 5] = [
    HeaderName::from_static("x-http-method-override"),
    HeaderName::from_static("x-http-method"),
    HeaderName::from_static("x-method-override"),
    HeaderName::from_static("x-original-url"),
    HeaderName::from_static("x-rewrite-url"),
];

/// Puts secrets into a request that is granted; what its reply is to be read through.
fn swap_secrets(
    plugin: &Loaded,
    placeholders: &Placeholders,
    request: &mut hyper::Request<WasiBody>,
) -> Result<Option<Mask>, Unsendable> {
    let Some(target) = Target::of(request.uri()) else {
        return Ok(None);
    };
    let (grants, secrets) = (&plugin.grants, plugin.host.secrets.as_deref());
    let swapped = placeholders.swap(request.headers_mut(), &target, grants, secrets);
    if swapped.is_err() && plugin.may_log() {
        tracing::warn!(
            plugin = %plugin.name,
            %target,
            "a request was not sent: a secret's value cannot stand in a header"
        );
    }
    swapped
}

/// The response as the guest may read it: without the secrets that are bound to where it is from.
///
/// # Errors
/// It cannot be read through the mask.
fn masked(
    response: hyper::Response<WasiBody>,
    mask: Option<Mask>,
) -> Result<hyper::Response<WasiBody>, Error> {
    let Some(mut mask) = mask else {
        return Ok(response);
    };
    if !secrets::is_legible(response.status(), response.headers()) {
        return Err(Error::HttpResponseContentCoding(None));
    }
    let mut response = response;
    mask.headers(response.headers_mut());
    Ok(response.map(|body| mask.body(body)))
}

/// A path up to the first segment that may name a person, as a grant would cover it.
fn impersonal(path: &str) -> String {
    const DIGITS_MAX: usize = 4;
    let personal = |segment: &str| {
        segment.contains(['%', '@', '+']) || segment.bytes().filter(u8::is_ascii_digit).count() > DIGITS_MAX
    };
    let mut told = String::new();
    for segment in path.split('/').skip(1) {
        if personal(segment) {
            told.push_str("/*");
            break;
        }
        told.push('/');
        told.push_str(segment);
    }
    told
}

/// What a request becomes: the response and, for wasmtime, the rest of the exchange, which
/// hyper keeps going by itself.
type Exchange = (
    hyper::Response<WasiBody>,
    Box<dyn Future<Output = Result<(), Error>> + Send>,
);

impl WasiHttpHooks for Requests {
    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        Arc::new(|name: &HeaderName| DEFAULT_FORBIDDEN_HEADERS.contains(name) || OVERRIDES.contains(name))
    }

    fn send_request(
        &mut self,
        mut request: hyper::Request<WasiBody>,
        options: Option<RequestOptions>,
        _sent: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Exchange, Error>> + Send> {
        // Those that are denied count as well: a guest that asks for ever costs as much.
        self.made += 1;
        let most = self.plugin.grants.limits.http_requests;
        if self.made > most {
            let plugin = &self.plugin.name;
            self.denied.get_or_insert_with(|| {
                format!(
                    "it made more than the {most} requests that a call may make (grants.yaml: \
                     `{plugin}: limits: {{ http-requests: {} }}`)",
                    most.saturating_mul(2)
                )
            });
            return Box::new(async { Err(Error::ConnectionLimitReached) });
        }
        let egress = &self.plugin.egress;
        let Some(client) = egress
            .client
            .clone()
            .filter(|_| egress.allows(request.method(), request.uri()))
        else {
            let (method, uri) = (request.method().clone(), request.uri().clone());
            self.deny(&method, &uri);
            return Box::new(async { Err(Error::HttpRequestDenied) });
        };
        if let Some(probe) = &self.probe {
            probe.http_request();
            // Before secrets take their places: what is recorded holds placeholders.
            if let Some(replies) = probe.bench.replies.clone() {
                let (plugin, placeholders) = (self.plugin.clone(), self.placeholders.clone());
                let network = Network::new(plugin, client, placeholders, self.deadline);
                return Box::new(bench::exchange(replies, network, request));
            }
        }
        let Ok(mask) = swap_secrets(&self.plugin, &self.placeholders, &mut request) else {
            return Box::new(async { Err(Error::HttpProtocolError) });
        };
        let limits = &self.plugin.grants.limits;
        let (request_bytes, response_bytes) = (limits.http_request_bytes.0, limits.http_response_bytes.0);
        let deadline = self.deadline;
        let (shared, meter) = (self.plugin.shared.clone(), self.plugin.meter.clone());
        Box::new(async move {
            let options = options.unwrap_or_default();
            // Held until the response's body is read or let go of.
            let under_way = shared
                .requests
                .take(shared.all_requests, deadline)
                .await
                .map_err(|_| Error::ConnectionLimitReached)?;
            meter.add(Used::HttpRequests, 1);
            let request = request.map(|body| Sent::within(body, request_bytes, meter.clone()));
            // Connecting is part of it: hyper does both as one.
            let wait = [options.connect_timeout, options.first_byte_timeout]
                .into_iter()
                .flatten()
                .reduce(Duration::saturating_add)
                .filter(|_| options.first_byte_timeout.is_some());
            let until = wait.map_or(deadline, |wait| deadline.min(Instant::now() + wait));
            let response = tokio::time::timeout_at(until, client.request(request))
                .await
                .map_err(|_| Error::HttpResponseTimeout)?
                .map_err(|error| failure::told(&error))?;
            let response = response.map(|body: Incoming| {
                Received::within(
                    body,
                    response_bytes,
                    options.between_bytes_timeout,
                    meter,
                    under_way,
                )
            });
            let response = masked(response, mask)?;
            let rest: Box<dyn Future<Output = _> + Send> = Box::new(async { Ok(()) });
            Ok((response, rest))
        })
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        HTTP_BODY_CHUNK_BYTES
    }
}

/// A boxed future, as the connector's service gives it.
type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_denied_is_told_without_persons() {
        for (path, told) in [
            ("/v1/notices", "/v1/notices"),
            ("/citizens/+8613800138000/orders", "/citizens/*"),
            ("/citizens/13800138000", "/citizens/*"),
            ("/by-name/%E7%8E%8B", "/by-name/*"),
            ("/", "/"),
        ] {
            assert_eq!(impersonal(path), told);
        }
    }

    #[test]
    fn what_no_line_grants_is_told_so() {
        for (grant, uri, said) in [
            ("GET https://a.example/v1", "https://a.example/v1", None),
            (
                "TRACE https://a.example/v1",
                "https://a.example/v1",
                Some("no method"),
            ),
            (
                "GET https://a.example/v1/../x",
                "https://a.example/v1/../x",
                Some("plain form"),
            ),
            (
                "GET https://a.example/v1/*",
                "https://a.example/v1/%2e%2e/x",
                Some("plain form"),
            ),
        ] {
            let why = ungrantable(grant, &uri.parse().unwrap());
            assert_eq!(why.is_some(), said.is_some(), "{grant}: {why:?}");
            assert!(
                why.unwrap_or_default().contains(said.unwrap_or_default()),
                "{grant}"
            );
        }
    }
}
