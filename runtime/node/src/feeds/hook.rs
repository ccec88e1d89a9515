//! The door for signed events: who sends one has the secret, sent it just now, and is answered when
//! it is durable. The same event again is answered in the same way and starts nothing.
//!
//! How it is signed stands in [`signature`].

use std::sync::Arc;

use serde_json::{Map, Value as Json};
use trunkline_flow::start::StartsOn;
use trunkline_journal::Error;
use trunkline_model::{Digest, Timestamp};

use super::{
    Feeds,
    outbox::{Taken, given, person},
};
use crate::{
    contacts::{StartError, inputs, is_e164},
    limits::{HOOK_CLOCK_SKEW_MAX, NO_SECRET_TOLD_EVERY},
    observe,
    signature::{self, Bad},
};

/// An event that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Accepted {
    /// What it is known by.
    pub(crate) event: Digest,
    /// Whether it came before.
    pub(crate) again: bool,
}

/// An event that was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HookError {
    /// The hotline has no such webhook, or no flow starts on it.
    #[error("there is no webhook {0:?}")]
    NoSuchHook(String),
    /// The server has no value of the webhook's secret.
    #[error("the server has no value of the webhook's secret")]
    NoKey,
    /// Nothing says who sends it.
    #[error("the event is not signed")]
    Unsigned,
    /// The signature is not that of this event under the secret.
    #[error("the signature does not hold")]
    BadSignature,
    /// It was signed too long ago, or by a clock that is wrong.
    #[error("it was signed at another time")]
    Stale,
    /// The body is no JSON object.
    #[error("the body is no JSON object: {0}")]
    NotJson(String),
    /// The body does not fit what the flow takes.
    #[error("the event does not fit: {0}")]
    Unfit(String),
    /// So many events wait that it was not taken.
    #[error("too many events wait")]
    Over,
    /// So many events are remembered that it was not taken.
    #[error("too many events are remembered")]
    Full,
    /// The node is stopping.
    #[error("the node is stopping")]
    Stopping,
    /// It cannot be kept.
    #[error(transparent)]
    Store(#[from] Error),
}

impl HookError {
    const fn outcome(&self) -> &'static str {
        match self {
            Self::NoSuchHook(_) => "unknown",
            Self::NoKey => "no-secret",
            Self::Unsigned | Self::BadSignature | Self::Stale => "unauthorized",
            Self::NotJson(_) | Self::Unfit(_) => "unfit",
            Self::Over => "over",
            Self::Full => "full",
            Self::Stopping | Self::Store(_) => "unavailable",
        }
    }
}

impl Feeds {
    /// Takes an event when it is signed and fits, and returns when it is durable. Dropping the
    /// future drops the answer, not the event.
    ///
    /// # Errors
    /// See [`HookError`].
    pub(crate) async fn accept(
        self: &Arc<Self>,
        name: &str,
        signature: Option<&str>,
        body: &[u8],
    ) -> Result<Accepted, HookError> {
        let accepted = self.accept_signed(name, signature, body).await;
        let outcome = match &accepted {
            Ok(Accepted { again: false, .. }) => "accepted",
            Ok(_) => "again",
            Err(error) => error.outcome(),
        };
        // What others write is no label.
        let known = !matches!(accepted, Err(HookError::NoSuchHook(_)));
        let label = if known { name.to_owned() } else { String::new() };
        metrics::counter!(observe::HOOKS, "webhook" => label, "outcome" => outcome).increment(1);
        accepted
    }

