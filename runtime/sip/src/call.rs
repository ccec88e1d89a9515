//! A call as the phone sees it: what arrives, what can be asked, what happens.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::error::CallError;
use crate::sdp::SessionDescription;

/// What comes in from outside.
#[derive(Debug)]
pub enum Arriving {
    /// A call.
    Call(Box<Incoming>),
    /// An account has its first phone.
    Registered {
        /// The account.
        account: String,
    },
    /// An account has lost its last phone.
    Unregistered {
        /// The account.
        account: String,
    },
}

/// Who brought a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A trunk.
    Trunk {
        /// Its name.
        name: String,
    },
    /// A phone.
    Account {
        /// Its name.
        name: String,
    },
}

/// Who calls.
#[derive(Clone, PartialEq, Eq)]
pub struct Caller {
    /// The number.
    pub number: String,
    /// The name shown, when there is one.
    pub display: Option<String>,
    /// Whether the trunk vouches for it (P-Asserted-Identity, or Remote-Party-ID that passed its screening).
    pub vouched: bool,
}

/// Never shows the number.
impl std::fmt::Debug for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Caller")
            .field("vouched", &self.vouched)
            .finish_non_exhaustive()
    }
}

/// A call that came in and waits for `ring`, `early`, `answer` or `refuse`.
pub struct Incoming {
    /// The call.
    pub call: Call,
    /// Who brought it.
    pub from: Source,
    /// The user part of the Request-URI: what was dialled as it reached us.
    pub called: String,
    /// The user part of the To header: what was dialled at first.
    pub to: String,
    /// Who calls; none when withheld or anonymous.
    pub caller: Option<Caller>,
    /// The numbers it was diverted from, the original one first.
    pub diverted: Vec<String>,
    /// The offer. None when the caller wants ours: answer with an offer, its answer comes as
    /// `Happened::Answered`.
    pub offer: Option<SessionDescription>,
    /// The call it is to take the place of (RFC 3891), as `Sip::call_of` finds it.
    pub replaces: Option<DialogId>,
}

/// Never shows a number.
impl std::fmt::Debug for Incoming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Incoming")
            .field("call", &self.call)
            .field("from", &self.from)
            .finish_non_exhaustive()
    }
}

/// Where an outgoing call goes.
#[derive(Clone, PartialEq, Eq)]
pub enum Destination {
    /// The phones of an account; the one registered last rings, the others are tried when it cannot be
    /// reached.
    Account(String),
    /// A number over a trunk.
    Trunk {
        /// The trunk.
        name: String,
        /// The number.
        number: String,
    },
    /// An address, such as where a REFER pointed.
    Uri(String),
}

/// A call to make.
#[derive(Clone)]
pub struct Outgoing {
    /// Where.
    pub to: Destination,
    /// Who calls: a name to show, and the user part of the From.
    pub from: (Option<String>, String),
    /// Our offer.
    pub offer: SessionDescription,
    /// Headers to add, such as `Replaces`, `Diversion` or `X-Contact`. Those that the stack writes itself are
    /// ignored.
    pub headers: Vec<(String, String)>,
    /// How long it may ring.
    pub ring: Duration,
}

/// Names a dialog at both ends, for `Replaces`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DialogId {
    /// The Call-ID.
    pub call: String,
    /// Our tag.
    pub local: String,
    /// The peer's tag.
    pub remote: String,
}

/// Why we end a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HangUp {
    /// It is done.
    #[default]
    Normal,
    /// Nobody answers: an incoming call that was not answered gets 480 instead of 487.
    Unavailable,
    /// Another phone took it.
    AnsweredElsewhere,
    /// Something failed here.
    Failed,
}

impl HangUp {
    /// The Reason header (RFC 3326).
    pub(crate) fn header(self) -> &'static str {
        match self {
            HangUp::Normal => "Q.850;cause=16",
            HangUp::Unavailable => "Q.850;cause=20",
            HangUp::AnsweredElsewhere => "SIP;cause=200;text=\"Call completed elsewhere\"",
            HangUp::Failed => "Q.850;cause=41",
        }
    }
}

/// Why a call that was up is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The peer hung up.
    Peer,
    /// We did.
    Ours,
}

/// How a transfer by REFER went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Referred {
    /// The peer reached the target.
    Connected,
    /// The peer did not reach it.
    Failed {
        /// The status it got.
        status: u16,
    },
    /// The peer took the transfer and then hung up or told no more.
    Unknown,
}

