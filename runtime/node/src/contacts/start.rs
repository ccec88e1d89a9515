//! Contacts that nobody called for: what a feed or a webhook starts.
//!
//! Whoever starts one names it. The name decides: a contact that has begun under it is this one, and
//! nothing begins twice, whatever happened to whoever asked.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value as Json;
use trunkline_engine::{Channel, Start};
use trunkline_flow::{Hotline, start::StartsOn};
use trunkline_journal::{Error as JournalError, Expect, Put};
use trunkline_model::{ContactId, Value, VariableName, json::from_json};

use super::{
    Contacts, FindError, SPACE, arrive,
    contact::{Begun, Contact},
};
use crate::{key::Token, limits::CONTACTS_MAX, mask::mask, observe};

/// A contact to be started.
#[derive(Clone, Debug)]
pub(crate) struct StartCall {
    /// What it starts on.
    pub(crate) on: StartsOn,
    /// Its name, made of what it starts on, the change, and whom it concerns.
    pub(crate) contact: ContactId,
    /// Whom it concerns; E.164.
    pub(crate) person: Option<Arc<str>>,
    /// A feed's change, or the fields of a webhook's event.
    pub(crate) given: Json,
}

/// A contact that was not started.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum StartError {
    /// No flow of the release that is live starts on it.
    #[error("no flow starts on {0}")]
    NothingStarts(StartsOn),
    /// What it was given does not fit the flow of the release that is live.
    #[error("it does not fit the inputs of the flow: {0}")]
    Unfit(String),
    /// More contacts are under way than a node takes.
    #[error("{CONTACTS_MAX} contacts are under way, and the node takes no more")]
    TooMany,
    /// The node is stopping or about to, or no release is live.
    #[error("the node does not start contacts now")]
    NotNow,
    /// The contact's journal cannot be written.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// What a flow is given, read as its inputs.
///
/// # Errors
/// It does not fit, or no flow starts on it.
pub(crate) fn inputs(
    hotline: &Hotline,
    on: &StartsOn,
    given: &Json,
) -> Result<BTreeMap<VariableName, Value>, StartError> {
    let nothing = || StartError::NothingStarts(on.clone());
    let starts = hotline.starts(on).ok_or_else(nothing)?;
    let flow = starts.flow.as_ref().and_then(|flow| hotline.flows.get(flow));
    let flow = flow.ok_or_else(nothing)?;
    if let Some(input) = &starts.input {
        let ty = flow.inputs.get(input).ok_or_else(nothing)?;
        let value = from_json(given, ty).map_err(|error| StartError::Unfit(error.to_string()))?;
        return Ok(BTreeMap::from([(input.clone(), value)]));
    }
    let Json::Object(fields) = given else {
        return Err(StartError::Unfit("it is no JSON object".to_owned()));
    };
    if let Some(unknown) = fields
        .keys()
        .find(|name| !flow.inputs.contains_key(name.as_str()))
    {
        let names: Vec<&str> = flow.inputs.keys().map(VariableName::as_str).collect();
        return Err(StartError::Unfit(format!(
            "there is no field {:?}; its fields are {}",
            unknown.chars().take(64).collect::<String>(),
            names.join(", ")
        )));
    }
    let mut inputs = BTreeMap::new();
    for (name, ty) in &flow.inputs {
        let field = fields.get(name.as_str()).unwrap_or(&Json::Null);
        if field.is_null() {
            if ty.is_optional() {
                continue;
            }
            return Err(StartError::Unfit(format!("the field `{name}` is missing")));
        }
        let value = from_json(field, ty).map_err(|error| StartError::Unfit(format!("`{name}`: {error}")))?;
        inputs.insert(name.clone(), value);
    }
    Ok(inputs)
}

impl Contacts {
    /// Starts a contact, and returns when that is durable. Whether it began now: the same name
    /// again is the same contact. Dropping the future drops the answer, not the contact.
    ///
    /// # Errors
    /// See [`StartError`].
    pub(crate) async fn start(self: &Arc<Self>, call: StartCall) -> Result<bool, StartError> {
        if self.is_stopping() || self.is_draining() {
            return Err(StartError::NotNow);
        }
        if self.count() >= CONTACTS_MAX {
            return Err(StartError::TooMany);
        }
        let contacts = self.clone();
        let starting = self
            .deciding
            .spawn(async move { contacts.start_once(call).await });
        let started = starting.await.unwrap_or(Err(StartError::NotNow));
        if let Err(StartError::Journal(JournalError::Fatal { cause })) = &started {
            self.failed.send_replace(Some(cause.clone()));
        }
        started
    }

    async fn start_once(self: &Arc<Self>, call: StartCall) -> Result<bool, StartError> {
        match self.find(&call.contact).await {
            Ok(_) => return Ok(false),
            Err(FindError::NoSuchContact(_)) => {}
            Err(FindError::Journal(error)) => return Err(error.into()),
        }
        let now = self.clock.now();
        let pinned = self.releases.pin_current().ok_or(StartError::NotNow)?;
        let hotline = pinned.release().hotline();
        let start = Start {
            contact: call.contact.clone(),
            release: pinned.release().id(),
            on: call.on.clone(),
            person: call.person.clone(),
            language: None,
            inputs: inputs(hotline, &call.on, &call.given)?,
        };
        let readings = self.services.readings(None, now);
        let decision = trunkline_engine::start(hotline, start, now, &readings)
            .map_err(|_| StartError::NothingStarts(call.on.clone()))?;
        let release = pinned.release().id();
        // Nobody holds the token: such a contact has no caller's side.
        let token = Token::draw().digest();
        let contact = Arc::new(Contact::arriving(
            call.contact.clone(),
            Channel::Outbound,
            now,
            pinned,
            Some(token),
        ));
        let put = Put {
            space: SPACE,
            key: call.contact.as_str(),
            value: arrive::contact_record(token),
            expect: Expect::Any,
            expires: None,
            at: now,
        };
        match contact.begin(self, decision, put).await? {
            Begun::Now => {}
            Begun::Before => return Ok(false),
            Begun::Draining => return Err(StartError::NotNow),
        }
        metrics::counter!(observe::ARRIVALS, "channel" => "outbound").increment(1);
        tracing::info!(
            contact = %call.contact,
            on = %call.on,
            person = call.person.as_deref().map(mask),
            release = release.short(),
            "contact started"
        );
        Ok(true)
    }
}
