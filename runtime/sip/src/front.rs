//! The front desk: takes the requests that the gate let through, finds out who brings them, and makes calls
//! of them or passes them to theirs.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rsipstack::dialog::DialogId as StackDialogId;
use rsipstack::dialog::dialog::Dialog;
use rsipstack::dialog::invite_dialog::InviteDialog;
use rsipstack::sip::{HasHeaders as _, Header, HeadersExt as _, Method, Request, StatusCode, StatusCodeKind};
use rsipstack::transaction::TransactionReceiver;
use rsipstack::transaction::key::TransactionRole;
use rsipstack::transaction::transaction::Transaction;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::call::{Arriving, DialogId, HangUp, Incoming, Source};
use crate::caller;
use crate::desk::{ALLOW, Desk, Login, count, credential};
use crate::digest::Verdict;
use crate::leg::{Inbound, Leg, allows_update, knows_timer, peer};
use crate::limits::{REQUESTS_MAX, RETRY_AFTER_SECONDS, SESSION_SECONDS_MAX};
use crate::registrar::{Change, Outcome, Wish};
use crate::session::{Expires, Granted, grant};
use crate::settings::{Caps, Config};
use crate::sip::{own_uri, parts};

/// How often it is looked whether what comes before a request inside a call was taken up.
const IN_TURN_LOOK: Duration = Duration::from_millis(10);
/// How long a request inside a call waits for that: until an answer of ours whose acknowledgement was lost is
/// sent again, after T1 of RFC 3261, and acknowledged.
const IN_TURN_WITHIN: Duration = Duration::from_secs(1);
/// How often bindings are looked through for those that ran out.
const SWEEP: Duration = Duration::from_secs(1);

/// Takes requests until the end.
pub(crate) async fn serve(desk: Arc<Desk>, mut incoming: TransactionReceiver, end: CancellationToken) {
    let room = Arc::new(Semaphore::new(REQUESTS_MAX));
    loop {
        let taken = tokio::select! {
            () = end.cancelled() => return,
            taken = incoming.recv() => taken,
        };
        let Some(mut transaction) = taken else { return };
        let Ok(permit) = Arc::clone(&room).try_acquire_owned() else {
            count(&desk.counters.dropped, "trunkline_sip_dropped_total");
            continue;
        };
        let desk = Arc::clone(&desk);
        // The stack would look into Via again, and cannot read there what it writes of an IPv6 address.
        transaction.destination = transaction
            .connection
            .as_ref()
            .and_then(|connection| connection.get_remote_addr().cloned());
        // A panic ends this request's task alone.
        tokio::spawn(async move {
            let inside = transaction
                .original
                .to_header()
                .and_then(rsipstack::sip::To::tag)
                .is_ok_and(|tag| tag.is_some());
            match transaction.original.method {
                _ if inside => self::inside(&desk, &mut transaction).await,
                Method::Register => register(&desk, &mut transaction).await,
                Method::Invite => {
                    // An INVITE lives as long as it rings; the calls are bounded elsewhere.
                    drop(permit);
                    invite(&desk, &mut transaction).await;
                }
                _ => {
                    answer(
                        &mut transaction,
                        StatusCode::MethodNotAllowed,
                        vec![Header::Allow(ALLOW.into())],
                    )
                    .await;
                }
            }
        });
    }
}

/// Tells of the accounts whose last binding ran out.
pub(crate) async fn sweep(desk: Arc<Desk>, end: CancellationToken) {
    loop {
        tokio::select! {
            () = end.cancelled() => return,
            () = tokio::time::sleep(SWEEP) => {}
        }
        desk.guesses.sweep(Instant::now());
        for account in desk.registrar.sweep(|_, _| true, Instant::now()) {
            desk.tell(Arriving::Unregistered { account }).await;
        }
    }
}

async fn answer(transaction: &mut Transaction, status: StatusCode, headers: Vec<Header>) {
    if transaction.reply_with(status, headers, None).await.is_err() {
        tracing::debug!("an answer could not be sent");
    }
}

async fn challenge(desk: &Desk, transaction: &mut Transaction, stale: bool) {
    let headers = desk
        .digester
        .challenge(stale)
        .into_iter()
        .map(|value| Header::WwwAuthenticate(value.into()));
    answer(transaction, StatusCode::Unauthorized, headers.collect()).await;
}

