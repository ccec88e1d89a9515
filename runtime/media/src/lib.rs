//! Sound on the wire: RTP, keys, prompts, recordings, bridges.
//!
//! A [`Media`] has a few threads, each with one ticker of 20 ms; a [`Stream`] is a pair of sockets
//! on one of them. What is played, relayed, mixed or recorded is decided by commands of the
//! stream's owner; what the far end does comes back as [`Heard`].
//!
//! It refuses to know contacts, SIP and hotlines, and never logs what was said, pressed or dialled.

mod clock;
pub mod codec;
mod command;
mod heard;
pub mod keys;
pub mod limits;
mod line;
mod media;
pub mod peer;
mod playing;
mod ports;
mod random;
mod recorder;
mod remote;
mod room;
pub mod rtcp;
pub mod rtp;
mod sequence;
mod sound;
mod statistics;
mod stream;
mod tone;
pub mod wav;
mod window;
mod worker;
mod writer;

pub use codec::Codec;
pub use heard::{Heard, Recording, RecordingError};
pub use media::{Load, Media, OpenError, Settings, StartError, WorkerLoad};
pub use remote::{Latch, Remote};
pub use room::{Role, Room};
pub use sound::{Sound, SoundError};
pub use statistics::Statistics;
pub use stream::{Stream, StreamId};
pub use tone::Tone;
