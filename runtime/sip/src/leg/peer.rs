//! What the peer asks inside a call: changes, keys by INFO, transfers and the notes of them.

use std::sync::atomic::Ordering;

use rsipstack::dialog::dialog::{Dialog, TransactionHandle};
use rsipstack::sip::{HasHeaders as _, Header, HeadersExt as _, Method, Request, StatusCode};
use tokio::time::Instant;

use super::headers::{described, granted, knows_timer};
use super::{Change, Leg, Offered, Stage};
use crate::call::{Happened, Referred};
use crate::caller;
use crate::desk::Desk;
use crate::limits::{KEYS_PER_INFO_MAX, OFFER_WAIT, SDP_BYTES_MAX};
use crate::sdp::SessionDescription;
use crate::session::{Expires, Granted, Refresher, Timer, grant};

impl Leg {
    /// A re-INVITE or an UPDATE.
    pub(super) async fn changed(&mut self, request: &Request, handle: TransactionHandle) {
        let refuse = |status, headers| handle.respond(status, Some(headers), None);
        let has_offer = !request.body.is_empty();
        let invite = request.method == Method::Invite;
        if self.stage == Stage::Over || self.ending {
            let _ = refuse(StatusCode::CallTransactionDoesNotExist, Vec::new()).await;
            return;
        }
        if self.stage != Stage::Up {
            // Our answer is not acknowledged yet (RFC 3311 5.2, RFC 3261 14.2).
            let _ = refuse(
                StatusCode::ServerInternalError,
                vec![Header::RetryAfter("1".into())],
            )
            .await;
            return;
        }
        if self.in_flight.load(Ordering::Relaxed) && (has_offer || invite) {
            let _ = refuse(StatusCode::RequestPending, Vec::new()).await;
            return;
        }
        if self.offered.is_some() && (has_offer || invite) {
            // RFC 3261 14.2: the one before is not answered yet.
            let _ = refuse(
                StatusCode::ServerInternalError,
                vec![Header::RetryAfter("2".into())],
            )
            .await;
            return;
        }
        let settings = &self.desk.settings;
        let least = settings.session_seconds_min;
        let asked = request
            .session_expires_header()
            .and_then(|header| Expires::parse(header.value()));
        let decided = grant(
            asked,
            knows_timer(request),
            least,
            settings.session_seconds,
            crate::limits::SESSION_SECONDS_MAX.max(least),
        );
        let Granted::Grant {
            seconds,
            refresher,
            peer_knows,
        } = decided
        else {
            let _ = refuse(
                StatusCode::SessionIntervalTooSmall,
                vec![Header::MinSE(least.to_string().into())],
            )
            .await;
            return;
        };
        let offer = match self.described_by(request) {
            Ok(offer) => offer,
            Err((status, header)) => {
                let _ = refuse(status, vec![header]).await;
                return;
            }
        };
        let target = request.typed_contact_headers().ok().and_then(|contacts| {
            let uri = contacts.first()?.uri.clone();
            Some((uri, request.contact_header().ok().cloned()))
        });
        let change = Change {
            target,
            timer: (seconds, refresher),
        };
        let mut headers = Desk::abilities();
        headers.extend(granted(seconds, refresher, peer_knows));
        match offer {
            Some(offer) if self.remote.as_ref() != Some(&offer) => {
                let until = Instant::now() + OFFER_WAIT;
                self.offered = Some(Offered {
                    handle,
                    headers,
                    offer: offer.clone(),
                    change,
                    until,
                });
                self.tell(Happened::Offer(offer));
            }
            // Nothing changed: a refresh.
            Some(_) => {
                self.change(change);
                let body = self.local.as_ref().map(|local| local.to_string().into_bytes());
                let _ = handle
                    .respond(StatusCode::OK, Some(described(headers)), body)
                    .await;
            }
            // The peer wants our offer; its answer comes with the acknowledgement.
            None if invite => {
                self.change(change);
                self.answer_in_ack = true;
                // Without an offer of its own a peer takes us off hold by ours.
                self.local = self
                    .local
                    .as_ref()
                    .map(|local| local.resumed(self.remote.as_ref()));
                let body = self.local.as_ref().map(|local| local.to_string().into_bytes());
                let _ = handle
                    .respond(StatusCode::OK, Some(described(headers)), body)
                    .await;
            }
            None => {
                self.change(change);
                let _ = handle.respond(StatusCode::OK, Some(headers), None).await;
            }
        }
    }

