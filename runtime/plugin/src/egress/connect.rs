//! Connections: the name is resolved once, each address is checked, and the connection goes to
//! the very address that was checked.

use std::{
    net::SocketAddr,
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
use tokio::net::TcpStream;
use tower_service::Service;
use trunkline_model::PluginName;

use super::{Boxed, address, resolve::Resolve};
use crate::{
    Grants, StartError,
    grants::{Host, Network, Target},
    limits::HTTP_ADDRESSES_TRIED_MAX,
};

/// What connections of all plugins have in common: TLS by ring, the web's authorities and those that
/// the operator trusts, and where names are looked up.
#[derive(Clone)]
pub(crate) struct Encryption {
    config: Arc<ClientConfig>,
    names: Arc<dyn Resolve>,
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
    pub(super) fn connector(&self, plugin: &PluginName, grants: &Grants) -> Connector {
        HttpsConnectorBuilder::new()
            .with_tls_config((*self.config).clone())
            .https_or_http()
            .enable_http1()
            .wrap_connector(Checked {
                plugin: plugin.clone(),
                networks: grants.networks.as_slice().into(),
                names: self.names.clone(),
            })
    }
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    /// The name has no addresses.
    #[error("the name could not be resolved: {0}")]
    Name(std::io::Error),
    /// None of its addresses is allowed.
    #[error("none of the name's addresses is public or in `networks` of grants.yaml")]
    Denied,
    /// Nobody answered.
    #[error("failed to connect: {0}")]
    Io(std::io::Error),
}

/// Connects to addresses that a plugin may reach.
#[derive(Clone)]
pub(super) struct Checked {
    plugin: PluginName,
    networks: Arc<[Network]>,
    names: Arc<dyn Resolve>,
}

impl Checked {
    async fn connect(self, uri: Uri) -> Result<TokioIo<TcpStream>, ConnectError> {
        // The request was granted by its target, so it has one.
        let target = Target::of(&uri).ok_or(ConnectError::Denied)?;
        let addresses: Vec<SocketAddr> = match &target.host {
            Host::Address(address) => vec![SocketAddr::new(*address, target.port)],
            Host::Name(name) => self
                .names
                .resolve(name)
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
