//! Session descriptions (RFC 4566) and offer and answer (RFC 3264) for telephone audio: reading, writing and
//! agreeing. Values in, values out; no socket.
//!
//! Reading is tolerant of what real devices send (bare line feeds, unknown lines, missing `o=` or `s=`) and
//! bounded; it never panics. What is not plain telephone audio stays as a refused media line, so that an
//! answer has as many lines as its offer.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::limits::{SDP_BYTES_MAX, SDP_FORMATS_MAX, SDP_LINES_MAX, SDP_MEDIA_MAX};

/// The packet time when nobody names one, in milliseconds.
const PTIME_MS: u16 = 20;
/// The payload type we write for keys.
const KEYS_PAYLOAD: u8 = 101;

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

/// The offer has nothing that we speak: answer 488.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the offer has no plain audio (RTP/AVP) in PCMA or PCMU that is allowed here")]
pub struct NoCommonCodec;

/// Our side of an audio stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ours {
    /// The session number of this call, any that stays the same.
    pub session: u64,
    /// The version of the description to write.
    pub version: u64,
    /// Where we listen.
    pub address: SocketAddr,
    /// The codecs allowed, the best first.
    pub codecs: Vec<Codec>,
    /// Which way we want media to flow.
    pub direction: Direction,
    /// Whether RTP and RTCP may share our port.
    pub rtcp_mux: bool,
}

/// What two sides agreed on, from our view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreed {
    /// Where the peer listens. Unspecified (0.0.0.0) while it has us on hold the old way.
    pub peer: SocketAddr,
    /// Where the peer listens for RTCP.
    pub peer_rtcp: SocketAddr,
    /// The codec spoken.
    pub codec: Codec,
    /// The payload type to send it under.
    pub payload: u8,
    /// The payload type of keys to send, when the peer takes them.
    pub keys: Option<u8>,
    /// Milliseconds of speech in a packet.
    pub ptime_ms: u16,
    /// Which way, from our view.
    pub direction: Direction,
    /// Whether RTP and RTCP share a port.
    pub rtcp_mux: bool,
}

/// An answer and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What to send.
    pub description: SessionDescription,
    /// What it agrees on.
    pub agreed: Agreed,
}

/// Agrees on an offer: the peer's first codec that we allow, its keys, the direction that both want; every
/// other media line is refused.
///
/// # Errors
/// When no line is plain audio in a codec of ours.
pub fn negotiate(offer: &SessionDescription, ours: &Ours) -> Result<Answer, NoCommonCodec> {
    let (index, agreed) = offer
        .media
        .iter()
        .enumerate()
        .find_map(|(index, media)| agree(media, ours).map(|agreed| (index, agreed)))
        .ok_or(NoCommonCodec)?;
    let media = offer
        .media
        .iter()
        .enumerate()
        .map(|(at, theirs)| {
            if at != index {
                return theirs.refused();
            }
            let mut formats = vec![Format::Speech(agreed.payload, agreed.codec)];
            formats.extend(agreed.keys.map(Format::Keys));
            line(
                ours.address,
                formats,
                agreed.direction,
                Some(agreed.ptime_ms),
                agreed.rtcp_mux,
            )
        })
        .collect();
    let description = SessionDescription {
        session: ours.session,
        version: ours.version,
        origin: ours.address.ip(),
        media,
    };
    Ok(Answer { description, agreed })
}

/// Reads the answer to an offer of ours.
///
/// # Errors
/// When the peer answered with nothing that we offered.
pub fn accept(answer: &SessionDescription, ours: &Ours) -> Result<Agreed, NoCommonCodec> {
    answer
        .media
        .iter()
        .find_map(|media| agree(media, ours))
        .ok_or(NoCommonCodec)
}

/// Whether media may be sent to an address: never to many at once.
fn to_one(address: IpAddr) -> bool {
    !address.is_multicast() && address != IpAddr::V4(Ipv4Addr::BROADCAST)
}

