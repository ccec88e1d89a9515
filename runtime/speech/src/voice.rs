//! Voices: what a prompt sounds like, from memory, from disk, or from an engine.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use trunkline_flow::speech::Speech;

use trunkline_media::Sound;

use crate::{
    cache::{Key, disk::Disk, memory::Memory},
    engine::{Engine, Words},
    error::{SettingsError, VoiceError},
    flight::Flights,
    limits::{AT_ONCE_DEFAULT, DISK_BYTES_DEFAULT, MEMORY_BYTES_DEFAULT},
    say::{self, Utterance, utterances},
    settings::{Keep, Secrets, Settings},
};

/// The engine that is there without being declared, where its program is installed.
pub const ESPEAK_NG: &str = "espeak-ng";

/// Speeds that a hotline may ask for.
const SPEEDS: std::ops::RangeInclusive<f32> = 0.5..=2.0;

/// What an analyst declares for a language.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct VoiceChoice {
    /// The engine, by the operator's name for it.
    pub engine: Arc<str>,
    /// The engine's own name for a voice.
    #[serde(default)]
    pub voice: Option<Arc<str>>,
    /// How fast, where 1 is the voice's own way; from 0.5 to 2.
    #[serde(default)]
    pub speed: Option<f32>,
}

/// The voices of a hotline, by language.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct VoiceChoices(pub BTreeMap<Arc<str>, VoiceChoice>);

impl VoiceChoices {
    /// The choice for a language, looked up from the end of its tag: `zh-yue-HK` finds `zh-yue`,
    /// then `zh`. What a dialect falls back to is the hotline's to say, and comes before that.
    pub fn find(&self, language: &str) -> Option<&VoiceChoice> {
        let mut tag = language;
        loop {
            let found = self.0.iter().find(|(name, _)| name.eq_ignore_ascii_case(tag));
            if let Some((_, choice)) = found {
                return Some(choice);
            }
            (tag, _) = tag.rsplit_once('-')?;
        }
    }
}

/// A prompt to be said.
#[derive(Debug, Clone)]
pub struct Prompt {
    /// The language it is in.
    pub language: Arc<str>,
    /// Its parts.
    pub parts: Vec<Speech>,
    /// The whole of it as text: what is said when it has no parts, and in place of a recording
    /// that cannot be played.
    pub text: Arc<str>,
}

/// What is played for a prompt, in order.
#[derive(Debug, Clone, Default)]
pub struct Spoken {
    /// Sounds, silence and recordings.
    pub sounds: Vec<Sound>,
    /// How many of them an engine had to be asked for; the others were kept from before.
    pub synthesised: usize,
}

impl Spoken {
    /// How long it takes to be said.
    pub fn length(&self) -> Duration {
        self.sounds.iter().map(Sound::length).sum()
    }
}

/// Says prompts. Cheap to clone; clones share engines and what is kept.
#[derive(Clone)]
pub struct Voices(Arc<Inner>);

struct Inner {
    engines: HashMap<Arc<str>, Arc<Engine>>,
    memory: Memory,
    disk: Option<Arc<Disk>>,
    keep: Keep,
    flights: Flights<Key, Result<Sound, VoiceError>>,
}

impl std::fmt::Debug for Voices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Voices").field(&self.0.engines.keys()).finish()
    }
}

impl Voices {
    /// Voices of the operator's settings. Opens the cache's folder, which blocks.
    ///
    /// # Errors
    ///
    /// Fails where the settings make no sense or the folder cannot be used. An engine that is not
    /// installed is no such error: see [`Self::available`].
    pub fn new(settings: &Settings, secrets: &Secrets) -> Result<Self, SettingsError> {
        let mut engines = HashMap::new();
        engines.insert(ESPEAK_NG.into(), Arc::new(Engine::espeak(ESPEAK_NG)));
        for (name, engine) in &settings.engines {
            engines.insert(name.as_str().into(), Arc::new(Engine::of(name, engine, secrets)?));
        }
        let cache = &settings.cache;
        let disk = match &cache.folder {
            Some(folder) => {
                let bytes_max = cache.disk_bytes_max.unwrap_or(DISK_BYTES_DEFAULT);
                let disk = Disk::open(folder.clone(), bytes_max).map_err(|reason| SettingsError::Cache {
                    folder: folder.display().to_string(),
                    reason,
                })?;
                Some(Arc::new(disk))
            }
            None => None,
        };
        Ok(Self(Arc::new(Inner {
            engines,
            memory: Memory::new(cache.memory_bytes_max.unwrap_or(MEMORY_BYTES_DEFAULT)),
            disk,
            keep: cache.keep,
            flights: Flights::default(),
        })))
    }

    /// Whether an engine could speak now, for checks at the start.
    ///
    /// # Errors
    ///
    /// Says what to do: declare it, install its program, give its secret.
    pub fn available(&self, engine: &str) -> Result<(), VoiceError> {
        self.engine(engine)?.available()
    }

    /// Says a prompt: all of its utterances, asked for at once, in their order. A recording is
    /// whatever `recording` gives for its path; where that is nothing, the text is said.
    ///
    /// # Errors
    ///
    /// The first utterance that cannot be said fails the whole: half a prompt may say the
    /// opposite.
    pub async fn say(
        &self,
        choices: &VoiceChoices,
        prompt: &Prompt,
        recording: &(dyn Fn(&str) -> Option<Sound> + Sync),
    ) -> Result<Spoken, VoiceError> {
        self.speak(choices, prompt, recording, false).await
    }

