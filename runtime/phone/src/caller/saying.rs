//! What is to be said to a caller, in its order: being made into sound, or being played.

use std::collections::VecDeque;

use tokio::task::JoinHandle;
use trunkline_media::{Sound, Stream, Tone};

use super::Music;
use crate::limits::PROMPTS_WAITING_MAX;

/// What a turn is to its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Something that whoever speaks stops.
    Prompt,
    /// A legal notice, which is played to its end.
    Notice,
    /// The tone after which a message begins: it comes whatever was pressed before.
    Beep,
    /// The music of a queue.
    Music,
}

impl Kind {
    const fn is_stopped_by_keys(self) -> bool {
        matches!(self, Self::Prompt)
    }
}

/// A turn that says something.
pub(super) struct Saying {
    /// The number of its event.
    pub(super) seq: u64,
    /// What it is.
    pub(super) kind: Kind,
    /// Its sound, once it is made; none where it cannot be.
    pub(super) sounds: JoinHandle<Option<Vec<Sound>>>,
}

impl Drop for Saying {
    /// What nobody waits for is not made.
    fn drop(&mut self) {
        self.sounds.abort();
    }
}

/// All that is to be said.
#[derive(Default)]
pub(super) struct Says {
    /// Not played yet, the next first.
    waiting: VecDeque<Saying>,
    /// Given to the stream, and not reported as played.
    played: VecDeque<(u64, Kind)>,
}

/// How long nothing is, where a turn has no sound: the stream still says when its turn has come.
const NOTHING: std::time::Duration = std::time::Duration::from_millis(20);

impl Says {
    pub(super) fn add(&mut self, saying: Saying) {
        if self.waiting.len() >= PROMPTS_WAITING_MAX {
            tracing::warn!("more is to be said on a line than anybody listens to; the oldest is left out");
            self.waiting.pop_front();
        }
        self.waiting.push_back(saying);
    }

    /// The next turn, when its sound is there. Dropping the future loses nothing.
    pub(super) async fn made(&mut self) -> (Saying, Option<Vec<Sound>>) {
        let Some(front) = self.waiting.front_mut() else {
            return std::future::pending().await;
        };
        // One that broke says nothing, and the flow goes on.
        let sounds = (&mut front.sounds).await.unwrap_or_default();
        match self.waiting.pop_front() {
            Some(saying) => (saying, sounds),
            None => std::future::pending().await,
        }
    }

    /// Plays a turn. What could not be made is a tone: the caller hears that something is missing.
    pub(super) fn play(&mut self, saying: &Saying, sounds: Option<Vec<Sound>>, stream: &Stream) {
        let mut sounds = sounds.unwrap_or_else(|| vec![Sound::tone(Tone::Fault)]);
        if sounds.is_empty() {
            sounds.push(Sound::silence(NOTHING));
        }
        self.played.push_back((saying.seq, saying.kind));
        stream.play(saying.seq, sounds, saying.kind.is_stopped_by_keys());
    }

    /// The stream has played a turn to its end, or stopped playing it.
    pub(super) fn played(&mut self, seq: u64, complete: bool) {
        // A tone that was stopped with the rest is being played again.
        self.played
            .retain(|(other, kind)| *other != seq || (!complete && *kind == Kind::Beep));
    }

    /// Nothing of what was said up to an event is played on, but for the tone after which a message
    /// begins.
    pub(super) fn hush(&mut self, up_to: u64, stream: &Stream, music: &mut Option<Music>) {
        self.waiting
            .retain(|saying| saying.seq > up_to || saying.kind == Kind::Beep);
        let is_hushed = |(seq, kind): &(u64, Kind)| *seq <= up_to && *kind != Kind::Beep;
        if self.played.iter().any(is_hushed) {
            self.stop(stream);
            // The stream stopped all of it.
            *music = None;
        }
    }

    /// The caller speaks, or somebody else is to be heard: what is played stops, and what would follow
    /// it does not begin, unless it is a legal notice.
    pub(super) fn barge_in(&mut self, stream: &Stream) {
        if self.played.iter().any(|(_, kind)| *kind == Kind::Notice) {
            return;
        }
        self.waiting
            .retain(|saying| matches!(saying.kind, Kind::Notice | Kind::Beep));
        if !self.played.is_empty() {
            self.stop(stream);
        }
    }

    /// Stops the stream, and begins the tone of a message again that was stopped with the rest.
    fn stop(&mut self, stream: &Stream) {
        stream.stop();
        let beeps: Vec<_> = self
            .played
            .drain(..)
            .filter(|(_, kind)| *kind == Kind::Beep)
            .collect();
        for (seq, kind) in beeps {
            stream.play(seq, vec![Sound::tone(Tone::Beep)], kind.is_stopped_by_keys());
            self.played.push_back((seq, kind));
        }
    }

    /// Whether nothing is being said, nor will be.
    pub(super) fn is_silent(&self) -> bool {
        self.waiting.is_empty() && self.played.is_empty()
    }

    /// Whether music is being made.
    pub(super) fn has_music(&self) -> bool {
        self.waiting.iter().any(|saying| saying.kind == Kind::Music)
    }
}
