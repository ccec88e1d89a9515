//! Reading: tolerant of what real devices send, and bounded.

use std::net::{IpAddr, Ipv4Addr};

use super::{Codec, Direction, Format, Media, SdpError, SessionDescription};
use crate::limits::{SDP_BYTES_MAX, SDP_FORMATS_MAX, SDP_LINES_MAX, SDP_MEDIA_MAX};

impl SessionDescription {
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
