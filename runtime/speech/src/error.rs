//! What can go wrong with a voice.

use std::sync::Arc;

/// Why something was not said. What the caller hears instead is not decided here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VoiceError {
    /// No voice is declared for a language, and there is none to fall back to.
    #[error(
        "no voice speaks {language}: declare one under `voices:` in hotline.yaml, or install espeak-ng on the server"
    )]
    NoVoice {
        /// The language's tag.
        language: Arc<str>,
    },
    /// An engine is not there.
    #[error("the engine {name} is missing: {mend}")]
    EngineMissing {
        /// Its name.
        name: Arc<str>,
        /// What to do about it.
        mend: Arc<str>,
    },
    /// An engine took too long.
    #[error("the engine {name} did not answer within {ms} ms")]
    TimedOut {
        /// Its name.
        name: Arc<str>,
        /// How long it may take, in milliseconds.
        ms: u64,
    },
    /// All turns at an engine are taken.
    #[error("the engine {name} is busy: give it more with `at-once`, or another machine")]
    Busy {
        /// Its name.
        name: Arc<str>,
    },
    /// An engine failed several times in a row and is left alone for a while.
    #[error("the engine {name} is left alone for a while: it failed too often in a row")]
    Resting {
        /// Its name.
        name: Arc<str>,
    },
    /// An engine answered with too much.
    #[error("the engine {name} answered with more than {bytes_max} bytes")]
    TooLarge {
        /// Its name.
        name: Arc<str>,
        /// What it may answer with.
        bytes_max: usize,
    },
    /// What an engine answered is no WAV.
    #[error("what the engine {name} answered cannot be played: {reason}")]
    NotAudio {
        /// Its name.
        name: Arc<str>,
        /// What is wrong with it.
        reason: Arc<str>,
    },
    /// An engine failed.
    #[error("the engine {name} failed: {reason}")]
    Failed {
        /// Its name.
        name: Arc<str>,
        /// What it said about it. May name what was said: not for logs.
        reason: Arc<str>,
    },
}

impl VoiceError {
    /// Its kind, for logs and metrics: it holds nothing of what was said.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::NoVoice { .. } => "no-voice",
            Self::EngineMissing { .. } => "missing",
            Self::TimedOut { .. } => "timed-out",
            Self::Busy { .. } => "busy",
            Self::Resting { .. } => "resting",
            Self::TooLarge { .. } => "too-large",
            Self::NotAudio { .. } => "not-audio",
            Self::Failed { .. } => "failed",
        }
    }
}

/// What is wrong with the operator's settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// An engine's settings.
    #[error("engines.{name}: {reason}")]
    Engine {
        /// Its name.
        name: String,
        /// What is wrong, and what to write instead.
        reason: String,
    },
    /// A provider's settings.
    #[error("ears.{name}: {reason}")]
    Ear {
        /// Its name.
        name: String,
        /// What is wrong, and what to write instead.
        reason: String,
    },
    /// The cache's folder cannot be used.
    #[error("the voices' cache cannot be kept in {folder}: {reason}")]
    Cache {
        /// The folder.
        folder: String,
        /// Why not.
        reason: std::io::Error,
    },
    /// TLS could not be set up.
    #[error("TLS could not be set up: {0}")]
    Tls(String),
}
