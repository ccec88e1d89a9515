//! The door for signed events: who sends one has the secret, sent it just now, and is answered when
//! it is durable. The same event again is answered in the same way and starts nothing.
//!
//! The signature is that of other systems' webhooks: `t=1795262700,v1=hex`, where `v1` is the
//! HMAC-SHA256 under the secret of the time, a dot, and the raw body. Of several `v1` one must hold,
//! so that a secret can be changed without losing events.

use std::sync::Arc;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Map, Value as Json};
use sha2::Sha256;
use trunkline_flow::start::StartsOn;
use trunkline_journal::Error;
use trunkline_model::{Digest, Timestamp};

use super::{
    Feeds,
    outbox::{Taken, given, person},
};
use crate::{
    contacts::{StartError, inputs, is_e164},
    limits::HOOK_CLOCK_SKEW_MAX,
    observe,
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
    #[error("the server has no secret `{0}`")]
    NoKey(Arc<str>),
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
            Self::NoKey(_) => "no-secret",
            Self::Unsigned | Self::BadSignature | Self::Stale => "unauthorized",
            Self::NotJson(_) | Self::Unfit(_) => "unfit",
            Self::Over => "over",
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
        let key = self.secret(&webhook.secret);
        let key = key.ok_or_else(|| HookError::NoKey(webhook.secret.clone()))?;
        verify(key.bytes(), signature, body, self.clock.now())?;
        let event: Json =
            serde_json::from_slice(body).map_err(|error| HookError::NotJson(error.to_string()))?;
        if !event.is_object() {
            return Err(HookError::NotJson("it is something else".to_owned()));
        }
        let on = StartsOn::Webhook(name.into());
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
            Err(error) => {
                self.contacts.notice(&error);
                Err(error.into())
            }
        }
    }
}

/// Whether an event was signed with a key, and just now.
fn verify(key: &[u8], signature: Option<&str>, body: &[u8], now: Timestamp) -> Result<(), HookError> {
    let signature = signature.ok_or(HookError::Unsigned)?;
    let parts = || {
        signature
            .split(',')
            .filter_map(|part| part.trim().split_once('='))
    };
    let time = parts().find(|(name, _)| *name == "t").map(|(_, time)| time);
    let time = time.ok_or(HookError::Unsigned)?;
    let mut expected = Hmac::<Sha256>::new_from_slice(key).map_err(|_| HookError::BadSignature)?;
    expected.update(time.as_bytes());
    expected.update(b".");
    expected.update(body);
    let holds = parts()
        .filter(|(name, _)| *name == "v1")
        .filter_map(|(_, digits)| from_hex(digits))
        // The comparison takes as long whatever is wrong.
        .any(|shown| expected.clone().verify_slice(&shown).is_ok());
    if !holds {
        return Err(HookError::BadSignature);
    }
    let seconds: i64 = time.parse().map_err(|_| HookError::BadSignature)?;
    let signed = Timestamp::from_millis(seconds.saturating_mul(1_000));
    let apart = now.since(signed).max(signed.since(now));
    if apart > HOOK_CLOCK_SKEW_MAX {
        return Err(HookError::Stale);
    }
    Ok(())
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        let digit = |index: usize| char::from(pair[index]).to_digit(16);
        *byte = u8::try_from(digit(0)? << 4 | digit(1)?).ok()?;
    }
    Some(bytes)
}

/// The signature of a body, as a sender writes it.
#[cfg(test)]
pub(crate) fn sign(key: &[u8], body: &[u8], at: Timestamp) -> String {
    use std::fmt::Write as _;
    let seconds = at.as_millis().div_euclid(1_000);
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(format!("{seconds}.").as_bytes());
    mac.update(body);
    let mut header = format!("t={seconds},v1=");
    for byte in mac.finalize().into_bytes() {
        write!(header, "{byte:02x}").unwrap();
    }
    header
}

#[cfg(test)]
mod tests {
    use trunkline_model::Duration;

    use super::*;

    const KEY: &[u8] = b"a key of some length";

    #[test]
    fn a_signature_is_that_of_rfc_4231() {
        // Test case 2 of the RFC, over the bytes themselves.
        let mut mac = Hmac::<Sha256>::new_from_slice(b"Jefe").unwrap();
        mac.update(b"what do ya want for nothing?");
        let expected = from_hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843").unwrap();
        assert!(mac.verify_slice(&expected).is_ok());
    }

    #[test]
    fn only_what_is_signed_now_with_the_key_holds() {
        let now = Timestamp::from_millis(1_795_262_700_000);
        let header = sign(KEY, b"{}", now);
        let verified = |key: &[u8], header: &str, body: &[u8], now| verify(key, Some(header), body, now);
        assert!(verified(KEY, &header, b"{}", now).is_ok());
        // Another signature beside it changes nothing.
        let (time, own) = header.split_once(',').unwrap();
        let both = format!("{time}, v1={}, {own}", "0".repeat(64));
        assert!(verified(KEY, &both, b"{}", now).is_ok());
        for late in [299, 300] {
            assert!(verified(KEY, &header, b"{}", now + Duration::from_secs(late)).is_ok());
        }
        assert!(matches!(
            verified(KEY, &header, b"{}", now + Duration::from_secs(301)),
            Err(HookError::Stale)
        ));
        let early = sign(KEY, b"{}", now + Duration::from_secs(301));
        assert!(matches!(verified(KEY, &early, b"{}", now), Err(HookError::Stale)));
        for (key, header, body) in [
            (b"another key".as_slice(), header.clone(), b"{}".as_slice()),
            (KEY, header.clone(), b"{ }"),
            (KEY, header.replace("t=1", "t=2"), b"{}"),
            (KEY, "t=1795262700,v1=zz".to_owned(), b"{}"),
            (KEY, "t=1795262700".to_owned(), b"{}"),
        ] {
            assert!(
                matches!(verified(key, &header, body, now), Err(HookError::BadSignature)),
                "{header}"
            );
        }
        for header in ["", "v1=00", "t"] {
            assert!(
                matches!(verified(KEY, header, b"{}", now), Err(HookError::Unsigned)),
                "{header}"
            );
        }
        assert!(matches!(verify(KEY, None, b"{}", now), Err(HookError::Unsigned)));
    }
}
