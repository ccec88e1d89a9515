//! The signalling as a whole: starting and stopping it, calling, and what the phone asks of it.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rsipstack::dialog::dialog_layer::DialogLayer;
use rsipstack::dialog::invitation::InviteOption;
use rsipstack::sip::{Auth, Header, Scheme, Transport as Wire, Uri};
use rsipstack::transport::udp::UdpConnection;
use rsipstack::transport::{SipAddr, SipConnection, TlsConfig, TransportLayer};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::call::{Arriving, Call, Destination, DialogId, HangUp, Outgoing, Shared};
use crate::carrier::{Carriers, target, transport_param};
use crate::desk::{Counters, Desk, Stack, count, credential, transport, wire};
use crate::digest::Digester;
use crate::error::{CallError, StartError};
use crate::front;
use crate::leg::{Leg, Outbound, Parts, with_timer};
use crate::limits;
use crate::listen::{self, Bound, Datagrams, Streams};
use crate::load::Full;
use crate::settings::{Config, Settings, Transport};
use crate::stack::{builder, named, serve, shown};

/// The headers that the stack writes itself.
const OWN_HEADERS: [&str; 24] = [
    "via",
    "v",
    "from",
    "f",
    "to",
    "t",
    "call-id",
    "i",
    "cseq",
    "contact",
    "m",
    "max-forwards",
    "content-length",
    "l",
    "content-type",
    "c",
    "route",
    "record-route",
    "user-agent",
    "session-expires",
    "x",
    "min-se",
    "authorization",
    "proxy-authorization",
];

/// What was counted, and what stands now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls now.
    pub calls: usize,
    /// Calls now by trunk.
    pub trunks: Vec<(String, usize)>,
    /// Accounts with a phone now.
    pub registered: usize,
    /// Calls that came in and were taken.
    pub incoming: u64,
    /// Calls made.
    pub outgoing: u64,
    /// Requests refused: strangers, no room, wrong at the door.
    pub refused: u64,
    /// Messages dropped without an answer.
    pub dropped: u64,
    /// Messages of scanners.
    pub scanners: u64,
    /// Messages that could not be read.
    pub malformed: u64,
    /// Digest answers with a wrong user or password.
    pub wrong_passwords: u64,
    /// Transactions the stack still holds, finished ones too; those go after 64 times T1.
    pub transactions: usize,
    /// Dialogs the stack still holds.
    pub dialogs: usize,
}

/// The signalling. Clones are the same.
#[derive(Clone)]
pub struct Sip(Arc<Running>);

struct Running {
    desk: Arc<Desk>,
    addresses: Vec<(Transport, SocketAddr)>,
    carriers: Carriers,
    end: CancellationToken,
}

/// When the last clone is gone nothing is left running.
impl Drop for Running {
    fn drop(&mut self) {
        self.carriers.stop();
        self.end.cancel();
    }
}

impl std::fmt::Debug for Sip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sip")
            .field("addresses", &self.0.addresses)
            .finish_non_exhaustive()
    }
}

