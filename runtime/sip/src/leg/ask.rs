//! What we ask of the peer inside a call: changes of the session, refreshes, transfers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rsipstack::dialog::dialog::Dialog;
use rsipstack::dialog::invite_dialog::InviteDialog;
use rsipstack::sip::{Header, HeadersExt as _, Method, Response, StatusCodeKind};
use rsipstack::transaction::key::TransactionRole;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::headers::{described, inside, min_se, with_timer};
use super::{Done, Leg, Reply, Stage};
use crate::call::{HangUp, Happened, Referred};
use crate::error::CallError;
use crate::limits::{GLARE_ATTEMPTS_MAX, REFERRAL_WAIT};
use crate::sdp::SessionDescription;
use crate::session::Timer;

/// Soon enough to try a refresh again before the session runs out.
const REFRESH_RETRY: Duration = Duration::from_secs(5);
/// Notes of a transfer's progress waiting to be sent.
const NOTES_MAX: usize = 8;

impl Leg {
    pub(super) fn offer(&mut self, offer: SessionDescription, reply: Reply<SessionDescription>) {
        if self.stage != Stage::Up {
            let _ = reply.send(Err(CallError::Over));
            return;
        }
        if self.offering || self.refreshing || self.offered.is_some() {
            let _ = reply.send(Err(CallError::Busy));
            return;
        }
        self.offering = true;
        let offer = offer.after(self.local.as_ref());
        let (dialog, done, in_flight) = (
            self.dialog.clone(),
            self.done.0.clone(),
            Arc::clone(&self.in_flight),
        );
        let headers = self.timed(described(inside(Vec::new())));
        tokio::spawn(async move {
            let result = reinvite(&dialog, &headers, &offer, &in_flight).await;
            let _ = done.send(Done::Offered { result, offer, reply }).await;
        });
    }

    /// Headers with the session timer that is in force.
    fn timed(&self, headers: Vec<Header>) -> Vec<Header> {
        let least = self.desk.settings.session_seconds_min;
        let seconds = self
            .timer
            .as_ref()
            .map_or(self.desk.settings.session_seconds, Timer::seconds);
        let mut headers = with_timer(headers, seconds.max(least));
        headers.retain(|header| !matches!(header, Header::MinSE(_)));
        headers.push(Header::MinSE(least.to_string().into()));
        headers
    }

    pub(super) fn offer_answered(
        &mut self,
        result: Result<Response, CallError>,
        offer: SessionDescription,
        reply: Reply<SessionDescription>,
    ) {
        self.offering = false;
        let response = match result {
            Ok(response) => response,
            Err(error) => {
                let gone = gone(&error);
                let _ = reply.send(Err(error));
                if gone {
                    self.lose();
                }
                return;
            }
        };
        self.retarget(&response);
        self.timer = Some(self.agreed_timer(&response));
        match SessionDescription::parse(&response.body) {
            Ok(answer) => {
                self.local = Some(offer);
                self.remote = Some(answer.clone());
                let _ = reply.send(Ok(answer));
            }
            Err(error) => {
                let _ = reply.send(Err(error.into()));
                self.bye(HangUp::Failed);
                self.over(Happened::Lost);
            }
        }
    }

    /// The peer may name another address in the answer to a re-INVITE or UPDATE (RFC 3261 12.2.1.2).
    fn retarget(&self, response: &Response) {
        if let Ok(contacts) = response.typed_contact_headers()
            && let Some(contact) = contacts.first()
        {
            let raw = response.contact_header().ok().cloned();
            Dialog::Invite(self.dialog.clone()).set_remote_target(contact.uri.clone(), raw);
        }
    }

    /// The peer is gone.
    pub(super) fn lose(&mut self) {
        self.bye(HangUp::Failed);
        self.over(Happened::Lost);
    }

    /// The session timer rang.
    pub(super) async fn session_due(&mut self) {
        let Some(timer) = self.timer else { return };
        if !timer.ours {
            tracing::debug!(call = self.shared.id, "the peer did not refresh the session");
            self.lose();
            return;
        }
        if self.offering || self.offered.is_some() {
            // That refreshes too.
            self.retry_refresh = Some(Instant::now() + REFRESH_RETRY);
            return;
        }
        self.retry_refresh = None;
        self.refreshing = true;
        let (dialog, done) = (self.dialog.clone(), self.done.0.clone());
        let (updates, local) = (self.peer_updates, self.local.clone());
        let in_flight = Arc::clone(&self.in_flight);
        let headers = self.timed(inside(Vec::new()));
        tokio::spawn(async move {
            let result = match (updates, local) {
                (false, Some(local)) => reinvite(&dialog, &described(headers), &local, &in_flight).await,
                _ => request(&dialog, Method::Update, headers, None).await,
            };
            let _ = done.send(Done::Refreshed(result)).await;
        });
    }

