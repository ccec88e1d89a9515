//! Engines: what speaks. One is a program or a service; both take words and give a WAV.
//!
//! Here is what they share: turns, so that a machine is not asked for more than it does at once;
//! a breaker; and one kind of error. What an engine writes is not trusted with anything.

pub(crate) mod command;
pub(crate) mod espeak;
pub(crate) mod service;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::Semaphore;

use self::{command::Program, espeak::Espeak, service::Service};
use trunkline_media::Sound;

use crate::{
    breaker::Breaker,
    error::{SettingsError, VoiceError},
    limits::{
        AT_ONCE_DEFAULT, AT_ONCE_MAX, ENGINE_TIME_DEFAULT, FAILING_VOICES_MAX, REASON_CHARS_MAX,
        SOUND_BYTES_MAX, TIME_MAX, TURN_WITHIN,
    },
    settings::{EngineSettings, Secrets},
    wav,
};

/// What an engine is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Words {
    pub(crate) language: Arc<str>,
    pub(crate) voice: Option<Arc<str>>,
    /// How fast, where 1 is the voice's own way.
    pub(crate) speed: f32,
    pub(crate) text: Arc<str>,
}

/// Why an engine did not answer with sound, before its name is put to it.
#[derive(Debug)]
pub(crate) enum Fault {
    Missing(String),
    TooLarge,
    NotAudio(String),
    /// It is there and does not serve anybody: what it said about it.
    Down(String),
    /// What it said about it; another voice may still be well.
    Failed(String),
}

impl Fault {
    /// Whether no other words would have fared better.
    fn is_the_engines(&self) -> bool {
        match self {
            Fault::Missing(_) | Fault::Down(_) => true,
            Fault::TooLarge | Fault::NotAudio(_) | Fault::Failed(_) => false,
        }
    }
}

/// Against what a failure counts.
enum Against {
    Engine,
    Voice,
}

#[derive(Debug)]
enum Kind {
    Espeak(Espeak),
    Program(Program),
    Service(Box<Service>),
}

/// An engine.
#[derive(Debug)]
pub(crate) struct Engine {
    name: Arc<str>,
    kind: Kind,
    /// What is taken when nobody names a voice.
    voice: Option<Arc<str>>,
    time: Duration,
    turns: Semaphore,
    breaker: Breaker,
    /// One wrong voice must not silence the others.
    voices: Voices,
    identity: String,
}

/// The breakers of an engine's voices, as far as they fail.
#[derive(Debug, Default)]
struct Voices(Mutex<HashMap<Arc<str>, Arc<Breaker>>>);

impl Voices {
    fn get(&self, voice: &str) -> Option<Arc<Breaker>> {
        let voices = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        voices.get(voice).cloned()
    }

    /// Whether this failure sent the voice to rest.
    fn failed(&self, voice: &str) -> bool {
        let mut voices = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if voices.len() >= FAILING_VOICES_MAX && !voices.contains_key(voice) {
            // Each is found failing again soon enough.
            voices.clear();
        }
        voices.entry(voice.into()).or_default().failed()
    }

    fn answered(&self, voice: &str) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(voice);
    }
}

impl Engine {
    /// espeak-ng, as it is installed.
    pub(crate) fn espeak(name: &str) -> Self {
        Self::new(
            name,
            Kind::Espeak(Espeak),
            &EngineSettings::default(),
            "espeak-ng".to_owned(),
        )
    }

