//! What a caller hears of a turn: recordings of the release, and voices for the rest.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::time::timeout;
use trunkline_flow::{
    hotline::Hotline,
    speech::Speech,
    step::{Part, Prompt as Written, Verb},
};
use trunkline_media::Sound;
use trunkline_model::Digest;
use trunkline_node::{Node, Release};
use trunkline_speech::{Prompt, VoiceChoice, VoiceChoices, VoiceError, Voices, Warming};

use crate::{
    limits::{SOUNDS_KEPT_SAMPLES_MAX, VOICE_WITHIN},
    observe,
};

/// Makes sound of turns.
pub(crate) struct Prompts {
    node: Node,
    voices: Voices,
    /// Recordings that were decoded, the one used last in front.
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    sounds: HashMap<Digest, Sound>,
    order: VecDeque<Digest>,
    samples: usize,
}

/// Something to be said.
#[derive(Clone, Debug)]
pub(crate) struct Saying {
    pub(crate) language: Arc<str>,
    pub(crate) parts: Vec<Speech>,
    pub(crate) text: Arc<str>,
}

impl Prompts {
    pub(crate) fn new(node: Node, voices: Voices) -> Self {
        Self {
            node,
            voices,
            kept: Mutex::default(),
        }
    }

    /// The sounds of something to be said; none where it cannot be said in time.
    pub(crate) async fn sounds(&self, release: &Release, saying: Saying) -> Option<Vec<Sound>> {
        if saying.text.trim().is_empty() && saying.parts.is_empty() {
            return Some(Vec::new());
        }
        let prompt = Prompt {
            language: saying.language,
            parts: saying.parts,
            text: saying.text,
        };
        let choices = choices(release.hotline());
        let said = timeout(VOICE_WITHIN, async {
            let recordings = self.recordings(release, &prompt.parts).await;
            let recording = |path: &str| recordings.get(path).cloned();
            self.voices.say(&choices, &prompt, &recording).await
        })
        .await;
        let why = match said {
            Ok(Ok(spoken)) => return Some(spoken.sounds),
            // What an engine says of its failure may hold what was to be said.
            Ok(Err(error)) => error.kind(),
            Err(_) => "timed-out",
        };
        metrics::counter!(observe::MUTE, "why" => why).increment(1);
        tracing::warn!(
            language = %prompt.language,
            why,
            release = release.id().short(),
            "a prompt could not be said; the caller hears a tone and the flow goes on"
        );
        None
    }

    /// Prepares the prompts of a release that say the same to everybody, until it is dropped.
    pub(crate) fn warm(&self, release: &Release) -> Warming {
        let hotline = release.hotline();
        let prompts = standing(hotline);
        self.voices.warm(Arc::new(choices(hotline)), prompts)
    }

    /// What of a hotline's engines is not there, in words, each once.
    pub(crate) fn missing(&self, hotline: &Hotline) -> Vec<VoiceError> {
        let mut engines: Vec<_> = hotline.voices.values().map(|voice| &voice.engine).collect();
        engines.sort_unstable();
        engines.dedup();
        engines
            .into_iter()
            .filter_map(|engine| self.voices.available(engine).err())
            .collect()
    }

    /// The recordings among parts, by their paths. One that cannot be played is left out: the voice
    /// says its text.
    async fn recordings(&self, release: &Release, parts: &[Speech]) -> BTreeMap<Arc<str>, Sound> {
        let mut recordings = BTreeMap::new();
        for part in parts {
            let Speech::Recording { path, .. } = part else {
                continue;
            };
            if let Some(sound) = self.recording(release, path).await {
                recordings.insert(path.clone(), sound);
            }
        }
        recordings
    }

