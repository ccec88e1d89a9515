//! The operator's webhook: where the server tells of what an operator should know at once.
//!
//! Its address and its secret are the server's settings, not the release's: who is told, and with
//! which secret, is the operator's to say, and a release goes from one server to another.
//!
//! Each message is a POST of JSON, signed, one after the other. What is not taken by a 2xx is sent
//! again after ever longer pauses, with the same id, until it has been tried often enough. What
//! waits is bounded and kept in memory.
//!
//! Each is signed (`crate::signature`). A receiver refuses what is not, and what is older than it allows.

use std::{fmt, sync::Arc};

use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Uri, body::Bytes};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde::Serialize;
use tokio::sync::mpsc;
use trunkline_model::{Duration, hex, json::rfc3339};

use crate::{
    clock::Clock,
    key,
    limits::{
        KEY_CHARS_MIN, WEBHOOK_ATTEMPTS_MAX, WEBHOOK_PAUSE_MAX, WEBHOOK_PAUSE_MIN, WEBHOOK_REPLY_WITHIN,
        WEBHOOK_WAITING_MAX,
    },
    observe,
    signature::sign,
    success::Change,
};

/// Where the operator is told, and the secret that signs.
#[derive(Clone)]
pub struct WebhookTarget {
    url: Uri,
    secret: Arc<str>,
}

/// A webhook that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadWebhook {
    /// Not an address.
    #[error("{0:?} is no address for a webhook: write it like https://alerts.city.example/trunkline")]
    Url(String),
    /// A secret that is too easily guessed.
    #[error(
        "the webhook's secret has at least {KEY_CHARS_MIN} characters, without spaces: draw one with \
         `openssl rand -hex 24`, and set TRUNKLINE_WEBHOOK_SECRET"
    )]
    Secret,
}

impl WebhookTarget {
    /// Takes an address, and the secret that signs what is sent there.
    ///
    /// # Errors
    /// The address is none, or the secret is too short.
    pub fn new(url: &str, secret: &str) -> Result<Self, BadWebhook> {
        let address: Option<Uri> = url.parse().ok();
        let address = address.filter(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https"))
                && uri.host().is_some_and(|host| !host.is_empty())
        });
        let url = address.ok_or_else(|| BadWebhook::Url(url.to_owned()))?;
        if secret.len() < KEY_CHARS_MIN || !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(BadWebhook::Secret);
        }
        Ok(Self {
            url,
            secret: secret.into(),
        })
    }
}

impl fmt::Debug for WebhookTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A path or a query may be as good as a secret.
        write!(f, "WebhookTarget({}..)", self.url.host().unwrap_or_default())
    }
}

/// A message as it is sent.
#[derive(Debug, Serialize)]
struct Message<'a> {
    /// The same for each attempt.
    id: &'a str,
    event: &'a str,
    at: String,
    hotline: &'a str,
    plugin: &'a str,
    department: &'a str,
    interface: &'a str,
    /// The share of calls that succeeded, and the one that is expected.
    rate: f64,
    expected: f64,
    window_s: u64,
    calls: u64,
    failures: u64,
}

/// What waits to be sent.
struct Delivery {
    id: String,
    event: &'static str,
    body: Bytes,
}

/// What takes messages. Sending is [`Sender::run`]'s.
#[derive(Clone)]
pub(crate) struct Webhook(mpsc::Sender<Delivery>);

/// What sends them.
pub(crate) struct Sender {
    target: WebhookTarget,
    clock: Clock,
    waiting: mpsc::Receiver<Delivery>,
}

/// A webhook, and what sends for it.
pub(crate) fn webhook(target: WebhookTarget, clock: Clock) -> (Webhook, Sender) {
    let (sender, waiting) = mpsc::channel(WEBHOOK_WAITING_MAX);
    (
        Webhook(sender),
        Sender {
            target,
            clock,
            waiting,
        },
    )
}

