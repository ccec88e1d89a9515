//! The first look at every message, before the stack makes a transaction of it: what is malformed, from
//! nobody or from a scanner is answered here at once and forgotten, so that strangers cost no memory.
//!
//! Only requests of known calls, of trunks, and with a right password become transactions.
//!
//! Whatever the stack's parsing may do with hostile text is done here once inside `catch_unwind`: a panic
//! costs that message and no listener.

use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use rsipstack::sip::{
    HasHeaders as _, Header, HeadersExt as _, Method, Request, Response, Scheme, SipMessage,
};
use rsipstack::sip::{StatusCode, StatusCodeKind, ToTypedHeader as _, Version};
use rsipstack::transaction::endpoint::TransportEventInspector;
use rsipstack::transaction::key::{TransactionKey, TransactionRole};
use rsipstack::transport::{SipAddr, SipConnection, TransportEvent};
use tokio::time::Instant;

use crate::call::Arriving;
use crate::desk::{ALLOW, Desk, Login, count};
use crate::digest;
use crate::limits::{HEADER_BYTES_MAX, HEADERS_MAX, MESSAGE_BYTES_MAX, URI_BYTES_MAX};
use crate::nat;
use crate::settings::Config;

/// How long an answer may take to leave on a stream.
const SEND_WAIT: Duration = Duration::from_secs(5);
/// How programs that look for open exchanges call themselves.
const SCANNERS: [&str; 7] = [
    "friendly-scanner",
    "sipvicious",
    "sipcli",
    "sip-scan",
    "sundayddr",
    "vaxsipuseragent",
    "pplsip",
];
/// Extensions that a Require may name.
const KNOWN_EXTENSIONS: [&str; 2] = ["timer", "replaces"];

pub(crate) struct Gate(pub(crate) Arc<Desk>);

/// What is done with a message.
enum Verdict {
    Pass,
    Drop,
    Scanner,
    Malformed,
    Answer(StatusCode, Vec<Header>),
    /// Malformed, but whole enough to be told so.
    Blame(StatusCode, &'static str),
}

/// What a request's digest says.
enum Digest {
    /// It is who it says.
    Right,
    /// It has no digest, or a wrong or old one: the answer that asks for another.
    Ask(Verdict),
    /// It guesses.
    Guess,
}

#[async_trait::async_trait]
impl TransportEventInspector for Gate {
    async fn handle(&self, event: TransportEvent) -> Option<TransportEvent> {
        match event {
            TransportEvent::New(_) => Some(event),
            TransportEvent::Closed(ref connection) => {
                self.closed(connection);
                Some(event)
            }
            TransportEvent::Incoming(mut message, connection, from) => {
                let judged = catch_unwind(AssertUnwindSafe(|| self.judge(&message, &connection, &from)));
                let verdict = judged.unwrap_or_else(|_| {
                    tracing::warn!(peer = %from, "a message made the SIP stack panic; it is dropped");
                    Verdict::Malformed
                });
                if self.act(verdict, &message, &connection, &from) {
                    self.put_right(&mut message, &from);
                    return Some(TransportEvent::Incoming(message, connection, from));
                }
                None
            }
        }
    }
}

impl Gate {
    /// A stream closed: the phones on it cannot be reached any more.
    fn closed(&self, connection: &SipConnection) {
        let Some(at) = connection.get_remote_addr().cloned() else {
            return;
        };
        let desk = Arc::clone(&self.0);
        let gone = desk
            .registrar
            .sweep(|_, binding| binding.at != at, Instant::now());
        tokio::spawn(async move {
            for account in gone {
                desk.tell(Arriving::Unregistered { account }).await;
            }
        });
    }

    /// Does what was decided; true when the stack is to see the message.
    fn act(
        &self,
        verdict: Verdict,
        message: &SipMessage,
        connection: &SipConnection,
        from: &SipAddr,
    ) -> bool {
        let counters = &self.0.counters;
        match verdict {
            Verdict::Pass => return true,
            Verdict::Drop => count(&counters.dropped, "trunkline_sip_dropped_total"),
            Verdict::Scanner => count(&counters.scanners, "trunkline_sip_scanners_total"),
            Verdict::Malformed => {
                count(&counters.malformed, "trunkline_sip_malformed_total");
                tracing::debug!(peer = %from, "a malformed SIP message is dropped");
            }
            Verdict::Answer(status, headers) => {
                count(&counters.refused, "trunkline_sip_refused_total");
                self.answer(message, connection, from, status, headers);
            }
            Verdict::Blame(status, why) => {
                count(&counters.malformed, "trunkline_sip_malformed_total");
                tracing::debug!(peer = %from, status = status.code(), why, "a malformed SIP message is refused");
                let warning = Header::Warning(format!("399 trunkline \"{why}\"").into());
                self.answer(message, connection, from, status, vec![warning]);
            }
        }
        false
    }

