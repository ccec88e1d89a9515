//! An agent hands the caller over: to a number or another agent (a blind transfer), or to whom the agent called
//! meanwhile (an attended one).

use trunkline_node::Deed;
use trunkline_sip::{DialogId, HangUp};

use super::{Caller, Music, Next, Other, Reach, Whom};
use crate::{
    leg::{Leg, LegEvent},
    limits::RING_MAX,
};

impl Caller {
    /// Whoever the caller talks to names somebody else for the caller.
    pub(super) async fn hand_over(&mut self, to: &str, replaces: Option<DialogId>) -> bool {
        let Some(Other {
            wanted,
            state: Reach::Up(leg),
            handed_over,
            ..
        }) = &self.others.main
        else {
            return false;
        };
        let call = leg.call.clone();
        if *handed_over || !matches!(wanted.whom, Whom::Agent(_)) {
            // Only agents tell the hotline whom to call.
            call.notify_referral(403);
            return false;
        }
        if self.others.next.is_some() {
            call.notify_referral(491);
            return false;
        }
        if let Some(dialog) = replaces {
            // Whom the agent talked to meanwhile takes the agent's place.
            return match self.phone.switchboard.give_up(&dialog).await {
                Some(other) => {
                    call.notify_referral(200);
                    self.replace_main(other);
                    true
                }
                None => {
                    call.notify_referral(481);
                    false
                }
            };
        }
        let Some(whom) = crate::switchboard::whom(self.release.hotline(), to) else {
            call.notify_referral(404);
            return false;
        };
        let whom = match whom {
            crate::switchboard::Whom::Agent(agent) => Whom::Agent(agent),
            crate::switchboard::Whom::Outside(party) => Whom::Outside(party),
        };
        match self.call_out(&whom, RING_MAX) {
            Ok(calling) => {
                call.notify_referral(100);
                self.others.next = Some(Next::Calling(calling));
                // The caller hears that it rings, and not the silence of whom the agent left.
                self.leg.stream.unbridge();
                self.play_music(Some(Music::RingBack));
            }
            Err(_) => call.notify_referral(480),
        }
        false
    }

    pub(super) fn next_does(&mut self, event: LegEvent) -> bool {
        match event {
            LegEvent::Early => {
                if let Some(Next::Ringing(leg)) = &self.others.next {
                    self.leg.stream.bridge(&leg.stream);
                }
                self.play_music(None);
                false
            }
            LegEvent::Answered => {
                let Some(Next::Ringing(leg)) = self.others.next.take() else {
                    return false;
                };
                if let Some(Reach::Up(agent)) = self.others.main.as_ref().map(|main| &main.state) {
                    agent.call.notify_referral(200);
                }
                self.replace_main(*leg);
                true
            }
            LegEvent::Failed { status } => self.next_failed(status),
            LegEvent::Over => self.next_failed(480),
            _ => false,
        }
    }

    /// Whom the agent named is not reached: the caller goes on with the agent.
    pub(super) fn next_failed(&mut self, status: u16) -> bool {
        self.others.leave_next();
        self.play_music(None);
        match self.others.main.as_ref().map(|main| &main.state) {
            Some(Reach::Up(agent)) => agent.call.notify_referral(status),
            // The agent has left already.
            _ => self.guest_left(),
        }
        true
    }

    /// Somebody else takes the place of whom the caller talked to.
    fn replace_main(&mut self, leg: Leg) {
        self.play_music(None);
        let Some(main) = &mut self.others.main else {
            leg.call.hang_up(HangUp::Normal);
            return;
        };
        if let (Whom::Agent(agent), false) = (&main.wanted.whom, main.handed_over) {
            let contacts = self.phone.node.contacts();
            main.handed_over = contacts.agent_does(agent, &self.contact, Deed::HandOver).is_ok();
        }
        if let Reach::Up(before) = std::mem::replace(&mut main.state, Reach::Up(leg)) {
            before.stream.unbridge();
            before.stream.leave_room();
            // Its phone says goodbye by itself once it is told that the transfer went well.
            tokio::spawn(before.take_leave());
        }
    }
}
