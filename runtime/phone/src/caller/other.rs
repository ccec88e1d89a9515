//! The leg to whom the caller talks, or is to talk: an agent's phone, or a number outside.
//!
//! It is there because the contact's session wants it, and is ended as soon as the session does not:
//! a caller who leaves while an agent's phone rings takes the ringing along. An agent may hand the
//! caller over: to a number (a blind transfer), or to whom the agent called meanwhile (an attended one).

mod hand_over;

use std::sync::Arc;

use tokio::task::JoinHandle;
use trunkline_engine::{Session, service::TransferAnswer};
use trunkline_flow::{
    hotline::PutThrough,
    step::{TransferTo, Verb},
};
use trunkline_media::Stream;
use trunkline_node::Deed;
use trunkline_sip::{CallError, Destination, HangUp, Referred, Source};

use super::{
    Caller, Music,
    wanted::{Wanted, Whom, wanted},
};
use crate::{
    config,
    leg::{GOODBYE_WITHIN, Leg, LegError, LegEvent},
    limits::{DECLINED_PAUSE, NOT_CALLED_PAUSE},
    observe,
    presence::{self, Occupied},
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
    /// Where the present step transfers to, when that is written in the flow itself.
    written: Option<Arc<str>>,
}

/// Whom the session wants, and how far that has come.
struct Other {
    wanted: Wanted,
    state: Reach,
    /// Whether the agent handed the caller over, and somebody else is on the leg.
    handed_over: bool,
    /// Whether a number outside has left the caller to those who were brought in.
    left_to_guests: bool,
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

