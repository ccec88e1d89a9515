//! Contacts that begin.
//!
//! A contact begins on the release that is live now and stays on it. The client's id of the
//! request makes it one contact however often the request is sent.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use trunkline_engine::{Arrival, Channel, Decision};
use trunkline_journal::{Error as JournalError, Expect, Put};
use trunkline_model::{ContactId, Digest, Timestamp, limits::INPUT_ID_BYTES_MAX};

use super::{
    ArriveError, Contacts, FindError, SPACE,
    contact::{Begun, Contact},
    is_conflict,
};
use crate::{
    key::{Token, random},
    limits::{BEGIN_AGAIN_WITHIN, BEGIN_ID_CHARS_MIN, CONFLICTS_MAX, CONTACTS_MAX, REQUESTS_SWEPT_MAX},
    mask::mask,
    observe,
};

/// The space in which requests for contacts are kept, by the digest of the client's id.
const REQUESTS: &str = "node.requests";

/// The space in which it is kept how carriers' requests were answered.
pub(crate) const CARRIER_ANSWERS: &str = "node.carriers";

/// The version of what this module keeps.
const VERSION: u32 = 1;

/// Somebody calls.
#[derive(Clone, Debug)]
pub struct Call {
    /// The client's name for this request, drawn at random.
    pub id: Option<String>,
    /// How the contact comes.
    pub channel: Channel,
    /// The number that is called.
    pub number: String,
    /// The language that is asked for.
    pub language: Option<String>,
    /// The caller's number, vouched for; E.164.
    pub caller: Option<String>,
    /// What an unvouched client says of itself; E.164.
    pub claimed: Option<String>,
}

/// A contact that has begun, durably.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// The contact.
    pub contact: ContactId,
    /// Opens the caller's side of it.
    pub token: Token,
    /// The release it stays on.
    pub release: Digest,
    /// Whether it had begun before, by the same request.
    pub again: bool,
}

/// What is kept of a contact besides its journal.
#[derive(Serialize, Deserialize)]
struct ContactRecord {
    version: u32,
    token: Digest,
}

/// What is kept of a request that may be repeated.
#[derive(Serialize, Deserialize)]
struct RequestRecord {
    version: u32,
    contact: ContactId,
    salt: Digest,
    request: Digest,
}

impl Call {
    fn check(&self) -> Result<(), ArriveError> {
        for number in [&self.caller, &self.claimed].into_iter().flatten() {
            if !is_e164(number) {
                return Err(ArriveError::BadCaller(number.chars().take(32).collect()));
            }
        }
        if let Some(tag) = self.language.as_deref().filter(|tag| !is_language_tag(tag)) {
            return Err(ArriveError::BadLanguage(tag.chars().take(32).collect()));
        }
        let length = self.id.as_ref().map(|id| id.chars().count());
        let too_long = self.id.as_ref().is_some_and(|id| id.len() > INPUT_ID_BYTES_MAX);
        if let Some(length) = length.filter(|length| *length < BEGIN_ID_CHARS_MIN || too_long) {
            return Err(ArriveError::BadId {
                length,
                min: BEGIN_ID_CHARS_MIN,
                max: INPUT_ID_BYTES_MAX,
            });
        }
        Ok(())
    }

    /// What must be the same in a repeated request.
    fn digest(&self) -> Digest {
        let text = |text: &Option<String>| text.clone().unwrap_or_default().into_bytes();
        let parts = [
            format!("{:?}", self.channel).into_bytes(),
            self.number.clone().into_bytes(),
            text(&self.language),
            text(&self.caller),
            text(&self.claimed),
        ];
        Digest::of_parts(parts.iter().map(Vec::as_slice))
    }
}

impl Contacts {
    /// Begins a contact, and returns when that is durable. Dropping the future drops the
    /// answer, not the contact.
    ///
    /// # Errors
    /// The number, the caller or the language is none, the node takes no more, or the journal
    /// cannot be written.
    pub async fn arrive(self: &Arc<Self>, call: Call) -> Result<Arrived, ArriveError> {
        call.check()?;
        if self.is_stopping() {
            return Err(ArriveError::Stopping);
        }
        if self.count() >= CONTACTS_MAX {
            return Err(ArriveError::TooMany(CONTACTS_MAX));
        }
        let contacts = self.clone();
        let arrival = self
            .deciding
            .spawn(async move { contacts.arrive_once(&call).await });
        let arrived = arrival.await.unwrap_or(Err(ArriveError::Stopping));
        if let Err(ArriveError::Journal(JournalError::Fatal { cause })) = &arrived {
            self.failed.send_replace(Some(cause.clone()));
        }
        arrived
    }