fn agree(media: &Media, ours: &Ours) -> Option<Agreed> {
    if !media.is_plain_audio() {
        return None;
    }
    let address = media.address.filter(|address| to_one(*address))?;
    let (payload, codec) = media.formats.iter().find_map(|format| match format {
        // Only under its own number: sound under another one would not be known when it comes.
        Format::Speech(payload, codec) if *payload == codec.payload() && ours.codecs.contains(codec) => {
            Some((*payload, *codec))
        }
        Format::Speech(..) | Format::Keys(_) => None,
    })?;
    let keys = media.formats.iter().find_map(|format| match format {
        Format::Keys(payload) => Some(*payload),
        Format::Speech(..) => None,
    });
    let rtcp_mux = media.rtcp_mux && ours.rtcp_mux;
    let rtcp_port = if rtcp_mux {
        media.port
    } else {
        media.rtcp_port.unwrap_or(media.port.saturating_add(1))
    };
    Some(Agreed {
        peer: SocketAddr::new(address, media.port),
        peer_rtcp: SocketAddr::new(address, rtcp_port),
        codec,
        payload,
        keys,
        ptime_ms: media
            .ptime_ms
            .filter(|ms| (10..=60).contains(ms) && ms % 10 == 0)
            .unwrap_or(PTIME_MS),
        direction: media.direction.reversed().and(ours.direction),
        rtcp_mux,
    })
}

fn line(
    address: SocketAddr,
    formats: Vec<Format>,
    direction: Direction,
    ptime_ms: Option<u16>,
    rtcp_mux: bool,
) -> Media {
    Media {
        kind: "audio".to_owned(),
        port: address.port(),
        protocol: "RTP/AVP".to_owned(),
        format_names: formats
            .iter()
            .map(|format| payload_of(*format).to_string())
            .collect(),
        formats,
        address: Some(address.ip()),
        direction,
        ptime_ms,
        rtcp_port: None,
        rtcp_mux,
    }
}

fn payload_of(format: Format) -> u8 {
    match format {
        Format::Speech(payload, _) | Format::Keys(payload) => payload,
    }
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

    /// An offer of one audio line.
    #[must_use]
    pub fn offer(ours: &Ours) -> SessionDescription {
        let mut formats: Vec<Format> = ours
            .codecs
            .iter()
            .map(|codec| Format::Speech(codec.payload(), *codec))
            .collect();
        formats.push(Format::Keys(KEYS_PAYLOAD));
        SessionDescription {
            session: ours.session,
            version: ours.version,
            origin: ours.address.ip(),
            media: vec![line(
                ours.address,
                formats,
                ours.direction,
                Some(PTIME_MS),
                ours.rtcp_mux,
            )],
        }
    }

    /// Reads a description.
    ///
    /// # Errors
    /// When it is too long, does not begin with `v=0`, or has a media line or an address that cannot be read.
    pub fn parse(body: &[u8]) -> Result<SessionDescription, SdpError> {
        if body.len() > SDP_BYTES_MAX {
            return Err(SdpError::TooLong);
        }
        let text = String::from_utf8_lossy(body);
        let mut read = Reader::default();
        for (number, line) in text
            .split('\n')
            .map(|line| line.trim_end_matches('\r'))
            .enumerate()
        {
            if number >= SDP_LINES_MAX {
                return Err(SdpError::TooLong);
            }
            read.line(number + 1, line)?;
        }
        read.finish()
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

impl std::fmt::Display for SessionDescription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = String::with_capacity(256);
        write!(
            text,
            "v=0\r\no=- {} {} IN {} {}\r\ns=-\r\n",
            self.session,
            self.version,
            family(self.origin),
            self.origin
        )?;
        write!(text, "c=IN {} {}\r\nt=0 0\r\n", family(self.origin), self.origin)?;
        for media in &self.media {
            write_media(&mut text, media, self.origin)?;
        }
        f.write_str(&text)
    }
}

