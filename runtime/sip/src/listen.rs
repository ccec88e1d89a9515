//! Listeners. Sockets are bound here, so that a taken port is an error at start and port 0 is known; streams
//! are accepted here, so that their number, their handshakes and the size of their messages are bounded.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::panic::catch_unwind;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use rsipstack::platform::net::UdpSocket as StackSocket;
use rsipstack::sip::{SipMessage, Transport as Wire};
use rsipstack::transaction::endpoint::EndpointInnerRef;
use rsipstack::transport::tcp::TcpConnection;
use rsipstack::transport::tls::TlsConnection;
use rsipstack::transport::websocket::{WebSocketConnection, WebSocketInner};
use rsipstack::transport::{SipAddr, SipConnection};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::MaybeTlsStream;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_util::sync::CancellationToken;

use crate::desk::{Desk, count};
use crate::error::StartError;
use crate::guess::host;
use crate::limits::MESSAGE_BYTES_MAX;
use crate::settings::{Listen, TlsFiles, Transport};

/// Streams at once, and from one host: a carrier needs a few, an office behind one address a few hundred.
const STREAMS_MAX: usize = 8_192;
const STREAMS_PER_HOST_MAX: usize = 1_024;
/// Of all streams, those kept for trunks.
const STREAMS_OF_TRUNKS: usize = 1_024;
/// How long a TLS or WebSocket handshake may take.
const HANDSHAKE_WAIT: Duration = Duration::from_secs(10);
/// A pause after an error of a socket, so that a lasting one does not spin.
const ERROR_PAUSE: Duration = Duration::from_millis(50);

/// A bound socket that waits for the stack.
pub(crate) enum Bound {
    Datagrams(Arc<UdpSocket>),
    Streams(TcpListener, Acceptor),
}

#[derive(Clone)]
pub(crate) enum Acceptor {
    Tcp,
    Tls(TlsAcceptor),
    Ws,
}

impl Acceptor {
    fn wire(&self) -> Wire {
        match self {
            Acceptor::Tcp => Wire::Tcp,
            Acceptor::Tls(_) => Wire::Tls,
            Acceptor::Ws => Wire::Ws,
        }
    }
}