    async fn arrive_once(self: &Arc<Self>, call: &Call) -> Result<Arrived, ArriveError> {
        let now = self.clock.now();
        let Some(id) = &call.id else {
            let contact = ContactId::generate(now, random());
            let arrived = self.begin(call, contact, Token::draw(), now).await?;
            // 80 random bits do not meet twice.
            return arrived.ok_or(ArriveError::Stopping);
        };
        let key = Digest::of(id.as_bytes()).to_string();
        for _ in 0..CONFLICTS_MAX {
            let record = match self.request(&key, now).await? {
                Some(record) => record,
                None => {
                    // A request that was taken before goes on; a new one is none to remember.
                    self.takes_new()?;
                    let record = RequestRecord {
                        version: VERSION,
                        contact: ContactId::generate(now, random()),
                        salt: Digest::from_bytes(random()),
                        request: call.digest(),
                    };
                    // A number that is none leaves no record behind.
                    self.number_exists(call)?;
                    let put = Put {
                        space: REQUESTS,
                        key: &key,
                        value: to_bytes(&record),
                        expect: Expect::Absent,
                        expires: Some(now + BEGIN_AGAIN_WITHIN),
                        at: now,
                    };
                    match self.journal.store().put(put).await {
                        Ok(_) => record,
                        // The same request came twice at once: the first record counts.
                        Err(error) if is_conflict(&error) => continue,
                        Err(error) => return Err(error.into()),
                    }
                }
            };
            if record.request != call.digest() {
                return Err(ArriveError::IdReused);
            }
            let token = Token::derived(record.salt.as_bytes(), id);
            match self.find(&record.contact).await {
                Ok(contact) => {
                    // It may still be at its beginning.
                    let session = match contact.session(self).await {
                        Ok(session) => session,
                        Err(FindError::NoSuchContact(_)) => continue,
                        Err(error) => return Err(error.into()),
                    };
                    return Ok(Arrived {
                        contact: record.contact,
                        token,
                        release: session.release,
                        again: true,
                    });
                }
                Err(FindError::NoSuchContact(_)) => {}
                Err(FindError::Journal(error)) => return Err(error.into()),
            }
            if let Some(arrived) = self.begin(call, record.contact, token, now).await? {
                return Ok(arrived);
            }
        }
        Err(ArriveError::Stopping)
    }

    /// The contact that a request began, while the request may be repeated.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(crate) async fn begun_by(&self, id: &str) -> Result<Option<ContactId>, JournalError> {
        let key = Digest::of(id.as_bytes()).to_string();
        let record = self.request(&key, self.clock.now()).await?;
        Ok(record.map(|record| record.contact))
    }

    async fn request(&self, key: &str, now: Timestamp) -> Result<Option<RequestRecord>, JournalError> {
        let entry = self.journal.store().get(REQUESTS, key, now).await?;
        entry
            .map(|entry| from_bytes(&entry.value, || format!("request {key}")))
            .transpose()
    }

    fn number_exists(&self, call: &Call) -> Result<(), ArriveError> {
        let release = self.releases.pin_current().ok_or(ArriveError::NoRelease)?;
        let numbers = &release.release().hotline().numbers;
        if numbers.contains_key(call.number.as_str()) {
            return Ok(());
        }
        Err(ArriveError::NoSuchNumber {
            number: call.number.chars().take(32).collect(),
            numbers: numbers.keys().take(10).map(ToString::to_string).collect(),
        })
    }

    fn takes_new(&self) -> Result<(), ArriveError> {
        if self.is_draining() {
            return Err(ArriveError::Draining);
        }
        Ok(())
    }

    /// Begins a contact; none when somebody else begins or began it.
    async fn begin(
        self: &Arc<Self>,
        call: &Call,
        id: ContactId,
        token: Token,
        now: Timestamp,
    ) -> Result<Option<Arrived>, ArriveError> {
        self.takes_new()?;
        self.number_exists(call)?;
        let pinned = self.releases.pin_current().ok_or(ArriveError::NoRelease)?;
        let release = pinned.release().id();
        let arrival = Arrival {
            contact: id.clone(),
            release,
            channel: call.channel,
            number: call.number.as_str().into(),
            language: call.language.as_deref().map(Into::into),
            caller: call.caller.as_deref().map(Into::into),
            claimed: call.claimed.as_deref().map(Into::into),
        };
        let readings = self.services.readings(None, now);
        let decision: Decision =
            trunkline_engine::arrive(pinned.release().hotline(), arrival, now, &readings).map_err(
                |error| ArriveError::NoSuchNumber {
                    number: error.0,
                    numbers: Vec::new(),
                },
            )?;
        let contact = Arc::new(Contact::arriving(
            id.clone(),
            call.channel,
            now,
            pinned,
            Some(token.digest()),
        ));
        let put = Put {
            space: SPACE,
            key: id.as_str(),
            value: contact_record(token.digest()),
            expect: Expect::Any,
            expires: None,
            at: now,
        };
        match contact.begin(self, decision, put).await? {
            Begun::Now => {}
            Begun::Before => return Ok(None),
            Begun::Draining => return Err(ArriveError::Draining),
        }
        metrics::counter!(observe::ARRIVALS, "channel" => trunkline_channel::chat::channel_name(call.channel))
            .increment(1);
        tracing::info!(
            contact = %id,
            number = call.number,
            caller = call.caller.as_deref().or(call.claimed.as_deref()).map(mask),
            vouched = call.caller.is_some(),
            release = release.short(),
            "contact arrived"
        );
        Ok(Some(Arrived {
            contact: id,
            token,
            release,
            again: false,
        }))
    }
}

