//! Guests of a call: a supervisor who listens, whispers to the agent or steps in, a third party, and whom the
//! flow made one of three.

use std::{sync::Arc, time::Duration};

use trunkline_media::{Media, Role, Room, StreamId};
use trunkline_node::{Deed, Guest, LineError, Part, Party};
use trunkline_sip::{Destination, HangUp, Source};

use super::{Caller, Wish};
use crate::{
    config,
    leg::{Leg, LegEvent},
    limits::LEGS_MAX,
    switchboard,
};

/// How long a guest's phone rings.
const RING: Duration = Duration::from_secs(30);

/// The guests of a call.
#[derive(Default)]
pub(super) struct Supervision {
    guests: Vec<Seat>,
    room: Option<Room>,
    numbered: u64,
}

struct Seat {
    number: u64,
    part: Part,
    leg: Leg,
    up: bool,
    /// The agent whom the flow brought in, and who is free again once this leg is over.
    agent: Option<Arc<str>>,
}

impl Supervision {
    /// What happens on a guest's leg; pends while there is none. Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> (u64, LegEvent) {
        if self.guests.is_empty() {
            return std::future::pending().await;
        }
        let nexts = self.guests.iter_mut().map(|seat| {
            let number = seat.number;
            Box::pin(async move { (number, seat.leg.next().await) })
        });
        futures::future::select_all(nexts).await.0
    }

    /// Whether nobody but the two is in the call.
    pub(super) fn is_empty(&self) -> bool {
        !self.guests.iter().any(|seat| seat.up)
    }

    /// Whether somebody is there whom the caller talks to.
    pub(super) fn has_joined(&self) -> bool {
        self.guests.iter().any(|seat| seat.up && seat.part == Part::Joins)
    }

    /// Whether those whom the caller talks to have all put the caller on hold.
    pub(super) fn holds(&self) -> bool {
        let mut joined = self
            .guests
            .iter()
            .filter(|seat| seat.up && seat.part == Part::Joins);
        self.has_joined() && joined.all(|seat| seat.leg.is_held())
    }

    /// The room in which they hear each other.
    pub(super) fn room(&mut self, media: &Media) -> &Room {
        self.room.get_or_insert_with(|| media.room(None))
    }

    /// Takes in somebody who has answered, and whom the caller is to talk to while the flow goes on.
    pub(super) fn admit(&mut self, leg: Leg, agent: Option<Arc<str>>) {
        self.seats(leg, Part::Joins, true, agent);
    }

    /// An agent whose phone rings, and who is to be one of three.
    pub(super) fn expect(&mut self, leg: Leg, agent: Arc<str>) {
        self.seats(leg, Part::Joins, false, Some(agent));
    }

    /// Whether no more legs may be in the call.
    pub(super) fn is_full(&self) -> bool {
        self.guests.len() >= LEGS_MAX
    }

    fn seats(&mut self, leg: Leg, part: Part, up: bool, agent: Option<Arc<str>>) -> u64 {
        self.numbered += 1;
        self.guests.push(Seat {
            number: self.numbered,
            part,
            leg,
            up,
            agent,
        });
        self.numbered
    }

    /// Seats the guests: each hears all; whom each is heard by is its part's. Who holds is away for a moment.
    pub(super) fn seat(&self, agent: Option<StreamId>) {
        let Some(room) = &self.room else { return };
        for seat in self.guests.iter().filter(|seat| seat.up) {
            if seat.leg.is_held() {
                seat.leg.stream.leave_room();
                continue;
            }
            let role = match (seat.part, agent) {
                (Part::Joins, _) => Role::Speaks,
                (Part::Whispers, Some(agent)) => Role::Whispers { to: agent },
                // There is nobody to whisper to.
                (Part::Listens, _) | (Part::Whispers, None) => Role::Listens,
            };
            seat.leg.stream.join(room, role);
        }
    }

    pub(super) fn end(&mut self) {
        for seat in self.guests.drain(..) {
            seat.leg.call.hang_up(HangUp::Normal);
        }
        self.room = None;
    }
}