    /// As [`Self::say`], and keeps it on disk: for prompts that say the same to everybody.
    pub(crate) async fn prepare(
        &self,
        choices: &VoiceChoices,
        prompt: &Prompt,
    ) -> Result<Spoken, VoiceError> {
        self.speak(choices, prompt, &|_| None, true).await
    }

    async fn speak(
        &self,
        choices: &VoiceChoices,
        prompt: &Prompt,
        recording: &(dyn Fn(&str) -> Option<Sound> + Sync),
        prepared: bool,
    ) -> Result<Spoken, VoiceError> {
        let mut parts = Vec::new();
        for part in utterances(&prompt.language, &prompt.parts, &prompt.text) {
            match part {
                Utterance::Words(words) => parts.push(Part::Words(words)),
                Utterance::Silence(length) => parts.push(Part::Sound(Sound::silence(length))),
                Utterance::Recording { path } => match recording(&path) {
                    Some(sound) => parts.push(Part::Sound(sound)),
                    None => parts.extend(say::text(&prompt.text).into_iter().filter_map(|part| match part {
                        Utterance::Words(words) => Some(Part::Words(words)),
                        Utterance::Silence(_) | Utterance::Recording { .. } => None,
                    })),
                },
            }
        }
        // Nothing to be said needs no voice.
        let voice = if parts.iter().any(|part| matches!(part, Part::Words(_))) {
            Some(self.voice(choices, &prompt.language)?)
        } else {
            None
        };
        let said: Vec<(Sound, bool)> = stream::iter(parts)
            .map(|part| async {
                match (part, &voice) {
                    (Part::Sound(sound), _) => Ok((sound, false)),
                    (Part::Words(text), Some(voice)) => {
                        self.words(voice, &prompt.language, text, prepared).await
                    }
                    (Part::Words(_), None) => Err(VoiceError::NoVoice {
                        language: prompt.language.clone(),
                    }),
                }
            })
            .buffered(AT_ONCE_DEFAULT)
            .try_collect()
            .await?;
        Ok(Spoken {
            synthesised: said.iter().filter(|(_, synthesised)| *synthesised).count(),
            sounds: said.into_iter().map(|(sound, _)| sound).collect(),
        })
    }

    /// The engine for a language with what is asked of it.
    fn voice(&self, choices: &VoiceChoices, language: &Arc<str>) -> Result<Voice, VoiceError> {
        let (engine, voice, speed) = match choices.find(language) {
            Some(choice) => (self.engine(&choice.engine)?, choice.voice.clone(), choice.speed),
            None => {
                let engine = self.engine(ESPEAK_NG)?;
                engine.available().map_err(|_| VoiceError::NoVoice {
                    language: language.clone(),
                })?;
                (engine, None, None)
            }
        };
        let speed = speed.filter(|speed| speed.is_finite()).unwrap_or(1.0);
        Ok(Voice {
            voice: voice.or_else(|| engine.voice().cloned()),
            engine: engine.clone(),
            speed: speed.clamp(*SPEEDS.start(), *SPEEDS.end()),
        })
    }

    fn engine(&self, name: &str) -> Result<&Arc<Engine>, VoiceError> {
        self.0.engines.get(name).ok_or_else(|| VoiceError::EngineMissing {
            name: name.into(),
            mend: format!("declare it as [engines.{name}] in phone.toml, or name another in hotline.yaml")
                .into(),
        })
    }

    /// One utterance; the flag says whether an engine was asked for it.
    async fn words(
        &self,
        voice: &Voice,
        language: &Arc<str>,
        text: Arc<str>,
        prepared: bool,
    ) -> Result<(Sound, bool), VoiceError> {
        let key = Key::of(&[
            voice.engine.identity(),
            language,
            voice.voice.as_deref().unwrap_or_default(),
            &voice.speed.to_string(),
            &text,
        ]);
        let memory = &self.0.memory;
        // What memory has may not be on disk, where a prepared prompt belongs.
        if !prepared && let Some(sound) = memory.get(key) {
            return Ok((sound, false));
        }
        if let Some(disk) = self.0.disk.clone() {
            let kept = tokio::task::spawn_blocking(move || Sound::from_wav(&disk.get(key)?).ok()).await;
            if let Ok(Some(sound)) = kept {
                memory.put(key, sound.clone());
                return Ok((sound, false));
            }
        }
        let words = Words {
            language: language.clone(),
            voice: voice.voice.clone(),
            speed: voice.speed,
            text,
        };
        let (engine, disk) = (
            voice.engine.clone(),
            self.0
                .disk
                .clone()
                .filter(|_| prepared || self.0.keep == Keep::All),
        );
        let (flight, started) = self
            .0
            .flights
            .join(key, || synthesise(engine, words, key, disk).boxed());
        let sound = flight.await?;
        memory.put(key, sound.clone());
        Ok((sound, started))
    }
}

enum Part {
    Sound(Sound),
    Words(Arc<str>),
}

struct Voice {
    engine: Arc<Engine>,
    voice: Option<Arc<str>>,
    speed: f32,
}

async fn synthesise(
    engine: Arc<Engine>,
    words: Words,
    key: Key,
    disk: Option<Arc<Disk>>,
) -> Result<Sound, VoiceError> {
    let (sound, wav) = engine.say(&words).await?;
    if let Some(disk) = disk {
        // A cache that is not written to costs another synthesis, and is logged where it happens.
        let _ = tokio::task::spawn_blocking(move || disk.put(key, &wav)).await;
    }
    Ok(sound)
}

#[cfg(test)]
mod tests;
