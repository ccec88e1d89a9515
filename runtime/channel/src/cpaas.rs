//! The telephone behind a carrier: documents that tell it what to play, collect, record and dial,
//! and the requests in which it tells what came of them.
//!
//! A [`Script`] is what a contact says next and what the carrier is to do then; [`render`] writes it
//! in the carrier's [`Dialect`]. [`Posted`] is what a request says, read from either. Nothing here
//! decides: what is asked, how long and what silence means stands in the script.
//!
//! Everything that is posted is taken as hostile: [`Posted::read`] bounds what it keeps and knows no
//! field but those it needs.

pub mod jambonz;
mod language;
mod posted;
mod sentences;
mod ssml;
pub mod twiml;
mod xml;

use std::sync::Arc;

use trunkline_engine::Channel;
use trunkline_flow::{
    address::{is_number, is_sip},
    speech::Speech,
};
use trunkline_model::Duration;

pub use posted::{
    BadPost, Dialled, POSTED_FIELD_BYTES_MAX, POSTED_FIELDS_MAX, Phase, Posted, WITHHELD, is_withheld, pairs,
};

/// What a carrier reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// XML documents, `Response` at their root; requests are forms.
    Twiml,
    /// Arrays of verbs in JSON, as jambonz has them; requests are JSON.
    Jambonz,
}

impl Dialect {
    /// The channel of contacts that come by it.
    pub const fn channel(self) -> Channel {
        match self {
            Self::Twiml => Channel::Twiml,
            Self::Jambonz => Channel::Jambonz,
        }
    }

    /// Its name in settings and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Twiml => "twiml",
            Self::Jambonz => "jambonz",
        }
    }

    /// The media type of its documents.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Twiml => "application/xml; charset=utf-8",
            Self::Jambonz => "application/json",
        }
    }
}

/// What a contact says next, and what the carrier does then.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    /// What is said, in order.
    pub said: Vec<Said>,
    /// What comes after it.
    pub then: Then,
}

/// One thing that is said.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// Its text.
    pub text: Arc<str>,
    /// What a voice says of it, part by part; nothing where it reads the text.
    pub speech: Vec<Speech>,
    /// Its language, a BCP 47 tag.
    pub language: Arc<str>,
    /// Where the recording of it is, when it has one.
    pub recording: Option<String>,
    /// Whether it is played to its end, whatever is pressed.
    pub firm: bool,
}

/// What the carrier does when all has been said.
#[derive(Clone, Debug, PartialEq)]
pub enum Then {
    /// Collects keys or words, also while the last is said.
    Gather(Gather),
    /// Records a message.
    Record {
        /// Where it posts what it recorded.
        action: String,
        /// Where it goes on when nothing was said.
        silent: String,
        /// The longest that the message may be.
        max: Duration,
        /// The key that ends it.
        finish: Option<char>,
    },
    /// Connects the caller to somebody.
    Dial {
        /// To whom.
        target: Target,
        /// How long it rings.
        ring: Duration,
        /// Where it posts what came of it.
        action: String,
        /// Where it posts that somebody answered.
        answered: String,
    },
    /// Waits, and asks again.
    Poll {
        /// How long.
        pause: Duration,
        /// Where it asks.
        again: String,
    },
    /// Ends the call.
    HangUp,
    /// Refuses the call, before anything was said.
    Reject,
}

/// How keys and words are collected.
#[derive(Clone, Debug, PartialEq)]
pub struct Gather {
    /// Where what was given is posted, or that nothing was.
    pub action: String,
    /// The most keys; 0 where none counts.
    pub keys_max: usize,
    /// The key that ends them sooner and is no part of them.
    pub finish: Option<char>,
    /// The time to the first key or word, from when all has been said.
    pub first: Duration,
    /// The time between two keys, where the dialect has one of its own.
    pub next: Duration,
    /// Whether words count.
    pub words: bool,
    /// The language of words.
    pub language: Arc<str>,
}

/// To whom a caller is connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A telephone number.
    Number(String),
    /// A SIP address.
    Sip(String),
}

impl Target {
    /// What a party that a flow names is: a SIP address or a number, as flows may write them; none when it
    /// is neither. It may come from a caller or a plugin, and is dialled at somebody's expense.
    pub fn of(party: &str) -> Option<Self> {
        let party = party.trim();
        if is_sip(party) {
            return Some(Self::Sip(party.to_owned()));
        }
        // People write numbers with what makes them readable.
        let number: String = party
            .strip_prefix("tel:")
            .unwrap_or(party)
            .chars()
            .filter(|c| !matches!(c, ' ' | '-' | '(' | ')'))
            .collect();
        is_number(&number).then_some(Self::Number(number))
    }
}

/// A script in a dialect.
pub fn render(dialect: Dialect, script: &Script) -> String {
    match dialect {
        Dialect::Twiml => twiml::render(script),
        Dialect::Jambonz => jambonz::render(script),
    }
}

/// The script's parts that are played to their end, and those that the caller may talk over.
fn parted(said: &[Said]) -> (&[Said], &[Said]) {
    let firm = said.iter().rposition(|said| said.firm).map_or(0, |last| last + 1);
    said.split_at(firm)
}

/// Whole seconds, one at least: carriers know no other.
fn seconds(time: Duration) -> u64 {
    time.as_millis().div_ceil(1_000).max(1)
}

#[cfg(test)]
mod tests;
