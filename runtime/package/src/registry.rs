//! Packages in registries of OCI: pushed and pulled in the layout that the CNCF gives to
//! WebAssembly, with their signatures where cosign looks for them.
//!
//! What is pulled is bounded, and its digests are verified here whatever the registry says. A
//! version that is published stays: pushing other content under it is refused. TLS is asked of
//! every registry but those on this machine, unless [`Settings::plain_http`] says otherwise.

mod signatures;

use std::{sync::Arc, time::Duration};

use futures::StreamExt as _;
use oci_client::{
    Client, Reference as Image, RegistryOperation,
    client::{ClientConfig, ClientProtocol},
    errors::{DigestError, OciDistributionError, OciErrorCode},
    manifest::OciDescriptor,
    secrets::RegistryAuth,
};
use trunkline_model::Digest;

use crate::{
    credentials::{Credentials, CredentialsError},
    package::{Descriptor, MANIFEST_MEDIA_TYPE, Package, PackageError, parts},
    reference::{Reference, Version},
};

/// How long a connection may take to come about.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// How long a registry may be silent.
const SILENT_AT_MOST: Duration = Duration::from_secs(30);

/// How long a push or a pull may take, unless it is said otherwise.
pub const TIME_DEFAULT: Duration = Duration::from_secs(300);

/// How often a request is made at most when the network or the registry fails.
const ATTEMPTS_MAX: u32 = 3;

/// The pause before the second attempt; the next is twice as long.
const PAUSE_FIRST: Duration = Duration::from_millis(250);

/// Bytes of one piece of what is pushed.
const PIECE_BYTES: usize = 256 << 10;

/// Told how many bytes of how many have moved.
pub type Progress = Arc<dyn Fn(u64, u64) + Send + Sync>;

/// How registries are spoken to.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Who one is.
    pub credentials: Credentials,
    /// Whether registries on other machines are spoken to without TLS. Credentials are not
    /// sent to them then.
    pub plain_http: bool,
    /// How long a push or a pull may take.
    pub time: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            credentials: Credentials::none(),
            plain_http: false,
            time: TIME_DEFAULT,
        }
    }
}

/// Speaks to registries.
#[derive(Clone, Debug)]
pub struct Registries {
    settings: Settings,
}

/// A push or a pull that came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// There is no such package.
    #[error("there is no {reference}: the registry does not have that version, or not for this user")]
    NotFound {
        /// What was asked for.
        reference: String,
    },
    /// The registry wants to know who one is.
    #[error(
        "{registry} does not let in {who}; log in with `docker login {registry}`, or set TRUNKLINE_REGISTRY, TRUNKLINE_REGISTRY_USER and TRUNKLINE_REGISTRY_PASSWORD"
    )]
    Unauthorized {
        /// The registry.
        registry: String,
        /// Whoever asked.
        who: String,
    },
    /// The registry cannot be reached.
    #[error("failed to reach {registry}: {reason}")]
    Unreachable {
        /// The registry.
        registry: String,
        /// Why.
        reason: String,
    },
    /// It took too long.
    #[error("{reference} took longer than {seconds} s; try again, or give more time with --time")]
    TimedOut {
        /// What was asked for.
        reference: String,
        /// The bound.
        seconds: u64,
    },
    /// Credentials would go over the network for all to read.
    #[error(
        "credentials for {registry} are not sent without TLS; leave out --plain-http, or let the registry do without them"
    )]
    InClear {
        /// The registry.
        registry: String,
    },
    /// The version is there with other content.
    #[error(
        "{reference} is published already with other content (sha256:{there}); what is published stays: raise `version` in plugin.toml and build again"
    )]
    Published {
        /// What was pushed.
        reference: String,
        /// The digest of the manifest that is there.
        there: Digest,
    },
    /// What came is not what was asked for.
    #[error(
        "{registry} sent other bytes than those of sha256:{wanted}; they are refused: tell whoever runs the registry"
    )]
    Tampered {
        /// The registry.
        registry: String,
        /// What was asked for.
        wanted: String,
    },
    /// What came is no package.
    #[error("{reference} cannot be used: {source}")]
    Package {
        /// What was asked for.
        reference: String,
        /// Why.
        source: PackageError,
    },
    /// Credentials are there and cannot be used.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The registry said something else.
    #[error("{registry} refused: {source}")]
    Refused {
        /// The registry.
        registry: String,
        /// What it said.
        source: OciDistributionError,
    },
}