    fn change(&mut self, change: Change) {
        let Change {
            target,
            timer: (seconds, refresher),
        } = change;
        if let Some((uri, contact)) = target {
            Dialog::Invite(self.dialog.clone()).set_remote_target(uri, contact);
        }
        self.timer = Some(Timer::new(
            seconds,
            refresher == Refresher::Server,
            Instant::now(),
        ));
        self.retry_refresh = None;
    }

    /// The session description of a request; none when it has no body.
    fn described_by(&self, request: &Request) -> Result<Option<SessionDescription>, (StatusCode, Header)> {
        body(request)
    }

    pub(super) async fn answer_offer(&mut self, answer: SessionDescription) {
        let Some(Offered {
            handle,
            headers,
            offer,
            change,
            ..
        }) = self.offered.take()
        else {
            tracing::debug!(call = self.shared.id, "an answer came to no offer");
            return;
        };
        self.change(change);
        let answer = answer.after(self.local.as_ref());
        let body = answer.to_string().into_bytes();
        if handle
            .respond(StatusCode::OK, Some(described(headers)), Some(body))
            .await
            .is_ok()
        {
            self.local = Some(answer);
            self.remote = Some(offer);
        }
    }

    pub(super) async fn refuse_offer(&mut self, status: u16) {
        let Some(offered) = self.offered.take() else {
            return;
        };
        let status = if (400..700).contains(&status) { status } else { 488 };
        let _ = offered
            .handle
            .respond(StatusCode::from(status), Some(Desk::abilities()), None)
            .await;
    }

    pub(super) async fn info(&mut self, request: &Request, handle: TransactionHandle) {
        let kind = content_type(request).unwrap_or_default();
        let keys = match kind.as_str() {
            "" if request.body.is_empty() => Some(String::new()),
            "application/dtmf-relay" => Some(relayed(&request.body)),
            "application/dtmf" => Some(plain(&request.body)),
            _ => None,
        };
        let Some(keys) = keys else {
            let accept = vec![Header::Accept("application/dtmf-relay, application/dtmf".into())];
            let _ = handle
                .respond(StatusCode::UnsupportedMediaType, Some(accept), None)
                .await;
            return;
        };
        let _ = handle.respond(StatusCode::OK, None, None).await;
        if !keys.is_empty() && !self.ending {
            self.tell(Happened::Keys(keys));
        }
    }

    /// A note of how a transfer of ours goes.
    pub(super) async fn notified(&mut self, request: &Request, handle: TransactionHandle) {
        let Some((code, terminated)) = note(request) else {
            let _ = handle.respond(StatusCode::BadEvent, None, None).await;
            return;
        };
        let _ = handle.respond(StatusCode::OK, None, None).await;
        if (code >= 200 || terminated)
            && let Some((reply, _)) = self.referral.take()
        {
            let _ = reply.send(Ok(match code {
                200..300 => Referred::Connected,
                300.. => Referred::Failed { status: code },
                _ => Referred::Unknown,
            }));
        }
    }

    pub(super) async fn asked_to_refer(&mut self, request: &Request, handle: TransactionHandle) {
        let targets: Vec<&str> = request
            .headers()
            .iter()
            .filter(|header| matches!(header, Header::ReferTo(_)))
            .map(Header::value)
            .collect();
        let target = match targets[..] {
            [target] => caller::refer_to(target),
            _ => None,
        };
        let Some((to, replaces)) = target else {
            let _ = handle.respond(StatusCode::BadRequest, None, None).await;
            return;
        };
        if self.stage != Stage::Up || self.ending {
            let _ = handle
                .respond(StatusCode::CallTransactionDoesNotExist, None, None)
                .await;
            return;
        }
        let _ = handle.respond(StatusCode::Accepted, None, None).await;
        // RFC 3515 2.4.4: a first note at once.
        self.notify_referral(100);
        self.tell(Happened::Refer { to, replaces });
    }
}

