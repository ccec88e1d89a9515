//! Pushes and pulls that come to nothing, and what the failures of the client mean.

use oci_client::{
    errors::{DigestError, OciDistributionError, OciErrorCode},
    secrets::RegistryAuth,
};
use trunkline_model::Digest;

use super::Line;
use crate::{
    credentials::{CredentialsError, TOKENS_VARIABLE},
    package::PackageError,
};

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
    /// Credentials would go to somebody else than the registry.
    #[error(
        "credentials for {registry} are not sent to {realm:?}, where it gives out tokens: only over TLS, and only to itself or to the host that {TOKENS_VARIABLE} names"
    )]
    Realm {
        /// The registry.
        registry: String,
        /// Where it sends those who want in.
        realm: String,
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

impl Line<'_> {
    /// What a failure of the client means.
    pub(super) fn failed(&self, error: OciDistributionError) -> RegistryError {
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
pub(super) fn may_pass(error: &OciDistributionError) -> bool {
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
    error
        .get_ref()
        .is_some_and(<dyn std::error::Error + Send + Sync>::is::<DigestError>)
}

/// The cause that says most: errors of clients say where first, and why last.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