async fn busy(desk: &Desk, transaction: &mut Transaction) {
    count(&desk.counters.refused, "trunkline_sip_refused_total");
    let wait = Header::RetryAfter(RETRY_AFTER_SECONDS.to_string().into());
    answer(transaction, StatusCode::ServiceUnavailable, vec![wait]).await;
}

/// A request inside a dialog.
async fn inside(desk: &Desk, transaction: &mut Transaction) {
    let in_turn = match in_turn(desk, transaction).await {
        InTurn::Now(mut dialog) => dialog.handle(transaction).await.is_ok(),
        InTurn::TooEarly => false,
        InTurn::NoCall => {
            if transaction.original.method != Method::Ack {
                answer(transaction, StatusCode::CallTransactionDoesNotExist, Vec::new()).await;
            }
            return;
        }
    };
    let answered = transaction
        .last_response
        .as_ref()
        .is_some_and(|response| response.status_code.kind() != StatusCodeKind::Provisional);
    // What the stack takes silently (older CSeq, too early) still needs an answer.
    if !answered && !transaction.is_terminated() && transaction.original.method != Method::Ack {
        tracing::debug!(in_turn, "a request inside a call came out of order");
        let wait = vec![Header::RetryAfter("1".into())];
        answer(transaction, StatusCode::ServerInternalError, wait).await;
    }
}

/// Whether a request inside a call may be taken up.
enum InTurn {
    /// Now.
    Now(InviteDialog),
    /// What comes before it has not come.
    TooEarly,
    /// There is no such call, or no more.
    NoCall,
}

/// Waits for what comes before a request: the answer that makes the call known to the stack, and the
/// acknowledgement of ours. Each message has a task of its own, and of two that come one right after the other the
/// second may be first; an INVITE that overtook the acknowledgement the stack takes for the first one of the call,
/// and never answers.
async fn in_turn(desk: &Desk, transaction: &Transaction) -> InTurn {
    let request = &transaction.original;
    let (Some(stack), Some(call)) = (desk.stack.get(), desk.call_of_request(request)) else {
        return InTurn::NoCall;
    };
    // Who leaves waits for nobody.
    let _turn = match request.method {
        Method::Bye => None,
        _ => Some(call.turn.lock().await),
    };
    let until = Instant::now() + IN_TURN_WITHIN;
    loop {
        let found = stack.dialogs.match_dialog(transaction);
        let known = found.is_some();
        if let Some(Dialog::Invite(dialog)) = found {
            let state = dialog.state();
            if state.is_terminated() {
                return InTurn::NoCall;
            }
            // Who called may leave before the call is up.
            let leaves = request.method == Method::Bye && dialog.role() == TransactionRole::Server;
            if leaves || state.is_confirmed() {
                return InTurn::Now(dialog);
            }
        }
        if Instant::now() >= until {
            return if known { InTurn::TooEarly } else { InTurn::NoCall };
        }
        tokio::time::sleep(IN_TURN_LOOK).await;
    }
}

/// Checks the digest of a request.
fn login(desk: &Desk, config: &Config, request: &Request) -> Result<Login, bool> {
    let Some(header) = request.authorization_header() else {
        return Err(false);
    };
    let verdict = desk
        .digester
        .verify(header.value(), &request.method.to_string(), |user| {
            Desk::login(config, user).map(|(_, password)| password)
        });
    match verdict {
        Verdict::Known(user) => Desk::login(config, &user).map(|(login, _)| login).ok_or(false),
        Verdict::Stale => Err(true),
        Verdict::Wrong => {
            count(
                &desk.counters.wrong_passwords,
                "trunkline_sip_wrong_passwords_total",
            );
            Err(false)
        }
    }
}

