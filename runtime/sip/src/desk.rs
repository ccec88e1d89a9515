//! What all parts of the signalling share: settings, configuration, counters, the calls that are up.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use rsipstack::dialog::authenticate::Credential;
use rsipstack::dialog::dialog_layer::DialogLayer;
use rsipstack::sip::{Header, HeadersExt as _, Request, Transport as Wire};
use rsipstack::transaction::endpoint::EndpointInnerRef;
use rsipstack::transport::SipAddr;
use tokio::sync::{Semaphore, mpsc};

use crate::call::{Arriving, DialogId, Shared};
use crate::digest::Digester;
use crate::guess::Guesses;
use crate::limits::ANSWERS_MAX;
use crate::load::Load;
use crate::registrar::Registrar;
use crate::settings::{Config, Credentials, Settings, Transport, Trunk};

/// The methods we take.
pub(crate) const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, INFO, UPDATE, REFER, NOTIFY";
/// The extensions we know.
pub(crate) const SUPPORTED: &str = "timer, replaces";

pub(crate) struct Desk {
    pub(crate) settings: Settings,
    config: RwLock<Arc<Config>>,
    pub(crate) digester: Digester,
    pub(crate) registrar: Registrar,
    pub(crate) guesses: Guesses,
    /// Room for answers of the gate that are on their way.
    pub(crate) answers: Arc<Semaphore>,
    pub(crate) load: Arc<Load>,
    pub(crate) counters: Counters,
    pub(crate) draining: AtomicBool,
    pub(crate) stopping: AtomicBool,
    calls: Mutex<Calls>,
    /// The INVITEs that calls came by, to know one that came by two ways (RFC 3261 8.2.2.2).
    merged: Mutex<HashSet<String>>,
    arriving: mpsc::Sender<Arriving>,
    named: AtomicU64,
    /// The stack, known once it runs.
    pub(crate) stack: OnceLock<Stack>,
}

/// The calls that are up.
#[derive(Default)]
struct Calls {
    by_name: HashMap<String, Arc<Shared>>,
    /// By Call-ID; a call that comes back to us is there twice.
    by_dialog: HashMap<String, Vec<Arc<Shared>>>,
}

impl Calls {
    fn forget_dialog(&mut self, shared: &Arc<Shared>) {
        let Some(dialog) = shared.dialog() else { return };
        if let Some(calls) = self.by_dialog.get_mut(&dialog.call) {
            calls.retain(|call| call.id != shared.id);
            if calls.is_empty() {
                self.by_dialog.remove(&dialog.call);
            }
        }
    }
}

/// The stack's parts that everything sends through.
pub(crate) struct Stack {
    pub(crate) endpoint: EndpointInnerRef,
    pub(crate) dialogs: Arc<DialogLayer>,
}

/// What was counted since the start.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) incoming: AtomicU64,
    pub(crate) outgoing: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) dropped: AtomicU64,
    pub(crate) scanners: AtomicU64,
    pub(crate) malformed: AtomicU64,
    pub(crate) wrong_passwords: AtomicU64,
}

/// Counts one more, for our own numbers and the metrics.
pub(crate) fn count(counter: &AtomicU64, name: &'static str) {
    counter.fetch_add(1, Ordering::Relaxed);
    metrics::counter!(name).increment(1);
}

/// Who a digest user is.
pub(crate) enum Login {
    Account(String),
    Trunk(String),
}

impl Desk {
    pub(crate) fn new(
        settings: Settings,
        config: Config,
        digester: Digester,
        arriving: mpsc::Sender<Arriving>,
    ) -> Desk {
        let registrar = Registrar::new(settings.register_seconds_min, settings.register_seconds_max);
        Desk {
            settings,
            config: RwLock::new(Arc::new(config)),
            digester,
            registrar,
            guesses: Guesses::default(),
            answers: Arc::new(Semaphore::new(ANSWERS_MAX)),
            load: Arc::default(),
            counters: Counters::default(),
            draining: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            calls: Mutex::default(),
            merged: Mutex::default(),
            arriving,
            named: AtomicU64::new(0),
            stack: OnceLock::new(),
        }
    }

    pub(crate) fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set_config(&self, config: Config) {
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
    }