impl Sip {
    /// Binds the listeners and begins. What arrives comes out of the receiver; when it is full new calls get
    /// 503.
    ///
    /// # Errors
    /// When no listener is named, an address is taken, or a certificate cannot be read.
    pub async fn start(
        settings: Settings,
        config: Config,
    ) -> Result<(Sip, mpsc::Receiver<Arriving>), StartError> {
        if settings.listen.is_empty() {
            return Err(StartError::NoListener);
        }
        // The stack's own TLS takes the process's provider; whoever chose one before keeps it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let authorities = listen::authorities(settings.authorities.as_deref())?;
        let mut bound = Vec::with_capacity(settings.listen.len());
        for listen in &settings.listen {
            let (socket, address) = listen::bind(listen, settings.tls.as_ref()).await?;
            bound.push((listen.transport, socket, address));
        }
        // The stack takes what stands first for what names no transport, and that is UDP.
        let mut addresses: Vec<_> = bound
            .iter()
            .map(|(transport, _, address)| (*transport, *address))
            .collect();
        addresses.sort_by_key(|(transport, _)| *transport != Transport::Udp);
        bound.sort_by_key(|(transport, _, _)| *transport != Transport::Udp);

        let digester = Digester::new(&settings.realm, settings.sha_256).map_err(|_| StartError::Random)?;
        let (arriving, arrivals) = mpsc::channel(limits::ARRIVING_MAX);
        let desk = Arc::new(Desk::new(settings, config, digester, arriving));
        let end = CancellationToken::new();
        let mut streams = Vec::new();
        let layer = TransportLayer::new(end.child_token());
        layer.set_stream_idle_timeout(limits::STREAM_IDLE);
        layer.set_tls_config(TlsConfig {
            ca_certs: authorities,
            ..TlsConfig::default()
        });
        for (transport, socket, address) in bound {
            let shown = shown(&desk.settings, address);
            match socket {
                Bound::Datagrams(socket) => {
                    let socket = Arc::new(Datagrams {
                        socket,
                        desk: Arc::clone(&desk),
                    });
                    let connection = UdpConnection::from_socket(socket, Some(shown), Some(end.child_token()))
                        .await
                        .map_err(|error| StartError::Stack(error.to_string()))?;
                    layer.add_transport(SipConnection::Udp(connection));
                }
                Bound::Streams(listener, acceptor) => streams.push((transport, listener, acceptor, shown)),
            }
        }
        let endpoint = builder(&desk, layer, &end).build();
        let incoming = endpoint
            .incoming_transactions()
            .map_err(|error| StartError::Stack(error.to_string()))?;
        let inner = endpoint.inner.clone();
        let dialogs = Arc::new(DialogLayer::new(inner.clone()));
        let stack = Stack {
            endpoint: inner.clone(),
            dialogs,
        };
        if desk.stack.set(stack).is_err() {
            return Err(StartError::Stack("it was begun twice".to_owned()));
        }
        serve(inner.clone()).await;

        let open = Arc::new(Streams::default());
        for (transport, listener, acceptor, shown) in streams {
            // Named to the stack after it began, so that it knows the address and does not listen itself.
            inner
                .transport_layer
                .add_transport(named(transport, shown).await?);
            let task = listen::accept(
                listener,
                acceptor,
                shown,
                inner.clone(),
                Arc::clone(&desk),
                Arc::clone(&open),
                end.child_token(),
            );
            tokio::spawn(task);
        }
        tokio::spawn(front::serve(Arc::clone(&desk), incoming, end.child_token()));
        tokio::spawn(front::sweep(Arc::clone(&desk), end.child_token()));
        let carriers = Carriers::default();
        carriers.follow(&desk.config(), &desk);
        Ok((
            Sip(Arc::new(Running {
                desk,
                addresses,
                carriers,
                end,
            })),
            arrivals,
        ))
    }

    /// Where it listens, UDP first.
    #[must_use]
    pub fn addresses(&self) -> Vec<(Transport, SocketAddr)> {
        self.0.addresses.clone()
    }

    /// Replaces the trunks and phones. Calls that are up go on; bindings of accounts that are gone are
    /// forgotten.
    pub fn configure(&self, config: Config) {
        let desk = Arc::clone(&self.0.desk);
        desk.set_config(config);
        let config = desk.config();
        self.0.carriers.follow(&config, &desk);
        desk.load
            .keep(|name| config.trunks.iter().any(|trunk| trunk.name == name));
        let stays = |name: &str| config.accounts.iter().any(|account| account.name == name);
        let gone = desk.registrar.sweep(|name, _| stays(name), Instant::now());
        tokio::spawn(async move {
            for account in gone {
                desk.tell(Arriving::Unregistered { account }).await;
            }
        });
    }

    /// Whether new calls are refused with 503 while those that are up go on.
    pub fn drain(&self, drain: bool) {
        self.0.desk.draining.store(drain, Ordering::Relaxed);
    }

    /// Whether an account has a phone.
    #[must_use]
    pub fn registered(&self, account: &str) -> bool {
        !self.0.desk.registrar.bindings(account, Instant::now()).is_empty()
    }

    /// The name of the call that has a dialog, for `Replaces`.
    #[must_use]
    pub fn call_of(&self, dialog: &DialogId) -> Option<String> {
        self.0.desk.call_of(dialog)
    }