    /// An engine of the operator's settings.
    pub(crate) fn of(
        name: &str,
        settings: &EngineSettings,
        secrets: &Secrets,
    ) -> Result<Self, SettingsError> {
        let refuse = |reason: &str| SettingsError::Engine {
            name: name.to_owned(),
            reason: reason.to_owned(),
        };
        let kind = match (&settings.command, &settings.url) {
            (Some(command), None) => {
                if settings.secret.is_some() || settings.header.is_some() || settings.body.is_some() {
                    return Err(refuse(
                        "`secret`, `header` and `body` are for a `url`, not for a `command`",
                    ));
                }
                Kind::Program(Program::new(command, &settings.environment).map_err(|reason| refuse(&reason))?)
            }
            (None, Some(url)) => {
                if !settings.environment.is_empty() {
                    return Err(refuse("`environment` is for a `command`, not for a `url`"));
                }
                let service =
                    Service::new(url, settings, secrets.clone()).map_err(|reason| refuse(&reason))?;
                Kind::Service(Box::new(service))
            }
            (Some(_), Some(_)) => return Err(refuse("it has a `command` and a `url`: keep one")),
            (None, None) => {
                return Err(refuse(
                    "it has neither a `command` nor a `url`, such as command = [\"piper\", \"--model\", \"{voice}\"]",
                ));
            }
        };
        let time = settings
            .time
            .map_or(ENGINE_TIME_DEFAULT, trunkline_model::Duration::to_std);
        if time.is_zero() || time > TIME_MAX {
            return Err(refuse("`time` is from 1ms to 2m"));
        }
        if settings
            .at_once
            .is_some_and(|at_once| at_once == 0 || at_once > AT_ONCE_MAX)
        {
            return Err(refuse("`at-once` is from 1 to 256"));
        }
        // All that decides how it sounds, but not the secret.
        let identity = format!("{:?} {:?} {:?}", settings.command, settings.url, settings.body);
        Ok(Self::new(name, kind, settings, identity))
    }

    fn new(name: &str, kind: Kind, settings: &EngineSettings, identity: String) -> Self {
        Self {
            name: name.into(),
            kind,
            voice: settings.voice.as_deref().map(Into::into),
            time: settings
                .time
                .map_or(ENGINE_TIME_DEFAULT, trunkline_model::Duration::to_std),
            turns: Semaphore::new(settings.at_once.unwrap_or(AT_ONCE_DEFAULT)),
            breaker: Breaker::default(),
            voices: Voices::default(),
            identity,
        }
    }

    /// What its sound depends on besides the words.
    pub(crate) fn identity(&self) -> &str {
        &self.identity
    }

    pub(crate) fn voice(&self) -> Option<&Arc<str>> {
        self.voice.as_ref()
    }

    /// Whether it could be asked now: its program is installed, its secret is known.
    pub(crate) fn available(&self) -> Result<(), VoiceError> {
        let available = match &self.kind {
            Kind::Espeak(espeak) => espeak.available(),
            Kind::Program(program) => program.available(),
            Kind::Service(service) => service.available(),
        };
        available.map_err(|mend| self.error(Fault::Missing(mend)))
    }

    /// Says words: the sound, and the WAV that it was read from. Dropping this stops the program or
    /// the request.
    pub(crate) async fn say(&self, words: &Words) -> Result<(Sound, Vec<u8>), VoiceError> {
        let busy = || VoiceError::Busy {
            name: self.name.clone(),
        };
        let _turn = tokio::time::timeout(TURN_WITHIN, self.turns.acquire())
            .await
            .map_err(|_| busy())?
            .map_err(|_| busy())?;
        // The language is a part of it: an engine may choose the voice by that.
        let voice = format!(
            "{} {}",
            words.language,
            words.voice.as_deref().unwrap_or_default()
        );
        let rests = self.voices.get(&voice).is_some_and(|breaker| !breaker.admits());
        if rests || !self.breaker.admits() {
            return Err(VoiceError::Resting {
                name: self.name.clone(),
            });
        }
        let result = self.ask(words).await;
        if let Err((error, against)) = &result {
            // Its own words may hold what was said: only the kind is logged.
            tracing::warn!(engine = %self.name, kind = error.kind(), "an engine failed");
            match against {
                Against::Engine => {
                    if self.breaker.failed() {
                        tracing::error!(engine = %self.name, "an engine failed too often in a row and is left alone for a while");
                    }
                }
                Against::Voice => {
                    // It answers, if only to say no.
                    self.breaker.answered();
                    if self.voices.failed(&voice) {
                        tracing::error!(engine = %self.name, "a voice of an engine failed too often in a row and is left alone for a while");
                    }
                }
            }
        } else {
            self.breaker.answered();
            self.voices.answered(&voice);
        }
        let result = result.map_err(|(error, _)| error);
        let kind = result.as_ref().map_or_else(VoiceError::kind, |_| "ok");
        metrics::counter!("trunkline_speech_utterances_total", "engine" => self.name.to_string(), "result" => kind)
            .increment(1);
        result
    }