/// What happens to a call. After `Failed`, `Cancelled`, `HungUp` and `Lost` nothing more does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// The called phone rings.
    Ringing,
    /// It sends sound before it answers.
    Early(SessionDescription),
    /// It answered. Also the answer to an offer of ours that went out in a 200.
    Answered(SessionDescription),
    /// It did not come about.
    Failed {
        /// The status: 408 also when nobody spoke, 487 when we gave up.
        status: u16,
        /// What the peer told us to wait, in seconds.
        retry_after: Option<u32>,
    },
    /// The caller has seen our answer: the call is up.
    Acknowledged,
    /// The caller gave up before we answered.
    Cancelled,
    /// The peer changes the session: `answer_offer` or `refuse_offer`.
    Offer(SessionDescription),
    /// Keys by INFO: `0`-`9`, `*`, `#`, `A`-`D`.
    Keys(String),
    /// The peer wants the call transferred. It was accepted; tell how it goes with `notify_referral`.
    Refer {
        /// Where to, an address.
        to: String,
        /// The dialog to take the place of (attended transfer), as `Sip::call_of` finds it.
        replaces: Option<DialogId>,
    },
    /// The call is over.
    HungUp {
        /// Who hung up.
        why: Why,
    },
    /// The peer is gone: no acknowledgement, or no refresh of the session.
    Lost,
}

/// What is asked of a call's task.
#[derive(Debug)]
pub(crate) enum Command {
    Ring,
    Early(SessionDescription),
    Answer(SessionDescription, oneshot::Sender<Result<(), CallError>>),
    Refuse {
        status: u16,
        reason: String,
        retry_after: Option<u32>,
    },
    Offer(
        SessionDescription,
        oneshot::Sender<Result<SessionDescription, CallError>>,
    ),
    AnswerOffer(SessionDescription),
    RefuseOffer(u16),
    Refer {
        to: String,
        reply: oneshot::Sender<Result<Referred, CallError>>,
    },
    NotifyReferral(u16),
}

/// What the handles of a call share with its task.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) id: String,
    /// Set to hang up; a full queue of commands does not delay it.
    pub(crate) hang_up: CancellationToken,
    pub(crate) reason: Mutex<HangUp>,
    pub(crate) dialog: Mutex<Option<DialogId>>,
    /// Where the peer signals from, as far as it was known when the call began.
    peers: Vec<IpAddr>,
    /// Whether the peer is a phone of an account.
    pub(crate) phone: bool,
    /// Held by the request inside the call that waits for its turn; others wait in the order of their coming.
    pub(crate) turn: tokio::sync::Mutex<()>,
}

impl Shared {
    pub(crate) fn new(id: String, peers: Vec<IpAddr>, phone: bool) -> Arc<Shared> {
        Arc::new(Shared {
            id,
            hang_up: CancellationToken::new(),
            reason: Mutex::default(),
            dialog: Mutex::default(),
            peers,
            phone,
            turn: tokio::sync::Mutex::default(),
        })
    }

    pub(crate) fn peers(&self) -> &[IpAddr] {
        &self.peers
    }

    pub(crate) fn reason(&self) -> HangUp {
        *self.reason.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn end(&self, reason: HangUp) {
        *self.reason.lock().unwrap_or_else(PoisonError::into_inner) = reason;
        self.hang_up.cancel();
    }

    pub(crate) fn dialog(&self) -> Option<DialogId> {
        self.dialog.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_dialog(&self, dialog: DialogId) {
        *self.dialog.lock().unwrap_or_else(PoisonError::into_inner) = Some(dialog);
    }
}

/// A handle to a call. Clones command the same call; one of them reads `events`. When the last handle is
/// dropped the call is hung up.
#[derive(Clone)]
pub struct Call {
    shared: Arc<Shared>,
    commands: mpsc::Sender<Command>,
    events: Arc<tokio::sync::Mutex<mpsc::Receiver<Happened>>>,
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Call").field(&self.shared.id).finish()
    }
}

impl Call {
    pub(crate) fn new(
        shared: Arc<Shared>,
        commands: mpsc::Sender<Command>,
        events: mpsc::Receiver<Happened>,
    ) -> Call {
        Call {
            shared,
            commands,
            events: Arc::new(tokio::sync::Mutex::new(events)),
        }
    }

    /// Our name of the call; it says nothing about who calls.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.shared.id
    }

    /// The addresses that the peer may signal from: of a phone behind a translator that of the translator,
    /// from which its sound comes, too. None where a name is still to be looked up.
    #[must_use]
    pub fn peers(&self) -> &[IpAddr] {
        &self.shared.peers
    }

    /// The dialog, once there is one: what a `Replaces` names.
    #[must_use]
    pub fn dialog(&self) -> Option<DialogId> {
        self.shared.dialog().filter(|dialog| !dialog.remote.is_empty())
    }

