//! A stream's handle.

use std::{
    fmt,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicUsize, Ordering::Relaxed},
    },
};

use tokio::sync::mpsc;

use crate::{
    Codec, Remote, Role, Room, Sound, Statistics,
    command::{Action, Command},
    limits::QUEUE_MAX,
    media::Shared,
    statistics::Counters,
};

/// Names a stream within its [`Media`](crate::Media).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId(pub(crate) u64);

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A pair of sockets, RTP and RTCP, and what is played, relayed and recorded there. Dropping it
/// says goodbye to the far end, closes the sockets, and completes the recording.
///
/// Nothing here blocks or fails: what happens comes back as [`Heard`](crate::Heard).
pub struct Stream {
    pub(crate) id: StreamId,
    pub(crate) port: u16,
    /// The worker that its commands go to.
    pub(crate) home: usize,
    /// The worker where it is.
    pub(crate) place: Arc<AtomicUsize>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) counters: Arc<Counters>,
    /// The payload type last negotiated: sounds are encoded for it before a worker sees them.
    pub(crate) codec: AtomicU8,
}

impl Stream {
    /// The port to offer for RTP; RTCP is the next.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> StreamId {
        self.id
    }

    fn act(&self, action: Action) {
        self.shared.tell(self.home, Command::Act(self.id, action));
    }

    /// Says, again at will, whom to talk to: after an answer, a re-INVITE, a hold.
    pub fn connect(&self, remote: Remote) {
        self.codec.store(remote.codec.payload_type(), Relaxed);
        self.act(Action::Connect(remote));
    }

    /// Encodes on the owner's thread what a worker would have to encode otherwise.
    fn encode(&self, sounds: &[Sound]) {
        if let Some(codec) = Codec::of_payload_type(self.codec.load(Relaxed)) {
            for sound in sounds {
                sound.bytes(codec);
            }
        }
    }

    /// Appends to what is played; it waits while there is nobody to send to, or a hold.
    /// [`Heard::Played`](crate::Heard::Played) with the id comes when the last packet was sent, or when it
    /// was stopped: by [`Self::stop`], by a key when `keys_stop` (before that key is told), or because too
    /// much is queued.
    pub fn play(&self, id: u64, mut sounds: Vec<Sound>, keys_stop: bool) {
        sounds.truncate(QUEUE_MAX);
        self.encode(&sounds);
        self.act(Action::Play {
            id,
            sounds,
            keys_stop,
        });
    }

    /// Music: played in a loop while nothing else is to be heard, until [`Self::stop`] or another
    /// `repeat`. [`Heard::Played`](crate::Heard::Played), incomplete, tells its end.
    pub fn repeat(&self, id: u64, mut sounds: Vec<Sound>) {
        sounds.truncate(QUEUE_MAX);
        self.encode(&sounds);
        self.act(Action::Repeat { id, sounds });
    }

    /// Drops all that is queued, music and keys too.
    pub fn stop(&self) {
        self.act(Action::Stop);
    }

    /// Sends keys, `0`-`9`, `*`, `#`, `A`-`D`, 100 ms each; `,` and `w` are pauses of half a second,
    /// another letter is skipped. As events when they were negotiated, else as tones.
    pub fn send_keys(&self, keys: &str) {
        self.act(Action::SendKeys(keys.to_owned()));
    }

    /// Joins two streams: each hears the other. Ends an earlier bridge of either, and leaves rooms.
    pub fn bridge(&self, other: &Stream) {
        if self.id == other.id {
            return;
        }
        // Always the younger moves to the elder: two bridges at once cannot chase each other.
        let (younger, elder) = if self.id > other.id {
            (self, other)
        } else {
            (other, self)
        };
        younger.act(Action::Bridge {
            other: elder.id,
            home: elder.place.load(Relaxed),
            order: self.shared.number(),
        });
    }

    /// Ends the bridge, for both.
    pub fn unbridge(&self) {
        self.act(Action::Unbridge(self.shared.number()));
    }

    /// Enters a room, or takes another role there. Ends a bridge.
    pub fn join(&self, room: &Room, role: Role) {
        self.act(Action::Join {
            room: room.id,
            home: room.home,
            role,
            order: self.shared.number(),
        });
    }

    /// Leaves the room.
    pub fn leave_room(&self) {
        self.act(Action::LeaveRoom(self.shared.number()));
    }

    /// Records into a WAV file of two channels, 16 bit, 8 kHz: left what the far end said, right
    /// what it heard. A relative path is taken in the folder of recordings. The file has the
    /// name with `.part` until it is complete; an existing one is never overwritten. An earlier
    /// recording is completed first.
    pub fn record(&self, path: PathBuf) {
        self.act(Action::Record(self.shared.recordings.join(path)));
    }

    /// Writes nothing until [`Self::resume_recording`].
    pub fn pause_recording(&self) {
        self.act(Action::PauseRecording);
    }

    /// Goes on after [`Self::pause_recording`].
    pub fn resume_recording(&self) {
        self.act(Action::ResumeRecording);
    }

    /// While true, the far end's sound is silence in its own recording and in those of streams
    /// that it is bridged or in a room with, so that no key can be heard from a file.
    pub fn hide_keys(&self, hidden: bool) {
        self.act(Action::HideKeys(hidden));
    }

    /// Completes the recording; [`Recording::Done`](crate::Recording::Done) comes when it is on disk.
    pub fn stop_recording(&self) {
        self.act(Action::StopRecording);
    }

    /// Gives the far end's sound, decoded, to a listener, a packet (20 ms as a rule) a piece, with short
    /// gaps filled by silence; pieces are dropped, and counted, when it is full.
    pub fn listen(&self, to: Option<mpsc::Sender<Arc<[i16]>>>) {
        self.act(Action::Listen(to));
    }

    /// Tells [`Heard::Spoke`](crate::Heard::Spoke) and [`Heard::Quiet`](crate::Heard::Quiet) while true.
    pub fn watch_speech(&self, watched: bool) {
        self.act(Action::WatchSpeech(watched));
    }

    /// What it has seen.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.counters.read()
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.act(Action::Close);
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream")
            .field("id", &self.id)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}
