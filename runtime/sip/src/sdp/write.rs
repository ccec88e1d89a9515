//! Writing.

use std::{fmt::Write as _, net::IpAddr};

use super::{Format, Media, SessionDescription};

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
