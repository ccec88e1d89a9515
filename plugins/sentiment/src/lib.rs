//! Scores the mood of what a caller says, in Chinese and English, by a lexicon.
//!
//! [`lexicon`] knows words, [`segment`] cuts a text into them, [`mood`] adds them up; all
//! three are pure. This file is the component around them.

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
