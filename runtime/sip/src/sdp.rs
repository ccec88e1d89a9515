//! Session descriptions (RFC 4566) and offer and answer (RFC 3264) for telephone audio: reading, writing and
//! agreeing. Values in, values out; no socket.
//!
//! Reading is tolerant of what real devices send (bare line feeds, unknown lines, missing `o=` or `s=`) and
//! bounded; it never panics. What is not plain telephone audio stays as a refused media line, so that an
//! answer has as many lines as its offer.

mod agree;
mod read;
mod write;

use std::net::IpAddr;

pub use self::agree::{Agreed, Answer, NoCommonCodec, Ours, accept, negotiate};
use crate::limits::{SDP_BYTES_MAX, SDP_LINES_MAX, SDP_MEDIA_MAX};

/// A speech codec of the telephone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// G.711 µ-law, 8 kHz.
    Pcmu,
    /// G.711 A-law, 8 kHz.
    Pcma,
}

impl Codec {
    /// The payload type RFC 3551 gives it.
    #[must_use]
    pub fn payload(self) -> u8 {
        match self {
            Codec::Pcmu => 0,
            Codec::Pcma => 8,
        }
    }

    /// Its encoding name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Codec::Pcmu => "PCMU",
            Codec::Pcma => "PCMA",
        }
    }
}

/// Which way media flows, as seen by the side whose description says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Direction {
    /// Both ways.
    #[default]
    SendReceive,
    /// That side only sends: it has us on hold, perhaps with music.
    SendOnly,
    /// That side only listens.
    ReceiveOnly,
    /// Neither way.
    Inactive,
}

impl Direction {
    fn new(sends: bool, receives: bool) -> Direction {
        match (sends, receives) {
            (true, true) => Direction::SendReceive,
            (true, false) => Direction::SendOnly,
            (false, true) => Direction::ReceiveOnly,
            (false, false) => Direction::Inactive,
        }
    }

    /// Whether that side sends.
    #[must_use]
    pub fn sends(self) -> bool {
        matches!(self, Direction::SendReceive | Direction::SendOnly)
    }

    /// Whether that side listens.
    #[must_use]
    pub fn receives(self) -> bool {
        matches!(self, Direction::SendReceive | Direction::ReceiveOnly)
    }

    /// The same, seen from the other side.
    #[must_use]
    pub fn reversed(self) -> Direction {
        Direction::new(self.receives(), self.sends())
    }

    fn and(self, other: Direction) -> Direction {
        Direction::new(self.sends() && other.sends(), self.receives() && other.receives())
    }

    fn attribute(self) -> &'static str {
        match self {
            Direction::SendReceive => "sendrecv",
            Direction::SendOnly => "sendonly",
            Direction::ReceiveOnly => "recvonly",
            Direction::Inactive => "inactive",
        }
    }

    fn named(name: &str) -> Option<Direction> {
        Some(match name {
            "sendrecv" => Direction::SendReceive,
            "sendonly" => Direction::SendOnly,
            "recvonly" => Direction::ReceiveOnly,
            "inactive" => Direction::Inactive,
            _ => return None,
        })
    }
}

/// One format of an audio line that we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Speech under this payload type.
    Speech(u8, Codec),
    /// Keys (RFC 4733) at 8 kHz under this payload type.
    Keys(u8),
}

/// One `m=` line with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// `audio`, `video`, …
    pub kind: String,
    /// The port; 0 refuses the line.
    pub port: u16,
    /// `RTP/AVP`, `RTP/SAVP`, …
    pub protocol: String,
    /// The formats as written, to refuse the line with the same ones.
    pub format_names: Vec<String>,
    /// The formats we know, in the order of preference.
    pub formats: Vec<Format>,
    /// Where media is to be sent; none when no `c=` holds for the line.
    pub address: Option<IpAddr>,
    /// Which way, from the view of the side that wrote it. An address of all zeros (the old way to hold)
    /// counts as not listening.
    pub direction: Direction,
    /// Milliseconds of speech in a packet.
    pub ptime_ms: Option<u16>,
    /// The port of RTCP, when it is not the one after.
    pub rtcp_port: Option<u16>,
    /// Whether RTP and RTCP may share the port (RFC 5761).
    pub rtcp_mux: bool,
}

impl Media {
    /// Whether we can take part in it: plain telephone audio that is not refused.
    #[must_use]
    pub fn is_plain_audio(&self) -> bool {
        self.kind == "audio" && self.protocol == "RTP/AVP" && self.port != 0 && self.address.is_some()
    }

    fn refused(&self) -> Media {
        Media {
            port: 0,
            formats: Vec::new(),
            rtcp_port: None,
            rtcp_mux: false,
            ptime_ms: None,
            ..self.clone()
        }
    }
}

/// A session description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionDescription {
    /// Which session, unchanged while the call lasts.
    pub session: u64,
    /// Goes up by one with each change.
    pub version: u64,
    /// The address in `o=`.
    pub origin: IpAddr,
    /// The media lines, in order.
    pub media: Vec<Media>,
}

/// Why a body is no session description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SdpError {
    /// Longer than a description may be.
    #[error("the session description is longer than {SDP_BYTES_MAX} bytes or {SDP_LINES_MAX} lines")]
    TooLong,
    /// It does not begin with `v=0`.
    #[error("the session description does not begin with v=0")]
    Version,
    /// A media line that cannot be read.
    #[error("line {0} of the session description has a media line that cannot be read")]
    Media(usize),
    /// More media lines than allowed.
    #[error("the session description has more than {SDP_MEDIA_MAX} media lines")]
    TooManyMedia,
    /// An address that cannot be read.
    #[error("line {0} of the session description has an address that cannot be read")]
    Address(usize),
}

impl SessionDescription {
    /// The description with a higher version when it says something else than one that was sent before.
    pub(crate) fn after(mut self, before: Option<&SessionDescription>) -> SessionDescription {
        if let Some(before) = before
            && self.version <= before.version
            && self.media != before.media
        {
            self.version = before.version + 1;
        }
        self
    }

    /// The description as an offer that ends the peer's hold, if it holds us.
    pub(crate) fn resumed(&self, remote: Option<&SessionDescription>) -> SessionDescription {
        let mut offer = self.clone();
        let held = |at: usize| {
            remote
                .and_then(|remote| remote.media.get(at))
                .is_some_and(|media| media.direction != Direction::SendReceive)
        };
        for (at, media) in offer.media.iter_mut().enumerate() {
            if media.port != 0 && held(at) {
                media.direction = Direction::SendReceive;
            }
        }
        offer.after(Some(self))
    }

    /// The first line that is plain telephone audio.
    #[must_use]
    pub fn audio(&self) -> Option<&Media> {
        self.media.iter().find(|media| media.is_plain_audio())
    }

    /// Whether the side that wrote this has the other on hold: its audio is neither sent nor awaited both
    /// ways.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.audio().is_some_and(|audio| !audio.direction.receives())
    }
}

#[cfg(test)]
mod tests;