impl Caller {
    pub(super) async fn grant(&mut self, wish: Wish) {
        match wish {
            Wish::Add(guest, reply) => {
                let added = self.invite(guest).await;
                let _ = reply.send(added);
            }
            Wish::Remove(number, reply) => {
                let _ = reply.send(self.dismiss(number));
            }
            Wish::Release(agent) => self.release(&agent),
            Wish::Stop => {}
        }
    }

    async fn invite(&mut self, guest: Guest) -> Result<u64, LineError> {
        if self.supervision.is_full() {
            return Err(LineError::TooMany(LEGS_MAX));
        }
        let hotline = self.release.hotline();
        let (to, trunk) = match &guest.party {
            Party::Agent(agent) => {
                let known = hotline.agents.get(agent.as_str());
                if !known.is_some_and(|known| known.supervisor || guest.part == Part::Joins) {
                    return Err(LineError::NoSupervisor(agent.clone()));
                }
                if !self.phone.sip().registered(agent) {
                    return Err(LineError::NoPhone(agent.clone()));
                }
                (Destination::Account(agent.clone()), None)
            }
            Party::Number(_) if guest.part != Part::Joins => return Err(LineError::Unsupervised),
            Party::Number(number) => {
                let from = match &self.from {
                    Source::Trunk { name } => Some(name.as_str()),
                    Source::Account { .. } => None,
                };
                switchboard::outside(hotline, from, number).ok_or(LineError::NoTrunk)?
            }
        };
        let codecs = config::codecs(hotline, trunk.as_deref());
        let from = (None, "supervision".to_owned());
        let leg = Leg::outgoing(
            &self.phone.place(),
            Some(&self.leg.stream),
            to,
            from,
            codecs,
            RING,
        )
        .await
        .map_err(|error| LineError::Failed(error.to_string()))?;
        Ok(self.supervision.seats(leg, guest.part, false, None))
    }

    fn dismiss(&mut self, number: u64) -> Result<(), LineError> {
        let mut guests = self.supervision.guests.iter();
        let at = guests
            .position(|seat| seat.number == number)
            .ok_or(LineError::NoSuchLeg(number))?;
        self.unseat(at);
        Ok(())
    }

    /// The phone of an agent whom the flow made one of three, and who has left.
    fn release(&mut self, agent: &str) {
        let mut guests = self.supervision.guests.iter();
        if let Some(at) = guests.position(|seat| seat.agent.as_deref() == Some(agent)) {
            self.unseat(at);
        }
    }

    /// Lets a guest go.
    fn unseat(&mut self, at: usize) {
        let seat = self.supervision.guests.remove(at);
        seat.leg.call.hang_up(HangUp::Normal);
        self.leave_room(&seat);
        self.guest_left();
    }

    pub(super) fn guest_does(&mut self, number: u64, event: &LegEvent) {
        let guests = &mut self.supervision.guests;
        let Some(at) = guests.iter().position(|seat| seat.number == number) else {
            return;
        };
        match event {
            LegEvent::Answered => {
                guests[at].up = true;
                tracing::info!(
                    contact = %self.contact,
                    part = guests[at].part.as_str(),
                    "somebody was brought into a call"
                );
                self.arrange();
            }
            LegEvent::Over | LegEvent::Failed { .. } => self.unseat(at),
            LegEvent::Held => self.arrange(),
            // Who was brought in does not tell the hotline whom to call.
            LegEvent::Refer { .. } => guests[at].leg.call.notify_referral(403),
            _ => {}
        }
    }

    /// Whoever stays hears as before.
    fn leave_room(&mut self, left: &Seat) {
        if let Some(agent) = &left.agent {
            // The desk may have let the agent go already, over the API.
            let _ = self
                .phone
                .node
                .contacts()
                .agent_does(agent, &self.contact, Deed::End);
        }
        left.leg.stream.leave_room();
        if self.supervision.is_empty() {
            self.leg.stream.leave_room();
            if let Some(other) = self.others.talking() {
                other.leave_room();
            }
            self.supervision.room = None;
        }
        self.arrange();
    }
}
