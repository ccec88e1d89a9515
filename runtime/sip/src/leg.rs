//! The task of one call: it owns the dialog, hears the phone's commands and the peer's messages, watches the
//! clocks, and ends in one place. A call has one task; what takes long (a re-INVITE, a REFER) runs beside it
//! and reports back, so that commands and messages are never held up.

mod ask;
mod headers;
mod incoming;
mod outgoing;
pub(crate) mod peer;

use std::collections::VecDeque;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use rsipstack::dialog::dialog::{DialogState, DialogStateReceiver, TerminatedReason, TransactionHandle};
use rsipstack::dialog::invitation::{InviteAsyncResult, InviteOption};
use rsipstack::dialog::invite_dialog::InviteDialog;
use rsipstack::sip::headers::untyped::Contact;
use rsipstack::sip::{Header, Response, StatusCode, Uri};
use rsipstack::transaction::transaction::TransactionEventSender;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use self::headers::described;
pub(crate) use self::headers::{allows_update, knows_timer, with_timer};
pub(crate) use self::incoming::Inbound;
pub(crate) use self::outgoing::Outbound;
use self::outgoing::invited;
use crate::call::{Command, DialogId, HangUp, Happened, Referred, Shared, Why};
use crate::desk::Desk;
use crate::error::CallError;
use crate::load::Place;
use crate::sdp::SessionDescription;
use crate::session::{Refresher, Timer};

/// What runs beside the task reports this.
enum Done {
    /// A re-INVITE of ours.
    Offered {
        result: Result<Response, CallError>,
        offer: SessionDescription,
        reply: Reply<SessionDescription>,
    },
    /// A refresh of ours.
    Refreshed(Result<Response, CallError>),
    /// The answer to a REFER of ours.
    Referred(Result<(), CallError>),
}

type Reply<T> = oneshot::Sender<Result<T, CallError>>;

/// How a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Not answered.
    Ringing,
    /// Answered by us, not acknowledged.
    Answered,
    /// Up.
    Up,
    /// Over.
    Over,
}

/// An offer of the peer that waits for the phone's answer.
struct Offered {
    handle: TransactionHandle,
    headers: Vec<Header>,
    offer: SessionDescription,
    change: Change,
    until: Instant,
}

/// What a re-INVITE or UPDATE changes besides the session, once it is taken.
struct Change {
    /// Where the peer is from now on.
    target: Option<(Uri, Option<Contact>)>,
    timer: (u32, Refresher),
}

/// What a new call brings to its task.
pub(crate) struct Parts {
    pub(crate) desk: Arc<Desk>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) events: mpsc::Sender<Happened>,
    pub(crate) place: Place,
}

/// The task's state.
pub(crate) struct Leg {
    desk: Arc<Desk>,
    shared: Arc<Shared>,
    commands: mpsc::Receiver<Command>,
    events: mpsc::Sender<Happened>,
    dialog: InviteDialog,
    states: DialogStateReceiver,
    /// Answers the INVITE of an incoming call.
    respond: Option<TransactionEventSender>,
    /// The INVITE of an outgoing call under way, and those to try after it.
    inviting: Option<JoinHandle<InviteAsyncResult>>,
    attempts: VecDeque<InviteOption>,
    /// The attempt under way, and whether its session timer was corrected once.
    attempt: Option<(InviteOption, bool)>,
    stage: Stage,
    /// Set once the phone wants the call over.
    ending: bool,
    rang: bool,
    until: Option<Instant>,
    local: Option<SessionDescription>,
    remote: Option<SessionDescription>,
    /// The peer's answer to an offer of ours comes in its ACK.
    answer_in_ack: bool,
    answering: Option<Reply<()>>,
    offered: Option<Offered>,
    offering: bool,
    /// Whether a re-INVITE of ours is on its way just now.
    in_flight: Arc<AtomicBool>,
    granted: Option<(u32, Refresher, bool)>,
    timer: Option<Timer>,
    refreshing: bool,
    retry_refresh: Option<Instant>,
    peer_updates: bool,
    referral: Option<(Reply<Referred>, Instant)>,
    notes: Option<mpsc::Sender<u16>>,
    done: (mpsc::Sender<Done>, mpsc::Receiver<Done>),
    invite_key: Option<String>,
    _place: Place,
}

impl Leg {
    fn new(parts: Parts, dialog: InviteDialog, states: DialogStateReceiver) -> Leg {
        let Parts {
            desk,
            shared,
            commands,
            events,
            place,
        } = parts;
        desk.add(&shared);
        Leg {
            desk,
            shared,
            commands,
            events,
            dialog,
            states,
            respond: None,
            inviting: None,
            attempts: VecDeque::new(),
            attempt: None,
            stage: Stage::Ringing,
            ending: false,
            rang: false,
            until: None,
            local: None,
            remote: None,
            answer_in_ack: false,
            answering: None,
            offered: None,
            offering: false,
            in_flight: Arc::default(),
            granted: None,
            timer: None,
            refreshing: false,
            retry_refresh: None,
            peer_updates: false,
            referral: None,
            notes: None,
            done: mpsc::channel(8),
            invite_key: None,
            _place: place,
        }
    }

