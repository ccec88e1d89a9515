//! A call that came in: it is answered or refused, and up once the caller has acknowledged.

use std::time::Duration;

use rsipstack::dialog::dialog::DialogStateReceiver;
use rsipstack::dialog::invite_dialog::InviteDialog;
use rsipstack::sip::{Header, StatusCode};
use rsipstack::transaction::transaction::{TransactionEvent, TransactionEventSender};
use tokio::time::Instant;

use super::headers::{described, granted};
use super::{Leg, Parts, Reply, Stage, bye};
use crate::call::{HangUp, Happened};
use crate::desk::Desk;
use crate::error::CallError;
use crate::sdp::SessionDescription;
use crate::session::{Refresher, Timer};

/// How often it is looked whether an answer is acknowledged, after the call is over.
const ACK_LOOK: Duration = Duration::from_millis(20);

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

    pub(super) fn waits(&self) -> bool {
        self.stage == Stage::Ringing && self.respond.is_some()
    }

    /// 200 to an incoming INVITE.
    pub(super) fn answer(&mut self, answer: SessionDescription, reply: Reply<()>) {
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

    /// A final answer to an incoming INVITE, with headers.
    pub(super) fn refuse(&mut self, status: u16, headers: Vec<Header>) {
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

    /// The caller acknowledged: our answer, or a change.
    pub(super) fn confirmed(&mut self) {
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

    /// BYE once our answer is acknowledged, or will not be any more (RFC 3261 section 15); the call is over
    /// now.
    pub(super) fn bye_when_acknowledged(&self, reason: HangUp) {
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
}
