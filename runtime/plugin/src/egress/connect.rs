//! Connections: the name is resolved once, each address is checked, and the connection goes to
//! the very address that was checked.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    task::{Context, Poll},
};

use hyper::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use tokio::{net::TcpStream, runtime::Handle, sync::Semaphore};
use tower_service::Service;
use trunkline_model::{Network, PluginName};

use super::{Boxed, address, resolve::Resolve};
use crate::{
    Grants, StartError,
    grants::{Host, Target},
    limits::HTTP_ADDRESSES_TRIED_MAX,
    shared::Shared,
};

/// What connections of all plugins have in common: TLS by ring, the web's authorities and those that
/// the operator trusts, and where names are looked up.
#[derive(Clone)]
pub(crate) struct Encryption {
    config: Arc<ClientConfig>,
    names: Arc<dyn Resolve>,
}

/// Where a plugin's names are looked up: on the guests' threads, so many at once.
#[derive(Clone)]
pub(crate) struct Lookups {
    pub(super) guests: Handle,
    free: Arc<Semaphore>,
}

impl Lookups {
    /// Those of all versions of a plugin.
    pub(crate) fn of(shared: &Shared, guests: &Handle) -> Self {
        Self {
            guests: guests.clone(),
            free: shared.lookups.clone(),
        }
    }

    /// The addresses of a name, when one more lookup is free.
    async fn addresses(&self, names: Arc<dyn Resolve>, name: &str) -> io::Result<Vec<IpAddr>> {
        let free = self.free.clone().acquire_owned().await;
        let one = free.map_err(io::Error::other)?;
        let name = name.to_owned();
        // Of its own: whoever asks may stop waiting, and the thread that waits for a name server
        // does not. The lookup is free again when that has ended.
        let found = self.guests.spawn(async move {
            let found = names.resolve(&name).await;
            drop(one);
            found
        });
        found.await.map_err(io::Error::other)?
    }
}

/// Opens a connection, encrypted if the request's scheme says so.
pub(super) type Connector = HttpsConnector<Checked>;

impl Encryption {
    /// Trusts the web's authorities and those in some files of PEM.
    pub(crate) fn new(authorities: &[PathBuf], names: Arc<dyn Resolve>) -> Result<Self, StartError> {
        let mut roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        for file in authorities {
            let failed = |reason: String| StartError::Authority {
                file: file.clone(),
                reason,
            };
            let certificates = CertificateDer::pem_file_iter(file)
                .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                .map_err(|error| failed(error.to_string()))?;
            if certificates.is_empty() {
                return Err(failed("it holds no certificate".to_owned()));
            }
            for certificate in certificates {
                roots
                    .add(certificate)
                    .map_err(|error| failed(error.to_string()))?;
            }
        }
        // Named rather than taken from the process: another crate may have set another one.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            config: Arc::new(config),
            names,
        })
    }

    /// What opens connections for a plugin.
    pub(super) fn connector(
        &self,
        plugin: &PluginName,
        grants: &Grants,
        wanted: Option<&Grants>,
        lookups: Lookups,
    ) -> Connector {
        HttpsConnectorBuilder::new()
            .with_tls_config((*self.config).clone())
            .https_or_http()
            .enable_http1()
            .wrap_connector(Checked {
                plugin: plugin.clone(),
                networks: grants.networks.as_slice().into(),
                wanted: wanted.map(|wanted| wanted.networks.as_slice().into()),
                names: self.names.clone(),
                lookups,
            })
    }
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    /// The name has no addresses.
    #[error("the name could not be resolved: {0}")]
    Name(io::Error),
    /// None of its addresses is allowed.
    #[error("none of the name's addresses is public, or in `networks` of grants.yaml and of the manifest")]
    Denied,
    /// Nobody answered.
    #[error("failed to connect: {0}")]
    Io(io::Error),
}

/// Connects to addresses that a plugin may reach.
#[derive(Clone)]
pub(super) struct Checked {
    plugin: PluginName,
    networks: Arc<[Network]>,
    /// The networks that its manifest wants; none without a manifest.
    wanted: Option<Arc<[Network]>>,
    names: Arc<dyn Resolve>,
    lookups: Lookups,
}

impl Checked {
    async fn connect(self, uri: Uri) -> Result<TokioIo<TcpStream>, ConnectError> {
        // The request was granted by its target, so it has one.
        let target = Target::of(&uri).ok_or(ConnectError::Denied)?;
        let addresses: Vec<SocketAddr> = match &target.host {
            Host::Address(address) => vec![SocketAddr::new(*address, target.port)],
            Host::Name(name) => self
                .lookups
                .addresses(self.names.clone(), name)
                .await
                .map_err(ConnectError::Name)?
                .into_iter()
                .map(|address| SocketAddr::new(address, target.port))
                .collect(),
        };
        let mut failed = ConnectError::Denied;
        for address in addresses.into_iter().take(HTTP_ADDRESSES_TRIED_MAX) {
            if !address::allowed(&target.host, address.ip(), &self.networks) {
                tracing::warn!(
                    plugin = %self.plugin,
                    host = %target.host,
                    address = %address.ip(),
                    "denied a connection: the granted name leads to an address that is not public; \
                     if it is meant, add its range to `networks` in grants.yaml"
                );
                continue;
            }
            let wanted = self.wanted.as_deref();
            if wanted.is_some_and(|wanted| !address::allowed(&target.host, address.ip(), wanted)) {
                tracing::warn!(
                    plugin = %self.plugin,
                    host = %target.host,
                    address = %address.ip(),
                    "denied a connection: the name leads to an address in a network that is granted and \
                     that the plugin's manifest does not want (`networks` in [wants] of plugin.toml)"
                );
                continue;
            }
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    // Requests are small and somebody waits for each.
                    stream.set_nodelay(true).map_err(ConnectError::Io)?;
                    return Ok(TokioIo::new(stream));
                }
                Err(error) => failed = ConnectError::Io(error),
            }
        }
        Err(failed)
    }
}

impl Service<Uri> for Checked {
    type Response = TokioIo<TcpStream>;
    type Error = ConnectError;
    type Future = Boxed<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}
