//! Offer and answer (RFC 3264).

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::{Codec, Direction, Format, Media, SessionDescription};

/// The packet time when nobody names one, in milliseconds.
const PTIME_MS: u16 = 20;
/// The payload type we write for keys.
const KEYS_PAYLOAD: u8 = 101;

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

impl SessionDescription {
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
