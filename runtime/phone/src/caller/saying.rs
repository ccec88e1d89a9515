//! What is to be said to a caller, in its order: being made into sound, or being played.

use std::collections::VecDeque;

use tokio::task::JoinHandle;
use trunkline_media::{Sound, Stream};

use super::Music;
use crate::limits::PROMPTS_WAITING_MAX;

/// A turn that says something.
pub(super) struct Saying {
    /// The number of its event.
    pub(super) seq: u64,
    /// Whether it is played to its end whatever the caller does.
    pub(super) notice: bool,
    /// Whether it is the music of a queue.
    pub(super) is_music: bool,
    /// Its sound, once it is made.
    pub(super) sounds: JoinHandle<Vec<Sound>>,
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
    played: VecDeque<(u64, bool)>,
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
    pub(super) async fn made(&mut self) -> (Saying, Vec<Sound>) {
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

    pub(super) fn play(&mut self, saying: &Saying, mut sounds: Vec<Sound>, stream: &Stream) {
        if sounds.is_empty() {
            sounds.push(Sound::silence(NOTHING));
        }
        self.played.push_back((saying.seq, saying.notice));
        stream.play(saying.seq, sounds, !saying.notice);
    }

    /// The stream has played a turn, or stopped playing it.
    pub(super) fn played(&mut self, seq: u64) {
        self.played.retain(|(other, _)| *other != seq);
    }

    /// Nothing of what was said up to an event is played on.
    pub(super) fn hush(&mut self, up_to: u64, stream: &Stream, music: &mut Option<Music>) {
        self.waiting.retain(|saying| saying.seq > up_to);
        if self.played.iter().any(|(seq, _)| *seq <= up_to) {
            stream.stop();
            // The stream stopped all of it.
            *music = None;
        }
    }

    /// The caller speaks: what is played stops, unless it is a legal notice.
    pub(super) fn barge_in(&mut self, stream: &Stream) {
        if self.played.iter().all(|(_, notice)| !notice) && !self.played.is_empty() {
            stream.stop();
        }
    }

    /// Whether nothing is being said, nor will be.
    pub(super) fn is_silent(&self) -> bool {
        self.waiting.is_empty() && self.played.is_empty()
    }

    /// Whether music is being made.
    pub(super) fn has_music(&self) -> bool {
        self.waiting.iter().any(|saying| saying.is_music)
    }
}