    pub(crate) async fn run(mut self) {
        while self.stage != Stage::Over {
            let due = self.due();
            let hang_up = self.shared.hang_up.clone();
            // Every arm may be dropped: channels keep what was not taken, and the INVITE under way runs in
            // its own task.
            tokio::select! {
                biased;
                Some(state) = self.states.recv() => self.state(state).await,
                result = invited(&mut self.inviting) => self.invited(result).await,
                () = hang_up.cancelled(), if !self.ending => self.hang_up(self.shared.reason()).await,
                command = self.commands.recv(), if !self.ending => match command {
                    Some(command) => self.command(command).await,
                    // The last handle is gone.
                    None => self.hang_up(HangUp::Normal).await,
                },
                Some(done) = self.done.1.recv() => self.done(done).await,
                () = sleep_until(due) => self.clock().await,
            }
        }
        self.close();
    }

    fn close(&mut self) {
        if let Some(stack) = self.desk.stack.get() {
            stack.dialogs.remove_dialog(&self.dialog.id());
        }
        if let Some(key) = self.invite_key.take() {
            self.desk.forget_invite(&key);
        }
        if let Some(inviting) = self.inviting.take() {
            inviting.abort();
        }
        self.desk.remove(&self.shared.id);
    }

    /// Tells the phone. A phone that does not read loses its call: nothing is kept for it without bound.
    fn tell(&mut self, happened: Happened) {
        let last = matches!(
            happened,
            Happened::Failed { .. } | Happened::Cancelled | Happened::HungUp { .. } | Happened::Lost
        );
        // One place is kept for the last event.
        if !last && self.events.capacity() <= 1 {
            if !self.events.is_closed() {
                tracing::warn!(
                    call = self.shared.id,
                    "a call's events are not read; it is hung up"
                );
                self.shared.end(HangUp::Failed);
            }
            return;
        }
        if self.events.try_send(happened).is_err() {
            tracing::trace!(call = self.shared.id, "nobody hears of this call any more");
        }
    }

    fn over(&mut self, happened: Happened) {
        if self.stage == Stage::Over {
            return;
        }
        self.stage = Stage::Over;
        if let Some((reply, _)) = self.referral.take() {
            let _ = reply.send(Ok(Referred::Unknown));
        }
        self.tell(happened);
    }

    fn note_dialog(&self) {
        let id = self.dialog.id();
        let dialog = DialogId {
            call: id.call_id,
            local: id.local_tag,
            remote: id.remote_tag,
        };
        self.desk.note_dialog(&self.shared, dialog);
    }

    /// When the next clock rings.
    fn due(&self) -> Option<Instant> {
        let refresh = if self.refreshing {
            None
        } else {
            self.retry_refresh.or_else(|| self.timer.as_ref().map(Timer::due))
        };
        let offered = self.offered.as_ref().map(|offered| offered.until);
        let referral = self.referral.as_ref().map(|(_, until)| *until);
        [self.until, refresh, offered, referral]
            .into_iter()
            .flatten()
            .min()
    }

    async fn clock(&mut self) {
        let now = Instant::now();
        if self.until.is_some_and(|until| until <= now) {
            self.until = None;
            match (self.stage, self.ending) {
                // The peer told nothing after our CANCEL.
                (Stage::Ringing, true) => self.stage = Stage::Over,
                (Stage::Ringing, false) if self.inviting.is_some() => {
                    self.ending = true;
                    self.cancel();
                    self.over_soon(408);
                }
                (Stage::Ringing, false) => self.hang_up(HangUp::Unavailable).await,
                (Stage::Answered | Stage::Up | Stage::Over, _) => {}
            }
            return;
        }
        if self.offered.as_ref().is_some_and(|offered| offered.until <= now) {
            self.refuse_offer(500).await;
        }
        if self.referral.as_ref().is_some_and(|(_, until)| *until <= now)
            && let Some((reply, _)) = self.referral.take()
        {
            let _ = reply.send(Ok(Referred::Unknown));
        }
        let due = self.retry_refresh.or_else(|| self.timer.as_ref().map(Timer::due));
        if !self.refreshing && due.is_some_and(|due| due <= now) {
            self.session_due().await;
        }
    }

    /// The phone wants the call over.
    async fn hang_up(&mut self, reason: HangUp) {
        self.ending = true;
        match self.stage {
            Stage::Up | Stage::Answered => {
                if let Some(reply) = self.answering.take() {
                    let _ = reply.send(Err(CallError::Over));
                }
                if self.stage == Stage::Answered {
                    self.bye_when_acknowledged(reason);
                } else {
                    self.bye(reason);
                }
                self.over(Happened::HungUp { why: Why::Ours });
            }
            Stage::Ringing if self.inviting.is_some() => {
                self.cancel();
                self.over_soon(487);
            }
            Stage::Ringing => {
                let status = if reason == HangUp::Unavailable { 480 } else { 487 };
                self.refuse(status, vec![Header::Reason(reason.header().into())]);
                self.over(Happened::Failed {
                    status,
                    retry_after: None,
                });
            }
            Stage::Over => {}
        }
    }