    async fn ask(&self, words: &Words) -> Result<(Sound, Vec<u8>), (VoiceError, Against)> {
        let error = |fault: Fault| {
            let against = if fault.is_the_engines() {
                Against::Engine
            } else {
                Against::Voice
            };
            (self.error(fault), against)
        };
        let asking = async {
            match &self.kind {
                Kind::Espeak(espeak) => espeak.say(words).await,
                Kind::Program(program) => program.say(words).await,
                Kind::Service(service) => service.say(words).await,
            }
        };
        let mut wav = tokio::time::timeout(self.time, asking)
            .await
            .map_err(|_| {
                let late = VoiceError::TimedOut {
                    name: self.name.clone(),
                    ms: u64::try_from(self.time.as_millis()).unwrap_or(u64::MAX),
                };
                (late, Against::Engine)
            })?
            .map_err(error)?;
        // Reading takes milliseconds, and changes the sampling rate: not on the threads of calls.
        let read = tokio::task::spawn_blocking(move || {
            wav::mend(&mut wav);
            let sound = Sound::from_wav(&wav).map_err(|error| error.to_string())?;
            if sound.length().is_zero() {
                return Err("it holds no sound".to_owned());
            }
            Ok((sound, wav))
        });
        read.await
            .unwrap_or_else(|_| Err("it could not be read".to_owned()))
            .map_err(|reason| error(Fault::NotAudio(reason)))
    }

    fn error(&self, fault: Fault) -> VoiceError {
        let name = self.name.clone();
        match fault {
            Fault::Missing(mend) => VoiceError::EngineMissing {
                name,
                mend: mend.into(),
            },
            Fault::TooLarge => VoiceError::TooLarge {
                name,
                bytes_max: SOUND_BYTES_MAX,
            },
            Fault::NotAudio(reason) => VoiceError::NotAudio {
                name,
                reason: short(&reason).into(),
            },
            Fault::Down(reason) | Fault::Failed(reason) => VoiceError::Failed {
                name,
                reason: short(&reason).into(),
            },
        }
    }
}

/// An engine's own words: in one line, and not many.
fn short(reason: &str) -> String {
    reason
        .chars()
        .map(|character| if character.is_control() { ' ' } else { character })
        .take(REASON_CHARS_MAX)
        .collect()
}

impl Words {
    /// Puts the language, the voice and the speed where a template names them. One pass: what is
    /// put in is not looked at again.
    fn fill(&self, template: &str, text: Option<&str>) -> String {
        let mut filled = String::with_capacity(template.len());
        let mut rest = template;
        while let Some(at) = rest.find('{') {
            filled.push_str(&rest[..at]);
            rest = &rest[at..];
            let speed = self.speed.to_string();
            let names = [
                ("{language}", Some(&*self.language)),
                ("{voice}", Some(self.voice.as_deref().unwrap_or_default())),
                ("{speed}", Some(&*speed)),
                ("{text}", text),
            ];
            let found = names.iter().find_map(|(name, value)| {
                let after = rest.strip_prefix(name)?;
                Some((after, (*value)?))
            });
            if let Some((after, value)) = found {
                filled.push_str(value);
                rest = after;
            } else {
                filled.push('{');
                rest = &rest[1..];
            }
        }
        filled + rest
    }
}

#[cfg(test)]
mod tests;
