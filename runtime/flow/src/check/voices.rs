//! Voices and ears: of languages that the hotline has, and of each in which what callers by phone hear
//! depends on what the server has installed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use trunkline_model::PromptKey;

use super::{hotline, world::World};
use crate::{
    diagnostics::{Code, Finding, one_of},
    hotline::{Ears, Hotline, Language, Voice},
    inventory,
    source::Word,
    step::{Prompt, Verb},
};

pub(super) fn check(world: &World<'_>) -> BTreeMap<Language, Voice> {
    let mut voices = BTreeMap::new();
    for written in &world.hotline.voices {
        let language = hotline::language(world, &written.language);
        if let Some((language, engine)) = language.zip(written.engine.as_ref()) {
            voices.insert(
                language.clone(),
                Voice {
                    engine: engine.value.clone(),
                    voice: written.voice.as_ref().map(|voice| voice.value.clone()),
                    speed: written.speed,
                },
            );
        }
    }
    voices
}

pub(super) fn ears(world: &World<'_>) -> Option<Ears> {
    let written = world.hotline.ears.as_ref()?;
    let languages = written
        .languages
        .iter()
        .filter_map(|word| hotline::language(world, word).cloned())
        .collect();
    Some(Ears {
        engine: written.engine.as_ref()?.value.clone(),
        languages,
    })
}

/// Reports each language in which nobody is declared who says to callers by phone what is not recorded.
/// Carriers speak by themselves.
pub(super) fn silent(world: &World<'_>, hotline: &Hotline) {
    if hotline.trunks.is_empty() {
        return;
    }
    let declared = &world.hotline;
    let dialects = declared.dialects.iter().map(|(dialect, _)| dialect);
    let mut silent: BTreeSet<&str> = BTreeSet::new();
    for word in declared.languages.iter().chain(dialects) {
        let tag = word.as_str();
        let falls_back = |tag: &str| hotline.dialects.get(tag);
        if hotline.voice(tag).is_some()
            // The language that it falls back to has been reported, and its voice would do.
            || std::iter::successors(falls_back(tag), |tag| falls_back(tag))
                .take(hotline.dialects.len())
                .any(|tag| silent.contains(&**tag))
        {
            continue;
        }
        let unsaid = unsaid(hotline, tag);
        if unsaid.is_empty() {
            continue;
        }
        silent.insert(tag);
        report(world, word, &unsaid);
    }
}

fn report(world: &World<'_>, word: &Word, unsaid: &BTreeSet<Option<&str>>) {
    let tag = word.as_str();
    let keys: Vec<&str> = unsaid.iter().flatten().copied().collect();
    let message = if keys.is_empty() {
        format!("nobody says on the phone in `{tag}` what steps themselves hold")
    } else {
        format!("nobody says on the phone in `{tag}`: {}", one_of(keys))
    };
    world.report(Finding::new(Code::MissingVoice, word.span, message).help(format!(
        "give the language a voice: `voices: {{ {tag}: {{ engine: espeak-ng }} }}`; or record what is said"
    )));
}

