//! What a stream tells its owner.

use std::{path::PathBuf, time::Duration};

/// Something happened on a stream.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// A key was pressed. Told at its first packet: `held` is how long it had been down by then.
    Key {
        /// `0`-`9`, `*`, `#`, `A`-`D`.
        key: char,
        /// How long it is down so far.
        held: Duration,
    },
    /// The key was let go (not told when every packet of its end was lost).
    KeyUp {
        /// As in [`Heard::Key`].
        key: char,
        /// How long it was down.
        held: Duration,
    },
    /// Something that was played is over.
    Played {
        /// The id that [`Stream::play`](crate::Stream::play) was given.
        id: u64,
        /// Whether its last packet was sent; otherwise it was stopped.
        complete: bool,
    },
    /// News of the recording.
    Recording(Recording),
    /// Nothing has come for so long, though the far end should send. Told again as often as that time passes.
    Silent {
        /// Seconds without a packet.
        for_s: u64,
    },
    /// The far end began to speak. Told only while [`Stream::watch_speech`](crate::Stream::watch_speech) is
    /// on.
    Spoke,
    /// The far end fell silent after it spoke; as [`Heard::Spoke`].
    Quiet,
}

/// News of a recording.
#[derive(Clone, Debug, PartialEq)]
pub enum Recording {
    /// The file is open.
    Began {
        /// Where it will be when it is done.
        path: PathBuf,
    },
    /// The file is complete, on disk, and has its name.
    Done {
        /// Where it is.
        path: PathBuf,
        /// How much sound it holds.
        seconds: f64,
        /// How much of that is silence because the disk was too slow.
        lost_seconds: f64,
    },
    /// There is no recording, or no more of it. What was written so far stays beside it, as `.part`.
    Failed {
        /// Where it would have been.
        path: PathBuf,
        /// Why.
        error: RecordingError,
    },
}

/// Why a recording failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordingError {
    /// The file could not be made.
    #[error(
        "failed to make the recording's file: {0}; look at the folder's rights and whether the name is taken"
    )]
    Create(std::io::ErrorKind),
    /// The file could not be written.
    #[error("failed to write the recording: {0}; look at the disk's free space")]
    Write(std::io::ErrorKind),
    /// The file could not be completed or renamed.
    #[error("failed to complete the recording: {0}; what was written is in the .part file")]
    Finish(std::io::ErrorKind),
}
