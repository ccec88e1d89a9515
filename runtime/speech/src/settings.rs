//! What the operator declares in phone.toml: engines, providers, and where sound is kept.

use std::{collections::BTreeMap, fmt, path::PathBuf, sync::Arc};

use serde::{Deserialize, Deserializer};
use trunkline_model::Duration;

/// Gives the value of a secret by its name. Asked each time, so that a value may change.
#[derive(Clone)]
pub struct Secrets(Arc<Value>);

/// Gives a secret's value.
type Value = dyn Fn(&str) -> Option<String> + Send + Sync;

impl Secrets {
    /// Values as the server has them.
    pub fn new(value: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(value))
    }

    pub(crate) fn value(&self, name: &str) -> Option<String> {
        (self.0)(name)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets")
    }
}

/// Engines, providers and the cache. Each of its fields is a table of phone.toml.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Settings {
    /// Engines that speak, by the names that hotlines call them.
    pub engines: BTreeMap<String, EngineSettings>,
    /// Providers that hear, by name.
    pub ears: BTreeMap<String, EarSettings>,
    /// Where sound is kept.
    pub cache: CacheSettings,
}

/// An engine that speaks: a program (`command`) or a service over HTTP (`url`).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct EngineSettings {
    /// A program and its arguments, which may hold `{language}`, `{voice}` and `{speed}`. It is
    /// given the text on its standard input and writes a WAV to its standard output.
    pub command: Option<Vec<String>>,
    /// Names of environment variables that the program is given besides the usual ones.
    pub environment: Vec<String>,
    /// Where the text is posted, as `http://` or `https://`. The answer is a WAV.
    pub url: Option<String>,
    /// The name of the secret that is sent along.
    pub secret: Option<String>,
    /// The header that the secret is sent in, as it is. Without it, it is sent as
    /// `Authorization: Bearer`.
    pub header: Option<String>,
    /// What is posted, as JSON, with `{text}`, `{language}`, `{voice}` and `{speed}` within its
    /// strings. Without it, an object of these four.
    pub body: Option<serde_json::Value>,
    /// How long it may take for one utterance.
    #[serde(deserialize_with = "length")]
    pub time: Option<Duration>,
    /// How many utterances it is asked for at once.
    pub at_once: Option<usize>,
    /// The voice that is taken when a hotline names none.
    pub voice: Option<String>,
}

/// A provider that hears.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct EarSettings {
    /// Where it listens, as `ws://` or `wss://`.
    pub url: String,
    /// The name of the secret that is sent as `Authorization: Bearer`.
    pub secret: Option<String>,
    /// The languages it is asked for; without it, those that no other provider names.
    pub languages: Vec<String>,
    /// How long it may be silent once somebody speaks.
    #[serde(deserialize_with = "length")]
    pub answer: Option<Duration>,
    /// How long it may take to answer after the last sound.
    #[serde(deserialize_with = "length")]
    pub last: Option<Duration>,
}

/// Where sound is kept, so that nothing is synthesised twice.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct CacheSettings {
    /// The folder; several servers on a machine may share it. Without it, only memory is used.
    pub folder: Option<PathBuf>,
    /// Bytes of sound on disk. What was not played for longest is dropped.
    pub disk_bytes_max: Option<u64>,
    /// Bytes of sound in memory.
    pub memory_bytes_max: Option<u64>,
    /// What is kept on disk.
    pub keep: Keep,
}

/// What is kept on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keep {
    /// Prompts that say the same to everybody. What is said to one caller stays in memory, for it
    /// may name them and the amount they owe.
    #[default]
    Prompts,
    /// Everything.
    All,
}

fn length<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_and_what_is_unknown_is_refused() {
        let settings: Settings = toml::from_str(
            r#"
            [engines.house]
            command = ["piper", "--model", "{voice}"]
            time = "5s"
            at-once = 2
            [engines.cloud]
            url = "https://tts.example/v1/say"
            secret = "tts-token"
            body = { input = "{text}", voice = { name = "{voice}" } }
            [ears.house]
            url = "ws://127.0.0.1:7101/listen"
            secret = "ears-token"
            [cache]
            folder = "/var/cache/trunkline"
            keep = "all"
            "#,
        )
        .unwrap();
        assert_eq!(settings.engines["house"].time, Some(Duration::from_secs(5)));
        assert_eq!(
            settings.engines["cloud"].body.as_ref().unwrap()["voice"]["name"],
            "{voice}"
        );
        assert_eq!(settings.cache.keep, Keep::All);
        for (text, why) in [
            ("[engines.a]\nspeed = 1", "unknown field `speed`"),
            ("[engines.a]\ntime = \"5\"", "a duration is written like"),
            ("[ears.a]\nurl = 1", "invalid type"),
            ("[cache]\nkeep = \"some\"", "unknown variant `some`"),
            ("[voices]", "unknown field `voices`"),
        ] {
            let error = toml::from_str::<Settings>(text).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
