//! Calls that come in: which number is meant, whether there is room, and the contact that begins.

use std::sync::Arc;

use tokio::{sync::mpsc, time::Instant};
use trunkline_engine::Channel;
use trunkline_model::ContactId;
use trunkline_node::{ArriveError, Call};
use trunkline_sip::{Arriving, Incoming, Source};

use crate::{
    called,
    caller::Caller,
    config,
    leg::{Leg, LegError},
    limits::RETRY_AFTER_S,
    observe, pair,
    phone::Inner,
    presence,
};

/// Attends to what comes in, until signalling stops.
pub(crate) async fn attend(phone: Arc<Inner>, mut arriving: mpsc::Receiver<Arriving>) {
    while let Some(arriving) = arriving.recv().await {
        match arriving {
            Arriving::Call(incoming) => {
                let calls = phone.calls.clone();
                calls.spawn(answer(phone.clone(), *incoming));
            }
            Arriving::Registered { account } | Arriving::Unregistered { account } => {
                presence::phone_of(&phone, &account);
            }
        }
    }
}

/// Why a call is refused: the status, the words, when to try again, and the name that is counted.
type Refusal = (u16, &'static str, Option<u32>, &'static str);

async fn answer(phone: Arc<Inner>, incoming: Incoming) {
    let began = Instant::now();
    let call = incoming.call.clone();
    let refusal = match begin(&phone, incoming).await {
        Ok(Some(caller)) => {
            metrics::counter!(observe::ARRIVED, "outcome" => "answered").increment(1);
            metrics::histogram!(observe::ANSWER_SECONDS).record(began.elapsed().as_secs_f64());
            caller.await;
            return;
        }
        // A call between two, which was led to its end.
        Ok(None) => return,
        Err(refusal) => refusal,
    };
    let (status, words, retry_after, outcome) = refusal;
    metrics::counter!(observe::ARRIVED, "outcome" => outcome).increment(1);
    tracing::info!(call = call.id(), status, outcome, "a call was refused");
    call.refuse(status, words, retry_after);
}

/// Begins the contact of a call and answers it; none for a call that is no contact.
async fn begin(
    phone: &Arc<Inner>,
    incoming: Incoming,
) -> Result<Option<impl Future<Output = ()> + use<>>, Refusal> {
    let release =
        phone
            .node
            .releases()
            .current()
            .ok_or((503, "No release", Some(RETRY_AFTER_S), "failed"))?;
    let hotline = release.hotline();
    let trunk = match &incoming.from {
        Source::Trunk { name } => Some(name.clone()),
        Source::Account { .. } => None,
    };
    let number = called::number(
        hotline,
        trunk.as_deref(),
        &incoming.diverted,
        &incoming.called,
        &incoming.to,
    );
    let Some(number) = number else {
        let from = match &incoming.from {
            Source::Account { name } => name.clone(),
            // A carrier brings its caller to the agent who is offered that caller.
            Source::Trunk { name } if presence::is_awaited(phone, &incoming.called).await => name.clone(),
            Source::Trunk { .. } => {
                return Err((404, "Not a number of this hotline", None, "no-such-number"));
            }
        };
        pair::connect(phone, &release, &from, incoming).await;
        return Ok(None);
    };
    let codecs = config::codecs(hotline, trunk.as_deref());
    let (leg, description) = Leg::incoming(&phone.place(), &incoming, codecs).map_err(|error| {
        tracing::info!(call = incoming.call.id(), %error, "a call cannot be taken");
        match error {
            LegError::NoCodec(_) => (488, "Not Acceptable Here", None, "no-codec"),
            LegError::Media(_) | LegError::Call(_) => (503, "No room", Some(RETRY_AFTER_S), "no-media"),
        }
    })?;
    // It rings until the contact is durable.
    incoming.call.ring();
    let known = called::caller(hotline, &incoming.from, incoming.caller.as_ref());
    let arrived = phone
        .node
        .arrive(Call {
            id: None,
            channel: Channel::Phone,
            number: number.to_string(),
            language: None,
            caller: known.caller,
            claimed: known.claimed,
        })
        .await
        .map_err(|error| refusal(&error))?;
    let contact = arrived.contact;
    let release = match phone.node.contacts().release_of(&contact).await {
        Ok(Some(release)) => release,
        // It has ended already: the flow said nothing and ended.
        Ok(None) | Err(_) => release,
    };
    let from = match &incoming.from {
        Source::Trunk { name } => format!("trunk {name}"),
        Source::Account { name } => format!("phone {name}"),
    };
    tracing::info!(%contact, call = incoming.call.id(), %from, "a call is a contact");
    let wishes = phone.switchboard.add(&contact, from.into());
    let line = OnLine::new(phone, &contact, &incoming.from);
    let (phone, source) = (phone.clone(), incoming.from);
    Ok(Some(async move {
        let place = (contact, release, number);
        Caller::new(phone, place, source, leg, description, wishes)
            .run()
            .await;
        drop(line);
    }))
}

/// A contact is on a line as long as this is there, whatever becomes of the call's task; then its caller
/// has left.
struct OnLine {
    phone: Arc<Inner>,
    contact: ContactId,
    kind: &'static str,
}

impl OnLine {
    fn new(phone: &Arc<Inner>, contact: &ContactId, from: &Source) -> Self {
        let kind = kind(from);
        metrics::gauge!(observe::CALLS, "from" => kind).increment(1);
        Self {
            phone: phone.clone(),
            contact: contact.clone(),
            kind,
        }
    }
}

impl Drop for OnLine {
    fn drop(&mut self) {
        metrics::gauge!(observe::CALLS, "from" => self.kind).decrement(1);
        self.phone.switchboard.remove(&self.contact);
        self.phone.node.contacts().caller_left(&self.contact);
    }
}

const fn kind(from: &Source) -> &'static str {
    match from {
        Source::Trunk { .. } => "trunk",
        Source::Account { .. } => "phone",
    }
}

fn refusal(error: &ArriveError) -> Refusal {
    let later = Some(RETRY_AFTER_S);
    match error {
        ArriveError::NoSuchNumber { .. } => (404, "Not a number of this hotline", None, "no-such-number"),
        ArriveError::Draining => (503, "Draining", later, "draining"),
        ArriveError::TooMany(_) => (503, "Too many contacts", later, "too-many"),
        ArriveError::Stopping | ArriveError::NoRelease => (503, "Not now", later, "failed"),
        ArriveError::BadCaller(_)
        | ArriveError::BadLanguage(_)
        | ArriveError::BadId { .. }
        | ArriveError::IdReused
        | ArriveError::Journal(_) => {
            tracing::error!(%error, "a contact could not begin");
            (503, "Not now", later, "failed")
        }
    }
}
