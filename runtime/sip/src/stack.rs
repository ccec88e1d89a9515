//! The stack as we run it: how it is built, begun, and what is put right in what it sends and hears.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use rsipstack::EndpointBuilder;
use rsipstack::sip::{Header, Headers, HeadersExt as _, Method, SipMessage};
use rsipstack::transaction::CallIdFormat;
use rsipstack::transaction::endpoint::{EndpointInnerRef, EndpointOption, MessageInspector};
use rsipstack::transport::{SipAddr, SipConnection, TcpListenerConnection, TlsConfig, TlsListenerConnection};
use rsipstack::transport::{TransportLayer, WebSocketListenerConnection};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::desk::Desk;
use crate::error::StartError;
use crate::gate::Gate;
use crate::settings::{Settings, Transport};

pub(crate) fn builder(desk: &Arc<Desk>, layer: TransportLayer, end: &CancellationToken) -> EndpointBuilder {
    let t1 = desk.settings.t1;
    let mut builder = EndpointBuilder::new();
    builder
        .with_user_agent(&desk.settings.user_agent)
        .with_transport_layer(layer)
        .with_cancel_token(end.child_token())
        .with_option(EndpointOption {
            t1,
            t2: t1 * 8,
            t4: t1 * 10,
            t1x64: t1 * 64,
            callid_format: CallIdFormat::Uuid,
            ..EndpointOption::default()
        })
        .with_transport_inspector(Box::new(Gate(Arc::clone(desk))))
        .with_inspector(Box::new(Stamp(Arc::clone(desk))));
    builder
}

/// Begins the stack's loop and waits until it has taken up its listeners.
pub(crate) async fn serve(endpoint: EndpointInnerRef) {
    let (begun, begins) = oneshot::channel();
    tokio::spawn(async move {
        let mut begun = Some(begun);
        let mut serving = pin!(endpoint.serve());
        let result = std::future::poll_fn(|context| {
            let polled = serving.as_mut().poll(context);
            // The first poll takes up the listeners without waiting.
            if let Some(begun) = begun.take() {
                let _ = begun.send(());
            }
            match polled {
                Poll::Ready(result) => Poll::Ready(result),
                Poll::Pending => Poll::Pending,
            }
        })
        .await;
        if result.is_err() {
            tracing::error!("the SIP stack ended; no call comes in any more");
        }
    });
    let _ = begins.await;
}

/// A listener as the stack names it in what it sends.
pub(crate) async fn named(transport: Transport, shown: SocketAddr) -> Result<SipConnection, StartError> {
    let failed = |error: rsipstack::Error| StartError::Stack(error.to_string());
    Ok(match transport {
        Transport::Udp | Transport::Tcp => {
            SipConnection::TcpListener(TcpListenerConnection::new(shown, None).await.map_err(failed)?)
        }
        Transport::Tls => {
            let listener = TlsListenerConnection::new(shown, None, TlsConfig::default()).await;
            SipConnection::TlsListener(listener.map_err(failed)?)
        }
        Transport::Ws => {
            let listener = WebSocketListenerConnection::new(shown, None, false).await;
            SipConnection::WebSocketListener(listener.map_err(failed)?)
        }
    })
}

/// The address others are told.
pub(crate) fn shown(settings: &Settings, address: SocketAddr) -> SocketAddr {
    match settings.public {
        Some(public) if public.is_ipv4() == address.is_ipv4() => SocketAddr::new(public, address.port()),
        _ => SipConnection::resolve_bind_address(address),
    }
}

/// What the stack does not write itself: the reason on a CANCEL, so that a phone that was not quick enough
/// shows no missed call; and digests by the words of the standard.
struct Stamp(Arc<Desk>);

impl MessageInspector for Stamp {
    fn before_send(&self, message: SipMessage, _: Option<&SipAddr>) -> SipMessage {
        match message {
            SipMessage::Request(mut request) if request.method == Method::Cancel => {
                if let Ok(call) = request.call_id_header().map(|call| call.value().to_owned())
                    && let Some(shared) = self.0.calls_by(&call).into_iter().next()
                {
                    request
                        .headers
                        .unique_push(Header::Reason(shared.reason().header().into()));
                }
                SipMessage::Request(request)
            }
            SipMessage::Request(mut request) => {
                for header in request.headers.iter_mut() {
                    match header {
                        Header::Authorization(value) => *value = named_right(value.value()).into(),
                        Header::ProxyAuthorization(value) => *value = named_right(value.value()).into(),
                        _ => {}
                    }
                }
                SipMessage::Request(request)
            }
            response @ SipMessage::Response(_) => response,
        }
    }

    fn after_received(&self, message: SipMessage, _: Option<&SipAddr>) -> SipMessage {
        match message {
            SipMessage::Response(mut response) if matches!(response.status_code.code(), 401 | 407) => {
                simplify(&mut response.headers);
                SipMessage::Response(response)
            }
            other => other,
        }
    }
}

/// Leaves of a challenge what the stack can answer, and puts it in the stack's words: it knows one `qop` and
/// writes SHA-256 without its hyphen.
fn simplify(headers: &mut Headers) {
    let known = |value: &str| crate::digest::simple_challenge(value);
    headers.retain(|header| match header {
        Header::WwwAuthenticate(value) => known(value.value()).is_some(),
        Header::ProxyAuthenticate(value) => known(value.value()).is_some(),
        _ => true,
    });
    for header in headers.iter_mut() {
        match header {
            Header::WwwAuthenticate(value) => {
                if let Some(simple) = known(value.value()) {
                    value.replace(simple);
                }
            }
            Header::ProxyAuthenticate(value) => {
                if let Some(simple) = known(value.value()) {
                    value.replace(simple);
                }
            }
            _ => {}
        }
    }
}

/// The algorithm as RFC 7616 writes it.
fn named_right(value: &str) -> String {
    value.replace("algorithm=SHA256", "algorithm=SHA-256")
}