fn family(address: IpAddr) -> &'static str {
    if address.is_ipv4() { "IP4" } else { "IP6" }
}

fn write_media(text: &mut String, media: &Media, origin: IpAddr) -> std::fmt::Result {
    let names = if media.format_names.is_empty() {
        "0".to_owned()
    } else {
        media.format_names.join(" ")
    };
    write!(
        text,
        "m={} {} {} {names}\r\n",
        media.kind, media.port, media.protocol
    )?;
    if media.port == 0 {
        return Ok(());
    }
    if let Some(address) = media.address.filter(|address| *address != origin) {
        write!(text, "c=IN {} {address}\r\n", family(address))?;
    }
    for format in &media.formats {
        match format {
            Format::Speech(payload, codec) => write!(text, "a=rtpmap:{payload} {}/8000\r\n", codec.name())?,
            Format::Keys(payload) => write!(
                text,
                "a=rtpmap:{payload} telephone-event/8000\r\na=fmtp:{payload} 0-15\r\n"
            )?,
        }
    }
    if let Some(ms) = media.ptime_ms {
        write!(text, "a=ptime:{ms}\r\n")?;
    }
    if let Some(port) = media.rtcp_port {
        write!(text, "a=rtcp:{port}\r\n")?;
    }
    if media.rtcp_mux {
        text.push_str("a=rtcp-mux\r\n");
    }
    write!(text, "a={}\r\n", media.direction.attribute())
}

/// What is read of a description so far.
#[derive(Default)]
struct Reader {
    begun: bool,
    session: u64,
    version: u64,
    origin: Option<IpAddr>,
    address: Option<IpAddr>,
    direction: Option<Direction>,
    ptime_ms: Option<u16>,
    media: Vec<Reading>,
}

/// A media line being read.
struct Reading {
    media: Media,
    direction: Option<Direction>,
    /// Payload types with the encoding their `a=rtpmap` gives.
    maps: Vec<(u8, String)>,
}

impl Reader {
    fn line(&mut self, number: usize, line: &str) -> Result<(), SdpError> {
        let Some((kind, value)) = line.split_once('=') else {
            return Ok(());
        };
        let value = value.trim();
        if !self.begun {
            if kind.trim() != "v" || value != "0" {
                return Err(SdpError::Version);
            }
            self.begun = true;
            return Ok(());
        }
        match kind.trim() {
            "o" => self.origin(value),
            "c" => {
                let address = connection(value).ok_or(SdpError::Address(number))?;
                match self.media.last_mut() {
                    // A name instead of an address is not looked up: the line has no address then, and is
                    // refused.
                    Some(reading) => reading.media.address = address,
                    None => self.address = address,
                }
            }
            "m" => self.media_line(value).ok_or(SdpError::Media(number))?,
            "a" => self.attribute(value),
            _ => {}
        }
        if self.media.len() > SDP_MEDIA_MAX {
            return Err(SdpError::TooManyMedia);
        }
        Ok(())
    }

    fn origin(&mut self, value: &str) {
        let mut words = value.split_ascii_whitespace().skip(1);
        self.session = words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
        self.version = words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
        self.origin = words.nth(2).and_then(|word| word.parse().ok());
    }

    fn media_line(&mut self, value: &str) -> Option<()> {
        let mut words = value.split_ascii_whitespace();
        let kind = words.next()?.to_ascii_lowercase();
        let port = words.next()?;
        let port = port.split_once('/').map_or(port, |(port, _)| port).parse().ok()?;
        let protocol = words.next()?.to_ascii_uppercase();
        let format_names: Vec<String> = words.take(SDP_FORMATS_MAX).map(str::to_owned).collect();
        if format_names.is_empty() {
            return None;
        }
        let media = Media {
            kind,
            port,
            protocol,
            format_names,
            formats: Vec::new(),
            address: None,
            direction: Direction::SendReceive,
            ptime_ms: None,
            rtcp_port: None,
            rtcp_mux: false,
        };
        self.media.push(Reading {
            media,
            direction: None,
            maps: Vec::new(),
        });
        Some(())
    }

