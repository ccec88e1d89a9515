//! A provider that hears, and the connection to it.

use std::{fmt, sync::Arc, time::Duration};

use http::{Uri, header::AUTHORIZATION};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::{client::legacy::connect::HttpConnector, rt::TokioIo};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{self, client::IntoClientRequest, protocol::WebSocketConfig},
};
use tower::ServiceExt;

use super::EarsError;
use crate::{
    engine::service::{connector, guarded, secret},
    limits::{ANSWER_WITHIN, CONNECT_WITHIN, FINAL_WITHIN, MESSAGE_BYTES_MAX, SEND_BUFFER_BYTES, TIME_MAX},
    settings::{EarSettings, Secrets},
};

/// Bytes that wait in our memory beside those in the system's.
const WRITE_BUFFER_BYTES_MAX: usize = 64 << 10;

pub(super) type Socket = WebSocketStream<TokioIo<MaybeHttpsStream<TokioIo<TcpStream>>>>;

pub(super) struct Provider {
    pub(super) name: Arc<str>,
    pub(super) answer: Duration,
    pub(super) last: Duration,
    url: String,
    /// The same place, as the connector knows schemes.
    uri: Uri,
    languages: Vec<String>,
    secret: Option<String>,
    secrets: Secrets,
    connector: HttpsConnector<HttpConnector>,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Provider").field(&self.name).finish()
    }
}

impl Provider {
    pub(super) fn new(name: &str, settings: &EarSettings, secrets: Secrets) -> Result<Self, String> {
        let url = settings.url.clone();
        let place = match url.split_once("://") {
            Some(("ws", rest)) => format!("http://{rest}"),
            Some(("wss", rest)) => format!("https://{rest}"),
            _ => return Err("`url` begins with ws:// or wss://".to_owned()),
        };
        let uri: Uri = place
            .parse()
            .map_err(|error| format!("`url` is no URL: {error}"))?;
        if uri
            .authority()
            .is_none_or(|authority| authority.as_str().contains('@'))
        {
            return Err(
                "`url` holds a password: keep it as a secret, and name that with `secret`".to_owned(),
            );
        }
        if settings.secret.is_some() {
            guarded(&uri)?;
        }
        let time = |stated: Option<trunkline_model::Duration>, usual| {
            let time = stated.map_or(usual, trunkline_model::Duration::to_std);
            if time.is_zero() || time > TIME_MAX {
                return Err("`answer` and `last` are from 1ms to 2m".to_owned());
            }
            Ok(time)
        };
        Ok(Self {
            name: name.into(),
            answer: time(settings.answer, ANSWER_WITHIN)?,
            last: time(settings.last, FINAL_WITHIN)?,
            url,
            uri,
            languages: settings.languages.clone(),
            secret: settings.secret.clone(),
            secrets,
            // A small buffer: what the system holds of an old sound cannot be dropped.
            connector: connector(Some(SEND_BUFFER_BYTES))?,
        })
    }

    /// Whether it names a language, or what that is a kind of.
    pub(super) fn names(&self, language: &str) -> bool {
        self.languages.iter().any(|name| {
            language
                .get(..name.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(name))
                && matches!(language.as_bytes().get(name.len()), None | Some(b'-'))
        })
    }

    pub(super) fn hears_all(&self) -> bool {
        self.languages.is_empty()
    }

    pub(super) fn available(&self) -> Result<(), EarsError> {
        self.request().map(drop)
    }

    fn request(&self) -> Result<tungstenite::handshake::client::Request, EarsError> {
        let missing = |mend: String| EarsError::Missing {
            name: self.name.clone(),
            mend: mend.into(),
        };
        let mut request = self
            .url
            .as_str()
            .into_client_request()
            .map_err(|error| missing(format!("correct `url`: {error}")))?;
        if let Some(name) = &self.secret {
            let token = secret(&self.secrets, name, true).map_err(missing)?;
            request.headers_mut().insert(AUTHORIZATION, token);
        }
        Ok(request)
    }

    pub(super) async fn connect(&self) -> Result<Socket, EarsError> {
        let unreachable = |reason: String| EarsError::Unreachable {
            name: self.name.clone(),
            reason: reason.into(),
        };
        let request = self.request()?;
        let config = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_BYTES_MAX))
            .max_frame_size(Some(MESSAGE_BYTES_MAX))
            // Each frame of sound goes out as it comes.
            .write_buffer_size(0)
            .max_write_buffer_size(WRITE_BUFFER_BYTES_MAX);
        let connecting = async {
            let stream = self
                .connector
                .clone()
                .oneshot(self.uri.clone())
                .await
                .map_err(|error| unreachable(error.to_string()))?;
            let (socket, _) = client_async_with_config(request, TokioIo::new(stream), Some(config))
                .await
                .map_err(|error| match error {
                    // Its body may be anything.
                    tungstenite::Error::Http(response) => {
                        unreachable(format!("it answered {}", response.status()))
                    }
                    error => unreachable(error.to_string()),
                })?;
            Ok(socket)
        };
        tokio::time::timeout(CONNECT_WITHIN, connecting)
            .await
            .unwrap_or_else(|_| {
                Err(unreachable(format!(
                    "it did not answer within {CONNECT_WITHIN:?}"
                )))
            })
    }
}
