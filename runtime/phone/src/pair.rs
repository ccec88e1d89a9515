//! Calls that agents' phones make: to each other, and to the outside. They are no contacts of the
//! hotline; they are here so that an agent can ask somebody before handing a caller over to them.

use std::sync::Arc;

use trunkline_flow::hotline::Hotline;
use trunkline_node::Release;
use trunkline_sip::{Destination, HangUp, Incoming};

use crate::{
    config,
    leg::{Leg, LegEvent},
    limits::RING_MAX,
    phone::Inner,
    presence::Occupied,
    switchboard::{self, Whom},
};

/// Connects an agent's phone with whom it dialled, until either leaves or the agent hands a caller over.
pub(crate) async fn connect(phone: &Arc<Inner>, release: &Release, agent: &str, incoming: Incoming) {
    let call = incoming.call.clone();
    let hotline = release.hotline();
    let Some(whom) = switchboard::dialled(hotline, &incoming.called) else {
        call.refuse(404, "Nobody is called by that", None);
        return;
    };
    let caller_is_busy = Occupied::new(phone, agent);
    let mut called_is_busy = None;
    let (to, trunk) = match whom {
        Whom::Agent(other) if phone.sip().registered(&other) => {
            called_is_busy = Occupied::new(phone, &other);
            (Destination::Account(other.to_string()), None)
        }
        Whom::Agent(_) => {
            call.refuse(480, "No phone is registered there", None);
            return;
        }
        Whom::Outside(_) if !calls_out(hotline, agent) => {
            call.refuse(403, "This phone calls nobody outside", None);
            return;
        }
        Whom::Outside(number) => match switchboard::outside(hotline, None, &number) {
            Some(way) => way,
            None => {
                call.refuse(503, "No trunk leads to the outside", None);
                return;
            }
        },
    };
    let codecs = config::codecs(hotline, trunk.as_deref());
    let (near, description) = match Leg::incoming(&phone.place(), &incoming, codecs.clone()) {
        Ok(leg) => leg,
        Err(error) => {
            tracing::info!(call = call.id(), %error, "an agent's call cannot be taken");
            call.refuse(488, "Not Acceptable Here", None);
            return;
        }
    };
    let codecs = config::codecs_after(hotline, trunk.as_deref(), near.codec());
    let from = (None, agent.to_owned());
    let far = match Leg::outgoing(&phone.place(), Some(&near.stream), to, from, codecs, RING_MAX).await {
        Ok(far) => far,
        Err(error) => {
            tracing::info!(call = call.id(), %error, "whom an agent dialled cannot be called");
            call.refuse(503, "Not reached", None);
            return;
        }
    };
    let (mut near, mut far) = (near, far);
    if let Some(occupied) = caller_is_busy {
        near.occupies(occupied);
    }
    if let Some(occupied) = called_is_busy {
        far.occupies(occupied);
    }
    lead(phone, near, far, description).await;
}

/// Whether an agent's phone may call outside; a carrier's call for an agent never asks for that.
fn calls_out(hotline: &Hotline, agent: &str) -> bool {
    hotline.agents.get(agent).is_some_and(|agent| agent.calls_out)
}

async fn lead(
    phone: &Arc<Inner>,
    mut near: Leg,
    mut far: Leg,
    description: trunkline_sip::SessionDescription,
) {
    let names = [near.call.id().to_owned(), far.call.id().to_owned()];
    let names = [names[0].as_str(), names[1].as_str()];
    let mut asks = phone.switchboard.add_pair(names);
    let mut up = false;
    loop {
        // Dropping any of these loses nothing.
        tokio::select! {
            event = near.next() => match event {
                LegEvent::Over | LegEvent::Failed { .. } => {
                    far.call.hang_up(HangUp::Normal);
                    break;
                }
                LegEvent::Refer { .. } => near.call.notify_referral(501),
                _ => {}
            },
            event = far.next() => match event {
                LegEvent::Ringing => near.call.ring(),
                LegEvent::Early if !up => {
                    near.call.early(description.clone());
                    near.stream.bridge(&far.stream);
                }
                LegEvent::Answered if !up => {
                    up = true;
                    near.stream.bridge(&far.stream);
                    let (answering, description) = (near.call.clone(), description.clone());
                    tokio::spawn(async move {
                        let _ = answering.answer(description).await;
                    });
                }
                LegEvent::Failed { status } => {
                    near.call.refuse(status, "Not reached", None);
                    break;
                }
                LegEvent::Over => {
                    near.call.hang_up(HangUp::Normal);
                    break;
                }
                LegEvent::Refer { .. } => far.call.notify_referral(501),
                _ => {}
            },
            ask = asks.recv() => {
                let Some(ask) = ask else { continue };
                if !up {
                    let _ = ask.reply.send(None);
                    continue;
                }
                // Whom the agent talks to goes on with the caller; the agent's own leg is done with.
                let (stays, leaves) = if ask.leg == near.call.id() { (far, near) } else { (near, far) };
                stays.stream.unbridge();
                leaves.call.hang_up(HangUp::Normal);
                if let Err(Some(unwanted)) = ask.reply.send(Some(stays)) {
                    unwanted.call.hang_up(HangUp::Normal);
                }
                break;
            }
        }
    }
    phone.switchboard.remove_pair(names);
}