    async fn recording(&self, release: &Release, path: &str) -> Option<Sound> {
        let digest = release.recording(path)?;
        if let Some(sound) = self.kept().get(&digest) {
            return Some(sound);
        }
        let bytes = match self.node.releases().recording(&digest).await {
            Ok(bytes) => bytes?,
            Err(error) => {
                tracing::error!(path, %error, "a recording cannot be read");
                return None;
            }
        };
        let decoded = tokio::task::spawn_blocking(move || Sound::from_wav(&bytes))
            .await
            .ok()?;
        match decoded {
            Ok(sound) => {
                self.kept().put(digest, sound.clone());
                Some(sound)
            }
            Err(error) => {
                tracing::warn!(path, %error, "a recording cannot be played; a voice says its text");
                None
            }
        }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn get(&mut self, digest: &Digest) -> Option<Sound> {
        let sound = self.sounds.get(digest)?.clone();
        self.order.retain(|other| other != digest);
        self.order.push_front(*digest);
        Some(sound)
    }

    fn put(&mut self, digest: Digest, sound: Sound) {
        if self.sounds.contains_key(&digest) {
            return;
        }
        self.samples += samples(&sound);
        self.sounds.insert(digest, sound);
        self.order.push_front(digest);
        while self.samples > SOUNDS_KEPT_SAMPLES_MAX && self.order.len() > 1 {
            let Some(gone) = self.order.pop_back() else { return };
            if let Some(sound) = self.sounds.remove(&gone) {
                self.samples = self.samples.saturating_sub(samples(&sound));
            }
        }
    }
}

fn samples(sound: &Sound) -> usize {
    usize::try_from(sound.length().as_millis())
        .unwrap_or(usize::MAX)
        .saturating_mul(8)
}

/// The voices of a hotline, a dialect with that of what it falls back to.
fn choices(hotline: &Hotline) -> VoiceChoices {
    let languages = hotline.languages.iter().chain(hotline.dialects.keys());
    let mut choices = BTreeMap::new();
    for (tag, voice) in &hotline.voices {
        choices.insert(tag.clone(), choice(voice));
    }
    for tag in languages {
        if let Some(voice) = hotline.voice(tag) {
            choices.entry(tag.clone()).or_insert_with(|| choice(voice));
        }
    }
    VoiceChoices(choices)
}

fn choice(voice: &trunkline_flow::hotline::Voice) -> VoiceChoice {
    VoiceChoice {
        engine: voice.engine.clone(),
        voice: voice.voice.clone(),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a speed is between a half and two"
        )]
        speed: Some(voice.speed as f32),
    }
}

/// The prompts of a hotline's steps that hold no value and have no recording.
fn standing(hotline: &Hotline) -> Vec<Prompt> {
    let mut prompts = Vec::new();
    for flow in hotline.flows.values() {
        for step in flow.steps.values() {
            for written in written(&step.verb) {
                prompts.extend(of_each_language(written));
            }
        }
    }
    let texts = |prompt: &Prompt| (prompt.language.clone(), prompt.text.clone());
    prompts.sort_by_key(texts);
    prompts.dedup_by_key(|prompt| texts(prompt));
    prompts
}

/// The prompts that a step says at the caller's way through it.
fn written(verb: &Verb) -> Vec<&Written> {
    match verb {
        Verb::Say(say) => vec![&say.prompt],
        Verb::Menu(menu) => {
            let lines = menu.entries.iter().filter_map(|entry| entry.say.as_ref());
            let again = menu.again.iter();
            std::iter::once(&menu.prompt)
                .chain(again)
                .chain(lines)
                .map(|prompt| &**prompt)
                .collect()
        }
        Verb::Ask(ask) => std::iter::once(&ask.prompt)
            .chain(&ask.again)
            .map(|prompt| &**prompt)
            .collect(),
        Verb::Queue(queue) => {
            let offers = queue.offers.iter().map(|offer| &offer.prompt);
            queue.music.iter().chain(offers).map(|prompt| &**prompt).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether a text is what a prompt says in a language to everybody.
pub(crate) fn says(written: &Written, language: &str, text: &str) -> bool {
    of_each_language(written)
        .iter()
        .any(|prompt| *prompt.language == *language && *prompt.text == *text)
}

/// What a prompt says to everybody, in each language in which a voice says it.
fn of_each_language(written: &Written) -> Vec<Prompt> {
    written
        .texts
        .iter()
        .filter(|(_, template)| template.recording.is_none())
        .filter_map(|(language, template)| {
            let mut text = String::new();
            let mut parts = Vec::new();
            for part in &template.parts {
                match part {
                    Part::Text(words) => {
                        text.push_str(words);
                        parts.push(Speech::Text(words.clone()));
                    }
                    Part::Pause(length) => parts.push(Speech::Pause(*length)),
                    Part::Value(..) => return None,
                }
            }
            Some(Prompt {
                language: language.clone(),
                parts,
                text: text.into(),
            })
        })
        .collect()
}