    async fn accept_signed(
        self: &Arc<Self>,
        name: &str,
        signature: Option<&str>,
        body: &[u8],
    ) -> Result<Accepted, HookError> {
        if self.contacts.is_stopping() {
            return Err(HookError::Stopping);
        }
        let no_such_hook = || HookError::NoSuchHook(name.chars().take(64).collect());
        let release = self.releases.current().ok_or(HookError::Stopping)?;
        let hotline = release.hotline();
        let webhook = hotline.webhooks.get(name).ok_or_else(no_such_hook)?;
        if webhook.starts.flow.is_none() {
            return Err(no_such_hook());
        }
        let now = self.clock.now();
        let on = StartsOn::Webhook(name.into());
        let Some(key) = self.secret(&webhook.secret) else {
            if self.with(&on, |source| tells_now(&mut source.no_secret_told, now)) {
                tracing::error!(%on, secret = %webhook.secret, "a webhook's secret has no value on this server: its events are refused");
            }
            return Err(HookError::NoKey);
        };
        verify(key.bytes(), signature, body, now)?;
        let event: Json =
            serde_json::from_slice(body).map_err(|error| HookError::NotJson(error.to_string()))?;
        if !event.is_object() {
            return Err(HookError::NotJson("it is something else".to_owned()));
        }
        self.with(&on, |source| source.heard = Some(now));
        let inputs = inputs(hotline, &on, &event).map_err(|error| match error {
            StartError::Unfit(why) => HookError::Unfit(why),
            _ => no_such_hook(),
        })?;
        let people = match &webhook.to {
            None => vec![None],
            Some(to) => {
                let mut people = Vec::new();
                for number in webhook.people(&inputs) {
                    if !is_e164(&number) {
                        return Err(HookError::Unfit(format!(
                            "`{to}` holds what is no telephone number in E.164, such as +8613800138000"
                        )));
                    }
                    if !people.contains(&person(&number)) {
                        people.push(person(&number));
                    }
                }
                if people.is_empty() {
                    return Err(HookError::Unfit(format!("`{to}` holds nobody")));
                }
                people
            }
        };
        let fields: Map<String, Json> = inputs
            .iter()
            .map(|(name, value)| (name.to_string(), given(value)))
            .collect();
        let told = webhook
            .key
            .as_ref()
            .and_then(|key| fields.get(key.as_str()).cloned());
        let whole = Json::Object(fields);
        let id = self.records.id_of(told.as_ref(), &whole);
        let feeds = self.clone();
        let taking = self.working.spawn(async move {
            let taken = feeds.take(&on, id, 0, whole, Some(people)).await;
            feeds.changed.notify_one();
            taken
        });
        let taken = taking.await.unwrap_or_else(|_| {
            Err(Error::Unavailable {
                cause: "the node is stopping".into(),
            })
        });
        match taken {
            Ok(Taken::New) => Ok(Accepted {
                event: id,
                again: false,
            }),
            Ok(Taken::Known) => Ok(Accepted {
                event: id,
                again: true,
            }),
            Ok(Taken::Over) => Err(HookError::Over),
            Ok(Taken::Full) => Err(HookError::Full),
            Ok(Taken::TooLarge) => Err(HookError::Unfit("it is too large".to_owned())),
            Err(error) => {
                self.contacts.notice(&error);
                Err(error.into())
            }
        }
    }
}

/// Whether something is to be told again that was told at a time.
fn tells_now(told: &mut Option<Timestamp>, now: Timestamp) -> bool {
    let just_now = told.is_some_and(|told| told <= now && now.since(told) < NO_SECRET_TOLD_EVERY);
    if !just_now {
        *told = Some(now);
    }
    !just_now
}

/// Whether an event was signed with a key, and just now.
fn verify(key: &[u8], signature: Option<&str>, body: &[u8], now: Timestamp) -> Result<(), HookError> {
    let signed = signature::verify(key, signature, body).map_err(|bad| match bad {
        Bad::Missing => HookError::Unsigned,
        Bad::Wrong => HookError::BadSignature,
    })?;
    let apart = now.since(signed).max(signed.since(now));
    if apart > HOOK_CLOCK_SKEW_MAX {
        return Err(HookError::Stale);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use trunkline_model::Duration;

    use super::*;
    use crate::signature::sign;

    const KEY: &[u8] = b"a key of some length";

    #[test]
    fn what_anybody_can_bring_about_is_told_once_a_minute() {
        let at = |seconds| Timestamp::default() + Duration::from_secs(seconds);
        let mut told = None;
        let said = [100, 101, 159, 160, 161, 90].map(|seconds| tells_now(&mut told, at(seconds)));
        // When the clock was set back it is told again.
        assert_eq!(said, [true, false, false, true, false, true]);
    }

    #[test]
    fn only_what_is_signed_now_with_the_key_holds() {
        let now = Timestamp::from_millis(1_795_262_700_000);
        let header = sign(KEY, b"{}", now);
        let verified = |header: &str, now| verify(KEY, Some(header), b"{}", now);
        for late in [0, 299, 300] {
            assert!(verified(&header, now + Duration::from_secs(late)).is_ok());
        }
        assert!(matches!(
            verified(&header, now + Duration::from_secs(301)),
            Err(HookError::Stale)
        ));
        let early = sign(KEY, b"{}", now + Duration::from_secs(301));
        assert!(matches!(verified(&early, now), Err(HookError::Stale)));
        // Who has no key learns nothing of the clock.
        let other = sign(b"another key", b"{}", now);
        assert!(matches!(verified(&other, now), Err(HookError::BadSignature)));
        assert!(matches!(verify(KEY, None, b"{}", now), Err(HookError::Unsigned)));
    }
}