    /// What a phone says of its address is replaced by where it is.
    fn put_right(&self, message: &mut SipMessage, from: &SipAddr) {
        let is_phones = match &*message {
            SipMessage::Request(request) if request.method == Method::Register => false,
            // Only a phone's INVITE with a right password has come to here.
            SipMessage::Request(request) if is_new(request) => {
                request.authorization_header().is_some_and(|header| {
                    let login =
                        digest::user(header.value()).and_then(|user| Desk::login(&self.0.config(), &user));
                    matches!(login, Some((Login::Account(_), _)))
                })
            }
            SipMessage::Response(response) if response.status_code.kind() == StatusCodeKind::Redirection => {
                false
            }
            other => {
                let Ok(call) = other.call_id_header().map(|call| call.value().to_owned()) else {
                    return;
                };
                self.0.calls_by(&call).iter().any(|shared| shared.phone)
            }
        };
        if is_phones {
            nat::put_right(message.headers_mut(), from);
        }
    }

    fn answer(
        &self,
        message: &SipMessage,
        connection: &SipConnection,
        from: &SipAddr,
        status: StatusCode,
        headers: Vec<Header>,
    ) {
        let SipMessage::Request(request) = message else {
            return;
        };
        if request.method == Method::Ack {
            return;
        }
        let built = catch_unwind(AssertUnwindSafe(|| self.response(request, status, headers)));
        let Ok(Some(response)) = built else { return };
        let Ok(permit) = Arc::clone(&self.0.answers).try_acquire_owned() else {
            count(&self.0.counters.dropped, "trunkline_sip_dropped_total");
            return;
        };
        let (connection, to) = (connection.clone(), from.clone());
        // Not awaited here: a peer that does not read must not hold up all others.
        tokio::spawn(async move {
            let destination = (!connection.is_reliable()).then_some(&to);
            let sent = tokio::time::timeout(SEND_WAIT, connection.send(response.into(), destination)).await;
            if !matches!(sent, Ok(Ok(()))) {
                tracing::debug!(peer = %to, "an answer could not be sent");
            }
            drop(permit);
        });
    }

    /// An answer that needs no transaction: the same request gets the same tag (RFC 3261 8.2.7).
    fn response(&self, request: &Request, status: StatusCode, headers: Vec<Header>) -> Option<Response> {
        let stack = self.0.stack.get()?;
        let mut response = stack.endpoint.make_response(request, status, None);
        let tag = self.0.digester.tag(&format!(
            "{}{}",
            request.call_id_header().ok()?.value(),
            request.via_header().ok()?.value()
        ));
        for header in response.headers.iter_mut() {
            if let Header::To(to) = header
                && to.tag().ok()?.is_none()
            {
                *to = to.clone().with_tag(tag.clone().into());
            }
        }
        response.headers.extend(headers);
        response.version = Version::V2;
        Some(response)
    }

    fn judge(&self, message: &SipMessage, connection: &SipConnection, from: &SipAddr) -> Verdict {
        let headers = message.headers();
        let too_long = headers
            .iter()
            .any(|header| header.value().len() > HEADER_BYTES_MAX);
        match message {
            SipMessage::Request(request) => {
                if headers.len() > HEADERS_MAX || too_long || request.body.len() > MESSAGE_BYTES_MAX {
                    return Verdict::Blame(StatusCode::MessageTooLarge, "the message is too large");
                }
                self.request(request, connection, from)
            }
            SipMessage::Response(response) => {
                if headers.len() > HEADERS_MAX || too_long {
                    return Verdict::Malformed;
                }
                self.reply(response, connection)
            }
        }
    }

    fn reply(&self, response: &Response, connection: &SipConnection) -> Verdict {
        let Ok(key) = TransactionKey::from_response(response, TransactionRole::Client) else {
            return Verdict::Malformed;
        };
        let Some(stack) = self.0.stack.get() else {
            return Verdict::Drop;
        };
        if response.to_header().and_then(rsipstack::sip::To::tag).is_err() {
            return Verdict::Malformed;
        }
        let kind = response.status_code.kind();
        if kind == StatusCodeKind::Successful
            && response.cseq_header().and_then(rsipstack::sip::CSeq::method) == Ok(Method::Invite)
            && !response
                .typed_contact_headers()
                .is_ok_and(|contacts| !contacts.is_empty())
        {
            return Verdict::Malformed;
        }
        // On a stream nothing is sent twice: what comes after the end of its transaction is not looked at, so
        // that the stack never writes to a stream from the one loop that all messages pass.
        let live = stack.endpoint.transactions.get(&key).is_some();
        if live || (!connection.is_reliable() && stack.endpoint.finished_transactions.get(&key).is_some()) {
            return Verdict::Pass;
        }
        Verdict::Drop
    }