async fn register(desk: &Desk, transaction: &mut Transaction) {
    let config = desk.config();
    let account = match login(desk, &config, &transaction.original) {
        Ok(Login::Account(account)) => account,
        Ok(Login::Trunk(_)) => return answer(transaction, StatusCode::Forbidden, Vec::new()).await,
        Err(stale) => return challenge(desk, transaction, stale).await,
    };
    let Some(wish) = wish(transaction) else {
        return answer(transaction, StatusCode::BadRequest, Vec::new()).await;
    };
    match desk.registrar.register(&account, &wish, Instant::now()) {
        Outcome::Bound { contacts, change } => {
            let headers = contacts
                .into_iter()
                .map(|(contact, seconds)| Header::Contact(format!("<{contact}>;expires={seconds}").into()));
            answer(transaction, StatusCode::OK, headers.collect()).await;
            match change {
                Some(Change::Registered) => desk.tell(Arriving::Registered { account }).await,
                Some(Change::Unregistered) => desk.tell(Arriving::Unregistered { account }).await,
                None => {}
            }
        }
        Outcome::TooBrief => {
            let least = Header::MinExpires(desk.registrar.seconds_min().to_string().into());
            answer(transaction, StatusCode::IntervalTooBrief, vec![least]).await;
        }
        Outcome::Malformed => answer(transaction, StatusCode::BadRequest, Vec::new()).await,
        Outcome::TooMany => answer(transaction, StatusCode::Forbidden, Vec::new()).await,
        Outcome::OutOfOrder => answer(transaction, StatusCode::ServerInternalError, Vec::new()).await,
    }
}

fn wish(transaction: &Transaction) -> Option<Wish> {
    let request = &transaction.original;
    let at = transaction.connection.as_ref()?.get_remote_addr()?.clone();
    let values: Vec<&str> = request
        .headers()
        .iter()
        .filter(|header| matches!(header, Header::Contact(_)))
        .map(|header| header.value().trim())
        .collect();
    let all = values.contains(&"*");
    let mut contacts = Vec::new();
    for value in values
        .into_iter()
        .filter(|value| *value != "*")
        .flat_map(crate::address::list)
    {
        let read = crate::address::name_addr(value)?;
        rsipstack::sip::Uri::try_from(read.uri).ok()?;
        let seconds = match crate::address::parameter(read.parameters, "expires") {
            Some(seconds) => Some(seconds.parse().ok()?),
            None => None,
        };
        contacts.push((read.uri.to_owned(), seconds));
    }
    let expires = match request.expires_header() {
        Some(header) => Some(header.value().trim().parse().ok()?),
        None => None,
    };
    let call = request.call_id_header().ok()?.value().to_owned();
    let sequence = request.cseq_header().ok()?.seq().ok()?;
    Some(Wish {
        contacts,
        all,
        expires,
        call,
        sequence,
        at,
    })
}

/// Who brings a call, with the caps of the trunk.
fn source(desk: &Desk, config: &Config, transaction: &Transaction) -> Result<(Source, Option<Caps>), bool> {
    let from = transaction
        .connection
        .as_ref()
        .and_then(|connection| connection.get_remote_addr());
    let trunk = from.and_then(|from| Desk::trunk_at(config, from));
    // A password says more than an address: a phone may be in a trunk's network.
    let login = match (login(desk, config, &transaction.original), trunk) {
        (Err(_), Some(trunk)) => {
            let name = trunk.name.clone();
            return Ok((Source::Trunk { name }, Some(trunk.caps)));
        }
        (login, _) => login?,
    };
    match login {
        Login::Account(name) => Ok((Source::Account { name }, None)),
        Login::Trunk(name) => {
            let caps = config
                .trunks
                .iter()
                .find(|trunk| trunk.name == name)
                .map(|trunk| trunk.caps);
            Ok((Source::Trunk { name }, caps))
        }
    }
}

