//! The task of one call: it owns the dialog, hears the phone's commands and the peer's messages, watches the
//! clocks, and ends in one place. A call has one task; what takes long (a re-INVITE, a REFER) runs beside it
//! and reports back, so that commands and messages are never held up.

mod ask;
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
use rsipstack::sip::{HasHeaders, Header, HeadersExt as _, Response, StatusCode, StatusCodeKind, Uri};
use rsipstack::transaction::transaction::{TransactionEvent, TransactionEventSender};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::call::{Command, DialogId, HangUp, Happened, Referred, Shared, Why};
use crate::desk::{Desk, SUPPORTED};
use crate::error::CallError;
use crate::limits::SESSION_SECONDS_MAX;
use crate::load::Place;
use crate::sdp::SessionDescription;
use crate::session::{Expires, Refresher, Timer};

/// How often it is looked whether an answer is acknowledged, after the call is over.
const ACK_LOOK: Duration = Duration::from_millis(20);

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

/// What an incoming call has besides.
pub(crate) struct Inbound {
    pub(crate) dialog: InviteDialog,
    pub(crate) states: DialogStateReceiver,
    pub(crate) respond: TransactionEventSender,
    pub(crate) offer: Option<SessionDescription>,
    pub(crate) timer: Option<(u32, Refresher, bool)>,
    pub(crate) peer_updates: bool,
    pub(crate) invite_key: String,
}

/// What an outgoing call has besides.
pub(crate) struct Outbound {
    pub(crate) attempts: VecDeque<InviteOption>,
    pub(crate) offer: SessionDescription,
    pub(crate) ring: Duration,
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
    pub(crate) fn incoming(parts: Parts, inbound: Inbound) -> Leg {
        let mut leg = Leg::new(parts, inbound.dialog, inbound.states);
        leg.until = Some(Instant::now() + crate::limits::RING_MAX);
        leg.respond = Some(inbound.respond);
        leg.answer_in_ack = inbound.offer.is_none();
        leg.remote = inbound.offer;
        leg.granted = inbound.timer;
        leg.peer_updates = inbound.peer_updates;
        leg.invite_key = Some(inbound.invite_key);
        // Before any answer names the dialog: the gate takes requests of known dialogs only.
        leg.note_dialog();
        leg
    }

    /// Sends the first INVITE.
    pub(crate) fn outgoing(parts: Parts, mut outbound: Outbound) -> Result<Leg, CallError> {
        let first = outbound.attempts.pop_front().ok_or(CallError::Destination)?;
        let stack = parts.desk.stack.get().ok_or(CallError::Stopping)?;
        let (sender, states) = stack.dialogs.new_dialog_state_channel();
        let (dialog, inviting) = stack
            .dialogs
            .do_invite_async(first.clone(), sender)
            .map_err(|_| CallError::Destination)?;
        let mut leg = Leg::new(parts, dialog, states);
        leg.inviting = Some(inviting);
        leg.attempts = outbound.attempts;
        leg.attempt = Some((first, false));
        leg.until = Some(Instant::now() + outbound.ring);
        leg.local = Some(outbound.offer);
        leg.note_dialog();
        Ok(leg)
    }

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

    /// CANCELs the INVITE under way; it runs on beside the task until its final answer.
    fn cancel(&mut self) {
        let dialog = self.dialog.clone();
        tokio::spawn(async move {
            if dialog.hangup().await.is_err() {
                tracing::debug!("a CANCEL was not answered");
            }
        });
    }

    /// Tells the phone at once and waits for the final answer without it: a 200 that crossed our CANCEL is
    /// ended by the stack, or here.
    fn over_soon(&mut self, status: u16) {
        self.tell(Happened::Failed {
            status,
            retry_after: None,
        });
        let window = self.desk.settings.t1 * 64;
        self.until = Some(Instant::now() + window + Duration::from_secs(1));
    }

    /// BYE once our answer is acknowledged, or will not be any more (RFC 3261 section 15); the call is over
    /// now.
    fn bye_when_acknowledged(&self, reason: HangUp) {
        let (dialog, t1) = (self.dialog.clone(), self.desk.settings.t1);
        tokio::spawn(async move {
            let acknowledged = async {
                while dialog.state().waiting_ack() {
                    tokio::time::sleep(ACK_LOOK).await;
                }
            };
            if tokio::time::timeout(t1 * 64, acknowledged).await.is_err() {
                tracing::debug!("an answer was not acknowledged");
            }
            if !dialog.state().is_terminated() {
                bye(&dialog, reason, t1).await;
            }
        });
    }

    /// BYE, beside the task: the call is over whether it is answered or not.
    fn bye(&self, reason: HangUp) {
        let (dialog, t1) = (self.dialog.clone(), self.desk.settings.t1);
        tokio::spawn(async move { bye(&dialog, reason, t1).await });
    }