    fn attribute(&mut self, value: &str) {
        let (name, rest) = value.split_once(':').unwrap_or((value, ""));
        let name = name.trim().to_ascii_lowercase();
        let rest = rest.trim();
        if let Some(direction) = Direction::named(&name) {
            match self.media.last_mut() {
                Some(reading) => reading.direction = Some(direction),
                None => self.direction = Some(direction),
            }
            return;
        }
        let Some(reading) = self.media.last_mut() else {
            if name == "ptime" {
                self.ptime_ms = milliseconds(rest);
            }
            return;
        };
        match name.as_str() {
            "rtpmap" if reading.maps.len() < SDP_FORMATS_MAX => {
                if let Some((payload, encoding)) = rest.split_once(char::is_whitespace)
                    && let Ok(payload) = payload.parse()
                {
                    reading.maps.push((payload, encoding.trim().to_ascii_uppercase()));
                }
            }
            "ptime" => reading.media.ptime_ms = milliseconds(rest),
            "rtcp" => {
                reading.media.rtcp_port = rest
                    .split_ascii_whitespace()
                    .next()
                    .and_then(|word| word.parse().ok());
            }
            "rtcp-mux" => reading.media.rtcp_mux = true,
            _ => {}
        }
    }

    fn finish(self) -> Result<SessionDescription, SdpError> {
        if !self.begun {
            return Err(SdpError::Version);
        }
        let media = self
            .media
            .into_iter()
            .map(|reading| {
                let mut media = reading.media;
                media.address = media.address.or(self.address);
                media.ptime_ms = media.ptime_ms.or(self.ptime_ms);
                media.direction = reading.direction.or(self.direction).unwrap_or_default();
                if media.address.is_some_and(|address| address.is_unspecified()) {
                    media.direction = Direction::new(media.direction.sends(), false);
                }
                media.formats = media
                    .format_names
                    .iter()
                    .filter_map(|name| format(name, &reading.maps))
                    .collect();
                media
            })
            .collect();
        let origin = self
            .origin
            .or(self.address)
            .unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        Ok(SessionDescription {
            session: self.session,
            version: self.version,
            origin,
            media,
        })
    }
}

/// The format of a payload type: by its `a=rtpmap`, else by RFC 3551's table.
fn format(name: &str, maps: &[(u8, String)]) -> Option<Format> {
    let payload: u8 = name.parse().ok().filter(|payload| *payload < 128)?;
    let encoding = maps
        .iter()
        .find(|(of, _)| *of == payload)
        .map(|(_, encoding)| encoding.as_str());
    match encoding {
        Some(encoding) => match encoding.strip_suffix("/1").unwrap_or(encoding) {
            "PCMU/8000" => Some(Format::Speech(payload, Codec::Pcmu)),
            "PCMA/8000" => Some(Format::Speech(payload, Codec::Pcma)),
            "TELEPHONE-EVENT/8000" => Some(Format::Keys(payload)),
            _ => None,
        },
        None if payload == 0 => Some(Format::Speech(0, Codec::Pcmu)),
        None if payload == 8 => Some(Format::Speech(8, Codec::Pcma)),
        None => None,
    }
}

fn milliseconds(text: &str) -> Option<u16> {
    // Some devices write fractions (13.33).
    text.split('.').next().and_then(|whole| whole.parse().ok())
}

/// The address of a `c=` line: none when it cannot be read at all, `Some(None)` for a name.
fn connection(value: &str) -> Option<Option<IpAddr>> {
    let mut words = value.split_ascii_whitespace();
    if words.next()? != "IN" {
        return None;
    }
    words.next()?;
    let address = words.next()?;
    Some(address.split('/').next().and_then(|address| address.parse().ok()))
}

#[cfg(test)]
mod tests;
