//! Ears: what a caller says, as text, from a provider over a WebSocket.
//!
//! The protocol is ours, and small, so that a provider is a page of code in front of any
//! recogniser (docs/reference/speech-input.md). A provider is not trusted: with time, with sizes,
//! with the order of its messages. It never holds up a call: sound that it does not take is
//! dropped, the oldest first.

mod error;
mod hearing;
mod protocol;
mod provider;

use std::{collections::BTreeMap, sync::Arc};

use tokio::sync::mpsc;

pub use self::error::EarsError;
use self::{hearing::Hearing, provider::Provider};
use crate::{
    error::SettingsError,
    limits::{HINT_CHARS_MAX, HINTS_MAX, UNDERSTOOD_WAITING_MAX},
    settings::{Secrets, Settings},
};

/// What was understood, in its order: at most one `Began`, then partial texts, then a `Final` or
/// a `Failed`, after which nothing follows.
#[derive(Debug, Clone, PartialEq)]
pub enum Understood {
    /// Somebody began to speak.
    Began,
    /// What was said so far, as far as is known. Each replaces the one before.
    Partial(String),
    /// What was said.
    Final {
        /// The words; empty when nothing was understood.
        text: String,
        /// From 0 to 1, where the provider says it.
        confidence: Option<f32>,
    },
    /// Nothing will be understood any more.
    Failed(EarsError),
}

/// Hears callers. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Ears(Arc<BTreeMap<String, Arc<Provider>>>);

impl Ears {
    /// Ears of the operator's settings.
    ///
    /// # Errors
    ///
    /// Fails where the settings make no sense. A provider that does not answer shows when somebody
    /// is to be heard.
    pub fn new(settings: &Settings, secrets: &Secrets) -> Result<Self, SettingsError> {
        let mut providers = BTreeMap::new();
        for (name, ear) in &settings.ears {
            let provider =
                Provider::new(name, ear, secrets.clone()).map_err(|reason| SettingsError::Ear {
                    name: name.clone(),
                    reason,
                })?;
            providers.insert(name.clone(), Arc::new(provider));
        }
        Ok(Self(Arc::new(providers)))
    }

    /// Whether a provider could hear somebody in a language, for checks at the start.
    ///
    /// # Errors
    ///
    /// Says what to do: declare the provider, or the language of it, or give its secret.
    pub fn available(&self, engine: &str, language: &str) -> Result<(), EarsError> {
        self.provider(engine, language)?.available()
    }

    /// Hears one answer by the provider that the hotline names. `sound` is the caller's, at 8,000 samples a second, as it comes; its end
    /// says that nothing more will be said. Dropping what is returned ends the listening.
    ///
    /// `hints` are words that are likely, such as those of a menu. Only the first [`HINTS_MAX`] are
    /// told to the provider.
    pub fn listen(
        &self,
        engine: &str,
        language: &str,
        hints: &[String],
        sound: mpsc::Receiver<Arc<[i16]>>,
    ) -> mpsc::Receiver<Understood> {
        let (understood, receiver) = mpsc::channel(UNDERSTOOD_WAITING_MAX);
        match self.provider(engine, language) {
            Ok(provider) => {
                let hints = hints
                    .iter()
                    .take(HINTS_MAX)
                    .map(|hint| hint.chars().take(HINT_CHARS_MAX).collect())
                    .collect();
                let hearing = Hearing::new(provider, language.to_owned(), hints, sound, understood);
                tokio::spawn(hearing.run());
            }
            // Nobody else sends, so there is room.
            Err(error) => drop(understood.try_send(Understood::Failed(error))),
        }
        receiver
    }

    /// The provider of a name, if it hears the language. Callers' sound goes to nobody whom the hotline does
    /// not name.
    fn provider(&self, engine: &str, language: &str) -> Result<Arc<Provider>, EarsError> {
        self.0
            .get(engine)
            .filter(|provider| provider.hears_all() || provider.names(language))
            .cloned()
            .ok_or_else(|| EarsError::NoProvider {
                engine: engine.into(),
                language: language.into(),
            })
    }
}

#[cfg(test)]
mod tests;