/// What is kept of a contact besides its journal.
pub(super) fn contact_record(token: Digest) -> Vec<u8> {
    to_bytes(&ContactRecord {
        version: VERSION,
        token,
    })
}

/// Removes requests whose day is over.
pub(super) async fn sweep_requests(contacts: &Contacts) -> Result<usize, JournalError> {
    let now = contacts.clock.now();
    let store = contacts.journal.store();
    let answered = store.sweep(CARRIER_ANSWERS, now, REQUESTS_SWEPT_MAX).await?;
    Ok(answered + store.sweep(REQUESTS, now, REQUESTS_SWEPT_MAX).await?)
}

/// The digest of a contact's token, as it is kept.
pub(super) async fn kept_token(
    contacts: &Contacts,
    contact: &ContactId,
) -> Result<Option<Digest>, JournalError> {
    let now = contacts.clock.now();
    let Some(entry) = contacts.journal.store().get(SPACE, contact.as_str(), now).await? else {
        return Ok(None);
    };
    let record: ContactRecord = from_bytes(&entry.value, || format!("the token of contact {contact}"))?;
    Ok(Some(record.token))
}

fn to_bytes<T: Serialize>(record: &T) -> Vec<u8> {
    serde_json::to_vec(record).expect("records of names and digests are JSON")
}

fn from_bytes<T: for<'de> Deserialize<'de>>(
    bytes: &[u8],
    place: impl FnOnce() -> String,
) -> Result<T, JournalError> {
    serde_json::from_slice(bytes).map_err(|error| JournalError::Corrupt {
        place: place().into(),
        what: error.to_string().into(),
    })
}

/// A plus sign and 7 to 15 digits, the first not zero.
pub fn is_e164(number: &str) -> bool {
    number.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn is_language_tag(tag: &str) -> bool {
    tag.len() <= 35
        && tag.split('-').enumerate().all(|(index, part)| {
            (1..=8).contains(&part.len())
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
                && (index > 0 || part.bytes().all(|byte| byte.is_ascii_alphabetic()) && part.len() > 1)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_tags_are_held_to_their_forms() {
        for good in ["+8613800138000", "+12025550123", "+4930123456"] {
            assert!(is_e164(good), "{good}");
        }
        for bad in [
            "13800138000",
            "+0123456789",
            "+86 138",
            "+86138001380001234567",
            "+",
            "",
            "+861380013800a",
        ] {
            assert!(!is_e164(bad), "{bad}");
        }
        for good in ["zh-CN", "en", "zh-Hans-CN", "yue"] {
            assert!(is_language_tag(good), "{good}");
        }
        for bad in ["", "c", "zh_CN", "zh-", "1-en", "中文", "en-toolongpart"] {
            assert!(!is_language_tag(bad), "{bad}");
        }
    }
}
