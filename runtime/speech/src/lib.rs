//! Voices and ears: how a prompt becomes sound, and how a caller's words become text.
//!
//! [`utterances`] is pure: it turns the parts of a prompt into words that any engine reads right.
//! [`Voices`] asks engines to say them (programs on this machine, or services over HTTP) and keeps
//! what they said. [`Ears`] hears through a provider over a WebSocket.
//!
//! Engines and providers are others' work. Whatever they send is bounded in time and in size, and
//! what they fail at is a typed error: what a caller hears instead is decided by whoever asks.
//! Nothing here knows what a call or a contact is, and no line that is logged holds a text.

mod breaker;
mod cache;
mod ears;
mod engine;
mod error;
mod flight;
mod limits;
mod say;
mod settings;
mod voice;
mod warm;
mod wav;

pub use self::{
    ears::{Ears, EarsError, Understood},
    error::{SettingsError, VoiceError},
    limits::{HINTS_MAX, UTTERANCE_CHARS_MAX},
    say::{Utterance, utterances},
    settings::{CacheSettings, EarSettings, EngineSettings, Keep, Secrets, Settings},
    voice::{ESPEAK_NG, Prompt, Spoken, VoiceChoice, VoiceChoices, Voices},
    warm::{Progress, Warming},
};