    /// Whether whom the caller talks to put the caller on hold.
    pub(super) fn holds(&self) -> bool {
        match self.main.as_ref().map(|main| &main.state) {
            Some(Reach::Up(leg)) => leg.is_held(),
            _ => false,
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
    pub(super) async fn connect(&mut self, session: &Session) {
        self.others.caller = session.caller.clone();
        self.others.written = match self.step(session).map(|step| &step.verb) {
            Some(Verb::Transfer(transfer)) => match &transfer.to {
                TransferTo::Address(to) | TransferTo::Hotline(to) => to.constant_text().map(Into::into),
                TransferTo::Agent(_) => None,
            },
            _ => None,
        };
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
        self.keep_ringing().await;
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
                left_to_guests: false,
            });
            return;
        }
        self.begin_to_call(wanted);
    }

    /// An agent who is to be one of three, and said so by another way than the phone that rings, has the leg all
    /// the same: the contact has gone on, and the phone rings until it is answered.
    async fn keep_ringing(&mut self) {
        let Some(main) = &mut self.others.main else {
            return;
        };
        let Whom::Agent(agent) = main.wanted.whom.clone() else {
            return;
        };
        if !main.wanted.joins || !presence::talks_to(&self.phone, &agent, &self.contact) {
            return;
        }
        let leg = match std::mem::replace(&mut main.state, Reach::Gone) {
            Reach::Ringing { leg, .. } => Ok(leg),
            // The phone may ring already; the call to it goes out without waiting for anybody.
            Reach::Calling(mut calling) => joined(&mut calling).await,
            other @ (Reach::Referring(_) | Reach::Up(_) | Reach::Gone) => {
                main.state = other;
                return;
            }
        };
        match leg {
            Ok(leg) => self.supervision.expect(leg, agent),
            Err(error) => {
                tracing::info!(contact = %self.contact, %agent, %error, "an agent who took a call has no phone for it");
                let _ = self
                    .phone
                    .node
                    .contacts()
                    .agent_does(&agent, &self.contact, Deed::End);
            }
        }
    }

    /// Where the caller's trunk is to connect the caller by itself, if it is one that does.
    fn referral(&self, wanted: &Wanted) -> Option<String> {
        let (Whom::Outside(party), Source::Trunk { name }, false) =
            (&wanted.whom, &self.from, wanted.talking || wanted.joins)
        else {
            return None;
        };
        let trunk = self.release.hotline().trunks.get(name.as_str())?;
        if trunk.put_through != PutThrough::Refer {
            return None;
        }
        if is_address(party) {
            return (self.others.written.as_ref() == Some(party)).then(|| party.to_string());
        }
        Some(format!("sip:{party}@{}", trunk.to.as_ref()?))
    }

    fn begin_to_call(&mut self, wanted: Wanted) {
        let calling = if wanted.joins && self.supervision.is_full() {
            Err("too-many")
        } else {
            self.call_out(&wanted.whom, wanted.ring)
        };
        let calling = match calling {
            Ok(calling) => calling,
            Err(why) => {
                metrics::counter!(observe::LEGS, "outcome" => why).increment(1);
                self.others.main = Some(Other {
                    wanted,
                    state: Reach::Gone,
                    handed_over: false,
                    left_to_guests: false,
                });
                if why == "no-phone" {
                    self.tell_failed(480);
                } else {
                    self.tell_failed(500);
                }
                return;
            }
        };
        self.others.main = Some(Other {
            wanted,
            state: Reach::Calling(calling),
            handed_over: false,
            left_to_guests: false,
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
            // What the flow itself names is called as it is; nothing that a plugin or a caller says is.
            Whom::Outside(party) if self.others.written.as_deref() == Some(&**party) && is_address(party) => {
                (Destination::Uri(party.to_string()), None)
            }
            Whom::Outside(party) => {
                let from = match &self.from {
                    Source::Trunk { name } => Some(name.as_str()),
                    Source::Account { .. } => None,
                };
                crate::switchboard::outside(hotline, from, party).ok_or("no-trunk")?
            }
        };
        // What the caller speaks comes first: then nothing has to be turned from one into the other.
        let codecs = config::codecs_after(hotline, trunk.as_deref(), self.leg.codec());
        let place = self.phone.place();
        let occupied = match whom {
            Whom::Agent(agent) => Occupied::new(&self.phone, agent),
            Whom::Outside(_) => None,
        };
        let caller = self.others.caller.as_deref().unwrap_or("anonymous");
        let from = (None, caller.to_owned());
        // Both streams are on one worker only when the younger was opened for it; a bridge moves it there.
        Ok(tokio::spawn(async move {
            let mut leg = Leg::outgoing(&place, None, to, from, codecs, ring).await?;
            if let Some(occupied) = occupied {
                leg.occupies(occupied);
            }
            Ok(leg)
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
            LegEvent::Held => true,
            LegEvent::Ringing
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
        if main.wanted.joins {
            // The contact goes on with its next step, in which it wants nobody, or somebody else.
            let agent = match &main.wanted.whom {
                Whom::Agent(agent) => Some(agent.clone()),
                Whom::Outside(_) => None,
            };
            self.supervision.admit(leg, agent);
            return true;
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
            // An agent who took the call by another way, and whose phone cannot be reached, talks to nobody.
            Whom::Agent(agent) if main.wanted.talking => {
                tracing::info!(contact = %self.contact, %agent, status, "an agent who took a call has no phone for it");
                if contacts.agent_does(agent, &self.contact, Deed::End).is_err() {
                    contacts.other_leaves(&self.contact);
                }
            }
            Whom::Agent(agent) => {
                tracing::info!(contact = %self.contact, %agent, status, "an agent's phone did not take a call");
                let _ = match status {
                    // Nobody is there: the agent counts as away, and the caller is offered to another.
                    404 | 408 | 410 | 480 | 487 => contacts.agent_is(agent, false),
                    486 | 600 | 603 => {
                        contacts.agent_does(agent, &self.contact, Deed::Decline(DECLINED_PAUSE))
                    }
                    // What is wrong is not the agent.
                    _ => contacts.agent_does(agent, &self.contact, Deed::Decline(NOT_CALLED_PAUSE)),
                };
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
        let stays_with_others = self.others.next.is_some() || self.supervision.has_joined();
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
            Whom::Agent(agent) if stays_with_others && !main.handed_over => {
                // The agent leaves the caller to somebody who is being called, or is there already.
                main.handed_over = contacts.agent_does(agent, &self.contact, Deed::HandOver).is_ok();
            }
            Whom::Agent(_) if stays_with_others => {}
            Whom::Outside(_) if stays_with_others => main.left_to_guests = true,
            _ if main.handed_over => contacts.other_leaves(&self.contact),
            Whom::Agent(agent) => {
                if contacts.agent_does(agent, &self.contact, Deed::End).is_err() {
                    contacts.other_leaves(&self.contact);
                }
            }
            Whom::Outside(_) => {
                let _ = contacts.party(&self.contact, TransferAnswer::OtherLegEnded);
            }
        }
        true
    }

    /// Somebody who was brought in has left: with the last of them the talk is over, if nobody else is
    /// there.
    pub(super) fn guest_left(&mut self) {
        if self.others.next.is_some() || self.supervision.has_joined() {
            return;
        }
        let contacts = self.phone.node.contacts();
        match &mut self.others.main {
            Some(main) if !matches!(main.state, Reach::Gone) => {}
            Some(main) if main.handed_over => contacts.other_leaves(&self.contact),
            Some(main) if main.left_to_guests => {
                main.left_to_guests = false;
                let _ = contacts.party(&self.contact, TransferAnswer::OtherLegEnded);
            }
            Some(_) | None => {}
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
        if self.others.holds() {
            self.leg.stream.unbridge();
            self.play_music(Some(Music::Hold));
        } else if self.others.talking().is_some() {
            // Who answers is not spoken over.
            self.says.barge_in(&self.leg.stream);
            self.play_music(None);
        } else if self.supervision.holds() && self.music.is_none() {
            self.play_music(Some(Music::Hold));
        } else if !self.supervision.holds() && self.music == Some(Music::Hold) {
            self.play_music(None);
        }
    }
}

/// Whether a text is an address rather than a number.
fn is_address(party: &str) -> bool {
    let lower = party.to_ascii_lowercase();
    lower.starts_with("sip:") || lower.starts_with("sips:")
}

/// What a status means for whoever counts.
const fn outcome(status: u16) -> &'static str {
    match status {
        486 | 600 | 603 => "busy",
        408 | 480 | 487 => "no-answer",
        _ => "failed",
    }
}