/// Binds one listener.
pub(crate) async fn bind(listen: &Listen, tls: Option<&TlsFiles>) -> Result<(Bound, SocketAddr), StartError> {
    let failed = |source| StartError::Listen {
        transport: listen.transport,
        address: listen.address,
        source,
    };
    let acceptor = match listen.transport {
        Transport::Udp => {
            let socket = UdpSocket::bind(listen.address).await.map_err(failed)?;
            let address = socket.local_addr().map_err(failed)?;
            return Ok((Bound::Datagrams(Arc::new(socket)), address));
        }
        Transport::Tcp => Acceptor::Tcp,
        Transport::Tls => Acceptor::Tls(acceptor(tls.ok_or(StartError::NoCertificate)?)?),
        Transport::Ws => Acceptor::Ws,
    };
    let listener = TcpListener::bind(listen.address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((Bound::Streams(listener, acceptor), address))
}

fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, StartError> {
    let failed = |path: &Path, reason: String| StartError::Certificate {
        path: path.to_owned(),
        reason,
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect)
        .map_err(|error| failed(&files.certificate, error.to_string()))?;
    let key =
        PrivateKeyDer::from_pem_file(&files.key).map_err(|error| failed(&files.key, error.to_string()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(&files.certificate, error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| failed(&files.certificate, error.to_string()))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// How many streams are open, in all and by host.
#[derive(Default)]
pub(crate) struct Streams(Mutex<(usize, HashMap<IpAddr, usize>)>);

struct Open {
    streams: Arc<Streams>,
    from: IpAddr,
}

impl Streams {
    fn open(self: &Arc<Streams>, from: IpAddr, trunk: bool) -> Option<Open> {
        let from = host(from);
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, by_address) = &mut *state;
        let here = by_address.get(&from).copied().unwrap_or(0);
        let most = if trunk {
            STREAMS_MAX
        } else {
            STREAMS_MAX - STREAMS_OF_TRUNKS
        };
        if *all >= most || here >= STREAMS_PER_HOST_MAX {
            return None;
        }
        *all += 1;
        by_address.insert(from, here + 1);
        Some(Open {
            streams: Arc::clone(self),
            from,
        })
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut state = self.streams.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, by_address) = &mut *state;
        *all = all.saturating_sub(1);
        if let Some(here) = by_address.get_mut(&self.from) {
            *here = here.saturating_sub(1);
            if *here == 0 {
                by_address.remove(&self.from);
            }
        }
    }
}

/// Accepts streams until the end.
pub(crate) async fn accept(
    listener: TcpListener,
    acceptor: Acceptor,
    shown: SocketAddr,
    endpoint: EndpointInnerRef,
    desk: Arc<Desk>,
    streams: Arc<Streams>,
    end: CancellationToken,
) {
    let local = SipAddr {
        r#type: Some(acceptor.wire()),
        addr: shown.into(),
    };
    loop {
        let accepted = tokio::select! {
            () = end.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let (stream, from) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a SIP listener failed to accept a stream");
                tokio::time::sleep(ERROR_PAUSE).await;
                continue;
            }
        };
        let at = SipAddr {
            r#type: local.r#type,
            addr: from.into(),
        };
        let trunk = Desk::trunk_at(&desk.config(), &at).is_some();
        let Some(open) = streams.open(from.ip(), trunk) else {
            count(&desk.counters.dropped, "trunkline_sip_dropped_total");
            continue;
        };
        let (acceptor, local, endpoint, desk, end) = (
            acceptor.clone(),
            local.clone(),
            endpoint.clone(),
            Arc::clone(&desk),
            end.child_token(),
        );
        tokio::spawn(async move {
            // Small messages must not wait for each other.
            let _ = stream.set_nodelay(true);
            let opened = tokio::time::timeout(
                HANDSHAKE_WAIT,
                hand_over(stream, from, acceptor, local, end.clone()),
            )
            .await;
            match opened {
                Ok(Ok(connection)) => {
                    endpoint.transport_layer.add_connection(connection.clone());
                    // The stack cancels the token when the stream closes.
                    while tokio::time::timeout(desk.settings.t1 * 64, end.cancelled())
                        .await
                        .is_err()
                    {
                        // Long enough to register or to call.
                        if !desk.knows(&at) {
                            tracing::debug!(peer = %from, "a SIP stream of nobody is closed");
                            endpoint.transport_layer.remove_connection(&connection);
                            if connection.close().await.is_err() {
                                tracing::debug!(peer = %from, "a SIP stream was closed already");
                            }
                            end.cancel();
                        }
                    }
                }
                Ok(Err(error)) => tracing::debug!(peer = %from, %error, "a SIP stream was not opened"),
                Err(_) => tracing::debug!(peer = %from, "a SIP stream took too long to open"),
            }
            drop(open);
        });
    }
}

async fn hand_over(
    stream: TcpStream,
    from: SocketAddr,
    acceptor: Acceptor,
    local: SipAddr,
    end: CancellationToken,
) -> Result<SipConnection, rsipstack::Error> {
    let remote = SipAddr {
        r#type: local.r#type,
        addr: from.into(),
    };
    match acceptor {
        Acceptor::Tcp => Ok(SipConnection::Tcp(TcpConnection::from_stream(
            stream,
            local,
            Some(end),
        )?)),
        Acceptor::Tls(acceptor) => {
            let stream = acceptor.accept(stream).await?;
            let connection = TlsConnection::from_server_stream(stream, local, remote, Some(end)).await?;
            Ok(SipConnection::Tls(connection))
        }
        Acceptor::Ws => {
            let config = WebSocketConfig::default()
                .max_message_size(Some(MESSAGE_BYTES_MAX))
                .max_frame_size(Some(MESSAGE_BYTES_MAX));
            let stream = MaybeTlsStream::Plain(stream);
            let socket =
                tokio_tungstenite::accept_hdr_async_with_config(stream, subprotocol, Some(config)).await?;
            let (sink, read) = socket.split();
            let inner = WebSocketInner {
                local_addr: local,
                remote_addr: remote,
                ws_sink: tokio::sync::Mutex::new(sink),
                ws_read: tokio::sync::Mutex::new(Some(read)),
            };
            Ok(SipConnection::WebSocket(WebSocketConnection {
                inner: Arc::new(inner),
                cancel_token: Some(end),
            }))
        }
    }
}

/// Only `sip` is spoken (RFC 7118 section 4).
#[expect(
    clippy::result_large_err,
    reason = "the WebSocket library gives the type of this answer"
)]
fn subprotocol(request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    let offered = request
        .headers()
        .get_all("sec-websocket-protocol")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|protocol| protocol.trim().eq_ignore_ascii_case("sip"));
    if !offered {
        let mut refusal = ErrorResponse::new(Some("the subprotocol sip is spoken here".to_owned()));
        *refusal.status_mut() = StatusCode::BAD_REQUEST;
        return Err(refusal);
    }
    response
        .headers_mut()
        .insert("sec-websocket-protocol", HeaderValue::from_static("sip"));
    Ok(response)
}

/// Datagrams for the stack, after a first look: what it cannot read is answered here when an answer is due,
/// and never reaches it.
pub(crate) struct Datagrams {
    pub(crate) socket: Arc<UdpSocket>,
    pub(crate) desk: Arc<Desk>,
}