    /// The trunk whose networks hold an address, and whose transport it comes over.
    pub(crate) fn trunk_at<'a>(config: &'a Config, from: &SipAddr) -> Option<&'a Trunk> {
        let address = from.get_socketaddr().ok()?.ip();
        let over = |trunk: &Trunk| match trunk.transport {
            Some(Transport::Tls) => from.r#type == Some(Wire::Tls),
            Some(Transport::Tcp) => matches!(from.r#type, Some(Wire::Tcp | Wire::Tls)),
            Some(Transport::Udp | Transport::Ws) | None => true,
        };
        config
            .trunks
            .iter()
            .find(|trunk| over(trunk) && trunk.networks.iter().any(|network| network.contains(address)))
    }

    /// Who logs in as a user, and the password expected.
    pub(crate) fn login(config: &Config, user: &str) -> Option<(Login, String)> {
        let is = |login: &Credentials| login.user == user;
        let account = config.accounts.iter().find(|account| is(&account.login));
        if let Some(account) = account {
            return Some((
                Login::Account(account.name.clone()),
                account.login.password.clone(),
            ));
        }
        config.trunks.iter().find_map(|trunk| {
            let login = trunk.login.as_ref().filter(|login| is(login))?;
            Some((Login::Trunk(trunk.name.clone()), login.password.clone()))
        })
    }

    /// Whether anybody may log in at all.
    pub(crate) fn takes_logins(config: &Config) -> bool {
        !config.accounts.is_empty() || config.trunks.iter().any(|trunk| trunk.login.is_some())
    }

    /// Whether whoever is at an address has business here: a trunk, a phone, or the peer of a call.
    pub(crate) fn knows(&self, at: &SipAddr) -> bool {
        let Ok(address) = at.get_socketaddr() else {
            return false;
        };
        Desk::trunk_at(&self.config(), at).is_some()
            || self.registrar.is_at(at)
            || self
                .calls()
                .iter()
                .any(|call| call.peers().contains(&address.ip()))
    }

    /// A fresh name for a call.
    pub(crate) fn name(&self) -> String {
        let number = self.named.fetch_add(1, Ordering::Relaxed);
        let mut salt = [0; 4];
        // The number alone names the call within this run; the salt tells runs apart.
        let _ = getrandom::fill(&mut salt);
        format!("{number:x}-{}", trunkline_model::hex::write(&salt))
    }

    pub(crate) fn add(&self, shared: &Arc<Shared>) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.by_name.insert(shared.id.clone(), Arc::clone(shared));
        // A count in a gauge: 2^52 calls are not reached.
        metrics::gauge!("trunkline_sip_calls").set(calls.by_name.len() as f64);
    }

    pub(crate) fn remove(&self, id: &str) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = calls.by_name.remove(id) {
            calls.forget_dialog(&shared);
        }
        metrics::gauge!("trunkline_sip_calls").set(calls.by_name.len() as f64);
    }

    /// The dialog of a call became known, or is another one now.
    pub(crate) fn note_dialog(&self, shared: &Arc<Shared>, dialog: DialogId) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.forget_dialog(shared);
        calls
            .by_dialog
            .entry(dialog.call.clone())
            .or_default()
            .push(Arc::clone(shared));
        shared.set_dialog(dialog);
    }

    /// The calls with a Call-ID.
    pub(crate) fn calls_by(&self, call: &str) -> Vec<Arc<Shared>> {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.by_dialog.get(call).cloned().unwrap_or_default()
    }

    pub(crate) fn calls(&self) -> Vec<Arc<Shared>> {
        self.calls
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .by_name
            .values()
            .cloned()
            .collect()
    }

    pub(crate) fn calls_count(&self) -> usize {
        self.calls
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .by_name
            .len()
    }

    /// The call that a request inside one is of: it names our tag.
    pub(crate) fn call_of_request(&self, request: &Request) -> Option<Arc<Shared>> {
        let call = request.call_id_header().ok()?;
        let tag = request.to_header().ok()?.tag().ok()??;
        self.calls_by(call.value())
            .into_iter()
            .find(|shared| shared.dialog().is_some_and(|dialog| dialog.local == tag.value()))
    }

    /// The call whose dialog is named.
    pub(crate) fn call_of(&self, dialog: &DialogId) -> Option<String> {
        self.calls_by(&dialog.call)
            .into_iter()
            .find(|shared| shared.dialog().as_ref() == Some(dialog))
            .map(|shared| shared.id.clone())
    }

    /// Notes an INVITE; false when it is one that came by two ways.
    pub(crate) fn note_invite(&self, key: &str) -> bool {
        self.merged
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key.to_owned())
    }

    pub(crate) fn forget_invite(&self, key: &str) {
        self.merged
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(key);
    }

    /// Room to hand a call to the phone; none when it does not keep up or is gone.
    pub(crate) fn room(&self) -> Option<mpsc::Permit<'_, Arriving>> {
        self.arriving.try_reserve().ok()
    }

    /// Tells of an account that became reachable or stopped to be; waits for room, as it must not be lost.
    pub(crate) async fn tell(&self, arriving: Arriving) {
        if self.arriving.send(arriving).await.is_err() {
            tracing::debug!("nobody listens for registrations any more");
        }
    }

    /// The address of ours that a peer on a transport is told.
    pub(crate) fn own_address(&self, wire: Wire) -> Option<SipAddr> {
        let addresses = self.stack.get()?.endpoint.transport_layer.get_listen_addrs();
        let exact = addresses
            .iter()
            .find(|address| address.r#type == Some(wire))
            .cloned();
        exact.or_else(|| {
            let mut address = addresses.first().cloned()?;
            address.r#type = Some(wire);
            Some(address)
        })
    }

    /// The headers that tell what we can do.
    pub(crate) fn abilities() -> Vec<Header> {
        vec![Header::Allow(ALLOW.into()), Header::Supported(SUPPORTED.into())]
    }
}

/// What we log in with when a trunk asks.
pub(crate) fn credential(trunk: &Trunk) -> Option<Credential> {
    trunk.outbound.as_ref().map(|login| Credential {
        username: login.user.clone(),
        password: login.password.clone(),
        realm: None,
        auth_username: None,
    })
}

pub(crate) fn wire(transport: Transport) -> Wire {
    match transport {
        Transport::Udp => Wire::Udp,
        Transport::Tcp => Wire::Tcp,
        Transport::Tls => Wire::Tls,
        Transport::Ws => Wire::Ws,
    }
}

pub(crate) fn transport(wire: Wire) -> Option<Transport> {
    match wire {
        Wire::Udp => Some(Transport::Udp),
        Wire::Tcp => Some(Transport::Tcp),
        Wire::Tls => Some(Transport::Tls),
        Wire::Ws => Some(Transport::Ws),
        Wire::TlsSctp | Wire::Sctp | Wire::Wss => None,
    }
}
