//! What is played on one stream: a queue, and music beneath it.

use std::collections::VecDeque;

use crate::{
    Codec, Sound,
    limits::{FRAME, QUEUE_MAX},
};

/// What is over, and whether it was played to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Over {
    pub(crate) id: u64,
    pub(crate) complete: bool,
}

/// Sounds one after the other, and how far they are played.
#[derive(Debug)]
struct Track {
    id: u64,
    sounds: Vec<Sound>,
    sound: usize,
    /// Samples of it; bytes, in either law.
    at: usize,
}

impl Track {
    fn new(id: u64, sounds: Vec<Sound>) -> Self {
        Self {
            id,
            sounds,
            sound: 0,
            at: 0,
        }
    }

    /// Fills as much as there is; says how much.
    fn fill(&mut self, codec: Codec, into: &mut [u8]) -> usize {
        let mut filled = 0;
        while let Some(sound) = self.sounds.get(self.sound) {
            let rest = sound.bytes(codec).get(self.at..).unwrap_or_default();
            let length = rest.len().min(into.len() - filled);
            into[filled..filled + length].copy_from_slice(&rest[..length]);
            filled += length;
            self.at += length;
            if filled == into.len() && length < rest.len() {
                break;
            }
            self.sound += 1;
            self.at = 0;
            if filled == into.len() {
                break;
            }
        }
        filled
    }

    fn is_over(&self) -> bool {
        self.sounds[self.sound.min(self.sounds.len())..]
            .iter()
            .all(|sound| sound.samples().is_empty())
    }
}

#[derive(Debug)]
struct Piece {
    track: Track,
    keys_stop: bool,
}

/// The queue and the music of a stream.
#[derive(Debug, Default)]
pub(crate) struct Playing {
    queue: VecDeque<Piece>,
    music: Option<Track>,
}

impl Playing {
    /// Queues a piece; false when there are too many.
    pub(crate) fn push(&mut self, id: u64, sounds: Vec<Sound>, keys_stop: bool) -> bool {
        if self.queue.len() >= QUEUE_MAX {
            return false;
        }
        self.queue.push_back(Piece {
            track: Track::new(id, sounds),
            keys_stop,
        });
        true
    }

    /// Begins other music; says which it replaces.
    pub(crate) fn repeat(&mut self, id: u64, sounds: Vec<Sound>) -> Option<Over> {
        let before = self.music.replace(Track::new(id, sounds));
        before.map(|music| Over {
            id: music.id,
            complete: false,
        })
    }

    /// Whether a piece is being played.
    pub(crate) fn is_busy(&self) -> bool {
        !self.queue.is_empty()
    }

    /// The next frame of the queue; false when there is none. What ends with it, or is empty, is added to
    /// `over`.
    pub(crate) fn next(&mut self, codec: Codec, frame: &mut [u8; FRAME], over: &mut Vec<Over>) -> bool {
        while let Some(piece) = self.queue.front_mut() {
            let filled = piece.track.fill(codec, frame);
            let id = piece.track.id;
            if piece.track.is_over() {
                self.queue.pop_front();
                over.push(Over { id, complete: true });
            }
            if filled > 0 {
                frame[filled..].fill(codec.silence());
                return true;
            }
        }
        false
    }

    pub(crate) fn has_music(&self) -> bool {
        self.music.is_some()
    }

    /// The next frame of the music; false when there is none.
    pub(crate) fn next_of_music(&mut self, codec: Codec, frame: &mut [u8; FRAME]) -> bool {
        let Some(music) = &mut self.music else {
            return false;
        };
        let mut filled = 0;
        while filled < FRAME {
            filled += music.fill(codec, &mut frame[filled..]);
            if music.is_over() {
                (music.sound, music.at) = (0, 0);
                if music.is_over() {
                    // Nothing but empty sounds.
                    return false;
                }
            }
        }
        true
    }

    /// A key was pressed: what it stops is dropped, up to the first piece that keys do not stop.
    pub(crate) fn stop_for_key(&mut self, over: &mut Vec<Over>) {
        while self.queue.front().is_some_and(|piece| piece.keys_stop) {
            if let Some(piece) = self.queue.pop_front() {
                over.push(Over {
                    id: piece.track.id,
                    complete: false,
                });
            }
        }
    }