#[async_trait::async_trait]
impl StackSocket for Datagrams {
    async fn recv_from(&self, buffer: &mut [u8]) -> rsipstack::Result<(usize, SocketAddr)> {
        loop {
            let (length, from) = match self.socket.recv_from(buffer).await {
                Ok(received) => received,
                Err(error) => {
                    tracing::debug!(%error, "a SIP datagram was not received");
                    tokio::time::sleep(ERROR_PAUSE).await;
                    continue;
                }
            };
            let datagram = &buffer[..length];
            if datagram.iter().all(u8::is_ascii_whitespace) || datagram == [0; 4] {
                // The stack answers or ignores keep-alives itself.
                if datagram.is_empty() || datagram == [0; 4] {
                    continue;
                }
                return Ok((length, from));
            }
            if catch_unwind(|| SipMessage::try_from(datagram).is_ok()).unwrap_or(false) {
                return Ok((length, from));
            }
            count(&self.desk.counters.malformed, "trunkline_sip_malformed_total");
            tracing::debug!(peer = %from, "a SIP datagram that cannot be read is dropped");
            if let Some(answer) = blame(datagram) {
                let _ = self.socket.send_to(&answer, from).await;
            }
        }
    }

    async fn send_to(&self, buffer: &[u8], to: SocketAddr) -> rsipstack::Result<usize> {
        Ok(self.socket.send_to(buffer, to).await?)
    }

    fn local_addr(&self) -> rsipstack::Result<SocketAddr> {
        Ok(self.socket.local_addr()?)
    }
}

/// The answer to a request that the stack cannot read: only when its headers can be given back.
fn blame(datagram: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(datagram).ok()?;
    let mut lines = text.split("\r\n");
    let mut start = lines.next()?.split(' ');
    let (method, last) = (start.next()?, start.next_back()?);
    if method.starts_with("SIP/") || method == "ACK" || !method.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let known = crate::desk::ALLOW.split(", ").any(|known| known == method);
    let status = match last {
        "SIP/2.0" if known => "400 Bad Request",
        "SIP/2.0" => "501 Not Implemented",
        other if other.starts_with("SIP/") => "505 Version Not Supported",
        _ => "400 Bad Request",
    };
    let mut answer = format!("SIP/2.0 {status}\r\n");
    let mut found = [false; 5];
    for line in lines.take_while(|line| !line.is_empty()) {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let at = match name.trim().to_ascii_lowercase().as_str() {
            "via" | "v" => 0,
            "from" | "f" => 1,
            "to" | "t" => 2,
            "call-id" | "i" => 3,
            "cseq" => 4,
            _ => continue,
        };
        found[at] = true;
        answer.push_str(line);
        if at == 2 && !value.contains(";tag=") {
            answer.push_str(";tag=malformed");
        }
        answer.push_str("\r\n");
    }
    answer.push_str("Content-Length: 0\r\n\r\n");
    // Never longer than what asked for it by more than the status: no amplifier.
    found.iter().all(|found| *found).then(|| answer.into_bytes())
}

/// The certificates of authorities that outgoing TLS trusts.
pub(crate) fn authorities(named: Option<&Path>) -> Result<Option<Vec<u8>>, StartError> {
    const SYSTEM: [&str; 3] = [
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/cert.pem",
    ];
    let read = |path: &Path| {
        std::fs::read(path).map_err(|error: io::Error| StartError::Certificate {
            path: path.to_owned(),
            reason: error.to_string(),
        })
    };
    match named {
        Some(path) => read(path).map(Some),
        None => Ok(SYSTEM.iter().find_map(|path| std::fs::read(path).ok())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: &str = "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: x\r\nCSeq: 1 X\r\n\r\n";

    #[test]
    fn what_cannot_be_read_is_answered_by_its_fault() {
        let status = |start: &str| {
            let answer = blame(format!("{start}\r\n{REST}").as_bytes())?;
            String::from_utf8(answer).ok()?.get(8..11).map(str::to_owned)
        };
        assert_eq!(status("NEWMETHOD sip:a@b SIP/2.0").as_deref(), Some("501"));
        assert_eq!(status("OPTIONS sip:a@b SIP/7.0").as_deref(), Some("505"));
        assert_eq!(status("INVITE sip:a b@c SIP/2.0").as_deref(), Some("400"));
        assert_eq!(status("ACK sip:a@b SIP/7.0"), None);
        assert_eq!(status("SIP/2.0 999999 Too big"), None);
        assert_eq!(blame(b"INVITE sip:a@b SIP/2.0\r\nVia: x\r\n\r\n"), None);
        assert_eq!(blame(&[0xff; 50]), None);
    }

    #[test]
    fn streams_are_bounded_by_host_and_trunks_have_a_share() {
        let streams = Arc::new(Streams::default());
        let network = |host: u16, rest: u16| IpAddr::from([0x2001, 0xdb8, 0, host, 0, 0, 0, rest]);
        let open = |host: u16| -> Vec<_> {
            (0..=STREAMS_PER_HOST_MAX)
                .filter_map(|rest| streams.open(network(host, rest as u16), false))
                .collect()
        };
        let mut all = open(0);
        assert_eq!(all.len(), STREAMS_PER_HOST_MAX);
        assert!(streams.open(network(0, 9), false).is_none());
        for host in 1..100 {
            all.extend(open(host));
        }
        assert_eq!(all.len(), STREAMS_MAX - STREAMS_OF_TRUNKS);
        assert!(streams.open(network(200, 0), false).is_none());
        assert!(streams.open(network(200, 0), true).is_some());
        drop(all);
        assert!(streams.open(network(0, 9), false).is_some());
    }
}
