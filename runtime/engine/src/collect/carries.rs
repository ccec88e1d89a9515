//! What a kind of channel carries, in one place: a channel that cannot do something says so
//! here, and collection follows.

use trunkline_model::{
    Duration,
    limits::{KEYS_AHEAD_MAX, PLAYED_WITHIN_MAX, TEXT_FIRST_INPUT, VOICE_FIRST_INPUT, VOICE_NEXT_KEY},
};

use crate::input::Channel;

/// What a kind of channel carries, and how long a caller there is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carries {
    /// How keys come.
    pub keys: Keys,
    /// Whether words come, typed or recognised.
    pub words: bool,
    /// How many keys are kept for questions to come; 0 where keys that nothing asked for are
    /// lost on the way.
    pub keys_ahead_max: usize,
    /// How prompts reach the caller.
    pub prompts: Prompts,
    /// Time to the first key or word, unless the step gives one.
    pub first_input: Duration,
    /// Whether a message that the caller leaves is kept.
    pub messages: bool,
}

/// How a channel's keys come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// A message holds all the keys of an answer.
    Together,
    /// One by one: an answer may go on until no key came for this long.
    OneByOne {
        /// The time between two keys.
        next: Duration,
    },
    /// The channel collects them by what [`Wanted`](super::Wanted) says and brings those of an
    /// answer together, without its finish key.
    Collected {
        /// The time between two keys; none where the channel knows one time only, that to the
        /// first key, and holds it between keys as well.
        next: Option<Duration>,
    },
}

/// How a channel's prompts reach the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prompts {
    /// At once, and they stay to be read; or nobody tells how long they take.
    AtOnce,
    /// They are played, and the channel tells when the caller has heard them by
    /// [`Input::Played`](crate::Input::Played). The time to the first key begins then.
    Played {
        /// When a channel that never tells is taken to have played them.
        within: Duration,
    },
}

impl Channel {
    /// What contacts that come by it can be offered.
    pub const fn carries(self) -> Carries {
        let voice = Carries {
            keys: Keys::OneByOne { next: VOICE_NEXT_KEY },
            words: true,
            keys_ahead_max: KEYS_AHEAD_MAX,
            prompts: Prompts::AtOnce,
            first_input: VOICE_FIRST_INPUT,
            messages: true,
        };
        match self {
            // Nobody is heard there; what is sent is sent as a message is.
            Self::Chat | Self::Outbound => Carries {
                keys: Keys::Together,
                words: true,
                keys_ahead_max: KEYS_AHEAD_MAX,
                prompts: Prompts::AtOnce,
                first_input: TEXT_FIRST_INPUT,
                messages: true,
            },
            Self::Voice => voice,
            Self::Phone => Carries {
                prompts: Prompts::Played {
                    within: PLAYED_WITHIN_MAX,
                },
                ..voice
            },
            Self::Twiml => Carries {
                keys: Keys::Collected { next: None },
                ..Carries::CARRIER
            },
            Self::Jambonz => Carries {
                keys: Keys::Collected {
                    next: Some(VOICE_NEXT_KEY),
                },
                // It streams sound to a WebSocket, and keeps nothing that could be named.
                messages: false,
                ..Carries::CARRIER
            },
        }
    }
}

impl Carries {
    /// What all carriers' documents have in common: what is pressed while nothing is asked is lost
    /// on the way, and the document's result tells what was played.
    const CARRIER: Self = Self {
        keys: Keys::Collected { next: None },
        words: true,
        keys_ahead_max: 0,
        prompts: Prompts::Played {
            within: PLAYED_WITHIN_MAX,
        },
        first_input: VOICE_FIRST_INPUT,
        messages: true,
    };

    /// Whether more keys may belong to an answer that has some.
    pub const fn keys_come_one_by_one(&self) -> bool {
        matches!(self.keys, Keys::OneByOne { .. })
    }
}