    pub(super) fn refreshed(&mut self, result: Result<Response, CallError>) {
        self.refreshing = false;
        match result {
            Ok(response) => {
                self.retarget(&response);
                self.timer = Some(self.agreed_timer(&response));
            }
            Err(error) if gone(&error) => {
                tracing::debug!(call = self.shared.id, "the session could not be refreshed");
                self.lose();
            }
            Err(CallError::Refused { status: 405 | 501 }) if self.peer_updates => {
                self.peer_updates = false;
                self.retry_refresh = Some(Instant::now());
            }
            // Until the session has run out it is tried again.
            Err(_) => {
                let left = self
                    .timer
                    .as_ref()
                    .map(|timer| timer.due() + Duration::from_secs((timer.seconds() / 2).into()));
                if left.is_some_and(|end| end <= Instant::now()) {
                    self.lose();
                } else {
                    self.retry_refresh = Some(Instant::now() + REFRESH_RETRY);
                }
            }
        }
    }

    pub(super) fn refer(&mut self, to: String, reply: Reply<Referred>) {
        if self.stage != Stage::Up {
            let _ = reply.send(Err(CallError::Over));
            return;
        }
        if self.referral.is_some() {
            let _ = reply.send(Err(CallError::Busy));
            return;
        }
        // Kept before it is sent: the last note may come together with the answer, or before it.
        self.referral = Some((reply, Instant::now() + REFERRAL_WAIT));
        let (dialog, done) = (self.dialog.clone(), self.done.0.clone());
        tokio::spawn(async move {
            let headers = inside(vec![Header::ReferTo(to.into())]);
            let result = request(&dialog, Method::Refer, headers, None).await.map(|_| ());
            let _ = done.send(Done::Referred(result)).await;
        });
    }

    /// One task sends the notes of a transfer in their order.
    pub(super) fn notify_referral(&mut self, status: u16) {
        if self.stage != Stage::Up {
            return;
        }
        let notes = self.notes.get_or_insert_with(|| {
            let (notes, mut waiting) = mpsc::channel(NOTES_MAX);
            let dialog = self.dialog.clone();
            tokio::spawn(async move {
                while let Some(status) = waiting.recv().await {
                    note(&dialog, status).await;
                    if status >= 200 {
                        return;
                    }
                }
            });
            notes
        });
        let _ = notes.try_send(status);
        if status >= 200 {
            self.notes = None;
        }
    }
}

async fn note(dialog: &InviteDialog, status: u16) {
    let code = rsipstack::sip::StatusCode::from(status);
    let state = if status >= 200 {
        "terminated;reason=noresource"
    } else {
        "active;expires=120"
    };
    let headers = vec![
        Header::Event("refer".into()),
        Header::SubscriptionState(state.into()),
        Header::ContentType("message/sipfrag;version=2.0".into()),
    ];
    let body = format!("SIP/2.0 {status} {}\r\n", code.text()).into_bytes();
    if request(dialog, Method::Notify, headers, Some(body))
        .await
        .is_err()
    {
        tracing::debug!("a note of a transfer was not taken");
    }
}

/// Whether an error means that the dialog is no more at the peer (RFC 3261 12.2.1.2).
fn gone(error: &CallError) -> bool {
    matches!(
        error,
        CallError::NoAnswer | CallError::Refused { status: 408 | 481 }
    )
}

async fn request(
    dialog: &InviteDialog,
    method: Method,
    headers: Vec<Header>,
    body: Option<Vec<u8>>,
) -> Result<Response, CallError> {
    match dialog.request(method, Some(headers), body).await {
        Ok(Some(response)) if response.status_code.kind() == StatusCodeKind::Successful => Ok(response),
        Ok(Some(response)) => Err(CallError::Refused {
            status: response.status_code.code(),
        }),
        Ok(None) | Err(_) => Err(CallError::NoAnswer),
    }
}

/// A re-INVITE. When both sides ask at once the one that made the call waits longer (RFC 3261 14.1); a
/// session timer that is too short is corrected once.
async fn reinvite(
    dialog: &InviteDialog,
    headers: &[Header],
    offer: &SessionDescription,
    in_flight: &AtomicBool,
) -> Result<Response, CallError> {
    let mut headers = headers.to_vec();
    let body = offer.to_string().into_bytes();
    for _ in 0..GLARE_ATTEMPTS_MAX {
        // Only while it is on its way is an offer of the peer refused; not while we wait to try again.
        in_flight.store(true, Ordering::Relaxed);
        let sent = dialog.reinvite(Some(headers.clone()), Some(body.clone())).await;
        in_flight.store(false, Ordering::Relaxed);
        let Ok(Some(response)) = sent else {
            return Err(CallError::NoAnswer);
        };
        match response.status_code.code() {
            200..300 => return Ok(response),
            491 => tokio::time::sleep(backoff(dialog.role())).await,
            422 => match min_se(&response) {
                Some(seconds) => headers = with_timer(headers, seconds),
                None => return Err(CallError::Refused { status: 422 }),
            },
            status => return Err(CallError::Refused { status }),
        }
    }
    Err(CallError::Refused { status: 491 })
}

fn backoff(role: TransactionRole) -> Duration {
    let mut random = [0; 2];
    // Without randomness the wait is the shortest.
    let _ = getrandom::fill(&mut random);
    let share = u64::from(u16::from_be_bytes(random));
    let (least, span) = match role {
        TransactionRole::Client => (2_100, 1_900),
        TransactionRole::Server => (0, 2_000),
    };
    Duration::from_millis(least + span * share / u64::from(u16::MAX))
}