/// What callers may hear in a language and nobody has recorded, by prompts' keys; none for what is written
/// in steps.
fn unsaid<'h>(hotline: &'h Hotline, language: &str) -> BTreeSet<Option<&'h str>> {
    let steps = hotline.flows.values().flat_map(|flow| flow.steps.values());
    let heard = steps.flat_map(|step| {
        let again: &[Arc<Prompt>] = match &step.verb {
            Verb::Menu(menu) => &menu.again,
            Verb::Ask(ask) => &ask.again,
            _ => &[],
        };
        // Messages are written, not said.
        let said = match &step.verb {
            Verb::Notify(_) => Vec::new(),
            _ => inventory::prompts(step),
        };
        said.into_iter().chain(again.iter().map(|prompt| &**prompt))
    });
    let surveys = hotline.surveys.values().flat_map(|survey| &survey.questions);
    heard
        .chain(surveys.map(|question| &*question.prompt))
        .filter(|prompt| prompt.is_synthetic(language))
        .map(|prompt| prompt.key.as_ref().map(PromptKey::as_str))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::harness::{assert_findings, files, interfaces};
    use crate::{check, parse};

    #[test]
    fn callers_by_phone_hear_all_that_is_said() {
        assert_findings(
            r##"
--- audio/a.wav
2
--- audio/b.MP3
3
--- hotline.yaml
hotline: test
languages: [zh-CN, en, bo]
#                  ^^ TL0818: nobody says on the phone in `en`: `a`, `again`, `b`
#                      ^^ TL0818: nobody says on the phone in `bo`: `b`
dialects: { zh-yue: zh-CN, en-GB: en }
time-zone: Asia/Shanghai
numbers: { "12345": { flow: main } }
trunks: { telecom: { from: [192.0.2.0/28] } }
voices:
  zh-CN: { engine: espeak-ng, voice: cmn, speed: 3, pitch: 2 }
#                                                ^ TL0010: `speed` is from 0.5 to 2, not 3
#                                                   ^^^^^ TL0006: a voice has no field `pitch`
  zh-yue: { voice: "$(x)" }
# ^^^^^^ TL0007: a voice needs `engine`
#                  ^^^^^^ TL0010: `$(x)` cannot be the name of an engine's voice
  fr: { engine: House }
# ^^ TL0111: the hotline has no language `fr`
#               ^^^^^ TL0107: `House` cannot be the name of an engine
ears: { engine: house, languages: [en, de] }
#                                      ^^ TL0111: the hotline has no language `de`
--- prompts/zh-CN.yaml
a: 您好
again: 再说一遍
b: 请讲
sms: 短信
--- prompts/en.yaml
a: Hello
again: Again
b: Go on
sms: A message
--- prompts/bo.yaml
a: { recording: audio/a.wav, text: བཀྲ }
again: { recording: audio/a.wav, text: བཀྲ }
b: { recording: audio/b.MP3, text: བཀྲ }
#               ^^^^^^^^^^^ TL0819: phones cannot play audio/b.MP3, so a synthetic voice says the text
sms: བཀྲ
--- flows/main.yaml
flow: main
vars: { yes: bool? }
start: a
steps:
  a: { say: a, next: b }
  b: { ask: b, answer: yes-no, save: yes, again: [again], on: { else: c }, next: c }
  c: { notify: { say: sms, to: "13800000000" }, on: { else: d }, next: d }
  d: { say: { zh-CN: 好, en: Fine, bo: བཀྲ }, next: done }
  done: { end: completed }
"##,
        );
    }

    #[test]
    fn a_shorter_tag_lends_its_voice() {
        let text = r##"
--- hotline.yaml
hotline: test
languages: [zh, zh-yue]
time-zone: Asia/Shanghai
numbers: { "12345": { flow: main } }
trunks: { telecom: { from: [192.0.2.0/28] } }
voices: { zh: { engine: house } }
--- prompts/zh.yaml
hello: 您好
--- prompts/zh-yue.yaml
hello: 你好
--- flows/main.yaml
flow: main
start: a
steps:
  a: { say: hello, next: done }
  done: { end: completed }
"##;
        let report = check(&parse(&files(text)), &interfaces());
        assert!(report.diagnostics.is_empty(), "{:#?}", report.diagnostics);
        let checked = report.checked.expect("no findings");
        let engine = |language: &str| checked.voice(language).map(|voice| &*voice.engine);
        assert_eq!(engine("zh-yue-HK"), Some("house"));
        assert_eq!(engine("z"), None);
    }

    #[test]
    fn a_dialect_has_the_voice_of_what_it_falls_back_to() {
        let text = r##"
--- hotline.yaml
hotline: test
languages: [zh-CN]
dialects: { zh-yue: zh-CN, zh-yue-HK: zh-yue }
time-zone: Asia/Shanghai
numbers: { "12345": { flow: main } }
trunks: { telecom: { from: [192.0.2.0/28] } }
voices: { zh-CN: { engine: espeak-ng }, zh-yue: { engine: house, voice: hiu-maan, speed: 0.9 } }
ears: { engine: house, languages: [zh-CN, zh-yue] }
--- prompts/zh-CN.yaml
hello: 您好
--- flows/main.yaml
flow: main
start: a
steps:
  a: { say: hello, next: done }
  done: { end: completed }
"##;
        let report = check(&parse(&files(text)), &interfaces());
        assert!(report.diagnostics.is_empty(), "{:#?}", report.diagnostics);
        let checked = report.checked.expect("no findings");
        let engine = |language: &str| checked.voice(language).map(|voice| &*voice.engine);
        assert_eq!(engine("zh-CN"), Some("espeak-ng"));
        assert_eq!(engine("zh-yue"), Some("house"));
        assert_eq!(engine("zh-yue-HK"), Some("house"));
        assert_eq!(engine("fr"), None);
        let ears = checked.ears.as_ref().expect("written");
        assert_eq!((&*ears.engine, ears.languages.len()), ("house", 2));
    }
}
