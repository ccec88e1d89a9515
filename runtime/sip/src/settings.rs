//! What the operator sets once (`Settings`) and what may change while calls are up (`Config`).

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use trunkline_model::Network;

use crate::limits;

/// How a message travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// A TCP stream.
    Tcp,
    /// A TLS stream.
    Tls,
    /// A WebSocket (RFC 7118). For `wss` put a proxy that ends TLS in front.
    Ws,
}

/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// The transport.
    pub transport: Transport,
    /// The address; port 0 takes a free one, `Sip::addresses` tells which.
    pub address: SocketAddr,
}

/// The certificate of the TLS listeners and whom outgoing TLS trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate chain, PEM.
    pub certificate: PathBuf,
    /// The private key, PEM.
    pub key: PathBuf,
}

/// What is set at start.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to listen. Requests go out from the first listener of the transport they need.
    pub listen: Vec<Listen>,
    /// The address others reach us at, when it is not the one listened on.
    pub public: Option<IpAddr>,
    /// The realm of the digest, shown to phones.
    pub realm: String,
    /// Whether passwords are also asked for by SHA-256 (RFC 8760), and not by MD5 alone. There are phones that do not come when they are.
    pub sha_256: bool,
    /// For TLS listeners.
    pub tls: Option<TlsFiles>,
    /// Certificates of authorities (PEM) that outgoing TLS trusts; the system's when none is named.
    pub authorities: Option<PathBuf>,
    /// How we present ourselves.
    pub user_agent: String,
    /// Calls at once over all trunks and phones.
    pub calls_max: usize,
    /// Timer T1 (RFC 3261): 500 ms but in tests and on links that are slower. A transaction is given up after
    /// 64 of it.
    pub t1: Duration,
    /// The session timer offered, in seconds (RFC 4028).
    pub session_seconds: u32,
    /// The shortest session timer taken, in seconds.
    pub session_seconds_min: u32,
    /// The shortest registration granted, in seconds.
    pub register_seconds_min: u32,
    /// The longest registration granted, in seconds.
    pub register_seconds_max: u32,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            listen: Vec::new(),
            public: None,
            realm: "trunkline".to_owned(),
            sha_256: false,
            tls: None,
            authorities: None,
            user_agent: "Trunkline".to_owned(),
            calls_max: limits::CALLS_MAX,
            t1: Duration::from_millis(500),
            session_seconds: limits::SESSION_SECONDS,
            session_seconds_min: limits::SESSION_SECONDS_MIN,
            register_seconds_min: limits::REGISTER_SECONDS_MIN,
            register_seconds_max: limits::REGISTER_SECONDS_MAX,
        }
    }
}

/// What may be replaced while calls are up.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The carriers.
    pub trunks: Vec<Trunk>,
    /// The phones.
    pub accounts: Vec<Account>,
}

/// A carrier or another exchange.
#[derive(Debug, Clone, Default)]
pub struct Trunk {
    /// Its name.
    pub name: String,
    /// Where its calls may come from.
    pub networks: Vec<Network>,
    /// What its calls must come over to be known by `networks`: with TCP or TLS nothing less will do.
    /// Datagrams name any sender they like; on a network that lets such pass, only TCP or TLS tell a trunk by
    /// its address.
    pub transport: Option<Transport>,
    /// What it logs in with when it calls, instead of or besides `networks`.
    pub login: Option<Credentials>,
    /// Where calls to it go.
    pub to: Option<Target>,
    /// What we log in with when it asks.
    pub outbound: Option<Credentials>,
    /// How much it may bring.
    pub caps: Caps,
    /// Whether we register with it, at `to` with `outbound`.
    pub register: Option<Register>,
}

/// A user and a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user.
    pub user: String,
    /// The password.
    pub password: String,
}

/// Never shows the password.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

/// A host to send to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// A name or an address.
    pub host: String,
    /// The port; without one a name is looked up by SRV and an address takes the transport's own.
    pub port: Option<u16>,
    /// The transport.
    pub transport: Transport,
}

/// How much a trunk may bring; 503 beyond.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Caps {
    /// Calls at once, both ways.
    pub calls: Option<usize>,
    /// New calls a second; a burst of one second's worth passes.
    pub calls_per_second: Option<f64>,
}

/// A registration of ours at a carrier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Register {
    /// The user to register.
    pub user: String,
    /// Seconds asked for.
    pub seconds: u32,
}

/// A phone: who it is by digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its name here.
    pub name: String,
    /// What it logs in with.
    pub login: Credentials,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        let credentials = Credentials {
            user: "anna".to_owned(),
            password: "geheim".to_owned(),
        };
        assert_eq!(format!("{credentials:?}"), "Credentials { .. }");
    }
}
