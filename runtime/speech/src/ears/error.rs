//! Why a caller is not heard.

use std::sync::Arc;

/// Why nothing will be understood. None holds anything of what was said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EarsError {
    /// There is no such provider, or it does not hear the language.
    #[error(
        "{engine} hears no {language}: declare it as [ears.{engine}] in phone.toml, with the language among its \
         languages, or name another in hotline.yaml"
    )]
    NoProvider {
        /// The provider's name.
        engine: Arc<str>,
        /// The language's tag.
        language: Arc<str>,
    },
    /// Something of the provider's settings is missing.
    #[error("the provider {name} cannot be asked: {mend}")]
    Missing {
        /// Its name.
        name: Arc<str>,
        /// What to do about it.
        mend: Arc<str>,
    },
    /// It was not reached.
    #[error("the provider {name} was not reached: {reason}")]
    Unreachable {
        /// Its name.
        name: Arc<str>,
        /// Why not.
        reason: Arc<str>,
    },
    /// The connection broke, and broke again.
    #[error("the provider {name} was lost while it listened")]
    Lost {
        /// Its name.
        name: Arc<str>,
    },
    /// It heard somebody, or was told that all was said, and did not answer.
    #[error("the provider {name} did not answer in time")]
    TimedOut {
        /// Its name.
        name: Arc<str>,
    },
    /// Nobody said anything for as long as anybody is listened to.
    #[error("the provider {name} listened for as long as it may")]
    TooLong {
        /// Its name.
        name: Arc<str>,
    },
    /// It sent what the protocol does not have.
    #[error("the provider {name} does not keep to the protocol: {what} (docs/reference/speech-input.md)")]
    Protocol {
        /// Its name.
        name: Arc<str>,
        /// What it did.
        what: &'static str,
    },
    /// It said that it failed.
    #[error("the provider {name} failed: {code}")]
    Failed {
        /// Its name.
        name: Arc<str>,
        /// Its code for it.
        code: Arc<str>,
    },
}

impl EarsError {
    /// Its kind, for logs and metrics.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::NoProvider { .. } => "no-provider",
            Self::Missing { .. } => "missing",
            Self::Unreachable { .. } => "unreachable",
            Self::Lost { .. } => "lost",
            Self::TimedOut { .. } => "timed-out",
            Self::TooLong { .. } => "too-long",
            Self::Protocol { .. } => "protocol",
            Self::Failed { .. } => "failed",
        }
    }
}
