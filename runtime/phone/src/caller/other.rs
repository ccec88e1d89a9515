//! The leg to whom the caller talks, or is to talk: an agent's phone, or a number outside.
//!
//! It is there because the contact's session wants it, and is ended as soon as the session does not:
//! a caller who leaves while an agent's phone rings takes the ringing along. An agent may hand the
//! caller over: to a number (a blind transfer), or to whom the agent called meanwhile (an attended one).

use std::sync::Arc;

use tokio::task::JoinHandle;
use trunkline_engine::{Session, service::TransferAnswer};
use trunkline_flow::hotline::PutThrough;
use trunkline_media::Stream;
use trunkline_node::Deed;
use trunkline_sip::{CallError, Destination, DialogId, HangUp, Referred, Source};

use super::{
    Caller, Music,
    wanted::{Wanted, Whom, wanted},
};
use crate::{
    config,
    leg::{GOODBYE_WITHIN, Leg, LegError, LegEvent},
    limits::RING_MAX,
    observe,
};

/// The legs besides the caller's that the flow, or an agent, brought in.
#[derive(Default)]
pub(super) struct Others {
    /// Whom the session wants.
    main: Option<Other>,
    /// To whom an agent is handing the caller over.
    next: Option<Next>,
    /// The caller's number, as whoever is called is to see it.
    caller: Option<Arc<str>>,
}

/// Whom the session wants, and how far that has come.
struct Other {
    wanted: Wanted,
    state: Reach,
    /// Whether the agent handed the caller over, and somebody else is on the leg.
    handed_over: bool,
}

enum Reach {
    /// The caller's trunk is asked to connect the caller by itself.
    Referring(JoinHandle<Result<Referred, CallError>>),
    /// It is being called.
    Calling(JoinHandle<Result<Leg, LegError>>),
    /// It rings there, or has sound before the answer.
    Ringing { leg: Leg, early: bool },
    /// They talk.
    Up(Leg),
    /// There is no leg: the agent answered without a phone, or the leg is gone and the contact is
    /// told.
    Gone,
}

/// Somebody who is called for an agent.
enum Next {
    Calling(JoinHandle<Result<Leg, LegError>>),
    Ringing(Box<Leg>),
}

/// What happens beside the caller's leg.
pub(super) enum Hand {
    /// The caller's trunk connected the caller, or did not.
    Referred(Result<Referred, CallError>),
    /// The call to whom is wanted went out, or did not.
    Called(Result<Leg, LegError>),
    /// Something happened there.
    Main(LegEvent),
    /// The call to whom the caller is handed over went out, or did not.
    NextCalled(Result<Leg, LegError>),
    /// Something happened there.
    Next(LegEvent),
}