    /// What was counted, and what stands now.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let desk = &self.0.desk;
        let Counters {
            incoming,
            outgoing,
            refused,
            dropped,
            scanners,
            malformed,
            wrong_passwords,
        } = &desk.counters;
        let stack = desk.stack.get();
        Counts {
            calls: desk.calls_count(),
            trunks: desk.load.trunks(),
            registered: desk.registrar.count(),
            incoming: incoming.load(Ordering::Relaxed),
            outgoing: outgoing.load(Ordering::Relaxed),
            refused: refused.load(Ordering::Relaxed),
            dropped: dropped.load(Ordering::Relaxed),
            scanners: scanners.load(Ordering::Relaxed),
            malformed: malformed.load(Ordering::Relaxed),
            wrong_passwords: wrong_passwords.load(Ordering::Relaxed),
            transactions: stack.map_or(0, |stack| {
                let stats = stack.endpoint.get_stats();
                stats.running_transactions + stats.finished_transactions
            }),
            dialogs: stack.map_or(0, |stack| stack.dialogs.len()),
        }
    }

    /// Makes a call. It resolves when the INVITE is on its way; what becomes of it comes out of the call.
    ///
    /// # Errors
    /// When there is nowhere to send it, or no room.
    pub async fn call(&self, outgoing: Outgoing) -> Result<Call, CallError> {
        let desk = &self.0.desk;
        if desk.stopping.load(Ordering::Relaxed) {
            return Err(CallError::Stopping);
        }
        let config = desk.config();
        let Outgoing {
            to,
            from,
            offer,
            headers,
            ring,
        } = outgoing;
        let mut trunk = None;
        let routes = match &to {
            Destination::Account(account) => {
                let bindings = desk.registrar.bindings(account, Instant::now());
                if bindings.is_empty() {
                    return Err(CallError::NotRegistered(account.clone()));
                }
                bindings
                    .into_iter()
                    .filter_map(|binding| {
                        let uri = read_uri(&binding.contact)?;
                        let wire = binding.at.r#type.unwrap_or_default();
                        Some((uri, Some(binding.at), wire, None))
                    })
                    .collect::<Vec<_>>()
            }
            Destination::Trunk { name, number } => {
                let found = config.trunks.iter().find(|trunk| trunk.name == *name);
                let (found, host) = found
                    .and_then(|trunk| Some((trunk, trunk.to.as_ref()?)))
                    .ok_or_else(|| CallError::NoTrunk(name.clone()))?;
                trunk = Some((found.name.as_str(), found.caps));
                vec![(
                    target(host, Some(number)),
                    None,
                    wire(host.transport),
                    credential(found),
                )]
            }
            Destination::Uri(text) => {
                let uri = read_uri(text).ok_or(CallError::Destination)?;
                let wire = match (&uri.scheme, uri.transport_of()) {
                    (Some(Scheme::Other(_)), _) => return Err(CallError::Destination),
                    (_, Some(wire)) => wire,
                    (Some(Scheme::Sips), None) => Wire::Tls,
                    (_, None) => Wire::Udp,
                };
                vec![(uri, None, wire, None)]
            }
        };
        let place = desk
            .load
            .take(desk.settings.calls_max, trunk)
            .map_err(|full| match (full, trunk) {
                (Full::Trunk, Some((name, _))) => CallError::Full(format!("the trunk {name}")),
                _ => CallError::Full("this node".to_owned()),
            })?;
        let headers = with_timer(extra(headers), desk.settings.session_seconds);
        let attempts: VecDeque<InviteOption> = routes
            .into_iter()
            .filter_map(|(callee, destination, wire, credential)| {
                let own = desk.own_address(wire)?;
                let contact = own_uri(&own, "trunkline");
                let caller = Uri {
                    params: Vec::new(),
                    ..own_uri(&own, &from.1)
                };
                Some(InviteOption {
                    caller_display_name: from.0.as_deref().map(quoted),
                    caller,
                    callee,
                    destination,
                    offer: Some(offer.to_string().into_bytes()),
                    contact,
                    credential,
                    headers: Some(headers.clone()),
                    ..InviteOption::default()
                })
            })
            .collect();
        let peers = attempts
            .iter()
            .filter_map(|attempt| Some(attempt.destination.as_ref()?.get_socketaddr().ok()?.ip()))
            .collect();
        let (call, parts) = parts(desk, place, peers, matches!(to, Destination::Account(_)));
        let leg = Leg::outgoing(
            parts,
            Outbound {
                attempts,
                offer,
                ring,
            },
        )?;
        count(&desk.counters.outgoing, "trunkline_sip_calls_out_total");
        tokio::spawn(leg.run());
        Ok(call)
    }

    /// Hangs up all calls, leaves the carriers, and closes. Takes a few seconds at most.
    pub async fn stop(&self) {
        let desk = &self.0.desk;
        desk.stopping.store(true, Ordering::Relaxed);
        self.drain(true);
        let leaving = self.0.carriers.stop();
        for call in desk.calls() {
            call.end(HangUp::Normal);
        }
        let gone = async {
            for carrier in leaving {
                let _ = carrier.await;
            }
            while desk.calls_count() > 0 || desk.stack.get().is_some_and(|stack| waits(&stack.endpoint)) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(limits::STOP_WAIT, gone).await.is_err() {
            tracing::warn!(
                calls = desk.calls_count(),
                "SIP stopped before every peer had answered"
            );
        }
        self.0.end.cancel();
    }
}

