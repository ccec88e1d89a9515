//! Packages in registries of OCI: pushed and pulled in the layout that the CNCF gives to
//! WebAssembly, with their signatures where cosign looks for them.
//!
//! What is pulled is bounded, and its digests are verified here whatever the registry says. A
//! version that is published stays: pushing other content under it is refused. TLS is asked of
//! every registry but those on this machine, unless [`Settings::plain_http`] says otherwise.
//! Credentials go to their own registry, and to where it gives out tokens only if that is its own
//! host or one that was named.

mod error;
mod realm;
mod signatures;

use std::{sync::Arc, time::Duration};

use futures::StreamExt as _;
use oci_client::{
    Client, Reference as Image, RegistryOperation,
    client::{ClientConfig, ClientProtocol},
    errors::OciDistributionError,
    manifest::OciDescriptor,
    secrets::RegistryAuth,
};
use trunkline_model::Digest;

pub use self::error::RegistryError;
use self::error::may_pass;

use crate::{
    credentials::Credentials,
    package::{Descriptor, MANIFEST_MEDIA_TYPE, Package, parts},
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

/// One registry that is spoken to.
struct Line<'a> {
    client: Client,
    auth: RegistryAuth,
    has_login: bool,
    is_plain: bool,
    /// A host to which credentials may go beside the registry's own.
    tokens_of: Option<&'a str>,
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

    fn line<'a>(&'a self, reference: &'a Reference) -> Result<Line<'a>, RegistryError> {
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
        let has_login = login.is_some();
        let auth = login.map_or(RegistryAuth::Anonymous, |login| {
            RegistryAuth::Basic(login.user, login.password.to_string())
        });
        Ok(Line {
            client,
            auth,
            has_login,
            is_plain: plain,
            tokens_of: self.settings.credentials.tokens_of(),
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
        self.realm().await?;
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
        self.realm().await?;
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
                .map(bytes::Bytes::copy_from_slice)
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
}

/// A progress that nobody looks at.
pub fn silent() -> Progress {
    Arc::new(|_, _| {})
}