impl Others {
    /// What happens next; pends while there is nobody. Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Hand {
        let main = async {
            match self.main.as_mut().map(|main| &mut main.state) {
                Some(Reach::Referring(referring)) => {
                    Hand::Referred(referring.await.unwrap_or(Err(CallError::Stopping)))
                }
                Some(Reach::Calling(calling)) => Hand::Called(joined(calling).await),
                Some(Reach::Ringing { leg, .. } | Reach::Up(leg)) => Hand::Main(leg.next().await),
                Some(Reach::Gone) | None => std::future::pending().await,
            }
        };
        let next = async {
            match &mut self.next {
                Some(Next::Calling(calling)) => Hand::NextCalled(joined(calling).await),
                Some(Next::Ringing(leg)) => Hand::Next(leg.next().await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            hand = main => hand,
            hand = next => hand,
        }
    }

    /// Ends all of them.
    pub(super) fn end(&mut self) {
        self.leave_next();
        if let Some(main) = self.main.take() {
            main.end();
        }
    }

    fn leave_next(&mut self) {
        match self.next.take() {
            Some(Next::Calling(calling)) => calling.abort(),
            Some(Next::Ringing(leg)) => leg.call.hang_up(HangUp::Normal),
            None => {}
        }
    }

    /// The stream of whom the caller talks to.
    pub(super) fn talking(&self) -> Option<&Stream> {
        match self.main.as_ref().map(|main| &main.state) {
            Some(Reach::Up(leg)) => Some(&leg.stream),
            _ => None,
        }
    }

    /// Whether it rings somewhere, and nothing of that is heard.
    pub(super) fn rings_unheard(&self) -> bool {
        let main = match self.main.as_ref().map(|main| &main.state) {
            Some(Reach::Calling(_) | Reach::Ringing { early: false, .. }) => true,
            Some(Reach::Referring(_) | Reach::Ringing { early: true, .. } | Reach::Up(_) | Reach::Gone)
            | None => false,
        };
        main || self.next.is_some()
    }
}

impl Other {
    fn end(self) {
        match self.state {
            Reach::Referring(referring) => referring.abort(),
            Reach::Calling(calling) => calling.abort(),
            Reach::Ringing { leg, .. } | Reach::Up(leg) => leg.call.hang_up(HangUp::Normal),
            Reach::Gone => {}
        }
    }
}

async fn joined(calling: &mut JoinHandle<Result<Leg, LegError>>) -> Result<Leg, LegError> {
    match calling.await {
        Ok(called) => called,
        Err(_) => Err(LegError::Call(CallError::Stopping)),
    }
}

impl Caller {
    /// Has a leg to whom the session wants, and to nobody else.
    pub(super) fn connect(&mut self, session: &Session) {
        self.others.caller = session.caller.clone();
        let wanted = wanted(session);
        let same = match (&self.others.main, &wanted) {
            (Some(main), Some(wanted)) => main.wanted.work == wanted.work && main.wanted.whom == wanted.whom,
            (None, None) => true,
            _ => false,
        };
        if same {
            if let (Some(main), Some(wanted)) = (&mut self.others.main, wanted) {
                main.wanted = wanted;
            }
            return;
        }
        let had = self.others.main.is_some();
        self.others.end();
        if had {
            self.arrange();
        }
        let Some(wanted) = wanted else { return };
        if let Some(to) = self.referral(&wanted) {
            let call = self.leg.call.clone();
            let referring = tokio::spawn(async move { call.refer(&to, None).await });
            self.others.main = Some(Other {
                wanted,
                state: Reach::Referring(referring),
                handed_over: false,
            });
            return;
        }
        self.begin_to_call(wanted);
    }

    /// Where the caller's trunk is to connect the caller by itself, if it is one that does.
    fn referral(&self, wanted: &Wanted) -> Option<String> {
        let (Whom::Outside(party), Source::Trunk { name }, false) =
            (&wanted.whom, &self.from, wanted.talking)
        else {
            return None;
        };
        let trunk = self.release.hotline().trunks.get(name.as_str())?;
        if trunk.put_through != PutThrough::Refer {
            return None;
        }
        if party.to_ascii_lowercase().starts_with("sip") {
            return Some(party.to_string());
        }
        Some(format!("sip:{party}@{}", trunk.to.as_ref()?))
    }

    fn begin_to_call(&mut self, wanted: Wanted) {
        let calling = match self.call_out(&wanted.whom, wanted.ring) {
            Ok(calling) => calling,
            Err(why) => {
                metrics::counter!(observe::LEGS, "outcome" => why).increment(1);
                self.others.main = Some(Other {
                    wanted,
                    state: Reach::Gone,
                    handed_over: false,
                });
                self.tell_failed(500);
                return;
            }
        };
        self.others.main = Some(Other {
            wanted,
            state: Reach::Calling(calling),
            handed_over: false,
        });
    }

    /// Begins to call somebody.
    fn call_out(
        &self,
        whom: &Whom,
        ring: std::time::Duration,
    ) -> Result<JoinHandle<Result<Leg, LegError>>, &'static str> {
        let hotline = self.release.hotline();
        let (to, trunk) = match whom {
            Whom::Agent(agent) if self.phone.sip().registered(agent) => {
                (Destination::Account(agent.to_string()), None)
            }
            Whom::Agent(_) => return Err("no-phone"),
            Whom::Outside(party) => {
                let from = match &self.from {
                    Source::Trunk { name } => Some(name.as_str()),
                    Source::Account { .. } => None,
                };
                crate::switchboard::outside(hotline, from, party).ok_or("no-trunk")?
            }
        };
        // What the caller speaks is offered alone: then nothing has to be turned from one into the other.
        let codecs = match self.leg.codec() {
            Some(codec) => vec![codec],
            None => config::codecs(hotline, trunk.as_deref()),
        };
        let place = self.phone.place();
        let caller = self.others.caller.as_deref().unwrap_or("anonymous");
        let from = (None, caller.to_owned());
        // Both streams are on one worker only when the younger was opened for it; a bridge moves it there.
        Ok(tokio::spawn(async move {
            Leg::outgoing(&place, None, to, from, codecs, ring).await
        }))
    }

