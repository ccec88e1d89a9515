//! A call that goes out: its INVITE, tried where it may come to something, until the peer has answered or refused.

use std::collections::VecDeque;
use std::future::pending;
use std::time::Duration;

use rsipstack::dialog::invitation::{InviteAsyncResult, InviteOption};
use rsipstack::sip::{HeadersExt as _, Response, StatusCodeKind};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::headers::{allows_update, min_se, retry_after, with_timer};
use super::{Leg, Parts, Stage};
use crate::call::{HangUp, Happened, Why};
use crate::error::CallError;
use crate::limits::SESSION_SECONDS_MAX;
use crate::sdp::SessionDescription;
use crate::session::{Expires, Refresher, Timer};

/// What an outgoing call has besides.
pub(crate) struct Outbound {
    pub(crate) attempts: VecDeque<InviteOption>,
    pub(crate) offer: SessionDescription,
    pub(crate) ring: Duration,
}

impl Leg {
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

    pub(super) fn progress(&mut self, response: &Response) {
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

    /// The INVITE of an outgoing call came to its end.
    pub(super) async fn invited(&mut self, result: Option<InviteAsyncResult>) {
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

    pub(super) fn answered(&mut self, response: &Response) {
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
    pub(super) fn agreed_timer(&self, response: &Response) -> Timer {
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
    pub(super) fn attempt_again(&mut self, response: Option<&Response>, status: u16) -> bool {
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

    /// CANCELs the INVITE under way; it runs on beside the task until its final answer.
    pub(super) fn cancel(&mut self) {
        let dialog = self.dialog.clone();
        tokio::spawn(async move {
            if dialog.hangup().await.is_err() {
                tracing::debug!("a CANCEL was not answered");
            }
        });
    }

    /// Tells the phone at once and waits for the final answer without it: a 200 that crossed our CANCEL is
    /// ended by the stack, or here.
    pub(super) fn over_soon(&mut self, status: u16) {
        self.tell(Happened::Failed {
            status,
            retry_after: None,
        });
        let window = self.desk.settings.t1 * 64;
        self.until = Some(Instant::now() + window + Duration::from_secs(1));
    }
}

pub(super) async fn invited(
    inviting: &mut Option<JoinHandle<InviteAsyncResult>>,
) -> Option<InviteAsyncResult> {
    match inviting {
        Some(handle) => handle.await.ok(),
        None => pending().await,
    }
}