    /// A final answer to an incoming INVITE, with headers.
    fn refuse(&mut self, status: u16, headers: Vec<Header>) {
        let (Some(respond), Some(stack)) = (&self.respond, self.desk.stack.get()) else {
            return;
        };
        let request = self.dialog.initial_request();
        let code = StatusCode::from(status);
        let mut response = stack.endpoint.make_response(&request, code.clone(), None);
        let tag = self.dialog.id().local_tag;
        for header in response.headers.iter_mut() {
            if let Header::To(to) = header
                && to.tag().is_ok_and(|tag| tag.is_none())
            {
                *to = to.clone().with_tag(tag.clone().into());
            }
        }
        response.headers.extend(headers);
        let _ = respond.send(TransactionEvent::Respond(response));
        // Only for the dialog's state: its own answer comes second and is not sent.
        let _ = self.dialog.reject(Some(code), None);
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

    fn waits(&self) -> bool {
        self.stage == Stage::Ringing && self.respond.is_some()
    }

    /// 200 to an incoming INVITE.
    fn answer(&mut self, answer: SessionDescription, reply: Reply<()>) {
        if !self.waits() {
            let _ = reply.send(Err(CallError::Over));
            return;
        }
        let mut headers = described(Desk::abilities());
        if let Some((seconds, refresher, peer_knows)) = self.granted {
            headers.extend(granted(seconds, refresher, peer_knows));
        }
        if self
            .dialog
            .accept(Some(headers), Some(answer.to_string().into_bytes()))
            .is_err()
        {
            let _ = reply.send(Err(CallError::Over));
            return;
        }
        self.stage = Stage::Answered;
        self.until = None;
        self.local = Some(answer);
        self.answering = Some(reply);
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

    fn progress(&mut self, response: &Response) {
        if self.ending {
            return;
        }
        match SessionDescription::parse(&response.body) {
            Ok(early) if !response.body.is_empty() => self.tell(Happened::Early(early)),
            _ if !self.rang && response.status_code.code() == 180 => {
                self.rang = true;
                self.tell(Happened::Ringing);
            }
            _ => {}
        }
    }

    /// The caller acknowledged: our answer, or a change.
    fn confirmed(&mut self) {
        if self.stage == Stage::Answered {
            self.stage = Stage::Up;
            let ours = |refresher| refresher == Refresher::Server;
            self.timer = self
                .granted
                .map(|(seconds, refresher, _)| Timer::new(seconds, ours(refresher), Instant::now()));
            if let Some(reply) = self.answering.take() {
                let _ = reply.send(Ok(()));
            }
            self.tell(Happened::Acknowledged);
        }
        if self.answer_in_ack && self.stage == Stage::Up {
            let Some(ack) = self.dialog.last_remote_ack() else {
                return;
            };
            self.answer_in_ack = false;
            match SessionDescription::parse(&ack.body) {
                Ok(answer) => {
                    self.remote = Some(answer.clone());
                    self.tell(Happened::Answered(answer));
                }
                Err(error) => {
                    tracing::debug!(call = self.shared.id, %error, "an acknowledgement brought no answer");
                    self.shared.end(HangUp::Failed);
                }
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

    /// The INVITE of an outgoing call came to its end.
    async fn invited(&mut self, result: Option<InviteAsyncResult>) {
        self.inviting = None;
        let response = match result {
            Some(Ok((_, response))) => response,
            Some(Err(_)) | None => None,
        };
        let good = response
            .as_ref()
            .filter(|response| response.status_code.kind() == StatusCodeKind::Successful)
            .cloned();
        if let Some(response) = good {
            self.answered(&response);
            return;
        }
        let status = response
            .as_ref()
            .map_or(503, |response| response.status_code.code());
        if self.ending {
            self.stage = Stage::Over;
            return;
        }
        if self.attempt_again(response.as_ref(), status) {
            return;
        }
        let retry_after = response.as_ref().and_then(retry_after);
        self.over(Happened::Failed { status, retry_after });
    }

    fn answered(&mut self, response: &Response) {
        // The peer may have left before its answer was looked at; what crossed our CANCEL the stack has ended.
        let left = self.dialog.state().is_terminated();
        if !left {
            self.note_dialog();
        }
        if self.ending {
            if !left {
                self.bye(self.shared.reason());
            }
            self.stage = Stage::Over;
            return;
        }
        self.stage = Stage::Up;
        self.until = None;
        self.peer_updates = allows_update(response);
        self.timer = Some(self.agreed_timer(response));
        match SessionDescription::parse(&response.body) {
            Ok(answer) => {
                self.remote = Some(answer.clone());
                self.tell(Happened::Answered(answer));
                if left {
                    self.over(Happened::HungUp { why: Why::Peer });
                }
            }
            Err(error) => {
                tracing::debug!(call = self.shared.id, %error, "an answer brought no usable session description");
                self.bye(HangUp::Failed);
                self.over(Happened::Failed {
                    status: 488,
                    retry_after: None,
                });
            }
        }
    }

    /// The timer that a 2xx to a request of ours sets: without a word of the peer we watch alone.
    fn agreed_timer(&self, response: &Response) -> Timer {
        let said = response
            .session_expires_header()
            .and_then(|header| Expires::parse(header.value()));
        let seconds = said.map_or(self.desk.settings.session_seconds, |said| said.seconds);
        let ours = said.is_none_or(|said| said.refresher != Some(Refresher::Server));
        Timer::new(
            seconds
                .min(SESSION_SECONDS_MAX)
                .max(self.desk.settings.session_seconds_min),
            ours,
            Instant::now(),
        )
    }

    /// Tries the INVITE again where that helps: with the longer session timer asked for, or at the account's
    /// next phone.
    fn attempt_again(&mut self, response: Option<&Response>, status: u16) -> bool {
        let longer = response.filter(|_| status == 422).and_then(min_se);
        let next = match (longer, self.attempt.take()) {
            (Some(seconds), Some((mut attempt, false))) => {
                attempt.headers = attempt.headers.map(|headers| with_timer(headers, seconds));
                Some((attempt, true))
            }
            _ if matches!(status, 408 | 430 | 480 | 502 | 503 | 504) => {
                self.attempts.pop_front().map(|attempt| (attempt, false))
            }
            _ => None,
        };
        let (Some((attempt, corrected)), Some(stack)) = (next, self.desk.stack.get()) else {
            return false;
        };
        let (sender, states) = stack.dialogs.new_dialog_state_channel();
        match stack.dialogs.do_invite_async(attempt.clone(), sender) {
            Ok((dialog, inviting)) => {
                self.dialog = dialog;
                self.states = states;
                self.inviting = Some(inviting);
                self.attempt = Some((attempt, corrected));
                self.note_dialog();
                true
            }
            Err(_) => false,
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

async fn invited(inviting: &mut Option<JoinHandle<InviteAsyncResult>>) -> Option<InviteAsyncResult> {
    match inviting {
        Some(handle) => handle.await.ok(),
        None => pending().await,
    }
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => pending().await,
    }
}

/// Headers with that of a session description.
fn described(mut headers: Vec<Header>) -> Vec<Header> {
    headers.push(Header::ContentType("application/sdp".into()));
    headers
}

/// The headers that grant a session timer in a 2xx of ours.
fn granted(seconds: u32, refresher: Refresher, peer_knows: bool) -> Vec<Header> {
    let who = match refresher {
        Refresher::Client => "uac",
        Refresher::Server => "uas",
    };
    let mut headers = vec![Header::SessionExpires(
        format!("{seconds};refresher={who}").into(),
    )];
    if refresher == Refresher::Client && peer_knows {
        headers.push(Header::Require("timer".into()));
    }
    headers
}

/// The headers that ask for a session timer, among others.
pub(crate) fn with_timer(mut headers: Vec<Header>, seconds: u32) -> Vec<Header> {
    headers.retain(|header| !matches!(header, Header::SessionExpires(_) | Header::MinSE(_)));
    headers.push(Header::SessionExpires(seconds.to_string().into()));
    headers.push(Header::MinSE(seconds.to_string().into()));
    headers
}

/// Whether a message says that its sender takes UPDATE.
pub(crate) fn allows_update(message: &impl HasHeaders) -> bool {
    message.headers().iter().any(|header| {
        matches!(header, Header::Allow(_))
            && header
                .value()
                .split(',')
                .any(|method| method.trim().eq_ignore_ascii_case("UPDATE"))
    })
}

/// Whether a message says that its sender knows session timers.
pub(crate) fn knows_timer(message: &impl HasHeaders) -> bool {
    message.headers().iter().any(|header| {
        matches!(header, Header::Supported(_) | Header::Require(_))
            && header
                .value()
                .split(',')
                .any(|name| name.trim().eq_ignore_ascii_case("timer"))
    })
}

fn retry_after(response: &Response) -> Option<u32> {
    response.headers().iter().find_map(|header| match header {
        Header::RetryAfter(value) => value
            .value()
            .split([';', '(', ' '])
            .next()
            .and_then(|seconds| seconds.trim().parse().ok()),
        _ => None,
    })
}

fn min_se(response: &Response) -> Option<u32> {
    response.headers().iter().find_map(|header| match header {
        Header::MinSE(value) => value.value().split(';').next()?.trim().parse().ok(),
        _ => None,
    })
}

/// The headers of a request of ours inside a call.
fn inside(extra: Vec<Header>) -> Vec<Header> {
    let mut headers = vec![
        Header::Supported(SUPPORTED.into()),
        Header::Allow(crate::desk::ALLOW.into()),
    ];
    headers.extend(extra);
    headers
}