    fn request(&self, request: &Request, connection: &SipConnection, from: &SipAddr) -> Verdict {
        if scans(request) {
            return Verdict::Scanner;
        }
        if let Err(verdict) = whole(request) {
            return verdict;
        }
        let Ok(key) = TransactionKey::from_request(request, TransactionRole::Server) else {
            return Verdict::Blame(StatusCode::BadRequest, "a header that must be there is not");
        };
        let Some(stack) = self.0.stack.get() else {
            return Verdict::Drop;
        };
        if stack.endpoint.transactions.get(&key).is_some() || request.method == Method::Ack {
            return Verdict::Pass;
        }
        if stack.endpoint.finished_transactions.get(&key).is_some() {
            // As in `reply`: on a stream the stack must not write from the loop.
            return match (connection.is_reliable(), request.method) {
                (false, _) => Verdict::Pass,
                (true, Method::Cancel) => Verdict::Answer(StatusCode::OK, Vec::new()),
                (true, _) => Verdict::Drop,
            };
        }
        if request.method == Method::Cancel {
            return Verdict::Answer(StatusCode::CallTransactionDoesNotExist, Vec::new());
        }
        if let Some(unknown) = unknown_extensions(request) {
            return Verdict::Answer(
                StatusCode::BadExtension,
                vec![Header::Unsupported(unknown.into())],
            );
        }
        if is_new(request) {
            self.outside(request, from)
        } else if self.0.call_of_request(request).is_some() {
            Verdict::Pass
        } else {
            Verdict::Answer(StatusCode::CallTransactionDoesNotExist, Vec::new())
        }
    }

    /// Looks at the digest of a request without taking its count; the front desk does that.
    fn digest(&self, config: &Config, request: &Request, from: &SipAddr, host: IpAddr) -> Digest {
        let challenge = |stale| {
            let headers = self
                .0
                .digester
                .challenge(stale)
                .into_iter()
                .map(|value| Header::WwwAuthenticate(value.into()));
            Digest::Ask(Verdict::Answer(StatusCode::Unauthorized, headers.collect()))
        };
        let Some(header) = request.authorization_header() else {
            return challenge(false);
        };
        let now = Instant::now();
        if !self.0.guesses.may(host, now) {
            // Whoever has a phone here is not shut out by what others behind the same address guess.
            let login = digest::user(header.value()).and_then(|user| Desk::login(config, &user));
            let at_home = match login {
                Some((Login::Account(account), _)) => self.0.registrar.is_of(&account, from),
                Some((Login::Trunk(_), _)) | None => false,
            };
            if !at_home {
                return Digest::Guess;
            }
        }
        let password = |user: &str| Desk::login(config, user).map(|(_, password)| password);
        let method = request.method.to_string();
        match self.0.digester.check(header.value(), &method, password) {
            digest::Verdict::Known(_) => Digest::Right,
            digest::Verdict::Stale => challenge(true),
            digest::Verdict::Wrong => {
                self.0.guesses.wrong(host, now);
                count(
                    &self.0.counters.wrong_passwords,
                    "trunkline_sip_wrong_passwords_total",
                );
                challenge(false)
            }
        }
    }