/// One registry that is spoken to.
struct Line<'a> {
    client: Client,
    auth: RegistryAuth,
    reference: &'a Reference,
}

impl Registries {
    /// Speaks to registries as it is told.
    pub fn new(settings: Settings) -> Self {
        // Whoever came first has installed the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { settings }
    }

    /// Fetches a package with its signatures. Whose signatures it needs is for the caller to
    /// say.
    ///
    /// # Errors
    /// See [`RegistryError`].
    pub async fn pull(&self, reference: &Reference, progress: &Progress) -> Result<Package, RegistryError> {
        let line = self.line(reference)?;
        self.within(reference, line.pull(progress)).await
    }

    /// Publishes a package with its signatures, under the version that the reference names.
    ///
    /// # Errors
    /// See [`RegistryError`]; the version is there with other content.
    pub async fn push(
        &self,
        reference: &Reference,
        package: &Package,
        progress: &Progress,
    ) -> Result<(), RegistryError> {
        let line = self.line(reference)?;
        self.within(reference, line.push(package, progress)).await
    }

    async fn within<T>(
        &self,
        reference: &Reference,
        work: impl Future<Output = Result<T, RegistryError>>,
    ) -> Result<T, RegistryError> {
        // Dropped, a request ends where it is: a manifest is pushed last, so nothing is half there.
        tokio::time::timeout(self.settings.time, work)
            .await
            .unwrap_or_else(|_| {
                Err(RegistryError::TimedOut {
                    reference: reference.to_string(),
                    seconds: self.settings.time.as_secs(),
                })
            })
    }

    fn line<'a>(&self, reference: &'a Reference) -> Result<Line<'a>, RegistryError> {
        let registry = reference.registry();
        let login = self.settings.credentials.of(registry)?;
        let plain = self.settings.plain_http || reference.is_loopback();
        if plain && login.is_some() && !reference.is_loopback() {
            return Err(RegistryError::InClear {
                registry: registry.to_owned(),
            });
        }
        let config = ClientConfig {
            protocol: if plain {
                ClientProtocol::Http
            } else {
                ClientProtocol::Https
            },
            use_monolithic_push: true,
            // A package is one component for every machine: an index of images is none.
            platform_resolver: None,
            connect_timeout: Some(CONNECT_WITHIN),
            read_timeout: Some(SILENT_AT_MOST),
            user_agent: concat!("trunkline/", env!("CARGO_PKG_VERSION")),
            ..ClientConfig::default()
        };
        let client = Client::try_from(config).map_err(|source| RegistryError::Refused {
            registry: registry.to_owned(),
            source,
        })?;
        let auth = login.map_or(RegistryAuth::Anonymous, |login| {
            RegistryAuth::Basic(login.user, login.password.to_string())
        });
        Ok(Line {
            client,
            auth,
            reference,
        })
    }
}

