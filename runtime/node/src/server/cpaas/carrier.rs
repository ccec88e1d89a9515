//! Which carrier a request is held against: one of the release that the call's contact is on, or of the one
//! that is live.

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use trunkline_channel::cpaas::{Dialect, Posted, Script, Target, Then, render};
use trunkline_engine::Channel;
use trunkline_flow::{
    Hotline,
    hotline::{Agent, CarrierKind},
};
use trunkline_model::ContactId;
use trunkline_plugin::SecretValue;

use super::{call, links::Links};
use crate::{
    contacts::FindError,
    observe,
    server::{State, problem::Refusal},
};

/// A carrier, as a request needs it.
pub(super) struct Carrier {
    pub(super) name: String,
    pub(super) dialect: Dialect,
    /// The address that it knows the server by.
    pub(super) url: String,
    pub(super) secret: SecretValue,
    /// The hotline's numbers that come by it; all without.
    pub(super) numbers: Option<Vec<std::sync::Arc<str>>>,
    /// The server's own key for addresses.
    pub(super) key: [u8; 32],
}

impl Carrier {
    pub(super) fn links(&self) -> Links<'_> {
        Links {
            url: &self.url,
            carrier: &self.name,
            key: &self.key,
        }
    }

    pub(super) fn counts(&self, step: &'static str, outcome: &'static str) {
        metrics::counter!(observe::CARRIERS, "carrier" => self.name.clone(), "step" => step, "outcome" => outcome)
            .increment(1);
    }

    /// An answer in the carrier's dialect.
    pub(super) fn document(&self, text: String) -> Response {
        let media = HeaderValue::from_static(self.dialect.media_type());
        ([(header::CONTENT_TYPE, media)], text).into_response()
    }

    /// An answer to what needs none.
    pub(super) fn nothing(&self) -> Response {
        self.document(match self.dialect {
            Dialect::Twiml => "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>".to_owned(),
            Dialect::Jambonz => "[]".to_owned(),
        })
    }

    pub(super) fn reject(&self) -> Response {
        self.only(Then::Reject)
    }

    pub(super) fn hang_up(&self) -> Response {
        self.only(Then::HangUp)
    }

    /// An answer that says nothing.
    fn only(&self, then: Then) -> Response {
        let script = Script {
            said: Vec::new(),
            then,
        };
        self.document(render(self.dialect, &script))
    }

    /// Where the carrier reaches an agent: the SIP phone that is registered with this server, at the host by
    /// which the carrier knows it.
    pub(super) fn agent(&self, agent: &Agent, name: &str) -> Option<Target> {
        agent.phone.as_ref()?;
        let (_, rest) = self.url.split_once("://")?;
        let authority = rest.split('/').next()?;
        let host = match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => authority,
        };
        Some(Target::Sip(format!("sip:{name}@{host}")))
    }
}

/// The carrier of the live release.
pub(super) async fn live(state: &State, name: &str) -> Result<Carrier, Refusal> {
    let release = state.releases().current().ok_or_else(none)?;
    of(state, release.hotline(), name).await
}

/// The carriers by which a contact may have come, at least one: that of its own release, and that of the live
/// one, since its account may have been given another secret meanwhile.
pub(super) async fn of_contact(
    state: &State,
    name: &str,
    contact: Option<&ContactId>,
) -> Result<Vec<Carrier>, Refusal> {
    let mut found = Vec::new();
    let mut channel = None;
    if let Some(contact) = contact {
        match state.contacts().session(contact).await {
            Ok(session) => {
                channel = Some(session.channel);
                // One that has ended holds its release no longer, which may be there all the same.
                let own = match state.contacts().release_of(contact).await? {
                    Some(release) => Some(release),
                    None => {
                        let pinned = state.releases().pin(&session.release).await.ok();
                        pinned.map(|pinned| pinned.release().clone())
                    }
                };
                if let Some(own) = own {
                    found.extend(of(state, own.hotline(), name).await.ok());
                }
            }
            Err(FindError::NoSuchContact(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let fits =
        |carrier: &Carrier| channel.is_none_or(|channel: Channel| carrier.dialect.channel() == channel);
    match live(state, name).await {
        Ok(carrier) if fits(&carrier) => found.push(carrier),
        Ok(_) => {}
        Err(refusal) if found.is_empty() => return Err(refusal),
        Err(_) => {}
    }
    if found.is_empty() { Err(none()) } else { Ok(found) }
}

/// The contact of a call whose status is told, if there is one. The request is not yet known to be the
/// carrier's: nothing but its carrier is looked up by it.
pub(super) async fn contact_of(state: &State, name: &str, body: &[u8]) -> Result<Option<ContactId>, Refusal> {
    for dialect in [Dialect::Twiml, Dialect::Jambonz] {
        let Ok(posted) = Posted::read(dialect, body) else {
            continue;
        };
        let id = call::request_id(dialect, name, &posted.call);
        if let Some(contact) = state.contacts().begun_by(&id).await? {
            return Ok(Some(contact));
        }
    }
    Ok(None)
}

async fn of(state: &State, hotline: &Hotline, name: &str) -> Result<Carrier, Refusal> {
    let declared = hotline.carriers.get(name).ok_or_else(none)?;
    let secret = state.feeds().secret(&declared.secret).ok_or_else(|| {
        tracing::warn!(carrier = name, secret = %declared.secret, "a carrier's secret has no value on this server: its calls are refused");
        Refusal::unavailable(
            "no-secret",
            "The server has no value of this carrier's secret; its operator has to set it.",
            60,
        )
    })?;
    Ok(Carrier {
        name: name.to_owned(),
        dialect: match declared.kind {
            CarrierKind::Twiml => Dialect::Twiml,
            CarrierKind::Jambonz => Dialect::Jambonz,
        },
        url: declared.url.as_str().to_owned(),
        secret,
        numbers: declared.numbers.clone(),
        key: state.carriers_key().get(state.contacts()).await?,
    })
}

fn none() -> Refusal {
    Refusal::not_found(
        "no-such-carrier",
        "The hotline has no such carrier.",
        "Carriers are declared under `carriers` of hotline.yaml.",
    )
}