    /// 180 Ringing.
    pub fn ring(&self) {
        self.send(Command::Ring);
    }

    /// 183 with a session description: sound before the answer.
    pub fn early(&self, answer: SessionDescription) {
        self.send(Command::Early(answer));
    }

    /// Answers. Resolves when the caller has acknowledged.
    ///
    /// # Errors
    /// `Over` when the caller was gone first, `NoAnswer` when the acknowledgement never came.
    pub async fn answer(&self, answer: SessionDescription) -> Result<(), CallError> {
        self.ask(|reply| Command::Answer(answer, reply)).await
    }

    /// Refuses an incoming call with a status from 300 to 699.
    pub fn refuse(&self, status: u16, reason: &str, retry_after: Option<u32>) {
        self.send(Command::Refuse {
            status,
            reason: reason.to_owned(),
            retry_after,
        });
    }

    /// Ends the call in the way its state asks for: BYE, CANCEL, or a refusal. Never fails, never waits.
    pub fn hang_up(&self, reason: HangUp) {
        self.shared.end(reason);
    }

    /// Changes the session: hold, resume, another address. Glare is tried again.
    ///
    /// # Errors
    /// When the peer refuses or says nothing, another offer is under way, or the call is not up.
    pub async fn offer(&self, offer: SessionDescription) -> Result<SessionDescription, CallError> {
        self.ask(|reply| Command::Offer(offer, reply)).await
    }

    /// Answers the peer's offer.
    pub fn answer_offer(&self, answer: SessionDescription) {
        self.send(Command::AnswerOffer(answer));
    }

    /// Refuses the peer's offer, with 488 as a rule; the session stays as it was.
    pub fn refuse_offer(&self, status: u16) {
        self.send(Command::RefuseOffer(status));
    }

    /// Transfers the peer to an address, or into the place of another call of ours (attended). Resolves when
    /// it told how that went.
    ///
    /// # Errors
    /// When the peer does not take transfers, or the call is not up.
    pub async fn refer(&self, to: &str, replaces: Option<&Call>) -> Result<Referred, CallError> {
        let to: String = to
            .chars()
            .filter(|c| !c.is_control() && !c.is_whitespace() && !['<', '>', '"'].contains(c))
            .collect();
        let to = match replaces {
            None => format!("<{to}>"),
            Some(other) => {
                let dialog = other.dialog().ok_or(CallError::Over)?;
                attended(&to, &dialog)
            }
        };
        self.ask(|reply| Command::Refer { to, reply }).await
    }

    /// Tells how a transfer that the peer asked for goes: 180, 200, 486, …
    pub fn notify_referral(&self, status: u16) {
        self.send(Command::NotifyReferral(status));
    }

    /// What happened next; none when the call is over and all was read. One reader at a time.
    pub async fn events(&mut self) -> Option<Happened> {
        self.events.lock().await.recv().await
    }

    fn send(&self, command: Command) {
        if self.commands.try_send(command).is_err() {
            tracing::debug!(
                call = self.id(),
                "a command came after the end of the call, or too many at once"
            );
        }
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T, CallError>>) -> Command,
    ) -> Result<T, CallError> {
        let (reply, answer) = oneshot::channel();
        self.commands
            .send(command(reply))
            .await
            .map_err(|_| CallError::Over)?;
        answer.await.map_err(|_| CallError::Over)?
    }
}

/// A Refer-To with `Replaces`: the tags are named as the transfer's target sees them, so ours is its remote
/// one.
fn attended(to: &str, dialog: &DialogId) -> String {
    let replaces = format!(
        "{};to-tag={};from-tag={}",
        dialog.call, dialog.remote, dialog.local
    );
    let mut escaped = String::with_capacity(replaces.len() + 16);
    for byte in replaces.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("<{}?Replaces={escaped}>", to.trim_matches(['<', '>']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attended_transfer_names_the_dialog_as_its_target_sees_it() {
        let dialog = DialogId {
            call: "a@b".to_owned(),
            local: "ours".to_owned(),
            remote: "theirs".to_owned(),
        };
        assert_eq!(
            attended("<sip:anna@192.0.2.1>", &dialog),
            "<sip:anna@192.0.2.1?Replaces=a%40b%3Bto-tag%3Dtheirs%3Bfrom-tag%3Dours>"
        );
    }

    #[test]
    fn what_is_logged_shows_no_number() {
        let caller = Caller {
            number: "0123".to_owned(),
            display: Some("Anna".to_owned()),
            vouched: true,
        };
        assert_eq!(format!("{caller:?}"), "Caller { vouched: true, .. }");
    }
}