    /// BYE, beside the task: the call is over whether it is answered or not.
    fn bye(&self, reason: HangUp) {
        let (dialog, t1) = (self.dialog.clone(), self.desk.settings.t1);
        tokio::spawn(async move { bye(&dialog, reason, t1).await });
    }

    async fn command(&mut self, command: Command) {
        match command {
            Command::Ring if self.waits() => {
                let _ = self.dialog.ringing(Some(Desk::abilities()), None);
            }
            Command::Early(answer) if self.waits() => {
                let headers = described(Desk::abilities());
                let _ = self
                    .dialog
                    .ringing(Some(headers), Some(answer.to_string().into_bytes()));
            }
            Command::Answer(answer, reply) => self.answer(answer, reply),
            Command::Refuse {
                status,
                reason,
                retry_after,
            } if self.waits() => {
                let status = if (300..700).contains(&status) { status } else { 500 };
                let mut headers = Vec::new();
                let reason: String = reason
                    .chars()
                    .filter(|c| !c.is_control() && *c != '"')
                    .take(100)
                    .collect();
                if !reason.is_empty() {
                    headers.push(Header::Warning(format!("399 trunkline \"{reason}\"").into()));
                }
                headers.extend(retry_after.map(|seconds| Header::RetryAfter(seconds.to_string().into())));
                self.refuse(status, headers);
                self.over(Happened::Failed { status, retry_after });
            }
            Command::Offer(offer, reply) => self.offer(offer, reply),
            Command::AnswerOffer(answer) => self.answer_offer(answer).await,
            Command::RefuseOffer(status) => self.refuse_offer(status).await,
            Command::Refer { to, reply } => self.refer(to, reply),
            Command::NotifyReferral(status) => self.notify_referral(status),
            Command::Ring | Command::Early(_) | Command::Refuse { .. } => {
                tracing::debug!(
                    call = self.shared.id,
                    "a command came when the call was no longer waiting"
                );
            }
        }
    }

    /// What the stack says of the dialog.
    async fn state(&mut self, state: DialogState) {
        match state {
            DialogState::Calling(_) | DialogState::Trying(_) | DialogState::WaitAck(..) => {}
            DialogState::Early(_, response) if self.stage == Stage::Ringing && self.inviting.is_some() => {
                self.progress(&response);
            }
            DialogState::Early(..) => {}
            DialogState::Confirmed(..) => self.confirmed(),
            DialogState::Terminated(_, reason) => self.terminated(reason),
            DialogState::Updated(_, request, handle) => self.changed(&request, handle).await,
            DialogState::Info(_, request, handle) => self.info(&request, handle).await,
            DialogState::Notify(_, request, handle) => self.notified(&request, handle).await,
            DialogState::Refer(_, request, handle) => self.asked_to_refer(&request, handle).await,
            DialogState::Options(_, _, handle) => {
                let _ = handle
                    .respond(StatusCode::OK, Some(Desk::abilities()), None)
                    .await;
            }
            DialogState::Message(_, _, handle) | DialogState::Publish(_, _, handle) => {
                let _ = handle
                    .respond(StatusCode::MethodNotAllowed, Some(Desk::abilities()), None)
                    .await;
            }
        }
    }

    fn terminated(&mut self, reason: TerminatedReason) {
        // An outgoing call that is not up ends with the result of its INVITE.
        if self.stage == Stage::Over || self.inviting.is_some() {
            return;
        }
        let lost = matches!(reason, TerminatedReason::Timeout);
        if let Some(reply) = self.answering.take() {
            let _ = reply.send(Err(if lost {
                CallError::NoAnswer
            } else {
                CallError::Over
            }));
        }
        match (self.stage, reason) {
            (_, TerminatedReason::Timeout) => self.over(Happened::Lost),
            (Stage::Ringing, TerminatedReason::UacCancel) => self.over(Happened::Cancelled),
            (Stage::Ringing, _) => {
                // A BYE before the answer: the INVITE still needs one.
                self.refuse(487, Vec::new());
                self.over(Happened::Cancelled);
            }
            _ => self.over(Happened::HungUp { why: Why::Peer }),
        }
    }

    async fn done(&mut self, done: Done) {
        match done {
            Done::Offered { result, offer, reply } => self.offer_answered(result, offer, reply),
            Done::Refreshed(result) => self.refreshed(result),
            Done::Referred(result) => {
                if let Err(error) = result
                    && let Some((reply, _)) = self.referral.take()
                {
                    let _ = reply.send(Err(error));
                }
            }
        }
    }
}

async fn bye(dialog: &InviteDialog, reason: HangUp, t1: Duration) {
    let headers = vec![Header::Reason(reason.header().into())];
    let bound = t1 * 64 + Duration::from_secs(1);
    let sent = tokio::time::timeout(bound, dialog.bye_with_headers(Some(headers))).await;
    if !matches!(sent, Ok(Ok(()))) {
        tracing::debug!("a BYE was not answered");
    }
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => pending().await,
    }
}