async fn invite(desk: &Arc<Desk>, transaction: &mut Transaction) {
    let config = desk.config();
    let (from, caps) = match source(desk, &config, transaction) {
        Ok(found) => found,
        Err(stale) => {
            count(&desk.counters.refused, "trunkline_sip_refused_total");
            return challenge(desk, transaction, stale).await;
        }
    };
    // Those who draining waits for are brought to agents, and agents ring others: from the house calls go on.
    let drained = desk.draining.load(Ordering::Relaxed) && matches!(from, Source::Trunk { .. });
    if drained || desk.stopping.load(Ordering::Relaxed) {
        return busy(desk, transaction).await;
    }
    let trunk = match &from {
        Source::Trunk { name } => Some((name.as_str(), caps.unwrap_or_default())),
        Source::Account { .. } => None,
    };
    let Ok(place) = desk.load.take(desk.settings.calls_max, trunk) else {
        return busy(desk, transaction).await;
    };
    let Some(room) = desk.room() else {
        tracing::warn!("calls arrive faster than they are taken up; one is refused");
        return busy(desk, transaction).await;
    };
    let request = transaction.original.clone();
    let read = match Read::of(desk, &request) {
        Ok(read) => read,
        Err((status, header)) => {
            count(&desk.counters.refused, "trunkline_sip_refused_total");
            return answer(transaction, status, header.into_iter().collect()).await;
        }
    };
    let Some(stack) = desk.stack.get() else { return };
    let Some(key) = merge_key(&request).filter(|key| desk.note_invite(key)) else {
        return answer(transaction, StatusCode::LoopDetected, Vec::new()).await;
    };
    let wire = transaction
        .connection
        .as_ref()
        .map(rsipstack::transport::SipConnection::transport)
        .unwrap_or_default();
    let contact = desk.own_address(wire).map(|own| own_uri(&own, "trunkline"));
    // Some carriers ask for a password for what we send within their calls, too.
    let login = match &from {
        Source::Trunk { name } => config
            .trunks
            .iter()
            .find(|trunk| trunk.name == *name)
            .and_then(credential),
        Source::Account { .. } => None,
    };
    let (sender, states) = stack.dialogs.new_dialog_state_channel();
    let Ok(mut dialog) = stack
        .dialogs
        .get_or_create_server_invite(transaction, sender, login, contact)
    else {
        desk.forget_invite(&key);
        return answer(transaction, StatusCode::BadRequest, Vec::new()).await;
    };
    let peer = transaction
        .connection
        .as_ref()
        .and_then(|connection| connection.get_remote_addr()?.get_socketaddr().ok());
    let peers = peer.iter().map(std::net::SocketAddr::ip).collect();
    let (call, parts) = parts(desk, place, peers, matches!(from, Source::Account { .. }));
    let (called, to) = caller::called(&request);
    let incoming = Incoming {
        caller: caller::caller(&request, matches!(from, Source::Trunk { .. })),
        diverted: caller::diverted(&request),
        called,
        to,
        offer: read.offer.clone(),
        replaces: read.replaces,
        call,
        from,
    };
    let inbound = Inbound {
        dialog: dialog.clone(),
        states,
        respond: transaction.tu_sender.clone(),
        offer: read.offer,
        timer: Some(read.timer),
        peer_updates: allows_update(&request),
        invite_key: key,
    };
    let shared = Arc::clone(&parts.shared);
    let leg = Leg::incoming(parts, inbound);
    tokio::spawn(leg.run());
    count(&desk.counters.incoming, "trunkline_sip_calls_in_total");
    room.send(Arriving::Call(Box::new(incoming)));
    // Drives the INVITE until it is acknowledged or given up.
    if dialog.handle(transaction).await.is_err() {
        tracing::debug!("an INVITE did not come to its end");
        shared.end(HangUp::Failed);
    }
}

/// What an INVITE says, once it is known to be in order.
struct Read {
    offer: Option<crate::sdp::SessionDescription>,
    replaces: Option<DialogId>,
    timer: (u32, crate::session::Refresher, bool),
}

impl Read {
    fn of(desk: &Desk, request: &Request) -> Result<Read, (StatusCode, Option<Header>)> {
        let offer = peer::body(request).map_err(|(status, header)| (status, Some(header)))?;
        let replaces = match request.replaces_header() {
            None => None,
            Some(header) => {
                let dialog = caller::replaces(header.value()).ok_or((StatusCode::BadRequest, None))?;
                // RFC 3891 section 3: there must be such a call.
                if desk.call_of(&dialog).is_none() {
                    return Err((StatusCode::CallTransactionDoesNotExist, None));
                }
                Some(dialog)
            }
        };
        let settings = &desk.settings;
        let least = settings.session_seconds_min;
        let asked = request
            .session_expires_header()
            .and_then(|header| Expires::parse(header.value()));
        let most = SESSION_SECONDS_MAX.max(least);
        match grant(asked, knows_timer(request), least, settings.session_seconds, most) {
            Granted::TooSmall => {
                let header = Header::MinSE(least.to_string().into());
                Err((StatusCode::SessionIntervalTooSmall, Some(header)))
            }
            Granted::Grant {
                seconds,
                refresher,
                peer_knows,
            } => Ok(Read {
                offer,
                replaces,
                timer: (seconds, refresher, peer_knows),
            }),
        }
    }
}

/// What is the same in an INVITE that comes by two ways.
fn merge_key(request: &Request) -> Option<String> {
    let id = StackDialogId::try_from((request, TransactionRole::Server)).ok()?;
    let sequence = request.cseq_header().ok()?.seq().ok()?;
    Some(format!("{} {} {sequence}", id.call_id, id.remote_tag))
}
