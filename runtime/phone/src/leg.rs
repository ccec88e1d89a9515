//! One leg: a dialog and the sound that goes with it, kept in step. What the far end changes of the
//! session (hold, another address) is answered here.

use std::{
    collections::VecDeque,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use tokio::sync::mpsc;
use trunkline_media::{Heard, Latch, Media, OpenError, Recording, Remote, Stream};
use trunkline_sip::{
    Call, CallError, Destination, DialogId, HangUp, Happened, Incoming, Outgoing, SessionDescription, Sip,
    Why,
    sdp::{self, Agreed, Codec, Direction, NoCommonCodec, Ours},
};

use crate::presence::Occupied;

/// How long a far end that handed its call over has for its goodbye.
pub(crate) const GOODBYE_WITHIN: Duration = Duration::from_secs(5);

/// A leg of a call.
pub(crate) struct Leg {
    pub(crate) call: Call,
    pub(crate) stream: Stream,
    heard: mpsc::Receiver<Heard>,
    ours: Ours,
    agreed: Option<Agreed>,
    /// Where keys of this leg come from: a phone that sends them both ways presses them once.
    keys_from: Option<KeysFrom>,
    /// What has happened and was not told yet.
    untold: VecDeque<LegEvent>,
    /// The agent on whose phone it is counts as busy as long as it is there.
    occupied: Option<Occupied>,
    over: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum KeysFrom {
    Packets,
    Info,
}

/// What happens on a leg.
#[derive(Debug)]
pub(crate) enum LegEvent {
    /// It rings there.
    Ringing,
    /// Sound comes from there before the answer.
    Early,
    /// It was answered.
    Answered,
    /// It did not come about.
    Failed { status: u16 },
    /// A key was pressed.
    Key(char),
    /// What was played under a name is over: heard out, or stopped.
    Played { id: u64, complete: bool },
    /// News of the recording.
    Recording(Recording),
    /// Nothing has come for so many seconds.
    Silent { for_s: u64 },
    /// The far end put us on hold, or took us back: [`Leg::is_held`] says which.
    Held,
    /// The far end wants to be put in touch with somebody else.
    Refer { to: String, replaces: Option<DialogId> },
    /// The far end left, or is gone.
    Over,
}

impl LegEvent {
    /// Whether nothing happens after it.
    const fn is_last(&self) -> bool {
        matches!(self, Self::Over | Self::Failed { .. })
    }
}

/// A leg that cannot be there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LegError {
    #[error(transparent)]
    Media(#[from] OpenError),
    #[error(transparent)]
    NoCodec(#[from] NoCommonCodec),
    #[error(transparent)]
    Call(#[from] CallError),
}

/// Where this machine is, for legs.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) sip: Sip,
    pub(crate) media: Media,
    /// The address that sound is to be sent to.
    pub(crate) address: IpAddr,
}

impl Leg {
    /// The leg of a call that came in. Nothing is answered yet.
    ///
    /// # Errors
    /// There are no ports, or the caller speaks nothing that we do.
    pub(crate) fn incoming(
        place: &Place,
        incoming: &Incoming,
        codecs: Vec<Codec>,
    ) -> Result<(Self, SessionDescription), LegError> {
        let (stream, heard) = place.media.open(None)?;
        let mut ours = ours(place, &stream, codecs);
        let (description, agreed) = match &incoming.offer {
            Some(offer) => {
                ours.direction = Direction::SendReceive;
                let answer = sdp::negotiate(offer, &ours)?;
                (answer.description, Some(answer.agreed))
            }
            // The caller wants to hear what we speak first, and answers with the acknowledgement.
            None => (SessionDescription::offer(&ours), None),
        };
        let mut leg = Self {
            call: incoming.call.clone(),
            stream,
            heard,
            ours,
            agreed: None,
            keys_from: None,
            untold: VecDeque::new(),
            occupied: None,
            over: false,
        };
        if let Some(agreed) = agreed {
            leg.agree(agreed);
        }
        Ok((leg, description))
    }

    /// Calls out. What comes of it is told by [`next`](Self::next).
    ///
    /// # Errors
    /// There are no ports, or nobody to call.
    pub(crate) async fn outgoing(
        place: &Place,
        beside: Option<&Stream>,
        to: Destination,
        from: (Option<String>, String),
        codecs: Vec<Codec>,
        ring: Duration,
    ) -> Result<Self, LegError> {
        let (stream, heard) = place.media.open(beside)?;
        let ours = ours(place, &stream, codecs);
        let call = place
            .sip
            .call(Outgoing {
                to,
                from,
                offer: SessionDescription::offer(&ours),
                headers: Vec::new(),
                ring,
            })
            .await?;
        Ok(Self {
            call,
            stream,
            heard,
            ours,
            agreed: None,
            keys_from: None,
            untold: VecDeque::new(),
            occupied: None,
            over: false,
        })
    }

    /// The agent whose phone it is counts as busy as long as the leg is there.
    pub(crate) fn occupies(&mut self, agent: Occupied) {
        self.occupied = Some(agent);
    }

    /// The codec that is spoken, once it is agreed on.
    pub(crate) fn codec(&self) -> Option<Codec> {
        self.agreed.as_ref().map(|agreed| agreed.codec)
    }

    /// The next thing that happens; after [`LegEvent::Over`] or [`LegEvent::Failed`] nothing does.
    /// Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> LegEvent {
        loop {
            if let Some(event) = self.untold.pop_front() {
                self.over = event.is_last();
                return event;
            }
            if self.over {
                std::future::pending::<()>().await;
            }
            let event = tokio::select! {
                happened = self.call.events() => self.happened(happened),
                heard = self.heard.recv() => match heard {
                    Some(heard) => self.heard(heard),
                    // The workers are gone: so is the sound.
                    None => Some(LegEvent::Over),
                },
            };
            let Some(event) = event else { continue };
            if event.is_last() {
                // What was pressed before the goodbye counts.
                while let Ok(heard) = self.heard.try_recv() {
                    let heard = self.heard(heard);
                    self.untold.extend(heard);
                }
            }
            self.untold.push_back(event);
        }
    }

    /// Lets the far end say goodbye, and does so itself when that takes long.
    pub(crate) async fn take_leave(mut self) {
        let over = async { while !matches!(self.next().await, LegEvent::Over | LegEvent::Failed { .. }) {} };
        let _ = tokio::time::timeout(GOODBYE_WITHIN, over).await;
        self.call.hang_up(HangUp::Normal);
    }

    /// News of the recording, when the call itself is over. Dropping the future loses nothing.
    pub(crate) async fn news(&mut self) -> Recording {
        loop {
            match self.heard.recv().await {
                Some(Heard::Recording(news)) => return news,
                Some(_) => {}
                None => std::future::pending().await,
            }
        }
    }

    fn happened(&mut self, happened: Option<Happened>) -> Option<LegEvent> {
        match happened {
            None | Some(Happened::Cancelled | Happened::Lost) => Some(LegEvent::Over),
            Some(Happened::HungUp {
                why: Why::Peer | Why::Ours,
            }) => Some(LegEvent::Over),
            Some(Happened::Ringing) => Some(LegEvent::Ringing),
            Some(Happened::Early(description)) => {
                // An answer that cannot be used is told by the real one.
                let agreed = sdp::accept(&description, &self.ours).ok()?;
                self.agree(agreed);
                Some(LegEvent::Early)
            }
            Some(Happened::Answered(description)) => match sdp::accept(&description, &self.ours) {
                Ok(agreed) => {
                    self.agree(agreed);
                    Some(LegEvent::Answered)
                }
                Err(_) => {
                    tracing::info!(
                        call = self.call.id(),
                        "a leg answered with nothing that was offered, and is ended"
                    );
                    self.call.hang_up(HangUp::Failed);
                    Some(LegEvent::Failed { status: 488 })
                }
            },
            Some(Happened::Failed { status, .. }) => Some(LegEvent::Failed { status }),
            Some(Happened::Acknowledged) => None,
            Some(Happened::Offer(offer)) => self.offered(&offer),
            Some(Happened::Keys(keys)) => {
                let from = *self.keys_from.get_or_insert(KeysFrom::Info);
                if from == KeysFrom::Info {
                    self.untold.extend(keys.chars().map(LegEvent::Key));
                }
                None
            }
            Some(Happened::Refer { to, replaces }) => Some(LegEvent::Refer { to, replaces }),
        }
    }

    fn heard(&mut self, heard: Heard) -> Option<LegEvent> {
        match heard {
            Heard::Key { key, .. } => {
                let from = *self.keys_from.get_or_insert(KeysFrom::Packets);
                (from == KeysFrom::Packets).then_some(LegEvent::Key(key))
            }
            Heard::Played { id, complete } => Some(LegEvent::Played { id, complete }),
            Heard::Recording(news) => Some(LegEvent::Recording(news)),
            Heard::Silent { for_s } => Some(LegEvent::Silent { for_s }),
            Heard::KeyUp { .. } | Heard::Spoke | Heard::Quiet => None,
        }
    }

    /// Answers what the far end wants of the session now.
    fn offered(&mut self, offer: &SessionDescription) -> Option<LegEvent> {
        self.ours.version += 1;
        let before = self.is_held();
        match sdp::negotiate(offer, &self.ours) {
            Ok(answer) => {
                self.call.answer_offer(answer.description);
                self.agree(answer.agreed);
            }
            Err(_) => {
                self.call.refuse_offer(488);
                return None;
            }
        }
        let now = self.is_held();
        (before != now).then_some(LegEvent::Held)
    }

    /// Whether the far end hears nothing, since it put us on hold.
    pub(crate) fn is_held(&self) -> bool {
        self.agreed
            .as_ref()
            .is_some_and(|agreed| !agreed.direction.sends() || agreed.peer.ip().is_unspecified())
    }

    fn agree(&mut self, agreed: Agreed) {
        let held = agreed.peer.ip().is_unspecified();
        self.stream.connect(Remote {
            rtp: agreed.peer,
            rtcp: (!agreed.rtcp_mux).then_some(agreed.peer_rtcp),
            codec: match agreed.codec {
                Codec::Pcma => trunkline_media::Codec::Pcma,
                Codec::Pcmu => trunkline_media::Codec::Pcmu,
            },
            keys: agreed.keys,
            sends: agreed.direction.sends() && !held,
            receives: agreed.direction.receives(),
            only_from: Latch {
                // A phone behind a translator sends its sound from where it signals.
                allowed: self.call.peers().to_vec(),
            },
        });
        self.agreed = Some(agreed);
    }
}

fn ours(place: &Place, stream: &Stream, codecs: Vec<Codec>) -> Ours {
    Ours {
        session: u64::from(stream.port()),
        version: 1,
        address: SocketAddr::new(place.address, stream.port()),
        codecs,
        direction: Direction::SendReceive,
        rtcp_mux: true,
    }
}