impl Line<'_> {
    fn image(&self, version: &Version) -> Image {
        let (registry, repository) = (self.reference.registry(), self.reference.repository());
        let (registry, repository) = (registry.to_owned(), repository.to_owned());
        match version {
            Version::Tag(tag) => Image::with_tag(registry, repository, tag.clone()),
            Version::Digest(digest) => Image::with_digest(registry, repository, format!("sha256:{digest}")),
        }
    }

    async fn pull(&self, progress: &Progress) -> Result<Package, RegistryError> {
        let image = self.manifest(self.reference.version()).await?;
        let digest = Digest::of(&image);
        let of_package = |source| RegistryError::Package {
            reference: self.reference.to_string(),
            source,
        };
        let parts = parts(&image).map_err(of_package)?;
        let config = self.blob(&parts.config, &silent()).await?;
        let component = self.blob(&parts.component, progress).await?;
        let signatures = self.signatures(&digest).await?;
        Package::of_parts(component, config, image, signatures).map_err(of_package)
    }

    async fn push(&self, package: &Package, progress: &Progress) -> Result<(), RegistryError> {
        self.authorize(RegistryOperation::Push).await?;
        let digest = package.digest();
        match self.manifest(self.reference.version()).await {
            Ok(there) if Digest::of(&there) == digest => {}
            Ok(there) => {
                return Err(RegistryError::Published {
                    reference: self.reference.to_string(),
                    there: Digest::of(&there),
                });
            }
            Err(RegistryError::NotFound { .. }) => {
                self.push_blob(package.config(), &silent()).await?;
                self.push_blob(package.component(), progress).await?;
                self.push_manifest(self.reference.version(), package.image())
                    .await?;
            }
            Err(error) => return Err(error),
        }
        if package.signatures().is_empty() {
            return Ok(());
        }
        self.push_signatures(&digest, package.signatures()).await
    }

    async fn authorize(&self, operation: RegistryOperation) -> Result<(), RegistryError> {
        let image = self.image(self.reference.version());
        self.attempt(|| self.client.auth(&image, &self.auth, operation))
            .await
            .map(drop)
    }

    /// The bytes of a manifest. One that is asked for by its digest has that digest.
    async fn manifest(&self, version: &Version) -> Result<Vec<u8>, RegistryError> {
        let image = self.image(version);
        let accepted = [MANIFEST_MEDIA_TYPE];
        let (bytes, _) = self
            .attempt(|| self.client.pull_manifest_raw(&image, &self.auth, &accepted))
            .await?;
        if let Version::Digest(wanted) = version
            && Digest::of(&bytes) != *wanted
        {
            return Err(self.tampered(wanted.to_string()));
        }
        Ok(bytes.to_vec())
    }

    /// The bytes that a descriptor names, which is within its bound.
    async fn blob(&self, descriptor: &Descriptor, progress: &Progress) -> Result<Vec<u8>, RegistryError> {
        let wanted = descriptor.sha256().map_err(|source| RegistryError::Package {
            reference: self.reference.to_string(),
            source,
        })?;
        let image = self.image(self.reference.version());
        let named = OciDescriptor {
            digest: descriptor.digest.clone(),
            size: i64::try_from(descriptor.size).unwrap_or(i64::MAX),
            media_type: descriptor.media_type.clone(),
            ..OciDescriptor::default()
        };
        let size = descriptor.size;
        let bytes = self
            .attempt(|| async {
                let mut stream = self.client.pull_blob_stream(&image, &named).await?.stream;
                let mut bytes: Vec<u8> = Vec::new();
                while let Some(piece) = stream.next().await {
                    let piece = piece?;
                    bytes.extend_from_slice(&piece);
                    if bytes.len() as u64 > size {
                        break;
                    }
                    progress(bytes.len() as u64, size);
                }
                Ok(bytes)
            })
            .await?;
        if bytes.len() as u64 != size || Digest::of(&bytes) != wanted {
            return Err(self.tampered(wanted.to_string()));
        }
        Ok(bytes)
    }

    async fn push_blob(&self, bytes: &[u8], progress: &Progress) -> Result<(), RegistryError> {
        let image = self.image(self.reference.version());
        let digest = format!("sha256:{}", Digest::of(bytes));
        if self.attempt(|| self.client.blob_exists(&image, &digest)).await? {
            progress(bytes.len() as u64, bytes.len() as u64);
            return Ok(());
        }
        let size = bytes.len() as u64;
        self.attempt(|| {
            let progress = progress.clone();
            let mut moved = 0;
            let pieces: Vec<_> = bytes
                .chunks(PIECE_BYTES)
                .map(|piece| bytes::Bytes::copy_from_slice(piece))
                .collect();
            let stream = futures::stream::iter(pieces).map(move |piece| {
                moved += piece.len() as u64;
                progress(moved, size);
                Ok(piece)
            });
            self.client.push_blob_stream(&image, stream, &digest, Some(size))
        })
        .await
        .map(drop)
    }

    async fn push_manifest(&self, version: &Version, bytes: &[u8]) -> Result<(), RegistryError> {
        let image = self.image(version);
        self.attempt(|| {
            let media_type = http::HeaderValue::from_static(MANIFEST_MEDIA_TYPE);
            self.client.push_manifest_raw(&image, bytes.to_vec(), media_type)
        })
        .await
        .map(drop)
    }

    /// Asks, and asks again when the network or the registry fails.
    async fn attempt<T, F>(&self, ask: impl Fn() -> F) -> Result<T, RegistryError>
    where
        F: Future<Output = Result<T, OciDistributionError>>,
    {
        let mut pause = PAUSE_FIRST;
        for attempt in 1.. {
            match ask().await {
                Ok(answer) => return Ok(answer),
                Err(error) if attempt < ATTEMPTS_MAX && may_pass(&error) => {
                    tracing::debug!(registry = self.reference.registry(), attempt, "asked again");
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                Err(error) => return Err(self.failed(error)),
            }
        }
        unreachable!("the last attempt returns")
    }

    fn tampered(&self, wanted: String) -> RegistryError {
        RegistryError::Tampered {
            registry: self.reference.registry().to_owned(),
            wanted,
        }
    }

    fn failed(&self, error: OciDistributionError) -> RegistryError {
        let registry = self.reference.registry().to_owned();
        match error {
            OciDistributionError::ImageManifestNotFoundError(_)
            | OciDistributionError::ServerError { code: 404, .. } => RegistryError::NotFound {
                reference: self.reference.to_string(),
            },
            OciDistributionError::RegistryError { ref envelope, .. }
                if envelope.errors.iter().any(|error| {
                    matches!(
                        error.code,
                        OciErrorCode::ManifestUnknown
                            | OciErrorCode::NameUnknown
                            | OciErrorCode::NotFound
                            | OciErrorCode::BlobUnknown
                    )
                }) =>
            {
                RegistryError::NotFound {
                    reference: self.reference.to_string(),
                }
            }
            OciDistributionError::UnauthorizedError { .. }
            | OciDistributionError::AuthenticationFailure(_)
            | OciDistributionError::ServerError { code: 401 | 403, .. } => self.unauthorized(),
            OciDistributionError::RegistryError { ref envelope, .. }
                if envelope
                    .errors
                    .iter()
                    .any(|error| matches!(error.code, OciErrorCode::Unauthorized | OciErrorCode::Denied)) =>
            {
                self.unauthorized()
            }
            OciDistributionError::DigestError(_) => self.tampered("what its manifest names".to_owned()),
            OciDistributionError::RequestError(error) => match error.status().map(|status| status.as_u16()) {
                Some(401 | 403) => self.unauthorized(),
                _ => RegistryError::Unreachable {
                    registry,
                    reason: innermost(&error),
                },
            },
            OciDistributionError::IoError(error) if is_other_digest(&error) => {
                self.tampered("what its manifest names".to_owned())
            }
            OciDistributionError::IoError(error) => RegistryError::Unreachable {
                registry,
                reason: innermost(&error),
            },
            source => RegistryError::Refused { registry, source },
        }
    }

    fn unauthorized(&self) -> RegistryError {
        RegistryError::Unauthorized {
            registry: self.reference.registry().to_owned(),
            who: match &self.auth {
                RegistryAuth::Basic(user, _) => format!("`{user}` with that password"),
                RegistryAuth::Anonymous | RegistryAuth::Bearer(_) => "everybody".to_owned(),
            },
        }
    }
}

/// Whether the same request may do better.
fn may_pass(error: &OciDistributionError) -> bool {
    match error {
        OciDistributionError::RequestError(error) => {
            error.status().is_none_or(|status| status.is_server_error())
        }
        OciDistributionError::IoError(error) => !is_other_digest(error),
        OciDistributionError::ServerError { code, .. } => *code >= 500 || *code == 429,
        _ => false,
    }
}

/// Whether a stream ended because its bytes have another digest.
fn is_other_digest(error: &std::io::Error) -> bool {
    error.get_ref().is_some_and(|source| source.is::<DigestError>())
}

/// The cause that says most: errors of clients say where first, and why last.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

/// A progress that nobody looks at.
pub fn silent() -> Progress {
    Arc::new(|_, _| {})
}