    /// A request that belongs to no call.
    fn outside(&self, request: &Request, from: &SipAddr) -> Verdict {
        let config = self.0.config();
        let Ok(address) = from.get_socketaddr() else {
            return Verdict::Drop;
        };
        let trunk = Desk::trunk_at(&config, from).is_some();
        let login = || match self.digest(&config, request, from, address.ip()) {
            Digest::Right => Verdict::Pass,
            Digest::Ask(challenge) => challenge,
            Digest::Guess => Verdict::Drop,
        };
        let forbidden = || Verdict::Answer(StatusCode::Forbidden, Vec::new());
        match request.method {
            Method::Invite if !dialable(request) => {
                if trunk || request.authorization_header().is_some() {
                    Verdict::Answer(StatusCode::UnsupportedUriScheme, Vec::new())
                } else {
                    forbidden()
                }
            }
            Method::Invite if trunk => Verdict::Pass,
            Method::Invite if !Desk::takes_logins(&config) => forbidden(),
            Method::Invite => login(),
            Method::Register if config.accounts.is_empty() => forbidden(),
            Method::Register => login(),
            _ if !trunk && !self.0.registrar.is_at(from) => Verdict::Drop,
            Method::Options if !dialable(request) => {
                Verdict::Answer(StatusCode::UnsupportedUriScheme, Vec::new())
            }
            Method::Options => {
                let mut headers = Desk::abilities();
                headers.push(Header::Accept("application/sdp".into()));
                Verdict::Answer(StatusCode::OK, headers)
            }
            Method::Bye | Method::Info | Method::Update | Method::Notify | Method::PRack | Method::Refer => {
                Verdict::Answer(StatusCode::CallTransactionDoesNotExist, Vec::new())
            }
            Method::Ack | Method::Cancel | Method::Message | Method::Publish | Method::Subscribe => {
                Verdict::Answer(StatusCode::MethodNotAllowed, vec![Header::Allow(ALLOW.into())])
            }
        }
    }
}

/// Whether a request belongs to no call yet.
fn is_new(request: &Request) -> bool {
    !request
        .to_header()
        .and_then(rsipstack::sip::To::tag)
        .is_ok_and(|tag| tag.is_some())
}

fn scans(request: &Request) -> bool {
    request.user_agent_header().is_some_and(|agent| {
        let agent = agent.value().to_ascii_lowercase();
        SCANNERS.iter().any(|scanner| agent.contains(scanner))
    })
}

fn dialable(request: &Request) -> bool {
    match &request.uri.scheme {
        // What the stack takes for no scheme may be one that it cannot read, such as `soap.beep://`.
        None => !request.uri.to_string().contains("://"),
        Some(Scheme::Sip | Scheme::Sips) => true,
        Some(Scheme::Other(other)) => other.eq_ignore_ascii_case("tel"),
    }
}

/// The extensions a request needs that we do not know, as a list.
fn unknown_extensions(request: &Request) -> Option<String> {
    let unknown: Vec<&str> = request
        .headers()
        .iter()
        .filter(|header| matches!(header, Header::Require(_)))
        .flat_map(|header| header.value().split(','))
        .map(str::trim)
        .filter(|name| {
            !name.is_empty()
                && !KNOWN_EXTENSIONS
                    .iter()
                    .any(|known| known.eq_ignore_ascii_case(name))
        })
        .collect();
    (!unknown.is_empty()).then(|| unknown.join(", "))
}

/// Whether a request has what it must have, once and readable.
fn whole(request: &Request) -> Result<(), Verdict> {
    let blame = |why| Err(Verdict::Blame(StatusCode::BadRequest, why));
    if request.version != Version::V2 {
        return Err(Verdict::Blame(
            StatusCode::VersionNotSupported,
            "only SIP/2.0 is spoken here",
        ));
    }
    if request.uri.to_string().len() > URI_BYTES_MAX {
        return Err(Verdict::Blame(
            StatusCode::RequestUriTooLong,
            "the Request-URI is too long",
        ));
    }
    let (mut from, mut to, mut call, mut sequence, mut length) = (0, 0, 0, 0, 0);
    for header in request.headers().iter() {
        match header {
            Header::From(_) => from += 1,
            Header::To(_) => to += 1,
            Header::CallId(_) => call += 1,
            Header::CSeq(_) => sequence += 1,
            Header::ContentLength(value) => {
                length += 1;
                let announced: Option<usize> = value.value().trim().parse().ok();
                if announced.is_none_or(|announced| announced > request.body.len()) {
                    return blame("the body is shorter than announced");
                }
            }
            _ => {}
        }
    }
    if (from, to, call, sequence) != (1, 1, 1, 1) || length > 1 {
        return blame("a header that must be there once is not, or is twice");
    }
    let read = || -> Option<(u32, Method)> {
        let cseq = request.cseq_header().ok()?.typed().ok()?;
        request.from_header().ok()?.typed().ok()?;
        request.to_header().ok()?.typed().ok()?;
        request.top_via_header().ok()?.typed().ok()?;
        request.from_header().ok()?.tag().ok()??;
        Some((cseq.seq, cseq.method))
    };
    match read() {
        None => blame("a header cannot be read"),
        Some((_, method)) if method != request.method => blame("CSeq names another method"),
        Some((sequence, _)) if sequence > i32::MAX as u32 => blame("CSeq is out of range"),
        Some(_) => {
            let hops = request
                .max_forwards_header()
                .ok()
                .map(|hops| hops.value().trim().parse::<u16>().is_ok());
            if hops == Some(false) {
                return blame("Max-Forwards is no number");
            }
            let needs_contact = request.method == Method::Invite;
            if needs_contact
                && !request
                    .typed_contact_headers()
                    .is_ok_and(|contacts| contacts.len() == 1)
            {
                return blame("an INVITE needs one Contact");
            }
            Ok(())
        }
    }
}