/// Whether something we sent still waits for its answer.
fn waits(endpoint: &rsipstack::transaction::endpoint::EndpointInnerRef) -> bool {
    endpoint.get_running_transactions().is_some_and(|keys| {
        // Keys of what we sent begin with "c."; INVITEs linger after their answer and are not waited for.
        keys.iter().any(|key| {
            let key = key.to_string();
            key.starts_with("c.BYE") || key.starts_with("c.CANCEL") || key.starts_with("c.REGISTER")
        })
    })
}

/// A URI of the peer's. The stack keeps the user as written and encodes it when it writes it.
fn read_uri(text: &str) -> Option<Uri> {
    let mut uri = Uri::try_from(text).ok()?;
    if let Some(auth) = &mut uri.auth {
        auth.user = crate::address::decode(&auth.user);
    }
    Some(uri)
}

/// A URI of ours.
pub(crate) fn own_uri(own: &SipAddr, user: &str) -> Uri {
    Uri {
        scheme: Some(Scheme::Sip),
        auth: Some(Auth {
            user: user.to_owned(),
            password: None,
        }),
        host_with_port: own.addr.clone(),
        params: own
            .r#type
            .and_then(transport)
            .map(transport_param)
            .unwrap_or_default(),
        headers: Vec::new(),
    }
}

/// A new call's handle and what its task starts with.
pub(crate) fn parts(
    desk: &Arc<Desk>,
    place: crate::load::Place,
    peers: Vec<IpAddr>,
    phone: bool,
) -> (Call, Parts) {
    let shared = Shared::new(desk.name(), peers, phone);
    let (commands, asked) = mpsc::channel(limits::COMMANDS_PER_CALL_MAX);
    // One place more, for the last event.
    let (events, happened) = mpsc::channel(limits::EVENTS_PER_CALL_MAX + 1);
    let call = Call::new(Arc::clone(&shared), commands, happened);
    (
        call,
        Parts {
            desk: Arc::clone(desk),
            shared,
            commands: asked,
            events,
            place,
        },
    )
}

/// A name for a header: without what would end its quotes.
fn quoted(name: &str) -> String {
    name.chars()
        .filter(|c| !c.is_control() && !['"', '\\', '<', '>'].contains(c))
        .take(100)
        .collect()
}

/// The headers a caller adds, without those that are ours and without line ends.
fn extra(headers: Vec<(String, String)>) -> Vec<Header> {
    let mut all = Desk::abilities();
    let token = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._!%*+`'~".contains(&byte))
    };
    let added = headers
        .into_iter()
        .filter(|(name, _)| token(name) && !OWN_HEADERS.contains(&name.to_ascii_lowercase().as_str()))
        .take(limits::EXTRA_HEADERS_MAX)
        .map(|(name, value)| {
            let value: String = value.chars().filter(|c| !c.is_control()).collect();
            rsipstack::sip::headers::make_header(&name, value)
        });
    all.extend(added);
    all
}

trait TransportOf {
    fn transport_of(&self) -> Option<Wire>;
}

impl TransportOf for Uri {
    fn transport_of(&self) -> Option<Wire> {
        self.params.iter().find_map(|param| match param {
            rsipstack::sip::Param::Transport(wire) => Some(*wire),
            _ => None,
        })
    }
}