    /// Drops everything.
    pub(crate) fn stop(&mut self, over: &mut Vec<Over>) {
        let pieces = self.queue.drain(..).map(|piece| piece.track.id);
        over.extend(
            pieces
                .chain(self.music.take().map(|music| music.id))
                .map(|id| Over { id, complete: false }),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound(value: u8, length: usize) -> Sound {
        Sound::from_pcm(vec![Codec::Pcma.sample(value); length])
    }

    #[test]
    fn sounds_of_a_piece_join_without_a_gap() {
        let mut playing = Playing::default();
        let mut over = Vec::new();
        let mut frame = [0; FRAME];
        assert!(playing.push(1, vec![sound(0x10, 100), sound(0x20, 0), sound(0x30, 160)], false));
        assert!(playing.push(2, vec![], false));
        assert!(playing.next(Codec::Pcma, &mut frame, &mut over));
        assert_eq!((frame[99], frame[100], frame[159]), (0x10, 0x30, 0x30));
        assert!(over.is_empty());
        assert!(playing.next(Codec::Pcma, &mut frame, &mut over));
        assert_eq!((frame[99], frame[100]), (0x30, 0xd5), "the rest is silence");
        assert_eq!(
            over,
            [Over {
                id: 1,
                complete: true
            }]
        );
        assert!(!playing.next(Codec::Pcma, &mut frame, &mut over));
        assert_eq!(
            over[1..],
            [Over {
                id: 2,
                complete: true
            }]
        );
    }

    #[test]
    fn the_end_is_told_with_the_last_frame() {
        let mut playing = Playing::default();
        let mut over = Vec::new();
        assert!(playing.push(1, vec![sound(0x10, FRAME), sound(0x10, 0)], false));
        assert!(playing.next(Codec::Pcma, &mut [0; FRAME], &mut over));
        assert_eq!(over.len(), 1);
        assert!(!playing.is_busy());
    }

    #[test]
    fn music_turns_round_and_empty_music_is_none() {
        let mut playing = Playing::default();
        let mut frame = [0; FRAME];
        assert_eq!(playing.repeat(1, vec![sound(0x10, 30), sound(0x20, 30)]), None);
        for _ in 0..3 {
            assert!(playing.next_of_music(Codec::Pcma, &mut frame));
        }
        // 480 samples are eight rounds of 60: the next frame begins with the first sound.
        assert!(playing.next_of_music(Codec::Pcma, &mut frame));
        assert_eq!(
            (frame[0], frame[29], frame[30], frame[60]),
            (0x10, 0x10, 0x20, 0x10)
        );
        assert_eq!(
            playing.repeat(2, vec![sound(0, 0)]),
            Some(Over {
                id: 1,
                complete: false
            })
        );
        assert!(!playing.next_of_music(Codec::Pcma, &mut frame));
        assert_eq!(
            playing.repeat(3, vec![]),
            Some(Over {
                id: 2,
                complete: false
            })
        );
        assert!(!playing.next_of_music(Codec::Pcma, &mut frame));
    }

    #[test]
    fn a_key_stops_up_to_what_it_may_not_stop() {
        let mut playing = Playing::default();
        let mut over = Vec::new();
        for (id, keys_stop) in [(1, true), (2, true), (3, false), (4, true)] {
            assert!(playing.push(id, vec![sound(0, 400)], keys_stop));
        }
        playing.stop_for_key(&mut over);
        assert_eq!(over.iter().map(|over| over.id).collect::<Vec<_>>(), [1, 2]);
        playing.stop_for_key(&mut over);
        assert_eq!(over.len(), 2);
        playing.stop(&mut over);
        assert_eq!(
            over[2..],
            [
                Over {
                    id: 3,
                    complete: false
                },
                Over {
                    id: 4,
                    complete: false
                }
            ]
        );
    }

    #[test]
    fn a_queue_has_an_end() {
        let mut playing = Playing::default();
        assert!((0..QUEUE_MAX as u64).all(|id| playing.push(id, vec![], false)));
        assert!(!playing.push(0, vec![], false));
    }
}