/// The status that a note of a transfer tells (RFC 3515), and whether it is the last; none for other events.
fn note(request: &Request) -> Option<(u16, bool)> {
    let header = |name: &str| {
        request
            .headers()
            .iter()
            .find(|header| header.name().eq_ignore_ascii_case(name))
            .map(Header::value)
    };
    let event = header("Event")?.split(';').next()?.trim();
    if !event.eq_ignore_ascii_case("refer") {
        return None;
    }
    let terminated = header("Subscription-State")
        .is_some_and(|state| state.trim().to_ascii_lowercase().starts_with("terminated"));
    let text = String::from_utf8_lossy(&request.body);
    let status = text.strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()?;
    Some((status, terminated))
}

/// The media type of a body, in small letters and without parameters.
pub(crate) fn content_type(request: &Request) -> Option<String> {
    request.headers().iter().find_map(|header| match header {
        Header::ContentType(value) => value
            .value()
            .split(';')
            .next()
            .map(|kind| kind.trim().to_ascii_lowercase()),
        _ => None,
    })
}

/// The session description of a request: none without a body, the refusal when it cannot be used.
pub(crate) fn body(request: &Request) -> Result<Option<SessionDescription>, (StatusCode, Header)> {
    if request.body.is_empty() {
        return Ok(None);
    }
    let encoded = request.headers().iter().any(|header| {
        matches!(header, Header::ContentEncoding(_)) && !header.value().eq_ignore_ascii_case("identity")
    });
    if encoded || content_type(request).as_deref() != Some("application/sdp") {
        return Err((
            StatusCode::UnsupportedMediaType,
            Header::Accept("application/sdp".into()),
        ));
    }
    if request.body.len() > SDP_BYTES_MAX {
        return Err((
            StatusCode::RequestEntityTooLarge,
            warning("the session description is too long"),
        ));
    }
    match SessionDescription::parse(&request.body) {
        Ok(described) => Ok(Some(described)),
        Err(error) => Err((StatusCode::BadRequest, warning(&error.to_string()))),
    }
}

fn warning(why: &str) -> Header {
    Header::Warning(format!("399 trunkline \"{why}\"").into())
}

/// `Signal=5` of application/dtmf-relay.
fn relayed(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    text.lines()
        .filter_map(|line| line.split_once('='))
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("Signal"))
        .filter_map(|(_, value)| key(value.trim()))
        .take(KEYS_PER_INFO_MAX)
        .collect()
}

/// The body of application/dtmf.
fn plain(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    match key(text) {
        Some(key) => key.to_string(),
        None => text
            .chars()
            .filter_map(|c| key(&c.to_string()))
            .take(KEYS_PER_INFO_MAX)
            .collect(),
    }
}

/// A key by its sign, or by its number in RFC 4733.
fn key(text: &str) -> Option<char> {
    match text {
        "10" => Some('*'),
        "11" => Some('#'),
        "12" => Some('A'),
        "13" => Some('B'),
        "14" => Some('C'),
        "15" => Some('D'),
        _ => {
            let mut signs = text.chars();
            let sign = signs.next()?.to_ascii_uppercase();
            (signs.next().is_none() && "0123456789*#ABCD".contains(sign)).then_some(sign)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_both_ways() {
        assert_eq!(relayed(b"Signal=5\r\nDuration=160\r\n"), "5");
        assert_eq!(relayed(b"Signal= *\nDuration= 160"), "*");
        assert_eq!(relayed(b"Signal=11\r\n"), "#");
        assert_eq!(relayed(b"Duration=160"), "");
        assert_eq!(plain(b"d\r\n"), "D");
        assert_eq!(plain(b"10"), "*");
        assert_eq!(plain(b"x"), "");
        assert_eq!(plain(&[b'5'; 1_000]).len(), KEYS_PER_INFO_MAX);
    }
}
