//! RTCP (RFC 3550, 6): sender and receiver reports, a name that says nothing, goodbye.

use crate::limits::RTCP_BLOCKS_MAX;

const SENDER: u8 = 200;
const RECEIVER: u8 = 201;
const DESCRIPTION: u8 = 202;
const GOODBYE: u8 = 203;

/// The most that [`write_report`] and [`write_goodbye`] write.
pub const REPORT_BYTES_MAX: usize = 128;

/// What one side says of what it hears from the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// Whom it is about.
    pub ssrc: u32,
    /// Lost since the last report, of 256.
    pub fraction_lost: u8,
    /// Lost in all; 24 bits, signed.
    pub lost: i32,
    /// The highest sequence number, with its turns.
    pub highest: u32,
    /// Jitter in samples.
    pub jitter: u32,
    /// The middle of the last sender report's time.
    pub last_report: u32,
    /// Since that, in 1/65536 s.
    pub delay: u32,
}

/// What a sender says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sender {
    /// NTP time: seconds and their fraction.
    pub ntp: u64,
    /// The same moment in samples.
    pub timestamp: u32,
    /// Packets sent.
    pub packets: u32,
    /// Bytes of payload sent.
    pub octets: u32,
}

/// What a datagram holds of what we use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Who sends.
    pub ssrc: u32,
    /// There was a sender report.
    pub sender: Option<Sender>,
    /// What it says of the one that was asked about.
    pub about_us: Option<Block>,
    /// It says goodbye.
    pub goodbye: bool,
}

/// Why bytes are no RTCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Fewer bytes than the headers say.
    #[error("the RTCP datagram is shorter than its headers say")]
    Short,
    /// Not version 2, or not a report first (RFC 3550, A.2).
    #[error("the datagram is no RTCP of version 2 that begins with a report")]
    NotRtcp,
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn block(bytes: &[u8]) -> Option<Block> {
    let lost = u32_at(bytes, 4)?;
    Some(Block {
        ssrc: u32_at(bytes, 0)?,
        fraction_lost: (lost >> 24) as u8,
        // Shifted up and down again for its sign.
        lost: ((lost << 8) as i32) >> 8,
        highest: u32_at(bytes, 8)?,
        jitter: u32_at(bytes, 12)?,
        last_report: u32_at(bytes, 16)?,
        delay: u32_at(bytes, 20)?,
    })
}

/// Reads a compound datagram, looking for what is said about `us`.
///
/// # Errors
/// When it is none, or was cut off.
pub fn parse(bytes: &[u8], us: u32) -> Result<Report, Error> {
    let mut report = Report::default();
    let mut rest = bytes;
    for place in 0..RTCP_BLOCKS_MAX {
        if rest.is_empty() && place > 0 {
            break;
        }
        let [first, kind, l0, l1, ..] = *rest else {
            return Err(Error::Short);
        };
        if first >> 6 != 2 || (place == 0 && !matches!(kind, SENDER | RECEIVER)) {
            return Err(Error::NotRtcp);
        }
        let length = (usize::from(u16::from_be_bytes([l0, l1])) + 1) * 4;
        let body = rest.get(4..length).ok_or(Error::Short)?;
        rest = &rest[length..];
        let count = usize::from(first & 0x1f);
        let blocks_at = match kind {
            SENDER => {
                let field = |at| u32_at(body, at).ok_or(Error::Short);
                report.ssrc = field(0)?;
                report.sender = Some(Sender {
                    ntp: (u64::from(field(4)?) << 32) | u64::from(field(8)?),
                    timestamp: field(12)?,
                    packets: field(16)?,
                    octets: field(20)?,
                });
                24
            }
            RECEIVER => {
                report.ssrc = u32_at(body, 0).ok_or(Error::Short)?;
                4
            }
            GOODBYE => {
                report.goodbye = true;
                continue;
            }
            _ => continue,
        };
        for number in 0..count {
            let about = body
                .get(blocks_at + number * 24..)
                .and_then(block)
                .ok_or(Error::Short)?;
            if about.ssrc == us {
                report.about_us = Some(about);
            }
        }
    }
    Ok(report)
}

struct Writer<'a> {
    into: &'a mut [u8; REPORT_BYTES_MAX],
    at: usize,
}

