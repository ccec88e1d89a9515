//! What handles tell workers.

use std::{path::PathBuf, sync::Arc};

use tokio::sync::mpsc;

use crate::{Remote, Role, Sound, StreamId, line::Line, room::RoomId};

/// A command to a worker. Commands of one handle arrive in their order.
pub(crate) enum Command {
    /// A line begins here, or moves here from another worker.
    Adopt(Box<Line>),
    /// Something for a line; passed on when the line has moved.
    Act(StreamId, Action),
    /// A line that had been here is closed elsewhere.
    Forget(StreamId),
    /// Close everything and end.
    Stop,
}

/// Which of what concerns several lines was told first: it comes by different handles and workers, and what
/// was told last holds.
pub(crate) type Order = u64;

/// What a line is told.
pub(crate) enum Action {
    Connect(Remote),
    Play {
        id: u64,
        sounds: Vec<Sound>,
        keys_stop: bool,
    },
    Repeat {
        id: u64,
        sounds: Vec<Sound>,
    },
    Stop,
    SendKeys(String),
    /// The line and another are joined, at the other's worker.
    Bridge {
        other: StreamId,
        home: usize,
        order: Order,
    },
    Unbridge(Order),
    Join {
        room: RoomId,
        home: usize,
        role: Role,
        order: Order,
    },
    LeaveRoom(Order),
    Record(PathBuf),
    PauseRecording,
    ResumeRecording,
    HideKeys(bool),
    StopRecording,
    Listen(Option<mpsc::Sender<Arc<[i16]>>>),
    WatchSpeech(bool),
    Close,
}