    /// Acts upon something that happened beside the caller's leg; whether who hears whom may have changed.
    pub(super) async fn other_does(&mut self, hand: Hand) -> bool {
        match hand {
            Hand::Referred(came) => self.referred(came),
            Hand::Called(Ok(leg)) => {
                if let Some(main) = &mut self.others.main {
                    main.state = Reach::Ringing { leg, early: false };
                }
                false
            }
            Hand::Called(Err(error)) => {
                tracing::info!(contact = %self.contact, %error, "a leg could not be called");
                self.main_failed(503)
            }
            Hand::Main(event) => self.main_does(event).await,
            Hand::NextCalled(Ok(leg)) => {
                self.others.next = Some(Next::Ringing(Box::new(leg)));
                false
            }
            Hand::NextCalled(Err(error)) => {
                tracing::info!(contact = %self.contact, %error, "whom an agent named could not be called");
                self.next_failed(503)
            }
            Hand::Next(event) => self.next_does(event),
        }
    }

    /// The caller's trunk was asked to connect the caller.
    fn referred(&mut self, came: Result<Referred, CallError>) -> bool {
        let Some(main) = &mut self.others.main else {
            return false;
        };
        match came {
            Ok(Referred::Connected | Referred::Unknown) => {
                metrics::counter!(observe::LEGS, "outcome" => "referred").increment(1);
                main.state = Reach::Gone;
                let _ = self
                    .phone
                    .node
                    .contacts()
                    .party(&self.contact, TransferAnswer::Answered);
                // The caller's leg goes to the other side; a trunk that forgets to end it is helped.
                let call = self.leg.call.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(GOODBYE_WITHIN).await;
                    call.hang_up(HangUp::Normal);
                });
                false
            }
            Ok(Referred::Failed { status }) => self.main_failed(status),
            Err(error) => {
                tracing::info!(
                    contact = %self.contact,
                    %error,
                    "a trunk does not connect its caller by itself; the number is called from here"
                );
                let wanted = main.wanted.clone();
                self.begin_to_call(wanted);
                false
            }
        }
    }

    async fn main_does(&mut self, event: LegEvent) -> bool {
        match event {
            LegEvent::Early => {
                if let Some(Other {
                    wanted,
                    state: Reach::Ringing { early, .. },
                    ..
                }) = &mut self.others.main
                {
                    // What an agent's phone plays while it rings is not for callers.
                    *early = matches!(wanted.whom, Whom::Outside(_));
                    return *early;
                }
                false
            }
            LegEvent::Answered => self.main_answered(),
            LegEvent::Failed { status } => self.main_failed(status),
            LegEvent::Over => self.main_over(),
            LegEvent::Refer { to, replaces } => self.hand_over(&to, replaces).await,
            LegEvent::Held
            | LegEvent::Ringing
            | LegEvent::Key(_)
            | LegEvent::Played { .. }
            | LegEvent::Recording(_)
            | LegEvent::Silent { .. } => false,
        }
    }

    fn main_answered(&mut self) -> bool {
        let Some(main) = &mut self.others.main else {
            return false;
        };
        let Reach::Ringing { .. } = &main.state else {
            return false;
        };
        let Reach::Ringing { leg, .. } = std::mem::replace(&mut main.state, Reach::Gone) else {
            return false;
        };
        let contacts = self.phone.node.contacts();
        let taken = match &main.wanted.whom {
            _ if main.wanted.talking => true,
            Whom::Agent(agent) => contacts.agent_does(agent, &self.contact, Deed::Answer).is_ok(),
            Whom::Outside(_) => contacts.party(&self.contact, TransferAnswer::Answered).is_ok(),
        };
        metrics::counter!(observe::LEGS, "outcome" => if taken { "answered" } else { "late" }).increment(1);
        if !taken {
            // The caller went another way in the same moment.
            leg.call.hang_up(HangUp::Normal);
            return false;
        }
        main.state = Reach::Up(leg);
        true
    }

    fn main_failed(&mut self, status: u16) -> bool {
        metrics::counter!(observe::LEGS, "outcome" => outcome(status)).increment(1);
        if let Some(main) = &mut self.others.main {
            main.state = Reach::Gone;
        }
        self.tell_failed(status);
        true
    }

    /// Says that whom the contact wants could not be reached.
    fn tell_failed(&self, status: u16) {
        let Some(main) = &self.others.main else { return };
        let contacts = self.phone.node.contacts();
        match &main.wanted.whom {
            // An agent who answered without a phone goes on without.
            Whom::Agent(_) if main.wanted.talking => {}
            // Who does not take a call is away, and the caller is offered to another.
            Whom::Agent(agent) => {
                tracing::info!(contact = %self.contact, %agent, status, "an agent's phone did not take a call; the agent counts as away");
                let _ = contacts.agent_is(agent, false);
            }
            Whom::Outside(_) => {
                let came = match status {
                    486 | 600 | 603 => TransferAnswer::Busy,
                    408 | 480 | 487 => TransferAnswer::NoAnswer,
                    _ => TransferAnswer::Failed,
                };
                let _ = contacts.party(&self.contact, came);
            }
        }
    }

    fn main_over(&mut self) -> bool {
        self.others.leave_next();
        let Some(main) = &mut self.others.main else {
            return false;
        };
        let was_up = matches!(main.state, Reach::Up(_));
        main.state = Reach::Gone;
        if !was_up {
            self.tell_failed(480);
            return true;
        }
        let contacts = self.phone.node.contacts();
        match &main.wanted.whom {
            _ if main.handed_over => contacts.other_leaves(&self.contact),
            Whom::Agent(agent) => {
                let _ = contacts.agent_does(agent, &self.contact, Deed::End);
            }
            Whom::Outside(_) => {
                let _ = contacts.party(&self.contact, TransferAnswer::OtherLegEnded);
            }
        }
        true
    }

    /// Whoever the caller talks to names somebody else for the caller.
    async fn hand_over(&mut self, to: &str, replaces: Option<DialogId>) -> bool {
        let Some(Reach::Up(leg)) = self.others.main.as_ref().map(|main| &main.state) else {
            return false;
        };
        let call = leg.call.clone();
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
                self.play_music(Some(Music::RingBack));
            }
            Err(_) => call.notify_referral(480),
        }
        false
    }

    fn next_does(&mut self, event: LegEvent) -> bool {
        match event {
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
    fn next_failed(&mut self, status: u16) -> bool {
        self.others.leave_next();
        if let Some(Reach::Up(agent)) = self.others.main.as_ref().map(|main| &main.state) {
            agent.call.notify_referral(status);
        }
        self.play_music(None);
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
            // Its phone says goodbye by itself once it is told that the transfer went well.
            tokio::spawn(before.take_leave());
        }
    }

    /// Who hears whom: two by a bridge, more in a room.
    pub(super) fn arrange(&mut self) {
        let early = match self.others.main.as_ref().map(|main| &main.state) {
            Some(Reach::Ringing { leg, early: true }) => Some(&leg.stream),
            _ => None,
        };
        match (self.others.talking().or(early), self.supervision.is_empty()) {
            (Some(other), true) => {
                self.leg.stream.bridge(other);
            }
            (None, true) => self.leg.stream.unbridge(),
            (other, false) => {
                let room = self.supervision.room(self.phone.media());
                self.leg.stream.join(room, trunkline_media::Role::Speaks);
                if let Some(other) = other {
                    other.join(room, trunkline_media::Role::Speaks);
                }
                self.supervision.seat(other.map(Stream::id));
            }
        }
        if self.others.talking().is_some() {
            self.play_music(None);
        }
    }
}

/// What a status means for whoever counts.
const fn outcome(status: u16) -> &'static str {
    match status {
        486 | 600 | 603 => "busy",
        408 | 480 | 487 => "no-answer",
        _ => "failed",
    }
}