impl Writer<'_> {
    fn put(&mut self, bytes: &[u8]) {
        if let Some(into) = self.into.get_mut(self.at..self.at + bytes.len()) {
            into.copy_from_slice(bytes);
            self.at += bytes.len();
        }
    }

    fn number(&mut self, number: u32) {
        self.put(&number.to_be_bytes());
    }

    fn head(&mut self, count: u8, kind: u8, words: u16) {
        self.put(&[0x80 | count, kind]);
        self.put(&words.to_be_bytes());
    }
}

/// Writes a report (a sender's, when there is something to say of ourselves) and a name, which is
/// random: 16 hexadecimal digits. Says how long it is.
pub fn write_report(
    into: &mut [u8; REPORT_BYTES_MAX],
    ssrc: u32,
    sender: Option<&Sender>,
    about: Option<&Block>,
    name: &[u8; 16],
) -> usize {
    let mut writer = Writer { into, at: 0 };
    let blocks = u8::from(about.is_some());
    match sender {
        Some(sender) => {
            writer.head(blocks, SENDER, 6 + 6 * u16::from(blocks));
            writer.number(ssrc);
            writer.put(&sender.ntp.to_be_bytes());
            writer.number(sender.timestamp);
            writer.number(sender.packets);
            writer.number(sender.octets);
        }
        None => {
            writer.head(blocks, RECEIVER, 1 + 6 * u16::from(blocks));
            writer.number(ssrc);
        }
    }
    if let Some(about) = about {
        writer.number(about.ssrc);
        let lost = about.lost.clamp(-0x80_0000, 0x7f_ffff) as u32;
        writer.number((u32::from(about.fraction_lost) << 24) | (lost & 0xff_ffff));
        writer.number(about.highest);
        writer.number(about.jitter);
        writer.number(about.last_report);
        writer.number(about.delay);
    }
    // The source, CNAME with its length, and zeros to the next word: 4 + 2 + 16 + 2.
    writer.head(1, DESCRIPTION, 6);
    writer.number(ssrc);
    writer.put(&[1, 16]);
    writer.put(name);
    writer.put(&[0, 0]);
    writer.at
}

/// Writes an empty report and a goodbye. Says how long it is.
pub fn write_goodbye(into: &mut [u8; REPORT_BYTES_MAX], ssrc: u32) -> usize {
    let mut writer = Writer { into, at: 0 };
    writer.head(0, RECEIVER, 1);
    writer.number(ssrc);
    writer.head(1, GOODBYE, 1);
    writer.number(ssrc);
    writer.at
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let sender = Sender {
            ntp: 0x0102_0304_0506_0708,
            timestamp: 9,
            packets: 10,
            octets: 1_600,
        };
        let about = Block {
            ssrc: 77,
            fraction_lost: 3,
            lost: -5,
            highest: 70_000,
            jitter: 12,
            last_report: 0x0304_0506,
            delay: 65_536,
        };
        let mut bytes = [0; REPORT_BYTES_MAX];
        let length = write_report(&mut bytes, 5, Some(&sender), Some(&about), b"0123456789abcdef");
        assert_eq!(length % 4, 0);
        let report = parse(&bytes[..length], 77).expect("our own report");
        assert_eq!(
            report,
            Report {
                ssrc: 5,
                sender: Some(sender),
                about_us: Some(about),
                goodbye: false
            }
        );
        assert_eq!(
            parse(&bytes[..length], 78).expect("our own report").about_us,
            None
        );
        assert_eq!(parse(&bytes[..length - 1], 77), Err(Error::Short));

        let length = write_goodbye(&mut bytes, 5);
        assert!(parse(&bytes[..length], 77).expect("our own goodbye").goodbye);
    }

    #[test]
    fn what_is_no_report_is_refused() {
        assert_eq!(parse(&[], 1), Err(Error::Short));
        assert_eq!(parse(&[0x80, 204, 0, 0], 1), Err(Error::NotRtcp));
        assert_eq!(
            parse(&[0x81, 201, 0, 1, 0, 0, 0, 1], 1),
            Err(Error::Short),
            "a block that is not there"
        );
    }

    proptest! {
        #[test]
        fn whatever_comes_is_answered(bytes in proptest::collection::vec(any::<u8>(), 0..200), kind in 200u8..205) {
            let _ = parse(&bytes, 1);
            let mut headed = vec![0x81, kind, 0, 7];
            headed.extend_from_slice(&bytes);
            let _ = parse(&headed, 1);
        }
    }
}