impl Webhook {
    /// Puts a message into the queue. When it is full the message is lost, and the log says so.
    pub(crate) fn send(&self, change: &Change) {
        let standing = &change.standing;
        let event = if standing.breached.is_some() {
            "plugin.success.breached"
        } else {
            "plugin.success.recovered"
        };
        let id = hex::write(&key::random::<16>());
        let message = Message {
            id: &id,
            event,
            at: rfc3339(change.at),
            hotline: &change.hotline,
            plugin: standing.plugin.as_str(),
            department: &change.department,
            interface: &standing.interface,
            rate: standing.rate(),
            expected: standing.expected.rate.share(),
            window_s: standing.expected.window.as_millis() / 1_000,
            calls: standing.calls,
            failures: standing.failures,
        };
        let body = serde_json::to_vec(&message)
            .expect("a message is texts and numbers")
            .into();
        if self.0.try_send(Delivery { id, event, body }).is_err() {
            tracing::error!(event, "the webhook's queue is full: a message is lost");
            count("lost");
        }
    }
}

impl Sender {
    /// Sends what waits, until nobody can send any more. Dropping it loses what waits.
    pub(crate) async fn run(mut self) {
        let https = HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider());
        let https = match https {
            Ok(https) => https.https_or_http().enable_http1().build(),
            Err(error) => {
                tracing::error!(%error, "the webhook is off: TLS could not be set up");
                return;
            }
        };
        let client = Client::builder(TokioExecutor::new()).build::<_, Full<Bytes>>(https);
        while let Some(delivery) = self.waiting.recv().await {
            let mut pause = WEBHOOK_PAUSE_MIN;
            let mut attempt = 1;
            loop {
                let why = match self.attempt(&client, &delivery).await {
                    Ok(()) => break count("delivered"),
                    Err(why) => why,
                };
                if attempt >= WEBHOOK_ATTEMPTS_MAX {
                    tracing::error!(event = delivery.event, %why, attempt, "the webhook was not reached: a message is lost");
                    break count("lost");
                }
                tracing::warn!(event = delivery.event, %why, attempt, "the webhook was not reached; trying again in {pause}");
                count("retried");
                self.clock.until(self.clock.now() + pause).await;
                pause = Duration::from_millis((pause.as_millis() * 2).min(WEBHOOK_PAUSE_MAX.as_millis()));
                attempt += 1;
            }
        }
    }

    async fn attempt<C>(&self, client: &Client<C, Full<Bytes>>, delivery: &Delivery) -> Result<(), String>
    where
        C: hyper_util::client::legacy::connect::Connect + Clone + Send + Sync + 'static,
    {
        let request = Request::post(&self.target.url)
            .header("content-type", "application/json")
            .header("user-agent", concat!("trunkline/", env!("CARGO_PKG_VERSION")))
            .header("trunkline-event", delivery.event)
            .header("trunkline-delivery", &delivery.id)
            .header(
                "trunkline-signature",
                sign(self.target.secret.as_bytes(), &delivery.body, self.clock.now()),
            )
            .body(Full::from(delivery.body.clone()))
            .map_err(|error| error.to_string())?;
        let answering = async {
            let response = client.request(request).await.map_err(|error| error.to_string())?;
            let status = response.status();
            // A short answer is read so that its connection is kept; a long one is let go of.
            drop(
                http_body_util::Limited::new(response.into_body(), 4_096)
                    .collect()
                    .await,
            );
            if status.is_success() {
                Ok(())
            } else {
                Err(format!("it answered {status}"))
            }
        };
        tokio::time::timeout(WEBHOOK_REPLY_WITHIN.to_std(), answering)
            .await
            .unwrap_or_else(|_| Err(format!("it did not answer within {WEBHOOK_REPLY_WITHIN}")))
    }
}

fn count(result: &'static str) {
    metrics::counter!(observe::WEBHOOK_DELIVERIES, "result" => result).increment(1);
}

#[cfg(test)]
mod tests;
