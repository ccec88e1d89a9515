//! espeak-ng: small, free, and for many languages. It is there when nothing else is declared.

use super::{
    Fault, Words,
    command::{find, run},
};

const PROGRAM: &str = "espeak-ng";

/// What its speed may be: below and above it only croaks.
const SPEEDS: std::ops::RangeInclusive<f32> = 80.0..=450.0;

#[derive(Debug)]
pub(crate) struct Espeak;

impl Espeak {
    pub(crate) fn available(&self) -> Result<(), String> {
        find(PROGRAM).map(drop).map_err(|_| mend())
    }

    pub(crate) async fn say(&self, words: &Words) -> Result<Vec<u8>, Fault> {
        let program = find(PROGRAM).map_err(|_| Fault::Missing(mend()))?;
        let (voice, speed) = voice(&words.language);
        let voice = words.voice.as_deref().map_or(voice, str::to_owned);
        let speed = (speed * words.speed)
            .clamp(*SPEEDS.start(), *SPEEDS.end())
            .round();
        let arguments = [
            "--stdin",
            "--stdout",
            "-b",
            "1",
            "-v",
            &voice,
            "-s",
            &speed.to_string(),
        ]
        .map(str::to_owned);
        // Two brackets would begin phonemes.
        run(&program, &arguments, &[], &words.text.replace("[[", "[ [")).await
    }
}

fn mend() -> String {
    format!(
        "there is no program {PROGRAM} on PATH: install it (apt-get install espeak-ng), or declare another engine"
    )
}

/// The voice and the speed of a language. The speeds are those by which the lengths of prompts are
/// estimated. `cmn` itself spells pinyin in English; the voice that reads characters well has a
/// longer name.
fn voice(language: &str) -> (String, f32) {
    let tag = language.to_ascii_lowercase().replace('_', "-");
    let has = |name: &str| tag.split('-').any(|part| part == name);
    match tag.split('-').next().unwrap_or_default() {
        _ if has("yue") => ("yue-latn-jyutping".to_owned(), 190.0),
        "zh" if has("hk") || has("mo") => ("yue-latn-jyutping".to_owned(), 190.0),
        "zh" | "cmn" => ("cmn-latn-pinyin".to_owned(), 190.0),
        "en" if has("gb") => ("en-gb".to_owned(), 135.0),
        "en" => ("en-us".to_owned(), 135.0),
        _ => (tag, 150.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_have_voices_that_read_them() {
        for (language, expected) in [
            ("zh-CN", "cmn-latn-pinyin"),
            ("zh-TW", "cmn-latn-pinyin"),
            ("cmn", "cmn-latn-pinyin"),
            ("zh-yue", "yue-latn-jyutping"),
            ("yue-HK", "yue-latn-jyutping"),
            ("zh-HK", "yue-latn-jyutping"),
            ("en", "en-us"),
            ("en-GB", "en-gb"),
            ("de", "de"),
            ("pt_BR", "pt-br"),
        ] {
            assert_eq!(voice(language).0, expected, "{language}");
        }
    }
}
