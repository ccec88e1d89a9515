//! An engine that is a service: the text is posted as JSON, the answer is a WAV.
//!
//! A redirect is not followed: it would take the text, and the secret, to where the operator did
//! not send them.

use std::{fmt, time::Duration};

use http::{
    HeaderName, HeaderValue, Request, Uri,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};

use super::{Fault, Words};
use crate::{
    limits::{CONNECT_WITHIN, SOUND_BYTES_MAX},
    settings::{EngineSettings, Secrets},
};

/// How long a connection is kept for the next request.
const IDLE: Duration = Duration::from_secs(30);

pub(crate) struct Service {
    uri: Uri,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    secret: Option<String>,
    header: HeaderName,
    bearer: bool,
    body: Option<Value>,
    secrets: Secrets,
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Service").field(&self.uri.host()).finish()
    }
}

impl Service {
    pub(crate) fn new(url: &str, settings: &EngineSettings, secrets: Secrets) -> Result<Self, String> {
        let uri: Uri = url.parse().map_err(|error| format!("`url` is no URL: {error}"))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none() {
            return Err("`url` begins with http:// or https://, and has a host".to_owned());
        }
        if uri
            .authority()
            .is_some_and(|authority| authority.as_str().contains('@'))
        {
            return Err(
                "`url` holds a password: keep it as a secret, and name that with `secret`".to_owned(),
            );
        }
        if settings.secret.is_some() {
            guarded(&uri)?;
        }
        let header = match &settings.header {
            Some(_) if settings.secret.is_none() => {
                return Err("`header` is what a `secret` is sent in: name the secret".to_owned());
            }
            Some(header) => header
                .parse()
                .map_err(|_| format!("`header`: {header:?} is no header's name"))?,
            None => AUTHORIZATION,
        };
        Ok(Self {
            uri,
            client: Client::builder(TokioExecutor::new())
                .pool_idle_timeout(IDLE)
                .build(connector(None)?),
            secret: settings.secret.clone(),
            header,
            bearer: settings.header.is_none(),
            body: settings.body.clone(),
            secrets,
        })
    }

    pub(crate) fn available(&self) -> Result<(), String> {
        self.token().map(drop)
    }

    /// What goes into the header, if anything.
    fn token(&self) -> Result<Option<HeaderValue>, String> {
        let Some(name) = &self.secret else {
            return Ok(None);
        };
        secret(&self.secrets, name, self.bearer).map(Some)
    }

    pub(crate) async fn say(&self, words: &Words) -> Result<Vec<u8>, Fault> {
        let body = match &self.body {
            Some(template) => filled(template, words),
            None => json!({
                "text": words.text,
                "language": words.language,
                "voice": words.voice,
                "speed": words.speed,
            }),
        };
        let mut request = Request::post(self.uri.clone())
            .header(CONTENT_TYPE, "application/json")
            .header("accept", "audio/wav")
            .header("user-agent", concat!("trunkline/", env!("CARGO_PKG_VERSION")))
            .body(Full::from(body.to_string()))
            .map_err(|error| Fault::Failed(error.to_string()))?;
        if let Some(token) = self.token().map_err(Fault::Missing)? {
            request.headers_mut().insert(self.header.clone(), token);
        }
        let response = self
            .client
            .request(request)
            .await
            .map_err(|error| Fault::Down(reason(&error)))?;
        let status = response.status();
        if status.is_redirection() {
            return Err(Fault::Failed(format!(
                "it answered {status}, which is not followed: correct `url`"
            )));
        }
        if status.is_server_error() {
            return Err(Fault::Down(format!("it answered {status}")));
        }
        if status != http::StatusCode::OK {
            return Err(Fault::Failed(format!("it answered {status}")));
        }
        let kind = response
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .map(|kind| {
                kind.split(';')
                    .next()
                    .unwrap_or_default()
                    .trim()
                    .to_ascii_lowercase()
            });
        match kind.as_deref() {
            None
            | Some(
                "audio/wav" | "audio/wave" | "audio/x-wav" | "audio/vnd.wave" | "application/octet-stream",
            ) => {}
            Some(kind) => {
                return Err(Fault::NotAudio(format!(
                    "it is {kind}: ask the service for audio/wav"
                )));
            }
        }
        let sound = Limited::new(response.into_body(), SOUND_BYTES_MAX)
            .collect()
            .await
            .map_err(|error| {
                if error.is::<LengthLimitError>() {
                    Fault::TooLarge
                } else {
                    Fault::Failed("its answer broke off".to_owned())
                }
            })?
            .to_bytes();
        if sound.is_empty() {
            return Err(Fault::NotAudio("it is empty".to_owned()));
        }
        Ok(sound.into())
    }
}

/// Refuses a place that a secret would reach readable for everybody on the way.
pub(crate) fn guarded(uri: &Uri) -> Result<(), String> {
    let here = uri.host().is_some_and(|host| {
        host.eq_ignore_ascii_case("localhost")
            || host
                .trim_matches(['[', ']'])
                .parse()
                .is_ok_and(|address: std::net::IpAddr| address.is_loopback())
    });
    if here || uri.scheme_str() == Some("https") {
        return Ok(());
    }
    Err("a `secret` goes over https:// or wss:// only, or to this machine: correct `url`".to_owned())
}

/// A secret as a header's value, which no debug output shows.
pub(crate) fn secret(secrets: &Secrets, name: &str, bearer: bool) -> Result<HeaderValue, String> {
    let value = secrets
        .value(name)
        .ok_or_else(|| format!("the server has no secret `{name}`: give it one, or correct `secret`"))?;
    let value = if bearer { format!("Bearer {value}") } else { value };
    let mut value =
        HeaderValue::from_str(&value).map_err(|_| format!("the secret `{name}` cannot stand in a header"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// What opens connections, with TLS where the URL says so.
pub(crate) fn connector(send_buffer: Option<usize>) -> Result<HttpsConnector<HttpConnector>, String> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT_WITHIN));
    tcp.set_send_buffer_size(send_buffer);
    // Named rather than taken from the process: another crate may have set another one.
    Ok(HttpsConnectorBuilder::new()
        .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())
        .map_err(|error| format!("TLS could not be set up: {error}"))?
        .https_or_http()
        .enable_http1()
        .wrap_connector(tcp))
}

/// What an error says, with what is behind it: "client error (Connect)" alone helps nobody.
fn reason(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

/// A template with its strings filled in. It was parsed before, so a text is only ever a string.
fn filled(template: &Value, words: &Words) -> Value {
    match template {
        // A number stays one where the template is nothing but the speed.
        Value::String(text) if text == "{speed}" => json!(words.speed),
        Value::String(text) => words.fill(text, Some(&words.text)).into(),
        Value::Array(parts) => parts.iter().map(|part| filled(part, words)).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), filled(value, words)))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => template.clone(),
    }
}
