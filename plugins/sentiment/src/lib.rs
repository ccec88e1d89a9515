//! Scores the mood of what a caller says, in Chinese and English, by its words and its
//! wording.
//!
//! [`lexicon`] knows words, [`segment`] cuts a text into them, [`wording`] weighs the rest, [`mood`]
//! adds it all up; they are pure. This file is the component around them.

mod lexicon;
mod mood;
mod segment;
mod wording;

use bindings::exports::centre::sentiment::sentiment::{Guest, Level, Mood};
use trunkline_sdk::{config, log};

mod bindings {
    wit_bindgen::generate!({ path: "wit", world: "plugin" });
}
trunkline_sdk::embed_wit!("../wit/sentiment.wit");
bindings::export!(Sentiment with_types_in bindings);

struct Sentiment;

impl Guest for Sentiment {
    fn score(text: String) -> Mood {
        let mood = mood::score(&text, thresholds());
        Mood {
            level: match mood.level {
                mood::Level::Calm => Level::Calm,
                mood::Level::Anxious => Level::Anxious,
                mood::Level::Angry => Level::Angry,
            },
            score: mood.score,
            words: mood.words,
        }
    }
}

/// The thresholds of hotline.yaml. One that cannot be read is said in the log, and its
/// default holds: a slip in a setting is no reason to leave callers unheard.
fn thresholds() -> mood::Thresholds {
    let default = mood::Thresholds::default();
    let threshold = |name, default| match config::get_or(name, default) {
        Ok(value) if (0.0..=1.0).contains(&value) => value,
        Ok(value) => {
            log::warn!("the setting {name:?} is {value}, not between 0 and 1: {default} holds");
            default
        }
        Err(error) => {
            log::warn!("{error}: {default} holds");
            default
        }
    };
    mood::Thresholds {
        anxious_from: threshold("anxious-from", default.anxious_from),
        angry_from: threshold("angry-from", default.angry_from),
    }
}

#[cfg(test)]
mod tests {
    use trunkline_sdk::{log::Level as Line, testing::Host};

    use super::*;

    const PLUGIN: &str = include_str!("../plugin.toml");

    fn score(host: Host, text: &str) -> (Mood, Vec<String>) {
        let host = host.start();
        let mood = host.run(|| Sentiment::score(text.to_owned())).unwrap();
        (mood, host.messages(Line::Warn))
    }

    #[test]
    fn callers_of_the_example_hotlines() {
        for (text, level, words) in [
            ("请问西湖区的发热门诊在哪里？", Level::Calm, &[][..]),
            ("小区门口的路灯不亮", Level::Calm, &[]),
            ("我要反映一个问题", Level::Calm, &[]),
            ("地下室长蘑菇", Level::Calm, &[]),
            ("我很着急，房子漏水", Level::Anxious, &["着急", "漏水"]),
            (
                "This is absolutely unacceptable!",
                Level::Angry,
                &["unacceptable"],
            ),
            (
                "楼上漏水三个月没人管，太过分了，我要投诉",
                Level::Angry,
                &["漏水", "三个月没", "太过分", "投诉"],
            ),
            (
                "I am furious, this is outrageous",
                Level::Angry,
                &["furious", "outrageous"],
            ),
            ("Thank you, the new park is lovely.", Level::Calm, &[]),
            (
                "你们太过分了，踢皮球踢了三个月，我非常愤怒！",
                Level::Angry,
                &["太过分", "踢皮球", "愤怒"],
            ),
        ] {
            let host = Host::of_plugin(PLUGIN).config("anxious-from", "0.3");
            let (mood, _) = score(host, text);
            assert_eq!(mood.level, level, "{text}: {mood:?}");
            assert_eq!(mood.words, words, "{text}");
        }
    }

    #[test]
    fn settings_move_the_levels_and_a_slip_in_them_does_not() {
        let text = "我很着急，房子漏水";
        let deaf = Host::of_plugin(PLUGIN).config("anxious-from", "1");
        assert_eq!(score(deaf, text).0.level, Level::Calm);
        for slip in ["soon", "1.5"] {
            let host = Host::of_plugin(PLUGIN).config("anxious-from", slip);
            let (mood, warned) = score(host, text);
            assert_eq!(mood.level, Level::Anxious);
            assert!(warned[0].contains("0.35 holds"), "{warned:?}");
        }
    }
}
